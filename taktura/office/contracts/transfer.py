"""Transfer of a contract to another customer: the form, beside it what it does to both, and then the page of the change
with the same figures."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST

from taktura.billing import services as billing
from taktura.billing.services import TransferForeseen
from taktura.contracts.models import Contract
from taktura.contracts.queries import next_key
from taktura.core.errors import Refused
from taktura.office import seen, show
from taktura.office.contracts.consequence import shown
from taktura.office.contracts.customer_field import CustomerField
from taktura.office.contracts.forms import ChangeForm, problems
from taktura.office.contracts.frame import find
from taktura.office.contracts.history import entry_of
from taktura.office.forms import DayField, add_refusal
from taktura.office.page import actor_of, page, today_of

BILLS = 1


class TransferForm(ChangeForm):
    """Another customer for a contract, from a day on; at first the next one that begins a billing period."""

    customer = CustomerField(label=lazy("To customer"))
    start = DayField(label=lazy("From"), help_text=lazy("The first day that the other customer pays for."))
    key = forms.CharField(
        label=lazy("Number of the other contract"), max_length=100, help_text=lazy("It cannot change.")
    )

    def prepare(self) -> None:
        seller = self.contract.customer.seller
        self.fields["customer"].of(seller)  # type: ignore[attr-defined]
        if not self.is_bound:
            self.initial.setdefault("start", billing.next_start(self.contract, self.today))
            self.initial.setdefault("key", next_key(seller.pk))


@page("contracts.change")
@require_http_methods(["GET", "POST"])
def transfer(request: HttpRequest, pk: int) -> HttpResponse:
    """Transfer a contract to another customer."""
    contract = find(request, pk)
    posted = request.method == "POST"
    form = TransferForm(request.POST if posted else None, contract=contract, today=today_of(request))
    if posted and form.is_valid() and _looked_at(request, contract, form):
        actor = actor_of(request)
        try:
            billing.transfer(actor, contract=contract, **form.arguments())
        except Refused as refused:
            add_refusal(form, refused, {"from": "start"})
        else:
            messages.success(request, _("The contract is transferred."))
            return redirect("contract_change", contract.pk, entry_of(contract, actor.now))
    context = {
        "form": form, "contract": contract, "title": _("Transfer to another customer"), "action": _("Transfer"),
        "parent": contract.key, "back": reverse("contract", args=[contract.pk]), "seen": "",
        "preview_url": reverse("transfer_contract_preview", args=[contract.pk]),
    }  # fmt: skip
    return render(request, "contracts/transfer.html", context, status=422 if form.errors else 200)


@page("contracts.change")
@require_POST
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What a transfer would do to both customers, line by line."""
    contract, today = find(request, pk), today_of(request)
    form = TransferForm(request.POST, contract=contract, today=today)
    if not form.is_valid():
        return render(request, "contracts/consequence.html", {"problems": problems(form)})
    given = form.arguments()
    try:
        found = billing.preview_transfer(actor_of(request), contract=contract, bills=BILLS, **given)
    except Refused as refused:
        return render(request, "contracts/consequence.html", {"impossible": show.refusal(refused)})
    context = {
        "contract": contract, "sentences": _sentences(contract, given, found),
        "sides": [
            (contract.customer.name, contract.key, shown(found.old, contract.currency, today)),
            (given["customer"].name, given["key"], shown(found.new, contract.currency, today)),
        ],
        "seen": seen.of_preview(request, [*found.old.documents, *found.new.documents]),
    }  # fmt: skip
    return render(request, "contracts/both.html", context)


def _looked_at(request: HttpRequest, contract: Contract, form: TransferForm) -> bool:
    """Whether saving issues what the preview showed, to both."""
    if not request.POST.get(seen.NAME):
        return True
    try:
        found = billing.preview_transfer(actor_of(request), contract=contract, **form.arguments())
    except Refused:
        return True  # saving says why
    if seen.was_looked_at(request, [*found.old.documents, *found.new.documents]):
        return True
    form.add_error(None, seen.changed_meanwhile())
    return False


def _sentences(contract: Contract, given: dict[str, Any], found: TransferForeseen) -> list[str]:
    start = given["start"]
    said = [
        _("%(key)s ends with %(day)s. Quantities, own conditions, notes, coupons, billing dates, term and notice go"
          " along, and what is planned for later.") % {"key": contract.key, "day": show.last_day(start)}
    ]  # fmt: skip
    if found.within is None:
        said.append(_("Before VAT, both together pay what one customer would have paid."))
    else:
        named = {
            "day": show.day(start), "period": show.period(found.within.start, found.within.end),
            "next": show.day(billing.next_start(contract, start)),
        }  # fmt: skip
        said.append(
            _("%(day)s splits the period %(period)s: included quantity, tiers, minimum, cap and coupons count anew from"
              " that day on, so that both together may pay more or less than one. The next day that splits none is"
              " %(next)s.") % named
        )  # fmt: skip
    if contract.notice_received:
        said.append(_("The notice that was given goes along."))
    return said
