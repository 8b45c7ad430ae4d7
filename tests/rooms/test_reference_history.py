"""What imports say of a supplier's customers and subscriptions: kept, brought up to date, each change with its file."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from taktura.catalog import services as catalog
from taktura.catalog.models import Article
from taktura.catalog.terms import read_rates
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage import reader
from taktura.usage import services as usage
from taktura.usage.models import (
    ReferenceChange,
    Supplier,
    SupplierCustomer,
    SupplierProduct,
    SupplierSubscription,
    UsageFile,
)
from taktura.usage.queries import changes_of
from taktura.usage.services import files

HEAD = (
    "id,customer_id,customer_name,subscription_id,subscription_name,subscription_description,subscription_start,"
    "subscription_end,product_id,product_name,unit,quantity,period_start\n"
)
FIRST = "1,K1,Acme,S-1,Mail,50 GB,2026-01-01,2026-12-31,P-1,Mailbox,seat,2.50,2026-01-05\n"


@pytest.fixture
def supplier(database: str, actor: Actor) -> Supplier:
    """A supplier whose files make customers and subscriptions."""
    seller = customers.create_seller(actor, name="S", country="DE", currency="EUR", time_zone="UTC", vat=read_rates(19))
    return usage.create_supplier(actor, seller=seller, key="sun", create_customers=True, create_subscriptions=True)


def load(actor: Actor, supplier: Supplier, rows: str, name: str) -> None:
    """Load a file of these rows."""
    usage.receive_file(actor, supplier=supplier, name=name, content=(HEAD + rows).encode())


def told(supplier: Supplier, kind: str = "subscription") -> list[tuple[str, bool, dict[str, list[object]]]]:
    """The changes, the oldest first: by which file, whether it was new, what."""
    rows = changes_of(supplier, kind).order_by("pk")
    return [(c.file.name if c.file else c.by, c.made, c.changes) for c in rows]


def test_what_is_first_seen_is_kept_with_all_that_the_row_says(actor: Actor, supplier: Supplier) -> None:
    load(actor, supplier, FIRST, "jan.csv")
    row = SupplierSubscription.objects.get()
    said = (row.customer_reference, row.reference, row.name, row.description, row.start, row.end, row.product)
    assert said == ("K1", "S-1", "Mail", "50 GB", date(2026, 1, 1), date(2026, 12, 31), "P-1")
    assert (row.product_name, row.unit, row.quantity) == ("Mailbox", "seat", Decimal("2.50"))
    [(file, made, changes)] = told(supplier)
    assert (file, made, changes["quantity"], changes["name"]) == (
        "jan.csv",
        True,
        [None, Decimal("2.50")],
        [None, "Mail"],
    )
    assert told(supplier, "customer") == [("jan.csv", True, {"name": [None, "Acme"]})]


def test_a_later_import_tells_what_it_changed_and_nothing_else(actor: Actor, supplier: Supplier) -> None:
    load(actor, supplier, FIRST, "jan.csv")
    load(actor, supplier, FIRST.replace("1,K1", "2,K1").replace("2026-01-05", "2026-02-05"), "same.csv")
    assert len(told(supplier)) == 1, "2.50 is 2.5, and the same name is no change"
    later = "3,k1,Acme AG,s-1,Mail,50 GB,2026-01-01,2027-12-31,P-1,Mailbox,seat,4,2026-03-05\n"
    load(actor, supplier, later, "march.csv")
    assert told(supplier)[1:] == [
        ("march.csv", False, {"customer_reference": ["K1", "k1"], "end": ["2026-12-31", "2027-12-31"],
                              "quantity": [Decimal("2.5"), 4]})
    ]  # fmt: skip
    assert told(supplier, "customer")[1:] == [("march.csv", False, {"name": ["Acme", "Acme AG"]})]
    assert SupplierSubscription.objects.get().reference == "S-1", "a reference is one, however it is written"


def test_what_a_file_does_not_say_stays_as_it_is_known(actor: Actor, supplier: Supplier) -> None:
    load(actor, supplier, FIRST, "jan.csv")
    load(actor, supplier, "2,K1,,S-1,,,,,,,,,2026-02-05\n".replace(",,,2026", ",,3,2026"), "bare.csv")
    row = SupplierSubscription.objects.get()
    assert (row.name, row.end, row.product, row.quantity) == ("Mail", date(2026, 12, 31), "P-1", Decimal(3))
    assert SupplierCustomer.objects.get().name == "Acme"
    assert told(supplier)[1:] == [("bare.csv", False, {"quantity": [Decimal("2.5"), 3]})]
    march = FIRST.replace("1,K1", "3,K1").replace("2026-12-31", "").replace("2026-01-05", "2026-03-05")
    load(actor, supplier, march, "open.csv")
    assert SupplierSubscription.objects.get().end is None, "a row with a start says the end, too"


def test_the_latest_day_of_a_file_counts_wherever_it_stands(actor: Actor, supplier: Supplier) -> None:
    rows = FIRST.replace("2.50,2026-01-05", "9,2026-01-31") + FIRST.replace("1,K1", "2,K1")
    load(actor, supplier, rows, "unsorted.csv")
    assert SupplierSubscription.objects.get().quantity == 9


def test_a_credit_does_not_say_how_many_there_are(actor: Actor, supplier: Supplier) -> None:
    """Else a contract would be extended by none, where the supplier has taken back some of a month."""
    credit = FIRST.replace("1,K1", "2,K1").replace("2.50,2026-01-05", "-1,2026-01-31")
    load(actor, supplier, FIRST + credit, "after.csv")
    assert SupplierSubscription.objects.get().quantity == Decimal("2.5")
    load(actor, supplier, credit.replace("2,K1", "3,K1").replace("01-31", "02-28"), "alone.csv")
    assert SupplierSubscription.objects.get().quantity == Decimal("2.5")
    other = (credit + FIRST).replace("S-1", "S-2").replace("1,K1", "5,K1").replace("2,K1", "6,K1")
    load(actor, supplier, other, "before.csv")
    assert SupplierSubscription.objects.get(reference="S-2").quantity == Decimal("2.5")


LATER = "3,K1,Acme AG,S-1,Mail Plus,,2026-02-01,2027-01-31,P-2,Mailbox L,seat,9,2026-03-01\n"


def master(reference: str = "s-1") -> tuple[object, ...]:
    """What is known of a subscription."""
    row = SupplierSubscription.objects.get(folded=reference)
    return row.name, row.description, row.start, row.end, row.product, row.product_name, row.quantity


def test_an_older_file_that_comes_later_overwrites_nothing(actor: Actor, supplier: Supplier) -> None:
    load(actor, supplier, LATER, "march.csv")
    load(actor, supplier, FIRST, "jan.csv")
    newer = ("Mail Plus", "50 GB", date(2026, 2, 1), date(2027, 1, 31), "P-2", "Mailbox L", Decimal(9))
    assert master() == newer, "only what was not known is filled in"
    assert SupplierCustomer.objects.get().name == "Acme AG"
    *_, last = changes_of(supplier, "subscription").order_by("pk")
    assert (last.made, last.day, last.changes) == (False, date(2026, 1, 5), {"description": ["", "50 GB"]})
    assert last.kept == {
        "name": ["Mail Plus", "Mail"], "start": ["2026-02-01", "2026-01-01"], "end": ["2027-01-31", "2026-12-31"],
        "product": ["P-2", "P-1"], "product_name": ["Mailbox L", "Mailbox"], "quantity": [9, Decimal("2.5")],
    }  # fmt: skip
    *_, customer = changes_of(supplier, "customer").order_by("pk")
    assert (customer.changes, customer.kept) == ({}, {"name": ["Acme AG", "Acme"]})
    load(actor, supplier, LATER.replace("3,K1", "4,K1").replace(",9,", ",7,"), "again.csv")
    assert master()[-1] == 7, "of the same day the last file counts"


def test_what_was_undone_is_no_later_word(actor: Actor, supplier: Supplier) -> None:
    load(actor, supplier, FIRST, "jan.csv")
    load(actor, supplier, LATER.replace("2026-03-01", "2062-03-01"), "wrong-year.csv")
    usage.undo_file(actor, file=UsageFile.objects.get(name="wrong-year.csv"))
    load(actor, supplier, LATER, "march.csv")
    assert (master()[0], master()[-1]) == ("Mail Plus", 9)
    assert SupplierCustomer.objects.get().told_day == SupplierSubscription.objects.get().told_day == date(2026, 3, 1)


CONFLICT = "1,K9,Other,S-1,Mail Max,,2026-01-01,2030-12-31,P-9,Mailbox XL,desk,7,2026-01-05\n"


def test_a_row_in_conflict_changes_nothing(actor: Actor, supplier: Supplier) -> None:
    load(actor, supplier, FIRST, "jan.csv")
    before = master()
    load(actor, supplier, CONFLICT, "conflict.csv")
    assert UsageFile.objects.get(name="conflict.csv").conflicts == 1
    assert (master(), len(told(supplier))) == (before, 1)
    assert [c.reference for c in SupplierCustomer.objects.all()] == ["K1"]
    assert list(SupplierProduct.objects.values_list("product", flat=True)) == ["P-1"]
    load(actor, supplier, CONFLICT.replace("S-1", "S-2"), "elsewhere.csv")
    assert SupplierSubscription.objects.count() == 1, "no subscription without a row that was taken in"


def test_beside_a_row_in_conflict_the_others_of_its_file_count(actor: Actor, supplier: Supplier) -> None:
    load(actor, supplier, FIRST, "jan.csv")
    good = FIRST.replace("1,K1", "2,K1").replace("2.50,2026-01-05", "4,2026-01-03").replace("Acme", "Acme AG")
    load(actor, supplier, good.replace("01-03", "01-05") + CONFLICT, "first.csv")
    assert (master()[0], master()[-1]) == ("Mail", 4)
    assert [c.name for c in SupplierCustomer.objects.all()] == ["Acme AG"]
    again = (FIRST + CONFLICT).replace("1,K", "3,K").replace("S-1", "S-3")
    load(actor, supplier, again, "one-file.csv")
    assert master("s-3")[-1] == Decimal("2.5"), "of two rows with one id in a file, the first is the one taken in"


def test_rows_by_the_api_in_conflict_change_nothing(actor: Actor, supplier: Supplier) -> None:
    row = {"id": "1", "subscription_id": "S-1", "quantity": 2, "period_start": "2026-01-01"}
    other = row | {"id": "2", "quantity": 3}
    usage.import_rows(actor, supplier=supplier, rows=[row])
    usage.import_rows(actor, supplier=supplier, rows=[other, row | {"quantity": 9}])
    assert master()[-1] == 3


def test_an_outdated_revision_changes_nothing(actor: Actor, supplier: Supplier) -> None:
    row = {"id": "1", "subscription_id": "S-1", "quantity": 2, "period_start": "2026-01-01", "revision": 2}
    old = row | {"quantity": 9, "revision": 1}
    usage.import_rows(actor, supplier=supplier, rows=[row])
    usage.import_rows(actor, supplier=supplier, rows=[old])
    assert master()[-1] == 2
    usage.import_rows(actor, supplier=supplier, rows=[row | {"quantity": 5, "revision": 3}])
    assert master()[-1] == 5, "a revision that is taken in tells"


def test_a_correction_of_a_closed_period_changes_nothing(actor: Actor, supplier: Supplier) -> None:
    row = {"id": "1", "subscription_id": "S-1", "quantity": 2, "period_start": "2026-01-01", "revision": 1}
    usage.import_rows(actor, supplier=supplier, rows=[row])
    Seller.objects.update(closed_until=date(2026, 2, 1))
    usage.import_rows(actor, supplier=supplier, rows=[row | {"quantity": 5, "revision": 2}])
    assert master()[-1] == 2


def test_a_file_without_conflicts_is_read_once(
    actor: Actor, supplier: Supplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where a row that was refused would have told is it read again."""
    times = []
    monkeypatch.setattr(files, "read", lambda *given: times.append(1) or reader.read(*given))
    load(actor, supplier, FIRST, "jan.csv")
    later = FIRST.replace("1,K1", "2,K1").replace("01-05", "02-05")
    load(actor, supplier, CONFLICT.replace("K9", "K1").replace("P-9", "P-1") + later, "both.csv")
    assert len(times) == 2
    load(actor, supplier, CONFLICT, "conflict.csv")
    assert len(times) == 4


