"""What is done with usage that waits, and corrections by hand (R6.5, R12.2, R17.3)."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.models import Article
from taktura.catalog.terms import read_rates
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import (
    ProductReference,
    SubscriptionLink,
    Supplier,
    SupplierCustomer,
    SupplierSubscription,
    UsageException,
    UsageHistory,
    UsageRecord,
)
from taktura.usage.queries import waiting_by_reason
from taktura.usage.services import Wish

FILE = b"""id,customer_id,customer_name,subscription_id,product_id,quantity,cost,period_start
1,K1,Acme,S-1,SEAT,2.5,1,2026-01-05
2,K1,Acme,S-1,SEAT,2.5,1,2026-01-06
3,K2,Beta,S-2,DISK,1,1,2026-01-07
"""


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller with one contract of two usage lines, and a supplier whose file waits."""
    made = customers.create_seller(actor, name="S", country="DE", currency="EUR", time_zone="UTC", vat=read_rates(19))
    lines = {
        "seat": {"charge": "usage", "price": 1, "booking": "add_on", "key": "seats"},
        "disk": {"charge": "usage", "usage_pricing": "cost_plus"},
    }
    tariff = catalog.define_tariff(actor, seller=made, key="t", title="T", lines=lines)
    customer = customers.create_customer(actor, seller=made, key="acme", name="Acme")
    contracts.sign(actor, key="C1", customer=customer, tariff=tariff, start=date(2026, 1, 1))
    supplier = usage.create_supplier(
        actor, seller=made, key="sun", name="Sun", create_customers=True, create_subscriptions=True
    )
    usage.receive_file(actor, supplier=supplier, name="a.csv", content=FILE)
    return made


def test_a_tie_lets_what_waits_find_its_line(seller: Seller, actor: Actor) -> None:
    supplier, line = Supplier.objects.get(), ContractLine.objects.get(article__key="disk")
    done = billing.tie(actor, supplier=supplier, ties=[("s-2", line)])
    assert (done.recorded, done.waiting) == (1, []), "what waits of others is not looked at"
    assert UsageRecord.objects.get(external_id="3").line_id == line.pk


def test_no_tie_is_written_when_one_is_refused(seller: Seller, actor: Actor) -> None:
    line = ContractLine.objects.get(article__key="disk")
    other = ContractLine.objects.get(article__key="disk")
    other.charge = "recurring"
    with pytest.raises(Refused):
        billing.tie(actor, supplier=Supplier.objects.get(), ties=[("S-1", line), ("S-2", other)])
    assert not SubscriptionLink.objects.exists()


def test_a_tie_that_is_taken_back_makes_its_usage_wait(seller: Seller, actor: Actor) -> None:
    supplier, line = Supplier.objects.get(), ContractLine.objects.get(article__key="disk")
    billing.tie(actor, supplier=supplier, ties=[("S-2", line), ("S-1", line)])
    seller.closed_until = date(2026, 1, 6)
    seller.save()
    supplier.refresh_from_db()
    billing.untie(actor, supplier=supplier, reference="S-1", line=line)
    on_line = UsageRecord.objects.filter(line=line).order_by("external_id").values_list("external_id", flat=True)
    assert list(on_line) == ["1", "3"], "usage of a closed period stays where it is"
    assert waiting_by_reason(seller.pk) == {"no_subscription": 1}
    with pytest.raises(Refused) as refused:
        billing.untie(actor, supplier=supplier, reference="S-1", line=line)
    assert refused.value.code == "not_found"


def test_a_contract_is_extended_and_the_product_remembered(seller: Seller, actor: Actor) -> None:
    supplier, contract = Supplier.objects.get(), Contract.objects.get()
    wish = usage.wish_of(supplier, "s-1", contract)
    (known,) = usage.extensions([wish])
    assert (known.article, known.quantity, known.start) == (None, Decimal(3), date(2026, 1, 5))
    wanted = replace(wish, article="seat", stands_for=True)
    (made,), done = billing.extend_contracts(actor, seller=seller, wishes=[wanted])
    line = made.line
    assert (done.recorded, line.start, line.quantities.get().quantity) == (2, date(2026, 1, 5), Decimal(3))
    assert ProductReference.objects.get().product == "SEAT"
    assert usage.extensions([wish])[0].article == "seat"
    with pytest.raises(Refused, match="no subscription"):
        usage.wish_of(supplier, "S-9", contract)


def test_a_subscription_that_only_usage_names_is_noted(seller: Seller, actor: Actor) -> None:
    supplier = Supplier.objects.get()
    SupplierSubscription.objects.all().delete()
    noted = usage.note_subscription(actor, supplier=supplier, reference="S-1")
    assert (noted.folded, noted.product, noted.quantity) == ("s-1", "seat", Decimal("2.5"))
    assert usage.note_subscription(actor, supplier=supplier, reference="s-1 ").pk == noted.pk
    with pytest.raises(Refused):
        usage.note_subscription(actor, supplier=supplier, reference="S-9")


