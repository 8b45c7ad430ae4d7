"""The small language of mappings: what a column is made of where no heading says it alone, and which rows are left out.

`=[Unit price] * Quantity`, `=first(SubAccountId, BillingAccountId)`, `disposition <> "ANSWERED" or billsec = 0`. A text
is read once into functions over a row's cells. There are no loops, no names but headings and the functions below, and
nothing is evaluated as Python: a mapping can do no harm, and ends.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from taktura.core.errors import Refused
from taktura.core.money import DECIMALS, EXACT, plain
from taktura.usage.reader.rows import Unreadable

Cells = Sequence[Any]
Value = str | Decimal | bool | date | None  # None: absent; dates come of cells that are dates, not texts
Term = Callable[[Cells], Value]

MAX_LENGTH, MAX_DEPTH, MAX_DIGITS = 1000, 20, 120
FUNCTIONS = {  # how many arguments they take
    "first": (1, 20), "if": (3, 3), "round": (1, 2), "seconds": (2, 2), "key": (1, 20), "left": (2, 2),
    "digits": (1, 1), "day": (1, 1), "instant": (1, 1),
}  # fmt: skip

WRITTEN_KEY = "written key"  # no name that an expression could call

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|"(?P<text>[^"]*)"|\[(?P<heading>[^\]]+)\]
    |(?P<name>[^\W\d][\w.]*)|(?P<sign><>|<=|>=|[-+*/&=<>(),]))""",
    re.VERBOSE,
)
_NO_DIGIT = re.compile(r"\D+")


class Reads(Protocol):
    """How cells are read: by the converter of a file."""

    def number(self, value: Any, column: str, any_length: bool = False) -> Decimal | None:
        """An exact number, None for an absent one; `any_length`: of more decimals than are kept."""

    def instant(self, value: Any, column: str) -> Any:
        """A timestamp, None for an absent one."""

    def day(self, value: Any, column: str) -> date | None:
        """The day of a date or timestamp as it is written, None for an absent one."""

    def text(self, value: Any) -> str:
        """A text without outer blanks, empty for an absent one."""

    def meant(self, heading: str) -> Callable[[Any], str]:
        """How the cells under a heading are told in a key: by what they mean, however it is written."""


@dataclass(slots=True)
class Expression:
    """What was read from a text: the headings that it names; `needed` are those that a file must have."""

    source: str
    tree: Any
    headings: list[str] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)
    choices: list[list[str]] = field(default_factory=list)  # of each `first` of several: one is enough

    def compiled(self, place: Callable[[str], int], reads: Reads) -> Term:
        """The function over a row's cells; `place` gives where a heading stands, -1 for one that is not there."""
        return _compiled(self.tree, place, reads, self.source)

    def as_written(self) -> "Expression | None":
        """The same with keys made of cells as they are written, as keys were before; None where there is no key."""
        tree = _as_written(self.tree)
        return Expression(self.source, tree) if tree != self.tree else None


def parse(source: str) -> Expression:
    """Read an expression. Raises `Refused` (`invalid`), with the place that cannot be read."""
    return _Parser(source).whole()


