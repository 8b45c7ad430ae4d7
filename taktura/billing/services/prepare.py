"""From charges to documents ready to be issued, and their issue. Preview and issue share all of it but the writing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.db import connection

from taktura.billing.ledger import write_charges
from taktura.billing.models import SalesItem, SalesItemLine
from taktura.billing.queries import Facts, entries, gross_prices
from taktura.billing.worked import TimeBill, Waiting, write_time
from taktura.core.documents import Entry, compose
from taktura.core.facts import Charge, LineTerms, TariffTerms
from taktura.core.money import Money, half_up, places, plain
from taktura.core.schedule import next_due
from taktura.core.tax import basis, is_gross, rates_of, vat_on
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import tax_of
from taktura.invoices.queries import rests
from taktura.invoices.services import Issued, Ready, issue
from taktura.kit.actor import Actor


@dataclass(slots=True)
class Work:
    """What is due of one recipient on one document (or on those that correct issued ones)."""

    customer: Customer
    currency: str
    charges: list[tuple[int, list[Charge]]]  # contract, what is due of it; in the order of signing
    items: list[SalesItem]
    gross: bool = False
    on: date | None = None  # where not all works are of one day
    time: list[TimeBill] = field(default_factory=list)


def ready_documents(known: Facts, works: Sequence[Work], on: date, *, netted: bool = False) -> list[tuple[Ready, Work]]:
    """Compose the documents: credit notes first over all, then the invoices in the order of the works (R14.5)."""
    credited = {c.credits for w in works for _, due in w.charges for c in due if c.credits is not None}
    documents = {c.id: c.document for rows in known.billed.values() for c in rows if c.id in credited}
    left = rests(documents.values()) if documents else {}
    notes: list[tuple[tuple[int, ...], Ready, Work]] = []
    invoices: list[tuple[Ready, Work]] = []
    for work in works:
        rows: list[Entry] = []
        for place, (pk, due) in enumerate(work.charges):
            rows += entries(known.contracts[pk], due, place)
        for item in work.items:
            rows += item_entries(item, work.customer, work.on or on)
        rows += [bill.entry() for bill in work.time]
        for draft in compose(rows, documents, left, gross=work.gross, netted=netted):
            named = {line.entry.contract for line in draft.lines if line.entry.contract is not None}
            contract = (
                named.pop()
                if len(named) == 1 and len(work.charges) <= 1 or len(named) == 1 and draft.references
                else None
            )
            if len(work.charges) == 1 and contract is None and work.charges[0][1]:
                contract = work.charges[0][0]
            ready = Ready(
                draft=draft, customer=work.customer, contract=contract, currency=work.currency, gross_prices=work.gross
            )
            if draft.kind == "credit_note" and not netted:
                notes.append((draft.references, ready, work))
            else:
                invoices.append((ready, work))
    # A supplier's credits without a document to correct come in the order of signing, before the invoices.
    notes.sort(key=lambda n: n[0] or (1 << 62,))
    return [(ready, work) for _, ready, work in notes] + invoices


def issue_documents(
    actor: Actor, seller: Seller, known: Facts, ready: Iterable[tuple[Ready, Work]], on: date
) -> list[Issued]:
    """Write documents and their charges, in the caller's transaction; the sales items and the time on them are
    billed."""
    pairs = list(ready)
    issued = issue(actor, seller=seller, documents=[r for r, _ in pairs], on=on, credited_lines=known.document_lines)
    charges: list[tuple[int, Charge, int, int]] = []
    billed_items: dict[int, int] = {}
    time: list[tuple[int, TimeBill, int, int]] = []
    for document, (ready_one, work) in zip(issued, pairs, strict=True):
        worked = {bill.order: bill for bill in work.time}
        for line_id, line in zip(document.lines, ready_one.draft.lines, strict=True):
            entry = line.entry
            if entry.charge is not None and entry.contract is not None:
                charges.append((entry.contract, entry.charge, document.id, line_id))
            elif entry.source:  # a credit by hand of a sale or of time: these stay billed
                continue
            elif entry.kind == "sales_item":
                billed_items[entry.order[0]] = document.id
            elif entry.kind == "time":
                time.append((work.customer.pk, worked[entry.order], document.id, line_id))
    write_charges(charges) if charges else None
    write_time(time)
    for item, document_id in billed_items.items():
        billed = SalesItem.objects.filter(pk=item, document__isnull=True).update(document=document_id)
        assert billed, "the sale is billed already"
    return issued


def item_net(item: SalesItem) -> Decimal:
    """What a sale's lines come to, in the price's basis, on the day of sale; each line rounded (R1.2)."""
    amounts = [e.amount for e in item_entries(item, item.customer, item.sold_on)]
    return Money(sum(amounts), places(item.currency)).exact


def item_entries(
    item: SalesItem, customer: Customer, on: date, lines: Iterable[SalesItemLine] | None = None
) -> list[Entry]:
    """A sale's lines as entries: net prices (gross where the seller's are), the customer's tax status, the seller's
    rate. `lines`: of a sale that is not written yet."""
    tax = tax_of(customer)
    rates = rates_of(tax, TariffTerms(), LineTerms(article=""))
    factor, unit = basis(tax, rates, on), 10 ** places(item.currency)
    found = []
    for line in item.lines.all() if lines is None else lines:
        each = Fraction(line.price) * (100 - Fraction(line.discount)) / 100 * factor
        found.append(
            Entry(
                contract=None,
                article=line.article,
                title=line.title,
                kind="sales_item",
                unit="piece",
                order=(item.pk or 0, line.position),
                amount=half_up(each * Fraction(line.quantity) * unit),
                quantity=Decimal(line.quantity),
                unit_price=plain(each),
                vat=vat_on(tax, rates, on),
                first=item.sold_on,
            )
        )
    return found


def works_of(
    known: Facts,
    due: dict[int, list[Charge]],
    customers: dict[int, Customer],
    owner: dict[int, int],
    currency: dict[int, str],
    items: Sequence[SalesItem],
    time: Waiting,
) -> list[Work]:
    """Group what is due by recipient: a work per contract, or per customer and currency (R14.5)."""
    works: list[Work] = []
    joint: dict[tuple[int, str], Work] = {}
    waiting: dict[tuple[int, str], list[SalesItem]] = {}
    for item in items:
        waiting.setdefault((item.customer_id, item.currency), []).append(item)
    worked = dict(time)
    for pk, charges in due.items():
        if not charges:
            continue
        customer = customers[owner[pk]]
        place = (customer.pk, currency[pk])
        gross = gross_prices(known.contracts[pk])
        if customer.documents_per == "customer" and place in joint:
            joint[place].charges.append((pk, charges))
            continue
        work = Work(customer, currency[pk], [(pk, charges)], [], gross)
        works.append(work)
        joint.setdefault(place, work)
        if any(c.amount > 0 and c.credits is None for c in charges):
            work.items += waiting.pop(place, [])
            work.time += worked.pop(place, [])
    for place in sorted({*waiting, *worked}):
        customer = customers[place[0]]
        gross = is_gross(tax_of(customer))
        works.append(Work(customer, place[1], [], waiting.get(place, []), gross, time=worked.get(place, [])))
    return works


def mark_settled(known: Facts, ids: Sequence[int], on: date) -> None:
    """Everything due on or before a day is settled: write the read model."""
    if not ids:
        return
    dues = [next_due(known.contracts[pk], on) for pk in ids]
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE contracts_contract c SET settled_until = GREATEST(COALESCE(c.settled_until, %s), %s),
               changed_from = NULL,
                   next_due = x.due FROM unnest(%s::bigint[], %s::date[]) AS x(id, due) WHERE c.id = x.id""",
            [on, on, list(ids), dues],
        )
