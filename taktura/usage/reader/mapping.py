"""Which heading of a supplier's file stands for which of our columns, and how the file is written."""

import difflib
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taktura.core.errors import Refused
from taktura.usage.reader.expressions import Expression, parse

COLUMNS = (
    "id",
    "customer_id",
    "customer_name",
    "subscription_id",
    "subscription_name",
    "subscription_description",
    "subscription_start",
    "subscription_end",
    "product_id",
    "product_name",
    "unit",
    "quantity",
    "period_start",
    "period_end",
    "cost",
    "cost_amount",
    "price",
    "amount",
    "discount",
    "currency",
    "revision",
    "seconds",
    "call_id",
)
NUMBERS = frozenset(("quantity", "cost", "cost_amount", "price", "amount", "discount", "revision", "seconds"))
DATES = ("period_start", "period_end", "subscription_start", "subscription_end")
SETTINGS = (
    "delimiter", "encoding", "decimal", "date_format", "skip_lines", "null_texts", "sheet", "headings", "skip_rows",
    "attributes", "numbers", "number_repeats", "discount_is", "discount_of",
)  # fmt: skip
DISCOUNT_IS, DISCOUNT_OF = ("percent", "amount"), ("price", "cost", "both")
ISO = "ISO"  # among the date formats: 2026-06-30, and timestamps of ISO 8601
NUMBERS_OF_CALLS = ("caller", "called")  # attributes of these names are telephone numbers
MAX_CONDITIONS, MAX_ATTRIBUTES, MAX_HEADINGS = 20, 20, 200
_NO_TEXT = b"a\xff\xfe\x81,"  # an encoding must read on behind what is no text in it
_A_DAY = datetime(2023, 11, 28)  # noqa: DTZ001 - tries out a format; no instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """`columns`: our column to the file's heading, or to an expression that begins with “=” (`expressions`); a column
    not named stands under its own name.

    `delimiter` and `encoding` are found out where they are None. `date_format` is one of `strptime`, or several with
    “|” between, of which “ISO” is ISO 8601; without it that is what is read. `skip_lines` physical lines stand before
    the headings. Cells that equal one of `null_texts` are absent, as empty ones are. `sheet`: of a workbook, else its
    first with rows. `headings`: of a file that has none. `skip_rows`: conditions; a row for which one is true is left
    out. `attributes`: free names to headings or expressions. `numbers`: which of the attributes are telephone numbers,
    that are masked after a time. `number_repeats`: rows that would have the same id in a file are told apart by their
    number, where a supplier gives rows no id of their own. `discount_is`: whether the discount of a row is a percentage
    or money off the row. `discount_of`: the unit prices that it is off; without it the price, of a row that has none
    the cost. `tells_former` is no setting: rows tell the ids, too, that they had before keys were made of what dates
    and numbers mean.
    """

    columns: dict[str, str] = field(default_factory=dict)
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str = "."
    date_format: str | None = None
    skip_lines: int = 0
    null_texts: tuple[str, ...] = ("NULL",)
    sheet: str | None = None
    headings: tuple[str, ...] = ()
    skip_rows: tuple[str, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    numbers: tuple[str, ...] = NUMBERS_OF_CALLS
    number_repeats: bool = False
    discount_is: str = "percent"
    discount_of: str | None = None
    tells_former: bool = False

    @classmethod
    def from_dict(cls, value: AbstractMapping[str, Any]) -> "Mapping":
        """Read {column: heading}, with the settings beside them or the columns under `columns`.

        Raises `Refused` (`invalid`) for an unknown column, with the nearest known one, and for a setting that no file
        could be read with.
        """
        nested = value.get("columns") or {}
        if not isinstance(nested, AbstractMapping):
            raise Refused("invalid", "The columns of a mapping are pairs of our column and the file's heading.")
        settings = {k: value[k] for k in SETTINGS if value.get(k) is not None}
        columns = {str(k): v for k, v in value.items() if k not in SETTINGS and k != "columns"} | dict(nested)
        for name, heading in columns.items():
            if name not in COLUMNS:
                near = difflib.get_close_matches(str(name), [*COLUMNS, *SETTINGS], 1, 0)[0]
                raise Refused(
                    "invalid", "A usage file has no column “%(name)s”: did you mean “%(near)s”?", name=name, near=near
                )
            if not isinstance(heading, str | int) or not str(heading).strip():
                raise Refused("invalid", "The column “%(name)s” of a mapping needs the file's heading.", name=name)
            expression(str(heading))
        return cls(columns={k: str(v).strip() for k, v in columns.items()}, **_checked(settings))

    def heading(self, column: str) -> str:
        """The file's heading for one of our columns, or the expression that makes it."""
        return self.columns.get(column, column)

    def wanted(self, *needed: str) -> Iterator[list[str]]:
        """The headings that a file must have, of each list one: those that the mapping names, and those of `needed`
        columns."""
        for name in dict.fromkeys((*self.columns, *needed)):
            yield from _wanted(self.heading(name))
        for source in self.attributes.values():
            yield from _wanted(source)
        for condition in self.skip_rows:
            yield from _wanted(f"={condition}")

    def names(self) -> set[str]:
        """All headings that the mapping knows, whether a file must have them or not."""
        sources = [*(self.heading(c) for c in COLUMNS), *self.attributes.values(), *(f"={c}" for c in self.skip_rows)]
        return {heading for source in sources for heading in _named(source)}

    def headings_of(self, columns: Iterable[str]) -> set[str]:
        """The headings of which columns are made, in one case."""
        return {heading.casefold() for column in columns for heading in _named(self.heading(column))}

    @property
    def is_of_calls(self) -> bool:
        """Whether the rows are telephone calls, so that numbers stand in the file."""
        return bool({"seconds", "call_id"} & self.columns.keys() or set(self.numbers) & self.attributes.keys())

    @property
    def is_plain(self) -> bool:
        """Whether every column is a heading, and nothing else is asked."""
        return not (self.skip_rows or self.attributes or any(s.startswith("=") for s in self.columns.values()))


