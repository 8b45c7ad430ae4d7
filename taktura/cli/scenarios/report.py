"""What `taktura simulate` prints."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taktura.cli.scenarios.compare import Difference
from taktura.kit.exact import to_json

MAX_SHOWN = 600  # characters of a value in a difference


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What a step produced; `on` is its local date."""

    number: int
    on: str
    verb: str | None
    found: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one scenario went.

    `not_yet` names the verb or expectation that the program does not have, `error` what broke it off; both are empty
    where there is none. A `forecast` is a scenario that expects nothing: what its steps produced is shown.
    """

    path: Path
    title: str
    differences: list[Difference] = field(default_factory=list)
    not_yet: str = ""
    error: str = ""
    steps: list[StepResult] = field(default_factory=list)
    forecast: bool = False

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not (self.differences or self.not_yet or self.error)


def render(result: Result) -> str:
    """PASS or FAIL with each difference; of a forecast what each step produced."""
    lines = [f"{'PASS' if result.passed else 'FAIL'} {result.title}"]
    if result.not_yet:
        lines.append(f"  not yet: {result.not_yet}")
    if result.error:
        lines.append(f"  error: {result.error}")
    for d in result.differences:
        lines += [f"  {d.path}", f"    expected: {_short(d.expected)}", f"    found:    {_short(d.found)}"]
    if result.forecast:
        for step in result.steps:
            lines += _forecast(step)
    return "\n".join(lines)


def _forecast(step: StepResult) -> list[str]:
    lines = [f"  {step.on} {step.verb or ''}".rstrip()]
    for document in step.found.get("documents") or step.found.get("preview") or ():
        lines.append(
            f"    {document['kind']} {document['number'] or ''} {document['contract'] or document['customer'] or ''}: "
            f"net {document['net']}, tax {document['tax']}, gross {document['gross']}"
        )
        for row in document["lines"]:
            price = "" if row["unit_price"] is None else f" × {row['unit_price']}"
            days = f" {row['from'] or ''}..{row['until'] or ''}" if row["from"] or row["until"] else ""
            lines.append(f"      {row['title']}{days}  {row['quantity']}{price}  {row['net']}")
    for alert in step.found.get("alerts") or ():
        forecast = " (forecast)" if alert["forecast"] else ""
        lines.append(f"    alert: {alert['kind']} {alert['contract']} {alert['article'] or ''}".rstrip() + forecast)
    if step.found.get("error"):
        lines.append(f"    refused: {step.found['error']} — {step.found.get('message', '')}")
    return lines


def summary(results: Sequence[Result]) -> str:
    """The last line."""
    passed = sum(r.passed for r in results)
    return f"{passed} passed, {len(results) - passed} failed"


def as_json(results: Sequence[Result]) -> dict[str, Any]:
    """All results as plain values that JSON knows; decimals, dates and spans are texts.

    `{passed, failed, scenarios: [{name, file, passed, not_yet, error, differences: [{path, expected, found}],
    steps: [{step, on, verb, found}]}]}`; `not_yet` and `error` are null where there is none. The steps say what each
    produced, whether or not anything was expected of it.
    """
    passed = sum(result.passed for result in results)
    return {"passed": passed, "failed": len(results) - passed, "scenarios": [_as_json(result) for result in results]}


def _as_json(result: Result) -> dict[str, Any]:
    return {
        "name": result.title,
        "file": str(result.path),
        "passed": result.passed,
        "not_yet": result.not_yet or None,
        "error": result.error or None,
        "differences": [
            {"path": d.path, "expected": _plain(d.expected), "found": _plain(d.found)} for d in result.differences
        ],
        "steps": [{"step": s.number, "on": s.on, "verb": s.verb, "found": _plain(s.found)} for s in result.steps],
    }


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(to_json(value), default=str))


def _short(value: Any) -> str:
    text = json.dumps(to_json(value), ensure_ascii=False, default=str)
    return text if len(text) < MAX_SHOWN else text[:MAX_SHOWN] + "…"
