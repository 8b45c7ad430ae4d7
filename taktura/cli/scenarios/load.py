"""Reading scenario files: YAML 1.2, exact numbers, clear errors with file and line."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode

from taktura.cli.scenarios import schema
from taktura.cli.scenarios.schema import Located, Wrong

MAX_BYTES = 4 * 1024 * 1024
SELLER = {
    "country": "DE",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "vat": 19,
    "prices_are": "net",
    "change_documents": "separate",
    "stacking": "best",
    "coupon_and_scale": "coupon",
    "rate_change": "end",
}


class ScenarioFileError(Exception):
    """A file that cannot be read: its path, the line (from 1) and the reason."""

    def __init__(self, file: Path, line: int | None, reason: str) -> None:
        super().__init__(f"{file}:{line or 1}: {reason}")
        self.file, self.line, self.reason = file, line, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: its day, the instant to which the clock is set, a verb with its arguments, what is expected."""

    number: int
    line: int
    on: date
    at: datetime
    verb: str | None
    args: Any
    expect: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story as read; the sections are plain mappings in the order of the file."""

    path: Path
    title: str
    seller: dict[str, Any]
    articles: dict[str, Any] = field(default_factory=dict)
    tariffs: dict[str, Any] = field(default_factory=dict)
    coupons: dict[str, Any] = field(default_factory=dict)
    customers: dict[str, Any] = field(default_factory=dict)
    suppliers: dict[str, Any] = field(default_factory=dict)
    product_references: list[Any] = field(default_factory=list)
    contracts: dict[str, Any] = field(default_factory=dict)
    timeline: tuple[Step, ...] = ()


class _Constructor(SafeConstructor):
    """Numbers exactly, from their text; mappings that know the lines of their keys."""

    def construct_exact(self, node: Any) -> Decimal | str:
        text = self.construct_scalar(node)
        try:
            return Decimal(text)
        except ArithmeticError:
            return str(text)

    def construct_located(self, node: Any) -> Any:
        found = Located()
        yield found
        found.line = node.start_mark.line + 1
        if isinstance(node, MappingNode):
            self.flatten_mapping(node)
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in found:
                raise Wrong(f"“{key}” stands there twice", key_node.start_mark.line + 1)
            found[key] = self.construct_object(value_node, deep=True)
            found.lines[key] = key_node.start_mark.line + 1


_Constructor.add_constructor("tag:yaml.org,2002:float", _Constructor.construct_exact)
_Constructor.add_constructor("tag:yaml.org,2002:map", _Constructor.construct_located)


def find(paths: Iterable[Path]) -> list[Path]:
    """The scenario files of paths: a file itself, of a folder all `*.yaml` below it, in order."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(path.rglob("*.yaml"))
        elif path.exists():
            found.append(path)
        else:
            raise ScenarioFileError(path, None, "there is no such file or folder")
    return found


def load(path: Path) -> Scenario:
    """Read and check one file; raises `ScenarioFileError`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ScenarioFileError(path, None, f"the file is larger than {MAX_BYTES} bytes")
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = _Constructor
        data = yaml.load(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise Wrong("a scenario is a mapping that begins with `scenario:`", 1)
        schema.check(data)
        return _scenario(path, data)
    except Wrong as error:
        raise ScenarioFileError(path, error.line, error.reason) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        raise ScenarioFileError(path, mark.line + 1 if mark else None, str(error.problem)) from error
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ScenarioFileError(path, None, str(error).splitlines()[0]) from error


def _scenario(path: Path, data: dict[str, Any]) -> Scenario:
    seller = SELLER | dict(data.get("seller") or {})
    seller.setdefault("consumer_rules", "DE" if seller["country"] == "DE" else "none")
    zone = ZoneInfo(str(seller["time_zone"]))
    sections = {
        name: data.get(name) or {} for name in ("articles", "tariffs", "coupons", "customers", "suppliers", "contracts")
    }
    return Scenario(
        path=path,
        title=str(data["scenario"]),
        seller=seller,
        product_references=list(data.get("product_references") or ()),
        timeline=tuple(_steps(data.get("timeline") or (), zone)),
        **sections,
    )


def _steps(rows: Iterable[Any], zone: ZoneInfo) -> list[Step]:
    steps: list[Step] = []
    for number, row in enumerate(rows, 1):
        verbs = [k for k in row if k not in ("on", "expect")]
        verb = verbs[0] if verbs else None
        on = row["on"]
        # A date stands for noon, so that what happens “on” it lies on that local date.
        at = on if isinstance(on, datetime) else datetime.combine(on, time(12), zone)
        if at.tzinfo is None:
            at = at.replace(tzinfo=zone)
        if steps and at < steps[-1].at:
            raise Wrong("steps stand in order of time", row.line)
        steps.append(
            Step(
                number=number,
                line=row.line,
                on=at.astimezone(zone).date(),
                at=at,
                verb=verb,
                args=row[verb] if verb else None,
                expect=row.get("expect"),
            )
        )
    return steps
