"""What past periods of a contract would have cost under another tariff (docs/what-if.md): the agreement cut to the days
that are compared, the draft laid in the tariff's place, and the same settlement of both, from nothing billed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from taktura.core.expected import rated_periods
from taktura.core.facts import ONE, Charge, Conditions, Contract, Line, LineTerms, Phase, TariffTerms, Usage
from taktura.core.metering import metered
from taktura.core.periods import DAY, Anchor, Span, anchor
from taktura.core.pricing import amounts, scaled
from taktura.core.schedule import Window, floor, windows
from taktura.core.settle import Scope, settle
from taktura.core.tax import Vat, is_gross, spread_net, tax_in_gross

NEW_LINES = 2**61  # ids of lines that the draft brings, beyond all that the database gives
Sums = dict[tuple[str, str], int]  # (article, kind) -> net in minor units; top-up and relief have no article


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draft:
    """A tariff that nobody has: its terms, its lines in order, and the article of each key that it has."""

    anchor: str
    terms: TariffTerms
    lines: tuple[LineTerms, ...]
    keys: Mapping[str, str]

    def line_of(self, article: str, key: str) -> LineTerms | None:
        """The line for an article, else the one with its key."""
        by_article = {line.article: line for line in self.lines}
        return by_article.get(article) or by_article.get(self.keys.get(key, ""))


class Piece(NamedTuple):
    """The days `[first, end)` of a contract under one of its tariffs that are compared. `by_days`: its periods are
    longer than what is looked at, so that parts of them are compared."""

    phase: Phase
    first: date
    end: date
    by_days: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """Usage of an article for which the draft has no usage line: records, quantity (minutes for times), old net."""

    article: str
    records: int
    quantity: Fraction
    net: int


def pieces(contract: Contract, first: date, end: date, phases: Collection[date] | None = None) -> Iterator[Piece]:
    """What of a contract is compared for whole months `[first, end)`: its billing periods whose last day lies in them;
    where a period is longer than the months, the days of the months. `phases`: only those that start then."""
    months = (end.year - first.year) * 12 + end.month - first.month
    for phase in contract.phases:
        if phases is not None and phase.start not in phases:
            continue
        last = min(phase.end, contract.end)
        if phase.start >= last or last <= first or phase.start >= end:
            continue
        if _longer(phase.terms(max(first, phase.start)).interval, months, (end - first).days):
            a, b = max(first, phase.start, contract.start), min(end, last)
            if a < b:
                yield Piece(phase, a, b, True)
            continue
        alone = replace(contract, phases=(phase,))
        found = [unit for unit in rated_periods(alone, end) if first < unit.end <= end]
        if found:
            yield Piece(phase, found[0].start, found[-1].end, False)


def _longer(interval: Span, months: int, days: int) -> bool:
    return interval.months > months if interval.months else interval.days > days


def cut(contract: Contract, piece: Piece) -> Contract:
    """The contract as if it had only the days of a piece: before them it is billed elsewhere, with them it ends."""
    return replace(
        contract,
        phases=(piece.phase,),
        billed_until=max(contract.billed_until, piece.first),
        end=min(contract.end, piece.end),
    )


def under(
    contract: Contract, draft: Draft, *, keys: Mapping[int, str], same_anchor: bool, own_conditions: bool
) -> Contract:
    """A contract that is `cut`, under a draft. `keys`: of its lines, by id.

    `same_anchor`: the draft counts periods as the contract's tariff does, so that its billing dates stay. Lines go on
    with their quantities where the draft has their article or key, and with `own_conditions` at their own price,
    discount and minimum quantity; a line kept at its old terms stays so. What the draft includes, and the contract
    never had under its tariff, is there all the time.
    """
    (phase,) = contract.phases
    counted = phase.anchor if same_anchor else _anchor(contract, phase, draft.anchor)
    lines: list[Line] = []
    there = set()
    for line in contract.lines:
        if line.start >= phase.end or (line.end <= phase.start > line.start and not _goes_on(line, phase)):
            continue  # of another phase
        terms = draft.line_of(line.article, keys.get(line.id, ""))
        if terms is not None:
            there.add(terms.article)
            moved = replace(line, terms=((line.start, terms),), kept=None)
            lines.append(moved if own_conditions else _plain(moved))
        elif line.kept is not None and phase.start >= line.kept:
            lines.append(line if own_conditions else _plain(line))
    for i, terms in enumerate(draft.lines):
        if terms.booking == "included" and terms.article not in there:
            lines.append(Line(id=NEW_LINES + i, start=contract.start, terms=((contract.start, terms),)))
    return replace(
        contract,
        phases=(replace(phase, anchor=counted, versions=((date.min, draft.terms),)),),
        lines=tuple(lines),
        coupons=contract.coupons if own_conditions else (),
        usage={},
    )


def _goes_on(line: Line, phase: Phase) -> bool:
    """Whether a line went over into a phase: ended afterwards from a day before, it was there and is gone."""
    return any(phase.start <= day < phase.end for day, _ in line.terms)


def _anchor(contract: Contract, phase: Phase, kind: str) -> Anchor:
    """Where periods would be counted from if the contract had been signed for the draft."""
    if kind == "contract":
        return anchor(kind, contract.trial_end or contract.start)
    return anchor(kind, phase.start)


def _plain(line: Line) -> Line:
    return replace(line, order_coupon=None, conditions=(), **Conditions()._asdict())


def cuts_periods(new: Contract, piece: Piece, end: date) -> bool:
    """Whether the days of a piece begin or end within a billing period that the contract has under a draft (`new`),
    so that parts of it are compared. `end`: of the contract before it was cut."""
    (phase,) = new.phases
    grid = phase.anchor.grid(phase.terms(piece.first).interval)
    borders = {phase.start, new.start, new.trial_end, phase.end, end}
    begins = piece.first in borders or grid.of(piece.first).start == piece.first
    return not (begins and (piece.end in borders or grid.of(piece.end - DAY).end == piece.end))


def asked(contract: Contract, piece: Piece) -> list[Window]:
    """The sums of usage that a contract which is `cut` needs."""
    return list(windows(contract, piece.end, floor(contract, piece.first + DAY)))


def charges(contract: Contract, piece: Piece) -> list[Charge]:
    """All that should have been billed of a contract which is `cut`, with its usage."""
    return settle(contract, (), Scope(on=piece.end), floor(contract, piece.first + DAY))


def net_sums(contract: Contract, found: Iterable[Charge]) -> Sums:
    """The net of charges by article and kind; gross prices without the VAT in the sum of each rate (R13.3)."""
    articles = {line.id: line.article for line in contract.lines}
    sums: Sums = {}
    by_vat: dict[Vat, Sums] = {}
    gross = is_gross(contract.tax)
    for charge in found:
        key = charge.key
        place = (articles.get(key.line, "") if key.line is not None else "", key.kind)
        into = by_vat.setdefault(charge.vat, {}) if gross else sums
        into[place] = into.get(place, 0) + charge.amount
    for (_, rate), rows in by_vat.items():
        whole = sum(rows.values())
        for place, net in zip(rows, spread_net(list(rows.values()), whole - tax_in_gross(whole, rate)), strict=True):
            sums[place] = sums.get(place, 0) + net
    return sums


class Rater:
    """The net sums of many contracts, each `cut` and with its usage: the same as `net_sums` of their `charges`, sooner.

    What makes no difference to other lines is rated by itself: usage by the price's kernel, recurring and one-off lines
    once for all contracts that have them alike. The rest (flagged lines, discounts, coupons, gross prices) is settled.
    """

    def __init__(self) -> None:
        self._alike: dict[tuple[object, ...], Sums] = {}

    def sums(self, contract: Contract, piece: Piece, windows: Iterable[Window]) -> Sums:
        """The net sums of a contract; `windows` are those that it has asked for."""
        if contract.tax.gross or contract.coupons:
            return net_sums(contract, charges(contract, piece))
        found: Sums = {}
        metered_lines = _priced_alone(contract, windows, found)
        alike: list[Line] = []
        rest: list[Line] = []
        for line in contract.lines:
            if line.id not in metered_lines:
                (alike if all(_alone(terms) for _, terms in line.terms) else rest).append(line)
        if alike:
            _put_in(found, self._sums_of(contract, piece, alike))
        (phase,) = contract.phases
        if rest or any(terms.minimum is not None for _, terms in phase.versions):
            settled = replace(contract, lines=tuple(rest))
            _put_in(found, net_sums(settled, charges(settled, piece)))
        return found

    def _sums_of(self, contract: Contract, piece: Piece, lines: list[Line]) -> Sums:
        """The sums of lines that depend on nothing but themselves, known from a contract that has the same."""
        (phase,) = contract.phases
        key = (
            (contract.start, contract.end, contract.billed_until, contract.trial_end, contract.pauses, contract.digits),
            (phase.start, phase.end, phase.anchor, phase.versions),
            tuple(
                (x.start, x.end, x.terms, x.quantities, x.price, x.discount, x.minimum_quantity, x.conditions, x.kept)
                for x in lines
            ),
        )
        known = self._alike.get(key)
        if known is None:
            bare = replace(phase, versions=tuple((day, _unbound(terms)) for day, terms in phase.versions))
            alone = replace(contract, phases=(bare,), lines=tuple(lines), usage={})
            known = self._alike[key] = net_sums(alone, charges(alone, piece))
        return known


def _put_in(sums: Sums, more: Sums) -> None:
    for place, net in more.items():
        sums[place] = sums.get(place, 0) + net


@lru_cache(maxsize=8192)
def _unbound(terms: TariffTerms) -> TariffTerms:
    """A tariff without minimum and cap: they are reckoned with the lines that count in them."""
    return replace(terms, minimum=None, cap=None)


@lru_cache(maxsize=8192)
def _alone(terms: LineTerms) -> bool:
    """Whether a line's cost depends neither on usage nor on another line's."""
    return terms.charge != "usage" and not terms.in_minimum and not terms.in_cap


@lru_cache(maxsize=8192)
def _plain_usage(terms: LineTerms) -> bool:
    """Whether the cost of usage is its quantity's price, and nothing else."""
    return (
        terms.charge == "usage"
        and terms.usage_pricing == "tariff"
        and not (terms.flat_price or terms.discount_scale or terms.in_minimum or terms.in_cap)
        and (not terms.included or terms.included_proration == "none")
    )


