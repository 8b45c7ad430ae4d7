"""The limit of writing: bare COPY of the same rows into tables like the product's, with their indexes and keys."""

from collections.abc import Sequence

from django.db import connections

SCHEMA = "bench"
BLOCK = 1 << 20  # bytes handed over at once


def make_like(tables: Sequence[str]) -> None:
    """Make empty tables like these in a schema of its own: columns, defaults, indexes, checks and foreign keys."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        for table in tables:
            cursor.execute(f"CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL)")
            cursor.execute(
                """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
                   WHERE conrelid = %s::regclass AND contype = 'f' ORDER BY conname""",
                [f"public.{table}"],
            )
            for name, definition in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {SCHEMA}.{table} ADD CONSTRAINT "{name}" {definition}')


def empty(tables: Sequence[str]) -> None:
    """Empty the tables like the product's."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE " + ", ".join(f"{SCHEMA}.{table}" for table in tables))


def dump(query: str) -> bytes:
    """What a query gives, as text for COPY."""
    owner = connections["owner"]
    owner.ensure_connection()
    with owner.connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
        return b"".join(bytes(block) for block in copy)


def copy_in(table: str, columns: str, content: bytes) -> None:
    """COPY text into a table, in the transaction of the owner's connection."""
    owner = connections["owner"]
    owner.ensure_connection()
    with owner.connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for start in range(0, len(content), BLOCK):
            copy.write(content[start : start + BLOCK])


def columns_of(table: str, without: Sequence[str] = ()) -> str:
    """The columns of one of the product's tables, quoted, in order."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            """SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
               WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL(%s)""",
            [f"public.{table}", list(without)],
        )
        found: str = cursor.fetchone()[0]
        return found
