"""`usage_rematch`: rows of a supplier that wait find their lines, against one bare UPDATE of the same rows.

All subscriptions are untied when the rows come, so that each waits; then they are tied, and what waits is matched by
parts, as the worker does it.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.db import connections, transaction

from bench import limits
from bench.company import CLOUD, START, Company, make, on, settle_statistics
from bench.measure import Result, clocked, peak_memory
from taktura.billing.imports import LANES, MATCHED_AT_ONCE
from taktura.billing.services import match_parts
from taktura.kit.database import scratch_database
from taktura.usage.models import SubscriptionLink, UsageException, UsageRecord
from taktura.usage.services import receive_file, waiting_parts

SIZES, SMALL = (100_000, 1_000_000), (2_000,)
LINES, SMALL_LINES = 20_000, 200
TARGET = 0.25
TABLE = "usage_usagerecord"


def run(wanted: frozenset[str], *, small: bool) -> Iterator[Result]:
    """Waiting rows a second that find their line, for each number of them."""
    for rows in SMALL if small else SIZES:
        with scratch_database():
            yield _measure(rows, SMALL_LINES if small else LINES)
            connections.close_all()


def _measure(rows: int, lines: int) -> Result:
    company = make(CLOUD, lines, quantities={}, supplied=True)
    _wait(company, rows, lines)
    actor = on(START + timedelta(days=32))
    assert company.supplier is not None
    found, waiting = 0, 0
    with clocked() as clock:
        parts = waiting_parts(company.seller, company.supplier, MATCHED_AT_ONCE, LANES)
        for begin in range(0, len(parts), LANES):
            tied = match_parts(
                actor, seller=company.seller, supplier=company.supplier, parts=parts[begin : begin + LANES]
            )
            found, waiting = found + tied.recorded, waiting + len(tied.waiting)
    memory = peak_memory()
    assert (found, waiting) == (rows, 0)
    assert not UsageException.objects.exists()
    return Result(
        name="usage_rematch",
        size=f"{rows:,} rows",
        ours=rows / clock.seconds,
        limit=rows / _bare(rows),
        unit="rows/s",
        target=TARGET,
        notes=(f"{clock.seconds:.2f} s; {memory}",),
    )


def _wait(company: Company, rows: int, lines: int) -> None:
    """A file of which no row finds its line; then all subscriptions are tied as they were."""
    assert company.supplier is not None
    links = list(SubscriptionLink.objects.all())
    SubscriptionLink.objects.all().delete()
    text = ["id,subscription_id,product_id,quantity,period_start,cost"]
    for i in range(rows):
        day = START + timedelta(days=i * 28 // rows)
        text.append(f"R{i:09},S-{i % lines:06},SKU-{i % 40:03},{1 + i % 499},{day},0.{i % 10**6:06}")
    received = receive_file(
        on(START + timedelta(days=31)), supplier=company.supplier, name="usage.csv", content="\n".join(text).encode()
    )
    assert (received.outcome.recorded, len(received.outcome.exceptions)) == (0, rows)
    SubscriptionLink.objects.bulk_create(links, batch_size=5_000)
    settle_statistics()


def _bare(rows: int) -> float:
    """Seconds in which the rows get their lines in a table like theirs, with its indexes and keys, by one statement."""
    columns = limits.columns_of(TABLE)
    waiting = limits.dump(
        f"SELECT {', '.join('NULL' if c == 'line_id' else c for c in columns.split(', '))} FROM {TABLE}"
    )
    limits.make_like([TABLE])
    with transaction.atomic(using="owner"):
        limits.copy_in(f"{limits.SCHEMA}.{TABLE}", columns, waiting)
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ANALYZE {limits.SCHEMA}.{TABLE}")
        with clocked() as clock:
            cursor.execute(f"UPDATE {limits.SCHEMA}.{TABLE} w SET line_id = r.line_id FROM {TABLE} r WHERE r.id = w.id")
    assert UsageRecord.objects.count() == rows
    return clock.seconds
