"""Reconciliation of a supplier's period: what it charged, what contracts say, what customers were billed.

A line that several subscriptions share is shared among them by what the supplier charged for each. A charge that covers
more than the period counts by its days in it, as deferral does (R20). Amounts are net.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection

from taktura.billing.accounted import Place, Rows, accounted
from taktura.billing.queries import due_of, gather, gross_prices
from taktura.contracts.models import ContractLine
from taktura.core import facts
from taktura.core.errors import Refused
from taktura.core.expected import active
from taktura.core.facts import at
from taktura.core.periods import DAY, clip
from taktura.core.reconciling import (
    CAUSES,
    Account,
    Compared,
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
from taktura.usage.proposals import titles_of

BATCH = 1_000  # contracts that are settled at once
ZERO = Fraction(0)

_CHARGED = """
SELECT c.line_id, c.vat_rate, c.first, c."end", sum(c.amount) FROM billing_charge c
WHERE c.contract_id = ANY(%(contracts)s) AND c.line_id = ANY(%(lines)s) AND c.first < %(end)s AND c."end" > %(first)s
GROUP BY 1, 2, 3, 4
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
    contracts'. `said` is None where what a contract says cannot be worked out."""

    currency: str
    billed_in: str
    reference: str = ""
    subscription: int | None = None
    name: str = ""
    customer: str = ""
    rows: int = 0
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
    known = {s.folded: s for s in SupplierSubscription.objects.filter(supplier=supplier, folded__in=_names(found))}
    tied = _tied(supplier)
    known |= {s.folded: s for s, _line in tied}
    lines = _lines({line for _s, line, _c in found if line is not None} | {line for _s, line in tied})
    money = _Money(lines.values(), first, end)
    carried = {line for _s, line, _c in found}
    for subscription, tied_to in tied:
        if tied_to not in carried and (money.invoiced[tied_to] or money.said.get(tied_to)):
            found[(subscription.folded, tied_to, supplier.currency)] = Rows()
    by_subscription: dict[tuple[str, ...], Row] = {}
    by_contract: dict[tuple[str, ...], Row] = {}
    totals: dict[tuple[str, ...], Row] = {}
    share = _shared(found)
    for place, rows in sorted(found.items(), key=lambda one: (one[0][0], one[0][1] or 0, one[0][2])):
        reference, line_id, currency = place
        line = lines.get(line_id) if line_id is not None else None
        billed_in = line.currency if line else currency
        subscription_row = by_subscription.setdefault(
            (reference, currency, billed_in), _row_of(known.get(reference), reference, currency, billed_in)
        )
        into = [subscription_row, totals.setdefault((currency, billed_in), Row(currency=currency, billed_in=billed_in))]
        if line:
            one = Row(currency=currency, billed_in=billed_in, reference=line.key, customer=line.customer)
            into.append(by_contract.setdefault((line.key, currency), one))
        for row in into:
            _put(row, rows, line, money, share[place])
    _compare([*by_subscription.values(), *by_contract.values()])
    return Reconciliation(
        first=first, end=end, rows=_ordered(by_subscription.values()), contracts=_ordered(by_contract.values()),
        totals=list(totals.values()),
    )  # fmt: skip


def _names(found: Mapping[Place, Rows]) -> list[str]:
    return sorted({subscription for subscription, _line, _currency in found})


def _tied(supplier: Supplier) -> list[tuple[SupplierSubscription, int]]:
    ties = SubscriptionLink.objects.filter(subscription__supplier=supplier).select_related("subscription")
    return [(tie.subscription, tie.line_id) for tie in ties.order_by("pk")]


