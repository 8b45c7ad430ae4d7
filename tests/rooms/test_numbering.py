"""Gapless numbers, per seller and kind (R14.2, R14.3)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from django.db import connections, transaction

from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.invoices.models import NumberCounter, NumberSeries
from taktura.invoices.services import check_confirmed, confirm_numbering
from taktura.invoices.services.numbering import take_numbers
from taktura.kit.actor import Actor

DAY = date(2026, 3, 1)
YEARLY = "RE-{year}-{number:05}"


@pytest.fixture
def seller(database: str) -> Seller:
    """A seller whose numbers are not confirmed."""
    return Seller.objects.create(name="Muster GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[])


def confirm(
    actor: Actor, seller: Seller, form: str = YEARLY, *, following: int = 1, kind: str = "invoice"
) -> NumberSeries:
    """Confirm the numbers of a kind."""
    return confirm_numbering(actor, seller=seller, kind=kind, format=form, next=following)


def take(seller: Seller, count: int = 1, *, on: date = DAY, kind: str = "invoice") -> list[str]:
    """Take numbers in a transaction of their own."""
    with transaction.atomic():
        return take_numbers(seller.pk, {kind: count}, on)[kind]


def in_thread(work: Callable[[], list[str]]) -> list[str]:
    """Do something on a connection of the thread's own."""
    try:
        return work()
    finally:
        connections.close_all()


def refused(code: str) -> "pytest.RaisesExc[Refused]":
    """A refusal with this code is expected."""
    return pytest.raises(Refused, check=lambda error: error.code == code)


def test_numbers_count_up(seller: Seller, actor: Actor) -> None:
    confirm(actor, seller)
    assert take(seller, 3) == ["RE-2026-00001", "RE-2026-00002", "RE-2026-00003"]
    assert take(seller) == ["RE-2026-00004"]


def test_each_kind_and_each_seller_counts_by_itself(seller: Seller, actor: Actor) -> None:
    other = Seller.objects.create(name="Other", country="SE", currency="SEK", time_zone="Europe/Stockholm", vat=[])
    confirm(actor, seller)
    confirm(actor, seller, "GS-{number}", kind="credit_note")
    confirm(actor, other, "F{number}")
    assert take(seller, 2) == ["RE-2026-00001", "RE-2026-00002"]
    assert take(seller, kind="credit_note") == ["GS-1"]
    assert take(other) == ["F1"]


def test_a_year_begins_at_1(seller: Seller, actor: Actor) -> None:
    confirm(actor, seller)
    take(seller, 7)
    assert take(seller, on=date(2027, 1, 1)) == ["RE-2027-00001"]
    assert take(seller, on=date(2026, 12, 31)) == ["RE-2026-00008"], "a late document of the old year goes on there"


def test_without_a_year_nothing_restarts(seller: Seller, actor: Actor) -> None:
    confirm(actor, seller, "{number}")
    take(seller, 7)
    assert take(seller, on=date(2027, 1, 1)) == ["8"]


def test_eight_at_once_leave_no_gap_and_no_number_twice(seller: Seller, actor: Actor) -> None:
    """8 threads take 20 times each, some several numbers at once, on connections of their own."""
    confirm(actor, seller)
    start = threading.Barrier(8)

    def work() -> list[str]:
        start.wait()
        return [number for turn in range(20) for number in take(seller, 1 + turn % 3)]

    with ThreadPoolExecutor(8) as pool:
        taken = [f.result() for f in [pool.submit(in_thread, work) for _ in range(8)]]
    numbers = [number for numbers in taken for number in numbers]
    assert sorted(numbers) == [f"RE-2026-{n:05}" for n in range(1, len(numbers) + 1)]
    assert len(numbers) == 8 * sum(1 + turn % 3 for turn in range(20))
    for own in taken:
        assert own == sorted(own), "each sees its own numbers count up"
    counter = NumberCounter.objects.get()
    assert (counter.used, counter.next) == (len(numbers), len(numbers) + 1)


def test_eight_at_once_of_which_half_fail_leave_no_gap(seller: Seller, actor: Actor) -> None:
    confirm(actor, seller)

    def work(fails: bool) -> list[str]:
        kept: list[str] = []
        for turn in range(20):
            with transaction.atomic():
                numbers = take_numbers(seller.pk, {"invoice": 2}, DAY)["invoice"]
                if fails and turn % 2:
                    transaction.set_rollback(True)
                else:
                    kept += numbers
        return kept

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(in_thread, lambda fails=fails: work(fails)) for fails in [True, False] * 4]
        numbers = [number for job in jobs for number in job.result()]
    assert len(numbers) == 4 * 40 + 4 * 20
    assert sorted(numbers) == [f"RE-2026-{n:05}" for n in range(1, len(numbers) + 1)]


def test_the_first_of_a_year_by_several_at_once(seller: Seller, actor: Actor) -> None:
    """The counter of a year is made by whoever comes first."""
    confirm(actor, seller)
    start = threading.Barrier(8)

    def work() -> list[str]:
        start.wait()
        return take(seller, on=date(2030, 1, 1))

    with ThreadPoolExecutor(8) as pool:
        numbers = [n for f in [pool.submit(in_thread, work) for _ in range(8)] for n in f.result()]
    assert sorted(numbers) == [f"RE-2030-{n:05}" for n in range(1, 9)]
    assert NumberCounter.objects.filter(year=2030).count() == 1


