"""What should be billed (the left side of R5.1), from the agreement and the usage.

By days: rows of `Segment`, each with the cost function of its period. By amount: rows of `Amount`. Both are given
whether due or not; settlement decides by `due`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from taktura.core import coupons as cp
from taktura.core.facts import Contract, Key, Line, LineTerms, Phase, Rate, Rates, TariffTerms, Usage, at
from taktura.core.metering import metered, sum_imported, supplied, tick_proof
from taktura.core.money import Number, fraction_text, less_percent, minor
from taktura.core.periods import DAY, Period, Range, Span, add, clip, days, ratio, subtract
from taktura.core.pricing import billed_quantity, cost
from taktura.core.tax import in_basis, rates_of

Wanted = Callable[[Key, date], bool]  # whether a key's cost is of interest, given when it falls due


def _all(key: Key, due: date) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rated:
    """One billing period of a contract in one phase: what is left of the grid's period after start, trial and end."""

    start: date
    end: date
    grid: Period
    phase: Phase
    trial: bool

    @property
    def terms(self) -> TariffTerms:
        """The tariff's version that holds for the period."""
        return self.phase.terms(self.start)


@dataclass(slots=True, kw_only=True)
class Segment:
    """Expected by days: `[first, end)` of a key's period at one cost function."""

    key: Key
    line: Line
    terms: LineTerms
    unit: Rated
    rates: Rates
    first: date
    end: date
    due: date
    quantity: Decimal
    base: Fraction  # the whole period's cost before coupons
    span: tuple[int, Span | None]
    period: Period
    rate: Rate | None = None
    proof: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Amount:
    """Expected by amount: usage, once, and recurring without proration; `base` is the cost before coupons."""

    key: Key
    line: Line
    terms: LineTerms
    unit: Rated
    rates: Rates
    first: date
    end: date
    due: date
    running: bool  # a usage period that is not over
    quantity: Number
    base: Fraction
    each: Fraction | None
    amount: int = 0
    proof: dict[str, object] = field(default_factory=dict)


def active(contract: Contract, line: Line, *, recurring: bool = False) -> list[Range]:
    """The days on which a line is billed: its life in the contract's, less pauses, the trial (recurring lines only) and
    what another system has billed."""
    first = max(line.start, contract.start, contract.billed_until)
    if recurring and contract.trial_end:
        first = max(first, contract.trial_end)
    end = min(line.end, contract.end)
    if not contract.pauses:
        return [(first, end)] if first < end else []
    return subtract([(first, end)], list(contract.pauses))


def rated_periods(contract: Contract, until: date, since: date = date.min) -> Iterator[Rated]:
    """The contract's billing periods that begin before `until` and start on or after `since`, in order.

    The trial is one of its own (R4.3); a change of tariff ends one and begins another (R16.1).
    """
    trial = contract.trial_end
    for phase in contract.phases:
        first, end = phase.start, min(phase.end, contract.end, until)
        if trial and first < trial:
            last = min(trial, phase.end, contract.end)
            if first < until and first >= since:
                yield Rated(first, last, Period(first, trial), phase, True)
            first = trial
        stop = min(phase.end, contract.end)
        while first < end:
            period = phase.anchor.grid(phase.terms(first).interval).of(first)
            last = min(period.end, stop)
            if first >= since:
                yield Rated(first, last, period, phase, False)
            first = last


def unit_of(contract: Contract, day: date) -> Rated:
    """The billing period in which a day lies."""
    for phase in contract.phases:
        if day < phase.end or phase is contract.phases[-1]:
            break
    trial = contract.trial_end
    stop = min(phase.end, contract.end)
    if trial and phase.start <= day < trial:
        return Rated(phase.start, min(trial, stop), Period(phase.start, trial), phase, True)
    period = phase.anchor.grid(phase.terms(day).interval).of(day)
    first = max(period.start, phase.start, trial or date.min)
    return Rated(first, min(period.end, stop), period, phase, False)


