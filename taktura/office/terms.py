"""What was agreed, in words: lengths of time, prices, terms of notice. Whole sentences of the reader's language."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from taktura.core.facts import LineTerms
from taktura.core.money import plain
from taktura.core.periods import Span
from taktura.core.terms import OPEN, Terms
from taktura.invoices.rendering.words import unit_word
from taktura.office import show

DECIMALS = 4


def length(span: Span) -> str:
    """A length of time: "3 months"."""
    named = {"count": show.count(span.count)}
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
    word = unit_word(unit, quantity, show.language())
    number = show.quantity(plain(Fraction(quantity), DECIMALS))
    return f"{number}\u00a0{word}" if word else number


def price_of(terms: LineTerms, currency: str, own: Decimal | None = None) -> str:
    """The price of a line, in one sentence without a full stop. `own`: the contract's own price (R7.5)."""
    if own is None and terms.usage_pricing == "cost_plus":
        return _("the supplier's cost and %(rate)s on it") % {"rate": show.rate(terms.markup)}
    if own is None and terms.usage_pricing == "imported_price":
        return _("at the supplier's price")
    if terms.tiers and own is None:
        return "; ".join(_tiers(terms, currency))
    price = show.price(terms.price if own is None else own, currency)
    if terms.charge == "once":
        return _("%(price)s once") % {"price": price}
    if terms.flat_price:
        return _("%(price)s flat %(per)s") % {"price": price, "per": per(terms.interval)}
    if terms.charge == "usage":
        return _for_quantity(price, terms)
    if terms.price_quantity != 1:
        price = _for_quantity(price, terms)
    return _("%(price)s %(per)s") % {"price": price, "per": per(terms.price_per)}


def _for_quantity(price: str, terms: LineTerms) -> str:
    word = unit_word(terms.unit, Decimal(1), show.language())
    if terms.price_quantity != 1:
        many = amount_of(terms.price_quantity, terms.unit)
        started = terms.package == "started"
        text = _("%(price)s for each %(quantity)s begun") if started else _("%(price)s for %(quantity)s")
        return text % {"price": price, "quantity": many}
    if word:
        return _("%(price)s per %(unit)s") % {"price": price, "unit": word}
    return _("%(price)s each") % {"price": price}


def _tiers(terms: LineTerms, currency: str) -> Iterator[str]:
    for tier in terms.tiers:
        price = show.price(tier.price, currency)
        if tier.flat:
            price = _("%(price)s and %(flat)s at once") % {"price": price, "flat": show.price(tier.flat, currency)}
        if tier.up_to is not None:
            yield _("up to %(quantity)s: %(price)s") % {"quantity": show.quantity(tier.up_to), "price": price}
        else:
            yield _("beyond: %(price)s") % {"price": price}


def conditions_of(terms: LineTerms) -> list[str]:
    """What else a line says: included quantity, discounts, when it is billed, minimum and cap."""
    found = []
    if terms.included:
        found.append(_("%(quantity)s included") % {"quantity": amount_of(terms.included, terms.unit)})
    if terms.tiers and terms.tier_mode == "volume":
        found.append(_("the tier of the whole quantity holds for all of it"))
    for above, percent in terms.discount_scale:
        found.append(
            _("above %(quantity)s %(rate)s off") % {"quantity": show.quantity(above), "rate": show.rate(percent)}
        )
    if terms.charge == "recurring":
        found.append(_("billed %(every)s") % {"every": every(terms.interval)})
        found.append(_("in advance") if terms.when == "advance" else _("in arrears"))
        if terms.proration == "none":
            found.append(_("a period begun counts whole"))
    if terms.in_minimum:
        found.append(_("counts in the minimum sales"))
    if terms.in_cap:
        found.append(_("counts in the cost cap"))
    return found


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


def anchor_of(kind: str) -> str:
    """From where periods are counted, in words (R2.4)."""
    if kind == "contract":
        return _("counted from the contract's start")
    if kind == "calendar":
        return _("by the calendar")
    return _("on day %(day)s of the month") % {"day": kind.removeprefix("day ")}
