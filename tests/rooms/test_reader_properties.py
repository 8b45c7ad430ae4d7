"""The usage reader on files of any kind: what was written comes back exactly, nothing raises, memory stays constant."""

import csv
import io
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taktura.core.errors import Refused
from taktura.core.money import EXACT
from taktura.usage.reader import COLUMNS, Mapping, Problem, Row, read, read_rows

BERLIN = ZoneInfo("Europe/Berlin")
HEADINGS = "id,subscription_id,quantity,period_start"
GOOD = "good,S-1,2.5,2026-06-01"
ROWS = 300_000
BLOCKS = 250_000  # objects at a time; to keep each row would take more than one for each
NULLS = ("", "NULL")

# What was written comes back


def _texts(codec: str) -> st.SearchStrategy[str]:
    return st.text(st.characters(codec=codec, exclude_characters="\0"), max_size=20)


@st.composite
def _files(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]]]:
    """An encoding, and rows whose texts it can hold."""
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    text = _texts("cp1252" if encoding == "cp1252" else "utf-8")
    number = st.decimals(-(10**15), 10**15, allow_nan=False, allow_infinity=False, places=12)
    row = st.fixed_dictionaries(
        {
            "id": text,
            "subscription_id": text.filter(lambda t: t.strip() not in NULLS),
            "customer_name": text,
            "subscription_description": text,
            "unit": text,
            "quantity": number,
            "amount": st.none() | number,
            "period_start": st.dates(date(1900, 1, 1), date(9000, 1, 1)),
            "days": st.integers(1, 500),
        }
    )
    return encoding, draw(st.lists(row, min_size=1, max_size=5))


@given(_files(), st.sampled_from(",;\t|~"), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.sampled_from(".,"))
def test_rows_come_back_exactly(
    file: tuple[str, list[dict[str, Any]]], delimiter: str, quoting: int, decimal: str
) -> None:
    encoding, rows = file
    texts = ["id", "subscription_id", "customer_name", "subscription_description", "unit"]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\r\n")
    writer.writerow([*texts, "quantity", "amount", "period_start", "period_end"])
    for r in rows:
        numbers = ["" if r[c] is None else format(r[c], "f").replace(".", decimal) for c in ("quantity", "amount")]
        writer.writerow(
            [*(r[c] for c in texts), *numbers, r["period_start"], r["period_start"] + timedelta(days=r["days"] - 1)]
        )
    mapping = Mapping(
        decimal=decimal,
        delimiter=delimiter if delimiter == "~" else None,
        encoding=encoding if encoding == "cp1252" else None,  # its bytes may happen to be UTF-8
    )
    found = list(read(out.getvalue().encode(encoding), mapping, BERLIN))
    for given_row, row in zip(rows, found, strict=True):
        assert isinstance(row, Row)
        for column in texts:
            text = given_row[column].strip()
            assert getattr(row, column) == ("" if text in NULLS else text)
        assert (row.quantity, row.amount) == (given_row["quantity"], given_row["amount"])
        assert row.first_day == given_row["period_start"]
        assert (row.end_day - row.first_day).days == given_row["days"]


# Nothing raises, nothing stops

ENCODINGS = [None, "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-7", "cp1252", "ascii", "shift_jis"]


@given(st.binary(max_size=300), st.sampled_from(ENCODINGS), st.booleans())
@example(b"\xff\xfe\x00", None, False)
@example(b'"' * 7, "utf-7", True)
def test_no_bytes_raise(data: bytes, encoding: str | None, headed: bool) -> None:
    content = f"{HEADINGS}\n".encode() + data if headed else data
    results = list(read(content, Mapping(encoding=encoding), BERLIN))
    assert results
    for problem in (r for r in results if isinstance(r, Problem)):
        (problem.text() + problem.value + problem.column).encode()  # can be stored
        assert "\0" not in problem.value + problem.column


@given(st.binary(max_size=300) | st.text('a1,;"\r\n\0ü', max_size=100).map(str.encode))
@example(b'x,"')
@example(b'"' + b"\n" * 500)
def test_good_lines_around_rubbish_are_read(rubbish: bytes) -> None:
    content = b"\n".join([f"{HEADINGS}\n{GOOD}".encode(), rubbish, f"{GOOD}\n{GOOD}".encode()])
    results = list(read(content, Mapping(delimiter=","), BERLIN))
    first, *_, before_last, last = results
    assert [isinstance(r, Row) and r.id for r in (first, before_last, last)] == ["good"] * 3
    lines = [r.line or 0 for r in results]
    assert lines == sorted(lines)
    assert lines[-1] == len(io.StringIO(content.decode("latin-1"), newline=None).readlines())


# Rows that are parsed already


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(COLUMNS),
            st.none()
            | st.booleans()
            | st.text()
            | st.integers()
            | st.decimals()
            | st.floats()
            | st.dates()
            | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(BERLIN))
            | st.times(),
        ),
        max_size=3,
    )
)
def test_no_values_raise(rows: list[dict[str, Any]]) -> None:
    assert len(list(read_rows(rows, Mapping(), BERLIN))) == len(rows)


def _only(row: dict[str, Any], **mapping: Any) -> Row | Problem:
    (result,) = read_rows(
        [{"subscription_id": "S", "period_start": date(2026, 6, 1)} | row], Mapping(**mapping), BERLIN
    )
    return result


