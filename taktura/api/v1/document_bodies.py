"""Documents as they are told: issued ones, and those that a preview shows."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from taktura.api.fields import Day, Out, Told
from taktura.contracts.models import Contract
from taktura.core.money import places
from taktura.invoices.electronic import profile_kept
from taktura.invoices.models import Document, DocumentLine
from taktura.invoices.queries import exact
from taktura.invoices.services import Ready
from taktura.invoices.words import title_of
from taktura.kit.bulk import among


class DocumentLineOut(Out):
    """A line of a document; `line` counts from 1. `unit_price` is for one unit, null where there is no single one."""

    line: int
    contract: str | None
    article: str
    title: str
    kind: str
    unit: str
    quantity: Told
    unit_price: Told | None
    net: Told
    vat: Told
    category: str = Field(description="VAT category of EN 16931")
    from_: Day | None = Field(validation_alias="from", serialization_alias="from")
    until: date | None


class TaxOut(Out):
    """The sums of one VAT category and rate."""

    category: str
    rate: Told
    net: Told
    tax: Told


class DraftOut(Out):
    """A document that a preview shows: as it would be issued, without a number."""

    kind: str
    customer: str
    contract: str | None
    currency: str
    net: Told
    tax: Told
    gross: Told
    references: list[str] = Field(description="numbers of the documents that it corrects")
    lines: list[DocumentLineOut]
    taxes: list[TaxOut]


class DocumentSummary(Out):
    """An issued document without its lines."""

    id: int
    kind: str
    number: str
    customer: str
    contract: str | None
    issued_on: date
    issued_at: datetime
    due_on: date | None
    currency: str
    net: Told
    tax: Told
    gross: Told
    open: Told | None = Field(description="what is still to be paid of an invoice; null for a credit note")
    status: str | None = Field(description="open, partly_paid, paid or credited; null for a credit note")
    einvoice: str = Field(description="the profile in which it goes to its recipient; empty: PDF alone")


class DocumentOut(DocumentSummary):
    """An issued document with all that it shows; but for what is open it never changes."""

    language: str
    prices_are: str
    reason: str
    hash: str = Field(description="SHA-256 over all that it shows")
    references: list[str] = Field(description="numbers of the documents that it corrects")
    seller: dict[str, str]
    recipient: dict[str, str]
    lines: list[DocumentLineOut]
    taxes: list[TaxOut]


def summary_of(document: Document) -> DocumentSummary:
    """A document (with customer and contract) without its lines."""
    return DocumentSummary(**_head(document))


def documents_out(ids: Iterable[int]) -> list[DocumentOut]:
    """Issued documents by id with all that they show, in the order of issue, in a fixed number of queries."""
    rows = Document.objects.filter(pk__in=among(ids)).order_by("id").select_related("customer", "contract", "state")
    return [document_out(d) for d in rows.prefetch_related("lines__contract", "taxes", "references__corrects")]


def document_out(document: Document) -> DocumentOut:
    """An issued document with all that it shows."""
    digits = document.digits
    return DocumentOut(
        **_head(document), language=document.language, prices_are=document.prices_are, reason=document.reason,
        hash=document.hash, references=[r.corrects.number for r in document.references.all()],
        seller={k: str(v) for k, v in document.seller_data.items()},
        recipient={k: str(v) for k, v in document.buyer_data.items() if k != "debit_account"},
        lines=[_line(line, digits) for line in document.lines.all()],
        taxes=[
            TaxOut(category=t.category, rate=t.rate, net=exact(t.net, digits), tax=exact(t.tax, digits))
            for t in document.taxes.all()
        ],
    )  # fmt: skip


def _head(document: Document) -> dict[str, Any]:
    digits = document.digits
    return {
        "id": document.pk,
        "kind": document.kind,
        "number": document.number,
        "customer": document.customer.key,
        "contract": document.contract.key if document.contract else None,
        "issued_on": document.issued_on,
        "issued_at": document.issued_at,
        "due_on": document.due_on,
        "currency": document.currency,
        "net": exact(document.net, digits),
        "tax": exact(document.tax, digits),
        "gross": exact(document.gross, digits),
        "open": exact(document.state.open, digits) if document.kind == "invoice" else None,
        "status": document.state.payment or None,
        "einvoice": profile_kept(document),
    }


def _line(line: DocumentLine, digits: int) -> DocumentLineOut:
    return DocumentLineOut(
        line=line.position, contract=line.contract.key if line.contract else None, article=line.article,
        title=line.title, kind=line.kind, unit=line.unit, quantity=line.quantity, unit_price=line.unit_price,
        net=exact(line.net, digits), vat=line.vat_rate, category=line.vat_category, from_=line.first, until=line.end,
    )  # fmt: skip


def drafts_out(ready: Sequence[Ready]) -> list[DraftOut]:
    """Documents of a preview, in two queries whatever their number."""
    contracts = {e.contract for r in ready for e in (line.entry for line in r.draft.lines)} | {
        r.contract for r in ready
    }
    keys: dict[int | None, str] = dict(
        Contract.objects.filter(pk__in=among(c for c in contracts if c is not None)).values_list("pk", "key")
    )  # fmt: skip
    corrected = {pk for r in ready for pk in r.draft.references}
    numbers = dict(Document.objects.filter(pk__in=among(corrected)).values_list("pk", "number"))
    return [_draft(r, keys, numbers) for r in ready]


def _draft(ready: Ready, keys: dict[int | None, str], numbers: dict[int, str]) -> DraftOut:
    draft, digits = ready.draft, places(ready.currency)

    def amount(minor: int) -> Decimal:
        return exact(minor, digits)

    lines = []
    for position, row in enumerate(draft.lines, 1):
        entry, charge = row.entry, row.entry.charge
        kind = entry.kind or (charge.key.kind if charge else "")
        category, rate = charge.vat if charge else entry.vat
        shown = DocumentLineOut(
            line=position,
            contract=keys.get(entry.contract),
            article=entry.article,
            title=entry.title_in(ready.customer.language) or title_of(kind, ready.customer.language),
            kind=kind,
            unit=entry.unit,
            quantity=row.quantity,
            unit_price=entry.price,
            net=amount(row.net),
            vat=rate,
            category=category,
            from_=charge.first if charge else entry.first,
            until=charge.end if charge else entry.end,
        )
        lines.append(shown)
    return DraftOut(
        kind=draft.kind, customer=ready.customer.key, contract=keys.get(ready.contract), currency=ready.currency,
        net=amount(draft.net), tax=amount(draft.tax), gross=amount(draft.gross),
        references=[numbers[pk] for pk in sorted(draft.references) if pk in numbers], lines=lines,  # else foreseen too
        taxes=[
            TaxOut(category=t.vat[0], rate=t.vat[1], net=amount(t.net), tax=amount(t.tax)) for t in draft.taxes
        ],
    )  # fmt: skip
