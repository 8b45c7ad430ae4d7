"""Contracts: signing, reading, and all that changes them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, View, endpoint, location
from taktura.api.fields import Day, Key, Out
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.problems import language_of
from taktura.api.v1.contract_bodies import (
    BILLS,
    BillOut,
    Booking,
    ConditionsChange,
    ContractIn,
    ContractOut,
    ContractSummary,
    Conversion,
    DeadlineOut,
    Deadlines,
    Done,
    Foreseen,
    InterimBill,
    LineEnd,
    Notice,
    NoticeDone,
    OfLine,
    PauseIn,
    QuantityChange,
    QuantityTakenBack,
    Redemption,
    Resumption,
    SpanOut,
    Status,
    TariffChange,
    TransferDone,
    TransferIn,
    UsageForeseen,
    UsageIn,
    done,
    foreseen,
    head,
    one,
    would,
)
from taktura.api.v1.document_bodies import drafts_out
from taktura.api.v1.forecast import ComparisonOut, comparison_out
from taktura.billing import services as billing
from taktura.billing.forecast import compared
from taktura.catalog.coupons import chosen
from taktura.catalog.queries import tariff_by_key
from taktura.contracts import services
from taktura.contracts.deadlines import deadlines, with_deadlines
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.queries import by_key, in_status, line_for, next_key, quantity_change
from taktura.core.periods import DAY
from taktura.customers.queries import customer_by_key
from taktura.invoices.confirmations import confirmation_of, entry_of_notice, mail_confirmation

router = Router()
MOST_DEADLINES = 500
WithinDays = Annotated[int, Field(ge=1, le=366)]
BILLING = ("billing_information_missing", "numbering_unconfirmed", "contract_ended")


class Signed(Out):
    """The contract that was signed; with `?preview=true` what its first bill would be."""

    contract: ContractOut | None
    preview: Foreseen | None


class Forecast(Out):
    """The next bills of a contract. `comparison`: the first of them beside the last that a run has issued, null where
    one of both is missing."""

    bills: list[BillOut]
    comparison: ComparisonOut | None


class Contracts(Out):
    """A page of contracts."""

    items: list[ContractSummary]
    next: str | None


def _command(path: str, *codes: str, permission: str = "contracts.change", **more: Any) -> Callable[[View], View]:
    """An endpoint that changes a contract."""
    more = {"answer": Done} | more
    return endpoint(
        router, "POST", f"/contracts/{{contract}}/{path}", permission, of=one, codes=("conflict", *codes), **more
    )


def _contract(call: Call, key: str) -> Contract:
    return by_key(call.seller.pk, key)


def _line(call: Call, contract: Contract, wanted: OfLine, day: Any) -> ContractLine:
    return line_for(contract, wanted.article, wanted.line, day)


def _confirm(call: Call, contract: Contract) -> None:
    """Mail the confirmation of what was just done, where an address is known."""
    entry = entry_of_notice(contract, call.actor.now)
    if entry is not None and confirmation_of(contract, entry).to:
        mail_confirmation(call.actor, contract=contract, entry=entry)


@endpoint(router, "GET", "/contracts", "contracts.view", answer=Contracts)
def list_contracts(
    request: HttpRequest,
    customer: Key | None = None,
    tariff: Key | None = None,
    status: Status | None = None,
    next_billing_until: Day | None = None,
    limit: Limit = LIMIT,
    after: After = "",
) -> Contracts:
    """Contracts, in the order of signing.

    `status`: as it is today. `next_billing_until`: those that fall due before this day.
    """
    call = call_of(request)
    found = Contract.objects.filter(seller=call.seller).select_related("customer", "tariff")
    if customer is not None:
        found = found.filter(customer__key=customer)
    if tariff is not None:
        found = found.filter(tariff__key=tariff)
    if next_billing_until is not None:
        found = found.filter(next_due__lt=next_billing_until)
    if status is not None:
        found = in_status(found, status, call.today)
    items, following = page_of(found.prefetch_related("pauses"), limit, after)
    return Contracts(items=[head(c, call.today) for c in items], next=following)


@endpoint(
    router, "POST", "/contracts", "contracts.change", answer=Signed, status=201,
    codes=("unknown_offer_number", "tariff_retired", "conflict"),
)  # fmt: skip
def sign(request: HttpRequest, body: ContractIn, preview: bool = False) -> Answer:
    """Sign a contract, with its included lines and the add-ons that are named. A preview shows its first bill."""
    call = call_of(request)
    seller = call.seller.pk
    wanted: dict[str, Any] = {
        "key": body.contract, "customer": customer_by_key(seller, body.customer),
        "tariff": tariff_by_key(seller, body.tariff), "start": body.start, "offer_number": body.offer_number,
        "quantities": body.quantities, **(chosen(call.seller, body.coupon) if body.coupon else {}),
        "anchor_kind": body.anchor,
        "conditions": {k: c.model_dump(exclude_none=True) for k, c in (body.conditions or {}).items()},
        "billed_until": body.billed_until,
    }  # fmt: skip
    if preview:
        found = billing.preview_signing(call.actor, **wanted, bills=BILLS)
        return Answer(Signed(contract=None, preview=foreseen(call, found)))
    services.sign(call.actor, **wanted)
    signed = Signed(contract=one(call, body.contract), preview=None)
    return Answer(signed, location("contracts", body.contract))


@endpoint(router, "GET", "/contracts/{contract}", "contracts.view", answer=ContractOut, etag=True)
def get_contract(request: HttpRequest, contract: Key) -> ContractOut:
    """A contract as it stands today."""
    return one(call_of(request), contract)


@endpoint(router, "GET", "/contracts/{contract}/forecast", "billing.view", answer=Forecast)
def forecast(request: HttpRequest, contract: Key, bills: Annotated[int, Field(ge=1, le=24)] = 1) -> Forecast:
    """The next bills of a contract, each as a run on its day would make it; usage as far as it is known by now. The
    first one beside the last bill: what differs line by line, and why."""
    call = call_of(request)
    stands = billing.standing(call.actor, contract=_contract(call, contract), bills=bills)
    return Forecast(
        bills=[BillOut(on=b.on, documents=drafts_out(b.documents)) for b in stands.bills],
        comparison=comparison_out(compared(stands.contract, stands.bills), stands.contract, language_of(request)),
    )


@_command("book", *BILLING)
def book(request: HttpRequest, contract: Key, body: Booking, preview: bool = False) -> Done:
    """Book a line of the contract's tariff; billed with the next bill, or at once (R5.6)."""
    call = call_of(request)
    found = _contract(call, contract)
    fields = body.model_dump(exclude_none=True, exclude={"from_", "until", "bill", "as_"})
    fields |= {"start": body.from_, "end": body.until, "name": body.as_ or "", "now": body.bill == "now"}
    if preview:
        return would(call, billing.preview_book(call.actor, contract=found, bills=BILLS, **fields))
    _, issued = billing.book(call.actor, contract=found, **fields)
    return done(call, contract, issued)


