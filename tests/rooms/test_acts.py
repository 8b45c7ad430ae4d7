"""Acts write facts one after the other, and never while a batch of a run is under way."""

import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

import taktura.billing.services
import taktura.catalog.services
import taktura.contracts.services
import taktura.control.services
import taktura.customers.services
import taktura.desk.services
import taktura.invoices.services
import taktura.usage.services
from taktura.audit.acts import act, begin_act, keep_facts
from taktura.billing import services as billing
from taktura.billing.models import SalesItem
from taktura.billing.proof import verify
from taktura.billing.services import run as running
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document, DocumentLine
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import UsageRecord

ON = date(2026, 2, 1)
SOME_TIME = 0.7  # seconds
ROOMS = (
    taktura.billing.services, taktura.catalog.services, taktura.contracts.services, taktura.control.services,
    taktura.customers.services, taktura.desk.services, taktura.invoices.services, taktura.usage.services,
)  # fmt: skip
# Services that are no acts, and why.
NO_ACTS = {
    "bill": "keeps the facts of each batch",
    "bill_thresholds": "looks first; each bill is an act",
    "sell_by_night": "calls acts, one after the other",
    "receive_file": "reads its file first; the act begins in `take_in`",
    "read_file": "the same",
    "keep_file": "keeps a file, of which nothing is read yet",
    "note_refusal": "a file that is not loaded is no fact of billing",
    "settle_refusals": "the same",
    "import_rows": "the same",
    "watch": "keeps the facts of each batch",
    "keep_flat_prices": "the same",
    "_say": "a part of `ignore` and `reopen`",
    "apply_version": "a part of `publish_version`",
    "rematch": "a part of changes",
    "write_moved": "a part of `take_over`",
    "_set_retired": "a part of `retire_tariff` and `offer_tariff_again`",
    "issue": "a part of whatever makes documents",
    "take_numbers": "the same",
    "mail_document": "a mail is no fact of billing",
    "close_notice": "what staff have dealt with is none either",
    "set_mail_server": "settings of mail are none either",
    "remove_mail_server": "the same",
    "open_ticket": "tickets are no facts of billing",
    "answer_ticket": "the same",
    "change_ticket": "the same",
    "open_ticket_in_portal": "the same",
    "answer_ticket_in_portal": "the same",
    "solve_ticket": "the same",
    "told": "reads",
    "clock_of": "reads",
    "keep_clocks": "a part of changes of tickets",
    "set_service_levels": "what is promised bills nothing",
    "add_queue": "the same",
    "change_queue": "the same",
    "move_tickets": "the same",
    "queue_of": "reads",
    "log_time": "time is none before it is approved",
    "correct_time": "the same",
    "remove_time": "the same",
    "own_of": "reads",
    "start_timer": "a timer is none either",
    "pause_timer": "the same",
    "go_on_with_timer": "the same",
    "stop_timer": "logs time",
    "drop_timer": "the same as `start_timer`",
    "seconds_of": "reads",
    "ran_overnight": "reads",
    "add_activity": "what is done in time bills nothing",
    "change_activity": "the same",
    "mask_numbers": "nothing is billed otherwise by it; each part is a transaction",
    "add_answer_template": "templates of answers are none either",
    "change_answer_template": "the same",
    "remove_answer_template": "the same",
    "merge_tickets": "approved time stays where it is",
    "give_mail": "tickets are no facts of billing",
    "throw_mail_away": "the same",
    "set_desk_mail": "the same",
    "set_own_approval": "who may approve is no fact of billing",
}
READS = (
    "check_", "preview_", "plan_", "forecast", "expected", "standing", "moved_prices", "described", "read_again",
    "look_at",
)  # fmt: skip
BILLING = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}


def services() -> Iterator[Callable[..., Any]]:
    """The services that rooms offer: functions whose first argument is the actor."""
    for room in ROOMS:
        for name in getattr(room, "__all__", None) or dir(room):
            service = getattr(room, name)
            own = getattr(service, "__module__", "").startswith(room.__name__)
            if own and inspect.isfunction(service) and next(iter(inspect.signature(service).parameters), "") == "actor":
                yield service


