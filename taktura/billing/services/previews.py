"""What a command would do, in documents: the change laid over the loaded facts, then the same settlement as when it is
made (R5.3, R5.6, R11, R15.5, R16). Nothing is written, and nothing is written and rolled back. Each refuses as its
command does, but for what would keep documents from being issued: that stands in `Consequence.refused`.

Not foreseen: usage that waits, or lies on another line, and finds a line by the change. It is billed by the next run.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from taktura.billing.models import SalesItem
from taktura.billing.queries import Facts, due_of, floors_of, with_usage
from taktura.billing.running import Running, period_start, running
from taktura.billing.services.changes import billed_beyond
from taktura.billing.services.interim import time_of
from taktura.billing.services.prepare import ready_documents, works_of
from taktura.billing.services.settling import documents_due
from taktura.billing.worked import TimeBill
from taktura.catalog import coupons
from taktura.catalog.models import Coupon, Tariff
from taktura.contracts import overlay
from taktura.contracts import services as contracts
from taktura.contracts.facts import load_one
from taktura.contracts.models import Contract, ContractLine, LineQuantity
from taktura.contracts.overlay import NEW
from taktura.contracts.queries import bearer_on, next_key
from taktura.core import facts
from taktura.core.errors import Refused
from taktura.core.facts import Charge
from taktura.core.money import Money
from taktura.core.schedule import next_due
from taktura.core.settle import Scope
from taktura.customers.models import Customer
from taktura.customers.queries import check_complete
from taktura.invoices.services import Ready, check_confirmed
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.overlay import finds, laid_over

MOST_BILLS = 40  # bills worked out ahead: three years of monthly ones

Change = Callable[[facts.Contract], facts.Contract]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A run on one contract on a day, and the documents that it makes as things stand."""

    on: date
    documents: list[Ready]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What a command does: the documents that it makes at once, and the bills that come after it (`bills`; `before`:
    that come without it), as many as were asked for. `ends`: the end (exclusive) of what ends by it.

    `waits`: why usage would wait (a reason of R6.5). `refused`: why it cannot be done yet though its input is right
    (billing information, numbers). `contract`: how the contract would stand.
    """

    documents: list[Ready]
    before: list[Bill] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    refused: Refused | None = None
    ends: date | None = None
    waits: str = ""
    contract: facts.Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a contract stands: its facts since what is settled for good, its running period, the next bills (each as a
    run on its day would make it, usage as far as it is known by now; the first is of today where something is due)."""

    contract: facts.Contract
    running: Running | None
    bills: list[Bill]


def standing(actor: Actor, *, contract: Contract, bills: int = 1, day: date | None = None) -> Standing:
    """How a contract stands today; with a `day`, `running` is the period in which that lies. No bills: nothing falls
    due any more."""
    today = _today(actor, contract)
    values = load_one(contract)
    looked_at = day or today
    since = min(_floor(values, today), period_start(values, looked_at))
    known = _seen(contract, values, max(today, looked_at), bills, since)
    found = _bills(_seen_again(known), contract, today, bills)
    period = running(known, contract.pk, looked_at)
    return Standing(contract=known.contracts[contract.pk], running=period, bills=found)


def forecast(actor: Actor, *, contract: Contract, bills: int = 1) -> list[Bill]:
    """The next bills of a contract (`Standing.bills`)."""
    return standing(actor, contract=contract, bills=bills).bills


def preview_quantity(
    actor: Actor, *, line: ContractLine, quantity: Decimal, start: date, bills: int = 0
) -> Consequence:
    """What `change_quantity` would do (R5.3)."""
    quantity = contracts.check_quantity(line, quantity, start)
    return _change(
        actor, line.contract, lambda c: overlay.with_quantity(c, line.pk, start, quantity), bills, lines=[line.pk]
    )


def preview_conditions(actor: Actor, *, line: ContractLine, start: date, bills: int = 0, **fields: Any) -> Consequence:
    """What `change_conditions` would do (R7.5)."""
    own = contracts.planned_conditions(line, start, **fields)
    return _change(
        actor, line.contract, lambda c: overlay.with_conditions(c, line.pk, start, own), bills, lines=[line.pk]
    )


def preview_take_back(actor: Actor, *, change: LineQuantity, bills: int = 0) -> Consequence:
    """What `take_back_quantity` would do (R5.2)."""
    contracts.check_take_back(change)
    line, left = change.line, contracts.quantities_without(change)
    return _change(actor, line.contract, lambda c: overlay.with_quantities(c, line.pk, left), bills, lines=[line.pk])


