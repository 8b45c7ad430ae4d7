"""Prices (R7): the compiled kernel against the rule, written down plainly over fractions."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.facts import Contract, Line, LineTerms, Phase, TariffTerms, Tax, Tier, Usage
from taktura.core.money import minor, money
from taktura.core.periods import Anchor, Span
from taktura.core.pricing import SCALE, amounts, cost, kernel, scale_percent, scaled
from taktura.core.settle import Scope, settle

D = Decimal
START = date(2027, 6, 1)
prices = st.decimals(0, 10**4, places=6)
quantities = st.decimals(0, 10**6, places=4) | st.integers(0, 10**6) | st.fractions(0, 10**5, max_denominator=366)


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    bounds = sorted(draw(st.sets(st.decimals("0.5", 10**4, places=2), max_size=5)))
    uppers: list[Decimal | None] = [*bounds, None]
    flats = st.sampled_from(["0", "0", "1.5", "20"]).map(D)
    return tuple(Tier(up_to=up, price=draw(prices), flat=draw(flats)) for up in uppers)


def by_the_rule(terms: LineTerms, quantity: Fraction) -> Fraction:
    """R7.1, R7.2 for a quantity that is not negative, with nothing but their words."""
    size = Fraction(terms.price_quantity)
    if not terms.tiers:
        packages = quantity / size
        return Fraction(terms.price) * (ceil(packages) if terms.package == "started" else packages)
    result, lower = Fraction(0), Fraction(0)
    for tier in terms.tiers:
        upper = Fraction(tier.up_to) if tier.up_to is not None else None
        reached, within = quantity > lower, upper is None or quantity <= upper
        if terms.tier_mode == "volume" and reached and within:
            return Fraction(tier.flat) + quantity * Fraction(tier.price) / size
        if terms.tier_mode == "graduated" and reached:
            part = (quantity if upper is None else min(quantity, upper)) - lower
            result += Fraction(tier.flat) + part * Fraction(tier.price) / size
        lower = upper if upper is not None else lower
    return result


@given(
    price=prices | st.decimals(-10, 0, places=3),
    size=st.sampled_from(["1", "7", "0.25"]).map(D),
    package=st.sampled_from(["proportional", "started"]),
    steps=st.just(())
    | tiers()
    | st.just((Tier(up_to=D("1.00001"), price=D(2), flat=D(-3)), Tier(price=D("0.3"))))
    | st.just((Tier(up_to=D("1.00001"), price=D(2)), Tier(price=D("0.3")))),
    mode=st.sampled_from(["graduated", "volume"]),
    included=st.sampled_from(["0", "3", "0.00001", "12.5"]).map(D),
    numbers=st.lists(st.integers(0, 10**9) | st.integers(0, 20).map(lambda n: n * SCALE), max_size=20),
    digits=st.sampled_from([0, 2, 3]),
)
def test_many_at_once_cost_what_each_costs(
    price: Decimal, size: Decimal, package: str, steps: tuple[Tier, ...], mode: str, included: Decimal,
    numbers: list[int], digits: int,
) -> None:  # fmt: skip
    terms = LineTerms(
        article="a", price=price, price_quantity=size, package=package, tiers=steps, tier_mode=mode, included=included
    )
    rest = [max(Fraction(n, SCALE) - Fraction(included), Fraction(0)) for n in numbers]
    assert amounts(terms, numbers, digits) == [minor(cost(terms, quantity), digits) for quantity in rest]


@given(
    price=prices,
    size=st.sampled_from(["1", "7", "10", "0.25", "1000"]).map(D),
    package=st.sampled_from(["proportional", "started"]),
    steps=st.just(()) | tiers(),
    mode=st.sampled_from(["graduated", "volume"]),
    quantity=quantities,
)
def test_the_kernel_is_the_rule(
    price: Decimal, size: Decimal, package: str, steps: tuple[Tier, ...], mode: str, quantity: Decimal | int | Fraction
) -> None:
    """R7.1, R7.2: exactly, for decimals, whole numbers and parts of days."""
    terms = LineTerms(article="a", price=price, price_quantity=size, package=package, tiers=steps, tier_mode=mode)
    assert cost(terms, quantity) == by_the_rule(terms, Fraction(quantity))


@given(steps=tiers(), price=prices, quantity=quantities)
def test_a_price_of_ones_own_stands_instead_of_tiers(
    steps: tuple[Tier, ...], price: Decimal, quantity: Decimal | int | Fraction
) -> None:
    """R7.5."""
    assert cost(LineTerms(article="a", tiers=steps), quantity, price) == Fraction(price) * Fraction(quantity)


@given(steps=tiers(), quantity=st.decimals("0.01", 10**6, places=2))
def test_graduated_parts_add_up(steps: tuple[Tier, ...], quantity: Decimal) -> None:
    """R7.2: what lies within each tier at that tier's price, and never falls as the quantity rises."""
    terms = LineTerms(article="a", tiers=steps)
    assert cost(terms, quantity) >= cost(terms, quantity / 2)


