"""Documents as PDF, from a view alone: texts, formats, pages. No database is asked."""

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from string import Formatter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from taktura.core.money import money, places
from taktura.invoices.rendering import DocumentView, LineView, Party, SellerParty, TaxView, render_pdf
from taktura.invoices.rendering.formats import formats_of
from taktura.invoices.rendering.page import breakable, page_of
from taktura.invoices.rendering.pdf import _ALWAYS, _PLAIN_END, REPLACEMENT
from taktura.invoices.rendering.words import UNITS, WORDS, unit_word

A4_POINTS = (595, 842)
LANGUAGES = ("de", "sv", "en")
JUNE = {"first_day": date(2026, 6, 1), "last_day": date(2026, 6, 30)}
SELLER = SellerParty(
    name="Taktura Beispiel GmbH",
    lines=("Musterweg 1", "20095 Hamburg"),
    country="DE",
    vat_id="DE123456789",
    email="rechnung@taktura.example",
    phone="+49 40 123456",
    tax_number="12/345/67890",
    registration="Amtsgericht Hamburg HRB 12345",
    bank_name="Hamburger Sparkasse",
    iban="DE02120300000000202051",
    bic="BYLADEM1001",
)
BUYER = Party(name="Müller & Söhne KG", lines=("Hauptstraße 1", "10115 Berlin"), country="DE")


def line(title: str, quantity: str, price: str, *, currency: str = "EUR", **fields: Any) -> LineView:
    """A line whose amount is its quantity × price."""
    amount = money(Fraction(quantity) * Fraction(price), places(currency)).exact
    own: dict[str, Any] = {"vat_rate": Decimal(19), "amount": amount, "net": amount, **fields}
    return LineView(title=title, quantity=Decimal(quantity), unit_price=Decimal(price), **own)


def document(lines: Sequence[LineView], **fields: Any) -> DocumentView:
    """A German invoice over net lines that adds up; `fields` replace its own."""
    currency = fields.get("currency", "EUR")
    kinds = sorted({(row.vat_category, row.vat_rate) for row in lines}, reverse=True)
    taxes = []
    for category, rate in kinds:
        net = sum((row.net for row in lines if (row.vat_category, row.vat_rate) == (category, rate)), Decimal(0))
        tax = money(Fraction(net) * Fraction(rate) / 100, places(currency)).exact
        taxes.append(TaxView(category=category, rate=rate, net=net, tax=tax))
    net, tax = sum((t.net for t in taxes), Decimal(0)), sum((t.tax for t in taxes), Decimal(0))
    usual: dict[str, Any] = {
        "kind": "invoice",
        "number": "RE-2026-00042",
        "issued_on": date(2026, 7, 1),
        "due_on": date(2026, 7, 15),
        "language": "de",
        "currency": currency,
        "seller": SELLER,
        "buyer": BUYER,
        "customer_number": "K-10023",
        "contract_number": "V-2026-17",
    }
    return DocumentView(lines=tuple(lines), taxes=tuple(taxes), net=net, tax=tax, gross=net + tax, **usual | fields)


def ordinary(**fields: Any) -> DocumentView:
    """Three lines of June: 49.00 + 137 × 0.95 + 3 × 7.50 = 201.65."""
    lines = [line("Base fee", "1", "49", **JUNE), line("Calls", "137", "0.95", unit="min", **JUNE)]
    return document([*lines, line("Numbers", "3", "7.5", **JUNE)], **fields)


def pages(view: DocumentView) -> list[str]:
    """The text of each page, all white space as single spaces."""
    reader = PdfReader(io.BytesIO(render_pdf(view)))
    return [" ".join(page.extract_text().replace("\u200b", "").split()) for page in reader.pages]


def text_of(view: DocumentView) -> str:
    """The text of all pages."""
    return " ".join(pages(view))


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "de",
            [
                "Rechnung RE-2026-00042",
                "01.07.2026",
                "15.07.2026",
                "01.06.2026 – 30.06.2026",
                "Einzelpreis €",
                "Netto €",
                "130,15",
                "Summe netto 201,65",
                "USt 19 % auf 201,65 € 38,31",
                "Gesamtbetrag 239,96 €",
                "Zahlbar bis 15.07.2026",
                "Seite 1 von 1",
            ],
        ),
        (
            "sv",
            [
                "Faktura RE-2026-00042",
                "2026-07-01",
                "2026-06-01 – 2026-06-30",
                "À-pris €",
                "Summa exkl. moms 201,65",
                "Moms 19 % på 201,65 € 38,31",
                "Att betala 239,96 €",
                "Betalas senast 2026-07-15",
                "Sida 1 av 1",
            ],
        ),
        (
            "en",
            [
                "Invoice RE-2026-00042",
                "1 Jul 2026",
                "1 Jun 2026 – 30 Jun 2026",
                "Unit price €",
                "Total net 201.65",
                "VAT 19% on €201.65 38.31",
                "Total amount €239.96",
                "Payable by 15 Jul 2026",
                "Page 1 of 1",
            ],
        ),
    ],
)
def test_an_invoice_in_three_languages(language: str, expected: list[str]) -> None:
    """Titles, dates, periods with their last day, money and sums stand as the language writes them."""
    text = text_of(ordinary(language=language))
    assert [part for part in expected if part not in text] == []
    for part in ("Müller & Söhne KG", "DE02 1203 0000 0000 2020 51", "BYLADEM1001", "HRB 12345", "12/345/67890"):
        assert part in text


