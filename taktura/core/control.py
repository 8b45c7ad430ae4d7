"""Control (R19): what should raise an alert. It never changes a price; all comparisons are strict and unrounded.

Flat fee, cap and included quantity are those that the bill will have, from the same functions: by days where the tariff
says so, per unit booked, after discounts and coupons. Money is in the contract's basis (gross where prices are gross).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from taktura.core import units
from taktura.core.expected import (
    Amount,
    Rated,
    Segment,
    active,
    by_amount,
    by_days,
    cost_until,
    included_in,
    rated_periods,
    unit_of,
    used_in,
)
from taktura.core.facts import Charge, Contract, Line, Usage, at
from taktura.core.ledger import Ledger
from taktura.core.money import Number
from taktura.core.periods import DAY, Range, clip, days, subtract
from taktura.core.settle import Scope, take_coupons
from taktura.core.settling import Pass, flags
from taktura.core.tax import in_basis, rates_of

KINDS = ("cap", "flat", "included")
Rows = tuple[list[Segment], list[Amount]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A bound under watch in one billing period: kind `cap` (of the contract), `flat` or `included` (of a `line`).

    `value` and `bound` are unrounded: amounts, or quantities of what is included. `fixed` is the part of the value that
    more usage does not change (recurring lines in the cap), `minutes` what was used of a flat price. `tolerance` is in
    percent. `days`: how many the period has for it, `begun`: how many of them have begun.
    """

    kind: str
    value: Fraction
    bound: Fraction
    start: date = date.min
    end: date = date.max
    line: int | None = None
    unit: str = ""
    minutes: Fraction = Fraction(0)
    fixed: Fraction = Fraction(0)
    tolerance: Decimal = Decimal(0)
    days: int = 1
    begun: int = 1

    @property
    def limit(self) -> Fraction:
        """What must not be exceeded: the bound and the tolerance (R19.1)."""
        return self.bound * (100 + Fraction(self.tolerance)) / 100

    @property
    def crossed(self) -> bool:
        """Whether the value is above the limit."""
        return self.value > self.limit

    @property
    def foreseen(self) -> Fraction:
        """The value at the period's end if usage goes on as it began: value × days / days begun (R19.2)."""
        if self.begun <= 0:
            return self.value
        return self.fixed + (self.value - self.fixed) * self.days / self.begun

    @property
    def will_cross(self) -> bool:
        """Whether that would be above the limit."""
        return self.foreseen > self.limit


def notional(quantity: Number, reference_price: Decimal) -> Fraction:
    """What the minutes of a flat price would have cost at its reference price per minute (R19.1)."""
    return Fraction(quantity) * Fraction(reference_price)


def watches(contract: Contract, first: date, end: date, today: date, billed: Sequence[Charge] = ()) -> Iterator[Watch]:
    """All that is under watch in the billing periods that `[first, end)` touches, period by period.

    The contract has its usage in them (`schedule.windows`). `billed` is asked of a contract with coupons of an amount:
    their shares are fixed with the period's first bill (R10.2).
    """
    flat = any(t.flat_price and t.reference_price is not None for line in contract.lines for _, t in line.terms)
    for unit in rated_periods(contract, end, since_of(contract, first)):
        if unit.end <= first:  # the contract's last, which ended before
            continue
        rows: Rows = ([], [])
        if flat or unit.terms.cap is not None:
            rows = _rows(contract, unit, today, billed)
        yield from _cap(contract, unit, today, rows)
        for line in contract.lines:
            if line.terms[0][1].charge == "usage":
                yield from _of_line(contract, unit, line, today, rows)


def since_of(contract: Contract, first: date) -> date:
    """The start of the first billing period that `watches` looks at from a day on."""
    return unit_of(contract, max(first, contract.start)).start


def _of_line(contract: Contract, unit: Rated, line: Line, today: date, rows: Rows) -> Iterator[Watch]:
    life = clip(active(contract, line), unit.start, unit.end)
    if not life:
        return
    terms = at(line.terms, max(unit.start, line.start))
    quantity = used_in(line, terms, unit, contract.usage.get((line.id, unit.start), Usage()), life)
    if terms.flat_price:
        fee = [s for s in rows[0] if s.line.id == line.id and s.key.kind == "flat"]
        if terms.reference_price is None or not fee:  # a trial has no flat fee (R4.3)
            return
        rates = rates_of(contract.tax, unit.terms, terms)
        yield Watch(
            kind="flat",
            value=in_basis(notional(quantity, terms.reference_price), contract.tax, rates, unit.end - DAY),
            bound=sum((_cost(s) for s in fee), Fraction(0)),
            line=line.id,
            minutes=Fraction(quantity),
            **_frame(unit, life, today),
        )
    elif terms.included and terms.usage_pricing not in ("cost_plus", "imported_price"):
        yield Watch(
            kind="included",
            value=Fraction(quantity),
            bound=included_in(contract, line, terms, unit),
            line=line.id,
            unit=terms.unit,
            **_frame(unit, life, today),
        )


def _cap(contract: Contract, unit: Rated, today: date, rows: Rows) -> Iterator[Watch]:
    """The flagged lines' sum without the cap (Σ of R9.1; a top-up is none of them) against the cap."""
    if unit.terms.cap is None:
        return
    segments, amounts = rows
    capped = [s for s in segments if "c" in flags(s)]
    counted = [a for a in amounts if "c" in flags(a)]
    if not capped and not counted:
        return
    _, cap = units.bounds(contract, unit)
    assert cap is not None
    fixed = sum((_cost(s) for s in capped), Fraction(0))
    fixed += sum((_exact(a) for a in counted if a.key.kind != "usage"), Fraction(0))
    used = sum((_exact(a) for a in counted if a.key.kind == "usage"), Fraction(0))
    ranges = subtract([(max(unit.start, contract.billed_until), unit.end)], list(contract.pauses))
    yield Watch(
        kind="cap", value=fixed + used, bound=cap / 10**contract.digits, fixed=fixed, **_frame(unit, ranges, today)
    )


def _frame(unit: Rated, ranges: list[Range], today: date) -> dict[str, Any]:
    """What all watches of a period say: its days, how many of them have begun, and the tolerance."""
    begun = days(clip(ranges, unit.start, today + DAY)) if today >= unit.start else 0
    return {
        "start": unit.start,
        "end": unit.end,
        "tolerance": unit.terms.tolerance,
        "days": days(ranges),
        "begun": begun,
    }


def _rows(contract: Contract, unit: Rated, today: date, billed: Sequence[Charge]) -> Rows:
    """What is expected in one billing period, after coupons."""
    since = unit.grid.start
    work = Pass(
        contract, Ledger(c for c in billed if c.key.start >= since), Scope(on=today, interim=True), since, [], {}, {}
    )
    segments = [s for s in by_days(contract, unit.end, since) if _is_in(s, unit)]
    amounts = [a for a in by_amount(contract, today, unit.end, since) if _is_in(a, unit)]
    take_coupons(work, segments, amounts)
    return segments, amounts


def _is_in(row: Segment | Amount, unit: Rated) -> bool:
    return row.unit.start == unit.start and row.unit.phase is unit.phase


def _cost(segment: Segment) -> Fraction:
    """What a segment's days cost, unrounded (R4.2)."""
    assert segment.rate is not None
    return cost_until(segment.rate, segment.end) - cost_until(segment.rate, segment.first)


def _exact(amount: Amount) -> Fraction:
    """What an amount is after coupons, unrounded: as its proof keeps it."""
    return Fraction(str(amount.proof["cost"]))
