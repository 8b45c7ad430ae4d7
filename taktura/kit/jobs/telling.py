"""What is told of jobs: in the log each line carries the job's number, and why a job failed is kept with it."""

from collections.abc import Callable
from typing import Any

import structlog
from django.db import Error, close_old_connections
from procrastinate.job_context import JobContext
from procrastinate.worker import Worker

from taktura.kit.clock import utc_now
from taktura.kit.jobs.ending import Interrupted
from taktura.kit.jobs.models import JobFailure
from taktura.kit.logs import summary

logger = structlog.stdlib.get_logger("taktura.jobs")


def telling(call_next: Callable[[], Any], context: JobContext, worker: Worker) -> Any:
    """Do a job; keep why it failed. What was raised is raised again."""
    job = context.job
    with structlog.contextvars.bound_contextvars(job_id=job.id, task=job.task_name):
        try:
            result = call_next()
        except Interrupted:
            raise
        except Exception as error:
            assert job.id is not None
            _keep(job.id, summary(error))
            raise
    return result


def _keep(job: int, text: str) -> None:
    """Write why a job failed; where the database is away, the log has to do."""
    try:
        close_old_connections()
        JobFailure.objects.update_or_create(job=job, defaults={"error": text, "at": utc_now()})
    except Error:
        logger.warning("why a job failed could not be kept")
