"""Billing, documents, payments and sales items over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from taktura.billing.models import BillingRun
from taktura.billing.services import run as runs
from taktura.invoices.models import Document
from taktura.kit.jobs.models import Work
from tests.api.helpers import NOW, Api, refusal

ADDRESS = {"name": "Acme", "street": "Street 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
TARIFF = {
    "tariff": "t",
    "lines": {
        "base": {"charge": "recurring", "price": "19.99"},
        "call": {"charge": "usage", "unit": "minute", "price": "1.00", "included": 2},
    },
}


@pytest.fixture
def sold(api: Api) -> Api:
    """Two customers with a contract each from 1 February on, nothing billed, numbers confirmed."""
    for kind, prefix in (("invoice", "R"), ("credit_note", "G")):
        api.post("/seller/confirm_numbering", {"kind": kind, "format": prefix + "-{year}-{number:04}", "next": 1})
    api.post("/tariffs", TARIFF)
    for key in ("A", "B"):
        api.post("/customers", {"customer": key, "name": f"Customer {key}", "billing_information": ADDRESS})
        api.post("/contracts", {"contract": f"C-{key}", "customer": key, "tariff": "t", "start": "2026-02-01"})
    return api


def test_from_the_due_list_to_the_run(sold: Api) -> None:
    assert [d["contract"] for d in sold.get("/billing/due").data["items"]] == ["C-A", "C-B"]
    assert sold.get("/billing/due?on=2026-01-31").data["items"] == []
    preview = sold.post("/billing/runs?preview=true", {}).data
    assert (preview["documents"], preview["contracts"], Document.objects.count()) == ([], 2, 0)
    assert [d["net"] for d in preview["preview"]] == ["39.98", "39.98"]
    done = sold.post("/billing/runs", {}).data
    assert done["sums"] == preview["sums"] == [
        {"kind": "invoice", "currency": "EUR", "count": 2, "net": "79.96", "tax": "15.20", "gross": "95.16"}
    ]  # fmt: skip
    assert len(done["documents"]) == 2 and done["left_out"] == []
    assert sold.post("/billing/runs", {}).data["documents"] == [], "nothing is billed twice"
    (run, *_) = sold.get("/billing/runs").data["items"]
    assert (run["contracts"], run["documents"], run["actor"]) == (2, 2, f"key:{sold.secret[:10]} test")
    assert sold.get("/billing/due").data["items"] == []


def test_a_run_of_some(sold: Api) -> None:
    assert sold.post("/billing/runs", {"contract": "C-A", "on": "2026-02-15"}).data["contracts"] == 1
    assert sold.post("/billing/runs?preview=true", {"exclude": ["C-B"]}).data["contracts"] == 1
    assert sold.post("/billing/runs", {"customer": "B"}).data["contracts"] == 1
    assert refusal(sold.post("/billing/runs", {"contract": "nothing"})) == (404, "not_found")
    assert refusal(sold.post("/billing/runs", {"exclude": ["nothing"]})) == (404, "not_found")
    far = (NOW + timedelta(days=400)).date().isoformat()
    assert refusal(sold.post("/billing/runs?preview=true", {"on": far})) == (422, "invalid")


def test_who_is_left_out_is_named(sold: Api) -> None:
    sold.patch("/customers/B/billing_information", {"city": ""})
    done = sold.post("/billing/runs", {}, Accept_Language="de").data
    assert len(done["documents"]) == 1
    (left_out,) = done["left_out"]
    assert (left_out["customer"], left_out["code"]) == ("B", "billing_information_missing")
    assert "Ort" in left_out["detail"]
    run = BillingRun.objects.get()
    assert sold.get(f"/billing/runs/{run.pk}").data["left_out"][0]["customer"] == "B"
    assert refusal(sold.get("/billing/runs/999999")) == (404, "not_found")


def test_before_the_numbers_are_confirmed(api: Api) -> None:
    api.post("/tariffs", TARIFF)
    api.post("/customers", {"customer": "A", "name": "A", "billing_information": ADDRESS})
    api.post("/contracts", {"contract": "C-A", "customer": "A", "tariff": "t", "start": "2026-02-01"})
    assert api.post("/billing/runs?preview=true", {}).status_code == 200
    assert refusal(api.post("/billing/runs", {})) == (409, "numbering_unconfirmed")
    assert api.get("/seller/numbering").data["items"] == []
    for wrong in ("R", "{number}{number}", "{number:x}", "{year", "R" * 59 + "{number}", "{0}"):
        body = {"kind": "invoice", "format": wrong, "next": 1}
        assert refusal(api.post("/seller/confirm_numbering", body)) == (422, "invalid"), wrong
    assert refusal(api.post("/seller/confirm_numbering", {"kind": "other", "format": "{number}", "next": 1}))[0] == 422


def test_a_number_that_is_used(sold: Api) -> None:
    sold.post("/billing/runs", {})
    body = {"kind": "invoice", "format": "R-{year}-{number:04}", "next": 2}
    assert refusal(sold.post("/seller/confirm_numbering", body)) == (409, "number_already_used")
    assert sold.post("/seller/confirm_numbering", body | {"next": 3}).status_code == 200
    assert [s["next"] for s in sold.get("/seller/numbering").data["items"]] == [3, 1]


def test_a_run_that_breaks_off_goes_on(sold: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server dies after the first batch: the same request again bills the rest, and nothing twice."""
    monkeypatch.setattr(runs, "BATCH", 1)
    real, batches = runs._batch, []

    def dying(job: Any, task: Any, turn: Any) -> Any:
        batches.append(task)
        if len(batches) == 2:
            raise SystemError("killed")
        return real(job, task, turn)

    monkeypatch.setattr(runs, "_batch", dying)
    assert sold.post("/billing/runs", {}, Idempotency_Key="night").status_code == 500
    assert Document.objects.count() == 1
    again = sold.post("/billing/runs", {}, Idempotency_Key="night")
    assert again.status_code == 200 and len(again.data["documents"]) == 1 and Document.objects.count() == 2
    assert sold.post("/billing/runs", {}, Idempotency_Key="night").content == again.content
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone()[0] == 0, "no lock is left"


