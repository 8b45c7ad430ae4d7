"""Tickets that come by mail and are answered by mail: a real IMAP server before, a real SMTP server behind."""

import email
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from taktura.accounts.models import PortalUser
from taktura.audit.models import LogEntry
from taktura.billing import incoming
from taktura.billing.services import mailboxes
from taktura.catalog.terms import read_rates
from taktura.core.errors import Refused
from taktura.customers import access
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.desk import services
from taktura.desk.models import DeskSettings, Ticket, TicketMessage
from taktura.kit.actor import Actor
from taktura.kit.mail.models import MailServer, OutgoingMail
from taktura.kit.mail.services import deliver
from taktura.kit.mailbox import polling
from taktura.kit.mailbox.models import IncomingMail, Mailbox
from taktura.kit.mailbox.queries import sentences
from tests.imap import PASSWORD, USER, Server, mail
from tests.ports import free_port

ADA = "Ada Byron <Ada@Acme.example>"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """An IMAP server."""
    one = Server()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def seller(database: str, actor: Actor, server: Server) -> Seller:
    """Two customers, whose people and bills have addresses; an empty folder."""
    made = customers.create_seller(
        actor, name="Helpful GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=read_rates(19)
    )
    for key, language in (("acme", "de"), ("globex", "sv")):
        one = customers.create_customer(actor, seller=made, key=key, name=key.title(), language=language)
        customers.set_billing_information(actor, customer=one, email=f"bills@{key}.example")
    access.invite(actor, customer=Customer.objects.get(key="acme"), email="ada@acme.example", portal="http://x")
    server.make("In")
    return made


@pytest.fixture
def mailbox(seller: Seller, server: Server, actor: Actor) -> Mailbox:
    """A mailbox for tickets."""
    return mailboxes.create_mailbox(
        actor, seller=seller, purpose="tickets", host="localhost", port=server.port, security="none", user=USER,
        password=PASSWORD, folder="In", archive="Done", not_before=date(2026, 2, 1),
    )  # fmt: skip


@pytest.fixture
def postbox(seller: Seller) -> Iterator[list[Any]]:
    """What an SMTP server took, as mails."""
    taken: list[Any] = []

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            taken.append(email.message_from_bytes(envelope.content, policy=default))
            return "250 OK"

    controller = Controller(Handler(), hostname="127.0.0.1", port=free_port(), server_hostname="post.example")
    controller.start()
    MailServer.objects.create(
        key=f"seller:{seller.pk}",
        host="127.0.0.1",
        port=controller.port,
        security="none",
        from_address="out@firm.example",
    )
    yield taken
    controller.stop()


def look(actor: Actor) -> None:
    Mailbox.objects.update(next_at=actor.now)
    incoming.look_into_mailboxes(actor.now)


def states() -> list[str]:
    return list(IncomingMail.objects.order_by("id").values_list("state", flat=True))


def said_last() -> list[str]:
    return sentences(IncomingMail.objects.latest("id").said, "en")


def conversation(ticket: Ticket) -> list[tuple[str, str, str]]:
    return list(ticket.messages.values_list("kind", "author", "text"))


def test_a_mail_becomes_a_ticket_of_its_senders_customer(server: Server, mailbox: Mailbox, actor: Actor) -> None:
    files = (("plan.pdf", b"%PDF-1.7 plan"), ("virus.exe", b"MZ\0\0"))
    server.put("In", mail("<1@acme>", sender=ADA, subject="Kein Freizeichen", text="Seit Montag.", files=files))
    server.put("In", mail("<2@globex>", sender="bills@globex.example", subject="Fråga", text="Hej"))
    look(actor)
    first, second = Ticket.objects.order_by("number")
    assert (first.number, first.customer.key, first.subject, first.channel) == (
        1001,
        "acme",
        "Kein Freizeichen",
        "mail",
    )
    assert (first.requester_name, first.requester_email, first.status) == ("Ada Byron", "ada@acme.example", "open")
    assert conversation(first) == [("customer", "Ada Byron", "Seit Montag.")] and second.customer.key == "globex"
    message = first.messages.get()
    (file,) = message.attachments.all()
    assert (file.name, file.type, file.size, bytes(file.content)) == (
        "plan.pdf",
        "application/pdf",
        13,
        b"%PDF-1.7 plan",
    )
    assert sentences(message.left_out, "en") == ["“virus.exe” was left out: it is a program."]
    assert states() == ["taken", "taken"] and server.mails("In") == [] and len(server.mails("Done")) == 2
    assert IncomingMail.objects.earliest("id").about == [f"ticket:{first.pk}"]
    assert LogEntry.objects.filter(action="open_ticket").earliest("id").actor == "mail:ada@acme.example"
    assert not OutgoingMail.objects.filter(kind="ticket_receipt").exists(), "only where it is set"


