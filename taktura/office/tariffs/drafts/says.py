"""What the settings of a tariff come to, in sentences: the figures of `catalog.consequences` as people say them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from taktura.catalog import consequences as core
from taktura.catalog.consequences import Bound, Ground, Part, ground
from taktura.core.facts import Tax
from taktura.core.money import places, plain
from taktura.core.terms import parse_terms
from taktura.customers.models import Seller
from taktura.customers.queries import rates
from taktura.office import show
from taktura.office.terms import amount_of, notice_of

# The parts of the form, and the settings of each.
PARTS = {
    "offer": ("title", "titles", "module", "public", "order_approval", "currency"),
    "interval": ("interval", "anchor"),
    "trial": ("trial",),
    "credit_on_end": ("credit_on_end",),
    "notice": ("notice",),
    "vat": ("vat",),
    "minimum_sales": ("minimum_sales", "minimum_proration"),
    "cost_cap": ("cost_cap", "cap_proration", "in_cap"),
    "tolerance": ("tolerance",),
    "interim_threshold": ("interim_threshold",),
    "tick": ("tick", "tick_scope"),
}


@dataclass(frozen=True, slots=True)
class Says:
    """What a part of the settings comes to, a sentence each; and what of it cannot be billed."""

    part: str
    sentences: list[str]
    problems: list[str] = field(default_factory=list)

    @property
    def alone(self) -> list["Says"]:
        """A list of this one."""
        return [self]


def says(fields: Mapping[str, Any], seller: Seller, currency: str, today: date) -> dict[str, Says]:
    """What a tariff's fields (as the services take them) come to, by the part of the form."""
    digits = places(currency)
    tax = Tax(seller_rates=rates(seller.vat) or Tax().seller_rates, gross=seller.prices_are == "gross")
    g = ground(fields, digits=digits, tax=tax, today=today, consumer=seller.consumer_rules == "DE")
    telling = {
        "offer": _offer(fields), "interval": _interval(g, currency), "trial": _trial(g, currency),
        "credit_on_end": _ended(g, currency), "notice": _notice(g), "vat": _vat(g, currency),
        "minimum_sales": _minimum(g, currency), "cost_cap": _cap(g, currency), "tolerance": _alerts(g, currency),
        "interim_threshold": _threshold(g, currency), "tick": _ticks(g),
    }  # fmt: skip
    own = [p for p in g.problems if not p.values.get("article")]
    return {
        part: Says(part, list(telling[part]), [show.refusal(p) for p in own if p.values.get("field") in names])
        for part, names in PARTS.items()
    }


def _offer(fields: Mapping[str, Any]) -> Iterator[str]:
    if fields.get("public"):
        yield _("It is on the price list, and anybody can order it.")
    else:
        yield _("It is not on the price list: it is ordered with an offer number, or signed by you.")


def _interval(g: Ground, currency: str) -> Iterator[str]:
    if (today := core.schedule(g, g.today)) is not None:
        yield _("Signed today: %(periods)s.") % {"periods": _periods(today)}
    last = core.last_of_month(g.today)
    if last != g.today and (later := core.schedule(g, last)) is not None:
        yield _("Signed for %(day)s: %(periods)s.") % {"day": show.day(last), "periods": _periods(later)}
    part = core.partly(g)
    if part is None or not part.recurring:
        return
    named = {
        "first": show.day(part.first), "last": show.last_day(part.end), "days": show.count(part.days),
        "whole": show.count(part.whole), "amount": show.minor(part.recurring, currency),
    }  # fmt: skip
    if part.ended:
        yield _("One that ends with %(last)s, after %(days)s of %(whole)s days, pays %(amount)s for them.") % named
    else:
        yield _("Signed for %(first)s: %(amount)s for the %(days)s of %(whole)s days until %(last)s.") % named


def _periods(found: core.Schedule) -> str:
    return ", ".join(show.period(start, end) for start, end in found.periods)


def _trial(g: Ground, currency: str) -> Iterator[str]:
    if (found := core.trial(g)) is not None:
        yield _("Signed today, recurring lines cost nothing until %(last)s; then %(amount)s for %(period)s.") % {
            "last": show.last_day(found.end), "amount": show.minor(found.amount, currency),
            "period": show.period(found.first, found.last),
        }  # fmt: skip


def _ended(g: Ground, currency: str) -> Iterator[str]:
    found = core.ended(g)
    if found is None:
        return
    named = {"paid": show.minor(found.paid, currency), "last": show.last_day(found.end)}
    if found.back:
        yield _("Who has paid %(paid)s for a period and ends with %(last)s gets %(back)s back.") % {
            **named, "back": show.minor(found.back, currency),
        }  # fmt: skip
    else:
        yield _("Who has paid %(paid)s for a period and ends with %(last)s gets nothing back.") % named


