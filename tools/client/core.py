"""What the Python client does by hand: send, send again, read and write exactly. It becomes a part of the client."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import TracebackType, UnionType
from typing import Any, Generic, Literal, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import quote

import httpx

# --- from here on it is a part of the client ---

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Item = TypeVar("Item")

# How numbers, days and moments may be given. Numbers are exact: there is no float.
Number = Decimal | int | str
Day = date | str
Moment = datetime | date | str


class _Omit(Enum):
    OMIT = "left out"


# A field that is left out stays as it is; None empties it.
OMIT = _Omit.OMIT
Omit = Literal[_Omit.OMIT]


class TakturaError(Exception):
    """What the client raises."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with a field; `field` as in `body.lines.0.price`."""

    field: str
    code: str
    detail: str


class Refused(TakturaError):
    """The server has refused a request; nothing was changed. Decide by `code`, show `message` to people.

    `status` is that of HTTP, `code` one of the API's ("unknown" where something else than Taktura has answered),
    `fields` name what does not fit, `retry_after` is in seconds.
    """

    def __init__(
        self, status: int, code: str, message: str, fields: Sequence[FieldFault] = (), retry_after: int | None = None
    ) -> None:
        faults = "".join(f"; {fault.field}: {fault.detail}" for fault in fields)
        super().__init__(f"{status} {code}: {message}{faults}")
        self.status, self.code, self.message = status, code, message
        self.fields, self.retry_after = tuple(fields), retry_after


class Unanswered(TakturaError):
    """No answer came. `arrived` says whether the request may have had its effect: look before it is sent anew."""

    def __init__(self, message: str, *, arrived: bool) -> None:
        super().__init__(message)
        self.arrived = arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """What has an ETag: give it back as `if_match` with a change, or as `known` when it is read again."""

    etag: str | None = field(default=None, compare=False, repr=False)


class Page(Protocol[T_co]):
    """A page of a list."""

    @property
    def items(self) -> Sequence[T_co]:
        """What is on it."""

    @property
    def next(self) -> str | None:
        """Where the next one begins; None: it is the last."""


P = TypeVar("P", bound="Page[Any]")


class Pages(Generic[P, Item]):
    """A list, from its beginning or from `after` on: iterate over its items. Pages are fetched as they are needed."""

    def __init__(self, fetch: Callable[[str], P], after: str) -> None:
        self._fetch, self._after = fetch, after

    def pages(self) -> Iterator[P]:
        """The pages, with what else they tell; there is at least one."""
        place: str | None = self._after
        while place is not None:
            page = self._fetch(place)
            yield page
            place = page.next

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from page.items


class Caller:
    """Sends requests. `address` is the server's, as in `https://billing.example.com`; `key` begins with `tk_`.

    A request that could not be done is sent again, `tries` times in all, with pauses that grow or that the server asks
    for, of at most `patience` seconds together: what was refused for a while (429, 503), and what was not answered,
    where a second time has no second effect. Every POST has an `Idempotency-Key` for that, the same each time.
    Use it in `with`, or `close()` it. Threads may share it.
    """

    def __init__(
        self,
        address: str,
        key: str,
        *,
        seller: int | None = None,
        language: str = "en",
        timeout: float = 60.0,
        tries: int = 6,
        patience: float = 120.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": language, "User-Agent": "taktura-client/1"}
        if seller is not None:
            headers["Taktura-Seller"] = str(seller)
        self._http = httpx.Client(
            base_url=f"{address.rstrip('/')}/api/v1", headers=headers, timeout=timeout, transport=transport
        )
        self._tries, self._patience = tries, patience

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self: T) -> T:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(
        self,
        kind: type[T],
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        media: str = "application/json",
        if_match: Marked | str | None = None,
        known: T | None = None,
        idempotency_key: str | None = None,
    ) -> T:
        """Ask for something of this kind; bytes and None are given as they are. Raises `Refused`, `Unanswered`."""
        headers = {}
        if body is not None:
            content = written(body)
        if content is not None:
            headers["Content-Type"] = media
        if method == "POST":
            headers["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
        for name, mark in (("If-Match", if_match), ("If-None-Match", known)):
            tag = mark.etag if isinstance(mark, Marked) else mark
            if tag is not None:
                headers[name] = str(tag)
        request = self._http.build_request(method, path, params=_query(query or {}), content=content, headers=headers)
        answer = self._send(request, again=method in ("GET", "POST") or method != "DELETE" and if_match is None)
        if answer.status_code == 304 and known is not None:
            return known
        return _given(kind, answer)

    def _send(self, request: httpx.Request, *, again: bool) -> httpx.Response:
        """Send a request until it is answered. `again`: it may be repeated when its answer was lost."""
        left = self._patience
        for attempt in range(1, self._tries + 1):
            problem: TakturaError
            try:
                answer = self._http.send(request)
            except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError) as error:
                arrived = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                problem = Unanswered(f"{request.method} {request.url.path}: {error!r}", arrived=arrived)
                problem.__cause__ = error
                may, asked = again or not arrived, None
            else:
                if answer.is_success or answer.status_code == 304:
                    return answer
                problem = _refusal(answer)
                may, asked = _passing(problem, again=again), problem.retry_after
            pause = min(0.25 * 2**attempt, 30.0) * random.uniform(0.5, 1.0) if asked is None else float(asked)
            if not may or attempt == self._tries or pause > left:
                raise problem
            time.sleep(pause)
            left -= pause
        raise AssertionError("at least one try")

    def _in_batches(
        self, kind: type[T], path: str, records: Iterable[Mapping[str, Any]], most: int, idempotency_key: str | None
    ) -> T:
        """Send records, so many at a time, each batch as a request of its own; gives all answers as one."""
        answers = []
        for number, content in enumerate(_batches(records, most)):
            key = f"{idempotency_key}-{number}" if idempotency_key else None
            answers.append(self._ask(kind, "POST", path, content=content, idempotency_key=key))
        return _together(answers)


