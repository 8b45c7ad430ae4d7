"""A customer in the portal, at a desk and on a phone: signs in by a mailed link, looks around, gives notice."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.customers.access import invite
from taktura.customers.models import Customer, Seller
from taktura.customers.tasks import mail_portal_link
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import OutgoingMail
from taktura.usage.services import record_usage
from tests.browser.conftest import WIDTHS, Office
from tests.browser.steps import check_page
from tests.pages.conftest import make_seller

EMAIL = "anna@acme.example"
STAFF = Actor("test", datetime(2026, 3, 1, 8, tzinfo=UTC))


@pytest.fixture
def acme(database: str) -> Customer:
    seller = make_seller("Sonnenruf GmbH")
    Seller.objects.update(portal_allows=["notice", "quantity", "book", "data"])
    return Customer.objects.get(key="acme", seller=seller)


def enter(page: Page, office: Office, customer: Customer) -> None:
    """Ask for a link, and follow it."""
    portal = f"{office.url}/portal"
    invite(STAFF, customer=customer, email=EMAIL, name="Anna", portal=portal)
    page.goto(f"{portal}/")
    check_page(page)
    page.fill("[name=email]", EMAIL)
    page.get_by_role("button", name="Link senden").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sehen Sie in Ihre E-Mails")
    check_page(page)
    mail_portal_link(email=EMAIL, purpose="sign_in", portal=portal)  # no worker runs here
    link = re.search(rf"{re.escape(portal)}/sign-in/\S+/", OutgoingMail.objects.latest("id").text)
    assert link is not None
    page.goto(link[0])
    check_page(page)
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Überblick")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_customer_gives_notice(office: Office, acme: Customer, width: str) -> None:
    page = office.open(width, locale="de")
    enter(page, office, acme)
    check_page(page)
    page.get_by_role("link", name="Telefonservice").first.click()
    check_page(page)
    expect(page.get_by_text("Kann enden mit")).to_be_visible()
    page.get_by_role("link", name="Kündigen", exact=True).click()
    page.get_by_role("button", name="Zeigen, was folgt").click()
    said = page.get_by_text(re.compile("Der Vertrag endet; sein letzter Tag ist der"))
    expect(said).to_be_visible()
    check_page(page)
    day = re.search(r"(\d\d)\.(\d\d)\.(\d{4})", said.inner_text())
    assert day is not None
    page.get_by_role("button", name="Jetzt kündigen").click()
    expect(page.get_by_role("status")).to_contain_text("Ihre Kündigung ist eingegangen")
    expect(page.get_by_text("Letzter Tag")).to_be_visible()
    check_page(page)
    contract = Contract.objects.get(key="V-acme")
    assert contract.end == date.fromordinal(date(int(day[3]), int(day[2]), int(day[1])).toordinal() + 1)
    assert OutgoingMail.objects.filter(kind="notice", recipient=EMAIL).exists()
    page.get_by_role("link", name="Kündigung zurücknehmen").click()
    page.get_by_role("button", name="Zeigen, was folgt").click()
    page.get_by_role("button", name="Kündigung zurücknehmen").click()
    expect(page.get_by_role("status")).to_contain_text("zurückgenommen")
    contract.refresh_from_db()
    assert contract.end is None


@pytest.mark.parametrize("width", WIDTHS)
def test_a_customer_looks_around_and_changes_a_quantity(office: Office, acme: Customer, width: str) -> None:
    page = office.open(width, locale="de")
    enter(page, office, acme)
    for name in ("Dokumente", "Eigene Daten"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        check_page(page)
    page.get_by_role("link", name="Ändern").click()
    check_page(page)
    page.get_by_role("navigation").get_by_role("link", name="Dokumente").click()
    with page.expect_download() as found:
        page.get_by_role("link", name=re.compile("^PDF von")).first.click()
    assert found.value.suggested_filename.endswith(".pdf")
    page.get_by_role("navigation").get_by_role("link", name="Überblick").click()
    page.get_by_role("link", name="Telefonservice").first.click()
    page.get_by_role("link", name="Menge ändern: Number").click()
    page.fill("[name=quantity]", "3")
    page.get_by_role("button", name="Zeigen, was folgt").click()
    expect(page.get_by_role("heading", name="Was folgt")).to_be_visible()
    check_page(page)
    page.get_by_role("button", name="Menge ändern").click()
    expect(page.get_by_role("status")).to_contain_text("Die Menge ist geändert")
    page.get_by_role("button", name="Abmelden").click()
    expect(page).not_to_have_url(re.compile(rf"/portal/{acme.pk}/"))
    page.goto(f"{office.url}/portal/{acme.pk}/")
    expect(page).to_have_url(f"{office.url}/portal/sign-in/")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_contract_is_ended_without_sign_in(office: Office, acme: Customer, width: str) -> None:
    page: Any = office.open(width, locale="de")
    page.goto(f"{office.url}/portal/sign-in/")
    page.get_by_role("link", name="Verträge hier kündigen").click()
    check_page(page)
    page.fill("[name=name]", "Acme GmbH")
    page.fill("[name=number]", "V-acme")
    page.fill("[name=email]", "acme@c.example")
    page.get_by_role("button", name="Jetzt kündigen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ihre Kündigung ist eingegangen")
    check_page(page)
    assert Contract.objects.get(key="V-acme").notice_received is not None


@pytest.mark.parametrize("width", WIDTHS)
def test_a_customer_reads_its_calls(office: Office, acme: Customer, width: str) -> None:
    """Also where words are long: on a phone no cell goes on beyond the edge, and headings break between words."""
    page, now = office.open(width, locale="de"), utc_now()
    title = "Telefonsekretariat"
    tariff = catalog.define_tariff(
        STAFF, seller=acme.seller, key="office", title="Sekretariat",
        lines={"desk": {"title": title, "charge": "usage", "unit": "minute", "tick": "minute", "price": "0.90"}},
    )  # fmt: skip
    contract = contracts.sign(STAFF, key="V-office", customer=acme, tariff=tariff, start=date(2026, 1, 1))
    calls = [
        {
            "contract": "V-office",
            "article": "desk",
            "id": f"call-{n}",
            "at": now - timedelta(minutes=n),
            "duration": 61 + n,
        }
        for n in range(3)
    ]
    record_usage(STAFF, seller=acme.seller, entries=calls)
    enter(page, office, acme)
    page.goto(f"{office.url}/portal/{acme.pk}/contracts/{contract.pk}/usage/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Einzelnachweis")
    expect(page.get_by_role("cell", name=title).first).to_be_visible()
    check_page(page)
    expect(page.get_by_role("cell", name="0:01:01")).to_be_visible()
    expect(page.get_by_text("3 Datensätze")).to_be_visible()
