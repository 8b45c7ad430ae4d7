"""Reconciliation of a supplier's period: what it charged, what contracts say, what customers were billed.

A line that several subscriptions share is shared among them by what the supplier charged for each. A charge that covers
more than the period counts by its days in it, as deferral does (R20). Amounts are net.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from taktura.billing.accounted import Place, Rows, accounted
from taktura.billing.queries import due_of, gather, gross_prices
from taktura.contracts.facts import load
from taktura.contracts.models import ContractLine
from taktura.core import facts
from taktura.core.errors import Refused
from taktura.core.expected import active
from taktura.core.facts import at
from taktura.core.money import places
from taktura.core.periods import DAY, clip
from taktura.core.reconciling import (
    CAUSES,
    Account,
    Compared,
    Sum,
    account,
    causes,
    quantity_days,
    share_of_days,
    shares,
    without_vat,
)
from taktura.core.settle import Scope
from taktura.kit.bulk import among
from taktura.usage.models import SubscriptionLink, Supplier, SupplierSubscription
from taktura.usage.proposals import titles_said

BATCH = 1_000  # contracts that are settled at once
ZERO = Fraction(0)
SHOWN = ("folded", "reference", "name", "product", "product_name", "customer_reference")

# What was charged says for itself whether it is gross: the document that it stands on does.
_CHARGED = """
SELECT c.line_id, c.vat_rate, c.first, c."end", d.prices_are = 'gross', sum(c.amount)
FROM billing_charge c JOIN invoices_document d ON d.id = c.document_id
WHERE c.contract_id = ANY(%(contracts)s) AND c.line_id = ANY(%(lines)s) AND c.first < %(end)s AND c."end" > %(first)s
GROUP BY 1, 2, 3, 4, 5
"""
# Contracts of which nothing can be due up to a day, since a run has settled them beyond it and nothing changed; and
# those with a line of fixed quantity.
_KINDS = """
SELECT k.id, COALESCE(k.settled_until >= %(end)s, FALSE) AND k.changed_from IS NULL, EXISTS (
    SELECT 1 FROM contracts_contractline l JOIN contracts_linestretch s ON s.line_id = l.id
    JOIN catalog_tariffline t ON t.id = s.tariff_line_id
    WHERE l.contract_id = k.id AND t.terms ->> 'usage_pricing' = 'fixed_quantity')
FROM contracts_contract k WHERE k.id = ANY(%(contracts)s) ORDER BY k.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineShown:
    """A contract line of a reconciliation. `quantity`: the contracted one, where the line has a fixed quantity."""

    pk: int
    title: str
    contract: int
    key: str
    customer: str
    currency: str
    quantity: Decimal | None = None


@dataclass(slots=True, kw_only=True)
class Row:
    """A subscription, a contract, or all of a currency. `currency`: what the supplier charges in; `billed_in`: the
    contracts'. `said` is None where what a contract says cannot be worked out. `unpriced`: rows that lack the price
    their line is billed at."""

    currency: str
    billed_in: str
    reference: str = ""
    subscription: int | None = None
    name: str = ""
    customer: str = ""
    rows: int = 0
    unpriced: int = 0
    account: Account = Account()
    said: Fraction | None = ZERO
    invoiced: Fraction = ZERO
    wanted: Fraction | None = None
    used: Fraction | None = None
    lines: list[LineShown] = field(default_factory=list)
    causes: tuple[str, ...] = ()

    @property
    def charged(self) -> Fraction:
        """What the supplier charged."""
        return self.account.imported.cost

    @property
    def margin(self) -> Fraction | None:
        """What was billed less what the supplier charged; None where the currencies differ."""
        return self.invoiced - self.charged if self.currency == self.billed_in else None

    @property
    def difference(self) -> Fraction:
        """What was billed less what the contract says; 0 where that is not known."""
        return ZERO if self.said is None else self.invoiced - self.said


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """A supplier and `[first, end)`. `rows` by subscription, differences first; `contracts`; `totals` by currency."""

    first: date
    end: date
    rows: list[Row]
    contracts: list[Row]
    totals: list[Row]

    @property
    def holds(self) -> bool:
        """Whether all that was imported is accounted for, in each place."""
        return all(row.account.holds for row in (*self.rows, *self.totals))


