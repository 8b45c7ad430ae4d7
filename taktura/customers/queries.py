"""Reads of customers. Whether billing information is complete is said here and nowhere else."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import IntegerField, Max, QuerySet
from django.db.models.functions import Cast

from taktura.core.errors import Refused
from taktura.core.facts import Rates, Tax
from taktura.customers import einvoices, vat_id
from taktura.customers.models import BillingInformation, Customer, PortalAccess, Seller
from taktura.kit.bulk import among
from taktura.kit.fold import fold

STATUS = {"domestic": "S", "reverse_charge": "AE", "export": "G", "exempt": "E"}


def missing_billing_information(customer: Customer) -> list[str]:
    """The names of the fields without which no document may be issued to a customer; empty: it is complete (R13.4)."""
    info: BillingInformation | None = getattr(customer, "billing_information", None)
    if info is None:
        return ["name", "street", "postcode", "city", "country"]
    missing = [f for f in ("name", "street", "postcode", "city", "country") if not getattr(info, f).strip()]
    if info.tax_status == "reverse_charge":
        state = vat_id.country_of(info.vat_id)
        foreign = state in vat_id.EU and state != customer.seller.country
        if not (foreign and vat_id.is_valid(info.vat_id)):
            missing.append("vat_id")
    return missing + einvoices.missing(customer, info)


def billing_information_complete(customer: Customer) -> bool:
    """Whether documents may be issued to a customer: what every gate asks."""
    return not missing_billing_information(customer)


def check_complete(customer: Customer) -> None:
    """Raise `Refused` (`billing_information_missing`) unless documents may be issued to a customer."""
    missing = missing_billing_information(customer)
    if missing:
        raise Refused(
            "billing_information_missing",
            "Complete the billing information of %(name)s first: %(fields)s.",
            name=customer.name,
            fields=", ".join(missing),
        )


def by_address(seller_id: int, address: str) -> list[Customer]:
    """The customers of a seller to whom an e-mail address belongs: of their people in the portal, or of their billing
    information."""
    people = PortalAccess.objects.filter(
        customer__seller=seller_id, ended_at=None, user__is_active=True, user__email__iexact=address
    )
    billed = BillingInformation.objects.filter(customer__seller=seller_id, email__iexact=address)
    ids = {*people.values_list("customer", flat=True), *billed.values_list("customer", flat=True)}
    return list(Customer.objects.select_related("seller").filter(pk__in=ids).order_by("folded", "pk"))


def without_billing_information(seller_id: int) -> QuerySet[Customer]:
    """The customers of a seller to whom no document may be issued, by name."""
    return Customer.objects.filter(seller=seller_id, complete=False).order_by("folded", "pk")


def with_billing(customers: Iterable[int]) -> dict[int, Customer]:
    """Customers with their seller and billing information, in two queries."""
    found = {
        c.pk: c
        for c in Customer.objects.select_related("billing_information", "head_office").filter(
            pk__in=among(set(customers))
        )
    }
    sellers = Seller.objects.in_bulk({c.seller_id for c in found.values()})
    for customer in found.values():
        customer.seller = sellers[customer.seller_id]
    return found


def rates(value: Any) -> Rates | None:
    """Stored rates ([[from or null, rate], …]) as the core has them; None when none are set."""
    if value is None:
        return None
    return tuple((date.fromisoformat(start) if start else date.min, Decimal(rate)) for start, rate in value)


def tax_of(customer: Customer) -> Tax:
    """The tax side of a customer's contracts: its status, the seller's rates and settings (R13)."""
    seller: Seller = customer.seller
    info: BillingInformation | None = getattr(customer, "billing_information", None)
    return Tax(
        category=STATUS[info.tax_status] if info else "S",
        seller_rates=rates(seller.vat) or ((date.min, Decimal(0)),),
        gross=seller.prices_are == "gross",
        split=seller.rate_change == "split",
    )


def is_german_consumer(customer: Customer) -> bool:
    """Whether German consumer law holds for a customer's contracts (R15.4)."""
    return customer.kind == "consumer" and customer.seller.consumer_rules == "DE"


def customer_by_key(seller_id: int, key: str) -> Customer:
    """The customer of a key; raises `Refused` (`not_found`)."""
    found = Customer.objects.select_related("seller").filter(seller=seller_id, key=key).first()
    if found is None:
        raise Refused("not_found", "There is no customer “%(key)s”.", key=key)
    return found


def search(customers: QuerySet[Customer], text: str) -> QuerySet[Customer]:
    """The customers whose name or key holds each word of a text, without regard to case and marks."""
    for word in fold(text).split():
        customers = customers.filter(folded__contains=word)
    return customers


def next_key(seller_id: int) -> str:
    """A key for a new customer: the number after the highest of those that are numbers, "10001" at first."""
    numbers = Customer.objects.filter(seller=seller_id, key__regex=r"^[0-9]{1,9}$")
    highest = numbers.aggregate(highest=Max(Cast("key", IntegerField())))["highest"]
    return str((highest or 10000) + 1)
