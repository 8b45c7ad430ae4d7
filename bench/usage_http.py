"""`usage_http`: batches of 100 usage records over HTTP, against the same batches recorded without HTTP.

The server is the product's own, in a process of its own, with one process that answers; one caller sends one batch
after the other over one connection. Bodies are written, and records read, before the time is taken.
"""

import json
import multiprocessing
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from http.client import HTTPConnection
from time import sleep
from typing import Any

import msgspec
from django.conf import settings
from django.db import connections, transaction

from bench import limits
from bench.company import START, TELEPHONE, Company, make, on
from bench.measure import Result, clocked, peak_memory
from taktura.accounts.services import create_key
from taktura.billing import services as billing
from taktura.cli.commands.serving import metrics_folder, serve_until_stopped
from taktura.kit.database import scratch_database
from taktura.usage.models import UsageRecord
from taktura.usage.services.records import Entry

BATCHES, SMALL = 200, 20
CONTRACTS, SMALL_CONTRACTS = 2_000, 20
EACH = 100  # records of a batch
CALLERS = 4  # at once, for the note
WARM = 10  # batches before the time is taken
TARGET = 0.4
TABLE = "usage_usagerecord"
HOST = "127.0.0.1"
NO_LIMIT = 10**9
WAITED = 200  # tenths of a second for the server


def run(wanted: frozenset[str], *, small: bool) -> Iterator[Result]:
    """Batches a second; each record must have been recorded, and stand there once."""
    batches = SMALL if small else BATCHES
    with scratch_database():
        company = make(TELEPHONE, SMALL_CONTRACTS if small else CONTRACTS, quantities={"number": Decimal(2)})
        _, secret = create_key(on(START), name="bench", scopes=["usage.change"])
        inside = _inside(company, batches)
        with _server() as port:
            _send(port, secret, _bodies("warm", company, WARM))
            outside = _send(port, secret, _bodies("one", company, batches))
            several = _send_at_once(port, secret, [_bodies(f"c{n}", company, batches // 4) for n in range(CALLERS)])
        sent = WARM + 2 * batches + CALLERS * (batches // 4) + WARM
        assert UsageRecord.objects.count() == sent * EACH
        memory = peak_memory()
        bare = _bare(batches)
        yield Result(
            name="usage_http",
            size=f"{batches:,} batches of {EACH}",
            ours=batches / outside,
            limit=batches / inside,
            unit="batches/s",
            target=TARGET,
            notes=(
                f"{EACH * batches / outside:,.0f} records/s; {memory}",
                f"{CALLERS} callers at once: {CALLERS * (batches // 4) / several:,.0f} batches/s",
                f"bare COPY and ON CONFLICT of the same rows, a transaction a batch: {batches / bare:,.0f} batches/s",
            ),
        )
        connections.close_all()


def _records(name: str, company: Company, batches: int) -> Iterator[list[dict[str, Any]]]:
    """Batches of calls and letters of the first month, of contract after contract; ids are told apart by the name."""
    for batch in range(batches):
        found = []
        for i in range(batch * EACH, (batch + 1) * EACH):
            call = {"article": "call", "duration": 5 + i * 37 % 400}
            amount = call if i % 2 else {"article": "letter", "quantity": 2}
            day = START + timedelta(days=i % 28)
            at = f"{day}T{9 + i % 9:02}:{i % 60:02}:00+01:00"
            found.append({"contract": f"C-{i % company.count:06}", "at": at, "id": f"{name}-{i}", **amount})
        yield found


def _bodies(name: str, company: Company, batches: int) -> list[bytes]:
    return [json.dumps(records).encode() for records in _records(name, company, batches)]


def _inside(company: Company, batches: int) -> float:
    """Seconds in which the service that the endpoint calls records the batches, in this process."""
    decoder = msgspec.json.Decoder(list[Entry], float_hook=Decimal)
    actor = on(START + timedelta(days=28))
    for body in _bodies("warm inside", company, WARM):
        billing.record_each(actor, seller=company.seller, entries=decoder.decode(body))
    read = [decoder.decode(body) for body in _bodies("inside", company, batches)]
    with clocked() as clock:
        for entries in read:
            outcome, _, _ = billing.record_each(actor, seller=company.seller, entries=entries)
            assert outcome.recorded == EACH
    return clock.seconds


@contextmanager
def _server() -> Iterator[int]:
    """The product's server on a port of its own, at the database of this process; gives the port."""
    with socket.create_server((HOST, 0)) as one:
        port: int = one.getsockname()[1]
    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(port,))
    process.start()
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.join()


def _serve(port: int) -> None:
    settings.API_RATE = settings.API_BURST = NO_LIMIT
    with metrics_folder():
        serve_until_stopped(HOST, port, 1, CALLERS, "ERROR")


def _await(port: int) -> None:
    for _ in range(WAITED):
        try:
            socket.create_connection((HOST, port)).close()
        except OSError:
            sleep(0.1)
        else:
            return
    raise AssertionError("the server does not answer")


def _send(port: int, secret: str, bodies: Sequence[bytes]) -> float:
    """Seconds in which one caller sends the bodies; each of their records must be recorded."""
    http = HTTPConnection(HOST, port)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    with clocked() as clock:
        for number, body in enumerate(bodies):
            http.request("POST", "/api/v1/usage", body, headers | {"Idempotency-Key": f"{id(bodies)}-{number}"})
            answer = http.getresponse()
            content = answer.read()
            assert answer.status == 200, content
            assert content.startswith(b'{"recorded":%d,' % EACH), content[:300]
    http.close()
    return clock.seconds


def _send_at_once(port: int, secret: str, bodies: Sequence[Sequence[bytes]]) -> float:
    """Seconds in which several callers send their bodies at once."""
    with clocked() as clock, ThreadPoolExecutor(len(bodies)) as pool:
        list(pool.map(lambda part: _send(port, secret, part), bodies))
    return clock.seconds


def _bare(batches: int) -> float:
    """Seconds in which so many batches of the rows stored go into a table like theirs, each by COPY and one statement
    in a transaction of its own."""
    columns = limits.columns_of(TABLE, without=("id", "revised"))
    rows = limits.dump(f"SELECT {columns} FROM {TABLE} ORDER BY id LIMIT {batches * EACH}").splitlines(keepends=True)
    parts = [b"".join(rows[i : i + EACH]) for i in range(0, len(rows), EACH)]
    limits.make_like([TABLE])
    with clocked() as clock:
        for part in parts:
            with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
                cursor.execute(f"CREATE TEMP TABLE staging ON COMMIT DROP AS SELECT {columns} FROM {TABLE} LIMIT 0")
                limits.copy_in("staging", columns, part)
                cursor.execute(
                    f"INSERT INTO {limits.SCHEMA}.{TABLE} ({columns}) SELECT {columns} FROM staging"
                    " ON CONFLICT DO NOTHING"
                )
    return clock.seconds
