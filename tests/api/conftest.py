"""Tests of the API: through Django's client, on a real database, by keys made by the services."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database, setup

setup(throw_away=True)

if TYPE_CHECKING:
    from tests.api.helpers import Api

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The instant of requests: change its one entry."""
    now = [NOW]
    monkeypatch.setattr("taktura.api.gate.utc_now", lambda: now[0])
    return now


@pytest.fixture(autouse=True)
def full_buckets() -> None:
    """No test is refused for the requests of another."""
    from taktura.api import gate

    gate.buckets.cache_clear()


@pytest.fixture
def database() -> Iterator[str]:
    """A database of this test's own."""
    with scratch_database() as name:
        yield name


@pytest.fixture
def actor() -> Actor:
    """Who prepares things."""
    return Actor("test", NOW)


@pytest.fixture
def api(database: str, clock: list[datetime], actor: Actor) -> "Api":
    """A seller, and a key that may do everything."""
    from taktura.customers.services import create_seller
    from tests.api.helpers import SELLER, Api, make_key

    return Api(make_key(), create_seller(actor, **SELLER))
