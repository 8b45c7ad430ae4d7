"""Minimum sales and cost cap (R9): top-up and relief of one billing period, split by VAT."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from taktura.core.expected import Rated
from taktura.core.facts import Contract, TariffTerms, at
from taktura.core.money import half_up, split
from taktura.core.periods import DAY, clip, days, subtract
from taktura.core.tax import Vat, basis, rates_of, vat_on

Flagged = Mapping[Vat, int]  # the flagged net (or gross) amounts by VAT, in minor units


@dataclass(frozen=True, slots=True)
class UnitResult:
    """Top-up and relief by VAT, both in minor units and not negative, with what they were reckoned from."""

    top_up: dict[Vat, int]
    relief: dict[Vat, int]
    minimum: Fraction
    cap: Fraction | None


def bounds(contract: Contract, unit: Rated) -> tuple[Fraction, Fraction | None]:
    """Minimum and cap of a period in minor units, unrounded: prorated by the days the contract runs (R9.3)."""
    terms = unit.terms
    part = _part(contract, unit)
    factor = basis(contract.tax, rates_of(contract.tax, terms, None), unit.start) * 10**contract.digits
    minimum = Fraction(0)
    if terms.minimum is not None and not unit.trial and part:
        minimum = Fraction(terms.minimum) * (part if terms.minimum_proration == "daily" else 1)
    if terms.cap is None:
        return minimum * factor, None
    return minimum * factor, Fraction(terms.cap) * (part if terms.cap_proration == "daily" else 1) * factor


def _part(contract: Contract, unit: Rated) -> Fraction:
    ranges = clip([(max(unit.start, contract.billed_until), unit.end)], unit.start, unit.end)
    return Fraction(days(subtract(ranges, list(contract.pauses))), unit.grid.days)


def top_up_and_relief(
    contract: Contract, unit: Rated, in_minimum: Flagged, in_cap: Flagged, nested: bool, common: Vat, over: bool
) -> UnitResult:
    """The unit's two lines (R9.1, R9.4): minimum first, then cap; a top-up counts into the cap when `nested`.

    `over`: the period is over, so that the minimum is expected; `common` is the VAT of a top-up without any flagged
    amount.
    """
    minimum, cap = bounds(contract, unit)
    top_up: dict[Vat, int] = {}
    if over and minimum:
        missing = half_up(minimum - sum(in_minimum.values()))
        if missing > 0:
            top_up = _by_vat(missing, in_minimum, common)
    relief: dict[Vat, int] = {}
    if cap is not None:
        flagged = dict(in_cap)
        if nested:
            for vat, amount in top_up.items():
                flagged[vat] = flagged.get(vat, 0) + amount
        excess = half_up(sum(flagged.values()) - cap)
        if excess > 0:
            relief = _by_vat(excess, flagged, common)
    return UnitResult(top_up, relief, minimum, cap)


def common_vat(contract: Contract, unit: Rated) -> Vat:
    """The VAT of a top-up where no flagged amount is: the flagged lines' common rate, else the tariff's (R9.5).

    Of the lines as the contract has them in the period, whatever is billed or due of them just now: else a change that
    looks at some of the lines would find another rate than a run, and each would take back what the other billed.
    """
    flagged: dict[str, set[Vat]] = {"m": set(), "c": set()}
    for line in contract.lines:
        if line.start >= unit.end or line.end <= unit.start:
            continue
        if line.kept is not None and unit.phase.start >= line.kept:  # it has no flags here any more
            continue
        terms = at(line.terms, max(unit.start, line.start))
        if terms.charge == "once" and line.start < unit.start:
            continue
        vat = vat_on(contract.tax, rates_of(contract.tax, unit.terms, terms), unit.end - DAY)
        for letter, is_flagged in (("m", terms.in_minimum), ("c", terms.in_cap)):
            flagged[letter] |= {vat} if is_flagged else set()
    found = flagged["m"] or flagged["c"]
    return next(iter(found)) if len(found) == 1 else tariff_vat(contract, unit.terms, unit)


def tariff_vat(contract: Contract, terms: TariffTerms, unit: Rated) -> Vat:
    """The tariff's own VAT on the period's last day."""
    return vat_on(contract.tax, rates_of(contract.tax, terms, None), unit.end - DAY)


def _by_vat(amount: int, flagged: Flagged, common: Vat) -> dict[Vat, int]:
    """Split in proportion to the flagged amounts by largest remainder; a tie goes to the higher rate (R9.5, R1.4)."""
    positive = {vat: max(value, 0) for vat, value in flagged.items()}
    if not sum(positive.values()):
        return {common: amount}
    vats = list(positive)
    parts = split(amount, [positive[v] for v in vats], [v[1] for v in vats])
    return {v: part for v, part in zip(vats, parts, strict=True) if part}