def preview_book(actor: Actor, *, contract: Contract, now: bool = False, bills: int = 0, **fields: Any) -> Consequence:
    """What `book` would do (R5.6)."""
    planned = contracts.plan_booking(contract=contract, **fields)
    today = _today(actor, contract)
    base = load_one(contract)
    changed = overlay.with_lines(base, [planned])
    new = frozenset([changed.lines[-1].id])
    scope = Scope(on=today, lines=new, now=new) if now else None
    found = consequence(contract, base, changed, today, scope, bills)
    return replace(found, refused=found.refused or _incomplete(contract)) if now else found


def preview_end(actor: Actor, *, line: ContractLine, until: date, bills: int = 0) -> Consequence:
    """What `end_line` would do (R5.6)."""
    contracts.check_end(line, until)
    found = _change(actor, line.contract, lambda c: overlay.with_line_end(c, line.pk, until), bills, lines=[line.pk])
    return replace(found, ends=until)


def preview_notice(
    actor: Actor,
    *,
    contract: Contract,
    received: date,
    wish: date | None = None,
    line: ContractLine | None = None,
    bills: int = 0,
) -> Consequence:
    """What `give_notice` would do, and to which end it leads (R15.5)."""
    contracts.check_received(actor, contract, received)
    end = contracts.notice_end(contract, received, wish, line)
    if line is None:
        found = _change(actor, contract, lambda c: overlay.with_end(c, end), bills)
        return replace(found, ends=end)
    pk = line.pk
    found = _change(actor, contract, lambda c: overlay.with_line_end(c, pk, end, by_notice=True), bills, lines=[pk])
    return replace(found, ends=end)


def preview_withdrawal(
    actor: Actor, *, contract: Contract, line: ContractLine | None = None, bills: int = 0
) -> Consequence:
    """What `withdraw_notice` would do: nothing at once, it is billed with the next billing (R5.9)."""
    contracts.check_notice(contract, line)
    if line is not None:
        pk, agreed = line.pk, line.agreed_end
        found = _change(actor, contract, lambda c: overlay.with_line_end(c, pk, agreed), bills, at_once=False)
        return replace(found, ends=agreed)
    found = _change(actor, contract, lambda c: overlay.with_end(c, contract.term_end), bills, at_once=False)
    return replace(found, ends=contract.term_end)


def preview_pause(
    actor: Actor, *, contract: Contract, start: date, end: date | None = None, bills: int = 0
) -> Consequence:
    """What `pause` would do (R16.2)."""
    contracts.check_pause(contract, start, end)
    return _change(actor, contract, lambda c: overlay.with_pause(c, start, end), bills)


def preview_resume(actor: Actor, *, contract: Contract, start: date, bills: int = 0) -> Consequence:
    """What `resume` would do: nothing at once, it is billed with the next billing (R5.9)."""
    began = contracts.pause_on(contract, start).start
    return _change(actor, contract, lambda c: overlay.with_pause(c, began, start), bills, at_once=False)


def preview_tariff(
    actor: Actor,
    *,
    contract: Contract,
    tariff: Tariff,
    start: date,
    keep_billing_dates: bool = True,
    keep_terms: bool = True,
    keep: Iterable[str] = (),
    bills: int = 0,
) -> Consequence:
    """What `change_tariff` would do (R16.1). `keep_terms` makes no difference to what is billed."""
    planned = contracts.plan_tariff(contract, tariff, start, keep_billing_dates=keep_billing_dates, keep=keep)
    through = billed_beyond(contract, start)
    return _change(actor, contract, lambda c: overlay.with_tariff(c, planned), bills, through=through)


def preview_coupon(
    actor: Actor, *, contract: Contract, coupon: Coupon | None = None, code: str = "", bills: int = 0
) -> Consequence:
    """What `give_coupon` would do: nothing at once (R10.2)."""
    today = _today(actor, contract)
    wanted = contracts.coupon_wanted(contract, coupon, code, today)

    def given(c: facts.Contract) -> facts.Contract:
        return overlay.with_coupon(c, contracts.coupon_row(c, contract, wanted.coupon, today))

    return _change(actor, contract, given, bills, at_once=False)


def preview_interim(actor: Actor, *, contract: Contract, leave_out: Iterable[str] = (), bills: int = 0) -> Consequence:
    """What `interim_bill` would do (R11)."""
    left, today = set(leave_out), _today(actor, contract)
    base = load_one(contract)
    known = _seen(contract, base, today, bills)
    items = [] if "sales_items" in left else _pending_sales(contract)
    scope = Scope(on=today, interim=True, leave_usage="usage" in left)
    time = [] if "time" in left else time_of(contract, today)
    documents, due = _due(known, contract, scope, netted=False, items=items, time=time)
    before = _bills(_seen_again(known), contract, today, bills)
    refused = _refusal(contract, documents) or _incomplete(contract)
    _note(known, contract, due if documents else [])
    after = _bills(
        known, contract, today, bills, billed=[i.pk for i in items] if documents else [], timed=bool(time and documents)
    )
    return Consequence(documents=documents, before=before, bills=after, refused=refused, contract=base)