def test_numbers_of_parsed_rows() -> None:
    for value in (Decimal("1.5"), "1,5"):
        row = _only({"quantity": value}, decimal=",")
        assert isinstance(row, Row) and row.quantity == Decimal("1.5")
    row = _only({"quantity": 1500, "revision": 2}, decimal=",")
    assert isinstance(row, Row) and (row.quantity, row.revision) == (1500, 2)
    for wrong in (0.5, True, date(2026, 6, 1), Decimal("NaN")):
        bad = _only({"quantity": wrong})
        assert isinstance(bad, Problem) and (bad.code, bad.column) == ("bad_number", "quantity")


def test_texts_that_no_database_holds_are_problems_of_their_row() -> None:
    rows = [{"subscription_id": s, "quantity": 1, "period_start": date(2026, 6, 1)} for s in ("S\0", "S\ud800", "S")]
    results = list(read_rows(rows, Mapping(), BERLIN))
    assert [r.code if isinstance(r, Problem) else r.subscription_id for r in results] == [*["bad_encoding"] * 2, "S"]


def test_the_hour_that_comes_twice_in_parsed_rows() -> None:
    for zone in (None, BERLIN):
        at = datetime(2026, 10, 25, 2, 30, tzinfo=zone)
        rows = [{"subscription_id": "S", "quantity": 1, "period_start": at.replace(fold=fold)} for fold in (0, 1)]
        instants = [r.at.astimezone(UTC).hour for r in read_rows(rows, Mapping(), BERLIN) if isinstance(r, Row)]
        assert instants == [0, 1]


def test_an_unknown_column_of_a_parsed_row_names_the_nearest() -> None:
    bad = _only({"quantitiy": 1})
    assert isinstance(bad, Problem)
    assert (bad.line, bad.code, bad.column, bad.value) == (1, "unknown_column", "quantitiy", "quantity")
    mapped = _only({"Mengen": 1}, columns={"quantity": "Menge"})
    assert isinstance(mapped, Problem) and mapped.value == "Menge"
    awkward = _only({"q\0\ud800" * 200: 1, 5: 2})
    assert isinstance(awkward, Problem) and awkward.code == "unknown_column"


# Mappings


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantitty": "Menge"},
        {"columns": ["id"]},
        {"quantity": ""},
        {"quantity": None},
        {"decimal": "'"},
        {"delimiter": ";;"},
        {"delimiter": '"'},
        {"delimiter": 5},
        {"skip_lines": -1},
        {"skip_lines": True},
        {"encoding": "utf-9"},
        {"encoding": "base64"},
        {"date_format": "%d.%m"},
        {"date_format": "%Q"},
        {"null_texts": 5},
        {"encoding": "undefined"},
        {"encoding": "idna"},
        {"encoding": "utf-8\0"},
    ],
)
def test_a_mapping_no_file_could_be_read_with_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused) as error:
        Mapping.from_dict(wrong)
    assert error.value.code == "invalid"


def test_a_mapping_in_either_form() -> None:
    flat = Mapping.from_dict({"quantity": " Menge ", "delimiter": "tab", "null_texts": "-", "date_format": "%d.%m.%Y"})
    nested = Mapping.from_dict(
        {"columns": {"quantity": "Menge"}, "delimiter": "\t", "null_texts": ["-"], "date_format": "%d.%m.%Y"}
    )
    assert flat == nested
    assert (flat.heading("quantity"), flat.heading("unit"), flat.null_texts) == ("Menge", "unit", ("-",))
    with pytest.raises(Refused, match="did you mean “quantity”"):
        Mapping.from_dict({"quantitty": "Menge"})


# Real and large files


@pytest.mark.parametrize("column", ["BilledCost", "ListCost", "EffectiveCost"])
def test_sums_of_a_real_file_are_exact(samples: Path, column: str) -> None:
    content = (samples / "focus-1.0-sample.csv").read_bytes()
    mapping = Mapping(
        columns={
            "subscription_id": "ResourceId",
            "cost_amount": column,
            "period_start": "ChargePeriodStart",
            "period_end": "ChargePeriodEnd",
        },
        null_texts=(),
    )
    rows = [r for r in read(content, mapping, BERLIN) if isinstance(r, Row)]
    plain = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert len(rows) == len(plain) == 1000
    total, expected = Decimal(0), Decimal(0)
    for row, line in zip(rows, plain, strict=True):
        total = EXACT.add(total, row.cost_amount or Decimal(0))
        expected = EXACT.add(expected, Decimal(line[column]))
    assert total == expected != 0


class _Generated(io.RawIOBase):
    """A file of many lines that is never in memory as a whole."""

    def __init__(self) -> None:
        self.seek(0)

    def seek(self, offset: int, whence: int = 0) -> int:
        assert (offset, whence) == (0, 0)
        self.lines, self._rest = 0, f"{HEADINGS},subscription_name\n".encode()
        return 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while len(self._rest) < len(buffer) and self.lines < ROWS:
            numbers = range(self.lines, min(self.lines + 500, ROWS))
            self._rest += "".join(f"id-{n},S-{n},{n}.5,2026-06-01,name of {n}\n" for n in numbers).encode()
            self.lines = numbers.stop
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def test_a_large_file_takes_no_more_memory_than_a_small_one() -> None:
    file = _Generated()
    count = total = most = 0
    before = sys.getallocatedblocks()
    for row in read(io.BufferedReader(file), Mapping(), BERLIN):
        assert isinstance(row, Row) and row.quantity is not None
        count, total = count + 1, total + int(row.quantity)
        if count % 10_000 == 0:
            most = max(most, sys.getallocatedblocks() - before)
            assert file.lines - count < 10_000  # the file is not read ahead
    assert (count, total) == (ROWS, ROWS * (ROWS - 1) // 2)
    assert most < BLOCKS
