"""The readers: of a file's bytes, and of rows that are parsed already. A bad row never stops a good one."""

import codecs
import csv
import difflib
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from taktura.usage.reader.convert import Converter
from taktura.usage.reader.mapping import COLUMNS, Mapping
from taktura.usage.reader.rows import UNSTORABLE, Problem, Row, Unreadable, shown

DELIMITERS = ",;\t|"
ENCODING_BYTES = 1 << 20  # read at a time
MAX_FIELD = 16 * 1024 * 1024  # characters of a cell
MAX_RECORD_LINES = 200  # physical lines of one record: a quote that is never closed takes no more of a file than this
MAX_HEADINGS_SHOWN = 8
NEEDED = ("subscription_id", "period_start")  # without them no row can be read
NUMBERS = frozenset(("quantity", "cost", "cost_amount", "price", "amount", "revision"))
MARK = "\udcff"  # stands for bytes that are no text
MARKED = "taktura.usage.marked"  # the name of the error handler that puts it there

_QUOTED = re.compile('"[^"]*"')


def read(data: BinaryIO | bytes, mapping: Mapping, zone: ZoneInfo) -> Iterator[Row | Problem]:
    """Read a CSV or text file row by row, in constant memory; `zone` is the supplier's time zone.

    `data` is seekable and is read from its beginning. Delimiter and encoding are found out where the mapping leaves
    them open. What cannot be read is a `Problem` in its place; nothing is raised for it.
    """
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    csv.field_size_limit(MAX_FIELD)
    encoding = mapping.encoding or _encoding(stream)
    stream.seek(0)
    # Bytes that are no text become a mark of their own, so that their line alone is bad.
    text = io.TextIOWrapper(stream, encoding=encoding, errors=MARKED, newline="")
    try:
        lines, delimiter = _begin(text, mapping)
        yield from _rows(lines, csv.reader(lines, delimiter=delimiter, strict=True), mapping, zone, delimiter)
    except UnicodeError:
        yield Problem(line=None, code="bad_encoding")
    finally:
        text.detach()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The beginning of a file as it stands there: its headings, and rows (line, cells) that are as wide as these."""

    headings: list[str]
    rows: list[tuple[int, list[str]]]
    delimiter: str


def table(data: bytes, mapping: Mapping, most: int) -> Table:
    """Read headings and at most `most` rows without a thought of what they mean. A file without any text is empty."""
    csv.field_size_limit(MAX_FIELD)
    encoding = mapping.encoding or _encoding(io.BytesIO(data))
    text = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, errors=MARKED, newline="")
    rows: list[tuple[int, list[str]]] = []
    headings: list[str] = []
    delimiter = ""
    try:
        lines, delimiter = _begin(text, mapping)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        headings = [UNSTORABLE.sub("\ufffd", cell).strip() for cell in next(reader, [])]
        while len(rows) < most:
            line = lines.begin()
            try:
                cells = next(reader)
            except csv.Error:
                lines.give_back()
                continue
            if len(cells) == len(headings):
                rows.append((line, [UNSTORABLE.sub("\ufffd", cell) for cell in cells]))
    except (csv.Error, UnicodeError, StopIteration):
        pass  # what was read so far
    return Table(headings=headings if any(headings) else [], rows=rows, delimiter=delimiter)


def _begin(text: Any, mapping: Mapping) -> "tuple[_Lines, str]":
    """The lines of a file from its headings on, and the delimiter."""
    skipped = 0
    heading = text.readline()
    while heading and (skipped < mapping.skip_lines or not heading.strip()):
        skipped += 1
        heading = text.readline()
    heading = heading.removeprefix("\ufeff")
    return _Lines(heading, text, skipped), mapping.delimiter or _delimiter(heading, mapping)


def read_rows(rows: Iterable[AbstractMapping[str, Any]], mapping: Mapping, zone: ZoneInfo) -> Iterator[Row | Problem]:
    """Read rows given as {heading: value}; values are texts, whole numbers, decimals, dates or timestamps. A binary
    float is no number (R1.1)."""
    convert = Converter(mapping, zone)
    headings = [(mapping.heading(column), column in NUMBERS) for column in COLUMNS]
    known = {heading for heading, _ in headings}
    for line, row in enumerate(rows, 1):
        if unknown := sorted(shown(heading) for heading in row if heading not in known):
            near = difflib.get_close_matches(unknown[0], sorted(known), 1, 0)[0]
            yield Problem(line=line, code="unknown_column", column=unknown[0], value=near)
            continue
        cells = [_plain(row.get(heading), is_number, mapping, zone) for heading, is_number in headings]
        if any(UNSTORABLE.search(cell) for cell in cells if isinstance(cell, str)):
            yield Problem(line=line, code="bad_encoding")
            continue
        yield _converted(convert, mapping, line, cells)


def _plain(value: Any, is_number: bool, mapping: Mapping, zone: ZoneInfo) -> Any:
    """A value as a cell: a date stays, a timestamp is told as an instant, all else is text, a number in the file's way
    of writing it."""
    if value is None:
        return ""
    if is_number:
        text = str(value)
        if isinstance(value, float):
            return f"{text} (float)"
        return text.replace(".", mapping.decimal) if isinstance(value, Decimal) else text
    if isinstance(value, datetime):
        # Told as an instant, since the two hours that one hour of the clock stands for in autumn compare as equal.
        try:
            return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
        except OverflowError:
            return value
    return value if isinstance(value, date) else str(value)


def _marked(error: UnicodeError) -> tuple[str, int]:
    """Decoding goes on behind what is no text."""
    if isinstance(error, UnicodeDecodeError):
        return MARK, error.end
    raise error


codecs.register_error(MARKED, _marked)


def _delimiter(heading: str, mapping: Mapping) -> str:
    """The delimiter that gives most of the headings looked for, else the one met most often outside quotes."""
    wanted = {mapping.heading(column) for column in COLUMNS}
    bare = _QUOTED.sub("", heading)

    def score(delimiter: str) -> tuple[int, int]:
        return len(wanted & {name.strip(' "\r\n') for name in heading.split(delimiter)}), bare.count(delimiter)

    return max(DELIMITERS, key=score)


class _Lines:
    """The physical lines of a file from its heading on, counted; those of a record that cannot be read come again."""

    def __init__(self, first: str, rest: Iterator[str], skipped: int) -> None:
        self.number = skipped
        self._ahead = deque([first] if first else [])
        self._rest = rest
        self._taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self._taken) == MAX_RECORD_LINES:
            raise StopIteration  # to the parser the end within quotes: an error
        line = self._ahead.popleft() if self._ahead else next(self._rest)
        self._taken.append(line)
        self.number += 1
        return line

    def begin(self) -> int:
        """Begin a record; gives the number of its first line."""
        self._taken.clear()
        return self.number + 1

    def give_back(self) -> None:
        """All lines of the record but its first come again: a quote that is not closed spoils no good line."""
        self._ahead.extendleft(reversed(self._taken[1:]))
        self.number -= max(len(self._taken) - 1, 0)


def _rows(lines: _Lines, reader: Any, mapping: Mapping, zone: ZoneInfo, delimiter: str) -> Iterator[Row | Problem]:
    line = lines.begin()
    try:
        header = next(reader, None)
    except csv.Error as error:
        yield Problem(line=line, code="bad_line", value=str(error))
        return
    whole = delimiter.join(header or ())
    names = [UNSTORABLE.sub("\ufffd", cell).strip() for cell in header or ()]
    if not any(names):
        yield Problem(line=None, code="no_rows")
        return
    problems = list(_heading_problems(names, mapping, delimiter, line))
    if problems and UNSTORABLE.search(whole):
        yield Problem(line=line, code="bad_encoding")
        return
    if problems:
        yield from problems
        return
    places = [names.index(mapping.heading(c)) if mapping.heading(c) in names else -1 for c in COLUMNS]
    yield from _body(lines, reader, Converter(mapping, zone), mapping, places, len(names))


def _heading_problems(names: Sequence[str], mapping: Mapping, delimiter: str, line: int) -> Iterator[Problem]:
    """What is wrong with the headings: a column named twice, a needed or mapped one that is not there."""
    for column in COLUMNS:
        if names.count(mapping.heading(column)) > 1:
            yield Problem(line=line, code="double_column", column=mapping.heading(column))
    for heading in dict.fromkeys(mapping.heading(column) for column in (*mapping.columns, *NEEDED)):
        if heading in names:
            continue
        whole = delimiter.join(names)
        other = next(
            (d for d in DELIMITERS if d != delimiter and heading in [n.strip(' "') for n in whole.split(d)]), ""
        )
        near = difflib.get_close_matches(heading, names, 3, 0.5) or names[:MAX_HEADINGS_SHOWN]
        yield Problem(
            line=line,
            code="missing_column",
            column=heading,
            value=shown(", ".join(near)),
            delimiter=delimiter,
            found=other,
        )


def _body(
    lines: _Lines, reader: Any, convert: Converter, mapping: Mapping, places: Sequence[int], width: int
) -> Iterator[Row | Problem]:
    empty = True
    while True:
        line = lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            lines.give_back()
            empty = False
            yield Problem(line=line, code="bad_line", value=str(error))
            continue
        if len(cells) != width or not any(cells):
            if not any(cell.strip() for cell in cells):
                continue  # an empty line
            empty = False
            yield Problem(line=line, code="bad_line", value=f"{len(cells)} / {width}")
            continue
        empty = False
        if UNSTORABLE.search("".join(cells)):
            yield Problem(line=line, code="bad_encoding")
            continue
        cells.append("")  # stands for the columns that the file does not have
        yield _converted(convert, mapping, line, [cells[place] for place in places])
    if empty:
        yield Problem(line=None, code="no_rows")


def _converted(convert: Converter, mapping: Mapping, line: int, cells: Sequence[Any]) -> Row | Problem:
    try:
        return convert.row(line, cells)
    except Unreadable as error:
        column = mapping.heading(error.column) if error.column else ""
        return Problem(line=line, code=error.code, column=column, value=error.value)


def _encoding(stream: BinaryIO) -> str:
    """UTF-16 and UTF-8 by their marks; UTF-8 when the file is (mostly) that; else Windows-1252. Reads to the end."""
    stream.seek(0)
    start = stream.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    # One damaged line does not make a UTF-8 file another one: what of it is UTF-8, what is not?
    decoder = codecs.getincrementaldecoder("utf-8")(MARKED)
    good = bad = 0
    stream.seek(0)
    while chunk := stream.read(ENCODING_BYTES):
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        text = decoder.decode(chunk)
        marks = text.count(MARK)
        good, bad = good + sum(not c.isascii() for c in text) - marks, bad + marks
    bad += len(decoder.decode(b"", final=True))
    return "cp1252" if bad and good <= bad else "utf-8"
