"""A clerk's day in a real browser, in three languages and two widths: from the supplier's file to the credit note."""

import re
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from taktura.accounts.models import User
from taktura.billing.proof import verify
from taktura.cli.demo.users import PASSWORD
from taktura.contracts.models import ContractLine
from taktura.customers.models import Seller
from taktura.invoices.models import Document
from taktura.usage.models import UsageException, UsageFile
from tests.browser.conftest import WIDTHS, Office
from tests.browser.steps import check_page, issue, set_up_app, settled, sign_in

EMAIL = "clerk@sonnenruf.example"
DAY = "2024-10-31"
FILE = "focus-1.0-sample.csv"
UNKNOWN = 3  # sub-accounts of the file that no contract has
LANGUAGES = ("de", "en", "sv")


@pytest.fixture
def database(demo_database: str) -> str:
    """The demo company, in the middle of October 2024; who may bill needs a second factor."""
    Seller.objects.update(second_factor=True)
    return demo_database


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_from_the_file_to_the_credit_note(office: Office, samples: Path, language: str, width: str) -> None:
    User.objects.filter(email=EMAIL).update(language=language)
    page = office.open(width, locale=language)
    sign_in(page, office.url, EMAIL, PASSWORD)
    set_up_app(page, office.url, PASSWORD)
    page.goto(office.url)
    expect(page.locator("html")).to_have_attribute("lang", language)
    check_page(page)
    _load(page, office.url, samples / FILE)
    _tie(page, office.url)
    _bill(page, office.url)
    _prove(page, office.url)
    _change(page, office.url)
    assert verify() == []


def _load(page: Page, url: str, path: Path) -> None:
    """The file is loaded: 993 rows find their line, 7 wait."""
    page.goto(f"{url}/usage/files/new/")
    check_page(page)
    page.locator("select[name=supplier]").select_option(label="SunBird")
    page.set_input_files("input[type=file]", path)
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/usage/files/\d+/$"))
    check_page(page)
    file = UsageFile.objects.get(name=path.name)
    assert (file.rows, file.recorded, file.waiting) == (1000, 993, 7)


def _tie(page: Page, url: str) -> None:
    """The three sub-accounts that nobody knew are tied to contract lines; their rows are processed again."""
    before = UsageException.objects.filter(reason="no_subscription").count()
    for number in range(UNKNOWN):
        page.goto(f"{url}/usage/waiting/?reason=no_subscription")
        if number == 0:
            check_page(page)
        file = UsageFile.objects.get(name=FILE)
        reference = UsageException.objects.filter(reason="no_subscription", record__file=file).values_list(
            "record__subscription", flat=True
        )[0]
        row = page.locator("tr.unlinked", has_text=reference)
        row.locator("button[value^='link:']").click()
        settled(page)
        page.fill("#line-search", f"C-{number + 1:02}")
        settled(page)  # what was found before is gone
        page.locator("#found-lines input[type=radio]").first.check()
        if number == 0:
            check_page(page)
        page.locator("main form[method=post] .btn-primary").click()
        expect(page).to_have_url(re.compile(r"/usage/subscriptions/\d+/$"))
    check_page(page)
    assert UsageException.objects.filter(reason="no_subscription").count() == before - 7


def _bill(page: Page, url: str) -> None:
    """What is due is looked at, previewed, and issued in the background."""
    page.goto(f"{url}/billing/?on={DAY}")
    check_page(page)
    page.goto(f"{url}/billing/preview/?on={DAY}")
    check_page(page)
    page.goto(f"{url}/billing/start/?on={DAY}")
    check_page(page)
    count = Document.objects.count()
    issue(page)
    assert Document.objects.count() > count
    page.goto(f"{url}/billing/runs/")
    check_page(page)
    page.locator("a.row-link").first.click()
    expect(page.locator("h1")).to_be_visible()
    check_page(page)


def _prove(page: Page, url: str) -> None:
    """An amount is followed down to the file that its usage came from; the PDF is downloaded."""
    document = Document.objects.filter(currency="USD", lines__kind="usage").order_by("-id")[0]
    page.goto(f"{url}/documents/{document.pk}/")
    check_page(page)
    page.locator("a.proof").first.click()
    expect(page).to_have_url(re.compile(rf"/documents/{document.pk}/lines/\d+/$"))
    check_page(page)
    page.locator("td a[href*='/usage/files/']").first.click()
    expect(page).to_have_url(re.compile(r"/usage/files/\d+/"))
    page.goto(f"{url}/documents/{document.pk}/")
    with page.expect_download() as download:
        page.evaluate(
            "path => { const a = document.createElement('a'); a.href = path; a.download = ''; a.click(); }",
            f"/documents/{document.pk}/pdf/",
        )
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")


def _change(page: Page, url: str) -> None:
    """A quantity is changed within a billed month: the same two documents before and after."""
    line = ContractLine.objects.get(contract__key="V-kraus", article__key="rufnummer")
    page.goto(f"{url}/contracts/{line.contract_id}/")
    check_page(page)
    page.goto(f"{url}/contracts/{line.contract_id}/components/")
    check_page(page)
    page.goto(f"{url}{reverse('change_quantity', args=[line.contract_id])}?line={line.pk}")
    count = Document.objects.count()
    page.fill("[name=quantity]", "5")
    page.fill("[name=start]", "2024-10-16")
    expect(page.locator("#consequence > .slip")).to_have_count(2)
    check_page(page)
    assert Document.objects.count() == count, "a look changes nothing"
    seen = [re.sub(r"\s+", " ", text) for text in page.locator("#consequence > .slip .slip-total").all_inner_texts()]
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/history/\d+/$"))
    check_page(page)
    note, invoice = Document.objects.order_by("id")[count:]
    assert (note.kind, invoice.kind) == ("credit_note", "invoice")
    shown = [
        re.sub(r"\s+", " ", text) for text in page.locator("main .card-body > .slip .slip-total").all_inner_texts()
    ]
    assert shown == seen
    for document in (note, invoice):
        page.goto(f"{url}/documents/?q={document.number}")
        expect(page.get_by_role("link", name=document.number)).to_be_visible()
    check_page(page)
