"""What this door keeps."""

from taktura.api.idempotency.models import KeptAnswer
from taktura.api.limits import Bucket

__all__ = ["Bucket", "KeptAnswer"]
