"""Mappings that say more than headings: expressions, conditions, constants, attributes, files without headings."""

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.errors import Refused
from taktura.usage.reader import Counts, Mapping, Problem, Row, read, read_rows
from taktura.usage.reader.expressions import MAX_DEPTH, parse

BERLIN = ZoneInfo("Europe/Berlin")
HEAD = "Sub,Day,Qty,Each,Note"


def found(*lines: str, head: str = HEAD, counts: Counts | None = None, **mapping: Any) -> list[Row | Problem]:
    """What is read of these lines."""
    fields = {"subscription_id": "Sub", "period_start": "Day", "quantity": "Qty"} | mapping
    content = "\n".join([*([head] if head else []), *lines]).encode()
    return list(read(content, Mapping.from_dict(fields), BERLIN, counts))


def value(expression: str, line: str = "S,2026-06-01,3,0.25,x", column: str = "customer_name", **more: Any) -> Any:
    """What an expression gives as a column of a row."""
    (row,) = found(line, **{column: expression, **more})
    return getattr(row, column) if isinstance(row, Row) else row


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("=Qty * Each", "0.75"),
        ("= (Qty + 1) * [Each] - 0.5", "0.50"),
        ("=-Qty", "-3"),
        ("=1 - 2 - 3", "-4"),
        ("=Qty / 8", "0.375"),
        ("=Qty * 100 / 3", "100"),
        ("=2 / 3", "0.666666666667"),
        ("=-2 / 3", "-0.666666666667"),
        ('=Sub & "-" & Note', "S-x"),
        ('="constant"', "constant"),
        ('=first("", Note, Sub)', "x"),
        ("=first(Nothing, Note)", "x"),
        ('=if(Qty > 2, "many", "few")', "many"),
        ('=if(Qty = 3.00 and Note = "X", Sub, Note)', "S"),
        ('=if(Note <> "x" or Qty >= 4, 1, 2)', "2"),
        ("=round(Each * 0.5, 2)", "0.13"),
        ("=round(Qty / 2)", "2"),
        ("=left([Day], 7)", "2026-06"),
        ("=digits(Day)", "20260601"),
        ("=Qty * NULLED", "missing_column"),
    ],
)
def test_what_expressions_give(expression: str, result: str) -> None:
    got = value(expression)
    assert (got.code if isinstance(got, Problem) else got) == result


def test_numbers_come_through_a_column_of_numbers_exactly() -> None:
    (row,) = found("S;01.06.2026;3,5;0,25;x", head=HEAD.replace(",", ";"), cost_amount="=Qty * Each", decimal=",",
                   date_format="%d.%m.%Y")  # fmt: skip
    assert isinstance(row, Row) and row.cost_amount == Decimal("0.875")
    assert value("=Each", "S,2026-06-01,1,0.4838709677419368,x", "cost_amount") == Decimal("0.4838709677419368")
    bad = value("=Qty * Each", "S,2026-06-01,1,0.4838709677419368,x", "cost_amount")
    assert isinstance(bad, Problem) and bad.code == "bad_number"
    assert value("=round(Each, 12)", "S,2026-06-01,1,0.4838709677419368,x", "cost") == Decimal("0.483870967742")


def test_an_absent_operand_gives_an_absent_value() -> None:
    assert value("=Qty * Each", "S,2026-06-01,3,NULL,x") == ""
    assert value("=first(Each, 7) + 1", "S,2026-06-01,3,,x") == "8"
    divided = value("=Qty / Each", "S,2026-06-01,3,0,x")
    assert isinstance(divided, Problem) and divided.code == "bad_expression"
    assert "3 / 0" in divided.text()


def test_a_key_is_the_same_for_the_same_and_another_for_others() -> None:
    one, other = value("=key(Sub, Note)"), value("=key(Sub, Note)", "S,2026-06-02,9,1,y")
    assert len(one) == 40 and one != other
    assert value('=key("a", "bc")') != value('=key("ab", "c")')


def test_seconds_between_two_times() -> None:
    line = "S,2026-03-29 01:59:30,1,2026-03-29 03:00:10,"
    assert value("=seconds(Day, Each)", line, "seconds") == 40  # the clocks leave an hour out
    assert value("=seconds(Day, first(Note, Each))", line, "seconds") == 40
    assert value("=seconds(Day, Note)", line, "seconds") is None
    bad = value("=seconds(Day, Sub)", line, "seconds")
    assert isinstance(bad, Problem) and bad.code == "bad_date"


