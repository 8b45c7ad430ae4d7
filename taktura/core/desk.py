"""Time (R18): approved minutes of a ticket become a billed amount."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from taktura.core.money import Money, ceiling, money


def billable_minutes(minutes: Sequence[int], step: int) -> int:
    """The sum of a ticket's approved billable minutes, rounded up to the customer's step."""
    return ceiling(Fraction(sum(minutes), step)) * step


def time_amount(minutes: int, hourly_rate: Decimal, digits: int = 2) -> Money:
    """What rounded minutes cost: minutes / 60 × hourly rate, rounded once."""
    return money(Fraction(minutes, 60) * Fraction(hourly_rate), digits)
