"""Usage: records in and out, each with its verdict; what waits and why."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import ANSWER, Answer, endpoint
from taktura.api.fields import Day, In, Key, Moment, Number, Out, Text100, Text300, Told, Whole
from taktura.api.paging import LIMIT, After, Limit, narrowed, page_of
from taktura.api.parsing import JSON, check_media
from taktura.api.problems import Fault, language_of
from taktura.billing import services as billing
from taktura.billing.services.waiting import Tied
from taktura.contracts.queries import by_key
from taktura.core.errors import Refused
from taktura.kit.language import text_of
from taktura.usage.models import UsageException, UsageHistory, UsageRecord
from taktura.usage.overview import write_products
from taktura.usage.queries import record_by_id, waiting_by_reason
from taktura.usage.services import Entry, Unread, Verdict, withdraw_usage
from taktura.usage.services.records import DEFAULT_SOURCE, MAX_BATCH
from taktura.usage.trace import revisions

router = Router()
MOST_BYTES = 16 * 1024**2
MOST_REVISIONS = 500  # of a record that are told
Reason = Literal[
    "unknown_key", "no_contract", "no_subscription", "before_start", "after_end", "closed_period", "currency",
    "no_rate", "paused", "invalid",
]  # fmt: skip


class RecordIn(In):
    """A usage record: an `article` or a `key`, with a `quantity` or a `duration`."""

    contract: Text100 | None = None
    article: Text100 | None = None
    key: Text100 | None = Field(None, description="ties a data source to a tariff line; instead of `article`")
    quantity: Number | None = None
    duration: Whole | None = Field(None, description="whole seconds")
    at: Moment | None = Field(None, description="when; null: now. The same as `from`")
    from_: Moment | None = Field(
        None, validation_alias="from", serialization_alias="from", description="the beginning of a span"
    )  # fmt: skip
    until: Moment | None = Field(None, description="the end of a span, exclusive")
    id: Text300 | None = Field(None, description="unique within `source` over all time; made up where none is given")
    source: Text100 | None = Field(None, description="who sends it; `usage` where none is given")
    revision: Whole | None = Field(None, description="a higher one replaces the record of the same id (R12.2)")
    cost: Number | None = Field(None, description="the purchase cost of one unit")
    price: Number | None = Field(None, description="the imported price of one unit")
    attributes: dict[str, Any] | None = None


class VerdictOut(Out):
    """What became of one record. `reasons`: what of it waits; a record partly outside its line is recorded, too."""

    verdict: Literal["recorded", "duplicate", "conflict", "waiting", "refused"]
    id: str
    source: str
    reasons: list[str]
    code: str | None
    detail: str | None


class UsageDone(Out):
    """How many of each, and a verdict for each record in the order in which they were sent.

    `documents`: ids of interim bills that were made because a contract reached its tariff's threshold (R11.3).
    """

    recorded: int
    duplicates: int
    conflicts: int
    waiting: int
    refused: int
    results: list[VerdictOut]
    documents: list[int]


class RecordOut(Out):
    """A stored record in its present revision; `seconds` are raw, `until` is the first day after it."""

    id: str
    source: str
    revision: int
    contract: str | None = Field(description="on which it is billed, or for which it was sent")
    article: str | None = Field(description="of the line that it found; null: it waits")
    sent_for: str = Field(description="the article or key it was sent for")
    supplier: str | None
    subscription: str
    product: str = Field(description="as the supplier writes it")
    at: datetime
    from_: Day = Field(validation_alias="from", serialization_alias="from")
    until: date
    quantity: Told | None
    seconds: int | None
    cost_amount: Told | None
    amount: Told | None
    discount: str = Field(description="taken off in its amounts: a percentage as in 10%, or money; empty: none")
    currency: str
    rate_day: date | None = Field(description="of the rate by which its amounts are converted; null: they are not")
    rate_over: Told | None = Field(description="amounts × `rate_over` ÷ `rate_under` are in the currency `rate_to`")
    rate_under: Told | None
    rate_to: str | None
    attributes: dict[str, Any] | None
    file: int | None
    row: int | None


class Records(Out):
    """A page of records."""

    items: list[RecordOut]
    next: str | None


class Revision(Out):
    """A revision that was replaced, or `withdrawn`, as it was; `article` is what it was sent for."""

    revision: int
    withdrawn: bool
    replaced_at: datetime
    article: str
    at: datetime
    from_: Day = Field(validation_alias="from", serialization_alias="from")
    until: date
    quantity: Told | None
    seconds: int | None
    cost_amount: Told | None
    amount: Told | None
    currency: str
    attributes: dict[str, Any] | None


class History(Out):
    """The revisions before the present one."""

    items: list[Revision]


class Waiting(Out):
    """What of a record waits, and why."""

    reason: str
    from_: Day = Field(validation_alias="from", serialization_alias="from")
    until: date
    since: datetime
    record: RecordOut


class Exceptions(Out):
    """A page of what waits; `counts` by reason are of all."""

    items: list[Waiting]
    next: str | None
    counts: dict[str, int]


class Correction(In):
    """What of a record is to be corrected; fields left out stay as they are. Amounts are of all of it."""

    contract: Key | None = None
    article: Key | None = None
    key: Key | None = Field(None, description="instead of `article`")
    quantity: Number | None = None
    seconds: Whole | None = None
    cost_amount: Number | None = None
    amount: Number | None = None
    from_: Moment | None = Field(None, validation_alias="from", serialization_alias="from")
    until: Moment | None = Field(None, description="exclusive; only with `from`")


class RecordName(In):
    """A record's name."""

    id: Annotated[Text300, Field(min_length=1)]
    source: Text100 = DEFAULT_SOURCE


