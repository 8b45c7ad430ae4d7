"""What a tariff may say (R2.4, R2.5, R7, R9.4)."""

from decimal import Decimal

import pytest

from taktura.core.errors import Refused
from taktura.core.facts import LineTerms, TariffTerms, Tier
from taktura.core.offer import check_conditions, check_tariff
from taktura.core.periods import Span

D = Decimal
MONTH, YEAR = Span(1, "month"), Span(1, "year")


def refusal(terms: TariffTerms, *lines: LineTerms, anchor: str = "contract") -> str | None:
    """The code of the refusal of a tariff, None when it is allowed."""
    try:
        check_tariff(terms, anchor, {str(i): line for i, line in enumerate(lines)})
    except Refused as refused:
        assert str(refused)
        return refused.code
    return None


def usage(minimum: bool = False, cap: bool = False) -> LineTerms:
    """A usage line with its flags."""
    return LineTerms(article="a", charge="usage", in_minimum=minimum, in_cap=cap)


@pytest.mark.parametrize(
    ("minimum", "cap", "flags", "code"),
    [
        (D(10), None, [(True, False)], None),
        (None, D(10), [(False, True)], None),
        (D(10), None, [(False, False)], "no_flagged_line"),
        (None, D(10), [(True, False)], "no_flagged_line"),
        (D(10), D(10), [(True, True)], None),
        (D(11), D(10), [(True, True)], "minimum_above_cap"),
        (D(11), D(10), [(True, False), (False, True)], None),
        (D(5), D(10), [(True, True), (False, True)], None),
        (D(11), D(10), [(True, True), (False, True)], "minimum_above_cap"),
        (D(5), D(10), [(True, True), (True, False)], "overlapping_flags"),
        (D(5), D(10), [(True, True), (True, False), (False, True)], "overlapping_flags"),
        (D(-1), None, [(True, False)], "invalid"),
        (None, D(-1), [(False, True)], "invalid"),
        (D(0), D(0), [(True, True)], None),
    ],
)
def test_minimum_and_cap(
    minimum: Decimal | None, cap: Decimal | None, flags: list[tuple[bool, bool]], code: str | None
) -> None:
    """R9.4: equal sets, the minimum's inside the cap's, or disjoint."""
    assert refusal(TariffTerms(minimum=minimum, cap=cap), *(usage(*f) for f in flags)) == code


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (LineTerms(article="a"), None),
        (LineTerms(article="a", interval=MONTH, price_per=YEAR), None),
        (LineTerms(article="a", interval=YEAR, price_per=MONTH), None),
        (LineTerms(article="a", interval=MONTH, price_per=Span(30, "day")), "invalid"),
        (LineTerms(article="a", interval=Span(2, "month"), price_per=Span(3, "month")), "invalid"),
        (LineTerms(article="a", interval=YEAR, price_per=YEAR, in_minimum=True), "invalid"),
        (LineTerms(article="a", price=D(-1)), "invalid"),
        (LineTerms(article="a", included=D(-1)), "invalid"),
        (LineTerms(article="a", price_quantity=D(0)), "invalid"),
        (LineTerms(article="a", flat_price=True), "invalid"),
        (LineTerms(article="a", charge="usage", flat_price=True), None),
        (LineTerms(article="a", charge="usage", aggregate="unique"), "invalid"),
        (LineTerms(article="a", charge="usage", aggregate="unique", aggregate_of="user"), None),
        (LineTerms(article="a", tiers=(Tier(up_to=D(10)),)), "invalid"),
        (LineTerms(article="a", tiers=(Tier(), Tier())), "invalid"),
        (LineTerms(article="a", tiers=(Tier(up_to=D(10)), Tier(up_to=D(10)), Tier())), "invalid"),
        (LineTerms(article="a", tiers=(Tier(up_to=D(0)), Tier())), "invalid"),
        (LineTerms(article="a", tiers=(Tier(price=D(-1)),)), "invalid"),
        (LineTerms(article="a", tiers=(Tier(up_to=D(10)), Tier(flat=D(-1)))), "invalid"),
        (LineTerms(article="a", tiers=(Tier(up_to=D(10), price=D(1)), Tier(flat=D(1)))), None),
        (LineTerms(article="a", discount_scale=((D(5), D(10)), (D(5), D(20)))), "invalid"),
        (LineTerms(article="a", discount_scale=((D(5), D(101)),)), "invalid"),
        (LineTerms(article="a", discount_scale=((D(5), D(10)), (D(50), D(20)))), None),
    ],
)
def test_lines(line: LineTerms, code: str | None) -> None:
    """R2.5, R7.1, R7.2, R7.3, R7.4, R9.1."""
    terms = TariffTerms(minimum=D(1) if line.in_minimum else None)
    assert refusal(terms, line) == code


@pytest.mark.parametrize(
    ("interval", "anchor", "code"),
    [
        (Span(5, "month"), "calendar", "invalid"),
        (Span(6, "month"), "calendar", None),
        (Span(2, "week"), "calendar", "invalid"),
        (Span(2, "week"), "day 3", "invalid"),
        (Span(2, "week"), "contract", None),
        (Span(1, "month"), "day 31", None),
    ],
)
def test_an_interval_needs_a_place_for_its_anchor(interval: Span, anchor: str, code: str | None) -> None:
    """R2.4: of the tariff and of each recurring line."""
    assert refusal(TariffTerms(interval=interval), anchor=anchor) == code
    line = LineTerms(article="a", interval=interval, price_per=interval)
    assert refusal(TariffTerms(), line, anchor=anchor) == code


@pytest.mark.parametrize(
    ("price", "discount", "quantity", "fine"),
    [
        (None, D(0), None, True),
        (D(0), D(100), D(0), True),
        (D("-0.01"), D(0), None, False),
        (None, D("100.01"), None, False),
        (None, D(-1), None, False),
        (None, D(0), D(-1), False),
    ],
)
def test_conditions_of_a_contract(
    price: Decimal | None, discount: Decimal, quantity: Decimal | None, fine: bool
) -> None:
    """R7.5."""
    if fine:
        check_conditions(price, discount, quantity)
        return
    with pytest.raises(Refused) as refused:
        check_conditions(price, discount, quantity)
    assert refused.value.code == "invalid"
