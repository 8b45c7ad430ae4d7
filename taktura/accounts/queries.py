"""Reads of users and keys."""

from datetime import datetime, timedelta

from taktura.accounts.models import ApiKey
from taktura.kit.secret import hash_of

SEEN_AGAIN = timedelta(minutes=1)  # how exactly the last use of a key is known


def usable_key(secret: str, now: datetime) -> ApiKey | None:
    """The key of a secret, unless it is revoked or expired."""
    key = ApiKey.objects.filter(hash=hash_of(secret), revoked_at=None).first()
    if key is None or (key.expires_at is not None and key.expires_at <= now):
        return None
    return key


def note_use(key: ApiKey, now: datetime) -> None:
    """Remember that a key was used; at most one write a minute."""
    if key.last_used_at is None or key.last_used_at < now - SEEN_AGAIN:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