@given(price=prices, quantity=quantities, package=st.sampled_from(["proportional", "started"]))
def test_negative_usage_keeps_its_sign_once(price: Decimal, quantity: Decimal | int | Fraction, package: str) -> None:
    """R17.2."""
    terms = LineTerms(article="a", price=price, price_quantity=D(10), package=package)
    assert cost(terms, -quantity) == -cost(terms, quantity)


@given(quantity=quantities)
def test_a_compiled_price_has_whole_numbers(quantity: Decimal | int | Fraction) -> None:
    compiled = kernel(LineTerms(article="a", price=D("0.123456789012"), price_quantity=D(7)))
    found = compiled.cost(scaled(quantity))
    assert Fraction(found) / compiled.denominator == Fraction(D("0.123456789012")) * Fraction(quantity) / 7


@pytest.mark.parametrize(("package", "wanted"), [("proportional", "11.50"), ("started", "15.00")])
def test_packages(package: str, wanted: str) -> None:
    """R7.1: 23 at 5.00 per 10."""
    terms = LineTerms(article="a", price=D("5.00"), price_quantity=D(10), package=package)
    assert str(money(cost(terms, 23))) == wanted


def test_a_tiers_upper_bound_is_included_and_its_flat_due_once() -> None:
    """R7.2."""
    steps = (Tier(up_to=D(100), price=D("0.10"), flat=D(5)), Tier(price=D("0.05"), flat=D(3)))
    graduated = LineTerms(article="a", tiers=steps)
    volume = LineTerms(article="a", tiers=steps, tier_mode="volume")
    assert [cost(graduated, q) for q in (0, 100, 101)] == [0, 15, Fraction("18.05")]
    assert [cost(volume, q) for q in (0, 100, 101)] == [0, 15, Fraction("8.05")]


@given(
    bounds=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 100)), max_size=4, unique_by=lambda b: b[0]),
    quantity=st.integers(0, 1200),
)
def test_a_discount_scale(bounds: list[tuple[int, int]], quantity: int) -> None:
    """R7.3: strictly above; the last that applies holds for all of it."""
    scale = tuple((D(a), D(p)) for a, p in sorted(bounds))
    wanted = [p for a, p in sorted(bounds) if quantity > a]
    assert scale_percent(LineTerms(article="a", discount_scale=scale), quantity) == (wanted[-1] if wanted else 0)


def billed(terms: LineTerms, usage: Usage, tariff: TariffTerms | None = None, **line: object) -> list[tuple[str, int]]:
    """Kind and amount of what a month of usage makes due."""
    phase = Phase(start=START, anchor=Anchor("contract", START, 1), versions=((date.min, tariff or TariffTerms()),))
    contract = Contract(
        id=1,
        start=START,
        phases=(phase,),
        lines=(Line(id=1, start=START, terms=((START, terms),), **line),),  # type: ignore[arg-type]
        usage={(1, START): usage},
    )
    return [(c.key.kind, c.amount) for c in settle(contract, [], Scope(on=date(2027, 7, 1))) if c.key.start == START]


def used(quantity: str) -> Usage:
    """Usage of a quantity."""
    return Usage(parts=((1, D(quantity), D(0), D(0)),), count=1)


