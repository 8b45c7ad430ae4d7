"""A field for a customer: typed as name or number, with suggestions."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.customers.models import Customer, Seller


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
