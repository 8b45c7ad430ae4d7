"""Prices (R7): from a quantity to an exact cost.

`kernel` compiles what a line's terms say into one function over whole numbers. It takes a quantity in units of
1/`SCALE` and gives the cost's numerator over a fixed denominator. The same function prices fractions of those units,
where a span was split by days.
"""

import math
from bisect import bisect_left
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import NamedTuple

from taktura.core.facts import LineTerms
from taktura.core.money import DECIMALS, Number

SCALE = 6 * 10**DECIMALS  # twelve decimals of a unit, and whole seconds of a minute

Scaled = int | Fraction


class Kernel(NamedTuple):
    """A compiled price: `cost(scaled quantity) / denominator` is the exact cost; the quantity is after included."""

    cost: Callable[[Scaled], Scaled]
    denominator: int


def scaled(quantity: Number) -> Scaled:
    """A quantity in units of 1/SCALE: an integer, unless it has more than twelve decimals."""
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

        return Kernel(packages, denominator)
    numerator, denominator = (unit / Fraction(terms.price_quantity) / SCALE).as_integer_ratio()
    return Kernel(lambda quantity: quantity * numerator, denominator)


def cost(terms: LineTerms, quantity: Number, price: Decimal | None = None) -> Fraction:
    """The exact cost of a priced quantity (after included) by price, package and tiers; no discount yet."""
    compiled = kernel(terms, price)
    numerator = compiled.cost(scaled(quantity))
    return Fraction(numerator, compiled.denominator)


def scale_percent(terms: LineTerms, quantity: Number) -> Decimal:
    """The percentage that the discount scale takes off the whole line for a priced quantity (R7.3)."""
    percent = Decimal(0)
    for above, value in terms.discount_scale:
        if quantity > above:
            percent = value
    return percent


def _common(terms: LineTerms) -> tuple[list[int], list[int], list[int], int]:
    """Upper bounds (scaled), prices per scaled unit and flats of the tiers as whole numbers over one denominator."""
    per = [Fraction(t.price) / Fraction(terms.price_quantity) / SCALE for t in terms.tiers]
    flats = [Fraction(t.flat) for t in terms.tiers]
    denominator = 1
    for number in per + flats:
        denominator = lcm(denominator, number.denominator)
    bounds = [int(scaled(t.up_to)) for t in terms.tiers if t.up_to is not None]
    return bounds, [int(p * denominator) for p in per], [int(f * denominator) for f in flats], denominator


def _graduated(terms: LineTerms) -> Kernel:
    """Each part of the quantity at its tier's price; a tier's flat once the quantity exceeds its lower bound (R7.2)."""
    bounds, prices, flats, denominator = _common(terms)
    lower = [0, *bounds]
    base, sum_so_far = [], 0
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

    return Kernel(graduated, denominator)


def _volume(terms: LineTerms) -> Kernel:
    """All of the quantity at the price, and with the flat, of the tier of the total (R7.2)."""
    bounds, prices, flats, denominator = _common(terms)

    def volume(quantity: Scaled) -> Scaled:
        if quantity <= 0:
            return quantity * prices[0]
        i = bisect_left(bounds, quantity)
        return flats[i] + quantity * prices[i]

    return Kernel(volume, denominator)
