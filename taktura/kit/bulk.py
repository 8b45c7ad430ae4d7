"""COPY through Django's connection: the fast way in for many rows (spec/performance.md)."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], using: str = DEFAULT_DB_ALIAS) -> None:
    """Write rows into a table by COPY, in the transaction of the connection. Dicts and lists go in as JSON."""
    names = ", ".join(f'"{c}"' for c in columns)
    connection = connections[using]
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([json.dumps(v) if isinstance(v, dict | list) else v for v in row])


def take_ids(table: str, count: int, using: str = DEFAULT_DB_ALIAS) -> range:
    """Take a block of ids from a table's own sequence, so that rows and those that point at them can be written at once."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT min(n), max(n) FROM (SELECT nextval(pg_get_serial_sequence(%s, 'id')) n FROM generate_series(1, %s)) x",
            [table, count],
        )
        low, high = cursor.fetchone()
    if count and high - low + 1 != count:  # somebody else took ids in between: take them one block after the other
        return take_ids(table, count, using)
    return range(low or 0, (high or -1) + 1)
