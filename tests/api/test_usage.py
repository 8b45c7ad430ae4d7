"""Usage over HTTP: a verdict for each record, nothing twice, nothing lost, numbers exactly."""

from decimal import Decimal
from typing import Any

import pytest

from taktura.api.v1.usage import RecordIn
from taktura.customers.services import close_period
from taktura.kit.actor import Actor
from taktura.kit.jobs.worker import run_worker
from taktura.usage.models import UsageHistory, UsageRecord
from taktura.usage.services import records
from taktura.usage.services.records import FIELDS, MAX_BATCH
from tests.api.helpers import NOW, Api, refusal

ADDRESS = {"name": "Acme", "street": "Street 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
TARIFF = {
    "tariff": "talk",
    "lines": {
        "call": {"charge": "usage", "unit": "minute", "price": "1", "key": "pbx"},
        "gb": {"charge": "usage", "price": "0.5"},
        "base": {"charge": "recurring", "price": "10"},
    },
}
CALL = {"contract": "C", "article": "call", "duration": 60, "at": "2026-02-01T10:00:00+01:00"}


@pytest.fixture
def sold(api: Api) -> Api:
    """A contract of a tariff with usage, from 1 February on."""
    api.post("/customers", {"customer": "K", "name": "Acme", "billing_information": ADDRESS})
    api.post("/tariffs", TARIFF)
    assert api.post("/contracts", {"contract": "C", "customer": "K", "tariff": "talk", "start": "2026-02-01"}).data
    return api


def verdicts(answer: Any) -> list[str]:
    """What became of each record, in short."""
    assert answer.status_code == 200, answer.content
    return [
        " ".join([r["verdict"], *r["reasons"], *([r["code"]] if r["code"] else [])]) for r in answer.data["results"]
    ]


def test_every_verdict_in_one_batch(sold: Api, actor: Actor) -> None:
    old = {**CALL, "id": "old", "revision": 1, "at": "2026-02-02"}
    sold.post("/usage", [old, {**CALL, "id": "known"}])
    close_period(actor, seller=sold.seller, until=NOW.date().replace(day=1, month=2).replace(day=10))
    answer = sold.post(
        "/usage",
        [
            {**CALL, "id": "new", "at": "2026-02-15"},
            {**CALL, "id": "known"},
            {**CALL, "id": "known", "duration": 61},
            {**CALL, "id": "new", "at": "2026-02-15"},
            {**CALL, "id": "new", "at": "2026-02-15", "duration": 5},
            {**CALL, "id": "key", "at": "2026-02-15", "article": None, "key": "pbx"},
            {**CALL, "id": "closed", "at": "2026-02-05"},
            {**old, "revision": 2, "duration": 99},
            {**CALL, "id": "who", "contract": "nobody"},
            {**CALL, "id": "what", "article": "nothing"},
            {**CALL, "id": "recurring", "article": "base", "at": "2026-02-15"},
            {**CALL, "id": "early", "at": "2025-12-01"},
            {**CALL, "id": "both", "key": "pbx"},
            {**CALL, "id": "no amount", "duration": None},
            {**CALL, "id": "text", "duration": "long"},
            {**CALL, "id": "more", "colour": "red"},
            {**CALL, "id": "NaN", "duration": "NaN"},
            {**CALL, "id": "day", "at": "yesterday"},
            {**CALL, "id": "far", "at": "9999-12-31"},
            {**CALL, "id": "huge", "quantity": "1e300", "duration": None},
            {**CALL, "id": 7},
            {**CALL, "id": "zero", "attributes": {"a": "\0"}},
            "no record",
        ],
    )
    assert verdicts(answer) == [
        "recorded", "duplicate", "conflict", "duplicate", "conflict", "recorded", "waiting closed_period",
        "refused closed_period", "waiting no_contract", "waiting unknown_key", "waiting invalid",
        "waiting closed_period", *["refused invalid"] * 11,
    ]  # fmt: skip
    assert [r["id"] for r in answer.data["results"]][:4] == ["new", "known", "known", "new"]
    assert [r["id"] for r in answer.data["results"]][-8:] == ["more", "NaN", "day", "far", "huge", "", "zero", ""]
    counts = {k: answer.data[k] for k in ("recorded", "duplicates", "conflicts", "waiting", "refused")}
    assert counts == {"recorded": 2, "duplicates": 2, "conflicts": 2, "waiting": 5, "refused": 12}
    assert UsageRecord.objects.filter(external_id="known").get().seconds == 60, "the first stays"
    assert sold.get("/usage/record?id=new").data["seconds"] == 60


def test_a_refusal_is_told_in_the_callers_language(sold: Api) -> None:
    answer = sold.post("/usage", [{**CALL, "id": "x", "key": "pbx"}], Accept_Language="sv")
    assert "antingen en artikel eller en nyckel" in answer.data["results"][0]["detail"]


def test_a_span_that_is_partly_outside_is_recorded_and_waits(sold: Api) -> None:
    body = {"contract": "C", "article": "gb", "id": "s", "quantity": "28", "from": "2026-01-25", "until": "2026-02-10"}
    answer = sold.post("/usage", body)
    assert verdicts(answer) == ["recorded before_start"]
    (waiting,) = sold.get("/usage/exceptions").data["items"]
    assert (waiting["reason"], waiting["from"], waiting["until"]) == ("before_start", "2026-01-25", "2026-02-01")


def test_a_cost_has_as_many_digits_as_it_needs(sold: Api) -> None:
    body = {"contract": "C", "article": "gb", "id": "long", "quantity": "0.000000000001", "at": "2026-02-03"}
    assert verdicts(sold.post("/usage", body | {"cost": "0.000000000003"})) == ["recorded"]
    assert sold.get("/usage/record?id=long").data["cost_amount"] == "0.000000000000000000000003"
    assert len(sold.get("/usage").data["items"]) == 1


def test_one_record_without_an_id(sold: Api) -> None:
    answer = sold.post("/usage", CALL)
    (result,) = answer.data["results"]
    assert sold.get(f"/usage/record?id={result['id']}").data["sent_for"] == "call" and len(result["id"]) == 32


def test_numbers_are_read_exactly(sold: Api) -> None:
    body = b"""[{"contract":"C","article":"gb","id":"a","quantity":0.1,"at":"2026-02-03","cost":0.300000000001},
        {"contract":"C","article":"gb","id":"b","quantity":123456789012345678901.5,"at":"2026-02-03"},
        {"contract":"C","article":"gb","id":"c","quantity":"-0.0000000001","at":"2026-02-03"},
        {"contract":"C","article":"gb","id":"d","quantity":1e-13,"at":"2026-02-03"},
        {"contract":"C","article":"gb","id":"e","quantity":1,"at":"2026-02-03","attributes":{"x":0.1,"y":[1e2]}}]"""
    answer = sold.post("/usage", body)
    assert verdicts(answer) == ["recorded", "refused invalid", "recorded", "refused invalid", "recorded"]
    assert UsageRecord.objects.get(external_id="a").cost_amount == Decimal("0.0300000000001")
    assert UsageRecord.objects.get(external_id="c").quantity == Decimal("-0.0000000001")
    assert sold.get("/usage/record?id=e").data["attributes"] == {"x": "0.1", "y": ["100"]}


def test_days_are_those_of_the_seller(sold: Api) -> None:
    sold.post("/usage", [{**CALL, "id": "utc", "at": "2026-02-09T23:30:00Z"}, {**CALL, "id": "none"}])
    assert sold.get("/usage/record?id=utc").data["from"] == "2026-02-10"
    sold.post("/usage", [{**CALL, "id": "now", "at": None}, {**CALL, "id": "local", "at": "2026-02-09T23:30:00"}])
    assert sold.get("/usage/record?id=now").data["from"] == "2026-03-01"
    assert sold.get("/usage/record?id=local").data["from"] == "2026-02-09"


def test_a_correction_by_revision(sold: Api) -> None:
    sold.post("/usage", {**CALL, "id": "r", "revision": 1})
    assert verdicts(sold.post("/usage", {**CALL, "id": "r", "revision": 2, "duration": 30})) == ["recorded"]
    assert verdicts(sold.post("/usage", {**CALL, "id": "r", "revision": 1})) == ["duplicate"]
    assert sold.get("/usage/record?id=r").data["seconds"] == 30 and UsageHistory.objects.count() == 1


def test_a_correction_by_hand(sold: Api) -> None:
    sold.post("/usage", {**CALL, "id": "r"})
    answer = sold.patch("/usage/record?id=r", {"seconds": 42, "from": "2026-02-07"})
    assert (answer.data["record"]["seconds"], answer.data["record"]["from"]) == (42, "2026-02-07")
    assert refusal(sold.patch("/usage/record?id=r", {"seconds": -1})) == (422, "invalid")
    assert refusal(sold.patch("/usage/record?id=nobody", {"seconds": 1})) == (404, "not_found")
    assert refusal(sold.patch("/usage/record?id=r", {"contract": "nobody"})) == (404, "not_found")


def test_withdrawing(sold: Api) -> None:
    sold.post("/usage", {**CALL, "id": "r", "source": "pbx"})
    assert refusal(sold.post("/usage/withdraw", {"id": "r"})) == (404, "not_found")
    assert sold.post("/usage/withdraw", {"id": "r", "source": "pbx"}).status_code == 204
    assert refusal(sold.get("/usage/record?id=r&source=pbx")) == (404, "not_found")


def test_sending_what_waits_elsewhere(sold: Api) -> None:
    sold.post("/usage", {**CALL, "id": "lost", "contract": "X"})
    answer = sold.post("/usage/send_to", {"records": [{"id": "lost"}], "contract": "C"})
    assert answer.data == {"recorded": 1, "waiting": {}, "documents": []}
    assert refusal(sold.post("/usage/send_to", {"records": [{"id": "lost"}]})) == (422, "invalid")


def test_exceptions_by_reason_and_contract(sold: Api) -> None:
    sold.post("/usage", [{**CALL, "id": "a", "contract": "X"}, {**CALL, "id": "b", "at": "2026-01-01"},
                         {**CALL, "id": "c", "article": "nothing"}])  # fmt: skip
    answer = sold.get("/usage/exceptions?reason=before_start")
    assert [w["record"]["id"] for w in answer.data["items"]] == ["b"]
    assert answer.data["counts"] == {"before_start": 1, "no_contract": 1, "unknown_key": 1}
    assert [w["record"]["id"] for w in sold.get("/usage/exceptions?contract=C").data["items"]] == ["b", "c"]
    assert refusal(sold.get("/usage/exceptions?reason=other")) == (422, "invalid")


def test_lists_of_records(sold: Api) -> None:
    sold.post("/usage", [{**CALL, "id": f"r{i}", "at": f"2026-02-{i + 1:02}"} for i in range(9)])
    sold.post("/usage", {"contract": "C", "article": "gb", "quantity": 1, "id": "g", "at": "2026-02-02"})
    assert len(sold.get("/usage?contract=C&article=call").data["items"]) == 9
    days = sold.get("/usage?day_from=2026-02-02&day_until=2026-02-04").data["items"]
    assert [r["id"] for r in days] == ["r1", "r2", "g"]
    first = sold.get("/usage?limit=4").data
    assert [r["id"] for r in sold.get(f"/usage?limit=4&after={first['next']}").data["items"]] == [
        "r4",
        "r5",
        "r6",
        "r7",
    ]


def test_a_threshold_makes_an_interim_bill(api: Api) -> None:
    api.post("/customers", {"customer": "K", "name": "Acme", "billing_information": ADDRESS})
    api.post("/seller/confirm_numbering", {"kind": "invoice", "format": "R{number}", "next": 1})
    api.post("/tariffs", {**TARIFF, "interim_threshold": "50"})
    api.post("/contracts", {"contract": "C", "customer": "K", "tariff": "talk", "start": "2026-03-01"})
    small = api.post("/usage", {**CALL, "at": "2026-03-01", "duration": 60})
    assert small.data["documents"] == []
    large = api.post("/usage", {**CALL, "at": "2026-03-01", "duration": 6000})
    (document,) = large.data["documents"]
    assert api.get(f"/documents/{document}").data["net"] == "111.00", "the base fee and 101 minutes"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b" ", 400, "malformed"),
        (b"[", 400, "malformed"),
        (b"{}x", 400, "malformed"),
        (b"[{]", 400, "malformed"),
        (b'[{"id": "\xff"}]', 400, "malformed"),
        (b'[{"id": "\\ud800"}]', 400, "malformed"),
        (b'[{"attributes": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001 + b"]", 400, "malformed"),
        (b'[{"quantity": NaN}]', 400, "malformed"),
        (b"5", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b'"text"', 422, "invalid"),
        (b"[" + b'{"id": 5},' * MAX_BATCH + b'{"id": 5}]', 422, "invalid"),
        (b"[" + b'{"article": "call", "quantity": 1},' * MAX_BATCH + b'{"article": "call"}]', 422, "invalid"),
        (b"[" + b" " * 17_000_000 + b"]", 413, "too_large"),
    ],
)
def test_bodies_that_are_refused_whole(sold: Api, body: bytes, status: int, code: str) -> None:
    assert refusal(sold.post("/usage", body)) == (status, code)
    assert UsageRecord.objects.count() == 0
    assert refusal(sold.post("/usage", body, Content_Type="text/csv"))[0] in (413, 415)


