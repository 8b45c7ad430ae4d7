"""Worked time on its way to documents: several at once, credited, in two currencies, interim, and damaged by hand."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections, transaction

from taktura.billing.models import BilledTime, TimeCharge
from taktura.billing.proof import verify
from taktura.billing.services import bill, credit, interim_bill
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.desk import services as desk
from taktura.desk.models import TimeEntry
from taktura.invoices.models import Document, DocumentLine
from taktura.kit.actor import Actor
from tests.rooms.test_time import ACTOR, customer, log, refused, shop, ticket

MARCH = date(2026, 3, 10)


def approved(of: Any, minutes: int, **more: Any) -> int:
    """The id of time that is approved."""
    pk = log(of, minutes, **more)
    desk.approve_time(ACTOR, entries=[pk])
    return pk


def run(seller: Seller, on: date = MARCH) -> list[Document]:
    """A run; the documents that it issued."""
    before = set(Document.objects.values_list("pk", flat=True))
    bill(Actor("test", datetime(on.year, on.month, on.day, 11, tzinfo=UTC)), seller=seller, on=on, processes=1)
    return list(Document.objects.exclude(pk__in=before).order_by("id"))


def at_once(*deeds: Callable[[], object]) -> list[object]:
    """Do things in the same moment, each with a connection of its own; gives what became of each."""
    start, results = threading.Barrier(len(deeds)), dict[int, object]()

    def do(place: int, deed: Callable[[], object]) -> None:
        try:
            start.wait(10)
            results[place] = deed()
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


def sign(of: Customer, key: str = "V-1", currency: str = "EUR", **more: Any) -> Contract:
    """A contract of a base fee of ten."""
    tariff = catalog.define_tariff(
        ACTOR, seller=of.seller, key=f"t-{key}", title="T", currency=currency,
        lines={"base": {"title": "Base", "charge": "recurring", "price": "10"}},
    )  # fmt: skip
    made = contracts.sign(ACTOR, key=key, customer=of, tariff=tariff, start=date(2026, 3, 1), **more)
    return Contract.objects.select_related("customer__seller", "customer__billing_information").get(pk=made.pk)


@pytest.mark.usefixtures("database")
def test_two_runs_at_once_bill_time_once() -> None:
    seller = shop()
    for n in range(6):
        approved(customer(seller, f"c{n}"), 20)
    results = at_once(*[lambda: bill(ACTOR, seller=seller, on=MARCH, processes=1)] * 2)
    assert not [r for r in results if isinstance(r, Exception)]
    assert sorted(Document.objects.values_list("net", flat=True)) == [3000] * 6
    assert BilledTime.objects.count() == 6 and not TimeEntry.objects.exclude(status="billed").exists()
    assert run(seller) == [] and verify() == []


@pytest.mark.usefixtures("database")
def test_a_run_while_somebody_approves_and_opens_takes_time_whole_or_not_at_all() -> None:
    """Whatever comes first: what is billed is approved, and what was opened again is on no document."""
    seller = shop()
    people = [customer(seller, f"c{n}") for n in range(5)]
    before = [approved(one, 20) for one in people]
    late = [log(one, 40) for one in people]

    def unapprove() -> object:
        try:
            return desk.unapprove_time(ACTOR, entries=before)
        except Refused as refusal:  # the run came first
            return refusal.code

    results = at_once(
        lambda: bill(ACTOR, seller=seller, on=MARCH, processes=1),
        lambda: desk.approve_time(ACTOR, entries=late),
        unapprove,
    )
    assert not [r for r in results if isinstance(r, Exception)]
    assert set(TimeEntry.objects.filter(pk__in=late).values_list("status", flat=True)) <= {"approved", "billed"}
    opened = set(TimeEntry.objects.filter(status="submitted").values_list("pk", flat=True))
    assert opened in (set(), set(before)), "all that was chosen, or none"
    run(seller)
    assert TimeEntry.objects.filter(pk__in=late, status="billed").count() == 5
    assert not BilledTime.objects.filter(entry__in=opened).exists()
    assert sum(Document.objects.values_list("net", flat=True)) == 5 * (6000 if opened else 9000)
    assert verify() == []


@pytest.mark.usefixtures("database")
def test_what_is_approved_within_a_transaction_is_waited_for() -> None:
    """The run begins while somebody's approval is under way: it waits, and takes the time along."""
    seller = shop()
    worked = log(customer(seller), 20)
    approving, go_on = threading.Event(), threading.Event()

    def approve() -> None:
        with transaction.atomic():
            desk.approve_time(ACTOR, entries=[worked])
            approving.set()
            go_on.wait(30)
        connections.close_all()

    thread = threading.Thread(target=approve)
    thread.start()
    assert approving.wait(30)
    running = threading.Thread(target=lambda: (run(seller), connections.close_all()))
    running.start()
    running.join(0.3)
    assert not Document.objects.exists(), "nothing is billed of what is not approved yet"
    go_on.set()
    thread.join(30)
    running.join(60)
    run(seller)
    assert Document.objects.get().net == 3000 and verify() == []


