"""Housekeeping of the worker."""

from datetime import timedelta

from asgiref.sync import sync_to_async
from procrastinate.contrib.django import app

from taktura.kit.clock import utc_now
from taktura.kit.jobs.keeping import close_orphans, forget_counters, forget_failures, forget_files, forget_work, take_up

KEPT_HOURS = 24 * 14  # finished jobs are forgotten after two weeks, failed ones are not
WORK_KEPT = timedelta(days=90)


@app.periodic(cron="* * * * *")
@app.task(name="take_up_stalled", queue="housekeeping", queueing_lock="take_up_stalled")
def take_up_stalled(timestamp: int) -> int:
    """Every minute: jobs whose worker has died are done by another. Gives how many."""
    count = take_up()
    close_orphans(utc_now())
    return count


@app.periodic(cron="17 3 * * *")
@app.task(name="forget_old_jobs", queue="housekeeping", queueing_lock="forget_old_jobs")
async def forget_old_jobs(timestamp: int) -> None:
    """Every night: finished jobs older than two weeks are deleted, the files of work that has ended so long ago, work
    that ended 90 days ago, and counters whose time is over."""
    await sync_to_async(_forget)()
    await app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS, include_cancelled=True, include_aborted=True)
    await sync_to_async(forget_failures)()


def _forget() -> None:
    now = utc_now()
    forget_files(now - timedelta(hours=KEPT_HOURS))
    forget_work(now - WORK_KEPT)
    forget_counters(now)
