"""What all tests share: hypothesis profiles, and the folder of real samples where there is one."""

import gc
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taktura.config.settings")

PBKDF2PasswordHasher.iterations = 1  # nobody guesses here: a password costs a test no half a second

# The processes of a run, and its next run, have the compiled modules, wherever the environment would not keep them.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Machines differ in speed: no test here fails for being slow.
os.environ.setdefault("AIOSMTPD_CONTROLLER_TIMEOUT", "60")  # seconds for a mail server to come up
SLOW = [HealthCheck.too_slow]
settings.register_profile("usual", deadline=None, suppress_health_check=SLOW, derandomize=bool(os.environ.get("CI")))
settings.load_profile("usual")


def pytest_collection_finish() -> None:
    """What is there before the first test stays until the end: cycles are not looked for in it again and again.

    A tenth of the time of a page went there.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line that the tests on real files could not run."""
    if not SHARED.is_dir():
        terminalreporter.write_line("tests on real sample files did not run: the folder ../shared is not there")


class Demo(NamedTuple):
    """The demo company as made on `DEMO_DAY`: a database to clone, and the data directory with its files."""

    database: str
    data: Path


DEMO_DAY = date(2024, 10, 15)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo company, made once for all tests that look at it; each takes a clone of its own."""
    from django.conf import settings
    from django.db import connections

    from taktura.kit.database import scratch_database

    data = tmp_path_factory.mktemp("demo")
    with scratch_database() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "TAKTURA_DATA", data)
        from taktura.cli.demo.company import make

        make(lambda done, total: None, today=DEMO_DAY)
        patch.undo()
        connections.close_all()  # a database that is in use cannot be cloned
        yield Demo(name, data)


@pytest.fixture
def demo_database(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A clone of the demo company's database, in use; its name."""
    from django.conf import settings

    from taktura.kit.database import scratch_database

    monkeypatch.setattr(settings, "TAKTURA_DATA", demo.data)
    with scratch_database(like=demo.database) as name:
        yield name


@pytest.fixture
def demo_folder(demo: Demo) -> Path:
    """Where the demo company's files are."""
    return demo.data / "demo"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real sample files; a test that needs it is skipped where there is none, but not in CI."""
    folder = SHARED / "samples"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is missing")
        pytest.skip("the folder ../shared is not there")
    return folder
