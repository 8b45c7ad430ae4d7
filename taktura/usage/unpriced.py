"""Rows of suppliers that lack what their line is billed by (R17.1), so that they bill 0: the price, where that is the
supplier's (`imported_price`), or the cost, where it is marked up (`cost_plus`)."""

from datetime import date
from typing import Any

from django.db import connection

from taktura.usage.models import Supplier, UsageFile

# The lines are few, and found first; a row counts by its days within the terms that ask for its price or cost. A row of
# nothing needs none, nor does one of a supplier whose prices hold whatever the line says a cost.
_ROWS = """
WITH theirs AS MATERIALIZED (
    SELECT DISTINCT s.line_id FROM contracts_linestretch s JOIN catalog_tariffline t ON t.id = s.tariff_line_id
    WHERE t.terms ->> 'usage_pricing' IN ('imported_price', 'cost_plus')
), stretch AS MATERIALIZED (
    SELECT s.line_id, t.terms ->> 'usage_pricing' AS pricing, s.effective_from AS first,
        COALESCE(lead(s.effective_from) OVER (PARTITION BY s.line_id ORDER BY s.effective_from, s.id), 'infinity')
            AS stop
    FROM contracts_linestretch s JOIN catalog_tariffline t ON t.id = s.tariff_line_id
    WHERE s.line_id IN (SELECT line_id FROM theirs)
)
SELECT r.subscription, r.line_id, r.currency, count(DISTINCT r.id)
FROM usage_usagerecord r JOIN stretch s ON s.line_id = r.line_id AND r.day < s.stop
    AND CASE WHEN r.is_span THEN r.end_day > s.first ELSE r.day >= s.first END
WHERE CASE s.pricing WHEN 'imported_price' THEN r.amount IS NULL WHEN 'cost_plus' THEN r.cost_amount IS NULL
        AND NOT r.priced ELSE FALSE END AND COALESCE(r.quantity, r.seconds, 1) <> 0
    AND r.seller_id = %(seller)s AND r.supplier_id = %(supplier)s AND {which}
GROUP BY 1, 2, 3
"""
_OF_DAYS = "r.day < %(end)s AND r.end_day > %(first)s AND (r.day >= %(first)s OR r.is_span)"
_OF_FILE = "r.file_id = %(file)s"

Counted = list[tuple[str, int, str, int]]  # subscription (folded), line, currency, rows


def unpriced(supplier: Supplier, first: date, end: date) -> Counted:
    """How many rows of a supplier with days in `[first, end)` lack the price or cost that their line is billed by; one
    query."""
    return _rows(supplier, _OF_DAYS, first=first, end=end)


def unpriced_of_file(file: UsageFile) -> int:
    """How many rows of a file lack the price or cost that their line is billed by; one query."""
    return sum(number for *_place, number in _rows(file.supplier, _OF_FILE, file=file.pk))


def _rows(supplier: Supplier, which: str, **asked: Any) -> Counted:
    with connection.cursor() as cursor:
        cursor.execute(_ROWS.format(which=which), {"seller": supplier.seller_id, "supplier": supplier.pk, **asked})
        found: Counted = cursor.fetchall()
    return found
