"""What is to be done, counted, for the home page and the navigation. Each count ends at a most: none is slow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from django.db import connection

MOST = 10_000  # counted of each kind; more are “more than”
FEW = 1_000  # in the navigation

# Name of the count: what is counted, as a query without its beginning.
_COUNTS = {
    "waiting": """FROM (SELECT DISTINCT record_id FROM usage_usageexception) e
        JOIN usage_usagerecord r ON r.id = e.record_id WHERE r.seller_id = %(seller)s""",
    "refused_files": """FROM usage_refusedfile f JOIN usage_supplier u ON u.id = f.supplier_id
        WHERE u.seller_id = %(seller)s AND f.settled_at IS NULL""",
    "unlinked": """FROM usage_suppliersubscription s JOIN usage_supplier u ON u.id = s.supplier_id
        WHERE u.seller_id = %(seller)s
            AND NOT EXISTS (SELECT 1 FROM usage_subscriptionlink l WHERE l.subscription_id = s.id)""",
    "unlinked_customers": """FROM usage_suppliercustomer s JOIN usage_supplier u ON u.id = s.supplier_id
        WHERE u.seller_id = %(seller)s AND s.customer_id IS NULL""",
    "blocked": """FROM customers_customer k WHERE k.seller_id = %(seller)s AND NOT k.complete AND EXISTS (
        SELECT 1 FROM contracts_contract c WHERE c.customer_id = k.id
            AND (c.next_due <= %(today)s OR (c.changed_from IS NOT NULL AND c.start <= %(today)s)))""",
    "due": """FROM contracts_contract c JOIN customers_customer k ON k.id = c.customer_id
        WHERE k.seller_id = %(seller)s
            AND (c.next_due <= %(today)s OR (c.changed_from IS NOT NULL AND c.start <= %(today)s))""",
    "overdue": """FROM invoices_documentstate d WHERE d.seller_id = %(seller)s AND d.due_on < %(today)s
        AND d.payment IN ('open', 'partly_paid')""",
    "mails": "FROM mail_outgoingmail m WHERE m.state IN ('failed', 'unknown') AND m.sender IN (%(sender)s, '')",
    "jobs": "FROM procrastinate_jobs j WHERE j.status = 'failed'",
    "sales_items": """FROM billing_salesitem i JOIN customers_customer k ON k.id = i.customer_id
        WHERE i.document_id IS NULL AND k.seller_id = %(seller)s""",
    "time": """FROM desk_timeentry t JOIN customers_customer k ON k.id = t.customer_id
        WHERE t.status = 'submitted' AND k.seller_id = %(seller)s""",
    "time_blocked": """FROM (SELECT t.id FROM desk_timeentry t
        JOIN customers_customer k ON k.id = t.customer_id
        WHERE t.status = 'submitted' AND k.seller_id = %(seller)s AND NOT k.complete) c""",
    "orders": "FROM contracts_order o WHERE o.seller_id = %(seller)s AND o.state = 'open'",
    "notices": "FROM contracts_noticerequest n WHERE n.seller_id = %(seller)s AND n.state = 'open'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDo:
    """Usage records that wait, files that were not loaded, supplier subscriptions without a contract line, customers of
    suppliers who are nobody's here yet, customers who have something due but no complete billing information, contracts
    due, invoices overdue, mails not delivered, jobs failed, sales items to be billed, time that waits for approval, and
    such of customers who lack billing information (`time_blocked`), orders to be decided, notices to be looked at. No
    count goes beyond `MOST`."""

    waiting: int
    refused_files: int
    unlinked: int
    unlinked_customers: int
    blocked: int
    due: int
    overdue: int
    mails: int
    jobs: int
    sales_items: int
    time: int
    time_blocked: int
    orders: int
    notices: int


def to_do(seller_id: int, today: date) -> ToDo:
    """What is to be done for a seller, in one query."""
    return ToDo(**_counted(tuple(_COUNTS), seller_id, today, MOST))


def counters(seller_id: int, today: date, more: Mapping[str, str] | None = None) -> dict[str, int]:
    """What the navigation counts: `waiting` usage records, contracts `due`, `orders` to be decided, `time` that
    waits for approval; each up to `FEW`, in one query.

    `more`: what rooms above count, by name, as queries like those of `_COUNTS`.
    """
    return _counted(("waiting", "due", "orders", "time"), seller_id, today, FEW, more or {})


def _counted(
    names: tuple[str, ...], seller_id: int, today: date, most: int, more: Mapping[str, str] = MappingProxyType({})
) -> dict[str, int]:
    names = (*names, *more)
    parts = (f"(SELECT count(*) FROM (SELECT 1 {(_COUNTS | dict(more))[name]} LIMIT %(most)s) x)" for name in names)
    values: dict[str, Any] = {"seller": seller_id, "sender": f"seller:{seller_id}", "today": today, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        return dict(zip(names, cursor.fetchone(), strict=True))
