"""Worked time: logged, corrected until it is approved, approved, and opened again until it is billed."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import transaction

from taktura.accounts.models import User
from taktura.audit.acts import act
from taktura.audit.services import record, record_all
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.customers.queries import check_complete
from taktura.desk.models import Activity, Ticket, TimeEntry
from taktura.desk.queries import settings_of
from taktura.kit.actor import Actor
from taktura.kit.bulk import among
from taktura.kit.exact import to_json

MOST_MINUTES = 1440  # minutes of one piece of work: a day
FIELDS = ("minutes", "worked_on", "billable", "activity", "note", "user")


@transaction.atomic
def log_time(
    actor: Actor,
    *,
    minutes: int,
    ticket: Ticket | None = None,
    customer: Customer | None = None,
    worked_on: date | None = None,
    billable: bool | None = None,
    activity: Activity | None = None,
    note: str = "",
    user: User | None = None,
) -> TimeEntry:
    """Log whole minutes on a ticket, or for a customer without one; billing information is not asked for.

    Defaults: worked today, by the acting user, billable as the activity says. Raises `Refused` (`invalid`).
    """
    of = check_place(ticket, customer, activity, note)
    if billable is None:
        billable = activity.billable if activity is not None else True
    entry = TimeEntry(
        customer=of,
        ticket=ticket,
        user=user or user_of(actor),
        worked_on=worked_on or actor.today(of.seller.time_zone),
        minutes=minutes,
        billable=billable,
        activity=activity,
        note=note.strip(),
        logged_at=actor.now,
        logged_by=actor.name,
    )
    _check(actor, entry)
    entry.save(force_insert=True)
    record(actor, "log_time", _subject(entry), {"time": entry.pk, "minutes": minutes, "worked_on": entry.worked_on})
    return entry


@transaction.atomic
def correct_time(actor: Actor, *, entry: TimeEntry, **fields: Any) -> TimeEntry:
    """Write the fields named (`FIELDS`) of time that is not approved. Raises `Refused` (`invalid`)."""
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise Refused("invalid", "Worked time has no field “%(field)s”.", field=sorted(unknown)[0])
    entry = _submitted(entry)
    before = {name: getattr(entry, name) for name in fields}
    for name, value in fields.items():
        setattr(entry, name, value)
    if entry.billable is None:
        entry.billable = entry.activity.billable if entry.activity is not None else True
    entry.worked_on = entry.worked_on or before["worked_on"]
    _check(actor, entry)
    entry.save()
    changed = {name: [_named(was), _named(getattr(entry, name))] for name, was in before.items()}
    record(actor, "correct_time", _subject(entry), {"time": entry.pk, **to_json(changed)})
    return entry


@transaction.atomic
def remove_time(actor: Actor, *, entry: TimeEntry) -> None:
    """Remove time that is not approved; the log keeps what it was. Raises `Refused` (`invalid`)."""
    entry = _submitted(entry)
    record(actor, "remove_time", _subject(entry), {"time": entry.pk, "minutes": entry.minutes, "note": entry.note})
    entry.delete()


@act
def approve_time(actor: Actor, *, entries: Iterable[int], seller: int | None = None) -> list[TimeEntry]:
    """Approve time by ids, all of it or none: it is billed with the customer's next bill (R18). `seller`: of no other.

    Each keeps its customer's time step and hourly rate as they are now. Raises `Refused`:
    `billing_information_missing`; `invalid` for billable time without an hourly rate, for time that is approved already
    and for one's own, where the desk's settings want somebody else; `not_found`.
    """
    rows = _approvable(actor, entries, seller)
    for entry in rows:
        entry.status, entry.approved_at, entry.approved_by = "approved", actor.now, actor.name
        entry.step = entry.customer.round_up_minutes
        entry.rate = entry.customer.hourly_rate if entry.billable else None
    TimeEntry.objects.bulk_update(rows, ["status", "approved_at", "approved_by", "step", "rate"], batch_size=1000)
    _record(actor, "approve_time", rows)
    return rows


@transaction.atomic
def check_approval(actor: Actor, *, entries: Iterable[int], seller: int | None = None) -> list[int]:
    """Raise what `approve_time` would raise; gives the ids, each once."""
    return [r.pk for r in _approvable(actor, entries, seller)]


@act
def unapprove_time(actor: Actor, *, entries: Iterable[int], seller: int | None = None) -> list[TimeEntry]:
    """Open approved time again, all of it or none, until it is billed. `seller`: of no other. Raises `Refused`
    (`invalid`, `not_found`)."""
    rows = _rows(entries, seller)
    for entry in rows:
        if entry.status == "billed":
            raise Refused(
                "invalid",
                "Time of %(day)s is billed: credit its invoice instead, and log it again where it is to be billed.",
                day=entry.worked_on,
            )
        if entry.status == "submitted":
            raise Refused("invalid", "Time of %(day)s is not approved.", day=entry.worked_on)
        entry.status, entry.approved_at, entry.approved_by, entry.step, entry.rate = "submitted", None, "", None, None
    TimeEntry.objects.bulk_update(rows, ["status", "approved_at", "approved_by", "step", "rate"], batch_size=1000)
    _record(actor, "unapprove_time", rows)
    return rows


def waiting_on(ticket: Ticket) -> list[int]:
    """The ids of a ticket's time that waits for approval; raises `Refused` (`invalid`) when there is none."""
    found = list(ticket.time.filter(status="submitted").order_by("id").values_list("pk", flat=True))
    if not found:
        raise Refused("invalid", "No time of ticket %(number)s waits for approval.", number=ticket.number)
    return found


