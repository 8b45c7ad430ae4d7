"""The examples of the documentation are true: each scenario passes, and what is quoted is what the program shows."""

import re
from pathlib import Path

import pytest

from taktura.cli.scenarios.load import load
from taktura.cli.scenarios.report import Result, render, summary
from taktura.cli.scenarios.run import run
from taktura.kit.database import scratch_database

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = {
    f"{page.relative_to(ROOT).as_posix()}-{number}": block
    for page in PAGES
    for number, (kind, block) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), 1)
    if kind == "yaml"
}


def simulated(text: str, folder: Path) -> Result:
    """What a scenario produces."""
    path = folder / "my.yaml"
    path.write_text(text, encoding="utf-8")
    with scratch_database():
        return run(load(path))


def test_every_example_in_yaml_is_a_scenario() -> None:
    assert len(EXAMPLES) > 20
    assert [name for name, text in EXAMPLES.items() if not text.startswith("scenario:")] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_what_it_says(name: str, tmp_path: Path) -> None:
    result = simulated(EXAMPLES[name], tmp_path)
    assert result.passed, render(result)
    page = name.rpartition("-")[0]
    assert not result.forecast or page == "docs/getting-started.md", "an example expects something"


def test_the_forecast_in_the_manual_is_what_simulate_prints(tmp_path: Path) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8"))
    scenario = next(text for kind, text in blocks if kind == "yaml")
    quoted = next(text for kind, text in blocks if "simulate my.yaml" in text and kind == "text")
    result = simulated(scenario, tmp_path)
    assert quoted.splitlines()[1:] == [*render(result).splitlines(), summary([result])]


def quoted_lines(*starts: str) -> set[str]:
    """The lines of all blocks of text that begin so, without the blanks at the ends."""
    found: set[str] = set()
    for page in PAGES:
        for kind, block in BLOCK.findall(page.read_text(encoding="utf-8")):
            if kind == "text":
                found |= {line.strip() for line in block.splitlines() if line.startswith(starts)}
    return found


def shown_documents() -> set[str]:
    """The demo's documents as words: number, kind, contract, amounts, currency."""
    from taktura.cli.show import amount
    from taktura.invoices.models import Document

    rows = Document.objects.select_related("contract")
    return {
        " ".join(
            [d.number, d.kind.replace("_", " "), d.contract.key if d.contract else ""]
            + [amount(minor, d.digits) for minor in (d.net, d.tax, d.gross)]
            + [d.currency]
        )
        for d in rows
    }


def test_what_is_quoted_of_the_demo_company_is_true(demo_database: str, demo_folder: Path) -> None:
    from taktura.billing.explain import explain, plainly
    from taktura.billing.models import Charge
    from taktura.billing.proof import verify
    from taktura.catalog.models import Tariff
    from taktura.cli.demo.users import PASSWORD
    from taktura.customers.models import Customer, Seller
    from taktura.invoices.models import Document
    from taktura.invoices.queries import by_number

    seller = Seller.objects.get()
    documents, known = shown_documents(), set[str]()
    explained: list[tuple[str, int]] = [("RE-2024-00380", 3), ("RK-2023-00002", 1)]
    for number, line in explained:
        found = explain(by_number(seller.pk, number), line)
        known |= {f"{what:<26} {how_much}" for what, how_much in found.texts("en", plainly)}
        known |= {f"{found.document}, line {found.position}: {found.title}", f"{len(found.rows())} rows of usage"}
        known.add(f"takes back from {found.credited_document}")
        known.add(f"seconds of all rows: {sum(row['seconds'] or 0 for row in found.rows())}")
    proven = verify()
    known.add(
        f"All is proven: {Document.objects.count():,} documents, {Charge.objects.count():,} charges, and the log."
    )
    assert proven == []
    text = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    counts = (Customer.objects.count(), Tariff.objects.count(), len(list(demo_folder.iterdir())))
    assert counts == (113, 11, 12), "docs/getting-started.md names these numbers"
    assert "113 customers" in text and "ten tariffs beside that of the cloud" in text and PASSWORD in text
    rows = quoted_lines(" RE-202", " RK-202")
    assert rows
    for row in rows:
        words = re.sub(r"\s+", " ", row).split(" ")
        amounts = " ".join(words[-4:])
        assert any(d.startswith(words[0] + " ") and d.endswith(amounts) for d in documents), row
    steps = quoted_lines(
        "  rule ", "  quantity ", "  included", "  priced", "  price", "  exact", "  rounded", "  billed"
    )
    steps |= quoted_lines(
        "  net of the line", "  days ", "  seconds of all", "35 rows", "takes back", "RE-202", "RK-202", "All is proven"
    )
    assert steps and steps - known == set()


def test_a_flat_price_is_one_line_of_quantity_1(tmp_path: Path) -> None:
    text = EXAMPLES[next(name for name, text in EXAMPLES.items() if text.startswith("scenario: a flat price\n"))]
    busy = "{contract: BUSY, net: 20.00}"
    assert busy in text
    result = simulated(text.replace(busy, "{net: 20.00, lines: [{title: Calls, quantity: 1, net: 20.00}]}"), tmp_path)
    assert not result.error and not result.not_yet
    assert result.passed, render(result)


def test_the_what_if_of_the_manual_is_what_the_command_shows(tmp_path: Path) -> None:
    from datetime import UTC, date, datetime

    from taktura.billing.what_if import what_if
    from taktura.catalog.drafts import fields_of_version
    from taktura.catalog.models import Tariff
    from taktura.catalog.queries import newest_versions
    from taktura.cli.commands.trying import show_outcome
    from taktura.cli.show import console
    from taktura.customers.models import Seller
    from taktura.kit.actor import Actor

    blocks = BLOCK.findall((ROOT / "docs" / "what-if.md").read_text(encoding="utf-8"))
    quoted = next(text for kind, text in blocks if kind == "text")
    path = tmp_path / "my.yaml"
    path.write_text(next(text for kind, text in blocks if kind == "yaml"), encoding="utf-8")
    with scratch_database():
        assert run(load(path)).passed
        seller, talk = Seller.objects.get(), Tariff.objects.get(key="talk")
        version = next(v for v in newest_versions(seller.pk) if v.tariff.key == "seconds")
        found = what_if(
            Actor("test", datetime(2025, 3, 1, tzinfo=UTC)), seller=seller, tariff=talk,
            fields=fields_of_version(version),
            first_month=date(2025, 1, 1), last_month=date(2025, 1, 1),
        )  # fmt: skip
        with console.capture() as captured:
            show_outcome(found)
    shown = [" ".join(line.split()) for line in captured.get().splitlines() if "──" not in line]
    assert [" ".join(line.split()) for line in quoted.splitlines()[1:]] == [line for line in shown if line]
