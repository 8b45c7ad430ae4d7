"""What-if: a contract against its own tariff differs by nothing, and whole periods cost what is billed for them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from taktura.core import what_if
from taktura.core.facts import Contract, Coupon, Line, LineTerms, Phase, TariffTerms, Tax, Usage, at
from taktura.core.periods import FOREVER, Span, add, anchor
from taktura.core.settle import Scope, settle
from taktura.core.what_if import Draft, Piece
from tests.core.test_histories import CHANGES, QUIET, act, offers, some, steps

MONTH = Span(1, "month")
START = date(2026, 1, 1)


def draft_of(terms: TariffTerms, lines: Any, kind: str = "contract") -> Draft:
    """A draft of these terms and lines."""
    return Draft(anchor=kind, terms=terms, lines=tuple(lines), keys={})


def months_of(world: Any, months: int) -> tuple[date, date]:
    """Whole months from the one in which the contract of a world starts."""
    first = world.offer.start.replace(day=1)
    return first, add(first, MONTH, months)


def used(world: Any, contract: Contract, piece: Piece) -> Contract:
    """The contract with the sums of a world's records in its own windows."""
    kept, world.contract = world.contract, contract
    try:
        found: Contract = world.facts(piece.end)
        return found
    finally:
        world.contract = kept


def sums(charges: Any) -> dict[Any, int]:
    """Sums by key, what is nothing left out."""
    found: dict[Any, int] = {}
    for charge in charges:
        found[charge.key] = found.get(charge.key, 0) + charge.amount
    return {k: v for k, v in found.items() if v}


def nets(contract: Contract, piece: Piece) -> dict[Any, int]:
    """The net sums of a contract, what is nothing left out."""
    return {k: v for k, v in what_if.net_sums(contract, what_if.charges(contract, piece)).items() if v}


def own_line(line: Line, phase: Phase, lines: Any) -> bool:
    """Whether a line of a phase is one of its tariff, or was kept."""
    return line.kept is not None or at(line.terms, max(line.start, phase.start)) in lines.values()


def quickly(rater: what_if.Rater, contract: Contract, piece: Piece) -> dict[Any, int]:
    """The same by the way that is taken for many contracts."""
    found = rater.sums(contract, piece, what_if.asked(contract, piece))
    return {k: v for k, v in found.items() if v}


@some(0.25)
@given(
    offer=offers(whole=True),
    taken=steps(QUIET + CHANGES),
    months=st.integers(1, 30),
    amount=st.none() | st.sampled_from(["0.01", "5", "33.33"]).map(Decimal),
)
def test_nothing_differs_under_the_contracts_own_tariff(
    offer: dict[str, Any],
    taken: list[tuple[str, int, int]],
    months: int,
    amount: Decimal | None,
    world_of: Any,
    offer_of: Any,
    record_of: Any,
) -> None:
    """Whatever happened to a contract, each charge of its days is the same under a draft that says what its tariff
    says, whole periods or parts."""
    world = world_of(offer_of(**offer))
    if amount is not None:
        world.give(Coupon(id=1, given=world.offer.start, first=world.offer.start, amount=amount))
    for step in taken:
        act(world, record_of, *step)
    assume(comparable(world))
    nothing_differs(world, months)


def comparable(world: Any) -> bool:
    """Whether a draft can say what a contract has: a line that was kept at its old terms and has come back into the
    tariff counts in no minimum and no cap; and a history may book a line of the other tariff."""
    lines = world.contract.lines
    return all(
        not any(x.kept is not None and x.article in own for x in lines)
        and all(own_line(x, phase, own) for x in lines if x.start < phase.end and phase.start < x.end)
        for number, phase in enumerate(world.contract.phases)
        for _, own in [world.offer.tariffs[number % 2]]
    )


def nothing_differs(world: Any, months: int) -> None:
    """Compare each piece of a contract with the same under a draft that says what its tariff says."""
    contract: Contract = world.contract
    first, end = months_of(world, months)
    rater = what_if.Rater()
    for number, phase in enumerate(contract.phases):
        terms, lines = world.offer.tariffs[number % 2]
        draft = draft_of(terms, lines.values(), world.offer.anchor)
        for piece in what_if.pieces(contract, first, end, {phase.start}):
            old = what_if.cut(contract, piece)
            new = what_if.under(old, draft, keys={}, same_anchor=True, own_conditions=True)
            old, new = used(world, old, piece), used(world, new, piece)
            assert sums(what_if.charges(old, piece)) == sums(what_if.charges(new, piece))
            assert nets(old, piece) == nets(new, piece) == quickly(rater, old, piece) == quickly(rater, new, piece)
            assert piece.by_days or not what_if.cuts_periods(new, piece, contract.end)
            assert not what_if.lost_usage(old, new, {})


