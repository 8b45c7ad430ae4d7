"""Pages of suppliers' own invoices: entered with a file, held against the rows, corrected, taken out."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from taktura.billing import services as billing
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage.models import Supplier, SupplierInvoice

SignIn = Callable[..., Client]
MARCH = Actor("test", datetime(2026, 3, 2, 9, tzinfo=UTC))
ROWS = [
    {"id": f"n{n}", "subscription_id": "N-1", "quantity": "1", "cost_amount": cost, "period_start": "2026-02-03"}
    for n, cost in enumerate(["15.00", "10.00"])
]
TYPED = {
    "number": "<b>R-1</b>", "day": "2.3.2026", "first": "1.2.2026", "until": "28.2.2026", "net": "1,025.50",
    "currency": "eur", "note": "with\nfreight",
}  # fmt: skip


@pytest.fixture
def supplier(seller: Seller) -> Supplier:
    """A supplier whose rows of February cost 25.00."""
    found = Supplier.objects.get()
    billing.import_rows(MARCH, supplier=found, rows=ROWS)
    return found


def test_entered_with_its_file_and_held_against_the_rows(supplier: Supplier, client_as: SignIn) -> None:
    client, new = client_as(), f"/usage/suppliers/{supplier.pk}/invoices/new/"
    text = client.get(f"{new}?from=2026-02-01&until=2026-02-28").content.decode()
    assert "February" in text or "Feb" in text or "01/02/2026" in text or "2026-02-01" in text
    file = SimpleUploadedFile("../../R-1.pdf", b"%PDF-1.7\n")
    answer = client.post(new, TYPED | {"file": file})
    made = SupplierInvoice.objects.get()
    assert answer.headers["Location"] == f"/usage/invoices/{made.pk}/"
    assert (made.net, made.currency, made.end, made.file_name) == (
        Decimal("1025.50"), "EUR", date(2026, 3, 1), "R-1.pdf",
    )  # fmt: skip
    text = client.get(f"/usage/invoices/{made.pk}/").content.decode()
    assert "<b>R-1" not in text and "€1,025.50" in text and "€25.00" in text and "€1,000.50" in text
    assert "higher than the imported rows" in text and "/usage/files/new/" in text
    kept = client.get(f"/usage/invoices/{made.pk}/content/")
    assert kept.content == b"%PDF-1.7\n" and kept.headers["Content-Disposition"].startswith("attachment")
    for page in (f"/usage/suppliers/{supplier.pk}/", f"/usage/suppliers/{supplier.pk}/invoices/"):
        assert f"/usage/invoices/{made.pk}/" in client.get(page).content.decode()


def test_corrected_and_taken_out(supplier: Supplier, client_as: SignIn) -> None:
    client = client_as()
    client.post(
        f"/usage/suppliers/{supplier.pk}/invoices/new/", TYPED | {"file": SimpleUploadedFile("a.pdf", b"%PDF-")}
    )
    made = SupplierInvoice.objects.get()
    assert "a.pdf" in client.get(f"/usage/invoices/{made.pk}/correct/").content.decode()
    client.post(f"/usage/invoices/{made.pk}/correct/", TYPED | {"net": "25.00", "drop": "on"})
    made.refresh_from_db()
    assert (made.net, made.file_name, made.content) == (25, "", None)
    text = client.get(f"/usage/invoices/{made.pk}/").content.decode()
    assert "The supplier asks what was imported." in text
    assert client.get(f"/usage/invoices/{made.pk}/content/").status_code == 404
    client.post(f"/usage/invoices/{made.pk}/remove/")
    assert not SupplierInvoice.objects.exists()
    log = client.get("/settings/log/").content.decode()
    assert "Invoice of a supplier corrected" in log and "Invoice of a supplier taken out" in log


def test_what_cannot_be_stands_beside_its_field(supplier: Supplier, client_as: SignIn) -> None:
    client, new = client_as(), f"/usage/suppliers/{supplier.pk}/invoices/new/"
    exe = SimpleUploadedFile("a.pdf", b"MZ\x00\x01")
    for wrong, said in (
        ({"until": "1.1.2026"}, "ends before it begins"), ({"net": "1.005"}, "at most 2 decimals"),
        ({"net": "x"}, "is no number"), ({"number": ""}, "required"), ({"file": exe}, "is kept"),
    ):  # fmt: skip
        answer = client.post(new, TYPED | wrong)
        assert answer.status_code == 422 and said in answer.content.decode(), wrong
    assert not SupplierInvoice.objects.exists(), "with a bad file nothing is entered"


def test_two_people_at_one_invoice(supplier: Supplier, client_as: SignIn) -> None:
    client = client_as()
    client.post(f"/usage/suppliers/{supplier.pk}/invoices/new/", TYPED)
    pk = SupplierInvoice.objects.get().pk
    page = client.get(f"/usage/invoices/{pk}/correct/").content.decode()
    shown = page.partition('name="seen" id="seen" value="')[2].partition('"')[0]
    client.post(f"/usage/invoices/{pk}/correct/", TYPED | {"net": "7.00"})
    late = client.post(f"/usage/invoices/{pk}/correct/", TYPED | {"net": "8.00", "seen": shown})
    assert late.status_code == 422 and "Stored now: “7”" in late.content.decode()
    assert SupplierInvoice.objects.get().net == 7


def test_reconciliation_shows_them(supplier: Supplier, client_as: SignIn) -> None:
    client, page = client_as(), "/usage/reconciliation/?month=2026-02"
    text = client.get(page).content.decode()
    assert "No invoice of the supplier is entered" in text
    assert f"/usage/suppliers/{supplier.pk}/invoices/new/?from=2026-02-01&amp;until=2026-02-28" in text
    client.post(f"/usage/suppliers/{supplier.pk}/invoices/new/", TYPED | {"net": "25.00"})
    text = client.get(page).content.decode()
    assert "The supplier asks what was imported." in text
    viewer = client_as("viewer").get(f"{page}&from=2026-02-01&until=2026-02-14").content.decode()
    assert "invoices/new" not in viewer and "covers other days besides" in viewer
    alone = client_as().get("/usage/reconciliation/?month=2026-01").content.decode()
    assert "Nothing in this period" in alone
