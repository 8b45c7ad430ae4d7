"""Reads of jobs and long work."""

from datetime import datetime, timedelta

from django.db.models import Count, Max, Q, QuerySet
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob, ProcrastinateWorker

from taktura.kit.jobs.models import OPEN, JobFailure, Work

SHOWN = 8
PATIENCE = timedelta(seconds=10)  # what waits longer has no worker
SEEN = timedelta(seconds=45)  # a worker says every ten seconds that it lives


def jobs(status: str = "") -> QuerySet[ProcrastinateJob]:
    """Jobs, the newest first: `task_name`, `args`, `status` (todo, doing, succeeded, failed …), `attempts`."""
    found = ProcrastinateJob.objects.order_by("-id")
    return found.filter(status=status) if status else found


def jobs_by_status() -> dict[str, int]:
    """How many jobs there are of each status."""
    return dict(ProcrastinateJob.objects.order_by().values_list("status").annotate(number=Count("id")))


def is_due(now: datetime) -> bool:
    """Whether a job could be done now."""
    return ProcrastinateJob.objects.filter(Q(scheduled_at=None) | Q(scheduled_at__lte=now), status="todo").exists()


def events_of(job_ids: list[int]) -> QuerySet[ProcrastinateEvent]:
    """What happened to jobs, in order: `type` (deferred, started, failed, succeeded …), `at`."""
    return ProcrastinateEvent.objects.filter(job_id__in=job_ids).order_by("job_id", "at", "id")


def failures_of(job_ids: list[int]) -> dict[int, JobFailure]:
    """Why jobs failed the last time."""
    return {f.job: f for f in JobFailure.objects.filter(job__in=job_ids)}


def work_of(job_ids: list[int]) -> dict[int, Work]:
    """The long work that jobs do."""
    return {w.job: w for w in Work.objects.filter(job__in=job_ids) if w.job is not None}


def worker_seen(now: datetime) -> bool:
    """Whether a worker has said lately that it lives."""
    last = ProcrastinateWorker.objects.aggregate(last=Max("last_heartbeat"))["last"]
    return last is not None and last > now - SEEN


def is_left(work: Work, now: datetime) -> bool:
    """Whether work waits for longer than a worker would let it: none is running."""
    return work.state == "waiting" and now - work.created_at > PATIENCE and not worker_seen(now)


def open_work(subject: str) -> list[Work]:
    """A subject's work that waits or runs, the newest first."""
    return list(Work.objects.filter(subject=subject, state__in=OPEN)[:20])


def lately(subject: str, since: datetime) -> list[Work]:
    """A subject's work that waits or runs, or has ended since an instant; the newest first, a few."""
    found = Work.objects.filter(subject=subject)
    return list(found.filter(Q(state__in=["waiting", "running"]) | Q(finished_at__gte=since))[:SHOWN])


def recent_work(subject: str, kind: str = "") -> QuerySet[Work]:
    """A subject's work, the newest first."""
    found = Work.objects.filter(subject=subject)
    return found.filter(kind=kind) if kind else found
