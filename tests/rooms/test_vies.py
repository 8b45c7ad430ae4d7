"""VIES, played by a web server on this machine: it confirms, refuses, hangs, fails and talks nonsense."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.models import Tariff
from taktura.contracts.models import Order
from taktura.customers import services as customers
from taktura.customers import vat_checks, vies
from taktura.customers.models import Seller, VatCheck
from taktura.customers.tasks import ask_vies
from taktura.kit.actor import Actor
from tests.api.receiver import Receiver, Talk, receiving

OWN, AUSTRIAN = "DE136695976", "ATU13585627"


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """VIES, with short patience of ours."""
    with receiving() as one:
        monkeypatch.setattr(vies, "ADDRESS", f"http://127.0.0.1:{one.port}/check-vat-number")
        monkeypatch.setattr(vies, "WAIT_SECONDS", 0.5)
        monkeypatch.setattr(vies, "ALL_SECONDS", 1.0)
        yield one


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    made = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]],
        vat_id=OWN, order_page=True, vies=True,
    )  # fmt: skip
    lines = {"base": {"title": "Base", "charge": "recurring", "price": "10"}}
    catalog.define_tariff(actor, seller=made, key="open", title="Open", public=True, lines=lines)
    return made


def says(content: Any, status: int = 200) -> Talk:
    """An answer of VIES."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def fault(code: str) -> dict[str, Any]:
    return {"actionSucceed": False, "errorWrappers": [{"error": code}]}


def hangs(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1.2)
    handler.close_connection = True


