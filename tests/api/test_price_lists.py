"""Modules, offer numbers and price lists through the API."""

from datetime import date
from typing import Any

import pytest

from taktura.catalog.services import define_tariff
from taktura.contracts.models import Contract
from taktura.customers.services import create_customer
from taktura.kit.actor import Actor
from tests.api.helpers import NOW, Api, refusal

ACTOR = Actor("test", NOW)
LINES: dict[str, Any] = {
    "base": {"title": "Base", "charge": "recurring", "price": "9.90", "highlight": True},
    "calls": {"title": "Calls", "charge": "usage", "unit": "minute", "price": "0.05", "included": "10"},
    "secret": {"charge": "recurring", "price": "1", "show": False},
}


@pytest.fixture
def company(api: Api) -> Api:
    """Two public tariffs of a module, and one that is not public."""
    for key, public in (("a", True), ("b", True), ("closed", False)):
        define_tariff(ACTOR, seller=api.seller, key=key, title=key.upper(), module="phone", public=public, lines=LINES)
    create_customer(ACTOR, seller=api.seller, key="K-1", name="Acme")
    return api


def test_modules_are_made_changed_ordered_and_deleted(company: Api) -> None:
    made = company.post("/modules", {"module": "desk", "title": "Desk", "titles": {"de": "Büro"}}).data
    assert (made["can_be_ordered"], made["tariffs"], made["titles"]) == (False, [], {"de": "Büro"})
    found = company.call("PUT", "/modules_order", {"modules": ["desk"]}).data
    assert [m["module"] for m in found["items"]] == ["desk", "phone"]
    changed = company.patch("/modules/desk", {"title": "Rooms"}).data
    assert (changed["title"], changed["titles"]) == ("Rooms", {"de": "Büro"})
    ordered = company.call("PUT", "/modules/phone/tariffs", {"tariffs": ["b"]}).data
    assert ordered["tariffs"] == ["b", "a", "closed"] and ordered["can_be_ordered"]
    assert refusal(company.call("DELETE", "/modules/phone")) == (409, "module_in_use")
    assert company.call("DELETE", "/modules/desk").status_code == 204
    assert refusal(company.get("/modules/desk")) == (404, "not_found")
    assert refusal(company.call("PUT", "/modules/phone/tariffs", {"tariffs": ["nobody"]})) == (404, "not_found")


def test_an_offer_number_opens_a_tariff_until_it_is_revoked(company: Api) -> None:
    made = company.post("/tariffs/closed/offer_numbers", {"memo": "Acme", "most_uses": 2})
    number = made.data["number"]
    assert made.data["state"] == "usable" and made.headers["Location"].endswith(number)
    order = {"customer": "K-1", "tariff": "closed", "start": "2026-03-01", "offer_number": number}
    assert company.post("/contracts", {"contract": "C-1", **order}).status_code == 201
    assert Contract.objects.get(key="C-1").offer_number is not None
    assert company.get(f"/tariffs/closed/offer_numbers/{number}").data["uses"] == 1
    revoked = company.post(f"/tariffs/closed/offer_numbers/{number}/revoke").data
    assert revoked["state"] == "revoked" and revoked["revoked_at"]
    refused = company.post("/contracts", {"contract": "C-2", **order})
    assert refusal(refused) == (422, "unknown_offer_number") and "revoked" in refused.data["detail"]
    assert [n["number"] for n in company.get("/tariffs/closed/offer_numbers").data["items"]] == [number]
    assert refusal(company.get("/tariffs/a/offer_numbers/nothing")) == (404, "not_found")


@pytest.mark.parametrize("body", [{"most_uses": 0}, {"number": ""}, {"last_day": "2020-01-01"}, {"number": "--"}])
def test_a_wrong_offer_number_is_refused(company: Api, body: dict[str, Any]) -> None:
    assert refusal(company.post("/tariffs/closed/offer_numbers", body)) == (422, "invalid")


def test_a_price_list_has_values_and_words(company: Api) -> None:
    found = company.get("/price_lists/phone?language=de&prices=gross&on=2026-03-01").data
    assert (found["module"], found["prices"], found["on"]) == ("phone", "gross", "2026-03-01")
    assert [t["tariff"] for t in found["tariffs"]] == ["a", "b"]
    base, calls = found["tariffs"][0]["lines"]
    assert (base["price"], base["vat"], base["highlight"]) == ("11.78", "19", True)
    assert (calls["price"], calls["included"], calls["words"]["price"]) == ("0.0595", "10", "0,0595\xa0€")
    net = company.get("/price_lists/phone").data
    assert net["tariffs"][0]["lines"][0]["price"] == "9.90" and net["language"] == "en"
    assert net["on"] == str(date.fromisoformat(net["on"]))


def test_a_price_list_as_pdf(company: Api) -> None:
    answer = company.get("/price_lists/phone/pdf?language=sv")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/pdf"


@pytest.mark.parametrize(
    ("query", "status"), [("language=fr", 422), ("prices=both", 422), ("on=soon", 422), ("offer_number=x", 422)]
)
def test_a_price_list_that_cannot_be_is_refused(company: Api, query: str, status: int) -> None:
    assert company.get(f"/price_lists/phone?{query}").status_code == status
    assert company.get(f"/price_lists/phone/pdf?{query}").status_code == status
