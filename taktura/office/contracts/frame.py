"""What all pages of one contract share: which it is, its tabs, what comes next."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.billing import services as billing
from taktura.billing.services import Standing
from taktura.catalog.queries import title_on
from taktura.contracts.models import Contract
from taktura.contracts.queries import heir_of, lines_on, state_of
from taktura.core import facts
from taktura.customers.queries import missing_billing_information
from taktura.invoices.models import DocumentState
from taktura.office.contracts.consequence import bills_of
from taktura.office.customers.detail import Tab
from taktura.office.page import actor_of, seller_of, today_of, user_of
from taktura.usage.queries import waiting_of_contract


def find(request: HttpRequest, pk: int) -> Contract:
    """The seller's contract, or 404."""
    rows = Contract.objects.select_related(
        "customer__seller", "customer__billing_information", "tariff", "transferred_from__customer"
    )
    return get_object_or_404(rows.filter(seller=seller_of(request)), pk=pk)


def tariff_title(contract: Contract, request: HttpRequest) -> str:
    """The title of a contract's tariff today."""
    return title_on(contract.tariff, today_of(request)) or contract.tariff.key


def answer(
    request: HttpRequest,
    contract: Contract,
    name: str,
    template: str,
    standing: Standing | facts.Contract | None = None,
    **more: Any,
) -> HttpResponse:
    """A tab of a contract's page; `name` is the tab's. Facts alone say nothing of the next bill's amount."""
    user, today = user_of(request), today_of(request)
    stands = standing or billing.standing(actor_of(request), contract=contract)
    values = stands.contract if isinstance(stands, Standing) else stands
    state = state_of(contract, values, today)
    bills = bills_of(stands.bills, contract.currency, today) if isinstance(stands, Standing) else []
    documents = DocumentState.objects.filter(contract=contract).count() if user.may("documents.view") else None
    tabs = [
        Tab(label, reverse(to, args=[contract.pk]), count, to == name)
        for to, label, count, permission in (
            ("contract", _("Overview"), None, "contracts.view"),
            ("contract_lines", _("Booked components"), len(lines_on(values, today)), "contracts.view"),
            ("contract_usage", _("Usage"), None, "usage.view"),
            ("contract_documents", _("Documents"), documents, "documents.view"),
            ("contract_history", _("History"), None, "contracts.view"),
        )
        if user.may(permission)
    ]
    context = {
        "contract": contract,
        "customer": contract.customer,
        "tariff_title": tariff_title(contract, request),
        "state": state,
        "heir": heir_of(contract),
        "today": today,
        "tabs": tabs,
        "bills": bills,
        "next_bill": bills[0] if bills else None,
        "foreseen": isinstance(stands, Standing),
        "waiting": waiting_of_contract(contract.pk) if user.may("usage.view") else 0,
        "missing": missing_billing_information(contract.customer),
        **more,
    }
    return render(request, template, context)
