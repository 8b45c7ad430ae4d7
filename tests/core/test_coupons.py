"""An amount coupon spread over the lines of a period (R10.2)."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from taktura.core.coupons import Item, amount_shares
from taktura.core.facts import Contract, Coupon, Key
from taktura.core.money import half_up

DAY = date(2027, 1, 1)
Fixed = dict[Key, dict[int, int]]


def contract_with(amount: Decimal) -> Contract:
    coupon = Coupon(id=1, given=DAY, first=DAY, amount=amount)
    return Contract(id=1, start=DAY, phases=(), lines=(), coupons=(coupon,), stacking="add")


def items(costs: list[Fraction]) -> list[Item]:
    """Lines of one period, due on one day."""
    keys = [Key(line=n, kind="usage", start=DAY, phase=DAY) for n in range(len(costs))]
    return [Item(key=k, article="a", start=DAY, due=DAY, cost=c) for k, c in zip(keys, costs, strict=True)]


def spread(amount: Decimal, costs: list[Fraction], fixed: dict[int, int] | None = None) -> list[int]:
    """The shares of the lines in minor units, in their order; `fixed`: those that are billed."""
    rows = items(costs)
    known: Fixed = {rows[n].key: {1: share} for n, share in (fixed or {}).items()}
    found = amount_shares(contract_with(amount), rows, known)
    return [sum(found.get(row.key, {}).values()) for row in rows]


def test_a_coupon_that_covers_its_lines_covers_each_of_them() -> None:
    """2.486 and 0.198 are 2.684 together, but 2.49 and 0.20 for themselves: once the second is billed, the first had
    another share than before, and a second run made documents over a cent."""
    costs = [Fraction("2.486"), Fraction("0.198")]
    assert spread(Decimal("3.33"), costs) == [249, 20]
    assert spread(Decimal("3.33"), costs, {1: 20}) == [249, 20]
    assert spread(Decimal("2.68"), costs) == [248, 20]
    assert spread(Decimal("2.68"), costs, {1: 20}) == [248, 20]


amounts = st.integers(0, 2000).map(lambda n: Decimal(n) / 100)
prices = st.lists(st.integers(0, 10**6).map(lambda n: Fraction(n, 10**5)), min_size=1, max_size=4)


@given(amount=amounts, costs=prices)
def test_no_more_is_given_than_the_coupon_has_and_than_each_line_costs(amount: Decimal, costs: list[Fraction]) -> None:
    shares, unit = spread(amount, costs), 100
    assert sum(shares) <= amount * unit
    assert all(share <= half_up(cost * unit) + 1 for share, cost in zip(shares, costs, strict=True))
    if sum(half_up(cost * unit) for cost in costs) <= amount * unit:
        assert shares == [half_up(cost * unit) for cost in costs], "a coupon that is large enough leaves nothing"


@given(amount=amounts, costs=prices, billed=st.data())
def test_shares_of_a_coupon_that_covers_all_stay_whichever_lines_are_billed(
    amount: Decimal, costs: list[Fraction], billed: st.DataObject
) -> None:
    shares = spread(amount, costs)
    if sum(half_up(cost * 100) for cost in costs) <= amount * 100:
        some = billed.draw(st.sets(st.sampled_from(range(len(costs)))))
        assert spread(amount, costs, {n: shares[n] for n in some}) == shares
