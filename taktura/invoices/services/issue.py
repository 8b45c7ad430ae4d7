"""Issuing documents: numbers, frozen copies, a hash; a batch by COPY in the caller's transaction (R14.1, R14.2)."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from taktura.core.documents import Draft
from taktura.core.money import places
from taktura.customers.einvoices import profile_of
from taktura.customers.iban import masked
from taktura.customers.models import BillingInformation, Customer, Seller
from taktura.invoices.services.numbering import take_numbers
from taktura.invoices.services.states import write_states
from taktura.invoices.words import title_of
from taktura.kit.actor import Actor
from taktura.kit.bulk import copy_rows, take_ids
from taktura.kit.exact import json_text

DOCUMENT = (
    "id",
    "kind",
    "number",
    "seller_id",
    "customer_id",
    "contract_id",
    "issued_on",
    "issued_at",
    "due_on",
    "language",
    "currency",
    "digits",
    "prices_are",
    "net",
    "tax",
    "gross",
    "seller_data",
    "buyer_data",
    "reason",
    "hash",
)
LINE = (
    "id",
    "document_id",
    "position",
    "contract_id",
    "article",
    "title",
    "kind",
    "unit",
    "quantity",
    "unit_price",
    "amount",
    "net",
    "vat_category",
    "vat_rate",
    "first",
    "end",
    "credits_id",
    "note",
)
SELLER = (
    "name",
    "street",
    "postcode",
    "city",
    "country",
    "email",
    "phone",
    "vat_id",
    "tax_number",
    "registration",
    "bank_name",
    "iban",
    "bic",
    "electronic_address",
)
BUYER = ("name", "street", "postcode", "city", "country", "email", "vat_id", "tax_status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A draft with whom it goes to. `contract` is set where all its lines are of one contract."""

    draft: Draft
    customer: Customer
    contract: int | None
    currency: str
    gross_prices: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A document just issued: its id and number, and the ids of its lines in order."""

    id: int
    number: str
    ready: Ready
    lines: tuple[int, ...]


def issue(
    actor: Actor, *, seller: Seller, documents: Sequence[Ready], on: date, credited_lines: dict[int, int]
) -> list[Issued]:
    """Number, freeze and write documents, in their order. `credited_lines`: the document line of each credited charge.

    Raises `Refused` (`numbering_unconfirmed`).
    """
    if not documents:
        return []
    numbers = {
        kind: iter(taken)
        for kind, taken in take_numbers(seller.pk, Counter(d.draft.kind for d in documents), on).items()
    }
    ids = take_ids("invoices_document", len(documents))
    line_ids = iter(take_ids("invoices_documentline", sum(len(d.draft.lines) for d in documents)))
    issued, rows, lines, taxes, references = [], [], [], [], []
    seller_data = {f: getattr(seller, f) for f in SELLER}
    for pk, ready in zip(ids, documents, strict=True):
        number = next(numbers[ready.draft.kind])
        own = [next(line_ids) for _ in ready.draft.lines]
        line_rows = [
            _line(line_id, pk, position, line, ready, credited_lines)
            for position, (line_id, line) in enumerate(zip(own, ready.draft.lines, strict=True), 1)
        ]
        tax_rows = [(pk, t.vat[0], t.vat[1], t.net, t.tax) for t in ready.draft.taxes]
        row = _document(actor, pk, number, ready, ready.customer.billing_information, seller, seller_data, on)
        rows.append((*row, document_hash(row, line_rows, tax_rows, ready.draft.references)))
        lines += line_rows
        taxes += tax_rows
        references += [(pk, r) for r in ready.draft.references]
        issued.append(Issued(pk, number, ready, tuple(own)))
    copy_rows("invoices_document", DOCUMENT, rows)
    copy_rows("invoices_documentline", LINE, lines)
    copy_rows("invoices_documenttax", ("document_id", "category", "rate", "net", "tax"), taxes)
    if references:
        copy_rows("invoices_documentreference", ("document_id", "corrects_id"), references)
    write_states([*ids, *(corrected for _, corrected in references)])
    return issued


def rows_of(
    actor: Actor, ready: Ready, seller: Seller, on: date
) -> tuple[tuple[Any, ...], list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What the issue of a document would write: its row without number and hash, its lines, its taxes. Where billing
    information is missing altogether, the customer's name stands alone."""
    data = {f: getattr(seller, f) for f in SELLER}
    lines = [_line(0, 0, position, line, ready, {}) for position, line in enumerate(ready.draft.lines, 1)]
    taxes = [(0, t.vat[0], t.vat[1], t.net, t.tax) for t in ready.draft.taxes]
    info = getattr(ready.customer, "billing_information", None) or BillingInformation(name=ready.customer.name)
    return _document(actor, 0, "", ready, info, seller, data, on), lines, taxes