def test_nothing_at_all(sold: Api) -> None:
    assert sold.post("/usage", []).data["results"] == []
    assert verdicts(sold.post("/usage", {})) == ["refused invalid"]


def test_the_largest_batch(sold: Api) -> None:
    batch = [{**CALL, "id": f"n{i % 9000}", "at": "2026-02-04"} for i in range(MAX_BATCH)]
    answer = sold.post("/usage", batch, Idempotency_Key="big")
    assert (answer.data["recorded"], answer.data["duplicates"]) == (9000, 1000)
    assert sold.post("/usage", batch, Idempotency_Key="big").content == answer.content
    assert UsageRecord.objects.count() == 9000


def test_a_batch_again_counts_nothing_twice(sold: Api) -> None:
    """Also without an `Idempotency-Key`: a record is known by its id for all time."""
    batch = [{**CALL, "id": f"n{i}"} for i in range(5)]
    assert verdicts(sold.post("/usage", batch)) == ["recorded"] * 5
    assert verdicts(sold.post("/usage", batch[::-1])) == ["duplicate"] * 5


def test_the_document_tells_the_fields_of_a_record() -> None:
    told = {f.serialization_alias or name for name, f in RecordIn.model_fields.items()}
    assert told == FIELDS == set(records.Entry.__struct_encode_fields__)


