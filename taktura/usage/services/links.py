"""What ties suppliers' subscriptions to contract lines."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from taktura.audit.acts import act
from taktura.audit.services import record, record_all
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.kit.bulk import among
from taktura.usage.models import SubscriptionLink, Supplier, SupplierCustomer, SupplierSubscription, UsageRecord
from taktura.usage.queries import WAITS, checked, fold
from taktura.usage.store import match_records

# What waits of subscriptions; and, of those that several lines carry, what lies on one though its product stands for
# the article of another, in whose life it lies: it came before that line was tied. What is closed stays.
_NAMED = """
SELECT r.id FROM unnest(%s::bigint[]) AS w(id) JOIN usage_suppliersubscription s ON s.id = w.id
    JOIN usage_usagerecord r ON r.supplier_id = s.supplier_id AND r.subscription = s.folded WHERE r.line_id IS NULL
UNION
SELECT r.id FROM unnest(%s::bigint[]) AS w(id) JOIN usage_suppliersubscription s ON s.id = w.id
    JOIN usage_subscriptionlink k ON k.subscription_id = s.id JOIN contracts_contractline l ON l.id = k.line_id
    JOIN usage_subscriptionlink other ON other.subscription_id = s.id
    JOIN contracts_contractline o ON o.id = other.line_id AND o.article_id <> l.article_id
    JOIN contracts_contract c ON c.id = o.contract_id
    JOIN usage_usagerecord r ON r.line_id = l.id AND r.supplier_id = s.supplier_id AND r.subscription = s.folded
    JOIN usage_productreference p ON p.supplier_id = r.supplier_id AND p.folded = r.product
        AND p.article_id = o.article_id
WHERE r.day >= %s AND r.day >= GREATEST(o.start, c.start, c.billed_until, other.first)
    AND r.end_day <= LEAST(o."end", c."end", 'infinity') AND r.day < COALESCE(other."end", 'infinity')
