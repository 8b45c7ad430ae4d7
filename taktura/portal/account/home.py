"""The first page: what do I have, what will it cost, where are my invoices, how do I change or end it?"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from taktura.billing import services as billing
from taktura.catalog.queries import title_on
from taktura.contracts.models import Contract
from taktura.contracts.queries import status_on
from taktura.customers.access import access_of
from taktura.customers.models import PortalAccess
from taktura.invoices.models import DocumentState
from taktura.invoices.queries import open_by_customer
from taktura.office.contracts.consequence import ShownBill, bills_of
from taktura.portal.account.frame import allows, answer, today_of
from taktura.portal.page import CUSTOMER, SIGNED_IN, actor_of, portal_page, session_of

FORESEEN = 5  # contracts of which the first page says what the next bill will be; the page of each says it too
SHOWN = 100
DOCUMENTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A contract as the first page shows it: its next bill, where it was worked out."""

    contract: Contract
    title: str
    status: str
    ends: date | None
    bill: ShownBill | None


@portal_page(SIGNED_IN)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the customer; whoever sees several chooses one."""
    found = list(access_of(session_of(request).user))
    if len(found) == 1:
        return redirect("portal_customer", found[0].customer_id)
    return render(request, "portal/choose.html", {"found": found})


@portal_page(CUSTOMER)
@require_safe
def customer(request: HttpRequest, access: PortalAccess) -> HttpResponse:
    """What a customer has, and what comes next; what it costs is for administrators."""
    one, today = access.customer, today_of(access)
    rows = Contract.objects.filter(customer=one).select_related("customer__seller", "customer__billing_information")
    found = list(rows.select_related("tariff").prefetch_related("pauses").order_by("-start", "-id")[:SHOWN])
    running = [c for c in found if status_on(c, today) != "ended"]
    cards = [_card(request, c, today, foreseen=access.administers and n < FORESEEN) for n, c in enumerate(running)]
    documents = DocumentState.objects.filter(customer=one).order_by("-issued_on", "-document")[:DOCUMENTS]
    bills: dict[str, Any] = {}
    if access.administers:
        bills = {"documents": documents, "opened": open_by_customer([one.pk]).get(one.pk, {})}
    return answer(
        request, access, "portal_customer", "portal/customer.html", cards=cards, title=_("Overview"),
        ended=[(c, title_on(c.tariff, today) or c.tariff.key) for c in found if status_on(c, today) == "ended"],
        may_ask=allows(access, "tickets"), **bills,
    )  # fmt: skip


def _card(request: HttpRequest, contract: Contract, today: date, *, foreseen: bool) -> Card:
    bills = billing.forecast(actor_of(request), contract=contract) if foreseen else []
    shown = bills_of(bills, contract.currency, today)
    return Card(
        contract=contract, title=title_on(contract.tariff, today) or contract.tariff.key,
        status=status_on(contract, today), ends=contract.end, bill=shown[0] if shown else None,
    )  # fmt: skip
