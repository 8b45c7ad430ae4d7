"""Tags and filters of the office's templates: `{% load office %}`."""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.forms import BoundField
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from taktura.accounts.models import User
from taktura.catalog.titles import in_language
from taktura.core.periods import Span
from taktura.invoices.rendering import DocumentView
from taktura.invoices.rendering.page import page_of
from taktura.invoices.rendering.words import unit_word
from taktura.office import show, terms
from taktura.office.page import may_open
from taktura.office.states import STATES

register = template.Library()
ICONS = Path(__file__).resolve().parent.parent / "icons"


@cache
def _paths(name: str) -> str:
    """What is inside an icon's drawing. `FileNotFoundError`: put the icon into the folder."""
    text = (ICONS / f"{name}.svg").read_text("utf-8")
    inner = text.partition(">")[2].rpartition("</svg>")[0]
    return " ".join(inner.replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "").split())


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """An icon, hidden from screen readers: a word stands beside it, or the button has a label."""
    head = (
        f'<svg class="icon {extra}" width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
        ' stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
    )
    return mark_safe(f"{head}{_paths(name)}</svg>")  # noqa: S308 - our own files


@register.simple_tag
def state(kind: str, value: Any) -> SafeString:
    """A state as a badge: colour, icon and word."""
    value = str(value)
    colour, drawing = STATES[kind].get(value, ("secondary", "info-circle"))
    return format_html('<span class="badge bg-{}-lt state">{} {}</span>', colour, icon(drawing), show.word(kind, value))


@register.filter
def word(value: Any, kind: str) -> str:
    """The word for a stored value: `{{ customer.kind|word:"customer" }}`."""
    return show.word(kind, str(value))


@register.filter
def hours(minutes: int) -> str:
    """Minutes as hours and minutes: 1:30."""
    return show.hours(minutes)


@register.filter
def day(value: date | None) -> SafeString | str:
    """A day, short, its weekday on hover."""
    if value is None:
        return show.NONE
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), show.weekday(value), show.day(value)
    )


@register.filter
def last_day(end: date | None) -> SafeString | str:
    """The last day of a span whose end is exclusive."""
    return day(date.fromordinal(end.toordinal() - 1)) if end else show.NONE


@register.filter
def days(first: date, end: date | None) -> str:
    """A span of days as people print it, one day as that day: `{{ wait.first|days:wait.end }}`; `end` is exclusive."""
    if end is not None and end <= first:
        return _("never")  # what ended before it began
    single = end is not None and end.toordinal() - first.toordinal() == 1
    return show.day(first) if single else show.period(first, end)


@register.filter
def clock(seconds: int) -> str:
    """Whole seconds as a clock shows them: 1:02:03."""
    return show.clock(seconds)


@register.filter
def span_of(first: date, end: date) -> str:
    """A span as people print it, of which the end may be none: `{{ month.first|span_of:month.end }}`."""
    return show.period(first, None if end == date.max else end)


@register.filter
def month(value: date) -> str:
    """The month of a day, with its year."""
    return show.month(value)


@register.filter
def moment(value: datetime | None, seller: Any) -> str:
    """An instant at the seller's place: `{{ entry.at|moment:seller }}`."""
    return show.moment(value, seller.time_zone if seller else "UTC")


@register.filter
def money(value: Decimal | None, currency: str) -> str:
    """A rounded decimal amount with its currency."""
    return show.NONE if value is None else show.money(value, currency)


@register.filter
def minor(value: int | None, currency: str) -> str:
    """Whole minor units as money: `{{ document.gross|minor:document.currency }}`."""
    return show.NONE if value is None else show.minor(value, currency)


@register.filter
def amount(value: int | None, currency: str) -> str:
    """Whole minor units as a number; the currency stands in the heading."""
    return show.NONE if value is None else show.plain_amount(value, currency)


@register.filter
def line_price(line: dict[str, Any], currency: str) -> str:
    """The price of a line of a draft in words: `{{ line|line_price:currency }}`."""
    return terms.written_price(line, currency)


@register.filter
def price(value: Decimal | None, currency: str) -> str:
    """A unit price with all its decimals and its currency."""
    return show.NONE if value is None else show.price(value, currency)


@register.filter
def unit_price(value: Decimal | None, currency: str) -> str:
    """A unit price with all its decimals, where the currency stands elsewhere."""
    return show.NONE if value is None else show.formats(currency).unit_price(value)


