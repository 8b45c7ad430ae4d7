"""Services that no contract carries: sold for the months that are over, or waiting with the reason."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from taktura.billing import services
from taktura.billing.models import ServicePricing, ServiceSale
from taktura.billing.used_services import STATES, UsedService, look_at, months_over, state_of
from taktura.catalog.models import Tariff
from taktura.catalog.queries import titles
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.customers.queries import search
from taktura.office import seen, show
from taktura.office.forms import add_refusal
from taktura.office.lists import Action, Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.templatetags.office import state

SHOWN = 200  # services on the page before they are sold
MOST = 1000  # left out or taken up at once


@page("billing.view")
def used_services(request: HttpRequest) -> HttpResponseBase:
    """The services of all months that were to be sold, the latest first."""
    seller = seller_of(request)
    rows = ServiceSale.objects.filter(customer__seller=seller).select_related(
        "customer", "subscription__supplier", "item__document"
    )
    primary = Link(label=_("Sell a month"), url=reverse("sell_services"), permission="sales.change", icon="plus")

    def prepare(found: list[Any]) -> None:
        looked = {one.sale.pk: one for one in look_at(seller, found)}
        for row in found:
            row.looked = looked[row.pk]

    return list_page(
        request,
        Listing(
            slug="used_services", title=_("Services without a contract"), rows=rows, columns=list(_columns()),
            order="-month", filters=_filters(today_of(request)), search=_search, prepare=prepare, menu=_menu,
            primary=primary,
            links=[
                Link(label=_("Prices and night"), url=reverse("service_pricing"), permission="sales.change",
                     icon="settings"),
                Link(label=_("Sales items"), url=reverse("sales"), permission="billing.view", icon="shopping-cart"),
            ],
            actions=[
                Action(name="leave_out", label=_("Leave out"), permission="sales.change", run=_leave_out, icon="ban",
                       confirm=_("Leave these services out? They are not sold for their month.")),
                Action(name="take_up", label=_("Take up again"), permission="sales.change", run=_take_up,
                       icon="refresh"),
            ],
            template="sales/used.html",
            empty_title=_("No month was sold yet"),
            empty_text=_("Services that customers use without a contract become sales items, month by month."),
        ),
    )  # fmt: skip


def _columns() -> Iterator[Column]:
    yield Column(name="month", label=_("Month"), value=lambda s: show.month(s.month), raw=lambda s: s.month,
                 sort="month")  # fmt: skip
    yield Column(name="customer", label=_("Customer"), value=lambda s: s.customer.name, sort="customer__folded")
    yield Column(name="service", label=_("Service"), value=lambda s: s.looked.title, raw=_name)
    yield Column(
        name="supplier", label=_("Supplier"), value=lambda s: s.subscription.supplier.name, narrow=True, shown=False
    )
    yield Column(
        name="quantity", label=_("Quantity"), numeric=True, narrow=True, raw=lambda s: s.quantity,
        value=lambda s: show.NONE if s.quantity is None else show.quantity(s.quantity),
    )  # fmt: skip
    yield Column(
        name="state", label=_("State"), value=_standing, raw=lambda s: show.word("service", state_of(s))
    )  # fmt: skip


def _standing(sale: Any) -> SafeString:
    """How a service stands; where it waits, for what."""
    badge = state("service", state_of(sale))
    if state_of(sale) != "waiting" or not sale.looked.reason:
        return badge
    return format_html('{}<span class="under">{}</span>', badge, show.word("service_waits", sale.looked.reason))


def _name(sale: ServiceSale) -> str:
    row = sale.subscription
    return row.product_name or row.name or row.product or row.reference


def _filters(today: date) -> list[Filter]:
    return [
        Filter(
            name="state", label=_("State"), choices=[(name, show.word("service", name)) for name in STATES],
            apply=lambda rows, value: rows.filter(STATES[value]),
        ),
        Filter(
            name="month", label=_("Month"), choices=[(f"{m:%Y-%m}", show.month(m)) for m in months_over(today)],
            apply=lambda rows, value: rows.filter(month=date.fromisoformat(f"{value}-01")),
        ),
    ]  # fmt: skip


def _search(rows: Rows, text: str) -> Rows:
    known = search(Customer.objects.all(), text).values("pk")
    return rows.filter(
        Q(customer__in=known) | Q(subscription__product_name__icontains=text) | Q(subscription__reference__iexact=text)
    )


def _menu(sale: Any) -> Iterator[Link]:
    if sale.item_id is not None:
        yield Link(label=_("Open the sales item"), url=reverse("sale", args=[sale.item_id]), icon="shopping-cart")
    if state_of(sale) == "waiting" and sale.looked.reason == "billing_information":
        yield Link(label=_("Complete billing information"), url=reverse("customer_billing", args=[sale.customer_id]),
                   permission="customers.change", icon="receipt")  # fmt: skip
    yield Link(label=_("Supplier subscription"), url=reverse("supplier_subscription", args=[sale.subscription_id]),
               permission="usage.view", icon="link")  # fmt: skip


def _leave_out(request: HttpRequest, rows: Rows) -> HttpResponse:
    chosen = list(rows.filter(left_out=False).values_list("pk", flat=True)[:MOST])
    try:
        number = services.leave_out_services(actor_of(request), seller=seller_of(request), sales=chosen)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, ngettext("%(shown)s service is left out.", "%(shown)s services are left out.", number)
                         % {"shown": show.count(number)})  # fmt: skip
    return redirect(request.get_full_path())


def _take_up(request: HttpRequest, rows: Rows) -> HttpResponse:
    chosen = list(rows.filter(left_out=True).values_list("pk", flat=True)[:MOST])
    sold = services.take_up_services(actor_of(request), seller=seller_of(request), sales=chosen)
    _tell(request, sold)
    return redirect(request.get_full_path())


def _tell(request: HttpRequest, sold: services.Sold) -> None:
    number = len(sold.items)
    text = ngettext("%(shown)s sales item is made.", "%(shown)s sales items are made.", number)
    messages.success(request, text % {"shown": show.count(number)})
    if waits := len(sold.waiting):
        text = ngettext("%(shown)s service waits.", "%(shown)s services wait.", waits)
        messages.warning(request, text % {"shown": show.count(waits)})


class MonthForm(forms.Form):
    """Which month is sold."""

    month = forms.ChoiceField(label=lazy("Month"))

    def __init__(self, data: Any, *, today: date) -> None:
        super().__init__(data)
        months = [(f"{m:%Y-%m}", show.month(m)) for m in months_over(today)]
        self.fields["month"].choices = months  # type: ignore[attr-defined]


@page("sales.change")
def sell(request: HttpRequest) -> HttpResponse:
    """What a month's sales items would be; the button makes them."""
    seller, today = seller_of(request), today_of(request)
    if not ServicePricing.objects.filter(seller=seller).exists():
        messages.info(request, _("Choose the tariff first whose prices hold for services without a contract."))
        return redirect("service_pricing")
    given = request.POST if request.method == "POST" else request.GET
    form = MonthForm(given if "month" in given else {"month": f"{months_over(today)[0]:%Y-%m}"}, today=today)
    context: dict[str, Any] = {
        "form": form, "title": _("Sell services without a contract"), "parent": _("Services without a contract"),
        "back": reverse("used_services"), "action": _("Make the sales items"),
    }  # fmt: skip
    if not form.is_valid():
        return render(request, "sales/sell_services.html", context, status=422)
    month = date.fromisoformat(f"{form.cleaned_data['month']}-01")
    found = services.preview_services(actor_of(request), seller=seller, month=month)
    facts = tuple((one.sale.subscription_id, one.sale.quantity, one.price, one.reason) for one in found)
    context["seen"] = seen.guard_facts(request, form, (month, facts))
    if request.method == "POST" and form.is_valid():
        try:
            sold = services.sell_services(actor_of(request), seller=seller, month=month)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            _tell(request, sold)
            return redirect(f"{reverse('used_services')}?month={month:%Y-%m}")
    return render(request, "sales/sell_services.html", context | _foreseen(found), status=422 if form.errors else 200)


