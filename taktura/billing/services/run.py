"""The billing run (R3.2, R14.5): batches cut by customer, each issued in one transaction."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from django.db import connection, transaction

from taktura.audit.services import record
from taktura.billing.models import BillingRun, RunProblem, SalesItem
from taktura.billing.queries import Facts, due_contracts, due_of, gather
from taktura.billing.services.prepare import Work, issue_documents, mark_settled, ready_documents, works_of
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.core.facts import Charge
from taktura.core.settle import Scope
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import missing_billing_information, with_billing
from taktura.invoices.services import Issued, Ready, check_confirmed
from taktura.kit.actor import Actor
from taktura.kit.bulk import among

BATCH = 2_000  # contracts loaded, settled and issued at once
PROBLEMS = {
    "billing_information_missing": "The billing information of %(name)s is incomplete (%(fields)s): complete it, then"
    " bill again.",
    "failed": "It could not be settled (%(error)s): report this fault.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What a run left out, and why: an English sentence with named places, which `values` fill."""

    contract: int | None
    customer: int | None
    code: str
    message: str
    values: dict[str, object]

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.message % self.values if self.values else self.message


@dataclass(slots=True)
class Outcome:
    """What a run made: the documents that it issued, by id; those that its preview shows; what was left out."""

    ready: list[Ready] = field(default_factory=list)
    credit_notes: list[int] = field(default_factory=list)
    invoices: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    contracts: int = 0

    @property
    def issued(self) -> list[int]:
        """All issued documents by id, credit notes first (R14.5)."""
        return self.credit_notes + self.invoices


