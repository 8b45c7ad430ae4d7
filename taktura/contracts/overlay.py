"""A change laid over a contract's facts: the core's values as they would be if it were written. Nothing is.

What is not written has no id; it gets one from `NEW` on, beyond all that the database gives.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from taktura.catalog.models import Coupon
from taktura.catalog.queries import tariff_line_terms, version_terms
from taktura.contracts.models import Contract, ContractCoupon, ContractLine, LineStretch, PhaseVersion
from taktura.contracts.services.changes import PlannedTariff
from taktura.contracts.services.lines import Planned
from taktura.contracts.services.signing import PlannedContract, PlannedPhase
from taktura.contracts.services.transfer import PlannedLine, PlannedTransfer
from taktura.core import facts
from taktura.core.facts import LineTerms
from taktura.core.money import places
from taktura.core.periods import Anchor
from taktura.customers.queries import tax_of
from taktura.kit.fields import end_of

NEW = 2**62
Change = Callable[[facts.Line], facts.Line]


def with_quantity(contract: facts.Contract, line: int, start: date, quantity: Decimal) -> facts.Contract:
    """The contract with another quantity of a line from a day on."""
    return _each(
        contract,
        {line},
        lambda x: replace(x, quantities=tuple(sorted({**dict(x.quantities), start: quantity}.items()))),
    )


def with_quantities(
    contract: facts.Contract, line: int, quantities: tuple[tuple[date, Decimal], ...]
) -> facts.Contract:
    """The contract with other quantities of a line over time."""
    return _each(contract, {line}, lambda x: replace(x, quantities=quantities))


def with_conditions(contract: facts.Contract, line: int, start: date, own: facts.Conditions) -> facts.Contract:
    """The contract with other own conditions of a line from a day on."""
    return _each(
        contract, {line}, lambda x: replace(x, conditions=tuple(sorted({**dict(x.conditions), start: own}.items())))
    )


def with_lines(contract: facts.Contract, planned: Iterable[Planned]) -> facts.Contract:
    """The contract with lines more."""
    first = NEW + len(contract.lines)
    return replace(contract, lines=contract.lines + tuple(_line(first + i, p) for i, p in enumerate(planned)))


def with_line_end(contract: facts.Contract, line: int, end: date | None, *, by_notice: bool = False) -> facts.Contract:
    """The contract with a line that ends before a day (None: not)."""
    return _each(contract, {line}, lambda x: replace(x, end=end_of(end), ended_by_notice=by_notice))


def with_end(contract: facts.Contract, end: date | None) -> facts.Contract:
    """The contract with another end (exclusive; None: none)."""
    return replace(contract, end=end_of(end))


def with_pause(contract: facts.Contract, start: date, end: date | None) -> facts.Contract:
    """The contract paused in `[start, end)`; a pause that begins on the same day is replaced."""
    others = [p for p in contract.pauses if p[0] != start]
    return replace(contract, pauses=tuple(sorted([*others, (start, end_of(end))])))


def with_coupon(contract: facts.Contract, given: ContractCoupon) -> facts.Contract:
    """The contract with a coupon more."""
    coupon = given.coupon
    row = facts.Coupon(
        id=NEW + len(contract.coupons),
        given=given.given,
        first=given.first,
        end=end_of(given.end),
        percent=coupon.percent,
        amount=coupon.amount,
        articles=frozenset(coupon.articles),
    )
    return replace(contract, coupons=(*contract.coupons, row))


def with_order_coupon(contract: facts.Contract, planned: PlannedContract, coupon: Coupon) -> facts.Contract:
    """A contract that is ordered with its newest coupon: the add-ons chosen are priced by it (R10.3)."""
    rows = zip(contract.lines, planned.lines, strict=True)
    chosen = {
        x.id for x, p in rows if p.line.booking != "included" and (not coupon.articles or x.article in coupon.articles)
    }
    return _each(contract, chosen, lambda x: replace(x, order_coupon=contract.coupons[-1].id))


def with_tariff(contract: facts.Contract, planned: PlannedTariff) -> facts.Contract:
    """The contract under another tariff."""
    start = planned.opening.phase.start
    phases = tuple(replace(p, end=start) if p.start == planned.old.start else p for p in contract.phases)
    changed = replace(contract, phases=(*phases, _phase(planned.opening)))
    changed = _each(changed, {x.pk for x in planned.kept}, lambda x: replace(x, kept=start))
    for line, end in planned.ended:
        changed = with_line_end(changed, line.pk, end)
    going_on = {x.id: x.terms for x in changed.lines}
    for pk in {s.line_id for s in planned.stretches}:
        going_on[pk] += _terms([s for s in planned.stretches if s.line_id == pk])
    lines = (replace(x, terms=tuple(sorted(going_on[x.id], key=_start))) for x in changed.lines)
    changed = replace(changed, lines=tuple(lines))
    return with_lines(changed, planned.new)


def of_planned(planned: PlannedContract) -> facts.Contract:
    """A contract that is not written, as it would be."""
    return with_lines(_empty(planned.contract, planned.opening), planned.lines)


def of_transfer(planned: PlannedTransfer) -> facts.Contract:
    """The contract of the other customer, as it would be. Its lines and coupons have the ids of those that they go on
    with, so that usage of those is found."""
    coupons = (with_coupon(_empty(planned.contract, planned.opening), c.given).coupons[0] for c in planned.coupons)
    return replace(
        _empty(planned.contract, planned.opening),
        lines=tuple(_moved(one) for one in planned.lines),
        pauses=tuple(sorted((row.start, end_of(row.end)) for row in planned.pauses)),
        coupons=tuple(replace(c, id=one.source) for one, c in zip(planned.coupons, coupons, strict=True)),
    )


def _empty(contract: Contract, opening: PlannedPhase) -> facts.Contract:
    """A contract without lines that is not written."""
    customer = contract.customer
    return facts.Contract(
        id=NEW,
        start=contract.start,
        end=end_of(contract.end),
        billed_until=contract.billed_until or date.min,
        trial_end=contract.trial_end,
        phases=(_phase(opening),),
        lines=(),
        tax=tax_of(customer),
        digits=places(contract.currency),
        stacking=customer.seller.stacking,
        coupon_and_scale=customer.seller.coupon_and_scale,
    )


def _each(contract: facts.Contract, lines: set[int], change: Change) -> facts.Contract:
    return replace(contract, lines=tuple(change(x) if x.id in lines else x for x in contract.lines))


def _line(pk: int, planned: Planned) -> facts.Line:
    return _of_row(pk, planned.line, planned.stretches, ((planned.line.start, planned.quantity),))


def _moved(planned: PlannedLine) -> facts.Line:
    quantities = {row.start: row.quantity for row in planned.quantities}
    conditions = {
        row.start: facts.Conditions(row.price, row.discount, row.reason, row.minimum_quantity)
        for row in planned.conditions
    }
    line = _of_row(planned.source, planned.line, planned.stretches, tuple(quantities.items()))
    return replace(line, conditions=tuple(conditions.items()))


def _of_row(
    pk: int, line: ContractLine, stretches: Sequence[LineStretch], quantities: tuple[tuple[date, Decimal], ...]
) -> facts.Line:
    return facts.Line(
        id=pk,
        start=line.start,
        end=end_of(line.end),
        terms=_terms(stretches),
        quantities=quantities,
        price=line.price,
        discount=Decimal(line.discount),
        reason=line.reason,
        name=line.name,
        minimum_quantity=line.minimum_quantity,
        kept=line.kept_from,
        ended_by_notice=line.ended_by_notice,
        order_coupon=line.order_coupon,
    )


def _terms(rows: Sequence[LineStretch]) -> tuple[tuple[date, LineTerms], ...]:
    known = tariff_line_terms(r.tariff_line_id for r in rows)
    return tuple(sorted(((r.effective_from, known[r.tariff_line_id]) for r in rows), key=_start))


def _start(row: tuple[date, LineTerms]) -> date:
    return row[0]


def _phase(planned: PlannedPhase) -> facts.Phase:
    phase = planned.phase
    rows: list[PhaseVersion] = sorted(planned.versions, key=lambda v: v.effective_from)
    known = version_terms(v.version_id for v in rows)
    return facts.Phase(
        start=phase.start,
        end=end_of(phase.end),
        anchor=Anchor(phase.anchor_kind, phase.anchor_origin, phase.anchor_day),
        versions=tuple((v.effective_from, known[v.version_id]) for v in rows),
    )