def by_days(contract: Contract, until: date, since: date, wanted: Wanted = _all) -> Iterator[Segment]:
    """Recurring lines and flat fees by days, in periods that begin before `until`."""
    for line, terms, phase, period, ranges in _line_periods(contract, contract.lines, until, since):
        if terms.charge == "once" or terms.proration == "none" or (terms.charge == "usage" and not terms.flat_price):
            continue
        kind = "flat" if terms.charge == "usage" else "recurring"
        key = Key(line.id, kind, period.start)
        late = kind == "flat" or terms.when == "arrears"
        due = min(period.end, line.end, phase.end, contract.end) if late else ranges[0][0]
        if not wanted(key, due):
            continue
        unit = unit_of(contract, ranges[0][0])
        rates = rates_of(contract.tax, unit.terms, terms)
        cuts = [start for start, _ in line.quantities] + [start for start, _ in line.conditions]
        for first, end in ranges:
            edges = sorted({first, end, *(c for c in cuts if first < c < end)})
            for a, b in zip(edges, edges[1:], strict=False):
                quantity, own = at(line.quantities, a), line.on(a)
                if not billed_quantity(own, terms, quantity):
                    continue
                base, span, proof = _period_cost(contract, own, terms, quantity, due, unit)
                # The last day of all that is served, not of this part: a change leaves the price before it as it was.
                base = in_basis(base, contract.tax, rates, end - DAY)
                if kind == "flat" and a == ranges[0][0]:  # shown once a period
                    proof |= _used(contract, line, terms, unit, due)
                yield Segment(
                    key=key,
                    line=own,
                    terms=terms,
                    unit=unit,
                    rates=rates,
                    first=a,
                    end=b,
                    due=due,
                    quantity=quantity,
                    base=base,
                    span=span,
                    period=period,
                    proof=proof,
                )


def _used(contract: Contract, line: Line, terms: LineTerms, unit: Rated, due: date) -> dict[str, object]:
    """What a flat fee's line says of its usage (R7.4): how much, and the records behind it."""
    usage = contract.usage.get((line.id, unit.start))
    if usage is None:
        return {}
    quantity = metered(terms, usage) if terms.usage_pricing == "tariff" else usage.raw_quantity
    return {"used": fraction_text(quantity), "usage": _records(line, unit, usage, due)}


def _records(line: Line, unit: Rated, usage: Usage, due: date) -> dict[str, object]:
    return {"line": line.id, "from": unit.start.isoformat(), "until": due.isoformat(), "mark": usage.mark}


def by_amount(contract: Contract, on: date, until: date, since: date, wanted: Wanted = _all) -> Iterator[Amount]:
    """Once, recurring without proration, and usage, in periods that begin before `until`; of usage what is `wanted`."""
    yield from _once(contract, until, since)
    yield from _whole(contract, until, since)
    yield from _usage(contract, on, until, since, wanted)


def _line_periods(
    contract: Contract, lines: Iterable[Line], until: date, since: date
) -> Iterator[tuple[Line, LineTerms, Phase, Period, list[Range]]]:
    """Each recurring line and flat fee of `lines` × each of its periods × the days active in it, phase by phase."""
    for line in lines:
        first_terms = line.terms[0][1]
        if first_terms.charge == "once" or (
            first_terms.charge == "usage" and not any(t.flat_price for _, t in line.terms)
        ):
            continue
        life = active(contract, line, recurring=True)
        if not life:
            continue
        for phase in contract.phases:
            days_here = clip(life, phase.start, phase.end)
            if not days_here:
                continue
            day, stop = days_here[0][0], days_here[-1][1]
            if since > day:
                day = min(since, stop)
            while day < stop:
                known = at(line.terms, max(day, phase.start))
                interval = phase.terms(day).interval if known.charge == "usage" else known.interval
                period = phase.anchor.grid(interval).of(day)
                if max(period.start, phase.start, line.start) >= until:
                    break  # a period that begins in a pause counts by its start, not by its first active day
                terms = at(line.terms, max(period.start, phase.start, line.start))
                ranges = clip(days_here, period.start, period.end)
                if ranges and period.start >= since:
                    yield line, terms, phase, period, ranges
                day = period.end


