"""Jobs of usage."""

from procrastinate.contrib.django import app

from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.jobs.retry import AGAIN
from taktura.usage.services import mask_numbers


@app.periodic(cron="47 2 * * *")
@app.task(name="mask_numbers", queue="housekeeping", queueing_lock="mask_numbers", retry=AGAIN)
def mask_old_numbers(timestamp: int) -> int:
    """Every night: telephone numbers of calls that are older than their company says are masked. Gives in how many
    records, revisions and files."""
    actor = Actor("schedule", utc_now())
    sellers = Seller.objects.filter(call_number_months__gt=0).order_by("id")
    return sum(sum(mask_numbers(actor, seller=seller).values()) for seller in sellers)
