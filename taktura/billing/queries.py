"""Facts of a batch of contracts in a fixed number of queries, and what is due of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from django.db import connection
from django.db.models import Q, QuerySet

from taktura.billing.ledger import load_charges
from taktura.billing.models import SalesItem
from taktura.contracts.facts import load
from taktura.contracts.models import Contract
from taktura.core import facts
from taktura.core.documents import Entry
from taktura.core.errors import Refused
from taktura.core.facts import Charge, at
from taktura.core.periods import DAY
from taktura.core.schedule import floor, windows
from taktura.core.settle import Scope, settle
from taktura.core.tax import is_gross
from taktura.invoices.models import KINDS
from taktura.kit.bulk import among
from taktura.usage import store

MAX_AMOUNT = 10**15  # minor units of one charge; what a document sums up must fit into 64 bits


@dataclass(slots=True)
class Facts:
    """All that settlement needs of a batch: contracts with their usage, what is billed, and from where on to look."""

    contracts: dict[int, facts.Contract]
    billed: dict[int, list[Charge]]
    floors: dict[int, date]
    document_lines: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastBill:
    """A contract's last invoice, and the net of its lines on it in minor units."""

    document: int
    number: str
    issued_on: date
    net: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How billing stands on a day: customers who have something due but no complete billing information, sales items
    to be billed, approved minutes to be billed with them, the last run (id and its day), the currencies of the offer,
    and which kinds have no confirmed numbers.
    """

    blocked: int
    sales_items: int
    minutes: int
    last_run: int | None
    last_on: date | None
    currencies: tuple[str, ...]
    unconfirmed: tuple[str, ...]


def standing(seller_id: int, on: date) -> Standing:
    """How billing stands, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(DISTINCT c.customer_id) FROM customers_customer k
                    JOIN contracts_contract c ON c.customer_id = k.id
                    WHERE k.seller_id = s.id AND NOT k.complete
                        AND (c.next_due <= %(on)s OR (c.changed_from IS NOT NULL AND c.start <= %(on)s))),
                (SELECT count(*) FROM billing_salesitem i JOIN customers_customer k ON k.id = i.customer_id
                    WHERE i.document_id IS NULL AND i.sold_on <= %(on)s AND k.seller_id = s.id),
                (SELECT COALESCE(sum(t.minutes), 0)::bigint FROM desk_timeentry t
                    JOIN customers_customer k ON k.id = t.customer_id
                    WHERE t.status = 'approved' AND t.billable AND t.worked_on <= %(on)s AND k.seller_id = s.id),
                r.id, r."on",
                (SELECT array_agg(DISTINCT currency) FROM catalog_tariff WHERE seller_id = s.id),
                (SELECT array_agg(kind) FROM invoices_numberseries WHERE seller_id = s.id AND confirmed)
            FROM customers_seller s
            LEFT JOIN LATERAL (
                SELECT id, "on" FROM billing_billingrun WHERE seller_id = s.id ORDER BY id DESC LIMIT 1
            ) r ON true
            WHERE s.id = %(seller)s
            """,
            {"on": on, "seller": seller_id},
        )
        blocked, items, minutes, run, run_on, currencies, confirmed = cursor.fetchone()
    return Standing(
        blocked=blocked, sales_items=items, minutes=minutes, last_run=run, last_on=run_on,
        currencies=tuple(currencies or ()), unconfirmed=tuple(kind for kind in KINDS if kind not in (confirmed or ())),
    )  # fmt: skip


def last_bills(contracts: Iterable[int]) -> dict[int, LastBill]:
    """The last invoice of each contract that has one, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT last.contract_id, last.document_id, last.number, last.issued_on, sum(l.net)
            FROM (
                SELECT DISTINCT ON (c.contract_id) c.contract_id, c.document_id, d.number, d.issued_on
                FROM billing_charge c JOIN invoices_document d ON d.id = c.document_id
                WHERE c.contract_id = ANY(%s) AND d.kind = 'invoice' ORDER BY c.contract_id, c.document_id DESC
            ) last
            JOIN invoices_documentline l ON l.document_id = last.document_id AND l.contract_id = last.contract_id
            GROUP BY 1, 2, 3, 4
            """,
            [list(contracts)],
        )
        return {
            pk: LastBill(document=document, number=number, issued_on=on, net=int(net))
            for pk, document, number, on, net in cursor.fetchall()
        }


def due_contracts(
    seller_id: int, on: date, contract: int | None = None, customer: int | None = None
) -> list[tuple[int, int]]:
    """(customer, contract) of what a run on a day takes: due on or before it, or changed; in the order of signing."""
    found = due_list(seller_id, on)
    if contract is not None:
        found = found.filter(pk=contract)
    if customer is not None:
        found = found.filter(customer=customer)
    return list(found.order_by("id").values_list("customer_id", "id"))


def due_list(seller_id: int, on: date) -> QuerySet[Contract]:
    """The contracts that a run on a day takes."""
    due = Q(next_due__lte=on) | Q(changed_from__isnull=False, start__lte=on)
    return Contract.objects.filter(seller=seller_id).filter(due)


def item_by_id(seller_id: int, pk: int) -> SalesItem:
    """A seller's sale by its id, with customer and lines; raises `Refused` (`not_found`)."""
    rows = SalesItem.objects.select_related("customer__seller", "customer__billing_information")
    found = rows.prefetch_related("lines").filter(customer__seller=seller_id, pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no sales item “%(key)s”.", key=pk)
    return found


def gather(ids: Iterable[int], until: date, *, whole: bool = False) -> Facts:
    """Load the facts for settling periods that begin up to `until`; `whole`: of all time, not only since the last
    settlement."""
    contracts = load(ids)
    floors = dict.fromkeys(contracts, date.min) if whole else floors_of(contracts)
    return with_usage(contracts, until, floors)


def floors_of(contracts: Mapping[int, facts.Contract]) -> dict[int, date]:
    """From where on each contract must be settled again: what lies before is settled, and has not changed since."""
    floors = dict.fromkeys(contracts, date.min)
    rows = Contract.objects.filter(pk__in=among(contracts)).values_list(
        "pk", "next_due", "changed_from", "settled_until"
    )
    for pk, due, changed, settled in rows:
        if settled is not None:
            since = min(d for d in (due, changed, settled + DAY) if d is not None)
            floors[pk] = floor(contracts[pk], since)
    return floors


def with_usage(
    contracts: Mapping[int, facts.Contract], until: date | Mapping[int, date], floors: dict[int, date]
) -> Facts:
    """What settlement needs besides the contracts themselves: their usage in periods that begin up to `until` (one day,
    or that of each contract), and what is billed; of each contract from its floor on."""
    days = until if isinstance(until, Mapping) else dict.fromkeys(contracts, until)
    asked = [w for pk, c in contracts.items() for w in windows(c, days[pk] + DAY, floors[pk])]
    sums = store.sums(asked)
    by_contract: dict[int, dict[facts.UsageKey, facts.Usage]] = {}
    owner = {line.id: pk for pk, c in contracts.items() for line in c.lines}
    for key, usage in sums.items():
        by_contract.setdefault(owner[key[0]], {})[key] = usage
    complete = {pk: replace(c, usage=by_contract.get(pk, {})) for pk, c in contracts.items()}
    billed, lines = load_charges(floors)
    return Facts(complete, billed, floors, lines)


def due_of(known: Facts, pk: int, scope: Scope) -> list[Charge]:
    """What is due of one contract. Raises `Refused` (`invalid`) for an amount that no document can hold."""
    due = settle(known.contracts[pk], known.billed.get(pk, ()), scope, known.floors[pk])
    if any(abs(charge.amount) > MAX_AMOUNT for charge in due):
        raise Refused("invalid", "An amount of the contract is too large: correct its prices, quantities or usage.")
    return due


def entries(contract: facts.Contract, charges: Iterable[Charge], place: int) -> list[Entry]:
    """Charges as entries for documents; `place` is the contract's among those on one document."""
    lines = {line.id: line for line in contract.lines}
    current = contract.phases[-1].start
    found = []
    for charge in charges:
        line = lines.get(charge.key.line) if charge.key.line is not None else None
        if line is None:
            found.append(Entry(contract=contract.id, kind=charge.key.kind, order=(place,), charge=charge))
            continue
        terms = at(line.terms, max(charge.first, line.start))
        last_from, last = line.terms[-1]
        gone = len(contract.phases) > 1 and last_from < current
        order = (place, (1000 if gone else 0) + last.position, line.id)
        kind = "usage" if charge.key.kind == "flat" else charge.key.kind
        entry = Entry(
            contract=contract.id,
            article=terms.article,
            title=terms.title,
            titles=terms.titles,
            kind=kind,
            unit=terms.unit,
            order=order,
            charge=charge,
            note={"name": line.name} | note_of(charge) if line.name else note_of(charge),
        )
        found.append(replace(entry, unit="") if entry.is_difference else entry)
    return found


def note_of(charge: Charge) -> dict[str, object]:
    """What a document says under a line: drawn from its proof."""
    proof: Mapping[str, object] = charge.proof
    wanted = (
        "used",
        "included_used",
        "discount",
        "reason",
        "discount_scale",
        "minimum_quantity",
        "package",
        "tiers",
        "instead",
        "a",
        "b",
        "n",
    )
    return {k: proof[k] for k in wanted if k in proof}


def gross_prices(contract: facts.Contract) -> bool:
    """Whether a contract's charges are gross amounts."""
    return is_gross(contract.tax)
