"""The frame of all pages: who may come in, what it says when something is wrong."""

from collections.abc import Callable

import pytest
from django.test import Client

from taktura.customers.models import Seller
from tests.pages.conftest import LANGUAGES


def test_the_home_page(seller: Seller, page_ok: Callable[..., dict[str, str]]) -> None:
    assert len(set(page_ok("/").values())) == 3


def test_strangers_are_asked_to_sign_in(database: str) -> None:
    response = Client(SERVER_NAME="localhost").get("/customers/?q=a")
    assert response.status_code in (302, 404)
    assert Client(SERVER_NAME="localhost").get("/").headers["Location"] == "/account/login/?next=/"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_address_says_so(client_as: Callable[..., Client], language: str) -> None:
    response = client_as(language=language).get("/nothing/")
    assert response.status_code == 404 and f'lang="{language}"' in response.content.decode()


def test_a_form_from_elsewhere_is_refused(client_as: Callable[..., Client]) -> None:
    strict = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    strict.cookies = client_as().cookies
    assert strict.post("/account/theme/", {"theme": "dark"}).status_code == 403


def test_nobody_is_sent_to_another_site(client_as: Callable[..., Client]) -> None:
    client = client_as()
    for target in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        assert client.post("/account/theme/", {"theme": "dark", "next": target}).headers["Location"] == "/"


def test_pages_are_kept_by_nobody_and_run_nothing_of_others(client_as: Callable[..., Client]) -> None:
    response = client_as().get("/")
    assert "no-store" in response.headers["Cache-Control"]
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy and "http" not in policy


def test_nobody_signs_up_alone(database: str) -> None:
    client = Client(SERVER_NAME="localhost")
    assert client.get("/account/signup/").status_code == 404
    assert (
        client.post("/account/signup/", {"email": "x@y.example", "password1": "a-fine-long-word-7"}).status_code == 404
    )


def test_before_there_is_a_company_pages_lead_home(client_as: Callable[..., Client]) -> None:
    client = client_as()
    for path in ("/customers/", "/tariffs/", "/sales/", "/documents/", "/billing/", "/usage/", "/contracts/"):
        assert client.get(path).headers.get("Location") == "/", path
    assert client.get("/").status_code == client.get("/search/?q=abc").status_code == 200


def test_a_second_factor_is_asked_for_whichever_seller_is_chosen(
    seller: Seller, client_as: Callable[..., Client]
) -> None:
    other = Seller.objects.create(name="Other", country="SE", currency="SEK", time_zone="UTC", vat=[[None, "25"]])
    Seller.objects.filter(pk=seller.pk).update(second_factor=True)
    client = client_as("billing")
    client.post("/account/seller/", {"seller": str(other.pk)})
    assert client.get("/customers/").headers.get("Location") == "/account/second-factor-needed/"
    assert client_as("sales").get("/customers/").status_code == 200
