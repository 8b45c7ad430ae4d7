"""Pages of included hours: agreed, looked at, changed, ended, taken back, and as a file."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from taktura.customers.models import Customer, Seller
from taktura.customers.services import change_customer
from taktura.desk import services as desk
from taktura.desk.models import Allowance
from taktura.kit.actor import Actor


@pytest.fixture
def acme(seller: Seller) -> Customer:
    return Customer.objects.select_related("seller").get(key="acme", seller=seller)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_from_the_agreement_to_its_end(acme: Customer, actor: Actor, client_as: Callable[..., Client]) -> None:
    client, place = client_as("sales"), f"/customers/{acme.pk}/hours/"
    assert "No included hours yet" in text_of(client.get(place))
    typed = {"title": "Support", "kind": "monthly", "minutes": "2", "start": "2026-01-01", "kept": "on"}
    answer = client.post(f"{place}new/", typed)
    row = Allowance.objects.get()
    assert answer.headers["Location"] == f"{place}{row.pk}/"
    assert (row.minutes, row.kind, row.kept, row.end) == (120, "monthly", True, None)
    change_customer(actor, customer=acme, hourly_rate=Decimal(90))
    entry = desk.log_time(actor, customer=acme, minutes=50, worked_on=date(2026, 2, 10), note="=1+1").pk
    desk.approve_time(actor, entries=[entry])
    page = text_of(client.get(f"{place}{row.pk}/"))
    assert "0:50 not billed yet" in page and "Take back" not in page
    file = client.get(f"{place}{row.pk}/?export=csv").content.decode()
    assert file.splitlines()[1] == "2026-02-10,,,,'=1+1,50,"
    months = client.get(f"{place}{row.pk}/?export=csv&part=months").content.decode().splitlines()
    assert months[1:3] == ["2026-01-01,2026-01-31,120,0,0,0,120,0", "2026-02-01,2026-02-28,120,120,50,50,190,0"]
    assert client.get(f"{place}{row.pk}/?export=xlsx").content.startswith(b"PK")
    form = client.get(f"{place}{row.pk}/change/")
    start = re.findall(r'<option value="(\d{4}-\d\d-01)"', text_of(form))[0]
    changed = client.post(f"{place}{row.pk}/change/", {"start": start, "title": "More", "minutes": "2:30"})
    newer = Allowance.objects.latest("pk")
    assert changed.headers["Location"] == f"{place}{newer.pk}/"
    row.refresh_from_db()
    assert row.end == newer.start == date.fromisoformat(start) and (newer.minutes, newer.kept) == (150, False)
    client.post(f"{place}{newer.pk}/end/", {"last": "2199-06-30"})
    newer.refresh_from_db()
    assert newer.end == date(2199, 7, 1)
    assert client.post(f"{place}{newer.pk}/end/", {"last": "2020-01-01"}).status_code == 422
    client.post(f"{place}{newer.pk}/take-back/")
    client.post(f"{place}{row.pk}/take-back/")
    assert list(Allowance.objects.all()) == [row], "what time has drawn stays"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"minutes": "many"}, "“many” is no time"),
        ({"minutes": "0"}, "one minute to 10000 hours"),
        ({"last": "2025-01-01"}, "end after they begin"),
        ({"kind": "block", "kept": "on"}, "Only the rest of a month can be kept"),
        ({"title": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_agreed_is_said(
    acme: Customer, client_as: Callable[..., Client], typed: dict[str, str], said: str
) -> None:
    sent = {"title": "Support", "kind": "monthly", "minutes": "2", "start": "2026-01-01", **typed}
    answer = client_as("sales").post(f"/customers/{acme.pk}/hours/new/", sent)
    assert answer.status_code == 422 and said in text_of(answer)
    assert not Allowance.objects.exists()


def test_hours_of_another_customer_are_not_there(
    acme: Customer, actor: Actor, client_as: Callable[..., Client]
) -> None:
    bare = Customer.objects.get(key="bare")
    row = desk.include_hours(actor, customer=bare, title="B", kind="block", minutes=60, start=date(2026, 1, 1))
    client = client_as("admin")
    for part in ("", "change/", "end/"):
        assert client.get(f"/customers/{acme.pk}/hours/{row.pk}/{part}").status_code == 404
    assert client.get(f"/customers/{bare.pk}/hours/{row.pk}/").status_code == 200
    went = client.get(f"/customers/{bare.pk}/hours/{row.pk}/change/")
    assert went.headers["Location"] == f"/customers/{bare.pk}/hours/{row.pk}/", "a block is not changed"


def test_the_rest_is_shown_where_time_is_approved(
    acme: Customer, actor: Actor, client_as: Callable[..., Client]
) -> None:
    change_customer(actor, customer=acme, hourly_rate=Decimal(90))
    desk.include_hours(actor, customer=acme, title="Block", kind="block", minutes=60, start=date(2026, 1, 1))
    entry = desk.log_time(actor, customer=acme, minutes=20, worked_on=date(2026, 2, 10)).pk
    client = client_as("lead")
    assert "Block: 1:00 left" in text_of(client.get("/time/approval/"))
    assert "Block: 0:40 left after that" in text_of(client.post("/time/approval/", {"chosen": [entry]}, follow=True))