def test_of_one_file_the_latest_name_of_a_customer_counts(actor: Actor, supplier: Supplier) -> None:
    load(actor, supplier, LATER + FIRST + FIRST.replace("1,K1,Acme", "2,K1,").replace("01-05", "12-05"), "all.csv")
    assert SupplierCustomer.objects.get().name == "Acme AG"


def test_rows_by_the_api_leave_their_trace_too(actor: Actor, supplier: Supplier) -> None:
    rows = [{"subscription_id": "S-1", "quantity": 1, "period_start": "2026-01-01"}]
    usage.import_rows(actor, supplier=supplier, rows=rows)
    assert [(by, made) for by, made, _ in told(supplier)] == [(actor.name, True)]


def test_as_many_queries_for_a_thousand_as_for_five_hundred(actor: Actor, supplier: Supplier) -> None:
    counts = []
    for number, start in ((500, 0), (1000, 500), (1000, 500)):
        rows = "".join(
            FIRST.replace("1,K1", f"{len(counts)}-{i},K{i}").replace("S-1", f"S-{i}")
            for i in range(start, start + number)
        )
        with CaptureQueriesContext(connection) as asked:
            load(actor, supplier, rows, f"{len(counts)}.csv")
        counts.append(len(asked))
    assert counts[1] <= counts[0] and ReferenceChange.objects.filter(kind="subscription").count() == 1500


