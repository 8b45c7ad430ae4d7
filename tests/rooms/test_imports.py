"""Imports: what became of every line, undoing them, reading again, versions of mappings; mutilated files lose no good
row."""

import gzip
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.billing.imports import read_kept_file as read_file
from taktura.billing.imports import start_reading
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
from taktura.kit.jobs.models import Work
from taktura.usage import services as usage
from taktura.usage.models import MappingVersion, Supplier, UsageDay, UsageFile, UsageHistory, UsageRecord
from taktura.usage.reader import READY, Mapping, Problem, Row, check_content, read
from tests.rooms.test_reader_kinds import workbook, zipped

HEAD = "id,subscription_id,quantity,period_start"
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
LATER = datetime(2026, 7, 1, 6, tzinfo=UTC)


@pytest.fixture
def supplier(database: str, actor: Actor) -> Iterator[Supplier]:
    """A supplier of whom a subscription, S-1, is tied to a contract line that costs 2.00 each."""
    seller = customers.create_seller(
        actor, name="Seller", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=read_rates(19)
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=seller, kind=kind, format=kind[0].upper() + "-{number}", next=1)
    lines = {
        "gb": {"charge": "usage", "price": 2},
        "talk": {"charge": "usage", "price": 1, "unit": "minute", "tick": "second"},
    }
    tariff = catalog.define_tariff(actor, seller=seller, key="cloud", title="Cloud", interval="1 month", lines=lines)
    customer = customers.create_customer(actor, seller=seller, key="acme", name="Acme")
    customers.set_billing_information(actor, customer=customer, name="Acme", **ADDRESS)
    contracts.sign(actor, key="C1", customer=customer, tariff=tariff, start=date(2026, 1, 1))
    made = usage.create_supplier(actor, seller=seller, key="sun", create_subscriptions=True)
    for reference, article in (("S-1", "gb"), ("4930123", "talk")):
        usage.link(actor, supplier=made, reference=reference, line=ContractLine.objects.get(article__key=article))
    yield made


def load(actor: Actor, supplier: Supplier, *rows: str, name: str = "june.csv", **more: Any) -> UsageFile:
    """Load a file of these rows."""
    content = "\n".join([HEAD, *rows]).encode()
    received, _ = billing.receive_file(actor, supplier=supplier, name=name, content=content, **more)
    assert received.file is not None
    return received.file


def billed(actor: Actor, supplier: Supplier, on: date) -> Document:
    """The one invoice of a run."""
    (pk,) = billing.bill(actor, seller=supplier.seller, on=on).invoices
    return Document.objects.get(pk=pk)


def test_an_import_that_is_not_billed_is_undone_and_loaded_again(actor: Actor, supplier: Supplier) -> None:
    file = load(actor, supplier, "1,S-1,5,2026-06-01", "2,S-9,1,2026-06-01", "3,S-1,x,2026-06-01")
    other = load(actor, supplier, "4,S-1,7,2026-06-02", "1,S-1,5,2026-06-01", name="other.csv")
    assert billing.undo_file(actor, file=file) == 2
    assert list(UsageRecord.objects.values_list("external_id", flat=True)) == ["4"]
    assert UsageHistory.objects.filter(withdrawn=True).count() == 2
    file.refresh_from_db()
    assert (file.rows, file.recorded, file.waiting, file.undone_at) == (0, 0, 0, actor.now)
    assert not file.problems.exists() and bytes(file.content)
    assert sum(UsageDay.objects.values_list("records", flat=True)) == 1
    assert LogEntry.objects.get(action="undo_file").data["records"] == 2
    with pytest.raises(Refused, match="undone already"):
        billing.undo_file(actor, file=file)
    again = load(actor, supplier, "1,S-1,5,2026-06-01", "2,S-9,1,2026-06-01", "3,S-1,x,2026-06-01")
    assert (again.pk, again.recorded, again.waiting, again.undone_at) == (file.pk, 1, 1, None)
    assert billing.undo_file(actor, file=again) == 2, "what was undone before is no correction of others"
    assert other.pk != file.pk


def test_a_file_that_only_repeated_another_is_read_once_that_was_undone(actor: Actor, supplier: Supplier) -> None:
    first = load(actor, supplier, "1,S-1,5,2026-06-01")
    repeat = load(actor, supplier, "1,S-1,5,2026-06-01", "", name="sent-again.csv")
    assert (repeat.recorded, repeat.duplicates) == (0, 1)
    billing.undo_file(actor, file=first)
    again = load(actor, supplier, "1,S-1,5,2026-06-01", "", name="sent-again.csv")
    assert (again.pk, again.recorded, again.duplicates) == (repeat.pk, 1, 0)
    with pytest.raises(Refused, match="loaded already"):
        load(actor, supplier, "1,S-1,5,2026-06-01", "", name="sent-again.csv")


