"""The usage reader: whatever a file holds, its good lines are read, in order, and each bad one says why (R2.2, R17)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from taktura.usage.reader import COLUMNS, Mapping, Problem, Row, read

BERLIN = ZoneInfo("Europe/Berlin")
HEADINGS = "id,subscription_id,quantity,period_start,period_end"
FIRST = "1,S-1,2.5,2026-06-01,2026-06-30"
LAST = "9,S-9,4,2026-06-05,2026-06-06"
MAX_FIELD = 16 * 1024 * 1024
MAX_RECORD_LINES = 200


def found(content: str | bytes, zone: ZoneInfo = BERLIN, **mapping: Any) -> list[Row | Problem]:
    """All that the reader gives for a file."""
    data = content.encode() if isinstance(content, str) else content
    return list(read(data, Mapping(**mapping), zone))


def rows_of(content: str | bytes, **mapping: Any) -> list[Row]:
    """The rows of a file that has no problem."""
    results = found(content, **mapping)
    assert not [r for r in results if isinstance(r, Problem)]
    return [r for r in results if isinstance(r, Row)]


def problem_of(content: str | bytes, **mapping: Any) -> Problem:
    """The one result of a file that cannot be read at all."""
    (result,) = found(content, **mapping)
    assert isinstance(result, Problem)
    return result


def between(line: str, headings: str = HEADINGS, first: str = FIRST, last: str = LAST, **mapping: Any) -> Row | Problem:
    """What becomes of a line between two good ones, which must come out as they are."""
    results = found(f"{headings}\n{first}\n{line}\n{last}\n", **mapping)
    assert [type(r) for r in (results[0], results[-1])] == [Row, Row]
    assert [r.id for r in results if isinstance(r, Row) and r.id in ("1", "9")] == ["1", "9"]
    assert [r.line for r in results] == sorted(r.line or 0 for r in results)
    (result,) = results[1:-1]
    assert result.line == 3
    return result


def span(start: str, end: str, zone: ZoneInfo = BERLIN, **mapping: Any) -> Row | Problem:
    """The one row of a file, with this period."""
    (result,) = found(f"{HEADINGS}\n7,S,1,{start},{end}\n", zone, **mapping)
    return result


def test_a_plain_row() -> None:
    row = rows_of(
        f"{','.join(COLUMNS)}\n"
        "u1, C-1 ,Acme,S-1,Plan A,big one,2026-01-01,2026-12-31,P,Product,GB,3,2026-06-01,2026-06-30,1.5,,2,,,EUR,4,"
        "90,K\n"
    )[0]
    assert row == Row(
        2,
        "u1",
        "C-1",
        "Acme",
        "S-1",
        "Plan A",
        "big one",
        date(2026, 1, 1),
        date(2026, 12, 31),
        "P",
        "Product",
        "GB",
        Decimal(3),
        Decimal("1.5"),
        Decimal("4.5"),
        Decimal(2),
        Decimal(6),
        "EUR",
        4,
        datetime(2026, 5, 31, 22, tzinfo=UTC),
        date(2026, 6, 1),
        date(2026, 7, 1),
        True,
        90,
        "K",
    )


# Delimiters and encodings


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(delimiter: str) -> None:
    text = "\n".join([HEADINGS, FIRST, LAST]).replace(",", delimiter)
    assert [r.id for r in rows_of(text)] == ["1", "9"]


def test_a_delimiter_within_quoted_headings_is_not_taken() -> None:
    text = 'subscription_id;"price, list, net, EUR";quantity;period_start\nS;1;2;2026-06-01\n'
    assert rows_of(text)[0].quantity == 2
    tie = "subscription_id;a,b,c,d;period_start;quantity\nS;1;2026-06-01;2\n"
    assert rows_of(tie)[0].quantity == 2


@pytest.mark.parametrize(("used", "name"), [(";", ";"), ("\t", "tab"), ("|", "|")])
def test_a_wrong_delimiter_says_which_it_seems_to_be(used: str, name: str) -> None:
    text = "\n".join([HEADINGS, FIRST]).replace(",", used)
    problems = [p for p in found(text, delimiter=",") if isinstance(p, Problem)]
    assert [(p.line, p.code, p.column, p.found) for p in problems] == [
        (1, "missing_column", "subscription_id", used),
        (1, "missing_column", "period_start", used),
    ]
    assert f"seems to be cut at “{name}”" in problems[0].text()


UMLAUTS = "subscription_id,subscription_name,quantity,period_start\nÜ-1,Größe “ä”,1,2026-06-01\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_are_found(encoding: str) -> None:
    row = rows_of(UMLAUTS.encode(encoding))[0]
    assert (row.subscription_id, row.subscription_name) == ("Ü-1", "Größe “ä”")


@pytest.mark.parametrize(("mark", "encoding"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_utf_16_of_either_order(mark: bytes, encoding: str) -> None:
    assert rows_of(mark + UMLAUTS.encode(encoding))[0].subscription_name == "Größe “ä”"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(encoding: str) -> None:
    assert rows_of(UMLAUTS.encode(encoding))[0].subscription_name == "Größe “ä”"


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "\ufeffsep=;", "\nsep=;"])
def test_a_line_that_tells_a_spreadsheet_the_delimiter(first: str) -> None:
    (row,) = rows_of(f"{first}\nsubscription_id;quantity;period_start;a,b,c,d,e\nS;2;2026-06-01;\n")
    assert (row.line, row.subscription_id) == (3 + first.count("\n"), "S")
    assert problem_of("sep=;\n").code == "no_rows"


def test_a_truncated_utf_16_file_keeps_its_lines() -> None:
    content = "\n".join([HEADINGS, FIRST, LAST, "10,S-10,1,2026-06-0"]).encode("utf-16")[:-1]
    first, last, problem = found(content)
    assert isinstance(first, Row) and isinstance(last, Row) and isinstance(problem, Problem)
    assert (first.id, last.id, problem.line) == ("1", "9", 4)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_mark_of_the_encoding_is_no_part_of_the_heading(encoding: str) -> None:
    text = "\ufeffsubscription_id,quantity,period_start\nS,1,2026-06-01\n"
    assert rows_of(text.encode(encoding), encoding=encoding)[0].subscription_id == "S"


def test_a_forced_wrong_encoding_is_a_problem() -> None:
    assert problem_of(UMLAUTS.encode("utf-16-le"), encoding="utf-8").code == "bad_encoding"
    assert problem_of(UMLAUTS.encode(), encoding="utf-32").code == "bad_encoding"
    assert problem_of(UMLAUTS.encode(), encoding="utf-16").code == "bad_encoding"
    (line,) = found(UMLAUTS.encode("cp1252"), encoding="utf-8")
    assert isinstance(line, Problem)
    assert (line.line, line.code) == (2, "bad_encoding")
    (line,) = found(UMLAUTS.encode("utf-8"), encoding="ascii")
    assert isinstance(line, Problem)
    assert (line.line, line.code) == (2, "bad_encoding")


@pytest.mark.parametrize("where", [0, 3])
def test_bytes_that_are_no_text_spoil_their_line_only(where: int) -> None:
    lines = [line.encode() for line in ("1,Ü,1,2026-06-01", "2,ß,1,2026-06-01", "3,ä,1,2026-06-01", "4,é,1,2026-06-01")]
    lines[where] = lines[where].replace(b",1,", b"\xff\xc3,1,")
    results = found(b"\n".join([b"id,subscription_id,quantity,period_start", *lines]))
    assert [isinstance(r, Row) for r in results] == [i != where for i in range(4)]
    bad = results[where]
    assert isinstance(bad, Problem)
    assert (bad.line, bad.code) == (where + 2, "bad_encoding")


def test_one_bad_byte_far_behind_plain_text_leaves_the_file_utf_8() -> None:
    good = "1,S,1,2026-06-01\n" * 70_000
    content = f"id,subscription_id,quantity,period_start\n{good}2,Grün,1,2026-06-01\n3,Größe,1,2026-06-01\n".encode()
    *_, green, size, bad = found(content + b"4,S\xff,1,2026-06-01\n")
    assert isinstance(green, Row) and isinstance(size, Row) and isinstance(bad, Problem)
    assert (green.subscription_id, size.subscription_id, bad.code) == ("Grün", "Größe", "bad_encoding")


def test_a_replacement_mark_in_the_file_is_text() -> None:
    assert rows_of("subscription_id,quantity,period_start\nS\ufffd,1,2026-06-01\n")[0].subscription_id == "S\ufffd"


def test_nul_bytes_spoil_their_line_only() -> None:
    bad = between("2,S\0,1,2026-06-01,")
    assert isinstance(bad, Problem) and bad.code == "bad_encoding"


# Headings


def test_a_missing_column_names_near_ones() -> None:
    problem = problem_of("Subscription-ID,quantity,period_start\nS,1,2026-06-01\n")
    assert (problem.line, problem.code, problem.column, problem.value) == (
        1,
        "missing_column",
        "subscription_id",
        "Subscription-ID",
    )
    mapped = problem_of(
        "sub,menge,period_start\nS,1,2026-06-01\n", columns={"subscription_id": "sub", "unit": "Mengen"}
    )
    assert (mapped.column, mapped.value) == ("Mengen", "menge")
    other = problem_of("xx,period_start\nS,2026-06-01\n")
    assert "it has: xx, period_start." in other.text()


def test_a_heading_twice_is_refused_where_it_is_used() -> None:
    problem = problem_of("subscription_id,quantity,quantity,period_start\nS,1,2,2026-06-01\n")
    assert (problem.line, problem.code, problem.column) == (1, "double_column", "quantity")
    unused = "subscription_id,memo,memo,,,quantity,period_start\nS,1,2,,,3,2026-06-01\n"
    assert rows_of(unused)[0].quantity == 3


@pytest.mark.parametrize("content", ["", "\n\n", " \r\n", HEADINGS, f"{HEADINGS}\n", f"{HEADINGS}\n\n,,,,\n \n"])
def test_a_file_without_rows_says_so(content: str) -> None:
    problem = problem_of(content)
    assert (problem.line, problem.code) == (None, "no_rows")


def test_blank_lines_count_as_lines_and_nothing_else() -> None:
    text = f"\n\n{HEADINGS}\n\n{FIRST}\n  \n,,,,\n, ,\n{LAST}\n\n"
    assert [(r.line, r.id) for r in rows_of(text)] == [(5, "1"), (9, "9")]


def test_lines_before_the_headings_are_skipped() -> None:
    text = f'Export "of June\nby, someone\n\n{HEADINGS}\n{FIRST}\n'
    assert [r.line for r in rows_of(text, skip_lines=2)] == [5]
    assert problem_of(text, skip_lines=10**12).code == "no_rows"


# Lines and quotes


def test_a_quoted_field_may_hold_line_breaks_and_lines_are_those_of_the_file() -> None:
    text = (
        'id,"subscription_id",subscription_name,quantity,period_start\r\n'
        '1,S,"one\r\ntwo ""and"" three\n\nfour",1,2026-06-01\r\n'
        "2,S,x,oops,2026-06-01\r\n"
        '3,S,"a\rb",1,2026-06-01\r\n'
        "4,S,x,1,2026-06-01"
    )
    one, two, three, four = found(text)
    assert isinstance(one, Row) and isinstance(two, Problem) and isinstance(three, Row) and isinstance(four, Row)
    assert one.subscription_name == 'one\r\ntwo "and" three\n\nfour'
    assert [r.line for r in (one, two, three, four)] == [2, 6, 7, 9]


@pytest.mark.parametrize("line", ["2,S,1", "2,S,1,2026-06-01,2026-06-30,", "2", '2,S,1,2026-06-01,"x"y'])
def test_too_few_or_too_many_cells_or_wild_quotes(line: str) -> None:
    bad = between(line)
    assert isinstance(bad, Problem) and bad.code == "bad_line"


def test_the_number_of_cells_is_told() -> None:
    bad = between("2,S,1")
    assert isinstance(bad, Problem)
    said = "The line has another number of fields than the headings (3 instead of 5): check its delimiters and quotes."
    assert bad.text() == said


def test_an_unclosed_quote_spoils_its_line_only() -> None:
    bad = between('2,"S,1,2026-06-01,2026-06-30')
    assert isinstance(bad, Problem) and bad.code == "bad_line"
    *_, last = found(f'{HEADINGS}\n{FIRST}\n2,S,1,2026-06-01,"2026-06-30\n')
    assert isinstance(last, Problem)
    assert (last.line, last.code) == (3, "bad_line")


def test_an_unclosed_quote_before_quoted_lines_spoils_its_line_only() -> None:
    quoted = '"3","S-3","1","2026-06-01",""'
    results = found(f'{HEADINGS}\n{quoted}\n"2","S\n{quoted}\n{quoted}\n')
    assert [(r.line, isinstance(r, Row)) for r in results] == [(2, True), (3, False), (4, True), (5, True)]


@pytest.mark.parametrize("lines", [MAX_RECORD_LINES - 1, MAX_RECORD_LINES, 3 * MAX_RECORD_LINES])
def test_an_unclosed_quote_in_a_long_file(lines: int) -> None:
    results = found(f'{HEADINGS}\n2,S,1,2026-06-01,"\n' + f"{FIRST}\n" * lines)
    assert [r.line for r in results] == list(range(2, lines + 3))
    assert [type(r) for r in results] == [Problem] + [Row] * lines


def test_a_cell_of_many_lines_is_read_up_to_the_limit() -> None:
    def content(breaks: int) -> str:
        name = "x\n" * breaks
        return f'subscription_id,quantity,period_start,subscription_name\nS,1,2026-06-01,"{name}"\n'

    assert rows_of(content(MAX_RECORD_LINES - 1))[0].line == 2
    first, *_ = found(content(MAX_RECORD_LINES))
    assert isinstance(first, Problem) and (first.line, first.code) == (2, "bad_line")


def test_a_cell_beyond_the_limit_spoils_its_line_only() -> None:
    bad = between(f"2,{'S' * (MAX_FIELD + 1)},1,2026-06-01,2026-06-30")
    assert isinstance(bad, Problem) and bad.code == "bad_line"
    quoted = between(f'2,"{"S" * (MAX_FIELD + 1)}",1,2026-06-01,2026-06-30')
    assert isinstance(quoted, Problem) and quoted.code == "bad_line"
    long = between(f"2,{'S' * 201},1,2026-06-01,")
    assert isinstance(long, Problem)
    assert (long.code, long.column, long.value) == ("too_long", "subscription_id", "S" * 201)


# Numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        (" 7 ", "7"),
        ("-1.50", "-1.5"),
        ("+.5", "0.5"),
        ("5.", "5"),
        ("1.5E-5", "0.000015"),
        ("8e-07", "0.0000008"),
        ("1E+3", "1000"),
        ("0.000000000001", "0.000000000001"),
        ("0.1000000000000000", "0.1"),
        ("99999999999999999999.999999999999", "99999999999999999999.999999999999"),
        ("0e999", "0"),
    ],
)
def test_numbers_are_read_exactly(text: str, value: str) -> None:
    row = between(f"2,S,{text},2026-06-01,")
    assert isinstance(row, Row) and row.quantity == Decimal(value)


@pytest.mark.parametrize(
    "text",
    ["1.234.5", "1_000", "1e400", "1e20", "NaN", "Infinity", "0.0000000000001", "1 000", "1'000", "١٢", "0x10", "--1"]
    + ["1e-400", "12-", "(5)", "€5", "five", "1e", ".", "+", "1" * 101],
)
def test_what_is_no_number_is_never_guessed(text: str) -> None:
    bad = between(f"2,S,{text},2026-06-01,")
    assert isinstance(bad, Problem)
    assert (bad.code, bad.column, bad.value) == ("bad_number", "quantity", text)


@pytest.mark.parametrize("text", ["1.234,56", "1,234", "1,5"])
def test_a_comma_is_no_point(text: str) -> None:
    bad = between(f'2,S,"{text}",2026-06-01,')
    assert isinstance(bad, Problem) and (bad.code, bad.value) == ("bad_number", text)


def test_a_decimal_comma() -> None:
    head, first, last = HEADINGS.replace(",", ";"), "1;S;2,5;2026-06-01;", "9;S;4;2026-06-05;"
    good = between("2;S;-1234,567;2026-06-01;", head, first, last, decimal=",")
    assert isinstance(good, Row) and good.quantity == Decimal("-1234.567")
    for text in ("1.234,56", "1.234", "1,2,3", "1 234,5"):
        bad = between(f"2;S;{text};2026-06-01;", head, first, last, decimal=",")
        assert isinstance(bad, Problem) and (bad.code, bad.value) == ("bad_number", text)


@pytest.mark.parametrize(
    ("text", "value"), [("", None), ("NULL", None), ("0", 0), ("3.0", 3), ("2147483647", 2**31 - 1)]
)
def test_revisions_are_whole_numbers(text: str, value: int | None) -> None:
    head = "id,subscription_id,quantity,period_start,revision"
    good = between(f"2,S,1,2026-06-01,{text}", head, "1,S,1,2026-06-01,", "9,S,1,2026-06-01,")
    assert isinstance(good, Row) and good.revision == value
    for wrong in ("-1", "1.5", "2147483648", "v2"):
        bad = between(f"2,S,1,2026-06-01,{wrong}", head, "1,S,1,2026-06-01,", "9,S,1,2026-06-01,")
        assert isinstance(bad, Problem) and (bad.code, bad.column) == ("bad_number", "revision")


AMOUNTS = "subscription_id,period_start,quantity,cost,cost_amount,price,amount\nS,2026-06-01,"


@pytest.mark.parametrize(
    ("cells", "cost_amount", "amount"),
    [
        ("3,0.1,,,", "0.3", None),
        ("3,0.1,0.31,,", "0.31", None),
        ("-3,0.1,,0.2,", "-0.3", "-0.6"),
        ("3,,,0.2,0.61", None, "0.61"),
        (",,5,,", "5", None),
        (",7,5,9,6", "5", "6"),
    ],
)
def test_amounts_are_quantity_times_price_exactly(cells: str, cost_amount: str | None, amount: str | None) -> None:
    (row,) = rows_of(AMOUNTS + cells)
    assert row.cost_amount == (None if cost_amount is None else Decimal(cost_amount))
    assert row.amount == (None if amount is None else Decimal(amount))


def test_amounts_of_the_longest_numbers_are_exact() -> None:
    quantity, cost = "12345678901234567890.123456789012", "98765432109876543210.210987654321"
    (row,) = rows_of(f"{AMOUNTS}{quantity},{cost},,-{cost},")
    assert row.cost_amount is not None and row.amount is not None
    assert Fraction(row.cost_amount) == Fraction(quantity) * Fraction(cost) == -Fraction(row.amount)


@pytest.mark.parametrize("cells", [",,,,", ",5,,,", ",,,5,", "NULL,,,,"])
def test_a_row_needs_a_quantity_or_an_amount(cells: str) -> None:
    assert problem_of(AMOUNTS + cells).code == "no_quantity"


def test_texts_for_nothing() -> None:
    text = "id,subscription_id,quantity,period_start,period_end,product_id\nn/a,S,2,2026-06-01,-,NULL\n"
    row = rows_of(text, null_texts=("n/a", " - "))[0]
    assert (row.id, row.is_span, row.product_id) == ("", False, "NULL")
    assert problem_of("subscription_id,quantity,period_start\nNULL,1,2026-06-01\n").code == "no_subscription_id"


# Dates


@pytest.mark.parametrize(
    "text",
    ["30.06.2026", "2026-02-30", "20266-01-01", "2026-13-01", "06/30/2026", "2026-W01-1", "2026-06-01T25:00", "soon"]
    + ["0001-01-01T00:00", "1899-12-31", "9999-12-31", "9999-12-31T23:59:59-12:00", "2026-06-01Tx", "46203"],
)
def test_what_is_no_date_is_never_guessed(text: str) -> None:
    bad = between(f"2,S,1,{text},")
    assert isinstance(bad, Problem)
    assert (bad.code, bad.column, bad.value) == ("bad_date", "period_start", text)


@pytest.mark.parametrize(
    ("text", "bare"),
    [("46203", True), ("46203.5", True), ("46203,25", True), ("2026", True), ("20260230", False), ("30.06", False)],
)
def test_a_bare_number_for_a_date_says_what_to_do(text: str, bare: bool) -> None:
    bad = between(f'2,S,1,"{text}",')
    assert isinstance(bad, Problem) and (bad.code, bad.value) == ("bad_date", text)
    assert ("format the column as a date" in bad.text()) == bare
    assert "set the date format" in bad.text()


def test_a_row_needs_a_date() -> None:
    bad = between("2,S,1,,2026-06-30")
    assert isinstance(bad, Problem) and (bad.code, bad.column) == ("no_date", "period_start")


@pytest.mark.parametrize(
    ("date_format", "text", "day"),
    [
        ("%d.%m.%Y", "30.06.2026", date(2026, 6, 30)),
        ("%m/%d/%Y", "06/30/2026", date(2026, 6, 30)),
        ("%d.%m.%Y %H:%M", "30.06.2026 23:30", date(2026, 6, 30)),
        ("%Y%m%dT%H%M%S%z", "20260630T230000+0000", date(2026, 7, 1)),
    ],
)
def test_a_date_format(date_format: str, text: str, day: date) -> None:
    row = span(text, "", date_format=date_format)
    assert isinstance(row, Row)
    assert (row.first_day, row.end_day, row.is_span) == (day, day + timedelta(days=1), False)
    bad = span("2026-06-30", "", date_format=date_format)
    assert isinstance(bad, Problem) and bad.code == "bad_date"


@pytest.mark.parametrize(
    ("start", "end", "first", "stop"),
    [
        ("2026-06-01", "2026-06-30", "2026-06-01", "2026-07-01"),  # a date is the last day
        ("20260601", "20260601", "2026-06-01", "2026-06-02"),
        ("2026-06-01T00:00", "2026-07-01T00:00", "2026-06-01", "2026-07-01"),  # a timestamp is exclusive
        ("2026-06-01", "2026-07-01 00:00:00", "2026-06-01", "2026-07-01"),
        ("2026-06-01", "2026-07-01T00:00:01", "2026-06-01", "2026-07-02"),
        ("2026-06-30T22:00:00Z", "2026-07-01T22:00:00Z", "2026-07-01", "2026-07-02"),  # on the supplier's days
        ("2026-06-01T10:00", "2026-06-01T10:00", "2026-06-01", "2026-06-02"),
        ("2026-06-01T00:00", "2026-06-01T00:00", "2026-06-01", "2026-06-02"),
        ("2026-06-01T10:00", "2026-06-01", "2026-06-01", "2026-06-02"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:15:00+01:00", "2026-10-25", "2026-10-26"),  # 45 minutes
    ],
)
def test_the_days_of_a_span(start: str, end: str, first: str, stop: str) -> None:
    row = span(start, end)
    assert isinstance(row, Row)
    assert (str(row.first_day), str(row.end_day), row.is_span) == (first, stop, True)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-06-02", "2026-06-01"),
        ("2026-06-02T10:00", "2026-06-02T09:59"),
        ("2026-06-02T10:00", "2026-06-01"),
        ("2026-06-02", "0001-01-01"),
        ("2026-10-25T02:15:00+01:00", "2026-10-25T02:30:00+02:00"),
    ],
)
def test_an_end_before_the_begin(start: str, end: str) -> None:
    bad = span(start, end)
    assert isinstance(bad, Problem)
    assert (bad.line, bad.code, bad.column, bad.value) == (2, "bad_span", "period_end", f"{start} – {end}")


def test_the_end_of_the_calendar() -> None:
    for end in ("9999-12-31", "9999-12-31T23:00:00-05:00"):
        bad = span("2026-06-02", end)
        assert isinstance(bad, Problem) and (bad.code, bad.column) == ("bad_date", "period_end")
    text = "subscription_id,quantity,period_start,subscription_start,subscription_end\nS,1,2026-06-01,0001-01-01,{}\n"
    assert rows_of(text.format("9999-12-31"))[0].subscription_end == date(9999, 12, 31)
    bad = problem_of(text.format("2026-02-30"))
    assert (bad.code, bad.column) == ("bad_date", "subscription_end")


@pytest.mark.parametrize(
    ("text", "instant", "day"),
    [
        ("2026-03-29T01:59", "2026-03-29T00:59+00:00", "2026-03-29"),
        ("2026-03-29T02:30", "2026-03-29T01:30+00:00", "2026-03-29"),  # left out: the clocks show 03:30
        ("2026-10-25T02:30", "2026-10-25T00:30+00:00", "2026-10-25"),  # comes twice: the first
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30+00:00", "2026-10-25"),
        ("2026-06-30T23:30:00Z", "2026-06-30T23:30+00:00", "2026-07-01"),
        ("2026-10-25", "2026-10-24T22:00+00:00", "2026-10-25"),
    ],
)
def test_naive_timestamps_are_in_the_suppliers_zone(text: str, instant: str, day: str) -> None:
    row = span(text, "")
    assert isinstance(row, Row)
    assert row.at.astimezone(UTC) == datetime.fromisoformat(instant)
    assert str(row.first_day) == day


def test_a_day_that_begins_at_one_o_clock() -> None:
    row = span("2018-11-03", "2018-11-04T01:00", ZoneInfo("America/Sao_Paulo"))
    assert isinstance(row, Row) and row.end_day == date(2018, 11, 4)
