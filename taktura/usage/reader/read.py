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
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from taktura.usage.reader.calls import of_calls
from taktura.usage.reader.convert import Converter
from taktura.usage.reader.kinds import Broken, Further, Typed, opened, typed_rows
from taktura.usage.reader.mapping import NUMBERS, Mapping
from taktura.usage.reader.rows import UNSTORABLE, Counts, Problem, Row, shown
from taktura.usage.reader.select import DELIMITERS, Selection, column_place, heading_problems

ZERO = timedelta(0)
ENCODING_BYTES = 1 << 20  # read at a time
MAX_FIELD = 16 * 1024 * 1024  # characters of a cell
MAX_RECORD_LINES = 200  # physical lines of one record: a quote that is never closed takes no more of a file than this
WIDTH_ROWS = 100  # that say how many cells the rows of a file without headings have
MARK = "\udcff"  # stands for bytes that are no text
MARKED = "taktura.usage.marked"  # the name of the error handler that puts it there

_QUOTED = re.compile('"[^"]*"')
_SEP = re.compile('"?sep=(.)"?')  # what a spreadsheet is told of the delimiter, in a line before the headings


def read(
    data: BinaryIO | bytes, mapping: Mapping, zone: ZoneInfo, counts: Counts | None = None
) -> Iterator[Row | Problem]:
    """Read a file row by row: text with a delimiter, a workbook or Parquet, as they are or packed by gzip or zip. Text
    is read in constant memory; `zone` is the supplier's time zone.

    `data` is seekable and is read from its beginning. Delimiter and encoding are found out where the mapping leaves
    them open. What cannot be read is a `Problem` in its place; `Refused` (`invalid`) is raised only for what unpacks to
    too much or to what is no file of rows, and for a sheet that is not there. `counts` tells of lines that are no rows.
    """
    counts = Counts() if counts is None else counts
    rows = _read(data, mapping, zone, counts)
    yield from of_calls(rows, counts) if "call_id" in mapping.columns else rows


def _read(data: BinaryIO | bytes, mapping: Mapping, zone: ZoneInfo, counts: Counts) -> Iterator[Row | Problem]:
    try:
        kind, stream, damaged = opened(data)
        if kind == "text":
            yield from _read_text(stream, mapping, zone, counts)
        else:
            further: list[Further] = []
            yield from _read_typed(typed_rows(kind, stream, mapping.sheet, further), mapping, zone, counts, further)
        if damaged:
            raise Broken(damaged)
    except Broken as error:
        yield Problem(line=None, code="broken", value=shown(error))


def _read_text(stream: BinaryIO, mapping: Mapping, zone: ZoneInfo, counts: Counts) -> Iterator[Row | Problem]:
    csv.field_size_limit(MAX_FIELD)
    encoding = mapping.encoding or _encoding(stream)
    stream.seek(0)
    names = _given_headings(stream, mapping, encoding) if mapping.headings else []
    stream.seek(0)
    # Bytes that are no text become a mark of their own, so that their line alone is bad.
    text = io.TextIOWrapper(stream, encoding=encoding, errors=MARKED, newline="")
    try:
        lines, delimiter = _begin(text, mapping)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        yield from _rows(lines, reader, mapping, zone, delimiter, names, counts)
    except UnicodeError:
        yield Problem(line=None, code="bad_encoding")
    finally:
        text.detach()


def _given_headings(stream: BinaryIO, mapping: Mapping, encoding: str) -> list[str]:
    """The headings of a file that has none, as many as most of its first rows have cells."""
    text = io.TextIOWrapper(stream, encoding=encoding, errors=MARKED, newline="")
    widths: list[int] = []
    try:
        lines, delimiter = _begin(text, mapping)
        reader = csv.reader(lines, delimiter=delimiter)
        for _ in range(WIDTH_ROWS):
            lines.begin()
            widths += [len(next(reader))]
    except (StopIteration, UnicodeError, csv.Error):
        pass  # what was seen so far
    finally:
        text.detach()
    return given_headings(mapping, widths)


def given_headings(mapping: Mapping, widths: list[int]) -> list[str]:
    """The headings that a mapping gives, by the widths of some rows."""
    width = max(set(widths), key=widths.count) if widths else len(mapping.headings)
    more = [f"column {number}" for number in range(len(mapping.headings) + 1, width + 1)]
    return [*mapping.headings, *more][:width]


