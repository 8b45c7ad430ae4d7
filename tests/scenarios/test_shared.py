"""Every scenario of the folder `scenarios`, each in a database of its own; and that the copies are what they copy."""

import os
from pathlib import Path

import pytest

from taktura.cli.scenarios.load import load
from taktura.cli.scenarios.report import render
from taktura.cli.scenarios.run import run
from taktura.kit.database import scratch_database

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "scenarios"
SHARED = ROOT.parent / "shared"
FILES = {path.relative_to(SCENARIOS).as_posix(): path for path in sorted(SCENARIOS.rglob("*.yaml"))}
COPIES = {f"docs/{name}.md": f"spec/{name}.md" for name in ("rules", "settlement", "scenarios")}

# The verb or expectation that is not there yet.
EXPECTED_TO_FAIL: dict[str, str] = {}


@pytest.mark.parametrize("name", FILES)
def test_scenario(name: str) -> None:
    scenario = load(FILES[name])
    with scratch_database():
        result = run(scenario)
    missing = EXPECTED_TO_FAIL.get(name)
    if missing is None:
        assert result.passed, render(result)
        return
    assert not result.passed, f"{name} passes: take it off the list"
    assert (result.not_yet, result.error, result.differences) == (missing, "", []), render(result)


def test_the_list_names_only_scenarios_that_are_there() -> None:
    assert EXPECTED_TO_FAIL.keys() <= FILES.keys()


def _shared() -> Path:
    if not SHARED.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{SHARED} is missing")
        pytest.skip("the folder ../shared is not there: nothing to compare the copies with")
    return SHARED


@pytest.mark.parametrize("copy", COPIES)
def test_the_documents_are_those_of_the_specification(copy: str) -> None:
    original = _shared() / COPIES[copy]
    assert (ROOT / copy).read_bytes() == original.read_bytes(), f"copy ../shared/{COPIES[copy]} to {copy} again"


def test_the_scenarios_are_those_of_the_specification() -> None:
    originals = _shared() / "scenarios"
    files = {path.relative_to(originals).as_posix(): path for path in originals.rglob("*") if path.is_file()}
    assert files, "there are no scenarios to compare with"
    differ = [
        name
        for name, path in files.items()
        if not (SCENARIOS / name).is_file() or (SCENARIOS / name).read_bytes() != path.read_bytes()
    ]
    assert differ == [], "copy them again: cp -r ../shared/scenarios/. scenarios/"
