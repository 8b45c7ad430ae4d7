"""The order page, without a script: what is offered, the price as it is billed, ordering, confirming, approving."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.coupons import define_coupon
from taktura.catalog.models import Tariff
from taktura.catalog.offer_numbers import create_offer_number
from taktura.contracts.models import Contract, Order
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import OutgoingMail
from taktura.portal.ordering import stamp
from tests.pages.conftest import LANGUAGES

PERSON = {
    "kind": "consumer", "name": "Frau Dr. Wilhelmine Schmidt-Rüdigersdorf", "street": "Weg 1", "postcode": "10115",
    "city": "Berlin", "country": "DE", "email": "w@schmidt.example", "language": "de",
}  # fmt: skip


@pytest.fixture
def page(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address at which the tariff is ordered."""
    Seller.objects.filter(pk=seller.pk).update(order_page=True)
    monkeypatch.setattr(stamp, "LEAST", 0)
    return reverse("order_tariff", args=[seller.pk, "telephone", "talk"])


@pytest.fixture
def office(client_as: Callable[..., Client]) -> Client:
    return client_as("billing")


@pytest.fixture
def stranger() -> Client:
    return Client(SERVER_NAME="localhost", enforce_csrf_checks=True)


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    return found[1] if found else ""


def quantity(tariff: str = "talk", article: str = "number") -> str:
    version = Tariff.objects.get(key=tariff).versions.get()
    return f"quantity_{version.lines.get(article__key=article).pk}"


def send(client: Client, page: str, html: str, action: str, **fields: Any) -> Any:
    """Press a button of the page as it was shown."""
    shown = {"stamp": hidden(html, "stamp"), "seen": hidden(html, "seen"), "action": action}
    return client.post(page, shown | PERSON | fields)