def test_a_run_in_the_background(sold: Api) -> None:
    started = sold.post("/billing/runs/start", {"on": "2026-03-01"})
    assert started.status_code == 202 and started.data["state"] == "waiting"
    assert refusal(sold.post("/billing/runs/start", {})) == (409, "conflict")
    work = started.data["id"]
    assert sold.get(f"/billing/work/{work}").data["stop_requested"] is False
    assert sold.post(f"/billing/work/{work}/stop").data["stop_requested"] is True
    assert refusal(sold.get("/billing/work/999")) == (404, "not_found")
    Work.objects.update(subject="seller:0")
    assert refusal(sold.get(f"/billing/work/{work}")) == (404, "not_found"), "another seller's"


@pytest.fixture
def billed(sold: Api) -> Api:
    """Usage in February, both contracts billed; the first invoice is of A."""
    sold.post("/usage", [{"contract": "C-A", "article": "call", "duration": 60, "id": f"u{i}",
                          "at": f"2026-02-{i + 1:02}T10:00:00+01:00"} for i in range(12)])  # fmt: skip
    sold.post("/billing/runs", {})
    return sold


def test_documents(billed: Api) -> None:
    items = billed.get("/documents").data["items"]
    assert [(d["number"], d["customer"], d["net"]) for d in items] == [
        ("R-2026-0001", "A", "49.98"), ("R-2026-0002", "B", "39.98"),
    ]  # fmt: skip
    numbers = lambda query: [d["number"] for d in billed.get(f"/documents?{query}").data["items"]]  # noqa: E731
    assert numbers("order=newest_first") == ["R-2026-0002", "R-2026-0001"]
    assert numbers("order=newest_first&limit=1") == ["R-2026-0002"]
    assert numbers("customer=B") == ["R-2026-0002"] and numbers("contract=C-A") == ["R-2026-0001"]
    assert numbers("number=R-2026-0001") == ["R-2026-0001"] and numbers("kind=credit_note") == []
    assert numbers("issued_from=2026-03-02") == [] and numbers("issued_until=2026-03-02&limit=1") == ["R-2026-0001"]
    assert numbers("status=open&customer=A") == ["R-2026-0001"] and numbers("status=paid") == []
    page = billed.get("/documents?order=newest_first&limit=1").data
    assert numbers(f"order=newest_first&after={page['next']}") == ["R-2026-0001"]


