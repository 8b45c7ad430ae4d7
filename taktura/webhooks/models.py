"""Where events are sent, and what became of each."""

from typing import Any

from django.db import models
from django.db.models import Q

from taktura.customers.models import Seller

# waiting: to be tried at `next_at` · delivered: answered with 2xx · failed: tried for two days, or refused for good
STATES = ("waiting", "delivered", "failed")
# Why an endpoint is off: a person said so, it answered 410, or nothing was delivered for as long as one event is tried.
REASONS = ("", "by_hand", "gone", "failing")


class WebhookEndpoint(models.Model):
    """An address of another system that a seller's events are sent to.

    `events`: types; an empty list is all of them. `position`: the last entry of the log that was read for it.
    `old_secret` signs too, until `old_until`, so that the other system can change over.
    """

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="webhooks")
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    events: Any = models.JSONField(default=list)
    secret = models.TextField(help_text="sealed")
    old_secret = models.TextField(blank=True, help_text="sealed")
    old_until = models.DateTimeField(null=True)
    active = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=10, blank=True)
    off_at = models.DateTimeField(null=True)
    position = models.BigIntegerField()
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(off_reason__in=REASONS), name="webhook_off_reason"),
            models.CheckConstraint(condition=Q(active=True) ^ Q(off_at__isnull=False), name="webhook_off"),
        ]


class WebhookDelivery(models.Model):
    """An event for one endpoint. `payload` is the text that is sent and signed; it never changes, nor does `event_id`,
    by which the receiver knows an event that comes again. `attempts` are counted from the last replay on.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.CharField(max_length=60)
    type = models.CharField(max_length=60)
    payload = models.TextField()
    state = models.CharField(max_length=10, default="waiting")
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    begun_at = models.DateTimeField(help_text="the first try: from it on the two days count")
    next_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="webhook_once"),
            models.CheckConstraint(condition=Q(state__in=STATES), name="webhook_state"),
        ]
        indexes = [
            models.Index(fields=["endpoint", "next_at", "id"], name="webhook_due", condition=Q(state="waiting")),
            models.Index(fields=["endpoint", "state", "-id"], name="webhook_list"),
            models.Index(fields=["created_at"], name="webhook_created"),
        ]


class WebhookTry(models.Model):
    """One try to send an event: where it went, with which headers, and what was answered. No secret is among them."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    url = models.CharField(max_length=2000)
    headers: Any = models.JSONField(default=dict)
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    response = models.CharField(max_length=2000, blank=True, help_text="the beginning of the answer")

    class Meta:
        ordering = ["id"]