@pytest.mark.usefixtures("database")
def test_credited_time_stays_billed_and_its_ticket_goes_on_from_there() -> None:
    """A credit by hand is for good, of a part too: the entries stay billed, what was drawn stays drawn, and the
    ticket's sum grows from what was billed. Who wants it billed anew logs it again."""
    seller = shop()
    acme = customer(seller)
    printer = ticket(acme)
    hours = desk.include_hours(ACTOR, customer=acme, title="Block", kind="block", minutes=10, start=date(2026, 1, 1))
    worked = approved(printer, 27)  # 30: 10 in the block, 20 are paid
    (invoice,) = run(seller)
    assert invoice.net == 3000
    part = credit(ACTOR, document=invoice, lines=[{"line": 1, "net": "10.00"}], reason="Goodwill")
    assert len(part) == 1
    with pytest.raises(Refused, match="cannot be billed again"):
        credit(ACTOR, document=invoice, rebill=True)
    credit(ACTOR, document=invoice)
    notes = list(Document.objects.filter(kind="credit_note").order_by("id").values_list("net", flat=True))
    assert notes == [1000, 2000]
    assert refused("already_credited", lambda actor: credit(actor, document=invoice))
    entry = TimeEntry.objects.get(pk=worked)
    assert entry.status == "billed"
    found = refused("invalid", desk.unapprove_time, entries=[worked])
    assert "log it again" in found.text
    assert run(seller) == [] and verify() == []
    approved(printer, 2)  # 29 are 30 still: nothing
    assert run(seller) == []
    approved(printer, 20)  # 49 are 50: 20 more; the block is used up
    (again,) = run(seller)
    assert again.net == 3000 and hours.draws.count() == 1
    approved(acme, 30, note="Logged again")
    (anew,) = run(seller)
    assert anew.net == 4500 and verify() == []


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("per", ["customer", "contract"])
def test_time_goes_with_the_documents_of_its_own_currency(per: str) -> None:
    """Contracts in euros and kronor, time in the seller's euros: never on a document in kronor."""
    seller = shop()
    acme = customer(seller, documents_per=per)
    sign(acme, "V-eur")
    sign(acme, "V-sek", currency="SEK")
    approved(ticket(acme), 20)
    made = run(seller)
    by_currency: dict[str, list[int]] = {}
    for document in made:
        by_currency.setdefault(document.currency, []).append(document.net)
    assert by_currency == {"EUR": [4000], "SEK": [1000]}
    kinds = DocumentLine.objects.filter(document__currency="EUR").order_by("position").values_list("kind", flat=True)
    assert list(kinds) == ["recurring", "time"]
    assert run(seller) == [] and verify() == []


@pytest.mark.usefixtures("database")
def test_time_alone_makes_an_invoice_beside_contracts_of_another_currency() -> None:
    seller = shop()
    acme = customer(seller, documents_per="customer")
    sign(acme, "V-sek", currency="SEK")
    approved(ticket(acme), 20)
    assert sorted((d.currency, d.net) for d in run(seller)) == [("EUR", 3000), ("SEK", 1000)]
    assert verify() == []


