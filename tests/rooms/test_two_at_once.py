"""Two people change one contract in the same moment, each with a connection of their own to the real database: both
facts are kept, nothing is billed twice, and what was issued follows from the facts."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connections

from taktura.billing import services as billing
from taktura.billing.models import Charge
from taktura.billing.proof import verify
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine, LineQuantity
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor

ROUNDS = 4
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
LINES = {
    "base": {"title": "Base", "price": "30"},
    "desk": {"title": "Desk", "booking": "add_on", "price": "10"},
    "call": {"title": "Calls", "charge": "usage", "price": "0.10"},
}
JUNE = datetime(2026, 6, 10, 9, tzinfo=UTC)

Deed = Callable[[Actor, str], object]


@pytest.fixture
def seller(database: str) -> Seller:
    """A company with some contracts of five desks, all billed for June."""
    first = Actor("test", datetime(2026, 6, 1, 9, tzinfo=UTC))
    made = customers.create_seller(
        first, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(first, seller=made, kind=kind, format=kind[0].upper() + "-{number}", next=1)
    tariff = catalog.define_tariff(first, seller=made, key="office", title="Office", notice="monthly", lines=LINES)
    customer = customers.create_customer(first, seller=made, key="c", name="Customer")
    customers.set_billing_information(first, customer=customer, name="Customer", **ADDRESS)
    for n in range(ROUNDS):
        contracts.sign(
            first, key=f"V-{n}", customer=customer, tariff=tariff, start=date(2026, 6, 1),
            quantities={"desk": Decimal(5)},
        )  # fmt: skip
    billing.bill(first, seller=made, on=date(2026, 6, 1))
    return made


def desk(key: str) -> ContractLine:
    """The desks of a contract, as somebody reads them who opens a form."""
    rows = ContractLine.objects.select_related("article", "contract__customer__seller")
    return rows.get(contract__key=key, article__key="desk")


def contract(key: str) -> Contract:
    """A contract, read alike."""
    return Contract.objects.select_related("customer__seller", "customer__billing_information").get(key=key)


def at_once(key: str, *deeds: Deed) -> list[object]:
    """Do things to one contract at once; gives what became of each."""
    start, results = threading.Barrier(len(deeds)), dict[int, object]()

    def do(place: int, deed: Deed) -> None:
        try:
            start.wait(10)
            results[place] = deed(Actor(f"person {place}", JUNE), key)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=do, args=(i, deed)) for i, deed in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [results[i] for i in range(len(deeds))]


def change(quantity: int, day: int) -> Deed:
    """A change of quantity from a day in June on."""
    start = date(2026, 6, day)
    return lambda actor, key: billing.change_quantity(actor, line=desk(key), quantity=Decimal(quantity), start=start)


def agree(price: int, day: int) -> Deed:
    """An own price from a day in June on."""
    start = date(2026, 6, day)
    return lambda actor, key: billing.change_conditions(actor, line=desk(key), start=start, price=Decimal(price))


def notice(actor: Actor, key: str) -> object:
    """Notice of the contract; it ends with July."""
    return billing.give_notice(actor, contract=contract(key), received=date(2026, 6, 10))


def run(actor: Actor, key: str) -> object:
    """A run of that day."""
    return billing.bill(actor, seller=contract(key).customer.seller, on=date(2026, 6, 10))


def use(actor: Actor, key: str) -> object:
    """Usage of that day."""
    entry = {"contract": key, "article": "call", "quantity": 100, "at": JUNE}
    return billing.record_usage(actor, seller=contract(key).customer.seller, entries=[entry])


def interim(actor: Actor, key: str) -> object:
    """An interim bill."""
    return billing.interim_bill(actor, contract=contract(key))


def net(key: str) -> int:
    """All that was billed of a contract, less what was credited."""
    return sum(Charge.objects.filter(contract__key=key).values_list("amount", flat=True))


def settles(seller: Seller) -> None:
    """A run finds nothing that day, and all that was issued can be worked out again."""
    assert billing.bill(Actor("test", JUNE), seller=seller, on=date(2026, 6, 10)).issued == []
    assert verify() == []
    assert not Document.objects.filter(gross__lt=0).exists()


@pytest.mark.parametrize(
    ("one", "other", "quantities", "ends", "billed"),
    [
        # 30.00 for the base, five desks for ten days 16.67, eight for ten 26.66, two for ten 6.67 (R4.2)
        (change(8, 11), change(2, 21), {5, 8, 2}, None, 80_00),
        # five desks for ten days 16.67, eight for twenty 53.33
        (change(8, 11), notice, {5, 8}, date(2026, 8, 1), 100_00),
        (change(8, 11), run, {5, 8}, None, 100_00),
        (change(8, 11), interim, {5, 8}, None, 100_00),
        (notice, interim, {5}, date(2026, 8, 1), 80_00),
        (use, interim, {5}, None, 90_00),
        # 30.00; five desks at 10.00 for ten days 16.67, at 4.00 for ten 6.66, at 7.00 for ten 11.67
        (agree(4, 11), agree(7, 21), {5}, None, 65_00),
        # five at 10.00 for ten days 16.67, at 4.00 for ten 6.66, eight at 4.00 for ten 10.67
        (agree(4, 11), change(8, 21), {5, 8}, None, 64_00),
        (agree(4, 11), notice, {5}, date(2026, 8, 1), 60_00),
        (agree(4, 11), run, {5}, None, 60_00),
        (agree(4, 11), interim, {5}, None, 60_00),
    ],
    ids=["two changes", "change and notice", "change and run", "change and interim bill", "notice and interim bill",
         "usage and interim bill", "two prices", "price and quantity", "price and notice", "price and run",
         "price and interim bill"],
)  # fmt: skip
def test_two_at_once_lose_nothing(
    seller: Seller, one: Deed, other: Deed, quantities: set[int], ends: date | None, billed: int
) -> None:
    for n in range(ROUNDS):
        key = f"V-{n}"
        results = at_once(key, *((one, other) if n % 2 else (other, one)))
        assert [r for r in results if isinstance(r, Exception)] == []
        found = LineQuantity.objects.filter(line__contract__key=key, line__article__key="desk")
        assert {int(q) for q in found.values_list("quantity", flat=True)} == quantities
        assert contract(key).end == ends
        if one is use:
            interim(Actor("test", JUNE), key)  # where the interim bill came first
        assert net(key) == billed
    settles(seller)


def test_many_changes_at_once_are_all_kept(seller: Seller) -> None:
    results = at_once("V-0", *(change(n, 11) for n in range(1, 9)), notice)
    assert [r for r in results if isinstance(r, Exception)] == []
    rows = LineQuantity.objects.filter(line__contract__key="V-0", start=date(2026, 6, 11)).order_by("id")
    kept = [int(q) for q in rows.values_list("quantity", flat=True)]
    assert sorted(kept) == list(range(1, 9))
    rest = kept[-1] * 10_00 - round(kept[-1] * 10_00 / 3)  # the last written holds, for twenty days of thirty
    assert net("V-0") == 30_00 + 16_67 + rest
    settles(seller)


def test_a_change_taken_back_twice_at_once_is_taken_back_once(seller: Seller) -> None:
    change(8, 11)(Actor("test", JUNE), "V-0")
    row = LineQuantity.objects.get(line__contract__key="V-0", quantity=8)

    def back(actor: Actor, key: str) -> object:
        rows = LineQuantity.objects.select_related("line__article", "line__contract__customer__seller")
        return billing.take_back_quantity(actor, change=rows.get(pk=row.pk))

    results = at_once("V-0", back, back)
    assert sorted(getattr(r, "code", "done") for r in results) == ["conflict", "done"]
    assert net("V-0") == 80_00
    settles(seller)
