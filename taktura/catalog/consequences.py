"""What the settings of a tariff come to, with its own lines and prices: examples for whoever writes it.

The core rates a small contract of each. Amounts are whole minor units, net unless the company's prices are gross. A
function gives None where the tariff has nothing to show of a setting.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import wraps
from math import floor
from typing import Any, ParamSpec, TypeVar

from taktura.catalog.services import Offer, offer_of
from taktura.core.control import Watch
from taktura.core.errors import Refused
from taktura.core.expected import Rated, rated_periods
from taktura.core.facts import Charge, Contract, Line, LineTerms, Phase, Tax, Usage
from taktura.core.metering import billed_seconds, parse_tick
from taktura.core.money import half_up, minor
from taktura.core.periods import DAY, FOREVER, Anchor, Span, add, anchor
from taktura.core.pricing import cost
from taktura.core.settle import Scope, settle
from taktura.core.tax import is_gross, rates_of, tax_in_gross, tax_of_net, vat_on
from taktura.core.terms import earliest_end, fixed_end, notice_deadline, parse_terms
from taktura.core.units import bounds

FEW = (5, 2, 1)  # quantities that may stay below a minimum
MANY = tuple(n * 10**k for k in range(1, 10) for n in (2, 5, 10))  # that may go beyond a cap
SHOWN = 3  # periods
CALL = 61  # seconds: one more than a minute
MOST = 10**9  # units tried until a threshold is reached

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What examples are made of: the tariff as far as it can be billed, and what of it cannot (`problems`)."""

    offer: Offer
    digits: int
    tax: Tax
    today: date
    consumer: bool
    problems: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A quantity of a line and what it costs."""

    title: str
    unit: str
    quantity: Decimal
    amount: int


@dataclass(frozen=True, slots=True)
class Bound:
    """A period under a minimum or a cap: what was used, what is added or taken off, and what it comes to."""

    parts: tuple[Part, ...]
    bound: Decimal
    titles: tuple[str, ...]  # of the flagged lines
    difference: int
    total: int


@dataclass(frozen=True, slots=True)
class Partly:
    """A period of which a contract has the days `[first, end)` only, since it starts, or `ended`, within it."""

    first: date
    end: date
    days: int
    whole: int
    ended: bool
    recurring: int
    minimum: int | None
    cap: int | None


@dataclass(frozen=True, slots=True)
class Ends:
    """Notice received on the day of signing: the end (exclusive), and the last day of receipt for it. `by_itself`: the
    end that stands from the beginning; `consumer`: the end for a consumer by law, where it differs."""

    signed: date
    end: date
    deadline: date
    by_itself: date | None
    consumer: date | None


@dataclass(frozen=True, slots=True)
class Ticked:
    """Two calls of so many seconds: the seconds that are billed of one, and of both."""

    seconds: int
    one: int
    both: int
    together: bool  # both are added up before they are rounded


@dataclass(frozen=True, slots=True)
class Schedule:
    """The first billing periods of a contract that is signed on a day; the trial is none of them."""

    signed: date
    periods: tuple[tuple[date, date], ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """A contract signed on a day: its trial ends before `end`, then recurring lines cost `amount` for [first, last)."""

    signed: date
    end: date
    first: date
    last: date
    amount: int


@dataclass(frozen=True, slots=True)
class Alerts:
    """From where on alerts come: the cap from an amount (minor units), an included quantity or a flat price beyond."""

    cap: int | None
    included: tuple[str, str, Fraction] | None  # title, unit, quantity
    flat: tuple[str, Fraction] | None  # title, minutes


@dataclass(frozen=True, slots=True)
class Taxed:
    """A price with VAT: from when (None: the beginning), the rate, the net and the gross, in minor units."""

    start: date | None
    rate: Decimal
    title: str
    net: int
    gross: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A period that was billed in advance, and a contract that ends before `end`: what was paid, what is given back."""

    end: date
    paid: int
    back: int


def guarded(function: Callable[P, T | None]) -> Callable[P, T | None]:
    """None where a setting leads beyond the calendar."""

    @wraps(function)
    def within(*args: P.args, **options: P.kwargs) -> T | None:
        try:
            return function(*args, **options)
        except (OverflowError, ValueError):
            return None

    return within


