"""Time (R18): approved minutes are summed per ticket, rounded up once, drawn from included hours, and priced.

Minutes are whole. An amount is in minor units of the customer's currency, in the price's basis (net, or gross where the
seller's prices are gross).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from taktura.core.facts import MONTHLY
from taktura.core.money import Money, ceiling, half_up, money
from taktura.core.periods import DAY, FOREVER, add

Vat = tuple[str, Decimal]


def billable_minutes(minutes: Sequence[int], step: int) -> int:
    """The sum of a ticket's approved billable minutes, rounded up to the customer's step."""
    return ceiling(Fraction(sum(minutes), step)) * step


def time_amount(minutes: int, hourly_rate: Decimal | Fraction, digits: int = 2) -> Money:
    """What rounded minutes cost: minutes / 60 × hourly rate, rounded once."""
    return money(Fraction(minutes, 60) * Fraction(hourly_rate), digits)


def clocked_minutes(seconds: int) -> int:
    """The whole minutes that a timer's seconds are logged as: each one begun, at least one."""
    return max(1, ceiling(Fraction(seconds, 60)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """Approved billable time that is on no document yet. `group` names what is summed before it is rounded: a ticket,
    or the work alone. `step` and the unrounded `price` of an hour are those of its approval."""

    id: int
    group: tuple[str, int]
    worked_on: date
    minutes: int
    step: int
    price: Fraction
    vat: Vat
    activity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Included hours: `minutes` in all (`block`), or in each month that begins on `first` and its monthly days
    (`monthly`), of which the rest of a month is `kept` for later ones or dropped. `end` is exclusive; `activities`
    empty: all. `used`: minutes drawn already, by month (0: the first, also of a block)."""

    id: int
    kind: str  # block | monthly
    minutes: int
    first: date
    end: date = FOREVER
    kept: bool = False
    activities: frozenset[int] = frozenset()
    used: Mapping[int, int] = field(default_factory=dict)

    def month(self, day: date) -> int:
        """Which of its months a day is in, from 0; of a block always 0."""
        if self.kind == "block":
            return 0
        count = (day.year - self.first.year) * 12 + day.month - self.first.month
        return count - 1 if add(self.first, MONTHLY, count) > day else count

    def covers(self, work: Worked) -> bool:
        """Whether work may draw from it."""
        return self.first <= work.worked_on < self.end and (not self.activities or work.activity in self.activities)

    @property
    def overdrawn(self) -> bool:
        """Whether more was drawn than it gives; of a kept rest, up to any month."""
        if not self.kept:
            return any(taken > self.minutes for taken in self.used.values())
        gone = accumulate(self.used.get(m, 0) for m in range(max(self.used, default=0) + 1))
        return any(taken > self.minutes * (m + 1) for m, taken in enumerate(gone))

    def left(self, day: date, used: Mapping[int, int]) -> int:
        """The minutes that work of a day may draw, when `used` are gone. What later months took of a kept rest is not
        given twice."""
        month = self.month(day)
        if self.kind == "block" or not self.kept:
            return max(0, self.minutes - used.get(month, 0))
        last = max([month, *used])
        gone = sum(taken for m, taken in used.items() if m < month)
        least = None
        for m in range(month, last + 1):
            gone += used.get(m, 0)
            here = self.minutes * (m + 1) - gone
            least = here if least is None else min(least, here)
        return max(0, least or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursMonth:
    """A month of included hours in a statement (a block has one): what it grants, what earlier ones left of theirs
    (`carried`), what is `drawn`, what is `left`. Of what is left of a month that is over, a part is `dropped`."""

    month: int
    first: date
    end: date
    granted: int
    carried: int
    drawn: int
    left: int
    dropped: int = 0


def hours_statement(allowance: Allowance, today: date) -> list[HoursMonth]:
    """The months of included hours up to today, and those beyond in which something was drawn; none before they begin.

    The rest of a month goes on into the next where it is kept; else it is dropped when the month is over, as is the
    last rest when the hours end. Work of such a month that comes later still draws from it.
    """
    last = max(allowance.used, default=-1)
    if allowance.first <= today:
        last = max(last, allowance.month(min(today, allowance.end - DAY)))
    found: list[HoursMonth] = []
    rest = 0
    for month in range(last + 1):
        first = add(allowance.first, MONTHLY, month)
        last_of_all = allowance.kind == "block" or add(allowance.first, MONTHLY, month + 1) >= allowance.end
        end = allowance.end if last_of_all else add(allowance.first, MONTHLY, month + 1)
        drawn = allowance.used.get(month, 0)
        left = rest + allowance.minutes - drawn
        gone = end <= today and (last_of_all or not allowance.kept)
        found.append(
            HoursMonth(
                month=month, first=first, end=end, granted=allowance.minutes, carried=rest, drawn=drawn, left=left,
                dropped=left if gone else 0,
            )
        )  # fmt: skip
        rest = left if allowance.kept else 0
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Minutes of one work that an allowance bears, in which of its months."""

    work: int
    allowance: int
    month: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Before:
    """What of a group stands on documents: its minutes as logged, and after rounding."""

    minutes: int = 0
    counted: int = 0


Place = tuple[tuple[str, int], Fraction, Vat]  # group, price of an hour, VAT: what makes one line


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeDue:
    """What is due of one place: `minutes` to be paid and their amount; which works it bills (work, minutes after
    rounding) and what they draw. `first` and `last` are the days of the first and the last work."""

    place: Place
    minutes: int
    amount: int
    works: tuple[tuple[int, int], ...]
    draws: tuple[Draw, ...]
    first: date
    last: date

    @property
    def drawn(self) -> int:
        """The minutes that included hours bear."""
        return sum(d.minutes for d in self.draws)


def counted_minutes(works: Sequence[Worked], before: Mapping[tuple[str, int], Before]) -> dict[int, int]:
    """How many minutes each work adds to the rounded sum of its group, in the order of the work date (R18)."""
    logged = {group: b.minutes for group, b in before.items()}
    rounded = {group: b.counted for group, b in before.items()}
    found = {}
    for work in sorted(works, key=_order):
        logged[work.group] = logged.get(work.group, 0) + work.minutes
        was = rounded.get(work.group, 0)
        # A smaller step than before takes nothing back.
        now = max(was, billable_minutes([logged[work.group]], work.step))
        rounded[work.group] = now
        found[work.id] = now - was
    return found


def draw(works: Sequence[Worked], counted: Mapping[int, int], allowances: Sequence[Allowance]) -> list[Draw]:
    """What each work draws, in the order of the work date; first from what ends first."""
    used = {a.id: dict(a.used) for a in allowances}
    ordered = sorted(allowances, key=lambda a: (a.end, a.first, a.id))
    found = []
    for work in sorted(works, key=_order):
        wanted = counted[work.id]
        for allowance in ordered:
            if not wanted or not allowance.covers(work):
                continue
            taken = min(wanted, allowance.left(work.worked_on, used[allowance.id]))
            if taken:
                month = allowance.month(work.worked_on)
                used[allowance.id][month] = used[allowance.id].get(month, 0) + taken
                found.append(Draw(work=work.id, allowance=allowance.id, month=month, minutes=taken))
                wanted -= taken
    return found


def time_due(
    works: Sequence[Worked],
    before: Mapping[tuple[str, int], Before],
    billed: Mapping[Place, tuple[int, int]],
    allowances: Sequence[Allowance],
    digits: int = 2,
) -> list[TimeDue]:
    """What is due of one customer's time: a ticket's rounded minutes at each price, less what is billed of it (R18).

    `billed`: minutes and amount on documents, by place. A group whose rounded sum does not grow has nothing due; its
    works wait for the next. Amounts are of the whole minutes of a place, so that parts add up.
    """
    counted = counted_minutes(works, before)
    draws: dict[int, list[Draw]] = {}
    for one in draw(works, counted, allowances):
        draws.setdefault(one.work, []).append(one)
    growing = {w.group for w in works if counted[w.id]}
    rows: dict[Place, list[Worked]] = {}
    silent: list[Worked] = []
    for work in sorted(works, key=_order):
        if work.group not in growing:
            continue
        if counted[work.id]:
            rows.setdefault((work.group, work.price, work.vat), []).append(work)
        else:
            silent.append(work)
    for work in silent:  # rounding of another work bears it: it goes with the group's first line
        rows[next(place for place in rows if place[0] == work.group)].append(work)
    return [_due(place, group, counted, draws, billed.get(place, (0, 0)), digits) for place, group in rows.items()]


def _due(
    place: Place,
    works: Sequence[Worked],
    counted: Mapping[int, int],
    draws: Mapping[int, Sequence[Draw]],
    billed: tuple[int, int],
    digits: int,
) -> TimeDue:
    taken = tuple(d for w in works for d in draws.get(w.id, ()))
    minutes = sum(counted[w.id] for w in works) - sum(d.minutes for d in taken)
    whole = half_up(Fraction(billed[0] + minutes, 60) * place[1] * 10**digits)
    return TimeDue(
        place=place,
        minutes=minutes,
        amount=whole - billed[1] if minutes else 0,
        works=tuple((w.id, counted[w.id]) for w in works),
        draws=taken,
        first=min(w.worked_on for w in works),
        last=max(w.worked_on for w in works),
    )


def _order(work: Worked) -> tuple[date, int]:
    return work.worked_on, work.id
