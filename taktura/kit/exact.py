"""Plain values to and from JSON, exactly: decimals and dates as text."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from taktura.core.money import fraction_text
from taktura.core.periods import Span


def to_json(value: Any) -> Any:
    """Decimals, dates, spans and fractions as text, tuples as lists; what JSON knows stays."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Fraction):
        return fraction_text(value)
    if isinstance(value, Span):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(v) for v in value]
    return value


def decimal(value: Any) -> Decimal:
    """A decimal from text or a whole number; a binary float is refused."""
    if isinstance(value, float):
        raise TypeError("a binary float is not exact")
    return Decimal(str(value).strip())
