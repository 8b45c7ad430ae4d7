"""Billing in the background."""

from datetime import date
from typing import Any

from procrastinate.contrib.django import app

from taktura.billing.services import bill, bill_thresholds, receive_file
from taktura.billing.unattended import RUN, SCHEDULE, day_of, is_due
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.retry import AGAIN
from taktura.kit.jobs.services import Tell, carry_out, file_of, start
from taktura.usage.models import Supplier
from taktura.usage.services import check_content

FILE = "usage_file"  # a kind of long work, as RUN


def start_run(actor: Actor, *, seller: Seller, on: date, exclude: list[int]) -> Work:
    """Start a billing run in the background. Raises `Refused` (`conflict`) while another of the seller is under way."""
    parameters = {"seller": seller.pk, "on": on, "exclude": sorted(exclude)}
    return start(actor, kind=RUN, subject=f"seller:{seller.pk}", parameters=parameters, task=run_billing)


@app.task(name="run_billing", queue="billing", retry=AGAIN)
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


def start_reading(actor: Actor, *, supplier: Supplier, name: str, content: bytes) -> Work:
    """Start to take a supplier's file in, in the background. Raises `Refused`: `conflict` while another file of the
    seller is read, `invalid` where it is too large or no text. What else it is refused for is kept with the work."""
    check_content(content)
    return start(
        actor, kind=FILE, subject=f"seller:{supplier.seller_id}", parameters={"supplier": supplier.pk}, task=read_file,
        file=(name, content),
    )  # fmt: skip


@app.task(name="read_file", queue="usage", retry=AGAIN)
def read_file(work: int) -> None:
    """A supplier's file that was given to a page. It is taken in whole or not at all: done again, nothing is twice."""
    carry_out(work, utc_now, _read)


def _read(work: Work, tell: Tell) -> dict[str, Any]:
    supplier = Supplier.objects.select_related("seller").get(pk=work.parameters["supplier"])
    name, content = file_of(work)
    received, issued = receive_file(Actor(work.actor, utc_now()), supplier=supplier, name=name, content=content)
    assert received.file is not None
    outcome = received.outcome
    return {
        "file": received.file.pk,
        "rows": received.rows,
        "recorded": outcome.recorded,
        "duplicates": outcome.duplicates,
        "conflicts": outcome.conflicts,
        "waiting": len(outcome.exceptions),
        "problems": len(received.problems),
        "documents": [document.id for document in issued],
    }


@app.periodic(cron="5 * * * *")
@app.task(name="bill_unattended", queue="billing", queueing_lock="bill_unattended", retry=AGAIN)
def bill_unattended(timestamp: int) -> list[int]:
    """Every hour: sellers who want that get one run a day of what is due, from six in their morning on.

    Where no worker was there at six, or somebody's run was under way, a later hour does it. A run that failed is tried
    again, later and later (`unattended.DELAYS`): what the try before has issued is not billed twice. Gives the work
    by id.
    """
    actor = Actor(SCHEDULE, utc_now())
    begun = []
    for seller in Seller.objects.filter(unattended_runs=True).order_by("id"):
        if not is_due(seller, actor.now):
            continue
        try:
            begun.append(start_run(actor, seller=seller, on=day_of(seller, actor.now), exclude=[]).pk)
        except Refused:
            continue
    return begun


@app.periodic(cron="40 2 * * *")
@app.task(name="check_thresholds", queue="billing", queueing_lock="check_thresholds", retry=AGAIN)
def check_thresholds(timestamp: int) -> list[int]:
    """Every night: interim bills of contracts that have come to their threshold otherwise than by usage as it arrived.

    Usage that waited may have found its contract, billing information may be complete now. Gives the documents, by id.
    """
    actor = Actor(SCHEDULE, utc_now())
    sellers = Seller.objects.order_by("id")
    return [issued.id for seller in sellers for issued in bill_thresholds(actor, seller=seller)]
