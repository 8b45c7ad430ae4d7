"""Bringing existing customers in: billing information, the gates that ask for it, the customer's own people."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from taktura.billing import services as billing
from taktura.billing.models import SalesItem
from taktura.customers.models import BillingInformation, Customer, PortalAccess, Seller
from taktura.customers.services import create_customer
from taktura.kit.actor import Actor
from tests.pages.test_customers import BILLING, pk_of
from tests.pages.test_portal import let_in
from tests.pages.test_sales import TWO

ClientAs = Callable[..., Client]
MANDATE = {
    "direct_debit": "on", "iban": "DE89 3704 0044 0532 0130 00", "mandate_reference": "M-2026/7",
    "mandate_date": "5.1.2026",
}  # fmt: skip


def test_the_whole_form(seller: Seller, client_as: ClientAs) -> None:
    client, pk = client_as("billing", "de"), pk_of("bare")
    more = {
        "legal_form": "KG", "delivery": "post", "debtor_number": "70815", "language": "sv", "round_up_minutes": "15",
        "hourly_rate": "96,50", "head_office": f"Acme GmbH ({Customer.objects.get(key='acme').key})", **MANDATE,
    }  # fmt: skip
    assert client.post(f"/customers/{pk}/billing/", BILLING | more).status_code == 302
    found = Customer.objects.select_related("billing_information", "head_office").get(pk=pk)
    info = found.billing_information
    assert (info.legal_form, info.delivery, info.debtor_number) == ("KG", "post", "70815")
    assert (info.direct_debit, info.iban, info.mandate_date) == (True, "DE89370400440532013000", date(2026, 1, 5))
    assert (found.language, found.round_up_minutes, str(found.hourly_rate)) == ("sv", 15, "96.50")
    assert found.head_office == Customer.objects.get(key="acme") and found.complete
    text = client.get(f"/customers/{pk}/").content.decode()
    assert "Mandat M-2026/7, unterschrieben am" in text and "70815" in text and "Per Post" in text


@pytest.mark.parametrize("lacks", ["iban", "mandate_reference", "mandate_date"])
def test_a_direct_debit_needs_its_mandate(seller: Seller, client_as: ClientAs, lacks: str) -> None:
    client, pk = client_as("billing", "de"), pk_of("bare")
    response = client.post(f"/customers/{pk}/billing/", BILLING | MANDATE | {lacks: ""})
    assert response.status_code == 422 and "Die Lastschrift braucht eine IBAN" in response.content.decode()
    assert not BillingInformation.objects.filter(customer=pk).exists()


def test_a_head_office_is_no_branch(seller: Seller, client_as: ClientAs) -> None:
    client, bare, acme = client_as("billing"), pk_of("bare"), pk_of("acme")
    assert client.post(f"/customers/{bare}/billing/", BILLING | {"head_office": "acme"}).status_code == 302
    response = client.post(f"/customers/{acme}/billing/", BILLING | {"head_office": "bare"})
    assert response.status_code == 422 and "is no branch itself" in response.content.decode()
    response = client.post(f"/customers/{acme}/billing/", BILLING | {"head_office": "acme"})
    assert response.status_code == 422 and "another customer" in response.content.decode()


def test_sections_are_changed_by_themselves(seller: Seller, client_as: ClientAs) -> None:
    client, pk = client_as("billing", "de"), pk_of("acme")
    before = BillingInformation.objects.get(customer=pk)
    page = client.get(f"/customers/{pk}/configure/").content.decode()
    assert "Allgemeine Einstellungen" in page and f"/customers/{pk}/billing/?section=address&amp;next=" in page
    address = f"/customers/{pk}/billing/?section=address&next=/customers/{pk}/configure/"
    form = client.get(address).content.decode()
    assert 'name="street"' in form and 'name="tax_status"' not in form
    sent = {"name": "Acme GmbH", "street": "Neue Straße 2", "postcode": "20095", "city": "Hamburg", "country": "DE"}
    response = client.post(address, sent)
    assert response.headers["Location"] == f"/customers/{pk}/configure/"
    after = BillingInformation.objects.get(customer=pk)
    assert (after.street, after.email, after.payment_days) == ("Neue Straße 2", before.email, before.payment_days)


def test_opening_the_customers_asks_and_they_are_worked_off(seller: Seller, client_as: ClientAs, actor: Actor) -> None:
    second = create_customer(actor, seller=seller, key="zulu", name="Zulu AG")
    client, bare = client_as("billing", "de"), pk_of("bare")
    text = client.get("/customers/").content.decode()
    assert "2 Kunden haben keine vollständigen Abrechnungsinformationen" in text and "/customers/billing/" in text
    assert "/customers/billing/" not in client_as("viewer").get("/customers/").content.decode()
    first = client.get("/customers/billing/").headers["Location"]
    assert first == f"/customers/{bare}/billing/?queue=1"
    text = client.get(first).content.decode()
    assert "2 Kunden" in text and f"/customers/billing/?after={bare}" in text, "one may be skipped"
    then = client.get(client.post(first, BILLING).headers["Location"]).headers["Location"]
    assert then == f"/customers/{second.pk}/billing/?queue=1"
    after = client.post(then, BILLING | {"street": ""}).headers["Location"]
    assert client.get(after).headers["Location"] == "/customers/", "the last one"
    assert not Customer.objects.get(pk=second.pk).complete
    text = client.get("/customers/").content.decode()
    assert "Es fehlt: Straße" in text and "1 Kunde hat keine" in text


def test_a_sales_item_is_begun_but_not_finished(seller: Seller, client_as: ClientAs) -> None:
    client, pk = client_as("sales", "de"), pk_of("bare")
    page = client.get(f"/sales/new/{pk}/").content.decode()
    assert "Ohne Angaben KG fehlen Abrechnungsinformationen" in page and "Es fehlt: Name, Straße" in page
    response = client.post(f"/sales/new/{pk}/", TWO)
    assert response.status_code == 422 and not SalesItem.objects.exists()
    found = re.search(r'href="(/customers/\d+/billing/\?next=[^"]+)"', response.content.decode())
    assert found is not None
    back = client.post(found[1], BILLING).headers["Location"]
    assert back == f"/sales/new/{pk}/?lines=3", "the step goes on"
    assert "fehlen Abrechnungsinformationen" not in client.get(back).content.decode()
    assert client.post(back, TWO).status_code == 302 and SalesItem.objects.count() == 1


def test_a_sales_item_is_not_moved_to_who_cannot_be_billed(seller: Seller, client_as: ClientAs, actor: Actor) -> None:
    acme = Customer.objects.get(key="acme")
    item = billing.sell(actor, customer=acme, lines=[{"title": "Kabel", "price": "7.50"}])
    client, bare = client_as("sales", "de"), pk_of("bare")
    response = client.post(f"/sales/{item.pk}/move/", {"key": "bare"})
    text = response.content.decode()
    assert response.status_code == 422 and "Ohne Angaben KG fehlen Abrechnungsinformationen" in text
    address = f"/customers/{bare}/billing/?next={quote(f'/sales/{item.pk}/move/?key=bare', safe='')}"
    assert address.replace("&", "&amp;") in text
    back = client.post(address, BILLING).headers["Location"]
    assert 'value="bare"' in client.get(back).content.decode(), "what was typed is there"
    assert client.post(back, {"key": "bare"}).status_code == 302
    assert SalesItem.objects.get().customer_id == bare


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_no_step_goes_on_elsewhere(seller: Seller, client_as: ClientAs, target: str) -> None:
    pk = pk_of("bare")
    response = client_as("billing").post(f"/customers/{pk}/billing/?next={quote(target)}", BILLING)
    assert response.headers["Location"] == f"/customers/{pk}/"


def test_people_keep_their_own_profile(seller: Seller, client_as: ClientAs) -> None:
    acme = Customer.objects.get(key="acme")
    person = let_in(acme)
    profile, data = f"/portal/{acme.pk}/data/profile/", f"/portal/{acme.pk}/data/"
    sent: dict[str, Any] = {"phone": "+49 40 123456", "mobile": "", "job_title": "Einkauf", "company_contact": "on"}
    assert person.get(profile).status_code == person.post(profile, sent).status_code == 404, "it is switched off"
    assert "Job title" not in person.get(data).content.decode()
    staff = client_as("billing")
    assert staff.post(f"/customers/{acme.pk}/configure/profile/", {"on": "1"}).status_code == 302
    assert client_as("viewer").post(f"/customers/{acme.pk}/configure/profile/", {"on": "0"}).status_code == 403
    assert person.post(profile, sent | {"phone": "ask at the desk"}).status_code == 422
    assert person.post(profile, sent).status_code == 302
    text = person.get(data).content.decode()
    assert "+49 40 123456" in text and "Einkauf" in text and "Anna, +49 40 123456" in text
    text = staff.get(f"/customers/{acme.pk}/portal/").content.decode()
    assert "tel:+4940123456" in text and "Einkauf · Company contact" in text
    assert "Profile of a person changed" in staff.get(f"/customers/{acme.pk}/history/").content.decode()
    staff.post(f"/customers/{acme.pk}/configure/profile/", {"on": "0"})
    assert "Einkauf" not in staff.get(f"/customers/{acme.pk}/portal/").content.decode()
    assert PortalAccess.objects.get(customer=acme).job_title == "Einkauf", "it is kept, not shown"
