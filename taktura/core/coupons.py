"""Coupons (R10.2, R10.3): what they take off a line's cost in a period."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from taktura.core.facts import Contract, Coupon, Key, Line, LineTerms
from taktura.core.money import Number, half_up, split
from taktura.core.pricing import scale_percent

Shares = dict[Key, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line in one period, before coupons: when it falls due, and its cost (for the whole period) in the basis."""

    key: Key
    article: str
    start: date  # of the contract's billing period in which it lies
    due: date
    cost: Fraction


def running(contract: Contract, article: str, start: date, due: date) -> list[Coupon]:
    """The coupons that count for what falls due on `due` in the period that starts on `start`, in the order given."""
    return [
        c
        for c in contract.coupons
        if c.given <= due and c.first <= start < c.end and (not c.articles or article in c.articles)
    ]


def scale_of(contract: Contract, line: Line, terms: LineTerms, quantity: Number, start: date, due: date) -> Decimal:
    """The discount scale's percentage; a coupon of the order page may stand in its place (R10.3)."""
    percent = scale_percent(terms, quantity)
    ordered = [c for c in running(contract, terms.article, start, due) if c.id == line.order_coupon]
    if not ordered or not percent or contract.coupon_and_scale == "both":
        return percent
    if contract.coupon_and_scale == "coupon":
        return Decimal(0)
    return percent if percent > (ordered[0].percent or 0) else Decimal(0)


def usable(contract: Contract, line: Line, terms: LineTerms, scale: Decimal, coupons: list[Coupon]) -> list[Coupon]:
    """The coupons that take something beside a discount scale already taken (`best`: the better of the two)."""
    if scale and contract.coupon_and_scale == "best" and line.order_coupon is not None:
        return [c for c in coupons if c.id != line.order_coupon]
    return coupons


def less_percent(contract: Contract, cost: Fraction, coupons: Iterable[Coupon]) -> Fraction:
    """A cost less the percentages of its coupons, by the seller's `stacking`."""
    percents = [Fraction(c.percent) for c in coupons if c.percent is not None]
    if not percents:
        return cost
    if contract.stacking == "best":
        return cost * (100 - max(percents)) / 100
    if contract.stacking == "add":
        return cost * max(Fraction(0), 100 - sum(percents)) / 100
    for percent in percents:
        cost = cost * (100 - percent) / 100
    return cost


def apply(contract: Contract, cost: Fraction, coupons: list[Coupon], shares: Mapping[int, int]) -> Fraction:
    """A cost less its coupons; `shares` are the minor units of the amount coupons. Never below zero (R10.4)."""
    if not coupons:
        return cost
    if cost <= 0:
        return cost
    unit = 10**contract.digits
    after = less_percent(contract, cost, coupons)
    amounts = [Fraction(shares.get(c.id, 0), unit) for c in coupons if c.amount is not None]
    if contract.stacking == "best":
        return max(Fraction(0), min([after, *(cost - a for a in amounts)]))
    return max(Fraction(0), after - sum(amounts))


def amount_shares(
    contract: Contract, items: list[Item], fixed: Mapping[Key, Mapping[int, int]]
) -> dict[Key, dict[int, int]]:
    """Spread each amount coupon over its lines of a period, in minor units (R1.4).

    Of lines due at different times the first takes it first. `fixed` are shares of lines already billed in the period:
    they stay, and the others take the rest.
    """
    shares: dict[Key, dict[int, int]] = {key: dict(value) for key, value in fixed.items()}
    for coupon in contract.coupons:
        if coupon.amount is None:
            continue
        periods: dict[date, list[Item]] = {}
        for item in items:
            if coupon in running(contract, item.article, item.start, item.due):
                periods.setdefault(item.start, []).append(item)
        for eligible in periods.values():
            _spread(contract, coupon, eligible, shares, fixed)
    return shares


def _spread(
    contract: Contract,
    coupon: Coupon,
    items: list[Item],
    shares: dict[Key, dict[int, int]],
    fixed: Mapping[Key, Mapping[int, int]],
) -> None:
    unit = 10**contract.digits
    billed = {i.key for i in items if i.key in fixed}
    rest = half_up(Fraction(coupon.amount or 0) * unit) - sum(fixed[k].get(coupon.id, 0) for k in billed)
    for due in sorted({i.due for i in items}):
        group = [i for i in items if i.due == due and i.key not in billed]
        weights = [
            max(
                Fraction(0),
                less_percent(contract, i.cost, running(contract, i.article, i.start, i.due))
                - Fraction(sum(shares.get(i.key, {}).values()), unit),
            )
            if contract.stacking != "best"
            else max(Fraction(0), i.cost)
            for i in group
        ]
        whole = [half_up(weight * unit) for weight in weights]  # what covers each line, alone or beside others
        given = whole if sum(whole) <= rest else split(max(rest, 0), weights)
        if not any(given):
            continue
        for item, share in zip(group, given, strict=True):
            shares.setdefault(item.key, {})[coupon.id] = share
        rest -= sum(given)
