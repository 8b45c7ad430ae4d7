"""Timers: work that is under way, one for each user; what a timer counted is logged when it is stopped."""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Day, Flag, Id, In, Key, Out, Text200
from taktura.api.paging import LIMIT, After, Limit, narrowed, page_of
from taktura.api.v1.time import Minutes, Note, TimeOut, one_time, user_by_email
from taktura.customers.queries import customer_by_key
from taktura.desk import services
from taktura.desk.models import RunningTime
from taktura.desk.queries import activity_by_id, ticket_by_number, timer_by_id, timers_of

router = Router()


class TimerIn(In):
    """Work that begins now: on a ticket, or for a customer without one."""

    user: Text200 = Field(min_length=1, description="the e-mail address of the user who works")
    ticket: Id | None = Field(None, description="the ticket's number")
    customer: Key | None = None
    activity: Id | None = None
    note: Note = ""


class TimerStop(In):
    """What is said of the time that is logged; what is left out is as the timer has it."""

    minutes: Minutes | None = Field(None, description="null: what the timer counted, each minute begun")
    worked_on: Day | None = Field(None, description="null: the day on which the timer was started")
    billable: Flag | None = Field(None, description="null: as the activity says, without one true")
    activity: Id | None = Field(None, description="null takes it away")
    note: Note | None = None


class TimerOut(Out):
    """A timer. `seconds`: what it has counted until now; `overnight`: it ran over a midnight, so that whoever stops it
    has to say how many minutes were worked."""

    id: int
    user: str
    ticket: int | None
    customer: str
    activity: int | None
    note: str
    started_at: datetime
    running: bool
    seconds: int
    overnight: bool
    day: date = Field(description="the day on which it was started")


class Timers(Out):
    """A page of timers."""

    items: list[TimerOut]
    next: str | None


def told(call: Call, row: RunningTime) -> TimerOut:
    """A timer as it is told."""
    return TimerOut(
        id=row.pk, user=row.user.email, ticket=row.ticket.number if row.ticket else None, customer=row.customer.key,
        activity=row.activity_id, note=row.note, started_at=row.started_at, running=row.runs,
        seconds=services.seconds_of(call.actor, row), overnight=services.ran_overnight(call.actor, row),
        day=services.started_on(row),
    )  # fmt: skip


@endpoint(router, "GET", "/timers", "desk.view", answer=Timers)
def list_timers(request: HttpRequest, user: Text200 | None = None, limit: Limit = LIMIT, after: After = "") -> Timers:
    """The timers that run or are paused; that of a user by the e-mail address."""
    call = call_of(request)
    wanted = {"user": None if user is None else user_by_email(user).pk}
    items, following = page_of(narrowed(timers_of(call.seller.pk), wanted), limit, after)
    return Timers(items=[told(call, t) for t in items], next=following)


@endpoint(router, "POST", "/timers", "desk.change", answer=TimerOut, status=201, codes=("conflict",))
def start_timer(request: HttpRequest, body: TimerIn) -> Answer:
    """Start a user's timer. Refused where they have one: it is stopped first."""
    call = call_of(request)
    seller = call.seller.pk
    made = services.start_timer(
        call.actor, user=user_by_email(body.user), note=body.note,
        ticket=ticket_by_number(seller, body.ticket) if body.ticket is not None else None,
        customer=customer_by_key(seller, body.customer) if body.customer is not None else None,
        activity=activity_by_id(seller, body.activity) if body.activity is not None else None,
    )  # fmt: skip
    return Answer(told(call, timer_by_id(seller, made.pk)), location("timers", made.pk))


@endpoint(router, "GET", "/timers/{int:timer}", "desk.view", answer=TimerOut)
def get_timer(request: HttpRequest, timer: Id) -> TimerOut:
    """A timer."""
    call = call_of(request)
    return told(call, timer_by_id(call.seller.pk, timer))


@endpoint(router, "POST", "/timers/{int:timer}/pause", "desk.change", answer=TimerOut)
def pause_timer(request: HttpRequest, timer: Id) -> TimerOut:
    """Let a timer rest; nothing happens to one that does."""
    call = call_of(request)
    services.pause_timer(call.actor, timer=timer_by_id(call.seller.pk, timer))
    return told(call, timer_by_id(call.seller.pk, timer))


@endpoint(router, "POST", "/timers/{int:timer}/go_on", "desk.change", answer=TimerOut)
def go_on_with_timer(request: HttpRequest, timer: Id) -> TimerOut:
    """Let a timer run again; nothing happens to one that does."""
    call = call_of(request)
    services.go_on_with_timer(call.actor, timer=timer_by_id(call.seller.pk, timer))
    return told(call, timer_by_id(call.seller.pk, timer))


@endpoint(router, "POST", "/timers/{int:timer}/stop", "desk.change", answer=TimeOut, status=201)
def stop_timer(request: HttpRequest, timer: Id, body: TimerStop) -> Answer:
    """Log what a timer has counted, and take it away.

    Refused without `minutes` where it ran over a midnight, or counted more than a day.
    """
    call = call_of(request)
    fields: dict[str, Any] = body.model_dump(exclude_unset=True)
    if fields.get("activity") is not None:
        fields["activity"] = activity_by_id(call.seller.pk, fields["activity"])
    if fields.get("note", "") is None:
        del fields["note"]
    made = services.stop_timer(call.actor, timer=timer_by_id(call.seller.pk, timer), **fields)
    return Answer(one_time(call, made.pk), location("time", made.pk))


@endpoint(router, "DELETE", "/timers/{int:timer}", "desk.change", answer=None, status=204)
def drop_timer(request: HttpRequest, timer: Id) -> Answer:
    """Throw a timer away: nothing is logged."""
    call = call_of(request)
    services.drop_timer(call.actor, timer=timer_by_id(call.seller.pk, timer))
    return Answer(None)