class Sending(In):
    """Waiting records, and the contract or the article that they are meant for."""

    records: list[RecordName] = Field(min_length=1, max_length=1000)
    contract: Key | None = None
    article: Key | None = None


class Processed(Out):
    """How many records found their line, why others wait still (by reason), interim bills made."""

    recorded: int
    waiting: dict[str, int]
    documents: list[int]


class Corrected(Out):
    """The record as it is now, and interim bills made."""

    record: RecordOut
    documents: list[int]


class Withdrawal(In):
    """Which record is to be withdrawn."""

    id: Annotated[Text300, Field(min_length=1)]
    source: Text100 = DEFAULT_SOURCE


_one = msgspec.json.Decoder(Entry, float_hook=Decimal)
_many = msgspec.json.Decoder(list[Entry], float_hook=Decimal)
_raw = msgspec.json.Decoder(list[msgspec.Raw])
_names = msgspec.json.Decoder(dict[str, Any])
_encoder = msgspec.json.Encoder()


class _Told(msgspec.Struct):
    """A verdict as it is sent: `VerdictOut`, without the cost of checking what we have made ourselves."""

    verdict: str
    id: str
    source: str
    reasons: Sequence[str]
    code: str | None
    detail: str | None


@endpoint(
    router, "POST", "/usage", "usage.change", answer=UsageDone, raw=(JSON,), most_bytes=MOST_BYTES, body=RecordIn,
    many=MAX_BATCH, codes=("conflict",),
)  # fmt: skip
def record_usage(request: HttpRequest) -> HttpResponse:
    """Record usage: one record, or a list of up to 10,000, each with its verdict.

    A record is known by `source` and `id` for all time: sent again it is a `duplicate` and counts once, with another
    content it is a `conflict` and the first stays. What finds no contract line waits, and is looked at again when
    contracts change. A record that cannot be read is `refused` and stops no other.
    """
    call = call_of(request)
    entries = _read(request)
    outcome, verdicts, issued = billing.record_each(call.actor, seller=call.seller, entries=entries)
    counts = {word: sum(v.verdict == word for v in verdicts) for word in ("recorded", "waiting", "refused")}
    language = language_of(request)
    content = _encoder.encode(
        {
            "recorded": counts["recorded"],
            "duplicates": outcome.duplicates,
            "conflicts": sum(v.verdict == "conflict" for v in verdicts),
            "waiting": counts["waiting"],
            "refused": counts["refused"],
            "results": [_told(v, language) for v in verdicts],
            "documents": [d.id for d in issued],
        }
    )
    return HttpResponse(content, content_type=ANSWER, headers={"Cache-Control": "no-store"})


def _told(verdict: Verdict, language: str) -> _Told:
    refusal = verdict.refusal
    code, detail = (refusal.code, text_of(refusal, language)) if refusal else (None, None)
    return _Told(verdict.verdict, verdict.id, verdict.source, verdict.reasons, code, detail)


