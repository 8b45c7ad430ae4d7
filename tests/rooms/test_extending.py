"""Extending contracts from supplier subscriptions, many at once: what each brings in a month is known beforehand."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.catalog import coupons
from taktura.catalog import services as catalog
from taktura.catalog.models import Article
from taktura.catalog.terms import read_rates
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.invoices.models import DocumentLine
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import ProductReference, SubscriptionLink, Supplier, SupplierSubscription, UsageRecord
from taktura.usage.services import Wish

HEAD = "id,customer_id,customer_name,subscription_id,product_id,quantity,cost,price,seconds,period_start,period_end\n"
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
LINES: dict[str, Any] = {
    "seat": {"charge": "usage", "booking": "add_on", "usage_pricing": "fixed_quantity", "price": "8.00"},
    "mail": {"charge": "usage", "booking": "add_on", "usage_pricing": "usage_quantity", "price": "2.40"},
    "disk": {"charge": "usage", "booking": "add_on", "usage_pricing": "cost_plus", "markup": "15"},
    "theirs": {"charge": "usage", "booking": "add_on", "usage_pricing": "imported_price"},
    "call": {"charge": "usage", "booking": "add_on", "price": "1", "unit": "minute", "tick": "minute", "included": 1},
    "own": {"charge": "usage", "usage_pricing": "usage_quantity", "price": "1"},
    "once": {"charge": "usage", "booking": "on_off", "usage_pricing": "usage_quantity", "price": "1"},
}
# All of June, a whole month; what each comes to at the line of the same name.
ROWS = (
    "1,K,Acme,S-seat,seat,2.5,5,,,2026-06-01,2026-06-30\n"
    "2,K,Acme,S-mail,mail,10,1,,,2026-06-01,2026-06-30\n"
    "3,K,Acme,S-disk,disk,100,0.1234,,,2026-06-01,2026-06-30\n"
    "4,K,Acme,S-theirs,theirs,3,,4.555,,2026-06-01,2026-06-30\n"
    "5,K,Acme,S-call,call,,,,61,2026-06-10,\n"
    "6,K,Acme,S-call,call,,,,30,2026-06-11,\n"
    "7,K,Acme,S-own,own,7,,,,2026-06-01,2026-06-30\n"
)
NET = {"seat": 2400, "mail": 2400, "disk": 1419, "theirs": 1367, "call": 200, "own": 700}


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller with a contract of each kind of usage line, and a supplier whose file waits."""
    made = customers.create_seller(actor, name="S", country="DE", currency="EUR", time_zone="UTC", vat=read_rates(19))
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=made, kind=kind, format=kind[0].upper() + "-{number}", next=1)
    tariff = catalog.define_tariff(actor, seller=made, key="t", title="T", interval="1 month", lines=LINES)
    customer = customers.create_customer(actor, seller=made, key="acme", name="Acme")
    customers.set_billing_information(actor, customer=customer, name="Acme", **ADDRESS)
    contracts.sign(actor, key="C1", customer=customer, tariff=tariff, start=date(2026, 1, 1))
    supplier = usage.create_supplier(
        actor, seller=made, key="sun", name="Sun", create_customers=True, create_subscriptions=True
    )
    usage.receive_file(actor, supplier=supplier, name="june.csv", content=(HEAD + ROWS).encode())
    return made


def wishes(names: Any = NET, key: str = "C1", **more: Any) -> list[Wish]:
    """A wish for each subscription: the contract's line of its name."""
    contract = Contract.objects.select_related("customer__seller").get(key=key)
    rows = {s.reference: s for s in SupplierSubscription.objects.select_related("supplier")}
    return [Wish(subscription=rows[f"S-{n}"], contract=contract, article=n, **more) for n in names]


