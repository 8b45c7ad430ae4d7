"""Looking at a file before it is loaded: the mapping that it proposes, and its first rows as they would be read."""

from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from taktura.usage.models import Supplier
from taktura.usage.reader import Counts, Mapping, Problem, Row, check_content, named, propose, read

MOST_READ, MOST_SHOWN = 1_000, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a file would be read as. `proposed`: a mapping by its headings and contents, `ready` its name where it is a
    ready one; `used`: the mapping that the rows are read by. At most the first 1,000 rows are counted, and the first 20
    shown."""

    headings: list[str]
    proposed: dict[str, Any]
    ready: str
    used: dict[str, Any]
    rows: list[Row]
    problems: list[Problem]
    good: int
    bad: int
    skipped: int
    merged: int


def look(supplier: Supplier, content: bytes, mapping: AbstractMapping[str, Any] | None = None) -> Look:
    """Read a file's beginning by a mapping, else by the supplier's, else by the one proposed; nothing is written.

    Raises `Refused` (`invalid`) for a mapping or a file that cannot be used.
    """
    check_content(content)
    proposed, table = propose(content)
    used = dict(mapping or supplier.mapping or proposed)
    counts = Counts()
    found = list(islice(read(content, Mapping.from_dict(used), ZoneInfo(supplier.time_zone), counts), MOST_READ))
    rows = [row for row in found if isinstance(row, Row)]
    problems = [row for row in found if isinstance(row, Problem)]
    return Look(
        headings=table.headings,
        proposed=proposed,
        ready=named(proposed),
        used=used,
        rows=rows[:MOST_SHOWN],
        problems=problems[:MOST_SHOWN],
        good=len(rows),
        bad=len(problems),
        skipped=counts.skipped,
        merged=counts.merged,
    )
