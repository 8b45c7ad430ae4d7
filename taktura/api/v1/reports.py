"""Reports over a period. Nothing is written."""

from datetime import date
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from taktura.api.call import call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Day, Out, Told
from taktura.billing import reports
from taktura.core.periods import DAY

router = Router()
By = Literal["customer", "user", "activity"]
First = Annotated[Day, Query(alias="from")]
Last = Annotated[Day, Query(description="the last day")]
MOST = 5_000  # rows of an answer


class WaitingTimeOut(Out):
    """A customer's time that waits for billing information. `worth` is null without an hourly rate."""

    customer: str
    name: str
    pieces: int
    minutes: int
    billable_minutes: int
    worth: Told | None = Field(description="of the billable minutes as they were logged")
    oldest: date


class WaitingTimes(Out):
    """By customer, the most minutes first."""

    currency: str
    items: list[WaitingTimeOut]


class UnapprovedTimeOut(Out):
    """A customer's time that waits for approval: minutes by how many days ago it was worked."""

    customer: str
    name: str
    complete: bool = Field(description="whether the billing information is")
    pieces: int
    oldest: date
    minutes: int
    up_to_7_days: int
    up_to_30_days: int
    up_to_90_days: int
    older: int


class UnapprovedTimes(Out):
    """By customer, the oldest first."""

    items: list[UnapprovedTimeOut]


class HoursOfMonth(Out):
    """Minutes worked in a month."""

    month: date = Field(description="its first day")
    minutes: int
    billable_minutes: int


class HoursSumOut(Out):
    """Minutes of a customer (`key` is the number), a user (the e-mail address) or an activity (the name); of none
    where both are empty."""

    key: str
    name: str
    minutes: int
    billable_minutes: int
    months: list[HoursOfMonth]


class HoursWorked(Out):
    """The most minutes first."""

    items: list[HoursSumOut]


class CustomerResultOut(Out):
    """What a customer brought in a currency: `margin` is revenue less cost of suppliers. Minutes stand with the first
    currency of a customer; they have no cost."""

    customer: str
    name: str
    currency: str
    documents: int
    revenue: Told
    cost: Told
    margin: Told
    minutes: int


class CustomerResults(Out):
    """By currency, the least margin first."""

    items: list[CustomerResultOut]


@endpoint(router, "GET", "/reports/waiting_time", "control.view", answer=WaitingTimes)
def report_waiting_time(request: HttpRequest, from_: First, until: Last) -> WaitingTimes:
    """Time that cannot be billed, since billing information lacks; what it is worth."""
    call = call_of(request)
    rows = reports.time_without_billing_information(call.seller.pk, call.seller.currency, from_, until + DAY)
    items = [
        WaitingTimeOut(
            customer=r.key, name=r.name, pieces=r.pieces, minutes=r.minutes, billable_minutes=r.billable,
            worth=r.worth, oldest=r.oldest,
        )
        for r in rows[:MOST]
    ]  # fmt: skip
    return WaitingTimes(currency=call.seller.currency, items=items)


@endpoint(router, "GET", "/reports/unapproved_time", "desk.view", answer=UnapprovedTimes)
def report_unapproved_time(request: HttpRequest, from_: First, until: Last) -> UnapprovedTimes:
    """Time that waits for approval, by customer and age."""
    call = call_of(request)
    today = call.actor.today(call.seller.time_zone)
    rows = reports.unapproved_time(call.seller.pk, today, from_, until + DAY)
    return UnapprovedTimes(items=[_unapproved(row) for row in rows[:MOST]])


def _unapproved(row: reports.UnapprovedTime) -> UnapprovedTimeOut:
    week, month, quarter, older = row.ages
    return UnapprovedTimeOut(
        customer=row.key, name=row.name, complete=row.complete, pieces=row.pieces, oldest=row.oldest,
        minutes=row.minutes, up_to_7_days=week, up_to_30_days=month, up_to_90_days=quarter, older=older,
    )  # fmt: skip


@endpoint(router, "GET", "/reports/hours", "desk.view", answer=HoursWorked)
def report_hours(request: HttpRequest, from_: First, until: Last, by: By = "customer") -> HoursWorked:
    """Hours worked by customer, user or activity, and by month."""
    rows = reports.hours_worked(call_of(request).seller.pk, from_, until + DAY, by)
    items = [
        HoursSumOut(
            key=r.key, name=r.name, minutes=r.minutes, billable_minutes=r.billable,
            months=[
                HoursOfMonth(month=month, minutes=n, billable_minutes=r.billable_months[month])
                for month, n in sorted(r.months.items())
            ],
        )
        for r in rows[:MOST]
    ]  # fmt: skip
    return HoursWorked(items=items)


@endpoint(router, "GET", "/reports/customers", "control.view", answer=CustomerResults)
def report_customers(request: HttpRequest, from_: First, until: Last) -> CustomerResults:
    """What customers bring: revenue net from documents, cost of suppliers, minutes worked."""
    names = ("name", "currency", "documents", "revenue", "cost", "margin", "minutes")
    rows = reports.customer_results(call_of(request).seller.pk, from_, until + DAY)
    return CustomerResults(
        items=[CustomerResultOut(customer=r.key, **{name: getattr(r, name) for name in names}) for r in rows[:MOST]]
    )  # fmt: skip
