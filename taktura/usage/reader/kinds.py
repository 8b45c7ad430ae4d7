"""What kind of file a supplier sent, and its rows: text as it is, workbooks and Parquet as typed cells.

gzip and zip are unpacked one level deep, into a file beside the memory, never further than a limit: a small file that
unpacks to a huge one is refused where it says so, and cut off where it does not.
"""

import io
import logging
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from decimal import Decimal
from itertools import islice
from math import isfinite
from typing import Any, BinaryIO, NamedTuple

from taktura.core.errors import Refused
from taktura.usage.reader.rows import TOO_MANY

MAX_FILE_BYTES = 400_000_000  # PostgreSQL keeps at most 1 GB in one value, and takes it as text of twice the length
MAX_UNPACKED_BYTES = 2_000_000_000
MAX_WORKBOOK_BYTES = 500_000_000  # unpacked: its texts are held in memory
MAX_RATIO, RATIO_FROM = 200, 5_000_000  # so many times its size a file may unpack to, above so many bytes
MAX_SHEET_ROWS = 1_048_576  # of Excel
MAX_PARQUET_ROWS = 50_000_000
MAX_MEMBERS = 1_000
CHUNK = 1 << 20
BATCH = 10_000

ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".parquet", ".gz", ".zip")  # by which a person tells usage files
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
TARS, TAR_AT = (b"ustar\x0000", b"ustar  \x00"), 257  # of POSIX, of GNU; no text holds them
# How files begin that are not read.
FOREIGN = {
    "archive": (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"),
    # compress, bzip2, xz, Zstandard, LZ4
    "packed": (b"\x1f\x9d", b"BZh91AY&SY", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"),
    "workbook": (b"\xd0\xcf\x11\xe0",),
    "pdf": (b"%PDF-",),
}
Typed = tuple[int, Sequence[Any]]
Further = tuple[str, list[Sequence[Any]]]  # a sheet's title and its first rows
FURTHER_ROWS = 100

log = logging.getLogger(__name__)


class Broken(Exception):
    """A file that cannot be read (further): what of it is damaged (`gzip`, `zip`, `workbook`, `parquet`), or that it
    has more rows than are read (`TOO_MANY`)."""


def check_content(content: bytes) -> None:
    """Raise `Refused` (`invalid`) for a file that is too large, that says it would unpack to too much, and for what is
    neither text nor a workbook nor Parquet, packed or not. Nothing is unpacked here."""
    if len(content) > MAX_FILE_BYTES:
        raise Refused("invalid", "The file has more than %(most)s MB: split it.", most=MAX_FILE_BYTES // 1_000_000)
    _refuse_foreign(content)
    if content.startswith(ZIP):
        _check_zip(content)
    if content.startswith(GZIP):
        _check_gzip(content)
    if content.startswith(PARQUET) and not content.endswith(PARQUET):
        raise Refused("invalid", "The file is damaged: send it again.")


def _refuse_foreign(start: bytes) -> None:
    if start[TAR_AT : TAR_AT + 8] in TARS or start.startswith(FOREIGN["archive"]):
        raise _archive()
    if start.startswith(FOREIGN["packed"]):
        raise Refused("invalid", "This file is packed in a way that is not read: unpack it, or pack it as zip or gzip.")
    if start.startswith(FOREIGN["workbook"]):
        raise Refused("invalid", "This is a workbook of the old kind: save it as XLSX or CSV.")
    if start.startswith(FOREIGN["pdf"]):
        raise Refused("invalid", "This is a PDF: ask the supplier for the figures as CSV, XLSX or Parquet.")


def _archive() -> Refused:
    return Refused("invalid", "This is an archive: unpack it, and pack each file as zip or gzip.")


def _check_zip(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, LookupError) as error:
        raise Refused("invalid", "The archive is damaged: send it again.") from error
    book = _is_workbook(infos)
    if len(infos) > MAX_MEMBERS:
        raise Refused("invalid", "The archive holds too many files: pack one file.")
    total = sum(info.file_size for info in infos)
    if total > (MAX_WORKBOOK_BYTES if book else MAX_UNPACKED_BYTES) or _is_bomb(total, len(content)):
        raise Refused("invalid", "Unpacked, the file would be too large: split it.")
    if not book:
        _member(infos)


def _check_gzip(content: bytes) -> None:
    try:
        start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content[:CHUNK], 512)
    except zlib.error as error:
        raise Refused("invalid", "The archive is damaged: send it again.") from error
    if start.startswith(GZIP):
        raise _archive()
    _refuse_foreign(start)


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > RATIO_FROM and unpacked > packed * MAX_RATIO


def _is_workbook(infos: Sequence[zipfile.ZipInfo]) -> bool:
    return any(info.filename == "xl/workbook.xml" for info in infos)


def _member(infos: Sequence[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """The one file of an archive; those that systems hide in it do not count."""
    files = [i for i in infos if not i.is_dir() and not i.filename.startswith("__MACOSX/")]
    files = [i for i in files if not i.filename.rsplit("/", 1)[-1].startswith(".")]
    if len(files) != 1:
        raise Refused("invalid", "The archive holds %(count)s files: pack each on its own.", count=len(files))
    if files[0].flag_bits & 1:
        raise Refused("invalid", "The archive is locked by a password: pack the file without one.")
    return files[0]


class Opened(NamedTuple):
    """A file's kind (`text`, `workbook`, `parquet`) and its bytes, unpacked. `damaged`: the archive (`gzip`, `zip`)
    that could be unpacked only so far, so that what follows is missing."""

    kind: str
    stream: BinaryIO
    damaged: str = ""


def opened(data: BinaryIO | bytes) -> Opened:
    """Open a file. Raises `Broken`; `Refused` (`invalid`) for what unpacks to too much, to several files or to what is
    not read. What is no archive is not looked into."""
    stream: BinaryIO = io.BytesIO(data) if isinstance(data, bytes) else data
    kind = _kind(stream)
    if kind not in ("gzip", "zip"):
        return Opened(kind, stream)
    unpacked, damaged = _unpacked(stream, kind)
    inner = _kind(unpacked)
    _refuse_foreign(unpacked.read(512))
    unpacked.seek(0)
    if inner in ("gzip", "zip"):
        raise _archive()
    return Opened(inner, unpacked, damaged)


def _kind(stream: BinaryIO) -> str:
    stream.seek(0)
    start = stream.read(512)
    stream.seek(0)
    if start.startswith(GZIP):
        return "gzip"
    if start.startswith(PARQUET):
        return "parquet"
    if not start.startswith(ZIP):
        return "text"
    try:
        with zipfile.ZipFile(stream) as archive:
            kind = "workbook" if _is_workbook(archive.infolist()) else "zip"
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, LookupError) as error:
        raise Broken("zip") from error
    stream.seek(0)
    return kind


def _unpacked(stream: BinaryIO, kind: str) -> tuple[BinaryIO, str]:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    out: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads it, at the latest with its end
    written, damaged = 0, ""
    try:
        for chunk in _gzip_chunks(stream) if kind == "gzip" else _zip_chunks(stream):
            written += len(chunk)
            if written > MAX_UNPACKED_BYTES or _is_bomb(written, size):
                out.close()
                raise Refused("invalid", "Unpacked, the file would be too large: split it.")
            out.write(chunk)
    except Broken:
        damaged = kind
    out.seek(0)
    return out, damaged


def _gzip_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """What a gzip file holds, as far as it can be unpacked; raises `Broken` where it is damaged or ends too early. What
    follows its end and is none itself does not count."""
    unpacker, is_open = zlib.decompressobj(zlib.MAX_WBITS | 16), False
    try:
        while chunk := stream.read(CHUNK):
            while chunk:
                is_open = True
                yield unpacker.decompress(chunk, CHUNK)
                chunk = unpacker.unconsumed_tail
                if unpacker.eof:
                    chunk = unpacker.unused_data.lstrip(b"\0")
                    unpacker, is_open = zlib.decompressobj(zlib.MAX_WBITS | 16), False
                    if not chunk.startswith(GZIP[: len(chunk)]):
                        return
        yield unpacker.flush()
    except zlib.error as error:
        raise Broken("gzip") from error
    if is_open and not unpacker.eof:
        raise Broken("gzip")


def _zip_chunks(stream: BinaryIO) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(stream) as archive, archive.open(_member(archive.infolist())) as member:
            while chunk := member.read(CHUNK):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError, RuntimeError) as error:
        raise Broken("zip") from error


def typed_rows(kind: str, stream: BinaryIO, sheet: str | None, further: list[Further] | None = None) -> Iterator[Typed]:
    """The rows of a workbook or a Parquet file: number of the line, and cells as texts, whole numbers, decimals, dates,
    timestamps, or None. Numbers that are stored as binary fractions are told as their 15 digits, as Excel shows them.

    `further`: gets the sheets of a workbook that are not read where none is named, once its rows are read. Raises
    `Broken` where a file cannot be read further; rows before that are good.
    """
    rows = _sheet_rows(stream, sheet, further) if kind == "workbook" else _parquet_rows(stream)
    try:
        yield from rows
    except (Broken, Refused):
        raise
    except Exception as error:  # noqa: BLE001 - over a mutilated file the libraries raise whatever comes to hand
        log.info("a file cannot be read further (%s): %s: %s", kind, type(error).__name__, error)
        raise Broken(kind) from error


def _sheet_rows(stream: BinaryIO, sheet: str | None, further: list[Further] | None) -> Iterator[Typed]:
    from openpyxl import load_workbook

    book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    if sheet is not None and sheet not in book.sheetnames:
        names = ", ".join(book.sheetnames)
        raise Refused("invalid", "The workbook has no sheet “%(name)s”; it has: %(names)s.", name=sheet, names=names)
    found = book[sheet] if sheet is not None else _first_filled(book)
    for number, row in enumerate(found.iter_rows(), 1):
        if number > MAX_SHEET_ROWS:
            raise Broken(TOO_MANY)
        cells = [_of_cell(cell) for cell in row]
        while cells and cells[-1] is None:
            cells.pop()
        yield number, cells
    if sheet is None and further is not None:
        for other in book.worksheets[book.worksheets.index(found) + 1 :]:
            other.reset_dimensions()
            further.append((other.title, list(islice(other.iter_rows(values_only=True), FURTHER_ROWS))))


def _first_filled(book: Any) -> Any:
    """The first worksheet with a row; charts are none."""
    for found in book.worksheets:
        found.reset_dimensions()  # what it says of its size may be wrong
        if next(found.iter_rows(values_only=True), None) is not None:
            return found
    return book.worksheets[0]


def _of_cell(cell: Any) -> Any:
    value = cell.value
    if isinstance(value, datetime) and value.time() == time(0) and "h" not in str(cell.number_format).lower():
        return value.date()  # a date; with hours in its format it is a timestamp
    return _plain(value)


def _parquet_rows(stream: BinaryIO) -> Iterator[Typed]:
    import pyarrow.parquet as parquet

    file = parquet.ParquetFile(stream)
    groups = range(file.metadata.num_row_groups)
    size = sum(file.metadata.row_group(g).total_byte_size for g in groups)
    if size > MAX_UNPACKED_BYTES or file.metadata.num_rows > MAX_PARQUET_ROWS:
        raise Refused("invalid", "Unpacked, the file would be too large: split it.")
    yield 1, [str(name) for name in file.schema_arrow.names]
    number = 1
    for batch in file.iter_batches(batch_size=BATCH):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            yield number, [_plain(value) for value in row]


def _plain(value: Any) -> Any:
    """A cell without a binary fraction, a clock time or anything nested."""
    if isinstance(value, float):
        return Decimal(f"{value:.15g}") if isfinite(value) else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict | list):
        return str(value)
    return value
