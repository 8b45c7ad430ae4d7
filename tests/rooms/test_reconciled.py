"""Reconciliation: whatever happened, billed + waiting + excluded + to be billed = imported, and each state is right."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.billing.proof import verify
from taktura.billing.reconciliation import Reconciliation, Row, reconcile
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.core.errors import Refused
from taktura.core.reconciling import EXCLUDED, Sum
from taktura.customers import services as customers
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier, SupplierSubscription, UsageException, UsageHistory, UsageRecord

LINES = {
    "plus": {"title": "Cost plus", "charge": "usage", "usage_pricing": "cost_plus", "markup": 20},
    "disk": {"title": "Disk", "charge": "usage", "usage_pricing": "usage_quantity", "price": "3"},
    "seat": {"title": "Seat", "charge": "usage", "usage_pricing": "fixed_quantity", "price": "10"},
    "net": {"title": "Traffic", "charge": "usage", "price": "0.5"},
}
ADD_ONS = {"more": {"title": "More", "charge": "usage", "booking": "add_on", "usage_pricing": "cost_plus", "markup": 5}}
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
PERIODS = [(JANUARY, FEBRUARY), (FEBRUARY, MARCH), (date(2026, 1, 10), date(2026, 2, 20)), (JANUARY, date(2026, 7, 1))]
HISTORIES = range(8)


def by(on: date) -> Actor:
    """Who acts in the morning of a day."""
    return Actor("test", datetime(on.year, on.month, on.day, 8, tzinfo=UTC))


@pytest.fixture
def supplier(database: str) -> Supplier:
    """A supplier, and two contracts with four usage lines each, the first of them from 5 January."""
    actor = by(JANUARY)
    seller = customers.create_seller(actor, name="S", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]])
    for kind, form in (("invoice", "RE-{number}"), ("credit_note", "GS-{number}")):
        confirm_numbering(actor, seller=seller, kind=kind, format=form, next=1)
    tariff = catalog.define_tariff(actor, seller=seller, key="cloud", title="Cloud", lines=LINES | ADD_ONS)
    for key, start in (("acme", date(2026, 1, 5)), ("beta", JANUARY)):
        customer = customers.create_customer(actor, seller=seller, key=key, name=key.title())
        customers.set_billing_information(actor, customer=customer, name=customer.name, **ADDRESS)
        contracts.sign(actor, key=f"C-{key}", customer=customer, tariff=tariff, start=start)
    return usage.create_supplier(
        actor, seller=seller, key="sun", name="Sun", create_customers=True, create_subscriptions=True
    )


def line_of(contract: str, article: str) -> ContractLine:
    """A contract's line."""
    return ContractLine.objects.get(contract__key=contract, article__key=article)


def take(supplier: Supplier, on: date, *rows: dict[str, Any]) -> None:
    """Import rows."""
    billing.import_rows(by(on), supplier=supplier, rows=rows)


def bill(supplier: Supplier, on: date) -> None:
    """Bill all that is due."""
    billing.bill(by(on), seller=supplier.seller, on=on, processes=1)


def row(found: Reconciliation, reference: str) -> Row:
    """The one row of a subscription."""
    (one,) = [r for r in found.rows if r.reference == reference]
    return one


def seat(number: int, subscription: str = "S-1", **more: Any) -> dict[str, Any]:
    """A licence row of January: 3 for 15.00."""
    values = {"subscription_id": subscription, "product_id": "P", "quantity": 3, "cost_amount": "15.00",
              "period_start": "2026-01-01", "period_end": "2026-01-31"}  # fmt: skip
    return {"id": number, **values, **more}


CREDIT = {"quantity": -3, "cost_amount": "-15.00"}


def test_rows_that_cancel_each_other_are_told(supplier: Supplier) -> None:
    """A charge and its credit, of a subscription that is tied to nothing: they wait, though they come to nothing."""
    take(supplier, FEBRUARY, seat(1), seat(2, **CREDIT), seat(3, "S-2", quantity=0, cost_amount="0"))
    found = reconcile(supplier, JANUARY, FEBRUARY)
    one = row(found, "S-1")
    assert (one.causes, one.rows, one.charged) == (("cancelled",), 2, 0) and found.holds
    assert row(found, "S-2").causes == (), "a row of nothing is cancelled by nothing"
    take(supplier, FEBRUARY, seat(4, cost_amount="1.00"))
    assert row(reconcile(supplier, JANUARY, FEBRUARY), "S-1").causes == ("unlinked",)


