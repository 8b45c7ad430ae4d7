"""Reads of webhooks: for the pages of settings, the log of what was sent, and what needs somebody's attention."""

from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from taktura.webhooks.models import WebhookDelivery, WebhookEndpoint


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


def deliveries(seller_id: int, *, endpoint: int | None = None, state: str = "") -> QuerySet[WebhookDelivery]:
    """What was and is to be sent for a seller, the newest first, with its endpoint, without its text."""
    found = WebhookDelivery.objects.filter(endpoint__seller=seller_id).select_related("endpoint")
    found = found.defer("payload").order_by("-id")
    if endpoint is not None:
        found = found.filter(endpoint=endpoint)
    return found.filter(state=state) if state else found


def in_trouble(seller_id: int) -> QuerySet[WebhookEndpoint]:
    """A seller's endpoints that somebody must look at: switched off by themselves, or failing now."""
    off = Q(active=False) & ~Q(off_reason="by_hand")
    failing = Q(active=True, last_failure_at__isnull=False) & (
        Q(last_success_at=None) | Q(last_failure_at__gt=F("last_success_at"))
    )
    return endpoints(seller_id).filter(off | failing)
