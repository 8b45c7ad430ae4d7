"""Contracts of another system from a file: every row has its verdict, and what is written is what signing writes."""

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.db import connection
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.billing.services.take_over import COLUMNS, rows_of
from taktura.cli.scenarios.load import load
from taktura.cli.scenarios.run import run
from taktura.contracts import services as contracts
from taktura.contracts.facts import load as load_facts
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.queries import by_key
from taktura.core.errors import Refused
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database

WORLD = """
scenario: an offer with versions and everything
tariffs:
  office:
    title: Office
    notice: {initial_term: 12 months, notice: 1 month, renewal_term: 12 months}
    trial: 14 days
    lines:
      base: {title: Base, price: 20.00}
      desk: {title: Desk, booking: add_on, price: 100.00}
      key: {title: Key, booking: on_off, price: 5.00, interval: 1 year, price_per: 1 month}
      setup: {title: Setup, charge: once, price: 50.00}
      print: {title: Print, charge: usage, price: 0.10}
    versions:
      - {from: 2025-07-01, applies_to: all, lines: {desk: {price: 110.00}}}
  fixed: {title: Fixed, notice: {initial_term: 24 months, notice: 1 month}, lines: {base: {title: Base, price: 7.00}}}
customers: {acme: {name: Acme GmbH}, next: {name: Next GmbH}}
timeline: []
"""
NOW = datetime(2026, 2, 10, 11, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Actor]:
    path = tmp_path / "world.yaml"
    path.write_text(WORLD, "utf-8")
    with scratch_database():
        result = run(load(path))
        assert result.passed, (result.differences, result.error)
        yield Actor("test", NOW)


