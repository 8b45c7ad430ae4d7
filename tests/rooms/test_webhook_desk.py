"""What webhooks tell of tickets and of time, as it arrives."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from taktura.customers import services as customers
from taktura.customers.models import Customer
from taktura.desk import services as desk
from taktura.desk.models import Ticket
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.webhooks import delivering, services
from tests.api.helpers import SELLER
from tests.api.receiver import Receiver, receiving
from tests.rooms.test_time import ADDRESS

ACTOR = Actor("test", datetime(2026, 3, 2, 8, tzinfo=UTC))


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Who gets the events, on this machine."""
    monkeypatch.setattr(settings, "WEBHOOKS_TO_PRIVATE_ADDRESSES", True)
    with receiving() as one:
        yield one


@pytest.fixture
def acme(database: str) -> Customer:
    """A customer who can be billed."""
    seller = customers.create_seller(ACTOR, **SELLER)
    made = customers.create_customer(ACTOR, seller=seller, key="acme", name="Acme", hourly_rate=Decimal(90))
    customers.set_billing_information(ACTOR, customer=made, name="Acme", **ADDRESS)
    return Customer.objects.select_related("seller").get(pk=made.pk)


def test_tickets_and_approval_are_told(acme: Customer, receiver: Receiver) -> None:
    other = customers.create_seller(ACTOR, **{**SELLER, "name": "Other"})
    endpoint, _ = services.create_endpoint(ACTOR, seller=acme.seller, url=receiver.url)
    theirs, _ = services.create_endpoint(ACTOR, seller=other, url=receiver.url)
    printer = desk.open_ticket(ACTOR, customer=acme, subject="Printer", text="Smokes", by_customer=True)
    desk.answer_ticket(ACTOR, ticket=printer, text="An old one", kind="note")
    desk.answer_ticket(ACTOR, ticket=printer, text="Switch it off")
    desk.change_ticket(ACTOR, ticket=printer, priority="high", requester_email="bo@acme.example")
    desk.change_ticket(ACTOR, ticket=printer, status="solved")
    again = desk.open_ticket(ACTOR, customer=acme, subject="It smokes")
    desk.merge_tickets(ACTOR, ticket=again, into=printer)
    desk.change_ticket(ACTOR, ticket=Ticket.objects.get(pk=printer.pk), status="solved")
    desk.change_ticket(ACTOR, ticket=printer, status="closed")  # it is solved already
    wrong = desk.open_ticket(ACTOR, customer=acme, subject="Wrong number")
    desk.answer_ticket(ACTOR, ticket=wrong, text="Sorry", kind="customer")
    desk.change_ticket(ACTOR, ticket=wrong, status="closed")
    day = date(2026, 3, 2)
    first, second = (desk.log_time(ACTOR, ticket=printer, minutes=m, worked_on=day).pk for m in (7, 21))
    alone = desk.log_time(ACTOR, customer=acme, minutes=5, worked_on=day).pk
    desk.approve_time(ACTOR, entries=[first, second, alone])
    desk.unapprove_time(ACTOR, entries=[alone])
    delivering.read_log(utc_now())
    while delivering.send_round(endpoint.pk).delivered:
        pass
    assert delivering.send_round(theirs.pk).delivered == 0
    told = [(e["type"], e["data"]) for e in (json.loads(body) for _, body in receiver.came)]
    seller = {"seller": acme.seller_id, "customer": "acme"}
    one: dict[str, Any] = {**seller, "ticket": printer.number, "subject": "Printer"}
    two: dict[str, Any] = {**seller, "ticket": wrong.number, "subject": "Wrong number"}
    three: dict[str, Any] = {**seller, "ticket": again.number, "subject": "It smokes"}
    assert told == [
        ("ticket.opened", one), ("ticket.answered", {**one, "by": "staff"}),
        ("ticket.changed", {**one, "changed": ["priority", "requester_email"]}),
        ("ticket.changed", {**one, "changed": ["status"]}), ("ticket.solved", one),
        ("ticket.opened", three), ("ticket.merged", {**three, "into": printer.number}),
        ("ticket.changed", {**one, "changed": ["status"]}), ("ticket.solved", one),
        ("ticket.changed", {**one, "changed": ["status"]}),
        ("ticket.opened", two), ("ticket.answered", {**two, "by": "customer"}),
        ("ticket.changed", {**two, "changed": ["status"]}), ("ticket.solved", two),
        ("time.approved", {**one, "time": [first, second], "minutes": 28}),
        ("time.approved", {**seller, "ticket": None, "time": [alone], "minutes": 5}),
    ]  # fmt: skip
    assert b"Smokes" not in b"".join(body for _, body in receiver.came), "what was said is not sent"
