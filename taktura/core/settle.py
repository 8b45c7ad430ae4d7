"""Settlement (R5, settlement.md): expected minus billed. The one function that makes charges."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from taktura.core import coupons as cp
from taktura.core import units
from taktura.core.expected import Amount, Rated, Segment, by_amount, by_days, cost_until, days_amount, unit_of
from taktura.core.facts import Charge, Contract, Key, Rate
from taktura.core.ledger import Ledger
from taktura.core.money import fraction_text, half_up, plain
from taktura.core.periods import DAY
from taktura.core.tax import Vat, service_spans, vat_on

UNIT_KINDS = ("minimum_sales", "cost_cap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a settlement looks at (R5.3, R5.6, R11).

    Without `lines`: all that is due on `on`. With `lines` (“at once”): only what was billed of these lines and of the
    units they are in; of those in `now` also the first period, and with `through` the advance periods that begin on or
    before that day. `interim`: also the usage so far of the running period.
    """

    on: date
    interim: bool = False
    leave_usage: bool = False
    lines: frozenset[int] | None = None
    now: frozenset[int] = frozenset()
    through: date | None = None


@dataclass(slots=True)
class _Pass:
    """One settlement under way: its input, and the amounts of each unit as they stand."""

    contract: Contract
    ledger: Ledger
    scope: Scope
    due: list[Charge]
    shares: dict[Key, dict[int, int]]
    flagged: dict[tuple[date, date], list[tuple[str, Vat, int]]]  # unit -> (article, vat, amount)
    touched: set[tuple[date, date]]


def settle(contract: Contract, billed: Sequence[Charge], scope: Scope, since: date = date.min) -> list[Charge]:
    """What is due: charges (amount above zero or, taken back, below), in the order of lines and periods.

    `billed` are the issued charges whose key starts on or after `since` (see `floor`); with `since` only periods that
    start then or later are settled. Calling it again with the result added to `billed` gives nothing.
    """
    ledger = Ledger(charge for charge in billed if charge.key.start >= since)
    ahead = [line.start for line in contract.lines if line.id in scope.now] + ([scope.through] if scope.through else [])
    reach = max([scope.on, *(c.first for c in ledger.charges), *ahead]) + DAY
    segments = list(by_days(contract, reach, since))
    amounts = list(by_amount(contract, scope.on, reach, since))
    work = _Pass(contract, ledger, scope, [], {}, {}, set())
    _take_coupons(work, segments, amounts)
    _settle_days(work, segments)
    _settle_amounts(work, amounts)
    return [c for c in work.due if c.amount or not c.credits or c.key.kind in ("recurring", "flat")]


def _take_coupons(work: _Pass, segments: list[Segment], amounts: list[Amount]) -> None:
    """Set each segment's cost function and each amount, after coupons (R10.2)."""
    contract, digits = work.contract, work.contract.digits
    if any(c.amount is not None for c in contract.coupons):
        items: dict[Key, cp.Item] = {}
        rows: list[Segment | Amount] = [*segments, *amounts]
        for row in rows:
            if row.key not in items:
                items[row.key] = cp.Item(
                    key=row.key, article=row.terms.article, start=row.unit.start, due=row.due, cost=row.base
                )
        work.shares = cp.amount_shares(contract, list(items.values()), work.ledger.shares)
    for segment in segments:
        price = _after_coupons(work, segment)
        segment.rate = Rate(
            segment.period.start, segment.period.end, price, segment.quantity, segment.span[0], segment.span[1]
        )
    for amount in amounts:
        after = _after_coupons(work, amount)
        amount.amount = half_up(after * 10**digits)
        amount.proof["cost"] = fraction_text(after)


def _after_coupons(work: _Pass, row: Segment | Amount) -> Fraction:
    running = cp.running(work.contract, row.terms.article, row.unit.start, row.due)
    if not running:
        return row.base
    scale = Decimal(str(row.proof.get("discount_scale", "0")))
    running = cp.usable(work.contract, row.line, row.terms, scale, running)
    shares = work.shares.get(row.key, {})
    after = cp.apply(work.contract, row.base, running, shares)
    row.proof["coupons"] = [
        {"coupon": c.id, "percent": str(c.percent)}
        if c.percent is not None
        else {"coupon": c.id, "share": shares.get(c.id, 0)}
        for c in running
    ]
    if isinstance(row, Amount) and row.each is not None and row.base:
        row.each = row.each * after / row.base
    return after


