"""Webhooks on pages: set up, paused, tried, looked at, sent again."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from standardwebhooks.webhooks import Webhook

from taktura.audit.models import LogEntry
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.office.settings.deliveries import why
from taktura.webhooks import delivering, services
from taktura.webhooks.events import TYPES
from taktura.webhooks.models import WebhookDelivery, WebhookEndpoint
from taktura.webhooks.sending import Answer
from tests.api.receiver import Receiver, receiving
from tests.pages.forms import form_of

Pages = Callable[..., dict[str, str]]
SignIn = Callable[..., Client]
LIST, NEW, LOG = "/settings/webhooks/", "/settings/webhooks/new/", "/settings/webhooks/deliveries/"
URL = "https://shop.example/taktura"
OUTSIDE = {"sales", "lead", "technician", "viewer"}
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def now() -> Actor:
    """Who acts, at this moment: what waits is due."""
    return Actor("test", utc_now())


@pytest.fixture
def endpoint(seller: Seller, now: Actor) -> WebhookEndpoint:
    """A webhook whose description is a script."""
    return services.create_endpoint(now, seller=seller, url=URL, description=SCRIPT)[0]


@pytest.fixture
def delivery(endpoint: WebhookEndpoint, now: Actor) -> WebhookDelivery:
    """A test event that was refused once, with a script for an answer."""
    made = services.send_test(now, endpoint=endpoint)
    headers = {"webhook-id": made.event_id, "webhook-signature": "v1,c2lnbmF0dXJl"}
    delivering.note(made.pk, Answer(500, SCRIPT, "", 12, URL, headers), now.now)
    made.refresh_from_db()
    return made


@pytest.fixture
def foreign(seller: Seller, now: Actor) -> WebhookDelivery:
    """A delivery of another company."""
    other = customers.create_seller(
        now, name="Andere", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]]
    )
    theirs = services.create_endpoint(now, seller=other, url="https://other.example/")[0]
    return services.send_test(now, endpoint=theirs)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Somebody on this machine who gets events."""
    monkeypatch.setattr(settings, "WEBHOOKS_TO_PRIVATE_ADDRESSES", True)
    with receiving() as one:
        yield one


def text_of(client: Client, path: str, **options: Any) -> str:
    response = client.get(path, **options)
    assert response.status_code == 200, path
    return str(response.content.decode())


def test_pages_open_in_three_languages_to_those_who_may_see_them(
    endpoint: WebhookEndpoint, delivery: WebhookDelivery, page_ok: Pages, forbidden_to: Callable[[str], set[str]]
) -> None:
    for path in (LIST, LOG, f"{LIST}{endpoint.pk}/", f"{LOG}{delivery.pk}/"):
        texts = page_ok(path)
        assert len(set(texts.values())) == 3 and all(SCRIPT not in text for text in texts.values())
        assert forbidden_to(path) == OUTSIDE
    for path in (NEW, f"{LIST}{endpoint.pk}/change/"):
        page_ok(path)
        assert forbidden_to(path) == {*OUTSIDE, "billing"}


def test_who_may_only_look_sees_no_button_and_can_send_nothing(
    endpoint: WebhookEndpoint, delivery: WebhookDelivery, client_as: SignIn
) -> None:
    for role in ("billing", "viewer"):
        client = client_as(role)
        for path in (
            *(f"{LIST}{endpoint.pk}/{verb}/" for verb in ("change", "pause", "go-on", "secret", "test", "remove")),
            NEW, f"{LOG}{delivery.pk}/again/",
        ):  # fmt: skip
            assert client.post(path, {"url": "https://evil.example/"}).status_code == 403, (role, path)
        chosen = {"action": "again", "chosen": str(delivery.pk)}
        assert client.post(LOG, chosen).status_code == 403
    delivery.refresh_from_db()
    assert (delivery.attempts, WebhookEndpoint.objects.get().url) == (1, URL)
    looks = client_as("billing")
    for path in (f"{LIST}{endpoint.pk}/", f"{LOG}{delivery.pk}/", LIST):
        text = text_of(looks, path).partition("<main")[2]
        assert f"{endpoint.pk}/remove/" not in text and "/again/" not in text and NEW not in text


