"""Business time: worked out against a clock that ticks minute by minute, and its laws."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.business import DAY, Clock, Hours, around_the_clock, clock, due, worked

BERLIN = "Europe/Berlin"
OFFICE = ((480, 720), (780, 1020))  # 8–12, 13–17
WEEK = Hours(zone=BERLIN, week=(OFFICE,) * 5 + ((), ()), holidays=frozenset({date(2026, 4, 3), date(2026, 4, 6)}))
CLOSED = Hours(zone=BERLIN, week=((),) * 7)
HOUR = timedelta(hours=1)
ZONES = (BERLIN, "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata")


def at(text: str, zone: str = BERLIN) -> datetime:
    """A moment on a wall in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-02T07:00", "2026-03-02T09:30", "1.5"),  # a Monday: it opens at 8
        ("2026-03-02T11:30", "2026-03-02T13:30", "1"),  # over lunch
        ("2026-03-02T16:00", "2026-03-03T09:00", "2"),  # over night
        ("2026-03-06T16:00", "2026-03-09T09:00", "2"),  # over a weekend
        ("2026-04-02T16:00", "2026-04-07T09:00", "2"),  # over Easter
        ("2026-03-27T16:00", "2026-03-30T09:00", "2"),  # over a night that is an hour shorter
        ("2026-03-07T09:00", "2026-03-08T18:00", "0"),
        ("2026-03-02T00:00", "2026-03-09T00:00", "40"),
    ],
)
def test_what_passes_while_it_is_open(start: str, end: str, hours: str) -> None:
    assert worked(WEEK, at(start), at(end)) == timedelta(minutes=int(float(hours) * 60))


@pytest.mark.parametrize(
    ("start", "hours", "until"),
    [
        ("2026-03-02T09:00", 1, "2026-03-02T10:00"),
        ("2026-03-02T11:30", 1, "2026-03-02T13:30"),
        ("2026-03-02T16:00", 1, "2026-03-02T17:00"),  # not when it opens again
        ("2026-03-02T16:30", 1, "2026-03-03T08:30"),
        ("2026-03-07T10:00", 8, "2026-03-09T17:00"),
        ("2026-04-02T16:30", 1, "2026-04-07T08:30"),
        ("2026-03-07T10:00", 0, "2026-03-07T10:00"),
    ],
)
def test_when_it_is_due(start: str, hours: int, until: str) -> None:
    assert due(WEEK, at(start), hours * HOUR) == at(until)


def test_days_on_which_the_clock_is_changed() -> None:
    always = around_the_clock(BERLIN)
    assert worked(always, at("2026-03-29T00:00"), at("2026-03-30T00:00")) == 23 * HOUR
    assert worked(always, at("2026-10-25T00:00"), at("2026-10-26T00:00")) == 25 * HOUR
    night = Hours(zone=BERLIN, week=(((120, 180), (180, 240)),) * 7)  # 2–3, 3–4
    assert worked(night, at("2026-03-29T00:00"), at("2026-03-30T00:00")) == HOUR, "there is no hour from 2 to 3"
    assert worked(night, at("2026-10-25T00:00"), at("2026-10-26T00:00")) == 3 * HOUR
    half = Hours(zone=BERLIN, week=(((150, 210),),) * 7)  # 2:30–3:30
    assert worked(half, at("2026-03-29T00:00"), at("2026-03-30T00:00")) == HOUR / 2


def test_what_is_never_open_is_never_due() -> None:
    assert worked(CLOSED, at("2026-01-01T00:00"), at("2027-01-01T00:00")) == timedelta(0)
    assert due(CLOSED, at("2026-01-01T00:00"), HOUR) is None
    assert clock(CLOSED, at("2026-01-01T00:00"), [(at("2026-02-01T00:00"), None)], HOUR) == Clock(due=None)


