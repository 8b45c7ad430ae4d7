"""The timer: one for each user, paused and going on, stopped once; what is forgotten over midnight is asked about."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from taktura.accounts.models import User
from taktura.accounts.services import create_user
from taktura.core.errors import Refused
from taktura.desk import services as desk
from taktura.desk.models import RunningTime, TimeEntry
from taktura.kit.actor import Actor
from tests.rooms.test_time import customer, shop, ticket

NOON = datetime(2026, 3, 10, 11, tzinfo=UTC)  # 12:00 in Berlin


@pytest.fixture
def tom(database: str) -> User:
    """A technician."""
    return create_user(Actor("test", NOON), email="tom@k.example", name="Tom", role="technician", password=None)


def at(minutes: float) -> Actor:
    """Tom, so many minutes after noon."""
    return Actor("user:tom@k.example", NOON + timedelta(minutes=minutes))


def start(**more: Any) -> RunningTime:
    made = desk.start_timer(at(0), **({"customer": customer(shop())} if "ticket" not in more else {}) | more)
    return RunningTime.objects.get(pk=made.pk)


def test_what_ran_is_logged_and_pauses_are_not(tom: User) -> None:
    seller = shop()
    visit = desk.add_activity(at(0), seller=seller, name="Visit", billable=False)
    printer = ticket(customer(seller))
    timer = start(ticket=printer, activity=visit, note=" Paper ")
    desk.pause_timer(at(10), timer=timer)
    desk.pause_timer(at(20), timer=timer)  # it rests already
    desk.go_on_with_timer(at(40), timer=timer)
    desk.go_on_with_timer(at(45), timer=timer)  # it runs already
    made = desk.stop_timer(at(60.5), timer=timer)
    assert (made.minutes, made.ticket, made.user, made.worked_on) == (31, printer, tom, date(2026, 3, 10))
    assert (made.activity, made.note, made.billable, made.status) == (visit, "Paper", False, "submitted")
    assert not RunningTime.objects.exists()


def test_one_runs_for_each_user_and_stops_once(tom: User) -> None:
    timer = start()
    with pytest.raises(Refused) as refused:
        start()
    assert refused.value.code == "conflict" and refused.value.values["name"] == "acme"
    eva = create_user(at(0), email="eva@k.example", name="Eva", role="technician", password=None)
    desk.start_timer(at(0), customer=timer.customer, user=eva)
    desk.stop_timer(at(5), timer=timer)
    for again in (desk.stop_timer, desk.pause_timer, desk.go_on_with_timer, desk.drop_timer):
        with pytest.raises(Refused) as refused:
            again(at(6), timer=timer)
        assert refused.value.code == "not_found"
    assert TimeEntry.objects.count() == 1


def test_a_second_begun_is_a_minute(tom: User) -> None:
    assert desk.stop_timer(at(0), timer=start()).minutes == 1


def test_what_is_said_goes_before_what_the_timer_says(tom: User) -> None:
    made = desk.stop_timer(at(90), timer=start(), minutes=75, worked_on=date(2026, 3, 9), note="Less", billable=False)
    assert (made.minutes, made.worked_on, made.note, made.billable) == (75, date(2026, 3, 9), "Less", False)


@pytest.mark.parametrize("paused", [False, True])
def test_what_ran_over_midnight_is_asked_about(tom: User, paused: bool) -> None:
    """Midnight where the seller is: 23:00 in London already."""
    timer, late = start(), 11 * 60 + 59
    assert not desk.ran_overnight(at(late), timer) and desk.ran_overnight(at(late + 1), timer)
    if paused:
        timer = desk.pause_timer(at(late + 1), timer=timer)
        timer = desk.go_on_with_timer(at(late + 100), timer=timer)
    with pytest.raises(Refused, match="ran over midnight") as refused:
        desk.stop_timer(at(late + 101), timer=timer)
    assert (refused.value.values["day"], refused.value.values["field"]) == (date(2026, 3, 10), "minutes")
    assert not TimeEntry.objects.exists() and RunningTime.objects.count() == 1
    assert desk.stop_timer(at(late + 101), timer=timer, minutes=90).worked_on == date(2026, 3, 10)


def test_a_pause_over_midnight_is_none_that_runs(tom: User) -> None:
    """Two hours on Tuesday, one on Wednesday: three hours that somebody meant."""
    timer = start()
    desk.pause_timer(at(120), timer=timer)
    timer = desk.go_on_with_timer(at(24 * 60), timer=timer)
    assert desk.stop_timer(at(25 * 60), timer=timer).minutes == 180


def test_more_than_a_day_is_asked_about(tom: User) -> None:
    timer = start()
    RunningTime.objects.update(seconds=86_400)
    with pytest.raises(Refused, match="more than a day"):
        desk.stop_timer(at(1), timer=timer)
    RunningTime.objects.update(seconds=86_340)
    assert desk.stop_timer(at(1), timer=timer).minutes == 1440


def test_what_does_not_fit_together_is_refused(tom: User) -> None:
    seller, other = shop(), shop(name="Other")
    theirs = desk.add_activity(at(0), seller=other, name="Theirs")
    for fields in (
        {}, {"customer": customer(seller), "activity": theirs}, {"customer": customer(other), "note": "x" * 501},
        {"customer": customer(seller, "b"), "ticket": ticket(customer(seller, "c"))},
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            desk.start_timer(at(0), **fields)
        assert refused.value.code == "invalid"
    with pytest.raises(Refused, match="whose timer"):
        desk.start_timer(Actor("test", NOON), customer=customer(seller, "d"))
    assert not RunningTime.objects.exists()


def test_what_is_thrown_away_logs_nothing(tom: User) -> None:
    desk.drop_timer(at(500), timer=start())
    assert not RunningTime.objects.exists() and not TimeEntry.objects.exists()
