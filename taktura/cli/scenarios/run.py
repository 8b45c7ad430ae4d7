"""Running a scenario: each verb calls the service that pages and the API call, with the clock set to its step."""

from collections.abc import Sequence
from typing import Any

from taktura.cli.scenarios.compare import Difference, compare, names
from taktura.cli.scenarios.load import Scenario, Step
from taktura.cli.scenarios.report import Result, StepResult
from taktura.cli.scenarios.verbs import VERBS, NotYet
from taktura.cli.scenarios.view import EXPECTED, look
from taktura.cli.scenarios.world import World, build
from taktura.core.errors import Refused


def run(scenario: Scenario) -> Result:
    """Run a scenario in the current (empty) database and compare."""
    differences: list[Difference] = []
    steps: list[StepResult] = []
    try:
        world = build(scenario)
        for step in scenario.timeline:
            found, more = _step(world, step)
            differences += more
            steps.append(
                StepResult(
                    number=step.number,
                    on=step.on.isoformat(),
                    verb=step.verb,
                    found=found,
                    expected=step.expect is not None,
                )
            )
    except NotYet as missing:
        return Result(
            path=scenario.path, title=scenario.title, differences=differences, not_yet=str(missing), steps=steps
        )
    except Refused as error:
        differences.append(Difference("before the timeline", None, f"{error.code}: {error}"))
    return Result(path=scenario.path, title=scenario.title, differences=differences, steps=steps)


def _step(world: World, step: Step) -> tuple[dict[str, Any], list[Difference]]:
    expect = step.expect or {}
    for kind in expect:
        if kind not in EXPECTED:
            raise NotYet(kind)
    world.begin(step)
    error: Refused | None = None
    if step.verb is not None:
        if step.verb not in VERBS:
            raise NotYet(step.verb)
        try:
            VERBS[step.verb](world, step.args)
        except Refused as refused:
            error = refused
    found: dict[str, Any] = {
        "error": error.code if error else None,
        "documents": world.documents(),
        "preview": world.preview,
    }
    if error is not None:
        found["message"] = str(error)
    named = names(expect.get("documents") or (), found["documents"])
    world.names.update(named)
    _name_references(world, found["documents"])
    found |= {kind: look(kind, world, step.on, expect.get(kind)) for kind in expect if kind not in found}
    place = f"step {step.number} ({step.on}{' ' + step.verb if step.verb else ''})"
    differences = [d for kind, value in expect.items() for d in compare(value, found[kind], f"{place}.{kind}")]
    if error is not None and "error" not in expect:
        differences.append(Difference(f"{place}.error", None, f"{error.code}: {error}"))
    return found, differences


def _name_references(world: World, documents: Sequence[dict[str, Any]]) -> None:
    """References by the names that the scenario gave to documents, where it gave any."""
    by_number = {number: name for name, number in world.names.items()}
    for document in documents:
        document["references"] = [by_number.get(n, n) for n in document["references"]]