def test_a_mail_of_html_alone_and_one_without_words(server: Server, mailbox: Mailbox, actor: Actor) -> None:
    html = mail("<1@acme>", sender=ADA, subject="")
    html.set_content("<p>Guten <b>Tag</b><script>x()</script></p><p>Ada", subtype="html")
    server.put("In", html, mail("<2@acme>", sender=ADA, subject="Only a picture", text=" "))
    look(actor)
    assert [(t.subject, t.messages.get().text) for t in Ticket.objects.order_by("id")] == [
        ("–", "Guten Tag\n\nAda"), ("Only a picture", "–")
    ]  # fmt: skip


@pytest.mark.parametrize("how", ["In-Reply-To", "References", "Subject"])
@pytest.mark.parametrize("before", ["open", "waiting", "solved"])
def test_an_answer_finds_its_ticket_and_opens_it_again(
    server: Server, mailbox: Mailbox, actor: Actor, postbox: list[Any], how: str, before: str
) -> None:
    server.put("In", mail("<1@acme>", sender=ADA, subject="Printer"))
    look(actor)
    ticket = Ticket.objects.get()
    services.answer_ticket(actor, ticket=ticket, text="Is it on?", author="Tom")
    services.change_ticket(actor, ticket=ticket, status=before)
    ours = OutgoingMail.objects.latest("id").message_id
    headers = {"In-Reply-To": {"In_Reply_To": ours}, "References": {"References": f"<0@x> {ours} <9@y>"}, "Subject": {}}
    subject = "AW: [#1001] Printer" if how == "Subject" else "AW: Printer"
    server.put("In", mail("<2@acme>", sender="bills@acme.example", subject=subject, text="Yes", **headers[how]))
    look(actor)
    ticket.refresh_from_db()
    assert conversation(ticket)[2:] == [("customer", "bills@acme.example", "Yes")], "a colleague belongs to it, too"
    assert (ticket.status, ticket.solved_at) == ("open", None) and said_last() == ["It was added to ticket #1001."]


def test_an_answer_to_a_closed_ticket_opens_one_that_names_it(server: Server, mailbox: Mailbox, actor: Actor) -> None:
    server.put("In", mail("<1@acme>", sender=ADA, subject="Printer"))
    look(actor)
    old = Ticket.objects.get()
    services.change_ticket(actor, ticket=old, status="closed")
    server.put("In", mail("<2@acme>", sender=ADA, subject="Re: [#1001] Printer", In_Reply_To="<1@acme>", text="Again"))
    look(actor)
    new = Ticket.objects.latest("id")
    assert (new.number, new.follows, new.subject, new.status) == (1002, old, "Printer", "open")
    assert old.messages.count() == 1 and said_last() == ["Ticket #1002 was opened: it follows #1001, which is closed."]


@pytest.mark.parametrize(
    ("strangers", "state", "where"),
    [("ignore", "ignored", "Done"), ("leave", "ignored", "In"), ("collect", "waiting", "Done")],
)
def test_strangers_by_setting(
    server: Server, mailbox: Mailbox, actor: Actor, strangers: str, state: str, where: str
) -> None:
    mailboxes.change_mailbox(actor, mailbox=mailbox, strangers=strangers)
    server.put("In", mail("<1@acme>", sender=ADA, subject="Printer"))
    look(actor)
    before = len(server.mails("Done"))
    server.put("In", mail("<2@eve>", sender="eve@eve.example", subject="Offer"))
    server.put("In", mail("<3@eve>", sender="eve@eve.example", subject="[#1001] me too", In_Reply_To="<1@acme>"))
    for _ in range(2):
        look(actor)
    assert states() == ["taken", state, state] and Ticket.objects.get().messages.count() == 1
    assert len(server.mails(where)) - (before if where == "Done" else 0) == 2
    assert said_last() == ["It answers ticket #1001, with which eve@eve.example has nothing to do."]


