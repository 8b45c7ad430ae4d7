"""Metering (R6, R17.1): ticks, aggregates, parts of spans."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.errors import Refused
from taktura.core.facts import Line, LineTerms, Usage, at
from taktura.core.metering import billed_seconds, metered, parse_tick, sum_parts, supplied

D = Decimal
START = date(2027, 6, 1)
ticks = st.tuples(st.integers(1, 300), st.integers(1, 300))
decimals = st.decimals(-1000, 1000, places=4)


def test_ticks_are_read() -> None:
    """R6.2."""
    assert [parse_tick(t) for t in ("minute", "second", "60/1", "90/30")] == [(60, 60), (1, 1), (60, 1), (90, 30)]


@pytest.mark.parametrize("text", ["hour", "60", "0/1", "1/0", "a/b", "1.5/1", "-1/1", ""])
def test_what_is_no_tick_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_tick(text)
    assert refused.value.code == "invalid"


@given(st.integers(0, 10**6), ticks)
def test_a_record_is_billed_in_ticks(seconds: int, tick: tuple[int, int]) -> None:
    """R6.2: 0 of 0; a if at most a; else a + ⌈(d − a)/b⌉·b."""
    first, step = tick
    found = billed_seconds(seconds, tick)
    if seconds == 0:
        assert found == 0
    elif seconds <= first:
        assert found == first
    else:
        assert (found - first) % step == 0
        assert found - step < seconds <= found


def test_a_started_minute_counts() -> None:
    """R6.2: 61 seconds are two minutes by the minute, 61 seconds by the second and by 60/1."""
    assert [billed_seconds(61, t) for t in ((60, 60), (1, 1), (60, 1))] == [120, 61, 61]
    assert [billed_seconds(1, t) for t in ((60, 60), (1, 1), (60, 1))] == [60, 1, 60]


def test_aggregates() -> None:
    """R6.4."""
    usage = Usage(parts=((1, D(12), D(0), D(0)),), count=3, peak=D(7), last=D(4), unique=2)
    kinds = ("sum", "count", "max", "last", "unique")
    assert [metered(LineTerms(article="a", aggregate=k), usage) for k in kinds] == [12, 3, 7, 4, 2]


@given(st.lists(st.integers(0, 5000), max_size=10), ticks)
def test_a_period_is_ticked_as_a_whole_or_by_record(durations: list[int], tick: tuple[int, int]) -> None:
    """R6.2 `tick_scope`: the price of a time-based line is per minute, whatever the tick."""
    by_record = Usage(seconds=sum(billed_seconds(d, tick) for d in durations))
    assert metered(LineTerms(article="a", tick=tick), by_record) * 60 == by_record.seconds
    by_period = metered(LineTerms(article="a", tick=tick, tick_scope="period"), Usage(seconds=sum(durations)))
    assert by_period * 60 == billed_seconds(sum(durations), tick)


@given(decimals, st.integers(1, 60), st.data())
def test_a_span_cut_in_parts_is_the_whole(quantity: Decimal, length: int, data: st.DataObject) -> None:
    """R17.1: quantity × days over the days of the span, only divided by the core: the parts add up exactly."""
    cuts = sorted(data.draw(st.sets(st.integers(0, length), max_size=5)) | {0, length})
    parts = [
        sum_parts(Usage(parts=((length, quantity * (b - a), D(0), D(0)),)), 1)
        for a, b in zip(cuts, cuts[1:], strict=False)
    ]
    assert sum((Fraction(p) for p in parts), Fraction(0)) == Fraction(quantity)


@given(st.lists(st.tuples(st.integers(1, 30), decimals, decimals, decimals), max_size=6), st.integers(1, 3))
def test_parts_are_summed_by_column(parts: list[tuple[int, Decimal, Decimal, Decimal]], column: int) -> None:
    wanted = sum((Fraction(p[column]) / p[0] for p in parts), Fraction(0))
    assert sum_parts(Usage(parts=tuple(parts)), column) == wanted


@given(
    st.lists(st.tuples(st.integers(0, 29), st.integers(1, 15)), max_size=5),
    st.integers(0, 30),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_a_fixed_quantity_counts_each_covered_day_once(
    spans: list[tuple[int, int]], change: int, before: int, after: int
) -> None:
    """R17.1: however the rows overlap, by the contracted quantity of each day."""
    days = [START + timedelta(days=n) for n in range(30)]
    covered = tuple((days[a], days[a] + timedelta(days=n)) for a, n in spans)
    changed = START + timedelta(days=change)
    line = Line(
        id=1,
        start=START,
        terms=((START, LineTerms(article="a", charge="usage", usage_pricing="fixed_quantity")),),
        quantities=((START, D(before)), (changed, D(after))),
    )
    found = supplied(line, line.terms[0][1], Usage(covered=covered), 30, [(START, START + timedelta(days=30))])
    counted = [day for day in days if any(a <= day < b for a, b in covered)]
    assert found == sum((Fraction(at(line.quantities, day)) for day in counted), Fraction(0)) / 30


@given(decimals, decimals, st.integers(28, 31))
def test_an_imported_quantity_by_days(whole: Decimal, days_parts: Decimal, days: int) -> None:
    """R17.1 `usage_quantity`: a row without a span counts whole, another by its days of the period."""
    terms = LineTerms(article="a", charge="usage", usage_pricing="usage_quantity")
    usage = Usage(whole_parts=whole, days_parts=days_parts)
    found = supplied(Line(id=1, start=START, terms=((START, terms),)), terms, usage, days, [])
    assert found == Fraction(whole) + Fraction(days_parts) / days
