"""Numbers, dates and zones from their text, exactly; a `ValueError` says what is wrong and how to write it."""

import difflib
import re
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

MAX_DIGITS = 30
NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
WHOLE = re.compile(r"[-+]?[0-9]+")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2})(?:[Tt]|[ \t]+)(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)"
    r"(?P<part>\.[0-9]*)?[ \t]*(?P<offset>Z|[-+][0-9]{1,2}(?::?[0-9]{2})?)?"
)


def exact(text: str) -> int | Decimal:
    """A number from its text: whole ones as int, others as Decimal with all their decimals."""
    if not NUMBER.fullmatch(text):
        raise ValueError(f"“{text}” is no number: write it in digits, with a point before the decimals")
    digits = text.lstrip("+-").lower().partition("e")[0]
    if len(digits) > 2 * MAX_DIGITS or abs((found := Decimal(text)).adjusted()) > MAX_DIGITS and found:
        raise ValueError(f"“{text}” is out of range: a number has at most {MAX_DIGITS} digits")
    return int(text) if WHOLE.fullmatch(text) else Decimal(text)


def day(text: str) -> date:
    """A date written as 2026-01-31."""
    if not DAY.fullmatch(text):
        raise ValueError(f"“{text}” is no date: write it as 2026-01-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"“{text}” is no date: there is no such day") from None


def instant(text: str, *, local: bool = False) -> date | datetime:
    """A date, or a timestamp with its offset from UTC; `local`: the offset may be left out."""
    found = INSTANT.fullmatch(text)
    if not found:
        return day(text)
    if not found["offset"] and not local:
        raise ValueError(f"“{text}” has no offset: write it as 2026-01-31T12:00:00+01:00")
    year, month, number = found["day"].split("-")
    hour, _, rest = found["time"].partition(":")
    part = (found["part"] or ".")[1:7].ljust(6, "0")
    clock = f"{hour:0>2}:{rest if ':' in rest else rest + ':00'}.{part}"
    try:
        return datetime.fromisoformat(f"{year}-{month:0>2}-{number:0>2}T{clock}{_offset(found['offset'])}")
    except ValueError:
        raise ValueError(f"“{text}” is no timestamp: there is no such day, time or offset") from None


def _offset(text: str | None) -> str:
    if text is None or text == "Z":
        return "+00:00" if text else ""
    sign, digits = text[0], text[1:].replace(":", "")
    hours, minutes = (digits, "00") if len(digits) <= 2 else (digits[:-2], digits[-2:])
    return f"{sign}{hours:0>2}:{minutes}"


def zone(name: str) -> ZoneInfo:
    """A time zone by its name, such as Europe/Berlin; an unknown one is told with the nearest known."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = difflib.get_close_matches(name, sorted(available_timezones()), 1, 0)
        hint = f": did you mean “{near[0]}”?" if near else ""
        raise ValueError(f"“{name}” is no time zone{hint}") from None
