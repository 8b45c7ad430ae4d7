"""Control in the background."""

from procrastinate.contrib.django import app

from taktura.billing.unattended import SCHEDULE
from taktura.control.services import keep_flat_prices, watch
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.jobs.retry import AGAIN
from taktura.usage.marks import QUEUE, WATCHING

KEPT_HOURS = 2  # of the many jobs of this queue


@app.periodic(cron="* * * * *")
@app.task(name=WATCHING, queue=QUEUE, queueing_lock=WATCHING, lock=WATCHING, retry=AGAIN)
def watch_usage(timestamp: int) -> int:
    """Look at the usage that has arrived: woken by it, and every minute. Gives how many alerts were raised."""
    return len(watch(Actor(SCHEDULE, utc_now())))


@app.periodic(cron="50 2 * * *")
@app.task(name="keep_flat_prices", queue=QUEUE, queueing_lock="keep_flat_prices", retry=AGAIN)
def keep_all_flat_prices(timestamp: int) -> int:
    """Every night: what flat prices brought in periods that have begun or ended. Gives how many contracts."""
    actor = Actor(SCHEDULE, utc_now())
    return sum(keep_flat_prices(actor, seller=seller) for seller in Seller.objects.order_by("id"))


@app.periodic(cron="9 * * * *")
@app.task(name="forget_watch_jobs", queue="housekeeping", queueing_lock="forget_watch_jobs")
async def forget_watch_jobs(timestamp: int) -> None:
    """Every hour: the many finished jobs that looked at usage are deleted."""
    await app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS, queue=QUEUE, include_aborted=True)
