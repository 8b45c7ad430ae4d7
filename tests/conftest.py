"""What all tests share: hypothesis profiles, and the folder of real samples where there is one."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taktura.config.settings")

# Machines differ in speed: no test here fails for being slow.
settings.register_profile(
    "usual", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("usual")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line that the tests on real files could not run."""
    if not SHARED.is_dir():
        terminalreporter.write_line("tests on real sample files did not run: the folder ../shared is not there")


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real sample files; a test that needs it is skipped where there is none, but not in CI."""
    folder = SHARED / "samples"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is missing")
        pytest.skip("the folder ../shared is not there")
    return folder
