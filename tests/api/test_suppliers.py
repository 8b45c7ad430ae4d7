"""Suppliers over HTTP: files as bytes, what waits, what ties it to contracts; and files that mean harm."""

import io
import zipfile
from typing import Any

import pytest

from taktura.api.v1 import supplier_files
from taktura.usage.models import UsageFile, UsageRecord
from tests.api.helpers import Api, refusal

MAPPING = {"id": "Id", "customer_id": "Who", "subscription_id": "Sub", "product_id": "Product", "quantity": "Amount",
           "period_start": "Day", "cost": "Cost"}  # fmt: skip
HEAD = "Id,Who,Sub,Product,Amount,Day,Cost\n"


@pytest.fixture
def supplied(api: Api) -> Api:
    """A contract of a cloud tariff, and a supplier."""
    api.post("/tariffs", {"tariff": "t", "lines": {
        "gb": {"charge": "usage", "usage_pricing": "cost_plus", "markup": "10", "booking": "add_on"},
        "seat": {"charge": "recurring", "price": "5", "booking": "add_on"}}})  # fmt: skip
    api.post("/customers", {"customer": "K", "name": "K"})
    api.post("/contracts", {"contract": "C", "customer": "K", "tariff": "t", "start": "2026-02-01"})
    body = {"supplier": "s", "create_customers": True, "create_subscriptions": True, "mapping": MAPPING}
    assert api.post("/suppliers", body).status_code == 201
    return api


def upload(api: Api, content: bytes | str, name: str = "usage.csv", media: str = "text/csv", **headers: str) -> Any:
    """Send a file."""
    body = content.encode() if isinstance(content, str) else content
    return api.call("POST", f"/suppliers/s/files?name={name}", body, Content_Type=media, **headers)


def test_from_the_file_to_the_line(supplied: Api) -> None:
    received = upload(supplied, HEAD + "1,W,S-1,P,10,2026-02-03,2.00\n2,W,S-1,P,x,2026-02-03,2.00\n")
    assert received.status_code == 201 and received.data["waiting"] == {"no_subscription": 1}
    (problem,) = received.data["problems"]
    assert (problem["line"], problem["code"], problem["column"]) == (3, "bad_number", "Amount")
    german = upload(supplied, HEAD + "3,W,S-1,P,x,2026-02-03,2.00\n", Accept_Language="de").data["problems"][0]
    assert "keine Zahl" in german["detail"]
    (subscription,) = supplied.get("/suppliers/s/subscriptions").data["items"]
    assert (subscription["subscription"], subscription["status"], subscription["product"]) == ("S-1", "unlinked", "P")
    extend = {"subscription": "s-1", "contract": "C"}
    assert refusal(supplied.post("/suppliers/s/extend_contract", extend)) == (422, "invalid"), "no article is known"
    supplied.call("PUT", "/suppliers/s/product_references", {"product": "p", "article": "gb"})
    assert supplied.post("/suppliers/s/extend_contract", extend).data["lines"][0]["article"] == "gb"
    assert supplied.get("/suppliers/s/subscriptions?linked=true").data["items"][0]["contract"] == "C"
    assert supplied.post("/suppliers/s/reprocess").data == {"recorded": 1, "waiting": {}, "documents": []}
    files = supplied.get("/suppliers/s/files").data["items"]
    assert [f["name"] for f in files] == ["usage.csv", "usage.csv"]
    problems = supplied.get(f"/suppliers/s/files/{files[1]['id']}/problems").data["items"]
    assert problems[0]["value"] == "x" and supplied.get(f"/suppliers/s/files/{files[1]['id']}").data["rows"] == 2


def test_the_same_file_twice(supplied: Api) -> None:
    content = HEAD + "1,W,S-1,P,10,2026-02-03,2.00\n"
    first = upload(supplied, content, Idempotency_Key="f")
    assert upload(supplied, content, Idempotency_Key="f").content == first.content
    assert refusal(upload(supplied, content)) == (409, "conflict")
    assert refusal(upload(supplied, content + " ", Idempotency_Key="f")) == (422, "idempotency_key_reused")


def test_ties(supplied: Api) -> None:
    supplied.post("/contracts/C/book", {"article": "gb", "from": "2026-02-01"})
    supplied.post("/contracts/C/book", {"article": "seat", "from": "2026-02-01"})
    tie = {"subscription": "S-2", "contract": "C", "article": "gb"}
    assert supplied.post("/suppliers/s/link", tie).status_code == 200
    assert refusal(supplied.post("/suppliers/s/link", tie | {"article": "seat"})) == (422, "invalid")
    assert upload(supplied, HEAD + "1,W,s-2,P,1,2026-02-03,1\n").data["recorded"] == 1
    assert supplied.post("/suppliers/s/unlink", tie).status_code == 200
    assert refusal(supplied.post("/suppliers/s/unlink", tie)) == (404, "not_found")
    assert supplied.get("/usage/exceptions?supplier=s").data["counts"] == {"no_subscription": 1}
    customer = {"reference": "w", "customer": "K"}
    assert supplied.post("/suppliers/s/link_customer", customer).data["customer"] == "K"
    assert supplied.get("/suppliers/s/customers?linked=true").data["items"][0]["reference"] == "W"
    assert supplied.post("/suppliers/s/unlink_customer", {"reference": "W"}).data["status"] == "unlinked"
    assert refusal(supplied.post("/suppliers/s/link_customer", customer | {"reference": "?"})) == (404, "not_found")
    assert refusal(supplied.call("DELETE", "/suppliers/s/product_references?product=P")) == (404, "not_found")


