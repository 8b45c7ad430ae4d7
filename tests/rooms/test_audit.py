"""The log: one chain of hashes, whoever writes, and every change to it is found."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taktura.audit.models import LogEntry
from taktura.audit.services import broken_entries, record
from taktura.core.periods import Span
from taktura.kit.actor import Actor

PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
)
EXACT = (
    st.decimals(allow_nan=False, allow_infinity=False, places=12)
    | st.dates()
    | st.fractions()
    | st.datetimes(timezones=st.just(UTC))
)
DATA = st.recursive(
    PLAIN | EXACT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcäß", max_size=5), inner),
    max_leaves=8,
)


def write(actor: Actor, count: int) -> list[LogEntry]:
    """Write entries, each in a transaction of its own."""
    return [record(actor, "try", f"thing:{n}", {"n": n}) for n in range(count)]


@contextmanager
def as_owner() -> Iterator[Any]:
    """A cursor of the owner of the tables, who has taken the triggers away: what only the house's key opens."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE audit_logentry DISABLE TRIGGER USER")
        yield cursor
        cursor.execute("ALTER TABLE audit_logentry ENABLE TRIGGER USER")
    connections["owner"].close()


def test_an_empty_log_is_proven(database: str) -> None:
    assert broken_entries() == []


def test_each_entry_names_the_one_before(database: str, actor: Actor) -> None:
    written = write(actor, 5)
    assert [e.previous for e in written] == ["", *(e.hash for e in written[:-1])]
    assert len({e.hash for e in written}) == 5
    assert broken_entries() == []


def test_the_entry_tells_who_did_what_and_when(database: str, actor: Actor) -> None:
    pk = record(actor, "change_price", "tariff:7", {"price": Decimal("10.50"), "from": date(2026, 4, 1)}).pk
    entry = LogEntry.objects.get(pk=pk)
    assert (entry.actor, entry.action, entry.subject) == ("test", "change_price", "tariff:7")
    assert entry.at == actor.now
    assert entry.data == {"price": "10.50", "from": "2026-04-01"}


def test_an_act_undone_leaves_no_entry_and_no_hole(database: str, actor: Actor) -> None:
    write(actor, 2)
    with pytest.raises(RuntimeError), transaction.atomic():
        record(actor, "undone", "thing:9")
        raise RuntimeError
    write(actor, 2)
    assert LogEntry.objects.count() == 4
    assert not LogEntry.objects.filter(action="undone").exists()
    assert broken_entries() == []


def test_several_entries_of_one_transaction(database: str, actor: Actor) -> None:
    with transaction.atomic():
        write(actor, 3)
        with transaction.atomic():
            write(actor, 2)
    assert broken_entries() == []
    assert LogEntry.objects.count() == 5


def test_writers_at_once_keep_one_chain(database: str, actor: Actor) -> None:
    """8 threads with 20 acts each, of one or two entries, some undone."""
    start = threading.Barrier(8)

    def work(number: int) -> int:
        own, kept = Actor(f"thread {number}", actor.now), 0
        try:
            start.wait()
            for turn in range(20):
                with transaction.atomic():
                    for _ in range(1 + turn % 2):
                        record(own, "act", f"turn:{turn}")
                    if turn % 5 == 4:
                        transaction.set_rollback(True)
                    else:
                        kept += 1 + turn % 2
        finally:
            connections.close_all()
        return kept

    with ThreadPoolExecutor(8) as pool:
        kept = sum(pool.map(work, range(8)))
    entries = list(LogEntry.objects.order_by("id"))
    assert len(entries) == kept == 8 * 24
    assert [e.previous for e in entries] == ["", *(e.hash for e in entries[:-1])]
    assert broken_entries() == []


@pytest.mark.parametrize(
    "change",
    [
        "at = at + interval '1 microsecond'",
        "actor = 'somebody else'",
        "action = 'nothing'",
        "subject = subject || ' '",
        """data = '{"n": 3}'""",
        """data = data || '{"more": null}'""",
        "data = '{}'",
        "hash = repeat('0', 64)",
        "previous = repeat('0', 64)",
    ],
)
def test_a_change_by_the_owner_is_found(database: str, actor: Actor, change: str) -> None:
    written = write(actor, 5)
    with as_owner() as cursor:
        cursor.execute(f"UPDATE audit_logentry SET {change} WHERE id = %s", [written[2].pk])
        assert cursor.rowcount == 1
    assert written[2].pk in broken_entries()


@pytest.mark.parametrize("place", [0, 2])
def test_an_entry_taken_out_is_found(database: str, actor: Actor, place: int) -> None:
    written = write(actor, 5)
    with as_owner() as cursor:
        cursor.execute("DELETE FROM audit_logentry WHERE id = %s", [written[place].pk])
    assert broken_entries() == [written[place + 1].pk]


def test_an_entry_put_in_between_is_found(database: str, actor: Actor) -> None:
    first = write(actor, 1)[0]
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('audit_logentry', 'id'))")
        free = cursor.fetchone()[0]
    later = write(actor, 2)
    forged = LogEntry.objects.create(
        pk=free, at=actor.now, actor="x", action="forged", subject="", data={}, previous=first.hash, hash="f" * 64
    )
    assert broken_entries() == [forged.pk, later[0].pk]


def test_entries_that_change_places_are_found(database: str, actor: Actor) -> None:
    written = write(actor, 4)
    with as_owner() as cursor:
        cursor.execute("UPDATE audit_logentry SET id = -1 WHERE id = %s", [written[1].pk])
        cursor.execute("UPDATE audit_logentry SET id = %s WHERE id = %s", [written[1].pk, written[2].pk])
        cursor.execute("UPDATE audit_logentry SET id = %s WHERE id = -1", [written[2].pk])
    assert set(broken_entries()) >= {written[1].pk, written[2].pk}


def test_the_same_instant_in_another_time_zone_is_the_same(database: str, actor: Actor) -> None:
    away = actor.at(actor.now.astimezone(timezone(timedelta(hours=5, minutes=30))))
    record(away, "act", "thing:1", {"at": away.now})
    assert broken_entries() == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    data=st.dictionaries(st.text("abcäß", max_size=5), DATA, max_size=4),
    now=st.datetimes(
        min_value=datetime(1990, 1, 1, tzinfo=UTC).replace(tzinfo=None),
        max_value=datetime(2100, 1, 1, tzinfo=UTC).replace(tzinfo=None),
        timezones=st.just(UTC),
    ),
)
def test_whatever_is_logged_is_proven(database: str, data: dict[str, Any], now: datetime) -> None:
    """What comes back from the database has the hash of what went in, whatever it was."""
    entry = record(Actor("prüfer", now), "act", "thing:ü", data)
    assert entry.pk not in broken_entries()


def test_spans_and_fractions_are_logged_as_text(database: str, actor: Actor) -> None:
    pk = record(actor, "act", "", {"span": Span(3, "month"), "part": Fraction(1, 3), "none": (None, {1: 2})}).pk
    assert LogEntry.objects.get(pk=pk).data == {"span": "3 months", "part": "1/3", "none": [None, {"1": 2}]}
    assert broken_entries() == []
