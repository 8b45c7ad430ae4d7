"""Conversions of cells: exact numbers, dates and timestamps, spans on local days (R2.2, R17.1, R17.2)."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from taktura.core.money import DECIMALS
from taktura.usage.reader.mapping import Mapping
from taktura.usage.reader.rows import Row, Unreadable

WIDE = Context(prec=120, traps=[InvalidOperation, Inexact])
DAY = timedelta(days=1)
MIDNIGHT = time(0)
When = tuple[bool, date, datetime]  # (is a timestamp, local date, instant)
TEXT_COLUMNS = ("id", "customer_id", "customer_name", "subscription_id", "subscription_name", "subscription_description")


class Converter:
    """Converts rows of one file; dates and timestamps that come again are looked up."""

    def __init__(self, mapping: Mapping, zone: ZoneInfo) -> None:
        self.mapping, self.zone = mapping, zone
        self._moments: dict[Any, When] = {}
        self._spans: dict[tuple[Any, Any], tuple[datetime, date, date, bool]] = {}
        self._nulls = frozenset(("", *mapping.null_texts))

    def number(self, value: Any, column: str) -> Decimal | None:
        """An exact number of at most twelve decimals, None when the cell is empty."""
        if value is None or value in self._nulls:
            return None
        text = str(value).strip() if not isinstance(value, str) else value.strip()
        if text in self._nulls:
            return None
        if self.mapping.decimal == ",":
            if "." in text:
                raise Unreadable("bad_number", column, value)
            text = text.replace(",", ".")
        try:
            found = Decimal(text)
        except InvalidOperation:
            raise Unreadable("bad_number", column, value) from None
        if isinstance(value, float) or not found.is_finite():
            raise Unreadable("bad_number", column, value)
        exponent = found.as_tuple().exponent
        if isinstance(exponent, int) and exponent < -DECIMALS:
            exponent = found.normalize().as_tuple().exponent
            if isinstance(exponent, int) and exponent < -DECIMALS:
                raise Unreadable("bad_number", column, value)
        return found

    def moment(self, value: Any, column: str) -> When | None:
        """A date or a timestamp: whether it is the latter, its local date, its instant."""
        if value is None or value in self._nulls:
            return None
        found = self._moments.get(value)
        if found is None:
            found = self._moments[value] = self._read_moment(value, column)
        return found

    def day(self, value: Any, column: str) -> date | None:
        """A date, None when the cell is empty."""
        found = self.moment(value, column)
        return found[1] if found else None

    def _read_moment(self, value: Any, column: str) -> When:
        moment = value
        if isinstance(value, str):
            text = value.strip()
            try:
                if self.mapping.date_format:
                    moment = datetime.strptime(text, self.mapping.date_format)  # noqa: DTZ007
                    if not any(code in self.mapping.date_format for code in ("%H", "%I", "%X", "%c", "%T")):
                        moment = moment.date()
                else:
                    moment = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
            except ValueError:
                raise Unreadable("bad_date", column, value) from None
        if isinstance(moment, datetime):
            instant = moment if moment.tzinfo else moment.replace(tzinfo=self.zone)
            local = instant.astimezone(self.zone)
            return True, local.date(), local
        if isinstance(moment, date):
            return False, moment, datetime.combine(moment, MIDNIGHT, self.zone)
        raise Unreadable("bad_date", column, value)

    def span(self, start: Any, end: Any) -> tuple[datetime, date, date, bool]:
        """Instant, first day, end day (exclusive) and whether there is a span: a date as an end is the last day, a
        timestamp is exclusive (R17.1)."""
        key = (start, end)
        found = self._spans.get(key)
        if found is None:
            found = self._spans[key] = self._read_span(start, end)
            if len(self._spans) > 200_000:
                self._spans.clear()
        return found

    def _read_span(self, start: Any, end: Any) -> tuple[datetime, date, date, bool]:
        begins, ends = self.moment(start, "period_start"), self.moment(end, "period_end")
        if begins is None and ends is None:
            raise Unreadable("no_date", "period_start", "")
        if begins is None:
            assert ends is not None
            begins = ends
            ends = None
        if ends is None:
            return begins[2], begins[1], begins[1] + DAY, False
        end_day = ends[1] + DAY
        if ends[0]:
            end_day = ends[1] if ends[2].timetz().replace(tzinfo=None) == MIDNIGHT else ends[1] + DAY
            if ends[2] < begins[2]:
                raise Unreadable("bad_span", "period_end", f"{start} – {end}")
            end_day = max(end_day, begins[1] + DAY)
        if end_day <= begins[1]:
            raise Unreadable("bad_span", "period_end", f"{start} – {end}")
        return begins[2], begins[1], end_day, True

    def row(self, line: int, get: Callable[[str], Any]) -> Row:
        """A row from its cells; raises `Unreadable`."""
        text = self.text
        quantity, cost, price = (self.number(get(c), c) for c in ("quantity", "cost", "price"))
        cost_amount, amount = self.number(get("cost_amount"), "cost_amount"), self.number(get("amount"), "amount")
        # Imported amount and unit price derive each other (R17.2); of the two only the amount is ever billed.
        if cost_amount is None and cost is not None and quantity is not None:
            cost_amount = WIDE.multiply(cost, quantity)
        if amount is None and price is not None and quantity is not None:
            amount = WIDE.multiply(price, quantity)
        if quantity is None and cost_amount is None and amount is None:
            raise Unreadable("no_quantity", "quantity", "")
        subscription = text(get("subscription_id"))
        if not subscription:
            raise Unreadable("no_subscription_id", "subscription_id", "")
        revision = self.number(get("revision"), "revision")
        at, first_day, end_day, is_span = self.span(get("period_start"), get("period_end"))
        return Row(
            line, text(get("id")), text(get("customer_id")), text(get("customer_name")), subscription,
            text(get("subscription_name")), text(get("subscription_description")),
            self.day(get("subscription_start"), "subscription_start"), self.day(get("subscription_end"), "subscription_end"),
            text(get("product_id")), text(get("product_name")), text(get("unit")), quantity, cost, cost_amount, price, amount,
            text(get("currency")), int(revision) if revision is not None else None, at, first_day, end_day, is_span,
        )

    def text(self, value: Any) -> str:
        """A text, empty where the file says so."""
        if value is None or value in self._nulls:
            return ""
        return str(value).strip()
