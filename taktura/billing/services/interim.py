"""Interim bills, by hand and by threshold (R11)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from taktura.audit.acts import act
from taktura.billing.models import SalesItem
from taktura.billing.queries import Facts, due_of, gather
from taktura.billing.services.settling import documents_due, settle_now
from taktura.billing.worked import TimeBill, waiting_time
from taktura.contracts.models import Contract
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.core.money import Money
from taktura.core.settle import Scope
from taktura.customers.models import Seller
from taktura.customers.queries import check_complete, missing_billing_information
from taktura.invoices.services import Issued
from taktura.kit.actor import Actor
from taktura.kit.bulk import among
from taktura.usage import services as usage
from taktura.usage.models import Supplier, UsageFile
from taktura.usage.services import Entry, Received, Unread, Verdict
from taktura.usage.services.files import Tell
from taktura.usage.store import Outcome

LOOKED_AT = 500  # contracts whose facts are loaded at once


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
    time = [] if "time" in left else time_of(contract, scope.on)
    return settle_now(actor, contract, scope, action="interim_bill", netted=False, items=items, time=time)


def time_of(contract: Contract, on: date) -> list[TimeBill]:
    """What is due of the approved time of a contract's customer, where the contract has the currency of it."""
    waiting = waiting_time({contract.customer_id: contract.customer}, on)
    return waiting.get((contract.customer_id, contract.currency), [])


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
def read_file(actor: Actor, *, file: UsageFile, tell: Tell | None = None) -> tuple[Received, list[Issued]]:
    """Take the rows of a kept file in (`usage.services.read_file`); contracts at their threshold are billed (R11.3)."""
    received = usage.read_file(actor, file=file, tell=tell)
    return received, threshold_bills(actor, received.outcome.contracts)


@transaction.atomic
def import_rows(
    actor: Actor, *, supplier: Supplier, rows: Sequence[Mapping[str, Any]], mapping: Mapping[str, Any] | None = None
) -> tuple[Received, list[Issued]]:
    """Take rows of a supplier in (`usage.services.import_rows`); contracts at their threshold are billed (R11.3)."""
    received = usage.import_rows(actor, supplier=supplier, rows=rows, mapping=mapping)
    return received, threshold_bills(actor, received.outcome.contracts)


def threshold_bills(actor: Actor, contracts: Iterable[int]) -> list[Issued]:
    """Make the interim bills of contracts at their threshold. One whose billing information is incomplete
    waits for its regular bill."""
    ids = list(Contract.objects.filter(threshold__isnull=False, pk__in=among(contracts)).values_list("pk", flat=True))
    found = with_threshold().filter(pk__in=ids) if ids else []
    issued: list[Issued] = []
    for contract in found:
        if missing_billing_information(contract.customer):
            continue
        scope = Scope(on=actor.today(contract.customer.seller.time_zone), interim=True)
        if _at_threshold(gather([contract.pk], scope.on), contract, scope):
            issued += settle_now(actor, contract, scope, action="interim_bill", netted=False)
    return issued


def bill_thresholds(actor: Actor, *, seller: Seller) -> list[Issued]:
    """Look at all contracts of a seller with a threshold, and make the interim bills of those that reach it (R11.3).

    Each bill is an act of its own; one that is refused (numbers are not confirmed) stops no other.
    """
    scope = Scope(on=actor.today(seller.time_zone), interim=True)
    wanted = with_threshold().filter(seller=seller, customer__complete=True, start__lte=scope.on)
    reached: list[int] = []
    last = 0
    while batch := list(wanted.filter(pk__gt=last)[:LOOKED_AT]):
        last = batch[-1].pk
        known = gather([contract.pk for contract in batch], scope.on)
        reached += [contract.pk for contract in batch if _at_threshold(known, contract, scope)]
    issued: list[Issued] = []
    for pk in reached:
        try:
            issued += _bill_threshold(actor, contract=pk)
        except Refused:
            continue
    return issued


@act
def _bill_threshold(actor: Actor, *, contract: int) -> list[Issued]:
    return threshold_bills(actor, [contract])


def with_threshold() -> QuerySet[Contract]:
    """The contracts with a threshold for interim bills."""
    found = Contract.objects.filter(threshold__isnull=False)
    return found.select_related("customer__seller", "customer__billing_information").order_by("id")


def _at_threshold(known: Facts, contract: Contract, scope: Scope) -> bool:
    """Whether the net that an interim bill would have reaches the contract's threshold."""
    ready = documents_due(known, contract, due_of(known, contract.pk, scope), scope.on, netted=False)
    net = sum(r.draft.net for r, _ in ready if r.draft.kind == "invoice")
    digits = known.contracts[contract.pk].digits
    return bool(ready) and contract.threshold is not None and Money(net, digits).exact >= contract.threshold
