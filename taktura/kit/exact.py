"""Plain values to and from JSON, exactly: decimals and dates as text."""

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from taktura.core.errors import Refused
from taktura.core.money import DECIMALS, EXACT, fraction_text
from taktura.core.periods import Span

DIGITS = 100
WHOLE_DIGITS = 20  # before the point: more is a slip of the pen


def to_json(value: Any) -> Any:
    """Decimals, dates, spans and fractions as text, tuples as lists; what JSON knows stays."""
    write = _WRITE.get(type(value))
    if write is not None:
        return write(value)
    for kind, write in _WRITE.items():  # a class derived from one of them
        if isinstance(value, kind):
            return write(value)
    return value


class ExactDecoder(json.JSONDecoder):
    """Reads the numbers of JSON as they are written: whole ones as `int`, others as `Decimal`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"parse_float": Decimal})


def json_text(value: Any) -> str:
    """JSON with sorted keys, exactly: what JSON does not know as `to_json` has it. No span of time may be in it."""
    return json.dumps(value, default=to_json, sort_keys=True, ensure_ascii=False)


def _same(value: Any) -> Any:
    return value


def _list(values: Any) -> list[Any]:
    return [to_json(v) for v in values]


# By exact type, since a run writes millions of values. A span is a tuple too, a datetime a date: they stand before.
_WRITE: dict[type, Callable[[Any], Any]] = {
    str: _same,
    int: _same,
    bool: _same,
    type(None): _same,
    Decimal: lambda value: format(value, "f"),
    Fraction: fraction_text,
    Span: str,
    datetime: datetime.isoformat,
    date: date.isoformat,
    dict: lambda value: {str(k): to_json(v) for k, v in value.items()},
    list: _list,
    tuple: _list,
    set: _list,
    frozenset: _list,
}


def decimal(value: Any) -> Decimal:
    """A decimal from text or a whole number, as exact as it is written.

    Raises `TypeError` for a binary float or a truth value, `ValueError` for what is infinite, no number by itself (NaN)
    or longer than `DIGITS` before or after the point, `decimal.InvalidOperation` for text that is no number.
    """
    if isinstance(value, float | bool):
        raise TypeError("a binary float or a truth value is not an exact number")
    number = Decimal(str(value).strip())
    if not number.is_finite():
        raise ValueError(f"{value} is not a finite number")
    if abs(number.adjusted()) > DIGITS or -int(number.as_tuple().exponent) > DIGITS:
        raise ValueError(f"a number has at most {DIGITS} digits before or after the point")
    return number


def number(value: Any, name: str) -> Decimal:
    """A price, quantity or rate as a person may give it: a decimal with at most 12 decimals (R1.2).

    Raises `Refused` (`invalid`) that names the field.
    """
    try:
        found = decimal(value)
    except (InvalidOperation, TypeError, ValueError) as error:
        raise Refused("invalid", "“%(value)s” is no number for %(field)s.", value=value, field=name) from error
    if -int(found.as_tuple().exponent) > DECIMALS:
        found = found.normalize(EXACT)  # zeros at the end do not count
    if -int(found.as_tuple().exponent) > DECIMALS:
        raise Refused(
            "invalid", "“%(value)s” for %(field)s has more than %(most)s decimals.",
            value=value, field=name, most=DECIMALS,
        )  # fmt: skip
    if found and found.adjusted() >= WHOLE_DIGITS:
        raise Refused("invalid", "“%(value)s” is too large for %(field)s.", value=value, field=name)
    return found