def test_the_batch_is_one_set(sold: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of statements does not grow with the batch."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    sold.post("/usage", [{**CALL, "id": "before"}])  # the bucket of requests is looked at again only now and then
    for size in (1, 200):
        with CaptureQueriesContext(connection) as found:
            sold.post("/usage", [{**CALL, "id": f"{size}-{i}"} for i in range(size)])
        counts.append(sum("api_bucket" not in query["sql"] for query in found))
    assert counts[0] == counts[1] < 60


def test_rows_of_a_supplier_hold_texts_and_numbers_only(api: Api) -> None:
    assert api.post("/suppliers", {"supplier": "nimbus", "name": "Nimbus"}).status_code == 201
    for value in (False, True, ["a"], {"a": 1}):
        answer = api.post("/suppliers/nimbus/import_usage", {"rows": [{"quantity": value}]})
        assert refusal(answer) == (422, "invalid"), value


def test_whom_one_asks_at_a_supplier(sold: Api) -> None:
    contact = {"contact": "Mona Lind", "email": "mona@sun.example", "phone": "+46 8 123 45"}
    sold.post("/suppliers", {"supplier": "sun"})
    assert {sold.get("/suppliers/sun").data[name] for name in contact} == {""}
    assert sold.patch("/suppliers/sun", contact).status_code == 200
    refused = sold.patch("/suppliers/sun", {"email": "mona", "contact": "Nobody"})
    assert refusal(refused) == (422, "invalid") and refused.data["errors"][0]["field"] == "body.email"
    kept = sold.get("/suppliers/sun").data
    assert {name: kept[name] for name in contact} == contact
    made = sold.post("/suppliers", {"supplier": "moon", "email": "moon@sun.example"}).data
    assert (made["email"], made["contact"], made["phone"]) == ("moon@sun.example", "", "")


def test_a_file_is_looked_at_loaded_and_undone(sold: Api) -> None:
    sold.post("/suppliers", {"supplier": "sun"})
    content = b"Sub;Menge;Tag\nS-1;2,5;01.06.2026\nS-1;x;02.06.2026\n"
    seen = sold.call("POST", "/suppliers/sun/files?name=a.csv&preview=true", content, Content_Type="text/csv")
    look = seen.data["preview"]
    assert look["proposed"] == {"quantity": "Menge", "period_start": "Tag", "decimal": ",", "date_format": "%d.%m.%Y"}
    assert (look["good"], seen.data["file"], UsageRecord.objects.count()) == (0, None, 0)
    mapping = {**look["proposed"], "subscription_id": "Sub", "skip_rows": ['Menge = "x"']}
    assert sold.patch("/suppliers/sun", {"mapping": mapping}).status_code == 200
    seen = sold.call("POST", "/suppliers/sun/files?name=a.csv&preview=true", content, Content_Type="text/csv")
    look = seen.data["preview"]
    assert (look["good"], look["bad"], look["skipped"]) == (1, 0, 1)
    assert (look["rows"][0]["quantity"], look["rows"][0]["first_day"]) == ("2.5", "2026-06-01")
    loaded = sold.call("POST", "/suppliers/sun/files?name=a.csv", content, Content_Type="text/csv").data
    assert (loaded["waiting"], loaded["skipped"]) == ({"no_subscription": 1}, 1)
    place = f"/suppliers/sun/files/{loaded['file']}"
    assert sold.get(place).data["mapping"] == mapping
    more = sold.call(
        "POST", "/suppliers/sun/files?name=b.csv", content + b"S-1;3;03.06.2026\n", Content_Type="text/csv"
    )
    repeating = {"file": more.data["file"], "name": "b.csv", "duplicates": 1}
    assert sold.post(f"{place}/undo", None).data == {"records": 1, "repeating": [repeating]}
    undone = sold.post(f"/suppliers/sun/files/{repeating['file']}/undo", None).data
    assert undone == {"records": 1, "repeating": []}, "the first is undone itself"
    assert sold.get(place).data["undone_at"] is not None
    assert refusal(sold.post(f"{place}/undo", None)) == (409, "conflict")


def test_a_file_says_how_many_rows_lack_what_their_line_is_billed_by(sold: Api, actor: Actor) -> None:
    plus = {"charge": "usage", "usage_pricing": "cost_plus", "markup": "10"}
    assert sold.post("/tariffs", {"tariff": "plus", "lines": {"seat": plus}}).status_code == 201
    contract = {"contract": "P", "customer": "K", "tariff": "plus", "start": "2026-02-01"}
    assert sold.post("/contracts", contract).status_code == 201
    sold.post("/suppliers", {"supplier": "sun", "create_subscriptions": True})
    link = {"subscription": "S-1", "contract": "P", "article": "seat"}
    assert sold.post("/suppliers/sun/link", link).status_code == 200
    content = b"id,subscription_id,quantity,cost_amount,period_start\n1,S-1,2,,2026-02-03\n2,S-1,1,4,2026-02-03\n"
    loaded = sold.call("POST", "/suppliers/sun/files?name=a.csv", content, Content_Type="text/csv").data
    assert (loaded["recorded"], loaded["unpriced"]) == (2, 1)
    place = f"/suppliers/sun/files/{loaded['file']}"
    assert sold.get(place).data["unpriced"] == 1
    assert "unpriced" not in sold.get("/suppliers/sun/files").data["items"][0], "it costs a look at all rows of a file"
    assert sold.post(f"{place}/undo", None).data["records"] == 2
    assert sold.get(place).data["unpriced"] == 0
    rows = {"rows": [{"id": "9", "subscription_id": "S-1", "quantity": 3, "period_start": "2026-02-04"}]}
    assert sold.post("/suppliers/sun/import_usage", rows).data["unpriced"] is None, "rows of no file"


def test_what_waits_is_matched_again_in_the_background(sold: Api) -> None:
    sold.post("/suppliers", {"supplier": "sun"})
    sold.post("/usage", [{**CALL, "id": "early", "contract": "D"}])
    assert sold.get("/usage/matching").data == {"items": [], "next": None}
    assert refusal(sold.post("/usage/matching/start", {"supplier": "moon"})) == (404, "not_found")
    started = sold.post("/usage/matching/start", {})
    assert started.status_code == 202 and started.data["state"] == "waiting"
    assert refusal(sold.post("/usage/matching/start", {"supplier": "sun"})) == (409, "conflict")
    assert sold.get("/usage/matching").data["items"] == [started.data]
    assert sold.post("/contracts", {"contract": "D", "customer": "K", "tariff": "talk", "start": "2026-02-01"}).data
    run_worker(until_done=True)
    place = f"/usage/matching/{started.data['id']}"
    ended = sold.get(place).data
    assert (ended["state"], ended["done"], ended["total"], ended["error"]) == ("done", 1, 1, "")
    assert ended["result"] == {"supplier": None, "recorded": 1, "waiting": 0, "reasons": {}, "documents": []}
    assert UsageRecord.objects.get(external_id="early").line is not None
    assert sold.post(f"{place}/stop", None).data["state"] == "done", "it has ended"
    assert refusal(sold.get(f"/billing/work/{started.data['id']}")) == (404, "not_found"), "it is no run"
    of_one = sold.post("/usage/matching/start", {"supplier": "sun"}).data
    stopped = sold.post(f"/usage/matching/{of_one['id']}/stop", None).data
    assert stopped["stop_requested"]
    run_worker(until_done=True)
    assert sold.get(f"/usage/matching/{of_one['id']}").data["state"] == "stopped"
