"""The forecast (docs/billing.md): the next bill of each contract beside its last one, and why it differs.

A bill is what a run on its day would make, with usage as far as it is known by now; the last one is what the last run
issued. Nothing is written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet, prefetch_related_objects

from taktura.billing.bills import Issued, coming, last_issued
from taktura.billing.models import SalesItem
from taktura.billing.queries import Facts, due_of, floors_of, gross_prices, with_usage
from taktura.billing.services.prepare import Work, ready_documents
from taktura.billing.services.previews import Bill
from taktura.billing.worked import TimeBill, waiting_time
from taktura.contracts.facts import load
from taktura.contracts.models import Contract
from taktura.core import facts
from taktura.core.comparison import Comparison, compare
from taktura.core.errors import Refused
from taktura.core.expected import unit_of
from taktura.core.facts import Charge
from taktura.core.periods import DAY, FOREVER
from taktura.core.schedule import next_due
from taktura.core.settle import Scope
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import with_billing
from taktura.invoices.services import Ready
from taktura.kit.actor import Actor
from taktura.kit.bulk import among
from taktura.kit.turns import Turn, check_main, in_turn

BATCH = 1_000  # contracts loaded and settled at once
FEW = 4  # batches for which no other process is started
LONGEST = timedelta(days=366 * 3)  # how far back an end is looked for of which the bills fall away now
YEARS_AHEAD = 100

Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The next bill of a contract beside its last: their days (`on` None: there is none any more, `last_on` None: there
    was none), their nets in minor units, and what each cause comes to."""

    contract: int
    customer: int
    currency: str
    on: date | None
    last_on: date | None
    old: int
    new: int
    causes: tuple[tuple[str, int], ...] = ()

    @property
    def difference(self) -> int:
        """New less old."""
        return self.new - self.old

    @property
    def is_first(self) -> bool:
        """Whether there is no bill to compare it with."""
        return self.last_on is None


@dataclass(frozen=True, slots=True)
class Failed:
    """A contract that could not be settled, and why."""

    contract: int
    code: str
    text: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Sum:
    """All bills of one currency, net in minor units. `first`: bills without one before them, and their net `first_new`;
    they are in no other figure. `causes`: what each comes to, what is most first."""

    currency: str
    contracts: int
    old: int
    new: int
    causes: tuple[tuple[str, int], ...]
    first: int
    first_new: int

    @property
    def difference(self) -> int:
        """New less old."""
        return self.new - self.old


@dataclass(slots=True)
class Forecast:
    """The next bills that fall on the days `first` to `until` (both counted); what changes most first. `stopped`: it
    was called off, and this is not all."""

    first: date
    until: date
    rows: list[Foreseen] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    stopped: bool = False

    def sums(self) -> list[Sum]:
        """The sums by currency, that of most contracts first."""
        found: dict[str, list[Foreseen]] = {}
        for row in self.rows:
            found.setdefault(row.currency, []).append(row)
        return [_sum(currency, rows) for currency, rows in sorted(found.items(), key=lambda one: -len(one[1]))]


def _sum(currency: str, rows: Sequence[Foreseen]) -> Sum:
    compared = [row for row in rows if not row.is_first]
    causes: dict[str, int] = {}
    for row in compared:
        for cause, amount in row.causes:
            causes[cause] = causes.get(cause, 0) + amount
    return Sum(
        currency=currency,
        contracts=len(compared),
        old=sum(row.old for row in compared),
        new=sum(row.new for row in compared),
        causes=tuple(sorted(((c, a) for c, a in causes.items() if a), key=lambda one: (-abs(one[1]), one[0]))),
        first=len(rows) - len(compared),
        first_new=sum(row.new for row in rows if row.is_first),
    )


def compared(contract: facts.Contract, bills: Sequence[Bill]) -> tuple[Comparison, Issued] | None:
    """The first of the bills that come of a contract (`previews.standing`) beside its last one, with that; None where
    one of them is missing. In one query."""
    if not bills:
        return None
    last = last_issued([contract.id]).get(contract.id)
    if last is None:
        return None
    return compare(contract, last.bill, coming(bills[0].on, bills[0].documents)), last


class _Job(NamedTuple):
    """What all batches of a forecast share."""

    today: date
    first: date
    until: date


@dataclass(slots=True)
class _Part:
    """What a batch came to."""

    rows: list[Foreseen] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    taken: int = 0


