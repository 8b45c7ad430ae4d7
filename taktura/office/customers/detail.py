"""One customer: who is this, what do they have, what do they owe, can I bill them?"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.audit.models import LogEntry
from taktura.contracts.models import Contract
from taktura.customers.models import BillingInformation, Customer, PortalAccess
from taktura.customers.queries import missing_billing_information
from taktura.customers.vat_checks import latest_of
from taktura.desk.models import Ticket
from taktura.invoices.models import DocumentState
from taktura.invoices.queries import open_by_customer
from taktura.office.customers.gate import in_words
from taktura.office.history import told
from taktura.office.page import page, seller_of, today_of, user_of

LISTS = {
    "customer_contracts": "contracts",
    "customer_documents": "documents",
    "customer_tickets": "desk",
}  # where a tab's rows are, all of them
SHOWN = 100  # contracts, documents and changes on a tab; the lists show all


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of a detail page with an address of its own."""

    label: str
    url: str
    count: int | None
    active: bool


def find(request: HttpRequest, pk: int) -> Customer:
    """The seller's customer, or 404."""
    rows = Customer.objects.select_related("seller", "billing_information", "head_office").filter(
        seller=seller_of(request)
    )
    return get_object_or_404(rows, pk=pk)


@page("customers.view")
def customer(request: HttpRequest, pk: int) -> HttpResponse:
    """What is known of a customer."""
    info = BillingInformation.objects.filter(customer=pk, customer__seller=seller_of(request)).first()
    check = latest_of(seller_of(request).pk, info.vat_id) if info else None
    return answer_customer(request, pk, "customer", "customers/customer.html", vat_check=check)


@page("contracts.view")
def contracts(request: HttpRequest, pk: int) -> HttpResponse:
    """A customer's contracts."""
    rows = Contract.objects.filter(customer=pk).select_related("tariff").order_by("-start", "-id")
    return answer_customer(request, pk, "customer_contracts", "customers/contracts.html", rows=rows[:SHOWN])


@page("documents.view")
def documents(request: HttpRequest, pk: int) -> HttpResponse:
    """A customer's documents."""
    rows = DocumentState.objects.filter(customer=pk).order_by("-issued_on", "-document")
    return answer_customer(request, pk, "customer_documents", "customers/documents.html", rows=rows[:SHOWN])


@page("desk.view")
def tickets(request: HttpRequest, pk: int) -> HttpResponse:
    """A customer's tickets."""
    rows = Ticket.objects.filter(customer=pk).select_related("assignee").order_by("-id")
    return answer_customer(request, pk, "customer_tickets", "customers/tickets.html", rows=rows[:SHOWN])


@page("customers.view")
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """Who changed what of a customer."""
    entries = LogEntry.objects.filter(subject=f"customer:{pk}").order_by("-id")[:SHOWN]
    return answer_customer(
        request, pk, "customer_history", "customers/history.html", entries=[told(e) for e in entries]
    )


def answer_customer(request: HttpRequest, pk: int, name: str, template: str, **more: Any) -> HttpResponse:
    """A tab of a customer's page; `name` is the tab's."""
    shown, user, today = find(request, pk), user_of(request), today_of(request)
    numbers = {
        "customer": None,
        "customer_contracts": Contract.objects.filter(customer=pk).count() if user.may("contracts.view") else None,
        "customer_documents": DocumentState.objects.filter(customer=pk).count() if user.may("documents.view") else None,
        "customer_tickets": Ticket.objects.filter(customer=pk).count() if user.may("desk.view") else None,
        "customer_hours": None,
        "customer_configure": None,
        "customer_portal": PortalAccess.objects.filter(customer=pk, ended_at=None).count(),
        "customer_history": None,
    }
    labels = {
        "customer": _("Overview"),
        "customer_contracts": _("Contracts"),
        "customer_documents": _("Documents"),
        "customer_tickets": _("Tickets"),
        "customer_hours": _("Included hours"),
        "customer_configure": _("Configure"),
        "customer_portal": _("Customer portal"),
        "customer_history": _("History"),
    }
    allowed = {
        "customer_contracts": "contracts.view", "customer_documents": "documents.view",
        "customer_tickets": "desk.view", "customer_hours": "contracts.view",
    }  # fmt: skip
    tabs = [
        Tab(labels[n], reverse(n, args=[pk]), numbers[n], n == name)
        for n in numbers
        if n not in allowed or user.may(allowed[n])
    ]
    next_bill = Contract.objects.filter(customer=pk).aggregate(day=Min("next_due"))["day"]
    context = {
        "customer": shown,
        "info": getattr(shown, "billing_information", None),
        "missing": missing_billing_information(shown),
        "missing_words": in_words(shown),
        "opened": open_by_customer([pk]).get(pk, {}) if user.may("documents.view") else {},
        "next_bill": next_bill,
        "today": today,
        "tabs": tabs,
        "most_entries": SHOWN,
        "in_all": numbers[name],
        "listed": f"{reverse(LISTS[name])}?{urlencode({'customer': shown.key})}" if name in LISTS else "",
        **more,
    }
    return render(request, template, context)
