"""COPY, and ids taken beforehand."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors

from taktura.kit.bulk import copy_rows, take_ids, write_bytes

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
COLUMNS = ("n", "word", "number", "day", "at", "data", "flag")
ROWS = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | TEXT,
    st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=12),
    st.none() | st.dates(),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.none() | st.dictionaries(TEXT, TEXT | st.none() | st.booleans(), max_size=3) | st.lists(TEXT, max_size=3),
    st.none() | st.booleans(),
)


def make_table() -> None:
    """A table of the session's own, with a column of each sort."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS bulk (id bigserial, n bigint, word text, number numeric, day date,"
            " at timestamptz, data jsonb, flag bool)"
        )
        cursor.execute("TRUNCATE bulk")


def stored() -> list[tuple[Any, ...]]:
    """What the table holds, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT n, word, number, day, at, data, flag FROM bulk ORDER BY id")
        return [tuple(row) for row in cursor.fetchall()]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(ROWS, max_size=5))
def test_rows_come_back_as_they_went(database: str, rows: list[tuple[Any, ...]]) -> None:
    make_table()
    with transaction.atomic():
        copy_rows("bulk", COLUMNS, rows)
    found = [(*row[:5], json.loads(row[5]) if isinstance(row[5], str) else row[5], row[6]) for row in stored()]
    assert found == rows


@pytest.mark.parametrize("word", ["\\N", "", "\t", "\\.", "a\nb", "\r\n", '"', "NULL", "\\"])
def test_text_that_means_something_to_copy_is_text(database: str, word: str) -> None:
    make_table()
    copy_rows("bulk", ("word",), [(word,)])
    assert stored()[0][1] == word


def test_nothing_to_write(database: str) -> None:
    make_table()
    copy_rows("bulk", COLUMNS, [])
    assert stored() == []


def test_it_belongs_to_the_transaction(database: str) -> None:
    make_table()
    with pytest.raises(RuntimeError), transaction.atomic():
        copy_rows("bulk", ("n",), [(1,), (2,)])
        raise RuntimeError
    assert stored() == []


def test_a_row_that_fails_takes_all_with_it(database: str) -> None:
    make_table()

    def rows() -> Any:
        yield (1, date(2026, 3, 1), Decimal(1))
        raise ValueError("the source broke off")

    with pytest.raises(ValueError, match="broke off"), transaction.atomic():
        copy_rows("bulk", ("n", "day", "number"), rows())
    assert stored() == []
    with pytest.raises(errors.InvalidTextRepresentation), transaction.atomic():
        copy_rows("bulk", ("n",), [(1,), ("two",)])
    assert stored() == []


def test_names_are_names_whatever_they_hold(database: str) -> None:
    with pytest.raises(errors.UndefinedTable), transaction.atomic():
        copy_rows("bulk; DROP TABLE customers_seller", ("n",), [(1,)])
    with pytest.raises(errors.UndefinedColumn), transaction.atomic():
        copy_rows("customers_seller", ("end",), [(datetime(2026, 3, 1, tzinfo=UTC),)])


@pytest.mark.parametrize("content", [b"", bytes(range(256)) * 5, b"\\x41", b"%s %b '"])
def test_bytes_come_back_as_they_went_into_their_row(database: str, content: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bulk (id bigint, c bytea); INSERT INTO bulk VALUES (1, 'a'), (2, 'b')")
        write_bytes("bulk", "c", 2, content)
        cursor.execute("SELECT id, c FROM bulk ORDER BY id")
        assert [(pk, bytes(kept)) for pk, kept in cursor.fetchall()] == [(1, b"a"), (2, content)]
    with pytest.raises(errors.UndefinedColumn), transaction.atomic():
        write_bytes("bulk", "c = NULL; --", 2, content)


def test_ids_ascend_and_are_taken_once(database: str) -> None:
    first, second = take_ids("customers_seller", 5), take_ids("customers_seller", 3)
    ids = [*first, *second]
    assert len(first) == 5 and len(second) == 3
    assert ids == sorted(set(ids))
    assert take_ids("customers_seller", 0) == []


def test_ids_taken_by_several_at_once(database: str) -> None:
    """Each gets as many as it asked for, ascending, and nobody gets the same."""
    start = threading.Barrier(6)

    def work() -> list[list[int]]:
        try:
            start.wait()
            return [take_ids("customers_seller", 500) for _ in range(10)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        blocks = [block for f in [pool.submit(work) for _ in range(6)] for block in f.result()]
    assert all(len(block) == 500 and block == sorted(block) for block in blocks)
    assert len({pk for block in blocks for pk in block}) == 6 * 10 * 500
