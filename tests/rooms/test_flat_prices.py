"""What flat prices bring: their rows by period, as usage arrives and without any; the sums that the database keeps."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.models import Tariff
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.control import services
from taktura.control.models import FlatLine, FlatMonth, FlatPeriod
from taktura.control.proof import check_flat_prices
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from tests.rooms.test_control import SELLER

FLAT: dict[str, Any] = {
    "title": "Flat", "charge": "usage", "unit": "minute", "flat_price": True, "price": "30.00",
    "reference_price": "0.10",
}  # fmt: skip
JUNE = Actor("test", datetime(2026, 6, 30, 9, tzinfo=UTC))


@pytest.fixture
def seller(database: str) -> Seller:
    made = customers.create_seller(JUNE, **SELLER)
    plain = {**FLAT, "reference_price": None}
    catalog.define_tariff(JUNE, seller=made, key="t", title="T", lines={"flat": FLAT, "plain": plain})
    return made


@pytest.fixture
def sign(seller: Seller) -> Callable[..., Contract]:
    def made(key: str, start: date = date(2026, 6, 1), **more: Any) -> Contract:
        customer = customers.create_customer(JUNE, seller=seller, key=key, name=f"Firma {key}")
        return contracts.sign(JUNE, key=key, customer=customer, tariff=Tariff.objects.get(key="t"), start=start, **more)

    return made


def call(actor: Actor, seller: Seller, key: str, minutes: int, **more: Any) -> None:
    entry = {"contract": key, "article": "flat", "duration": 60 * minutes, **more}
    billing.record_usage(actor, seller=seller, entries=[entry])
    services.watch(actor)


def periods() -> list[tuple[str, str, Decimal, Decimal, Decimal]]:
    rows = FlatPeriod.objects.order_by("contract__key", "start").select_related("contract")
    return [(r.contract.key, f"{r.start:%m-%d}", r.minutes, r.notional, r.fee) for r in rows]


def months() -> dict[str, tuple[int, int, Decimal, Decimal]]:
    rows = FlatMonth.objects.exclude(periods=0).order_by("month")
    return {f"{r.month:%y-%m}": (r.periods, r.above, r.notional, r.fee) for r in rows}


def check_sums() -> None:
    """What the triggers have added up is what there is."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT month, tariff_id, article_id, count(*), count(*) FILTER (WHERE notional > fee), sum(minutes),
                sum(notional), sum(fee) FROM control_flatperiod GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
        )
        counted = cursor.fetchall()
    kept = FlatMonth.objects.exclude(periods=0).order_by("month", "tariff", "article").values_list(
        "month", "tariff_id", "article_id", "periods", "above", "minutes", "notional", "fee"
    )  # fmt: skip
    assert list(kept) == counted
    assert list(check_flat_prices()) == []


def test_sums_that_do_not_follow_from_their_periods_are_named(seller: Seller, sign: Callable[..., Contract]) -> None:
    line = sign("A").lines.get(article__key="flat")
    call(JUNE, seller, "A", 400)
    check_sums()
    FlatMonth.objects.update(fee=31)
    FlatLine.objects.update(minutes=1)
    article = line.article_id
    assert [text.partition(":")[0] for text in check_flat_prices()] == [
        f"The flat prices of article {article} in 2026-06 (EUR)", f"The flat price of line {line.pk}",
    ]  # fmt: skip


def test_usage_writes_the_period_and_its_sums(seller: Seller, sign: Callable[..., Contract]) -> None:
    sign("A")
    sign("B")
    call(JUNE, seller, "A", 400, id="long")
    call(JUNE, seller, "B", 100)
    assert periods() == [("A", "06-01", 400, 40, 30), ("B", "06-01", 100, 10, 30)]
    assert months() == {"26-06": (2, 1, Decimal(50), Decimal(60))}
    worst = FlatLine.objects.filter(months=12).order_by("gain")[0]
    assert (worst.contract.key, worst.gain, worst.share, worst.periods, worst.above) == (
        "A", -10, Decimal("133.33"), 1, 1,
    )  # fmt: skip
    usage.withdraw_usage(JUNE, seller=seller, external_id="long")
    services.watch(JUNE)
    assert months() == {"26-06": (2, 0, Decimal(10), Decimal(60))}
    assert FlatLine.objects.get(contract__key="A", months=12).gain == 30
    check_sums()


