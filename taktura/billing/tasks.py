"""Billing in the background."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from procrastinate.contrib.django import app

from taktura.billing.services import bill
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.services import Tell, carry_out, start

RUN = "billing_run"
SCHEDULE = "schedule"  # who acts when nobody does
HOUR = 6  # local


def start_run(actor: Actor, *, seller: Seller, on: date, exclude: list[int]) -> Work:
    """Start a billing run in the background. Raises `Refused` (`conflict`) while another of the seller is under way."""
    parameters = {"seller": seller.pk, "on": on, "exclude": sorted(exclude)}
    return start(actor, kind=RUN, subject=f"seller:{seller.pk}", parameters=parameters, task=run_billing)


@app.task(name="run_billing", queue="billing")
def run_billing(work: int) -> None:
    """A billing run that was started from a page. Done again after its worker died, it bills what is left."""
    carry_out(work, utc_now, _run)


def _run(work: Work, tell: Tell) -> dict[str, Any]:
    wanted = work.parameters
    seller = Seller.objects.get(pk=wanted["seller"])
    outcome = bill(
        Actor(work.actor, utc_now()), seller=seller, on=date.fromisoformat(wanted["on"]), progress=tell,
        exclude=wanted["exclude"],
    )  # fmt: skip
    return {
        "run": outcome.run,
        "contracts": outcome.contracts,
        "invoices": len(outcome.invoices),
        "credit_notes": len(outcome.credit_notes),
        "problems": len(outcome.problems),
    }


@app.periodic(cron="5 * * * *")
@app.task(name="bill_unattended", queue="billing", queueing_lock="bill_unattended")
def bill_unattended(timestamp: int) -> list[int]:
    """Every hour: sellers who want that get a run of what is due, at six in their morning. Gives the work, by id."""
    actor = Actor(SCHEDULE, utc_now())
    begun = []
    for seller in Seller.objects.filter(unattended_runs=True).order_by("id"):
        if actor.now.astimezone(ZoneInfo(seller.time_zone)).hour != HOUR:
            continue
        try:
            begun.append(start_run(actor, seller=seller, on=actor.today(seller.time_zone), exclude=[]).pk)
        except Refused:
            continue  # somebody's run is under way and does the same
    return begun