def _notice(g: Ground) -> Iterator[str]:
    yield from notice_of(parse_terms(g.offer.version.notice))
    found = core.ends(g)
    if found is None:
        return
    if found.by_itself is not None:
        yield _("Signed today, the last day is %(last)s.") % {"last": show.last_day(found.by_itself)}
        return
    yield _("Signed today, with notice received today: the last day is %(last)s.") % {"last": show.last_day(found.end)}
    if found.deadline > found.signed:
        yield _("Notice until %(deadline)s is in time for that.") % {"deadline": show.day(found.deadline)}
    if found.consumer is not None:
        yield _("For consumers German law holds: there the last day is %(last)s.") % {
            "last": show.last_day(found.consumer)
        }


def _vat(g: Ground, currency: str) -> Iterator[str]:
    for one in core.taxed(g) or ():
        named = {
            "title": one.title, "net": show.minor(one.net, currency), "gross": show.minor(one.gross, currency),
            "rate": show.rate(one.rate), "day": show.day(one.start),
        }  # fmt: skip
        if one.start is None:
            yield _("%(title)s: %(net)s net, %(gross)s with %(rate)s VAT.") % named
        else:
            yield _("%(title)s from %(day)s: %(net)s net, %(gross)s with %(rate)s VAT.") % named


def _minimum(g: Ground, currency: str) -> Iterator[str]:
    if (found := core.minimum(g)) is None:
        return
    yield _("%(used)s cost %(total)s: the minimum of %(bound)s tops %(titles)s up by %(difference)s.") % _named(
        found, currency
    )
    yield _("Without any use %(bound)s are due for a period.") % {"bound": show.price(found.bound, currency)}
    yield from _in_part(g, currency, "minimum")


def _cap(g: Ground, currency: str) -> Iterator[str]:
    if (found := core.cap(g)) is None:
        return
    yield _("%(used)s cost %(total)s: the cap of %(bound)s takes %(difference)s off %(titles)s.") % _named(
        found, currency
    )
    yield from _in_part(g, currency, "cap")


def _named(found: Bound, currency: str) -> dict[str, str]:
    return {
        "used": _listed([_used(part) for part in found.parts]), "total": show.minor(found.total, currency),
        "bound": show.price(found.bound, currency), "titles": _listed(list(found.titles)),
        "difference": show.minor(found.difference, currency),
    }  # fmt: skip


def _in_part(g: Ground, currency: str, name: str) -> Iterator[str]:
    part = core.partly(g)
    amount = getattr(part, name) if part else None
    if part is not None and amount is not None:
        yield _("With %(days)s of the %(whole)s days of a period it is %(amount)s.") % {
            "days": show.count(part.days), "whole": show.count(part.whole), "amount": show.minor(amount, currency),
        }  # fmt: skip


def _used(part: Part) -> str:
    """A quantity of a line: "5 × Search", "20 minutes of Calls"."""
    if part.unit == "piece":
        return f"{show.quantity(part.quantity)}\u00a0×\u00a0{part.title}"
    return _("%(quantity)s of %(title)s") % {"quantity": amount_of(part.quantity, part.unit), "title": part.title}


def _listed(texts: list[str]) -> str:
    if len(texts) < 2:
        return "".join(texts)
    return _("%(first)s and %(last)s") % {"first": ", ".join(texts[:-1]), "last": texts[-1]}


def _alerts(g: Ground, currency: str) -> Iterator[str]:
    found = core.alerts(g)
    if found is None:
        return
    if found.cap is not None:
        yield _("Cost cap: an alert from %(amount)s on.") % {"amount": show.minor(found.cap, currency)}
    if found.included is not None:
        title, unit, quantity = found.included
        yield _("%(title)s: above %(quantity)s there is an alert.") % {
            "title": title, "quantity": amount_of(plain(quantity), unit),
        }  # fmt: skip
    if found.flat is not None:
        title, minutes = found.flat
        named = {"title": title, "quantity": amount_of(plain(Fraction(minutes)), "minute")}
        text = _("%(title)s: above %(quantity)s there is an alert, since at the reference price they would cost more.")
        yield text % named


def _threshold(g: Ground, currency: str) -> Iterator[str]:
    if (found := core.threshold(g)) is not None:
        yield _("%(used)s cost %(amount)s: then an interim bill is made by itself.") % {
            "used": _used(found), "amount": show.minor(found.amount, currency),
        }  # fmt: skip


def _ticks(g: Ground) -> Iterator[str]:
    found = core.ticked(g)
    named = {"seconds": show.count(found.seconds), "one": _time(found.one), "both": _time(found.both)}
    yield _("A call of %(seconds)s seconds is billed as %(one)s.") % named
    if found.together:
        yield _("Two of them are billed as %(both)s: they are added up first.") % named
    else:
        yield _("Two of them are billed as %(both)s: each is rounded up by itself.") % named


def _time(seconds: int) -> str:
    if seconds % 60:
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": show.count(seconds)}
    minutes = seconds // 60
    return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": show.count(minutes)}
