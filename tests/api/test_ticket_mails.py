"""Mails about tickets by the API: those that wait, how answers go out, files."""

from base64 import b64encode

import pytest

from taktura.desk.models import Ticket, TicketMessage
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import OutgoingMail
from taktura.kit.mailbox.models import IncomingMail, Mailbox
from tests.api.helpers import Api, refusal

BOX = {"purpose": "tickets", "host": "imap.firm.example", "user": "help@firm.example", "password": "secret"}


@pytest.fixture
def box(api: Api) -> Mailbox:
    """A customer, and a mailbox for tickets."""
    assert api.post("/customers", {"customer": "acme", "name": "Acme"}).status_code == 201
    made = api.post("/mailboxes", BOX)
    assert made.status_code == 201 and made.data["strangers"] == "collect" and made.data["supplier"] is None
    return Mailbox.objects.get(pk=made.data["id"])


def wait(box: Mailbox, uid: int, subject: str = "No dial tone") -> IncomingMail:
    content = f"From: nia@web.example\r\nSubject: {subject}\r\nMessage-ID: <{uid}@web.example>\r\n\r\nHelp".encode()
    return IncomingMail.objects.create(
        mailbox=box, validity=1, uid=uid, identity=f"<{uid}@web.example>", sender="nia@web.example", subject=subject,
        size=len(content), state="waiting", content=content, looked_at=utc_now(),
    )  # fmt: skip


def test_a_waiting_mail_is_given_and_another_thrown_away(api: Api, box: Mailbox) -> None:
    first, second, third = (wait(box, n) for n in (1, 2, 3))
    assert [m["id"] for m in api.get("/waiting_mails").data["items"]] == [first.pk, second.pk, third.pk]
    assert api.get(f"/waiting_mails/{first.pk}").data["text"] == "Help"
    give = f"/waiting_mails/{first.pk}/give"
    assert refusal(api.post(give, {})) == (422, "invalid")
    assert refusal(api.post(give, {"customer": "nobody"})) == (404, "not_found")
    assert api.post(f"{give}?preview=true", {"customer": "acme"}).data["ticket"] == 1001
    assert not Ticket.objects.exists()
    given = api.post(give, {"customer": "acme"})
    assert (given.data["ticket"], given.data["requester_email"]) == (1001, "nia@web.example")
    assert refusal(api.post(give, {"customer": "acme"})) == (404, "not_found")
    added = api.post(f"/waiting_mails/{second.pk}/give", {"ticket": 1001})
    assert len(added.data["messages"]) == 2
    assert api.post(f"/waiting_mails/{third.pk}/throw_away").status_code == 204
    assert api.get("/waiting_mails").data["items"] == []


def test_an_answer_is_mailed_and_says_what_became_of_it(api: Api, box: Mailbox) -> None:
    api.post("/tickets", {"customer": "acme", "subject": "Printer", "requester_email": "ada@acme.example"})
    said = api.post("/tickets/1001/messages", {"text": "On it", "author": "Tom"})
    assert said.data["messages"][0]["mail"] == "waiting"
    mail = OutgoingMail.objects.get()
    assert (mail.recipient, mail.automatic, mail.reply_to) == ("ada@acme.example", "", "help@firm.example")
    assert mail.text.splitlines()[0] == "On it" and "Tom" in mail.text
    note = api.post("/tickets/1001/messages", {"text": "For us", "kind": "note"})
    assert note.data["messages"][1]["mail"] is None and OutgoingMail.objects.count() == 1
    odd = {"customer": "acme", "subject": "Printer", "requester_email": "ada at acme"}
    assert refusal(api.post("/tickets", odd)) == (422, "invalid")


def test_a_file_of_a_ticket(api: Api, box: Mailbox) -> None:
    mail = wait(box, 1)
    content = (
        b'From: nia@web.example\r\nMessage-ID: <7@x>\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
        b'Content-Type: text/html\r\nContent-Disposition: attachment; filename="a.html"\r\n\r\n<script>\r\n--b--\r\n'
    )
    IncomingMail.objects.filter(pk=mail.pk).update(content=content)
    given = api.post(f"/waiting_mails/{mail.pk}/give", {"customer": "acme"})
    (file,) = given.data["messages"][0]["files"]
    assert (file["name"], file["type"], file["size"]) == ("a.html", "text/html", 8)
    got = api.get(f"/tickets/1001/files/{file['id']}")
    assert got.content == b"<script>" and got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert refusal(api.get("/tickets/1001/files/99")) == (404, "not_found")


