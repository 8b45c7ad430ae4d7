"""The installed command as a person calls it, on an embedded server of its own."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from taktura.billing.services import tie
from taktura.catalog.services import define_tariff
from taktura.catalog.terms import read_rates
from taktura.cli.commands import billing
from taktura.contracts.models import ContractLine
from taktura.contracts.services import sign
from taktura.customers.services import create_customer, create_seller
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database
from taktura.usage.services import create_supplier

PAST = "The day is past: the documents bear it as their date"


def ok(done: CompletedProcess[str]) -> str:
    """The output of a command that went well."""
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def refused(done: CompletedProcess[str], code: str) -> str:
    """The sentence of a command that was refused with a code: no trace of the program's inside."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"({code})" in done.stderr
    return done.stderr


def left_out(done: CompletedProcess[str]) -> str:
    """The output of a run that billed all but the demo's customer without billing information."""
    assert done.returncode == 1, done.stderr
    assert "left out: 1" in done.stdout
    assert "Garten- und Landschaftsbau Petersen" in done.stdout
    return done.stdout


def test_a_newcomers_first_hour(taktura: Any, tmp_path: Path) -> None:
    refused(taktura("bill", "--on", "2024-10-01"), "not_found")

    shown = ok(taktura("demo", "--on", "2024-10-15"))
    assert "What to try" in shown
    assert "RE-2024-00414" in shown
    assert ok(taktura("run", "--prepare")).replace("\r", "") == shown
    refused(taktura("demo"), "conflict")

    file = tmp_path / "var" / "demo" / "focus-2024-09.csv"
    assert "288" in ok(taktura("import-usage", "--supplier", "sunbird", str(file)))
    refused(taktura("import-usage", "--supplier", "sunbird", str(file)), "conflict")
    assert "no supplier" in refused(taktura("import-usage", "--supplier", "moonbird", str(file)), "not_found")

    preview = left_out(taktura("bill", "--on", "2024-10-01", "--preview"))
    assert "invoices: 12, net 483.63, gross 546.77 USD" in preview
    assert left_out(taktura("bill", "--on", "2024-10-01", "--preview")) == preview
    only = ok(taktura("bill", "--on", "2024-10-01", "--contract", "C-01"))
    assert "invoices: 1," in only
    done = left_out(taktura("bill", "--on", "2024-10-01"))
    assert "invoices: 11," in done and PAST in done and PAST in preview
    again = left_out(taktura("bill", "--on", "2024-10-01"))
    assert "none" in again and PAST not in again
    refused(taktura("bill", "--on", "2024-10-01", "--customer", "nobody"), "not_found")
    assert taktura("bill", "--on", "yesterday").returncode == 2

    why = ok(taktura("explain", "RE-2024-00415", "1"))
    assert "sum of the rows' cost" in why
    assert "focus-2024-09.csv" in why
    refused(taktura("explain", "RE-2024-00415", "99"), "not_found")
    refused(taktura("explain", "RE-1999-1", "1"), "not_found")

    assert (tmp_path / "RE-2024-00001.pdf").exists() is False
    ok(taktura("pdf", "RE-2024-00001"))
    assert (tmp_path / "RE-2024-00001.pdf").read_bytes().startswith(b"%PDF")
    assert "cannot be written" in refused(taktura("pdf", "RE-2024-00001", "-o", "/nowhere/x.pdf"), "invalid")

    assert "invoice" in ok(taktura("interim", "V-kraus"))
    refused(taktura("interim", "V-nobody"), "not_found")
    assert "All is proven" in ok(taktura("verify"))

    ok(taktura("stop"))
    assert "All is proven" in ok(taktura("verify"))


