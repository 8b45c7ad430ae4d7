"""Sales items: one-off sales outside a contract; the next bill of the customer takes them along."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.billing import services
from taktura.billing.models import SalesItem, SalesItemLine
from taktura.billing.services.prepare import item_net
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.customers.queries import customer_by_key, search
from taktura.invoices.printing import views_of_ready
from taktura.office import seen, show
from taktura.office.contracts.onboarding import banner, lasting_link
from taktura.office.customers.detail import find as find_customer
from taktura.office.customers.gate import Gate, gates_of
from taktura.office.forms import ExactNumberField, add_refusal
from taktura.office.lines import TypedLines, adds_a_line, lines_alone, lines_of
from taktura.office.lists import Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.templatetags.office import state

ROWS = 3


class LineForm(forms.Form):
    """A line of a sale: a title and a price, or nothing at all."""

    WIDE, COLUMN = frozenset(["title"]), "col-md-4"

    title = forms.CharField(label=lazy("Title"), max_length=200)
    quantity = ExactNumberField(label=lazy("Quantity"), required=False)
    price = ExactNumberField(label=lazy("Unit price"))
    discount = ExactNumberField(label=lazy("Discount in percent"), required=False)

    def line(self) -> dict[str, Any]:
        """The line in the words of the scenario format."""
        data = self.cleaned_data
        return {
            "title": data["title"], "price": data["price"],
            "quantity": Decimal(1) if data["quantity"] is None else data["quantity"], "discount": data["discount"] or 0,
        }  # fmt: skip


class HeadForm(forms.Form):
    """What is no line: nothing; refusals stand here."""


def find(request: HttpRequest, pk: int) -> SalesItem:
    """The seller's sale, or 404."""
    rows = SalesItem.objects.select_related("customer__seller", "customer__billing_information", "document")
    return get_object_or_404(rows.filter(customer__seller=seller_of(request)).prefetch_related("lines"), pk=pk)


@page("billing.view")
def sales(request: HttpRequest) -> HttpResponseBase:
    """All sales items: those that wait for a bill, and those that are billed."""
    rows = SalesItem.objects.filter(customer__seller=seller_of(request)).prefetch_related("lines")
    rows = rows.select_related("customer__seller", "customer__billing_information", "document")
    first = SalesItemLine.objects.filter(item=OuterRef("pk")).order_by("position").values("title")[:1]
    rows = rows.annotate(size=Count("lines", distinct=True), first=Subquery(first))
    more = banner(request)
    return list_page(
        request,
        Listing(
            slug="sales",
            title=_("Sales items"),
            rows=rows,
            columns=[
                Column(name="first", label=_("Title"), value=lambda s: s.first or show.NONE),
                Column(
                    name="customer", label=_("Customer"), value=lambda s: s.customer.name, sort="customer__folded"
                ),
                Column(name="sold", label=_("Sold on"), value=lambda s: show.day(s.sold_on), raw=lambda s: s.sold_on,
                       sort="sold_on"),
                Column(name="size", label=_("Lines"), value=lambda s: show.count(s.size), numeric=True, narrow=True),
                Column(
                    name="amount", label=_("Amount"), value=lambda s: show.money(item_net(s), s.currency),
                    raw=item_net, numeric=True,
                ),
                Column(
                    name="state", label=_("State"), value=lambda s: state("sale", _state(s)),
                    raw=lambda s: show.word("sale", _state(s)),
                ),
                Column(
                    name="document", label=_("Document"), narrow=True,
                    value=lambda s: s.document.number if s.document else show.NONE,
                ),
            ],
            order="-sold",
            filters=[
                Filter(
                    name="state", label=_("State"),
                    choices=[("pending", show.word("sale", "pending")), ("billed", show.word("sale", "billed"))],
                    apply=lambda rows, value: rows.filter(document__isnull=value == "pending"),
                )
            ],
            search=_search,
            link=lambda s: reverse("sale", args=[s.pk]),
            menu=_menu,
            template="sales/list.html",
            more=more,
            primary=Link(label=_("New sales item"), url=reverse("sale_begin"), permission="sales.change"),
            links=[
                Link(label=_("Services without a contract"), url=reverse("used_services"), permission="billing.view",
                     icon="package"),
                *lasting_link(more),
            ],
            empty_title=_("No sales items yet"),
            empty_text=_("A sales item is a one-off sale to a customer; the next bill takes it along."),
        ),
    )  # fmt: skip


