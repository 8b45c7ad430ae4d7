"""The kinds of values in requests and answers: what they accept, how they are written, what OpenAPI says of them.

Numbers are exact: text or a JSON number comes in, text goes out. Days are ISO dates. Unknown fields are refused.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from taktura.core.errors import Refused
from taktura.kit.exact import number

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
_CONTROL, _BLANK = r"/\x00-\x1f\x7f-\x9f", r" \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
KEY = rf"^(?!\.{{1,2}}$)[^{_CONTROL}{_BLANK}]([^{_CONTROL}]*[^{_CONTROL}{_BLANK}])?$"
LINE = r"^[^\x00-\x1f\x7f]*$"
MANY = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
NUMBER = r"^-?[0-9]{1,20}(\.[0-9]{1,12})?$"
_KEY, _LINE, _MANY, _NUMBER = (re.compile(f"{pattern[:-1]}\\Z") for pattern in (KEY, LINE, MANY, NUMBER))
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


class In(BaseModel):
    """What comes in."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Out(BaseModel):
    """What goes out."""

    model_config = ConfigDict(populate_by_name=True)


def _number(value: Any) -> Decimal:
    if isinstance(value, str) and _NUMBER.match(value) or isinstance(value, int | Decimal) and value is not True:
        try:
            return number(value, "")
        except Refused:
            pass
    raise PydanticCustomError("number", "no number")


def _exact(value: Any) -> Any:
    assert not isinstance(value, float), "a binary float is not exact"
    return value


def _written(value: Decimal) -> str:
    return format(value, "f")


def _day(value: Any) -> date:
    if type(value) is date:
        found = value
    else:
        try:
            found = date.fromisoformat(value) if isinstance(value, str) and _DAY.match(value) else date.max
        except ValueError:
            found = date.max
    if not FIRST_DAY <= found <= LAST_DAY:
        raise PydanticCustomError("day", "no day")
    return found


def _moment(value: Any) -> date | datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or _DAY.match(value):
        return _day(value)
    try:
        found = datetime.fromisoformat(value)
        inside = found.tzinfo is not None and FIRST_DAY < found.date() < LAST_DAY
    except ValueError:
        inside = False
    if not inside:
        raise PydanticCustomError("moment", "no moment")
    return found


def _key(value: str) -> str:
    if not _KEY.match(value):
        raise PydanticCustomError("key", "no key")
    return value


def _line(value: str) -> str:
    if not _LINE.match(value):
        raise PydanticCustomError("text", "no text")
    return value


def _many(value: str) -> str:
    if not _MANY.match(value):
        raise PydanticCustomError("text", "no text")
    return value


def _not_below_zero(value: Decimal) -> Decimal:
    if value < 0:
        raise PydanticCustomError("greater_than_equal", "too small", {"ge": 0})
    return value


_number_in = {
    "anyOf": [{"type": "string", "pattern": NUMBER}, {"type": "number"}],
    "description": "A decimal number as a text or a JSON number, read exactly: at most 20 digits before the point,"
    " 12 after it.",
}
_amount_in = {
    "anyOf": [{"type": "string", "pattern": NUMBER.replace("-?", "", 1)}, {"type": "number", "minimum": 0}],
    "description": _number_in["description"],
}
_number_out = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "examples": ["12.50"]}
_day_schema = {"type": "string", "format": "date", "examples": ["2026-01-31"]}
_moment_in = {
    "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
    "description": "A moment with its offset, or a day: its first moment where the seller is.",
}

# A decimal number: a price, a quantity, a rate, an amount in the currency's units.
Number = Annotated[Decimal, BeforeValidator(_number), WithJsonSchema(_number_in)]
# The same, not less than 0.
Amount = Annotated[Decimal, BeforeValidator(_number), AfterValidator(_not_below_zero), WithJsonSchema(_amount_in)]
# A number that is told: as exact as it is, however many digits it has.
Told = Annotated[Decimal, PlainSerializer(_written, return_type=str, when_used="json"), WithJsonSchema(_number_out)]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema(_day_schema)]
Moment = Annotated[date | datetime, BeforeValidator(_moment), WithJsonSchema(_moment_in)]
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict(), Field(ge=0, le=1_000_000_000)]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]


_text_schema, _key_schema, _many_schema = ({"pattern": pattern} for pattern in (LINE, KEY, MANY))

# A name that other systems know something by, and that stands in addresses.
Key = Annotated[
    str, Strict(), Field(min_length=1, max_length=100, json_schema_extra=_key_schema), AfterValidator(_key)
]  # fmt: skip
# Texts of one line with at most so many characters.
Text20 = Annotated[str, Strict(), Field(max_length=20, json_schema_extra=_text_schema), AfterValidator(_line)]
Text40 = Annotated[str, Strict(), Field(max_length=40, json_schema_extra=_text_schema), AfterValidator(_line)]
Text50 = Annotated[str, Strict(), Field(max_length=50, json_schema_extra=_text_schema), AfterValidator(_line)]
Text100 = Annotated[str, Strict(), Field(max_length=100, json_schema_extra=_text_schema), AfterValidator(_line)]
Text200 = Annotated[str, Strict(), Field(max_length=200, json_schema_extra=_text_schema), AfterValidator(_line)]
Text1000 = Annotated[str, Strict(), Field(max_length=1000, json_schema_extra=_text_schema), AfterValidator(_line)]
Text300 = Annotated[str, Strict(), Field(max_length=300, json_schema_extra=_text_schema), AfterValidator(_line)]
# A text of several lines.
Lines = Annotated[str, Strict(), Field(max_length=10_000, json_schema_extra=_many_schema), AfterValidator(_many)]
Country = Annotated[str, Strict(), Field(pattern=r"^[A-Z]{2}$", description="two letters: DE", examples=["DE"])]
Currency = Annotated[str, Strict(), Field(pattern=r"^[A-Z]{3}$", description="three letters: EUR", examples=["EUR"])]
# A length of time, an anchor and a tick as in the scenario format.
Span = Annotated[
    str, Strict(), Field(pattern=r"^[1-9][0-9]{0,2} (day|week|month|year)s?$", examples=["1 month", "12 months"])
]  # fmt: skip
Anchor = Annotated[
    str, Strict(), Field(pattern=r"^(contract|calendar|day ([1-9]|[12][0-9]|3[01]))$", examples=["contract"])
]  # fmt: skip
Tick = Annotated[
    str, Strict(), Field(pattern=r"^(minute|second|[1-9][0-9]{0,5}/[1-9][0-9]{0,5})$", examples=["minute", "60/1"])
]  # fmt: skip
