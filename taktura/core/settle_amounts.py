"""Settling what is priced by amount (R7, R9): each key to its expected total, then the unit's minimum and cap."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from taktura.core import units
from taktura.core.expected import Amount, Rated, rated_periods, unit_of
from taktura.core.facts import Charge, Key
from taktura.core.money import Money, fraction_text, half_up, minor, plain
from taktura.core.periods import DAY
from taktura.core.settling import Pass, flag, is_due
from taktura.core.tax import Vat, service_spans, vat_on

UNIT_KINDS = ("minimum_sales", "cost_cap")


def settle_amounts(work: Pass, amounts: list[Amount]) -> None:
    """Add what is due by amount, unit by unit."""
    by_unit: dict[tuple[date, date], list[Amount]] = {}
    unit_rows: dict[tuple[date, date], Rated] = {}
    for row in amounts:
        place = (row.unit.phase.start, row.unit.start)
        unit_rows.setdefault(place, row.unit)
        by_unit.setdefault(place, []).append(row)
    gone = {c.key for c in work.ledger.charges if not _is_by_days(c)} - {r.key for r in amounts}
    lost: dict[tuple[date, date], set[Key]] = {}
    for key in gone:
        unit = unit_of(work.contract, max(key.start, work.contract.start))
        place = (key.phase, key.start) if key.phase is not None else (unit.phase.start, unit.start)
        lost.setdefault(place, set()).add(key)
        unit_rows.setdefault(place, unit)
    for place in work.flagged:
        unit_rows.setdefault(place, unit_of(work.contract, place[1]))
    if work.scope.lines is None:
        # A minimum is due without any usage, and when its lines have ended (R9.2).
        for unit in rated_periods(work.contract, work.scope.on, work.since):
            if unit.terms.minimum is not None:
                unit_rows.setdefault((unit.phase.start, unit.start), unit)
    for place in sorted(unit_rows):
        _settle_unit(work, place, unit_rows[place], by_unit.get(place, []), lost.get(place, set()))


def _is_by_days(charge: Charge) -> bool:
    return charge.rate is not None


@dataclass(slots=True)
class _Delta:
    """What is due of one key by amount."""

    key: Key
    row: Amount | None
    vat: Vat
    expected: int
    amount: int


def _settle_unit(work: Pass, place: tuple[date, date], unit: Rated, rows: list[Amount], lost: set[Key]) -> None:
    """One billing period of one phase: its usage, its amounts, then top-up and relief (R9, R12.1)."""
    deltas: list[_Delta] = []
    for row in rows:
        delta = _amount_delta(work, row)
        if delta is not None:
            deltas.append(delta)
        if row.terms.in_minimum or row.terms.in_cap:
            standing = delta.expected if delta is not None else work.ledger.gross(row.key)
            vat = vat_on(work.contract.tax, row.rates, row.end - DAY)
            flag(work, place, row, vat, standing)
    for key in lost:
        if key.kind in UNIT_KINDS:
            continue
        if key.kind == "usage" and (work.scope.lines is None or key.line in work.scope.lines):
            billed = work.ledger.gross(key)
            if billed:
                deltas.append(_Delta(key, None, work.ledger.last(key).vat, 0, -billed))
    flagged_keys = {r.key for r in rows if r.terms.in_minimum or r.terms.in_cap}
    # A unit whose lines' periods begin before `since` is not all here, and nothing of it can have changed (`floor`).
    here = unit.grid.start >= work.since
    own = _unit_lines(work, place, unit, lost, deltas) if here else []
    joint = [d for d in deltas if d.key.kind == "usage" and d.key in flagged_keys] + own if here else []
    for vat in sorted({d.vat for d in joint}, key=lambda v: (-v[1], v[0])):
        together = {k for k in flagged_keys if work.ledger.vat_of(k) == vat} | work.ledger.unit_keys(place, vat)
        _emit_unit(work, unit, [d for d in joint if d.vat == vat], together)
    for delta in deltas:
        if delta.key.kind != "usage" or delta.key not in flagged_keys:
            _emit_unit(work, unit, [delta], {delta.key})


def _amount_delta(work: Pass, row: Amount) -> _Delta | None:
    """Expected less billed of one key, or None when the key is not due in this scope (it then counts as billed)."""
    scope, ledger = work.scope, work.ledger
    known = ledger.known(row.key)
    if scope.lines is not None:
        if not (known and row.line.id in scope.lines) and not is_due(work, row):
            return None
    elif row.key.kind == "usage" and row.running:
        if not (scope.interim and not scope.leave_usage and row.terms.interim and row.unit.start <= scope.on):
            return None
    elif not is_due(work, row) and not (known and row.key.kind != "usage"):
        return None
    billed, expected = ledger.gross(row.key), row.amount
    if row.key.kind != "usage":
        expected = max(expected, billed)
    if row.key.kind == "usage" and row.terms.flat_price and not row.base:
        expected = 0
    vat = vat_on(work.contract.tax, row.rates, row.end - DAY)
    return _Delta(row.key, row, vat, expected, expected - billed)


def _unit_lines(
    work: Pass, place: tuple[date, date], unit: Rated, lost: set[Key], deltas: list[_Delta]
) -> list[_Delta]:
    """Top-up and relief of a unit: what is due of them. Of a unit that is no more (after the contract's end, or before
    a change of tariff in the past) nothing is expected. `deltas` are what else is due of the unit."""
    terms, ledger, scope = unit.terms, work.ledger, work.scope
    billed = {k for k in lost if k.kind in UNIT_KINDS}
    if unit.start >= unit.end or (unit.phase.start, unit.start) != place:
        return [_Delta(k, None, k.vat, 0, -ledger.gross(k)) for k in billed if k.vat is not None]
    if terms.minimum is None and terms.cap is None and not billed:
        return []
    if scope.lines is not None and not (billed or _unit_touched(work, unit, deltas)):
        return []
    flagged = work.flagged.get(place, [])
    if not flagged and not billed and terms.minimum is None:
        return []
    sums: dict[str, dict[Vat, int]] = {"m": {}, "c": {}}
    for flags, vat, amount in flagged:
        for letter in flags:
            sums[letter][vat] = sums[letter].get(vat, 0) + amount
    nested = any("m" in f and "c" in f for f, _, _ in flagged)
    over = unit.end <= scope.on and (scope.lines is None or bool(billed))
    common = units.common_vat(work.contract, unit)
    result = units.top_up_and_relief(work.contract, unit, sums["m"], sums["c"], nested, common, over)
    own: list[_Delta] = []
    for kind, values, sign in (("minimum_sales", result.top_up, 1), ("cost_cap", result.relief, -1)):
        keys = {Key(None, kind, unit.start, unit.phase.start, vat): sign * v for vat, v in values.items()}
        for key in billed:
            if key.kind == kind:
                keys.setdefault(key, 0)
        for key, expected in keys.items():
            if kind == "minimum_sales" and not over and scope.lines is not None:
                continue
            assert key.vat is not None
            own.append(_Delta(key, None, key.vat, expected, expected - ledger.gross(key)))
    return own


def _unit_touched(work: Pass, unit: Rated, deltas: list[_Delta]) -> bool:
    """Whether a change at once touches a unit: by what is billed or due of its lines in it, or is due just now."""
    lines = work.scope.lines or frozenset()
    charges = [*work.ledger.charges, *work.due]
    return any(d.key.line in lines and d.amount for d in deltas) or any(
        c.key.line in lines and unit.start <= c.first < unit.end for c in charges
    )


def _emit_unit(work: Pass, unit: Rated, deltas: list[_Delta], keys: set[Key]) -> None:
    """Sum first, then sign (settlement.md): one VAT rate's differences of a unit go on one side together.

    `keys` are all keys of the unit at that rate, billed before or not.
    """
    ledger = work.ledger
    new_zero = [d for d in deltas if not d.amount and d.row is not None and _shown(d.row) and not ledger.known(d.key)]
    deltas = [d for d in deltas if d.amount]
    whole = sum(d.amount for d in deltas)
    related = keys | {d.key for d in deltas}
    waived = ledger.waived(related)
    if waived and deltas:
        whole = _waive(work, deltas, waived, whole, related)
    if whole > 0:
        work.due += [c for d in deltas for c in _charges(work, unit, d, d.amount)]
    elif whole < 0:
        fixed = _flagged_by_days(work, unit, deltas[0].vat) if any(d.key.kind in UNIT_KINDS for d in deltas) else []
        left = max(0, sum(ledger.net(k) for k in related) + sum(ledger.left(c) for c in fixed))
        beyond = min(0, left + whole)  # what no issued line can give back: a supplier's credit
        for delta in sorted(deltas, key=lambda d: d.amount):
            part = max(delta.amount, beyond) if beyond < 0 and delta.amount < 0 else 0
            beyond -= part
            work.due += _charges(work, unit, delta, part) if part else []
            work.due += _credit(work, unit, delta, delta.amount - part, related, fixed) if delta.amount - part else []
    work.due += [c for d in new_zero for c in _charges(work, unit, d, 0)]


def _flagged_by_days(work: Pass, unit: Rated, vat: Vat) -> list[Charge]:
    """The issued charges by days at one VAT rate that count in a unit's minimum or cap, oldest first."""
    flagged = {x.id for x in work.contract.lines if any(t.in_minimum or t.in_cap for _, t in x.terms)}
    return [
        c
        for c in work.ledger.charges
        if c.rate is not None and c.credits is None and c.amount > 0 and c.vat == vat
        and c.key.line in flagged and unit.start <= c.first < unit.end
    ]  # fmt: skip