def test_how_mails_go_out(api: Api) -> None:
    assert api.get("/desk_mail").data == {"reply_to": "", "receipts": False}
    assert refusal(api.call("PUT", "/desk_mail", {"receipts": True, "reply_to": "help"})) == (422, "invalid")
    put = api.call("PUT", "/desk_mail", {"receipts": True, "reply_to": "help@firm.example"})
    assert put.data == api.get("/desk_mail").data == {"reply_to": "help@firm.example", "receipts": True}


def test_what_a_mailbox_for_tickets_is_not(api: Api) -> None:
    assert refusal(api.post("/mailboxes", {**BOX, "supplier": "sun"})) == (404, "not_found")
    assert refusal(api.post("/mailboxes", {**BOX, "purpose": "usage"})) == (422, "invalid")
    assert refusal(api.post("/mailboxes", {**BOX, "strangers": "welcome"})) == (422, "invalid")


def test_files_with_messages(api: Api, box: Mailbox) -> None:
    plan = {"name": "plan.pdf", "content": b64encode(b"%PDF-1.7").decode()}
    ticket = {"customer": "acme", "subject": "Printer", "text": "Smokes", "requester_email": "ada@acme.example"}
    made = api.post("/tickets", {**ticket, "files": [plan]})
    assert [f["name"] for f in made.data["messages"][0]["files"]] == ["plan.pdf"]
    large = {"name": "large.txt", "content": b64encode(b"x" * 13 * 1024**2).decode()}
    said = api.post("/tickets/1001/messages", {"text": "See here", "files": [plan, large]})
    assert [f["size"] for f in said.data["messages"][1]["files"]] == [8, 13 * 1024**2]
    assert OutgoingMail.objects.get().attachments.count() == 2
    file = said.data["messages"][1]["files"][0]["id"]
    assert api.get(f"/tickets/1001/files/{file}").content == b"%PDF-1.7"
    before = TicketMessage.objects.count()
    for wrong in (
        {**plan, "content": "no base64!"}, {**plan, "name": "plan.exe"}, {**plan, "content": ""}, {**plan, "name": "/"}
    ):  # fmt: skip
        assert refusal(api.post("/tickets/1001/messages", {"text": "x", "files": [wrong]})) == (422, "invalid"), wrong
    assert refusal(api.post("/tickets/1001/messages", {"text": "x", "files": [plan] * 11})) == (422, "invalid")
    assert refusal(api.post("/tickets", {**ticket, "text": "", "files": [plan]})) == (422, "invalid")
    assert TicketMessage.objects.count() == before


def test_tickets_are_merged(api: Api, box: Mailbox) -> None:
    api.post("/customers", {"customer": "other", "name": "Other"})
    for customer in ("acme", "acme", "other"):
        api.post("/tickets", {"customer": customer, "subject": "Printer", "text": "Smokes"})
    seen = api.post("/tickets/1002/merge?preview=true", {"into": 1001})
    assert len(seen.data["messages"]) == 2 and api.get("/tickets/1002").data["status"] == "open"
    assert refusal(api.post("/tickets/1002/merge", {"into": 1003})) == (422, "invalid")
    assert refusal(api.post("/tickets/1002/merge", {"into": 99})) == (404, "not_found")
    merged = api.post("/tickets/1002/merge", {"into": 1001})
    assert merged.data["ticket"] == 1001 and len(merged.data["messages"]) == 2
    old = api.get("/tickets/1002").data
    assert (old["status"], old["merged_into"], old["messages"]) == ("closed", 1001, [])
    assert refusal(api.post("/tickets/1002/merge", {"into": 1001})) == (422, "invalid")


def test_answer_templates(api: Api, box: Mailbox) -> None:
    body = {"name": "Done", "language": "en", "text": "Dear {requester}, #{ticket} is done. {name}"}
    made = api.post("/answer_templates", body)
    assert made.status_code == 201 and made.headers["Location"] == f"/api/v1/answer_templates/{made.data['id']}"
    assert refusal(api.post("/answer_templates", body)) == (409, "conflict")
    assert refusal(api.post("/answer_templates", {**body, "name": "X", "text": "{when}"})) == (422, "invalid")
    assert api.get("/answer_templates?language=de").data["items"] == []
    api.post("/tickets", {"customer": "acme", "subject": "Printer", "requester_name": "Ada"})
    path = f"/answer_templates/{made.data['id']}"
    filled = api.get(f"/tickets/1001{path}?name=Tom")
    assert filled.data == {"text": "Dear Ada, #1001 is done. Tom"}
    assert api.patch(path, {"language": "sv"}).data["language"] == "sv"
    assert api.call("DELETE", path).status_code == 204 and refusal(api.get(path)) == (404, "not_found")
