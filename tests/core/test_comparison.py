"""Two bills side by side: the causes of a line add up to it, the lines to the difference, and each cause is found."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from taktura.core.comparison import Bill, BillLine, Comparison, compare
from taktura.core.documents import Draft
from taktura.core.facts import Coupon, LineTerms, TariffTerms, Tax, Tier
from taktura.core.periods import Span
from taktura.core.reasons import CAUSES
from taktura.core.settle import Scope
from tests.core.test_histories import CHANGES, QUIET, act, offers, some, steps

START = date(2026, 1, 1)
FEE = LineTerms(article="base", price=Decimal(10))
CALLS = LineTerms(article="calls", charge="usage", price=Decimal("0.50"))


def bill_of(on: date, drafts: list[Draft]) -> Bill:
    """The bill that documents make."""
    lines = []
    for draft in drafts:
        sign = -1 if draft.kind == "credit_note" else 1
        for row in draft.lines:
            charge = row.entry.charge
            assert charge is not None
            lines.append(
                BillLine(
                    line=charge.key.line, kind=charge.key.kind, net=sign * row.net, vat=charge.vat, charge=charge
                )
            )  # fmt: skip
    tax = sum((-1 if d.kind == "credit_note" else 1) * d.tax for d in drafts)
    return Bill(on=on, lines=tuple(lines), tax=tax)


def check(found: Comparison) -> None:
    """What holds for any two bills."""
    for row in found.rows:
        assert sum(r.amount for r in row.reasons) == row.amount
        assert all(r.amount and r.cause in CAUSES for r in row.reasons)
        assert len({r.cause for r in row.reasons}) == len(row.reasons)
        for reason in row.reasons:  # what was and is can be read as a number
            for side in ("old", "new"):
                assert Decimal(reason.values.get(side, "0")).is_finite()
    assert sum(row.amount for row in found.rows) == found.new.net - found.old.net == found.difference
    assert sum(found.by_cause.values()) == found.difference
    assert found.vat_follows + found.vat_rate == found.new.tax - found.old.tax


@some(0.2)
@given(offer=offers(), taken=steps(QUIET + CHANGES))
def test_the_causes_add_up_whatever_happened(
    offer: dict[str, Any], taken: list[tuple[str, int, int]], world_of: Any, offer_of: Any, record_of: Any
) -> None:
    """Each bill of a history beside the one before it, and beside itself."""
    world = world_of(offer_of(**offer))
    if len(taken) % 2:
        world.give(Coupon(id=1, given=world.offer.start, first=world.offer.start, amount=Decimal("3.33")))
    last: Bill | None = None
    run = world.run

    def billed(day: date) -> list[Draft]:
        nonlocal last
        drafts: list[Draft] = run(day)
        bill = bill_of(day, drafts)
        if last is not None:
            check(compare(world.contract, last, bill))
            check(compare(world.contract, bill, last))
        same = compare(world.contract, bill, bill)
        check(same)
        assert not same.by_cause and not same.vat_rate
        last = bill
        return drafts

    world.run = billed
    for step in taken:
        act(world, record_of, *step)
    world.run(date(2031, 1, 1))


class Life:
    """A contract by the month, and its bills."""

    def __init__(self, world_of: Any, offer_of: Any, *lines: LineTerms, start: date = START, **offer: Any) -> None:
        terms = offer.pop("terms", TariffTerms())
        tariff = (terms, {line.article: line for line in lines})
        self.world = world_of(offer_of(start=start, anchor="calendar", tariffs=(tariff, tariff), **offer))

    def bill(self, *day: int) -> Bill:
        """What a run on a day bills."""
        on = date(*day)
        return bill_of(on, self.world.run(on))

    def causes(self, old: Bill, new: Bill) -> dict[str, int]:
        """What each cause comes to."""
        found = compare(self.world.contract, old, new)
        check(found)
        return found.by_cause


LifeOf = Callable[..., Life]


@pytest.fixture
def life(world_of: Any, offer_of: Any) -> LifeOf:
    """Begins a contract of some lines."""
    return lambda *lines, **offer: Life(world_of, offer_of, *lines, **offer)


def change(world: Any, number: int, **fields: Any) -> None:
    """Another term of a line."""
    world.put(replace(world.line(number), **fields))


def test_nothing_differs(life: LifeOf) -> None:
    of = life(FEE)
    assert of.causes(of.bill(2026, 1, 1), of.bill(2026, 2, 1)) == {}


def test_a_quantity_from_the_next_period_on(life: LifeOf) -> None:
    of = life(FEE)
    old = of.bill(2026, 1, 1)
    of.world.change_quantity(1, date(2026, 2, 1), Decimal(3))
    new = of.bill(2026, 2, 1)
    (row,) = compare(of.world.contract, old, new).rows
    assert [(r.cause, r.amount, dict(r.values)) for r in row.reasons] == [("quantity", 2000, {"old": "1", "new": "3"})]


def test_a_quantity_within_a_period_that_is_billed_in_arrears(life: LifeOf) -> None:
    """February has 28 days: 14 at 1, 14 at 3, so 20.00; whole at 3 it would be 30.00."""
    of = life(replace(FEE, when="arrears"))
    old = of.bill(2026, 2, 1)
    of.world.change_quantity(1, date(2026, 2, 15), Decimal(3))
    assert of.causes(old, of.bill(2026, 3, 1)) == {"quantity": 1000}


def test_a_price_of_a_new_version_and_of_the_contracts_own(life: LifeOf) -> None:
    of = life(FEE)
    old = of.bill(2026, 1, 1)
    change(of.world, 1, terms=((START, FEE), (date(2026, 2, 1), replace(FEE, price=Decimal("12.50")))))
    new = of.bill(2026, 2, 1)
    (row,) = compare(of.world.contract, old, new).rows
    (reason,) = row.reasons
    assert (reason.cause, reason.amount) == ("price", 250)
    assert reason.values == {"old": "10", "new": "12.50", "why": "version"}
    agreed = life(FEE)
    change(agreed.world, 1, price=Decimal(8))
    (row,) = compare(agreed.world.contract, new, agreed.bill(2026, 1, 1)).rows
    assert (row.reasons[0].amount, row.reasons[0].values["why"]) == (-450, "own")


def test_quantity_and_price_and_discount_at_once(life: LifeOf) -> None:
    """10 × 1; then 2 more at the old price: +20.00; at 12.00 instead: +6.00; less 50 %: −18.00."""
    old = life(FEE).bill(2026, 1, 1)
    of = life(FEE)
    change(of.world, 1, price=Decimal(12), discount=Decimal(50), reason="loyal", quantities=((START, Decimal(3)),))
    assert of.causes(old, of.bill(2026, 1, 1)) == {"quantity": 2000, "price": 600, "discount": -1800}


def test_used_more_and_less_within_tiers(life: LifeOf, record_of: Any) -> None:
    """10 at 0.50, beyond at 0.20: 8 cost 4.00, 30 cost 9.00, none costs nothing."""
    tiers = (Tier(up_to=Decimal(10), price=Decimal("0.5")), Tier(price=Decimal("0.2")))
    of = life(FEE, replace(CALLS, tiers=tiers))
    for day, quantity in ((date(2026, 1, 5), 8), (date(2026, 2, 5), 30)):
        of.world.use(record_of(2, day, None), Decimal(quantity))
    first, old, new, none = (of.bill(2026, month, 1) for month in (1, 2, 3, 4))
    assert of.causes(first, old) == {"new": 400}
    assert of.causes(old, new) == {"usage": 500}
    assert of.causes(new, none) == {"usage": -900}


def test_times_are_told_in_plain_minutes_and_leave_no_cent_over(life: LifeOf, record_of: Any) -> None:
    """100 seconds at 0.70 a minute are 1.17 (1 2/3 minutes), 50 are 0.58; the rest of a cent is no other price."""
    spoken = replace(CALLS, unit="minute", price=Decimal("0.7"), tick=(1, 1))
    of = life(FEE, spoken)
    for day, seconds in ((date(2026, 1, 5), 100), (date(2026, 2, 5), 50)):
        of.world.use(replace(record_of(2, day, None), seconds=seconds), Decimal(0))
    of.bill(2026, 1, 1)
    old, new = of.bill(2026, 2, 1), of.bill(2026, 3, 1)
    assert of.causes(old, new) == {"usage": -59}
    (row,) = (r for r in compare(of.world.contract, old, new).rows if r.reasons)
    assert row.reasons[0].values["new"] == "0.833333333333"


def test_a_line_begins_and_ends(life: LifeOf) -> None:
    of = life(FEE)
    old = of.bill(2026, 1, 1)
    line = of.world.book(replace(FEE, article="seat"), date(2026, 2, 1), Decimal(2))
    new = of.bill(2026, 2, 1)
    assert of.causes(old, new) == {"new": 2000}
    of.world.end_line(line.id, date(2026, 3, 1))
    assert of.causes(new, of.bill(2026, 3, 1)) == {"ended": -2000}


def test_what_falls_due_by_the_year(life: LifeOf) -> None:
    yearly = LineTerms(article="domain", price=Decimal(120), interval=Span(1, "year"), price_per=Span(1, "year"))
    of = life(FEE, yearly)
    first, second = of.bill(2026, 1, 1), of.bill(2026, 2, 1)
    assert of.causes(first, second) == {"not_due": -12000}
    for month in range(3, 13):
        last = of.bill(2026, month, 1)
    assert of.causes(last, of.bill(2027, 1, 1)) == {"due": 12000}


def test_parts_of_periods(life: LifeOf) -> None:
    """From 16 January: 16 of 31 days. Ended after 14 of February's 28 days. A pause of the first 15 of March's 31."""
    of = life(FEE, start=date(2026, 1, 16))
    old, new = of.bill(2026, 1, 16), of.bill(2026, 2, 1)
    (row,) = compare(of.world.contract, old, new).rows
    (reason,) = row.reasons
    assert (reason.cause, reason.amount) == ("part_period", 1000 - 516)
    assert reason.values == {"old": "16", "old_of": "31", "old_why": "begins"}
    of.world.pause(date(2026, 3, 1), date(2026, 3, 16))
    paused = of.bill(2026, 3, 16)
    (row,) = compare(of.world.contract, new, paused).rows
    assert (row.reasons[0].cause, row.reasons[0].values["new_why"]) == ("part_period", "pause")
    of.world.end_contract(date(2026, 4, 16))
    (row,) = compare(of.world.contract, new, of.bill(2026, 4, 1)).rows
    assert row.reasons[0].values == {"new": "15", "new_of": "30", "new_why": "ends"}


def test_a_coupon_begins_and_ends(life: LifeOf) -> None:
    of = life(FEE)
    old = of.bill(2026, 1, 1)
    month = date(2026, 2, 1)
    of.world.contract = replace(
        of.world.contract, coupons=(Coupon(id=1, given=month, first=month, end=date(2026, 3, 1), percent=Decimal(20)),)
    )
    less = of.bill(2026, 2, 1)
    assert of.causes(old, less) == {"coupon": -200}
    assert of.causes(less, of.bill(2026, 3, 1)) == {"coupon": 200}


def test_minimum_and_cap(life: LifeOf, record_of: Any) -> None:
    terms = TariffTerms(minimum=Decimal(20), cap=Decimal(30))
    of = life(replace(CALLS, in_minimum=True, in_cap=True), terms=terms)
    for day, quantity in ((date(2026, 1, 5), 10), (date(2026, 2, 5), 100)):
        of.world.use(record_of(1, day, None), Decimal(quantity))
    old, new = of.bill(2026, 2, 1), of.bill(2026, 3, 1)
    assert of.causes(old, new) == {"usage": 4500, "minimum": -1500, "cap": -2000}


def test_charged_once_and_taken_back_and_late(life: LifeOf, record_of: Any) -> None:
    once = LineTerms(article="setup", charge="once", price=Decimal(99))
    of = life(FEE, CALLS, once)
    first = of.bill(2026, 1, 1)
    of.world.use(record_of(2, date(2026, 1, 5), None), Decimal(10))
    second = of.bill(2026, 2, 1)
    assert of.causes(first, second) == {"once": -9900, "new": 500}
    of.world.use(record_of(2, date(2026, 1, 6), None), Decimal(4))
    of.world.use(record_of(2, date(2026, 2, 6), None), Decimal(10))
    of.world.change_quantity(1, date(2026, 2, 15), Decimal(0))
    third = of.bill(2026, 3, 1)
    assert of.causes(second, third) == {"quantity": -1000, "correction": -500, "other_periods": 200}


def test_an_interim_bill_had_billed_a_part(life: LifeOf, record_of: Any) -> None:
    of = life(FEE, CALLS)
    of.world.use(record_of(2, date(2026, 1, 5), None), Decimal(10))
    of.bill(2026, 1, 1)
    old = of.bill(2026, 2, 1)
    of.world.use(record_of(2, date(2026, 2, 5), None), Decimal(6))
    of.world.today = date(2026, 2, 10)
    assert of.world.settle_now(Scope(on=date(2026, 2, 10), interim=True))
    of.world.use(record_of(2, date(2026, 2, 15), None), Decimal(4))
    assert of.causes(old, of.bill(2026, 3, 1)) == {"interim": -300}


def test_an_interim_bill_over_a_change_of_vat(life: LifeOf, record_of: Any) -> None:
    """Its usage is billed by days at both rates, up to the end of the quarter; that makes no more lines share the
    coupon, and the bill beside itself has no causes. January's fee of 10.00 is due first and takes 10.00 of it."""
    fee = replace(FEE, when="arrears", interval=Span(1, "month"), price_per=Span(1, "month"))
    rates = ((date.min, Decimal(19)), (date(2026, 3, 1), Decimal(16)))
    quarterly = {"terms": TariffTerms(interval=Span(3, "month")), "tax": Tax(seller_rates=rates, split=True)}
    of = life(fee, CALLS, **quarterly)
    of.world.give(Coupon(id=1, given=START, first=START, amount=Decimal(12)))
    of.bill(2026, 1, 1)
    of.world.use(record_of(2, date(2026, 1, 5), None), Decimal(10))
    of.world.today = date(2026, 1, 10)
    first = bill_of(of.world.today, of.world.settle_now(Scope(on=of.world.today, interim=True)))
    assert [line.net for line in first.lines] == [197, 103]  # 5.00 less 2.00, 59 and 31 of 90 days
    of.world.use(record_of(2, date(2026, 1, 6), None), Decimal(10))
    again = bill_of(of.world.today, of.world.settle_now(Scope(on=of.world.today, interim=True)))
    assert again.net == 500
    assert of.causes(again, again) == {}


def test_another_rate_of_vat_changes_the_tax_alone(life: LifeOf) -> None:
    rates = ((date.min, Decimal(19)), (date(2026, 2, 1), Decimal(21)))
    of = life(FEE, tax=Tax(seller_rates=rates))
    old = of.bill(2026, 1, 1)
    of.world.change_quantity(1, date(2026, 2, 1), Decimal(2))
    found = compare(of.world.contract, old, of.bill(2026, 2, 1))
    check(found)
    assert (found.by_cause, found.vat_rate, found.vat_follows) == ({"quantity": 1000}, 40, 190)


def test_another_rate_of_vat_changes_the_net_of_gross_prices(life: LifeOf) -> None:
    """11.90 gross at 19 % is 10.00 net, at 40 % it is 8.50."""
    rates = ((date.min, Decimal(19)), (date(2026, 2, 1), Decimal(40)))
    of = life(replace(FEE, price=Decimal("11.90")), tax=Tax(seller_rates=rates, gross=True))
    old, new = of.bill(2026, 1, 1), of.bill(2026, 2, 1)
    assert of.causes(old, new) == {"vat_rate": -150}
