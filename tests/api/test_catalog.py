"""Articles, tariffs with their versions, prices, coupons over HTTP."""

from typing import Any

import pytest

from taktura.catalog.models import Tariff, TariffVersion
from tests.api.helpers import Api, refusal

EVERYTHING: dict[str, Any] = {
    "tariff": "all", "title": "Everything", "module": "m", "public": True, "offer_number": "O-1", "interval": "1 month",
    "anchor": "day 15",
    "notice": {"initial_term": "12 months", "renewal_term": "open", "notice": "1 month", "to": "day"},
    "vat": [{"rate": "19"}, {"from": "2027-01-01", "rate": "20.5"}], "minimum_sales": "10", "cost_cap": "99.5",
    "minimum_proration": "none", "cap_proration": "daily", "tolerance": "0.1", "interim_threshold": "1000",
    "trial": "14 days", "currency": "SEK", "credit_on_end": False, "tick": "60/1", "tick_scope": "period",
    "lines": {
        "base": {"title": "Base", "alternative_name": "Grund", "charge": "recurring", "price": "1200",
                 "price_per": "12 months", "when": "arrears", "proration": "none", "interval": "1 month", "vat": "7",
                 "notice": "monthly", "bookable_by": "staff", "show": True, "highlight": False, "heading": "H"},
        "call": {"charge": "usage", "unit": "minute", "key": "k", "included": "10", "included_proration": "none",
                 "tiers": [{"up_to": "100", "price": "0.1"}, {"price": "0.05", "flat": "1"}], "tier_mode": "volume",
                 "in_minimum": True, "in_cap": True, "interim": False, "tick": "second"},
        "gb": {"charge": "usage", "price": "5", "price_quantity": "1000", "package": "started", "aggregate": "max",
               "discount_scale": [{"above": "0", "percent": "0"}, {"above": "10", "percent": "5"}]},
        "flat": {"charge": "usage", "price": "50", "flat_price": True, "reference_price": "0.2", "aggregate": "unique",
                 "aggregate_of": "number"},
        "cloud": {"charge": "usage", "usage_pricing": "cost_plus", "markup": "-5", "price": "0"},
        "extra": {"charge": "once", "price": "9", "booking": "on_off"},
    },
    "versions": [{"from": "2026-06-01", "applies_to": "all", "title": "More", "lines": {"base": {"price": "1300"}}}],
}  # fmt: skip