def _priced_alone(contract: Contract, windows: Iterable[Window], found: Sums) -> set[int]:
    """Price the usage of lines for which a price says all, into `found`; gives their ids."""
    lines = {
        line.id: line
        for line in contract.lines
        if not line.discount
        and line.minimum_quantity is None
        and not line.conditions
        and all(quantity == ONE for _, quantity in line.quantities)
        and all(_plain_usage(terms) for _, terms in line.terms)
    }
    if not lines:
        return set()
    sums: dict[int, int] = dict.fromkeys(lines, 0)
    for window in windows:
        line, used = lines.get(window.line), contract.usage.get((window.line, window.start))
        if line is None or used is None:
            continue
        quantity = scaled(metered(window.terms, used))
        if used.imported or used.foreign or isinstance(quantity, Fraction) or quantity < 0:
            del lines[line.id], sums[line.id]  # a supplier's price, finer than the kernel reckons, or a credit
            continue
        (amount,) = amounts(window.terms, (quantity,), contract.digits, line.price)
        sums[line.id] += amount
    for pk, net in sums.items():
        place = (lines[pk].article, "usage")
        found[place] = found.get(place, 0) + net
    return set(lines)


def lost_usage(contract: Contract, new: Contract, sums: Sums) -> list[Lost]:
    """The usage of a contract which is `cut` that `new`, the same under a draft, has no usage line for; `sums` are the
    contract's own."""
    priced = {line.id for line in new.lines if line.terms[0][1].charge == "usage"}
    found: dict[str, list[tuple[Line, Usage]]] = {}
    lines = {line.id: line for line in contract.lines if line.id not in priced}
    for (line_id, _), used in contract.usage.items():
        if line_id in lines and used.count:
            found.setdefault(lines[line_id].article, []).append((lines[line_id], used))
    return [
        Lost(
            article,
            sum(used.count for _, used in rows),
            sum((_quantity(line, used) for line, used in rows), Fraction(0)),
            sum(net for (of, kind), net in sums.items() if of == article and kind in ("usage", "flat")),
        )
        for article, rows in found.items()
    ]


def _quantity(line: Line, used: Usage) -> Fraction:
    terms = line.terms[-1][1]
    if terms.usage_pricing != "tariff":
        return Fraction(used.raw_quantity) + Fraction(used.imported_quantity)
    return Fraction(metered(terms, used)) + Fraction(used.imported_quantity)