def reconcile(supplier: Supplier, first: date, end: date) -> Reconciliation:
    """Reconcile a supplier's period; a fixed number of queries for each 1,000 contracts. Nothing is written.

    Raises `Refused` (`invalid`) for a period the wrong way round.
    """
    if end <= first:
        raise Refused("invalid", "The period ends before it begins.", field="until")
    found = accounted(supplier, first, end)
    tied = list(
        SubscriptionLink.objects.filter(subscription__supplier=supplier)
        .order_by("pk")
        .values_list("subscription__folded", "line")
    )
    known = _subscriptions(supplier, {*(place[0] for place in found), *(folded for folded, _line in tied)})
    lines = _lines({line for _s, line, _c in found if line is not None} | {line for _s, line in tied})
    money = _Money(lines.values(), first, end)
    carried = {line for _s, line, _c in found}
    for folded, tied_to in tied:
        if tied_to not in carried and (money.invoiced[tied_to] or money.said.get(tied_to)):
            found[(folded, tied_to, supplier.currency)] = Rows()
    by_subscription: dict[tuple[str, ...], _Adding] = {}
    by_contract: dict[tuple[str, ...], _Adding] = {}
    totals: dict[tuple[str, ...], _Adding] = {}
    share = _shared(found)
    for place, rows in sorted(found.items(), key=lambda one: (one[0][0], one[0][1] or 0, one[0][2])):
        reference, line_id, currency = place
        line = lines.get(line_id) if line_id is not None else None
        billed_in = line.currency if line else currency
        key = (reference, currency, billed_in)
        if key not in by_subscription:
            by_subscription[key] = _Adding(_row_of(known.get(reference), reference, currency, billed_in))
        if key[1:] not in totals:
            totals[key[1:]] = _Adding(Row(currency=currency, billed_in=billed_in))
        into = [by_subscription[key], totals[key[1:]]]
        if line:
            if (line.key, currency) not in by_contract:
                one = Row(currency=currency, billed_in=billed_in, reference=line.key, customer=line.customer)
                by_contract[line.key, currency] = _Adding(one)
            into.append(by_contract[line.key, currency])
        found_there = _There.of(rows, line, money, share[place])
        for adding in into:
            adding.put(found_there)
    return Reconciliation(
        first=first, end=end, rows=_ordered(one.compared() for one in by_subscription.values()),
        contracts=_ordered(one.compared() for one in by_contract.values()),
        totals=[one.finished() for one in totals.values()],
    )  # fmt: skip


def _subscriptions(supplier: Supplier, names: Collection[str]) -> dict[str, SupplierSubscription]:
    """The supplier's subscriptions by their folded references."""
    named = RawSQL(
        "SELECT unnest(%s::text[])", [list(names)]
    )  # one array: thousands of values cost more than the query
    rows = SupplierSubscription.objects.filter(supplier=supplier, folded__in=named)
    return {row.folded: row for row in rows.only(*SHOWN)}


def _lines(ids: Iterable[int]) -> dict[int, LineShown]:
    wanted = list(ids)
    said = titles_said(wanted)
    rows = ContractLine.objects.filter(pk__in=among(wanted)).values_list(
        "pk", "article__title", "article__key", "contract_id", "contract__key", "contract__customer__name",
        "contract__currency",
    )  # fmt: skip
    return {
        pk: LineShown(
            pk=pk, title=said.get(pk) or title or article, contract=contract, key=key, customer=customer,
            currency=currency,
        )
        for pk, title, article, contract, key, customer, currency in rows
    }  # fmt: skip


def _row_of(known: SupplierSubscription | None, reference: str, currency: str, billed_in: str) -> Row:
    row = Row(currency=currency, billed_in=billed_in, reference=known.reference if known else reference)
    if known:
        row.subscription, row.name = known.pk, known.name or known.product_name or known.product
        row.customer = known.customer_reference
    return row


def _shared(found: Mapping[Place, Rows]) -> dict[Place, Fraction]:
    """Which part of its line belongs to each place."""
    places_of: dict[int | None, list[Place]] = defaultdict(list)
    for place in found:
        places_of[place[1]].append(place)
    share: dict[Place, Fraction] = {}
    for members in places_of.values():
        costs = [found[p].imported.cost for p in members]
        weights = costs if any(costs) else [found[p].imported.quantity for p in members]
        share |= dict(zip(members, shares(weights), strict=True))
    return share


@dataclass(frozen=True, slots=True, kw_only=True)
class _There:
    """What a place has: its rows, and its share of what its line has."""

    rows: Rows
    line: LineShown | None = None
    invoiced: Fraction = ZERO
    said: Fraction | None = ZERO
    wanted: Fraction | None = None

    @classmethod
    def of(cls, rows: Rows, line: LineShown | None, money: "_Money", share: Fraction) -> "_There":
        """A place with its share of its line."""
        if line is None:
            return cls(rows=rows)
        said, wanted = money.said.get(line.pk), money.wanted.get(line.pk)
        return cls(
            rows=rows, line=money.lines[line.pk], invoiced=money.invoiced[line.pk] * share,
            said=None if said is None else said * share,
            wanted=wanted * share if wanted is not None and rows.spans else None,
        )  # fmt: skip


