"""Numbers, money and dates as a reader of the document's language writes them (Babel). Nothing is rounded here: Babel
reckons in the context of the thread, so each call gets one that is wide enough."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from functools import cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_symbol

from taktura.core.money import EXACT, places

LOCALES = {"de": "de_DE", "sv": "sv_SE", "en": "en_GB"}
DATES = {"de": "dd.MM.yyyy", "sv": "yyyy-MM-dd", "en": "d MMM yyyy"}  # as usual on invoices, all years in full

_CODE_BEFORE = re.compile(r"([A-Za-z])(\d)")  # a currency's code and the figures after it, without a space


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """The formats of one language and currency.

    Prices, quantities and rates are written with all the decimals they have (R1.2 allows 12; an issued document that
    has more must be readable all the same); an amount with more decimals than its currency raises `ValueError`.
    """

    language: str
    locale: Locale
    currency: str
    digits: int

    def day(self, day: date) -> str:
        """Write a date."""
        return str(format_date(day, DATES[self.language], locale=self.locale))

    def money(self, amount: Decimal) -> str:
        """Write a rounded amount with exactly the currency's decimals, and the currency."""
        pattern = _pattern(self.locale.currency_formats["standard"].pattern, self.digits, self.digits)
        whole = self._whole(amount)
        with localcontext(EXACT):
            text = format_currency(whole, self.currency, pattern, locale=self.locale, currency_digits=False)
        return _CODE_BEFORE.sub("\\1\u00a0\\2", _minus(text))

    def amount(self, amount: Decimal) -> str:
        """Write a rounded amount with exactly the currency's decimals, where the currency stands at the column."""
        return self._number(self._whole(amount), self.digits)

    def unit_price(self, price: Decimal) -> str:
        """Write a price with at least the currency's decimals: 0.075 is "0,075"."""
        return self._number(price, self.digits)

    def quantity(self, quantity: Decimal) -> str:
        """Write a quantity, without trailing zeros."""
        return self._number(quantity, 0)

    def rate(self, percent: Decimal) -> str:
        """Write a rate given in percent, without trailing zeros: 19 is "19 %"."""
        pattern = _pattern(self.locale.percent_formats[None].pattern, 0, _decimals(percent))
        with localcontext(EXACT):
            return _minus(format_percent(percent.scaleb(-2), pattern, locale=self.locale))

    @property
    def symbol(self) -> str:
        """The currency as its reader knows it: a sign or the code."""
        return str(get_currency_symbol(self.currency, locale=self.locale))

    def country(self, code: str) -> str:
        """Return a country's name, or the code where there is none."""
        return str(self.locale.territories.get(code, code))

    def _number(self, number: Decimal, least: int) -> str:
        pattern = _pattern("#,##0", least, max(least, _decimals(number)))
        with localcontext(EXACT):
            return _minus(format_decimal(number, pattern, locale=self.locale))

    def _whole(self, amount: Decimal) -> Decimal:
        """Refuse an amount that is not whole in minor units, which Babel would round."""
        if _decimals(amount) > self.digits:
            raise ValueError(f"{amount} has more than {self.digits} decimals")
        return amount


@cache
def formats_of(language: str, currency: str) -> Formats:
    """Return the formats of a document's language (`de`, `sv`, else English) and currency."""
    known = language if language in LOCALES else "en"
    return Formats(language=known, locale=Locale.parse(LOCALES[known]), currency=currency, digits=places(currency))


def _pattern(pattern: str, least: int, most: int) -> str:
    """Set the decimals of a locale's number pattern: at least so many, at most so many."""
    decimals = "0" * least + "#" * (most - least)
    return re.sub(r"0(\.[0#]+)?(?![0#.])", "0" + (f".{decimals}" if decimals else ""), pattern)


def _minus(text: str) -> str:
    """Write the minus as a sign of its own, as wide as a digit, not as a hyphen."""
    return text.replace("-", "\u2212")


def _decimals(number: Decimal) -> int:
    """How many decimals a number has, without trailing zeros; `ValueError` for what is no number."""
    exponent = number.normalize(EXACT).as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{number} is no number to print")
    return max(-exponent, 0)
