"""`reconciliation`: a supplier's month against contracts and bills, against plain sums of the same rows and charges."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import connection, connections

from bench.company import CLOUD, START, Company, make, on, settle_statistics
from bench.measure import Result, clocked, peak_memory, seconds_of
from taktura.billing import services as billing
from taktura.billing.reconciliation import Reconciliation, reconcile
from taktura.kit.database import scratch_database

ROWS, SMALL = 100_000, 1_000
LINES, SMALL_LINES = 2_000, 20
MONTHS = 12  # that the supplier has charged; one of them is asked for
TARGET = 40.0

# Rows of so many months: half of them with a span, every twentieth tied to nothing.
_ROWS = """
INSERT INTO usage_usagerecord (seller_id, source, external_id, revision, digest, contract_id, line_id, article,
    by_key, supplier_id, subscription, product, at, day, end_day, is_span, quantity, cost_amount, currency, priced)
SELECT %(seller)s, 'supplier:supplier', 'R' || i, 1, md5('' || i), NULL, CASE WHEN i %% 20 > 0 THEN t.line_id END, '',
    FALSE, %(supplier)s, s.folded, 'SKU', x.day, x.day, CASE WHEN i %% 2 = 0 THEN x.day + 1 ELSE x.day + 10 END,
    i %% 2 = 1, 1 + i %% 7, (i %% 10007) / 1000.0, 'EUR', FALSE
FROM generate_series(0, %(rows)s - 1) i
CROSS JOIN LATERAL (SELECT %(start)s::date + (i * %(days)s::bigint / %(rows)s)::int AS day) x
JOIN usage_suppliersubscription s ON s.id = %(first)s + i %% %(lines)s
JOIN usage_subscriptionlink t ON t.subscription_id = s.id
"""
_WAITING = """
INSERT INTO usage_usageexception (record_id, reason, first, "end", since)
SELECT id, 'no_subscription', day, end_day, now() FROM usage_usagerecord WHERE line_id IS NULL
"""
_PLAIN = """
SELECT subscription, line_id, currency, sum(quantity), sum(cost_amount) FROM usage_usagerecord
WHERE supplier_id = %(supplier)s AND day < %(end)s AND end_day > %(first)s GROUP BY 1, 2, 3
"""
_PLAIN_CHARGES = """
SELECT line_id, sum(amount) FROM billing_charge WHERE first < %(end)s AND "end" > %(first)s GROUP BY 1
"""


def run(wanted: frozenset[str], *, small: bool) -> Iterator[Result]:
    """Seconds of a month's reconciliation, all of it billed, against the sums of its rows and charges, and no more."""
    rows, lines = (SMALL, SMALL_LINES) if small else (ROWS, LINES)
    with scratch_database():
        company = charged(rows, lines)
        first, end = date(2026, 3, 1), date(2026, 4, 1)
        assert company.supplier is not None
        found: list[Reconciliation] = []
        with clocked() as clock:
            found.append(reconcile(company.supplier, first, end))
        memory = peak_memory()
        _check(found[0], lines)
        plain = seconds_of(lambda: _plain(company, first, end))
        yield Result(
            name="reconciliation",
            size=f"{sum(t.rows for t in found[0].totals):,} of {rows:,} rows, {lines:,} contracts",
            ours=clock.seconds,
            limit=plain,
            unit="s",
            target=TARGET,
            higher=False,
            notes=(memory,),
        )
        connections.close_all()


def charged(rows: int, lines: int) -> Company:
    """A company whose supplier charged for a year, in which all that found its line is billed month by month."""
    company = make(CLOUD, lines, quantities={}, supplied=True)
    assert company.supplier is not None
    end = date(START.year + 1, START.month, START.day)
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM usage_suppliersubscription")
        (first,) = cursor.fetchone()
        asked: dict[str, Any] = {
            "seller": company.seller.pk, "supplier": company.supplier.pk, "start": START, "days": (end - START).days,
            "rows": rows, "lines": lines, "first": first,
        }  # fmt: skip
        cursor.execute(_ROWS, asked)
        cursor.execute(_WAITING)
        # What the store does as it takes usage in.
        cursor.execute("UPDATE contracts_contract SET changed_from = start")
    settle_statistics()
    for month in range(1, MONTHS + 1):
        day = date(START.year + month // 12, month % 12 + 1, 1)
        billing.bill(on(day), seller=company.seller, on=day, processes=1)
    settle_statistics()
    return company


def _plain(company: Company, first: date, end: date) -> None:
    assert company.supplier is not None
    with connection.cursor() as cursor:
        for query in (_PLAIN, _PLAIN_CHARGES):
            cursor.execute(query, {"supplier": company.supplier.pk, "first": first, "end": end})
            cursor.fetchall()


def _check(found: Reconciliation, lines: int) -> None:
    """All is accounted for, and what found its line is billed."""
    assert found.holds and len(found.rows) == lines
    (total,) = found.totals
    assert total.account.billed and total.account.waiting and not total.account.open
