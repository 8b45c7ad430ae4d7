"""Setting up where events go, and replaying them. Settings are no facts of billing: a run does not wait for them."""

import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from taktura.audit.models import LogEntry
from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.mail.services import one_line
from taktura.kit.secret import seal, unseal
from taktura.webhooks.addresses import check_url
from taktura.webhooks.events import TEST, TYPES, made
from taktura.webhooks.models import WebhookDelivery, WebhookEndpoint
from taktura.webhooks.signing import new_secret

BOTH = timedelta(hours=24)  # for so long the old secret signs beside the new one
MOST_ENDPOINTS = 20  # of a seller
READING = "read_webhooks"  # the job that reads the log and starts the sending
QUEUE = "webhooks"


@transaction.atomic
def create_endpoint(
    actor: Actor, *, seller: Seller, url: str, events: Iterable[str] = (), description: str = ""
) -> tuple[WebhookEndpoint, str]:
    """Send a seller's events to an address, from now on; gives the endpoint and its secret.

    `events`: types (`events.TYPES`), none for all. Raises `Refused` (`invalid`).
    """
    Seller.objects.select_for_update(no_key=True).get(pk=seller.pk)
    if WebhookEndpoint.objects.filter(seller=seller).count() >= MOST_ENDPOINTS:
        raise Refused("invalid", "A company has at most %(most)s webhooks: remove one first.", most=MOST_ENDPOINTS)
    secret = new_secret()
    endpoint = WebhookEndpoint(seller=seller, secret=seal(secret), position=_end_of_log(), created_at=actor.now)
    _write(endpoint, url=url, events=events, description=description)
    endpoint.save(force_insert=True)
    record(actor, "create_webhook", f"seller:{seller.pk}", _told(endpoint))
    _wake()
    return endpoint, secret


@transaction.atomic
def change_endpoint(
    actor: Actor,
    *,
    endpoint: WebhookEndpoint,
    url: str | None = None,
    events: Iterable[str] | None = None,
    description: str | None = None,
) -> None:
    """Write what is given; the rest stays. What waits goes to the new address. Raises `Refused` (`invalid`)."""
    _again(endpoint)
    before = _told(endpoint)
    _write(endpoint, url=url, events=events, description=description)
    endpoint.save(update_fields=["url", "events", "description"])
    record(actor, "change_webhook", f"seller:{endpoint.seller_id}", {"before": before, "after": _told(endpoint)})


@transaction.atomic
def switch_off(actor: Actor, *, endpoint: WebhookEndpoint) -> None:
    """Send nothing more for the time being. What waits stays, and is sent when it is switched on again."""
    _again(endpoint)
    if endpoint.active:
        turn_off(endpoint, actor.now, "by_hand")
        record(actor, "switch_off_webhook", f"seller:{endpoint.seller_id}", _told(endpoint))


def turn_off(endpoint: WebhookEndpoint, now: datetime, reason: str) -> None:
    """Write that an endpoint is off, in the caller's transaction; `reason` is one of `models.REASONS`."""
    endpoint.active, endpoint.off_reason, endpoint.off_at = False, reason, now
    endpoint.save(update_fields=["active", "off_reason", "off_at"])


@transaction.atomic
def switch_on(actor: Actor, *, endpoint: WebhookEndpoint, catch_up: bool = True) -> None:
    """Send again. `catch_up`: also what happened meanwhile; else that is left out, and what waits is given up."""
    _again(endpoint)
    if endpoint.active:
        return
    endpoint.active, endpoint.off_reason, endpoint.off_at = True, "", None
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state="waiting")
    if catch_up:
        waiting.update(next_at=actor.now, begun_at=actor.now, attempts=0)
    else:
        endpoint.position = _end_of_log()
        waiting.update(state="failed", last_error="given up when the webhook was switched on again")
    endpoint.last_failure_at = None
    endpoint.save(update_fields=["active", "off_reason", "off_at", "position", "last_failure_at"])
    record(actor, "switch_on_webhook", f"seller:{endpoint.seller_id}", {**_told(endpoint), "catch_up": catch_up})
    _wake()


@transaction.atomic
def rotate_secret(actor: Actor, *, endpoint: WebhookEndpoint) -> str:
    """Draw another secret, and give it. For a day both sign; a secret before these two signs no more."""
    _again(endpoint)
    secret = new_secret()
    endpoint.old_secret, endpoint.old_until, endpoint.secret = endpoint.secret, actor.now + BOTH, seal(secret)
    endpoint.save(update_fields=["secret", "old_secret", "old_until"])
    record(actor, "rotate_webhook_secret", f"seller:{endpoint.seller_id}", {"id": endpoint.pk})
    return secret


