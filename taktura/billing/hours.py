"""Included hours looked at: what they grant, which time drew them, what is left (R18)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from taktura.billing.models import TimeDraw
from taktura.billing.worked import Waiting, allowances_of, waiting_time
from taktura.core.desk import Allowance, Draw, HoursMonth, hours_statement
from taktura.core.facts import MONTHLY
from taktura.core.periods import FOREVER, add
from taktura.customers.models import Customer
from taktura.desk.models import Allowance as IncludedHours
from taktura.desk.models import TimeEntry
from taktura.desk.queries import time_of
from taktura.invoices.models import Document
from taktura.kit.bulk import among


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Minutes of a piece of time that included hours bear, in which of their months. `document`: where they stand; none
    as long as the approved time waits for a bill."""

    entry: TimeEntry
    month: int
    minutes: int
    document: Document | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursStatement:
    """Included hours as of a day. `months` count approved time in that waits for a bill; `waiting` says how much of
    each month that is. `left`: what work of that day would find; None where they do not hold then."""

    hours: IncludedHours
    months: tuple[HoursMonth, ...]
    waiting: Mapping[int, int]
    draws: tuple[Drawn, ...]
    left: int | None

    @property
    def granted(self) -> int:
        """In all of its months."""
        return sum(m.granted for m in self.months)

    @property
    def drawn(self) -> int:
        """In all of its months."""
        return sum(m.drawn for m in self.months)

    @property
    def dropped(self) -> int:
        """In all of its months."""
        return sum(m.dropped for m in self.months)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What is left of a customer's included hours when approved time is counted in: of all, or in the month that begins
    on `first`."""

    hours: IncludedHours
    first: date | None
    left: int


def hours_of(customers: Iterable[int]) -> list[IncludedHours]:
    """The included hours of customers with their activities, those that began last first."""
    rows = IncludedHours.objects.filter(customer__in=among(customers)).select_related("customer__seller")
    return list(rows.prefetch_related("activities").order_by("-start", "-id"))


def hours_statement_of(hours: IncludedHours, on: date) -> HoursStatement:
    """The statement of included hours as of a day, its draws in the order of the work date; in a fixed number of
    queries. Approved time that is not billed yet draws as it would on a bill of that day."""
    draws = draws_of(hours, on)
    waiting: dict[int, int] = {}
    for one in draws:
        if one.document is None:
            waiting[one.month] = waiting.get(one.month, 0) + one.minutes
    known = next(a for a in allowances_of([hours.customer_id])[hours.customer_id] if a.id == hours.pk)
    grant = _with(known, waiting.items())
    return HoursStatement(
        hours=hours, months=tuple(hours_statement(grant, on)), waiting=waiting, draws=tuple(draws),
        left=_left(grant, on),
    )  # fmt: skip


def draws_of(hours: IncludedHours, on: date = FOREVER) -> list[Drawn]:
    """Which time drew included hours, in the order of the work date; approved time that waits for a bill too, as a bill
    of that day would have it."""
    billed = list(TimeDraw.objects.filter(allowance=hours).select_related("charge__document").order_by("id"))
    foreseen = [
        d for d in _foreseen(waiting_time({hours.customer_id: hours.customer}, on), [hours.customer_id])
        if d.allowance == hours.pk
    ]  # fmt: skip
    wanted = among({*(d.entry_id for d in billed), *(d.work for d in foreseen)})
    entries = {e.pk: e for e in time_of(hours.customer.seller_id).filter(pk__in=wanted)}
    found = [
        Drawn(entry=entries[d.entry_id], month=d.month, minutes=d.minutes, document=d.charge.document) for d in billed
    ]
    found += [Drawn(entry=entries[d.work], month=d.month, minutes=d.minutes, document=None) for d in foreseen]
    return sorted(found, key=lambda d: (d.entry.worked_on, d.entry.pk, d.month))


def rests_on(
    customers: Mapping[int, Customer],
    on: date,
    waiting: Waiting | None = None,
    days: Mapping[int, Iterable[date]] | None = None,
) -> dict[int, list[Rest]]:
    """What is left on a day of the included hours that hold then, by customer; what ends first comes first.

    `waiting`: what is due of approved time, where that is known already (`waiting_time`). `days`: the months
    of a customer in which one of these is count as well.
    """
    rows = {row.pk: row for row in hours_of(customers)}
    if not rows:
        return {}
    foreseen = _foreseen(waiting_time(customers, on) if waiting is None else waiting, customers)
    found: dict[int, list[Rest]] = {}
    for pk, grants in allowances_of(customers).items():
        for grant in sorted(grants, key=lambda a: (a.end, a.first, a.id)):
            drawn = _with(grant, [(d.month, d.minutes) for d in foreseen if d.allowance == grant.id])
            lefts: dict[int, int] = {}
            for day in sorted({on, *(days or {}).get(pk, ())}):
                left = _left(drawn, day)
                if left is not None:
                    lefts.setdefault(drawn.month(day), left)
            for month, left in lefts.items():
                first = add(grant.first, MONTHLY, month) if grant.kind == "monthly" else None
                found.setdefault(pk, []).append(Rest(hours=rows[grant.id], first=first, left=left))
    return found


def _foreseen(waiting: Waiting, customers: Iterable[int]) -> list[Draw]:
    wanted = set(customers)
    return [d for (pk, _), bills in waiting.items() if pk in wanted for bill in bills for d in bill.due.draws]


def _with(grant: Allowance, draws: Iterable[tuple[int, int]]) -> Allowance:
    """A grant of which more is drawn: minutes by month."""
    used = dict(grant.used)
    for month, minutes in draws:
        used[month] = used.get(month, 0) + minutes
    return replace(grant, used=used)


def _left(grant: Allowance, on: date) -> int | None:
    return grant.left(on, grant.used) if grant.first <= on < grant.end else None