def test_a_known_sender_who_answers_another_customers_ticket_waits_for_a_person(
    server: Server, mailbox: Mailbox, actor: Actor
) -> None:
    mailboxes.change_mailbox(actor, mailbox=mailbox, strangers="ignore")
    server.put("In", mail("<1@acme>", sender=ADA, subject="Printer"))
    server.put("In", mail("<2@globex>", sender="bills@globex.example", subject="FW: Printer", References="<1@acme>"))
    look(actor)
    assert states() == ["taken", "waiting"] and Ticket.objects.get().messages.count() == 1


def test_an_address_of_several_customers_waits_but_answers_find_their_ticket(
    server: Server, mailbox: Mailbox, actor: Actor
) -> None:
    globex = Customer.objects.get(key="globex")
    access.invite(actor, customer=globex, email="ada@acme.example", portal="http://x")
    ticket = services.open_ticket(actor, customer=globex, subject="Line")
    server.put("In", mail("<1@acme>", sender=ADA, subject="Printer"))
    server.put("In", mail("<2@acme>", sender=ADA, subject="Re: [#1001] Line", text="Works"))
    look(actor)
    assert states() == ["waiting", "taken"] and conversation(ticket) == [("customer", "Ada Byron", "Works")]
    PortalUser.objects.update(is_active=False)
    server.put("In", mail("<3@acme>", sender=ADA, subject="Printer"))
    look(actor)
    assert states()[2] == "waiting" and said_last() == ["No customer has the address ada@acme.example."]


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"}, {"Auto_Submitted": "auto-generated"}, {"Precedence": "bulk"},
        {"List_Id": "<news.acme.example>"}, {"X_Autoreply": "yes"}, {"Return_Path": "<>"},
        {"Authentication_Results": "mx; dmarc=fail"},
    ],
)  # fmt: skip
def test_mails_of_machines_and_forged_ones_do_nothing(
    server: Server, mailbox: Mailbox, actor: Actor, headers: dict[str, str]
) -> None:
    server.put("In", mail("<1@acme>", sender=ADA, subject="Out of office", **headers))
    look(actor)
    assert states() == ["ignored"] and not Ticket.objects.exists()


def test_old_mails_do_nothing_and_the_same_mail_is_taken_once(server: Server, mailbox: Mailbox, actor: Actor) -> None:
    server.put("In", mail("<1@acme>", sender=ADA, date=datetime(2026, 1, 1, tzinfo=UTC)))
    for _ in range(2):
        server.put("In", mail("<2@acme>", sender=ADA, subject="Printer"))
        look(actor)
    server.make("Second")
    mailboxes.create_mailbox(
        actor, seller=Seller.objects.get(), purpose="tickets", host="localhost", port=server.port, security="none",
        user=USER, password=PASSWORD, folder="Second", archive="Done", not_before=date(2026, 2, 1),
    )  # fmt: skip
    server.put("Second", mail("<2@acme>", sender=ADA, subject="Printer"))
    look(actor)
    assert states() == ["ignored", "taken", "ignored", "ignored"]
    assert Ticket.objects.count() == 1 and TicketMessage.objects.count() == 1


