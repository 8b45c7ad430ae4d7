"""Tests of the small helpers: some on a migrated database of their own, as the application's login."""

from collections.abc import Iterator

import pytest

from taktura.kit.database import scratch_database, setup

setup(throw_away=True)


@pytest.fixture
def database() -> Iterator[str]:
    """A database of this test's own; its name."""
    with scratch_database() as name:
        yield name
