"""Conversions of cells: exact numbers, dates and timestamps, spans on local days (R2.2, R17.1, R17.2).

Ranges of days are half-open. What comes again and again in a file (texts, timestamps, spans) is converted once and
remembered, up to a limit.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from taktura.core.money import DECIMALS, EXACT
from taktura.usage.reader.mapping import DATES, ISO, NUMBERS, Mapping
from taktura.usage.reader.rows import Row, Unreadable

DAY = timedelta(days=1)
MIDNIGHT = time(0)
FIRST_YEAR = 1900  # an earlier period is a slip of the pen
MAX_REMEMBERED = 50_000
MAX_WHOLE_DIGITS = 20
MAX_NUMBER_TEXT = 100
MAX_REVISION = 2**31 - 1
MAX_SECONDS = 10**9
MAX_ID, MAX_REFERENCE, MAX_CURRENCY = 300, 200, 3
SURE_REFERENCE = MAX_REFERENCE // 3  # folding case makes a text at most three times as long
DAYS_OF_IDENTITY = len("|2026-01-01|2026-02-01|")

Amounts = tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None, Decimal | None]

_ORDINARY = r"[+-]?[0-9]{1,%d}(?:\%s[0-9]{0,%d})?"
_ANY_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
# Of 12 digits on a spreadsheet writes a number so. With fewer it is a program's way of writing amounts, and no id.
_CUT = re.compile(r"[+-]?[0-9](?:[.,][0-9]{1,15})?[eE]\+(?:1[1-9]|[2-9][0-9])")
_CLOCK = re.compile(r"([0-9]{1,5}):([0-5][0-9]):([0-5][0-9])")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}")
_ISO_TIMESTAMP = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ][0-9].*")


class When(NamedTuple):
    """A date or a timestamp: which of them, its local date, its instant (of a date the local midnight)."""

    timestamp: bool
    day: date
    at: datetime


class Remembered(dict[Any, Any]):
    """Values made from their keys, once each while there is room; what cannot be made is not remembered."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> Any:
        value = self._make(key)
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        self[key] = value
        return value


