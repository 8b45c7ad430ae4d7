"""Telephone numbers of calls, masked after a time as itemised bills do: “030 1234567” becomes “030 1234xxx”.

A record knows which of its attributes are such numbers (`numbers`), until they are masked. Nothing else of it changes:
neither its digest, so that the same row is known again, nor its mark, so that no charge takes it for new. A number that
a tariff counts by (`aggregate: unique`) stays, for amounts come from it. How a number is masked is said by functions of
the database (migration 0017), which see to it that a revision of before changes by that alone.
"""

from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

AT_ONCE = 20_000  # rows in one transaction

_COUNTED = """
SELECT COALESCE(array_agg(DISTINCT l.terms ->> 'aggregate_of'), '{}') FROM catalog_tariffline l
JOIN catalog_tariffversion v ON v.id = l.version_id JOIN catalog_tariff t ON t.id = v.tariff_id
WHERE t.seller_id = %s AND l.terms ->> 'aggregate' = 'unique'
"""

_RECORDS = """
UPDATE usage_usagerecord r SET attributes = usage_masked(r.attributes, r.numbers - %(kept)s::text[]),
    numbers = NULLIF(r.numbers - ARRAY(SELECT jsonb_array_elements_text(r.numbers - %(kept)s::text[])), '[]')
FROM (
    SELECT id FROM usage_usagerecord WHERE seller_id = %(seller)s AND numbers IS NOT NULL AND day < %(until)s
        AND end_day <= %(until)s AND numbers - %(kept)s::text[] <> '[]'
    LIMIT %(most)s FOR UPDATE SKIP LOCKED
) due WHERE due.id = r.id
"""

# A revision that was replaced or withdrawn is kept as the JSON of its row.
_HISTORY = """
UPDATE usage_usagehistory h SET record = h.record || jsonb_build_object(
    'attributes', usage_masked(h.record -> 'attributes', (h.record -> 'numbers') - %(kept)s::text[]),
    'numbers', NULLIF((h.record -> 'numbers')
        - ARRAY(SELECT jsonb_array_elements_text((h.record -> 'numbers') - %(kept)s::text[])), '[]'))
FROM (
    SELECT id FROM usage_usagehistory WHERE seller_id = %(seller)s AND record ->> 'numbers' IS NOT NULL
        AND (record ->> 'end_day')::date <= %(until)s AND (record -> 'numbers') - %(kept)s::text[] <> '[]'
    LIMIT %(most)s FOR UPDATE SKIP LOCKED
) due WHERE due.id = h.id
"""

_FILES = """
WITH emptied AS (
    UPDATE usage_usagefile f SET content = '', emptied_at = %(now)s FROM (
        SELECT f.id FROM usage_usagefile f JOIN usage_supplier s ON s.id = f.supplier_id
            JOIN customers_seller c ON c.id = s.seller_id
        WHERE s.seller_id = %(seller)s AND f.has_calls AND f.emptied_at IS NULL
            AND COALESCE(f.end_day, (f.received_at AT TIME ZONE c.time_zone)::date + 1) <= %(until)s
        ORDER BY f.id LIMIT %(most)s FOR UPDATE OF f SKIP LOCKED
    ) due WHERE due.id = f.id RETURNING f.id
), problems AS (
    UPDATE usage_fileproblem p SET value = regexp_replace(value, %(digits)s, '\\1xxx', 'g'),
        text = regexp_replace(text, %(digits)s, '\\1xxx', 'g')
    FROM emptied e WHERE p.file_id = e.id AND p.code <> 'conflict'
)
SELECT count(*) FROM emptied
"""
_DIGITS = "([0-9]{3,})[0-9]{3}(?![0-9])"  # long enough for a number of a telephone


def mask(seller: int, until: date, now: datetime) -> dict[str, int]:
    """Mask the telephone numbers in what is of days before `until`, in transactions of some thousand rows: in records
    and in revisions of before; files of calls are emptied. Gives how many of each.

    What somebody else is writing just now is left for the next time.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, [seller])
        (kept,) = cursor.fetchone()
    given = {"seller": seller, "until": until, "kept": kept, "now": now, "digits": _DIGITS}
    return {
        "records": _in_parts(_RECORDS, given, AT_ONCE),
        "revisions": _in_parts(_HISTORY, given, AT_ONCE),
        "files": _in_parts(_FILES, given, 1),
    }


def _in_parts(statement: str, given: dict[str, Any], most: int) -> int:
    whole = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, given | {"most": most})
            number = cursor.rowcount if "UPDATE" in statement[:8] else int(cursor.fetchone()[0])
        whole += number
        if number < most:
            return whole
