"""All pages of the office, found by their marks (`@page`): for tests and benchmarks, so that a new page is seen by them
without being named anywhere."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver

# The table of which a page shows one row, by the first words of its address; the longest that fits counts.
SHOWN = {
    "billing": "billing_billingrun",
    "contracts": "contracts_contract",
    "control": "control_alert",
    "control/profitability": "(SELECT line_id AS id FROM control_flatperiod) flat",
    "customers": "customers_customer",
    "desk/mails": "(SELECT id FROM mailbox_incomingmail WHERE state = 'waiting') waiting",
    "desk/templates": "desk_answertemplate",
    "desk/tickets": "desk_ticket",
    "documents": "invoices_document",
    "sales": "billing_salesitem",
    "settings/invitations": "accounts_invitation",
    "settings/jobs": "procrastinate_jobs",
    "settings/keys": "accounts_apikey",
    "settings/log": "audit_logentry",
    "settings/mailboxes": "mailbox_mailbox",
    "settings/mailboxes/mails": "mailbox_incomingmail",
    "settings/outbox": "mail_outgoingmail",
    "settings/queues": "desk_queue",
    "settings/users": "accounts_user",
    "settings/webhooks": "webhooks_webhookendpoint",
    "settings/webhooks/deliveries": "webhooks_webhookdelivery",
    "settings/work": "jobs_work",
    "tariffs": "catalog_tariff",
    "tariffs/modules": "catalog_module",
    "tariffs/articles": "catalog_article",
    "tariffs/coupons": "catalog_coupon",
    "tariffs/drafts": "catalog_tariffdraft",
    "tariffs/keys": "catalog_key",
    "time": "desk_timeentry",
    "usage": "usage_usagerecord",
    "usage/files": "usage_usagefile",
    "usage/invoices": "usage_supplierinvoice",
    "usage/rates": "usage_exchangerate",
    "usage/suppliers": "usage_supplier",
    "usage/subscriptions": "usage_suppliersubscription",
    "usage/customers": "usage_suppliercustomer",
    "usage/records": "usage_usagerecord",
    "usage/revisions": "usage_usagehistory",
    "work": "jobs_work",
}
# The table of a place by its own name, where it is not what the page shows.
PLACES = {
    "code": "catalog_couponcode",
    "offer": "catalog_offernumber",
    "tariff": "catalog_tariff",
    "activity": "desk_activity",
    "customer": "customers_customer",
    "mail": "mail_outgoingmail",
    "hours": "desk_allowance",
    "access": "customers_portalaccess",
    "notice": "contracts_noticerequest",
    "order": "contracts_order",
    "version": "catalog_tariffversion",
    "what_if": "jobs_work WHERE kind = 'what_if' AND state = 'done'",
    "forecast": "jobs_work WHERE kind = 'forecast' AND state = 'done'",
}
# What else stands in a place.
OTHERS: dict[str, Any] = {
    "article": "calls", "position": 1, "n": 1, "number": 1, "line": 1, "section": "address", "kind": "invoice",
    "which": "company", "profile": "zugferd",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its address with places, its name, its mark."""

    route: str
    name: str
    permission: str

    def path(self, ids: Callable[[str], int | None], others: Mapping[str, Any] | None = None) -> str:
        """The address with rows in its places (`ids` gives one of a table); empty where it shows something else."""
        path, filled = self.route, 0
        while "<" in path:
            before, _, rest = path.partition("<")
            place, _, after = rest.partition(">")
            kind, _, word = place.rpartition(":")
            value = (others or {}).get(word)
            if value is None and kind == "int" and (word in PLACES or not filled):
                value = ids(PLACES.get(word) or self._table(before))
            if value is None:
                return ""
            path, filled = f"{before}{value}{after}", filled + 1
        return path

    def _table(self, before: str) -> str:
        words = before.strip("/")
        fitting = [start for start in SHOWN if words == start or words.startswith(f"{start}/")]
        return SHOWN[max(fitting, key=len)] if fitting else ""


def pages() -> list[Page]:
    """All pages that have a mark, in the order of their addresses."""
    found = [
        Page(route, name, view.permission) for route, name, view in _routes(get_resolver().url_patterns, "/")
        if hasattr(view, "permission")
    ]  # fmt: skip
    return sorted(found, key=lambda p: p.route)


def first(table: str, column: str = "id") -> int | None:
    """The first row of a table, perhaps with a condition (`table WHERE …`); None where it is empty or unnamed."""
    if not table:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min({column}) FROM {table}")  # noqa: S608 - our own words
        row = cursor.fetchone()
    return int(row[0]) if row and row[0] is not None else None


def unmarked() -> list[str]:
    """The addresses of views of our own that have no mark: who may see them is not said."""
    return [
        route for route, _name, view in _routes(get_resolver().url_patterns, "/")
        if view.__module__.startswith("taktura.office") and not hasattr(view, "permission")
    ]  # fmt: skip


def _routes(patterns: list[Any], before: str) -> Iterator[tuple[str, str, Any]]:
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _routes(one.url_patterns, route)
        elif isinstance(one, URLPattern):
            yield route, one.name or "", one.callback
