"""What long work keeps of a what-if, and how it is read again: figures alone, forgotten with the work."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from taktura.billing.what_if import Compared, Failed, LineSum, LostUsage, Outcome
from taktura.kit.exact import decimal
from taktura.kit.jobs.models import Work

WHAT_IF = "what_if"  # the kind of long work


@dataclass(frozen=True, slots=True)
class OfCustomer:
    """A customer on both sides, net in minor units, over `contracts` contracts. `parts`: of one of them parts of
    billing periods are compared."""

    customer: int
    contracts: int
    old: int
    new: int
    parts: bool

    @property
    def difference(self) -> int:
        """New less old."""
        return self.new - self.old


@dataclass(frozen=True, slots=True)
class Kept:
    """A what-if that was: what was compared with what, and what came of it."""

    title: str
    tariff: int | None
    own_conditions: bool
    fields: dict[str, Any]
    outcome: Outcome

    def customers(self) -> list[OfCustomer]:
        """By customer, what differs most first."""
        return by_customer(self.outcome.rows)


def by_customer(rows: Iterable[Compared]) -> list[OfCustomer]:
    """The sums of contracts by customer, what differs most first."""
    found: dict[int, list[Compared]] = {}
    for row in rows:
        found.setdefault(row.customer, []).append(row)
    sums = [
        OfCustomer(pk, len(own), sum(r.old for r in own), sum(r.new for r in own), any(r.parts for r in own))
        for pk, own in found.items()
    ]
    return sorted(sums, key=lambda row: (-abs(row.difference), row.customer))


def kept_of(outcome: Outcome) -> dict[str, Any]:
    """An outcome as work keeps it; a contract in a short row."""
    return {
        "first": outcome.first,
        "end": outcome.end,
        "currency": outcome.currency,
        "rows": [[r.contract, r.customer, r.old, r.new, r.parts + 2 * r.running] for r in outcome.rows],
        "lines": [asdict(line) for line in outcome.lines],
        "lost": [asdict(lost) for lost in outcome.lost],
        "failed": [asdict(failed) for failed in outcome.failed],
        "other_currency": outcome.other_currency,
        "without_period": outcome.without_period,
        "stopped": outcome.stopped,
    }


def read_work(work: Work) -> Kept | None:
    """The what-if that work has kept; None while it has none."""
    kept, asked = work.result, work.parameters
    if "rows" not in kept:
        return None
    outcome = Outcome(
        date.fromisoformat(kept["first"]),
        date.fromisoformat(kept["end"]),
        kept["currency"],
        rows=[Compared(c, k, old, new, bool(f & 1), bool(f & 2)) for c, k, old, new, f in kept["rows"]],
        lines=[LineSum(**line) for line in kept["lines"]],
        lost=[LostUsage(**{**lost, "quantity": decimal(lost["quantity"])}) for lost in kept["lost"]],
        failed=[Failed(**failed) for failed in kept["failed"]],
        other_currency=kept["other_currency"],
        without_period=kept["without_period"],
        stopped=kept["stopped"],
    )
    return Kept(asked["title"], asked["tariff"], asked["own_conditions"], fields_kept(asked), outcome)


def as_kept(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a tariff as work keeps them: an object of JSON has no order in the database, its lines have one."""
    return fields | {"lines": list((fields.get("lines") or {}).items())}


def fields_kept(parameters: dict[str, Any]) -> dict[str, Any]:
    """The fields of a tariff that work was started with."""
    fields: dict[str, Any] = parameters["fields"]
    return fields | {"lines": dict(fields["lines"])}
