"""From issued documents to what is printed: only from the copies that they keep (R14.1), never from what holds today.
Drafts print what their issue would keep.

Nothing is calculated here; amounts are the stored minor units, as decimals.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from django.db.models import prefetch_related_objects

from taktura.contracts.models import Contract
from taktura.core.money import plain
from taktura.core.periods import DAY
from taktura.invoices.models import Document, DocumentLine, DocumentTax
from taktura.invoices.queries import exact
from taktura.invoices.rendering import DocumentView, LineView, Party, SellerParty, TaxView, render_pdf
from taktura.invoices.rendering.formats import Formats, formats_of
from taktura.invoices.rendering.view import Basis, Kind
from taktura.invoices.rendering.words import unit_word, words_of
from taktura.invoices.services.issue import DOCUMENT, LINE, Ready, rows_of
from taktura.kit.actor import Actor


def pdf_of(document: Document) -> bytes:
    """Return an issued document as PDF/A-3b in its recipient's language, as people read it; what is sent is
    `electronic.sent_pdf`."""
    return render_pdf(view_of(document))


def view_of(document: Document) -> DocumentView:
    """Return what an issued document prints, in six queries at most."""
    return views_of([document])[0]


def load(documents: Sequence[Document]) -> None:
    """Read what issued documents print along with them, in six queries at most whatever their number; a document that
    has it already is left alone."""
    prefetch_related_objects(documents, "contract", "lines__contract", "taxes", "references__corrects")


def views_of(documents: Iterable[Document]) -> list[DocumentView]:
    """Return what issued documents print, in their order, in six queries at most whatever their number.

    Periods have their last day included (R2.1), a credit note positive amounts and the numbers of the documents that it
    corrects, oldest first. Raises `ValueError` for a document that does not add up.
    """
    rows = list(documents)
    load(rows)
    return [
        _view(
            document,
            document.contract,
            list(document.lines.all()),
            list(document.taxes.all()),
            sorted((r.corrects for r in document.references.all()), key=lambda corrected: corrected.pk),
        )
        for document in rows
    ]


def views_of_ready(actor: Actor, documents: Sequence[Ready], on: date) -> list[DocumentView]:
    """Return what documents would print if they were issued on a day: without numbers (R14.2), marked as previews.

    In two queries at most whatever their number, where the customers come with seller and billing information.
    """
    named = {line.entry.contract for ready in documents for line in ready.draft.lines}
    named |= {ready.contract for ready in documents}
    contracts = Contract.objects.in_bulk([pk for pk in named if pk is not None])
    corrected = Document.objects.only("number").in_bulk({pk for d in documents for pk in d.draft.references})
    views = []
    for ready in documents:
        row, line_rows, tax_rows = rows_of(actor, ready, ready.customer.seller, on)
        lines = [DocumentLine(**dict(zip(LINE, values, strict=True))) for values in line_rows]
        for line in lines:
            line.contract = contracts.get(line.contract_id or 0)
        taxes = [DocumentTax(category=c, rate=rate, net=net, tax=tax) for _, c, rate, net, tax in tax_rows]
        document = Document(**dict(zip(DOCUMENT[:-1], row, strict=True)))
        corrects = [corrected[pk] for pk in sorted(ready.draft.references) if pk in corrected]  # else foreseen too
        views.append(_view(document, contracts.get(ready.contract or 0), lines, taxes, corrects, preview=True))
    return views


def _view(
    document: Document,
    contract: Contract | None,
    rows: Sequence[DocumentLine],
    tax_rows: Sequence[DocumentTax],
    corrects: Sequence[Document],
    *,
    preview: bool = False,
) -> DocumentView:
    buyer, digits = document.buyer_data, document.digits
    words = words_of(document.language)
    lines = tuple(_line(line, document) for line in rows)
    taxes = tuple(
        TaxView(category=t.category, rate=t.rate, net=exact(t.net, digits), tax=exact(t.tax, digits)) for t in tax_rows
    )
    return DocumentView(
        kind=cast(Kind, document.kind),
        number=document.number,
        issued_on=document.issued_on,
        due_on=document.due_on,
        language=document.language,
        currency=document.currency,
        seller=seller_of(document.seller_data),
        buyer=Party(name=buyer["name"], lines=address_of(buyer), country=buyer["country"], vat_id=buyer["vat_id"]),
        lines=lines,
        taxes=taxes,
        net=exact(document.net, digits),
        tax=exact(document.tax, digits),
        gross=exact(document.gross, digits),
        customer_number=buyer["customer"],
        debtor_number=buyer.get("debtor_number", ""),
        head_office=buyer.get("head_office", ""),
        debit_iban=buyer.get("debit_iban", ""),
        mandate=buyer.get("mandate", ""),
        creditor_id=buyer.get("creditor_id", ""),
        contract_number=contract.key if contract else "",
        references=tuple(corrected.number for corrected in corrects),
        notes=(words["reason"].format(reason=document.reason),) if document.reason else (),
        prices_are=cast(Basis, document.prices_are),
        preview=preview,
    )


def seller_of(data: Mapping[str, str]) -> SellerParty:
    """The seller as printed, from its columns or their copy."""
    names = ("name", "country", "vat_id", "email", "phone", "tax_number", "registration", "bank_name", "iban", "bic")
    return SellerParty(lines=address_of(data), **{name: data[name] for name in names})


def address_of(data: Mapping[str, str]) -> tuple[str, ...]:
    """Street, then postcode and city; without the country."""
    place = " ".join(text for text in (data["postcode"], data["city"]) if text)
    return tuple(text for text in (data["street"], place) if text)


def _line(line: DocumentLine, document: Document) -> LineView:
    language, digits = document.language, document.digits
    formats = formats_of(language, document.currency)
    several = document.contract_id is None and line.contract is not None
    return LineView(
        title=line.title,
        note="\n".join(notes_of(line.note, line.unit, formats, document.reason)),
        contract=line.contract.key if several and line.contract else "",
        quantity=line.quantity,
        unit=unit_word(line.unit, line.quantity, language),
        unit_price=line.unit_price,
        amount=exact(line.amount, digits),
        net=exact(line.net, digits),
        vat_category=line.vat_category,
        vat_rate=line.vat_rate,
        first_day=line.first,
        last_day=last_day(line.first, line.end),
    )


def last_day(first: date | None, end: date | None) -> date | None:
    """The last day included of `[first, end)`; a span of no days is the day itself."""
    if end is None:
        return None
    return end - DAY if first is None or end > first else first


def notes_of(note: Mapping[str, Any], unit: str, formats: Formats, reason: str = "") -> Iterator[str]:
    """How a line came to its amount, from the note kept with it, in the language of the formats; a text a line.
    `reason`: what the document says already."""
    words = words_of(formats.language)
    if "name" in note:
        yield str(note["name"])
    if "n" in note and 0 < (days := int(note["b"]) - int(note["a"])) < int(note["n"]):
        yield words["days"].format(days=days, of=note["n"])
    if "logged" in note:
        yield words["logged"].format(minutes=note["logged"], rate=formats.money(Decimal(note["hourly_rate"])))
    if "included_hours" in note:
        yield words["included_hours"].format(minutes=note["included_hours"])
    for key in ("used", "minimum_quantity", "included_used"):
        if key in note and (quantity := _number(note[key])):
            number = formats.quantity(quantity)
            word = unit_word(unit, quantity, formats.language)
            yield words[key].format(quantity=f"{number}\u00a0{word}" if word else number)
    if "instead" in note:
        now, before = (formats.money(Decimal(amount)) for amount in note["instead"])
        yield words["instead"].format(now=now, before=before)
    if "tiers" in note:
        yield words["tiers"]
    if "package" in note:
        yield words["package"]
    if "discount_scale" in note:
        yield words["discount_scale"].format(rate=formats.rate(_number(note["discount_scale"])))
    own = str(note.get("reason") or "")
    if "discount" in note:
        discount = words["discount"].format(rate=formats.rate(_number(note["discount"])))
        yield f"{discount} ({own})" if own else discount
    elif own and own != reason:
        yield own


def _number(text: str) -> Decimal:
    """A stored number or fraction (`100/3`) as a decimal of at most 12 decimals, to show."""
    return plain(Fraction(text))
