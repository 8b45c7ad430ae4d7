"""Offer numbers: what they open, how often, for how long; and that they pin a version."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from taktura.billing.services import publish_version
from taktura.catalog import offer_numbers as offers
from taktura.catalog import services as catalog
from taktura.catalog.models import OfferNumber, Tariff
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractPhase
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor

LINES: dict[str, Any] = {"base": {"title": "Base", "charge": "recurring", "price": "10"}}
MAY = datetime(2026, 5, 1, 8, tzinfo=UTC)


@pytest.fixture
def tariff(database: str, actor: Actor) -> Tariff:
    """A tariff that is not public, and a customer."""
    seller = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    customers.create_customer(actor, seller=seller, key="acme", name="Acme")
    catalog.define_tariff(actor, seller=seller, key="other", title="Other", lines=LINES, offer_number="OTHER")
    return catalog.define_tariff(actor, seller=seller, key="closed", title="Closed", lines=LINES)


def order(actor: Actor, tariff: Tariff, number: str, key: str = "C1") -> Contract:
    customer = Customer.objects.select_related("seller").get()
    return contracts.order(actor, key=key, customer=customer, tariff=tariff, offer_number=number)


def sign(actor: Actor, tariff: Tariff, number: str, key: str = "C1") -> Contract:
    customer = Customer.objects.select_related("seller").get()
    return contracts.sign(actor, key=key, customer=customer, tariff=tariff, start=date(2026, 5, 1), offer_number=number)


def test_a_number_cannot_be_guessed_and_can_be_read_aloud() -> None:
    numbers = {offers.drawn() for _ in range(500)}
    assert len(numbers) == 500
    assert len(offers.ALPHABET) ** (offers.GROUPS * offers.GROUP) > 2**80
    assert not set("0158BILOSUZ") & set(offers.ALPHABET)
    assert all(len(part) == 4 for number in numbers for part in number.split("-"))


@pytest.mark.parametrize("typed", ["{0}", " {0} ", "{1}", "{2}"])
def test_a_contract_comes_by_a_number_however_it_is_typed(tariff: Tariff, actor: Actor, typed: str) -> None:
    made = offers.create_offer_number(actor, tariff=tariff, memo="Acme")
    plain = made.number
    contract = order(actor, tariff, typed.format(plain, plain.lower(), plain.replace("-", " ")))
    assert contract.offer_number == made
    made.refresh_from_db()
    assert made.uses == 1 and list(made.contracts.all()) == [contract]


def test_a_number_pins_the_version_and_later_ones_for_all_still_come(tariff: Tariff, actor: Actor) -> None:
    made = offers.create_offer_number(actor, tariff=tariff)
    old = made.version
    dear = {"lines": {"base": {"price": "12"}}}
    publish_version(actor, tariff=tariff, valid_from=date(2026, 4, 1), applies_to="new", changes=dear)
    later = publish_version(actor, tariff=tariff, valid_from=date(2026, 8, 1), applies_to="all", changes=dear)
    contract = order(actor.at(MAY), tariff, made.number)
    versions = ContractPhase.objects.get(contract=contract).versions.order_by("effective_from")
    assert [v.version_id for v in versions] == [old.pk, later.pk]
    without = sign(actor.at(MAY), tariff, offers.create_offer_number(actor.at(MAY), tariff=tariff).number, "C2")
    first = ContractPhase.objects.get(contract=without).versions.earliest("effective_from").version
    assert first not in (old, later) and first.valid_from == date(2026, 4, 1)


def refused_by(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        act()
    assert refused.value.code == "unknown_offer_number"
    return refused.value.text, str(refused.value)


@pytest.mark.parametrize("state", ["revoked", "expired", "used_up", "another", "made_up"])
def test_staff_is_told_why_a_number_opens_nothing_and_strangers_are_not(
    tariff: Tariff, actor: Actor, state: str
) -> None:
    made = offers.create_offer_number(actor, tariff=tariff, last_day=date(2026, 4, 30), most_uses=1)
    number, now = made.number, actor
    if state == "revoked":
        offers.revoke_offer_number(actor, number=made)
    elif state == "expired":
        now = actor.at(MAY)
    elif state == "used_up":
        order(actor, tariff, number, "C0")
    else:
        number = "OTHER" if state == "another" else offers.drawn()
    before = Contract.objects.count()
    strangers, _ = refused_by(lambda: order(now, tariff, number))
    staff, said = refused_by(lambda: sign(now, tariff, number))
    assert strangers == "No tariff can be ordered by the offer number “%(number)s”."
    assert (staff == strangers) == (state == "made_up") and number in said
    assert Contract.objects.count() == before


def test_a_number_holds_on_its_last_day(tariff: Tariff, actor: Actor) -> None:
    made = offers.create_offer_number(actor, tariff=tariff, last_day=date(2026, 5, 1))
    assert order(actor.at(datetime(2026, 5, 1, 21, 59, tzinfo=UTC)), tariff, made.number)
    refused_by(lambda: order(actor.at(datetime(2026, 5, 1, 22, tzinfo=UTC)), tariff, made.number, "C2"))


def test_of_two_who_take_the_last_use_at_once_one_has_it(tariff: Tariff, actor: Actor) -> None:
    made = offers.create_offer_number(actor, tariff=tariff, most_uses=1)
    gate, got, lost = threading.Barrier(2), [], []

    def take(key: str) -> None:
        gate.wait(timeout=30)
        try:
            got.append(order(actor, tariff, made.number, key).key)
        except Refused as refused:
            lost.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(key,)) for key in ("C1", "C2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(got) == 1 and lost == ["unknown_offer_number"]
    made.refresh_from_db()
    assert made.uses == 1 and Contract.objects.count() == 1


def test_the_last_use_is_kept_by_the_row_too(tariff: Tariff, actor: Actor) -> None:
    """Without the order of acts: whoever counts a use locks the number."""
    made, today = offers.create_offer_number(actor, tariff=tariff, most_uses=1), date(2026, 3, 1)
    begun, results = threading.Event(), []

    def second() -> None:
        try:
            with transaction.atomic():
                begun.set()
                offers.use(made, tariff, today)
            results.append("used")
        except Refused as refused:
            results.append(refused.code)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        offers.use(made, tariff, today)
        thread.start()
        assert begun.wait(timeout=30)
        thread.join(timeout=0.3)
        assert thread.is_alive(), "the second waits"
    thread.join(timeout=60)
    assert results == ["unknown_offer_number"]


def test_a_refused_contract_uses_no_number(tariff: Tariff, actor: Actor) -> None:
    made = offers.create_offer_number(actor, tariff=tariff, most_uses=1)
    with pytest.raises(Refused):
        contracts.sign(
            actor, key="C1", customer=Customer.objects.select_related("seller").get(), tariff=tariff,
            start=date(2026, 5, 1), offer_number=made.number, conditions={"nothing": {"price": "1"}},
        )  # fmt: skip
    made.refresh_from_db()
    assert made.uses == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"last_day": date(2026, 2, 28)}, "invalid"),
        ({"most_uses": 0}, "invalid"),
        ({"number": "--"}, "invalid"),
        ({"number": "x" * 41}, "invalid"),
        ({"number": "oth er"}, "conflict"),
    ],
)
def test_what_is_no_offer_number_is_refused(tariff: Tariff, actor: Actor, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        offers.create_offer_number(actor, tariff=tariff, **fields)
    assert refused.value.code == code and not tariff.offer_numbers.exists()


def test_a_tariff_with_numbers_but_no_contract_can_be_deleted_and_is_not_edited_in_place(
    tariff: Tariff, actor: Actor
) -> None:
    offers.create_offer_number(actor, tariff=tariff)
    with pytest.raises(Refused) as refused:
        catalog.rewrite_tariff(actor, tariff=tariff, fields={"title": "New", "lines": LINES}, currency="EUR")
    assert refused.value.code == "tariff_in_use"
    catalog.delete_tariff(actor, tariff=tariff)
    assert not OfferNumber.objects.exclude(number="OTHER").exists()


def test_a_tariff_with_a_contract_by_a_number_stays(tariff: Tariff, actor: Actor) -> None:
    order(actor, tariff, offers.create_offer_number(actor, tariff=tariff).number)
    with pytest.raises(Refused) as refused:
        catalog.delete_tariff(actor, tariff=tariff)
    assert refused.value.code == "tariff_in_use"


def test_the_oldest_number_that_can_be_used_is_told_first(tariff: Tariff, actor: Actor) -> None:
    gone, first, _ = (offers.create_offer_number(actor, tariff=tariff) for _ in range(3))
    offers.revoke_offer_number(actor, number=gone)
    assert offers.first_usable([tariff.pk], date(2026, 3, 1)) == {tariff.pk: first.number}
    assert Seller.objects.get() == tariff.seller
