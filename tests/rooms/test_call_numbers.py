"""Telephone numbers of calls are masked after the time that the company says; nothing is billed otherwise by it."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.billing.explain import explain
from taktura.billing.proof import verify
from taktura.catalog import services as catalog
from taktura.catalog.terms import read_rates
from taktura.contracts import services as contracts
from taktura.contracts.models import ContractLine
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import FileProblem, Supplier, UsageFile, UsageHistory, UsageRecord
from taktura.usage.reader import READY
from taktura.usage.services.numbers import mask_numbers
from taktura.usage.store import numbers as store
from taktura.usage.tasks import mask_old_numbers
from taktura.usage.trace import content_of, row_of

ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
MAPPING = {**READY["asterisk"], "attributes": {"caller": "src", "called": "dst", "trunk": "dstchannel"}}
CALLED = "030 1234567"


def at(month: int, day: int = 1) -> Actor:
    """Who acts on a day of 2026, in the morning."""
    return Actor("test", datetime(2026, month, day, 8, tzinfo=UTC))


@pytest.fixture
def supplier(database: str, actor: Actor) -> Iterator[Supplier]:
    """A telephone system of which the calls of the number 4930123 cost 1.00 a minute."""
    seller = customers.create_seller(
        actor, name="Seller", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=read_rates(19)
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=seller, kind=kind, format=kind[0].upper() + "-{number}", next=1)
    lines = {"talk": {"charge": "usage", "price": 1, "unit": "minute", "tick": "second"}}
    tariff = catalog.define_tariff(actor, seller=seller, key="pbx", title="PBX", interval="1 month", lines=lines)
    customer = customers.create_customer(actor, seller=seller, key="acme", name="Acme")
    customers.set_billing_information(actor, customer=customer, name="Acme", **ADDRESS)
    contracts.sign(actor, key="C1", customer=customer, tariff=tariff, start=date(2026, 1, 1))
    made = usage.create_supplier(actor, seller=seller, key="pbx", mapping=MAPPING)
    usage.link(actor, supplier=made, reference="4930123", line=ContractLine.objects.get(article__key="talk"))
    yield made


def master(*calls: dict[str, Any]) -> bytes:
    """Asterisk's Master.csv of these calls."""
    usual = dict.fromkeys(READY["asterisk"]["headings"], "") | {
        "accountcode": "4930123", "src": "4930123", "dst": CALLED, "dstchannel": "SIP/0301234567",
        "answer": "2026-01-10 10:00:00", "billsec": "90", "disposition": "ANSWERED",
    }  # fmt: skip
    return "\n".join(",".join((usual | call).values()) for call in calls).encode()


def load(supplier: Supplier, *calls: dict[str, Any], by: Actor | None = None, name: str = "Master.csv") -> UsageFile:
    """Load a file of these calls, on the first of February if nothing else is said."""
    received, _ = billing.receive_file(by or at(2), supplier=supplier, name=name, content=master(*calls))
    assert received.file is not None
    return received.file


def numbers_in_the_clear() -> list[str]:
    """The tables in which the number called still stands as it was."""
    found = []
    for table in ("usage_usagerecord", "usage_usagehistory", "usage_fileproblem"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table} r WHERE regexp_replace(r::text, ' ', '', 'g') ~ '0301234567'")
            found += [table] if cursor.fetchone()[0] else []
    found += ["content"] if any(b"1234567" in bytes(f.content) for f in UsageFile.objects.all()) else []
    return found


def test_the_last_digits_go_and_nothing_else_changes(supplier: Supplier) -> None:
    content = {"uniqueid": "1"}, {"uniqueid": "2", "accountcode": "77"}, {"uniqueid": "3", "billsec": CALLED}
    file = load(supplier, *content)
    (pk,) = billing.bill(at(2), seller=supplier.seller, on=date(2026, 2, 1)).invoices
    invoice = Document.objects.get(pk=pk)
    assert invoice.net == 150
    before = UsageRecord.objects.order_by("id").values()
    was = [{k: v for k, v in row.items() if k not in ("attributes", "numbers")} for row in before]
    told = explain(invoice, 1).rows()
    assert len(told) == 1
    assert mask_numbers(at(7, 9), seller=supplier.seller)["records"] == 0, "kept for six months after the day"
    assert mask_numbers(at(7, 12), seller=supplier.seller) == {"records": 2, "revisions": 0, "files": 1}
    rows = UsageRecord.objects.order_by("id").values()
    assert [{k: v for k, v in row.items() if k not in ("attributes", "numbers")} for row in rows] == was
    assert [(row["attributes"], row["numbers"]) for row in rows] == [
        ({"caller": "4930xxx", "called": "030 1234xxx", "trunk": "SIP/0301234567"}, None)
    ] * 2  # what the mapping does not name as a number stays
    file.refresh_from_db()
    assert bytes(file.content) == b"" and file.emptied_at is not None and row_of(file, 1) is None
    assert FileProblem.objects.get().value == "030 1234xxx"
    assert explain(invoice, 1).rows() == told
    assert verify() == []
    assert not billing.bill(at(7, 12), seller=supplier.seller, on=date(2026, 2, 1)).credit_notes
    entry = LogEntry.objects.get(action="mask_numbers")
    assert (entry.data["records"], entry.data["files"]) == (2, 1)
    assert mask_numbers(at(7, 12), seller=supplier.seller)["records"] == 0
    assert LogEntry.objects.filter(action="mask_numbers").count() == 1, "a night without anything says nothing"