def _shown(row: Amount) -> bool:
    """Whether usage that costs nothing has a line of its own: that of a flat price stands in the fee's text (R7.4)."""
    return bool(row.quantity) and not row.terms.flat_price


def _waive(work: Pass, deltas: list[_Delta], waived: int, whole: int, keys: set[Key]) -> int:
    """Credits by hand lower what is expected of the unit, never below zero (R5.4)."""
    expected = whole + sum(work.ledger.gross(k) for k in keys)
    less = waived - min(waived, max(expected, 0))
    for delta in sorted(deltas, key=lambda d: d.amount):
        if less and delta.amount < 0:
            back = min(less, -delta.amount)
            delta.amount += back
            less -= back
            whole += back
    return whole


def _charges(work: Pass, unit: Rated, delta: _Delta, amount: int) -> list[Charge]:
    """Charges of one key by amount, cut where the VAT rate changes (R13.3 `split`)."""
    row, before = delta.row, work.ledger.gross(delta.key)
    if row is None:
        unit_price = plain(Fraction(abs(amount), 10**work.contract.digits))
        least, most = units.bounds(work.contract, unit)
        bound = {"minimum": fraction_text(least)} if delta.key.kind == "minimum_sales" else {}
        if delta.key.kind == "cost_cap" and most is not None:
            bound = {"cap": fraction_text(most)}
        proof = {"rule": "R9.1", "expected": delta.expected, "billed_before": before} | bound
        return [
            Charge(
                key=delta.key,
                first=unit.start,
                end=unit.end if unit.end > unit.start else unit.grid.end,
                amount=amount,
                vat=delta.vat,
                quantity=Decimal(-1 if amount < 0 else 1),
                unit_price=unit_price,
                proof=proof,
            )
        ]
    quantity = plain(Fraction(row.quantity) - Fraction(work.ledger.quantity(delta.key)))
    proof = row.proof | {"expected": delta.expected, "billed_before": before}
    each = plain(row.each) if row.each is not None else None
    if each is not None and _is_difference(work, delta.key, quantity, each) and amount != _costs(work, quantity, each):
        digits = work.contract.digits
        proof["instead"] = [str(Money(delta.expected, digits)), str(Money(before, digits))]
    shares = tuple(work.shares.get(delta.key, {}).items()) if delta.key.kind != "usage" else ()
    spans = service_spans(work.contract.tax, row.rates, row.first, row.end)
    charges, length, done = [], (row.end - row.first).days, 0
    for a, b, vat in spans:
        so_far = half_up(Fraction(amount * (b - row.first).days, length))
        charges.append(
            Charge(
                key=delta.key,
                first=a,
                end=b,
                amount=so_far - done,
                vat=vat,
                quantity=quantity,
                unit_price=each,
                shares=shares,
                proof=proof,
            )
        )
        done = so_far
    return charges