def test_the_money_of_a_month_is_known_before_and_the_same_after_and_on_the_bill(seller: Seller, actor: Actor) -> None:
    before = billing.preview_extensions(actor, seller=seller, wishes=wishes())
    assert {f.extending.given.article: f.month for f in before} == NET
    assert not SubscriptionLink.objects.exists() and not LogEntry.objects.filter(action="extend_contract").exists()
    done, tied = billing.extend_contracts(actor, seller=seller, wishes=wishes())
    assert (tied.recorded, tied.waiting) == (7, []), "what waited is processed at once"
    rows = [one.wish.subscription for one in done]
    after = billing.look_at_months(actor, seller=seller, subscriptions=rows)
    assert {one.given.article: after[one.wish.subscription.pk] for one in done} == NET
    later = Actor(actor.name, datetime(2026, 7, 1, 6, tzinfo=UTC))
    billing.bill(later, seller=seller, on=date(2026, 7, 1))
    assert {x.article: x.net for x in DocumentLine.objects.filter(end=date(2026, 7, 1))} == NET


def test_what_the_money_of_a_month_leaves_out_is_said(seller: Seller, actor: Actor) -> None:
    lines = {name: LINES[name] | {"in_minimum": name == "seat", "in_cap": True} for name in ("seat", "disk")}
    tariff = catalog.define_tariff(
        actor, seller=seller, key="m", title="M", interval="1 month", lines=lines, minimum_sales="50", cost_cap="90"
    )
    made = Contract.objects.get(key="C1")
    contract = contracts.sign(actor, key="C2", customer=made.customer, tariff=tariff, start=date(2026, 1, 1))
    Supplier.objects.update(currency="USD")
    coupon = coupons.define_coupon(actor, seller=seller, key="FIRST", percent=10, lines=["seat"], title="10 %")
    contracts.give_coupon(actor, contract=contract, coupon=coupon)
    found = billing.preview_extensions(actor, seller=seller, wishes=wishes(["seat", "disk"], "C2"))
    assert [f.without for f in found] == [("coupons", "minimum_sales", "cost_cap"), ("cost_cap", "currency")]
    plain = billing.preview_extensions(actor, seller=seller, wishes=wishes(["seat", "own"]))
    assert [f.without for f in plain] == [(), ()]


def test_what_is_charged_in_another_currency_is_no_money_of_the_contracts(seller: Seller, actor: Actor) -> None:
    UsageRecord.objects.filter(product__in=["disk", "theirs"]).update(currency="USD")
    before = billing.preview_extensions(actor, seller=seller, wishes=wishes())
    assert {f.extending.given.article: f.month for f in before} == NET | {"disk": 0, "theirs": 0}


def test_a_hundred_cost_as_many_queries_as_two(seller: Seller, actor: Actor) -> None:
    counts = []
    for number in (2, 100):
        rows = "".join(
            f"m{number}-{i},K,Acme,S-{number}-{i},P-{i},2,1,,,2026-06-01,2026-06-30\n" for i in range(number)
        )
        supplier = Supplier.objects.get()
        usage.receive_file(actor, supplier=supplier, name=f"{number}.csv", content=(HEAD + rows).encode())
        contract = Contract.objects.select_related("customer__seller").get()
        found = SupplierSubscription.objects.filter(reference__startswith=f"S-{number}-").select_related("supplier")
        wanted = [Wish(subscription=s, contract=contract, article="mail", stands_for=True) for s in found]
        assert len(wanted) == number
        with CaptureQueriesContext(connection) as asked:
            foreseen = billing.preview_extensions(actor, seller=seller, wishes=wanted)
        assert sum(f.month or 0 for f in foreseen) == number * 480
        with CaptureQueriesContext(connection) as written:
            _, tied = billing.extend_contracts(actor, seller=seller, wishes=wanted)
        assert tied.recorded == number
        counts.append((len(asked), len(written)))
    assert counts[1] <= counts[0]
    assert ProductReference.objects.count() == 100


def test_all_or_none(seller: Seller, actor: Actor) -> None:
    wanted = [*wishes(["mail"]), *wishes(["seat"], start=date(2026, 6, 1))]
    wanted[1] = Wish(subscription=wanted[1].subscription, contract=wanted[1].contract, article="nothing")
    foreseen = billing.preview_extensions(actor, seller=seller, wishes=wanted)
    assert [f.month for f in foreseen] == [2400, None] and foreseen[1].extending.refused is not None
    lines = ContractLine.objects.count()
    with pytest.raises(Refused, match="no line for the article") as refused:
        billing.extend_contracts(actor, seller=seller, wishes=wanted)
    assert refused.value.code == "not_found"
    assert ContractLine.objects.count() == lines and not SubscriptionLink.objects.exists()
    assert not UsageRecord.objects.filter(line__isnull=False).exists()


