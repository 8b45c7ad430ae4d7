"""Suppliers' subscriptions: what they are, and which contract lines they are tied to."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.office import show
from taktura.office.lists import Action, Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import page, seller_of
from taktura.office.templatetags.office import state
from taktura.office.usage.parts import supplier_filter, tabs
from taktura.office.usage.told import changes
from taktura.usage.models import SubscriptionLink, SupplierCustomer, SupplierSubscription
from taktura.usage.overview import text_of, unlinked, waiting_of_subscriptions
from taktura.usage.proposals import titles_of
from taktura.usage.services import fold

MANY = 50  # that are tied on one page
EXTENDED = 100  # from which contracts are extended on one page


def link_filter(apply_unlinked: Any, apply_linked: Any) -> Filter:
    """A filter of what is linked or not."""
    return Filter(
        name="link", label=_("State"), choices=[("unlinked", _("Unlinked")), ("linked", _("Linked"))],
        apply=lambda rows, value: (apply_unlinked if value == "unlinked" else apply_linked)(rows),
    )  # fmt: skip


@page("usage.view")
def subscriptions(request: HttpRequest) -> HttpResponseBase:
    """All subscriptions of suppliers; unlinked ones stand out."""
    seller = seller_of(request)
    tied = Exists(SubscriptionLink.objects.filter(subscription=OuterRef("pk")))
    return list_page(
        request,
        Listing(
            slug="supplier_subscriptions", title=_("Supplier subscriptions"),
            rows=SupplierSubscription.objects.filter(supplier__seller=seller).select_related("supplier"),
            columns=list(_columns()), order="reference",
            filters=[supplier_filter(seller), link_filter(unlinked, lambda rows: rows.filter(tied))],
            search=lambda rows, text: text_of(
                rows, text, "reference", "name", "product", "product_name", "customer_reference"
            ),
            search_label=_("Reference, name or product"), prepare=_prepare,
            link=lambda s: reverse("supplier_subscription", args=[s.pk]), menu=_menu,
            actions=[
                Action(
                    name="extend", label=_("Extend contracts"), permission="contracts.change", run=_extend, icon="plus"
                ),
                Action(
                    name="link", label=_("Tie to contract lines"), permission="usage.change", run=_link, icon="link"
                ),
            ],
            links=[
                Link(label=_("Extend contracts"), url=reverse("subscriptions_extend"), permission="contracts.change",
                     icon="plus"),
                Link(label=_("Tie the unlinked"), url=reverse("subscriptions_link"), permission="usage.change",
                     icon="link")
            ],
            tone=lambda s: "" if s.lines else "unlinked",
            empty_title=_("No supplier subscriptions yet"),
            empty_text=_("They come from the files of suppliers whose settings say so."),
            template="usage/list.html", more={"usage_tabs": tabs("supplier_subscriptions")},
        ),
    )  # fmt: skip


def _columns() -> Iterator[Column]:
    yield Column(name="reference", label=_("Reference"), value=lambda s: s.reference, sort="folded")
    yield Column(
        name="state", label=_("State"), value=lambda s: state("link", "linked" if s.lines else "unlinked"),
        raw=lambda s: show.word("link", "linked" if s.lines else "unlinked"),
    )  # fmt: skip
    yield Column(
        name="supplier", label=_("Supplier"), value=lambda s: s.supplier.name, sort="supplier__name", narrow=True
    )
    yield Column(
        name="name", label=_("Name"), value=lambda s: s.name or s.customer or show.NONE, sort="name", narrow=True
    )
    yield Column(
        name="product", label=_("Product"), value=lambda s: s.product_name or s.product or show.NONE, sort="product",
        narrow=True,
    )  # fmt: skip
    yield Column(
        name="quantity", label=_("Quantity"), numeric=True, narrow=True, raw=lambda s: s.quantity,
        value=lambda s: show.NONE if s.quantity is None else f"{show.quantity(s.quantity)} {s.unit}".strip(),
    )  # fmt: skip
    yield Column(name="period", label=_("Period"), value=period, narrow=True, shown=False)
    yield Column(name="line", label=_("Contract line"), value=_line)
    yield Column(
        name="waiting", label=_("Waiting"), value=lambda s: show.count(s.waiting), raw=lambda s: s.waiting, numeric=True
    )


def period(row: SupplierSubscription) -> str:
    """From when to when the supplier has it; the end is a last day."""
    if row.start is None and row.end is None:
        return show.NONE
    return f"{show.day(row.start)} – {show.day(row.end)}"


def _line(row: Any) -> str:
    return ", ".join(f"{line.contract.key} · {title}" for line, title in row.lines) or show.NONE


def _prepare(rows: list[Any]) -> None:
    add_lines(rows)
    counts = waiting_of_subscriptions(rows)
    references = {(r.supplier_id, fold(r.customer_reference)) for r in rows}
    known = SupplierCustomer.objects.filter(
        supplier__in={s for s, _ref in references}, folded__in={ref for _s, ref in references}
    )
    names = {(c.supplier_id, c.folded): c.name for c in known}
    for row in rows:
        row.waiting = counts.get(row.pk, 0)
        row.customer = names.get((row.supplier_id, fold(row.customer_reference)), "")


def add_lines(rows: list[Any]) -> None:
    """Put the lines that subscriptions are tied to beside them, with their titles: (line, title), and the ties
    (`ties`); two queries."""
    ties = SubscriptionLink.objects.filter(subscription__in=[r.pk for r in rows]).order_by("pk")
    found: list[Any] = list(ties.select_related("line__contract__customer", "line__article"))
    titles = titles_of([t.line for t in found])
    for row in rows:
        row.ties = [t for t in found if t.subscription_id == row.pk]
        row.lines = [(t.line, titles[t.line_id]) for t in row.ties]
        for tie in row.ties:
            tie.title = titles[tie.line_id]


def _menu(row: SupplierSubscription) -> Iterator[Link]:
    yield Link(
        label=_("Tie to a contract line"), url=reverse("subscription_link", args=[row.pk]), permission="usage.change",
        icon="link",
    )  # fmt: skip
    yield Link(
        label=_("Extend a contract"), url=reverse("subscription_extend", args=[row.pk]),
        permission="contracts.change", icon="plus",
    )  # fmt: skip


def _link(request: HttpRequest, rows: Rows) -> HttpResponse:
    return _with(rows, "subscriptions_link", MANY)


def _extend(request: HttpRequest, rows: Rows) -> HttpResponse:
    return _with(rows, "subscriptions_extend", EXTENDED)


def _with(rows: Rows, name: str, most: int) -> HttpResponse:
    """To a page with the first of the rows."""
    query = QueryDict(mutable=True)
    query.setlist("s", [str(pk) for pk in rows.values_list("pk", flat=True)[:most]])
    return redirect(f"{reverse(name)}?{query.urlencode()}")


def find(request: HttpRequest, pk: int) -> SupplierSubscription:
    """The seller's subscription of a supplier, or 404."""
    rows = SupplierSubscription.objects.select_related("supplier__seller")
    return get_object_or_404(rows.filter(supplier__seller=seller_of(request)), pk=pk)


@page("usage.view")
def subscription(request: HttpRequest, pk: int) -> HttpResponse:
    """One subscription: what the supplier says of it, where its usage is billed, what of it waits."""
    row: Any = find(request, pk)
    _prepare([row])
    known = SupplierCustomer.objects.filter(supplier=row.supplier, folded=fold(row.customer_reference))
    context = {
        "row": row, "period": period(row), "state": "linked" if row.lines else "unlinked",
        "customer": known.select_related("customer").first() if row.customer_reference else None,
        "records_url": f"{reverse('usage_records')}?subscription={pk}",
        "changes": changes(row.supplier, "subscription", row.reference),
    }  # fmt: skip
    return render(request, "usage/subscription.html", context)
