"""`pages`: each list and detail page, with 100,000 contracts, a million documents, ten million usage records, 100,000
tickets and a million pieces of time.

A page is found by its mark (`@page`), so that a new one is measured without being named here; what stands in its
address is taken from the middle of the table that its first word names.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from statistics import quantiles
from typing import Any
from unittest import mock

from django.conf import settings
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.company import START, TELEPHONE, Company, add_usage, make, on, settle_statistics
from bench.desk import TICKETS, add_desk
from bench.desk import TIMES as WORKED
from bench.measure import Result, clocked
from taktura.accounts.permissions import PERMISSIONS
from taktura.accounts.services import create_user
from taktura.billing.services import bill
from taktura.contracts.models import Contract
from taktura.invoices.models import Document, DocumentLine, DocumentState, DocumentTax
from taktura.invoices.services.states import BALANCES
from taktura.kit.database import scratch_database
from tools.pages import pages

CONTRACTS, SMALL = 100_000, 60
DOCUMENTS_EACH = 10
RECORDS_PER_LINE = 50  # of two lines: ten million in all
TIMES, SMALL_TIMES = 20, 3
TODAY = date(2026, 2, 3)  # the clerk's: January is due, whatever day it is when this is measured
TARGET_MS, MOST_QUERIES = 300, 30


def run(wanted: frozenset[str], *, small: bool) -> Iterator[Result]:
    """Milliseconds of the slowest page (95 of 100 are faster), against the 300 that a person does not notice.

    One query `SELECT 1` through the same client and connection is printed beside. A page of more than 30 queries counts
    as missed.
    """
    with scratch_database():
        company = make(TELEPHONE, SMALL if small else CONTRACTS, quantities={"number": Decimal(2)})
        records = add_usage(company, 2 if small else RECORDS_PER_LINE)
        tickets, worked = (SMALL, SMALL * 10) if small else (TICKETS, WORKED)
        add_desk(company, tickets, worked)
        _issue(company)
        _multiply(DOCUMENTS_EACH)
        documents = Document.objects.count()
        client = _client()
        times = SMALL_TIMES if small else TIMES
        with mock.patch("taktura.office.page.utc_now", lambda: on(TODAY).now):
            found = [(path, *_measure(client, path, times)) for path in _paths(client)]
        found.sort(key=lambda row: -row[1])
        slow = [f"{path}: {ms:.0f} ms, {queries} queries, {size // 1024} KiB" for path, ms, queries, size in found]
        most = max(queries for _path, _ms, queries, _size in found)
        yield Result(
            name="pages",
            ours=found[0][1] if most <= MOST_QUERIES else float("inf"),
            limit=float(TARGET_MS),
            unit="ms",
            target=1,
            higher=False,
            size=f"{len(found)} pages, {company.count:,} contracts, {documents:,} documents, {records:,} records,"
            f" {tickets:,} tickets, {worked:,} pieces of time",
            notes=(
                *slow,
                f"SELECT 1: {_select(times):.2f} ms",
                f"most queries of a page: {most} (at most {MOST_QUERIES})",
            ),
        )
        connections.close_all()


def _issue(company: Company) -> None:
    """One document of each kind of line, really issued: of a contract that the services signed."""
    contract = Contract.objects.get(key=f"C-{company.count - 1:06}")
    bill(on(date(2026, 2, 1)), seller=company.seller, on=date(2026, 2, 1), contract=contract.pk)


def _multiply(each: int) -> None:
    """Give every contract so many documents like the one issued, one a month."""
    source = Document.objects.get()
    fields = {
        "number": "'I-' || to_char(1000000 + n.number, 'FM0000000')", "contract_id": "n.contract_id",
        "customer_id": "n.customer_id", "issued_on": "n.issued_on", "id": "n.id",
        "issued_at": "n.issued_on + time '12:00'", "due_on": "n.issued_on + 14",
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """CREATE TEMPORARY TABLE n ON COMMIT DROP AS
               SELECT row_number() OVER (ORDER BY i, c.id) AS number, row_number() OVER (ORDER BY i, c.id) + %s AS id,
                   c.id AS contract_id, c.customer_id, (%s::date - i * 30) AS issued_on
               FROM generate_series(1, %s) i, contracts_contract c""",
            [source.pk, source.issued_on, each],
        )
        _copy(cursor, Document, source.pk, fields)
        _copy(cursor, DocumentLine, source.pk, {"id": None, "document_id": "n.id", "contract_id": "n.contract_id"})
        _copy(cursor, DocumentTax, source.pk, {"id": None, "document_id": "n.id"})
        state = {k: v for k, v in fields.items() if k != "id"} | {"document_id": "n.id"}
        _copy(cursor, DocumentState, source.pk, state)
        cursor.execute(
            f"""INSERT INTO invoices_contractbalance (contract_id, open) {BALANCES.format(only="")}
                ON CONFLICT (contract_id) DO UPDATE SET open = EXCLUDED.open"""
        )
    settle_statistics()


def _copy(cursor: Any, model: Any, source: int, changed: Mapping[str, str | None]) -> None:
    """Write a document's rows of one table again for each row of `n`, with some columns changed (None: left out)."""
    columns = [f.column for f in model._meta.concrete_fields if changed.get(f.column, "") is not None]
    values = ", ".join(changed.get(c) or f't."{c}"' for c in columns)
    names = ", ".join(f'"{c}"' for c in columns)
    key = "id" if model is Document else "document_id"
    table = model._meta.db_table
    cursor.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM n, {table} t WHERE t.{key} = %s", [source])


def _client() -> Client:
    user = create_user(on(START), email="bench@example.com", name="Bench", role="admin", password="a-fine-long-word-7")
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def _paths(client: Client) -> list[str]:
    """The addresses of all pages that show something of the seller."""
    paths = [one.path(_middle) for one in pages() if one.permission in PERMISSIONS]
    return [path for path in paths if path and client.get(path).status_code == 200]


def _middle(table: str) -> int | None:
    """A row from the middle of a table."""
    if not table:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table} ORDER BY id OFFSET (SELECT count(*) / 2 FROM {table}) LIMIT 1")
        row = cursor.fetchone()
    return int(row[0]) if row else None


def _measure(client: Client, path: str, times: int) -> tuple[float, int, int]:
    """Milliseconds below which 95 of 100 visits stay, queries of one visit, bytes."""
    with CaptureQueriesContext(connection) as queries:
        size = _visit(client, path)
    number = len(queries)  # now: the next request forgets them
    taken = []
    for _ in range(times):
        with clocked() as clock:
            _visit(client, path)
        taken.append(clock.seconds * 1000)
    return quantiles(taken, n=20)[-1], number, size


def _visit(client: Client, path: str) -> int:
    """Ask for a page and take all of it, streamed or not; gives its bytes."""
    return sum(len(part) for part in client.get(path))


def _select(times: int) -> float:
    taken = []
    for _ in range(times):
        with clocked() as clock, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        taken.append(clock.seconds * 1000)
    return quantiles(taken, n=20)[-1]
