"""Billing runs: in sets, each batch whole or not at all, and what fails is left out and named."""

import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.billing.models import BillingRun, Charge, RunProblem
from taktura.billing.proof import verify
from taktura.billing.services import run as running
from taktura.billing.services.run import Outcome
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document, NumberSeries
from taktura.invoices.queries import documents_of
from taktura.invoices.services import Ready, confirm_numbering
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database
from taktura.usage import services as usage
from taktura.usage.models import UsageRecord

ON = date(2026, 2, 1)
SOME_TIME = 0.7  # seconds
TARIFF: dict[str, Any] = {
    "title": "Hosting",
    "minimum_sales": "12",
    "lines": {
        "base": {"title": "Base", "charge": "recurring", "price": "10"},
        "traffic": {"title": "Traffic", "charge": "usage", "price": "0.01", "in_minimum": True},
    },
}
BILLING = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller with one tariff."""
    return make_seller(actor)


def make_seller(actor: Actor) -> Seller:
    """The seller of the fixture."""
    made = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind, form in (("invoice", "RE-{number}"), ("credit_note", "GS-{number}")):
        confirm_numbering(actor, seller=made, kind=kind, format=form, next=1)
    catalog.define_tariff(actor, seller=made, key="hosting", **TARIFF)
    return made


def sign(actor: Actor, seller: Seller, first: int, count: int, *, used: bool = True) -> list[Contract]:
    """Contracts of as many customers, with some usage each."""
    tariff = seller.tariffs.get(key="hosting")
    made = []
    for number in range(first, first + count):
        customer = customers.create_customer(actor, seller=seller, key=f"c{number}", name=f"Customer {number}")
        customers.set_billing_information(actor, customer=customer, name=customer.name, **BILLING)
        made.append(contracts.sign(actor, key=f"V{number}", customer=customer, tariff=tariff, start=date(2026, 1, 1)))
    if used:
        at = datetime(2026, 1, 20, 12, tzinfo=UTC)
        entries = [{"contract": c.key, "article": "traffic", "quantity": 100 + c.pk, "at": at} for c in made]
        billing.record_usage(actor, seller=seller, entries=entries)
    return made


def numbers() -> list[str]:
    """The numbers of all invoices, in the order of issue."""
    return list(Document.objects.filter(kind="invoice").order_by("id").values_list("number", flat=True))


def contracts_of(outcome: Outcome) -> list[int | None]:
    """The contracts of a run's documents, in the order of issue."""
    return list(documents_of(outcome.issued).values_list("contract_id", flat=True))


def _as_issued(ready: Ready) -> tuple[object, ...]:
    draft = ready.draft
    lines = [(line.entry.article, line.quantity, line.amount, line.net) for line in draft.lines]
    taxes = [(*t.vat, t.net, t.tax) for t in draft.taxes]
    return draft.kind, ready.customer.pk, ready.contract, draft.net, draft.tax, draft.gross, lines, taxes


def _as_stored(document: Document) -> tuple[object, ...]:
    lines = list(document.lines.order_by("position").values_list("article", "quantity", "amount", "net"))
    taxes = list(document.taxes.order_by("id").values_list("category", "rate", "net", "tax"))
    sums = (document.net, document.tax, document.gross)
    return document.kind, document.customer_id, document.contract_id, *sums, lines, taxes


def test_the_number_of_queries_does_not_depend_on_the_number_of_contracts(seller: Seller, actor: Actor) -> None:
    counts = []
    for first, count in ((1, 2), (101, 60)):
        sign(actor, seller, first, count)
        with CaptureQueriesContext(connection) as captured:
            outcome = billing.bill(actor, seller=seller, on=ON)
        assert len(outcome.issued) == count
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert counts[1] < 60


def test_a_preview_is_what_is_issued_and_writes_nothing(seller: Seller, actor: Actor) -> None:
    sign(actor, seller, 1, 3)
    with CaptureQueriesContext(connection) as captured:
        preview = billing.bill(actor, seller=seller, on=ON, preview=True)
    words = ("INSERT", "UPDATE", "DELETE", "COPY", "NEXTVAL", "FOR UPDATE")
    assert not [q["sql"] for q in captured if any(word in q["sql"].upper() for word in words)]
    assert (Document.objects.count(), BillingRun.objects.count()) == (0, 0)
    issued = documents_of(billing.bill(actor, seller=seller, on=ON).issued)
    assert [_as_issued(r) for r in preview.ready] == [_as_stored(d) for d in issued]


