"""Making the demo company: its users, offer, customers and contracts, then a year of usage, bills and changes.

All by the services that a person's clicks would call, with the clock set to the day of each act.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from django.db import transaction

from taktura.billing.unattended import SCHEDULE
from taktura.cli.demo.desk import desk_events
from taktura.cli.demo.offer import SELLER
from taktura.cli.demo.routine import routine
from taktura.cli.demo.story import story
from taktura.cli.demo.world import folder, found
from taktura.cli.demo.year import Year, actor, event
from taktura.control.services import ignore, keep_flat_prices, watch
from taktura.customers.models import Seller

NAME = str(SELLER["name"])
TIME_ZONE = str(SELLER["time_zone"])


def exists() -> bool:
    """Whether the database has a seller, the demo company or another."""
    return Seller.objects.exists()


def make(told: Callable[[int, int], None], *, today: date) -> Seller:
    """Make the company in an empty database, with the year that ends on a day: twelve months up to the month before are
    recorded, eleven billed; the twelfth is due, and its supplier file waits in `folder`.

    `told` hears (days done, in all).
    """
    year = Year(today)
    with transaction.atomic():  # all of it or nothing
        beginning = event(year.first - timedelta(days=17), "admin", lambda who: None, hour=8)
        world = found(actor(beginning.who, beginning.at), year)
        events = sorted([*story(world), *desk_events(world), *routine(world)], key=lambda e: e.at)
        total = (today - year.first).days
        for happening in events:
            told(max(0, (happening.at.date() - year.first).days), total)
            happening.act(actor(happening.who, happening.at))
        _looked_at(world.seller, events[-1].at, today)
    told(total, total)
    return world.seller


def _looked_at(seller: Seller, at: datetime, today: date) -> None:
    """At last control has looked at the year; what was raised in periods that are over, somebody has seen."""
    worker = actor(SCHEDULE, at)
    seen = [alert.pk for alert in watch(worker) if alert.end <= today]
    ignore(actor("billing", at), seller=seller, alerts=seen, until=None)
    keep_flat_prices(worker, seller=seller)


def left_to_load() -> tuple[Path, date] | None:
    """The supplier's newest file, which is left to be loaded, and the day of the run that bills it."""
    newest = max(folder().glob("focus-*.csv"), default=None)
    if newest is None:
        return None
    year, month = (int(part) for part in newest.stem.split("-")[1:])
    return newest, date(year + month // 12, month % 12 + 1, 1)
