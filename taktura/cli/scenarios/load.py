"""Reading scenario files: YAML 1.2, exact numbers, clear errors with file and line."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from taktura.cli.scenarios import schema
from taktura.cli.scenarios.nodes import Wrong, compose

T = TypeVar("T")
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


def find(paths: Iterable[Path]) -> list[Path]:
    """The scenario files of paths: a file itself, of a folder all `*.yaml` below it, in order."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*.yaml") if not file.is_dir())
        elif path.exists():
            found.append(path)
        else:
            raise ScenarioFileError(path, None, "there is no such file or folder")
    return found


def load(path: Path) -> Scenario:
    """Read and check one file; raises `ScenarioFileError` with the line and the reason."""
    return _read(path, lambda root: _scenario(path, schema.read(root, path.parent)))


def load_tariff(path: Path) -> dict[str, Any]:
    """Read and check a file with the fields of one tariff, as they stand under its key in a scenario. Raises as
    `load`."""
    return _read(path, schema.read_tariff)


def _read(path: Path, check: Callable[[Any], T]) -> T:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ScenarioFileError(path, None, f"the file is larger than {MAX_BYTES} bytes")
        text = path.read_bytes().decode("utf-8-sig")
        return check(compose(text))
    except Wrong as error:
        raise ScenarioFileError(path, error.line, error.reason) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ScenarioFileError(path, line, "the file is not written in UTF-8") from error
    except (OSError, ValueError) as error:
        raise ScenarioFileError(path, None, getattr(error, "strerror", None) or str(error)) from error


def _scenario(path: Path, data: dict[str, Any]) -> Scenario:
    seller = SELLER | {key: value for key, value in data.get("seller", {}).items() if value is not None}
    seller.setdefault("consumer_rules", "DE" if seller["country"] == "DE" else "none")
    sections = ("articles", "tariffs", "coupons", "customers", "suppliers", "contracts")
    return Scenario(
        path=path,
        title=data["scenario"],
        seller=seller,
        product_references=data.get("product_references", []),
        timeline=tuple(_steps(data["timeline"], ZoneInfo(seller["time_zone"]))),
        **{name: data.get(name, {}) for name in sections},
    )


def _steps(rows: Iterable[dict[str, Any]], zone: ZoneInfo) -> list[Step]:
    steps: list[Step] = []
    for number, row in enumerate(rows, 1):
        on = row.pop("on")
        # A date stands for noon, so that what happens “on” it lies on that local date.
        at = on if isinstance(on, datetime) else datetime.combine(on, time(12), zone)
        try:
            day = at.astimezone(zone).date()
        except OverflowError:
            raise Wrong(f"timeline.{number}.on: “{on}” is out of range", row["line"]) from None
        if steps and at < steps[-1].at:
            raise Wrong("steps stand in order of time (a date stands for its noon)", row["line"])
        steps.append(Step(number=number, on=day, at=at, **row))
    return steps
