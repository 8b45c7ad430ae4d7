"""E-invoices: an issued document as EN 16931 XML (XRechnung, Peppol BIS) or within its PDF (ZUGFeRD, Factur-X)."""

from taktura.einvoice.model import Debit, EInvoice, Line, Party, TaxSum, price_of
from taktura.einvoice.pdf import with_xml
from taktura.einvoice.profiles import (
    BY_XML,
    PEPPOL,
    PROFILES,
    XRECHNUNG,
    XRECHNUNG_CII,
    ZUGFERD,
    is_address,
    lacks,
    lacks_of_buyer,
    lacks_of_seller,
    needs_creditor,
    vat_id_of,
)
from taktura.einvoice.xml import xml_of

__all__ = [
    "BY_XML", "PROFILES", "PEPPOL", "XRECHNUNG", "XRECHNUNG_CII", "ZUGFERD", "Debit", "EInvoice", "Line", "Party",
    "TaxSum", "is_address", "lacks", "lacks_of_buyer", "lacks_of_seller", "needs_creditor", "price_of", "vat_id_of",
    "with_xml", "xml_of",
]  # fmt: skip
