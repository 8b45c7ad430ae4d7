"""From issued documents to what is printed: the stored copies, nothing else, in a fixed number of queries."""

import io
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from taktura.billing import services as billing
from taktura.billing.explain import explain, plainly
from taktura.catalog import services as catalog
from taktura.catalog.models import Tariff
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.core.money import Money
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.invoices.printing import pdf_of, view_of, views_of, views_of_ready
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor

FORMATS = {"invoice": "RE-{year}-{number:05}", "credit_note": "GS-{year}-{number:05}"}
LINES: dict[str, dict[str, Any]] = {
    "base": {"title": "Grundgebühr", "price": "49.00"},
    "number": {"title": "Rufnummer", "price": "7.50", "booking": "add_on"},
    "calls": {"title": "Gespräche", "charge": "usage", "unit": "minute", "price": "0.095", "included": 20},
}


@dataclass(slots=True)
class Office:
    """A seller with one tariff, and what tests do in it."""

    actor: Actor
    seller: Seller
    tariff: Tariff

    def at(self, day: date) -> Actor:
        """The actor on the morning of a day."""
        return self.actor.at(datetime(day.year, day.month, day.day, 8, tzinfo=UTC))

    def customer(self, key: str = "acme", **info: Any) -> Customer:
        """A customer with complete billing information."""
        own = {k: info.pop(k) for k in ("language", "documents_per") if k in info}
        customer = customers.create_customer(self.actor, seller=self.seller, key=key, name=key, language="de", **own)
        usual = {
            "name": f"{key} GmbH",
            "street": "Hauptstraße 1",
            "postcode": "10115",
            "city": "Berlin",
            "country": "DE",
        }
        customers.set_billing_information(self.actor, customer=customer, **usual | info)
        return customer

    def sign(self, customer: Customer, key: str, **fields: Any) -> Contract:
        """A contract of the tariff from 1 March on."""
        return contracts.sign(
            self.actor, key=key, customer=customer, tariff=self.tariff, start=date(2026, 3, 1), **fields
        )

    def bill(self, on: date) -> list[Document]:
        """What a run on a day issues, in the order of issue."""
        outcome = billing.bill(self.at(on), seller=self.seller, on=on)
        assert outcome.problems == []
        return documents(*outcome.issued)


def documents(*ids: int) -> list[Document]:
    """Issued documents as they are stored, with nothing loaded beside them."""
    return list(Document.objects.filter(pk__in=ids).order_by("pk"))


def text_of(document: Document) -> str:
    """The text of a document's pages, all white space as single spaces."""
    reader = PdfReader(io.BytesIO(pdf_of(document)))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\u200b", "").split())


def make_office(actor: Actor, **seller: Any) -> Office:
    """A seller in Hamburg whose numbers are confirmed."""
    fields: dict[str, Any] = {"country": "DE", "currency": "EUR", "time_zone": "Europe/Berlin", "vat": [[None, "19"]]}
    made = customers.create_seller(
        actor,
        name="Taktura Beispiel GmbH",
        street="Musterweg 1",
        postcode="20095",
        city="Hamburg",
        iban="DE02120300000000202051",
        vat_id="DE136695976",
        **fields | seller,
    )
    for kind, form in FORMATS.items():
        confirm_numbering(actor, seller=made, kind=kind, format=form, next=1)
    return Office(actor, made, catalog.define_tariff(actor, seller=made, key="talk", title="Talk", lines=LINES))


@pytest.fixture
def office(database: str, actor: Actor) -> Office:
    """A seller with net prices."""
    return make_office(actor)


