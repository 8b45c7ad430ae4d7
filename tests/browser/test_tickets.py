"""A ticket at both ends, at a desk and on a phone: the customer writes in the portal, a technician answers, logs time
and solves it in the office, the customer reads the answer. And the keys of the desk."""

import re
from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect

from taktura.accounts import portal_users
from taktura.accounts.services import create_user
from taktura.customers.access import invite
from taktura.customers.models import Customer
from taktura.desk import services
from taktura.desk.models import Ticket, TimeEntry
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from tests.browser.conftest import WIDTHS, Office
from tests.browser.steps import PASSWORD, check_page, settled, sign_in
from tests.pages.conftest import make_seller

STAFF = Actor("test", datetime(2026, 3, 1, 8, tzinfo=UTC))
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"  # as when one comes back to the page


@pytest.fixture
def acme(database: str) -> Customer:
    cache.clear()  # of messages that were counted
    seller = make_seller("Sonnenruf GmbH")
    services.set_service_levels(STAFF, seller=seller, targets={"normal": (60, 480)})
    create_user(STAFF, email="tom@firm.example", name="Tom", role="technician", password=PASSWORD, language="de")
    return Customer.objects.select_related("seller").get(key="acme", seller=seller)


def of_customer(office: Office, width: str, acme: Customer) -> Page:
    """A page of somebody who is signed in to the portal."""
    access = invite(STAFF, customer=acme, email="anna@acme.example", name="Anna", language="de", portal="http://x")
    _link, secret = portal_users.make_link(utc_now(), user=access.user, purpose="sign_in")
    page = office.open(width, locale="de")
    page.goto(f"{office.url}/portal/sign-in/{secret}/")
    page.get_by_role("button", name="Anmelden").click()
    return page


def of_staff(office: Office, width: str) -> Page:
    page = office.open(width, locale="de")
    sign_in(page, office.url, "tom@firm.example")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


@pytest.mark.parametrize("width", WIDTHS)
def test_a_customer_writes_and_is_answered(office: Office, acme: Customer, width: str) -> None:
    customer = of_customer(office, width, acme)
    customer.get_by_role("navigation", name="Kundenportal").get_by_role("link", name="Tickets").click()
    check_page(customer)
    customer.get_by_role("link", name="Neues Ticket").click()
    check_page(customer)
    customer.fill("[name=subject]", "Kein Freizeichen an der Nebenstelle im Besprechungsraum")
    customer.fill("[name=text]", "Seit Montag.\nBitte um Rückruf.")
    customer.get_by_role("button", name="Senden").click()
    expect(customer.get_by_role("status")).to_contain_text("Ihre Nachricht ist da")
    check_page(customer)

    staff = of_staff(office, width)
    staff.goto(f"{office.url}/desk/")
    check_page(staff)
    staff.get_by_role("link", name=re.compile("^#1001")).click()
    check_page(staff)
    expect(staff.get_by_text("Erste Antwort fällig")).to_be_visible()
    staff.fill("[name=text]", "Das Kabel ist lose. Ich komme vorbei.")
    staff.get_by_role("button", name="Dem Kunden antworten").click()
    expect(staff.locator("#ticket-state")).to_contain_text("Wartet auf den Kunden")
    check_page(staff)

    customer.reload()
    expect(customer.get_by_text("Ich komme vorbei")).to_be_visible()
    customer.fill("[name=text]", "Danke, bis gleich.")
    customer.get_by_role("button", name="Senden").click()
    staff.fill("[name=text]", "Noch nicht gesendet")
    staff.evaluate(LOOK)
    expect(staff.locator("#said")).to_contain_text("Danke, bis gleich.")
    expect(staff.locator("#ticket-state")).to_contain_text("Offen")
    expect(staff.locator("[name=text]")).to_have_value("Noch nicht gesendet")
    check_page(staff)

    staff.get_by_role("link", name="Zeit erfassen").click()
    staff.fill("[name=minutes]", "0:45")
    staff.get_by_role("button", name=re.compile("Speichern|erfassen")).first.click()
    expect(staff.get_by_role("alert").or_(staff.get_by_role("status")).first).to_be_visible()
    assert TimeEntry.objects.get().minutes == 45
    staff.goto(f"{office.url}/desk/tickets/{Ticket.objects.get().pk}/")
    staff.get_by_role("button", name="Lösen").click()
    expect(staff.locator("#ticket-state")).to_contain_text("Gelöst")

    customer.reload()
    expect(customer.get_by_text("Gelöst", exact=True).first).to_be_visible()
    expect(customer.get_by_text("0:45")).to_have_count(0)
    check_page(customer)


def test_keys_of_the_desk(office: Office, acme: Customer) -> None:
    now = Actor("test", utc_now())
    first, second = (services.open_ticket(now, customer=acme, subject=s, text="Ja?") for s in ("Drucker", "Router"))
    page = of_staff(office, "desktop")
    page.goto(f"{office.url}/desk/?sort=number")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("a.row-link").nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/tickets/{first.pk}/")
    settled(page)
    page.keyboard.press("j")
    page.wait_for_url(f"**/desk/tickets/{second.pk}/")
    settled(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Nächstes Ticket")
    check_page(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("n")
    expect(page.locator("form[data-writes] textarea")).to_be_focused()
    page.keyboard.type("Nur für uns: jaja")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said-note").last).to_contain_text("Nur für uns: jaja")
    settled(page)
    page.keyboard.press("r")
    expect(page.locator("form[data-writes] textarea")).to_be_focused()
    page.keyboard.type("Wird erledigt")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said-staff")).to_contain_text("Wird erledigt")
    settled(page)
    page.keyboard.press("a")
    expect(page.get_by_text("Das Ticket ist Ihres.")).to_be_visible()
    settled(page)
    page.keyboard.press("s")
    expect(page.locator("#ticket-state")).to_contain_text("Gelöst")
    settled(page)
    second.refresh_from_db()
    assert second.assignee is not None and second.status == "solved"
    page.keyboard.press("u")
    page.wait_for_url("**/desk/?sort=number")
    settled(page)
    services.answer_ticket(now.at(utc_now()), ticket=first, text="Noch da?", kind="customer")
    page.evaluate(LOOK)
    expect(page.get_by_role("status").filter(has_text="1 Ticket hat sich geändert")).to_be_visible()
    page.get_by_role("link", name="Anzeigen").click()
    expect(page.get_by_role("status").filter(has_text="1 Ticket hat sich geändert")).to_have_count(0)
    settled(page)
    page.keyboard.press("?")
    page.get_by_label("Einzelne Tasten wirken").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("j")
    expect(page.locator("a.row-link").first).not_to_be_focused()
