"""Which heading of a supplier's file stands for which of our columns, and how the file is written."""

import difflib
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from typing import Any

from taktura.core.errors import Refused

COLUMNS = (
    "id", "customer_id", "customer_name", "subscription_id", "subscription_name", "subscription_description",
    "subscription_start", "subscription_end", "product_id", "product_name", "unit", "quantity", "period_start", "period_end",
    "cost", "cost_amount", "price", "amount", "currency", "revision",
)
SETTINGS = ("delimiter", "encoding", "decimal", "date_format", "skip_lines", "null_texts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """`columns`: our column to the file's heading; a column not named stands under its own name.

    `delimiter` and `encoding` are found out where they are None. `date_format` is one of `strptime`; without it dates
    and timestamps are read as ISO 8601.
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

        Raises `Refused` (`invalid`) for an unknown column, with the nearest known one.
        """
        settings = {k: value[k] for k in SETTINGS if k in value}
        columns = {k: v for k, v in value.items() if k not in SETTINGS and k != "columns"} | dict(value.get("columns") or {})
        for name in columns:
            if name not in COLUMNS:
                near = difflib.get_close_matches(name, [*COLUMNS, *SETTINGS], 1, 0)
                raise Refused("invalid", "A usage file has no column “%(name)s”: did you mean “%(near)s”?", name=name,
                              near=near[0] if near else COLUMNS[0])
        if settings.get("decimal", ".") not in (".", ","):
            raise Refused("invalid", "The decimal sign is a point or a comma.")
        if "null_texts" in settings:
            settings["null_texts"] = tuple(settings["null_texts"])
        return cls(columns={k: str(v) for k, v in columns.items()}, **settings)

    def heading(self, column: str) -> str:
        """The file's heading for one of our columns."""
        return self.columns.get(column, column)
