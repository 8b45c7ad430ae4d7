"""`taktura run` with a real server and a real worker: it comes up, says when it cannot, and ends clean."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from taktura.cli.demo.users import LOGINS
from taktura.cli.demo.users import PASSWORD as DEMO_PASSWORD
from tests.cli.conftest import COMMAND, copied, environment_of
from tests.ports import free_port

PATIENCE = 120  # seconds; a busy machine is slow
SELLER = """
from datetime import datetime, UTC
from taktura.cli.commands.context import actor_now, open_database
open_database()
from taktura.customers.services import create_seller
from tests.ports import free_port
create_seller(actor_now(), name="Seller GmbH", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]])
"""


@pytest.fixture
def port() -> int:
    """A port that nothing listens on."""
    return free_port()


@pytest.fixture(scope="module")
def seller_made(empty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose server is stopped, with a seller, so that no demo company is made."""
    with copied(empty_folder, tmp_path_factory.mktemp("seller") / "var") as data:
        subprocess.run([sys.executable, "-c", SELLER], env=environment_of(data), check=True)
        subprocess.run([COMMAND, "stop"], env=environment_of(data), check=True)  # what runs before, runs afterwards
        yield data


@pytest.fixture
def environment(seller_made: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a command sees with a copy of that folder for this test alone."""
    with copied(seller_made, tmp_path / "var") as data:
        yield environment_of(data)
        subprocess.run([COMMAND, "stop"], env=environment_of(data), capture_output=True, check=False)


@pytest.fixture
def begin(environment: dict[str, str], port: int) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Starts it as from a terminal, in a process group of its own. What a test leaves running is ended."""
    begun: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        begun.append(_start(environment, port))
        assert wait_for(lambda: answers(port) or begun[-1].poll() is not None)
        assert begun[-1].poll() is None
        return begun[-1]

    yield start
    for process in begun:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=PATIENCE)


