"""Signing in as people do."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from taktura.accounts.services import create_user
from taktura.customers.services import create_seller
from taktura.kit.actor import Actor
from tests.browser.conftest import WIDTHS, Office
from tests.browser.steps import PASSWORD, check_page, set_up_app, settled, sign_in
from tests.totp import code_of

ACTOR = Actor("test", datetime(2026, 3, 1, 8, tzinfo=UTC))
EMAIL = "clerk@firm.example"
WORDS = {"en": "Sign in", "de": "Anmelden", "sv": "Logga in"}


@pytest.fixture
def clerk(database: str) -> str:
    """Somebody who may bill, in a company that asks for a second factor."""
    seller = create_seller(
        ACTOR, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    seller.second_factor = True
    seller.save(update_fields=["second_factor"])
    create_user(ACTOR, email=EMAIL, name="Clerk", role="billing", password=PASSWORD)
    return EMAIL


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", WORDS)
def test_the_sign_in_page_can_be_used_by_everybody(office: Office, width: str, language: str) -> None:
    page = office.open(width, locale=language)
    page.goto(office.url)
    expect(page).to_have_url(f"{office.url}/account/login/?next=/")
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language])
    check_page(page)


def test_a_second_factor_is_set_up_and_asked_for(office: Office, clerk: str) -> None:
    page = office.open()
    sign_in(page, office.url, clerk)
    expect(page).to_have_url(f"{office.url}/account/second-factor-needed/")
    check_page(page)
    secret = set_up_app(page, office.url)
    page.goto(office.url)
    expect(page).to_have_url(f"{office.url}/")
    check_page(page)

    other = office.open("phone")
    sign_in(other, office.url, clerk)
    expect(other).to_have_url(f"{office.url}/account/2fa/authenticate/")
    check_page(other)
    other.fill("[name=code]", "000000")
    other.click("main form .btn-primary")
    expect(other.locator(".invalid-feedback")).to_be_visible()
    other.goto(office.url)
    expect(other).to_have_url(f"{office.url}/account/2fa/authenticate/")
    other.fill("[name=code]", code_of(secret, later=1))
    other.click("main form .btn-primary")
    expect(other).to_have_url(f"{office.url}/")


def test_a_passkey_is_added_and_opens_the_office_alone(office: Office, clerk: str) -> None:
    """With the authenticator that Chromium has for tests: it verifies who holds it, as a finger on a reader does."""
    page = office.open()
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }})  # fmt: skip
    sign_in(page, office.url, clerk)
    page.goto(f"{office.url}/account/2fa/webauthn/add/")
    page.fill("[name=password]", PASSWORD)
    page.click("main button.btn-primary")
    expect(page.locator("[name=name]")).to_be_visible()
    settled(page)
    page.fill("[name=name]", "Laptop")
    page.check("[name=passwordless]")
    check_page(page)
    page.click("#mfa_webauthn_add")
    expect(page).to_have_url(f"{office.url}/account/2fa/recovery-codes/")
    check_page(page)
    page.goto(f"{office.url}/account/2fa/webauthn/")
    expect(page.locator("main")).to_contain_text("Laptop")
    check_page(page)
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{office.url}/account/login/")
    settled(page)
    page.click("#passkey_login")
    expect(page).to_have_url(f"{office.url}/")

    stranger = office.open()
    other = stranger.context.new_cdp_session(stranger)
    other.send("WebAuthn.enable")
    stranger.goto(f"{office.url}/account/login/")
    expect(stranger.locator("#passkey_login")).to_be_visible()
    stranger.goto(office.url)
    expect(stranger).to_have_url(f"{office.url}/account/login/?next=/")


def test_a_wrong_password_is_no_way_in(office: Office, clerk: str) -> None:
    page = office.open()
    sign_in(page, office.url, clerk, "something else")
    expect(page.locator(".alert-danger")).to_be_visible()
    page.goto(office.url)
    expect(page).to_have_url(f"{office.url}/account/login/?next=/")


def test_the_language_and_the_theme_can_be_chosen(office: Office) -> None:
    page = office.open(locale="en")
    page.goto(f"{office.url}/account/login/")
    page.get_by_role("button", name="Language").click()
    page.get_by_role("button", name="Svenska").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Logga in")
    settled(page)
    page.get_by_role("button", name="Ljust eller mörkt").click()
    page.get_by_role("button", name="Mörkt", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    check_page(page)
