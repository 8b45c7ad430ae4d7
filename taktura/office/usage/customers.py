"""Customers as suppliers know them, and whom they are here; for overview, and so that subscriptions are proposed."""

from collections.abc import Iterator

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.customers.queries import search
from taktura.kit.language import text_of as refusal
from taktura.office import show
from taktura.office.lists import Action, Column, Link, Listing, Rows, list_page
from taktura.office.page import actor_of, page, seller_of, user_of
from taktura.office.templatetags.office import state
from taktura.office.usage.parts import supplier_filter, tabs
from taktura.office.usage.subscriptions import link_filter
from taktura.office.usage.told import changes
from taktura.usage import services as usage
from taktura.usage.models import SupplierCustomer
from taktura.usage.overview import text_of
from taktura.usage.proposals import CustomerProposal, customers_beside, propose_customers

MANY = 1_000  # that are linked by name at once
SURE = 100  # percent of the words: the names are the same
FOUND = 20


@page("usage.view")
def customers(request: HttpRequest) -> HttpResponseBase:
    """All customers of suppliers; unlinked ones stand out."""
    seller = seller_of(request)
    rows = SupplierCustomer.objects.filter(supplier__seller=seller).select_related("supplier", "customer")
    return list_page(
        request,
        Listing(
            slug="supplier_customers", title=_("Supplier customers"), rows=rows, columns=list(_columns()),
            order="reference",
            filters=[
                supplier_filter(seller),
                link_filter(lambda r: r.filter(customer__isnull=True), lambda r: r.filter(customer__isnull=False)),
            ],
            search=lambda found, text: text_of(found, text, "reference", "name"), search_label=_("Reference or name"),
            link=lambda c: reverse("supplier_customer_link", args=[c.pk]), menu=_menu,
            actions=[
                Action(name="link", label=_("Link those with the same name"), permission="usage.change", run=_link,
                       icon="link")
            ],
            tone=lambda c: "" if c.customer_id else "unlinked",
            empty_title=_("No supplier customers yet"),
            empty_text=_("They come from the files of suppliers whose settings say so."),
            template="usage/list.html", more={"usage_tabs": tabs("supplier_customers")},
        ),
    )  # fmt: skip


def _columns() -> Iterator[Column]:
    yield Column(name="reference", label=_("Reference"), value=lambda c: c.reference, sort="folded")
    yield Column(
        name="name", label=_("Name at the supplier"), value=lambda c: c.name or show.NONE, sort="name", narrow=True
    )
    yield Column(
        name="state", label=_("State"), value=lambda c: state("link", "linked" if c.customer_id else "unlinked"),
        raw=lambda c: show.word("link", "linked" if c.customer_id else "unlinked"),
    )  # fmt: skip
    yield Column(
        name="supplier", label=_("Supplier"), value=lambda c: c.supplier.name, sort="supplier__name", narrow=True
    )
    yield Column(
        name="customer", label=_("Customer"), value=lambda c: c.customer.name if c.customer else show.NONE,
        sort="customer__folded", empty="",
    )  # fmt: skip


def _menu(row: SupplierCustomer) -> Iterator[Link]:
    yield Link(
        label=_("Link to a customer"), url=reverse("supplier_customer_link", args=[row.pk]),
        permission="usage.change", icon="link",
    )  # fmt: skip


def _link(request: HttpRequest, rows: Rows) -> HttpResponse:
    """Link those whose name one customer alone has."""
    actor, seller = actor_of(request), seller_of(request)
    wanted = list(rows.filter(customer__isnull=True).select_related("supplier").order_by("pk")[:MANY])
    known = propose_customers(seller.pk, [r.name for r in wanted])
    linked = 0
    with transaction.atomic():
        for row in wanted:
            same = [p.customer for p in known.get(row.name, ()) if p.score == SURE]
            if len(same) == 1:
                usage.link_customer(actor, supplier=row.supplier, reference=row.reference, customer=same[0])
                linked += 1
    text = ngettext("%(count)s customer is linked.", "%(count)s customers are linked.", linked)
    messages.success(request, text % {"count": show.count(linked)})
    if linked < len(wanted):
        rest = len(wanted) - linked
        text = ngettext(
            "%(count)s has the name of none, or of several: link it by hand.",
            "%(count)s have the name of none, or of several: link them by hand.", rest,
        )  # fmt: skip
        messages.info(request, text % {"count": show.count(rest)})
    return redirect("supplier_customers")


def find(request: HttpRequest, pk: int) -> SupplierCustomer:
    """The seller's customer of a supplier, or 404."""
    rows = SupplierCustomer.objects.select_related("supplier__seller", "customer")
    return get_object_or_404(rows.filter(supplier__seller=seller_of(request)), pk=pk)


@page("usage.view")
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Whom a supplier's customer stands for; POST links it."""
    row, seller = find(request, pk), seller_of(request)
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    mine = Customer.objects.filter(seller=seller)
    error = ""
    if request.method == "POST":
        given = request.POST.get("customer", "")
        customer = mine.filter(pk=int(given)).first() if given.isdecimal() and len(given) < 18 else None
        error = _save(request, row, customer)
        if not error:
            return redirect("supplier_customers")
    proposals = propose_customers(seller.pk, [row.name]).get(row.name, []) if row.name else []
    tied = customers_beside({row.supplier_id}, {row.folded}).get((row.supplier_id, row.folded), ())
    beside = [CustomerProposal(one, SURE) for one in mine.filter(pk__in=tied).order_by("folded", "pk")] if tied else []
    proposals = beside + [p for p in proposals if p.customer.pk not in tied]
    context = {
        "row": row, "q": text, "error": error, "proposals": proposals,
        "found": list(search(mine, text).order_by("folded", "pk")[:FOUND]) if text else [],
        "changes": changes(row.supplier, "customer", row.reference),
    }  # fmt: skip
    return render(request, "usage/customer_link.html", context, status=422 if error else 200)


def _save(request: HttpRequest, row: SupplierCustomer, customer: Customer | None) -> str:
    """Link, or say why not."""
    if not user_of(request).may("usage.change"):
        raise PermissionDenied
    if customer is None:
        return _("Choose a customer.")
    try:
        usage.link_customer(actor_of(request), supplier=row.supplier, reference=row.reference, customer=customer)
    except Refused as refused:
        return refusal(refused, show.language())
    said = {"reference": row.reference, "name": customer.name}
    messages.success(request, _("%(reference)s is linked to %(name)s.") % said)
    return ""


@page("usage.change")
@require_POST
def unlink(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the link back."""
    usage.unlink_customer(actor_of(request), row=find(request, pk))
    messages.success(request, _("The link is taken back."))
    return redirect("supplier_customer_link", pk)
