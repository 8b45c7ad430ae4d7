"""Transfer of a contract to another customer: what goes along, what stays, and where usage goes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from taktura.billing import services as billing
from taktura.catalog.coupons import draw_codes
from taktura.catalog.models import Coupon
from taktura.cli.scenarios.load import load
from taktura.cli.scenarios.run import run
from taktura.contracts import services as contracts
from taktura.contracts.facts import load as load_facts
from taktura.contracts.models import Contract, ContractCoupon, ContractLine
from taktura.contracts.queries import by_key, line_for
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database
from taktura.usage.models import UsageException, UsageRecord

WORLD = """
scenario: a contract with a bit of everything
tariffs:
  talk:
    title: Talk
    notice: yearly
    interim_threshold: 50
    trial: 14 days
    lines:
      base: {title: Base, price: 10.00}
      seat:
       {title: Seat, booking: add_on, price: 5, notice: {initial_term: 6 months, renewal_term: open, notice: 1 month}}
      setup: {title: Setup, charge: once, booking: add_on, price: 99.00}
      calls: {title: Calls, charge: usage, price: 1.00, included: 5}
      cloud: {title: Cloud, charge: usage, price: 2.00}
      store: {title: Store, charge: usage, price: 3.00}
coupons: {SAVE: {percent: 10, periods: 12}}
customers: {acme: {name: Acme GmbH}, next: {name: Next GmbH}}
suppliers: {sun: {create_subscriptions: true}}
product_references: [{supplier: sun, product: P1, article: cloud}, {supplier: sun, product: P2, article: store}]
contracts:
  C1: {customer: acme, tariff: talk, start: 2026-01-01, quantities: {setup: 1}}
timeline:
  - on: 2026-01-02
    book:
      {contract: C1, article: seat, quantity: 3, from: 2026-01-15, memo: third floor, discount: 50, reason: pilot}
  - {on: 2026-01-03, change_quantity: {contract: C1, article: seat, quantity: 4, from: 2026-02-01}}
  - {on: 2026-01-03, change_quantity: {contract: C1, article: seat, quantity: 6, from: 2026-06-01, memo: new people}}
  - {on: 2026-01-04, pause: {contract: C1, from: 2026-09-01, until: 2026-10-01}}
  - {on: 2026-01-05, link: {supplier: sun, subscription: S1, contract: C1, article: cloud}}
  - {on: 2026-01-05, link: {supplier: sun, subscription: S2, contract: C1, article: cloud}}
  - {on: 2026-01-05, link: {supplier: sun, subscription: S2, contract: C1, article: store}}
