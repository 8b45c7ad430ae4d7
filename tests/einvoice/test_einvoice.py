"""E-invoices keep the official rules, whatever stands on a document; what they cannot say is named before."""

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from taktura.einvoice import (
    PROFILES,
    Debit,
    EInvoice,
    Line,
    Party,
    TaxSum,
    is_address,
    lacks,
    price_of,
    with_xml,
    xml_of,
)
from taktura.einvoice.pdf import FILE
from taktura.invoices.rendering import DocumentView, LineView, SellerParty, TaxView, render_pdf
from taktura.invoices.rendering import Party as Printed
from tests.einvoice.official import faults

SELLER = Party(
    name="Sonnenruf GmbH", street="Hauptstraße 1", city="Berlin", postcode="10115", country="DE", vat_id="DE136695976",
    tax_number="29/123/45678", legal="HRB 1234 B", email="rechnung@sonnenruf.example", phone="+49 30 1234567",
    address="9930:DE136695976",
)  # fmt: skip
SWEDE = replace(SELLER, country="SE", vat_id="SE556036079301", tax_number="", address="0007:5560360793")
BUYERS = {
    "S": Party(name="Stadt Hamburg", street="Weg 2", city="Hamburg", postcode="20095", country="DE", number="K-1",
               email="eingang@hamburg.example", address="0204:02000000000-AB12-34"),
    "Z": Party(name="Null KG", city="Köln", postcode="50667", country="DE", number="K-2", address="0088:4012345000009",
               email="null@kg.example"),
    "AE": Party(name="Kund AB", city="Malmö", postcode="211 20", country="SE", vat_id="SE556036079301", number="K-3",
                email="faktura@kund.example", address="0007:5560360793"),
    "G": Party(name="Client Inc.", city="Springfield", postcode="62701", country="US", number="K-4",
               email="ap@client.example", address="0060:123456789"),
    "E": Party(name="Verein e. V.", city="Bonn", postcode="53111", country="DE", number="K-5",
               email="kasse@verein.example", address="9930:DE136695976"),
}  # fmt: skip
REASONS = {"AE": "Reverse charge", "G": "Export", "E": "Exempt"}
IBAN = "DE89370400440532013000"
cents = st.integers(-500_000, 500_000).map(lambda n: Decimal(n) / 100)
signs = st.characters(codec="utf-8", exclude_categories=("Cs",))
texts = st.text(signs, min_size=1, max_size=30).map(lambda text: f"x{text}x")
days = st.dates(date(2025, 1, 1), date(2026, 12, 31))


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@st.composite
def lines(draw: st.DrawFn, category: str) -> Line:
    quantity = draw(st.decimals(-1000, 1000, places=4) | st.integers(0, 50).map(Decimal))
    price = draw(st.none() | st.decimals(-10, 1000, places=6))
    by_price = price is not None and price >= 0 and draw(st.booleans())
    net = rounded(quantity * price) if by_price and price is not None else draw(cents)
    first = draw(st.none() | days)
    rate = draw(st.sampled_from([Decimal(19), Decimal(7), Decimal("8.1")])) if category == "S" else Decimal(0)
    return Line(
        title=draw(texts), net=net, category=category, rate=rate, quantity=quantity,
        unit=draw(st.sampled_from(["C62", "MIN", "HUR", "MON"])), price=price_of(quantity, price, net, 2),
        article=draw(st.sampled_from(["", "base"])), notes=tuple(draw(st.lists(texts, max_size=2))), first_day=first,
        last_day=first and first + timedelta(days=draw(st.integers(0, 400))),
    )  # fmt: skip


def taxes_of(rows: Sequence[Line]) -> tuple[TaxSum, ...]:
    sums: dict[tuple[str, Decimal], Decimal] = {}
    for line in rows:
        sums[line.category, line.rate] = sums.get((line.category, line.rate), Decimal(0)) + line.net
    return tuple(
        TaxSum(category=c, rate=r, net=net, tax=rounded(net * r / 100), reason=REASONS.get(c, ""))
        for (c, r), net in sums.items()
    )


@st.composite
def einvoices(draw: st.DrawFn) -> EInvoice:
    category = draw(st.sampled_from(list(BUYERS)))
    rows = draw(st.lists(lines(category), min_size=1, max_size=5))
    taxes = taxes_of(rows)
    net, tax = sum((r.net for r in taxes), Decimal(0)), sum((r.tax for r in taxes), Decimal(0))
    kind = draw(st.sampled_from(["invoice", "credit_note"]))
    issued = draw(days)
    return EInvoice(
        kind=kind, number=draw(st.sampled_from(["2026-00001", "R/1 ä"])), issued_on=issued, currency="EUR", digits=2,  # type: ignore[arg-type]
        seller=SELLER, buyer=BUYERS[category], buyer_reference=draw(texts), lines=tuple(rows), taxes=taxes, net=net,
        tax=tax, gross=net + tax, due_on=issued + timedelta(days=14) if kind == "invoice" else None,
        contract=draw(st.sampled_from(["", "V-1"])), terms=draw(texts), notes=tuple(draw(st.lists(texts, max_size=2))),
        references=tuple(draw(st.lists(st.tuples(st.sampled_from(["2025-7", "2025-8"]), days), max_size=2))),
        iban=IBAN, bic=draw(st.sampled_from(["", "COBADEFFXXX"])),
        debit=draw(st.none() | st.just(Debit(mandate="M-1", creditor="DE98ZZZ09999999999", account=IBAN))),
    )  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES)
