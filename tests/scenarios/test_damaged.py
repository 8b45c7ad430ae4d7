"""Damaged files raise nothing but the error of a file, with a line that is there."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from taktura.cli.scenarios.load import Scenario, ScenarioFileError

SHARED = Path(__file__).resolve().parents[2] / "scenarios"
FILES = sorted(SHARED.rglob("*.yaml"))
VARIANTS = 5  # of each file and each kind of damage

Load = Callable[[str], Scenario]


def _without_a_line(lines: list[str], dice: random.Random) -> list[str]:
    at = dice.randrange(len(lines))
    return lines[:at] + lines[at + 1 :]


def _indented(lines: list[str], dice: random.Random) -> list[str]:
    at = dice.randrange(len(lines))
    changed = dice.choice((" ", "  ", "\t")) + lines[at] if dice.random() < 0.5 else lines[at].lstrip(" ")
    return [*lines[:at], changed, *lines[at + 1 :]]


SCALARS = ("", "~", "[]", "{}", "[a, {b: c}]", "-", "'", "x", "-1", "1e9", ".nan", "2026-02-30", "*a", "&a", "!x", "<<")


def _another_scalar(lines: list[str], dice: random.Random) -> list[str]:
    places = [(i, line.index(": ")) for i, line in enumerate(lines) if ": " in line]
    at, colon = dice.choice(places)
    rest = lines[at][colon + 2 :]
    end = next((i for i, sign in enumerate(rest) if sign in ",}]"), len(rest))
    changed = lines[at][: colon + 2] + dice.choice(SCALARS) + rest[end:]
    return [*lines[:at], changed, *lines[at + 1 :]]


def _another_sign(lines: list[str], dice: random.Random) -> list[str]:
    at = dice.choice([i for i, line in enumerate(lines) if line])
    column = dice.randrange(len(lines[at]))
    changed = lines[at][:column] + dice.choice("{}[],:#&*!|>'\"%@`-? \t\0\u2028é0_") + lines[at][column + 1 :]
    return [*lines[:at], changed, *lines[at + 1 :]]


@pytest.mark.parametrize("damage", [_without_a_line, _indented, _another_scalar, _another_sign])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(SHARED).as_posix())
def test_damaged_scenarios_raise_nothing_but_the_error_of_a_file(
    file: Path, damage: Callable[[list[str], random.Random], list[str]], read: Load
) -> None:
    lines = file.read_text(encoding="utf-8").split("\n")
    dice = random.Random(f"{file.name} {damage.__name__}")
    for _ in range(VARIANTS):
        text = "\n".join(damage(lines, dice))
        try:
            scenario = read(text)
        except ScenarioFileError as error:
            assert error.reason
            assert error.line is None or 1 <= error.line <= text.count("\n") + 1
        else:
            assert scenario.title
