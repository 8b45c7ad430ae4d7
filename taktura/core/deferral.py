"""Deferral (R20): a charge's net amount over the months of its span."""

from datetime import date
from fractions import Fraction

from taktura.core.money import half_up
from taktura.core.periods import Span, add

MONTH = Span(1, "month")


def by_month(amount: int, first: date, end: date) -> list[tuple[date, int]]:
    """Spread minor units over the calendar months of `[first, end)` by days; (first of the month, part) in order.

    Cumulative rounding: the parts add up, and a credit (a negative amount) mirrors what it credits.
    """
    length, done, month, parts = (end - first).days, 0, first.replace(day=1), []
    while month < end:
        after = add(month, MONTH)
        so_far = half_up(Fraction(amount * (min(after, end) - first).days, length))
        parts.append((month, so_far - done))
        done, month = so_far, after
    return parts
