"""Bringing the product up: the server, Django, migrations with their grants, and throw-away databases."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import django
import psycopg
from django.conf import settings
from django.db.utils import ProgrammingError
from psycopg import sql

from taktura.core.errors import Refused
from taktura.kit import postgres, sharing

NAME = "taktura"
MEMORY_BYTES = 2 * 1024**3
ENDING_SECONDS = 2.0  # what others that are just ending get before they count as users of the database


def setup(*, throw_away: bool = False) -> None:
    """Configure Django; without DATABASE_URL find or start the embedded server. Raises `postgres.ServerError`.

    `throw_away`: the embedded server for scratch databases, which does not wait for the disk and keeps nothing.
    """
    if not settings.DATABASE_URL:
        if not throw_away:
            sharing.join(settings.TAKTURA_DATA)
        server = postgres.ensure_running(data_directory(throw_away), durable=not throw_away)
        for alias, role in (("default", postgres.APP), ("owner", postgres.OWNER)):
            settings.DATABASES[alias] |= {
                "HOST": server.socket_dir,
                "PORT": str(server.port),
                "USER": role,
                "NAME": NAME,
                "PASSWORD": "",
            }
        postgres.make_roles(server)
    django.setup()


def data_directory(throw_away: bool = False) -> Path:
    """Where the embedded server keeps its data; the throw-away one in memory, where the machine has room for it."""
    folder: Path = settings.TAKTURA_DATA
    if not throw_away:
        return folder / "postgres"
    memory = Path("/dev/shm")
    place = memory / f"taktura-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}" / "scratch"
    if memory.is_dir() and (place.parent.exists() or shutil.disk_usage(memory).free > MEMORY_BYTES):
        return place
    return folder / "scratch"


def is_running() -> bool:
    """Whether the embedded server runs; False with a server of one's own. One that is just stopped does not."""
    if settings.DATABASE_URL:
        return False
    sharing.join(settings.TAKTURA_DATA)
    return postgres.is_running(data_directory())


def stop() -> bool:
    """Stop the embedded servers, whoever uses them; False when none ran. Who comes meanwhile waits.

    Raises `postgres.ServerError` when one does not stop.
    """
    with sharing.alone(settings.TAKTURA_DATA, 0):
        return _stop()


def stop_when_last() -> None:
    """From now on the last that calls `leave` stops the embedded server."""
    if not settings.DATABASE_URL:
        sharing.mark(settings.TAKTURA_DATA, postgres.pid(data_directory()))


def leave() -> None:
    """Stop the embedded servers where `stop_when_last` said so, of this server, and no other process uses it.

    Raises `postgres.ServerError` when one does not stop.
    """
    if settings.DATABASE_URL:
        return
    mark = sharing.marked(settings.TAKTURA_DATA)
    if mark is None or mark != postgres.pid(data_directory()):
        return
    with sharing.alone(settings.TAKTURA_DATA, ENDING_SECONDS) as last:
        if last:
            _stop()


def _stop() -> bool:
    stopped = [postgres.stop(data_directory(throw_away)) for throw_away in (False, True)]
    return any(stopped)


def setup_database(admin_url: str, passwords: dict[str, str]) -> None:
    """Make the two roles and the database on a server of one's own, through an administrator's address.

    `passwords`: by role, `postgres.OWNER` and `postgres.APP`. A second call sets the passwords anew.
    """
    with psycopg.connect(admin_url, autocommit=True) as connection:
        postgres.make_roles_on(connection, passwords)
        if not postgres.database_exists(connection, NAME):
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(postgres.OWNER)))
            postgres.create_database(connection, NAME)


def ensure_database() -> None:
    """Make the database where it is missing, and bring its schema up to date; one process after another.

    Where the schema is that of the program nothing is asked of the owner, so that a server can do without its password.
    Raises `Refused` (`invalid`) where the login may not change the schema.
    """
    if _is_up_to_date():
        return
    name = settings.DATABASES["owner"]["NAME"]
    try:
        with administration() as connection, _alone(connection):
            if not postgres.database_exists(connection, name):
                postgres.create_database(connection, name, owner=connection.info.user)
            migrate()
    except (psycopg.errors.InsufficientPrivilege, ProgrammingError) as error:
        if isinstance(error, ProgrammingError) and not isinstance(
            error.__cause__, psycopg.errors.InsufficientPrivilege
        ):
            raise
        raise Refused(
            "invalid", "The schema is not that of the program, and this login may not change it: call taktura migrate"
            " with DATABASE_OWNER_URL set.",
        ) from error  # fmt: skip


