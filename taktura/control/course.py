"""The course of an alert: its value on each day of the period so far, as the core would have seen it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from taktura.billing.ledger import load_charges
from taktura.contracts.facts import load
from taktura.control.models import Alert
from taktura.core import facts
from taktura.core.control import since_of, watches
from taktura.core.facts import Usage, UsageKey
from taktura.core.metering import added
from taktura.core.periods import DAY, clip
from taktura.core.schedule import Window, windows
from taktura.usage import store


@dataclass(frozen=True, slots=True)
class Point:
    """The value at the end of a day."""

    day: date
    value: Fraction


def course(alert: Alert, today: date) -> list[Point]:
    """The value of an alert's bound at the end of each day up to today; empty where its period is no more.

    Where sums can be added up each record is summed once, on its day; else (highest, last, distinct values, covered
    days) the records of each day and those before it.
    """
    contract = load([alert.contract_id])[alert.contract_id]
    if since_of(contract, alert.start) != alert.start:
        return []
    end = min(alert.end, today + DAY)
    days = [alert.start + timedelta(days=n) for n in range((end - alert.start).days)]
    asked = [w for w in windows(contract, alert.end, alert.start) if w.start == alert.start and _is_of(alert, w)]
    alone, whole = [w for w in asked if _adds_up(w)], [w for w in asked if not _adds_up(w)]
    sums = store.sums([*_cut(alone, days, alone=True), *_cut(whole, days, alone=False)])
    amounts = any(c.amount is not None for c in contract.coupons)
    billed = load_charges({contract.id: date.min})[0].get(contract.id, []) if amounts else []
    found, so_far = [], dict.fromkeys((w.line for w in alone), Usage())
    for day in days:
        for window in alone:
            so_far[window.line] = added(so_far[window.line], sums.get((window.line, day), Usage()))
        here = so_far | {w.line: sums.get((w.line, day), Usage()) for w in whole}
        usage: dict[UsageKey, Usage] = {(line, alert.start): known for line, known in here.items()}
        found += list(_point(replace(contract, usage=usage), alert, day, billed))
    return found


def _point(contract: facts.Contract, alert: Alert, day: date, billed: list[facts.Charge]) -> Iterator[Point]:
    for watch in watches(contract, alert.start, alert.start + DAY, day, billed):
        if (watch.kind, watch.line, watch.start) == (alert.kind, alert.line_id, alert.start):
            yield Point(day, watch.value)


def _is_of(alert: Alert, window: Window) -> bool:
    return window.terms.in_cap if alert.line_id is None else window.line == alert.line_id


def _adds_up(window: Window) -> bool:
    return window.terms.aggregate == "sum" and window.terms.usage_pricing != "fixed_quantity"


def _cut(asked: list[Window], days: list[date], *, alone: bool) -> Iterator[Window]:
    """Each window for each day (with those before it, unless `alone`); the day stands as its start."""
    for window in asked:
        for day in days:
            ranges = tuple(clip(list(window.ranges), day if alone else window.start, day + DAY))
            if ranges:
                yield replace(window, start=day, ranges=ranges)
