"""When a contract is due, and what a settlement must ask of the stores (settlement.md, “Due”)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from taktura.core.expected import active, rated_periods, unit_of
from taktura.core.facts import Contract, Line, LineTerms, Phase, at
from taktura.core.periods import DAY, Range, Span, clip


@dataclass(frozen=True, slots=True)
class Window:
    """One usage sum to ask of the store: a line, the rated period by its start, the days of it that count."""

    line: int
    start: date
    ranges: tuple[Range, ...]
    terms: LineTerms


def windows(contract: Contract, until: date, since: date = date.min) -> Iterator[Window]:
    """The usage sums that a settlement of the periods that begin before `until` needs."""
    lines = [line for line in contract.lines if line.terms[0][1].charge == "usage"]
    if not lines:
        return
    lives = [(line, active(contract, line)) for line in lines]
    for unit in rated_periods(contract, until, since):
        for line, life in lives:
            ranges = clip(life, unit.start, unit.end)
            if ranges:
                terms = at(line.terms, max(unit.start, line.start) if line.start < unit.end else unit.start)
                yield Window(line.id, unit.start, tuple(ranges), terms)


def floor(contract: Contract, since: date) -> date:
    """The day from which keys must be settled again when facts from `since` on have changed: the earliest start of a
    period, of any interval in the contract, in which the day before `since` lies. A coupon's amount is shared by the
    lines of a billing period: with one, no billing period is cut."""
    if since <= contract.start:
        return date.min
    day = since - DAY
    if contract.trial_end and day < contract.trial_end:
        return date.min
    intervals = {t.interval for line in contract.lines for _, t in line.terms if t.charge == "recurring"}
    starts = [day]
    for phase in contract.phases:
        starts += _period_starts(phase, intervals, day)
    shared = any(c.amount is not None for c in contract.coupons)
    return _uncut(contract, intervals, min(starts)) if shared else min(starts)


def _period_starts(phase: Phase, intervals: set[Span], day: date) -> list[date]:
    found = intervals | {terms.interval for _, terms in phase.versions}
    return [phase.anchor.grid(interval).of(day).start for interval in found]


def _uncut(contract: Contract, intervals: set[Span], day: date) -> date:
    """The last day up to `day` that cuts no billing period: neither it, nor a period of a line in its first days."""
    while day > contract.start:
        unit = unit_of(contract, day)
        if unit.trial:
            break
        starts = [unit.start]
        if unit.start in (unit.phase.start, contract.trial_end):  # periods of lines may have begun before it
            starts += _period_starts(unit.phase, intervals, unit.start)
        if min(starts) >= day:
            return day
        day = min(starts)
    return date.min


def next_due(contract: Contract, after: date | None) -> date | None:
    """The first day after `after` (None: of all) on which something falls due, None when nothing will."""
    found = [day for line in contract.lines for day in _line_dues(contract, line, after)]
    for phase in contract.phases:
        if phase.terms(after or phase.start).minimum is not None:
            stop = min(phase.end, contract.end)
            day = max(phase.start, after) if after else phase.start
            if day < stop:
                period = phase.anchor.grid(phase.terms(day).interval).of(max(day, contract.trial_end or day))
                found.append(min(period.end, stop))
    wanted = [day for day in found if after is None or day > after]
    return min(wanted) if wanted else None


def _line_dues(contract: Contract, line: Line, after: date | None) -> Iterator[date]:
    first_terms = line.terms[0][1]
    if first_terms.charge == "once":
        if line.start >= contract.billed_until and line.start < min(line.end, contract.end):
            yield line.start
        return
    usage = first_terms.charge == "usage"
    for ranges, phase in _stretches(contract, line, usage):
        day = max(ranges[0][0], after) if after else ranges[0][0]
        if day <= min(line.end, phase.end, contract.end):
            yield from _phase_dues(contract, line, phase, ranges, day)


def _stretches(contract: Contract, line: Line, usage: bool) -> Iterator[tuple[list[Range], Phase]]:
    life = active(contract, line, recurring=not usage)
    for phase in contract.phases:
        ranges = clip(life, phase.start, phase.end)
        if ranges:
            yield ranges, phase


def _phase_dues(contract: Contract, line: Line, phase: Phase, ranges: list[Range], day: date) -> Iterator[date]:
    """The next dues of a line in one phase from a day on: of the period in which the day lies and of the next.

    `ranges` are the days on which it is active: a pause cuts them, but not the periods (R3.2).
    """
    stop = min(line.end, phase.end, contract.end)
    terms = at(line.terms, max(min(day, stop - DAY), phase.start))
    usage = terms.charge == "usage"
    grid = phase.anchor.grid(phase.terms(day).interval if usage else terms.interval)
    trial = contract.trial_end
    if usage and trial and day < trial:
        yield min(trial, stop)
        return
    if usage or terms.when == "arrears":
        period = grid.of(day)
        if ranges[-1][1] > period.start:
            yield min(period.end, stop)
        if ranges[-1][1] > period.end:
            yield min(grid.of(period.end).end, stop)
        return
    for a, b in ranges:
        if b <= day:
            continue
        yield a
        upcoming = grid.of(max(day, a)).end
        if upcoming < b:
            yield upcoming
            return


def conditions_hold_from(contract: Contract, line: Line, day: date) -> date:
    """From when own conditions that a line has from a day on hold: by days from it; of usage, and of what is charged
    whole, from the first period that begins on or after it."""
    by_days, begins, ends = _billed_with(contract, line, day)
    return day if by_days or day == begins else ends


def as_billed(contract: Contract, line: Line, day: date) -> Line:
    """A line on the own conditions by which a day is billed: by days those of the day, of usage, and of what is charged
    whole, those of its period's first day."""
    by_days, begins, _ends = _billed_with(contract, line, day)
    return line.on(day if by_days else begins)


def own_over_time(contract: Contract, line: Line) -> list[tuple[date, Line]]:
    """From when which own conditions of a line are billed, from its first day on; what never comes to hold is left
    out."""
    stop = min(line.end, contract.end)
    days = {line.start, *(conditions_hold_from(contract, line, max(start, line.start)) for start, _ in line.conditions)}
    return [(day, line.on(day)) for day in sorted(days) if day < stop or day == line.start]


def _billed_with(contract: Contract, line: Line, day: date) -> tuple[bool, date, date]:
    """Whether a line's own conditions bear on it by days, and its period in which a day lies."""
    terms = at(line.terms, day)
    unit = unit_of(contract, day)
    if terms.charge == "usage":
        return terms.flat_price, max(unit.start, line.start), unit.end
    period = unit.phase.anchor.grid(terms.interval).of(day)
    return terms.proration != "none", max(period.start, unit.phase.start, line.start), period.end
