"""Running a scenario: each verb calls the service that pages and the API call, with the clock set to its step."""

import traceback
from collections.abc import Sequence
from typing import Any

from taktura.cli.scenarios.compare import Difference, compare, names
from taktura.cli.scenarios.load import Scenario, Step
from taktura.cli.scenarios.report import Result, StepResult
from taktura.cli.scenarios.verbs import VERBS, NotYet
from taktura.cli.scenarios.view import EXPECTED, fingerprints, look
from taktura.cli.scenarios.world import World, build
from taktura.core.errors import Refused


def run(scenario: Scenario) -> Result:
    """Run a scenario in the current (empty) database and compare.

    Raises nothing: what goes wrong without being refused by the rules breaks the scenario off and is its `error`.
    """
    differences: list[Difference] = []
    steps: list[StepResult] = []
    not_yet = broken = ""
    place = "before the timeline"
    try:
        world = build(scenario)
        for step in scenario.timeline:
            place = _place(step)
            found, more = _step(world, step, place)
            differences += more
            steps.append(StepResult(number=step.number, on=step.on.isoformat(), verb=step.verb, found=found))
    except NotYet as missing:
        not_yet = str(missing)
    except Refused as error:
        differences.append(Difference(place, None, _refusal(error)))
    except Exception as error:  # noqa: BLE001 - one broken scenario must not stop the others
        broken = f"{place}: {_described(error)}"
    return Result(
        path=scenario.path,
        title=scenario.title,
        differences=differences,
        not_yet=not_yet,
        error=broken,
        steps=steps,
        forecast=all(step.expect is None for step in scenario.timeline),
    )


def _step(world: World, step: Step, place: str) -> tuple[dict[str, Any], list[Difference]]:
    expect = step.expect or {}
    for kind in expect:
        if kind not in EXPECTED:
            raise NotYet(kind)
    if step.verb is not None and step.verb not in VERBS:
        raise NotYet(step.verb)
    world.begin(step)
    error: Refused | None = None
    preview = "preview" in expect or step.verb == "bill" and bool(step.args.get("preview"))
    before = fingerprints() if preview or expect.get("error") else None
    if step.verb is not None:
        try:
            VERBS[step.verb](world, step.args)
        except Refused as refused:
            error = refused
    changed = _changed(before, fingerprints()) if before is not None and (error or preview) else []
    if step.verb is not None:
        world.watch()
    found: dict[str, Any] = {
        "error": error.code if error else None,
        "documents": world.documents(),
        "preview": world.preview,
        "alerts": world.alerts,
    }
    world.names.update(names(expect.get("documents") or [], found["documents"]))
    _name_references(world, found["documents"])
    differences = [Difference(f"{place}.changed", [], changed)] if changed else []
    for kind, value in expect.items():
        try:
            if kind not in found:
                found[kind] = look(kind, world, step.on, value)
        except Refused as unseen:
            differences.append(Difference(f"{place}.{kind}", value, _refusal(unseen)))
        else:
            differences += compare(value, found[kind], f"{place}.{kind}")
    if error is not None:
        found["message"] = str(error)
        if "error" not in expect:
            differences.append(Difference(f"{place}.error", None, _refusal(error)))
    return found, differences


def _changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables that a refused step or a preview has changed, though it must not."""
    return sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))


def _place(step: Step) -> str:
    return f"step {step.number} ({step.on}{' ' + step.verb if step.verb else ''})"


def _refusal(error: Refused) -> str:
    return f"{error.code}: {error}"


def _described(error: Exception) -> str:
    """An unexpected error in one line, with the place in the program where it was raised."""
    text = " ".join(str(error).split())
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    where = [f.f_globals.get("__name__", "") + f".{f.f_code.co_name}" for f in frames]
    own = [name for name in where if name.startswith("taktura.")]
    return f"{type(error).__name__}{': ' + text if text else ''} (in {own[-1] if own else where[-1]})"


def _name_references(world: World, documents: Sequence[dict[str, Any]]) -> None:
    """References by the names that the scenario gave to documents, where it gave any."""
    by_number = {number: name for name, number in world.names.items()}
    for document in documents:
        document["references"] = [by_number.get(n, n) for n in document["references"]]
