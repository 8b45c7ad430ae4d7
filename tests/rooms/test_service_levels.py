"""Service levels: where the clocks of tickets stand after what was done, and what was kept by priority."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from taktura.audit.models import LogEntry
from taktura.core.errors import Refused
from taktura.customers.models import Customer, Seller
from taktura.customers.services import create_customer, create_seller
from taktura.desk import services as desk
from taktura.desk.levels import Level, hours_of, next_standing, service_levels, standings
from taktura.desk.models import Ticket, TicketPause
from taktura.kit.actor import Actor

WORKDAYS: dict[int, list[tuple[int, int]]] = {day: [(480, 720), (780, 1020)] for day in range(5)}  # 8–12, 13–17
HOUR = timedelta(hours=1)


def at(day: int, hour: int, minute: int = 0) -> Actor:
    """Somebody in March 2026 in Berlin, in winter; the 2nd is a Monday."""
    return Actor("user:tech@firm.example", datetime(2026, 3, day, hour - 1, minute, tzinfo=UTC))


def when(day: int, hour: int, minute: int = 0) -> datetime:
    return at(day, hour, minute).now


@pytest.fixture
def seller(database: str) -> Seller:
    """Open on workdays, with targets for what is high: an hour to answer, eight to solve."""
    made = create_seller(
        at(1, 8), name="Firm", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    desk.set_service_levels(at(1, 8), seller=made, hours=WORKDAYS, targets={"high": (60, 480), "low": (None, 960)})
    create_customer(at(1, 8), seller=made, key="acme", name="Acme")
    return made


def opened(actor: Actor, priority: str = "high", **fields: Any) -> Ticket:
    customer = Customer.objects.select_related("seller").get(key="acme")
    return desk.open_ticket(
        actor, customer=customer, subject="Printer", text="Smokes", by_customer=True, priority=priority, **fields
    )


def stands(ticket: Ticket) -> tuple[datetime | None, datetime | None, timedelta | None, datetime | None]:
    ticket.refresh_from_db()
    return ticket.answer_due_at, ticket.solve_due_at, ticket.solve_left, ticket.due_at


def test_clocks_begin_when_a_ticket_is_opened(seller: Seller) -> None:
    assert stands(opened(at(2, 11, 30))) == (when(2, 13, 30), when(3, 11, 30), None, when(2, 13, 30))
    assert stands(opened(at(7, 20))) == (when(9, 9), when(9, 17), None, when(9, 9)), "on a Saturday night"
    assert stands(opened(at(2, 9), "low")) == (None, when(4, 9), None, when(4, 9))
    assert stands(opened(at(2, 9), "urgent")) == (None, None, None, None), "nothing is promised"


def test_an_answer_stops_the_clock_of_the_solution(seller: Seller) -> None:
    ticket = opened(at(2, 9))
    desk.answer_ticket(at(2, 9, 30), ticket=ticket, text="Since when?")
    assert stands(ticket) == (when(2, 10), None, 7 * HOUR + HOUR / 2, None)
    desk.answer_ticket(at(4, 16), ticket=ticket, text="Is asked again", kind="note")
    desk.answer_ticket(at(5, 16), ticket=ticket, text="Monday", kind="customer")
    assert stands(ticket) == (when(2, 10), when(6, 15, 30), None, when(6, 15, 30))
    assert [(p.since, p.until) for p in ticket.pauses.all()] == [(when(2, 9, 30), when(5, 16))]
    desk.change_ticket(at(6, 10), ticket=ticket, status="solved")
    assert stands(ticket) == (when(2, 10), None, 4 * HOUR + HOUR / 2, None)
    desk.change_ticket(at(9, 10), ticket=ticket, status="closed")
    assert stands(ticket) == (when(2, 10), None, 4 * HOUR + HOUR / 2, None)
    desk.change_ticket(at(10, 12), ticket=ticket, status="open")
    assert stands(ticket) == (when(2, 10), when(11, 8, 30), None, when(11, 8, 30))
    assert TicketPause.objects.filter(until=None).count() == 0


def test_what_is_late_stays_late(seller: Seller) -> None:
    ticket = opened(at(2, 9))
    desk.change_ticket(at(4, 9), ticket=ticket, status="solved")
    assert stands(ticket) == (when(2, 10), when(3, 9), None, None)
    shown = {s.kind: s.state for s in standings(ticket, hours_of(seller), when(9, 9))}
    assert shown == {"answer": "missed", "solve": "missed"}, "solved without a word, it was answered then"


def test_another_priority_is_another_promise(seller: Seller) -> None:
    ticket = opened(at(2, 9), "low")
    desk.change_ticket(at(2, 15), ticket=ticket, priority="high")
    assert stands(ticket) == (when(2, 10), when(3, 9), None, when(2, 10))
    desk.change_ticket(at(2, 15), ticket=ticket, priority="urgent")
    assert stands(ticket) == (None, None, None, None)


def test_settings_are_followed_by_what_is_not_solved(seller: Seller) -> None:
    ticket, asked, solved = opened(at(2, 9)), opened(at(2, 9)), opened(at(2, 9))
    desk.answer_ticket(at(2, 10), ticket=asked, text="Since when?")
    desk.change_ticket(at(2, 10), ticket=solved, status="solved")
    before = Ticket.objects.get(pk=ticket.pk).changed_at
    desk.set_service_levels(at(2, 11), seller=seller, targets={"high": (120, 180)}, holidays={date(2026, 3, 3): "Holi"})
    assert stands(ticket) == (when(2, 11), when(2, 12), None, when(2, 11))
    assert stands(asked) == (when(2, 10), None, 2 * HOUR, None), "it was answered: that stays"
    assert stands(solved) == (when(2, 10), None, 7 * HOUR, None), "it was solved: that stays"
    desk.set_service_levels(at(2, 11), seller=seller, hours={})
    assert stands(ticket) == (when(2, 11), when(2, 12), None, when(2, 11)), "around the clock"
    assert Ticket.objects.get(pk=ticket.pk).changed_at == before
    said = LogEntry.objects.filter(action="set_service_levels").count()
    desk.set_service_levels(at(2, 12), seller=seller, hours={})
    assert LogEntry.objects.filter(action="set_service_levels").count() == said, "nothing was changed"


def test_a_clock_says_what_is_left_in_business_time(seller: Seller) -> None:
    ticket, hours = opened(at(2, 16)), hours_of(seller)
    shown = next_standing(ticket, hours, when(2, 16, 30))
    assert shown is not None and (shown.kind, shown.state, shown.minutes) == ("answer", "runs", 30)
    shown = next_standing(ticket, hours, when(3, 9))
    assert shown is not None and (shown.kind, shown.state, shown.minutes) == ("answer", "over", 60), "the night is none"
    desk.answer_ticket(at(3, 9), ticket=ticket, text="Hm", kind="staff")
    ticket.refresh_from_db()
    assert next_standing(ticket, hours, when(3, 9)) is None
    assert [(s.kind, s.state) for s in standings(ticket, hours, when(3, 9))] == [
        ("answer", "missed"),
        ("solve", "stopped"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"hours": {7: [(0, 60)]}},
        {"hours": {0: [(60, 60)]}},
        {"hours": {0: [(0, 1441)]}},
        {"hours": {0: [(0, 60), (30, 90)]}},
        {"hours": {0: [(i * 10, i * 10 + 5) for i in range(7)]}},
        {"targets": {"extreme": (1, 2)}},
        {"targets": {"high": (0, 2)}},
        {"targets": {"high": (1, 60_001)}},
        {"holidays": {date(2026, 1, 1): "x" * 101}},
        {"holidays": {date.fromordinal(738_000 + i): "" for i in range(1001)}},
    ],
)
def test_nonsense_is_refused(seller: Seller, given: dict[str, Any]) -> None:
    before = hours_of(seller)
    with pytest.raises(Refused) as refused:
        desk.set_service_levels(at(2, 9), seller=seller, **given)
    assert refused.value.code == "invalid" and hours_of(seller) == before


def test_spans_that_meet_are_one(seller: Seller) -> None:
    desk.set_service_levels(at(2, 9), seller=seller, hours={6: [(720, 1440), (480, 720)]})
    assert hours_of(seller).week == ((), (), (), (), (), (), ((480, 1440),))


def test_what_was_kept_by_priority(seller: Seller) -> None:
    kept, late, silent, running = (opened(at(2, 9)) for _ in range(4))
    opened(at(2, 9), "urgent")
    opened(at(9, 9))  # of another week
    desk.answer_ticket(at(2, 10), ticket=kept, text="At once")
    desk.answer_ticket(at(2, 12), ticket=late, text="Sorry")
    desk.change_ticket(at(3, 9), ticket=kept, status="solved")
    desk.answer_ticket(at(3, 8), ticket=late, text="And?", kind="customer")
    desk.change_ticket(at(4, 9), ticket=late, status="solved")
    desk.change_ticket(at(4, 9), ticket=late, status="closed")
    desk.change_ticket(at(2, 9, 30), ticket=silent, status="solved")
    desk.answer_ticket(at(2, 9, 45), ticket=running, text="We look at it")
    desk.answer_ticket(at(2, 9, 45), ticket=running, text="Hurry", kind="customer")
    gone = opened(at(2, 9))
    Ticket.objects.filter(pk=gone.pk).update(status="closed", merged_into=kept)
    with CaptureQueriesContext(connection) as queries:
        found = service_levels(seller, date(2026, 3, 2), date(2026, 3, 9), when(6, 12))
    assert len(queries) == 1
    assert found == [
        Level(priority="urgent", tickets=1),
        Level(
            priority="high", tickets=4, answered_in_time=3, answered_late=1, solved_in_time=2, solved_late=1, overdue=1
        ),
        Level(priority="normal"),
        Level(priority="low"),
    ]
    assert service_levels(seller, date(2026, 3, 2), date(2026, 3, 9), when(3, 9))[1].overdue == 0, "due, not over"


def test_a_seller_without_targets_pays_nothing_for_them(seller: Seller) -> None:
    desk.set_service_levels(at(1, 9), seller=seller, targets={})
    ticket = opened(at(2, 9))
    assert stands(ticket) == (None, None, None, None) and standings(ticket, hours_of(seller), when(9, 9)) == []