def test_an_invoice_prints_what_is_stored(office: Office) -> None:
    """March in advance, 49.00 + 2 × 7.50: texts, period with its last day, sums equal to the stored ones."""
    office.sign(office.customer(), "V-17", quantities={"number": Decimal(2)})
    (document,) = office.bill(date(2026, 3, 1))
    view = view_of(document)
    assert (view.net, view.tax, view.gross) == (Decimal("64.00"), Decimal("12.16"), Decimal("76.16"))
    assert [row.net for row in view.lines] == [Decimal("49.00"), Decimal("15.00")]
    assert [(row.first_day, row.last_day) for row in view.lines] == [(date(2026, 3, 1), date(2026, 3, 31))] * 2
    assert (view.number, view.customer_number, view.contract_number) == ("RE-2026-00001", "acme", "V-17")
    assert (view.issued_on, view.due_on) == (date(2026, 3, 1), date(2026, 3, 15))
    assert (view.notes, view.references) == ((), ())
    text = text_of(document)
    for part in (
        "Rechnung RE-2026-00001",
        "acme GmbH Hauptstraße 1 10115 Berlin",
        "01.03.2026 – 31.03.2026",
        "Rufnummer",
        "2 7,50 19 % 15,00",
        "USt 19 % auf 64,00 € 12,16",
        "Gesamtbetrag 76,16 €",
        "15.03.2026",
        "V-17",
    ):
        assert part in text


def test_usage_is_minutes_with_the_included_quantity(office: Office) -> None:
    """137 minutes, 20 of them included: (137 − 20) × 0.095 = 11.115, so 11.12."""
    contract = office.sign(office.customer(), "V-1")
    office.bill(date(2026, 3, 1))
    billing.record_usage(
        office.at(date(2026, 3, 10)),
        seller=office.seller,
        entries=[
            {"contract": contract.key, "article": "calls", "duration": 137 * 60, "id": "call", "at": date(2026, 3, 10)}
        ],
    )
    (document,) = office.bill(date(2026, 4, 1))
    row = next(row for row in view_of(document).lines if row.title == "Gespräche")
    assert (row.quantity, row.unit, row.unit_price, row.net) == (137, "Min.", Decimal("0.095"), Decimal("11.12"))
    assert row.note == "davon freies Kontingent: 20\u00a0Min."
    assert "137 Min. 0,095 19 % 11,12" in text_of(document)


def test_a_credit_note_has_positive_amounts_and_its_reason_once(office: Office) -> None:
    """R14.1, R14.4: 10.00 of 49.00 by hand, with the number of the invoice and the reason."""
    office.sign(office.customer(), "V-1")
    (invoice,) = office.bill(date(2026, 3, 1))
    (issued,) = billing.credit(
        office.at(date(2026, 3, 5)), document=invoice, lines=[{"line": 1, "net": "10.00"}], reason="Störung am 3. März"
    )
    (note,) = documents(issued.id)
    view = view_of(note)
    assert (view.kind, view.net, view.tax, view.gross) == (
        "credit_note",
        Decimal("10.00"),
        Decimal("1.90"),
        Decimal("11.90"),
    )
    assert (view.references, view.due_on) == ((invoice.number,), None)
    text = text_of(note)
    for part in ("Rechnungskorrektur GS-2026-00001", "zur Rechnung RE-2026-00001", "Gutgeschriebener Betrag 11,90 €"):
        assert part in text
    assert text.count("Störung am 3. März") == 1
    assert "Grund: Störung am 3. März" in text
    assert "\u2212" not in text


def test_a_change_prints_the_days_it_counts(office: Office) -> None:
    """R5.3: 3 at 7.50 billed for March, 5 from 16 March: credit note and invoice over 16 of 31 days."""
    contract = office.sign(office.customer(), "V-1", quantities={"number": Decimal(3)})
    office.bill(date(2026, 3, 1))
    before = Document.objects.count()
    line = contract.lines.get(article__key="number")
    billing.change_quantity(office.at(date(2026, 3, 2)), line=line, start=date(2026, 3, 16), quantity=Decimal(5))
    note, invoice = Document.objects.order_by("pk")[before:]
    assert (note.kind, invoice.kind) == ("credit_note", "invoice")
    for document, quantity, net in ((note, 3, Decimal("11.61")), (invoice, 5, Decimal("19.35"))):
        (row,) = view_of(document).lines
        assert (row.quantity, row.net, row.note) == (quantity, net, "16 von 31 Tagen")
        assert "16.03.2026 – 31.03.2026 16 von 31 Tagen" in text_of(document)


