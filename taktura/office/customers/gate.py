"""The gate of billing information: who lacks it, why a step cannot be finished, and the form after which it goes on."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.customers.models import Customer
from taktura.customers.queries import missing_billing_information

# What `missing_billing_information` may name.
FIELDS = {
    "name": lazy("Name"),
    "street": lazy("Street"),
    "postcode": lazy("Postcode"),
    "city": lazy("City"),
    "country": lazy("Country"),
    "vat_id": lazy("VAT id"),
    "electronic_address": lazy("Electronic address"),
}


@dataclass(frozen=True, slots=True)
class Gate:
    """A customer whose billing information lacks something: what, and the form that leads back to the step."""

    customer: Customer
    missing: str
    url: str


def gates_of(customers: Iterable[Customer], back: str) -> list[Gate]:
    """The gates of those who lack something; shown by `customers/gate.html` as `gates`, with `why`, a sentence that
    says what cannot be done. The customers are loaded with seller and billing information. `back`: the address at which
    the step goes on."""
    return [
        Gate(one, in_words(one), f"{reverse('customer_billing', args=[one.pk])}?{urlencode({'next': back})}")
        for one in customers
        if missing_billing_information(one)
    ]


def in_words(customer: Customer) -> str:
    """What the billing information of a customer lacks, in words."""
    return ", ".join(str(FIELDS[name]) for name in missing_billing_information(customer)) or _("nothing")
