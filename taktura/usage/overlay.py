"""A record laid over a contract's facts: which line it would find, and what that line's sums would be. Nothing is
written. In Python what `store` says in SQL of many records; a test holds both against each other."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from taktura.core import facts
from taktura.core.facts import LineTerms, Usage
from taktura.core.metering import billed_seconds
from taktura.core.money import EXACT
from taktura.core.periods import DAY
from taktura.core.schedule import windows

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A record of one instant for an article of a contract, on a local day. `newest`: none of its line is later."""

    article: str
    day: date
    quantity: Decimal | None = None
    seconds: int | None = None
    cost: Decimal | None = None  # of all of it
    amount: Decimal | None = None  # of all of it, at the supplier's price
    newest: bool = True


def finds(contract: facts.Contract, reading: Reading, closed_until: date | None) -> tuple[int | None, str]:
    """The line that a record would find, or the reason why it would wait (R6.5)."""
    known = [line for line in contract.lines if line.article == reading.article]
    if not known:
        return None, "unknown_key"
    day = reading.day
    lives = {x.id: (max(x.start, contract.start, contract.billed_until), min(x.end, contract.end)) for x in known}
    line = min(known, key=lambda x: (not lives[x.id][0] <= day < lives[x.id][1], x.id))
    first, stop = lives[line.id]
    if line.terms[0][1].charge != "usage":
        return None, "invalid"
    if closed_until is not None and day < closed_until:
        return None, "closed_period"
    if day < first:
        return None, "before_start"
    if day >= stop:
        return None, "after_end"
    if any(a <= day < b for a, b in contract.pauses):
        return None, "paused"
    return line.id, ""


def laid_over(contract: facts.Contract, reading: Reading, closed_until: date | None) -> facts.Contract:
    """The contract with the record in the sums of its line's period; unchanged where it finds none."""
    line, _ = finds(contract, reading, closed_until)
    if line is None:
        return contract
    usage: Mapping[facts.UsageKey, Usage] = contract.usage
    for window in windows(contract, reading.day + DAY):
        if window.line == line and any(a <= reading.day < b for a, b in window.ranges):
            key = (line, window.start)
            usage = {**usage, key: _added(usage.get(key, Usage()), window.terms, reading)}
    return replace(contract, usage=usage)


def going_on(contract: facts.Contract, quantities: Mapping[int, Decimal], until: date) -> facts.Contract:
    """The contract as if the services of lines went on as they are: of each line named its quantity once in each period
    that begins before a day, all its days covered. What suppliers' costs or prices decide is not known."""
    usage: dict[facts.UsageKey, Usage] = dict(contract.usage)
    for window in windows(contract, until):
        if window.line not in quantities or window.terms.usage_pricing in ("cost_plus", "imported_price"):
            continue
        key = (window.line, window.start)
        reading = Reading(article=window.terms.article, day=window.ranges[0][0], quantity=quantities[window.line])
        found = _added(usage.get(key, Usage()), window.terms, reading)
        if window.terms.usage_pricing == "fixed_quantity":
            found = replace(found, covered=window.ranges)
        usage[key] = found
    return replace(contract, usage=usage)


def _added(usage: Usage, terms: LineTerms, reading: Reading) -> Usage:
    """Sums with one record more, by the line's aggregate (R6.2, R6.4)."""
    if terms.usage_pricing == "fixed_quantity":
        usage = replace(usage, covered=(*usage.covered, (reading.day, reading.day + DAY)))
    count, quantity = usage.count + 1, reading.quantity or ZERO
    if terms.aggregate != "sum":
        peak = max(usage.peak, quantity) if usage.count and reading.quantity is not None else usage.peak or quantity
        return replace(usage, count=count, peak=peak, last=quantity if reading.newest else usage.last)
    seconds = reading.seconds or 0
    parts = {part[0]: part[1:] for part in usage.parts}
    new = (quantity, reading.cost or ZERO, reading.amount or ZERO)
    parts[1] = tuple(map(EXACT.add, parts.get(1, (ZERO, ZERO, ZERO)), new))  # type: ignore[assignment]
    return replace(
        usage,
        count=count,
        seconds=usage.seconds + (billed_seconds(seconds, terms.tick) if terms.tick_scope == "record" else seconds),
        raw_quantity=EXACT.add(usage.raw_quantity, quantity),
        whole_parts=EXACT.add(usage.whole_parts, quantity),
        parts=tuple((days, *sums) for days, sums in sorted(parts.items())),
    )
