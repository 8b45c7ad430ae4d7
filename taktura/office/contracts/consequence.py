"""What a command does, ready to be shown: documents line by line in the reader's language, and the bills before and
after it. Nothing is calculated here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from taktura.billing.services import Bill, Consequence
from taktura.core.documents import DraftLine
from taktura.invoices.models import Document
from taktura.invoices.printing import notes_of
from taktura.invoices.services import Ready
from taktura.invoices.words import title_of
from taktura.office import show
from taktura.office.terms import amount_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLine:
    """A line of a document. `url` leads to its proof, once it is issued."""

    title: str
    period: str
    quantity: str
    price: str
    amount: str
    notes: list[str]
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document, compact. `number` is empty before it is issued; `corrects` are the documents that it names; `to`: the
    customer, where documents to several stand together."""

    kind: str
    number: str
    pk: int | None
    corrects: list[tuple[int, str]]
    lines: list[ShownLine]
    net: str
    taxes: list[tuple[str, str]]
    gross: str
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBill:
    """A bill that comes: its day, its documents, what is to be paid (less what is given back)."""

    on: date
    papers: list[Paper]
    total: str
    is_today: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A consequence. `same`: the next bill stays as it is. `refused`: why it cannot be done yet."""

    papers: list[Paper]
    before: ShownBill | None
    bills: list[ShownBill]
    refused: str
    ends: date | None
    same: bool


def shown(consequence: Consequence, currency: str, today: date) -> Shown:
    """A consequence in the reader's language."""
    every = [d for b in [*consequence.before, *consequence.bills] for d in b.documents]
    numbers = numbers_of([*consequence.documents, *every])
    before = [shown_bill(b, currency, today, numbers) for b in consequence.before]
    after = [shown_bill(b, currency, today, numbers) for b in consequence.bills]
    return Shown(
        papers=[paper_of(r, numbers) for r in consequence.documents],
        before=before[0] if before else None,
        bills=after,
        refused=show.refusal(consequence.refused) if consequence.refused else "",
        ends=consequence.ends,
        same=before[:1] == after[:1],
    )


def bills_of(bills: Sequence[Bill], currency: str, today: date) -> list[ShownBill]:
    """Bills that come, in one query."""
    numbers = numbers_of([d for b in bills for d in b.documents])
    return [shown_bill(b, currency, today, numbers) for b in bills]


def numbers_of(documents: Iterable[Ready]) -> dict[int, str]:
    """The numbers of the documents that others correct."""
    wanted = {pk for r in documents for pk in r.draft.references}
    return dict(Document.objects.filter(pk__in=wanted).values_list("pk", "number")) if wanted else {}


def shown_bill(bill: Bill, currency: str, today: date, numbers: dict[int, str]) -> ShownBill:
    """A bill that comes."""
    total = sum(r.draft.gross if r.draft.kind == "invoice" else -r.draft.gross for r in bill.documents)
    papers = [paper_of(r, numbers) for r in bill.documents]
    return ShownBill(on=bill.on, papers=papers, total=show.minor(total, currency), is_today=bill.on == today)


def paper_of(ready: Ready, numbers: dict[int, str]) -> Paper:
    """A document that is not issued. What it corrects may be one that the same command makes."""
    draft, currency = ready.draft, ready.currency
    return Paper(
        kind=draft.kind,
        number="",
        pk=None,
        corrects=[(pk, numbers[pk]) for pk in draft.references if pk in numbers],
        lines=[_line(x, currency) for x in draft.lines],
        net=show.minor(draft.net, currency),
        taxes=[(_vat(t.vat[1]), show.minor(t.tax, currency)) for t in draft.taxes],
        gross=show.minor(draft.gross, currency),
    )


def papers_of(documents: Iterable[int]) -> list[Paper]:
    """Issued documents, in a fixed number of queries."""
    found = Document.objects.filter(pk__in=list(documents)).order_by("id")
    rows = list(found.select_related("customer").prefetch_related("lines", "taxes", "references__corrects"))
    several = len({d.customer_id for d in rows}) > 1
    return [
        Paper(
            kind=d.kind,
            number=d.number,
            pk=d.pk,
            corrects=[(r.corrects_id, r.corrects.number) for r in d.references.all()],
            lines=[
                ShownLine(
                    title=x.title,
                    period=show.period(x.first, x.end) if x.first else "",
                    quantity=amount_of(x.quantity, x.unit),
                    price=show.price(x.unit_price, d.currency) if x.unit_price is not None else "",
                    amount=show.minor(x.amount, d.currency),
                    notes=_notes(x.note, x.unit, d.currency),
                    url=str(x.position),
                )
                for x in d.lines.all()
            ],
            net=show.minor(d.net, d.currency),
            taxes=[(_vat(t.rate), show.minor(t.tax, d.currency)) for t in d.taxes.all()],
            gross=show.minor(d.gross, d.currency),
            to=d.customer.name if several else "",
        )
        for d in rows
    ]


def _line(line: DraftLine, currency: str) -> ShownLine:
    entry, charge = line.entry, line.entry.charge
    first, end = (charge.first, charge.end) if charge else (entry.first, entry.end)
    return ShownLine(
        title=entry.title_in(show.language()) or title_of(entry.kind, show.language()),
        period=show.period(first, end) if first and end else show.day(first) if first else "",
        quantity=amount_of(line.quantity, entry.unit),
        price=show.price(entry.price, currency) if entry.price is not None else "",
        amount=show.minor(line.amount, currency),
        notes=_notes(entry.note, entry.unit, currency),
    )


def _notes(note: Mapping[str, Any], unit: str, currency: str) -> list[str]:
    return list(notes_of(note, unit, show.formats(currency)))


def _vat(rate: Decimal) -> str:
    return _("VAT %(rate)s") % {"rate": show.rate(rate)}
