"""Included hours: agreed, changed from a month on, ended, taken back; and the statement of what drew them."""

from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, Strict

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Day, Flag, Id, In, Key, Out, Text200
from taktura.billing.hours import hours_of, hours_statement_of, rests_on
from taktura.billing.services import change_hours, end_hours, take_back_hours
from taktura.customers.queries import customer_by_key
from taktura.desk import services
from taktura.desk.models import Activity, Allowance
from taktura.desk.queries import activity_by_id, hours_by_id

router = Router()
Kind = Literal["block", "monthly"]
HoursMinutes = Annotated[int, Strict(), Field(ge=1, le=services.MOST_INCLUDED, description="whole minutes")]
Title = Annotated[Text200, Field(min_length=1)]
Activities = Annotated[list[Id], Field(max_length=100)]


class HoursIn(In):
    """Included hours. `monthly`: so many minutes in each month, counted from `start`; `block`: in all."""

    title: Title
    kind: Kind
    minutes: HoursMinutes
    start: Day
    end: Day | None = Field(None, description="the first day on which they hold no more")
    kept: Flag = Field(False, description="the rest of a month goes on into the next (of monthly ones)")
    activities: Activities = Field([], description="ids; empty: work of every kind draws")


class HoursEnd(In):
    """When included hours end."""

    end: Day | None = Field(description="the first day on which they hold no more; null: they go on")


class HoursChange(In):
    """What monthly hours are from one of their months on; what is left out stays as it is."""

    start: Day = Field(description="the first day of one of their months")
    minutes: HoursMinutes
    title: Title | None = None
    kept: Flag | None = None
    activities: Activities | None = None


class HoursOut(Out):
    """Included hours. `left`: the minutes that work of today would find, when approved time is counted in; null where
    they do not hold today."""

    id: int
    customer: str
    title: str
    kind: Kind
    minutes: int
    start: date
    end: date | None
    kept: bool
    activities: list[int]
    left: int | None


class HoursList(Out):
    """All of a customer, those that began last first."""

    items: list[HoursOut]


class HoursMonthOut(Out):
    """A month of included hours; of a block the whole. `carried`: what earlier months left; `waiting`: what of `drawn`
    is approved and not billed yet; `dropped`: what of `left` is lost."""

    first: date
    end: date | None
    granted: int
    carried: int
    drawn: int
    waiting: int
    left: int
    dropped: int


class DrawOut(Out):
    """Minutes that included hours bear of a piece of time. `document`: its number; null as long as it waits for a
    bill."""

    time: int
    worked_on: date
    ticket: int | None
    note: str
    user: str | None
    minutes: int
    document: str | None


class HoursStatementOut(Out):
    """What was granted, what drew it, in the order of the work date, and what is left; as of today."""

    hours: HoursOut
    months: list[HoursMonthOut]
    draws: list[DrawOut]


def told(row: Allowance, left: int | None) -> HoursOut:
    """Included hours as they are told."""
    names = ("title", "kind", "minutes", "start", "end", "kept")
    return HoursOut(
        id=row.pk, customer=row.customer.key, left=left, activities=sorted(a.pk for a in row.activities.all()),
        **{name: getattr(row, name) for name in names},
    )  # fmt: skip


def one_hours(call: Call, hours: int) -> HoursOut:
    """Included hours by their id; raises `Refused` (`not_found`)."""
    row = hours_by_id(call.seller.pk, hours)
    rests = rests_on({row.customer_id: row.customer}, call.today).get(row.customer_id, [])
    return told(row, next((r.left for r in rests if r.hours.pk == row.pk), None))


def _activities(call: Call, ids: list[int]) -> list[Activity]:
    return [activity_by_id(call.seller.pk, pk) for pk in dict.fromkeys(ids)]