class _Parser:
    def __init__(self, source: str) -> None:
        if len(source) > MAX_LENGTH:
            raise Refused("invalid", "An expression of a mapping has at most %(most)s characters.", most=MAX_LENGTH)
        self.found = Expression(source, None)
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while source[at:].strip():
            match = _TOKEN.match(source, at)
            if match is None:
                self._wrong(source[at:].strip()[:20])
            assert match is not None and match.lastgroup is not None
            self._tokens.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()
        self._at = self._depth = self._optional = 0

    def whole(self) -> Expression:
        """All of the text as one expression."""
        self.found.tree = self._or()
        if self._at < len(self._tokens):
            self._wrong(self._tokens[self._at][1])
        return self.found

    def _wrong(self, near: str) -> None:
        raise Refused(
            "invalid", "“%(source)s” cannot be read at “%(near)s”: write it as in =Quantity * [Unit price].",
            source=self.found.source, near=near or "…",
        )  # fmt: skip

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _taken(self, *signs: str) -> str:
        kind, text = self._peek()
        if (kind == "sign" and text in signs) or (kind == "name" and text.lower() in signs):
            self._at += 1
            return text.lower()
        return ""

    def _row(self, inner: Callable[[], Any], *signs: str) -> Any:
        tree = inner()
        while sign := self._taken(*signs):
            tree = (sign, tree, inner())
        return tree

    def _or(self) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._wrong("(")
        tree = self._row(lambda: self._row(self._comparison, "and"), "or")
        self._depth -= 1
        return tree

    def _comparison(self) -> Any:
        tree = self._joined()
        if sign := self._taken("=", "<>", "<", ">", "<=", ">="):
            return (sign, tree, self._joined())
        return tree

    def _joined(self) -> Any:
        return self._row(lambda: self._row(lambda: self._row(self._signed, "*", "/"), "+", "-"), "&")

    def _signed(self) -> Any:
        if self._taken("-"):
            return ("-", ("number", Decimal(0)), self._atom())
        return self._atom()

    def _atom(self) -> Any:
        kind, text = self._peek()
        self._at += 1
        if kind == "number":
            return ("number", Decimal(text))
        if kind == "text":
            return ("text", text)
        if kind == "sign" and text == "(":
            tree = self._or()
            if not self._taken(")"):
                self._wrong(self._peek()[1])
            return tree
        if kind == "name" and self._peek() == ("sign", "("):
            return self._call(text.lower())
        if kind in ("heading", "name"):
            return self._heading(text.strip())
        self._wrong(text)
        return None

    def _heading(self, name: str) -> Any:
        self.found.headings.append(name)
        if not self._optional:
            self.found.needed.append(name)
        return ("heading", name)

    def _call(self, name: str) -> Any:
        if name not in FUNCTIONS:
            raise Refused(
                "invalid", "There is no function “%(name)s”: there are %(known)s.",
                name=name, known=", ".join(FUNCTIONS),
            )  # fmt: skip
        self._at += 1
        self._optional += name == "first"
        before, arguments = len(self.found.headings), [self._or()]
        while self._taken(","):
            arguments.append(self._or())
        if not self._taken(")"):
            self._wrong(self._peek()[1])
        self._optional -= name == "first"
        least, most = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            self._wrong(name)
        if (
            name == "first"
            and len(arguments) > 1
            and not self._optional
            and all(a[0] not in ("text", "number") for a in arguments)
        ):
            self.found.choices.append(self.found.headings[before:])
        return (name, *arguments)


def _compiled(tree: Any, place: Callable[[str], int], reads: Reads, source: str) -> Term:
    kind, *parts = tree
    if kind in ("number", "text"):
        value = parts[0]
        return lambda cells: value
    if kind == "heading":
        return _heading(place(parts[0]), reads)
    terms = [_compiled(part, place, reads, source) for part in parts]
    if kind in ("day", "instant") and parts[0][0] == "heading":
        source = parts[0][1]  # what cannot be read is named by its heading
    if kind == "seconds":
        return _seconds(tree, place, reads, source)
    if kind == "key":
        return _key([_meant(part, place, reads, source) for part in parts], reads, source)
    made: Term = _OPERATIONS[kind](terms, reads, source)
    return made


def _heading(at: int, reads: Reads) -> Term:
    if at < 0:
        return lambda cells: None
    text = reads.text
    return lambda cells: cells[at] if isinstance(cells[at], date) else text(cells[at]) or None


def _meant(tree: Any, place: Callable[[str], int], reads: Reads, source: str) -> Term:
    """A part of a key: a heading, or the first of some, by what is meant by its cells."""
    kind, *parts = tree
    if kind == "heading":
        at, told = place(parts[0]), reads.meant(parts[0])
        return lambda cells: told(cells[at]) or None if at >= 0 else None
    if kind == "first":
        return _first([_meant(part, place, reads, source) for part in parts], reads, source)
    return _compiled(tree, place, reads, source)


def _as_written(tree: Any) -> Any:
    kind, *parts = tree
    if kind in ("number", "text", "heading"):
        return tree
    return (WRITTEN_KEY if kind == "key" else kind, *(_as_written(part) for part in parts))


