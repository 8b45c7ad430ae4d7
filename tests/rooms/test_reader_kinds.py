"""Files of other kinds than text: workbooks, Parquet, gzip and zip; what is too large or no file of rows is refused."""

import gzip
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from taktura.core.errors import Refused
from taktura.usage.reader import Mapping, Problem, Row, check_content, kinds, propose, read, table

BERLIN = ZoneInfo("Europe/Berlin")
CSV = b"id,subscription_id,quantity,period_start,period_end\n1,S-1,2.5,2026-06-01,2026-06-30\n2,S-2,3,2026-06-02,\n"


def workbook(*rows: list[Any], title: str = "Usage", first: str = "") -> bytes:
    """A workbook with these rows; `first`: the title of an empty sheet before."""
    book = openpyxl.Workbook()
    sheet = book.active
    if first:
        sheet.title = first
        sheet = book.create_sheet(title)
    else:
        sheet.title = title
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_parquet(**columns: Any) -> bytes:
    """A Parquet file with these columns."""
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


def zipped(*files: tuple[str, bytes]) -> bytes:
    """A zip archive of files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def rows_of(content: bytes, **mapping: Any) -> list[Row]:
    """The rows of a file that has no problem."""
    check_content(content)
    found = list(read(content, Mapping.from_dict(mapping), BERLIN))
    assert [r for r in found if isinstance(r, Problem)] == []
    return [r for r in found if isinstance(r, Row)]


HEAD = ["id", "subscription_id", "quantity", "period_start", "period_end"]
BOOK = workbook(HEAD, ["1", "S-1", 2.5, date(2026, 6, 1), date(2026, 6, 30)], ["2", "S-2", 3, date(2026, 6, 2), None])
PARQUET = as_parquet(
    id=["1", "2"],
    subscription_id=["S-1", "S-2"],
    quantity=pa.array([Decimal("2.5"), Decimal("3.0")], pa.decimal128(38, 18)),
    period_start=pa.array([date(2026, 6, 1), date(2026, 6, 2)]),
    period_end=pa.array([date(2026, 6, 30), None]),
)
PACKED = [gzip.compress, lambda content: zipped(("usage.csv", content))]


@pytest.mark.parametrize("content", [CSV, BOOK, PARQUET], ids=["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("pack", [bytes, *PACKED], ids=["as it is", "gzip", "zip"])
def test_the_same_rows_come_from_every_kind(content: bytes, pack: Callable[[bytes], bytes]) -> None:
    first, second = rows_of(pack(content))
    assert (first.id, first.quantity, first.first_day, first.end_day) == (
        "1", Decimal("2.5"), date(2026, 6, 1), date(2026, 7, 1),
    )  # fmt: skip
    assert first.is_span and not second.is_span
    assert (second.subscription_id, second.quantity, second.first_day) == ("S-2", 3, date(2026, 6, 2))
    found = table(pack(content), Mapping(), 10)
    assert found.headings == HEAD
    assert [cells[1] for _, cells in found.rows] == ["S-1", "S-2"]


def test_what_systems_hide_in_an_archive_does_not_count() -> None:
    content = zipped(("__MACOSX/._usage.csv", b"x"), ("june/.DS_Store", b"x"), ("june/usage.csv", CSV))
    assert len(rows_of(content)) == 2


def test_numbers_of_a_workbook_are_what_excel_shows() -> None:
    head = ["subscription_id", "period_start", "quantity", "cost_amount"]
    rows = rows_of(
        workbook(head, ["S", "2026-06-01", 0.1 + 0.2, 1e-7], ["S", "01.06.2026", 12345678901.25, -0.005]),
        date_format="ISO|%d.%m.%Y", decimal=",",
    )  # fmt: skip
    assert [(r.quantity, r.cost_amount) for r in rows] == [
        (Decimal("0.3"), Decimal("0.0000001")), (Decimal("12345678901.25"), Decimal("-0.005")),
    ]  # fmt: skip


def test_a_timestamp_at_midnight_is_exclusive_and_a_date_is_the_last_day() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["subscription_id", "quantity", "period_start", "period_end"])
    for format_ in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"):
        sheet.append(["S", 1, date(2026, 6, 1), datetime(2026, 7, 1)])  # noqa: DTZ001 - as a cell holds it
        sheet.cell(sheet.max_row, 4).number_format = format_
    out = io.BytesIO()
    book.save(out)
    assert [r.end_day for r in rows_of(out.getvalue())] == [date(2026, 7, 2), date(2026, 7, 1)]
    stamps = as_parquet(
        subscription_id=["S"], quantity=[1], period_start=pa.array([datetime(2026, 6, 1, tzinfo=UTC)]),
        period_end=pa.array([datetime(2026, 6, 30, 22, tzinfo=UTC)]),
    )  # fmt: skip
    (row,) = rows_of(stamps)
    assert (row.first_day, row.end_day) == (date(2026, 6, 1), date(2026, 7, 1))  # 22:00 UTC is midnight in Berlin


def test_a_sheet_lines_before_the_headings_and_empty_rows() -> None:
    content = workbook(
        ["Export of June"], [], HEAD, ["1", "S-1", 1, "2026-06-01"], [None, " "], ["2", "S-1", 2, "2026-06-02"],
        title="Data", first="Cover",
    )  # fmt: skip
    assert [r.line for r in rows_of(content, skip_lines=2)] == [4, 6]
    assert [r.line for r in rows_of(content, skip_lines=2, sheet="Data")] == [4, 6]
    with pytest.raises(Refused, match="it has: Cover, Data"):
        list(read(content, Mapping(sheet="Datum"), BERLIN))


def sheets(**given: list[list[Any]]) -> bytes:
    """A workbook of several sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in given.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_of_several_sheets_the_first_with_rows_is_read_and_others_like_it_are_named() -> None:
    june, july = [["1", "S-1", 1, "2026-06-01"]], [["2", "S-2", 2, "2026-07-01"]]
    content = sheets(
        Cover=[], June=[HEAD, *june], Sums=[["Total", 3]], July=[["Note", *HEAD], [], ["", *july[0]]],
        August=[["x"], HEAD, *july], May=[HEAD],
    )  # fmt: skip
    *rows, problem = read(content, Mapping(), BERLIN)
    assert [r.id for r in rows if isinstance(r, Row)] == ["1"] and len(rows) == 1
    assert isinstance(problem, Problem) and problem.of_file
    assert (problem.code, problem.value) == ("further_sheets", "July, August")
    assert problem.text() == (
        "The workbook has further sheets with the same columns, and they are not read: July, August. Save each as a"
        " file of its own and load these."
    )
    assert [r.id for r in rows_of(content, sheet="July")] == ["2"], "who names a sheet means that one alone"
    below = sheets(June=[["Export"], [], HEAD, *june], July=[["Export"], [], HEAD, *july])
    *_, problem = read(below, Mapping(skip_lines=2), BERLIN)
    assert isinstance(problem, Problem) and problem.value == "July"