@given(invoice=einvoices())
def test_whatever_stands_on_a_document_keeps_the_official_rules(profile: str, invoice: EInvoice) -> None:
    assert lacks(invoice, profile) == ()
    made = xml_of(invoice, profile)
    assert "\n".join(faults(made, profile)) == ""
    assert xml_of(invoice, profile) == made


def sample(**changed: object) -> EInvoice:
    """An invoice of one line over 100.00 at 19 %."""
    line = Line(title="Grundgebühr", net=Decimal("100.00"), category="S", rate=Decimal(19), quantity=Decimal(2),
                price=Decimal(50), first_day=date(2026, 1, 1), last_day=date(2026, 1, 31))  # fmt: skip
    fields: dict[str, object] = {
        "kind": "invoice", "number": "2026-00001", "issued_on": date(2026, 2, 1), "currency": "EUR", "digits": 2,
        "seller": SELLER, "buyer": BUYERS["S"], "buyer_reference": "K-1", "lines": (line,),
        "taxes": taxes_of([line]), "net": Decimal("100.00"), "tax": Decimal("19.00"), "gross": Decimal("119.00"),
        "due_on": date(2026, 2, 15), "terms": "Zahlbar bis 15.02.2026.", "iban": IBAN,
    }  # fmt: skip
    return EInvoice(**(fields | changed))  # type: ignore[arg-type]


# What is left out of the seller, the buyer or the document.
GAPS: dict[str, dict[str, object]] = {
    "phone": {"seller": replace(SELLER, phone="")},
    "seller's mail": {"seller": replace(SELLER, email="")},
    "seller's mail and address": {"seller": replace(SELLER, email="", address="")},
    "seller's address": {"seller": replace(SELLER, address="")},
    "seller's city": {"seller": replace(SELLER, city="")},
    "seller's postcode": {"seller": replace(SELLER, postcode="")},
    "seller's country": {"seller": replace(SELLER, country="")},
    "tax number and VAT id": {"seller": replace(SELLER, tax_number="", vat_id="")},
    "VAT id": {"seller": replace(SELLER, vat_id="")},
    "tax number": {"seller": replace(SELLER, tax_number="")},
    "account": {"iban": ""},
    "buyer's addresses": {"buyer": replace(BUYERS["S"], email="", address="")},
    "buyer's electronic address": {"buyer": replace(BUYERS["S"], address="")},
    "buyer's city": {"buyer": replace(BUYERS["S"], city="")},
    "buyer's postcode": {"buyer": replace(BUYERS["S"], postcode="")},
    "buyer's country": {"buyer": replace(BUYERS["S"], country="")},
    "creditor": {"debit": Debit(mandate="M-1", creditor="", account=IBAN)},
}
# Of German sellers we ask for Peppol what its national rules (DE-R-…) want, which the rules installed here leave out.
STRICTER = {"phone", "seller's mail", "seller's city", "seller's postcode", "buyer's city", "buyer's postcode"}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("gap", GAPS)
def test_what_is_missing_is_what_the_rules_ask_for(gap: str, profile: str) -> None:
    """Nothing is asked for that the rules do without, and without what they ask for nothing can be made."""
    invoice = sample(**GAPS[gap])
    missing = lacks(invoice, profile)
    found = faults(xml_of(invoice, profile), profile)
    if profile == "peppol" and gap in STRICTER:
        assert missing and not found
    else:
        assert bool(missing) == bool(found), found


@pytest.mark.parametrize("category", ["AE", "G"])
def test_without_vat_both_are_known_to_the_tax_office(category: str) -> None:
    line = replace(sample().lines[0], category=category, rate=Decimal(0))
    fields = {"lines": (line,), "taxes": taxes_of([line]), "tax": Decimal("0.00"), "gross": Decimal("100.00")}
    unknown = sample(**fields, buyer=BUYERS["G"], seller=replace(SELLER, vat_id=""))
    assert lacks(unknown, "zugferd") == (("seller.vat_id", "buyer.vat_id") if category == "AE" else ("seller.vat_id",))
    assert faults(xml_of(unknown, "zugferd"), "zugferd") != []
    assert faults(xml_of(sample(**fields, buyer=BUYERS[category]), "zugferd"), "zugferd") == []


