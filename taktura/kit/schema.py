"""Which migrations the program has, and which the database has had."""

from functools import lru_cache
from typing import Any

from django.db import connections

Migrations = frozenset[tuple[str, str]]
OK, MISSING, BEHIND, AHEAD = "ok", "missing", "behind", "ahead"


@lru_cache(maxsize=1)
def known() -> Migrations:
    """The migrations of the program and its libraries, as (app, name)."""
    from django.db.migrations.loader import MigrationLoader

    return frozenset(MigrationLoader(None).disk_migrations)


def applied(alias: str = "default") -> Migrations:
    """The migrations that the database has had; none where it has no schema yet."""
    with connections[alias].cursor() as cursor:
        return applied_in(cursor)


def applied_in(cursor: Any) -> Migrations:
    """The same through a cursor or a connection of psycopg."""
    found = cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL") or cursor
    if found.fetchone() != (True,):
        return frozenset()
    found = cursor.execute("SELECT app, name FROM django_migrations") or cursor
    return frozenset(found.fetchall())


def newer(migrations: Migrations) -> list[str]:
    """Those of them that a newer program must have made, as `app.name`: apps that this one has, names it has not."""
    ours = {app for app, _name in known()}
    return sorted(f"{app}.{name}" for app, name in migrations - known() if app in ours)


def state(alias: str = "default") -> str:
    """`ok`, or what is wrong: `missing` (no schema), `behind` the program, `ahead` of it."""
    there = applied(alias)
    if not there:
        return MISSING
    if known() - there:
        return BEHIND
    return AHEAD if newer(there) else OK
