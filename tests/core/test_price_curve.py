"""The price curve of a line is what the core charges, at every quantity; each bend and jump is drawn (R7, R8)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.catalog.price_curve import Example, amount, bends, curve, exact, examples
from taktura.core.facts import Contract, Line, LineTerms, Phase, TariffTerms, Tier, Usage
from taktura.core.periods import Anchor, Span
from taktura.core.settle import Scope, settle

D = Decimal
START, END = date(2027, 6, 1), date(2027, 7, 1)
prices = st.decimals(0, 1000, places=4)


@st.composite
def lines(draw: st.DrawFn) -> LineTerms:
    """A line of usage with any price."""
    bounds = sorted(draw(st.sets(st.decimals(1, 1000, places=1), max_size=4)))
    tiers = tuple(
        Tier(up_to=up, price=draw(prices), flat=draw(st.sampled_from([D(0), D("2.5")]))) for up in [*bounds, None]
    )
    above = sorted(draw(st.sets(st.decimals(0, 1000, places=1), max_size=2)))
    return LineTerms(
        article="a", charge="usage", price=draw(prices), price_quantity=draw(st.sampled_from([D(1), D(10), D("0.5")])),
        package=draw(st.sampled_from(["proportional", "started"])), tiers=tiers if draw(st.booleans()) else (),
        tier_mode=draw(st.sampled_from(["graduated", "volume"])),
        included=draw(st.sampled_from([D(0), D(100), D("2.5")])),
        discount_scale=tuple((a, D(draw(st.integers(0, 100)))) for a in above),
    )  # fmt: skip


def billed(terms: LineTerms, usage: Usage, tariff: TariffTerms | None = None) -> int:
    """What the core charges for a month."""
    phase = Phase(start=START, anchor=Anchor("contract", START, 1), versions=((date.min, tariff or TariffTerms()),))
    contract = Contract(
        id=1, start=START, phases=(phase,), lines=(Line(id=1, start=START, terms=((START, terms),)),),
        usage={(1, START): usage},
    )  # fmt: skip
    return sum(c.amount for c in settle(contract, [], Scope(on=END)) if c.key.start == START)


def used(quantity: Decimal) -> Usage:
    return Usage(quantity=quantity, count=1, parts=((1, quantity, D(0), D(0)),))


@given(terms=lines())
def test_each_point_is_what_the_core_charges(terms: LineTerms) -> None:
    points = curve(terms, 2)
    for point in points[:: max(1, len(points) // 8)]:
        if not point.above:
            assert point.amount == billed(terms, used(point.quantity))
        if point.each is not None and not point.above:
            assert abs(Fraction(point.each) - exact(terms, point.quantity) / Fraction(point.quantity)) < Fraction(
                1, 10**6
            )


@given(terms=lines())
def test_points_are_in_order_and_each_bend_is_there(terms: LineTerms) -> None:
    points = curve(terms, 2)
    assert [p.quantity for p in points] == sorted(p.quantity for p in points)
    there = {p.quantity for p in points}
    if terms.tiers:
        assert {terms.included + t.up_to for t in terms.tiers if t.up_to is not None} <= there
    assert {terms.included + a for a, _p in terms.discount_scale} <= there
    assert terms.included in there and points[0].quantity == 0
    assert set(bends(terms, 2)) <= set(points)


@given(terms=lines())
def test_it_never_falls_where_nothing_makes_it_fall(terms: LineTerms) -> None:
    steady = replace(terms, tier_mode="graduated", discount_scale=())
    amounts = [p.amount for p in curve(steady, 2)]
    assert amounts == sorted(amounts)


@given(terms=lines(), quantity=st.decimals(0, 2000, places=2))
def test_between_the_points_of_a_steady_price_nothing_bends(terms: LineTerms, quantity: Decimal) -> None:
    """What is drawn as a straight line is one: no bend and no jump lies between two points."""
    points = [p for p in curve(terms, 2) if not p.above]
    for before, after in zip(points, points[1:], strict=False):
        if before.quantity < quantity < after.quantity and (terms.package == "proportional" or terms.tiers):
            near = before.quantity + (after.quantity - before.quantity) / 1000
            left, right = exact(terms, near), exact(terms, after.quantity)
            share = Fraction(quantity - near) / Fraction(after.quantity - near)
            if quantity > near:
                assert exact(terms, quantity) == left + (right - left) * share


def jumps(terms: LineTerms) -> list[tuple[str, int, int]]:
    points = bends(terms, 2)
    pairs = zip(points, points[1:], strict=False)
    return [(str(a.quantity), a.amount, b.amount) for a, b in pairs if b.above]


def test_jumps_are_two_points() -> None:
    tiers = (Tier(up_to=D(10), price=D(1)), Tier(up_to=D(100), price=D("0.5"), flat=D(3)), Tier(price=D("0.5")))
    graduated = LineTerms(article="a", charge="usage", tiers=tiers)
    assert jumps(graduated) == [("10", 1000, 1300)], "the flat; at 100 nothing changes"
    volume = replace(graduated, tier_mode="volume")
    assert jumps(volume) == [("10", 1000, 800), ("100", 5300, 5000)]
    scale = LineTerms(article="a", charge="usage", price=D(1), discount_scale=((D(50), D(10)),))
    assert jumps(scale) == [("50", 5000, 4500)]
    packages = LineTerms(article="a", charge="usage", price=D(5), price_quantity=D(10), package="started")
    assert jumps(packages)[:3] == [("0", 0, 500), ("10", 500, 1000), ("20", 1000, 1500)]
    assert curve(LineTerms(article="a", charge="usage", usage_pricing="cost_plus"), 2) == []


def said(kind: str, tariff: TariffTerms | None = None, **terms: Any) -> list[Example]:
    line = LineTerms(article="a", **{"charge": "usage", **terms})
    return [e for e in examples(line, tariff or TariffTerms(), 2) if e.kind == kind]


def test_examples_have_the_figures_of_the_rules() -> None:
    (plain,) = said("plain", price=D(5), price_quantity=D(10))
    assert (plain.quantity, plain.amount, plain.other) == (23, 1150, 1500)  # R7.1
    (included,) = said("included", price=D("0.05"), included=D(100))
    assert (included.quantity, included.amount) == (130, 150)  # R11.2
    (flat,) = said("flat", price=D(99), flat_price=True, reference_price=D("0.9"), unit="minute")
    assert (flat.quantity, flat.amount, flat.other) == (120, 9900, 10800)
    (call,) = said("call", price=D(1), unit="minute", tick=(60, 60), included=D(100))
    assert (call.seconds, call.billed, call.amount) == (61, 120, 200)
    (half,) = said("half", charge="recurring", price=D(30))
    assert half.amount == 1500
    (span,) = said("span", charge="recurring", price=D(1200), price_per=Span(1, "year"))
    assert (span.other, span.amount) == (120000, 10000)  # R2.5
    (supplier,) = said("supplier", usage_pricing="cost_plus", markup=D(10))
    assert supplier.amount == 11000


@pytest.mark.parametrize("price", [D("0.5"), D(3), D(30)])
def test_minimum_and_cap_are_what_the_core_adds_and_takes(price: Decimal) -> None:
    line: dict[str, Any] = {"price": price, "in_minimum": True, "in_cap": True}
    tariff = TariffTerms(minimum=D(10), cap=D(20))
    terms = LineTerms(article="a", charge="usage", **line)
    for one in said("minimum", tariff, **line):
        assert one.amount + one.more == one.other == billed(terms, used(one.quantity), tariff)
    (cap,) = said("cap", tariff, **line)
    assert cap.amount - cap.more == cap.other == billed(terms, used(cap.quantity), tariff)
    assert cap.amount == amount(terms, cap.quantity, 2) > 2000
