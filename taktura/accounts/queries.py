"""Reads of users and keys."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.db.models import Q, QuerySet

from taktura.accounts.models import ApiKey, Invitation, User
from taktura.kit.secret import hash_of

SEEN_AGAIN = timedelta(minutes=1)  # how exactly the last use of a key is known


def usable_key(secret: str, now: datetime) -> ApiKey | None:
    """The key of a secret, unless it is revoked or expired."""
    key = ApiKey.objects.filter(hash=hash_of(secret), revoked_at=None).first()
    if key is None or (key.expires_at is not None and key.expires_at <= now):
        return None
    return key


def usable_keys_of(user: User, now: datetime) -> QuerySet[ApiKey]:
    """The keys that a user made and that still open a door."""
    return user.keys.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


def note_use(key: ApiKey, now: datetime) -> None:
    """Remember that a key was used; at most one write a minute."""
    if key.last_used_at is None or key.last_used_at < now - SEEN_AGAIN:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


def open_invitations(now: datetime) -> QuerySet[Invitation]:
    """Invitations that can still be accepted, the newest first."""
    rows = Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=now)
    return rows.select_related("invited_by")


def second_factors(users: Iterable[int]) -> dict[int, list[str]]:
    """What users have besides their password: `totp`, `webauthn`. Recovery codes alone are none."""
    found: dict[int, list[str]] = {}
    rows = Authenticator.objects.filter(user__in=list(users)).exclude(type=Authenticator.Type.RECOVERY_CODES)
    for user, kind in rows.order_by("pk").values_list("user_id", "type"):
        found.setdefault(user, []).append(kind)
    return found
