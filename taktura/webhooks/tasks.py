"""Jobs of webhooks: reading the log, sending, forgetting."""

from contextlib import suppress

from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from taktura.kit.clock import utc_now
from taktura.webhooks import delivering
from taktura.webhooks.models import WebhookEndpoint
from taktura.webhooks.services import QUEUE, READING

AGAIN_SECONDS = 5  # from one look at the log to the next
KEPT_HOURS = 2  # of the many jobs of this queue


@app.periodic(cron="* * * * *")
@app.task(name=READING, queue=QUEUE, queueing_lock=READING, lock=READING)
def read_webhooks(timestamp: int) -> int:
    """Every few seconds where there is a webhook: read the log on, and send what is due. Gives how many events are new.

    The look of each minute begins it; each look starts the next one.
    """
    if not WebhookEndpoint.objects.filter(active=True).exists():
        return 0
    count = delivering.read_log(utc_now())
    for endpoint in delivering.endpoints_due(utc_now()):
        with suppress(AlreadyEnqueued):  # it waits for its round already
            send_webhooks.configure(queueing_lock=f"webhook {endpoint}", lock=f"webhook {endpoint}").defer(
                endpoint=endpoint
            )
    with suppress(AlreadyEnqueued):
        read_webhooks.configure(schedule_in={"seconds": AGAIN_SECONDS}).defer(timestamp=timestamp)
    return count


@app.task(name="send_webhooks", queue=QUEUE)
def send_webhooks(endpoint: int) -> None:
    """Send what is due to one endpoint; one round at a time."""
    delivering.send_round(endpoint)


@app.periodic(cron="27 3 * * *")
@app.task(name="forget_webhooks", queue="housekeeping", queueing_lock="forget_webhooks")
def forget_webhooks(timestamp: int) -> int:
    """Every night: deliveries that were done a month ago are forgotten. Gives how many."""
    return delivering.forget(utc_now())


@app.periodic(cron="7 * * * *")
@app.task(name="forget_webhook_jobs", queue="housekeeping", queueing_lock="forget_webhook_jobs")
async def forget_webhook_jobs(timestamp: int) -> None:
    """Every hour: the many finished jobs of webhooks are deleted."""
    await app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS, queue=QUEUE, include_aborted=True)
