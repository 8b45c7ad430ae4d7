"""Reads of webhooks: for the pages of settings, the log of what was sent, and what needs somebody's attention."""

from dataclasses import dataclass
from typing import Literal

from django.db.models import Count, F, Q, QuerySet

from taktura.core.errors import Refused
from taktura.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookTry

EndpointState = Literal["on", "failing", "paused", "gone", "given_up"]
_OFF: dict[str, EndpointState] = {"by_hand": "paused", "gone": "gone", "failing": "given_up"}
MOST_TRIES = 100  # that are shown; two days of tries are some fifteen


@dataclass(frozen=True, slots=True)
class Counts:
    """How many events of an endpoint are in which state."""

    waiting: int = 0
    delivered: int = 0
    failed: int = 0


def endpoints(seller_id: int) -> QuerySet[WebhookEndpoint]:
    """A seller's endpoints, in the order in which they were made."""
    return WebhookEndpoint.objects.filter(seller=seller_id).order_by("id")


def counts_of(endpoint_ids: list[int]) -> dict[int, Counts]:
    """How many events of endpoints are in which state; of the last 30 days, older ones are forgotten. One query."""
    rows = WebhookDelivery.objects.filter(endpoint__in=endpoint_ids).order_by().values("endpoint_id", "state")
    found: dict[int, dict[str, int]] = {}
    for row in rows.annotate(number=Count("pk")):
        found.setdefault(row["endpoint_id"], {})[row["state"]] = row["number"]
    return {pk: Counts(**numbers) for pk, numbers in found.items()}


def endpoint_by_id(seller_id: int, pk: int) -> WebhookEndpoint:
    """A seller's endpoint by its id; raises `Refused` (`not_found`)."""
    found = endpoints(seller_id).filter(pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no webhook %(id)s.", id=pk)
    return found


def state_of(endpoint: WebhookEndpoint) -> EndpointState:
    """How an endpoint stands: `on`; `failing`: on, but what was tried last failed; or off: `paused` by hand, `gone`
    (it answered 410), `given_up` (nothing was taken for two days)."""
    if not endpoint.active:
        return _OFF[endpoint.off_reason]
    failed, taken = endpoint.last_failure_at, endpoint.last_success_at
    return "failing" if failed is not None and (taken is None or failed > taken) else "on"


def delivery_by_id(seller_id: int, pk: int) -> WebhookDelivery:
    """A delivery of a seller by its id, with its endpoint; raises `Refused` (`not_found`)."""
    found = deliveries(seller_id).defer(None).filter(pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no delivery %(id)s.", id=pk)
    return found


def deliveries(
    seller_id: int, *, endpoint: int | None = None, state: str = "", type_: str = ""
) -> QuerySet[WebhookDelivery]:
    """What was and is to be sent for a seller, the newest first, with its endpoint, without its text."""
    found = WebhookDelivery.objects.filter(endpoint__seller=seller_id).select_related("endpoint")
    found = found.defer("payload").order_by("-id")
    if endpoint is not None:
        found = found.filter(endpoint=endpoint)
    if type_:
        found = found.filter(type=type_)
    return found.filter(state=state) if state else found


def tries_of(delivery_id: int) -> QuerySet[WebhookTry]:
    """The last tries of a delivery, the newest first."""
    return WebhookTry.objects.filter(delivery=delivery_id).order_by("-id")[:MOST_TRIES]


def in_trouble(seller_id: int) -> QuerySet[WebhookEndpoint]:
    """A seller's endpoints that somebody must look at: switched off by themselves, or failing now."""
    off = Q(active=False) & ~Q(off_reason="by_hand")
    failing = Q(active=True, last_failure_at__isnull=False) & (
        Q(last_success_at=None) | Q(last_failure_at__gt=F("last_success_at"))
    )
    return endpoints(seller_id).filter(off | failing)
