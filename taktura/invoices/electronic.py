"""From issued documents to e-invoices: only from the copies that they keep (R14.1), like what is printed.

Nothing is calculated here; amounts are the stored minor units, as decimals.
"""

from collections.abc import Mapping
from typing import Any, cast

from taktura.core.errors import Refused
from taktura.customers.einvoices import NAMES
from taktura.einvoice import (
    BY_XML,
    PROFILES,
    ZUGFERD,
    Debit,
    EInvoice,
    Line,
    Party,
    TaxSum,
    lacks,
    price_of,
    with_xml,
    xml_of,
)
from taktura.invoices.models import Document, DocumentLine
from taktura.invoices.printing import last_day, notes_of, pdf_of, view_of
from taktura.invoices.queries import exact
from taktura.invoices.rendering.formats import Formats, formats_of
from taktura.invoices.rendering.page import WITHOUT_VAT, payment_of
from taktura.invoices.rendering.words import words_of

# Units of UN/ECE recommendation 20; what is not among them is counted as one (C62), and its name stands in a note.
UNITS = {
    "piece": "C62", "second": "SEC", "minute": "MIN", "hour": "HUR", "day": "DAY", "week": "WEE", "month": "MON",
    "year": "ANN", "MB": "4L", "GB": "E34", "TB": "E35", "kWh": "KWH", "km": "KMT", "kg": "KGM",
}  # fmt: skip
ONE = "C62"


def profile_kept(document: Document) -> str:
    """The profile in which a document goes to its recipient, as it was when it was issued; empty: PDF alone."""
    found = str(document.buyer_data.get("einvoice", ""))
    return found if found in PROFILES else ""


def lacking(document: Document) -> dict[str, tuple[str, ...]]:
    """What a document lacks for each profile, as `seller.phone`; where it lacks nothing it can be made."""
    invoice = einvoice_of(document)
    return {profile: lacks(invoice, profile) for profile in PROFILES}


def xml_file(document: Document, profile: str) -> bytes:
    """Return a document as XML in one of `PROFILES`; the same bytes each time (R14.1).

    Raises `Refused` (`invalid`: no such profile; `billing_information_missing`: it lacks something, which is named).
    """
    if profile not in PROFILES:
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=profile, known=", ".join(PROFILES),
                      field="profile")  # fmt: skip
    invoice = einvoice_of(document)
    if missing := lacks(invoice, profile):
        raise Refused(
            "billing_information_missing", "%(number)s cannot be %(format)s, for it does not say: %(fields)s. A"
            " document stays as it was issued: enter what is missing, credit it and issue it anew.",
            number=document.number, format=NAMES[profile], fields=", ".join(missing),
        )  # fmt: skip
    return xml_of(invoice, profile)


def sent_pdf(document: Document, profile: str = "") -> bytes:
    """Return an issued document as PDF/A-3b in its recipient's language; the same bytes each time (R14.1).

    With the XML in it where that is its own profile, or `profile` is `zugferd` (raises `Refused` as `xml_file` does).
    """
    pdf = pdf_of(document)
    if profile == ZUGFERD:
        return with_xml(pdf, xml_file(document, ZUGFERD), document.issued_on)
    if profile_kept(document) != ZUGFERD:
        return pdf
    invoice = einvoice_of(document)
    return pdf if lacks(invoice, ZUGFERD) else with_xml(pdf, xml_of(invoice, ZUGFERD), document.issued_on)


def sent_xml(document: Document) -> bytes | None:
    """The XML file that goes to the recipient beside the PDF; None where the profile has none, or cannot be made."""
    profile = profile_kept(document)
    if profile not in BY_XML:
        return None
    invoice = einvoice_of(document)
    return None if lacks(invoice, profile) else xml_of(invoice, profile)


def einvoice_of(document: Document) -> EInvoice:
    """Return what an issued document tells as an e-invoice, in six queries at most."""
    view, buyer, digits = view_of(document), document.buyer_data, document.digits
    words, formats = words_of(document.language), formats_of(document.language, document.currency)
    corrects = sorted((r.corrects for r in document.references.all()), key=lambda corrected: corrected.pk)
    return EInvoice(
        kind=view.kind,
        number=document.number,
        issued_on=document.issued_on,
        due_on=document.due_on,
        currency=document.currency,
        digits=digits,
        seller=_seller(document.seller_data),
        buyer=_buyer(buyer),
        buyer_reference=buyer.get("buyer_reference", "").strip() or buyer["customer"],
        contract=document.contract.key if document.contract else "",
        references=tuple((one.number, one.issued_on) for one in corrects),
        lines=tuple(_line(line, document, formats) for line in document.lines.all()),
        taxes=tuple(
            TaxSum(
                category=row.category, rate=row.rate, net=exact(row.net, digits), tax=exact(row.tax, digits),
                reason=words[row.category] if row.category in WITHOUT_VAT else "",
            )
            for row in document.taxes.all()
        ),
        net=view.net,
        tax=view.tax,
        gross=view.gross,
        terms=" ".join(text for text in payment_of(view, formats) if text),
        notes=view.notes,
        iban=document.seller_data["iban"],
        bic=document.seller_data["bic"],
        debit=_debit(buyer),
    )  # fmt: skip


def _seller(data: Mapping[str, str]) -> Party:
    names = ("name", "street", "postcode", "city", "country", "vat_id", "tax_number", "email", "phone")
    return Party(
        legal=data["registration"], address=data.get("electronic_address", ""), **{name: data[name] for name in names}
    )


def _buyer(data: Mapping[str, str]) -> Party:
    names = ("name", "street", "postcode", "city", "country", "vat_id", "email")
    return Party(
        number=data["customer"], address=data.get("electronic_address", ""), **{name: data[name] for name in names}
    )


def _debit(data: Mapping[str, str]) -> Debit | None:
    """By direct debit. A document that went out as PDF alone kept the masked IBAN, which is no account to be told."""
    if not data.get("debit_iban"):
        return None
    return Debit(
        mandate=data.get("mandate", ""), creditor=data.get("creditor_id", ""), account=data.get("debit_account", "")
    )


def _line(line: DocumentLine, document: Document, formats: Formats) -> Line:
    net = exact(line.net, document.digits)
    unit = UNITS.get(line.unit, ONE)
    price = line.unit_price if document.prices_are == "net" else None
    price = price_of(line.quantity, price, net, document.digits)
    return Line(
        title=line.title,
        article=line.article,
        net=net,
        category=line.vat_category,
        rate=line.vat_rate,
        quantity=line.quantity,
        unit=unit,
        price=price,
        notes=tuple(_notes(line, document, formats, priced=price is not None)),
        first_day=line.first,
        last_day=cast(Any, last_day(line.first, line.end)),
    )


def _notes(line: DocumentLine, document: Document, formats: Formats, *, priced: bool) -> list[str]:
    """What stands below the line on paper, and what only the table shows there: its contract, its unit, and the price
    of a unit where the e-invoice has that of all."""
    words, found = words_of(document.language), []
    if document.contract_id is None and line.contract is not None:
        found.append(f"{words['contract']} {line.contract.key}")
    if line.unit and line.unit not in UNITS:
        found.append(f"{words['quantity']}: {formats.quantity(line.quantity)} {line.unit}")
    if line.unit_price is not None and not priced:
        basis = f" ({words['line_gross']})" if document.prices_are == "gross" else ""
        found.append(f"{words['unit_price']}{basis}: {formats.unit_price(line.unit_price)}")
    return found + [text for text in notes_of(line.note, line.unit, formats, document.reason) if text.strip()]