def document_hash(
    row: Sequence[Any], lines: Sequence[Sequence[Any]], taxes: Sequence[Sequence[Any]], references: Sequence[int]
) -> str:
    """SHA-256 over all that a document shows; rows in the order of `DOCUMENT` (without the hash) and `LINE`."""
    return hashlib.sha256(json_text([row, lines, taxes, sorted(references)]).encode()).hexdigest()


def _document(
    actor: Actor,
    pk: int,
    number: str,
    ready: Ready,
    info: BillingInformation,
    seller: Seller,
    seller_data: dict[str, Any],
    on: date,
) -> tuple[Any, ...]:
    customer, draft = ready.customer, ready.draft
    days = info.payment_days if info.payment_days is not None else seller.payment_days
    due = on + timedelta(days=days) if draft.kind == "invoice" else None
    buyer = {f: getattr(info, f) for f in BUYER} | {"customer": customer.key} | _beside(seller, customer, info, draft)
    return (
        pk,
        draft.kind,
        number,
        seller.pk,
        customer.pk,
        ready.contract,
        on,
        actor.now.astimezone(UTC),
        due,
        customer.language,
        ready.currency,
        places(ready.currency),
        "gross" if ready.gross_prices else "net",
        draft.net,
        draft.tax,
        draft.gross,
        seller_data,
        buyer,
        ready.reason,
    )


def _beside(seller: Seller, customer: Customer, info: BillingInformation, draft: Draft) -> dict[str, str]:
    """What a document keeps of the billing information where there is some: the debtor number, the head office, the
    format of its e-invoice with what that tells of the recipient, and that it is paid by direct debit: from where, by
    which mandate, and who collects it. Of the IBAN only what is printed is kept, unless there is an e-invoice."""
    kept = {}
    if info.debtor_number:
        kept["debtor_number"] = info.debtor_number
    if customer.head_office_id is not None and customer.head_office is not None:
        kept["head_office"] = customer.head_office.name
    if profile := profile_of(customer):
        kept["einvoice"] = profile
    for name in ("electronic_address", "buyer_reference"):
        if getattr(info, name):
            kept[name] = getattr(info, name)
    if info.direct_debit and draft.kind == "invoice" and draft.gross > 0:
        kept |= {"debit_iban": masked(info.iban), "mandate": info.mandate_reference}
        if seller.creditor_id:
            kept["creditor_id"] = seller.creditor_id
        if profile:
            kept["debit_account"] = info.iban  # an e-invoice names it in full (BT-91)
    return kept


def _line(
    line_id: int, document: int, position: int, line: Any, ready: Ready, credited_lines: dict[int, int]
) -> tuple[Any, ...]:
    entry, charge = line.entry, line.entry.charge
    kind = entry.kind or (charge.key.kind if charge else "")
    vat = charge.vat if charge else entry.vat
    credited = credited_lines.get(charge.credits) if charge and charge.credits is not None else None
    return (
        line_id,
        document,
        position,
        entry.contract,
        entry.article,
        entry.title_in(ready.customer.language) or title_of(kind, ready.customer.language),
        kind,
        entry.unit,
        line.quantity,
        entry.price,
        line.amount,
        line.net,
        vat[0],
        vat[1],
        charge.first if charge else entry.first,
        charge.end if charge else entry.end,
        credited or entry.source or None,
        dict(entry.note),
    )
