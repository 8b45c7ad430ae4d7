"""Appending to the log, and proving it."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from taktura.audit.models import LogEntry
from taktura.kit.actor import Actor
from taktura.kit.exact import to_json

TOLD = 5000  # entries between two words on progress
_LOCK = 7_461_001  # one appender at a time, so that the chain has no forks


def record(actor: Actor, action: str, subject: str, data: dict[str, Any] | None = None) -> LogEntry:
    """Append one entry, in the transaction of the act that it tells of. Call it late: it holds a lock until commit."""
    return record_all(actor, [(action, subject, data or {})])[0]


def record_all(actor: Actor, entries: Sequence[tuple[str, str, dict[str, Any]]]) -> list[LogEntry]:
    """Append entries of one act (action, subject, data) in one write, each chained to the one before it."""
    if not entries:
        return []
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            cursor.execute("SELECT hash FROM audit_logentry ORDER BY id DESC LIMIT 1")
            (last,) = cursor.fetchone() or ("",)
        rows = []
        for action, subject, data in entries:
            content = to_json(data)
            entry = LogEntry(
                at=actor.now,
                actor=actor.name,
                action=action,
                subject=subject,
                data=content,
                previous=last,
                hash=digest(last, actor.now, actor.name, action, subject, content),
            )
            last = entry.hash
            rows.append(entry)
        return LogEntry.objects.bulk_create(rows, batch_size=1000)


def digest(previous: str, at: datetime, actor: str, action: str, subject: str, data: Any) -> str:
    """SHA-256 of an entry's content and the hash before it."""
    content = json.dumps(
        [previous, at.timestamp().hex(), actor, action, subject, data], sort_keys=True, ensure_ascii=False
    )
    return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found: how many entries, the last one and its hash, the ids of those that are broken."""

    entries: int
    last: int
    hash: str
    broken: list[int]


def prove(tell: Callable[[int, int], bool] | None = None) -> Proof:
    """Work out the hash of every entry, and its link to the one before. `tell` hears (done, all); False stops it."""
    total = LogEntry.objects.count() if tell else 0
    previous, broken, count, last = "", [], 0, 0
    for entry in LogEntry.objects.order_by("id").iterator(chunk_size=5000):
        right = digest(previous, entry.at, entry.actor, entry.action, entry.subject, entry.data)
        if entry.previous != previous or entry.hash != right:
            broken.append(entry.pk)
        previous, last, count = entry.hash, entry.pk, count + 1
        if tell is not None and count % TOLD == 0 and not tell(count, max(total, count + 1)):
            break
    if tell is not None:
        tell(count, count)
    return Proof(count, last, previous, broken)


def broken_entries() -> list[int]:
    """The ids of entries whose hash, or whose link to the entry before, does not hold. Empty: the log is proven."""
    return prove().broken