class Converter:
    """Converts the rows of one file; naive timestamps are in `zone`."""

    def __init__(self, mapping: Mapping, zone: ZoneInfo) -> None:
        self._zone, self.decimal = zone, mapping.decimal
        self._percent, self._of = mapping.discount_is == "percent", mapping.discount_of
        formats = (mapping.date_format or ISO).split("|")
        self._iso = ISO in formats
        self._formats = [f for f in formats if f != ISO]
        self._nulls = frozenset(("", *(text.strip() for text in mapping.null_texts)))
        self._ordinary = re.compile(_ORDINARY % (MAX_WHOLE_DIGITS, mapping.decimal, DECIMALS)).fullmatch
        self._dates, self._numeric = mapping.headings_of(DATES), mapping.headings_of(NUMBERS)
        self._told = Remembered(self._moment_told)
        self._texts = Remembered(self._text)
        self._moments = Remembered(self._moment)
        self._spans = Remembered(self._span)

    def row(self, line: int, cells: Sequence[Any]) -> Row:
        """A row from its cells in the order of `COLUMNS`: texts, of dates also dates and timestamps.

        A missing amount is quantity × unit price, exactly; a missing unit price stays so, since only the amount is
        billed (R17.2). Raises `Unreadable`.
        """
        (
            id_, customer_id, customer_name, subscription_id, subscription_name, description, start, end, product_id,
            product_name, unit, quantity_, period_start, period_end, cost_, cost_amount_, price_, amount_, discount_,
            currency, revision_, seconds_, call,
        ) = cells  # fmt: skip
        texts = self._texts
        seconds = self._seconds(seconds_) if seconds_ else None
        quantity, cost, cost_amount, price, amount = self._amounts(
            quantity_, cost_, cost_amount_, price_, amount_, seconds
        )
        taken = ""
        if discount_ and quantity is not None:
            cost_amount, amount, taken = self._discounted(
                self._discount(discount_),
                (cost_amount, cost is not None and not self._stands(cost_amount_)),
                (amount, price is not None and not self._stands(amount_)),
            )
        identity = self._text(id_) if id_ else ""
        customer, subscription, product = texts[customer_id], texts[subscription_id], texts[product_id]
        if not subscription:
            raise Unreadable("no_subscription_id", "subscription_id")
        money = texts[currency]
        if (
            len(subscription) > SURE_REFERENCE
            or len(product) > SURE_REFERENCE
            or len(customer) > SURE_REFERENCE
            or len(identity) > MAX_ID
            or len(money) > MAX_CURRENCY
        ):
            _check_lengths(identity, customer, subscription, product, money)
        called = self._text(call) if call else ""
        if "+" in f"{identity}{customer}{subscription}{product}{called}":
            _refuse_cut(id=identity, customer_id=customer, subscription_id=subscription, product_id=product,
                        call_id=called)  # fmt: skip
        at, first_day, end_day, is_span = self._spans[period_start, period_end]
        return Row(
            line,
            identity,
            customer,
            texts[customer_name],
            subscription,
            texts[subscription_name],
            texts[description],
            self._day(start, "subscription_start") if start else None,
            self._day(end, "subscription_end") if end else None,
            product,
            texts[product_name],
            texts[unit],
            quantity,
            cost,
            cost_amount,
            price,
            amount,
            money,
            self._revision(revision_) if revision_ else None,
            at,
            first_day,
            end_day,
            is_span,
            seconds,
            called,
            None,
            taken,
        )

    def number(self, value: Any, column: str, any_length: bool = False) -> Decimal | None:
        """An exact number, None for an absent one; with `any_length` also one of more than 12 decimals. Raises
        `Unreadable`."""
        if isinstance(value, Decimal):
            return value
        return self._number(str(value), column, MAX_NUMBER_TEXT if any_length else DECIMALS)

    def text(self, value: Any) -> str:
        """A text without outer blanks, empty for one that means nothing."""
        return self._text(value)

    def meant(self, heading: str) -> Callable[[Any], str]:
        """How the cells under a heading are told in a key: those of the period by day and hour, numbers by their
        digits, however a file writes them; all else, and what cannot be read so, as it is written."""
        if heading.casefold() in self._dates:
            return self._told.__getitem__
        return self._number_told if heading.casefold() in self._numeric else self._whole(heading)

    def _whole(self, heading: str) -> Callable[[Any], str]:
        """The texts under a heading of which a key is made; an id that was cut is none."""
        text = self._text

        def told(value: Any) -> str:
            found = text(value)
            if "+" in found:
                _refuse_cut(**{heading: found})
            return found

        return told

    def _moment_told(self, value: Any) -> str:
        """A date or timestamp by the clock by which it is written, a midnight as its day, so that it does not matter
        whether a spreadsheet left out the hour or the offset. An offset that is not the supplier's is reckoned to UTC;
        the hour that comes twice in autumn is told apart."""
        try:
            found = self._written(value)
            if isinstance(found, datetime) and found.tzinfo is not None:
                local = found.astimezone(UTC).astimezone(self._zone)
                found = local if local.utcoffset() == found.utcoffset() else found.astimezone(UTC)
        except (ValueError, OverflowError):
            return self._text(value)
        if not isinstance(found, datetime):
            return found.isoformat() if found else ""
        wall = found.replace(tzinfo=None, fold=0).isoformat().removesuffix("T00:00:00")
        return f"{wall} again" if found.fold else wall

    def _number_told(self, value: Any) -> str:
        try:
            found = self.number(value, "", any_length=True)
        except Unreadable:
            return self._text(value)
        return "" if found is None else f"{found.normalize(EXACT):f}" if found else "0"

    def instant(self, value: Any, column: str) -> datetime | None:
        """A timestamp (of a date its midnight), None for an absent one. Raises `Unreadable`."""
        found = self._find(value, column) if value else None
        try:
            return found.at.astimezone(UTC) if found else None
        except OverflowError:  # the midnight of a date at the ends of the calendar
            raise Unreadable("bad_date", column, value) from None

    def day(self, value: Any, column: str) -> date | None:
        """The day of a date or timestamp as it is written, None for an absent one; a timestamp that is no text (of a
        workbook, of Parquet) has the day of the supplier's time zone. Raises `Unreadable`."""
        try:
            found = self._written(value) if value else None
        except (ValueError, OverflowError):
            raise Unreadable("bad_date", column, value) from None
        if isinstance(value, datetime):
            return value.astimezone(self._zone).date()
        return found.date() if isinstance(found, datetime) else found

    def _seconds(self, value: Any) -> int | None:
        """A duration: whole seconds, or hours, minutes and seconds."""
        text = self._text(value)
        if match := _CLOCK.fullmatch(text):
            hours, minutes, seconds = (int(g) for g in match.groups())
            return hours * 3600 + minutes * 60 + seconds
        try:
            found = self._number(text, "seconds") if text else None
        except Unreadable:
            raise Unreadable("bad_duration", "seconds", value) from None
        if found is None:
            return None
        if found != int(found) or not 0 <= found <= MAX_SECONDS:
            raise Unreadable("bad_duration", "seconds", value)
        return int(found)

    def _amounts(
        self, quantity_: Any, cost_: Any, cost_amount_: Any, price_: Any, amount_: Any, seconds: int | None
    ) -> Amounts:
        """Quantity, cost and its amount, price and its amount; raises `Unreadable`."""
        number = self._number
        quantity = number(quantity_, "quantity") if quantity_ else None
        cost = number(cost_, "cost") if cost_ else None
        # Amounts are no unit prices: they come with as many decimals as a product of two of these has.
        cost_amount = number(cost_amount_, "cost_amount", 2 * DECIMALS) if cost_amount_ else None
        price = number(price_, "price") if price_ else None
        amount = number(amount_, "amount", 2 * DECIMALS) if amount_ else None
        if quantity is not None:
            if cost_amount is None and cost is not None:
                cost_amount = EXACT.multiply(cost, quantity)
            if amount is None and price is not None:
                amount = EXACT.multiply(price, quantity)
        elif cost_amount is None and amount is None and seconds is None:
            raise Unreadable("no_quantity", "quantity")
        return quantity, cost, cost_amount, price, amount

    def _stands(self, cell: Any) -> bool:
        """Whether a cell says something."""
        return bool(cell) and self._text(cell) != ""

    def _discount(self, value: Any) -> Decimal | None:
        """A discount as it stands in its cell; a percent sign behind it says nothing new."""
        text = self._text(value)
        if self._percent and text.endswith("%"):
            text = text[:-1]
        found = self._number(text, "discount") if text else None
        if found is not None and self._percent and not 0 <= found <= 100:
            raise Unreadable("bad_discount", "discount", value)
        return found

    def _discounted(
        self, discount: Decimal | None, cost: tuple[Decimal | None, bool], price: tuple[Decimal | None, bool]
    ) -> tuple[Decimal | None, Decimal | None, str]:
        """The amounts of cost and price less the discount, and what was taken off.

        Only an amount that was worked out from its unit price is lessened: one that the file gives is what the
        supplier has reckoned, after its discount. Raises `Unreadable`.
        """
        (cost_amount, of_cost), (amount, of_price) = cost, price
        if self._of is None:
            of_cost = of_cost and not of_price
        else:
            of_cost, of_price = of_cost and self._of != "price", of_price and self._of != "cost"
        if not discount or not (of_cost or of_price):
            return cost_amount, amount, ""
        if of_cost and cost_amount is not None:
            cost_amount = self._less(cost_amount, discount)
        if of_price and amount is not None:
            amount = self._less(amount, discount)
        return cost_amount, amount, f"{discount:f}%" if self._percent else f"{abs(discount):f}"

    def _less(self, amount: Decimal, discount: Decimal) -> Decimal:
        """An amount less a discount, exactly; money brings it nearer to zero, whatever the sign of either."""
        if self._percent:
            return EXACT.multiply(amount, EXACT.subtract(Decimal(100), discount)).scaleb(-2, EXACT)
        if abs(discount) > abs(amount):
            raise Unreadable("bad_discount", "discount", discount)
        return EXACT.subtract(amount, abs(discount).copy_sign(amount))

    def _text(self, value: Any) -> str:
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC)
        text = str(value).strip()
        return "" if text in self._nulls else text

    def _number(self, value: str, column: str, most: int = DECIMALS) -> Decimal | None:
        """An exact number of at most so many decimals (zeros behind them do not count), None for an absent one."""
        if self._ordinary(value):
            return Decimal(value if self.decimal == "." else value.replace(",", "."))
        text = value.strip()
        if text in self._nulls:
            return None
        if self.decimal == ",":
            # A point would be a thousands separator: refused, never guessed.
            text = text.replace(".", " ").replace(",", ".")
        if len(text) > MAX_NUMBER_TEXT or not _ANY_NUMBER.fullmatch(text):
            raise Unreadable("bad_number", column, value)
        found = Decimal(text)
        if _exponent(found) < -most:
            found = found.normalize(EXACT)
        if _exponent(found) < -most or (found and found.adjusted() >= MAX_WHOLE_DIGITS):
            raise Unreadable("bad_number", column, value)
        return found

    def _revision(self, value: str) -> int | None:
        found = self._number(value, "revision")
        if found is None:
            return None
        if found != int(found) or not 0 <= found <= MAX_REVISION:
            raise Unreadable("bad_number", "revision", value)
        return int(found)

    def _day(self, value: Any, column: str) -> date | None:
        found = self._find(value, column)
        return found.day if found else None

    def _find(self, value: Any, column: str) -> When | None:
        try:
            found: When | None = self._moments[value]
        except (ValueError, OverflowError):
            raise Unreadable("bad_date", column, value) from None
        return found

    def _written(self, value: Any) -> date | None:
        """A date or timestamp as it stands in a cell; raises `ValueError`."""
        if isinstance(value, date):
            return value
        text = str(value).strip()
        if text in self._nulls:
            return None
        moment = next((m for m in (_by_format(text, f) for f in self._formats) if m is not None), None)
        if moment is not None:
            return moment
        if self._iso and _ISO_DATE.fullmatch(text):
            return date.fromisoformat(text)
        if self._iso and _ISO_TIMESTAMP.fullmatch(text):
            return datetime.fromisoformat(text)
        raise ValueError(text)

    def _moment(self, value: Any) -> When | None:
        """Read a date or timestamp; raises `ValueError` or, at the ends of the calendar, `OverflowError`."""
        moment = self._written(value)
        if moment is None:
            return None
        if not isinstance(moment, datetime):
            return When(False, moment, self._midnight(moment))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
        # By way of UTC, so that an hour which the clocks leave out becomes the one they show.
        local = aware.astimezone(UTC).astimezone(self._zone)
        return When(True, local.date(), local)

    def _midnight(self, day: date) -> datetime:
        """The instant at which a local day begins."""
        return datetime.combine(day, MIDNIGHT, self._zone)

    def _span(self, cells: tuple[Any, Any]) -> tuple[datetime, date, date, bool]:
        """Instant, first day, end day (exclusive), and whether an end was given: as a date it is the last day, as a
        timestamp it is exclusive (R17.1) and its day counts unless it is the day's first instant."""
        begins, ends = self._find(cells[0], "period_start"), self._find(cells[1], "period_end")
        if begins is None:
            raise Unreadable("no_date", "period_start")
        if begins.day.year < FIRST_YEAR:
            raise Unreadable("bad_date", "period_start", cells[0])
        if ends is None:
            end_day = _next(begins.day, "period_start")
        elif ends.day < begins.day:
            raise Unreadable("bad_span", "period_end", f"{cells[0]} – {cells[1]}")
        else:
            # Instants of one zone compare by the clock on the wall: the hour that comes twice needs UTC.
            last = ends.at.astimezone(UTC)
            if ends.timestamp and last < begins.at.astimezone(UTC):
                raise Unreadable("bad_span", "period_end", f"{cells[0]} – {cells[1]}")
            at_midnight = ends.timestamp and last <= self._midnight(ends.day).astimezone(UTC)
            end_day = ends.day if at_midnight and ends.day > begins.day else _next(ends.day, "period_end")
        return begins.at, begins.day, end_day, ends is not None


