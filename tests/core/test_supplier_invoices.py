"""An invoice against imported rows: each cause where it belongs, and quiet where they agree."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.supplier_invoices import INVOICE_CAUSES, Claim, Imported, hold

JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
MIDDLE = date(2026, 1, 16)
amounts = st.fractions(min_value=-10_000, max_value=10_000, max_denominator=1000)
cents = st.integers(-(10**6), 10**6).map(lambda n: Fraction(n, 100))
days = st.dates(date(2025, 12, 1), date(2026, 2, 28))
claims = st.lists(
    st.tuples(days, days, cents).filter(lambda c: c[0] < c[1]).map(lambda c: Claim(first=c[0], end=c[1], net=c[2])),
    max_size=4,
)


def claim(net: str, first: date = JANUARY, end: date = FEBRUARY) -> Claim:
    """An invoice, of January if nothing else is said."""
    return Claim(first=first, end=end, net=Fraction(net))


def rows(cost: str, number: int = 1, **more: object) -> Imported:
    """Imported rows."""
    withdrawn = Fraction(str(more.get("withdrawn", 0)))
    return Imported(cost=Fraction(cost), rows=number, withdrawn=withdrawn, unread=int(str(more.get("unread", 0))))


@pytest.mark.parametrize(
    ("invoices", "imported", "causes"),
    [
        ([], rows("5"), ["no_invoice"]),
        ([], Imported(), []),
        ([claim("5")], rows("5"), []),
        ([claim("5")], rows("5.0049"), []),
        ([claim("5")], Imported(), ["not_imported"]),
        ([claim("0")], Imported(), []),
        ([claim("5.02")], rows("5", 4), ["rounding"]),
        ([claim("5.03")], rows("5", 4), ["higher"]),
        ([claim("4")], rows("5"), ["lower"]),
        ([claim("4")], rows("5", withdrawn=1), ["withdrawn"]),
        ([claim("4")], rows("5", withdrawn=2), ["lower"]),
        ([claim("6")], rows("5", unread=3), ["unread"]),
        ([claim("4")], rows("5", unread=3), ["lower"]),
        ([claim("4", end=MIDDLE)], rows("5"), ["gap"]),
        ([claim("2", end=MIDDLE), claim("3", first=MIDDLE)], rows("5"), []),
        ([claim("5"), claim("5")], rows("5"), ["overlap"]),
        ([claim("6"), claim("-1")], rows("5"), []),
        ([claim("6"), claim("-2")], rows("5"), ["lower"]),
        ([claim("59", end=MARCH)], rows("31"), []),
        ([claim("59", end=MARCH)], rows("30"), ["partly"]),
        ([claim("9", end=MIDDLE)], rows("5", unread=1), ["gap", "unread"]),
    ],
)
def test_each_cause(invoices: list[Claim], imported: Imported, causes: list[str]) -> None:
    assert list(hold(invoices, imported, JANUARY, FEBRUARY, 2).causes) == causes


def test_the_minor_unit_is_the_currencys() -> None:
    assert hold([claim("5")], rows("5.4"), JANUARY, FEBRUARY, 0).causes == ()
    assert hold([claim("5")], rows("6"), JANUARY, FEBRUARY, 0).causes == ("lower",)


@given(claims, amounts, st.integers(0, 1000))
def test_a_difference_has_a_cause_and_agreement_has_none(invoices: list[Claim], cost: Fraction, number: int) -> None:
    imported = Imported(cost=cost if number else Fraction(0), rows=number)
    inside = [c for c in invoices if c.first < FEBRUARY and c.end > JANUARY]
    found = hold(inside, imported, JANUARY, FEBRUARY, 2)
    assert found.difference == found.claimed - imported.cost
    assert set(found.causes) <= set(INVOICE_CAUSES)
    assert list(found.causes) == sorted(found.causes, key=INVOICE_CAUSES.index)
    if inside:
        assert bool(found.causes) == (abs(found.difference) >= Fraction(1, 100))
    else:
        assert bool(found.causes) == bool(number)


@given(st.lists(days, min_size=1, max_size=4, unique=True), cents)
def test_an_invoice_over_several_periods_is_spread_over_them_whole(cuts: list[date], net: Fraction) -> None:
    first, end = date(2025, 12, 1), MARCH
    edges = [first, *sorted(c for c in cuts if c > first), end]
    one = Claim(first=first, end=end, net=net)
    parts = [hold([one], Imported(), a, b, 2).claimed for a, b in zip(edges, edges[1:], strict=False)]
    assert sum(parts) == net