class _Adding:
    """A row as places are put into it."""

    def __init__(self, row: Row) -> None:
        self.row, self.imported = row, Sum()
        self.states: dict[str, Sum] = {}
        self.told: set[str] = set()
        self.lines: set[int] = set()

    def put(self, there: _There) -> None:
        """Add a place."""
        row = self.row
        row.rows += there.rows.rows
        row.unpriced += there.rows.unpriced
        self.imported += there.rows.imported
        for state, value in there.rows.states.items():
            self.states[state] = self.states[state] + value if state in self.states else value
        self.told |= there.rows.told
        row.invoiced += there.invoiced
        row.said = None if row.said is None or there.said is None else row.said + there.said
        if there.wanted is not None:
            row.wanted = (row.wanted or ZERO) + there.wanted
            row.used = (row.used or ZERO) + there.rows.days
        if there.line is not None and row.reference and there.line.pk not in self.lines:  # a total names none
            self.lines.add(there.line.pk)
            row.lines.append(there.line)

    def finished(self) -> Row:
        """The row with all that was put in."""
        self.row.account = account(self.imported, self.states, self.told)
        return self.row

    def compared(self) -> Row:
        """The same, with why its columns differ."""
        row = self.finished()
        row.causes = causes(
            Compared(
                account=row.account, said=row.said, invoiced=row.invoiced,
                same_currency=row.currency == row.billed_in, wanted=row.wanted, used=row.used, unpriced=row.unpriced,
            )
        )  # fmt: skip
        return row


def _ordered(rows: Iterable[Row]) -> list[Row]:
    """Differences first, the gravest and largest before the others."""
    rank = {cause: place for place, cause in enumerate(CAUSES)}

    def grave(row: Row) -> tuple[int, Fraction, str]:
        size = max(abs(row.account.waits.cost), abs(row.account.open.cost), abs(row.difference), abs(row.charged))
        return rank[row.causes[0]] if row.causes else len(rank), -size, row.reference

    return sorted(rows, key=grave)


class _Money:
    """What is billed of lines in a period, and what their contracts say; net, in units of the contract's currency.

    Only contracts of which something can be due are settled, `BATCH` of them at once.
    """

    def __init__(self, lines: Iterable[LineShown], first: date, end: date) -> None:
        self.first, self.end = first, end
        self.lines = {line.pk: line for line in lines}
        self.invoiced: dict[int, Fraction] = defaultdict(Fraction)
        self.said: dict[int, Fraction] = {}
        self.wanted: dict[int, Fraction] = {}
        lines_of: dict[int, list[int]] = defaultdict(list)
        for line in self.lines.values():
            lines_of[line.contract].append(line.pk)
        asked: dict[str, Any] = {"contracts": list(lines_of), "lines": list(self.lines), "first": first, "end": end}
        with connection.cursor() as cursor:
            cursor.execute(_CHARGED, asked)
            for pk, rate, start, stop, gross, amount in cursor.fetchall():
                net = self._net(pk, Fraction(amount), gross, rate)
                self.invoiced[pk] += net * share_of_days(start, stop, first, end)
            cursor.execute(_KINDS, asked)
            kinds = cursor.fetchall()
        settled = {pk for pk, is_settled, _fixed in kinds if is_settled}
        self.said = {line: self.invoiced[line] for pk in settled for line in lines_of[pk]}
        for ids in _batches([pk for pk, _settled, _fixed in kinds if pk not in settled]):
            self._settle(ids)
        for ids in _batches([pk for pk, _settled, fixed in kinds if pk in settled and fixed]):
            for contract in load(ids).values():
                self._contracted(contract)

    def _settle(self, ids: Sequence[int]) -> None:
        known = gather(ids, self.end)
        for pk in ids:
            contract = known.contracts[pk]
            self._contracted(contract)
            try:
                due = due_of(known, pk, Scope(on=self.end))
            except Refused:
                continue
            self.said |= {line.id: self.invoiced[line.id] for line in contract.lines if line.id in self.lines}
            for charge in due:
                line = charge.key.line
                if line is not None and line in self.lines:
                    share = share_of_days(charge.first, charge.end, self.first, self.end)
                    net = self._net(line, Fraction(charge.amount), gross_prices(contract), charge.vat[1])
                    self.said[line] += net * share

    def _net(self, line: int, amount: Fraction, gross: bool, rate: Decimal) -> Fraction:
        amount /= 10 ** places(self.lines[line].currency)
        return without_vat(amount, Fraction(rate)) if gross else amount

    def _contracted(self, contract: facts.Contract) -> None:
        """What lines with a fixed quantity have of it in the period."""
        for line in contract.lines:
            shown = self.lines.get(line.id)
            if shown is None or at(line.terms, max(self.first, line.start)).usage_pricing != "fixed_quantity":
                continue
            ranges = clip(active(contract, line), self.first, self.end)
            if ranges:
                timeline = [(start, Fraction(quantity)) for start, quantity in line.quantities]
                self.wanted[line.id] = quantity_days(timeline, ranges)
                self.lines[line.id] = replace(shown, quantity=at(line.quantities, ranges[-1][1] - DAY))


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