def test_lines_of_one_article_are_told_apart_by_their_names(office: Office) -> None:
    contract = office.sign(office.customer(), "V-1")
    for name in ("Empfang", "Werkstatt"):
        billing.book(
            office.at(date(2026, 2, 20)), contract=contract, article="number", start=date(2026, 3, 1), name=name
        )
    (document,) = office.bill(date(2026, 3, 1))
    numbers = [row for row in view_of(document).lines if row.title == "Rufnummer"]
    assert [row.note for row in numbers][-2:] == ["Empfang", "Werkstatt"]
    assert text_of(document).index("Empfang") < text_of(document).index("Werkstatt")


def test_netted_changes_are_one_invoice_that_names_the_other(database: str, actor: Actor) -> None:
    """R5.5: the negative line stands on the invoice, which names the document it corrects."""
    office = make_office(actor, change_documents="netted")
    contract = office.sign(office.customer(), "V-1", quantities={"number": Decimal(3)})
    (first,) = office.bill(date(2026, 3, 1))
    line = contract.lines.get(article__key="number")
    billing.change_quantity(office.at(date(2026, 3, 2)), line=line, start=date(2026, 3, 16), quantity=Decimal(5))
    document = Document.objects.latest("pk")
    view = view_of(document)
    assert view.references == (first.number,)
    assert [row.net for row in view.lines] == [Decimal("-11.61"), Decimal("19.35")]
    text = text_of(document)
    assert "mit einer Korrektur der Rechnung RE-2026-00001" in text
    assert "\u221211,61" in text


def test_one_document_of_several_contracts_names_them_on_the_lines(office: Office) -> None:
    """R14.5: one invoice per customer shows each line's contract; one of a single contract only at the top."""
    customer = office.customer(documents_per="customer")
    for key in ("V-1", "V-2"):
        office.sign(customer, key)
    (document,) = office.bill(date(2026, 3, 1))
    view = view_of(document)
    assert view.contract_number == ""
    assert [row.contract for row in view.lines] == ["V-1", "V-2"]
    text = text_of(document)
    assert text.count("Vertrag V-1") == text.count("Vertrag V-2") == 1


def test_a_discount_is_shown_with_its_reason(office: Office) -> None:
    """R10.1: the unit price is after the discount, and the line says so."""
    office.sign(office.customer(), "V-1", conditions={"base": {"discount": "10", "reason": "Treue"}})
    (document,) = office.bill(date(2026, 3, 1))
    (row,) = view_of(document).lines
    assert (row.unit_price, row.net, row.note) == (Decimal("44.1"), Decimal("44.10"), "Rabatt: 10\u00a0% (Treue)")


def test_a_sale_has_a_day_and_no_period(office: Office) -> None:
    """A sales item is billed without a contract."""
    billing.sell(
        office.at(date(2026, 3, 3)),
        customer=office.customer(),
        lines=[{"title": "Telefon", "price": "99.90", "quantity": "2"}],
    )
    (document,) = office.bill(date(2026, 3, 4))
    (row,) = view_of(document).lines
    assert (row.first_day, row.last_day, row.contract, row.net) == (date(2026, 3, 3), None, "", Decimal("199.80"))
    assert "Telefon 03.03.2026 2 99,90 19 % 199,80" in text_of(document)


@pytest.mark.parametrize(("language", "title"), [("de", "Rechnung"), ("sv", "Faktura"), ("en", "Invoice")])
def test_the_recipients_language_and_tax_status(office: Office, language: str, title: str) -> None:
    """R13.4: reverse charge prints its legal text in the recipient's language, with both VAT ids."""
    customer = office.customer(country="SE", vat_id="SE556677889901", tax_status="reverse_charge")
    customer.language = language
    customer.save(update_fields=["language"])
    office.sign(customer, "V-1")
    (document,) = office.bill(date(2026, 3, 1))
    text = text_of(document)
    assert text.count("2006/112/E") == 1
    for part in (f"{title} RE-2026-00001", "SE556677889901", "DE136695976"):
        assert part in text


