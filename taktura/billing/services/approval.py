"""What approving time would cost, before it is done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from taktura.billing.hours import Rest, rests_on
from taktura.billing.worked import TimeBill, waiting_time
from taktura.core.money import Money, places
from taktura.customers.models import Customer
from taktura.customers.queries import billing_information_complete
from taktura.desk.models import TimeEntry
from taktura.desk.queries import waiting_time_of
from taktura.desk.services import own_of
from taktura.kit.actor import Actor
from taktura.kit.bulk import among

Group = tuple[str, int]  # ("ticket", its id) or ("work", the id of the time)


@dataclass(slots=True, kw_only=True)
class Costs:
    """What approval adds: minutes as `logged`, of them `free` (not billable); after rounding (`counted`), borne by
    included hours (`drawn`), to be paid (`minutes`), and their `amount` in minor units."""

    logged: int = 0
    free: int = 0
    counted: int = 0
    drawn: int = 0
    minutes: int = 0
    amount: int = 0

    def add(self, other: "Costs") -> None:
        """Count another's in."""
        for name in ("logged", "free", "counted", "drawn", "minutes", "amount"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True, kw_only=True)
class GroupCosts(Costs):
    """What approval adds to a ticket, or to work without one."""

    ticket: int | None
    number: int | None
    title: str


@dataclass(slots=True, kw_only=True)
class Foreseen(Costs):
    """What approval adds to what a customer pays. `lacks`: why the time cannot be approved (`billing_information`,
    `hourly_rate`; empty: it can), then nothing is worked out. `gross`: the amounts contain VAT. `rests`: what is left
    of the included hours then, in the months of the time and now."""

    customer: Customer
    entries: list[TimeEntry]
    lacks: str = ""
    gross: bool = False
    groups: list[GroupCosts] = field(default_factory=list)
    rests: list[Rest] = field(default_factory=list)

    @property
    def currency(self) -> str:
        """That of the amounts."""
        return str(self.customer.seller.currency)

    def money(self, amount: int) -> Money:
        """Minor units of the currency as money."""
        return Money(amount, places(self.currency))


@dataclass(slots=True, kw_only=True)
class Approval:
    """What approval of time would do, by customer; `own`: time that the acting user may not approve."""

    customers: list[Foreseen]
    own: list[TimeEntry]

    @property
    def possible(self) -> bool:
        """Whether nothing stands against it."""
        return bool(self.customers) and not self.own and not any(c.lacks for c in self.customers)

    @property
    def others(self) -> list[int]:
        """The ids of the time against which nothing stands."""
        own = {e.pk for e in self.own}
        return [e.pk for c in self.customers if not c.lacks for e in c.entries if e.pk not in own]


def preview_approval(actor: Actor, *, seller: int, entries: Iterable[int]) -> Approval:
    """What approval of time by ids would do and what stands against it, in a fixed number of queries.

    Time that waits for approval no longer is left out. What a customer pays more is the difference between what is due
    with and without the time: rounding and included hours depend on what was approved before.
    """
    rows = list(waiting_time_of(seller).filter(pk__in=among(set(entries))))
    of: dict[int, Foreseen] = {}
    for row in rows:
        of.setdefault(row.customer_id, Foreseen(customer=row.customer, entries=[])).entries.append(row)
    for one in of.values():
        one.lacks = _lacks(one)
        one.logged = sum(e.minutes for e in one.entries) if one.lacks else 0
    able = {pk: one.customer for pk, one in of.items() if not one.lacks}
    if able:
        on = actor.today(next(iter(able.values())).seller.time_zone)
        now = waiting_time(able, on)
        then = waiting_time(able, on, [r.pk for r in rows])
        days = {pk: {e.worked_on for e in of[pk].entries if e.billable} for pk in able}
        rests = rests_on(able, on, then, days)
        for pk in able:
            of[pk].rests = rests.get(pk, [])
            place = (pk, of[pk].currency)
            _foresee(of[pk], now.get(place, ()), then.get(place, ()))
    ordered = sorted(of.values(), key=lambda one: (one.customer.folded, one.customer.pk))
    return Approval(customers=ordered, own=own_of(actor, rows))


def _lacks(one: Foreseen) -> str:
    if not billing_information_complete(one.customer):
        return "billing_information"
    rated = one.customer.hourly_rate is not None or not any(e.billable for e in one.entries)
    return "" if rated else "hourly_rate"


def _foresee(one: Foreseen, now: Sequence[TimeBill], then: Sequence[TimeBill]) -> None:
    groups: dict[Group, GroupCosts] = {}
    for entry in one.entries:
        number = entry.ticket.number if entry.ticket else None
        title = entry.ticket.subject if entry.ticket else entry.note
        key = ("ticket", entry.ticket_id) if entry.ticket_id is not None else ("work", entry.pk)
        group = groups.setdefault(key, GroupCosts(ticket=entry.ticket_id, number=number, title=title))
        group.logged += entry.minutes
        group.free += 0 if entry.billable else entry.minutes
    for sign, bills in ((1, then), (-1, now)):
        for bill in bills:
            one.gross = bill.gross
            key = bill.due.place[0]
            group = groups.setdefault(key, GroupCosts(ticket=bill.ticket, number=bill.number, title=bill.title))
            group.counted += sign * sum(counted for _, counted in bill.due.works)
            group.drawn += sign * bill.due.drawn
            group.minutes += sign * bill.due.minutes
            group.amount += sign * bill.due.amount
    # Of what was approved before only that is told which changes.
    found = [g for g in groups.values() if g.logged or g.counted or g.drawn or g.minutes or g.amount]
    one.groups = sorted(found, key=lambda g: (g.number is None, g.number or 0))
    for group in one.groups:
        one.add(group)