def test_a_webhook_is_made_and_its_secret_shown_once(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    assert "No webhooks yet" in text_of(client, LIST)
    typed = {"url": f" {URL} ", "description": "Web shop", "events": ["payment.received", "invoice.issued"]}
    response = client.post(NEW, typed)
    made = WebhookEndpoint.objects.get()
    assert (made.url, made.events) == (URL, ["invoice.issued", "payment.received"])
    secret = services.secrets_of(made, utc_now())[0]
    assert response.status_code == 200 and secret in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"] and "draw another" in response.content.decode()
    for path in (LIST, f"{LIST}{made.pk}/", f"{LIST}{made.pk}/change/"):
        text = text_of(client, path)
        assert secret not in text and made.secret not in text
    assert "Invoice issued, Payment entered" in text_of(client, LIST)
    entry = LogEntry.objects.latest("id")
    assert (entry.action, entry.actor) == ("create_webhook", "user:admin@firm.example")
    assert secret not in str(entry.data)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://127.0.0.1/hook", "Die Adresse liegt in einem privaten Netz"),
        ("https://localhost/hook", "Die Adresse liegt in einem privaten Netz"),
        ("http://shop.example/", "https://"),
        ("javascript:alert(1)", "ist keine Webadresse"),
        (f'https://x.example/{SCRIPT}"', "ist keine Webadresse"),
        ("", "Dieses Feld"),
    ],
)
def test_an_address_that_may_not_be_is_refused_beside_its_field(
    seller: Seller, client_as: SignIn, url: str, said: str
) -> None:
    client = client_as(language="de")
    response = client.post(NEW, {"url": url, "description": "Web shop", "events": ["usage.recorded"]})
    text = response.content.decode()
    assert response.status_code == 422 and not WebhookEndpoint.objects.exists()
    beside = text.partition('id="id_url_error"')[2].partition("</div>")[0]
    assert said in beside and SCRIPT not in text
    assert 'value="Web shop"' in text and 'value="usage.recorded" checked' in text, "what was typed stays"


def test_private_addresses_are_taken_where_the_installation_allows_them(
    seller: Seller, client_as: SignIn, receiver: Receiver
) -> None:
    client = client_as()
    assert "Addresses of your own network are allowed here" in text_of(client, NEW)
    assert client.post(NEW, {"url": "http://192.168.0.7/hook"}).status_code == 200
    assert WebhookEndpoint.objects.get().events == [], "none chosen: all"


def test_a_webhook_is_changed(endpoint: WebhookEndpoint, client_as: SignIn) -> None:
    client, path = client_as(), f"{LIST}{endpoint.pk}/change/"
    shown = {name: value for name, value in form_of(client, path).items() if name != "seen"}
    assert shown == {"url": URL, "description": SCRIPT}
    response = client.post(path, {"url": "https://new.example/", "description": "", "events": list(TYPES[:2])})
    assert (response.status_code, response.headers["Location"]) == (302, f"{LIST}{endpoint.pk}/")
    shown = {name: value for name, value in form_of(client, path).items() if name != "seen"}
    assert shown == {"url": "https://new.example/", "description": "", "events": list(TYPES[:2])}
    assert "new.example" in text_of(client, LIST)
    assert client.post(path, {"url": URL, "events": ["invoice.lost"]}).status_code == 422
    response = client.post(path, {"url": URL, "description": "x" * 201})
    assert response.status_code == 422 and 'id="id_description_error"' in response.content.decode()


def test_it_is_paused_and_goes_on_with_or_without_what_waits(
    endpoint: WebhookEndpoint, delivery: WebhookDelivery, client_as: SignIn
) -> None:
    client, path = client_as(), f"{LIST}{endpoint.pk}/"
    for meanwhile, state in (("send", "waiting"), ("leave_out", "failed")):
        assert client.post(f"{path}pause/").status_code == 302
        text = text_of(client, path)
        assert "Paused by hand since" in text and "Send a test event" not in text
        assert "the webhook is off" in text_of(client, f"{LOG}{delivery.pk}/").lower()
        refused = client.post(f"{path}test/", follow=True).content.decode()
        assert "The webhook is off: switch it on first." in refused
        assert client.post(f"{path}go-on/", {"meanwhile": meanwhile}).status_code == 302
        delivery.refresh_from_db()
        endpoint.refresh_from_db()
        assert (endpoint.active, delivery.state) == (True, state)


