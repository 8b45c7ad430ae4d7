"""Price lists: what stands on them, in which words, for which day; and how they are printed."""

import io
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from taktura.billing.services import publish_version
from taktura.catalog import modules
from taktura.catalog import services as catalog
from taktura.catalog.models import Module, Tariff
from taktura.catalog.offer_numbers import create_offer_number
from taktura.catalog.price_list import PriceList, price_list
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.invoices.price_lists import Sheet, pdf_of, sheet_of
from taktura.kit.actor import Actor

MARCH = date(2026, 3, 1)
LANGUAGES = ("de", "sv", "en")
LINES: dict[str, Any] = {
    "base": {"title": "Grundgebühr", "charge": "recurring", "price": "19.90", "heading": "Grundpreis",
             "highlight": True, "alternative_name": "Fee on the bill"},
    "calls": {"title": "Gespräche", "charge": "usage", "unit": "minute", "price": "1.19", "included": "10",
              "in_minimum": True, "heading": "Nutzung"},
    "letter": {"title": "Brief", "charge": "usage", "price": "5.00", "price_quantity": "10"},
    "scan": {"title": "Scan", "charge": "usage", "price": "5.00", "price_quantity": "10", "package": "started"},
    "search": {"title": "Auskunft", "charge": "usage", "tier_mode": "graduated",
               "tiers": [{"up_to": "20", "price": "1.00", "flat": "3.00"}, {"price": "0.80"}]},
    "number": {"title": "Rufnummer", "charge": "recurring", "booking": "add_on", "price": "4.50",
               "discount_scale": [{"above": "5", "percent": "10"}], "notice": "monthly"},
    "flat": {"title": "Flatrate", "charge": "usage", "unit": "minute", "flat_price": True, "price": "149.00",
             "reference_price": "1.19"},
    "setup": {"title": "Einrichtung", "charge": "once", "price": "99.00", "vat": "7"},
    "secret": {"title": "Versteckt", "charge": "recurring", "price": "2.00", "show": False},
}  # fmt: skip


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    made = customers.create_seller(
        actor, name="Sonnenruf GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]],
        city="Hamburg", consumer_rules="DE",
    )  # fmt: skip
    catalog.define_tariff(
        actor, seller=made, key="talk", title="Telefon", titles={"sv": "Samtal"}, module="phone", public=True,
        lines=LINES, minimum_sales="25.00", notice="yearly", trial="30 days",
    )  # fmt: skip
    catalog.define_tariff(
        actor, seller=made, key="quiet", title="Leise", module="phone",
        lines={"base": {"title": "Basis", "charge": "recurring", "price": "7.90"}},
    )  # fmt: skip
    modules.change_module(actor, module=Module.objects.get(), title="Phone", titles={"de": "Telefonie"})
    return made


def listing(language: str = "en", on: date = MARCH, **more: Any) -> PriceList:
    return price_list(Module.objects.get(), language=language, on=on, **more)


def sheet(language: str = "en", **more: Any) -> Sheet:
    return sheet_of(listing(language, **more))


def row(found: Sheet, title: str) -> Any:
    return next(r for offer in found.offers for r in offer.rows if r.title == title)


def notes(found: Sheet) -> str:
    return " ".join(note for offer in found.offers for note in offer.notes)


def test_public_tariffs_are_listed_with_the_lines_that_are_shown(seller: Seller) -> None:
    found = sheet("de")
    assert (found.title, found.heading, [o.title for o in found.offers]) == ("Telefonie", "Preisliste", ["Telefon"])
    titles = [r.title for r in found.offers[0].rows]
    assert "Versteckt" not in titles and "Fee on the bill" not in titles and titles[0] == "Grundgebühr"
    assert [r.heading for r in found.offers[0].rows[:3]] == ["Grundpreis", "Nutzung", ""]
    assert [r.title for r in found.offers[0].rows if r.highlight] == ["Grundgebühr"]
    assert sheet("sv").offers[0].title == "Samtal" and sheet("sv").title == "Phone"


@pytest.mark.parametrize(
    ("title", "price", "unit"),
    [
        ("Grundgebühr", "19,90\xa0€", "pro Monat"),
        ("Gespräche", "1,19\xa0€", "je Min."),
        ("Brief", "5,00\xa0€", "je 10"),
        ("Scan", "5,00\xa0€", "je angefangene 10"),
        ("Auskunft", "", ""),
        ("Rufnummer", "4,50\xa0€", "pro Monat"),
        ("Flatrate", "149,00\xa0€", "pauschal pro Monat"),
        ("Einrichtung", "99,00\xa0€", "einmalig"),
    ],
)
def test_a_price_says_what_it_is_for(seller: Seller, title: str, price: str, unit: str) -> None:
    found = row(sheet("de"), title)
    assert (found.price, found.per) == (price, unit)


def test_tiers_and_discount_scale_are_tables(seller: Seller) -> None:
    tiers, scale = row(sheet(), "Auskunft").tables[0], row(sheet(), "Rufnummer").tables[0]
    assert tiers.rows == (("up to 20", "€1.00", "€3.00"), ("above 20", "€0.80", "–"))
    assert tiers.head == ("Quantity", "Price each", "At once") and scale.rows == (("above 5", "10%"),)


def test_gross_prices_have_the_rate_of_their_line(seller: Seller) -> None:
    found = sheet(basis="gross")
    assert row(found, "Grundgebühr").price == "€23.68" and row(found, "Einrichtung").price == "€105.93"
    assert row(found, "Gespräche").price == "€1.4161", "of usage the exact price"
    assert "7% VAT" in row(found, "Einrichtung").notes and "19% VAT" in row(found, "Brief").notes
    assert "€29.75" in notes(found) and found.basis == "Prices with VAT"


