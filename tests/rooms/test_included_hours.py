"""Included hours over several months: what they bear, what is kept and dropped, and what their statement says."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from taktura.billing.hours import hours_statement_of, rests_on
from taktura.billing.services import bill, change_hours, end_hours, preview_approval, take_back_hours
from taktura.core.errors import Refused
from taktura.customers.models import Customer, Seller
from taktura.desk import services as desk
from taktura.desk.models import Activity, Allowance, TimeEntry
from taktura.desk.queries import hours_by_id
from taktura.invoices.models import Document, DocumentLine
from taktura.kit.actor import Actor
from tests.rooms.test_time import customer, shop

ACTOR = Actor("test", datetime(2026, 6, 30, 11, tzinfo=UTC))


def work(of: Customer, day: date, minutes: int, activity: Activity | None = None, **more: Any) -> int:
    entry = desk.log_time(ACTOR, customer=of, minutes=minutes, worked_on=day, activity=activity, **more)
    desk.approve_time(ACTOR, entries=[entry.pk])
    return entry.pk


def include(of: Customer, minutes: int, **more: Any) -> Allowance:
    fields = {"title": "Support", "kind": "monthly", "start": date(2026, 1, 1), **more}
    return hours_by_id(of.seller_id, desk.include_hours(ACTOR, customer=of, minutes=minutes, **fields).pk)


def billed(seller: Seller, on: date = date(2026, 6, 30)) -> int:
    """What a run bills, net."""
    before = set(Document.objects.values_list("pk", flat=True))
    bill(Actor("test", datetime(on.year, on.month, on.day, 11, tzinfo=UTC)), seller=seller, on=on, processes=1)
    return sum(d.net for d in Document.objects.exclude(pk__in=before))


def told(hours: Allowance, on: date = date(2026, 6, 30)) -> list[tuple[int, int, int, int, int]]:
    """By month: carried over, drawn, of it not billed yet, left, dropped."""
    found = hours_statement_of(hours_by_id(hours.customer.seller_id, hours.pk), on)
    return [(m.carried, m.drawn, found.waiting.get(m.month, 0), m.left, m.dropped) for m in found.months]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("kept", "paid", "statement"),
    [
        # An hour a month from January to March. January: 20 minutes; February: 150; March: none; then it ends.
        (False, 90, [(0, 20, 0, 40, 40), (0, 60, 0, 0, 0), (0, 0, 0, 60, 60)]),
        (True, 50, [(0, 20, 0, 40, 0), (40, 100, 0, 0, 0), (0, 0, 0, 60, 60)]),
    ],
)
def test_the_rest_of_a_month_is_kept_or_dropped(kept: bool, paid: int, statement: list[tuple[int, ...]]) -> None:
    seller = shop()
    acme = customer(seller)
    hours = include(acme, 60, kept=kept, end=date(2026, 4, 1))
    january, february = work(acme, date(2026, 1, 20), 20), work(acme, date(2026, 2, 3), 150)
    after = work(acme, date(2026, 4, 1), 10)  # the end is exclusive
    waiting = [(c, d, d, left, dropped) for c, d, _, left, dropped in statement]
    assert told(hours) == waiting, "approved and not billed yet"
    assert billed(seller) == (paid + 10) * 150
    assert told(hours) == statement
    found = hours_statement_of(hours, date(2026, 6, 30))
    assert [(d.entry.pk, d.month, d.minutes, d.document is not None) for d in found.draws] == [
        (january, 0, 20, True), (february, 1, statement[1][1], True)
    ]  # fmt: skip
    assert found.left is None and after not in {d.entry.pk for d in found.draws}
    assert found.granted == found.drawn + found.dropped


@pytest.mark.usefixtures("database")
def test_late_time_of_a_month_finds_what_later_months_left() -> None:
    """January's time comes when February is billed: of a kept rest only what February did not take."""
    seller = shop()
    acme = customer(seller)
    hours = include(acme, 60, kept=True)
    work(acme, date(2025, 12, 31), 10)  # before they begin: it is paid, and there is an invoice
    work(acme, date(2026, 2, 3), 90)
    assert billed(seller, date(2026, 2, 28)) == 10 * 150
    work(acme, date(2026, 1, 5), 60)
    assert billed(seller, date(2026, 3, 5)) == 30 * 150
    assert told(hours, date(2026, 3, 5)) == [(0, 30, 0, 30, 0), (30, 90, 0, 0, 0), (0, 0, 0, 60, 0)]


