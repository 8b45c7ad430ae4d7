"""Tickets of a customer's people in the portal: opened, answered, solved. A form that is sent twice is taken once."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from taktura.contracts.models import ContractLine
from taktura.core.errors import Refused
from taktura.customers.models import Customer, PortalAccess
from taktura.desk.models import Ticket, TicketAttachment, TicketMessage
from taktura.desk.services.tickets import answer_ticket, change_ticket, open_ticket
from taktura.kit.actor import Actor
from taktura.kit.mailbox.attached import Attachment

TOLD = ("customer", "staff")  # kinds of messages that a customer reads: notes are staff's


def told(ticket: Ticket) -> QuerySet[TicketMessage]:
    """What was said on a ticket, as its customer may read it, with its files but not what is in them."""
    files = Prefetch("attachments", TicketAttachment.objects.defer("content"))
    return ticket.messages.filter(kind__in=TOLD).prefetch_related(files)


def told_files(ticket: Ticket) -> QuerySet[TicketAttachment]:
    """The files of a ticket that its customer may have: none of a note."""
    return TicketAttachment.objects.filter(message__ticket=ticket, message__kind__in=TOLD)


@transaction.atomic
def open_ticket_in_portal(
    actor: Actor, *, access: PortalAccess, subject: str, text: str, line: ContractLine | None = None,
    files: Sequence[Attachment] = (), token: str,
) -> Ticket:  # fmt: skip
    """Open a ticket for whom somebody has access; `token`: of the form, by which it is taken once. `files`: such as
    were looked at by `attachments.checked`.

    Raises `Refused` (`invalid`).
    """
    if not text.strip():
        raise Refused("invalid", "Write what it is about.", field="text")
    customer = (
        Customer.objects.select_related("seller")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=access.customer_id)
    )
    known = _said(customer.pk, token).select_related("ticket").first()
    if known is not None:
        return known.ticket
    user = access.user
    return open_ticket(
        actor, customer=customer, subject=subject, text=text, line=line, channel="portal", by_customer=True,
        author=user.name, requester_name=user.name, requester_email=user.email, reference=_reference(token),
        files=files,
    )  # fmt: skip


@transaction.atomic
def answer_ticket_in_portal(
    actor: Actor, *, access: PortalAccess, ticket: Ticket, text: str, files: Sequence[Attachment] = (), token: str
) -> TicketMessage:
    """Write to staff on a ticket, which opens it again; `files` and `token` as in `open_ticket_in_portal`. Raises
    `Refused` (`invalid`)."""
    Ticket.objects.select_for_update().get(pk=ticket.pk)
    known = _said(access.customer_id, token).filter(ticket=ticket).first()
    if known is not None:
        return known
    return answer_ticket(
        actor, ticket=ticket, text=text, kind="customer", author=access.user.name, reference=_reference(token),
        files=files,
    )  # fmt: skip


@transaction.atomic
def solve_ticket(actor: Actor, *, ticket: Ticket) -> Ticket:
    """Say that a ticket is solved; one that is solved or closed stays as it is."""
    ticket = Ticket.objects.select_for_update().get(pk=ticket.pk)
    return ticket if ticket.status in ("solved", "closed") else change_ticket(actor, ticket=ticket, status="solved")


def _reference(token: str) -> str:
    return f"portal:{token}"


def _said(customer: int, token: str) -> QuerySet[TicketMessage]:
    return TicketMessage.objects.filter(reference=_reference(token), ticket__customer=customer)
