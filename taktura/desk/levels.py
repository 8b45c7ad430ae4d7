"""Service levels: business hours and targets of a seller, where the clocks of its tickets stand, what was kept.

A ticket has two clocks. The first answer is due from when it was opened; solved without a word, it was answered then.
The solution's clock stands still while the ticket waits for the customer, or is solved. Both run in business hours.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q
from django.db.models.functions import Least

from taktura.core.business import Clock, Hours, Pause, around_the_clock, clock, due, worked
from taktura.customers.models import Seller
from taktura.desk.models import PRIORITIES, Holiday, OpeningHours, ServiceTarget, Ticket, TicketPause

CLOCK = ("answer_due_at", "solve_due_at", "solve_left", "due_at")
ANSWER, SOLVE = "answer", "solve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is promised for tickets of a priority, in business time; None: nothing."""

    answer: timedelta | None = None
    solve: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How the targets of a priority were kept by the tickets that were opened in a span."""

    priority: str
    tickets: int = 0
    answered_in_time: int = 0
    answered_late: int = 0
    solved_in_time: int = 0
    solved_late: int = 0
    overdue: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one clock of a ticket stands: due at, business time that is left (negative: over); `stopped`, or `kept`."""

    kind: str
    due: datetime | None
    left: timedelta | None
    state: str

    @property
    def minutes(self) -> int:
        """What is left, or over, in whole minutes."""
        return abs(self.left or timedelta(0)) // timedelta(minutes=1)


def hours_of(seller: Seller) -> Hours:
    """A seller's business hours; around the clock where none are set."""
    week: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for row in OpeningHours.objects.filter(seller=seller.pk).order_by("weekday", "start"):
        week[row.weekday].append((row.start, row.end))
    days = frozenset(Holiday.objects.filter(seller=seller.pk).values_list("day", flat=True))
    spans = tuple(tuple(day) for day in week) if any(week) else around_the_clock(seller.time_zone).week
    return Hours(zone=seller.time_zone, week=spans, holidays=days)


def targets_of(seller: int) -> dict[str, Target]:
    """What a seller promises, by priority."""
    return {
        row.priority: Target(answer=_minutes(row.answer), solve=_minutes(row.solve))
        for row in ServiceTarget.objects.filter(seller=seller)
    }


def pauses_of(tickets: Iterable[int]) -> Mapping[int, Sequence[Pause]]:
    """The pauses of tickets, in their order."""
    found: dict[int, list[Pause]] = defaultdict(list)
    for row in TicketPause.objects.filter(ticket__in=list(tickets)).order_by("ticket", "id"):
        found[row.ticket_id].append((row.since, row.until))
    return found


def set_clocks(ticket: Ticket, hours: Hours, target: Target, pauses: Sequence[Pause]) -> None:
    """Work out where a ticket's clocks stand, and put it into its row (`CLOCK`), which is not saved. What was answered
    or solved keeps what was due of it then."""
    if ticket.answered_at is None and ticket.solved_at is None:
        ticket.answer_due_at = None if target.answer is None else due(hours, ticket.opened_at, target.answer)
    stands = Clock(due=None) if target.solve is None else clock(hours, ticket.opened_at, pauses, target.solve)
    ticket.solve_due_at, ticket.solve_left = stands.due, stands.left
    ticket.due_at = _next(ticket)


def standings(ticket: Ticket, hours: Hours, now: datetime) -> list[Standing]:
    """How the clocks of a ticket stand, those that have a target."""
    found = []
    first = _answered(ticket)
    if ticket.answer_due_at is not None:
        found.append(_standing(ANSWER, ticket.answer_due_at, first, hours, now))
    if ticket.solve_left is not None:
        state = "kept" if ticket.solved_at else "stopped"
        found.append(Standing(kind=SOLVE, due=None, left=ticket.solve_left, state=state))
    elif ticket.solve_due_at is not None:
        found.append(_standing(SOLVE, ticket.solve_due_at, ticket.solved_at, hours, now))
    return found


def next_standing(ticket: Ticket, hours: Hours, now: datetime) -> Standing | None:
    """The clock that staff has to look at next; of a ticket that does not wait for staff none."""
    running = [s for s in standings(ticket, hours, now) if s.state in ("runs", "over")]
    return min((s for s in running if s.due == ticket.due_at), key=lambda s: s.kind, default=None)


def service_levels(seller: Seller, start: date, end: date, now: datetime) -> list[Level]:
    """How targets were kept by the tickets opened from a day until before another, by priority, the most urgent first.

    What was promised counts as it was promised then; without a target nothing is in time or late. `overdue`: tickets
    not solved yet of which something is over due. Tickets that were merged into another are counted there.
    """
    zone = ZoneInfo(seller.time_zone)
    begins, ends = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (start, end))
    rows = Ticket.objects.filter(
        seller=seller.pk, opened_at__gte=begins, opened_at__lt=ends, merged_into__isnull=True
    ).alias(first=Least("answered_at", "solved_at"))  # of what is there
    solved = Q(status__in=("solved", "closed"))
    counted = rows.order_by().values("priority").annotate(
        tickets=Count("*"),
        answered_in_time=Count("pk", filter=Q(first__lte=F("answer_due_at"))),
        answered_late=Count("pk", filter=Q(first__gt=F("answer_due_at"))),
        solved_in_time=Count("pk", filter=solved & Q(solve_left__isnull=False)),
        solved_late=Count("pk", filter=solved & Q(solve_due_at__isnull=False)),
        overdue=Count("pk", filter=~solved & Q(due_at__lt=now)),
    )  # fmt: skip
    known = {row["priority"]: Level(**row) for row in counted}
    return [known.get(p, Level(priority=p)) for p in reversed(PRIORITIES)]


def _answered(ticket: Ticket) -> datetime | None:
    moments = [m for m in (ticket.answered_at, ticket.solved_at) if m is not None]
    return min(moments, default=None)


def _next(ticket: Ticket) -> datetime | None:
    """What staff has to keep next."""
    if ticket.status != "open":
        return None
    running = [ticket.solve_due_at, ticket.answer_due_at if _answered(ticket) is None else None]
    return min((moment for moment in running if moment is not None), default=None)


def _standing(kind: str, at: datetime, done: datetime | None, hours: Hours, now: datetime) -> Standing:
    if done is not None:
        return Standing(kind=kind, due=at, left=worked(hours, done, at), state="kept" if done <= at else "missed")
    return Standing(kind=kind, due=at, left=worked(hours, now, at), state="runs" if now <= at else "over")


def _minutes(count: int | None) -> timedelta | None:
    return None if count is None else timedelta(minutes=count)
