"""Each kind of problem of a file, made by a small file: its sentence in German on the page, and what to do one click
away."""

import gzip
import io
import zipfile
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override
from openpyxl import Workbook

from taktura.billing import services as billing
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.office import show
from taktura.usage import services as usage
from taktura.usage.models import FileProblem, Supplier
from taktura.usage.reader.rows import TEXTS
from taktura.usage.trace import problem_text

HEAD = "id,subscription_id,quantity,period_start,period_end,price,discount,seconds"
GOOD = "g,S,1,2026-06-01,,,,"


def two_sheets() -> bytes:
    """A workbook with the same columns on two sheets."""
    book = Workbook()
    for sheet in (book.active, book.create_sheet("July")):
        for row in (HEAD, GOOD):
            sheet.append(row.split(","))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def damaged_workbook() -> bytes:
    """A workbook whose sheet ends in the middle of its text."""
    book, out, cut = Workbook(), io.BytesIO(), io.BytesIO()
    book.active.append(HEAD.split(","))
    book.save(out)
    with zipfile.ZipFile(out) as source, zipfile.ZipFile(cut, "w") as archive:
        for info in source.infolist():
            content = source.read(info)
            archive.writestr(info, content[:-20] if "worksheets/sheet" in info.filename else content)
    return cut.getvalue()


CODES: dict[str, tuple[str | bytes, dict[str, Any]]] = {
    "missing_column": ("id,quantity,period_start\n1,2,2026-06-01", {"subscription_id": "Abo"}),
    "wrong_delimiter": (f"{HEAD}\n{GOOD}", {"delimiter": ";"}),
    "double_column": ("subscription_id,subscription_id,quantity,period_start\nS,S,1,2026-06-01", {}),
    "bad_number": (f"{HEAD}\n1,S,many,2026-06-01,,,,", {}),
    "other_sign": (f'{HEAD}\n1,S,"1,5",2026-06-01,,,,', {}),
    "bad_date": (f"{HEAD}\n1,S,1,gestern,,,,", {}),
    "date_number": (f"{HEAD}\n1,S,1,45292,,,,", {}),
    "bad_span": (f"{HEAD}\n1,S,1,2026-06-02,2026-05-01,,,", {}),
    "field_number": (f"{HEAD}\n1,S\n{GOOD}", {}),
    "bad_line": (f'{HEAD}\n"1" x,S,1,2026-06-01,,,,\n{GOOD}', {}),
    "bad_duration": (f"{HEAD}\n1,S,1,2026-06-01,,,,1:30", {}),
    "bad_currency": (f"{HEAD},currency\n1,S,1,2026-06-01,,,,,EURO", {}),
    "broken_archive": (gzip.compress(f"{HEAD}\n{GOOD}".encode())[:-4], {}),
    "broken_workbook": (damaged_workbook(), {}),
    "broken_parquet": (b"PAR1 nothing of a Parquet file PAR1", {}),
    "bad_encoding": (HEAD.encode() + b"\n1,S\xff,1,2026-06-01,,,,", {"encoding": "utf-8"}),
    "too_long": (f"{HEAD}\n1,{'S' * 201},1,2026-06-01,,,,", {}),
    "no_quantity": (f"{HEAD}\n1,S,,2026-06-01,,,,", {}),
    "no_subscription_id": (f"{HEAD}\n1,,1,2026-06-01,,,,", {}),
    "no_date": (f"{HEAD}\n1,S,1,,,,,", {}),
    "bad_discount": (f"{HEAD}\n1,S,1,2026-06-01,,5,200,", {}),
    "bad_expression": (f"{HEAD}\n1,S,1,2026-06-01,,,,", {"quantity": "=quantity / 0"}),
    "no_rows": (HEAD, {}),
    "cut_id": (f"{HEAD}\n1.23457E+15,S,1,2026-06-01,,,,", {}),
    "further_sheets": (two_sheets(), {}),
    "conflict": (f"{HEAD}\n{GOOD}\ng,S,2,2026-06-01,,,,", {}),
}