@pytest.mark.usefixtures("database")
def test_an_interim_bill_takes_approved_time_or_leaves_it_for_the_next() -> None:
    seller = shop()
    acme, other = customer(seller), customer(seller, "other")
    contract, sek = sign(acme), sign(acme, "V-sek", currency="SEK")
    approved(ticket(acme), 20)
    log(acme, 60)  # nobody has approved it
    theirs = approved(other, 20)
    interim_bill(ACTOR, contract=sek)
    assert not TimeCharge.objects.exists(), "time is in euros"
    interim_bill(ACTOR, contract=contract, leave_out=["time"])
    assert not TimeCharge.objects.exists()
    interim_bill(ACTOR, contract=contract)
    (charge,) = TimeCharge.objects.all()
    assert charge.amount == 3000
    interim_bill(ACTOR, contract=contract)  # it is billed once
    assert [d.net for d in run(seller)] == [3000]
    assert TimeEntry.objects.get(pk=theirs).status == "billed"
    assert verify() == []


def damage_by_hand(statement: str) -> int:
    """Run a statement as the owner of the tables, who has taken the triggers away; gives the number of rows."""
    table = statement.replace("DELETE FROM", "UPDATE").split()[1]
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        count: int = cursor.rowcount
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    connections["owner"].close()
    return count


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE desk_timeentry SET status = 'approved' WHERE status = 'billed'", "not what its documents say"),
        ("UPDATE desk_timeentry SET status = 'billed' WHERE status = 'approved'", "not what its documents say"),
        ("DELETE FROM billing_billedtime", "not what its documents say"),
        ("UPDATE desk_timeentry SET minutes = minutes + 10 WHERE status = 'billed'", "minutes are billed as"),
        ("UPDATE billing_billedtime SET minutes = minutes + 10", "does not follow from its minutes"),
        ("UPDATE billing_timedraw SET minutes = minutes - 1", "does not follow from its minutes"),
        ("UPDATE billing_timecharge SET amount = amount + 1", "does not follow from its minutes"),
        ("UPDATE billing_timecharge SET price = '91'", "does not follow from its minutes"),
        ("UPDATE desk_allowance SET minutes = 4", "more was drawn than they hold"),
        ("UPDATE invoices_documentline SET amount = amount - 1 WHERE kind = 'time'", "does not follow"),
    ],
)  # fmt: skip
def test_what_was_damaged_by_hand_is_found(damage: str, said: str) -> None:
    seller = shop()
    acme = customer(seller, hourly_rate=Decimal(90))
    desk.include_hours(ACTOR, customer=acme, title="Block", kind="block", minutes=5, start=date(2026, 1, 1))
    approved(ticket(acme), 21)
    run(seller)
    approved(acme, 10)  # waits for the next bill
    assert verify() == []
    assert damage_by_hand(damage) == 1
    assert any(said in sentence for sentence in verify()), verify()


@pytest.mark.usefixtures("database")
def test_many_are_opened_at_once_or_none() -> None:
    seller = shop()
    acme = customer(seller)
    billed = approved(acme, 10)
    run(seller)
    some = [approved(acme, 10) for _ in range(3)]
    waits = log(acme, 10)
    for wrong in (billed, waits):
        refused("invalid", desk.unapprove_time, entries=[*some, wrong])
        assert TimeEntry.objects.filter(pk__in=some, status="approved").count() == 3
    assert len(desk.unapprove_time(ACTOR, entries=[*some, some[0]])) == 3
    customers.change_customer(ACTOR, customer=acme, hourly_rate=Decimal(60))
    desk.correct_time(ACTOR, entry=TimeEntry.objects.get(pk=some[0]), minutes=60)
    desk.approve_time(ACTOR, entries=some)
    assert [d.net for d in run(seller)] == [8000]
