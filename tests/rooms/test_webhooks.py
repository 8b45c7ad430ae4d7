"""Webhooks: from what happens to what arrives, checked from the other side by the official library."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from taktura.audit.models import LogEntry
from taktura.audit.services import record
from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering, pay
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.jobs.worker import run_worker
from taktura.webhooks import delivering, queries, services
from taktura.webhooks.events import KINDS, TYPES, events_of
from taktura.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.api.helpers import SELLER
from tests.api.receiver import Receiver, receiving

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}


@pytest.fixture(autouse=True)
def own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The receivers of these tests are on this machine."""
    monkeypatch.setattr(settings, "WEBHOOKS_TO_PRIVATE_ADDRESSES", True)


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller who may issue."""
    made = customers.create_seller(actor, **SELLER)
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=made, kind=kind, format=kind[0].upper() + "/{number}", next=1)
    lines = {
        "base": {"title": "Base", "charge": "recurring", "price": "10"},
        "calls": {"title": "Calls", "charge": "usage", "price": "0.10"},
    }
    catalog.define_tariff(actor, seller=made, key="t", title="T", lines=lines)
    return made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Who gets the events."""
    with receiving() as one:
        yield one


@pytest.fixture
def endpoint(seller: Seller, receiver: Receiver, actor: Actor) -> WebhookEndpoint:
    """Where the seller's events go."""
    return services.create_endpoint(actor, seller=seller, url=receiver.url)[0]


def customer_of(actor: Actor, seller: Seller, key: str = "müller") -> Customer:
    customer = customers.create_customer(actor, seller=seller, key=key, name=f"Firma {key}")
    customers.set_billing_information(actor, customer=customer, name=customer.name, **ADDRESS)
    return customer


def sign(actor: Actor, customer: Customer, key: str = "V-1") -> Contract:
    from taktura.catalog.models import Tariff

    tariff = Tariff.objects.get(seller=customer.seller)
    return contracts.sign(actor, key=key, customer=customer, tariff=tariff, start=date(2026, 3, 1))


def told() -> list[tuple[str, dict[str, Any]]]:
    """Types and data of all events, in order."""
    delivering.read_log(NOW)
    found = WebhookDelivery.objects.order_by("id")
    return [(d.type, json.loads(d.payload, parse_float=Decimal)["data"]) for d in found]


def send(endpoint: WebhookEndpoint) -> delivering.Round:
    delivering.read_log(utc_now())
    return delivering.send_round(endpoint.pk)


def test_the_official_library_takes_what_arrives(
    seller: Seller, receiver: Receiver, endpoint: WebhookEndpoint, actor: Actor
) -> None:
    customer_of(actor, seller)
    assert send(endpoint).delivered == 2
    (headers, body), _ = receiver.came
    secret = services.secrets_of(endpoint, NOW)[0]
    payload = Webhook(secret).verify(body, headers)
    assert payload == {
        "type": "customer.created",
        "timestamp": "2026-03-01T08:00:00.000Z",
        "data": {"seller": seller.pk, "customer": "müller", "name": "Firma müller"},
    }
    assert (headers["content-type"], headers["user-agent"]) == ("application/json", "Taktura-Webhooks/1")
    assert headers["webhook-id"] == WebhookDelivery.objects.order_by("id")[0].event_id
    for wrong in (body.replace(b"created", b"changed"), b" " + body):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(wrong, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, {**headers, "webhook-id": "evt_other"})


