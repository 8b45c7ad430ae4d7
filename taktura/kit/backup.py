"""A backup of the database as one file, and bringing it back: by PostgreSQL's own `pg_dump` and `pg_restore`.

The file is a plain tar: `manifest.json` (what it is, with SHA-256 of the others), `secret-key` where the installation
drew it itself (stored passwords are sealed with it), and `database.dump`, taken from one snapshot while work goes on.
Constraints and triggers come back after the rows, so nothing has to be switched off. Whoever has the file has
everything: it is made readable by its owner alone.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import IO, Any

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import make_conninfo

from taktura.core.errors import Refused
from taktura.kit import database, postgres, schema
from taktura.kit.secret import keep_key

FORM = 1
MANIFEST, SECRET, DUMP = "manifest.json", "secret-key", "database.dump"
MOST_MANIFEST = 10 * 1024**2
# Who is signed in, and what is counted for a while: after a restore it would be stale, or let somebody in.
PASSING = ("django_session", "usersessions_usersession", "kit_cache")
RESTORING = "_restoring"
CHUNK = 1024**2
HEAD_LINES = 60
LOOKS, LOOK_SECONDS = 20, 0.1
_UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a backup holds: tables with their number of rows, when and by which version it was made, its size in bytes.

    `secret`: the fingerprint of the key that seals what is in it; `has_secret`: the key is in it, too.
    """

    tables: dict[str, int]
    made_at: str
    version: str
    size: int
    secret: str
    has_secret: bool


def back_up(path: Path, now: datetime) -> Kept:
    """Write a backup of the database. Raises `Refused`: `conflict` (the file is there), `invalid`."""
    if path.exists():
        raise Refused("conflict", "%(path)s is there already: choose another name.", path=path)
    try:
        with TemporaryDirectory(prefix=f".{path.name}-", dir=path.absolute().parent) as folder:
            dump, whole = Path(folder) / DUMP, Path(folder) / "whole"
            with database.connection_of_owner() as connection:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                manifest = {
                    "form": FORM,
                    "made_at": now.isoformat(),
                    "version": version("taktura"),
                    "server": connection.info.server_version,
                    "migrations": sorted(schema.applied_in(connection)),
                    "tables": _counts(connection),
                    "secret": fingerprint(settings.SECRET_KEY),
                }
                _dump(connection, dump)
            _pack(whole, dump, manifest)
            os.link(whole, path)  # never over a file that came meanwhile
    except FileExistsError as error:
        raise Refused("conflict", "%(path)s is there already: choose another name.", path=path) from error
    except OSError as error:
        raise Refused("invalid", "%(path)s cannot be written (%(why)s).", path=path, why=error.strerror) from error
    return look(path)


def look(path: Path) -> Kept:
    """What a backup holds, by what it says of itself. Raises `Refused` (`invalid`) where it is none."""
    with _opened(path) as (file, manifest):
        return Kept(
            tables=manifest["tables"], made_at=manifest["made_at"], version=manifest["version"],
            size=path.stat().st_size, secret=manifest["secret"], has_secret=SECRET in manifest["sha256"],
        )  # fmt: skip


def bring_back(path: Path, *, replace: bool) -> Kept:
    """Make the database what it was when the backup was made, then bring its schema up to date.

    The old database stays until all rows of the new one are there and counted. `replace`: it may hold something.
    Raises `Refused`: `conflict` (it holds something, or somebody is connected), `invalid` (the file).
    """
    name = settings.DATABASES["owner"]["NAME"]
    fresh = f"{name}{RESTORING}"
    with _opened(path) as (file, manifest), database.administration() as connection:
        newer = schema.newer(frozenset((app, migration) for app, migration in manifest["migrations"]))
        if newer:
            raise Refused(
                "invalid", "The backup was made by a newer Taktura (%(version)s): update the program first.",
                version=manifest["version"],
            )  # fmt: skip
        _check_free(connection, name, replace)
        with TemporaryDirectory(prefix="taktura-restore-", dir=_roomy(path)) as folder:
            dump = Path(folder) / DUMP
            secret = _unpack(file, manifest, dump)
            try:
                postgres.drop_database(connection, fresh)
                postgres.create_database(connection, fresh, owner=connection.info.user)
            except psycopg.errors.InsufficientPrivilege as error:
                raise Refused(
                    "invalid", "The owner of the tables may not make databases: call taktura setup-database again."
                ) from error
            try:
                _load(fresh, dump, connection.info.server_version)
                with database.switched(fresh):
                    _check_counts(manifest)
                    database.migrate()
            except BaseException:
                postgres.drop_database(connection, fresh)
                raise
        _check_free(connection, name, replace)
        postgres.drop_database(connection, name)
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (fresh, name))))
    if secret and not settings.SECRET_KEY_GIVEN:
        keep_key(secret)
    return look(path)