def test_sheets_of_another_kind_are_passed_over() -> None:
    content = sheets(June=[HEAD, ["1", "S-1", 1, "2026-06-01"]], Notes=[["id", "what it means"], ["1", "x"]], Last=[])
    assert [r.id for r in rows_of(content)] == ["1"]


def test_a_bad_row_of_a_workbook_stops_no_other() -> None:
    found = list(
        read(
            workbook(
                HEAD, ["1", "S", "x", "2026-06-01"], ["2", "S", 1, "2026-06-01", None, 9], ["3", "S", 1, "2026-06-01"]
            ),
            Mapping(), BERLIN,
        )
    )  # fmt: skip
    assert [(r.line, r.code if isinstance(r, Problem) else "row") for r in found] == [
        (2, "bad_number"), (3, "bad_line"), (4, "row"),
    ]  # fmt: skip
    (missing,) = read(workbook(["Id", "subscription_id"], ["1", "S"]), Mapping(), BERLIN)
    assert isinstance(missing, Problem) and (missing.code, missing.column) == ("missing_column", "period_start")


def test_a_day_that_a_sheet_holds_as_a_bare_number_says_what_to_do() -> None:
    found = list(read(workbook(HEAD, ["1", "S", 1, 46203], ["2", "S", 1, 46203.5]), Mapping(decimal=","), BERLIN))
    texts = [p.text() for p in found if isinstance(p, Problem)]
    assert [text.split(" is ")[0] for text in texts] == ["“46203” in period_start", "“46203,5” in period_start"]
    assert all("format the column as a date" in text for text in texts)


CUT = "number as a spreadsheet shortens it, and the end of the id is lost"
CODES_HEAD = "id,customer_id,subscription_id,product_id,quantity,period_start"


