"""VAT (R13): which rate, and sums that add up."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.facts import LineTerms, Rates, TariffTerms, Tax
from taktura.core.tax import basis, is_gross, rates_of, service_spans, spread_net, tax_in_gross, tax_of_net, vat_on

D = Decimal
rates = st.decimals(0, 50, places=2)
amounts = st.integers(-(10**9), 10**9)
SELLER: Rates = ((date.min, D(19)),)


def test_the_lines_rate_comes_before_the_tariffs_before_the_sellers() -> None:
    """R13.1."""
    seven, zero = ((date.min, D(7)),), ((date.min, D(0)),)
    tax, plain, line = Tax(seller_rates=SELLER), TariffTerms(), LineTerms(article="a")
    assert rates_of(tax, plain, line) == SELLER
    assert rates_of(tax, TariffTerms(vat=seven), line) == seven
    assert rates_of(tax, TariffTerms(vat=seven), LineTerms(article="a", vat=zero)) == zero
    assert rates_of(tax, TariffTerms(vat=zero), None) == zero


@pytest.mark.parametrize("category", ["AE", "G", "E"])
def test_the_customers_status_comes_first(category: str) -> None:
    """R13.1: and a rate of 0 is category Z."""
    assert vat_on(Tax(category=category), SELLER, date(2027, 1, 1)) == (category, D(0))
    assert vat_on(Tax(), SELLER, date(2027, 1, 1)) == ("S", D(19))
    assert vat_on(Tax(), ((date.min, D(0)),), date(2027, 1, 1)) == ("Z", D(0))


@given(amounts, rates)
def test_vat_on_a_net_sum_is_rounded_once(net: int, rate: Decimal) -> None:
    """R13.2, half away from zero, the same for a credit."""
    found = tax_of_net(net, rate)
    assert abs(found - Fraction(rate) * net / 100) <= Fraction(1, 2)
    assert tax_of_net(-net, rate) == -found


@given(amounts, rates)
def test_vat_in_a_gross_sum(gross: int, rate: Decimal) -> None:
    """R13.3: tax = round(G·r/(100 + r)), net = G − tax; net and its VAT make the price shown again to a minor unit."""
    tax = tax_in_gross(gross, rate)
    net = gross - tax
    assert abs(net + Fraction(rate) * net / 100 - gross) <= 1
    assert tax_in_gross(-gross, rate) == -tax


def test_119_hold_19() -> None:
    assert (tax_in_gross(11900, D(19)), tax_of_net(10000, D(19)), tax_of_net(1500, D(19))) == (1900, 1900, 285)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=9), rates)
def test_the_net_of_the_lines_adds_up(lines: list[int], rate: Decimal) -> None:
    """R13.3, R1.4."""
    gross = sum(lines)
    net = gross - tax_in_gross(gross, rate)
    parts = spread_net(lines, net)
    assert sum(parts) == net
    if gross:
        assert all(abs(p - Fraction(net) * g / gross) < 1 for p, g in zip(parts, lines, strict=True))


@given(st.integers(0, 1200), st.integers(1, 800), st.booleans(), st.sampled_from(["S", "AE"]))
def test_a_service_span_is_cut_where_the_rate_changes(first_day: int, length: int, split: bool, category: str) -> None:
    """R13.3: `end`: the last day's rate for all of it; `split`: each part at its own."""
    changing: Rates = ((date.min, D(19)), (date(2027, 7, 1), D(16)), (date(2028, 1, 1), D(19)))
    first = date(2026, 1, 1) + timedelta(days=first_day)
    end = first + timedelta(days=length)
    tax = Tax(category=category, seller_rates=changing, split=split)
    spans = service_spans(tax, changing, first, end)
    assert spans[0][0] == first
    assert spans[-1][1] == end
    assert all(a[1] == b[0] for a, b in zip(spans, spans[1:], strict=False))
    last = end - timedelta(days=1)
    assert spans[-1][2] == vat_on(tax, changing, last)
    if not split or category != "S":
        assert len(spans) == 1
    else:
        for a, b, vat in spans:
            assert {vat_on(tax, changing, a + timedelta(days=n)) for n in range((b - a).days)} == {vat}


def test_a_gross_price_without_vat() -> None:
    """R13.3: it is divided by 1 + the home rate first; net prices and domestic ones stay."""
    day = date(2027, 1, 1)
    assert basis(Tax(category="AE", gross=True), SELLER, day) == Fraction(100, 119)
    assert basis(Tax(category="AE"), SELLER, day) == 1
    assert basis(Tax(gross=True), SELLER, day) == 1
    assert [is_gross(Tax(gross=g, category=c)) for g, c in ((True, "S"), (True, "AE"), (False, "S"))] == [
        True,
        False,
        False,
    ]
