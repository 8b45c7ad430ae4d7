"""Run the database tests on a PostgreSQL server of one's own, as an installation without the embedded one has it.

`make test-server` calls it; arguments go to pytest, and paths among them stand for the usual ones. It takes PostgreSQL
15 or newer as Debian installs it, makes a cluster in a temporary directory on a free port of 127.0.0.1, in memory where
there is room, prepares it by `setup_database` as an administrator who is no superuser, and takes all away again. Its
exit code is that of pytest.
"""

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from taktura.kit.database import NAME, setup_database
from taktura.kit.postgres import APP, OWNER

ROOT = Path(__file__).resolve().parent.parent
OLDEST = 15
HOST = "127.0.0.1"
START_TRIES = 5
CLUSTERS = Path("/etc/postgresql-common/createcluster.conf")
TESTS = ("tests/rooms", "tests/scenarios", "tests/kit")
# What asks no database, or one for a trifle; `test_postgres` starts embedded servers of its own.
WITHOUT = {
    "tests/kit": "exact logs mail_odd mail_parsed postgres turns",
    "tests/rooms": "consequences messages reader reader_expressions reader_kinds reader_properties ready_mappings"
    " rendering",
    "tests/scenarios": "compare damaged load load_refusals",
}
IGNORED = [f"{folder}/test_{name}.py" for folder, names in WITHOUT.items() for name in names.split()]
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 2 * 1024**3
SETTINGS = {
    "listen_addresses": HOST,
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "256MB",
    "max_connections": "300",
}
HOW = "apt-get update && apt-get install -y postgresql"


def main(arguments: Sequence[str]) -> int:
    """Run the tests; gives the exit code of pytest, or 1 when there is no server to run them on."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the cluster is taken away then, too
    programs = find_programs()
    if programs is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install()
        programs = find_programs()
    if programs is None:
        print(f"PostgreSQL {OLDEST} or newer is missing. As root: {HOW}", file=sys.stderr)
        return 1
    with cluster(programs) as (port, password):
        environment = os.environ | prepare(port, password)
        return subprocess.run(command(arguments), env=environment, cwd=ROOT, check=False).returncode


def command(arguments: Sequence[str]) -> list[str]:
    """The call of pytest: the usual tests, unless the arguments name others; what asks no database only by its name."""
    named = [a for a in arguments if not a.startswith("-") and (ROOT / a.split("::")[0]).exists()]
    usual = [path for path in TESTS if (ROOT / path).exists()]
    left_out = [f"--ignore={path}" for path in IGNORED if not any(a.startswith(path) for a in named)]
    pytest = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "worksteal"]
    return [*pytest, *left_out, *([] if named else usual), *arguments]


def find_programs(folder: Path = Path("/usr/lib/postgresql")) -> Path | None:
    """The programs of the newest server that is new enough, None without one."""
    found = [p.parent for p in folder.glob("*/bin/initdb") if re.fullmatch(r"\d+", p.parent.parent.name)]
    fit = [p for p in found if int(p.parent.name) >= OLDEST and (p / "pg_ctl").exists()]
    return max(fit, key=lambda p: int(p.parent.name), default=None)


def install() -> None:
    """Install Debian's PostgreSQL, without the cluster that it would make and start by itself."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}

    def apt(*words: str) -> None:
        subprocess.run(["apt-get", *words], env=environment, check=True)

    apt("update")
    apt("install", "-y", "--no-install-recommends", "postgresql-common")
    with open(CLUSTERS, "a") as file:
        file.write("create_main_cluster = false\n")
    apt("install", "-y", "--no-install-recommends", "postgresql")


@contextmanager
def cluster(programs: Path) -> Iterator[tuple[int, str]]:
    """A running server for as long as the block runs; gives its port and the superuser's password."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES
    folder = Path(tempfile.mkdtemp(prefix="taktura-server-", dir=MEMORY if in_memory else "/tmp"))
    password = secrets.token_urlsafe(24)
    try:
        (folder / "password").write_text(password)
        if os.geteuid() == 0:
            for path in (folder, folder / "password"):
                os.chown(path, _user().pw_uid, _user().pw_gid)
        options = ["-U", "postgres", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"]
        run(programs / "initdb", "-D", str(folder / "data"), *options)
        port = start(programs, folder)
        yield port, password
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            run(programs / "pg_ctl", "-D", str(folder / "data"), "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def start(programs: Path, folder: Path) -> int:
    """Start the server on a port that is free; gives the port. Another may take it first: then on the next."""
    for _ in range(START_TRIES):
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
        settings = {**SETTINGS, "port": str(port), "unix_socket_directories": str(folder)}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        log = str(folder / "log")
        try:
            run(programs / "pg_ctl", "-D", str(folder / "data"), "-w", "-l", log, "-o", options, "start")
        except subprocess.CalledProcessError:
            print(Path(log).read_text(errors="replace"), file=sys.stderr)
        else:
            return port
    raise SystemExit("The server did not start; its log is above.")


def prepare(port: int, password: str) -> dict[str, str]:
    """Make the roles and the database as an administrator would; gives the environment for the tests."""
    admin, passwords = secrets.token_urlsafe(24), {OWNER: secrets.token_urlsafe(24), APP: secrets.token_urlsafe(24)}
    with psycopg.connect(address("postgres", password, port, "postgres"), autocommit=True) as connection:
        row = connection.execute("SHOW server_version").fetchone()
        print(f"PostgreSQL {row[0] if row else '?'} on port {port}")
        connection.execute(
            sql.SQL("CREATE ROLE administrator LOGIN CREATEROLE CREATEDB PASSWORD {}").format(sql.Literal(admin))
        )
    for _ in range(2):  # a second call changes nothing
        setup_database(address("administrator", admin, port, "postgres"), passwords)
    return {
        "DATABASE_URL": address(APP, passwords[APP], port, NAME),
        "DATABASE_OWNER_URL": address(OWNER, passwords[OWNER], port, NAME),
    }


def address(user: str, password: str, port: int, database: str) -> str:
    """A database's address, as in DATABASE_URL."""
    return f"postgresql://{user}:{password}@{HOST}:{port}/{database}"


def run(program: Path, *arguments: str) -> None:
    """Run a program of the server as a user without rights. Raises `subprocess.CalledProcessError`."""
    user = _user()
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run(
        [str(program), *arguments],
        check=True,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        **who,  # type: ignore[call-overload]
    )


def _user() -> pwd.struct_passwd:
    """Who runs the server: Debian's user for it, or nobody, when root starts it."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