# ---- by days -------------------------------------------------------------------------------------------------------


def _settle_days(work: _Pass, segments: list[Segment]) -> None:
    rows: dict[Key, list[Segment]] = {}
    for segment in segments:
        rows.setdefault(segment.key, []).append(segment)
    for key in [*rows, *(k for k in work.ledger.days_keys if k not in rows)]:
        expected = sorted(rows.get(key, ()), key=lambda s: s.first)
        _settle_days_key(work, key, expected)


def _settle_days_key(work: _Pass, key: Key, expected: list[Segment]) -> None:
    """Day by day: credit what differs from what is expected, charge what is expected and not billed so."""
    ledger = work.ledger
    covers = ledger.covers(key)
    looked_at = _looked_at(work, key.line, bool(covers) or ledger.known(key))
    dues = [_is_due(work, s) for s in expected]
    credits: list[tuple[Charge, date, date]] = []
    charges: list[tuple[Segment, date, date]] = []
    standing: list[tuple[Segment, date, date]] = []
    edges = sorted({e for s in expected for e in (s.first, s.end)} | {e for a, b, _ in covers for e in (a, b)})
    for a, b in zip(edges, edges[1:], strict=False):
        cover = next((c for x, y, c in covers if x <= a < y), None)
        index = next((i for i, s in enumerate(expected) if s.first <= a < s.end), None)
        segment = expected[index] if index is not None else None
        if segment is None:
            if cover is not None and looked_at and not _stays(work, cover, a):
                _extend(credits, cover, a, b)
            continue
        same = cover is not None and cover.rate == segment.rate
        wanted = same or (looked_at and cover is not None) or (index is not None and dues[index])
        if cover is not None and not same and wanted:
            _extend(credits, cover, a, b)
        if wanted:
            _extend(standing, segment, a, b)
        if wanted and not same:
            _extend(charges, segment, a, b)
    _note_flagged(work, key, standing, covers if not standing and not looked_at else [])
    if looked_at or any(dues):
        _emit_days(work, key, credits, charges, standing)


def _stays(work: _Pass, cover: Charge, day: date) -> bool:
    """Whether what was paid beyond an end is kept (`credit_on_end: no`, R15.5)."""
    contract = work.contract
    line = next((x for x in contract.lines if x.id == cover.key.line), None)
    noticed = min(contract.end, line.end) if line is not None and line.ended_by_notice else contract.end
    if day < noticed:
        return False
    return not unit_of(contract, min(day, noticed - DAY)).terms.credit_on_end


def _emit_days(
    work: _Pass,
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
            quantity = segment.quantity
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
    work: _Pass, key: Key, new: list[Charge], standing: list[tuple[Segment, date, date]], taken: int
) -> list[Charge]:
    """What was credited by hand is not billed again by a reversal (R5.4): lower the new charges to what is expected."""
    waived = work.ledger.waived(key)
    if not waived or not new:
        return new
    digits = work.contract.digits
    expected = sum(days_amount(s.rate, a, b, digits) for s, a, b in standing if s.rate is not None)
    excess = work.ledger.net(key) - taken + sum(c.amount for c in new) - max(0, expected - waived)
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
        same = last is what or (isinstance(what, Segment) and last.rate == what.rate and last.unit == what.unit)
        if same and b == first:
            rows[-1] = (last, a, end)
            return
    rows.append((what, first, end))


def _looked_at(work: _Pass, line: int | None, billed: bool) -> bool:
    """A by-days key that was billed once is always looked at, by a change only where it touches the line."""
    return billed and (work.scope.lines is None or line in work.scope.lines)


