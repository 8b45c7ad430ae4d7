"""Dates and periods (R2). Every range here is half-open: `[start, end)`."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from taktura.core.errors import Refused

UNITS = ("day", "week", "month", "year")
DAY = timedelta(days=1)
FOREVER = date.max


class Span(NamedTuple):
    """A length of time such as 3 months; `unit` is one of `UNITS`."""

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs
    unit: str

    @property
    def months(self) -> int:
        """Its length in months, 0 for days and weeks."""
        return self.count * {"month": 1, "year": 12}.get(self.unit, 0)

    @property
    def days(self) -> int:
        """Its length in days, 0 for months and years."""
        return self.count * {"day": 1, "week": 7}.get(self.unit, 0)

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


def parse_span(text: str) -> Span:
    """Read `3 months`, `1 year`, `14 days`; raises `Refused` (`invalid`) for anything else."""
    words = str(text).split()
    unit = words[1].rstrip("s") if len(words) == 2 else ""
    if unit not in UNITS or not words[0].isdigit() or int(words[0]) < 1:
        raise Refused(
            "invalid", "“%(span)s” is not a span of time: write a number and day, week, month or year.", span=text
        )
    return Span(int(words[0]), unit)


def _month_day(year: int, month0: int, day: int) -> date:
    """The given day of a month counted from 0 over the years, clamped to the month's end."""
    year, month = year + month0 // 12, month0 % 12 + 1
    return date(year, month, min(day, monthrange(year, month)[1]))


def add(day: date, span: Span, times: int = 1, on: int | None = None) -> date:
    """Return `day` + `times` × `span`, months clamped to the month's end (R2.3). `on` is the day of the month that
    months are counted on, where `day` is a clamped one."""
    if span.months:
        return _month_day(day.year, day.month - 1 + span.months * times, on or day.day)
    return day + timedelta(days=span.days * times)


def ratio(longer: Span, shorter: Span) -> tuple[int, int]:
    """How many times `shorter` goes into `longer`, as a ratio of whole numbers, one of which is 1 (R2.5).

    Raises `Refused` (`invalid`) when neither divides the other.
    """
    months = bool(longer.months) and bool(shorter.months)
    a, b = (longer.months, shorter.months) if months else (longer.days, shorter.days)
    if a and b and a % b == 0:
        return a // b, 1
    if a and b and b % a == 0:
        return 1, b // a
    raise Refused(
        "invalid",
        "%(longer)s and %(shorter)s are not a whole multiple of each other: change one of them.",
        longer=longer,
        shorter=shorter,
    )


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where periods are counted from: the day `origin`, by the `day` of the month that it stands for (R2.4)."""

    kind: str  # contract | calendar | day
    origin: date
    day: int

    def grid(self, interval: Span) -> "Grid":
        """The periods of one interval from this anchor."""
        return Grid(self, interval)


def anchor(kind: str, start: date) -> Anchor:
    """Return the anchor `contract`, `calendar` or `day N` of a contract that starts (or ends its trial) on `start`."""
    if kind == "contract":
        return Anchor("contract", start, start.day)
    if kind == "calendar":
        return Anchor("calendar", date(start.year, 1, 1), 1)
    number = int(kind.split()[1])
    here = _month_day(start.year, start.month - 1, number)
    if here > start:
        here = _month_day(start.year, start.month - 2, number)
    return Anchor("day", here, number)


def check_anchor(kind: str, interval: Span) -> None:
    """Refuse (`invalid`) an anchor that the interval cannot have (R2.4)."""
    if kind == "contract":
        return
    if kind == "calendar":
        if interval.months % 12 == 0 and interval.months or interval.months in (1, 2, 3, 4, 6) or interval.days == 7:
            return
        raise Refused(
            "invalid",
            "An interval of %(interval)s has no place in the calendar: choose another anchor.",
            interval=interval,
        )
    words = kind.split()
    if len(words) != 2 or words[0] != "day" or not words[1].isdigit() or not 1 <= int(words[1]) <= 31:
        raise Refused(
            "invalid", "“%(kind)s” is not an anchor: write contract, calendar, or day 1 to day 31.", kind=kind
        )
    if not interval.months:
        raise Refused("invalid", "A day of the month needs an interval of months or years.")


class Period(NamedTuple):
    """One whole period `[start, end)` of a grid."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Its number of days."""
        return (self.end - self.start).days


@dataclass(frozen=True, slots=True)
class Grid:
    """All periods of one interval, counted from the anchor and never chained (R2.3)."""

    anchor: Anchor
    interval: Span

    def start(self, k: int) -> date:
        """The first day of period `k`."""
        return _grid_start(self.anchor, self.interval, k)

    def index(self, day: date) -> int:
        """The number of the period in which `day` lies."""
        return _index(self.anchor, self.interval, day)

    def of(self, day: date) -> Period:
        """The period in which `day` lies."""
        return _period_of(self.anchor, self.interval, day)

    def between(self, first: date, end: date) -> Iterator[Period]:
        """All periods that have a day in `[first, end)`, in order; `end` must be finite."""
        if first >= end:
            return
        k = self.index(first)
        start = self.start(k)
        while start < end:
            k += 1
            after = self.start(k)
            yield Period(start, after)
            start = after


def _origin(anchor: Anchor, interval: Span) -> date:
    if anchor.kind == "calendar" and interval.days:
        return anchor.origin - timedelta(days=anchor.origin.weekday())
    return anchor.origin


@lru_cache(maxsize=65536)
def _grid_start(anchor: Anchor, interval: Span, k: int) -> date:
    origin = _origin(anchor, interval)
    if interval.months:
        return _month_day(origin.year, origin.month - 1 + k * interval.months, anchor.day)
    return origin + timedelta(days=k * interval.days)


def _index(anchor: Anchor, interval: Span, day: date) -> int:
    months, origin = interval.months, _origin(anchor, interval)
    if months:
        k = ((day.year - origin.year) * 12 + day.month - origin.month) // months
        return k - 1 if _grid_start(anchor, interval, k) > day else k
    return (day - origin).days // interval.days


# Contracts begin on few days, and settlement asks for the same periods again and again.
@lru_cache(maxsize=65536)
def _period_of(anchor: Anchor, interval: Span, day: date) -> Period:
    k = _index(anchor, interval, day)
    return Period(_grid_start(anchor, interval, k), _grid_start(anchor, interval, k + 1))


Range = tuple[date, date]


def subtract(ranges: list[Range], holes: list[Range]) -> list[Range]:
    """Return the ranges less the holes; all half-open, the result in order and without empty ranges."""
    result = sorted(r for r in ranges if r[0] < r[1])
    for low, high in holes:
        cut: list[Range] = []
        for a, b in result:
            cut += [(a, min(b, low)), (max(a, high), b)] if low < b and a < high else [(a, b)]
        result = [r for r in cut if r[0] < r[1]]
    return result


def clip(ranges: list[Range], first: date, end: date) -> list[Range]:
    """Return the parts of the ranges that lie in `[first, end)`."""
    return [(max(a, first), min(b, end)) for a, b in ranges if a < end and first < b and max(a, first) < min(b, end)]


def days(ranges: list[Range]) -> int:
    """Return the number of days in ranges that do not overlap."""
    return sum((b - a).days for a, b in ranges)
