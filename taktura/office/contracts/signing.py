"""Signing a contract: customer, tariff, start, add-ons, a coupon; beside it the first bills."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from taktura.billing import services as billing
from taktura.catalog.models import Coupon, Tariff, TariffVersion
from taktura.catalog.offer_numbers import usable
from taktura.catalog.queries import tariff_line_terms, titles, version_in_force
from taktura.contracts import services as contracts
from taktura.contracts.queries import next_key
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms
from taktura.core.periods import DAY
from taktura.core.terms import parse_terms
from taktura.customers.models import Customer, Seller
from taktura.office import show
from taktura.office.contracts.consequence import shown
from taktura.office.contracts.customer_field import CustomerField, suggested
from taktura.office.contracts.forms import coupon_choices, problems
from taktura.office.contracts.history import entry_of
from taktura.office.forms import DayField, ExactNumberField, add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.terms import notice_of, price_of

BILLS = 3
QUANTITY = "quantity_"


class SignForm(forms.Form):
    """A contract. The quantities of add-ons are fields of their own, by the tariff chosen: `offer`."""

    customer = CustomerField(label=lazy("Customer"))
    tariff = forms.ChoiceField(label=lazy("Tariff"))
    offer_number = forms.CharField(
        label=lazy("Offer number"), max_length=40, required=False,
        help_text=lazy("By it the contract gets the version that the number pins."),
    )  # fmt: skip
    start = DayField(label=lazy("Start"))
    key = forms.CharField(label=lazy("Number"), max_length=100, help_text=lazy("It cannot change."))
    coupon = forms.ChoiceField(label=lazy("Coupon"), required=False)
    code = forms.CharField(
        label=lazy("Or a code"), max_length=100, required=False,
        help_text=lazy("As the customer has it. Case and hyphens do not count."),
    )  # fmt: skip
    billed_elsewhere = DayField(
        label=lazy("Billed elsewhere until"), required=False,
        help_text=lazy("The last day that another system has billed. Nothing up to it is billed here."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, seller: Seller, today: date, initial: Any = None) -> None:
        super().__init__(data, initial={"start": today, "key": next_key(seller.pk)} | dict(initial or {}))
        self.seller, self.today = seller, today
        named = titles(seller.pk, today)
        rows = Tariff.objects.filter(seller=seller, retired=False)
        known = sorted(((str(t.pk), named.get(t.pk, t.key)) for t in rows), key=lambda t: t[1])
        self.fields["tariff"].choices = [("", _("Choose")), *known]  # type: ignore[attr-defined]
        coupons = coupon_choices(seller.pk, seller.currency, today)
        self.fields["coupon"].choices = [("", _("None")), *coupons]  # type: ignore[attr-defined]
        if not coupons:
            del self.fields["coupon"]
        if not Coupon.objects.filter(seller=seller, off=False).exists():
            del self.fields["code"]
        self.fields["customer"].of(seller)  # type: ignore[attr-defined]
        self.fields["tariff"].widget.attrs |= {
            "hx-post": reverse("sign_offer"), "hx-target": "#offer", "hx-trigger": "change", "hx-include": "#form",
            "hx-sync": "this:replace",
        }  # fmt: skip
        for field in self.fields.values():
            if isinstance(field, DayField):
                field.today = today
        self.offer = self._offer()

    def _offer(self) -> list[tuple[str, LineTerms]]:
        """The lines of the tariff chosen that can be booked, each with the name of its field."""
        chosen = (self.data.get("tariff") if self.is_bound else self.initial.get("tariff")) or ""
        tariff = Tariff.objects.filter(seller=self.seller, pk=int(chosen)).first() if chosen.isdecimal() else None
        self.chosen = tariff
        if tariff is None:
            return []
        version = version_of(tariff, str(self.data.get("offer_number", "")), self.today, self.today)
        terms = tariff_line_terms(version.lines.values_list("pk", flat=True))
        found = []
        for pk, line in sorted(terms.items(), key=lambda t: t[1].position):
            if line.booking == "included":
                continue
            field = ExactNumberField(
                label=line.title, required=False, at_least=Decimal(0), help_text=price_of(line, tariff.currency)
            )
            self.fields[f"{QUANTITY}{pk}"] = field
            found.append((f"{QUANTITY}{pk}", line))
        return found

    def clean_tariff(self) -> Tariff:
        """The tariff."""
        return Tariff.objects.select_related("seller").get(pk=self.cleaned_data["tariff"], seller=self.seller)

    def clean_coupon(self) -> Coupon | None:
        """The coupon, if any."""
        chosen = self.cleaned_data.get("coupon")
        return Coupon.objects.get(pk=chosen, seller=self.seller) if chosen else None

    def arguments(self) -> dict[str, Any]:
        """What `sign` takes, beside the actor."""
        given = self.cleaned_data
        until = given.get("billed_elsewhere")
        return {
            "key": given["key"],
            "customer": given["customer"],
            "tariff": given["tariff"],
            "start": given["start"],
            "coupon": given.get("coupon"),
            "code": given.get("code", ""),
            "offer_number": given["offer_number"] or None,
            "billed_until": until + DAY if until else None,
            "quantities": {line.article: given[name] for name, line in self.offer if given.get(name)},
        }


def version_of(tariff: Tariff, offer_number: str, today: date, start: date) -> TariffVersion:
    """The version that a contract gets which is signed today: the one that a number pins, else the one of its start."""
    if offer_number.strip():
        try:
            return usable(offer_number, tariff, today).version
        except Refused:
            pass  # said when it is signed
    return version_in_force(tariff, start)


@page("contracts.change")
@require_http_methods(["GET", "POST"])
def sign(request: HttpRequest) -> HttpResponse:
    """Sign a contract."""
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        actor = actor_of(request)
        try:
            contract = contracts.sign(actor, **form.arguments())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The contract is signed."))
            return redirect("contract_change", contract.pk, entry_of(contract, actor.now))
    context = {
        "form": form, "title": _("Sign a contract"), "action": _("Sign"), "back": reverse("contracts"),
        "parent": _("Contracts"), "preview_url": reverse("sign_contract_preview"),
    }  # fmt: skip
    return render(request, "contracts/sign.html", context, status=422 if form.errors else 200)


@page("contracts.change")
@require_POST
def offer(request: HttpRequest) -> HttpResponse:
    """The fields for the add-ons of the tariff chosen."""
    form = _form(request)
    return render(request, "contracts/offer.html", {"form": form, "quiet": True})


@page("contracts.change")
@require_safe
def customers(request: HttpRequest) -> HttpResponse:
    """Customers whose name or number holds what was typed."""
    return suggested(request)


@page("contracts.change")
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """What signing would do: the first bills, and how the contract can end."""
    form, today = _form(request), today_of(request)
    if not form.is_valid():
        return render(request, "contracts/consequence.html", {"problems": problems(form)})
    given = form.arguments()
    tariff: Tariff = given["tariff"]
    try:
        found = billing.preview_signing(actor_of(request), bills=BILLS, **given)
    except Refused as refused:
        text = show.refusal(refused)
        return render(request, "contracts/consequence.html", {"impossible": text})
    context = {
        "shown": shown(found, tariff.currency, today),
        "sentences": [
            " ".join(
                notice_of(parse_terms(version_of(tariff, given["offer_number"] or "", today, given["start"]).notice))
            )
        ],
        "issues": False,
        "first": True,
    }
    return render(request, "contracts/consequence.html", context)


def _form(request: HttpRequest) -> SignForm:
    seller, today = seller_of(request), today_of(request)
    if request.method == "POST":
        return SignForm(request.POST, seller=seller, today=today)
    initial = {k: str(v) for k, v in request.GET.items() if k in SignForm.base_fields}
    if initial.get("customer", "").isdecimal():
        named = Customer.objects.filter(seller=seller, pk=initial["customer"]).first()
        initial["customer"] = f"{named.name} ({named.key})" if named else ""
    return SignForm(seller=seller, today=today, initial=initial)