def file_of(*rows: dict[str, Any]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


A = {"contract": "A", "customer": "acme", "tariff": "office", "start": "2024-03-01", "billed_until": "2026-02-01"}


def look(actor: Actor, content: bytes) -> Any:
    return billing.look_at_takeover(actor, seller=Seller.objects.get(), rows=rows_of(content))


def take(actor: Actor, content: bytes, **options: Any) -> Any:
    return billing.take_over(actor, seller=Seller.objects.get(), rows=rows_of(content), **options)


def shape(key: str) -> Any:
    """A contract's facts without what the database numbers."""
    contract = by_key(Seller.objects.get().pk, key)
    facts = load_facts([contract.pk])[contract.pk]
    lines = [
        (x.start, x.end, [(d, t.article, t.price) for d, t in x.terms], x.quantities, x.price, x.discount, x.reason,
         x.minimum_quantity) for x in facts.lines
    ]  # fmt: skip
    phases = [(p.start, p.end, p.anchor, [d for d, _ in p.versions]) for p in facts.phases]
    names = (
        "start", "end", "term_end", "billed_until", "trial_end", "anchor", "terms", "terms_from", "next_due",
        "changed_from", "threshold",
    )  # fmt: skip
    own = {name: getattr(contract, name) for name in names}
    return own, phases, lines


def test_what_is_written_is_what_signing_writes(world: Actor) -> None:
    conditions = {"desk": {"price": Decimal(90), "discount": Decimal(10), "reason": "since 2024"}}
    contracts.sign(
        world, key="SIGNED", customer=Customer.objects.select_related("seller").get(key="acme"),
        tariff=Seller.objects.get().tariffs.get(key="office"), start=date(2024, 3, 1),
        billed_until=date(2026, 2, 1), quantities={"desk": Decimal(4), "key": Decimal(1)}, conditions=conditions,
    )  # fmt: skip
    rows = (
        A,
        {"contract": "A", "article": "desk", "quantity": "4", "price": "90,00", "discount": "10",
         "reason": "since 2024", "note": "third floor"},
        {"contract": "A", "article": "key", "quantity": "1"},
    )  # fmt: skip
    found = look(world, file_of(*rows))
    assert not Contract.objects.filter(key="A").exists()
    assert [v.good for v in found.rows] == [True] * 3 and (found.contracts, found.wrong) == (1, 0)
    # Base 20.00, four desks at 90.00 less 10 percent, a key at 5.00 a month.
    assert found.monthly == {"EUR": 2000 + 32400 + 500}
    done = take(world, file_of(*rows))
    assert done.written and shape("A") == shape("SIGNED")
    assert ContractLine.objects.get(contract__key="A", article__key="desk").memo == "third floor"
    # And it bills the same: nothing of a day before.
    seller = Seller.objects.get()
    billing.bill(world, seller=seller, on=date(2026, 3, 15))
    nets = Document.objects.order_by("contract__key").values_list("contract__key", "net")
    assert [key for key, _ in nets] == ["A", "SIGNED"] and len({net for _, net in nets}) == 1
    assert Document.objects.filter(lines__first__lt=date(2026, 2, 1)).count() == 0


def test_ends_and_terms(world: Actor) -> None:
    row = {"customer": "next", "tariff": "fixed", "start": "01.06.2025"}
    take(world, file_of(
        {"contract": "T", **row, "terms_from": "2024-06-01"},
        {"contract": "E", **row, "end": "2026-04-01"},
        {"contract": "O", "customer": "acme", "tariff": "office", "start": "2025-06-01", "terms_from": "2023-01-01"},
    ))  # fmt: skip
    ends = dict(Contract.objects.values_list("key", "end"))
    assert ends == {"T": date(2026, 6, 1), "E": date(2026, 4, 1), "O": None}
    assert by_key(Seller.objects.get().pk, "O").terms_from == date(2023, 1, 1)


def test_the_same_file_twice_signs_nothing_twice(world: Actor) -> None:
    content = file_of(A, A | {"contract": "B"})
    take(world, content)
    again = look(world, content)
    assert (again.contracts, again.wrong) == (0, 2)
    assert {v.refused.code for v in again.rows} == {"conflict"}
    for leave_out in (False, True):
        with pytest.raises(Refused):
            take(world, content, leave_out=leave_out)
    assert Contract.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"customer": "nobody"}, "There is no customer “nobody”."),
        ({"tariff": "none"}, "There is no tariff “none”."),
        ({"start": ""}, "The row has no start"),
        ({"start": "soon"}, "“soon” in start is no day"),
        ({"start": "31.02.2025"}, "is no day"),
        ({"start": "0001-01-01"}, "is no day"),
        ({"billed_until": "2024-02-29"}, "it begins on 2024-03-01"),
        ({"tariff": "fixed", "billed_until": "2026-04-01"}, "its last day is 2026-02-28"),
        ({"end": "2024-03-01"}, "must end after it begins"),
        ({"terms_from": "2024-03-02"}, "after the start"),
        ({"article": "chair", "quantity": "1"}, "no line for the article “chair”"),
        ({"article": "desk"}, "Say how many of “desk” there are."),
        ({"article": "desk", "quantity": "0"}, "must be more than 0"),
        ({"article": "desk", "quantity": "four"}, "“four” in quantity is no number"),
        ({"article": "desk", "quantity": "1,000,000"}, "is no number"),
        ({"article": "desk", "quantity": "NaN"}, "is no number"),
        ({"article": "key", "quantity": "2"}, "once or not at all"),
        ({"article": "desk", "quantity": "1", "discount": "101"}, "iscount"),
        ({"article": "desk", "quantity": "1", "reason": "x" * 201}, "more than 200 characters"),
        ({"quantity": "4"}, "names no article"),
        ({"contract": ""}, "names no contract"),
        ({"contract": "a/b"}, "no address can hold"),
        ({"contract": "x" * 101}, "more than 100 characters"),
    ],
)
def test_a_wrong_row_says_what_to_do(world: Actor, changes: dict[str, str], said: str) -> None:
    content = file_of(A | changes, A | {"contract": "GOOD"})
    found = look(world, content)
    assert (found.contracts, found.wrong) == (1, 1)
    assert said in str(found.rows[0].refused) and found.rows[0].line == 2 and found.rows[1].good
    with pytest.raises(Refused, match="Rows of 1 contracts are wrong"):
        take(world, content)
    assert not Contract.objects.exists()
    assert take(world, content, leave_out=True).contracts == 1
    assert list(Contract.objects.values_list("key", flat=True)) == ["GOOD"]


def test_rows_of_one_contract_stand_and_fall_together(world: Actor) -> None:
    content = file_of(
        A, {"contract": "A", "article": "desk", "quantity": "x"}, {"contract": "A", "start": "2024-03-01"}
    )
    found = look(world, content)
    assert [(v.good, v.of_contract) for v in found.rows] == [(False, True), (False, False), (False, True)]
    differ = look(world, file_of(A, {"contract": "A", "start": "2024-04-01"}))
    assert "differ in “start”: “2024-03-01” and “2024-04-01”" in str(differ.rows[1].refused)


def test_several_lines_of_one_article(world: Actor) -> None:
    desk = {"contract": "A", "article": "desk", "quantity": "2"}
    take(world, file_of(A, desk, desk | {"quantity": "3", "price": "80"}))
    rows = ContractLine.objects.filter(contract__key="A", article__key="desk").order_by("pk")
    assert [(x.quantities.get().quantity, x.price) for x in rows] == [(2, None), (3, 80)]
    assert len({tuple(x.stretches.values_list("tariff_line", "effective_from")) for x in rows}) == 1
    key = {"contract": "A", "article": "key", "quantity": "1"}
    assert "once or not at all" in str(
        look(world, file_of(A | {"contract": "C"}, key | {"contract": "C"}, key | {"contract": "C"})).rows[0].refused
    )


