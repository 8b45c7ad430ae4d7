"""Rows of a line at the supplier's price that carry none: they bill 0, and it is said before the bill (R17.1)."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from taktura.billing import services as billing
from taktura.billing.reconciliation import reconcile
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import ContractLine
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier, UsageFile
from taktura.usage.unpriced import unpriced, unpriced_of_file

ACTOR = Actor("test", datetime(2026, 3, 2, 9, tzinfo=UTC))
FEBRUARY, MARCH, APRIL = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
FILE = b"""id,subscription_id,quantity,cost_amount,amount,period_start,period_end
1,T-1,2,8.00,,2026-02-03,
2,T-1,1,4.00,6.00,2026-02-04,
3,T-1,0,0,,2026-02-05,
4,T-1,,4.00,,2026-02-06,
5,T-2,3,9.00,,2026-02-03,
6,T-9,3,9.00,,2026-02-03,
7,T-1,5,1.00,,2026-02-20,2026-03-10
"""


@pytest.fixture
def supplier(seller: Seller) -> Supplier:
    """A supplier whose file has a price for one row alone; a line at its price and one at ours take its rows."""
    made = usage.create_supplier(ACTOR, seller=seller, key="lab", name="Lab", create_subscriptions=True)
    theirs = {"title": "Theirs", "charge": "usage", "usage_pricing": "imported_price"}
    ours = {"title": "Ours", "charge": "usage", "price": "5"}
    tariff = catalog.define_tariff(ACTOR, seller=seller, key="lab", title="Lab", lines={"theirs": theirs, "ours": ours})
    contracts.sign(ACTOR, key="L-1", customer=Customer.objects.get(key="acme"), tariff=tariff, start=FEBRUARY)
    billing.receive_file(ACTOR, supplier=made, name="lab.csv", content=FILE)
    lines = {line.article.key: line for line in ContractLine.objects.filter(contract__key="L-1")}
    billing.tie(ACTOR, supplier=made, ties=[("T-1", lines["theirs"]), ("T-2", lines["ours"])])
    return made


def test_rows_without_a_price_are_counted_where_their_line_asks_for_one(supplier: Supplier) -> None:
    line = ContractLine.objects.get(contract__key="L-1", article__key="theirs").pk
    assert unpriced(supplier, FEBRUARY, MARCH) == [("t-1", line, "EUR", 3)]  # neither nothing, nor the tariff's price
    assert unpriced(supplier, MARCH, APRIL) == [("t-1", line, "EUR", 1)]  # the span
    assert unpriced(supplier, date(2026, 2, 4), date(2026, 2, 6)) == []
    assert unpriced_of_file(UsageFile.objects.get()) == 3


def test_only_terms_at_the_suppliers_price_ask_for_one(supplier: Supplier) -> None:
    """From 5 February the line has a price of its own; what lies before lacks one still."""
    line = ContractLine.objects.get(contract__key="L-1", article__key="theirs")
    ours = ContractLine.objects.get(contract__key="L-1", article__key="ours").stretches.get().tariff_line
    line.stretches.create(tariff_line=ours, effective_from=date(2026, 2, 5))
    assert [number for *_place, number in unpriced(supplier, FEBRUARY, MARCH)] == [1]


def test_rows_without_a_cost_are_counted_where_it_is_marked_up(supplier: Supplier, seller: Seller) -> None:
    """A file whose mapping names no cost: each row would be billed at 0. A supplier whose prices hold needs no cost."""
    marked = {"title": "Marked up", "charge": "usage", "usage_pricing": "cost_plus", "markup": "10"}
    tariff = catalog.define_tariff(ACTOR, seller=seller, key="plus", title="Plus", lines={"plus": marked})
    contracts.sign(ACTOR, key="L-2", customer=Customer.objects.get(key="acme"), tariff=tariff, start=FEBRUARY)
    line = ContractLine.objects.get(contract__key="L-2")
    billing.tie(ACTOR, supplier=supplier, ties=[("T-3", line)])
    text = b"id,subscription_id,quantity,cost_amount,amount,period_start\n" + b"".join(
        b"P%d,T-3,%s,%s,9.00,2026-02-03\n" % (n, *cells)
        for n, cells in enumerate([(b"2", b""), (b"1", b"4"), (b"0", b"")])
    )
    received, _ = billing.receive_file(ACTOR, supplier=supplier, name="plus.csv", content=text)
    assert received.file is not None and received.outcome.recorded == 3
    assert unpriced_of_file(received.file) == 1
    rows = {row.reference: row for row in reconcile(supplier, FEBRUARY, MARCH).rows}
    assert "no_price" in rows["T-3"].causes and rows["T-3"].unpriced == 1
    usage.change_supplier(ACTOR, supplier=supplier, unit_price_from_import=True)
    text = text.replace(b"\nP", b"\nQ")
    received, _ = billing.receive_file(ACTOR, supplier=supplier, name="priced.csv", content=text)
    assert received.file is not None and unpriced_of_file(received.file) == 0


def test_it_is_said_before_and_after_the_bill(supplier: Supplier, seller: Seller) -> None:
    for told in (("no_price", "not_billed"), ("no_price", "loss")):
        rows = {row.reference: row for row in reconcile(supplier, FEBRUARY, MARCH).rows}
        assert (rows["T-1"].causes, rows["T-1"].unpriced) == (told, 3)
        assert "no_price" not in rows["T-2"].causes + rows["T-9"].causes
        billing.bill(ACTOR, seller=seller, on=APRIL, contract=line_contract(), processes=1)


def line_contract() -> int:
    """The contract's id."""
    return ContractLine.objects.filter(contract__key="L-1").values_list("contract", flat=True)[0]


def test_the_pages_name_it_and_lead_to_the_mapping(supplier: Supplier, client_as: Callable[..., Client]) -> None:
    client, file = client_as(), UsageFile.objects.get()
    mapping = reverse("supplier_change", args=[supplier.pk])
    text = client.get(f"/usage/files/{file.pk}/").content.decode()
    todo = text.partition('aria-label="What to do"')[2].partition("</aside>")[0]
    assert "No price or cost in the file" in todo and '<span class="figure">3</span>' in todo and mapping in todo
    assert "Without price or cost: 3" in text
    text = client.get(f"/usage/reconciliation/?supplier={supplier.pk}&month=2026-02").content.decode()
    table = text.partition('id="subscriptions"')[2]
    assert "No price or cost in the file" in table and mapping in table
    billing.undo_file(ACTOR, file=file)
    assert "No price or cost in the file" not in client.get(f"/usage/files/{file.pk}/").content.decode()
