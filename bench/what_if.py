"""`what_if`: the usage of three months rated by what was agreed and by a draft, against 30 seconds."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connections

from bench.company import START, TELEPHONE, Company, add_usage, make, on
from bench.measure import Result, clocked, peak_memory
from taktura.billing.what_if import Outcome, what_if
from taktura.kit.database import scratch_database

CONTRACTS, SMALL = 33_334, 40
RECORDS = 15  # of each usage line: a million in all
DAYS, STEP, MONTHS = 90, 6, 3
LIMIT = 30.0  # seconds
TARGET = 1.0
LATER = date(2026, 4, 2)


def run(wanted: frozenset[str], *, small: bool) -> Iterator[Result]:
    """Seconds of a what-if over all contracts and three months. The draft ticks by the minute where the tariff ticks by
    the second, so that all records are summed twice."""
    with scratch_database():
        company = make(TELEPHONE, SMALL if small else CONTRACTS, quantities={"number": Decimal(2)})
        records = add_usage(company, RECORDS, days=DAYS, step=STEP)
        with clocked() as clock:
            found = _compared(company, _draft(tick="minute"))
        memory = peak_memory()
        _check(company, found)
        yield Result(
            name="what_if",
            size=f"{records:,} records, {len(found.rows) * MONTHS:,} months of contracts",
            ours=clock.seconds,
            limit=LIMIT,
            unit="s",
            target=TARGET,
            higher=False,
            notes=(memory,),
        )
        connections.close_all()


def _draft(**call: Any) -> dict[str, Any]:
    """The tariff with its calls changed."""
    lines = {key: dict(line) for key, line in TELEPHONE["lines"].items()}
    lines["call"] |= call
    return {**TELEPHONE, "lines": lines}


def _compared(company: Company, fields: dict[str, Any]) -> Outcome:
    return what_if(
        on(LATER), seller=company.seller, fields=fields, first_month=START, last_month=START + timedelta(days=DAYS - 1)
    )


def _check(company: Company, found: Outcome) -> None:
    """All contracts are there, minutes cost more than seconds, and under its own tariff one differs by nothing."""
    assert len(found.rows) == company.count and not (found.failed or found.lost)
    assert found.new > found.old
    same = what_if(
        on(LATER), seller=company.seller, fields=_draft(), first_month=START, last_month=START,
        contracts=[row.contract for row in found.rows[:100]],
    )  # fmt: skip
    assert same.old == same.new > 0