def test_one_document_and_its_pdf(billed: Api) -> None:
    found = billed.get("/documents/1")
    assert [x["article"] for x in found.data["lines"]] == ["base", "base", "call"]
    assert found.data["recipient"]["name"] == "Acme" and len(found.data["hash"]) == 64
    assert billed.get("/documents/1", If_None_Match=found.headers["ETag"]).status_code == 304
    pdf = billed.get("/documents/1/pdf")
    assert pdf.content[:5] == b"%PDF-" and pdf.headers["Content-Type"] == "application/pdf"
    assert pdf.headers["Content-Disposition"] == 'attachment; filename="R-2026-0001.pdf"'
    assert pdf.content == billed.get("/documents/1/pdf").content
    for path in ("/documents/999", "/documents/0/pdf", "/documents/99999999999999999999", "/documents/x"):
        assert billed.get(path).status_code in (404, 422)


def test_the_proof_of_a_line(billed: Api) -> None:
    found = billed.get("/documents/1/lines/3/explain?limit=5").data
    assert found["record_count"] == 12 and [r["id"] for r in found["records"]] == [f"u{i}" for i in range(5)]
    seen = found["records"]
    while found["next"]:
        found = billed.get(f"/documents/1/lines/3/explain?limit=5&after={found['next']}").data
        seen += found["records"]
    assert [r["id"] for r in seen] == [f"u{i}" for i in range(12)]
    assert {"what": "included, not charged", "much": "2"} in found["steps"]
    german = billed.get("/documents/1/lines/3/explain", Accept_Language="de").data["steps"]
    assert any("enthalten" in s["what"].lower() or "frei" in s["what"].lower() for s in german)
    assert refusal(billed.get("/documents/1/lines/4/explain")) == (404, "not_found")
    assert refusal(billed.get("/documents/1/lines/3/explain?after=MQ")) == (422, "invalid")
    far = billed.get("/documents/1/lines/3/explain?after=OTk5OTk5OTk5OTk5OjE")
    assert far.status_code == 200 and far.data["records"] == []


def test_credits(billed: Api) -> None:
    foreseen = billed.post("/documents/1/credit?preview=true", {"lines": [{"line": 3, "quantity": 6}]})
    assert foreseen.data["documents"] == [] and foreseen.data["preview"][0]["net"] == "5.00"
    done = billed.post("/documents/1/credit", {"lines": [{"line": 3, "quantity": 6}], "reason": "noise"}).data
    assert (done["documents"][0]["net"], done["documents"][0]["references"]) == ("5.00", ["R-2026-0001"])
    assert billed.get("/documents/1").data["corrected_by"] == ["G-2026-0001"]
    assert refusal(billed.post("/documents/1/credit", {"lines": [{"line": 3, "net": "5.01"}]}))[1] == "credit_too_high"
    assert refusal(billed.post("/documents/1/credit", {"lines": [{"line": 9}]})) == (404, "not_found")
    assert refusal(billed.post("/documents/1/credit", {"lines": []})) == (422, "invalid")
    assert refusal(billed.post("/documents/1/credit", {"lines": [{"line": 1, "net": "0"}]})) == (422, "invalid")
    rest = billed.post("/documents/1/credit", {}).data["documents"][0]
    assert rest["net"] == "44.98"
    assert refusal(billed.post("/documents/1/credit", {})) == (409, "already_credited")
    assert billed.get("/documents/1").data["status"] == "credited"
    assert refusal(billed.post("/documents/3/credit", {})) == (422, "invalid"), "a credit note is not credited"


def test_payments(billed: Api) -> None:
    foreseen = billed.post("/documents/2/pay?preview=true", {"amount": "40.00"}).data
    assert (foreseen["open"], foreseen["status"]) == ("7.58", "partly_paid")
    assert billed.get("/documents/2/payments").data["items"] == []
    paid = billed.post("/documents/2/pay", {"amount": 40, "on": "2026-03-05"}).data
    assert (paid["open"], paid["status"], paid["items"][0]["on"]) == ("7.58", "partly_paid", "2026-03-05")
    assert billed.post("/documents/2/pay", {"amount": "7.58"}).data["status"] == "paid"
    assert billed.get("/documents?status=paid").data["items"][0]["open"] == "0.00"
    for amount in ("0", "0.001", "1e30", "99999999999999999999", "NaN"):
        assert refusal(billed.post("/documents/2/pay", {"amount": amount})) == (422, "invalid"), amount