@pytest.mark.parametrize(
    ("language", "heading", "corrected", "credited"),
    [
        (
            "de",
            "Rechnungskorrektur GS-1",
            "zu den Rechnungen RE-40 und RE-41",
            "Dieser Betrag wird Ihnen gutgeschrieben.",
        ),
        ("sv", "Kreditfaktura GS-1", "till fakturorna RE-40 och RE-41", "Beloppet krediteras er."),
        ("en", "Credit note GS-1", "for the invoices RE-40 and RE-41", "This amount is credited to you."),
    ],
)
def test_a_credit_note_names_what_it_corrects(language: str, heading: str, corrected: str, credited: str) -> None:
    """R14.1: a correction names the documents; it asks for no payment."""
    view = ordinary(
        kind="credit_note", number="GS-1", due_on=None, references=("RE-40", "RE-41"), language=language, notes=("Why",)
    )
    text = text_of(view)
    for part in (heading, corrected, credited, "Why"):
        assert part in text
    assert "BYLADEM1001" in text  # at the foot
    assert text.count("DE02") == 1  # and no account to pay to


@pytest.mark.parametrize(
    ("kind", "references", "expected"),
    [
        ("credit_note", ("A",), "zur Rechnung A"),
        ("credit_note", ("A", "B", "C"), "zu den Rechnungen A, B und C"),
        ("invoice", ("A",), "mit einer Korrektur der Rechnung A"),
        ("invoice", ("A", "B"), "mit Korrekturen der Rechnungen A und B"),
        ("invoice", (), ""),
    ],
)
def test_references_as_a_phrase(kind: str, references: tuple[str, ...], expected: str) -> None:
    """An invoice that takes a credit in (R5.5) says so in other words than a credit note."""
    assert page_of(ordinary(kind=kind, references=references))["refers_to"] == expected


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("category", ["AE", "G", "E"])
def test_legal_text_where_there_is_no_vat(language: str, category: str) -> None:
    """R13.4: reverse charge, export and exemption print their text, once, and the recipient's VAT id."""
    rows = [line(f"L{i}", "1", "10", vat_rate=Decimal(0), vat_category=category) for i in range(3)]
    buyer = Party(name="Växel AB", lines=("Gatan 5", "111 51 Stockholm"), country="SE", vat_id="SE556677889901")
    text = text_of(document(rows, language=language, buyer=buyer))
    assert text.count(WORDS[language][category]) == 1
    assert f"({WORDS[language][f'label_{category}']})" in text
    assert "SE556677889901" in text
    others = {"AE", "G", "E"} - {category}
    assert not any(WORDS[language][other] in text for other in others)


@pytest.mark.parametrize(("language", "country"), [("de", "SCHWEDEN"), ("sv", "SVERIGE"), ("en", "SWEDEN")])
def test_a_foreign_country_stands_in_capitals(language: str, country: str) -> None:
    """DIN 5008: the country is the last line of a foreign address, and is left out at home."""
    abroad = Party(name="Växel AB", lines=("Gatan 5",), country="SE")
    assert page_of(ordinary(language=language, buyer=abroad))["recipient"] == ["Växel AB", "Gatan 5", country]
    assert page_of(ordinary(language=language))["recipient"] == [BUYER.name, *BUYER.lines]