def secrets_of(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """The secrets that sign at an instant, the present one first. Raises `Refused` where they cannot be unsealed."""
    sealed = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_until is not None and now < endpoint.old_until:
        sealed.append(endpoint.old_secret)
    return [unseal(text) for text in sealed]


@transaction.atomic
def delete_endpoint(actor: Actor, *, endpoint: WebhookEndpoint) -> None:
    """Remove an endpoint with all that was and would be sent to it."""
    _again(endpoint)
    told = _told(endpoint)
    endpoint.delete()
    record(actor, "delete_webhook", f"seller:{endpoint.seller_id}", told)


@transaction.atomic
def send_test(actor: Actor, *, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send a test event (`webhook.test`), whatever types are chosen. Raises `Refused` (`invalid`) when it is off."""
    _again(endpoint)
    _check_on(endpoint)
    event = made(new_event_id(), TEST, actor.now, {"seller": endpoint.seller_id})
    _wake()
    return WebhookDelivery.objects.create(
        endpoint=endpoint, event_id=event.id, type=event.type, payload=event.payload, created_at=actor.now,
        begun_at=actor.now, next_at=actor.now,
    )  # fmt: skip


def new_event_id() -> str:
    """The id of an event that is not of the log."""
    return f"evt_{secrets.token_hex(16)}"


def replay(actor: Actor, *, delivery: WebhookDelivery) -> None:
    """Send an event again, with the same id, text and a new signature. Raises `Refused` (`invalid`) when it is off."""
    _replay(actor, delivery.endpoint, Q(pk=delivery.pk))


def replay_failed(actor: Actor, *, endpoint: WebhookEndpoint, since: datetime | None = None) -> int:
    """Send all events of an endpoint that failed (of those made `since` then) again; gives how many."""
    wanted = Q(state="failed")
    return _replay(actor, endpoint, wanted if since is None else wanted & Q(created_at__gte=since))


@transaction.atomic
def replay_chosen(actor: Actor, *, chosen: QuerySet[WebhookDelivery]) -> tuple[int, int]:
    """Send chosen events again, whatever became of them; gives how many, and how many not, since their webhook is off.

    What is asked of the rows is asked again for each endpoint: at most `MOST_ENDPOINTS` of a seller.
    """
    plain = chosen.select_related(None).order_by()
    found = WebhookEndpoint.objects.filter(pk__in=plain.values("endpoint")).order_by("pk")
    wanted = Q(pk__in=plain.values("pk"))
    again = sum(_replay(actor, endpoint, wanted) for endpoint in found if endpoint.active)
    return again, plain.filter(endpoint__active=False).count()


@transaction.atomic
def _replay(actor: Actor, endpoint: WebhookEndpoint, wanted: Q) -> int:
    _again(endpoint)
    _check_on(endpoint)
    found: QuerySet[WebhookDelivery] = WebhookDelivery.objects.filter(wanted, endpoint=endpoint)
    count = found.update(state="waiting", attempts=0, begun_at=actor.now, next_at=actor.now, delivered_at=None)
    if count:
        record(actor, "replay_webhook", f"seller:{endpoint.seller_id}", {"id": endpoint.pk, "events": count})
        _wake()
    return count


def _wake() -> None:
    """Let the worker look now; where it waits for its next look, that is soon enough."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(READING, queue=QUEUE, lock=READING, queueing_lock=READING).defer(timestamp=0)


def _check_on(endpoint: WebhookEndpoint) -> None:
    if not endpoint.active:
        raise Refused("invalid", "The webhook is off: switch it on first.")


def _again(endpoint: WebhookEndpoint) -> None:
    """Read an endpoint as it stands, and keep others from it. Raises `Refused` (`not_found`) when it is gone."""
    if not WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).exists():
        raise Refused("not_found", "There is no such webhook any more.")
    endpoint.refresh_from_db()


def _write(
    endpoint: WebhookEndpoint, *, url: str | None, events: Iterable[str] | None, description: str | None
) -> None:
    if url is not None:
        check_url(url.strip())
        endpoint.url = url.strip()
    if events is not None:
        wanted = set(events)
        unknown = sorted(wanted - set(TYPES))
        if unknown:
            raise Refused("invalid", "There is no event “%(event)s”.", event=unknown[0][:60], field="events")
        endpoint.events = [name for name in TYPES if name in wanted]
    if description is not None:
        text = description.strip()
        if not one_line(text) or len(text) > 200:
            raise Refused("invalid", "A description has one line of at most 200 characters.", field="description")
        endpoint.description = text


def _told(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": endpoint.pk, "url": endpoint.url, "events": endpoint.events, "description": endpoint.description
    }  # fmt: skip


def _end_of_log() -> int:
    """The last entry of the log."""
    last: int | None = LogEntry.objects.aggregate(last=Max("id"))["last"]
    return last or 0
