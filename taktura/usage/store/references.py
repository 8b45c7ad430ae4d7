"""What rows say of a supplier's customers and subscriptions, kept in sets; what they change is kept as history.

What a row does not say stays as it is known. A row that says from when a subscription is, says until when, too. A row
of an earlier day than one before only fills in what is not known: what it told otherwise is kept as history alone.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from taktura.kit.actor import Actor
from taktura.kit.bulk import copy_rows

KEY = ("supplier_id", "folded", "reference", "told_day")
TABLES = {"customer": "usage_suppliercustomer", "subscription": "usage_suppliersubscription"}
_TEXTS = ("customer_reference", "customer_folded", "name", "description", "product", "product_name", "unit")

_TOLD_ELSEWHERE = "customer_folded"  # of the reference beside it, which has its own entry

_OLDER = "t.told_day < k.told_day"
_KNOWN = f"""
UPDATE usage_told t SET said = CASE WHEN {_OLDER} THEN to_jsonb(t) END, {{kept}} FROM {{table}} k
WHERE k.supplier_id = t.supplier_id AND k.folded = t.folded
"""
_CHANGES = """
INSERT INTO usage_referencechange (supplier_id, kind, folded, at, by, file_id, made, day, changes, kept)
SELECT t.supplier_id, %(kind)s, t.folded, %(at)s, %(by)s, %(file)s, k.id IS NULL,
    COALESCE((t.said ->> 'told_day')::date, t.told_day), COALESCE(c.changes, '{{}}'), COALESCE(e.kept, '{{}}')
FROM usage_told t LEFT JOIN {table} k ON k.supplier_id = t.supplier_id AND k.folded = t.folded
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(n.key, jsonb_build_array(o.value, n.value)) AS changes
    FROM jsonb_each(to_jsonb(t)) n LEFT JOIN jsonb_each(to_jsonb(k)) o ON o.key = n.key
    WHERE n.key = ANY(%(names)s) AND COALESCE(o.value, 'null') <> n.value
        AND (k.id IS NOT NULL OR n.value NOT IN ('null', '""'))
) c CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(n.key, jsonb_build_array(o.value, n.value)) AS kept
    FROM jsonb_each(t.said) n JOIN jsonb_each(to_jsonb(t)) o ON o.key = n.key
    WHERE n.key = ANY(%(names)s) AND o.value <> n.value AND n.value NOT IN ('null', '""')
) e
WHERE k.id IS NULL OR c.changes IS NOT NULL OR e.kept IS NOT NULL ORDER BY t.folded
"""
_WRITE = """
INSERT INTO {table} ({columns}) SELECT {columns} FROM usage_told ORDER BY folded
ON CONFLICT (supplier_id, folded) DO UPDATE SET {new}
"""


def keep(
    actor: Actor, kind: str, names: Sequence[str], rows: Iterable[Sequence[Any]], *, file: int | None = None
) -> None:
    """Make or update customers or subscriptions (`kind`); each row has `KEY` and the fields named. No key comes twice.

    `told_day` is the day of which the row tells. What changes is appended to their history, as the work of a file
    (None: of no file).
    """
    table, columns = TABLES[kind], (*KEY, *names)
    listed = ", ".join(f'"{c}"' for c in columns)
    new = ", ".join(f'"{n}" = EXCLUDED."{n}"' for n in (*names, "told_day"))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS usage_told")
        cursor.execute(
            f"CREATE TEMP TABLE usage_told ON COMMIT DROP AS SELECT {listed}, NULL::jsonb AS said FROM {table} LIMIT 0"
        )
        copy_rows("usage_told", columns, rows)
        cursor.execute("ANALYZE usage_told")
        cursor.execute(_KNOWN.format(table=table, kept=", ".join(_kept(n) for n in (*names, "told_day"))))
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
    """What stays as it is known: where a row says nothing, and what is known of a later day."""
    if name == "told_day":
        return "told_day = GREATEST(t.told_day, k.told_day)"
    mine, known = (f"NULLIF({x}.{name}, '')" if name in _TEXTS else f'{x}."{name}"' for x in "tk")
    newer, older = f"COALESCE({mine}, {known})", f"COALESCE({known}, {mine})"
    if name == "end":
        newer = f"CASE WHEN t.start IS NULL THEN {newer} ELSE {mine} END"
        older = f"CASE WHEN k.start IS NULL THEN {older} ELSE {known} END"
    found = f"CASE WHEN {_OLDER} THEN {older} ELSE {newer} END"
    return f'"{name}" = ' + (f"COALESCE({found}, '')" if name in _TEXTS else found)


_LEFT = """
UPDATE usage_suppliersubscription s SET told_day = (
    SELECT max(day) FROM (
        SELECT r.day FROM usage_usagerecord r
            WHERE r.supplier_id = s.supplier_id AND r.subscription = s.folded AND r.line_id IS NULL
        UNION ALL
        SELECT r.day FROM usage_subscriptionlink k JOIN usage_usagerecord r ON r.line_id = k.line_id
            AND r.supplier_id = s.supplier_id AND r.subscription = s.folded WHERE k.subscription_id = s.id
    ) x)
WHERE s.supplier_id = %(supplier)s AND s.folded = ANY(%(subscriptions)s)
"""
_LEFT_OF_CUSTOMERS = """
UPDATE usage_suppliercustomer c SET told_day = (SELECT max(s.told_day) FROM usage_suppliersubscription s
    WHERE s.supplier_id = c.supplier_id AND s.customer_folded = c.folded)
WHERE c.supplier_id = %(supplier)s AND c.folded IN (SELECT s.customer_folded FROM usage_suppliersubscription s
    WHERE s.supplier_id = %(supplier)s AND s.folded = ANY(%(subscriptions)s))
"""


def told_of_what_is_left(supplier: int, subscriptions: Sequence[str]) -> None:
    """After usage was taken out: its subscriptions (folded) and their customers are known of the latest day of what is
    left, so that what was taken out is no later word than another file."""
    with connection.cursor() as cursor:
        for statement in (_LEFT, _LEFT_OF_CUSTOMERS):
            cursor.execute(statement, {"supplier": supplier, "subscriptions": list(subscriptions)})
