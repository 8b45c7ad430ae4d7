"""Days and numbers as people type them, in three languages."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from taktura.invoices.rendering.formats import formats_of
from taktura.office.forms import DayField
from taktura.office.typed import read_day, read_number

TODAY = date(2026, 6, 10)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-06-16", date(2026, 6, 16)),
        ("16.6.", date(2026, 6, 16)),
        ("16.6", date(2026, 6, 16)),
        ("16.06.26", date(2026, 6, 16)),
        ("16. 6. 2027", date(2027, 6, 16)),
        ("16/6", date(2026, 6, 16)),
        ("2/1", date(2026, 1, 2)),
        ("31.12.", date(2026, 12, 31)),
        ("16 Jun 2026", date(2026, 6, 16)),
        ("16. März", date(2026, 3, 16)),
        ("3 okt", date(2026, 10, 3)),
        ("today", TODAY),
        ("Heute", TODAY),
        ("i morgon", TODAY + timedelta(days=1)),
        ("+1m", date(2026, 7, 10)),
        ("+ 2 wochen", date(2026, 6, 24)),
        ("-3d", date(2026, 6, 7)),
        ("+1 år", date(2027, 6, 10)),
        ("+5", date(2026, 6, 15)),
        ("end of month", date(2026, 6, 30)),
        ("Monatsende", date(2026, 6, 30)),
        ("nästa månad", date(2026, 7, 1)),
        ("Jahresende", date(2026, 12, 31)),
        ("30.2.", None),
        ("32.1.2026", None),
        ("soon", None),
        ("+1x", None),
        ("+99999d", None),
        ("", None),
        ("29.2.", None),
    ],
)
def test_days(text: str, day: date | None) -> None:
    assert read_day(text, "de", TODAY) == day


def test_a_year_left_out_is_the_nearer_one_around_its_turn() -> None:
    assert read_day("28.12.", "de", date(2026, 1, 3)) == date(2025, 12, 28)
    assert read_day("3.1.", "de", date(2026, 12, 28)) == date(2027, 1, 3)


def test_without_today_only_full_days_are_read() -> None:
    assert read_day("+1m", "en", None) is None
    assert read_day("1.2.", "en", None) is None
    assert read_day("1.2.2026", "en", None) == date(2026, 2, 1)


@given(st.text(max_size=30))
def test_any_text_is_a_day_or_none(text: str) -> None:
    assert read_day(text, "sv", TODAY) is None or isinstance(read_day(text, "sv", TODAY), date)


@pytest.mark.parametrize(
    ("text", "german", "swedish", "english"),
    [
        ("1234", "1234", "1234", "1234"),
        ("1.234,50", "1234.50", "1234.50", "1234.50"),
        ("1,234.50", "1234.50", "1234.50", "1234.50"),
        ("1.234", "1234", "1.234", "1.234"),
        ("1,234", "1.234", "1.234", "1234"),
        ("1,5", "1.5", "1.5", "1.5"),
        ("1.5", "1.5", "1.5", "1.5"),
        ("0,075", "0.075", "0.075", "0.075"),
        ("0.075", "0.075", "0.075", "0.075"),
        ("1 234,5", "1234.5", "1234.5", "1234.5"),
        ("1’234.5", "1234.5", "1234.5", "1234.5"),
        ("\u22125,00", "-5.00", "-5.00", "-5.00"),
        ("1.234.567", "1234567", "1234567", "1234567"),
        ("12.34.56", None, None, None),
        ("1,2,3", None, None, None),
        ("abc", None, None, None),
        ("1e5", None, None, None),
        ("", None, None, None),
        ("-", None, None, None),
        ("١٢", None, None, None),
    ],
)
def test_numbers(text: str, german: str | None, swedish: str | None, english: str | None) -> None:
    assert [read_number(text, language) for language in ("de", "sv", "en")] == [german, swedish, english]


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4), st.sampled_from(["de", "sv", "en"]))
def test_what_is_shown_can_be_typed_again(number: Decimal, language: str) -> None:
    """A number as a page shows it is read back as the same number, save where three decimals look like thousands."""
    shown = formats_of(language, "EUR").unit_price(number)
    read = read_number(shown, language)
    assert read is not None and Decimal(read) == number


@pytest.mark.parametrize("text", ["31.12.9999", "0001-01-01", "1.1.2200", "1899-12-31"])
def test_a_day_out_of_reach_is_said_to_be(text: str) -> None:
    field = DayField()
    field.today = date(2026, 3, 1)
    with pytest.raises(ValidationError, match="too far away: type a year from 1900 to 2199"):
        field.clean(text)
    assert field.clean("31.12.2199") == date(2199, 12, 31)
