"""Pages are asked for by Django's client, on a real database of each test's own with a small company in it."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database, setup

setup(throw_away=True)

from django.conf import settings  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402

from taktura.accounts.models import User  # noqa: E402
from taktura.accounts.permissions import ROLES  # noqa: E402
from taktura.accounts.services import create_key, create_user, invite  # noqa: E402
from taktura.billing import services as billing  # noqa: E402
from taktura.billing.tasks import start_run  # noqa: E402
from taktura.catalog import services as catalog  # noqa: E402
from taktura.contracts import services as contracts  # noqa: E402
from taktura.customers import services as customers  # noqa: E402
from taktura.customers.models import Customer, Seller  # noqa: E402
from taktura.invoices.models import Document  # noqa: E402
from taktura.invoices.services import confirm_numbering  # noqa: E402
from taktura.kit.mail.services import post  # noqa: E402
from taktura.usage import services as usage  # noqa: E402
from taktura.usage.models import Supplier, UsageRecord  # noqa: E402
from taktura.webhooks.services import create_endpoint, send_test  # noqa: E402

LANGUAGES = ("en", "de", "sv")
PASSWORD = "a-fine-long-word-7"
JANUARY = datetime(2026, 1, 1, 11, tzinfo=UTC)
LINES: dict[str, Any] = {
    "base": {"title": "Base fee", "charge": "recurring", "price": "19.90"},
    "number": {"title": "Number", "charge": "recurring", "booking": "add_on", "price": "4.50"},
    "calls": {
        "title": "Calls",
        "charge": "usage",
        "unit": "minute",
        "price": "1.19",
        "included": "10",
        "tick": "minute",
    },
    "search": {"title": "Search", "charge": "usage", "price": "1.00", "in_minimum": True},
}
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}


@pytest.fixture
def database() -> Iterator[str]:
    """A database of this test's own; its name."""
    with scratch_database() as name:
        yield name


@pytest.fixture
def actor() -> Actor:
    """Who acts in tests, on a morning in March."""
    return Actor("test", datetime(2026, 3, 1, 8, tzinfo=UTC))


@pytest.fixture
def seller(database: str) -> Seller:
    """A company with a telephone tariff, three customers (one without billing information), two contracts billed in
    January and February, a supplier with an unlinked subscription, and usage that waits."""
    return make_seller("Sonnenruf GmbH")


def make_seller(name: str) -> Seller:
    """A company as `seller` has it."""
    actor = Actor("test", JANUARY)
    made = customers.create_seller(
        actor, name=name, country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]], **{
            k: v for k, v in ADDRESS.items() if k != "country"}
    )  # fmt: skip
    for kind, form in (("invoice", "RE-{year}-{number:05}"), ("credit_note", "RK-{year}-{number:05}")):
        confirm_numbering(actor, seller=made, kind=kind, format=form, next=1)
    tariff = catalog.define_tariff(
        actor, seller=made, key="talk", title="Telefonservice", module="telephone", minimum_sales="10.00",
        notice="monthly", lines=LINES, public=True,
    )  # fmt: skip
    for key, name in (("acme", "Acme GmbH"), ("oztuerk", "Gemeinschaftspraxis Öztürk"), ("bare", "Ohne Angaben KG")):
        customer = customers.create_customer(actor, seller=made, key=key, name=name, language="de")
        if key != "bare":
            customers.set_billing_information(actor, customer=customer, name=name, email=f"{key}@c.example", **ADDRESS)
        contracts.sign(
            actor, key=f"V-{key}", customer=customer, tariff=tariff, start=date(2026, 1, 1),
            quantities={"number": Decimal(2)},
        )  # fmt: skip
    usage.create_supplier(
        actor, seller=made, key="sun", name="SunBird", currency="EUR", time_zone="UTC",
        create_customers=True, create_subscriptions=True,
    )  # fmt: skip
    entries: list[dict[str, Any]] = [
        {
            "contract": "V-acme",
            "article": "calls",
            "duration": 754,
            "at": datetime(2026, 1, 10, 9, tzinfo=UTC),
            "id": "c1",
        },
        {
            "contract": "V-acme",
            "article": "search",
            "quantity": "3",
            "at": datetime(2026, 1, 11, 9, tzinfo=UTC),
            "id": "s1",
        },
        {
            "contract": "V-acme",
            "key": "nobody",
            "quantity": "1",
            "at": datetime(2026, 1, 12, 9, tzinfo=UTC),
            "id": "x1",
        },
    ]
    billing.record_usage(actor, seller=made, entries=entries)
    for month in (1, 2):
        at = datetime(2026, month, 1, 11, tzinfo=UTC)
        billing.bill(actor.at(at), seller=made, on=at.date())
    return made