@pytest.mark.parametrize(("reason", "said"), [("gone", "(410)"), ("failing", "took nothing for two days")])
def test_one_that_was_switched_off_says_why_and_stands_among_what_is_to_be_done(
    endpoint: WebhookEndpoint, client_as: SignIn, reason: str, said: str
) -> None:
    client = client_as()
    services.turn_off(endpoint, utc_now(), reason)
    assert said in text_of(client, f"{LIST}{endpoint.pk}/") and "Switched off" in text_of(client, LIST)
    task = text_of(client, "/").partition("Webhooks that do not arrive</a>")[0][-400:]
    assert '<p class="figure mb-0">1</p>' in task and f'href="{LIST}?state=trouble"' in task
    assert "Webhooks that do not arrive" not in text_of(client_as("viewer"), "/")


def test_a_new_secret_signs_beside_the_old_one_for_a_day(endpoint: WebhookEndpoint, client_as: SignIn) -> None:
    client, path = client_as(), f"{LIST}{endpoint.pk}/"
    old = services.secrets_of(endpoint, utc_now())[0]
    shown = client.post(f"{path}secret/").content.decode()
    endpoint.refresh_from_db()
    new, before = services.secrets_of(endpoint, utc_now())
    assert new in shown and before == old and old not in shown
    assert "the secret before it signs, too" in text_of(client, path)
    WebhookEndpoint.objects.update(old_until=utc_now() - timedelta(minutes=1))
    assert "the secret before it signs, too" not in text_of(client, path)


def test_a_test_event_is_sent_and_what_became_of_it_shown(
    seller: Seller, now: Actor, receiver: Receiver, client_as: SignIn
) -> None:
    made, secret = services.create_endpoint(now, seller=seller, url=receiver.url)
    client = client_as()
    response = client.post(f"{LIST}{made.pk}/test/")
    one = WebhookDelivery.objects.get()
    path = f"{LOG}{one.pk}/"
    assert response.headers["Location"] == path
    waits = text_of(client, path)
    assert "Not tried yet" in waits and 'hx-trigger="every 2s"' in waits
    receiver.answers = [503, 200]
    delivering.send_round(made.pk)
    failed = text_of(client, path)
    assert "HTTP 503" in failed and "answer 503" in failed and "Next attempt" in failed and "every 2s" not in failed
    assert client.post(f"{path}again/").status_code == 302
    delivering.send_round(made.pk)
    done = text_of(client, path)
    assert done.index("HTTP 200") < done.index("HTTP 503"), "every try stands there, the last first"
    headers, body = receiver.came[1]
    assert Webhook(secret).verify(body, headers)["type"] == "webhook.test"
    assert headers["webhook-signature"] in done and secret not in done
    assert "&quot;type&quot;: &quot;webhook.test&quot;" in done


def test_a_delivered_one_is_sent_again_with_the_same_id(
    seller: Seller, now: Actor, receiver: Receiver, client_as: SignIn
) -> None:
    made = services.create_endpoint(now, seller=seller, url=receiver.url)[0]
    one = services.send_test(now, endpoint=made)
    delivering.send_round(made.pk)
    client, path = client_as(), f"{LOG}{one.pk}/"
    assert "It was delivered. It is sent once more" in text_of(client, path), "it asks before"
    assert client.post(f"{path}again/").status_code == 302
    delivering.send_round(made.pk)
    assert [h["webhook-id"] for h, _ in receiver.came] == [one.event_id] * 2
    assert LogEntry.objects.latest("id").data == {"id": made.pk, "events": 1}
    one.refresh_from_db()
    assert one.state == "delivered" and one.tries.count() == 2


def test_a_selection_is_sent_again_but_for_webhooks_that_are_off(
    seller: Seller, now: Actor, delivery: WebhookDelivery, foreign: WebhookDelivery, client_as: SignIn
) -> None:
    off = services.create_endpoint(now, seller=seller, url="https://off.example/")[0]
    others = [services.send_test(now, endpoint=off) for _ in range(2)]
    WebhookDelivery.objects.update(state="failed", attempts=9)
    services.switch_off(now, endpoint=off)
    client = client_as()
    chosen = {"action": "again", "chosen": [str(d.pk) for d in (delivery, others[0], foreign)]}
    text = client.post(LOG, chosen, follow=True).content.decode()
    assert "1 event is sent again." in text and "1 event is not: its webhook is off." in text
    rows = {d.pk: (d.state, d.attempts) for d in WebhookDelivery.objects.all()}
    assert rows == {
        delivery.pk: ("waiting", 0), **{d.pk: ("failed", 9) for d in (*others, foreign)}
    }  # fmt: skip
    services.switch_on(now, endpoint=off)
    WebhookDelivery.objects.update(state="failed", attempts=9)
    client.post(f"{LOG}?state=failed&webhook={off.pk}", {"action": "again", "all": "1"})
    again = WebhookDelivery.objects.filter(state="waiting")
    assert set(again.values_list("pk", flat=True)) == {d.pk for d in others}, "all that the filter finds"


