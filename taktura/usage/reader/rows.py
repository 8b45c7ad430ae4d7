"""One row of a usage file, typed, and what is wrong with one that cannot be read."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

MAX_SHOWN = 300  # characters of a bad value that a problem shows
# What no database text can hold: NUL, and the half characters that stand for undecodable bytes.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")

TEXTS = {
    "missing_column": "The file has no column “%(column)s”; it has: %(value)s. Correct the mapping.",
    "wrong_delimiter": "The file has no column “%(column)s” when it is cut at “%(delimiter)s”: it seems to be cut at"
    " “%(found)s”. Correct the delimiter of the mapping, or leave it out.",
    "double_column": "The file has the column “%(column)s” more than once: rename one of them.",
    "unknown_column": "A row has no column “%(column)s”: did you mean “%(value)s”?",
    "bad_number": "“%(value)s” in %(column)s is no number: write digits and one decimal sign, without thousands"
    " separators and with at most 12 decimals.",
    "other_sign": "“%(value)s” in %(column)s is no number as the mapping reads numbers: choose the other decimal sign"
    " in the mapping, or write digits without thousands separators.",
    "bad_date": "“%(value)s” in %(column)s is no date or timestamp: write 2026-06-30, or set the date format.",
    "date_number": "“%(value)s” in %(column)s is a bare number, as a spreadsheet counts days, and no date: format the"
    " column as a date there and save the file again, or set the date format.",
    "bad_span": "The period ends before it begins (%(value)s): correct the row.",
    "bad_line": "The line cannot be read: a quote in it does not close or stands within a field, or a field is too"
    " long. Correct it in an editor.",
    "field_number": "The line has another number of fields than the headings (%(has)s instead of %(wanted)s): check its"
    " delimiters and quotes.",
    "bad_encoding": "The line holds bytes that are no text in this encoding: save the file as UTF-8, or set the"
    " encoding.",
    "too_long": "“%(value)s” in %(column)s is too long: give the supplier's own short reference.",
    "cut_id": "“%(value)s” in %(column)s is a number as a spreadsheet shortens it, and the end of the id is lost: load"
    " the original file, or format the column as text before it is filled.",
    "bad_currency": "“%(value)s” in %(column)s is no currency: write its three letters, as in EUR.",
    "no_quantity": "The row has neither a quantity nor an amount: fill one of them.",
    "no_subscription_id": "The row names no subscription, and usage of a supplier is billed by it: fill it, or name its"
    " column in the mapping.",
    "no_date": "The row has no date: fill the start of its period.",
    "bad_duration": "“%(value)s” in %(column)s is no duration: write whole seconds, or hours, minutes and seconds as in"
    " 0:01:30.",
    "bad_discount": "“%(value)s” in %(column)s is no discount of this row: write a percentage from 0 to 100, or money"
    " that is not more than the row's price.",
    "bad_expression": "“%(column)s” cannot be worked out here (%(value)s): correct the row, or the expression of the"
    " mapping.",
    "broken": "The file is damaged from here on: what came before is read. Send the file again.",
    "broken_archive": "The archive is damaged from here on: what came before is read. Pack the file again and send it"
    " anew.",
    "broken_workbook": "The workbook is damaged from here on: what came before is read. Open it in a spreadsheet, save"
    " it again as XLSX or CSV and load that, or have it sent again.",
    "broken_parquet": "The Parquet file is damaged from here on: what came before is read. Have it made and sent"
    " again.",
    "too_many_rows": "The workbook has more rows than can be read of one: those before are read. Load the rest in a"
    " file of its own, or all of it as CSV.",
    "further_sheets": "The workbook has further sheets with the same columns, and they are not read: %(value)s. Save"
    " each as a file of its own and load these.",
    "no_rows": "The file has no rows: export it again.",
    "conflict": "Another record with the id “%(value)s” is stored: give a higher revision to correct it.",
}
_NAMES = {"\t": "tab"}
_FIELDS = re.compile(r"([0-9]+) / ([0-9]+)")  # how a line with another number of fields is kept
_BARE_NUMBER = re.compile(r"[0-9]{1,7}|[0-9]{5}[.,][0-9]+")  # a day, or a moment of it, as spreadsheets count them
_OTHER_SIGN = re.compile(r"[+-]?[0-9]+[.,][0-9]{1,12}")  # it would be read, were the sign in it the decimal sign
TOO_MANY = "rows"  # what a workbook of too many rows is kept as
_BROKEN = {
    TOO_MANY: "too_many_rows", "gzip": "broken_archive", "zip": "broken_archive", "workbook": "broken_workbook",
    "parquet": "broken_parquet",
}  # fmt: skip


class Row(NamedTuple):
    """A row in our columns. Amounts are unrounded; an absent text is empty.

    `first_day` and `end_day` (exclusive) are local days of the supplier, `at` is the instant of the start (of a date
    its local midnight). `is_span`: an end was given, so that the row is split over its days (R17.1). `seconds`: how
    long a call was answered; the legs of one `call_id` are one row. `attributes` are free. `discount` is what was taken
    off in working out an amount, once, as in “10%” or “5.00”; the amounts are after it.
    `former_id`: the id (of a call its part of it) that earlier versions gave the row, where it was another.
    """

    line: int
    id: str
    customer_id: str
    customer_name: str
    subscription_id: str
    subscription_name: str
    subscription_description: str
    subscription_start: date | None
    subscription_end: date | None
    product_id: str
    product_name: str
    unit: str
    quantity: Decimal | None
    cost: Decimal | None
    cost_amount: Decimal | None
    price: Decimal | None
    amount: Decimal | None
    currency: str
    revision: int | None
    at: datetime
    first_day: date
    end_day: date
    is_span: bool
    seconds: int | None = None
    call_id: str = ""
    attributes: dict[str, str] | None = None
    discount: str = ""
    former_id: str = ""


@dataclass(slots=True)
class Counts:
    """Lines of a file that are no rows of their own: left out by a condition of the mapping, or a further leg of a
    call."""

    skipped: int = 0
    merged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a row (or, without a line, a file) cannot be read. `column` is the file's own heading.

    `delimiter` and `found` are filled where the heading was cut at another sign than the file uses.
    """

    line: int | None
    code: str
    column: str = ""
    value: str = ""
    delimiter: str = ""
    found: str = ""

    @property
    def of_file(self) -> bool:
        """Whether it is a problem of the whole file, or of its heading, and not of a row."""
        return self.code in ("missing_column", "double_column", "no_rows", "broken") or self.line is None

    @property
    def message(self) -> str:
        """The English sentence with named places: the message id for a translation, filled by `values`."""
        return TEXTS[self._sentence]

    @property
    def _sentence(self) -> str:
        """The name of its sentence: some kinds have one for a special case."""
        if self.found:
            return "wrong_delimiter"
        if self.code == "bad_line" and _FIELDS.fullmatch(self.value):
            return "field_number"
        if self.code == "bad_number" and _OTHER_SIGN.fullmatch(self.value.strip()):
            return "other_sign"
        if self.code == "bad_date" and _BARE_NUMBER.fullmatch(self.value):
            return "date_number"
        return _BROKEN.get(self.value, "broken") if self.code == "broken" else self.code

    @property
    def values(self) -> dict[str, str]:
        """What fills the places of `message`."""
        fields = _FIELDS.fullmatch(self.value)
        has, wanted = fields.groups() if fields else ("", "")
        return {
            "has": has,
            "wanted": wanted,
            "column": self.column,
            "value": self.value,
            "delimiter": _NAMES.get(self.delimiter, self.delimiter),
            "found": _NAMES.get(self.found, self.found),
        }

    @property
    def places(self) -> dict[str, str]:
        """What is kept of it beside code, column and value, so that its sentence can be told again."""
        return {"delimiter": self.delimiter, "found": self.found} if self.found else {}

    def text(self) -> str:
        """An English sentence that says what to do."""
        return self.message % self.values


class Unreadable(Exception):
    """A cell that cannot be converted; `column` is ours."""

    def __init__(self, code: str, column: str = "", value: object = "") -> None:
        super().__init__(code)
        self.code, self.column, self.value = code, column, shown(value)


def shown(value: object) -> str:
    """A value as a problem shows it: short, and storable whatever the file holds."""
    return UNSTORABLE.sub("\ufffd", str(value)[:MAX_SHOWN])
