"""Settlement (R5, settlement.md): expected minus billed. The one function that makes charges."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from taktura.core import coupons as cp
from taktura.core.expected import Amount, Segment, Wanted, by_amount, by_days
from taktura.core.facts import Charge, Contract, Key, Rate
from taktura.core.ledger import Ledger
from taktura.core.money import fraction_text, minor
from taktura.core.periods import DAY
from taktura.core.settle_amounts import settle_amounts
from taktura.core.settle_days import settle_days
from taktura.core.settling import Pass, Scope

__all__ = ["Scope", "settle", "take_coupons"]


def settle(contract: Contract, billed: Sequence[Charge], scope: Scope, since: date = date.min) -> list[Charge]:
    """What is due: charges (amount above zero or, taken back, below), in the order of lines and periods.

    `billed` are the issued charges whose key starts on or after `since` (see `floor`); with `since` only periods that
    start then or later are settled. Calling it again with the result added to `billed` gives nothing.
    """
    ledger = Ledger(charge for charge in billed if charge.key.start >= since)
    ahead = [line.start for line in contract.lines if line.id in scope.now] + ([scope.through] if scope.through else [])
    # By where periods begin: what is billed of one may lie after the start of the next (VAT split by days), and looking
    # further once it is billed would find other lines to share an amount coupon with.
    reach = max([scope.on, *(c.key.start for c in ledger.charges), *ahead]) + DAY
    wanted = _wanted(contract, ledger, scope)
    segments = list(by_days(contract, reach, since, wanted))
    amounts = list(by_amount(contract, scope.on, reach, since, wanted))
    work = Pass(contract, ledger, scope, since, [], {}, {})
    take_coupons(work, segments, amounts)
    settle_days(work, segments)
    settle_amounts(work, amounts)
    return [c for c in work.due if c.amount or not c.credits or c.key.kind in ("recurring", "flat")]


def _wanted(contract: Contract, ledger: Ledger, scope: Scope) -> Wanted:
    """What can make a charge: a run leaves out what is neither due nor billed, since nothing would come of it.

    Amounts off are spread over all lines of a period, a change looks at more than what is due, an interim bill at
    usage that is not.
    """
    if scope.lines is not None or scope.interim or any(c.amount is not None for c in contract.coupons):
        return lambda key, due: True
    billed = {c.key for c in ledger.charges}
    return lambda key, due: due <= scope.on or key in billed


def take_coupons(work: Pass, segments: list[Segment], amounts: list[Amount]) -> None:
    """Set each segment's cost function and each amount, after coupons (R10.2)."""
    contract, digits = work.contract, work.contract.digits
    if any(c.amount is not None for c in contract.coupons):
        items: dict[Key, cp.Item] = {}
        rows: list[Segment | Amount] = [*segments, *amounts]
        for row in rows:
            found = items.get(row.key)
            if found is None or not found.cost:  # what is free at first has its share by what it costs then
                items[row.key] = cp.Item(
                    key=row.key, article=row.terms.article, start=row.unit.start, due=row.due, cost=row.base
                )
        work.shares = cp.amount_shares(contract, list(items.values()), work.ledger.shares)
    for segment in segments:
        price = _after_coupons(work, segment)
        segment.rate = Rate(
            start=segment.period.start,
            end=segment.period.end,
            price=price,
            quantity=segment.quantity,
            spans=segment.span[0],
            span=segment.span[1],
            day=_counted_on(segment),
        )
    for amount in amounts:
        after = _after_coupons(work, amount)
        amount.amount = minor(after, digits)
        amount.proof["cost"] = fraction_text(after)


def _counted_on(segment: Segment) -> int | None:
    """The day of the month on which the spans of a segment's price begin, where its period's start is a clamped one."""
    counted = segment.unit.phase.anchor.day
    clamped = segment.span[1] is not None and segment.span[1].months and counted > segment.period.start.day
    return counted if clamped else None


def _after_coupons(work: Pass, row: Segment | Amount) -> Fraction:
    running = cp.running(work.contract, row.terms.article, row.unit.start, row.due)
    if not running:
        return row.base
    scale = Decimal(str(row.proof.get("discount_scale", "0")))
    running = cp.usable(work.contract, row.line, row.terms, scale, running)
    shares = work.shares.get(row.key, {})
    after = cp.apply(work.contract, row.base, running, shares)
    row.proof["coupons"] = [
        {"coupon": c.id, "percent": str(c.percent)}
        if c.percent is not None
        else {"coupon": c.id, "share": shares.get(c.id, 0)}
        for c in running
    ]
    if isinstance(row, Amount) and row.each is not None and row.base:
        row.each = row.each * after / row.base
    return after
