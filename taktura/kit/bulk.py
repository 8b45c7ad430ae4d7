"""COPY through Django's connection: the fast way in for many rows (spec/performance.md)."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.expressions import RawSQL
from psycopg import Cursor, sql

from taktura.kit.exact import json_text

_AS_JSON = frozenset((dict, list))


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], using: str = DEFAULT_DB_ALIAS) -> None:
    """Write rows into a table by COPY, in the transaction of the connection. Dicts and lists go in as JSON."""
    names = ", ".join(f'"{c}"' for c in columns)
    connection = connections[using]
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([json_text(v) if type(v) in _AS_JSON else v for v in row])


def upsert_rows(
    table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, key: Sequence[str], update: Sequence[str]
) -> None:
    """Write rows by COPY; where a row of that `key` is there, its columns `update` are set anew.

    In the transaction of the default connection; no key may come twice.
    """
    names, keys = (", ".join(f'"{c}"' for c in some) for some in (columns, key))
    new = ", ".join(f'"{c}" = EXCLUDED."{c}"' for c in update)
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS upsert_rows")
        cursor.execute(f'CREATE TEMP TABLE upsert_rows ON COMMIT DROP AS SELECT {names} FROM "{table}" LIMIT 0')
        copy_rows("upsert_rows", columns, rows)
        cursor.execute(
            f"""INSERT INTO "{table}" ({names}) SELECT {names} FROM upsert_rows
                ON CONFLICT ({keys}) DO UPDATE SET {new}"""
        )


def write_bytes(table: str, column: str, pk: int, content: bytes) -> None:
    """Set a column of one row to bytes, in the transaction of the default connection. They go as they are: written out
    in the text of a statement, a large file takes three times as long."""
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    statement = sql.SQL("UPDATE {} SET {} = %b WHERE id = %s").format(sql.Identifier(table), sql.Identifier(column))
    with Cursor(connection.connection) as cursor:
        cursor.execute(statement, [content, pk])


def among(ids: Iterable[int]) -> RawSQL:
    """Ids for a filter with `__in`, as one array: thousands of values of their own cost more than the query."""
    return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)])


def take_ids(table: str, count: int, using: str = DEFAULT_DB_ALIAS) -> list[int]:
    """Take ids from a table's own sequence, ascending, so that rows and those that point at them are written at once.

    They are not always in one block: others may take ids in between.
    """
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return sorted(pk for (pk,) in cursor.fetchall())
