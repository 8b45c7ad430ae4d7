"""Imports under attack: corrected, repeated, undone and mutilated files, exact sums and the edges of days."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.terms import read_rates
from taktura.contracts import services as contracts
from taktura.contracts.models import ContractLine
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.invoices.models import Document, DocumentLine
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier, UsageException, UsageFile, UsageRecord

HEAD = "id,subscription_id,quantity,period_start,period_end,amount,cost_amount,revision\n"
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller in Berlin with a line of each pricing, each tied to the subscription of its name."""
    made = customers.create_seller(
        actor, name="S", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=read_rates(19)
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=made, kind=kind, format=kind[0].upper() + "-{number}", next=1)
    lines: dict[str, Any] = {
        "gb": {"charge": "usage", "price": 2},
        "seat": {"charge": "usage", "booking": "add_on", "usage_pricing": "fixed_quantity", "price": 8},
        "qty": {"charge": "usage", "usage_pricing": "usage_quantity", "price": 3},
        "cost": {"charge": "usage", "usage_pricing": "cost_plus", "markup": "10"},
        "theirs": {"charge": "usage", "usage_pricing": "imported_price"},
    }
    tariff = catalog.define_tariff(actor, seller=made, key="t", title="T", interval="1 month", lines=lines)
    customer = customers.create_customer(actor, seller=made, key="acme", name="Acme")
    customers.set_billing_information(actor, customer=customer, name="Acme", **ADDRESS)
    contract = contracts.sign(actor, key="C1", customer=customer, tariff=tariff, start=date(2026, 1, 1))
    contracts.book(actor, contract=contract, article="seat", start=date(2026, 1, 1), quantity=Decimal(5))
    supplier = usage.create_supplier(actor, seller=made, key="sun", create_subscriptions=True)
    for line in ContractLine.objects.select_related("article"):
        usage.link(actor, supplier=supplier, reference=line.article.key, line=line)
    return made


def load(actor: Actor, rows: str, name: str = "a.csv", head: str = HEAD, **more: Any) -> UsageFile:
    """Load a file of these rows."""
    supplier, content = Supplier.objects.get(), (head + rows).encode()
    received, _ = billing.receive_file(actor, supplier=supplier, name=name, content=content, **more)
    assert received.file is not None
    return received.file


def bill(actor: Actor, on: date) -> dict[str, int]:
    """A run; the net of each article on the documents it made, credits negative."""
    before = set(Document.objects.values_list("pk", flat=True))
    later = Actor(actor.name, datetime(on.year, on.month, on.day, 6, tzinfo=UTC))
    billing.bill(later, seller=Seller.objects.get(), on=on)
    net: dict[str, int] = {}
    for line in DocumentLine.objects.exclude(document__in=before).select_related("document"):
        sign = -1 if line.document.kind == "credit_note" else 1
        net[line.article] = net.get(line.article, 0) + sign * line.net
    return {article: amount for article, amount in net.items() if amount}


@pytest.mark.parametrize("article", ["gb", "seat", "qty", "cost", "theirs"])
def test_where_the_supplier_sets_the_price_only_its_amount_is_billed(
    seller: Seller, actor: Actor, article: str
) -> None:
    usage.change_supplier(actor, supplier=Supplier.objects.get(), unit_price_from_import=True)
    load(actor, f"1,{article},4,2026-05-01,2026-05-31,12.34,5,\n")
    assert bill(actor, date(2026, 6, 1)) == {article: 1234}


def test_a_corrected_file_after_billing_bills_and_credits_the_difference(seller: Seller, actor: Actor) -> None:
    load(actor, "1,gb,5,2026-05-10,,,,\n2,cost,1,2026-05-01,2026-05-31,,10,\n3,theirs,1,2026-05-01,,20,,\n")
    assert bill(actor, date(2026, 6, 1)) == {"gb": 1000, "cost": 1100, "theirs": 2000}
    load(actor, "1,gb,8,2026-05-10,,,,2\n2,cost,1,2026-05-01,2026-05-31,,4,2\n3,theirs,1,2026-05-01,,20,,2\n", "b.csv")
    assert bill(actor, date(2026, 6, 2)) == {"gb": 600, "cost": -660}
    again = load(actor, "1,gb,8,2026-05-10,,,,2\n2,cost,1,2026-05-01,2026-05-31,,4,2\n", "c.csv")
    assert (again.duplicates, again.recorded) == (2, 0)
    older = load(actor, "1,gb,99,2026-05-10,,,,1\n", "old.csv")
    assert older.recorded == 0 and bill(actor, date(2026, 6, 3)) == {}


