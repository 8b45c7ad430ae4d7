"""Reconciliation: what a supplier charged against what contracts say and customers were billed. Pure arithmetic.

What a supplier charged is accounted for day by day: of each imported row each day is billed, or waits with a reason,
or is excluded with a reason, or is to be billed with the next bill. There is nothing else.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

WITHDRAWN, CREDITED, PAUSED = "withdrawn", "credited", "paused"
EXCLUDED = (WITHDRAWN, CREDITED, PAUSED)  # reasons for which nothing is left to do
BILLED, OPEN, LOST = "billed", "open", "lost"  # `lost`: what no account could be given for
CURRENCY = {"currency", "no_rate"}  # reasons to wait: not to be converted, or not yet
# What differs, the gravest first.
CAUSES = (
    "lost", "unlinked", "currency", "waiting", "no_price", "late", "not_billed", "not_charged", "quantity", "price",
    "loss", "excluded", "cancelled",
)  # fmt: skip
SETTLED = (BILLED, LOST, WITHDRAWN, CREDITED)  # states of which rows that cancel each other leave nothing to be told


@dataclass(frozen=True, slots=True)
class Sum:
    """A quantity and what it cost, both exact; cost in units of the currency."""

    quantity: Fraction = Fraction(0)
    cost: Fraction = Fraction(0)

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.quantity + other.quantity, self.cost + other.cost)

    def __bool__(self) -> bool:
        return bool(self.quantity or self.cost)


def sum_of(sums: Sequence[Sum]) -> Sum:
    """Sums together."""
    return sum(sums, Sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of imported rows: their sum, and the same by state. `waiting` and `excluded` are by reason.
    `cancelled`: rows that wait or are to be billed are there, and come to nothing together."""

    imported: Sum = Sum()
    billed: Sum = Sum()
    open: Sum = Sum()
    lost: Sum = Sum()
    waiting: Mapping[str, Sum] = field(default_factory=dict)
    excluded: Mapping[str, Sum] = field(default_factory=dict)
    cancelled: bool = False

    @property
    def waits(self) -> Sum:
        """All that waits."""
        return sum_of(list(self.waiting.values()))

    @property
    def left_out(self) -> Sum:
        """All that is excluded."""
        return sum_of(list(self.excluded.values()))

    @property
    def holds(self) -> bool:
        """Whether billed + waiting + excluded + to be billed = imported, and nothing is lost."""
        return not self.lost and self.billed + self.waits + self.left_out + self.open == self.imported

    def __add__(self, other: "Account") -> "Account":
        return Account(
            imported=self.imported + other.imported, billed=self.billed + other.billed, open=self.open + other.open,
            lost=self.lost + other.lost, waiting=_added(self.waiting, other.waiting),
            excluded=_added(self.excluded, other.excluded), cancelled=self.cancelled or other.cancelled,
        )  # fmt: skip


def _added(one: Mapping[str, Sum], other: Mapping[str, Sum]) -> dict[str, Sum]:
    return {reason: one.get(reason, Sum()) + other.get(reason, Sum()) for reason in sorted({*one, *other})}


