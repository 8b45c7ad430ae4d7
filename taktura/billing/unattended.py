"""Runs that nobody starts: once a day for sellers who want that, and again later where one failed."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from taktura.customers.models import Seller
from taktura.kit.jobs.models import Work

RUN = "billing_run"  # the kind of long work
SCHEDULE = "schedule"  # who acts when nobody does
HOUR = 6  # local
# How long after a try that failed the next one begins; the schedule looks every hour. After the last one: next morning.
DELAYS = tuple(timedelta(hours=h) for h in (1, 2, 4, 8))
SLACK = timedelta(minutes=10)  # an hour of the schedule may be a little short


def day_of(seller: Seller, now: datetime) -> date:
    """The day until which an unattended run bills, where the seller is."""
    return now.astimezone(ZoneInfo(seller.time_zone)).date()


def tries(seller: Seller, now: datetime) -> list[Work]:
    """Today's unattended runs of a seller, the newest first."""
    local = now.astimezone(ZoneInfo(seller.time_zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    mine = Work.objects.filter(kind=RUN, subject=f"seller:{seller.pk}", actor=SCHEDULE, created_at__gte=midnight)
    return list(mine.order_by("-id")[: len(DELAYS) + 1])


def again_at(tried: Sequence[Work]) -> datetime | None:
    """When the last of a day's tries is followed by another; None: it did not fail, or it was the last one."""
    if not tried or tried[0].state != "failed" or len(tried) > len(DELAYS):
        return None
    return tried[0].created_at + DELAYS[len(tried) - 1]


def is_due(seller: Seller, now: datetime) -> bool:
    """Whether the seller's unattended run is to begin now."""
    if now.astimezone(ZoneInfo(seller.time_zone)).hour < HOUR:
        return False
    tried = tries(seller, now)
    again = again_at(tried)
    return not tried or (again is not None and now >= again - SLACK)