def test_rows_that_cancel_each_other_are_told_until_their_period_is_billed(supplier: Supplier) -> None:
    take(supplier, FEBRUARY, seat(1), seat(2, **CREDIT))
    billing.tie(by(FEBRUARY), supplier=supplier, ties=[("S-1", line_of("C-beta", "plus"))])
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "S-1")
    assert (one.causes, one.account.open, one.lines[0].key) == (("cancelled",), Sum(), "C-beta")
    take(supplier, FEBRUARY, seat(3))
    bill(supplier, FEBRUARY)
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "S-1")
    assert (one.causes, one.charged, one.invoiced) == ((), 15, 18)


def test_three_columns_and_the_way_of_a_row(supplier: Supplier) -> None:
    take(supplier, FEBRUARY, seat(1))
    found = reconcile(supplier, JANUARY, FEBRUARY)
    one = row(found, "S-1")
    assert (one.causes, one.charged, one.invoiced, one.said) == (("unlinked",), 15, 0, 0)
    assert one.account.waiting == {"no_subscription": Sum(Fraction(3), Fraction(15))} and found.holds
    billing.tie(by(FEBRUARY), supplier=supplier, ties=[("S-1", line_of("C-beta", "plus"))])
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "S-1")
    assert (one.causes, one.said, one.invoiced, one.account.open.cost) == (("not_billed",), 18, 0, 15)
    bill(supplier, FEBRUARY)
    found = reconcile(supplier, JANUARY, FEBRUARY)
    one = row(found, "S-1")
    assert (one.causes, one.said, one.invoiced, one.margin) == ((), 18, 18, 3)
    assert [(t.currency, t.charged, t.invoiced, t.margin) for t in found.totals] == [("EUR", 15, 18, 3)]
    assert [(c.reference, c.charged, c.invoiced) for c in found.contracts] == [("C-beta", 15, 18)]
    take(supplier, date(2026, 2, 5), seat(2, cost_amount="5.00", period_end=None))
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "S-1")
    assert (one.causes, one.account.billed.cost, one.account.open.cost) == (("late",), 15, 5)
    assert (one.said, one.invoiced) == (24, 18)


def test_calls_are_accounted_for_by_their_seconds(supplier: Supplier) -> None:
    """They have neither quantity nor cost; yet it is said why they are not billed."""
    call = {"subscription_id": "100", "period_start": "2026-01-10T10:00:00", "seconds": 90}
    take(supplier, FEBRUARY, {"id": 1, **call}, {"id": 2, **call, "seconds": 30})
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "100")
    assert (one.causes, one.account.imported, one.account.waits) == (
        ("unlinked",),
        Sum(Fraction(120)),
        Sum(Fraction(120)),
    )
    billing.tie(by(FEBRUARY), supplier=supplier, ties=[("100", line_of("C-beta", "net"))])
    assert row(reconcile(supplier, JANUARY, FEBRUARY), "100").causes == ("not_billed",)
    bill(supplier, FEBRUARY)
    assert row(reconcile(supplier, JANUARY, FEBRUARY), "100").causes == ()
    take(supplier, date(2026, 2, 5), {"id": 3, **call, "seconds": 60})
    assert row(reconcile(supplier, JANUARY, FEBRUARY), "100").causes == ("late",)
    usage.withdraw_usage(by(date(2026, 2, 6)), seller=supplier.seller, source="supplier:sun", external_id="3")
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "100")
    assert (one.causes, one.account.excluded) == (("excluded",), {"withdrawn": Sum(Fraction(60))})


def test_what_came_to_a_billed_line_later_is_still_to_be_billed(supplier: Supplier) -> None:
    """Though it was imported before the bill: the charge of its line had not seen it."""
    line = line_of("C-beta", "plus")
    take(supplier, FEBRUARY, seat(1), seat(2, "S-2"))
    billing.tie(by(FEBRUARY), supplier=supplier, ties=[("S-1", line)])
    bill(supplier, FEBRUARY)
    billing.tie(by(FEBRUARY), supplier=supplier, ties=[("S-2", line)])
    found = reconcile(supplier, JANUARY, FEBRUARY)
    assert (row(found, "S-1").account.billed.cost, row(found, "S-2").account.open.cost) == (15, 15)
    assert sum(r.invoiced for r in found.rows) == 18, "shared by two, counted once"
    bill(supplier, date(2026, 2, 10))
    found = reconcile(supplier, JANUARY, FEBRUARY)
    assert (row(found, "S-2").account.billed.cost, [r.causes for r in found.rows]) == (15, [(), ()])