def test_what_was_ended_from_a_day_before_its_tariff_is_not_there_again(
    world_of: Any, offer_of: Any, record_of: Any
) -> None:
    """A line went on under a new tariff and was then ended from a day before: the draft does not bring it back."""
    terms = TariffTerms(minimum=Decimal(20))
    data = LineTerms(article="data", charge="usage", price=Decimal(1200), flat_price=True, in_minimum=True)
    lines = {"data": data, "calls": replace(data, article="calls", flat_price=False)}
    world = world_of(offer_of(start=date(2027, 2, 9), anchor="contract", tariffs=((terms, lines), (terms, lines))))
    act(world, record_of, "tariff", 51, 0)
    act(world, record_of, "end_line", 0, 0)
    assert [x.end for x in world.contract.lines][0] == date(2027, 2, 9) < world.contract.phases[1].start
    assert comparable(world)
    nothing_differs(world, 2)


@some(0.25)
@given(offer=offers(), taken=steps(QUIET + CHANGES), months=st.integers(12, 40))
def test_whole_periods_cost_what_is_billed_for_them(
    offer: dict[str, Any], taken: list[tuple[str, int, int]], months: int, world_of: Any, offer_of: Any, record_of: Any
) -> None:
    """All periods of a contract together come to what one bill for all of them would be, key by key."""
    intervals = {t.interval for terms, lines in offer["tariffs"] for t in (terms, *lines.values())}
    assume(len(intervals) == 1)
    world = world_of(offer_of(**offer))
    for step in taken:
        act(world, record_of, *step)
    contract: Contract = world.contract
    first, end = months_of(world, months)
    pieces = list(what_if.pieces(contract, first, end))
    assume(pieces and not any(p.by_days for p in pieces))
    assert all(a.end == b.first for a, b in zip(pieces, pieces[1:], strict=False))
    assert pieces[0].first == contract.start
    found: dict[Any, int] = {}
    for piece in pieces:
        cut = used(world, what_if.cut(contract, piece), piece)
        for key, amount in sums(what_if.charges(cut, piece)).items():
            found[key] = found.get(key, 0) + amount
    last = pieces[-1].end
    whole = settle(world.facts(last), [], Scope(on=last))
    assert {k: v for k, v in found.items() if v} == sums(c for c in whole if c.first < last)


def contract_of(line: LineTerms, *, kind: str = "contract", start: date = START, interval: Span = MONTH) -> Contract:
    """A contract of one line from a day on."""
    return Contract(
        id=1,
        start=start,
        phases=(
            Phase(start=start, anchor=anchor(kind, start), versions=((date.min, TariffTerms(interval=interval)),)),
        ),
        lines=(Line(id=1, start=start, terms=((start, line),)),),
    )


CALL = LineTerms(article="call", charge="usage", unit="minute", price=Decimal("0.10"), title="Calls")


def days(contract: Contract, first: date, end: date) -> list[tuple[date, date, bool]]:
    """The days that are compared."""
    return [(p.first, p.end, p.by_days) for p in what_if.pieces(contract, first, end)]


def test_the_periods_that_end_in_the_months_are_compared() -> None:
    """A period belongs to the month of its last day; one that has not ended in them is left out."""
    first, end = date(2026, 2, 1), date(2026, 4, 1)
    assert days(contract_of(CALL), first, end) == [(first, end, False)]
    middle = contract_of(CALL, start=date(2025, 11, 15))
    assert days(middle, first, end) == [(date(2026, 1, 15), date(2026, 3, 15), False)]
    assert days(contract_of(CALL, start=date(2026, 3, 2)), first, end) == []
    started = contract_of(CALL, kind="calendar", start=date(2026, 2, 10))
    assert days(started, first, end) == [(date(2026, 2, 10), end, False)]
    ended = replace(contract_of(CALL), end=date(2026, 2, 20))
    assert days(ended, first, end) == [(first, date(2026, 2, 20), False)]


def test_of_a_period_longer_than_the_months_its_days_in_them_are_compared() -> None:
    """Else one customer would show a year where another shows nothing."""
    yearly = contract_of(CALL, interval=Span(1, "year"))
    assert days(yearly, date(2026, 12, 1), date(2027, 2, 1)) == [(date(2026, 12, 1), date(2027, 2, 1), True)]
    fee = LineTerms(article="fee", interval=Span(1, "year"), price_per=Span(1, "year"), price=Decimal(365), title="Fee")
    contract = contract_of(fee, interval=Span(1, "year"))
    (piece,) = what_if.pieces(contract, date(2026, 3, 1), date(2026, 4, 1))
    cut = what_if.cut(contract, piece)
    assert what_if.net_sums(cut, what_if.charges(cut, piece)) == {("fee", "recurring"): 3100}


