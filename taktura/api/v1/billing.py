"""Billing: what is due, runs with their outcome, sales items."""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Amount, Day, Id, In, Key, Out, Text100, Text200, Told
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.problems import language_of
from taktura.api.v1.document_bodies import DraftOut, drafts_out
from taktura.billing.models import BillingRun, RunProblem, SalesItem
from taktura.billing.queries import due_list, item_by_id
from taktura.billing.services import bill, move_sales_item, preview_move, preview_sale, sell
from taktura.billing.services.prepare import item_net
from taktura.billing.services.run import DATES, Dated, Problem, dated, sums_of
from taktura.billing.tasks import start_run
from taktura.billing.unattended import RUN
from taktura.contracts.models import Contract
from taktura.contracts.queries import by_key
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.customers.queries import customer_by_key
from taktura.kit.bulk import among
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.queries import recent_work
from taktura.kit.jobs.services import stop
from taktura.kit.language import translate

router = Router()
AHEAD = timedelta(days=366)  # further than that nobody bills
MOST_SHOWN = 500  # documents in the answer of a preview


class Due(Out):
    """A contract that the next run takes. `changed_from`: facts before its last bill have changed since that day."""

    contract: str
    customer: str
    currency: str
    next_billing: date | None
    changed_from: date | None


class DueList(Out):
    """A page of what is due."""

    items: list[Due]
    next: str | None


class RunIn(In):
    """A billing run."""

    on: Day | None = Field(None, description="bills all that is due on or before this day; null: today")
    contract: Key | None = Field(None, description="only this contract")
    customer: Key | None = Field(None, description="only this customer")
    exclude: list[Key] = Field([], max_length=1000, description="contracts that wait for another run")


class RunStart(In):
    """A billing run in the background."""

    on: Day | None = Field(None, description="bills all that is due on or before this day; null: today")
    exclude: list[Key] = Field([], max_length=1000, description="contracts that wait for another run")


class WorkOut(Out):
    """Long work: how far it is (`done` of `total`), and how it ended."""

    id: int
    kind: str
    state: str = Field(description="waiting, running, done, failed, stopped")
    done: int
    total: int
    stop_requested: bool
    result: dict[str, Any] = Field(
        description="of a run: its id, contracts, invoices, credit notes, problems; of matching again: the records that"
        " found their line (recorded), those that wait still (waiting) and why (reasons), interim bills (documents)"
    )
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class WorkList(Out):
    """A page of long work."""

    items: list[WorkOut]
    next: str | None


class LeftOut(Out):
    """A contract or customer that a run left out, and why."""

    contract: str | None
    customer: str | None
    code: str
    detail: str


class Sum(Out):
    """Documents of one kind and currency."""

    kind: str
    currency: str
    count: int
    net: Told
    tax: Told
    gross: Told


class RunWarning(Out):
    """What may not be meant so: the documents of a run on a day that is `past`, or `ahead`, bear it as their date."""

    code: Dated
    detail: str


class RunStarted(WorkOut):
    """A run that the worker does. `warnings`: that its day is not today's."""

    warnings: list[RunWarning]


class RunDone(Out):
    """The outcome of a run: the ids of the documents that it issued, credit notes first, their sums, what was left out.

    A preview shows the documents in `preview`, at most 500 of them; the sums are of all. `warnings`: that its day is
    not today's; none where there are no documents.
    """

    on: date
    contracts: int = Field(description="how many were due")
    documents: list[int]
    preview: list[DraftOut] | None
    sums: list[Sum]
    left_out: list[LeftOut]
    warnings: list[RunWarning]


class RunOut(Out):
    """A run that was."""

    id: int
    on: date
    started_at: datetime
    finished_at: datetime | None
    actor: str
    contracts: int
    documents: int


class RunDetail(RunOut):
    """A run with what it left out."""

    left_out: list[LeftOut]


class Runs(Out):
    """A page of runs."""

    items: list[RunOut]
    next: str | None


class SaleLineIn(In):
    """A line of a sale; `discount` in percent."""

    title: Text200 = ""
    article: Text100 = ""
    quantity: Amount = Decimal(1)
    price: Amount
    discount: Amount | None = None


class SaleIn(In):
    """A one-off sale."""

    customer: Key
    lines: list[SaleLineIn] = Field(min_length=1, max_length=1000)
    as_: Text100 = Field("", validation_alias="as", serialization_alias="as", description="a name of your own for it")


class SaleMove(In):
    """Who gets the sale instead."""

    customer: Key


class SaleLineOut(Out):
    """A line of a sale."""

    title: str
    article: str
    quantity: Told
    price: Told
    discount: Told


class SaleOut(Out):
    """A sale: `pending` until it stands on a document."""

    id: int
    as_: str = Field(validation_alias="as", serialization_alias="as")
    customer: str
    status: str
    currency: str
    net: Told
    sold_on: date
    document: int | None = Field(description="the id of the document on which it was billed")
    lines: list[SaleLineOut]


class SaleDone(Out):
    """A sale that was made or given away; with `?preview=true` the document that it would be alone."""

    item: SaleOut | None
    preview: list[DraftOut] | None


