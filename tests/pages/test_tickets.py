"""Pages of tickets: opened, answered, changed, found; who may."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from taktura.accounts.models import User
from taktura.audit.models import LogEntry
from taktura.contracts.models import ContractLine
from taktura.customers.models import Customer, Seller
from taktura.customers.services import create_seller
from taktura.desk import services
from taktura.desk.models import Queue, Ticket
from taktura.kit.actor import Actor
from taktura.kit.mail.models import OutgoingMail

NEW = {
    "customer": "acme",
    "subject": "Kein Freizeichen",
    "text": "Seit Montag",
    "by_customer": "on",
    "priority": "high",
}
WHERE = {"status": "open", "priority": "normal", "subject": "Printer", "customer": "Acme GmbH (acme)"}


def a_ticket(actor: Actor, subject: str = "Printer", customer: str = "acme", **fields: Any) -> Ticket:
    return services.open_ticket(actor, customer=Customer.objects.get(key=customer), subject=subject, **fields)


def test_a_ticket_from_beginning_to_end(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as("technician", "de")
    line = ContractLine.objects.filter(contract__key="V-acme").first()
    assert line is not None
    made = client.post("/desk/tickets/new/", {**NEW, "line": str(line.pk)})
    ticket = Ticket.objects.get()
    assert made.headers["Location"] == f"/desk/tickets/{ticket.pk}/"
    assert (ticket.number, ticket.priority, ticket.line_id, ticket.status) == (1001, "high", line.pk, "open")
    path = f"/desk/tickets/{ticket.pk}/"
    client.post(f"{path}answer/", {"text": "<b>intern</b>", "action": "note"})
    client.post(f"{path}answer/", {"text": "Wir prüfen das.", "action": "answer"})
    ticket.refresh_from_db()
    assert ticket.status == "waiting"
    assert [(m.kind, m.author) for m in ticket.messages.all()] == [
        ("customer", "Acme GmbH"), ("note", "Technician"), ("staff", "Technician")
    ]  # fmt: skip
    page = client.get(path).content.decode()
    assert "Wartet auf den Kunden" in page and "Notiz, nur für Mitarbeiter" in page
    assert "<b>intern</b>" not in page and "&lt;b&gt;intern" in page
    solved = client.post(f"{path}change/", {**WHERE, "status": "solved", "assignee": str(User.objects.get().pk)})
    assert solved.status_code == 302
    ticket.refresh_from_db()
    assert ticket.status == "solved" and ticket.solved_at and ticket.assignee and ticket.line is None


def test_a_requester_is_named_and_answered_by_mail(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as("technician")
    asked = {"requester_name": "Ada Wolff", "requester_email": "ada@acme.example", "by_customer": "on"}
    wrong = client.post("/desk/tickets/new/", {**NEW, **asked, "requester_email": "ada"})
    assert wrong.status_code == 422 and not Ticket.objects.exists()
    assert client.post("/desk/tickets/new/", {**NEW, **asked}).status_code == 302
    ticket = Ticket.objects.get()
    assert (ticket.requester_name, ticket.requester_email) == ("Ada Wolff", "ada@acme.example")
    assert ticket.messages.get().author == "Ada Wolff"
    client.post(f"/desk/tickets/{ticket.pk}/answer/", {"text": "On my way.", "action": "answer"})
    assert OutgoingMail.objects.get().recipient == "ada@acme.example"


def test_another_requester_is_answered_from_then_on(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    ticket = a_ticket(actor, requester_name="Ada Wolff", requester_email="ada@acme.example")
    client, path = client_as("technician"), f"/desk/tickets/{ticket.pk}/"
    new = {"requester_name": "Bo Lind", "requester_email": "bo@acme.example"}
    wrong = client.post(f"{path}change/", {**WHERE, **new, "requester_email": "bo"})
    assert wrong.status_code == 422 and Ticket.objects.get().requester_email == "ada@acme.example"
    assert client.post(f"{path}change/", {**WHERE, **new}).status_code == 302
    client.post(f"{path}answer/", {"text": "On my way.", "action": "answer"})
    assert OutgoingMail.objects.get().recipient == "bo@acme.example"
    entry = LogEntry.objects.get(action="change_ticket")
    before = {"requester_name": "Ada Wolff", "requester_email": "ada@acme.example"}
    assert entry.data == {"before": before, "after": new}
    assert ticket.subject in client.get("/desk/?q=lind").content.decode(), "the search finds the new one"
    assert ticket.subject not in client.get("/desk/?q=wolff").content.decode()
    assert client.post(f"{path}change/", {**WHERE, "requester_name": "", "requester_email": ""}).status_code == 302
    client.post(f"{path}answer/", {"text": "Done.", "action": "answer"})
    assert OutgoingMail.objects.count() == 1, "nobody is written to"


def test_a_ticket_needs_no_billing_information(seller: Seller, client_as: Callable[..., Client]) -> None:
    assert client_as("technician").post("/desk/tickets/new/", {**NEW, "customer": "bare"}).status_code == 302
    assert Ticket.objects.get().customer.key == "bare"


def test_what_is_wrong_stays_in_the_form(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    client, ticket = client_as("technician"), a_ticket(actor)
    wrong = client.post("/desk/tickets/new/", {**NEW, "customer": "nobody"})
    assert wrong.status_code == 422 and "Kein Freizeichen" in wrong.content.decode()
    foreign = ContractLine.objects.filter(contract__key="V-oztuerk").first()
    assert foreign is not None
    assert client.post("/desk/tickets/new/", {**NEW, "line": str(foreign.pk)}).status_code == 422
    path = f"/desk/tickets/{ticket.pk}/"
    assert client.post(f"{path}answer/", {"text": " ", "action": "answer"}).status_code == 422
    services.change_ticket(actor, ticket=ticket, status="closed")
    refused = client.post(f"{path}answer/", {"text": "Still there?", "action": "answer"})
    assert refused.status_code == 422 and "Still there?" in refused.content.decode()
    assert client.post(f"{path}answer/", {"text": "For us", "action": "note"}).status_code == 302


def test_a_button_that_nobody_knows_writes_to_no_customer(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    ticket = a_ticket(actor)
    client_as("technician").post(f"/desk/tickets/{ticket.pk}/answer/", {"text": "Hm"})
    assert ticket.messages.get().kind == "note"


def test_somebody_else_has_changed_it(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    ticket, client = a_ticket(actor), client_as("technician")
    path = f"/desk/tickets/{ticket.pk}/"
    found = re.search(r'name="seen" value="([^"]+)"', client.get(path).content.decode())
    assert found is not None
    services.change_ticket(actor, ticket=ticket, priority="urgent")
    late = client.post(f"{path}change/", {**WHERE, "seen": found[1]})
    assert late.status_code == 422 and Ticket.objects.get().priority == "urgent"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"Printer", "Router", "Phone"}),
        ("?q=ROUT", {"Router"}),
        ("?q=%231001", {"Printer"}),
        ("?state=solved", {"Phone"}),
        ("?state=to_do", {"Printer", "Router"}),
        ("?priority=urgent", {"Router"}),
        ("?assignee=mine", {"Router"}),
        ("?assignee=nobody", {"Printer", "Phone"}),
        ("?customer=oztuerk", {"Phone"}),
        ("?q=%25", set()),
    ],
)
def test_filters(
    seller: Seller, client_as: Callable[..., Client], actor: Actor, query: str, found: set[str]
) -> None:  # fmt: skip
    client = client_as("technician")
    a_ticket(actor)
    a_ticket(actor, "Router", priority="urgent", assignee=client.user)  # type: ignore[attr-defined]
    services.change_ticket(actor, ticket=a_ticket(actor, "Phone", "oztuerk"), status="solved")
    page = client.get(f"/desk/{query}").content.decode()
    assert {s for s in ("Printer", "Router", "Phone") if s in page} == found


def test_chosen_tickets_are_moved_to_a_queue(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    queue = services.add_queue(actor, seller=seller, name="Vor Ort")
    printer, router, phone = (a_ticket(actor, subject) for subject in ("Printer", "Router", "Phone"))
    client = client_as("technician")
    assert client.get("/desk/tickets/move/").status_code == 302, "nothing is chosen"
    began = client.post("/desk/?priority=normal", {"action": "move", "chosen": [str(printer.pk), str(router.pk)]})
    assert began.headers["Location"] == "/desk/tickets/move/"
    shown = client.get("/desk/tickets/move/").content.decode()
    assert "Printer" in shown and "Router" in shown and "Phone" not in shown
    assert client.post("/desk/tickets/move/", {"queue": "99"}).status_code == 422
    moved = client.post("/desk/tickets/move/", {"queue": str(queue.pk)})
    assert moved.headers["Location"] == "/desk/?priority=normal", "back to the list as it was"
    assert set(Ticket.objects.filter(queue=queue)) == {printer, router}
    assert LogEntry.objects.filter(action="change_ticket").count() == 2
    assert "Phone" in client.get("/desk/?queue=nobody").content.decode()
    assert "Printer" not in client.get("/desk/?queue=nobody").content.decode()
    assert client_as("viewer").post("/desk/", {"action": "move", "chosen": [str(phone.pk)]}).status_code == 403
    assert Ticket.objects.get(pk=phone.pk).queue is None


def test_a_queue_filters_and_goes_out_of_use(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    client = client_as()
    assert client.post("/settings/queues/new/", {"name": "Vor Ort"}).status_code == 302
    queue = Queue.objects.get()
    assert client.post("/settings/queues/new/", {"name": " Vor Ort"}).status_code == 422, "there is one already"
    a_ticket(actor, queue=queue)
    a_ticket(actor, "Router")
    page = client.get(f"/desk/?queue={queue.pk}").content.decode()
    assert "Printer" in page and "Router" not in page
    assert client.post(f"/settings/queues/{queue.pk}/", {"name": "Außendienst"}).status_code == 302
    queue.refresh_from_db()
    assert (queue.name, queue.active) == ("Außendienst", False)
    assert "Außendienst" not in client.get("/desk/tickets/new/").content.decode()
    ticket = Ticket.objects.get(queue=queue)
    assert "Außendienst" in client.get(f"/desk/tickets/{ticket.pk}/").content.decode(), "it stays in it"


def test_who_may_what(seller: Seller, forbidden_to: Callable[[str], set[str]], actor: Actor) -> None:
    ticket = a_ticket(actor)
    assert forbidden_to("/desk/") == set() and forbidden_to(f"/desk/tickets/{ticket.pk}/") == set()
    assert forbidden_to("/desk/tickets/new/") == {"sales", "viewer"}
    assert forbidden_to(f"/desk/tickets/{ticket.pk}/answer/") == {"sales", "viewer"}
    assert "billing" not in forbidden_to(f"/desk/tickets/{ticket.pk}/change/")


def test_a_viewer_is_shown_no_form(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    ticket = a_ticket(actor, text="Since Monday")
    page = client_as("viewer").get(f"/desk/tickets/{ticket.pk}/").content.decode()
    assert "Since Monday" in page and f"/desk/tickets/{ticket.pk}/answer/" not in page and "<textarea" not in page


def test_no_money_on_a_ticket(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    line = ContractLine.objects.filter(contract__key="V-acme").first()
    ticket = a_ticket(actor, line=line)
    for minutes in (25, 50):
        services.log_time(actor, ticket=ticket, minutes=minutes, note="Cable")
    page = client_as("technician").get(f"/desk/tickets/{ticket.pk}/").content.decode()
    assert "V-acme" in page and "0:50" in page and "1:15" in page, "the time and its sum"
    assert not [word for word in ("€", "EUR", "/documents/", "/billing/", "/sales/") if word in page]


def test_another_sellers_ticket_is_not_found(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    ticket, client = a_ticket(actor), client_as("technician")
    other = create_seller(actor, name="Other", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]])
    Ticket.objects.filter(pk=ticket.pk).update(seller=other)
    for path in ("", "answer/", "change/"):
        assert client.post(f"/desk/tickets/{ticket.pk}/{path}", {"text": "x"}).status_code in (404, 405)
    assert client.get(f"/desk/tickets/{ticket.pk}/").status_code == 404
    assert "Printer" not in client.get("/desk/").content.decode()
    assert not ticket.messages.exists()


def test_lines_and_customers_are_suggested(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as("technician")
    assert "Öztürk" in client.get("/desk/tickets/customers/?customer=ozt").content.decode()
    lines = client.get("/desk/tickets/new/lines/?customer=acme").content.decode()
    assert "V-acme: " in lines and "V-oztuerk" not in lines
    assert "V-acme" not in client.get("/desk/tickets/new/lines/?customer=x").content.decode()


def test_tickets_on_the_page_of_a_customer(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    a_ticket(actor)
    client, pk = client_as("technician"), Customer.objects.get(key="acme").pk
    page = client.get(f"/customers/{pk}/tickets/").content.decode()
    assert "#1001 Printer" in page and "/desk/tickets/new/?customer=acme" in page
    assert 'value="Acme GmbH (acme)"' in client.get("/desk/tickets/new/?customer=acme").content.decode()


def test_the_search_knows_tickets(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    ticket = a_ticket(actor, "Unusual smell")
    answer = client_as("technician").get("/search/?q=unusual")
    assert answer.status_code == 302 and answer.headers["Location"] == f"/desk/tickets/{ticket.pk}/"
