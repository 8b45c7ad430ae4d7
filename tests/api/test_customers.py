"""Customers and their billing information."""

from typing import Any

import pytest

from taktura.customers.models import Customer
from tests.api.helpers import Api, refusal

ADDRESS = {"name": "Acme GmbH", "street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}


def test_a_customer_from_beginning_to_end(api: Api) -> None:
    made = api.post("/customers", {"customer": "acme", "name": "Acme", "language": "de", "hourly_rate": "90.50"})
    assert made.status_code == 201 and made.headers["Location"] == "/api/v1/customers/acme"
    assert made.data == {
        "customer": "acme", "name": "Acme", "kind": "business", "language": "de", "documents_per": "contract",
        "round_up_minutes": 10, "hourly_rate": "90.50", "head_office": None, "self_managed": False,
        "created_at": "2026-03-01T08:00:00Z",
        "billing_information": None,
        "missing_billing_information": ["name", "street", "postcode", "city", "country"],
    }  # fmt: skip
    answer = api.patch("/customers/acme/billing_information", ADDRESS | {"payment_days": 30})
    assert answer.data["missing_billing_information"] == []
    assert answer.data["billing_information"]["payment_days"] == 30
    answer = api.patch("/customers/acme/billing_information", {"street": None, "payment_days": None})
    assert answer.data["billing_information"]["street"] == "" and answer.data["billing_information"]["city"] == "Berlin"
    assert answer.data["missing_billing_information"] == ["street"]
    assert answer.data["billing_information"]["payment_days"] is None
    answer = api.patch("/customers/acme", {"documents_per": "customer", "round_up_minutes": 15})
    assert (answer.data["documents_per"], answer.data["round_up_minutes"], answer.data["name"]) == (
        "customer",
        15,
        "Acme",
    )
    assert api.get("/customers/acme").data == answer.data


def test_with_billing_information_at_once(api: Api) -> None:
    body = {"customer": "acme", "name": "Acme", "billing_information": ADDRESS}
    assert api.post("/customers", body).data["missing_billing_information"] == []


@pytest.mark.parametrize(("country", "language"), [
    (None, "de"), ("DE", "de"), ("AT", "de"), ("SE", "sv"), ("GB", "en"), ("FR", "de"),
])  # fmt: skip
def test_without_a_language_that_of_its_country_else_of_the_sellers(
    api: Api, country: str | None, language: str
) -> None:
    assert api.seller.country == "DE"
    for more in ({}, {"language": None}):
        body: dict[str, Any] = {"customer": f"k{len(more)}", "name": "Acme", **more}
        if country:
            body["billing_information"] = ADDRESS | {"country": country}
        assert api.post("/customers", body).data["language"] == language
    said = {"customer": "said", "name": "Acme", "language": "sv", "billing_information": ADDRESS}
    assert api.post("/customers", said).data["language"] == "sv"


def test_all_or_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **fields: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("taktura.customers.services.set_billing_information", fail)
    body = {"customer": "acme", "name": "Acme", "billing_information": ADDRESS}
    assert api.post("/customers", body).status_code == 500
    assert Customer.objects.count() == 0


def test_a_key_that_is_taken(api: Api) -> None:
    api.post("/customers", {"customer": "acme", "name": "Acme"})
    assert refusal(api.post("/customers", {"customer": "acme", "name": "Other"})) == (409, "conflict")


@pytest.mark.parametrize("body", [{"name": None}, {"name": ""}, {"kind": None}, {"language": "fr"}, {"customer": "b"},
                                  {"round_up_minutes": 0}, {"hourly_rate": "-1"}])  # fmt: skip
def test_changes_that_are_refused(api: Api, body: dict[str, Any]) -> None:
    api.post("/customers", {"customer": "acme", "name": "Acme"})
    assert refusal(api.patch("/customers/acme", body)) == (422, "invalid")


def test_pages(api: Api) -> None:
    for i in range(7):
        api.post("/customers", {"customer": f"k{i}", "name": f"Name {i % 2}"})
    seen, path = [], "/customers?limit=3"
    pages = 0
    while path:
        answer = api.get(path)
        seen += [c["customer"] for c in answer.data["items"]]
        following = answer.data["next"]
        path = f"/customers?limit=3&after={following}" if following else ""
        pages += 1
    assert seen == [f"k{i}" for i in range(7)] and pages == 3
    assert [c["customer"] for c in api.get("/customers?name=NAME%201").data["items"]] == ["k1", "k3", "k5"]
    assert api.get("/customers?name=k6").data == {"items": [api.get("/customers/k6").data], "next": None}
    assert api.get("/customers?kind=consumer").data == {"items": [], "next": None}


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "'; DROP TABLE x; --", "=1+1", "😀 ÅÄÖ"])
def test_texts_come_back_as_they_were(api: Api, text: str) -> None:
    answer = api.post("/customers", {"customer": text.replace("/", "|"), "name": text})
    assert answer.data["name"] == text and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert api.get("/customers").data["items"][0]["name"] == text


@pytest.mark.parametrize("key", ["Ä ö?#&=%2F+", "😀", "a..b"])
def test_where_it_is_can_be_asked_for(api: Api, key: str) -> None:
    made = api.post("/customers", {"customer": key, "name": "x"})
    assert made.headers["Location"].isascii()
    assert api.get(made.headers["Location"]).data["customer"] == key
