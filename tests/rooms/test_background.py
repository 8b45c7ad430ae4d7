"""Thresholds that are looked at by night, and files that are read in the background."""

import inspect
from datetime import UTC, date, datetime
from typing import Any

import pytest
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from taktura.billing import imports, tasks
from taktura.billing import services as billing
from taktura.billing.proof import verify
from taktura.billing.services import run as running
from taktura.catalog import services as catalog
from taktura.catalog.models import Tariff
from taktura.contracts import services as contracts
from taktura.contracts.models import ContractLine
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document, NumberSeries
from taktura.invoices.services import confirm_numbering
from taktura.kit import turns
from taktura.kit.actor import Actor
from taktura.kit.jobs import services as jobs
from taktura.kit.jobs.models import Work, WorkFile
from taktura.kit.jobs.retry import AGAIN
from taktura.kit.jobs.worker import run_worker
from taktura.usage import services as usage
from taktura.usage.models import RefusedFile, Supplier, UsageRecord

NIGHT = datetime(2026, 1, 20, 2, 40, tzinfo=UTC)
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}


@pytest.fixture
def seller(database: str, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> Seller:
    """A seller of calls at one euro each, with interim bills from 50 on."""
    monkeypatch.setattr(tasks, "utc_now", lambda: NIGHT)
    monkeypatch.setattr(imports, "utc_now", lambda: NIGHT)
    made = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=made, kind=kind, format=kind[0].upper() + "/{number}", next=1)
    lines = {"calls": {"title": "Calls", "charge": "usage", "price": "1", "key": "calls"}}
    catalog.define_tariff(actor, seller=made, key="t", title="T", lines=lines, interim_threshold="50")
    return made


def signed(actor: Actor, seller: Seller, key: str, *, complete: bool) -> Customer:
    customer = customers.create_customer(actor, seller=seller, key=key, name=f"Customer {key}")
    if complete:
        customers.set_billing_information(actor, customer=customer, name=customer.name, **ADDRESS)
    tariff = Tariff.objects.get()
    contracts.sign(actor, key=f"V-{key}", customer=customer, tariff=tariff, start=date(2026, 1, 1))
    return customer


def use(seller: Seller, key: str, quantity: str) -> None:
    entry = {
        "source": "pbx",
        "id": f"{key}-1",
        "contract": f"V-{key}",
        "article": "calls",
        "at": "2026-01-10T12:00:00Z",
    }
    outcome, _ = billing.record_usage(Actor("pbx", NIGHT), seller=seller, entries=[entry | {"quantity": quantity}])
    assert outcome.recorded == 1


def test_a_threshold_that_could_not_be_billed_when_usage_came_is_seen_by_night(seller: Seller, actor: Actor) -> None:
    late, below = (signed(actor, seller, key, complete=key == "below") for key in ("late", "below"))
    use(seller, "late", "60")
    use(seller, "below", "49.99")
    assert tasks.check_thresholds(timestamp=0) == [], "without an address nothing is billed"
    customers.set_billing_information(actor, customer=late, name=late.name, **ADDRESS)
    (issued,) = tasks.check_thresholds(timestamp=0)
    document = Document.objects.get(pk=issued)
    assert (document.customer, document.net, document.issued_on) == (late, 6000, date(2026, 1, 20))
    assert tasks.check_thresholds(timestamp=0) == [], "it is billed"
    assert not Document.objects.filter(customer=below).exists() and verify() == []


def test_what_one_seller_is_refused_stops_no_other_work(seller: Seller, actor: Actor) -> None:
    signed(actor, seller, "a", complete=False)
    use(seller, "a", "70")
    customers.set_billing_information(actor, customer=Customer.objects.get(), name="A", **ADDRESS)
    NumberSeries.objects.update(confirmed=False)
    assert tasks.check_thresholds(timestamp=0) == [] and not Document.objects.exists()


def test_long_work_of_all_rooms_goes_on_with_the_next_worker() -> None:
    product = {name: task for name, task in app.tasks.items() if task.func.__module__.startswith("taktura.")}
    long = {name: task for name, task in product.items() if "carry_out(" in inspect.getsource(task.func)}
    assert {"run_billing", "read_file", "send_documents"} <= long.keys()
    assert {name for name, task in long.items() if task.retry_strategy is not AGAIN} == set()