def test_a_broken_file_is_refused_or_says_which_lines(world: Actor) -> None:
    good = file_of(A).decode()
    broken = good + 'B,acme,office\r\nC,acme,"office,2024-03-01\r\n'
    found = look(world, broken.encode())
    assert [(v.line, v.good) for v in found.rows] == [(2, True), (3, False), (4, False)]
    assert "cannot be read" in str(found.rows[1].refused)
    for leave_out in (False, True):  # nobody knows whose lines they are
        with pytest.raises(Refused, match="cannot be read"):
            take(world, broken.encode(), leave_out=leave_out)
    assert not Contract.objects.exists()
    for content, said in (
        (b"", "no column “contract”"),
        (b"\x00\xff\xfe\x00", "no column"),
        (b"contract,customer,tariff\nA,b,c\n", "no column “start”"),
        (good.replace("note", "nota").encode(), "“nota” that nobody knows"),
        (good.replace("note", "price").encode(), "more than once"),
        (",".join(COLUMNS).encode(), "has no rows"),
        (b"%PDF-1.7", "PDF"),
        (b"x" * 4_000_001, "more than 4 MB"),
        ((",".join(COLUMNS) + "\n" + ("," * (len(COLUMNS) - 1) + "\n") * 3).encode(), ""),
    ):
        if said:
            with pytest.raises(Refused, match=said):
                rows_of(content)


def test_a_workbook_is_read_like_text(world: Actor) -> None:
    """Days and numbers are typed there."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, COLUMNS)
        sheet.write_row(1, 0, ["A", "acme", "office"])
        sheet.write_datetime(1, COLUMNS.index("start"), date(2024, 3, 1), day)
        sheet.write_datetime(1, COLUMNS.index("billed_until"), date(2026, 2, 1), day)
        sheet.write_string(2, 0, "A")
        sheet.write_string(2, COLUMNS.index("article"), "desk")
        sheet.write_number(2, COLUMNS.index("quantity"), 4)
        sheet.write_number(2, COLUMNS.index("price"), 90.1)
    content = out.getvalue()
    found = take(world, content)
    assert (found.contracts, found.monthly) == (1, {"EUR": 2000 + 36040})
    made = Contract.objects.get()
    assert (made.start, made.billed_until) == (date(2024, 3, 1), date(2026, 2, 1))
    for damaged in (content[:-300], content[:200]):
        with pytest.raises(Refused):
            rows_of(damaged)


def test_a_packed_text_is_read_too(world: Actor) -> None:
    found = look(world, gzip.compress(file_of(A) + b"B,acme\n"))
    assert [(v.line, v.good) for v in found.rows] == [(2, True), (3, False)]


def test_a_thousand_contracts_in_a_fixed_number_of_queries(world: Actor) -> None:
    def content(prefix: str, count: int) -> bytes:
        rows: list[dict[str, Any]] = []
        for number in range(count):
            key = f"{prefix}{number:04}"
            customer = ("acme", "next")[number % 2]
            rows.append(A | {"contract": key, "customer": customer, "article": "desk", "quantity": 1 + number % 5})
            rows.append({"contract": key, "article": "key", "quantity": 1})
        return file_of(*rows)

    take(world, content("W", 2))  # what is kept of versions is known
    with CaptureQueriesContext(connection) as few:
        take(world, content("F", 3))
    with CaptureQueriesContext(connection) as many:
        done = take(world, content("M", 1000))
    assert done.contracts == 1000 and len(done.rows) == 2000
    assert len(many) <= len(few) + 12  # rows of a table go in batches
    assert Contract.objects.filter(key__startswith="M", next_due=date(2026, 2, 1)).count() == 1000
    assert Contract.objects.filter(key__startswith="M", changed_from__isnull=True).count() == 0


def test_billed_elsewhere_fits_the_contract_when_it_is_signed_singly(world: Actor) -> None:
    wanted: dict[str, Any] = {
        "customer": Customer.objects.select_related("seller").get(key="acme"),
        "tariff": Seller.objects.get().tariffs.get(key="fixed"), "start": date(2024, 3, 1),
    }  # fmt: skip
    for until, said in ((date(2024, 2, 29), "only until 2024-02-28"), (date(2026, 3, 2), "until 2026-03-01")):
        with pytest.raises(Refused, match=said):
            contracts.sign(world, key="X", billed_until=until, **wanted)
    for until in (date(2024, 3, 1), date(2026, 3, 1)):
        assert contracts.sign(world, key=f"X{until}", billed_until=until, **wanted).billed_until == until
