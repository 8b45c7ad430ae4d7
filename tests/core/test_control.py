"""Control (R19): bounds as the bill will have them, compared strictly and unrounded; and the forecast."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.control import Watch, notional, since_of, watches
from taktura.core.expected import rated_periods
from taktura.core.facts import Charge, Conditions, Contract, Coupon, Line, LineTerms, Phase, TariffTerms, Tax, Usage
from taktura.core.periods import DAY, FOREVER, Span, anchor
from taktura.core.schedule import windows
from taktura.core.settle import Scope, settle

D = Decimal
MONTH = Span(1, "month")
CENT = Fraction(1, 100)
STARTS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
MONEY = st.decimals(0, 500, places=2)
PERCENT = st.decimals(0, 200, places=1)


def watch(value: Any, bound: Any, **more: Any) -> Watch:
    return Watch(kind="cap", value=Fraction(value), bound=Fraction(bound), **more)


@given(MONEY, MONEY, PERCENT)
def test_an_alert_is_strictly_above(value: Decimal, bound: Decimal, tolerance: Decimal) -> None:
    """R19.1: the tolerance is in percent."""
    assert watch(value, bound, tolerance=tolerance).crossed == (value * 100 > bound * (100 + tolerance))
    limit = Fraction(bound) * (100 + Fraction(tolerance)) / 100
    assert not watch(limit, bound, tolerance=tolerance).crossed
    assert watch(limit + Fraction(1, 10**15), bound, tolerance=tolerance).crossed


@given(MONEY, MONEY, st.integers(1, 366), st.data())
def test_a_forecast_extrapolates(value: Decimal, bound: Decimal, days: int, data: st.DataObject) -> None:
    """R19.2: Σ × days of the period / days begun; on the last day it is the value itself, before the first there is
    none, and time alone only lowers it."""
    begun = data.draw(st.integers(1, days))
    one = watch(value, bound, days=days, begun=begun)
    assert one.will_cross == (value * days > bound * begun)
    assert watch(value, bound, days=days, begun=days).foreseen == value
    assert watch(value, bound, days=days, begun=0).foreseen == value
    assert watch(value, bound, days=days, begun=min(begun + 1, days)).foreseen <= one.foreseen
    assert one.will_cross or not one.crossed


def test_what_is_fixed_is_not_extrapolated() -> None:
    """20.00 of recurring lines are known on the first day; 1.00 of usage in one of 30 days becomes 30.00."""
    assert watch(21, 60, fixed=Fraction(20), days=30, begun=1).foreseen == 50


def test_the_notional_value_of_a_flat_price() -> None:
    """R19.1: billed minutes × reference price, unrounded."""
    assert notional(Fraction(3601, 60), D("0.06")) == Fraction(3601 * 6, 6000)


CALLS = LineTerms(article="calls", price=D("0.37"), in_cap=True, charge="usage")
DESK = LineTerms(article="desk", price=D("7.77"), in_cap=True)
FLAT = LineTerms(
    article="flat",
    price=D("29.90"),
    flat_price=True,
    reference_price=D("0.07"),
    unit="minute",
    in_cap=True,
    charge="usage",
)
PACK = LineTerms(
    article="pack", price=D("1.10"), included=D(50), included_proration="daily", in_cap=True, charge="usage"
)


def contract(
    start: date,
    *lines: LineTerms,
    kind: str = "contract",
    end: date = FOREVER,
    used: Mapping[str, int] | None = None,
    quantity: int = 1,
    first: date | None = None,
    terms: TariffTerms | None = None,
    **more: Any,
) -> Contract:
    """A contract with so many units of each line; `used` on each usage line in every period until two years on."""
    terms = terms or TariffTerms(cap=D(40), tolerance=D(10))
    trial = more.get("trial_end")
    counted = anchor(kind, trial if trial and kind == "contract" else start)
    booked = tuple(
        Line(
            id=i, start=first or start, terms=((start, line),),
            quantities=((start, D(quantity if line.charge == "recurring" or line.article != "calls" else 1)),),
        )
        for i, line in enumerate(lines, 1)
    )  # fmt: skip
    made = Contract(
        id=1, start=start, end=end, lines=booked,
        phases=(Phase(start=start, anchor=counted, versions=((date.min, terms),)),), **more,
    )  # fmt: skip
    keys = {i: line.article for i, line in enumerate(lines, 1)}
    sums = {}
    for window in windows(made, start + timedelta(days=730)):
        count = (used or {}).get(keys[window.line], 0)
        sums[window.line, window.start] = Usage(quantity=D(count), parts=((1, D(count), D(0), D(0)),))
    return replace(made, usage=sums)


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    """Contracts with all that moves a bound: partial periods, pauses, trials, ends, quantities, coupons, gross."""
    start = draw(STARTS)
    day = start + timedelta(days=draw(st.integers(0, 120)))
    lines = draw(st.lists(st.sampled_from([CALLS, DESK, FLAT, PACK]), min_size=1, unique_by=lambda t: t.article))
    coupons: tuple[Coupon, ...] = ()
    if draw(st.booleans()):
        off = draw(st.sampled_from([{"percent": D(20)}, {"amount": D(5)}]))
        coupons = (Coupon(id=1, given=start, first=start, **off),)
    paused = draw(st.integers(1, 40))
    return contract(
        start, *lines,
        kind=draw(st.sampled_from(["contract", "calendar", "day 15"])),
        end=draw(st.sampled_from([FOREVER, day + timedelta(days=50)])),
        used={name: draw(st.integers(0, 900)) for name in ("calls", "flat", "pack")},
        quantity=draw(st.integers(1, 4)),
        first=draw(st.sampled_from([start, start + timedelta(days=9)])),
        terms=TariffTerms(
            cap=draw(st.sampled_from([None, D(40), D("99.99")])), tolerance=D(10),
            cap_proration=draw(st.sampled_from(["none", "daily"])),
        ),
        trial_end=draw(st.sampled_from([None, start + timedelta(days=20)])),
        pauses=draw(st.sampled_from([(), ((day, day + timedelta(days=paused)),)])),
        coupons=coupons,
        stacking=draw(st.sampled_from(["best", "add"])),
        tax=draw(st.sampled_from([Tax(), Tax(gross=True), Tax(category="AE", gross=True)])),
    )  # fmt: skip


def billed(charges: list[Charge], kinds: set[str], one: Watch, lines: set[int]) -> tuple[Fraction, int]:
    """What is billed of some lines in a period, in major units, and of how many charges (each rounded once)."""
    rows = [c for c in charges if c.key.kind in kinds and c.key.line in lines and one.start <= c.first < one.end]
    return Fraction(sum(c.amount for c in rows), 100), len(rows)


@given(contracts())
def test_bounds_and_values_are_those_of_the_bill(made: Contract) -> None:
    """Σ is what the bill has before the cap's relief, a flat price the fee that it has, an included quantity that of
    its proof; and where Σ is above the cap, the bill relieves the difference."""
    until = made.start + timedelta(days=150)
    charges = settle(made, [], Scope(on=until + timedelta(days=60)))
    flagged = {line.id for line in made.lines}
    for one in watches(made, made.start, until, until + timedelta(days=60)):
        if one.kind == "cap":
            sum_of, count = billed(charges, {"usage", "recurring", "flat", "once"}, one, flagged)
            assert abs(one.value - sum_of) <= CENT * count
            relief = -sum(c.amount for c in charges if c.key.kind == "cost_cap" and c.key.start == one.start)
            assert abs(max(one.value - one.bound, Fraction(0)) - Fraction(relief, 100)) <= CENT * (count + 1)
        elif one.kind == "flat":
            assert one.line is not None
            fee, count = billed(charges, {"flat"}, one, {one.line})
            assert abs(one.bound - fee) <= CENT * count
        else:
            proofs = [c.proof for c in charges if c.key.kind == "usage" and c.key.line == one.line]
            stated = [Fraction(str(p["included"])) for p in proofs if _of(p, one)]
            assert stated in ([], [one.bound])


def _of(proof: Mapping[str, object], one: Watch) -> bool:
    usage = proof.get("usage")
    return isinstance(usage, dict) and usage["from"] == one.start.isoformat() and "included" in proof


@given(contracts(), st.integers(0, 140), st.integers(1, 60))
def test_only_the_periods_touched_are_looked_at(made: Contract, ahead: int, length: int) -> None:
    """However a span is cut, its watches are those of the periods it touches, and none is there twice."""
    first = made.start + timedelta(days=ahead)
    end, today = first + timedelta(days=length), first + timedelta(days=200)
    found = list(watches(made, first, end, today))
    periods = {u.start for u in rated_periods(made, end) if u.end > first and u.start < u.end}
    assert {w.start for w in found} <= periods
    assert len({(w.kind, w.line, w.start) for w in found}) == len(found)
    whole = {(w.kind, w.line, w.start): w for w in watches(made, made.start, end + timedelta(days=99), today)}
    assert all(whole[w.kind, w.line, w.start] == w for w in found)
    assert all(w.start >= since_of(made, first) for w in found)


@given(contracts(), st.integers(0, 140))
def test_days_begun(made: Contract, ahead: int) -> None:
    """Of a partial period its own days count, less pauses; none before it begins, all once it is over (R19.2)."""
    today = made.start + timedelta(days=ahead)
    for one in watches(made, made.start, made.start + timedelta(days=140), today):
        assert 0 <= one.begun <= one.days <= (one.end - one.start).days
        if today < one.start:
            assert one.begun == 0
        if today >= one.end - DAY:
            assert one.begun == one.days
            assert one.will_cross == one.crossed


def test_a_flat_price_by_days() -> None:
    """15 of 30 days of 30.00, and 20 % more: 180 minutes at 0.10 are the limit itself (scenario control)."""
    line = replace(FLAT, price=D(30), reference_price=D("0.10"), in_cap=False)
    terms = TariffTerms(tolerance=D(20))
    for minutes, crossed in ((180, False), (181, True)):
        made = contract(date(2026, 6, 16), line, kind="calendar", used={"flat": minutes}, terms=terms)
        (one,) = watches(made, date(2026, 6, 30), date(2026, 7, 1), date(2026, 6, 30))
        assert (one.bound, one.limit, one.days, one.begun) == (15, 18, 15, 15)
        assert one.crossed == crossed


def test_an_included_quantity_is_for_each_unit_booked() -> None:
    """R8.2: 3 booked, 50 included each; a minimum quantity of the line is not used (R19.1)."""
    made = contract(date(2026, 6, 1), PACK, used={"pack": 151}, quantity=3, terms=TariffTerms())
    made = replace(made, lines=tuple(_least(line) for line in made.lines))
    (one,) = watches(made, date(2026, 6, 5), date(2026, 6, 6), date(2026, 7, 5))
    assert (one.kind, one.bound, one.value, one.crossed) == ("included", 150, 151, True)


def _least(line: Line) -> Line:
    return Line(
        id=line.id, start=line.start, terms=line.terms, quantities=line.quantities, minimum_quantity=D(500)
    )  # fmt: skip


def test_a_minimum_quantity_counts_in_the_cap_once_the_period_is_over() -> None:
    """R10.1: 100 × 0.37 are billed at least; while the period runs only what is used counts."""
    made = contract(date(2026, 6, 1), CALLS, used={"calls": 10})
    made = replace(made, lines=tuple(_least(line) for line in made.lines))
    values = [
        next(iter(watches(made, date(2026, 6, 5), date(2026, 6, 6), today))).value
        for today in (date(2026, 6, 30), date(2026, 7, 1))
    ]
    assert values == [Fraction("3.70"), 185]


def test_a_trial_has_no_flat_fee_but_its_whole_included_quantity() -> None:
    """R4.3."""
    made = contract(
        date(2026, 6, 1), FLAT, PACK, used={"flat": 9000, "pack": 51}, trial_end=date(2026, 6, 15), terms=TariffTerms()
    )
    found = list(watches(made, date(2026, 6, 3), date(2026, 6, 4), date(2026, 6, 3)))
    assert [(w.kind, w.bound, w.crossed) for w in found] == [("included", 50, True)]


@pytest.mark.parametrize("price", [None, D("19.90")])
def test_an_own_price_and_a_discount_move_the_flat_fee(price: Decimal | None) -> None:
    """R7.5: what the contract pays is what its usage is held against."""
    made = contract(date(2026, 6, 1), FLAT, used={"flat": 1}, quantity=2)
    line = made.lines[0]
    own = Line(
        id=1, start=line.start, terms=line.terms, quantities=line.quantities, price=price, discount=D(10)
    )  # fmt: skip
    flat = list(watches(replace(made, lines=(own,)), made.start, date(2026, 6, 2), made.start))
    assert [w.bound for w in flat if w.kind == "flat"] == [Fraction(price or D("29.90")) * 2 * 9 / 10]


def test_the_flat_fee_of_a_period_is_that_of_its_conditions_day_by_day() -> None:
    """R7.5, R19.1: 10 of 30 days of 30.00, 20 at half of it: 20.00 are held against what is used."""
    made = contract(date(2026, 6, 1), replace(FLAT, price=D(30)), used={"flat": 1}, terms=TariffTerms())
    own = replace(made.lines[0], conditions=((date(2026, 6, 11), Conditions(discount=D(50))),))
    found = list(watches(replace(made, lines=(own,)), made.start, date(2026, 7, 2), made.start))
    assert [(w.start.month, w.bound) for w in found] == [(6, 20), (7, 15)]
