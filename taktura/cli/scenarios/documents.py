"""Documents in the words of the scenario format."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from taktura.contracts.models import Contract
from taktura.core.money import Money, places
from taktura.invoices.models import Document
from taktura.invoices.services import Ready


def described(documents: QuerySet[Document]) -> list[dict[str, Any]]:
    """Issued documents with all that can be expected of them; credit notes first, as they are issued."""
    rows = documents.select_related("customer", "contract").prefetch_related("lines", "taxes", "references__corrects")
    found = [_document(d) for d in rows]
    return sorted(found, key=lambda d: d["kind"] != "credit_note")


def _document(document: Document) -> dict[str, Any]:
    def exact(minor: int) -> Decimal:
        return Money(minor, document.digits).exact

    return {
        "kind": document.kind,
        "contract": document.contract.key if document.contract else None,
        "customer": document.customer.key,
        "net": exact(document.net),
        "tax": exact(document.tax),
        "gross": exact(document.gross),
        "number": document.number,
        "references": [r.corrects.number for r in document.references.all()],
        "lines": [
            {
                "article": line.article,
                "title": line.title,
                "kind": line.kind,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "net": exact(line.net),
                "vat": line.vat_rate,
                "from": line.first,
                "until": line.end,
            }
            for line in document.lines.all()
        ],
        "taxes": [
            {"rate": t.rate, "category": t.category, "net": exact(t.net), "tax": exact(t.tax)}
            for t in document.taxes.all()
        ],
    }


def described_ready(ready: Ready) -> dict[str, Any]:
    """A document of a preview in the same words; it has no number."""
    draft, digits = ready.draft, places(ready.currency)

    def exact(minor: int) -> Decimal:
        return Money(minor, digits).exact

    return {
        "kind": draft.kind,
        "contract": _key(ready.contract),
        "customer": ready.customer.key,
        "net": exact(draft.net),
        "tax": exact(draft.tax),
        "gross": exact(draft.gross),
        "number": None,
        "references": _numbers(draft.references),
        "lines": [
            {
                "article": row.entry.article,
                "title": row.entry.title,
                "kind": row.entry.kind,
                "quantity": row.quantity,
                "unit_price": row.entry.price,
                "net": exact(row.net),
                "vat": (row.entry.charge.vat if row.entry.charge else row.entry.vat)[1],
                "from": row.entry.charge.first if row.entry.charge else row.entry.first,
                "until": row.entry.charge.end if row.entry.charge else row.entry.end,
            }
            for row in draft.lines
        ],
        "taxes": [
            {"rate": t.vat[1], "category": t.vat[0], "net": exact(t.net), "tax": exact(t.tax)} for t in draft.taxes
        ],
    }


def _key(contract: int | None) -> str | None:
    return Contract.objects.values_list("key", flat=True).get(pk=contract) if contract is not None else None


def _numbers(documents: Iterable[int]) -> list[str]:
    return list(Document.objects.filter(pk__in=list(documents)).order_by("id").values_list("number", flat=True))
