"""Discounts in suppliers' rows: off once, where an amount is worked out; never off an amount that the file gives."""

from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.errors import Refused
from taktura.usage import services as usage
from taktura.usage.models import Supplier, UsageHistory, UsageRecord
from taktura.usage.reader import Mapping, Problem, Row, read_rows
from tests.rooms.test_imports import supplier  # noqa: F401

BERLIN = ZoneInfo("Europe/Berlin")
number = st.decimals(-(10**6), 10**6, places=6, allow_nan=False, allow_infinity=False)
percents = st.decimals(0, 100, places=4, allow_nan=False, allow_infinity=False)


def one(mapping: dict[str, Any] | None = None, **cells: Any) -> Row | Problem:
    row = {"subscription_id": "S-1", "period_start": "2026-06-01"} | {k: str(v) for k, v in cells.items()}
    (found,) = read_rows([row], Mapping.from_dict(mapping or {}), BERLIN)
    return found


def amounts(mapping: dict[str, Any] | None = None, **cells: Any) -> tuple[Decimal | None, Decimal | None, str]:
    row = one(mapping, **cells)
    assert isinstance(row, Row), row
    return row.cost_amount, row.amount, row.discount


@given(number, number, percents)
def test_a_percentage_is_off_once_and_exactly(quantity: Decimal, price: Decimal, percent: Decimal) -> None:
    _, amount, told = amounts(quantity=f"{quantity:f}", price=f"{price:f}", discount=f"{percent:f}")
    assert Fraction(amount or 0) == Fraction(quantity) * Fraction(price) * (100 - Fraction(percent)) / 100
    assert told == (f"{percent:f}%" if percent else "")


@given(number, number, number)
def test_money_goes_towards_zero_and_never_past_it(quantity: Decimal, price: Decimal, off: Decimal) -> None:
    row = one({"discount_is": "amount"}, quantity=f"{quantity:f}", price=f"{price:f}", discount=f"{off:f}")
    full = Fraction(quantity) * Fraction(price)
    if abs(off) > abs(full):
        assert isinstance(row, Problem)
        assert row.code == "bad_discount"
        return
    assert isinstance(row, Row)
    assert row.amount is not None
    assert abs(Fraction(row.amount)) == abs(full) - abs(Fraction(off))
    assert Fraction(row.amount) * full >= 0


@given(number, number, percents, st.sampled_from(["", "price", "cost", "both"]))
def test_what_the_file_gives_in_all_is_left_alone(cost: Decimal, amount: Decimal, percent: Decimal, of: str) -> None:
    found = amounts({"discount_of": of} if of else {}, quantity=3, cost=9, cost_amount=f"{cost:f}", price=7,
                    amount=f"{amount:f}", discount=f"{percent:f}")  # fmt: skip
    assert found == (cost, amount, "")


@pytest.mark.parametrize(
    ("of", "expected"), [("", (20, 27)), ("price", (20, 27)), ("cost", (18, 30)), ("both", (18, 27))]
)
def test_what_it_is_off_is_the_mappings(of: str, expected: tuple[int, int]) -> None:
    found = amounts({"discount_of": of} if of else {}, quantity=10, cost=2, price=3, discount="10 %")
    assert found[:2] == expected
    assert found[2] == "10%"


def test_without_a_price_it_is_off_the_cost() -> None:
    assert amounts(quantity=10, cost=2, discount=10) == (18, None, "10%")
    assert amounts({"discount_of": "price"}, quantity=10, cost=2, discount=10) == (20, None, "")
    assert amounts(quantity=10, cost=2, amount=50, discount=10) == (18, 50, "10%")


def test_an_empty_discount_and_one_of_zero_are_none() -> None:
    assert amounts(quantity=10, price=2, discount=" ") == (None, 20, "")
    assert amounts(quantity=10, price=2, discount="NULL") == (None, 20, "")
    assert amounts(quantity=10, price=2, discount="0 %") == (None, 20, "")


@pytest.mark.parametrize("bad", ["-1", "100.01", "101%", "ten"])
def test_what_is_no_percentage_is_a_problem(bad: str) -> None:
    row = one(quantity=10, price=2, discount=bad)
    assert isinstance(row, Problem)
    assert row.code in ("bad_discount", "bad_number")


@pytest.mark.parametrize("settings", [{"discount_is": "share"}, {"discount_of": "quantity"}, {"discount_is": 1}])
def test_settings_that_nobody_knows_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="of a mapping is one of"):
        Mapping.from_dict(settings)


def test_a_record_keeps_what_was_taken_off(supplier: Supplier, actor: Any) -> None:  # noqa: F811
    rows = [{"id": "1", "subscription_id": "S-1", "quantity": "4", "price": "10.50", "discount": "15",
             "period_start": "2026-06-01"}]  # fmt: skip
    usage.import_rows(actor, supplier=supplier, rows=rows)
    record = UsageRecord.objects.get()
    assert (record.amount, record.discount) == (Decimal("35.7"), "15%")
    assert usage.import_rows(actor, supplier=supplier, rows=rows).outcome.duplicates == 1
    other = [rows[0] | {"discount": "16"}]
    assert usage.import_rows(actor, supplier=supplier, rows=other).outcome.conflicts == 1
    # By hand: another quantity leaves the amounts and what was taken off; another amount is after it.
    usage.correct_usage(actor, seller=supplier.seller, record=record, changes={"quantity": Decimal(5)})
    record.refresh_from_db()
    assert record.discount == "15%"
    usage.correct_usage(actor, seller=supplier.seller, record=record, changes={"amount": Decimal(30)})
    record.refresh_from_db()
    assert (record.amount, record.discount) == (30, "")
    assert [old.record["discount"] for old in UsageHistory.objects.order_by("pk")] == ["15%", "15%"]
