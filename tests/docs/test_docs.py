"""The documentation says what the program does: commands, settings, fields, codes, links, and the manual builds."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import pytest

from taktura.catalog.services import TARIFF_FIELDS
from taktura.catalog.terms import LINE_FIELDS, WORDS
from taktura.cli.commands.billing import REASONS
from taktura.cli.main import main
from taktura.cli.scenarios.schema import CUSTOMER, SELLER
from taktura.cli.scenarios.verbs import VERBS
from taktura.core.terms import PRESETS
from taktura.invoices.services.numbering import confirm_numbering
from taktura.usage.reader.mapping import COLUMNS, SETTINGS
from taktura.usage.reader.rows import TEXTS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
EXTENSIONS = {
    "take_back_quantity",
    "change_conditions",
    "transfer",
}  # verbs beyond the format: in docs/scenarios-howto.md
# Pages that tell how commands are called.
CALLING = ["README.md", *(n for n in NAMES if n.startswith("docs/") and "/decisions/" not in n)]
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def text_of(name: str) -> str:
    """A page's text."""
    return (ROOT / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """The part of a page below a heading, up to the next of the same level."""
    level = heading.split()[0]
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^{level} |\Z)", text_of(name), re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no heading “{heading}”"
    return found[1]


def first_cells(text: str) -> list[str]:
    """The words in code letters in the first cells of all tables of a text."""
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    return [word for cell in cells for word in CODE.findall(cell)]


def fenced(text: str, kind: str) -> list[str]:
    """The blocks of a kind, without their fences."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def without_blocks(text: str) -> str:
    """A text without its fenced blocks and code words."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def test_the_manual_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    # Not --quiet: with it, mkdocs counts no warnings.
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    assert (tmp_path / "site" / "decisions" / "0001-dependencies.html").exists()
    for page in (tmp_path / "site").rglob("*.html"):
        loaded = re.findall(r'(?:src|<link[^>]+href)="(https?:[^"]+)"', page.read_text(encoding="utf-8"))
        assert loaded == [], f"{page.name} is to work without the network"


# ---- commands ------------------------------------------------------------------------------------------------------


def command_section(name: str) -> str:
    """What the manual says of a command."""
    found = re.search(
        rf"^## `taktura {re.escape(name)}\b[^`]*`\n(.*?)(?=^## |\Z)",
        text_of("docs/command-line.md"),
        re.MULTILINE | re.DOTALL,
    )
    assert found, f"docs/command-line.md has no heading for `taktura {name}`"
    return found[1]


@pytest.mark.parametrize("name", main.commands)
def test_every_option_of_a_command_is_in_the_manual(name: str) -> None:
    text = command_section(name)
    options = [p for p in main.commands[name].params if isinstance(p, click.Option)]
    missing = [o for p in options for o in p.opts if f"`{o}`" not in text and f"`{o} " not in text]
    assert missing == []


@pytest.mark.parametrize("name", main.commands)
def test_the_manual_names_no_option_that_a_command_does_not_have(name: str) -> None:
    known = {o for p in main.commands[name].params for o in p.opts}
    named = {word.split()[0] for word in first_cells(command_section(name)) if word.startswith("-")}
    assert named <= known


def test_the_manual_names_no_command_that_is_not_there() -> None:
    named = re.findall(r"^## `taktura ([a-z-]+)", text_of("docs/command-line.md"), re.MULTILINE)
    assert named == list(main.commands)


def calls(name: str) -> Iterator[list[str]]:
    """The calls of `taktura` in the blocks of a page, as words."""
    for block in fenced(text_of(name), "text"):
        for line in block.splitlines():
            if "taktura " in line and ".venv/bin/taktura" in line:
                yield shlex.split(line.partition(".venv/bin/taktura")[2].replace("…", "x"), comments=True)


@pytest.mark.parametrize("name", CALLING)
def test_the_calls_on_a_page_are_ones_that_the_command_takes(name: str) -> None:
    for command, *arguments in calls(name):
        assert command in main.commands, f"{name} calls {command}"
        found = main.commands[command]
        context = click.Context(found, info_name=command)
        _, left, _ = found.make_parser(context).parse_args(arguments)
        assert left == [], f"{name}: {command} {arguments}"


