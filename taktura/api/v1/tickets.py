"""Tickets: what customers ask for, what is said about it, and the queues in which they wait."""

from base64 import b64decode
from binascii import Error as BinasciiError
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.db.models import Prefetch, Sum
from django.http import HttpRequest
from ninja import Router
from pydantic import Field, Strict

from taktura.accounts.models import User
from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Flag, Id, In, Key, Lines, Out, Text100, Text200, Text300
from taktura.api.paging import LIMIT, After, Limit, narrowed, page_of
from taktura.contracts.models import ContractLine
from taktura.contracts.queries import by_key, line_for
from taktura.core.errors import Refused
from taktura.customers.queries import customer_by_key
from taktura.desk import services
from taktura.desk.attachments import MOST_BYTES, MOST_FILES, checked
from taktura.desk.models import Queue, Ticket, TicketAttachment, TicketMessage
from taktura.desk.queries import ids_of, mails_of, queue_by_id, search, ticket_by_number, tickets_of
from taktura.kit.mail.models import OutgoingMail
from taktura.kit.mailbox.attached import Attachment
from taktura.kit.mailbox.queries import sentences

router = Router()
MOST_MOVED = 1000  # tickets at once
MOST_BODY = 20 * 1024**2  # of a message with its files
Status = Literal["open", "waiting", "solved", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
Base64 = Annotated[
    str, Strict(), Field(max_length=MOST_BODY, description="the bytes in base64", json_schema_extra={
        "contentEncoding": "base64"})
]  # fmt: skip
Files = Annotated[
    list["TicketFileIn"],
    Field(max_length=MOST_FILES, description=f"at most {MOST_FILES}, together {MOST_BYTES // 1024**2} MB; programs are"
          " refused, and what is not what its name says"),
]  # fmt: skip
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


class TicketLineIn(In):
    """A contract line: the contract, the article, and its name where several run."""

    contract: Key
    article: Key
    name: Text100 = ""


class WhereIn(In):
    """Where a ticket lies."""

    priority: Priority | None = Field(None, description="in a new ticket: normal")
    queue: Id | None = Field(None, description="null: none")
    assignee: Text200 | None = Field(None, description="the e-mail address of a user; null: nobody")
    line: TicketLineIn | None = Field(None, description="the contract line that it is about; null: none")


class TicketFileIn(In):
    """A file of a message."""

    name: Text200 = Field(min_length=1)
    content: Base64


class TicketIn(WhereIn):
    """A new ticket, with its first message where there is a text."""

    customer: Key
    subject: Text300 = Field(min_length=1)
    text: Lines = ""
    by_customer: Flag = Field(True, description="the customer's text; false: a note that only staff see")
    author: Text200 = Field("", description="who is shown with the text; empty: the key")
    requester_name: Text200 = ""
    requester_email: Text200 = Field("", description="where answers are mailed to; empty: nowhere")
    files: Files = []


class TicketChange(WhereIn):
    """What can be changed of a ticket; fields left out stay as they are."""

    subject: Text300 | None = Field(None, min_length=1)
    status: Status | None = None
    customer: Key | None = Field(None, description="only while no time was logged")
    requester_name: Text200 | None = None
    requester_email: Text200 | None = Field(None, description="where answers are mailed to; empty: nowhere")


class MessageIn(In):
    """What is said: to the customer (`staff`), by the customer, or in a `note` that only staff see."""

    kind: Literal["staff", "customer", "note"] = "staff"
    text: Lines = Field(min_length=1)
    author: Text200 = Field("", description="who is shown with it, and signs the mail; empty: the key, and nobody")
    files: Files = []


class MergeIn(In):
    """The ticket that goes on, of the same customer."""

    into: Number


class MoveIn(In):
    """Tickets, and the queue into which they go."""

    tickets: list[Number] = Field(min_length=1, max_length=MOST_MOVED, description="their numbers")
    queue: Id | None = Field(description="null: in none")


class MovedOut(Out):
    """The numbers of the tickets that were in another queue."""

    tickets: list[int]


class TicketLineOut(Out):
    """The contract line of a ticket."""

    contract: str
    article: str
    name: str


class TicketOut(Out):
    """A ticket. `answered_at`: when staff first answered; `merged_into`: the number of the ticket that goes on;
    `follows`: that of a closed one that was answered.

    `due_at`: what staff has to keep next. `solve_left`: business seconds left, while the clock stands still in time.
    """

    ticket: int = Field(description="its number")
    customer: str
    subject: str
    status: str
    priority: str
    queue: int | None
    assignee: str | None
    line: TicketLineOut | None
    channel: str
    requester_name: str
    requester_email: str
    opened_at: datetime
    changed_at: datetime
    answered_at: datetime | None
    solved_at: datetime | None
    closed_at: datetime | None
    answer_due_at: datetime | None
    solve_due_at: datetime | None
    solve_left: int | None
    due_at: datetime | None
    merged_into: int | None
    follows: int | None


class TicketFileOut(Out):
    """A file of a message; its content is at `/tickets/{ticket}/files/{file}`."""

    id: int
    name: str
    type: str = Field(description="told by its name alone")
    size: int = Field(description="bytes")


class MessageOut(Out):
    """What was said. `mail`: what became of the mail by which an answer went out (`waiting`, `sent`, `failed` …); null
    where there was none. `left_out`: why files that came with it are not here."""

    id: int
    at: datetime
    kind: str
    author: str
    text: str
    files: list[TicketFileOut]
    left_out: list[str]
    mail: str | None


class TicketDetail(TicketOut):
    """A ticket with what was said, and the minutes worked on it."""

    minutes: int
    messages: list[MessageOut]


class Tickets(Out):
    """A page of tickets."""

    items: list[TicketOut]
    next: str | None


class QueueIn(In):
    """A new queue."""

    name: Text100 = Field(min_length=1)


class QueueChange(In):
    """What can be changed of a queue; fields left out stay as they are."""

    name: Text100 | None = Field(None, min_length=1)
    active: Flag | None = Field(None, description="false: its tickets stay in it, no others come")


class QueueOut(Out):
    """Where tickets wait for somebody."""

    id: int
    name: str
    active: bool


class Queues(Out):
    """All of a seller."""

    items: list[QueueOut]


def shown(ticket: Ticket) -> dict[str, Any]:
    """A ticket as it is told."""
    line = ticket.line
    same = (
        "subject", "status", "priority", "channel", "requester_name", "requester_email", "opened_at", "changed_at",
        "answered_at", "solved_at", "closed_at", "answer_due_at", "solve_due_at", "due_at",
    )  # fmt: skip
    told = TicketLineOut(contract=line.contract.key, article=line.article.key, name=line.name) if line else None
    return {
        "ticket": ticket.number, "customer": ticket.customer.key, "queue": ticket.queue_id, "line": told,
        "assignee": ticket.assignee.email if ticket.assignee else None,
        "solve_left": None if ticket.solve_left is None else ticket.solve_left // timedelta(seconds=1),
        "merged_into": ticket.merged_into.number if ticket.merged_into else None,
        "follows": ticket.follows.number if ticket.follows else None,
        **{name: getattr(ticket, name) for name in same},
    }  # fmt: skip


def one(call: Call, ticket: int) -> TicketDetail:
    """A ticket by its number, with what was said; raises `Refused` (`not_found`)."""
    found = tickets_of(call.seller.pk).filter(pk=ticket_by_number(call.seller.pk, ticket).pk).get()
    files = Prefetch("attachments", TicketAttachment.objects.defer("content"))
    messages = list(found.messages.prefetch_related(files))
    mails = mails_of(messages)
    said = [_said(m, mails.get(m.reference)) for m in messages]
    minutes = found.time.aggregate(sum=Sum("minutes"))["sum"] or 0
    return TicketDetail(**shown(found), minutes=minutes, messages=said)


def _said(message: TicketMessage, mail: OutgoingMail | None) -> MessageOut:
    same = {name: getattr(message, name) for name in ("id", "at", "kind", "author", "text")}
    files = [TicketFileOut(id=f.pk, name=f.name, type=f.type, size=f.size) for f in message.attachments.all()]
    left_out = sentences(message.left_out, "en")
    return MessageOut(**same, files=files, left_out=left_out, mail=mail.state if mail else None)


@endpoint(router, "GET", "/tickets", "desk.view", answer=Tickets)
def list_tickets(
    request: HttpRequest, customer: Key | None = None, status: Status | None = None, priority: Priority | None = None,
    queue: Id | None = None, assignee: Text200 | None = None, unassigned: bool = False, overdue: bool = False,
    search_for: Text200 = "", limit: Limit = LIMIT, after: After = "",
) -> Tickets:  # fmt: skip
    """Tickets, in the order in which they were opened.

    `assignee`: a user's e-mail address. `unassigned`: only those of nobody. `overdue`: those that wait for staff longer
    than their service level says. `search_for`: those whose number, subject or requester holds each of these words.
    """
    wanted = {
        "customer__key": customer, "status": status, "priority": priority, "queue": queue,
        "assignee__email__iexact": assignee, "assignee__isnull": True if unassigned else None,
    }  # fmt: skip
    found = narrowed(tickets_of(call_of(request).seller.pk), wanted)
    if overdue:
        found = found.filter(status="open", due_at__lt=call_of(request).actor.now)
    if search_for:
        found = search(found, search_for)
    items, following = page_of(found, limit, after)
    return Tickets(items=[TicketOut(**shown(t)) for t in items], next=following)


@endpoint(router, "POST", "/tickets", "desk.change", answer=TicketDetail, status=201, etag=True, most_bytes=MOST_BODY)
def open_ticket(request: HttpRequest, body: TicketIn) -> Answer:
    """Open a ticket; billing information is not asked for."""
    call = call_of(request)
    fields = _where(call, body.model_dump(exclude_unset=True, exclude={"customer"}))
    if fields.get("priority", "") is None:
        del fields["priority"]
    by_customer = fields.pop("by_customer", True)
    fields["files"] = _files(body.files)
    customer = customer_by_key(call.seller.pk, body.customer)
    made = services.open_ticket(call.actor, customer=customer, channel="api", by_customer=by_customer, **fields)
    return Answer(one(call, made.number), location("tickets", made.number))


@endpoint(router, "GET", "/tickets/{int:ticket}", "desk.view", answer=TicketDetail, etag=True)
def get_ticket(request: HttpRequest, ticket: Number) -> TicketDetail:
    """A ticket with what was said, notes too."""
    return one(call_of(request), ticket)


@endpoint(router, "PATCH", "/tickets/{int:ticket}", "desk.change", answer=TicketDetail, etag=True, of=one)
def change_ticket(request: HttpRequest, ticket: Number, body: TicketChange) -> TicketDetail:
    """Change a ticket: the fields that are given."""
    call = call_of(request)
    given = body.model_dump(exclude_unset=True)
    fields = {n: v for n, v in given.items() if v is not None or n in ("queue", "assignee", "line")}
    if "customer" in fields:
        fields["customer"] = customer_by_key(call.seller.pk, fields["customer"])
    services.change_ticket(call.actor, ticket=ticket_by_number(call.seller.pk, ticket), **_where(call, fields))
    return one(call, ticket)


@endpoint(
    router,
    "POST",
    "/tickets/{int:ticket}/messages",
    "desk.change",
    answer=TicketDetail,
    status=201,
    etag=True,
    of=one,
    most_bytes=MOST_BODY,
)
def answer_ticket(request: HttpRequest, ticket: Number, body: MessageIn) -> TicketDetail:
    """Say something on a ticket.

    An answer of staff leaves an open ticket waiting for the customer; a message of the customer opens one that waits or
    is solved again. A closed one takes only notes. An answer of staff is mailed to the requester, with its files, where
    their address is known.
    """
    call = call_of(request)
    services.answer_ticket(
        call.actor,
        ticket=ticket_by_number(call.seller.pk, ticket),
        text=body.text,
        kind=body.kind,
        author=body.author,
        files=_files(body.files),
    )
    return one(call, ticket)


@endpoint(router, "POST", "/tickets/{int:ticket}/merge", "desk.change", answer=TicketDetail, etag=True, of=one)
def merge_ticket(request: HttpRequest, ticket: Number, body: MergeIn) -> TicketDetail:
    """Let a ticket go on in another of the same customer; the answer is that one.

    What was said, files, and time that is not approved go there. The old one is closed and names it; mails that answer
    it find the other one. One with approved time is refused: time is summed and billed by ticket.
    """
    call = call_of(request)
    old, into = (ticket_by_number(call.seller.pk, number) for number in (ticket, body.into))
    return one(call, services.merge_tickets(call.actor, ticket=old, into=into).number)


@endpoint(router, "POST", "/tickets/move", "desk.change", answer=MovedOut)
def move_tickets(request: HttpRequest, body: MoveIn) -> MovedOut:
    """Put tickets in a queue, all or none. One that was merged is refused."""
    call = call_of(request)
    queue = queue_by_id(call.seller.pk, body.queue) if body.queue is not None else None
    moved = services.move_tickets(
        call.actor, seller=call.seller, tickets=ids_of(call.seller.pk, body.tickets), queue=queue
    )  # fmt: skip
    return MovedOut(tickets=[one.number for one in moved])


def _files(given: list[TicketFileIn]) -> list[Attachment]:
    """Files as the service takes them. Raises `Refused` (`invalid`)."""
    found = []
    for one in given:
        try:
            found.append((one.name, b64decode(one.content, validate=True)))
        except (ValueError, BinasciiError) as error:
            raise Refused("invalid", "The content of “%(name)s” is no base64.", name=one.name) from error
    return checked(found)


def _where(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    """The rows that are meant instead of their names."""
    found: dict[str, Any] = dict(fields)
    if fields.get("queue") is not None:
        found["queue"] = queue_by_id(call.seller.pk, fields["queue"])
    if fields.get("assignee") is not None:
        found["assignee"] = _user(fields["assignee"])
    if fields.get("line") is not None:
        found["line"] = _line(call, **fields["line"])
    return found


def _user(email: str) -> User:
    found = User.objects.filter(email__iexact=email).first()
    if found is None:
        raise Refused("not_found", "There is no user “%(email)s”.", email=email)
    return found


def _line(call: Call, contract: str, article: str, name: str = "") -> ContractLine:
    return line_for(by_key(call.seller.pk, contract), article, name or None)


@endpoint(router, "GET", "/queues", "desk.view", answer=Queues)
def list_queues(request: HttpRequest) -> Queues:
    """The queues in which tickets wait."""
    rows = Queue.objects.filter(seller=call_of(request).seller).order_by("name")
    return Queues(items=[_queue(q) for q in rows])


@endpoint(router, "POST", "/queues", "settings.change", answer=QueueOut, status=201, codes=("conflict",))
def create_queue(request: HttpRequest, body: QueueIn) -> QueueOut:
    """Make a queue."""
    call = call_of(request)
    return _queue(services.add_queue(call.actor, seller=call.seller, name=body.name))


@endpoint(router, "PATCH", "/queues/{int:queue}", "settings.change", answer=QueueOut, codes=("conflict",))
def change_queue(request: HttpRequest, queue: Id, body: QueueChange) -> QueueOut:
    """Rename a queue, or put it out of use."""
    call = call_of(request)
    found = queue_by_id(call.seller.pk, queue)
    return _queue(services.change_queue(call.actor, queue=found, name=body.name, active=body.active))


def _queue(queue: Queue) -> QueueOut:
    return QueueOut(id=queue.pk, name=queue.name, active=queue.active)
