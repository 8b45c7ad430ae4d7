"""A backup holds all of it, and brings all of it back; what is no backup, or would do harm, is refused."""

import io
import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from taktura.core.errors import Refused
from taktura.kit import backup, postgres, schema
from taktura.kit import database as kit
from taktura.kit.actor import Actor
from taktura.kit.backup import DUMP, MANIFEST, PASSING, SECRET, back_up, bring_back, fingerprint, look

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
KEY = "a key that is drawn for this test alone 7391"


@pytest.fixture(autouse=True)
def key_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that drew its own key."""
    monkeypatch.setattr(settings, "SECRET_KEY", KEY)
    monkeypatch.setattr(settings, "SECRET_KEY_GIVEN", False)
    monkeypatch.setattr(settings, "SECRET_KEY_FILE", tmp_path / "secret-key")


@pytest.fixture
def filled(database: str) -> Iterator[str]:
    """A database with a seller, a user and entries of the log."""
    from taktura.accounts.services import create_user
    from taktura.customers.services import create_seller

    seller = {"name": "Glück & Söhne", "country": "DE", "currency": "EUR", "time_zone": "Europe/Berlin"}
    create_seller(Actor("test", NOW), **seller, vat=[[None, "19"]])
    create_user(Actor("test", NOW), email="a@example.com", name="A", role="admin")
    close()
    yield database
    close()


def close() -> None:
    for alias in ("default", "owner"):
        connections[alias].close()


def contents() -> dict[str, list[Any]]:
    """All rows of all tables that are kept."""
    with kit.connection_of_owner() as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        names = sorted(name for (name,) in rows if name not in PASSING)
        return {n: sorted(map(str, connection.execute(f'SELECT * FROM "{n}"').fetchall())) for n in names}


def change() -> None:
    """Change what the backup held."""
    with kit.connection_of_owner() as connection:
        connection.execute("UPDATE accounts_user SET name = 'B'")
        connection.execute("INSERT INTO django_content_type (app_label, model) VALUES ('x', 'y')")


def refused(code: str, path: Path, **options: Any) -> str:
    with pytest.raises(Refused) as refusal:
        bring_back(path, **({"replace": True} | options))
    assert refusal.value.code == code
    return str(refusal.value)


def written(path: Path, parts: dict[str, bytes]) -> Path:
    """A tar of these parts."""
    with tarfile.open(path, "w") as file:
        for name, content in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def parts(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as file:
        return {m.name: file.extractfile(m).read() for m in file.getmembers()}  # type: ignore[union-attr]


def test_all_comes_back_as_it_was(filled: str, tmp_path: Path) -> None:
    path = tmp_path / "b.taktura"
    before = contents()
    kept = back_up(path, NOW)
    assert kept.tables == {name: len(rows) for name, rows in before.items()}
    assert kept.tables["customers_seller"] == 1
    assert (kept.made_at, kept.secret, kept.has_secret) == (NOW.isoformat(), fingerprint(KEY), True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []

    change()
    assert contents() != before
    assert bring_back(path, replace=True) == kept
    assert contents() == before
    assert (tmp_path / "secret-key").read_text() == KEY
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
    assert schema.state() == schema.OK


def test_what_is_restored_is_guarded_as_before_and_goes_on_counting(filled: str, tmp_path: Path) -> None:
    back_up(tmp_path / "b", NOW)
    bring_back(tmp_path / "b", replace=True)
    from taktura.accounts.models import User
    from taktura.accounts.services import create_user
    from taktura.audit.models import LogEntry
    from taktura.audit.services import broken_entries

    last = User.objects.order_by("-id")[0].pk
    assert create_user(Actor("test", NOW), email="b@example.com", name="B", role="viewer").pk == last + 1
    assert broken_entries() == []
    with pytest.raises(Exception, match="never"):
        LogEntry.objects.all().delete()
    with connections["default"].cursor() as cursor, pytest.raises(Exception, match="permission denied|must be owner"):
        cursor.execute("ALTER TABLE audit_logentry DISABLE TRIGGER ALL")


def test_sessions_are_not_kept(filled: str, tmp_path: Path) -> None:
    with kit.connection_of_owner() as connection:
        connection.execute("INSERT INTO django_session VALUES ('abc', 'secret', now() + interval '1 day')")
    back_up(tmp_path / "b", NOW)
    bring_back(tmp_path / "b", replace=True)
    with kit.connection_of_owner() as connection:
        assert connection.execute("SELECT count(*) FROM django_session").fetchone() == (0,)


def test_an_empty_database_needs_no_permission_to_replace_one_with_data_does(filled: str, tmp_path: Path) -> None:
    path = tmp_path / "b"
    back_up(path, NOW)
    assert backup.holds_something()
    assert "--replace" in refused("conflict", path, replace=False)
    before = contents()
    with kit.scratch_database():
        assert not backup.holds_something()
        close()
        bring_back(path, replace=False)
        assert contents() == before
        close()


def test_a_database_in_use_is_left_alone(filled: str, tmp_path: Path) -> None:
    back_up(tmp_path / "b", NOW)
    change()
    before = contents()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
        assert "stop the server" in refused("conflict", tmp_path / "b")
    close()
    assert contents() == before


def test_a_file_is_never_written_over(filled: str, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    with pytest.raises(Refused) as refusal:
        back_up(tmp_path / "b", NOW)
    assert refusal.value.code == "conflict"
    assert (tmp_path / "b").read_text() == "mine"
    with pytest.raises(Refused, match="cannot be written"):
        back_up(tmp_path / "nowhere" / "b", NOW)


def test_what_is_no_backup_is_refused_and_changes_nothing(filled: str, tmp_path: Path) -> None:
    path = tmp_path / "b"
    back_up(path, NOW)
    whole, before = parts(path), contents()
    manifest = json.loads(whole[MANIFEST])

    def said(**changes: Any) -> bytes:
        return json.dumps(manifest | changes).encode()

    refused("not_found", tmp_path / "none")
    refused("invalid", tmp_path)
    for number, damaged in enumerate(
        [
            {},
            {MANIFEST: b"{}"},
            {MANIFEST: b"[]", DUMP: b"x"},
            {MANIFEST: b"\xff\xfe", DUMP: b"x"},
            whole | {DUMP: whole[DUMP][:-1] + b"x"},
            whole | {SECRET: b"another"},
            whole | {MANIFEST: said(form=2)},
            {MANIFEST: whole[MANIFEST], DUMP: whole[DUMP]},
            {MANIFEST: whole[MANIFEST], SECRET: whole[SECRET]},
        ]
    ):
        refused("invalid", written(tmp_path / f"d{number}", damaged))
    (tmp_path / "cut").write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused("invalid", tmp_path / "cut")
    (tmp_path / "text").write_text("no tar at all " * 100)
    refused("invalid", tmp_path / "text")
    later = [*manifest["migrations"], ["billing", "9999_later"]]
    assert "update the program" in refused(
        "invalid", written(tmp_path / "m", whole | {MANIFEST: said(migrations=later)})
    )
    wrong = manifest["tables"] | {"accounts_user": 7}
    counted = written(tmp_path / "c", whole | {MANIFEST: said(tables=wrong)})
    assert "accounts_user" in refused("invalid", counted)
    assert contents() == before
    with kit.administration() as connection:
        assert not postgres.database_exists(connection, f"{filled}_restoring")


def test_a_dump_that_the_server_refuses_says_why(filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b"
    back_up(path, NOW)
    before = contents()
    copy = backup._copy

    def spoiled(source: Any, target: Any) -> None:
        target.write(b"SELECT 1/0;\n")
        copy(source, target)

    monkeypatch.setattr(backup, "_copy", spoiled)
    assert "division by zero" in refused("invalid", path)
    assert contents() == before


def test_a_key_that_is_given_is_not_kept_and_stays(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SECRET_KEY_GIVEN", True)
    kept = back_up(tmp_path / "b", NOW)
    assert not kept.has_secret
    assert SECRET not in parts(tmp_path / "b")
    assert KEY.encode() not in (tmp_path / "b").read_bytes()
    monkeypatch.setattr(settings, "SECRET_KEY", "another")
    bring_back(tmp_path / "b", replace=True)
    assert not (tmp_path / "secret-key").exists()
    assert look(tmp_path / "b").secret != fingerprint("another")


def test_rows_that_come_meanwhile_are_in_the_next_backup(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = backup._dump

    def busy(connection: psycopg.Connection, path: Path) -> None:
        change()
        dump(connection, path)

    monkeypatch.setattr(backup, "_dump", busy)
    before = contents()
    back_up(tmp_path / "b", NOW)
    assert contents() != before
    bring_back(tmp_path / "b", replace=True)
    assert contents() == before


def test_programs_that_are_too_old_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (backup._tools(150_000) / "pg_dump").exists()
    with pytest.raises(Refused, match="new enough"):
        backup._tools(990_000)
