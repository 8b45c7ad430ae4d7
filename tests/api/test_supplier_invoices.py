"""Suppliers' own invoices, by the API: entered, corrected, removed, with their files; held against imported rows."""

import pytest

from taktura.audit.models import LogEntry
from taktura.usage.models import SupplierInvoice
from tests.api.helpers import Api, refusal

PATH = "/suppliers/nimbus/invoices"
INVOICE = {"number": "N-1", "day": "2026-03-01", "from": "2026-02-01", "until": "2026-02-28", "net": "1.25"}
ROWS = [
    {"id": f"r{n}", "subscription_id": "SUB-1", "quantity": quantity, "period_start": "2026-02-03", "cost": "0.1"}
    for n, quantity in enumerate(["3", "7", "2.5"])
]  # fmt: skip
RECONCILED = "/suppliers/nimbus/reconciliation?from=2026-02-01&until=2026-02-28"


@pytest.fixture
def nimbus(api: Api) -> Api:
    """A supplier whose rows of February cost 1.25."""
    assert api.post("/suppliers", {"supplier": "nimbus", "create_subscriptions": True}).status_code == 201
    assert api.post("/suppliers/nimbus/import_usage", {"rows": ROWS}).data["problems"] == []
    return api


def test_the_life_of_an_invoice(nimbus: Api) -> None:
    made = nimbus.post(PATH, INVOICE)
    pk = made.data["id"]
    assert (made.status_code, made.headers["Location"]) == (201, f"/api/v1{PATH}/{pk}")
    assert {k: made.data[k] for k in INVOICE} == INVOICE and made.data["currency"] == "EUR"
    assert nimbus.get(PATH).data["items"] == [made.data]
    changed = nimbus.patch(f"{PATH}/{pk}", {"net": "1.30", "until": "2026-03-15"})
    assert (changed.data["net"], changed.data["until"], changed.data["from"]) == ("1.30", "2026-03-15", "2026-02-01")
    entry = LogEntry.objects.get(action="correct_supplier_invoice")
    assert entry.data["before"] == {"net": "1.25", "until": "2026-02-28"} and entry.subject == f"supplier_invoice:{pk}"
    assert nimbus.patch(f"{PATH}/{pk}", {"net": "9"}, If_Match='"old"').status_code == 412
    assert nimbus.call("DELETE", f"{PATH}/{pk}").status_code == 204
    assert refusal(nimbus.get(f"{PATH}/{pk}")) == (404, "not_found")
    assert LogEntry.objects.get(action="remove_supplier_invoice").data["net"] == "1.30"


def test_its_file_is_kept_as_it_came(nimbus: Api) -> None:
    pk = nimbus.post(PATH, INVOICE).data["id"]
    file, content = f"{PATH}/{pk}/file", b"%PDF-1.7\nbytes \x00\xff"
    assert refusal(nimbus.get(file)) == (404, "not_found")
    kept = nimbus.call("PUT", f"{file}?name=R%C3%A4chnung.pdf", content, Content_Type="application/pdf")
    assert (kept.status_code, kept.data["file"], kept.data["file_type"]) == (200, "Rächnung.pdf", "application/pdf")
    answer = nimbus.get(file)
    assert answer.content == content and answer.headers["Content-Disposition"].startswith("attachment")
    assert nimbus.call("PUT", f"{file}?name=a.pdf&preview=true", b"%PDF-2", Content_Type="application/pdf").data
    assert nimbus.get(file).content == content
    for bad in (b"\x00\x01\x02", b"PK\x03\x04 no archive", b""):
        refused = nimbus.call("PUT", f"{file}?name=a.pdf", bad, Content_Type="application/pdf")
        assert refused.status_code in (415, 422), bad
    assert nimbus.get(file).content == content
    assert nimbus.call("DELETE", file).status_code == 204
    assert nimbus.get(f"{PATH}/{pk}").data["file"] == ""
    shas = [e.data for e in LogEntry.objects.filter(action__endswith="invoice_file").order_by("pk")]
    assert shas[0]["after"]["sha256"] == shas[1]["sha256"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"until": "2026-01-31"}, "invalid"), ({"net": "1.255"}, "invalid"), ({"net": "9" * 15}, "invalid"),
        ({"number": "  "}, "invalid"), ({"number": " n-1 "}, "conflict"),
        ({"currency": "JPY", "net": "1.5"}, "invalid"),
        ({"from": "2010-01-01"}, "invalid"), ({"number": "ß" * 100}, "invalid"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(nimbus: Api, changes: dict[str, str], code: str) -> None:
    assert nimbus.post(PATH, INVOICE).status_code == 201
    assert refusal(nimbus.post(PATH, {**INVOICE, "number": "N-2", **changes}))[1] == code
    other = nimbus.post(PATH, {**INVOICE, "number": "N-3"}).data["id"]
    assert refusal(nimbus.patch(f"{PATH}/{other}", changes))[1] == code
    assert SupplierInvoice.objects.count() == 2


def test_nobody_reaches_another_suppliers_invoice(nimbus: Api) -> None:
    pk = nimbus.post(PATH, INVOICE).data["id"]
    assert nimbus.post("/suppliers", {"supplier": "other"}).status_code == 201
    assert nimbus.get("/suppliers/other/invoices").data["items"] == []
    for method, body in (("GET", None), ("PATCH", {"net": "2"}), ("DELETE", None)):
        assert refusal(nimbus.call(method, f"/suppliers/other/invoices/{pk}", body)) == (404, "not_found")


def test_it_is_held_against_what_was_imported(nimbus: Api) -> None:
    (none,) = nimbus.get(RECONCILED).data["invoices"]
    assert (none["invoices"], none["charged"], none["causes"]) == ([], "1.25", ["no_invoice"])
    pk = nimbus.post(PATH, INVOICE).data["id"]
    (same,) = nimbus.get(RECONCILED).data["invoices"]
    assert (same["invoices"], same["claimed"], same["difference"], same["causes"]) == ([pk], "1.25", "0", [])
    nimbus.patch(f"{PATH}/{pk}", {"net": "2.00"})
    nimbus.post(PATH, {**INVOICE, "number": "N-2", "currency": "USD", "net": "5"})
    euro, dollar = nimbus.get(RECONCILED).data["invoices"]
    if euro["currency"] == "USD":
        euro, dollar = dollar, euro
    assert (euro["difference"], euro["causes"]) == ("0.75", ["higher"])
    assert (dollar["difference"], dollar["causes"]) == ("5", ["not_imported"])