def _read(request: HttpRequest) -> list[Entry | Unread]:
    """The records of a body; one that cannot be read as its refusal. Raises `Fault`: 400, 415, 422."""
    check_media(request, JSON)
    body = request.body
    single = body.lstrip()[:1] == b"{"
    try:
        try:
            return [_one.decode(body)] if single else list(_many.decode(body))
        except msgspec.ValidationError:
            parts = [body] if single else _raw.decode(body)
            if len(parts) > MAX_BATCH:
                raise Refused("invalid", "At most %(count)s records at a time.", count=MAX_BATCH) from None
            return [_read_one(part) for part in parts]
    except msgspec.ValidationError:
        raise Refused("invalid", "Send a usage record or a list of them.") from None
    except RecursionError:
        raise Fault("malformed", why="too deep") from None
    except ValueError as error:  # no JSON, no UTF-8
        raise Fault("malformed", why=str(error)[:200]) from None


def _read_one(part: Any) -> Entry | Unread:
    try:
        return _one.decode(part)
    except msgspec.ValidationError as error:
        refusal = Refused("invalid", "The record does not fit: %(why)s.", why=str(error)[:200])
        try:
            names = _names.decode(part)
        except msgspec.ValidationError:
            names = {}
        source, name = (names.get(k) if isinstance(names.get(k), str) else "" for k in ("source", "id"))
        return Unread(refusal, str(source)[:100], str(name)[:300])


def shown(record: UsageRecord) -> RecordOut:
    """A record (with its line, contract and supplier) as it is told."""
    line = record.line
    contract = line.contract if line else record.contract
    return RecordOut(
        id=record.external_id, source=record.source, revision=record.revision,
        contract=contract.key if contract else None, article=line.article.key if line else None,
        sent_for=record.article, supplier=record.supplier.key if record.supplier else None,
        subscription=record.subscription, product=getattr(record, "written", record.product), at=record.at,
        from_=record.day, until=record.end_day,
        quantity=record.quantity, seconds=record.seconds, cost_amount=record.cost_amount, amount=record.amount,
        discount=record.discount, currency=record.currency, rate_day=record.rate_day, rate_over=record.rate_over,
        rate_under=record.rate_under, rate_to=record.rate_to, attributes=record.attributes,
        file=record.file_id, row=record.row,
    )  # fmt: skip


RELATED = ("contract", "line__contract", "line__article", "supplier")


@endpoint(router, "GET", "/usage", "usage.view", answer=Records)
def list_usage(
    request: HttpRequest,
    contract: Key | None = None,
    article: Key | None = None,
    source: Text100 | None = None,
    day_from: Day | None = None,
    day_until: Day | None = None,
    limit: Limit = LIMIT,
    after: After = "",
) -> Records:
    """Usage records, in the order in which they came.

    `contract` and `article`: those that found their line there. `day_until` is exclusive.
    """
    found = UsageRecord.objects.filter(seller=call_of(request).seller)
    wanted = {
        "line__contract__key": contract, "line__article__key": article, "source": source, "day__gte": day_from,
        "day__lt": day_until,
    }  # fmt: skip
    found = narrowed(found, wanted)
    items, following = page_of(found.select_related(*RELATED), limit, after)
    write_products(items)
    return Records(items=[shown(r) for r in items], next=following)


@endpoint(router, "GET", "/usage/record", "usage.view", answer=RecordOut, etag=True)
def get_usage(request: HttpRequest, id: Text300, source: Text100 = DEFAULT_SOURCE) -> RecordOut:  # noqa: A002
    """One usage record by its id."""
    return one(call_of(request), id, source)


@endpoint(router, "GET", "/usage/history", "usage.view", answer=History)
def get_usage_history(request: HttpRequest, id: Text300, source: Text100 = DEFAULT_SOURCE) -> History:  # noqa: A002
    """What a usage record was before it was corrected or withdrawn, the newest first; at most 500."""
    rows = revisions(call_of(request).seller.pk, source, id)[:MOST_REVISIONS]
    return History(items=[_revision(row) for row in rows])