@pytest.mark.parametrize("name", NAMES)
def test_the_make_targets_on_a_page_are_in_the_makefile(name: str) -> None:
    targets = re.findall(r"^([a-z-]+):.*##", text_of("Makefile"), re.MULTILINE)
    blocks = "\n".join(line for block in fenced(text_of(name), "text") for line in block.splitlines())
    named = re.findall(r"`make ([a-z-]+)`", text_of(name)) + re.findall(r"^make ([a-z-]+)", blocks, re.MULTILINE)
    assert set(named) <= set(targets)


def test_the_readme_begins_with_the_two_commands() -> None:
    blocks = fenced(text_of("README.md"), "text")
    assert [line.partition("#")[0].strip() for line in blocks[0].splitlines()] == ["make run", "make test"]


# ---- settings ------------------------------------------------------------------------------------------------------


def environment_names(source: str) -> set[str]:
    """The environment variables named in the statements of a module that read the environment."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.Assign | ast.With | ast.Call):
            if not re.search(r"\benviron\b|\benvironment\.|envvar", ast.unparse(node)):
                continue
            words = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            found |= {word for word in words if re.fullmatch(r"[A-Z]+(_[A-Z]+)*", word)}
    return found - {"INFO", "WARNING", "LOCATION"}


def test_every_environment_variable_is_in_the_manual() -> None:
    sources = [ROOT / "taktura" / "config" / "settings.py", *(ROOT / "taktura" / "cli").rglob("*.py")]
    read = set().union(*(environment_names(path.read_text(encoding="utf-8")) for path in sources))
    assert {"DATABASE_URL", "TAKTURA_DATA", "TAKTURA_APP_PASSWORD", "TAKTURA_PORT", "TAKTURA_PROXIES"} <= read
    assert sorted(first_cells(text_of("docs/settings.md"))) == sorted(read)


def test_every_figure_is_in_the_manual() -> None:
    from taktura.api.metrics import ABOUT_ITSELF, FIGURES
    from taktura.kit.requests import REQUESTS, SECONDS

    names = {f"{name}_total" if grows else name for name, _about, grows, _labels, _rows in FIGURES}
    measured = {f"{REQUESTS._name}_total", SECONDS._name}
    assert set(first_cells(section("docs/operations.md", "## Figures"))) == names | measured | set(ABOUT_ITSELF)


# ---- codes and fields ----------------------------------------------------------------------------------------------


def same(named: Iterable[str], known: Iterable[str]) -> None:
    """Each is named, once, and nothing else is."""
    assert sorted(named) == sorted(known)


def test_every_problem_code_is_in_the_manual() -> None:
    same(first_cells(section("docs/usage.md", "## Rows that cannot be read")), TEXTS)


def test_every_reason_of_an_exception_is_in_the_manual() -> None:
    same(first_cells(section("docs/usage.md", "## Exceptions")), REASONS)


def test_every_column_of_a_usage_file_is_in_the_manual() -> None:
    same(first_cells(section("docs/usage.md", "### Columns")), COLUMNS)


def test_every_setting_of_a_mapping_is_in_the_manual() -> None:
    same(first_cells(section("docs/usage.md", "### Mapping")), SETTINGS)


def test_every_field_of_a_tariff_is_in_the_manual() -> None:
    same(first_cells(section("docs/tariffs.md", "## Fields of a tariff")), TARIFF_FIELDS)


def test_every_field_of_a_tariff_line_is_in_the_manual() -> None:
    same(first_cells(section("docs/tariffs.md", "## Fields of a line")), LINE_FIELDS)


@pytest.mark.parametrize("field", WORDS)
def test_every_word_that_a_field_may_have_is_in_the_manual(field: str) -> None:
    text = section("docs/tariffs.md", "## Fields of a line")
    if field == "usage_pricing":
        text = section("docs/tariffs.md", "## Supplier usage")
    elif field == "tick_scope":
        text = section("docs/tariffs.md", "## Fields of a tariff")
    rows = "\n".join(line for line in text.splitlines() if f"`{field}`" in line or field == "usage_pricing")
    assert [word for word in WORDS[field] if f"`{word}`" not in rows] == []


def test_every_setting_of_a_seller_is_in_the_manual() -> None:
    same(first_cells(section("docs/billing.md", "## The seller")), SELLER)


def test_every_field_of_a_customer_is_in_the_manual() -> None:
    same(first_cells(section("docs/billing.md", "## The customer")), CUSTOMER)


def test_every_kind_of_notice_is_in_the_manual() -> None:
    same(first_cells(section("docs/contracts.md", "## Terms and notice")), PRESETS)


def test_codes_of_refusals_in_the_manual_are_raised_somewhere() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "taktura").rglob("*.py"))
    for code in first_cells(section("docs/contracts.md", "## What is refused")):
        assert re.search(rf'Refused\(\s*"{code}"', source), f"nothing raises {code}"


def test_the_verbs_in_the_manual_are_those_of_scenarios() -> None:
    table = section("docs/scenarios.md", "## Verbs")
    assert set(VERBS) - EXTENSIONS <= set(first_cells(table))
    told = (ROOT / "docs/scenarios-howto.md").read_text("utf-8")
    assert all(f"`{verb}:" in told for verb in EXTENSIONS)


def test_the_number_format_in_the_manual_is_one_that_is_taken() -> None:
    from taktura.invoices.services import numbering

    text = section("docs/billing.md", "## Numbers")
    formats = [word for word in CODE.findall(text) if "{number" in word]
    assert formats and confirm_numbering.__doc__ and formats[0] in confirm_numbering.__doc__
    assert all(len(numbering._PLACE.findall(form)) == 2 for form in formats)


# ---- links and house style -----------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.M | re.S), re.M)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    for target in LINK.findall(without_blocks(text_of(name))):
        if target.startswith(("http://", "https://")):
            continue
        place, _, anchor = target.partition("#")
        path = ((ROOT / name).parent / place).resolve() if place else ROOT / name
        assert path.exists(), f"{name} leads to {target}"
        assert path.is_relative_to(ROOT), f"{name} leads out of the house: {target}"
        assert not anchor or anchor in anchors(path), f"{name} leads to {target}"


def test_every_decision_is_listed() -> None:
    files = sorted(path.name for path in (DOCS / "decisions").glob("0*.md"))
    assert LINK.findall(text_of("docs/decisions/index.md")) == files
    for name in files:
        headings = re.findall(r"^## (.*)$", text_of(f"docs/decisions/{name}"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives"], name


def test_the_order_of_the_rooms_is_the_one_that_is_checked() -> None:
    layers = re.findall(r'"([a-z |]+)"', text_of("pyproject.toml").partition("layers = [")[2].partition("]")[0])
    assert fenced(text_of("ARCHITECTURE.md"), "text")[1].strip() == " → ".join(layers)
    assert fenced(text_of("docs/decisions/0002-the-house.md"), "text")[0].split("\n")[:-1] == layers


def test_every_room_is_in_the_architecture() -> None:
    rooms = {path.name for path in (ROOT / "taktura").iterdir() if (path / "__init__.py").exists()}
    named = {word.rstrip("/") for word in first_cells(section("ARCHITECTURE.md", "## The rooms"))}
    assert named == rooms


def test_every_direct_dependency_has_a_reason() -> None:
    project = text_of("pyproject.toml").partition("[project]")[2].partition("[project.scripts]")[0]
    listed = project.partition("dependencies = [")[2].replace("optional-dependencies", "")
    names = re.findall(r'"([A-Za-z][A-Za-z0-9.\-]+)(?:\[[a-z\-]+\])?(?:[<>=][^"]*)?"', listed)
    text = section("docs/decisions/0001-dependencies.md", "## Decision").lower()
    aliases = {"psycopg": "psycopg 3", "django": "django 5.2"}
    assert len(names) > 15
    assert [n for n in names if f"| {aliases.get(n.lower(), n.lower())}" not in text and f", {n}" not in text] == []


def test_the_changelog_has_a_part_for_each_room() -> None:
    rooms = {path.name for path in (ROOT / "taktura").iterdir() if (path / "__init__.py").exists()} - {"config"}
    assert rooms <= set(re.findall(r"^\*\*([a-z]+)\*\*$", text_of("CHANGELOG.md"), re.MULTILINE))
