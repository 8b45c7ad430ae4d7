"""Time (R18) and deferral (R20)."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.deferral import by_month
from taktura.core.desk import billable_minutes, time_amount

D = Decimal


@pytest.mark.parametrize(
    ("minutes", "rounded"), [([7], 15), ([21], 30), ([36], 45), ([7, 21, 36], 75), ([], 0), ([15], 15)]
)
def test_minutes_are_summed_and_then_rounded_up(minutes: list[int], rounded: int) -> None:
    """R18: step 15: 7 → 15, 21 → 30, 36 → 45; 7 + 21 + 36 = 64 → 75."""
    assert billable_minutes(minutes, 15) == rounded


@given(st.lists(st.integers(0, 1000), max_size=8), st.integers(1, 60))
def test_a_tickets_minutes(minutes: list[int], step: int) -> None:
    found = billable_minutes(minutes, step)
    assert found % step == 0
    assert found - step < sum(minutes) <= found


def test_time_costs_the_hourly_rate() -> None:
    """R18: minutes / 60 × the rate, rounded once."""
    assert str(time_amount(75, D("90"))) == "112.50"
    assert str(time_amount(10, D("100"))) == "16.67"


@given(st.integers(-(10**7), 10**7), st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 1200))
def test_deferral_adds_up(amount: int, first: date, length: int) -> None:
    """R20: month by month by days; the parts add up, and a credit mirrors what it credits."""
    end = first + timedelta(days=length)
    parts = by_month(amount, first, end)
    assert sum(part for _, part in parts) == amount
    assert [(m, -p) for m, p in parts] == by_month(-amount, first, end)
    months = [m for m, _ in parts]
    assert months == sorted(set(months))
    assert months[0] == first.replace(day=1)
    assert months[-1] == (end - timedelta(days=1)).replace(day=1)
    for month, part in parts:
        here = sum(1 for n in range(length) if (first + timedelta(days=n)).replace(day=1) == month)
        assert abs(part - Fraction(amount * here, length)) <= 1


def test_a_year_over_its_months() -> None:
    """R20."""
    parts = by_month(36500, date(2027, 1, 1), date(2028, 1, 1))
    assert [p for _, p in parts][:3] == [3100, 2800, 3100]