def test_usage_for_a_contract_that_comes_later_finds_it(seller: Seller, actor: Actor) -> None:
    entries = [{"contract": "C2", "article": "disk", "quantity": 1, "cost": 2, "id": "d", "at": "2026-02-01"}]
    usage.record_usage(actor, seller=seller, entries=entries)
    record = UsageRecord.objects.get(external_id="d")
    assert (record.sent_to, record.contract_id) == ("C2", None)
    old = Contract.objects.get()
    for key, customer in (("C2", old.customer), ("X", old.customer)):
        contracts.sign(actor, key=key, customer=customer, tariff=old.tariff, start=date(2026, 1, 1))
    assert billing.process_again(actor, seller=seller).recorded == 1
    record.refresh_from_db()
    assert record.line is not None and record.line.contract.key == "C2"


def test_waiting_records_are_sent_elsewhere(seller: Seller, actor: Actor) -> None:
    entries = [{"contract": "C1", "key": "nobody", "quantity": n, "id": f"n{n}", "at": "2026-02-01"} for n in (1, 2)]
    usage.record_usage(actor, seller=seller, entries=entries)
    ids = list(UsageRecord.objects.values_list("pk", flat=True))
    done = billing.send_to(actor, seller=seller, records=ids, article="disk")
    assert (done.recorded, done.waiting) == (2, [])
    assert set(UsageHistory.objects.values_list("external_id", "revision")) == {("n1", 1), ("n2", 1)}
    assert waiting_by_reason(seller.pk) == {"no_subscription": 3}, "a supplier's rows are not sent elsewhere"
    with pytest.raises(Refused):
        billing.send_to(actor, seller=seller, records=ids)


def test_a_record_is_corrected(seller: Seller, actor: Actor) -> None:
    entries = [{"contract": "C1", "article": "disk", "quantity": 4, "cost": "0.5", "id": "r", "at": "2026-02-01"}]
    usage.record_usage(actor, seller=seller, entries=entries)
    record = UsageRecord.objects.get(external_id="r")
    changes = {"quantity": Decimal("2.25"), "start": date(2026, 2, 3), "until": date(2026, 2, 5)}
    outcome, _ = billing.correct_usage(actor, seller=seller, record=record, changes=changes)
    record.refresh_from_db()
    assert (outcome.recorded, record.revision, record.quantity) == (1, 2, Decimal("2.25"))
    assert (record.day, record.end_day, record.is_span) == (date(2026, 2, 3), date(2026, 2, 5), True)
    assert record.cost_amount == Decimal(2), "what is not named stays"
    again = usage.record_usage(
        actor,
        seller=seller,
        entries=[{"contract": "C1", "article": "disk", "quantity": "2.25", "cost": 1, "id": "r", "at": "2026-02-03"}],
    )
    assert again.conflicts == 1, "the same id with another content"


def test_a_suppliers_row_is_corrected_and_keeps_its_subscription(seller: Seller, actor: Actor) -> None:
    record = UsageRecord.objects.get(external_id="3")
    billing.correct_usage(actor, seller=seller, record=record, changes={"cost_amount": Decimal(-7)})
    record.refresh_from_db()
    assert (record.subscription, record.cost_amount, record.file_id) == ("s-2", Decimal(-7), None)
    old = UsageHistory.objects.get()
    assert (old.record["cost_amount"], old.record["row"]) == (1, 4)
    for changes in ({"article": "disk"}, {"seconds": 3}, {"cost_amount": None, "quantity": None}):
        with pytest.raises(Refused):
            usage.correct_usage(actor, seller=seller, record=record, changes=changes)


def test_closed_usage_is_not_corrected(seller: Seller, actor: Actor) -> None:
    seller.closed_until = date(2026, 2, 1)
    seller.save()
    record = UsageRecord.objects.get(external_id="3")
    with pytest.raises(Refused) as refused:
        usage.correct_usage(actor, seller=seller, record=record, changes={"quantity": Decimal(9)})
    assert refused.value.code == "closed_period"
    other = Seller.objects.create(name="O", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]])
    with pytest.raises(Refused) as refused:
        usage.correct_usage(actor, seller=other, record=record, changes={"quantity": Decimal(9)})
    assert refused.value.code == "not_found"


