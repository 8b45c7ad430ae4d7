"""What a worker that was killed has left behind: its jobs go to another one, work without a job is closed."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status
from procrastinate.sql import queries

from taktura.core.errors import Refused
from taktura.kit.clock import utc_now
from taktura.kit.jobs.models import OPEN, JobFailure, Work, WorkFile
from taktura.kit.jobs.services import as_failed

SILENT_SECONDS = 30  # without a sign of life for so long a worker is dead; it gives one every ten seconds
MOST_TRIES = 5  # a job that kills each worker that takes it up must not kill all of them

_STALLED = """
    SELECT j.id, j.attempts FROM procrastinate_jobs j
    WHERE j.status = 'doing' AND NOT EXISTS (
        SELECT 1 FROM procrastinate_workers w
        WHERE w.id = j.worker_id AND w.last_heartbeat >= now() - make_interval(secs => %s))
    ORDER BY j.id FOR UPDATE OF j SKIP LOCKED
"""


@transaction.atomic
def take_up() -> int:
    """Put the jobs of dead workers back into the queue; gives how many.

    A job whose like waits already (the same queueing lock) is aborted: that one does the same. One that was tried
    `MOST_TRIES` times has failed. Two callers at once do not take up the same job.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STALLED, [SILENT_SECONDS])
        found = cursor.fetchall()
    count = 0
    for job, attempts in found:
        if attempts + 1 >= MOST_TRIES:
            _finish(job, Status.FAILED)
            continue
        try:
            with transaction.atomic():
                app.job_manager.retry_job_by_id(job, retry_at=utc_now())
            count += 1
        except UniqueViolation:
            _finish(job, Status.ABORTED)
    return count


def close_orphans(now: datetime) -> int:
    """Close the work whose job has ended without it, so that it can be started anew; gives how many."""
    alive = ProcrastinateJob.objects.filter(pk=OuterRef("job"), status__in=["todo", "doing"])
    orphans = Work.objects.filter(state__in=OPEN, job__isnull=False).exclude(Exists(alive))
    refused = Refused("conflict", "It was broken off too often. Look at its job, then start it again.")
    return orphans.update(finished_at=now, **as_failed(refused))


def forget_files(before: datetime) -> int:
    """Forget the files of work that ended before an instant; gives how many."""
    count, _ = WorkFile.objects.filter(work__finished_at__lt=before).exclude(work__state__in=OPEN).delete()
    return count


def forget_work(before: datetime) -> int:
    """Forget work that ended before an instant; the newest of its kind and subject is kept. Gives how many."""
    newer = Work.objects.filter(kind=OuterRef("kind"), subject=OuterRef("subject"), pk__gt=OuterRef("pk"))
    old = Work.objects.filter(Exists(newer), finished_at__lt=before).exclude(state__in=OPEN)
    count, _ = old.delete()
    return count


def forget_counters(now: datetime) -> int:
    """Forget counters (of requests, of attempts to sign in) whose time is over; gives how many. The cache of the
    database throws nothing away by itself before it is full."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM kit_cache WHERE expires < %s", [now])
        return int(cursor.rowcount)


def forget_failures() -> int:
    """Forget why jobs failed that are forgotten themselves; gives how many."""
    alive = ProcrastinateJob.objects.filter(pk=OuterRef("job"))
    count, _ = JobFailure.objects.exclude(Exists(alive)).delete()
    return count


def _finish(job: int, status: Status) -> None:
    app.connector.get_sync_connector().execute_query(
        query=queries["finish_job"], job_id=job, status=status.value, delete_job=False
    )
