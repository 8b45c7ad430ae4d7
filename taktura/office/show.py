"""Numbers, money, days and words as the reader of a page writes them. Nothing is rounded here."""

import re
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from django.utils.translation import get_language, gettext, ngettext

from taktura.core.errors import Refused
from taktura.core.money import Money, places
from taktura.core.periods import Span
from taktura.invoices.rendering.formats import LOCALES, Formats, formats_of
from taktura.kit.language import LANGUAGES, translate

NONE = "–"  # where there is nothing to show
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
SHORT_DAYS = {"de": "dd.MM.yyyy", "sv": "yyyy-MM-dd", "en": "d MMM yyyy"}


def language() -> str:
    """The reader's language."""
    found = (get_language() or "en")[:2]
    return found if found in LANGUAGES else "en"


def formats(currency: str = "EUR") -> Formats:
    """The formats of the reader's language and a currency."""
    return formats_of(language(), currency)


def money(amount: Decimal, currency: str) -> str:
    """A rounded amount with its currency; one with more decimals than the currency has shows them all."""
    known = formats(currency)
    try:
        return known.money(amount)
    except ValueError:
        return f"{known.unit_price(amount)}\u00a0{currency}"


def minor(amount: int, currency: str) -> str:
    """Whole minor units of a currency as money."""
    return money(Money(amount, places(currency)).exact, currency)


def exact(amount: int, currency: str) -> Decimal:
    """Whole minor units as a decimal, for a file."""
    return Money(amount, places(currency)).exact


def plain_amount(amount: int, currency: str) -> str:
    """Whole minor units as a number, where the currency stands at the column."""
    return formats(currency).amount(Money(amount, places(currency)).exact)


def price(amount: Decimal, currency: str) -> str:
    """A unit price with its currency, with all its decimals."""
    known = formats(currency)
    try:
        return known.money(amount)
    except ValueError:  # more decimals than the currency has
        number = known.unit_price(amount)
        return f"{known.symbol}{number}" if known.language == "en" else f"{number}\u00a0{known.symbol}"


def quantity(number: Decimal) -> str:
    """A quantity without trailing zeros."""
    return formats().quantity(number)


def count(number: int) -> str:
    """A whole number with its thousands apart."""
    return formats().quantity(Decimal(number))


def hours(minutes: int) -> str:
    """Whole minutes as hours and minutes: 1:30."""
    sign, rest = ("−", -minutes) if minutes < 0 else ("", minutes)
    return f"{sign}{rest // 60}:{rest % 60:02}"


def clock(seconds: int) -> str:
    """Whole seconds as a clock shows them: 1:02:03."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def rate(percent: Decimal) -> str:
    """A rate in percent."""
    return formats().rate(percent)


def day(value: date | None) -> str:
    """A day, short; nothing as a dash."""
    return format_date(value, SHORT_DAYS[language()], locale=LOCALES[language()]) if value else NONE


def weekday(value: date) -> str:
    """A day in full, with its weekday, for whoever hovers over the short one."""
    return format_date(value, "full", locale=LOCALES[language()])


def month(value: date) -> str:
    """The month of a day, with its year."""
    return format_date(value, "MMM y", locale=LOCALES[language()])


def moment(value: datetime | None, time_zone: str) -> str:
    """An instant where the seller is: day, hour and minute."""
    if value is None:
        return NONE
    local = value.astimezone(ZoneInfo(time_zone))
    return f"{day(local.date())} {format_time(local, 'HH:mm', locale=LOCALES[language()])}"


def last_day(end: date | None) -> str:
    """The last day of a span that ends before `end`."""
    return day(date.fromordinal(end.toordinal() - 1)) if end else NONE


def period(start: date, end: date | None) -> str:
    """A span as people print it: from its first to its last day."""
    return f"{day(start)} – {last_day(end)}" if end else gettext("from %(day)s") % {"day": day(start)}


def word(kind: str, value: str) -> str:
    """The word for a stored value (a state, a kind, a reason), by the table in `words`."""
    from taktura.office.words import WORDS

    return gettext(WORDS[kind].get(value, value)) if value else NONE


def span(value: Span | None) -> str:
    """A length of time in words: "3 months"."""
    if value is None:
        return NONE
    names = {
        "day": ngettext("%(count)s day", "%(count)s days", value.count),
        "week": ngettext("%(count)s week", "%(count)s weeks", value.count),
        "month": ngettext("%(count)s month", "%(count)s months", value.count),
        "year": ngettext("%(count)s year", "%(count)s years", value.count),
    }
    return names[value.unit] % {"count": value.count}


def refusal(refused: Refused) -> str:
    """A refusal's sentence in the reader's language; days, numbers and names of fields in it as the reader has them."""
    values = {n: _as_read(v) for n, v in refused.values.items()}
    if "fields" in values:
        values["fields"] = ", ".join(field(name) for name in str(values["fields"]).split(", "))
    return translate(refused.text, values, language())


def field(name: str) -> str:
    """The name of a field that lacks something, as forms have it: `seller.phone` is one of the own company."""
    whose, _sep, own = name.rpartition(".")
    found = word("field", own)
    return gettext("%(field)s (your company)") % {"field": found} if whose == "seller" else found


BY_ITSELF = ("schedule", "vies")  # who acts in the log when nobody does


def actor(name: str) -> str:
    """Who acted, by the name in the log: without the mark of where they came in, but for customers."""
    kind, _sep, who = name.partition(":")
    if kind == "portal":
        return gettext("%(who)s (customer portal)") % {"who": who}
    if kind == "button":
        return gettext("Notice without sign-in")
    if name in BY_ITSELF:
        return "Taktura"
    return name.removeprefix("user:").removeprefix("cli:")


def _as_read(value: object) -> object:
    if isinstance(value, Money):
        return replace(formats(), digits=value.digits).amount(value.exact)
    if isinstance(value, Decimal):
        return formats().quantity(value)
    try:
        return day(date.fromisoformat(value)) if isinstance(value, str) and ISO_DAY.fullmatch(value) else value
    except ValueError:
        return value