def test_a_draft_with_other_periods_is_rated_by_parts() -> None:
    """Contract periods from the 15th under a draft by the calendar: its first and last periods are parts, and said so;
    the minimum counts by days (R9.3)."""
    contract = contract_of(CALL, start=date(2026, 1, 15))
    flagged = replace(CALL, in_minimum=True)
    draft = draft_of(TariffTerms(minimum=Decimal(31)), [flagged], "calendar")
    (piece,) = what_if.pieces(contract, date(2026, 3, 1), date(2026, 4, 1))
    assert (piece.first, piece.end) == (date(2026, 2, 15), date(2026, 3, 15))
    new = what_if.under(
        what_if.cut(contract, piece), draft, keys={}, same_anchor=False, own_conditions=True
    )  # fmt: skip
    assert what_if.cuts_periods(new, piece, FOREVER)
    # 14 of 28 days of February, 14 of 31 of March: 15.50 and 14.00.
    assert what_if.net_sums(new, what_if.charges(new, piece)) == {("", "minimum_sales"): 2950}


def under(contract: Contract, draft: Draft, **options: Any) -> tuple[Piece, Contract, Contract]:
    """January of a contract, cut and under a draft."""
    (piece,) = what_if.pieces(contract, START, date(2026, 2, 1))
    cut = what_if.cut(contract, piece)
    settings: dict[str, Any] = {"keys": {}, "same_anchor": True, "own_conditions": True} | options
    return piece, cut, what_if.under(cut, draft, **settings)


def test_lines_are_matched_by_article_then_by_key() -> None:
    """A line whose article the draft lacks goes under its key; included lines are always there, add-ons are not."""
    contract = contract_of(CALL)
    other = replace(CALL, article="talk", price=Decimal("0.20"))
    fee = LineTerms(article="fee", price=Decimal(9))
    extra = LineTerms(article="extra", price=Decimal(5), booking="add_on")
    draft = Draft(anchor="contract", terms=TariffTerms(), lines=(fee, other, extra), keys={"tel": "talk"})
    piece, cut, new = under(contract, draft, keys={1: "tel"})
    assert [(x.id, x.article) for x in new.lines] == [(1, "talk"), (what_if.NEW_LINES, "fee")]
    new = replace(new, usage={(1, START): Usage(seconds=600, count=2)})
    assert what_if.net_sums(new, what_if.charges(new, piece)) == {("talk", "usage"): 200, ("fee", "recurring"): 900}
    _, _, without = under(contract, draft)
    assert [x.article for x in without.lines] == ["fee", "talk"]
    old = replace(cut, usage={(1, START): Usage(seconds=630, count=2)})
    (lost,) = what_if.lost_usage(old, without, what_if.net_sums(old, what_if.charges(old, piece)))
    assert lost == what_if.Lost("call", 2, Fraction(21, 2), 105)


@pytest.mark.parametrize("keep", [True, False])
def test_own_conditions_stay_or_go(keep: bool) -> None:
    """A contract's own price, discount and minimum quantity, and its coupons."""
    contract = contract_of(CALL)
    line = replace(
        contract.lines[0], price=Decimal("0.05"), discount=Decimal(50), minimum_quantity=Decimal(100), reason="loyal"
    )
    coupon = Coupon(id=1, given=START, first=START, percent=Decimal(20))
    contract = replace(contract, lines=(line,), coupons=(coupon,), usage={})
    piece, _, new = under(contract, draft_of(TariffTerms(), [CALL]), own_conditions=keep)
    new = replace(new, usage={(1, START): Usage(seconds=600, count=1)})
    expected = 200 if keep else 100  # 100 × 0.05 less a half less a fifth, or 10 × 0.10
    assert what_if.net_sums(new, what_if.charges(new, piece)) == {("call", "usage"): expected}


def test_gross_prices_are_compared_net() -> None:
    """The VAT is taken out of the sum of each rate, and spread over its lines (R13.3)."""
    fee = LineTerms(article="fee", price=Decimal("11.90"))
    contract = replace(contract_of(fee), tax=Tax(gross=True))
    cheap = LineTerms(article="low", price=Decimal("1.07"), vat=((date.min, Decimal(7)),))
    piece, cut, new = under(contract, draft_of(TariffTerms(), [fee, cheap]))
    assert what_if.net_sums(cut, what_if.charges(cut, piece)) == {("fee", "recurring"): 1000}
    assert what_if.net_sums(new, what_if.charges(new, piece)) == {("fee", "recurring"): 1000, ("low", "recurring"): 100}
