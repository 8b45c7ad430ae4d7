"""What-if: what would past months have brought under another tariff? The form, and one customer of what came of it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from taktura.billing import what_if as service
from taktura.billing.tasks import start_what_if
from taktura.billing.what_if_result import WHAT_IF, Kept, read_work
from taktura.catalog.models import Tariff
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.queries import recent_work
from taktura.office import show
from taktura.office.contracts.forms import problems
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of, user_of
from taktura.office.tariffs.what_if_form import DRAFT, WhatIfForm

FEW = 100  # contracts whose figures stand beside the form at once
LATELY = 5  # what-ifs that are listed


def check_sees(request: HttpRequest) -> None:
    """What-if shows both what is offered and what is billed."""
    if not user_of(request).may("tariffs.view"):
        raise PermissionDenied


@page("billing.view")
@require_http_methods(["GET", "POST"])
def what_if(request: HttpRequest) -> HttpResponse:
    """Choose what is compared, and start."""
    check_sees(request)
    seller = seller_of(request)
    if request.method == "POST":
        form = WhatIfForm(request, request.POST)
    else:
        initial = {n: v for n, v in request.GET.items() if n in WhatIfForm.base_fields}
        if request.GET.get("draft"):
            initial["against"] = f"{DRAFT}{request.GET['draft']}"
        form = WhatIfForm(request, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            work = start_what_if(actor_of(request), seller=seller, **form.arguments())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return redirect("work", work.pk)
    lately = recent_work(f"seller:{seller.pk}", WHAT_IF).filter(result__has_key="rows").defer("result")[:LATELY]
    context = {
        "form": form, "title": _("What-if"), "action": _("Compare"), "back": reverse("tariffs"), "parent": _("Tariffs"),
        "preview_url": reverse("what_if_preview"), "lately": lately,
    }  # fmt: skip
    return render(request, "tariffs/what_if.html", context, status=422 if form.errors else 200)


@page("billing.view")
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """How much would be looked at; of a few contracts the figures at once."""
    check_sees(request)
    form = WhatIfForm(request, request.POST)
    if not form.is_valid():
        return render(request, "tariffs/what_if_preview.html", {"problems": problems(form)})
    given, seller = form.arguments(), seller_of(request)
    scope = {name: given[name] for name in ("first_month", "last_month", "customers", "tariff")}
    number = service.number_of_contracts(seller=seller, **scope)
    context: dict[str, Any] = {"number": number}
    if 0 < number <= FEW:
        try:
            found = service.what_if(actor_of(request), seller=seller, processes=1, **given)
        except Refused as refused:
            context["impossible"] = show.refusal(refused)
        else:
            context |= {"found": found, "difference": found.new - found.old}
    return render(request, "tariffs/what_if_preview.html", context)


@page("billing.view")
@require_safe
def customer(request: HttpRequest, what_if: int, customer: int) -> HttpResponse:
    """One customer's contracts line by line, rated anew."""
    check_sees(request)
    work, kept = kept_or_404(request, what_if)
    found = get_object_or_404(Customer, pk=customer, seller=seller_of(request))
    rated = service.what_if(
        actor_of(request), seller=seller_of(request), fields=kept.fields, first_month=kept.outcome.first,
        last_month=kept.outcome.last_month, customers=[found.pk], own_conditions=kept.own_conditions,
        tariff=Tariff.objects.filter(pk=kept.tariff).first() if kept.tariff else None, detail=True, processes=1,
    )  # fmt: skip
    contracts = Contract.objects.in_bulk([row.contract for row in rated.rows])
    context = {
        "work": work, "kept": kept, "customer": found, "outcome": rated,
        "rows": [(contracts[row.contract], row) for row in rated.rows],
    }  # fmt: skip
    return render(request, "tariffs/what_if_customer.html", context)


def kept_or_404(request: HttpRequest, pk: int) -> tuple[Work, Kept]:
    """The seller's what-if with its result, or 404."""
    work = get_object_or_404(Work, pk=pk, kind=WHAT_IF, subject=f"seller:{seller_of(request).pk}")
    kept = read_work(work)
    if kept is None:
        raise Http404
    return work, kept
