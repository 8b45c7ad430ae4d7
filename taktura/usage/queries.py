"""Reads of usage."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from taktura.contracts.models import ContractLine
from taktura.core.errors import Refused
from taktura.usage.models import (
    FileProblem,
    ProductReference,
    ReferenceChange,
    SubscriptionLink,
    Supplier,
    SupplierCustomer,
    SupplierInvoice,
    SupplierSubscription,
    UsageException,
    UsageFile,
    UsageRecord,
)

WAITS = Exists(UsageException.objects.filter(record=OuterRef("pk")))  # a record, wholly or in part


def fold(reference: str) -> str:
    """A reference as it is compared: without regard to case and outer blanks."""
    return reference.strip().casefold()


MAX_REFERENCE = 200  # characters, as it is compared: some letters are two then


def checked(reference: str, *, field: str) -> str:
    """A reference without outer blanks; raises `Refused` (`invalid`) for an empty one, or one that is too long as it is
    compared."""
    if not fold(reference):
        raise Refused("invalid", "Name the supplier's reference.", field=field)
    if len(fold(reference)) > MAX_REFERENCE:
        raise Refused(
            "invalid", "“%(reference)s…” is too long: a reference has at most %(most)s characters, and letters such as"
            " ß count as two.",
            reference=reference.strip()[:40], most=MAX_REFERENCE, field=field,
        )  # fmt: skip
    return reference.strip()


def supplier_by_key(seller_id: int, key: str) -> Supplier:
    """The supplier of a key; raises `Refused` (`not_found`)."""
    found = Supplier.objects.select_related("seller").filter(seller=seller_id, key=key).first()
    if found is None:
        raise Refused("not_found", "There is no supplier “%(key)s”.", key=key)
    return found


def invoices_of(supplier: Supplier) -> QuerySet[SupplierInvoice]:
    """A supplier's own invoices, without the files."""
    return SupplierInvoice.objects.filter(supplier=supplier).defer("content")


def invoices_in(supplier: Supplier, first: date, end: date) -> list[SupplierInvoice]:
    """A supplier's own invoices that cover a day of `[first, end)`, in the order of their days; without the files."""
    return list(invoices_of(supplier).filter(first__lt=end, end__gt=first).order_by("first", "pk"))


def invoice_by_id(supplier: Supplier, pk: int) -> SupplierInvoice:
    """A supplier's own invoice by its id, without its file; raises `Refused` (`not_found`)."""
    found = invoices_of(supplier).filter(pk=pk).first()
    if found is None:
        raise Refused("not_found", "The supplier has no invoice %(number)s.", number=pk)
    return found


def unread_rows(supplier: Supplier, first: date, end: date) -> int:
    """How many rows of a supplier's files for days of `[first, end)` could not be read, or conflict with others."""
    files = UsageFile.objects.filter(supplier=supplier, undone_at__isnull=True, first_day__lt=end, end_day__gt=first)
    return FileProblem.objects.filter(file__in=files.values("pk")).count()


def waiting(seller_id: int) -> int:
    """How many of a seller's records wait, wholly or in part."""
    return _exceptions(seller_id).values("record_id").distinct().count()


def waiting_by_reason(seller_id: int, supplier: int | None = None) -> dict[str, int]:
    """How many of a seller's records wait, of all or of a supplier, by each reason; one may wait for several."""
    found = _exceptions(seller_id)
    found = found.filter(record__supplier=supplier) if supplier is not None else found
    rows = found.values_list("reason").annotate(number=Count("record_id", distinct=True))
    return dict(rows.order_by("reason"))


def waiting_of_all() -> list[tuple[str, int]]:
    """How many records wait for each reason, of all sellers."""
    rows = UsageException.objects.order_by().values_list("reason").annotate(number=Count("record_id", distinct=True))
    return [(reason, number) for reason, number in rows]


def waiting_of_contract(contract_id: int) -> int:
    """How many records that were sent for a contract wait, wholly or in part."""
    return UsageException.objects.filter(record__contract=contract_id).values("record_id").distinct().count()


def records_of(contract_id: int, first: date, end: date) -> QuerySet[UsageRecord]:
    """The records of a contract's lines that have a day in `[first, end)`, the newest first."""
    lines = ContractLine.objects.filter(contract=contract_id).values("pk")
    found = UsageRecord.objects.filter(line__in=lines, day__lt=end, end_day__gt=first)
    # A record of an instant begins in the span: that is what the index knows.
    return found.filter(Q(day__gte=first) | Q(is_span=True)).order_by("-day", "-id")


def lacks_undone(file: UsageFile) -> bool:
    """Whether rows of a file may be lacking: they counted as duplicates of an import that was undone since."""
    if file.read_at is None or file.emptied_at is not None or not file.duplicates:
        return False
    others = UsageFile.objects.filter(supplier=file.supplier_id, undone_at__gte=file.read_at)
    return others.exclude(pk=file.pk).exists()


def _exceptions(seller_id: int) -> QuerySet[UsageException]:
    return UsageException.objects.filter(record__seller=seller_id)


