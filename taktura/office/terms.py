"""What was agreed, in words: lengths of time, prices, terms of notice. Whole sentences of the reader's language."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from taktura.catalog.services import offer_of
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms
from taktura.invoices.agreed import amount_of, every, length, notice_of, per
from taktura.invoices.rendering.words import unit_word
from taktura.office import show

__all__ = ["amount_of", "anchor_of", "conditions_of", "every", "length", "notice_of", "per", "price_of"]


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


def written_price(line: Mapping[str, Any], currency: str) -> str:
    """The price of a line of a draft, as `price_of`; as it is written where it cannot be read."""
    try:
        offer = offer_of(
            {"lines": {line["article"]: {n: v for n, v in line.items() if n not in ("article", "notice")}}}
        )
    except Refused:
        return str(line.get("price") or "")
    return price_of(next(iter(offer.terms.values())), currency)


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
        price = _for_quantity(show.price(tier.price, currency), terms)
        if tier.flat:
            price = _("%(price)s and %(flat)s at once") % {"price": price, "flat": show.price(tier.flat, currency)}
        if tier.up_to is not None:
            yield _("up to %(quantity)s: %(price)s") % {"quantity": amount_of(tier.up_to, terms.unit), "price": price}
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


def anchor_of(kind: str) -> str:
    """From where periods are counted, in words (R2.4)."""
    if kind == "contract":
        return _("counted from the contract's start")
    if kind == "calendar":
        return _("by the calendar")
    return _("on day %(day)s of the month") % {"day": kind.removeprefix("day ")}