def test_a_file_billed_in_part_gets_the_rows_that_an_undone_import_took_along(actor: Actor, supplier: Supplier) -> None:
    first = load(actor, supplier, "1,S-1,5,2026-06-01", "2,S-9,1,2026-06-01", "3,S-1,2,2026-06-01", name="first.csv")
    rows = [f"{row},2026-06-01" for row in ("1,S-1,5", "2,S-9,1", "3,S-1,2", "4,S-1,7", "5,S-1,x", "6,S-1,1")]
    second = load(actor, supplier, *rows, name="second.csv")
    assert (second.recorded, second.waiting, second.duplicates) == (2, 0, 3)
    with pytest.raises(Refused, match="loaded already"):
        billing.read_file(actor, file=second)
    source = f"supplier:{supplier.key}"
    usage.withdraw_usage(actor, seller=supplier.seller, external_id="3", source=source)
    usage.withdraw_usage(actor, seller=supplier.seller, external_id="6", source=source)
    later = Actor(actor.name, LATER)
    billing.undo_file(Actor(actor.name, actor.now + timedelta(hours=1)), file=first)
    assert billed(later, supplier, date(2026, 7, 1)).net == 1400
    with pytest.raises(Refused):
        billing.undo_file(later, file=second)
    second.refresh_from_db()
    received, _ = billing.read_file(later, file=second)
    assert (received.outcome.recorded, len(received.outcome.exceptions), received.outcome.duplicates) == (1, 1, 0)
    second.refresh_from_db()
    assert (second.recorded, second.waiting, second.duplicates, second.rows) == (3, 1, 1, 6)
    assert second.problems.count() == 1, "as before"
    ids = UsageRecord.objects.order_by("external_id").values_list("external_id", "file", "row")
    assert list(ids) == [("1", second.pk, 2), ("2", second.pk, 3), ("4", second.pk, 5)], "what was withdrawn stays so"
    assert billed(later, supplier, date(2026, 7, 2)).net == 1000
    with pytest.raises(Refused, match="loaded already"):
        billing.read_file(later, file=second)
    first.refresh_from_db()
    received, _ = billing.read_file(later, file=first)
    assert (received.outcome.recorded, received.outcome.duplicates) == (1, 2), "and the first brings nothing twice"


def test_what_is_billed_is_not_undone(actor: Actor, supplier: Supplier) -> None:
    file = load(actor, supplier, "1,S-1,5,2026-06-01")
    later = Actor(actor.name, LATER)
    invoice = billed(later, supplier, date(2026, 7, 1))
    with pytest.raises(Refused, match=invoice.number) as refused:
        billing.undo_file(later, file=file)
    assert refused.value.code == "conflict" and UsageRecord.objects.count() == 1
    late = load(later, supplier, "2,S-1,5,2026-06-01", name="late.csv")
    assert billing.undo_file(later, file=late) == 1, "it came after the bill"


def test_a_corrected_file_replaces_by_revision_and_the_difference_is_billed(actor: Actor, supplier: Supplier) -> None:
    load(actor, supplier, "1,S-1,5,2026-06-01")
    later = Actor(actor.name, LATER)
    billing.bill(later, seller=supplier.seller, on=date(2026, 7, 1))
    corrected = b"id,subscription_id,quantity,period_start,revision\n1,S-1,8,2026-06-01,2\n"
    received, _ = billing.receive_file(later, supplier=supplier, name="corrected.csv", content=corrected)
    assert received.file is not None
    with pytest.raises(Refused, match="corrected records of before"):
        billing.undo_file(later, file=received.file)
    assert billed(later, supplier, date(2026, 7, 2)).net == 600


def test_an_import_of_a_closed_period_stays(actor: Actor, supplier: Supplier) -> None:
    file = load(actor, supplier, "1,S-1,5,2026-06-01")
    Seller.objects.update(closed_until=date(2026, 7, 1))
    with pytest.raises(Refused) as refused:
        billing.undo_file(actor, file=file)
    assert refused.value.code == "closed_period"


