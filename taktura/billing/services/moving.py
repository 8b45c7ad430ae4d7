"""Moving supplier subscriptions to other contract lines: the new one begins on the day after what was billed of the old
one, which ends there where nothing else needs it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Exists, OuterRef

from taktura.audit.acts import act
from taktura.billing.services.changes import end_line
from taktura.billing.services.interim import threshold_bills
from taktura.billing.services.waiting import Tied
from taktura.contracts.models import ContractLine
from taktura.invoices.services import Issued
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import SubscriptionLink, SupplierSubscription

# Of each subscription the day after what was billed of the lines that it is tied to now, and was not credited in full
# since; where nothing was, the day on which they begin. Never in a closed period.
_DAYS = """
SELECT k.subscription_id, GREATEST(max(COALESCE(b.day, l.start)), max(s.closed_until)) FROM usage_subscriptionlink k
JOIN contracts_contractline l ON l.id = k.line_id JOIN contracts_contract c ON c.id = l.contract_id
JOIN customers_seller s ON s.id = c.seller_id
LEFT JOIN LATERAL (
    SELECT max(x.stop) AS day FROM (
        SELECT h."end" AS stop FROM billing_charge h WHERE h.contract_id = c.id AND h.line_id = l.id
        GROUP BY h.key_start, h.first, h."end" HAVING sum(h.amount) <> 0 OR bool_and(h.credits IS NULL)
    ) x
) b ON TRUE
WHERE k.subscription_id = ANY(%s) AND k."end" IS NULL GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """What moving a subscription did: from which day on, the lines that ended, and what became of its usage."""

    day: date
    ended: list[ContractLine]
    tied: Tied


def days_after_billed(subscriptions: Iterable[int]) -> dict[int, date]:
    """From which day on subscriptions (by id) can be moved without touching what was billed; those that are tied to no
    line are left out. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, [list(subscriptions)])
        return dict(cursor.fetchall())


@act
def move(actor: Actor, *, subscription: SupplierSubscription, line: ContractLine, first: date | None = None) -> Moved:
    """Move a subscription to another contract line from a day on (None: the day after what was billed of the present
    one), and process its usage from then on again. The old line ends on that day where it was booked for this
    subscription alone. Refuses as `usage.move`."""
    seller = subscription.supplier.seller
    day = first or days_after_billed([subscription.pk]).get(subscription.pk) or line.start
    old = usage.move(actor, subscription=subscription, line=line, first=day)
    recorded, reasons, touched = usage.process_moved(actor, seller=seller, days={subscription.pk: day})
    ended, issued = end_unused(actor, old, dict.fromkeys(old, day))
    return Moved(day, ended, Tied(recorded, reasons, [*issued, *threshold_bills(actor, touched)]))


def end_unused(actor: Actor, lines: Sequence[int], days: dict[int, date]) -> tuple[list[ContractLine], list[Issued]]:
    """End lines that were booked for a subscription that has moved away, each on its day: not those of the tariff, nor
    those that another subscription is tied to still, nor those that are over by then. Gives them, and the documents."""
    rows = ContractLine.objects.select_related("contract__customer__seller", "article").filter(pk__in=lines)
    tied = SubscriptionLink.objects.filter(line=OuterRef("pk"), end__isnull=True)
    rows = rows.exclude(booking="included").filter(~Exists(tied))
    ended, issued = [], list[Issued]()
    for line in rows.order_by("pk"):
        day = days[line.pk]
        if line.start <= day and (line.end is None or line.end > day):
            issued += end_line(actor, line=line, until=day)
            ended.append(line)
    return ended, issued
