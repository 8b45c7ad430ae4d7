"""Notices sent by the page for everybody: kept and confirmed always, given only where the contract is beyond doubt."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest

from taktura.billing import services as billing
from taktura.contracts.models import Contract, NoticeRequest
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database
from taktura.kit.mail.models import OutgoingMail
from tests.pages.conftest import make_seller

ACTOR = Actor("button:x", datetime(2026, 3, 10, 9, 30, tzinfo=UTC))
GOOD: dict[str, Any] = {
    "name": "acme  gmbh", "number": "V-acme", "email": "ACME@c.example", "kind": "ordinary", "language": "de",
}  # fmt: skip


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(Refused) as found:
        yield
    assert found.value.code == code


@pytest.fixture
def seller() -> Iterator[Seller]:
    with scratch_database():
        yield make_seller("Sonnenruf GmbH")


def send(seller: Seller, **changes: Any) -> NoticeRequest:
    return billing.receive_notice(ACTOR, seller=seller, **(GOOD | changes))


def test_a_notice_beyond_doubt_is_given_and_confirmed_with_day_and_hour(seller: Seller) -> None:
    kept = send(seller)
    contract = Contract.objects.get(key="V-acme")
    assert (kept.state, kept.contract) == ("given", contract)
    assert contract.end == date(2026, 5, 1) and contract.notice_received == date(2026, 3, 10)  # one month, month's end
    mail = OutgoingMail.objects.get(kind="notice")
    assert mail.recipient == "ACME@c.example" and "10:30" in mail.text and "10. März 2026" in mail.text
    assert "30. April 2026" in mail.text and "acme  gmbh" in mail.text


def test_a_wished_day_counts(seller: Seller) -> None:
    send(seller, wish=date(2026, 7, 15))
    assert Contract.objects.get(key="V-acme").end == date(2026, 8, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Somebody else"},
        {"number": "V-none"},
        {"number": "V-oztuerk"},
        {"email": "stranger@c.example"},
        {"kind": "extraordinary", "reason": "It never worked."},
    ],
)
def test_what_is_in_doubt_ends_nothing_and_waits_for_somebody(seller: Seller, changes: dict[str, Any]) -> None:
    kept = send(seller, **changes)
    assert (kept.state, kept.contract) == ("open", None)
    assert not Contract.objects.exclude(end=None).exists()
    assert OutgoingMail.objects.get(kind="notice").recipient == kept.email  # confirmed all the same
    assert list(billing.open_notices(seller)) == [kept]
    billing.close_notice(ACTOR, request=kept)
    assert not billing.open_notices(seller).exists()
    with refused("conflict"):
        billing.close_notice(ACTOR, request=kept)


def test_a_second_notice_of_the_same_contract_moves_nothing(seller: Seller) -> None:
    send(seller)
    assert send(seller, wish=date(2027, 1, 1)).state == "open"
    assert Contract.objects.get(key="V-acme").end == date(2026, 5, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "Acme\nBcc: x"}, "name"),
        ({"number": ""}, "number"),
        ({"email": "acme"}, "email"),
        ({"kind": "rude"}, "kind"),
        ({"kind": "extraordinary"}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
    ],
)
def test_what_is_missing_is_said(seller: Seller, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        send(seller, **changes)
    assert refused.value.values["field"] == field
    assert not NoticeRequest.objects.exists()