def test_rows_that_are_parsed_already(supplied: Api) -> None:
    rows = [{"Id": 1, "Sub": "S-1", "Product": "P", "Amount": 0.1, "Day": "2026-02-03", "Cost": "3"},
            {"Id": "2", "Sub": "S-1", "Product": "P", "Amount": None, "Day": "2026-02-03", "Cost": "3"}]  # fmt: skip
    answer = supplied.post("/suppliers/s/import_usage", {"rows": rows})
    assert answer.status_code == 200 and answer.data["rows"] == 2, answer.content
    assert str(UsageRecord.objects.get(external_id="1").quantity) == "0.1"
    for wrong in ({"rows": []}, {"rows": [{"Id": [1]}]}, {"rows": rows, "mapping": {"identity": "Id"}}, {"rows": "x"}):
        assert refusal(supplied.post("/suppliers/s/import_usage", wrong)) == (422, "invalid"), wrong


def test_a_supplier_changes(supplied: Api) -> None:
    tag = supplied.get("/suppliers/s").headers["ETag"]
    assert supplied.patch("/suppliers/s", {"name": "New", "time_zone": "UTC"}, If_Match=tag).data["name"] == "New"
    assert refusal(supplied.patch("/suppliers/s", {"name": "X"}, If_Match=tag)) == (412, "precondition_failed")
    for wrong in ({"time_zone": "Mars/Base"}, {"mapping": {"idd": "Id"}}, {"mapping": {"date_format": "%H"}},
                  {"mapping": {"encoding": "../../etc/passwd"}}, {"currency": "x"}):  # fmt: skip
        assert refusal(supplied.patch("/suppliers/s", wrong)) == (422, "invalid"), wrong
    assert refusal(supplied.post("/suppliers", {"supplier": "s"})) == (409, "conflict")
    for wrong in ({"time_zone": "../../etc/passwd"}, {"mapping": {"delimiter": "ab"}}, {"mapping": {"skip_lines": -1}}):
        assert refusal(supplied.post("/suppliers", {"supplier": "x"} | wrong)) == (422, "invalid"), wrong


def bomb() -> bytes:
    """A zip file that would become a hundred megabytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("usage.csv", b"0" * 100_000_000)
    return held.getvalue()


ENTITIES = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
HARM: dict[str, bytes] = {
    "nothing": b"\n",
    "zeros": b"\0" * 1000,
    "a zip bomb": bomb(),
    "an entity": ENTITIES.encode(),
    "half a character": HEAD.encode() + b"1,W,S-1,P,10,2026-02-03,\xff\xfe\n",
    "a zero in a cell": HEAD.encode() + b"1,W\0,S-1,P,10,2026-02-03,1\n",
    "a zero in a number": HEAD.encode() + b"2,W,S-1,P,1\x000,2026-02-03,1\n",
    "quotes without end": HEAD.encode() + b'1,"' + b"x" * 200_000,
    "one line": b"x" * 300_000,
    "many columns": b"," * 100_000 + b"\n",
    "a lone surrogate": HEAD.encode() + b"1,W,S-1,P,10,2026-02-03,\xed\xa0\x80\n",
    "numbers that are none": HEAD.encode() + b"1,W,S-1,P,NaN,2026-02-03,Infinity\n2,W,S-1,P,1e999999,2026-02-03,1\n",
    "days that are none": HEAD.encode() + b"1,W,S-1,P,1,9999-12-31,1\n2,W,S-1,P,1,0000-00-00,1\n",
    "names too long": HEAD.encode() + b"1," + b"W" * 500 + b"," + b"S" * 500 + b"," + b"P" * 900 + b",1,2026-02-03,1\n",
}


@pytest.mark.parametrize("name", HARM)
def test_files_that_mean_harm(supplied: Api, name: str) -> None:
    """Refused, or received with their problems named; never a fault of the server."""
    answer = upload(supplied, HARM[name], media="application/octet-stream")
    assert answer.status_code in (201, 400, 422), answer.content[:300]
    assert b"root:" not in answer.content
    listed = supplied.get("/suppliers/s/files")
    assert listed.status_code == 200
    for file in listed.data["items"]:
        assert supplied.get(f"/suppliers/s/files/{file['id']}/problems").status_code == 200
    assert supplied.get("/suppliers/s/subscriptions").status_code == 200


@pytest.mark.parametrize("name", ["../../etc/passwd", "a%00b", "<script>", "x" * 300, ""])
def test_names_of_files(supplied: Api, name: str) -> None:
    """A name is only kept, never a path."""
    answer = upload(supplied, HEAD + "1,W,S-1,P,10,2026-02-03,2.00\n", name=name)
    if answer.status_code == 201:
        assert UsageFile.objects.get().name == name
    else:
        assert refusal(answer) == (422, "invalid")


def test_kinds_of_bodies(supplied: Api) -> None:
    assert refusal(upload(supplied, HEAD, media="application/json")) == (415, "unsupported_media_type")
    assert refusal(upload(supplied, HEAD, media="multipart/form-data; boundary=x")) == (415, "unsupported_media_type")


def test_a_file_that_is_too_large(supplied: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from taktura.api.gate import Gate

    assert supplier_files.MOST_FILE_BYTES == 100 * 1024**2
    real = Gate.__call__

    def small(self: Gate, request: Any) -> Any:
        self.most_bytes = min(self.most_bytes, 1000)
        return real(self, request)

    monkeypatch.setattr(Gate, "__call__", small)
    assert refusal(upload(supplied, HEAD + "x" * 1000)) == (413, "too_large")