def _start(environment: dict[str, str], port: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [COMMAND, "run", "--port", str(port)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip


def wait_for(condition: Callable[[], object]) -> bool:
    """Whether something comes true within patience."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def is_free(port: int) -> bool:
    """Whether nothing listens on a port any more."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


def answers(port: int, path: str = "/health/live") -> bool:
    """Whether the office answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def below(pid: int) -> dict[int, str]:
    """The processes that a process has started, with their commands."""
    lines = subprocess.run(["ps", "-eww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in lines.splitlines()]
    return {int(row[0]): row[2] for row in rows if int(row[1]) == pid}


def of_folder(environment: dict[str, str]) -> list[str]:
    """The processes that work in a data folder; the database's among them."""
    folder, found = environment["TAKTURA_DATA"], []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and folder.encode() in entry.joinpath("environ").read_bytes():
                found.append(entry.joinpath("cmdline").read_text().replace("\0", " "))
        except OSError:
            pass  # it has ended
    return [command for command in found if command]


def test_the_address_is_printed_when_it_answers(environment: dict[str, str], port: int) -> None:
    process = _start(environment, port)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if f":{port}/" in line:
                break
        assert not is_free(port), "it listens already"
        assert wait_for(lambda: answers(port))
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


def test_an_invoice_is_printed_right_after_the_demo_company_is_made(own_folder: Path, port: int) -> None:
    process = _start(environment_of(own_folder), port)
    try:
        assert wait_for(lambda: answers(port) or process.poll() is not None)
        assert _first_invoice(port).startswith(b"%PDF-")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


def _first_invoice(port: int) -> bytes:
    """What the office gives to the admin of the demo company who opens its first document as PDF."""
    office = build_opener(HTTPCookieProcessor())
    page = office.open(f"http://localhost:{port}/account/login/", timeout=PATIENCE).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token is not None
    fields = {"csrfmiddlewaretoken": token[1], "login": LOGINS[0].email, "password": DEMO_PASSWORD}
    office.open(f"http://localhost:{port}/account/login/", urlencode(fields).encode(), timeout=PATIENCE)
    with office.open(f"http://localhost:{port}/documents/1/pdf/", timeout=PATIENCE) as answer:
        return bytes(answer.read())


def test_ctrl_c_ends_all_of_it_and_says_so_once(
    begin: Callable[[], "subprocess.Popen[str]"], environment: dict[str, str], port: int
) -> None:
    process = begin()
    assert any("worker" in command for command in below(process.pid).values())
    other = subprocess.run(
        [COMMAND, "run", "--port", str(port)], env=environment, capture_output=True, text=True, check=False
    )
    assert other.returncode == 1
    assert f"The port {port} is taken" in other.stderr and "Traceback" not in other.stderr
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    shown = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0
    assert shown.count("Stopped.") == 1 and "Traceback" not in shown
    assert of_folder(environment) == []
    process = begin()  # the same command starts it again
    os.killpg(process.pid, signal.SIGTERM)
    assert process.communicate(timeout=PATIENCE)[0].count("Stopped.") == 1
    assert of_folder(environment) == []


def test_a_process_of_the_server_that_ends_takes_nothing_with_it(
    begin: Callable[[], "subprocess.Popen[str]"], port: int
) -> None:
    process = begin()
    before = below(process.pid)
    worker = next(pid for pid, command in before.items() if "worker" in command)
    os.kill(next(pid for pid in before if pid != worker), signal.SIGTERM)
    assert wait_for(lambda: len(below(process.pid)) == 3 and below(process.pid).keys() != before.keys())
    assert worker in below(process.pid)
    assert answers(port)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=PATIENCE)[0].count("Stopped.") == 1


def test_who_starts_while_it_stops_waits_and_gets_a_database(
    begin: Callable[[], "subprocess.Popen[str]"], environment: dict[str, str], port: int
) -> None:
    first = begin()
    os.killpg(first.pid, signal.SIGINT)
    assert wait_for(lambda: is_free(port))  # the port is given back first, the database stopped last
    second = begin()
    assert first.wait(PATIENCE) == 0
    assert answers(port, "/health/ready")
    os.killpg(second.pid, signal.SIGINT)
    assert second.communicate(timeout=PATIENCE)[0].count("Stopped.") == 1
    assert of_folder(environment) == []


def test_of_two_at_once_the_last_stops_the_database(
    begin: Callable[[], "subprocess.Popen[str]"], environment: dict[str, str], port: int
) -> None:
    first = begin()
    other = free_port()
    second = _start(environment, other)
    try:
        assert wait_for(lambda: answers(other) or second.poll() is not None)
        os.killpg(first.pid, signal.SIGINT)
        assert first.wait(PATIENCE) == 0
        assert answers(other, "/health/ready")  # the database is there
    finally:
        os.killpg(second.pid, signal.SIGINT)
        shown = second.communicate(timeout=PATIENCE)[0]
    assert shown.count("Stopped.") == 1
    assert of_folder(environment) == []


# A child that is told to end in the moment in which it hands a request to a thread: the lock of the threads is held.
INTERRUPTED = """
import os, signal
from concurrent.futures import ThreadPoolExecutor
from taktura.cli.server import Child
child = Child.__new__(Child)
child.tpool, child.alive = ThreadPoolExecutor(1), True
signal.signal(signal.SIGQUIT, child.handle_quit)
with child.tpool._shutdown_lock:
    os.kill(os.getpid(), signal.SIGQUIT)
    raise AssertionError("it goes on")
"""


def test_a_child_ends_whatever_it_is_told_in_the_middle_of() -> None:
    subprocess.run([sys.executable, "-c", INTERRUPTED], check=True, timeout=PATIENCE)


# A child that is told to end before it listens: right after it was made.
TOLD_EARLY = """
import os, signal, sys, time
from taktura.cli.server import Child, Parent
class Early(Child):
    def init_process(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)  # the signal is kept
        self.PIPE = os.pipe()
        os.set_blocking(self.PIPE[1], False)
        self.method_queue.init()
        self.init_signals()
        sys.exit(3 if self.alive else 0)
class Application:
    from gunicorn.config import Config
    cfg = Config()
    cfg.set("worker_class", Early)
parent = Parent(Application)
parent.pid = os.getpid()
parent.init_signals()
try:
    child = parent.spawn_worker()
except SystemExit as end:
    os._exit(end.code)
assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def test_a_child_hears_what_it_is_told_before_it_listens() -> None:
    subprocess.run([sys.executable, "-c", TOLD_EARLY], check=True, timeout=PATIENCE)
