"""Who am I: the key itself."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router

from taktura.api.call import call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Out
from taktura.api.gate import ANY_KEY

router = Router()


class Me(Out):
    """The key that asks."""

    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    now: datetime


@endpoint(router, "GET", "/me", ANY_KEY, answer=Me)
def who_am_i(request: HttpRequest) -> Me:
    """The key that asks, and what it may do."""
    call = call_of(request)
    key = call.key
    return Me(
        name=key.name, prefix=key.prefix, scopes=key.scopes, created_at=key.created_at, expires_at=key.expires_at,
        last_used_at=key.last_used_at, now=call.actor.now,
    )  # fmt: skip
