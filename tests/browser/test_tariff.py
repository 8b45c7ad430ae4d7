"""An operator's first tariff in a real browser: written from nothing, published, signed by its offer number; its usage
crosses the cost cap, the alert is seen, and the bill is 15.00 (the example of a cost cap: 5.00 and 10.00).
"""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from taktura.accounts.models import User
from taktura.accounts.services import create_user
from taktura.billing.proof import verify
from taktura.catalog.models import OfferNumber, Tariff, TariffDraft
from taktura.contracts.models import Contract
from taktura.control.models import Alert
from taktura.customers.models import Customer
from taktura.customers.services import create_customer, create_seller, set_billing_information
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from tests.browser.conftest import WIDTHS, Office
from tests.browser.steps import check_page, issue, settled, sign_in, work

EMAIL = "operator@muster.example"
PASSWORD = "a-fine-long-word-7"
LANGUAGES = ("de", "en", "sv")
TITLES = {
    "de": ("Anrufbehandlung", "Diktat", "Suche"),
    "en": ("Call handling", "Dictation", "Search"),
    "sv": ("Samtalsbehandling", "Diktat", "Sökning"),
}
COMMA = {"de": ",", "en": ".", "sv": ","}


@pytest.fixture
def customer(database: str) -> Customer:
    """A company that has no tariff yet, and a customer of it."""
    actor = Actor("test", timezone.now())
    seller = create_seller(
        actor, name="Muster GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=seller, kind=kind, format=kind[0].upper() + "/{number}", next=1)
    create_user(actor, email=EMAIL, name="Olga Operator", role="admin", password=PASSWORD)
    made = create_customer(actor, seller=seller, key="exempel", name="Exempel AB")
    set_billing_information(
        actor, customer=made, name="Exempel AB", street="Weg 1", postcode="10115", city="Berlin", country="DE"
    )
    return made


def months_ago() -> tuple[date, date]:
    """The first day of last month, and that of this one."""
    this = timezone.localdate().replace(day=1)
    return (this - timedelta(days=1)).replace(day=1), this


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_tariff_from_nothing_to_its_bill(office: Office, customer: Customer, language: str, width: str) -> None:
    User.objects.filter(email=EMAIL).update(language=language)
    page = office.open(width, locale=language)
    sign_in(page, office.url, EMAIL, PASSWORD)
    tariff = _write(page, office.url, language)
    number = _offer(page, office.url, tariff)
    contract = _sign(page, office.url, tariff, number)
    _use(page, office.url, contract)
    _see_the_alert(page, office.url, contract)
    _bill(page, office.url)
    assert verify() == []


def _save(page: Page) -> None:
    page.keyboard.press("Tab")
    settled(page)  # what the form comes to is asked for a moment after typing
    page.locator("#form button.btn-primary").last.click()


def _write(page: Page, url: str, language: str) -> Tariff:
    """The tariff is begun as a draft, gets two lines and a cost cap, is looked at and published."""
    title, dictation, search = TITLES[language]
    page.goto(f"{url}/tariffs/new/")
    check_page(page)
    page.fill("[name=title]", title)
    page.fill("[name=key]", "talk")
    page.fill("[name=module]", "telephone")
    page.locator("[name=anchor]").select_option("calendar")
    page.locator("#form button.btn-primary").first.click()
    expect(page).to_have_url(re.compile(r"/tariffs/drafts/\d+/"))
    draft = TariffDraft.objects.get(key="talk")
    for name, price, flag in ((dictation, "5", False), (search, "1", True)):
        page.goto(f"{url}/tariffs/drafts/{draft.pk}/lines/new/")
        page.fill("[name=new_article]", "search" if flag else "dictation")
        page.fill("[name=title]", name)
        page.locator("[name=charge]").first.select_option("usage")
        page.fill("[name=price]", f"{price}{COMMA[language]}00")
        if flag:
            page.check("[name=in_cap]")
        check_page(page)
        _save(page)
        expect(page).to_have_url(re.compile(rf"/tariffs/drafts/{draft.pk}/"))
    page.goto(f"{url}/tariffs/drafts/{draft.pk}/settings/")
    page.fill("[name=cost_cap]", f"10{COMMA[language]}00")
    expect(page.locator("main")).to_contain_text(f"15{COMMA[language]}00")  # what it comes to, while it is typed
    check_page(page)
    _save(page)
    expect(page).to_have_url(re.compile(rf"/tariffs/drafts/{draft.pk}/$"))
    check_page(page)
    page.goto(f"{url}/tariffs/drafts/{draft.pk}/publish/")
    check_page(page)
    _save(page)
    tariff = Tariff.objects.get(key="talk")
    expect(page).to_have_url(f"{url}/tariffs/{tariff.pk}/")
    check_page(page)
    return tariff


def _offer(page: Page, url: str, tariff: Tariff) -> str:
    """It is not public: an offer number is made for it, for one contract."""
    page.goto(f"{url}/tariffs/{tariff.pk}/offer-numbers/new/")
    page.fill("[name=most_uses]", "1")
    check_page(page)
    _save(page)
    found = OfferNumber.objects.get(tariff=tariff)
    expect(page.locator("main")).to_contain_text(found.number)
    check_page(page)
    return found.number


def _sign(page: Page, url: str, tariff: Tariff, number: str) -> Contract:
    """A contract from the first of last month on, by the offer number."""
    first, _ = months_ago()
    page.goto(f"{url}/contracts/sign/?customer={Customer.objects.get().pk}")
    page.locator("[name=tariff]").select_option(str(tariff.pk))
    page.fill("[name=start]", first.isoformat())
    page.fill("[name=key]", "V-1")
    page.fill("[name=offer_number]", number)
    check_page(page)
    _save(page)
    expect(page).to_have_url(re.compile(r"/contracts/\d+/"))
    check_page(page)
    return Contract.objects.get(key="V-1")


def _use(page: Page, url: str, contract: Contract) -> None:
    """One dictation and twenty searches, on the first of last month."""
    first, _ = months_ago()
    for article, quantity in (("dictation", "1"), ("search", "20")):
        page.goto(f"{url}/contracts/{contract.pk}/add-usage/")
        page.locator("[name=article]").select_option(article)
        page.fill("[name=quantity]", quantity)
        page.fill("[name=day]", first.isoformat())
        _save(page)
        expect(page).not_to_have_url(re.compile(r"/add-usage/$"))
    work()


def _see_the_alert(page: Page, url: str, contract: Contract) -> None:
    """20.00 are more than the cap of 10.00: the alert stands in the list, with what happened."""
    alert = Alert.objects.get()
    assert (alert.kind, alert.contract_id, alert.forecast, alert.state) == ("cap", contract.pk, False, "open")
    page.goto(f"{url}/control/")
    expect(page.locator("main")).to_contain_text("Exempel AB")
    check_page(page)
    page.goto(f"{url}/control/{alert.pk}/")
    expect(page.locator("main")).to_contain_text("V-1")
    check_page(page)


def _bill(page: Page, url: str) -> None:
    """The bill is 15.00: 5.00 for the dictation, 20.00 for the searches less the relief of 10.00."""
    _, this = months_ago()
    page.goto(f"{url}/billing/start/?on={this.isoformat()}")
    issue(page)
    document = Document.objects.get()
    assert (document.net, document.gross) == (15_00, 17_85)
    page.goto(f"{url}/documents/{document.pk}/")
    expect(page.locator("main")).to_contain_text(re.compile(r"17[.,]85"))
    check_page(page)
