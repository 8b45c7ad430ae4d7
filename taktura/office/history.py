"""The log as people read it: an action as a sentence, what changed as words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from taktura.audit.models import LogEntry
from taktura.office.words import WORDS


@dataclass(frozen=True, slots=True)
class Told:
    """An entry: when, who, what, and its details (name, value)."""

    pk: int
    at: datetime
    who: str
    what: str
    details: list[tuple[str, str]]


def told(entry: LogEntry) -> Told:
    """An entry of the log in the reader's language."""
    who = entry.actor.removeprefix("user:").removeprefix("cli:")
    return Told(entry.pk, entry.at, who, action(entry.action), details(entry.data))


def action(name: str) -> str:
    """What an action is called; one that has no name here by its own."""
    text = WORDS["action"].get(name)
    return _(text) if text else name.replace("_", " ")


def details(data: dict[str, Any]) -> list[tuple[str, str]]:
    """The details of an entry; a change as "before → after", without what stayed."""
    if set(data) == {"before", "after"}:
        before, after = data["before"], data["after"]
        changed = [n for n in after if before.get(n) != after[n]]
        return [(field(n), f"{_told(n, before.get(n))} → {_told(n, after[n])}") for n in changed]
    return [(field(name), _told(name, value)) for name, value in data.items() if value not in (None, "", [], {})]


def field(name: str) -> str:
    """What a field is called; one that has no name here by its own."""
    text = WORDS["field"].get(name)
    return _(text) if text else name.replace("_", " ")


# The kind of words (`words.WORDS`) of a field's values.
KINDS = {"kind": "customer", "language": "language", "documents_per": "documents_per", "tax_status": "tax_status",
         "role": "role"}  # fmt: skip


def _told(name: str, value: Any) -> str:
    """A value in words where it is one of a few, else as it is."""
    text = WORDS[KINDS[name]].get(value) if name in KINDS and isinstance(value, str) else None
    return _(text) if text else _plain(value)


def _plain(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(v) for v in value)
    return str(value)
