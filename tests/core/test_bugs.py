"""Faults of the core that random histories found, each as small as it gets.

Each was one once; they stay, so that it does not come back.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from taktura.core.documents import Entry, compose
from taktura.core.expected import cost_until
from taktura.core.facts import Charge, Contract, Coupon, Key, Line, LineTerms, Phase, Rate, TariffTerms, Tax, Usage
from taktura.core.periods import Anchor, Span
from taktura.core.schedule import floor, next_due
from taktura.core.settle import Scope, settle

D = Decimal
START = date(2027, 1, 1)
CALLS = LineTerms(article="calls", charge="usage", price=D(1), in_minimum=True)


def contract_of(tariff: TariffTerms, *lines: Line) -> Contract:
    """A contract from 1 January, under one tariff."""
    phase = Phase(start=START, anchor=Anchor("contract", START, 1), versions=((date.min, tariff),))
    return Contract(id=1, start=START, phases=(phase,), lines=lines)


def line_of(terms: LineTerms, number: int = 1) -> Line:
    """A line from 1 January."""
    return Line(id=number, start=START, terms=((START, terms),), quantities=((START, D(1)),))


def issued(billed: Sequence[Charge], due: Sequence[Charge]) -> list[Charge]:
    """What is billed once charges stand on a document."""
    return [*billed, *(replace(c, id=len(billed) + i, document=len(billed) + 1) for i, c in enumerate(due, 1))]


def test_the_minimum_is_due_without_any_line_in_the_period() -> None:
    """R9.2: due without any usage while the contract runs, also when its only flagged line has ended (R9.5: then at the
    tariff's rate)."""
    line = replace(line_of(CALLS), end=date(2027, 1, 10))
    contract = contract_of(TariffTerms(minimum=D(20)), line)
    due = settle(contract, [], Scope(on=date(2027, 3, 1)))
    assert [(c.key.start, c.amount) for c in due] == [(date(2027, 1, 1), 2000), (date(2027, 2, 1), 2000)]


def test_the_top_up_of_a_period_after_the_end_is_credited() -> None:
    """R15.5: an end before a period that was billed takes its top-up back too."""
    contract = contract_of(TariffTerms(minimum=D(20)), line_of(CALLS))
    billed = issued([], settle(contract, [], Scope(on=date(2027, 3, 1))))
    assert sum(c.amount for c in billed) == 4000
    ended = replace(contract, end=date(2027, 2, 1))
    assert [c.amount for c in settle(ended, billed, Scope(on=date(2027, 3, 1)))] == [-2000]


def test_from_a_floor_on_no_earlier_top_up_is_billed_again() -> None:
    """R5.2: with `since` only periods that start then or later are settled. The floor lies in the middle of a quarter
    (an interval of 4 months has no common start with it): a line by amount draws in the quarter's minimum."""
    tariff = TariffTerms(interval=Span(3, "month"), minimum=D(20))
    contract = contract_of(
        tariff,
        line_of(CALLS),
        line_of(LineTerms(article="base", price=D(5), proration="none"), 2),
        line_of(LineTerms(article="rare", interval=Span(4, "month"), price_per=Span(4, "month")), 3),
    )
    settled = date(2027, 8, 1)
    billed = issued([], settle(contract, [], Scope(on=settled)))
    assert not settle(contract, billed, Scope(on=settled))
    since = floor(contract, settled)
    later = [c for c in billed if c.key.start >= since]
    assert since == date(2027, 5, 1)
    assert not settle(contract, later, Scope(on=settled), since)


def test_a_floor_leaves_the_periods_whole_that_share_a_coupon() -> None:
    """R10.2: monthly lines of a quarter share a coupon's amount, the first takes it. A floor within the quarter, of the
    tariff before, must not let another one take it again."""
    month = Span(1, "month")
    seat = LineTerms(article="seat", price=D(100), interval=month, price_per=month, when="arrears")
    terms = ((date.min, TariffTerms(interval=Span(3, "month"))),)
    start, change = date(2027, 12, 13), date(2027, 12, 15)
    first = Phase(start=start, end=change, anchor=Anchor("day", date(2027, 11, 15), 15), versions=terms)
    second = Phase(start=change, anchor=Anchor("contract", change, 15), versions=terms)
    line = Line(id=1, start=start, terms=((start, seat),), quantities=((start, D(1)),))
    coupon = Coupon(id=1, given=start, first=start, amount=D("3.33"))
    contract = Contract(id=1, start=start, phases=(first, second), lines=(line,), coupons=(coupon,))
    scope = Scope(on=date(2028, 3, 16))
    billed = issued([], settle(contract, [], scope))
    assert floor(replace(contract, coupons=()), date(2028, 3, 17)) == date(2028, 2, 15)
    since = floor(contract, date(2028, 3, 17))
    assert since == date(2027, 12, 15)
    assert not settle(contract, [c for c in billed if c.key.start >= since], scope, since)


def test_a_line_that_is_no_longer_prorated_is_settled_in_one_go() -> None:
    """R5.2: a change of tariff from daily to no proration credits the days and charges the whole period; calling it
    again gives nothing."""
    daily, whole = LineTerms(article="base", price=D(10)), LineTerms(article="base", price=D(3), proration="none")
    contract = contract_of(TariffTerms(), line_of(daily))
    scope = Scope(on=date(2027, 2, 1))
    billed = issued([], settle(contract, [], scope))
    first, change = contract.phases[0], date(2027, 2, 1)
    changed = replace(
        contract,
        phases=(replace(first, end=change), replace(first, start=change)),
        lines=(replace(contract.lines[0], terms=((START, daily), (change, whole))),),
    )
    due = settle(changed, billed, scope)
    assert sorted(c.amount for c in due) == [-1000, 300]
    assert not settle(changed, issued(billed, due), scope)


@pytest.mark.parametrize("pause_end", [date(2027, 2, 20), date.max])
def test_usage_before_a_pause_falls_due(pause_end: date) -> None:
    """R3.2: usage of a period that a pause cuts short is due when the period is over: settlement says so, and a run
    must find it."""
    contract = contract_of(TariffTerms(), replace(line_of(CALLS), end=pause_end))
    contract = replace(
        contract,
        pauses=((date(2027, 1, 10), pause_end),),
        usage={(1, START): Usage(parts=((1, D(5), D(0), D(0)),), count=1)},
    )
    assert not settle(contract, [], Scope(on=date(2027, 1, 31)))
    assert [c.amount for c in settle(contract, [], Scope(on=date(2027, 2, 1)))] == [500]
    assert next_due(contract, date(2027, 1, 20)) == date(2027, 2, 1)


def test_parts_of_a_period_never_cost_more_than_the_period() -> None:
    """R2.3, R4.2: a quarter at a price per month, counted from the 31st: 29 Feb to 30 May. Its months begin on 29 Feb,
    31 Mar and 30 Apr, not on 29 Mar, 29 Apr and 29 May."""
    quarter = Rate(
        start=date(2028, 2, 29),
        end=date(2028, 5, 31),
        price=Fraction(300),
        quantity=D(1),
        spans=3,
        span=Span(1, "month"),
        day=31,
    )
    days = [date.fromordinal(n) for n in range(quarter.start.toordinal(), quarter.end.toordinal() + 1)]
    costs = [cost_until(quarter, day) for day in days]
    assert costs == sorted(costs)
    assert costs[-1] == 300


def test_a_change_of_tariff_before_a_billed_minimum_is_settled_in_one_go() -> None:
    """R5.2, R16.1: changed from a day in the past on, the periods after it are units of the new tariff; what was billed
    of the old ones is credited whole, and calling it again gives nothing."""
    contract = contract_of(TariffTerms(minimum=D(20)), line_of(CALLS))
    scope = Scope(on=date(2027, 3, 1))
    billed = issued([], settle(contract, [], scope))
    first, change = contract.phases[0], date(2027, 1, 15)
    changed = replace(
        contract,
        phases=(replace(first, end=change), replace(first, start=change)),
        lines=(replace(contract.lines[0], terms=((START, CALLS), (change, CALLS))),),
    )
    due = settle(changed, billed, scope)
    after = issued(billed, due)
    assert sum(c.amount for c in after) == 4000
    assert not settle(changed, after, scope)


@pytest.mark.parametrize("charge", ["recurring", "once"])
def test_the_cap_holds_for_a_whole_line_billed_at_once(charge: str) -> None:
    """R9.2: the cap always holds, on the invoice of a booking with `bill: now` (R5.6) too."""
    terms = LineTerms(article="seat", charge=charge, price=D(20), proration="none", in_cap=True)
    contract = contract_of(TariffTerms(cap=D(10)), line_of(terms))
    scope = Scope(on=START, lines=frozenset([1]), now=frozenset([1]))
    due = settle(contract, [], scope)
    assert sum(c.amount for c in due) == 1000
    assert not settle(contract, issued([], due), scope)


def test_a_change_of_tariff_in_a_pause_keeps_what_is_paid_beyond_it() -> None:
    """R5.2, R16.1, R16.2: the period of the new tariff begins on the day of the change, though a pause goes on for a
    day more: equal terms make nothing due."""
    base = LineTerms(article="base", price=D(31))
    contract = contract_of(TariffTerms(), line_of(base))
    billed = issued([], settle(contract, [], Scope(on=START)))
    contract = replace(contract, pauses=((date(2027, 1, 10), date(2027, 1, 12)),))
    billed = issued(billed, settle(contract, billed, Scope(on=date(2027, 1, 5))))
    assert sum(c.amount for c in billed) == 2900
    first, change = contract.phases[0], date(2027, 1, 11)
    changed = replace(
        contract,
        phases=(replace(first, end=change), replace(first, start=change)),
        lines=(replace(contract.lines[0], terms=((START, base), (change, base))),),
    )
    assert not settle(changed, billed, Scope(on=date(2027, 1, 5), lines=frozenset([1]), through=change))


def test_a_relief_of_billed_lines_at_another_rate_is_credited() -> None:
    """R9.5, R12.1: late usage at 0 % fills the cap; the share of the line at 19 %, billed in advance, goes on a
    credit note that names its invoice, even where all sums to nothing before VAT."""
    seat = LineTerms(article="seat", price=D(20), in_cap=True)
    calls = LineTerms(article="calls", charge="usage", price=D(100), in_cap=True, vat=((date.min, D(0)),))
    contract = contract_of(TariffTerms(cap=D(20)), line_of(seat), line_of(calls, 2))
    contract = replace(contract, tax=Tax(seller_rates=((date.min, D(19)),)))
    billed = issued([], settle(contract, [], Scope(on=START)))
    assert [(c.amount, c.document) for c in billed] == [(2000, 1)]
    used = replace(contract, usage={(2, START): Usage(parts=((1, D(1), D(0), D(0)),), count=1)}, end=date(2027, 2, 1))
    due = settle(used, billed, Scope(on=date(2027, 2, 1)))
    entries = [Entry(contract=1, charge=c) for c in due]
    note, invoice = compose(entries, {1: 1}, {1: {("S", D(19)): (2000, 380)}})
    assert (note.kind, note.references, note.net, note.tax) == ("credit_note", (1,), 1667, 317)
    assert (invoice.kind, invoice.net, invoice.tax) == ("invoice", 1667, 0)
    assert not settle(used, issued(billed, due), Scope(on=date(2027, 2, 1)))


def test_a_minimum_is_not_due_from_a_floor_that_cuts_its_lines_off() -> None:
    """R5.2: a contract begins within a calendar month, later changes to another anchor: the first period's minimum was
    met by a line whose month began before the floor."""
    base = LineTerms(article="base", price=D(100), in_minimum=True)
    first = Phase(
        start=date(2027, 11, 27),
        end=date(2027, 12, 2),
        anchor=Anchor("calendar", date(2027, 1, 1), 1),
        versions=((date.min, TariffTerms(minimum=D(10))),),
    )
    start, change = first.start, first.end
    second = Phase(start=change, anchor=Anchor("contract", change, 2), versions=((date.min, TariffTerms()),))
    line = Line(id=1, start=start, end=change, terms=((start, base),), quantities=((start, D(1)),))
    contract = Contract(id=1, start=start, phases=(first, second), lines=(line,))
    scope = Scope(on=date(2027, 12, 2))
    billed = issued([], settle(contract, [], scope))
    since = floor(contract, change)
    assert since == date(2027, 11, 2)
    assert not settle(contract, [c for c in billed if c.key.start >= since], scope, since)


def test_the_cap_holds_at_once_in_a_period_that_began_before_the_contract() -> None:
    """R9.2, R5.3: a whole line is raised in the contract's first, partial month: its period begins before the unit."""
    seat = LineTerms(article="seat", price=D(10), proration="none", in_cap=True)
    anchor = Anchor("day", date(2026, 12, 15), 15)
    phase = Phase(start=START, anchor=anchor, versions=((date.min, TariffTerms(cap=D(10))),))
    contract = Contract(id=1, start=START, phases=(phase,), lines=(line_of(seat),))
    billed = issued([], settle(contract, [], Scope(on=START)))
    raised = replace(contract, lines=(replace(line_of(seat), quantities=((START, D(1)), (date(2027, 1, 5), D(3)))),))
    due = settle(raised, billed, Scope(on=date(2027, 1, 5), lines=frozenset([1])))
    assert {c.key.kind: c.amount for c in due if c.amount > 0} == {"recurring": 2000}
    assert sum(c.amount for c in due) == 0


def test_credits_that_cancel_out_make_no_credit_note() -> None:
    """R14.1, R12.1: usage of 1.50 goes, and so does the relief that the cap had given for it: nothing is given back."""
    vat = ("AE", D(0))
    less = Charge(key=Key(2, "usage", START, START), first=START, end=date(2027, 2, 1), amount=-150, vat=vat, credits=1)
    relief = replace(less, key=Key(None, "cost_cap", START, START, vat), amount=150)
    rests = {1: {vat: (5000, 0)}}
    assert compose([Entry(contract=1, charge=c) for c in (less, relief)], {1: 1}, rests) == []
    (note,) = compose([Entry(contract=1, charge=c) for c in (less, replace(relief, amount=100))], {1: 1}, rests)
    assert (note.kind, note.net, [line.amount for line in note.lines]) == ("credit_note", 50, [150, -100])


def test_a_relief_on_a_document_with_more_relief_at_its_rate_has_its_own_vat() -> None:
    """R13.2, R14.4: the invoice's relief at 19 % was larger than its lines at 19 %; what is left at that rate is less
    than nothing, and no bound for the VAT of a further relief."""
    vat = ("S", D(19))
    more = Charge(
        key=Key(None, "cost_cap", START, START, vat), first=START, end=date(2027, 2, 1), amount=-45, vat=vat, credits=7
    )
    rests = {3: {vat: (-64806, -12313), ("S", D(16)): (66906, 10705)}}
    (note,) = compose([Entry(contract=1, charge=more)], {7: 3}, rests)
    assert (note.kind, note.net, note.tax) == ("credit_note", 45, 9)


def test_a_correction_that_asks_for_more_than_it_gives_back_is_an_invoice() -> None:
    """R13.2, R14.1: 25.65 less usage at 16 %, 25.20 less relief at 19 %: net 0.45 goes back, with VAT 0.24 is to be
    paid."""
    low, high = ("S", D(16)), ("S", D(19))
    usage = Charge(
        key=Key(2, "usage", START, START), first=START, end=date(2027, 2, 1), amount=-2565, vat=low, credits=7
    )
    relief = replace(usage, key=Key(None, "cost_cap", START, START, high), amount=2520, vat=high)
    (invoice,) = compose([Entry(contract=1, charge=c) for c in (usage, relief)], {7: 3}, {})
    assert (invoice.kind, invoice.references) == ("invoice", (3,))
    assert (invoice.net, invoice.tax, invoice.gross) == (-45, 479 - 410, 24)


def seat_of(price: int, **terms: object) -> LineTerms:
    return LineTerms(article="seat", price=D(price), **terms)  # type: ignore[arg-type]


def test_a_line_that_begins_after_a_change_of_tariff_is_not_billed_with_it() -> None:
    """R16.1: the new tariff holds from 10 January, a pause lasts until the 12th, and a line begins on the 12th; what
    goes on is billed at once, the line is not, and the same again makes nothing."""
    change = date(2027, 1, 10)
    contract = contract_of(TariffTerms(), line_of(seat_of(31)), replace(line_of(seat_of(10), 2), start=change))
    first = contract.phases[0]
    later = replace(contract.lines[1], start=date(2027, 1, 12), quantities=((date(2027, 1, 12), D(1)),))
    later = replace(later, terms=((date(2027, 1, 12), seat_of(10)),))
    phases = (replace(first, end=change), replace(first, start=change, anchor=Anchor("contract", change, 10)))
    pauses = ((date(2027, 1, 9), date(2027, 1, 12)),)
    contract = replace(contract, phases=phases, lines=(contract.lines[0], later), pauses=pauses)
    scope = Scope(on=date(2027, 1, 9), lines=frozenset([1, 2]), through=change)
    due = settle(contract, [], scope)
    assert {c.key.line for c in due} == {1}
    assert not settle(contract, issued([], due), scope)


def test_a_credit_by_hand_of_a_minimum_that_is_no_more_is_not_given_again() -> None:
    """R5.4, R9.2: 0.20 of a top-up is credited by hand, then a change of tariff in the past takes its period away. The
    rest goes back once, whatever the new period's own minimum is."""
    terms = TariffTerms(minimum=D(20), minimum_proration="none")
    contract = contract_of(terms, line_of(LineTerms(article="calls", charge="usage", in_minimum=True)))
    scope = Scope(on=date(2027, 3, 1))
    billed = issued([], settle(contract, [], scope))
    assert [c.amount for c in billed if c.amount] == [2000, 2000]
    second = max(billed, key=lambda c: c.key.start)
    waiver = replace(second, id=99, amount=-20, credits=second.id, by_hand=True, document=9)
    first, change = contract.phases[0], date(2027, 1, 20)
    calls = contract.lines[0].terms[0][1]
    changed = replace(
        contract,
        phases=(replace(first, end=change), replace(first, start=change, anchor=Anchor("contract", change, 20))),
        lines=(replace(contract.lines[0], terms=((START, calls), (change, calls))),),
    )
    billed = [*billed, waiver]
    for _ in range(3):
        due = settle(changed, billed, scope)
        billed = [*billed, *(replace(c, id=100 + len(billed) + i, document=20) for i, c in enumerate(due))]
    assert not [c for c in settle(changed, billed, scope) if c.amount]
    assert sum(c.amount for c in billed if c.key == second.key) == 0


def test_usage_that_the_cap_takes_whole_is_not_due_from_a_floor_that_cuts_its_cap_off() -> None:
    """R5.2, R9.1: usage of 1.13 and as much relief cancel out and stand on no document. A floor within the unit's
    period, set by a later phase, finds neither."""
    change, end = date(2027, 2, 16), date(2027, 2, 15)
    base = LineTerms(article="base", price=D(30), proration="none", in_cap=True)
    calls = LineTerms(article="calls", charge="usage", price=D("1.13"), in_cap=True)
    start = date(2027, 2, 4)
    first = Phase(
        start=start,
        end=change,
        anchor=Anchor("day", date(2027, 1, 15), 15),
        versions=((date.min, TariffTerms(cap=D(30))),),
    )
    second = Phase(start=change, anchor=Anchor("contract", change, 16), versions=((date.min, TariffTerms()),))
    lines = tuple(
        Line(id=i, start=start, end=change, terms=((start, t),), quantities=((start, D(1)),))
        for i, t in enumerate((base, calls), 1)
    )
    used = {(2, start): Usage(parts=((1, D(1), D(0), D(0)),), count=1)}
    contract = Contract(id=1, start=start, phases=(first, second), lines=lines, usage=used)
    scope = Scope(on=date(2027, 3, 1))
    billed = issued([], settle(contract, [], scope))
    assert not [c for c in billed if c.key.kind == "usage" and c.first < end]
    since = floor(contract, change)
    assert date(2027, 1, 15) < since <= start
    assert not [c for c in settle(contract, [c for c in billed if c.key.start >= since], scope, since) if c.amount]


def test_a_top_up_that_moves_to_another_rate_makes_a_document_though_nothing_is_to_be_paid() -> None:
    """R9.5, R13.3: prices are gross. A top-up of 0.69 at 7 %, that stood on a credit note, is one at 19 % since the
    only flagged line ended from its first day on. As much is to be paid, but of other VAT: a document says so, else
    no later run would find it."""
    low = Charge(
        key=Key(None, "minimum_sales", START, START, ("S", D(7))), first=START, end=date(2027, 2, 1), amount=-69,
        vat=("S", D(7)),
    )  # fmt: skip
    high = replace(low, key=replace(low.key, vat=("S", D(19))), vat=("S", D(19)), amount=69)
    (note,) = compose([Entry(contract=1, charge=c) for c in (low, high)], {}, {}, gross=True)
    assert (note.kind, note.gross, note.net) == ("credit_note", 0, 6), "more VAT of the same sum: the net is less"
    assert [(t.vat[1], t.net, t.tax) for t in note.taxes] == [(D(19), -58, -11), (D(7), 64, 5)]
    alike = replace(high, key=low.key, vat=low.vat)
    assert compose([Entry(contract=1, charge=c) for c in (low, alike)], {}, {}, gross=True) == []


def test_a_charge_that_a_credit_by_hand_lowers_to_nothing_stands_on_the_credit_note() -> None:
    """R5.4, R9.1: 2 at 50.00 under a cap of 60.00, of which 50.00 is credited by hand. One less is 50.00 back, and
    50.00 that are waived: that charge, alone and over nothing, has no invoice to stand on. It stands on the note, else
    the next change at once would take its days for not billed, and with them the cap for not reached."""
    tariff = TariffTerms(cap=D(60))
    seat, desk = (
        LineTerms(article=name, price=price, in_cap=True) for name, price in (("seat", D(50)), ("desk", D(20)))
    )
    lines = replace(line_of(seat), quantities=((START, D(2)),)), line_of(desk, 2)
    billed = issued([], settle(contract_of(tariff, *lines), [], Scope(on=START)))
    assert [c.amount for c in billed] == [10000, 2000, -6000]
    billed.append(replace(billed[0], id=9, amount=-5000, credits=billed[0].id, by_hand=True, document=2))
    contract = contract_of(tariff, line_of(seat), line_of(desk, 2))
    due = settle(contract, billed, Scope(on=START, lines=frozenset([1])))
    assert [(c.key.kind, c.amount) for c in due] == [("recurring", -5000), ("recurring", 0), ("cost_cap", 5000)]
    entries = [Entry(contract=1, kind=c.key.kind, order=(0, 0, 0), charge=c) for c in due[:2]]
    (note,) = compose(entries, {c.id: c.document for c in billed}, {})
    assert (note.kind, note.net, [x.amount for x in note.lines]) == ("credit_note", 5000, [5000, 0])
    later = [*billed, *(replace(c, id=20 + i, document=3) for i, c in enumerate(due))]
    assert not settle(contract, later, Scope(on=START, lines=frozenset([1, 2])))
