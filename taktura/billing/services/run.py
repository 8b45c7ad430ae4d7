"""The billing run (R3.2, R14.5): batches cut by customer, each issued in one transaction."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import groupby
from typing import Literal, NamedTuple

from django.db import connection, transaction
from django.db.models import Count, QuerySet, prefetch_related_objects
from django.db.models import Sum as Sums

from taktura.audit.acts import keep_facts
from taktura.audit.services import record
from taktura.billing.models import BillingRun, RunProblem, SalesItem
from taktura.billing.queries import Facts, due_contracts, due_of, gather
from taktura.billing.services.prepare import Work, issue_documents, mark_settled, ready_documents, works_of
from taktura.billing.worked import waiting_time
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.core.facts import Charge
from taktura.core.money import Money, places
from taktura.core.settle import Scope
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import missing_billing_information, with_billing
from taktura.desk.models import TimeEntry
from taktura.invoices.models import Document
from taktura.invoices.services import Issued, Ready, check_confirmed
from taktura.kit.actor import Actor
from taktura.kit.bulk import among
from taktura.kit.exact import to_json
from taktura.kit.turns import Turn, check_main, in_turn

BATCH = 1_000  # contracts loaded, settled and issued at once
FEW = 4  # batches for which no other process is started
PROBLEMS = {
    "billing_information_missing": "The billing information of %(name)s is incomplete (%(fields)s): complete it, then"
    " bill again.",
    "failed": "It could not be settled (%(error)s): report this fault.",
}
DATES = {
    "past": "The day is past: the documents bear it as their date, and their time for payment counts from it.",
    "ahead": "The day lies ahead: the documents bear it as their date, and usage that comes until then is billed by a"
    " later run.",
}
Dated = Literal["past", "ahead"]


def dated(on: date, today: date) -> Dated | None:
    """Which of `DATES` warns of a run whose documents are not dated today. It may be meant so."""
    return "past" if on < today else "ahead" if on > today else None


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
    """What a run made: the documents that it issued, by id; those that its preview shows; what was left out.
    `run`: the run itself, by id, where it wrote something."""

    ready: list[Ready] = field(default_factory=list)
    credit_notes: list[int] = field(default_factory=list)
    invoices: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    contracts: int = 0
    run: int | None = None

    def add(self, part: "Outcome") -> None:
        """Put in what a batch made."""
        self.ready += part.ready
        self.credit_notes += part.credit_notes
        self.invoices += part.invoices
        self.problems += part.problems

    @property
    def issued(self) -> list[int]:
        """All issued documents by id, credit notes first (R14.5)."""
        return self.credit_notes + self.invoices


@dataclass(frozen=True, slots=True)
class Sum:
    """The documents of one kind and currency: how many, and their amounts."""

    kind: str
    currency: str
    count: int
    net: Decimal
    tax: Decimal
    gross: Decimal


def sums_of(outcome: Outcome) -> list[Sum]:
    """What a run's documents come to (those of its preview), by kind and currency; credit notes first."""
    found: dict[tuple[str, str], list[int]] = {}
    if outcome.issued:
        rows = Document.objects.filter(pk__in=among(outcome.issued)).order_by().values_list("kind", "currency")
        totals = rows.annotate(count=Count("id"), n=Sums("net"), t=Sums("tax"), g=Sums("gross"))
        found = {(kind, currency): list(sums) for kind, currency, *sums in totals}
    for ready in outcome.ready:
        sums = found.setdefault((ready.draft.kind, ready.currency), [0, 0, 0, 0])
        for i, value in enumerate((1, ready.draft.net, ready.draft.tax, ready.draft.gross)):
            sums[i] += value
    return [
        Sum(kind, currency, count, *(Money(amount, places(currency)).exact for amount in amounts))
        for (kind, currency), (count, *amounts) in sorted(found.items())
    ]


class _Job(NamedTuple):
    """What all batches of a run share."""

    actor: Actor
    seller: Seller
    on: date
    write: bool


class _Task(NamedTuple):
    """A batch: (customer, contract) each, and the customers whose sales items and time are billed with them."""

    contracts: list[tuple[int, int]]
    customers: list[int]


