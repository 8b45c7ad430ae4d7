"""EN 16931 XML: an `EInvoice` in the business terms of the standard, written by factur-x in one of both syntaxes."""

import re
from decimal import Decimal
from typing import Any

from facturx.generate_xml import generate_cii_xml, generate_ubl_xml
from lxml import etree

from taktura.einvoice.model import EInvoice, Line, Party, TaxSum
from taktura.einvoice.profiles import (
    OTHERWISE,
    PEPPOL,
    XRECHNUNG,
    XRECHNUNG_CII,
    ZUGFERD,
    electronic_address,
    vat_id_of,
)

RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"  # BT-23: the usual billing, asked for by XRechnung and Peppol
# BT-24: by which rules a document is made. What ZUGFeRD calls its profile EN 16931 is the standard itself.
GUIDELINES = {
    ZUGFERD: "urn:cen.eu:en16931:2017",
    XRECHNUNG: "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
    XRECHNUNG_CII: "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
    PEPPOL: "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
}
TYPES = {"invoice": "380", "credit_note": "381"}  # BT-3
DIRECT_DEBIT, SEPA_TRANSFER, TRANSFER, NONE_SAID = "59", "58", "30", "1"  # BT-81, UNTDID 4461
_NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
EXEMPT = {"AE": "VATEX-EU-AE", "G": "VATEX-EU-G"}  # BT-121


def xml_of(invoice: EInvoice, profile: str) -> bytes:
    """Return a document as XML: CII for `zugferd` and `xrechnung_cii`, else UBL. The same values give the same bytes.

    Whether all is there that the profile asks for says `lacks`, before.
    """
    terms = business_terms(invoice)
    if profile != ZUGFERD:
        terms["BT-23"] = PROCESS
    make = generate_cii_xml if profile in (ZUGFERD, XRECHNUNG_CII) else generate_ubl_xml
    made = make(terms, level="en16931", check_xsd=False, check_schematron=False)
    return _named(made, GUIDELINES[profile])


def _named(xml: bytes, guideline: str) -> bytes:
    """The guideline in place of the plain standard's, which factur-x writes; UBL's version is no part of EN 16931, and
    its schemas know no element that is said to be nil."""
    root = etree.fromstring(xml)
    place = f".//{{{RAM}}}GuidelineSpecifiedDocumentContextParameter/{{{RAM}}}ID"
    for one in [*root.iterfind(place), *root.iterfind(f"{{{CBC}}}CustomizationID")]:
        one.text = guideline
    for version in root.findall(f"{{{CBC}}}UBLVersionID"):
        root.remove(version)
    for empty in root.iterfind(f".//*[@{NIL}]"):
        del empty.attrib[NIL]
    return etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")


def business_terms(invoice: EInvoice) -> dict[str, Any]:
    """Return the document by the numbers of EN 16931, as factur-x takes it; what is empty is left out."""
    digits = invoice.digits
    firsts = [line.first_day for line in invoice.lines if line.first_day]
    lasts = [line.last_day for line in invoice.lines if line.last_day]
    terms = {
        "BT-1": invoice.number,
        "BT-2": invoice.issued_on,
        "BT-3": TYPES[invoice.kind],
        "BT-5": invoice.currency,
        "BT-9": invoice.due_on,
        "BT-10": invoice.buyer_reference,
        "BT-12": invoice.contract,
        "BT-20": invoice.terms,
        "BT-72": max((day for day in lasts if max(lasts) <= invoice.issued_on), default=None),  # a day that was
        "BT-73": min(firsts, default=None),
        "BT-74": max(lasts, default=None),
        "BG-1": [{"BT-22": "\n".join(invoice.notes)}] if invoice.notes else [],  # one (PEPPOL-EN16931-R002)
        "BG-3": [{"BT-25": number, "BT-26": day} for number, day in invoice.references],
        "BG-4": _seller(invoice.seller),
        "BG-7": _buyer(invoice.buyer),
        **_payment(invoice),
        "BG-23": [_tax(row, digits) for row in invoice.taxes],
        "BG-25": [_line(number, line, digits) for number, line in enumerate(invoice.lines, 1)],
        "BT-106": _amount(invoice.net, digits),
        "BT-109": _amount(invoice.net, digits),
        "BT-110": _amount(invoice.tax, digits),
        "BT-112": _amount(invoice.gross, digits),
        "BT-115": _amount(invoice.gross, digits),
    }
    return {term: _clean(value) for term, value in terms.items() if value}


