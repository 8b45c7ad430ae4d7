"""What became of a supplier's rows in a period, in sets: a fixed number of queries, however many rows there are.

Each day of each row is in one state. It waits, or is excluded, for a reason; it is `billed` where a charge of its line
had seen the row (its mark is not below the row's), or its period was settled since; else it is `open`, to be billed. A
row without a line whose days do not all wait would be `lost`; the page and the API would say so.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any

from django.db import connection, transaction

from taktura.core.reconciling import WITHDRAWN, Sum
from taktura.core.supplier_invoices import Imported
from taktura.usage.models import Supplier
from taktura.usage.unpriced import unpriced

# A row without a span counts whole, on its first day. `total`: the days over which its quantity is spread.
_DAYS = """
    CASE WHEN is_span THEN GREATEST(day, %(first)s) ELSE day END AS first,
    CASE WHEN is_span THEN LEAST(end_day, %(end)s) ELSE day + 1 END AS stop,
    CASE WHEN is_span THEN end_day - day ELSE 1 END AS total
"""
_QUANTITY = "COALESCE(quantity, seconds, 0) AS quantity"  # of calls their seconds
_WITHIN = "day < %(end)s AND end_day > %(first)s AND (day >= %(first)s OR is_span)"  # as the index knows it

_STATES = f"""
WITH part AS MATERIALIZED (
    SELECT id, subscription, line_id, currency, revised, is_span, {_QUANTITY},
        COALESCE(cost_amount, amount, 0) AS cost, {_DAYS}
    FROM usage_usagerecord WHERE seller_id = %(seller)s AND supplier_id = %(supplier)s AND {_WITHIN}
), charged AS MATERIALIZED (
    -- All charges of the periods that reach into the span, of whichever day the charge.
    SELECT line_id, contract_id, key_start, amount, credits, by_hand, rebill,
        (proof -> 'usage' ->> 'from')::date AS start, (proof -> 'usage' ->> 'until')::date AS until,
        (proof -> 'usage' ->> 'mark')::bigint AS mark
    FROM (
        SELECT c.*, max(c."end") OVER (PARTITION BY c.line_id, c.key_start) AS reach FROM billing_charge c
        WHERE c.key_start < %(end)s AND c.kind IN ('usage', 'flat') AND c.contract_id IN (
            SELECT contract_id FROM contracts_contractline WHERE id IN (SELECT DISTINCT line_id FROM part))
    ) x WHERE reach > %(first)s
), unit AS MATERIALIZED (
    -- A period of a line that was billed, until the next begins. What was credited by hand is not billed again.
    SELECT line_id, contract_id, start, LEAST(until, lead(start) OVER (PARTITION BY line_id ORDER BY start)) AS stop,
        state
    FROM (
        SELECT line_id, contract_id, key_start AS start, max(until) AS until, CASE
            WHEN sum(amount) <> 0 OR NOT bool_or(by_hand AND credits IS NOT NULL) THEN 'billed'
            WHEN bool_or(by_hand AND rebill) THEN 'open' ELSE 'credited' END AS state
        FROM charged GROUP BY 1, 2, 3 HAVING max(until) IS NOT NULL
    ) x
), seen AS MATERIALIZED (
    -- Which marks of rows a charge of the period had seen: those above `low`, up to `high`.
    SELECT u.line_id, u.start, u.stop, u.state, COALESCE(lead(m.mark) OVER w, -1) AS low,
        CASE WHEN row_number() OVER w = 1 AND k.settled_until >= u.stop
            AND (k.changed_from IS NULL OR k.changed_from >= u.stop) THEN 9223372036854775807 ELSE m.mark END AS high
    FROM unit u JOIN (SELECT DISTINCT line_id, key_start, mark FROM charged WHERE mark IS NOT NULL) m
        ON m.line_id = u.line_id AND m.key_start = u.start
    JOIN contracts_contract k ON k.id = u.contract_id
    WINDOW w AS (PARTITION BY u.line_id, u.start ORDER BY m.mark DESC)
), wait AS MATERIALIZED (
    SELECT record_id, reason, GREATEST(first, COALESCE(max(stop) OVER (PARTITION BY record_id ORDER BY first, id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), first)) AS first, stop
    FROM (
        SELECT e.id, e.record_id, e.reason, GREATEST(e.first, p.first) AS first, LEAST(e."end", p.stop) AS stop
        FROM usage_usageexception e JOIN part p ON p.id = e.record_id WHERE e.first < p.stop AND e."end" > p.first
    ) x
), met AS MATERIALIZED (
    SELECT p.id, s.state, GREATEST(p.first, s.start) AS first, LEAST(p.stop, s.stop) AS stop
    FROM part p JOIN seen s ON s.line_id = p.line_id AND p.revised > s.low AND p.revised <= s.high
        AND p.first < s.stop AND p.stop > s.start
), counted AS MATERIALIZED (
    SELECT record_id AS id, reason AS state, GREATEST(stop - first, 0) AS days FROM wait
    UNION ALL SELECT id, state, stop - first FROM met WHERE state <> 'open'
    UNION ALL SELECT m.id, m.state, -GREATEST(LEAST(m.stop, w.stop) - GREATEST(m.first, w.first), 0)
        FROM met m JOIN wait w ON w.record_id = m.id WHERE m.state <> 'open'
), complete AS (
    SELECT id, state, days FROM counted
    UNION ALL
    SELECT p.id, CASE WHEN p.line_id IS NULL THEN 'lost' ELSE 'open' END, p.stop - p.first - COALESCE(c.days, 0)
    FROM part p LEFT JOIN (SELECT id, sum(days) AS days FROM counted GROUP BY 1) c ON c.id = p.id
)
SELECT p.subscription, p.line_id, p.currency, p.is_span, p.total, c.state, sum(p.quantity * c.days),
    sum(p.cost * c.days), bool_or(p.quantity <> 0 OR p.cost <> 0)