def holds_something() -> bool:
    """Whether the database has a seller, a user or an entry in the log."""
    with database.administration() as connection:
        return _holds_something(connection, settings.DATABASES["owner"]["NAME"])


# ---- the file ------------------------------------------------------------------------------------------------------


def _pack(whole: Path, dump: Path, manifest: dict[str, Any]) -> None:
    """Write the tar, with the SHA-256 of its parts in the manifest."""
    secret = b"" if settings.SECRET_KEY_GIVEN else settings.SECRET_KEY.encode()
    sums = {DUMP: _sum(dump)} | ({SECRET: hashlib.sha256(secret).hexdigest()} if secret else {})
    head = json.dumps({**manifest, "sha256": sums}, indent=1).encode()
    whole.touch(mode=0o600)
    with tarfile.open(whole, "w", format=tarfile.PAX_FORMAT) as file:
        for name, content in ((MANIFEST, head), (SECRET, secret)):
            if content:
                _add(file, name, len(content), io.BytesIO(content))
        with dump.open("rb") as rows:
            _add(file, DUMP, dump.stat().st_size, rows)


def _add(file: tarfile.TarFile, name: str, size: int, content: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    file.addfile(member, content)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[tarfile.TarFile, dict[str, Any]]]:
    """A backup and its manifest."""
    try:
        file = tarfile.open(path, "r:")  # noqa: SIM115 - it is closed below
    except FileNotFoundError as error:
        raise Refused("not_found", "There is no file %(path)s.", path=path) from error
    except OSError as error:
        raise Refused("invalid", "%(path)s cannot be read (%(why)s).", path=path, why=error.strerror) from error
    except tarfile.TarError as error:
        raise _damaged(path) from error
    with file:
        try:
            manifest = json.loads(_content(file, MANIFEST, MOST_MANIFEST))
            _ = manifest["tables"], manifest["migrations"], manifest["sha256"][DUMP], manifest["secret"]
            sound = manifest["form"] == FORM
        except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
            raise _damaged(path) from error
        if not sound:
            raise _damaged(path)
        yield file, manifest


def _damaged(path: object) -> Refused:
    return Refused("invalid", "%(path)s is no backup of Taktura, or is damaged.", path=path)


def _content(file: tarfile.TarFile, name: str, most: int) -> bytes:
    part = file.extractfile(name)
    content = part.read(most + 1) if part is not None else b""
    if not content or len(content) > most:
        raise ValueError(name)
    return content


def _unpack(file: tarfile.TarFile, manifest: dict[str, Any], dump: Path) -> str:
    """Write the dump to a file, and give the secret key. Raises `Refused` where a sum is another."""
    try:
        part = file.extractfile(DUMP)
        dump.touch(mode=0o600)
        with dump.open("wb") as rows:
            shutil.copyfileobj(part or io.BytesIO(), rows, CHUNK)
        secret = _content(file, SECRET, CHUNK) if SECRET in manifest["sha256"] else b""
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise _damaged(file.name) from error
    sums = {DUMP: _sum(dump)} | ({SECRET: hashlib.sha256(secret).hexdigest()} if secret else {})
    if sums != manifest["sha256"]:
        raise _damaged(file.name)
    return secret.decode()


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(secret: str) -> str:
    """Tells two keys apart, and nothing else of them."""
    return hashlib.sha256(b"taktura key\0" + secret.encode()).hexdigest()[:16]


def _roomy(path: Path) -> Path | None:
    """Where the backup lies there is room for its dump; else where temporary files go."""
    folder = path.absolute().parent
    return folder if os.access(folder, os.W_OK) else None


# ---- the database --------------------------------------------------------------------------------------------------


def _counts(connection: psycopg.Connection) -> dict[str, int]:
    """The number of rows of each table that is kept."""
    names = [
        name
        for (name,) in connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        ).fetchall()
        if name not in PASSING
    ]
    found = {}
    for name in names:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchone()
        assert row is not None
        found[name] = row[0]
    return found


def _check_counts(manifest: dict[str, Any]) -> None:
    with database.connection_of_owner() as connection:
        found = _counts(connection)
    wrong = sorted(name for name in manifest["tables"] | found if manifest["tables"].get(name) != found.get(name))
    if wrong:
        raise Refused(
            "invalid", "The restored tables are not those of the backup (%(tables)s); the database is as it was.",
            tables=", ".join(wrong),
        )  # fmt: skip


