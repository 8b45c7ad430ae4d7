"""Pages are asked for by Django's client, on a real database of each test's own with a small company in it."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.database import scratch_database, setup, switched

setup(throw_away=True)

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402

from taktura.accounts.models import User  # noqa: E402
from taktura.accounts.permissions import ROLES  # noqa: E402
from taktura.accounts.services import create_key, create_user, invite  # noqa: E402
from taktura.billing import services as billing  # noqa: E402
from taktura.billing.services.mailboxes import create_mailbox  # noqa: E402
from taktura.billing.tasks import (  # noqa: E402
    foresee_bills,
    rate_what_if,
    start_forecast,
    start_run,  # noqa: E402
    start_what_if,
)
from taktura.catalog import drafts  # noqa: E402
from taktura.catalog import services as catalog  # noqa: E402
from taktura.catalog.coupons import define_coupon, draw_codes  # noqa: E402
from taktura.catalog.keys import give_usual_keys  # noqa: E402
from taktura.catalog.models import Tariff  # noqa: E402
from taktura.catalog.offer_numbers import create_offer_number  # noqa: E402
from taktura.catalog.services import declare_article  # noqa: E402
from taktura.contracts import services as contracts  # noqa: E402
from taktura.contracts.models import Contract  # noqa: E402
from taktura.control.services import watch  # noqa: E402
from taktura.core.exchange import Rate  # noqa: E402
from taktura.customers import services as customers  # noqa: E402
from taktura.customers.access import invite as invite_to_portal  # noqa: E402
from taktura.customers.models import Customer, Seller  # noqa: E402
from taktura.desk import services as desk  # noqa: E402
from taktura.invoices.models import Document  # noqa: E402
from taktura.invoices.services import confirm_numbering  # noqa: E402
from taktura.kit.mail.models import OutgoingMail  # noqa: E402
from taktura.kit.mail.services import post  # noqa: E402
from taktura.kit.mailbox.attached import Attachment  # noqa: E402
from taktura.kit.mailbox.models import IncomingMail  # noqa: E402
from taktura.usage import services as usage  # noqa: E402
from taktura.usage.models import Supplier, UsageRecord  # noqa: E402
from taktura.webhooks.services import create_endpoint, send_test  # noqa: E402
from tests.pages.walk import Walked, walk_and_count  # noqa: E402

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


def made_once(make: Callable[[], object], like: str | None = None) -> Iterator[str]:
    """A database in which something was made, to be cloned by tests; nobody stays connected to it."""
    before = settings.DATABASES["default"]["NAME"]
    with scratch_database(like) as name:
        make()
        connections.close_all()
        with switched(str(before)):
            yield name


@pytest.fixture(scope="session")
def seller_made() -> Iterator[str]:
    """The database of `seller`, made once for all tests."""
    yield from made_once(lambda: make_seller("Sonnenruf GmbH"))


@pytest.fixture(scope="session")
def company_made(seller_made: str) -> Iterator[str]:
    """The database of `company`, made once for all tests."""
    yield from made_once(lambda: with_everything(Seller.objects.get()), like=seller_made)


@pytest.fixture(scope="session")
def walked_made(company_made: str) -> Iterator[str]:
    """The database of `company` where the walk of `walked` begins: the log tells of an article, too."""

    def declare() -> None:
        declare_article(Actor("test", JANUARY), seller=Seller.objects.get(), key="base", title="Grundgebühr")

    yield from made_once(declare, like=company_made)


@pytest.fixture(scope="session")
def walked(walked_made: str) -> Walked:
    """An administrator's walk through the office, made once. A test that asks for it has a company as it was before."""
    with scratch_database(walked_made):
        return walk_and_count(sign_in())


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of this test's own, with the company or the seller in it where the test wants one; its name."""
    like = None
    if "walked_made" in request.fixturenames:
        like = request.getfixturevalue("walked_made")
    elif "company_made" in request.fixturenames:
        like = request.getfixturevalue("company_made")
    elif "seller" in request.fixturenames:
        like = request.getfixturevalue("seller_made")
    with scratch_database(like) as name:
        yield name


@pytest.fixture
def actor() -> Actor:
    """Who acts in tests, on a morning in March."""
    return Actor("test", datetime(2026, 3, 1, 8, tzinfo=UTC))


@pytest.fixture
def seller(database: str) -> Seller:
    """A company with a telephone tariff, three customers (one without billing information), two contracts billed in
    January and February, a supplier with an unlinked subscription, and usage that waits."""
    return Seller.objects.get()


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
def company(database: str, company_made: str) -> Seller:
    """The small company with one of everything that a page shows."""
    return Seller.objects.get()


