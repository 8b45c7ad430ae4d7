"""What imports changed of a supplier's customer or subscription, as a page tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from taktura.office import show
from taktura.office.history import field, value_of
from taktura.usage.models import Supplier, UsageFile
from taktura.usage.queries import changes_of

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Change:
    """What one import changed: when, by which file or by whom, what (name, before, after); `made`: it was new."""

    at: datetime
    file: UsageFile | None
    who: str
    made: bool
    fields: list[tuple[str, str, str]]
    day: date | None
    kept: list[tuple[str, str, str]]  # name, what is known of a later day, what this one told


def changes(supplier: Supplier, kind: str, reference: str) -> list[Change]:
    """The last changes, the newest first; one query."""
    rows = changes_of(supplier, kind, reference).order_by("-pk")[:SHOWN]
    return [
        Change(
            row.at, row.file, show.actor(row.by), row.made,
            _fields(row.changes), row.day, _fields(row.kept),
        )
        for row in rows
    ]  # fmt: skip


def _fields(told: Mapping[str, tuple[object, object]]) -> list[tuple[str, str, str]]:
    return [(field(n), value_of(n, _text(a)), value_of(n, _text(b))) for n, (a, b) in sorted(told.items())]


def _text(value: object) -> object:
    """A quantity as text, which is what the log's words take."""
    return value if value is None else str(value)