def test_a_worker_bills_in_several_processes(seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("a", "b", "c"):
        signed(actor, seller, key, complete=True)
        use(seller, key, "10")
    monkeypatch.setattr(running, "BATCH", 1)
    monkeypatch.setattr(running, "FEW", 0)
    monkeypatch.setattr(turns, "cores", lambda: 2)
    pids: list[int] = []
    right = turns.ProcessPoolExecutor
    monkeypatch.setattr(turns, "ProcessPoolExecutor", lambda *a, **k: (pids.append(1), right(*a, **k))[1])
    work = tasks.start_run(actor, seller=seller, on=date(2026, 2, 1), exclude=[])
    run_worker(until_done=True)
    work.refresh_from_db()
    assert (work.state, work.done, work.result["invoices"]) == ("done", 3, 3), work.error
    assert pids, "other processes had a part in it"
    assert [d.number for d in Document.objects.order_by("id")] == ["I/1", "I/2", "I/3"] and verify() == []


FILE = b"Abo;Produkt;Tag;Menge\nS-1;P;2026-01-05;3\nS-1;P;kein Tag;3\n"
MAPPING = {"subscription_id": "Abo", "product_id": "Produkt", "period_start": "Tag", "quantity": "Menge"}


@pytest.fixture
def supplier(seller: Seller, actor: Actor) -> Supplier:
    """A supplier whose files are small."""
    fields: dict[str, Any] = {"currency": "EUR", "time_zone": "Europe/Berlin", "mapping": MAPPING}
    return usage.create_supplier(actor, seller=seller, key="sun", name="Sun", **fields)


def read(work: Work) -> Work:
    imports.read_kept_file(work=work.pk)
    work.refresh_from_db()
    return work


def test_a_file_is_read_in_the_background(supplier: Supplier, actor: Actor) -> None:
    work = imports.start_reading(actor, supplier=supplier, name="januar.csv", content=FILE)
    assert ProcrastinateJob.objects.get(pk=work.job).task_name == "read_file" and not UsageRecord.objects.exists()
    with pytest.raises(Refused) as refused:
        imports.start_reading(actor, supplier=supplier, name="februar.csv", content=FILE + b"x")
    assert refused.value.code == "conflict"
    work = read(work)
    counts = {name: work.result[name] for name in ("rows", "recorded", "waiting", "problems", "documents")}
    assert work.state == "done", work.error
    assert counts == {"rows": 2, "recorded": 0, "waiting": 1, "problems": 1, "documents": []}
    assert supplier.files.get(pk=work.result["file"]).name == "januar.csv"


def test_the_same_file_again_is_refused_with_its_reason(supplier: Supplier, actor: Actor) -> None:
    read(imports.start_reading(actor, supplier=supplier, name="a.csv", content=FILE))
    with pytest.raises(Refused) as refused:
        imports.start_reading(actor, supplier=supplier, name="b.csv", content=FILE)
    assert refused.value.code == "conflict" and UsageRecord.objects.count() == 1


def test_what_cannot_be_read_in_the_background_is_noted_and_read_again(supplier: Supplier, actor: Actor) -> None:
    work = imports.start_reading(actor, supplier=supplier, name="a.csv", content=FILE)
    billing.receive_file(actor, supplier=supplier, name="by hand.csv", content=FILE)
    work = read(work)
    assert (work.state, work.result["refused"]["code"]) == ("failed", "conflict")
    noted = RefusedFile.objects.get()
    assert (noted.name, noted.origin, noted.code) == ("a.csv", "office", "conflict") and noted.file is not None
    assert UsageRecord.objects.count() == 1, "once, by whoever came first"
    billing.undo_file(actor, file=noted.file)
    assert read(imports.read_again(actor, file=noted.file)).state == "done"
    noted.refresh_from_db()
    assert UsageRecord.objects.count() == 1 and noted.settled_by == actor.name, "what is loaded is not looked at again"


def test_a_file_of_work_that_an_earlier_version_began_is_kept_and_read(supplier: Supplier, actor: Actor) -> None:
    for gone in (False, True):
        work = jobs.start(
            actor, kind="usage_file", subject=f"seller:{supplier.seller_id}", parameters={"supplier": supplier.pk},
            task=imports.read_kept_file, file=("a.csv", FILE + b"\n" * gone),
        )  # fmt: skip
        WorkFile.objects.filter(work=work.pk if gone else None).delete()
        work = read(work)
        assert work.state == ("failed" if gone else "done")
    assert work.result["refused"]["code"] == "not_found" and supplier.files.get().read_at is not None
    jobs.stop(work=work)
    assert read(work).state == "failed", "it has ended"


def test_what_waits_is_matched_again_by_parts_and_can_be_stopped(
    supplier: Supplier, seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed(actor, seller, "a", complete=True)
    rows = "\n".join(["Abo;Produkt;Tag;Menge", *(f"S-{n};P;2026-01-05;1" for n in range(7))])
    billing.receive_file(actor, supplier=supplier, name="a.csv", content=rows.encode())
    line = ContractLine.objects.get()
    usage.link_all(actor, supplier=supplier, ties=[(f"S-{n}", line) for n in range(6)])
    monkeypatch.setattr(imports, "MATCHED_AT_ONCE", 1)
    work = imports.start_matching(actor, seller=supplier.seller, supplier=supplier)
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> bool:
        told.append((done, total))
        return len(told) < 2

    assert imports._match(work, tell)["recorded"] == 4 and told == [(2, 7), (4, 7)]
    assert UsageRecord.objects.filter(line=line).count() == 4, "what is matched when it is stopped stays so"
    run_worker(until_done=True)
    work.refresh_from_db()
    assert (work.state, work.done, work.total) == ("done", 3, 3), work.error
    assert (work.result["recorded"], work.result["waiting"]) == (2, 1)
    assert UsageRecord.objects.filter(line=line).count() == 6 and verify() == []
