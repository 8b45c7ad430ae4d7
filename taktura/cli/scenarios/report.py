"""What `taktura simulate` prints."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taktura.cli.scenarios.compare import Difference
from taktura.kit.exact import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What a step produced, and how that differs from what was expected."""

    number: int
    on: str
    verb: str | None
    found: dict[str, Any]
    expected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one scenario went."""

    path: Path
    title: str
    differences: list[Difference] = field(default_factory=list)
    not_yet: str = ""
    steps: list[StepResult] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.differences and not self.not_yet


def render(result: Result) -> str:
    """PASS or FAIL with each difference; the forecast of steps that expect nothing."""
    lines = [f"{'PASS' if result.passed else 'FAIL'} {result.title}"]
    if result.not_yet:
        lines.append(f"  not yet: {result.not_yet}")
    for d in result.differences:
        lines += [f"  {d.path}", f"    expected: {_short(d.expected)}", f"    found:    {_short(d.found)}"]
    if not any(step.expected for step in result.steps):
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
        lines += [
            f"      {row['title']} {row['from'] or ''}..{row['until'] or ''}  {row['quantity']} × {row['unit_price']}  {row['net']}"
            for row in document["lines"]
        ]
    if step.found.get("error"):
        lines.append(f"    refused: {step.found['error']} — {step.found.get('message', '')}")
    return lines


def summary(results: Sequence[Result]) -> str:
    """The last line."""
    passed = sum(r.passed for r in results)
    return f"{passed} passed, {len(results) - passed} failed"


def as_json(results: Sequence[Result]) -> str:
    """All results as one JSON document."""
    rows = [
        {
            "path": str(r.path),
            "scenario": r.title,
            "passed": r.passed,
            "not_yet": r.not_yet or None,
            "differences": [
                {"path": d.path, "expected": to_json(d.expected), "found": to_json(d.found)} for d in r.differences
            ],
            "steps": [{"step": s.number, "on": s.on, "verb": s.verb, "found": to_json(s.found)} for s in r.steps],
        }
        for r in results
    ]
    return json.dumps(
        {"results": rows, "passed": sum(r.passed for r in results), "failed": sum(not r.passed for r in results)},
        ensure_ascii=False,
        indent=2,
        default=str,
    )


def _short(value: Any) -> str:
    text = json.dumps(to_json(value), ensure_ascii=False, default=str)
    return text if len(text) < 600 else text[:600] + "…"