@pytest.mark.parametrize("column", ["id", "customer_id", "subscription_id", "product_id"])
@pytest.mark.parametrize("text", ["1.23457E+15", '"1,23457E+15"', "1E+11", "-9.99e+20", "1.23456789012346e+16"])
def test_an_id_that_a_spreadsheet_has_shortened_is_refused(column: str, text: str) -> None:
    cells = [text if name == column else "x" for name in CODES_HEAD.split(",")[:4]]
    content = f"{CODES_HEAD}\n{','.join(cells)},1,2026-06-01\ny,y,y,y,1,2026-06-01\n".encode()
    problem, row = read(content, Mapping(), BERLIN)
    assert isinstance(problem, Problem) and isinstance(row, Row)
    assert (problem.line, problem.code, problem.column, problem.value) == (2, "cut_id", column, text.strip('"'))
    assert CUT in problem.text() and "load the original file" in problem.text()


@pytest.mark.parametrize(
    "text", ["123457000000000", "1E11", "1E+5", "1.5e+06", "E+15", "1E-15", "A1.2E+15", "0012E+15"]
)
def test_what_only_looks_a_little_like_it_is_an_id(text: str) -> None:
    content = f"{CODES_HEAD}\n{text},{text},{text},{text},1,2026-06-01\n".encode()
    (row,) = rows_of(content)
    assert {row.id, row.customer_id, row.subscription_id, row.product_id} == {text}


def test_a_shortened_number_in_a_key_or_a_call_is_refused_by_its_heading() -> None:
    content = b"Order,subscription_id,quantity,Amount,period_start\n1.2E+15,S,1,1.2E+15,2026-06-01\n"
    (problem,) = read(content, Mapping(columns={"id": "=key(Order, subscription_id)"}), BERLIN)
    assert isinstance(problem, Problem) and (problem.code, problem.column) == ("cut_id", "Order")
    numbers = {"id": "=key(subscription_id, Amount)", "cost_amount": "Amount"}
    assert len(rows_of(content, columns=numbers)) == 1, "what is a number may be written so"
    calls = b"subscription_id,seconds,call_id,period_start\nS,5,1.2E+15,2026-06-01 10:00:00\n"
    (problem,) = read(calls, Mapping(columns={"call_id": "call_id", "seconds": "seconds"}), BERLIN)
    assert isinstance(problem, Problem) and (problem.code, problem.column) == ("cut_id", "call_id")


def test_a_number_that_a_workbook_itself_cannot_hold_is_no_id() -> None:
    book = workbook(HEAD, [1.23456789012346e20, "S", 1, "2026-06-01"], [123456789012345, "S", 1, "2026-06-01"])
    problem, row = read(book, Mapping(), BERLIN)
    assert isinstance(problem, Problem) and (problem.code, problem.column) == ("cut_id", "id")
    assert isinstance(row, Row) and row.id == "123456789012345"


