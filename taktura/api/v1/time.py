"""Worked time: logged, corrected until it is approved, approved, opened again until it is billed; activities."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field, Strict

from taktura.accounts.models import User
from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Day, Flag, Id, In, Key, Out, Text100, Text200, Told
from taktura.api.paging import LIMIT, After, Limit, narrowed, page_of
from taktura.billing.services import preview_approval
from taktura.core.errors import Refused
from taktura.customers.queries import customer_by_key
from taktura.desk import services
from taktura.desk.models import Activity, TimeEntry
from taktura.desk.queries import activity_by_id, ticket_by_number, time_by_id, time_of

router = Router()
MOST = 1000  # approved at once
Minutes = Annotated[int, Strict(), Field(ge=1, le=services.MOST_MINUTES, description="whole minutes")]
Status = Literal["submitted", "approved", "billed"]
Note = Annotated[str, Strict(), Field(max_length=500)]


class TimeIn(In):
    """Time that somebody worked: on a ticket, or for a customer without one."""

    ticket: Id | None = Field(None, description="the ticket's number")
    customer: Key | None = None
    minutes: Minutes
    worked_on: Day | None = Field(None, description="null: today")
    billable: Flag | None = Field(None, description="null: as the activity says, without one true")
    activity: Id | None = None
    note: Note = ""
    user: Text200 | None = Field(None, description="the e-mail address of the user who worked")


class TimeChange(In):
    """What is corrected; fields left out stay as they are."""

    minutes: Minutes | None = None
    worked_on: Day | None = None
    billable: Flag | None = None
    activity: Id | None = Field(None, description="null takes it away")
    note: Note | None = None
    user: Text200 | None = Field(None, description="null: nobody's")


class TimeOut(Out):
    """Worked time. `step`: the customer's time step when it was approved."""

    id: int
    ticket: int | None = Field(description="the ticket's number")
    customer: str
    minutes: int
    worked_on: date
    billable: bool
    activity: int | None
    note: str
    user: str | None
    status: Status
    logged_at: datetime
    logged_by: str
    approved_at: datetime | None
    approved_by: str
    step: int | None


class TimeList(Out):
    """A page of worked time."""

    items: list[TimeOut]
    next: str | None


class Chosen(In):
    """Worked time by its ids."""

    time: list[Id] = Field(min_length=1, max_length=MOST)


class GroupOut(Out):
    """What approval adds to a ticket, or to work without one: minutes as `logged`, after rounding (`counted`), borne by
    included hours (`drawn`), to be paid (`minutes`), and their amount."""

    ticket: int | None
    title: str
    logged: int
    counted: int
    drawn: int
    minutes: int
    amount: Told


class RestOut(Out):
    """What is left of included hours once the time is approved: of all, or in the month that begins on `first`."""

    hours: int
    title: str
    first: date | None
    left: int


class ForeseenOut(Out):
    """What approval adds to what a customer pays. `gross`: the amounts contain VAT. `rests`: of the included hours, in
    the months of the time and now."""

    customer: str
    currency: str
    gross: bool
    logged: int
    counted: int
    drawn: int
    minutes: int
    amount: Told
    groups: list[GroupOut]
    rests: list[RestOut]


class Approved(Out):
    """The ids of the time that was approved; with `?preview=true` what it would cost."""

    time: list[int]
    preview: list[ForeseenOut] | None


class Opened(Out):
    """The ids of the time that is open again."""

    time: list[int]


class ActivityIn(In):
    """Something that is done in time. `billable`: unless it is said otherwise."""

    name: Annotated[Text100, Field(min_length=1)]
    billable: Flag = True


class ActivityChange(In):
    """What is changed of an activity; fields left out stay as they are."""

    name: Annotated[Text100, Field(min_length=1)] | None = None
    billable: Flag | None = None
    active: Flag | None = Field(None, description="what is not is not offered any more")


class ActivityOut(Out):
    """An activity."""

    id: int
    name: str
    billable: bool
    active: bool


class Activities(Out):
    """A page of activities."""

    items: list[ActivityOut]
    next: str | None