def test_a_flat_price_that_nobody_uses_is_seen_by_night(seller: Seller, sign: Callable[..., Contract]) -> None:
    """From the earliest month shown on, the running period too; a second night finds nothing to do."""
    sign("old", date(2024, 3, 15))
    sign("new", date(2026, 6, 10))
    assert services.keep_flat_prices(JUNE, seller=seller) == 2
    assert [p for p in periods() if p[0] == "new"] == [("new", "06-10", 0, 0, 30)]
    old = FlatLine.objects.get(contract__key="old", months=12)
    assert (old.periods, old.fee, old.notional, old.gain) == (12, 360, 0, 360)
    assert services.keep_flat_prices(JUNE, seller=seller) == 0
    check_sums()


def test_periods_before_the_first_usage_are_seen_by_night(seller: Seller, sign: Callable[..., Contract]) -> None:
    sign("A", date(2026, 4, 1))
    call(JUNE, seller, "A", 10)
    assert [p[1] for p in periods()] == ["06-01"]
    assert services.keep_flat_prices(JUNE, seller=seller) == 1
    assert [p[1] for p in periods()] == ["04-01", "05-01", "06-01"]
    assert FlatLine.objects.get(months=12).periods == 3
    assert services.keep_flat_prices(JUNE, seller=seller) == 0
    check_sums()


def test_a_period_is_looked_at_again_when_it_is_over(seller: Seller, sign: Callable[..., Contract]) -> None:
    """Half of a quantity booked meanwhile counts though no usage came."""
    contract = sign("A")
    services.keep_flat_prices(JUNE, seller=seller)
    assert [(p.fee, p.over) for p in FlatPeriod.objects.all()] == [(30, False)]
    contracts.end_line(JUNE, line=contract.lines.get(article__key="flat"), until=date(2026, 6, 16))
    july = JUNE.at(datetime(2026, 7, 1, 9, tzinfo=UTC))
    assert services.keep_flat_prices(july, seller=seller) == 1
    assert [(p.fee, p.over) for p in FlatPeriod.objects.all()] == [(15, True)]
    assert services.keep_flat_prices(july, seller=seller) == 0, "the line has ended"


def test_what_is_older_than_twelve_months_leaves_the_list_but_not_the_months(
    seller: Seller, sign: Callable[..., Contract]
) -> None:
    sign("A")
    call(JUNE, seller, "A", 400)
    later = JUNE.at(datetime(2027, 5, 31, 9, tzinfo=UTC))
    services.keep_flat_prices(later, seller=seller)
    assert (FlatLine.objects.get(months=12).periods, FlatLine.objects.get(months=12).notional) == (12, 40)
    june = JUNE.at(datetime(2027, 6, 2, 9, tzinfo=UTC))
    services.keep_flat_prices(june, seller=seller)
    row = FlatLine.objects.get(months=12)
    assert (row.periods, row.notional, row.as_of) == (12, 0, date(2027, 6, 1))
    assert months()["26-06"] == (1, 1, Decimal(40), Decimal(30))
    check_sums()


def test_a_contract_that_ended_is_forgotten_after_a_year(seller: Seller, sign: Callable[..., Contract]) -> None:
    contract = sign("A")
    call(JUNE, seller, "A", 400)
    billing.give_notice(JUNE, contract=contract, received=date(2026, 6, 30))
    services.keep_flat_prices(JUNE.at(datetime(2027, 7, 2, tzinfo=UTC)), seller=seller)
    assert set(FlatLine.objects.values_list("months", flat=True)) == {24}
    services.keep_flat_prices(JUNE.at(datetime(2028, 7, 2, tzinfo=UTC)), seller=seller)
    assert not FlatLine.objects.exists()


def test_sums_are_kept_over_several_numbers_of_months(seller: Seller, sign: Callable[..., Contract]) -> None:
    sign("A", start=date(2025, 9, 1))
    call(JUNE, seller, "A", 400, at=datetime(2026, 2, 3, 9, tzinfo=UTC))
    services.keep_flat_prices(JUNE, seller=seller)
    rows = FlatLine.objects.order_by("months").values_list("months", "periods", "notional", "gain", "as_of")
    first = date(2026, 6, 1)
    assert list(rows) == [
        (3, 3, 0, 90, first), (6, 6, 40, 140, first), (12, 10, 40, 260, first), (24, 10, 40, 260, first),
    ]  # fmt: skip
    check_sums()


def test_a_night_takes_a_fixed_number_of_queries_for_a_batch(seller: Seller, sign: Callable[..., Contract]) -> None:
    counts = []
    for size in (1, 9):
        for n in range(size):
            sign(f"{size}-{n}")
        with CaptureQueriesContext(connection) as queries:
            assert services.keep_flat_prices(JUNE, seller=seller) == size
        counts.append(len(queries))
    assert counts[0] == counts[1]
