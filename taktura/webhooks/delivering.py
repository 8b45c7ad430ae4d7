"""Reading the log for each endpoint, and sending what waits: at least once, in the order of events, until it is taken.

An event that fails is tried again later and later, for two days; those behind it do not wait for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from taktura.audit.models import LogEntry
from taktura.core.errors import Refused
from taktura.kit.clock import utc_now
from taktura.webhooks import sending
from taktura.webhooks.events import documents_in, events_of
from taktura.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookTry
from taktura.webhooks.sending import Answer
from taktura.webhooks.services import secrets_of, turn_off
from taktura.webhooks.signing import headers

READ = 500  # entries of the log at once
MOST_EVENTS = 2_000  # of the documents that they name: a run's entry names up to a thousand and more
DELAYS = tuple(timedelta(minutes=m) for m in (0.25, 1, 5, 15, 60, 180, 360))  # then the last again
GIVEN_UP = timedelta(days=2)
ROUND = timedelta(seconds=8)  # of sending to one endpoint; the next round goes on
MOST_SENT = 200  # in a round
KEPT_FOR = timedelta(days=30)  # deliveries that are done
GONE = 410  # by the rules: never again
BUSY = (429, 502, 503, 504)  # the others of this round would find it alike


def read_log(now: datetime) -> int:
    """Make deliveries of what is new in the log, for all endpoints that are on; gives how many."""
    count = 0
    for pk in WebhookEndpoint.objects.filter(active=True).values_list("pk", flat=True):
        while (found := _read(pk, now)) is not None:
            count += found
    return count


@transaction.atomic
def _read(endpoint_id: int, now: datetime) -> int | None:
    """Read on in the log for one endpoint; None when nothing is new, or somebody else is reading for it.

    The deliveries and the place in the log are written together: an event is made once.
    """
    endpoint = WebhookEndpoint.objects.select_for_update(skip_locked=True).filter(pk=endpoint_id, active=True).first()
    if endpoint is None:
        return None
    entries = _some(list(LogEntry.objects.filter(pk__gt=endpoint.position).order_by("pk")[:READ]))
    if not entries:
        return None
    wanted = set(endpoint.events)
    events = [e for e in events_of(entries, endpoint.seller_id) if not wanted or e.type in wanted]
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                endpoint=endpoint, event_id=e.id, type=e.type, payload=e.payload, created_at=now, begun_at=now,
                next_at=now,
            )
            for e in events
        ],
        batch_size=1000,
    )  # fmt: skip
    endpoint.position = entries[-1].pk
    endpoint.save(update_fields=["position"])
    return len(events)


def _some(entries: Sequence[LogEntry]) -> list[LogEntry]:
    """As many entries, from the first on, as name `MOST_EVENTS` documents; one at least."""
    taken: list[LogEntry] = []
    named = 0
    for entry in entries:
        named += len(documents_in(entry))
        if taken and named > MOST_EVENTS:
            break
        taken.append(entry)
    return taken


def endpoints_due(now: datetime) -> list[int]:
    """The endpoints to which something is to be sent now, by id."""
    due = WebhookDelivery.objects.filter(state="waiting", next_at__lte=now, endpoint__active=True)
    return sorted(set(due.values_list("endpoint_id", flat=True).distinct()))


@dataclass(slots=True)
class Round:
    """What a round of sending came to."""

    delivered: int = 0
    failed: int = 0


def send_round(endpoint_id: int) -> Round:
    """Send what is due to one endpoint, one after the other, for some seconds. For one caller at a time.

    Ends at the first event that finds nobody, or a receiver that is busy: the others would find the same.
    """
    result, end = Round(), utc_now() + ROUND
    while result.delivered + result.failed < MOST_SENT and (now := utc_now()) < end:
        endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id, active=True).first()
        due = WebhookDelivery.objects.filter(endpoint=endpoint_id, state="waiting", next_at__lte=now)
        delivery = due.order_by("next_at", "id").first()
        if endpoint is None or delivery is None:
            break
        answer = _send(endpoint, delivery, now)
        note(delivery.pk, answer, utc_now())
        result.delivered += answer.delivered
        result.failed += not answer.delivered
        if not answer.delivered and (answer.status is None or answer.status in BUSY):
            break
    return result


def _send(endpoint: WebhookEndpoint, delivery: WebhookDelivery, now: datetime) -> Answer:
    body = delivery.payload.encode()
    try:
        signed = headers(delivery.event_id, now, body, secrets_of(endpoint, now))
    except (Refused, ValueError) as error:
        return Answer(None, error=str(error)[:200], url=endpoint.url)
    return sending.send(endpoint.url, body, signed)


@transaction.atomic
def note(delivery_id: int, answer: Answer, now: datetime) -> None:
    """Write what became of an event; an endpoint that is gone, or takes nothing for as long as it is tried, goes off.

    An endpoint or event that was removed or is done meanwhile is left as it is.
    """
    endpoint = WebhookEndpoint.objects.select_for_update().filter(deliveries=delivery_id).first()
    delivery = WebhookDelivery.objects.select_for_update().filter(pk=delivery_id, state="waiting").first()
    if endpoint is None or delivery is None:
        return
    if not delivery.attempts:
        delivery.begun_at = now  # not when it was made: the worker may have been away
    delivery.attempts += 1
    delivery.tried_at, delivery.last_status, delivery.last_error = now, answer.status, answer.error
    WebhookTry.objects.create(
        delivery=delivery, at=now, url=answer.url, headers=answer.headers, milliseconds=answer.milliseconds,
        status=answer.status, error=answer.error, response=answer.text,
    )  # fmt: skip
    if answer.delivered:
        delivery.state, delivery.delivered_at, endpoint.last_success_at = "delivered", now, now
    else:
        endpoint.last_failure_at = now
        delivery.next_at = now + DELAYS[min(delivery.attempts, len(DELAYS)) - 1]
        if delivery.next_at > delivery.begun_at + GIVEN_UP:
            delivery.state = "failed"
    delivery.save()
    endpoint.save(update_fields=["last_success_at", "last_failure_at"])
    if endpoint.active and answer.status == GONE:
        turn_off(endpoint, now, "gone")
    elif endpoint.active and delivery.state == "failed":
        last = endpoint.last_success_at
        if last is None or last < delivery.begun_at:
            turn_off(endpoint, now, "failing")


def forget(now: datetime) -> int:
    """Forget deliveries that were done long ago; gives how many."""
    done = WebhookDelivery.objects.filter(created_at__lt=now - KEPT_FOR).exclude(state="waiting")
    count, _ = done.delete()
    return count
