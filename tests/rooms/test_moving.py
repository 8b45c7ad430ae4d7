"""Subscriptions that move to another contract line: from the day after what was billed of the old one."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from taktura.billing import services as billing
from taktura.billing.proof import verify
from taktura.billing.reconciliation import reconcile
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.core.errors import Refused
from taktura.usage import services as usage
from taktura.usage.models import SubscriptionLink, Supplier, SupplierSubscription, UsageException, UsageRecord
from taktura.usage.services import Wish
from tests.rooms.test_reconciled import FEBRUARY, JANUARY, MARCH, bill, by, line_of, take
from tests.rooms.test_reconciled import supplier as supplier

APRIL = date(2026, 4, 1)


def month(number: int, **more: Any) -> dict[str, Any]:
    """A row of January, February or March: 10 for 4.00."""
    days = {1: ("2026-01-01", "2026-01-31"), 2: ("2026-02-01", "2026-02-28"), 3: ("2026-03-01", "2026-03-31")}[number]
    return {"subscription_id": "S-1", "product_id": "P", "quantity": 10, "cost_amount": "4.00",
            "period_start": days[0], "period_end": days[1]} | more  # fmt: skip


def sub() -> SupplierSubscription:
    """The subscription."""
    return SupplierSubscription.objects.select_related("supplier__seller").get()


def where() -> dict[str, str]:
    """Where the records lie, by their first day."""
    rows = UsageRecord.objects.order_by("day").select_related("line__contract", "line__article")
    return {f"{r.day:%m}": f"{r.line.contract.key} {r.line.article.key}" if r.line else "waits" for r in rows}


@pytest.fixture
def billed(supplier: Supplier) -> Supplier:
    """January is billed on beta's line `plus`; February is there and not billed."""
    usage.link(by(JANUARY), supplier=supplier, reference="S-1", line=line_of("C-beta", "plus"))
    take(supplier, FEBRUARY, month(1))
    bill(supplier, FEBRUARY)
    take(supplier, date(2026, 2, 20), month(2))
    return supplier


def test_what_was_billed_stays_and_the_rest_goes_to_the_other_line(billed: Supplier) -> None:
    assert billing.days_after_billed([sub().pk]) == {sub().pk: FEBRUARY}
    moved = billing.move(by(date(2026, 2, 21)), subscription=sub(), line=line_of("C-beta", "disk"))
    assert (moved.day, moved.ended, moved.tied.waiting) == (FEBRUARY, [], [])
    assert where() == {"01": "C-beta plus", "02": "C-beta disk"}
    take(billed, MARCH, month(3))
    assert where()["03"] == "C-beta disk", "what comes later finds the new line without a product reference"
    bill(billed, APRIL)
    assert verify() == []
    for first, end in ((JANUARY, FEBRUARY), (FEBRUARY, MARCH), (MARCH, APRIL), (JANUARY, APRIL)):
        found = reconcile(billed, first, end)
        assert found.holds and all(r.account.imported.cost == r.account.billed.cost for r in found.totals)


def test_late_usage_of_before_belongs_to_the_old_line(billed: Supplier) -> None:
    billing.move(by(date(2026, 2, 21)), subscription=sub(), line=line_of("C-acme", "disk"))
    take(billed, MARCH, month(1, product_id="Q"))
    assert {r.line for r in UsageRecord.objects.filter(day=JANUARY)} == {line_of("C-beta", "plus")}


def test_a_row_over_the_day_stays_and_its_rest_waits(billed: Supplier) -> None:
    day = date(2026, 2, 11)
    billing.move(by(date(2026, 2, 21)), subscription=sub(), line=line_of("C-acme", "disk"), first=day)
    assert where()["02"] == "C-beta plus"
    waits = UsageException.objects.get()
    assert (waits.reason, waits.first, waits.end) == ("after_end", day, MARCH)


