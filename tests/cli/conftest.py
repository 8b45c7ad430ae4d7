"""Tests of the command line: the demo company in a database of the test's own, or the installed command itself."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taktura.kit.database import scratch_database, setup

setup(throw_away=True)

COMMAND = Path(sys.executable).with_name("taktura")
Taktura = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def database() -> Iterator[str]:
    """A database of this test's own; its name."""
    with scratch_database() as name:
        yield name


@pytest.fixture
def taktura(tmp_path: Path) -> Iterator[Taktura]:
    """The installed command with a data directory of its own; its embedded server is stopped in the end."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "TAKTURA_", "LC_"))}
    environment |= {"TAKTURA_DATA": str(tmp_path / "var"), "LANG": "C.UTF-8"}

    def call(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments], env=environment | more, capture_output=True, text=True, cwd=tmp_path, check=False
        )

    yield call
    call("stop")
