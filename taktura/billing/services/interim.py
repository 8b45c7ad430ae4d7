"""Interim bills, by hand and by threshold (R11)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from taktura.audit.acts import act
from taktura.billing.models import SalesItem
from taktura.billing.queries import gather
from taktura.billing.services.settling import check_complete, documents_due, settle_now
from taktura.contracts.models import Contract
from taktura.contracts.services import read_again
from taktura.core.money import Money
from taktura.core.settle import Scope
from taktura.customers.models import Seller
from taktura.customers.queries import missing_billing_information
from taktura.invoices.services import Issued
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier
from taktura.usage.services import Entry, Received, Unread, Verdict
from taktura.usage.store import Outcome


@act
def interim_bill(actor: Actor, *, contract: Contract, leave_out: Iterable[str] = ()) -> list[Issued]:
    """Bill all that is due of a contract and its usage so far; `leave_out`: usage, time, sales_items (R11.1).

    Raises `Refused` (`billing_information_missing`).
    """
    left = set(leave_out)
    read_again(contract)
    check_complete(contract.customer)
    items: list[SalesItem] = []
    if "sales_items" not in left:
        found = SalesItem.objects.filter(
            document__isnull=True, customer=contract.customer_id, currency=contract.currency
        )
        items = list(found.prefetch_related("lines").order_by("id"))
    scope = Scope(on=actor.today(contract.customer.seller.time_zone), interim=True, leave_usage="usage" in left)
    return settle_now(actor, contract, scope, action="interim_bill", netted=False, items=items)


@act
def record_usage(actor: Actor, *, seller: Seller, entries: Sequence[Mapping[str, Any]]) -> tuple[Outcome, list[Issued]]:
    """Record usage; a contract whose interim bill would reach its tariff's threshold gets one by itself (R11.3)."""
    outcome = usage.record_usage(actor, seller=seller, entries=entries)
    return outcome, threshold_bills(actor, outcome.contracts)


@act
def record_each(
    actor: Actor, *, seller: Seller, entries: Sequence[Entry | Unread]
) -> tuple[Outcome, list[Verdict], list[Issued]]:
    """Record usage with a verdict for each record (`usage.services.record_each`); contracts at their threshold are
    billed (R11.3)."""
    outcome, verdicts = usage.record_each(actor, seller=seller, entries=entries)
    return outcome, verdicts, threshold_bills(actor, outcome.contracts)


@transaction.atomic
def receive_file(actor: Actor, *, supplier: Supplier, name: str, content: bytes) -> tuple[Received, list[Issued]]:
    """Take a supplier's file in (`usage.services.receive_file`); contracts at their threshold are billed (R11.3)."""
    received = usage.receive_file(actor, supplier=supplier, name=name, content=content)
    return received, threshold_bills(actor, received.outcome.contracts)


@transaction.atomic
def import_rows(
    actor: Actor, *, supplier: Supplier, rows: Iterable[Mapping[str, Any]], mapping: Mapping[str, Any] | None = None
) -> tuple[Received, list[Issued]]:
    """Take rows of a supplier in (`usage.services.import_rows`); contracts at their threshold are billed (R11.3)."""
    received = usage.import_rows(actor, supplier=supplier, rows=rows, mapping=mapping)
    return received, threshold_bills(actor, received.outcome.contracts)


def threshold_bills(actor: Actor, contracts: Iterable[int]) -> list[Issued]:
    """Make the interim bills of contracts at their threshold. One whose billing information is incomplete
    waits for its regular bill."""
    found = Contract.objects.filter(pk__in=list(contracts), threshold__isnull=False)
    issued: list[Issued] = []
    for contract in found.select_related("customer__seller", "customer__billing_information").order_by("id"):
        if missing_billing_information(contract.customer):
            continue
        scope = Scope(on=actor.today(contract.customer.seller.time_zone), interim=True)
        known = gather([contract.pk], scope.on)
        ready = documents_due(known, contract, scope, scope.on, netted=False)
        digits = known.contracts[contract.pk].digits
        net = sum(r.draft.net for r, _ in ready if r.draft.kind == "invoice")
        if ready and contract.threshold is not None and Money(net, digits).exact >= contract.threshold:
            issued += settle_now(actor, contract, scope, action="interim_bill", netted=False)
    return issued
