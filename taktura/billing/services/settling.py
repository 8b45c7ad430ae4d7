"""Settling one contract at once: what a change or an interim bill makes due."""

from datetime import date

from taktura.audit.services import record
from taktura.billing.models import SalesItem
from taktura.billing.queries import Facts, due_of, gather, gross_prices, with_usage
from taktura.billing.services.prepare import Work, issue_documents, mark_settled, ready_documents
from taktura.billing.worked import TimeBill
from taktura.contracts.models import Contract
from taktura.core import facts
from taktura.core.facts import Charge
from taktura.core.settle import Scope
from taktura.customers.queries import check_complete
from taktura.invoices.services import Issued, Ready
from taktura.kit.actor import Actor


def documents_due(
    known: Facts,
    contract: Contract,
    due: list[Charge],
    on: date,
    *,
    netted: bool,
    items: list[SalesItem] | None = None,
    time: list[TimeBill] | None = None,
) -> list[tuple[Ready, Work]]:
    """The documents that what is due of one contract would make; writes nothing."""
    facts = known.contracts[contract.pk]
    gross = gross_prices(facts)
    work = Work(contract.customer, contract.currency, [(contract.pk, due)], items or [], gross, time=time or [])
    return ready_documents(known, [work], on, netted=netted)


def settle_now(
    actor: Actor,
    contract: Contract,
    scope: Scope,
    *,
    action: str,
    netted: bool | None = None,
    items: list[SalesItem] | None = None,
    time: list[TimeBill] | None = None,
    values: facts.Contract | None = None,
) -> list[Issued]:
    """Issue what is due of one contract in a scope, in the caller's transaction. `values`: it, if loaded already.

    Raises `Refused` (`billing_information_missing`, `numbering_unconfirmed`) when a document would be made.
    """
    seller = contract.customer.seller
    until = max(scope.on, scope.through or scope.on)
    if values is None:
        known = gather([contract.pk], until, whole=True)
    else:
        known = with_usage({contract.pk: values}, until, {contract.pk: date.min})
    if netted is None:
        netted = seller.change_documents == "netted"
    due = due_of(known, contract.pk, scope)
    ready = documents_due(known, contract, due, scope.on, netted=netted, items=items, time=time)
    if not ready:
        return []
    # Where nothing else is due, the change leaves nothing to the next run: it may wait for the next due day.
    everything = due_of(known, contract.pk, Scope(on=scope.on)) == due
    check_complete(contract.customer)
    issued = issue_documents(actor, seller, known, ready, scope.on)
    if everything:
        mark_settled(known, [contract.pk], scope.on)
    record(actor, action, f"contract:{contract.pk}", {"on": scope.on, "documents": [d.id for d in issued]})
    return issued
