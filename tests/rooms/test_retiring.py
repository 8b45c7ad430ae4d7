"""A retired tariff: nobody can order it any more, whoever has it goes on."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.billing.proof import verify
from taktura.catalog import services as catalog
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
    "desk": {"title": "Desk", "charge": "recurring", "booking": "add_on", "price": "5"},
}


@pytest.fixture
def tariff(database: str, actor: Actor) -> Tariff:
    """A tariff that V-1 has, and is retired after its first bill; V-2 has another one."""
    seller = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=seller, kind=kind, format=kind[0].upper() + "/{number}", next=1)
    made = catalog.define_tariff(actor, seller=seller, key="old", title="Old", lines=LINES, offer_number="O-1")
    other = catalog.define_tariff(actor, seller=seller, key="new", title="New", lines=LINES)
    customer = customers.create_customer(actor, seller=seller, key="acme", name="Acme")
    address = {"street": "Weg 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
    customers.set_billing_information(actor, customer=customer, name="Acme", **address)
    for key, having in (("V-1", made), ("V-2", other)):
        contracts.sign(actor, key=key, customer=customer, tariff=having, start=date(2026, 1, 1))
    billing.bill(actor, seller=seller, on=date(2026, 1, 1))
    catalog.retire_tariff(actor, tariff=made)
    return made


def order(actor: Actor, tariff: Tariff, **more: Any) -> dict[str, Any]:
    customer = Customer.objects.select_related("seller").get()
    return {"key": "V-3", "customer": customer, "tariff": tariff, "start": date(2026, 5, 1), **more}


@pytest.mark.parametrize(
    "orders",
    [
        lambda actor, tariff: contracts.sign(actor, **order(actor, tariff)),
        lambda actor, tariff: contracts.sign(actor, **order(actor, tariff, offer_number="O-1")),
        lambda actor, tariff: contracts.sign(actor, **order(actor, tariff, start=date(2025, 1, 1))),
        lambda actor, tariff: billing.preview_signing(actor, **order(actor, tariff)),
        lambda actor, tariff: billing.change_tariff(
            actor, contract=Contract.objects.get(key="V-2"), tariff=tariff, start=date(2026, 5, 1)
        ),
        lambda actor, tariff: billing.preview_tariff(
            actor, contract=Contract.objects.get(key="V-2"), tariff=tariff, start=date(2026, 5, 1)
        ),
    ],
    ids=["signed", "by its offer number", "in the past", "looked at", "changed to", "change looked at"],
)
def test_a_retired_tariff_cannot_be_ordered(tariff: Tariff, actor: Actor, orders: Callable[..., Any]) -> None:
    with pytest.raises(Refused) as refused:
        orders(actor, tariff)
    assert refused.value.code == "tariff_retired" and "old" in str(refused.value)
    assert Contract.objects.count() == 2 and Contract.objects.get(key="V-2").tariff.key == "new"


def test_whoever_has_it_goes_on(tariff: Tariff, actor: Actor) -> None:
    mine, seller = Contract.objects.get(key="V-1"), Seller.objects.get()
    billing.book(actor, contract=mine, article="desk", quantity=Decimal(2), start=date(2026, 4, 1))
    billing.publish_version(
        actor, tariff=tariff, valid_from=date(2026, 4, 1), applies_to="all",
        changes={"lines": {"base": {"price": "12"}}},
    )  # fmt: skip
    billing.bill(actor, seller=seller, on=date(2026, 4, 1))
    lines = Document.objects.filter(contract=mine).latest("id").lines.order_by("id")
    assert [(x.title, x.net) for x in lines if x.first == date(2026, 4, 1)] == [("Base", 1200), ("Desk", 1000)]
    assert verify() == []
    with pytest.raises(Refused) as refused:
        catalog.delete_tariff(actor, tariff=tariff)
    assert refused.value.code == "tariff_in_use"


def test_it_can_be_offered_again(tariff: Tariff, actor: Actor) -> None:
    catalog.offer_tariff_again(actor, tariff=tariff)
    contracts.sign(actor, **order(actor, tariff, offer_number="O-1"))
    told = LogEntry.objects.filter(subject=f"tariff:{tariff.pk}").order_by("id").values_list("action", flat=True)
    assert list(told) == ["define_tariff", "retire_tariff", "offer_tariff_again"]


def test_what_is_so_already_is_not_told_again(tariff: Tariff, actor: Actor) -> None:
    catalog.retire_tariff(actor, tariff=tariff)
    assert LogEntry.objects.filter(action="retire_tariff").count() == 1
