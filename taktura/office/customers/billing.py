"""Billing information: the whole form, parts of it, and working off the customers who lack it, one after the other."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST, require_safe

from taktura.core.errors import Refused
from taktura.customers import iban, services, vat_id
from taktura.customers.einvoices import check_profile
from taktura.customers.models import BillingInformation, Customer, Seller
from taktura.customers.queries import missing_billing_information, without_billing_information
from taktura.office import seen, show
from taktura.office.contracts.customer_field import CustomerField
from taktura.office.customers.changes import choices, countries
from taktura.office.customers.detail import find
from taktura.office.customers.gate import in_words
from taktura.office.forms import DayField, ExactNumberField, add_refusal
from taktura.office.page import actor_of, next_of, page, seller_of, today_of

# What stands together, and on the tab “Configure” can be changed by itself.
ADDRESS = ("name", "legal_form", "street", "postcode", "city", "country", "head_office")
BILLING = (
    "tax_status", "vat_id", "email", "delivery", "language", "payment_days", "direct_debit", "iban",
    "mandate_reference", "mandate_date", "debtor_number", "einvoice", "electronic_address", "buyer_reference",
    "round_up_minutes", "hourly_rate",
)  # fmt: skip
SECTIONS = {"address": ADDRESS, "billing": BILLING}
OF_CUSTOMER = ("language", "round_up_minutes", "hourly_rate", "head_office")


class BillingForm(forms.Form):
    """Billing information, and what bills need to know of the customer: all of it may be left out, and what is missing
    is said beside. `section`: only that part of it."""

    says_what_is_missing = True

    name = forms.CharField(label=lazy("Name on documents"), max_length=200, required=False)
    legal_form = forms.CharField(
        label=lazy("Legal form"), max_length=50, required=False, help_text=lazy("For you; documents show the name.")
    )
    street = forms.CharField(label=lazy("Street and number"), max_length=200, required=False)
    postcode = forms.CharField(label=lazy("Postcode"), max_length=20, required=False)
    city = forms.CharField(label=lazy("City"), max_length=100, required=False)
    country = forms.ChoiceField(label=lazy("Country"), required=False)
    head_office = CustomerField(
        label=lazy("Head office"), required=False, help_text=lazy("The customer whose branch this is.")
    )
    tax_status = forms.ChoiceField(label=lazy("Tax status"))
    vat_id = forms.CharField(
        label=lazy("VAT id"), max_length=20, required=False, help_text=lazy("Reverse charge needs a valid one.")
    )
    email = forms.EmailField(label=lazy("E-mail for documents"), required=False)
    delivery = forms.ChoiceField(label=lazy("Way of delivery"))
    language = forms.ChoiceField(label=lazy("Language of documents and mails"))
    payment_days = forms.IntegerField(
        label=lazy("Days to pay"), min_value=0, max_value=365, required=False,
        help_text=lazy("Left empty: as the company has it."),
    )  # fmt: skip
    direct_debit = forms.BooleanField(label=lazy("Paid by direct debit"), required=False)
    iban = forms.CharField(label=lazy("IBAN"), max_length=42, required=False)
    mandate_reference = forms.CharField(label=lazy("Reference of the mandate"), max_length=35, required=False)
    mandate_date = DayField(label=lazy("Mandate signed on"), required=False)
    debtor_number = forms.CharField(
        label=lazy("Debtor number"), max_length=20, required=False, help_text=lazy("The customer's in bookkeeping.")
    )
    einvoice = forms.ChoiceField(label=lazy("E-invoice"), required=False)
    electronic_address = forms.CharField(
        label=lazy("Electronic address"), max_length=105, required=False,
        help_text=lazy("Scheme and identifier, as in 0204:991-12345-67. Left empty: the e-mail address."),
    )  # fmt: skip
    buyer_reference = forms.CharField(
        label=lazy("Buyer reference"), max_length=100, required=False,
        help_text=lazy("As the customer wants it on the e-invoice: authorities have a Leitweg-ID. Left empty: the"
                       " customer number."),
    )  # fmt: skip
    round_up_minutes = forms.IntegerField(
        label=lazy("Time step in minutes"), min_value=1, max_value=1440,
        help_text=lazy("Approved time is rounded up to it."),
    )  # fmt: skip
    hourly_rate = ExactNumberField(label=lazy("Hourly rate"), required=False, at_least=Decimal(0))

    def __init__(self, *args: Any, seller: Seller, today: Any, section: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        kinds = {"tax_status": "tax_status", "delivery": "way_of_delivery", "language": "language"}
        for name, kind in kinds.items():
            self.fields[name].choices = choices(kind)  # type: ignore[attr-defined]
        self.fields["einvoice"].choices = [("", _as_company(seller)), *choices("einvoice")]  # type: ignore[attr-defined]
        self.fields["country"].choices = countries()  # type: ignore[attr-defined]
        self.fields["head_office"].of(seller)  # type: ignore[attr-defined]
        self.fields["mandate_date"].today = today  # type: ignore[attr-defined]
        for name in [n for n in self.fields if section and n not in SECTIONS[section]]:
            del self.fields[name]

    def clean_iban(self) -> str:
        """An IBAN with right check digits."""
        value = str(self.cleaned_data["iban"])
        if value and not iban.is_valid(value):
            raise forms.ValidationError(_("This is no IBAN: compare it digit by digit."))
        return iban.normal(value)

    def clean_vat_id(self) -> str:
        """A VAT id with right form and check digits, where it is one of the EU."""
        value = str(self.cleaned_data["vat_id"])
        if value and vat_id.country_of(value) in vat_id.EU and not vat_id.is_valid(value):
            raise forms.ValidationError(_("This is no VAT id: compare it digit by digit."))
        return vat_id.normal(value)

    def of_billing(self) -> dict[str, Any]:
        """What billing information gets."""
        return {n: v for n, v in self.cleaned_data.items() if n in services.BILLING_FIELDS}

    def of_customer(self, customer: Customer) -> dict[str, Any]:
        """What changes of the customer itself."""
        given = {n: v for n, v in self.cleaned_data.items() if n in OF_CUSTOMER}
        return {n: v for n, v in given.items() if getattr(customer, n) != v}


def _as_company(seller: Seller) -> str:
    """The choice of the company's own profile, with what it is."""
    return _("As the company has it: %(what)s") % {"what": show.word("einvoice", seller.einvoice or "none")}


