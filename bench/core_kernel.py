"""`core_kernel`: aggregated lines priced by the core, against a bare loop over integers with one multiplication."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

from bench.measure import Result, seconds_of
from taktura.core.facts import LineTerms, Tier
from taktura.core.money import half_up_of
from taktura.core.pricing import SCALE, kernel, scaled

LINES, SMALL = 1_000_000, 10_000
TARGET = 0.2
MINOR_UNITS = 100
MOST = 5_000  # units of a line
_TIERS = (
    Tier(up_to=Decimal(100), price=Decimal("0.12")),
    Tier(up_to=Decimal(1000), price=Decimal("0.0955"), flat=Decimal(5)),
    Tier(price=Decimal("0.0333333")),
)
TERMS = (
    LineTerms(article="calls", price=Decimal("1.19"), included=Decimal(10)),
    LineTerms(article="data", price=Decimal("0.049"), price_quantity=Decimal(3), included=Decimal(250)),
    LineTerms(article="graduated", tiers=_TIERS, included=Decimal(20)),
    LineTerms(article="volume", tiers=_TIERS, tier_mode="volume", included=Decimal(20)),
)


def run(wanted: frozenset[str], *, small: bool) -> Iterator[Result]:
    """Lines a second; a line is a whole number of seconds or thousandths, less what is included, priced and rounded."""
    lines = SMALL if small else LINES
    random = Random(1)
    each = [
        (terms, [random.randrange(MOST * 1000) * (SCALE // 1000) for _ in range(lines // len(TERMS))])
        for terms in TERMS
    ]
    amounts: list[int] = []

    def ours() -> None:
        amounts.clear()
        for terms, quantities in each:
            _price(terms, quantities, amounts)

    def bare() -> None:
        amounts.clear()
        for _, quantities in each:
            for quantity in quantities:
                amounts.append(quantity * 119)

    speed = lines / seconds_of(ours)
    assert len(amounts) == lines
    yield Result(name="core_kernel", ours=speed, limit=lines / seconds_of(bare), unit="lines/s", target=TARGET)


def _price(terms: LineTerms, quantities: list[int], amounts: list[int]) -> None:
    """Price quantities (in 1/SCALE) by terms; appends minor units, rounded HALF_UP."""
    compiled = kernel(terms)
    cost, denominator, included = compiled.cost, compiled.denominator, scaled(terms.included)
    for quantity in quantities:
        left = quantity - included if quantity > included else 0
        amounts.append(half_up_of(cost(left) * MINOR_UNITS, denominator))  # type: ignore[arg-type]  # whole: left is