def _is_difference(work: Pass, key: Key, quantity: Decimal, each: Decimal) -> bool:
    """Whether what is due of a key is no quantity at a price: it is billed at another, or all of it is billed."""
    before = work.ledger.price_of(key)
    return before is not None and (before != each or not quantity)


def _costs(work: Pass, quantity: Decimal, each: Decimal) -> int:
    return minor(Fraction(quantity) * Fraction(each), work.contract.digits)


def _credit(
    work: Pass, unit: Rated, delta: _Delta, amount: int, related: set[Key], fixed: list[Charge]
) -> list[Charge]:
    """Charges that take back from issued lines: the key's own, newest first; else another line of its unit, at last
    `fixed`, the flagged lines by days (a relief of theirs)."""
    sources = work.ledger.positive(delta.key) or [c for k in related for c in work.ledger.positive(k)] or fixed
    sources = sources[::-1]
    if amount > 0:  # within a credit note, a line that takes less back (a smaller relief, say)
        newest = sources[0].id if sources else None
        return [replace(c, credits=newest) for c in _charges(work, unit, delta, amount)]
    charges: list[Charge] = []
    rest = -amount
    for i, source in enumerate(sources):
        part = rest if i == len(sources) - 1 else min(rest, max(0, work.ledger.left(source)))
        if part:
            work.ledger.take(source, part)
            made = [replace(c, credits=source.id) for c in _charges(work, unit, delta, -part)]
            if len(made) == 1:
                made = [replace(made[0], vat=source.vat)]
            charges += [replace(c, quantity=Decimal(0)) for c in made] if charges else made
            rest -= part
    if not sources:
        charges += _charges(work, unit, delta, amount)
    return charges