def test_a_file_that_was_cut_off_gives_the_rows_before() -> None:
    lines = "".join(f"{i},S-{i},{i * 7919 % 1000},2026-06-01,\n" for i in range(20_000))
    content = f"{','.join(HEAD)}\n{lines}".encode()
    whole = gzip.compress(content)
    found = list(read(whole[: len(whole) // 2], Mapping(), BERLIN))
    good = [r for r in found if isinstance(r, Row)]
    assert 1000 < len(good) < 20_000
    assert [r.id for r in good] == [str(i) for i in range(len(good))]
    for cut in (BOOK[: len(BOOK) // 2], zipped(("a.csv", content))[:500]):
        (problem,) = read(cut, Mapping(), BERLIN)
        assert isinstance(problem, Problem) and problem.code == "broken" and problem.of_file
        with pytest.raises(Refused, match="damaged"):
            check_content(cut)
    (problem,) = read(PARQUET[: len(PARQUET) // 2], Mapping(), BERLIN)
    assert isinstance(problem, Problem) and problem.code == "broken"


@pytest.mark.parametrize("cut", [1, 4, 8, 9, 10_000])
def test_an_archive_that_lacks_its_end_says_so(cut: int) -> None:
    """Though each line that is there is whole: what is missing is not seen from these."""
    lines = "".join(f"{i},S-{i},{i * 7919 % 1000},2026-06-01,\n" for i in range(20_000))
    content = f"{','.join(HEAD)}\n{lines}".encode()
    found = list(read(gzip.compress(content)[:-cut], Mapping(), BERLIN))
    problem = found[-1]
    assert isinstance(problem, Problem) and (problem.code, problem.value) == ("broken", "gzip") and problem.of_file
    assert len([r for r in found if isinstance(r, Row)]) == 20_000 if cut < 9 else len(found) > 1000
    flipped = bytearray(zipped(("a.csv", content)))
    flipped[len(flipped) // 2] ^= 1  # the sum at the end does not fit
    (*_, problem) = read(bytes(flipped), Mapping(), BERLIN)
    assert isinstance(problem, Problem) and (problem.code, problem.value) == ("broken", "zip")


def half_a_sheet() -> bytes:
    """A workbook whose sheet ends in the middle of its text, behind some rows."""
    rows = [[str(i), f"S-{i}", i, date(2026, 6, 1), None] for i in range(2000)]
    source, out = zipfile.ZipFile(io.BytesIO(workbook(HEAD, *rows))), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for info in source.infolist():
            content = source.read(info)
            archive.writestr(info, content[: len(content) // 2] if "worksheets/sheet" in info.filename else content)
    return out.getvalue()


def bad_pages() -> bytes:
    """A Parquet file whose end is whole, but not its data."""
    return PARQUET[:4] + b"\xff" * 60 + PARQUET[64:]


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [(half_a_sheet(), "workbook", "The workbook is damaged"), (bad_pages(), "parquet", "The Parquet file is damaged")],
    ids=["workbook", "parquet"],
)
def test_a_library_s_words_about_a_damaged_file_go_to_the_log_alone(
    content: bytes, kind: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    check_content(content)
    with caplog.at_level("INFO", "taktura.usage.reader.kinds"):
        *before, problem = read(content, Mapping(), BERLIN)
    assert all(isinstance(row, Row) for row in before) and (len(before) > 100) == (kind == "workbook")
    assert isinstance(problem, Problem) and problem.of_file
    assert (problem.code, problem.value) == ("broken", kind)
    assert problem.text().startswith(words)
    (record,) = caplog.records
    assert record.levelname == "INFO" and f"({kind}): " in record.getMessage()


def test_what_follows_a_whole_archive_does_not_count() -> None:
    half = len(CSV) // 2
    for packed in (
        gzip.compress(CSV) + b"\0" * 700,
        gzip.compress(CSV) + b"more",
        gzip.compress(CSV[:half]) + gzip.compress(CSV[half:]),
    ):
        assert list(read(packed, Mapping(), BERLIN)) == list(read(CSV, Mapping(), BERLIN))


def test_bombs_are_refused() -> None:
    bomb = zipped(("a.csv", b"0" * 50_000_000))
    assert len(bomb) < 100_000
    with pytest.raises(Refused, match="too large"):
        check_content(bomb)
    packed = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(Refused, match="too large"):
        list(read(packed, Mapping(), BERLIN))
    with pytest.raises(Refused, match="too large"):
        propose(packed)
    book = io.BytesIO(BOOK)
    with zipfile.ZipFile(book, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b" " * 60_000_000)
    with pytest.raises(Refused, match="too large"):
        check_content(book.getvalue())


def test_entities_that_multiply_are_no_way_in() -> None:
    xml = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 20) for i in range(1, 12)
    )  # fmt: skip
    xml += b"]><worksheet><sheetData><row><c t='str'><v>&a11;</v></c></row></sheetData></worksheet>"
    source, out = zipfile.ZipFile(io.BytesIO(BOOK)), io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for info in source.infolist():
            archive.writestr(info, xml if info.filename.startswith("xl/worksheets/") else source.read(info))
    (problem,) = read(out.getvalue(), Mapping(), BERLIN)
    assert isinstance(problem, Problem) and problem.code in ("broken", "no_rows")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (zipped(("a.csv", CSV), ("b.csv", CSV)), "2 files"),
        (zipped(("a/", b"")), "0 files"),
        (zipped(*((f"{i}.csv", b"") for i in range(1001))), "too many"),
        (b"PK\x03\x04 something", "damaged"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "archive"),
        (b"BZh91AY&SY", "packed"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook of the old kind"),
        (b"%PDF-1.7", "PDF"),
        (b"\0" * 257 + b"ustar\x0000", "archive"),
    ],
)
def test_what_is_no_file_of_rows_is_refused_with_what_to_do(content: bytes, what: str) -> None:
    with pytest.raises(Refused, match=what) as refused:
        check_content(content)
    assert refused.value.code == "invalid"


def test_an_archive_in_an_archive_is_refused() -> None:
    for content in (gzip.compress(gzip.compress(CSV)), zipped(("a.zip", zipped(("a.csv", CSV))))):
        with pytest.raises(Refused, match="archive"):
            list(read(content, Mapping(), BERLIN))
    with pytest.raises(Refused, match="PDF"):
        list(read(gzip.compress(b"%PDF-1.7"), Mapping(), BERLIN))


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "MAX_FILE_BYTES", 10)
    with pytest.raises(Refused, match="split it"):
        check_content(CSV)
