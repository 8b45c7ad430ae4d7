"""Background work with the real worker: nothing is lost, nothing is done for a transaction that failed."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction

from taktura.kit.database import scratch_database, setup

setup(throw_away=True)  # also in the process of the worker, which reads this file

from procrastinate.contrib.django import app  # noqa: E402
from procrastinate.contrib.django.models import ProcrastinateJob  # noqa: E402
from procrastinate.jobs import Job  # noqa: E402

from taktura.core.errors import Refused  # noqa: E402
from taktura.kit.actor import Actor  # noqa: E402
from taktura.kit.clock import utc_now  # noqa: E402
from taktura.kit.jobs import keeping, queries, services  # noqa: E402
from taktura.kit.jobs.ending import Interrupted  # noqa: E402
from taktura.kit.jobs.models import Work  # noqa: E402
from taktura.kit.jobs.retry import AGAIN  # noqa: E402
from taktura.kit.jobs.tasks import take_up_stalled  # noqa: E402
from taktura.kit.jobs.worker import run_worker  # noqa: E402

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
PATIENCE = 120  # seconds; a busy machine is slow
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


@app.task(name="test_same", queue="test", queueing_lock="test_same")
def same(folder: str, number: int) -> None:
    """Waits in the queue once."""
    (Path(folder) / f"same {number}").touch()


@app.task(name="test_fault", queue="test")
def fault(folder: str) -> None:
    """Fails until a file is there."""
    if not (Path(folder) / "mended").exists():
        raise ValueError("broken")


@app.task(name="test_nested", queue="test")
def nested(folder: str) -> None:
    """Starts one job in a transaction that fails, and one in a transaction that does not."""
    with suppress(RuntimeError), transaction.atomic():
        same.defer(folder=folder, number=1)
        time.sleep(1)  # time enough for a job that did not wait
        raise RuntimeError
    with transaction.atomic():
        same.defer(folder=folder, number=2)


@app.task(name="test_dying", queue="test")
def dying(folder: str) -> None:
    """Looks for the jobs of dead workers, of which there is one. The worker's own look may come before it."""
    with transaction.atomic():
        begun(fault.defer(folder=folder))
    take_up_stalled(timestamp=0)


@app.task(name="test_away", queue="test", retry=AGAIN)
def away(work: int) -> None:
    """Finds the database away."""

    def do(work: Work, tell: services.Tell) -> None:
        raise OperationalError("the server is starting")

    services.carry_out(work, utc_now, do)


@app.task(name="test_long", queue="test", retry=AGAIN)
def long(work: int) -> None:
    """Counts slowly to a hundred; begun again it goes on with what is left, and is quick."""

    def do(work: Work, tell: services.Tell) -> dict[str, Any]:
        place = Path(work.parameters["folder"]) / "counted"
        first = int(place.read_text()) if place.exists() else 0
        for upto in range(first + 1, 101):
            place.write_text(str(upto))
            if not tell(upto, 100):
                break
            time.sleep(0 if first else 0.5)
        return {"first": first + 1}

    services.carry_out(work, utc_now, do)


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


def test_a_job_started_by_a_job_waits_for_its_transaction_too(tmp_path: Path) -> None:
    (tmp_path / "mended").touch()
    outer = nested.defer(folder=str(tmp_path))
    work_until_done()
    assert status(outer) == "succeeded"
    assert [p.name for p in tmp_path.glob("same*")] == ["same 2"], "the first was taken back before it could run"
    assert ProcrastinateJob.objects.filter(task_name="test_same").count() == 1


def test_the_periodic_look_takes_up_jobs_within_the_worker(tmp_path: Path) -> None:
    (tmp_path / "mended").touch()
    look = dying.defer(folder=str(tmp_path))
    work_until_done()
    assert status(look) == "succeeded" == ProcrastinateJob.objects.get(task_name="test_fault").status


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


