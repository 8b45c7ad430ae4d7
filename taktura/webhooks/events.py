"""From entries of the log to events: stable names for what happened, with what other systems know it by.

The log is the outbox. An entry is written in the transaction of the act that it tells of, and entries are appended
under one lock that is held until that transaction is done (`audit.services.record`). So ids are given in the order in
which entries become visible: whoever has read up to an entry has missed none before it, and none comes later.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from taktura.audit.models import LogEntry
from taktura.contracts.models import Contract, NoticeRequest, Order
from taktura.customers.models import Customer
from taktura.desk.models import Ticket
from taktura.invoices.models import Document
from taktura.invoices.queries import exact
from taktura.kit.bulk import among
from taktura.kit.exact import json_text
from taktura.usage.models import Supplier

# Types, in the order in which people choose them.
TYPES = (
    "invoice.issued", "credit_note.issued", "payment.received",
    "contract.signed", "contract.changed", "contract.notice_given", "contract.notice_withdrawn",
    "order.received", "order.approved", "order.refused", "notice.received",
    "customer.created", "customer.changed",
    "usage.recorded", "usage.withdrawn", "sales_item.created", "alert.raised", "alert.resolved",
    "ticket.opened", "ticket.answered", "ticket.changed", "ticket.solved", "ticket.merged", "time.approved",
)  # fmt: skip
TEST = "webhook.test"  # sent by hand, to whatever an endpoint listens to


@dataclass(frozen=True, slots=True)
class Kind:
    """What an action of the log is to others: the event's type, the fields of the entry that are told, what changed."""

    type: str
    fields: tuple[str, ...] = ()
    change: str = ""


# What events are about, as the subjects of entries begin.
SUBJECTS = ("document", "customer", "contract", "supplier", "order", "notice_request", "ticket")

DONE = ("solved", "closed")  # states of tickets that wait for nobody
# What an entry says of an alert of control.
ALERT = ("alert", "kind", "article", "forecast", "start", "until", "value", "bound", "foreseen", "tolerance")