def test_a_second_import_is_refused_and_its_rows_are_known_again(supplier: Supplier) -> None:
    load(supplier, {"uniqueid": "1"})
    mask_numbers(at(8), seller=supplier.seller)
    with pytest.raises(Refused) as refused:
        load(supplier, {"uniqueid": "1"}, by=at(8))
    assert refused.value.code == "conflict"
    other = load(supplier, {"uniqueid": "1"}, {"uniqueid": "5"}, by=at(8), name="other.csv")
    assert (other.duplicates, other.recorded, other.conflicts) == (1, 1, 0)
    assert mask_numbers(at(8), seller=supplier.seller) == {"records": 1, "revisions": 0, "files": 1}


def test_an_emptied_file_that_was_undone_can_be_loaded_from_outside_only(supplier: Supplier) -> None:
    file = load(supplier, {"uniqueid": "1", "dstchannel": ""})
    billing.undo_file(at(2), file=file)
    assert numbers_in_the_clear() == ["usage_usagehistory", "content"]
    assert mask_numbers(at(8), seller=supplier.seller) == {"records": 0, "revisions": 1, "files": 1}
    assert numbers_in_the_clear() == []
    file.refresh_from_db()
    with pytest.raises(Refused, match="not kept any more"):
        content_of(file)
    again = load(supplier, {"uniqueid": "1", "dstchannel": ""}, by=at(8))
    assert again.pk == file.pk and again.recorded == 1 and b"1234567" in content_of(again)


def test_waiting_records_revisions_and_those_of_the_api_are_masked(supplier: Supplier) -> None:
    waiting = load(supplier, {"uniqueid": "1", "accountcode": "", "src": "77"})
    assert waiting.waiting == 1
    entry = {"contract": "C1", "article": "talk", "duration": 60, "id": "a", "at": "2026-01-11",
             "attributes": {"called": "+49 (30) 123-4567", "note": "0301234567"}}  # fmt: skip
    usage.record_usage(at(2), seller=supplier.seller, entries=[entry])
    usage.correct_usage(at(2), seller=supplier.seller, record=UsageRecord.objects.get(external_id="a"),
                        changes={"seconds": 30})  # fmt: skip
    assert UsageRecord.objects.get(external_id="a").numbers == ["called"]
    assert mask_numbers(at(8), seller=supplier.seller) == {"records": 2, "revisions": 1, "files": 1}
    found = {r.external_id: r.attributes for r in UsageRecord.objects.all()}
    assert found["a"] == {"called": "+49 (30) 123-4xxx", "note": "0301234567"}
    old = UsageHistory.objects.get()
    assert old.record["attributes"] == found["a"] and old.record["seconds"] == 60 and old.record["numbers"] is None
    usage.link(at(8), supplier=supplier, reference="77", line=ContractLine.objects.get(article__key="talk"))
    assert usage.reprocess(at(8), supplier=supplier)[0] == 1, "what waited finds its line masked as well"
    assert verify() == []


def test_only_what_is_older_than_the_time_and_in_parts(supplier: Supplier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "AT_ONCE", 3)
    calls = [{"uniqueid": str(n), "answer": f"2026-01-{n:02} 10:00:00"} for n in range(1, 11)]
    load(supplier, *calls)
    assert mask_numbers(at(7, 8), seller=supplier.seller) == {"records": 7, "revisions": 0, "files": 0}
    clear = UsageRecord.objects.filter(attributes__called=CALLED).order_by("day")
    assert [r.day.day for r in clear] == [8, 9, 10], "and the file is kept while a row of it is younger"


def test_numbers_that_a_tariff_counts_stay(supplier: Supplier, actor: Actor) -> None:
    lines = {"numbers": {"charge": "usage", "price": "0.50", "aggregate": "unique", "aggregate_of": "called"}}
    catalog.define_tariff(actor, seller=supplier.seller, key="n", title="N", interval="1 month", lines=lines)
    load(supplier, {"uniqueid": "1"})
    assert mask_numbers(at(8), seller=supplier.seller)["records"] == 1
    record = UsageRecord.objects.get()
    assert (record.attributes["called"], record.attributes["caller"]) == (CALLED, "4930xxx")
    assert record.numbers == ["called"]
    assert mask_numbers(at(8), seller=supplier.seller)["records"] == 0