def _seconds(tree: Any, place: Callable[[str], int], reads: Reads, source: str) -> Term:
    """Whole seconds between two timestamps, told by headings or by `first` of some."""
    begin, end = (_compiled(part, place, reads, source) for part in tree[1:])

    def term(cells: Cells) -> Value:
        a, b = reads.instant(begin(cells) or "", source), reads.instant(end(cells) or "", source)
        if a is None or b is None:
            return None
        return Decimal((b - a) // _SECOND)

    return term


def _number(value: Value, reads: Reads, source: str) -> Decimal | None:
    if isinstance(value, bool):
        raise Unreadable("bad_expression", source, "true" if value else "false")
    return reads.number(str(value), source) if isinstance(value, str | date) else value


def _arithmetic(work: Callable[[Decimal, Decimal], Decimal]) -> Any:
    def made(terms: list[Term], reads: Reads, source: str) -> Term:
        left, right = terms

        def term(cells: Cells) -> Value:
            a, b = _number(left(cells), reads, source), _number(right(cells), reads, source)
            if a is None or b is None:
                return None
            found = work(a, b)
            if len(found.as_tuple().digits) > MAX_DIGITS:
                raise Unreadable("bad_expression", source, str(found))
            return found

        return term

    return made


def _divided(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise Unreadable("bad_expression", "", f"{a} / 0")
    return plain(Fraction(a) / Fraction(b))


def as_text(value: Value, decimal: str = ".") -> str:
    """A value as it would stand in a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC)
    return format(value, "f").replace(".", decimal) if isinstance(value, Decimal) else str(value)


def _compared(sign: str) -> Any:
    def made(terms: list[Term], reads: Reads, source: str) -> Term:
        left, right = terms

        def term(cells: Cells) -> Value:
            a, b = left(cells), right(cells)
            x, y = _comparable(a, b, reads)
            return _COMPARE[sign](x, y)

        return term

    return made


def _comparable(a: Value, b: Value, reads: Reads) -> tuple[Any, Any]:
    """Two numbers where both can be read as such, else two texts without regard to case."""
    try:
        x, y = (reads.number(v, "") if isinstance(v, str) else v for v in (a, b))
    except Unreadable:
        x = y = None
    if isinstance(x, Decimal) and isinstance(y, Decimal):
        return x, y
    return as_text(a).casefold(), as_text(b).casefold()


def _joined(terms: list[Term], reads: Reads, source: str) -> Term:
    left, right = terms
    return lambda cells: as_text(left(cells)) + as_text(right(cells)) or None


def _truth(value: Value) -> bool:
    return value is True or (not isinstance(value, bool) and as_text(value).casefold() in ("true", "1", "yes"))


def _first(terms: list[Term], reads: Reads, source: str) -> Term:
    def term(cells: Cells) -> Value:
        return next((v for v in (t(cells) for t in terms) if v is not None and v != ""), None)

    return term


def _if(terms: list[Term], reads: Reads, source: str) -> Term:
    condition, yes, no = terms
    return lambda cells: yes(cells) if _truth(condition(cells)) else no(cells)


def _round(terms: list[Term], reads: Reads, source: str) -> Term:
    def term(cells: Cells) -> Value:
        value = terms[0](cells)
        if isinstance(value, str):
            value = reads.number(value, source, any_length=True)
        places = _number(terms[1](cells), reads, source) if len(terms) > 1 else Decimal(0)
        if value is None or isinstance(value, bool | date) or places is None or not 0 <= places <= DECIMALS:
            return None
        return plain(Fraction(value), int(places))

    return term


def _key(terms: list[Term], reads: Reads, source: str) -> Term:
    """A short text that stands for several: the same for the same, another for others."""

    def term(cells: Cells) -> Value:
        texts = [as_text(t(cells)) for t in terms]
        return hashlib.sha256("\x1f".join(texts).encode("utf-8", "replace")).hexdigest()[:40]

    return term


def _left(terms: list[Term], reads: Reads, source: str) -> Term:
    def term(cells: Cells) -> Value:
        count = _number(terms[1](cells), reads, source)
        return as_text(terms[0](cells))[: max(int(count), 0)] if count is not None else None

    return term


def _digits(terms: list[Term], reads: Reads, source: str) -> Term:
    return lambda cells: _NO_DIGIT.sub("", as_text(terms[0](cells))) or None


def _day(terms: list[Term], reads: Reads, source: str) -> Term:
    """The day of a timestamp as it is written, without its hour: what a supplier means that writes days so."""
    return lambda cells: reads.day(terms[0](cells) or "", source)


def _instant(terms: list[Term], reads: Reads, source: str) -> Term:
    """A timestamp as it is, and of a date the instant at which it begins: what a supplier means whose end is exclusive
    and who writes it without an hour."""
    return lambda cells: reads.instant(terms[0](cells) or "", source)


_SECOND = timedelta(seconds=1)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b, ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
}  # fmt: skip
_OPERATIONS: dict[str, Any] = {
    "+": _arithmetic(EXACT.add), "-": _arithmetic(EXACT.subtract), "*": _arithmetic(EXACT.multiply),
    "/": _arithmetic(_divided), "&": _joined, "first": _first, "if": _if, "round": _round, WRITTEN_KEY: _key,
    "left": _left, "digits": _digits, "day": _day, "instant": _instant,
    "and": lambda t, r, s: lambda cells: _truth(t[0](cells)) and _truth(t[1](cells)),
    "or": lambda t, r, s: lambda cells: _truth(t[0](cells)) or _truth(t[1](cells)),
    **{sign: _compared(sign) for sign in _COMPARE},
}  # fmt: skip
