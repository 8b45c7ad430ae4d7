"""Mailboxes that are looked into by IMAP, and what became of each mail."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, Strict

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Day, Flag, Id, In, Key, Out, Text200
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.v1.documents import Order
from taktura.billing.services import mailboxes as services
from taktura.desk.queries import queue_by_id
from taktura.kit.mailbox import queries
from taktura.kit.mailbox.models import IncomingMail, Mailbox
from taktura.usage.models import Supplier
from taktura.usage.queries import supplier_by_key

router = Router()
VIEW, CHANGE = "settings.view", "settings.change"
Security = Literal["none", "starttls", "tls"]
Strangers = Literal["ignore", "leave", "collect"]
STRANGE = (
    "mails of addresses that belong to no customer, where they are tickets: `collect`, they wait until somebody gives"
    " them to one (the usual); `leave`, they stay in their folder; `ignore`"
)
State = Literal["taken", "ignored", "refused", "waiting", "failed"]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
Line = Annotated[str, Strict(), Field(min_length=1, max_length=200)]
Senders = Annotated[
    list[Annotated[str, Strict(), Field(max_length=254)]],
    Field(max_length=services.MOST_SENDERS, description="addresses, and domains as in `@example.com`"),
]  # fmt: skip


class MailboxIn(In):
    """A new mailbox. `usage`: each attachment of its mails is a usage file of the supplier; `tickets`: each mail is a
    ticket of the customer to whom its sender belongs, or an answer on one."""

    purpose: Literal["usage", "tickets"] = "usage"
    supplier: Key | None = Field(None, description="whose usage files they are")
    queue: Id | None = Field(None, description="where new tickets wait; null: in none")
    host: Line
    port: Port = 993
    security: Security = "tls"
    user: Line
    password: Text200 = Field(min_length=1, description="it is never told")
    folder: Line = "INBOX"
    archive: Line = Field("Archive", description="where mails are moved once they are taken; it is made if need be")
    not_before: Day | None = Field(None, description="mails that came before stay where they are; null: today")
    senders: Senders = Field(
        [], description="from whom mails are taken: addresses, and domains as in `@example.com`; empty: from everybody,"
        " which usage files do not allow",
    )  # fmt: skip
    strangers: Strangers | None = Field(None, description=STRANGE)


class MailboxChange(In):
    """What can be changed of a mailbox; fields left out stay as they are."""

    supplier: Key | None = None
    queue: Id | None = Field(None, description="where new tickets wait; null: in none")
    host: Line | None = None
    port: Port | None = None
    security: Security | None = None
    user: Line | None = None
    password: Text200 | None = Field(None, description="null: the one that is kept stays")
    folder: Line | None = None
    archive: Line | None = None
    not_before: Day | None = None
    senders: Senders | None = None
    strangers: Strangers | None = Field(None, description=STRANGE)
    active: Flag | None = Field(None, description="false: nobody looks into it for the time being")


class MailboxOut(Out):
    """A mailbox without its password, and how the last look into it went. `error`: why it failed, empty if not."""

    id: int
    purpose: str
    supplier: str | None
    queue: int | None = Field(description="where new tickets wait")
    host: str
    port: int
    security: str
    user: str
    folder: str
    archive: str
    not_before: date
    senders: list[str]
    strangers: str
    active: bool
    looked_at: datetime | None
    succeeded_at: datetime | None
    next_at: datetime | None = Field(description="the next look; null while it is off")
    failures: int = Field(description="looks that failed since the last that went well")
    error: str


class Mailboxes(Out):
    """A page of mailboxes."""

    items: list[MailboxOut]
    next: str | None


class Tried(Out):
    """Whether a mailbox can be reached: `error` says what is wrong; `mails` lie in its folder."""

    works: bool
    mails: int | None
    error: str


class Incoming(Out):
    """A mail that came. `taken`: it caused what `about` names (`usage_file:12`, `ticket:5`); `ignored`: it is none of
    ours; `refused`: nothing could be taken from it; `waiting`: for a person; `failed`: by a fault, it is tried again.
    `verdict` says so in sentences."""

    id: int
    mailbox: int
    sender: str
    subject: str
    message_id: str
    sent_at: datetime | None
    size: int = Field(description="bytes")
    state: State
    verdict: list[str]
    about: list[str]
    attempts: int
    looked_at: datetime
    archived_at: datetime | None


class IncomingMails(Out):
    """A page of mails."""

    items: list[Incoming]
    next: str | None


def _owner(call: Call) -> str:
    return f"seller:{call.seller.pk}"


def _suppliers(mailboxes: list[Mailbox]) -> dict[str, str]:
    ids = [int(m.target.partition(":")[2]) for m in mailboxes if m.target.startswith("supplier:")]
    return {f"supplier:{pk}": key for pk, key in Supplier.objects.filter(pk__in=ids).values_list("pk", "key")}


def _mailbox(mailbox: Mailbox, suppliers: dict[str, str]) -> MailboxOut:
    computed = {"supplier", "queue", "next_at", "error"}
    fields = {name: getattr(mailbox, name) for name in MailboxOut.model_fields if name not in computed}
    error = queries.sentences([mailbox.error], "en")[0] if mailbox.error else ""
    next_at = mailbox.next_at if mailbox.active else None
    kind, _, pk = mailbox.target.partition(":")
    queue = int(pk) if kind == "queue" else None
    return MailboxOut(**fields, supplier=suppliers.get(mailbox.target), queue=queue, next_at=next_at, error=error)


def one(call: Call, mailbox: int) -> MailboxOut:
    """A mailbox; raises `Refused` (`not_found`)."""
    found = queries.mailbox_by_id(_owner(call), mailbox)
    return _mailbox(found, _suppliers([found]))


def _incoming(mail: IncomingMail) -> Incoming:
    names = [n for n in Incoming.model_fields if n not in ("mailbox", "message_id", "verdict")]
    fields: dict[str, Any] = {name: getattr(mail, name) for name in names}
    message_id = mail.identity if mail.identity.startswith("<") else ""
    verdict = queries.sentences(mail.said, "en")
    return Incoming(**fields, mailbox=mail.mailbox_id, message_id=message_id, verdict=verdict)


@endpoint(router, "GET", "/mailboxes", VIEW, answer=Mailboxes)
def list_mailboxes(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> Mailboxes:
    """Mailboxes, in the order in which they were made, and how the last look into each went."""
    items, following = page_of(queries.mailboxes(_owner(call_of(request))), limit, after)
    suppliers = _suppliers(items)
    return Mailboxes(items=[_mailbox(m, suppliers) for m in items], next=following)


@endpoint(router, "POST", "/mailboxes", CHANGE, answer=MailboxOut, status=201, codes=("conflict",))
def create_mailbox(request: HttpRequest, body: MailboxIn) -> Answer:
    """Look into a folder of an IMAP account every minute, from now on.

    Each attachment of a mail from one of the senders is loaded as a usage file of the supplier, as if it had been
    uploaded; or each mail is a ticket. Whether the account can be reached says `try_mailbox`.
    """
    call = call_of(request)
    fields = body.model_dump(exclude={"supplier", "queue"}, exclude_none=True)
    supplier = supplier_by_key(call.seller.pk, body.supplier) if body.supplier is not None else None
    if body.queue is not None:
        fields["queue"] = queue_by_id(call.seller.pk, body.queue)
    made = services.create_mailbox(call.actor, seller=call.seller, supplier=supplier, **fields)
    return Answer(one(call, made.pk), location("mailboxes", made.pk))


@endpoint(router, "GET", "/mailboxes/{int:mailbox}", VIEW, answer=MailboxOut, etag=True)
def get_mailbox(request: HttpRequest, mailbox: Id) -> MailboxOut:
    """A mailbox, and how the last look into it went."""
    return one(call_of(request), mailbox)


@endpoint(router, "PATCH", "/mailboxes/{int:mailbox}", CHANGE, answer=MailboxOut, etag=True, of=one,
          codes=("conflict",))  # fmt: skip
def change_mailbox(request: HttpRequest, mailbox: Id, body: MailboxChange) -> MailboxOut:
    """Change a mailbox: the fields that are given. Another host or user asks for the password anew."""
    call = call_of(request)
    fields = body.model_dump(exclude={"supplier", "queue"}, exclude_none=True)
    supplier = supplier_by_key(call.seller.pk, body.supplier) if body.supplier is not None else None
    if "queue" in body.model_fields_set:
        fields["queue"] = queue_by_id(call.seller.pk, body.queue) if body.queue is not None else None
    found = queries.mailbox_by_id(_owner(call), mailbox)
    services.change_mailbox(call.actor, mailbox=found, supplier=supplier, **fields)
    return one(call, mailbox)


@endpoint(router, "DELETE", "/mailboxes/{int:mailbox}", CHANGE, answer=None, status=204, of=one)
def delete_mailbox(request: HttpRequest, mailbox: Id) -> Answer:
    """Look into a mailbox no more. What its mails brought stays, and so do they on the server."""
    call = call_of(request)
    services.remove_mailbox(call.actor, mailbox=queries.mailbox_by_id(_owner(call), mailbox))
    return Answer(None)


@endpoint(router, "POST", "/mailboxes/{int:mailbox}/try", CHANGE, answer=Tried, looks=True)
def try_mailbox(request: HttpRequest, mailbox: Id) -> Tried:
    """Sign in and look, to see whether it works. Nothing is taken."""
    call = call_of(request)
    refused, mails = services.try_mailbox(mailbox=queries.mailbox_by_id(_owner(call), mailbox))
    return Tried(works=refused is None, mails=mails, error=str(refused or ""))


@endpoint(router, "POST", "/mailboxes/{int:mailbox}/look", "jobs.retry", answer=MailboxOut, status=202)
def look_into_mailbox(request: HttpRequest, mailbox: Id) -> MailboxOut:
    """Let a mailbox be looked into at once. What comes of it tells the list of mails."""
    call = call_of(request)
    services.look_now(call.actor, mailbox=queries.mailbox_by_id(_owner(call), mailbox))
    return one(call, mailbox)


@endpoint(router, "GET", "/incoming_mails", "jobs.view", answer=IncomingMails)
def list_incoming_mails(
    request: HttpRequest,
    mailbox: Id | None = None,
    state: State | None = None,
    order: Order = "newest_first",
    limit: Limit = LIMIT,
    after: After = "",
) -> IncomingMails:
    """The mails that came, and what became of each."""
    rows = queries.incoming(_owner(call_of(request)), mailbox=mailbox, state=state or "")
    items, following = page_of(rows, limit, after, newest_first=order == "newest_first")
    return IncomingMails(items=[_incoming(m) for m in items], next=following)


@endpoint(router, "GET", "/incoming_mails/{int:mail}", "jobs.view", answer=Incoming)
def get_incoming_mail(request: HttpRequest, mail: Id) -> Incoming:
    """A mail that came, and what became of it."""
    return _incoming(queries.incoming_by_id(_owner(call_of(request)), mail))


@endpoint(router, "POST", "/incoming_mails/{int:mail}/take_again", "jobs.retry", answer=Incoming, status=202)
def take_mail_again(request: HttpRequest, mail: Id) -> Incoming:
    """Try a mail again that failed."""
    call = call_of(request)
    services.take_again(call.actor, mail=queries.incoming_by_id(_owner(call), mail))
    return _incoming(queries.incoming_by_id(_owner(call), mail))