@pytest.mark.parametrize("article", ["own", "once"])
def test_two_wishes_for_what_there_is_once(seller: Seller, actor: Actor, article: str) -> None:
    first, second = wishes(["own", "disk"], quantity=Decimal(1))
    wanted = [Wish(subscription=w.subscription, contract=w.contract, article=article, quantity=Decimal(1))
              for w in (first, second)]  # fmt: skip
    foreseen = billing.preview_extensions(actor, seller=seller, wishes=wanted)
    assert [f.extending.refused is None for f in foreseen] == [True, False]
    with pytest.raises(Refused):
        billing.extend_contracts(actor, seller=seller, wishes=wanted)


def test_what_is_filled_in_comes_from_the_subscription(seller: Seller, actor: Actor) -> None:
    (wish,) = wishes(["seat"])
    bare = Wish(subscription=wish.subscription, contract=wish.contract)
    (given,) = usage.extensions([bare])
    assert (given.article, given.quantity, given.start) == (None, Decimal(3), date(2026, 6, 1))
    usage.set_product_reference(
        actor, supplier=Supplier.objects.get(), product="SEAT", article=Article.objects.get(key="seat")
    )
    SupplierSubscription.objects.filter(pk=wish.subscription.pk).update(start=date(2025, 1, 1), quantity=-4)
    wish.subscription.refresh_from_db()
    (given,) = usage.extensions([bare])
    assert (given.article, given.quantity, given.start) == ("seat", Decimal(0), date(2026, 1, 1))
    Contract.objects.update(billed_until=date(2026, 5, 1))
    wish.contract.refresh_from_db()
    assert usage.extensions([bare])[0].start == date(2026, 5, 1), "from the day after what was billed"


@pytest.mark.parametrize(
    ("rows", "month"),
    [
        # Spans of a part of the month: the quantity of the last day counts for a whole month.
        ("10,K,,S-p,,10,,,,2026-06-01,2026-06-30\n11,K,,S-p,,2,,,,2026-06-16,2026-06-30\n", 2880),
        # The month that only began is left for the one before it.
        ("12,K,,S-p,,10,,,,2026-06-05,\n13,K,,S-p,,4,,,,2026-06-20,\n14,K,,S-p,,1,,,,2026-07-01,\n", 3360),
        # A credit keeps its sign.
        ("15,K,,S-p,,10,,,,2026-06-01,2026-06-30\n16,K,,S-p,,-4,,,,2026-06-16,2026-06-30\n", 1440),
    ],
)
def test_a_usage_quantity_counts_as_it_stands(seller: Seller, actor: Actor, rows: str, month: int) -> None:
    supplier = Supplier.objects.get()
    usage.receive_file(actor, supplier=supplier, name="p.csv", content=(HEAD + rows).encode())
    row = SupplierSubscription.objects.select_related("supplier").get(reference="S-p")
    wish = Wish(subscription=row, contract=Contract.objects.select_related("customer__seller").get(), article="mail")
    assert billing.preview_extensions(actor, seller=seller, wishes=[wish])[0].month == month


def test_months_of_other_intervals(seller: Seller, actor: Actor) -> None:
    tariff = catalog.define_tariff(actor, seller=seller, key="q", title="Q", interval="3 months", lines=LINES)
    customer = Contract.objects.get().customer
    contracts.sign(actor, key="C2", customer=customer, tariff=tariff, start=date(2026, 1, 15))
    wanted = wishes(("seat", "mail", "disk", "theirs"), key="C2")
    found = billing.preview_extensions(actor, seller=seller, wishes=wanted)
    prices = {"seat": 800, "mail": 800, "disk": 1419, "theirs": 1367}
    assert {f.extending.given.article: f.month for f in found} == prices, "prices are for the three months"
