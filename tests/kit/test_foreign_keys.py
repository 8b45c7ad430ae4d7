"""Keys checked once for each statement refuse what the database's own refuse, from other connections, too."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg
import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors

from taktura.kit.foreign_keys import checked_once

IDS = range(1, 6)
OWN = "".join(
    f"CREATE TABLE own_{parent} (id bigint PRIMARY KEY); INSERT INTO own_{parent} SELECT generate_series(1, 5);"
    for parent in ("a", "b")
) + "CREATE TABLE own_child (n bigserial, a_id bigint, b_id bigint);"  # fmt: skip
# The same, with keys of the database as Django makes them.
PLAIN = OWN.replace("own_", "plain_")
NATIVE = "".join(
    f"ALTER TABLE plain_child ADD FOREIGN KEY ({p}_id) REFERENCES plain_{p} DEFERRABLE INITIALLY DEFERRED;"
    for p in ("a", "b")
)


@pytest.fixture
def connect(database: str) -> Iterator[Callable[[], psycopg.Connection]]:
    """Two pairs of parents and their child: one with keys of ours, one with the database's."""
    opened: list[psycopg.Connection] = []

    def connection() -> psycopg.Connection:
        owner = connections["owner"]
        owner.ensure_connection()
        info = owner.connection.info
        address = {"host": info.host, "port": info.port, "user": info.user, "password": info.password}
        opened.append(psycopg.connect(**address, dbname=info.dbname))
        return opened[-1]

    with connections["owner"].cursor() as cursor:
        cursor.execute(OWN + PLAIN + NATIVE + checked_once("own_child", {"a_id": "own_a", "b_id": "own_b"}))
    yield connection
    for one in opened:
        one.close()


pointed = st.none() | st.integers(1, 7)  # 6 and 7 are not there
parents = st.sampled_from(["a", "b"])
STEPS = st.one_of(
    st.tuples(st.just("insert"), st.lists(st.tuples(pointed, pointed), max_size=4)),
    st.tuples(st.just("point"), parents, st.none() | st.integers(1, 7), st.none() | st.integers(1, 7)),
    st.tuples(st.just("forget"), parents, st.integers(1, 7)),
    st.tuples(st.just("remove"), parents, st.sets(st.integers(1, 7), max_size=3)),
    st.tuples(st.just("rename"), parents, st.integers(1, 7), st.integers(20, 23)),
)


def carry_out(connection: psycopg.Connection, prefix: str, step: tuple) -> None:  # type: ignore[type-arg]
    """One statement."""
    match step:
        case "insert", rows:
            with connection.cursor() as cursor, cursor.copy(f"COPY {prefix}_child (a_id, b_id) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        case "point", parent, was, to:
            connection.execute(
                f"UPDATE {prefix}_child SET {parent}_id = %s WHERE {parent}_id IS NOT DISTINCT FROM %s", [to, was]
            )
        case "forget", parent, was:
            connection.execute(f"DELETE FROM {prefix}_child WHERE {parent}_id = %s", [was])
        case "remove", parent, ids:
            connection.execute(f"DELETE FROM {prefix}_{parent} WHERE id = ANY(%s)", [list(ids)])
        case "rename", parent, was, to:
            connection.execute(f"UPDATE {prefix}_{parent} SET id = %s WHERE id = %s", [to, was])


def outcome(connection: psycopg.Connection, prefix: str, steps: list[tuple]) -> list[tuple] | str:  # type: ignore[type-arg]
    """What is there after a transaction of these steps, or which rule it broke."""
    try:
        for step in steps:
            carry_out(connection, prefix, step)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        found = [
            *connection.execute(f"SELECT a_id, b_id FROM {prefix}_child ORDER BY n").fetchall(),
            *connection.execute(
                f"SELECT id FROM {prefix}_a UNION ALL SELECT -id FROM {prefix}_b ORDER BY 1"
            ).fetchall(),
        ]
    except psycopg.Error as error:
        assert isinstance(error, errors.ForeignKeyViolation | errors.UniqueViolation), error
        return type(error).__name__
    finally:
        connection.rollback()
    return found


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(STEPS, min_size=1, max_size=6))
def test_what_the_database_refuses_is_refused(connect, steps) -> None:  # type: ignore[no-untyped-def]
    """Only that it is refused at once what points at nothing; the database waits for the end of the transaction."""
    with connect() as connection:
        ours, theirs = outcome(connection, "own", steps), outcome(connection, "plain", steps)
    if ours != theirs:
        # Somebody pointed at nothing, and took that back within the transaction: refused by us alone.
        assert ours == "ForeignKeyViolation"
        assert refused_at(connect, steps) is not None