def test_gross_prices_and_other_currencies(database: str, actor: Actor) -> None:
    """R13.3 and three decimals: the lines are gross, what is stored is what is printed."""
    office = make_office(actor, prices_are="gross", currency="KWD")
    office.sign(office.customer(), "V-1")
    (document,) = office.bill(date(2026, 3, 1))
    view = view_of(document)
    assert (view.prices_are, view.gross, view.lines[0].amount) == ("gross", Decimal("49.000"), Decimal("49.000"))
    assert view.net == Money(document.net, 3).exact == Decimal("41.176")
    assert "Gesamtbetrag 49,000 KWD" in text_of(document)


def test_what_changes_later_does_not_change_the_document(office: Office) -> None:
    """R14.1: the copies are printed, not what holds today; the same bytes each time."""
    customer = office.customer()
    office.sign(customer, "V-1")
    (document,) = office.bill(date(2026, 3, 1))
    before = pdf_of(document)
    customers.set_billing_information(
        office.actor, customer=customer, name="Other AG", city="Bonn", vat_id="DE999999999"
    )
    Customer.objects.update(language="sv", key="other")
    Seller.objects.update(name="New GmbH", iban="DE00", city="Kiel")
    assert pdf_of(documents(document.pk)[0]) == before


def test_stored_sums_that_do_not_add_up_are_not_printed(office: Office) -> None:
    """What was tampered with is refused, not printed."""
    office.sign(office.customer(), "V-1")
    (document,) = office.bill(date(2026, 3, 1))
    document.net, document.tax = document.net + 1, document.tax - 1
    with pytest.raises(ValueError, match="sum to"):
        view_of(document)


def test_the_number_of_queries_does_not_grow(office: Office) -> None:
    """1 or 20 documents, invoices of one contract and of several, credit notes: the same six queries, and in order."""
    for i in range(10):
        customer = office.customer(f"c{i}", documents_per="customer")
        for j in range(2 - i % 2):  # the last document is of one contract
            office.sign(customer, f"V-{i}-{j}", quantities={"number": Decimal(j + 1)})
    invoices = office.bill(date(2026, 3, 1))
    notes = [
        billing.credit(office.at(date(2026, 3, 2) + timedelta(days=i)), document=d, lines=[{"line": 1, "net": "1"}])
        for i, d in enumerate(invoices)
    ]
    ids = [d.pk for d in invoices] + [n.id for made in notes for n in made]
    assert len(ids) == 20
    found = {}
    for count, wanted in ((1, ids[-1:]), (20, ids)):
        rows = documents(*wanted)
        with CaptureQueriesContext(connection) as captured:
            views = views_of(rows)
        found[count] = len(captured)
        assert [view.number for view in views] == [row.number for row in rows]
    assert found[1] == found[20] == 6
    assert views_of([]) == []


def test_more_decimals_than_allowed_are_printed_all_the_same(office: Office) -> None:
    """An issued document can always be read, whatever was let in."""
    sold = [{"title": "Kabel", "price": "1", "quantity": "1.5"}]
    item = billing.sell(office.at(date(2026, 3, 3)), customer=office.customer(), lines=sold)
    item.lines.update(quantity=Decimal("1.1234567890123"))
    (document,) = office.bill(date(2026, 3, 4))
    assert "1,1234567890123" in text_of(document)


@pytest.mark.parametrize("way", ["sell", "sign"])
def test_more_than_twelve_decimals_are_refused(office: Office, way: str) -> None:
    """R1.2: unit prices and quantities keep up to 12 decimals; more is `invalid`, before it stands on a document."""
    long = Decimal("1.1234567890123")
    customer = office.customer()
    with pytest.raises(Refused) as refused:
        if way == "sell":
            billing.sell(office.actor, customer=customer, lines=[{"title": "x", "price": "1", "quantity": long}])
        else:
            office.sign(customer, "V-1", quantities={"number": long})
    assert refused.value.code == "invalid"


