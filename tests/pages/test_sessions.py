"""Sessions and what a browser keeps: seen lately, ended from elsewhere, cookies."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client

from taktura.accounts.services import create_user
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.office.accounts import tracking
from tests.pages.conftest import PASSWORD


def test_a_session_is_noted_once_in_some_minutes(
    seller: Seller, client_as: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = client_as()
    client.get("/")
    first = UserSession.objects.get()
    client.get("/customers/")
    assert UserSession.objects.get().last_seen_at == first.last_seen_at
    monkeypatch.setattr(tracking, "MINUTES", 0)
    client.get("/customers/")
    assert UserSession.objects.get().last_seen_at > first.last_seen_at
    assert "127.0.0.1" in client.get("/account/sessions/").content.decode()


def test_a_session_that_was_ended_elsewhere_is_ended(seller: Seller, client_as: Callable[..., Client]) -> None:
    here, there = client_as(), client_as()
    here.get("/")
    there.get("/")
    assert UserSession.objects.count() == 2
    assert here.post("/account/sessions/").status_code == 302
    assert there.get("/").headers.get("Location", "").startswith("/account/login/")
    assert here.get("/").status_code == 200


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookies_of_a_site_with_https_are_sent_over_https_alone(
    database: str, monkeypatch: pytest.MonkeyPatch, secure: bool
) -> None:
    """The settings of https, as `TAKTURA_PUBLIC_URL` sets them."""
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "LANGUAGE_COOKIE_SECURE"):
        monkeypatch.setattr(settings, name, secure)
    create_user(Actor("t", utc_now()), email="eve@firm.example", name="Eve", role="viewer", password=PASSWORD)
    client = Client(SERVER_NAME="localhost")
    client.get("/account/login/")
    client.post("/account/theme/", {"theme": "dark"})
    client.post("/account/language/", {"language": "sv"})
    client.post("/account/login/", {"login": "eve@firm.example", "password": PASSWORD})
    cookies = {name: bool(cookie["secure"]) for name, cookie in client.cookies.items()}
    assert cookies == dict.fromkeys(
        ("taktura_csrf", "taktura_theme", "taktura_language", "taktura_session"), secure
    )  # fmt: skip
    assert client.cookies["taktura_session"]["httponly"]
    assert all(cookie["samesite"] == "Lax" for cookie in client.cookies.values())
