"""What rows say of a supplier's customers and subscriptions, kept in sets; what they change is kept as history.

What a row does not say stays as it is known. A row that says from when a subscription is, says until when, too.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from taktura.kit.actor import Actor
from taktura.kit.bulk import copy_rows

KEY = ("supplier_id", "folded", "reference")
TABLES = {"customer": "usage_suppliercustomer", "subscription": "usage_suppliersubscription"}
_TEXTS = ("customer_reference", "customer_folded", "name", "description", "product", "product_name", "unit")

_TOLD_ELSEWHERE = "customer_folded"  # of the reference beside it, which has its own entry

_KNOWN = """
UPDATE usage_told t SET {kept} FROM {table} k WHERE k.supplier_id = t.supplier_id AND k.folded = t.folded
"""
_CHANGES = """
INSERT INTO usage_referencechange (supplier_id, kind, folded, at, by, file_id, made, changes)
SELECT t.supplier_id, %(kind)s, t.folded, %(at)s, %(by)s, %(file)s, k.id IS NULL, COALESCE(c.changes, '{{}}')
FROM usage_told t LEFT JOIN {table} k ON k.supplier_id = t.supplier_id AND k.folded = t.folded
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(n.key, jsonb_build_array(o.value, n.value)) AS changes
    FROM jsonb_each(to_jsonb(t)) n LEFT JOIN jsonb_each(to_jsonb(k)) o ON o.key = n.key
    WHERE n.key = ANY(%(names)s) AND COALESCE(o.value, 'null') <> n.value
        AND (k.id IS NOT NULL OR n.value NOT IN ('null', '""'))
) c
WHERE k.id IS NULL OR c.changes IS NOT NULL ORDER BY t.folded
"""
_WRITE = """
INSERT INTO {table} ({columns}) SELECT {columns} FROM usage_told ORDER BY folded
ON CONFLICT (supplier_id, folded) DO UPDATE SET {new}
"""


def keep(
    actor: Actor, kind: str, names: Sequence[str], rows: Iterable[Sequence[Any]], *, file: int | None = None
) -> None:
    """Make or update customers or subscriptions (`kind`); each row has `KEY` and the fields named. No key comes twice.
    What changes is appended to their history, as the work of a file (None: of no file)."""
    table, columns = TABLES[kind], (*KEY, *names)
    listed = ", ".join(f'"{c}"' for c in columns)
    new = ", ".join(f'"{n}" = EXCLUDED."{n}"' for n in names)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS usage_told")
        cursor.execute(f"CREATE TEMP TABLE usage_told ON COMMIT DROP AS SELECT {listed} FROM {table} LIMIT 0")
        copy_rows("usage_told", columns, rows)
        cursor.execute("ANALYZE usage_told")
        cursor.execute(_KNOWN.format(table=table, kept=", ".join(_kept(n) for n in names)))
        said: dict[str, Any] = {
            "kind": kind,
            "at": actor.now,
            "by": actor.name[:200],
            "file": file,
            "names": [n for n in names if n != _TOLD_ELSEWHERE],
        }
        cursor.execute(_CHANGES.format(table=table), said)
        cursor.execute(_WRITE.format(table=table, columns=listed, new=new))


def _kept(name: str) -> str:
    """What stays as it is known where a row says nothing."""
    if name in _TEXTS:
        return f"{name} = COALESCE(NULLIF(t.{name}, ''), k.{name})"
    if name == "end":
        return '"end" = CASE WHEN t.start IS NULL THEN COALESCE(t."end", k."end") ELSE t."end" END'
    return f"{name} = COALESCE(t.{name}, k.{name})"