@page("customers.change")
def billing(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a customer's billing information; then the step goes on that asked for it."""
    customer = find(request, pk)
    form = billing_form(request, customer)
    shown = seen.guard(request, form)
    queue = _queue(request, customer)
    if request.method == "POST" and form.is_valid():
        try:
            save(request, customer, form)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            if not customer.complete:
                messages.warning(request, _("Saved, but no document can be issued yet: %(missing)s.") % {
                    "missing": in_words(customer)
                })  # fmt: skip
            else:
                messages.success(request, _("Billing information is saved."))
            if queue:
                return redirect(queue["skip"])
            return redirect(next_of(request) or reverse("customer", args=[pk]))
    back = next_of(request) or reverse("customers" if queue else "customer", args=[] if queue else [pk])
    section = _section(request)
    context = {
        "form": form, "title": _("Billing information"), "back": back, "parent": customer.name, "seen": shown,
        "preview_url": reverse("customer_billing_consequence", args=[pk]) + (f"?section={section}" if section else ""),
        "queue": queue, "goes_on": bool(next_of(request)),
    }  # fmt: skip
    return render(request, "customers/billing.html", context, status=422 if form.errors else 200)


@page("customers.change")
@require_POST
def billing_consequence(request: HttpRequest, pk: int) -> HttpResponse:
    """What saving the form would do: whether documents can be issued then, and what is missing."""
    customer = find(request, pk)
    form = billing_form(request, customer)
    form.is_valid()
    info = getattr(customer, "billing_information", None) or BillingInformation()
    for name in (n for n in services.BILLING_FIELDS if n in form.fields):
        setattr(info, name, form.cleaned_data.get(name, "" if name not in ("payment_days", "mandate_date") else None))
    customer.billing_information = info
    missing = in_words(customer).split(", ") if missing_billing_information(customer) else []
    try:
        check_profile(customer, info)
    except Refused as refused:
        missing.append(show.refusal(refused))
    return render(request, "customers/billing_consequence.html", {
        "missing": missing, "info": info, "creditor_id": customer.seller.creditor_id,
    })  # fmt: skip


@page("customers.change")
@require_safe
def work_off(request: HttpRequest) -> HttpResponse:
    """The next customer who lacks billing information, after the one in `after`; the list at the end."""
    after = request.GET.get("after", "")
    row = _after(request, Customer.objects.filter(pk=int(after)).first() if after.isdecimal() else None).first()
    if row is None:
        messages.success(request, _("These were all customers without complete billing information."))
        return redirect("customers")
    return redirect(f"{reverse('customer_billing', args=[row.pk])}?queue=1")


def billing_form(request: HttpRequest, customer: Customer) -> BillingForm:
    """The form of a customer's billing information, or of a section of it."""
    info = getattr(customer, "billing_information", None)
    initial: dict[str, Any] = {n: getattr(info, n) for n in services.BILLING_FIELDS} if info else {
        "name": customer.name, "country": customer.seller.country, "tax_status": "domestic", "delivery": "email",
    }  # fmt: skip
    head = customer.head_office
    initial |= {n: getattr(customer, n) for n in OF_CUSTOMER} | {
        "head_office": f"{head.name} ({head.key})" if head else ""
    }
    return BillingForm(
        request.POST or None, initial=initial, seller=customer.seller, today=today_of(request),
        section=_section(request),
    )  # fmt: skip


def save(request: HttpRequest, customer: Customer, form: BillingForm) -> None:
    """Write what the form says: both parts, or none. Raises `Refused`."""
    actor = actor_of(request)
    with transaction.atomic():
        services.set_billing_information(actor, customer=customer, **form.of_billing())
        if changed := form.of_customer(customer):
            services.change_customer(actor, customer=customer, **changed)


def _section(request: HttpRequest) -> str:
    wanted = request.GET.get("section", "")
    return wanted if wanted in SECTIONS else ""


def _queue(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    """Where the customers are worked off one after the other: how many are left, and how one is skipped."""
    if request.GET.get("queue") != "1":
        return {}
    left = _after(request, customer).count() + (not customer.complete)
    return {"left": left, "skip": f"{reverse('customers_billing')}?{urlencode({'after': customer.pk})}"}


def _after(request: HttpRequest, customer: Customer | None) -> QuerySet[Customer]:
    rows = without_billing_information(seller_of(request).pk)
    if customer is None:
        return rows
    return rows.filter(Q(folded__gt=customer.folded) | Q(folded=customer.folded, pk__gt=customer.pk))
