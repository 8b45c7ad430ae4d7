"""The home page, the counters in the navigation, deadlines of notice."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.billing import todo
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.kit.mail.models import OutgoingMail

pytestmark = pytest.mark.usefixtures("march")
Open = Callable[..., Client]


@pytest.fixture
def march(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are asked for on 5 March 2026."""
    monkeypatch.setattr("taktura.office.page.utc_now", lambda: datetime(2026, 3, 5, 9, tzinfo=UTC))


def cards(client: Client) -> dict[str, tuple[str, str]]:
    """The number and the link of each card, by its label."""
    text = client.get("/").content.decode()
    found = re.findall(r'class="figure mb-0">([^<]+)</p>\s*<h2[^>]*>(?:<a[^>]*href="([^"]*)">)?([^<]+)<', text)
    return {label: (number, link.replace("&amp;", "&")) for number, link, label in found}


def test_home_in_three_languages(seller: Seller, page_ok: Callable[..., dict[str, str]]) -> None:
    texts = page_ok("/")
    assert "Überfällige Rechnungen" in texts["de"] and "Umsatz nach Monat" in texts["de"]
    assert "Invoices overdue" in texts["en"] and "Förfallna fakturor" in texts["sv"]


def test_each_card_says_what_its_list_holds(seller: Seller, client_as: Open, actor: Actor) -> None:
    billing.sell(actor, customer=Customer.objects.get(key="acme"), lines=[{"title": "Headset", "price": "49.90"}])
    OutgoingMail.objects.create(
        message_id="<a@b>", sender=f"seller:{seller.pk}", recipient="a@b.example", subject="S", text="T",
        created_at=actor.now, next_at=actor.now, state="failed",
    )  # fmt: skip
    client = client_as("admin", "en")
    found = cards(client)
    assert {label: number for label, (number, _) in found.items()} == {
        "Billing information missing": "1",
        "Contracts due": "3",
        "Usage that waits": "1",
        "Invoices overdue": str(Document.objects.count()),
        "Sales items to be billed": "1",
        "Mails not delivered": "1",
    }
    for label in ("Billing information missing", "Contracts due", "Invoices overdue"):
        number, link = found[label]
        listed = client.get(link).content.decode()
        assert listed.count('class="row-link"') == int(number), label
    text = " ".join(client.get("/").content.decode().split())
    quiet = text.partition("Nothing to be done:")[2].partition("</p>")[0]
    assert "Deadlines of notice" in quiet and "Jobs that failed" in quiet
    assert all(client.get(link).status_code == 200 for _, link in found.values() if link)


def test_only_what_a_role_may_do_is_shown(seller: Seller, client_as: Open) -> None:
    assert set(cards(client_as("technician"))) == {"Usage that waits"}
    assert "Revenue by month" not in client_as("technician").get("/").content.decode()
    assert "Revenue by month" in client_as("viewer").get("/").content.decode()
    assert "Mails not delivered" not in client_as("viewer").get("/").content.decode()


def test_nothing_to_do(client_as: Open, actor: Actor) -> None:
    customers.create_seller(actor, name="New", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]])
    text = client_as().get("/").content.decode()
    assert "The first steps" in text and "Nothing is to be done" not in text and "canvas" not in text


def test_without_a_seller_home_is_empty(client_as: Open) -> None:
    assert client_as().get("/").status_code == 200


def test_revenue_is_that_of_the_documents(seller: Seller, client_as: Open, actor: Actor) -> None:
    billing.credit(actor, document=Document.objects.latest("pk"), lines=[{"line": 1, "net": "10.00"}])
    text = client_as("viewer", "de").get("/").content.decode()
    data = json.loads(re.findall(r'<script id="revenue-EUR"[^>]*>([^<]+)</script>', text)[0])
    assert len(data["labels"]) == 12 and data["currency"] == "EUR"
    expected = dict.fromkeys(range(1, 4), 0)
    for d in Document.objects.all():
        expected[d.issued_on.month] += -d.net if d.kind == "credit_note" else d.net
    shown = [f"{expected[m] // 100 if expected[m] >= 0 else expected[m] / 100}" for m in expected]
    amounts = data["datasets"][0]["data"]
    assert amounts[:9] == ["0.00"] * 9
    assert [round(float(a) * 100) for a in amounts[9:]] == list(expected.values()), shown
    assert expected[3] == -1000 and "−10,00\u00a0€" in text, "the table has the same"


