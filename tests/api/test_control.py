"""Alerts and profitability by the API."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.control.services import keep_flat_prices, watch
from taktura.customers import services as customers
from taktura.customers.services import create_seller
from taktura.kit.actor import Actor
from tests.api.helpers import SELLER, Api, make_key, refusal

LINES: dict[str, Any] = {
    "pack": {"charge": "usage", "price": "1.00", "included": "10"},
    "flat": {"charge": "usage", "unit": "minute", "flat_price": True, "price": "30.00", "reference_price": "0.10"},
    "spare": {"charge": "usage", "unit": "minute", "flat_price": True, "price": "5.00", "reference_price": "0.10"},
}  # fmt: skip


@pytest.fixture
def busy(api: Api, clock: list[datetime]) -> Api:
    """Three contracts since February, each with an alert for its included quantity; the second loses most."""
    clock[0] = datetime(2026, 3, 20, 9, tzinfo=UTC)
    actor = Actor("test", clock[0])
    tariff = catalog.define_tariff(actor, seller=api.seller, key="t", title="T", lines=LINES)
    for n in range(3):
        customer = customers.create_customer(actor, seller=api.seller, key=f"K{n}", name=f"K{n}")
        contracts.sign(actor, key=f"V{n}", customer=customer, tariff=tariff, start=date(2026, 2, 1))
        entries = [
            {"contract": f"V{n}", "article": "pack", "quantity": Decimal(11 + n), "at": clock[0]},
            {"contract": f"V{n}", "article": "flat", "duration": 60 * (0, 250, 100)[n], "at": clock[0]},
        ]
        billing.record_usage(actor, seller=api.seller, entries=entries)
    watch(actor)
    keep_flat_prices(actor, seller=api.seller)
    return api


def test_alerts_are_listed_page_by_page_and_narrowed(busy: Api) -> None:
    found = busy.get("/alerts?kind=included").data["items"]
    assert [(a["contract"], a["value"], a["bound"], a["state"], a["article"]) for a in found] == [
        ("V2", "13", "10", "open", "pack"), ("V1", "12", "10", "open", "pack"), ("V0", "11", "10", "open", "pack"),
    ]  # fmt: skip
    first = busy.get("/alerts?kind=included&limit=2&order=oldest_first").data
    rest = busy.get(f"/alerts?kind=included&limit=2&order=oldest_first&after={first['next']}").data
    assert [a["contract"] for a in (*first["items"], *rest["items"])] == ["V0", "V1", "V2"] and rest["next"] is None
    assert [a["forecast"] for a in busy.get("/alerts?contract=V1&kind=flat").data["items"]] == [True]
    assert len(busy.get("/alerts?customer=K1").data["items"]) == len(busy.get("/alerts?contract=V1").data["items"]) == 2
    assert busy.get("/alerts?tariff=t&state=resolved").data == {"items": [], "next": None}
    assert refusal(busy.get("/alerts?customer=nobody")) == (404, "not_found")
    assert refusal(busy.get("/alerts?state=gone"))[0] == 422


def test_an_alert_rests_and_is_opened_again(busy: Api, clock: list[datetime]) -> None:
    (alert,) = busy.get("/alerts?contract=V0").data["items"]
    place = f"/alerts/{alert['id']}"
    got = busy.get(place)
    assert got.data == alert
    assert refusal(busy.post(f"{place}/ignore", {"until": "2026-03-20"})) == (422, "invalid")
    ignored = busy.post(f"{place}/ignore", {"until": "2026-03-22"}, If_Match=got.headers["ETag"])
    assert (ignored.data["state"], ignored.data["ignored_until"]) == ("ignored", "2026-03-22")
    assert refusal(busy.post(f"{place}/reopen", If_Match=got.headers["ETag"])) == (412, "precondition_failed")
    clock[0] = datetime(2026, 3, 22, 9, tzinfo=UTC)
    assert busy.get(place).data["state"] == "open", "the day has come"
    assert busy.post(f"{place}/ignore", {}).data["ignored_until"] is None
    assert busy.post(f"{place}/reopen").data["state"] == "open"
    assert refusal(busy.get("/alerts/999")) == (404, "not_found")
    assert refusal(busy.post("/alerts/999/ignore", {})) == (404, "not_found")


def test_flat_prices_the_worst_first_page_by_page(busy: Api) -> None:
    seen, after = [], ""
    while True:
        page = busy.get(f"/profitability?limit=2&after={after}").data
        seen += [(row["contract"], row["article"], row["gain"]) for row in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen[:2] == [("V0", "spare", "10"), ("V1", "spare", "10")], "two months of 5.00"
    assert seen[2:] == [("V2", "spare", "10"), ("V1", "flat", "35"), ("V2", "flat", "50"), ("V0", "flat", "60")]
    (row,) = busy.get("/profitability?customer=K1&article=flat").data["items"]
    assert (row["minutes"], row["notional"], row["fee"], row["periods"], row["above"]) == ("250", "25", "60", 2, 0)
    months = busy.get("/profitability/months?article=flat").data["items"]
    assert [(m["month"], m["periods"], m["notional"], m["fee"]) for m in months] == [
        ("2026-02-01", 3, "0", "90"), ("2026-03-01", 3, "35", "90"),
    ]  # fmt: skip
    assert len(busy.get("/profitability?months=24&currency=EUR").data["items"]) == 6
    assert busy.get("/profitability?currency=SEK").data["items"] == []
    assert busy.get("/profitability/months?article=flat&months=3").data["items"] == months[-3:]
    assert refusal(busy.get("/profitability?months=5")) == (422, "invalid")
    assert refusal(busy.get("/profitability?after=abc")) == (422, "invalid")
    assert refusal(busy.get("/profitability?article=nothing")) == (404, "not_found")


def test_another_company_sees_nothing(busy: Api) -> None:
    alert = busy.get("/alerts").data["items"][0]["id"]
    other = create_seller(Actor("t", datetime(2026, 3, 1, tzinfo=UTC)), **{**SELLER, "name": "Other"})
    header = {"Taktura_Seller": str(other.pk)}
    assert busy.get("/alerts", **header).data["items"] == []
    assert busy.get("/profitability", **header).data["items"] == []
    assert refusal(busy.get(f"/alerts/{alert}", **header)) == (404, "not_found")


def test_a_key_without_the_permission_is_refused(busy: Api) -> None:
    weak = Api(make_key(scopes=["control.view"]), busy.seller)
    alert = weak.get("/alerts").data["items"][0]["id"]
    assert refusal(weak.post(f"/alerts/{alert}/ignore", {}))[0] == 403