class Sales(Out):
    """A page of sales."""

    items: list[SaleOut]
    next: str | None


@endpoint(router, "GET", "/billing/due", "billing.view", answer=DueList)
def list_due(
    request: HttpRequest, on: Day | None = None, customer: Key | None = None, limit: Limit = LIMIT, after: After = ""
) -> DueList:
    """What a run on a day (today) would take: contracts that are due on or before it, or have changed."""
    call = call_of(request)
    found = due_list(call.seller.pk, on or call.today)
    if customer is not None:
        found = found.filter(customer__key=customer)
    items, following = page_of(found.select_related("customer"), limit, after)
    shown = [
        Due(contract=c.key, customer=c.customer.key, currency=c.currency, next_billing=c.next_due,
            changed_from=c.changed_from)
        for c in items
    ]  # fmt: skip
    return DueList(items=shown, next=following)


@endpoint(
    router, "POST", "/billing/runs", "billing.run", answer=RunDone, resumable=True,
    codes=("numbering_unconfirmed", "conflict"),
)  # fmt: skip
def run_billing(request: HttpRequest, body: RunIn, preview: bool = False) -> RunDone:
    """Bill all that is due on or before a day and was not billed: of all contracts, of one, or of one customer.

    A run works in batches, each in one transaction. Broken off, it goes on with the same request: nothing is billed
    twice. Contracts that fail, and customers whose billing information is incomplete, are left out and named.
    """
    call = call_of(request)
    on = _day_of(call, body.on)
    contract = by_key(call.seller.pk, body.contract).pk if body.contract else None
    customer = customer_by_key(call.seller.pk, body.customer).pk if body.customer else None
    outcome = bill(
        call.actor,
        seller=call.seller,
        on=on,
        contract=contract,
        customer=customer,
        preview=preview,
        processes=1,
        exclude=_ids(call, body.exclude),
    )
    return RunDone(
        on=on, contracts=outcome.contracts, documents=outcome.issued,
        preview=drafts_out(outcome.ready[:MOST_SHOWN]) if preview else None,
        sums=[Sum(**asdict(row)) for row in sums_of(outcome)], left_out=_left_out(call, outcome.problems),
        warnings=_warnings(call, on) if outcome.issued or outcome.ready else [],
    )  # fmt: skip


def _day_of(call: Call, day: date | None) -> date:
    on = day or call.today
    if on > call.today + AHEAD:
        raise Refused("invalid", "A run is at most a year ahead.")
    return on


def _warnings(call: Call, on: date) -> list[RunWarning]:
    code = dated(on, call.today)
    return [RunWarning(code=code, detail=translate(DATES[code], {}, call.language))] if code else []


def _ids(call: Call, contracts: list[str]) -> list[int]:
    return [by_key(call.seller.pk, key).pk for key in contracts]


@endpoint(router, "POST", "/billing/runs/start", "billing.run", answer=RunStarted, status=202, codes=("conflict",))
def start_billing(request: HttpRequest, body: RunStart) -> RunStarted:
    """Start a run in the background; the worker does it. One at a time: `conflict` while another is under way."""
    call = call_of(request)
    on = _day_of(call, body.on)
    work = start_run(call.actor, seller=call.seller, on=on, exclude=_ids(call, body.exclude))
    return RunStarted(**dict(told(work)), warnings=_warnings(call, on))


def one_work(call: Call, work: int, kind: str = RUN) -> WorkOut:
    """The seller's long work of a kind by its id; raises `Refused` (`not_found`)."""
    return told(work_of(call, work, kind))


