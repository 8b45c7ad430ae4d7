"""Model fields of our own."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from taktura.core.periods import FOREVER, Span, parse_span


class ExactField(models.Field):  # type: ignore[type-arg]
    """An exact decimal of any length (PostgreSQL `numeric`): a price, a quantity, a rate. It keeps its own decimals."""

    def db_type(self, connection: Any) -> str:
        return "numeric"

    def db_check(self, connection: Any) -> str:
        """A number, and a finite one: PostgreSQL's numeric also takes NaN, which is greater than all others."""
        return f"abs({connection.ops.quote_name(self.column)}) < 'Infinity'"

    def to_python(self, value: Any) -> Decimal | None:
        if value is None:
            return None
        if isinstance(value, Decimal | int | str) and not isinstance(value, bool):
            try:
                number = Decimal(value)
            except InvalidOperation as error:
                raise ValidationError(f"{value!r} is not a number") from error
            if number.is_finite():  # PostgreSQL takes NaN for greater than any number: no check would stop it
                return number
        raise ValidationError(f"{value!r} is not an exact number")

    def get_prep_value(self, value: Any) -> Decimal | None:
        return self.to_python(value)


class SpanField(models.CharField):  # type: ignore[type-arg]
    """A length of time, stored as `3 months`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 20)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Span | None:
        return parse_span(value) if value else None

    def to_python(self, value: Any) -> Span | None:
        return parse_span(value) if isinstance(value, str) and value else value or None

    def get_prep_value(self, value: Any) -> str | None:
        return str(value) if value else None


def end_of(value: date | None) -> date:
    """An end as the core has it: no end is the end of time."""
    return FOREVER if value is None else value


def stored_end(value: date) -> date | None:
    """An end as the database has it."""
    return None if value == FOREVER else value