def _menu(item: Any) -> list[Link]:
    """What can be done with a sale that waits: bill its customer, or give it to another."""
    if item.document_id is not None:
        return []
    return [
        Link(label=_("Preview"), url=f"{reverse('preview_run')}?customer={item.customer_id}", permission="billing.view",
             icon="eye"),
        Link(label=_("Give to another customer"), url=reverse("sale_move", args=[item.pk]), permission="sales.change",
             icon="arrows-exchange"),
    ]  # fmt: skip


def _search(rows: Rows, text: str) -> Rows:
    known = search(Customer.objects.all(), text).values("pk")
    return rows.filter(Q(customer__in=known) | Q(lines__title__icontains=text)).distinct()


def _state(item: SalesItem) -> str:
    return "pending" if item.document_id is None else "billed"


@page("billing.view")
def sale(request: HttpRequest, pk: int) -> HttpResponse:
    """One sale with its lines."""
    item = find(request, pk)
    return render(request, "sales/sale.html", {"item": item, "lines": item.lines.all(), "state": _state(item)})


@page("sales.change")
def new(request: HttpRequest, customer: int) -> HttpResponse:
    """Make a sale for a customer."""
    buyer = find_customer(request, customer)
    head, lines = HeadForm(request.POST or None), lines_of(request, LineForm, ROWS)
    if adds_a_line(request):
        head, lines = HeadForm(), lines.with_one_more()
    elif request.method == "POST" and head.is_valid() and lines.is_valid():
        try:
            item = services.sell(actor_of(request), customer=buyer, lines=_given(lines))
        except Refused as refused:
            add_refusal(head, refused)
        else:
            messages.success(request, _("The sales item is made; the next bill takes it along."))
            return redirect("sale", item.pk)
    wrong = lines.total_error_count() or head.errors
    going_on = f"{request.path}?{urlencode({'lines': lines.total_form_count()})}"
    context = {
        "form": head, "lines": lines, "title": _("New sales item"), "parent": buyer.name,
        "back": reverse("customer", args=[buyer.pk]), "preview_url": reverse("sale_consequence", args=[buyer.pk]),
        "gates": gates_of([buyer], going_on),
        "why": _("The sales item can be begun, but is made only once the customer can be billed."),
    }  # fmt: skip
    alone = lines_alone(request, context)
    return alone or render(request, "sales/new.html", context, status=422 if wrong else 200)


@page("sales.change")
@require_POST
def consequence(request: HttpRequest, customer: int) -> HttpResponse:
    """The document that the sale would be, if it were billed alone today."""
    buyer, lines = find_customer(request, customer), lines_of(request, LineForm, ROWS)
    context: dict[str, Any] = {}
    if lines.is_valid():
        try:
            ready = services.preview_sale(actor_of(request), customer=buyer, lines=_given(lines))
            context["papers"] = views_of_ready(actor_of(request), ready, today_of(request))
        except Refused as refused:
            context["refused"] = refused
    return render(request, "sales/consequence.html", context)


@page("sales.change")
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a pending sale to another customer."""
    item = find(request, pk)

    class MoveForm(forms.Form):
        key = forms.CharField(label=_("Number of the customer"), max_length=100)

    form = MoveForm(request.POST or None, initial={"key": request.GET.get("key", "")})
    shown = seen.guard_facts(request, form, (item.customer_id, item.document_id))
    gates: list[Gate] = []
    if request.method == "POST" and form.is_valid():
        try:
            buyer = customer_by_key(seller_of(request).pk, form.cleaned_data["key"].strip())
            services.move_sales_item(actor_of(request), item=item, customer=buyer)
        except Refused as refused:
            add_refusal(form, refused, {"": "key"})
            if refused.code == "billing_information_missing":
                gates = gates_of([buyer], f"{request.path}?{urlencode({'key': buyer.key})}")
        else:
            messages.success(request, _("The sales item belongs to %(name)s now.") % {"name": buyer.name})
            return redirect("sale", pk)
    context = {
        "form": form, "title": _("Give to another customer"), "parent": item.customer.name,
        "back": reverse("sale", args=[pk]), "seen": shown, "gates": gates,
        "why": _("The sales item cannot go to this customer before the customer can be billed."),
    }  # fmt: skip
    return render(request, "sales/move.html", context, status=422 if form.errors else 200)


def _given(lines: TypedLines) -> list[dict[str, Any]]:
    return [one.line() for one in lines.typed()]