@pytest.mark.usefixtures("database")
def test_only_chosen_activities_draw_and_what_ends_first_is_drawn_first() -> None:
    """A block to the end of March for travel alone, and monthly hours for everything."""
    seller = shop()
    acme = customer(seller)
    travel, phone = (desk.add_activity(ACTOR, seller=seller, name=name) for name in ("Travel", "Telephone"))
    block = include(acme, 100, title="Block", kind="block", end=date(2026, 4, 1), activities=[travel])
    monthly = include(acme, 30, title="Monthly")
    works = [
        work(acme, date(2026, 2, 10), 80, travel),  # the block
        work(acme, date(2026, 2, 11), 20, phone),  # February's
        work(acme, date(2026, 2, 12), 40, travel),  # 20 of the block, 10 of February, 10 are paid
        work(acme, date(2026, 2, 13), 10),  # without an activity: nothing is left
        work(acme, date(2026, 3, 2), 40, travel),  # March's 30, 10 are paid
    ]
    assert billed(seller) == 30 * 150
    by_work = {
        name: [(works.index(d.entry.pk), d.minutes) for d in hours_statement_of(row, date(2026, 6, 30)).draws]
        for name, row in (("block", block), ("monthly", monthly))
    }
    assert by_work == {"block": [(0, 80), (2, 20)], "monthly": [(1, 20), (2, 10), (4, 30)]}
    assert told(block) == [(0, 100, 0, 0, 0)]
    assert [row[1] for row in told(monthly)] == [0, 30, 30, 0, 0, 0]
    assert sum(DocumentLine.objects.values_list("quantity", flat=True)) == 30


