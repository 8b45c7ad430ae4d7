"""What a line costs, for whoever writes it: its price over the quantity, and examples with its own figures.

All is reckoned by the core's kernel (R7, R8). Amounts are whole minor units of the currency; prices of one unit are not
rounded beyond what is shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from taktura.core.facts import LineTerms, TariffTerms
from taktura.core.metering import billed_seconds
from taktura.core.money import Number, ceiling, less_percent, minor, plain
from taktura.core.periods import Span, ratio
from taktura.core.pricing import cost, scale_percent

EACH = 6  # decimals of a price of one unit, as it is shown
STEPS = 24  # begun packages that are drawn as steps
SPREAD = 24  # points between the bends, so that the price of one unit is a curve
CALL = 61  # seconds: one more than a minute
HALF = (15, 30)  # days, of a month of so many
NEAR = Decimal("0.000001")  # just above a bound
REST = Decimal(100)  # a supplier's cost in examples


@dataclass(frozen=True, slots=True)
class Point:
    """A quantity, its price in minor units, and the price of one unit (None at 0). `above`: just above the quantity,
    where the price jumps."""

    quantity: Decimal
    amount: int
    each: Decimal | None
    above: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A figure worth a sentence; `kind` says which, what a kind does not need is left at its default.

    `plain`: a quantity and its price (`other`: by begun packages, or by parts, whichever the line does not do) ·
    `included` · `bound` (at a tier's bound, `other`: one unit more) · `scale` (a discount begins; `percent`) · `call`
    (`seconds`, billed as `billed`) · `flat` (`quantity` minutes at the reference price are `other`) · `half` (15 of 30
    days) · `span` (the whole period billed at once) · `minimum`, `cap` (`other`: the bound; `more`: top-up or relief)
    · `supplier` (`other`: the supplier's cost).
    """

    kind: str
    quantity: Decimal = Decimal(0)
    amount: int = 0
    other: int | None = None
    more: int = 0
    seconds: int = 0
    billed: int = 0
    percent: Decimal = Decimal(0)


def has_curve(terms: LineTerms) -> bool:
    """Whether a line has a price of its own that depends on the quantity."""
    return terms.charge != "usage" or terms.usage_pricing not in ("cost_plus", "imported_price")


def exact(terms: LineTerms, quantity: Number) -> Fraction:
    """The exact price of a quantity used or booked in one whole period, for the span of the price (R7, R8, R7.3)."""
    if terms.flat_price:
        return cost(terms, 1)
    priced = max(Fraction(quantity) - Fraction(terms.included), Fraction(0))
    return less_percent(cost(terms, priced), scale_percent(terms, priced))


def amount(terms: LineTerms, quantity: Number, digits: int) -> int:
    """The same in minor units."""
    return minor(exact(terms, quantity), digits)


def curve(terms: LineTerms, digits: int) -> list[Point]:
    """The price at each quantity where it bends or jumps, and between them; in order, a jump as two points."""
    if not has_curve(terms):
        return []
    bends, end = _bends(terms)
    between = {plain(Fraction(end) * i / SPREAD, 4) for i in range(1, SPREAD)}
    found: list[Point] = []
    for quantity in sorted({Decimal(0), end} | bends | between):
        found.append(_point(terms, quantity, quantity, digits))
        if quantity in bends and quantity < end and _jumps(terms, quantity):
            near = _point(terms, quantity, quantity + NEAR, digits)
            found.append(replace(near, above=True))
    return found


def bends(terms: LineTerms, digits: int) -> list[Point]:
    """The points at which the price bends or jumps, without those between."""
    wanted, end = _bends(terms)
    return [p for p in curve(terms, digits) if p.quantity in wanted | {Decimal(0), end}]


def _point(terms: LineTerms, shown: Decimal, quantity: Decimal, digits: int) -> Point:
    whole = exact(terms, quantity)
    each = plain(whole / Fraction(shown), EACH) if shown else None
    return Point(shown, minor(whole, digits), each)


def _jumps(terms: LineTerms, quantity: Decimal) -> bool:
    """Whether the price jumps just above a quantity: by more than a ten-thousandth of a unit could cost there."""
    here, near, after = (exact(terms, quantity + NEAR * i) for i in range(3))
    return abs((near - here) - (after - near)) * 2 > abs(after - near) + Fraction(NEAR)