def test_a_line_that_was_booked_for_it_alone_ends(supplier: Supplier) -> None:
    contract = Contract.objects.get(key="C-beta")
    contracts.book(by(JANUARY), contract=contract, article="more", start=JANUARY, quantity=Decimal(1))
    more = line_of("C-beta", "more")
    for reference in ("S-1", "S-2"):
        usage.link(by(JANUARY), supplier=supplier, reference=reference, line=more)
    first, second = SupplierSubscription.objects.select_related("supplier__seller").order_by("folded")
    for row, ended in ((first, []), (second, ["C-beta"])):
        moved = billing.move(by(FEBRUARY), subscription=row, line=line_of("C-acme", "plus"), first=FEBRUARY)
        assert [line.contract.key for line in moved.ended] == ended, "as long as another is tied to it, it goes on"
    more.refresh_from_db()
    assert more.end == FEBRUARY


def test_back_to_the_line_of_before(billed: Supplier) -> None:
    billing.move(by(date(2026, 2, 21)), subscription=sub(), line=line_of("C-beta", "disk"))
    bill(billed, MARCH)
    moved = billing.move(by(MARCH), subscription=sub(), line=line_of("C-beta", "plus"))
    assert moved.day == MARCH, "February is billed on the other line"
    take(billed, APRIL, month(3))
    assert where() == {"01": "C-beta plus", "02": "C-beta disk", "03": "C-beta plus"}
    usage.unlink(by(APRIL), supplier=billed, reference="S-1", line=line_of("C-beta", "plus"))
    assert SubscriptionLink.objects.count() == 1, "untying takes all ties to the line"
    usage.link(by(APRIL), supplier=billed, reference="S-1", line=line_of("C-beta", "disk"))
    assert SubscriptionLink.objects.filter(end=None).count() == 1


def test_what_was_credited_in_full_is_not_billed(billed: Supplier) -> None:
    billing.untie(by(FEBRUARY), supplier=billed, reference="S-1", line=line_of("C-beta", "plus"))
    bill(billed, date(2026, 2, 2))
    usage.link(by(FEBRUARY), supplier=billed, reference="S-1", line=line_of("C-beta", "plus"))
    assert billing.days_after_billed([sub().pk]) == {sub().pk: JANUARY}


def test_what_is_refused(billed: Supplier) -> None:
    disk, actor = line_of("C-acme", "disk"), by(MARCH)
    with pytest.raises(Refused, match="this line already"):
        billing.move(actor, subscription=sub(), line=line_of("C-beta", "plus"))
    other = usage.link(actor, supplier=billed, reference="S-9", line=disk)
    SubscriptionLink.objects.filter(subscription=other).delete()
    other = SupplierSubscription.objects.select_related("supplier__seller").get(pk=other.pk)
    with pytest.raises(Refused, match="tied to no line yet"):
        billing.move(actor, subscription=other, line=disk)
    billed.seller.closed_until = MARCH
    billed.seller.save()
    row = SupplierSubscription.objects.select_related("supplier__seller").get(folded="s-1")
    with pytest.raises(Refused) as refused:
        billing.move(actor, subscription=row, line=disk, first=FEBRUARY)
    assert refused.value.code == "closed_period"
    assert billing.move(actor, subscription=row, line=disk).day == MARCH, "by itself never in a closed period"
    assert where() == {"01": "C-beta plus", "02": "C-beta plus"}


def test_a_contract_is_extended_by_a_subscription_that_moves(billed: Supplier) -> None:
    contract, actor = Contract.objects.get(key="C-acme"), by(date(2026, 2, 21))
    wish = Wish(subscription=sub(), contract=contract, article="more", quantity=Decimal(1), moves=True)
    (foreseen,) = billing.preview_extensions(actor, seller=billed.seller, wishes=[wish])
    assert foreseen.extending.given.start == FEBRUARY
    (done,), tied = billing.extend_contracts(actor, seller=billed.seller, wishes=[wish])
    assert (done.line.start, done.left, tied.waiting) == (FEBRUARY, [line_of("C-beta", "plus").pk], [])
    assert where() == {"01": "C-beta plus", "02": "C-acme more"}
    assert ContractLine.objects.get(pk=line_of("C-beta", "plus").pk).end is None, "it is part of the tariff"
    bill(billed, MARCH)
    assert verify() == []
