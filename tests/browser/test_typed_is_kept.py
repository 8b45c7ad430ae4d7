"""What was typed into a form survives a lost session, and is forgotten once it is saved."""

from datetime import UTC, datetime

from playwright.sync_api import expect

from taktura.accounts.services import create_user
from taktura.customers.services import create_seller
from taktura.kit.actor import Actor
from tests.browser.conftest import Office
from tests.browser.steps import PASSWORD, sign_in

ACTOR = Actor("test", datetime(2026, 3, 1, 8, tzinfo=UTC))
EMAIL = "sales@firm.example"


def test_what_was_typed_survives_a_lost_session(office: Office) -> None:
    create_seller(ACTOR, name="Seller GmbH", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]])
    create_user(ACTOR, email=EMAIL, name="Sales", role="sales", password=PASSWORD)
    page = office.open()
    sign_in(page, office.url, EMAIL)
    path = f"{office.url}/customers/new/"
    page.goto(path)
    page.fill("[name=name]", "Typed GmbH")
    page.context.clear_cookies(name="taktura_session")
    page.click("main button.btn-primary")
    expect(page).to_have_url(f"{office.url}/account/login/?next=/customers/new/")
    page.fill("[name=login]", EMAIL)
    page.fill("[name=password]", PASSWORD)
    page.click("form[action='/account/login/'] button.btn-primary")
    expect(page).to_have_url(path)
    expect(page.locator("[name=name]")).to_have_value("Typed GmbH")
    page.click("main button.btn-primary")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Billing information")
    page.goto(path)  # it is saved: the next customer begins empty
    expect(page.locator("[name=name]")).to_have_value("")
