"""One's own sessions: seen lately, and ended from elsewhere."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from taktura.customers.models import Seller
from taktura.office.accounts import tracking


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