def _read_typed(
    rows: Iterator[Typed], mapping: Mapping, zone: ZoneInfo, counts: Counts, further: list[Further]
) -> Iterator[Row | Problem]:
    """Rows of a workbook or of Parquet: what precedes the headings is skipped, empty rows do not count."""
    selection, names, empty = None, list(mapping.headings), True
    if names:
        selection = Selection(mapping, names, Converter(mapping, zone), counts)
    numeric = {column_place(names, mapping, c) for c in NUMBERS}
    for line, cells in rows:
        if line <= mapping.skip_lines or not any(c is not None and str(c).strip() for c in cells):
            continue
        if selection is None:
            names = [UNSTORABLE.sub("\ufffd", str("" if c is None else c)).strip() for c in cells]
            if problems := list(heading_problems(names, mapping, "", line)):
                yield from problems
                return
            selection = Selection(mapping, names, Converter(mapping, zone), counts)
            numeric = {column_place(names, mapping, c) for c in NUMBERS}
            continue
        empty = False
        if len(cells) > len(names):
            yield Problem(line=line, code="bad_line", value=f"{len(cells)} / {len(names)}")
            continue
        whole = [_plain(c, i in numeric or isinstance(c, Decimal), mapping, zone) for i, c in enumerate(cells)]
        if any(UNSTORABLE.search(cell) for cell in whole if isinstance(cell, str)):
            yield Problem(line=line, code="bad_encoding")
            continue
        found = selection.row(line, whole + [""] * (len(names) - len(whole)))
        if found is not None:
            yield found
    if empty:
        yield Problem(line=None, code="no_rows")
    wanted = mapping.names() & set(names)
    if unread := [title for title, first in further if wanted and _has_rows(first, wanted)]:
        yield Problem(line=None, code="further_sheets", value=shown(", ".join(unread)))