@endpoint(router, "GET", "/customers/{customer}/included_hours", "contracts.view", answer=HoursList)
def list_included_hours(request: HttpRequest, customer: Key) -> HoursList:
    """A customer's included hours, those that have ended too."""
    call = call_of(request)
    found = customer_by_key(call.seller.pk, customer)
    rests = {r.hours.pk: r.left for r in rests_on({found.pk: found}, call.today).get(found.pk, [])}
    return HoursList(items=[told(row, rests.get(row.pk)) for row in hours_of([found.pk])])


@endpoint(
    router, "POST", "/customers/{customer}/included_hours", "contracts.change", answer=HoursOut, status=201, etag=True
)  # fmt: skip
def include_hours(request: HttpRequest, customer: Key, body: HoursIn) -> Answer:
    """Give a customer included hours. They bear what is not billed yet of work from `start` on."""
    call = call_of(request)
    fields: dict[str, Any] = body.model_dump(exclude={"activities"})
    made = services.include_hours(
        call.actor, customer=customer_by_key(call.seller.pk, customer),
        activities=_activities(call, body.activities), **fields,
    )  # fmt: skip
    return Answer(one_hours(call, made.pk), location("included_hours", made.pk))


@endpoint(router, "GET", "/included_hours/{int:hours}", "contracts.view", answer=HoursOut, etag=True)
def get_included_hours(request: HttpRequest, hours: Id) -> HoursOut:
    """Included hours."""
    return one_hours(call_of(request), hours)


@endpoint(router, "GET", "/included_hours/{int:hours}/statement", "contracts.view", answer=HoursStatementOut)
def get_hours_statement(request: HttpRequest, hours: Id) -> HoursStatementOut:
    """What was granted, what drew it, and what is left, kept or dropped by month."""
    call = call_of(request)
    found = hours_statement_of(hours_by_id(call.seller.pk, hours), call.today)
    names = ("first", "granted", "carried", "drawn", "left", "dropped")
    return HoursStatementOut(
        hours=told(found.hours, found.left),
        months=[
            HoursMonthOut(
                end=None if m.end == date.max else m.end, waiting=found.waiting.get(m.month, 0),
                **{name: getattr(m, name) for name in names},
            )
            for m in found.months
        ],
        draws=[
            DrawOut(
                time=d.entry.pk, worked_on=d.entry.worked_on, note=d.entry.note, minutes=d.minutes,
                ticket=d.entry.ticket.number if d.entry.ticket else None,
                user=d.entry.user.email if d.entry.user else None,
                document=d.document.number if d.document else None,
            )
            for d in found.draws
        ],
    )  # fmt: skip


@endpoint(router, "PATCH", "/included_hours/{int:hours}", "contracts.change", answer=HoursOut, etag=True, of=one_hours)
def end_included_hours(request: HttpRequest, hours: Id, body: HoursEnd) -> HoursOut:
    """Let included hours end, or go on: not before time that drew them."""
    call = call_of(request)
    end_hours(call.actor, hours=hours_by_id(call.seller.pk, hours), end=body.end)
    return one_hours(call, hours)


@endpoint(
    router, "POST", "/included_hours/{int:hours}/change", "contracts.change", answer=HoursOut, etag=True, of=one_hours
)  # fmt: skip
def change_included_hours(request: HttpRequest, hours: Id, body: HoursChange) -> HoursOut:
    """Let monthly hours be others from one of their months on: these end, and those of the answer follow. A rest that
    is kept ends with the old ones."""
    call = call_of(request)
    made = change_hours(
        call.actor, hours=hours_by_id(call.seller.pk, hours), start=body.start, minutes=body.minutes,
        title=body.title, kept=body.kept,
        activities=None if body.activities is None else _activities(call, body.activities),
    )  # fmt: skip
    return one_hours(call, made.pk)


@endpoint(
    router, "DELETE", "/included_hours/{int:hours}", "contracts.change", answer=None, status=204, of=one_hours
)  # fmt: skip
def take_back_included_hours(request: HttpRequest, hours: Id) -> Answer:
    """Take included hours back that no time has drawn; the log keeps what they were."""
    call = call_of(request)
    take_back_hours(call.actor, hours=hours_by_id(call.seller.pk, hours))
    return Answer(None)