def test_the_usage_of_a_flat_price_stands_in_its_line(office: Office) -> None:
    """R7.4: one line of quantity 1; its usage is in the text, and explained, but costs nothing."""
    flat = {"title": "Pauschale", "charge": "usage", "unit": "minute", "flat_price": True, "price": "49.00"}
    tariff = catalog.define_tariff(office.actor, seller=office.seller, key="flat", title="Flat", lines={"flat": flat})
    customer = office.customer()
    contracts.sign(office.actor, key="F-1", customer=customer, tariff=tariff, start=date(2026, 3, 1))
    at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    usage = [{"contract": "F-1", "article": "flat", "duration": 1830, "at": at}]
    billing.record_usage(office.actor, seller=office.seller, entries=usage)
    (document,) = office.bill(date(2026, 4, 1))
    (line,) = view_of(document).lines
    assert (line.quantity, line.net, line.note) == (1, Decimal("49.00"), "Nutzung: 31\u00a0Min.")
    found = explain(document, 1)
    assert ("usage, in the flat price", "31") in found.texts("en", plainly)
    assert ("Nutzung, im Pauschalpreis", "31") in found.texts("de", plainly)
    assert [row["seconds"] for row in found.rows()] == [1830]


def test_a_draft_prints_what_its_issue_prints_but_for_number_and_mark(office: Office) -> None:
    joint = office.customer("joint", documents_per="customer")
    for key, customer in (("V-1", joint), ("V-2", joint), ("V-3", office.customer())):
        office.sign(customer, key, quantities={"number": Decimal(2)})
    on = date(2026, 3, 1)
    ready = billing.bill(office.at(on), seller=office.seller, on=on, preview=True).ready
    with CaptureQueriesContext(connection) as captured:
        drafts = views_of_ready(office.at(on), ready, on)
    assert len(captured) <= 2
    issued = [view_of(d) for d in office.bill(on)]
    assert [replace(v, number="", preview=True) for v in issued] == drafts
    assert len(drafts) == 2 and {line.contract for line in drafts[0].lines} == {"V-1", "V-2"}


def test_the_draft_of_a_change_names_what_it_corrects(office: Office) -> None:
    contract = office.sign(office.customer(), "V-1", quantities={"number": Decimal(2)})
    (invoice,) = office.bill(date(2026, 3, 1))
    line = contract.lines.get(article__key="number")
    ready = billing.preview_quantity(
        office.at(date(2026, 3, 16)), line=line, quantity=Decimal(1), start=date(2026, 3, 16)
    )
    note, _ = views_of_ready(office.at(date(2026, 3, 16)), ready.documents, date(2026, 3, 16))
    assert (note.kind, note.references, note.preview) == ("credit_note", (invoice.number,), True)


def test_a_draft_without_billing_information_has_the_customers_name(office: Office) -> None:
    office.sign(office.customer(), "V-1")
    (ready,) = billing.bill(office.actor, seller=office.seller, on=date(2026, 3, 1), preview=True).ready
    bare = customers.create_customer(office.actor, seller=office.seller, key="bare", name="Bare KG")
    (view,) = views_of_ready(office.actor, [replace(ready, customer=bare)], date(2026, 3, 1))
    assert (view.buyer.name, view.buyer.lines) == ("Bare KG", ())


def with_debit(office: Office, language: str = "de", **more: Any) -> Customer:
    """A customer who pays by direct debit, with a debtor number and a head office."""
    customer = office.customer(
        debtor_number="10042", direct_debit=True, iban="DE89 3704 0044 0532 0130 00", mandate_reference="M-7",
        mandate_date=date(2026, 1, 2),
    )  # fmt: skip
    head = customers.create_customer(office.actor, seller=office.seller, key="head", name="Acme Holding SE")
    customers.change_customer(office.actor, customer=customer, language=language, head_office=head, **more)
    return customer


