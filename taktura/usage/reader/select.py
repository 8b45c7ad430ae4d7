"""From a file's row to our columns, by the headings that the mapping names."""

import difflib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from taktura.usage.reader.convert import Converter
from taktura.usage.reader.expressions import Term, as_text
from taktura.usage.reader.mapping import COLUMNS, Mapping, expression
from taktura.usage.reader.rows import Counts, Problem, Row, Unreadable, shown

DELIMITERS = ",;\t|"
MAX_HEADINGS_SHOWN = 8
MAX_ATTRIBUTE = 500  # characters
NEEDED = ("subscription_id", "period_start")  # without them no row can be read


def place_of(names: Sequence[str], heading: str) -> int:
    """Where a heading stands, without regard to case where there is only one such; -1 for nowhere."""
    if heading in names:
        return names.index(heading)
    alike = [i for i, name in enumerate(names) if name.casefold() == heading.casefold()]
    return alike[0] if len(alike) == 1 else -1


def column_place(names: Sequence[str], mapping: Mapping, column: str) -> int:
    """Where one of our columns stands; one that the mapping does not name only under exactly its own name."""
    if column in mapping.columns:
        return place_of(names, mapping.columns[column])
    return names.index(column) if column in names else -1


class Selection:
    """How rows under some headings become ours. `row` gives None for one that a condition leaves out."""

    def __init__(self, mapping: Mapping, names: Sequence[str], convert: Converter, counts: Counts) -> None:
        self._mapping, self._convert, self._counts = mapping, convert, counts
        self._names = names
        self._places = [column_place(names, mapping, c) for c in COLUMNS]
        self._plain = mapping.is_plain
        self._terms = [(i, t) for i, c in enumerate(COLUMNS) if (t := self._term(mapping.heading(c)))]
        self._skips = [t for c in mapping.skip_rows if (t := self._term(f"={c}"))]
        self._former = self._former_term() if mapping.tells_former else None
        self._attributes = [(n, self._term(s) or self._cell(s)) for n, s in mapping.attributes.items()]

    def _term(self, source: str) -> Term | None:
        found = expression(source)
        return found.compiled(lambda heading: place_of(self._names, heading), self._convert) if found else None

    def _former_term(self) -> Term | None:
        """What rows were known by before; None where nothing has changed of that."""
        id_ = "call_id" if "call_id" in self._mapping.columns else "id"
        found = expression(self._mapping.heading(id_))
        former = found.as_written() if found else None
        return former.compiled(lambda heading: place_of(self._names, heading), self._convert) if former else None

    def _cell(self, heading: str) -> Term:
        place, text = place_of(self._names, heading), self._convert.text
        return lambda cells: text(cells[place])

    def row(self, line: int, cells: list[Any]) -> Row | Problem | None:
        """A row, or why it cannot be read. `cells` are as many as the headings; they are changed."""
        cells.append("")  # stands for the columns that the file does not have
        try:
            if self._plain:
                return self._convert.row(line, [cells[place] for place in self._places])
            if any(skip(cells) is True for skip in self._skips):
                self._counts.skipped += 1
                return None
            ours = [cells[place] for place in self._places]
            for i, term in self._terms:
                value = term(cells)
                ours[i] = value if isinstance(value, date) else as_text(value, self._convert.decimal)
            found = self._convert.row(line, ours)
            if self._former:
                found = found._replace(former_id=as_text(self._former(cells), self._convert.decimal))
            if not self._attributes:
                return found
            texts = {name: as_text(term(cells))[:MAX_ATTRIBUTE] for name, term in self._attributes}
            return found._replace(attributes={n: t for n, t in texts.items() if t} or None)
        except Unreadable as error:
            column = self._mapping.heading(error.column) if error.column else ""
            return Problem(line=line, code=error.code, column=shown(column), value=error.value)


def heading_problems(names: Sequence[str], mapping: Mapping, delimiter: str, line: int) -> Iterator[Problem]:
    """What is wrong with the headings: a column named twice, a needed or mapped one that is not there."""
    for heading in dict.fromkeys(h for choice in mapping.wanted(*COLUMNS) for h in choice):
        if names.count(heading) > 1:
            yield Problem(line=line, code="double_column", column=heading)
    told = set()
    for choice in mapping.wanted(*NEEDED):
        if any(place_of(names, heading) >= 0 for heading in choice) or choice[0] in told:
            continue
        heading = choice[0]
        told.add(heading)
        whole = delimiter.join(names)
        other = next(
            (d for d in DELIMITERS if d != delimiter and heading in [n.strip(' "') for n in whole.split(d)]), ""
        ) if delimiter else ""  # fmt: skip
        near = difflib.get_close_matches(heading, names, 3, 0.6) or [n for n in names if n][:MAX_HEADINGS_SHOWN]
        yield Problem(
            line=line,
            code="missing_column",
            column=heading,
            value=shown(", ".join(near)),
            delimiter=delimiter,
            found=other,
        )