def test_a_supplier_changes(seller: Seller, actor: Actor) -> None:
    supplier = Supplier.objects.get()
    usage.change_supplier(actor, supplier=supplier, name="Sunny", mapping={"id": "Ref"}, create_customers=True)
    supplier.refresh_from_db()
    assert (supplier.name, supplier.mapping, supplier.key) == ("Sunny", {"id": "Ref"}, "sun")
    entry = LogEntry.objects.latest("id")
    assert entry.action == "change_supplier" and set(entry.data["after"]) == {"name", "mapping"}
    for wrong in (
        {"key": "x"}, {"name": " "}, {"currency": "euro"}, {"time_zone": "Mars/Base"}, {"mapping": {"nothing": "x"}},
    ):  # fmt: skip
        with pytest.raises(Refused):
            usage.change_supplier(actor, supplier=supplier, **wrong)
    with pytest.raises(Refused) as refused:
        usage.create_supplier(actor, seller=seller, key="sun")
    assert refused.value.code == "conflict"


def test_references_come_and_go(seller: Seller, actor: Actor) -> None:
    supplier, seat = Supplier.objects.get(), Article.objects.get(key="seat")
    with pytest.raises(Refused):
        usage.set_product_reference(actor, supplier=supplier, product=" ", article=seat)
    made = usage.set_product_reference(actor, supplier=supplier, product="SEAT", article=seat)
    usage.remove_product_reference(actor, reference=made)
    assert not ProductReference.objects.exists()
    row = usage.link_customer(actor, supplier=supplier, reference="K1", customer=Customer.objects.get())
    usage.unlink_customer(actor, row=row)
    assert SupplierCustomer.objects.get(reference="K1").customer is None


def test_a_file_knows_the_days_that_it_covers(seller: Seller, actor: Actor) -> None:
    file = Supplier.objects.get().files.get()
    assert (file.first_day, file.end_day) == (date(2026, 1, 5), date(2026, 1, 8))
    empty = usage.receive_file(actor, supplier=Supplier.objects.get(), name="e.csv", content=b"a;b\n1;2\n").file
    assert empty is not None and empty.first_day is None
    assert not UsageException.objects.filter(record__file=empty).exists()
    assert datetime(2026, 3, 1, 8, tzinfo=UTC) == empty.received_at


def test_a_row_without_the_price_that_it_is_billed_at_waits_however_often_it_is_processed(
    seller: Seller, actor: Actor
) -> None:
    supplier, line = Supplier.objects.get(), ContractLine.objects.get(article__key="disk")
    usage.change_supplier(actor, supplier=supplier, unit_price_from_import=True)
    bare = b"id,subscription_id,quantity,amount,period_start\n8,S-8,1,,2026-01-05\n9,S-8,1,2.50,2026-01-05\n"
    usage.receive_file(actor, supplier=supplier, name="bare.csv", content=bare)
    done = billing.tie(actor, supplier=supplier, ties=[("S-8", line)])
    assert (done.recorded, done.waiting) == (1, ["invalid"]), "it would be billed at nothing"
    billing.process_again(actor, seller=seller)
    row = UsageRecord.objects.get(external_id="8")
    assert row.line is None
    billing.correct_usage(actor, seller=seller, record=row, changes={"amount": "1.20"})
    assert UsageRecord.objects.get(external_id="8").line == line


def test_rows_come_to_the_line_of_their_product_once_a_second_line_carries_the_subscription(
    seller: Seller, actor: Actor
) -> None:
    """Until then the one line took them all, whatever their product (R17.1)."""
    supplier, contract = Supplier.objects.get(), Contract.objects.get()
    for product, article in (("SEAT", "seat"), ("DISK", "disk")):
        usage.set_product_reference(actor, supplier=supplier, product=product, article=Article.objects.get(key=article))
    rows = b"""id,subscription_id,product_id,quantity,cost,period_start
11,S-1,DISK,1,1,2026-01-08
12,S-1,OTHER,1,1,2026-01-09
13,S-1,SEAT,4,1,2026-01-15
"""
    usage.receive_file(actor, supplier=supplier, name="b.csv", content=rows)
    disk, s1 = ContractLine.objects.get(article__key="disk"), SupplierSubscription.objects.get(folded="s-1")
    billing.tie(actor, supplier=supplier, ties=[("S-1", disk)])
    assert set(UsageRecord.objects.filter(subscription="s-1").values_list("line", flat=True)) == {disk.pk}
    wish = Wish(subscription=s1, contract=contract, article="seat", quantity=Decimal(4), start=date(2026, 1, 6))
    billing.extend_contracts(actor, seller=seller, wishes=[wish])
    found = dict(UsageRecord.objects.filter(subscription="s-1").values_list("external_id", "line__article__key"))
    assert found == {"1": "disk", "2": "seat", "11": "disk", "12": "disk", "13": "seat"}, "1 lies before the new line"
    seller.refresh_from_db()
    assert not UsageException.objects.filter(record__subscription="s-1").exists()
