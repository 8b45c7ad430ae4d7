"""Pages of customers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.customers import iban, vat_id
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import next_key, search
from taktura.customers.services import create_customer, folded
from taktura.kit.actor import Actor

BILLING = {
    "name": "Ohne Angaben KG", "street": "Weg 1", "postcode": "20095", "city": "Hamburg", "country": "DE",
    "tax_status": "domestic", "email": "", "vat_id": "", "iban": "", "payment_days": "",
    "delivery": "email", "language": "de", "round_up_minutes": "10",
}  # fmt: skip


def pk_of(key: str) -> int:
    return Customer.objects.get(key=key).pk


@pytest.mark.parametrize("tab", ["", "contracts/", "documents/", "history/", "change/", "billing/"])
def test_pages_of_a_customer(seller: Seller, page_ok: Callable[..., dict[str, str]], tab: str) -> None:
    texts = page_ok(f"/customers/{pk_of('oztuerk')}/{tab}")
    assert all("Öztürk" in text for text in texts.values()) and len(set(texts.values())) == 3


def test_the_list(seller: Seller, page_ok: Callable[..., dict[str, str]]) -> None:
    text = page_ok("/customers/")["de"]
    assert "Acme GmbH" in text and "Ohne Angaben KG" in text and "Fehlt" in text and "Vollständig" in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?q=OZTURK", {"oztuerk"}),
        ("?q=praxis gemein", {"oztuerk"}),
        ("?q=acme", {"acme"}),
        ("?complete=0", {"bare"}),
        ("?complete=1", {"acme", "oztuerk"}),
        ("?kind=consumer", set()),
        ("?q=%25", set()),
        ("?q=_", set()),
    ],
)
def test_search_and_filters(seller: Seller, client_as: Callable[..., Client], query: str, names: set[str]) -> None:
    text = client_as().get(f"/customers/{query}").content.decode()
    assert {key for key in ("acme", "oztuerk", "bare") if f">{key}<" in text} == names


def test_who_may_what(seller: Seller, forbidden_to: Callable[[str], set[str]]) -> None:
    pk = pk_of("acme")
    assert forbidden_to("/customers/") == set()
    assert forbidden_to(f"/customers/{pk}/documents/") == {"technician"}
    assert forbidden_to(f"/customers/{pk}/billing/") == {"lead", "technician", "viewer"}
    assert forbidden_to("/customers/new/") == {"lead", "technician", "viewer"}


def test_what_one_may_not_do_is_not_shown(seller: Seller, client_as: Callable[..., Client]) -> None:
    billing = f'href="/customers/{pk_of("bare")}/billing/"'
    for path in ("/customers/", f"/customers/{pk_of('bare')}/"):
        for_viewer = client_as("viewer").get(path).content.decode()
        assert "/new/" not in for_viewer and billing not in for_viewer
        assert billing in client_as("billing").get(path).content.decode()


def test_a_customer_of_another_seller_is_not_found(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    other = Seller.objects.create(name="Other", country="SE", currency="SEK", time_zone="UTC", vat=[[None, "25"]])
    foreign = create_customer(actor, seller=other, key="f", name="Foreign AB")
    client = client_as()
    assert client.get(f"/customers/{foreign.pk}/").status_code == 404
    assert client.post(f"/customers/{foreign.pk}/billing/", BILLING).status_code == 404
    assert "Foreign" not in client.get("/customers/").content.decode()


def test_the_form_proposes_the_language_of_the_sellers_country(
    seller: Seller, client_as: Callable[..., Client]
) -> None:
    """Whatever the reader's own."""
    assert seller.country == "DE"
    html = client_as("sales", "sv").get("/customers/new/").content.decode()
    assert '<option value="de" selected>' in html


def test_a_new_customer_is_made_and_asked_for_billing_information(
    seller: Seller, client_as: Callable[..., Client]
) -> None:
    client = client_as("sales", "de")
    data = {
        "name": "Müller & Söhne", "key": "", "kind": "business", "language": "de", "documents_per": "contract",
        "round_up_minutes": "15", "hourly_rate": "95,50",
    }  # fmt: skip
    assert client.post("/customers/new/", data).status_code == 422
    response = client.post("/customers/new/", {**data, "key": "acme"})
    assert response.status_code == 422 and "Müller &amp; Söhne" in response.content.decode()
    response = client.post("/customers/new/", {**data, "key": "10001"})
    made = Customer.objects.get(key="10001")
    assert response.headers["Location"] == f"/customers/{made.pk}/billing/"
    assert (made.name, str(made.hourly_rate), made.folded) == ("Müller & Söhne", "95.50", "muller & sohne 10001")
    assert next_key(seller.pk) == "10002"


