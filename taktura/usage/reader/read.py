"""The readers: of a file's bytes, and of rows that are parsed already. A bad row never stops a good one."""

import codecs
import csv
import difflib
import io
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from taktura.usage.reader.convert import Converter
from taktura.usage.reader.mapping import COLUMNS, Mapping
from taktura.usage.reader.rows import UNSTORABLE, Problem, Row, Unreadable, shown

DELIMITERS = ",;\t|"
SAMPLE_BYTES = 65_536
ENCODING_BYTES = 1 << 20  # read at a time, and looked at where a file is neither UTF-8 nor pure Windows-1252
MAX_FIELD = 16 * 1024 * 1024
MAX_HEADINGS_SHOWN = 8
NEEDED = ("subscription_id",)


def read(data: BinaryIO | bytes, mapping: Mapping, zone: ZoneInfo) -> Iterator[Row | Problem]:
    """Read a CSV or text file row by row, in constant memory; `zone` is the supplier's time zone.

    `data` is seekable and is read from its beginning. Delimiter and encoding are found out where the mapping leaves
    them open. What cannot be read is a `Problem` in its place; nothing is raised for it.
    """
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    csv.field_size_limit(MAX_FIELD)
    encoding = mapping.encoding or _encoding(stream)
    stream.seek(0)
    # A byte that is no text becomes a mark of its own, so that its line alone is bad.
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    try:
        skipped = [text.readline() for _ in range(mapping.skip_lines)]
        heading = text.readline()
        delimiter = mapping.delimiter or max(DELIMITERS, key=heading.count)
        lines = _chain(heading, text)
        yield from _rows(csv.reader(lines, delimiter=delimiter), mapping, zone, delimiter, len(skipped))
    except UnicodeError:
        yield Problem(line=None, code="bad_encoding")
    finally:
        text.detach()


def read_rows(rows: Iterable[AbstractMapping[str, Any]], mapping: Mapping, zone: ZoneInfo) -> Iterator[Row | Problem]:
    """Read rows given as {heading: value}; values are texts, whole numbers, decimals, dates or timestamps."""
    convert = Converter(mapping, zone)
    headings = [mapping.heading(column) for column in COLUMNS]
    known = set(headings)
    for line, row in enumerate(rows, 1):
        if unknown := sorted(str(heading) for heading in row if heading not in known):
            near = difflib.get_close_matches(unknown[0], headings, 1, 0)[0]
            yield Problem(line=line, code="unknown_column", column=unknown[0], value=near)
            continue
        yield _converted(convert, mapping, line, [_plain(row.get(heading)) for heading in headings])


def _plain(value: Any) -> Any:
    """A value as a cell: dates stay, all else is text."""
    return "" if value is None else value if hasattr(value, "isoformat") else str(value)


def _chain(first: str, rest: Iterable[str]) -> Iterator[str]:
    if first:
        yield first
        yield from rest


def _rows(reader: Any, mapping: Mapping, zone: ZoneInfo, delimiter: str, skipped: int) -> Iterator[Row | Problem]:
    try:
        header = next(reader, None)
    except csv.Error as error:
        yield Problem(line=skipped + 1, code="bad_line", value=str(error))
        return
    names = [UNSTORABLE.sub("\ufffd", cell).strip() for cell in header or ()]
    if not any(names):
        yield Problem(line=None, code="no_rows")
        return
    problems = list(_heading_problems(names, mapping, delimiter, skipped + 1))
    if problems:
        yield from problems
        return
    places = [names.index(mapping.heading(c)) if mapping.heading(c) in names else -1 for c in COLUMNS]
    yield from _body(reader, Converter(mapping, zone), mapping, places, len(names), skipped)


def _heading_problems(names: Sequence[str], mapping: Mapping, delimiter: str, line: int) -> Iterator[Problem]:
    """What is wrong with the headings: a column named twice, a needed or mapped one that is not there."""
    for column in COLUMNS:
        if names.count(mapping.heading(column)) > 1:
            yield Problem(line=line, code="double_column", column=mapping.heading(column))
    for column in dict.fromkeys([*mapping.columns, *NEEDED]):
        heading = mapping.heading(column)
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
    reader: Any, convert: Converter, mapping: Mapping, places: Sequence[int], width: int, skipped: int
) -> Iterator[Row | Problem]:
    empty = True
    while True:
        line = reader.line_num + 1 + skipped
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield Problem(line=line, code="bad_line", value=str(error))
            continue
        if len(cells) != width:
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
    """UTF-16 and UTF-8 by their marks; UTF-8 when the file is (mostly) that; else Windows-1252."""
    stream.seek(0)
    start = stream.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    decoder = codecs.getincrementaldecoder("utf-8")()
    stream.seek(0)
    try:
        while chunk := stream.read(ENCODING_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        # One damaged line does not make a UTF-8 file another one: what of it is UTF-8, what is not?
        stream.seek(0)
        whole = stream.read(ENCODING_BYTES).decode("utf-8", "replace")
        bad = whole.count("\ufffd")
        return "utf-8" if sum(not c.isascii() for c in whole) - bad > bad else "cp1252"
    return "utf-8"
