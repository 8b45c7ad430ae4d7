"""What a line comes to: sentences with its own figures, and its price over the quantity as picture and table."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from taktura.catalog.models import TariffDraft
from taktura.catalog.price_curve import Example, Point, bends, curve, examples, has_curve
from taktura.catalog.terms import version_fields
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms, TariffTerms
from taktura.core.money import places
from taktura.kit.exact import decimal
from taktura.office import show
from taktura.office.terms import amount_of, per, price_of

CHART = "price-curve"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table beside the picture: quantity (just above it where the price jumps), price, price of one."""

    quantity: str
    amount: str
    each: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The price over the quantity: what the chart draws, and the same as rows."""

    chart: dict[str, Any]
    rows: list[Row]


def says(terms: LineTerms, draft: TariffDraft, currency: str) -> list[str]:
    """Sentences about a line, the first its price."""
    found = examples(terms, bounds_of(draft), places(currency))
    return [f"{price_of(terms, currency)}.", *(_SENTENCES[one.kind](one, terms, currency) for one in found)]


def bounds_of(draft: TariffDraft) -> TariffTerms:
    """Minimum and cap of a draft, as far as they can be read."""
    given: dict[str, Any] = {}
    for name, field in (("minimum", "minimum_sales"), ("cap", "cost_cap")):
        try:
            clean = version_fields({field: draft.fields.get(field)})
        except Refused:
            continue
        given[name] = decimal(clean[field]) if clean.get(field) is not None else None
    return TariffTerms(**given)


def _money(amount: int | None, currency: str) -> str:
    return show.minor(amount or 0, currency)


def _plain(one: Example, terms: LineTerms, currency: str) -> str:
    named = {
        "quantity": amount_of(one.quantity, terms.unit), "amount": _money(one.amount, currency),
        "other": _money(one.other, currency), "size": amount_of(terms.price_quantity, terms.unit),
        "price": show.price(terms.price, currency),
    }  # fmt: skip
    if one.other is None:
        return _("%(quantity)s cost %(amount)s.") % named
    if terms.package == "started":
        return _("%(quantity)s at %(price)s per %(size)s begun cost %(amount)s (by their part: %(other)s).") % named
    return _("%(quantity)s at %(price)s per %(size)s cost %(amount)s (started packages: %(other)s).") % named


def _included(one: Example, terms: LineTerms, currency: str) -> str:
    return _("%(quantity)s with %(included)s included: %(amount)s.") % {
        "quantity": amount_of(one.quantity, terms.unit), "included": amount_of(terms.included, terms.unit),
        "amount": _money(one.amount, currency),
    }  # fmt: skip


def _bound(one: Example, terms: LineTerms, currency: str) -> str:
    return _("%(quantity)s cost %(amount)s, one more %(other)s in all.") % {
        "quantity": amount_of(one.quantity, terms.unit), "amount": _money(one.amount, currency),
        "other": _money(one.other, currency),
    }  # fmt: skip


def _scale(one: Example, terms: LineTerms, currency: str) -> str:
    return _("Above %(quantity)s %(rate)s off: %(amount)s there, %(other)s with one more.") % {
        "quantity": amount_of(one.quantity, terms.unit), "rate": show.rate(one.percent),
        "amount": _money(one.amount, currency), "other": _money(one.other, currency),
    }  # fmt: skip


def _call(one: Example, terms: LineTerms, currency: str) -> str:
    return _("A call of %(seconds)s seconds counts as %(billed)s and costs %(amount)s beyond what is included.") % {
        "seconds": show.count(one.seconds), "billed": show.count(one.billed), "amount": _money(one.amount, currency),
    }  # fmt: skip


def _flat(one: Example, terms: LineTerms, currency: str) -> str:
    if one.other is None:
        return _("%(amount)s whatever is used. Without a reference price nobody can tell whether it pays.") % {
            "amount": _money(one.amount, currency)
        }
    return _("%(quantity)s at the reference price are %(other)s against %(amount)s.") % {
        "quantity": amount_of(one.quantity, "minute"), "other": _money(one.other, currency),
        "amount": _money(one.amount, currency),
    }  # fmt: skip


def _half(one: Example, terms: LineTerms, currency: str) -> str:
    return _("15 of the 30 days of a month cost %(amount)s.") % {"amount": _money(one.amount, currency)}


def _span(one: Example, terms: LineTerms, currency: str) -> str:
    return _("%(other)s %(price_per)s are %(amount)s %(interval)s on the bill.") % {
        "other": _money(one.other, currency), "price_per": per(terms.price_per), "interval": per(terms.interval),
        "amount": _money(one.amount, currency),
    }  # fmt: skip


def _minimum(one: Example, terms: LineTerms, currency: str) -> str:
    return _("%(quantity)s cost %(amount)s: the minimum of %(other)s tops that up by %(more)s.") % {
        "quantity": amount_of(one.quantity, terms.unit), "amount": _money(one.amount, currency),
        "other": _money(one.other, currency), "more": _money(one.more, currency),
    }  # fmt: skip


def _cap(one: Example, terms: LineTerms, currency: str) -> str:
    return _("%(quantity)s cost %(amount)s: the cap of %(other)s takes %(more)s off.") % {
        "quantity": amount_of(one.quantity, terms.unit), "amount": _money(one.amount, currency),
        "other": _money(one.other, currency), "more": _money(one.more, currency),
    }  # fmt: skip


def _supplier(one: Example, terms: LineTerms, currency: str) -> str:
    return _("What costs %(other)s at the supplier is billed at %(amount)s.") % {
        "other": _money(one.other, currency), "amount": _money(one.amount, currency),
    }  # fmt: skip


_SENTENCES: dict[str, Callable[[Example, LineTerms, str], str]] = {
    "plain": _plain, "included": _included, "bound": _bound, "scale": _scale, "call": _call, "flat": _flat,
    "half": _half, "span": _span, "minimum": _minimum, "cap": _cap, "supplier": _supplier,
}  # fmt: skip


def picture(terms: LineTerms, currency: str) -> Picture | None:
    """The price over the quantity; None where it does not depend on it."""
    if not has_curve(terms):
        return None
    digits = places(currency)
    points = curve(terms, digits)
    chart = {
        "type": "line", "linear": True, "currency": currency, "x": _("Quantity"),
        "datasets": [
            {"label": _("Price in all"), "data": [_at(p, show.exact(p.amount, currency)) for p in points]},
            {
                "label": _("Price of one"), "yAxisID": "y1",
                "data": [_at(p, p.each) for p in points if p.each is not None],
            },
        ],
    }  # fmt: skip
    return Picture(chart, [_row(p, terms, currency) for p in bends(terms, digits)])


def _at(point: Point, value: Decimal) -> dict[str, str]:
    """A point of the chart; its numbers as texts, exactly."""
    return {"x": str(point.quantity), "y": str(value)}


def _row(point: Point, terms: LineTerms, currency: str) -> Row:
    quantity = amount_of(point.quantity, terms.unit)
    return Row(
        _("just above %(quantity)s") % {"quantity": quantity} if point.above else quantity,
        _money(point.amount, currency),
        show.price(point.each, currency) if point.each is not None else show.NONE,
    )
