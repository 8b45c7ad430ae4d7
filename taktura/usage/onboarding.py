"""Which customers have services of suppliers but no contract, and what these services are (house.md, onboarding)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from taktura.contracts.models import Contract
from taktura.customers.models import Customer
from taktura.kit.bulk import among
from taktura.usage.models import SupplierCustomer, SupplierSubscription


def without_contract(seller_id: int, today: date) -> QuerySet[Customer]:
    """The customers who have supplier subscriptions on a day and no contract that runs or is to come."""
    running = in_use(today).filter(supplier=OuterRef("supplier"), customer_folded=OuterRef("folded"))
    served = SupplierCustomer.objects.filter(Exists(running), customer__isnull=False).exclude(folded="")
    bound = Contract.objects.filter(Q(end__isnull=True) | Q(end__gt=today), customer=OuterRef("pk"))
    found = Customer.objects.filter(seller=seller_id, pk__in=served.values("customer"))
    return found.filter(~Exists(bound)).order_by("folded", "pk")


def in_use(today: date) -> QuerySet[SupplierSubscription]:
    """The supplier subscriptions that have not ended before a day."""
    return SupplierSubscription.objects.filter(Q(end__isnull=True) | Q(end__gte=today))


def services_of(customers: Iterable[int], today: date) -> dict[int, list[SupplierSubscription]]:
    """The supplier subscriptions that customers have on a day, each with its supplier, in the order of their making;
    two queries."""
    known = SupplierCustomer.objects.filter(customer__in=among(set(customers))).exclude(folded="")
    owners = {(row.supplier_id, row.folded): row.customer_id for row in known}
    rows = in_use(today).filter(supplier__in={supplier for supplier, _folded in owners})
    rows = rows.filter(customer_folded__in={folded for _supplier, folded in owners})
    found: dict[int, list[SupplierSubscription]] = defaultdict(list)
    for row in rows.select_related("supplier").order_by("pk"):
        owner = owners.get((row.supplier_id, row.customer_folded))
        if owner is not None:
            found[owner].append(row)
    return dict(found)