def _lines(ids: Iterable[int]) -> dict[int, LineShown]:
    rows = list(ContractLine.objects.filter(pk__in=among(ids)).select_related("contract__customer", "article"))
    titles = titles_of(rows)
    return {
        line.pk: LineShown(
            pk=line.pk, title=titles[line.pk], contract=line.contract_id, key=line.contract.key,
            customer=line.contract.customer.name, currency=line.contract.currency,
        )
        for line in rows
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


def _put(row: Row, rows: Rows, line: LineShown | None, money: "_Money", share: Fraction) -> None:
    row.rows += rows.rows
    row.account += account(rows.imported, rows.states)
    if line is None:
        return
    row.invoiced += money.invoiced[line.pk] * share
    said = money.said.get(line.pk)
    row.said = None if row.said is None or said is None else row.said + said * share
    wanted = money.wanted.get(line.pk)
    if wanted is not None and rows.spans:
        row.wanted = (row.wanted or ZERO) + wanted * share
        row.used = (row.used or ZERO) + rows.days
    if line.pk not in {one.pk for one in row.lines}:
        row.lines.append(money.lines[line.pk])


def _compare(rows: Iterable[Row]) -> None:
    for row in rows:
        row.causes = causes(
            Compared(
                account=row.account, said=row.said, invoiced=row.invoiced,
                same_currency=row.currency == row.billed_in, wanted=row.wanted, used=row.used,
            )
        )  # fmt: skip


def _ordered(rows: Iterable[Row]) -> list[Row]:
    """Differences first, the gravest and largest before the others."""
    rank = {cause: place for place, cause in enumerate(CAUSES)}

    def grave(row: Row) -> tuple[int, Fraction, str]:
        size = max(abs(row.account.waits.cost), abs(row.account.open.cost), abs(row.difference), abs(row.charged))
        return rank[row.causes[0]] if row.causes else len(rank), -size, row.reference

    return sorted(rows, key=grave)


class _Money:
    """What is billed of lines in a period, and what their contracts say; net, in units of the contract's currency."""

    def __init__(self, lines: Iterable[LineShown], first: date, end: date) -> None:
        self.first, self.end = first, end
        self.lines = {line.pk: line for line in lines}
        self.invoiced: dict[int, Fraction] = defaultdict(Fraction)
        self.said: dict[int, Fraction] = {}
        self.wanted: dict[int, Fraction] = {}
        contracts = sorted({line.contract for line in self.lines.values()})
        for start in range(0, len(contracts), BATCH):
            self._settle(contracts[start : start + BATCH])

    def _settle(self, ids: Sequence[int]) -> None:
        known = gather(ids, self.end)
        self._read(ids, known.contracts)
        for pk in ids:
            contract = known.contracts[pk]
            try:
                due = due_of(known, pk, Scope(on=self.end))
            except Refused:
                continue
            mine = [line for line in contract.lines if line.id in self.lines]
            self.said |= {line.id: self.invoiced[line.id] for line in mine}
            for charge in due:
                if charge.key.line in self.said:
                    share = share_of_days(charge.first, charge.end, self.first, self.end)
                    net = self._net(contract, Fraction(charge.amount), charge.vat[1])
                    self.said[charge.key.line] += net * share
            for line in mine:
                self._contracted(contract, line)

    def _read(self, ids: Sequence[int], contracts: Mapping[int, facts.Contract]) -> None:
        owner = {line.pk: line.contract for line in self.lines.values()}
        asked: dict[str, Any] = {
            "contracts": list(ids),
            "lines": list(self.lines),
            "first": self.first,
            "end": self.end,
        }
        with connection.cursor() as cursor:
            cursor.execute(_CHARGED, asked)
            for line, rate, first, end, amount in cursor.fetchall():
                net = self._net(contracts[owner[line]], Fraction(amount), rate)
                self.invoiced[line] += net * share_of_days(first, end, self.first, self.end)

    def _net(self, contract: facts.Contract, amount: Fraction, rate: Decimal) -> Fraction:
        amount /= 10**contract.digits
        return without_vat(amount, Fraction(rate)) if gross_prices(contract) else amount

    def _contracted(self, contract: facts.Contract, line: facts.Line) -> None:
        """What a line with a fixed quantity has of it in the period."""
        if at(line.terms, max(self.first, line.start)).usage_pricing != "fixed_quantity":
            return
        ranges = clip(active(contract, line), self.first, self.end)
        if not ranges:
            return
        timeline = [(start, Fraction(quantity)) for start, quantity in line.quantities]
        self.wanted[line.id] = quantity_days(timeline, ranges)
        shown = self.lines[line.id]
        self.lines[line.id] = LineShown(
            pk=shown.pk, title=shown.title, contract=shown.contract, key=shown.key, customer=shown.customer,
            currency=shown.currency, quantity=at(line.quantities, ranges[-1][1] - DAY),
        )  # fmt: skip