def test_many_currencies_have_a_picture_each(seller: Seller, client_as: Open, actor: Actor) -> None:
    tariff = catalog.define_tariff(
        actor, seller=seller, key="usd", title="USD", currency="USD", lines={"a": {"title": "A", "price": "7"}}
    )
    customer = Customer.objects.get(key="acme")
    contracts.sign(actor, key="V-usd", customer=customer, tariff=tariff, start=date(2026, 3, 1))
    billing.bill(actor, seller=seller, on=date(2026, 3, 1))
    text = client_as("viewer", "en").get("/").content.decode()
    assert re.findall(r'data-chart="revenue-(\w+)"', text) == ["EUR", "USD"], "the seller's own first"


def test_the_number_of_queries_is_constant(seller: Seller, client_as: Open, actor: Actor) -> None:
    client, counts = client_as(), []
    client.get("/")
    for month in (3, 4):
        with CaptureQueriesContext(connection) as captured:
            client.get("/")
        counts.append(len(captured))
        billing.bill(actor, seller=seller, on=date(2026, month, 1))
    assert counts[0] == counts[1] <= 15


def test_counters_stand_in_the_navigation(seller: Seller, client_as: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(role: str) -> dict[str, str]:
        text = " ".join(
            client_as(role, "en").get("/documents/" if role != "technician" else "/").content.decode().split()
        )
        found = re.findall(
            r'<span class="nav-link-title">([^<]+)</span> <span class="badge[^>]*>([^<]+)<span class="visually', text
        )
        return dict(found)

    assert counted("billing")["Billing"] == "3"
    assert "Billing" not in counted("technician")
    monkeypatch.setattr(todo, "FEW", 3)
    monkeypatch.setattr("taktura.office.navigation.FEW", 3)
    assert counted("billing")["Billing"] == "2+"


def test_more_than_is_counted(seller: Seller, client_as: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(todo, "MOST", 2)
    monkeypatch.setattr("taktura.office.home.MOST", 2)
    assert cards(client_as("billing", "en"))["Contracts due"][0] == "more than 1"


def test_deadlines_of_notice(
    seller: Seller, client_as: Open, page_ok: Callable[..., dict[str, str]], actor: Actor
) -> None:
    lines: dict[str, Any] = {"a": {"title": "A", "price": "7"}}
    tariff = catalog.define_tariff(actor, seller=seller, key="year", title="Year", notice="yearly", lines=lines)
    customer = Customer.objects.get(key="oztuerk")
    # A year from 20 June 2025: notice by 19 March 2026 ends it on 19 June 2026.
    at = actor.at(datetime(2025, 6, 20, 9, tzinfo=UTC))
    contracts.sign(at, key="V-year", customer=customer, tariff=tariff, start=date(2025, 6, 20))
    assert cards(client_as("sales", "en"))["Deadlines of notice"] == ("1", "/deadlines/")
    for text in page_ok("/deadlines/").values():
        assert "V-year" in text and "V-acme" not in text, "monthly notice binds for no longer"
    german = client_as("sales", "de").get("/deadlines/").content.decode()
    assert "19.03.2026" in german and "19.06.2026" in german and "19.06.2027" in german
    assert "V-year" in client_as().get("/deadlines/?q=Öztürk&sort=-deadline").content.decode()
    assert "V-year" not in client_as().get("/deadlines/?until=2026-03-10").content.decode()
    assert client_as().get("/deadlines/?export=csv").content.decode("utf-8-sig").count("2026-03-19") == 1