def test_an_answer_goes_out_in_its_thread_as_a_persons_mail(
    server: Server, mailbox: Mailbox, actor: Actor, postbox: list[Any]
) -> None:
    server.put("In", mail("<1@acme>", sender=ADA, subject="Kein Freizeichen – Büro"))
    look(actor)
    ticket = Ticket.objects.get()
    services.answer_ticket(actor, ticket=ticket, text="For us", kind="note")
    message = services.answer_ticket(actor, ticket=ticket, text="Wir prüfen das.", author="Tom Adler")
    services.answer_ticket(actor, ticket=ticket, text="Thanks", kind="customer")
    out = OutgoingMail.objects.get(kind="ticket_answer")
    assert deliver(out.pk, actor.now) == "sent"
    (got,) = postbox
    assert (got["To"], got["Subject"]) == ("ada@acme.example", "[#1001] Kein Freizeichen – Büro")
    assert (got["In-Reply-To"], got["References"], got["Content-Language"]) == ("<1@acme>", "<1@acme>", "de")
    assert got["Auto-Submitted"] is None and got["Reply-To"] == USER
    assert got["Message-ID"] == message.reference == TicketMessage.objects.get(kind="staff").reference
    assert got.get_content().splitlines() == ["Wir prüfen das.", "", "-- ", "Tom Adler", "Helpful GmbH", "#1001"]
    services.answer_ticket(actor, ticket=ticket, text="Done", author="Tom Adler")
    deliver(OutgoingMail.objects.latest("id").pk, actor.now)
    assert postbox[1]["References"] == f"<1@acme> {message.reference}"
    DeskSettings.objects.update_or_create(seller=ticket.seller, defaults={"reply_to": "help@firm.example"})
    services.answer_ticket(actor, ticket=ticket, text="Done", author="Tom Adler")
    assert OutgoingMail.objects.latest("id").reply_to == "help@firm.example"


def test_who_has_no_address_gets_no_mail(seller: Seller, actor: Actor) -> None:
    ticket = services.open_ticket(actor, customer=Customer.objects.get(key="acme"), subject="By telephone")
    assert services.answer_ticket(actor, ticket=ticket, text="Done").reference == ""
    assert not OutgoingMail.objects.filter(kind="ticket_answer").exists()
    with pytest.raises(Refused):
        services.open_ticket(
            actor, customer=Customer.objects.get(key="acme"), subject="Odd", requester_email="ada at acme"
        )


def test_a_receipt_goes_once_an_hour_and_answers_to_it_find_the_ticket(
    server: Server, mailbox: Mailbox, actor: Actor, postbox: list[Any]
) -> None:
    services.set_desk_mail(actor, seller=Seller.objects.get(), receipts=True, reply_to="")
    server.put("In", *(mail(f"<{n}@acme>", sender=ADA, subject=f"No {n}") for n in range(3)))
    server.put("In", mail("<9@globex>", sender="bills@globex.example", subject="Fråga"))
    look(actor)
    mails = OutgoingMail.objects.filter(kind="ticket_receipt")
    assert sorted(mails.values_list("recipient", flat=True)) == ["ada@acme.example", "bills@globex.example"]
    first = mails.get(recipient="ada@acme.example")
    assert deliver(first.pk, actor.now) == "sent"
    (got,) = postbox
    assert (got["Auto-Submitted"], got["In-Reply-To"], got["References"]) == ("auto-replied", "<0@acme>", "<0@acme>")
    assert got["Subject"] == "[#1001] Wir haben Ihre Nachricht erhalten"
    assert "No 0" in got.get_content() and "#1001" in got.get_content()
    server.put("In", mail("<4@acme>", sender=ADA, subject="Re: received", In_Reply_To=first.message_id, text="Add"))
    later = actor.at(actor.now + timedelta(minutes=61))
    server.put("In", mail("<5@acme>", sender=ADA, subject="No 5"))
    look(later)
    assert conversation(Ticket.objects.get(number=1001))[1:] == [("customer", "Ada Byron", "Add")]
    assert mails.filter(recipient="ada@acme.example").count() == 2


def test_a_waiting_mail_is_given_to_a_customer_and_its_sender_is_known_then(
    server: Server, mailbox: Mailbox, actor: Actor
) -> None:
    server.put("In", mail("<1@new>", sender="Neu <neu@web.example>", subject="Hallo", files=(("a.txt", b"1"),)))
    look(actor)
    waiting = IncomingMail.objects.get()
    acme, globex = Customer.objects.order_by("key")
    with pytest.raises(Refused):
        services.give_mail(actor, mail=waiting)
    ticket = services.give_mail(actor, mail=waiting, customer=acme)
    assert (ticket.customer, ticket.requester_email, ticket.channel) == (acme, "neu@web.example", "mail")
    assert ticket.messages.get().attachments.get().name == "a.txt"
    waiting.refresh_from_db()
    assert (waiting.state, waiting.content, waiting.about) == ("taken", None, [f"ticket:{ticket.pk}"])
    with pytest.raises(Refused):
        services.give_mail(actor, mail=waiting, customer=globex)
    server.put("In", mail("<2@new>", sender="neu@web.example", subject="Noch etwas"))
    look(actor)
    assert Ticket.objects.latest("id").customer == acme and states() == ["taken", "taken"]


