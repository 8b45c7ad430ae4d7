"""Existing customers and their services from a table: a row for each customer, or for each of its services. Every row
has its verdict before anything is written; who is there already is not made twice."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any

from babel import Locale

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.billing.services.take_over import Row, day_of, number_of, text_of
from taktura.core.errors import Refused
from taktura.customers.bulk import Known, NewCustomer, check_new, create_customers, known_customers
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import next_key
from taktura.invoices.rendering.formats import LOCALES
from taktura.kit.actor import Actor
from taktura.kit.fold import fold
from taktura.usage import services as usage
from taktura.usage.models import Supplier, SupplierCustomer, SupplierSubscription
from taktura.usage.services import Service

LETTERS = 2  # of a country
OF_CUSTOMER = ("kind", "language", "round_up_minutes", "hourly_rate")
OF_BILLING = (
    "legal_form", "street", "postcode", "city", "country", "email", "tax_status", "vat_id", "payment_days", "iban",
    "debtor_number",
)  # fmt: skip
OF_SERVICE = (
    "supplier", "supplier_customer", "subscription", "product", "product_name", "quantity", "subscription_start",
)  # fmt: skip
COLUMNS = ("customer", "name", *OF_CUSTOMER, *OF_BILLING, *OF_SERVICE)
# How other systems call what we call so; compared without case, blanks and signs.
SYNONYMS = {
    "customer": "customernumber customerid customerno number kundennummer kundennr kundenid nummer kundnummer kundnr",
    "name": "customername company companyname firma firmenname kundenname kunde företag företagsnamn kundnamn namn",
    "kind": "type art typ",
    "language": "sprache språk",
    "round_up_minutes": "timestep zeitschritt",
    "hourly_rate": "hourlyrate stundensatz timpris",
    "legal_form": "legalform rechtsform juridiskform",
    "street": "address street1 address1 strasse straße adresse anschrift gata adress gatuadress",
    "postcode": "zip zipcode postalcode plz postleitzahl postnummer postnr",
    "city": "town ort stadt wohnort ort postort",
    "country": "countrycode land landkürzel länderkennzeichen landskod",
    "email": "mail emailaddress invoiceemail rechnungsemail emailadresse epost epostadress",
    "tax_status": "taxstatus steuerstatus skattestatus",
    "vat_id": "vatid vat vatnumber vatno ustid ustidnr umsatzsteuerid uid momsnummer momsregnr vatnr",
    "payment_days": "paymentterms paymentdays daystopay zahlungsziel zahlungszieltage betalningsvillkor",
    "iban": "bankaccount konto",
    "debtor_number": "debtor debtornumber debtorcode debitor debitorennummer debitorennr debitornr",
    "supplier": "vendor lieferant leverantör",
    "supplier_customer": "suppliercustomer tenant tenantid accountid lieferantkunde lieferantenkundennummer",
    "subscription": "subscriptionid abonnement abonnementid lizenzid abonnemang",
    "product": "productid sku artikelnummer produkt produktid",
    "product_name": "productname bezeichnung produktname produktbezeichnung produktnamn benämning",
    "quantity": "qty menge anzahl antal",
    "subscription_start": "start startdate beginn startdatum vertragsbeginn",
}
MOST_REFERENCE = 200  # characters of what a supplier calls something
_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a row. `does`: `new` (the customer is made), `added` (the service is noted for one who is there
    or in the file), `known` (nothing is new); of what stays out `double` (`twin`: the number of the customer that it
    seems to be, `mark`: by what) or `wrong` (`refused`)."""

    line: int
    customer: str
    name: str
    does: str
    refused: Refused | None = None
    twin: str = ""
    mark: str = ""

    @property
    def good(self) -> bool:
        """Whether it is taken in."""
        return self.does in ("new", "added", "known")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a table brings: every row's verdict, how many customers and services are new. `written`: they are there."""

    rows: list[Verdict]
    customers: int
    services: int
    wrong: int
    written: bool = False


@dataclass(slots=True)
class _Plan:
    customers: dict[str, NewCustomer]
    services: list[tuple[Service, str]]  # with the number of the customer
    verdicts: list[Verdict]