def _period_cost(
    contract: Contract, line: Line, terms: LineTerms, quantity: Decimal, due: date, unit: Rated
) -> tuple[Fraction, tuple[int, Span | None], dict[str, object]]:
    """The cost of a whole period before coupons, and how many whole spans of `price_per` it has (R4.2, R2.5)."""
    price, proof = _booked_cost(contract, line, terms, quantity, due, unit)
    more, less = (1, 1) if terms.charge == "usage" else ratio(terms.interval, terms.price_per)
    if more != less:
        price = price * more / less
    return price, (more, terms.price_per if more > 1 else None), proof


def _booked_cost(
    contract: Contract, line: Line, terms: LineTerms, quantity: Decimal, due: date, unit: Rated
) -> tuple[Fraction, dict[str, object]]:
    """The cost of a booked quantity for one span of the price, before coupons, with its proof (R7, R10.1)."""
    counted: Number = billed_quantity(line, terms, quantity)
    included = terms.included * quantity if terms.included else Decimal(0)
    priced: Number = max(Fraction(counted) - Fraction(included), Fraction(0)) if included else counted
    price = cost(terms, priced, line.price)
    scale = cp.scale_of(contract, line, terms, priced, unit.start, due)
    price = less_percent(less_percent(price, scale), line.discount)
    proof = _conditions(line, terms, priced, scale)
    if counted > quantity:
        proof["minimum_quantity"] = str(line.minimum_quantity)
    if included:
        proof["included"] = fraction_text(min(included, counted))
    return price, proof


def _conditions(line: Line, terms: LineTerms, priced: Number, scale: Decimal) -> dict[str, object]:
    """The part of a proof that says at what price and discounts a quantity was priced."""
    proof: dict[str, object] = {"priced": fraction_text(priced)}
    if terms.tiers and line.price is None:
        proof["tiers"] = [
            [str(t.up_to) if t.up_to is not None else None, str(t.price), str(t.flat)] for t in terms.tiers
        ]
        proof["tier_mode"] = terms.tier_mode
    else:
        proof["price"] = str(terms.price if line.price is None else line.price)
        if terms.price_quantity != 1:
            proof["price_quantity"] = str(terms.price_quantity)
        if terms.package != "proportional":
            proof["package"] = terms.package
    if scale:
        proof["discount_scale"] = str(scale)
    if line.discount:
        proof["discount"] = str(line.discount)
        if line.reason:
            proof["reason"] = line.reason
    return proof


def _once(contract: Contract, until: date, since: date) -> Iterator[Amount]:
    for line in contract.lines:
        terms = line.terms[0][1]
        if (
            terms.charge != "once"
            or line.start >= min(until, line.end, contract.end)
            or line.start < max(contract.billed_until, since)
        ):
            continue
        unit = unit_of(contract, line.start)
        quantity = at(line.quantities, line.start)
        base, proof = _booked_cost(contract, line, terms, quantity, line.start, unit)
        rates = rates_of(contract.tax, unit.terms, terms)
        base = in_basis(base, contract.tax, rates, line.start)
        counted = billed_quantity(line, terms, quantity)
        yield Amount(
            key=Key(line.id, "once", line.start),
            line=line,
            terms=terms,
            unit=unit,
            rates=rates,
            first=line.start,
            end=line.start + DAY,
            due=line.start,
            running=False,
            quantity=counted,
            base=base,
            each=base / Fraction(counted) if counted else None,
            proof=proof | {"rule": "R3.1"},
        )


