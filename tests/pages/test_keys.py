"""Pages of the register of keys, and tying a key with one click where its usage waits."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from taktura.catalog.models import Article, Key
from taktura.catalog.services import define_tariff
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage.models import UsageRecord
from tests.pages.conftest import make_seller

NEW = {"key": "voice.mail", "title": "Answering machine", "titles_de": "Anrufbeantworter", "source": "The telephone"}


def pk(key: str) -> int:
    return Key.objects.get(key=key).pk


@pytest.mark.parametrize("path", ["", "new/", "usual/"])
def test_pages_of_keys(company: Seller, page_ok: Callable[..., dict[str, str]], path: str) -> None:
    assert len(set(page_ok(f"/tariffs/keys/{path}").values())) == 3


@pytest.mark.parametrize("path", ["", "tie/"])
def test_pages_of_one(company: Seller, page_ok: Callable[..., dict[str, str]], path: str) -> None:
    assert len(set(page_ok(f"/tariffs/keys/{pk('calls')}/{path}").values())) == 3


def test_who_may_what(company: Seller, forbidden_to: Callable[[str], set[str]]) -> None:
    assert forbidden_to("/tariffs/keys/new/") == {"billing", "lead", "technician", "viewer"}
    assert forbidden_to("/tariffs/keys/") == {"technician"}
    assert forbidden_to(f"/tariffs/keys/{pk('calls')}/tie/") == {"sales", "technician", "viewer"}


def test_a_key_is_made_changed_and_taken_out(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    assert client.post("/tariffs/keys/new/", NEW | {"own_notice": "on"}).status_code == 302
    made = Key.objects.get(key="voice.mail")
    assert (made.own_notice, made.flat_price, made.titles) == (True, False, {"de": "Anrufbeantworter"})
    again = client.post("/tariffs/keys/new/", NEW)
    assert again.status_code == 422 and "There is a key “voice.mail” already." in again.content.decode()
    text = client_as(language="de").get("/tariffs/keys/").content.decode()
    assert "Anrufbeantworter" in text and "The telephone" in text
    assert client.post(f"/tariffs/keys/{made.pk}/", {"title": "Box", "flat_price": "on"}).status_code == 302
    made.refresh_from_db()
    assert (made.title, made.titles, made.flat_price, made.own_notice) == ("Box", {}, True, False)
    client.post(f"/tariffs/keys/{made.pk}/delete/")
    assert not Key.objects.filter(key="voice.mail").exists()
    assert client.get(f"/tariffs/keys/{made.pk}/").status_code == 404


def test_what_lines_have_is_refused_beside_its_field(
    company: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    lines: dict[str, Any] = {"a": {"charge": "usage", "unit": "minute", "price": "1", "key": "calls"}}
    define_tariff(actor, seller=company, key="x", title="Talk <b>", lines=lines)
    client = client_as()
    response = client.post(f"/tariffs/keys/{pk('calls')}/", {"title": "Kept as typed"})
    text = response.content.decode()
    assert response.status_code == 422 and "Kept as typed" in text and "“Talk &lt;b&gt;”" in text
    assert "Lines of tariffs have the key" in (
        client.post(f"/tariffs/keys/{pk('calls')}/delete/", follow=True).content.decode()
    )


def test_the_usual_keys_come_with_one_click(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    assert "voicemail" in client.get("/tariffs/keys/usual/").content.decode()
    assert "15 keys are registered." in client.post("/tariffs/keys/usual/", follow=True).content.decode()
    assert "All usual keys are registered." in client.get("/tariffs/keys/usual/").content.decode()


def waiting(client: Client) -> str:
    return client.get("/usage/waiting/?reason=unknown_key").content.decode()


def test_a_key_that_nobody_knows_is_tied_with_one_click(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    text = waiting(client)
    assert "what does “nobody” stand for?" in text and "Search (1 record, 1 contract)" in text
    (value,) = re.findall(r'name="key-0" value="([^"]+)"', text)
    for wrong in ({}, {"tie-0": "none"}, {"tie-0": "se\0"}, {"key-0": "{}", "tie-0": "search"}):
        response = client.post("/usage/waiting/", {"action": "key:0", "key-0": value, **wrong}, follow=True)
        assert "Nothing is done: choose what the key stands for." in response.content.decode()
    response = client.post("/usage/waiting/", {"action": "key:0", "key-0": value, "tie-0": "search"}, follow=True)
    said = response.content.decode()
    assert "From now on the key “nobody” stands for “Search”." in said and "1 record found its line." in said
    record = UsageRecord.objects.select_related("line__article").get(external_id="x1")
    assert record.line is not None and record.line.article.key == "search"
    assert Key.objects.get(key="nobody").article == Article.objects.get(key="search")
    assert client_as("viewer").post("/usage/waiting/", {"action": "key:0"}).status_code == 403


def test_it_is_tied_and_untied_at_its_page(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    define = f"/tariffs/keys/{pk('fax')}/"
    assert client.post(f"{define}tie/", {"article": "nothing"}).status_code == 422
    assert client.post(f"{define}tie/", {"article": "base"}).status_code == 422, "it takes no usage"
    assert client.post(f"{define}tie/", {"article": "calls"}).status_code == 302
    assert "it stands for “Calls”" in client.get(define).content.decode()
    assert client.post(f"{define}delete/", follow=True).content.decode().count("untie it first") == 1
    assert "untied" in client.post(f"{define}untie/", follow=True).content.decode()
    assert "tied to no article" in client.post(f"{define}untie/", follow=True).content.decode()


def test_another_sellers_keys_are_not_there(company: Seller, client_as: Callable[..., Client]) -> None:
    other = make_seller("Andere GmbH")
    foreign = Key.objects.create(seller=other, key="secret", title="Secret")
    client = client_as()
    assert "secret" not in client.get("/tariffs/keys/").content.decode()
    for way in ("", "delete/", "tie/", "untie/"):
        assert client.post(f"/tariffs/keys/{foreign.pk}/{way}", {"article": "calls"}).status_code == 404