def _revision(row: UsageHistory) -> Revision:
    named = {"revision": row.revision, "withdrawn": row.withdrawn, "replaced_at": row.replaced_at}
    days = {"from": row.record["day"], "until": row.record["end_day"]}
    return Revision.model_validate(row.record | named | days)


@endpoint(router, "GET", "/usage/exceptions", "usage.view", answer=Exceptions)
def list_exceptions(
    request: HttpRequest,
    reason: Reason | None = None,
    contract: Key | None = None,
    supplier: Key | None = None,
    limit: Limit = LIMIT,
    after: After = "",
) -> Exceptions:
    """What waits, and why: records without a line, and the days of records that lie outside their line's life."""
    call = call_of(request)
    found = UsageException.objects.filter(record__seller=call.seller)
    wanted = {"reason": reason, "record__contract__key": contract, "record__supplier__key": supplier}
    found = narrowed(found, wanted)
    related = found.select_related("record", *(f"record__{name}" for name in RELATED))
    items, following = page_of(related, limit, after)
    write_products(e.record for e in items)
    return Exceptions(
        items=[
            Waiting(reason=e.reason, from_=e.first, until=e.end, since=e.since, record=shown(e.record)) for e in items
        ],
        next=following, counts=waiting_by_reason(call.seller.pk),
    )  # fmt: skip


@endpoint(router, "POST", "/usage/withdraw", "usage.change", answer=None, status=204, codes=("closed_period",))
def withdraw_a_record(request: HttpRequest, body: Withdrawal) -> Answer:
    """Withdraw a record; its history stays, the difference is billed or credited (R12.2)."""
    call: Call = call_of(request)
    withdraw_usage(call.actor, seller=call.seller, external_id=body.id, source=body.source)
    return Answer(None)


def one(call: Call, id: str, source: str = DEFAULT_SOURCE) -> RecordOut:  # noqa: A002
    """A record by its name; raises `Refused` (`not_found`)."""
    record = record_by_id(call.seller.pk, source, id)
    write_products([record])
    return shown(record)


@endpoint(router, "PATCH", "/usage/record", "usage.change", answer=Corrected, codes=("closed_period",))
def correct_usage(
    request: HttpRequest, id: Text300, body: Correction, source: Text100 = DEFAULT_SOURCE  # noqa: A002
) -> Corrected:  # fmt: skip
    """Correct a usage record: its next revision, with the fields changed that are given (R12.2).

    What it was stays in its history; the difference is billed or credited with the next bill.
    """
    call = call_of(request)
    changes = body.model_dump(exclude_unset=True, exclude={"contract", "article", "key", "from_"})
    if body.contract is not None:
        changes["contract"] = by_key(call.seller.pk, body.contract)
    if body.article is not None or body.key is not None:
        changes |= {"article": body.article or body.key, "by_key": body.article is None}
    if body.from_ is not None:
        changes["start"] = body.from_
    record = record_by_id(call.seller.pk, source, id)
    _, issued = billing.correct_usage(call.actor, seller=call.seller, record=record, changes=changes)
    return Corrected(record=one(call, id, source), documents=[d.id for d in issued])


@endpoint(router, "POST", "/usage/send_to", "usage.change", answer=Processed, codes=("closed_period", "conflict"))
def send_usage_to(request: HttpRequest, body: Sending) -> Processed:
    """Send waiting records to another contract or for another article, each as a correction of its own."""
    call = call_of(request)
    rows = [record_by_id(call.seller.pk, r.source, r.id).pk for r in body.records]
    contract = by_key(call.seller.pk, body.contract) if body.contract else None
    tied = billing.send_to(
        call.actor, seller=call.seller, records=rows, contract=contract, article=body.article or ""
    )  # fmt: skip
    return _processed(tied)


@endpoint(router, "POST", "/usage/reprocess", "usage.change", answer=Processed, codes=("conflict",))
def process_again(request: HttpRequest) -> Processed:
    """Process again all that waits, of all suppliers and callers."""
    call = call_of(request)
    return _processed(billing.process_again(call.actor, seller=call.seller))


def _processed(tied: Tied) -> Processed:
    counts = {reason: tied.waiting.count(reason) for reason in sorted(set(tied.waiting))}
    return Processed(recorded=tied.recorded, waiting=counts, documents=[d.id for d in tied.issued])
