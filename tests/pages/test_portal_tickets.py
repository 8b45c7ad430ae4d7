"""Tickets in the portal: a customer writes, reads answers, says that it is solved; staff's notes stay staff's."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
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
from tests.pages.test_portal import file_of, let_in

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
    one = Ticket.objects.earliest("id")
    spent = cost(f"{base}{one.pk}/")
    file_of(one)
    file_of(one, "staff")
    assert cost(f"{base}{one.pk}/") == spent <= 8


PDF, PNG = b"%PDF-1.7\n%plan", b"\x89PNG\r\n\x1a\n"


def a_file(name: str = "Plan ÄÖ.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_files_go_there_and_back(acme: Customer, client_as: Callable[..., Client]) -> None:
    client, base = let_in(acme), f"/portal/{acme.pk}/tickets/"
    sent = send(client, f"{base}new/", subject="Telefon", text="Siehe Plan", attached=[a_file(), a_file("a.png", PNG)])
    assert sent.status_code == 302
    ticket = Ticket.objects.get()
    path, desk = f"{base}{ticket.pk}/", f"/desk/tickets/{ticket.pk}/"
    staff = client_as("technician", "de")
    shown = staff.get(desk).content.decode()
    assert "Plan ÄÖ.pdf" in shown and "a.png" in shown
    said = {"text": "Danke, anbei unserer", "action": "answer", "attached": a_file("Antwort.pdf")}
    assert staff.post(f"{desk}answer/", said).status_code == 302
    note = {"text": "Nur für uns", "action": "note", "attached": a_file("intern.pdf")}
    assert staff.post(f"{desk}answer/", note).status_code == 302
    page = client.get(path).content.decode()
    links = re.findall(rf'href="({re.escape(path)}files/\d+/)"', page)
    assert len(links) == 3 and "Antwort.pdf" in page and "intern.pdf" not in page
    answers = [client.get(link) for link in links]
    assert [a.content for a in answers] == [PDF, PNG, PDF]
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer.headers["Cache-Control"]
    assert send(client, path, text="Noch einer", action="reply", attached=a_file("b.png", PNG)).status_code == 302
    assert ticket.messages.latest("id").attachments.get().name == "b.png"


def test_a_file_is_for_who_may_read_its_message(acme: Customer) -> None:
    mine, theirs = a_ticket(acme), a_ticket(Customer.objects.get(key="oztuerk"))
    other, note = a_ticket(acme), file_of(mine, "note")
    one, foreign, elsewhere = file_of(mine), file_of(theirs), file_of(other)
    client, base = let_in(acme), f"/portal/{acme.pk}/tickets/"
    assert client.get(f"{base}{mine.pk}/files/{one.pk}/").status_code == 200
    for ticket, file in ((mine, note), (mine, foreign), (theirs, foreign), (mine, elsewhere)):
        answer = client.get(f"{base}{ticket.pk}/files/{file.pk}/")
        assert answer.status_code == 404 and b"Plan" not in answer.content
    ben = let_in(acme, "ben@acme.example", role="user")
    assert ben.get(f"{base}{mine.pk}/files/{one.pk}/").status_code == 404  # it is not Ben's
    Ticket.objects.filter(pk=mine.pk).update(requester_email="ben@acme.example")
    assert ben.get(f"{base}{mine.pk}/files/{one.pk}/").status_code == 200
    assert ben.get(f"{base}{mine.pk}/files/{note.pk}/").status_code == 404


@pytest.mark.parametrize(
    "files",
    [
        [("setup.exe", b"MZ\x90")], [("plan.pdf", b"MZ\x90 no plan")], [("leer.txt", b"")],
        [(f"{n}.txt", b"x") for n in range(11)], [("gross.txt", b"x" * (14 * 1024**2 + 1))],
    ],
)  # fmt: skip
def test_files_that_are_not_taken_leave_the_words(acme: Customer, files: list[tuple[str, bytes]]) -> None:
    client, base = let_in(acme), f"/portal/{acme.pk}/tickets/"
    given = {"subject": "Telefon", "text": "Stumm seit Montag", "attached": [a_file(*one) for one in files]}
    answer = send(client, f"{base}new/", **given)
    text = answer.content.decode()
    assert answer.status_code == 422 and "Stumm seit Montag" in text and 'id="id_attached_error"' in text
    assert not Ticket.objects.exists()
    ticket = a_ticket(acme)
    given = {"text": "Stumm seit Montag", "action": "reply", "attached": [a_file(*one) for one in files]}
    assert send(client, f"{base}{ticket.pk}/", **given).status_code == 422
    assert ticket.messages.count() == 1


def test_what_is_far_too_large_is_not_read(acme: Customer) -> None:
    client, base = let_in(acme), f"/portal/{acme.pk}/tickets/new/"
    answer = client.post(base, {"attached": a_file("gross.txt", b"x" * (21 * 1024**2))})
    assert answer.status_code == 413 and "smaller files" in answer.content.decode()
    plain = client.post(f"/portal/{acme.pk}/data/change/", {"name": "x" * 70_000})
    assert plain.status_code == 413
