"""Rates: the latest that is not too old, as it stands, the other way round, or over a third currency. Exact."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.exchange import Rate, conversion, converted, wanted_day
from taktura.core.facts import Conversion, Foreign, Usage
from taktura.core.metering import added, sum_imported

DAY = date(2026, 6, 15)
ECB = [Rate("EUR", "USD", DAY, Decimal("1.0823")), Rate("EUR", "SEK", DAY, Decimal("11.2345"))]

days = st.dates(DAY - timedelta(days=12), DAY + timedelta(days=3))
numbers = st.decimals(Decimal("0.000001"), 10**6, places=6, allow_nan=False, allow_infinity=False)
money = st.decimals(-(10**6), 10**6, places=6, allow_nan=False, allow_infinity=False)
codes = st.sampled_from(["EUR", "USD", "SEK", "CHF"])
rates = st.lists(
    st.builds(Rate, codes, codes, days, numbers).filter(lambda r: r.base != r.quote),
    max_size=15, unique_by=lambda r: r[:3],
)  # fmt: skip
pairs = st.tuples(codes, codes).filter(lambda p: p[0] != p[1])


def test_as_it_stands_the_other_way_round_and_over_a_third() -> None:
    assert conversion(ECB, "EUR", "USD", DAY) == (DAY, Decimal("1.0823"), 1)
    assert conversion(ECB, "USD", "EUR", DAY) == (DAY, 1, Decimal("1.0823"))
    across = conversion(ECB, "USD", "SEK", DAY)
    assert across == (DAY, Decimal("11.2345"), Decimal("1.0823"))
    assert converted(Decimal(100), across) == Fraction(11234500, 10823)
    assert conversion(ECB, "USD", "CHF", DAY) is None


@pytest.mark.parametrize(("later", "found"), [(0, True), (7, True), (8, False), (-1, False)])
def test_the_last_before_it_but_not_too_old(later: int, found: bool) -> None:
    assert (conversion(ECB, "USD", "EUR", DAY + timedelta(days=later)) is not None) is found
    assert conversion(ECB, "USD", "EUR", DAY + timedelta(days=8), most_days=8) is not None


def test_a_rule_names_the_day() -> None:
    assert wanted_day("day", DAY) == DAY
    assert wanted_day("month", DAY) == date(2026, 6, 1)


@given(rates, pairs, days, st.integers(0, 10))
def test_the_latest_day_with_a_way_is_taken(found: list[Rate], pair: tuple[str, str], day: date, most: int) -> None:
    by = conversion(found, *pair, day, most)
    within = [r for r in found if timedelta(0) <= day - r.day <= timedelta(days=most)]
    ways = {d: conversion([r for r in within if r.day == d], *pair, d, 0) for d in {r.day for r in within}}
    possible = [d for d, way in ways.items() if way is not None]
    assert by == (ways[max(possible)] if possible else None)


@given(rates, pairs, days, money)
def test_there_and_back_is_what_it_was(found: list[Rate], pair: tuple[str, str], day: date, amount: Decimal) -> None:
    one_way = [r for r in found if (r.quote, r.base, r.day) not in {s[:3] for s in found}]
    there, back = conversion(one_way, *pair, day), conversion(one_way, *reversed(pair), day)
    assert (there is None) == (back is None)
    if there is not None and back is not None and there.day == back.day:
        assert converted(converted(amount, there), back) == amount


@given(st.lists(st.tuples(codes, st.builds(Conversion, days, numbers, numbers), st.integers(1, 31), money), max_size=8))
def test_however_usage_is_cut_it_comes_to_the_same(rows: list[tuple[str, Conversion, int, Decimal]]) -> None:
    zero = Decimal(0)
    parts = [Usage(foreign=(Foreign(currency, by, n, cost, zero, zero),)) for currency, by, n, cost in rows]
    whole = Usage()
    for part in parts:
        whole = added(whole, part)
    total, proof = sum_imported(whole, "cost")
    assert total == sum((Fraction(cost) / n * Fraction(by.over) / Fraction(by.under) for _, by, n, cost in rows), 0)
    assert sum((Fraction(p["is"]) for p in proof), Fraction(0)) == total
    for one in proof:
        assert Fraction(one["amount"]) * Fraction(one["over"]) / Fraction(one["under"]) == Fraction(one["is"])
    assert sum_imported(whole, "amount") == (0, [])