"""


@act
def link(actor: Actor, *, supplier: Supplier, reference: str, line: ContractLine) -> SupplierSubscription:
    """Tie a supplier subscription to a contract line, as `link_all` does with many."""
    return link_all(actor, supplier=supplier, ties=[(reference, line)])[0]


@act
def link_all(
    actor: Actor, *, supplier: Supplier, ties: Sequence[tuple[str, ContractLine]]
) -> list[SupplierSubscription]:
    """Tie supplier subscriptions (by reference) to contract lines, all or none, in a fixed number of queries; one that
    no import has recorded is noted first. What waits stays until it is processed again. Gives the subscriptions.

    Raises `Refused` (`invalid`) for a line that takes no usage, or a reference that is empty or too long.
    """
    if any(line.charge != "usage" for _, line in ties):
        raise Refused("invalid", "Only a usage line can take a supplier's usage: choose another line.")
    wanted = {fold(reference): checked(reference, field="subscription") for reference, _ in ties}
    rows = SupplierSubscription.objects.filter(supplier=supplier)
    known = set(rows.filter(folded__in=wanted).values_list("folded", flat=True))
    SupplierSubscription.objects.bulk_create(
        SupplierSubscription(supplier=supplier, reference=reference, folded=folded)
        for folded, reference in wanted.items()
        if folded not in known
    )
    found = {row.folded: row for row in rows.filter(folded__in=wanted)}
    SubscriptionLink.objects.bulk_create(
        [SubscriptionLink(subscription=found[fold(reference)], line=line) for reference, line in ties],
        ignore_conflicts=True,
    )
    pairs = {(found[fold(reference)].pk, line.pk) for reference, line in ties}
    moved = SubscriptionLink.objects.filter(subscription__in=found.values(), first__isnull=True, end__isnull=False)
    back = [tie.pk for tie in moved if (tie.subscription_id, tie.line_id) in pairs]
    SubscriptionLink.objects.filter(pk__in=back).update(end=None)  # tied again to one that it was moved away from
    told = [{"subscription": reference, "line": line.pk} for reference, line in ties]
    record_all(actor, [("link", f"supplier:{supplier.pk}", one) for one in told])
    return list(found.values())


@act
def note_subscription(actor: Actor, *, supplier: Supplier, reference: str) -> SupplierSubscription:
    """Note a subscription that waiting usage names but no import has made, with product and quantity of its last row.

    One that is noted already stays as it is. Raises `Refused` (`not_found`) when no usage names it.
    """
    known = SupplierSubscription.objects.filter(supplier=supplier, folded=fold(reference)).first()
    if known is not None:
        return known
    rows = UsageRecord.objects.filter(supplier=supplier, subscription=fold(reference), line__isnull=True)
    last = rows.order_by("-day", "-id").first()
    if last is None:
        raise Refused("not_found", "The supplier has no subscription “%(reference)s”.", reference=reference)
    made = SupplierSubscription.objects.create(
        supplier=supplier, reference=reference, folded=fold(reference), product=last.product, quantity=last.quantity
    )
    record(actor, "note_subscription", f"supplier:{supplier.pk}", {"subscription": reference})
    return made


@act
def unlink(actor: Actor, *, supplier: Supplier, reference: str, line: ContractLine) -> set[int]:
    """Untie a supplier subscription from a contract line; gives the contracts touched.

    Its usage on that line waits again and what was billed of it is credited with the next bill; usage of a closed
    period stays where it is (R12.3). Raises `Refused` (`not_found`).
    """
    tie = SubscriptionLink.objects.select_related("subscription").filter(
        subscription__supplier=supplier, subscription__folded=fold(reference), line=line
    )
    found = tie.first()
    if found is None:
        raise Refused("not_found", "“%(reference)s” is not tied to this contract line.", reference=reference)
    closed = supplier.seller.closed_until
    tie.delete()
    rows = UsageRecord.objects.filter(line=line, supplier=supplier, subscription=fold(reference))
    touched = match_records(actor, rows.filter(day__gte=closed) if closed else rows, closed)[2]
    record(actor, "unlink", f"supplier:{supplier.pk}", {"subscription": reference, "line": line.pk})
    return touched


@act
def pass_on(actor: Actor, *, contract: Contract, lines: Mapping[int, int], start: date) -> set[int]:
    """Tie the subscriptions of a contract's lines also to the lines that go on with them after a transfer, and give
    those its usage from a day on; gives the contracts touched. Refuses as `check_pass_on`."""
    seller = contract.customer.seller
    read_again(seller)
    check_pass_on(contract, start, seller.closed_until)
    ties = SubscriptionLink.objects.filter(line__in=lines)
    SubscriptionLink.objects.bulk_create(
        SubscriptionLink(subscription_id=tie.subscription_id, line_id=lines[tie.line_id], first=tie.first, end=tie.end)
        for tie in ties
    )
    return rematch(actor, contracts=[contract.pk], closed_until=seller.closed_until)


def check_pass_on(contract: Contract, start: date, closed_until: date | None) -> None:
    """Raise `Refused` (`closed_period`) where usage of a closed period would become another contract's (R12.3)."""
    if closed_until is None or start >= closed_until:
        return
    rows = UsageRecord.objects.filter(line__contract=contract, day__lt=closed_until, end_day__gt=start)
    if rows.exists():
        raise Refused(
            "closed_period", "Usage before %(day)s is closed: transfer the contract from then on.",
            day=closed_until.isoformat(), field="from",
        )  # fmt: skip


@act
def link_customer(actor: Actor, *, supplier: Supplier, reference: str, customer: Customer) -> SupplierCustomer:
    """Tie a supplier customer to a customer, for overview; raises `Refused` (`not_found`)."""
    row = SupplierCustomer.objects.filter(supplier=supplier, folded=fold(reference)).first()
    if row is None:
        raise Refused("not_found", "The supplier has no customer “%(reference)s”.", reference=reference)
    row.customer = customer
    row.save(update_fields=["customer"])
    record(actor, "link_customer", f"supplier:{supplier.pk}", {"reference": reference, "customer": customer.key})
    return row


@act
def unlink_customer(actor: Actor, *, row: SupplierCustomer) -> None:
    """Untie a supplier customer from its customer."""
    row.customer = None
    row.save(update_fields=["customer"])
    record(actor, "unlink_customer", f"supplier:{row.supplier_id}", {"reference": row.reference})


@act
def reprocess(actor: Actor, *, supplier: Supplier) -> tuple[int, list[str], set[int]]:
    """Process what waits of a supplier again: gives how many found their line, the reasons of what waits still, and the
    contracts that gained usage."""
    read_again(supplier.seller)
    return match_waiting(actor, supplier.seller, supplier, UsageRecord.objects.filter(WAITS))


