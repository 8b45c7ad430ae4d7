"""Money: the one place that rounds (R1).

An unrounded number is a `Decimal`, an integer or a `Fraction`; a rounded amount is `Money`, a whole number of minor
units of its currency. `money()` is the only way from one to the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import total_ordering

Number = Decimal | Fraction | int

DECIMALS = 12  # unit prices and quantities keep at most so many (R1.2)
EXACT = Context(prec=200)

# ISO 4217: currencies whose minor unit is not a hundredth.
_PLACES = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}


def places(currency: str) -> int:
    """Return how many decimals the currency's minor unit has."""
    return _PLACES.get(currency, 2)


def half_up(number: Number) -> int:
    """Round to a whole number, commercially: half away from zero (R1.2)."""
    if isinstance(number, int):
        return number
    return half_up_of(*number.as_integer_ratio())


def half_up_of(numerator: int, denominator: int) -> int:
    """The same of a numerator over a denominator above 0, without reducing them first."""
    half = denominator >> 1  # of an odd one a half is never hit
    if numerator < 0:
        return -((half - numerator) // denominator)
    return (numerator + half) // denominator


def minor(number: Fraction, digits: int) -> int:
    """Round an unrounded number of a currency with `digits` decimals to whole minor units, HALF_UP."""
    return half_up_of(number.numerator * 10**digits, number.denominator)


def ceiling(number: Number) -> int:
    """Return the smallest whole number that is not below `number`."""
    numerator, denominator = number.as_integer_ratio()
    return -(-numerator // denominator)


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """A rounded amount: `minor` units of a currency with `digits` decimals."""

    minor: int
    digits: int = 2

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.digits)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.digits)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.digits)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    @property
    def exact(self) -> Decimal:
        """The amount as a decimal with exactly the currency's decimals."""
        return Decimal(self.minor).scaleb(-self.digits, EXACT)

    def __str__(self) -> str:
        return str(self.exact)

    def _same(self, other: "Money") -> None:
        if self.digits != other.digits:
            raise ValueError("amounts of different currencies cannot be put together")


def money(number: Number, digits: int = 2) -> Money:
    """Round an unrounded number to minor units, HALF_UP; the one function that does (R1.2, R1.3)."""
    return Money(half_up(Fraction(number) * 10**digits), digits)


def total(amounts: Sequence[Money], digits: int = 2) -> Money:
    """Add amounts up; nothing is rounded."""
    return Money(sum(a.minor for a in amounts), digits)


def split(whole: int, weights: Sequence[Number], ranks: Sequence[Number] | None = None) -> list[int]:
    """Split whole minor units in proportion to weights by largest remainder (R1.4).

    The parts always add up. A tie goes to the higher rank (the VAT rate), else to the first part. Weights that add up
    to zero count as equal.
    """
    if not weights:
        raise ValueError("nothing to split over")
    exact = [Fraction(w) for w in weights]
    base = sum(exact)
    if base == 0:
        exact, base = [Fraction(1)] * len(exact), Fraction(len(exact))
    shares = [whole * w / base for w in exact]
    parts = [s.numerator // s.denominator for s in shares]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - shares[i], -Fraction(ranks[i]) if ranks else 0, i))
    for i in order[: whole - sum(parts)]:
        parts[i] += 1
    return parts


def plain(number: Number, decimals: int = DECIMALS) -> Decimal:
    """Return a number as a decimal to show or store: exact where it ends within `decimals`, else HALF_UP there."""
    if isinstance(number, Decimal):
        return number
    numerator, denominator = number.as_integer_ratio()
    return Decimal(half_up_of(numerator * 10**decimals, denominator)).scaleb(-decimals, EXACT).normalize(EXACT)


def fraction_text(number: Number) -> str:
    """Write a number exactly, as `numerator/denominator` (or a whole number)."""
    numerator, denominator = number.as_integer_ratio()
    return str(numerator) if denominator == 1 else f"{numerator}/{denominator}"


def less_percent(number: Fraction, percent: Decimal) -> Fraction:
    """Take a percentage off an unrounded number; nothing is rounded."""
    return number * (100 - Fraction(percent)) / 100 if percent else number
