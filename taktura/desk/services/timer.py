"""A timer of work that is under way: started, paused, and stopped, which logs the time. One for each user."""

from datetime import date
from typing import Any

from django.db import transaction

from taktura.accounts.models import User
from taktura.audit.services import record
from taktura.core.desk import clocked_minutes
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.desk.models import Activity, RunningTime, Ticket, TimeEntry
from taktura.desk.services.time import MOST_MINUTES, check_place, log_time, user_of
from taktura.kit.actor import Actor

MOST_SECONDS = 2**31 - 1


@transaction.atomic
def start_timer(
    actor: Actor,
    *,
    ticket: Ticket | None = None,
    customer: Customer | None = None,
    activity: Activity | None = None,
    note: str = "",
    user: User | None = None,
) -> RunningTime:
    """Start a timer on a ticket, or for a customer without one; it is the acting user's, or that of `user`.

    Raises `Refused`: `conflict` where the user has one already, `invalid`.
    """
    of = check_place(ticket, customer, activity, note)
    whose = user or user_of(actor)
    if whose is None:
        raise Refused("invalid", "Say whose timer it is.", field="user")
    User.objects.select_for_update().get(pk=whose.pk)  # two starts at once: one of them
    before = RunningTime.objects.select_related("customer").filter(user=whose).first()
    if before is not None:
        raise Refused(
            "conflict", "%(user)s has a timer already, for %(name)s: stop it first.", user=str(whose),
            name=before.customer.name,
        )  # fmt: skip
    return RunningTime.objects.create(
        user=whose, customer=of, ticket=ticket, activity=activity, note=note.strip(), started_at=actor.now,
        since=actor.now,
    )  # fmt: skip


@transaction.atomic
def pause_timer(actor: Actor, *, timer: RunningTime) -> RunningTime:
    """Let a timer rest; nothing happens to one that does. Raises `Refused` (`not_found`) where it was stopped."""
    timer = _locked(timer)
    if timer.since is not None:
        timer.overnight = ran_overnight(actor, timer)
        timer.seconds, timer.since = seconds_of(actor, timer), None
        timer.save(update_fields=["seconds", "since", "overnight"])
    return timer


@transaction.atomic
def go_on_with_timer(actor: Actor, *, timer: RunningTime) -> RunningTime:
    """Let a timer run again; nothing happens to one that does. Raises `Refused` (`not_found`) where it was stopped."""
    timer = _locked(timer)
    if timer.since is None:
        timer.since = max(actor.now, timer.started_at)
        timer.save(update_fields=["since"])
    return timer


@transaction.atomic
def stop_timer(
    actor: Actor, *, timer: RunningTime, minutes: int | None = None, worked_on: date | None = None, **fields: Any
) -> TimeEntry:
    """Log what a timer has counted, each minute begun, and take it away. What is said here goes before what the timer
    says: `minutes`, `worked_on` (else the day on which it was started), `billable`, `activity`, `note`.

    Raises `Refused`: `not_found` where it was stopped already; `invalid` where it ran over midnight, or for longer than
    a day, and nobody says how many minutes were worked.
    """
    timer = _locked(timer)
    if minutes is None:
        if ran_overnight(actor, timer):
            raise Refused(
                "invalid", "The timer was started on %(day)s and ran over midnight: say how long you worked.",
                day=started_on(timer), field="minutes",
            )  # fmt: skip
        minutes = clocked_minutes(seconds_of(actor, timer))
        if minutes > MOST_MINUTES:
            raise Refused(
                "invalid", "The timer counted more than a day: say how long you worked.", field="minutes"
            )  # fmt: skip
    given = {"activity": timer.activity, "note": timer.note, **fields}
    made = log_time(
        actor, minutes=minutes, ticket=timer.ticket, customer=None if timer.ticket else timer.customer,
        worked_on=worked_on or started_on(timer), user=timer.user, **given,
    )  # fmt: skip
    timer.delete()
    return made


@transaction.atomic
def drop_timer(actor: Actor, *, timer: RunningTime) -> None:
    """Take a timer away and log nothing. Raises `Refused` (`not_found`) where it was stopped."""
    timer = _locked(timer)
    seconds = seconds_of(actor, timer)
    subject = f"ticket:{timer.ticket_id}" if timer.ticket_id else f"customer:{timer.customer_id}"
    record(actor, "drop_timer", subject, {"user": str(timer.user), "seconds": seconds})
    timer.delete()


def seconds_of(actor: Actor, timer: RunningTime) -> int:
    """What a timer has counted until now, in whole seconds."""
    if timer.since is None:
        return timer.seconds
    return min(MOST_SECONDS, timer.seconds + max(0, int((actor.now - timer.since).total_seconds())))


def started_on(timer: RunningTime) -> date:
    """The day on which a timer was started, where the seller is."""
    return Actor("", timer.started_at).today(timer.customer.seller.time_zone)


def ran_overnight(actor: Actor, timer: RunningTime) -> bool:
    """Whether a timer ran over a midnight of the seller's: somebody forgot it, as it seems."""
    if timer.since is None or timer.overnight:
        return timer.overnight
    zone = timer.customer.seller.time_zone
    return Actor("", timer.since).today(zone) != actor.today(zone)


def _locked(timer: RunningTime) -> RunningTime:
    rows = RunningTime.objects.select_related(
        "customer__seller", "customer__billing_information", "ticket__customer__seller", "activity", "user"
    )
    found = rows.select_for_update(of=("self",)).filter(pk=timer.pk).first()
    if found is None:
        raise Refused("not_found", "The timer was stopped already.")
    return found
