"""What the company's settings of coupons come to: examples that the core reckons, in minor units (R10.2, R10.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from taktura.core.facts import Contract, Coupon, Line, LineTerms, Phase, TariffTerms
from taktura.core.periods import anchor
from taktura.core.settle import Scope, settle

START = date(2026, 1, 1)
STACKING = ("best", "add", "sequence")
SCALES = ("coupon", "best", "both")
PRICE, PERCENTS = Decimal(100), (Decimal(20), Decimal(10))
UNIT_PRICE, QUANTITY, ABOVE, SCALE, TAKEN = Decimal(10), Decimal(12), Decimal(10), Decimal(15), Decimal(10)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is billed of the example under a choice of the setting, in minor units."""

    choice: str
    amount: int


def stacking(digits: int) -> list[Outcome]:
    """A line at 100 with coupons of 20 and 10 percent, under each choice."""
    terms = LineTerms(article="line", title="", charge="recurring", price=PRICE)
    line = Line(id=1, start=START, terms=((START, terms),))
    return [Outcome(choice, _billed(line, PERCENTS, digits, stacking=choice)) for choice in STACKING]


def coupon_and_scale(digits: int) -> list[Outcome]:
    """12 of an add-on at 10 with a discount scale of 15 percent above 10, ordered with a coupon of 10 percent."""
    terms = LineTerms(
        article="line", title="", charge="recurring", booking="add_on", price=UNIT_PRICE,
        discount_scale=((ABOVE, SCALE),),
    )  # fmt: skip
    line = Line(id=1, start=START, terms=((START, terms),), quantities=((date.min, QUANTITY),), order_coupon=1)
    return [Outcome(choice, _billed(line, [TAKEN], digits, coupon_and_scale=choice)) for choice in SCALES]


def _billed(line: Line, percents: Sequence[Decimal], digits: int, **setting: str) -> int:
    """What the first bill of a contract with that line and those coupons comes to."""
    coupons = tuple(Coupon(id=i, given=START, first=START, percent=p) for i, p in enumerate(percents, 1))
    phase = Phase(start=START, anchor=anchor("contract", START), versions=((date.min, TariffTerms()),))
    agreed = Contract(id=0, start=START, phases=(phase,), lines=(line,), coupons=coupons, digits=digits, **setting)  # type: ignore[arg-type]
    return sum(c.amount for c in settle(agreed, (), Scope(on=START)))
