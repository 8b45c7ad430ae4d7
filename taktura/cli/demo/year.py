"""The demo's year: it ends on the day on which the demo is made, and every date in it is counted from that day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from taktura.cli.demo.users import EMAILS
from taktura.core.periods import Span, add
from taktura.kit.actor import Actor

ZONE = ZoneInfo("Europe/Berlin")
MONTHS = 12  # that are told


@dataclass(frozen=True, slots=True)
class Year:
    """Days counted from `today`, in the seller's time zone: month 0 is the present one, month -1 the one before."""

    today: date

    def month(self, number: int) -> date:
        """The first day of a month."""
        return self.day(number, 1)

    def day(self, month: int, day: int) -> date:
        """A day of a month."""
        return add(self.today.replace(day=1), Span(1, "month"), month) + timedelta(days=day - 1)

    def ago(self, days: int) -> date:
        """So many days before today."""
        return self.today - timedelta(days=days)

    @property
    def first(self) -> date:
        """The first day of the year that is told."""
        return self.month(-MONTHS)

    @property
    def cloud(self) -> date:
        """Since when the cloud customers have contracts: before the FOCUS sample data, which are of September 2024."""
        return min(self.first, date(2024, 8, 1))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that someone does at a time."""

    at: datetime
    who: str
    act: Callable[[Actor], object]


def event(day: date, who: str, act: Callable[[Actor], object], *, hour: int = 11) -> Event:
    """An event at a full hour of a day; `who` is a role, or the name of a program."""
    return Event(datetime.combine(day, time(hour), ZONE), who, act)


def actor(who: str, at: datetime) -> Actor:
    """The user of a role (or a program) at a time, by the name under which the log knows them."""
    return Actor(f"user:{EMAILS[who]}" if who in EMAILS else who, at.astimezone(UTC))
