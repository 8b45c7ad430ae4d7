"""Reconciliation of a supplier: what it charged, what contracts say, what customers were billed. Nothing is written."""

from datetime import date
from fractions import Fraction
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from taktura.api.endpoint import endpoint
from taktura.api.fields import Day, Key, Out, Told
from taktura.api.v1.suppliers import supplier_of
from taktura.billing.reconciliation import Row, reconcile
from taktura.billing.supplier_invoices import Against, invoices_against
from taktura.core.errors import Refused
from taktura.core.money import plain
from taktura.core.periods import DAY
from taktura.core.reconciling import CAUSES, Account, Sum
from taktura.core.supplier_invoices import INVOICE_CAUSES

router = Router()
MOST_ROWS = 500  # in one answer
OF_CAUSES = ", ".join(CAUSES)


class SumOut(Out):
    """A quantity, and what the supplier charged for it."""

    quantity: Told
    cost: Told


class AccountOut(Out):
    """What became of imported rows: `billed` + `open` (to be billed) + `waiting` + `excluded` (by reason) = `imported`,
    which `holds` says. `lost`: what no account could be given for."""

    imported: SumOut
    billed: SumOut
    open: SumOut
    waiting: dict[str, SumOut]
    excluded: dict[str, SumOut]
    lost: SumOut
    holds: bool


class ReconciledRow(Out):
    """A subscription, a contract, or all of a currency; amounts are net. `charged` by the supplier, `said` by the
    contract (null: it cannot be worked out), `invoiced` to the customer; `margin` is null between two currencies."""

    reference: str = Field(description="the subscription's or contract's; empty for totals")
    name: str
    customer: str
    contracts: list[str]
    currency: str = Field(description="of what the supplier charged")
    billed_in: str = Field(description="of the contract")
    rows: int
    unpriced: int = Field(description="rows of lines at the supplier's price that carry none: they bill 0")
    charged: Told
    said: Told | None
    invoiced: Told
    margin: Told | None
    account: AccountOut
    causes: list[str] = Field(description=f"why they differ, the gravest first: {OF_CAUSES}")


class InvoicesOut(Out):
    """The supplier's own invoices of a currency against the rows imported for the period, and against what is billed.

    An invoice for other days besides counts by its days in the period. `difference`: `claimed` less `charged`."""

    currency: str
    invoices: list[int] = Field(description="ids, see `list_supplier_invoices`")
    claimed: Told
    charged: Told = Field(description="the sum of the imported rows")
    difference: Told
    invoiced: Told = Field(description="to customers, in this currency")
    causes: list[str] = Field(description=f"why they differ, the best explanation first: {', '.join(INVOICE_CAUSES)}")


class ReconciliationOut(Out):
    """A supplier's period. `subscriptions` and `contracts`: those that differ first, at most 500 of each; `invoices` by
    currency, those that differ first."""

    supplier: str
    from_: date = Field(alias="from")
    until: date = Field(description="the last day")
    holds: bool = Field(description="whether all that was imported is accounted for")
    totals: list[ReconciledRow]
    invoices: list[InvoicesOut]
    subscriptions: list[ReconciledRow]
    contracts: list[ReconciledRow]
    more_subscriptions: int = Field(description="that are not in the answer")
    more_contracts: int = Field(description="that are not in the answer")


@endpoint(router, "GET", "/suppliers/{supplier}/reconciliation", "usage.view", answer=ReconciliationOut)
def get_reconciliation(
    request: HttpRequest,
    supplier: Key,
    from_: Annotated[Day, Query(alias="from")],
    until: Annotated[Day, Query(description="the last day")],
    cause: Annotated[str, Query(max_length=20, description="only what differs for this cause")] = "",
) -> ReconciliationOut:
    """What a supplier charged in a period against what contracts say and customers were billed, with why they differ.

    Each day of each imported row is accounted for. Charges that cover more than the period count by their days in it.
    """
    if cause and cause not in CAUSES:
        raise Refused("invalid", "“%(cause)s” is no cause: choose one of %(causes)s.", cause=cause, causes=OF_CAUSES)
    asked, first, end = supplier_of(request, supplier), from_, until + DAY
    found = reconcile(asked, first, end)
    subscriptions, contracts = _asked(found.rows, cause), _asked(found.contracts, cause)
    return ReconciliationOut.model_validate(
        {
            "supplier": supplier,
            "from": found.first,
            "until": found.end - DAY,
            "holds": found.holds,
            "totals": [_row(row) for row in found.totals],
            "invoices": [_invoices(one) for one in invoices_against(asked, first, end, found)],
            "subscriptions": [_row(row) for row in subscriptions[:MOST_ROWS]],
            "contracts": [_row(row) for row in contracts[:MOST_ROWS]],
            "more_subscriptions": max(0, len(subscriptions) - MOST_ROWS),
            "more_contracts": max(0, len(contracts) - MOST_ROWS),
        }
    )


def _asked(rows: list[Row], cause: str) -> list[Row]:
    return [row for row in rows if cause in row.causes] if cause else rows


def _row(row: Row) -> ReconciledRow:
    return ReconciledRow(
        reference=row.reference, name=row.name, customer=row.customer,
        contracts=sorted({line.key for line in row.lines}), currency=row.currency, billed_in=row.billed_in,
        rows=row.rows, unpriced=row.unpriced, charged=plain(row.charged), said=_told(row.said),
        invoiced=plain(row.invoiced), margin=_told(row.margin), account=_account(row.account), causes=list(row.causes),
    )  # fmt: skip


def _invoices(one: Against) -> InvoicesOut:
    return InvoicesOut(
        currency=one.currency, invoices=[invoice.pk for invoice in one.invoices], claimed=plain(one.held.claimed),
        charged=plain(one.imported.cost), difference=plain(one.held.difference),
        invoiced=plain(one.billed or Fraction(0)), causes=list(one.held.causes),
    )  # fmt: skip


def _told(amount: Fraction | None) -> Told | None:
    return None if amount is None else plain(amount)


def _account(known: Account) -> AccountOut:
    return AccountOut(
        imported=_sum(known.imported), billed=_sum(known.billed), open=_sum(known.open), lost=_sum(known.lost),
        waiting={reason: _sum(value) for reason, value in known.waiting.items()},
        excluded={reason: _sum(value) for reason, value in known.excluded.items()}, holds=known.holds,
    )  # fmt: skip


def _sum(value: Sum) -> SumOut:
    return SumOut(quantity=plain(value.quantity), cost=plain(value.cost))
