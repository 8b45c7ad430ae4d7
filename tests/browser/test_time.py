"""Approval of time in a browser: chosen by ticket, seen before it is done, stopped by a gate and gone on with."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect

from taktura.accounts.services import create_user
from taktura.billing.services import create_seller
from taktura.customers.models import Customer
from taktura.customers.services import create_customer, set_billing_information
from taktura.desk import services as desk
from taktura.desk.models import TimeEntry
from taktura.kit.actor import Actor
from tests.browser.conftest import Office
from tests.browser.steps import PASSWORD, check_page, sign_in

ACTOR = Actor("test", datetime(2026, 3, 1, 8, tzinfo=UTC))
LONG = "Telefonrufbereitschaftsdienstleistungspauschalengrundgebührenzuschlag"
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}


def made(rows: int = 12) -> None:
    """Two customers with tickets of long subjects; the second has no hourly rate."""
    seller = create_seller(
        ACTOR, name="Sonnenruf", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    create_user(ACTOR, email="eve@firm.example", name="Eve", role="billing", password=PASSWORD, language="de")
    activity = desk.add_activity(ACTOR, seller=seller, name=f"Vor-Ort-{LONG}")
    for key, rate in (("acme", "90"), ("neu", None)):
        values: dict[str, Any] = {"hourly_rate": Decimal(rate)} if rate else {}
        create_customer(ACTOR, seller=seller, key=key, name=f"{key} {LONG}", language="de", **values)
        customer = Customer.objects.select_related("seller").get(key=key)
        set_billing_information(ACTOR, customer=customer, name=key, **ADDRESS)
        ticket = desk.open_ticket(ACTOR, customer=customer, subject=f"Störung {LONG}")
        for _ in range(rows):
            desk.log_time(ACTOR, ticket=ticket, minutes=7, activity=activity, note=LONG, worked_on=date(2026, 2, 27))


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_time_is_approved_after_a_look_and_past_a_gate(office: Office, width: str) -> None:
    made()
    page = office.open(width)
    sign_in(page, office.url, "eve@firm.example")
    page.goto(f"{office.url}/time/")
    check_page(page)
    page.goto(f"{office.url}/time/approval/")
    check_page(page)
    for name in ("acme", "neu"):
        page.get_by_label(f"Alle von {name} {LONG} auswählen").check()
    expect(page.locator("[name=chosen]:checked")).to_have_count(24)
    page.get_by_role("button", name="Ansehen, was die Genehmigung kostet").click()
    check_page(page)
    expect(page.get_by_role("button", name="Zeit genehmigen")).to_be_disabled()
    page.get_by_role("link", name="Stundensatz eingeben").click()
    page.get_by_label("Stundensatz").fill("60")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_text("135,00\xa0€").first).to_be_visible()  # 12 × 7 minutes are 90
    expect(page.get_by_text("90,00\xa0€").first).to_be_visible()
    check_page(page)
    page.get_by_role("button", name="Zeit genehmigen").click()
    expect(page.get_by_text("24 Zeiten sind genehmigt.")).to_be_visible()
    assert TimeEntry.objects.filter(status="approved").count() == 24
