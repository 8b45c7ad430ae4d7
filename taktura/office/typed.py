"""Days and numbers as people type them, in three languages."""

import calendar
import re
from datetime import date, timedelta

from taktura.core.periods import Span, add

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DOTS = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.?\s?(\d{2}|\d{4})?")
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{2}|\d{4}))?")
_STEP = re.compile(r"([+-])\s?(\d{1,4})\s?([a-zåäö]*)")
_WORDED = re.compile(r"(\d{1,2})\.?\s([a-zåäö]{3,9})\.?(?:\s(\d{4}))?")
_UNITS = {
    "": "day", "d": "day", "t": "day", "w": "week", "v": "week", "m": "month", "y": "year", "j": "year", "å": "year"
}  # fmt: skip
_MONTHS = (
    ("jan",), ("feb",), ("mar", "mär", "mrz"), ("apr",), ("may", "mai", "maj"), ("jun",), ("jul",), ("aug",), ("sep",),
    ("oct", "okt"), ("nov",), ("dec", "dez"),
)  # fmt: skip
_TODAY = {"today", "heute", "idag", "i dag"}
_TOMORROW = {"tomorrow", "morgen", "imorgon", "i morgon"}
_YESTERDAY = {"yesterday", "gestern", "igår", "i går"}
_END_OF_MONTH = {"end of month", "eom", "monatsende", "ende des monats", "slutet av månaden", "månadsslut"}
_START_OF_MONTH = {"start of month", "monatsanfang", "anfang des monats", "början av månaden"}
_NEXT_MONTH = {"next month", "nächster monat", "nächsten monat", "nästa månad"}
_END_OF_YEAR = {"end of year", "eoy", "jahresende", "ende des jahres", "årsslut", "slutet av året"}
TURN_OF_YEAR = 270  # days; further away than this, a day without a year is one of last or next year
_SPACES = re.compile(r"[\s\u00a0\u202f'’]")


def read_day(text: str, language: str, today: date | None) -> date | None:
    """The day that somebody typed, or None. Day before month, always. A year left out is this year, but around its turn
    the nearer one: 28.12. typed in January was last December."""
    typed = " ".join(text.lower().split())
    if found := _ISO.fullmatch(typed):
        return _date(*map(int, found.groups()))
    if today is None:
        return _full(typed)
    return _word(typed, today) or _stepped(typed, today) or _full(typed, today)


def _word(typed: str, today: date) -> date | None:
    month_end = today.replace(day=calendar.monthrange(today.year, today.month)[1])
    for words, day in (
        (_TODAY, today),
        (_TOMORROW, today + timedelta(days=1)),
        (_YESTERDAY, today - timedelta(days=1)),
        (_END_OF_MONTH, month_end),
        (_START_OF_MONTH, today.replace(day=1)),
        (_NEXT_MONTH, month_end + timedelta(days=1)),
        (_END_OF_YEAR, date(today.year, 12, 31)),
    ):
        if typed in words:
            return day
    return None


def _stepped(typed: str, today: date) -> date | None:
    found = _STEP.fullmatch(typed)
    unit = _UNITS.get(found[3][:1]) if found else None
    if found is None or unit is None:
        return None
    try:
        return add(today, Span(int(found[2]), unit), 1 if found[1] == "+" else -1)
    except (ValueError, OverflowError):
        return None


def _full(typed: str, today: date | None = None) -> date | None:
    found = _DOTS.fullmatch(typed) or _SLASHES.fullmatch(typed)
    if found:
        return _nearest(int(found[1]), int(found[2]), found[3], today)
    if worded := _WORDED.fullmatch(typed):
        for number, names in enumerate(_MONTHS, 1):
            if worded[2].startswith(names):
                return _nearest(int(worded[1]), number, worded[3], today)
    return None


def _nearest(day: int, month: int, year: str | None, today: date | None) -> date | None:
    if year is not None:
        return _date(int(year) + (2000 if len(year) == 2 else 0), month, day)
    if today is None:
        return None
    this_year = _date(today.year, month, day)
    if this_year is not None and abs((this_year - today).days) <= TURN_OF_YEAR:
        return this_year
    others = [d for y in (today.year - 1, today.year + 1) if (d := _date(y, month, day))]
    return min(others, key=lambda d: abs((d - today).days), default=None) if this_year is not None else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_number(text: str, language: str) -> str | None:
    """A number that somebody typed, written plainly ("1234.50"), or None.

    The last of point and comma is the decimal sign where both stand. One sign alone: German and Swedish read a comma
    as decimal; a point before exactly three figures separates thousands in German ("1.234"), else it is decimal.
    English reads a comma before exactly three figures as thousands.
    """
    typed = _SPACES.sub("", text).replace("\u2212", "-")
    if not re.fullmatch(r"-?[0-9.,]*[0-9][.,]?", typed):
        return None
    sign = _decimal_sign(typed, language)
    whole, _, decimals = typed.rpartition(sign) if sign else (typed, "", "")
    for other in (".", ","):
        if other != sign and other in whole and not re.fullmatch(rf"-?\d{{1,3}}(\{other}\d{{3}})+", whole):
            return None
    whole = whole.replace(".", "").replace(",", "")
    if not decimals.isdecimal() and decimals:
        return None
    return f"{whole or '0'}.{decimals}" if decimals else (whole or "0")


def _decimal_sign(typed: str, language: str) -> str:
    points, commas = typed.count("."), typed.count(",")
    if points and commas:
        return max((".", ","), key=typed.rfind)
    if points + commas != 1:
        return ""
    sign = "." if points else ","
    thousands = len(typed.rpartition(sign)[2]) == 3 and 1 <= len(typed.partition(sign)[0].lstrip("-")) <= 3
    usual = "," if language in ("de", "sv") else "."
    if sign == usual or not thousands or typed.lstrip("-").startswith("0"):
        return sign
    return "" if language in ("de", "en") else sign
