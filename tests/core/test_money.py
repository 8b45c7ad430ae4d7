"""Money (R1): exact numbers, one rounding, splits that add up."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.money import Money, ceiling, fraction_text, half_up, money, places, plain, split, total

numbers = st.one_of(
    st.integers(-(10**12), 10**12),
    st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False),
    st.fractions(-(10**9), 10**9),
)


def test_an_amount_is_rounded_once() -> None:
    """R1.2: 0.0750 × 1,234 = 92.55, never 98.72 (1,234 times the rounded price)."""
    assert str(money(Decimal("0.0750") * 1234)) == "92.55"
    assert str(total([money(Decimal("0.0750"))] * 1234)) == "98.72"


@pytest.mark.parametrize(
    ("exact", "rounded"), [("0.005", 1), ("-0.005", -1), ("0.00499999999999", 0), ("2.675", 268), ("-2.665", -267)]
)
def test_half_goes_away_from_zero(exact: str, rounded: int) -> None:
    assert money(Decimal(exact)) == Money(rounded)
    assert money(Fraction(exact)) == Money(rounded)


@given(numbers)
def test_rounding_is_the_nearest_and_symmetric(number: Decimal | Fraction | int) -> None:
    rounded = half_up(number)
    distance = abs(Fraction(rounded) - Fraction(number))
    assert distance <= Fraction(1, 2)
    if distance == Fraction(1, 2):
        assert abs(rounded) > abs(number)
    assert half_up(-number) == -rounded


@given(numbers)
def test_ceiling_is_the_smallest_whole_number_not_below(number: Decimal | Fraction | int) -> None:
    assert ceiling(number) - 1 < Fraction(number) <= ceiling(number)


@given(st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30), st.sampled_from([0, 2, 3]))
def test_money_adds_exactly(a: int, b: int, digits: int) -> None:
    one, other = Money(a, digits), Money(b, digits)
    assert (one + other) - other == one
    assert one + -one == Money(0, digits)
    assert bool(one) == (a != 0)
    assert (one < other) == (a < b)
    assert one.exact == Fraction(a, 10**digits)
    assert money(one.exact, digits) == one
    assert total([one, other, one], digits).minor == 2 * a + b


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="different currencies"):
        Money(1, 2) + Money(1, 0)
    with pytest.raises(ValueError, match="different currencies"):
        _ = Money(1, 2) < Money(1, 3)


def test_minor_units() -> None:
    assert [places(c) for c in ("EUR", "SEK", "JPY", "KWD")] == [2, 2, 0, 3]
    assert str(money(Decimal("12.5"), 0)) == "13"
    assert str(money(Decimal("12.3456"), 3)) == "12.346"


@given(st.integers(-(10**9), 10**9), st.lists(st.decimals(0, 10**6, places=4), min_size=1, max_size=8), st.data())
def test_a_split_adds_up_and_is_fair(whole: int, weights: list[Decimal], data: st.DataObject) -> None:
    """R1.4: the parts add up; each is within one minor unit of its exact share."""
    ranks = data.draw(st.none() | st.lists(st.integers(0, 25), min_size=len(weights), max_size=len(weights)))
    parts = split(whole, weights, ranks)
    assert sum(parts) == whole
    base = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        share = Fraction(whole) * (Fraction(weight) / Fraction(base) if base else Fraction(1, len(weights)))
        assert abs(part - share) < 1


def test_a_tie_goes_to_the_higher_rate_else_to_the_first() -> None:
    """R1.4."""
    assert split(1, [1, 1]) == [1, 0]
    assert split(1, [1, 1], [7, 19]) == [0, 1]
    assert split(1, [1, 1], [19, 19]) == [1, 0]
    assert split(100, [1, 1, 1], [0, 7, 19]) == [33, 33, 34]
    assert split(-100, [1, 1, 1]) == [-33, -33, -34]
    assert split(5, [0, 0]) == [3, 2]
    with pytest.raises(ValueError, match="nothing to split"):
        split(1, [])


@given(numbers)
def test_a_number_is_written_exactly(number: Decimal | Fraction | int) -> None:
    assert Fraction(fraction_text(number)) == Fraction(number)
    shown = plain(number)
    assert abs(Fraction(shown) - Fraction(number)) <= Fraction(1, 2 * 10**12)
    if (Fraction(number) * 10**12).denominator == 1:
        assert shown == number