def supplier_customers(seller_id: int) -> dict[str, dict[str, Any]]:
    """All supplier customers by reference: status, name, the customer's key."""
    rows = SupplierCustomer.objects.filter(supplier__seller=seller_id).select_related("customer").order_by("id")
    return {r.reference: supplier_customer_shown(r) for r in rows}


def customers_of(supplier: Supplier, *, linked: bool | None = None) -> QuerySet[SupplierCustomer]:
    """A supplier's customers, with the customers that they are."""
    rows = SupplierCustomer.objects.filter(supplier=supplier).select_related("customer")
    return rows if linked is None else rows.filter(customer__isnull=not linked)


def supplier_customer_shown(row: SupplierCustomer) -> dict[str, Any]:
    """A supplier customer (with its customer): status, name, the customer's key."""
    return {
        "status": "linked" if row.customer else "unlinked",
        "name": row.name,
        "customer": row.customer.key if row.customer else None,
    }


def subscriptions(seller_id: int) -> dict[str, dict[str, Any]]:
    """All supplier subscriptions by reference, with the contract and article they are tied to."""
    rows = SupplierSubscription.objects.filter(supplier__seller=seller_id).prefetch_related(*_TIED)
    return {r.reference: subscription_shown(r) for r in rows.order_by("id")}


def subscriptions_of(supplier: Supplier, *, linked: bool | None = None) -> QuerySet[SupplierSubscription]:
    """A supplier's subscriptions, with the lines that they are tied to."""
    rows = SupplierSubscription.objects.filter(supplier=supplier).prefetch_related(*_TIED)
    tied = Exists(SubscriptionLink.objects.filter(subscription=OuterRef("pk")))
    return rows if linked is None else rows.filter(tied if linked else ~tied)


_TIED = ("links__line__contract", "links__line__article")


def subscription_shown(row: SupplierSubscription) -> dict[str, Any]:
    """A supplier subscription (with its links): what an import said of it, the contract and article it is tied to."""
    links = list(row.links.all())
    line = links[-1].line if links else None
    return {
        "status": "linked" if line else "unlinked",
        "contract": line.contract.key if line else None,
        "article": line.article.key if line else None,
        "customer_id": row.customer_reference,
        "name": row.name,
        "description": row.description,
        "start": row.start,
        "end": row.end,
        "product": row.product,
        "product_name": row.product_name,
        "unit": row.unit,
        "quantity": row.quantity,
    }


def changes_of(supplier: Supplier, kind: str, reference: str = "") -> QuerySet[ReferenceChange]:
    """What imports changed of a supplier's customers or subscriptions (`kind`), of one or of all of them."""
    rows = ReferenceChange.objects.filter(supplier=supplier, kind=kind).select_related("file").defer("file__content")
    return rows.filter(folded=fold(reference)) if reference else rows


def record_by_id(seller_id: int, source: str, external_id: str) -> UsageRecord:
    """A seller's usage record, with its line, contract and supplier; raises `Refused` (`not_found`)."""
    rows = UsageRecord.objects.select_related("contract", "line__contract", "line__article", "supplier")
    found = rows.filter(seller=seller_id, source=source, external_id=external_id).first()
    if found is None:
        raise Refused("not_found", "There is no usage “%(id)s” of “%(source)s”.", id=external_id, source=source)
    return found


def file_by_id(supplier: Supplier, pk: int) -> UsageFile:
    """A supplier's file without its content; raises `Refused` (`not_found`)."""
    found = UsageFile.objects.filter(supplier=supplier, pk=pk).defer("content").first()
    if found is None:
        raise Refused("not_found", "The supplier has no file %(id)s.", id=pk)
    return found


def subscriptions_by_reference(supplier: Supplier, references: Iterable[str]) -> dict[str, SupplierSubscription]:
    """A supplier's subscriptions by their folded references; raises `Refused` (`not_found`) for the first unknown."""
    wanted = {fold(r): r for r in references}
    rows = SupplierSubscription.objects.select_related("supplier").filter(supplier=supplier, folded__in=wanted)
    found = {row.folded: row for row in rows}
    for folded, reference in wanted.items():
        if folded not in found:
            raise Refused("not_found", "The supplier has no subscription “%(reference)s”.", reference=reference)
    return found


def customer_of(supplier: Supplier, reference: str) -> SupplierCustomer:
    """A supplier's customer by its reference; raises `Refused` (`not_found`)."""
    found = SupplierCustomer.objects.filter(supplier=supplier, folded=fold(reference)).first()
    if found is None:
        raise Refused("not_found", "The supplier has no customer “%(reference)s”.", reference=reference)
    return found


def reference_of(supplier: Supplier, product: str) -> ProductReference:
    """What a supplier's product stands for; raises `Refused` (`not_found`)."""
    found = ProductReference.objects.filter(supplier=supplier, folded=fold(product)).first()
    if found is None:
        raise Refused("not_found", "The product “%(product)s” stands for no article.", product=product)
    return found
