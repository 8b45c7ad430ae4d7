"""Who does something, and when: the first argument of every service. There is no clock inside."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Actor:
    """A name for the log, and the instant (aware) at which the act happens."""

    name: str
    now: datetime

    def today(self, time_zone: str) -> date:
        """The local date of the act."""
        return self.now.astimezone(ZoneInfo(time_zone)).date()

    def at(self, now: datetime) -> "Actor":
        """The same actor at another instant."""
        return replace(self, now=now)