def ground(fields: Mapping[str, Any], *, digits: int, tax: Tax, today: date, consumer: bool = False) -> Ground:
    """What a tariff's fields (as the services take them) say, less what is refused of them."""
    rest = {**fields, "lines": dict(fields.get("lines") or {})}
    problems: list[Refused] = []
    while True:
        try:
            offer = offer_of(rest)
        except Refused as refused:
            problems.append(refused)
            _leave_out(rest, refused)
        else:
            return Ground(offer=offer, digits=digits, tax=tax, today=today, consumer=consumer, problems=tuple(problems))


def _leave_out(fields: dict[str, Any], refused: Refused) -> None:
    """Take out what a refusal is about; where it names nothing that is there, all but the title."""
    article, field = str(refused.values.get("article", "")), str(refused.values.get("field", ""))
    if article in fields["lines"]:
        del fields["lines"][article]
    elif field == "anchor" and fields.get("interval") and not fields.get("anchor"):
        del fields["interval"]
    elif field != "lines" and field in fields:
        del fields[field]
    elif "cost_cap" in fields:
        del fields["cost_cap"]
    else:
        for name in [n for n in fields if n not in ("title", "lines")]:
            del fields[name]
        fields["lines"] = {}


@guarded
def minimum(g: Ground) -> Bound | None:
    """A period in which the flagged lines stay below the minimum sales (R9)."""
    bound, flagged = g.offer.version.minimum_sales, [t for t in g.offer.terms.values() if t.in_minimum]
    return _bounded(g, bound, flagged, FEW, "minimum_sales") if bound else None


@guarded
def cap(g: Ground) -> Bound | None:
    """A period in which the flagged lines go beyond the cost cap (R9)."""
    bound, flagged = g.offer.version.cost_cap, [t for t in g.offer.terms.values() if t.in_cap]
    return _bounded(g, bound, flagged, MANY, "cost_cap") if bound is not None else None


def _bounded(g: Ground, bound: Decimal, flagged: list[LineTerms], tries: Iterable[int], kind: str) -> Bound | None:
    used = next((t for t in flagged if _is_used(t)), None)
    others = (t for t in g.offer.terms.values() if t not in flagged and _is_used(t) and not t.in_minimum)
    other = next((t for t in others if not t.in_cap and cost(t, Decimal(1)) > 0 and not t.included), None)
    chosen = [t for t in g.offer.terms.values() if t.in_minimum or t.in_cap or t is other]
    for quantity in tries if used else (0,):
        amounts = {t.article: Decimal(1) for t in (other,) if t}
        if used:
            amounts[used.article] = used.included + quantity
        unit, charges = _rated(g, chosen, amounts)
        difference = sum(c.amount for c in charges if c.key.kind == kind)
        if difference:
            parts = tuple(_parts(chosen, unit, charges, amounts))
            total = sum(c.amount for c in charges if c.key.start == unit.start)
            return Bound(parts, bound, tuple(t.title for t in flagged), abs(difference), total)
    return None


def _is_used(terms: LineTerms) -> bool:
    """Whether a line is priced by its own quantity of usage."""
    return terms.charge == "usage" and not terms.flat_price and terms.usage_pricing == "tariff"


def _rated(g: Ground, lines: Iterable[LineTerms], amounts: Mapping[str, Decimal]) -> tuple[Rated, list[Charge]]:
    """The charges of one whole period of a contract with these lines and this usage."""
    version = g.offer.version
    start = anchor(version.anchor, g.today).grid(version.interval).of(g.today).start
    agreed = contract(g, start, lines=lines, trial=False)
    unit = next(rated_periods(agreed, FOREVER))
    usage = {(line.id, unit.start): _usage(amounts[line.article]) for line in agreed.lines if line.article in amounts}
    charges = settle(replace(agreed, usage=usage), (), Scope(on=unit.end))
    return unit, [c for c in charges if c.key.start == unit.start]


