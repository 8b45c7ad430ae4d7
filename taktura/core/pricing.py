"""Prices (R7): from a quantity to an exact cost.

`kernel` compiles what a line's terms say into one function over whole numbers. It takes a quantity in units of
1/`SCALE` and gives the cost's numerator over a fixed denominator. The same function prices fractions of those units,
where a span was split by days.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import NamedTuple

from taktura.core.facts import Line, LineTerms
from taktura.core.money import Number, half_up

# Four decimals of a unit, and whole seconds of a minute, are whole numbers small enough to be reckoned with fast; what
# is finer is a fraction of them, as exact.
SCALE = 6 * 10**4

Scaled = int | Fraction


class Steps(NamedTuple):
    """A price step by step: of a quantity above 0, on the step before whose bound it lies, base + quantity × price."""

    bounds: list[Scaled]  # included; the last step has none
    bases: list[Scaled]
    prices: list[int]


class Kernel(NamedTuple):
    """A compiled price: `cost(scaled quantity) / denominator` is the exact cost; the quantity is after included."""

    cost: Callable[[Scaled], Scaled]
    denominator: int
    steps: Steps | None  # None: by started packages


def scaled(quantity: Number) -> Scaled:
    """A quantity in units of 1/SCALE: an integer, unless it is finer than that."""
    numerator: int
    numerator, denominator = quantity.as_integer_ratio()
    numerator *= SCALE
    return numerator // denominator if numerator % denominator == 0 else Fraction(numerator, denominator)


@lru_cache(maxsize=8192)
def kernel(terms: LineTerms, price: Decimal | None = None) -> Kernel:
    """Compile a line's price; `price` is a contract's own, in place of the tariff's and its tiers (R7.5)."""
    if terms.tiers and price is None:
        return _volume(terms) if terms.tier_mode == "volume" else _graduated(terms)
    unit = Fraction(terms.price if price is None else price)
    if terms.package == "started":
        size = scaled(terms.price_quantity)
        numerator, denominator = unit.as_integer_ratio()

        def packages(quantity: Scaled) -> Scaled:
            started = math.ceil(Fraction(quantity if quantity >= 0 else -quantity) / size)
            return numerator * (started if quantity >= 0 else -started)

        return Kernel(packages, denominator, None)
    numerator, denominator = (unit / Fraction(terms.price_quantity) / SCALE).as_integer_ratio()
    return Kernel(lambda quantity: quantity * numerator, denominator, Steps([], [0], [numerator]))


def cost(terms: LineTerms, quantity: Number, price: Decimal | None = None) -> Fraction:
    """The exact cost of a priced quantity (after included) by price, package and tiers; no discount yet."""
    compiled = kernel(terms, price)
    numerator = compiled.cost(scaled(quantity))
    return Fraction(numerator, compiled.denominator)


def amounts(terms: LineTerms, quantities: Iterable[int], digits: int, price: Decimal | None = None) -> list[int]:
    """What many quantities of one line cost: minor units, each rounded HALF_UP (R7, R8).

    Quantities are in units of 1/SCALE and not negative, before the included quantity. The same as `cost` of each beyond
    it, without its proof; for sums over many contracts at once.
    """
    compiled = kernel(terms, price)
    factor, denominator = Fraction(10**digits, compiled.denominator).as_integer_ratio()
    half, included = denominator >> 1, scaled(terms.included)
    if compiled.steps is None or not _plain(compiled.steps, terms) or isinstance(included, Fraction):
        cost = compiled.cost
        return [half_up(Fraction(cost(max(q - included, 0)) * factor, denominator)) for q in quantities]
    bounds, bases, prices = compiled.steps
    slopes = [p * factor for p in prices]
    # What a quantity costs on each step, with the half that rounds up put in and the included quantity left out.
    starts = [b * factor + half - included * slope for b, slope in zip(bases, slopes, strict=True)]
    if not bounds:
        slope, start = slopes[0], starts[0]
        return [(q * slope + start) // denominator if q > included else 0 for q in quantities]
    ends = [included, *(b + included for b in bounds)]
    slopes, starts = [0, *slopes], [half, *starts]
    found = []
    for q in quantities:
        i = bisect_left(ends, q)
        found.append((q * slopes[i] + starts[i]) // denominator)
    return found


def _plain(steps: Steps, terms: LineTerms) -> bool:
    """Whether all is in whole numbers, and no quantity costs less than nothing."""
    whole = all(isinstance(number, int) for number in [*steps.bounds, *steps.bases])
    return whole and min(steps.prices) >= 0 and all(t.flat >= 0 for t in terms.tiers)


def billed_quantity(line: Line, terms: LineTerms, quantity: Decimal) -> Decimal:
    """The quantity of a booked line that its documents show: what is billed, so its minimum where that is more, also
    than none (R7.5). A flat fee is one, whatever is used (R7.4); what is switched off is none."""
    off = terms.booking == "on_off" and not quantity
    return quantity if off or terms.charge == "usage" else max(quantity, line.minimum_quantity or quantity)


def scale_percent(terms: LineTerms, quantity: Number) -> Decimal:
    """The percentage that the discount scale takes off the whole line for a priced quantity (R7.3)."""
    percent = Decimal(0)
    for above, value in terms.discount_scale:
        if quantity > above:
            percent = value
    return percent


def _common(terms: LineTerms) -> tuple[list[Scaled], list[int], list[int], int]:
    """Upper bounds (scaled), prices per scaled unit and flats of the tiers as whole numbers over one denominator."""
    per = [Fraction(t.price) / Fraction(terms.price_quantity) / SCALE for t in terms.tiers]
    flats = [Fraction(t.flat) for t in terms.tiers]
    denominator = 1
    for number in per + flats:
        denominator = lcm(denominator, number.denominator)
    bounds = [scaled(t.up_to) for t in terms.tiers if t.up_to is not None]
    return bounds, [int(p * denominator) for p in per], [int(f * denominator) for f in flats], denominator


def _graduated(terms: LineTerms) -> Kernel:
    """Each part of the quantity at its tier's price; a tier's flat once the quantity exceeds its lower bound (R7.2)."""
    bounds, prices, flats, denominator = _common(terms)
    lower: list[Scaled] = [0, *bounds]
    base: list[Scaled] = []
    sum_so_far: Scaled = 0
    for i, flat in enumerate(flats):
        sum_so_far += flat
        base.append(sum_so_far - lower[i] * prices[i])
        if i < len(bounds):
            sum_so_far += (bounds[i] - lower[i]) * prices[i]

    def graduated(quantity: Scaled) -> Scaled:
        if quantity <= 0:
            return quantity * prices[0]
        i = bisect_left(bounds, quantity)
        return base[i] + quantity * prices[i]

    return Kernel(graduated, denominator, Steps(bounds, base, prices))


def _volume(terms: LineTerms) -> Kernel:
    """All of the quantity at the price, and with the flat, of the tier of the total (R7.2)."""
    bounds, prices, flats, denominator = _common(terms)

    def volume(quantity: Scaled) -> Scaled:
        if quantity <= 0:
            return quantity * prices[0]
        i = bisect_left(bounds, quantity)
        return flats[i] + quantity * prices[i]

    return Kernel(volume, denominator, Steps(bounds, [*flats], prices))