def test_a_reference_is_one_of_its_supplier_and_kind_without_regard_to_case(actor: Actor, supplier: Supplier) -> None:
    other = usage.create_supplier(actor, seller=supplier.seller, key="moon", create_customers=True,
                                  create_subscriptions=True)  # fmt: skip
    row = "1,REF,Acme,REF,,,,,REF,,,1,2026-01-05\n2,ref,Acme,Ref,,,,,rEF,,,1,2026-01-06\n"
    for one in (supplier, other):
        load(actor, one, row, "a.csv")
    assert SupplierSubscription.objects.count() == SupplierCustomer.objects.count() == 2
    catalog.define_tariff(actor, seller=supplier.seller, key="t", title="T", lines={"seat": {"charge": "usage"}})
    article = Article.objects.get(key="seat")
    first = usage.set_product_reference(actor, supplier=supplier, product="REF", article=article)
    assert usage.set_product_reference(actor, supplier=supplier, product=" ref", article=article).pk == first.pk
    assert usage.set_product_reference(actor, supplier=other, product="ref", article=article).pk != first.pk
    for kind in (SupplierSubscription, SupplierCustomer):
        with pytest.raises(IntegrityError), transaction.atomic():
            kind.objects.create(supplier=supplier, reference="ref", folded="ref")
