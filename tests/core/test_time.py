"""Time (R18): rounding of a ticket's sum over several bills, and included hours."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from taktura.core.desk import (
    Allowance,
    Before,
    Place,
    Worked,
    billable_minutes,
    draw,
    hours_statement,
    time_amount,
    time_due,
)

S: tuple[str, Decimal] = ("S", Decimal(19))
FIRST = date(2026, 1, 1)
T1 = ("ticket", 1)
prices = st.sampled_from([Fraction(90), Fraction(100), Fraction(9999, 100), Fraction(10000, 119)])


def work(pk: int, minutes: int, on: date = FIRST, **fields: object) -> Worked:
    values = {"group": T1, "step": 10, "price": Fraction(90), "vat": S} | fields
    return Worked(id=pk, worked_on=on, minutes=minutes, **values)  # type: ignore[arg-type]


@st.composite
def works(draw_: st.DrawFn) -> list[Worked]:
    return [
        work(
            pk, draw_(st.integers(0, 130)), FIRST + timedelta(draw_(st.integers(0, 120))),
            group=("ticket", draw_(st.integers(1, 3))), step=draw_(st.sampled_from([1, 6, 10, 15])),
            price=draw_(prices), activity=draw_(st.sampled_from([None, 1, 2])),
        )
        for pk in range(draw_(st.integers(0, 12)))
    ]  # fmt: skip


@st.composite
def allowances(draw_: st.DrawFn) -> list[Allowance]:
    return [
        Allowance(
            id=pk, kind=draw_(st.sampled_from(["block", "monthly"])), minutes=draw_(st.integers(0, 300)),
            first=FIRST + timedelta(draw_(st.integers(-40, 60))), kept=draw_(st.booleans()),
            end=FIRST + timedelta(draw_(st.integers(61, 200))),
            activities=draw_(st.sampled_from([frozenset(), frozenset({1})])),
        )
        for pk in range(draw_(st.integers(0, 3)))
    ]  # fmt: skip


class Ledger:
    """What has been billed, as the database keeps it."""

    def __init__(self, included: list[Allowance]) -> None:
        self.before: dict[tuple[str, int], Before] = {}
        self.billed: dict[Place, tuple[int, int]] = {}
        self.used: dict[int, dict[int, int]] = {a.id: {} for a in included}
        self.included = included

    def bill(self, waiting: dict[int, Worked]) -> None:
        """Bill what is due of the works that wait, and take them off."""
        grants = [replace(a, used=dict(self.used[a.id])) for a in self.included]
        for due in time_due(list(waiting.values()), dict(self.before), dict(self.billed), grants):
            assert due.amount >= 0
            assert due.minutes + due.drawn == sum(counted for _, counted in due.works) > 0
            minutes, amount = self.billed.get(due.place, (0, 0))
            self.billed[due.place] = (minutes + due.minutes, amount + due.amount)
            for pk, counted in due.works:
                group = due.place[0]
                was = self.before.get(group, Before())
                self.before[group] = Before(was.minutes + waiting.pop(pk).minutes, was.counted + counted)
            for one in due.draws:
                self.used[one.allowance][one.month] = self.used[one.allowance].get(one.month, 0) + one.minutes


def billed_in_parts(done: list[Worked], cuts: list[int], included: list[Allowance]) -> tuple[Ledger, dict[int, Worked]]:
    """The works approved in the order of their ids, with a bill after each cut and one at the end; what still waits."""
    ledger, waiting = Ledger(included), dict[int, Worked]()
    bounds = sorted({0, len(done), *(c for c in cuts if c < len(done))})
    for a, b in zip(bounds, bounds[1:], strict=False):
        waiting |= {w.id: w for w in done[a:b]}
        ledger.bill(waiting)
    return ledger, waiting


cuts = st.lists(st.integers(0, 12), max_size=4)


@given(works(), cuts, allowances())
def test_bills_in_parts_add_up(done: list[Worked], at: list[int], included: list[Allowance]) -> None:
    """However often it is billed on the way, a line's amounts add up to its minutes at its price, rounded once; and no
    minute is lost or billed twice."""
    ledger, waiting = billed_in_parts(done, at, included)
    for (_, price, _), (minutes, amount) in ledger.billed.items():
        assert amount == time_amount(minutes, price).minor
    for group in {w.group for w in done}:
        logged = sum(w.minutes for w in done if w.group == group)
        waits = sum(w.minutes for w in waiting.values() if w.group == group)
        assert ledger.before.get(group, Before()).minutes == logged - waits
    counted = sum(b.counted for b in ledger.before.values())
    drawn = sum(sum(u.values()) for u in ledger.used.values())
    assert counted == sum(minutes for minutes, _ in ledger.billed.values()) + drawn


@given(works(), cuts)
def test_a_ticket_of_one_price_and_step(done: list[Worked], at: list[int]) -> None:
    """R18: the whole sum of a ticket is rounded, whatever was billed of it before; what is due is the difference."""
    alike = [work(w.id, w.minutes, w.worked_on) for w in done]
    ledger, _ = billed_in_parts(alike, at, [])
    whole = billable_minutes([w.minutes for w in alike], 10)
    assert sum(minutes for minutes, _ in ledger.billed.values()) == whole
    assert sum(amount for _, amount in ledger.billed.values()) == time_amount(whole, Fraction(90)).minor


@given(works(), cuts, allowances())
def test_no_allowance_gives_more_than_it_has(done: list[Worked], at: list[int], included: list[Allowance]) -> None:
    ledger, _ = billed_in_parts(done, at, included)
    for allowance in included:
        used = ledger.used[allowance.id]
        assert not replace(allowance, used=used).overdrawn
        if allowance.kind == "block":
            assert sum(used.values()) <= allowance.minutes
        elif not allowance.kept:
            assert all(taken <= allowance.minutes for taken in used.values())
        else:
            for month in used:
                assert sum(t for m, t in used.items() if m <= month) <= allowance.minutes * (month + 1)


def test_what_is_overdrawn_is_found() -> None:
    grant = Allowance(id=1, kind="monthly", minutes=60, first=FIRST, kept=True, used={1: 120})
    assert not grant.overdrawn
    assert replace(grant, used={0: 61}).overdrawn and replace(grant, used={0: 60, 1: 61}).overdrawn
    assert replace(grant, kept=False, used={1: 61}).overdrawn


@given(works(), allowances())
def test_nothing_is_charged_that_an_allowance_could_bear(done: list[Worked], included: list[Allowance]) -> None:
    """Of what is billed at once: where minutes of a work are charged, nothing is left of what covers it, as of then."""
    counted = {w.id: w.minutes for w in done}
    draws = draw(done, counted, included)
    used: dict[int, dict[int, int]] = {a.id: {} for a in included}
    for w in sorted(done, key=lambda w: (w.worked_on, w.id)):
        mine = [d for d in draws if d.work == w.id]
        for one in mine:
            used[one.allowance][one.month] = used[one.allowance].get(one.month, 0) + one.minutes
        if sum(d.minutes for d in mine) < w.minutes:
            assert all(a.left(w.worked_on, used[a.id]) == 0 for a in included if a.covers(w))


def test_a_rest_is_kept_or_dropped() -> None:
    """Sixty minutes a month; thirty in January, ninety in February."""
    done = [work(1, 30, date(2026, 1, 10)), work(2, 90, date(2026, 2, 10), group=("ticket", 2))]
    for kept, charged in ((True, 0), (False, 30)):
        grant = Allowance(id=1, kind="monthly", minutes=60, first=FIRST, kept=kept)
        assert sum(d.minutes for d in time_due(done, {}, {}, [grant])) == charged


def test_a_rest_that_a_later_month_took_is_not_given_again() -> None:
    """January's late work finds only what February left of January's rest."""
    grant = Allowance(id=1, kind="monthly", minutes=60, first=FIRST, kept=True, used={0: 30, 1: 80})
    assert grant.left(date(2026, 1, 20), grant.used) == 10
    assert grant.left(date(2026, 3, 1), grant.used) == 70


def test_the_month_is_counted_from_its_first_day() -> None:
    grant = Allowance(id=1, kind="monthly", minutes=60, first=date(2026, 1, 31))
    assert [grant.month(day) for day in (date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 30))] == [0, 1, 1]


def test_hours_are_drawn_in_the_order_of_the_work_date() -> None:
    done = [work(1, 60, date(2026, 1, 20)), work(2, 60, date(2026, 1, 10), group=("ticket", 2))]
    grant = Allowance(id=7, kind="block", minutes=90, first=FIRST)
    assert [(d.work, d.minutes) for d in draw(done, {1: 60, 2: 60}, [grant])] == [(2, 60), (1, 30)]


def test_what_rounding_bears_waits_and_goes_with_the_next() -> None:
    """R18: 7 minutes are 10; 2 more are still 10; 5 more make 14, which are 20."""
    ledger, waiting = Ledger([]), {1: work(1, 7)}
    ledger.bill(waiting)
    waiting[2] = work(2, 2)
    ledger.bill(waiting)
    assert set(waiting) == {2}
    waiting[3] = work(3, 5)
    ledger.bill(waiting)
    assert not waiting
    assert list(ledger.billed.values()) == [(20, 3000)]


@given(works(), cuts, allowances(), st.integers(-50, 220))
def test_a_statement_accounts_for_every_minute(
    done: list[Worked], at: list[int], included: list[Allowance], later: int
) -> None:
    """What is granted is drawn, dropped or left; a rest goes on only where it is kept; the months follow each other;
    and what is left of the month in which we are is what work of today would find."""
    ledger, _ = billed_in_parts(done, at, included)
    today = FIRST + timedelta(later)
    for one in included:
        grant = replace(one, used=ledger.used[one.id], kept=one.kept and one.kind == "monthly")
        if grant.overdrawn:  # of a block that was said to be kept
            continue
        months = hours_statement(grant, today)
        assert [m.month for m in months] == list(range(len(months)))
        assert sum(m.drawn for m in months) == sum(grant.used.values())
        for m in months:
            assert m.left == m.carried + m.granted - m.drawn and m.dropped in (0, m.left)
            assert m.dropped == 0 or m.end <= today
        for before, after in zip(months, months[1:], strict=False):
            assert after.first == before.end and after.carried == (before.left if grant.kept else 0)
            assert not grant.kept or not before.dropped
            assert grant.kept or before.end > today or before.dropped == before.left
        if grant.first <= today < grant.end and len(months) == grant.month(today) + 1:
            assert months[-1].left == grant.left(today, grant.used)


def test_a_statement_of_months_kept_and_dropped() -> None:
    """Sixty minutes a month from January; twenty drawn in January, ninety or sixty in February; it ends with March."""
    end = date(2026, 4, 1)
    kept = Allowance(id=1, kind="monthly", minutes=60, first=FIRST, end=end, kept=True, used={0: 20, 1: 90})
    told = [(m.carried, m.drawn, m.left, m.dropped) for m in hours_statement(kept, date(2026, 3, 31))]
    assert told == [(0, 20, 40, 0), (40, 90, 10, 0), (10, 0, 70, 0)]
    assert hours_statement(kept, end)[-1].dropped == 70
    dropped = replace(kept, kept=False, used={0: 20, 1: 60})
    told = [(m.carried, m.drawn, m.left, m.dropped) for m in hours_statement(dropped, date(2026, 3, 31))]
    assert told == [(0, 20, 40, 40), (0, 60, 0, 0), (0, 0, 60, 0)]
    assert hours_statement(kept, date(2025, 12, 31))[-1].month == 1, "what was drawn is shown whatever the day"
    assert hours_statement(replace(kept, used={}), date(2025, 12, 31)) == []


def test_a_statement_of_a_block_is_one_line() -> None:
    block = Allowance(id=1, kind="block", minutes=600, first=FIRST, used={0: 90})
    (told,) = hours_statement(block, date(2027, 5, 5))
    assert (told.granted, told.drawn, told.left, told.dropped) == (600, 90, 510, 0)
    (told,) = hours_statement(replace(block, end=date(2026, 7, 1)), date(2026, 7, 1))
    assert (told.end, told.dropped) == (date(2026, 7, 1), 510)
