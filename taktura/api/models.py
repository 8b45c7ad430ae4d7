"""What this door keeps."""

from taktura.api.idempotency.models import KeptAnswer

__all__ = ["KeptAnswer"]