def _usage(quantity: Decimal) -> Usage:
    number = int(quantity)
    return Usage(
        quantity=quantity, count=number, peak=quantity, last=quantity, unique=number, raw_quantity=quantity,
        parts=((1, quantity, Decimal(0), Decimal(0)),),
    )  # fmt: skip


def _parts(
    lines: Iterable[LineTerms], unit: Rated, charges: list[Charge], amounts: Mapping[str, Decimal]
) -> Iterable[Part]:
    for i, terms in enumerate(lines):
        amount = sum(c.amount for c in charges if c.key.line == i and c.key.start == unit.start)
        quantity = amounts.get(terms.article, Decimal(0) if _is_used(terms) else Decimal(1))
        if amount or terms.article in amounts:
            yield Part(terms.title, terms.unit, quantity, amount)


def contract(
    g: Ground, start: date, *, lines: Iterable[LineTerms] | None = None, end: date = FOREVER, trial: bool = True
) -> Contract:
    """A contract signed for a day with the lines that the tariff includes, or with the `lines` named, one of each."""
    version = g.offer.version
    trial_end = add(start, version.trial) if trial and version.trial else None
    counted = _anchor(version.anchor, start, trial_end)
    chosen = lines if lines is not None else [t for t in g.offer.terms.values() if t.booking == "included"]
    return Contract(
        id=0, start=start, end=end, trial_end=trial_end, digits=g.digits, tax=g.tax,
        phases=(Phase(start=start, anchor=counted, versions=((date.min, g.offer.tariff_terms),)),),
        lines=tuple(Line(id=i, start=start, terms=((start, terms),)) for i, terms in enumerate(chosen)),
    )  # fmt: skip


def _anchor(kind: str, start: date, trial_end: date | None) -> Anchor:
    return anchor(kind, trial_end or start) if kind == "contract" else anchor(kind, start)


