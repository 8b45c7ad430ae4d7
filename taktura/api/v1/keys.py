"""Keys of other systems. A key makes others with scopes that it has itself, and no more."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, Strict

from taktura.accounts import services
from taktura.accounts.models import ApiKey
from taktura.accounts.permissions import PERMISSIONS
from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Id, In, Moment, Out, Text100
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.problems import Fault
from taktura.core.errors import Refused

router = Router()
VIEW, CHANGE = "settings.view", "keys.change"
Scope = Annotated[str, Strict(), Field(max_length=60, json_schema_extra={"enum": list(PERMISSIONS)})]


class KeyIn(In):
    """A new key."""

    name: Text100 = Field(min_length=1)
    scopes: list[Scope] = Field(min_length=1, max_length=len(PERMISSIONS))
    expires_at: Moment | None = Field(None, description="null: never; a day: its first moment where the seller is")


class KeyOut(Out):
    """A key, without its secret; `prefix` is how it begins."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_by: str | None = Field(description="the e-mail of the user who made it")
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyMade(KeyOut):
    """A new key with its secret, which is told this once."""

    secret: str


class Keys(Out):
    """A page of keys."""

    items: list[KeyOut]
    next: str | None


def _fields(key: ApiKey) -> dict[str, Any]:
    names = [name for name in KeyOut.model_fields if name != "created_by"]
    return {name: getattr(key, name) for name in names} | {
        "created_by": key.created_by.email if key.created_by else None
    }


def key_of(key: int) -> ApiKey:
    """A key by id; raises `Refused` (`not_found`)."""
    found = ApiKey.objects.select_related("created_by").filter(pk=key).first()
    if found is None:
        raise Refused("not_found", "There is no key %(id)s.", id=key)
    return found


def one(call: Call, key: int) -> KeyOut:
    """A key by id as it is told; raises `Refused` (`not_found`)."""
    return KeyOut(**_fields(key_of(key)))


@endpoint(router, "GET", "/keys", VIEW, answer=Keys)
def list_keys(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> Keys:
    """Keys, also those that are revoked or expired, in the order in which they were made."""
    items, following = page_of(ApiKey.objects.select_related("created_by"), limit, after)
    return Keys(items=[KeyOut(**_fields(k)) for k in items], next=following)


@endpoint(router, "POST", "/keys", CHANGE, answer=KeyMade, status=201, secret="secret")
def create_key(request: HttpRequest, body: KeyIn) -> Answer:
    """Make a key. Its secret is told this once; the same request with the same `Idempotency-Key` tells it again.

    A key gives only scopes that it has itself.
    """
    call = call_of(request)
    for scope in body.scopes:
        if scope in PERMISSIONS and not call.key.may(scope):
            raise Fault("forbidden", scope=scope)
    made, secret = services.create_key(
        call.actor, name=body.name, scopes=body.scopes, expires_at=call.instant(body.expires_at)
    )
    return Answer(KeyMade(**_fields(made), secret=secret), location("keys", made.pk))


@endpoint(router, "GET", "/keys/{int:key}", VIEW, answer=KeyOut, etag=True)
def get_key(request: HttpRequest, key: Id) -> KeyOut:
    """A key."""
    return one(call_of(request), key)


@endpoint(router, "POST", "/keys/{int:key}/revoke", CHANGE, answer=KeyOut, of=one)
def revoke_key(request: HttpRequest, key: Id) -> KeyOut:
    """Make a key useless from now on."""
    call = call_of(request)
    services.revoke_key(call.actor, key=key_of(key))
    return one(call, key)
