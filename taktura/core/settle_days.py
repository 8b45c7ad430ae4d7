"""Settling what is priced by days (R4, R5.3): day by day, credit what differs and charge what is expected."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from taktura.core.expected import Segment, cost_until, days_amount, unit_of
from taktura.core.facts import Charge, Key, Rate
from taktura.core.money import fraction_text, plain
from taktura.core.periods import DAY
from taktura.core.pricing import billed_quantity
from taktura.core.settling import Pass, is_due, looked_at, note_flagged
from taktura.core.tax import service_spans


def settle_days(work: Pass, segments: list[Segment]) -> None:
    rows: dict[Key, list[Segment]] = {}
    for segment in segments:
        rows.setdefault(segment.key, []).append(segment)
    for key in [*rows, *(k for k in work.ledger.days_keys if k not in rows)]:
        expected = sorted(rows.get(key, ()), key=lambda s: s.first)
        _settle_days_key(work, key, expected)


def _settle_days_key(work: Pass, key: Key, expected: list[Segment]) -> None:
    """Day by day: credit what differs from what is expected, charge what is expected and not billed so."""
    ledger = work.ledger
    covers = ledger.covers(key)
    at_once = looked_at(work, key.line, bool(covers) or ledger.known_by_days(key))
    dues = [is_due(work, s) for s in expected]
    credits: list[tuple[Charge, date, date]] = []
    charges: list[tuple[Segment, date, date]] = []
    standing: list[tuple[Segment, date, date]] = []
    edges = sorted({e for s in expected for e in (s.first, s.end)} | {e for a, b, _ in covers for e in (a, b)})
    for a, b in zip(edges, edges[1:], strict=False):
        cover = next((c for x, y, c in covers if x <= a < y), None)
        index = next((i for i, s in enumerate(expected) if s.first <= a < s.end), None)
        segment = expected[index] if index is not None else None
        if segment is None:
            if cover is not None and at_once and not _stays(work, cover, a):
                _extend(credits, cover, a, b)
            continue
        same = cover is not None and _is_of(cover.rate, cover.quantity, segment)
        wanted = same or (at_once and cover is not None) or (index is not None and dues[index])
        if cover is not None and not same and wanted:
            _extend(credits, cover, a, b)
        if wanted:
            _extend(standing, segment, a, b)
        if wanted and not same:
            _extend(charges, segment, a, b)
    note_flagged(work, key, standing, covers if not standing and not at_once else [])
    if at_once or any(dues):
        _emit_days(work, key, credits, charges, standing)


def _is_of(rate: Rate | None, quantity: Decimal, segment: Segment) -> bool:
    """Whether a day at a cost, of which a quantity is billed, is what a segment expects of it. Under a minimum quantity
    what is booked may differ, since neither quantity nor cost of what is billed does (R7.5)."""
    if rate == segment.rate:
        return True
    assert rate is not None and segment.rate is not None
    return quantity == _billed(segment) and rate == replace(segment.rate, quantity=rate.quantity)


def _billed(segment: Segment) -> Decimal:
    return billed_quantity(segment.line, segment.terms, segment.quantity)


def _stays(work: Pass, cover: Charge, day: date) -> bool:
    """Whether what was paid beyond an end is kept (`credit_on_end: no`, R15.5)."""
    contract = work.contract
    line = next((x for x in contract.lines if x.id == cover.key.line), None)
    noticed = min(contract.end, line.end) if line is not None and line.ended_by_notice else contract.end
    if day < noticed:
        return False
    return not unit_of(contract, min(day, noticed - DAY)).terms.credit_on_end


def _emit_days(
    work: Pass,
    key: Key,
    credits: list[tuple[Charge, date, date]],
    charges: list[tuple[Segment, date, date]],
    standing: list[tuple[Segment, date, date]],
) -> None:
    contract, ledger, digits = work.contract, work.ledger, work.contract.digits
    taken = 0
    for cover, a, b in credits:
        assert cover.rate is not None
        amount = min(days_amount(cover.rate, a, b, digits), ledger.left(cover))
        ledger.take(cover, amount)
        taken += amount
        work.due.append(
            replace(
                cover,
                first=a,
                end=b,
                amount=-amount,
                credits=cover.id,
                by_hand=False,
                rebill=False,
                shares=(),
                proof=_days_proof(cover.rate, a, b, {"rule": "R5.3"}),
            )
        )
    new: list[Charge] = []
    for segment, first, end in charges:
        assert segment.rate is not None
        for a, b, vat in service_spans(contract.tax, segment.rates, first, end):
            shares = tuple(work.shares.get(key, {}).items())
            quantity = _billed(segment)
            new.append(
                Charge(
                    key=key,
                    first=a,
                    end=b,
                    amount=days_amount(segment.rate, a, b, digits),
                    vat=vat,
                    quantity=quantity,
                    unit_price=plain(segment.rate.price / Fraction(quantity)),
                    rate=segment.rate,
                    shares=shares,
                    proof=_days_proof(segment.rate, a, b, {"rule": "R4.2"} | segment.proof),
                )
            )
    work.due += _less_waived(work, key, new, standing, taken)


def _less_waived(
    work: Pass, key: Key, new: list[Charge], standing: list[tuple[Segment, date, date]], taken: int
) -> list[Charge]:
    """What was credited by hand is not billed again by a reversal (R5.4): lower the new charges to what is expected."""
    waived = work.ledger.waived_by_days(key)
    if not waived or not new:
        return new
    digits = work.contract.digits
    expected = sum(days_amount(s.rate, a, b, digits) for s, a, b in standing if s.rate is not None)
    excess = work.ledger.net_by_days(key) - taken + sum(c.amount for c in new) - max(0, expected - waived)
    lowered: list[Charge] = []
    for charge in reversed(new):
        less = max(0, min(excess, charge.amount))
        excess -= less
        proof = {**charge.proof, "waived": less} if less else charge.proof
        lowered.append(replace(charge, amount=charge.amount - less, proof=proof))
    return lowered[::-1]


def _days_proof(rate: Rate, first: date, end: date, more: dict[str, object]) -> dict[str, object]:
    return more | {
        "period": [rate.start.isoformat(), rate.end.isoformat()],
        "period_price": fraction_text(rate.price),
        "a": (first - rate.start).days,
        "b": (end - rate.start).days,
        "n": (rate.end - rate.start).days,
        "cost_a": fraction_text(cost_until(rate, first) if first > rate.start else 0),
        "cost_b": fraction_text(cost_until(rate, end)),
    }


def _extend(rows: list, what: object, first: date, end: date) -> None:  # type: ignore[type-arg]
    """Add `[first, end)` of something to a list, joined to its neighbour where that is the same."""
    if rows:
        last, a, b = rows[-1]
        same = last is what or (
            isinstance(what, Segment) and _is_of(last.rate, _billed(last), what) and last.unit == what.unit
        )
        if same and b == first:
            rows[-1] = (last, a, end)
            return
    rows.append((what, first, end))