def begun(*jobs: int, attempts: int = 0) -> None:
    """As if a worker had begun jobs and died long ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', attempts = %s WHERE id = ANY(%s)", [attempts, list(jobs)]
        )


def test_a_job_whose_like_waits_already_is_not_taken_up(tmp_path: Path) -> None:
    """A sweep whose worker died, while the next one was in the queue: no worker must fall over that."""
    dead, other = same.defer(folder=str(tmp_path), number=1), fault.defer(folder=str(tmp_path))
    (tmp_path / "mended").touch()
    begun(dead, other)
    alive = same.defer(folder=str(tmp_path), number=2)
    work_until_done()
    assert [status(j) for j in (dead, other, alive)] == ["aborted", "succeeded", "succeeded"]
    assert [p.name for p in tmp_path.glob("same*")] == ["same 2"]


def test_trying_a_job_again_whose_like_waits_already_is_refused(tmp_path: Path) -> None:
    failed = same.defer(folder=str(tmp_path), number=1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    same.defer(folder=str(tmp_path), number=2)
    with pytest.raises(Refused) as refused:
        services.retry_job(failed)
    assert refused.value.code == "conflict" and status(failed) == "failed"


def test_a_job_that_kills_its_workers_is_given_up_with_its_work() -> None:
    work = start()
    assert work.job is not None
    begun(work.job, attempts=keeping.MOST_TRIES - 1)
    work_until_done()
    work.refresh_from_db()
    assert (status(work.job), work.state) == ("failed", "failed")
    assert work.result["refused"]["code"] == "conflict" and work.finished_at
    start()  # nothing is in the way of another


def test_a_job_of_a_living_worker_is_left_to_it(tmp_path: Path) -> None:
    job = fault.defer(folder=str(tmp_path))
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", cursor.fetchone())
    assert keeping.take_up() == 0 and status(job) == "doing"


def test_two_workers_do_not_take_up_the_same_job(tmp_path: Path) -> None:
    begun(fault.defer(folder=str(tmp_path)))
    counts: list[int] = []

    def take() -> None:
        counts.append(keeping.take_up())
        connection.close()

    with transaction.atomic():
        assert keeping.take_up() == 1
        thread = threading.Thread(target=take)
        thread.start()
        thread.join(PATIENCE)
    assert counts == [0]


def _worker(databases: dict[str, Any]) -> None:
    from django.db import connections

    for alias, values in databases.items():
        settings.DATABASES[alias] |= values
        connections[alias].settings_dict |= values
    run_worker()


def test_the_job_of_a_killed_worker_is_done_by_another(tmp_path: Path) -> None:
    job = slow.defer(folder=str(tmp_path))
    process = spawn()
    try:
        for _ in range(10 * PATIENCE):
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


def spawn() -> multiprocessing.process.BaseProcess:
    """A worker in a process of its own."""
    databases = {alias: {"NAME": settings.DATABASES[alias]["NAME"]} for alias in ("default", "owner")}
    process = multiprocessing.get_context("spawn").Process(target=_worker, args=(databases,))
    process.start()
    assert process.pid is not None
    return process


def test_long_work_ends_with_its_worker_and_goes_on_with_the_next(tmp_path: Path) -> None:
    work = start(task=long, folder=str(tmp_path))
    process = spawn()
    assert process.pid is not None
    try:
        for _ in range(10 * PATIENCE):
            if (tmp_path / "counted").exists():
                break
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGTERM)
        process.join(PATIENCE)
        assert process.exitcode == 0
    finally:
        process.kill()
        process.join()
    work.refresh_from_db()
    assert work.job is not None and (work.state, status(work.job)) == ("waiting", "todo") and 0 < work.done < 100
    done = work.done
    work_until_done()
    work.refresh_from_db()
    assert (work.state, work.done, work.result) == ("done", 100, {"first": done + 1})


def test_work_that_finds_the_database_away_waits_for_another_try() -> None:
    work = start(task=away)
    assert work.job is not None
    work_until_done()
    work.refresh_from_db()
    assert (work.state, status(work.job)) == ("waiting", "todo") and "starting" in work.error
    job = ProcrastinateJob.objects.get(pk=work.job)
    assert job.scheduled_at is not None and job.scheduled_at > utc_now() and job.attempts == 1


@pytest.mark.parametrize(
    ("error", "attempts", "seconds"),
    [
        (OperationalError(), 0, 4),
        (OperationalError(), 4, 900),
        (OperationalError(), 5, None),
        (Interrupted(), 9, 0),
        (ValueError(), 0, None),
    ],
)
def test_which_faults_are_worth_another_try(error: Exception, attempts: int, seconds: int | None) -> None:
    job = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name="t", attempts=attempts)
    before = utc_now()
    decision = AGAIN.get_retry_decision(exception=error, job=job)
    if seconds is None:
        assert decision is None
    else:
        assert decision is not None and decision.retry_at is not None
        assert abs((decision.retry_at - before).total_seconds() - seconds) < 2


def start(task: Any = None, **parameters: Any) -> Work:
    chosen = counting if task is None else task
    return services.start(ACTOR, kind="count", subject="seller:1", parameters=parameters, task=chosen)


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


def test_work_that_failed_is_open_again_when_its_job_is_tried_again() -> None:
    work = start(break_at=3)
    work_until_done()
    assert work.job is not None
    Work.objects.update(parameters={})  # what broke it is mended
    services.retry_job(work.job)
    assert queries.open_work("seller:1") == [work]
    with pytest.raises(Refused):
        start()
    work_until_done()
    work.refresh_from_db()
    assert (work.state, work.result, work.error) == ("done", {"counted": 10}, "")


def test_work_is_not_opened_again_beside_other_work_of_its_kind() -> None:
    failed = start(break_at=3)
    work_until_done()
    start()
    assert failed.job is not None
    with pytest.raises(Refused) as refused:
        services.retry_job(failed.job)
    assert refused.value.code == "conflict" and status(failed.job) == "failed"


def test_cancelling_its_job_stops_work_that_waits() -> None:
    work = start()
    assert work.job is not None
    services.cancel_job(work.job)
    work.refresh_from_db()
    assert work.state == "stopped" and work.finished_at
    start()


def test_two_who_start_at_the_same_time_start_one() -> None:
    outcomes: list[str] = []

    def go() -> None:
        try:
            start()
            outcomes.append("started")
        except Refused as refused:
            outcomes.append(refused.code)
        connection.close()

    threads = [threading.Thread(target=go) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 4 + ["started"]
    assert ProcrastinateJob.objects.filter(task_name="test_count").count() == 1


def test_a_file_goes_with_work_and_is_forgotten_after_it() -> None:
    work = services.start(
        ACTOR, kind="count", subject="seller:1", parameters={}, task=counting, file=("März.csv", b"a;b")
    )
    assert services.file_of(work) == ("März.csv", b"a;b")
    assert keeping.forget_files(utc_now()) == 0, "it is still to be read"
    work_until_done()
    assert keeping.forget_files(utc_now()) == 1
    with pytest.raises(Refused):
        services.file_of(work)


def test_work_that_has_ended_is_not_done_again() -> None:
    work = start()
    work_until_done()
    counting(work=work.pk)
    assert Work.objects.get().done == 10
