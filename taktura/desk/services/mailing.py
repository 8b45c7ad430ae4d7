"""What goes to requesters by mail: answers of staff, and that a ticket has come."""

from collections.abc import Sequence
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from taktura.desk.models import Ticket, TicketMessage
from taktura.desk.queries import settings_of
from taktura.kit.actor import Actor
from taktura.kit.language import translate
from taktura.kit.mail.models import OutgoingMail
from taktura.kit.mail.services import one_line, post
from taktura.kit.mailbox.attached import Attachment
from taktura.kit.mailbox.models import Mailbox

ANSWER, RECEIPT = "ticket_answer", "ticket_receipt"
RECEIPT_EVERY = timedelta(hours=1)  # at most one to an address
MOST_SUBJECT = 300
LETTER = (
    "We have received your message",
    "Good day,\n\nwe have received your message, and it has the number %(number)s with us:\n\n%(subject)s\n\n"
    "We come back to you. If you want to add something, answer this mail.\n\n%(company)s",
)


def mail_answer(
    actor: Actor, *, ticket: Ticket, message: TicketMessage, author: str, files: Sequence[Attachment]
) -> OutgoingMail | None:
    """Mail what staff said to the requester, as a person's mail in its thread; gives None where there is no address.

    `author` signs it, with the company's name. The message keeps the mail's id, by which an answer finds its ticket.
    Raises `Refused` (`invalid`): the files are too large.
    """
    if not ticket.requester_email:
        return None
    earlier = ticket.messages.exclude(reference="").exclude(kind="note")
    mail = post(
        actor.now, to=ticket.requester_email, subject=subject_of(ticket), text=_signed(message.text, author, ticket),
        sender=f"seller:{ticket.seller_id}", kind=ANSWER, about=f"ticket_message:{message.pk}",
        language=ticket.customer.language, attachments=[(f.name, f.kind, f.content) for f in files], automatic="",
        reply_to=reply_to(ticket), thread=list(earlier.order_by("id").values_list("reference", flat=True)),
    )  # fmt: skip
    message.reference = mail.message_id
    message.save(update_fields=["reference"])
    return mail


def mail_receipt(actor: Actor, *, ticket: Ticket, answered: str) -> OutgoingMail | None:
    """Tell who has opened a ticket by mail that it arrived; `answered`: the message id of that mail.

    Gives None where that is off, or the address was told of another within the hour: two machines that answer each
    other come to rest.
    """
    seller = ticket.seller
    if not settings_of(seller.pk).receipts or not ticket.requester_email:
        return None
    sender, since = f"seller:{seller.pk}", actor.now - RECEIPT_EVERY
    told = OutgoingMail.objects.filter(sender=sender, kind=RECEIPT, recipient__iexact=ticket.requester_email)
    if told.filter(created_at__gt=since).exists():
        return None
    language = ticket.customer.language
    values = {"number": f"#{ticket.number}", "subject": ticket.subject, "company": seller.name}
    title, text = (translate(part, values, language) for part in LETTER)
    return post(
        actor.now, to=ticket.requester_email, subject=f"[#{ticket.number}] {title}", text=text, sender=sender,
        kind=RECEIPT, about=f"ticket:{ticket.pk}", language=language, automatic="auto-replied",
        reply_to=reply_to(ticket), thread=[answered] if answered else [],
    )  # fmt: skip


def subject_of(ticket: Ticket) -> str:
    """What a mail about a ticket is called: with the number, by which an answer finds it."""
    title = "".join(sign if one_line(sign) else " " for sign in ticket.subject)
    return f"[#{ticket.number}] {title}"[:MOST_SUBJECT]


def reply_to(ticket: Ticket) -> str:
    """Where the customer answers to: as it is set, else the one mailbox for tickets; empty: where mails come from."""
    address = settings_of(ticket.seller_id).reply_to
    if address:
        return address
    owner = f"seller:{ticket.seller_id}"
    users = list(Mailbox.objects.filter(owner=owner, purpose="tickets", active=True).values_list("user", flat=True)[:2])
    return users[0] if len(users) == 1 and is_address(users[0]) else ""


def is_address(text: str) -> bool:
    """Whether mails can be sent to it: `scanner@copier` is none."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _signed(text: str, author: str, ticket: Ticket) -> str:
    names = [author, ticket.seller.name] if author else [ticket.seller.name]
    return "\n".join([text, "", "-- ", *names, f"#{ticket.number}", ""])
