"""From an imported row in error to the invoice, in a browser: a contract is extended by it, then by many at once."""

import os
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from taktura.accounts.services import create_user
from taktura.billing.proof import verify
from taktura.billing.services import create_seller
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.customers import services as customers
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import ProductReference, Supplier, UsageException, UsageRecord
from tests.browser.conftest import WIDTHS, Office
from tests.browser.steps import PASSWORD, check_page, issue, sign_in

ACTOR = Actor("test", datetime(2024, 5, 1, 8, tzinfo=UTC))
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
SEAT = {"charge": "usage", "booking": "add_on", "usage_pricing": "fixed_quantity"}
HEAD = (
    "id;customer_id;customer_name;subscription_id;subscription_name;subscription_start;product_id;product_name;unit;"
    "quantity;period_start;period_end\n"
)
MAY = "2024-05-01;2024-05-31\n"
ONE = f"1;K-1;Muster Gesellschaft;S-1;Postfächer Vertrieb;2024-05-01;PRD-9;Postfach 50 GB;Stück;12.5;{MAY}"
# As in Microsoft's reconciliation of Tier 1 partners: no product.
BARE = f"2;K-1;Muster Gesellschaft;S-2;Postfächer Lager;2024-05-01;;;Stück;4;{MAY}"
# A name with a word that is wider than its column.
LONG = "Speicher der Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
REST = "".join(
    f"x{i};K-1;Muster Gesellschaft;X-{i:02};{LONG};2024-05-01;PRD-7;Speicher;Stück;2;{MAY}" for i in range(12)
)