# The codes under which those are kept that have a sentence of their own.
KEPT = {
    "wrong_delimiter": "missing_column", "other_sign": "bad_number", "field_number": "bad_line",
    "date_number": "bad_date", "broken_archive": "broken", "broken_workbook": "broken", "broken_parquet": "broken",
}  # fmt: skip


def test_no_kind_of_problem_is_forgotten() -> None:
    # Rows that are given as fields, workbooks of a million rows, and what files of before were told: see the tests of
    # the reader and of messages.
    elsewhere = {"unknown_column", "too_many_rows", "broken"}
    assert set(CODES) == set(TEXTS) - elsewhere


@pytest.mark.parametrize("code", CODES)
def test_a_problem_says_in_german_what_is_wrong_and_leads_to_what_to_do(
    seller: Seller, actor: Actor, client_as: Callable[..., Client], code: str
) -> None:
    content, mapping = CODES[code]
    supplier = Supplier.objects.get()
    usage.change_supplier(actor, supplier=supplier, mapping=mapping)
    received, _ = billing.receive_file(
        actor, supplier=supplier, name="a.csv", content=content if isinstance(content, bytes) else content.encode()
    )
    kept = KEPT.get(code, code)
    found = FileProblem.objects.filter(file=received.file)
    problem = found.filter(code=kept).first()
    assert problem is not None, list(found.values_list("code", "text"))
    assert problem.code != "broken" or problem.value in ("gzip", "workbook", "parquet"), "no library's words"
    assert code != "bad_line" or not problem.value, "nor those of the reader of CSV"
    german, english = (problem_text(problem, language) for language in ("de", "en"))
    assert german != english and "%(" not in german
    assert ("2 instead of 8" in english) == (code == "field_number")
    assert received.file is not None
    text = client_as(language="de").get(f"/usage/files/{received.file.pk}/problems/").content.decode()
    assert german[-40:] in unescape(text)
    ways = ["/usage/files/new/?supplier="]
    ways += ["/usage/records/?q=g"] if code == "conflict" else []
    ways += [f"/usage/suppliers/{supplier.pk}/change/"] if kept in ("bad_number", "bad_date", "missing_column") else []
    assert [way for way in ways if way not in text] == []
    with override("de"):
        assert show.word("file_problem", problem.code) != problem.code


def test_a_conflict_of_rows_without_an_id_says_what_they_are_known_by(
    seller: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    supplier, client = Supplier.objects.get(), client_as()

    def page(rows: str, mapping: dict[str, Any] | None = None) -> str:
        usage.change_supplier(actor, supplier=supplier, mapping=mapping or {})
        received, _ = billing.receive_file(actor, supplier=supplier, name="a.csv", content=rows.encode())
        assert received.file is not None and received.file.conflicts == 1
        return client.get(f"/usage/files/{received.file.pk}/").content.decode()

    told = "Rows have no id: two of the same subscription, product and period count as one."
    bare = page("subscription_id,quantity,period_start\nS,1,2026-06-01\nS,-1,2026-06-01\n")
    assert told in bare and "/problems/?code=conflict" in bare
    assert told not in page(
        "Ref,subscription_id,quantity,period_start\nR,T,1,2026-06-01\nR,T,2,2026-06-01\n", {"id": "Ref"}
    )


def test_a_missing_column_is_no_other_than_one_that_looks_like_it(
    seller: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    supplier = Supplier.objects.get()
    usage.change_supplier(actor, supplier=supplier, mapping={"period_start": "Von"})
    rows = b"Position;Abonnement;Menge;Von\n1;A;2;2026-06-01\n"
    received, _ = billing.receive_file(actor, supplier=supplier, name="b.csv", content=rows)
    assert received.problems[0].value == "Position, Abonnement, Menge, Von", "all, where none is like “subscription_id”"
