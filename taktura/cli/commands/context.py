"""What commands share: the database brought up, the seller they act for, who acts."""

import getpass
from datetime import date
from typing import TYPE_CHECKING

import click

from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.database import ensure_database, setup

if TYPE_CHECKING:
    from taktura.customers.models import Seller

DAY = click.DateTime(formats=["%Y-%m-%d"])
seller_option = click.option(
    "--seller", "seller_name", metavar="NAME", help="The seller, where there is more than one (its name)."
)


def open_database() -> None:
    """Start the embedded server where none runs, and bring the schema up to date."""
    setup()
    ensure_database()


def actor_now() -> Actor:
    """The person at the terminal, now."""
    return Actor(f"cli:{getpass.getuser()}", utc_now())


def find_seller(name: str | None) -> "Seller":
    """The seller of a name, or the only one. Raises `Refused` (`not_found`, `invalid`)."""
    from taktura.customers.models import Seller

    found = list(Seller.objects.filter(**({"name": name} if name else {})).order_by("id")[:2])
    if not found:
        if name:
            raise Refused("not_found", "There is no seller “%(name)s”.", name=name)
        raise Refused("not_found", "There is no seller yet: `taktura run` makes a demo company.")
    if len(found) > 1:
        raise Refused("invalid", "There are several sellers: say which with --seller NAME.")
    return found[0]


def as_date(value: object) -> date:
    """The date of click's timestamp."""
    assert isinstance(value, date)
    return date(value.year, value.month, value.day)