@given(
    price=prices,
    size=st.sampled_from(["1", "10"]).map(D),
    package=st.sampled_from(["proportional", "started"]),
    steps=st.just(()) | tiers(),
    scale=st.sampled_from([(), ((D(10), D(5)), (D(50), D(20)))]),
    included=st.sampled_from(["0", "5", "100.5"]).map(D),
    discount=st.sampled_from(["0", "12.5", "100"]).map(D),
    least=st.none() | st.integers(0, 200).map(D),
    quantity=st.decimals(0, 1000, places=3),
)
def test_usage_is_priced_in_the_order_of_the_rule(
    price: Decimal,
    size: Decimal,
    package: str,
    steps: tuple[Tier, ...],
    scale: tuple[tuple[Decimal, Decimal], ...],
    included: Decimal,
    discount: Decimal,
    least: Decimal | None,
    quantity: Decimal,
) -> None:
    """R10.1: minimum quantity → included → price → scale → line discount, rounded once at the end (R6.3)."""
    terms = LineTerms(
        article="a",
        charge="usage",
        price=price,
        price_quantity=size,
        package=package,
        tiers=steps,
        discount_scale=scale,
        included=included,
    )
    found = billed(terms, used(str(quantity)), discount=discount, minimum_quantity=least)
    counted = Fraction(max(quantity, least or 0))
    priced = max(Fraction(0), counted - Fraction(included))
    percent = max([p for above, p in scale if priced > above], default=D(0))
    exact = by_the_rule(terms, priced) if priced else Fraction(0)
    exact *= (1 - Fraction(percent) / 100) * (1 - Fraction(discount) / 100)
    assert sum(amount for _, amount in found) == money(exact).minor


@pytest.mark.parametrize(("charge", "proration"), [("recurring", "daily"), ("recurring", "none"), ("once", "daily")])
@pytest.mark.parametrize(("booked", "shown"), [("2", "3"), ("3", "3"), ("5", "5")])
def test_a_booked_line_shows_the_quantity_that_is_billed(charge: str, proration: str, booked: str, shown: str) -> None:
    """R7.5: of a minimum of 3 the document says 3, at a price that is theirs; the quantity booked stays as it is."""
    terms = LineTerms(article="a", charge=charge, price=D("8.88"), proration=proration, when="advance")
    line = Line(
        id=1, start=START, terms=((START, terms),), quantities=((START, D(booked)),), discount=D("7.5"),
        minimum_quantity=D(3),
    )  # fmt: skip
    contract = Contract(
        id=1, start=START, lines=(line,),
        phases=(Phase(start=START, anchor=Anchor("contract", START, 1), versions=((date.min, TariffTerms()),)),),
    )  # fmt: skip
    (charged,) = settle(contract, [], Scope(on=START))
    assert (charged.quantity, charged.unit_price) == (D(shown), D("8.214"))
    assert charged.amount == money(D(shown) * D("8.214")).minor
    assert charged.proof.get("minimum_quantity") == ("3" if booked == "2" else None)
    assert charged.rate is None or charged.rate.quantity == D(booked)


def test_a_period_billed_with_the_quantity_booked_stays_as_it_is() -> None:
    """What stands on an issued document is not billed anew for the sake of the quantity that it shows (R5.2)."""
    terms = LineTerms(article="a", charge="recurring", price=D("8.88"))
    line = Line(id=1, start=START, terms=((START, terms),), quantities=((START, D(2)),), minimum_quantity=D(3))
    contract = Contract(
        id=1, start=START, lines=(line,),
        phases=(Phase(start=START, anchor=Anchor("contract", START, 1), versions=((date.min, TariffTerms()),)),),
    )  # fmt: skip
    (new,) = settle(contract, [], Scope(on=START))
    before = replace(new, id=1, document=1, quantity=D(2), unit_price=D("13.32"))
    assert settle(contract, [before], Scope(on=START)) == []


@pytest.mark.parametrize("quantity", ["0", "4", "25"])
def test_a_flat_price_is_due_once_whatever_the_minimum_quantity(quantity: str) -> None:
    """R7.4: its price is the fee of the period, one of it; a minimum of ten calls makes no ten fees."""
    terms = LineTerms(article="a", charge="usage", flat_price=True, price=D(30))
    found = billed(terms, used(quantity), minimum_quantity=D(10))
    assert [x for x in found if x[1]] == [("flat", 3000)]


