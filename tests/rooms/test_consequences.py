"""What the settings of a tariff come to: the examples beside the form are what would be billed."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taktura.catalog import consequences
from taktura.catalog.consequences import Ground
from taktura.core.control import Watch
from taktura.core.facts import Tax

TODAY = date(2026, 3, 10)
LINES: dict[str, Any] = {
    "dictation": {"title": "Dictation", "charge": "usage", "price": "5.00"},
    "search": {"title": "Search", "charge": "usage", "price": "1.00", "in_minimum": True, "in_cap": True},
}
BASE = {"base": {"title": "Base", "price": "30.00"}}


def ground(lines: Any = None, today: date = TODAY, **fields: Any) -> Ground:
    written = {"title": "Call handling", "lines": LINES if lines is None else lines, **fields}
    return consequences.ground(written, digits=2, tax=Tax(), today=today)


def test_the_minimum_of_the_seed() -> None:
    """1 dictation and 5 searches cost 15.00: the minimum of 10.00 tops searches up by 5.00 (R9.1)."""
    found = consequences.minimum(ground(minimum_sales="10.00"))
    assert found is not None
    assert [(p.title, p.quantity, p.amount) for p in found.parts] == [("Dictation", 1, 500), ("Search", 5, 500)]
    assert (found.bound, found.titles, found.difference, found.total) == (Decimal(10), ("Search",), 500, 1500)


def test_the_cap_of_the_seed() -> None:
    """1 dictation and 20 searches cost 15.00: the cap of 10.00 takes 10.00 off searches (R9.1)."""
    found = consequences.cap(ground(cost_cap="10.00"))
    assert found is not None
    assert [(p.title, p.quantity, p.amount) for p in found.parts] == [("Dictation", 1, 500), ("Search", 20, 2000)]
    assert (found.difference, found.total) == (1000, 1500)


def test_an_alert_comes_from_the_first_cent_above() -> None:
    found = consequences.alerts(ground(cost_cap="10.00", tolerance="10"))
    assert found is not None
    assert found.cap == 1101
    assert consequences.alerts(ground()) is None
    lines = {
        "calls": {"title": "Calls", "charge": "usage", "unit": "minute", "price": "1", "included": "60"},
        "flat": {
            "title": "Flat", "charge": "usage", "unit": "minute", "flat_price": True, "price": "20",
            "reference_price": "0.10",
        },
    }  # fmt: skip
    found = consequences.alerts(ground(lines, tolerance="50"))
    assert found is not None
    assert (found.cap, found.included, found.flat) == (None, ("Calls", "minute", 90), ("Flat", 300))


@pytest.mark.parametrize(
    ("notice", "end", "deadline"),
    [
        ("none", date(2026, 3, 11), TODAY),
        ("monthly", date(2026, 5, 1), date(2026, 3, 31)),
        ("yearly", date(2027, 3, 10), date(2026, 12, 9)),
    ],
)
def test_notice_received_today(notice: str, end: date, deadline: date) -> None:
    """R15.1: it counts from the day after."""
    found = consequences.ends(ground(notice=notice))
    assert found is not None
    assert (found.end, found.deadline, found.by_itself) == (end, deadline, None)
    found = consequences.ends(ground(notice={"initial_term": "6 months"}))
    assert found is not None and found.by_itself == date(2026, 9, 10)


@pytest.mark.parametrize(
    ("tick", "scope", "one", "both"),
    [
        ("minute", "record", 120, 240), ("second", "record", 61, 122), ("60/30", "record", 90, 180),
        ("minute", "period", 120, 180),
    ],
)  # fmt: skip
def test_a_call_of_61_seconds(tick: str, scope: str, one: int, both: int) -> None:
    """R6.2."""
    found = consequences.ticked(ground(tick=tick, tick_scope=scope))
    assert (found.seconds, found.one, found.both) == (61, one, both)


def test_periods_of_a_contract_signed_on_the_31st_are_not_chained() -> None:
    """R2.3: 31 Jan, 28 Feb, 31 Mar."""
    found = consequences.schedule(ground(today=date(2026, 1, 5)), date(2026, 1, 31))
    assert found is not None
    assert [a for a, _ in found.periods] == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    assert consequences.last_of_month(date(2026, 2, 10)) == date(2026, 3, 31)
    assert consequences.last_of_month(date(2026, 3, 31)) == date(2026, 3, 31)


def test_part_of_a_period() -> None:
    """R4.2, R9.3: by days; the cap whole."""
    found = consequences.partly(ground({**LINES, **BASE}, anchor="calendar", minimum_sales="31", cost_cap="62"))
    assert found is not None
    assert (found.first, found.days, found.whole, found.ended) == (date(2026, 3, 16), 16, 31, False)
    assert (found.recurring, found.minimum, found.cap) == (1548, 1600, 6200)
    found = consequences.partly(ground(BASE))
    assert found is not None
    assert (found.ended, found.first, found.days) == (True, TODAY, 15)


def test_a_trial_a_threshold_vat_and_the_end() -> None:
    g = ground(
        {**LINES, **BASE},
        trial="14 days",
        interim_threshold="50",
        vat=[{"rate": 19}, {"from": "2027-01-01", "rate": 20}],
    )
    trial, reached, taxed = consequences.trial(g), consequences.threshold(g), consequences.taxed(g)
    assert trial is not None and reached is not None and taxed is not None
    assert (trial.end, trial.first, trial.last, trial.amount) == (
        date(2026, 3, 24), date(2026, 3, 24), date(2026, 4, 24), 3000,
    )  # fmt: skip
    assert (reached.title, reached.quantity, reached.amount) == ("Dictation", 10, 5000)
    assert [(t.start, t.rate, t.net, t.gross) for t in taxed] == [
        (None, 19, 500, 595), (date(2027, 1, 1), 20, 500, 600),
    ]  # fmt: skip
    kept, back = consequences.ended(ground(BASE, credit_on_end=False)), consequences.ended(ground(BASE))
    assert kept is not None and back is not None
    assert (kept.paid, kept.back) == (3000, 0)
    assert (back.paid, back.back) == (3000, 3000 - 1452)


def test_what_cannot_be_billed_is_left_out_and_said() -> None:
    """The rest still has its examples: nobody writes a tariff in one go."""
    g = ground(
        {**LINES, "bad": {"title": "Bad", "price": "-1"}}, minimum_sales="20", cost_cap="10", vat="101", anchor="day 40"
    )
    assert [p.values.get("field") for p in g.problems] == ["anchor", "vat", "price", "minimum_sales"]
    assert consequences.cap(g) is not None and consequences.minimum(g) is None
    flagless = ground(BASE, minimum_sales="10", cost_cap="20")
    assert [p.code for p in flagless.problems] == ["no_flagged_line", "no_flagged_line"]
    assert consequences.minimum(flagless) is None


SPANS = st.builds(
    lambda n, u: f"{n} {u}", st.sampled_from([1, 2, 3, 5, 9999]), st.sampled_from(["day", "week", "month", "year"])
)
AMOUNTS = st.none() | st.decimals(0, 10_000, places=2)
LINE = st.fixed_dictionaries(
    {
        "title": st.just("X"), "charge": st.sampled_from(["usage", "recurring", "once"]),
        "price": st.decimals(-1, 100, places=4),
    },
    optional={
        "in_minimum": st.booleans(), "in_cap": st.booleans(), "included": st.integers(0, 50),
        "unit": st.just("minute"), "package": st.just("started"), "price_quantity": st.integers(0, 20),
        "aggregate": st.sampled_from(["sum", "max", "count"]), "booking": st.sampled_from(["included", "add_on"]),
        "flat_price": st.just(True), "reference_price": st.just("0.1"),
    },
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(
    lines=st.dictionaries(st.sampled_from("abc"), LINE, max_size=3),
    today=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    fields=st.fixed_dictionaries(
        {},
        optional={
            "minimum_sales": AMOUNTS, "cost_cap": AMOUNTS, "interval": SPANS, "trial": SPANS,
            "anchor": st.sampled_from(["contract", "calendar", "day 31", "day 40"]), "interim_threshold": AMOUNTS,
            "tolerance": st.sampled_from(["0", "12.5", "-1"]), "minimum_proration": st.sampled_from(["none", "daily"]),
            "cap_proration": st.sampled_from(["none", "daily"]), "credit_on_end": st.booleans(),
            "notice": st.sampled_from(["none", "yearly", {"initial_term": "9999 years", "renewal_term": "open"}]),
        },
    ),
)  # fmt: skip
def test_every_tariff_has_examples_that_add_up(lines: Any, today: date, fields: Any) -> None:
    """Whatever is typed; the sums are those of settlement."""
    g = ground(lines, today, **fields)
    for bounded, sign in ((consequences.minimum(g), 1), (consequences.cap(g), -1)):
        if bounded is not None:
            assert bounded.difference > 0
            if fields.get("minimum_sales") is None or fields.get("cost_cap") is None:
                assert sum(p.amount for p in bounded.parts) + sign * bounded.difference == bounded.total
    alerts = consequences.alerts(g)
    if alerts is not None and alerts.cap is not None and g.offer.version.cost_cap is not None:
        for amount, crossed in ((alerts.cap, True), (alerts.cap - 1, False)):
            bound, tolerance = Fraction(g.offer.version.cost_cap), g.offer.version.tolerance or Decimal(0)
            watch = Watch(kind="cap", value=Fraction(amount, 100), bound=bound, tolerance=tolerance)
            assert watch.crossed is crossed
    ended = consequences.ended(g)
    assert ended is None or 0 <= ended.back <= ended.paid
    for found in (consequences.schedule(g, today), consequences.schedule(g, consequences.last_of_month(today))):
        assert found is None or all(a < b for a, b in found.periods)
    for example in (
        consequences.trial,
        consequences.partly,
        consequences.threshold,
        consequences.taxed,
        consequences.ends,
    ):
        example(g)
