"""What a scenario can look at."""

from datetime import date
from hashlib import md5
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from psycopg import sql

from taktura.billing.models import SalesItem
from taktura.billing.services.prepare import item_net
from taktura.cli.scenarios.world import World
from taktura.contracts.queries import state
from taktura.core.periods import DAY
from taktura.customers.models import Customer
from taktura.customers.queries import without_billing_information
from taktura.desk.models import TimeEntry
from taktura.desk.queries import time_of
from taktura.invoices.queries import balance, open_amount, status
from taktura.usage.onboarding import without_contract
from taktura.usage.queries import subscriptions, supplier_customers, waiting

EXPECTED = frozenset(
    {
        "documents",
        "preview",
        "error",
        "contracts",
        "usage",
        "waiting",
        "subscriptions",
        "supplier_customers",
        "customers",
        "sales_items",
        "time",
        "balance",
        "payments",
        "alerts",
        "onboarding",
    }
)

NO_ROWS = md5(b"", usedforsecurity=False).hexdigest()
WITHOUT_A_FILE = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND pg_table_is_visible(oid) AND pg_relation_size(oid) = 0
"""


def look(kind: str, world: World, on: date, expected: Any) -> Any:
    """What was found of one kind of expectation, in its words."""
    if kind == "contracts":
        return {key: _contract(world, key, on) for key in expected}
    if kind == "usage":
        return world.usage
    if kind == "alerts":
        return world.alerts
    if kind == "waiting":
        return waiting(world.seller.pk)
    if kind == "subscriptions":
        return subscriptions(world.seller.pk)
    if kind == "supplier_customers":
        return supplier_customers(world.seller.pk)
    if kind == "onboarding":
        return {
            "without_billing_information": _keys(without_billing_information(world.seller.pk)),
            "without_contract": _keys(without_contract(world.seller.pk, on)),
        }
    if kind == "customers":
        return {key: _customer(world.customer(key)) for key in expected}
    if kind == "sales_items":
        return [
            _item(world, item)
            for item in SalesItem.objects.select_related("customer__seller").prefetch_related("lines").order_by("id")
        ]
    if kind == "time":
        return [_time(entry) for entry in time_of(world.seller.pk)]
    if kind == "balance":
        return {name: balance(world.contract(name).pk).exact for name in expected}
    return {name: _payment(world, name) for name in expected}


def fingerprints() -> dict[str, str]:
    """A hash of the rows of each table, to prove that nothing has changed.

    Most tables of a scenario are empty. Their files tell so, which takes a tenth of the time that looking does.
    """
    one = sql.SQL("SELECT {}, md5(coalesce(string_agg(hash, '' ORDER BY hash), '')) FROM ({}) AS hashes")
    rows = sql.SQL("SELECT md5(one::text) AS hash FROM {} AS one")
    with connection.cursor() as cursor:
        found = dict.fromkeys(connection.introspection.table_names(cursor), NO_ROWS)
        cursor.execute(WITHOUT_A_FILE)
        written = sorted(found.keys() - {name for (name,) in cursor.fetchall()})
        cursor.execute(
            sql.SQL(" UNION ALL ").join(
                one.format(sql.Literal(name), rows.format(sql.Identifier(name))) for name in written
            )
        )
        return found | dict(cursor.fetchall())


def _contract(world: World, key: str, on: date) -> dict[str, Any]:
    found = state(world.contract(key), on)
    return {
        "ends": found.ends,
        "last_day": found.ends - DAY if found.ends else None,
        "notice_deadline": found.notice_deadline,
        "next_billing": found.next_billing,
        "status": found.status,
        "lines": found.lines,
    }


def _keys(customers: QuerySet[Customer]) -> list[str]:
    return list(customers.values_list("key", flat=True))


def _customer(customer: Customer) -> dict[str, Any]:
    info = customer.billing_information
    fields = {
        f: getattr(customer, f)
        for f in ("name", "kind", "language", "documents_per", "round_up_minutes", "hourly_rate")
    }
    return fields | {f: getattr(info, f) for f in ("country", "vat_id", "tax_status", "email", "iban")}


def _item(world: World, item: SalesItem) -> dict[str, Any]:
    return {"status": "billed" if item.document_id else "pending", "customer": item.customer.key, "net": item_net(item)}


def _time(entry: TimeEntry) -> dict[str, Any]:
    return {"status": entry.status, "customer": entry.customer.key, "minutes": entry.minutes}


def _payment(world: World, name: str) -> dict[str, Any]:
    document = world.document(name)
    return {"open": open_amount(document).exact, "status": status(document)}