def test_a_clock_stops_while_somebody_else_is_asked() -> None:
    start, need = at("2026-03-02T09:00"), 4 * HOUR
    asked, answered = at("2026-03-02T10:00"), at("2026-03-05T15:00")
    assert clock(WEEK, start, [], need) == Clock(due=at("2026-03-02T14:00"))
    assert clock(WEEK, start, [(asked, None)], need) == Clock(due=None, left=3 * HOUR)
    assert clock(WEEK, start, [(asked, answered)], need) == Clock(due=at("2026-03-06T09:00"))
    late = at("2026-03-02T14:01")
    assert clock(WEEK, start, [(late, None)], need) == Clock(due=at("2026-03-02T14:00")), "it was stopped too late"
    assert clock(WEEK, start, [(late, answered)], need) == Clock(due=at("2026-03-02T14:00")), "and stays so"


def test_after_closing_time_is_too_late() -> None:
    """Four hours from 12 are over at 17, though nothing is worked between 17 and 18."""
    start = at("2026-03-02T12:30")
    assert clock(WEEK, start, [(at("2026-03-02T17:00"), None)], 4 * HOUR) == Clock(due=None, left=timedelta(0))
    assert clock(WEEK, start, [(at("2026-03-02T18:00"), None)], 4 * HOUR) == Clock(due=at("2026-03-02T17:00"))


MOMENTS = st.integers(0, 365 * 24 * 3600).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@st.composite
def spans(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    edges = sorted(draw(st.sets(st.integers(0, DAY), max_size=6)))
    edges = edges[: len(edges) // 2 * 2]
    return tuple(zip(edges[::2], edges[1::2], strict=True))


@st.composite
def hours_drawn(draw: st.DrawFn) -> Hours:
    days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
    week = tuple(draw(spans()) for _ in range(7))
    return Hours(zone=draw(st.sampled_from(ZONES)), week=week, holidays=draw(st.frozensets(days, max_size=4)))


@given(hours_drawn(), st.lists(MOMENTS, min_size=3, max_size=3))
def test_parts_add_up(hours: Hours, moments: list[datetime]) -> None:
    a, b, c = moments
    assert worked(hours, a, b) + worked(hours, b, c) == worked(hours, a, c)
    assert worked(hours, a, b) == -worked(hours, b, a)
    assert timedelta(0) <= abs(worked(hours, a, b)) <= abs(b - a)


@given(st.sampled_from(ZONES), MOMENTS, MOMENTS)
def test_around_the_clock_every_second_counts(zone: str, a: datetime, b: datetime) -> None:
    assert worked(around_the_clock(zone), a, b) == b - a


@given(hours_drawn(), MOMENTS, st.integers(1, 100 * 60), st.integers(1, 600))
def test_due_is_the_first_moment_at_which_it_has_passed(hours: Hours, start: datetime, need: int, less: int) -> None:
    wanted = timedelta(minutes=need)
    moment = due(hours, start, wanted)
    if moment is None:
        assert not any(hours.week)
        return
    assert worked(hours, start, moment) == wanted
    assert worked(hours, start, moment - timedelta(seconds=less)) < wanted


@given(hours_drawn(), MOMENTS)
def test_a_holiday_is_no_time(hours: Hours, moment: datetime) -> None:
    zone = ZoneInfo(hours.zone)
    day = moment.astimezone(zone).date()
    shut = Hours(zone=hours.zone, week=hours.week, holidays=frozenset({day}))
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    morrow = day + timedelta(days=1)
    assert worked(shut, midnight, datetime(morrow.year, morrow.month, morrow.day, tzinfo=zone)) == timedelta(0)


@given(hours_drawn(), st.lists(MOMENTS, min_size=1, max_size=7, unique=True), st.integers(0, 6000))
def test_a_clock_says_when_the_minutes_of_its_run_are_over(hours: Hours, moments: list[datetime], need: int) -> None:
    """However it pauses: what ran until it is due is what was needed."""
    start, *edges = sorted(moments)
    pauses = [(edges[i], edges[i + 1] if i + 1 < len(edges) else None) for i in range(0, len(edges), 2)]
    found = clock(hours, start, pauses, timedelta(minutes=need))

    def ran(until: datetime) -> timedelta:
        stops = sum((worked(hours, min(a, until), min(b or until, until)) for a, b in pauses), timedelta(0))
        return worked(hours, start, until) - stops

    if found.due is not None:
        assert ran(found.due) == timedelta(minutes=need)
    elif found.left is not None:
        assert ran(pauses[-1][0]) + found.left == timedelta(minutes=need)
