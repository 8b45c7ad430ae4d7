"""The register of keys: what data sources send, what lines with a key may have, which article a key stands for."""

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Flag, In, Key, Out, Text200
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.v1.offer import Names
from taktura.billing import services as billing
from taktura.catalog import keys
from taktura.catalog.models import Key as Row
from taktura.catalog.queries import article_by_key

router = Router()


class UsageKeyChange(In):
    """What can be changed of a key; fields left out stay as they are."""

    title: Text200 | None = None
    titles: Names | None = None
    source: Text200 | None = Field(None, description="what sends it, in words")
    time_based: Flag | None = Field(None, description="lines with it may be billed by the minute")
    flat_price: Flag | None = Field(None, description="lines with it may have a flat price")
    own_notice: Flag | None = Field(None, description="lines with it may have terms of notice of their own")


class UsageKeyIn(UsageKeyChange):
    """A new key. What is not allowed is refused when a tariff is published."""

    key: Key


class UsageKeyOut(Out):
    """A key."""

    key: str
    title: str
    titles: dict[str, str]
    source: str
    time_based: bool
    flat_price: bool
    own_notice: bool
    article: str | None = Field(description="what it stands for where a contract has no line with it")


class UsageKeys(Out):
    """A page of keys."""

    items: list[UsageKeyOut]
    next: str | None


class KeyTie(In):
    """The article that a key stands for."""

    article: Key


class TiedKey(Out):
    """What became of the usage that waited with a key."""

    recorded: int = Field(description="how many records found their line")
    waiting: list[str] = Field(description="why the others wait still")


def shown(row: Row) -> UsageKeyOut:
    """A key as it is told."""
    return UsageKeyOut(
        key=row.key, title=row.title, titles=row.titles, source=row.source, time_based=row.time_based,
        flat_price=row.flat_price, own_notice=row.own_notice, article=row.article.key if row.article else None,
    )  # fmt: skip


def one(call: Call, key: str) -> UsageKeyOut:
    """The key of a word; raises `Refused` (`not_found`)."""
    return shown(keys.key_by_name(call.seller.pk, key))


@endpoint(router, "GET", "/usage_keys", "tariffs.view", answer=UsageKeys)
def list_usage_keys(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> UsageKeys:
    """Keys, in the order in which they were registered."""
    rows = Row.objects.filter(seller=call_of(request).seller).select_related("article")
    items, following = page_of(rows, limit, after)
    return UsageKeys(items=[shown(row) for row in items], next=following)


@endpoint(
    router, "POST", "/usage_keys", "tariffs.change", answer=UsageKeyOut, status=201, etag=True, codes=("conflict",)
)  # fmt: skip
def create_usage_key(request: HttpRequest, body: UsageKeyIn) -> Answer:
    """Register a key. Tariffs register the keys that they name by themselves, with everything allowed."""
    call = call_of(request)
    fields = body.model_dump(exclude_none=True, exclude={"key"})
    made = keys.create_key(call.actor, seller=call.seller, key=body.key, **fields)
    return Answer(shown(made), location("usage_keys", made.key))


@endpoint(router, "GET", "/usage_keys/{key}", "tariffs.view", answer=UsageKeyOut, etag=True)
def get_usage_key(request: HttpRequest, key: Key) -> UsageKeyOut:
    """A key."""
    return one(call_of(request), key)


@endpoint(router, "PATCH", "/usage_keys/{key}", "tariffs.change", answer=UsageKeyOut, etag=True, of=one)
def change_usage_key(request: HttpRequest, key: Key, body: UsageKeyChange) -> UsageKeyOut:
    """Change a key: the fields that are given. What lines of today have cannot be taken away."""
    call = call_of(request)
    fields = body.model_dump(exclude_none=True)
    keys.change_key(call.actor, key=keys.key_by_name(call.seller.pk, key), **fields)
    return one(call, key)


@endpoint(
    router, "DELETE", "/usage_keys/{key}", "tariffs.change", answer=None, status=204, of=one, codes=("conflict",)
)  # fmt: skip
def delete_usage_key(request: HttpRequest, key: Key) -> Answer:
    """Take a key out of the register, while no line of any version or draft has it and it stands for no article."""
    call = call_of(request)
    keys.delete_key(call.actor, key=keys.key_by_name(call.seller.pk, key))
    return Answer(None)


@endpoint(router, "PUT", "/usage_keys/{key}/article", "usage.change", answer=TiedKey, codes=("conflict",))
def tie_usage_key(request: HttpRequest, key: Key, body: KeyTie) -> TiedKey:
    """Say which article a key stands for in contracts that have no line with it; what waits is processed again.

    A key that is not registered is, with everything allowed. What stood at the article of before goes over.
    """
    call = call_of(request)
    article = article_by_key(call.seller.pk, body.article)
    done = billing.tie_key(call.actor, seller=call.seller, key=key, article=article)
    return TiedKey(recorded=done.recorded, waiting=done.waiting)


@endpoint(router, "DELETE", "/usage_keys/{key}/article", "usage.change", answer=None, status=204, codes=("conflict",))
def untie_usage_key(request: HttpRequest, key: Key) -> Answer:
    """Let a key stand for no article: its usage waits again, and the next bill credits what was billed of it."""
    call = call_of(request)
    billing.untie_key(call.actor, seller=call.seller, key=key)
    return Answer(None)