def told(entry: TimeEntry) -> TimeOut:
    """Worked time as it is told: nothing of what it costs."""
    names = (
        "minutes", "worked_on", "billable", "note", "status", "logged_at", "logged_by", "approved_at", "approved_by",
        "step",
    )  # fmt: skip
    return TimeOut(
        id=entry.pk, ticket=entry.ticket.number if entry.ticket else None, customer=entry.customer.key,
        activity=entry.activity_id, user=entry.user.email if entry.user else None,
        **{name: getattr(entry, name) for name in names},
    )  # fmt: skip


def one_time(call: Call, time: int) -> TimeOut:
    """Worked time by its id; raises `Refused` (`not_found`)."""
    return told(time_by_id(call.seller.pk, time))


def user_by_email(email: str) -> User:
    """The user of an e-mail address; raises `Refused` (`not_found`)."""
    found = User.objects.filter(email__iexact=email).first()
    if found is None:
        raise Refused("not_found", "There is no user “%(email)s”.", email=email)
    return found


@endpoint(router, "GET", "/time", "desk.view", answer=TimeList)
def list_time(
    request: HttpRequest, status: Status | None = None, customer: Key | None = None, ticket: Id | None = None,
    user: Text200 | None = None, from_: Annotated[Day | None, Query(alias="from")] = None, until: Day | None = None,
    limit: Limit = LIMIT, after: After = "",
) -> TimeList:  # fmt: skip
    """Worked time, in the order in which it was logged. `from` and `until`: the first and the last day of work."""
    seller = call_of(request).seller.pk
    wanted = {
        "status": status, "customer": customer and customer_by_key(seller, customer).pk,
        "ticket": ticket and ticket_by_number(seller, ticket).pk,
        "user": None if user is None else user_by_email(user).pk,
        "worked_on__gte": from_, "worked_on__lte": until,
    }  # fmt: skip
    items, following = page_of(narrowed(time_of(seller), wanted), limit, after)
    return TimeList(items=[told(e) for e in items], next=following)


@endpoint(router, "POST", "/time", "desk.change", answer=TimeOut, status=201, etag=True)
def log_time(request: HttpRequest, body: TimeIn) -> Answer:
    """Log time. The customer's billing information is not asked for; approval does."""
    call = call_of(request)
    seller = call.seller.pk
    entry = services.log_time(
        call.actor, minutes=body.minutes,
        ticket=ticket_by_number(seller, body.ticket) if body.ticket is not None else None,
        customer=customer_by_key(seller, body.customer) if body.customer is not None else None,
        worked_on=body.worked_on, billable=body.billable, note=body.note,
        activity=activity_by_id(seller, body.activity) if body.activity is not None else None,
        user=user_by_email(body.user) if body.user is not None else None,
    )  # fmt: skip
    return Answer(one_time(call, entry.pk), location("time", entry.pk))


@endpoint(router, "GET", "/time/{int:time}", "desk.view", answer=TimeOut, etag=True)
def get_time(request: HttpRequest, time: Id) -> TimeOut:
    """Worked time."""
    return one_time(call_of(request), time)


@endpoint(router, "PATCH", "/time/{int:time}", "desk.change", answer=TimeOut, etag=True, of=one_time)
def correct_time(request: HttpRequest, time: Id, body: TimeChange) -> TimeOut:
    """Correct time that is not approved: the fields that are given. The log keeps what it was."""
    call = call_of(request)
    fields: dict[str, Any] = {
        name: value for name, value in body.model_dump(exclude_unset=True).items()
        if value is not None or name in ("activity", "user")
    }  # fmt: skip
    if fields.get("activity") is not None:
        fields["activity"] = activity_by_id(call.seller.pk, fields["activity"])
    if fields.get("user") is not None:
        fields["user"] = user_by_email(fields["user"])
    services.correct_time(call.actor, entry=time_by_id(call.seller.pk, time), **fields)
    return one_time(call, time)


@endpoint(router, "DELETE", "/time/{int:time}", "desk.change", answer=None, status=204, of=one_time)
def remove_time(request: HttpRequest, time: Id) -> Answer:
    """Remove time that is not approved; the log keeps what it was."""
    call = call_of(request)
    services.remove_time(call.actor, entry=time_by_id(call.seller.pk, time))
    return Answer(None)


