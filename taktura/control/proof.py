"""Proving the sums of flat prices: those by month and those of the last months follow from the periods."""

from collections.abc import Iterator

from django.db import connection

_MONTHS = """
SELECT COALESCE(k.month, p.month), COALESCE(k.currency, p.currency), COALESCE(k.article_id, p.article_id)
FROM control_flatmonth k FULL JOIN (
    SELECT seller_id, month, currency, tariff_id, article_id, count(*) AS periods,
        count(*) FILTER (WHERE notional > fee) AS above, sum(minutes) AS minutes, sum(notional) AS notional,
        sum(fee) AS fee
    FROM control_flatperiod GROUP BY 1, 2, 3, 4, 5
) p USING (seller_id, month, currency, tariff_id, article_id)
WHERE (COALESCE(k.periods, 0), COALESCE(k.above, 0), COALESCE(k.minutes, 0), COALESCE(k.notional, 0),
        COALESCE(k.fee, 0))
    <> (COALESCE(p.periods, 0), COALESCE(p.above, 0), COALESCE(p.minutes, 0), COALESCE(p.notional, 0),
        COALESCE(p.fee, 0))
ORDER BY 1, 2, 3
"""
_LINES = """
SELECT DISTINCT l.line_id
FROM control_flatline l LEFT JOIN LATERAL (
    SELECT count(*) AS periods, count(*) FILTER (WHERE notional > fee) AS above, COALESCE(sum(minutes), 0) AS minutes,
        COALESCE(sum(notional), 0) AS notional, COALESCE(sum(fee), 0) AS fee
    FROM control_flatperiod f WHERE f.line_id = l.line_id AND f.month > l.as_of - make_interval(months => l.months)
) p ON true
WHERE (l.periods, l.above, l.minutes, l.notional, l.fee, l.gain)
    <> (p.periods, p.above, p.minutes, p.notional, p.fee, p.fee - p.notional)
ORDER BY 1
"""


def check_flat_prices() -> Iterator[str]:
    """What is wrong with the sums of flat prices, a sentence each."""
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS)
        for month, currency, article in cursor.fetchall():
            yield (
                f"The flat prices of article {article} in {month:%Y-%m} ({currency}): their sums do not follow from"
                " their periods."
            )
        cursor.execute(_LINES)
        for (line,) in cursor.fetchall():
            yield f"The flat price of line {line}: its sums of months do not follow from its periods."
