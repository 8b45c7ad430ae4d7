"""Taking the records of a file out again, in sets; they are kept among the revisions that were withdrawn."""

from django.db import connection

from taktura.kit.actor import Actor
from taktura.usage.store.match import touch_contracts
from taktura.usage.store.references import told_of_what_is_left

_HISTORY = """
INSERT INTO usage_usagehistory
    (seller_id, source, external_id, revision, line, revised, replaced, withdrawn, replaced_at, record)
SELECT r.seller_id, r.source, r.external_id, r.revision, r.line_id, r.revised, nextval('usage_mark'), TRUE, %s,
    to_jsonb(r)
FROM usage_usagerecord r WHERE r.file_id = %s
"""
_TOUCHED = """SELECT l.contract_id, min(r.day), max(r.end_day) FROM usage_usagerecord r
    JOIN contracts_contractline l ON l.id = r.line_id WHERE r.file_id = %(file)s GROUP BY 1"""
_REPLACED = """SELECT EXISTS (SELECT 1 FROM usage_usagerecord r JOIN usage_usagehistory h ON h.seller_id = r.seller_id
    AND h.source = r.source AND h.external_id = r.external_id AND NOT h.withdrawn WHERE r.file_id = %s)"""


def replaced_others(file: int) -> bool:
    """Whether a record of a file stands in the place of one that was there before."""
    with connection.cursor() as cursor:
        cursor.execute(_REPLACED, [file])
        return bool(cursor.fetchone()[0])


def take_out(actor: Actor, file: int) -> int:
    """Take the records of a file out, those that wait and those that found their line; gives how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT supplier_id, subscription FROM usage_usagerecord WHERE file_id = %s", [file])
        named = cursor.fetchall()
        cursor.execute(_HISTORY, [actor.now, file])
        touch_contracts(cursor, actor.now, _TOUCHED.replace("%(file)s", str(int(file))))
        cursor.execute(
            """DELETE FROM usage_usageexception e USING usage_usagerecord r
               WHERE e.record_id = r.id AND r.file_id = %s""",
            [file],
        )
        cursor.execute("DELETE FROM usage_usagerecord WHERE file_id = %s", [file])
        count = int(cursor.rowcount)
    for supplier in {supplier for supplier, _ in named if supplier is not None}:  # a file is one supplier's
        told_of_what_is_left(supplier, [reference for of, reference in named if of == supplier])
    return count


# What became of a row last: an undoing of another import than this one takes its rows out at the instant at which it is
# noted with that file; who withdraws a record by hand, or loads the import again, is later.
_NOT_UNDONE = """
DELETE FROM usage_staging s WHERE NOT COALESCE((
    SELECT h.withdrawn AND EXISTS (SELECT FROM usage_usagefile f WHERE f.id = (h.record ->> 'file_id')::bigint
        AND f.id <> %(file)s AND f.undone_at = h.replaced_at)
    FROM usage_usagehistory h
    WHERE h.seller_id = s.seller_id AND h.source = s.source AND h.external_id = s.external_id
    ORDER BY h.replaced DESC LIMIT 1
), FALSE) OR EXISTS (SELECT FROM usage_usagerecord r WHERE r.seller_id = s.seller_id AND r.source = s.source
    AND r.external_id = s.external_id)
"""


def keep_undone(file: int) -> int:
    """Of the staged rows of a file keep those alone that went with an import which was undone; gives how many."""
    with connection.cursor() as cursor:
        # By the ids of an earlier version, where the file was read by one.
        cursor.execute("UPDATE usage_staging SET external_id = former_id WHERE former_id IS NOT NULL")
        cursor.execute(_NOT_UNDONE, {"file": file})
        cursor.execute("SELECT count(*) FROM usage_staging")
        return int(cursor.fetchone()[0])
