"""Finding causes: pure, complete, and quiet where the columns agree."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from taktura.core.reconciling import (
    CAUSES,
    EXCLUDED,
    Account,
    Compared,
    Sum,
    account,
    causes,
    quantity_days,
    share_of_days,
    shares,
    without_vat,
)

fractions = st.fractions(min_value=-1000, max_value=1000, max_denominator=100)
sums = st.builds(Sum, fractions, fractions)
REASONS = ["billed", "open", "no_subscription", "currency", "before_start", "unknown_key", *EXCLUDED]
states = st.dictionaries(st.sampled_from(REASONS), sums)
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def whole(parts: dict[str, Sum]) -> Sum:
    """All states together."""
    return sum(parts.values(), Sum())


@given(states, states)
def test_accounts_hold_and_add_up(one: dict[str, Sum], other: dict[str, Sum]) -> None:
    together = account(whole(one), one) + account(whole(other), other)
    assert together.holds and together.imported == whole(one) + whole(other)
    assert set(together.excluded) <= set(EXCLUDED) and not set(together.waiting) & {*EXCLUDED, "billed", "open"}


@given(states, sums)
def test_what_is_missing_or_lost_is_seen(parts: dict[str, Sum], more: Sum) -> None:
    assert account(whole(parts) + more, parts).holds is not bool(more)
    lost = account(whole(parts) + more, {**parts, "lost": more})
    assert lost.holds is not bool(more)
    assert ("lost" in causes(Compared(account=lost, said=None, invoiced=Fraction(0)))) is bool(more)


@given(states, st.none() | fractions, fractions, st.booleans(), st.none() | fractions, st.none() | fractions)
def test_causes_are_known_ordered_and_once(
    parts: dict[str, Sum], said: Fraction | None, invoiced: Fraction, same: bool, wanted: Fraction | None,
    used: Fraction | None,
) -> None:  # fmt: skip
    row = Compared(
        account=account(whole(parts), parts), said=said, invoiced=invoiced, same_currency=same, wanted=wanted, used=used
    )
    found = causes(row)
    places = [CAUSES.index(cause) for cause in found]
    assert all(a < b for a, b in pairwise(places))
    assert not {"late", "not_billed"} <= set(found)
    assert ("unlinked" in found) is bool(parts.get("no_subscription"))
    if not found:  # the columns agree: all is billed, at what the contract says, at no loss
        assert row.account.billed == row.account.imported
        assert said is None or said == invoiced
        assert row.margin is None or row.margin >= 0 or not row.account.billed


@given(states, st.sets(st.sampled_from(REASONS)))
def test_states_that_come_to_nothing_are_told_where_there_was_something(parts: dict[str, Sum], told: set[str]) -> None:
    known = account(whole(parts), parts, told)
    nothing = {state for state, value in parts.items() if not value and state in told}
    found = causes(Compared(account=known, said=None, invoiced=Fraction(0)))
    assert ("cancelled" in found) is bool(nothing - {"billed", "withdrawn", "credited"})
    assert (known + Account()).cancelled is known.cancelled


@given(fractions.filter(lambda x: x > 0), fractions.filter(lambda x: x > 0))
def test_what_is_billed_as_agreed_has_no_cause(cost: Fraction, more: Fraction) -> None:
    known = Account(imported=Sum(Fraction(1), cost), billed=Sum(Fraction(1), cost))
    assert causes(Compared(account=known, said=cost + more, invoiced=cost + more)) == ()
    assert causes(Compared(account=known, said=cost + more, invoiced=cost)) == ("price",)
    assert causes(Compared(account=known, said=cost / 2, invoiced=cost / 2)) == ("loss",)


@given(days, st.integers(1, 400), st.lists(days, max_size=5, unique=True))
def test_parts_of_a_span_make_the_whole(first: date, length: int, cuts: list[date]) -> None:
    end = first + timedelta(days=length)
    edges = [date.min, *sorted(cuts), date.max]
    parts = [share_of_days(first, end, a, b) for a, b in pairwise(edges)]
    assert sum(parts) == 1 and all(0 <= part <= 1 for part in parts)


@given(st.lists(st.tuples(days, fractions), min_size=1, max_size=5, unique_by=lambda x: x[0]), days, st.integers(0, 90))
def test_quantity_days_are_those_of_each_day(timeline: list[tuple[date, Fraction]], first: date, length: int) -> None:
    timeline = sorted(timeline)
    total = Fraction(0)
    for n in range(length):
        day = first + timedelta(days=n)
        total += next((q for start, q in reversed(timeline) if start <= day), timeline[0][1])
    assert quantity_days(timeline, [(first, first + timedelta(days=length))]) == total


@given(st.lists(fractions, min_size=1, max_size=8))
def test_shares_make_the_whole(weights: list[Fraction]) -> None:
    found = shares(weights)
    assert sum(found) == 1 and len(found) == len(weights) and all(part >= 0 for part in found)


@given(fractions, st.integers(0, 30))
def test_vat_is_taken_out(net: Fraction, percent: int) -> None:
    assert without_vat(net * (100 + percent) / 100, Fraction(percent)) == net