def _whole(contract: Contract, until: date, since: date) -> Iterator[Amount]:
    """Recurring lines without proration: a started period whole, at its highest quantity (R4.1)."""
    lines = [x for x in contract.lines if any(t.charge == "recurring" and t.proration == "none" for _, t in x.terms)]
    found: dict[Key, Amount] = {}
    booked: dict[Key, Decimal] = {}
    for line, terms, phase, period, ranges in _line_periods(contract, lines, until, since):
        if (
            terms.charge != "recurring"
            or terms.proration != "none"
            or period.start < contract.billed_until <= ranges[0][0]
        ):
            continue
        cuts = {a for a, _ in ranges} | {c for c, _ in line.quantities if any(a <= c < b for a, b in ranges)}
        quantity = max(at(line.quantities, c) for c in cuts)
        own = line.on(max(period.start, phase.start, line.start))
        key = Key(line.id, "recurring", period.start)
        late = terms.when == "arrears"
        due = min(period.end, line.end, phase.end, contract.end) if late else ranges[0][0]
        if key in found:  # a change of tariff within the period: the terms at its start hold
            before = found[key]
            own, terms, due, unit = before.line, before.terms, min(due, before.due), before.unit
            quantity = max(quantity, booked[key])
        else:
            unit = unit_of(contract, ranges[0][0])
        if not billed_quantity(own, terms, quantity):
            continue
        base, _, proof = _period_cost(contract, own, terms, quantity, due, unit)
        rates = rates_of(contract.tax, unit.terms, terms)
        base = in_basis(base, contract.tax, rates, period.end - DAY)
        booked[key], counted = quantity, billed_quantity(own, terms, quantity)
        found[key] = Amount(
            key=key,
            line=own,
            terms=terms,
            unit=unit,
            rates=rates,
            first=max(period.start, line.start, contract.start),
            end=period.end,
            due=due,
            running=False,
            quantity=counted,
            base=base,
            each=base / Fraction(counted),
            proof=proof | {"rule": "R4.1"},
        )
    yield from found.values()


def _usage(contract: Contract, on: date, until: date, since: date, wanted: Wanted) -> Iterator[Amount]:
    lines = [line for line in contract.lines if line.terms[0][1].charge == "usage"]
    if not lines:
        return
    empty = Usage()
    for unit in rated_periods(contract, until, since):
        for line in lines:
            life = clip(active(contract, line), unit.start, unit.end)
            if not life:
                continue
            key = Key(line.id, "usage", unit.start, unit.phase.start)
            due = min(unit.end, line.end)
            if not wanted(key, due):
                continue
            begin = max(unit.start, line.start) if line.start < unit.end else unit.start
            own, terms = line.on(begin), at(line.terms, begin)
            usage = contract.usage.get((line.id, unit.start), empty)
            rates = rates_of(contract.tax, unit.terms, terms)
            quantity, base, each, proof = _usage_cost(contract, own, terms, unit, usage, life, due <= on, due)
            last = unit.end - DAY
            yield Amount(
                key=key,
                line=own,
                terms=terms,
                unit=unit,
                rates=rates,
                first=max(unit.start, life[0][0]),
                end=due,
                due=due,
                running=due > on,
                quantity=quantity,
                base=in_basis(base, contract.tax, rates, last),
                each=in_basis(each, contract.tax, rates, last) if each is not None else None,
                proof=proof,
            )


def _usage_cost(
    contract: Contract, line: Line, terms: LineTerms, unit: Rated, usage: Usage, life: list[Range], over: bool,
    due: date,
) -> tuple[Number, Fraction, Fraction | None, dict[str, object]]:  # fmt: skip
    """Shown quantity, cost before coupons, price of one unit, and proof of a line's usage in one period (R10.1)."""
    proof: dict[str, object] = {"rule": "R7", "usage": _records(line, unit, usage, due)}
    shown: Number = usage.imported_quantity
    base, converted = sum_imported(usage, "imported")
    each: Fraction | None = None
    pricing = terms.usage_pricing
    if pricing in ("cost_plus", "imported_price"):
        exact, more = sum_imported(usage, "cost" if pricing == "cost_plus" else "amount")
        proof |= {"converted": converted + more} if converted or more else {}
        proof |= {"rule": "R17.1", "usage_pricing": pricing, "imported": fraction_text(exact)}
        if pricing == "cost_plus":
            exact = exact * (100 + Fraction(terms.markup)) / 100
            proof["markup"] = str(terms.markup)
        if line.discount:
            proof["discount"] = str(line.discount)
        return usage.raw_quantity + usage.imported_quantity, less_percent(base + exact, line.discount), None, proof
    proof |= {"converted": converted} if converted else {}
    quantity = used_in(line, terms, unit, usage, life)
    if pricing == "tariff":
        shown = Fraction(shown) + Fraction(quantity) if shown else quantity
        proof |= tick_proof(terms, usage)
    else:
        proof |= {"rule": "R17.1", "usage_pricing": pricing, "days": unit.grid.days}
        shown = usage.raw_quantity if pricing == "usage_quantity" else _contracted(line, quantity, life)
        shown = Fraction(shown) + Fraction(usage.imported_quantity) if usage.imported_quantity else shown
    proof["quantity"] = fraction_text(quantity)
    if terms.flat_price:
        return shown, less_percent(base, line.discount), None, proof | {"rule": "R7.4"}
    if over and line.minimum_quantity is not None and quantity < line.minimum_quantity and pricing == "tariff":
        quantity = shown = line.minimum_quantity
        proof["minimum_quantity"] = str(line.minimum_quantity)
    priced = _less_included(contract, line, terms, unit, quantity, proof)
    scale = cp.scale_of(contract, line, terms, priced, unit.start, due)
    price = less_percent(cost(terms, priced, line.price), scale) if priced else Fraction(0)
    proof |= _conditions(line, terms, priced, scale)
    if (not terms.tiers or line.price is not None) and terms.package == "proportional":
        each = Fraction(terms.price if line.price is None else line.price)
        if terms.price_quantity != 1:
            each /= Fraction(terms.price_quantity)
        each = less_percent(less_percent(each, scale), line.discount)
    return shown, less_percent(base + price if usage.imported or usage.foreign else price, line.discount), each, proof


