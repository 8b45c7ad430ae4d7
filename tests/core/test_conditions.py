"""A contract's own conditions of a line that change while it runs (R7.5, decision 0025)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.documents import Entry, compose
from taktura.core.facts import Charge, Conditions, Contract, Coupon, Line, LineTerms, Phase, TariffTerms, Tax, Usage
from taktura.core.monthly import whole_month
from taktura.core.periods import Anchor, Span
from taktura.core.reasons import reasons
from taktura.core.schedule import as_billed, conditions_hold_from, own_over_time
from taktura.core.settle import Scope, settle
from tests.core.test_histories import act, offers, some, steps

D = Decimal
START = date(2027, 6, 1)
ONE = frozenset([1])


def contract_of(terms: LineTerms, *conditions: tuple[date, Conditions]) -> Contract:
    """A contract of one line from 1 June, billed each month."""
    line = Line(id=1, start=START, terms=((START, terms),), quantities=((START, D(5)),), conditions=conditions)
    phase = Phase(start=START, anchor=Anchor("contract", START, 1), versions=((date.min, TariffTerms()),))
    return Contract(id=1, start=START, phases=(phase,), lines=(line,))


def bill(contract: Contract, on: date, billed: tuple[Charge, ...] = ()) -> tuple[Charge, ...]:
    """What is billed after a run."""
    due = settle(contract, billed, Scope(on=on))
    return (*billed, *(replace(c, id=len(billed) + i, document=1) for i, c in enumerate(due, 1)))


def test_what_is_billed_beyond_the_day_is_credited_and_charged_anew() -> None:
    """R5.3: 5 at 10.00 for June; 8.00 from 16 June: 25.00 back, 20.00 anew."""
    desk = LineTerms(article="desk", price=D(10))
    billed = bill(contract_of(desk), START)
    changed = contract_of(desk, (date(2027, 6, 16), Conditions(price=D(8))))
    due = settle(changed, billed, Scope(on=date(2027, 6, 16), lines=frozenset([1])))
    assert [c.amount for c in billed] == [5000]
    assert [(c.first, c.end, c.amount) for c in due] == [
        (date(2027, 6, 16), date(2027, 7, 1), -2500),
        (date(2027, 6, 16), date(2027, 7, 1), 2000),
    ]
    assert due[1].unit_price == D(8) and due[1].proof["price"] == "8"


def test_what_was_free_for_a_while_is_billed_again_at_once() -> None:
    """R14.5: the charge over nothing stands on the credit note, so that its days count as billed."""
    desk, middle = LineTerms(article="desk", price=D(10)), date(2027, 6, 16)
    billed = bill(contract_of(desk), START)
    free = settle(contract_of(desk, (middle, Conditions(discount=D(100)))), billed, Scope(on=middle, lines=ONE))
    entries = [Entry(contract=1, kind="recurring", order=(0, 0, 0), charge=c) for c in free]
    (note,) = compose(entries, {c.id: c.document for c in billed}, {})
    assert (note.kind, [x.amount for x in note.lines]) == ("credit_note", [2500, 0])
    billed += tuple(replace(c, id=10 + i, document=2) for i, c in enumerate(free))
    (again,) = [
        c for c in settle(contract_of(desk, (middle, Conditions())), billed, Scope(on=middle, lines=ONE)) if c.amount
    ]
    assert (again.first, again.end, again.amount) == (middle, date(2027, 7, 1), 2500)


@pytest.mark.parametrize("quantity", [False, True])
def test_a_price_without_vat_keeps_its_rate_before_the_day(quantity: bool) -> None:
    """R13.3: who pays no VAT pays a gross price less the home rate of the span's last day. A change from 1 July leaves
    what is billed of June, though the rate of June was another than that of the end of the quarter."""
    quarter = LineTerms(article="desk", price=D(10), interval=Span(3, "month"))
    tax = Tax(category="G", gross=True, seller_rates=((date.min, D(19)), (date(2027, 8, 1), D(16))))
    july = date(2027, 7, 1)
    billed = bill(replace(contract_of(quarter), tax=tax), START)
    changed = replace(contract_of(quarter, *([] if quantity else [(july, Conditions(price=D(8)))])), tax=tax)
    if quantity:
        line = replace(changed.lines[0], quantities=((START, D(5)), (july, D(4))))
        changed = replace(changed, lines=(line,))
    assert [c.amount for c in billed] == [12931]
    found = settle(changed, billed, Scope(on=july, lines=ONE))
    assert [(c.first, c.end, c.amount) for c in found] == [
        (july, date(2027, 9, 1), -8621), (july, date(2027, 9, 1), 6897)
    ]  # fmt: skip


def test_on_the_next_billing_date_nothing_is_credited() -> None:
    desk = LineTerms(article="desk", price=D(10))
    billed = bill(contract_of(desk), START)
    changed = contract_of(desk, (date(2027, 7, 1), Conditions(discount=D(50), reason="half a year")))
    assert not settle(changed, billed, Scope(on=START, lines=frozenset([1])))
    (july,) = settle(changed, billed, Scope(on=date(2027, 7, 1)))
    assert (july.amount, july.proof["discount"], july.proof["reason"]) == (2500, "50", "half a year")


def test_a_minimum_from_a_day_and_its_end() -> None:
    """R7.5: billed is the larger of quantity and minimum, on the days on which it holds."""
    desk = LineTerms(article="desk", price=D(10))
    contract = contract_of(
        desk, (date(2027, 6, 11), Conditions(minimum_quantity=D(8))), (date(2027, 6, 21), Conditions())
    )
    assert [(c.first.day, c.quantity, c.amount) for c in settle(contract, (), Scope(on=START))] == [
        (1, D(5), 1667), (11, D(8), 2666), (21, D(5), 1667)
    ]  # fmt: skip


def test_under_a_minimum_another_quantity_changes_nothing() -> None:
    """R5.1: eight are billed, whether five of them are booked or six: no credit note, no invoice, one line."""
    contract = contract_of(LineTerms(article="desk", price=D(10)), (START, Conditions(minimum_quantity=D(8))))
    middle, billed = date(2027, 6, 16), bill(contract, START)
    for quantity, expected in ((6, []), (0, []), (8, []), (9, [-4000, 4500])):
        line = replace(contract.lines[0], quantities=((START, D(5)), (middle, D(quantity))))
        changed = replace(contract, lines=(line,))
        due = settle(changed, billed, Scope(on=middle, lines=ONE))
        assert [c.amount for c in due] == expected
        assert [(c.quantity, c.amount) for c in settle(changed, (), Scope(on=START))] == (
            [(D(8), 4000), (D(9), 4500)] if expected else [(D(8), 8000)]
        )


def test_a_coupon_of_an_amount_finds_a_line_that_is_free_at_first() -> None:
    """R10.2: 50.00 from 11 June less 5.00 a month: 20 of 30 days of 45.00, though the month begins for free."""
    desk = LineTerms(article="desk", price=D(10))
    five = Coupon(id=1, given=START, first=START, amount=D(5))
    free, usual = Conditions(discount=D(100)), Conditions()
    for agreed, expected in (
        (((START, free), (date(2027, 6, 11), usual)), [0, 3000]),
        (((START, usual), (date(2027, 6, 11), free)), [1500, 0]),
    ):
        contract = replace(contract_of(desk, *agreed), coupons=(five,))
        assert [c.amount for c in settle(contract, (), Scope(on=START))] == expected


@pytest.mark.parametrize("proration", ["daily", "none"])
def test_a_minimum_is_billed_of_none_too_but_not_of_what_is_off(proration: str) -> None:
    """R7.5: the larger of actual and minimum, whatever is actual; what is switched off is not booked."""
    for booking, expected in (("add_on", [3000]), ("on_off", [])):
        desk = LineTerms(article="desk", price=D(10), booking=booking, proration=proration)
        contract = contract_of(desk, (START, Conditions(minimum_quantity=D(3))))
        none = replace(contract.lines[0], quantities=((START, D(0)),))
        assert [c.amount for c in settle(replace(contract, lines=(none,)), (), Scope(on=START))] == expected


@pytest.mark.parametrize(
    "terms",
    [
        LineTerms(article="call", charge="usage", price=D(10)),
        LineTerms(article="call", when="arrears", proration="none", price=D(10)),
    ],
)
def test_usage_and_what_is_charged_whole_change_with_their_period(terms: LineTerms) -> None:
    used = {(1, date(2027, m, 1)): Usage(parts=((1, D(5), D(0), D(0)),), count=1) for m in (6, 7)}
    for day, expected in ((1, [4500, 4500]), (2, [5000, 4500]), (30, [5000, 4500])):
        contract = replace(contract_of(terms, (date(2027, 6, day), Conditions(discount=D(10)))), usage=used)
        assert [c.amount for c in settle(contract, (), Scope(on=date(2027, 8, 1)))] == expected
        holds = conditions_hold_from(contract, contract.lines[0], date(2027, 6, day))
        assert holds == (START if day == 1 else date(2027, 7, 1))
        told = [as_billed(contract, contract.lines[0], date(2027, m, 29)).discount for m in (6, 7)]
        assert told == [(5000 - amount) / D(50) for amount in expected], "what is told of a day is what it is billed at"


def test_what_never_comes_to_hold_is_not_told() -> None:
    """Of several changes within a period of usage the last one holds from the next on; each has its day by days."""
    agreed = ((date(2027, 6, 10), Conditions(price=D(8))), (date(2027, 6, 20), Conditions(price=D(7))))
    for terms, days in (
        (LineTerms(article="call", charge="usage", price=D(10)), [(START, None), (date(2027, 7, 1), D(7))]),
        (LineTerms(article="desk", price=D(10)), [(START, None), (agreed[0][0], D(8)), (agreed[1][0], D(7))]),
    ):
        contract = contract_of(terms, *agreed)
        assert [(day, own.price) for day, own in own_over_time(contract, contract.lines[0])] == days
    ended = replace(contract_of(LineTerms(article="call", charge="usage"), *agreed), end=date(2027, 7, 1))
    assert [day for day, _own in own_over_time(ended, ended.lines[0])] == [START]


@given(days=st.lists(st.integers(-3, 40), max_size=4, unique=True), on=st.integers(0, 45))
def test_the_conditions_of_a_day(days: list[int], on: int) -> None:
    """`Line.on`: the last that were agreed for a day up to it; from then on the line has no others."""
    line = replace(
        contract_of(LineTerms(article="desk")).lines[0],
        price=D(99),
        conditions=tuple((START + timedelta(days=d), Conditions(price=D(d + 3))) for d in sorted(days)),
    )
    found = line.on(START + timedelta(days=on))
    before = [d for d in days if d <= on]
    assert found.price == (D(max(before) + 3) if before else D(99))
    assert not found.conditions, "what comes later is no matter of the day's"
    assert found.on(START + timedelta(days=99)) is found


@pytest.mark.parametrize(("day", "amount"), [(date(2027, 6, 16), -500), (date(2027, 7, 16), -516)])
def test_a_discount_within_a_period_is_why_the_next_bill_differs(day: date, amount: int) -> None:
    """Whether the older bill or the newer has the day, it is the discount, and no new version of the tariff."""
    contract = contract_of(LineTerms(article="desk", price=D(10)), (day, Conditions(discount=D(20))))
    june = bill(contract, START)
    july = settle(contract, june, Scope(on=date(2027, 7, 1)))
    nets = [sum(c.amount for c in charges) for charges in (june, july)]
    (why,) = reasons(contract, contract.lines[0], june, july, *nets, START)
    assert (why.cause, why.amount, why.values) == ("discount", amount, {"old": "0", "new": "20"})


def test_a_whole_month_looks_ahead_by_the_conditions_of_its_day() -> None:
    """What is agreed for later in the month cuts no quantity or price of it, whatever the kind of its price."""
    seats = LineTerms(article="seat", charge="usage", price=D(10), usage_pricing="fixed_quantity")
    flat = LineTerms(article="flat", charge="usage", price=D(50), flat_price=True)
    for terms, whole in ((seats, 5000), (flat, 25000)):
        contract = contract_of(terms, (date(2027, 6, 16), Conditions(discount=D(100))))
        assert [
            whole_month(contract, contract.lines[0], None, D(5), date(2027, 6, day)) for day in (1, 15, 16)
        ] == [whole, whole, 0]  # fmt: skip


@some(0.2)
@given(offer=offers(), taken=steps(["use", "use", "quantity", "book", "tariff", "pause"], 1, 8), data=st.data())
def test_conditions_bear_on_just_the_days_from_which_they_hold(
    offer: dict[str, Any], taken: list[tuple[str, int, int]], data: Any, world_of: Any, offer_of: Any, record_of: Any
) -> None:
    """Whatever was agreed: a line that is free from a day on costs nothing from the day on that is told, and as much as
    ever before it."""
    world = world_of(offer_of(**offer))
    for step in taken:
        act(world, record_of, *step)
    lines = [x for x in world.contract.lines if x.terms[0][1].charge != "once" and x.start < x.end]
    line = data.draw(st.sampled_from(lines)) if lines else None
    if line is None:
        return
    day = line.start + timedelta(days=data.draw(st.integers(0, min(200, (line.end - line.start).days - 1))))
    on = world.today + timedelta(days=300)
    usual, phases = settle(world.facts(on), [], Scope(on=on)), len(world.contract.phases)
    world.change_conditions(line.id, day, Conditions(discount=D(100)))
    free = settle(world.facts(on), [], Scope(on=on))
    if phases > 1:
        return  # what is charged whole goes on with its period's conditions, whatever comes within it
    holds = conditions_hold_from(world.contract, world.line(line.id), day)
    for charge in (c for c in free if c.key.line == line.id):
        assert charge.first < holds or not charge.amount, (charge.first, holds)
    before, after = (
        {(c.key, c.first): c.amount for c in found if c.key.line == line.id and c.end <= holds}
        for found in (usual, free)
    )
    assert {k: v for k, v in after.items() if k in before} == before


@pytest.mark.parametrize("proration", ["daily", "none"])
@pytest.mark.parametrize(
    ("then", "quantity", "amount", "price", "instead"),
    [
        (Conditions(price=D(12)), D(1), 1000, None, ["60.00", "50.00"]),  # no “0 × 12.00”
        (Conditions(price=D(12), minimum_quantity=D(7)), D(1), 3400, None, ["84.00", "50.00"]),  # no “2 × 12.00”
        (Conditions(minimum_quantity=D(7)), D(2), 2000, D(10), None),
    ],
)
def test_another_price_of_a_period_that_is_billed_is_a_difference(
    proration: str, then: Conditions, quantity: Decimal, amount: int, price: Decimal | None, instead: list[str] | None
) -> None:
    """R12.1: what is billed by amount is corrected by its difference; the line does not say a quantity at a price that
    it does not come from, but which sum stands in place of which."""
    kind = {"charge": "usage"} if proration == "daily" else {"proration": "none"}
    terms = LineTerms(article="a", price=D(10), **kind)
    used = {(1, START): Usage(parts=((1, D(5), D(0), D(0)),), count=1)}
    contract = replace(contract_of(terms), usage=used, end=date(2027, 7, 1))
    billed = bill(contract, date(2027, 7, 1))
    changed = replace(contract_of(terms, (START, then)), usage=used, end=contract.end)
    due = settle(changed, billed, Scope(on=date(2027, 7, 2), lines=ONE))
    entries = [Entry(contract=1, kind=c.key.kind, order=(0, 0, 0), charge=c) for c in due]
    ((line,),) = [d.lines for d in compose(entries, {c.id: c.document for c in billed}, {})]
    assert (line.quantity, line.amount, line.entry.price) == (quantity, amount, price)
    assert line.entry.charge is not None and line.entry.charge.proof.get("instead") == instead
    billed += tuple(replace(c, id=10 + i, document=2) for i, c in enumerate(due))
    assert not settle(changed, billed, Scope(on=date(2027, 7, 3)))
