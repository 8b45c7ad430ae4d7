"""One settlement under way: what it looks at, its ledger, and the flagged amounts of each unit as they stand."""

from dataclasses import dataclass
from datetime import date

from taktura.core.expected import Amount, Segment, days_amount, unit_of
from taktura.core.facts import Charge, Contract, Key
from taktura.core.ledger import Ledger
from taktura.core.tax import Vat, service_spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a settlement looks at (R5.3, R5.6, R11).

    Without `lines`: all that is due on `on`. With `lines` (“at once”): only what was billed of these lines and of the
    units they are in; of those in `now` also the first period, and with `through` the advance periods that begin on or
    before that day. `interim`: also the usage so far of the running period.
    """

    on: date
    interim: bool = False
    leave_usage: bool = False
    lines: frozenset[int] | None = None
    now: frozenset[int] = frozenset()
    through: date | None = None


@dataclass(slots=True)
class Pass:
    """One settlement under way: its input, and the amounts of each unit as they stand."""

    contract: Contract
    ledger: Ledger
    scope: Scope
    since: date  # only keys that start then or later are settled, `ledger` holds no others
    due: list[Charge]
    shares: dict[Key, dict[int, int]]
    flagged: dict[tuple[date, date], list[tuple[str, Vat, int]]]  # unit -> (article, vat, amount)


def looked_at(work: Pass, line: int | None, billed: bool) -> bool:
    """A by-days key that was billed once is always looked at, by a change only where it touches the line."""
    return billed and (work.scope.lines is None or line in work.scope.lines)


def is_due(work: Pass, row: Segment | Amount) -> bool:
    """Whether a row is due in this scope though nothing of its key has been billed yet."""
    scope = work.scope
    if scope.lines is None:
        return row.due <= scope.on
    if row.line.id not in scope.lines or isinstance(row, Amount) and row.key.kind == "usage":
        return False
    advance = row.key.kind == "once" or (row.key.kind == "recurring" and row.terms.when == "advance")
    if row.line.id in scope.now and (advance or row.due <= scope.on):
        first = max(row.line.start, work.contract.trial_end or row.line.start)
        return row.due <= max(first, scope.on)
    begins = max(row.key.start, row.line.start)
    return scope.through is not None and advance and row.key.kind != "once" and begins <= scope.through


def flag(work: Pass, place: tuple[date, date], row: Segment | Amount, vat: Vat, amount: int) -> None:
    """Count a flagged amount into its unit."""
    work.flagged.setdefault(place, []).append((flags(row), vat, amount))


def flags(row: Segment | Amount) -> str:
    """Which flags a row carries: m (in the minimum), c (in the cap); none where a tariff change kept its line."""
    if row.line.kept is not None and row.unit.phase.start >= row.line.kept:
        return ""
    return ("m" if row.terms.in_minimum else "") + ("c" if row.terms.in_cap else "")


def note_flagged(
    work: Pass, key: Key, standing: list[tuple[Segment, date, date]], covers: list[tuple[date, date, Charge]]
) -> None:
    """Remember what a recurring line counts in its units (R9.1): expected where it is due, else what is billed."""
    for segment, a, b in standing:
        if (segment.terms.in_minimum or segment.terms.in_cap) and segment.rate is not None:
            unit = segment.unit
            for first, end, vat in service_spans(work.contract.tax, segment.rates, a, b):
                amount = days_amount(segment.rate, first, end, work.contract.digits)
                flag(work, (unit.phase.start, unit.start), segment, vat, amount)
    for a, b, cover in covers:
        line = next((x for x in work.contract.lines if x.id == key.line), None)
        if line is None or cover.rate is None:
            continue
        terms = line.terms[-1][1]
        if terms.in_minimum or terms.in_cap:
            unit = unit_of(work.contract, a)
            flags = ("m" if terms.in_minimum else "") + ("c" if terms.in_cap else "")
            amount = days_amount(cover.rate, a, b, work.contract.digits)
            work.flagged.setdefault((unit.phase.start, unit.start), []).append((flags, cover.vat, amount))