def plain(value: Any) -> Any:
    """A body without what is null, numbers without zeros at their ends."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v is not None}
    return [plain(v) for v in value] if isinstance(value, list) else value


def test_every_field_of_a_tariff_comes_back(api: Api) -> None:
    made = api.post("/tariffs", EVERYTHING)
    assert made.status_code == 201, made.content
    found = plain(made.data)
    first, second = found.pop("versions")
    offer = {k: v for k, v in EVERYTHING.items() if k in found}
    assert {k: found[k] for k in offer} == offer
    for key, line in EVERYTHING["lines"].items():
        told = first["lines"][key]
        expected = plain(line) | ({"vat": [{"rate": "7"}]} if key == "base" else {})
        expected = {"tick": "60/1", "tick_scope": "period"} | expected
        assert told == expected, key
    assert (first["vat"][1], first["minimum_sales"], first["tolerance"]) == (
        {"from": "2027-01-01", "rate": "20.5"},
        "10",
        "0.1",
    )
    assert (second["from"], second["title"], second["lines"]["base"]["price"]) == ("2026-06-01", "More", "1300")
    assert api.get("/tariffs/all").data == made.data
    assert api.get("/tariffs?offer_number=O-1").data["items"][0]["tariff"] == "all"


def test_what_was_told_makes_the_same_tariff_again(api: Api) -> None:
    told = api.post("/tariffs", EVERYTHING).data
    version = plain(told["versions"][0])
    fields = {k: v for k, v in version.items() if k not in ("applies_to",)}
    head = {k: v for k, v in plain(told).items() if k in ("module", "anchor", "notice", "trial", "currency")}
    again = api.post("/tariffs", {"tariff": "copy", **head, **fields})
    assert again.status_code == 201, again.content
    assert again.data["versions"][0] == told["versions"][0]


BOTH = {"charge": "usage", "in_minimum": True, "in_cap": True}
LINE = {"charge": "recurring", "price": "1"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"lines": {"a": LINE | {"charge": "sometimes"}}}, 422, "invalid"),
        ({"lines": {"a": LINE | {"prise": "1"}}}, 422, "invalid"),
        ({"lines": {"a": LINE | {"price": "-1"}}}, 422, "invalid"),
        ({"lines": {"a/b": LINE}}, 422, "invalid"),
        ({"lines": {"a": LINE | {"tiers": [{"price": "1"}, {"price": "2"}]}}}, 422, "invalid"),
        ({"lines": {"a": LINE | {"interval": "1 month", "price_per": "10 days"}}}, 422, "invalid"),
        ({"interval": "0 months", "lines": {"a": LINE}}, 422, "invalid"),
        ({"interval": "5 months", "anchor": "calendar", "lines": {"a": LINE}}, 422, "invalid"),
        ({"interval": "9999999 years", "lines": {"a": LINE}}, 422, "invalid"),
        ({"anchor": "day 32", "lines": {"a": LINE}}, 422, "invalid"),
        ({"notice": "weekly", "lines": {"a": LINE}}, 422, "invalid"),
        ({"notice": {"to": "term_end"}, "lines": {"a": LINE}}, 422, "invalid"),
        ({"vat": "101", "lines": {"a": LINE}}, 422, "invalid"),
        ({"currency": "Euro", "lines": {"a": LINE}}, 422, "invalid"),
        ({"minimum_sales": "1", "lines": {"a": LINE}}, 422, "no_flagged_line"),
        ({"minimum_sales": "2", "cost_cap": "1", "lines": {"a": BOTH}}, 422, "minimum_above_cap"),
        ({"minimum_sales": "1", "cost_cap": "2", "lines": {"a": BOTH, "b": BOTH | {"in_cap": False}}},
         422, "overlapping_flags"),
        ({"lines": {"a": {"charge": "usage", "tick": "0/1"}}}, 422, "invalid"),
        ({"lines": {"a": {"charge": "usage", "aggregate": "unique"}}}, 422, "invalid"),
        ({"tariff": "", "lines": {}}, 422, "invalid"),
        ({"versions": [{"applies_to": "all"}], "lines": {"a": LINE}}, 422, "invalid"),
        ({"versions": [{"from": "2026-01-01", "applies_to": "some"}], "lines": {"a": LINE}}, 422, "invalid"),
    ],
)  # fmt: skip
def test_tariffs_that_are_refused(api: Api, body: dict[str, Any], status: int, code: str) -> None:
    assert refusal(api.post("/tariffs", {"tariff": "t"} | body)) == (status, code)
    assert Tariff.objects.count() == 0


@pytest.fixture
def sold(api: Api) -> Api:
    """A tariff with a contract."""
    tiers = [{"up_to": 10, "price": "1"}, {"price": "0.333333", "flat": "3"}]
    lines = {"base": LINE | {"price": "10.00"}, "call": {"charge": "usage", "tiers": tiers}}
    api.post("/tariffs", {"tariff": "t", "title": "T", "lines": lines})
    api.post("/customers", {"customer": "K", "name": "K"})
    api.post("/contracts", {"contract": "C", "customer": "K", "tariff": "t", "start": "2026-03-01"})
    return api


def test_prices_by_percent_and_by_line(sold: Api) -> None:
    by_percent = sold.post("/tariffs/t/price_update", {"from": "2026-07-01", "percent": "3.33"}).data
    assert by_percent["lines"]["base"]["price"] == "10.333"
    assert by_percent["lines"]["call"]["tiers"][1] == {"up_to": None, "price": "0.3444329889", "flat": "3.0999"}
    by_line = sold.post("/tariffs/t/price_update", {"from": "2026-09-01", "lines": {"base": 12}}).data
    assert (by_line["lines"]["base"]["price"], by_line["applies_to"]) == ("12", "all")
    assert by_line["lines"]["call"]["tiers"][0]["price"] == "1.0333", "the prices before it go on"
    for wrong in ({"percent": "1", "lines": {"base": "1"}}, {}, {"lines": {}}, {"percent": "-200"}):
        assert refusal(sold.post("/tariffs/t/price_update", {"from": "2026-07-01"} | wrong)) == (422, "invalid"), wrong
    missing = sold.post("/tariffs/t/price_update", {"from": "2026-07-01", "lines": {"x": "1"}})
    assert refusal(missing) == (404, "not_found")
    bills = sold.get("/contracts/C/forecast?bills=7").data["bills"]
    prices = {b["on"]: b["documents"][0]["lines"][-1]["unit_price"] for b in bills if b["documents"]}
    assert (prices["2026-06-01"], prices["2026-07-01"], prices["2026-09-01"]) == ("10", "10.333", "12")


def test_versions_and_deleting(sold: Api) -> None:
    tag = sold.get("/tariffs/t").headers["ETag"]
    body = {"from": "2026-05-01", "lines": {"base": {"price": "11"}, "new": LINE}}
    assert sold.post("/tariffs/t/versions", body, If_Match=tag).data["lines"]["new"]["price"] == "1"
    assert refusal(sold.post("/tariffs/t/versions", body, If_Match=tag)) == (412, "precondition_failed")
    assert TariffVersion.objects.count() == 2
    assert refusal(sold.call("DELETE", "/tariffs/t")) == (409, "tariff_in_use")
    sold.post("/tariffs", {"tariff": "u", "lines": {"a": LINE}})
    assert sold.call("DELETE", "/tariffs/u").status_code == 204
    assert refusal(sold.call("DELETE", "/tariffs/u")) == (404, "not_found")
    assert refusal(sold.post("/tariffs", {"tariff": "t", "lines": {"a": LINE}})) == (409, "conflict")


def test_an_offer_number_that_is_taken(api: Api) -> None:
    api.post("/tariffs", {"tariff": "a", "offer_number": "N", "lines": {"a": LINE}})
    second = api.post("/tariffs", {"tariff": "b", "offer_number": "N", "lines": {"a": LINE}})
    assert refusal(second) == (409, "conflict") and Tariff.objects.count() == 1


def test_coupons(sold: Api) -> None:
    assert sold.post("/coupons", {"coupon": "P", "percent": "12.5", "periods": 2}).data["percent"] == "12.5"
    assert (
        sold.post("/coupons", {"coupon": "A", "amount": 5, "lines": ["base"]}).headers["Location"]
        == "/api/v1/coupons/A"
    )
    assert [c["coupon"] for c in sold.get("/coupons").data["items"]] == ["P", "A"]
    assert refusal(sold.post("/coupons", {"coupon": "P", "percent": 1})) == (409, "conflict")
    for wrong in (
        {},
        {"percent": 1, "amount": 1},
        {"percent": 101},
        {"percent": 0},
        {"amount": 0},
        {"percent": 1, "periods": 0},
    ):
        assert refusal(sold.post("/coupons", {"coupon": "X"} | wrong)) == (422, "invalid"), wrong
    given = sold.post("/contracts/C/redeem", {"coupon": "P"}).data["contract"]["coupons"]
    assert given == [{"coupon": "P", "given": "2026-03-01", "from": "2026-03-01", "until": "2026-05-01"}]
    assert refusal(sold.get("/coupons/none")) == (404, "not_found")


def test_articles(sold: Api) -> None:
    assert [a["article"] for a in sold.get("/articles").data["items"]] == ["base", "call"]
    changed = sold.call("PUT", "/articles/base", {"number": "100", "ledger_account": "8400"})
    assert (changed.data["number"], changed.data["unit"]) == ("100", "piece")
    assert sold.call("PUT", "/articles/new", {"title": "New"}).data["title"] == "New"
    assert refusal(sold.get("/articles/none")) == (404, "not_found")
