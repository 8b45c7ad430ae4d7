"""YAML 1.2 as nodes that know their lines: keys, merges and free values, without anything read inexactly.

A scenario is read from nodes and not from what a YAML library would make of them: so numbers are taken from their text
(no binary floats), a word is due where the format says so (`on`, `yes` and `0815` stay what they are), and every
complaint has a line.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from taktura.cli.scenarios.values import exact, instant

MAX_NODES = 500_000  # with aliases written out
MAX_DEPTH = 40
YAML_TAG = "tag:yaml.org,2002:"
TAGS = frozenset(["str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value"])


class Wrong(Exception):
    """What is wrong, and on which line (from 1)."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


class Entry(NamedTuple):
    """A key of a mapping, the line that it stands on, and its value."""

    key: str
    line: int
    value: Any


def compose(text: str) -> Any:
    """The one document of a text as a node, None where it is empty; raises `Wrong`."""
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ": ".join(str(part) for part in (error.context, error.problem) if part)
        raise Wrong(reason or "this is not YAML", mark.line + 1 if mark else None) from error
    except ReaderError as error:
        reason = f"the character U+{ord(text[error.position]):04X} cannot stand in YAML"
        raise Wrong(reason, text.count("\n", 0, error.position) + 1) from error
    except RecursionError as error:
        raise Wrong("the file is nested too deeply", None) from error
    except (YAMLError, ArithmeticError, AttributeError, LookupError, ValueError, AssertionError) as error:
        # The parser has no mercy with some broken texts.
        raise Wrong("this is not YAML", None) from error
    if node is not None:
        _check(node, {}, set(), 1)
    return node


def _check(node: Any, sizes: dict[int, int], within: set[int], depth: int) -> int:
    """Refuse what would run away (an alias inside itself, aliases of aliases); gives how many nodes it stands for."""
    if id(node) in sizes:
        return sizes[id(node)]
    tag = str(node.tag)
    if tag.removeprefix(YAML_TAG) not in TAGS or not tag.startswith(YAML_TAG):
        raise Wrong(f"the tag {tag} has no meaning here", line_of(node))
    if id(node) in within:
        raise Wrong("an alias stands for something that it is part of", line_of(node))
    if depth > MAX_DEPTH:
        raise Wrong("the file is nested too deeply", line_of(node))
    within.add(id(node))
    children: list[Any] = []
    if isinstance(node, SequenceNode):
        children = node.value
    elif isinstance(node, MappingNode):
        children = [part for pair in node.value for part in pair]
    size = 1 + sum(_check(child, sizes, within, depth + 1) for child in children)
    within.discard(id(node))
    if size > MAX_NODES:
        raise Wrong(f"the file stands for more than {MAX_NODES} values", line_of(node))
    sizes[id(node)] = size
    return size


def line_of(node: Node) -> int:
    """The line on which a node begins, from 1."""
    return int(node.start_mark.line) + 1


def kind(node: Node) -> str:
    """The short name of a node's tag, such as `str`, `int`, `null`."""
    return str(node.tag).removeprefix(YAML_TAG)


def is_null(node: Node) -> bool:
    """Whether nothing (or `null`, `~`) stands there."""
    return isinstance(node, ScalarNode) and kind(node) == "null"


def described(node: Node) -> str:
    """A node in a few words, for a complaint."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    return f"“{node.value}”" if not is_null(node) else "nothing"


def entries(node: Node, place: str) -> list[Entry]:
    """The keys and values of a mapping, merges (`<<`) laid under its own keys; of null none. Raises `Wrong`."""
    if is_null(node):
        return []
    if not isinstance(node, MappingNode):
        raise Wrong(f"{place or 'the file'} is a mapping, not {described(node)}", line_of(node))
    own: dict[str, Entry] = {}
    merged: dict[str, Entry] = {}
    merges = 0
    for key_node, value in node.value:
        line = line_of(key_node)
        if not isinstance(key_node, ScalarNode) or is_null(key_node):
            raise Wrong(f"{place or 'the file'}: a key is a word, not {described(key_node)}", line)
        if kind(key_node) == "merge":
            merges += 1
            for entry in _merged(value, place):
                merged.setdefault(entry.key, entry)
            if merges > 1:
                raise Wrong("“<<” stands there twice", line)
            continue
        key = str(key_node.value)
        if key in own:
            raise Wrong(f"“{key}” stands there twice", line)
        own[key] = Entry(key, line, value)
    return list((merged | own).values())


def _merged(node: Node, place: str) -> Iterator[Entry]:
    """What `<<` brings: one mapping, or a list of them of which the earlier wins."""
    for part in node.value if isinstance(node, SequenceNode) else [node]:
        if not isinstance(part, MappingNode):
            raise Wrong(f"{place or 'the file'}: “<<” takes a mapping, not {described(part)}", line_of(part))
        yield from entries(part, place)


def items(node: Node, place: str) -> list[Any]:
    """The nodes of a list; of null none. Raises `Wrong`."""
    if is_null(node):
        return []
    if not isinstance(node, SequenceNode):
        raise Wrong(f"{place} is a list, not {described(node)}", line_of(node))
    return list(node.value)


def scalar(node: Node, place: str, due: str) -> str:
    """The text of a plain or quoted word; raises `Wrong` (which names what is due) for a list or a mapping."""
    if not isinstance(node, ScalarNode):
        raise Wrong(f"{place}: {due} is due here, not {described(node)}", line_of(node))
    return str(node.value)


def free(node: Node, place: str) -> Any:
    """A value of any shape: text, exact number, date, timestamp, true, false, null, list or mapping."""
    if isinstance(node, MappingNode):
        return {entry.key: free(entry.value, f"{place}.{entry.key}") for entry in entries(node, place)}
    if isinstance(node, SequenceNode):
        return [free(item, f"{place}.{i}") for i, item in enumerate(node.value, 1)]
    return free_scalar(node, place)


def free_scalar(node: Node, place: str) -> str | int | Decimal | bool | date | datetime | None:
    """A single value by what it looks like; raises `Wrong` for a list or mapping, and for what only looks like one."""
    text = scalar(node, place, "a single value")
    found = kind(node)
    if found == "null":
        return None
    try:
        if found in ("int", "float"):
            return exact(text)
        if found == "timestamp":
            return instant(text)
    except ValueError as error:
        raise Wrong(f"{place}: {error}; quote it where it is a text", line_of(node)) from None
    return text.lower() == "true" if found == "bool" else text