def _check_free(connection: psycopg.Connection, name: str, replace: bool) -> None:
    """Raise `Refused` (`conflict`) where a database holds something that is not to be replaced, or is in use."""
    if not replace and _holds_something(connection, name):
        raise Refused(
            "conflict", "The database holds data already: --replace puts the backup in its place, and drops them."
        )
    for _number in range(LOOKS):  # a connection that was closed just now is still there for a moment
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename IS NOT NULL", [name]
        ).fetchone()
        count = row[0] if row is not None else 0
        if not count:
            return
        sleep(LOOK_SECONDS)
    raise Refused(
        "conflict", "The database is in use (%(count)s connections): stop the server and the worker first.", count=count
    )


def _holds_something(connection: psycopg.Connection, name: str) -> bool:
    if not postgres.database_exists(connection, name):
        return False
    with database.connection_of_owner() as inside:
        for table in ("customers_seller", "accounts_user", "audit_logentry"):
            there = inside.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone()
            if there != (True,):
                continue
            query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table))
            if inside.execute(query).fetchone() == (True,):
                return True
    return False


# ---- the programs --------------------------------------------------------------------------------------------------


def _tools(server_version: int) -> Path:
    """The folder of programs new enough for a server: those of the embedded one, else those of the system."""
    folders = []
    with suppress(postgres.ServerError):
        folders.append(postgres.binaries())
    found = shutil.which("pg_dump")
    if found:
        folders.append(Path(found).parent)
    for folder in folders:
        said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False).stdout
        number = said.rpartition(" ")[2].partition(".")[0].strip()
        if number.isdigit() and int(number) >= server_version // 10_000 and (folder / "psql").exists():
            return folder
    raise Refused(
        "invalid", "No pg_dump here is new enough for the server (%(version)s): install PostgreSQL's client programs.",
        version=server_version // 10_000,
    )  # fmt: skip


def _dump(connection: psycopg.Connection, path: Path) -> None:
    """The rows that the connection's transaction sees."""
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None
    path.touch(mode=0o600)
    command: list[str | Path] = [
        _tools(connection.info.server_version) / "pg_dump", "--format=custom", "--no-owner", "--no-privileges",
        f"--snapshot={row[0]}", f"--file={path}", "--no-password",
        *(f"--exclude-table-data={name}" for name in PASSING),
        f"--dbname={_address(settings.DATABASES['owner']['NAME'])}",
    ]  # fmt: skip
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused("invalid", "pg_dump has failed: %(why)s", why=done.stderr.strip())


def _load(name: str, dump: Path, server_version: int) -> None:
    """Write a dump into a database, in one transaction."""
    tools = _tools(server_version)
    reader = subprocess.Popen(
        [tools / "pg_restore", "--no-owner", "--no-privileges", "--file=-", dump],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(),
    )  # fmt: skip
    command: list[str | Path] = [
        tools / "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--no-password",
        "--output=/dev/null", f"--dbname={_address(name)}",
    ]  # fmt: skip
    with TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        with said.open("wb") as errors:
            writer = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, env=_environment()
            )
            assert reader.stdout is not None and reader.stderr is not None and writer.stdin is not None
            try:
                _copy(reader.stdout, writer.stdin)
                writer.stdin.close()
            except BrokenPipeError:
                pass  # psql says why
            reader.stdout.close()
            failed = writer.wait() != 0
        why = said.read_text("utf-8", "replace").strip()
    complaint = reader.stderr.read().decode("utf-8", "replace").strip()
    if reader.wait() != 0 and not failed:
        raise Refused("invalid", "pg_restore has failed: %(why)s", why=complaint)
    if failed:
        raise Refused("invalid", "pg_restore has failed: %(why)s", why=why or complaint)


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    """All of a script, less a setting that servers before 17 do not know."""
    for _number in range(HEAD_LINES):
        line = source.readline()
        if line != _UNKNOWN_BEFORE_17:
            target.write(line)
    shutil.copyfileobj(source, target, CHUNK)


def _address(name: str) -> str:
    owner = settings.DATABASES["owner"]
    values = {"host": owner["HOST"], "port": owner["PORT"], "user": owner["USER"]}
    given = {k: str(v) for k, v in values.items() if v} | {k: str(v) for k, v in owner["OPTIONS"].items()}
    return make_conninfo(**given, dbname=name)


def _environment() -> dict[str, str]:
    """A password is not written into the command, where others could read it."""
    password = settings.DATABASES["owner"]["PASSWORD"]
    return {"PGPASSWORD": password} if password else {}