def _foreseen(found: list[UsedService]) -> dict[str, Any]:
    ready = [one for one in found if not one.reason]
    nets = [one.net for one in ready]
    groups = [
        {"customer": of[0].customer, "services": of, "ready": any(not one.reason for one in of),
         "lacks": any(one.reason == "billing_information" for one in of)}
        for of in (list(group) for _pk, group in groupby(found[:SHOWN], key=lambda one: one.customer.pk))
    ]  # fmt: skip
    return {
        "groups": groups, "number": len(found), "shown": min(len(found), SHOWN), "ready": len(ready),
        "items": len({one.customer.pk for one in ready}), "waits": len(found) - len(ready),
        "currency": found[0].currency if found else "", "sum": sum((net for net in nets if net), Decimal(0)),
    }  # fmt: skip


class PricingForm(forms.Form):
    """By which tariff services are sold, and whether by night."""

    tariff = forms.ChoiceField(
        label=lazy("Tariff"), help_text=lazy("Its prices hold for services that no contract carries.")
    )
    nightly = forms.BooleanField(
        label=lazy("Sell each month by itself"), required=False,
        help_text=lazy("In the first night after its end. Without it, somebody sells the month here; what waits is sold"
                       " by itself in both cases, once nothing lacks."),
    )  # fmt: skip


@page("sales.change")
def pricing(request: HttpRequest) -> HttpResponse:
    """By which tariff services without a contract are sold, and whether by night."""
    seller = seller_of(request)
    known = ServicePricing.objects.select_related("tariff").filter(seller=seller).first()
    initial = {"tariff": known.tariff_id, "nightly": known.nightly} if known else {}
    form = PricingForm(request.POST if request.method == "POST" else None, initial=initial)
    tariffs = {t.pk: t for t in Tariff.objects.filter(seller=seller, retired=False).order_by("key")}
    named = titles(seller.pk, today_of(request))
    form.fields["tariff"].choices = [  # type: ignore[attr-defined]
        ("", _("Choose")), *((str(pk), f"{named.get(pk) or t.key} ({t.key})") for pk, t in tariffs.items())
    ]  # fmt: skip
    shown = seen.guard_facts(request, form, (known.tariff_id, known.nightly) if known else ())
    if request.method == "POST" and form.is_valid():
        tariff = tariffs[int(form.cleaned_data["tariff"])]
        nightly = form.cleaned_data["nightly"]
        try:
            services.price_services(actor_of(request), seller=seller, tariff=tariff, nightly=nightly)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("used_services")
    context = {
        "form": form, "title": _("Prices of services without a contract"), "parent": _("Services without a contract"),
        "back": reverse("used_services"), "seen": shown,
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)
