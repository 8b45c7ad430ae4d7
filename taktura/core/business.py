"""Business time: what passes while a company is open. Spans are half-open; moments are aware, days and minutes those of
the company's time zone.

A day on which the clock is changed has as many hours as pass: open from 0 to 24, it counts 23 or 25. What the clock
skips is no time; an hour that comes twice counts as what comes after the first of both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = 24 * 60  # minutes
FAR = 3653  # days: what is due later is never due
NOTHING = timedelta(0)
Span = tuple[int, int]  # minutes since midnight
Pause = tuple[datetime, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When a company is open: spans for each weekday from Monday on, in their order and apart; holidays it is not."""

    zone: str
    week: tuple[tuple[Span, ...], ...]
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        assert len(self.week) == 7, "a week has seven days"
        for spans in self.week:
            edges = [minute for span in spans for minute in span]
            assert edges == sorted(edges) and all(0 <= a < b <= DAY for a, b in spans), "spans in order, apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Where a clock stands that pauses: when it is due, or, while it is stopped in time, what is left.

    Both are None where it is never due. Stopped with a `due`, it was stopped too late.
    """

    due: datetime | None
    left: timedelta | None = None


def around_the_clock(zone: str) -> Hours:
    """Always open."""
    return Hours(zone=zone, week=(((0, DAY),),) * 7)


def worked(hours: Hours, start: datetime, end: datetime) -> timedelta:
    """Business time from one moment to another; negative where the second is the earlier."""
    if end < start:
        return -worked(hours, end, start)
    zone = ZoneInfo(hours.zone)
    last = end.astimezone(zone).date() + timedelta(days=1)
    found = NOTHING
    for day in _days(start.astimezone(zone).date(), last):
        for opens, closes in _open(hours, day):
            found += max(NOTHING, min(closes, end) - max(opens, start))
    return found


def due(hours: Hours, start: datetime, need: timedelta) -> datetime | None:
    """The first moment at which so much business time has passed, in UTC; None where that is never (or in more than ten
    years)."""
    assert need >= NOTHING, "a time to come"
    begun = start.astimezone(UTC)
    if need == NOTHING:
        return begun
    first = start.astimezone(ZoneInfo(hours.zone)).date()
    for day in _days(first, first + timedelta(days=FAR)):
        for opens, closes in _open(hours, day):
            at = max(opens, begun)
            if closes - at >= need:
                return at + need
            need -= max(NOTHING, closes - at)
    return None


def clock(hours: Hours, start: datetime, pauses: Sequence[Pause], need: timedelta) -> Clock:
    """Where a clock stands that began at a moment and pauses; pauses come in their order, the last may go on."""
    at = start
    for since, until in pauses:
        moment = due(hours, at, need)
        if moment is not None and moment < since:
            return Clock(due=moment)
        need -= worked(hours, at, since)
        if until is None:
            return Clock(due=None, left=need if moment is not None else None)
        at = until
    return Clock(due=due(hours, at, need))


def _days(first: date, last: date) -> Iterator[date]:
    """From the day before: a clock that goes back over midnight gives a day to the one before."""
    day = first - timedelta(days=1)
    while day <= last:
        yield day
        day += timedelta(days=1)


@lru_cache(maxsize=8192)
def _open(hours: Hours, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """When it is open on a day, in UTC."""
    if day in hours.holidays:
        return ()
    zone = ZoneInfo(hours.zone)
    spans = ((_instant(zone, day, a), _instant(zone, day, b)) for a, b in hours.week[day.weekday()])
    return tuple((a, b) for a, b in spans if a < b)


def _instant(zone: ZoneInfo, day: date, minute: int) -> datetime:
    """When a clock on the wall shows a minute of a day for the first time; where it skips it, when it does so."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), found
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
