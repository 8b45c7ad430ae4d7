"""Moving supplier subscriptions from one contract line to another, from a day on."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.contracts.models import ContractLine
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage.models import SubscriptionLink, SupplierSubscription, UsageRecord
from taktura.usage.store import match_records

_DAYS = "unnest(%s::bigint[], %s::date[]) AS m(subscription, day)"
_LATER = f"""DELETE FROM usage_subscriptionlink k USING {_DAYS}
    WHERE k.subscription_id = m.subscription AND k.first >= m.day"""
_ENDED = f"""UPDATE usage_subscriptionlink k SET "end" = m.day FROM {_DAYS}
    WHERE k.subscription_id = m.subscription AND COALESCE(k."end", 'infinity') > m.day RETURNING k.line_id"""
# What waits of subscriptions, and what lies on lines whose ties end on the day, from then on.
_RECORDS = f"""
SELECT r.id FROM {_DAYS} JOIN usage_suppliersubscription s ON s.id = m.subscription
    JOIN usage_usagerecord r ON r.supplier_id = s.supplier_id AND r.subscription = s.folded AND r.line_id IS NULL
UNION
SELECT r.id FROM {_DAYS} JOIN usage_suppliersubscription s ON s.id = m.subscription
    JOIN usage_subscriptionlink k ON k.subscription_id = s.id AND k."end" = m.day
    JOIN usage_usagerecord r ON r.line_id = k.line_id AND r.supplier_id = s.supplier_id AND r.subscription = s.folded
    WHERE r.end_day > m.day AND r.day >= %s
"""


@act
def move(actor: Actor, *, subscription: SupplierSubscription, line: ContractLine, first: date) -> list[int]:
    """Tie a subscription that is tied already to another contract line from a day on; its other ties end on that day.
    Usage that begins before stays where it is. Gives the lines whose ties ended.

    What waits stays until it is processed again (`process_moved`). Raises `Refused`: `invalid` (a line that takes no
    usage, or one that it is tied to; no other line), `closed_period`.
    """
    read_again(subscription.supplier.seller)
    if line.charge != "usage":
        raise Refused("invalid", "Only a usage line can take a supplier's usage: choose another line.")
    ties = SubscriptionLink.objects.filter(subscription=subscription)
    if ties.filter(line=line, end__isnull=True).exists():
        raise Refused("invalid", "The subscription is tied to this line already: choose another line.", field="line")
    if not ties.exists():
        raise Refused("invalid", "The subscription is tied to no line yet: tie it without a day.", field="from")
    ended = end_ties({subscription.pk: first}, subscription.supplier.seller)
    SubscriptionLink.objects.create(subscription=subscription, line=line, first=first)
    told = {"subscription": subscription.reference, "line": line.pk, "from": first}
    record(actor, "move", f"supplier:{subscription.supplier_id}", told)
    return ended


def end_ties(days: Mapping[int, date], seller: Seller) -> list[int]:
    """In the caller's act: the ties of subscriptions (by id) end on a day of each; those that begin later are gone.

    Gives the lines whose ties ended. Raises `Refused` (`closed_period`) for a day of a closed period.
    """
    closed = seller.closed_until
    if closed is not None and any(day < closed for day in days.values()):
        raise Refused(
            "closed_period", "Usage before %(day)s is closed: choose that day or a later one.", day=closed.isoformat(),
            field="from",
        )  # fmt: skip
    given: list[list[Any]] = [list(days), list(days.values())]
    with connection.cursor() as cursor:
        cursor.execute(_LATER, given)
        cursor.execute(_ENDED, given)
        return [row[0] for row in cursor.fetchall()]


@act
def process_moved(actor: Actor, *, seller: Seller, days: Mapping[int, date]) -> tuple[int, list[str], set[int]]:
    """Process again what waits of subscriptions (by id) that were moved, and their usage from the day of each on; gives
    the same as `reprocess`."""
    read_again(seller)
    given: list[list[Any]] = [list(days), list(days.values())]
    rows = UsageRecord.objects.filter(pk__in=RawSQL(_RECORDS, [*given, *given, seller.closed_until or date.min]))
    outcome = match_records(actor, rows, seller.closed_until)
    told = {"subscriptions": len(days), "recorded": outcome[0], "waiting": len(outcome[1])}
    record(actor, "reprocess", f"seller:{seller.pk}", told)
    return outcome
