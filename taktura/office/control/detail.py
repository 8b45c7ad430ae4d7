"""An alert: what happened, and what can be done about it."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.billing.what_if import what_if_for_contract
from taktura.catalog.models import TariffVersion
from taktura.control.course import Point, course
from taktura.control.models import Alert
from taktura.control.queries import alert_by_id, alerts_of, offers_beside, state_on
from taktura.control.words import figure
from taktura.core.errors import Refused
from taktura.core.money import plain
from taktura.core.periods import Span, add
from taktura.office import show
from taktura.office.control.parts import percent, said, shown, what
from taktura.office.page import actor_of, may_open, page, seller_of, today_of, user_of

OFFERS = 4  # other tariffs that are shown
TRIED = 8  # of which these are the best
MONTHS = 3  # past months that they are tried with
MONTH = Span(1, "month")


@dataclass(frozen=True, slots=True)
class Offer:
    """Another tariff, and what the past months would have come to under it. `lost`: usage that it has no line for,
    which is not in its sum."""

    tariff: int
    title: str
    public: bool
    old: Decimal | None = None
    new: Decimal | None = None
    lost: tuple[str, ...] = ()
    why: str = ""

    @property
    def difference(self) -> Decimal | None:
        """New less old."""
        return self.new - self.old if self.new is not None and self.old is not None else None


def _find(request: HttpRequest, pk: int) -> Alert:
    try:
        return alert_by_id(seller_of(request).pk, pk)
    except Refused as refused:
        raise Http404 from refused


@page("control.view")
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """What happened, and what to do."""
    found, today = _find(request, pk), today_of(request)
    article = found.line.article.key if found.line else ""
    query = {"contract": found.contract.key, "article": article, "from": found.start, "until": _last(found)}
    others = alerts_of(seller_of(request).pk).filter(contract=found.contract_id).exclude(pk=found.pk)
    context = {
        "alert": found,
        "state": state_on(found, today),
        "what": what(found),
        "said": said(found),
        "figures": [(label, shown(found, name)) for name, label in _figures(found)],
        "percent": percent(found),
        "customer": found.contract.customer,
        "email": getattr(getattr(found.contract.customer, "billing_information", None), "email", ""),
        "records": f"{reverse('usage_records')}?{urlencode({k: v for k, v in query.items() if v})}",
        "others": [(other, what(other), state_on(other, today)) for other in others[:5]],
    }
    return render(request, "control/alert.html", context)


def _figures(found: Alert) -> list[tuple[str, str]]:
    names = [("value", _("Used")), ("bound", _("Bound"))]
    return [*names, ("foreseen", _("By the end of the period"))] if found.forecast else names


def _last(found: Alert) -> date:
    return found.end - timedelta(days=1)


@page("control.view")
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    """The course of the value over the days of the period, against its bound; asked for by the alert's page."""
    found = _find(request, pk)
    points = course(found, today_of(request))
    context = {
        "alert": found,
        "data": _picture(found, points) if points else None,
        "table": [(p.day, figure(found, plain(p.value), found.contract.currency, show.language())) for p in points],
        "bound": shown(found, "bound"),
    }
    return render(request, "control/course.html", context)


def _picture(found: Alert, points: list[Point]) -> dict[str, Any]:
    """Used day by day as bars, the bound as a line, and where the forecast leads."""
    days = [found.start + timedelta(days=n) for n in range((found.end - found.start).days)]
    values = {point.day: point.value for point in points}
    line = {"type": "line", "pointRadius": 0, "borderWidth": 2, "fill": False}
    limit = Fraction(found.bound) * (100 + Fraction(found.tolerance)) / 100
    sets = [
        {"label": _("Used"), "data": [_number(values.get(day)) for day in days], "order": 2},
        {"label": _("Bound"), "data": [_number(Fraction(found.bound))] * len(days), "borderColor": "#d63939",
         "backgroundColor": "#d63939", **line},
    ]  # fmt: skip
    if found.tolerance:
        sets.append({"label": _("Bound with tolerance"), "data": [_number(limit)] * len(days), "borderDash": [6, 4],
                     "borderColor": "#f59f00", "backgroundColor": "#f59f00", **line})  # fmt: skip
    if found.forecast and len(points) < len(days):
        first, last = points[-1].value, Fraction(found.foreseen)
        rest = len(days) - len(points)
        ahead = [_number(first + (last - first) * n / rest) for n in range(rest + 1)]
        sets.append({"label": _("If it goes on like this"), "data": [None] * (len(points) - 1) + ahead,
                     "borderDash": [2, 3], "borderColor": "#206bc4", "backgroundColor": "#206bc4", **line})  # fmt: skip
    data: dict[str, Any] = {"labels": [show.day(day) for day in days], "datasets": sets}
    return data if found.kind == "included" else data | {"currency": found.contract.currency}


def _number(value: Fraction | None) -> str | None:
    """A number as the picture's script reads it."""
    return f"{plain(value, 4):f}" if value is not None else None


@page("control.view")
def offers(request: HttpRequest, pk: int) -> HttpResponse:
    """What other tariffs of the same module would have brought in past months, for this contract (what-if)."""
    found, today = _find(request, pk), today_of(request)
    first, last = _months(found.contract.start, today)
    beside = offers_beside(found.contract.tariff, found.contract.currency, today, TRIED)
    best = sorted((_offer(request, found, version, first, last) for version in beside), key=_rank)
    wanted = {"customers": found.contract.customer.key, "of": found.contract.tariff_id, "first": first, "last": last}
    compare = f"{reverse('what_if')}?{urlencode(wanted | ({'against': best[0].tariff} if best else {}))}"
    context = {
        "alert": found,
        "compare": compare,
        "may_compare": may_open(user_of(request), compare),
        "first": show.month(first),
        "last": show.month(last),
        "offers": best[:OFFERS],
    }
    return render(request, "control/offers.html", context)


def _months(start: date, today: date) -> tuple[date, date]:
    """The last whole months; the running one where the contract has no other."""
    last = add(today.replace(day=1), MONTH, -1)
    if last < start.replace(day=1):
        return today.replace(day=1), today.replace(day=1)
    return max(add(last, MONTH, 1 - MONTHS), start.replace(day=1)), last


def _offer(request: HttpRequest, found: Alert, version: TariffVersion, first: date, last: date) -> Offer:
    title, public = version.title or version.tariff.key, version.tariff.public
    try:
        what = what_if_for_contract(
            actor_of(request), contract=found.contract, version=version, first_month=first, last_month=last
        )
    except Refused as refused:
        return Offer(version.tariff_id, title, public, why=show.refusal(refused))
    lost = tuple(usage.title or usage.article for usage in what.lost)
    return Offer(version.tariff_id, title, public, what.money(what.old), what.money(what.new), lost)


def _rank(offer: Offer) -> tuple[bool, bool, Decimal, str]:
    """What can be compared comes first, with a line for all usage; then what would have brought most."""
    return offer.new is None, bool(offer.lost), -(offer.new or Decimal(0)), offer.title
