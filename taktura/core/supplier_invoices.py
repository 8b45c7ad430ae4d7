"""A supplier's own invoices held against what was imported from it. Pure arithmetic; amounts are net and exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from taktura.core.reconciling import share_of_days

# Why an invoice is not what was imported, that which explains it best before the others.
INVOICE_CAUSES = (
    "no_invoice", "not_imported", "rounding", "withdrawn", "gap", "overlap", "unread", "partly", "higher", "lower",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an invoice claims for `[first, end)`; `net` in units of the currency, below zero for a credit note."""

    first: date
    end: date
    net: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What was imported for a period in one currency: `cost` in all, `withdrawn` of it, `rows`; `unread` are rows of
    its files that could not be read."""

    cost: Fraction = Fraction(0)
    withdrawn: Fraction = Fraction(0)
    rows: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Claims held against what was imported: their sum by days, what it has more than the rows, and why."""

    claimed: Fraction
    difference: Fraction
    causes: tuple[str, ...]


def hold(claims: Sequence[Claim], imported: Imported, first: date, end: date, digits: int) -> Held:
    """Hold the claims on days of `[first, end)` against what was imported for them, in a currency of `digits` decimals.

    A claim on more days than these counts by its days in them. A difference below one minor unit is none: an invoice is
    rounded once.

    Causes, the best explanation first: `no_invoice`, though rows were imported. `not_imported`: an invoice without any
    row. `rounding`: no more than if each row was rounded by itself. `withdrawn`: the rows that were withdrawn, exactly.
    `gap`: days without an invoice. `overlap`: days with two, credit notes apart. `unread`: the invoice is higher, and
    rows could not be read. `partly`: an invoice covers other days besides, and was counted by days. Else `higher` or
    `lower`.
    """
    claimed = sum((c.net * share_of_days(c.first, c.end, first, end) for c in claims), Fraction(0))
    difference = claimed - imported.cost
    step = Fraction(1, 10**digits)
    if not claims:
        return Held(claimed=claimed, difference=difference, causes=("no_invoice",) if imported.rows else ())
    if abs(difference) < step:
        return Held(claimed=claimed, difference=difference, causes=())
    if not imported.rows:
        return Held(claimed=claimed, difference=difference, causes=("not_imported",))
    spans = sorted((max(c.first, first), min(c.end, end)) for c in claims if c.net >= 0)
    found = {
        "rounding": abs(difference) <= imported.rows * step / 2,
        "withdrawn": bool(imported.withdrawn) and abs(difference + imported.withdrawn) < step,
        "gap": _has_gap(spans, first, end),
        "overlap": any(one[1] > other[0] for one, other in zip(spans, spans[1:], strict=False)),
        "unread": difference > 0 and bool(imported.unread),
        "partly": any(c.first < first or c.end > end for c in claims),
    }
    causes = [cause for cause in INVOICE_CAUSES if found.get(cause)]
    return Held(
        claimed=claimed, difference=difference, causes=tuple(causes) or ("higher" if difference > 0 else "lower",)
    )


def _has_gap(spans: Sequence[tuple[date, date]], first: date, end: date) -> bool:
    reached = first
    for start, stop in spans:
        if start > reached:
            return True
        reached = max(reached, stop)
    return reached < end
