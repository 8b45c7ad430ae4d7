"""`taktura run` with a real server and a real worker: it comes up, says when it cannot, and ends clean."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND

PATIENCE = 120  # seconds; a busy machine is slow
SELLER = """
from datetime import datetime, UTC
from taktura.cli.commands.context import actor_now, open_database
open_database()
from taktura.customers.services import create_seller
create_seller(actor_now(), name="Seller GmbH", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]])
"""


@pytest.fixture
def port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        number: int = one.getsockname()[1]
        return number


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A data folder of its own with a seller, so that no demo company is made."""
    found = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "TAKTURA_", "LC_"))}
    found |= {"TAKTURA_DATA": str(tmp_path / "var"), "LANG": "C.UTF-8"}
    subprocess.run([sys.executable, "-c", SELLER], env=found, check=True)
    subprocess.run([COMMAND, "stop"], env=found, check=True)  # what runs before, runs afterwards
    yield found
    subprocess.run([COMMAND, "stop"], env=found, capture_output=True, check=False)


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


def answers(port: int) -> bool:
    """Whether the office answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/live")
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