@guarded
def partly(g: Ground) -> Partly | None:
    """A contract that starts in the middle of a period; where periods begin with the contract, one that ends so."""
    version = g.offer.version
    period = anchor(version.anchor, g.today).grid(version.interval).of(g.today)
    middle = date.fromordinal(period.start.toordinal() + period.days // 2)
    if middle == period.start:
        return None
    ended = version.anchor == "contract"
    agreed = contract(g, period.start, end=middle, trial=False) if ended else contract(g, middle, trial=False)
    unit = next(rated_periods(agreed, FOREVER))
    charges = settle(agreed, (), Scope(on=unit.end))
    recurring = sum(c.amount for c in charges if c.key.kind == "recurring" and c.first < unit.end)
    least, most = bounds(agreed, unit)
    return Partly(
        unit.start, unit.end, (unit.end - unit.start).days, unit.grid.days, ended, recurring,
        half_up(least) if version.minimum_sales is not None else None, half_up(most) if most is not None else None,
    )  # fmt: skip


@guarded
def ends(g: Ground) -> Ends | None:
    """A contract signed today, and notice received today (R15)."""
    terms, day = parse_terms(g.offer.version.notice), g.today
    end = earliest_end(terms, day, day)
    by_law = earliest_end(terms, day, day, consumer=True) if g.consumer else end
    return Ends(day, end, notice_deadline(terms, day, day), fixed_end(terms, day), by_law if by_law != end else None)


def ticked(g: Ground) -> Ticked:
    """Two calls that are a second longer than a minute (R6.2)."""
    version = g.offer.version
    tick = parse_tick(version.tick or "minute")
    one, together = billed_seconds(CALL, tick), version.tick_scope == "period"
    return Ticked(CALL, one, billed_seconds(2 * CALL, tick) if together else 2 * one, together)


@guarded
def schedule(g: Ground, signed: date) -> Schedule | None:
    """The first billing periods of a contract that is signed on a day (R2.3, R2.4)."""
    found = []
    for unit in rated_periods(contract(g, signed), FOREVER):
        if not unit.trial:
            found.append((unit.start, unit.end))
        if len(found) == SHOWN:
            break
    return Schedule(signed, tuple(found))


def last_of_month(day: date) -> date:
    """The next 31st, on or after a day: where clamping shows (R2.3)."""
    month = Span(1, "month")
    first = day.replace(day=1)
    while True:
        last = add(first, month) - DAY
        if last.day == 31 and last >= day:
            return last
        first = add(first, month)


@guarded
def trial(g: Ground) -> Trial | None:
    """A contract signed today: what is free, and what is billed first (R4.3)."""
    agreed = contract(g, g.today)
    if agreed.trial_end is None:
        return None
    unit = next(u for u in rated_periods(agreed, FOREVER) if not u.trial)
    charges = settle(agreed, (), Scope(on=unit.end))
    amount = sum(c.amount for c in charges if c.key.kind == "recurring" and c.first < unit.end)
    return Trial(g.today, agreed.trial_end, unit.start, unit.end, amount)


@guarded
def alerts(g: Ground) -> Alerts | None:
    """From where on control says something, in whole periods (R19.1)."""
    version, terms = g.offer.version, list(g.offer.terms.values())
    tolerance = version.tolerance or Decimal(0)

    def limit(kind: str, bound: Fraction) -> Fraction:
        return Watch(kind=kind, value=Fraction(0), bound=bound, tolerance=tolerance).limit

    capped = None
    if version.cost_cap is not None:  # the first whole unit that is strictly above
        capped = floor(limit("cap", Fraction(version.cost_cap)) * 10**g.digits) + 1
    held = next((t for t in terms if t.charge == "usage" and t.included), None)
    flat = next((t for t in terms if t.flat_price and t.reference_price), None)
    if capped is None and held is None and flat is None:
        return None
    return Alerts(
        capped,
        (held.title, held.unit, limit("included", Fraction(held.included))) if held else None,
        (flat.title, limit("flat", Fraction(flat.price)) / Fraction(flat.reference_price or 1)) if flat else None,
    )


@guarded
def threshold(g: Ground) -> Part | None:
    """How much of the first usage line that has a price reaches the interim threshold (R11.3)."""
    wanted = g.offer.version.interim_threshold
    line = next((t for t in g.offer.terms.values() if _is_used(t) and t.interim and cost(t, Decimal(MOST)) > 0), None)
    if not wanted or line is None:
        return None
    low, high = 0, MOST
    if cost(line, Decimal(high)) < wanted:
        return None
    while low < high:
        middle = (low + high) // 2
        if cost(line, Decimal(middle)) >= wanted:
            high = middle
        else:
            low = middle + 1
    quantity = Decimal(low) + line.included
    _unit, charges = _rated(g, [line], {line.article: quantity})
    return Part(line.title, line.unit, quantity, sum(c.amount for c in charges if c.key.kind == "usage"))


@guarded
def taxed(g: Ground) -> tuple[Taxed, ...] | None:
    """The first price that has the tariff's VAT, by each rate (R13)."""
    line = next((t for t in g.offer.terms.values() if t.vat is None and t.price), None)
    if line is None or g.tax.category != "S":
        return None
    price = minor(Fraction(line.price), g.digits)
    found = []
    for start, _rate in rates_of(g.tax, g.offer.tariff_terms, None):
        rate = vat_on(g.tax, rates_of(g.tax, g.offer.tariff_terms, None), start)[1]
        contained = tax_in_gross(price, rate) if is_gross(g.tax) else 0
        net = price - contained
        gross = price if is_gross(g.tax) else price + tax_of_net(price, rate)
        found.append(Taxed(None if start == date.min else start, rate, line.title, net, gross))
    return tuple(found)


@guarded
def ended(g: Ground) -> Ended | None:
    """A contract that was billed for a whole period and ends in the middle of it (R15.5)."""
    version = g.offer.version
    period = anchor(version.anchor, g.today).grid(version.interval).of(g.today)
    agreed = contract(g, period.start, trial=False)
    billed = [replace(c, id=i, document=1) for i, c in enumerate(settle(agreed, (), Scope(on=period.start)), 1)]
    middle = date.fromordinal(period.start.toordinal() + period.days // 2)
    paid = sum(c.amount for c in billed if c.key.kind == "recurring")
    if not paid or middle == period.start:
        return None
    back = settle(replace(agreed, end=middle), billed, Scope(on=period.start))
    return Ended(middle, paid, -sum(c.amount for c in back if c.key.kind == "recurring"))
