"""What a usage line brings in a whole month, by the same settlement as its bills: to look ahead, never to bill."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from taktura.core.facts import Contract, Line, Usage, at
from taktura.core.money import EXACT, half_up, plain
from taktura.core.periods import FOREVER, Span
from taktura.core.settle import Scope, settle
from taktura.core.tax import is_gross

YEAR = 365  # days: weeks and days are counted into months by a year of so many


def per_month(span: Span) -> Fraction:
    """How often a span comes in a month."""
    return Fraction(1, span.months) if span.months else Fraction(YEAR, 12 * span.days)


def whole_month(contract: Contract, line: Line, usage: Usage | None, standing: Decimal, on: date) -> int:
    """The net of a usage line for one whole month, in minor units, rounded once; by its terms on a day.

    A fixed quantity counts as booked on that day, a usage quantity as it stands (`standing`), all else as the usage of
    one month (`usage`, days already split; None: `standing` as it is). What the supplier priced counts at its price.
    Coupons, minimum sales and caps are left out.
    """
    day = max(on, line.start)
    phase = [p for p in contract.phases if p.start <= day][-1:] or list(contract.phases[:1])
    terms, tariff = at(line.terms, day), phase[0].terms(day)
    period = phase[0].anchor.grid(tariff.interval).of(day)
    often = per_month(tariff.interval)
    found = usage or Usage(raw_quantity=standing, whole_parts=standing, count=1,
                           parts=((1, standing, Decimal(0), Decimal(0)),))  # fmt: skip
    if found.imported:
        found = _times(replace(found, parts=(), days_parts=Decimal(0), whole_parts=Decimal(0)), often)
    elif terms.usage_pricing == "fixed_quantity":
        found = Usage(count=1, covered=((period.start, period.end),))
    elif terms.usage_pricing == "usage_quantity":
        found = Usage(count=1, raw_quantity=standing, whole_parts=standing)
    else:
        found = _times(found, often)
    tariff = replace(tariff, minimum=None, cap=None, interim_threshold=None)
    alone = replace(
        contract, start=period.start, end=FOREVER, billed_until=date.min, trial_end=None, pauses=(), coupons=(),
        phases=(replace(phase[0], start=period.start, end=FOREVER, versions=((date.min, tariff),)),),
        lines=(replace(
            line.on(day), start=period.start, end=FOREVER, terms=((date.min, terms),), kept=None, order_coupon=None,
            quantities=((date.min, at(line.quantities, day)),),
        ),),
        usage={(line.id, period.start): found},
    )  # fmt: skip
    charges = [c for c in settle(alone, (), Scope(on=period.end)) if c.key.line == line.id and c.key.start < period.end]
    net = sum((_net(c.amount, c.vat[1], gross=is_gross(contract.tax)) for c in charges), Fraction(0))
    return half_up(net * often)


def left_out(contract: Contract, line: Line, on: date) -> tuple[str, ...]:
    """What of a contract would change what a line brings, and `whole_month` leaves out: `coupons`, `minimum_sales`,
    `cost_cap`."""
    day = max(on, line.start)
    phase = [p for p in contract.phases if p.start <= day][-1:] or list(contract.phases[:1])
    terms, tariff = at(line.terms, day), phase[0].terms(day)
    coupons = [c for c in contract.coupons if c.end > day and (not c.articles or terms.article in c.articles)]
    found = {
        "coupons": bool(coupons) or line.order_coupon is not None,
        "minimum_sales": tariff.minimum is not None and terms.in_minimum,
        "cost_cap": tariff.cap is not None and terms.in_cap,
    }
    return tuple(name for name, there in found.items() if there)


def _net(amount: int, rate: Decimal, *, gross: bool) -> Fraction:
    return Fraction(amount * 100) / (100 + Fraction(rate)) if gross else Fraction(amount)


def _times(usage: Usage, often: Fraction) -> Usage:
    """The usage of a month in a period that comes so often in one."""
    if often == 1:
        return usage
    factor = plain(1 / often)

    def times(value: Decimal) -> Decimal:
        return EXACT.multiply(value, factor)

    return replace(
        usage,
        quantity=times(usage.quantity), seconds=int(usage.seconds * factor), count=int(usage.count * factor),
        raw_quantity=times(usage.raw_quantity), days_parts=times(usage.days_parts),
        whole_parts=times(usage.whole_parts), imported_quantity=times(usage.imported_quantity),
        parts=tuple((days, times(q), times(c), times(a)) for days, q, c, a in usage.parts),
        imported=tuple((days, times(amount)) for days, amount in usage.imported),
    )  # fmt: skip
