"""Why a job failed is kept with it, in one line without rows of the database, and forgotten with it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from taktura.kit.database import scratch_database, setup

setup(throw_away=True)

from procrastinate.contrib.django import app  # noqa: E402
from procrastinate.contrib.django.models import ProcrastinateJob  # noqa: E402

from taktura.kit.jobs import keeping, queries  # noqa: E402
from taktura.kit.jobs.models import JobFailure  # noqa: E402
from taktura.kit.jobs.worker import run_worker  # noqa: E402
from taktura.kit.logs import formatter  # noqa: E402

FAILS = [True]


@app.task(name="test_why", queue="test_why")
def why(name: str) -> None:
    """Fails while it is to fail; tells the log of it."""
    structlog.stdlib.get_logger("taktura.test").warning("working")
    if FAILS[0]:
        raise ValueError(f"no way\nDETAIL: {name}")


@pytest.fixture
def database() -> Iterator[str]:
    """A database of this test's own."""
    with scratch_database() as name:
        yield name


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What the log tells of jobs."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(formatter("json", text))
    logging.getLogger("taktura.test").addHandler(handler)
    yield text
    logging.getLogger("taktura.test").removeHandler(handler)


def test_why_a_job_failed_is_kept(database: str, stream: io.StringIO) -> None:
    FAILS[0] = True
    job = why.defer(name="Anna")
    run_worker(until_done=True)
    assert ProcrastinateJob.objects.get(pk=job).status == "failed"
    assert queries.failures_of([job])[job].error == "ValueError: no way"
    told = json.loads(stream.getvalue().splitlines()[-1])
    assert (told["job_id"], told["task"]) == (job, "test_why")


def test_a_job_that_went_well_keeps_nothing_and_failures_go_with_their_jobs(database: str) -> None:
    FAILS[0] = False
    why.defer(name="Anna")
    run_worker(until_done=True)
    assert not JobFailure.objects.exists()
    FAILS[0] = True
    job = why.defer(name="Anna")
    run_worker(until_done=True)
    assert keeping.forget_failures() == 0
    forget(job)
    assert keeping.forget_failures() == 1


def forget(job: int) -> None:
    """Forget a job as housekeeping does."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job])
