"""Which heading of a supplier's file stands for which of our columns, and how the file is written."""

import difflib
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taktura.core.errors import Refused

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
    "currency",
    "revision",
)
SETTINGS = ("delimiter", "encoding", "decimal", "date_format", "skip_lines", "null_texts")
_NO_TEXT = b"a\xff\xfe\x81,"  # an encoding must read on behind what is no text in it
_A_DAY = datetime(2023, 11, 28)  # noqa: DTZ001 - tries out a format; no instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """`columns`: our column to the file's heading; a column not named stands under its own name.

    `delimiter` and `encoding` are found out where they are None. `date_format` is one of `strptime`; without it dates
    and timestamps are read as ISO 8601. `skip_lines` physical lines stand before the headings. Cells that equal one of
    `null_texts` are absent, as empty ones are.
    """

    columns: dict[str, str] = field(default_factory=dict)
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str = "."
    date_format: str | None = None
    skip_lines: int = 0
    null_texts: tuple[str, ...] = ("NULL",)

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
        return cls(columns={k: str(v).strip() for k, v in columns.items()}, **_checked(settings))

    def heading(self, column: str) -> str:
        """The file's heading for one of our columns."""
        return self.columns.get(column, column)


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
    if "date_format" in settings:
        _check_date_format(str(settings["date_format"]))
    return settings


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
