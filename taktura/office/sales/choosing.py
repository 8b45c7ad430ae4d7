"""Beginning a sale from the list: for whom it is."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_safe

from taktura.office.contracts.customer_field import CustomerField, suggested
from taktura.office.page import page, seller_of


class WhomForm(forms.Form):
    """The customer of a sale."""

    customer = CustomerField(label=lazy("Customer"))


@page("sales.change")
def choose(request: HttpRequest) -> HttpResponse:
    """Choose the customer; the lines follow."""
    form = WhomForm(request.POST or None)
    form.fields["customer"].of(seller_of(request))  # type: ignore[attr-defined]
    form.fields["customer"].widget.attrs["hx-get"] = reverse("sale_customers")
    if request.method == "POST" and form.is_valid():
        return redirect("sale_new", form.cleaned_data["customer"].pk)
    context = {
        "form": form, "title": _("New sales item"), "parent": _("Sales items"), "back": reverse("sales"),
        "action": _("Next"),
    }  # fmt: skip
    return render(request, "sales/choose.html", context, status=422 if form.errors else 200)


@page("sales.change")
@require_safe
def customers(request: HttpRequest) -> HttpResponse:
    """Customers whose name or number holds what was typed."""
    return suggested(request)
