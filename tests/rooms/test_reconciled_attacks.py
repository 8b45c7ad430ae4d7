"""Reconciliation under attack: revisions, notice within spans, lines dated back, credits. Nothing is lost, and what is
not settled again is what settling it would say."""

from contextlib import suppress
from datetime import date, timedelta

import pytest
from django.db import transaction

from taktura.billing import reconciliation
from taktura.billing import services as billing
from taktura.billing.proof import verify
from taktura.billing.reconciliation import Reconciliation, reconcile
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.invoices.models import Document
from taktura.usage import services as usage
from taktura.usage.models import Supplier, SupplierSubscription, UsageRecord
from tests.rooms.test_reconciled import PERIODS, History, by, days_of, part_of, supplier, take

__all__ = ["supplier"]  # the fixture
SEEDS = range(100, 106)
SETTLED = "COALESCE(k.settled_until >= %(end)s, FALSE) AND k.changed_from IS NULL"


class Attack(History):
    """The same history, with what its plain record of billed days cannot follow; the sums must hold all the same."""

    def step(self) -> None:
        """One thing that happens."""
        names = ["take", "take", "tie", "untie", "correct", "withdraw", "bill", "pause", "revise", "revise", "notice"]
        name = self.pick.choice([*names, "extend", "credit"])
        self.steps.append(name)
        getattr(self, name)()
        self.on += timedelta(days=self.pick.choice([0, 1, 3, 8]))

    def bill(self) -> None:
        billing.bill(by(self.on), seller=self.supplier.seller, on=self.on, processes=1)

    def revise(self) -> None:
        """The supplier sends a row again, corrected: other days, another subscription, a credit."""
        rows = list(UsageRecord.objects.filter(source="supplier:sun").order_by("pk"))
        if not rows:
            return
        old = self.pick.choice(rows)
        start = old.day + timedelta(days=self.pick.choice([-9, 0, 0, 20]))
        end = start + timedelta(days=self.pick.choice([0, 10, 40]))
        take(self.supplier, self.on, {
            "id": old.external_id, "revision": old.revision + 1, "subscription_id": f"S-{self.pick.randint(1, 6)}",
            "product_id": "P", "quantity": self.pick.choice(["2", "-3"]), "currency": self.pick.choice(["EUR", "USD"]),
            "cost_amount": self.pick.choice(["-7.77", "0.01"]), "period_start": start.isoformat(),
            "period_end": end.isoformat() if end > start else None,
        })  # fmt: skip

    def notice(self) -> None:
        """A contract ends in the middle of the spans of its usage."""
        contract = self.pick.choice(list(Contract.objects.order_by("pk")))
        if self.pick.random() < 0.4:
            with suppress(Refused), transaction.atomic():
                contracts.give_notice(by(self.on), contract=contract, received=self.on)
                usage.rematch(by(self.on), contracts=[contract.pk], closed_until=None)

    def extend(self) -> None:
        """A line from a subscription that nothing is tied to, dated back."""
        free = SupplierSubscription.objects.select_related("supplier__seller").filter(links__isnull=True).first()
        contract = self.pick.choice(list(Contract.objects.order_by("pk")))
        if free is not None:
            with suppress(Refused), transaction.atomic():
                wish = usage.Wish(subscription=free, contract=contract, article="more", start=date(2026, 1, 8))
                billing.extend_contracts(by(self.on), seller=self.supplier.seller, wishes=[wish])

    def credit(self) -> None:
        """An invoice is credited by hand, sometimes to be billed again."""
        documents = list(Document.objects.filter(kind="invoice").order_by("pk"))
        if documents:
            with suppress(Refused), transaction.atomic():
                document = self.pick.choice(documents)
                billing.credit(by(self.on), document=document, rebill=self.pick.random() < 0.5)


def columns(found: Reconciliation) -> list[tuple[object, ...]]:
    """What a reconciliation says of each subscription and contract."""
    return [(r.reference, r.currency, r.charged, r.said, r.invoiced, r.causes) for r in [*found.rows, *found.contracts]]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_nothing_needs_settling_again(
    supplier: Supplier, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = Attack(supplier, seed)
    for n in range(60):
        history.step()
        if n % 6 == 5:
            for first, end in PERIODS:
                found = reconcile(supplier, first, end)
                assert found.holds, history.steps
                records = list(UsageRecord.objects.all())
                assert sum(t.account.imported.cost for t in found.totals) - sum(
                    t.account.excluded["withdrawn"].cost for t in found.totals if "withdrawn" in t.account.excluded
                ) == sum(history_cost(history, record, first, end) for record in records)
                with monkeypatch.context() as patch:
                    assert SETTLED in reconciliation._KINDS
                    patch.setattr(reconciliation, "_KINDS", reconciliation._KINDS.replace(SETTLED, "FALSE"))
                    assert columns(reconcile(supplier, first, end)) == columns(found), history.steps
    assert [text for text in verify() if text.startswith("Supplier")] == []


def history_cost(history: History, record: UsageRecord, first: date, end: date) -> object:
    """What a record costs in a period, day by day."""
    return part_of(record).cost * len(list(days_of(record, first, end)))
