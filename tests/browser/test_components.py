"""Seed 000 in a real browser, step by step as its manual tells it: from the customer by the number of the contract to
its booked components; a quantity is changed before the next billing and for the next billing, and taken back; usage has
none; an article is booked, with the next billing."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from taktura.accounts.services import create_user
from taktura.billing import services as billing
from taktura.billing.proof import verify
from taktura.catalog.services import define_tariff
from taktura.contracts.models import Contract, LineQuantity
from taktura.contracts.queries import by_key
from taktura.contracts.services import sign
from taktura.customers.services import create_customer, create_seller, set_billing_information
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from tests.browser.conftest import WIDTHS, Office
from tests.browser.steps import PASSWORD, check_page, sign_in

LINES = {
    "base": {"title": "Grundgebühr", "price": "20.00"},
    "desk": {"title": "Arbeitsplatz", "booking": "add_on", "price": "10.00"},
    "call": {"title": "Gespräche", "charge": "usage", "price": "0.10", "included": "100"},
}


@pytest.fixture
def contract(database: str) -> Contract:
    """A contract of five desks, billed for the month that began ten days ago."""
    now = timezone.now()
    first = now - timedelta(days=10)
    actor = Actor("test", first)
    seller = create_seller(
        actor, name="Muster GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=seller, kind=kind, format=kind[0].upper() + "/{number}", next=1)
    create_user(actor, email="eve@firm.example", name="Eve", role="admin", password=PASSWORD, language="de")
    customer = create_customer(actor, seller=seller, key="K-1", name="Exempel AB")
    address = {"street": "Weg 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
    set_billing_information(actor, customer=customer, name="Exempel AB", **address)
    tariff = define_tariff(actor, seller=seller, key="office", title="Büro", notice="monthly", lines=LINES)
    start = actor.today(seller.time_zone)
    sign(actor, key="V-1", customer=customer, tariff=tariff, start=start, quantities={"desk": Decimal(5)})
    billing.bill(actor, seller=seller, on=start)
    return by_key(seller.pk, "V-1")


@pytest.mark.parametrize("width", WIDTHS)
def test_components_are_booked_and_changed(office: Office, contract: Contract, width: str) -> None:
    page = office.open(width, locale="de-DE")
    sign_in(page, office.url, "eve@firm.example")
    page.goto(f"{office.url}{reverse('customer', args=[contract.customer_id])}")
    page.goto(f"{office.url}{reverse('contract_lines', args=[contract.pk])}")
    check_page(page)
    desk = contract.lines.get(article__key="desk")
    _change(page, office.url, contract, desk.pk, papers=2, day=timezone.localdate())
    change = LineQuantity.objects.get(line=desk, quantity=8)
    _take_back(page, office.url, contract, change.pk)
    assert contract.next_due is not None
    _change(page, office.url, contract, desk.pk, papers=0, day=contract.next_due)
    usage = contract.lines.get(article__key="call")
    page.goto(f"{office.url}{reverse('change_quantity', args=[contract.pk])}?line={usage.pk}")
    page.fill("[name=quantity]", "3")
    expect(page.locator("#consequence .alert-danger a")).to_have_attribute(
        "href", reverse("add_usage", args=[contract.pk])
    )
    page.goto(f"{office.url}{reverse('book_article', args=[contract.pk])}")
    page.select_option("[name=article]", "desk")
    page.fill("[name=name]", "Empfang")
    expect(page.locator("#consequence h3").first).to_be_visible()
    check_page(page)
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/history/\d+/$"))
    page.goto(f"{office.url}{reverse('contract', args=[contract.pk])}")
    expect(page.locator("main")).to_contain_text("Arbeitsplatz „Empfang“")
    expect(page.locator("#coming")).to_contain_text("Menge wird 8")
    check_page(page)
    assert verify() == []


def _change(page: Page, url: str, contract: Contract, line: int, *, papers: int, day: object) -> None:
    """Eight desks from a day on; before the next billing date with a credit note and an invoice, on it with neither."""
    page.goto(f"{url}{reverse('change_quantity', args=[contract.pk])}?line={line}")
    count = Document.objects.count()
    page.fill("[name=quantity]", "8")
    page.fill("[name=start]", str(day))
    page.fill("[name=memo]", "mehr Leute")
    expect(page.locator("#consequence > .slip")).to_have_count(papers)
    expect(page.locator("#consequence details")).to_be_visible()
    check_page(page)
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/history/\d+/$"))
    check_page(page)
    kinds = list(Document.objects.order_by("id").values_list("kind", flat=True))[count:]
    assert kinds == ["credit_note", "invoice"][:papers]


def _take_back(page: Page, url: str, contract: Contract, change: int) -> None:
    """The change is taken back from where it is shown."""
    page.locator(f"a[href$='?change={change}']").first.click()
    expect(page.locator("#consequence > .slip")).to_have_count(2)
    check_page(page)
    page.locator("#form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/history/\d+/$"))
    page.goto(f"{url}{reverse('contract_lines', args=[contract.pk])}")
    page.locator(".component-more summary").click()
    expect(page.locator(".timeline-list s")).to_have_text("8")
    check_page(page)