def _is_up_to_date() -> bool:
    """Whether the application's login finds the program's schema."""
    from django.db import Error, connections

    from taktura.kit import schema

    try:
        return schema.state() == schema.OK
    except Error:  # no database, or nothing granted yet
        return False
    finally:
        connections["default"].close()


def migrate() -> None:
    """Run the migrations as the owner, then give the application's login what it needs and no more."""
    from django.core.management import call_command
    from django.db import connections

    call_command("createcachetable", database="owner", verbosity=0)  # first: what comes last says that all is there
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    app = settings.DATABASES["default"]["USER"]
    owner = settings.DATABASES["owner"]["USER"]
    if app == owner:
        return
    with connections["owner"].cursor() as cursor:
        for statement in (
            f'GRANT USAGE ON SCHEMA public TO "{app}"',
            f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{app}"',
            f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "{app}"',
            f'REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM "{app}"',
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        ):
            cursor.execute(statement)
    connections["owner"].close()


@contextmanager
def scratch_database(like: str | None = None) -> Iterator[str]:
    """A migrated database of one's own, for as long as the block runs; then it is dropped.

    A clone of the empty template, or of the database `like`, to which nobody may be connected then.
    """
    name = f"taktura_scratch_{os.getpid()}_{secrets.token_hex(4)}"  # a pid comes again
    with administration() as connection:
        template = like or _template(connection)
        postgres.create_database(connection, name, template, owner=connection.info.user)
    try:
        with switched(name):
            yield name
    finally:
        with administration() as connection:
            postgres.drop_database(connection, name)


def _template(connection: psycopg.Connection) -> str:
    """The migrated template for the schema as it is now; made once, however many processes ask for it."""
    name = f"taktura_template_{_digest_of_schema(Path(__file__))}"
    if postgres.database_exists(connection, name):
        return name
    with _alone(connection):
        if not postgres.database_exists(connection, name):
            postgres.drop_database(connection, f"{name}_new")  # a process that was killed may have left it
            postgres.create_database(connection, f"{name}_new", owner=connection.info.user)
            with switched(f"{name}_new"):
                migrate()
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (f"{name}_new", name)))
            )
    return name


@cache
def _digest_of_schema(here: Path) -> str:
    """What the schema is made from, in short; `here` is this file."""
    files = sorted((settings.ROOT / "taktura").rglob("migrations/*.py"))
    files += [here, here.with_name("immutable.py")]  # grants and triggers
    files += [settings.ROOT / "requirements.lock"]  # libraries bring tables of their own
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:12]


@contextmanager
def _alone(connection: psycopg.Connection) -> Iterator[None]:
    """Let one process at a time make databases and schemas; the lock ends with the connection, too."""
    connection.execute("SELECT pg_advisory_lock(hashtext('taktura template'))")
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(hashtext('taktura template'))")


@contextmanager
def switched(name: str) -> Iterator[None]:
    """Both logins go to another database for as long as the block runs."""
    before = _switch(name)
    try:
        yield
    finally:
        _switch(before)


def _switch(name: str) -> str:
    """Point both logins at another database; gives the name of the one before."""
    from django.db import connections

    before: str = settings.DATABASES["default"]["NAME"]
    for alias in ("default", "owner"):
        connections[alias].close()
        settings.DATABASES[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name
    return before


@contextmanager
def administration() -> Iterator[psycopg.Connection]:
    """A connection of the owner to the server's own database, to make and drop databases."""
    with _connected("postgres", autocommit=True) as connection:
        yield connection


@contextmanager
def connection_of_owner() -> Iterator[psycopg.Connection]:
    """A connection of the owner of the tables to the database, apart from Django's; its transaction ends with it."""
    with _connected(settings.DATABASES["owner"]["NAME"]) as connection:
        yield connection


def _connected(name: str, *, autocommit: bool = False) -> psycopg.Connection:
    """A connection of the owner; raises `postgres.ServerError` where the server does not take it."""
    owner = settings.DATABASES["owner"]
    parameters = {
        "host": owner["HOST"],
        "port": owner["PORT"],
        "user": owner["USER"],
        "password": owner["PASSWORD"],
        "dbname": name,
    }
    options: dict[str, Any] = owner["OPTIONS"]
    try:
        return psycopg.connect(**options | {k: v for k, v in parameters.items() if v}, autocommit=autocommit)
    except psycopg.OperationalError as error:
        said = " ".join(str(error).split())
        raise postgres.ServerError(f"The database does not let us in: {said}") from error