def account(imported: Sum, states: Mapping[str, Sum], told: Collection[str] = ()) -> Account:
    """The account of rows by their states: `billed`, `open`, `lost`, or the reason why they wait or are excluded.
    `told`: the states of rows of which any has a quantity or a cost; without them all could be of nothing."""
    reasons = {state: value for state, value in states.items() if state not in (BILLED, OPEN, LOST)}
    return Account(
        imported=imported,
        billed=states.get(BILLED, Sum()),
        open=states.get(OPEN, Sum()),
        lost=states.get(LOST, Sum()),
        waiting={state: value for state, value in reasons.items() if state not in EXCLUDED},
        excluded={state: value for state, value in reasons.items() if state in EXCLUDED},
        cancelled=any(state in told and not value for state, value in states.items() if state not in SETTLED),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One subscription of a supplier in a period. Amounts are net, exact, in units of their currency.

    `said`: what the contract says, billed already or not; None where it cannot be worked out. `invoiced`: what the
    customer was billed. `wanted` and `used`: quantity × days of the contract and of the usage, where the contract has a
    fixed quantity. `same_currency`: the supplier's is the contract's (or there is no contract). `unpriced`: rows that
    lack the price that their line is billed at.
    """

    account: Account
    said: Fraction | None
    invoiced: Fraction
    same_currency: bool = True
    wanted: Fraction | None = None
    used: Fraction | None = None
    unpriced: int = 0

    @property
    def margin(self) -> Fraction | None:
        """What was billed less what the supplier charged; None where the currencies differ."""
        return self.invoiced - self.account.imported.cost if self.same_currency else None


def causes(row: Compared) -> tuple[str, ...]:
    """Why the three columns differ, the gravest first; nothing where they agree.

    `lost`: not accounted for. `unlinked`: usage of a subscription that is tied to no line. `currency`: another than the
    contract's, and not converted. `waiting`: for another reason. `no_price`: rows of a line that is billed at the
    supplier's price carry none, and bill 0. `late`: what came or changed after its period was billed. `not_billed`: to
    be billed, and nothing of the period is billed. `not_charged`: the customer pays, the supplier charges nothing.
    `quantity`: the supplier's is not the contract's. `price`: what is billed is not what the contract says, though all
    usage is billed. `loss`: less is billed than the supplier charges. `excluded`: withdrawn, credited, or in a pause.
    `cancelled`: rows that are not billed cancel each other, such as a charge and its credit.
    """
    known = row.account
    waits = {reason for reason, value in known.waiting.items() if value}
    anything = known.billed or known.open
    found = {
        "lost": not known.holds,
        "unlinked": "no_subscription" in waits,
        "currency": bool(waits & CURRENCY) or not (row.same_currency or anything),
        "waiting": bool(waits - {"no_subscription"} - CURRENCY),
        "no_price": bool(row.unpriced),
        "late": bool(known.open and (known.billed or row.invoiced)),
        "not_billed": bool(known.open and not known.billed and not row.invoiced),
        "not_charged": bool(row.invoiced and not known.imported),
        "quantity": bool(anything) and row.wanted is not None and row.wanted != row.used,
        "price": not known.open and row.said is not None and row.said != row.invoiced,
        "loss": bool(known.billed) and not known.open and row.margin is not None and row.margin < 0,
        "excluded": bool(known.left_out),
        "cancelled": known.cancelled,
    }
    return tuple(cause for cause in CAUSES if found[cause])


def share_of_days(first: date, end: date, start: date, stop: date) -> Fraction:
    """Which part of `[first, end)` lies in `[start, stop)`, by days."""
    days = (min(end, stop) - max(first, start)).days
    return Fraction(max(0, days), (end - first).days)


def without_vat(amount: Fraction, percent: Fraction) -> Fraction:
    """A gross amount without its VAT, exact."""
    return amount * 100 / (100 + percent)


def quantity_days(quantities: Sequence[tuple[date, Fraction]], ranges: Sequence[tuple[date, date]]) -> Fraction:
    """Quantity × days of a timeline (from, quantity) over ranges of days; before its first entry the first holds."""
    total = Fraction(0)
    for first, end in ranges:
        cuts = sorted({first, end, *(start for start, _ in quantities if first < start < end)})
        for a, b in zip(cuts, cuts[1:], strict=False):
            before = [quantity for start, quantity in quantities if start <= a]
            total += (before[-1] if before else quantities[0][1]) * (b - a).days
    return total


def shares(weights: Sequence[Fraction]) -> list[Fraction]:
    """How a whole is shared by weights (their size counts, not their sign); equally where none has any."""
    whole = sum((abs(weight) for weight in weights), Fraction(0))
    return [abs(weight) / whole if whole else Fraction(1, len(weights)) for weight in weights]
