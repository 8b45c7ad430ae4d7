"""Tickets in the portal: a customer writes, reads answers, says that it is solved; staff's notes stay staff's."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from taktura.audit.models import LogEntry
from taktura.contracts.models import ContractLine
from taktura.customers.models import Customer, Seller
from taktura.desk import services
from taktura.desk.models import Ticket
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from tests.pages.conftest import LANGUAGES
from tests.pages.test_portal import let_in

STAFF = Actor("user:clerk@firm.example", utc_now())


@pytest.fixture
def acme(seller: Seller) -> Customer:
    cache.clear()  # of messages that were counted
    return Customer.objects.get(key="acme", seller=seller)


def stamp_of(client: Client, path: str) -> str:
    found = re.search(r'name="stamp" value="([^"]+)"', client.get(path).content.decode())
    assert found is not None
    return found[1]


def send(client: Client, path: str, **values: Any) -> HttpResponse:
    """Send a form as it was shown."""
    return client.post(path, {"stamp": stamp_of(client, path), **values})  # type: ignore[return-value]


def a_ticket(customer: Customer, **fields: Any) -> Ticket:
    return services.open_ticket(STAFF, customer=customer, subject="Telefon", text="Stumm", by_customer=True, **fields)


def test_a_ticket_from_beginning_to_end(acme: Customer, client_as: Callable[..., Client]) -> None:
    client, base = let_in(acme), f"/portal/{acme.pk}/tickets/"
    assert client.get(base).status_code == 200
    made = send(client, f"{base}new/", subject="Kein Freizeichen", text="Seit <b>Montag</b>")
    ticket = Ticket.objects.get()
    path = f"{base}{ticket.pk}/"
    assert made.headers["Location"] == f"{path}?done=ticket"
    assert (ticket.channel, ticket.requester_name, ticket.requester_email, ticket.customer) == (
        "portal", "Anna", "anna@acme.example", acme
    )  # fmt: skip
    assert LogEntry.objects.get(action="open_ticket").actor == "portal:anna@acme.example"
    page = client.get(made.headers["Location"]).content.decode()
    assert "&lt;b&gt;Montag" in page and "We are working on it" in page and "We have your message" in page
    staff = client_as("technician", "de")
    shown = staff.get(f"/desk/tickets/{ticket.pk}/").content.decode()
    assert "Kundenportal" in shown and "anna@acme.example" in shown
    staff.post(f"/desk/tickets/{ticket.pk}/answer/", {"text": "Kabel prüfen", "action": "answer"})
    staff.post(f"/desk/tickets/{ticket.pk}/answer/", {"text": "Kunde ist schwierig", "action": "note"})
    page = client.get(path).content.decode()
    assert "Kabel prüfen" in page and "We wait for your answer" in page and "schwierig" not in page
    assert send(client, path, text="Geht wieder", action="reply").status_code == 302
    ticket.refresh_from_db()
    assert ticket.status == "open" and [m.kind for m in ticket.messages.all()] == [
        "customer", "staff", "note", "customer"
    ]  # fmt: skip
    assert client.post(path, {"action": "solve"}).headers["Location"] == f"{path}?done=solved"
    ticket.refresh_from_db()
    assert ticket.status == "solved" and ticket.solved_at
    assert "Kein Freizeichen" not in client.get(base).content.decode()
    assert "Kein Freizeichen" in client.get(f"{base}?state=done").content.decode()
    assert "opens it again" in client.get(path).content.decode()
    send(client, path, text="Doch nicht", action="reply")
    ticket.refresh_from_db()
    assert ticket.status == "open" and ticket.solved_at is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_speak_each_language(acme: Customer, language: str) -> None:
    client, ticket = let_in(acme, language=language), a_ticket(acme)
    for path in ("", "?state=done", "new/", f"{ticket.pk}/"):
        text = client.get(f"/portal/{acme.pk}/tickets/{path}").content.decode()
        assert f'<html lang="{language}"' in text and " style=" not in text
        assert "<script" not in text.partition("</head>")[2], "nothing needs a script"


def test_a_form_that_is_sent_twice_is_taken_once(acme: Customer) -> None:
    client, base = let_in(acme), f"/portal/{acme.pk}/tickets/"
    stamp = stamp_of(client, f"{base}new/")
    for _ in range(2):
        client.post(f"{base}new/", {"stamp": stamp, "subject": "Telefon", "text": "Stumm"})
    ticket = Ticket.objects.get()
    stamp = stamp_of(client, f"{base}{ticket.pk}/")
    for _ in range(2):
        client.post(f"{base}{ticket.pk}/", {"stamp": stamp, "text": "Noch da?", "action": "reply"})
    assert ticket.messages.count() == 2


@override_settings(ACCOUNT_RATE_LIMITS={"ticket": "2/h/key"})
def test_too_many_messages_wait(acme: Customer) -> None:
    client, path = let_in(acme), f"/portal/{acme.pk}/tickets/new/"
    for _ in range(2):
        assert send(client, path, subject="Telefon", text="Stumm").status_code == 302
    late = send(client, path, subject="Telefon", text="Immer noch")
    assert late.status_code == 422 and "Immer noch" in late.content.decode()
    assert Ticket.objects.count() == 2


def test_a_contract_line_is_named_if_it_is_ones_own(acme: Customer) -> None:
    client, path = let_in(acme), f"/portal/{acme.pk}/tickets/new/"
    own = ContractLine.objects.filter(contract__key="V-acme").first()
    foreign = ContractLine.objects.filter(contract__key="V-oztuerk").first()
    assert own is not None and foreign is not None
    assert send(client, path, subject="Telefon", text="Stumm", line=str(foreign.pk)).status_code == 422
    assert send(client, path, subject="Telefon", text="Stumm", line=str(own.pk)).status_code == 302
    ticket = Ticket.objects.get()
    assert ticket.line_id == own.pk
    assert "V-acme" in client.get(f"/portal/{acme.pk}/tickets/{ticket.pk}/").content.decode()


@pytest.mark.parametrize("values", [{"subject": " "}, {"text": " \n"}, {"subject": "x" * 301}, {"line": "99999"}])
def test_what_is_wrong_stays_in_the_form(acme: Customer, values: dict[str, str]) -> None:
    given = {"subject": "Telefon", "text": "Stumm seit Montag", **values}
    answer = send(let_in(acme), f"/portal/{acme.pk}/tickets/new/", **given)
    assert answer.status_code == 422 and given["text"].strip() in answer.content.decode()
    assert not Ticket.objects.exists()


def test_a_closed_ticket_is_read_alone(acme: Customer) -> None:
    ticket, client = a_ticket(acme), let_in(acme)
    path = f"/portal/{acme.pk}/tickets/{ticket.pk}/"
    stamp = stamp_of(client, path)
    services.change_ticket(STAFF, ticket=ticket, status="closed")
    late = client.post(path, {"stamp": stamp, "text": "Halt", "action": "reply"})
    assert late.status_code == 422 and "Halt" not in [m.text for m in ticket.messages.all()]
    client.post(path, {"action": "solve"})
    ticket.refresh_from_db()
    assert ticket.status == "closed"
    assert "<textarea" not in client.get(path).content.decode()


def test_what_a_key_wrote_is_the_companys(acme: Customer) -> None:
    ticket = a_ticket(acme)
    services.answer_ticket(Actor("key:Secret system", utc_now()), ticket=ticket, text="Wir sehen nach")
    page = let_in(acme).get(f"/portal/{acme.pk}/tickets/{ticket.pk}/").content.decode()
    assert "Wir sehen nach" in page and "Sonnenruf GmbH" in page
    assert "Secret system" not in page and "clerk@firm" not in page


def test_many_tickets_come_in_pages_and_cost_no_more(acme: Customer) -> None:
    client, base = let_in(acme), f"/portal/{acme.pk}/tickets/"
    a_ticket(acme)

    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    few = cost(base)
    for _ in range(60):
        a_ticket(acme)
    assert cost(base) == few <= 6
    text = client.get(base).content.decode()
    assert "#1061" in text and "#1012" in text and "#1011" not in text
    more = re.search(r'href="(\?before=\d+)"', text)
    assert more is not None
    older = client.get(base + more[1]).content.decode()
    assert "#1011" in older and "#1001" in older and "#1012" not in older
    assert cost(f"{base}{Ticket.objects.earliest('id').pk}/") <= 7
