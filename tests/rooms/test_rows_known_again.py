"""A row is known by what its cells mean: the same in a file of another kind, and one that a spreadsheet saved again."""

import csv
import hashlib
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.catalog.terms import read_rates
from taktura.customers import services as customers
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import FormerId, Supplier, UsageFile, UsageRecord
from taktura.usage.reader import READY, Mapping, Problem, Row, read
from taktura.usage.services import Received

HEADINGS = [
    "BillingAccountId", "SubAccountId", "SubAccountName", "SkuId", "ServiceName", "ChargePeriodStart",
    "ChargePeriodEnd", "ChargeCategory", "ConsumedQuantity", "ConsumedUnit", "BilledCost", "BillingCurrency",
]  # fmt: skip
at = datetime.fromisoformat
ROWS = [
    ("S-1", "SKU-1", at("2026-06-01"), at("2026-07-01"), Decimal("1.5"), Decimal("12.25")),
    ("S-1", "SKU-1", at("2026-06-01"), at("2026-07-01"), Decimal("2"), Decimal("3")),  # told apart by number
    ("S-1", "SKU-2", at("2026-06-03 05:00"), at("2026-06-03 06:00"), Decimal("0.5"), Decimal("1")),
    ("S-2", "SKU-1", at("2026-06-30"), at("2026-07-01"), Decimal("1"), Decimal("0.75")),
]


def cells(moment: Callable[[datetime], Any], number: Callable[[Decimal], Any]) -> list[list[Any]]:
    """The rows as one kind of file writes them."""
    return [
        ["B-1", sub, sub, sku, "Storage", moment(first), moment(end), "Usage", number(quantity), "GB", number(cost),
         "EUR"]
        for sub, sku, first, end, quantity, cost in ROWS
    ]  # fmt: skip