# Actions of the log that are events by themselves. Entries that name documents are events of those documents, besides.
KINDS: dict[str, Kind] = {
    "create_customer": Kind("customer.created", ("name",)),
    "change_customer": Kind("customer.changed", (), "customer"),
    "set_billing_information": Kind("customer.changed", (), "billing_information"),
    "sign": Kind("contract.signed", ("tariff", "start")),
    "book": Kind("contract.changed", ("article", "quantity", "from"), "booked"),
    "extend_contract": Kind("contract.changed", ("article", "quantity", "from"), "booked"),
    "change_quantity": Kind("contract.changed", ("article", "quantity", "from"), "quantity"),
    "change_conditions": Kind(
        "contract.changed", ("article", "from", "price", "discount", "reason", "minimum_quantity"), "conditions"
    ),
    "take_back_quantity": Kind("contract.changed", ("article", "quantity", "from"), "quantity_taken_back"),
    "end_line": Kind("contract.changed", ("article", "until"), "line_ended"),
    "change_tariff": Kind("contract.changed", ("tariff", "from"), "tariff"),
    "transfer": Kind("contract.changed", ("from", "to_contract", "to_customer"), "transferred"),
    "take_over": Kind("contract.signed", ("tariff", "start", "from_contract")),
    "pause": Kind("contract.changed", ("from", "until"), "paused"),
    "resume": Kind("contract.changed", ("from",), "resumed"),
    "redeem": Kind("contract.changed", ("coupon",), "coupon"),
    "give_notice": Kind("contract.notice_given", ("received", "ends", "line")),
    "withdraw_notice": Kind("contract.notice_withdrawn", ("line",)),
    "confirm_order": Kind("order.received", ("tariff",)),
    "approve_order": Kind("order.approved", ("contract", "customer")),
    "refuse_order": Kind("order.refused", ("reason",)),
    "receive_notice": Kind("notice.received", ("number", "state")),
    "pay": Kind("payment.received"),
    "record_usage": Kind("usage.recorded", ("recorded", "waiting")),
    "receive_file": Kind("usage.recorded", ("file", "recorded", "waiting")),
    "import_rows": Kind("usage.recorded", ("recorded",)),
    "reprocess": Kind("usage.recorded", ("recorded", "waiting")),
    "process_again": Kind("usage.recorded", ("recorded", "waiting")),
    "withdraw_usage": Kind("usage.withdrawn", ("source", "id")),
    "sell": Kind("sales_item.created", ("item",)),
    "alert_raised": Kind("alert.raised", ALERT),
    "alert_raised_again": Kind("alert.raised", ALERT, "again"),
    "alert_resolved": Kind("alert.resolved", ALERT),
    "open_ticket": Kind("ticket.opened"),
    "answer_ticket": Kind("ticket.answered"),
    "change_ticket": Kind("ticket.changed"),
    "merge_tickets": Kind("ticket.merged", ("into",)),
    "approve_time": Kind("time.approved", ("time", "minutes")),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as it is told. `payload` is the text that is sent."""

    id: str
    type: str
    payload: str


@dataclass(slots=True)
class _Known:
    """The rows that a number of entries are about, of one seller."""

    seller: int
    documents: dict[int, Document]
    customers: dict[int, Customer]
    contracts: dict[int, Contract]
    suppliers: dict[int, Supplier]
    orders: set[int]
    notices: set[int]
    tickets: dict[int, Ticket]


def documents_in(entry: LogEntry) -> list[int]:
    """The documents that an entry says were issued."""
    found = entry.data.get("documents", ())
    return [pk for pk in found if isinstance(pk, int)] if isinstance(found, list) else []


def events_of(entries: Sequence[LogEntry], seller: int) -> list[Event]:
    """The events of one seller among entries of the log, in their order; in a fixed number of queries."""
    known = _load(entries, seller)
    return [event for entry in entries for event in _of(entry, known)]


def made(event_id: str, type_: str, at: datetime, data: dict[str, Any]) -> Event:
    """An event with its payload: `type`, `timestamp` and `data`; decimals are text, days and instants ISO 8601."""
    stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Event(event_id, type_, json_text({"type": type_, "timestamp": stamp, "data": data}))


def id_of(entry: LogEntry, place: int) -> str:
    """The id of an entry's event; the same whenever and for whomever it is made, and not to be guessed."""
    return "evt_" + hashlib.sha256(f"{entry.hash} {place}".encode()).hexdigest()[:32]


def _of(entry: LogEntry, known: _Known) -> Iterable[Event]:
    kinds = [kind for kind in (KINDS.get(entry.action),) if kind is not None]
    if entry.action == "change_ticket" and _solved(entry.data):
        kinds.append(Kind("ticket.solved"))
    for place, kind in enumerate(kinds):  # a document's place is its id
        data = _data(entry, kind, known)
        if data is not None:
            yield made(id_of(entry, -place), kind.type, entry.at, data)
    for pk in documents_in(entry):
        document = known.documents.get(pk)
        if document is not None:
            told = {"seller": known.seller, **_document(document)}
            yield made(id_of(entry, pk), f"{document.kind}.issued", entry.at, told)


def _data(entry: LogEntry, kind: Kind, known: _Known) -> dict[str, Any] | None:
    """What an event tells; None where it is of another seller, or where nothing happened."""
    room, pk = _subject(entry)
    told: dict[str, Any] = {"seller": known.seller}
    if room == "customer" and pk in known.customers:
        told["customer"] = known.customers[pk].key
    elif room == "contract" and pk in known.contracts:
        told |= {"contract": known.contracts[pk].key, "customer": known.contracts[pk].customer.key}
    elif room == "supplier" and pk in known.suppliers:
        told["supplier"] = known.suppliers[pk].key
    elif room == "document" and pk in known.documents:
        told |= _payment(known.documents[pk], entry.data)
    elif room == "order" and pk in known.orders:
        told["order"] = pk
    elif room == "notice_request" and pk in known.notices:
        told["notice"] = pk
    elif room == "ticket" and pk in known.tickets:
        ticket = known.tickets[pk]
        told |= {"ticket": ticket.number, "customer": ticket.customer.key, "subject": ticket.subject}
    elif not (room == "seller" and pk == known.seller):
        return None
    if kind.type == "usage.recorded" and not entry.data.get("recorded"):
        return None
    if room == "customer" and kind.type == "time.approved":
        told["ticket"] = None
    if kind.type == "ticket.answered":
        if entry.data.get("kind") == "note":  # which only staff see
            return None
        told["by"] = entry.data.get("kind")
    if kind.type == "ticket.changed":
        told["changed"] = sorted(entry.data.get("after", {}))
    if kind.type == "ticket.merged" and told["ticket"] != entry.data["number"]:  # the one that goes on has an entry too
        return None
    if kind.change:
        told["change"] = kind.change
    return told | {name: entry.data[name] for name in kind.fields if name in entry.data}


def _solved(data: dict[str, Any]) -> bool:
    """Whether a change of a ticket was that it is solved, or closed without that."""
    before, after = (data.get(side, {}).get("status", "") for side in ("before", "after"))
    return after in DONE and before not in DONE


def _payment(document: Document, data: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "kind", "number", "customer", "contract", "currency")
    whole = _document(document)
    return {name: whole[name] for name in names} | {"amount": data["amount"], "paid_on": data["on"]}


def _document(document: Document) -> dict[str, Any]:
    digits = document.digits
    return {
        "id": document.pk,
        "kind": document.kind,
        "number": document.number,
        "customer": document.customer.key,
        "contract": document.contract.key if document.contract else None,
        "issued_on": document.issued_on,
        "due_on": document.due_on,
        "currency": document.currency,
        "net": exact(document.net, digits),
        "tax": exact(document.tax, digits),
        "gross": exact(document.gross, digits),
        "references": [r.corrects.number for r in document.references.all()],
    }


def _subject(entry: LogEntry) -> tuple[str, int]:
    room, _, number = entry.subject.partition(":")
    return room, int(number) if number.isdigit() else 0


def _load(entries: Sequence[LogEntry], seller: int) -> _Known:
    subjects: dict[str, set[int]] = {name: set() for name in SUBJECTS}
    for entry in entries:
        room, pk = _subject(entry)
        if entry.action in KINDS and room in subjects:
            subjects[room].add(pk)
        subjects["document"].update(documents_in(entry))
    documents = Document.objects.filter(pk__in=among(subjects["document"]), seller=seller)
    documents = documents.select_related("customer", "contract").prefetch_related("references__corrects")
    customers = Customer.objects.filter(pk__in=among(subjects["customer"]), seller=seller)
    contracts = Contract.objects.filter(pk__in=among(subjects["contract"]), seller=seller)
    suppliers = Supplier.objects.filter(pk__in=among(subjects["supplier"]), seller=seller)
    orders = Order.objects.filter(pk__in=among(subjects["order"]), seller=seller)
    tickets = Ticket.objects.filter(pk__in=among(subjects["ticket"]), seller=seller).select_related("customer")
    notices = NoticeRequest.objects.filter(pk__in=among(subjects["notice_request"]), seller=seller)
    return _Known(
        seller,
        {row.pk: row for row in documents},
        {row.pk: row for row in customers},
        {row.pk: row for row in contracts.select_related("customer")},
        {row.pk: row for row in suppliers},
        set(orders.values_list("pk", flat=True)),
        set(notices.values_list("pk", flat=True)),
        {row.pk: row for row in tickets},
    )
