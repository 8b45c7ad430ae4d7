"""Comparing what a scenario expects with what was found. An expectation names only what it checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

EXACT_LISTS = (
    "documents",
    "preview",
    "lines",
    "exceptions",
    "sales_items",
    "time",
    "alerts",
    "without_billing_information",
    "without_contract",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where expected and found differ."""

    path: str
    expected: Any
    found: Any


def compare(expected: Any, found: Any, path: str) -> list[Difference]:
    """All differences of an expectation (any of those of docs/scenarios.md) from what was found."""
    if isinstance(expected, Mapping):
        return _mapping(expected, found, path)
    if isinstance(expected, list):
        return _list(expected, found, path)
    return [] if equal(expected, found) else [Difference(path, expected, found)]


def _mapping(expected: Mapping[Any, Any], found: Any, path: str) -> list[Difference]:
    if not isinstance(found, Mapping):
        return [Difference(path, dict(expected), found)]
    if not expected and found and path.rsplit(".", 1)[-1] in ("subscriptions", "supplier_customers"):
        return [Difference(path, {}, dict(found))]
    differences = []
    for key, value in expected.items():
        place = f"{path}.{key}"
        if key == "as":
            continue
        if key == "references":
            named = set(value) if isinstance(value, list) else {value}
            if named != set(found.get(key) or ()):
                differences.append(Difference(place, value, found.get(key)))
        elif key == "taxes":
            differences += _taxes(value, found.get(key) or [], place)
        elif value is None:
            if found.get(key) is not None:
                differences.append(Difference(place, None, found.get(key)))
        else:
            differences += compare(value, found.get(key), place)
    return differences


def _list(expected: list[Any], found: Any, path: str) -> list[Difference]:
    if not isinstance(found, list) or len(found) != len(expected):
        return [Difference(path, expected, found)]
    return [d for i, (e, f) in enumerate(zip(expected, found, strict=True), 1) for d in compare(e, f, f"{path}[{i}]")]


def _taxes(expected: list[Any], found: list[Any], path: str) -> list[Difference]:
    """Tax rows in any order: each expected one pairs with the row of its rate (and category)."""
    if len(expected) != len(found):
        return [Difference(path, expected, found)]
    differences = []
    left = list(found)
    for row in expected:
        keys = [k for k in ("rate", "category") if k in row]
        place = f"{path}[{row.get('rate')}]"
        match = [f for f in left if all(equal(row[k], f.get(k)) for k in keys)]
        best: Mapping[str, Any] = min(match, key=lambda f: len(_mapping(row, f, place)), default={})
        left = [f for f in left if f is not best]
        differences += _mapping(row, best, place)
    return differences


def equal(expected: Any, found: Any) -> bool:
    """Equality of values: numbers by value (also when one is written as text), all else as it stands."""
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | Decimal) or isinstance(found, int | Decimal):
        try:
            return Decimal(str(expected)) == Decimal(str(found))
        except ArithmeticError:
            return False
    return bool(expected == found or str(expected) == str(found)) if found is not None else expected is None


def names(expected: list[Mapping[str, Any]], found: list[Mapping[str, Any]]) -> dict[str, str]:
    """The names given by `as` to documents, with their numbers."""
    return {e["as"]: str(f["number"]) for e, f in zip(expected, found, strict=False) if e.get("as")}