def test_a_change_is_kept_in_the_history(seller: Seller, client_as: Callable[..., Client]) -> None:
    client, pk = client_as("billing"), pk_of("acme")
    data = {
        "name": "Acme AG",
        "kind": "business",
        "language": "sv",
        "documents_per": "customer",
        "round_up_minutes": "10",
    }
    assert client.post(f"/customers/{pk}/change/", data).status_code == 302
    assert list(search(Customer.objects.all(), "acme ag")) == [Customer.objects.get(pk=pk)]
    text = client.get(f"/customers/{pk}/history/").content.decode()
    assert "Acme GmbH → Acme AG" in text and "billing@firm.example" in text and "Customer changed" in text


def test_the_history_speaks_the_readers_language(seller: Seller, client_as: Callable[..., Client]) -> None:
    client, pk = client_as("billing", "de"), pk_of("bare")
    client.post(f"/customers/{pk}/billing/", BILLING)
    text = client.get(f"/customers/{pk}/history/").content.decode()
    assert "Steuerstatus" in text and "Inland" in text and "tax_status" not in text and ">domestic<" not in text


def test_billing_information_opens_the_gate(seller: Seller, client_as: Callable[..., Client]) -> None:
    client, pk = client_as("billing"), pk_of("bare")
    said = client.post(f"/customers/{pk}/billing/consequence/", {**BILLING, "city": " "}).content.decode()
    assert "<li>City</li>" in said and Customer.objects.filter(pk=pk, complete=True).count() == 0
    assert "Complete" in client.post(f"/customers/{pk}/billing/consequence/", BILLING).content.decode()
    assert not hasattr(Customer.objects.get(pk=pk), "billing_information"), "a look changes nothing"
    assert client.post(f"/customers/{pk}/billing/", BILLING).status_code == 302
    assert Customer.objects.get(pk=pk).complete


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("iban", "DE89370400440532013001"),
        ("vat_id", "DE136695977"),
        ("email", "x"),
        ("country", "XX"),
        ("payment_days", "-1"),
    ],
)
def test_wrong_billing_information_says_what_is_wrong_and_keeps_what_was_typed(
    seller: Seller, client_as: Callable[..., Client], field: str, value: str
) -> None:
    client, pk = client_as("billing"), pk_of("bare")
    response = client.post(f"/customers/{pk}/billing/", {**BILLING, field: value})
    text = response.content.decode()
    assert response.status_code == 422 and f'href="#field-{field}"' in text and "Hamburg" in text
    assert not Customer.objects.get(pk=pk).complete


def test_reverse_charge_needs_a_foreign_vat_id(seller: Seller, client_as: Callable[..., Client]) -> None:
    client, pk = client_as("billing"), pk_of("bare")
    wanted = {**BILLING, "tax_status": "reverse_charge"}
    assert "<li>VAT id</li>" in client.post(f"/customers/{pk}/billing/consequence/", wanted).content.decode()
    client.post(f"/customers/{pk}/billing/", wanted)
    assert not Customer.objects.get(pk=pk).complete
    client.post(f"/customers/{pk}/billing/", {**wanted, "vat_id": "SE559999000801"})
    assert Customer.objects.get(pk=pk).complete


def test_the_number_of_queries_does_not_grow(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    client = client_as()
    client.get("/customers/")  # the first visit of a session writes that it is one
    with CaptureQueriesContext(connection) as few:
        client.get("/customers/")
    Customer.objects.bulk_create(
        Customer(seller=seller, key=f"n{i}", name=f"N {i}", folded=folded(f"N {i}", f"n{i}"), created_at=actor.now)
        for i in range(60)
    )
    with CaptureQueriesContext(connection) as many:
        client.get("/customers/")
    assert len(many) == len(few) <= 12


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("DE89 3704 0044 0532 0130 00", True),
        ("se4550000000058398257466", True),
        ("GB82WEST12345698765432", True),
        ("DE88370400440532013000", False),
        ("DE8937040044053201300", False),
        ("", False),
        ("DE89-3704-0044-0532-0130-00", False),
        ("DE89370400440532013000; DROP", False),
        ("١٢89370400440532013000", False),
    ],
)
def test_ibans(text: str, valid: bool) -> None:
    assert iban.is_valid(text) is valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("de 136.695-976", True), ("SE556188840401", True), ("EL094259216", True), ("FR40303265045", True),
        ("NL004495445B01", True), ("IE6433435F", True), ("PL8567346215", True), ("ATU13585627", True),
        ("DE136695975", False), ("FR41303265045", False), ("PL8567346216", False), ("GR094259216", False),
        ("XI100190874", False), ("DE136,695976", False), ("DE", False), ("", False), ("XX1", False),
        ("DE١36695976", False),
    ],
)  # fmt: skip
def test_vat_ids(text: str, valid: bool) -> None:
    assert vat_id.is_valid(text) is valid


def test_script_in_a_name_is_text(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    bad: Any = '<img src=x onerror="alert(1)">'
    made = create_customer(actor, seller=seller, key="bad", name=bad)
    for path in ("/customers/", f"/customers/{made.pk}/", f"/customers/{made.pk}/billing/"):
        assert "<img src=x" not in client_as().get(path).content.decode()
