"""What rows say of a supplier's customers, subscriptions and products, gathered while they are read, and kept."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from taktura.kit.actor import Actor
from taktura.kit.bulk import upsert_rows
from taktura.usage.models import Supplier, SupplierProduct, SupplierSubscription, UsageFile
from taktura.usage.queries import fold
from taktura.usage.reader import Row
from taktura.usage.store import keep

SUBSCRIPTION = (
    "customer_reference", "customer_folded", "name", "description", "start", "end", "product", "product_name", "unit",
    "quantity",
)  # fmt: skip


class Folded(dict[str, str]):
    """References folded once each."""

    def __missing__(self, key: str) -> str:
        value = self[key] = fold(key)
        return value


@dataclass(slots=True)
class Told:
    """Of each subscription the row of its latest day, of each customer the same, of those rows that name it; of each
    product the last. By the references folded."""

    products: dict[str, Row] = field(default_factory=dict)
    customers: dict[str, Row] = field(default_factory=dict)
    subscriptions: dict[str, Row] = field(default_factory=dict)
    folded: Folded = field(default_factory=Folded)

    def listen(self, row: Row) -> None:
        """Take what a row says."""
        subscription, product = self.folded[row.subscription_id], self.folded[row.product_id]
        if product:
            self.products[product] = row
        if row.customer_id:
            customer = self.folded[row.customer_id]
            if _names(row, self.customers.get(customer)):
                self.customers[customer] = row
        known = self.subscriptions.get(subscription)
        if known is None or _holds(row, known):
            self.subscriptions[subscription] = row

    def is_by(self, lines: Container[int]) -> bool:
        """Whether any of it was said by one of these rows."""
        said = (self.products, self.customers, self.subscriptions)
        return any(row.line in lines for rows in said for row in rows.values())


def _names(row: Row, known: Row | None) -> bool:
    """Whether a row says of its customer what holds: the name of the latest day."""
    if known is None or bool(row.customer_name) != bool(known.customer_name):
        return known is None or bool(row.customer_name)
    return row.first_day >= known.first_day


def _is_credit(row: Row) -> bool:
    return row.quantity is not None and row.quantity < 0


def _holds(row: Row, known: Row) -> bool:
    """Whether a row says of its subscription what holds, rather than one before: that of the latest day. A credit takes
    back some of what there was, and says nothing where another row does."""
    if _is_credit(row) != _is_credit(known):
        return _is_credit(known)
    return row.first_day >= known.first_day


def keep_told(actor: Actor, supplier: Supplier, told: Told, file: UsageFile | None) -> None:
    """Make or update the supplier's customers and subscriptions, if the supplier says so, and its products."""
    by = file.pk if file else None
    if told.products:
        products = ((supplier.pk, folded, row.product_id) for folded, row in sorted(told.products.items()))
        upsert_rows(
            SupplierProduct._meta.db_table, ("supplier_id", "folded", "product"), products,
            key=("supplier_id", "folded"), update=["product"],
        )  # fmt: skip
    if supplier.create_customers and told.customers:
        customers = (
            (supplier.pk, folded, row.customer_id, row.first_day, row.customer_name[:300])
            for folded, row in told.customers.items()
        )
        keep(actor, "customer", ["name"], customers, file=by)
    known = set(told.subscriptions)
    if not supplier.create_subscriptions:
        known &= set(SupplierSubscription.objects.filter(supplier=supplier).values_list("folded", flat=True))
    if known:
        subscriptions = (_subscription(supplier, folded, told.subscriptions[folded]) for folded in known)
        keep(actor, "subscription", SUBSCRIPTION, subscriptions, file=by)


def _subscription(supplier: Supplier, folded: str, row: Row) -> tuple[Any, ...]:
    return (
        supplier.pk,
        folded,
        row.subscription_id,
        row.first_day,
        row.customer_id,
        fold(row.customer_id),
        row.subscription_name[:300],
        row.subscription_description,
        row.subscription_start,
        row.subscription_end,
        row.product_id,
        row.product_name[:300],
        row.unit[:100],
        None if _is_credit(row) else row.quantity,
    )
