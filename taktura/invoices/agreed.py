"""What was agreed, in whole sentences of the reader's language: lengths of time, quantities, terms of notice. Pages and
price lists say them alike."""

from decimal import Decimal
from fractions import Fraction

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from taktura.core.money import plain
from taktura.core.periods import Span
from taktura.core.terms import OPEN, Terms
from taktura.invoices.rendering.formats import Formats, formats_of
from taktura.invoices.rendering.words import unit_word
from taktura.kit.language import LANGUAGES

DECIMALS = 4


def language() -> str:
    """The reader's language."""
    found = (get_language() or "en")[:2]
    return found if found in LANGUAGES else "en"


def _formats() -> Formats:
    return formats_of(language(), "EUR")  # no amount of money is written with them


def price_text(price: Decimal, formats: Formats) -> str:
    """A price with its currency, with all its decimals."""
    try:
        return formats.money(price)
    except ValueError:  # more decimals than the currency has
        number = formats.unit_price(price)
        return f"{formats.symbol}{number}" if formats.language == "en" else f"{number}\u00a0{formats.symbol}"


def length(span: Span) -> str:
    """A length of time: "3 months"."""
    named = {"count": _formats().quantity(Decimal(span.count))}
    if span.unit == "day":
        return ngettext("%(count)s day", "%(count)s days", span.count) % named
    if span.unit == "week":
        return ngettext("%(count)s week", "%(count)s weeks", span.count) % named
    if span.unit == "month":
        return ngettext("%(count)s month", "%(count)s months", span.count) % named
    return ngettext("%(count)s year", "%(count)s years", span.count) % named


def every(span: Span) -> str:
    """How often: "monthly", "every 3 months"."""
    if span.count == 1:
        return {"day": _("daily"), "week": _("weekly"), "month": _("monthly"), "year": _("yearly")}[span.unit]
    return _("every %(span)s") % {"span": length(span)}


def per(span: Span) -> str:
    """What a price is for: "per month", "per 3 months"."""
    if span.count == 1:
        return {"day": _("per day"), "week": _("per week"), "month": _("per month"), "year": _("per year")}[span.unit]
    return _("per %(span)s") % {"span": length(span)}


def amount_of(quantity: Decimal, unit: str) -> str:
    """A quantity with its unit, with at most `DECIMALS`: exactly it stands in the proof. Pieces are counted without a
    word."""
    word = unit_word(unit, quantity, language())
    number = _formats().quantity(plain(Fraction(quantity), DECIMALS))
    return f"{number}\u00a0{word}" if word else number


def notice_of(terms: Terms) -> list[str]:
    """How a contract can end (R15), in sentences."""
    found = []
    if terms.initial_term:
        found.append(_("Runs for at least %(span)s.") % {"span": length(terms.initial_term)})
        if terms.renewal_term is None:
            found.append(_("Ends by itself after that."))
        elif isinstance(terms.renewal_term, Span):
            found.append(_("Then it is renewed by %(span)s each time.") % {"span": length(terms.renewal_term)})
        elif terms.renewal_term == OPEN:
            found.append(_("Then it runs on without a term."))
    else:
        found.append(_("Runs without a term."))
    if terms.initial_term and terms.renewal_term is None:
        return found
    named = {"span": length(terms.notice)} if terms.notice else {}
    if terms.notice is None:
        found.append(
            {
                "day": _("Notice ends it on the day of receipt."),
                "month_end": _("Notice ends it with the month."),
                "term_end": _("Notice ends it with the term."),
            }[terms.to]
        )
    elif terms.to == "month_end":
        found.append(_("Notice: %(span)s to the end of a month.") % named)
    elif terms.to == "term_end" and terms.renewal_term != OPEN:
        found.append(_("Notice: %(span)s to the end of the term.") % named)
    elif terms.to == "term_end":
        found.append(_("Notice: %(span)s to the end of the first term, later to any day.") % named)
    else:
        found.append(_("Notice: %(span)s to any day.") % named)
    return found