def drips(handler: BaseHTTPRequestHandler) -> None:
    """A sign at a time, each within the patience for one piece."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    try:
        for _ in range(12):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.2)
    except OSError:
        pass
    handler.close_connection = True


GOOD = {"countryCode": "AT", "vatNumber": "U13585627", "valid": True, "requestIdentifier": "WAPIAAAAX", "name": "---"}


def test_a_vat_id_is_confirmed_or_refused_with_the_number_of_the_question(register: Receiver) -> None:
    register.answers = [says(GOOD), says(GOOD | {"valid": False, "requestIdentifier": ""})]
    assert vies.ask("atu 1358 5627", OWN) == vies.Answer("confirmed", "WAPIAAAAX")
    assert vies.ask(AUSTRIAN) == vies.Answer("refused")
    asked = [json.loads(body) for _, body in register.came]
    assert asked[0] == {
        "countryCode": "AT", "vatNumber": "U13585627", "requesterMemberStateCode": "DE", "requesterNumber": "136695976",
    }  # fmt: skip
    assert asked[1] == {"countryCode": "AT", "vatNumber": "U13585627"}


@pytest.mark.parametrize(
    "answer",
    [
        says(fault("MS_UNAVAILABLE")),
        says(fault("INVALID_INPUT"), 400),
        says({"actionSucceed": False}),
        says(GOOD | {"valid": "true"}),
        says({}),
        says([GOOD]),
        says(b"<html>Service Unavailable</html>"),
        says(b"\xff\xfe{"),
        says(b"[" * 100_000),
        says(b" " * 70_000 + json.dumps(GOOD).encode()),
        says(GOOD, 500),
        302,
        503,
        hangs,
        drips,
    ],
    ids=[
        "away", "not read", "failed", "no verdict", "empty", "a list", "a page", "no text", "nested", "long", "500",
        "elsewhere", "503", "hangs", "drips",
    ],
)  # fmt: skip
def test_all_else_is_no_answer_and_no_fault(register: Receiver, answer: Any) -> None:
    register.answers = [answer]
    begun = time.monotonic()
    assert vies.ask(AUSTRIAN).state == "unanswered"
    assert time.monotonic() - begun < 20


def test_nobody_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as gone:
        address = f"http://127.0.0.1:{gone.port}/"
    monkeypatch.setattr(vies, "ADDRESS", address)
    assert vies.ask(AUSTRIAN).state == "unanswered"


def test_whoever_asks_without_being_known_asks_without_a_name(register: Receiver) -> None:
    register.answers = [says(fault("INVALID_REQUESTER_INFO")), says(GOOD | {"requestIdentifier": ""})]
    assert vies.ask(AUSTRIAN, OWN) == vies.Answer("confirmed")
    assert "requesterNumber" not in json.loads(register.came[1][1])


def order(actor: Actor, **more: Any) -> Order:
    wish = billing.Wish(
        tariff=Tariff.objects.select_related("seller").get(), name="Wien GmbH", street="Ring 1", postcode="1010",
        city="Wien", email="a@wien.example", **{"country": "AT", "vat_id": "ATU 1358 5627"} | more,
    )  # fmt: skip
    return billing.take_order(actor, wish=wish, address="https://x.example/", confirmed=True)


def jobs() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name="ask_vies").order_by("id"))


def test_an_order_has_vies_asked_in_the_background_and_the_verdict_is_kept(
    register: Receiver, seller: Seller, actor: Actor
) -> None:
    made = order(actor)
    assert made.state == "open" and not register.came  # nothing waits for it
    (job,) = jobs()
    register.answers = [says(GOOD)]
    assert ask_vies.func(**job.args) == "confirmed"
    kept = vat_checks.latest_of(seller.pk, made.buyer["vat_id"])
    assert kept is not None and (kept.state, kept.identifier, kept.vat_id) == ("confirmed", "WAPIAAAAX", AUSTRIAN)
    assert len(jobs()) == 1  # answered: nobody asks again
    billing.approve_order(actor, order=made)
    assert len(jobs()) == 1  # of the customer that came of it it is known already


def test_without_an_answer_it_is_asked_again_later_and_the_order_goes_on(
    register: Receiver, seller: Seller, actor: Actor
) -> None:
    Seller.objects.update(order_approval=False)
    made = order(actor)
    assert made.state == "done" and made.contract is not None
    assert made.contract.customer.billing_information.tax_status == "reverse_charge"
    register.answers = [503] * 7
    for tried in range(vat_checks.MOST_TRIES):
        waiting = jobs()
        assert waiting[-1].args["tried"] == tried
        ask_vies.func(**waiting[-1].args)
    later = [job.scheduled_at for job in jobs()]
    assert len(later) == vat_checks.MOST_TRIES and later == sorted(later, key=lambda at: (at is not None, at))
    assert later[-1] is not None and later[1] is not None and later[-1] - later[1] > timedelta(hours=20)
    assert set(VatCheck.objects.values_list("state", flat=True)) == {"unanswered"}


def test_no_answer_does_not_hide_a_verdict(seller: Seller, actor: Actor) -> None:
    for state in ("unanswered", "refused", "unanswered"):
        VatCheck.objects.create(seller=seller, vat_id=AUSTRIAN, state=state, asked_at=actor.now)
    found = vat_checks.latest_of(seller.pk, AUSTRIAN)
    assert found is not None and found.state == "refused"
    assert vat_checks.latest_of(seller.pk, "") is None and vat_checks.latest_of(seller.pk, OWN) is None


def test_it_is_asked_only_where_the_company_wants_it_and_of_companies_in_the_union(
    register: Receiver, seller: Seller, actor: Actor
) -> None:
    order(actor, kind="consumer")
    order(actor, country="CH", vat_id="CHE-116.281.710")
    order(actor, vat_id="")
    assert not jobs()
    Seller.objects.update(vies=False)
    order(actor)
    assert not jobs() and not register.came
    assert ask_vies.func(seller=seller.pk, vat_id=AUSTRIAN, tried=0) == "" and not register.came


def test_a_vat_id_that_staff_enter_is_asked_about_once(register: Receiver, seller: Seller, actor: Actor) -> None:
    customer = customers.create_customer(actor, seller=seller, key="K", name="Wien GmbH")
    customers.set_billing_information(actor, customer=customer, vat_id=AUSTRIAN)
    customers.set_billing_information(actor, customer=customer, city="Wien")
    assert len(jobs()) == 1
