"""Periods (R2): counted from the anchor, never chained, without drift."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.errors import Refused
from taktura.core.periods import DAY, Period, Span, add, anchor, check_anchor, clip, days, parse_span, ratio, subtract

dates = st.dates(date(2000, 1, 1), date(2040, 12, 31))
months = st.builds(Span, st.integers(1, 30), st.just("month")) | st.builds(Span, st.integers(1, 3), st.just("year"))
spans = (
    months | st.builds(Span, st.integers(1, 60), st.just("day")) | st.builds(Span, st.integers(1, 9), st.just("week"))
)
ranges = st.lists(st.tuples(dates, st.integers(0, 400)).map(lambda r: (r[0], r[0] + timedelta(days=r[1]))), max_size=6)


def last_of_month(year: int, month: int) -> int:
    """The last day of a month, by looking at the day before the next."""
    return (date(year + month // 12, month % 12 + 1, 1) - DAY).day


def test_the_end_of_a_month_does_not_drift() -> None:
    """R2.3: 31 Jan → 28/29 Feb → 31 Mar."""
    grid = anchor("contract", date(2027, 1, 31)).grid(Span(1, "month"))
    assert [grid.start(k) for k in (0, 1, 2, 3, 13)] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
        date(2028, 2, 29),
    ]


def test_29_february_comes_back() -> None:
    """R2.3: a year after 29 Feb is 28 Feb; four years after, 29 Feb again."""
    grid = anchor("contract", date(2028, 2, 29)).grid(Span(1, "year"))
    assert [grid.start(k) for k in (1, 2, 3, 4)] == [
        date(2029, 2, 28),
        date(2030, 2, 28),
        date(2031, 2, 28),
        date(2032, 2, 29),
    ]


@given(dates, months)
def test_months_keep_their_day_for_forty_years(start: date, interval: Span) -> None:
    """R2.3: period k starts on the anchor's day of the k-th month, clamped, however far away."""
    grid = anchor("contract", start).grid(interval)
    for k in range(40 * 12 // interval.months + 1):
        number = start.month - 1 + k * interval.months
        year, month = start.year + number // 12, number % 12 + 1
        assert grid.start(k) == date(year, month, min(start.day, last_of_month(year, month)))


@given(dates, st.integers(1, 60), st.sampled_from(["day", "week"]), st.integers(-500, 5000))
def test_days_and_weeks_are_exact(start: date, count: int, unit: str, k: int) -> None:
    """R2.3, R2.5."""
    length = count * (7 if unit == "week" else 1)
    found = anchor("contract", start).grid(Span(count, unit)).start(k % 1000)
    assert (found - start).days == length * (k % 1000)
    assert found.weekday() == start.weekday() or length % 7


@given(dates, months, st.integers(1, 31))
def test_a_day_of_the_month(start: date, interval: Span, number: int) -> None:
    """R2.4: the last day N, clamped, on or before the start, and every interval after it."""
    counted = anchor(f"day {number}", start)
    check_anchor(f"day {number}", interval)
    first = counted.grid(interval).start(0)
    assert first <= start < counted.grid(Span(1, "month")).start(1)
    for k in range(0, 480, 7):
        day = counted.grid(interval).start(k)
        assert day.day == min(number, last_of_month(day.year, day.month))


@given(dates, st.sampled_from([1, 2, 3, 4, 6, 12, 24]))
def test_the_calendar_counts_from_january(start: date, count: int) -> None:
    """R2.4."""
    check_anchor("calendar", Span(count, "month"))
    period = anchor("calendar", start).grid(Span(count, "month")).of(start)
    assert period.start.day == period.end.day == 1
    assert (period.start.month - 1) % min(count, 12) == 0
    assert period.start <= start < period.end


@given(dates)
def test_the_calendars_week_begins_on_monday(start: date) -> None:
    """R2.4."""
    check_anchor("calendar", Span(1, "week"))
    period = anchor("calendar", start).grid(Span(1, "week")).of(start)
    assert period.start.weekday() == 0
    assert period.days == 7
    assert period.start <= start < period.end


@pytest.mark.parametrize(
    ("kind", "interval"),
    [
        ("calendar", Span(5, "month")),
        ("calendar", Span(8, "month")),
        ("calendar", Span(2, "week")),
        ("calendar", Span(30, "day")),
        ("day 15", Span(2, "week")),
        ("day 32", Span(1, "month")),
        ("day 0", Span(1, "month")),
        ("noon", Span(1, "month")),
        ("day x", Span(1, "month")),
    ],
)
def test_an_anchor_that_an_interval_cannot_have(kind: str, interval: Span) -> None:
    """R2.4: `invalid`."""
    with pytest.raises(Refused) as refused:
        check_anchor(kind, interval)
    assert refused.value.code == "invalid"


@given(dates, spans, dates, st.sampled_from(["contract", "day 31", "day 15", "calendar"]))
def test_every_day_lies_in_one_period(start: date, interval: Span, day: date, kind: str) -> None:
    """R2.3: periods follow each other without a gap, before the anchor too."""
    try:
        check_anchor(kind, interval)
    except Refused:
        kind = "contract"
    grid = anchor(kind, start).grid(interval)
    k = grid.index(day)
    assert grid.start(k) <= day < grid.start(k + 1)
    period = grid.of(day)
    assert period == Period(grid.start(k), grid.start(k + 1))
    assert period.days == (period.end - period.start).days > 0
    assert grid.of(period.end).start == period.end


@given(dates, spans, dates, st.integers(0, 900))
def test_the_periods_between_two_days(start: date, interval: Span, first: date, length: int) -> None:
    grid = anchor("contract", start).grid(interval)
    end = first + timedelta(days=length)
    found = list(grid.between(first, end))
    assert bool(found) == (length > 0)
    if found:
        assert found[0] == grid.of(first)
        assert found[-1] == grid.of(end - DAY)
        assert all(a.end == b.start for a, b in zip(found, found[1:], strict=False))


@given(spans, spans)
def test_a_ratio_is_whole_one_way_or_the_other(a: Span, b: Span) -> None:
    """R2.5: 1,200 per 12 months billed every month is 1/12 of it; months and days do not go into each other."""
    try:
        more, less = ratio(a, b)
    except Refused as refused:
        assert refused.code == "invalid"
        same = bool(a.months) == bool(b.months)
        one, other = (a.months, b.months) if a.months else (a.days, b.days)
        assert not same or (one % other and other % one)
        return
    assert 1 in (more, less)
    assert (a.months or a.days) * less == (b.months or b.days) * more
    assert ratio(b, a) == (less, more)


def test_a_year_is_twelve_months() -> None:
    """R2.5."""
    assert ratio(Span(1, "year"), Span(1, "month")) == (12, 1)
    assert ratio(Span(1, "month"), Span(12, "month")) == (1, 12)
    assert ratio(Span(1, "week"), Span(1, "day")) == (7, 1)


@given(spans)
def test_a_span_is_read_as_it_is_written(span: Span) -> None:
    assert parse_span(str(span)) == span


@pytest.mark.parametrize("text", ["", "1", "month", "0 months", "-1 day", "1.5 years", "1 fortnight", "1 month 2 days"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_span(text)
    assert refused.value.code == "invalid"


@given(dates, months, st.integers(0, 12))
def test_adding_months_clamps_to_the_months_end(day: date, span: Span, times: int) -> None:
    found = add(day, span, times)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == span.months * times
    assert found.day == min(day.day, last_of_month(found.year, found.month))


@given(ranges, ranges)
def test_ranges_are_sets_of_days(one: list[tuple[date, date]], holes: list[tuple[date, date]]) -> None:
    apart: list[tuple[date, date]] = []
    for a, b in sorted(one):  # ranges that do not overlap
        apart += subtract([(a, b)], apart)
    left = subtract(apart, holes)

    def covered(rows: list[tuple[date, date]]) -> set[int]:
        return {n for a, b in rows for n in range(a.toordinal(), b.toordinal())}

    assert covered(left) == covered(apart) - covered(holes)
    assert days(left) == len(covered(left))
    assert left == sorted(left)
    low, high = date(2010, 1, 1), date(2030, 1, 1)
    assert covered(clip(apart, low, high)) == covered(apart) & covered([(low, high)])
