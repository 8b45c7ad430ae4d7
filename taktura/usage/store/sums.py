"""Sums over records, by line and rated period: whole seconds, exact decimals, (quantity, days) pairs."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from taktura.core.facts import Conversion, Foreign, Usage, UsageKey
from taktura.core.money import EXACT
from taktura.core.schedule import Window

_WINDOWS = (
    "unnest(%s::int[], %s::bigint[], %s::date[], %s::date[], %s::int[], %s::int[]) AS w(i, line, a, b, first, step)"
)

# Billed seconds by the tick (R6.2): `first` seconds, then steps; without a tick the raw seconds (tick_scope: period).
TICKED = """CASE WHEN r.seconds IS NULL OR r.seconds = 0 THEN 0 WHEN w.first IS NULL THEN r.seconds
    WHEN r.seconds <= w.first THEN w.first ELSE w.first + (r.seconds - w.first + w.step - 1) / w.step * w.step END"""

# Amounts in the contract's own currency: those with a rate are summed by it (`_FOREIGN`).
_OWN = "FILTER (WHERE r.rate_day IS NULL)"

_PLAIN = f"""
SELECT w.i, 0, r.priced, sum(r.quantity), sum(r.cost_amount) {_OWN}, sum(r.amount) {_OWN},
    sum({TICKED}), count(*), sum(r.quantity), count(r.rate_day)
FROM {_WINDOWS} JOIN usage_usagerecord r ON r.line_id = w.line AND r.day >= w.a AND r.day < w.b AND NOT r.is_span
GROUP BY 1, 3
"""

# A span that lies in several ranges of one window gives its days in each, but counts once (`turn`).
_SPANS = f"""
SELECT i, span, priced, sum(quantity * days), sum(cost_amount * days) {_OWN}, sum(amount * days) {_OWN}, 0,
    count(*) FILTER (WHERE turn = 1), sum(quantity) FILTER (WHERE turn = 1), count(rate_day)
FROM (
    SELECT w.i, r.end_day - r.day AS span, r.priced, r.quantity, r.cost_amount, r.amount, r.rate_day,
        LEAST(r.end_day, w.b) - GREATEST(r.day, w.a) AS days, row_number() OVER (PARTITION BY w.i, r.id) AS turn
    FROM {_WINDOWS} JOIN usage_usagerecord r ON r.line_id = w.line AND r.is_span AND r.day < w.b AND r.end_day > w.a
) r
GROUP BY 1, 2, 3
"""

_FOREIGN = f"""
SELECT w.i, r.currency, r.rate_day, r.rate_over, r.rate_under,
    CASE WHEN r.is_span THEN r.end_day - r.day ELSE 1 END AS span, r.priced,
    sum(r.cost_amount * d.days), sum(r.amount * d.days)
FROM {_WINDOWS} JOIN usage_usagerecord r ON r.line_id = w.line AND r.rate_day IS NOT NULL AND r.day < w.b
    AND CASE WHEN r.is_span THEN r.end_day > w.a ELSE r.day >= w.a END,
LATERAL (SELECT CASE WHEN r.is_span THEN LEAST(r.end_day, w.b) - GREATEST(r.day, w.a) ELSE 1 END AS days) d
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""

_OTHERS = f"""
SELECT w.i, count(*), max(r.quantity), (array_agg(r.quantity ORDER BY r.at DESC, r.revised DESC))[1],
    count(DISTINCT r.attributes ->> w.attribute)
FROM {
    _WINDOWS.replace(
        "%s::int[]) AS w(i, line, a, b, first, step)",
        "%s::int[], %s::text[]) AS w(i, line, a, b, first, step, attribute)",
    )
}
JOIN usage_usagerecord r ON r.line_id = w.line AND r.day >= w.a AND r.day < w.b
GROUP BY 1
"""

# What the supplier priced covers no day of the contracted quantity: its amount is all there is to bill (R17.1).
_COVERED = f"""
SELECT DISTINCT w.i, r.day, r.end_day FROM {_WINDOWS}
JOIN usage_usagerecord r ON r.line_id = w.line AND r.day < w.b AND r.end_day > w.a AND NOT r.priced ORDER BY 1, 2, 3
"""