@pytest.mark.parametrize("profile", ["zugferd", "peppol"])
@pytest.mark.parametrize("currency", ["SEK", "EUR"])
def test_a_swedish_seller_keeps_the_rules_too(profile: str, currency: str) -> None:
    line = replace(sample().lines[0], rate=Decimal(25))
    made = xml_of(
        sample(seller=SWEDE, buyer=BUYERS["AE"], currency=currency, lines=(line,), taxes=taxes_of([line]),
               tax=Decimal("25.00"), gross=Decimal("125.00"), iban="SE4550000000058398257466"),
        profile,
    )  # fmt: skip
    assert faults(made, profile) == []


def values(xml: bytes, *names: str) -> list[str]:
    """The texts of the elements of these names, in their order."""
    root = etree.fromstring(xml)
    return [one.text or "" for one in root.iter() if etree.QName(one).localname in names]


def test_quantity_times_price_is_the_amount() -> None:
    """A price that does not give the amount is for the whole quantity; of nothing there is one (BT-149)."""
    base = sample().lines[0]
    cases = [  # line, quantity, price, base quantity
        (base, "2", "50", ""),
        (replace(base, quantity=Decimal("3.5"), price=None), "3.5", "100", "3.5"),
        (replace(base, quantity=Decimal(0), price=None), "1", "100", ""),
        (replace(base, net=Decimal("-100.00")), "-2", "50", ""),
        (replace(base, net=Decimal("-100.00"), quantity=Decimal("-3"), price=None), "-3", "100", "3"),
        (replace(base, net=Decimal("0.00"), quantity=Decimal(0), price=Decimal(5)), "0", "5", ""),
    ]
    for line, quantity, price, of in cases:
        tax = rounded(line.net * 19 / 100)
        made = xml_of(
            sample(lines=(line,), taxes=taxes_of([line]), net=line.net, tax=tax, gross=line.net + tax), "peppol"
        )
        assert values(made, "InvoicedQuantity") == [quantity]
        assert values(made, "PriceAmount") == [price]
        assert values(made, "BaseQuantity") == ([of] if of else [])


def test_the_price_of_a_unit_is_told_only_where_it_gives_the_amount() -> None:
    third = Decimal("0.333333")
    assert price_of(Decimal(3), third, Decimal("1.00"), 2) == third
    assert price_of(Decimal(3), third, Decimal("1.01"), 2) is None
    assert price_of(Decimal(2), Decimal("-1"), Decimal("-2.00"), 2) is None
    assert price_of(Decimal(-2), Decimal(1), Decimal("-2.00"), 2) == Decimal(1)
    assert price_of(Decimal(2), None, Decimal("2.00"), 2) is None


@pytest.mark.parametrize("profile", PROFILES)
def test_nobody_is_asked_to_pay_what_is_credited_or_nothing(profile: str) -> None:
    """A credit note and a document over 0.00 name no account to pay to: what reads it would transfer."""
    nothing = replace(sample().lines[0], net=Decimal("0.00"), quantity=Decimal(0))
    zero = {"net": Decimal("0.00"), "tax": Decimal("0.00"), "gross": Decimal("0.00"), "lines": (nothing,)}
    for document in (sample(kind="credit_note", due_on=None), sample(**zero, taxes=taxes_of([nothing]))):
        made = xml_of(document, profile)
        assert faults(made, profile) == []
        assert IBAN not in made.decode()
        assert [code for code in values(made, "PaymentMeansCode") + values(made, "TypeCode") if code in "1 30 58"] == [
            "1"
        ]
    assert IBAN in xml_of(sample(), profile).decode()


@pytest.mark.parametrize("profile", PROFILES)
def test_no_day_of_delivery_is_told_before_it_has_come(profile: str) -> None:
    """What is billed in advance has its period alone; the actual delivery (BT-72) is a day that was."""
    line = replace(sample().lines[0], first_day=date(2026, 2, 1), last_day=date(2026, 2, 28))
    names = ("ActualDeliveryDate", "ActualDeliverySupplyChainEvent")
    assert values(xml_of(sample(), profile), *names) != []
    made = xml_of(sample(lines=(line,)), profile)
    assert values(made, *names) == [] and faults(made, profile) == []


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("vat_id", ["9876", "12-3456789", "xx1234"])
def test_what_is_no_vat_id_is_not_told_as_one(vat_id: str, profile: str) -> None:
    """A VAT id begins with its country (BR-CO-09): what does not is left out, and missing where one is needed."""
    made = xml_of(sample(buyer=replace(BUYERS["S"], vat_id=vat_id)), profile)
    assert faults(made, profile) == [] and vat_id not in made.decode()
    seller = replace(SELLER, vat_id=vat_id)
    assert lacks(sample(seller=seller), profile) == ()
    assert faults(xml_of(sample(seller=seller), profile), profile) == []
    assert "seller.vat_id" in lacks(sample(seller=replace(seller, tax_number="")), profile)
    line = replace(sample().lines[0], category="AE", rate=Decimal(0))
    untaxed = {"lines": (line,), "taxes": taxes_of([line]), "tax": Decimal("0.00"), "gross": Decimal("100.00")}
    missing = lacks(sample(**untaxed, seller=seller, buyer=replace(BUYERS["AE"], vat_id=vat_id)), profile)
    assert missing == ("seller.vat_id", "buyer.vat_id")


