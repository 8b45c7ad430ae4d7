"""What came of suppliers' subscriptions lately: the sums of a month, whether it waits or lies on their lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from taktura.core.facts import LineTerms, Usage
from taktura.usage.store.sums import TICKED, add_row, nothing, usage_of

# The month in which the last day lies, or the one before where that is not over and there is more.
_ROWS = f"""
WITH w AS (
    SELECT * FROM unnest(%(i)s::int[], %(suppliers)s::bigint[], %(folded)s::text[], %(first)s::int[], %(step)s::int[],
        %(attribute)s::text[], %(currencies)s::text[]) AS w(i, supplier, folded, first, step, attribute, own)
), r AS MATERIALIZED (
    SELECT w.i, w.attribute, r.currency IN ('', w.own) AS own, r.*, {TICKED} AS billed FROM w
        JOIN usage_usagerecord r ON r.supplier_id = w.supplier AND r.subscription = w.folded AND r.line_id IS NULL
    UNION ALL
    SELECT w.i, w.attribute, r.currency IN ('', w.own) AS own, r.*, {TICKED} AS billed FROM w
        JOIN usage_suppliersubscription s ON s.supplier_id = w.supplier AND s.folded = w.folded
        JOIN (SELECT DISTINCT subscription_id, line_id FROM usage_subscriptionlink) k ON k.subscription_id = s.id
        JOIN usage_usagerecord r ON r.line_id = k.line_id AND r.supplier_id = w.supplier AND r.subscription = w.folded
), known AS (
    SELECT i, max(end_day) AS last, date_trunc('month', max(end_day) - 1)::date AS month, min(day) AS first
    FROM r GROUP BY i
), m AS (
    SELECT i, last, CASE WHEN last < (month + interval '1 month') AND first < month
        THEN (month - interval '1 month')::date ELSE month END AS a FROM known
), x AS (
    SELECT r.*, m.last, LEAST(r.end_day, (m.a + interval '1 month')::date) - GREATEST(r.day, m.a) AS days
    FROM r JOIN m ON m.i = r.i AND r.day < m.a + interval '1 month' AND r.end_day > m.a
)
"""
_SUMS = f"""{_ROWS}
SELECT i, CASE WHEN is_span THEN end_day - day ELSE 0 END, priced,
    sum(quantity * CASE WHEN is_span THEN days ELSE 1 END),
    sum(cost_amount * CASE WHEN is_span THEN days ELSE 1 END) FILTER (WHERE own),
    sum(amount * CASE WHEN is_span THEN days ELSE 1 END) FILTER (WHERE own),
    sum(CASE WHEN is_span THEN 0 ELSE billed END), count(*), sum(quantity)
FROM x GROUP BY 1, 2, 3
"""
_OTHERS = f"""{_ROWS}
SELECT m.i, (SELECT sum(r.quantity) FROM r WHERE r.i = m.i AND r.is_span AND r.end_day = m.last),
    sum(x.quantity) FILTER (WHERE NOT x.is_span), count(x.*), max(x.quantity),
    (array_agg(x.quantity ORDER BY x.at DESC, x.revised DESC))[1], count(DISTINCT x.attributes ->> x.attribute)
FROM m LEFT JOIN x ON x.i = m.i GROUP BY m.i, m.last
"""


@dataclass(frozen=True, slots=True)
class Month:
    """A subscription's usage of one month; `standing`: its quantity on the last day (of spans), and what came without
    a span in the month."""

    usage: Usage
    standing: Decimal


def months(wanted: Sequence[tuple[int, str, LineTerms, str]]) -> list[Month | None]:
    """The last month of subscriptions (supplier, folded reference, the terms that tick them, the contract's currency);
    None: no usage at all. Costs and amounts in other currencies are left out. Two queries."""
    ticks = [t.tick if t.tick_scope == "record" else (None, None) for _, _, t, _ in wanted]
    asked: dict[str, Any] = {
        "i": list(range(len(wanted))), "suppliers": [s for s, _, _, _ in wanted],
        "folded": [f for _, f, _, _ in wanted], "currencies": [c for _, _, _, c in wanted],
        "first": [a for a, _ in ticks], "step": [b for _, b in ticks],
        "attribute": [t.aggregate_of for _, _, t, _ in wanted],
    }  # fmt: skip
    sums: dict[int, dict[str, Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, asked)
        for row in cursor.fetchall():
            add_row(sums.setdefault(row[0], nothing()), *row[1:])
        cursor.execute(_OTHERS, asked)
        others = {row[0]: row[1:] for row in cursor.fetchall()}
    return [
        _month(terms, sums.get(i, nothing()), *others[i]) if i in others else None
        for i, (_, _, terms, _) in enumerate(wanted)
    ]


def _month(
    terms: LineTerms,
    sums: dict[str, Any],
    spans: Decimal | None,
    instants: Decimal | None,
    count: int,
    peak: Decimal | None,
    last: Decimal | None,
    unique: int,
) -> Month:
    zero = Decimal(0)
    standing = (spans or zero) + (instants or zero)
    if terms.aggregate != "sum":
        sums = nothing() | {"count": count, "peak": peak or zero, "last": last or zero, "unique": unique}
    return Month(usage_of(sums, 0), standing)