def mark() -> int:
    """What the store has seen: every record that came or went so far has a mark up to this."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM usage_mark")
        return int(cursor.fetchone()[0])


def sums(windows: Sequence[Window]) -> dict[UsageKey, Usage]:
    """The sums of each window's records, in at most six queries; windows without a record are left out."""
    if not windows:
        return {}
    seen = mark()
    found: dict[int, dict[str, Any]] = {}
    everything = [i for i, w in enumerate(windows) if w.terms.aggregate == "sum"]
    with connection.cursor() as cursor:
        foreign: set[int] = set()
        for query in (_PLAIN, _SPANS):
            cursor.execute(query, _arrays(windows, everything))
            for i, *values, rated in cursor.fetchall():
                add_row(found.setdefault(i, nothing()), *values)
                foreign |= {i} if rated else set()
        if foreign:
            cursor.execute(_FOREIGN, _arrays(windows, sorted(foreign)))
            for i, *values in cursor.fetchall():
                _add_foreign(found[i], *values)
        others = [i for i, w in enumerate(windows) if w.terms.aggregate != "sum"]
        if others:
            arrays = _arrays(windows, others)
            cursor.execute(_OTHERS, [*arrays, [windows[i].terms.aggregate_of for i in arrays[0]]])
            for i, count, peak, last, unique in cursor.fetchall():
                found[i] = nothing() | {
                    "count": count,
                    "peak": peak or Decimal(0),
                    "last": last or Decimal(0),
                    "unique": unique,
                }
        fixed = [i for i, w in enumerate(windows) if w.terms.usage_pricing == "fixed_quantity"]
        if fixed:
            cursor.execute(_COVERED, _arrays(windows, fixed))
            for i, first, end in cursor.fetchall():
                found.setdefault(i, nothing())["covered"].append((first, end))
    return {(windows[i].line, windows[i].start): usage_of(values, seen) for i, values in found.items()}


def _arrays(windows: Sequence[Window], chosen: Sequence[int]) -> list[list[Any]]:
    index, lines, firsts, ends, ticks, steps = [], [], [], [], [], []
    for i in chosen:
        window = windows[i]
        tick = window.terms.tick if window.terms.tick_scope == "record" else (None, None)
        for a, b in window.ranges:
            index.append(i)
            lines.append(window.line)
            firsts.append(a)
            ends.append(b)
            ticks.append(tick[0])
            steps.append(tick[1])
    return [index, lines, firsts, ends, ticks, steps]


def nothing() -> dict[str, Any]:
    """Sums of no record yet."""
    return {
        "parts": {},
        "imported": {},
        "foreign": {},
        "covered": [],
        "seconds": 0,
        "count": 0,
        "raw_quantity": Decimal(0),
        "days_parts": Decimal(0),
        "whole_parts": Decimal(0),
        "imported_quantity": Decimal(0),
    }


def add_row(
    values: dict[str, Any],
    span: int,
    priced: bool,
    quantity: Decimal | None,
    cost: Decimal | None,
    amount: Decimal | None,
    seconds: int,
    count: int,
    raw: Decimal | None,
) -> None:
    """Put a row of `_PLAIN` or `_SPANS` to the sums."""
    zero, add = Decimal(0), EXACT.add
    values["count"] += count
    if priced:
        values["imported_quantity"] = add(values["imported_quantity"], raw or zero)
        values["imported"][span or 1] = add(values["imported"].get(span or 1, zero), amount or zero)
        return
    values["raw_quantity"] = add(values["raw_quantity"], raw or zero)
    values["seconds"] += int(seconds)
    part = "days_parts" if span else "whole_parts"
    values[part] = add(values[part], quantity or zero)
    before = values["parts"].get(span or 1, (zero, zero, zero))
    new = (quantity, cost, amount)
    values["parts"][span or 1] = tuple(add(x, y or zero) for x, y in zip(before, new, strict=True))


def _add_foreign(
    values: dict[str, Any],
    currency: str,
    day: date,
    over: Decimal,
    under: Decimal,
    span: int,
    priced: bool,
    cost: Decimal | None,
    amount: Decimal | None,
) -> None:
    zero = Decimal(0)
    key = (currency, Conversion(day, over, under), span)
    new = (zero, zero, amount or zero) if priced else (cost or zero, amount or zero, zero)
    before = values["foreign"].get(key, (zero, zero, zero))
    values["foreign"][key] = tuple(map(EXACT.add, before, new))


def usage_of(values: dict[str, Any], seen: int) -> Usage:
    """The sums as the core takes them; `seen`: the mark of the store."""
    parts = tuple((total, *sums_of) for total, sums_of in sorted(values["parts"].items()))
    rest = {k: v for k, v in values.items() if k not in ("parts", "imported", "foreign", "covered")}
    return Usage(
        parts=parts,
        imported=tuple(sorted(values["imported"].items())),
        foreign=tuple(Foreign(*key, *values["foreign"][key]) for key in sorted(values["foreign"])),
        covered=tuple(values["covered"]),
        mark=seen,
        **rest,
    )