FROM complete c JOIN part p ON p.id = c.id WHERE c.days <> 0 GROUP BY 1, 2, 3, 4, 5, 6
"""

# What there is, counted for itself, without a look at what became of it.
_IMPORTED = f"""
SELECT subscription, line_id, currency, total, count(*), sum(quantity * (stop - first)), sum(cost * (stop - first))
FROM (
    SELECT subscription, line_id, currency, {_QUANTITY}, COALESCE(cost_amount, amount, 0) AS cost, {_DAYS}
    FROM usage_usagerecord WHERE seller_id = %(seller)s AND supplier_id = %(supplier)s AND {_WITHIN}
) x GROUP BY 1, 2, 3, 4
"""

# The supplier has charged it, whoever withdrew it: a record that was withdrawn, and did not come again. An import that
# was undone never was.
_WITHDRAWN = f"""
SELECT subscription, line, currency, total, count(*), sum(quantity * (stop - first)), sum(cost * (stop - first))
FROM (
    SELECT subscription, line, currency, {_QUANTITY}, COALESCE(cost_amount, amount, 0) AS cost, {_DAYS}
    FROM (
        SELECT DISTINCT ON (h.external_id) h.line, h.record ->> 'subscription' AS subscription,
            h.record ->> 'currency' AS currency, (h.record ->> 'day')::date AS day,
            (h.record ->> 'end_day')::date AS end_day, (h.record ->> 'is_span')::boolean AS is_span,
            (h.record ->> 'quantity')::numeric AS quantity, (h.record ->> 'seconds')::bigint AS seconds,
            (h.record ->> 'cost_amount')::numeric AS cost_amount,
            (h.record ->> 'amount')::numeric AS amount
        FROM usage_usagehistory h WHERE h.seller_id = %(seller)s AND h.source = %(source)s AND h.withdrawn
            AND NOT EXISTS (SELECT 1 FROM usage_usagerecord r WHERE r.seller_id = h.seller_id AND r.source = h.source
                AND r.external_id = h.external_id)
            AND NOT EXISTS (SELECT 1 FROM usage_usagefile f WHERE f.id = (h.record ->> 'file_id')::bigint
                AND f.undone_at IS NOT NULL)
        ORDER BY h.external_id, h.replaced DESC
    ) withdrawn WHERE {_WITHIN}
) x GROUP BY 1, 2, 3, 4
"""

Place = tuple[str, int | None, str]  # the subscription's folded reference, the contract line, the currency


@dataclass(slots=True)
class Rows:
    """Rows of one place: how many, their sum, the same by state. `days`: quantity × days of those with a span that
    found their line and do not wait; `spans`: whether all of these have a span. `told`: the states of rows with a
    quantity or a cost, that may cancel each other. `unpriced`: rows that lack the price their line is billed at."""

    rows: int = 0
    imported: Sum = Sum()
    states: dict[str, Sum] = field(default_factory=dict)
    days: Fraction = Fraction(0)
    spans: bool = True
    told: set[str] = field(default_factory=set)
    unpriced: int = 0


def accounted(supplier: Supplier, first: date, end: date) -> dict[Place, Rows]:
    """What became of a supplier's rows with days in `[first, end)`, by place; four queries."""
    asked = _asked(supplier, first, end)
    found: dict[Place, Rows] = defaultdict(Rows)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_IMPORTED, asked)
        for *place, total, count, quantity, cost in cursor.fetchall():
            _add(found[_place(place)], count, _sum(quantity, cost, total))
        cursor.execute(_WITHDRAWN, asked)
        for *place, total, count, quantity, cost in cursor.fetchall():
            rows, value = found[_place(place)], _sum(quantity, cost, total)
            _add(rows, count, value)
            rows.states[WITHDRAWN] = rows.states.get(WITHDRAWN, Sum()) + value
        cursor.execute("SET LOCAL enable_nestloop = off")  # it cannot know how many rows meet how many that wait
        cursor.execute(_STATES, asked)
        states = cursor.fetchall()
        cursor.execute("SET LOCAL enable_nestloop = on")
        for *place, is_span, total, state, quantity, cost, told in states:
            rows = found[_place(place)]
            rows.told |= {state} if told else set()
            rows.states[state] = rows.states.get(state, Sum()) + _sum(quantity, cost, total)
            if state in ("billed", "open"):
                rows.days += Fraction(quantity)
                rows.spans = rows.spans and is_span
        for *place, number in unpriced(supplier, first, end):
            found[_place(place)].unpriced = number
    return dict(found)


