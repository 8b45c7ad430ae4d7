"""A request with an `Idempotency-Key` has its effect once, however often it comes (docs/api.md)."""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from taktura.api.call import SELLER_HEADER, Call
from taktura.api.idempotency.models import KeptAnswer
from taktura.api.problems import Fault
from taktura.kit.secret import seal, unseal

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT_FOR = timedelta(days=3)
LONGEST = 255
KEPT_HEADERS = ("Content-Type", "Location", "ETag")


def once(
    call: Call, answer: Callable[[], HttpResponse], *, resumable: bool = False, secret: bool = False
) -> HttpResponse:
    """The answer to a request, or the one kept from before when it has been here. Without the header: just the answer.

    Effect and kept answer are written in one transaction, so that no crash comes between them. A `resumable` effect has
    transactions of its own and bills nothing twice when it is begun again: its answer is kept when it is done. What is
    refused has no effect and is not kept. An answer with a `secret` is kept sealed. Raises `Fault`:
    `idempotency_key_reused`, `idempotency_in_progress`.
    """
    key = key_of(call.request)
    if key is None:
        return answer()
    digest = fingerprint(call.request)
    guard = _alone if resumable else _alone_in_transaction
    with guard(call, key):
        known = KeptAnswer.objects.filter(api_key=call.key, key=key).first()
        if known is not None:
            return _again(known, digest, secret)
        given = answer()
        KeptAnswer.objects.create(
            api_key=call.key,
            key=key,
            request=digest,
            status=given.status_code,
            headers={name: given.headers[name] for name in KEPT_HEADERS if name in given.headers},
            body=seal(given.content.decode()).encode() if secret else zlib.compress(given.content, 1),
            kept_at=call.actor.now,
        )
        return given


def key_of(request: HttpRequest) -> str | None:
    """The `Idempotency-Key` of a request; raises `Fault` for one that is none."""
    key = request.headers.get(HEADER)
    if key is not None and (not 0 < len(key) <= LONGEST or not key.isascii() or not key.isprintable()):
        raise Fault("idempotency_key_form", code="invalid")
    return key


def fingerprint(request: HttpRequest) -> str:
    """SHA-256 of what a request asks for: method, address, seller, body."""
    found = hashlib.sha256()
    seller = request.headers.get(SELLER_HEADER, "")
    for part in (request.method or "", request.get_full_path(), seller):
        found.update(part.encode() + b"\0")
    found.update(request.body)
    return found.hexdigest()


def forget(now: datetime) -> int:
    """Forget the answers that have been kept for long enough; gives how many."""
    count, _ = KeptAnswer.objects.filter(kept_at__lt=now - KEPT_FOR).delete()
    return count


def _again(known: KeptAnswer, digest: str, secret: bool) -> HttpResponse:
    if known.request != digest:
        raise Fault("idempotency_key_reused")
    kept = bytes(known.body)
    answer = HttpResponse(unseal(kept.decode()) if secret else zlib.decompress(kept), status=known.status)
    for name, value in known.headers.items():
        answer.headers[name] = value
    answer.headers[REPLAYED] = "true"
    return answer


def _lock(call: Call, key: str) -> int:
    content = f"idempotency {call.key.pk} {key}".encode()
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big", signed=True)


@contextmanager
def _alone_in_transaction(call: Call, key: str) -> Iterator[None]:
    with transaction.atomic():
        _take("pg_try_advisory_xact_lock", _lock(call, key))
        yield


@contextmanager
def _alone(call: Call, key: str) -> Iterator[None]:
    lock = _lock(call, key)
    _take("pg_try_advisory_lock", lock)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])


def _take(function: str, lock: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [lock])
        if not cursor.fetchone()[0]:
            raise Fault("idempotency_in_progress", headers={"Retry-After": "1"})
