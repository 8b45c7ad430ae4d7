"""The search in the head of every page."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.catalog.models import Article
from taktura.customers.models import Customer, Seller
from taktura.customers.services import create_customer
from taktura.invoices.models import Document
from taktura.kit.actor import Actor


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("oeztuerk", None),
        ("ozturk", "Gemeinschaftspraxis Öztürk"),
        ("V-ac", "V-acme"),
        ("re-2026", "RE-2026-00001"),
        ("telefons", "talk"),
        ("TÉLEFONSERVICE", "talk"),
        ("numbér", "Number"),
        ("sunb", "SunBird"),
        ("menge änd", "Change a quantity"),
        ("ny kund", "New customer"),
        ("neuer vertrag", "New contract"),
        ("x", None),
        ("%%", None),
        ("'; DROP TABLE", None),
        ("\0\0", None),
    ],
)
@pytest.mark.parametrize("quick", ["", "&quick=1"])
def test_what_is_found(
    seller: Seller, client_as: Callable[..., Client], text: str, found: str | None, quick: str
) -> None:
    from urllib.parse import quote

    response = client_as().get(f"/search/?q={quote(text)}{quick}")
    if response.status_code == 302 and not quick:  # nothing else is found: it is opened
        only = client_as().get(f"/search/?q={quote(text)}&quick=1").content.decode()
        assert found and found in only and only.count("href=") == 2 and response.headers["Location"] in only
        return
    assert response.status_code == 200
    content = response.content.decode()
    if found is None:
        assert "list-group-item" not in content
    else:
        assert found in content and "list-group-item" in content


def test_an_article_is_found_where_it_is(seller: Seller, client_as: Callable[..., Client]) -> None:
    """With its page for those who may change it, in the list for the others."""
    pk = Article.objects.get(key="number").pk
    assert f'href="/tariffs/articles/{pk}/"' in client_as("sales").get("/search/?q=number&quick=1").content.decode()
    text = client_as("viewer").get("/search/?q=number&quick=1").content.decode()
    assert 'href="/tariffs/articles/?q=number"' in text and f"/tariffs/articles/{pk}/" not in text


def test_what_is_meant_beyond_doubt_is_opened(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    """A whole number or name among others, and the only hit; a beginning that several have is a page of hits."""
    create_customer(actor, seller=seller, key="acme-2", name="Acme Zwei")
    client = client_as()
    acme = Customer.objects.get(key="acme")
    assert client.get("/search/?q=ACME").headers.get("Location") == f"/customers/{acme.pk}/"
    assert client.get("/search/?q=Acme Zwei").headers["Location"].startswith("/customers/")
    number = Document.objects.order_by("id")[0]
    assert client.get(f"/search/?q={number.number}").headers.get("Location") == f"/documents/{number.pk}/"
    assert client.get("/search/?q=acm").status_code == 200
    assert client.get("/search/?q=ACME&quick=1").status_code == 200


def test_nobody_finds_what_is_not_shown(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    assert "RE-2026" not in client_as("technician").get("/search/?q=re-2026").content.decode().replace("“re-2026”", "")
    assert "New customer" not in client_as("viewer").get("/search/?q=new customer").content.decode()
    other = Seller.objects.create(name="Other", country="SE", currency="SEK", time_zone="UTC", vat=[[None, "25"]])
    create_customer(actor, seller=other, key="f", name="Foreign AB")
    assert "Foreign" not in client_as().get("/search/?q=foreign&quick=1").content.decode()


def test_a_fixed_number_of_queries(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    client.get("/search/?q=zz")
    with CaptureQueriesContext(connection) as none:
        client.get("/search/?q=zzzz&quick=1")
    with CaptureQueriesContext(connection) as some:
        client.get("/search/?q=ac&quick=1")
    assert len(none) == len(some) <= 14