@pytest.mark.usefixtures("database")
def test_a_change_holds_from_one_of_their_months_on() -> None:
    """From the 15th on: an hour a month, two from 15 April. The old months and their rest end there."""
    seller = shop()
    acme = customer(seller)
    old = include(acme, 60, kept=True, start=date(2026, 1, 15), end=date(2026, 12, 15))
    work(acme, date(2026, 4, 2), 30)
    for day, said in (
        (date(2026, 4, 1), "2026-04-15"), (date(2026, 1, 15), "2026-02-15"), (date(2025, 1, 1), "2026-02-15")
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            change_hours(ACTOR, hours=old, start=day, minutes=120)
        assert str(refused.value.values["day"]) == said
    with pytest.raises(Refused, match="draws these hours already"):
        change_hours(ACTOR, hours=old, start=date(2026, 3, 15), minutes=120)
    with pytest.raises(Refused, match="end before"):
        change_hours(ACTOR, hours=old, start=date(2026, 12, 15), minutes=120)
    new = change_hours(ACTOR, hours=old, start=date(2026, 4, 15), minutes=120)
    old.refresh_from_db()
    assert (old.end, new.start, new.end) == (date(2026, 4, 15), date(2026, 4, 15), date(2026, 12, 15))
    assert (new.kept, new.title, new.minutes) == (True, "Support", 120)
    work(acme, date(2026, 4, 14), 200)  # what is left of the old: 3 × 60 − 30
    work(acme, date(2026, 4, 15), 130)  # the new: 120
    assert billed(seller) == (50 + 10) * 150
    assert told(old) == [(0, 0, 0, 60, 0), (60, 0, 0, 120, 0), (120, 180, 0, 0, 0)]
    with pytest.raises(Refused, match="A block is used up"):
        change_hours(ACTOR, hours=include(acme, 60, kind="block"), start=date(2026, 2, 1), minutes=5)


@pytest.mark.usefixtures("database")
def test_hours_are_taken_back_until_time_draws_them() -> None:
    acme = customer(shop())
    first, second = include(acme, 60), include(acme, 90)
    take_back_hours(ACTOR, hours=first)
    work(acme, date(2026, 3, 1), 5)
    with pytest.raises(Refused, match="draws these hours already"):
        take_back_hours(ACTOR, hours=second)
    assert list(Allowance.objects.values_list("pk", flat=True)) == [second.pk]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("is_billed", [False, True])
def test_hours_do_not_end_before_time_that_drew_them(is_billed: bool) -> None:
    """40 minutes of 10 March draw an hour a month. Without the refusal an end on 1 March would bill them at 90 an hour
    where they are not billed yet, and leave the statement with time after its end where they are."""
    seller = shop()
    acme = customer(seller)
    hours = include(acme, 60)
    work(acme, date(2026, 3, 10), 40)
    if is_billed:  # with time that costs, so that there is an invoice
        work(acme, date(2025, 12, 31), 10)
        assert billed(seller) > 0 and TimeEntry.objects.filter(status="billed").count() == 2
    for end in (date(2026, 3, 1), date(2026, 3, 10)):
        with pytest.raises(Refused) as refused:
            end_hours(ACTOR, hours=hours, end=end)
        assert (refused.value.code, refused.value.values["day"]) == ("invalid", date(2026, 3, 10))
        assert refused.value.values["field"] == "end"
    assert Allowance.objects.get().end is None
    assert end_hours(ACTOR, hours=hours, end=date(2026, 3, 11)).end == date(2026, 3, 11)
    assert end_hours(ACTOR, hours=hours, end=None).end is None
    assert billed(seller) == 0 and told(hours)[2][1] == 40


@pytest.mark.usefixtures("database")
def test_the_rest_is_told_where_time_is_approved() -> None:
    """What was approved before is counted in; of months the one worked in, and the one in which we are."""
    seller = shop()
    acme = customer(seller)
    include(acme, 60, title="Monthly")
    include(acme, 600, title="Block", kind="block", end=date(2026, 3, 1))
    work(acme, date(2026, 5, 4), 25)
    assert [(r.hours.title, r.left) for r in rests_on({acme.pk: acme}, date(2026, 5, 31))[acme.pk]] == [("Monthly", 30)]
    waits = desk.log_time(ACTOR, customer=acme, minutes=20, worked_on=date(2026, 5, 30)).pk
    (foreseen,) = preview_approval(ACTOR, seller=seller.pk, entries=[waits]).customers
    assert [(r.hours.title, r.first, r.left) for r in foreseen.rests] == [
        ("Monthly", date(2026, 5, 1), 10), ("Monthly", date(2026, 6, 1), 60)
    ]  # fmt: skip
    assert TimeEntry.objects.get(pk=waits).status == "submitted"


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": " "}, "title"), ({"title": "x" * 201}, "title"), ({"minutes": 0}, "minutes"),
        ({"minutes": 600_001}, "minutes"), ({"kind": "block", "kept": True}, "kept"), ({"kind": "weekly"}, None),
        ({"end": date(2026, 1, 1)}, "end"),
    ],
)  # fmt: skip
def test_what_cannot_be_agreed_is_refused(fields: dict[str, Any], field: str | None) -> None:
    acme = customer(shop(), hourly_rate=Decimal(1))
    with pytest.raises(Refused) as refused:
        include(acme, fields.pop("minutes", 60), **fields)
    assert refused.value.values.get("field") == field


@pytest.mark.usefixtures("database")
def test_time_that_costs_nothing_waits_for_an_invoice_and_draws_meanwhile() -> None:
    """No invoice of nothing: what the hours bear stands on the next one, and is not given twice until then."""
    seller = shop()
    acme = customer(seller)
    hours = include(acme, 60, start=date(2026, 6, 1))
    work(acme, date(2026, 6, 3), 40)
    assert billed(seller) == 0 and not Document.objects.exists()
    assert told(hours) == [(0, 40, 40, 20, 0)]
    work(acme, date(2026, 6, 4), 50)
    assert billed(seller) == 30 * 150
    assert told(hours) == [(0, 60, 0, 0, 0)]
    assert [line.note.get("included_hours") for line in DocumentLine.objects.order_by("position")] == [40, 20]