def match_waiting(
    actor: Actor, seller: Seller, supplier: Supplier | None, rows: QuerySet[UsageRecord], mark: int | None = None
) -> tuple[int, list[str], set[int]]:
    """Match those of the rows again that are a supplier's, or all of the seller's, within an act; `mark` as for
    `match_records`."""
    rows = rows.filter(supplier=supplier) if supplier else rows.filter(seller=seller)
    outcome = match_records(actor, rows, seller.closed_until, mark)
    told = {"recorded": outcome[0], "waiting": len(outcome[1])}
    if supplier:
        record(actor, "reprocess", f"supplier:{supplier.pk}", told)
    else:
        record(actor, "process_again", f"seller:{seller.pk}", told)
    return outcome


@act
def process_subscriptions(
    actor: Actor, *, seller: Seller, subscriptions: Iterable[SupplierSubscription]
) -> tuple[int, list[str], set[int]]:
    """Process what waits of some subscriptions again, and what now belongs to another of their lines; gives the same as
    `reprocess`."""
    read_again(seller)
    rows = list(subscriptions)
    ids = [s.pk for s in rows]
    named = RawSQL(_NAMED, [ids, ids, seller.closed_until or date.min])
    outcome = match_records(actor, UsageRecord.objects.filter(pk__in=named), seller.closed_until)
    told = {"subscriptions": len(rows), "recorded": outcome[0], "waiting": len(outcome[1])}
    record(actor, "reprocess", f"seller:{seller.pk}", told)
    return outcome


@act
def process_again(actor: Actor, *, seller: Seller) -> tuple[int, list[str], set[int]]:
    """Process all that waits of a seller again, suppliers' or not; gives the same as `reprocess`."""
    read_again(seller)
    find_contracts(actor, seller=seller)
    return match_waiting(actor, seller, None, UsageRecord.objects.filter(WAITS))


@act
def find_contracts(actor: Actor, *, seller: Seller) -> None:
    """Give usage that was sent to a contract which was not there yet that contract. It waits until it is matched."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE usage_usagerecord r SET contract_id = c.id
               FROM usage_usageexception e, contracts_contract c JOIN customers_customer k ON k.id = c.customer_id
               WHERE e.record_id = r.id AND e.reason = 'no_contract' AND r.seller_id = %(seller)s AND r.line_id IS NULL
                   AND r.contract_id IS NULL AND k.seller_id = %(seller)s AND c.key = r.sent_to""",
            {"seller": seller.pk},
        )


def rematch(actor: Actor, *, contracts: Iterable[int], closed_until: date | None) -> set[int]:
    """Look again at the records of contracts whose lines, ends or pauses changed; gives the contracts touched.

    Only those that no longer lie in the life of their line, and those of these contracts that wait, are looked at.
    """
    ids = list(contracts)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT r.id FROM usage_usagerecord r JOIN contracts_contractline l ON l.id = r.line_id
               JOIN contracts_contract c ON c.id = l.contract_id WHERE c.id = ANY(%(ids)s) AND (
                   r.end_day > LEAST(COALESCE(l."end", 'infinity'), COALESCE(c."end", 'infinity')) OR r.day < l.start
                   OR EXISTS (SELECT 1 FROM contracts_pause p WHERE p.contract_id = c.id AND p.start < r.end_day
                       AND COALESCE(p."end", 'infinity') > r.day))
               UNION SELECT e.record_id FROM usage_usageexception e JOIN usage_usagerecord r ON r.id = e.record_id
                   LEFT JOIN contracts_contractline l ON l.id = r.line_id
                   WHERE r.contract_id = ANY(%(ids)s) OR l.contract_id = ANY(%(ids)s)
               UNION SELECT r.id FROM usage_usagerecord r JOIN usage_suppliersubscription s
                   ON s.supplier_id = r.supplier_id AND s.folded = r.subscription
                   JOIN usage_subscriptionlink k ON k.subscription_id = s.id
                   JOIN contracts_contractline l ON l.id = k.line_id
                   WHERE l.contract_id = ANY(%(ids)s) AND r.line_id IS NULL""",
            {"ids": ids},
        )
        records = [row[0] for row in cursor.fetchall()]
    if not records:
        return set()
    return match_records(actor, UsageRecord.objects.filter(pk__in=among(records)), closed_until)[2]
