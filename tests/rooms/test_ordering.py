"""What a customer orders: public tariffs, or by an offer number; what staff book for them is not ordered."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.coupons import define_coupon
from taktura.catalog.models import Tariff
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor

LINES: dict[str, Any] = {
    "base": {"title": "Base", "charge": "recurring", "price": "10"},
    "seat": {
        "charge": "recurring", "booking": "add_on", "price": "5", "discount_scale": [{"above": "9", "percent": "10"}],
    },
    "setup": {"charge": "once", "booking": "add_on", "price": "99", "bookable_by": "staff"},
}  # fmt: skip


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    made = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=made, kind=kind, format=kind[0].upper() + "/{number}", next=1)
    catalog.define_tariff(actor, seller=made, key="open", title="Open", public=True, lines=LINES)
    catalog.define_tariff(actor, seller=made, key="closed", title="Closed", lines=LINES, offer_number="O-1")
    return made


@pytest.fixture
def customer(seller: Seller, actor: Actor) -> Customer:
    made = customers.create_customer(actor, seller=seller, key="acme", name="Acme")
    address = {"street": "Weg 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
    customers.set_billing_information(actor, customer=made, name="Acme", **address)
    return Customer.objects.select_related("seller").get(pk=made.pk)


def order(actor: Actor, customer: Customer, tariff: str, **more: Any) -> Contract:
    return contracts.order(
        actor, key="C1", customer=customer, tariff=Tariff.objects.get(key=tariff), **{"articles": {}, **more}
    )


@pytest.mark.parametrize(
    ("tariff", "more", "code"),
    [
        ("closed", {}, "unknown_offer_number"),
        ("closed", {"offer_number": ""}, "unknown_offer_number"),
        ("closed", {"offer_number": "O-2"}, "unknown_offer_number"),
        ("open", {"offer_number": "O-1"}, "unknown_offer_number"),
        ("open", {"articles": {"setup": Decimal(1)}}, "invalid"),
        ("open", {"articles": {"base": Decimal(2)}}, "invalid"),
        ("open", {"articles": {"other": Decimal(1)}}, "not_found"),
    ],
)
def test_what_cannot_be_ordered(actor: Actor, customer: Customer, tariff: str, more: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        order(actor, customer, tariff, **more)
    assert refused.value.code == code
    assert not Contract.objects.exists()


def test_by_its_offer_number(actor: Actor, customer: Customer) -> None:
    made = order(actor, customer, "closed", offer_number="O-1")
    assert (made.start, made.tariff.key) == (date(2026, 3, 1), "closed")


@pytest.mark.parametrize(
    ("rule", "percent", "net"),
    [
        ("coupon", 20, "50.00"),  # 10 + 10 × 5 × 0.8
        ("both", 20, "46.00"),  # 10 + 10 × 5 × 0.9 × 0.8
        ("best", 20, "50.00"),
        ("best", 5, "55.00"),  # the scale is better
    ],
)
def test_a_coupon_of_the_order_stands_in_the_place_of_the_scale(
    actor: Actor, customer: Customer, rule: str, percent: int, net: str
) -> None:
    seller = customer.seller
    customers.change_seller(actor, seller=seller, coupon_and_scale=rule)
    coupon = define_coupon(actor, seller=seller, key="C", percent=Decimal(percent), lines=["seat"])
    order(actor, Customer.objects.select_related("seller").get(), "open", articles={"seat": Decimal(10)}, coupon=coupon)
    billing.bill(actor, seller=seller, on=date(2026, 3, 1))
    assert Document.objects.get().net == int(net.replace(".", ""))


def test_a_coupon_given_later_leaves_the_scale(actor: Actor, customer: Customer) -> None:
    made = order(actor, customer, "open", articles={"seat": Decimal(10)})
    coupon = define_coupon(actor, seller=customer.seller, key="C", percent=Decimal(20), lines=["seat"])
    contracts.give_coupon(actor, contract=made, coupon=coupon)
    billing.bill(actor, seller=customer.seller, on=date(2026, 3, 1))
    assert Document.objects.get().net == 46_00
