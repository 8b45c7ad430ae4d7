"""Lists as files for spreadsheets. A text that a spreadsheet would take for a formula is made harmless."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

CSV, XLSX = "csv", "xlsx"
SHEET_ROWS = 1_048_575  # below its headings, as Excel has it
_SENT = 64 * 1024  # characters at a time
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the wide ones count in some languages
_XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV_TYPE = "text/csv; charset=utf-8"
_EXACT_DIGITS = 15  # a spreadsheet keeps no more


def plain(value: Any, zone: str = "UTC") -> Any:
    """A cell's value for a file: numbers and days as they are, an instant as the clock at `zone` shows it, HTML as its
    text."""
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(zone))
    if value is None or isinstance(value, int | Decimal | date):
        return value
    if isinstance(value, SafeString):
        value = unescape(strip_tags(value))
    return " ".join(str(value).split())


def written(value: Any) -> str:
    """A value as text; a number with all its digits, never as a power of ten."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def harmless(value: Any) -> str:
    """A value as text that no spreadsheet runs: an apostrophe stands before what begins like a formula."""
    text = "" if value is None else written(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text


def as_csv(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], zone: str = "UTC") -> HttpResponse:
    """A CSV file in UTF-8 with a mark of order, so that spreadsheets read it; decimals with a point, days as ISO,
    instants by the clock at `zone`, with what it differs from UTC."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([harmless(h) for h in heads])
    for row in rows:
        writer.writerow([harmless(plain(v, zone)) for v in row])
    return _file("\ufeff" + text.getvalue(), f"{name}.csv", _CSV_TYPE)


def stream_csv(
    name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], zone: str = "UTC"
) -> StreamingHttpResponse:
    """The same file sent while its rows are read, so that it may have any number of them."""

    def lines() -> Iterator[str]:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        text.write("\ufeff")
        writer.writerow([harmless(h) for h in heads])
        for row in rows:
            writer.writerow([harmless(plain(v, zone)) for v in row])
            if text.tell() > _SENT:
                yield text.getvalue()
                text.seek(0)
                text.truncate()
        yield text.getvalue()

    return StreamingHttpResponse(
        lines(), content_type=_CSV_TYPE, headers={"Content-Disposition": f'attachment; filename="{name}.csv"'}
    )


def as_xlsx(
    name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], zone: str = "UTC", many: bool = False
) -> HttpResponse:
    """An XLSX file; texts are written as texts, never as formulas or links, instants by the clock at `zone`.

    `many`: rows go to disk one by one, and on to a further sheet where one is full; columns are not fitted then.
    """
    file = io.BytesIO()
    kept = {"constant_memory": True} if many else {"in_memory": True}
    book = xlsxwriter.Workbook(
        file, {**kept, "strings_to_formulas": False, "strings_to_urls": False, "remove_timezone": True}
    )
    bold, days = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    instants = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet, number = _sheet(book, heads, bold), 0
    for row in rows:
        if number == SHEET_ROWS:
            sheet, number = _sheet(book, heads, bold), 0
        number += 1
        for column, value in enumerate(plain(v, zone) for v in row):
            if value is None:
                continue
            if isinstance(value, date | datetime):
                sheet.write_datetime(number, column, value, instants if isinstance(value, datetime) else days)
            elif isinstance(value, int | Decimal) and len(written(value)) <= _EXACT_DIGITS:
                sheet.write_number(number, column, value)
            else:
                sheet.write_string(number, column, written(value))
    if not many:
        sheet.autofit()
    book.close()
    return _file(file.getvalue(), f"{name}.xlsx", _XLSX_TYPE)


def _sheet(book: Any, heads: Sequence[str], bold: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, list(heads), bold)
    sheet.freeze_panes(1, 0)
    return sheet


def _file(content: str | bytes, name: str, kind: str) -> HttpResponse:
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
