"""Webhooks by the API: set up, tried, looked at, sent again. What is sent is tested in tests/rooms/test_webhooks.py."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from standardwebhooks.webhooks import Webhook

from taktura.api.idempotency.models import KeptAnswer
from taktura.audit.models import LogEntry
from taktura.customers.services import create_seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.webhooks import delivering, services
from taktura.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.api.helpers import SELLER, Api, refusal
from tests.api.receiver import Receiver, receiving

URL = "https://shop.example/taktura"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Somebody on this machine who gets events."""
    monkeypatch.setattr(settings, "WEBHOOKS_TO_PRIVATE_ADDRESSES", True)
    with receiving() as one:
        yield one


def make(api: Api, **fields: Any) -> Any:
    answer = api.post("/webhooks", {"url": URL, **fields})
    assert answer.status_code == 201, answer.content
    return answer.data


def test_from_making_it_to_taking_it_away(api: Api) -> None:
    made = make(api, events=["payment.received", "invoice.issued"], description="Shop")
    place = f"/webhooks/{made['id']}"
    assert made["secret"].startswith("whsec_") and made["events"] == ["invoice.issued", "payment.received"]
    got = api.get(place)
    assert got.data == {name: value for name, value in made.items() if name != "secret"}
    changed = api.patch(place, {"description": "", "events": []}, If_Match=got.headers["ETag"])
    assert (changed.data["events"], changed.data["description"], changed.data["url"]) == ([], "", URL)
    assert refusal(api.patch(place, {"url": URL}, If_Match=got.headers["ETag"])) == (412, "precondition_failed")
    off = api.post(f"{place}/switch_off")
    assert (off.data["active"], off.data["off_reason"]) == (False, "by_hand") and off.data["off_at"]
    assert refusal(api.post(f"{place}/test")) == (422, "invalid")
    assert api.post(f"{place}/switch_on", {}).data["active"] is True
    assert api.call("DELETE", place).status_code == 204
    assert refusal(api.get(place)) == (404, "not_found") and api.get("/webhooks").data == {"items": [], "next": None}
    actions = list(LogEntry.objects.filter(action__contains="webhook").order_by("id").values_list("action", flat=True))
    assert actions == ["create_webhook", "change_webhook", "switch_off_webhook", "switch_on_webhook", "delete_webhook"]
    assert made["secret"] not in str(list(LogEntry.objects.values()))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "https://127.0.0.1/"}, "body.url"), ({"url": "http://shop.example/"}, "body.url"),
        ({"url": "https://printer.local/"}, "body.url"), ({"url": "javascript:alert(1)"}, "body.url"),
        ({"url": ""}, "body.url"), ({}, "body.url"), ({"url": URL, "events": ["invoice.lost"]}, "body.events"),
        ({"url": URL, "events": "invoice.issued"}, "body.events"),
        ({"url": URL, "description": "a\nb"}, "body.description"), ({"url": URL, "secret": "mine"}, "body.secret"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_field(api: Api, body: dict[str, Any], field: str) -> None:
    answer = api.post("/webhooks", body, Accept_Language="de")
    assert refusal(answer) == (422, "invalid")
    assert [e["field"] for e in answer.data["errors"]] == [field]
    assert not WebhookEndpoint.objects.exists()


def test_a_private_address_is_refused_in_clear_words(api: Api) -> None:
    answer = api.post("/webhooks", {"url": "https://10.0.0.1/"}, Accept_Language="de")
    assert answer.data["detail"].startswith("Die Adresse liegt in einem privaten Netz")


def test_the_same_request_again_tells_the_same_secret_and_keeps_it_sealed(api: Api) -> None:
    first = api.post("/webhooks", {"url": URL}, Idempotency_Key="a")
    again = api.post("/webhooks", {"url": URL}, Idempotency_Key="a")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.data == first.data and WebhookEndpoint.objects.count() == 1
    place = f"/webhooks/{first.data['id']}/rotate_secret"
    rotated = api.post(place, Idempotency_Key="b").data
    assert api.post(place, Idempotency_Key="b").data == rotated
    endpoint = WebhookEndpoint.objects.get()
    assert services.secrets_of(endpoint, api_now()) == [rotated["secret"], first.data["secret"]]
    for kept in KeptAnswer.objects.all():
        assert b"whsec" not in bytes(kept.body) and not bytes(kept.body).startswith(b"x"), "neither open nor compressed"


def api_now() -> Any:
    """The instant of requests in these tests (`clock`)."""
    return WebhookEndpoint.objects.get().created_at


def test_a_test_event_arrives_and_each_try_is_told(api: Api, receiver: Receiver) -> None:
    made = make(api, url=receiver.url, events=["usage.recorded"])
    sent = api.post(f"/webhooks/{made['id']}/test")
    assert (sent.status_code, sent.data["state"], sent.data["type"]) == (202, "waiting", "webhook.test")
    receiver.answers = [500, 200]
    delivering.send_round(made["id"])
    place = f"/webhook_deliveries/{sent.data['id']}"
    failed = api.get(place).data
    assert (failed["state"], failed["last_status"], failed["attempts"]) == ("waiting", 500, 1) and failed["next_at"]
    again = api.post(f"{place}/replay")
    assert (again.status_code, again.data["attempts"]) == (202, 0)
    WebhookDelivery.objects.update(next_at=utc_now())  # requests live in March
    delivering.send_round(made["id"])
    done = api.get(place).data
    assert [(t["status"], t["response"]) for t in done["tries"]] == [(200, "answer 200"), (500, "answer 500")]
    headers, body = receiver.came[1]
    assert done["body"] == body.decode() and done["event"] == headers["webhook-id"]
    assert done["tries"][0]["headers"]["webhook-signature"] == headers["webhook-signature"]
    assert made["secret"] not in str(done) and Webhook(made["secret"]).verify(body, headers)
    assert (done["state"], done["next_at"]) == ("delivered", None)
    standing = api.get("/webhooks").data["items"][0]
    assert (standing["state"], standing["delivered"], standing["waiting"]) == ("on", 1, 0)


def test_deliveries_are_filtered_and_failed_ones_sent_again(api: Api, actor: Actor) -> None:
    first, second = (make(api, description=name)["id"] for name in ("a", "b"))
    ids = [api.post(f"/webhooks/{pk}/test").data["id"] for pk in (first, first, second)]
    WebhookDelivery.objects.filter(pk__in=ids[:2]).update(state="failed")

    def found(query: str) -> list[int]:
        return [d["id"] for d in api.get(f"/webhook_deliveries{query}").data["items"]]

    assert found("") == ids[::-1] and found("?order=oldest_first") == ids
    assert found(f"?webhook={first}") == ids[1::-1] and found("?state=waiting") == [ids[2]]
    assert found("?type=invoice.issued") == []
    page = api.get("/webhook_deliveries?limit=2").data
    assert found(f"?limit=2&after={page['next']}") == [ids[0]]
    assert refusal(api.get("/webhook_deliveries?state=lost")) == (422, "invalid")
    place = f"/webhooks/{first}/replay_failed"
    assert api.post(place, {"since": "2026-03-02"}).data == {"replayed": 0}, "a day begins where the seller is"
    assert api.post(place, {"since": "2026-03-01T09:00:00+01:00"}).data == {"replayed": 2}
    assert api.post(place, {}).data == {"replayed": 0}
    api.post(f"/webhooks/{second}/switch_off")
    assert api.get(f"/webhook_deliveries/{ids[2]}").data["next_at"] is None
    assert refusal(api.post(f"/webhook_deliveries/{ids[2]}/replay")) == (422, "invalid")
    assert api.post(f"/webhooks/{second}/switch_on", {"catch_up": False}).data["active"] is True
    assert found("?state=failed") == [ids[2]]


def test_what_belongs_to_another_seller_is_not_there(api: Api, actor: Actor) -> None:
    other = create_seller(actor, **{**SELLER, "name": "Other GmbH"})
    theirs, secret = services.create_endpoint(actor, seller=other, url=URL)
    delivery = services.send_test(actor, endpoint=theirs)
    mine = {"Taktura_Seller": str(api.seller.pk)}
    assert api.get("/webhooks", **mine).data["items"] == [] == api.get("/webhook_deliveries", **mine).data["items"]
    assert api.get(f"/webhook_deliveries?webhook={theirs.pk}", **mine).data["items"] == []
    place = f"/webhooks/{theirs.pk}"
    calls: list[tuple[str, str, Any]] = [
        ("GET", place, None), ("PATCH", place, {"url": "https://evil.example/"}), ("DELETE", place, None),
        *(("POST", f"{place}/{verb}", None) for verb in ("switch_off", "rotate_secret", "test")),
        *(("POST", f"{place}/{verb}", {}) for verb in ("switch_on", "replay_failed")),
        ("GET", f"/webhook_deliveries/{delivery.pk}", None),
        ("POST", f"/webhook_deliveries/{delivery.pk}/replay", None),
    ]  # fmt: skip
    for method, path, body in calls:
        assert refusal(api.call(method, path, body, **mine)) == (404, "not_found"), (method, path)
    theirs.refresh_from_db()
    assert theirs.url == URL and services.secrets_of(theirs, actor.now) == [secret]