def test_a_waiting_mail_is_added_to_a_ticket_or_thrown_away(server: Server, mailbox: Mailbox, actor: Actor) -> None:
    ticket = services.open_ticket(actor, customer=Customer.objects.get(key="acme"), subject="Printer")
    server.put("In", mail("<1@new>", sender="neu@web.example", subject="[#1001] Drucker", text="Von mir auch"))
    server.put("In", mail("<2@new>", sender="spam@web.example", subject="Win"))
    look(actor)
    first, second = IncomingMail.objects.order_by("id")
    assert services.give_mail(actor, mail=first, ticket=ticket) == ticket
    assert conversation(ticket) == [("customer", "neu@web.example", "Von mir auch")]
    with pytest.raises(Refused):
        mailboxes.remove_mailbox(actor, mailbox=mailbox)
    services.throw_mail_away(actor, mail=second)
    second.refresh_from_db()
    assert (second.state, second.content, said_last()) == ("ignored", None, ["test has thrown it away."])
    mailboxes.remove_mailbox(actor, mailbox=mailbox)
    assert ticket.messages.count() == 1
    assert {e.action for e in LogEntry.objects.all()} >= {"give_mail", "throw_mail_away"}


def test_a_merged_ticket_is_answered_where_it_goes_on(server: Server, mailbox: Mailbox, actor: Actor) -> None:
    server.put("In", *(mail(f"<{n}@acme>", sender=ADA, subject=f"No {n}") for n in range(2)))
    look(actor)
    first, second = Ticket.objects.order_by("id")
    Ticket.objects.filter(pk=second.pk).update(status="closed", merged_into=first)
    server.put("In", mail("<3@acme>", sender=ADA, In_Reply_To="<1@acme>", text="More"))
    look(actor)
    assert conversation(first)[1:] == [("customer", "Ada Byron", "More")]


def test_what_a_mailbox_for_tickets_must_be(seller: Seller, server: Server, mailbox: Mailbox, actor: Actor) -> None:
    assert mailbox.strangers == "collect"
    for wrong in ({"strangers": "welcome"}, {"strangers": ""}):
        with pytest.raises(Refused):
            mailboxes.change_mailbox(actor, mailbox=mailbox, **wrong)


MANY = b"Content-Type: multipart/mixed; boundary=b\r\n\r\nIt burns\r\n" + b"--b\r\n\r\n" * 900


def test_a_mail_that_is_broken_too_large_or_of_nobody_waits_for_a_person(
    server: Server, mailbox: Mailbox, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "MOST_BYTES", 50_000)
    mailboxes.change_mailbox(actor, mailbox=mailbox, strangers="ignore")
    server.put("In", b"From: bills@acme.example\r\nSubject: Fire\r\n" + MANY)
    server.put("In", mail("<2@acme>", sender=ADA, subject="Film", files=(("film.mp4", b"x" * 60_000),)))
    server.put("In", b"From: eve@eve.example\r\nSubject: Fire\r\n" + MANY)
    server.put("In", b"Subject: Hello\r\n\r\nNobody")
    look(actor)
    assert states() == ["waiting", "waiting", "ignored", "ignored"] and len(server.mails("In")) == 0
    mailboxes.change_mailbox(actor, mailbox=mailbox, strangers="collect")
    server.put("In", b"Subject: Hello\r\nthis is no header\r\nFrom: ada@acme.example\r\n\r\nNobody, as it seems")
    look(actor)
    assert states()[4] == "waiting" and said_last() == ["Its sender cannot be read."]
    acme = Customer.objects.get(key="acme")
    told = []
    for one in IncomingMail.objects.filter(state="waiting").order_by("id"):
        ticket = services.give_mail(actor, mail=one, customer=acme)
        message = ticket.messages.get()
        told.append((ticket.subject, message.author, message.text[:8], sentences(message.left_out, "en")))
    assert told == [
        ("Fire", "bills@acme.example", "It burns", []),
        ("Film", "Ada Byron", "–", ["It is larger than 0 MB: have it sent in parts."]),
        ("Hello", "–", "this is ", []),
    ]


