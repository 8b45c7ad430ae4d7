"""Control (R19): what should raise an alert. It never changes a price; all comparisons are strict and unrounded."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from taktura.core.money import Number


@dataclass(frozen=True, slots=True)
class Watch:
    """A bound under watch: kind `cap`, `flat` or `included`; `value` and `bound` as prorated for the period."""

    kind: str
    value: Number
    bound: Number

    def crossed(self, tolerance: Decimal = Decimal(0)) -> bool:
        """Whether the value is above bound × (1 + tolerance)."""
        return Fraction(self.value) > Fraction(self.bound) * (1 + Fraction(tolerance))

    def forecast(self, days: int, begun: int, tolerance: Decimal = Decimal(0)) -> bool:
        """Whether the linear extrapolation (value × days of the period / days begun) would be above it (R19.2)."""
        if begun <= 0:
            return False
        return Fraction(self.value) * days / begun > Fraction(self.bound) * (1 + Fraction(tolerance))


def notional(billed_seconds: int, reference_price: Decimal) -> Fraction:
    """What the minutes of a flat price would have cost at its reference price per minute (R19.1)."""
    return Fraction(billed_seconds, 60) * Fraction(reference_price)
