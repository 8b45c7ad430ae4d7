"""`change`: a quantity changed within a billed month, with its preview, against five empty transactions."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from statistics import median

from django.db import connection, connections, transaction

from bench.company import SEATS, START, Company, make, on
from bench.measure import Result, clocked
from taktura.billing.services import bill, change_quantity, preview_quantity
from taktura.contracts.queries import by_key, line_for
from taktura.kit.database import scratch_database

CONTRACTS, SMALL = 2_000, 20
CHANGES, SMALL_CHANGES = 200, 5
TRANSACTIONS = 5
TARGET = 20
TODAY, FROM = date(2026, 1, 15), date(2026, 1, 16)
BEFORE, AFTER = Decimal(5), Decimal(3)


def run(wanted: frozenset[str], *, small: bool) -> Iterator[Result]:
    """Milliseconds of a change (a credit note and an invoice) with its preview: the median of many.

    The empty transactions run between the changes. Each writes a message of no bytes to the log, since PostgreSQL does
    not wait for the disk where nothing was written.
    """
    changes = SMALL_CHANGES if small else CHANGES
    with scratch_database():
        company = make(SEATS, SMALL if small else CONTRACTS, quantities={"seat": BEFORE})
        bill(on(START), seller=company.seller, on=START)
        times, limits = [], []
        for number in range(changes + 1):
            times.append(_change(company, number))
            limits.append(_empty())
        yield Result(
            name="change",
            ours=median(times[1:]) * 1000,  # the first one fills caches
            limit=median(limits[1:]) * 1000,
            unit="ms",
            target=TARGET,
            higher=False,
        )
        connections.close_all()


def _change(company: Company, number: int) -> float:
    """Seconds in which a contract's line is looked up, its change is previewed and made."""
    actor = on(TODAY)
    with clocked() as clock:
        line = line_for(by_key(company.seller.pk, f"C-{number:06}"), "seat")
        ready = preview_quantity(actor, line=line, quantity=AFTER, start=FROM)
        issued = change_quantity(actor, line=line, quantity=AFTER, start=FROM)
    assert [r.draft.gross for r in ready.documents] == [d.ready.draft.gross for d in issued]
    assert [d.ready.draft.kind for d in issued] == ["credit_note", "invoice"]
    return clock.seconds


def _empty() -> float:
    """Seconds of five transactions that do nothing but commit, on the same connection."""
    with clocked() as clock:
        for _ in range(TRANSACTIONS):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                cursor.execute("SELECT pg_logical_emit_message(true, 'bench', '')")
    return clock.seconds
