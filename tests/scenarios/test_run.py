"""How a scenario runs: what is told of refusals, of errors, of what is missing, and of a file that expects nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from taktura.cli.scenarios import run as running
from taktura.cli.scenarios import verbs
from taktura.cli.scenarios.load import load
from taktura.cli.scenarios.report import Result, as_json, render, summary
from taktura.cli.scenarios.world import World
from taktura.customers import services as customers
from taktura.kit.database import scratch_database

HEAD = """\
scenario: small
tariffs:
  t: {title: T, interval: 1 month, lines: {a: {title: A, charge: recurring, price: 10.00}}}
customers:
  c: {name: C}
contracts:
  C1: {customer: c, tariff: t, start: 2026-01-01}
timeline:
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "one.yaml"


def _run(path: Path, text: str) -> Result:
    path.write_text(text, encoding="utf-8")
    with scratch_database():
        return running.run(load(path))


def test_a_scenario_passes(path: Path) -> None:
    result = _run(path, HEAD + "  - {on: 2026-01-01, bill: {}, expect: {documents: [{net: 10.00}]}}\n")
    assert result.passed
    assert render(result) == "PASS small"
    assert summary([result]) == "1 passed, 0 failed"


def test_differences_are_told_with_path_expected_and_found(path: Path) -> None:
    result = _run(path, HEAD + "  - {on: 2026-01-01, bill: {}, expect: {documents: [{net: 12.00, tax: 1.90}]}}\n")
    assert render(result) == (
        'FAIL small\n  step 1 (2026-01-01 bill).documents[1].net\n    expected: "12.00"\n    found:    "10.00"'
    )
    assert summary([result]) == "0 passed, 1 failed"


def test_a_refusal_that_is_not_expected_is_a_difference_with_code_and_text(path: Path) -> None:
    steps = (
        "  - {on: 2026-01-01, pause: {contract: C9, from: 2026-02-01}, expect: {waiting: 0}}\n"
        "  - {on: 2026-01-02, bill: {}, expect: {documents: [{net: 10.00}]}}\n"
    )
    result = _run(path, HEAD + steps)
    assert [(d.path, d.expected) for d in result.differences] == [("step 1 (2026-01-01 pause).error", None)]
    assert str(result.differences[0].found).startswith("not_found: ")
    assert len(result.steps) == 2


def test_a_refusal_before_the_timeline_fails_the_scenario(path: Path) -> None:
    result = _run(path, HEAD.replace("tariff: t,", "tariff: none,"))
    assert [d.path for d in result.differences] == ["before the timeline"]
    assert "not_found: " in str(result.differences[0].found)


def test_looking_at_what_is_not_there_is_a_difference_of_that_step(path: Path) -> None:
    steps = (
        "  - {on: 2026-01-01, expect: {contracts: {C9: {status: active}}}}\n"
        "  - {on: 2026-01-02, expect: {contracts: {C1: {status: active}}}}\n"
    )
    result = _run(path, HEAD + steps)
    assert [d.path for d in result.differences] == ["step 1 (2026-01-01).contracts"]
    assert len(result.steps) == 2


def test_an_error_that_is_expected_must_come(path: Path) -> None:
    result = _run(path, HEAD + "  - {on: 2026-01-01, bill: {}, expect: {error: invalid}}\n")
    assert [(d.path, d.expected, d.found) for d in result.differences] == [
        ("step 1 (2026-01-01 bill).error", "invalid", None)
    ]


