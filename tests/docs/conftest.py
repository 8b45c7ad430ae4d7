"""Examples of the documentation run on a real PostgreSQL, each in a migrated database of its own."""

from pathlib import Path

import pytest

from taktura.kit.database import setup

setup(throw_away=True)


@pytest.fixture
def demo_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo company's files go in this test."""
    from django.conf import settings

    monkeypatch.setattr(settings, "TAKTURA_DATA", tmp_path)
    return tmp_path / "demo"