def _bends(terms: LineTerms) -> tuple[set[Decimal], Decimal]:
    """The quantities at which the price bends or jumps, and how far the picture goes."""
    start = terms.included
    found = {start} if start else set()
    found |= {start + t.up_to for t in terms.tiers if t.up_to is not None}
    found |= {start + above for above, _percent in terms.discount_scale}
    if terms.flat_price:
        return set(), Decimal(100)
    least = start * 2 if start else terms.price_quantity * 10
    end = max([least, *(plain(Fraction(f) * 4 / 3, 4) for f in found)])
    if terms.package == "started" and not terms.tiers and terms.price_quantity > 0:
        size, number = terms.price_quantity, ceiling(Fraction(end - start) / Fraction(terms.price_quantity))
        end = start + size * number
        if number <= STEPS:
            found |= {start + size * i for i in range(number)}
    return {f for f in found if f < end}, end


def examples(terms: LineTerms, tariff: TariffTerms, digits: int) -> list[Example]:
    """What is worth saying of a line, each with its own figures."""
    if terms.charge == "usage" and terms.usage_pricing == "imported_price":
        return [Example(kind="supplier", amount=minor(Fraction(REST), digits), other=minor(Fraction(REST), digits))]
    if terms.charge == "usage" and terms.usage_pricing == "cost_plus":
        whole = minor(Fraction(REST) * (100 + Fraction(terms.markup)) / 100, digits)
        return [Example(kind="supplier", amount=whole, other=minor(Fraction(REST), digits))]
    found = list(_flat(terms, digits)) if terms.flat_price else list(_by_quantity(terms, digits))
    found += _by_time(terms, digits)
    found += _bounds(terms, tariff, digits)
    return found


def _by_quantity(terms: LineTerms, digits: int) -> Iterator[Example]:
    few = terms.price_quantity * 2 + 3 if terms.price_quantity != 1 else Decimal(3)
    if terms.included:
        few = plain(Fraction(terms.included) * 13 / 10, 4)
        yield Example(kind="included", quantity=few, amount=amount(terms, few, digits))
    elif not terms.tiers:
        other = replace(terms, package="started" if terms.package == "proportional" else "proportional")
        odd = terms.price_quantity != 1
        yield Example(
            kind="plain", quantity=few, amount=amount(terms, few, digits),
            other=amount(other, few, digits) if odd else None,
        )  # fmt: skip
    for tier in terms.tiers:
        if tier.up_to is not None:
            at = terms.included + tier.up_to
            yield Example(
                kind="bound", quantity=at, amount=amount(terms, at, digits), other=amount(terms, at + 1, digits)
            )
    for above, percent in terms.discount_scale:
        at = terms.included + above
        yield Example(
            kind="scale", quantity=at, amount=amount(terms, at, digits), other=amount(terms, at + 1, digits),
            percent=percent,
        )  # fmt: skip


def _flat(terms: LineTerms, digits: int) -> Iterator[Example]:
    fee = cost(terms, 1)
    if terms.reference_price:
        minutes = Decimal((int(fee / Fraction(terms.reference_price) / 10) + 1) * 10)
        notional = Fraction(minutes) * Fraction(terms.reference_price)
        yield Example(kind="flat", quantity=minutes, amount=minor(fee, digits), other=minor(notional, digits))
    else:
        yield Example(kind="flat", amount=minor(fee, digits))


def _by_time(terms: LineTerms, digits: int) -> Iterator[Example]:
    if terms.charge == "usage" and terms.unit == "minute" and not terms.flat_price:
        billed = billed_seconds(CALL, terms.tick)
        alone = replace(terms, included=Decimal(0))
        yield Example(
            kind="call", seconds=CALL, billed=billed, amount=amount(alone, Fraction(billed, 60), digits)
        )  # fmt: skip
    if terms.charge != "recurring":
        return
    more, less = ratio(terms.interval, terms.price_per)
    one = exact(terms, 1)
    if more != less:
        yield Example(kind="span", amount=minor(one * Fraction(more, less), digits), other=minor(one, digits))
    elif terms.proration == "daily" and terms.interval == Span(1, "month"):
        yield Example(kind="half", amount=minor(one * Fraction(*HALF), digits), other=minor(one, digits))


def _bounds(terms: LineTerms, tariff: TariffTerms, digits: int) -> Iterator[Example]:
    """A quantity below the minimum, and one beyond the cap, if the line were the only one that counts for it (R9.1)."""
    if terms.in_minimum and tariff.minimum is not None:
        least = minor(Fraction(tariff.minimum), digits)
        for quantity in (Decimal(5), Decimal(2), Decimal(1)):
            own = amount(terms, quantity, digits)
            if own < least:
                yield Example(kind="minimum", quantity=quantity, amount=own, other=least, more=least - own)
                break
    if terms.in_cap and tariff.cap is not None:
        most = minor(Fraction(tariff.cap), digits)
        for power in range(7):
            own = amount(terms, Decimal(2 * 10**power), digits)
            if own > most:
                yield Example(kind="cap", quantity=Decimal(2 * 10**power), amount=own, other=most, more=own - most)
                break