def _has_rows(first: list[Sequence[Any]], wanted: set[str]) -> bool:
    """Whether a sheet of a workbook has rows below headings, by its first rows."""
    filled = [texts for cells in first if any(texts := ["" if c is None else str(c).strip() for c in cells])]
    return any(wanted <= set(texts) for texts in filled[:-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The beginning of a file as it stands there: its headings, and rows (line, cells) that are as wide as these."""

    headings: list[str]
    rows: list[tuple[int, list[str]]]
    delimiter: str


def beginning(data: bytes, most: int, rows: int) -> bytes:
    """The beginning of a file as text: at most `most` bytes of it unpacked, or at most `rows` rows of what is no text,
    as CSV. Raises `Refused` (`invalid`) as `read` does."""
    try:
        kind, stream, _ = opened(data)
        if kind == "text":
            return stream.read(most)
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        for _, cells in islice(typed_rows(kind, stream, None), rows):
            writer.writerow(["" if c is None else UNSTORABLE.sub("\ufffd", str(c)) for c in cells])
    except Broken:
        return b""
    text = out.getvalue().encode()
    return text if len(text) < most else text[: text.rfind(b"\n", 0, most) + 1]


def table(data: bytes, mapping: Mapping, most: int) -> Table:
    """Read headings and at most `most` rows without a thought of what they mean. A file without any text is empty.

    Raises `Refused` (`invalid`) for what unpacks to too much, and for a sheet that is not there.
    """
    try:
        kind, stream, _ = opened(data)
        if kind == "text":
            return _text_table(stream, mapping, most)
        return _typed_table(typed_rows(kind, stream, mapping.sheet), mapping, most)
    except Broken:
        return Table(headings=[], rows=[], delimiter="")


def _typed_table(typed: Iterator[Typed], mapping: Mapping, most: int) -> Table:
    headings = list(mapping.headings)
    rows: list[tuple[int, list[str]]] = []
    try:
        for line, cells in typed:
            texts = [UNSTORABLE.sub("\ufffd", "" if c is None else str(c)).strip() for c in cells]
            if line <= mapping.skip_lines or not any(texts):
                continue
            if not headings:
                headings = texts
            elif len(rows) >= most:
                break
            elif len(texts) <= len(headings):
                rows.append((line, texts + [""] * (len(headings) - len(texts))))
    except Broken:
        pass  # what was read so far
    return Table(headings=headings, rows=rows, delimiter="")


def _text_table(stream: BinaryIO, mapping: Mapping, most: int) -> Table:
    csv.field_size_limit(MAX_FIELD)
    encoding = mapping.encoding or _encoding(stream)
    stream.seek(0)
    headings = _given_headings(stream, mapping, encoding) if mapping.headings else []
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, errors=MARKED, newline="")
    rows: list[tuple[int, list[str]]] = []
    delimiter = ""
    try:
        lines, delimiter = _begin(text, mapping)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        headings = headings or [UNSTORABLE.sub("\ufffd", cell).strip() for cell in next(reader, [])]
        while len(rows) < most:
            line = lines.begin()
            try:
                cells = next(reader)
            except csv.Error:
                lines.give_back()
                continue
            if len(cells) == len(headings):
                rows.append((line, [UNSTORABLE.sub("\ufffd", cell) for cell in cells]))
            else:
                lines.part(delimiter, len(headings))
    except (csv.Error, UnicodeError, StopIteration):
        pass  # what was read so far
    finally:
        text.detach()
    return Table(headings=headings if any(headings) else [], rows=rows, delimiter=delimiter)


def _begin(text: Any, mapping: Mapping) -> "tuple[_Lines, str]":
    """The lines of a file from its headings on, and the delimiter."""
    skipped, said = 0, ""
    heading = text.readline()
    while heading:
        told = _SEP.fullmatch(heading.removeprefix("\ufeff").rstrip("\r\n")) if skipped >= mapping.skip_lines else None
        if told and not said:
            said = told[1]
        elif skipped >= mapping.skip_lines and heading.strip():
            break
        skipped += 1
        heading = text.readline()
    heading = heading.removeprefix("\ufeff")
    return _Lines(heading, text, skipped), mapping.delimiter or said or _delimiter(heading, mapping)


def read_rows(
    rows: Iterable[AbstractMapping[str, Any]], mapping: Mapping, zone: ZoneInfo, counts: Counts | None = None
) -> Iterator[Row | Problem]:
    """Read rows given as {heading: value}; values are texts, whole numbers, decimals, dates or timestamps. A binary
    float is no number (R1.1)."""
    counts = Counts() if counts is None else counts
    found = _read_rows(rows, mapping, zone, counts)
    yield from of_calls(found, counts) if "call_id" in mapping.columns else found


def _read_rows(
    rows: Iterable[AbstractMapping[str, Any]], mapping: Mapping, zone: ZoneInfo, counts: Counts
) -> Iterator[Row | Problem]:
    known = mapping.names()
    names = sorted(known)
    numeric = {mapping.heading(column) for column in NUMBERS}
    selection = Selection(mapping, names, Converter(mapping, zone), counts)
    for line, row in enumerate(rows, 1):
        if unknown := sorted(shown(heading) for heading in row if heading not in known):
            near = difflib.get_close_matches(unknown[0], sorted(known), 1, 0)[0]
            yield Problem(line=line, code="unknown_column", column=unknown[0], value=near)
            continue
        cells = [_plain(row.get(name), name in numeric, mapping, zone) for name in names]
        if any(UNSTORABLE.search(cell) for cell in cells if isinstance(cell, str)):
            yield Problem(line=line, code="bad_encoding")
            continue
        converted = selection.row(line, cells)
        if converted is not None:
            yield converted


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
        # Told as an instant, since the two hours that one hour of the clock stands for in autumn compare as equal; that
        # of a clock without an offset with that of the supplier's.
        try:
            instant = (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
            return (
                instant if value.tzinfo else instant.astimezone(timezone(instant.astimezone(zone).utcoffset() or ZERO))
            )
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
    wanted = mapping.names()
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
        """All lines of the record but its first come again: a stray quote spoils no good line."""
        self._ahead.extendleft(reversed(self._taken[1:]))
        self.number -= max(len(self._taken) - 1, 0)

    def part(self, delimiter: str, width: int) -> None:
        """The same of a record that is wrong, if one of its further lines looks like a row: two stray quotes have made
        one of all that is between them. Texts of several lines stay one."""
        if any(line.count(delimiter) >= width - 1 for line in self._taken[1:]):
            self.give_back()


def _rows(
    lines: _Lines, reader: Any, mapping: Mapping, zone: ZoneInfo, delimiter: str, names: list[str], counts: Counts
) -> Iterator[Row | Problem]:
    line = lines.begin()
    try:
        header = names or next(reader, [])
    except csv.Error:
        yield Problem(line=line, code="bad_line")
        return
    whole = delimiter.join(header)
    names = [UNSTORABLE.sub("\ufffd", cell).strip() for cell in header]
    if not any(names):
        yield Problem(line=None, code="no_rows")
        return
    problems = list(heading_problems(names, mapping, delimiter, line))
    if problems and UNSTORABLE.search(whole):
        yield Problem(line=line, code="bad_encoding")
        return
    if problems:
        yield from problems
        return
    yield from _body(lines, reader, Selection(mapping, names, Converter(mapping, zone), counts), len(names))


def _body(lines: _Lines, reader: Any, selection: Selection, width: int) -> Iterator[Row | Problem]:
    empty = True
    while True:
        line = lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            lines.give_back()
            empty = False
            yield Problem(line=line, code="bad_line")
            continue
        if len(cells) != width or not any(cells):
            if not any(cell.strip() for cell in cells):
                continue  # an empty line
            empty = False
            lines.part(reader.dialect.delimiter, width)
            yield Problem(line=line, code="bad_line", value=f"{len(cells)} / {width}")
            continue
        empty = False
        if UNSTORABLE.search("".join(cells)):
            lines.part(reader.dialect.delimiter, width)
            yield Problem(line=line, code="bad_encoding")
            continue
        found = selection.row(line, cells)
        if isinstance(found, Problem):
            lines.part(reader.dialect.delimiter, width)
        if found is not None:
            yield found
    if empty:
        yield Problem(line=None, code="no_rows")


def _encoding(stream: BinaryIO) -> str:
    """UTF-16 and UTF-8 by their marks; UTF-8 when the file is (mostly) that; else Windows-1252. Reads to the end."""
    stream.seek(0)
    start = stream.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if len(start) == 4 and b"\0" in start:
        if start[1] == start[3] == 0:
            return "utf-16-le"
        if start[0] == start[2] == 0:
            return "utf-16-be"
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
