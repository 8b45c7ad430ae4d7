"""Service levels: business hours, holidays, and within how much business time tickets are answered and solved."""

from collections import defaultdict
from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, StringConstraints

from taktura.api.call import Call, call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Day, In, Out, Text100
from taktura.customers.models import Seller
from taktura.desk import services
from taktura.desk.levels import service_levels
from taktura.desk.models import Holiday, OpeningHours, ServiceTarget

router = Router()
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Level = Literal["low", "normal", "high", "urgent"]
Clock = Annotated[str, StringConstraints(strict=True, pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Target = Annotated[int, Field(strict=True, ge=1, le=60_000)]


class OpeningIn(In):
    """From when to when the desk works on a weekday, in the seller's time zone: `08:00` to `24:00`."""

    weekday: Weekday
    start: Clock
    end: Clock


class HolidayIn(In):
    """A day on which no business time passes."""

    day: Day
    name: Text100 = ""


class TargetIn(In):
    """Within how many minutes of business time; null: nothing is promised."""

    priority: Level
    answer: Target | None = None
    solve: Target | None = None


class ServiceLevelsIn(In):
    """What is given replaces what was; what is left out stays."""

    hours: list[OpeningIn] | None = Field(None, max_length=42, description="empty: around the clock")
    holidays: list[HolidayIn] | None = Field(None, max_length=1000)
    targets: list[TargetIn] | None = Field(None, max_length=4, description="priorities left out promise nothing")


class OpeningOut(Out):
    """From when to when the desk works on a weekday."""

    weekday: str
    start: str
    end: str


class HolidayOut(Out):
    """A day on which no business time passes."""

    day: date
    name: str


class TargetOut(Out):
    """Within how many minutes of business time tickets of a priority are answered for the first time, and solved."""

    priority: str
    answer: int | None
    solve: int | None


class ServiceLevelsOut(Out):
    """All that a seller's desk promises."""

    time_zone: str
    hours: list[OpeningOut]
    holidays: list[HolidayOut]
    targets: list[TargetOut]


class KeptLevel(Out):
    """How targets of a priority were kept. `overdue`: not solved yet, and something is over due."""

    priority: str
    tickets: int
    answered_in_time: int
    answered_late: int
    solved_in_time: int
    solved_late: int
    overdue: int


class KeptLevels(Out):
    """By priority, the most urgent first."""

    items: list[KeptLevel]


def _one(call: Call) -> ServiceLevelsOut:
    seller = call.seller
    return ServiceLevelsOut(
        time_zone=seller.time_zone, hours=_hours(seller),
        holidays=[HolidayOut(day=h.day, name=h.name) for h in Holiday.objects.filter(seller=seller)],
        targets=[
            TargetOut(priority=t.priority, answer=t.answer, solve=t.solve)
            for t in ServiceTarget.objects.filter(seller=seller).order_by("priority")
        ],
    )  # fmt: skip


@endpoint(router, "GET", "/service_levels", "desk.view", answer=ServiceLevelsOut, etag=True)
def get_service_levels(request: HttpRequest) -> ServiceLevelsOut:
    """Business hours, holidays and targets."""
    return _one(call_of(request))


@endpoint(router, "PATCH", "/service_levels", "settings.change", answer=ServiceLevelsOut, etag=True, of=_one)
def set_service_levels(request: HttpRequest, body: ServiceLevelsIn) -> ServiceLevelsOut:
    """Set business hours, holidays or targets. Tickets that are not solved follow at once."""
    call, given = call_of(request), body.model_dump(exclude_none=True)
    fields: dict[str, Any] = {}
    if "hours" in given:
        spans = defaultdict(list)
        for one in given["hours"]:
            spans[WEEKDAYS.index(one["weekday"])].append((_minute(one["start"]), _minute(one["end"])))
        fields["hours"] = spans
    if "holidays" in given:
        fields["holidays"] = {one["day"]: one["name"] for one in given["holidays"]}
    if "targets" in given:
        fields["targets"] = {t["priority"]: (t.get("answer"), t.get("solve")) for t in given["targets"]}
    services.set_service_levels(call.actor, seller=call.seller, **fields)
    return _one(call)


@endpoint(router, "GET", "/service_levels/kept", "desk.view", answer=KeptLevels)
def get_kept_service_levels(request: HttpRequest, start: Day, end: Day) -> KeptLevels:
    """How targets were kept by the tickets opened from the day `start` until before `end`, by priority.

    Solved without a word, a ticket was answered then. Merged tickets count with the one that goes on.
    """
    call = call_of(request)
    found = service_levels(call.seller, start, end, call.actor.now)
    return KeptLevels(items=[KeptLevel(**{name: getattr(x, name) for name in KeptLevel.model_fields}) for x in found])


def _hours(seller: Seller) -> list[OpeningOut]:
    return [
        OpeningOut(weekday=WEEKDAYS[o.weekday], start=services.clock_of(o.start), end=services.clock_of(o.end))
        for o in OpeningHours.objects.filter(seller=seller)
    ]


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)
