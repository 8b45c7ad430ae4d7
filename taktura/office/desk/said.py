"""The conversation of a ticket as its page shows it."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header

from taktura.desk.models import Ticket, TicketAttachment, TicketMessage
from taktura.desk.queries import mails_of, tickets_of
from taktura.desk.quoted import split
from taktura.kit.mailbox.queries import sentences
from taktura.office import show
from taktura.office.page import page, seller_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message: what it says, what it quotes, its files, and the mail by which it went out."""

    message: TicketMessage
    text: str
    quoted: str
    files: list[TicketAttachment]
    left_out: list[str]
    mail: Any


def find(request: HttpRequest, pk: int) -> Ticket:
    """The seller's ticket, or 404."""
    return get_object_or_404(tickets_of(seller_of(request).pk), pk=pk)


def conversation(ticket: Ticket) -> list[Said]:
    """All that was said on a ticket, in its order."""
    files = Prefetch("attachments", TicketAttachment.objects.defer("content"))
    messages, language = list(ticket.messages.prefetch_related(files)), show.language()
    mails = mails_of(messages)
    return [_said(one, language, mails.get(one.reference)) for one in messages]


def _said(message: TicketMessage, language: str, mail: Any) -> Said:
    text, quoted = split(message.text) if message.kind == "customer" else (message.text, "")
    return Said(
        message=message, text=text, quoted=quoted, files=list(message.attachments.all()),
        left_out=sentences(message.left_out, language), mail=mail,
    )  # fmt: skip


@page("desk.view")
def attachment(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A file of a ticket, to be kept: it is never shown here, whatever it says that it is."""
    rows = TicketAttachment.objects.filter(message__ticket=pk, message__ticket__seller=seller_of(request))
    found = rows.filter(pk=number).first()
    if found is None:
        raise Http404
    return to_keep(found)


def to_keep(found: TicketAttachment) -> HttpResponse:
    """A file as an answer that no browser opens by itself."""
    return HttpResponse(
        bytes(found.content), content_type="application/octet-stream",
        headers={
            "Content-Disposition": content_disposition_header(True, found.name) or "attachment",
            "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store",
        },
    )  # fmt: skip
