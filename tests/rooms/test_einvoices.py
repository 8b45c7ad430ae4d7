"""E-invoices of issued documents: from what they keep, by the official rules, in the profile that holds when issued."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pikepdf
import pytest
from lxml import etree

from taktura.billing import services as billing
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.einvoices import profile_of
from taktura.customers.queries import missing_billing_information
from taktura.einvoice import PROFILES
from taktura.invoices.electronic import einvoice_of, lacking, profile_kept, sent_pdf, sent_xml, xml_file
from taktura.invoices.models import Document
from taktura.invoices.printing import load, pdf_of
from taktura.invoices.services import mail_document
from taktura.kit.actor import Actor
from tests.einvoice.official import faults
from tests.rooms.test_printing import Office, documents, make_office

CONTACT = {"phone": "+49 40 1234567", "email": "rechnung@beispiel.example", "electronic_address": "9930:DE136695976"}
ADDRESS = "0204:02000000000-AB12-34"


@pytest.fixture
def office(database: str, actor: Actor) -> Office:
    """A seller with net prices and all that the profiles ask for."""
    return make_office(actor, **CONTACT)


def issue(office: Office, **info: Any) -> Document:
    """An invoice over March of a customer with this billing information."""
    office.sign(office.customer(**{"email": "post@acme.example"} | info), "V-17", quantities={"number": Decimal(2)})
    (document,) = office.bill(date(2026, 3, 1))
    return document


def texts(xml: bytes, name: str) -> list[str]:
    """The texts of the elements of a name, in their order."""
    return [e.text or "" for e in etree.fromstring(xml).iter() if etree.QName(e).localname == name]


def test_every_document_of_the_demo_company_keeps_the_official_rules(demo_database: str) -> None:
    """One of each kind of document there is: kind, currency, prices, language, VAT, corrections, direct debit, sign of
    its lines."""
    seen = set()
    for document in Document.objects.order_by("pk"):
        invoice = einvoice_of(document)
        traits = (
            document.kind, document.currency, document.prices_are, document.language, len(invoice.lines) > 1,
            frozenset(line.category for line in invoice.lines), len(invoice.references), invoice.debit is None,
            frozenset((line.net > 0, line.price is None, line.unit) for line in invoice.lines),
        )  # fmt: skip
        if traits in seen:
            continue
        seen.add(traits)
        gross = Decimal(document.gross).scaleb(-document.digits)
        for profile, missing in lacking(document).items():
            if missing:
                continue
            made = xml_file(document, profile)
            assert faults(made, profile) == [], (document.number, profile)
            total = texts(made, "DuePayableAmount") or texts(made, "PayableAmount")
            assert [Decimal(one) for one in total] == [gross]
        assert not lacking(document)["zugferd"], document.number
    assert len(seen) > 20


@pytest.mark.parametrize("profile", ["zugferd", "xrechnung", "xrechnung_cii", "peppol"])
def test_a_customer_gets_the_profile_of_its_own(office: Office, profile: str) -> None:
    document = issue(office, einvoice=profile, electronic_address=ADDRESS, buyer_reference="04011000-1234512345-06")
    assert profile_kept(document) == profile
    xml = sent_xml(document)
    pdf = sent_pdf(document)
    if profile == "zugferd":
        assert xml is None and pdf != pdf_of(document)
        with pikepdf.open(io.BytesIO(pdf)) as file:
            xml = file.attachments["factur-x.xml"].get_file().read_bytes()
    else:
        assert pdf == pdf_of(document)
    assert xml is not None and faults(xml, profile) == []
    assert "04011000-1234512345-06" in texts(xml, "BuyerReference")
    assert sent_pdf(*documents(document.pk)) == pdf and xml_file(*documents(document.pk), profile) == xml
    mail = mail_document(office.actor, document=document)
    names = [a.name for a in mail.attachments.order_by("pk")]
    assert names == ["RE-2026-00001.pdf"] + ([] if profile == "zugferd" else ["RE-2026-00001.xml"])


def test_businesses_have_the_sellers_profile_unless_they_say_otherwise(office: Office) -> None:
    billing.change_seller(office.actor, seller=office.seller, einvoice="zugferd")
    office.seller.refresh_from_db()
    kinds = {"a": {}, "b": {"einvoice": "none"}, "c": {"einvoice": "xrechnung", "email": "c@c.example"}}
    made = {key: office.customer(key, **info) for key, info in kinds.items()}
    customers.change_customer(office.actor, customer=made["a"], name="A")
    made["d"] = office.customer("d")
    customers.change_customer(office.actor, customer=made["d"], kind="consumer")
    for one in made.values():
        one.seller = office.seller
    assert {key: profile_of(one) for key, one in made.items()} == {"a": "zugferd", "b": "", "c": "xrechnung", "d": ""}


def test_what_was_issued_stays_as_it_was(office: Office) -> None:
    """Neither another profile nor another address of today changes a document (R14.1)."""
    document = issue(office, einvoice="xrechnung", electronic_address=ADDRESS)
    before = xml_file(document, "xrechnung"), sent_xml(document)
    customers.set_billing_information(
        office.actor, customer=document.customer, einvoice="none", electronic_address="", buyer_reference="x", email=""
    )
    billing.change_seller(office.actor, seller=office.seller, electronic_address="", phone="1")
    (again,) = documents(document.pk)
    assert (xml_file(again, "xrechnung"), sent_xml(again)) == before


def test_without_a_profile_of_its_own_a_document_can_be_had_in_any(office: Office) -> None:
    document = issue(office)
    assert (profile_kept(document), sent_xml(document)) == ("", None)
    assert sent_pdf(document) == pdf_of(document) != sent_pdf(document, "zugferd")
    assert lacking(document) == {
        "zugferd": (), "xrechnung": (), "xrechnung_cii": (), "peppol": ("buyer.electronic_address",)
    }  # fmt: skip
    for profile in ("zugferd", "xrechnung", "xrechnung_cii"):
        assert faults(xml_file(document, profile), profile) == []
    with pytest.raises(Refused, match="cannot be Peppol BIS, for it does not say: buyer.electronic_address") as refused:
        xml_file(document, "peppol")
    assert refused.value.code == "billing_information_missing"
    with pytest.raises(Refused, match="is not one of"):
        xml_file(document, "edifact")


def test_a_document_from_before_says_what_it_lacks(office: Office) -> None:
    """It kept neither electronic addresses nor a profile; what was printed is enough for ZUGFeRD."""
    document = issue(office)
    for name in ("electronic_address", "phone"):
        document.seller_data[name] = ""
    del document.seller_data["electronic_address"]
    document.buyer_data["email"] = ""
    assert lacking(document)["zugferd"] == ()
    assert lacking(document)["xrechnung"] == ("seller.phone", "buyer.electronic_address")


def test_a_credit_note_and_what_it_corrects(office: Office) -> None:
    invoice = issue(office, einvoice="zugferd")
    [note] = documents(*(one.id for one in billing.credit(office.actor, document=invoice, reason="Kulanz")))
    for profile in ("zugferd", "xrechnung", "xrechnung_cii"):
        made = xml_file(note, profile)
        assert faults(made, profile) == []
        assert {"381"} & {*texts(made, "TypeCode"), *texts(made, "CreditNoteTypeCode")}
        assert invoice.number in texts(made, "IssuerAssignedID") + texts(made, "ID")


def test_direct_debit_names_the_account_in_full_where_there_is_an_einvoice(office: Office) -> None:
    billing.change_seller(office.actor, seller=office.seller, creditor_id="DE98ZZZ09999999999")
    office.seller.refresh_from_db()
    debit = {
        "direct_debit": True, "iban": "DE89370400440532013000", "mandate_reference": "M-7",
        "mandate_date": date(2026, 1, 5), "einvoice": "xrechnung",
    }  # fmt: skip
    made = xml_file(issue(office, **debit), "xrechnung")
    assert faults(made, "xrechnung") == []
    assert texts(made, "PaymentMeansCode") == ["59"] and "DE89370400440532013000" in texts(made, "ID")


@pytest.mark.parametrize("currency", ["EUR", "SEK"])
def test_gross_prices_are_told_net(database: str, actor: Actor, currency: str) -> None:
    """An e-invoice knows net prices alone: where the unit's price is gross, the line's net is the price of all."""
    office = make_office(actor, prices_are="gross", currency=currency, **CONTACT)
    document = issue(office)
    for profile in ("zugferd", "xrechnung"):
        made = xml_file(document, profile)
        assert faults(made, profile) == []
        assert all(line.price is None for line in einvoice_of(document).lines)
        amounts = texts(made, "LineTotalAmount" if profile == "zugferd" else "LineExtensionAmount")
        assert sorted(map(Decimal, amounts))[-1] == sum(sorted(map(Decimal, amounts))[:-1])
        assert max(map(Decimal, amounts)) == Decimal(document.net).scaleb(-2)


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [({"phone": ""}, "phone"), ({"email": ""}, "email"), ({"city": ""}, "city"), ({"postcode": ""}, "postcode")],
)
def test_a_seller_keeps_what_the_profiles_in_use_ask_for(office: Office, fields: dict[str, Any], lacks: str) -> None:
    billing.change_seller(office.actor, seller=office.seller, **fields)
    office.seller.refresh_from_db()
    with pytest.raises(Refused, match=rf"XRechnung \(UBL\) needs more of your own company, in its settings: {lacks}\."):
        office.customer(einvoice="xrechnung")
    billing.change_seller(office.actor, seller=office.seller, **CONTACT | {"city": "Hamburg", "postcode": "20095"})
    office.seller.refresh_from_db()
    customer = office.customer("other", einvoice="xrechnung", email="a@b.example")
    assert missing_billing_information(customer) == []
    with pytest.raises(Refused, match=rf"in its settings: {lacks}\."):
        billing.change_seller(office.actor, seller=office.seller, **fields)


DEBIT = {"direct_debit": True, "iban": "DE89370400440532013000", "mandate_reference": "M", "mandate_date": "2026-01-05"}
AUSTRIAN: dict[str, Any] = {"tax_status": "reverse_charge", "country": "AT", "vat_id": "ATU13585627"}


def test_the_sellers_profile_asks_for_what_its_customers_need(office: Office) -> None:
    """Switched on for all, ZUGFeRD asks for the VAT id when there are businesses without VAT; others do not count."""
    billing.change_seller(office.actor, seller=office.seller, vat_id="", tax_number="12/345/67890")
    office.seller.refresh_from_db()
    paper = office.customer("paper", einvoice="none", **AUSTRIAN)
    person = office.customer("person", **AUSTRIAN)
    customers.change_customer(office.actor, customer=person, kind="consumer")
    office.seller = billing.change_seller(office.actor, seller=office.seller, einvoice="zugferd")
    with pytest.raises(Refused, match=r"in its settings: vat_id\."):
        customers.change_customer(office.actor, customer=person, kind="business")
    office.seller = billing.change_seller(office.actor, seller=office.seller, einvoice="")
    customers.change_customer(office.actor, customer=person, kind="business")
    customers.change_customer(office.actor, customer=person, kind="consumer")
    customers.set_billing_information(office.actor, customer=paper, einvoice="")
    with pytest.raises(Refused, match=r"in its settings: vat_id\."):
        billing.change_seller(office.actor, seller=office.seller, einvoice="zugferd")


@pytest.mark.parametrize("fields", [{"country": "ZZ"}, {"vat_id": "136695976"}], ids=str)
def test_a_seller_stays_one_that_the_rules_know(office: Office, fields: dict[str, Any]) -> None:
    billing.change_seller(office.actor, seller=office.seller, einvoice="zugferd")
    with pytest.raises(Refused, match=rf"in its settings: {next(iter(fields))}\."):
        billing.change_seller(office.actor, seller=office.seller, **fields)


def test_an_unknown_country_is_asked_for_before(office: Office) -> None:
    customer = office.customer(einvoice="zugferd", country="XX")
    assert missing_billing_information(customer) == ["country"] and not customer.complete
    customers.set_billing_information(office.actor, customer=customer, country="XK")
    assert customer.complete


@pytest.mark.parametrize(("prices", "says"), [("net", "Einzelpreis: 98,00"), ("gross", "Einzelpreis (Brutto): 98,00")])
def test_the_price_that_is_printed_stands_in_a_note_where_it_does_not_give_the_amount(
    database: str, actor: Actor, prices: str, says: str
) -> None:
    """Of a part of a month the XML has the price of all; what paper says of a unit is said, too."""
    document = issue(make_office(actor, prices_are=prices, **CONTACT))
    load([document])
    row = document.lines.all()[0]
    assert (einvoice_of(document).lines[0].notes == ()) is (prices == "net")  # 49.00 of one
    row.unit_price = Decimal("98.00")
    line = einvoice_of(document).lines[0]
    assert line.price is None and line.notes[0] == says
    assert any(says in text for text in texts(xml_file(document, "zugferd"), "Content"))


def test_a_blank_reference_is_none(office: Office) -> None:
    document = issue(office, einvoice="xrechnung", buyer_reference="   ")
    made = xml_file(document, "xrechnung")
    assert texts(made, "BuyerReference") == ["acme"] and faults(made, "xrechnung") == []


def test_of_a_debit_that_went_out_as_pdf_no_account_is_told(office: Office) -> None:
    """It kept the first and last signs of the IBAN, which is no account."""
    document = issue(office, **DEBIT)
    assert lacking(document)["xrechnung"] == ("seller.creditor_id", "buyer.iban")
    made = xml_file(document, "zugferd")
    assert faults(made, "zugferd") == [] and texts(made, "PayerPartyDebtorFinancialAccount") == []
    assert "DE89370400440532013000" not in made.decode() and {"59"} <= set(texts(made, "TypeCode"))


def test_a_seller_needs_a_tax_number_for_any(database: str, actor: Actor) -> None:
    office = make_office(actor)
    billing.change_seller(actor, seller=office.seller, vat_id="")
    office.seller.refresh_from_db()
    with pytest.raises(Refused, match="ZUGFeRD needs more of your own company, in its settings: vat_id."):
        billing.change_seller(actor, seller=office.seller, einvoice="zugferd")
    billing.change_seller(actor, seller=office.seller, einvoice="zugferd", tax_number="12/345/67890")


@pytest.mark.parametrize(
    ("seller", "info", "lacks"),
    [
        ({"creditor_id": ""}, DEBIT | {"einvoice": "xrechnung"}, "creditor_id"),
        ({"vat_id": "", "tax_number": "1"}, {"tax_status": "export", "country": "US"}, "vat_id"),
        ({"vat_id": "", "tax_number": "1"}, {"tax_status": "reverse_charge", "einvoice": "xrechnung_cii"}, "vat_id"),
    ],
)
def test_what_some_customers_ask_of_the_seller(
    office: Office, seller: dict[str, Any], info: dict[str, Any], lacks: str
) -> None:
    """Who collects a direct debit (BR-DE-30), and the VAT id where no VAT is charged (BR-AE-2, BR-G-2); whichever comes
    first, customer or setting."""
    whole = {"creditor_id": "DE98ZZZ09999999999", "vat_id": "DE136695976", "einvoice": "zugferd"}
    billing.change_seller(office.actor, seller=office.seller, **whole | seller)
    office.seller.refresh_from_db()
    with pytest.raises(Refused, match=rf"in its settings: {lacks}\."):
        office.customer("early", email="a@b.example", **info)
    billing.change_seller(office.actor, seller=office.seller, **whole)
    office.seller.refresh_from_db()
    office.customer("late", email="a@b.example", **info)
    with pytest.raises(Refused, match=rf"in its settings: {lacks}\."):
        billing.change_seller(office.actor, seller=office.seller, **seller)


@pytest.mark.parametrize(
    ("info", "missing"),
    [
        ({"einvoice": "xrechnung", "email": ""}, ["electronic_address"]),
        ({"einvoice": "xrechnung", "email": "a@b.example"}, []),
        ({"einvoice": "xrechnung_cii", "email": "", "electronic_address": ADDRESS}, []),
        ({"einvoice": "peppol", "email": "a@b.example"}, ["electronic_address"]),
        ({"einvoice": "peppol", "email": "", "electronic_address": ADDRESS}, []),
        ({"einvoice": "zugferd", "email": ""}, []),
        ({"einvoice": "none", "email": ""}, []),
    ],
)
def test_a_customer_is_billed_once_its_profile_can_be_made(
    office: Office, info: dict[str, Any], missing: list[str]
) -> None:
    customer = office.customer(**info)
    assert missing_billing_information(customer) == missing
    assert customer.complete is (not missing)


@pytest.mark.parametrize(
    ("info", "says"),
    [({"einvoice": "edifact"}, "is not one of none, zugferd"), ({"electronic_address": "1234:x"}, "is no electronic"),
     ({"electronic_address": "0007:1234567890"}, "is no electronic address")],
)  # fmt: skip
def test_odd_values_are_refused_and_nothing_is_written(office: Office, info: dict[str, Any], says: str) -> None:
    customer = office.customer()
    with pytest.raises(Refused, match=says):
        customers.set_billing_information(office.actor, customer=customer, **info)
    customer.billing_information.refresh_from_db()
    assert (customer.billing_information.einvoice, customer.billing_information.electronic_address) == ("", "")
    with pytest.raises(Refused):
        billing.change_seller(office.actor, seller=office.seller, **info)


def test_all_profiles_have_names() -> None:
    from taktura.customers.einvoices import NAMES
    from taktura.office.customer_words import EINVOICES

    assert set(NAMES) == set(PROFILES) == set(EINVOICES) - {"none"}