def _is_due(work: _Pass, row: Segment | Amount) -> bool:
    """Whether a row is due in this scope though nothing of its key has been billed yet."""
    scope = work.scope
    if scope.lines is None:
        return row.due <= scope.on
    if row.line.id not in scope.lines or isinstance(row, Amount) and row.key.kind == "usage":
        return False
    advance = row.key.kind == "once" or (row.key.kind == "recurring" and row.terms.when == "advance")
    if row.line.id in scope.now and (advance or row.due <= scope.on):
        first = max(row.line.start, work.contract.trial_end or row.line.start)
        return row.due <= max(first, scope.on)
    return scope.through is not None and advance and row.key.kind != "once" and row.key.start <= scope.through


# ---- by amount -----------------------------------------------------------------------------------------------------


def _settle_amounts(work: _Pass, amounts: list[Amount]) -> None:
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


def _settle_unit(work: _Pass, place: tuple[date, date], unit: Rated, rows: list[Amount], lost: set[Key]) -> None:
    """One billing period of one phase: its usage, its amounts, then top-up and relief (R9, R12.1)."""
    deltas: list[_Delta] = []
    for row in rows:
        delta = _amount_delta(work, row)
        if delta is not None:
            deltas.append(delta)
        if row.terms.in_minimum or row.terms.in_cap:
            standing = delta.expected if delta is not None else work.ledger.gross(row.key)
            vat = vat_on(work.contract.tax, row.rates, row.end - DAY)
            _flag(work, place, row, vat, standing)
    for key in lost:
        if key.kind in UNIT_KINDS:
            continue
        if key.kind == "usage" and (work.scope.lines is None or key.line in work.scope.lines):
            billed = work.ledger.gross(key)
            if billed:
                deltas.append(_Delta(key, None, work.ledger.last(key).vat, 0, -billed))
    flagged_keys = {r.key for r in rows if r.terms.in_minimum or r.terms.in_cap}
    own = _unit_lines(work, place, unit, lost) if unit.start < unit.end else []
    joint = [d for d in deltas if d.key.kind == "usage" and d.key in flagged_keys] + own
    for vat in sorted({d.vat for d in joint}, key=lambda v: (-v[1], v[0])):
        together = {k for k in flagged_keys if work.ledger.vat_of(k) == vat} | work.ledger.unit_keys(unit, vat)
        _emit_unit(work, unit, [d for d in joint if d.vat == vat], together)
    for delta in deltas:
        if delta.key.kind != "usage" or delta.key not in flagged_keys:
            _emit_unit(work, unit, [delta], {delta.key})


def _amount_delta(work: _Pass, row: Amount) -> _Delta | None:
    """Expected less billed of one key, or None when the key is not due in this scope (it then counts as billed)."""
    scope, ledger = work.scope, work.ledger
    known = ledger.known(row.key)
    if scope.lines is not None:
        if not (known and row.line.id in scope.lines) and not _is_due(work, row):
            return None
    elif row.key.kind == "usage" and row.running:
        if not (scope.interim and not scope.leave_usage and row.terms.interim and row.unit.start <= scope.on):
            return None
    elif not _is_due(work, row) and not (known and row.key.kind != "usage"):
        return None
    billed, expected = ledger.gross(row.key), row.amount
    if row.key.kind != "usage":
        expected = max(expected, billed)
    if row.key.kind == "usage" and row.terms.flat_price and not row.base:
        expected = 0
    vat = vat_on(work.contract.tax, row.rates, row.end - DAY)
    return _Delta(row.key, row, vat, expected, expected - billed)


def _flag(work: _Pass, place: tuple[date, date], row: Segment | Amount, vat: Vat, amount: int) -> None:
    work.flagged.setdefault(place, []).append((_flags(row), vat, amount))


def _flags(row: Segment | Amount) -> str:
    if row.line.kept is not None and row.unit.phase.start >= row.line.kept:
        return ""
    return ("m" if row.terms.in_minimum else "") + ("c" if row.terms.in_cap else "")


