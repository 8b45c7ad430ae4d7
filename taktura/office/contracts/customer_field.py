"""A field for a customer: typed as name or number, with suggestions."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.customers.models import Customer, Seller
from taktura.customers.queries import search
from taktura.office.page import seller_of

SUGGESTED = 12


class CustomerField(forms.CharField):
    """A customer, with its billing information: by number, by name, or as suggested ("name (number)").

    The form says of which seller (`field.of(seller)`).
    """

    seller: Seller | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 400, **options})

    def of(self, seller: Seller) -> None:
        """Take and suggest a seller's customers."""
        self.seller = seller
        self.widget.attrs |= {
            "list": "customers", "autocomplete": "off", "hx-get": reverse("sign_customers"), "hx-target": "#customers",
            "hx-trigger": "input changed delay:200ms, focus", "hx-params": "customer", "hx-sync": "this:replace",
        }  # fmt: skip

    def clean(self, value: Any) -> Any:
        """The customer."""
        text = str(super().clean(value) or "").strip()
        if not text:
            return None
        rows = Customer.objects.select_related("seller", "billing_information").filter(seller=self.seller)
        key = text.rpartition("(")[2].removesuffix(")").strip()
        found = rows.filter(key=key).first() or rows.filter(key=text).first()
        if found is None:
            named = list(rows.filter(name__iexact=text)[:2])
            if len(named) != 1:
                raise forms.ValidationError(_("Choose one of the customers suggested, or type the number."))
            found = named[0]
        return found


def suggested(request: HttpRequest) -> HttpResponse:
    """The customers whose name or number holds what was typed into the field."""
    text = request.GET.get("customer", "").partition("(")[0]
    rows: QuerySet[Customer] = Customer.objects.filter(seller=seller_of(request))
    found = search(rows, text.replace("\0", "")).order_by("folded")[:SUGGESTED]
    return render(request, "contracts/customers.html", {"customers": found})
