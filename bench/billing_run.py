"""`billing_run`, `rerun`, `billing_run_growth`: from facts to issued documents, against bare COPY of the same."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from django.db import connections, transaction

from bench import limits
from bench.company import TELEPHONE, Company, add_usage, make, on
from bench.measure import Result, clocked, peak_memory, seconds_of
from taktura.billing.services import bill
from taktura.invoices.models import DocumentLine
from taktura.kit.database import scratch_database

CONTRACTS, SMALL = 100_000, 40
FEWER = 10  # times, for the growth
LINES = 4
BILLED_ON = date(2026, 2, 1)
TABLES = ("invoices_document", "invoices_documentline", "invoices_documenttax", "billing_charge")
TARGET, RERUN_TARGET, GROWTH_TARGET = 0.2, 0.1, 1.3


def run(wanted: frozenset[str], *, small: bool) -> Iterator[Result]:
    """Contracts a second of a run; the time of a second run with nothing due; the time per contract as they grow."""
    count = SMALL if small else CONTRACTS
    fewer = 0.0
    if "billing_run_growth" in wanted:
        with scratch_database():
            company, _ = _company(count // FEWER)
            fewer = _bill(company)
            connections.close_all()
    with scratch_database():
        company, records = _company(count)
        first = _bill(company)
        memory = peak_memory()
        if "rerun" in wanted:
            yield Result(
                name="rerun", ours=_bill_again(company), limit=first, unit="s", target=RERUN_TARGET, higher=False
            )
        if "billing_run" in wanted:
            yield Result(
                name="billing_run",
                size=f"{count:,} contracts, {records:,} records",
                ours=count / first,
                limit=count / _bare(),
                unit="contracts/s",
                target=TARGET,
                notes=(f"{first:.1f} s; {memory}",),
            )
        if fewer:
            yield Result(
                name="billing_run_growth",
                size=f"{count:,} to {count // FEWER:,} contracts",
                ours=first / count * 1000,
                limit=fewer / (count // FEWER) * 1000,
                unit="ms each",
                target=GROWTH_TARGET,
                higher=False,
            )
        connections.close_all()


def _company(count: int) -> tuple[Company, int]:
    """A company ready to be billed, and how much usage it has."""
    company = make(TELEPHONE, count, quantities={"number": Decimal(2)})
    return company, add_usage(company)


def _bill(company: Company) -> float:
    """Seconds of a run; it must issue one document of four lines for each contract."""
    with clocked() as clock:
        outcome = bill(on(BILLED_ON), seller=company.seller, on=BILLED_ON)
    assert not outcome.problems and len(outcome.issued) == company.count
    assert DocumentLine.objects.count() == LINES * company.count
    return clock.seconds


def _bill_again(company: Company) -> float:
    """Seconds of a run with nothing due."""
    with clocked() as clock:
        outcome = bill(on(BILLED_ON), seller=company.seller, on=BILLED_ON)
    assert not outcome.issued and not outcome.problems
    return clock.seconds


def _bare() -> float:
    """Seconds in which what was issued goes into tables like those of documents and charges, in one transaction."""
    columns = {table: limits.columns_of(table) for table in TABLES}
    content = {table: limits.dump(f"SELECT {columns[table]} FROM {table} ORDER BY id") for table in TABLES}
    limits.make_like(TABLES)

    def copy() -> None:
        with transaction.atomic(using="owner"):
            for table in TABLES:
                limits.copy_in(f"{limits.SCHEMA}.{table}", columns[table], content[table])

    return seconds_of(copy, before=lambda: limits.empty(TABLES))
