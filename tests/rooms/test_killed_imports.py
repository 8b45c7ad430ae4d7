"""An import is killed, at each of its steps and at any moment: the file is there, it begins again by itself, and each
row is taken in once."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections

from taktura.kit.database import scratch_database, setup

setup(throw_away=True)  # also in the process of the worker, which reads this file

from taktura.audit.models import LogEntry  # noqa: E402
from taktura.billing import imports  # noqa: E402
from taktura.billing.proof import verify  # noqa: E402
from taktura.catalog import services as catalog  # noqa: E402
from taktura.catalog.terms import read_rates  # noqa: E402
from taktura.contracts import services as contracts  # noqa: E402
from taktura.contracts.models import ContractLine  # noqa: E402
from taktura.customers import services as customers  # noqa: E402
from taktura.kit.actor import Actor  # noqa: E402
from taktura.kit.jobs.models import Work  # noqa: E402
from taktura.kit.jobs.worker import run_worker  # noqa: E402
from taktura.usage import services as usage  # noqa: E402
from taktura.usage.models import Supplier, UsageException, UsageFile, UsageRecord  # noqa: E402
from taktura.usage.services import files  # noqa: E402

ACTOR = Actor("user:ada@firm.example", datetime(2026, 7, 1, 8, tzinfo=UTC))
KILLS = int(os.environ.get("TAKTURA_KILLS", "1"))
ROWS = 3_000
STEPS = ("read", "process", "match", "ready")


@pytest.fixture
def supplier() -> Iterator[Supplier]:
    """A supplier of whose three subscriptions one is tied to a contract line."""
    with scratch_database():
        seller = customers.create_seller(
            ACTOR, name="Seller", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=read_rates(19)
        )
        lines = {"gb": {"charge": "usage", "price": 1}}
        tariff = catalog.define_tariff(ACTOR, seller=seller, key="t", title="T", interval="1 month", lines=lines)
        customer = customers.create_customer(ACTOR, seller=seller, key="acme", name="Acme")
        contracts.sign(ACTOR, key="C1", customer=customer, tariff=tariff, start=date(2026, 1, 1))
        made = usage.create_supplier(ACTOR, seller=seller, key="sun", create_subscriptions=True)
        usage.link(ACTOR, supplier=made, reference="S-0", line=ContractLine.objects.get())
        yield made


def content(rows: int = ROWS) -> bytes:
    """Rows of three subscriptions, and a bad one."""
    lines = [f"{n},S-{n % 3},{n}.5,2026-06-{n % 28 + 1:02}" for n in range(rows)]
    return "\n".join(["id,subscription_id,quantity,period_start", *lines, "bad,S-0,many,2026-06-01"]).encode()


def _worker(databases: dict[str, Any], hold: str, mark: str) -> None:
    """A worker; at the step `hold` it says so by a file and stays there."""
    for alias, values in databases.items():
        settings.DATABASES[alias] |= values
        connections[alias].settings_dict |= values
    files.TELL_ROWS = 1_000
    right = imports._tell_beside

    def told(work: int, tell: Any, step: str, rows: int, percent: int) -> bool:
        answer = right(work, tell, step, rows, percent)
        if step == hold:
            Path(mark).touch()
            time.sleep(600)
        return answer

    imports._tell_beside = told
    run_worker()


def spawn(hold: str, mark: Path) -> multiprocessing.process.BaseProcess:
    databases = {alias: {"NAME": settings.DATABASES[alias]["NAME"]} for alias in ("default", "owner")}
    process = multiprocessing.get_context("spawn").Process(target=_worker, args=(databases, hold, str(mark)))
    process.start()
    return process


def kill(process: multiprocessing.process.BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with connection.cursor() as cursor:  # as if its silence had lasted long enough
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'")


def until(path: Path, process: multiprocessing.process.BaseProcess) -> None:
    for _ in range(1200):
        if path.exists():
            return
        assert process.is_alive(), "the worker has ended by itself"
        time.sleep(0.1)
    raise AssertionError(f"{path.name} never came")


def whole(rows: int = ROWS) -> None:
    """All of the file is there, once."""
    file = UsageFile.objects.get()
    tied = len(range(0, rows, 3))
    assert (file.rows, file.recorded, file.waiting, file.duplicates) == (rows + 1, tied, rows - tied, 0)
    assert UsageRecord.objects.filter(file=file).count() == rows and file.problems.count() == 1
    assert UsageException.objects.count() == rows - tied
    assert LogEntry.objects.filter(action="receive_file").count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(quantity) FROM usage_usagerecord")
        assert cursor.fetchone()[0] == sum(range(rows)) + rows / 2
    assert verify() == []


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_a_step_leaves_the_file_and_no_row(supplier: Supplier, tmp_path: Path, step: str) -> None:
    work = imports.start_reading(ACTOR, supplier=supplier, name="june.csv", content=content())
    process = spawn(step, tmp_path / "there")
    try:
        until(tmp_path / "there", process)
        work.refresh_from_db()
        assert (work.state, work.result["step"]) == ("running", step), "who looks sees how far it is"
    finally:
        kill(process)
    file = UsageFile.objects.get()
    assert (bytes(file.content), file.read_at, file.rows) == (content(), None, 0)
    assert not UsageRecord.objects.exists() and not file.problems.exists()
    run_worker(until_done=True)  # the next worker takes it up by itself
    work.refresh_from_db()
    assert work.state == "done", work.error
    whole()


def test_a_connection_that_the_server_ends_is_tried_again(supplier: Supplier, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the database's server is killed: all its connections end in the middle of it."""
    work = imports.start_reading(ACTOR, supplier=supplier, name="june.csv", content=content())
    right, once = imports._tell_beside, list[str]()

    def told(pk: int, tell: Any, step: str, rows: int, percent: int) -> bool:
        if step == "ready" and not once:
            once.append(step)
            with connection.cursor() as cursor:  # of this thread; the one that writes has another
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND state = 'idle in transaction'"
                )
        return right(pk, tell, step, rows, percent)

    monkeypatch.setattr(imports, "_tell_beside", told)
    run_worker(until_done=True)
    work = Work.objects.get(pk=work.pk)
    assert once and (work.state, work.finished_at) == ("waiting", None) and not UsageRecord.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")
    run_worker(until_done=True)
    work.refresh_from_db()
    assert work.state == "done", work.error
    whole()


def test_killed_after_the_rows_were_stored_it_does_not_say_that_it_failed(supplier: Supplier) -> None:
    work = imports.start_reading(ACTOR, supplier=supplier, name="june.csv", content=content())
    imports._read(work, lambda done, of: True)  # and no word of it any more
    run_worker(until_done=True)
    work.refresh_from_db()
    assert work.state == "done", work.error
    assert (work.result["rows"], work.result["problems"]) == (ROWS + 1, 1)
    whole()


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(
    supplier: Supplier, tmp_path: Path, seed: int
) -> None:
    random, rows = Random(seed), 40_000
    work = imports.start_reading(ACTOR, supplier=supplier, name="june.csv", content=content(rows))
    for number in range(3):  # it is given up after five tries
        process = spawn("", tmp_path / "never")
        try:
            while Work.objects.get(pk=work.pk).state == "waiting" and process.is_alive():
                time.sleep(0.05)
            time.sleep(random.random() * 6)
        finally:
            kill(process)
        assert UsageRecord.objects.count() in (0, rows), f"kill {number}: all or none"
        if UsageRecord.objects.exists():
            break
    run_worker(until_done=True)
    work.refresh_from_db()
    assert work.state == "done", work.error
    whole(rows)