def test_what_happens_has_stable_names_and_exact_numbers(
    seller: Seller, endpoint: WebhookEndpoint, actor: Actor
) -> None:
    contract = sign(actor, customer_of(actor, seller))
    line = ContractLine.objects.get(contract=contract, article__key="base")
    billing.bill(actor, seller=seller, on=date(2026, 3, 1))
    billing.change_quantity(actor, line=line, quantity=Decimal("2.5"), start=date(2026, 3, 1))
    invoice = Document.objects.order_by("id")[0]
    pay(actor, document=Document.objects.order_by("-id")[0], amount=Decimal("1.50"), on=date(2026, 3, 1))
    entry = {"source": "pbx", "id": "1", "contract": "V-1", "article": "calls", "at": "2026-03-01T07:00:00Z"}
    billing.record_usage(actor, seller=seller, entries=[{**entry, "quantity": "3"}])
    billing.give_notice(actor, contract=contract, received=date(2026, 3, 1), wish=date(2026, 5, 31))
    found = told()
    names = {"seller": seller.pk, "contract": "V-1", "customer": "müller"}
    assert [type_ for type_, _ in found][:5] == [
        "customer.created", "customer.changed", "contract.signed", "invoice.issued", "contract.changed"
    ]  # fmt: skip
    assert found[2][1] == {**names, "tariff": "t", "start": "2026-03-01"}
    assert found[3][1] == {
        **names, "id": invoice.pk, "kind": "invoice", "number": "I/1", "issued_on": "2026-03-01",
        "due_on": "2026-03-15", "currency": "EUR", "net": "10.00", "tax": "1.90", "gross": "11.90", "references": [],
    }  # fmt: skip
    assert found[4][1] == {
        **names, "change": "quantity", "article": "base", "quantity": "2.5", "from": "2026-03-01"
    }  # fmt: skip
    rest = dict(found[5:])
    assert rest["credit_note.issued"]["references"] == ["I/1"] and rest["credit_note.issued"]["net"] == "10.00"
    assert rest["invoice.issued"]["net"] == "25.00"
    paid = rest["payment.received"]
    assert (paid["number"], paid["amount"], paid["currency"], paid["paid_on"]) == ("I/2", "1.50", "EUR", "2026-03-01")
    assert rest["usage.recorded"] == {"seller": seller.pk, "recorded": 1, "waiting": 0}
    assert rest["contract.notice_given"]["received"] == "2026-03-01" and rest["contract.notice_given"]["ends"]
    assert {type_ for type_, _ in found} <= set(TYPES) and {k.type for k in KINDS.values()} <= set(TYPES)


