"""Why a line of a document has its amount: from the line to the usage behind it."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from taktura.billing.models import Charge
from taktura.core.errors import Refused
from taktura.core.money import Money
from taktura.invoices.models import Document, DocumentLine
from taktura.usage.store import rows_behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A line with its charge's proof, and the usage records that it was made from."""

    document: str
    position: int
    title: str
    amount: Decimal
    currency: str
    proof: dict[str, Any]
    first: date | None
    end: date | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    credited_document: str = ""


def explain(document: Document, position: int) -> Explanation:
    """Explain a line; raises `Refused` (`not_found`)."""
    line = DocumentLine.objects.filter(document=document, position=position).first()
    if line is None:
        raise Refused("not_found", "%(number)s has no line %(line)s.", number=document.number, line=position)
    charge = Charge.objects.filter(document_line=line).first()
    proof: dict[str, Any] = charge.proof if charge else {"rule": "R18", "note": "not a charge of a contract"}
    rows = []
    usage = proof.get("usage")
    if usage:
        rows = rows_behind(
            usage["line"], date.fromisoformat(usage["from"]), date.fromisoformat(usage["until"]), usage["mark"]
        )
    credited = ""
    if line.credits_id is not None:
        credited = DocumentLine.objects.select_related("document").get(pk=line.credits_id).document.number
    return Explanation(
        document=document.number,
        position=position,
        title=line.title,
        amount=Money(line.net, document.digits).exact,
        currency=document.currency,
        proof=proof,
        first=line.first,
        end=line.end,
        rows=rows,
        credited_document=credited,
    )