def expression(source: str) -> Expression | None:
    """What stands behind “=”; None for a heading. Raises `Refused` (`invalid`)."""
    return parse(source[1:]) if source.startswith("=") else None


def _named(source: str) -> list[str]:
    found = expression(source)
    return found.headings if found else [source]


def _wanted(source: str) -> Iterator[list[str]]:
    found = expression(source)
    if found is None:
        yield [source]
        return
    yield from ([heading] for heading in found.needed)
    yield from (choice for choice in found.choices if choice)


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a mapping; raises `Refused` (`invalid`)."""
    if settings.get("decimal", ".") not in (".", ","):
        raise Refused("invalid", "The decimal sign of a mapping is a point or a comma.")
    if settings.get("delimiter") == "tab":
        settings["delimiter"] = "\t"
    delimiter = settings.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise Refused("invalid", "The delimiter of a mapping is one character, or “tab”.")
    skipped = settings.get("skip_lines", 0)
    if not isinstance(skipped, int) or isinstance(skipped, bool) or skipped < 0:
        raise Refused("invalid", "The lines that a mapping skips are a whole number, 0 or more.")
    if "null_texts" in settings:
        nulls = settings["null_texts"]
        if not isinstance(nulls, str | list | tuple):
            raise Refused("invalid", "The texts that stand for nothing in a mapping are a list of texts.")
        settings["null_texts"] = (nulls,) if isinstance(nulls, str) else tuple(str(n) for n in nulls)
    try:
        _NO_TEXT.decode(str(settings.get("encoding", "utf-8")), "replace")
    except (LookupError, ValueError):
        name = settings["encoding"]
        raise Refused("invalid", "There is no encoding “%(name)s”: write utf-8, utf-16 or cp1252.", name=name) from None
    for date_format in str(settings.get("date_format") or "").split("|"):
        if date_format and date_format != ISO:
            _check_date_format(date_format)
    return settings | _checked_rows(settings)


def _checked_rows(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that say which rows there are and what else is kept of them."""
    found: dict[str, Any] = {}
    lists = (("skip_rows", MAX_CONDITIONS, ()), ("headings", MAX_HEADINGS, ()),
             ("numbers", MAX_ATTRIBUTES, NUMBERS_OF_CALLS))  # fmt: skip
    for name, most, usual in lists:
        given = settings.get(name, usual)
        if not isinstance(given, list | tuple) or len(given) > most or not all(isinstance(g, str) for g in given):
            raise Refused(
                "invalid", "“%(name)s” of a mapping is a list of at most %(most)s texts.", name=name, most=most
            )
        found[name] = tuple(g.strip() for g in given if g.strip())
    for condition in found["skip_rows"]:
        parse(condition)
    attributes = settings.get("attributes", {})
    if not isinstance(attributes, AbstractMapping) or len(attributes) > MAX_ATTRIBUTES:
        raise Refused(
            "invalid", "The attributes of a mapping are at most %(most)s pairs of a name and the file's heading.",
            most=MAX_ATTRIBUTES,
        )  # fmt: skip
    found["attributes"] = {str(k).strip(): str(v).strip() for k, v in attributes.items()}
    for name, source in found["attributes"].items():
        if not name or not source:
            raise Refused("invalid", "An attribute of a mapping needs a name and the file's heading.")
        expression(source)
    for name in found["numbers"]:
        if name not in NUMBERS_OF_CALLS and name not in found["attributes"]:
            raise Refused(
                "invalid", "“%(name)s” is no attribute of the mapping: name the attributes that are telephone numbers.",
                name=name,
            )  # fmt: skip
    sheet = settings.get("sheet")
    if sheet is not None and not isinstance(sheet, str):
        raise Refused("invalid", "The sheet of a mapping is the name of a worksheet.")
    if not isinstance(settings.get("number_repeats", False), bool):
        raise Refused("invalid", "“number_repeats” of a mapping is true or false.")
    for name, known in (("discount_is", DISCOUNT_IS), ("discount_of", DISCOUNT_OF)):
        if settings.get(name, known[0]) not in known:
            raise Refused(
                "invalid", "“%(name)s” of a mapping is one of: %(known)s.", name=name, known=", ".join(known)
            )  # fmt: skip
    return found


def _check_date_format(date_format: str) -> None:
    """A format must give back the day it was written from."""
    try:
        found = datetime.strptime(_A_DAY.strftime(date_format), date_format)  # noqa: DTZ007
    except ValueError:
        found = None
    if found is None or found.date() != _A_DAY.date():
        raise Refused(
            "invalid", "The date format “%(name)s” does not name a day: write it as in %%d.%%m.%%Y.", name=date_format
        )
