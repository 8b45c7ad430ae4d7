"""Folders that are watched for suppliers' files: what is whole is loaded once, what cannot be says why."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import override_settings

from taktura.audit.models import LogEntry
from taktura.billing import watched
from taktura.billing.tasks import look_for_files
from taktura.billing.watched import Looked, look_into_folders
from taktura.catalog.terms import read_rates
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import RefusedFile, Supplier, UsageFile, UsageRecord, WatchedFile

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
ROWS = "id,subscription_id,quantity,period_start\n1,S-1,5,2026-06-01\n2,S-2,1,2026-06-02\n"


@pytest.fixture
def folder(database: str, actor: Actor, tmp_path: Path) -> Iterator[Path]:
    """The folder of a German company's supplier."""
    seller = customers.create_seller(
        actor, name="S", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=read_rates(19)
    )
    usage.create_supplier(actor, seller=seller, key="sun", name="Sun", folder="sun", create_subscriptions=True)
    (tmp_path / "sun").mkdir()
    with override_settings(USAGE_FOLDER=tmp_path):
        yield tmp_path / "sun"


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def look(times: int = 1) -> Looked:
    """Look so many times; what the last did."""
    return [look_into_folders(NOW) for _ in range(times)][-1]


def test_a_file_that_stands_still_is_loaded_once_and_moved(folder: Path) -> None:
    file = folder / "june.csv"
    file.write_text(ROWS[:60])
    assert look() == Looked(0, 0), "it may still grow"
    file.write_text(ROWS)
    os.utime(file, ns=(1, 1))
    assert look() == Looked(0, 0) and names(folder) == ["june.csv"], "it has grown"
    assert look() == Looked(loaded=1)
    assert (names(folder), names(folder / "done")) == (["done"], ["june.csv"])
    kept = UsageFile.objects.get()
    assert (kept.name, bytes(kept.content), kept.rows, kept.waiting) == ("june.csv", ROWS.encode(), 2, 2)
    assert LogEntry.objects.get(action="receive_file").actor == "folder:sun"
    assert look(2) == Looked() and not WatchedFile.objects.exists()


def test_the_same_file_twice_is_refused_and_said_so(folder: Path) -> None:
    for name in ("june.csv", "june.csv", "again.csv"):
        (folder / name).write_text(ROWS)
        look(2)
    assert names(folder / "done") == ["june.csv"]
    failed = ["again.csv", "again.csv.reason.txt", "june.csv", "june.csv.reason.txt"]
    assert names(folder / "failed") == failed
    assert "bereits eingelesen" in (folder / "failed" / "again.csv.reason.txt").read_text()
    assert UsageRecord.objects.count() == 2
    entries = LogEntry.objects.filter(action="refuse_folder_file").order_by("pk")
    assert [e.data["file"] for e in entries] == ["june.csv", "again.csv"] and "loaded already" in entries[0].data["why"]
    noted = RefusedFile.objects.order_by("pk")
    assert [(r.name, r.origin, r.code, r.size) for r in noted] == [
        (name, "folder", "conflict", len(ROWS)) for name in ("june.csv", "again.csv")
    ]
    assert {r.file for r in noted} == {UsageFile.objects.get()} and noted[0].values == {"name": "june.csv"}
    (folder / "again.csv").write_text(ROWS)
    look(2)
    assert "again-2.csv" in names(folder / "failed"), "none is overwritten"


def test_what_is_not_whole_or_none_is_left_alone(folder: Path, tmp_path: Path) -> None:
    for name in (".hidden.csv", "a.csv.part", "b.CSV.TMP", "c.csv.filepart"):
        (folder / name).write_text(ROWS)
    (tmp_path / "secret.csv").write_text(ROWS)
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "sub").mkdir()
    before = names(folder)
    assert look(3) == Looked() and names(folder) == before and not UsageFile.objects.exists()


def test_what_cannot_be_read_says_why_and_stops_no_other(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(b"%PDF-1.7")
    (folder / "b.csv").write_text("Sub;Menge\nS;1\n")
    (folder / "c.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    (folder / "d.csv").write_text(ROWS)
    look()
    assert look() == Looked(loaded=1, failed=3)
    assert names(folder / "done") == ["d.csv"]
    why = {name: (folder / "failed" / f"{name}.reason.txt").read_text() for name in ("a.pdf", "b.csv", "c.csv")}
    noted = {r.name: r for r in RefusedFile.objects.all()}
    assert sorted(noted) == ["a.pdf", "b.csv", "c.csv"] and noted["a.pdf"].file is None
    assert noted["b.csv"].file == UsageFile.objects.get(name="b.csv"), "it is kept, with its problems"
    (folder / "b.csv").write_text(ROWS.replace("\n1,", "\n8,").replace("\n2,", "\n9,"))
    look(2)
    noted["b.csv"].refresh_from_db()
    assert (noted["b.csv"].settled_by, RefusedFile.objects.filter(settled_at=None).count()) == ("folder:sun", 2)
    assert ".csv" in why["a.pdf"] and "Keine ihrer Zeilen" in why["b.csv"] and why["c.csv"].strip()


def test_a_worker_that_died_before_the_file_was_moved_loads_it_not_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "june.csv").write_text(ROWS)
    with monkeypatch.context() as patched:
        patched.setattr(watched, "_move", lambda *args: False)
        assert look(2) == Looked(loaded=1)
        assert look() == Looked() and names(folder) == ["june.csv"]
    look()
    assert (names(folder / "done"), names(folder / "failed")) == (["june.csv"], [])
    assert UsageFile.objects.count() == 1 and not WatchedFile.objects.exists()


def test_a_folder_is_one_name_and_never_a_path(folder: Path, actor: Actor) -> None:
    for name in ("../etc", "a/b", "/etc", ".", "..", ".hidden", "a b", "a\0b", "ä", "x" * 101):
        with pytest.raises(Refused) as refused:
            usage.change_supplier(actor, supplier=Supplier.objects.get(), folder=name)
        assert refused.value.code == "invalid" and Supplier.objects.get().folder == "sun", name


def test_a_folder_is_one_suppliers(folder: Path, actor: Actor) -> None:
    seller = Supplier.objects.get().seller
    with pytest.raises(Refused) as refused:
        usage.create_supplier(actor, seller=seller, key="moon", folder="SUN")
    assert refused.value.code == "conflict"
    usage.change_supplier(actor, supplier=Supplier.objects.get(), folder="sun")
    usage.create_supplier(actor, seller=seller, key="moon", folder="moon")  # its folder is not there: no harm
    (folder / "june.csv").write_text(ROWS)
    look(2)
    assert UsageFile.objects.get().supplier.key == "sun"


def test_without_the_operators_folder_nothing_is_watched(folder: Path) -> None:
    (folder / "june.csv").write_text(ROWS)
    assert (look_for_files(timestamp=0), look_for_files(timestamp=0)) == (0, 1)
    (folder / "july.csv").write_text(ROWS.replace("06", "07"))
    with override_settings(USAGE_FOLDER=None):
        assert look_for_files(timestamp=0) == look_for_files(timestamp=0) == 0
    assert "july.csv" in names(folder)