def _passing(problem: Refused, *, again: bool) -> bool:
    """Whether the same request may be sent again after this refusal."""
    if problem.code == "unknown":  # of something between: who knows what has happened behind it
        return again and problem.status in (429, 502, 503, 504)
    return problem.code in ("rate_limited", "unavailable", "idempotency_in_progress")


def _refusal(answer: httpx.Response) -> Refused:
    """The refusal in an answer."""
    asked = answer.headers.get("Retry-After", "")
    wait = int(asked) if asked.isascii() and asked.isdigit() else None
    if answer.headers.get("Content-Type") != "application/problem+json":
        return Refused(answer.status_code, "unknown", answer.reason_phrase, retry_after=wait)
    told = answer.json()
    faults = [FieldFault(e["field"], e["code"], e["detail"]) for e in told["errors"]]
    return Refused(answer.status_code, told["code"], told["detail"], faults, wait)


def _query(values: Mapping[str, Any]) -> dict[str, str]:
    given = {name: plain(value) for name, value in values.items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _part(value: str | int) -> str:
    """A part of an address."""
    return quote(str(value), safe="")


MOST_BYTES = 15_000_000  # of a batch; the server takes 16 MiB


def _batches(records: Iterable[Mapping[str, Any]], most: int) -> Iterator[bytes]:
    """Bodies with so many records at most each; one without any where there are none."""
    parts: list[bytes] = []
    size, sent = 0, False
    for record in records:
        part = written(record)
        if parts and (len(parts) == most or size + len(part) > MOST_BYTES):
            yield b"[" + b",".join(parts) + b"]"
            parts, size, sent = [], 0, True
        parts.append(part)
        size += len(part) + 1
    if parts or not sent:
        yield b"[" + b",".join(parts) + b"]"


def _together(answers: Sequence[T]) -> T:
    """Answers of batches as one: counts are added, lists follow each other."""
    first: Any = answers[0]
    if len(answers) == 1:
        return answers[0]
    found: dict[str, Any] = {}
    for part in fields(first):
        values = [getattr(answer, part.name) for answer in answers]
        found[part.name] = sum(values) if isinstance(values[0], int) else [row for rows in values for row in rows]
    together: T = replace(first, **found)
    return together


def written(value: Any) -> bytes:
    """A body as it is sent. Raises `TypeError` for a float: it is not exact; write a Decimal or a text."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":")).encode()


def plain(value: Any) -> Any:
    """A value in the words of JSON; numbers as texts, what is `OMIT` left out."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise TypeError(f"{value!r} has no offset: give it a time zone")
    if isinstance(value, date):  # and moments
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items() if part is not OMIT}
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [plain(part) for part in value]
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a binary float, which is not exact: write a Decimal or a text")
    raise TypeError(f"{value!r} cannot be sent")


def _given(kind: type[T], answer: httpx.Response) -> T:
    """What an answer holds, as this kind."""
    found: Any = None
    if kind is bytes:
        found = answer.content
    elif kind is not type(None):
        read: Callable[[Any], Any] = reader(kind)  # type: ignore[arg-type] # a class is hashable
        found = read(json.loads(answer.content, parse_float=Decimal))
    if isinstance(found, Marked) and "ETag" in answer.headers:
        found = replace(found, etag=answer.headers["ETag"])
    result: T = found
    return result


@cache
def reader(kind: Any) -> Callable[[Any], Any]:
    """What makes a value of this kind of a value of JSON: exact numbers, days, moments, objects with fields."""
    simple: dict[Any, Callable[[Any], Any]] = {
        Decimal: Decimal, date: date.fromisoformat, datetime: datetime.fromisoformat,
    }  # fmt: skip
    if kind in simple:
        return simple[kind]
    if is_dataclass(kind):
        return _object_reader(kind)
    inner = [reader(part) if part is not type(None) else None for part in get_args(kind)]
    origin = get_origin(kind)
    if origin is list:
        one = _some(inner[0])
        return lambda value: [one(part) for part in value]
    if origin is dict:
        each = _some(inner[1])
        return lambda value: {name: each(part) for name, part in value.items()}
    if origin in (Union, UnionType):
        return _choice_reader(kind)
    return lambda value: value


def _some(found: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    assert found is not None
    return found


def _object_reader(kind: Any) -> Callable[[Any], Any]:
    """Fields that this client does not know are left aside, so that an older client reads a newer server."""
    types = get_type_hints(kind)
    parts = [(f.name, f.name.rstrip("_"), reader(types[f.name])) for f in fields(kind) if f.name != "etag"]
    return lambda value: kind(**{name: read(value[told]) for name, told, read in parts})


def _choice_reader(kind: Any) -> Callable[[Any], Any]:
    """A value or null; an object or another value."""
    choices = [part for part in get_args(kind) if part is not type(None)]
    objects, others = ([reader(p) for p in choices if is_dataclass(p) == wanted] for wanted in (True, False))
    assert len(objects) < 2 and len(others) < 2, kind

    def read(value: Any) -> Any:
        if value is None:
            return None
        return (objects if isinstance(value, dict) and objects else others or objects)[0](value)

    return read