def test_the_night_does_it_for_companies_that_want_it(supplier: Supplier) -> None:
    load(supplier, {"uniqueid": "1"})
    assert Seller.objects.get().call_number_months == 6, "as is usual in Germany"
    customers.change_seller(at(2), seller=supplier.seller, call_number_months=0)
    assert mask_old_numbers(timestamp=0) == 0 and numbers_in_the_clear() != []
    customers.change_seller(at(2), seller=supplier.seller, call_number_months=1)
    assert mask_old_numbers(timestamp=0) == 2
    for wrong in (-1, 121, True, "6"):
        with pytest.raises(Refused):
            customers.change_seller(at(2), seller=supplier.seller, call_number_months=wrong)


def test_other_countries_begin_without_a_time(database: str, actor: Actor) -> None:
    made = customers.create_seller(
        actor, name="Säljare", country="SE", currency="SEK", time_zone="Europe/Stockholm", vat=read_rates(25)
    )
    assert made.call_number_months == 0


def test_files_of_no_calls_are_kept(supplier: Supplier) -> None:
    plain = usage.create_supplier(at(2), seller=supplier.seller, key="cloud", mapping={})
    content = b"subscription_id,quantity,period_start\nS-1,5,2026-01-01\n"
    received, _ = billing.receive_file(at(2), supplier=plain, name="a.csv", content=content)
    assert mask_numbers(at(8), seller=supplier.seller)["files"] == 0
    named = b"subscription_id,seconds,period_start\nS-1,5,2026-01-01\n"
    billing.receive_file(at(2), supplier=plain, name="b.csv", content=named)
    assert mask_numbers(at(8), seller=supplier.seller)["files"] == 1, "seconds make calls, mapped or not"
    assert received.file is not None and content_of(received.file) == content


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("4930123456", "4930123xxx"), ("+49 30 12-34-5", "+49 30 12-xx-x"), ("110", "xxx"), ("11", "xxx"), ("", "xxx"),
        ("sip:4930123456@example.com", "sip:4930123xxx@example.com"), ("sip:anna@pbx2000", "sip:axxx@pbx2000"),
        ("anonymous", "anonymxxx"), ("0301234567;ext=19", "0301234xxx;ext=19"),
    ],
)  # fmt: skip
def test_how_a_number_is_masked(database: str, number: str, masked: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT usage_masked(%s::text), usage_masked(%s::jsonb, %s::jsonb)",
                       [number, json.dumps({"a": number, "b": [1, None], "c": None}), '["a", "c"]'])  # fmt: skip
        text, attributes = cursor.fetchone()
    assert text == masked
    assert json.loads(attributes) == {"a": masked, "b": [1, None], "c": None}


def test_a_mapping_names_its_numbers(supplier: Supplier) -> None:
    mapping = {**MAPPING, "attributes": {"to": "dst"}, "numbers": ["to"]}
    usage.change_supplier(at(2), supplier=supplier, mapping=mapping)
    load(supplier, {"uniqueid": "1"})
    mask_numbers(at(8), seller=supplier.seller)
    assert UsageRecord.objects.get().attributes == {"to": "030 1234xxx"}
    for wrong in (["other"], "to", [1]):
        with pytest.raises(Refused):
            usage.change_supplier(at(2), supplier=supplier, mapping=mapping | {"numbers": wrong})


def test_a_revision_of_before_changes_by_masking_alone(supplier: Supplier) -> None:
    file = load(supplier, {"uniqueid": "1"})
    billing.undo_file(at(2), file=file)
    for wrong in (
        "record = record || '{\"seconds\": 1}'", "record = record || '{\"numbers\": null}'", "revised = revised + 1",
        "record = record || '{\"attributes\": {}, \"numbers\": null}'",
        "record = record || jsonb_build_object('attributes', usage_masked(record -> 'attributes', '[\"trunk\"]'))",
        "record = record || jsonb_build_object('numbers', '[\"caller\", \"called\", \"trunk\"]'::jsonb)",
        "record = record || jsonb_build_object('seconds', 1, 'numbers', NULL, 'attributes',"
        " usage_masked(record -> 'attributes', '[\"caller\", \"called\"]'))",
    ):  # fmt: skip
        with pytest.raises(IntegrityError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE usage_usagehistory SET {wrong}")
    assert mask_numbers(at(8), seller=supplier.seller)["revisions"] == 1
    with pytest.raises(IntegrityError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute('UPDATE usage_usagehistory SET record = record || \'{"numbers": ["caller"]}\'')
