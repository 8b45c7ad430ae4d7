"""A supplier's own invoices of a period against the rows imported for it, and against what customers were billed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from taktura.billing.accounted import imported
from taktura.billing.reconciliation import Reconciliation
from taktura.core.money import places
from taktura.core.reconciling import WITHDRAWN, Sum
from taktura.core.supplier_invoices import INVOICE_CAUSES, Claim, Held, Imported, hold
from taktura.usage.models import Supplier, SupplierInvoice
from taktura.usage.queries import invoices_in, unread_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """A supplier's invoices of one currency against the imported rows of a period. `billed` to customers in the same
    currency; None where only the rows were looked at. Amounts are net and exact, in units of the currency."""

    currency: str
    invoices: list[SupplierInvoice]
    imported: Imported
    held: Held
    billed: Fraction | None = None


def invoices_against(supplier: Supplier, first: date, end: date, found: Reconciliation | None = None) -> list[Against]:
    """Hold a supplier's invoices against what was imported for `[first, end)`, by currency, differences first.

    `found`: the reconciliation of the same period, where there is one; it says what was billed. Else four queries.
    """
    rows, billed = (imported(supplier, first, end), None) if found is None else _of(found)
    invoices = invoices_in(supplier, first, end)
    unread = unread_rows(supplier, first, end) if invoices else 0
    against = [
        _against(currency, [i for i in invoices if i.currency == currency],
                 replace(rows.get(currency, Imported()), unread=unread), first, end, billed)
        for currency in sorted({*rows, *(i.currency for i in invoices)})
    ]  # fmt: skip
    return sorted(against, key=_grave)


def _against(
    currency: str, invoices: list[SupplierInvoice], rows: Imported, first: date, end: date,
    billed: Mapping[str, Fraction] | None,
) -> Against:  # fmt: skip
    claims = [Claim(first=i.first, end=i.end, net=Fraction(i.net)) for i in invoices]
    return Against(
        currency=currency, invoices=invoices, imported=rows, held=hold(claims, rows, first, end, places(currency)),
        billed=None if billed is None else billed.get(currency, Fraction(0)),
    )  # fmt: skip


def _of(found: Reconciliation) -> tuple[dict[str, Imported], dict[str, Fraction]]:
    rows: dict[str, Imported] = {}
    billed: dict[str, Fraction] = {}
    for total in found.totals:
        one = rows.get(total.currency, Imported())
        withdrawn = total.account.excluded.get(WITHDRAWN, Sum()).cost
        rows[total.currency] = replace(
            one, cost=one.cost + total.charged, rows=one.rows + total.rows, withdrawn=one.withdrawn + withdrawn
        )
        billed[total.billed_in] = billed.get(total.billed_in, Fraction(0)) + total.invoiced
    return {currency: one for currency, one in rows.items() if one.rows}, billed


def _grave(one: Against) -> tuple[int, Fraction, str]:
    causes = one.held.causes
    return (INVOICE_CAUSES.index(causes[0]) if causes else len(INVOICE_CAUSES), -abs(one.held.difference), one.currency)
