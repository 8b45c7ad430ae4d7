"""Tests of the command line: the demo company in a database of the test's own, or the installed command itself."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from taktura.kit import postgres
from taktura.kit.database import scratch_database, setup

setup(throw_away=True)

COMMAND = Path(sys.executable).with_name("taktura")
Taktura = Callable[..., subprocess.CompletedProcess[str]]
EMPTY = "from taktura.cli.commands.context import open_database; open_database()"


def environment_of(data: Path) -> dict[str, str]:
    """What a command sees of the world, with a data folder."""
    found = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "TAKTURA_", "LC_"))}
    return found | {"TAKTURA_DATA": str(data), "LANG": "C.UTF-8"}


@pytest.fixture(scope="session")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose server is stopped, with a migrated database and nothing in it.

    The migrations take ten seconds. `test_a_newcomers_first_hour`, `test_scenarios` and what is restored from a backup
    run them in a folder that was not there.
    """
    data = tmp_path_factory.mktemp("empty") / "var"
    subprocess.run([sys.executable, "-c", EMPTY], env=environment_of(data), check=True)
    subprocess.run([COMMAND, "stop"], env=environment_of(data), capture_output=True, check=True)
    yield data
    shutil.rmtree(server_of(data))


def server_of(data: Path) -> Path:
    """Where the server of a data folder really has its files."""
    return postgres._place(data / "postgres")


@contextmanager
def copied(folder: Path, data: Path) -> Iterator[Path]:
    """A copy of a data folder whose server is stopped: the files belong to whom they belong there."""
    subprocess.run(["cp", "-a", folder, data], check=True)
    if not server_of(data).exists():  # it lies elsewhere
        subprocess.run(["cp", "-a", server_of(folder).parent, server_of(data).parent], check=True)
    assert (server_of(data) / "PG_VERSION").exists()
    yield data
    shutil.rmtree(server_of(data))


@pytest.fixture
def own_folder(empty_folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the empty folder for this test alone."""
    with copied(empty_folder, tmp_path / "var") as data:
        yield data


@pytest.fixture(scope="session")
def demo_made(empty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose server is stopped, with the demo company in it."""
    with copied(empty_folder, tmp_path_factory.mktemp("demo") / "var") as data:
        subprocess.run([COMMAND, "run", "--prepare"], env=environment_of(data), capture_output=True, check=True)
        subprocess.run([COMMAND, "stop"], env=environment_of(data), capture_output=True, check=True)
        yield data


@pytest.fixture
def own_demo(demo_made: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the folder with the demo company for this test alone."""
    with copied(demo_made, tmp_path / "var") as data:
        yield data


@pytest.fixture
def database() -> Iterator[str]:
    """A database of this test's own; its name."""
    with scratch_database() as name:
        yield name


@pytest.fixture
def taktura(tmp_path: Path) -> Iterator[Taktura]:
    """The installed command with a data directory of its own; its embedded server is stopped in the end."""
    environment = environment_of(tmp_path / "var")

    def call(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments], env=environment | more, capture_output=True, text=True, cwd=tmp_path, check=False
        )

    yield call
    call("stop")