@pytest.fixture
def company(seller: Seller) -> Seller:
    """The small company with one of everything that a page shows."""
    return with_everything(seller)


def with_everything(seller: Seller) -> Seller:
    """A company of `make_seller` as `company` has it."""
    actor, subject = Actor("test", JANUARY), f"seller:{seller.pk}"
    line = {"title": "Headset", "price": "49.90"}
    document = Document.objects.filter(seller=seller).earliest("id")
    billing.sell(actor, customer=Customer.objects.get(key="acme", seller=seller), lines=[line])
    post(
        JANUARY, to="a@c.example", subject="Rechnung", text="Guten Tag", html="<p>Guten Tag</p>", sender=subject,
        about=f"document:{document.pk}", attachments=[("a.pdf", "application/pdf", b"%PDF")],
    )  # fmt: skip
    supplier = Supplier.objects.get(key="sun", seller=seller)
    rows = b"id,customer_id,customer_name,subscription_id,product_id,quantity,period_start,period_end\n"
    rows += b"1,a-1,Acme,s-1,p-1,2,2026-01-01,2026-01-31\n"
    billing.receive_file(actor, supplier=supplier, name="january.csv", content=rows)
    old = UsageRecord.objects.get(external_id="s1", seller=seller)
    entry = {"contract": "V-acme", "article": "search", "quantity": "4", "at": old.at, "id": "s1", "revision": 2}
    billing.record_usage(actor, seller=seller, entries=[entry])
    invite(actor, email="new@firm.example", role="viewer")
    create_key(actor, name="Shop", scopes=["usage.view"])
    start_run(actor, seller=seller, on=JANUARY.date(), exclude=[])
    send_test(actor, endpoint=create_endpoint(actor, seller=seller, url="https://shop.example/taktura")[0])
    return seller


@pytest.fixture
def client_as(database: str) -> Callable[..., Client]:
    """Signs somebody in by role, and gives the browser; the user is `client.user`."""

    def sign_in(role: str = "admin", language: str = "en") -> Client:
        email = f"{role}@firm.example"
        user = User.objects.filter(email=email).first() or create_user(
            Actor("test", JANUARY), email=email, name=role.title(), role=role, password=PASSWORD
        )
        if user.language != language:
            user.language = language
            user.save(update_fields=["language"])
        client = Client(SERVER_NAME="localhost")
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
        client.user = user  # type: ignore[attr-defined]
        return client

    return sign_in


@pytest.fixture
def page_ok(client_as: Callable[..., Client]) -> Callable[..., dict[str, str]]:
    """Opens a page in each language as somebody; gives the texts. A page that is no page fails the test."""

    def open_page(path: str, role: str = "admin") -> dict[str, str]:
        found = {}
        for language in LANGUAGES:
            response: HttpResponse = client_as(role, language).get(path)
            assert response.status_code == 200, f"{path} as {role} in {language}: {response.status_code}"
            text = response.content.decode()
            assert f'lang="{language}"' in text and " style=" not in text and "javascript:" not in text
            found[language] = text
        return found

    return open_page


@pytest.fixture
def forbidden_to(client_as: Callable[..., Client]) -> Callable[[str], set[str]]:
    """The roles that a page does not open to."""

    def roles(path: str) -> set[str]:
        return {role for role in ROLES if client_as(role).get(path).status_code == 403}

    return roles
