"""The page “Onboarding of existing customers”, from top to bottom: billing information, contracts, sales items."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from taktura.accounts.models import User
from taktura.billing.models import SalesItem
from taktura.catalog.models import Article
from taktura.catalog.services import define_tariff
from taktura.cli.demo.users import PASSWORD
from taktura.contracts.models import Contract, ContractLine
from taktura.customers.models import Customer, Seller
from taktura.customers.services import create_customer
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from tests.browser.conftest import WIDTHS, Office
from tests.browser.steps import check_page, settled, sign_in

EMAIL = "clerk@sonnenruf.example"
ACTOR = Actor("test", datetime(2024, 10, 15, 8, tzinfo=UTC))
LINES = {
    "mailbox": {"title": "Postfach", "charge": "usage", "booking": "add_on", "price": Decimal("2.40"),
                "usage_pricing": "fixed_quantity"},
    "backup": {"title": "Sicherung", "charge": "usage", "booking": "add_on", "price": Decimal(0),
               "usage_pricing": "fixed_quantity"},
}  # fmt: skip


@pytest.fixture
def database(demo_database: str) -> Iterator[str]:
    """The demo company with two more customers: one has services but no contract, neither can be billed."""
    seller = Seller.objects.order_by("pk")[0]
    define_tariff(ACTOR, seller=seller, key="cloud-services", title="Cloud-Dienste", interval="1 month", lines=LINES)
    haus = usage.create_supplier(
        ACTOR, seller=seller, key="haus", name="Cloudhaus", create_customers=True, create_subscriptions=True
    )
    article = Article.objects.get(seller=seller, key="mailbox")
    usage.set_product_reference(ACTOR, supplier=haus, product="PRD-9", article=article)
    days = {"period_start": "2024-09-01", "period_end": "2024-09-30", "subscription_start": "2024-09-01"}
    names = ("customer_id", "subscription_id", "product_id", "product_name", "quantity")
    served = [("K-1", "S-1", "PRD-9", "Mail", "12"), ("K-1", "S-2", "PRD-7", "Backup", "2")]
    usage.import_rows(ACTOR, supplier=haus, rows=[dict(zip(names, row, strict=True)) | days for row in served])
    kraus = create_customer(ACTOR, seller=seller, key="aaron", name="Aaron Kraus KG", language="de")
    create_customer(ACTOR, seller=seller, key="zulu", name="Zulu AG", language="de")
    usage.link_customer(ACTOR, supplier=haus, reference="K-1", customer=kraus)
    User.objects.filter(email=EMAIL).update(language="de")
    yield demo_database


@pytest.mark.parametrize("width", WIDTHS)
def test_from_the_customer_area_to_the_contract(office: Office, width: str) -> None:
    page = office.open(width, locale="de")
    sign_in(page, office.url, EMAIL, PASSWORD)
    _sales_item_is_begun(page, office.url)
    _customers_are_asked_for(page, office.url)
    _sections(page, office.url)
    _contract(page, office.url)
    _file(page, office.url)


def _fill(page: Page) -> None:
    """What a document needs to know."""
    settled(page)
    for name, value in (("street", "Weg 1"), ("postcode", "20095"), ("city", "Hamburg")):
        page.fill(f"[name={name}]", value)
    expect(page.locator("#consequence")).to_contain_text("Vollständig")


def _sales_item_is_begun(page: Page, url: str) -> None:
    """A sales item is begun; what was typed is there again once the billing information is complete."""
    page.goto(f"{url}/sales/new/{Customer.objects.get(key='zulu').pk}/")
    expect(page.locator(".gate")).to_contain_text("Zulu AG fehlen Abrechnungsinformationen")
    page.fill("[name=lines-0-title]", "Netzwerkkabel")
    page.fill("[name=lines-0-price]", "7,50")
    check_page(page)
    page.locator(".gate a.btn").click()
    check_page(page)
    _fill(page)
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/sales/new/\d+/"))
    expect(page.locator("[name=lines-0-title]")).to_have_value("Netzwerkkabel")
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/sales/\d+/$"))
    assert SalesItem.objects.get(customer__key="zulu").lines.get().price == Decimal("7.50")


def _customers_are_asked_for(page: Page, url: str) -> None:
    """The customer area asks for the information; who lacks it is skipped or completed."""
    page.goto(f"{url}/customers/")
    check_page(page)
    page.locator(".alert a.btn", has_text="Eingeben").click()
    expect(page).to_have_url(re.compile(r"/customers/\d+/billing/\?queue=1"))
    check_page(page)
    page.goto(f"{url}/customers/?q=aaron")
    page.locator("tr", has_text="Aaron").locator(".dropdown button").click()
    expect(page.locator(".dropdown-menu.show")).to_contain_text("Abrechnungsinformationen hinzufügen")


def _sections(page: Page, url: str) -> None:
    """The tab “Configure”: the switch of the profile, and a section by itself."""
    page.goto(f"{url}/customers/{Customer.objects.get(key='zulu').pk}/configure/")
    check_page(page)
    page.locator("button", has_text="Einschalten").click()
    expect(page.locator("#messages")).to_contain_text("pflegen ihre Daten")
    page.locator(".card", has_text="Zustellweg").locator(".card-actions a").click()
    settled(page)
    page.check("[name=direct_debit]")
    page.fill("[name=iban]", "DE89 3704 0044 0532 0130 00")
    page.fill("[name=mandate_reference]", "M-1")
    page.fill("[name=mandate_date]", "1.10.2024")
    page.locator("#form button.btn-primary").click()
    expect(page.locator("main")).to_contain_text("Mandat M-1")


def _contract(page: Page, url: str) -> None:
    """From the banner to the contract."""
    page.goto(f"{url}/sales/")
    check_page(page)
    page.locator(".onboarding button", has_text="Schließen").click()
    settled(page)
    page.locator("a", has_text="Verträge für bestehende Kunden erstellen").click()
    check_page(page)
    page.locator("form.card button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/contracts/onboarding/contract/"))
    check_page(page)
    page.select_option("[name=tariff]", label="Cloud-Dienste")
    page.fill("[name=start]", "1.9.2024")
    page.locator("form.card button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/contracts/onboarding/billing/"))
    check_page(page)
    page.locator(".gate a.btn").click()
    _fill(page)
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/contracts/onboarding/lines/"))
    expect(page.locator("#consequence")).to_contain_text("28,80")
    check_page(page)
    backup = page.locator("fieldset", has_text="S-2")
    backup.locator("[name$=-take]").check()
    backup.locator("[name$=-article]").select_option("backup")
    expect(page.locator("#consequence")).to_contain_text("würde nichts kosten")
    backup.locator("[name$=-price]").fill("1,50")
    expect(page.locator("#consequence")).to_contain_text("2 × 1,50")
    settled(page)
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/contracts/\d+/$"))
    made = Contract.objects.get(customer__key="aaron")
    assert ContractLine.objects.filter(contract=made).count() == 2
    page.goto(f"{url}/contracts/")
    expect(page.locator("main")).not_to_contain_text("Verträge für bestehende Kunden erstellen")


def _file(page: Page, url: str) -> None:
    """Customers come in from a file."""
    page.goto(f"{url}/customers/bring-in/")
    check_page(page)
    content = "Kundennummer;Firma;PLZ;Lieferant;Abonnement;Menge\n90001;Neu AG;1;haus;S-9;3\n"
    page.set_input_files("input[type=file]", {"name": "k.csv", "mimeType": "text/csv", "buffer": content.encode()})
    page.locator("#form button.btn-primary").click()
    expect(page.locator("main")).to_contain_text("1 neuer Kunde")
    page.locator("summary").click()
    check_page(page)
    page.locator("button[value=save]").click()
    expect(page.locator("#messages")).to_contain_text("1 Kunde ist übernommen")
    assert Customer.objects.filter(key="90001").exists()