def order_as_a_stranger(actor: Actor, seller: Seller) -> None:
    """An order that is confirmed, for staff to decide on."""
    Seller.objects.filter(pk=seller.pk).update(order_page=True)
    tariff = Tariff.objects.select_related("seller").get(seller=seller, key="talk")
    wish = billing.Wish(
        tariff=tariff, articles={"number": Decimal(2)}, name="Acme", email="acme@c.example", language="de", **ADDRESS
    )  # fmt: skip
    seen = billing.mark_of(billing.shown_prices(billing.look_at(actor, wish=wish)))
    kept = billing.place_order(
        actor, wish=wish, token=f"seller-{seller.pk}", asker="", seen=seen, address="http://x/order/confirm/"
    )
    mail = OutgoingMail.objects.get(about=f"order:{kept.pk}")
    found = re.search(r"/order/confirm/([^/]+)/", mail.text)
    assert found is not None
    billing.confirm_order(actor, secret=found[1])


def answered_ticket(actor: Actor, seller: Seller) -> None:
    """A ticket in a queue, with a message of each kind."""
    queue = desk.add_queue(actor, seller=seller, name="First line")
    ticket = desk.open_ticket(
        actor, customer=Customer.objects.get(key="acme", seller=seller), subject="No dial tone", text="Since Monday",
        by_customer=True, queue=queue, requester_email="a@acme.example",
        files=[Attachment(name="plan.pdf", kind="application/pdf", content=b"%PDF-1.7")],
    )  # fmt: skip
    desk.add_answer_template(
        actor,
        seller=seller,
        name="Eingang",
        language="de",
        text="Guten Tag {requester},\n\nwir sehen uns #{ticket} an.",
    )
    desk.answer_ticket(actor, ticket=ticket, text="Ask the carrier", kind="note")
    desk.answer_ticket(actor, ticket=ticket, text="We look at it")


def mailbox_with_a_mail(actor: Actor, seller: Seller) -> None:
    """A mailbox for usage, and a mail whose file could not be taken."""
    box = create_mailbox(
        actor, seller=seller, supplier=seller.suppliers.earliest("id"), purpose="usage", host="imap.firm.example",
        user=f"usage{seller.pk}@firm.example", password="secret", senders=["files@sun.example"],
    )  # fmt: skip
    IncomingMail.objects.create(
        mailbox=box, validity=1, uid=1, identity="<1@sun.example>", sender="files@sun.example", subject="Usage of May",
        size=20_480, state="failed", looked_at=actor.now, stays=True,
        said=[["It could not be handled: %(why)s", {"why": "TimeoutError: the disk does not answer"}]],
    )  # fmt: skip


def mailbox_for_tickets(actor: Actor, seller: Seller) -> None:
    """A mailbox for tickets, and a mail of somebody unknown that waits."""
    box = create_mailbox(
        actor, seller=seller, purpose="tickets", host="imap.firm.example", user=f"help{seller.pk}@firm.example",
        password="secret",
    )  # fmt: skip
    content = b"From: Nia <nia@web.example>\r\nSubject: No dial tone\r\nMessage-ID: <2@web.example>\r\n\r\nSince Monday"
    IncomingMail.objects.create(
        mailbox=box, validity=1, uid=2, identity="<2@web.example>", sender="nia@web.example", subject="No dial tone",
        size=len(content), state="waiting", content=content, looked_at=actor.now, archived_at=actor.now,
        said=[["No customer has the address %(sender)s.", {"sender": "nia@web.example"}]],
    )  # fmt: skip


