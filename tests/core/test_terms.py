"""Terms and notice (R15), to the day."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.core.errors import Refused
from taktura.core.periods import DAY, Span, add
from taktura.core.terms import OPEN, PRESETS, Terms, earliest_end, fixed_end, notice_deadline, parse_terms

dates = st.dates(date(2020, 1, 1), date(2035, 12, 31))
spans = st.sampled_from([Span(1, "month"), Span(3, "month"), Span(12, "month"), Span(1, "year"), Span(90, "day")])
renewals = st.one_of(st.none(), st.just(OPEN), spans)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    initial = draw(st.none() | spans)
    to = draw(st.sampled_from(["day", "month_end", "term_end"] if initial else ["day", "month_end"]))
    renewal = draw(renewals) if initial else None
    return Terms(initial_term=initial, renewal_term=renewal, notice=draw(st.none() | spans), to=to)


@pytest.mark.parametrize("received", [date(2027, 6, 1), date(2027, 6, 30)])
def test_monthly_received_in_june_ends_with_july(received: date) -> None:
    """R15.2: received 1 June or 30 June: last day 31 July."""
    assert earliest_end(PRESETS["monthly"], date(2027, 1, 1), received) == date(2027, 8, 1)


def test_yearly_signed_for_7_august() -> None:
    """R15.2: 6 May is in time, 7 May is not: too late takes effect a year on."""
    start = date(2026, 8, 7)
    assert earliest_end(PRESETS["yearly"], start, date(2027, 5, 6)) == date(2027, 8, 7)
    assert earliest_end(PRESETS["yearly"], start, date(2027, 5, 7)) == date(2028, 8, 7)
    assert notice_deadline(PRESETS["yearly"], start, date(2027, 1, 1)) == date(2027, 5, 6)
    assert notice_deadline(PRESETS["yearly"], start, date(2027, 5, 7)) == date(2028, 5, 6)


def test_none_ends_on_the_day_of_receipt() -> None:
    """R15.2."""
    assert earliest_end(PRESETS["none"], date(2027, 1, 1), date(2027, 3, 9)) == date(2027, 3, 10)


def test_a_german_consumer_has_a_month_at_most() -> None:
    """R15.4: and after the first term any day will do."""
    yearly, start = PRESETS["yearly"], date(2026, 8, 7)
    assert earliest_end(yearly, start, date(2027, 7, 6), consumer=True) == date(2027, 8, 7)
    assert earliest_end(yearly, start, date(2027, 7, 7), consumer=True) == date(2027, 8, 8)
    assert earliest_end(yearly, start, date(2028, 2, 29), consumer=True) == date(2028, 3, 30)


def test_a_term_without_renewal_ends_with_itself() -> None:
    """R15.3."""
    assert fixed_end(Terms(initial_term=Span(1, "year")), date(2027, 1, 1)) == date(2028, 1, 1)
    assert fixed_end(PRESETS["yearly"], date(2027, 1, 1)) is None
    assert fixed_end(PRESETS["none"], date(2027, 1, 1)) is None


def test_terms_of_ones_own_are_read() -> None:
    """R15.3: `to` is `term_end` with an initial term, else `day`."""
    assert parse_terms({"initial_term": "1 year", "renewal_term": "open", "notice": "1 month"}) == Terms(
        initial_term=Span(1, "year"), renewal_term=OPEN, notice=Span(1, "month"), to="term_end"
    )
    assert parse_terms({"notice": "14 days"}) == Terms(notice=Span(14, "day"), to="day")
    assert [parse_terms(name) for name in PRESETS] == list(PRESETS.values())


@pytest.mark.parametrize("value", ["weekly", 3, {"to": "noon"}, {"to": "term_end"}, {"notice": "soon"}])
def test_what_are_no_terms_is_refused(value: Any) -> None:
    with pytest.raises(Refused) as refused:
        parse_terms(value)
    assert refused.value.code == "invalid"


@given(terms(), dates, st.integers(0, 3000), st.booleans())
def test_notice_is_kept_and_the_end_is_permitted(value: Terms, start: date, days: int, consumer: bool) -> None:
    """R15.1, R15.3: never before notice, term or start; never earlier for notice received later; on a boundary."""
    received = start + timedelta(days=days)
    end = earliest_end(value, start, received, consumer=consumer)
    first = add(start, value.initial_term) if value.initial_term else start
    fixed = value.initial_term is not None and value.renewal_term is None
    assert end >= first
    if not (fixed and value.to == "term_end"):
        notice = add(received, value.notice) if value.notice else received
        least = min(notice, add(received, Span(1, "month"))) if consumer and value.notice else notice
        assert end >= least + DAY
    if value.to == "month_end" and not consumer:
        assert end.day == 1
    assert earliest_end(value, start, received + DAY, consumer=consumer) >= end
    if consumer:
        assert end <= max(first, add(received, Span(1, "month")) + DAY) or value.to == "month_end"


@given(terms(), dates, st.integers(0, 2000), st.integers(0, 900))
def test_a_wished_end_moves_to_the_next_permitted(value: Terms, start: date, days: int, later: int) -> None:
    """R15.3: a last day, so the end is after it."""
    received = start + timedelta(days=days)
    soonest = earliest_end(value, start, received)
    wish = received + timedelta(days=later)
    end = earliest_end(value, start, received, wish=wish)
    assert end >= soonest
    if not (value.initial_term and value.renewal_term is None and value.to == "term_end"):
        assert end > wish
    assert earliest_end(value, start, received, wish=end - DAY) == end


@given(terms(), dates, st.integers(0, 1500), st.booleans())
def test_the_deadline_is_the_last_day_in_time(value: Terms, start: date, days: int, consumer: bool) -> None:
    """R15.1: on the deadline the same end is in reach, the day after it is not."""
    today = start + timedelta(days=days)
    end = earliest_end(value, start, today, consumer=consumer)
    deadline = notice_deadline(value, start, today, consumer=consumer)
    assert deadline >= today
    assert earliest_end(value, start, deadline, consumer=consumer) == end
    if deadline < end:
        assert earliest_end(value, start, deadline + DAY, consumer=consumer) > end


@given(dates, st.integers(0, 40))
def test_a_yearly_term_does_not_drift(start: date, years: int) -> None:
    """R15.2: renewed ends are counted from the start (29 Feb comes back)."""
    wish = add(start, Span(1, "year"), years + 1) - DAY
    end = earliest_end(PRESETS["yearly"], start, start, wish=wish)
    assert end == add(start, Span(1, "year"), years + 1)
