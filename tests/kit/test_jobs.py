"""Background work with the real worker: nothing is lost, nothing is done for a transaction that failed."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from taktura.kit.database import scratch_database, setup

setup(throw_away=True)  # also in the process of the worker, which reads this file

from procrastinate.contrib.django import app  # noqa: E402
from procrastinate.contrib.django.models import ProcrastinateJob  # noqa: E402

from taktura.core.errors import Refused  # noqa: E402
from taktura.kit.actor import Actor  # noqa: E402
from taktura.kit.clock import utc_now  # noqa: E402
from taktura.kit.jobs import queries, services  # noqa: E402
from taktura.kit.jobs.models import Work  # noqa: E402
from taktura.kit.jobs.worker import run_worker  # noqa: E402

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
ACTOR = Actor("user:ada@firm.example", NOW)


@app.task(name="test_slow", queue="test")
def slow(folder: str) -> None:
    """Says that it has begun; ends soon only when it is begun for the second time."""
    began = Path(folder) / "began"
    first = not began.exists()
    began.touch()
    if first:
        time.sleep(60)
    (Path(folder) / "ended").touch()


@app.task(name="test_fault", queue="test")
def fault(folder: str) -> None:
    """Fails until a file is there."""
    if not (Path(folder) / "mended").exists():
        raise ValueError("broken")


@app.task(name="test_count", queue="test")
def counting(work: int) -> None:
    """Counts to ten."""

    def do(work: Work, tell: services.Tell) -> dict[str, Any]:
        upto = 0
        for upto in range(1, 11):
            if work.parameters.get("stop_at") == upto:
                services.stop(work=work)
            if work.parameters.get("refuse_at") == upto:
                raise Refused("invalid", "No %(what)s.", what="more")
            if work.parameters.get("break_at") == upto:
                raise ZeroDivisionError("by nothing")
            if not tell(upto, 10):
                break
        return {"counted": upto}

    services.carry_out(work, utc_now, do)


@pytest.fixture(autouse=True)
def database() -> Iterator[str]:
    """A database of the test's own."""
    with scratch_database() as name:
        yield name


def status(job: int) -> str:
    return str(ProcrastinateJob.objects.get(pk=job).status)


def work_until_done() -> None:
    run_worker(until_done=True)


def test_a_job_is_done_only_when_its_transaction_is(tmp_path: Path) -> None:
    (tmp_path / "mended").touch()
    with pytest.raises(RuntimeError), transaction.atomic():
        fault.defer(folder=str(tmp_path))
        raise RuntimeError
    assert not ProcrastinateJob.objects.exists()
    with transaction.atomic():
        job = fault.defer(folder=str(tmp_path))
    work_until_done()
    assert status(job) == "succeeded"


def test_a_failed_job_says_so_and_can_be_tried_again(tmp_path: Path) -> None:
    job = fault.defer(folder=str(tmp_path))
    work_until_done()
    assert status(job) == "failed" and queries.jobs_by_status()["failed"] == 1
    assert [j.pk for j in queries.jobs("failed")] == [job]
    assert "failed" in {e.type for e in queries.events_of([job])}
    (tmp_path / "mended").touch()
    services.retry_job(job)
    work_until_done()
    assert status(job) == "succeeded"
    for wrong in (job, 10**9):
        with pytest.raises(Refused):
            services.retry_job(wrong)


def test_a_job_that_has_not_begun_can_be_cancelled(tmp_path: Path) -> None:
    job = fault.defer(folder=str(tmp_path))
    services.cancel_job(job)
    work_until_done()
    assert status(job) == "cancelled"
    with pytest.raises(Refused):
        services.cancel_job(job)


def _worker(databases: dict[str, Any]) -> None:
    from django.db import connections

    for alias, values in databases.items():
        settings.DATABASES[alias] |= values
        connections[alias].settings_dict |= values
    run_worker()


def test_the_job_of_a_killed_worker_is_done_by_another(tmp_path: Path) -> None:
    job = slow.defer(folder=str(tmp_path))
    databases = {alias: {"NAME": settings.DATABASES[alias]["NAME"]} for alias in ("default", "owner")}
    process = multiprocessing.get_context("spawn").Process(target=_worker, args=(databases,))
    process.start()
    try:
        for _ in range(300):
            if (tmp_path / "began").exists():
                break
            time.sleep(0.1)
        assert status(job) == "doing" and queries.worker_seen(utc_now())
    finally:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    work_until_done()
    assert status(job) == "doing", "its worker may still live"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'")
    work_until_done()
    assert status(job) == "succeeded" and (tmp_path / "ended").exists()


def start(**parameters: Any) -> Work:
    return services.start(ACTOR, kind="count", subject="seller:1", parameters=parameters, task=counting)


def test_long_work_tells_how_far_it_is_and_how_it_ended() -> None:
    work = start()
    assert queries.open_work("seller:1") == [work]
    with pytest.raises(Refused) as refused:
        start()
    assert refused.value.code == "conflict"
    work_until_done()
    work.refresh_from_db()
    assert (work.state, work.done, work.total, work.result) == ("done", 10, 10, {"counted": 10})
    assert work.started_at and work.finished_at and queries.open_work("seller:1") == []


def test_long_work_stops_at_a_border_and_keeps_what_is_done() -> None:
    work = start(stop_at=4)
    work_until_done()
    work.refresh_from_db()
    assert (work.state, work.done, work.result) == ("stopped", 4, {"counted": 4})


def test_work_that_was_stopped_before_it_began_does_nothing() -> None:
    work = start()
    services.stop(work=work)
    work_until_done()
    work.refresh_from_db()
    assert (work.state, work.done) == ("stopped", 0)


def test_a_refusal_is_kept_to_be_read_in_any_language() -> None:
    work = start(refuse_at=3)
    work_until_done()
    work.refresh_from_db()
    assert (work.state, work.error) == ("failed", "No more.")
    assert work.result["refused"] == {"code": "invalid", "text": "No %(what)s.", "values": {"what": "more"}}
    assert ProcrastinateJob.objects.get(task_name="test_count").status == "succeeded", "a refusal is no fault"


def test_a_fault_shows_with_the_work_and_among_the_jobs() -> None:
    work = start(break_at=3)
    work_until_done()
    work.refresh_from_db()
    assert (work.state, work.error) == ("failed", "ZeroDivisionError: by nothing")
    assert ProcrastinateJob.objects.get(task_name="test_count").status == "failed"


def test_work_that_has_ended_is_not_done_again() -> None:
    work = start()
    work_until_done()
    counting(work=work.pk)
    assert Work.objects.get().done == 10