def _contracted(line: Line, quantity: Number, life: list[Range]) -> Number:
    """The quantity to show for `fixed_quantity`: the contracted one, when it is the same all through."""
    values = {at(line.quantities, a) for a, _ in life} | {
        q for start, q in line.quantities if any(a < start < b for a, b in life)
    }
    return values.pop() if len(values) == 1 and quantity else quantity


def _less_included(
    contract: Contract, line: Line, terms: LineTerms, unit: Rated, quantity: Number, proof: dict[str, object]
) -> Number:
    """What is left to price after the included quantity (R8)."""
    if not terms.included or quantity <= 0:
        return quantity
    included = included_in(contract, line, terms, unit)
    drawn = min(included, Fraction(quantity))
    proof["included"] = fraction_text(included)
    proof["included_used"] = fraction_text(drawn)
    return Fraction(quantity) - drawn


def included_in(contract: Contract, line: Line, terms: LineTerms, unit: Rated) -> Fraction:
    """The included quantity of a usage line in one period: per unit booked, and by days where it says so (R8)."""
    included = Fraction(terms.included) * Fraction(at(line.quantities, max(unit.start, line.start)))
    if terms.included_proration == "daily" and not unit.trial:
        here = days(clip(active(contract, line), unit.start, unit.end))
        included = included * here / unit.grid.days
    return included


def used_in(line: Line, terms: LineTerms, unit: Rated, usage: Usage, life: list[Range]) -> Number:
    """The quantity used on a line in one billing period, in billed units, before its minimum and what is included."""
    if terms.usage_pricing == "tariff":
        return metered(terms, usage)
    return supplied(line, terms, usage, unit.grid.days, life)


def cost_until(rate: Rate, day: date) -> Fraction:
    """The cost of a period from its start up to `day`: whole spans of the price whole, the rest by days (R4.2)."""
    if day >= rate.end:
        return rate.price
    if rate.span is None:
        numerator, denominator = rate.price.as_integer_ratio()
        return Fraction(numerator * (day - rate.start).days, denominator * (rate.end - rate.start).days)
    each = rate.price / rate.spans
    k = 0
    while k + 1 < rate.spans and add(rate.start, rate.span, k + 1, rate.day) <= day:
        k += 1
    low = add(rate.start, rate.span, k, rate.day)
    high = add(rate.start, rate.span, k + 1, rate.day)
    return each * k + each * (day - low).days / (high - low).days


def days_amount(rate: Rate, first: date, end: date, digits: int) -> int:
    """The charge for `[first, end)`: round(cost(end)) − round(cost(first)), in minor units (R4.2)."""
    before = 0 if first <= rate.start else minor(cost_until(rate, first), digits)
    return minor(cost_until(rate, end), digits) - before
