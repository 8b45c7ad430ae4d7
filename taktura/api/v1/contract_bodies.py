"""Contracts as they are told, and what commands on them take and give."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from django.db.models import Prefetch, QuerySet
from pydantic import Field

from taktura.api.call import Call
from taktura.api.fields import (
    Amount,
    Anchor,
    Day,
    Flag,
    In,
    Key,
    Lines,
    Moment,
    Number,
    Out,
    Text40,
    Text100,
    Text200,
    Told,
    Whole,
)
from taktura.api.v1.document_bodies import DocumentOut, DraftOut, documents_out, drafts_out
from taktura.api.v1.offer import NoticeOut
from taktura.billing.services import Consequence
from taktura.contracts.models import Contract, ContractLine, LineConditions, LineQuantity
from taktura.contracts.queries import by_key, heir_of, state, status_on
from taktura.core.periods import DAY
from taktura.invoices.queries import balance
from taktura.invoices.services import Issued
from taktura.kit.language import text_of

BILLS: Final = 1  # that a preview shows after the command, and without it
Status = Literal["pending", "active", "paused", "ended"]


class QuantityOut(Out):
    """A quantity from a day on; of several for one day the last holds. Changes that were taken back are left out."""

    from_: Day = Field(validation_alias="from", serialization_alias="from")
    quantity: Told
    memo: str


class ConditionsOut(Out):
    """All own conditions of a line from a day on; of several for one day the last hold."""

    from_: Day = Field(validation_alias="from", serialization_alias="from")
    price: Told | None = Field(description="the contract's own price, null: the tariff's")
    discount: Told
    reason: str
    minimum_quantity: Told | None
    memo: str


class ContractLineOut(Out):
    """A contract line; `until` is exclusive, null while no end is fixed. Quantity and conditions are today's, of a line
    to come those of its first day."""

    article: str
    line: str = Field(description="its name, where it has one")
    charge: str
    booking: str
    from_: Day = Field(validation_alias="from", serialization_alias="from")
    until: date | None
    notice_received: date | None = Field(description="of this line alone")
    quantity: Told
    quantities: list[QuantityOut]
    price: Told | None = Field(description="the contract's own price, null: the tariff's")
    discount: Told
    reason: str
    minimum_quantity: Told | None
    conditions: list[ConditionsOut] = Field(description="changes of its own conditions, past and to come")
    memo: str


class SpanOut(Out):
    """Days from one, included, to another, excluded; null: no end."""

    from_: Day = Field(validation_alias="from", serialization_alias="from")
    until: date | None


class PhaseOut(SpanOut):
    """A span under one tariff."""

    tariff: str


class GivenCouponOut(SpanOut):
    """A coupon given to the contract; it counts for periods that begin in the span."""

    coupon: str
    code: str | None = Field(description="by which it was redeemed; null: by the coupon's key, or by staff")
    given: date


class ContractSummary(Out):
    """A contract without its lines. `ends` is exclusive, null while no end is fixed."""

    contract: str
    customer: str
    tariff: str
    currency: str
    status: str
    start: date
    ends: date | None
    next_billing: date | None
    signed_at: datetime


class ContractOut(ContractSummary):
    """A contract as it stands today. `notice_deadline` is the last day of receipt for the earliest end in reach."""

    last_day: date | None
    notice_deadline: date | None
    notice_received: date | None
    billed_until: date | None
    trial_end: date | None
    anchor: str
    offer_number: str | None = Field(description="by which it was ordered")
    transferred_from: str | None = Field(description="the contract of another customer that it goes on with")
    transferred_to: str | None = Field(description="the contract of another customer that goes on with it")
    notice: NoticeOut
    conversion: str = Field(
        description="by which rate suppliers' amounts in another currency are converted: day, month; empty: they wait"
    )
    balance: Told = Field(description="the open amount; below zero the customer has credit")
    lines: list[ContractLineOut]
    pauses: list[SpanOut]
    coupons: list[GivenCouponOut]
    tariffs: list[PhaseOut]


class BillOut(Out):
    """A bill on a day, with the documents that it makes."""

    on: date
    documents: list[DraftOut]


class RefusalOut(Out):
    """Why something cannot be done yet, though the request is right."""

    code: str
    detail: str


class Foreseen(Out):
    """What a command would do: the documents that it makes at once, and the next bill after it (`before`: without it).

    `refused`: what is to be completed first (billing information, numbers).
    """

    documents: list[DraftOut]
    before: list[BillOut]
    bills: list[BillOut]
    refused: RefusalOut | None
    ends: date | None = Field(description="the end (exclusive) of what ends by it")


class Done(Out):
    """What a command did: the documents that it issued, the contract afterwards. With `?preview=true` it does nothing,
    and `preview` says what it would do."""

    documents: list[DocumentOut]
    preview: Foreseen | None
    contract: ContractOut | None


class NoticeDone(Done):
    """What notice did. `ends` is exclusive."""

    ends: date
    last_day: date


class TransferDone(Done):
    """What a transfer did: the documents to both customers, the contract that ends, and the `other` that goes on. A
    preview tells of both; `within`: the billing period that the day splits, so that what is included counts anew."""

    other: ContractOut | None
    other_preview: Foreseen | None
    within: SpanOut | None


class Conditions(In):
    """A contract's own conditions for an article."""

    price: Amount | None = None
    discount: Amount | None = Field(None, description="percent")
    reason: Text200 | None = None
    minimum_quantity: Amount | None = None


