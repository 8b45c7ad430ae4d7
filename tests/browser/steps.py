"""What people do in the office, for the tests in the browser."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.totp import code_of

PASSWORD = "a-fine-long-word-7"
SERIOUS = {"serious", "critical"}
# What stands out at the right and is not inside of something that scrolls by itself.
BEYOND = """() => [...document.querySelectorAll('main *')].filter(e =>
    e.getBoundingClientRect().right > innerWidth && ![...document.querySelectorAll('.table-responsive')].some(t =>
    t.contains(e))).slice(0, 5).map(e => e.outerHTML.slice(0, 150))"""
_axe = Axe()


def sign_in(page: Page, url: str, email: str, password: str = PASSWORD) -> None:
    """Sign in by password."""
    page.goto(f"{url}/account/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", password)
    page.click("form[action='/account/login/'] button.btn-primary")


def set_up_app(page: Page, url: str, password: str = PASSWORD) -> str:
    """Set up codes of an app as second factor; gives its secret."""
    page.goto(f"{url}/account/2fa/totp/activate/")
    if page.locator("[name=password]").count():  # asked who one is
        page.fill("[name=password]", password)
        page.click("main button.btn-primary")
    secret = page.input_value("#authenticator_secret")
    page.fill("[name=code]", code_of(secret))
    page.click("main button.btn-primary")
    return secret


def check_page(page: Page) -> None:
    """Nothing serious against WCAG, nothing beyond the edge at the right."""
    found = _axe.run(page)
    wrong = [
        f"{v['id']}: {v['nodes'][0]['html'][:200]} ({v['help']})"
        for v in found.response["violations"]
        if v["impact"] in SERIOUS
    ]
    assert wrong == [], f"{page.url}: {wrong}"
    beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert beyond <= 0, f"{page.url} is {beyond} pixels too wide: {page.evaluate(BEYOND)}"