def preview_usage(actor: Actor, *, contract: Contract, entry: Mapping[str, Any], bills: int = 0) -> Consequence:
    """What `record_usage` of one record would do; at the tariff's threshold it makes an interim bill (R11.3).

    Where the record finds no line, nothing changes: `waits` says why. It is one of an instant, for an article.
    """
    reading = usage.plan_record(actor, contract=contract, entry=entry)
    contract = bearer_on(contract, reading.day)
    today, closed = _today(actor, contract), contract.customer.seller.closed_until
    known = _seen(contract, load_one(contract), today, bills)
    before = _bills(_seen_again(known), contract, today, bills)
    changed = laid_over(known.contracts[contract.pk], reading, closed)
    known.contracts[contract.pk] = changed
    documents: list[Ready] = []
    found, waits = finds(changed, reading, closed)
    if found is not None and contract.threshold is not None and _incomplete(contract) is None:
        ready, due = _due(known, contract, Scope(on=today, interim=True), netted=False)
        net = sum(r.draft.net for r in ready if r.draft.kind == "invoice")
        if ready and Money(net, changed.digits).exact >= contract.threshold:
            documents = ready
            _note(known, contract, due)
    after = _bills(known, contract, today, bills)
    return Consequence(documents=documents, before=before, bills=after, contract=changed, waits=waits)


def preview_signing(
    actor: Actor,
    *,
    customer: Customer,
    start: date,
    coupon: Coupon | None = None,
    code: str = "",
    bills: int = 0,
    **fields: Any,
) -> Consequence:
    """What `sign` would do: nothing at once; `bills` are the contract's first."""
    planned = contracts.plan_contract(actor, customer=customer, start=start, **fields)
    contract, today = planned.contract, actor.today(customer.seller.time_zone)
    contract.pk = NEW  # of this object alone
    changed = overlay.of_planned(planned)
    if (wanted := coupons.wanted(customer.seller, coupon, code, today)) is not None:
        changed = overlay.with_coupon(changed, contracts.coupon_row(changed, contract, wanted.coupon, start))
    after = _bills(_seen(contract, changed, today, bills), contract, today, bills)
    return Consequence(documents=[], bills=after, refused=_incomplete(contract), ends=contract.end, contract=changed)


def preview_order(
    actor: Actor,
    *,
    customer: Customer,
    tariff: Tariff,
    articles: Mapping[str, Decimal] | None = None,
    coupon: Coupon | None = None,
    offer_number: str | None = None,
    bills: int = 0,
) -> Consequence:
    """What `contracts.order` would do today: nothing at once; `bills` are the contract's first (R10.3). The customer
    need not be written yet."""
    today = actor.today(customer.seller.time_zone)
    contracts.ordered_version(tariff, offer_number, articles or {}, today)
    planned = contracts.plan_contract(
        actor, key=next_key(customer.seller_id), customer=customer, tariff=tariff, start=today,
        offer_number=offer_number, quantities=dict(articles or {}),
    )  # fmt: skip
    contract = planned.contract
    contract.pk = NEW  # of this object alone
    changed = overlay.of_planned(planned)
    if coupon is not None:
        row = contracts.coupon_row(changed, contract, coupon, today)
        changed = overlay.with_order_coupon(overlay.with_coupon(changed, row), planned, coupon)
    after = _bills(_seen(contract, changed, today, bills), contract, today, bills)
    return Consequence(documents=[], bills=after, refused=_incomplete(contract), ends=contract.end, contract=changed)


def _today(actor: Actor, contract: Contract) -> date:
    return actor.today(contract.customer.seller.time_zone)


def _change(
    actor: Actor,
    contract: Contract,
    change: Change,
    bills: int,
    *,
    lines: Iterable[int] | None = None,
    through: date | None = None,
    at_once: bool = True,
) -> Consequence:
    """The consequence of a change that settles the lines named (None: all) at once, or none."""
    today = _today(actor, contract)
    base = load_one(contract)
    changed = change(base)
    scope = None
    if at_once:
        chosen = frozenset(lines if lines is not None else (line.id for line in changed.lines))
        scope = Scope(on=today, lines=chosen, through=through)
    return consequence(contract, base, changed, today, scope, bills)