def _clean(value: Any) -> Any:
    """Texts without the characters that XML does not have."""
    if isinstance(value, str):
        return _NOT_IN_XML.sub("", value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    return value


def _party(party: Party) -> dict[str, Any]:
    scheme, address = electronic_address(party)
    return {
        "name": party.name, "addr_l1": party.street, "city": party.city, "postcode": party.postcode,
        "country_code": OTHERWISE.get(party.country, party.country), "vat_identifier": vat_id_of(party),
        "einvoicing_addr": address,
        "einvoicing_addr_schemeid": scheme,
    }  # fmt: skip


def _seller(seller: Party) -> dict[str, Any]:
    """BG-4. Without a VAT id the tax number is its identifier, too (BR-CO-26)."""
    known: dict[str, Any] = {} if vat_id_of(seller) else {"identifiers": {None: seller.tax_number}}
    contact = {"name": seller.name, "phone": seller.phone, "email": seller.email}
    return {
        **_party(seller), **known, "tax_identifier": seller.tax_number, "legal_info": seller.legal,
        "contacts": [contact] if seller.phone or seller.email else [],
    }  # fmt: skip


def _buyer(buyer: Party) -> dict[str, Any]:
    return {
        **_party(buyer),
        "identifiers": {None: buyer.number} if buyer.number else {},
        "contacts": [{"email": buyer.email}] if buyer.email else [],
    }


def _payment(invoice: EInvoice) -> dict[str, Any]:
    """BG-16: by direct debit, else by transfer to the seller's account, by SEPA where it is in euros. Where nothing is
    to be paid no account is named, so that nobody's bookkeeping transfers what is credited."""
    if invoice.debit is not None:
        debit = invoice.debit
        means = {"BT-81": DIRECT_DEBIT, "BT-89": debit.mandate, "BT-90": debit.creditor, "BT-91": debit.account}
    elif invoice.iban and invoice.kind == "invoice" and invoice.gross > 0:
        means = {"BT-81": SEPA_TRANSFER if invoice.currency == "EUR" else TRANSFER, "BT-84": invoice.iban}
        means |= {"BT-85": invoice.seller.name, "BT-86": invoice.bic}
    else:
        means = {"BT-81": NONE_SAID}
    return means | {"BT-83": invoice.number}


def _tax(row: TaxSum, digits: int) -> dict[str, Any]:
    return {
        "BT-116": _amount(row.net, digits), "BT-117": _amount(row.tax, digits), "BT-118": row.category,
        "BT-119": _plain(row.rate), "BT-120": row.reason, "BT-121": EXEMPT.get(row.category, ""),
    }  # fmt: skip


def _line(number: int, line: Line, digits: int) -> dict[str, Any]:
    """BG-25. A price is never below zero (BR-27), so that the quantity has the sign. Where quantity times price is not
    the amount, the price is for the whole quantity (BT-149); of nothing there is one, with the amount as its price."""
    quantity, unit, price, base = abs(line.quantity), line.unit, line.price, None
    if not quantity and line.net:
        quantity, unit, price = Decimal(1), "C62", abs(line.net)
    elif price is None:
        price, base = abs(line.net), quantity or None
    below = line.net < 0 or line.quantity < 0 and not line.net
    written = {
        "BT-126": str(number),
        "BT-127-00": [{"BT-127": note} for note in line.notes],
        "BT-129": _plain(-quantity if below and quantity else quantity),
        "BT-130": unit,
        "BT-131": _amount(line.net, digits),
        "BT-134": line.first_day,
        "BT-135": line.last_day,
        "BT-146": _plain(abs(price)),
        "BT-149": _plain(base) if base is not None else "",
        "BT-151": line.category,
        "BT-152": _plain(line.rate),
        "BT-153": line.title,
        "BT-155": line.article,
    }
    return {term: value for term, value in written.items() if value}


def _amount(value: Decimal, digits: int) -> str:
    """An amount with the decimals of its currency; zero has no sign."""
    return format(value or abs(value), f".{digits}f")


def _plain(number: Decimal) -> str:
    """A number as XML has it: no exponent, no needless zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
