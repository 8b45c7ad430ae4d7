"""The log as people read it: an action as a sentence, what changed as words."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from taktura.audit.models import LogEntry
from taktura.core.errors import Refused
from taktura.core.periods import parse_span
from taktura.office import show
from taktura.office.terms import every
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
    return Told(entry.pk, entry.at, show.actor(entry.actor), action(entry.action), details(entry.data))


def action(name: str) -> str:
    """What an action is called; one that has no name here by its own."""
    text = WORDS["action"].get(name)
    return _(text) if text else name.replace("_", " ")


def details(data: dict[str, Any]) -> list[tuple[str, str]]:
    """The details of an entry; a change as "before → after", without what stayed."""
    if set(data) == {"before", "after"}:
        before, after = data["before"], data["after"]
        changed = [n for n in after if before.get(n) != after[n]]
        return [(field(n), f"{value_of(n, before.get(n))} → {value_of(n, after[n])}") for n in changed]
    return [(field(name), value_of(name, value)) for name, value in data.items() if value not in (None, "", [], {})]


def field(name: str) -> str:
    """What a field is called; one that has no name here by its own."""
    text = WORDS["field"].get(name)
    return _(text) if text else name.replace("_", " ")


# The kinds of words (`words.WORDS`) of a field's values.
KINDS = {
    "kind": ("customer", "alert_kind"), "charge": ("line",),
    "role": ("role", "portal_role"),
    **{n: (n,) for n in ("language", "documents_per", "tax_status", "notice", "applies_to", "anchor", "tick",
                         "unit", "booking")},
}  # fmt: skip
EXACT = {"price", "quantity", "included", "minimum_sales", "cost_cap", "tolerance", "discount", "percent", "amount"}
EXACT |= {"value", "bound", "foreseen"}
TIMES = {"interval": every, "trial": show.span}


def value_of(name: str, value: Any) -> str:
    """A value in words where it is one of a few; a number, a day or a length of time as the reader writes it."""
    if isinstance(value, bool):
        return show.word("yes", str(value))
    if not isinstance(value, str) or not value:
        return _plain(name, value)
    if text := next((WORDS[k][value] for k in KINDS.get(name, ()) if value in WORDS[k]), ""):
        return _(text)
    try:
        if name in TIMES:
            return TIMES[name](parse_span(value))
        if name in EXACT:
            return show.quantity(Decimal(value))
        return show.day(date.fromisoformat(value)) if show.ISO_DAY.fullmatch(value) else value
    except (ValueError, ArithmeticError, Refused):
        return value  # of a time when such a value was written otherwise


def _plain(name: str, value: Any) -> str:
    if value is None or value == "":
        return show.NONE
    if isinstance(value, dict):
        parts = [f"{field(k)}: {value_of(k, v)}" for k, v in value.items() if v not in (None, "", [], {})]
        return "; ".join(parts) if any(isinstance(v, dict) for v in value.values()) else ", ".join(parts)
    if isinstance(value, list):
        return ", ".join(value_of(name, v) for v in value)
    return str(value)