def bill(
    actor: Actor,
    *,
    seller: Seller,
    on: date,
    contract: int | None = None,
    customer: int | None = None,
    preview: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Bill all that is due on or before a day, of all contracts, of one, or of one customer.

    `preview` writes nothing. `progress` is told (contracts done, contracts in all). A contract that fails, or whose
    customer's billing information is incomplete, is left out and named in `problems`. Raises `Refused`
    (`numbering_unconfirmed`).
    """
    outcome = Outcome()
    wanted = due_contracts(seller.pk, on, contract, customer)
    run = None
    done = 0
    last: set[int] = set()
    for batch in [*_batches(wanted), None]:
        if batch is not None:
            last |= {c for c, _ in batch}
        items_for = _item_customers(seller, contract, customer, batch, last)
        if batch is None and not items_for:
            break
        if preview:
            _batch(actor, seller, batch or [], items_for, on, outcome, write=False)
        else:
            with transaction.atomic():
                run = run or BillingRun.objects.create(seller=seller, on=on, started_at=actor.now, actor=actor.name)
                _batch(actor, seller, batch or [], items_for, on, outcome, write=True)
        done += len(batch or ())
        if progress is not None:
            progress(done, len(wanted))
    outcome.contracts = len(wanted)
    outcome.ready.sort(key=lambda r: r.draft.kind == "invoice")
    if run is not None:
        _finish(actor, run, outcome)
    return outcome


def _batches(wanted: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Contracts in batches: never a customer in two, in the order of the first contract signed."""
    first: dict[int, int] = {}
    for customer, pk in wanted:
        first.setdefault(customer, pk)
    batch: list[tuple[int, int]] = []
    ordered = sorted(wanted, key=lambda row: (first[row[0]], row[1]))
    for _, rows in groupby(ordered, key=lambda row: row[0]):
        group = list(rows)
        if batch and len(batch) + len(group) > BATCH:
            yield sorted(batch, key=lambda row: row[1])
            batch = []
        batch += group
    if batch:
        yield sorted(batch, key=lambda row: row[1])


def _item_customers(
    seller: Seller, contract: int | None, customer: int | None, batch: list[tuple[int, int]] | None, seen: set[int]
) -> list[int]:
    """The customers of a batch, and in the end (`batch` None) those who have only sales items to be billed."""
    if batch is not None:
        return sorted({c for c, _ in batch})
    if contract is not None:
        return []
    found = SalesItem.objects.filter(document__isnull=True, customer__seller=seller)
    if customer is not None:
        found = found.filter(customer=customer)
    return sorted(set(found.values_list("customer_id", flat=True).distinct()) - seen)


def _batch(
    actor: Actor,
    seller: Seller,
    batch: list[tuple[int, int]],
    item_customers: list[int],
    on: date,
    outcome: Outcome,
    *,
    write: bool,
) -> None:
    ids = [pk for _, pk in batch]
    rows = Contract.objects.filter(pk__in=among(ids)).order_by("id")
    if write:
        rows = rows.select_for_update()
    currency = dict(rows.values_list("pk", "currency"))
    owner = {pk: customer for customer, pk in batch}
    customers = with_billing({*owner.values(), *item_customers})
    known = gather(ids, on)
    due, failed = _settled(known, ids, on, outcome)
    items = (
        SalesItem.objects.filter(document__isnull=True, customer__in=among(item_customers), sold_on__lte=on)
        .prefetch_related("lines")
        .order_by("id")
    )
    works = works_of(known, due, customers, owner, currency, list(items))
    works, left_out = _complete(works, outcome)
    ready = ready_documents(known, works, on)
    if not write:
        outcome.ready += [r for r, _ in ready]
        return
    check_confirmed(seller.pk, {r.draft.kind for r, _ in ready})
    issued = issue_documents(actor, seller, known, ready, on)
    outcome.credit_notes += [d.id for d in issued if d.ready.draft.kind == "credit_note"]
    outcome.invoices += [d.id for d in issued if d.ready.draft.kind == "invoice"]
    settled = [pk for pk in ids if pk not in failed and owner[pk] not in left_out]
    mark_settled(known, settled, on)
    if issued:
        record(
            actor,
            "bill",
            f"seller:{seller.pk}",
            {"on": on, "contracts": len(ids), "documents": [d.id for d in issued], "hashes": _hashes(issued)},
        )


def _hashes(issued: list[Issued]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM invoices_document WHERE id = ANY(%s) ORDER BY id", [[d.id for d in issued]])
        return [row[0] for row in cursor.fetchall()]


def _settled(known: Facts, ids: list[int], on: date, outcome: Outcome) -> tuple[dict[int, list[Charge]], set[int]]:
    due: dict[int, list[Charge]] = {}
    failed: set[int] = set()
    scope = Scope(on=on)
    for pk in ids:
        try:
            due[pk] = due_of(known, pk, scope)
        except Refused as error:
            failed.add(pk)
            outcome.problems.append(Problem(pk, None, error.code, error.text, error.values))
        except Exception as error:  # noqa: BLE001 one contract's fault must not stop the others
            failed.add(pk)
            outcome.problems.append(
                Problem(pk, None, "failed", PROBLEMS["failed"], {"error": f"{type(error).__name__}: {error}"})
            )
    return due, failed


def _complete(works: list[Work], outcome: Outcome) -> tuple[list[Work], set[int]]:
    """Leave out recipients whose billing information is incomplete (R14.6)."""
    left_out: dict[int, Customer] = {}
    for work in works:
        if work.customer.pk not in left_out and missing_billing_information(work.customer):
            left_out[work.customer.pk] = work.customer
    for customer in left_out.values():
        missing = ", ".join(missing_billing_information(customer))
        values: dict[str, object] = {"name": customer.name, "fields": missing}
        outcome.problems.append(
            Problem(None, customer.pk, "billing_information_missing", PROBLEMS["billing_information_missing"], values)
        )
    return [w for w in works if w.customer.pk not in left_out], set(left_out)


def _finish(actor: Actor, run: BillingRun, outcome: Outcome) -> None:
    RunProblem.objects.bulk_create(
        RunProblem(run=run, contract_id=p.contract, customer_id=p.customer, code=p.code, text=p.text)
        for p in outcome.problems
    )
    run.contracts, run.documents, run.finished_at = outcome.contracts, len(outcome.issued), actor.now
    run.save(update_fields=["contracts", "documents", "finished_at"])