def bill(
    actor: Actor,
    *,
    seller: Seller,
    on: date,
    contract: int | None = None,
    customer: int | None = None,
    preview: bool = False,
    progress: Callable[[int, int], object] | None = None,
    processes: int | None = None,
    exclude: Collection[int] = (),
) -> Outcome:
    """Bill all that is due on or before a day, of all contracts, of one, or of one customer.

    `preview` writes nothing. `exclude`: contracts (by id) that wait for another run. `progress` is told (contracts
    done, contracts in all) after each batch; when it answers False, the run ends there. A contract that fails, or whose
    customer's billing information is incomplete, is left out and named in `problems`. Batches are made ready by several
    `processes` (by default one for each processor) and issued in order; one broken off goes on with the next call.
    Raises `Refused` (`numbering_unconfirmed`).
    """
    check_main()
    left_out = set(exclude)
    wanted = [row for row in due_contracts(seller.pk, on, contract, customer) if row[1] not in left_out]
    outcome = Outcome(contracts=len(wanted))
    tasks = list(_tasks(wanted))
    if contract is None and (customers := _customers_with_items(seller, customer, {c for c, _ in wanted})):
        tasks.append(_Task([], customers))
    work = partial(_batch, _Job(actor, seller, on, write=not preview))
    done = 0

    def add(task: _Task, part: Outcome) -> bool:
        """Count a batch; says whether to go on."""
        nonlocal done
        outcome.add(part)
        done += len(task.contracts)
        return progress is None or progress(done, len(wanted)) is not False

    run = None
    if tasks and not preview:
        with transaction.atomic():  # where the first batch is refused, there is no run
            part = work(tasks[0], Turn())
            run = BillingRun.objects.create(seller=seller, on=on, started_at=actor.now, actor=actor.name)
        outcome.run = run.pk
        tasks = tasks[1:] if add(tasks[0], part) else []
    # Other processes do not see what an open transaction has written, and the documents of a preview stay in this one.
    if preview or connection.in_atomic_block or (processes is None and len(tasks) < FEW):
        processes = 1
    with closing(in_turn(work, tasks, processes=processes)) as parts:
        for task, part in zip(tasks, parts, strict=False):
            if not add(task, part):
                break
    outcome.ready.sort(key=lambda r: r.draft.kind == "invoice")
    if run is not None:
        _finish(actor, run, outcome)
    return outcome


def preview_of(
    actor: Actor,
    *,
    seller: Seller,
    on: date,
    contracts: Sequence[tuple[int, int]],
    customers: Sequence[int] = (),
    items: bool = True,
) -> Outcome:
    """What a run would issue of some contracts, (customer, contract) each, with the sales items and the time of their
    customers and of others (`customers`), or without these `items`; nothing is written.

    Who has several contracts on one document is to be given with all of them.
    """
    outcome = Outcome(contracts=len(contracts))
    job = _Job(actor, seller, on, write=False)
    tasks = [*_tasks(contracts), *([_Task([], list(customers))] if customers else [])]
    for task in tasks:
        _, pairs, _ = _made_ready(job, task, list(_pending(job, task)) if items else None, outcome)
        outcome.ready += [ready for ready, _ in pairs]
    outcome.ready.sort(key=lambda r: r.draft.kind == "invoice")
    return outcome


def _tasks(wanted: Sequence[tuple[int, int]]) -> Iterator[_Task]:
    """Contracts in batches: never a customer in two, in the order of the first contract signed."""
    first: dict[int, int] = {}
    for customer, pk in wanted:
        first.setdefault(customer, pk)
    batch: list[tuple[int, int]] = []
    ordered = sorted(wanted, key=lambda row: (first[row[0]], row[1]))
    for _, rows in groupby(ordered, key=lambda row: row[0]):
        group = list(rows)
        if batch and len(batch) + len(group) > BATCH:
            yield _task_of(batch)
            batch = []
        batch += group
    if batch:
        yield _task_of(batch)


def _task_of(batch: list[tuple[int, int]]) -> _Task:
    return _Task(sorted(batch, key=lambda row: row[1]), sorted({customer for customer, _ in batch}))


