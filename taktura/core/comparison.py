"""Two bills of one contract side by side: what differs, line by line, and why. Nothing is settled here.

The causes of a line's difference add up to it, and the lines to the difference of the bills, to the minor unit.
Several causes at once are told apart in one order: how much is used or booked, then at what price, less which
discounts and coupons, for how much of its period. They are rounded as sums, one after the other (as in R4.2), so
nothing is lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from taktura.core.expected import unit_of
from taktura.core.facts import Charge, Contract, Line, at
from taktura.core.money import half_up
from taktura.core.periods import DAY
from taktura.core.reasons import Reason, reasons
from taktura.core.tax import Vat

__all__ = ["Bill", "BillLine", "Comparison", "Difference", "Reason", "compare"]

ALONE = {"minimum_sales": "minimum", "cost_cap": "cap", "once": "once", "sales_item": "once", "time": "once"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """A line of a bill: `net` in minor units, below zero where it is credited. `line` is the contract's, None of
    top-up, relief and sales items; `charge` with its proof, None of what is no charge."""

    line: int | None
    kind: str  # recurring | flat | usage | once | minimum_sales | cost_cap | sales_item | time
    net: int
    vat: Vat
    charge: Charge | None = None
    title: str = ""
    titles: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """All that one run bills of a contract: its lines on invoices and credit notes, and their VAT in minor units."""

    on: date
    lines: tuple[BillLine, ...]
    tax: int = 0

    @property
    def net(self) -> int:
        """The net of all lines, in minor units."""
        return sum(line.net for line in self.lines)

    @property
    def gross(self) -> int:
        """What is to be paid, less what is given back."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A line on both bills, net in minor units, and why it differs: `reasons` add up to new less old."""

    line: int | None
    kind: str
    title: str
    titles: tuple[tuple[str, str], ...]
    old: int
    new: int
    reasons: tuple[Reason, ...] = ()

    @property
    def amount(self) -> int:
        """New less old."""
        return self.new - self.old


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two bills of a contract. `rows` add up to the difference of the nets; the VAT differs by what follows from them
    (`vat_follows`), and by other rates (`vat_rate`)."""

    old: Bill
    new: Bill
    rows: tuple[Difference, ...]
    vat_follows: int = 0
    vat_rate: int = 0

    @property
    def difference(self) -> int:
        """New net less old."""
        return self.new.net - self.old.net

    @property
    def by_cause(self) -> dict[str, int]:
        """What each cause comes to over all lines, net; what comes to nothing is left out."""
        found: dict[str, int] = {}
        for row in self.rows:
            for reason in row.reasons:
                found[reason.cause] = found.get(reason.cause, 0) + reason.amount
        return {cause: amount for cause, amount in found.items() if amount}


@dataclass(slots=True)
class _Side:
    """A line on one bill: what belongs to its newest period, to earlier ones, and what is taken back."""

    main: list[BillLine] = field(default_factory=list)
    earlier: int = 0
    taken_back: int = 0

    @property
    def charges(self) -> list[Charge]:
        return [x.charge for x in self.main if x.charge is not None]

    @property
    def net(self) -> int:
        return sum(x.net for x in self.main)


def compare(contract: Contract, old: Bill, new: Bill) -> Comparison:
    """Compare two bills of a contract as it stands, the older first."""
    places: dict[tuple[int | None, str], tuple[list[BillLine], list[BillLine]]] = {}
    for side, bill in ((1, new), (0, old)):
        for line in bill.lines:
            places.setdefault((line.line, line.kind), ([], []))[side].append(line)
    known = {line.id: line for line in contract.lines}
    rows = tuple(
        _row(contract, known.get(number or 0), before, after, old.on, new.on)
        for (number, _), (before, after) in places.items()
    )
    vat_rate = sum(_by_rate(before, after) for before, after in places.values())
    return Comparison(
        old=old, new=new, rows=rows, vat_follows=new.tax - old.tax - vat_rate, vat_rate=vat_rate
    )  # fmt: skip


def _row(
    contract: Contract, line: Line | None, old: Sequence[BillLine], new: Sequence[BillLine], old_on: date, new_on: date
) -> Difference:
    shown = (new or old)[-1]
    return Difference(
        line=shown.line, kind=shown.kind, title=shown.title, titles=shown.titles, old=sum(x.net for x in old),
        new=sum(x.net for x in new), reasons=_reasons(contract, line, shown.kind, old, new, old_on, new_on),
    )  # fmt: skip


def _by_rate(old: Sequence[BillLine], new: Sequence[BillLine]) -> int:
    """By how much the VAT of a line differs because its rate does."""
    before, after = {x.vat[1] for x in old if x.net}, {x.vat[1] for x in new if x.net}
    if len(before) != 1 or len(after) != 1 or before == after:
        return 0
    net = sum(x.net for x in new)
    return half_up(Fraction(net) * (Fraction(after.pop()) - Fraction(before.pop())) / 100)


def _reasons(
    contract: Contract,
    line: Line | None,
    kind: str,
    old: Sequence[BillLine],
    new: Sequence[BillLine],
    old_on: date,
    new_on: date,
) -> tuple[Reason, ...]:
    if line is None or kind in ALONE:
        amount = sum(x.net for x in new) - sum(x.net for x in old)
        return (Reason(ALONE.get(kind, "once"), amount),) if amount else ()
    before, after = _side(old), _side(new)
    found = []
    if before.main and after.main:
        found += reasons(contract, line, before.charges, after.charges, before.net, after.net, old_on)
    elif after.main:
        found.append(Reason(_why_new(contract, line, kind, after.charges, old_on), after.net))
    elif before.main:
        found.append(Reason(_why_gone(contract, line, kind, before.charges, new_on), -before.net))
    found.append(Reason("other_periods", after.earlier - before.earlier))
    found.append(Reason("correction", after.taken_back - before.taken_back))
    return tuple(r for r in found if r.amount)


def _side(lines: Iterable[BillLine]) -> _Side:
    found = _Side()
    kept = []
    for line in lines:
        if line.charge is None or line.charge.credits is not None or line.net < 0:
            found.taken_back += line.net
        else:
            kept.append(line)
    newest = max((x.charge.key.start for x in kept if x.charge is not None), default=None)
    for line in kept:
        if line.charge is not None and line.charge.key.start == newest:
            found.main.append(line)
        else:
            found.earlier += line.net
    return found


def _begins(contract: Contract, line: Line, kind: str) -> date:
    """The first day on which a line is billed."""
    trial = contract.trial_end if kind != "usage" else None
    return max(line.start, contract.start, contract.billed_until, trial or date.min)


def _why_new(contract: Contract, line: Line, kind: str, charges: Sequence[Charge], old_on: date) -> str:
    """Why a line stands on the newer bill alone."""
    first = min(c.first for c in charges)
    if first <= _begins(contract, line, kind):
        return "new"
    if kind == "usage":
        # Its period before this one was over by the older bill: nothing was used in it.
        return "usage" if min(c.key.start for c in charges) <= old_on else "due"
    if any(a < first <= b for a, b in contract.pauses):
        return "part_period"
    return "quantity" if not at(line.quantities, min(old_on, first - DAY)) else "due"


def _why_gone(contract: Contract, line: Line, kind: str, charges: Sequence[Charge], new_on: date) -> str:
    """Why a line stands on the older bill alone."""
    last = max(c.end for c in charges)
    if min(line.end, contract.end) <= max(last, new_on):
        return "ended"
    if any(a <= last < b for a, b in contract.pauses):
        return "part_period"
    if kind == "usage":
        return "usage" if unit_of(contract, last).end <= new_on else "not_due"
    return "quantity" if not at(line.quantities, max(last, new_on)) else "not_due"
