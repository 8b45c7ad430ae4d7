"""Transfer of a contract to another customer: what was paid beyond the day is credited to the one and invoiced to the
other. By days this is exact on every day. What counts by whole periods (included quantity, tiers, minimum, cap and
coupons) is equal to the cent where the day begins a period, of each line that has a coupon, too."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Max

from taktura.audit.acts import act
from taktura.billing.ledger import load_charges
from taktura.billing.models import Charge
from taktura.billing.queries import Facts, with_usage
from taktura.billing.services.changes import settle_lines
from taktura.billing.services.previews import Consequence, consequence, of_new
from taktura.billing.services.settling import settle_now
from taktura.contracts import overlay
from taktura.contracts import services as contracts
from taktura.contracts.facts import load_one
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.queries import next_key
from taktura.core import facts
from taktura.core.errors import Refused
from taktura.core.expected import active
from taktura.core.facts import Line, LineTerms, Phase, at
from taktura.core.ledger import Ledger
from taktura.core.periods import DAY, Period, Span, clip
from taktura.core.schedule import next_due
from taktura.core.settle import Scope
from taktura.customers.models import Customer
from taktura.invoices.services import Issued
from taktura.kit.actor import Actor
from taktura.usage import services as usage

MOST_PERIODS = 400  # looked at for a day on which all periods begin


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferForeseen:
    """What a transfer does for the one customer and for the other. `within`: the period that the day splits, so that
    its included quantity, tiers, minimum, cap and coupons count anew from the day on; None: it begins one, or nothing
    of the contract counts so."""

    old: Consequence
    new: Consequence
    within: Period | None


@act
def transfer(
    actor: Actor, *, contract: Contract, customer: Customer, start: date, key: str
) -> tuple[Contract, list[Issued]]:
    """Let another customer have a contract from a day on, and settle both: gives the other contract, and the documents.

    An empty `key` means the next number that is free, drawn while nobody else draws one.
    Raises `Refused`: what `contracts.plan_transfer` and `check_periods` refuse; `closed_period` for usage of one;
    `billing_information_missing` and `numbering_unconfirmed` where a document would be made.
    """
    contracts.read_again(contract)
    key = key or next_key(contract.seller_id)
    contracts.check_transfer(contract, customer, start, key)
    settled = _check(contract, start)
    today = actor.today(contract.customer.seller.time_zone)
    through = _through(contract, start, today)
    other, lines = contracts.transfer(
        actor, contract=contract, customer=customer, start=start, key=key, settled=settled
    )
    usage.pass_on(actor, contract=contract, lines=lines, start=start)
    issued = settle_lines(actor, contract, None, "bill_transfer")
    if through is not None:
        chosen = ContractLine.objects.filter(contract=other).values_list("pk", flat=True)
        scope = Scope(on=today, lines=frozenset(chosen), through=through)
        issued += settle_now(actor, other, scope, action="bill_transfer")
    return other, issued


def preview_transfer(
    actor: Actor, *, contract: Contract, customer: Customer, start: date, key: str, bills: int = 0
) -> TransferForeseen:
    """What `transfer` would do for both. Refuses as it does, but for what keeps documents from being issued."""
    contracts.check_transfer(contract, customer, start, key)
    settled = _check(contract, start)
    usage.check_pass_on(contract, start, contract.customer.seller.closed_until)
    planned = contracts.plan_transfer(
        actor, contract=contract, customer=customer, start=start, key=key, settled=settled
    )
    today, base = actor.today(contract.customer.seller.time_zone), load_one(contract)
    scope = Scope(on=today, lines=frozenset(line.id for line in base.lines))
    old = consequence(contract, base, overlay.with_end(base, start), today, scope, bills)
    through = _through(contract, start, today)
    after, values = planned.contract, overlay.of_transfer(planned)
    after.pk = overlay.NEW  # of this object alone
    known = _with_usage_of(contract, values, max(today, through or today), bills)
    scope = Scope(on=today, lines=frozenset(line.id for line in values.lines), through=through)
    new = of_new(known, after, today, scope if through is not None else None, bills)
    return TransferForeseen(old=replace(old, ends=start), new=replace(new, ends=after.end), within=_within(base, start))


def _through(contract: Contract, start: date, today: date) -> date | None:
    """Up to which day the periods are charged to the other at once that begin by then: those of which the one has paid
    days beyond the transfer. None: it has paid nothing beyond."""
    found = Charge.objects.filter(contract=contract, end__gt=start, amount__gt=0, rate_start__isnull=False)
    paid = found.aggregate(end=Max("end"))["end"]
    return None if paid is None else max(start, min(today, paid - DAY))


def _with_usage_of(contract: Contract, values: facts.Contract, day: date, bills: int) -> Facts:
    """The facts of the contract to be, with the usage that is still that of the one, and nothing billed."""
    for _ in range(bills):
        day = next_due(values, day) or day
    found = with_usage({contract.pk: replace(values, id=contract.pk)}, day, {contract.pk: date.min})
    complete = replace(found.contracts[contract.pk], id=values.id)
    return Facts({values.id: complete}, {}, {values.id: date.min})


def next_start(contract: Contract, day: date) -> date:
    """The first day from one on that begins a billing period, and on which a transfer charges nothing twice."""
    values = load_one(contract)
    day = max(day, values.start, _paid_until(contract, values, day) or day)
    return _boundary(values, day, usage=True) or day


def check_periods(contract: Contract, start: date) -> None:
    """Raise `Refused` (`invalid`) where a transfer from a day on would charge something to both customers: lines that
    are charged by whole periods, within one or before the end of what is billed; where the tariff keeps what was paid
    beyond an end, before the end of that. It names the next day."""
    values = load_one(contract)
    paid = _paid_until(contract, values, start)
    if paid is None and not _split(values, start):
        return
    following = _boundary(values, max(paid or start, start), usage=False)
    if following is None:
        raise Refused(
            "invalid", "Its whole periods leave no day to transfer the contract: end the lines that have no proration.",
            field="from",
        )  # fmt: skip
    raise Refused(
        "invalid",
        "Part of the contract is charged by whole periods and never credited: transfer it from %(day)s on.",
        day=following.isoformat(),
        field="from",
    )


def _check(contract: Contract, start: date) -> set[int]:
    """Refuse what `check_periods` refuses; gives the lines charged once that are billed."""
    check_periods(contract, start)
    charges = load_charges({contract.pk: date.min})[0].get(contract.pk, [])
    return {c.key.line for c in charges if c.key.kind == "once" and c.key.line is not None}


def _paid_until(contract: Contract, values: facts.Contract, start: date) -> date | None:
    """Until when (exclusive) something is paid beyond a day that an end does not give back; None: not."""
    ledger = Ledger(load_charges({contract.pk: date.min})[0].get(contract.pk, []))
    whole = {x.id for x in values.lines if any(t.charge == "recurring" and t.proration == "none" for _, t in x.terms)}
    ends = [
        c.end for c in ledger.charges
        if c.rate is None and c.key.kind == "recurring" and c.key.line in whole and ledger.gross(c.key) > 0
    ]  # fmt: skip
    last = max(start - DAY, values.start)
    if not _phase(values, last).terms(last).credit_on_end:
        ends += [end for key in ledger.days_keys for _, end, _ in ledger.covers(key)]
    beyond = [end for end in ends if end > start]
    return max(beyond) if beyond else None


def _boundary(values: facts.Contract, day: date, *, usage: bool) -> date | None:
    """The first day from one on that splits no whole period, and with `usage` no billing period; None: none is near."""
    for _ in range(MOST_PERIODS):
        split = _split(values, day)
        if usage:
            period = _within(values, day)
            split += [*_with_coupon(values, day), *([period] if period else [])]
        if not split:
            return day if day < values.end else None
        day = max(period.end for period in split)
    return None


def _split(values: facts.Contract, day: date) -> list[Period]:
    """The periods of lines without proration that a day splits."""
    found = []
    for line, terms in _running(values, day):
        if terms.charge == "recurring" and terms.proration == "none":
            period = _period(_phase(values, day), terms.interval, day)
            life = active(values, line, recurring=True)
            if clip(life, period.start, day) and clip(life, day, period.end):
                found.append(period)
    return found


def _with_coupon(values: facts.Contract, day: date) -> list[Period]:
    """The periods of recurring lines that a day splits, in which a coupon counts: it counts by their beginning."""
    found = []
    for _, terms in _running(values, day):
        period = _period(_phase(values, day), terms.interval, day)
        known = (c for c in values.coupons if not c.articles or terms.article in c.articles)
        if terms.charge == "recurring" and period.start < day and any(c.end > period.start for c in known):
            found.append(period)
    return found


def _within(values: facts.Contract, day: date) -> Period | None:
    """The billing period that a day splits, where something of the contract counts by it: usage, a minimum, a cap, a
    coupon."""
    phase = _phase(values, day)
    terms = phase.terms(day)
    counts = terms.minimum is not None or terms.cap is not None or any(c.end > day for c in values.coupons)
    if not counts and all(t.charge != "usage" for _, t in _running(values, day)):
        return None
    if values.trial_end and phase.start < day < values.trial_end:
        return Period(phase.start, values.trial_end)
    period = _period(phase, terms.interval, day)
    return period if max(period.start, phase.start) < day else None


def _running(values: facts.Contract, day: date) -> Iterable[tuple[Line, LineTerms]]:
    """The lines that run the day before a day and on it, with what they cost."""
    for line in values.lines:
        if line.start < day < min(line.end, values.end):
            yield line, at(line.terms, day - DAY)


def _phase(values: facts.Contract, day: date) -> Phase:
    begun = [phase for phase in values.phases if phase.start <= day]
    return begun[-1] if begun else values.phases[0]


def _period(phase: Phase, interval: Span, day: date) -> Period:
    return phase.anchor.grid(interval).of(day)
