"""What this door keeps."""

from taktura.api.idempotency.models import KeptAnswer
from taktura.api.webhooks.models import WebhookDelivery, WebhookEndpoint

__all__ = ["KeptAnswer", "WebhookDelivery", "WebhookEndpoint"]
