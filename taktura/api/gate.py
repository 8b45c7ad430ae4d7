"""The gate of each endpoint: which key asks, whether it may, how often, how much it brings."""

from functools import lru_cache
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest

from taktura.accounts.models import ApiKey
from taktura.accounts.permissions import PERMISSIONS
from taktura.accounts.queries import note_use, usable_key
from taktura.api.call import Call
from taktura.api.problems import Fault
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.limits import Buckets

ANY_KEY = ""  # instead of a permission: whichever key
MOST_BYTES = 1024**2  # of a body, where the endpoint says nothing else
MOST_SECRET = 200


class Gate:
    """Lets a request in whose key has a permission. Raises `Fault`: 401, 403, 404, 413, 429."""

    openapi_security_schema: ClassVar[dict[str, Any]] = {
        "type": "http",
        "scheme": "bearer",
        "description": "A key made in the settings: `Authorization: Bearer tk_…`. Its scopes are permissions.",
    }

    def __init__(self, permission: str, most_bytes: int = MOST_BYTES) -> None:
        assert permission == ANY_KEY or permission in PERMISSIONS, permission
        self.permission, self.most_bytes = permission, most_bytes

    def __call__(self, request: HttpRequest) -> Call:
        """The call, if it may come in."""
        actor = Actor("", utc_now())
        key = _key_of(request, actor)
        wait = buckets().take(key.pk)
        if wait:
            raise Fault("rate_limited", headers={"Retry-After": str(wait)}, seconds=wait)
        if self.permission and not key.may(self.permission):
            raise Fault("forbidden", scope=self.permission)
        note_use(key, actor.now)
        if "\0" in request.path_info:
            raise Fault("nothing_here", code="not_found", path=request.path_info.replace("\0", "\\0"))
        if int(request.META.get("CONTENT_LENGTH") or 0) > self.most_bytes:
            raise Fault("too_large", most=self.most_bytes)
        return Call(request, key, Actor(f"key:{key.prefix} {key.name}", actor.now))


def _key_of(request: HttpRequest, actor: Actor) -> ApiKey:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    key = None
    if scheme.lower() == "bearer" and secret.isascii() and len(secret) <= MOST_SECRET:
        key = usable_key(secret, actor.now)
    if key is None:
        raise Fault("unauthorized", headers={"WWW-Authenticate": 'Bearer realm="Taktura"'})
    return key


@lru_cache(maxsize=1)
def buckets() -> Buckets:
    """What this process has taken from the buckets of all."""
    return Buckets(settings.API_RATE, settings.API_BURST)
