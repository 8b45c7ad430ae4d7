"""Each number that says that something is to be done leads to a list of exactly so many, where it can be done."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time

import pytest
from django.db import connections
from django.test import Client

from taktura.billing import services as billing
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, Order
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.jobs.models import JobFailure
from taktura.kit.mail.models import OutgoingMail
from taktura.kit.mail.tasks import send_mail
from taktura.usage import services as usage
from taktura.webhooks.models import WebhookEndpoint
from taktura.webhooks.services import create_endpoint
from tests.conftest import DEMO_DAY
from tests.pages.conftest import client_as as signs_in
from tests.pages.test_home import cards

SignIn = Callable[..., Client]
MARCH = datetime(2026, 3, 5, 9, tzinfo=UTC)


def listed(client: Client, link: str) -> int:
    """How many a list says that it has."""
    text = " ".join(client.get(link).content.decode().split())
    found = re.search(r'role="status">(?:<[^>]*>)*([\d.,\u00a0]+) (?:entr|pieces? of time)', text) or re.search(
        r">([\d,]+) records? wait", text
    )
    assert found, link
    return int(re.sub(r"\D", "", found[1]))


def check(client: Client) -> set[str]:
    """Compares each card of the home page, and the navigation, with its list; gives the labels of the cards."""
    found = cards(client)
    for label, (number, link) in found.items():
        assert listed(client, link) == int(number.replace(",", "")), f"{label}: {link}"
    text = " ".join(client.get("/").content.decode().split())
    navigation = dict(re.findall(r'href="(/[a-z]+/)"[^>]*>(?:(?!</a>).)*?<span class="badge[^"]*"[^>]*>(\d+)', text))
    assert int(navigation.get("/orders/", 0)) == listed(client, "/orders/?state=open")
    assert int(navigation["/billing/"]) == listed(client, "/billing/")
    assert (
        int(navigation["/usage/"])
        == listed(client, "/usage/waiting/")
        == listed(client, "/usage/records/?state=waiting")
    )
    return set(found)


@pytest.fixture
def many(seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> Seller:
    """The small company on 5 March, with work of every kind, and beside it what is no work any more."""
    monkeypatch.setattr("taktura.office.page.utc_now", lambda: MARCH)
    acme, bare = Customer.objects.get(key="acme"), Customer.objects.get(key="bare")
    for number in (1, 2):  # one customer, several contracts: it is one customer that cannot be billed
        contracts.sign(
            actor, key=f"V-bare-{number}", customer=bare, tariff=Contract.objects.get(key="V-bare").tariff,
            start=MARCH.date(),
        )  # fmt: skip
    for title in ("Headset", "Router"):
        billing.sell(actor, customer=acme, lines=[{"title": title, "price": "49.90"}])
    for number, state in enumerate(("failed", "unknown", "sent", "caught", "waiting", "given_up")):
        OutgoingMail.objects.create(
            message_id=f"<{number}@b>", sender=f"seller:{seller.pk}", recipient="a@b.example", subject="S", text="T",
            created_at=actor.now, next_at=actor.now, state=state,
        )  # fmt: skip
    for path in ("going", "failing"):
        endpoint = create_endpoint(actor, seller=seller, url=f"https://shop.example/{path}")[0]
        if path == "failing":
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(last_failure_at=actor.now)
    for place, order_state in enumerate(("open", "open", "unconfirmed", "refused")):
        order_of(acme, order_state, str(place))
    for status in ("failed", "succeeded"):
        set_status(send_mail.defer(mail=999_999), status)
    return seller


def order_of(customer: Customer, state: str, token: str) -> None:
    tariff = Contract.objects.get(key="V-acme").tariff
    Order.objects.create(
        seller=customer.seller, tariff=tariff, version=tariff.versions.first(), name="Anna Abel", kind="consumer",
        email="a@b.example", language="de", buyer={}, prices=[], token=token, secret=token, asker="x", state=state,
        ordered_at=MARCH, expires_at=MARCH, confirmed_at=None if state == "unconfirmed" else MARCH,
    )  # fmt: skip


def set_status(job: int, status: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = %s, attempts = 1 WHERE id = %s", [status, job])
    JobFailure.objects.create(job=job, error="ValueError: x", at=utc_now())


def test_each_number_is_that_of_its_list(many: Seller, client_as: SignIn) -> None:
    assert check(client_as()) == {
        "Billing information missing", "Contracts due", "Usage that waits", "Invoices overdue",
        "Sales items to be billed", "Mails not delivered", "Jobs that failed",
        "Webhooks that do not arrive", "Orders to be decided",
    }  # fmt: skip


def test_each_number_of_the_demo_company_is_that_of_its_list(
    demo_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime.combine(DEMO_DAY, time(12), UTC)
    monkeypatch.setattr("taktura.office.page.utc_now", lambda: noon)
    client: Client = signs_in.__wrapped__(demo_database)()  # type: ignore[attr-defined]
    assert check(client) >= {
        "Billing information missing", "Contracts due", "Usage that waits", "Unlinked supplier subscriptions",
        "Unlinked supplier customers", "Invoices overdue", "Deadlines of notice", "Sales items to be billed",
    }  # fmt: skip


def test_what_cannot_be_mended_can_be_given_up_many_at_once(many: Seller, client_as: SignIn) -> None:
    client = client_as()
    for path in ("/settings/outbox/?state=undelivered", "/settings/jobs/?state=failed"):
        assert listed(client, path) > 0
        assert client.post(path, {"action": "give_up", "all": "1"}).status_code == 302
        assert listed(client, path) == 0, path
    assert not {"Mails not delivered", "Jobs that failed"} & set(cards(client))
    mail = OutgoingMail.objects.filter(state="given_up").latest("pk")
    client.post(f"/settings/outbox/{mail.pk}/again/")
    assert OutgoingMail.objects.get(pk=mail.pk).state == "waiting", "somebody may think better of it"


def test_one_is_given_up_on_its_own_page(many: Seller, client_as: SignIn) -> None:
    client, mail = client_as(), OutgoingMail.objects.get(state="unknown")
    job = JobFailure.objects.order_by("job").values_list("job", flat=True)[0]
    for path in (f"/settings/outbox/{mail.pk}/", f"/settings/jobs/{job}/"):
        assert f'{path}give-up/"' in client.get(path).content.decode()
        assert client.post(f"{path}give-up/").headers["Location"] == path
        text = client.get(path).content.decode()
        assert "Given up" in text and f'{path}give-up/"' not in text
        assert "Only a " in client.post(f"{path}give-up/", follow=True).content.decode(), "once"
    assert client.post("/settings/jobs/999999/give-up/").status_code == 404
    assert client_as("lead").post(f"/settings/jobs/{job}/give-up/").status_code == 403


def test_customers_with_services_but_no_contract_are_counted(
    seller: Seller, actor: Actor, client_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taktura.office.page.utc_now", lambda: MARCH)
    label = "Customers with services but no contract"
    assert label not in cards(client_as())
    supplier = usage.create_supplier(
        actor, seller=seller, key="haus", name="Cloudhaus", create_customers=True, create_subscriptions=True
    )
    days = {"period_start": "2026-02-01", "period_end": "2026-02-28", "product_id": "P", "quantity": "1"}
    rows = [{"customer_id": f"K-{n}", "subscription_id": f"S-{n}"} | days for n in range(3)]
    usage.import_rows(actor, supplier=supplier, rows=rows)
    for number in range(2):
        customer = customers.create_customer(actor, seller=seller, key=f"N-{number}", name=f"New {number}")
        usage.link_customer(actor, supplier=supplier, reference=f"K-{number}", customer=customer)
    number, link = cards(client_as())[label]
    assert number == "2" and listed(client_as(), link) == 2
    assert label not in cards(client_as("technician")), "who signs no contract has nothing to do there"
