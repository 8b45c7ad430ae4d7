"""Bringing the product up: databases made, cloned and dropped."""

import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from psycopg import sql

from taktura.core.errors import Refused
from taktura.kit import database as kit
from taktura.kit import postgres
from taktura.kit.database import data_directory, scratch_database

Usage = namedtuple("Usage", "total used free")


def exists(name: str) -> bool:
    """Whether the server has a database."""
    with kit.administration() as admin:
        return postgres.database_exists(admin, name)


def test_a_scratch_database_is_migrated_and_gone_afterwards() -> None:
    before = settings.DATABASES["default"]["NAME"]
    with scratch_database() as name:
        assert settings.DATABASES["default"]["NAME"] == name
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database(), count(*) FROM customers_seller")
            assert cursor.fetchone() == (name, 0)
        assert exists(name)
    assert not exists(name)
    assert settings.DATABASES["default"]["NAME"] == before


def test_a_scratch_database_is_gone_after_an_error() -> None:
    with pytest.raises(RuntimeError), scratch_database() as name:
        raise RuntimeError
    assert not exists(name)


def test_a_scratch_database_is_dropped_under_a_connection_left_open() -> None:
    with scratch_database() as name:
        given = connections["default"].get_connection_params()
        plain = {k: v for k, v in given.items() if k in ("host", "port", "user", "password", "dbname")}
        left = psycopg.connect(**plain)
        left.execute("SELECT 1")
    assert not exists(name)
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")


def test_one_scratch_database_does_not_see_another() -> None:
    from taktura.customers.models import Seller

    with scratch_database() as outer:
        Seller.objects.create(name="one", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[])
        with scratch_database() as inner:
            assert inner != outer
            assert Seller.objects.count() == 0
        assert Seller.objects.count() == 1


def test_text_sorts_in_c_order_whatever_the_server(database: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(w ORDER BY w) FROM unnest(ARRAY['a', 'B', 'ä', 'Z', '_']) w")
        assert cursor.fetchone()[0] == ["B", "Z", "_", "a", "ä"]
        cursor.execute("SHOW server_encoding")
        assert cursor.fetchone()[0] == "UTF8"


def test_both_logins_are_two(database: str) -> None:
    names = []
    for alias in ("default", "owner"):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT current_user")
            names.append(cursor.fetchone()[0])
    connections["owner"].close()
    assert names == [postgres.APP, postgres.OWNER]


def test_options_of_the_address_hold_for_administration_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["owner"], "OPTIONS", {"application_name": "probe"})
    with kit.administration() as admin:
        assert admin.execute("SHOW application_name").fetchone() == ("probe",)


# ---- the template --------------------------------------------------------------------------------------------------


@pytest.fixture
def other_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """As if the schema were another one, so that it has no template yet; what is made of it is dropped."""
    here = Path(kit.__file__)
    for file in (here, here.with_name("immutable.py")):
        shutil.copy(file, tmp_path / file.name)
    (tmp_path / here.name).write_text(here.read_text() + f"# {tmp_path}\n")
    with kit.administration() as admin:
        before = templates(admin)
    monkeypatch.setattr(kit, "__file__", str(tmp_path / here.name))
    yield tmp_path
    with kit.administration() as admin:
        for name in templates(admin) - before:
            postgres.drop_database(admin, name)


def templates(admin: psycopg.Connection) -> set[str]:
    """The names of all templates of ours."""
    return {n for (n,) in admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'taktura_template_%'")}


def test_a_migration_that_fails_is_tried_again(other_schema: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a template is never taken for a whole one, and is not in the way of the next."""

    def fail() -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute("CREATE TABLE half (n int)")
        connections["owner"].close()
        raise RuntimeError

    before = settings.DATABASES["default"]["NAME"]
    with monkeypatch.context() as broken:
        broken.setattr(kit, "migrate", fail)
        with pytest.raises(RuntimeError), scratch_database():
            raise AssertionError("there is no template to clone")
    assert settings.DATABASES["default"]["NAME"] == before
    with scratch_database(), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('half'), to_regclass('customers_seller') IS NOT NULL")
        assert cursor.fetchone() == (None, True)


def test_the_template_is_made_once(other_schema: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []  # the migrations themselves take their time, and are run above
    monkeypatch.setattr(kit, "migrate", lambda: made.append(settings.DATABASES["owner"]["NAME"]))
    with kit.administration() as admin:
        first = kit._template(admin)
        assert kit._template(admin) == first
    assert made == [f"{first}_new"]


# ---- a server of one's own -----------------------------------------------------------------------------------------


def test_a_database_belongs_to_the_owner(database: str) -> None:
    with kit.administration() as admin:
        owner = admin.execute(
            sql.SQL("SELECT datdba::regrole::text FROM pg_database WHERE datname = {}").format(sql.Literal(database))
        ).fetchone()
    assert owner == (settings.DATABASES["owner"]["USER"],)


# ---- where the data lies -------------------------------------------------------------------------------------------


def test_lasting_data_lies_in_the_folder_for_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TAKTURA_DATA", tmp_path)
    assert data_directory() == tmp_path / "postgres"


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no memory to put files in")
def test_throw_away_data_lies_in_memory_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TAKTURA_DATA", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, kit.MEMORY_BYTES + 1))
    place = data_directory(throw_away=True)
    assert place.is_relative_to("/dev/shm")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, kit.MEMORY_BYTES))
    assert data_directory(throw_away=True) == tmp_path / "scratch"
    place.parent.mkdir()
    try:
        assert data_directory(throw_away=True) == place, "where its server is already, it stays"
    finally:
        place.parent.rmdir()


def test_a_login_that_owns_nothing_is_enough_for_the_schema_of_the_program(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "administration", lambda: pytest.fail("the owner was asked"))
    kit.ensure_database()


def test_a_login_that_owns_nothing_is_told_to_call_the_owner(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'billing'")
    connections["owner"].close()
    monkeypatch.setitem(connections["owner"].settings_dict, "USER", postgres.APP)
    monkeypatch.setitem(
        connections["owner"].settings_dict, "PASSWORD", connections["default"].settings_dict["PASSWORD"]
    )
    with pytest.raises(Refused, match="DATABASE_OWNER_URL"):
        kit.ensure_database()
    connections["owner"].close()