def test_a_bad_file_is_told_line_by_line_and_read_again_when_nothing_was_taken(
    own_demo: Path, taktura: Any, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("one;two\n1;2\n", "utf-8")
    for _ in range(2):
        done = taktura("import-usage", "--supplier", "sunbird", str(bad))
        assert done.returncode == 0
        assert "The file has no column “SubAccountId”" in done.stdout.replace("\n", " ")
    folder = tmp_path / "arrived"
    folder.mkdir()
    rows = "Id,SubAccountId,SkuId,BilledCost,ChargePeriodStart\nx-1,A-99,SKU,1.50,2024-09-01 10:00:00\n"
    (folder / "a.csv.gz").write_bytes(gzip.compress(rows.encode()))
    (folder / "b.pdf").write_bytes(b"%PDF-1.7")
    (folder / "c.csv.part").write_text(rows, "utf-8")
    supplier_of_folder = ("import-usage", "--supplier", "sunbird", str(folder))
    done = taktura(*supplier_of_folder)
    assert done.returncode == 1 and "This is a PDF" in done.stdout
    kept = sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())
    assert kept == ["c.csv.part", "loaded/a.csv.gz", "refused/b.pdf"]
    assert ok(taktura(*supplier_of_folder)) == ""


def test_loading_says_how_many_rows_are_billed_at_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows without a cost on a line that marks it up; a file whose rows have theirs says nothing of it."""
    actor = Actor("test", datetime(2026, 3, 1, 8, tzinfo=UTC))
    file = tmp_path / "plus.csv"
    with scratch_database():
        seller = create_seller(actor, name="S", country="DE", currency="EUR", time_zone="UTC", vat=read_rates(19))
        plus = {"charge": "usage", "usage_pricing": "cost_plus", "markup": "10", "title": "Plus"}
        tariff = define_tariff(actor, seller=seller, key="plus", title="Plus", lines={"plus": plus})
        customer = create_customer(actor, seller=seller, key="K", name="K")
        sign(actor, key="C", customer=customer, tariff=tariff, start=date(2026, 2, 1))
        supplier = create_supplier(actor, seller=seller, key="sun", create_subscriptions=True)
        tie(actor, supplier=supplier, ties=[("S-1", ContractLine.objects.get())])
        said = []
        for costs in (("", "4", ""), ("1", "2", "3")):
            rows = [f"{cost}{n},S-1,1,{cost},2026-02-03\n" for n, cost in enumerate(costs)]
            file.write_text("id,subscription_id,quantity,cost_amount,period_start\n" + "".join(rows), "utf-8")
            billing._load(supplier, file)
            said.append(" ".join(capsys.readouterr().out.split()))
    line = "2 rows lack the price or cost that their line is billed by, and are billed at 0: name its column"
    assert line in said[0] and "in the mapping, undo the import and read the file again." in said[0]
    assert "lack the price" not in said[1] and "recorded" in said[1]


def test_scenarios(taktura: Any, tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    story = """\
scenario: a month of hosting
tariffs:
  hosting: {title: Hosting, interval: 1 month, lines: {base: {title: Base, charge: recurring, price: 10.00}}}
customers: {acme: {name: Acme GmbH, country: DE}}
contracts: {C1: {customer: acme, tariff: hosting, start: 2026-06-01}}
timeline:
  - on: 2026-06-01
    bill: {}
"""
    expected = "    expect: {documents: [{kind: invoice, net: NET, gross: 11.90}]}\n"
    file.write_text(story, "utf-8")
    forecast = ok(taktura("simulate", str(file)))
    assert "net 10.00" in forecast
    file.write_text(story + expected.replace("NET", "10.00"), "utf-8")
    assert ok(taktura("simulate", str(file))).endswith("1 passed, 0 failed\n")
    file.write_text(story + expected.replace("NET", "12.00"), "utf-8")
    done = taktura("simulate", str(file))
    assert done.returncode == 1
    assert "FAIL a month of hosting" in done.stdout
    assert "12.00" in done.stdout
    assert done.stdout.endswith("0 passed, 1 failed\n")
    assert '"found"' in taktura("simulate", "--json", str(file)).stdout
    file.write_text(story.replace("interval", "intervall"), "utf-8")
    done = taktura("simulate", str(file))
    assert done.returncode == 2
    assert "story.yaml" in done.stderr
    assert "interval" in done.stderr
    assert taktura("simulate", str(tmp_path / "none.yaml")).returncode == 2


def test_help_is_enough(taktura: Any) -> None:
    overview = ok(taktura("--help"))
    for command in ("run", "demo", "import-usage", "bill", "interim", "explain", "pdf", "verify", "simulate", "stop"):
        assert command in overview
        assert len(ok(taktura(command, "--help")).splitlines()) > 4
    assert taktura("bil").returncode == 2