def test_a_contracted_quantity_that_is_not_the_suppliers(supplier: Supplier) -> None:
    take(supplier, FEBRUARY, seat(1))
    billing.tie(by(FEBRUARY), supplier=supplier, ties=[("S-1", line_of("C-beta", "seat"))])
    bill(supplier, FEBRUARY)
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "S-1")
    assert (one.causes, one.invoiced, one.margin) == (("quantity", "loss"), 10, -5)
    assert (one.wanted, one.used, one.lines[0].quantity) == (31, 93, 1)


def test_withdrawn_credited_and_parts_outside_the_line(supplier: Supplier) -> None:
    take(supplier, FEBRUARY, seat(1), seat(2, quantity=1, cost_amount=4))
    billing.tie(by(FEBRUARY), supplier=supplier, ties=[("S-1", line_of("C-acme", "plus"))])
    usage.withdraw_usage(by(FEBRUARY), seller=supplier.seller, source="supplier:sun", external_id="2")
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "S-1")
    assert one.account.excluded == {"withdrawn": Sum(Fraction(1), Fraction(4))}
    assert one.account.waiting["before_start"].cost == Fraction(15 * 4, 31)
    assert one.causes == ("waiting", "not_billed", "excluded") and one.account.holds
    bill(supplier, date(2026, 2, 5))
    billing.credit(by(date(2026, 2, 6)), document=Document.objects.get(kind="invoice"))
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "S-1")
    assert one.account.excluded["credited"].cost == Fraction(15 * 27, 31) and one.account.holds
    assert one.invoiced == 0 and not one.account.open
    take(supplier, date(2026, 2, 7), seat(2, quantity=1, cost_amount=4))  # it came again
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "S-1")
    assert "withdrawn" not in one.account.excluded and one.account.imported.cost == 19


def test_an_import_that_was_undone_never_was(supplier: Supplier) -> None:
    content = b"id,subscription_id,product_id,quantity,cost_amount,period_start\n1,S-1,P,3,15.00,2026-01-10\n"
    received = billing.receive_file(by(FEBRUARY), supplier=supplier, name="a.csv", content=content)[0]
    assert row(reconcile(supplier, JANUARY, FEBRUARY), "S-1").charged == 15
    assert received.file is not None
    billing.undo_file(by(FEBRUARY), file=received.file)
    assert reconcile(supplier, JANUARY, FEBRUARY).rows == []


def test_another_currency_has_a_row_and_no_margin(supplier: Supplier) -> None:
    take(supplier, FEBRUARY, seat(1, currency="USD"))
    billing.tie(by(FEBRUARY), supplier=supplier, ties=[("S-1", line_of("C-beta", "plus"))])
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "S-1")
    assert (one.currency, one.causes[0], set(one.account.waiting)) == ("USD", "currency", {"currency"})


def test_a_line_that_is_billed_though_nothing_was_imported(supplier: Supplier) -> None:
    take(supplier, FEBRUARY, seat(1))
    line = line_of("C-beta", "plus")
    billing.tie(by(FEBRUARY), supplier=supplier, ties=[("S-1", line)])
    bill(supplier, FEBRUARY)
    take(supplier, FEBRUARY, seat(1, revision=2, period_start="2026-03-01", period_end="2026-03-31"))
    one = row(reconcile(supplier, JANUARY, FEBRUARY), "S-1")
    assert (one.charged, one.invoiced, one.said, one.rows) == (0, 18, 0, 0)
    assert one.causes == ("not_charged", "price")


def test_a_period_the_wrong_way_round_is_refused(supplier: Supplier) -> None:
    with pytest.raises(Refused, match="ends before"):
        reconcile(supplier, FEBRUARY, JANUARY)


def test_verify_finds_what_is_lost(supplier: Supplier) -> None:
    """Somebody takes away by SQL what says why a row waits: then it is neither billed nor waiting."""
    take(supplier, FEBRUARY, seat(1), seat(2, "S-2", period_start="2026-01-20", period_end="2026-02-10"))
    billing.tie(by(FEBRUARY), supplier=supplier, ties=[("S-1", line_of("C-beta", "plus"))])
    bill(supplier, FEBRUARY)
    assert verify() == []
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM usage_usageexception")
    found = verify()
    assert [text[:24] for text in found] == ["Supplier sun, 2026-01: o", "Supplier sun, 2026-02: o"]
    assert all("subscription s-2" in text for text in found)
    assert not reconcile(supplier, JANUARY, FEBRUARY).holds


