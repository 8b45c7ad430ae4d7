"""Reads of usage."""

from typing import Any

from django.db.models import Count, QuerySet

from taktura.core.errors import Refused
from taktura.usage.models import Supplier, SupplierCustomer, SupplierSubscription, UsageException


def supplier_by_key(seller_id: int, key: str) -> Supplier:
    """The supplier of a key; raises `Refused` (`not_found`)."""
    found = Supplier.objects.select_related("seller").filter(seller=seller_id, key=key).first()
    if found is None:
        raise Refused("not_found", "There is no supplier “%(key)s”.", key=key)
    return found


def waiting(seller_id: int) -> int:
    """How many of a seller's records wait, wholly or in part."""
    return _exceptions(seller_id).values("record_id").distinct().count()


def waiting_by_reason(seller_id: int) -> dict[str, int]:
    """How many of a seller's records wait, by each reason; one may wait for several."""
    rows = _exceptions(seller_id).values_list("reason").annotate(number=Count("record_id", distinct=True))
    return dict(rows.order_by("reason"))


def waiting_of_all() -> list[tuple[str, int]]:
    """How many records wait for each reason, of all sellers."""
    rows = UsageException.objects.order_by().values_list("reason").annotate(number=Count("record_id", distinct=True))
    return [(reason, number) for reason, number in rows]


def _exceptions(seller_id: int) -> QuerySet[UsageException]:
    return UsageException.objects.filter(record__seller=seller_id)


def supplier_customers(seller_id: int) -> dict[str, dict[str, Any]]:
    """All supplier customers by reference: status, name, the customer's key."""
    rows = SupplierCustomer.objects.filter(supplier__seller=seller_id).select_related("customer").order_by("id")
    return {
        r.reference: {
            "status": "linked" if r.customer else "unlinked",
            "name": r.name,
            "customer": r.customer.key if r.customer else None,
        }
        for r in rows
    }


def subscriptions(seller_id: int) -> dict[str, dict[str, Any]]:
    """All supplier subscriptions by reference, with the contract and article they are tied to."""
    rows = SupplierSubscription.objects.filter(supplier__seller=seller_id).prefetch_related(
        "links__line__contract", "links__line__article"
    )
    found: dict[str, dict[str, Any]] = {}
    for r in rows.order_by("id"):
        links = list(r.links.all())
        line = links[-1].line if links else None
        found[r.reference] = {
            "status": "linked" if line else "unlinked",
            "contract": line.contract.key if line else None,
            "article": line.article.key if line else None,
            "customer_id": r.customer_reference,
            "name": r.name,
            "description": r.description,
            "start": r.start,
            "end": r.end,
            "product": r.product,
            "product_name": r.product_name,
            "unit": r.unit,
            "quantity": r.quantity,
        }
    return found