def test_what_is_rolled_back_leaves_no_gap(seller: Seller, actor: Actor) -> None:
    confirm(actor, seller)
    take(seller)
    with pytest.raises(RuntimeError), transaction.atomic():
        assert take_numbers(seller.pk, {"invoice": 5}, DAY)["invoice"][-1] == "RE-2026-00006"
        raise RuntimeError
    assert take(seller) == ["RE-2026-00002"]


def test_a_savepoint_rolled_back_leaves_no_gap(seller: Seller, actor: Actor) -> None:
    confirm(actor, seller)
    with transaction.atomic():
        with pytest.raises(RuntimeError), transaction.atomic():
            take_numbers(seller.pk, {"invoice": 5}, DAY)["invoice"]
            raise RuntimeError
        assert take_numbers(seller.pk, {"invoice": 1}, DAY)["invoice"] == ["RE-2026-00001"]


def test_nothing_is_numbered_before_it_is_confirmed(seller: Seller, actor: Actor) -> None:
    with refused("numbering_unconfirmed"):
        take(seller)
    confirm(actor, seller)
    with pytest.raises(Refused, match="numbers of credit notes"):
        take(seller, kind="credit_note")
    check_confirmed(seller.pk, ["invoice"])
    with refused("numbering_unconfirmed"):
        check_confirmed(seller.pk, ["invoice", "credit_note"])


def test_a_format_that_waits_to_be_confirmed_does_not_count(seller: Seller) -> None:
    NumberSeries.objects.create(seller=seller, kind="invoice", format=YEARLY)
    with refused("numbering_unconfirmed"):
        take(seller)


@pytest.mark.parametrize("following", [1, 2, 3])
def test_a_number_used_is_refused(seller: Seller, actor: Actor, following: int) -> None:
    confirm(actor, seller)
    take(seller, 3)
    with refused("number_already_used"):
        confirm(actor, seller, following=following)
    assert take(seller) == ["RE-2026-00004"], "the refusal changed nothing"


def test_a_higher_number_is_taken(seller: Seller, actor: Actor) -> None:
    confirm(actor, seller, following=100)
    assert take(seller) == ["RE-2026-00100"]
    confirm(actor, seller, following=101)
    confirm(actor, seller, following=200)
    assert take(seller) == ["RE-2026-00200"]


def test_within_another_year_a_number_is_free(seller: Seller, actor: Actor) -> None:
    confirm(actor, seller)
    take(seller, 3)
    next_year = actor.at(datetime(2027, 1, 1, 8, tzinfo=UTC))
    confirm(next_year, seller, following=2)
    assert take(seller, on=date(2027, 1, 1)) == ["RE-2027-00002"]


def test_the_year_is_that_of_the_seller(seller: Seller, actor: Actor) -> None:
    """At 23:30 UTC on New Year's Eve it is the new year in Berlin already."""
    confirm(actor, seller)
    take(seller, 3, on=date(2027, 1, 1))
    eve = actor.at(datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    with refused("number_already_used"):
        confirm(eve, seller, following=3)


@pytest.mark.parametrize("form", ["RE", "RE-{year}", "{number}{number}", "RE-{month}-{number}", "{number:x}", "{", ""])
def test_a_format_that_is_none_is_refused(seller: Seller, actor: Actor, form: str) -> None:
    with refused("invalid"):
        confirm(actor, seller, form)
    assert not NumberSeries.objects.exists()


def test_a_width_without_a_zero_would_leave_blanks_in_numbers(seller: Seller, actor: Actor) -> None:
    with pytest.raises(Refused, match="begins with 0"):
        confirm(actor, seller, "F{year}-{number:5}")
    assert not NumberSeries.objects.exists()
    confirm(actor, seller, "F{year:04}-{number:05}")
    assert take(seller) == ["F2026-00001"]


def test_a_kind_that_is_none_and_a_number_below_1_are_refused(seller: Seller, actor: Actor) -> None:
    with refused("invalid"):
        confirm(actor, seller, kind="reminder")
    with refused("invalid"):
        confirm(actor, seller, following=0)


def test_a_series_that_stops_restarting_knows_all_numbers_used(seller: Seller, actor: Actor) -> None:
    confirm(actor, seller)
    take(seller, 5)
    with refused("number_already_used"):
        confirm(actor, seller, "RE-2026-{number:05}", following=3)


@pytest.mark.parametrize("form", ["RE-{number}}", "}{number}"])
def test_a_brace_too_many_is_refused(seller: Seller, actor: Actor, form: str) -> None:
    try:
        confirm(actor, seller, form)
    except Refused:
        return
    take(seller)


@pytest.mark.parametrize("form", ["{number:0999}", "R" * 60 + "{number}"])
def test_a_format_too_long_is_refused(seller: Seller, actor: Actor, form: str) -> None:
    with refused("invalid"):
        confirm(actor, seller, form)
