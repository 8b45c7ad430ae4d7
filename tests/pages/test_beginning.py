"""A company's beginning: from an empty installation to the first document, as its administrator sees it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from taktura.accounts.permissions import PERMISSIONS
from taktura.customers.models import Seller
from taktura.office.first_steps import first_steps
from tools.pages import pages

Open = Callable[..., Client]
COMPANY = {
    "name": "Nordwind Hosting & Telefonservice GmbH", "street": "Am Markt 3", "postcode": "24103", "city": "Kiel",
    "country": "DE", "vat_id": "DE136695976", "currency": "eur", "prices_are": "net", "rate": "19",
    "time_zone": "Europe/Berlin",
}  # fmt: skip


def test_home_leads_to_the_first_company(client_as: Open) -> None:
    text = client_as("admin", "de").get("/").content.decode()
    assert reverse("company_new") in text and "Es gibt noch keine Firma" in text
    assert reverse("company_new") not in client_as("viewer").get("/").content.decode()


@pytest.mark.parametrize(("language", "usual"), [("de", "Europe/Berlin"), ("sv", "Europe/Stockholm")])
def test_the_form_begins_with_what_is_usual(client_as: Open, language: str, usual: str) -> None:
    text = client_as("admin", language).get(reverse("company_new")).content.decode()
    assert f'value="{usual}" selected' in text


def test_a_company_is_made_and_chosen(client_as: Open) -> None:
    client = client_as()
    preview = client.post(reverse("company_new_preview"), COMPANY).content.decode()
    assert "Am Markt 3" in preview and "19" in preview and "EUR" in preview and not Seller.objects.exists()
    assert client.post(reverse("company_new"), COMPANY).headers["Location"] == "/"
    seller = Seller.objects.get()
    assert (seller.name, seller.currency, seller.vat, seller.vat_id) == (
        COMPANY["name"], "EUR", [[None, "19"]], "DE136695976",
    )  # fmt: skip
    assert seller.consumer_rules == "DE"
    text = client.get("/").content.decode()
    assert "The first steps" in text and reverse("sign_contract") in text and "Nothing is to be done" not in text


def test_a_second_company_is_worked_for_at_once(seller: Seller, client_as: Open) -> None:
    client = client_as()
    client.post(reverse("company_new"), COMPANY | {"country": "SE", "vat_id": "", "currency": "SEK", "rate": "25"})
    new = Seller.objects.latest("pk")
    assert new.consumer_rules == "none"
    assert new.name in client.get(reverse("company")).content.decode().replace("&amp;", "&")
    assert Seller.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("country", ""), ("vat_id", "DE1"), ("currency", "E"), ("rate", "101"), ("rate", "x"),
     ("time_zone", "Berlin"), ("prices_are", "both")],
)  # fmt: skip
def test_bad_input_is_said_beside_its_field_and_nothing_is_written(client_as: Open, field: str, value: str) -> None:
    client = client_as()
    answer = client.post(reverse("company_new"), COMPANY | {field: value})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert f'id="id_{field}_error"' in text and "Am Markt 3" in text
    assert client.post(reverse("company_new_preview"), COMPANY | {field: value}).status_code == 200
    assert not Seller.objects.exists()


def test_only_who_may_change_settings_makes_one(client_as: Open) -> None:
    for role in ("billing", "sales", "lead", "technician", "viewer"):
        assert client_as(role).post(reverse("company_new"), COMPANY).status_code == 403
    assert not Seller.objects.exists()


def test_no_page_fails_without_a_company(client_as: Open) -> None:
    client = client_as()
    seen = 0
    for one in pages():
        path = one.path(lambda _table: 1, {"section": "address", "kind": "invoice", "which": "seller"})
        if one.permission in PERMISSIONS and path:
            seen += 1
            for answer in (client.get(path), client.post(path, {})):
                assert answer.status_code in (200, 302, 400, 403, 404, 405, 422), (path, answer.status_code)
    assert seen > 50


def test_steps_are_done_one_by_one_and_gone_with_the_first_document(
    seller: Seller, client_as: Open, actor: object
) -> None:
    from taktura.accounts.models import User
    from taktura.customers import services as customers

    assert first_steps(seller, User(role="admin")) == []  # it has billed
    assert "The first steps" not in client_as().get("/").content.decode()
    fresh = customers.create_seller(
        actor, name="Neu", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]],
        vat_id="DE136695976", iban="DE75512108001245126199",
    )  # type: ignore[arg-type]  # fmt: skip
    steps = first_steps(fresh, User(role="admin"))
    assert [s.done for s in steps] == [True, True, False, False, False, False, False, False]
    customers.create_customer(actor, seller=fresh, key="K", name="Kunde")  # type: ignore[arg-type]
    assert [s.done for s in first_steps(fresh, User(role="admin"))][5] is True
    assert all(not s.url for s in first_steps(fresh, User(role="viewer")))
