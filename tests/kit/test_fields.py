"""Our fields go to the database and come back the same."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taktura.catalog.models import Tariff, TariffVersion
from taktura.core.errors import Refused
from taktura.core.periods import FOREVER, UNITS, Span
from taktura.customers.models import Customer, Seller
from taktura.kit.fields import ExactField, SpanField, end_of, stored_end

HERE = settings(
    max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)


def new_seller() -> Seller:
    """A seller; the fields are tried on what hangs on it."""
    return Seller.objects.create(name="Muster", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[])


def new_customer(rate: Any) -> Customer:
    """A customer of a seller of its own, with an hourly rate."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    return Customer.objects.create(seller=new_seller(), key="c", name="c", hourly_rate=rate, created_at=now)


@HERE
@given(NUMBERS | st.integers(-(10**30), 10**30).map(Decimal))
def test_an_exact_number_comes_back_with_its_decimals(database: str, number: Decimal) -> None:
    customer = new_customer(number)
    customer.refresh_from_db()
    assert customer.hourly_rate == number
    assert Customer.objects.filter(pk=customer.pk, hourly_rate=number).exists()
    expected = max(-int(number.as_tuple().exponent), 0)
    assert -int(customer.hourly_rate.as_tuple().exponent) == expected


@pytest.mark.parametrize(
    ("given_value", "stored"), [(7, "7"), ("0.0750", "0.0750"), (None, None), (Decimal("1E+3"), "1000")]
)
def test_text_and_whole_numbers_are_exact(database: str, given_value: object, stored: str | None) -> None:
    customer = new_customer(given_value)
    with connection.cursor() as cursor:
        cursor.execute("SELECT hourly_rate::text FROM customers_customer WHERE id = %s", [customer.pk])
        assert cursor.fetchone()[0] == stored


@pytest.mark.parametrize("value", [1.5, True, "ten", "", Decimal("NaN"), Decimal("Infinity"), "NaN", [], object()])
def test_what_is_no_exact_number_never_reaches_the_database(value: object) -> None:
    with pytest.raises(ValidationError):
        ExactField().get_prep_value(value)


def test_the_column_is_numeric_without_bounds(database: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'customers_customer'::regclass AND attname = 'hourly_rate'"
        )
        assert cursor.fetchone() == ("numeric",)


@HERE
@given(count=st.integers(1, 10**6), unit=st.sampled_from(UNITS))
def test_a_span_comes_back(database: str, count: int, unit: str) -> None:
    span = Span(count, unit)
    version = new_version(trial=span)
    version.refresh_from_db()
    assert version.trial == span
    assert TariffVersion.objects.filter(pk=version.pk, trial=span).exists()
    assert TariffVersion.objects.filter(pk=version.pk, trial=str(span)).exists()


def test_no_span_is_null(database: str) -> None:
    version = new_version(trial=None)
    version.refresh_from_db()
    assert version.trial is None
    assert TariffVersion.objects.filter(trial__isnull=True).exists()


def new_version(trial: Span | None) -> TariffVersion:
    tariff = Tariff.objects.create(seller=new_seller(), key="t", currency="EUR")
    return TariffVersion.objects.create(
        tariff=tariff, valid_from=date(2026, 1, 1), title="T", interval=Span(1, "month"), trial=trial
    )


def test_a_span_from_text() -> None:
    assert SpanField().to_python("3 months") == Span(3, "month")
    assert SpanField().to_python("") is None
    with pytest.raises(Refused):
        SpanField().to_python("3 moons")


def test_no_end_is_the_end_of_time() -> None:
    assert end_of(None) == FOREVER
    assert stored_end(FOREVER) is None
    assert stored_end(end_of(date(2026, 3, 1))) == date(2026, 3, 1)
