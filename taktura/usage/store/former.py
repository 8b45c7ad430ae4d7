"""Rows that an earlier version stored under ids made of dates as they were written (`FormerId`)."""

from collections.abc import Iterable
from datetime import date

from django.db import connection

from taktura.kit.bulk import copy_rows

_NOTED = """
UPDATE usage_staging s SET external_id = f.stored_as FROM usage_formerid f
WHERE f.supplier_id = s.supplier_id AND f.external_id = s.external_id
"""
# Where no file tells it (rows of the API, files that are not kept any more) the row as it is written now may.
_STORED_SO = """
UPDATE usage_staging s SET external_id = s.former_id FROM usage_usagerecord r
WHERE s.former_id <> s.external_id AND r.seller_id = s.seller_id AND r.source = s.source AND r.external_id = s.former_id
    AND NOT EXISTS (SELECT FROM usage_usagerecord x WHERE x.seller_id = s.seller_id AND x.source = s.source
        AND x.external_id = s.external_id)
"""


def days_staged() -> tuple[date, date] | None:
    """The days `[first, end)` that the staged rows cover; None where there are none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(day), max(end_day) FROM usage_staging")
        first, end = cursor.fetchone()
    return (first, end) if first else None


def note(supplier: int, ids: Iterable[tuple[str, str]]) -> None:
    """Note ids of rows as they are now, and those that rows are stored by."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS usage_noted")
        cursor.execute("CREATE TEMP TABLE usage_noted (external_id text, stored_as text) ON COMMIT DROP")
        copy_rows("usage_noted", ("external_id", "stored_as"), ids)
        cursor.execute(
            """INSERT INTO usage_formerid (supplier_id, external_id, stored_as)
               SELECT %s, external_id, stored_as FROM usage_noted ON CONFLICT DO NOTHING""",
            [supplier],
        )


def known_as_before() -> None:
    """Give staged rows the ids by which they are stored already."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTED)
        cursor.execute(_STORED_SO)