@endpoint(
    router, "POST", "/time/approve", "time.approve", answer=Approved, codes=("billing_information_missing",)
)  # fmt: skip
def approve_time(request: HttpRequest, body: Chosen, preview: bool = False) -> Approved:
    """Approve time, all of it or none: the customer's next bill takes it along.

    The minutes of a ticket are summed and rounded up to the customer's time step as it is now. Refused without the
    customer's billing information, and without an hourly rate for what is billable.
    """
    call = call_of(request)
    seller = call.seller.pk
    if preview:
        ids = services.check_approval(call.actor, entries=body.time, seller=seller)
        foreseen = preview_approval(call.actor, seller=seller, entries=ids).customers
        names = ("currency", "gross", "logged", "counted", "drawn", "minutes")
        told_of = ("title", "logged", "counted", "drawn", "minutes")
        return Approved(
            time=ids,
            preview=[
                ForeseenOut(
                    customer=one.customer.key, amount=one.money(one.amount).exact,
                    groups=[
                        GroupOut(ticket=g.number, amount=one.money(g.amount).exact,
                                 **{n: getattr(g, n) for n in told_of})
                        for g in one.groups
                    ],
                    rests=[
                        RestOut(hours=r.hours.pk, title=r.hours.title, first=r.first, left=r.left) for r in one.rests
                    ],
                    **{n: getattr(one, n) for n in names},
                )
                for one in foreseen
            ],
        )  # fmt: skip
    rows = services.approve_time(call.actor, entries=body.time, seller=seller)
    return Approved(time=[r.pk for r in rows], preview=None)


@endpoint(router, "POST", "/time/unapprove", "time.approve", answer=Opened)
def unapprove_time(request: HttpRequest, body: Chosen) -> Opened:
    """Open approved time again, all of it or none, until it is billed."""
    call = call_of(request)
    rows = services.unapprove_time(call.actor, entries=body.time, seller=call.seller.pk)
    return Opened(time=[r.pk for r in rows])


def one_activity(call: Call, activity: int) -> ActivityOut:
    """An activity by its id; raises `Refused` (`not_found`)."""
    return _activity(activity_by_id(call.seller.pk, activity))


def _activity(activity: Activity) -> ActivityOut:
    return ActivityOut(id=activity.pk, name=activity.name, billable=activity.billable, active=activity.active)


@endpoint(router, "GET", "/activities", "desk.view", answer=Activities)
def list_activities(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> Activities:
    """What is done in time, those not offered any more too."""
    found = Activity.objects.filter(seller=call_of(request).seller)
    items, following = page_of(found, limit, after)
    return Activities(items=[_activity(a) for a in items], next=following)


@endpoint(
    router, "POST", "/activities", "settings.change", answer=ActivityOut, status=201, etag=True, codes=("conflict",)
)  # fmt: skip
def add_activity(request: HttpRequest, body: ActivityIn) -> Answer:
    """Add something that is done in time."""
    call = call_of(request)
    made = services.add_activity(call.actor, seller=call.seller, name=body.name, billable=body.billable)
    return Answer(_activity(made), location("activities", made.pk))


@endpoint(router, "GET", "/activities/{int:activity}", "desk.view", answer=ActivityOut, etag=True)
def get_activity(request: HttpRequest, activity: Id) -> ActivityOut:
    """An activity."""
    return one_activity(call_of(request), activity)


@endpoint(
    router, "PATCH", "/activities/{int:activity}", "settings.change", answer=ActivityOut, etag=True, of=one_activity,
    codes=("conflict",),
)  # fmt: skip
def change_activity(request: HttpRequest, activity: Id, body: ActivityChange) -> ActivityOut:
    """Change an activity; time that was logged stays as it is."""
    call = call_of(request)
    found = activity_by_id(call.seller.pk, activity)
    services.change_activity(call.actor, activity=found, **body.model_dump(exclude_none=True))
    return one_activity(call, activity)
