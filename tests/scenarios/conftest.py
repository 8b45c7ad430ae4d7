"""Scenarios run on a real PostgreSQL, each in a migrated database of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from taktura.cli.scenarios.load import Scenario, load
from taktura.kit.database import setup

setup(throw_away=True)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Scenario]:
    """Loads a text as a scenario file of its own."""

    def load_text(text: str) -> Scenario:
        path = tmp_path / "one.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return load_text