def test_what_law_and_rules_need_stands_below(seller: Seller) -> None:
    said = notes(sheet())
    for wanted in (
        "VAT at the rate that stands at each line comes on top.", "Minimum sales of €25.00 per month",
        "“Gespräche”", "Each minute begun counts whole.", "Runs for at least 1 year.", "For consumers notice is never",
        "only its days are billed", "No fees for 30 days", "not carried over",
    ):  # fmt: skip
        assert wanted in said, wanted
    assert "All prices in EUR." in sheet().notes


def test_a_day_shows_the_version_that_holds_on_it(seller: Seller, actor: Actor) -> None:
    dear = {"lines": {"base": {"price": "25.00"}}}
    tariff = Tariff.objects.get(key="talk")
    publish_version(actor, tariff=tariff, valid_from=date(2026, 6, 1), applies_to="all", changes=dear)
    assert row(sheet(), "Grundgebühr").price == "€19.90"
    later = sheet(on=date(2026, 6, 1))
    assert row(later, "Grundgebühr").price == "€25.00" and "hold from 1 Jun 2026" in notes(later)


def test_a_rate_that_changes_holds_from_its_day(seller: Seller) -> None:
    Seller.objects.update(vat=[[None, "19"], ["2026-07-01", "16"]])
    assert row(sheet(basis="gross", on=date(2026, 7, 1)), "Grundgebühr").price == "€23.08"
    assert row(sheet(basis="gross", on=date(2026, 6, 30)), "Grundgebühr").price == "€23.68"


def test_a_seller_with_gross_prices_shows_net_ones_without_vat(seller: Seller) -> None:
    Seller.objects.update(prices_are="gross")
    assert row(sheet(), "Grundgebühr").price == "€19.90" and sheet().basis == "Prices with VAT"
    assert row(sheet(basis="net"), "Grundgebühr").price == "€16.72"


def test_an_offer_number_adds_its_tariff_in_the_version_that_it_pins(seller: Seller, actor: Actor) -> None:
    quiet = Tariff.objects.get(key="quiet")
    number = create_offer_number(actor, tariff=quiet).number
    dear = {"lines": {"base": {"price": "9.90"}}}
    publish_version(actor, tariff=quiet, valid_from=date(2026, 3, 2), applies_to="new", changes=dear)
    found = sheet(on=date(2026, 4, 1), offer_number=number.lower(), today=MARCH)
    assert [o.key for o in found.offers] == ["talk", "quiet"] and row(found, "Basis").price == "€7.90"
    assert number in notes(found)
    with pytest.raises(Refused) as refused:
        listing(offer_number="nothing", today=MARCH)
    assert refused.value.code == "unknown_offer_number"


@pytest.mark.parametrize("more", [{"language": "fr"}, {"basis": "both"}])
def test_an_unknown_language_or_basis_is_refused(seller: Seller, more: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        listing(**more)


def test_the_queries_do_not_grow_with_the_tariffs(seller: Seller, actor: Actor) -> None:
    with CaptureQueriesContext(connection) as few:
        listing(on=date(2026, 1, 1))
    for n in range(5):
        catalog.define_tariff(
            actor, seller=seller, key=f"t{n}", title=f"T{n}", module="phone", public=True, lines=LINES
        )
    with CaptureQueriesContext(connection) as many:
        assert len(listing().tariffs) == 6
    assert len(many) <= len(few) + 2, "versions and lines that were not known yet"


def test_a_module_without_public_tariffs_says_so(seller: Seller) -> None:
    Tariff.objects.update(public=False)
    assert sheet().empty and not sheet().offers


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("de", ["Preisliste", "Telefonie", "19,90", "je angefangene 10", "Mindestumsatz", "Seite 1 von"]),
        ("sv", ["Prislista", "Samtal", "19,90", "per påbörjade 10", "Minimiförsäljning", "Sida 1 av"]),
        ("en", ["Price list", "Telefon", "19.90", "for each 10 begun", "Minimum sales", "Page 1 of"]),
    ],
)
def test_a_printed_list_says_the_same(seller: Seller, language: str, wanted: list[str]) -> None:
    pages = PdfReader(io.BytesIO(pdf_of(listing(language)))).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split()).replace("\xa0", " ")
    for one in wanted:
        assert one in text, one
    assert "Versteckt" not in text
    assert [round(float(x)) for x in pages[0].mediabox[2:]] == [595, 842]


def test_a_long_list_repeats_the_title_of_its_tariff(seller: Seller, actor: Actor) -> None:
    many = {f"a{n}": {"title": f"Artikel {n}", "charge": "usage", "price": "1"} for n in range(80)}
    catalog.define_tariff(actor, seller=seller, key="many", title="Viele", module="phone", public=True, lines=many)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf_of(listing("de")))).pages]
    with_articles = [text for text in pages if "Artikel " in text]
    assert len(with_articles) >= 3 and all("Viele" in text for text in with_articles)
    assert all(f"von {len(pages)}" in text for text in pages)


def test_titles_are_data_and_never_markup(seller: Seller, actor: Actor) -> None:
    evil = "#panic() *b* $x$ <script>alert(1)</script> \u202e 漢字"
    catalog.define_tariff(
        actor, seller=seller, key="evil", title=evil, module="phone", public=True,
        lines={"base": {"title": evil, "heading": evil, "charge": "recurring", "price": "1"}},
    )  # fmt: skip
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf_of(listing("de")))).pages)
    assert "#panic()" in text and "<script>" in text
