"""Service levels: what is promised, and the clocks of tickets that follow it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from django.db import transaction
from django.db.models import DateTimeField, Value
from django.db.models.functions import Greatest

from taktura.audit.services import record
from taktura.core.business import DAY, Span
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk.levels import CLOCK, Target, hours_of, pauses_of, set_clocks, targets_of
from taktura.desk.models import PRIORITIES, Holiday, OpeningHours, ServiceTarget, Ticket, TicketPause
from taktura.kit.actor import Actor
from taktura.kit.exact import to_json

BATCH = 1000  # tickets that are reckoned at once
MOST_MINUTES = 60 * 1000  # of business time that a target may have
MOST_SPANS = 6  # of a day
MOST_HOLIDAYS = 1000
Promise = tuple[int | None, int | None]  # minutes until the first answer, until the solution


@transaction.atomic
def set_service_levels(
    actor: Actor,
    *,
    seller: Seller,
    hours: Mapping[int, Sequence[Span]] | None = None,
    holidays: Mapping[date, str] | None = None,
    targets: Mapping[str, Promise] | None = None,
) -> None:
    """Write what is given; what is not stays. Tickets that are not solved follow at once.

    `hours`: spans of minutes by weekday (0: Monday), days left out are closed; empty: around the clock. `holidays`:
    their names. `targets`: by priority, those left out promise nothing. Raises `Refused` (`invalid`).
    """
    Seller.objects.select_for_update(no_key=True).get(pk=seller.pk)
    before = told(seller)
    if hours is not None:
        _set_hours(seller, hours)
    if holidays is not None:
        _set_holidays(seller, holidays)
    if targets is not None:
        _set_targets(seller, targets)
    after = told(seller)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        shown = {"before": {n: before[n] for n in changed}, "after": {n: after[n] for n in changed}}
        record(actor, "set_service_levels", f"seller:{seller.pk}", to_json(shown))
        _reckon(seller)


def told(seller: Seller) -> dict[str, list[str]]:
    """What is promised, as texts for the log."""
    return {
        "hours": [
            f"{row.weekday + 1}: {clock_of(row.start)}–{clock_of(row.end)}" for row in seller.opening_hours.all()
        ],
        "holidays": [f"{row.day.isoformat()} {row.name}".strip() for row in seller.holidays.all()],
        "targets": [f"{row.priority}: {row.answer}/{row.solve}" for row in seller.service_targets.order_by("priority")],
    }


def keep_clocks(actor: Actor, ticket: Ticket, *, was: str = "open") -> None:
    """After a change of a ticket that is not saved yet: begin or end its pause, and put into its row where its clocks
    stand. `was`: its state before. What is solved and stays so keeps what was due of it."""
    done = ("solved", "closed")
    if was in done and ticket.status in done:
        return
    if ticket.pk and was == "open" and ticket.status != "open":
        TicketPause.objects.create(ticket=ticket, since=actor.now)
    elif ticket.pk and was != "open" and ticket.status == "open":
        end = Greatest("since", Value(actor.now, output_field=DateTimeField()))
        TicketPause.objects.filter(ticket=ticket, until=None).update(until=end)
    pauses = pauses_of([ticket.pk]).get(ticket.pk, ()) if ticket.pk else ()
    target = targets_of(ticket.seller_id).get(ticket.priority, Target())
    set_clocks(ticket, hours_of(ticket.seller), target, pauses)


def clock_of(minute: int) -> str:
    """A minute of the day as a clock shows it; the day's end is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _reckon(seller: Seller) -> None:
    """Work out anew where the clocks of all tickets stand that are not solved."""
    hours, targets = hours_of(seller), targets_of(seller.pk)
    for tickets in _batches(seller):
        pauses = pauses_of(t.pk for t in tickets)
        for ticket in tickets:
            set_clocks(ticket, hours, targets.get(ticket.priority, Target()), pauses.get(ticket.pk, ()))
        Ticket.objects.bulk_update(tickets, CLOCK)


def _batches(seller: Seller) -> Iterator[list[Ticket]]:
    last = 0
    while True:
        rows = Ticket.objects.select_for_update().filter(seller=seller.pk, status__in=("open", "waiting"), pk__gt=last)
        found = list(rows.order_by("pk")[:BATCH])
        if not found:
            return
        yield found
        last = found[-1].pk


def _set_hours(seller: Seller, hours: Mapping[int, Sequence[Span]]) -> None:
    rows: list[OpeningHours] = []
    for weekday, spans in hours.items():
        if weekday not in range(7):
            raise Refused("invalid", "A weekday is a number from 0 (Monday) to 6 (Sunday).", field="hours")
        if len(spans) > MOST_SPANS:
            raise Refused("invalid", "A day has at most %(most)s spans.", most=MOST_SPANS, field="hours")
        end_before = -1
        for start, end in sorted(spans):
            if not 0 <= start < end <= DAY:
                raise Refused(
                    "invalid", "From %(start)s to %(end)s is no span of a day: it begins before it ends.",
                    start=clock_of(start), end=clock_of(end), field="hours",
                )  # fmt: skip
            if start < end_before:
                raise Refused(
                    "invalid", "The span from %(start)s to %(end)s overlaps another.", start=clock_of(start),
                    end=clock_of(end), field="hours",
                )  # fmt: skip
            if start == end_before:
                rows[-1].end = end
            else:
                rows.append(OpeningHours(seller=seller, weekday=weekday, start=start, end=end))
            end_before = end
    OpeningHours.objects.filter(seller=seller).delete()
    OpeningHours.objects.bulk_create(rows)


def _set_holidays(seller: Seller, holidays: Mapping[date, str]) -> None:
    if len(holidays) > MOST_HOLIDAYS:
        raise Refused("invalid", "At most %(most)s holidays are kept.", most=MOST_HOLIDAYS, field="holidays")
    if any(len(name.strip()) > 100 for name in holidays.values()):
        raise Refused("invalid", "The name of a holiday has at most 100 characters.", field="holidays")
    Holiday.objects.filter(seller=seller).delete()
    Holiday.objects.bulk_create(
        Holiday(seller=seller, day=day, name=name.strip()) for day, name in sorted(holidays.items())
    )


def _set_targets(seller: Seller, targets: Mapping[str, Promise]) -> None:
    rows = []
    for priority, (answer, solve) in targets.items():
        if priority not in PRIORITIES:
            raise Refused(
                "invalid", "“%(value)s” is no priority: write low, normal, high or urgent.", value=priority,
                field="targets",
            )  # fmt: skip
        for minutes in (answer, solve):
            if minutes is not None and not 1 <= minutes <= MOST_MINUTES:
                raise Refused(
                    "invalid", "A target is 1 to %(most)s minutes, or nothing.", most=MOST_MINUTES, field="targets"
                )
        if answer is not None or solve is not None:
            rows.append(ServiceTarget(seller=seller, priority=priority, answer=answer, solve=solve))
    ServiceTarget.objects.filter(seller=seller).delete()
    ServiceTarget.objects.bulk_create(rows)