def as_csv(rows: list[list[Any]], delimiter: str = ",") -> bytes:
    """A file of text."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([HEADINGS, *rows])
    return out.getvalue().encode()


def as_book(rows: list[list[Any]]) -> bytes:
    """A workbook."""
    book = openpyxl.Workbook()
    for row in [HEADINGS, *rows]:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_parquet(zone: Any) -> bytes:
    """A Parquet file, its timestamps with a zone or without."""
    columns = dict(zip(HEADINGS, zip(*cells(lambda m: m.replace(tzinfo=zone), str), strict=True), strict=True))
    out = io.BytesIO()
    parquet.write_table(pa.table({name: list(column) for name, column in columns.items()}), out)
    return out.getvalue()


def german(value: Decimal) -> str:
    """With a decimal comma."""
    return str(value).replace(".", ",")


def day_or_hour(moment: datetime) -> Any:
    """As a spreadsheet shows it: days where there is no hour."""
    return moment if moment.hour else moment.date()


GERMAN = {"decimal": ",", "date_format": "%d.%m.%Y %H:%M|%d.%m.%Y|ISO"}
WRITTEN: dict[str, tuple[bytes, dict[str, Any]]] = {
    "focus": (as_csv(cells(lambda m: m.isoformat() + "Z", str)), {}),
    "sql": (as_csv(cells(lambda m: m.isoformat(" "), str)), {}),
    "xlsx": (as_book(cells(lambda m: m, float)), {}),
    "xlsx of days": (as_book(cells(day_or_hour, float)), {}),
    "xlsx of texts": (as_book(cells(lambda m: m.isoformat() + "Z", str)), {}),
    "german": (as_csv(cells(lambda m: f"{m:%d.%m.%Y %H:%M}", german), ";"), GERMAN),
    "german days": (as_csv(cells(lambda m: f"{m:%d.%m.%Y %H:%M}".removesuffix(" 00:00"), german), ";"), GERMAN),
    "parquet": (as_parquet(UTC), {}),
    "parquet without a zone": (as_parquet(None), {}),
}


@pytest.fixture
def supplier(database: str, actor: Actor) -> Supplier:
    """A supplier of FOCUS files, whose time zone is UTC as theirs."""
    seller = customers.create_seller(actor, name="Seller", country="DE", currency="EUR", vat=read_rates(19))
    return usage.create_supplier(
        actor, seller=seller, key="cloud", name="Cloud", currency="EUR", time_zone="UTC", mapping=READY["focus"]
    )


def receive(actor: Actor, supplier: Supplier, name: str) -> Received:
    """Load the rows in one way of writing them."""
    content, written = WRITTEN[name]
    mapping = supplier.mapping | written
    return usage.receive_file(actor, supplier=supplier, name=name, content=content, mapping=mapping)


def counted(received: Received) -> tuple[int, int, int]:
    """How many waited (nothing is tied here), repeated others, and contradict others."""
    return len(received.outcome.exceptions), received.outcome.duplicates, received.outcome.conflicts


def test_the_same_rows_are_duplicates_however_they_are_written(supplier: Supplier, actor: Actor) -> None:
    assert counted(receive(actor, supplier, "focus")) == (4, 0, 0)
    for name in WRITTEN:
        if name != "focus":
            assert (name, counted(receive(actor, supplier, name))) == (name, (0, 4, 0))
    assert UsageRecord.objects.count() == 4


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_in_another_zone_they_contradict_at_most(supplier: Supplier, actor: Actor, zone: str) -> None:
    """A spreadsheet that drops the offset says another instant there: that is reported, and billed no second time."""
    Supplier.objects.update(time_zone=zone)
    supplier.refresh_from_db()
    assert counted(receive(actor, supplier, "focus")) == (4, 0, 0)
    for name in WRITTEN:
        if name != "focus":
            assert receive(actor, supplier, name).outcome.exceptions == [], name
    assert UsageRecord.objects.count() == 4


def ids(name: str, zone: str, content: bytes = b"") -> list[str]:
    """The ids of rows."""
    given, written = WRITTEN[name]
    found = list(read(content or given, Mapping.from_dict(READY["focus"] | written), ZoneInfo(zone)))
    assert not any(isinstance(row, Problem) for row in found)
    return [row.id for row in found if isinstance(row, Row)]


@given(
    st.lists(st.datetimes(at("2020-01-01"), at("2030-01-01")), min_size=2, max_size=20, unique=True),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
)
def test_other_moments_are_other_rows(moments: list[datetime], zone: str) -> None:
    rows = [
        ["B", "S", "S", "K", "X", f"{m.isoformat()}Z", f"{m.isoformat()}Z", "U", 1, "GB", 1, "EUR"] for m in moments
    ]
    assert len(set(ids("focus", zone, as_csv(rows)))) == len(moments)


def test_the_hour_that_comes_twice_is_two() -> None:
    twice = [datetime(2026, 10, 25, 0, 30, tzinfo=UTC) + timedelta(hours=n) for n in range(2)]
    local = [m.astimezone(ZoneInfo("Europe/Berlin")).isoformat() for m in twice]
    rows = [["B", "S", "S", "K", "X", m, m, "U", 1, "GB", 1, "EUR"] for m in local]
    assert len(set(ids("focus", "Europe/Berlin", as_csv(rows)))) == 2


def test_numbers_in_a_key_are_known_by_their_digits() -> None:
    mapping = Mapping.from_dict({"id": "=key(subscription_id, Net, Note)", "cost_amount": "Net", "decimal": ","})
    text = (
        "subscription_id;Net;Note;period_start\nS;1,50;1,50;2026-06-01\nS;1,5;1,50;2026-06-01\nS;1,5;1,5;2026-06-01\n"
    )
    found = [row.id for row in read(text.encode(), mapping, ZoneInfo("UTC")) if isinstance(row, Row)]
    assert found[0] == found[1] != found[2], "what is no number of the row stays as it is written"


# Rows that earlier versions stored


def as_before(file: UsageFile, raw: Callable[[datetime], str]) -> None:
    """Give the records of a file the ids that earlier versions gave them, worked out by themselves here."""
    seen: dict[str, int] = {}
    for record, (sub, sku, first, end, *_) in zip(
        UsageRecord.objects.filter(file=file).order_by("row"), ROWS, strict=True
    ):
        parts = ["B-1", sub, "", sku, "", "", "Storage", raw(first), raw(end), "Usage", "", "", ""]
        key = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]
        seen[key] = number = seen.get(key, 0) + 1
        record.external_id = key if number == 1 else f"{key}#{number}"
        record.save(update_fields=["external_id"])
    UsageFile.objects.filter(pk=file.pk).update(ids_as_written=True)
    Supplier.objects.update(ids_as_written=True)


BEFORE: dict[str, Callable[[datetime], str]] = {
    "focus": lambda m: f"{m.isoformat()}Z",
    "sql": lambda m: m.isoformat(" "),
    "xlsx of days": lambda m: f"{m.isoformat(' ')}+00:00" if m.hour else f"{m:%Y-%m-%d}",
}


@pytest.mark.parametrize("stored", BEFORE)
def test_rows_of_an_earlier_version_are_known_again(supplier: Supplier, actor: Actor, stored: str) -> None:
    file = receive(actor, supplier, stored).file
    assert file is not None
    as_before(file, BEFORE[stored])
    before = set(UsageRecord.objects.values_list("external_id", flat=True))
    supplier.refresh_from_db()
    for name in WRITTEN:
        if name != stored:
            assert (name, counted(receive(actor, supplier, name))) == (name, (0, 4, 0))
    assert set(UsageRecord.objects.values_list("external_id", flat=True)) == before, "they stay as they are known"
    assert not UsageFile.objects.filter(ids_as_written=True).exists(), "the file of before is read once more, once"


def test_without_the_file_of_before_the_same_writing_is_known_again(supplier: Supplier, actor: Actor) -> None:
    file = receive(actor, supplier, "focus").file
    assert file is not None
    as_before(file, BEFORE["focus"])
    UsageFile.objects.filter(pk=file.pk).update(emptied_at=datetime(2026, 7, 1, tzinfo=UTC))
    supplier.refresh_from_db()
    again = as_csv(cells(lambda m: m.isoformat() + "Z", str)) + b"\n"
    received = usage.receive_file(actor, supplier=supplier, name="again", content=again)
    assert counted(received) == (0, 4, 0)


def test_an_undone_file_of_before_is_read_anew(supplier: Supplier, actor: Actor) -> None:
    file = receive(actor, supplier, "focus").file
    assert file is not None
    as_before(file, BEFORE["focus"])
    usage.undo_file(actor, file=file)
    file.supplier.refresh_from_db()
    assert counted(usage.read_file(actor, file=file)) == (4, 0, 0)
    supplier.refresh_from_db()
    assert counted(receive(actor, supplier, "xlsx")) == (0, 4, 0)


def test_files_of_other_days_are_not_read_again(supplier: Supplier, actor: Actor) -> None:
    file = receive(actor, supplier, "focus").file
    assert file is not None
    as_before(file, BEFORE["focus"])
    supplier.refresh_from_db()
    text = WRITTEN["focus"][0].replace(b"2026-07-", b"2026-09-").replace(b"2026-06-", b"2026-08-")
    assert counted(usage.receive_file(actor, supplier=supplier, name="august", content=text)) == (4, 0, 0)
    file.refresh_from_db()
    assert file.ids_as_written and not FormerId.objects.exists()
    assert file.first_day == date(2026, 6, 1)
