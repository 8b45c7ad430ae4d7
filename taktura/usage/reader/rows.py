"""One row of a usage file, typed, and what is wrong with one that cannot be read."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

TEXTS = {
    "missing_column": "The file has no column “%(column)s” (it has: %(value)s). Correct the mapping, or the file's delimiter.",
    "bad_number": "“%(value)s” in %(column)s is no number: write digits and one decimal sign, at most 12 decimals.",
    "bad_date": "“%(value)s” in %(column)s is no date or timestamp: write 2026-06-30, or set the date format.",
    "bad_span": "The period ends before it begins (%(value)s): correct the row.",
    "bad_line": "The line cannot be read (%(value)s): check quotes and the number of fields.",
    "bad_encoding": "The line holds bytes that are no text in this encoding: save the file as UTF-8, or set the encoding.",
    "no_quantity": "The row has neither a quantity nor an amount: fill one of them.",
    "no_subscription_id": "The row names no subscription: usage of a supplier is billed by its subscription.",
    "no_date": "The row has no date: fill the start of its period.",
    "no_rows": "The file has no rows: export it again.",
    "conflict": "Another record with the id “%(value)s” is stored: give a higher revision to correct it.",
}


class Row(NamedTuple):
    """A row in our columns. Days are local to the supplier; `end_day` is exclusive. Amounts are unrounded."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a row (or, without a line, a file) cannot be read."""

    line: int | None
    code: str
    column: str = ""
    value: str = ""

    def text(self) -> str:
        """A sentence that says what to do."""
        return TEXTS[self.code] % {"column": self.column, "value": self.value}


class Unreadable(Exception):
    """A cell that cannot be converted."""

    def __init__(self, code: str, column: str, value: object) -> None:
        super().__init__(code)
        self.code, self.column, self.value = code, column, str(value)
