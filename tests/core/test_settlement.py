"""Settlement (R3 to R12): the examples of the rules, to the cent."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from taktura.core.facts import Charge, Contract, Coupon, Line, LineTerms, Phase, TariffTerms, Tier, Usage
from taktura.core.periods import Anchor, Span
from taktura.core.settle import Scope, settle

D = Decimal
JUNE = date(2027, 6, 1)
JULY = date(2027, 7, 1)
MONTH, YEAR = Span(1, "month"), Span(1, "year")


def line_of(number: int = 1, quantity: int = 1, start: date = JUNE, **terms: Any) -> Line:
    """A line; prices and the like as numbers or text."""
    decimals = ("price", "included", "price_quantity", "markup")
    values = {k: D(str(v)) if k in decimals else v for k, v in terms.items()}
    made = LineTerms(article=f"line {number}", **values)
    return Line(id=number, start=start, terms=((start, made),), quantities=((start, D(quantity)),))


def contract_of(*lines: Line, start: date = JUNE, usage: dict[int, str] | None = None, **tariff: Any) -> Contract:
    """A contract from 1 June under one tariff, with usage of its first period by line."""
    phase = Phase(
        start=start, anchor=Anchor("contract", start, start.day), versions=((date.min, TariffTerms(**tariff)),)
    )
    sums = {(number, start): used(quantity) for number, quantity in (usage or {}).items()}
    return Contract(id=1, start=start, phases=(phase,), lines=lines, usage=sums)


def used(quantity: str) -> Usage:
    """Usage of a quantity, without spans."""
    return Usage(parts=((1, D(quantity), D(0), D(0)),), count=1, raw_quantity=D(quantity))


def issued(billed: Sequence[Charge], due: Iterable[Charge]) -> list[Charge]:
    """What is billed once charges stand on one more document."""
    number = 1 + max((c.document for c in billed), default=0)
    return [*billed, *(replace(c, id=len(billed) + i, document=number) for i, c in enumerate(due, 1))]


def amounts(charges: Iterable[Charge]) -> list[int]:
    """The amounts, from the smallest."""
    return sorted(c.amount for c in charges)


def test_a_price_per_year_billed_every_month() -> None:
    """R2.5: 1,200 per 12 months billed every month is 100.00 each month."""
    contract = contract_of(line_of(price=1200, price_per=Span(12, "month")))
    assert amounts(settle(contract, [], Scope(on=date(2028, 5, 1)))) == [10000] * 12


def test_a_quantity_change_in_the_middle_of_june() -> None:
    """R5.3: 5 at 10.00 billed for June; 8 from 16 June: credit note 25.00, invoice 40.00; the reversal cancels."""
    contract = contract_of(line_of(quantity=5, price=10))
    billed = issued([], settle(contract, [], Scope(on=JUNE)))
    assert amounts(billed) == [5000]
    line = contract.lines[0]
    changed = replace(contract, lines=(replace(line, quantities=(*line.quantities, (date(2027, 6, 16), D(8)))),))
    scope = Scope(on=date(2027, 6, 16), lines=frozenset([1]))
    due = settle(changed, billed, scope)
    assert amounts(due) == [-2500, 4000]
    billed = issued(billed, due)
    assert settle(changed, billed, scope) == []
    back = settle(contract, billed, scope)
    assert amounts(back) == [-4000, 2500]
    assert sum(c.amount for c in issued(billed, back)) == 5000


def test_a_change_on_the_next_billing_date_credits_nothing() -> None:
    """R5.3: the next run bills the new quantity."""
    contract = contract_of(line_of(quantity=5, price=10))
    billed = issued([], settle(contract, [], Scope(on=JUNE)))
    line = contract.lines[0]
    changed = replace(contract, lines=(replace(line, quantities=(*line.quantities, (JULY, D(8)))),))
    assert settle(changed, billed, Scope(on=date(2027, 6, 20), lines=frozenset([1]))) == []
    assert amounts(settle(changed, billed, Scope(on=JULY))) == [8000]


def test_whole_months_of_a_year_count_whole() -> None:
    """R4.2: 100.00 a month billed for a year and ended after January is 100.00."""
    start = date(2027, 1, 1)
    contract = contract_of(line_of(start=start, price=100, interval=YEAR), start=start)
    billed = issued([], settle(contract, [], Scope(on=start)))
    assert amounts(billed) == [120000]
    ended = replace(contract, end=date(2027, 2, 1))
    billed = issued(billed, settle(ended, billed, Scope(on=start)))
    assert sum(c.amount for c in billed) == 10000


def test_what_is_left_of_a_line_bounds_its_credit() -> None:
    """R5.4: 249.95 less 10.00 by hand leaves at most 239.95."""
    contract = contract_of(line_of(price="249.95"))
    billed = issued([], settle(contract, [], Scope(on=JUNE)))
    by_hand = replace(billed[0], amount=-1000, credits=1, by_hand=True, id=2, document=2)
    ended = replace(contract, end=JUNE)
    due = settle(ended, [*billed, by_hand], Scope(on=JUNE))
    assert amounts(due) == [-23995]
    assert settle(contract, [*billed, by_hand], Scope(on=JUNE)) == []


def test_an_interim_bill_draws_the_included_quantity_once() -> None:
    """R8.3, R11.2: 0.05 each, 100 included: interim at 130 = 1.50; 70 more = 3.50."""
    line = line_of(charge="usage", price="0.05", included=100)
    first = settle(contract_of(line, usage={1: "130"}), [], Scope(on=date(2027, 6, 20), interim=True))
    assert amounts(first) == [150]
    rest = settle(contract_of(line, usage={1: "200"}), issued([], first), Scope(on=JULY))
    assert amounts(rest) == [350]
    assert rest[0].quantity == 70


def test_included_quantity_is_per_unit_booked() -> None:
    """R8.2: 3 booked, 10 included: 30."""
    line = line_of(charge="usage", price=1, included=10, quantity=3)
    assert amounts(settle(contract_of(line, usage={1: "31"}), [], Scope(on=JULY))) == [100]


def test_late_usage_that_a_top_up_had_covered_makes_nothing() -> None:
    """R12.1: late usage of 3.00 that a top-up had already covered."""
    line = line_of(charge="usage", price=1, in_minimum=True)
    before = contract_of(line, usage={1: "5"}, minimum=D(10))
    billed = issued([], settle(before, [], Scope(on=JULY)))
    assert amounts(billed) == [500, 500]
    late = contract_of(line, usage={1: "8"}, minimum=D(10))
    assert settle(late, billed, Scope(on=date(2027, 7, 20))) == []
    later = contract_of(line, usage={1: "12"}, minimum=D(10))
    assert sum(c.amount for c in settle(later, billed, Scope(on=date(2027, 7, 20)))) == 200


def test_the_minimum_waits_for_its_period_and_goes_by_days() -> None:
    """R9.2, R9.3: due without any usage once its period is over; 15 of 30 days are half of it."""
    line = line_of(charge="usage", price=1, in_minimum=True)
    contract = contract_of(line, minimum=D(10))
    assert settle(contract, [], Scope(on=date(2027, 6, 30), interim=True)) == []
    assert amounts(settle(contract, [], Scope(on=JULY))) == [1000]
    assert amounts(settle(replace(contract, end=date(2027, 6, 16)), [], Scope(on=JULY))) == [500]
    paused = replace(contract, pauses=((date(2027, 6, 11), JULY),))
    assert [c.amount for c in settle(paused, [], Scope(on=JULY)) if c.amount] == [333]


def test_top_up_and_relief_are_split_by_vat() -> None:
    """R9.5, R1.4: in proportion to the flagged amounts, a tie to the higher rate; relief is −1 × a positive price."""
    seven = ((date.min, D(7)),)
    flagged = {"charge": "usage", "in_minimum": True, "in_cap": True}
    lines = (line_of(1, price=1, **flagged), line_of(2, price=1, vat=seven, **flagged))
    low = settle(contract_of(*lines, usage={1: "1", 2: "1"}, minimum=D("2.01"), cap=D(9)), [], Scope(on=JULY))
    assert {c.vat[1]: c.amount for c in low if c.key.kind == "minimum_sales"} == {D(19): 1}
    high = settle(contract_of(*lines, usage={1: "10", 2: "5"}, minimum=D(2), cap=D(9)), [], Scope(on=JULY))
    relief = [c for c in high if c.key.kind == "cost_cap"]
    assert {c.vat[1]: c.amount for c in relief} == {D(19): -400, D(7): -200}
    assert all(c.quantity == -1 and c.unit_price is not None and c.unit_price > 0 for c in relief)


def test_a_started_period_without_proration() -> None:
    """R4.1: charged whole at its highest quantity, at the price at its start, and never credited."""
    contract = contract_of(line_of(quantity=2, price=10, proration="none"))
    line = contract.lines[0]
    up = replace(contract, lines=(replace(line, quantities=(*line.quantities, (date(2027, 6, 29), D(3)))),))
    billed = issued([], settle(contract, [], Scope(on=JUNE)))
    assert amounts(billed) == [2000]
    assert amounts(settle(up, billed, Scope(on=date(2027, 6, 29)))) == [1000]
    assert settle(replace(contract, end=date(2027, 6, 2)), billed, Scope(on=JULY)) == []


def test_missed_periods_are_caught_up_each_as_its_own_line() -> None:
    """R3.1, R3.2."""
    advance, arrears = contract_of(line_of(price=10)), contract_of(line_of(price=10, when="arrears"))
    assert amounts(settle(advance, [], Scope(on=date(2027, 8, 31)))) == [1000] * 3
    assert amounts(settle(arrears, [], Scope(on=date(2027, 8, 31)))) == [1000] * 2
    ended = replace(arrears, end=date(2027, 6, 16))
    assert amounts(settle(ended, [], Scope(on=date(2027, 6, 15)))) == []
    assert amounts(settle(ended, [], Scope(on=date(2027, 6, 16)))) == [500]


@pytest.mark.parametrize(("stacking", "wanted"), [("best", 8000), ("add", 7000), ("sequence", 7200)])
def test_percent_coupons_stack(stacking: str, wanted: int) -> None:
    """R10.2: 20 and 10 percent off 100.00."""
    coupons = tuple(Coupon(id=i, given=JUNE, first=JUNE, percent=D(p)) for i, p in ((1, 20), (2, 10)))
    contract = replace(contract_of(line_of(price=100)), coupons=coupons, stacking=stacking)
    assert amounts(settle(contract, [], Scope(on=JUNE))) == [wanted]


def test_an_amount_coupon_is_spread_over_its_lines() -> None:
    """R10.2, R10.4: by R1.4, once a period, and never below zero."""
    lines = (line_of(1, price=10), line_of(2, price=20))
    for off, wanted in (("10", [667, 1333]), ("100", [0, 0])):
        coupon = Coupon(id=1, given=JUNE, first=JUNE, end=JULY, amount=D(off))
        contract = replace(contract_of(*lines), coupons=(coupon,))
        assert amounts(settle(contract, [], Scope(on=JUNE))) == wanted
        assert amounts(c for c in settle(contract, [], Scope(on=JULY)) if c.key.start == JULY) == [1000, 2000]


def test_a_trial_costs_nothing() -> None:
    """R4.3: with the anchor of the contract periods are counted from its end; usage is not free in it."""
    contract = contract_of(line_of(1, price=10), line_of(2, charge="usage", price=1), usage={2: "4"})
    end = date(2027, 6, 15)
    phase = replace(contract.phases[0], anchor=Anchor("contract", end, 15))
    contract = replace(contract, trial_end=end, phases=(phase,))
    due = settle(contract, [], Scope(on=end))
    assert [(c.key.kind, c.first, c.amount) for c in due if c.amount] == [
        ("recurring", end, 1000),
        ("usage", JUNE, 400),
    ]


def test_imported_costs_with_a_markup() -> None:
    """R17.1 `cost_plus`: all rows of a line make one charge, rounded once."""
    line = line_of(charge="usage", usage_pricing="cost_plus", markup=15)
    usage = Usage(parts=((1, D(3), D("10.01"), D(0)), (30, D(60), D("30.30"), D(0))), count=2, raw_quantity=D(5))
    contract = replace(contract_of(line), usage={(1, JUNE): usage})
    assert amounts(settle(contract, [], Scope(on=JULY))) == [1267]  # (10.01 + 30.30 / 30) × 1.15 = 12.673


def test_tiers_run_over_the_whole_period() -> None:
    """R7.2: an interim bill has no tiers of its own."""
    steps = (Tier(up_to=D(10), price=D(1)), Tier(price=D("0.50")))
    line = line_of(charge="usage", tiers=steps)
    first = settle(contract_of(line, usage={1: "8"}), [], Scope(on=date(2027, 6, 9), interim=True))
    rest = settle(contract_of(line, usage={1: "20"}), issued([], first), Scope(on=JULY))
    assert (amounts(first), amounts(rest)) == ([800], [700])


def test_settlement_is_pure() -> None:
    """settlement.md 6: one value, the same twice; preview and bill are made from it."""
    contract = contract_of(line_of(1, price=10), line_of(2, charge="usage", price=1), usage={2: "4"})
    billed = issued([], settle(contract, [], Scope(on=JUNE)))
    before = list(billed)
    assert settle(contract, billed, Scope(on=JULY)) == settle(contract, billed, Scope(on=JULY))
    assert billed == before
