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
        return [(n, f"{_plain(before.get(n))} → {_plain(after[n])}") for n in after if before.get(n) != after[n]]
    return [(name, _plain(value)) for name, value in data.items() if value not in (None, "", [], {})]


def _plain(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(v) for v in value)
    return str(value)
