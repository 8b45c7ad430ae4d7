"""A mapping proposed from the beginning of a supplier's file: which heading may stand for which of our columns.

What is not sure is left open. Headings are compared without case, blanks and signs.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from taktura.usage.reader.mapping import COLUMNS, ISO, Mapping, expression
from taktura.usage.reader.read import Table, read, table
from taktura.usage.reader.ready import READY, fitting
from taktura.usage.reader.rows import Row
from taktura.usage.reader.select import NEEDED, place_of

SAMPLE_ROWS = 50
MOST_BEFORE, ENOUGH = 10, 3  # lines before headings that are looked through, and how many known ones make headings
# How suppliers call what we call so, the best first: FOCUS, cloud providers, resellers; English, German, Swedish.
SYNONYMS = {
    "id": "id recordid lineid lineitemid rowid usageid chargeid guid uuid datensatzid zeilennummer postenid radid",
    "customer_id": "customerid subaccountid endcustomerid clientid tenantid customernumber kundennummer kundenid"
    " kundennr kundnummer kundid kundnr",
    "customer_name": "customername subaccountname endcustomername customercompanyname customer companyname clientname"
    " tenantname accountname kundenname kunde firma kundnamn kund",
    "subscription_id": "subscriptionid subscriptionguid subscriptionreference subaccountid contractid licenseid"
    " agreementid serviceid subscription abonnementid abonnementnummer abonnementsnummer lizenzid"
    " abonummer abonr aboid vertragsnummer avtalsnummer abo abonnement abonnemang",
    "subscription_name": "subscriptionname subscriptionfriendlyname subaccountname friendlyname abonnementname"
    " aboname abobezeichnung abonnementbezeichnung abonnementsname abonnement vertragsbezeichnung abonnemangsnamn",
    "subscription_description": "subscriptiondescription abobeschreibung abonnementbeschreibung abonnemangsbeskrivning",
    "subscription_start": "subscriptionstart subscriptionstartdate commitmentstart abonnementbeginn"
    " laufzeitbeginn abobeginn abostart abonnemangsstart",
    "subscription_end": "subscriptionend subscriptionenddate commitmentend abonnementende laufzeitende aboende"
    " abonnemangsslut",
    "product_id": "productid skuid sku partnumber productcode offerid meterid itemnumber artikelnummer produktid"
    " produktnummer produktnr produktkod artikelnr",
    "product_name": "productname skuname servicename product itemname offername metername artikel produktname"
    " produktbezeichnung artikelbezeichnung artikelname produkt bezeichnung produktnamn benämning",
    "unit": "unit consumedunit pricingunit unitofmeasure unittype uom einheit mengeneinheit enhet",
    "quantity": "quantity consumedquantity pricingquantity usagequantity billablequantity units qty menge anzahl antal"
    " kvantitet",
    "period_start": "periodstart chargeperiodstart chargestartdate usagestart usagestartdate usagedate startdate start"
    " date day from datum tag zeitraumvon von leistungvon leistungsbeginn beginn periodstart startdatum från",
    "period_end": "periodend chargeperiodend chargeenddate usageend usageenddate enddate end until zeitraumbis bis"
    " leistungbis leistungsende ende slutdatum till",
    "cost": "unitcost effectiveunitprice effectiveprice partnerunitprice einkaufspreis ekpreis"
    " ekjeeinheit ekeinzelpreis stückkosten inköpspris",
    "cost_amount": "costamount billedcost effectivecost costinbillingcurrency pretaxcost partnertotal totalcost"
    " subtotal cost kosten gesamtkosten ekbetrag ekgesamt ekgesamtpreis kostnad inköpsbelopp",
    "price": "unitprice listunitprice retailunitprice contractedunitprice price einzelpreis preis stückpreis styckpris"
    " pris",
    "amount": "amount total totalforcustomer customertotal listcost extendedprice betrag gesamtbetrag gesamtpreis summe"
    " belopp summa",
    "discount": "discount discountpercent discountpercentage discountpct discountrate rabatt rabattprozent rabattsatz"
    " rabattprocent",
    "currency": "currency billingcurrency currencycode pricingcurrency währung währungscode valuta",
    "revision": "revision version rev",
    "seconds": "seconds billsec billableseconds answeredseconds talktime durationseconds sekunden gesprächssekunden"
    " gesprächsdauer dauersekunden sekunder samtalstid",
    "call_id": "callid uniqueid linkedid calluuid anrufid rufid gesprächsid samtalsid",
}
FOCUS_END = "chargeperiodend"  # exclusive wherever the word is used
DATE_COLUMNS = ("period_start", "period_end", "subscription_start", "subscription_end")
NUMBER_COLUMNS = ("quantity", "cost", "cost_amount", "price", "amount", "discount")
DATE_FORMATS = ("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d")
TIMES = ("", " %H:%M", " %H:%M:%S")

_SIGNS = re.compile(r"[\W_]+")
_ISO = re.compile(r"\d{4}-?\d{2}-?\d{2}([T ].*)?")
# A decimal comma; where a point stands, too, it parts thousands.
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # a decimal comma, or thousands


def propose(data: bytes, settings: dict[str, Any] | None = None) -> tuple[dict[str, Any], Table]:
    """A mapping for a file by its beginning, and what that beginning holds: a ready one where its headings are there,
    else by names and contents. `settings` (delimiter, encoding, lines to skip) hold where they are given; the other
    settings are proposed where the rows show them."""
    given = {k: v for k, v in (settings or {}).items() if v not in (None, "")}
    if skipped := _lines_before(data, given):
        given["skip_lines"] = skipped
    found = table(data, Mapping.from_dict(given), SAMPLE_ROWS)
    ready = fitting(found.headings) or ("" if given.get("headings") else by_content(data))
    if ready:
        return as_ready(ready, data, given)
    columns = columns_of(found.headings)
    mapping: dict[str, Any] = {c: h for c, h in columns.items() if c != h} | given
    if _SIGNS.sub("", columns.get("period_end", "").casefold()) == FOCUS_END:
        mapping["period_end"] = f"=instant([{columns['period_end']}])"
    cells = _cells(found, columns)
    if "date_format" not in given and (date_format := date_format_of(cells(DATE_COLUMNS))):
        mapping["date_format"] = date_format
    if "decimal" not in given and decimal_is_comma(cells(NUMBER_COLUMNS)):
        mapping["decimal"] = ","
    return mapping, found


def as_ready(name: str, data: bytes, settings: dict[str, Any] | None = None) -> tuple[dict[str, Any], Table]:
    """A ready mapping for a file, whether it was proposed or chosen, with the decimal sign and the date format of its
    rows where they show them; and what the beginning of the file holds."""
    given = {k: v for k, v in (settings or {}).items() if v not in (None, "")}
    if not READY[name].get("headings") and (skipped := _lines_before(data, given)):
        given["skip_lines"] = skipped
    known = READY[name] | given
    if not known.get("headings"):
        known |= _resaved(table(data, Mapping.from_dict(known), SAMPLE_ROWS), known, given)
    return known, table(data, Mapping.from_dict(known), SAMPLE_ROWS)


def _lines_before(data: bytes, given: dict[str, Any]) -> int:
    """How many lines stand before the headings, such as a title and the day of the export; 0 where that is given, and
    where no line further down has more headings that are known, or those of a known supplier."""
    if given.get("skip_lines") or given.get("headings"):
        return 0
    if columns_of(table(data, Mapping.from_dict(given), 0).headings).keys() >= set(NEEDED):
        return 0
    best, most = 0, ENOUGH - 1
    for skipped in range(MOST_BEFORE + 1):
        headings = table(data, Mapping.from_dict(given | {"skip_lines": skipped}), 0).headings
        if fitting(headings):
            return skipped
        if (known := len(columns_of(headings))) > most:
            best, most = skipped, known
    return best


def _resaved(found: Table, known: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """How a file of a known supplier writes numbers and dates where it does otherwise than its mapping says: one that
    a spreadsheet has saved again in another country."""
    mapping = Mapping.from_dict(known)
    settings: dict[str, Any] = {}
    if "decimal" not in given and decimal_is_comma(_named(found, mapping, NUMBER_COLUMNS)):
        settings["decimal"] = ","
    formats = (mapping.date_format or ISO).split("|")
    dates = [c.strip() for c in _named(found, mapping, DATE_COLUMNS) if c.strip()]
    others = [c for c in dates if c not in mapping.null_texts and not _ISO.fullmatch(c)]
    if "date_format" not in given and not all(any(_reads(c, f) for f in formats) for c in others):
        other = date_format_of(others)
        settings |= {"date_format": f"{other}|{ISO}"} if other else {}
    return settings


def _named(found: Table, mapping: Mapping, columns: Sequence[str]) -> list[str]:
    """The cells under the headings that a mapping names for some columns, those of expressions too."""
    headings: set[str] = set()
    for column in columns:
        if column in mapping.columns:
            made = expression(mapping.heading(column))
            headings |= set(made.headings) if made else {mapping.heading(column)}
    places = {place_of(found.headings, heading) for heading in headings} - {-1}
    return [cells[place] for _line, cells in found.rows for place in sorted(places)]


def by_content(data: bytes) -> str:
    """The ready mapping of files without headings that reads all the first rows; empty where none does."""
    for name, fields in READY.items():
        if "headings" in fields:
            rows = list(islice(read(data, Mapping.from_dict(fields), ZoneInfo("UTC")), SAMPLE_ROWS))
            if rows and all(isinstance(row, Row) for row in rows):
                return name
    return ""


def columns_of(headings: Sequence[str]) -> dict[str, str]:
    """Which heading stands for which of our columns: our own name, else the first word that suppliers use for it.

    A heading stands for one column, but one of a customer may stand for the subscription too where nothing else does.
    """
    known: dict[str, str] = {}
    for heading in headings:
        known.setdefault(_SIGNS.sub("", heading.casefold()), heading)
    found = {column: column for column in COLUMNS if column in headings}
    for column in COLUMNS:
        taken = {h for c, h in found.items() if not (column.startswith("subscription") and c.startswith("customer"))}
        names = (known[word] for word in SYNONYMS[column].split() if word in known)
        free = next((h for h in names if h not in taken), None)
        if column not in found and free is not None:
            found[column] = free
    return {column: found[column] for column in COLUMNS if column in found}


def date_format_of(cells: Sequence[str]) -> str | None:
    """How dates are written: the one format that reads all cells. None for ISO 8601, and where several could be."""
    texts = [c.strip() for c in cells if c.strip() and c.strip() != "NULL"]
    if not texts or all(_ISO.fullmatch(t) for t in texts):
        return None
    fits = [f"{day}{time}" for time in TIMES for day in DATE_FORMATS if all(_reads(t, f"{day}{time}") for t in texts)]
    return fits[0] if len(fits) == 1 else None


def decimal_is_comma(cells: Sequence[str]) -> bool:
    """Whether numbers are written with a decimal comma: one is that could be nothing else, and a point stands in none
    without a comma behind it."""
    texts = [c.strip() for c in cells]
    sure = any(_COMMA.fullmatch(t) and not _EITHER.fullmatch(t) for t in texts)
    return sure and not any("." in t and not _COMMA.fullmatch(t) for t in texts)


def _reads(text: str, date_format: str) -> bool:
    try:
        datetime.strptime(text, date_format)  # noqa: DTZ007 - tries a format; no instant
    except ValueError:
        return False
    return True


def _cells(found: Table, columns: dict[str, str]) -> Callable[[Sequence[str]], list[str]]:
    def of(wanted: Sequence[str]) -> list[str]:
        places = [found.headings.index(columns[c]) for c in wanted if c in columns]
        return [cells[place] for _line, cells in found.rows for place in places]

    return of
