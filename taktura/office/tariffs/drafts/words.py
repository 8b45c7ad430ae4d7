"""Settings of tariffs and of their lines in words: what they are called, and what they say."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from taktura.catalog.drafts import Change
from taktura.catalog.models import TariffDraft
from taktura.catalog.terms import LINE_NAMES, read_rates
from taktura.core.errors import Refused
from taktura.core.periods import parse_span
from taktura.core.terms import parse_terms
from taktura.office import history, show
from taktura.office.terms import anchor_of, every, length, notice_of

PRICES = {"price", "minimum_sales", "cost_cap", "interim_threshold", "reference_price"}
QUANTITIES = {"included", "price_quantity"}
WORDED = {
    "charge": "line", "booking": "booking", "when": "when", "package": "package", "proration": "proration",
    "included_proration": "proration", "minimum_proration": "proration", "cap_proration": "proration",
    "tier_mode": "tier_mode", "aggregate": "aggregate", "tick_scope": "tick_scope", "usage_pricing": "usage_pricing",
    "unit": "unit", "bookable_by": "bookable_by", "order_approval": "order_approval",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """A change in words: whose setting (a line's title; empty: the tariff's), which, and what it was and is."""

    line: str
    name: str
    setting: str
    before: str
    after: str


def told(change: Change, draft: TariffDraft) -> Told:
    """A change of a draft's fields in words."""
    currency = str(draft.fields.get("currency") or draft.seller.currency)
    return said(change, currency, {x["article"]: x.get("title") or x["article"] for x in draft.fields.get("lines", ())})


def said(change: Change, currency: str, titles: dict[str, str]) -> Told:
    """A change in words. `titles`: of the lines, by article."""
    line = titles.get(change.article, change.article)
    if not change.article and not change.field:
        rows = [", ".join(titles.get(a, a) for a in order or ()) for order in (change.before, change.after)]
        return Told("", "lines", _("Order of the lines"), *rows)
    if not change.field:
        before, after = (_("there") if row else show.NONE for row in (change.before, change.after))
        whole = change.before or change.after or {}
        return Told(str(whole.get("title") or line), "", _("Line"), before, after)
    pair = [setting(change.field, value, currency) for value in (change.before, change.after)]
    return Told(line, change.field, history.field(change.field), *pair)


def all_said(changes: Iterable[Change], currency: str, *fields: dict[str, Any]) -> list[Told]:
    """Changes in words; the titles of lines are those of `fields`, of the last that has the line."""
    titles = {x["article"]: x.get("title") or x["article"] for one in fields for x in one.get("lines", ())}
    return [said(change, currency, titles) for change in changes]


def setting(name: str, value: Any, currency: str) -> str:
    """What a setting says, in words; as it is written where it cannot be read."""
    if value in (None, "", [], {}):
        return show.NONE
    try:
        return _setting(name, value, currency)
    except (Refused, ValueError, TypeError, KeyError, AttributeError, InvalidOperation):
        return str(value)


def _setting(name: str, value: Any, currency: str) -> str:
    if isinstance(value, bool):
        return show.word("yes", str(value))
    if name in PRICES:
        return show.price(Decimal(str(value)), currency)
    if name in QUANTITIES:
        return show.quantity(Decimal(str(value)))
    if name in ("tolerance", "markup"):
        return show.rate(Decimal(str(value)))
    if name == "vat":
        return "; ".join(_rate(start, rate) for start, rate in read_rates(value) or ())
    if name == "interval":
        return every(parse_span(value))
    if name in ("trial", "price_per"):
        return length(parse_span(value))
    if name == "notice":
        return " ".join(notice_of(parse_terms(value)))
    if name == "anchor":
        return anchor_of(str(value))
    if name == "tick":
        return tick(str(value))
    if name in (*LINE_NAMES, "titles"):
        return "; ".join(f"{show.word('language', k)}: {v}" for k, v in sorted(value.items()))
    if name == "tiers":
        return "; ".join(_tier(row, currency) for row in value)
    if name == "discount_scale":
        return "; ".join(
            _("above %(quantity)s %(rate)s off")
            % {"quantity": show.quantity(Decimal(str(r["above"]))), "rate": show.rate(Decimal(str(r["percent"])))}
            for r in value
        )
    return show.word(WORDED[name], str(value)) if name in WORDED else str(value)


def tick(value: str) -> str:
    """How seconds are rounded up, in words."""
    if value in ("minute", "second"):
        return show.word("tick", value)
    first, _slash, step = value.partition("/")
    return _("the first %(first)s seconds whole, then every %(step)s") % {"first": first, "step": step}


def _rate(start: str | None, rate: str | None) -> str:
    percent = show.rate(Decimal(str(rate)))
    if not start:
        return percent
    return _("%(rate)s from %(day)s") % {"rate": percent, "day": show.day(date.fromisoformat(start))}


def _tier(row: dict[str, Any], currency: str) -> str:
    price = show.price(Decimal(str(row.get("price") or 0)), currency)
    if row.get("flat"):
        flat = show.price(Decimal(str(row["flat"])), currency)
        price = _("%(price)s and %(flat)s at once") % {"price": price, "flat": flat}
    if row.get("up_to") is None:
        return _("beyond: %(price)s") % {"price": price}
    return _("up to %(quantity)s: %(price)s") % {"quantity": show.quantity(Decimal(str(row["up_to"]))), "price": price}
