"""Mails that become tickets, or what the customer says on one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Lower

from taktura.customers.models import Customer
from taktura.customers.queries import by_address
from taktura.desk.models import Queue, Ticket, TicketMessage
from taktura.desk.services.mailing import RECEIPT, is_address, mail_receipt
from taktura.desk.services.tickets import MOST_REFERENCE, answer_ticket, open_ticket
from taktura.kit.actor import Actor
from taktura.kit.mail.models import OutgoingMail
from taktura.kit.mailbox.attached import Sentence
from taktura.kit.mailbox.models import Mailbox
from taktura.kit.mailbox.parsed import Mail
from taktura.kit.mailbox.polling import SAID, Verdict, too_large

TICKETS = {
    "opened": "Ticket #%(number)s was opened.",
    "follows": "Ticket #%(number)s was opened: it follows #%(old)s, which is closed.",
    "answered": "It was added to ticket #%(number)s.",
    "stranger": "No customer has the address %(sender)s.",
    "several": "Several customers have the address %(sender)s: %(customers)s.",
    "nobody": "Its sender cannot be read.",
    "foreign": "It answers ticket #%(number)s, with which %(sender)s has nothing to do.",
}
MOST_MERGED = 20  # tickets that were merged into each other, one after the other
MOST_NAMED = 5
NO_WORDS = "–"  # the text or subject of a mail without one
_TAG = re.compile(r"\[#([0-9]{1,9})\]")
_AGAIN = re.compile(r"^(\s*(re|aw|sv|fw|fwd|wg|vb|antw)\s*:)+\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a mail belongs, as far as it says so: the ticket that it answers, and the customers of its sender."""

    ticket: Ticket | None
    customers: list[Customer]
    belongs: bool


def take_mail(mailbox: Mailbox, mail: Mail, now: datetime) -> Verdict:
    """Open a ticket for the customer to whom the sender's address belongs, or add the mail to the ticket that it
    answers, if the sender belongs to that. What becomes of mails of others says the mailbox (`strangers`); what only a
    person can decide waits."""
    seller = int(mailbox.owner.partition(":")[2])
    if is_known(seller, mail.message_id):
        return Verdict(state="ignored", said=[Sentence(SAID["known"])])
    place, named = place_of(seller, mail), {"sender": mail.sender}
    if not (mail.readable and mail.whole):
        # Nothing that a known sender wrote gets lost: a person looks what it is, and writes back.
        why = Sentence(SAID["broken"]) if mail.whole else too_large()
        return Verdict(state="waiting", said=[why]) if place.customers or place.belongs else _strange(mailbox, why)
    if not mail.sender:
        return _strange(mailbox, Sentence(TICKETS["nobody"]))
    if place.ticket is not None and place.belongs:
        return write(now, mail, ticket=place.ticket, queue=queue_of(mailbox))
    if place.ticket is not None:
        why = Sentence(TICKETS["foreign"], {"number": place.ticket.number, **named})
        return Verdict(state="waiting", said=[why]) if place.customers else _strange(mailbox, why)
    if len(place.customers) == 1:
        return write(now, mail, customer=place.customers[0], queue=queue_of(mailbox))
    if place.customers:
        customers = ", ".join(c.name for c in place.customers[:MOST_NAMED])
        return Verdict(state="waiting", said=[Sentence(TICKETS["several"], {"customers": customers, **named})])
    return _strange(mailbox, Sentence(TICKETS["stranger"], named))


def _strange(mailbox: Mailbox, why: Sentence) -> Verdict:
    state = "waiting" if mailbox.strangers == "collect" else "ignored"
    return Verdict(state=state, said=[why], stays=mailbox.strangers == "leave")


def queue_of(mailbox: Mailbox) -> Queue | None:
    """Where new tickets of a mailbox wait."""
    kind, _, pk = mailbox.target.partition(":")
    return Queue.objects.filter(pk=int(pk), active=True).first() if kind == "queue" else None


