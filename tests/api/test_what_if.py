"""What-if through the API: a stored tariff or a draft, nothing is written."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from taktura.billing.services import record_usage
from taktura.catalog.services import define_tariff
from taktura.cli.scenarios.view import fingerprints
from taktura.contracts.services import sign
from taktura.customers.services import create_customer
from taktura.kit.actor import Actor
from tests.api.helpers import NOW, Api, make_key, refusal

ACTOR = Actor("test", NOW)
CALLS = {"title": "Calls", "charge": "usage", "unit": "minute", "price": "0.10"}
MONTHS = {"first_month": "2026-01", "last_month": "2026-02"}


@pytest.fixture
def company(api: Api) -> Api:
    """Two customers with a contract each; one has talked for 100 minutes in January."""
    tariff = define_tariff(ACTOR, seller=api.seller, key="talk", title="Talk", lines={"call": CALLS})
    define_tariff(ACTOR, seller=api.seller, key="dear", title="Dear", lines={"call": CALLS | {"price": "0.20"}})
    for key in ("K-1", "K-2"):
        customer = create_customer(ACTOR, seller=api.seller, key=key, name=key)
        sign(ACTOR, key=f"C-{key}", customer=customer, tariff=tariff, start=date(2026, 1, 1))
    at = datetime(2026, 1, 10, 9, tzinfo=UTC)
    record_usage(
        ACTOR, seller=api.seller, entries=[{"contract": "C-K-1", "article": "call", "duration": 6000, "at": at}]
    )  # fmt: skip
    return api


def test_a_stored_tariff(company: Api) -> None:
    before = fingerprints()
    found = company.post("/what_if", {**MONTHS, "against": "dear", "lines": True}).data
    unlike = {table for table, mark in fingerprints().items() if before[table] != mark}
    assert unlike <= {"accounts_apikey", "api_bucket"}  # when the key was used last, and how often
    assert (found["from"], found["until"], found["currency"]) == ("2026-01-01", "2026-03-01", "EUR")
    assert (found["old"], found["new"], found["difference"], found["contracts"]) == ("10.00", "20.00", "10.00", 2)
    assert [i["contract"] for i in found["items"]] == ["C-K-1", "C-K-2"]
    line = {"article": "call", "title": "Calls", "kind": "usage", "old": "10.00", "new": "20.00"}
    assert found["items"][0]["lines"] == found["lines"] == [line]
    few = company.post("/what_if", {**MONTHS, "against": "dear", "limit": 1, "tariff": "talk"}).data
    assert len(few["items"]) == 1 and few["contracts"] == 2 and few["items"][0]["lines"] is None
    other = company.post("/what_if", {**MONTHS, "against": "talk", "customers": ["K-2"], "tariff": "dear"}).data
    assert (other["contracts"], other["items"], other["old"]) == (0, [], "0.00")


def test_a_draft(company: Api) -> None:
    draft = {"title": "Flat", "lines": {"fee": {"price": "7.00"}}}
    found = company.post("/what_if", {**MONTHS, "draft": draft, "own_conditions": False}).data
    assert (found["old"], found["new"]) == ("10.00", "28.00")
    (lost,) = found["lost"]
    assert (lost["article"], lost["records"], Decimal(lost["quantity"]), lost["old"]) == ("call", 1, 100, "10.00")
    foreign = company.post("/what_if", {**MONTHS, "draft": {"currency": "SEK", "lines": {"fee": {"price": "1"}}}}).data
    assert (foreign["other_currency"], foreign["currency"], foreign["contracts"]) == (2, "SEK", 0)


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"against": "nobody"}, 404, "not_found"),
    ({"against": "dear", "draft": {}}, 422, "invalid"),
    ({}, 422, "invalid"),
    ({"against": "dear", "first_month": "2026-13"}, 422, "invalid"),
    ({"against": "dear", "first_month": "2026-02", "last_month": "2026-01"}, 422, "invalid"),
    ({"against": "dear", "last_month": "2026-04"}, 422, "invalid"),
    ({"against": "dear", "customers": ["nobody"]}, 404, "not_found"),
    ({"against": "dear", "tariff": "nobody"}, 404, "not_found"),
    ({"against": "dear", "limit": 501}, 422, "invalid"),
    ({"draft": {"minimum_sales": "5", "lines": {"a": {"price": "1"}}}}, 422, "no_flagged_line"),
    ({"draft": {"lines": {"a": {"price": "0.1234567890123"}}}}, 422, "invalid"),
]


@pytest.mark.parametrize(("body", "status", "code"), BAD)
def test_what_is_refused(company: Api, body: dict[str, Any], status: int, code: str) -> None:
    assert refusal(company.post("/what_if", MONTHS | body)) == (status, code)


def test_too_many_at_once(company: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taktura.api.v1.what_if.MOST_CONTRACTS", 1)
    assert refusal(company.post("/what_if", {**MONTHS, "against": "dear"})) == (422, "invalid")
    assert company.post("/what_if", {**MONTHS, "against": "dear", "customers": ["K-1"]}).status_code == 200


def test_who_may(company: Api) -> None:
    for scopes in (["billing.view"], ["tariffs.view"]):
        company.secret = make_key(scopes)
        assert refusal(company.post("/what_if", {**MONTHS, "against": "dear"})) == (403, "forbidden")
    company.secret = make_key(["billing.view", "tariffs.view"])
    assert company.post("/what_if", {**MONTHS, "against": "dear"}).status_code == 200