def test_the_same_payment_twice_with_its_key(billed: Api) -> None:
    for _ in range(2):
        assert billed.post("/documents/2/pay", {"amount": "10.00"}, Idempotency_Key="p").status_code == 200
    assert len(billed.get("/documents/2/payments").data["items"]) == 1


def test_a_document_by_mail(billed: Api) -> None:
    assert refusal(billed.post("/documents/1/mail", {})) == (409, "billing_information_missing")
    sent = billed.post("/documents/1/mail", {"to": "a@example.com", "text": "Hello\nthere"})
    assert (sent.status_code, sent.data["state"], sent.data["to"]) == (201, "waiting", "a@example.com")
    assert [m["id"] for m in billed.get("/documents/1/mails").data["items"]] == [sent.data["id"]]
    for wrong in (
        {"to": "nobody"},
        {"to": "a@b.example\nBcc: c@d.example"},
        {"to": "a@example.com", "subject": "a\nb"},
    ):
        assert refusal(billed.post("/documents/1/mail", wrong)) == (422, "invalid"), wrong


def test_sales_items(billed: Api) -> None:
    body = {
        "customer": "A",
        "as": "setup",
        "lines": [{"title": "Setup", "price": "100", "quantity": 2, "discount": 25}],
    }
    foreseen = billed.post("/sales_items?preview=true", body).data
    assert foreseen["item"] is None and foreseen["preview"][0]["gross"] == "178.50"
    made = billed.post("/sales_items", body)
    assert (made.data["item"]["net"], made.data["item"]["status"]) == ("150.00", "pending")
    item = made.data["item"]["id"]
    assert billed.post(f"/sales_items/{item}/move", {"customer": "B"}).data["customer"] == "B"
    assert [i["id"] for i in billed.get("/sales_items?pending=true&customer=B").data["items"]] == [item]
    done = billed.post("/billing/runs", {"on": "2026-03-01"}).data
    assert billed.get(f"/sales_items/{item}").data["document"] == done["documents"][0]
    assert refusal(billed.post(f"/sales_items/{item}/move", {"customer": "A"})) == (422, "invalid")
    for wrong in (
        {"lines": []},
        {"lines": [{"title": "x"}]},
        {"lines": [{"title": "x", "price": "1", "quantity": 0}]},
        {"lines": [{"title": "x", "price": "-1"}]},
        {"lines": [{"title": "x", "price": "1", "discount": 101}]},
    ):
        assert refusal(billed.post("/sales_items", {"customer": "A"} | wrong)) == (422, "invalid"), wrong
    assert refusal(billed.post("/sales_items", {"customer": "X", "lines": [{"price": "1"}]})) == (404, "not_found")


def test_the_log(billed: Api) -> None:
    newest = billed.get("/log?order=newest_first&limit=3").data["items"]
    oldest = billed.get("/log?limit=500").data["items"]
    assert newest == oldest[-1:-4:-1] and newest[0]["previous"] == newest[1]["hash"]
    assert {e["action"] for e in billed.get("/log?action=sign").data["items"]} == {"sign"}
    subject = billed.get("/log?action=sign").data["items"][0]["subject"]
    assert all(e["subject"] == subject for e in billed.get(f"/log?subject={subject}").data["items"])


def test_the_seller(billed: Api) -> None:
    answer = billed.patch("/seller", {"phone": "+49 30 1", "vat": [{"rate": "19"}, {"from": "2026-07-01", "rate": 16}]})
    assert answer.data["vat"] == [{"from": None, "rate": "19"}, {"from": "2026-07-01", "rate": "16"}]
    assert refusal(billed.patch("/seller", {"prices_are": "gross"})) == (409, "conflict"), "documents are issued"
    wrong = billed.patch("/seller", {"iban": "DE00 1234"})
    assert refusal(wrong) == (422, "invalid") and wrong.data["errors"][0]["field"] == "body.iban"
    tag = billed.get("/seller").headers["ETag"]
    assert billed.post("/seller/close_period", {"until": "2026-01-01"}, If_Match=tag).status_code == 200
    assert refusal(billed.patch("/seller", {"phone": "1"}, If_Match=tag)) == (412, "precondition_failed")