def test_every_service_that_writes_is_an_act() -> None:
    found = {s.__name__: s for s in services()}
    assert {"sign", "credit", "sell", "link", "record_usage", "set_billing_information", "pay"} <= found.keys()
    others = {n for n, s in found.items() if not hasattr(s, "is_act") and not n.startswith(READS)}
    assert others <= NO_ACTS.keys(), "decorate them with `act`, or say here why not"


@contextmanager
def elsewhere(begin: Callable[[], None]) -> Iterator[None]:
    """Somebody else is in a transaction that has begun so."""
    ready, done = threading.Event(), threading.Event()

    def stay() -> None:
        with transaction.atomic():
            begin()
            ready.set()
            done.wait()
        connections.close_all()

    thread = threading.Thread(target=stay)
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()


def waits(begin: Callable[[], None]) -> bool:
    """Whether a transaction that begins so has to wait."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
            begin()
    except OperationalError:
        return True
    return False


@pytest.mark.usefixtures("database")
def test_acts_wait_for_acts_and_batches_and_batches_for_acts() -> None:
    with elsewhere(begin_act):
        assert waits(begin_act) and waits(keep_facts)
    with elsewhere(keep_facts):
        assert waits(begin_act) and not waits(keep_facts)
    assert not waits(begin_act)


@pytest.mark.usefixtures("database")
def test_an_act_is_one_transaction_and_may_hold_others() -> None:
    @act
    def inner() -> bool:
        return connection.in_atomic_block

    @act
    def outer() -> bool:
        return inner() and connection.in_atomic_block

    assert outer()
    assert not connection.in_atomic_block


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller with two customers; the first has two contracts, one of which is due a year later."""
    made = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=made, kind=kind, format=kind[0].upper() + "-{number}", next=1)
    lines = {
        "base": {"title": "Base", "charge": "recurring", "price": "10"},
        "traffic": {"title": "Traffic", "charge": "usage", "price": "0.01"},
    }
    monthly = catalog.define_tariff(actor, seller=made, key="monthly", title="Monthly", lines=lines)
    yearly = {"title": "Domain", "charge": "recurring", "price": "12", "interval": "1 year", "when": "arrears"}
    domain = catalog.define_tariff(
        actor, seller=made, key="domain", title="Domain", interval="1 year", lines={"domain": yearly}
    )
    for key in ("c1", "c2"):
        customer = customers.create_customer(actor, seller=made, key=key, name=f"Customer {key}")
        customers.set_billing_information(actor, customer=customer, name=customer.name, **BILLING)
        contracts.sign(actor, key=f"V-{key}", customer=customer, tariff=monthly, start=date(2026, 1, 1))
        if key == "c1":
            contracts.sign(actor, key="D-c1", customer=customer, tariff=domain, start=date(2026, 1, 1))
    return made


@contextmanager
def others_act(monkeypatch: pytest.MonkeyPatch, act_of_theirs: Callable[[], object]) -> Iterator[list[object]]:
    """When a run in the block has read its facts and not issued its documents yet, somebody else acts; gives what
    became of it."""
    results: list[object] = []

    def others() -> None:
        try:
            results.append(act_of_theirs())
        except Exception as error:  # noqa: BLE001 - looked at by the test
            results.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=others)
    right = running.ready_documents

    def ready_documents(*args: Any, **options: Any) -> Any:
        ready = right(*args, **options)
        if thread.ident is None:
            thread.start()
            thread.join(SOME_TIME)  # by then it waits for the run, or is through
        return ready

    monkeypatch.setattr(running, "ready_documents", ready_documents)
    yield results
    thread.join()


def contract(key: str) -> Contract:
    return Contract.objects.get(key=key)


def test_usage_that_comes_during_a_run_is_billed_by_the_next(
    seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"contract": "V-c1", "article": "traffic", "quantity": 10_000, "at": datetime(2026, 1, 25, tzinfo=UTC)}
    with others_act(monkeypatch, lambda: billing.record_usage(actor, seller=seller, entries=[entry])) as results:
        assert len(billing.bill(actor, seller=seller, on=ON).issued) == 2
    assert [type(r) for r in results] == [tuple]
    assert UsageRecord.objects.get().line_id is not None
    assert verify() == []
    (issued,) = billing.bill(actor, seller=seller, on=ON).issued
    assert Document.objects.get(pk=issued).net == 100_00
    assert verify() == []


