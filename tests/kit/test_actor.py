"""Who acts, and when."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now


@pytest.mark.parametrize(
    ("now", "zone", "day"),
    [
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), "Europe/Berlin", date(2026, 7, 1)),
        (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), "Europe/Berlin", date(2026, 6, 30)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), "Europe/Stockholm", date(2027, 1, 1)),
        (datetime(2026, 1, 1, 4, 0, tzinfo=UTC), "America/New_York", date(2025, 12, 31)),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "UTC", date(2026, 1, 1)),
    ],
)
def test_the_day_is_that_of_the_time_zone(now: datetime, zone: str, day: date) -> None:
    assert Actor("a", now).today(zone) == day


@given(st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")])))
def test_the_day_does_not_depend_on_how_the_instant_is_written(now: datetime) -> None:
    try:
        same = now.astimezone(UTC)
    except OverflowError:
        return
    assert Actor("a", now).today("UTC") == same.date()


def test_the_same_actor_at_another_instant() -> None:
    before = Actor("a", datetime(2026, 3, 1, tzinfo=UTC))
    after = before.at(before.now + timedelta(days=1))
    assert (after.name, after.now) == ("a", datetime(2026, 3, 2, tzinfo=UTC))
    assert before.now == datetime(2026, 3, 1, tzinfo=UTC)


def test_the_clock_is_aware() -> None:
    assert utc_now().utcoffset() == timedelta(0)
