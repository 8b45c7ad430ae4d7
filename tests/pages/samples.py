"""A row for every place in the addresses of pages."""

from django.db import connection

from tools.pages import Page

OTHERS = {
    "position": 1, "n": 1, "number": 1, "line": 1, "section": "address", "kind": "invoice", "which": "company",
}  # fmt: skip


def first(table: str) -> int | None:
    """The first row of a table."""
    if not table:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(id) FROM {table}")
        row = cursor.fetchone()
    return int(row[0]) if row and row[0] is not None else None


def path_of(page: Page) -> str:
    entry = first("audit_logentry WHERE subject LIKE 'contract:%'")
    return page.path(first, OTHERS | {"entry": entry})
