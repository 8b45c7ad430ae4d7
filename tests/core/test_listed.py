"""Prices of price lists: net and gross are two faces of one price."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.facts import LineTerms, TariffTerms, Tier
from taktura.core.listed import listed, listed_line, listed_tariff
from taktura.core.money import money

PRICES = st.integers(0, 10**9).flatmap(lambda n: st.integers(0, 6).map(lambda d: Decimal(n).scaleb(-d)))
RATES = st.integers(0, 10000).map(lambda n: Decimal(n).scaleb(-2))
WAYS = st.sampled_from([("net", "gross"), ("gross", "net")])


@pytest.mark.parametrize(
    ("price", "rate", "whole", "shown"),
    [
        ("9.90", "19", True, "11.78"),  # as a bill of one says it
        ("0.05", "19", False, "0.0595"),  # not 0.06: a thousand of them are 59.50
        ("0.075", "25", False, "0.09375"),
        ("0.075", "25", True, "0.094"),
        ("100", "0", True, "100"),
    ],
)
def test_gross_prices(price: str, rate: str, whole: bool, shown: str) -> None:
    found = listed(Decimal(price), Decimal(rate), given="net", wanted="gross", digits=2, whole=whole)
    assert found == Decimal(shown)


@given(PRICES, RATES, WAYS, st.booleans())
def test_a_price_as_it_is_given_stays_as_it_is(
    price: Decimal, rate: Decimal, way: tuple[str, str], whole: bool
) -> None:
    for basis in way:
        assert listed(price, rate, given=basis, wanted=basis, digits=2, whole=whole) is price


@given(PRICES, RATES, st.integers(0, 3))
def test_a_fee_is_shown_as_a_bill_of_one_rounds_it(price: Decimal, rate: Decimal, digits: int) -> None:
    cents = price.quantize(Decimal(1).scaleb(-digits))
    found = listed(cents, rate, given="net", wanted="gross", digits=digits, whole=True)
    assert found == money(Fraction(cents) * (100 + Fraction(rate)) / 100, digits).exact


@given(PRICES, RATES)
def test_the_gross_price_of_usage_is_exact(price: Decimal, rate: Decimal) -> None:
    found = listed(price, rate, given="net", wanted="gross", digits=2, whole=False)
    assert Fraction(found) == Fraction(price) * (100 + Fraction(rate)) / 100


@given(PRICES, RATES, WAYS, st.booleans())
def test_no_shown_price_is_further_off_than_half_of_its_last_place(
    price: Decimal, rate: Decimal, way: tuple[str, str], whole: bool
) -> None:
    found = listed(price, rate, given=way[0], wanted=way[1], digits=2, whole=whole)
    factor = (100 + Fraction(rate)) / 100
    exact = Fraction(price) * factor if way[1] == "gross" else Fraction(price) / factor
    assert abs(Fraction(found) - exact) <= Fraction(1, 200)


@given(st.lists(st.tuples(PRICES, PRICES), min_size=1, max_size=4), PRICES, RATES)
def test_each_price_of_a_line_moves_alike(tiers: list[tuple[Decimal, Decimal]], price: Decimal, rate: Decimal) -> None:
    terms = LineTerms(
        article="a", charge="usage", price=price, tiers=tuple(Tier(price=p, flat=f) for p, f in tiers)
    )  # fmt: skip
    found = listed_line(terms, rate, given="net", wanted="gross", digits=2)
    usage = {"given": "net", "wanted": "gross", "digits": 2, "whole": False}
    assert found.price == listed(price, rate, **usage)  # type: ignore[arg-type]
    for tier, (each, at_once) in zip(found.tiers, tiers, strict=True):
        assert tier.price == listed(each, rate, **usage)  # type: ignore[arg-type]
        assert tier.flat == listed(at_once, rate, **usage | {"whole": True})  # type: ignore[arg-type]


def test_minimum_and_cap_move_and_nothing_stays_nothing() -> None:
    terms = TariffTerms(minimum=Decimal(10), cap=None)
    found = listed_tariff(terms, Decimal(19), given="net", wanted="gross", digits=2)
    assert (found.minimum, found.cap) == (Decimal("11.9"), None)
