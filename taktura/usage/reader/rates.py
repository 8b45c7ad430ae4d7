"""Rates from a file: the European Central Bank's XML, or CSV with the headings from, to, day, rate."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from xml.etree import ElementTree

from taktura.core.errors import Refused
from taktura.core.exchange import Rate

MOST_BYTES = 30_000_000
ECB_BASE = "EUR"  # against which its rates are
HEADINGS = ("from", "to", "day", "rate")
_NUMBER = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,12})?")


def read_rates(content: bytes) -> tuple[list[Rate], str]:
    """The rates of a file, and where they are from: `ECB` or `CSV`. Raises `Refused` (`invalid`) with the line of the
    first that cannot be read: nothing of a file with an error is taken."""
    if len(content) > MOST_BYTES:
        raise Refused("invalid", "The file has more than %(most)s MB: split it.", most=MOST_BYTES // 1_000_000)
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    found, source = (list(_of_ecb(content)), "ECB") if start.startswith(b"<") else (list(_of_csv(content)), "CSV")
    if not found:
        raise Refused("invalid", "The file holds no rates.")
    return found, source


def _of_ecb(content: bytes) -> Iterator[Rate]:
    """Cubes of days with cubes of currencies, as in eurofxref-daily.xml and eurofxref-hist.xml."""
    if (
        b"<!DOCTYPE" in content or b"<!ENTITY" in content
    ):  # none of the bank's has any; what they could do is not worth it
        raise Refused("invalid", "This XML has parts that a file of rates does not have.")
    try:
        for _event, element in ElementTree.iterparse(io.BytesIO(content)):
            day = element.get("time")
            if day is None:
                continue
            for one in element:
                quote, rate = one.get("currency"), one.get("rate")
                if quote is not None and rate is not None:
                    yield _rate(ECB_BASE, quote, day, rate, f"{day} {quote}")
            element.clear()
    except ElementTree.ParseError as error:
        raise Refused("invalid", "The file is damaged: send it again.") from error


def _of_csv(content: bytes) -> Iterator[Rate]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("invalid", "The file is no text: save it as CSV in UTF-8.") from None
    head = text.partition("\n")[0]
    delimiter = max(";,\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [name.strip().casefold() for name in next(rows, [])]
        if any(names.count(h) != 1 for h in HEADINGS):
            raise Refused(
                "invalid", "A file of rates has the headings %(headings)s, each once.", headings=", ".join(HEADINGS)
            )  # fmt: skip
        places = [names.index(h) for h in HEADINGS]
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) <= max(places):
                raise _unreadable(f"{rows.line_num}")
            base, quote, day, rate = (row[place].strip() for place in places)
            yield _rate(base.upper(), quote.upper(), day, rate, str(rows.line_num))
    except csv.Error:
        raise _unreadable(str(rows.line_num)) from None


def _rate(base: str, quote: str, day: str, rate: str, place: str) -> Rate:
    try:
        if not _NUMBER.fullmatch(rate):
            raise ValueError(rate)
        return Rate(base, quote, date.fromisoformat(day), Decimal(rate.replace(",", ".")))
    except (ValueError, InvalidOperation):
        raise _unreadable(place) from None


def _unreadable(place: str) -> Refused:
    return Refused(
        "invalid",
        "The rate at %(place)s cannot be read: write two currencies, a day as in 2026-06-30 and a number above 0.",
        place=place,
    )
