"""Billing in the background."""

from collections.abc import Collection
from datetime import date
from typing import Any

from procrastinate.contrib.django import app

from taktura.billing import imports  # noqa: F401 - its tasks are found by this module
from taktura.billing.forecast import check_days, forecast_all
from taktura.billing.forecast_result import FORECAST
from taktura.billing.forecast_result import kept_of as forecast_kept
from taktura.billing.incoming import look_into_mailboxes
from taktura.billing.services import bill, bill_thresholds, sell_by_night
from taktura.billing.services.mailboxes import LOOKING, QUEUE
from taktura.billing.services.orders import forget_orders
from taktura.billing.unattended import RUN, SCHEDULE, day_of, is_due
from taktura.billing.watched import look_into_folders
from taktura.billing.what_if import check_what_if, what_if
from taktura.billing.what_if_result import WHAT_IF, as_kept, fields_kept, kept_of
from taktura.catalog.models import Tariff
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.retry import AGAIN
from taktura.kit.jobs.services import Tell, carry_out, start


def start_run(actor: Actor, *, seller: Seller, on: date, exclude: list[int]) -> Work:
    """Start a billing run in the background. Raises `Refused` (`conflict`) while another of the seller is under way."""
    parameters = {"seller": seller.pk, "on": on, "exclude": sorted(exclude)}
    return start(actor, kind=RUN, subject=f"seller:{seller.pk}", parameters=parameters, task=run_billing)


@app.periodic(cron="37 3 * * *")
@app.task(name="forget_orders", queue="housekeeping", queueing_lock="forget_orders")
def forget_unconfirmed(timestamp: int) -> int:
    """Every night: orders that were never confirmed are forgotten, with the names and addresses in them."""
    return forget_orders(utc_now())


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


def start_what_if(
    actor: Actor,
    *,
    seller: Seller,
    fields: dict[str, Any],
    first_month: date,
    last_month: date,
    customers: Collection[int] | None = None,
    tariff: Tariff | None = None,
    own_conditions: bool = True,
) -> Work:
    """Start a what-if in the background (`what_if`, which says what is refused); what it comes to is kept with the work
    alone. Raises `Refused` (`conflict`) while another of the seller is under way."""
    title = check_what_if(actor, seller=seller, fields=fields, first_month=first_month, last_month=last_month)
    parameters = {
        "seller": seller.pk,
        "fields": as_kept(fields),
        "title": title,
        "first": first_month,
        "last": last_month,
        "customers": sorted(customers) if customers is not None else None,
        "tariff": tariff.pk if tariff else None,
        "own_conditions": own_conditions,
    }
    return start(actor, kind=WHAT_IF, subject=f"seller:{seller.pk}", parameters=parameters, task=rate_what_if)


@app.task(name="rate_what_if", queue="billing", retry=AGAIN)
def rate_what_if(work: int) -> None:
    """A what-if that was started from a page. It writes nothing but its result: done again, it is the same."""
    carry_out(work, utc_now, _rate)


def _rate(work: Work, tell: Tell) -> dict[str, Any]:
    wanted = work.parameters
    tariff = Tariff.objects.get(pk=wanted["tariff"]) if wanted["tariff"] is not None else None
    outcome = what_if(
        Actor(work.actor, utc_now()), seller=Seller.objects.get(pk=wanted["seller"]), fields=fields_kept(wanted),
        first_month=date.fromisoformat(wanted["first"]), last_month=date.fromisoformat(wanted["last"]),
        customers=wanted["customers"], tariff=tariff, own_conditions=wanted["own_conditions"], progress=tell,
    )  # fmt: skip
    return kept_of(outcome)


def start_forecast(actor: Actor, *, seller: Seller, first: date | None = None, until: date) -> Work:
    """Start a forecast in the background (`forecast_all`, which says what is refused); what it comes to is kept with
    the work alone. Raises `Refused` (`conflict`) while another of the seller is under way."""
    today = actor.today(seller.time_zone)
    first = max(first or today, today)
    check_days(today, first, until)
    parameters = {"seller": seller.pk, "first": first, "until": until}
    return start(actor, kind=FORECAST, subject=f"seller:{seller.pk}", parameters=parameters, task=foresee_bills)


@app.task(name="foresee_bills", queue="billing", retry=AGAIN)
def foresee_bills(work: int) -> None:
    """A forecast that was started from a page. It writes nothing but its result: done again, it is the same."""
    carry_out(work, utc_now, _foresee)


def _foresee(work: Work, tell: Tell) -> dict[str, Any]:
    wanted = work.parameters
    found = forecast_all(
        Actor(work.actor, utc_now()), seller=Seller.objects.get(pk=wanted["seller"]),
        first=date.fromisoformat(wanted["first"]), until=date.fromisoformat(wanted["until"]), progress=tell,
    )  # fmt: skip
    return forecast_kept(found)


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


@app.periodic(cron="20 2 * * *")
@app.task(name="sell_used_services", queue="billing", queueing_lock="sell_used_services", retry=AGAIN)
def sell_used_services(timestamp: int) -> list[int]:
    """Every night: services that no contract carries become sales items, of the month that is over where the seller
    wants that, and of those that waited for what is there now. Gives the sales items, by id."""
    actor = Actor(SCHEDULE, utc_now())
    sellers = Seller.objects.order_by("id")
    return [item for seller in sellers for item in sell_by_night(actor, seller=seller).items]


@app.periodic(cron="* * * * *")
@app.task(name="look_into_folders", queue="usage", queueing_lock="look_into_folders", lock="look_into_folders",
          retry=AGAIN)  # fmt: skip
def look_for_files(timestamp: int) -> int:
    """Every minute: folders of suppliers are looked into. Gives how many files were loaded."""
    return look_into_folders(utc_now()).loaded


@app.periodic(cron="* * * * *")
@app.task(name=LOOKING, queue=QUEUE, queueing_lock=LOOKING, lock=LOOKING, retry=AGAIN)
def look_for_mails(timestamp: int) -> int:
    """Every minute: mailboxes that are due are looked into. Gives how many mails are new."""
    return sum(look.mails for _mailbox, look in look_into_mailboxes(utc_now()))