@pytest.mark.parametrize("profile", PROFILES)
def test_countries_are_those_of_the_code_list(profile: str) -> None:
    for country, good in (("GB", True), ("XK", True), ("XX", False), ("ZZ", False), ("EU", False)):
        invoice = sample(buyer=replace(BUYERS["S"], country=country))
        assert lacks(invoice, profile) == (() if good else ("buyer.country",))
        assert bool(faults(xml_of(invoice, profile), profile)) is not good, country


@pytest.mark.parametrize("profile", PROFILES)
def test_a_direct_debit_of_which_the_account_is_not_known_in_full(profile: str) -> None:
    invoice = sample(debit=Debit(mandate="M-1", creditor="DE98ZZZ09999999999", account=""))
    assert lacks(invoice, profile) == (() if profile == "zugferd" else ("buyer.iban",))
    assert bool(faults(xml_of(invoice, profile), profile)) is (profile != "zugferd")


def test_what_does_not_add_up_is_no_einvoice() -> None:
    with pytest.raises(ValueError, match="the lines sum to 100.00"):
        sample(net=Decimal("99.00"), gross=Decimal("118.00"))


@pytest.mark.parametrize(
    ("text", "good"),
    [("0204:991-12345-67", True), ("9930:DE136695976", True), ("0007:5560360793", True), ("0088:4012345000009", True),
     ("EM:a@b.example", True), ("0184:DK12345678", True), ("0208:0403019261", True), ("0192:988077917", True),
     ("0007:5560360794", False), ("0088:4012345000008", False), ("EM:nobody", False), ("9930:136695976", False),
     ("1234:x", False), ("0204:", False), ("0204", False), ("0204:a b", False), ("", False), ("٠٢٠٤:1", False)],
)  # fmt: skip
def test_an_electronic_address_has_a_scheme_and_what_the_scheme_asks_for(text: str, good: bool) -> None:
    assert is_address(text) is good


def printed() -> bytes:
    """A PDF as documents are printed."""
    return render_pdf(
        DocumentView(
            kind="invoice", number="2026-00001", issued_on=date(2026, 2, 1), language="de", currency="EUR",
            seller=SellerParty(name="Sonnenruf GmbH", country="DE"), buyer=Printed(name="Kunde AG", country="DE"),
            lines=(LineView(title="Grundgebühr", net=Decimal("100.00"), vat_rate=Decimal(19)),),
            taxes=(TaxView(category="S", rate=Decimal(19), net=Decimal("100.00"), tax=Decimal("19.00")),),
            net=Decimal("100.00"), tax=Decimal("19.00"), gross=Decimal("119.00"),
        )
    )  # fmt: skip


def test_the_xml_stands_within_the_pdf() -> None:
    """What PDF/A-3 and Factur-X ask for of the file, and that the same document is the same bytes."""
    xml = xml_of(sample(), "zugferd")
    made = with_xml(printed(), xml, date(2026, 2, 1))
    assert with_xml(printed(), xml, date(2026, 2, 1)) == made
    assert made.startswith(printed()[:9])  # the version of PDF that the pages are written in (PDF/A-3, 6.1.2)
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert pdf.attachments[FILE].get_file().read_bytes() == xml
        [file] = list(pdf.Root.AF)
        assert (str(file.UF), str(file.F), str(file.AFRelationship)) == (FILE, FILE, "/Alternative")
        assert str(file.EF.F.Subtype) == "/text/xml" and str(file.EF.F.Params.ModDate) == "D:20260201120000Z"
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            fx = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
            said = [metadata[fx + n] for n in ("DocumentType", "DocumentFileName", "Version", "ConformanceLevel")]
            assert said == ["INVOICE", FILE, "1.0", "EN 16931"]
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
        assert "pdfaExtension:schemas" in pdf.Root.Metadata.read_bytes().decode()
        assert pdf.check_pdf_syntax() == []


def test_a_pdf_without_metadata_is_refused() -> None:
    bare = io.BytesIO()
    pikepdf.new().save(bare)
    with pytest.raises((ValueError, KeyError)):
        with_xml(bare.getvalue(), b"<x/>", date(2026, 2, 1))
