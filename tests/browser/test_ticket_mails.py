"""A ticket that came by mail, in a browser: read, answered from a template with a file, merged; a mail that waits."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from taktura.accounts.services import create_user
from taktura.billing.services import create_seller
from taktura.billing.services.mailboxes import create_mailbox
from taktura.customers.services import create_customer
from taktura.desk import services as desk
from taktura.desk.models import Ticket
from taktura.kit.actor import Actor
from taktura.kit.mail.models import OutgoingMail
from taktura.kit.mailbox.attached import Attachment, Sentence
from taktura.kit.mailbox.models import IncomingMail
from tests.browser.conftest import Office
from tests.browser.steps import PASSWORD, check_page, settled, sign_in

ACTOR = Actor("test", datetime(2026, 3, 1, 8, tzinfo=UTC))
LONG = "Telefonrufbereitschaftsdienstleistungspauschalengrundgebührenzuschlag"
MAIL = "Guten Tag,\n\nes geht immer noch nicht.\n\nAm 1.3.2026 um 08:00 schrieb Tom <tom@firm.example>:\n> Ist es an?\n"


def made() -> Ticket:
    """A customer with two tickets, a template, and a mail of somebody unknown."""
    seller = create_seller(
        ACTOR, name="Sonnenruf", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    create_user(ACTOR, email="eve@firm.example", name="Eve Sommer", role="admin", password=PASSWORD, language="de")
    customer = create_customer(ACTOR, seller=seller, key="acme", name=f"Acme {LONG}", language="de")
    desk.add_answer_template(
        ACTOR, seller=seller, name=f"Eingang {LONG}", language="de", text="Guten Tag {requester},\n\n{name}"
    )
    desk.open_ticket(ACTOR, customer=customer, subject=f"Störung {LONG}", text="Kein Ton", by_customer=True)
    files = [
        Attachment(name=f"{LONG}-{n}.pdf", kind="application/pdf", content=b"%PDF-1.7" * 900 * n) for n in range(1, 4)
    ]
    ticket = desk.open_ticket(
        ACTOR, customer=customer, subject=f"Kein Freizeichen {LONG}", text=MAIL, by_customer=True, channel="mail",
        author="Ada Byron", requester_name="Ada Byron", requester_email=f"ada.{LONG[:40]}@acme.example", files=files,
        left_out=[Sentence("“%(name)s” was left out: it is a program.", {"name": f"{LONG}.exe"})],
    )  # fmt: skip
    desk.answer_ticket(ACTOR, ticket=ticket, text="Wir sehen uns das an.", author="Tom Adler")
    OutgoingMail.objects.update(state="failed")
    box = create_mailbox(
        ACTOR, seller=seller, purpose="tickets", host="imap.firm.example", user="hilfe@firm.example", password="x"
    )
    content = f"From: Nia <nia@web.example>\r\nSubject: {LONG}\r\n\r\nSeit Montag.".encode()
    IncomingMail.objects.create(
        mailbox=box, validity=1, uid=1, identity="<1@web.example>", sender="nia@web.example", subject=LONG,
        size=len(content), state="waiting", content=content, looked_at=ACTOR.now,
        said=[["No customer has the address %(sender)s.", {"sender": "nia@web.example"}]],
    )  # fmt: skip
    return ticket


def look_at(page: Page, name: str) -> None:
    """Check a page, and keep a picture of it where a folder for pictures is named."""
    check_page(page)
    if folder := os.environ.get("TAKTURA_PICTURES"):
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True, caret="initial")


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_a_ticket_is_answered_from_a_template_with_a_file_and_merged(office: Office, width: str) -> None:
    ticket = made()
    page = office.open(width)
    sign_in(page, office.url, "eve@firm.example")
    page.goto(f"{office.url}/desk/tickets/{ticket.pk}/")
    look_at(page, "ticket")
    quote = page.get_by_text("Ist es an?")
    expect(quote).to_be_hidden()
    page.get_by_text("Zitierter Text").click()
    expect(quote).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="-1.pdf").click()
    assert download.value.suggested_filename.endswith("-1.pdf")
    page.get_by_label("Nachricht").fill("Eben getippt")
    page.get_by_label("Dateien").set_input_files(
        [{"name": "plan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}]
    )
    page.get_by_role("button", name="Einfügen").click()
    expect(page.get_by_label("Nachricht")).to_have_value("Eben getippt\n\nGuten Tag Ada Byron,\n\nEve Sommer")
    expect(page.get_by_label("Nachricht")).to_be_focused()
    look_at(page, "typed")
    page.get_by_role("button", name="Dem Kunden antworten").click()
    expect(page.get_by_role("link", name="plan.pdf")).to_be_visible()
    assert OutgoingMail.objects.latest("pk").attachments.get().name == "plan.pdf"
    page.get_by_role("link", name="Mit einem anderen Ticket zusammenführen").click()
    expect(page.get_by_label("Das Ticket, das weitergeht")).to_be_visible()
    settled(page)
    page.get_by_label("Das Ticket, das weitergeht").fill("1001")
    expect(page.get_by_text("Es geht weiter in Ticket #1001")).to_be_visible()
    look_at(page, "merge")
    page.get_by_role("button", name="Zusammenführen").click()
    expect(page.get_by_text("Ticket 1002 geht weiter in Ticket 1001.")).to_be_visible()
    page.goto(f"{office.url}/desk/tickets/{ticket.pk}/")
    look_at(page, "merged")


def test_a_template_goes_where_the_cursor_is(office: Office) -> None:
    ticket = made()
    page = office.open("desktop")
    sign_in(page, office.url, "eve@firm.example")
    page.goto(f"{office.url}/desk/tickets/{ticket.pk}/")
    text, insert = page.get_by_label("Nachricht"), page.get_by_role("button", name="Einfügen")
    template = "Guten Tag Ada Byron,\n\nEve Sommer"
    insert.click()  # nobody was in the field
    expect(text).to_have_value(template)
    expect(text).to_be_focused()
    text.fill("Vorher. HIER Nachher.")
    text.evaluate("field => field.setSelectionRange(8, 12)")
    insert.click()
    expect(text).to_have_value(f"Vorher. {template} Nachher.")
    page.keyboard.type("!")  # the cursor stands behind the template
    expect(text).to_have_value(f"Vorher. {template}! Nachher.")
    text.fill("Ende")
    text.evaluate("field => field.setSelectionRange(0, 0)")
    insert.click()
    expect(text).to_have_value(f"{template}Ende")
    page.reload()
    expect(text).to_have_value(f"{template}Ende")  # it is kept as if it had been typed
    insert.click()
    expect(text).to_have_value(f"{template}Ende\n\n{template}")


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_a_mail_that_waits_is_given_to_a_customer(office: Office, width: str) -> None:
    made()
    page = office.open(width)
    sign_in(page, office.url, "eve@firm.example")
    for path, name in (
        ("desk/templates/", "templates"), ("desk/templates/1/", "template"), ("settings/desk-mail/", "desk-mail"),
        ("settings/mailboxes/new/?purpose=tickets", "mailbox-new"), ("settings/mailboxes/1/", "mailbox"),
        ("desk/mails/", "mails"),
    ):  # fmt: skip
        page.goto(f"{office.url}/{path}")
        look_at(page, name)
    page.get_by_role("link", name=LONG).first.click()
    look_at(page, "mail")
    page.get_by_label("Ein Ticket für diesen Kunden eröffnen").fill("acme")
    page.get_by_role("button", name="Zuordnen").click()
    expect(page.get_by_text("Die E-Mail steht an Ticket 1003.")).to_be_visible()
