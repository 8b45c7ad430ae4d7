"""Values to and from JSON, exactly."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.periods import UNITS, Span, parse_span
from taktura.kit.exact import decimal, to_json

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=12)


@given(NUMBERS | st.integers().filter(lambda n: abs(n) < 10**100))
def test_a_number_comes_back_as_it_went(number: Decimal | int) -> None:
    text = json.loads(json.dumps(to_json(Decimal(number))))
    assert isinstance(text, str)
    assert decimal(text) == number


@pytest.mark.parametrize(
    ("number", "text"), [("0.075000", "0.075000"), ("1E+3", "1000"), ("1E-12", "0.000000000001"), ("-0.10", "-0.10")]
)
def test_a_number_keeps_its_decimals_and_has_no_exponent(number: str, text: str) -> None:
    assert to_json(Decimal(number)) == text


@given(NUMBERS)
def test_text_with_blanks_around_it_is_the_same_number(number: Decimal) -> None:
    assert decimal(f"  {number:f}\n") == number
    assert decimal(f"{number:f}").as_tuple() == number.as_tuple()


@given(st.floats())
def test_a_binary_float_is_refused(number: float) -> None:
    with pytest.raises(TypeError):
        decimal(number)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-inf", Decimal("NaN"), "1e101", "1e-101", "9" * 102])
def test_what_is_no_finite_number_of_a_sensible_length_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        decimal(value)


@pytest.mark.parametrize("value", [True, False])
def test_a_truth_value_is_no_number(value: bool) -> None:
    with pytest.raises(TypeError):
        decimal(value)


@pytest.mark.parametrize("value", ["", " ", "ten", "1,5", "1 000", None, [], "0x10"])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidOperation):
        decimal(value)


@given(st.integers(1, 10**6), st.sampled_from(UNITS))
def test_a_span_comes_back_as_it_went(count: int, unit: str) -> None:
    assert parse_span(to_json(Span(count, unit))) == Span(count, unit)


@given(st.fractions())
def test_a_fraction_comes_back_as_it_went(number: Fraction) -> None:
    assert Fraction(to_json(number)) == number


def test_dates_and_containers() -> None:
    value = {
        1: (date(2026, 3, 1), datetime(2026, 3, 1, 8, tzinfo=UTC)),
        "set": {Decimal("1.50")},
        "plain": [None, True, 7, "text"],
    }
    assert to_json(value) == {
        "1": ["2026-03-01", "2026-03-01T08:00:00+00:00"],
        "set": ["1.50"],
        "plain": [None, True, 7, "text"],
    }


PLAIN = st.none() | st.booleans() | st.integers() | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(JSON)
def test_what_json_knows_stays(value: object) -> None:
    assert to_json(value) == value