def test_the_number_of_queries_does_not_grow(supplier: Supplier) -> None:
    counts = []
    for start in (1, 40):
        take(supplier, FEBRUARY, *(seat(n, f"S-{n}") for n in range(start, start + 30)))
        lines = [line_of(c, a) for c in ("C-acme", "C-beta") for a in LINES]
        ties = [(f"S-{n}", lines[n % len(lines)]) for n in range(start, start + 30)]
        billing.tie(by(FEBRUARY), supplier=supplier, ties=ties)
        with CaptureQueriesContext(connection) as queries:
            assert reconcile(supplier, JANUARY, FEBRUARY).holds
        counts.append(len(queries))
    assert counts[0] == counts[1]


class History:
    """A random history, and beside it a plain record of which day of which row was billed: row by row, day by day."""

    def __init__(self, supplier: Supplier, seed: int) -> None:
        self.supplier, self.pick, self.on = supplier, Random(seed), date(2026, 1, 20)
        self.lines = [line_of(c, a) for c in ("C-acme", "C-beta") for a in LINES]
        self.billed: set[tuple[str, int, int, date]] = set()  # id, revision, line, day
        self.number, self.steps = 0, []

    def step(self) -> None:
        """One thing that happens."""
        name = self.pick.choice(["take", "take", "take", "tie", "tie", "untie", "correct", "withdraw", "bill", "pause"])
        self.steps.append(name)
        getattr(self, name)()
        self.on += timedelta(days=self.pick.choice([0, 1, 3, 8]))

    def take(self) -> None:
        rows = []
        for _ in range(self.pick.randint(1, 4)):
            self.number += 1
            start = JANUARY + timedelta(days=self.pick.randint(0, 110))
            end = start + timedelta(days=self.pick.choice([0, 0, 6, 30, 45]))
            quantity = self.pick.choice(["1", "2.5", "-1", "7"])
            rows.append({
                "id": f"r{self.number}", "subscription_id": f"S-{self.pick.randint(1, 6)}", "product_id": "P",
                "quantity": quantity, "cost_amount": self.pick.choice(["1.00", "0.33", "-2.5", "9.99"]),
                "period_start": start.isoformat(), "period_end": end.isoformat() if end > start else None,
                "currency": self.pick.choice(["EUR"] * 9 + ["USD"]),
            })  # fmt: skip
        take(self.supplier, self.on, *rows)

    def tie(self) -> None:
        reference, line = f"S-{self.pick.randint(1, 6)}", self.pick.choice(self.lines)
        free = SupplierSubscription.objects.filter(folded=reference.lower(), links__isnull=True)
        if free.exists():  # of several lines only the product could tell them apart
            billing.tie(by(self.on), supplier=self.supplier, ties=[(reference, line)])
            self.keep()

    def untie(self) -> None:
        tied = (
            SupplierSubscription.objects.filter(links__isnull=False)
            .order_by("pk")
            .values_list("reference", "links__line")
        )
        if tied:
            reference, line = self.pick.choice(list(tied))
            billing.untie(
                by(self.on), supplier=self.supplier, reference=reference, line=ContractLine.objects.get(pk=line)
            )
            self.keep()

    def keep(self) -> None:
        """What left its line is new to it when it comes again."""
        where = {(r.external_id, r.revision): r.line_id for r in UsageRecord.objects.all()}
        self.billed = {b for b in self.billed if where.get(b[:2]) == b[2]}

    def correct(self) -> None:
        found = list(UsageRecord.objects.order_by("pk"))
        if found:
            billing.correct_usage(
                by(self.on), seller=self.supplier.seller, record=self.pick.choice(found),
                changes={"quantity": "4", "cost_amount": self.pick.choice(["3.21", "0"])},
            )  # fmt: skip

    def withdraw(self) -> None:
        found = list(UsageRecord.objects.order_by("pk"))
        if found:
            record = self.pick.choice(found)
            usage.withdraw_usage(
                by(self.on), seller=self.supplier.seller, source=record.source, external_id=record.external_id
            )

    def pause(self) -> None:
        """Usage that is in a pause is not billed."""
        contract = self.pick.choice(list(Contract.objects.order_by("pk")))
        start = self.on + timedelta(days=self.pick.randint(1, 20))
        with suppress(Refused), transaction.atomic():  # two pauses never overlap
            contracts.pause(by(self.on), contract=contract, start=start, end=start + timedelta(days=5))
            usage.rematch(by(self.on), contracts=[contract.pk], closed_until=None)  # and the bill is left to a run
        self.keep()

    def bill(self) -> None:
        bill(self.supplier, self.on)
        # A month of the first contract begins on its fifth.
        fifth = (self.on - timedelta(days=4)).replace(day=5)
        over = {"C-acme": fifth, "C-beta": self.on.replace(day=1)}
        for record in UsageRecord.objects.filter(line__isnull=False).select_related("line__contract"):
            assert record.line is not None
            for day in days_of(record, JANUARY, over[record.line.contract.key]):
                self.billed.add((record.external_id, record.revision, record.line_id, day))

    def expected(self, first: date, end: date) -> tuple[Sum, dict[str, Sum]]:
        """What was imported in a period and what became of it, read plainly."""
        whole: list[Sum] = []
        states: dict[str, list[Sum]] = defaultdict(list)
        waits: dict[int, list[UsageException]] = defaultdict(list)
        for wait in UsageException.objects.order_by("first"):
            waits[wait.record_id].append(wait)
        for record in UsageRecord.objects.all():
            for day in days_of(record, first, end):
                reasons = [w.reason for w in waits[record.pk] if w.first <= day < w.end]
                key = (record.external_id, record.revision, record.line_id, day)
                state = reasons[0] if reasons else "billed" if key in self.billed else "open"
                states[state].append(part_of(record))
                whole.append(part_of(record))
        known = set(UsageRecord.objects.values_list("external_id", flat=True))
        for gone in UsageHistory.objects.filter(withdrawn=True).exclude(external_id__in=known):
            values = {k: gone.record[k] for k in ("quantity", "cost_amount", "is_span")}
            record = UsageRecord(
                **values, day=date.fromisoformat(gone.record["day"]), end_day=date.fromisoformat(gone.record["end_day"])
            )
            for _day in days_of(record, first, end):
                states["withdrawn"].append(part_of(record))
                whole.append(part_of(record))
        return sum(whole, Sum()), {state: sum(parts, Sum()) for state, parts in states.items()}