def write(
    now: datetime, mail: Mail, *, ticket: Ticket | None = None, customer: Customer | None = None,
    queue: Queue | None = None,
) -> Verdict:  # fmt: skip
    """Add a mail to a ticket, or open one for a customer; where the ticket is closed, another one that names it. A
    ticket that is opened waits in the `queue`."""
    actor, text = Actor(f"mail:{mail.sender}"[:200], now), mail.text.strip() or NO_WORDS
    author, left_out = mail.sender_name or mail.sender or NO_WORDS, list(mail.left_out)
    if not mail.whole:
        left_out.append(too_large())
    if ticket is not None and ticket.status != "closed":
        answer_ticket(
            actor, ticket=ticket, kind="customer", text=text, author=author, reference=mail.message_id,
            files=mail.attachments, left_out=left_out,
        )  # fmt: skip
        return _taken("answered", ticket, mail)
    whose = ticket.customer if ticket is not None else customer
    assert whose is not None
    made = open_ticket(
        actor, customer=whose, subject=title_of(mail), text=text, channel="mail", by_customer=True, author=author,
        requester_name=mail.sender_name, requester_email=mail.sender if is_address(mail.sender) else "",
        reference=mail.message_id, files=mail.attachments, left_out=left_out, follows=ticket, queue=queue,
    )  # fmt: skip
    mail_receipt(actor, ticket=made, answered=mail.message_id)
    return _taken("opened" if ticket is None else "follows", made, mail, old=ticket)


def _taken(word: str, ticket: Ticket, mail: Mail, old: Ticket | None = None) -> Verdict:
    values: dict[str, object] = {"number": ticket.number}
    if old is not None:
        values["old"] = old.number
    said = [Sentence(TICKETS[word], values), *mail.left_out]
    return Verdict(state="taken", said=said, about=[f"ticket:{ticket.pk}"])


def title_of(mail: Mail) -> str:
    """What a ticket that a mail opens is called: its subject, without the number of an older one."""
    title = mail.subject
    if _TAG.search(title):
        title = _AGAIN.sub("", " ".join(_TAG.sub(" ", title).split()))
    return title.strip()[:300] or NO_WORDS


def is_known(seller: int, message_id: str) -> bool:
    """Whether a mail stands on a ticket already: it came to another mailbox, too, or is one of ours."""
    rows = TicketMessage.objects.filter(reference=message_id[:MOST_REFERENCE], ticket__seller=seller)
    return bool(message_id) and rows.exists()


def place_of(seller: int, mail: Mail) -> Place:
    """Where a mail belongs. A merged ticket is answered where it goes on."""
    ticket, customers = _thread(seller, mail), customers_of(seller, mail.sender)
    own = ticket is not None and (
        ticket.customer_id in {c.pk for c in customers} or ticket.requester_email.lower() == mail.sender
    )
    return Place(ticket=ticket, customers=customers, belongs=own)


def customers_of(seller: int, address: str) -> list[Customer]:
    """The customers to whom an address belongs: of their people or their bills, else those who asked with it before."""
    found = by_address(seller, address)
    if found or not address:
        return found
    asked = Ticket.objects.alias(asked_by=Lower("requester_email")).exclude(requester_email="")
    ids = asked.filter(seller=seller, asked_by=address).values("customer")
    return list(Customer.objects.select_related("seller").filter(pk__in=ids).order_by("folded", "pk"))


def _thread(seller: int, mail: Mail) -> Ticket | None:
    """The ticket that a mail answers: by the message ids that it names, the last first, else by its subject."""
    found = _answered(seller, mail.references)
    if found is None:
        for number in reversed(_TAG.findall(mail.subject)):
            found = _rows().filter(seller=seller, number=int(number)).first() if int(number) < 2**31 else None
            if found is not None:
                break
    for _ in range(MOST_MERGED):
        if found is None or found.merged_into_id is None:
            break
        found = _rows().get(pk=found.merged_into_id)
    return found


def _answered(seller: int, references: Iterable[str]) -> Ticket | None:
    wanted = [one[:MOST_REFERENCE] for one in references]
    if not wanted:
        return None
    said = TicketMessage.objects.filter(reference__in=wanted, ticket__seller=seller).values_list("reference", "ticket")
    told = OutgoingMail.objects.filter(message_id__in=wanted, sender=f"seller:{seller}", kind=RECEIPT)
    found = {name: int(about.partition(":")[2]) for name, about in told.values_list("message_id", "about")}
    found |= dict(said)
    last = next((found[one] for one in reversed(wanted) if one in found), None)
    return _rows().filter(pk=last, seller=seller).first() if last is not None else None


def _rows() -> QuerySet[Ticket]:
    return Ticket.objects.select_related("customer__seller", "seller")
