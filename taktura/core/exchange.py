"""Exchange rates (R17): which dated rate holds for a day, and what an amount comes to by it. Nothing is rounded here.

A rate says how much one unit of `base` is worth in `quote`. From one currency to another leads a rate as it is, one the
other way round, or two of one day over a third currency (as a central bank's are all against its own).
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from taktura.core.facts import Conversion

RULES = ("day", "month")  # the rate of the usage's own day, or of the first day of its month
MOST_DAYS = 7  # how old a rate may be where nobody says otherwise: over the holidays none is set


class Rate(NamedTuple):
    """One unit of `base` is worth `rate` units of `quote` from `day` on; above 0."""

    base: str
    quote: str
    day: date
    rate: Decimal


def wanted_day(rule: str, day: date) -> date:
    """The day whose rate a contract's rule asks for."""
    return day.replace(day=1) if rule == "month" else day


def conversion(
    rates: Iterable[Rate], source: str, target: str, day: date, most_days: int = MOST_DAYS
) -> Conversion | None:
    """How amounts in `source` come to `target` by the rate of a day, or by the last before it that is at most
    `most_days` older; None where there is none.

    Of one day a rate as it stands goes before one the other way round, and that before two over a third currency, of
    which the first in the alphabet is taken.
    """
    oldest = day - timedelta(days=most_days)
    known: dict[date, dict[tuple[str, str], Decimal]] = {}
    for one in rates:
        if oldest <= one.day <= day:
            known.setdefault(one.day, {})[one.base, one.quote] = one.rate
    for of in sorted(known, reverse=True):
        there = known[of]
        if (source, target) in there:
            return Conversion(of, there[source, target], Decimal(1))
        if (target, source) in there:
            return Conversion(of, Decimal(1), there[target, source])
        for base, quote in sorted(there):
            if quote == source and (base, target) in there:
                return Conversion(of, there[base, target], there[base, source])
    return None


def converted(amount: Decimal | Fraction, by: Conversion) -> Fraction:
    """What an amount comes to, exactly and not rounded."""
    return Fraction(amount) * Fraction(by.over) / Fraction(by.under)
