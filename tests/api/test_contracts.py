"""Contracts over HTTP: the same amounts as the rules, previews that come true, refusals with the codes of the rules."""

from typing import Any

import pytest

from taktura.audit.models import LogEntry
from taktura.contracts.models import Contract
from taktura.invoices.models import Document
from tests.api.helpers import Api, refusal

ADDRESS = {"name": "Acme", "street": "Street 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
DESK = {
    "tariff": "desk",
    "title": "Desks",
    "notice": "monthly",
    "lines": {
        "base": {"charge": "recurring", "price": "31.00"},
        "desk": {"charge": "recurring", "price": "10.00", "booking": "add_on"},
        "call": {"charge": "usage", "unit": "minute", "price": "1"},
        "setup": {"charge": "once", "price": "99.00", "booking": "add_on"},
    },
}
HALL = {"tariff": "hall", "title": "Halls", "lines": {"base": {"charge": "recurring", "price": "62.00"}}}


@pytest.fixture
def sold(api: Api) -> Api:
    """A contract from 1 March on with five desks, billed for March."""
    for kind, prefix in (("invoice", "R"), ("credit_note", "G")):
        api.post("/seller/confirm_numbering", {"kind": kind, "format": prefix + "{number}", "next": 1})
    api.post("/customers", {"customer": "K", "name": "Acme", "billing_information": ADDRESS})
    for tariff in (DESK, HALL):
        assert api.post("/tariffs", tariff).status_code == 201
    body = {"contract": "C", "customer": "K", "tariff": "desk", "start": "2026-03-01", "quantities": {"desk": 5}}
    assert api.post("/contracts", body).status_code == 201
    assert api.post("/billing/runs", {}).data["documents"] == [1]
    return api


def nets(documents: list[dict[str, Any]]) -> list[str]:
    """The documents in short: kind and net."""
    return [f"{d['kind']} {d['net']}" for d in documents]


COMMANDS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "fewer desks": ("change_quantity", {"article": "desk", "quantity": 3, "from": "2026-03-16"},
                    ["credit_note 25.81", "invoice 15.48"]),
    "as many desks": ("change_quantity", {"article": "desk", "quantity": "5.0", "from": "2026-03-16"}, []),
    "end of desks": ("end_line", {"article": "desk", "until": "2026-03-16"}, ["credit_note 25.81"]),
    "another desk": ("book", {"article": "desk", "from": "2026-03-16", "bill": "now"}, ["invoice 5.16"]),
    "another desk later": ("book", {"article": "desk", "from": "2026-03-16"}, []),
    "setting up": ("book", {"article": "setup", "from": "2026-03-16", "bill": "now", "quantity": 2,
                            "discount": 10, "reason": "friends"}, ["invoice 178.20"]),
    "pause": ("pause", {"from": "2026-03-11", "until": "2026-03-21"}, ["credit_note 26.13"]),
    "hall": ("change_tariff", {"tariff": "hall", "from": "2026-03-16"}, ["credit_note 41.81", "invoice 32.00"]),
    "notice": ("give_notice", {"received": "2026-03-01"}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_a_preview_comes_true(sold: Api, name: str) -> None:
    path, body, expected = COMMANDS[name]
    before = (Document.objects.count(), LogEntry.objects.count(), sold.get("/contracts/C").data)
    foreseen = sold.post(f"/contracts/C/{path}?preview=true", body)
    assert foreseen.status_code == 200, foreseen.content
    assert foreseen.data["documents"] == [] and foreseen.data["contract"] is None
    assert nets(foreseen.data["preview"]["documents"]) == expected
    assert (Document.objects.count(), LogEntry.objects.count(), sold.get("/contracts/C").data) == before
    done = sold.post(f"/contracts/C/{path}", body)
    assert nets(done.data["documents"]) == expected and done.data["preview"] is None
    assert done.data["contract"] == sold.get("/contracts/C").data
    for issued, drawn in zip(done.data["documents"], foreseen.data["preview"]["documents"], strict=True):
        assert {k: issued[k] for k in drawn} == drawn
    bills = foreseen.data["preview"]["bills"]
    assert bills == sold.get("/contracts/C/forecast").data["bills"] or path == "give_notice"


def test_the_next_bill_before_and_after(sold: Api) -> None:
    answer = sold.post("/contracts/C/change_quantity?preview=true", {"article": "desk", "quantity": 8,
                                                                      "from": "2026-04-01"})  # fmt: skip
    preview = answer.data["preview"]
    assert preview["documents"] == [] and preview["refused"] is None
    assert [(b["on"], nets(b["documents"])) for b in preview["before"]] == [("2026-04-01", ["invoice 81.00"])]
    assert [(b["on"], nets(b["documents"])) for b in preview["bills"]] == [("2026-04-01", ["invoice 111.00"])]


def test_notice_and_its_withdrawal(sold: Api) -> None:
    answer = sold.post("/contracts/C/give_notice", {"received": "2026-03-01"})
    assert (answer.data["ends"], answer.data["last_day"]) == ("2026-05-01", "2026-04-30")
    assert answer.data["contract"]["notice_received"] == "2026-03-01"
    back = sold.post("/contracts/C/withdraw_notice")
    assert back.data["contract"]["ends"] is None
    assert refusal(sold.post("/contracts/C/withdraw_notice")) == (422, "invalid")
    assert refusal(sold.post("/contracts/C/withdraw_notice?preview=true")) == (422, "invalid")


def test_pause_and_resume(sold: Api) -> None:
    sold.post("/contracts/C/pause", {"from": "2026-03-01"})
    assert sold.get("/contracts/C").data["status"] == "paused"
    assert [c["contract"] for c in sold.get("/contracts?status=paused").data["items"]] == ["C"]
    assert refusal(sold.post("/contracts/C/pause", {"from": "2026-03-05"})) == (409, "conflict")
    resumed = sold.post("/contracts/C/resume", {"from": "2026-03-05"})
    assert resumed.data["contract"]["pauses"] == [{"from": "2026-03-01", "until": "2026-03-05"}]


REFUSED: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "quantity of usage": ("change_quantity", {"article": "call", "quantity": 1, "from": "2026-03-02"}, 409,
                          "quantity_not_changeable"),
    "no such line": ("end_line", {"article": "nothing", "until": "2026-03-02"}, 404, "not_found"),
    "no such article": ("book", {"article": "nothing", "from": "2026-03-02"}, 404, "not_found"),
    "before the contract": ("book", {"article": "desk", "from": "2025-03-02"}, 422, "invalid"),
    "less than nothing": ("change_quantity", {"article": "desk", "quantity": -1, "from": "2026-03-02"}, 422, "invalid"),
    "far away": ("change_quantity", {"article": "desk", "quantity": 1, "from": "9999-12-31"}, 422, "invalid"),
    "no day": ("change_quantity", {"article": "desk", "quantity": 1, "from": "2026-02-30"}, 422, "invalid"),
    "a moment": ("end_line", {"article": "desk", "until": "2026-03-02T10:00:00Z"}, 422, "invalid"),
    "no tariff": ("change_tariff", {"tariff": "nothing", "from": "2026-03-02"}, 404, "not_found"),
    "no coupon": ("redeem", {"coupon": "nothing"}, 404, "not_found"),
    "not paused": ("resume", {"from": "2026-03-02"}, 422, "invalid"),
    "leaves out all": ("interim_bill", {"leave_out": ["everything"]}, 422, "invalid"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("query", ["", "?preview=true"])
def test_refusals(sold: Api, name: str, query: str) -> None:
    path, body, status, code = REFUSED[name]
    before = (Document.objects.count(), LogEntry.objects.count())
    assert refusal(sold.post(f"/contracts/C/{path}{query}", body)) == (status, code)
    assert (Document.objects.count(), LogEntry.objects.count()) == before


def test_what_is_to_be_completed_first(sold: Api) -> None:
    sold.patch("/customers/K/billing_information", {"street": None})
    body = {"article": "desk", "quantity": 3, "from": "2026-03-16"}
    assert refusal(sold.post("/contracts/C/change_quantity", body)) == (409, "billing_information_missing")
    preview = sold.post("/contracts/C/change_quantity?preview=true", body, Accept_Language="de").data["preview"]
    assert preview["refused"]["code"] == "billing_information_missing" and "Straße" in preview["refused"]["detail"]
    assert nets(preview["documents"]) == ["credit_note 25.81", "invoice 15.48"], "shown all the same"


def test_signing(sold: Api) -> None:
    body = {"contract": "D", "customer": "K", "tariff": "desk", "start": "2026-04-01",
            "conditions": {"base": {"price": "20", "reason": "agreed"}}}  # fmt: skip
    preview = sold.post("/contracts?preview=true", body)
    assert preview.status_code == 201 and preview.data["contract"] is None and Contract.objects.count() == 1
    assert nets(preview.data["preview"]["bills"][0]["documents"]) == ["invoice 20.00"]
    signed = sold.post("/contracts", body)
    assert signed.headers["Location"] == "/api/v1/contracts/D"
    assert signed.data["contract"]["lines"][0]["price"] == "20" and signed.data["contract"]["status"] == "pending"
    assert refusal(sold.post("/contracts", body)) == (409, "conflict")
    for wrong, code in (
        ({"offer_number": "X"}, (422, "unknown_offer_number")),
        ({"quantities": {"nothing": 1}}, (404, "not_found")),
        ({"conditions": {"base": {"discount": 101}}}, (422, "invalid")),
        ({"customer": "nobody"}, (404, "not_found")),
        ({"anchor": "day 32"}, (422, "invalid")),
        ({"quantities": {"desk": -1}}, (422, "invalid")),
        ({"quantities": {"desk": "NaN"}}, (422, "invalid")),
    ):
        assert refusal(sold.post("/contracts", body | {"contract": "E"} | wrong)) == code, wrong
    assert Contract.objects.count() == 2


def test_lines_by_name(sold: Api) -> None:
    for name in ("left", "right"):
        sold.post("/contracts/C/book", {"article": "desk", "from": "2026-03-02", "as": name})
    sold.post("/contracts/C/change_quantity", {"article": "desk", "line": "right", "quantity": 7,
                                               "from": "2026-03-02"})  # fmt: skip
    lines = {x["line"]: x["quantity"] for x in sold.get("/contracts/C").data["lines"] if x["article"] == "desk"}
    assert lines == {"": "5", "left": "1", "right": "7"}
    answer = sold.post("/contracts/C/end_line", {"article": "desk", "line": "middle", "until": "2026-03-02"})
    assert refusal(answer) == (404, "not_found")


def test_lost_updates(sold: Api) -> None:
    tag = sold.get("/contracts/C").headers["ETag"]
    body = {"article": "desk", "quantity": 6, "from": "2026-03-20"}
    assert sold.post("/contracts/C/change_quantity", body, If_Match=tag).status_code == 200
    assert refusal(sold.post("/contracts/C/change_quantity", body, If_Match=tag)) == (412, "precondition_failed")
    again = sold.post("/contracts/C/change_quantity?preview=true", body, If_Match=tag)
    assert refusal(again) == (412, "precondition_failed")


def test_lists(sold: Api) -> None:
    sold.post("/customers", {"customer": "L", "name": "Other"})
    sold.post("/contracts", {"contract": "D", "customer": "L", "tariff": "hall", "start": "2026-05-01"})
    keys = lambda query: [c["contract"] for c in sold.get(f"/contracts{query}").data["items"]]  # noqa: E731
    assert keys("") == ["C", "D"] and keys("?customer=L") == ["D"] and keys("?tariff=desk") == ["C"]
    assert keys("?status=pending") == ["D"] and keys("?status=active") == ["C"] and keys("?status=ended") == []
    assert keys("?next_billing_until=2026-04-02") == ["C"] and keys("?customer=nobody") == []


def test_the_number_of_queries_of_a_list_does_not_grow(sold: Api) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert sold.get("/contracts").status_code == 200
        return len(found)

    one = queries()
    for i in range(5):
        sold.post("/contracts", {"contract": f"E{i}", "customer": "K", "tariff": "hall", "start": "2026-03-01"})
    assert queries() == one <= 8