@pytest.mark.parametrize(
    "wrong",
    ["=", "=Qty *", "=(Qty", "=Qty)", "=open(Qty)", "=round()", "=if(1,2)", "=__import__(1)", "=Qty Each", '="x',
     "=[Qty", "=Qty ^ 2", "=a.b(1)", "=1..2", "=" + "1+" * 600 + "1",
     f"={'(' * (MAX_DEPTH + 1)}1{')' * (MAX_DEPTH + 1)}"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_what_to_do(wrong: str) -> None:
    with pytest.raises(Refused) as refused:
        Mapping.from_dict({"quantity": wrong})
    assert refused.value.code == "invalid"


@given(st.text('=()[]"+-*/&<>,. abQty12firstroundif', max_size=60))
def test_no_text_of_an_expression_does_harm(text: str) -> None:
    try:
        parse(text)
        mapping = Mapping.from_dict({"subscription_id": "Sub", "period_start": "Day", "quantity": f"={text}"})
    except Refused:
        return
    assert list(read(f"{HEAD}\nS,2026-06-01,3,0.25,x\n".encode(), mapping, BERLIN))


def test_huge_products_are_refused_and_not_rounded() -> None:
    nines = "9" * 20
    bad = value("=" + "*".join([f"{nines}.{nines[:12]}"] * 8))
    assert isinstance(bad, Problem) and bad.code == "bad_expression"


def test_rows_are_left_out_by_conditions_and_counted() -> None:
    counts = Counts()
    rows = found(
        "S,2026-06-01,3,1,keep", "S,2026-06-01,0,1,keep", "S,2026-06-01,3,1,Test", "S,2026-06-01,x,1,keep",
        counts=counts, skip_rows=["Qty = 0", 'Note = "test"'],
    )  # fmt: skip
    assert [r.line for r in rows] == [2, 5]
    assert isinstance(rows[1], Problem)
    assert counts.skipped == 2


def test_attributes_are_kept_as_they_are() -> None:
    (row,) = found("S,2026-06-01,3,0.25,x", attributes={"note": "Note", "total": "=Qty * Each", "none": '=first("")'})
    assert isinstance(row, Row) and row.attributes == {"note": "x", "total": "0.75"}


def test_headings_are_found_without_regard_to_case_where_that_is_sure() -> None:
    (row,) = found("S,2026-06-01,3", head="SUB,day,qTy")
    assert isinstance(row, Row) and row.quantity == 3
    problem = found("S,2026-06-01,3,4", head="Sub,Day,QTY,qty")[0]
    assert isinstance(problem, Problem) and (problem.code, problem.column) == ("missing_column", "Qty")
    (plain,) = read(b"subscription_id,period_start,amount,Cost\nS,2026-06-01,1,2\n", Mapping(), BERLIN)
    assert isinstance(plain, Row) and plain.cost is None  # what nobody named stands under its own name alone


def test_a_file_without_headings() -> None:
    headings = ["Sub", "Day", "Qty", "Each", "Note", "More"]
    rows = found("S,2026-06-01,3", "T,2026-06-02,4", "U,2026-06-03", head="", headings=headings)
    assert [r.subscription_id if isinstance(r, Row) else r.code for r in rows] == ["S", "T", "bad_line"]
    wide = found(*["S,2026-06-01,3,1,n,m,x,y"] * 2, head="", headings=headings)
    assert [isinstance(r, Row) for r in wide] == [True, True]
    missing = found("S,2026-06-01", "T,2026-06-01", head="", headings=headings)
    assert [p.column for p in missing if isinstance(p, Problem)] == ["Qty"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("0:01:30", 90), ("100:00:00", 360_000), ("0", 0), ("", None), ("NULL", None)]
)
def test_durations(text: str, seconds: int | None) -> None:
    assert value("Each", f"S,2026-06-01,1,{text},", "seconds") == seconds


@pytest.mark.parametrize("text", ["1.5", "-1", "1:30", "0:01:60", "a"])
def test_what_is_no_duration(text: str) -> None:
    bad = value("Each", f"S,2026-06-01,1,{text},", "seconds")
    assert isinstance(bad, Problem) and bad.code in ("bad_duration", "bad_number")


def test_the_same_mapping_for_rows_that_are_parsed_already() -> None:
    mapping = Mapping.from_dict(
        {"subscription_id": "Sub", "period_start": "Day", "quantity": "=Qty * 2", "skip_rows": ["Qty = 0"]}
    )
    rows = [{"Sub": "S", "Day": date(2026, 6, 1), "Qty": q} for q in (Decimal("1.5"), 0)]
    (row,) = read_rows(rows, mapping, BERLIN)
    assert isinstance(row, Row) and row.quantity == 3


@pytest.mark.parametrize(
    "wrong",
    [{"skip_rows": "Qty = 0"}, {"skip_rows": ["Qty ="]}, {"headings": [1]}, {"attributes": ["a"]},
     {"attributes": {"a": ""}}, {"attributes": {"a": "=("}}, {"sheet": 1}, {"number_repeats": 1},
     {"date_format": "ISO|%d.%m"}, {"skip_rows": ["1 = 1"] * 21}],
)  # fmt: skip
def test_settings_that_say_nothing_usable_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        Mapping.from_dict(wrong)
    assert refused.value.code == "invalid"
