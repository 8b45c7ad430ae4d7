"""The last bill of contracts, as a run issued it, and a bill that comes, both as the core compares them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from taktura.billing.ledger import COLUMNS, charge_of
from taktura.core.comparison import Bill, BillLine
from taktura.core.tax import Vat, tax_of_net
from taktura.invoices.services import Ready

NAMES = tuple(name for name in COLUMNS if name != "proof")

# What the last run that billed something of a contract put on documents. What changes, interim bills and persons issue
# has an instant of its own; all that one run issues has that of the run.
_LAST = f"""
WITH seen AS (
    SELECT c.contract_id, c.document_id, rank() OVER (PARTITION BY c.contract_id ORDER BY d.issued_at DESC) AS place
    FROM billing_charge c JOIN invoices_document d ON d.id = c.document_id
    WHERE c.contract_id = ANY(%s) AND EXISTS (
        SELECT 1 FROM billing_billingrun r
        WHERE r.seller_id = d.seller_id AND r."on" = d.issued_on AND r.started_at = d.issued_at
    )
)
SELECT {", ".join(f'c."{name}"' for name in NAMES)},
    c.proof, s.contract_id, l.kind, l.title, l.net, l.amount, l.vat_category, l.vat_rate,
    d.id, d.kind, d.number, d.issued_on, d.prices_are, d.tax, d.contract_id
FROM (SELECT DISTINCT contract_id, document_id FROM seen WHERE place = 1) s
JOIN invoices_document d ON d.id = s.document_id
JOIN invoices_documentline l ON l.document_id = d.id
    AND (l.contract_id = s.contract_id OR l.contract_id IS NULL AND d.contract_id = s.contract_id)
LEFT JOIN billing_charge c ON c.document_line_id = l.id ORDER BY l.document_id, l.position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """The last bill of a contract, and its documents: (id, number, kind) each."""

    bill: Bill
    documents: tuple[tuple[int, str, str], ...]


@dataclass(slots=True)
class _Found:
    """What was read of one contract: its lines, its documents, and the VAT of each; of a document of several contracts
    the sums from which its part of the VAT comes."""

    on: date
    lines: list[BillLine]
    documents: dict[int, tuple[int, str, str]]
    taxes: dict[int, int]
    parts: dict[tuple[int, Vat, int, bool], list[int]]

    def issued(self) -> Issued:
        tax = sum(self.taxes.values())
        for (_, vat, sign, gross), (net, amount) in self.parts.items():
            tax += sign * (amount - net if gross else tax_of_net(net, vat[1]))
        return Issued(bill=Bill(on=self.on, lines=tuple(self.lines), tax=tax), documents=tuple(self.documents.values()))


def last_issued(contracts: Iterable[int]) -> dict[int, Issued]:
    """The last bill of each contract that a run has billed, in one query. Of a document of several contracts only the
    contract's own lines, with their VAT."""
    found: dict[int, _Found] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LAST, [list(contracts)])
        for row in cursor.fetchall():
            _read(found, row)
    return {pk: one.issued() for pk, one in found.items()}


def _read(found: dict[int, _Found], row: tuple[Any, ...]) -> None:
    proof, pk, kind, title, net, amount, category, rate, document, of, number, on, prices, tax, owner = row[
        len(NAMES) :
    ]
    charge = charge_of(row[: len(NAMES)], proof) if row[0] is not None else None
    vat, sign = (category, rate), -1 if of == "credit_note" else 1
    one = found.setdefault(pk, _Found(on, [], {}, {}, defaultdict(lambda: [0, 0])))
    one.documents[document] = (document, number, of)
    one.lines.append(
        BillLine(
            line=charge.key.line if charge else None, kind=charge.key.kind if charge else kind, title=title,
            net=sign * net, vat=vat, charge=charge,
        )
    )  # fmt: skip
    if owner == pk:
        one.taxes[document] = sign * tax
    else:
        sums = one.parts[document, vat, sign, prices == "gross"]
        sums[0] += net
        sums[1] += amount


def coming(on: date, documents: Iterable[Ready]) -> Bill:
    """A bill that comes: one contract's documents, as a run on the day would issue them."""
    lines, tax = [], 0
    for ready in documents:
        sign = -1 if ready.draft.kind == "credit_note" else 1
        tax += sign * ready.draft.tax
        for row in ready.draft.lines:
            entry, charge = row.entry, row.entry.charge
            lines.append(
                BillLine(
                    line=charge.key.line if charge else None,
                    kind=charge.key.kind if charge else entry.kind,
                    title=entry.title,
                    titles=entry.titles,
                    net=sign * row.net,
                    vat=charge.vat if charge else (entry.vat[0], Decimal(entry.vat[1])),
                    charge=charge,
                )
            )
    return Bill(on=on, lines=tuple(lines), tax=tax)