@pytest.fixture
def half_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that lacks a verb and an expectation of the format."""
    monkeypatch.delitem(verbs.VERBS, "approve_time")
    monkeypatch.setattr(running, "EXPECTED", running.EXPECTED - {"onboarding"})


@pytest.mark.usefixtures("half_made")
def test_a_verb_and_an_expectation_that_are_not_there_fail_with_not_yet(path: Path) -> None:
    for step, missing in (
        ("approve_time: {ticket: T1}", "approve_time"),
        ("bill: {}, expect: {onboarding: {without_contract: []}}", "onboarding"),
    ):
        result = _run(path, f"{HEAD}  - {{on: 2026-01-01, {step}}}\n")
        assert (result.passed, result.not_yet, result.error) == (False, missing, "")
        assert f"  not yet: {missing}" in render(result)


def test_an_unexpected_error_fails_the_scenario_and_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(world: World, args: Any) -> None:
        raise ZeroDivisionError("first line\nsecond line")

    monkeypatch.setitem(verbs.VERBS, "reprocess", fall)
    steps = "  - {on: 2026-01-01, bill: {}, expect: {waiting: 0}}\n  - {on: 2026-01-02, reprocess: {supplier: s}}\n"
    result = _run(path, HEAD + steps)
    assert not result.passed
    assert result.error.startswith("step 2 (2026-01-02 reprocess): ZeroDivisionError: first line second line (in ")
    assert render(result).split("\n")[1] == f"  error: {result.error}"
    assert len(result.steps) == 1


def test_an_unexpected_error_before_the_timeline_fails_the_scenario(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(scenario: Any) -> World:
        raise KeyError("a")

    monkeypatch.setattr(running, "build", fall)
    assert _run(path, HEAD).error.startswith("before the timeline: KeyError: 'a' (in ")


def test_a_refused_step_that_has_changed_something_is_a_difference(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half_done(world: World, args: Any) -> None:
        customers.create_customer(world.actor, seller=world.seller, key="left", name="Left")
        world.tariff("none")

    monkeypatch.setitem(verbs.VERBS, "reprocess", half_done)
    result = _run(path, HEAD + "  - {on: 2026-01-01, reprocess: {supplier: s}, expect: {error: not_found}}\n")
    assert [d.path for d in result.differences] == ["step 1 (2026-01-01 reprocess).changed"]
    assert "customers_customer" in result.differences[0].found


def test_a_file_without_expectations_is_a_forecast(path: Path) -> None:
    result = _run(path, HEAD + "  - {on: 2026-01-01, bill: {}}\n")
    assert result.passed
    assert render(result) == (
        "PASS small\n"
        "  2026-01-01 bill\n"
        "    invoice RE-2026-00001 C1: net 10.00, tax 1.90, gross 11.90\n"
        "      A 2026-01-01..2026-02-01  1 × 10  10.00"
    )


def test_a_forecast_shows_a_preview(path: Path) -> None:
    result = _run(path, HEAD + "  - {on: 2026-01-01, bill: {preview: true}}\n")
    assert "    invoice  C1: net 10.00, tax 1.90, gross 11.90" in render(result).split("\n")


@pytest.mark.usefixtures("half_made")
def test_the_json_form_is_plain_and_holds_what_each_step_produced(path: Path) -> None:
    good = _run(path, HEAD + "  - {on: 2026-01-01, bill: {}}\n")
    bad = _run(path, HEAD + "  - {on: 2026-01-01, bill: {}, expect: {documents: [{net: 12.00}]}}\n")
    missing = _run(path, HEAD + "  - {on: 2026-01-01, approve_time: {ticket: T1}}\n")
    report = as_json([good, bad, missing])
    assert json.loads(json.dumps(report)) == report
    assert (report["passed"], report["failed"]) == (1, 2)
    first, second, third = report["scenarios"]
    assert list(first) == ["name", "file", "passed", "not_yet", "error", "differences", "steps"]
    assert (first["name"], first["file"], first["passed"]) == ("small", str(path), True)
    assert (first["not_yet"], first["error"], first["differences"]) == (None, None, [])
    (step,) = first["steps"]
    assert (step["step"], step["on"], step["verb"]) == (1, "2026-01-01", "bill")
    (document,) = step["found"]["documents"]
    assert (document["kind"], document["gross"], document["lines"][0]["until"]) == ("invoice", "11.90", "2026-02-01")
    assert second["differences"] == [
        {"path": "step 1 (2026-01-01 bill).documents[1].net", "expected": "12.00", "found": "10.00"}
    ]
    assert (third["passed"], third["not_yet"]) == (False, "approve_time")


LEFT_TO_THE_SERVICES = [
    pytest.param("sign: {contract: C2, customer: c, tariff: t, start: 2026-01-01, anchor: day 32}", "invalid"),
    pytest.param("price_update: {tariff: t, from: 2026-02-01, lines: {nothing: 5.00}}", "not_found"),
    pytest.param("usage: {contract: C1, article: a, quantity: 1, revision: 99999999999}", "invalid"),
    ("define_tariff: {tariff: u, interval: 0 months}", "invalid"),
    ("define_tariff: {tariff: u, anchor: day 32}", "invalid"),
    ("define_tariff: {tariff: u, lines: {a: {charge: usage, tick: 60/0}}}", "invalid"),
    ("move_sales_item: {item: none, customer: c}", "not_found"),
]


@pytest.mark.parametrize(("step", "code"), LEFT_TO_THE_SERVICES)
def test_what_the_loader_leaves_to_the_services_is_refused(path: Path, step: str, code: str) -> None:
    result = _run(path, f"{HEAD}  - {{on: 2026-01-01, {step}, expect: {{error: {code}}}}}\n")
    assert result.passed, render(result)
