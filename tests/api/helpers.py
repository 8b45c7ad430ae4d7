"""Calling the API in tests, through Django's client."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.test import Client

from taktura.accounts.permissions import PERMISSIONS
from taktura.accounts.services import create_key
from taktura.customers.models import Seller
from taktura.kit.actor import Actor

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SELLER: dict[str, Any] = {
    "name": "Example GmbH", "street": "Lindenallee 1", "postcode": "10115", "city": "Berlin", "country": "DE",
    "currency": "EUR", "time_zone": "Europe/Berlin", "vat": [[None, "19"]],
}  # fmt: skip


@dataclass
class Api:
    """Calls the API with a key; an answer's `.data` is its body with exact numbers."""

    secret: str
    seller: Seller
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False, SERVER_NAME="localhost"))

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request; `headers` by their names with underscores."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.client.generic(
            method, path if path.startswith("/api") else f"/api/v1{path}", content,
            content_type=given.pop("Content-Type", "application/json"), headers=given,
        )  # fmt: skip
        answer.data = json.loads(answer.content, parse_float=Decimal) if answer.content[:1] in (b"{", b"[") else None
        return answer

    def get(self, path: str, **headers: str) -> Any:
        """GET"""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST"""
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """PATCH"""
        return self.call("PATCH", path, body, **headers)


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal, which must have the form of one."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content
    assert set(answer.data) == {"type", "title", "status", "code", "detail", "errors"}
    assert answer.data["status"] == answer.status_code
    return answer.status_code, answer.data["code"]


def make_key(scopes: Any = PERMISSIONS, **options: Any) -> str:
    """A key's secret."""
    return create_key(Actor("test", NOW), name="test", scopes=scopes, **options)[1]