@pytest.mark.parametrize(
    ("language", "sentence", "labels"),
    [
        ("de", "Der Betrag wird am 15.03.2026 von der IBAN DE89 … 3000 eingezogen (SEPA-Lastschrift, Mandat M-7).",
         ("Debitorennummer 10042", "Hauptsitz Acme Holding SE")),
        ("en", "The amount will be debited from IBAN DE89 … 3000 on 15 Mar 2026 (SEPA direct debit, mandate M-7).",
         ("Debtor number 10042", "Head office Acme Holding SE")),
        ("sv", "Beloppet dras från IBAN DE89 … 3000 den 2026-03-15 (SEPA-autogiro, medgivande M-7).",
         ("Kundreskontranummer 10042", "Huvudkontor Acme Holding SE")),
    ],
)  # fmt: skip
def test_a_direct_debit_is_announced_with_the_masked_iban(
    office: Office, language: str, sentence: str, labels: tuple[str, str]
) -> None:
    office.sign(with_debit(office, language), "V-17")
    (document,) = office.bill(date(2026, 3, 1))
    text = text_of(document)
    assert sentence in text
    assert all(label in text for label in labels)
    assert "3704" not in text and "3704" not in str(document.buyer_data), "nobody else can use what is printed"
    assert "ohne Abzug" not in text and "without deduction" not in text and "utan avdrag" not in text


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("de", "(SEPA-Lastschrift, Gläubiger-ID DE98ZZZ09999999999, Mandat M-7)"),
        ("en", "(SEPA direct debit, creditor identifier DE98ZZZ09999999999, mandate M-7)"),
        ("sv", "(SEPA-autogiro, borgenärsidentitet DE98ZZZ09999999999, medgivande M-7)"),
    ],
)
def test_an_invoice_names_who_collects_it(office: Office, language: str, says: str) -> None:
    billing.change_seller(office.actor, seller=office.seller, creditor_id="de98 zzz 0999 9999 999")
    office.seller.refresh_from_db()
    office.sign(with_debit(office, language), "V-17")
    (document,) = office.bill(date(2026, 3, 1))
    assert says.replace(" ", "") in text_of(document).replace(" ", ""), "lines may break in it"
    before = pdf_of(document)
    billing.change_seller(office.actor, seller=office.seller, creditor_id="")
    assert pdf_of(*documents(document.pk)) == before


def test_what_a_document_says_of_payment_stays_when_billing_information_changes(office: Office) -> None:
    customer = with_debit(office)
    office.sign(customer, "V-17")
    (document,) = office.bill(date(2026, 3, 1))
    before = pdf_of(document)
    customers.set_billing_information(
        office.actor, customer=customer, direct_debit=False, debtor_number="99", mandate_reference="", mandate_date=None
    )
    customers.change_customer(office.actor, customer=customer, head_office=None)
    assert pdf_of(*documents(document.pk)) == before
    (later,) = office.bill(date(2026, 4, 1))
    assert "debit_iban" not in later.buyer_data and "Zahlbar bis" in text_of(later) and "99" in text_of(later)


def test_a_credit_note_of_a_direct_debit_announces_none(office: Office) -> None:
    office.sign(with_debit(office), "V-17")
    (invoice,) = office.bill(date(2026, 3, 1))
    (credited,) = billing.credit(office.actor, document=invoice)
    (note,) = documents(credited.id)
    assert "eingezogen" not in text_of(note) and "Debitorennummer 10042" in text_of(note)


def test_a_document_of_before_prints_as_it_did(office: Office) -> None:
    """Its copy has none of the newer names, and its hash is that of what it has."""
    office.sign(office.customer(), "V-17")
    (document,) = office.bill(date(2026, 3, 1))
    assert set(document.buyer_data) == {
        "name", "street", "postcode", "city", "country", "email", "vat_id", "tax_status", "customer",
    }  # fmt: skip
    view = view_of(document)
    assert (view.debtor_number, view.head_office, view.debit_iban) == ("", "", "")
