"""Tests of the rooms run on a real PostgreSQL: each has a migrated database of its own, as the application's login."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database, setup

setup(throw_away=True)


@pytest.fixture
def database() -> Iterator[str]:
    """A database of this test's own; its name."""
    with scratch_database() as name:
        yield name


@pytest.fixture
def actor() -> Actor:
    """Who acts in tests, on a morning in March."""
    return Actor("test", datetime(2026, 3, 1, 8, tzinfo=UTC))
