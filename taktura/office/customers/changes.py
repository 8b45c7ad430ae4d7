"""Making and changing customers."""

from decimal import Decimal
from typing import Any

from babel import Locale
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.core.errors import Refused
from taktura.customers import services
from taktura.customers.languages import language_of
from taktura.customers.queries import next_key
from taktura.kit.fold import fold
from taktura.office import seen, show
from taktura.office.customers.detail import find
from taktura.office.forms import ExactNumberField, add_refusal
from taktura.office.page import actor_of, next_of, page, seller_of
from taktura.office.words import WORDS

FIRST = ("DE", "SE", "AT", "CH", "DK", "NO", "FI", "NL", "GB", "US")  # countries that stand at the top


def choices(kind: str) -> list[tuple[str, str]]:
    """The values of a kind with their words, as choices of a field."""
    return [(value, show.word(kind, value)) for value in WORDS[kind]]


def countries() -> list[tuple[str, str]]:
    """All countries in the reader's language: those of most customers first."""
    names = {c: str(n) for c, n in Locale.parse(show.language()).territories.items() if len(c) == 2 and c.isalpha()}
    rest = sorted((c for c in names if c not in FIRST and c not in ("EU", "EZ", "UN", "ZZ", "QO", "XA", "XB")),
                  key=lambda c: fold(names[c]))  # fmt: skip
    return [("", _("Choose"))] + [(c, names[c]) for c in (*FIRST, *rest)]


class CustomerForm(forms.Form):
    """A customer without billing information."""

    name = forms.CharField(label=lazy("Name"), max_length=200)
    key = forms.CharField(
        label=lazy("Number"), max_length=100, help_text=lazy("Other systems know the customer by it. It cannot change.")
    )
    kind = forms.ChoiceField(label=lazy("Kind"))
    language = forms.ChoiceField(label=lazy("Language of documents and mails"))
    documents_per = forms.ChoiceField(label=lazy("Documents"))
    round_up_minutes = forms.IntegerField(
        label=lazy("Time step in minutes"), min_value=1, max_value=1440, initial=10,
        help_text=lazy("Approved time is rounded up to it."),
    )  # fmt: skip
    hourly_rate = ExactNumberField(label=lazy("Hourly rate"), required=False, at_least=Decimal(0))

    def __init__(self, *args: Any, is_new: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        kinds: dict[str, Any] = {"kind": "customer", "language": "language", "documents_per": "documents_per"}
        for name, kind in kinds.items():
            self.fields[name].choices = choices(kind)  # type: ignore[attr-defined]
        if not is_new:
            del self.fields["key"]


@page("customers.change")
def new(request: HttpRequest) -> HttpResponse:
    """Make a customer; its billing information is asked for next."""
    seller = seller_of(request)
    initial = {"key": next_key(seller.pk), "language": language_of(seller.country), "round_up_minutes": 10}
    form = CustomerForm(request.POST or None, initial=initial, is_new=True)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_customer(actor_of(request), seller=seller, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused, {"": "key"} if refused.code == "conflict" else {})
        else:
            messages.success(request, _("%(name)s is made.") % {"name": made.name})
            return redirect("customer_billing", made.pk)
    context = {"form": form, "title": _("New customer"), "back": reverse("customers"), "parent": _("Customers")}
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("customers.change")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a customer."""
    customer = find(request, pk)
    names = [n for n in CustomerForm.base_fields if n != "key"]
    form = CustomerForm(request.POST or None, initial={n: getattr(customer, n) for n in names}, is_new=False)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_customer(actor_of(request), customer=customer, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect(next_of(request) or reverse("customer", args=[pk]))
    context = {
        "form": form, "title": _("Change customer"), "parent": customer.name,
        "back": next_of(request) or reverse("customer", args=[pk]),
        "seen": shown,
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)
