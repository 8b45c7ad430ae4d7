"""Tickets: opened, answered, changed."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Max

from taktura.audit.services import record
from taktura.contracts.models import ContractLine
from taktura.core.errors import Refused
from taktura.customers.models import Customer, Seller
from taktura.desk.attachments import type_of
from taktura.desk.levels import CLOCK
from taktura.desk.models import CHANNELS, PRIORITIES, STATUSES, Ticket, TicketAttachment, TicketMessage
from taktura.desk.services.levels import keep_clocks
from taktura.desk.services.mailing import mail_answer
from taktura.kit.actor import Actor
from taktura.kit.exact import to_json
from taktura.kit.fold import fold
from taktura.kit.mailbox.attached import Attachment, Sentence

MOST_REFERENCE = 300  # characters of a message id that are kept
FIELDS = (
    "subject", "status", "priority", "queue", "assignee", "line", "customer", "requester_name", "requester_email"
)  # fmt: skip
MOST_NAME = 200  # characters of a requester's name
MOST_ADDRESS = 254


@transaction.atomic
def open_ticket(
    actor: Actor,
    *,
    customer: Customer,
    subject: str,
    text: str = "",
    channel: str = "office",
    by_customer: bool = False,
    author: str = "",
    requester_name: str = "",
    requester_email: str = "",
    reference: str = "",
    files: Sequence[Attachment] = (),
    left_out: Sequence[Sentence] = (),
    follows: Ticket | None = None,
    **fields: Any,
) -> Ticket:
    """Open a ticket, with its first message where there is a text; billing information is not asked for.

    `by_customer`: the text is the customer's, else a note of staff; `author` is shown with it (default: the actor).
    `follows`: the closed one that was answered; `files` and `left_out` as in `say`.
    `fields`: `priority queue assignee line`. Raises `Refused` (`invalid`).
    """
    ticket = Ticket(
        seller=customer.seller,
        customer=customer,
        follows=follows,
        channel=channel,
        opened_at=actor.now,
        changed_at=actor.now,
    )
    asked = {"requester_name": requester_name, "requester_email": requester_email}
    _set(ticket, {"subject": subject, **asked, **fields})
    if channel not in CHANNELS:
        raise Refused("invalid", "“%(value)s” is no way by which a ticket comes.", value=channel)
    Seller.objects.select_for_update().get(pk=customer.seller_id)  # numbers are given one after the other
    ticket.number = (Ticket.objects.filter(seller=customer.seller_id).aggregate(last=Max("number"))["last"] or 1000) + 1
    ticket.folded = folded(ticket)
    keep_clocks(actor, ticket)
    ticket.save(force_insert=True)
    if files and not text.strip():
        raise Refused("invalid", "A message needs a text.", field="text")
    if text.strip():
        kind = "customer" if by_customer else "note"
        say(
            actor, ticket, kind=kind, text=text, author=author, reference=reference, files=files, left_out=left_out
        )  # fmt: skip
    record(actor, "open_ticket", f"ticket:{ticket.pk}", {"number": ticket.number, "subject": ticket.subject})
    return ticket


@transaction.atomic
def answer_ticket(
    actor: Actor, *, ticket: Ticket, text: str, kind: str = "staff", author: str = "", reference: str = "",
    files: Sequence[Attachment] = (), left_out: Sequence[Sentence] = (),
) -> TicketMessage:  # fmt: skip
    """Add a message: of `staff` to the customer, of the `customer`, or a `note` that only staff see.

    `files` and `left_out` as in `say`. An answer of staff is mailed to the requester, if their address is known.
    An answer of staff leaves an open ticket waiting for the customer; a message of the customer opens one that waits
    or is solved again. Raises `Refused` (`invalid`) on a closed ticket, but for notes.
    """
    if kind not in ("staff", "customer", "note"):
        raise Refused("invalid", "“%(value)s” is no kind of message: write staff, customer or note.", value=kind)
    if not text.strip():
        raise Refused("invalid", "A message needs a text.")
    rows = Ticket.objects.select_related("customer", "seller").select_for_update(of=("self",))
    ticket = rows.get(pk=ticket.pk)
    if ticket.status == "closed" and kind != "note":
        raise Refused("invalid", "Ticket %(number)s is closed: open a new one.", number=ticket.number)
    was = ticket.status
    message = say(
        actor, ticket, kind=kind, text=text, author=author, reference=reference, files=files, left_out=left_out
    )  # fmt: skip
    if kind == "staff":
        mail_answer(actor, ticket=ticket, message=message, author=author, files=files)
        ticket.answered_at = ticket.answered_at or actor.now
        ticket.status = "waiting" if ticket.status == "open" else ticket.status
    elif kind == "customer":
        ticket.status, ticket.solved_at = "open", None
    ticket.changed_at = actor.now
    if kind != "note":
        keep_clocks(actor, ticket, was=was)
    ticket.save(update_fields=["answered_at", "status", "solved_at", "changed_at", *CLOCK])
    record(actor, "answer_ticket", f"ticket:{ticket.pk}", {"kind": kind, "message": message.pk})
    return message


@transaction.atomic
def change_ticket(actor: Actor, *, ticket: Ticket, **fields: Any) -> Ticket:
    """Write the fields named of a ticket (`FIELDS`); the others stay. Gives it as it is now.

    A ticket with time keeps its customer. Answers go to the requester whom it names then. Raises `Refused`
    (`invalid`).
    """
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise Refused("invalid", "A ticket has no field “%(field)s”.", field=sorted(unknown)[0])
    ticket = Ticket.objects.select_for_update(of=("self",)).select_related("customer__seller").get(pk=ticket.pk)
    if ticket.merged_into_id is not None:
        raise Refused("invalid", "Ticket %(number)s was merged into another: change that one.", number=ticket.number)
    before = {name: getattr(ticket, name) for name in fields}
    _set(ticket, fields)
    after = {name: getattr(ticket, name) for name in fields if getattr(ticket, name) != before[name]}
    if not after:
        return ticket
    if "customer" in after and ticket.time.exists():
        raise Refused("invalid", "Time was logged on ticket %(number)s: its customer stays.", number=ticket.number)
    if "status" in after:
        done = ticket.status in ("solved", "closed")
        ticket.solved_at = (ticket.solved_at or actor.now) if done else None
        ticket.closed_at = actor.now if ticket.status == "closed" else None
    ticket.changed_at, ticket.folded = actor.now, folded(ticket)
    if "status" in after or "priority" in after:
        keep_clocks(actor, ticket, was=before.get("status", ticket.status))
    ticket.save()
    shown = {
        "before": {name: _named(before[name]) for name in after},
        "after": {name: _named(value) for name, value in after.items()},
    }
    record(actor, "change_ticket", f"ticket:{ticket.pk}", to_json(shown))
    return ticket


def folded(ticket: Ticket) -> str:
    """What a search looks at."""
    words = (str(ticket.number), ticket.subject, ticket.requester_name, ticket.requester_email)
    return fold(" ".join(w for w in words if w))[:700]


def say(
    actor: Actor, ticket: Ticket, *, kind: str, text: str, author: str, reference: str,
    files: Sequence[Attachment] = (), left_out: Sequence[Sentence] = (),
) -> TicketMessage:  # fmt: skip
    """Write a message with its files, which were looked at before. `left_out`: why others are not among them."""
    message = TicketMessage.objects.create(
        ticket=ticket, at=actor.now, kind=kind, text=text.strip(), author=(author or actor.name)[:200],
        reference=reference[:MOST_REFERENCE], left_out=[[one.text, dict(one.values)] for one in left_out],
    )  # fmt: skip
    TicketAttachment.objects.bulk_create(
        TicketAttachment(
            message=message, name=one.name[:200], type=type_of(one.name), size=len(one.content), content=one.content
        )
        for one in files
    )
    return message


def _set(ticket: Ticket, fields: dict[str, Any]) -> None:
    """Put checked values into a ticket."""
    for name, value in fields.items():
        if name not in FIELDS:
            raise Refused("invalid", "A ticket has no field “%(field)s”.", field=name)
        if name == "queue" and value is not None and not value.active and value.pk != ticket.queue_id:
            raise Refused("invalid", "The queue “%(name)s” is out of use: choose another one.", name=value.name,
                          field="queue")  # fmt: skip
        setattr(ticket, name, value)
    for name in ("subject", "requester_name", "requester_email"):
        setattr(ticket, name, str(getattr(ticket, name)).strip())
    if not ticket.subject:
        raise Refused("invalid", "A ticket needs a subject.")
    if len(ticket.subject) > 300:
        raise Refused("invalid", "A subject has at most 300 characters.")
    if len(ticket.requester_name) > MOST_NAME:
        raise Refused("invalid", "The name of a requester has at most %(most)s characters.", most=MOST_NAME,
                      field="requester_name")  # fmt: skip
    if ticket.requester_email:
        _check_address(ticket.requester_email)
    if ticket.status not in STATUSES:
        raise Refused("invalid", "“%(value)s” is no state of a ticket.", value=ticket.status)
    if ticket.priority not in PRIORITIES:
        raise Refused(
            "invalid", "“%(value)s” is no priority: write low, normal, high or urgent.", value=ticket.priority
        )
    if ticket.customer.seller_id != ticket.seller_id:
        raise Refused("invalid", "The customer is another seller's.")
    if ticket.queue is not None and ticket.queue.seller_id != ticket.seller_id:
        raise Refused("invalid", "The queue is another seller's.")
    if ticket.assignee is not None and not ticket.assignee.is_active:
        raise Refused(
            "invalid", "%(name)s does not work here any more: choose somebody else.", name=ticket.assignee.name
        )
    line: ContractLine | None = ticket.line
    if line is not None and line.contract.customer_id != ticket.customer_id:
        raise Refused("invalid", "The contract line is another customer's.")


def _check_address(address: str) -> None:
    try:
        if len(address) > MOST_ADDRESS:
            raise ValidationError("too long")
        validate_email(address)
    except ValidationError as error:
        raise Refused("invalid", "“%(email)s” is no e-mail address.", email=address, field="requester_email") from error


def _named(value: Any) -> Any:
    """What the log calls it."""
    if isinstance(value, ContractLine):
        return f"{value.contract.key}: {value.name or value.article.key}"
    return value.name if hasattr(value, "pk") else value