class ContractIn(In):
    """A contract to be signed, with its included lines and the add-ons in `quantities`."""

    contract: Key
    customer: Key
    tariff: Key
    start: Day
    offer_number: Text40 | None = None
    quantities: Annotated[dict[Key, Amount], Field(max_length=500)] | None = None
    coupon: Key | None = Field(None, description="its key, or one of its codes")
    anchor: Anchor | None = Field(None, description="null: the tariff's")
    conditions: Annotated[dict[Key, Conditions], Field(max_length=500)] | None = None
    billed_until: Day | None = Field(None, description="exclusive: another system has billed it so far")


class Booking(Conditions):
    """A line to be booked."""

    article: Key
    quantity: Amount = Decimal(1)
    from_: Day = Field(validation_alias="from", serialization_alias="from")
    until: Day | None = None
    memo: Lines | None = None
    bill: Literal["next", "now"] = Field("next", description="now: its first period is billed at once")
    as_: Text100 | None = Field(None, validation_alias="as", serialization_alias="as", description="the line's name")


class OfLine(In):
    """Which line is meant: by article, and by name where several have it."""

    article: Key
    line: Text100 | None = None


class QuantityChange(OfLine):
    """Another quantity from a day on."""

    quantity: Amount
    from_: Day = Field(validation_alias="from", serialization_alias="from")
    memo: Lines | None = None


class ConditionsChange(OfLine):
    """All own conditions of a line from a day on; what is left out is the tariff's from then on."""

    price: Amount | None = None
    discount: Amount | None = Field(None, description="percent")
    reason: Text200 | None = None
    minimum_quantity: Amount | None = None
    from_: Day = Field(validation_alias="from", serialization_alias="from")
    memo: Lines | None = None


class QuantityTakenBack(OfLine):
    """A change of quantity that is taken back: the last one from this day that holds."""

    from_: Day = Field(validation_alias="from", serialization_alias="from")
    memo: Lines | None = None


class LineEnd(OfLine):
    """The end of a line; `until` is exclusive."""

    until: Day


class Notice(In):
    """Notice of the contract, or of one line that has terms of its own."""

    article: Key | None = None
    line: Text100 | None = None
    received: Day | None = Field(None, description="null: today")
    end: Day | None = Field(None, description="a wished last day; it moves to the next one permitted")
    confirm: Flag = Field(False, description="mail a confirmation to the customer, where an address is known")


class TariffChange(In):
    """Another tariff from a day on."""

    tariff: Key
    from_: Day = Field(validation_alias="from", serialization_alias="from")
    keep_billing_dates: Flag = True
    keep_terms: Flag = True
    keep: list[Key] = Field([], max_length=500, description="articles whose lines go on at their old terms")


class TransferIn(In):
    """Another customer for the contract, from a day on."""

    customer: Key
    from_: Day = Field(validation_alias="from", serialization_alias="from")
    as_: Key | None = Field(
        None, validation_alias="as", serialization_alias="as", description="the other contract; null: counted on"
    )


class PauseIn(In):
    """A pause; `until` is exclusive, null: until it is resumed."""

    from_: Day = Field(validation_alias="from", serialization_alias="from")
    until: Day | None = None


class Resumption(In):
    """The end of a pause."""

    from_: Day = Field(validation_alias="from", serialization_alias="from")


class Redemption(In):
    """A coupon for the contract."""

    coupon: Key = Field(description="its key, or one of its codes")


class Conversion(In):
    """Whether and by which rate suppliers' amounts in another currency are converted."""

    rule: Literal["day", "month"] | None = Field(
        description="the rate of the day of usage, or of the first day of its month; null: they wait"
    )


class InterimBill(In):
    """A bill before the billing date."""

    leave_out: list[Literal["usage", "time", "sales_items"]] = Field([], max_length=3)


class UsageIn(In):
    """One usage record of an instant."""

    article: Key
    quantity: Number | None = None
    duration: Whole | None = Field(None, description="whole seconds")
    at: Moment | None = Field(None, description="null: now")


