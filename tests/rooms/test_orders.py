"""Orders from the order page: confirmed by mail, approved by staff, and billed at what was shown."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from taktura.billing import services as billing
from taktura.billing.services.orders import forget_orders, tax_status_of
from taktura.catalog import services as catalog
from taktura.catalog.coupons import define_coupon
from taktura.catalog.models import OfferNumber, Tariff
from taktura.contracts.models import Contract, Order
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.kit.mail.models import OutgoingMail

LINES: dict[str, Any] = {
    "base": {"title": "Base", "charge": "recurring", "price": "10"},
    "seat": {
        "title": "Seat", "charge": "recurring", "booking": "add_on", "price": "5",
        "discount_scale": [{"above": "1", "percent": "40"}],
    },
    "setup": {"charge": "once", "booking": "add_on", "price": "99", "bookable_by": "staff"},
}  # fmt: skip
PERSON: dict[str, Any] = {
    "name": "Anna Berg", "kind": "consumer", "street": "Weg 1", "postcode": "10115", "city": "Berlin", "country": "DE",
    "email": "anna@berg.example", "language": "de",
}  # fmt: skip


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    made = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]],
        order_page=True, order_approval=False, withdrawal="Sie können binnen 14 Tagen widerrufen.",
        terms_url="https://seller.example/terms",
    )  # fmt: skip
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=made, kind=kind, format=kind[0].upper() + "/{number}", next=1)
    catalog.define_tariff(actor, seller=made, key="open", title="Open", public=True, lines=LINES)
    catalog.define_tariff(actor, seller=made, key="closed", title="Closed", lines=LINES, offer_number="O-1")
    define_coupon(actor, seller=made, key="SPRING", percent="20", periods=2)
    return made


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(Refused) as found:
        yield
    assert found.value.code == code


def wish(tariff: str = "open", **more: Any) -> billing.Wish:
    return billing.Wish(tariff=Tariff.objects.select_related("seller").get(key=tariff), **PERSON | more)


def place(actor: Actor, wanted: billing.Wish, token: str = "t1") -> Order:
    seen = billing.mark_of(billing.shown_prices(billing.look_at(actor, wish=wanted)))
    return billing.place_order(
        actor, wish=wanted, token=token, asker="192.0.2.1", seen=seen, address="https://x.example/order/confirm/"
    )


def secret() -> str:
    mail = OutgoingMail.objects.filter(kind="order").order_by("id").last()
    assert mail is not None
    found = re.search(r"/order/confirm/([^/]+)/", mail.text)
    assert found is not None
    return found[1]


def test_the_first_bill_is_of_exactly_the_shown_amount(actor: Actor, seller: Seller) -> None:
    wanted = wish(articles={"seat": Decimal(3)}, code="SPRING")
    order = place(actor, wanted)
    # 10 less 20 % and 3 seats at their base price of 5 less 20 %, not at the price of the scale: 20.00, VAT 3.80
    assert [(row["net"], row["tax"], row["gross"]) for row in order.prices] == [(2000, 380, 2380), (2000, 380, 2380)]
    assert not Contract.objects.exists() and not Customer.objects.exists()
    made = billing.confirm_order(actor.at(actor.now + timedelta(hours=1)), secret=secret())
    assert made.state == "done" and made.contract is not None
    customer = made.contract.customer
    assert (customer.name, customer.kind, customer.language) == ("Anna Berg", "consumer", "de")
    assert customer.complete and customer.billing_information.email == "anna@berg.example"
    billing.bill(actor, seller=seller, on=made.contract.start)
    document = Document.objects.get()
    assert (document.net, document.gross) == (2000, 2380)
    assert document.issued_on.isoformat() == order.prices[0]["on"]
    later = actor.at(actor.now + timedelta(days=31))
    billing.bill(later, seller=seller, on=later.now.date())
    assert [d.gross for d in Document.objects.order_by("id")] == [2380, 2380]


def test_mails_say_what_was_ordered_in_the_language_of_who_ordered(actor: Actor, seller: Seller) -> None:
    place(actor, wish(articles={"seat": Decimal(3)}, code="SPRING"))
    billing.confirm_order(actor, secret=secret())
    first, last = OutgoingMail.objects.filter(kind="order").order_by("id")
    for mail in (first, last):
        assert mail.recipient == "anna@berg.example" and mail.language == "de"
        for text in ("3 × Seat", "SPRING", "23,80", "20,00", "binnen 14 Tagen", "https://seller.example/terms"):
            assert text in mail.text, text
    contract = Contract.objects.get()
    assert contract.key in last.subject and contract.key in last.text


def test_sent_twice_it_is_one_order_and_confirmed_twice_one_contract(actor: Actor, seller: Seller) -> None:
    first = place(actor, wish())
    assert place(actor, wish()).pk == first.pk
    assert OutgoingMail.objects.filter(kind="order").count() == 1
    link = secret()
    assert billing.confirm_order(actor, secret=link).contract == billing.confirm_order(actor, secret=link).contract
    assert Contract.objects.count() == 1


def test_a_link_is_good_for_two_days(actor: Actor, seller: Seller) -> None:
    place(actor, wish())
    link = secret()
    with refused("not_found"):
        billing.confirm_order(actor.at(actor.now + timedelta(hours=48)), secret=link)
    with refused("not_found"):
        billing.confirm_order(actor, secret="x" + link)
    assert Order.objects.get().state == "unconfirmed"
    place(actor.at(actor.now + timedelta(days=8)), wish(), "t2")
    billing.confirm_order(actor.at(actor.now + timedelta(days=8)), secret=secret())
    assert forget_orders(actor.now + timedelta(days=9)) == 0
    assert forget_orders(actor.now + timedelta(days=30)) == 1
    assert Order.objects.get().token == "t2"  # what was never confirmed is forgotten, and nothing else


def test_nothing_is_ordered_at_prices_that_were_not_shown(actor: Actor, seller: Seller) -> None:
    seen = billing.mark_of(billing.shown_prices(billing.look_at(actor, wish=wish())))
    with refused("conflict"):
        billing.place_order(
            actor,
            wish=wish(articles={"seat": Decimal(1)}),
            token="t",
            asker="",
            seen=seen,
            address="https://x.example/",
        )
    assert not Order.objects.exists()


def test_with_approval_staff_decide(actor: Actor, seller: Seller) -> None:
    Seller.objects.update(order_approval=True)
    for token in ("a", "b"):
        place(actor, wish(), token)
        billing.confirm_order(actor, secret=secret())
    first, second = billing.open_orders(seller)
    assert not Contract.objects.exists()
    approved = billing.approve_order(Actor("user:clerk", actor.now), order=first)
    assert approved.contract is not None and approved.decided_by == "user:clerk"
    with refused("conflict"):
        billing.approve_order(actor, order=first)
    with refused("invalid"):
        billing.refuse_order(actor, order=second, reason=" ")
    billing.refuse_order(actor, order=second, reason="Wir liefern dorthin nicht.")
    with refused("conflict"):
        billing.approve_order(actor, order=second)
    assert Contract.objects.count() == 1 and not billing.open_orders(seller)
    mail = OutgoingMail.objects.order_by("id").last()
    assert mail is not None and "Wir liefern dorthin nicht." in mail.text


@pytest.mark.parametrize(
    ("tariff", "company", "state"),
    [("company", True, "open"), ("company", False, "done"), ("always", False, "open"), ("never", True, "done")],
)
def test_a_tariff_says_whether_staff_approve_or_leaves_it_to_the_company(
    actor: Actor, seller: Seller, tariff: str, company: bool, state: str
) -> None:
    Seller.objects.update(order_approval=company)
    catalog.define_tariff(
        actor, seller=seller, key="own", title="Own", public=True, lines=LINES, order_approval=tariff
    )  # fmt: skip
    place(actor, wish("own"))
    assert billing.confirm_order(actor, secret=secret()).state == state


def test_an_approval_that_there_is_none_of_is_refused(actor: Actor, seller: Seller) -> None:
    with refused("invalid"):
        catalog.define_tariff(actor, seller=seller, key="own", title="Own", lines=LINES, order_approval="often")


def test_an_offer_number_pins_the_version_and_one_used_up_meanwhile_leaves_it_to_staff(
    actor: Actor, seller: Seller
) -> None:
    with refused("unknown_offer_number"):
        place(actor, wish("closed"))
    OfferNumber.objects.update(most_uses=1)
    links = []
    for token in ("a", "b"):
        place(actor, wish("closed", offer_number="o 1"), token)
        links.append(secret())
    assert billing.confirm_order(actor, secret=links[0]).state == "done"
    second = billing.confirm_order(actor, secret=links[1])
    assert (second.state, second.contract) == ("open", None)
    with refused("unknown_offer_number"):
        billing.approve_order(actor, order=second)
    assert Order.objects.get(pk=second.pk).state == "open"
    assert Customer.objects.count() == 1  # nothing is left of the attempt


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": "nobody"}, "invalid"),
        ({"name": " "}, "invalid"),
        ({"city": "A\nB"}, "invalid"),
        ({"vat_id": "DE123456789"}, "invalid"),
        ({"code": "NONE"}, "not_found"),
        ({"articles": {"setup": Decimal(1)}}, "invalid"),
    ],
)
def test_what_is_refused(actor: Actor, seller: Seller, changes: dict[str, Any], code: str) -> None:
    good = wish()
    seen = billing.mark_of(billing.shown_prices(billing.look_at(actor, wish=good)))
    with refused(code):
        billing.place_order(
            actor, wish=replace(good, **changes), token="t", asker="", seen=seen, address="https://x.example/"
        )
    assert not Order.objects.exists() and not OutgoingMail.objects.exists()


def test_a_page_that_is_switched_off_takes_no_order(actor: Actor, seller: Seller) -> None:
    Seller.objects.update(order_page=False)
    with refused("not_found"):
        place(actor, wish())


@pytest.mark.parametrize(
    ("kind", "country", "vat_id", "status"),
    [
        ("business", "DE", "DE136695976", "domestic"),
        ("business", "AT", "ATU13585627", "reverse_charge"),
        ("business", "AT", "", "domestic"),
        ("business", "AT", "DE136695976", "domestic"),
        ("business", "CH", "", "export"),
        ("consumer", "AT", "ATU13585627", "domestic"),
        ("consumer", "CH", "", "domestic"),
    ],
)
def test_tax_follows_who_orders(kind: str, country: str, vat_id: str, status: str) -> None:
    assert tax_status_of(Seller(country="DE"), kind, country, vat_id) == status


def test_a_company_elsewhere_in_the_union_is_shown_and_billed_without_vat(actor: Actor, seller: Seller) -> None:
    order = place(actor, wish(kind="business", country="AT", vat_id="ATU 1358 5627"))
    assert order.prices[0] | {"on": ""} == {"on": "", "net": 1000, "tax": 0, "gross": 1000}
    billing.confirm_order(actor, secret=secret())
    billing.bill(actor, seller=seller, on=Contract.objects.get().start)
    assert Document.objects.get().gross == 1000