def refused_at(connect, steps) -> int | None:  # type: ignore[no-untyped-def]
    """The first step after which the database's own keys, asked right then, do not hold."""
    with connect() as connection:
        for place in range(len(steps)):
            if outcome(connection, "plain", steps[: place + 1]) == "ForeignKeyViolation":
                return place
    return None


@dataclass
class Other:
    """What another connection does meanwhile."""

    connection: psycopg.Connection
    statement: str
    error: Exception | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.connection.execute(self.statement)
            self.connection.commit()
        except psycopg.Error as error:
            self.error = error
            self.connection.rollback()

    def wait(self) -> Exception | None:
        """How it ended."""
        self.thread.join(30)
        assert not self.thread.is_alive()
        return self.error

    def is_waiting(self, looking: psycopg.Connection) -> bool:
        """Whether it waits for a lock by now, or has ended."""
        looking.autocommit = True
        while self.thread.is_alive():
            row = looking.execute(
                "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", [self.connection.info.backend_pid]
            ).fetchone()
            if row == ("Lock",):
                return True
        return False


POINT, REMOVE = "INSERT INTO own_child (a_id) VALUES (3), (3), (1)", "DELETE FROM own_a WHERE id = 3"


def test_what_is_pointed_at_by_another_who_is_not_ready_waits_and_stays(connect) -> None:  # type: ignore[no-untyped-def]
    first = connect()
    first.execute(POINT)
    other = Other(connect(), REMOVE)
    assert other.is_waiting(connect())
    first.commit()
    assert isinstance(other.wait(), errors.ForeignKeyViolation)
    assert first.execute("SELECT count(*) FROM own_a").fetchone() == (5,)


def test_what_is_pointed_at_by_another_who_gives_up_goes(connect) -> None:  # type: ignore[no-untyped-def]
    first = connect()
    first.execute(POINT)
    other = Other(connect(), REMOVE)
    assert other.is_waiting(connect())
    first.rollback()
    assert other.wait() is None
    assert first.execute("SELECT count(*) FROM own_a").fetchone() == (4,)


@pytest.mark.parametrize("statement", [POINT, "UPDATE own_child SET a_id = 3"])
def test_who_points_at_what_another_takes_away_waits_and_is_refused(connect, statement) -> None:  # type: ignore[no-untyped-def]
    first = connect()
    first.execute("INSERT INTO own_child (a_id) VALUES (1)")
    first.commit()
    first.execute(REMOVE)
    other = Other(connect(), statement)
    assert other.is_waiting(connect())
    first.commit()
    error = other.wait()
    assert isinstance(error, errors.ForeignKeyViolation)
    assert (error.diag.table_name, error.diag.constraint_name) == ("own_child", "own_child_a_id")
    assert first.execute("SELECT a_id FROM own_child").fetchall() == [(1,)]


def test_who_points_at_what_another_takes_away_and_gives_back_may(connect) -> None:  # type: ignore[no-untyped-def]
    first = connect()
    first.execute(REMOVE)
    other = Other(connect(), POINT)
    assert other.is_waiting(connect())
    first.rollback()
    assert other.wait() is None
    assert first.execute("SELECT count(*) FROM own_child").fetchone() == (3,)


def test_rows_and_what_they_point_at_may_go_in_either_order(connect) -> None:  # type: ignore[no-untyped-def]
    first = connect()
    first.execute(POINT)
    first.commit()
    first.execute("DELETE FROM own_a")
    first.execute("DELETE FROM own_child")
    first.commit()
    assert first.execute("SELECT count(*) FROM own_a").fetchone() == (0,)