def test_usage_withdrawn_during_a_run_is_credited(
    seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 1, 25, tzinfo=UTC)
    entry = {"contract": "V-c1", "article": "traffic", "quantity": 10_000, "at": at, "id": "u"}
    billing.record_usage(actor, seller=seller, entries=[entry])
    with others_act(monkeypatch, lambda: usage.withdraw_usage(actor, seller=seller, external_id="u")):
        billing.bill(actor, seller=seller, on=ON)
    outcome = billing.bill(actor, seller=seller, on=ON)
    assert [d.net for d in Document.objects.filter(pk__in=outcome.credit_notes)] == [100_00]
    assert verify() == []


def test_an_end_that_comes_during_a_run_is_credited_at_once(
    seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = contract("V-c1").lines.get(article__key="base")
    with others_act(monkeypatch, lambda: billing.end_line(actor, line=line, until=date(2026, 2, 10))) as results:
        billing.bill(actor, seller=seller, on=ON)
    ((credit,),) = results  # type: ignore[misc]
    assert credit.ready.draft.kind == "credit_note"
    assert billing.bill(actor, seller=seller, on=ON).issued == []
    assert verify() == []


def test_a_sale_made_or_billed_during_a_run_is_billed_once(
    seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = contract("V-c1").customer
    billing.sell(actor.at(datetime(2026, 1, 15, tzinfo=UTC)), customer=customer, lines=[{"title": "A", "price": "1"}])

    def sell_and_bill() -> object:
        early = actor.at(datetime(2026, 1, 15, tzinfo=UTC))
        billing.sell(early, customer=customer, lines=[{"title": "B", "price": "2"}])
        return billing.interim_bill(actor, contract=contract("D-c1"))

    with others_act(monkeypatch, sell_and_bill) as results:
        billing.bill(actor, seller=seller, on=ON)
    assert [type(r) for r in results] == [list]
    billing.bill(actor, seller=seller, on=ON)
    assert sorted(DocumentLine.objects.filter(kind="sales_item").values_list("title", flat=True)) == ["A", "B"]
    assert not SalesItem.objects.filter(document__isnull=True).exists()


def test_an_object_read_before_the_act_is_read_again(seller: Seller, actor: Actor) -> None:
    old = contract("V-c1").lines.get(article__key="base")
    billing.end_line(actor, line=contract("V-c1").lines.get(article__key="base"), until=date(2026, 2, 10))
    with pytest.raises(Refused):
        billing.end_line(actor, line=old, until=date(2026, 2, 20))


def test_the_same_correction_twice_at_once_counts_once(seller: Seller, actor: Actor) -> None:
    at = datetime(2026, 1, 25, tzinfo=UTC)
    start = threading.Barrier(6)
    failed: list[BaseException] = []

    def send(revision: int) -> None:
        entry = {
            "contract": "V-c1", "article": "traffic", "quantity": revision, "at": at, "id": "u", "revision": revision,
        }  # fmt: skip
        try:
            start.wait()
            billing.record_usage(actor, seller=seller, entries=[entry])
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert [(r.revision, r.quantity) for r in UsageRecord.objects.all()] == [(6, 6)]


def test_two_transfers_at_once_draw_a_number_each(seller: Seller, actor: Actor) -> None:
    start = threading.Barrier(2)
    failed: list[BaseException] = []

    def move(key: str, to: str) -> None:
        try:
            moved, customer = contract(key), Customer.objects.get(key=to)
            start.wait()
            billing.transfer(actor, contract=moved, customer=customer, start=date(2026, 3, 1), key="")
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=move, args=pair) for pair in (("V-c1", "c2"), ("V-c2", "c1"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert sorted(Contract.objects.exclude(transferred_from=None).values_list("key", flat=True)) == ["V-c3", "V-c4"]