def forecast_all(
    actor: Actor,
    *,
    seller: Seller,
    first: date | None = None,
    until: date,
    progress: Progress | None = None,
    processes: int | None = None,
) -> Forecast:
    """The next bill of each contract that has it on the days from `first` (None: today) to `until`, both counted,
    beside its last one; and the contracts that have ended, of which no bill comes any more in these days.

    What is due already is billed today. A contract counts once, with its next bill. Sales items stand on the first bill
    of their customer. `progress` is told (contracts done, in all) after each batch; when it answers False, it ends
    there. Raises `Refused` (`invalid`) for days that are over, or the wrong way round.
    """
    check_main()
    today = actor.today(seller.time_zone)
    first = max(first or today, today)
    check_days(today, first, until)
    wanted = list(_wanted(seller, today, first, until).order_by("customer_id", "id").values_list("customer_id", "pk"))
    tasks = list(_tasks(wanted))
    if connection.in_atomic_block or (processes is None and len(tasks) < FEW):
        processes = 1  # other processes do not see what an open transaction has written
    found, done = Forecast(first, until), 0
    with closing(in_turn(partial(_batch, _Job(today, first, until)), tasks, processes=processes)) as parts:
        for part in parts:
            found.rows += part.rows
            found.failed += part.failed
            done += part.taken
            if progress is not None and progress(done, len(wanted)) is False:
                found.stopped = done < len(wanted)
                break
    found.rows.sort(key=lambda row: (-abs(row.difference), row.contract))
    return found


