"""An order with a coupon, on a desk and on a phone; the office approves, and the first bill is of the amount shown."""

import re

import pytest
from playwright.sync_api import Page, expect

from taktura.accounts.services import create_user
from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.coupons import define_coupon
from taktura.contracts.models import Contract
from taktura.customers.models import Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import OutgoingMail
from taktura.portal.ordering import stamp
from tests.browser.conftest import Office
from tests.browser.steps import PASSWORD, check_page, settled, sign_in
from tests.pages.conftest import make_seller

LINES = {
    "base": {"title": "Grundgebühr der Telefonzentralenbereitschaft", "charge": "recurring", "price": "39.90"},
    "seat": {
        "title": "Nebenstellenrufumleitungsarbeitsplatz", "charge": "recurring", "booking": "add_on", "price": "12.50",
        "discount_scale": [{"above": "2", "percent": "10"}], "highlight": True,
    },
    "night": {"title": "Nachtdienst", "charge": "recurring", "booking": "on_off", "price": "20"},
    "calls": {"title": "Gesprächszeit", "charge": "usage", "unit": "minute", "price": "1.25"},
}  # fmt: skip
PERSON = {
    "name": "Donaudampfschifffahrtsgesellschaftskapitänswitwe Wilhelmine Schmidt-Rüdigersdorf", "street": "Weg 1",
    "postcode": "10115", "city": "Berlin", "email": "wilhelmine@schmidt.example",
}  # fmt: skip


def fill(page: Page) -> str:
    """Choose and say who one is; gives the first bill that is shown then."""
    page.get_by_label("Nebenstellenrufumleitungsarbeitsplatz").fill("3")
    page.get_by_label("Nachtdienst").check()
    page.get_by_label("Gutschein").fill("FRÜHLING")
    for name, text in PERSON.items():
        page.locator(f"[name={name}]").fill(text)
    page.locator("[name=terms]").check()
    # 39.90 + 3 × 12.50 (its base price, not that of the scale) + 20.00, less 20 %: 77.92, with VAT 92.72
    expect(page.locator("#price .figure").first).to_contain_text("92,72")
    settled(page)
    return page.locator("#price .figure").first.inner_text()


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_an_order_becomes_a_bill_of_the_amount_shown(
    office: Office, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamp, "LEAST", 0)
    actor, seller = Actor("test", utc_now()), make_seller("Sonnenruf Telefonzentralen GmbH")
    Seller.objects.update(
        order_page=True, terms_url="https://sonnenruf.example/agb",
        withdrawal="Sie können Ihren Vertrag binnen vierzehn Tagen ohne Angabe von Gründen widerrufen.",
    )  # fmt: skip
    catalog.define_tariff(
        actor, seller=seller, key="desk", title="Telefonzentralenvollservice", module="desk", lines=LINES, public=True
    )
    define_coupon(actor, seller=seller, key="FRÜHLING", percent="20")
    create_user(actor, email="clerk@firm.example", name="Clerk", role="billing", password=PASSWORD)

    page = office.open(width, locale="de-DE")
    page.goto(f"{office.url}/order/{seller.pk}/desk/")
    check_page(page)
    page.get_by_role("link", name="Diesen Tarif wählen").click()
    check_page(page)
    shown = fill(page)
    check_page(page)
    page.get_by_role("button", name="zahlungspflichtig bestellen").click()
    expect(page.get_by_role("heading", name="Bitte bestätigen Sie Ihre Bestellung")).to_be_visible()
    check_page(page)
    mail = OutgoingMail.objects.get(kind="order")
    link = re.search(r"http://\S+/order/confirm/\S+", mail.text)
    assert link is not None
    page.goto(link[0])
    check_page(page)
    page.get_by_role("button", name="Bestellung bestätigen").click()
    expect(page.get_by_role("heading", name="Vielen Dank für Ihre Bestellung")).to_be_visible()

    desk = office.open(width)
    sign_in(desk, office.url, "clerk@firm.example")
    desk.goto(f"{office.url}/orders/")
    check_page(desk)
    desk.locator("main tbody a").first.click()
    check_page(desk)
    desk.get_by_role("button", name="Approve").click()
    expect(desk).to_have_url(re.compile(r"/contracts/\d+/"))
    contract = Contract.objects.get(orders__email=PERSON["email"])
    billing.bill(Actor("test", utc_now()), seller=seller, on=contract.start)
    document = Document.objects.get(contract=contract)
    assert (document.net, document.gross) == (7792, 9272) and "92,72" in shown


def test_it_works_without_a_script(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamp, "LEAST", 0)
    seller = make_seller("Sonnenruf GmbH")
    Seller.objects.update(order_page=True)
    page = office.open("phone", locale="de-DE", java_script_enabled=False)
    page.goto(f"{office.url}/order/{seller.pk}/telephone/talk/")
    before = page.locator("#price .figure").first.inner_text()
    page.locator("[name^=quantity_]").first.fill("3")
    page.get_by_role("button", name="Preis neu zeigen").click()
    expect(page.locator("#price .figure").first).not_to_have_text(before)
    for name, text in PERSON.items():
        page.locator(f"[name={name}]").fill(text)
    page.get_by_role("button", name="zahlungspflichtig bestellen").click()
    expect(page.get_by_role("heading", name="Bitte bestätigen Sie Ihre Bestellung")).to_be_visible()
