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


def take_ids(table: str, count: int, using: str = DEFAULT_DB_ALIAS) -> list[int]:
    """Take ids from a table's own sequence, ascending, so that rows and those that point at them are written at once.

    They are not always in one block: others may take ids in between.
    """
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return sorted(pk for (pk,) in cursor.fetchall())