def test_an_import_of_which_a_part_is_billed_stays_whole(seller: Seller, actor: Actor) -> None:
    file = load(actor, "1,gb,5,2026-05-10,,,,\n2,gb,5,2026-06-10,,,,\n3,nobody,5,2026-06-10,,,,\n")
    assert bill(actor, date(2026, 6, 1)) == {"gb": 1000}
    with pytest.raises(Refused) as refused:
        billing.undo_file(Actor(actor.name, datetime(2026, 6, 2, tzinfo=UTC)), file=file)
    assert refused.value.code == "conflict" and UsageRecord.objects.count() == 3
    with pytest.raises(Refused, match="loaded already"):
        load(actor, "1,gb,5,2026-05-10,,,,\n2,gb,5,2026-06-10,,,,\n3,nobody,5,2026-06-10,,,,\n", "again.csv")


BAD = {
    "bad_number": "x1,gb,1.000.0,2026-05-10,,,,\n",
    "bad_date": "x2,gb,1,2026-02-30,,,,\n",
    "bad_span": "x3,gb,1,2026-05-10,2026-05-01,,,\n",
    "no_quantity": "x4,gb,,2026-05-10,,,,\n",
    "no_subscription_id": "x5,,1,2026-05-10,,,,\n",
    "no_date": "x6,gb,1,,,,,\n",
    "too_long": "x7," + "s" * 201 + ",1,2026-05-10,,,,\n",
    "bad_line": "x8,gb,1,2026-05-10,,,,,,,,\n",
}


def test_bad_rows_of_each_kind_stop_no_good_one(seller: Seller, actor: Actor) -> None:
    good = [f"g{i},gb,1,2026-05-{i + 1:02},,,,\n" for i in range(len(BAD) + 1)]
    rows = "".join(a + b for a, b in zip(good, [*BAD.values(), ""], strict=True))
    file = load(actor, rows)
    assert list(file.problems.order_by("line").values_list("code", flat=True)) == list(BAD)
    assert list(file.problems.order_by("line").values_list("line", flat=True)) == [3 + 2 * i for i in range(len(BAD))]
    assert (file.rows, file.recorded) == (len(good) + len(BAD), len(good))
    assert all(file.problems.values_list("text", flat=True))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_odd_encodings_are_read_as_they_are_meant(seller: Seller, actor: Actor, encoding: str) -> None:
    content = "id,subscription_id,subscription_name,quantity,period_start\n1,gb,Größe – Öl €,1,2026-05-01\n"
    received, _ = billing.receive_file(
        actor, supplier=Supplier.objects.get(), name="a.csv", content=content.encode(encoding)
    )
    assert received.outcome.recorded == 1
    assert Supplier.objects.get().subscriptions.get(folded="gb").name == "Größe – Öl €"


def test_sums_are_exact_to_the_last_decimal(seller: Seller, actor: Actor) -> None:
    tiny = "0.000000000001"
    rows = "".join(f"{i},theirs,1,2026-05-{i % 28 + 1:02},,{tiny},,\n" for i in range(1000))
    load(actor, rows + "x,theirs,1,2026-05-01,,0.004999999000,,\n")
    assert bill(actor, date(2026, 6, 1)) == {"theirs": 1}, "0.004999999 + 1000 × 0.000000000001 is 0.005 exactly"
    load(actor, f"y,theirs,1,2026-05-01,,-{tiny},,\n", "b.csv")
    assert bill(actor, date(2026, 6, 2)) == {"theirs": -1}