@pytest.fixture
def world(database: str) -> None:
    """A reseller whose supplier's product PRD-9 stands for an article, with one contract that has none booked."""
    seller = create_seller(
        ACTOR, name="Systemhaus", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(ACTOR, seller=seller, kind=kind, format=kind[0].upper() + "-{number}", next=1)
    lines = {
        "postfach": {**SEAT, "title": "Postfach 50 GB", "price": "2.40"},
        "speicher": {**SEAT, "title": "Speicher", "price": "0.50"},
    }
    tariff = catalog.define_tariff(ACTOR, seller=seller, key="cloud", title="Cloud", interval="1 month", lines=lines)
    customer = customers.create_customer(ACTOR, seller=seller, key="muster", name="Muster GmbH")
    customers.set_billing_information(ACTOR, customer=customer, name="Muster GmbH", **ADDRESS)
    contracts.sign(ACTOR, key="V-1", customer=customer, tariff=tariff, start=date(2024, 5, 1))
    usage.create_supplier(
        ACTOR, seller=seller, key="haus", name="Cloudhaus", create_customers=True, create_subscriptions=True
    )
    article = catalog.declare_article(ACTOR, seller=seller, key="postfach")
    usage.set_product_reference(ACTOR, supplier=Supplier.objects.get(), product="PRD-9", article=article)
    create_user(ACTOR, email="eve@firm.example", name="Eve", role="admin", password=PASSWORD, language="de")


@pytest.mark.parametrize("width", WIDTHS)
def test_from_a_row_in_error_to_the_invoice(office: Office, world: None, tmp_path: Path, width: str) -> None:
    page = office.open(width, locale="de-DE")
    sign_in(page, office.url, "eve@firm.example")
    file = tmp_path / "mai.csv"
    file.write_text(HEAD + ONE + BARE + REST, "utf-8")
    page.goto(f"{office.url}/usage/files/new/")
    page.locator("select[name=supplier]").select_option(label="Cloudhaus")
    page.set_input_files("input[type=file]", file)
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/usage/files/\d+/$"))
    assert UsageException.objects.filter(reason="no_subscription").count() == 14
    _extend_from_row(page, office.url, width)
    _article_by_hand(page, office.url)
    _many(page, office.url, width)
    assert not UsageException.objects.exists()
    _bill(page, office.url, width)
    _nothing_to_the_side(page, office.url, file, width)
    assert verify() == []


def _seen(page: Page, name: str, width: str) -> None:
    """The page holds what every page has to; a picture of it where one is wanted."""
    check_page(page)
    if where := os.environ.get("TAKTURA_PICTURES"):
        page.screenshot(path=f"{where}/{name}-{width}.png", full_page=True)


def _extend_from_row(page: Page, url: str, width: str) -> None:
    """The row in error leads to its contract; all is filled in, the money of a month is said."""
    record = UsageRecord.objects.get(external_id="1")
    page.goto(f"{url}/usage/records/{record.pk}/")
    _seen(page, "record", width)
    page.locator("button[value='extend:0']").click()
    expect(page).to_have_url(re.compile(r"/usage/subscriptions/\d+/extend/$"))
    page.fill("#q", "V-1")
    page.locator("form[role=search] button").last.click()
    page.get_by_role("link", name="V-1").first.click()
    expect(page.locator("[name=quantity]")).to_have_value("13")
    expect(page.locator("[name=start]")).to_have_value("01.05.2024")
    expect(page.locator("[name=article]")).to_have_value("postfach")
    expect(page.locator("#consequence")).to_contain_text("31,20")
    _seen(page, "extend", width)
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/usage/subscriptions/\d+/$"))
    _seen(page, "subscription", width)
    record.refresh_from_db()
    assert record.line is not None and record.line.article.key == "postfach", "it is processed at once"


def _article_by_hand(page: Page, url: str) -> None:
    """Without a product reference the article is chosen."""
    record = UsageRecord.objects.get(external_id="2")
    page.goto(f"{url}/usage/records/{record.pk}/")
    page.locator("button[value='extend:0']").click()
    expect(page).to_have_url(re.compile(r"/usage/subscriptions/\d+/extend/$"))
    contract = Contract.objects.get().pk
    page.goto(f"{page.url}?contract={contract}")
    expect(page.locator("[name=article]")).to_have_value("")
    expect(page.locator("[name=stands_for]")).to_have_count(0)
    page.select_option("[name=article]", "postfach")
    expect(page.locator("#consequence")).to_contain_text("9,60")
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/usage/subscriptions/\d+/$"))


def _many(page: Page, url: str, width: str) -> None:
    """Twelve at once: the article is chosen once for the product, the sum of a month is the same before and after."""
    page.goto(f"{url}/contracts/{Contract.objects.get().pk}/")
    page.goto(f"{url}/usage/subscriptions/extend/?contract={Contract.objects.get().pk}")
    rows = page.locator("#extend-rows tr.unlinked")
    expect(rows).to_have_count(12)
    rows.nth(0).locator("select[name$=-article]").select_option("speicher")
    expect(rows.nth(11).locator("select[name$=-article]")).to_have_value("speicher")
    _contract_by_keys(page)
    _ticked_meanwhile(page)
    for number in range(12):
        rows.nth(number).locator("input[name=chosen]").check()
    expect(page.locator("#extend-sum")).to_contain_text("12,00")
    _seen(page, "many", width)
    assert page.evaluate(SIDEWAYS) == [], "the money of a month is in sight"
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/usage/subscriptions/extended/"))
    expect(page.locator("tbody tr").last).to_contain_text("12,00")
    _seen(page, "extended", width)
    assert ProductReference.objects.filter(folded="prd-7", article__key="speicher").exists()


def _contract_by_keys(page: Page) -> None:
    """The contract of a row is searched for by what is typed into it; what is none is told beside it, and stays."""
    field = page.locator("#extend-rows [name^=contract-]").first
    expect(field).to_have_value("V-1 · Muster GmbH")
    field.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("muster")
    expect(page.locator("#contracts option")).to_have_attribute("value", "V-1 · Muster GmbH")
    page.keyboard.press("Tab")
    expect(page.locator("#extend-rows td .text-danger").first).to_contain_text("vorgeschlagenen Verträge")
    expect(field).to_have_value("muster")
    field.fill("V-1")
    page.keyboard.press("Tab")
    expect(field).to_have_value("V-1 · Muster GmbH")
    expect(page.locator("#extend-rows td .text-danger")).to_have_count(0)


def _ticked_meanwhile(page: Page) -> None:
    """What is ticked while the answer to the tick before is on its way is ticked after it, too."""
    first, second = (page.locator("#extend-rows [name=chosen]").nth(n) for n in (0, 1))

    def tick_then_answer(route: Route) -> None:
        second.evaluate("e => { e.checked = true; e.dispatchEvent(new Event('input', {bubbles: true})); }")
        route.continue_()

    page.route("**/extend/preview/**", tick_then_answer, times=1)
    first.check()
    expect(page.locator("#extend-sum")).to_contain_text("1,00")
    expect(first).to_be_checked()
    expect(second).to_be_checked()


def _bill(page: Page, url: str, width: str) -> None:
    """The month is billed; the invoice has what the pages before it said."""
    page.goto(f"{url}/billing/start/?on=2024-06-01")
    issue(page)
    document = Document.objects.get()
    assert document.net == 3120 + 960 + 1200
    page.goto(f"{url}/documents/{document.pk}/")
    expect(page.locator("main")).to_contain_text("31,20")
    _seen(page, "invoice", width)


SIDEWAYS = """() => [...document.querySelectorAll('.table-responsive, .tabs')].filter(e =>
    e.checkVisibility() && e.scrollWidth > e.clientWidth).map(e => e.outerHTML.slice(0, 150))"""


def _nothing_to_the_side(page: Page, url: str, file: Path, width: str) -> None:
    """On a phone no table of reconciliation, nor that of the first rows beside a mapping, nor the tabs go on beyond the
    edge: rows are blocks that name what they show."""
    page.goto(f"{url}/usage/reconciliation/?month=2024-05")
    page.locator("#contracts summary").click()
    row = page.locator("#subscriptions tbody tr").first
    expect(row).to_be_visible()
    _seen(page, "reconciliation", width)
    if width == "phone":
        assert page.evaluate(SIDEWAYS) == []
        label = "e => getComputedStyle(e, '::before').content"
        assert row.locator("td").nth(2).evaluate(label) == '"Laut Verträgen"'
    page.goto(f"{url}/usage/suppliers/new/")
    page.set_input_files("#example", file)
    page.locator("button[value=sample]").click()
    rows = page.locator("#consequence .first-rows li")
    expect(rows).to_have_count(5)
    assert page.evaluate(SIDEWAYS) == []
    assert "Zeitraum" in rows.first.inner_text()
