"""Mails about tickets on pages: those that wait, what went out, quoted text, files."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from taktura.audit.models import LogEntry
from taktura.customers import access
from taktura.customers.models import Customer, Seller
from taktura.desk import services
from taktura.desk.models import AnswerTemplate, DeskSettings, Ticket, TicketAttachment
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import OutgoingMail
from taktura.kit.mailbox.attached import Attachment, Sentence
from taktura.kit.mailbox.models import IncomingMail, Mailbox
from tests.pages.conftest import mailbox_for_tickets
from tests.pages.forms import form_of

SignIn = Callable[..., Client]
MAILS = "/desk/mails/"


@pytest.fixture
def waiting(seller: Seller, actor: Actor) -> IncomingMail:
    """A mail that waits."""
    mailbox_for_tickets(actor, seller)
    return IncomingMail.objects.get(state="waiting")


def test_a_waiting_mail_is_given_to_a_customer(waiting: IncomingMail, client_as: SignIn) -> None:
    client, path = client_as("technician", "en"), f"{MAILS}{waiting.pk}/"
    assert "nia@web.example" in client.get(MAILS).content.decode()
    assert "Since Monday" in client.get(path).content.decode()
    assert client.post(path, {"customer": "", "ticket": ""}).status_code == 422
    for wrong in ("9999", "-1", "x", "²", "9" * 11):
        refused = client.post(path, {"customer": "", "ticket": wrong})
        assert refused.status_code == 422, wrong
    given = client.post(path, {"customer": "Acme GmbH (acme)", "ticket": ""})
    ticket = Ticket.objects.get()
    assert given.headers["Location"] == f"/desk/tickets/{ticket.pk}/" and ticket.customer.key == "acme"
    assert client.get(path).status_code == 404 and "nia@web.example" not in client.get(MAILS).content.decode()


def test_a_waiting_mail_is_added_to_a_ticket_or_thrown_away(
    waiting: IncomingMail, client_as: SignIn, actor: Actor
) -> None:
    client, path = client_as("technician", "en"), f"{MAILS}{waiting.pk}/"
    content = bytes(waiting.content or b"").replace(b"Subject: No", b"Subject: [#1001] No").replace(b"<2@", b"<3@")
    other = IncomingMail.objects.create(
        mailbox=waiting.mailbox, validity=1, uid=9, identity="<3@web.example>", sender="nia@web.example", size=1,
        state="waiting", content=content, looked_at=actor.now,
    )  # fmt: skip
    ticket = services.open_ticket(actor, customer=Customer.objects.get(key="acme"), subject="Line")
    assert form_of(client, f"{MAILS}{other.pk}/")["ticket"] == "1001", "the one that it answers is proposed"
    client.post(f"{MAILS}{other.pk}/", {"customer": "", "ticket": "#1001"})
    assert ticket.messages.get().text == "Since Monday"
    assert client.post(f"{path}throw-away/").status_code == 302
    waiting.refresh_from_db()
    assert waiting.state == "ignored" and waiting.said[0][1] == {"name": "Technician"}
    assert LogEntry.objects.filter(action="throw_mail_away").exists()


def test_customers_of_the_address_are_proposed(waiting: IncomingMail, client_as: SignIn, actor: Actor) -> None:
    for key in ("acme", "bare"):
        customer = Customer.objects.get(key=key)
        access.invite(actor, customer=customer, email="nia@web.example", portal="http://x")
    client, path = client_as("technician", "en"), f"{MAILS}{waiting.pk}/"
    assert 'name="customer" value="Acme GmbH (acme)"' in client.get(path).content.decode()
    client.post(path, {"customer": ["", "Acme GmbH (acme)"], "ticket": ""})
    assert Ticket.objects.get().customer.key == "acme"


def test_other_roles_and_sellers_see_no_waiting_mail(waiting: IncomingMail, client_as: SignIn) -> None:
    assert client_as("viewer").get(MAILS).status_code == 403
    Mailbox.objects.update(owner="seller:99")
    client = client_as("technician")
    assert client.get(f"{MAILS}{waiting.pk}/").status_code == 404
    assert client.post(f"{MAILS}{waiting.pk}/throw-away/").status_code == 404


def test_the_conversation_shows_quotes_files_and_what_became_of_the_mail(
    seller: Seller, client_as: SignIn, actor: Actor
) -> None:
    text = "Still broken\n\nOn Monday at 9, Tom <t@x.example> wrote:\n> Is <b>it</b> on?"
    file = Attachment(name="<plan>.svg", kind="image/svg+xml", content=b"<svg onload='x()'/>")
    ticket = services.open_ticket(
        actor, customer=Customer.objects.get(key="acme"), subject="Printer", text=text, by_customer=True,
        requester_email="ada@acme.example", files=[file],
        left_out=[Sentence("“%(name)s” was left out: it is a program.", {"name": "run.exe"})],
    )  # fmt: skip
    services.answer_ticket(actor, ticket=ticket, text="We look")
    OutgoingMail.objects.update(state="failed")
    client = client_as("technician", "de")
    page = client.get(f"/desk/tickets/{ticket.pk}/").content.decode()
    assert "<summary>Zitierter Text</summary>" in page and "&lt;b&gt;it" in page
    assert "„run.exe“" in page and "per E-Mail an ada@acme.example" in page.replace("<wbr>", "")
    assert "Nicht zugestellt" in page
    got = client.get(f"/desk/tickets/{ticket.pk}/files/{TicketAttachment.objects.get().pk}/")
    assert got.content == file.content and got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get(f"/desk/tickets/{ticket.pk + 1}/files/{TicketAttachment.objects.get().pk}/").status_code == 404


def test_how_mails_about_tickets_go_out(seller: Seller, client_as: SignIn) -> None:
    client, path = client_as("admin", "en"), "/settings/desk-mail/"
    assert client.post(path, {"reply_to": "help"}).status_code == 422
    assert client.post(path, {"reply_to": "help@firm.example", "receipts": "on"}).status_code == 302
    kept = DeskSettings.objects.get()
    assert (kept.reply_to, kept.receipts) == ("help@firm.example", True)
    assert form_of(client, path)["reply_to"] == "help@firm.example"
    assert client_as("technician").get(path).status_code == 403


def test_a_mailbox_for_tickets_is_set_up_and_changed(seller: Seller, client_as: SignIn) -> None:
    client, path = client_as(language="en"), "/settings/mailboxes/new/?purpose=tickets"
    page = client.get(path).content.decode()
    assert 'name="supplier"' not in page and 'name="strangers"' in page
    fields = {
        "senders": "", "host": "imap.firm.example", "port": "993", "security": "tls", "user": "help@firm.example",
        "password": "very-secret", "folder": "INBOX", "archive": "Taken", "not_before": "2026-01-01",
        "strangers": "leave",
    }  # fmt: skip
    assert client.post(path, fields).status_code == 302
    box = Mailbox.objects.get(purpose="tickets")
    assert (box.strangers, box.senders, box.target) == ("leave", [], "")
    shown = client.get(f"/settings/mailboxes/{box.pk}/").content.decode()
    assert "Stay in their folder" in shown and "everybody" in shown
    changed = form_of(client, f"/settings/mailboxes/{box.pk}/change/") | {"password": "", "strangers": "ignore"}
    assert client.post(f"/settings/mailboxes/{box.pk}/change/", changed).status_code == 302
    box.refresh_from_db()
    assert box.strangers == "ignore" and box.created_at <= utc_now()


def test_an_answer_with_files_is_mailed_with_them(seller: Seller, client_as: SignIn, actor: Actor) -> None:
    ticket = services.open_ticket(
        actor, customer=Customer.objects.get(key="acme"), subject="Printer", requester_email="ada@acme.example"
    )
    client, path = client_as("technician", "en"), f"/desk/tickets/{ticket.pk}/answer/"
    files = [SimpleUploadedFile("plan.pdf", b"%PDF-1.7"), SimpleUploadedFile("C:\\notes.txt", b"read me")]
    assert client.post(path, {"text": "See here", "action": "answer", "attached": files}).status_code == 302
    message = ticket.messages.get()
    assert [(f.name, f.size) for f in message.attachments.all()] == [("plan.pdf", 8), ("notes.txt", 7)]
    mail = OutgoingMail.objects.get(about=f"ticket_message:{message.pk}")
    assert [(f.name, f.content_type, bytes(f.content)) for f in mail.attachments.order_by("id")] == [
        ("plan.pdf", "application/pdf", b"%PDF-1.7"), ("notes.txt", "text/plain", b"read me")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([("run.exe", b"hi")], "“run.exe” is a program"),
        ([("readme.txt", b"MZ\x90\0")], "“readme.txt” is a program"),
        ([("plan.pdf", b"<html>")], "The content of “plan.pdf” is not what its name says"),
        ([("empty.txt", b"")], "“empty.txt” is empty"),
        ([(f"{n}.txt", b"x") for n in range(11)], "at most 10 files"),
        ([("a.txt", b"x" * (7 * 1024**2)), ("b.txt", b"x" * (7 * 1024**2 + 1))], "larger than 14 MB together"),
    ],
)
def test_files_that_are_not_taken(
    seller: Seller, client_as: SignIn, actor: Actor, files: list[tuple[str, bytes]], said: str
) -> None:
    ticket = services.open_ticket(actor, customer=Customer.objects.get(key="acme"), subject="Printer")
    sent = [SimpleUploadedFile(name, content) for name, content in files]
    answer = client_as("technician", "en").post(
        f"/desk/tickets/{ticket.pk}/answer/", {"text": "What I typed", "action": "note", "attached": sent}
    )
    page = answer.content.decode().replace("<wbr>", "")
    assert answer.status_code == 422 and said in page and "What I typed" in page
    assert not ticket.messages.exists()


def test_a_template_is_inserted_behind_what_was_typed(seller: Seller, client_as: SignIn, actor: Actor) -> None:
    client = client_as("technician", "de")
    form = {"name": "Eingang", "language": "de", "text": "Guten Tag {requester}, {name}"}
    assert client.post("/desk/templates/new/", {**form, "text": "{nobody}"}).status_code == 422
    assert client.post("/desk/templates/new/", form).status_code == 302
    pk = AnswerTemplate.objects.get().pk
    ticket = services.open_ticket(actor, customer=Customer.objects.get(key="acme"), subject="Printer")
    assert "Eingang · Deutsch" in client.get(f"/desk/tickets/{ticket.pk}/").content.decode()
    path = f"/desk/tickets/{ticket.pk}/insert/"
    inserted = client.post(path, {"text": "Was ich <i> tippte\n", "template": str(pk)}).content.decode()
    assert "Was ich &lt;i&gt; tippte\n\nGuten Tag Acme GmbH, Technician</textarea>" in inserted
    assert 'id="answer-text"' in inserted and "autofocus" in inserted
    assert "getippt</textarea>" in client.post(path, {"text": "getippt", "template": ""}).content.decode()
    assert client.post(path, {"text": "x", "template": str(pk + 1)}).status_code == 404
    changed = form_of(client, f"/desk/templates/{pk}/") | {"text": "Danke"}
    assert client.post(f"/desk/templates/{pk}/", changed).status_code == 302
    assert AnswerTemplate.objects.get().text == "Danke"
    assert client.post(f"/desk/templates/{pk}/remove/").status_code == 302 and not AnswerTemplate.objects.exists()


def test_a_ticket_is_merged_after_seeing_what_that_does(seller: Seller, client_as: SignIn, actor: Actor) -> None:
    acme, client = Customer.objects.get(key="acme"), client_as("technician", "en")
    first, second = (
        services.open_ticket(actor, customer=acme, subject=f"No {n}", text="Hm", by_customer=True) for n in (1, 2)
    )
    other = services.open_ticket(actor, customer=Customer.objects.get(key="bare"), subject="Line")
    services.log_time(actor, ticket=second, minutes=90)
    path = f"/desk/tickets/{second.pk}/merge/"
    page = client.get(path).content.decode()
    assert '<option value="1001">No 1</option>' in page and "Line" not in page
    shown = client.post(f"{path}consequence/", {"into": "#1001"}).content.decode()
    assert "It goes on in ticket #1001, “No 1”" in shown and "1:30" in shown
    for wrong, why in (("", "required"), ("9" * 11, "no ticket"), (str(other.number), "another customer"), ("x", "no")):
        assert why in client.post(f"{path}consequence/", {"into": wrong}).content.decode(), wrong
        assert client.post(path, {"into": wrong}).status_code == 422, wrong
    merged = client.post(path, {"into": "1001"})
    assert merged.headers["Location"] == f"/desk/tickets/{first.pk}/" and first.messages.count() == 2
    assert "#1002" in client.get(f"/desk/tickets/{first.pk}/").content.decode()
    old = client.get(f"/desk/tickets/{second.pk}/").content.decode()
    assert "goes on in ticket 1001" in old and "/merge/" not in old