def with_everything(seller: Seller) -> Seller:
    """A company of `make_seller` as `company` has it."""
    actor, subject = Actor("test", JANUARY), f"seller:{seller.pk}"
    line = {"title": "Headset", "price": "49.90"}
    document = Document.objects.filter(seller=seller).earliest("id")
    billing.sell(actor, customer=Customer.objects.get(key="acme", seller=seller), lines=[line])
    activity = desk.add_activity(actor, seller=seller, name="Vor Ort")
    desk.log_time(
        actor, customer=Customer.objects.select_related("seller").get(key="acme", seller=seller), minutes=21,
        activity=activity, note="Router",
    )  # fmt: skip
    desk.include_hours(
        actor, customer=Customer.objects.get(key="acme", seller=seller), title="Support", kind="monthly", minutes=60,
        start=date(2026, 1, 1), kept=True, activities=[activity],
    )  # fmt: skip
    post(
        JANUARY, to="a@c.example", subject="Rechnung", text="Guten Tag", html="<p>Guten Tag</p>", sender=subject,
        about=f"document:{document.pk}", attachments=[("a.pdf", "application/pdf", b"%PDF")],
    )  # fmt: skip
    supplier = Supplier.objects.get(key="sun", seller=seller)
    rows = b"id,customer_id,customer_name,subscription_id,product_id,quantity,period_start,period_end\n"
    rows += b"1,a-1,Acme,s-1,p-1,2,2026-01-01,2026-01-31\n"
    billing.receive_file(actor, supplier=supplier, name="january.csv", content=rows)
    made = usage.enter_supplier_invoice(
        actor, supplier=supplier, number="N-2026-01", day=JANUARY.date(), first=date(2026, 1, 1), end=date(2026, 2, 1),
        net=Decimal("12.50"),
    )  # fmt: skip
    usage.keep_invoice_file(actor, invoice=made, name="N-2026-01.pdf", content=b"%PDF-1.7\n")
    old = UsageRecord.objects.get(external_id="s1", seller=seller)
    entry = {"contract": "V-acme", "article": "search", "quantity": "4", "at": old.at, "id": "s1", "revision": 2}
    billing.record_usage(actor, seller=seller, entries=[entry])
    flat = catalog.define_tariff(
        actor, seller=seller, key="flat", title="Flat", module="telephone", lines={"calls": LINES["calls"] | {
            "included": None, "flat_price": True, "price": "30.00", "reference_price": "0.10"}},
    )  # fmt: skip
    contracts.sign(
        actor, key="V-flat", customer=Customer.objects.get(key="acme", seller=seller), tariff=flat, start=JANUARY.date()
    )
    call = {"contract": "V-flat", "article": "calls", "duration": 60 * 400, "at": datetime(2026, 1, 15, tzinfo=UTC)}
    billing.record_usage(actor, seller=seller, entries=[call])
    watch(actor.at(datetime(2026, 1, 20, 11, tzinfo=UTC)))
    coupon = define_coupon(actor, seller=seller, key="SPRING", percent=Decimal(10), lines=["base"], most_uses=50)
    codes = draw_codes(actor, coupon=coupon, count=2, memo="Fair")
    flat_one = Contract.objects.select_related("customer__seller").get(key="V-flat", seller=seller)
    contracts.give_coupon(actor, contract=flat_one, code=codes[1])
    create_offer_number(actor, tariff=seller.tariffs.get(key="talk"), memo="Acme", most_uses=3)
    invite(actor, email="new@firm.example", role="viewer")
    invite_to_portal(
        actor, customer=Customer.objects.get(key="acme", seller=seller), email="portal@c.example", portal="http://x"
    )
    billing.receive_notice(
        actor, seller=seller, name="Acme", number="V-1", email="a@c.example", kind="ordinary", language="de"
    )
    order_as_a_stranger(actor, seller)
    answered_ticket(actor, seller)
    create_key(actor, name="Shop", scopes=["usage.view"])
    give_usual_keys(actor, seller=seller)
    start_run(actor, seller=seller, on=JANUARY.date(), exclude=[])
    drafts.draft_of(actor, tariff=Tariff.objects.get(seller=seller, key="talk"))
    fields: dict[str, Any] = {"title": "Calls alone", "lines": {"calls": LINES["calls"]}}
    compared = start_what_if(
        actor, seller=seller, fields=fields, first_month=JANUARY.date(), last_month=JANUARY.date()
    )  # fmt: skip
    rate_what_if(work=compared.pk)
    foresee_bills(work=start_forecast(Actor("test", utc_now()), seller=seller, until=date(2099, 12, 31)).pk)
    mailbox_with_a_mail(actor, seller)
    mailbox_for_tickets(actor, seller)
    billing.set_rates(actor, seller=seller, rates=[Rate("EUR", "USD", JANUARY.date(), Decimal("1.0841"))])
    send_test(actor, endpoint=create_endpoint(actor, seller=seller, url="https://shop.example/taktura")[0])
    return seller


def sign_in(role: str = "admin", language: str = "en") -> Client:
    """The browser of somebody who has a role; the user is `client.user`."""
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


@pytest.fixture
def client_as(database: str) -> Callable[..., Client]:
    """Signs somebody in by role, and gives the browser."""
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