def _note_flagged(
    work: _Pass, key: Key, standing: list[tuple[Segment, date, date]], covers: list[tuple[date, date, Charge]]
) -> None:
    """Remember what a recurring line counts in its units (R9.1): expected where it is due, else what is billed."""
    for segment, a, b in standing:
        if (segment.terms.in_minimum or segment.terms.in_cap) and segment.rate is not None:
            unit = segment.unit
            for first, end, vat in service_spans(work.contract.tax, segment.rates, a, b):
                amount = days_amount(segment.rate, first, end, work.contract.digits)
                _flag(work, (unit.phase.start, unit.start), segment, vat, amount)
    for a, b, cover in covers:
        line = next((x for x in work.contract.lines if x.id == key.line), None)
        if line is None or cover.rate is None:
            continue
        terms = line.terms[-1][1]
        if terms.in_minimum or terms.in_cap:
            unit = unit_of(work.contract, a)
            flags = ("m" if terms.in_minimum else "") + ("c" if terms.in_cap else "")
            amount = days_amount(cover.rate, a, b, work.contract.digits)
            work.flagged.setdefault((unit.phase.start, unit.start), []).append((flags, cover.vat, amount))


def _unit_lines(work: _Pass, place: tuple[date, date], unit: Rated, lost: set[Key]) -> list[_Delta]:
    """Top-up and relief of a unit: what is due of them."""
    terms, ledger, scope = unit.terms, work.ledger, work.scope
    billed = {k for k in lost if k.kind in UNIT_KINDS}
    if terms.minimum is None and terms.cap is None and not billed:
        return []
    if scope.lines is not None and not (billed or _unit_touched(work, place)):
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
    common = units.common_vat(work.contract, unit, sums["m"] or sums["c"])
    result = units.top_up_and_relief(work.contract, unit, sums["m"], sums["c"], nested, common, over)
    deltas: list[_Delta] = []
    for kind, values, sign in (("minimum_sales", result.top_up, 1), ("cost_cap", result.relief, -1)):
        keys = {Key(None, kind, unit.start, unit.phase.start, vat): sign * v for vat, v in values.items()}
        for key in billed:
            if key.kind == kind:
                keys.setdefault(key, 0)
        for key, expected in keys.items():
            if kind == "minimum_sales" and not over and scope.lines is not None:
                continue
            assert key.vat is not None
            deltas.append(_Delta(key, None, key.vat, expected, expected - ledger.gross(key)))
    return deltas


def _unit_touched(work: _Pass, place: tuple[date, date]) -> bool:
    lines = work.scope.lines or frozenset()
    return any(c.key.line in lines and c.key.start == place[1] for c in [*work.ledger.charges, *work.due])


def _emit_unit(work: _Pass, unit: Rated, deltas: list[_Delta], keys: set[Key]) -> None:
    """Sum first, then sign (settlement.md): one VAT rate's differences of a unit go on one side together.

    `keys` are all keys of the unit at that rate, billed before or not.
    """
    ledger = work.ledger
    new_zero = [d for d in deltas if not d.amount and d.row is not None and d.row.quantity and not ledger.known(d.key)]
    deltas = [d for d in deltas if d.amount]
    whole = sum(d.amount for d in deltas)
    related = keys | {d.key for d in deltas}
    waived = ledger.waived_in(related)
    if waived and deltas:
        whole = _waive(work, deltas, waived, whole, related)
    if whole > 0:
        work.due += [c for d in deltas for c in _charges(work, unit, d, d.amount)]
    elif whole < 0:
        left = max(0, sum(ledger.net(k) for k in related))
        beyond = min(0, left + whole)  # what no issued line can give back: a supplier's credit
        for delta in sorted(deltas, key=lambda d: d.amount):
            part = max(delta.amount, beyond) if beyond < 0 and delta.amount < 0 else 0
            beyond -= part
            work.due += _charges(work, unit, delta, part) if part else []
            work.due += _credit(work, unit, delta, delta.amount - part, related) if delta.amount - part else []
    work.due += [c for d in new_zero for c in _charges(work, unit, d, 0)]


def _waive(work: _Pass, deltas: list[_Delta], waived: int, whole: int, keys: set[Key]) -> int:
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


def _charges(work: _Pass, unit: Rated, delta: _Delta, amount: int) -> list[Charge]:
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
                end=unit.end,
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


def _credit(work: _Pass, unit: Rated, delta: _Delta, amount: int, related: set[Key]) -> list[Charge]:
    """Charges that take back from issued lines: the key's own, newest first; else another line of its unit."""
    sources = work.ledger.positive(delta.key) or [c for k in related for c in work.ledger.positive(k)]
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