def test_a_page_is_a4_and_archived_pdf() -> None:
    """A4, PDF/A-3b, with the title that a viewer shows."""
    reader = PdfReader(io.BytesIO(render_pdf(ordinary())))
    box = reader.pages[0].mediabox
    assert (round(box.width), round(box.height)) == A4_POINTS
    assert reader.metadata is not None
    assert reader.metadata.title == "Rechnung RE-2026-00042"
    described = reader.trailer["/Root"]["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in described
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in described


def test_many_lines_repeat_the_head_and_number_the_pages() -> None:
    """120 lines: each page has the head, and says which of how many it is; each line is there once."""
    found = pages(
        document([line(f"Article number {i} here", "1", "1.25", **JUNE) for i in range(1, 121)], language="en")
    )
    assert len(found) > 3
    for number, text in enumerate(found, 1):
        assert f"Page {number} of {len(found)}" in text
        assert "Unit price €" in text
    for i in range(1, 121):
        assert " ".join(found).count(f"Article number {i} here") == 1


@pytest.mark.parametrize("count", range(1, 36))
def test_sums_never_stand_alone(count: int) -> None:
    """Wherever the page ends, the last two lines, the head and the payment are with the sums, and no page is bare."""
    rows = [line(f"Article number {i} here", "1", "1.25", **JUNE) for i in range(1, count + 1)]
    found = pages(document(rows, language="en"))
    with_sums = [text for text in found if "Total amount" in text]
    assert len(with_sums) == 1
    assert with_sums[0] == found[-1]
    for i in range(max(1, count - 1), count + 1):
        assert f"Article number {i} here" in found[-1]
    assert "Payable by" in found[-1]
    assert [text.count("Unit price €") for text in found] == [1] * len(found)


def test_a_description_longer_than_a_page_goes_on_over_pages() -> None:
    """Nothing of a very long description falls off the page."""
    words = " ".join(f"word{i}x" for i in range(4000))
    found = pages(document([line(words, "1", "1"), line("short", "1", "1")]))
    assert [i for i in range(4000) if f"word{i}x" not in " ".join(found)] == []
    assert max(text.count("word") for text in found) < 1000
    assert "short" in found[-1]
    assert "Gesamtbetrag" in found[-1]


@pytest.mark.parametrize(
    ("currency", "language", "price", "expected"),
    [
        ("EUR", "de", "1234567890.12", ["1.234.567.890,12", "1.469.135.789,24 €"]),
        ("EUR", "de", "0.123456789012", ["0,123456789012"]),
        ("EUR", "sv", "1234567.5", ["1 234 567,50", "1 469 135,33 €"]),
        ("SEK", "sv", "10", ["À-pris kr", "11,90 kr"]),
        ("SEK", "en", "10", ["Net SEK", "SEK 11.90"]),
        ("JPY", "en", "12000", ["JP¥14,280", "12,000"]),
        ("JPY", "de", "33.335", ["33,335", "39 ¥"]),
        ("KWD", "en", "12.345", ["Net KWD", "12.345", "KWD 14.691"]),
        ("KWD", "de", "1", ["1,000", "1,190 KWD"]),
    ],
)
def test_money_has_its_currencys_decimals(currency: str, language: str, price: str, expected: list[str]) -> None:
    """R1.2: amounts have the decimals of the currency, prices up to 12; figures never wrap."""
    text = text_of(document([line("Article", "1", price, currency=currency)], currency=currency, language=language))
    assert [part for part in expected if part not in text] == []


def test_quantity_price_and_rate_are_printed_as_they_are() -> None:
    """Trailing zeros go, decimals stay, minus is a minus sign."""
    formats = formats_of("de", "EUR")
    assert formats.quantity(Decimal("64.500")) == "64,5"
    assert formats.quantity(Decimal("-1234567.123456789012")) == "\u22121.234.567,123456789012"
    assert formats.unit_price(Decimal("0.075")) == "0,075"
    assert formats.unit_price(Decimal("7.5000")) == "7,50"
    assert formats.amount(Decimal("-0.50")) == "\u22120,50"
    assert formats.money(Decimal("-1234.5")) == "\u22121.234,50\u00a0€"
    assert formats.rate(Decimal("5.5")) == "5,5\u00a0%"
    assert formats_of("en", "EUR").money(Decimal("-1")) == "\u2212€1.00"
    assert formats_of("xx", "EUR").day(date(2026, 1, 2)) == "2 Jan 2026"


@pytest.mark.parametrize("amount", ["1.005", "-0.001", "NaN", "Infinity"])
def test_an_amount_is_never_rounded_when_printed(amount: str) -> None:
    """An amount with more decimals than its currency, and what is no number, is refused."""
    formats = formats_of("de", "EUR")
    with pytest.raises(ValueError, match="decimals|no number"):
        formats.amount(Decimal(amount))
    with pytest.raises(ValueError, match="decimals|no number"):
        formats.money(Decimal(amount))


@given(number=st.decimals(min_value=-(10**40), max_value=10**40, places=15), language=st.sampled_from(LANGUAGES))
def test_no_digit_is_lost(number: Decimal, language: str) -> None:
    """R1.2: a quantity, a price and a rate of any size can be read back exactly."""
    formats = formats_of(language, "EUR")
    symbols = formats.locale.number_symbols["latn"]
    for text in (formats.quantity(number), formats.unit_price(number), formats.rate(number)):
        plain = text.replace(symbols["group"], "").replace(symbols["decimal"], ".").replace("\u2212", "-")
        assert Decimal(plain.rstrip("\u00a0%")) == number


def test_gross_prices() -> None:
    """R13.3: lines show what the customer pays, the sums take the VAT out, and a sentence says so."""
    row = LineView(
        title="Fee",
        quantity=Decimal(1),
        unit_price=Decimal("11.90"),
        amount=Decimal("11.90"),
        net=Decimal("10.00"),
        vat_rate=Decimal(19),
    )
    text = text_of(document([row], prices_are="gross"))
    for part in (
        "Brutto €",
        "1 11,90 19 % 11,90",
        "Summe netto 10,00",
        "1,90",
        "11,90 €",
        "enthalten die Umsatzsteuer",
    ):
        assert part in text
    with pytest.raises(ValueError, match="has no amount"):
        document([replace(row, amount=None)], prices_are="gross")


def test_one_day_and_no_day() -> None:
    """A span of one day is written once; a line without days has none."""
    day = date(2026, 6, 5)
    rows = [line("A", "1", "1", first_day=day, last_day=day), line("B", "1", "1", first_day=day), line("C", "1", "1")]
    assert [row["detail"] for row in page_of(document(rows))["lines"]] == [["05.06.2026"], ["05.06.2026"], []]


def test_contract_and_note_stand_under_the_title() -> None:
    """A document of several contracts names each line's; a note may have several lines."""
    page = page_of(document([line("A", "1", "1", contract="V-9", note="one\n\r\n two ", **JUNE)], contract_number=""))
    assert page["lines"][0]["detail"] == ["Vertrag V-9", "01.06.2026 – 30.06.2026", "one", " two "]
    assert not any(label == "Vertrag" for label, _ in page["meta"])


def test_a_preview_is_marked_and_has_no_number() -> None:
    """R14.2: a preview takes no number, and asks for no payment under one."""
    text = text_of(ordinary(number="", preview=True))
    assert "Rechnung – Vorschau" in text
    assert text.count("Vorschau") == 2  # the heading and the mark
    assert "Rechnungsnummer" not in text


def test_a_document_over_nothing_asks_for_nothing() -> None:
    """A total of 0.00 needs no payment."""
    assert page_of(document([line("Free", "1", "0")]))["payment"] == []


@pytest.mark.parametrize(
    "hostile",
    [
        '#import "@preview/x:1.0.0": *',
        "$x^2$ and *bold* _it_ `raw` <label> @ref",
        "// no comment /* nor this */",
        "\\u0000 \\n \\",
        '"] }, {"title": "x',
        '#panic() #sys.inputs #read("/etc/passwd")',
        "= Heading",
        "- list",
        "https://example.org",
        "%PDF-1.7 endstream endobj",
    ],
)
def test_hostile_texts_are_plain_text(hostile: str) -> None:
    """What a customer types is data and never markup, wherever it stands."""
    view = ordinary(buyer=replace(BUYER, name=hostile), notes=(hostile,))
    view = replace(view, lines=(replace(view.lines[0], title=hostile, note=hostile), *view.lines[1:]))
    bare = text_of(view).replace(" ", "")
    assert bare.count(hostile.replace(" ", "")) == 4


def test_control_characters_become_spaces() -> None:
    """NUL, line ends and those that turn the writing direction are no part of a text; other scripts stay."""
    title = "a\x00b\r\nc\u202ed\u2066e\u2028f\ud800g"
    page = page_of(document([line(title, "1", "1")]))
    assert page["lines"][0]["title"] == "a b c d e f g"
    assert "שלום" in text_of(document([line("שלום", "1", "1")])) or "םולש" in text_of(
        document([line("שלום", "1", "1")])
    )


def test_characters_without_a_glyph_do_not_spoil_others() -> None:
    """What no font has is replaced; an umlaut beside it, and in the next document, stays."""
    strange = text_of(document([line("中文 Bär ä\u20e3 \U0001faa8 Größe", "1", "1")]))
    assert "Bär" in strange
    assert "Größe" in strange
    assert REPLACEMENT in strange
    assert "Müller & Söhne" in strange
    assert "Müller & Söhne" in text_of(ordinary())
    assert REPLACEMENT not in text_of(ordinary())


def test_composed_and_decomposed_letters_are_the_same() -> None:
    """A decomposed umlaut (as file names of some systems have) is printed like the composed one."""
    assert render_pdf(document([line("Ba\u0308r", "1", "1")])) == render_pdf(document([line("Bär", "1", "1")]))


def test_the_last_resort_needs_nothing_the_fonts_lack() -> None:
    """All letters that are never replaced have a glyph."""
    letters = [chr(c) for c in range(0xA1, ord(_PLAIN_END) + 1) if c != 0xAD]
    text = text_of(document([line(" ".join([*letters, *_ALWAYS]), "1", "1")]))
    assert [c for c in letters if c not in text and c not in "ŉĿŀſ´¨¯¸"] == []
    assert REPLACEMENT not in text


@settings(max_examples=40)
@given(text=st.text(max_size=60), other=st.text(max_size=200), language=st.text(max_size=3))
def test_any_text_can_be_printed(text: str, other: str, language: str) -> None:
    """Any characters in any place give a PDF."""
    rows = [line(text, "1", "1", unit=text[:10], note=other, contract=text), line(other, "2", "0.5")]
    made = render_pdf(
        document(
            rows,
            language=language,
            number=text[:20],
            contract_number=text,
            customer_number=other,
            references=(text,),
            notes=(other,),
            buyer=Party(name=other, lines=(text, other), country=text[:2], vat_id=text),
            seller=replace(SELLER, name=text, lines=(other,), registration=other, iban=text, email=other),
        )
    )
    assert made.startswith(b"%PDF")


@pytest.mark.parametrize("long", ["ABC-0123456789-" * 12, "x" * 400, "9" * 200, "example.org/" + "a1" * 99])
def test_overlong_texts_are_broken(long: str) -> None:
    """Words without a place to break (codes, letters, digits) are broken before they leave their column."""
    view = document([line(long, "1", "1")], buyer=Party(name=long))
    lines = PdfReader(io.BytesIO(render_pdf(view))).pages[0].extract_text().replace("\u200b", "").splitlines()
    assert "".join(lines).count(long) == 2
    assert [text for text in lines if len(text) > 60 and text in long] == []


def test_words_of_a_language_are_hyphenated_not_cut() -> None:
    """Long compounds, also joined by hyphens, keep to the rules of the language; only codes are cut anywhere."""
    for word in ("Donaudampfschifffahrtsgesellschaft", "Telekommunikations-Überwachungsverordnung", "kurz"):
        assert breakable(word) == word
    assert breakable("0123456789" * 3) == "012345678901\u200b234567890123\u200b456789"


def test_the_same_view_gives_the_same_bytes() -> None:
    """Also after other documents, so that nothing of one shows in the next."""
    first = render_pdf(ordinary())
    render_pdf(ordinary(language="sv", currency="EUR"))
    render_pdf(document([line("中\u20e3", "1", "1")]))
    assert render_pdf(ordinary()) == first


def test_all_languages_have_the_same_words() -> None:
    """The tables have the same keys, the same places in the sentences, and no empty word."""
    fields = {
        language: {key: {name for _, name, _, _ in Formatter().parse(text) if name} for key, text in table.items()}
        for language, table in WORDS.items()
    }
    assert set(fields) == set(LANGUAGES) == set(UNITS)
    assert fields["de"] == fields["en"]
    assert fields["sv"] == fields["en"]
    assert not [text for table in WORDS.values() for text in table.values() if not text.strip()]
    assert set(UNITS["de"]) == set(UNITS["sv"]) == set(UNITS["en"])


def test_units_follow_the_number() -> None:
    """One day, two days; a piece needs no word; what is not known stands for itself."""
    assert unit_word("day", Decimal("1.0"), "de") == "Tag"
    assert unit_word("day", Decimal("-1"), "sv") == "dag"
    assert unit_word("day", Decimal(2), "en") == "days"
    assert unit_word("minute", Decimal(2), "de") == "Min."
    assert unit_word("piece", Decimal(2), "de") == ""
    assert unit_word("GB", Decimal(2), "de") == "GB"
    assert unit_word("day", Decimal(2), "xx") == "days"


@pytest.mark.parametrize(
    "wrong",
    [{"net": Decimal("201.64")}, {"tax": Decimal("38.32")}, {"gross": Decimal("239.97")}, {"lines": ()}, {"taxes": ()}],
)
def test_what_does_not_add_up_is_not_printed(wrong: dict[str, Any]) -> None:
    """A view whose sums differ is refused."""
    with pytest.raises(ValueError, match="sum to"):
        replace(ordinary(), **wrong)
