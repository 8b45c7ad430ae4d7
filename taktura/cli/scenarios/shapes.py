"""The shapes that a format is described with: each takes a node and its place, gives a plain value or raises `Wrong`.

Nothing (null) is None for single values, and empty for lists and mappings; `or_null` keeps it.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ruamel.yaml.nodes import MappingNode, SequenceNode

from taktura.cli.scenarios import values
from taktura.cli.scenarios.nodes import Wrong, entries, is_null, items, line_of, scalar

Shape = Callable[[Any, str], Any]
FLAGS = {"true": True, "false": False, "yes": True, "no": False}
SPAN = re.compile(r"(?P<count>[0-9]{1,4})\s+(day|week|month|year)s?")
ANCHOR = re.compile(r"contract|calendar|day\s+(?P<day>[0-9]{1,2})")
TICK = re.compile(r"minute|second|(?P<first>[0-9]{1,9})/(?P<step>[0-9]{1,9})")


def unknown(key: str, known: Iterable[str], place: str, line: int | None) -> Wrong:
    """The complaint about a key that is not known; it names the nearest one that is."""
    choices = sorted(known)
    near = difflib.get_close_matches(key, choices, 1, 0) or choices
    return Wrong(f"unknown key {place + '.' if place else ''}{key}: did you mean “{near[0]}”?", line)


def _single(due: str, convert: Callable[[str], Any]) -> Shape:
    def read(node: Any, place: str) -> Any:
        text = scalar(node, place, due)
        if is_null(node):
            return None
        try:
            return convert(text)
        except ValueError as error:
            raise Wrong(f"{place}: {error}", line_of(node)) from None

    return read


def _flag(text: str) -> bool:
    if text.lower() not in FLAGS:
        raise ValueError(f"“{text}” is neither true nor false")
    return FLAGS[text.lower()]


def _whole(text: str) -> int:
    found = values.exact(text)
    if found != int(found):
        raise ValueError(f"“{text}” is no whole number")
    return int(found)


def _zone_name(text: str) -> str:
    values.zone(text)
    return text


text: Shape = _single("a text", str)
number: Shape = _single("a number", values.exact)
whole: Shape = _single("a whole number", _whole)
flag: Shape = _single("true or false", _flag)
day: Shape = _single("a date", values.day)
moment: Shape = _single("a date or a timestamp", values.instant)
zone: Shape = _single("a time zone", _zone_name)


def choice(words: str) -> Shape:
    """One of the words (written in one text)."""
    known = words.split()

    def convert(found: str) -> str:
        if found not in known:
            raise ValueError(f"“{found}” is not one of {', '.join(known)}")
        return found

    return _single(f"one of {', '.join(known)}", convert)


def pattern(expression: str, complaint: str) -> Shape:
    """A text of a form; the complaint follows the text that is wrong."""
    compiled = re.compile(expression)

    def convert(found: str) -> str:
        if not compiled.fullmatch(found):
            raise ValueError(f"“{found}” {complaint}")
        return found

    return _single("a text", convert)


def span(limits: bool) -> Shape:
    """A span of time, R2.5; with `limits` none of 0 (without, the services refuse it)."""

    def convert(found: str) -> str:
        match = SPAN.fullmatch(found)
        if not match or limits and not int(match["count"]):
            raise ValueError(f"“{found}” is no span of time: write a number and day, week, month or year")
        return found

    return _single("a span of time", convert)


def anchor(limits: bool) -> Shape:
    """An anchor, R2.4; with `limits` of a day that months have (without, the services refuse it)."""

    def convert(found: str) -> str:
        match = ANCHOR.fullmatch(found)
        if not match or limits and match["day"] and not 1 <= int(match["day"]) <= 31:
            raise ValueError(f"“{found}” is no anchor: write contract, calendar, or day 1 to day 31")
        return found

    return _single("an anchor", convert)


def tick(limits: bool) -> Shape:
    """A tick, R6.2; with `limits` none of 0 seconds (without, the services refuse it)."""

    def convert(found: str) -> str:
        match = TICK.fullmatch(found)
        if not match or limits and match["first"] and not int(match["first"]) * int(match["step"]):
            raise ValueError(f"“{found}” is no tick: write minute, second, or seconds/seconds such as 60/1")
        return found

    return _single("a tick", convert)


def fields(known: Mapping[str, Shape], required: str = "") -> Shape:
    """A mapping with known keys, of which the required ones must be there and not null."""
    needed = required.split()

    def read(node: Any, place: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, line, value in entries(node, place):
            if key not in known:
                raise unknown(key, known, place, line)
            found[key] = known[key](value, f"{place}.{key}" if place else key)
        for key in needed:
            if found.get(key) is None:
                raise Wrong(f"{place}: `{key}` is missing" if place else f"`{key}:` is missing", line_of(node))
        return found

    return read


def each(shape: Shape) -> Shape:
    """A mapping with keys of the writer's choice, all of one shape."""

    def read(node: Any, place: str) -> dict[str, Any]:
        return {entry.key: shape(entry.value, f"{place}.{entry.key}") for entry in entries(node, place)}

    return read


def rows(shape: Shape, least: int = 0) -> Shape:
    """A list, all of one shape, of at least so many."""

    def read(node: Any, place: str) -> list[Any]:
        found = [shape(item, f"{place}.{i}") for i, item in enumerate(items(node, place), 1)]
        if len(found) < least:
            raise Wrong(f"{place} is empty", line_of(node))
        return found

    return read


def or_null(shape: Shape) -> Shape:
    """The shape, or null, which stays None."""
    return lambda node, place: None if is_null(node) else shape(node, place)


def needed(shape: Shape) -> Shape:
    """The shape, and never null."""

    def read(node: Any, place: str) -> Any:
        if is_null(node):
            raise Wrong(f"{place}: a value is missing", line_of(node))
        return shape(node, place)

    return read


def by_form(single: Shape, *, as_list: Shape | None = None, as_mapping: Shape | None = None) -> Shape:
    """A single value, or a list or mapping where these are shapes."""

    def read(node: Any, place: str) -> Any:
        if as_list is not None and isinstance(node, SequenceNode):
            return as_list(node, place)
        if as_mapping is not None and isinstance(node, MappingNode):
            return as_mapping(node, place)
        return single(node, place)

    return read