def columns_of(headings: Sequence[str], mapping: Mapping[str, str] | None = None) -> list[str]:
    """The column that each heading stands for, empty where none: as `mapping` (column to heading) says, else by our own
    name, else by what others call it. Raises `Refused` (`invalid`) where no column has the name, or two are one."""
    given = {heading: column for column, heading in (mapping or {}).items() if heading}
    words = {_plain(word): column for column, names in SYNONYMS.items() for word in (column, *names.split())}
    found = [
        given.get(heading.strip(), "") if mapping else words.get(_plain(heading), "") for heading in headings
    ]  # fmt: skip
    twice = next((column for column, count in Counter(found).items() if column and count > 1), "")
    if twice:
        raise Refused("invalid", "The file has the column “%(column)s” more than once.", column=twice)
    if "name" not in found:
        raise Refused("invalid", "The file has no column “%(column)s”.", column="name")
    return found


def look_at_customers(actor: Actor, *, seller: Seller, rows: Sequence[Row]) -> Brought:
    """What bringing a table in would do; writes nothing. In a fixed number of queries."""
    return _brought(_planned(seller, rows))


@act
def bring_in(actor: Actor, *, seller: Seller, rows: Sequence[Row], leave_out: bool = False) -> Brought:
    """Make the customers of a table and note their services, all in one transaction. `leave_out`: rows that are wrong
    or double are left out; else they keep all from being written (`invalid`). The same table twice makes nothing
    new."""
    plan = _planned(seller, rows)
    found = _brought(plan)
    if found.wrong and not leave_out:
        raise Refused("invalid", "%(count)s rows are wrong or double customers: correct them, or leave them out.",
                      count=found.wrong)  # fmt: skip
    if not plan.customers and not plan.services:
        raise Refused("invalid", "There is nothing new in the file.")
    made = create_customers(actor, seller=seller, wanted=list(plan.customers.values()))
    named = {key for _, key in plan.services} - made.keys()
    made |= {c.key: c for c in Customer.objects.filter(seller=seller, key__in=named)}
    if plan.services:
        usage.bring_services(actor, services=[(service, made[key]) for service, key in plan.services])
    told = {"customers": found.customers, "services": found.services, "left_out": found.wrong}
    record(actor, "bring_in_customers", f"seller:{seller.pk}", told)
    return replace(found, written=True)


def _brought(plan: _Plan) -> Brought:
    wrong = sum(not v.good for v in plan.verdicts)
    return Brought(
        rows=sorted(plan.verdicts, key=lambda v: v.line), customers=len(plan.customers), services=len(plan.services),
        wrong=wrong,
    )  # fmt: skip


def _planned(seller: Seller, rows: Sequence[Row]) -> _Plan:
    known = known_customers(seller)
    suppliers = {s.key.casefold(): s for s in Supplier.objects.filter(seller=seller)}
    links = _Links.load(seller)
    plan = _Plan({}, [], [])
    places: dict[str, str] = {}  # a customer of the file without a number, by name and postcode: the number it gets
    number = next_key(seller.pk)
    for row in rows:
        if row.broken is not None:
            plan.verdicts.append(Verdict(line=row.line, customer="", name="", does="wrong", refused=row.broken))
            continue
        key, name = text_of(row, "customer"), text_of(row, "name")
        place = f"{fold(name)} {text_of(row, 'postcode')}"
        try:
            wanted = _customer(row, key or places.get(place) or number, name)
            service = _service(row, wanted.key, suppliers, links)
            verdict = _of_customer(row, wanted, plan, known, places if not key else None, place)
            if verdict.good:
                number = _after(number, plan, known)
                if service is not None:
                    plan.services.append((service, wanted.key))
                    links.subscriptions[service.supplier.pk, usage.fold(service.reference)] = usage.fold(
                        service.customer_reference
                    )
                    verdict = replace(verdict, does="added" if verdict.does == "known" else verdict.does)
        except Refused as refused:
            verdict = Verdict(line=row.line, customer=key, name=name, does="wrong", refused=refused)
        plan.verdicts.append(verdict)
    return plan


def _of_customer(
    row: Row, wanted: NewCustomer, plan: _Plan, known: Known, places: dict[str, str] | None, place: str
) -> Verdict:
    """Whether the row's customer is made, is there already, or seems to double another."""
    told = Verdict(line=row.line, customer=wanted.key, name=wanted.name, does="known")
    if wanted.key in known.by_key or wanted.key in plan.customers:
        return told
    check_new(wanted)
    twin = known.twin(wanted)
    if twin is not None:
        return replace(told, customer="", does="double", twin=twin[0], mark=twin[1])
    plan.customers[wanted.key] = wanted
    known.add(wanted)
    if places is not None:
        places[place] = wanted.key
    return replace(told, does="new")