def _by_format(text: str, date_format: str) -> date | None:
    """A date, or a timestamp where the format has hours; None where it does not read the text."""
    try:
        found = datetime.strptime(text, date_format)  # noqa: DTZ007 - the zone is added by whoever asks
    except ValueError:
        return None
    return found if any(code in date_format for code in ("%H", "%I", "%X", "%c")) else found.date()


def _next(day: date, column: str) -> date:
    try:
        return day + DAY
    except OverflowError:
        raise Unreadable("bad_date", column, day) from None


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # only numbers come here
    return exponent


def _refuse_cut(**ids: str) -> None:
    """Raise `Unreadable` for an id, by its column, of which a spreadsheet has kept the first digits alone."""
    for column, value in ids.items():
        if _CUT.fullmatch(value):
            raise Unreadable("cut_id", column, value)


def _check_lengths(identity: str, customer: str, subscription: str, product: str, currency: str) -> None:
    """References are stored folded; without an id a row is known by subscription, product and period."""
    references = {"customer_id": customer, "subscription_id": subscription, "product_id": product}
    for column, value in references.items():
        if len(value.casefold()) > MAX_REFERENCE:
            raise Unreadable("too_long", column, value)
    if len(identity) > MAX_ID:
        raise Unreadable("too_long", "id", identity)
    if not identity and len(subscription.casefold()) + len(product.casefold()) + DAYS_OF_IDENTITY > MAX_ID:
        raise Unreadable("too_long", "product_id", product)
    if len(currency) > MAX_CURRENCY:
        raise Unreadable("bad_currency", "currency", currency)
