"""Included hours changed from a day on, and taken back: both ask what was drawn of them."""

from collections.abc import Iterable
from datetime import date

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.billing.hours import draws_of
from taktura.core.desk import Allowance as Grant
from taktura.core.errors import Refused
from taktura.core.facts import MONTHLY
from taktura.core.periods import add
from taktura.desk.models import Activity, Allowance
from taktura.desk.services import end_hours as set_end
from taktura.desk.services import include_hours
from taktura.kit.actor import Actor


@act
def change_hours(
    actor: Actor,
    *,
    hours: Allowance,
    start: date,
    minutes: int,
    title: str | None = None,
    kept: bool | None = None,
    activities: Iterable[Activity] | None = None,
) -> Allowance:
    """Let monthly hours be others from one of their months on: the old ones end, those that follow begin. What is not
    said stays. A rest that the old ones kept ends with them.

    Raises `Refused` (`invalid`) for a block, for a day on which no month of theirs begins, and for one before time that
    drew them.
    """
    hours = _found(hours)
    if hours.kind == "block":
        raise Refused("invalid", "A block is used up as it is: let it end, and give another.")
    if hours.end is not None and start >= hours.end:
        raise Refused("invalid", "These hours end before that day: give new ones instead.", field="start")
    if following_month(hours, start) != start:
        raise Refused(
            "invalid", "Monthly hours change when one of their months begins: choose %(day)s.",
            day=following_month(hours, start), field="start",
        )  # fmt: skip
    _not_drawn(hours, start)
    until = hours.end
    chosen = list(hours.activities.all()) if activities is None else list(activities)
    set_end(actor, allowance=hours, end=start)
    return include_hours(
        actor, customer=hours.customer, title=hours.title if title is None else title, kind="monthly", minutes=minutes,
        start=start, end=until, kept=hours.kept if kept is None else kept, activities=chosen,
    )  # fmt: skip


@act
def end_hours(actor: Actor, *, hours: Allowance, end: date | None) -> Allowance:
    """Let included hours end on a day (exclusive), or go on. Raises `Refused` (`invalid`) for an end before they begin,
    and for one before time that drew them: what is billed stays, and what is approved would silently cost."""
    hours = _found(hours)
    last = _last_drawn(hours) if end is not None else None
    if end is not None and last is not None and last >= end:
        raise Refused(
            "invalid", "Time of %(day)s draws these hours already: they end on that day at the earliest.",
            day=last, field="end",
        )  # fmt: skip
    return set_end(actor, allowance=hours, end=end)


@act
def take_back_hours(actor: Actor, *, hours: Allowance) -> None:
    """Take included hours back as if they had never been given; the log keeps what they were. Raises `Refused`
    (`invalid`) when time drew them."""
    hours = _found(hours)
    _not_drawn(hours, hours.start)
    content = {"hours": hours.pk, "title": hours.title, "minutes": hours.minutes, "start": hours.start}
    record(actor, "take_back_hours", f"customer:{hours.customer_id}", content)
    hours.delete()


def following_month(hours: Allowance, day: date) -> date:
    """The first day of the month of monthly hours that begins on or after a day, but not of their first."""
    grant = Grant(id=hours.pk, kind=hours.kind, minutes=hours.minutes, first=hours.start)
    month = max(1, grant.month(day) if day >= hours.start else 0)
    first = add(hours.start, MONTHLY, month)
    return first if first >= day else add(hours.start, MONTHLY, month + 1)


def _found(hours: Allowance) -> Allowance:
    return Allowance.objects.select_related("customer__seller", "customer__billing_information").get(pk=hours.pk)


def _last_drawn(hours: Allowance) -> date | None:
    """The last day of work that drew included hours, billed or approved."""
    return max((d.entry.worked_on for d in draws_of(hours)), default=None)


def _not_drawn(hours: Allowance, start: date) -> None:
    last = _last_drawn(hours)
    if last is not None and last >= start:
        raise Refused(
            "invalid", "Time of %(day)s draws these hours already: choose a later day, or let them end.", day=last,
            field="start",
        )  # fmt: skip