def test_a_flat_price_is_one_line_whatever_is_used() -> None:
    """R7.4: due without usage too; the reference price is never billed."""
    terms = LineTerms(article="a", charge="usage", flat_price=True, price=D(30), reference_price=D(9))
    for usage in (Usage(), used("500")):
        assert [x for x in billed(terms, usage) if x[1]] == [("flat", 3000)]


@pytest.mark.parametrize(
    ("minimum", "cap", "searches", "wanted"), [(D(10), None, 5, 1500), (None, D(10), 20, 1500), (D(10), D(10), 3, 1500)]
)
def test_minimum_and_cap(minimum: Decimal | None, cap: Decimal | None, searches: int, wanted: int) -> None:
    """R9.1: 1 × 5.00 + 5 × 1.00 (flagged), M 10: 15.00; 1 × 5.00 + 20 × 1.00 (flagged), C 10: 15.00."""
    flags = {"in_minimum": minimum is not None, "in_cap": cap is not None}
    lines = (
        LineTerms(article="dictation", charge="usage", price=D(5)),
        LineTerms(article="search", charge="usage", price=D(1), **flags),  # type: ignore[arg-type]
    )
    tariff = TariffTerms(interval=Span(1, "month"), minimum=minimum, cap=cap)
    phase = Phase(start=START, anchor=Anchor("contract", START, 1), versions=((date.min, tariff),))
    contract = Contract(
        id=1,
        start=START,
        phases=(phase,),
        lines=tuple(Line(id=i, start=START, terms=((START, t),)) for i, t in enumerate(lines, 1)),
        usage={(1, START): used("1"), (2, START): used(str(searches))},
    )
    due = settle(contract, [], Scope(on=date(2027, 7, 1)))
    assert sum(c.amount for c in due) == wanted
    assert {c.key.line: c.amount for c in due if c.key.kind == "usage"} == {1: 500, 2: 100 * searches}
    assert all(c.unit_price is not None and c.unit_price >= 0 for c in due)
    assert [c.quantity for c in due if c.key.kind == "cost_cap"] == [D(-1)] * (cap is not None and searches > 10)


def test_a_minimum_without_any_amount_keeps_its_rate_whatever_is_booked() -> None:
    """R9.5: with no flagged amount the flagged lines' common rate, else the tariff's: by the lines of the contract, not
    by which of them have something due. A quantity taken back to nothing changes no rate, and so bills nothing anew."""
    seat = LineTerms(
        article="seat", charge="recurring", price=D(100), included=D(1), in_minimum=True, vat=((date.min, D(7)),)
    )
    calls = LineTerms(article="calls", charge="usage", price=D(1), in_minimum=True, vat=((date.min, D(0)),))
    tariff = TariffTerms(interval=Span(1, "month"), minimum=D(20))
    phase = Phase(start=START, anchor=Anchor("contract", START, 1), versions=((date.min, tariff),))
    lines = [
        Line(id=i, start=START, terms=((START, terms),), quantities=((START, D(1)),))
        for i, terms in enumerate((seat, calls), 1)
    ]
    contract = Contract(id=1, start=START, phases=(phase,), lines=tuple(lines), tax=Tax(seller_rates=((START, D(19)),)))
    scope = Scope(on=date(2027, 7, 1))
    before = [replace(c, id=n, document=1) for n, c in enumerate(settle(contract, [], scope), 1)]
    (minimum,) = [c for c in before if c.key.kind == "minimum_sales"]
    assert (minimum.amount, minimum.vat) == (2000, ("S", D(19)))
    none = replace(lines[0], quantities=((START, D(0)),))
    after = settle(replace(contract, lines=(none, lines[1])), before, scope)
    assert [c for c in after if c.amount] == []
    alone = settle(replace(contract, lines=(lines[1],)), [], scope)
    assert {c.vat for c in alone if c.key.kind == "minimum_sales"} == {("Z", D(0))}, "their common rate"
