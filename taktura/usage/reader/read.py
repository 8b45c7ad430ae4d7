"""The readers: of a file's bytes, and of rows that are parsed already. A bad row never stops a good one."""

import codecs
import csv
import difflib
import io
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as AbstractMapping
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from taktura.usage.reader.convert import Converter
from taktura.usage.reader.mapping import COLUMNS, Mapping
from taktura.usage.reader.rows import Problem, Row, Unreadable

DELIMITERS = ",;\t|"
SAMPLE_BYTES = 65_536
MAX_FIELD = 16 * 1024 * 1024
NEEDED = ("subscription_id",)


def read(data: BinaryIO | bytes, mapping: Mapping, zone: ZoneInfo) -> Iterator[Row | Problem]:
    """Read a CSV or text file row by row, in constant memory; `zone` is the supplier's time zone."""
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    csv.field_size_limit(MAX_FIELD)
    sample = stream.read(SAMPLE_BYTES)
    stream.seek(0)
    encoding = mapping.encoding or _encoding(sample, stream)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    try:
        for _ in range(mapping.skip_lines):
            text.readline()
        start = text.tell() if mapping.skip_lines else None
        delimiter = mapping.delimiter or _delimiter(text)
        if start is not None:
            text.seek(start)
        yield from _rows(csv.reader(text, delimiter=delimiter), mapping, zone)
    finally:
        text.detach()


def read_rows(rows: Iterable[AbstractMapping[str, Any]], mapping: Mapping, zone: ZoneInfo) -> Iterator[Row | Problem]:
    """Read rows given as {heading: value}; values are texts, whole numbers, decimals, dates or timestamps."""
    convert = Converter(mapping, zone)
    headings = {column: mapping.heading(column) for column in COLUMNS}
    for line, row in enumerate(rows, 1):
        unknown = set(row) - set(headings.values())
        if unknown:
            yield Problem(line=line, code="missing_column", column=sorted(unknown)[0], value=", ".join(sorted(headings.values())))
            continue
        yield _converted(convert, line, lambda column, row=row: row.get(headings[column]))  # type: ignore[misc]


def _rows(reader: Any, mapping: Mapping, zone: ZoneInfo) -> Iterator[Row | Problem]:
    try:
        header = next(reader, None)
    except csv.Error as error:
        yield Problem(line=1, code="bad_line", value=str(error))
        return
    if not header or not any(cell.strip() for cell in header):
        yield Problem(line=None, code="no_rows")
        return
    names = [cell.strip() for cell in header]
    missing = [c for c in [*mapping.columns, *NEEDED] if mapping.heading(c) not in names]
    if missing:
        for column in dict.fromkeys(missing):
            heading = mapping.heading(column)
            near = difflib.get_close_matches(heading, names, 3, 0.5) or names[:8]
            yield Problem(line=1, code="missing_column", column=heading, value=", ".join(near)[:300])
        return
    places = {c: names.index(mapping.heading(c)) for c in COLUMNS if mapping.heading(c) in names}
    yield from _body(reader, Converter(mapping, zone), places, len(names), mapping.skip_lines)


def _body(
    reader: Any, convert: Converter, places: dict[str, int], width: int, skipped: int
) -> Iterator[Row | Problem]:
    empty = True
    cells: list[str] = []
    index = places.get

    def get(column: str) -> str | None:
        place = index(column)
        return cells[place] if place is not None else None

    while True:
        line = reader.line_num + 1 + skipped
        try:
            cells = next(reader, None)  # type: ignore[assignment]
        except csv.Error as error:
            yield Problem(line=line, code="bad_line", value=str(error))
            continue
        if cells is None:
            break
        if not cells or (len(cells) == 1 and not cells[0].strip()):
            continue
        empty = False
        if len(cells) != width:
            yield Problem(line=line, code="bad_line", value=f"{len(cells)} / {width}")
            continue
        if any(not c.isascii() and _broken(c) for c in cells):
            yield Problem(line=line, code="bad_encoding")
            continue
        yield _converted(convert, line, get)
    if empty:
        yield Problem(line=None, code="no_rows")


def _broken(text: str) -> bool:
    return any("\udc80" <= c <= "\udcff" for c in text)


def _converted(convert: Converter, line: int, get: Callable[[str], Any]) -> Row | Problem:
    try:
        return convert.row(line, get)
    except Unreadable as error:
        return Problem(line=line, code=error.code, column=convert.mapping.heading(error.column), value=error.value[:300])


def _encoding(sample: bytes, stream: BinaryIO) -> str:
    """UTF-16 and UTF-8 by their marks; UTF-8 when the file is (mostly) that; else Windows-1252."""
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    decoder = codecs.getincrementaldecoder("utf-8")()
    non_ascii = False
    stream.seek(0)
    try:
        while chunk := stream.read(1 << 20):
            non_ascii = non_ascii or not chunk.isascii()
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        stream.seek(0)
        whole = stream.read(SAMPLE_BYTES * 16)
        good = sum(1 for c in whole.decode("utf-8", "ignore") if not c.isascii())
        bad = whole.decode("utf-8", "replace").count("\ufffd")
        return "utf-8" if good > bad else "cp1252"
    finally:
        stream.seek(0)
    return "utf-8"


def _delimiter(text: io.TextIOWrapper) -> str:
    """The sign that most often stands in the heading."""
    place = text.tell()
    heading = text.readline()
    text.seek(place)
    return max(DELIMITERS, key=heading.count)
