"""Background work: jobs with why they failed."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router
from procrastinate.contrib.django.models import ProcrastinateJob
from pydantic import Field

from taktura.api.endpoint import endpoint
from taktura.api.fields import Id, Out
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.core.errors import Refused
from taktura.kit.jobs.models import JobFailure
from taktura.kit.jobs.queries import failures_of, jobs
from taktura.kit.jobs.services import cancel_job as cancel
from taktura.kit.jobs.services import retry_job as retry

router = Router()
State = Literal["todo", "doing", "succeeded", "failed", "cancelled", "aborted"]


class JobOut(Out):
    """A job of the worker. `state`: todo, doing, succeeded, failed, cancelled, aborted."""

    id: int
    task: str
    queue: str
    arguments: dict[str, Any]
    state: str
    attempts: int
    scheduled_at: datetime | None = Field(description="not before; null: as soon as it is its turn")
    error: str | None = Field(description="why it failed the last time")
    failed_at: datetime | None


class Jobs(Out):
    """A page of jobs."""

    items: list[JobOut]
    next: str | None


def _shown(job: ProcrastinateJob, failure: JobFailure | None) -> JobOut:
    return JobOut(
        id=job.pk, task=job.task_name, queue=job.queue_name, arguments=job.args, state=job.status,
        attempts=job.attempts, scheduled_at=job.scheduled_at, error=failure.error if failure else None,
        failed_at=failure.at if failure else None,
    )  # fmt: skip


def _one(job: int) -> JobOut:
    found = ProcrastinateJob.objects.filter(pk=job).first()
    if found is None:
        raise Refused("not_found", "There is no job with this number.")
    return _shown(found, failures_of([job]).get(job))


@endpoint(router, "GET", "/jobs", "jobs.view", answer=Jobs)
def list_jobs(request: HttpRequest, state: State | None = None, limit: Limit = LIMIT, after: After = "") -> Jobs:
    """Jobs of all sellers, the newest first. Done ones are forgotten after some days."""
    items, following = page_of(jobs(state or ""), limit, after, newest_first=True)
    failures = failures_of([j.pk for j in items])
    return Jobs(items=[_shown(j, failures.get(j.pk)) for j in items], next=following)


@endpoint(router, "GET", "/jobs/{int:job}", "jobs.view", answer=JobOut)
def get_job(request: HttpRequest, job: Id) -> JobOut:
    """A job."""
    return _one(job)


@endpoint(router, "POST", "/jobs/{int:job}/retry", "jobs.retry", answer=JobOut, codes=("conflict",))
def retry_job(request: HttpRequest, job: Id) -> JobOut:
    """Try a failed job again, now."""
    retry(job)
    return _one(job)


@endpoint(router, "POST", "/jobs/{int:job}/cancel", "jobs.retry", answer=JobOut)
def cancel_job(request: HttpRequest, job: Id) -> JobOut:
    """Take back a job that has not begun."""
    cancel(job)
    return _one(job)
