"""`taktura what-if` on the demo company: against another tariff, a file, its own newest version."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from taktura.cli.commands import trying
from taktura.cli.main import main

FILE = """
interval: 1 month
currency: EUR
lines:
  fee: {title: Fee, price: 1.00}
"""


@pytest.fixture
def what_if(demo_database: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command on the demo company."""
    monkeypatch.setattr(trying, "open_database", lambda: None)
    monkeypatch.setenv("LC_ALL", "C")
    return CliRunner()


def called(runner: CliRunner, *arguments: str, months: tuple[str, str] = ("2024-07", "2024-09")) -> Result:
    """The outcome of the command for some months."""
    return runner.invoke(main, ["what-if", "telefon", "--from", months[0], "--to", months[1], *arguments])


def test_against_another_tariff_and_itself(what_if: CliRunner) -> None:
    done = called(what_if, "--against", "telefon-premium")
    assert done.exit_code == 0, done.output
    assert "V-kraus" in done.output and "contracts: " in done.output and "EUR, net" in done.output
    same = called(what_if, "--customer", "kraus")
    assert same.exit_code == 0 and "1 contracts: " in same.output and ", 0.00 (EUR, net)" in same.output
    assert called(what_if, "--customer", "kraus", "--list-prices").exit_code == 0


def test_against_a_file(what_if: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "fee.yaml"
    file.write_text(FILE, "utf-8")
    done = called(what_if, "--against", str(file), "--customer", "kraus")
    assert done.exit_code == 0 and "The tariff has no line for" in done.output and "3.00" in done.output
    file.write_text(FILE.replace("lines", "lanes"), "utf-8")
    wrong = called(what_if, "--against", str(file))
    assert wrong.exit_code == 1 and "fee.yaml:4" in wrong.output and "lanes" in wrong.output
    assert called(what_if, "--against", str(tmp_path / "none.yaml")).exit_code == 1


@pytest.mark.parametrize(
    "arguments", [("--against", "nobody"), ("--customer", "nobody")], ids=["no such tariff", "no such customer"]
)
def test_refused(what_if: CliRunner, arguments: tuple[str, str]) -> None:
    assert called(what_if, *arguments).exit_code == 1
    assert called(what_if, months=("2024-09", "2024-07")).exit_code == 1
    assert called(what_if, months=("2024-9-1", "2024-09")).exit_code == 2