def test_each_event_is_made_once_and_for_its_own_seller(seller: Seller, receiver: Receiver, actor: Actor) -> None:
    other = customers.create_seller(actor, **{**SELLER, "name": "Other GmbH"})
    mine, theirs = (services.create_endpoint(actor, seller=s, url=receiver.url)[0] for s in (seller, other))
    both = services.create_endpoint(actor, seller=seller, url=receiver.url, events=["customer.created"])[0]
    customer_of(actor, seller, "mine")
    customer_of(actor, other, "theirs")
    threads = [threading.Thread(target=_read_and_close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    delivering.read_log(NOW)
    rows = {
        e.pk: [json.loads(d.payload)["data"]["customer"] for d in e.deliveries.order_by("id")]
        for e in (mine, theirs, both)
    }
    assert rows == {mine.pk: ["mine", "mine"], theirs.pk: ["theirs", "theirs"], both.pk: ["mine"]}
    ids = {e.pk: e.deliveries.order_by("id")[0].event_id for e in (mine, theirs, both)}
    assert ids[mine.pk] == ids[both.pk] != ids[theirs.pk], "whoever gets the same event knows it by the same id"


def _read_and_close() -> None:
    delivering.read_log(NOW)
    connection.close()


def test_what_was_before_the_endpoint_is_not_told(seller: Seller, receiver: Receiver, actor: Actor) -> None:
    customer_of(actor, seller, "before")
    services.create_endpoint(actor, seller=seller, url=receiver.url)
    customer_of(actor, seller, "after")
    assert [data["customer"] for _, data in told()] == ["after", "after"]


def test_where_reading_breaks_off_it_begins_again(
    seller: Seller, endpoint: WebhookEndpoint, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer_of(actor, seller)
    with monkeypatch.context() as broken:
        broken.setattr(WebhookEndpoint, "save", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            delivering.read_log(NOW)
    assert not WebhookDelivery.objects.exists()
    assert len(told()) == 2


def test_a_run_is_an_event_for_each_document(
    seller: Seller, endpoint: WebhookEndpoint, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(12):
        sign(actor, customer_of(actor, seller, f"c{n}"), f"V-{n}")
    services.change_endpoint(actor, endpoint=endpoint, events=["invoice.issued"])
    billing.bill(actor, seller=seller, on=date(2026, 3, 1))
    billing.bill(actor, seller=seller, on=date(2026, 4, 1))
    monkeypatch.setattr(delivering, "MOST_EVENTS", 5)
    found = told()
    assert [data["number"] for _, data in found] == [f"I/{n}" for n in range(1, 25)]
    entries = list(LogEntry.objects.order_by("id"))
    counts = []
    for few in (entries[:-1], entries):
        with CaptureQueriesContext(connection) as asked:
            events_of(few, seller.pk)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 8


def test_entries_become_visible_in_the_order_of_their_ids(seller: Seller) -> None:
    """What the log as an outbox rests on: who has read up to an entry has missed none before it."""
    done = threading.Event()
    seen: list[int] = []
    late: list[int] = []

    def write(name: str) -> None:
        for n in range(25):
            with transaction.atomic():
                record(Actor(name, NOW), "note", f"seller:{seller.pk}", {"n": n})
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.002)")
                if n % 5 == 4:
                    transaction.set_rollback(True)
        connection.close()

    def read() -> None:
        position = 0
        last = False
        while not last:
            last = done.is_set()
            found = list(LogEntry.objects.filter(pk__gt=position).order_by("pk").values_list("pk", flat=True))
            seen.extend(found)
            position = max([position, *found])
        late.extend(LogEntry.objects.exclude(pk__in=seen).filter(pk__lt=position).values_list("pk", flat=True))
        connection.close()

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(5)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert LogEntry.objects.filter(action="note").count() == 100 and len(seen) > 100
    assert late == [] and seen == sorted(seen)


def one(endpoint: WebhookEndpoint, actor: Actor) -> WebhookDelivery:
    return services.send_test(actor.at(utc_now()), endpoint=endpoint)


def test_a_failing_receiver_is_tried_later_and_later_for_two_days_then_switched_off(
    endpoint: WebhookEndpoint, receiver: Receiver, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = NOW
    monkeypatch.setattr(delivering, "utc_now", lambda: now)
    delivery = services.send_test(actor, endpoint=endpoint)
    receiver.answers = [500] * 50
    waits = []
    while delivery.state == "waiting":
        delivering.send_round(endpoint.pk)
        delivery.refresh_from_db()
        waits.append(delivery.next_at - now)
        assert delivering.send_round(endpoint.pk) == delivering.Round(), "not before its time"
        now = delivery.next_at
    assert (delivery.state, delivery.last_status) == ("failed", 500)
    tries = list(delivery.tries.all())
    assert {(t.url, t.status, t.response) for t in tries} == {(endpoint.url, 500, "answer 500")}
    assert [t.headers["webhook-signature"] for t in tries] == [h["webhook-signature"] for h, _ in receiver.came]
    assert services.secrets_of(endpoint, now)[0] not in str([t.headers for t in tries])
    assert waits == sorted(waits) and waits[0] == timedelta(seconds=15) and delivery.attempts == len(receiver.came)
    assert timedelta(days=1.5) < delivery.tried_at - NOW <= timedelta(days=2)  # type: ignore[operator]
    assert len({body for _, body in receiver.came}) == 1 and len({h["webhook-id"] for h, _ in receiver.came}) == 1
    assert len({h["webhook-timestamp"] for h, _ in receiver.came}) == len(receiver.came), "signed anew each time"
    endpoint.refresh_from_db()
    assert (endpoint.active, endpoint.off_reason) == (False, "failing")
    assert list(queries.in_trouble(endpoint.seller_id)) == [endpoint]


def test_an_endpoint_that_takes_other_events_stays_on(
    endpoint: WebhookEndpoint, receiver: Receiver, actor: Actor
) -> None:
    bad, good = one(endpoint, actor), one(endpoint, actor)
    receiver.answers = [400, 200]
    assert delivering.send_round(endpoint.pk) == delivering.Round(delivered=1, failed=1)
    late = utc_now() + timedelta(days=3)
    WebhookEndpoint.objects.update(last_success_at=late - HOUR)
    delivering.note(bad.pk, delivering.Answer(400), late)
    bad.refresh_from_db()
    good.refresh_from_db()
    endpoint.refresh_from_db()
    assert (bad.state, good.state, endpoint.active) == ("failed", "delivered", True)


def test_an_event_that_waited_for_a_worker_is_not_given_up_at_its_first_try(
    endpoint: WebhookEndpoint, actor: Actor
) -> None:
    delivery = services.send_test(actor, endpoint=endpoint)
    delivering.note(delivery.pk, delivering.Answer(None, error="away"), NOW + timedelta(days=9))
    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    assert (delivery.state, endpoint.active) == ("waiting", True)


def test_gone_is_gone(endpoint: WebhookEndpoint, receiver: Receiver, actor: Actor) -> None:
    one(endpoint, actor)
    waits = one(endpoint, actor)
    receiver.answers = [410]
    delivering.send_round(endpoint.pk)
    endpoint.refresh_from_db()
    waits.refresh_from_db()
    assert (endpoint.active, endpoint.off_reason, waits.state, len(receiver.came)) == (False, "gone", "waiting", 1)
    assert delivering.endpoints_due(utc_now()) == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(endpoint: WebhookEndpoint, receiver: Receiver, actor: Actor, status: int) -> None:
    delivery = one(endpoint, actor)
    receiver.answers = [status]
    delivering.send_round(endpoint.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.last_status, len(receiver.came)) == ("waiting", status, 1)


def test_a_busy_receiver_is_left_alone_for_the_round(
    endpoint: WebhookEndpoint, receiver: Receiver, actor: Actor
) -> None:
    for _ in range(3):
        one(endpoint, actor)
    receiver.answers = [503]
    assert delivering.send_round(endpoint.pk) == delivering.Round(failed=1)
    receiver.answers = [500]
    assert delivering.send_round(endpoint.pk) == delivering.Round(delivered=1, failed=1), "500 is of the one event"


def test_an_event_can_be_sent_again_with_the_same_id(
    seller: Seller, endpoint: WebhookEndpoint, receiver: Receiver, actor: Actor
) -> None:
    delivery = one(endpoint, actor)
    delivering.send_round(endpoint.pk)
    services.replay(actor.at(utc_now()), delivery=delivery)
    delivering.send_round(endpoint.pk)
    assert [h["webhook-id"] for h, _ in receiver.came] == [delivery.event_id] * 2
    assert receiver.came[0][1] == receiver.came[1][1]
    WebhookDelivery.objects.update(state="failed", next_at=NOW)
    assert services.replay_failed(actor, endpoint=endpoint, since=utc_now() + HOUR) == 0
    assert services.replay_failed(actor, endpoint=endpoint) == 1
    assert delivering.send_round(endpoint.pk).delivered == 1
    one(endpoint, actor)
    assert queries.counts_of([endpoint.pk]) == {endpoint.pk: queries.Counts(waiting=1, delivered=1)}
    services.switch_off(actor, endpoint=endpoint)
    with pytest.raises(Refused):
        services.replay(actor, delivery=delivery)
    with pytest.raises(Refused):
        services.send_test(actor, endpoint=endpoint)
    assert list(queries.deliveries(seller.pk, endpoint=endpoint.pk, state="delivered")) == [delivery]


@pytest.mark.parametrize("catch_up", [True, False])
def test_what_happened_while_it_was_off_is_caught_up_with_or_not(
    seller: Seller, endpoint: WebhookEndpoint, actor: Actor, catch_up: bool
) -> None:
    waits = one(endpoint, actor)
    services.switch_off(actor, endpoint=endpoint)
    customer_of(actor, seller)
    assert delivering.read_log(NOW) == 0 and delivering.endpoints_due(NOW) == []
    services.switch_on(actor, endpoint=endpoint, catch_up=catch_up)
    assert delivering.read_log(NOW) == (2 if catch_up else 0)
    waits.refresh_from_db()
    assert waits.state == ("waiting" if catch_up else "failed")


def test_for_a_day_the_old_secret_signs_too(endpoint: WebhookEndpoint, receiver: Receiver, actor: Actor) -> None:
    old = services.secrets_of(endpoint, NOW)[0]
    new = services.rotate_secret(actor.at(utc_now()), endpoint=endpoint)
    one(endpoint, actor)
    delivering.send_round(endpoint.pk)
    headers, body = receiver.came[0]
    assert headers["webhook-signature"].count("v1,") == 2 and old != new
    for secret in (old, new):
        assert Webhook(secret).verify(body, headers)
    endpoint.refresh_from_db()
    assert services.secrets_of(endpoint, utc_now() + 23 * HOUR) == [new, old]
    assert services.secrets_of(endpoint, utc_now() + 25 * HOUR) == [new]


def test_secrets_are_sealed_and_stand_in_no_log(endpoint: WebhookEndpoint, actor: Actor) -> None:
    secret = services.rotate_secret(actor, endpoint=endpoint)
    row = WebhookEndpoint.objects.values().get()
    assert secret not in str(row) and secret not in str(list(LogEntry.objects.values()))
    WebhookEndpoint.objects.update(secret="sealed elsewhere")
    delivery = one(endpoint, actor)
    delivering.send_round(endpoint.pk)
    delivery.refresh_from_db()
    assert delivery.state == "waiting" and "TAKTURA_SECRET_KEY" in delivery.last_error


def test_settings_are_checked_and_logged(seller: Seller, endpoint: WebhookEndpoint, actor: Actor) -> None:
    services.change_endpoint(
        actor, endpoint=endpoint, events=["payment.received", "invoice.issued"], description=" Shop "
    )
    endpoint.refresh_from_db()
    assert (endpoint.events, endpoint.description) == (["invoice.issued", "payment.received"], "Shop")
    wrong: list[dict[str, Any]] = [
        {"events": ["invoice.lost"]}, {"description": "a\nb"}, {"description": "x" * 201}, {"url": "ftp://x.example/"}
    ]  # fmt: skip
    for fields in wrong:
        with pytest.raises(Refused):
            services.change_endpoint(actor, endpoint=endpoint, **fields)
    for _ in range(services.MOST_ENDPOINTS - 1):
        services.create_endpoint(actor, seller=seller, url=endpoint.url)
    with pytest.raises(Refused):
        services.create_endpoint(actor, seller=seller, url=endpoint.url)
    one(endpoint, actor)
    services.delete_endpoint(actor, endpoint=endpoint)
    assert not WebhookDelivery.objects.exists()
    with pytest.raises(Refused) as refused:
        services.rotate_secret(actor, endpoint=endpoint)
    assert refused.value.code == "not_found"
    actions = set(LogEntry.objects.filter(subject=f"seller:{seller.pk}").values_list("action", flat=True))
    assert {"create_webhook", "change_webhook", "delete_webhook"} <= actions


def test_the_worker_reads_and_sends(
    seller: Seller, endpoint: WebhookEndpoint, receiver: Receiver, actor: Actor
) -> None:
    customer_of(actor, seller)
    run_worker(until_done=True)
    assert [json.loads(body)["type"] for _, body in receiver.came] == ["customer.created", "customer.changed"]
    waiting = ProcrastinateJob.objects.get(task_name="read_webhooks", status="todo")
    assert waiting.scheduled_at is not None and waiting.scheduled_at > utc_now(), "it looks again in some seconds"
    assert not ProcrastinateJob.objects.filter(status="failed").exists()


def test_without_webhooks_the_worker_does_not_look_again(seller: Seller) -> None:
    from taktura.webhooks.tasks import read_webhooks

    assert read_webhooks(timestamp=0) == 0
    assert not ProcrastinateJob.objects.filter(task_name="read_webhooks").exists()


def test_old_deliveries_are_forgotten(endpoint: WebhookEndpoint, receiver: Receiver, actor: Actor) -> None:
    done, waits = (services.send_test(actor, endpoint=endpoint) for _ in range(2))
    WebhookDelivery.objects.filter(pk=done.pk).update(state="delivered")
    assert delivering.forget(NOW + delivering.KEPT_FOR) == 0
    assert delivering.forget(NOW + delivering.KEPT_FOR + HOUR) == 1
    assert list(WebhookDelivery.objects.all()) == [waits]
