"""Services that customers have from suppliers already, noted without any usage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from taktura.audit.acts import act
from taktura.audit.services import record_all
from taktura.customers.models import Customer
from taktura.kit.actor import Actor
from taktura.usage.models import Supplier, SupplierCustomer, SupplierSubscription
from taktura.usage.queries import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A supplier subscription of a customer, as another system has it. `customer_reference`: the supplier's."""

    supplier: Supplier
    customer_reference: str
    reference: str
    product: str = ""
    product_name: str = ""
    quantity: Decimal | None = None
    start: date | None = None


@act
def bring_services(actor: Actor, *, services: Sequence[tuple[Service, Customer]]) -> int:
    """Note supplier subscriptions and whose they are; those that are there already stay as they are. Gives how many are
    new. In a fixed number of queries."""
    owners = {(s.supplier.pk, fold(s.customer_reference)): (s, customer) for s, customer in services}
    SupplierCustomer.objects.bulk_create(
        [
            SupplierCustomer(
                supplier=s.supplier, reference=s.customer_reference, folded=folded, name=customer.name,
                customer=customer,
            )
            for (_, folded), (s, customer) in owners.items()
        ],
        ignore_conflicts=True, batch_size=1000,
    )  # fmt: skip
    known = SupplierCustomer.objects.filter(
        supplier__in={supplier for supplier, _ in owners}, folded__in={folded for _, folded in owners},
        customer__isnull=True,
    )  # fmt: skip
    unlinked = [row for row in known if (row.supplier_id, row.folded) in owners]
    for row in unlinked:
        row.customer = owners[row.supplier_id, row.folded][1]
    SupplierCustomer.objects.bulk_update(unlinked, ["customer"], batch_size=1000)
    of_suppliers = SupplierSubscription.objects.filter(supplier__in={s.supplier.pk for s, _ in services})
    before = of_suppliers.count()
    SupplierSubscription.objects.bulk_create(
        [
            SupplierSubscription(
                supplier=s.supplier, reference=s.reference, folded=fold(s.reference), name=s.product_name,
                customer_reference=s.customer_reference, customer_folded=fold(s.customer_reference),
                product=s.product, product_name=s.product_name, quantity=s.quantity, start=s.start,
            )
            for s, _ in services
        ],
        ignore_conflicts=True, batch_size=1000,
    )  # fmt: skip
    record_all(actor, [
        ("bring_service", f"supplier:{s.supplier.pk}", {"subscription": s.reference, "customer": customer.key})
        for s, customer in services
    ])  # fmt: skip
    return of_suppliers.count() - before
