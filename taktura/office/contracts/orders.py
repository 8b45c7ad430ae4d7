"""Orders from the order page: what staff must decide on, and what became of the others."""

from datetime import date, datetime, time
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.billing import services as billing
from taktura.catalog.queries import titles
from taktura.catalog.titles import in_language
from taktura.contracts.models import Order
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.customers.vat_checks import latest_of
from taktura.office import show
from taktura.office.contracts.consequence import Shown, shown
from taktura.office.forms import add_refusal
from taktura.office.lists import Column, Filter, Listing, Rows, list_page
from taktura.office.page import actor_of, page, seller_of, today_of, zone_of
from taktura.office.templatetags.office import breaking, state

STATES = ("open", "unconfirmed", "done", "refused")
TWINS = 5


class RefusalForm(forms.Form):
    """Why an order is refused."""

    reason = forms.CharField(
        label=lazy("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("It is mailed to whoever ordered."),
    )  # fmt: skip


@page("contracts.view")
def order_list(request: HttpRequest) -> HttpResponseBase:
    """All orders of the seller, the latest first."""
    return list_page(request, listing(request))


def listing(request: HttpRequest) -> Listing:
    """What the list shows."""
    seller, zone = seller_of(request), zone_of(request)
    named = titles(seller.pk, today_of(request))
    rows = Order.objects.filter(seller=seller).select_related("contract")
    return Listing(
        slug="orders",
        title=_("Orders"),
        rows=rows.annotate(currency=F("tariff__currency")),
        columns=_columns(named, zone),
        order="-ordered",
        filters=_filters(named, zone),
        search=_search,
        search_label=_("Name, e-mail or contract"),
        link=lambda o: reverse("order", args=[o.pk]),
        empty_title=_("No order yet"),
        empty_text=_("Orders come from the order page and from other systems."),
    )


def _columns(named: dict[int, str], zone: str) -> list[Column]:
    return [
        Column(name="ordered", label=_("Ordered"), value=lambda o: show.moment(o.ordered_at, zone),
               raw=lambda o: o.ordered_at, sort="id"),
        Column(name="name", label=_("Name"), value=lambda o: breaking(o.name), raw=lambda o: o.name),
        Column(name="tariff", label=_("Tariff"), value=lambda o: named.get(o.tariff_id, ""), narrow=True),
        Column(name="state", label=_("State"), value=lambda o: state("order_state", o.state),
               raw=lambda o: show.word("order_state", o.state)),
        Column(name="kind", label=_("Kind"), value=lambda o: show.word("customer", o.kind), shown=False),
        Column(name="email", label=_("E-mail"), value=lambda o: o.email, shown=False),
        Column(name="first", label=_("First bill"), value=_first, raw=_first_exact, numeric=True, narrow=True),
        Column(name="currency", label=_("Currency"), value=lambda o: o.currency, shown=False),
        Column(name="decided", label=_("Decided"), raw=lambda o: o.decided_at, shown=False,
               value=lambda o: show.moment(o.decided_at, zone) if o.decided_at else show.NONE),
        Column(name="contract", label=_("Contract"), value=lambda o: o.contract.key if o.contract else show.NONE,
               raw=lambda o: o.contract.key if o.contract else None, narrow=True),
    ]  # fmt: skip


def _first(order: Any) -> str:
    """The gross of the first bill, as it was shown."""
    return show.minor(order.prices[0]["gross"], order.currency) if order.prices else show.NONE


def _first_exact(order: Any) -> Any:
    return show.exact(order.prices[0]["gross"], order.currency) if order.prices else None


def _filters(named: dict[int, str], zone: str) -> list[Filter]:
    tariffs = sorted(((str(pk), title) for pk, title in named.items()), key=itemgetter(1))
    return [
        Filter(
            name="state", label=_("State"), choices=[(s, show.word("order_state", s)) for s in STATES],
            apply=lambda rows, value: rows.filter(state=value),
        ),
        Filter(
            name="tariff", label=_("Tariff"), choices=tariffs,
            apply=lambda rows, value: rows.filter(tariff=int(value)),
        ),
        Filter(
            name="kind", label=_("Kind"), choices=[(k, show.word("customer", k)) for k in ("business", "consumer")],
            apply=lambda rows, value: rows.filter(kind=value),
        ),
        Filter(
            name="since", label=_("Ordered from"), is_day=True,
            apply=lambda rows, value: rows.filter(ordered_at__gte=datetime.combine(value, time(), ZoneInfo(zone))),
        ),
    ]  # fmt: skip


def _search(rows: Rows, text: str) -> Rows:
    return rows.filter(Q(name__icontains=text) | Q(email__icontains=text) | Q(contract__key__iexact=text))


@page("contracts.view")
def order(request: HttpRequest, order: int) -> HttpResponse:
    """An order as it was sent, what it would come to today, and who may be the same customer."""
    return _page(request, _find(request, order), RefusalForm())


@page("contracts.change")
@require_POST
def approve(request: HttpRequest, order: int) -> HttpResponse:
    """Let it take effect from today on."""
    found = _find(request, order)
    try:
        made = billing.approve_order(actor_of(request), order=found)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect("order", found.pk)
    messages.success(request, _("The contract is made; whoever ordered is told by mail."))
    return redirect("contract", made.contract_id)


@page("contracts.change")
@require_POST
def refuse(request: HttpRequest, order: int) -> HttpResponse:
    """Refuse it, with a reason."""
    found, form = _find(request, order), RefusalForm(request.POST)
    if form.is_valid():
        try:
            billing.refuse_order(actor_of(request), order=found, reason=form.cleaned_data["reason"])
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The order is refused; whoever ordered is told by mail."))
            return redirect("orders")
    return _page(request, found, form, status=422)


def _page(request: HttpRequest, found: Order, form: forms.Form, status: int = 200) -> HttpResponse:
    currency, language = found.tariff.currency, show.language()
    titles = {line.article.key: line.title or line.article.title for line in found.version.lines.all()}
    twins = Customer.objects.filter(seller=found.seller_id, billing_information__email__iexact=found.email)
    if found.contract is not None:
        twins = twins.exclude(pk=found.contract.customer_id)
    context = {
        "order": found, "form": form, "currency": currency, "twins": twins.order_by("id")[:TWINS],
        "title": in_language(found.version.title, found.version.titles, language),
        "lines": [(titles.get(key) or key, number) for key, number in found.articles.items()],
        "prices": [
            {"on": date.fromisoformat(row["on"]), "net": row["net"], "tax": row["tax"], "gross": row["gross"]}
            for row in found.prices
        ],
        "vat_check": latest_of(found.seller_id, found.buyer.get("vat_id", "")),
        "now": _now(request, found) if found.state == "open" else None,
    }  # fmt: skip
    return render(request, "contracts/order.html", context, status=status)


def _now(request: HttpRequest, found: Order) -> Shown | str:
    """What it comes to when it is approved today, or why it cannot be."""
    try:
        consequence = billing.look_at(actor_of(request), wish=billing.wish_of(found))
    except Refused as refused:
        return show.refusal(refused)
    return shown(consequence, found.tariff.currency, today_of(request))


def _find(request: HttpRequest, pk: int) -> Order:
    rows = Order.objects.select_related("seller", "tariff__seller", "version", "coupon", "offer_number", "contract")
    rows = rows.prefetch_related("version__lines__article")
    return get_object_or_404(rows, pk=pk, seller=seller_of(request))