@register.filter
def quantity(value: Decimal | None) -> str:
    """A quantity without trailing zeros."""
    return show.NONE if value is None else show.quantity(value)


@register.filter
def unit(value: str, quantity: Decimal) -> str:
    """The word for a unit behind a quantity: `{{ line.unit|unit:line.quantity }}`."""
    return unit_word(value, quantity, show.language())


@register.filter
def count(value: int) -> str:
    """A whole number with its thousands apart."""
    return show.count(value)


@register.filter
def rate(value: Decimal | None) -> str:
    """A rate in percent."""
    return show.NONE if value is None else show.rate(value)


@register.filter
def span(value: Any) -> str:
    """A length of time in words."""
    return show.span(value)


@register.filter
def every(value: Span) -> str:
    """How often, in words: "monthly"."""
    return terms.every(value)


@register.simple_tag
def refusal(refused: Any) -> str:
    """A refusal's sentence in the reader's language."""
    return show.refusal(refused)


@register.filter
def titled(row: Any) -> str:
    """What something with titles by language is called in the reader's language."""
    return in_language(row.title, row.titles, show.language())


@register.filter
def country(code: str) -> str:
    """A country's name in the reader's language."""
    return show.formats().country(code) if code else show.NONE


@register.simple_tag(takes_context=True)
def page_link(context: dict[str, Any], name: str, pk: Any, text: str) -> SafeString | str:
    """A link to a page by its name; only the text for those who may not open it."""
    address = place(name, pk)
    if not address or not may_open(context["request"].user, address):
        return text
    return format_html('<a href="{}">{}</a>', address, breaking(text))


# What is long and has no space, outside of a tag; and where it may break.
_LONG = re.compile(r"[^\s<>&;]{31,}(?![^<>]*>)")
_PIECE = 16
# Where a word of letters may be divided with a hyphen: before the consonant before a vowel, as German and Swedish do.
_SYLLABLE = re.compile(r"(?:sch|ch|ck|ph|th|qu|[bcdfghjklmnpqrstvwxzß])(?=[aeiouyäöåü])", re.IGNORECASE)
_LEAST, _MOST = 4, 13  # letters before a hyphen
_HYPHEN = '<span class="may-break"></span>'  # the style sheet gives it a soft hyphen, which is not copied


@register.filter
def breaking(value: Any) -> SafeString:
    """A text of a table's cell in which long words may break, so that one of them does not push columns out of sight:
    `{{ cell|breaking }}`. The breaks are not copied."""
    return mark_safe(_LONG.sub(_broken, conditional_escape(value)))  # noqa: S308 - escaped above


def _broken(found: re.Match[str]) -> str:
    word = found[0]
    if word.isalpha():
        places, pieces, start = [one.start() for one in _SYLLABLE.finditer(word)], list[str](), 0
        while len(word) - start > _MOST:
            end = max((p for p in places if _LEAST <= p - start <= _MOST), default=start + _MOST)
            pieces.append(word[start:end])
            start = end
        return _HYPHEN.join([*pieces, word[start:]])
    return "<wbr>".join(word[i : i + _PIECE] for i in range(0, len(word), _PIECE))


@register.simple_tag
def place(name: str, *args: Any) -> str:
    """The address of a page by its name, or nothing where there is no such page: `{% place "documents" as url %}`."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@register.filter
def actor(value: str) -> str:
    """Who acted, as people say it."""
    return show.actor(value)


@register.filter
def may(user: User, permission: str) -> bool:
    """Whether a user has a permission: `{% if user|may:"billing.run" %}`."""
    return user.may(permission)


@register.simple_tag
def field(bound: BoundField, **options: Any) -> SafeString:
    """A field of a form: its label above, help, and its errors beside it."""
    return mark_safe(render_to_string("office/field.html", {"field": bound, **options}))  # noqa: S308


@register.simple_tag
def paper(view: DocumentView) -> SafeString:
    """A document as it is printed, or would be: `{% paper view %}`, a view of `invoices.printing`."""
    return mark_safe(render_to_string("office/paper.html", {"page": page_of(view)}))  # noqa: S308


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """The page's query with some parameters changed (None: taken away), as `?…`; paging starts anew."""
    parameters = context["request"].GET.copy()
    for name in ("after", "before", "export"):
        parameters.pop(name, None)
    for name, value in changes.items():
        parameters.pop(name, None)
        if value is not None:
            parameters[name] = value
    return f"?{parameters.urlencode()}"