def consequence(
    contract: Contract, base: facts.Contract, changed: facts.Contract, today: date, scope: Scope | None, bills: int
) -> Consequence:
    """The consequence of a contract's becoming another, of which a scope is settled at once (None: nothing)."""
    before = _bills(_seen(contract, base, today, bills, _floor(base, today)), contract, today, bills) if bills else []
    known = _seen(contract, changed, max(today, scope.through or today) if scope else today, bills)
    documents: list[Ready] = []
    if scope is not None:
        netted = contract.customer.seller.change_documents == "netted"
        documents, due = _due(known, contract, scope, netted=netted)
        _note(known, contract, due if documents else [])
    after = _bills(known, contract, today, bills)
    refused = _refusal(contract, documents)
    return Consequence(documents=documents, before=before, bills=after, refused=refused, contract=changed)


def of_new(known: Facts, contract: Contract, today: date, scope: Scope | None, bills: int) -> Consequence:
    """The consequence of a contract that is not written: what of it is billed at once, and the bills after that."""
    documents: list[Ready] = []
    if scope is not None:
        documents, due = _due(known, contract, scope, netted=False)
        _note(known, contract, due if documents else [])
    after = _bills(known, contract, today, bills)
    refused = _refusal(contract, documents)
    return Consequence(documents=documents, bills=after, refused=refused, contract=known.contracts[contract.pk])


def _seen(contract: Contract, values: facts.Contract, day: date, bills: int, since: date = date.min) -> Facts:
    """All facts of one contract from a day on, up to another, or to that of the last of so many bills after it."""
    for _ in range(min(bills, MOST_BILLS)):
        day = next_due(values, day) or day
    return with_usage({contract.pk: values}, day, {contract.pk: since})


def _floor(values: facts.Contract, today: date) -> date:
    """From where on facts are needed for what is due and for the running period."""
    return min(floors_of({values.id: values})[values.id], period_start(values, today))


def _seen_again(known: Facts) -> Facts:
    """The same facts, so that one look at them may note what it bills."""
    return Facts(dict(known.contracts), dict(known.billed), known.floors, known.document_lines)


def _due(
    known: Facts,
    contract: Contract,
    scope: Scope,
    *,
    netted: bool,
    items: list[SalesItem] | None = None,
    time: list[TimeBill] | None = None,
) -> tuple[list[Ready], list[Charge]]:
    due = due_of(known, contract.pk, scope)
    ready = documents_due(known, contract, due, scope.on, netted=netted, items=items, time=time)
    return [r for r, _ in ready], due


def _note(known: Facts, contract: Contract, due: list[Charge]) -> None:
    """Count charges as billed."""
    billed = known.billed.get(contract.pk, [])
    first = NEW + len(billed)
    known.billed[contract.pk] = [*billed, *(replace(c, id=first + i, document=NEW) for i, c in enumerate(due))]


def _bills(
    known: Facts, contract: Contract, today: date, count: int, *, billed: Iterable[int] = (), timed: bool = False
) -> list[Bill]:
    """The next bills, each as if those before it had been issued; `billed`: sales that are on documents already;
    `timed`: the time is."""
    pk, found = contract.pk, list[Bill]()
    on: date | None = today
    items = [i for i in _pending_sales(contract) if i.pk not in set(billed)] if count else []
    time = time_of(contract, today) if count and not timed else []
    while on is not None and len(found) < min(count, MOST_BILLS):
        due = due_of(known, pk, Scope(on=on))
        ripe = [i for i in items if i.sold_on <= on]
        owner, currency = {pk: contract.customer_id}, {pk: contract.currency}
        worked = {(contract.customer_id, contract.currency): time} if time else {}
        works = works_of(known, {pk: due}, {contract.customer_id: contract.customer}, owner, currency, ripe, worked)
        works = [w for w in works if w.charges]
        documents = [r for r, _ in ready_documents(known, works, on)]
        used = {i.pk for w in works for i in w.items}
        items = [i for i in items if i.pk not in used]
        time = [] if any(w.time for w in works) else time
        if documents or on > today:
            found.append(Bill(on=on, documents=documents))
        _note(known, contract, due if documents else [])
        on = next_due(known.contracts[pk], on)
    return found


def _pending_sales(contract: Contract) -> list[SalesItem]:
    found = SalesItem.objects.filter(document__isnull=True, customer=contract.customer_id, currency=contract.currency)
    return list(found.prefetch_related("lines").order_by("id"))


def _refusal(contract: Contract, documents: list[Ready]) -> Refused | None:
    """What would keep the documents from being issued."""
    if not documents:
        return None
    try:
        check_complete(contract.customer)
        check_confirmed(contract.customer.seller_id, {r.draft.kind for r in documents})
    except Refused as refused:
        return refused
    return None


def _incomplete(contract: Contract) -> Refused | None:
    try:
        check_complete(contract.customer)
    except Refused as refused:
        return refused
    return None