class UsageForeseen(Out):
    """What a usage record would do; `waits`: why it would wait."""

    preview: Foreseen
    waits: str | None


class DeadlineOut(Out):
    """A contract whose deadline of notice comes: then it ends on `ends` (exclusive), else it binds until `later`."""

    contract: str
    customer: str
    deadline: date
    ends: date
    later: date


class Deadlines(Out):
    """Deadlines of notice, the next ones first; `more`: there are others beyond these 500."""

    items: list[DeadlineOut]
    more: bool


def head(contract: Contract, today: date) -> ContractSummary:
    """A contract (with customer, tariff and pauses) without its lines."""
    return ContractSummary(
        contract=contract.key, customer=contract.customer.key, tariff=contract.tariff.key, currency=contract.currency,
        status=status_on(contract, today), start=contract.start, ends=contract.end, next_billing=contract.next_due,
        signed_at=contract.signed_at,
    )  # fmt: skip


def one(call: Call, contract: str) -> ContractOut:
    """The contract of a key as it stands today; raises `Refused` (`not_found`)."""
    found = by_key(call.seller.pk, contract)
    today, heir = call.today, heir_of(found)
    now = state(found, today)
    return ContractOut(
        **head(found, today).model_dump(), last_day=found.end - DAY if found.end else None,
        notice_deadline=now.notice_deadline, notice_received=found.notice_received, billed_until=found.billed_until,
        trial_end=found.trial_end, anchor=found.anchor,
        offer_number=found.offer_number.number if found.offer_number else None,
        transferred_from=found.transferred_from.key if found.transferred_from else None,
        transferred_to=heir.key if heir else None, notice=found.terms, conversion=found.conversion,
        balance=balance(found.pk).exact,
        lines=[_line(line, today) for line in _lines(found)],
        pauses=[SpanOut(from_=p.start, until=p.end) for p in found.pauses.all()],
        coupons=[
            GivenCouponOut(
                coupon=c.coupon.key, code=c.code.code if c.code else None, given=c.given, from_=c.first, until=c.end
            )
            for c in found.coupons.select_related("coupon", "code")
        ],
        tariffs=[
            PhaseOut(tariff=p.tariff.key, from_=p.start, until=p.end) for p in found.phases.select_related("tariff")
        ],
    )  # fmt: skip


def _lines(contract: Contract) -> QuerySet[ContractLine]:
    found = ContractLine.objects.filter(contract=contract).select_related("article")
    held = Prefetch("quantities", LineQuantity.objects.filter(taken_back_at__isnull=True))
    return found.prefetch_related(held, "conditions").order_by("id")


def _line(line: ContractLine, today: date) -> ContractLineOut:
    timeline: Sequence[LineQuantity] = list(line.quantities.all())
    day = max(today, line.start)  # of a line to come what it begins with
    begun = [q for q in timeline if q.start <= day] or timeline[:1]
    agreed: Sequence[LineConditions] = list(line.conditions.all())
    own = next((c for c in reversed(agreed) if c.start <= day), line)
    return ContractLineOut(
        article=line.article.key, line=line.name, charge=line.charge, booking=line.booking, from_=line.start,
        until=line.end, notice_received=line.notice_received, quantity=begun[-1].quantity,
        quantities=[QuantityOut(from_=q.start, quantity=q.quantity, memo=q.memo) for q in timeline],
        price=own.price, discount=own.discount, reason=own.reason, minimum_quantity=own.minimum_quantity,
        conditions=[
            ConditionsOut(
                from_=c.start, price=c.price, discount=c.discount, reason=c.reason,
                minimum_quantity=c.minimum_quantity, memo=c.memo,
            )
            for c in agreed
        ],
        memo=line.memo,
    )  # fmt: skip


def done(call: Call, contract: str, issued: Sequence[Issued]) -> Done:
    """What a command did."""
    return Done(documents=documents_out(d.id for d in issued), preview=None, contract=one(call, contract))


def would(call: Call, found: Consequence) -> Done:
    """What a command would do."""
    return Done(documents=[], preview=foreseen(call, found), contract=None)


def foreseen(call: Call, found: Consequence) -> Foreseen:
    """A consequence as it is told."""
    refusal = found.refused
    return Foreseen(
        documents=drafts_out(found.documents),
        before=[BillOut(on=b.on, documents=drafts_out(b.documents)) for b in found.before],
        bills=[BillOut(on=b.on, documents=drafts_out(b.documents)) for b in found.bills],
        refused=RefusalOut(code=refusal.code, detail=text_of(refusal, call.language)) if refusal else None,
        ends=found.ends,
    )
