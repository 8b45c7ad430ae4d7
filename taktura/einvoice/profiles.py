"""The profiles in which an e-invoice is sent, and what each asks of a document."""

import re
from collections.abc import Callable

from stdnum import ean
from stdnum.au import abn
from stdnum.be import vat as belgian
from stdnum.no import orgnr as norwegian
from stdnum.se import orgnr

from taktura.einvoice.model import EInvoice, Party

ZUGFERD, XRECHNUNG, XRECHNUNG_CII, PEPPOL = "zugferd", "xrechnung", "xrechnung_cii", "peppol"
BY_XML = (XRECHNUNG, XRECHNUNG_CII, PEPPOL)  # an XML file of its own; ZUGFeRD stands within the PDF
PROFILES = (ZUGFERD, *BY_XML)

_FORM = re.compile(r"(\d{4}|EM):(\S{1,100})", re.ASCII)
MAIL = "EM"  # the scheme of an e-mail address; on Peppol's network nobody has one
# The EAS list (electronic address scheme), as far as both EN 16931 and Peppol have it.
SCHEMES = frozenset({
    "0002", "0007", "0009", "0037", "0060", "0088", "0096", "0097", "0106", "0130", "0135", "0142", "0151", "0183",
    "0184", "0188", "0190", "0191", "0192", "0193", "0195", "0196", "0198", "0199", "0200", "0201", "0202", "0204",
    "0208", "0209", "0210", "0211", "0212", "0213", "0215", "0216", "0218", "0221", "0230", "9910", "9913", "9914",
    "9915", "9918", "9919", "9920", "9922", "9923", "9924", "9925", "9926", "9927", "9928", "9929", "9930", "9931",
    "9932", "9933", "9934", "9935", "9936", "9937", "9938", "9939", "9940", "9941", "9942", "9943", "9944", "9945",
    "9946", "9947", "9948", "9949", "9950", "9951", "9952", "9953", "9957", "9959", "EM",
})  # fmt: skip
# Those whose numbers have check digits or a form that Peppol looks at (PEPPOL-COMMON-R040 to R050).
_CHECKED: dict[str, Callable[[str], object]] = {
    "0007": orgnr.is_valid,
    "0088": lambda text: text.isdecimal() and ean.is_valid(text),
    "0151": abn.is_valid,
    "0184": re.compile(r"DK[0-9]{8}").fullmatch,
    "0192": lambda text: norwegian.is_valid(text),
    "0208": lambda text: text.isdecimal() and belgian.is_valid(text),
    "9930": re.compile(r"(?i)DE[0-9]{9}").fullmatch,
    MAIL: re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+").fullmatch,
}
_GERMAN = (XRECHNUNG, XRECHNUNG_CII)
# ISO 3166-1, by which countries are told; Kosovo, which it does not have, has a code of its own in EN 16931 (BR-CL-14).
COUNTRIES = frozenset({
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB", "BD",
    "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY", "BZ", "CA",
    "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE",
    "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA",
    "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK",
    "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP",
    "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT",
    "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS",
    "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ",
    "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS",
    "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST",
    "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW",
    "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA",
    "ZM", "ZW",
})  # fmt: skip
OTHERWISE = {"XK": "1A"}
_PREFIXES = COUNTRIES | {"EL", "XI"}  # of VAT ids: Greece and Northern Ireland have others (BR-CO-09)


def lacks(invoice: EInvoice, profile: str) -> tuple[str, ...]:
    """What a document lacks for a profile, as `seller.phone` or `buyer.address`; empty: it can be made.

    EN 16931 asks who the seller is for the tax office (BR-CO-26, BR-S-2) and where both are; XRechnung asks for more of
    the seller and both electronic addresses (BR-DE-2 to 9, PEPPOL-EN16931-R010 and R020); Peppol for addresses of its
    network, and of German sellers what XRechnung asks for.
    """
    missing = lacks_of_seller(invoice.seller, profile)
    missing += lacks_of_buyer(invoice.buyer, profile)
    categories = {row.category for row in invoice.taxes} | {line.category for line in invoice.lines}
    if categories & {"AE", "G"} and not vat_id_of(invoice.seller):  # BR-AE-2, BR-G-2
        missing.append("seller.vat_id")
    if "AE" in categories and not vat_id_of(invoice.buyer):  # BR-AE-2
        missing.append("buyer.vat_id")
    if invoice.debit is not None and not invoice.debit.creditor and needs_creditor(profile):
        missing.append("seller.creditor_id")
    if invoice.debit is not None and not invoice.debit.account and profile != ZUGFERD:  # BR-DE-31
        missing.append("buyer.iban")
    return tuple(dict.fromkeys(missing))


def needs_creditor(profile: str) -> bool:
    """Whether a direct debit must name who collects it (BR-DE-30)."""
    return profile in _GERMAN


def lacks_of_seller(seller: Party, profile: str) -> list[str]:
    """What the seller's particulars lack for a profile."""
    asked = ["name"]
    if profile in _GERMAN or profile == PEPPOL and seller.country == "DE":
        asked += ["postcode", "city", "phone", "email"]
    missing = [f"seller.{field}" for field in asked if not getattr(seller, field).strip()]
    if not _has_country(seller):
        missing.append("seller.country")
    if not vat_id_of(seller) and not seller.tax_number:
        missing.append("seller.vat_id")
    if profile == PEPPOL and scheme_of(seller) in ("", MAIL):
        missing.append("seller.electronic_address")
    return missing


def lacks_of_buyer(buyer: Party, profile: str) -> list[str]:
    """What the buyer's particulars lack for a profile."""
    asked = ["name"] if profile == ZUGFERD else ["name", "postcode", "city"]
    missing = [f"buyer.{field}" for field in asked if not getattr(buyer, field).strip()]
    if not _has_country(buyer):
        missing.append("buyer.country")
    scheme = scheme_of(buyer)
    if profile != ZUGFERD and not scheme or profile == PEPPOL and scheme == MAIL:
        missing.append("buyer.electronic_address")
    return missing


def is_address(text: str) -> bool:
    """Whether a text is an electronic address: `scheme:id` with a scheme of the EAS list and an id as the scheme has
    them, as `0204:991-12345-67`."""
    found = _FORM.fullmatch(text)
    if found is None or found[1] not in SCHEMES:
        return False
    return bool(_CHECKED.get(found[1], bool)(found[2]))


def _has_country(party: Party) -> bool:
    return party.country in COUNTRIES or party.country in OTHERWISE


def vat_id_of(party: Party) -> str:
    """The VAT id, as far as it is one that begins with its country; else empty: what is none is not told as one."""
    return party.vat_id if party.vat_id[:2] in _PREFIXES else ""


def scheme_of(party: Party) -> str:
    """The scheme of a party's electronic address, its e-mail address where it has none of its own."""
    return electronic_address(party)[0]


def electronic_address(party: Party) -> tuple[str, str]:
    """The electronic address as scheme and address: the party's own, else its e-mail address; two empty texts where it
    has neither."""
    found = _FORM.fullmatch(party.address)
    if found:
        return found[1], found[2]
    return (MAIL, party.email) if party.email else ("", "")
