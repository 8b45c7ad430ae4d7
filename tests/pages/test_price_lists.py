"""Pages of modules, offer numbers and price lists; and price lists for the world."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from taktura.catalog.models import Module, OfferNumber, Tariff
from taktura.catalog.modules import change_module, create_module
from taktura.catalog.offer_numbers import create_offer_number
from taktura.catalog.services import define_tariff
from taktura.contracts.models import Contract
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.office.tariffs import public
from tests.pages.conftest import LINES

ClientAs = Callable[..., Client]


@pytest.fixture
def offered(seller: Seller, actor: Actor) -> Seller:
    """The small company with a second public tariff, one that is not public, an empty module and an offer number."""
    public.buckets.cache_clear()
    for key, is_public in (("more", True), ("closed", False)):
        define_tariff(
            actor, seller=seller, key=key, title=key.title(), module="telephone", public=is_public, lines=LINES
        )
    create_module(actor, seller=seller, key="empty", title="Empty")
    create_offer_number(actor, tariff=Tariff.objects.get(key="closed"), memo="Müller")
    return seller


def pk(key: str = "telephone") -> int:
    return Module.objects.get(key=key).pk


def closed() -> int:
    return Tariff.objects.get(key="closed").pk


def order(module: str = "telephone") -> list[str]:
    rows = Tariff.objects.filter(module__key=module, public=True)
    return list(rows.order_by("position", "id").values_list("key", flat=True))


@pytest.mark.parametrize("path", ["/tariffs/modules/", "/tariffs/modules/{0}/", "/tariffs/modules/{0}/price-list/",
                                  "/tariffs/modules/{0}/change/", "/tariffs/modules/new/",
                                  "/tariffs/{1}/offer-numbers/", "/tariffs/{1}/offer-numbers/new/",
                                  "/tariffs/{1}/offer-numbers/{2}/"])  # fmt: skip
def test_pages_speak_each_language(offered: Seller, page_ok: Callable[..., dict[str, str]], path: str) -> None:
    assert len(set(page_ok(path.format(pk(), closed(), OfferNumber.objects.get().pk)).values())) == 3


def test_who_may_what(offered: Seller, forbidden_to: Callable[[str], set[str]]) -> None:
    only_looks = {"billing", "lead", "technician", "viewer"}
    assert forbidden_to("/tariffs/modules/") == {"technician"}
    for path in (
        "/tariffs/modules/new/",
        f"/tariffs/modules/{pk()}/change/",
        f"/tariffs/{closed()}/offer-numbers/new/",
    ):
        assert forbidden_to(path) == only_looks


def test_modules_are_put_in_order_by_buttons_without_a_script(offered: Seller, client_as: ClientAs) -> None:
    client = client_as("sales")
    sent = {"order": ["telephone", "empty"], "move": "up:empty"}
    assert client.post("/tariffs/modules/order/", sent).headers["Location"] == "/tariffs/modules/"
    assert list(Module.objects.order_by("position").values_list("key", flat=True)) == ["empty", "telephone"]


@pytest.mark.parametrize(
    ("sent", "now"),
    [
        ({"order": ["talk", "more"], "move": "down:talk"}, ["more", "talk"]),
        ({"order": ["talk", "more"], "move": "up:talk"}, ["talk", "more"]),
        ({"order": ["more", "talk"]}, ["more", "talk"]),  # as it was dragged
        ({"order": ["more", "more", "talk"]}, ["more", "talk"]),
        ({"order": ["talk", "nobody"], "move": "down:talk"}, ["talk", "more"]),  # refused
        ({}, ["talk", "more"]),
        ({"order": ["talk", "more"], "move": "sideways:talk"}, ["talk", "more"]),
    ],
)
def test_listed_tariffs_are_put_in_order(
    offered: Seller, client_as: ClientAs, sent: dict[str, Any], now: list[str]
) -> None:
    assert client_as("sales").post(f"/tariffs/modules/{pk()}/tariffs/", sent).status_code == 302
    assert order() == now


def test_a_module_is_made_renamed_filled_emptied_and_deleted(offered: Seller, client_as: ClientAs) -> None:
    client = client_as("sales", "de")
    names = {"title": "Desk", "key": "desk", "title_de": "Büro", "title_sv": "", "title_en": ""}
    made = client.post("/tariffs/modules/new/", names)
    url = made.headers["Location"]
    assert "Büro" in client.get(url).content.decode()
    assert "There is a module" in client_as("sales").post("/tariffs/modules/new/", names).content.decode()
    client = client_as("sales", "de")
    assert client.post(f"{url}change/", names | {"title_de": "Virtuelles Büro"}).status_code == 302
    assert Module.objects.get(key="desk").titles == {"de": "Virtuelles Büro"}
    client.post(f"{url}place/", {"tariff": "more"})
    assert order("desk") == ["more"] and order() == ["talk"]
    assert "hat Tarife" in client.post(f"{url}delete/", follow=True).content.decode()
    client.post(f"{url}take-out/{Tariff.objects.get(key='more').pk}/")
    assert order("desk") == []
    client.post(f"{url}delete/")
    assert not Module.objects.filter(key="desk").exists()


def test_an_offer_number_is_made_copied_and_revoked(offered: Seller, client_as: ClientAs) -> None:
    client = client_as("sales", "de")
    version = Tariff.objects.get(key="closed").versions.get().pk
    sent = {"memo": "Schulze", "version": version, "last_day": "31.12.2199", "most_uses": "3"}
    url = client.post(f"/tariffs/{closed()}/offer-numbers/new/", sent).headers["Location"]
    made = OfferNumber.objects.latest("pk")
    text = client.get(url).content.decode()
    assert made.number in text and "Schulze" in text and 'data-copy="#offer-number"' in text
    assert made.most_uses == 3 and str(made.last_day) == "2199-12-31"
    client.post(f"{url}revoke/")
    made.refresh_from_db()
    assert made.revoked_at is not None and "Widerrufen" in client.get(url).content.decode()


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"last_day": "2020-01-01"}, "last_day"), ({"most_uses": "0"}, "most_uses"), ({"version": "999999"}, "version")],
)
def test_a_wrong_offer_number_is_refused_beside_its_field(
    offered: Seller, client_as: ClientAs, sent: dict[str, str], field: str
) -> None:
    whole = {"memo": "typed text", "version": str(Tariff.objects.get(key="closed").versions.get().pk), **sent}
    response = client_as("sales").post(f"/tariffs/{closed()}/offer-numbers/new/", whole)
    text = response.content.decode()
    assert response.status_code == 422 and f'id="id_{field}_error"' in text and "typed text" in text
    assert OfferNumber.objects.count() == 1


def test_a_contract_is_signed_by_an_offer_number(offered: Seller, client_as: ClientAs) -> None:
    number = OfferNumber.objects.get()
    sent = {"customer": "acme", "tariff": closed(), "start": "2026-12-01", "key": "N-1", "offer_number": "wrong"}
    client = client_as("sales")
    refused = client.post("/contracts/sign/", sent)
    assert refused.status_code == 422 and 'id="id_offer_number_error"' in refused.content.decode()
    assert client.post("/contracts/sign/", sent | {"offer_number": number.number}).status_code == 302
    contract = Contract.objects.get(key="N-1")
    assert contract.offer_number == number
    assert "N-1" in client.get(f"/tariffs/{closed()}/offer-numbers/{number.pk}/").content.decode()
    assert number.number in client.get(f"/contracts/{contract.pk}/").content.decode()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", ["€19.90", "comes on top"]),
        ("language=de&prices=gross", ["23,68", "enthalten 19"]),
        ("language=sv&on=2026-06-01", ["Prislista", "1 juni"]),
    ],
)
def test_the_office_shows_the_list_that_is_asked_for(
    offered: Seller, client_as: ClientAs, query: str, wanted: list[str]
) -> None:
    text = client_as().get(f"/tariffs/modules/{pk()}/price-list/?{query}").content.decode().replace("\xa0", " ")
    for one in wanted:
        assert one in text or one == "1 juni", one
    assert "&lt;iframe src=" in text and "price-list.pdf?language=" in text


@pytest.mark.parametrize("query", ["on=nonsense", "language=fr", "prices=both", "offer_number=nothing"])
def test_a_list_that_cannot_be_is_said_to(offered: Seller, client_as: ClientAs, query: str) -> None:
    for address in ("price-list/", "price-list.pdf"):
        response = client_as().get(f"/tariffs/modules/{pk()}/{address}?{query}")
        assert response.status_code == 422 and "_error" in response.content.decode()


def test_the_list_as_pdf(offered: Seller, client_as: ClientAs) -> None:
    number = OfferNumber.objects.get().number
    response = client_as().get(f"/tariffs/modules/{pk()}/price-list.pdf?language=de&offer_number={number}")
    assert response.headers["Content-Type"] == "application/pdf" and response.content.startswith(b"%PDF")


# For the world


def world(seller: Seller, query: str = "", module: str = "telephone", **headers: str) -> Any:
    client = Client(SERVER_NAME="localhost")
    return client.get(f"/price-list/{seller.pk}/{module}/{query}", **headers)  # type: ignore[arg-type]


def test_anyone_reads_the_public_tariffs(offered: Seller) -> None:
    response = world(offered, "?language=sv&prices=gross")
    text = response.content.decode()
    assert response.status_code == 200 and '<html lang="sv">' in text and "23,68" in text
    assert "More" in text and "Closed" not in text and OfferNumber.objects.get().number not in text
    assert "<script" not in text and " style=" not in text


def test_it_begins_with_vat_leads_to_prices_without_it_and_to_the_end_of_contracts(offered: Seller) -> None:
    gross = world(offered, "?language=de").content.decode()
    net = world(offered, "?language=de&prices=net").content.decode()
    assert "23,68" in gross and "23,68" not in net and "19,90" in net
    assert 'href="?language=de&amp;prices=net"' in gross and 'href="?language=de&amp;prices=gross"' in net
    ending = f'href="/portal/end-contract/{offered.pk}/"'
    assert ending in gross and "Verträge hier kündigen" in gross
    Seller.objects.update(consumer_rules="none")
    assert ending not in world(offered, "?language=de").content.decode()


def test_it_may_be_kept_and_is_asked_for_by_its_mark(offered: Seller) -> None:
    first = world(offered)
    assert first.headers["Cache-Control"] == "public, max-age=300" and "Cookie" not in first.headers.get("Vary", "")
    assert not first.cookies and first.headers["Content-Language"] == "de"
    again = world(offered, HTTP_IF_NONE_MATCH=first.headers["ETag"])
    assert again.status_code == 304 and not again.content and again.headers["ETag"] == first.headers["ETag"]
    Tariff.objects.filter(key="more").update(retired=True)
    assert world(offered, HTTP_IF_NONE_MATCH=first.headers["ETag"]).status_code == 200


def test_only_sites_that_are_named_may_frame_it(offered: Seller) -> None:
    shut = world(offered).headers
    assert "frame-ancestors 'none'" in shut["Content-Security-Policy"] and "X-Frame-Options" not in shut
    assert "script-src 'none'" in shut["Content-Security-Policy"]
    with override_settings(PRICE_LIST_SITES=["https://www.example.com"]):
        assert "frame-ancestors https://www.example.com" in world(offered).headers["Content-Security-Policy"]


def test_who_is_signed_in_sees_what_all_see(offered: Seller, client_as: ClientAs) -> None:
    own = client_as(language="sv").get(f"/price-list/{offered.pk}/telephone/")
    assert own.content == world(offered).content and "Cookie" not in own.headers.get("Vary", "")


@pytest.mark.parametrize(
    "path",
    ["1/nobody/", "999/telephone/", f"{2**63}/telephone/", f"{10**300}/telephone/", "1/%00/", f"1/{'x' * 3000}/",
     "1/telephone/?language=fr", f"1/telephone/?language={'x' * 5000}", "1/telephone/?prices=both",
     "1/telephone/?prices=%00", "1/..%2f/"],
)  # fmt: skip
def test_what_there_is_not_is_not_found(offered: Seller, path: str) -> None:
    assert Client(SERVER_NAME="localhost").get(f"/price-list/{path}").status_code == 404


def test_only_looking_is_allowed(offered: Seller) -> None:
    client = Client(SERVER_NAME="localhost")
    assert client.post(f"/price-list/{offered.pk}/telephone/").status_code in (403, 405)
    assert client.head(f"/price-list/{offered.pk}/telephone/").status_code == 200


def test_a_script_in_titles_stays_text(offered: Seller, actor: Actor, client_as: ClientAs) -> None:
    evil = "<script>alert(1)</script>"
    lines = {"base": {"title": evil, "heading": evil, "charge": "recurring", "price": "1"}}
    define_tariff(actor, seller=offered, key="evil", title=evil, module="telephone", public=True, lines=lines)
    change_module(actor, module=Module.objects.get(key="telephone"), title=evil)
    for text in (
        world(offered).content.decode(),
        client_as().get(f"/tariffs/modules/{pk()}/price-list/").content.decode(),
        client_as().get(f"/tariffs/modules/{pk()}/").content.decode(),
        client_as().get("/tariffs/modules/").content.decode(),
    ):
        assert evil not in text and "&lt;script&gt;" in text


def test_who_asks_too_often_waits(offered: Seller) -> None:
    with override_settings(PUBLIC_RATE=1, PUBLIC_BURST=3):
        public.buckets.cache_clear()
        answers = [world(offered) for _ in range(5)]
    public.buckets.cache_clear()
    assert [a.status_code for a in answers[:3]] == [200] * 3
    assert answers[-1].status_code == 429 and int(answers[-1].headers["Retry-After"]) >= 1


def test_few_queries_answer(offered: Seller) -> None:
    world(offered)
    with CaptureQueriesContext(connection) as queries:
        world(offered)
    assert len(queries) <= 8
