"""The read model of lists of documents: it says what documents, payments and credit notes say, at any time."""

from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.db import connections

from taktura.billing import services as billing
from taktura.billing.proof import verify
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.queries import line_for
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.invoices.models import ContractBalance, Document, DocumentState
from taktura.invoices.queries import balance, open_amount, status
from taktura.invoices.services import confirm_numbering, mail_document, pay
from taktura.invoices.services.states import wrong_balances, wrong_states
from taktura.kit.actor import Actor

LINES: dict[str, dict[str, Any]] = {
    "base": {"title": "Base", "price": "100"},
    "free": {"title": "Free", "price": "0", "booking": "add_on"},
}
ON = date(2026, 3, 1)


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller with three contracts billed for March, of a customer each."""
    made = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=made, kind=kind, format=kind[:1].upper() + "-{number}", next=1)
    tariff = catalog.define_tariff(actor, seller=made, key="office", title="Office", lines=LINES)
    for number in (1, 2, 3):
        customer = customers.create_customer(actor, seller=made, key=f"c{number}", name=f"Customer {number}")
        place = {"street": "Weg 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
        customers.set_billing_information(actor, customer=customer, name=customer.name, **place)
        contracts.sign(actor, key=f"V{number}", customer=customer, tariff=tariff, start=ON)
    billing.bill(actor, seller=made, on=ON)
    return made


def invoice(number: int) -> Document:
    """One of the invoices of the fixture."""
    return Document.objects.get(kind="invoice", number=f"I-{number}")


def state(document: Document) -> tuple[str, int]:
    """Payment state and open amount as lists have them; the rest of the row is that of the document."""
    row = DocumentState.objects.get(pk=document.pk)
    for name in (
        "seller_id",
        "kind",
        "number",
        "customer_id",
        "contract_id",
        "issued_on",
        "issued_at",
        "due_on",
        "net",
        "gross",
    ):
        assert getattr(row, name) == getattr(document, name), name
    if document.kind == "invoice":
        assert row.open == open_amount(document).minor
    return row.payment, row.open


def test_an_invoice_is_open_until_it_is_paid(seller: Seller, actor: Actor) -> None:
    assert state(invoice(1)) == ("open", 11900)
    pay(actor, document=invoice(1), amount=Decimal("19.00"), on=ON)
    assert state(invoice(1)) == ("partly_paid", 10000)
    pay(actor, document=invoice(1), amount=Decimal("120.00"), on=ON)
    assert state(invoice(1)) == ("paid", -2000)
    assert state(invoice(2)) == ("open", 11900)


def test_a_credit_note_lowers_what_is_open(seller: Seller, actor: Actor) -> None:
    billing.credit(actor, document=invoice(1), lines=[{"line": 1, "net": "40"}])
    assert state(invoice(1)) == ("open", 7140)
    billing.credit(actor, document=invoice(1))
    assert state(invoice(1)) == ("credited", 0)
    assert status(invoice(1)) == "paid"  # nothing is left of it
    assert {state(d) for d in Document.objects.filter(kind="credit_note")} == {("", 0)}


def test_a_change_of_quantity_does(seller: Seller, actor: Actor) -> None:
    line = line_for(invoice(1).contract, "base")  # type: ignore[arg-type]
    now = actor.at(datetime(2026, 3, 16, 8, tzinfo=UTC))
    billing.change_quantity(now, line=line, quantity=Decimal(0), start=date(2026, 3, 16))
    assert state(invoice(1))[0] == "open"
    assert state(invoice(1))[1] == 11900 - Document.objects.get(kind="credit_note").gross
    assert verify() == []


def test_what_is_open_of_a_contract_is_kept(seller: Seller, actor: Actor) -> None:
    """Invoices less credit notes less payments, whatever they are of."""
    pay(actor, document=invoice(1), amount=Decimal("19.00"), on=ON)
    billing.credit(actor, document=invoice(1))
    billing.credit(actor, document=invoice(2), lines=[{"line": 1, "net": "40"}])
    kept = dict(ContractBalance.objects.values_list("contract__key", "open"))
    assert kept == {"V1": -1900, "V2": 7140, "V3": 11900}
    for row in ContractBalance.objects.all():
        assert row.open == balance(row.contract_id).minor
    assert verify() == []


def test_the_proof_finds_a_balance_that_is_wrong_missing_or_idle(seller: Seller, actor: Actor) -> None:
    first, second, third = ContractBalance.objects.order_by("contract__key")
    ContractBalance.objects.filter(pk=first.pk).update(open=1)
    second.delete()
    assert wrong_balances() == ["V1", "V2"]
    assert len(verify()) == 2
    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE invoices_contractbalance")
        cursor.execute(import_module("taktura.invoices.migrations.0006_contract_balance").FILL)
    assert wrong_balances() == []
    assert third.open == 11900


def test_a_mail_in_the_outbox_is_known(seller: Seller, actor: Actor) -> None:
    assert DocumentState.objects.get(number="I-1").mailed_at is None
    mail_document(actor, document=invoice(1), to="a@b.example")
    assert dict(DocumentState.objects.values_list("number", "mailed_at")) == {
        "I-1": actor.now, "I-2": None, "I-3": None
    }  # fmt: skip


def test_the_proof_finds_a_row_that_is_wrong_or_missing(seller: Seller) -> None:
    assert wrong_states() == []
    DocumentState.objects.filter(number="I-1").update(payment="paid")
    DocumentState.objects.filter(number="I-2").update(customer=DocumentState.objects.get(number="I-1").customer_id)
    DocumentState.objects.filter(number="I-3").delete()
    assert wrong_states() == ["I-1", "I-2", "I-3"]
    assert len(verify()) == 3


def test_the_migration_fills_it_for_documents_of_before(seller: Seller, actor: Actor) -> None:
    pay(actor, document=invoice(1), amount=Decimal("19.00"), on=ON)
    pay(actor, document=invoice(3), amount=Decimal("119.00"), on=ON)
    mail_document(actor, document=invoice(3), to="a@b.example")
    billing.credit(actor, document=invoice(2))
    billing.credit(actor, document=invoice(3), lines=[{"line": 1, "net": "40"}])
    before = list(DocumentState.objects.order_by("pk").values())
    DocumentState.objects.all().delete()
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE invoices_documentstate ALTER issued_at DROP NOT NULL")
        for name in ("0003_document_states", "0004_state_issued_at", "0005_state_mailed_at"):
            cursor.execute(import_module(f"taktura.invoices.migrations.{name}").FILL)
    assert list(DocumentState.objects.order_by("pk").values()) == before
    assert {row["payment"] for row in before} == {"", "partly_paid", "credited", "paid"}
    assert wrong_states() == []
