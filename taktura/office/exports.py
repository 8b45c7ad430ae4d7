"""Lists as files for spreadsheets. A text that a spreadsheet would take for a formula is made harmless."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from html import unescape
from typing import Any

import xlsxwriter
from django.http import HttpResponse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

CSV, XLSX = "csv", "xlsx"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_EXACT_DIGITS = 15  # a spreadsheet keeps no more


def plain(value: Any) -> Any:
    """A cell's value for a file: numbers and days as they are, HTML as its text."""
    if value is None or isinstance(value, int | Decimal | date):
        return value
    if isinstance(value, SafeString):
        value = unescape(strip_tags(value))
    return " ".join(str(value).split())


def harmless(value: Any) -> str:
    """A value as text that no spreadsheet runs: an apostrophe stands before what begins like a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text


def as_csv(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """A CSV file in UTF-8 with a mark of order, so that spreadsheets read it; decimals with a point, days as ISO."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([harmless(h) for h in heads])
    for row in rows:
        writer.writerow([harmless(plain(v)) for v in row])
    return _file("\ufeff" + text.getvalue(), f"{name}.csv", "text/csv; charset=utf-8")


def as_xlsx(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """An XLSX file; texts are written as texts, never as formulas or links."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(
        file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "remove_timezone": True}
    )
    sheet = book.add_worksheet()
    bold, days = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(0, 0, list(heads), bold)
    sheet.freeze_panes(1, 0)
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(map(plain, row)):
            if value is None:
                continue
            if isinstance(value, date | datetime):
                sheet.write_datetime(number, column, value, days)
            elif isinstance(value, int | Decimal) and len(str(value)) <= _EXACT_DIGITS:
                sheet.write_number(number, column, value)
            else:
                sheet.write_string(number, column, str(value))
    sheet.autofit()
    book.close()
    return _file(file.getvalue(), f"{name}.xlsx", _XLSX_TYPE)


def _file(content: str | bytes, name: str, kind: str) -> HttpResponse:
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
