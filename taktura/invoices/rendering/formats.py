"""Numbers, money and dates as a reader of the document's language writes them (Babel). Nothing is rounded here."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from taktura.core.money import DECIMALS, EXACT, places

LOCALES = {"de": "de_DE", "sv": "sv_SE", "en": "en_GB"}
DATES = {"de": "dd.MM.yyyy", "sv": "yyyy-MM-dd", "en": "d MMM yyyy"}  # as usual on invoices, all years in full


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """The formats of one language and currency. `ValueError` for a number with more decimals than may be shown."""

    language: str
    locale: Locale
    currency: str
    digits: int

    def day(self, day: date) -> str:
        """Write a date."""
        return format_date(day, DATES[self.language], locale=self.locale)

    def amount(self, amount: Decimal) -> str:
        """Write a rounded amount with exactly the currency's decimals."""
        return self._money(amount, self.digits)

    def unit_price(self, price: Decimal) -> str:
        """Write a price with at least the currency's decimals and at most 12 (R1.2): 0.075 is "0,075 €"."""
        return self._money(price, DECIMALS)

    def quantity(self, quantity: Decimal) -> str:
        """Write a quantity with up to 12 decimals (R1.2), without trailing zeros."""
        return format_decimal(_checked(quantity, DECIMALS), _pattern("#,##0", 0, DECIMALS), locale=self.locale)

    def rate(self, percent: Decimal) -> str:
        """Write a VAT rate given in percent: 19 is "19 %"."""
        pattern = _pattern(self.locale.percent_formats[None].pattern, 0, DECIMALS)
        return format_percent(_checked(percent, DECIMALS).scaleb(-2, EXACT), pattern, locale=self.locale)

    def country(self, code: str) -> str:
        """Return a country's name, or the code where there is none."""
        return self.locale.territories.get(code, code)

    def _money(self, number: Decimal, most: int) -> str:
        pattern = _pattern(self.locale.currency_formats["standard"].pattern, self.digits, most)
        return format_currency(
            _checked(number, most), self.currency, pattern, locale=self.locale, currency_digits=False
        )


@cache
def formats_of(language: str, currency: str) -> Formats:
    """Return the formats of a document's language (`de`, `sv`, else English) and currency."""
    known = language if language in LOCALES else "en"
    return Formats(language=known, locale=Locale.parse(LOCALES[known]), currency=currency, digits=places(currency))


def _pattern(pattern: str, least: int, most: int) -> str:
    """Set the decimals of a locale's number pattern: at least so many, at most so many."""
    decimals = "0" * least + "#" * (most - least)
    return re.sub(r"0(\.[0#]+)?(?![0#.])", "0" + (f".{decimals}" if decimals else ""), pattern)


def _checked(number: Decimal, most: int) -> Decimal:
    """Refuse what Babel would round: an amount that is not whole in minor units, more than 12 decimals."""
    exponent = number.normalize(EXACT).as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > most:
        raise ValueError(f"{number} has more than {most} decimals")
    return number