def test_negative_quantities_and_costs_are_credits_once(seller: Seller, actor: Actor) -> None:
    load(actor, "1,qty,10,2026-05-01,2026-05-31,,,\n2,qty,-4,2026-05-01,2026-05-31,,,\n"
                "3,cost,1,2026-05-01,2026-05-31,,50,\n4,cost,-1,2026-05-01,2026-05-31,,-20,\n"
                "5,theirs,-2,2026-05-01,,-7.5,,\n6,theirs,2,2026-05-01,,10,,\n")  # fmt: skip
    assert bill(actor, date(2026, 6, 1)) == {"qty": 1800, "cost": 3300, "theirs": 250}


def test_rows_at_month_ends_and_when_the_clock_changes_fall_on_their_local_day(seller: Seller, actor: Actor) -> None:
    rows = (
        "1,gb,1,2026-03-31T21:59:59Z,,,,\n"  # 23:59:59 in Berlin: March
        "2,gb,1,2026-03-31T22:00:00Z,,,,\n"  # midnight: April
        "3,gb,1,2026-03-29T01:59:59+01:00,,,,\n"  # the second before the clock goes on
        "4,gb,1,2026-03-29T02:30:00,,,,\n"  # an hour that there is not
        "5,gb,1,2026-10-25T02:30:00,,,,\n"  # one that there is twice
        "6,gb,1,2026-02-28T23:59:59,,,,\n"
        "7,gb,1,2028-02-29,,,,\n"
    )
    file = load(actor, rows)
    assert file.problems.count() == 0
    days = dict(UsageRecord.objects.values_list("external_id", "day"))
    assert days == {
        "1": date(2026, 3, 31), "2": date(2026, 4, 1), "3": date(2026, 3, 29), "4": date(2026, 3, 29),
        "5": date(2026, 10, 25), "6": date(2026, 2, 28), "7": date(2028, 2, 29),
    }  # fmt: skip
    load(actor, "8,qty,31,2026-03-01T00:00:00+01:00,2026-04-01T00:00:00+02:00,,,\n", "span.csv")
    record = UsageRecord.objects.get(external_id="8")
    assert (record.day, record.end_day) == (date(2026, 3, 1), date(2026, 4, 1)), "743 hours are 31 days"


def test_a_mapping_that_changed_meanwhile_doubles_nothing(seller: Seller, actor: Actor) -> None:
    supplier = Supplier.objects.get()
    usage.change_supplier(actor, supplier=supplier, mapping={"id": "Ref", "quantity": "Wrong"})
    content = "Ref,subscription_id,Qty,period_start\n1,gb,5,2026-05-01\n2,gb,6,2026-05-02\n"
    first = load(actor, content, head="")
    assert (first.recorded, first.rows) == (0, first.rows) and first.problems.exists()
    usage.change_supplier(actor, supplier=supplier, mapping={"id": "Ref", "quantity": "Qty"})
    again = load(actor, content, head="")
    assert (again.pk, again.recorded, again.problems.count()) == (first.pk, 2, 0)
    usage.change_supplier(actor, supplier=supplier, mapping={"quantity": "Qty"})  # without ids, now
    with pytest.raises(Refused, match="loaded already"):
        load(actor, content, head="")
    assert bill(actor, date(2026, 6, 1)) == {"gb": 2200}


def test_the_same_rows_twice_in_one_file_and_in_another(seller: Seller, actor: Actor) -> None:
    file = load(actor, "1,gb,5,2026-05-01,,,,\n1,gb,5.0,2026-05-01,,,,\n1,gb,6,2026-05-01,,,,\n")
    assert (file.recorded, file.duplicates, file.conflicts) == (1, 1, 1)
    other = load(actor, "1,gb,5.00,2026-05-01,,,,\n1,GB,5,2026-05-01,,,,\n", "b.csv")
    assert (other.recorded, other.duplicates, other.conflicts) == (0, 2, 0), "a reference is one, whatever its case"
    assert bill(actor, date(2026, 6, 1)) == {"gb": 1000}
    assert not UsageException.objects.exists()
