"""How the running period of a contract stands: what was used of each line, and how far minimum and cap are reached."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from taktura.billing.queries import Facts, due_of
from taktura.core.expected import Rated, active, unit_of
from taktura.core.facts import Charge, Contract, Line, LineTerms, Usage, at
from taktura.core.metering import metered
from taktura.core.money import Money, half_up, plain
from taktura.core.periods import DAY, FOREVER, clip
from taktura.core.settle import Scope
from taktura.core.units import bounds

SHARE_DECIMALS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LineUsage:
    """A usage line in a period. `quantity` as it is billed so far (minutes for times), `included` what of it is free in
    all, `share` how much of that is used (1 is all; None: nothing is included), `beyond` what is used besides.
    `amount`: what the quantity so far costs by itself, before minimum and cap, in the price's basis."""

    line: int
    terms: LineTerms
    quantity: Decimal
    included: Decimal
    beyond: Decimal
    share: Decimal | None
    records: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A minimum or a cap of a period, and what counts in it so far; `share` of it, 1 is all."""

    amount: Money
    reached: Money
    share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A period `[start, end)` as it stands."""

    start: date
    end: date
    lines: list[LineUsage]
    minimum: Bound | None
    cap: Bound | None


def running(known: Facts, pk: int, day: date) -> Running | None:
    """The billing period of a contract in which a day lies, as if it were over and nothing more were used; the last one
    of a contract that has ended. None before its first. `known` reaches up to the day."""
    contract = known.contracts[pk]
    if day < contract.start:
        return None
    unit = _unit(contract, day)
    alone = Facts({pk: contract}, {}, {pk: unit.grid.start}, {})
    charges = [c for c in due_of(alone, pk, Scope(on=unit.end)) if unit.start <= c.key.start < unit.end]
    lines = [
        _line(line, unit, charges, contract.usage.get((line.id, unit.start), Usage()), contract.digits)
        for line in contract.lines
        if line.terms[0][1].charge == "usage" and clip(active(contract, line), unit.start, unit.end)
    ]
    least, most = bounds(contract, unit)
    minimum = _bound(least, _flagged(contract.lines, unit, charges, "in_minimum"), contract.digits) if least else None
    cap = _bound(most, _flagged(contract.lines, unit, charges, "in_cap"), contract.digits) if most is not None else None
    return Running(start=unit.start, end=unit.end, lines=lines, minimum=minimum, cap=cap)


def period_start(contract: Contract, day: date) -> date:
    """The start of the whole period that `running` looks at."""
    return _unit(contract, max(day, contract.start)).grid.start


def _unit(contract: Contract, day: date) -> Rated:
    return unit_of(contract, min(day, contract.end - DAY) if contract.end != FOREVER else day)


def _line(line: Line, unit: Rated, charges: Iterable[Charge], usage: Usage, digits: int) -> LineUsage:
    own = [c for c in charges if c.key.line == line.id and c.key.kind in ("usage", "flat")]
    terms = at(line.terms, max(unit.start, line.start))
    billed = next((c for c in own if c.key.kind == "usage"), None)
    proof = next((c.proof for c in own), {})
    used = metered(terms, usage) if terms.usage_pricing == "tariff" else usage.raw_quantity
    included = Fraction(str(proof.get("included", 0))) if billed else Fraction(terms.included)
    return LineUsage(
        line=line.id,
        terms=terms,
        quantity=plain(used),
        included=plain(included),
        beyond=plain(max(Fraction(used) - included, Fraction(0))),
        share=plain(Fraction(used) / included, SHARE_DECIMALS) if included else None,
        records=usage.count,
        amount=Money(sum(c.amount for c in own), digits),
    )


def _flagged(lines: Iterable[Line], unit: Rated, charges: Iterable[Charge], flag: str) -> int:
    flagged = {
        x.id
        for x in lines
        if getattr(at(x.terms, max(unit.start, x.start)), flag)
        and not (x.kept is not None and unit.phase.start >= x.kept)
    }
    return sum(c.amount for c in charges if c.key.line in flagged and c.key.kind not in ("minimum_sales", "cost_cap"))


def _bound(amount: Fraction, reached: int, digits: int) -> Bound:
    share = plain(Fraction(reached) / amount, SHARE_DECIMALS) if amount else Decimal(0)
    return Bound(amount=Money(half_up(amount), digits), reached=Money(reached, digits), share=share)