def work_of(call: Call, pk: int, kind: str = RUN) -> Work:
    """The same, as it is stored."""
    found = Work.objects.filter(subject=f"seller:{call.seller.pk}", kind=kind, pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no work %(id)s.", id=pk)
    return found


def told(work: Work) -> WorkOut:
    """How far long work is, or how it ended."""
    return WorkOut(**{name: getattr(work, name) for name in WorkOut.model_fields})


@endpoint(router, "GET", "/billing/work", "billing.view", answer=WorkList)
def list_work(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> WorkList:
    """Runs in the background, those that were too, the newest first."""
    found = recent_work(f"seller:{call_of(request).seller.pk}", RUN)
    items, following = page_of(found, limit, after, newest_first=True)
    return WorkList(items=[told(w) for w in items], next=following)


@endpoint(router, "GET", "/billing/work/{int:work}", "billing.view", answer=WorkOut)
def get_work(request: HttpRequest, work: Id) -> WorkOut:
    """A run in the background: how far it is, how it ended."""
    return one_work(call_of(request), work)


@endpoint(router, "POST", "/billing/work/{int:work}/stop", "billing.run", answer=WorkOut)
def stop_work(request: HttpRequest, work: Id) -> WorkOut:
    """Ask a run in the background to stop after the batch it is at. What it has issued stays; a later run goes on."""
    call = call_of(request)
    stop(work=work_of(call, work))
    return one_work(call, work)


@endpoint(router, "GET", "/billing/runs", "billing.view", answer=Runs)
def list_runs(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> Runs:
    """Runs, the newest first."""
    found = BillingRun.objects.filter(seller=call_of(request).seller)
    items, following = page_of(found, limit, after, newest_first=True)
    return Runs(items=[RunOut(**_run(r)) for r in items], next=following)


@endpoint(router, "GET", "/billing/runs/{int:run}", "billing.view", answer=RunDetail)
def get_run(request: HttpRequest, run: Id) -> RunDetail:
    """A run with what it left out."""
    found = BillingRun.objects.filter(seller=call_of(request).seller, pk=run).first()
    if found is None:
        raise Refused("not_found", "There is no billing run %(id)s.", id=run)
    rows = RunProblem.objects.filter(run=found).select_related("contract", "customer").order_by("id")
    left_out = [
        LeftOut(contract=p.contract.key if p.contract else None, customer=p.customer.key if p.customer else None,
                code=p.code, detail=p.text)
        for p in rows
    ]  # fmt: skip
    return RunDetail(**_run(found), left_out=left_out)


def _run(run: BillingRun) -> dict[str, Any]:
    names = ("id", "on", "started_at", "finished_at", "actor", "contracts", "documents")
    return {name: getattr(run, name) for name in names}


def _left_out(call: Call, problems: list[Problem]) -> list[LeftOut]:
    contracts = Contract.objects.filter(pk__in=among(p.contract for p in problems if p.contract))
    customers = Customer.objects.filter(pk__in=among(p.customer for p in problems if p.customer))
    keys, names = dict(contracts.values_list("pk", "key")), dict(customers.values_list("pk", "key"))
    language = language_of(call.request)
    return [
        LeftOut(contract=keys.get(p.contract or 0), customer=names.get(p.customer or 0), code=p.code,
                detail=translate(p.message, p.values, language))
        for p in problems
    ]  # fmt: skip


def shown_sale(item: SalesItem) -> SaleOut:
    """A sale (with customer and lines) as it is told."""
    return SaleOut(
        id=item.pk, as_=item.key, customer=item.customer.key, status="billed" if item.document_id else "pending",
        currency=item.currency, net=item_net(item), sold_on=item.sold_on, document=item.document_id,
        lines=[
            SaleLineOut(title=x.title, article=x.article, quantity=x.quantity, price=x.price, discount=x.discount)
            for x in item.lines.all()
        ],
    )  # fmt: skip


def one_sale(call: Call, item: int) -> SaleOut:
    """A sale by its id; raises `Refused` (`not_found`)."""
    return shown_sale(item_by_id(call.seller.pk, item))


@endpoint(router, "GET", "/sales_items", "billing.view", answer=Sales)
def list_sales_items(
    request: HttpRequest, customer: Key | None = None, pending: bool | None = None, limit: Limit = LIMIT,
    after: After = "",
) -> Sales:  # fmt: skip
    """Sales items, in the order in which they were made."""
    found = SalesItem.objects.filter(customer__seller=call_of(request).seller)
    if customer is not None:
        found = found.filter(customer__key=customer)
    if pending is not None:
        found = found.filter(document__isnull=pending)
    related = found.select_related("customer__seller", "customer__billing_information").prefetch_related("lines")
    items, following = page_of(related, limit, after)
    return Sales(items=[shown_sale(i) for i in items], next=following)


@endpoint(
    router, "POST", "/sales_items", "sales.change", answer=SaleDone, status=201,
    codes=("billing_information_missing", "conflict"),
)  # fmt: skip
def create_sales_item(request: HttpRequest, body: SaleIn, preview: bool = False) -> Answer:
    """Sell something once; it is billed with the customer's next bill."""
    call = call_of(request)
    customer = customer_by_key(call.seller.pk, body.customer)
    lines = [line.model_dump(exclude_none=True) for line in body.lines]
    if preview:
        ready = preview_sale(call.actor, customer=customer, lines=lines)
        return Answer(SaleDone(item=None, preview=drafts_out(ready)))
    item = sell(call.actor, customer=customer, lines=lines, key=body.as_)
    done = SaleDone(item=one_sale(call, item.pk), preview=None)
    return Answer(done, location("sales_items", item.pk))


@endpoint(router, "GET", "/sales_items/{int:item}", "billing.view", answer=SaleOut, etag=True)
def get_sales_item(request: HttpRequest, item: Id) -> SaleOut:
    """A sales item."""
    return one_sale(call_of(request), item)


@endpoint(
    router, "POST", "/sales_items/{int:item}/move", "sales.change", answer=SaleDone, of=one_sale,
    codes=("billing_information_missing", "conflict"),
)  # fmt: skip
def move_a_sales_item(request: HttpRequest, item: Id, body: SaleMove, preview: bool = False) -> SaleDone:
    """Give a pending sales item to another customer."""
    call = call_of(request)
    found, customer = item_by_id(call.seller.pk, item), customer_by_key(call.seller.pk, body.customer)
    if preview:
        return SaleDone(item=None, preview=drafts_out(preview_move(item=found, customer=customer)))
    move_sales_item(call.actor, item=found, customer=customer)
    return SaleDone(item=one_sale(call, item), preview=None)
