"""`usage_import`: a supplier's file from bytes to matched records, against bare COPY and `ON CONFLICT` of the rows."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from django.db import connections, transaction

from bench import limits
from bench.company import CLOUD, START, Company, make, on
from bench.measure import Result, clocked, peak_memory, seconds_of
from taktura.kit.database import scratch_database
from taktura.usage.services import receive_file

SIZES, SMALL = (100_000, 1_000_000), (2_000,)
LINES, SMALL_LINES = 20_000, 200
REPEATED = 10  # one row of so many is there again
TARGET = 0.25
TABLE = "usage_usagerecord"
MAPPING = {
    "id": "Id", "subscription_id": "Subscription", "product_id": "Product", "quantity": "Quantity",
    "period_start": "Day", "cost": "Cost",
}  # fmt: skip


def run(wanted: frozenset[str], *, small: bool) -> Iterator[Result]:
    """Rows a second, repeats counted, for each size of file."""
    for rows in SMALL if small else SIZES:
        with scratch_database():
            yield _measure(rows, SMALL_LINES if small else LINES)
            connections.close_all()


def _measure(rows: int, lines: int) -> Result:
    company = make(CLOUD, lines, quantities={}, supplied=True)
    content = _file(rows, lines)
    ours = _receive(company, content, rows)
    memory = peak_memory()
    return Result(
        name="usage_import",
        size=f"{rows:,} rows",
        ours=rows / ours,
        limit=rows / _bare(),
        unit="rows/s",
        target=TARGET,
        notes=(f"{ours:.2f} s; {memory}",),
    )


def _receive(company: Company, content: bytes, rows: int) -> float:
    """Seconds in which a file is received; the outcome must be the one expected."""
    assert company.supplier is not None
    with clocked() as clock:
        received = receive_file(
            on(START + timedelta(days=31)),
            supplier=company.supplier,
            name="usage.csv",
            content=content,
            mapping=MAPPING,
        )
    outcome, repeated = received.outcome, rows // REPEATED
    assert (received.rows, outcome.recorded, outcome.duplicates) == (rows, rows - repeated, repeated)
    assert not (received.problems or outcome.conflicts or outcome.exceptions)
    return clock.seconds


def _file(rows: int, lines: int) -> bytes:
    """A CSV file of a month; every tenth row repeats one before it."""
    random = Random(1)
    text = ["Id,Subscription,Product,Quantity,Day,Cost"]
    for i in range(rows):
        if i % REPEATED == REPEATED - 1:
            text.append(text[random.randrange(1, len(text))])
            continue
        day = date.fromordinal(START.toordinal() + i * 28 // rows)
        quantity, cost = random.randrange(1, 500), random.randrange(10**6)
        text.append(f"R{i:09},S-{random.randrange(lines):06},SKU-{i % 40:03},{quantity},{day},0.{cost:06}")
    return "\n".join(text).encode() + b"\n"


def _bare() -> float:
    """Seconds in which the rows just stored, with repeats, go into a table like theirs by COPY and one statement."""
    columns = limits.columns_of(TABLE, without=("id", "revised"))
    stored = limits.dump(f"SELECT {columns} FROM {TABLE} ORDER BY id").splitlines(keepends=True)
    again = stored[:: REPEATED - 1]
    content = b"".join(stored + again)
    limits.make_like([TABLE])

    def copy() -> None:
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE staging ON COMMIT DROP AS SELECT {columns} FROM {TABLE} LIMIT 0")
            limits.copy_in("staging", columns, content)
            cursor.execute(
                f"""INSERT INTO {limits.SCHEMA}.{TABLE} ({columns}) SELECT {columns} FROM staging
                    ON CONFLICT DO NOTHING"""
            )
            assert cursor.rowcount == len(stored)

    return seconds_of(copy, before=lambda: limits.empty([TABLE]))