def test_a_mail_of_an_address_to_which_none_can_be_sent_becomes_a_ticket_all_the_same(
    server: Server, mailbox: Mailbox, actor: Actor
) -> None:
    server.put("In", mail("<1@copier>", sender="Copier <scanner@copier>", subject="Toner"))
    look(actor)
    ticket = services.give_mail(actor, mail=IncomingMail.objects.get(), customer=Customer.objects.get(key="acme"))
    assert (ticket.requester_name, ticket.requester_email) == ("Copier", "")
    assert conversation(ticket) == [("customer", "Copier", "Good morning")]


def test_mutilated_mails_crash_nothing_and_none_is_lost(server: Server, mailbox: Mailbox, actor: Actor) -> None:
    draw = random.Random(1)
    for n in range(40):
        files = (("ä.csv", b"1,2"), ("x.pdf", b"%PDF-1")) if n % 2 else ()
        content = bytearray(
            mail(f"<{n}@acme>", sender=ADA, subject="Störung", text="Größe\n" * 9, files=files).as_bytes()
        )
        for _ in range(draw.randrange(1, 20)):
            at = draw.randrange(len(content))
            bad = draw.choice(
                [b"\r\n\r\n", b"\xff\xfe", b"=?u7?q?+2AA-?=", b"\r\nFrom: x, ", b"--", b"charset=u7;", b"\r"]
            )
            content[at : at + draw.randrange(9)] = draw.choice([bad, draw.randbytes(3)])
        server.put("In", bytes(content))
    look(actor)
    said = {one.pk: sentences(one.said, "en")[0] for one in IncomingMail.objects.filter(state="ignored")}
    assert (
        IncomingMail.objects.count() == 40 and not IncomingMail.objects.filter(state__in=["failed", "refused"]).exists()
    )
    assert set(said.values()) <= {"It was taken already."}
    for one in IncomingMail.objects.filter(state="waiting"):
        services.give_mail(actor, mail=one, customer=Customer.objects.get(key="acme"))
    assert TicketMessage.objects.count() + len(said) == 40


def test_a_mailbox_puts_new_tickets_in_its_queue(
    mailbox: Mailbox, seller: Seller, server: Server, actor: Actor
) -> None:
    first, second = (services.add_queue(actor, seller=seller, name=name) for name in ("First line", "On site"))
    mailboxes.change_mailbox(actor, mailbox=mailbox, queue=first)
    server.put("In", mail("<1@x>", sender=ADA, subject="Printer", text="Smokes"))
    server.put("In", mail("<2@x>", sender="eve@nowhere.example", subject="Router", text="Dead"))
    look(actor)
    printer = Ticket.objects.get()
    assert printer.queue == first
    services.change_ticket(actor, ticket=printer, queue=second)
    server.put("In", mail("<3@x>", sender=ADA, subject=f"[#{printer.number}]", text="Still"))
    look(actor)
    printer.refresh_from_db()
    assert (printer.queue, printer.messages.count()) == (second, 2), "an answer moves nothing"
    waiting = IncomingMail.objects.get(state="waiting")
    router = services.give_mail(actor, mail=waiting, customer=Customer.objects.get(key="globex"))
    assert router.queue == first

    with pytest.raises(Refused, match="puts tickets in this queue"):
        services.change_queue(actor, queue=first, active=False)
    mailboxes.change_mailbox(actor, mailbox=mailbox, folder="In")  # what is not said stays
    assert Mailbox.objects.get().target == f"queue:{first.pk}"
    mailboxes.change_mailbox(actor, mailbox=mailbox, queue=None)
    assert not services.change_queue(actor, queue=first, active=False).active
    with pytest.raises(Refused, match="out of use"):
        mailboxes.change_mailbox(actor, mailbox=mailbox, queue=first)
    other = customers.create_seller(
        actor, name="Other", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=read_rates(19)
    )
    with pytest.raises(Refused, match="another seller's"):
        mailboxes.change_mailbox(actor, mailbox=mailbox, queue=services.add_queue(actor, seller=other, name="Theirs"))
    assert Mailbox.objects.get().target == ""
