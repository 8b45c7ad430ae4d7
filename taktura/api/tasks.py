"""Jobs of this door: answers that need not be kept any longer."""

from procrastinate.contrib.django import app

from taktura.api.idempotency.services import forget as forget_kept
from taktura.kit.clock import utc_now


@app.periodic(cron="37 3 * * *")
@app.task(name="forget_answers", queue="housekeeping", queueing_lock="forget_answers")
def forget_answers(timestamp: int) -> int:
    """Every night: answers kept for repeated requests are forgotten when their time is over. Gives how many."""
    return forget_kept(utc_now())