"""
NOW = datetime(2026, 3, 10, 11, tzinfo=UTC)
DAY = date(2026, 3, 15)


@pytest.fixture
def world(tmp_path: Path):  # type: ignore[no-untyped-def]
    path = tmp_path / "world.yaml"
    path.write_text(WORLD, "utf-8")
    with scratch_database():
        result = run(load(path))
        assert result.passed, (result.differences, result.error)
        yield Actor("test", NOW)


def transferred(actor: Actor, start: date = DAY, key: str = "C2") -> Contract:
    customer = Customer.objects.select_related("seller", "billing_information").get(key="next")
    contract = by_key(Seller.objects.get().pk, "C1")
    return billing.transfer(actor, contract=contract, customer=customer, start=start, key=key)[0]


def imported(actor: Actor, day: str, subscription: str, product: str, **more: str) -> UsageRecord:
    from taktura.usage.models import Supplier

    last = more.get("last", day)
    row = {
        "id": f"{subscription}-{product}-{day}", "subscription_id": subscription, "product_id": product,
        "quantity": "4", "period_start": day, "period_end": last,
    }  # fmt: skip
    supplier = Supplier.objects.select_related("seller").get()
    billing.import_rows(actor, supplier=supplier, rows=[row])
    return UsageRecord.objects.get(external_id=row["id"])


def test_all_that_was_agreed_goes_along(world: Actor) -> None:
    one = by_key(Seller.objects.get().pk, "C1")
    (code,) = draw_codes(world, coupon=Coupon.objects.get(), count=1)
    contracts.give_coupon(world, contract=one, code=code)
    uses = Coupon.objects.get().uses
    before = load_facts([one.pk])[one.pk]
    other = transferred(world)
    one.refresh_from_db()
    assert (one.end, other.start, other.transferred_from, other.threshold) == (DAY, DAY, one, Decimal(50))
    assert (other.terms, other.terms_from, other.anchor) == (one.terms, date(2026, 1, 1), one.anchor)
    assert other.trial_end is None  # it is over
    after = load_facts([other.pk])[other.pk]
    assert after.phases[0].anchor == before.phases[0].anchor and after.phases[0].start == DAY
    assert after.pauses == before.pauses
    rows = ContractLine.objects.filter(contract=other).select_related("article")
    lines = {x.article.key: x for x in rows}
    assert lines.keys() == {"base", "seat", "calls", "cloud", "store"}  # the set-up is the one's
    seat = lines["seat"]
    assert (seat.memo, seat.discount, seat.reason, seat.start) == ("third floor", Decimal(50), "pilot", DAY)
    assert list(seat.quantities.values_list("start", "quantity", "memo")) == [
        (DAY, Decimal(4), ""), (date(2026, 6, 1), Decimal(6), "new people"),
    ]  # fmt: skip
    assert seat.terms_from == date(2026, 1, 15) and seat.transferred_from == line_for(one, "seat")
    given, left = ContractCoupon.objects.get(contract=other), ContractCoupon.objects.get(contract=one)
    assert (given.given, given.first, given.end) == (left.given, left.first, left.end)
    assert given.code is None and left.code is not None and Coupon.objects.get().uses == uses


def test_a_line_s_own_term_runs_on(world: Actor) -> None:
    """Half a year from the day on which it was booked, not from that of the transfer."""
    other = transferred(world)
    assert contracts.notice_end(other, date(2026, 3, 20), line=line_for(other, "seat")) == date(2026, 7, 15)


def test_a_planned_set_up_goes_along_unless_it_is_billed(world: Actor) -> None:
    seller = Seller.objects.get()
    one = by_key(seller.pk, "C1")
    for day in (date(2026, 3, 9), date(2026, 4, 20)):
        billing.book(world, contract=one, article="setup", start=day)
    billing.bill(world, seller=seller, on=date(2026, 3, 10))
    other = transferred(world, date(2026, 3, 1))
    starts = ContractLine.objects.filter(contract=other, article__key="setup").values_list("start", flat=True)
    assert list(starts) == [date(2026, 4, 20)]


def test_usage_follows_by_its_day(world: Actor) -> None:
    seller = Seller.objects.get()
    for day, name in (("2026-03-05", "old"), ("2026-03-20", "early")):
        billing.record_usage(
            world, seller=seller, entries=[{"contract": "C1", "article": "calls", "quantity": 9, "at": day, "id": name}]
        )
    transferred(world)
    late = [
        {"contract": "C1", "article": "calls", "quantity": 1, "at": "2026-03-14T23:59:59+01:00", "id": "late"},
        {"contract": "C1", "article": "calls", "quantity": 1, "at": "2026-03-15T00:00:00+01:00", "id": "first"},
        {"contract": "C2", "article": "calls", "quantity": 1, "at": "2026-03-16", "id": "its own"},
        {"contract": "C2", "article": "calls", "quantity": 1, "at": "2026-03-14", "id": "too early"},
    ]
    billing.record_usage(world, seller=seller, entries=late)
    found = dict(UsageRecord.objects.values_list("external_id", "line__contract__key"))
    assert found == {
        "old": "C1", "early": "C2", "late": "C1", "first": "C2", "its own": "C2", "too early": None,
    }  # fmt: skip
    assert UsageException.objects.get().reason == "before_start"
    # Sent again as it was, it is the same record.
    again, _ = billing.record_usage(world, seller=seller, entries=late[:3])
    assert (again.duplicates, again.conflicts) == (3, 0)


def test_usage_of_suppliers_follows_its_subscription(world: Actor) -> None:
    before, after = imported(world, "2026-03-10", "S1", "any"), imported(world, "2026-03-20", "S1", "any")
    other = transferred(world)
    before.refresh_from_db()
    after.refresh_from_db()
    cloud = line_for(other, "cloud")
    assert before.line and before.line.transferred_from is None and after.line == cloud
    # A single subscription needs no product still; where several lines carry it the product decides, then the day.
    assert imported(world, "2026-03-21", "S1", "unknown").line == cloud
    late = imported(world, "2026-03-11", "S1", "unknown").line
    assert late is not None and late.contract.key == "C1"
    stored = imported(world, "2026-03-22", "S2", "P2").line
    assert stored is not None and (stored.article.key, stored.contract.key) == ("store", "C2")
    early = imported(world, "2026-03-12", "S2", "P2").line
    assert early is not None and (early.article.key, early.contract.key) == ("store", "C1")
    assert imported(world, "2026-03-23", "S2", "P9").line is None
    # A span over the day stays with the one, the part beyond waits.
    whole = imported(world, "2026-03-01", "S1", "any", last="2026-03-31")
    assert whole.line is not None and whole.line.contract.key == "C1"
    part = UsageException.objects.get(record=whole)
    assert (part.reason, part.first, part.end) == ("after_end", DAY, date(2026, 4, 1))


def test_usage_of_one_that_was_transferred_twice_finds_the_last(world: Actor) -> None:
    seller = Seller.objects.get()
    other = transferred(world)
    back = Customer.objects.select_related("seller", "billing_information").get(key="acme")
    third, _ = billing.transfer(world, contract=other, customer=back, start=date(2026, 4, 1), key="C3")
    for day, key in (("2026-03-14", "C1"), ("2026-03-31", "C2"), ("2026-04-01", "C3")):
        billing.record_usage(
            world, seller=seller, entries=[{"contract": "C1", "article": "calls", "quantity": 1, "at": day, "id": day}]
        )
        assert UsageRecord.objects.get(external_id=day).line.contract.key == key  # type: ignore[union-attr]
    assert imported(world, "2026-04-02", "S1", "any").line == line_for(third, "cloud")


def test_a_transfer_is_taken_back_by_another(world: Actor) -> None:
    """On the same day: the contract between never begins, and nothing is billed of it."""
    seller = Seller.objects.get()
    billing.bill(world, seller=seller, on=date(2026, 3, 10))
    other = transferred(world)
    back = Customer.objects.select_related("seller", "billing_information").get(key="acme")
    third, _ = billing.transfer(world, contract=other, customer=back, start=DAY, key="C3")
    other.refresh_from_db()
    assert (other.start, other.end, third.start) == (DAY, DAY, DAY)
    billing.bill(world, seller=seller, on=date(2026, 4, 20))
    nets = {"C2": 0, "C3": 0}
    for document in Document.objects.filter(contract__key__in=nets):
        nets[document.contract.key] += document.net if document.kind == "invoice" else -document.net  # type: ignore[union-attr]
    assert nets["C2"] == 0 and nets["C3"] > 0


def test_usage_of_a_closed_period_stays(world: Actor) -> None:
    seller = Seller.objects.get()
    entry = {"contract": "C1", "article": "calls", "quantity": 9, "at": "2026-02-20", "id": "closed"}
    billing.record_usage(world, seller=seller, entries=[entry])
    customers.close_period(world, seller=seller, until=date(2026, 3, 1))
    with pytest.raises(Refused, match="transfer the contract from then on") as refused:
        transferred(world, date(2026, 2, 15))
    assert refused.value.code == "closed_period"
    assert transferred(world, date(2026, 3, 1)).start == date(2026, 3, 1)


def test_the_next_day_that_splits_nothing(world: Actor) -> None:
    one = by_key(Seller.objects.get().pk, "C1")
    # Periods are counted from the trial's end, 15 January.
    assert billing.next_start(one, date(2026, 3, 10)) == date(2026, 3, 15)
    assert billing.next_start(one, date(2026, 3, 15)) == date(2026, 3, 15)
    assert billing.next_start(one, date(2026, 3, 16)) == date(2026, 4, 15)
    assert billing.next_start(one, date(2026, 1, 5)) == date(2026, 1, 15)


def test_what_the_tariff_keeps_is_not_paid_twice(world: Actor, tmp_path: Path) -> None:
    from taktura.catalog import services as catalog

    seller = Seller.objects.get()
    lines = {"base": {"title": "Base", "charge": "recurring", "price": "12.00", "interval": "3 months"}}
    tariff = catalog.define_tariff(
        world, seller=seller, key="kept", title="Kept", credit_on_end=False, interval="3 months", lines=lines
    )
    acme = Customer.objects.select_related("seller", "billing_information").get(key="acme")
    one = contracts.sign(world, key="K1", customer=acme, tariff=tariff, start=date(2026, 3, 1))
    billing.bill(world, seller=seller, on=date(2026, 3, 10))
    customer = Customer.objects.select_related("seller", "billing_information").get(key="next")
    one = by_key(seller.pk, "K1")
    with pytest.raises(Refused, match="2026-06-01"):
        billing.transfer(world, contract=one, customer=customer, start=date(2026, 4, 1), key="K2")
    _, issued = billing.transfer(world, contract=one, customer=customer, start=date(2026, 6, 1), key="K2")
    assert issued == []


def test_nobody_of_another_company_takes_a_contract(world: Actor) -> None:
    vat = Seller.objects.get().vat
    seller = customers.create_seller(world, country="DE", name="Other", currency="EUR", vat=vat)
    stranger = customers.create_customer(world, seller=seller, key="x", name="X")
    one = Contract.objects.select_related("customer__seller").get(key="C1")
    with pytest.raises(Refused, match="same company"):
        billing.transfer(world, contract=one, customer=stranger, start=DAY, key="Z")
