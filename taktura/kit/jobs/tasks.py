"""Housekeeping of the worker."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

KEPT_HOURS = 24 * 14  # finished jobs are forgotten after two weeks, failed ones are not
RETRY = RetryStrategy(max_attempts=6, exponential_wait=4)  # 4, 16, 64 s … some 20 minutes for each kind of fault


@app.periodic(cron="* * * * *")
@app.task(name="take_up_stalled", queue="housekeeping", queueing_lock="take_up_stalled")
async def take_up_stalled(timestamp: int) -> int:
    """Every minute: jobs whose worker has died are done by another. Gives how many."""
    return await take_up()


async def take_up() -> int:
    """Put the jobs of dead workers back into the queue; gives how many."""
    count = 0
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.retry_job(job)
        count += 1
    return count


@app.periodic(cron="17 3 * * *")
@app.task(name="forget_old_jobs", queue="housekeeping", queueing_lock="forget_old_jobs")
async def forget_old_jobs(timestamp: int) -> None:
    """Every night: finished jobs older than two weeks are deleted."""
    await app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS, include_cancelled=True)
