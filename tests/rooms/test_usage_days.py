"""The counts of each day's usage records are those of the records, whatever is written, and a wrong one is found."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections

from taktura.billing.proof import verify
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.days import FILL, check_days
from taktura.usage.models import UsageDay, UsageRecord


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller without contracts: all usage waits."""
    return customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )


def entry(number: int, day: int, **more: Any) -> dict[str, Any]:
    """A record of a day in March."""
    at = datetime(2026, 3, day, 11, tzinfo=UTC)
    return {"contract": "V", "article": "call", "id": f"r{number}", "at": at, "duration": 60, **more}


def counts() -> dict[int, tuple[int, int]]:
    """Records, and those with a line, by day of March; days without any are left out."""
    rows = UsageDay.objects.exclude(records=0).values_list("day", "records", "recorded")
    return {day.day: (records, recorded) for day, records, recorded in rows}


def test_each_statement_is_counted(seller: Seller, actor: Actor) -> None:
    usage.record_usage(actor, seller=seller, entries=[entry(1, 2), entry(2, 2), entry(3, 5)])
    assert counts() == {2: (2, 0), 5: (1, 0)}
    usage.record_usage(actor, seller=seller, entries=[entry(1, 2), entry(4, 5)])  # one of them is known already
    assert counts() == {2: (2, 0), 5: (2, 0)}
    UsageRecord.objects.filter(external_id="r2").update(day="2026-03-09", end_day="2026-03-10")
    assert counts() == {2: (1, 0), 5: (2, 0), 9: (1, 0)}
    UsageRecord.objects.filter(external_id="r2").update(quantity=None)  # says nothing of days
    assert list(check_days()) == []
    usage.record_usage(actor, seller=seller, entries=[entry(4, 2, revision=2)])  # another day, as a later revision says
    assert counts() == {2: (2, 0), 5: (1, 0), 9: (1, 0)}
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM usage_usageexception; DELETE FROM usage_usagerecord WHERE external_id = 'r2'")
    assert counts() == {2: (2, 0), 5: (1, 0)}
    assert verify() == []


def test_a_wrong_count_is_found(seller: Seller, actor: Actor) -> None:
    usage.record_usage(actor, seller=seller, entries=[entry(1, 2), entry(2, 5), entry(3, 7)])
    UsageDay.objects.filter(day="2026-03-02").update(records=2)
    UsageDay.objects.filter(day="2026-03-05").delete()
    UsageDay.objects.create(seller=seller, day="2026-03-09", records=1, recorded=0)
    assert [text[:10] for text in check_days()] == ["2026-03-02", "2026-03-05", "2026-03-09"]
    assert len(verify()) == 3


def test_the_migration_counts_what_is_there(seller: Seller, actor: Actor) -> None:
    usage.record_usage(actor, seller=seller, entries=[entry(1, 2), entry(2, 2), entry(3, 5)])
    before = counts()
    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE usage_usageday")
        cursor.execute(FILL)
    assert counts() == before