@_command("change_quantity", "quantity_not_changeable", *BILLING)
def change_quantity(request: HttpRequest, contract: Key, body: QuantityChange, preview: bool = False) -> Done:
    """Change the quantity of a line from a day on; what is billed beyond it is credited and billed anew (R5.3)."""
    call = call_of(request)
    line = _line(call, _contract(call, contract), body, body.from_)
    if preview:
        return would(
            call, billing.preview_quantity(call.actor, line=line, quantity=body.quantity, start=body.from_, bills=BILLS)
        )
    memo = body.memo or ""
    issued = billing.change_quantity(call.actor, line=line, quantity=body.quantity, start=body.from_, memo=memo)
    return done(call, contract, issued)


@_command("change_conditions", *BILLING)
def change_conditions(request: HttpRequest, contract: Key, body: ConditionsChange, preview: bool = False) -> Done:
    """Agree own conditions of a line from a day on; what is billed beyond it is credited and billed anew (R7.5)."""
    call = call_of(request)
    fields: dict[str, Any] = {
        "line": _line(call, _contract(call, contract), body, body.from_), "start": body.from_,
        **body.model_dump(include={"price", "discount", "reason", "minimum_quantity"}, exclude_none=True),
    }  # fmt: skip
    if preview:
        return would(call, billing.preview_conditions(call.actor, **fields, bills=BILLS))
    return done(call, contract, billing.change_conditions(call.actor, **fields, memo=body.memo or ""))


@_command("take_back_quantity", *BILLING)
def take_back_quantity(request: HttpRequest, contract: Key, body: QuantityTakenBack, preview: bool = False) -> Done:
    """Take a change of quantity back: what held before it holds again, what it made is settled to nothing (R5.2)."""
    call = call_of(request)
    change = quantity_change(_line(call, _contract(call, contract), body, body.from_), body.from_)
    if preview:
        return would(call, billing.preview_take_back(call.actor, change=change, bills=BILLS))
    return done(call, contract, billing.take_back_quantity(call.actor, change=change, memo=body.memo or ""))


