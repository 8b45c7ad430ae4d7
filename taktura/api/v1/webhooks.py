"""Webhooks: where events are sent, what became of each, and sending again."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import AfterValidator, Field, Strict
from pydantic_core import PydanticCustomError

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Flag, Id, In, Moment, Out, Text200
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.v1.documents import Order
from taktura.webhooks import queries, services
from taktura.webhooks.events import TEST, TYPES
from taktura.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookTry

router = Router()
VIEW, CHANGE = "settings.view", "webhooks.change"
State = Literal["waiting", "delivered", "failed"]
Url = Annotated[str, Strict(), Field(min_length=1, max_length=2000, examples=["https://shop.example/taktura"])]
EventType = Annotated[str, Strict(), Field(max_length=60, json_schema_extra={"enum": list(TYPES)})]
Events = Annotated[list[EventType], Field(max_length=len(TYPES), description="types; none: all, also those to come")]


def _known(value: str) -> str:
    if value not in (*TYPES, TEST):
        raise PydanticCustomError("literal_error", "no type", {"expected": ", ".join([*TYPES, TEST])})
    return value


AnyType = Annotated[
    str, Field(max_length=60, json_schema_extra={"enum": [*TYPES, TEST]}), AfterValidator(_known)
]  # fmt: skip


class WebhookIn(In):
    """A new webhook."""

    url: Url
    events: Events = []
    description: Text200 = ""


class WebhookChange(In):
    """What can be changed of a webhook; fields left out stay as they are."""

    url: Url | None = None
    events: Events | None = None
    description: Text200 | None = None


class SwitchOn(In):
    """How to go on."""

    catch_up: Flag = Field(
        True, description="also send what happened meanwhile; false: leave it out, waiting events too"
    )


class ReplayFailed(In):
    """Which events that failed are sent again."""

    since: Moment | None = Field(None, description="of those made since then; null: all that are kept")


class WebhookOut(Out):
    """A webhook. `off_reason`: `by_hand`, `gone` (it answered 410), `failing` (nothing was taken for two days)."""

    id: int
    url: str
    events: list[str] = Field(description="types; none: all")
    description: str
    active: bool
    off_reason: str
    off_at: datetime | None
    old_secret_until: datetime | None = Field(description="until then the secret before the present one signs, too")
    created_at: datetime


class WebhookMade(WebhookOut):
    """A new webhook with its secret, which is told this once."""

    secret: str


class WebhookStanding(WebhookOut):
    """A webhook, and whether events arrive; numbers are those of the last 30 days."""

    state: queries.EndpointState
    last_success_at: datetime | None
    last_failure_at: datetime | None
    waiting: int
    delivered: int
    failed: int


class Webhooks(Out):
    """A page of webhooks."""

    items: list[WebhookStanding]
    next: str | None


class SecretOut(Out):
    """A new secret, which is told this once. The one before signs, too, until then."""

    secret: str
    old_secret_until: datetime


class DeliveryOut(Out):
    """An event for a webhook. `attempts` are counted from the last replay on."""

    id: int
    webhook: int
    event: str = Field(description="its id: the header webhook-id")
    type: str
    state: State
    attempts: int
    created_at: datetime
    tried_at: datetime | None
    next_at: datetime | None = Field(description="the next try; null when there is none, or the webhook is off")
    delivered_at: datetime | None
    last_status: int | None
    last_error: str


class TryOut(Out):
    """A try to send an event: where to, with which headers, and what was answered."""

    at: datetime
    url: str
    headers: dict[str, str]
    milliseconds: int
    status: int | None
    error: str
    response: str = Field(description="the beginning of the answer")


class DeliveryDetail(DeliveryOut):
    """An event for a webhook, the text that is sent, and the last 100 tries."""

    body: str
    tries: list[TryOut]


class Deliveries(Out):
    """A page of deliveries."""

    items: list[DeliveryOut]
    next: str | None


class Replayed(Out):
    """How many events are sent again."""

    replayed: int


def _fields(endpoint: WebhookEndpoint) -> dict[str, Any]:
    names = [n for n in WebhookOut.model_fields if n != "old_secret_until"]
    until = endpoint.old_until if endpoint.old_secret else None
    return {name: getattr(endpoint, name) for name in names} | {"old_secret_until": until}


def one(call: Call, webhook: int) -> WebhookOut:
    """A webhook; raises `Refused` (`not_found`)."""
    return WebhookOut(**_fields(queries.endpoint_by_id(call.seller.pk, webhook)))


def _of(request: HttpRequest, webhook: int) -> WebhookEndpoint:
    return queries.endpoint_by_id(call_of(request).seller.pk, webhook)


def _delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    names = ["id", "type", "state", "attempts", "created_at", "tried_at", "delivered_at", "last_status", "last_error"]
    waits = delivery.state == "waiting" and delivery.endpoint.active
    return {name: getattr(delivery, name) for name in names} | {
        "webhook": delivery.endpoint_id, "event": delivery.event_id, "next_at": delivery.next_at if waits else None,
    }  # fmt: skip


def _try(one: WebhookTry) -> TryOut:
    return TryOut(**{name: getattr(one, name) for name in TryOut.model_fields})


@endpoint(router, "GET", "/webhooks", VIEW, answer=Webhooks)
def list_webhooks(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> Webhooks:
    """Webhooks, in the order in which they were made, and whether events arrive."""
    items, following = page_of(queries.endpoints(call_of(request).seller.pk), limit, after)
    counts = queries.counts_of([e.pk for e in items])
    return Webhooks(items=[_standing(e, counts.get(e.pk, queries.Counts())) for e in items], next=following)


def _standing(endpoint: WebhookEndpoint, counts: queries.Counts) -> WebhookStanding:
    return WebhookStanding(
        **_fields(endpoint), state=queries.state_of(endpoint), last_success_at=endpoint.last_success_at,
        last_failure_at=endpoint.last_failure_at, waiting=counts.waiting, delivered=counts.delivered,
        failed=counts.failed,
    )  # fmt: skip


@endpoint(router, "POST", "/webhooks", CHANGE, answer=WebhookMade, status=201, secret="secret")
def create_webhook(request: HttpRequest, body: WebhookIn) -> Answer:
    """Send events to an address, from now on.

    The address begins with https:// and is public. The secret, by which the receiver checks signatures, is told this
    once: keep it. The same request with the same `Idempotency-Key` tells it again.
    """
    call = call_of(request)
    made, secret = services.create_endpoint(call.actor, seller=call.seller, **body.model_dump())
    return Answer(WebhookMade(**_fields(made), secret=secret), location("webhooks", made.pk))


@endpoint(router, "GET", "/webhooks/{int:webhook}", VIEW, answer=WebhookOut, etag=True)
def get_webhook(request: HttpRequest, webhook: Id) -> WebhookOut:
    """A webhook. Whether events arrive tells the list."""
    return one(call_of(request), webhook)


@endpoint(router, "PATCH", "/webhooks/{int:webhook}", CHANGE, answer=WebhookOut, etag=True, of=one)
def change_webhook(request: HttpRequest, webhook: Id, body: WebhookChange) -> WebhookOut:
    """Change a webhook: the fields that are given. What waits goes to the new address."""
    call = call_of(request)
    services.change_endpoint(call.actor, endpoint=_of(request, webhook), **body.model_dump(exclude_none=True))
    return one(call, webhook)


@endpoint(router, "DELETE", "/webhooks/{int:webhook}", CHANGE, answer=None, status=204, of=one)
def delete_webhook(request: HttpRequest, webhook: Id) -> Answer:
    """Remove a webhook with all that was and would be sent to it. To stop for a while, switch it off."""
    services.delete_endpoint(call_of(request).actor, endpoint=_of(request, webhook))
    return Answer(None)


@endpoint(router, "POST", "/webhooks/{int:webhook}/switch_off", CHANGE, answer=WebhookOut, of=one)
def switch_off_webhook(request: HttpRequest, webhook: Id) -> WebhookOut:
    """Send nothing more for the time being. What waits stays."""
    call = call_of(request)
    services.switch_off(call.actor, endpoint=_of(request, webhook))
    return one(call, webhook)


@endpoint(router, "POST", "/webhooks/{int:webhook}/switch_on", CHANGE, answer=WebhookOut, of=one)
def switch_on_webhook(request: HttpRequest, webhook: Id, body: SwitchOn) -> WebhookOut:
    """Send again, with what happened meanwhile or without it."""
    call = call_of(request)
    services.switch_on(call.actor, endpoint=_of(request, webhook), catch_up=body.catch_up)
    return one(call, webhook)


@endpoint(router, "POST", "/webhooks/{int:webhook}/rotate_secret", CHANGE, answer=SecretOut, secret="secret", of=one)
def rotate_webhook_secret(request: HttpRequest, webhook: Id) -> SecretOut:
    """Draw another secret, which is told this once.

    For 24 hours the old one signs beside it: each event has two signatures, so that the receiver can change over
    without a gap.
    """
    call, found = call_of(request), _of(request, webhook)
    secret = services.rotate_secret(call.actor, endpoint=found)
    assert found.old_until is not None
    return SecretOut(secret=secret, old_secret_until=found.old_until)


@endpoint(router, "POST", "/webhooks/{int:webhook}/test", CHANGE, answer=DeliveryOut, status=202)
def send_test_event(request: HttpRequest, webhook: Id) -> DeliveryOut:
    """Send a test event (`webhook.test`), whatever types are chosen. What became of it tells the delivery."""
    return DeliveryOut(**_delivery(services.send_test(call_of(request).actor, endpoint=_of(request, webhook))))


@endpoint(router, "POST", "/webhooks/{int:webhook}/replay_failed", CHANGE, answer=Replayed, status=202)
def replay_failed_deliveries(request: HttpRequest, webhook: Id, body: ReplayFailed) -> Replayed:
    """Send all events of a webhook that failed again, with the same ids."""
    call = call_of(request)
    since = call.instant(body.since)
    return Replayed(replayed=services.replay_failed(call.actor, endpoint=_of(request, webhook), since=since))


@endpoint(router, "GET", "/webhook_deliveries", VIEW, answer=Deliveries)
def list_deliveries(
    request: HttpRequest,
    webhook: Id | None = None,
    state: State | None = None,
    type: AnyType | None = None,  # noqa: A002 - the parameter's name
    order: Order = "newest_first",
    limit: Limit = LIMIT,
    after: After = "",
) -> Deliveries:
    """What was and is to be sent. Deliveries that are done are forgotten after 30 days."""
    seller = call_of(request).seller.pk
    rows = queries.deliveries(seller, endpoint=webhook, state=state or "", type_=type or "")
    items, following = page_of(rows, limit, after, newest_first=order == "newest_first")
    return Deliveries(items=[DeliveryOut(**_delivery(d)) for d in items], next=following)


@endpoint(router, "GET", "/webhook_deliveries/{int:delivery}", VIEW, answer=DeliveryDetail)
def get_delivery(request: HttpRequest, delivery: Id) -> DeliveryDetail:
    """A delivery: the text that is sent, and each try with its headers and its answer, the last first."""
    found = queries.delivery_by_id(call_of(request).seller.pk, delivery)
    return DeliveryDetail(
        **_delivery(found), body=found.payload, tries=[_try(t) for t in queries.tries_of(found.pk)]
    )  # fmt: skip


@endpoint(router, "POST", "/webhook_deliveries/{int:delivery}/replay", CHANGE, answer=DeliveryOut, status=202)
def replay_delivery(request: HttpRequest, delivery: Id) -> DeliveryOut:
    """Send an event again, whatever became of it: the same id and text, a new signature."""
    call = call_of(request)
    services.replay(call.actor, delivery=queries.delivery_by_id(call.seller.pk, delivery))
    return DeliveryOut(**_delivery(queries.delivery_by_id(call.seller.pk, delivery)))