def user_of(actor: Actor) -> User | None:
    """The user of staff who acts; none where a system does."""
    kind, _, email = actor.name.partition(":")
    return User.objects.filter(email__iexact=email).first() if kind == "user" else None


def check_place(ticket: Ticket | None, customer: Customer | None, activity: Activity | None, note: str) -> Customer:
    """Whose time on a ticket or for a customer is; raises `Refused` (`invalid`) for what does not fit together."""
    of = ticket.customer if ticket is not None else customer
    if of is None:
        raise Refused("invalid", "Say for which ticket or which customer the time was worked.")
    if ticket is not None and customer is not None and customer.pk != of.pk:
        raise Refused("invalid", "Ticket %(number)s is another customer's.", number=ticket.number)
    if len(note.strip()) > 500:
        raise Refused("invalid", "A note has at most 500 characters.")
    if activity is not None and activity.seller_id != of.seller_id:
        raise Refused("invalid", "The activity is another seller's.")
    return of


def own_of(actor: Actor, rows: Sequence[TimeEntry]) -> list[TimeEntry]:
    """The time among `rows` that the acting user worked, where the settings want somebody else to approve it."""
    approver = user_of(actor)
    own = [r for r in rows if approver is not None and r.user_id == approver.pk]
    return [] if not own or settings_of(own[0].customer.seller_id).own_approval else own


def _approvable(actor: Actor, entries: Iterable[int], seller: int | None) -> list[TimeEntry]:
    rows = _rows(entries, seller)
    if own_of(actor, rows):
        raise Refused("invalid", "Somebody else has to approve the time that you worked yourself.")
    for customer in {e.customer_id: e.customer for e in rows}.values():
        check_complete(customer)
    for entry in rows:
        if entry.status != "submitted":
            raise Refused("invalid", "Time of %(day)s is approved already.", day=entry.worked_on)
        if entry.billable and entry.customer.hourly_rate is None:
            raise Refused("invalid", "Give %(name)s an hourly rate first.", name=entry.customer.name)
    return rows


def _rows(entries: Iterable[int], seller: int | None) -> list[TimeEntry]:
    wanted = list(dict.fromkeys(entries))
    of = TimeEntry.objects.select_related("customer__seller", "customer__billing_information", "ticket")
    if seller is not None:
        of = of.filter(customer__seller=seller)
    rows = list(of.select_for_update(of=("self",)).filter(pk__in=among(wanted)).order_by("id"))
    if not wanted:
        raise Refused("invalid", "Choose at least one piece of worked time.")
    if len(rows) != len(wanted):
        missing = sorted(set(wanted) - {r.pk for r in rows})[0]
        raise Refused("not_found", "There is no worked time %(key)s.", key=missing)
    return rows


def _check(actor: Actor, entry: TimeEntry) -> None:
    if not isinstance(entry.minutes, int) or isinstance(entry.minutes, bool) or not 1 <= entry.minutes <= MOST_MINUTES:
        raise Refused("invalid", "Worked time is 1 to %(most)s whole minutes.", most=MOST_MINUTES)
    if entry.worked_on > actor.today(entry.customer.seller.time_zone):
        raise Refused("invalid", "Time is logged when it is worked: choose a day up to today.")
    check_place(entry.ticket, entry.customer, entry.activity, entry.note)


def _submitted(entry: TimeEntry) -> TimeEntry:
    rows = TimeEntry.objects.select_related("customer__seller", "ticket", "activity", "user")
    found = rows.select_for_update(of=("self",)).get(pk=entry.pk)
    if found.status != "submitted":
        raise Refused("invalid", "Time of %(day)s is approved: open it again first.", day=found.worked_on)
    return found


def _record(actor: Actor, action: str, rows: Sequence[TimeEntry]) -> None:
    of: dict[str, list[TimeEntry]] = {}
    for entry in rows:
        of.setdefault(_subject(entry), []).append(entry)
    record_all(
        actor,
        [
            (action, subject, {"time": [e.pk for e in found], "minutes": sum(e.minutes for e in found)})
            for subject, found in of.items()
        ],
    )


def _subject(entry: TimeEntry) -> str:
    return f"ticket:{entry.ticket_id}" if entry.ticket_id else f"customer:{entry.customer_id}"


def _named(value: Any) -> Any:
    return str(value) if hasattr(value, "pk") else value