def imported(supplier: Supplier, first: date, end: date) -> dict[str, Imported]:
    """What was imported of a supplier for days of `[first, end)`, by currency, whatever became of it; two queries."""
    asked = _asked(supplier, first, end)
    found: dict[str, Imported] = defaultdict(Imported)
    with connection.cursor() as cursor:
        for query, withdrawn in ((_IMPORTED, False), (_WITHDRAWN, True)):
            cursor.execute(query, asked)
            for _subscription, _line, currency, total, count, _quantity, cost in cursor.fetchall():
                one, cost = found[currency], Fraction(cost) / total
                found[currency] = replace(
                    one, cost=one.cost + cost, rows=one.rows + count, withdrawn=one.withdrawn + cost * withdrawn
                )
    return dict(found)


def _asked(supplier: Supplier, first: date, end: date) -> dict[str, Any]:
    return {
        "seller": supplier.seller_id, "supplier": supplier.pk, "first": first, "end": end,
        "source": f"supplier:{supplier.key}",
    }  # fmt: skip


def _place(values: list[Any]) -> Place:
    subscription, line, currency = values
    return subscription, line, currency


def _add(rows: Rows, count: int, value: Sum) -> None:
    rows.rows += count
    rows.imported += value


def _sum(quantity: Any, cost: Any, total: int) -> Sum:
    return Sum(Fraction(quantity) / total, Fraction(cost) / total)
