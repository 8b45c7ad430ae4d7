"""The first company, and a further one: who bills, before anything can be billed."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.billing.services import create_seller
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.customers.sellers import checked
from taktura.office import show
from taktura.office.forms import ExactNumberField, add_refusal
from taktura.office.middleware import SELLER
from taktura.office.page import actor_of, page
from taktura.office.settings.company_forms import AddressForm, RulesForm, TaxForm, rate_spans

# Where a company of a language most likely is: country, currency, time zone, usual VAT rate.
USUAL = {"de": ("DE", "EUR", "Europe/Berlin", "19"), "sv": ("SE", "SEK", "Europe/Stockholm", "25")}
ELSEWHERE = ("", "EUR", "Europe/Berlin", None)


class NewCompanyForm(AddressForm, TaxForm, RulesForm):
    """What must be known of a company before it can bill; the rest has a usual value, and is changed later."""

    rate = ExactNumberField(
        label=lazy("Usual VAT rate in percent"), help_text=lazy("Tariffs and lines can have rates of their own.")
    )
    field_order = [
        "name", "street", "postcode", "city", "country", "vat_id", "tax_number", "registration", "email", "phone",
        "currency", "prices_are", "rate", "time_zone",
    ]  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        country, currency, zone, rate = USUAL.get(show.language(), ELSEWHERE)
        initial = {"country": country, "currency": currency, "time_zone": zone, "rate": rate, "prices_are": "net"}
        super().__init__(*args, initial=initial, seller=Seller(), today=date.min, **options)
        for name in set(self.fields) - set(self.field_order or ()):  # rules that are for later
            del self.fields[name]

    def settings(self) -> dict[str, Any]:
        """The fields as the service takes them."""
        values = dict(self.cleaned_data)
        values["vat"] = [[None, values.pop("rate")]]
        return values


@page("settings.change")
def new(request: HttpRequest) -> HttpResponse:
    """Make a company, and work for it from now on."""
    form = NewCompanyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            seller = create_seller(actor_of(request), **form.settings())
        except Refused as refused:
            add_refusal(form, refused, {"vat": "rate"})
        else:
            request.session[SELLER] = seller.pk
            messages.success(request, _("%(name)s can begin.") % {"name": seller.name})
            return redirect("home")
    context = {
        "form": form, "title": _("New company"), "back": reverse("home"), "preview_url": reverse("company_new_preview"),
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("settings.change")
@require_POST
def consequence(request: HttpRequest) -> HttpResponse:
    """How the company's documents would look, and what cannot be changed later."""
    form = NewCompanyForm(request.POST)
    if not form.is_valid():
        return render(request, "settings/consequence.html", {"incomplete": True})
    try:
        seller = Seller(**checked(form.settings()))
    except Refused as refused:
        add_refusal(form, refused, {"vat": "rate"})
        return render(request, "settings/consequence.html", {"incomplete": True, "form": form})
    context = {"section": "new", "seller": seller, "new": True, "printed": True, "rates": rate_spans(seller.vat),
               "prices_are": show.word("prices_are", seller.prices_are)}  # fmt: skip
    return render(request, "settings/consequence.html", context)