def days_of(record: UsageRecord, first: date, end: date) -> Iterator[date]:
    """The days of a record that lie in a period; one without a span counts whole on its first."""
    stop = record.end_day if record.is_span else record.day + timedelta(days=1)
    day = record.day
    while day < stop:
        if first <= day < end:
            yield day
        day += timedelta(days=1)


def part_of(record: UsageRecord) -> Sum:
    """What a day of a record stands for."""
    days = (record.end_day - record.day).days if record.is_span else 1
    quantity, cost = (Fraction(Decimal(str(v or 0))) for v in (record.quantity, record.cost_amount))
    return Sum(quantity / days, cost / days)


def states_of(found: Reconciliation) -> tuple[Sum, dict[str, Sum]]:
    """The same of a reconciliation."""
    states: dict[str, Sum] = defaultdict(Sum)
    for total in found.totals:
        states["billed"] += total.account.billed
        states["open"] += total.account.open
        for reason, value in {**total.account.waiting, **total.account.excluded}.items():
            states[reason] += value
    return sum((t.account.imported for t in found.totals), Sum()), {s: v for s, v in states.items() if v}


@pytest.mark.parametrize("seed", HISTORIES)
def test_histories(supplier: Supplier, seed: int) -> None:
    history = History(supplier, seed)
    for _ in range(40):
        history.step()
    for first, end in PERIODS:
        found = reconcile(supplier, first, end)
        whole, states = history.expected(first, end)
        assert found.holds, history.steps
        assert states_of(found) == (whole, {s: v for s, v in states.items() if v}), history.steps
    for document in Document.objects.filter(kind="invoice").order_by("pk")[:3]:
        with suppress(Refused):  # nothing is left of it
            billing.credit(by(history.on), document=document, rebill=history.pick.random() < 0.3)
    for _ in range(10):
        for first, end in PERIODS:
            found = reconcile(supplier, first, end)
            assert found.holds, history.steps
            assert states_of(found)[0] == history.expected(first, end)[0]
        history.step()
    assert set(EXCLUDED) >= {r for t in found.totals for r in t.account.excluded}
