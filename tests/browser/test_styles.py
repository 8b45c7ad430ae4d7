"""What a script or a user's hand styled is replaced by an answer without a breach of the page's policy."""

from playwright.sync_api import expect

from taktura.contracts.models import Contract
from tests.browser.conftest import Office
from tests.browser.steps import sign_in
from tests.browser.test_components import contract  # noqa: F401 - a fixture


def test_a_styled_element_is_replaced_without_an_error(office: Office, contract: Contract) -> None:  # noqa: F811
    """Errors on the console fail the test in the end (`office`)."""
    page = office.open("desktop", locale="de-DE")
    sign_in(page, office.url, "eve@firm.example")
    page.goto(f"{office.url}/contracts/{contract.pk}/currency/")
    expect(page.locator("#consequence .slip")).to_have_count(1)
    page.evaluate("document.querySelector('#seen').style.width = '1px'")
    with page.expect_response("**/currency/preview/"):
        page.select_option("[name=rule]", "day")
    expect(page.locator("#seen:not([style])")).to_have_count(1)  # another one stands there
    expect(page.locator(".htmx-settling, .htmx-added")).to_have_count(0)
