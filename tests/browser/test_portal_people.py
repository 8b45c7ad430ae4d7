"""A customer's administrator invites a colleague, who opens a ticket with a file; staff answers with one."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect

from taktura.accounts.services import create_user
from taktura.customers.access import invite, mail_link
from taktura.customers.models import Customer, PortalAccess, Seller
from taktura.desk.models import Ticket
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import OutgoingMail
from tests.browser.conftest import WIDTHS, Office
from tests.browser.steps import PASSWORD, check_page
from tests.browser.test_tickets import of_staff
from tests.pages.conftest import make_seller

ANNA, TIM = "anna@acme.example", "tim@acme.example"
PDF = b"%PDF-1.7\n%plan"


@pytest.fixture
def acme(database: str) -> Customer:
    cache.clear()  # of messages that were counted
    seller = make_seller("Sonnenruf GmbH")
    Seller.objects.update(portal_allows=["tickets", "notice", "data"])
    Customer.objects.update(self_managed=True)
    create_user(
        Actor("test", utc_now()), email="tom@firm.example", name="Tom", role="technician", password=PASSWORD,
        language="de",
    )  # fmt: skip
    return Customer.objects.get(key="acme", seller=seller)


def follow(page: Page, office: Office, email: str) -> None:
    """Open the link of the last mail to an address, and sign in."""
    mail = OutgoingMail.objects.filter(recipient=email).latest("id")
    link = re.search(rf"{re.escape(office.url)}/portal/sign-in/\S+/", mail.text)
    assert link is not None
    page.goto(link[0])
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Überblick")


def saved(page: Page, name: str) -> bytes:
    """What a link to a file gives."""
    with page.expect_download() as found:
        page.get_by_role("link", name=name).click()
    return Path(found.value.path()).read_bytes()


@pytest.mark.parametrize("width", WIDTHS)
def test_from_an_invitation_to_an_answer_with_a_file(office: Office, acme: Customer, width: str) -> None:
    invite(Actor("test", utc_now()), customer=acme, email=ANNA, name="Anna", portal=f"{office.url}/portal")
    anna = office.open(width, locale="de")
    follow(anna, office, ANNA)
    anna.get_by_role("navigation").get_by_role("link", name="Personen").click()
    expect(anna.get_by_role("heading", level=1)).to_have_text("Personen")
    check_page(anna)
    anna.get_by_role("link", name="Einladen").click()
    anna.fill("[name=email]", TIM)
    anna.fill("[name=name]", "Tim Falk-Oberstädtisch-Niederkirchner")
    check_page(anna)
    anna.get_by_role("button", name="Einladen").click()
    expect(anna.get_by_role("status")).to_contain_text("Eingeladen")
    check_page(anna)

    tim = office.open(width, locale="de")
    follow(tim, office, TIM)
    check_page(tim)
    expect(tim.get_by_role("link", name="Dokumente")).to_have_count(0)
    tim.get_by_role("link", name="Telefonservice").first.click()
    expect(tim.get_by_role("heading", name="Was Sie haben")).to_be_visible()
    check_page(tim)
    expect(tim.get_by_text("€")).to_have_count(0)
    tim.get_by_role("navigation").get_by_role("link", name="Tickets").click()
    tim.get_by_role("link", name="Neues Ticket").first.click()
    tim.fill("[name=subject]", "Kein Freizeichen im Besprechungsraum")
    tim.fill("[name=text]", "Der Plan liegt bei.")
    file: Any = {"name": "Plan.pdf", "mimeType": "application/pdf", "buffer": PDF}
    tim.set_input_files("[name=attached]", file)
    check_page(tim)
    tim.get_by_role("button", name="Senden").click()
    expect(tim.get_by_role("status")).to_contain_text("Ihre Nachricht ist da")
    expect(tim.get_by_role("link", name="Plan.pdf")).to_be_visible()
    check_page(tim)

    staff = of_staff(office, width)
    staff.goto(f"{office.url}/desk/tickets/{Ticket.objects.get().pk}/")
    assert saved(staff, "Plan.pdf") == PDF
    staff.fill("[name=text]", "Unsere Zeichnung anbei.")
    staff.set_input_files("[name=attached]", file | {"name": "Zeichnung.pdf"})
    staff.get_by_role("button", name="Dem Kunden antworten").click()
    expect(staff.locator("#ticket-state")).to_contain_text("Wartet auf den Kunden")

    tim.reload()
    assert saved(tim, "Zeichnung.pdf") == PDF
    check_page(tim)
    tim.get_by_role("navigation").get_by_role("link", name="Eigene Daten").click()
    expect(tim.get_by_role("heading", name="Ihr Profil")).to_be_visible()
    check_page(tim)

    anna.get_by_role("link", name="Tim Falk").click()
    expect(anna.get_by_label("Benutzer", exact=True)).to_be_checked()
    check_page(anna)
    anna.get_by_role("link", name="Zugang abschalten").click()
    check_page(anna)
    anna.get_by_role("button", name="Zugang abschalten").click()
    expect(anna.get_by_role("status")).to_contain_text("abgeschaltet")
    tim.reload()
    expect(tim).to_have_url(f"{office.url}/portal/sign-in/")
    assert not mail_link(Actor("test", utc_now()), email=TIM, purpose="sign_in", portal=f"{office.url}/portal")
    assert PortalAccess.objects.get(user__email=TIM).ended_at is not None