@_command("end_line", *BILLING)
def end_line(request: HttpRequest, contract: Key, body: LineEnd, preview: bool = False) -> Done:
    """End a line; what is billed beyond is credited at once (R5.6)."""
    call = call_of(request)
    line = _line(call, _contract(call, contract), body, call.today)
    if preview:
        return would(call, billing.preview_end(call.actor, line=line, until=body.until, bills=BILLS))
    return done(call, contract, billing.end_line(call.actor, line=line, until=body.until))


@_command("give_notice", *BILLING, answer=NoticeDone)
def give_notice(request: HttpRequest, contract: Key, body: Notice, preview: bool = False) -> NoticeDone:
    """Give notice of the contract, or of one line with terms of its own; what is billed beyond is credited (R15)."""
    call = call_of(request)
    found = _contract(call, contract)
    received = body.received or call.today
    line = line_for(found, body.article, body.line, received) if body.article else None
    wanted: dict[str, Any] = {"contract": found, "received": received, "wish": body.end, "line": line}
    if preview:
        would_be = billing.preview_notice(call.actor, **wanted, bills=BILLS)
        assert would_be.ends is not None
        return NoticeDone(**dict(would(call, would_be)), ends=would_be.ends, last_day=would_be.ends - DAY)
    issued = billing.give_notice(call.actor, **wanted)
    if body.confirm:
        _confirm(call, found)
    ends = line.end if line is not None else found.end
    assert ends is not None
    return NoticeDone(**dict(done(call, contract, issued)), ends=ends, last_day=ends - DAY)


@_command("withdraw_notice")
def withdraw_notice(
    request: HttpRequest,
    contract: Key,
    article: Key | None = None,
    line: str = "",
    confirm: bool = False,
    preview: bool = False,
) -> Done:
    """Take a notice back; what was credited is billed with the next bill (R5.9).

    `article`, and `line` where several lines have it: the notice of that line, not of the contract. `confirm`: mail a
    confirmation to the customer, where an address is known.
    """
    call = call_of(request)
    found = _contract(call, contract)
    of_line = line_for(found, article, line, call.today) if article else None
    if preview:
        return would(call, billing.preview_withdrawal(call.actor, contract=found, line=of_line, bills=BILLS))
    billing.withdraw_notice(call.actor, contract=found, line=of_line)
    if confirm:
        _confirm(call, found)
    return done(call, contract, [])


@_command("change_tariff", "tariff_retired", *BILLING)
def change_tariff(request: HttpRequest, contract: Key, body: TariffChange, preview: bool = False) -> Done:
    """Put the contract under another tariff from a day on; old lines are credited, new ones charged (R16.1)."""
    call = call_of(request)
    wanted: dict[str, Any] = {
        "contract": _contract(call, contract), "tariff": tariff_by_key(call.seller.pk, body.tariff),
        "start": body.from_, "keep_billing_dates": body.keep_billing_dates, "keep_terms": body.keep_terms,
        "keep": body.keep,
    }  # fmt: skip
    if preview:
        return would(call, billing.preview_tariff(call.actor, **wanted, bills=BILLS))
    return done(call, contract, billing.change_tariff(call.actor, **wanted))


@_command("transfer", "closed_period", *BILLING, answer=TransferDone)
def transfer(request: HttpRequest, contract: Key, body: TransferIn, preview: bool = False) -> TransferDone:
    """Let another customer have the contract from a day on, with all that was agreed: the one is credited what was paid
    beyond, the other is invoiced. A day that begins a billing period splits nothing."""
    call = call_of(request)
    found, seller = _contract(call, contract), call.seller.pk
    wanted: dict[str, Any] = {
        "contract": found, "customer": customer_by_key(seller, body.customer), "start": body.from_,
        "key": body.as_ or "",
    }  # fmt: skip
    if preview:
        wanted["key"] = wanted["key"] or next_key(seller)
        both = billing.preview_transfer(call.actor, **wanted, bills=BILLS)
        within = SpanOut(from_=both.within.start, until=both.within.end) if both.within else None
        would_be = foreseen(call, both.new)
        return TransferDone(**dict(would(call, both.old)), other=None, other_preview=would_be, within=within)
    other, issued = billing.transfer(call.actor, **wanted)
    return TransferDone(
        **dict(done(call, contract, issued)), other=one(call, other.key), other_preview=None, within=None
    )