def test_every_line_is_accounted_for(actor: Actor, supplier: Supplier) -> None:
    headings = READY["asterisk"]["headings"]
    calls = [
        ("ANSWERED", 90, "1"),
        ("ANSWERED", 30, "1"),
        ("BUSY", 0, "2"),
        ("ANSWERED", "x", "3"),
        ("ANSWERED", 9, "4"),
    ]
    lines = []
    for number, (disposition, seconds, call) in enumerate(calls):
        cells = dict.fromkeys(headings, "") | {
            "accountcode": "4930123" if call == "1" else "77", "answer": f"2026-06-01 10:0{number}:00",
            "billsec": str(seconds), "disposition": disposition, "uniqueid": call,
        }  # fmt: skip
        lines.append(",".join(cells.values()))
    usage.change_supplier(actor, supplier=supplier, mapping=READY["asterisk"])
    received, _ = billing.receive_file(actor, supplier=supplier, name="Master.csv", content="\n".join(lines).encode())
    file = received.file
    assert file is not None and file.mapping == READY["asterisk"]
    assert (file.rows, file.recorded, file.waiting, file.skipped, file.merged) == (3, 1, 1, 1, 1)
    assert file.problems.count() == 1
    assert file.rows + file.skipped + file.merged == len(calls)
    record = UsageRecord.objects.get(line__isnull=False)
    assert (record.seconds, record.quantity, record.external_id) == (90, None, "1|4930123")
    invoice = billed(Actor(actor.name, LATER), supplier, date(2026, 7, 1))
    assert invoice.net == 150  # 90 seconds at 1.00 a minute: the second leg lies within the first


def test_equal_rows_of_a_file_are_several_where_the_mapping_says_so(actor: Actor, supplier: Supplier) -> None:
    content = b"subscription_id,quantity,period_start\n" + b"S-1,5,2026-06-01\n" * 3
    usage.change_supplier(actor, supplier=supplier, mapping={"number_repeats": True})
    received, _ = billing.receive_file(actor, supplier=supplier, name="a.csv", content=content)
    assert received.outcome.recorded == 3
    again, _ = billing.receive_file(actor, supplier=supplier, name="b.csv", content=content + b"S-1,5,2026-06-01\n")
    assert (again.outcome.recorded, again.outcome.duplicates) == (1, 3)


def test_mappings_are_kept_as_versions(actor: Actor, supplier: Supplier) -> None:
    usage.change_supplier(actor, supplier=supplier, mapping={"quantity": "Menge"})
    usage.change_supplier(actor, supplier=supplier, mapping={"quantity": "Menge"}, name="Sun")
    usage.change_supplier(actor, supplier=supplier, mapping={})
    versions = MappingVersion.objects.filter(supplier=supplier).order_by("number")
    assert [(v.number, v.mapping) for v in versions] == [(1, {}), (2, {"quantity": "Menge"}), (3, {})]
    assert versions[0].by == actor.name


