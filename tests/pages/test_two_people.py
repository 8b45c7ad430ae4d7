"""Two people at one form: neither undoes unseen what the other has done."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from taktura.billing.services import sell
from taktura.contracts.models import Contract, ContractLine
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document, Payment
from taktura.kit.actor import Actor
from taktura.office import page
from tests.pages.forms import form_of
from tests.pages.samples import path_of
from tools.pages import pages

ClientAs = Callable[..., Client]
TODAY = datetime(2026, 2, 16, 10, tzinfo=UTC)


def test_what_another_has_saved_is_not_overwritten_unseen(seller: Seller, client_as: ClientAs) -> None:
    pk = Customer.objects.get(key="oztuerk").pk
    path, client = reverse("customer_billing", args=[pk]), client_as("billing")
    first, second = form_of(client, path), form_of(client, path)
    assert client.post(path, {**first, "street": "Neue Straße 1", "city": "Bremen"}).status_code == 302
    response = client.post(path, {**second, "city": "Kiel", "email": "me@x.example"})
    text = response.content.decode()
    assert response.status_code == 422
    assert "Somebody else has changed this" in text
    assert "Stored now: “Neue Straße 1”." in text and "Stored now: “Bremen”." in text
    assert text.count("Stored now") == 4, (
        "beside both fields and above the form, not at the e-mail, that nobody changed"
    )
    assert 'value="Kiel"' in text and 'value="me@x.example"' in text
    seen = re.search(r'name="seen" id="seen" value="([^"]+)"', text)
    assert seen, "what is stored has been seen now"
    kept = {**second, "city": "Kiel", "email": "me@x.example", "seen": seen[1]}
    assert client.post(path, kept).status_code == 302
    info = Customer.objects.get(pk=pk).billing_information
    assert (info.street, info.city, info.email) == (second["street"], "Kiel", "me@x.example")


def test_what_both_have_typed_alike_is_no_conflict(seller: Seller, client_as: ClientAs) -> None:
    path = reverse("customer_change", args=[Customer.objects.get(key="acme").pk])
    client = client_as("sales")
    first, second = form_of(client, path), form_of(client, path)
    assert client.post(path, {**first, "name": "Acme AG"}).status_code == 302
    assert client.post(path, {**second, "name": "Acme AG", "language": "sv"}).status_code == 302
    assert Customer.objects.get(key="acme").language == "sv"


def test_a_setting_that_another_has_changed_is_said(seller: Seller, client_as: ClientAs) -> None:
    path, client = reverse("company_change", args=["address"]), client_as("admin")
    first, second = form_of(client, path), form_of(client, path)
    assert client.post(path, {**first, "city": "Bremen"}).status_code == 302
    response = client.post(path, {**second, "street": "Weg 7"})
    assert response.status_code == 422 and "Stored now: “Bremen”." in response.content.decode()


@pytest.mark.parametrize(
    ("name", "field", "role"),
    [
        ("supplier_change", "name", "lead"),
        ("webhook_change", "description", "admin"),
        ("article", "title", "sales"),
        ("tariff_key", "title", "sales"),
        ("module_change", "title", "sales"),
    ],
)
def test_no_form_overwrites_unseen(company: Seller, client_as: ClientAs, name: str, field: str, role: str) -> None:
    path, client = next(path_of(page) for page in pages() if page.name == name), client_as(role)
    first, second = form_of(client, path), form_of(client, path)
    assert client.post(path, {**first, field: "von.der.einen"}).status_code == 302
    response = client.post(path, {**second, field: "von.dem.anderen"})
    assert response.status_code == 422 and "Stored now: “von.der.einen”." in response.content.decode()
    assert form_of(client, path)[field] == "von.der.einen"


def test_the_same_payment_is_not_entered_twice_by_two(seller: Seller, client_as: ClientAs) -> None:
    """Both saw 119 open; the one has entered a part, the other is told what is open now."""
    document = Document.objects.filter(kind="invoice").order_by("id")[0]
    path, client = reverse("pay_document", args=[document.pk]), client_as("billing")
    first, second = form_of(client, path), form_of(client, path)
    assert client.post(path, {**first, "amount": "5.00"}).status_code == 302
    response = client.post(path, {**second, "amount": "5.00"})
    assert response.status_code == 422 and "Stored now" in response.content.decode()
    assert Payment.objects.filter(document=document).count() == 1


def test_the_same_is_not_credited_twice_by_two(seller: Seller, client_as: ClientAs) -> None:
    """Both saw the whole line; the one has credited a part, the other is told before another part is credited."""
    document = Document.objects.filter(kind="invoice").order_by("id")[0]
    path, client = reverse("credit_document", args=[document.pk]), client_as("billing")
    form = form_of(client, path)
    typed = {"what": "lines", "amount_1": "1.00", "reason": "", "seen": form["seen"]}
    assert client.post(path, typed).status_code == 302
    credits = Document.objects.filter(kind="credit_note")
    number = credits.count()
    response = client.post(path, typed)
    text = response.content.decode()
    assert response.status_code == 422 and "Look at it as it stands now" in text and credits.count() == number
    assert 'value="1.00"' in text, "what was typed is there"
    assert client.post(path, {**typed, "seen": form_of(client, path)["seen"]}).status_code == 302
    assert credits.count() == number + 1


def test_a_sale_that_another_gave_away_is_not_given_on_unseen(seller: Seller, client_as: ClientAs) -> None:
    buyer, other = Customer.objects.filter(billing_information__isnull=False).order_by("id")[:2]
    item = sell(Actor("test", TODAY), customer=buyer, lines=[{"title": "Training", "price": "80.00"}])
    path, client = reverse("sale_move", args=[item.pk]), client_as("sales")
    first, second = form_of(client, path), form_of(client, path)
    assert client.post(path, {**first, "key": other.key}).status_code == 302
    response = client.post(path, {**second, "key": buyer.key})
    assert response.status_code == 422 and "Look at it as it stands now" in response.content.decode()
    item.refresh_from_db()
    assert item.customer == other
    assert client.post(path, {**form_of(client, path), "key": buyer.key}).status_code == 302


def test_what_is_issued_is_what_was_looked_at(
    seller: Seller, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "utc_now", lambda: TODAY)
    contract = Contract.objects.get(key="V-acme")
    line = ContractLine.objects.get(contract=contract, article__key="number")
    path, client = reverse("change_quantity", args=[contract.pk]), client_as("billing")
    typed = {"line": str(line.pk), "quantity": "3", "start": "2026-02-16", "memo": ""}

    def looked_at(**fields: str) -> str:
        shown = client.post(f"{path}preview/", typed | fields).content.decode()
        found = re.search(r'name="seen" id="seen" value="([^"]+)" hx-swap-oob="true"', shown)
        assert found
        return found[1]

    seen = looked_at()
    assert client.post(path, {**typed, "quantity": "5", "seen": looked_at(quantity="5")}).status_code == 302
    before = Document.objects.count()
    response = client.post(path, {**typed, "seen": seen})
    assert response.status_code == 422 and Document.objects.count() == before
    assert "What saving issues is not what you looked at" in response.content.decode()
    assert 'value="3"' in response.content.decode(), "what was typed is there"
    assert client.post(path, {**typed, "seen": looked_at()}).status_code == 302
    assert Document.objects.count() == before + 2


def test_a_preview_of_other_input_stops_nobody(
    seller: Seller, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever types on and saves before the preview comes has looked at nothing that could be wrong."""
    monkeypatch.setattr(page, "utc_now", lambda: TODAY)
    contract = Contract.objects.get(key="V-acme")
    line = ContractLine.objects.get(contract=contract, article__key="number")
    path, client = reverse("change_quantity", args=[contract.pk]), client_as("billing")
    typed = {"line": str(line.pk), "quantity": "3", "start": "2026-02-16", "memo": ""}
    shown = client.post(f"{path}preview/", typed).content.decode()
    seen = re.search(r'id="seen" value="([^"]+)"', shown)
    assert seen
    assert client.post(path, {**typed, "quantity": "4", "seen": seen[1]}).status_code == 302


def test_a_form_that_was_open_too_long_can_be_opened_again(seller: Seller) -> None:
    """Signed in anew in another window: the mark of the form is an old one. What was typed is kept by the browser."""
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    here, elsewhere = "http://localhost/customers/new/", "http://evil.example/customers/new/"
    response = client.post("/customers/new/", {}, headers={"referer": here})
    assert response.status_code == 403 and f'href="{here}"' in response.content.decode()
    response = client.post("/customers/new/", {}, headers={"referer": elsewhere})
    assert response.status_code == 403 and elsewhere not in response.content.decode()


def test_what_is_stored_of_several_choices_is_said_in_words(seller: Seller, client_as: ClientAs) -> None:
    path, client = reverse("alert_recipients"), client_as("admin", "de")
    first, second = form_of(client, path), form_of(client, path)
    assert client.post(path, {**first, "roles": ["viewer", "admin"]}).status_code == 302
    response = client.post(path, {**second, "addresses": "a@x.example", "roles": ["sales"]})
    text = response.content.decode()
    assert response.status_code == 422
    assert "„Administrator, Nur Lesen“" in text