@_command("pause", *BILLING)
def pause(request: HttpRequest, contract: Key, body: PauseIn, preview: bool = False) -> Done:
    """Pause the contract; what is billed of the span is credited at once (R16.2)."""
    call = call_of(request)
    wanted: dict[str, Any] = {"contract": _contract(call, contract), "start": body.from_, "end": body.until}
    if preview:
        return would(call, billing.preview_pause(call.actor, **wanted, bills=BILLS))
    return done(call, contract, billing.pause(call.actor, **wanted))


@_command("resume")
def resume(request: HttpRequest, contract: Key, body: Resumption, preview: bool = False) -> Done:
    """End the pause that runs on a day, on that day; what was credited is billed with the next bill (R5.9)."""
    call = call_of(request)
    found = _contract(call, contract)
    if preview:
        return would(call, billing.preview_resume(call.actor, contract=found, start=body.from_, bills=BILLS))
    billing.resume(call.actor, contract=found, start=body.from_)
    return done(call, contract, [])


@_command("redeem")
def redeem(request: HttpRequest, contract: Key, body: Redemption, preview: bool = False) -> Done:
    """Give the contract a coupon from today on (R10.2), by its key or by one of its codes."""
    call = call_of(request)
    found, coupon = _contract(call, contract), chosen(call.seller, body.coupon)
    if preview:
        return would(call, billing.preview_coupon(call.actor, contract=found, **coupon, bills=BILLS))
    services.give_coupon(call.actor, contract=found, **coupon)
    return done(call, contract, [])


@_command("allow_conversion")
def allow_conversion(request: HttpRequest, contract: Key, body: Conversion, preview: bool = False) -> Done:
    """Say whether and by which rate suppliers' amounts in another currency are converted.

    What waits is processed again. It holds for usage that finds its line from now on; what is recorded keeps its rate.
    """
    call = call_of(request)
    found, rule = _contract(call, contract), body.rule or ""
    if preview:
        return would(call, billing.preview_conversion(call.actor, contract=found, rule=rule, bills=BILLS))
    return done(call, contract, billing.allow_conversion(call.actor, contract=found, rule=rule))


@_command("interim_bill", *BILLING, permission="billing.run")
def interim_bill(request: HttpRequest, contract: Key, body: InterimBill, preview: bool = False) -> Done:
    """Bill all that is due of the contract now, with its usage so far; the regular bill bills the rest (R11)."""
    call = call_of(request)
    found = _contract(call, contract)
    if preview:
        return would(call, billing.preview_interim(call.actor, contract=found, leave_out=body.leave_out, bills=BILLS))
    return done(call, contract, billing.interim_bill(call.actor, contract=found, leave_out=body.leave_out))


@endpoint(
    router, "POST", "/contracts/{contract}/foresee_usage", "usage.change", answer=UsageForeseen, looks=True,
)  # fmt: skip
def foresee_usage(request: HttpRequest, contract: Key, body: UsageIn) -> UsageForeseen:
    """What one usage record would do to the bills that come; nothing is recorded.

    Where it would find no line, nothing changes, and `waits` says why.
    """
    call = call_of(request)
    entry = body.model_dump(exclude_none=True)
    found = billing.preview_usage(call.actor, contract=_contract(call, contract), entry=entry, bills=BILLS)
    return UsageForeseen(preview=foreseen(call, found), waits=found.waits or None)


@endpoint(router, "GET", "/deadlines", "contracts.view", answer=Deadlines)
def list_deadlines(request: HttpRequest, within_days: WithinDays = 30) -> Deadlines:
    """Contracts that can be ended by notice until a day soon, and bind for more than a month longer afterwards."""
    call = call_of(request)
    found = deadlines(call.seller, call.today, timedelta(days=within_days))
    rows = (
        with_deadlines(call.seller, found).select_related("customer").order_by("deadline", "pk")[: MOST_DEADLINES + 1]
    )
    items = [
        DeadlineOut(contract=c.key, customer=c.customer.key, deadline=c.deadline, ends=c.ends, later=c.later)
        for c in rows
    ]  # fmt: skip
    return Deadlines(items=items[:MOST_DEADLINES], more=len(items) > MOST_DEADLINES)