def test_the_log_is_filtered(
    seller: Seller, now: Actor, delivery: WebhookDelivery, foreign: WebhookDelivery, client_as: SignIn
) -> None:
    other = services.create_endpoint(now, seller=seller, url="https://erp.example/")[0]
    customers.create_customer(now, seller=seller, key="new", name="New GmbH")
    delivering.read_log(now.now)
    client = client_as()

    def found(query: str) -> list[int]:
        return sorted(int(pk) for pk in re.findall(rf'href="{LOG}(\d+)/"', text_of(client, f"{LOG}{query}")))

    mine = WebhookDelivery.objects.exclude(pk=foreign.pk)
    created = sorted(mine.filter(type="customer.created").values_list("pk", flat=True))
    assert len(created) == 2 and found("") == sorted([delivery.pk, *created])
    assert found("?event=customer.created") == created
    assert found(f"?webhook={other.pk}&state=waiting") == [d.pk for d in other.deliveries.all()]
    assert found(f"?q={delivery.event_id}") == [delivery.pk] and found("?q=evt") == []
    assert found(f"?webhook={foreign.endpoint_id}") == found(""), "a webhook of others is no choice"
    counts = []
    for wanted in ("?event=webhook.test", ""):
        with CaptureQueriesContext(connection) as asked:
            client.get(f"{LOG}{wanted}")
        counts.append(len(asked))
    assert counts[0] == counts[1]
    export = b"".join(client.get(f"{LOG}?export=csv")).decode()
    assert "customer.created" in export


def test_what_belongs_to_another_company_is_not_there(foreign: WebhookDelivery, client_as: SignIn) -> None:
    client, theirs = client_as(), foreign.endpoint_id
    assert client.get(f"{LIST}{theirs}/").status_code == 404 and client.get(f"{LOG}{foreign.pk}/").status_code == 404
    for verb in ("change", "pause", "go-on", "secret", "test", "remove"):
        assert client.post(f"{LIST}{theirs}/{verb}/", {"url": URL}).status_code == 404, verb
    assert client.post(f"{LOG}{foreign.pk}/again/").status_code == 404
    assert client.get(f"{LOG}999999/").status_code == 404
    before = foreign.endpoint
    assert WebhookEndpoint.objects.values().get() == {
        f.attname: getattr(before, f.attname) for f in WebhookEndpoint._meta.fields
    }  # fmt: skip


def test_a_webhook_is_removed_with_what_was_sent(delivery: WebhookDelivery, client_as: SignIn) -> None:
    client = client_as()
    response = client.post(f"{LIST}{delivery.endpoint_id}/remove/", follow=True)
    assert "is removed" in response.content.decode() and SCRIPT not in response.content.decode()
    assert not WebhookEndpoint.objects.exists() and not WebhookDelivery.objects.exists()
    assert client.post(f"{LIST}{delivery.endpoint_id}/remove/").status_code == 404


def test_why_nothing_came_is_said_in_the_readers_language(
    endpoint: WebhookEndpoint, delivery: WebhookDelivery, client_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of a public address may stand for a private one: it is found when it is sent."""
    found = [(2, 1, 6, "", ("10.0.0.5", 443))]
    monkeypatch.setattr("taktura.webhooks.addresses.socket.getaddrinfo", lambda *_, **__: found)
    WebhookDelivery.objects.update(next_at=utc_now())
    assert delivering.send_round(endpoint.pk).failed == 1
    text = text_of(client_as(language="de"), f"{LOG}{delivery.pk}/")
    assert "10.0.0.5 ist eine private Adresse: Es wurde nichts gesendet." in text
    assert why("") == "" and why("[Errno 111] Connection refused") == "[Errno 111] Connection refused"
    assert why("no answer in time") == "No answer in time"
