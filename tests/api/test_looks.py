"""Looking ahead and back: deadlines, usage that is not recorded, revisions, letters, what is left to credit."""

from typing import Any

import pytest

from taktura.contracts.models import Contract
from taktura.usage.models import UsageRecord
from tests.api.helpers import Api, refusal

ADDRESS = {"name": "Acme", "street": "Street 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
TALK: dict[str, Any] = {
    "tariff": "talk",
    "notice": {"initial_term": "12 months", "renewal_term": "12 months", "notice": "3 months"},
    "lines": {
        "base": {"title": "Base fee", "charge": "recurring", "price": "19.00"},
        "call": {"title": "Calls", "charge": "usage", "unit": "minute", "price": "0.95"},
        "gb": {"title": "Storage", "charge": "usage", "price": "0.10"},
    },
}
CSV = "Id;Account;Subscription;Quantity;Day\nR-1;A;S-1;60;2026-02-03\nR-2;A;S-2;120;2026-02-04\n"
MAPPING = {"id": "Id", "customer_id": "Account", "subscription_id": "Subscription", "quantity": "Quantity",
           "period_start": "Day"}  # fmt: skip


@pytest.fixture
def sold(api: Api) -> Api:
    """Two contracts: one since April of last year, one since January."""
    for kind in ("invoice", "credit_note"):
        api.post("/seller/confirm_numbering", {"kind": kind, "format": kind[0].upper() + "-{number:03}", "next": 1})
    assert api.post("/tariffs", TALK).status_code == 201
    info = ADDRESS | {"email": "acme@example.com"}
    api.post("/customers", {"customer": "K", "name": "Acme", "language": "sv", "billing_information": info})
    for key, start in (("C-1", "2025-06-15"), ("C-2", "2026-01-01")):
        body = {"contract": key, "customer": "K", "tariff": "talk", "start": start}
        assert api.post("/contracts", body).status_code == 201
    return api


def test_deadlines_that_come(sold: Api) -> None:
    """C-1 binds until 15 June and can be ended until 14 March; C-2 not before October."""
    answer = sold.get("/deadlines").data
    assert answer == {
        "items": [
            {"contract": "C-1", "customer": "K", "deadline": "2026-03-14", "ends": "2026-06-15", "later": "2027-06-15"}
        ],
        "more": False,
    }
    assert sold.get("/deadlines?within_days=5").data["items"] == []
    assert [d["contract"] for d in sold.get("/deadlines?within_days=366").data["items"]] == ["C-1", "C-2"]
    assert refusal(sold.get("/deadlines?within_days=0")) == (422, "invalid")


def test_a_notice_is_received_today_at_the_latest(sold: Api) -> None:
    """It is 1 March: a later day is refused, in the preview as in the act."""
    for door in ("give_notice", "give_notice?preview=true"):
        answer = sold.post(f"/contracts/C-1/{door}", {"received": "2031-01-01"})
        assert refusal(answer) == (422, "invalid")
        assert "enter the day on which the notice was received, 2026-03-01 at the latest" in answer.data["detail"]
    assert Contract.objects.get(key="C-1").end is None
    assert sold.post("/contracts/C-1/give_notice", {"received": "2026-03-01"}).status_code == 200


def test_usage_is_foreseen_and_not_recorded(sold: Api) -> None:
    body = {"article": "call", "duration": 6000, "at": "2026-02-10"}
    shown = sold.post("/contracts/C-2/foresee_usage", body).data
    before, after = (
        bills[0]["documents"][0]["net"] for bills in (shown["preview"]["before"], shown["preview"]["bills"])
    )
    assert (before, after, shown["waits"]) == ("57.00", "152.00", None), "a hundred minutes more"
    assert UsageRecord.objects.count() == 0
    assert sold.post("/contracts/C-2/foresee_usage", body | {"article": "fax"}).data["waits"] == "unknown_key"
    assert refusal(sold.post("/contracts/C-2/foresee_usage", {"article": "call"})) == (422, "invalid")


def test_what_a_record_was(sold: Api) -> None:
    call = {"contract": "C-2", "article": "call", "id": "x", "at": "2026-02-10"}
    for revision, duration in ((1, 60), (2, 90)):
        sold.post("/usage", call | {"revision": revision, "duration": duration})
    sold.post("/usage/withdraw", {"id": "x"})
    revisions = sold.get("/usage/history?id=x").data["items"]
    assert [(r["revision"], r["withdrawn"], r["seconds"]) for r in revisions] == [(2, True, 90), (1, False, 60)]
    assert (revisions[0]["from"], revisions[0]["until"], revisions[0]["article"]) == (
        "2026-02-10",
        "2026-02-11",
        "call",
    )
    for revision, quantity in ((1, "0.100000000001"), (2, 7)):
        body = {"contract": "C-2", "article": "gb", "id": "y", "at": "2026-02-10", "quantity": quantity}
        sold.post("/usage", body | {"revision": revision, "cost": "0.3"})
    assert sold.get("/usage/history?id=y").data["items"][0]["quantity"] == "0.100000000001", "exactly"
    assert sold.get("/usage/history?id=y").data["items"][0]["cost_amount"] == "0.0300000000003"
    assert sold.get("/usage/history?id=nobody").data == {"items": []}


def test_many_subscriptions_are_tied_at_once(sold: Api) -> None:
    sold.post("/suppliers", {"supplier": "pbx", "mapping": MAPPING})
    loaded = sold.post("/suppliers/pbx/files?name=f%C3%A9v.csv", CSV.encode(), Content_Type="text/csv").data
    assert loaded["waiting"] == {"no_subscription": 2}
    content = sold.get(f"/suppliers/pbx/files/{loaded['file']}/content")
    assert content.content == CSV.encode() and "filename*=utf-8''f%C3%A9v.csv" in content.headers["Content-Disposition"]
    assert content.headers["X-Content-Type-Options"] == "nosniff"
    assert refusal(sold.get("/suppliers/pbx/files/999/content")) == (404, "not_found")
    noted = sold.post("/suppliers/pbx/subscriptions", {"subscription": "S-1"}).data
    assert (noted["subscription"], noted["status"]) == ("S-1", "unlinked")
    assert refusal(sold.post("/suppliers/pbx/subscriptions", {"subscription": "S-9"})) == (404, "not_found")
    one = {"contract": "C-1", "article": "gb", "subscription": "S-1"}
    wrong = {"links": [one, one | {"subscription": "S-2", "article": "base"}]}
    assert refusal(sold.post("/suppliers/pbx/link_many", wrong))[0] == 422
    assert sold.get("/suppliers/pbx/subscriptions?linked=true").data["items"] == [], "all or none"
    right = {"links": [one, one | {"subscription": "S-2", "contract": "C-2"}]}
    assert sold.post("/suppliers/pbx/link_many", right).data == {"recorded": 2, "waiting": {}, "documents": []}


def test_a_subscription_is_tied_and_its_usage_alone_is_processed(sold: Api) -> None:
    sold.post("/suppliers", {"supplier": "pbx", "mapping": MAPPING, "create_subscriptions": True})
    sold.post("/suppliers/pbx/files?name=f.csv", CSV.encode(), Content_Type="text/csv")
    body = {"contract": "C-1", "article": "gb", "subscription": " s-1 "}
    done = sold.post("/suppliers/pbx/link", body).data
    assert (done["recorded"], done["waiting"], done["documents"], done["contract"]) == (1, {}, [], "C-1")
    assert UsageRecord.objects.filter(line__isnull=False).values_list("subscription", flat=True).get() == "s-1"
    assert sold.post("/suppliers/pbx/link", body).data["recorded"] == 0, "it is tied already"
    for wrong in (" ", "ß" * 150):
        assert refusal(sold.post("/suppliers/pbx/link", body | {"subscription": wrong})) == (422, "invalid")
        product = {"product": wrong, "article": "gb"}
        assert refusal(sold.call("PUT", "/suppliers/pbx/product_references", product)) == (422, "invalid")
    assert (
        sold.call("PUT", "/suppliers/pbx/product_references", {"product": "ß" * 100, "article": "gb"}).status_code
        == 200
    )


def test_a_subscription_moves_from_the_day_after_what_was_billed(sold: Api) -> None:
    sold.post("/suppliers", {"supplier": "pbx", "mapping": MAPPING, "create_subscriptions": True})
    sold.post("/suppliers/pbx/files?name=f.csv", CSV.encode(), Content_Type="text/csv")
    body = {"contract": "C-1", "article": "gb", "subscription": "S-1"}
    to = body | {"contract": "C-2", "move": True}
    assert refusal(sold.post("/suppliers/pbx/link", to)) == (422, "invalid"), "it is tied to no line yet"
    sold.post("/suppliers/pbx/link", body)
    assert refusal(sold.post("/suppliers/pbx/link", body | {"contract": "C-2", "from": "2026-02-01"})) == (
        422,
        "invalid",
    )
    done = sold.post("/suppliers/pbx/link", to).data
    assert (done["contract"], done["from"], done["ended"], done["recorded"]) == ("C-2", "2025-06-15", [], 0)
    assert UsageRecord.objects.get(subscription="s-1").line.contract.key == "C-2"
    assert refusal(sold.post("/suppliers/pbx/link", to | {"subscription": "S-9"})) == (404, "not_found")


def test_letters_and_what_is_left_to_credit(sold: Api) -> None:
    run = sold.post("/billing/runs", {"on": "2026-03-01", "contract": "C-2"}).data
    path = f"/documents/{run['documents'][0]}"
    letter = sold.get(f"{path}/letter").data
    assert letter["to"] == "acme@example.com" and "I-001" in letter["subject"] and "67,83" in letter["text"]
    assert [x["left"] for x in sold.get(f"{path}/left_to_credit").data["items"]] == ["19.00"] * 3
    sold.post(f"{path}/credit", {"lines": [{"line": 2, "net": "4.50"}]})
    assert sold.get(f"{path}/left_to_credit").data == {
        "items": [{"line": 1, "left": "19.00"}, {"line": 2, "left": "14.50"}, {"line": 3, "left": "19.00"}],
        "currency": "EUR",
    }
    mail = sold.post(f"{path}/mail", {}).data
    assert refusal(sold.post(f"{path}/mails/{mail['id']}/send_again")) == (422, "invalid"), "it is on its way"
    assert refusal(sold.post(f"{path}/mails/999/send_again")) == (404, "not_found")


@pytest.mark.parametrize(("on", "code"), [("2026-02-28", "past"), ("2026-03-01", ""), ("2026-03-02", "ahead")])
def test_a_run_on_another_day_than_todays_is_warned_of(sold: Api, on: str, code: str) -> None:
    """Its documents bear that day: that may be meant so, and is not refused."""
    preview = sold.post("/billing/runs?preview=true", {"on": on}).data
    started = sold.post("/billing/runs/start?preview=true", {"on": on}, Accept_Language="de").data
    done = sold.post("/billing/runs", {"on": on}).data
    assert done["documents"]
    found = [[w["code"] for w in answer["warnings"]] for answer in (preview, started, done)]
    assert found == [[code] * bool(code)] * 3
    if code:
        assert done["warnings"][0]["detail"].endswith("payment counts from it." if code == "past" else "a later run.")
        assert started["warnings"][0]["detail"].startswith("Der Tag")
    assert sold.post("/billing/runs", {"on": on}).data["warnings"] == [], "nothing bears it"


def test_runs_in_the_background(sold: Api) -> None:
    assert sold.get("/billing/work").data == {"items": [], "next": None}
    started = sold.post("/billing/runs/start", {"on": "2026-03-01"}).data
    assert started.pop("warnings") == [], "the day is today's"
    assert sold.get("/billing/work").data["items"] == [started]