@dataclass(frozen=True, slots=True)
class _Links:
    """Whose the suppliers' customers are, and whose subscriptions there are already."""

    customers: Mapping[tuple[int, str], str]  # the number of the customer; empty: nobody's yet
    subscriptions: dict[tuple[int, str], str]  # the supplier's reference of the customer

    @classmethod
    def load(cls, seller: Seller) -> "_Links":
        customers = SupplierCustomer.objects.filter(supplier__seller=seller)
        rows = customers.values_list("supplier", "folded", "customer__key")
        subscriptions = SupplierSubscription.objects.filter(supplier__seller=seller)
        return cls(
            {(s, folded): key or "" for s, folded, key in rows},
            {(s, f): c for s, f, c in subscriptions.values_list("supplier", "folded", "customer_folded")},
        )


def _service(row: Row, customer: str, suppliers: Mapping[str, Supplier], links: _Links) -> Service | None:
    """The service that a row names for a customer (by number); None: it names none, or one that is there already."""
    reference = text_of(row, "subscription")
    if not reference:
        return None
    name = text_of(row, "supplier")
    supplier = suppliers.get(name.casefold())
    if supplier is None:
        raise Refused("not_found", "There is no supplier “%(key)s”.", key=name)
    theirs = text_of(row, "supplier_customer") or customer
    folded = usage.fold(theirs)
    owner = links.customers.get((supplier.pk, folded), "")
    if owner and owner != customer:
        raise Refused("conflict", "“%(reference)s” of the supplier is linked to the customer %(key)s already.",
                      reference=theirs, key=owner)  # fmt: skip
    theirs_already = links.subscriptions.get((supplier.pk, usage.fold(reference)))
    if theirs_already is not None and theirs_already != folded:
        raise Refused("conflict", "“%(reference)s” belongs to another customer of the supplier.", reference=reference)
    quantity, start = number_of(row, "quantity"), day_of(text_of(row, "subscription_start"), "subscription_start")
    if theirs_already is not None:
        return None
    for text in (theirs, reference, text_of(row, "product")):
        if len(usage.fold(text)) > MOST_REFERENCE:
            raise Refused("invalid", "“%(column)s” has more than %(most)s characters.", column=text[:50],
                          most=MOST_REFERENCE)  # fmt: skip
    return Service(
        supplier=supplier, customer_reference=theirs, reference=reference, product=text_of(row, "product"),
        product_name=text_of(row, "product_name")[:300], quantity=quantity, start=start,
    )  # fmt: skip


def _customer(row: Row, key: str, name: str) -> NewCustomer:
    """The customer of a row; numbers and days are read, the rest is checked where it is made."""
    fields: dict[str, Any] = {n: text_of(row, n) for n in OF_CUSTOMER if text_of(row, n)}
    billing: dict[str, Any] = {n: text_of(row, n) for n in OF_BILLING if text_of(row, n)}
    fields |= {"kind": fields["kind"].casefold()} if "kind" in fields else {}
    fields |= {"language": fields["language"].casefold()[:2]} if "language" in fields else {}
    billing |= {"country": _country(billing["country"])} if "country" in billing else {}
    billing |= {n: "".join(billing[n].split()).upper() for n in ("iban", "vat_id") if n in billing}
    if "hourly_rate" in fields:
        fields["hourly_rate"] = number_of(row, "hourly_rate")
    for of, name_, most in ((fields, "round_up_minutes", 1440), (billing, "payment_days", 365)):
        if name_ in of:
            of[name_] = _whole(row, name_, most)
    return NewCustomer(key=key, name=name, fields=fields, billing={"name": name, **billing})


def _country(text: str) -> str:
    """A country by its two letters, or by its name in a language of the house."""
    return text.upper() if len(text) == LETTERS else _countries().get(text.casefold(), text.upper())


@cache
def _countries() -> dict[str, str]:
    """The two letters of countries by their names in small letters."""
    return {
        name.casefold(): code
        for language in LOCALES.values()
        for code, name in Locale.parse(language).territories.items()
        if len(code) == LETTERS and code.isalpha()
    }


def _whole(row: Row, name: str, most: int) -> int:
    found = number_of(row, name) or Decimal(0)
    least = 1 if name == "round_up_minutes" else 0
    if found != int(found) or not least <= found <= most:
        raise Refused("invalid", "“%(column)s” is a whole number from %(least)s to %(most)s.", column=name,
                      least=least, most=most)  # fmt: skip
    return int(found)


def _after(number: str, plan: _Plan, known: Known) -> str:
    """The next number that nobody has."""
    while number in plan.customers or number in known.by_key:
        number = str(int(number) + 1)
    return number


def _plain(heading: str) -> str:
    return _SIGNS.sub("", heading.strip().casefold())
