"""`core_kernel`: aggregated lines priced by the core, against a bare loop over integers with one multiplication."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

from bench.measure import Result, seconds_in_turn
from taktura.core.facts import LineTerms, Tier
from taktura.core.pricing import SCALE, amounts

LINES, SMALL = 1_000_000, 10_000
TARGET = 0.2
CENTS = 2  # decimals
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

    def ours() -> list[int]:
        return [amount for terms, quantities in each for amount in amounts(terms, quantities, CENTS)]

    def bare() -> list[int]:
        found = []
        for _, quantities in each:
            for quantity in quantities:
                found.append(quantity * 119)
        return found

    assert len(ours()) == len(bare()) == lines
    ours_seconds, bare_seconds = seconds_in_turn(ours, bare)
    yield Result(
        name="core_kernel", ours=lines / ours_seconds, limit=lines / bare_seconds, unit="lines/s", target=TARGET
    )