def test_progress_is_told_and_an_import_can_be_stopped(
    actor: Actor, supplier: Supplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taktura.usage.services.files.TELL_ROWS", 10)
    content = "\n".join([HEAD, *(f"{i},S-1,1,2026-06-01" for i in range(95))]).encode()
    work = start_reading(actor, supplier=supplier, name="a.csv", content=content)
    Work.objects.filter(pk=work.pk).update(stop_requested=True)
    stopped = start_stop(work)
    assert stopped.state == "stopped" and not UsageRecord.objects.exists()
    assert UsageFile.objects.get().read_at is None, "the file stays"
    second = start_reading(actor, supplier=supplier, name="a.csv", content=content)
    read_file(second.pk)
    done = Work.objects.get(pk=second.pk)
    assert (done.state, done.result["recorded"], done.done, done.total) == ("done", 95, 85, 100)
    third = start_reading(actor, supplier=supplier, name="b.csv", content=content + b"\n95,S-1,1,2026-06-01")
    monkeypatch.setattr("taktura.billing.imports._tell_beside", lambda work, tell, step, rows, percent: rows < 30)
    read_file(third.pk)
    file = UsageFile.objects.get(name="b.csv")
    assert (file.read_at, file.rows) == (None, 0), "stopped after thirty rows, nothing of it stays but the file"


def start_stop(work: Work) -> Work:
    """Carry out work that somebody asked to be stopped."""
    read_file(work.pk)
    return Work.objects.get(pk=work.pk)


# Mutilated files

MUTATIONS = int(os.environ.get("TAKTURA_MUTILATED", "300"))
GOOD = [f"r{i},S-{i % 7},{i}.25,2026-06-{i % 28 + 1:02}" for i in range(60)]
BOOK = workbook(HEAD.split(","), *([f"r{i}", f"S-{i % 7}", i + 0.25, date(2026, 6, i % 28 + 1)] for i in range(30)))


def mutilated(random: Random) -> tuple[bytes, set[int]]:
    """A CSV file with some of its lines mutilated, and which of its rows are still as they were."""
    lines = [line.encode() for line in GOOD]
    hit = set(random.sample(range(len(lines)), random.randrange(1, 12)))
    for at in hit:
        line = bytearray(lines[at])
        for _ in range(random.randrange(1, 5)):
            place = random.randrange(len(line) + 1)
            kind = random.randrange(5)
            if kind == 0 and place < len(line):
                line[place] = random.choice(range(256))
            elif kind == 1:
                line[place:place] = bytes(random.choice(range(256)) for _ in range(random.randrange(1, 6)))
            elif kind == 2:
                del line[place : place + random.randrange(1, 8)]
            elif kind == 3:
                line[place:place] = random.choice([b'"', b",", b"\0", b"\n", b"\xff\xfe", b"=1/0", b"," * 300])
            else:
                line += line[:place]
        lines[at] = bytes(line)
    return b"\n".join([HEAD.encode(), *lines]), set(range(len(lines))) - hit


def test_two_stray_quotes_spoil_no_line_between_them() -> None:
    zone, mapping = ZoneInfo("Europe/Berlin"), Mapping.from_dict({"delimiter": ",", "encoding": "utf-8"})
    content = "\n".join([HEAD, GOOD[0], '"' + GOOD[1], GOOD[2], GOOD[3] + '"', GOOD[4]]).encode()
    found = list(read(content, mapping, zone))
    assert [r.id for r in found if isinstance(r, Row)] == ["r0", "r2", "r4"]
    assert [(p.line, p.code) for p in found if isinstance(p, Problem)] == [(3, "bad_line"), (5, "bad_date")]


@pytest.mark.parametrize(("first", "last"), [('r1,"S-1', "\0"), ('"r1,S-1', '",1'), ('r1,S-1,1,"2026', '"')])
def test_whatever_two_stray_quotes_make_of_the_lines_between(first: str, last: str) -> None:
    zone, mapping = ZoneInfo("Europe/Berlin"), Mapping.from_dict({"delimiter": ",", "encoding": "utf-8"})
    content = "\n".join([HEAD, GOOD[0], first, GOOD[2], GOOD[3], "x" + last, GOOD[4]]).encode()
    found = list(read(content, mapping, zone))
    assert [r.id for r in found if isinstance(r, Row)] == ["r0", "r2", "r3", "r4"]


def test_a_text_of_several_lines_is_one_problem() -> None:
    zone, mapping = ZoneInfo("Europe/Berlin"), Mapping.from_dict({"delimiter": ",", "encoding": "utf-8"})
    found = list(read((HEAD + '\nr1,"S\n1\n2",many,2026-06-01\n' + GOOD[2]).encode(), mapping, zone))
    assert [type(one) for one in found] == [Problem, Row]


@pytest.mark.parametrize("part", range(4))
def test_mutilated_files_crash_nothing_and_lose_no_good_row(part: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    mapping = Mapping.from_dict({"delimiter": ",", "encoding": "utf-8", "quantity": "=quantity * 1"})
    for seed in range(part * MUTATIONS // 4, (part + 1) * MUTATIONS // 4):
        random = Random(seed)
        content, good = mutilated(random)
        pack = random.choice([bytes, gzip.compress, lambda c: zipped(("a.csv", c))])
        rows = {(r.id, r.subscription_id, r.quantity) for r in read(pack(content), mapping, zone) if isinstance(r, Row)}
        expected = {(f"r{i}", f"S-{i % 7}", Decimal(f"{i}.25")) for i in good}
        assert expected <= rows, f"seed {seed}"
        _bent(random, random.choice([BOOK, gzip.compress(content), zipped(("a.csv", content))]), mapping, zone)


def _bent(random: Random, content: bytes, mapping: Mapping, zone: ZoneInfo) -> None:
    """A packed file or a workbook with bytes changed anywhere: it is read, has problems, or is refused in words."""
    bent = bytearray(content)
    for _ in range(random.randrange(1, 4)):
        bent[random.randrange(len(bent))] = random.choice(range(256))
    try:
        check_content(bytes(bent))
        assert list(read(bytes(bent), mapping, zone))
    except Refused as refused:
        assert refused.code == "invalid"