def _customers_with_items(seller: Seller, customer: int | None, seen: set[int]) -> list[int]:
    """The customers who have only sales items or time to be billed."""
    items = SalesItem.objects.filter(document__isnull=True, customer__seller=seller)
    time = TimeEntry.objects.filter(status="approved", billable=True, customer__seller=seller)
    if customer is not None:
        items, time = items.filter(customer=customer), time.filter(customer=customer)
    rows = items.values_list("customer_id").union(time.values_list("customer_id"))
    return sorted({pk for (pk,) in rows} - seen)


def _batch(job: _Job, task: _Task, turn: Turn) -> Outcome:
    """Bill a batch, in one transaction: made ready at any time, issued in its turn."""
    outcome = Outcome()
    if not job.write:
        known, pairs, _ = _made_ready(job, task, list(_pending(job, task)), outcome)
        outcome.ready = [ready for ready, _ in pairs]
        return outcome
    with transaction.atomic():
        with turn.to_begin():
            keep_facts()
            items = _kept_from_other_runs(job, task)
        known, pairs, settled = _made_ready(job, task, items, outcome)
        turn.to_write()
        _issue(job, known, pairs, settled, outcome)
    return outcome


def _pending(job: _Job, task: _Task) -> QuerySet[SalesItem]:
    """The sales that go on a batch's documents."""
    found = SalesItem.objects.filter(document__isnull=True, customer__in=among(task.customers), sold_on__lte=job.on)
    return found.order_by("id")


def _kept_from_other_runs(job: _Job, task: _Task) -> list[SalesItem]:
    """Keep a batch's contracts, sales and time from other runs until the transaction ends; gives the sales."""
    ids = among(pk for _, pk in task.contracts)
    list(Contract.objects.select_for_update().filter(pk__in=ids).order_by("id").values_list("pk"))
    time = TimeEntry.objects.filter(status="approved", billable=True, customer__in=among(task.customers))
    list(time.select_for_update().order_by("id").values_list("pk"))
    return list(_pending(job, task).select_for_update())


def _made_ready(
    job: _Job, task: _Task, items: list[SalesItem] | None, outcome: Outcome
) -> tuple[Facts, list[tuple[Ready, Work]], list[int]]:
    """A batch's facts, its documents ready to be issued, and the contracts that are settled with them. Without `items`
    there is no time on them either."""
    ids = [pk for _, pk in task.contracts]
    currency = dict(Contract.objects.filter(pk__in=among(ids)).values_list("pk", "currency"))
    owner = {pk: customer for customer, pk in task.contracts}
    known = gather(ids, job.on)
    due, failed = _settled(known, ids, job.on, outcome)
    prefetch_related_objects(items or [], "lines")
    customers = with_billing(task.customers)
    time = waiting_time(customers, job.on) if items is not None else {}
    works = works_of(known, due, customers, owner, currency, items or [], time)
    works, left_out = _complete(works, outcome)
    settled = [pk for pk in ids if pk not in failed and owner[pk] not in left_out]
    return known, ready_documents(known, works, job.on), settled


def _issue(job: _Job, known: Facts, pairs: list[tuple[Ready, Work]], settled: list[int], outcome: Outcome) -> None:
    """Number and write a batch's documents, with one entry in the log."""
    check_confirmed(job.seller.pk, {ready.draft.kind for ready, _ in pairs})
    issued = issue_documents(job.actor, job.seller, known, pairs, job.on)
    outcome.credit_notes = [d.id for d in issued if d.ready.draft.kind == "credit_note"]
    outcome.invoices = [d.id for d in issued if d.ready.draft.kind == "invoice"]
    mark_settled(known, settled, job.on)
    if issued:
        content = {
            "on": job.on,
            "contracts": len(known.contracts),
            "documents": [d.id for d in issued],
            "hashes": _hashes(issued),
        }
        record(job.actor, "bill", f"seller:{job.seller.pk}", content)


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
        RunProblem(
            run=run,
            contract_id=p.contract,
            customer_id=p.customer,
            code=p.code,
            text=p.text,
            message=p.message,
            values=to_json(p.values),
        )
        for p in outcome.problems
    )
    run.contracts, run.documents, run.finished_at = outcome.contracts, len(outcome.issued), actor.now
    run.save(update_fields=["contracts", "documents", "finished_at"])
