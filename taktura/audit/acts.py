"""Who waits for whom: acts write facts one after the other, batches of a run look at facts that stand still."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

_FACTS = 7_461_002  # the server's lock: acts take it alone, batches share it


def act(service: Callable[P, R]) -> Callable[P, R]:
    """A service that writes facts: in one transaction, and alone.

    It begins when no other act and no batch of a run is under way, and lets none begin until its transaction ends. So
    what it reads is as it stands; an object that was read before is read again (`refresh_from_db`).
    """

    @wraps(service)
    def alone(*args: P.args, **options: P.kwargs) -> R:
        with transaction.atomic():
            begin_act()
            return service(*args, **options)

    alone.is_act = True  # type: ignore[attr-defined]
    return alone


def begin_act() -> None:
    """Be alone with the facts until the transaction ends. For a service that gets something ready before; it must hold
    nothing by then that an act may want."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_FACTS])


def keep_facts() -> None:
    """Let no fact change until the transaction ends; others may keep them too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_FACTS])