def test_a_contract_that_fails_is_named_and_left_out(
    seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sign(actor, seller, 1, 4)
    bad, broken = made[1].pk, made[2].pk
    right = running.due_of

    def due_of(known: Any, pk: int, scope: Any) -> Any:
        if pk == bad:
            raise Refused("invalid", "A price is missing.")
        if pk == broken:
            raise ZeroDivisionError("by nothing")
        return right(known, pk, scope)

    monkeypatch.setattr(running, "due_of", due_of)
    outcome = billing.bill(actor, seller=seller, on=ON)
    assert contracts_of(outcome) == [made[0].pk, made[3].pk]
    assert {(p.contract, p.code) for p in outcome.problems} == {(bad, "invalid"), (broken, "failed")}
    assert set(RunProblem.objects.values_list("contract_id", "code")) == {(bad, "invalid"), (broken, "failed")}
    monkeypatch.setattr(running, "due_of", right)
    again = billing.bill(actor, seller=seller, on=ON)
    assert contracts_of(again) == [bad, broken]
    assert numbers() == ["RE-1", "RE-2", "RE-3", "RE-4"]
    assert verify() == []


def test_incomplete_billing_information_is_named_and_billed_once_complete(seller: Seller, actor: Actor) -> None:
    made = sign(actor, seller, 1, 2)
    customer = Customer.objects.get(key="c1")
    customers.set_billing_information(actor, customer=customer, street="")
    outcome = billing.bill(actor, seller=seller, on=ON)
    assert contracts_of(outcome) == [made[1].pk]
    (problem,) = outcome.problems
    assert (problem.customer, problem.code) == (customer.pk, "billing_information_missing")
    assert "street" in problem.text
    customers.set_billing_information(actor, customer=customer, street="Hauptstraße 1")
    assert contracts_of(billing.bill(actor, seller=seller, on=ON)) == [made[0].pk]


def test_a_run_that_breaks_off_goes_on_with_the_rest(
    seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(actor, seller, 1, 6)
    monkeypatch.setattr(running, "BATCH", 2)
    right, calls = running.issue_documents, []

    def issue_documents(*arguments: Any) -> Any:
        calls.append(1)
        issued = right(*arguments)
        if len(calls) == 2:
            raise OSError("the power is gone")  # after the batch was written, before it is committed
        return issued

    monkeypatch.setattr(running, "issue_documents", issue_documents)
    with pytest.raises(OSError, match="power"):
        billing.bill(actor, seller=seller, on=ON)
    assert numbers() == ["RE-1", "RE-2"]
    assert set(Charge.objects.values_list("document__number", flat=True)) == {"RE-1", "RE-2"}
    outcome = billing.bill(actor, seller=seller, on=ON)
    assert len(outcome.issued) == 4
    assert numbers() == [f"RE-{n}" for n in range(1, 7)]
    assert Document.objects.values("contract").distinct().count() == 6
    assert verify() == []


def test_two_runs_at_once_bill_each_contract_once(seller: Seller, actor: Actor) -> None:
    sign(actor, seller, 1, 20)
    start = threading.Barrier(2)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            start.wait()
            billing.bill(actor, seller=seller, on=ON)
        except BaseException as error:  # noqa: BLE001 - told below, in the main thread
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert Document.objects.count() == 20
    assert sorted(numbers(), key=lambda n: int(n[3:])) == [f"RE-{n}" for n in range(1, 21)]
    assert verify() == []


def test_only_what_is_due_or_changed_is_looked_at(seller: Seller, actor: Actor) -> None:
    made = sign(actor, seller, 1, 5)
    billing.bill(actor, seller=seller, on=ON)
    assert billing.bill(actor, seller=seller, on=ON).contracts == 0
    at = datetime(2026, 1, 25, 12, tzinfo=UTC)
    late = [{"contract": made[2].key, "article": "traffic", "quantity": 10_000, "at": at}]
    billing.record_usage(actor, seller=seller, entries=late)
    outcome = billing.bill(actor, seller=seller, on=ON)
    assert outcome.contracts == 1
    (issued,) = outcome.issued
    # 10,000 × 0.01 more; the top-up that the minimum had asked for is taken into account.
    before = UsageRecord.objects.filter(contract=made[2]).exclude(quantity=10_000).get().quantity
    assert before is not None
    topped_up = max(Decimal(12), before * Decimal("0.01"))
    assert Document.objects.get(pk=issued).net == int((((before + 10_000) * Decimal("0.01")) - topped_up) * 100)
    assert verify() == []


TAMPERED = {
    "a line's amount": (
        "invoices_documentline",
        "UPDATE invoices_documentline SET net = net + 1 WHERE position = 1",
        "hash",
    ),
    "a title": ("invoices_documentline", "UPDATE invoices_documentline SET title = 'other' WHERE position = 1", "hash"),
    "a document's date": ("invoices_document", "UPDATE invoices_document SET due_on = due_on + 1", "hash"),
    "a charge": ("billing_charge", "UPDATE billing_charge SET amount = amount + 1 WHERE kind = 'recurring'", "proof"),
    "the log": ("audit_logentry", "UPDATE audit_logentry SET actor = 'nobody' WHERE id = 3", "log"),
    "a document gone": ("invoices_document", None, "gap"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_verify_finds_what_was_changed_behind_its_back(seller: Seller, actor: Actor, what: str) -> None:
    sign(actor, seller, 1, 3)
    billing.bill(actor, seller=seller, on=ON)
    assert verify() == []
    table, statement, word = TAMPERED[what]
    tables = ["billing_charge", "invoices_documentline", "invoices_documenttax", "invoices_documentstate"]
    tables.append("invoices_document")
    statements = (
        [statement]
        if statement
        else [
            f"DELETE FROM {t} WHERE {'id' if t == 'invoices_document' else 'document_id'} ="
            " (SELECT id FROM invoices_document WHERE number = 'RE-2')"
            for t in tables
        ]
    )
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        for name in {table, *(tables if statement is None else [])}:
            cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        for text in statements:
            cursor.execute(text)
    assert any(word in sentence for sentence in verify()), verify()


def test_verify_finds_what_no_run_would(seller: Seller, actor: Actor) -> None:
    made = sign(actor, seller, 1, 2)
    billing.bill(actor, seller=seller, on=ON)
    UsageRecord.objects.filter(contract=made[0]).update(quantity=5_000)
    assert any("V1" in sentence for sentence in verify())


def outcome_of(seller: Seller) -> list[tuple[object, ...]]:
    """All documents, without the ids in them."""
    documents = Document.objects.filter(seller=seller).order_by("id")
    return [(d.number, d.kind, d.contract and d.contract.key, *_as_stored(d)[3:]) for d in documents]


def test_several_processes_issue_what_one_does(seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH", 2)
    made = sign(actor, seller, 1, 13)
    customers.set_billing_information(actor, customer=Customer.objects.get(key="c8"), street="")
    told: list[tuple[int, int]] = []
    outcome = billing.bill(actor, seller=seller, on=ON, processes=3, progress=lambda *at: told.append(at))
    assert contracts_of(outcome) == [c.pk for c in made if c.key != "V8"]
    assert numbers() == [f"RE-{n}" for n in range(1, 13)]
    assert [p.code for p in outcome.problems] == ["billing_information_missing"]
    assert told == [(n, 13) for n in (2, 4, 6, 8, 10, 12, 13)]
    run = BillingRun.objects.get()
    assert (run.contracts, run.documents, run.problems.count()) == (13, 12, 1)
    parallel = outcome_of(seller)
    assert verify() == []
    with scratch_database():
        other = make_seller(actor)
        sign(actor, other, 1, 13)
        customers.set_billing_information(actor, customer=Customer.objects.get(key="c8"), street="")
        billing.bill(actor, seller=other, on=ON, processes=1)
        assert outcome_of(other) == parallel
        connections["default"].close()


def test_a_run_of_several_processes_that_is_refused_keeps_what_came_before(
    seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 1)
    made = sign(actor, seller, 1, 6)
    at = datetime(2026, 1, 25, 12, tzinfo=UTC)
    much = [{"contract": c.key, "article": "traffic", "quantity": 10_000, "at": at, "id": c.key} for c in made]
    billing.record_usage(actor, seller=seller, entries=[much[3]])
    billing.bill(actor, seller=seller, on=ON)
    billing.record_usage(actor, seller=seller, entries=much[:3] + much[4:])
    usage.withdraw_usage(actor, seller=seller, external_id="V4")
    NumberSeries.objects.filter(kind="credit_note").delete()
    with pytest.raises(Refused) as refused:
        billing.bill(actor, seller=seller, on=ON, processes=2)
    assert refused.value.code == "numbering_unconfirmed"
    assert numbers() == [f"RE-{n}" for n in range(1, 10)]  # the three before the credit note
    confirm_numbering(actor, seller=seller, kind="credit_note", format="GS-{number}", next=1)
    outcome = billing.bill(actor, seller=seller, on=ON, processes=2)
    assert contracts_of(outcome) == [made[3].pk, made[4].pk, made[5].pk]
    assert (len(outcome.credit_notes), len(outcome.invoices)) == (1, 2)
    assert verify() == []