def link() -> str:
    mail = OutgoingMail.objects.filter(kind="order").order_by("id").last()
    assert mail is not None
    found = re.search(r"http://localhost(/order/confirm/\S+)", mail.text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_module_shows_its_public_tariffs(stranger: Client, seller: Seller, page: str, language: str) -> None:
    catalog.define_tariff(
        Actor("t", utc_now()), seller=seller, key="secret", title="Geheim", module="telephone", lines={}, public=False
    )
    answer = stranger.get(reverse("order_module", args=[seller.pk, "telephone"]) + f"?language={language}")
    text = answer.content.decode()
    assert answer.status_code == 200 and f'lang="{language}"' in text
    assert "Telefonservice" in text and page in text and "Geheim" not in text


def test_what_is_shown_is_ordered_approved_and_billed(
    stranger: Client, office: Client, seller: Seller, page: str
) -> None:
    define_coupon(Actor("t", utc_now()), seller=seller, key="HALF", percent="50")
    first = stranger.get(page + "?language=de").content.decode()
    assert "zahlungspflichtig bestellen</button>" in first
    wanted = {quantity(): "3", "code": "HALF"}
    early = send(stranger, page, first, "order", **wanted)
    assert early.status_code == 422 and not Order.objects.exists()  # the price was another one
    looked = send(stranger, page, first, "look", **wanted).content.decode()
    sent = send(stranger, page, looked, "order", **wanted)
    again = send(stranger, page, looked, "order", **wanted)
    assert (sent.status_code, again.status_code) == (200, 200)
    order = Order.objects.get()
    assert stranger.get(link()).status_code == 200
    assert Order.objects.get().state == "unconfirmed"  # a look confirms nothing
    confirm = stranger.get(link()).content.decode()
    stranger.post(link(), {"seen": hidden(confirm, "seen")})
    assert Order.objects.get().state == "open" and not Contract.objects.filter(orders=order).exists()
    assert "1" in office.get(reverse("home")).content.decode()
    assert office.get(reverse("orders")).status_code == 200
    assert office.get(reverse("order", args=[order.pk])).status_code == 200
    made = office.post(reverse("approve_order", args=[order.pk]))
    contract = Contract.objects.get(orders=order)
    assert made.url == reverse("contract", args=[contract.pk])
    billing.bill(Actor("t", utc_now()), seller=seller, on=contract.start)
    bills = Document.objects.filter(contract=contract)
    assert [d.gross for d in bills] == [row["gross"] for row in order.prices[:1] if row["gross"]]
    assert bills and f"{Decimal(bills[0].gross) / 100:.2f}".replace(".", ",") in looked


def test_consumers_are_shown_prices_with_vat_and_companies_without(stranger: Client, seller: Seller, page: str) -> None:
    module = reverse("order_module", args=[seller.pk, "telephone"])

    def prices(text: str) -> set[str]:
        return set(re.findall(r"\d+,\d\d", text))

    gross = stranger.get(f"{module}?language=de").content.decode()
    net = stranger.get(f"{module}?language=de&for=business").content.decode()
    assert "Preise inklusive Umsatzsteuer" in gross and "Preise ohne Umsatzsteuer" in net
    assert {"23,68"} <= prices(gross) and not {"23,68"} & prices(net) and {"19,90"} <= prices(net)
    assert f"{page}?language=de&amp;for=business" in net
    html = stranger.get(f"{page}?language=de").content.decode()
    assert "Preise inklusive Umsatzsteuer" in html and "23,68" in html
    began = stranger.get(f"{page}?language=de&for=business").content.decode()
    assert "Preise ohne Umsatzsteuer" in began and re.search(r'value="business"[^>]*checked', began)
    looked = send(stranger, page, html, "look", kind="business").content.decode()
    assert "Preise ohne Umsatzsteuer" in looked
    fields = {"stamp": hidden(html, "stamp"), "kind": "business", "country": "DE", "language": "de"}
    part = stranger.post(page, fields, headers={"HX-Request": "true"}).content.decode()
    assert 'id="basis" hx-swap-oob="true"' in part and "Preise ohne Umsatzsteuer" in part and "19,90" in part
    assert part.count('id="price-') == html.count('id="price-') > 0


def test_orders_are_listed_filtered_and_counted(
    stranger: Client, client_as: Callable[..., Client], seller: Seller, page: str
) -> None:
    office = client_as("billing", "en")
    for name in ("Anna Abel", "Bo Berg", "Cato Cohn"):
        send(stranger, page, stranger.get(page).content.decode(), "order", name=name)
        if name != "Cato Cohn":
            billing.confirm_order(Actor("t", utc_now()), secret=link().split("/")[3])
    billing.refuse_order(Actor("t", utc_now()), order=Order.objects.get(name="Bo Berg"), reason="No.")
    address = reverse("orders")
    found = {
        query: re.findall(r"(Anna Abel|Bo Berg|Cato Cohn)", office.get(address + query).content.decode())
        for query in ("", "?state=open", "?state=refused", "?q=berg", "?kind=business", "?since=2099-01-01")
    }
    assert found == {
        "": ["Cato Cohn", "Bo Berg", "Anna Abel"], "?state=open": ["Anna Abel"], "?state=refused": ["Bo Berg"],
        "?q=berg": ["Bo Berg"], "?kind=business": [], "?since=2099-01-01": [],
    }  # fmt: skip
    home = " ".join(office.get("/").content.decode().split())
    assert re.search(r'href="/orders/"[^>]*>(?:(?!</a>).)*?<span class="badge[^"]*"[^>]*>1', home)
    exported = office.get(address + "?export=csv&state=refused").content.decode()
    assert "Bo Berg" in exported and "Anna" not in exported


def test_staff_refuse_with_a_reason(stranger: Client, office: Client, seller: Seller, page: str) -> None:
    html = stranger.get(page).content.decode()
    send(stranger, page, html, "order")
    billing.confirm_order(Actor("t", utc_now()), secret=link().split("/")[3])
    order = Order.objects.get()
    address = reverse("refuse_order", args=[order.pk])
    assert office.post(address, {"reason": ""}).status_code == 422
    assert office.post(address, {"reason": "Wir liefern nicht."}).url == reverse("orders")
    assert Order.objects.get().state == "refused"
    Customer.objects.filter(key="acme").update(name="Acme")
    assert office.get(reverse("order", args=[order.pk])).status_code == 200


def test_a_customer_with_the_same_mail_is_a_hint(stranger: Client, office: Client, seller: Seller, page: str) -> None:
    send(stranger, page, stranger.get(page).content.decode(), "order", email="ACME@c.example")
    text = office.get(reverse("order", args=[Order.objects.get().pk])).content.decode()
    assert "Acme GmbH" in text


def test_with_htmx_the_price_comes_alone(stranger: Client, page: str) -> None:
    html = stranger.get(page).content.decode()
    fields = {"stamp": hidden(html, "stamp"), "kind": "consumer", "country": "DE", quantity(): "2"}
    answer = stranger.post(page, fields, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 200 and "<html" not in text
    assert hidden(text, "seen") not in ("", hidden(html, "seen"))


def test_a_wrong_coupon_is_said_and_nothing_is_ordered(stranger: Client, page: str) -> None:
    html = stranger.get(page).content.decode()
    answer = send(stranger, page, html, "order", code="NONE", language="en")
    assert answer.status_code == 422 and "There is no coupon" in answer.content.decode()
    assert not Order.objects.exists()


def test_floods(stranger: Client, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    html = stranger.get(page).content.decode()
    assert send(stranger, page, html, "order", website="http://spam").status_code == 422
    assert send(stranger, page, html, "order", stamp="made-up").status_code == 422
    monkeypatch.setattr(stamp, "LEAST", 3600)
    assert send(stranger, page, html, "order").status_code == 422
    assert not Order.objects.exists()
    monkeypatch.setattr(stamp, "LEAST", 0)
    found = [send(stranger, page, stranger.get(page).content.decode(), "order").status_code for _ in range(7)]
    assert found[:5] == [200] * 5 and found[5:] == [422] * 2


def test_terms_must_be_accepted_and_withdrawal_is_told_to_consumers(
    stranger: Client, seller: Seller, page: str
) -> None:
    Seller.objects.update(terms_url="https://x.example/agb", withdrawal="Binnen 14 Tagen.")
    html = stranger.get(page).content.decode()
    assert "Binnen 14 Tagen." in html
    assert send(stranger, page, html, "order").status_code == 422
    assert send(stranger, page, html, "order", terms="on").status_code == 200
    looked = send(stranger, page, html, "look", kind="business").content.decode()
    assert "Binnen 14 Tagen." not in looked


def test_an_offer_number_opens_a_tariff_that_is_not_public(stranger: Client, seller: Seller, page: str) -> None:
    actor = Actor("t", utc_now())
    tariff = catalog.define_tariff(
        actor, seller=seller, key="own", title="Für Sie", lines={"base": {"charge": "recurring", "price": "7"}}
    )
    number = create_offer_number(actor, tariff=tariff).number
    address = reverse("order_offer", args=[seller.pk, number])
    html = stranger.get(address).content.decode()
    assert "Für Sie" in html and "8" in html
    assert send(stranger, address, html, "order").status_code == 200
    assert Order.objects.get().offer_number.number == number
    entered = stranger.get(reverse("order_module", args=[seller.pk, "telephone"]), {"offer_number": number})
    assert entered.status_code == 302 and entered.url.startswith(address)
    assert stranger.get(reverse("order_offer", args=[seller.pk, "XXXX"])).status_code == 404
    assert stranger.get(reverse("order_tariff", args=[seller.pk, "telephone", "own"])).status_code == 404


def test_nothing_is_there_where_the_page_is_off(stranger: Client, seller: Seller, page: str) -> None:
    Seller.objects.update(order_page=False)
    for address in (page, reverse("order_module", args=[seller.pk, "telephone"])):
        assert stranger.get(address).status_code == 404
    assert stranger.get("/order/confirm/nothing/").status_code == 410


def test_it_stands_in_frames_where_price_lists_may(stranger: Client, page: str) -> None:
    answer = stranger.get(page)
    assert "X-Frame-Options" not in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert not answer.cookies
