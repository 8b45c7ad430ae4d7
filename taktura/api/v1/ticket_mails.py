"""Mails about tickets: those that wait for a person, how answers go out, and the files of tickets."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint
from taktura.api.fields import Flag, Id, In, Key, Out, Text200
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.v1.tickets import Number, TicketDetail, one
from taktura.core.errors import Refused
from taktura.customers.queries import customer_by_key
from taktura.desk import services
from taktura.desk.models import TicketAttachment
from taktura.desk.queries import settings_of, ticket_by_number
from taktura.kit.mailbox import queries
from taktura.kit.mailbox.models import IncomingMail
from taktura.kit.mailbox.polling import read_kept

router = Router()


class WaitingMail(Out):
    """A mail of which somebody must say what becomes of it; `verdict` says why."""

    id: int
    sender: str
    subject: str
    sent_at: datetime | None
    looked_at: datetime
    verdict: list[str]


class WaitingMails(Out):
    """A page of mails that wait."""

    items: list[WaitingMail]
    next: str | None


class WaitingMailDetail(WaitingMail):
    """A mail that waits, with what it says and the names of its files."""

    text: str
    files: list[str]


class GiveIn(In):
    """Where a mail belongs: to a customer, as a new ticket, or to a ticket."""

    customer: Key | None = None
    ticket: Number | None = Field(None, description="the number of a ticket of which it is an answer")


class DeskMailIn(In):
    """How mails about tickets go out."""

    reply_to: Text200 = Field("", description="where customers answer to; empty: to the mailbox for tickets")
    receipts: Flag = Field(description="whoever opens a ticket by mail is told that it arrived, at most once an hour")


class DeskMailOut(Out):
    """How mails about tickets go out."""

    reply_to: str
    receipts: bool


def _owner(call: Call) -> str:
    return f"seller:{call.seller.pk}"


def _waiting(call: Call, pk: int) -> IncomingMail:
    found = queries.waiting(_owner(call)).filter(pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no mail %(id)s that waits.", id=pk)
    return found


def _told(mail: IncomingMail) -> dict[str, object]:
    same = ("id", "sender", "subject", "sent_at", "looked_at")
    return {**{name: getattr(mail, name) for name in same}, "verdict": queries.sentences(mail.said, "en")}


@endpoint(router, "GET", "/waiting_mails", "desk.view", answer=WaitingMails)
def list_waiting_mails(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> WaitingMails:
    """The mails whose customer is not known, in the order in which they came."""
    rows = queries.waiting(_owner(call_of(request))).order_by("pk")
    items, following = page_of(rows, limit, after)
    return WaitingMails(items=[WaitingMail(**_told(m)) for m in items], next=following)  # type: ignore[arg-type]


@endpoint(router, "GET", "/waiting_mails/{int:mail}", "desk.view", answer=WaitingMailDetail)
def get_waiting_mail(request: HttpRequest, mail: Id) -> WaitingMailDetail:
    """A mail that waits, with what it says."""
    found = _waiting(call_of(request), mail)
    read = read_kept(found)
    return WaitingMailDetail(**_told(found), text=read.text, files=[f.name for f in read.attachments])  # type: ignore[arg-type]


@endpoint(
    router, "POST", "/waiting_mails/{int:mail}/give", "desk.change", answer=TicketDetail, codes=("conflict",)
)  # fmt: skip
def give_waiting_mail(request: HttpRequest, mail: Id, body: GiveIn) -> TicketDetail:
    """Make a mail that waits a ticket of a customer, or an answer on a ticket. Later mails of its sender find the
    customer by themselves."""
    call = call_of(request)
    customer = customer_by_key(call.seller.pk, body.customer) if body.customer is not None else None
    ticket = ticket_by_number(call.seller.pk, body.ticket) if body.ticket is not None else None
    given = services.give_mail(call.actor, mail=_waiting(call, mail), customer=customer, ticket=ticket)
    return one(call, given.number)


@endpoint(router, "POST", "/waiting_mails/{int:mail}/throw_away", "desk.change", answer=None, status=204)
def throw_waiting_mail_away(request: HttpRequest, mail: Id) -> Answer:
    """Let nothing become of a mail that waits. It lies in the archive folder."""
    call = call_of(request)
    services.throw_mail_away(call.actor, mail=_waiting(call, mail))
    return Answer(None)


@endpoint(
    router, "GET", "/tickets/{int:ticket}/files/{int:file}", "desk.view", answer=None,
    media="application/octet-stream",
)  # fmt: skip
def get_ticket_file(request: HttpRequest, ticket: Number, file: Id) -> HttpResponse:
    """A file of a ticket, byte by byte."""
    rows = TicketAttachment.objects.filter(message__ticket=ticket_by_number(call_of(request).seller.pk, ticket))
    found = rows.filter(pk=file).first()
    if found is None:
        raise Refused("not_found", "There is no file %(id)s on ticket %(number)s.", id=file, number=ticket)
    answer = HttpResponse(bytes(found.content), content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _desk_mail(call: Call) -> DeskMailOut:
    kept = settings_of(call.seller.pk)
    return DeskMailOut(reply_to=kept.reply_to, receipts=kept.receipts)


@endpoint(router, "GET", "/desk_mail", "settings.view", answer=DeskMailOut)
def get_desk_mail(request: HttpRequest) -> DeskMailOut:
    """How mails about tickets go out."""
    return _desk_mail(call_of(request))


@endpoint(router, "PUT", "/desk_mail", "settings.change", answer=DeskMailOut)
def put_desk_mail(request: HttpRequest, body: DeskMailIn) -> DeskMailOut:
    """Say where customers answer to, and whether they are told that a ticket arrived."""
    call = call_of(request)
    services.set_desk_mail(call.actor, seller=call.seller, receipts=body.receipts, reply_to=body.reply_to)
    return _desk_mail(call)