def _tasks(wanted: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Contracts in batches, (customer, contract) each: never a customer in two, whose sales stand on one bill."""
    batch: list[int] = []
    for _, rows in groupby(wanted, key=lambda row: row[0]):
        own = [pk for _, pk in rows]
        if batch and len(batch) + len(own) > BATCH:
            yield batch
            batch = []
        batch += own
    if batch:
        yield batch


def check_days(today: date, first: date, until: date) -> None:
    """Refuse days that no bill can come on."""
    if until < today:
        raise Refused("invalid", "A forecast looks ahead: choose a day that is to come.")
    if until < first:
        raise Refused("invalid", "The last day lies before the first: change one of them.")
    if until.year > today.year + YEARS_AHEAD:
        raise Refused("invalid", "A forecast looks at %(most)s years at most.", most=YEARS_AHEAD)


def number_of_contracts(seller: Seller, today: date, first: date, until: date) -> int:
    """How many contracts a forecast would look at."""
    return _wanted(seller, today, first, until).count()


def _wanted(seller: Seller, today: date, first: date, until: date) -> QuerySet[Contract]:
    """The contracts that may have their next bill in the days, or whose bills fall away."""
    due = Q(next_due__lte=until) if first <= today else Q(next_due__lte=until, next_due__gte=first)
    changed = Q(changed_from__isnull=False, start__lte=until)
    ended = Q(end__lte=until, end__gt=first - LONGEST)
    return Contract.objects.filter(due | changed | ended, seller=seller)


@dataclass(slots=True)
class _Batch:
    """The facts of a batch: those of its contracts, who they are of, and the sales that wait to be billed."""

    known: Facts
    heads: dict[int, tuple[int, str]]  # contract -> customer, currency
    customers: Mapping[int, Customer]
    items: dict[tuple[int, str], list[tuple[date, SalesItem]]]  # by customer and currency, each until when it is billed
    time: dict[tuple[int, str], tuple[date, list[TimeBill]]]  # the same
    part: _Part


def _batch(job: _Job, ids: Sequence[int], turn: Turn) -> _Part:
    """Compare the bills of a batch of contracts, in a fixed number of queries."""
    contracts = load(ids)
    names = ("pk", "customer_id", "currency", "next_due", "changed_from")
    heads = {row[0]: row for row in Contract.objects.filter(pk__in=among(ids)).values_list(*names)}
    now = [pk for pk, row in heads.items() if row[4] is not None or (row[3] is not None and row[3] <= job.today)]
    following = {pk: next_due(c, job.today) for pk, c in contracts.items()}
    days = {pk: max(job.today, min(day or job.today, job.until)) for pk, day in following.items()}
    owners = {pk: (row[1], row[2]) for pk, row in heads.items()}
    of = {customer for customer, _ in owners.values()}
    customers = with_billing(of)
    batch = _Batch(
        with_usage(contracts, days, floors_of(contracts)), owners, customers, *_waiting(customers, job),
        _Part(taken=len(ids)),
    )  # fmt: skip
    # What is due already is billed today; only where that makes no document does the next bill come later.
    bills: dict[int, tuple[date, list[Ready]]] = {
        pk: (job.today, documents)
        for pk, documents in _bills(batch, dict.fromkeys(now, job.today)).items()
        if documents
    }
    later = {
        pk: day
        for pk, day in following.items()
        if pk not in bills and day is not None and job.first <= day <= job.until
    }
    bills |= {pk: (later[pk], documents) for pk, documents in _bills(batch, later).items()}
    last = last_issued(ids)
    failed = {one.contract for one in batch.part.failed}
    for pk, contract in contracts.items():
        if pk not in failed:
            _put(job, batch, contract, bills.get(pk), following[pk], last.get(pk))
    return batch.part


def _waiting(
    customers: Mapping[int, Customer], job: _Job
) -> tuple[dict[tuple[int, str], list[tuple[date, SalesItem]]], dict[tuple[int, str], tuple[date, list[TimeBill]]]]:
    """The sales and the time that wait to be billed, by customer and currency: each with the day of the first bill that
    can have it, whether or not that is looked at."""
    wanted = SalesItem.objects.filter(document__isnull=True, customer__in=among(customers), sold_on__lte=job.until)
    items = list(wanted.order_by("id"))
    prefetch_related_objects(items, "lines")
    time = waiting_time(customers, job.today)
    dues: dict[tuple[int, str], list[date]] = {}
    whose = {item.customer_id for item in items} | {customer for customer, _ in time}
    of = Contract.objects.filter(customer__in=among(whose), next_due__isnull=False)
    for customer, currency, day in of.order_by("next_due").values_list("customer_id", "currency", "next_due"):
        dues.setdefault((customer, currency), []).append(max(day or job.today, job.today))
    found: dict[tuple[int, str], list[tuple[date, SalesItem]]] = {}
    for item in items:
        place = (item.customer_id, item.currency)
        day = next((day for day in dues.get(place, ()) if day >= item.sold_on), job.until)
        found.setdefault(place, []).append((day, item))
    return found, {place: (next(iter(dues.get(place, ())), job.until), bills) for place, bills in time.items()}


def _bills(batch: _Batch, days: Mapping[int, date]) -> dict[int, list[Ready]]:
    """The documents of contracts, each on a day; those that fail are noted and left out."""
    works = []
    found: dict[int, list[Ready]] = {}
    for pk, day in days.items():
        try:
            due = due_of(batch.known, pk, Scope(on=day))
        except Refused as error:
            batch.part.failed.append(Failed(pk, error.code, error.text, error.values))
            continue
        found[pk] = []
        if due:
            works.append(_work(batch, pk, due, day))
    for ready, work in ready_documents(batch.known, works, min(days.values(), default=date.min)):
        found[work.charges[0][0]].append(ready)
    return found


def _work(batch: _Batch, pk: int, due: list[Charge], day: date) -> Work:
    customer, currency = batch.heads[pk]
    items: list[SalesItem] = []
    time: list[TimeBill] = []
    if any(c.amount > 0 and c.credits is None for c in due):
        waiting = batch.items.get((customer, currency), [])
        items = [item for until, item in waiting if item.sold_on <= day <= until]
        batch.items[customer, currency] = [(until, item) for until, item in waiting if item not in items]
        until, bills = batch.time.get((customer, currency), (date.min, []))
        time = batch.time.pop((customer, currency))[1] if bills and day <= until else []
    gross = gross_prices(batch.known.contracts[pk])
    return Work(batch.customers[customer], currency, [(pk, due)], items, gross, day, time)


def _put(
    job: _Job,
    batch: _Batch,
    contract: facts.Contract,
    bill: tuple[date, list[Ready]] | None,
    following: date | None,
    last: Issued | None,
) -> None:
    """Count a contract's bill, if it falls on the days."""
    pk = contract.id
    customer, currency = batch.heads[pk]
    last_on, old = (last.bill.on, last.bill.net) if last else (None, 0)
    if bill is None:
        day = would_be(contract) if following is None and contract.end != FOREVER else None
        if last is not None and day is not None and job.first <= day <= job.until:
            gone = (("ended", -old),) if old else ()
            batch.part.rows.append(Foreseen(pk, customer, currency, None, last_on, old, 0, gone))
        return
    on, documents = bill
    if not job.first <= on <= job.until:
        return
    new = coming(on, documents)
    causes = tuple(compare(contract, last.bill, new).by_cause.items()) if last else ()
    batch.part.rows.append(Foreseen(pk, customer, currency, on, last_on, old, new.net, causes))


def would_be(contract: facts.Contract) -> date:
    """The day on which an ended contract would have had its next bill: the end of its last billing period."""
    return unit_of(contract, max(contract.end - DAY, contract.start)).grid.end
