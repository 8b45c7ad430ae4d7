"""Metering (R6): from records to the quantity that is billed. The store ticks and sums; this says by which rule."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from taktura.core.errors import Refused
from taktura.core.exchange import converted
from taktura.core.facts import Conversion, Foreign, Line, LineTerms, Usage, at
from taktura.core.money import EXACT, Number, fraction_text
from taktura.core.periods import Range, clip

TICKS = {"minute": (60, 60), "second": (1, 1)}


def parse_tick(text: str) -> tuple[int, int]:
    """Read `minute`, `second` or `a/b`: the first a seconds, then steps of b (R6.2)."""
    if text in TICKS:
        return TICKS[text]
    first, slash, step = str(text).partition("/")
    if not (slash and first.isdigit() and step.isdigit() and int(first) and int(step)):
        raise Refused(
            "invalid", "“%(tick)s” is no tick: write minute, second, or seconds/seconds such as 60/1.", tick=text
        )
    return int(first), int(step)


def billed_seconds(seconds: int, tick: tuple[int, int]) -> int:
    """The billed seconds of one record (or of a period's sum): whole seconds in and out (R6.2)."""
    first, step = tick
    if seconds <= 0:
        return 0
    if seconds <= first:
        return first
    return first - (first - seconds) // step * step


def metered(terms: LineTerms, usage: Usage) -> Number:
    """The metered quantity of a period by the line's aggregate (R6.3, R6.4); minutes for a time-based line."""
    if terms.aggregate == "count":
        return usage.count
    if terms.aggregate == "max":
        return usage.peak
    if terms.aggregate == "last":
        return usage.last
    if terms.aggregate == "unique":
        return usage.unique
    whole: Number = sum_parts(usage, 1)
    if usage.seconds:
        seconds = usage.seconds if terms.tick_scope == "record" else billed_seconds(usage.seconds, terms.tick)
        whole = Fraction(whole) + Fraction(seconds, 60)
    return whole


def tick_proof(terms: LineTerms, usage: Usage) -> dict[str, object]:
    """What a proof says of the tick: seconds and steps, of each record or of the period's sum; what is billed by it.
    Nothing where no time was used, or where each second counts as it is."""
    if terms.aggregate != "sum" or not usage.seconds or terms.tick == (1, 1):
        return {}
    whole = terms.tick_scope == "period"
    seconds = billed_seconds(usage.seconds, terms.tick) if whole else usage.seconds
    return {"tick": list(terms.tick), "tick_scope": terms.tick_scope, "seconds": seconds}


def sum_parts(usage: Usage, column: int) -> Number:
    """The sum over the parts of one column: 1 quantity, 2 cost, 3 amount; only here the days divide (R17.1)."""
    if all(part[0] == 1 for part in usage.parts):
        return sum((part[column] for part in usage.parts), Decimal(0))
    return sum((Fraction(part[column]) / part[0] for part in usage.parts), Fraction(0))


def sum_imported(usage: Usage, column: str) -> tuple[Fraction, list[dict[str, str]]]:
    """What a supplier's amounts of one column come to: `cost`, `amount`, or `imported` (of rows whose price is the
    supplier's). Not rounded; with the proof of each conversion: currency, day and parts of the rate, the amount, and
    what it comes to."""
    if column == "imported":
        whole = sum((Fraction(amount) / days for days, amount in usage.imported), Fraction(0))
    else:
        whole = Fraction(sum_parts(usage, 2 if column == "cost" else 3))
    sums: dict[tuple[str, Conversion], Fraction] = {}
    for row in usage.foreign:
        amount = Fraction(getattr(row, column)) / row.days
        if amount:
            sums[row.currency, row.by] = sums.get((row.currency, row.by), Fraction(0)) + amount
    proof = []
    for (currency, by), amount in sorted(sums.items()):
        found = converted(amount, by)
        whole += found
        proof.append(
            {
                "currency": currency, "day": by.day.isoformat(), "over": f"{by.over:f}", "under": f"{by.under:f}",
                "amount": fraction_text(amount), "is": fraction_text(found),
            }
        )  # fmt: skip
    return whole, proof


def supplied(line: Line, terms: LineTerms, usage: Usage, days: int, life: list[Range]) -> Number:
    """The quantity of a supplier's usage in full periods: quantity × days / days of the period (R17.1).

    `days` is the length of the whole billing period, `life` what of it the line is active.
    """
    if terms.usage_pricing == "usage_quantity":
        return Fraction(usage.whole_parts) + Fraction(usage.days_parts) / days
    covered: set[date] = set()
    for first, end in usage.covered:
        for a, b in clip(life, first, end):
            covered.update(date.fromordinal(n) for n in range(a.toordinal(), b.toordinal()))
    return sum((Fraction(at(line.quantities, day)) for day in covered), Fraction(0)) / days


def added(one: Usage, other: Usage) -> Usage:
    """The sums of two spans of days of a line together, for the aggregate `sum`."""
    return Usage(
        quantity=EXACT.add(one.quantity, other.quantity),
        seconds=one.seconds + other.seconds,
        count=one.count + other.count,
        raw_quantity=EXACT.add(one.raw_quantity, other.raw_quantity),
        parts=_joined(one.parts, other.parts),
        days_parts=EXACT.add(one.days_parts, other.days_parts),
        whole_parts=EXACT.add(one.whole_parts, other.whole_parts),
        imported=_joined(one.imported, other.imported),
        imported_quantity=EXACT.add(one.imported_quantity, other.imported_quantity),
        foreign=_foreign(one.foreign, other.foreign),
        mark=max(one.mark, other.mark),
    )


def _foreign(one: tuple[Foreign, ...], other: tuple[Foreign, ...]) -> tuple[Foreign, ...]:
    """Amounts in other currencies, those that are converted alike added up."""
    found: dict[tuple[Any, ...], Foreign] = {}
    for row in (*one, *other):
        before = found.get(row[:3])
        sums = row[3:] if before is None else map(EXACT.add, before[3:], row[3:])
        found[row[:3]] = Foreign(*row[:3], *sums)
    return tuple(found[key] for key in sorted(found))


Part = TypeVar("Part", bound=tuple[Any, ...])


def _joined(one: tuple[Part, ...], other: tuple[Part, ...]) -> tuple[Part, ...]:
    """Parts by the days of their spans, added up."""
    found: dict[int, tuple[Any, ...]] = {}
    for days, *sums in (*one, *other):
        before = found.get(days)
        found[days] = tuple(sums) if before is None else tuple(map(EXACT.add, before, sums))
    return tuple((days, *sums) for days, sums in sorted(found.items()))  # type: ignore[misc]
