"""Coupons through the API: made, changed, switched off; codes drawn, redeemed and revoked."""

from datetime import date
from typing import Any

import pytest

from taktura.catalog.services import define_tariff
from taktura.contracts.models import ContractCoupon
from taktura.customers.services import create_customer
from taktura.kit.actor import Actor
from tests.api.helpers import NOW, Api, refusal

ACTOR = Actor("test", NOW)
LINES: dict[str, Any] = {"base": {"title": "Base", "charge": "recurring", "price": "10.00"}}


@pytest.fixture
def company(api: Api) -> Api:
    """A tariff, a customer with two contracts, and a coupon of 20 percent for three periods."""
    define_tariff(ACTOR, seller=api.seller, key="talk", title="Talk", public=True, lines=LINES)
    create_customer(ACTOR, seller=api.seller, key="K-1", name="Acme")
    for key in ("C-1", "C-2"):
        api.post("/contracts", {"contract": key, "customer": "K-1", "tariff": "talk", "start": "2026-03-01"})
    made = api.post("/coupons", {"coupon": "SPRING", "percent": "20", "periods": 3, "title": "Spring"})
    assert made.status_code == 201 and made.headers["Location"].endswith("/coupons/SPRING")
    return api


def test_a_coupon_changes_until_it_is_redeemed_and_then_its_days_and_uses_alone(company: Api) -> None:
    found = company.get("/coupons/SPRING")
    assert (found.data["state"], found.data["uses"], found.data["most_uses"]) == ("running", 0, None)
    changed = company.patch("/coupons/SPRING", {"percent": None, "amount": "4.00"}, If_Match=found.headers["ETag"])
    assert (changed.data["percent"], changed.data["amount"], changed.data["periods"]) == (None, "4.00", 3)
    assert company.post("/contracts/C-1/redeem", {"coupon": "spring"}).status_code == 200
    assert refusal(company.patch("/coupons/SPRING", {"amount": "5.00"})) == (422, "invalid")
    assert refusal(company.patch("/coupons/SPRING", {"lines": ["base"]})) == (422, "invalid")
    kept = {"title": "Summer", "last_day": "2030-12-31", "most_uses": 1}
    assert company.patch("/coupons/SPRING", kept).data | kept | {"state": "used_up"} == company.get(
        "/coupons/SPRING"
    ).data  # fmt: skip
    assert refusal(company.post("/contracts/C-2/redeem", {"coupon": "SPRING"})) == (422, "invalid")
    assert company.patch("/coupons/SPRING", {"most_uses": None}).data["state"] == "running"


def test_what_is_no_coupon_is_refused(company: Api) -> None:
    assert refusal(company.post("/coupons", {"coupon": "sp-ring", "percent": "5"})) == (409, "conflict")
    assert refusal(company.post("/coupons", {"coupon": "NEW", "percent": "5", "amount": "1"})) == (422, "invalid")
    assert refusal(company.post("/coupons", {"coupon": "NEW", "percent": "5", "periods": 0})) == (422, "invalid")
    assert refusal(company.get("/coupons/NEW")) == (404, "not_found")


def test_a_switched_off_coupon_is_redeemed_by_nobody(company: Api) -> None:
    assert company.post("/coupons/SPRING/switch_off").data["state"] == "off"
    refused = company.post("/contracts/C-1/redeem", {"coupon": "SPRING"})
    assert refusal(refused) == (422, "invalid") and "switched off" in refused.data["detail"]
    assert company.post("/coupons/SPRING/switch_on").data["state"] == "running"
    assert company.post("/contracts/C-1/redeem", {"coupon": "SPRING"}).status_code == 200


def test_codes_are_drawn_used_by_one_contract_and_revoked(company: Api) -> None:
    drawn = company.post("/coupons/SPRING/codes", {"count": 3, "memo": "Fair"})
    assert drawn.status_code == 201
    first, second, third = drawn.data["codes"]
    assert refusal(company.post("/coupons/SPRING/codes", {"count": 10_001})) == (422, "invalid")
    preview = company.post("/contracts/C-1/redeem?preview=true", {"coupon": first.lower()})
    assert preview.status_code == 200 and not ContractCoupon.objects.exists()
    assert company.post("/contracts/C-1/redeem", {"coupon": first.lower()}).status_code == 200
    assert refusal(company.post("/contracts/C-2/redeem", {"coupon": first})) == (422, "invalid")
    (given,) = company.get("/contracts/C-1").data["coupons"]
    assert (given["coupon"], given["code"]) == ("SPRING", first)
    used = company.get(f"/coupons/SPRING/codes/{first}").data
    assert (used["state"], used["contract"], used["memo"]) == ("used", "C-1", "Fair")
    assert refusal(company.post(f"/coupons/SPRING/codes/{first}/revoke")) == (422, "invalid")
    assert company.post(f"/coupons/SPRING/codes/{second}/revoke").data["state"] == "revoked"
    assert company.post("/coupons/SPRING/revoke_codes").data == {"revoked": 1}
    states = {c["code"]: c["state"] for c in company.get("/coupons/SPRING/codes").data["items"]}
    assert states == {first: "used", second: "revoked", third: "revoked"}
    assert refusal(company.get("/coupons/SPRING/codes/NOTHING")) == (404, "not_found")


def test_a_contract_is_signed_with_a_code(company: Api) -> None:
    (code,) = company.post("/coupons/SPRING/codes", {"count": 1}).data["codes"]
    body = {"contract": "C-3", "customer": "K-1", "tariff": "talk", "start": "2026-03-01", "coupon": code}
    assert company.post("/contracts", body).status_code == 201
    row = ContractCoupon.objects.get(contract__key="C-3")
    assert row.code is not None and row.code.code == code and row.first == date(2026, 3, 1)
    assert refusal(company.post("/contracts", body | {"contract": "C-4"})) == (422, "invalid")
    assert refusal(company.post("/contracts", body | {"contract": "C-4", "coupon": "NO"})) == (404, "not_found")
