"""The list of alerts: where do we lose money, who will cross a limit?"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from taktura.catalog.models import Tariff
from taktura.control import services
from taktura.control.models import KINDS, STATES
from taktura.control.queries import alerts_of, in_state, state_on
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import search
from taktura.kit.actor import Actor
from taktura.office import show
from taktura.office.control.acts import MOST_AT_ONCE, ignore_page
from taktura.office.control.parts import badge, percent, shown, span, tabs, what
from taktura.office.lists import Action, Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.templatetags.office import state

NO_SHARE = Decimal(-1)


@page("control.view")
def alerts(request: HttpRequest) -> HttpResponseBase:
    """The alerts, the newest first."""
    seller, today = seller_of(request), today_of(request)
    return list_page(
        request,
        Listing(
            slug="alerts", title=_("Alerts"), rows=_narrowed(request, seller),
            columns=list(_columns(today, seller.time_zone)),
            order="-raised", filters=list(_filters(seller, today)), search=_search,
            search_label=_("Customer or contract"), link=lambda a: reverse("alert", args=[a.pk]),
            menu=lambda a: _menu(a, today), actions=_actions(),
            links=[Link(label=_("Who is told"), url=reverse("alert_recipients"), permission="settings.change",
                        icon="mail")],
            empty_title=_("No alert yet"),
            empty_text=_("As usage arrives it is held against cost caps, flat prices and included quantities."),
            template="control/list.html", kept=("customer", "contract"), more={"control_tabs": tabs("control")},
        ),
    )  # fmt: skip


def _narrowed(request: HttpRequest, seller: Seller) -> Rows:
    """The rows that an address from another page asks for."""
    rows: Rows = alerts_of(seller.pk)
    for name, field in (("customer", "contract__customer"), ("contract", "contract")):
        given = request.GET.get(name, "")
        if given.isdecimal() and len(given) < 18:
            rows = rows.filter(**{field: int(given)})
    return rows


def _columns(today: date, zone: str) -> Iterator[Column]:
    yield Column(
        name="customer", label=_("Customer"), value=lambda a: a.contract.customer.name,
        sort="contract__customer__folded",
    )  # fmt: skip
    yield Column(name="contract", label=_("Contract"), value=lambda a: a.contract.key, narrow=True)
    yield Column(name="what", label=_("What is watched"), value=badge, narrow=True)
    yield Column(
        name="kind", label=_("Kind"), value=lambda a: show.word("alert_kind", a.kind), sort="kind", shown=False
    )
    yield Column(name="article", label=_("Article"), value=lambda a: what(a) if a.line else show.NONE, shown=False)
    yield Column(name="forecast", label=_("Forecast"), value=lambda a: show.word("yes", str(a.forecast)), shown=False)
    yield Column(
        name="period", label=_("Period"), value=lambda a: span(a.start, a.end), raw=lambda a: a.start,
        sort="start", narrow=True,
    )  # fmt: skip
    yield Column(
        name="value", label=_("Used"), value=lambda a: shown(a, "value"), raw=lambda a: a.value, numeric=True,
        narrow=True,
    )  # fmt: skip
    yield Column(
        name="foreseen", label=_("By the end of the period"), value=lambda a: shown(a, "foreseen"),
        raw=lambda a: a.foreseen, numeric=True, shown=False,
    )  # fmt: skip
    yield Column(
        name="bound", label=_("Bound"), value=lambda a: shown(a, "bound"), raw=lambda a: a.bound, numeric=True,
        narrow=True,
    )  # fmt: skip
    yield Column(
        name="unit", label=_("In"), value=lambda a: show.word("unit", a.unit) if a.unit else a.contract.currency,
        shown=False,
    )  # fmt: skip
    yield Column(
        name="tolerance", label=_("Tolerance"), value=lambda a: show.rate(a.tolerance), raw=lambda a: a.tolerance,
        numeric=True, shown=False,
    )  # fmt: skip
    yield Column(
        name="share", label=_("Of the bound"), value=percent, raw=lambda a: a.share, numeric=True, sort="share",
        empty=NO_SHARE,
    )  # fmt: skip
    yield Column(name="tariff", label=_("Tariff"), value=lambda a: a.contract.tariff.key, shown=False)
    yield Column(
        name="state", label=_("State"), value=lambda a: state("alert", state_on(a, today)),
        raw=lambda a: show.word("alert", state_on(a, today)), sort="state",
    )  # fmt: skip
    yield Column(
        name="ignored", label=_("Ignored until"), value=lambda a: show.day(a.ignored_until),
        raw=lambda a: a.ignored_until, shown=False,
    )  # fmt: skip
    yield Column(
        name="raised", label=_("Raised"), value=lambda a: show.day(Actor("", a.raised_at).today(zone)),
        raw=lambda a: a.raised_at, sort="id", narrow=True, shown=False,
    )  # fmt: skip


def _filters(seller: Seller, today: date) -> Iterator[Filter]:
    yield Filter(
        name="state", label=_("State"), choices=[(s, show.word("alert", s)) for s in STATES],
        apply=lambda rows, value: in_state(rows, value, today),
    )  # fmt: skip
    yield Filter(
        name="kind", label=_("Kind"), choices=[(k, show.word("alert_kind", k)) for k in KINDS],
        apply=lambda rows, value: rows.filter(kind=value),
    )  # fmt: skip
    yield Filter(
        name="forecast", label=_("Forecast"), choices=[("1", _("Yes")), ("0", _("No"))],
        apply=lambda rows, value: rows.filter(forecast=value == "1"),
    )  # fmt: skip
    tariffs = Tariff.objects.filter(seller=seller).order_by("key").values_list("pk", "key")
    yield Filter(
        name="tariff", label=_("Tariff"), choices=[(str(pk), key) for pk, key in tariffs],
        apply=lambda rows, value: rows.filter(contract__tariff=value),
    )  # fmt: skip


def _search(rows: Rows, text: str) -> Rows:
    known = search(Customer.objects.all(), text).values("pk")
    return rows.filter(Q(contract__customer__in=known) | Q(contract__key__iexact=text))


def _menu(alert: Any, today: date) -> Iterator[Link]:
    now = state_on(alert, today)
    if now in ("open", "ignored"):
        yield Link(
            label=_("Ignore"), url=f"{reverse('ignore_alerts')}?alert={alert.pk}", permission="control.change",
            icon="eye-off",
        )  # fmt: skip
    yield Link(
        label=_("Look at the usage"), url=reverse("contract_usage", args=[alert.contract_id]) + f"?day={alert.start}",
        permission="usage.view", icon="activity",
    )  # fmt: skip
    yield Link(
        label=_("Customer"), url=reverse("customer", args=[alert.contract.customer_id]), permission="customers.view",
        icon="user",
    )  # fmt: skip


def _actions() -> list[Action]:
    return [
        Action(name="ignore", label=_("Ignore"), permission="control.change", run=_ignore, icon="eye-off"),
        Action(name="reopen", label=_("Open again"), permission="control.change", run=_reopen, icon="rotate"),
    ]


def _chosen(request: HttpRequest, rows: Rows) -> list[int]:
    """The ids of what was chosen; none, and a word why, where they are too many."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if not ids or len(ids) > MOST_AT_ONCE:
        text = _("At most %(most)s alerts at once: choose fewer.") % {"most": show.count(MOST_AT_ONCE)}
        messages.warning(request, text if ids else _("Nothing was chosen."))
        return []
    return ids


def _ignore(request: HttpRequest, rows: Rows) -> HttpResponse:
    """A form that asks until when."""
    ids = _chosen(request, rows)
    return ignore_page(request, ids) if ids else redirect(request.get_full_path())


def _reopen(request: HttpRequest, rows: Rows) -> HttpResponse:
    ids = _chosen(request, rows)
    if ids:
        number = services.reopen(actor_of(request), seller=seller_of(request), alerts=ids)
        text = ngettext("%(count)s alert is open again.", "%(count)s alerts are open again.", number)
        messages.success(request, text % {"count": show.count(number)})
    return redirect(request.get_full_path())
