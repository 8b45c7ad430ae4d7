"""A client of Taktura's API, version 1. One file; it needs Python 3.11 and httpx.

Made from the OpenAPI document by `python -m tools.client`: change that, not this. How it is used: docs/client.md.

    with Taktura("https://billing.example.com", "tk_…") as taktura:
        taktura.record_usage([{"contract": "C-1001", "article": "call", "duration": 61, "id": "call-1"}])
        for document in taktura.list_documents(customer="K-1"):
            print(document.number, document.gross)
"""

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
from typing import (
    Any,
    Generic,
    Literal,
    NotRequired,
    Protocol,
    TypedDict,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from urllib.parse import quote

import httpx

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


class BillingInformationIn(TypedDict):
    """What a document needs to know of its recipient; fields left out stay as they are."""

    name: NotRequired[str | None]
    legal_form: NotRequired[str | None]
    street: NotRequired[str | None]
    postcode: NotRequired[str | None]
    city: NotRequired[str | None]
    country: NotRequired[str | None]
    email: NotRequired[str | None]
    delivery: NotRequired[Literal["email", "post", "portal"] | None]
    debtor_number: NotRequired[str | None]
    tax_status: NotRequired[Literal["domestic", "reverse_charge", "export", "exempt"] | None]
    vat_id: NotRequired[str | None]
    payment_days: NotRequired[int | None]
    direct_debit: NotRequired[bool | None]
    iban: NotRequired[str | None]
    mandate_reference: NotRequired[str | None]
    mandate_date: NotRequired[Day | None]
    einvoice: NotRequired[Literal["", "none", "zugferd", "xrechnung", "xrechnung_cii", "peppol"] | None]
    electronic_address: NotRequired[str | None]
    buyer_reference: NotRequired[str | None]


class BuyerIn(TypedDict):
    """Who orders; of these customer and billing information are made."""

    name: NotRequired[str]
    kind: NotRequired[Literal["business", "consumer"]]
    language: NotRequired[Literal["de", "en", "sv"] | None]
    street: NotRequired[str]
    postcode: NotRequired[str]
    city: NotRequired[str]
    country: NotRequired[str | None]
    email: NotRequired[str]
    vat_id: NotRequired[str]


class Conditions(TypedDict):
    """A contract's own conditions for an article."""

    price: NotRequired[Number | None]
    discount: NotRequired[Number | None]
    reason: NotRequired[str | None]
    minimum_quantity: NotRequired[Number | None]


class CreditLine(TypedDict):
    """A part of a line: `net` (gross where the document's prices are) or `quantity`; with neither what is left."""

    line: int
    net: NotRequired[Number | None]
    quantity: NotRequired[Number | None]


class DraftIn(TypedDict):
    """A tariff that nobody has, to be tried."""

    title: NotRequired[str | None]
    titles: NotRequired[Mapping[str, str] | None]
    interval: NotRequired[str | None]
    anchor: NotRequired[str | None]
    notice: NotRequired[Literal["none", "monthly", "yearly"] | OwnTermsIn | None]
    trial: NotRequired[str | None]
    vat: NotRequired[Number | Sequence[RateIn] | None]
    minimum_sales: NotRequired[Number | None]
    cost_cap: NotRequired[Number | None]
    minimum_proration: NotRequired[Literal["daily", "none"] | None]
    cap_proration: NotRequired[Literal["daily", "none"] | None]
    tolerance: NotRequired[Number | None]
    interim_threshold: NotRequired[Number | None]
    credit_on_end: NotRequired[bool | None]
    tick: NotRequired[str | None]
    tick_scope: NotRequired[Literal["record", "period"] | None]
    lines: NotRequired[Mapping[str, LineIn] | None]
    currency: NotRequired[str | None]


class DraftLineIn(TypedDict):
    """A line of a draft, in its place."""

    title: NotRequired[str | None]
    titles: NotRequired[Mapping[str, str] | None]
    alternative_name: NotRequired[str | None]
    alternative_names: NotRequired[Mapping[str, str] | None]
    key: NotRequired[str | None]
    charge: NotRequired[Literal["once", "recurring", "usage"] | None]
    booking: NotRequired[Literal["included", "add_on", "on_off"] | None]
    when: NotRequired[Literal["advance", "arrears"] | None]
    interval: NotRequired[str | None]
    price_per: NotRequired[str | None]
    price: NotRequired[Number | None]
    price_quantity: NotRequired[Number | None]
    package: NotRequired[Literal["proportional", "started"] | None]
    proration: NotRequired[Literal["daily", "none"] | None]
    vat: NotRequired[Number | Sequence[RateIn] | None]
    included: NotRequired[Number | None]
    included_proration: NotRequired[Literal["daily", "none"] | None]
    tiers: NotRequired[Sequence[TierIn] | None]
    tier_mode: NotRequired[Literal["graduated", "volume"] | None]
    discount_scale: NotRequired[Sequence[StepIn] | None]
    aggregate: NotRequired[Literal["sum", "count", "max", "last", "unique"] | None]
    aggregate_of: NotRequired[str | None]
    unit: NotRequired[str | None]
    tick: NotRequired[str | None]
    tick_scope: NotRequired[Literal["record", "period"] | None]
    flat_price: NotRequired[bool | None]
    reference_price: NotRequired[Number | None]
    in_minimum: NotRequired[bool | None]
    in_cap: NotRequired[bool | None]
    interim: NotRequired[bool | None]
    notice: NotRequired[Literal["none", "monthly", "yearly"] | OwnTermsIn | None]
    usage_pricing: NotRequired[
        Literal["tariff", "usage_quantity", "fixed_quantity", "cost_plus", "imported_price"] | None
    ]
    markup: NotRequired[Number | None]
    bookable_by: NotRequired[Literal["staff", "customer"] | None]
    show: NotRequired[bool | None]
    highlight: NotRequired[bool | None]
    heading: NotRequired[str | None]
    headings: NotRequired[Mapping[str, str] | None]
    article: str


# A contract line to be booked from a supplier subscription; what is left out comes from the subscription.
Extension = TypedDict(
    "Extension",
    {
        "subscription": "str",
        "contract": "str",
        "article": "NotRequired[str | None]",
        "quantity": "NotRequired[Number | None]",
        "from": "NotRequired[Day | None]",
        "remember": "NotRequired[bool]",
        "move": "NotRequired[bool]",
    },
)


class HolidayIn(TypedDict):
    """A day on which no business time passes."""

    day: Day
    name: NotRequired[str]


class LineIn(TypedDict):
    """A line of a tariff. What is left out has the default of the rules."""

    title: NotRequired[str | None]
    titles: NotRequired[Mapping[str, str] | None]
    alternative_name: NotRequired[str | None]
    alternative_names: NotRequired[Mapping[str, str] | None]
    key: NotRequired[str | None]
    charge: NotRequired[Literal["once", "recurring", "usage"] | None]
    booking: NotRequired[Literal["included", "add_on", "on_off"] | None]
    when: NotRequired[Literal["advance", "arrears"] | None]
    interval: NotRequired[str | None]
    price_per: NotRequired[str | None]
    price: NotRequired[Number | None]
    price_quantity: NotRequired[Number | None]
    package: NotRequired[Literal["proportional", "started"] | None]
    proration: NotRequired[Literal["daily", "none"] | None]
    vat: NotRequired[Number | Sequence[RateIn] | None]
    included: NotRequired[Number | None]
    included_proration: NotRequired[Literal["daily", "none"] | None]
    tiers: NotRequired[Sequence[TierIn] | None]
    tier_mode: NotRequired[Literal["graduated", "volume"] | None]
    discount_scale: NotRequired[Sequence[StepIn] | None]
    aggregate: NotRequired[Literal["sum", "count", "max", "last", "unique"] | None]
    aggregate_of: NotRequired[str | None]
    unit: NotRequired[str | None]
    tick: NotRequired[str | None]
    tick_scope: NotRequired[Literal["record", "period"] | None]
    flat_price: NotRequired[bool | None]
    reference_price: NotRequired[Number | None]
    in_minimum: NotRequired[bool | None]
    in_cap: NotRequired[bool | None]
    interim: NotRequired[bool | None]
    notice: NotRequired[Literal["none", "monthly", "yearly"] | OwnTermsIn | None]
    usage_pricing: NotRequired[
        Literal["tariff", "usage_quantity", "fixed_quantity", "cost_plus", "imported_price"] | None
    ]
    markup: NotRequired[Number | None]
    bookable_by: NotRequired[Literal["staff", "customer"] | None]
    show: NotRequired[bool | None]
    highlight: NotRequired[bool | None]
    heading: NotRequired[str | None]
    headings: NotRequired[Mapping[str, str] | None]


class Link(TypedDict):
    """A supplier subscription and the contract line that gets its usage."""

    subscription: str
    contract: str
    article: str
    line: NotRequired[str | None]


class NewContract(TypedDict):
    """A contract for a customer. `lines` null: all services whose product stands for an article of the tariff."""

    customer: str
    tariff: str
    start: Day
    contract: NotRequired[str | None]
    until: NotRequired[Day | None]
    billed_until: NotRequired[Day | None]
    payment_days: NotRequired[int | None]
    lines: NotRequired[Sequence[SuggestedLineIn] | None]


class OpeningIn(TypedDict):
    """From when to when the desk works on a weekday, in the seller's time zone: `08:00` to `24:00`."""

    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    start: str
    end: str


class OwnTermsIn(TypedDict):
    """Terms of notice of one's own (R15.3)."""

    initial_term: NotRequired[str | None]
    renewal_term: NotRequired[str | Literal["open"] | None]
    notice: NotRequired[str | None]
    to: NotRequired[Literal["day", "month_end", "term_end"] | None]


# A VAT rate from a day on.
RateIn = TypedDict("RateIn", {"from": "NotRequired[Day | None]", "rate": "Number"})


# One unit of `from` is worth `rate` units of `to` from a day on.
RateOfDay = TypedDict("RateOfDay", {"from": "str", "to": "str", "day": "Day", "rate": "Number"})


# A usage record: an `article` or a `key`, with a `quantity` or a `duration`.
RecordIn = TypedDict(
    "RecordIn",
    {
        "contract": "NotRequired[str | None]",
        "article": "NotRequired[str | None]",
        "key": "NotRequired[str | None]",
        "quantity": "NotRequired[Number | None]",
        "duration": "NotRequired[int | None]",
        "at": "NotRequired[Moment | None]",
        "from": "NotRequired[Moment | None]",
        "until": "NotRequired[Moment | None]",
        "id": "NotRequired[str | None]",
        "source": "NotRequired[str | None]",
        "revision": "NotRequired[int | None]",
        "cost": "NotRequired[Number | None]",
        "price": "NotRequired[Number | None]",
        "attributes": "NotRequired[Mapping[str, Any] | None]",
    },
)


class RecordName(TypedDict):
    """A record's name."""

    id: str
    source: NotRequired[str]


class SaleLineIn(TypedDict):
    """A line of a sale; `discount` in percent."""

    title: NotRequired[str]
    article: NotRequired[str]
    quantity: NotRequired[Number]
    price: Number
    discount: NotRequired[Number | None]


class StepIn(TypedDict):
    """A step of a discount scale: `percent` off, above a quantity."""

    above: Number
    percent: Number


class SuggestedLineIn(TypedDict):
    """A contract line for a service. Fields left out are as suggested: the article that the supplier's product stands
    for, the supplier's quantity, the tariff's price."""

    supplier: str
    subscription: str
    article: NotRequired[str | None]
    quantity: NotRequired[Number | None]
    price: NotRequired[Number | None]
    free: NotRequired[bool]


class TargetIn(TypedDict):
    """Within how many minutes of business time; null: nothing is promised."""

    priority: Literal["low", "normal", "high", "urgent"]
    answer: NotRequired[int | None]
    solve: NotRequired[int | None]


class TicketFileIn(TypedDict):
    """A file of a message."""

    name: str
    content: str


class TicketLineIn(TypedDict):
    """A contract line: the contract, the article, and its name where several run."""

    contract: str
    article: str
    name: NotRequired[str]


class TierIn(TypedDict):
    """A tier; only the last has no `up_to`."""

    up_to: NotRequired[Number | None]
    price: NotRequired[Number | None]
    flat: NotRequired[Number | None]


# A version of a tariff from a day on.
VersionIn = TypedDict(
    "VersionIn",
    {
        "title": "NotRequired[str | None]",
        "titles": "NotRequired[Mapping[str, str] | None]",
        "interval": "NotRequired[str | None]",
        "anchor": "NotRequired[str | None]",
        "notice": "NotRequired[Literal['none', 'monthly', 'yearly'] | OwnTermsIn | None]",
        "trial": "NotRequired[str | None]",
        "vat": "NotRequired[Number | Sequence[RateIn] | None]",
        "minimum_sales": "NotRequired[Number | None]",
        "cost_cap": "NotRequired[Number | None]",
        "minimum_proration": "NotRequired[Literal['daily', 'none'] | None]",
        "cap_proration": "NotRequired[Literal['daily', 'none'] | None]",
        "tolerance": "NotRequired[Number | None]",
        "interim_threshold": "NotRequired[Number | None]",
        "credit_on_end": "NotRequired[bool | None]",
        "tick": "NotRequired[str | None]",
        "tick_scope": "NotRequired[Literal['record', 'period'] | None]",
        "lines": "NotRequired[Mapping[str, LineIn] | None]",
        "from": "Day",
        "applies_to": "NotRequired[Literal['new', 'all']]",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOut:
    """What became of imported rows: `billed` + `open` (to be billed) + `waiting` + `excluded` (by reason) = `imported`,
    which `holds` says. `lost`: what no account could be given for."""

    imported: SumOut
    billed: SumOut
    open: SumOut
    waiting: dict[str, SumOut]
    excluded: dict[str, SumOut]
    lost: SumOut
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Activities:
    """A page of activities."""

    items: list[ActivityOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityOut(Marked):
    """An activity."""

    id: int
    name: str
    billable: bool
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainOut:
    """How many records have another rate now; `documents`: ids of interim bills by threshold."""

    records: int
    contracts: int
    documents: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertOut(Marked):
    """A bound that usage has crossed in a billing period, or will. Numbers are amounts in `currency`; of `included`
    they are quantities in `unit`."""

    id: int
    kind: Literal["cap", "flat", "included"]
    forecast: bool
    customer: str
    contract: str
    article: str | None
    start: date
    until: date
    currency: str
    unit: str
    value: Decimal
    bound: Decimal
    tolerance: Decimal
    foreseen: Decimal
    days: int
    begun: int
    state: Literal["open", "ignored", "reached", "resolved"]
    ignored_until: date | None
    raised_at: datetime
    changed_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """A page of alerts."""

    items: list[AlertOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTemplateOut(Marked):
    """A text from which answers are written."""

    id: int
    name: str
    language: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTemplates:
    """All of a seller."""

    items: list[AnswerTemplateOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """The ids of the time that was approved; with `?preview=true` what it would cost."""

    time: list[int]
    preview: list[ForeseenOut] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleOut(Marked):
    """An article."""

    article: str
    title: str
    number: str
    unit: str
    ledger_account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Articles:
    """A page of articles."""

    items: list[ArticleOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillOut:
    """A bill on a day, with the documents that it makes."""

    on: date
    documents: list[DraftOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingInformationOut:
    """Billing information; `complete`: documents may be issued."""

    name: str
    legal_form: str
    street: str
    postcode: str
    city: str
    country: str
    email: str
    delivery: str
    debtor_number: str
    tax_status: str
    vat_id: str
    payment_days: int | None
    direct_debit: bool
    iban: str
    mandate_reference: str
    mandate_date: date | None
    einvoice: str
    electronic_address: str
    buyer_reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtOut:
    """What a file brings. `written`: it is there now; with `?preview=true` it is not."""

    written: bool
    customers: int
    services: int
    wrong: int
    rows: list[RowOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerOut:
    """Who ordered, as it was sent."""

    name: str
    kind: str
    language: str
    street: str
    postcode: str
    city: str
    country: str
    email: str
    vat_id: str
    vat_check: VatCheckOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseOut:
    """What a cause comes to, net."""

    cause: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOut:
    """A setting that differs, of the tariff or of an article's line. `field` null: a whole line, or their order."""

    article: str | None
    field: str | None
    before: str | bool | int | dict[str, Any] | list[str] | list[dict[str, Any]] | None
    after: str | bool | int | dict[str, Any] | list[str] | list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeOut(Marked):
    """A code; `state`: free, used, revoked."""

    code: str
    state: str
    memo: str
    made_at: datetime
    used_at: datetime | None
    contract: str | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """A page of codes."""

    items: list[CodeOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedContract:
    """A contract on both sides, net. `parts`: parts of billing periods are compared, by days; `running`: its last
    period is not over."""

    contract: str
    customer: str
    old: Decimal
    new: Decimal
    difference: Decimal
    parts: bool
    running: bool
    lines: list[ComparedLine] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLine:
    """What a line came to: net until now, and under the tariff to try. Top-up and relief have no article."""

    article: str | None
    title: str
    kind: str
    old: Decimal
    new: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLineOut:
    """A line on both bills, net; its reasons add up to the difference. Top-up, relief and sales items have no
    article."""

    article: str | None
    title: str
    kind: str
    old: Decimal
    new: Decimal
    difference: Decimal
    reasons: list[ReasonOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonOut:
    """The next bill beside the last that a run issued: what is new less what was; lines that do not differ are there,
    too. `vat_rate`: what of the VAT's difference comes from other rates."""

    last_on: date
    documents: list[str]
    old: Decimal
    new: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    vat_rate: Decimal
    lines: list[ComparedLineOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionsOut:
    """All own conditions of a line from a day on; of several for one day the last hold."""

    from_: date
    price: Decimal | None
    discount: Decimal
    reason: str
    minimum_quantity: Decimal | None
    memo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractLineOut:
    """A contract line; `until` is exclusive, null while no end is fixed. Quantity and conditions are today's, of a line
    to come those of its first day."""

    article: str
    line: str
    charge: str
    booking: str
    from_: date
    until: date | None
    notice_received: date | None
    quantity: Decimal
    quantities: list[QuantityOut]
    price: Decimal | None
    discount: Decimal
    reason: str
    minimum_quantity: Decimal | None
    conditions: list[ConditionsOut]
    memo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractOut(Marked):
    """A contract as it stands today. `notice_deadline` is the last day of receipt for the earliest end in reach."""

    contract: str
    customer: str
    tariff: str
    currency: str
    status: str
    start: date
    ends: date | None
    next_billing: date | None
    signed_at: datetime
    last_day: date | None
    notice_deadline: date | None
    notice_received: date | None
    billed_until: date | None
    trial_end: date | None
    anchor: str
    offer_number: str | None
    transferred_from: str | None
    transferred_to: str | None
    notice: str | OwnTermsOut
    conversion: str
    balance: Decimal
    lines: list[ContractLineOut]
    pauses: list[SpanOut]
    coupons: list[GivenCouponOut]
    tariffs: list[PhaseOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractSummary:
    """A contract without its lines. `ends` is exclusive, null while no end is fixed."""

    contract: str
    customer: str
    tariff: str
    currency: str
    status: str
    start: date
    ends: date | None
    next_billing: date | None
    signed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """A page of contracts."""

    items: list[ContractSummary]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """The record as it is now, and interim bills made."""

    record: RecordOut
    documents: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponOut(Marked):
    """A coupon; `state`: running, or why it cannot be redeemed: coming, over, used_up, off."""

    coupon: str
    title: str
    state: str
    percent: Decimal | None
    amount: Decimal | None
    periods: int | None
    lines: list[str]
    first_day: date | None
    last_day: date | None
    most_uses: int | None
    uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupons:
    """A page of coupons."""

    items: list[CouponOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """The documents that were issued; with `?preview=true` those that would be."""

    documents: list[DocumentOut]
    preview: list[DraftOut] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerOut(Marked):
    """A customer."""

    customer: str
    name: str
    kind: str
    language: str
    documents_per: str
    round_up_minutes: int
    hourly_rate: Decimal | None
    head_office: str | None
    self_managed: bool
    created_at: datetime
    billing_information: BillingInformationOut | None
    missing_billing_information: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerResultOut:
    """What a customer brought in a currency: `margin` is revenue less cost of suppliers. Minutes stand with the first
    currency of a customer; they have no cost."""

    customer: str
    name: str
    currency: str
    documents: int
    revenue: Decimal
    cost: Decimal
    margin: Decimal
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerResults:
    """By currency, the least margin first."""

    items: list[CustomerResultOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """A page of customers."""

    items: list[CustomerOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineOut:
    """A contract whose deadline of notice comes: then it ends on `ends` (exclusive), else it binds until `later`."""

    contract: str
    customer: str
    deadline: date
    ends: date
    later: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Deadlines of notice, the next ones first; `more`: there are others beyond these 500."""

    items: list[DeadlineOut]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """A page of deliveries."""

    items: list[DeliveryOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDetail:
    """An event for a webhook, the text that is sent, and the last 100 tries."""

    id: int
    webhook: int
    event: str
    type: str
    state: Literal["waiting", "delivered", "failed"]
    attempts: int
    created_at: datetime
    tried_at: datetime | None
    next_at: datetime | None
    delivered_at: datetime | None
    last_status: int | None
    last_error: str
    body: str
    tries: list[TryOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOut:
    """An event for a webhook. `attempts` are counted from the last replay on."""

    id: int
    webhook: int
    event: str
    type: str
    state: Literal["waiting", "delivered", "failed"]
    attempts: int
    created_at: datetime
    tried_at: datetime | None
    next_at: datetime | None
    delivered_at: datetime | None
    last_status: int | None
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskMailOut:
    """How mails about tickets go out."""

    reply_to: str
    receipts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What differs between two versions, or between a version and a draft."""

    items: list[ChangeOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDetail(Marked):
    """A document and what corrects it."""

    id: int
    kind: str
    number: str
    customer: str
    contract: str | None
    issued_on: date
    issued_at: datetime
    due_on: date | None
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    open: Decimal | None
    status: str | None
    einvoice: str
    language: str
    prices_are: str
    reason: str
    hash: str
    references: list[str]
    seller: dict[str, str]
    recipient: dict[str, str]
    lines: list[DocumentLineOut]
    taxes: list[TaxOut]
    corrected_by: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLineOut:
    """A line of a document; `line` counts from 1. `unit_price` is for one unit, null where there is no single one."""

    line: int
    contract: str | None
    article: str
    title: str
    kind: str
    unit: str
    quantity: Decimal
    unit_price: Decimal | None
    net: Decimal
    vat: Decimal
    category: str
    from_: date | None
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOut:
    """An issued document with all that it shows; but for what is open it never changes."""

    id: int
    kind: str
    number: str
    customer: str
    contract: str | None
    issued_on: date
    issued_at: datetime
    due_on: date | None
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    open: Decimal | None
    status: str | None
    einvoice: str
    language: str
    prices_are: str
    reason: str
    hash: str
    references: list[str]
    seller: dict[str, str]
    recipient: dict[str, str]
    lines: list[DocumentLineOut]
    taxes: list[TaxOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSummary:
    """An issued document without its lines."""

    id: int
    kind: str
    number: str
    customer: str
    contract: str | None
    issued_on: date
    issued_at: datetime
    due_on: date | None
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    open: Decimal | None
    status: str | None
    einvoice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """A page of documents."""

    items: list[DocumentSummary]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command did: the documents that it issued, the contract afterwards. With `?preview=true` it does nothing,
    and `preview` says what it would do."""

    documents: list[DocumentOut]
    preview: Foreseen | None
    contract: ContractOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOut:
    """A document that a preview shows: as it would be issued, without a number."""

    kind: str
    customer: str
    contract: str | None
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    references: list[str]
    lines: list[DocumentLineOut]
    taxes: list[TaxOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftProblem:
    """What keeps a draft from being published."""

    code: str
    text: str
    field: str | None
    article: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSummary:
    """A draft, without what it says."""

    draft: int
    key: str
    title: str
    tariff: str | None
    revision: int
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """A page of drafts."""

    items: list[DraftSummary]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawOut:
    """Minutes that included hours bear of a piece of time. `document`: its number; null as long as it waits for a
    bill."""

    time: int
    worked_on: date
    ticket: int | None
    note: str
    user: str | None
    minutes: int
    document: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCodes:
    """Codes that were drawn, each for one contract."""

    codes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A contract that the next run takes. `changed_from`: facts before its last bill have changed since that day."""

    contract: str
    customer: str
    currency: str
    next_billing: date | None
    changed_from: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueList:
    """A page of what is due."""

    items: list[Due]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    """A page of what waits; `counts` by reason are of all."""

    items: list[Waiting]
    next: str | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationOut:
    """Why a line has its amount: the rule with its numbers, step by step, and a page of the usage behind it."""

    document: str
    line: int
    title: str
    net: Decimal
    currency: str
    from_: date | None
    until: date | None
    credited_document: str
    steps: list[Step]
    record_count: int
    records: list[RecordBehind]
    next: str | None
    proof: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionOut:
    """A contract line as it is booked from a supplier subscription, or as it would be."""

    subscription: str
    contract: str
    article: str | None
    quantity: Decimal
    from_: date
    booked: bool
    month: Decimal | None
    currency: str
    without: list[str]
    refused: RefusalOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionsOut:
    """What was booked, or would be (with `preview`), and what became of the usage that waited."""

    items: list[ExtensionOut]
    together: list[MonthOut]
    processed: Reprocessed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOut:
    """A contract that could not be rated, and why."""

    contract: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOut:
    """A file as it was received."""

    id: int
    name: str
    sha256: str
    received_at: datetime
    state: str
    read_at: datetime | None
    background: Progress | None
    rows: int
    recorded: int
    duplicates: int
    conflicts: int
    waiting: int
    skipped: int
    merged: int
    undone_at: datetime | None
    emptied_at: datetime | None
    mapping: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWithRows(Marked):
    """A file as it was received, with what its rows lack."""

    id: int
    name: str
    sha256: str
    received_at: datetime
    state: str
    read_at: datetime | None
    background: Progress | None
    rows: int
    recorded: int
    duplicates: int
    conflicts: int
    waiting: int
    skipped: int
    merged: int
    undone_at: datetime | None
    emptied_at: datetime | None
    mapping: dict[str, Any]
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """A page of files."""

    items: list[FileOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledOut:
    """A template as a ticket fills it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatMonthOut:
    """What flat prices brought in the billing periods that begin in a month, in one currency."""

    month: date
    currency: str
    periods: int
    above: int
    minutes: Decimal
    notional: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatMonths:
    """The last twelve months."""

    items: list[FlatMonthOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatPriceOut:
    """A flat price of a contract over the last twelve months. `gain` is `fee` less `notional`: below zero it loses."""

    line: int
    customer: str
    contract: str
    article: str
    tariff: str
    currency: str
    periods: int
    above: int
    minutes: Decimal
    notional: Decimal
    fee: Decimal
    gain: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatPrices:
    """A page of flat prices, the worst first."""

    items: list[FlatPriceOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The next bills of a contract. `comparison`: the first of them beside the last that a run has issued, null where
    one of both is missing."""

    bills: list[BillOut]
    comparison: ComparisonOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastOut:
    """The next bills on the days, both counted; `items`: those that change most, at most `limit`."""

    from_: date
    until: date
    sums: list[ForecastSum]
    items: list[ForeseenBill]
    failed: list[NotSettled]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSum:
    """All bills of a currency, net. `first`: contracts without a last bill, whose next ones come to `first_new`; they
    are in no other figure."""

    currency: str
    contracts: int
    old: Decimal
    new: Decimal
    difference: Decimal
    causes: list[CauseOut]
    first: int
    first_new: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What a command would do: the documents that it makes at once, and the next bill after it (`before`: without it).

    `refused`: what is to be completed first (billing information, numbers)."""

    documents: list[DraftOut]
    before: list[BillOut]
    bills: list[BillOut]
    refused: RefusalOut | None
    ends: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeseenBill:
    """The next bill of a contract beside its last, net. `on`: null where none comes any more; `last_on`: null where
    there was none."""

    contract: str
    customer: str
    currency: str
    on: date | None
    last_on: date | None
    old: Decimal
    new: Decimal
    difference: Decimal
    causes: list[CauseOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeseenOut:
    """What approval adds to what a customer pays. `gross`: the amounts contain VAT. `rests`: of the included hours, in
    the months of the time and now."""

    customer: str
    currency: str
    gross: bool
    logged: int
    counted: int
    drawn: int
    minutes: int
    amount: Decimal
    groups: list[GroupOut]
    rests: list[RestOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCouponOut:
    """A coupon given to the contract; it counts for periods that begin in the span."""

    from_: date
    until: date | None
    coupon: str
    code: str | None
    given: date


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOut:
    """What approval adds to a ticket, or to work without one: minutes as `logged`, after rounding (`counted`), borne by
    included hours (`drawn`), to be paid (`minutes`), and their amount."""

    ticket: int | None
    title: str
    logged: int
    counted: int
    drawn: int
    minutes: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The revisions before the present one."""

    items: list[Revision]


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayOut:
    """A day on which no business time passes."""

    day: date
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursList:
    """All of a customer, those that began last first."""

    items: list[HoursOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursMonthOut:
    """A month of included hours; of a block the whole. `carried`: what earlier months left; `waiting`: what of `drawn`
    is approved and not billed yet; `dropped`: what of `left` is lost."""

    first: date
    end: date | None
    granted: int
    carried: int
    drawn: int
    waiting: int
    left: int
    dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursOfMonth:
    """Minutes worked in a month."""

    month: date
    minutes: int
    billable_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursOut(Marked):
    """Included hours. `left`: the minutes that work of today would find, when approved time is counted in; null where
    they do not hold today."""

    id: int
    customer: str
    title: str
    kind: Literal["block", "monthly"]
    minutes: int
    start: date
    end: date | None
    kept: bool
    activities: list[int]
    left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursStatementOut:
    """What was granted, what drew it, in the order of the work date, and what is left; as of today."""

    hours: HoursOut
    months: list[HoursMonthOut]
    draws: list[DrawOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursSumOut:
    """Minutes of a customer (`key` is the number), a user (the e-mail address) or an activity (the name); of none
    where both are empty."""

    key: str
    name: str
    minutes: int
    billable_minutes: int
    months: list[HoursOfMonth]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursWorked:
    """The most minutes first."""

    items: list[HoursSumOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of rows; `problems` are at most 100, `more_problems` says how many more there are. With
    `?preview=true` nothing did, and `preview` says how the file would be read."""

    file: int | None
    rows: int
    recorded: int
    duplicates: int
    conflicts: int
    waiting: dict[str, int]
    problems: list[ProblemOut]
    more_problems: int
    skipped: int
    merged: int
    unpriced: int | None
    documents: list[int]
    preview: LookOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """A supplier subscription in use, with what the supplier says of it."""

    supplier: str
    subscription: str
    product: str
    product_name: str
    quantity: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A mail that came. `taken`: it caused what `about` names (`usage_file:12`, `ticket:5`); `ignored`: it is none of
    ours; `refused`: nothing could be taken from it; `waiting`: for a person; `failed`: by a fault, it is tried again.
    `verdict` says so in sentences."""

    id: int
    mailbox: int
    sender: str
    subject: str
    message_id: str
    sent_at: datetime | None
    size: int
    state: Literal["taken", "ignored", "refused", "waiting", "failed"]
    verdict: list[str]
    about: list[str]
    attempts: int
    looked_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMails:
    """A page of mails."""

    items: list[Incoming]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete:
    """A customer to whom no document can be issued, and the fields that lack."""

    customer: str
    name: str
    missing_billing_information: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationMade:
    """A new invitation with its link, which is told this once; `mailed`: there is a server that sends it, too."""

    id: int
    email: str
    name: str
    role: str
    language: str
    invited_by: str | None
    invited_at: datetime
    expires_at: datetime
    link: str
    mailed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationOut:
    """An invitation that can still be accepted."""

    id: int
    email: str
    name: str
    role: str
    language: str
    invited_by: str | None
    invited_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitations:
    """A page of invitations."""

    items: list[InvitationOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicesOut:
    """The supplier's own invoices of a currency against the rows imported for the period, and against what is billed.

    An invoice for other days besides counts by its days in the period. `difference`: `claimed` less `charged`."""

    currency: str
    invoices: list[int]
    claimed: Decimal
    charged: Decimal
    difference: Decimal
    invoiced: Decimal
    causes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOut:
    """A job of the worker. `state`: todo, doing, succeeded, failed, cancelled, aborted."""

    id: int
    task: str
    queue: str
    arguments: dict[str, Any]
    state: str
    attempts: int
    scheduled_at: datetime | None
    error: str | None
    failed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """A page of jobs."""

    items: list[JobOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLevel:
    """How targets of a priority were kept. `overdue`: not solved yet, and something is over due."""

    priority: str
    tickets: int
    answered_in_time: int
    answered_late: int
    solved_in_time: int
    solved_late: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLevels:
    """By priority, the most urgent first."""

    items: list[KeptLevel]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMade:
    """A new key with its secret, which is told this once."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOut(Marked):
    """A key, without its secret; `prefix` is how it begins."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """A page of keys."""

    items: list[KeyOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A contract or customer that a run left out, and why."""

    contract: str | None
    customer: str | None
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftToCredit:
    """What is left to credit of each line of an invoice."""

    items: list[LineLeft]
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterOut:
    """The mail that brings a document, if nobody changes it; `to` is empty where no address is known."""

    to: str
    subject: str
    text: str
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLeft:
    """What is left to credit of a line; net, gross where the document's prices are."""

    line: int
    left: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOut:
    """A line of a tariff; null: the default of the rules."""

    title: str | None
    titles: dict[str, str] | None
    alternative_name: str | None
    alternative_names: dict[str, str] | None
    key: str | None
    charge: str | None
    booking: str | None
    when: str | None
    interval: str | None
    price_per: str | None
    price: Decimal | None
    price_quantity: Decimal | None
    package: str | None
    proration: str | None
    vat: list[RateOut] | None
    included: Decimal | None
    included_proration: str | None
    tiers: list[TierOut] | None
    tier_mode: str | None
    discount_scale: list[StepOut] | None
    aggregate: str | None
    aggregate_of: str | None
    unit: str | None
    tick: str | None
    tick_scope: str | None
    flat_price: bool | None
    reference_price: Decimal | None
    in_minimum: bool | None
    in_cap: bool | None
    interim: bool | None
    notice: str | OwnTermsOut | None
    usage_pricing: str | None
    markup: Decimal | None
    bookable_by: str | None
    show: bool | None
    highlight: bool | None
    heading: str | None
    headings: dict[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """The contract as it stands then, and what became of the usage of the subscription that waited."""

    contract: str
    customer: str
    tariff: str
    currency: str
    status: str
    start: date
    ends: date | None
    next_billing: date | None
    signed_at: datetime
    last_day: date | None
    notice_deadline: date | None
    notice_received: date | None
    billed_until: date | None
    trial_end: date | None
    anchor: str
    offer_number: str | None
    transferred_from: str | None
    transferred_to: str | None
    notice: str | OwnTermsOut
    conversion: str
    balance: Decimal
    lines: list[ContractLineOut]
    pauses: list[SpanOut]
    coupons: list[GivenCouponOut]
    tariffs: list[PhaseOut]
    recorded: int
    waiting: dict[str, int]
    documents: list[int]
    from_: date | None
    ended: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLineOut:
    """A line of a price list. Prices are in the list's basis; `vat` is the rate in percent."""

    article: str
    title: str
    heading: str
    highlight: bool
    charge: str
    booking: str
    vat: Decimal
    price: Decimal
    price_quantity: Decimal
    package: str
    unit: str
    price_per: str
    interval: str
    flat_price: bool
    included: Decimal
    tiers: list[TierOut]
    tier_mode: str
    discount_scale: list[StepOut]
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTariffOut:
    """A tariff of a price list; `notes`: what holds for all its lines, in words."""

    tariff: str
    title: str
    currency: str
    interval: str
    minimum_sales: Decimal | None
    cost_cap: Decimal | None
    from_: date | None
    offer_number: str | None
    lines: list[ListedLineOut]
    notes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A page of the log."""

    items: list[LogEntryOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntryOut:
    """An entry: `hash` covers its content and the hash of the entry before it."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    data: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOut:
    """A file's beginning as it would be read: at most the first 1,000 rows are counted, the first 20 shown."""

    headings: list[str]
    proposed: dict[str, Any]
    ready: str
    used: dict[str, Any]
    rows: list[RowRead]
    good: int
    bad: int
    skipped: int
    merged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """What would become of one: its first bill with services as they are, or why it cannot be signed."""

    contract: str
    customer: str
    lines: int
    preview: Foreseen | None
    refused: RefusalOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LostUsageOut:
    """Usage for which the tariff to try has no line: quantity (minutes for times), and what it came to until now."""

    article: str
    title: str
    records: int
    contracts: int
    quantity: Decimal
    old: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOut:
    """A mail with the document: `waiting`, `sending`, `sent`, `failed`, or `unknown` where it cannot be known."""

    id: int
    to: str
    subject: str
    state: str
    attempts: int
    last_error: str
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServerOut(Marked):
    """A mail server, without its password."""

    host: str
    port: int
    security: str
    user: str
    has_password: bool
    from_address: str
    from_name: str
    for_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxOut(Marked):
    """A mailbox without its password, and how the last look into it went. `error`: why it failed, empty if not."""

    id: int
    purpose: str
    supplier: str | None
    queue: int | None
    host: str
    port: int
    security: str
    user: str
    folder: str
    archive: str
    not_before: date
    senders: list[str]
    strangers: str
    active: bool
    looked_at: datetime | None
    succeeded_at: datetime | None
    next_at: datetime | None
    failures: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailboxes:
    """A page of mailboxes."""

    items: list[MailboxOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mails:
    """The mails with a document, the newest first."""

    items: list[MailOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The key that asks."""

    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOut:
    """What was said. `mail`: what became of the mail by which an answer went out (`waiting`, `sent`, `failed` …); null
    where there was none. `left_out`: why files that came with it are not here."""

    id: int
    at: datetime
    kind: str
    author: str
    text: str
    files: list[TicketFileOut]
    left_out: list[str]
    mail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleOut(Marked):
    """A module. It can be ordered once it has a tariff that is public and not retired."""

    module: str
    title: str
    titles: dict[str, str]
    can_be_ordered: bool
    tariffs: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules(Marked):
    """All modules, in their order."""

    items: list[ModuleOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOut:
    """What lines bring in a whole month together, net, in one currency."""

    currency: str
    month: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyOut:
    """What contracts bring each month: net (gross where prices are), without usage."""

    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOut:
    """What moves of a line's price: of so many contract lines, with a quantity in all; net by month."""

    article: str
    title: str
    lines: int
    quantity: Decimal
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedOut:
    """The numbers of the tickets that were in another queue."""

    tickets: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSettled:
    """A contract that could not be settled, and why."""

    contract: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDone:
    """What notice did. `ends` is exclusive."""

    documents: list[DocumentOut]
    preview: Foreseen | None
    contract: ContractOut | None
    ends: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering(Marked):
    """All series."""

    items: list[Series]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferNumberOut(Marked):
    """An offer number; `state`: usable, or why it is not: revoked, expired, used_up."""

    number: str
    state: str
    memo: str
    version_from: date | None
    made_at: datetime
    last_day: date | None
    most_uses: int | None
    uses: int
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferNumbers:
    """A page of offer numbers."""

    items: list[OfferNumberOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardOut:
    """The contracts that were signed; `recorded`: waiting usage that found its line. A preview signs nothing and looks
    at each (`looked_at`)."""

    contracts: list[ContractOut]
    recorded: int
    waiting: int
    looked_at: list[LookedAt]


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """Existing customers with whom something is to be done, by name; of each kind at most 500 are listed."""

    without_billing_information: list[Incomplete]
    without_billing_information_in_all: int
    without_contract: list[Unbound]
    without_contract_in_all: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The ids of the time that is open again."""

    time: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningOut:
    """From when to when the desk works on a weekday."""

    weekday: str
    start: str
    end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOut(Marked):
    """An order. `unconfirmed`: its link was mailed and is good until `expires_at`; `open`: it waits for approval;
    `done`: there is a contract; `refused`: with a reason. `prices`: the first bill and the next one, as shown."""

    order: int
    state: str
    tariff: str
    offer_number: str | None
    quantities: dict[str, str]
    coupon: str | None
    code: str
    buyer: BuyerOut
    currency: str
    prices: list[PriceOut]
    ordered_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    decided_at: datetime | None
    decided_by: str
    reason: str
    customer: str | None
    contract: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPreview:
    """What an order of today would come to: the first bill and the one that follows; `mark` stands for these prices."""

    prices: list[PriceOut]
    currency: str
    bills: list[BillOut]
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """A page of orders."""

    items: list[OrderOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """A page of the outbox."""

    items: list[OutboxMail]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMail:
    """A mail of the outbox: `waiting`, `sending`, `sent`, `failed`, `caught` (there is no server), or `unknown` where
    it cannot be known. `about` names what it brings: `document:12`."""

    id: int
    kind: str
    about: str
    to: str
    subject: str
    language: str
    state: str
    attempts: int
    last_error: str
    created_at: datetime
    next_at: datetime | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMailDetail:
    """A mail with its text; null where it opens the office, and the key may not change accounts."""

    id: int
    kind: str
    about: str
    to: str
    subject: str
    language: str
    state: str
    attempts: int
    last_error: str
    created_at: datetime
    next_at: datetime | None
    sent_at: datetime | None
    text: str | None
    attachments: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTermsOut:
    """Terms of notice of one's own (R15.3)."""

    initial_term: str | None
    renewal_term: str | None
    notice: str | None
    to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOut:
    """Money received, below 0: paid back."""

    id: int
    amount: Decimal
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments(Marked):
    """The payments of an invoice, and what is open."""

    items: list[PaymentOut]
    open: Decimal
    status: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseOut:
    """A span under one tariff."""

    from_: date
    until: date | None
    tariff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The order that was taken; with `?preview=true` what it would come to."""

    order: OrderOut | None
    preview: OrderPreview | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalUserOut(Marked):
    """Somebody who has, or had, access to a customer in the portal. `id` is that of the access. An `administrator` sees
    and does everything there and manages the customer's people, a `user` sees contracts and usage without amounts and
    the own tickets. `phone` to `company_contact` they keep where the customer's profile is `self_managed`."""

    id: int
    email: str
    name: str
    language: str
    role: Literal["administrator", "user"]
    active: bool
    invited_at: datetime
    ended_at: datetime | None
    last_sign_in: datetime | None
    phone: str
    mobile: str
    job_title: str
    company_contact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalUsers:
    """All of a customer."""

    items: list[PortalUserOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceListOut(Marked):
    """The price list of a module."""

    module: str
    title: str
    language: str
    on: date
    prices: str
    tariffs: list[ListedTariffOut]
    notes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOut:
    """A bill as it was shown."""

    on: date
    net: Decimal
    tax: Decimal
    gross: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemOut:
    """A row that could not be read, or that conflicts with a stored one."""

    line: int | None
    code: str
    column: str
    value: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    """A page of a file's problems."""

    items: list[ProblemOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Processed:
    """How many records found their line, why others wait still (by reason), interim bills made."""

    recorded: int
    waiting: dict[str, int]
    documents: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductReferenceOut:
    """The article that a supplier's product stands for."""

    product: str
    article: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductReferences:
    """A page of product references."""

    items: list[ProductReferenceOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the background is with a file, or how it ended."""

    state: str
    step: str | None
    rows: int
    percent: int
    stop_requested: bool
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOut:
    """Whether the log is as it was written: how many entries, the last one with its hash, which ones are broken."""

    entries: int
    last: int
    hash: str
    broken: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The tariff that a draft became; with `?preview=true` whom its version would reach."""

    tariff: TariffOut | None
    preview: ReachOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityOut:
    """A quantity from a day on; of several for one day the last holds. Changes that were taken back are left out."""

    from_: date
    quantity: Decimal
    memo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOut:
    """Where tickets wait for somebody."""

    id: int
    name: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """All of a seller."""

    items: list[QueueOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateOut:
    """A VAT rate from a day on; null: from the beginning."""

    from_: date | None
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTold(Marked):
    """A rate of the register: one unit of `from` is worth `rate` units of `to` from a day on."""

    id: int
    from_: str
    to: str
    day: date
    rate: Decimal
    source: str
    changed_at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesSet:
    """What became of rates, and of the records that waited for one; `documents`: ids of interim bills by threshold."""

    new: int
    changed: int
    same: int
    recorded: int
    waiting: dict[str, int]
    documents: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesTold:
    """A page of rates."""

    items: list[RateTold]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachOut:
    """Whom a version reaches: nobody, if it is for new contracts alone. `monthly`: what recurs changes by it, net."""

    contracts: int
    starts: list[StartOut]
    moves: list[MoveOut]
    monthly: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonOut:
    """A cause of a difference and what it comes to, net; `old` and `new`: what it was and is (quantities, prices,
    percentages), where there is one of each."""

    cause: str
    amount: Decimal
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciledRow:
    """A subscription, a contract, or all of a currency; amounts are net. `charged` by the supplier, `said` by the
    contract (null: it cannot be worked out), `invoiced` to the customer; `margin` is null between two currencies."""

    reference: str
    name: str
    customer: str
    contracts: list[str]
    currency: str
    billed_in: str
    rows: int
    unpriced: int
    charged: Decimal
    said: Decimal | None
    invoiced: Decimal
    margin: Decimal | None
    account: AccountOut
    causes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationOut:
    """A supplier's period. `subscriptions` and `contracts`: those that differ first, at most 500 of each; `invoices` by
    currency, those that differ first."""

    supplier: str
    from_: date
    until: date
    holds: bool
    totals: list[ReconciledRow]
    invoices: list[InvoicesOut]
    subscriptions: list[ReconciledRow]
    contracts: list[ReconciledRow]
    more_subscriptions: int
    more_contracts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBehind:
    """A usage record from which the line was made, as it was then; `seconds` are raw."""

    source: str
    id: str
    revision: int
    at: datetime
    from_: date
    until: date
    quantity: Decimal | None
    seconds: int | None
    cost_amount: Decimal | None
    amount: Decimal | None
    discount: str
    currency: str
    rate_day: date | None
    rate_over: Decimal | None
    rate_under: Decimal | None
    file: str | None
    row: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOut(Marked):
    """A stored record in its present revision; `seconds` are raw, `until` is the first day after it."""

    id: str
    source: str
    revision: int
    contract: str | None
    article: str | None
    sent_for: str
    supplier: str | None
    subscription: str
    product: str
    at: datetime
    from_: date
    until: date
    quantity: Decimal | None
    seconds: int | None
    cost_amount: Decimal | None
    amount: Decimal | None
    discount: str
    currency: str
    rate_day: date | None
    rate_over: Decimal | None
    rate_under: Decimal | None
    rate_to: str | None
    attributes: dict[str, Any] | None
    file: int | None
    row: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """A page of records."""

    items: list[RecordOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceChangeOut:
    """What an import changed of a supplier's customer or subscription."""

    reference: str
    at: datetime
    by: str
    file: int | None
    made: bool
    changes: dict[str, list[str | None]]
    day: date | None
    kept: dict[str, list[str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceChanges:
    """A page of changes."""

    items: list[ReferenceChangeOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalOut:
    """Why something cannot be done yet, though the request is right."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFileOut:
    """A file that came by a watched folder, by mail or to the background, and was not loaded."""

    id: int
    name: str
    size: int
    origin: str
    at: datetime
    code: str
    detail: str
    file: int | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFiles:
    """A page of files that were not loaded."""

    items: list[RefusedFileOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeating:
    """A file that counted duplicates, perhaps of rows that were taken out now: it does not bring them by itself."""

    file: int
    name: str
    duplicates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How many events are sent again."""

    replayed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reprocessed:
    """What became of the records that waited: how many found their line, why others wait still, interim bills made."""

    recorded: int
    waiting: dict[str, int]
    documents: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestOut:
    """What is left of included hours once the time is approved: of all, or in the month that begins on `first`."""

    hours: int
    title: str
    first: date | None
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A revision that was replaced, or `withdrawn`, as it was; `article` is what it was sent for."""

    revision: int
    withdrawn: bool
    replaced_at: datetime
    article: str
    at: datetime
    from_: date
    until: date
    quantity: Decimal | None
    seconds: int | None
    cost_amount: Decimal | None
    amount: Decimal | None
    currency: str
    attributes: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedCodes:
    """How many codes were revoked."""

    revoked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOut:
    """What becomes of a row. `new`: the customer is made; `added`: the service is noted; `known`: nothing is new;
    `double`: it seems to be the customer `twin`, by `mark`; `wrong`: see `detail`."""

    line: int
    customer: str
    does: str
    twin: str
    mark: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRead:
    """A row as it would be read; days are local days, `end_day` is exclusive."""

    line: int
    id: str
    customer_id: str
    subscription_id: str
    product_id: str
    first_day: date
    end_day: date
    quantity: Decimal | None
    seconds: int | None
    cost_amount: Decimal | None
    amount: Decimal | None
    currency: str
    attributes: dict[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """A run with what it left out."""

    id: int
    on: date
    started_at: datetime
    finished_at: datetime | None
    actor: str
    contracts: int
    documents: int
    left_out: list[LeftOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDone:
    """The outcome of a run: the ids of the documents that it issued, credit notes first, their sums, what was left out.

    A preview shows the documents in `preview`, at most 500 of them; the sums are of all. `warnings`: that its day is
    not today's; none where there are no documents."""

    on: date
    contracts: int
    documents: list[int]
    preview: list[DraftOut] | None
    sums: list[Sum]
    left_out: list[LeftOut]
    warnings: list[RunWarning]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOut:
    """A run that was."""

    id: int
    on: date
    started_at: datetime
    finished_at: datetime | None
    actor: str
    contracts: int
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run that the worker does. `warnings`: that its day is not today's."""

    id: int
    kind: str
    state: str
    done: int
    total: int
    stop_requested: bool
    result: dict[str, Any]
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    warnings: list[RunWarning]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWarning:
    """What may not be meant so: the documents of a run on a day that is `past`, or `ahead`, bear it as their date."""

    code: Literal["past", "ahead"]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """A page of runs."""

    items: list[RunOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleDone:
    """A sale that was made or given away; with `?preview=true` the document that it would be alone."""

    item: SaleOut | None
    preview: list[DraftOut] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleLineOut:
    """A line of a sale."""

    title: str
    article: str
    quantity: Decimal
    price: Decimal
    discount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleOut(Marked):
    """A sale: `pending` until it stands on a document."""

    id: int
    as_: str
    customer: str
    status: str
    currency: str
    net: Decimal
    sold_on: date
    document: int | None
    lines: list[SaleLineOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """A page of sales."""

    items: list[SaleOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretOut:
    """A new secret, which is told this once. The one before signs, too, until then."""

    secret: str
    old_secret_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerOut(Marked):
    """Who bills, with the settings that are defaults of the rules."""

    id: int
    name: str
    street: str
    postcode: str
    city: str
    country: str
    email: str
    phone: str
    vat_id: str
    tax_number: str
    registration: str
    bank_name: str
    iban: str
    bic: str
    creditor_id: str
    currency: str
    time_zone: str
    vat: list[RateOut]
    prices_are: str
    change_documents: str
    stacking: str
    coupon_and_scale: str
    consumer_rules: str
    rate_change: str
    closed_until: date | None
    payment_days: int
    unattended_runs: bool
    rate_days: int
    call_number_months: int
    portal_allows: list[str]
    order_page: bool
    order_approval: bool
    vies: bool
    terms_url: str
    privacy_url: str
    withdrawal: str
    electronic_address: str
    einvoice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sellers:
    """All sellers."""

    items: list[SellerOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The numbers of one kind of document. `next` is the number that comes, this year where they begin anew yearly."""

    kind: str
    format: str
    confirmed: bool
    next: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevelsOut(Marked):
    """All that a seller's desk promises."""

    time_zone: str
    hours: list[OpeningOut]
    holidays: list[HolidayOut]
    targets: list[TargetOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePricingOut:
    """By which tariff services without a contract are sold, and whether each month is sold by itself."""

    tariff: str
    nightly: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesLeftOut:
    """How many services were left out."""

    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesSold:
    """What came of services: the sales items made (null in a preview), what is sold, and what waits."""

    sales_items: list[int] | None
    sold: list[UsedServiceOut]
    waiting: list[UsedServiceOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How many of the files were still open."""

    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The contract that was signed; with `?preview=true` what its first bill would be."""

    contract: ContractOut | None
    preview: Foreseen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanOut:
    """Days from one, included, to another, excluded; null: no end."""

    from_: date
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOut:
    """So many contracts take the version with the period that begins on a day."""

    from_: date
    contracts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the calculation: what, and how much."""

    what: str
    much: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOut:
    """A step of a discount scale: `percent` off, above a quantity."""

    above: Decimal
    percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionOut:
    """A supplier subscription, and the contract line that it is tied to. `end` is the last day."""

    subscription: str
    status: str
    contract: str | None
    article: str | None
    customer_id: str
    name: str
    description: str
    start: date | None
    end: date | None
    product: str
    product_name: str
    unit: str
    quantity: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriptions:
    """A page of supplier subscriptions."""

    items: list[SubscriptionOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Documents of one kind and currency."""

    kind: str
    currency: str
    count: int
    net: Decimal
    tax: Decimal
    gross: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SumOut:
    """A quantity, and what the supplier charged for it."""

    quantity: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierCustomerOut:
    """A customer as the supplier knows it."""

    reference: str
    status: str
    name: str
    customer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierCustomers:
    """A page of supplier customers."""

    items: list[SupplierCustomerOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierInvoiceOut(Marked):
    """A supplier's own invoice. `file` is what its file is called; empty where none is kept."""

    id: int
    number: str
    day: date
    from_: date
    until: date
    net: Decimal
    currency: str
    note: str
    file: str
    file_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierInvoices:
    """A page of a supplier's own invoices."""

    items: list[SupplierInvoiceOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierOut(Marked):
    """A supplier."""

    supplier: str
    name: str
    create_customers: bool
    create_subscriptions: bool
    unit_price_from_import: bool
    currency: str
    time_zone: str
    mapping: dict[str, Any]
    folder: str
    contact: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppliers:
    """A page of suppliers."""

    items: list[SupplierOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeoverOut:
    """What a file brings. `written`: its contracts are there now; with `?preview=true` they are not."""

    written: bool
    contracts: int
    wrong: int
    monthly: list[MonthlyOut]
    problems: list[WrongRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOut:
    """Within how many minutes of business time tickets of a priority are answered for the first time, and solved."""

    priority: str
    answer: int | None
    solve: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffDraftOut(Marked):
    """A draft. `fields` are as they were written, complete or not."""

    draft: int
    key: str
    tariff: str | None
    revision: int
    changed_by: str
    changed_at: datetime
    fields: dict[str, Any]
    problems: list[DraftProblem]


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffOut(Marked):
    """A tariff with all its versions."""

    tariff: str
    title: str
    module: str
    public: bool
    order_approval: str
    offer_number: str | None
    anchor: str
    notice: str | OwnTermsOut
    trial: str | None
    currency: str
    retired: bool
    versions: list[VersionOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffSummary:
    """A tariff, without what it says."""

    tariff: str
    title: str
    module: str
    public: bool
    offer_number: str | None
    currency: str
    retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariffs:
    """A page of tariffs."""

    items: list[TariffSummary]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxOut:
    """The sums of one VAT category and rate."""

    category: str
    rate: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDetail(Marked):
    """A ticket with what was said, and the minutes worked on it."""

    ticket: int
    customer: str
    subject: str
    status: str
    priority: str
    queue: int | None
    assignee: str | None
    line: TicketLineOut | None
    channel: str
    requester_name: str
    requester_email: str
    opened_at: datetime
    changed_at: datetime
    answered_at: datetime | None
    solved_at: datetime | None
    closed_at: datetime | None
    answer_due_at: datetime | None
    solve_due_at: datetime | None
    solve_left: int | None
    due_at: datetime | None
    merged_into: int | None
    follows: int | None
    minutes: int
    messages: list[MessageOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFileOut:
    """A file of a message; its content is at `/tickets/{ticket}/files/{file}`."""

    id: int
    name: str
    type: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLineOut:
    """The contract line of a ticket."""

    contract: str
    article: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOut:
    """A ticket. `answered_at`: when staff first answered; `merged_into`: the number of the ticket that goes on;
    `follows`: that of a closed one that was answered.

    `due_at`: what staff has to keep next. `solve_left`: business seconds left, while the clock stands still in time."""

    ticket: int
    customer: str
    subject: str
    status: str
    priority: str
    queue: int | None
    assignee: str | None
    line: TicketLineOut | None
    channel: str
    requester_name: str
    requester_email: str
    opened_at: datetime
    changed_at: datetime
    answered_at: datetime | None
    solved_at: datetime | None
    closed_at: datetime | None
    answer_due_at: datetime | None
    solve_due_at: datetime | None
    solve_left: int | None
    due_at: datetime | None
    merged_into: int | None
    follows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tickets:
    """A page of tickets."""

    items: list[TicketOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedKey:
    """What became of the usage that waited with a key."""

    recorded: int
    waiting: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierOut:
    """A tier; only the last has no `up_to`."""

    up_to: Decimal | None
    price: Decimal | None
    flat: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeList:
    """A page of worked time."""

    items: list[TimeOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOut(Marked):
    """Worked time. `step`: the customer's time step when it was approved."""

    id: int
    ticket: int | None
    customer: str
    minutes: int
    worked_on: date
    billable: bool
    activity: int | None
    note: str
    user: str | None
    status: Literal["submitted", "approved", "billed"]
    logged_at: datetime
    logged_by: str
    approved_at: datetime | None
    approved_by: str
    step: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerOut:
    """A timer. `seconds`: what it has counted until now; `overnight`: it ran over a midnight, so that whoever stops it
    has to say how many minutes were worked."""

    id: int
    user: str
    ticket: int | None
    customer: str
    activity: int | None
    note: str
    started_at: datetime
    running: bool
    seconds: int
    overnight: bool
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """A page of timers."""

    items: list[TimerOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferDone:
    """What a transfer did: the documents to both customers, the contract that ends, and the `other` that goes on. A
    preview tells of both; `within`: the billing period that the day splits, so that what is included counts anew."""

    documents: list[DocumentOut]
    preview: Foreseen | None
    contract: ContractOut | None
    other: ContractOut | None
    other_preview: Foreseen | None
    within: SpanOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Whether a mailbox can be reached: `error` says what is wrong; `mails` lie in its folder."""

    works: bool
    mails: int | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TryOut:
    """A try to send an event: where to, with which headers, and what was answered."""

    at: datetime
    url: str
    headers: dict[str, str]
    milliseconds: int
    status: int | None
    error: str
    response: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnapprovedTimeOut:
    """A customer's time that waits for approval: minutes by how many days ago it was worked."""

    customer: str
    name: str
    complete: bool
    pieces: int
    oldest: date
    minutes: int
    up_to_7_days: int
    up_to_30_days: int
    up_to_90_days: int
    older: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnapprovedTimes:
    """By customer, the oldest first."""

    items: list[UnapprovedTimeOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbound:
    """A customer who has services but no contract. `complete`: documents could be issued."""

    customer: str
    name: str
    complete: bool
    subscriptions: list[InUse]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What became of an import that was undone."""

    records: int
    repeating: list[Repeating]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDone:
    """How many of each, and a verdict for each record in the order in which they were sent.

    `documents`: ids of interim bills that were made because a contract reached its tariff's threshold (R11.3)."""

    recorded: int
    duplicates: int
    conflicts: int
    waiting: int
    refused: int
    results: list[VerdictOut]
    documents: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageForeseen:
    """What a usage record would do; `waits`: why it would wait."""

    preview: Foreseen
    waits: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageKeyOut(Marked):
    """A key."""

    key: str
    title: str
    titles: dict[str, str]
    source: str
    time_based: bool
    flat_price: bool
    own_notice: bool
    article: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageKeys:
    """A page of keys."""

    items: list[UsageKeyOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedServiceOut:
    """A service of a month. `id` is null before the month is sold. `lacks`: what it waits for."""

    id: int | None
    customer: str
    supplier: str
    subscription: str
    month: date
    title: str
    article: str
    quantity: Decimal | None
    price: Decimal | None
    currency: str
    state: str
    lacks: str | None
    sales_item: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedServices:
    """A page of services."""

    items: list[UsedServiceOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOut(Marked):
    """A user. `second_factors`: what the user has besides the password: `totp`, `webauthn`."""

    id: int
    email: str
    name: str
    role: str
    active: bool
    language: str
    second_factors: list[str]
    created_at: datetime
    last_login: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """A page of users."""

    items: list[UserOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VatCheckOut:
    """What VIES said of the VAT id: confirmed, refused, unanswered; `identifier`: of the question, at VIES."""

    state: str
    asked_at: datetime
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictOut:
    """What became of one record. `reasons`: what of it waits; a record partly outside its line is recorded, too."""

    verdict: Literal["recorded", "duplicate", "conflict", "waiting", "refused"]
    id: str
    source: str
    reasons: list[str]
    code: str | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDone:
    """A version that was made; with `?preview=true` whom it would reach."""

    version: VersionOut | None
    preview: ReachOut | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionOut:
    """A version of a tariff; `from` null: from the beginning."""

    from_: date | None
    applies_to: str
    title: str
    titles: dict[str, str] | None
    interval: str
    anchor: str
    notice: str | OwnTermsOut
    trial: str | None
    tick: str | None
    tick_scope: str | None
    vat: list[RateOut] | None
    minimum_sales: Decimal | None
    cost_cap: Decimal | None
    minimum_proration: str
    cap_proration: str
    tolerance: Decimal
    interim_threshold: Decimal | None
    credit_on_end: bool
    lines: dict[str, LineOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What of a record waits, and why."""

    reason: str
    from_: date
    until: date
    since: datetime
    record: RecordOut


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingMail:
    """A mail of which somebody must say what becomes of it; `verdict` says why."""

    id: int
    sender: str
    subject: str
    sent_at: datetime | None
    looked_at: datetime
    verdict: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingMailDetail:
    """A mail that waits, with what it says and the names of its files."""

    id: int
    sender: str
    subject: str
    sent_at: datetime | None
    looked_at: datetime
    verdict: list[str]
    text: str
    files: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingMails:
    """A page of mails that wait."""

    items: list[WaitingMail]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTimeOut:
    """A customer's time that waits for billing information. `worth` is null without an hourly rate."""

    customer: str
    name: str
    pieces: int
    minutes: int
    billable_minutes: int
    worth: Decimal | None
    oldest: date


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTimes:
    """By customer, the most minutes first."""

    currency: str
    items: list[WaitingTimeOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMade:
    """A new webhook with its secret, which is told this once."""

    id: int
    url: str
    events: list[str]
    description: str
    active: bool
    off_reason: str
    off_at: datetime | None
    old_secret_until: datetime | None
    created_at: datetime
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookOut(Marked):
    """A webhook. `off_reason`: `by_hand`, `gone` (it answered 410), `failing` (nothing was taken for two days)."""

    id: int
    url: str
    events: list[str]
    description: str
    active: bool
    off_reason: str
    off_at: datetime | None
    old_secret_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookStanding:
    """A webhook, and whether events arrive; numbers are those of the last 30 days."""

    id: int
    url: str
    events: list[str]
    description: str
    active: bool
    off_reason: str
    off_at: datetime | None
    old_secret_until: datetime | None
    created_at: datetime
    state: Literal["on", "failing", "paused", "gone", "given_up"]
    last_success_at: datetime | None
    last_failure_at: datetime | None
    waiting: int
    delivered: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """A page of webhooks."""

    items: list[WebhookStanding]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfOut:
    """Net sums of all contracts that were looked at; `items`: those for which most would change, at most `limit`."""

    from_: date
    until: date
    currency: str
    old: Decimal
    new: Decimal
    difference: Decimal
    contracts: int
    other_currency: int
    without_period: int
    lines: list[ComparedLine]
    lost: list[LostUsageOut]
    failed: list[FailedOut]
    items: list[ComparedContract]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What stands on the list: the price, what it is for, what holds besides."""

    price: str
    per: str
    notes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkList:
    """A page of long work."""

    items: list[WorkOut]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOut:
    """Long work: how far it is (`done` of `total`), and how it ended."""

    id: int
    kind: str
    state: str
    done: int
    total: int
    stop_requested: bool
    result: dict[str, Any]
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongRow:
    """A row that keeps its contract from being taken over: its line in the file, and what to do."""

    line: int
    contract: str
    code: str
    detail: str


class Taktura(Caller):
    """All operations of the API, by the names that they have there.

    What an operation changes is given by name; what is left out stays as it is. Numbers come back as Decimal, days as
    date, moments as datetime. Where an operation takes `preview`, nothing is written with it.
    """

    def who_am_i(self) -> Me:
        """The key that asks, and what it may do.

        Any key.
        """
        return self._ask(Me, "GET", "/me")

    def list_sellers(self) -> Sellers:
        """All sellers. Where there are several, name one in the header `Taktura-Seller`.

        Scope: `settings.view`.
        """
        return self._ask(Sellers, "GET", "/sellers")

    def create_seller(
        self,
        *,
        name: str,
        country: str,
        currency: str,
        time_zone: str,
        vat: Sequence[RateIn],
        street: str | None | Omit = OMIT,
        postcode: str | None | Omit = OMIT,
        city: str | None | Omit = OMIT,
        email: str | None | Omit = OMIT,
        phone: str | None | Omit = OMIT,
        vat_id: str | None | Omit = OMIT,
        tax_number: str | None | Omit = OMIT,
        registration: str | None | Omit = OMIT,
        bank_name: str | None | Omit = OMIT,
        iban: str | None | Omit = OMIT,
        bic: str | None | Omit = OMIT,
        creditor_id: str | None | Omit = OMIT,
        prices_are: Literal["net", "gross"] | None | Omit = OMIT,
        change_documents: Literal["separate", "netted"] | None | Omit = OMIT,
        stacking: Literal["best", "add", "sequence"] | None | Omit = OMIT,
        coupon_and_scale: Literal["coupon", "best", "both"] | None | Omit = OMIT,
        consumer_rules: Literal["DE", "none"] | None | Omit = OMIT,
        rate_change: Literal["end", "split"] | None | Omit = OMIT,
        payment_days: int | None | Omit = OMIT,
        unattended_runs: bool | None | Omit = OMIT,
        rate_days: int | None | Omit = OMIT,
        call_number_months: int | None | Omit = OMIT,
        portal_allows: Sequence[Literal["tickets", "book", "quantity", "notice", "data"]] | None | Omit = OMIT,
        order_page: bool | None | Omit = OMIT,
        order_approval: bool | None | Omit = OMIT,
        vies: bool | None | Omit = OMIT,
        terms_url: str | None | Omit = OMIT,
        privacy_url: str | None | Omit = OMIT,
        withdrawal: str | None | Omit = OMIT,
        electronic_address: str | None | Omit = OMIT,
        einvoice: Literal["", "zugferd"] | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> SellerOut:
        """Make a seller. Its numbers are confirmed before its first document is issued.

        Scope: `settings.change`.
        """
        return self._ask(
            SellerOut,
            "POST",
            "/sellers",
            body={
                "name": name,
                "street": street,
                "postcode": postcode,
                "city": city,
                "country": country,
                "email": email,
                "phone": phone,
                "vat_id": vat_id,
                "tax_number": tax_number,
                "registration": registration,
                "bank_name": bank_name,
                "iban": iban,
                "bic": bic,
                "creditor_id": creditor_id,
                "currency": currency,
                "time_zone": time_zone,
                "vat": vat,
                "prices_are": prices_are,
                "change_documents": change_documents,
                "stacking": stacking,
                "coupon_and_scale": coupon_and_scale,
                "consumer_rules": consumer_rules,
                "rate_change": rate_change,
                "payment_days": payment_days,
                "unattended_runs": unattended_runs,
                "rate_days": rate_days,
                "call_number_months": call_number_months,
                "portal_allows": portal_allows,
                "order_page": order_page,
                "order_approval": order_approval,
                "vies": vies,
                "terms_url": terms_url,
                "privacy_url": privacy_url,
                "withdrawal": withdrawal,
                "electronic_address": electronic_address,
                "einvoice": einvoice,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_seller(self, *, known: SellerOut | None = None) -> SellerOut:
        """The seller of this call.

        Scope: `settings.view`.
        """
        return self._ask(SellerOut, "GET", "/seller", known=known)

    def change_the_seller(
        self,
        *,
        name: str | None | Omit = OMIT,
        street: str | None | Omit = OMIT,
        postcode: str | None | Omit = OMIT,
        city: str | None | Omit = OMIT,
        country: str | None | Omit = OMIT,
        email: str | None | Omit = OMIT,
        phone: str | None | Omit = OMIT,
        vat_id: str | None | Omit = OMIT,
        tax_number: str | None | Omit = OMIT,
        registration: str | None | Omit = OMIT,
        bank_name: str | None | Omit = OMIT,
        iban: str | None | Omit = OMIT,
        bic: str | None | Omit = OMIT,
        creditor_id: str | None | Omit = OMIT,
        currency: str | None | Omit = OMIT,
        time_zone: str | None | Omit = OMIT,
        vat: Sequence[RateIn] | None | Omit = OMIT,
        prices_are: Literal["net", "gross"] | None | Omit = OMIT,
        change_documents: Literal["separate", "netted"] | None | Omit = OMIT,
        stacking: Literal["best", "add", "sequence"] | None | Omit = OMIT,
        coupon_and_scale: Literal["coupon", "best", "both"] | None | Omit = OMIT,
        consumer_rules: Literal["DE", "none"] | None | Omit = OMIT,
        rate_change: Literal["end", "split"] | None | Omit = OMIT,
        payment_days: int | None | Omit = OMIT,
        unattended_runs: bool | None | Omit = OMIT,
        rate_days: int | None | Omit = OMIT,
        call_number_months: int | None | Omit = OMIT,
        portal_allows: Sequence[Literal["tickets", "book", "quantity", "notice", "data"]] | None | Omit = OMIT,
        order_page: bool | None | Omit = OMIT,
        order_approval: bool | None | Omit = OMIT,
        vies: bool | None | Omit = OMIT,
        terms_url: str | None | Omit = OMIT,
        privacy_url: str | None | Omit = OMIT,
        withdrawal: str | None | Omit = OMIT,
        electronic_address: str | None | Omit = OMIT,
        einvoice: Literal["", "zugferd"] | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> SellerOut:
        """Change the seller: the fields that are given.

        Scope: `settings.change`.

        `if_match`: what `get_seller` gave; refused when it has changed since.
        """
        return self._ask(
            SellerOut,
            "PATCH",
            "/seller",
            body={
                "name": name,
                "street": street,
                "postcode": postcode,
                "city": city,
                "country": country,
                "email": email,
                "phone": phone,
                "vat_id": vat_id,
                "tax_number": tax_number,
                "registration": registration,
                "bank_name": bank_name,
                "iban": iban,
                "bic": bic,
                "creditor_id": creditor_id,
                "currency": currency,
                "time_zone": time_zone,
                "vat": vat,
                "prices_are": prices_are,
                "change_documents": change_documents,
                "stacking": stacking,
                "coupon_and_scale": coupon_and_scale,
                "consumer_rules": consumer_rules,
                "rate_change": rate_change,
                "payment_days": payment_days,
                "unattended_runs": unattended_runs,
                "rate_days": rate_days,
                "call_number_months": call_number_months,
                "portal_allows": portal_allows,
                "order_page": order_page,
                "order_approval": order_approval,
                "vies": vies,
                "terms_url": terms_url,
                "privacy_url": privacy_url,
                "withdrawal": withdrawal,
                "electronic_address": electronic_address,
                "einvoice": einvoice,
            },
            query={"preview": preview},
            if_match=if_match,
        )

    def close_a_period(
        self,
        *,
        until: Day,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> SellerOut:
        """Close the books before a day: usage dated before it waits, and none there is corrected (R12.3).

        Scope: `settings.change`.

        `if_match`: what `get_seller` gave; refused when it has changed since.
        """
        return self._ask(
            SellerOut,
            "POST",
            "/seller/close_period",
            body={"until": until},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def get_numbering(self, *, known: Numbering | None = None) -> Numbering:
        """The numbers of invoices and credit notes.

        Scope: `settings.view`.
        """
        return self._ask(Numbering, "GET", "/seller/numbering", known=known)

    def confirm_the_numbering(
        self,
        *,
        kind: Literal["invoice", "credit_note"],
        format: str,
        next: int,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Numbering:
        """Confirm the format of a kind of document, and the number that comes next (R14.3).

        Scope: `settings.change`.

        `if_match`: what `get_numbering` gave; refused when it has changed since.
        """
        return self._ask(
            Numbering,
            "POST",
            "/seller/confirm_numbering",
            body={"kind": kind, "format": format, "next": next},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def list_customers(
        self,
        *,
        name: str = "",
        kind: Literal["business", "consumer"] | None = None,
        complete: bool | None = None,
        limit: int = 100,
        after: str = "",
    ) -> Pages[Customers, CustomerOut]:
        """Customers, in the order in which they were made.

        `name`: those whose name or key holds each of these words. `complete`: whether documents can be issued to
        them.

        Scope: `customers.view`.
        """
        return Pages(
            lambda after: self._ask(
                Customers,
                "GET",
                "/customers",
                query={"name": name, "kind": kind, "complete": complete, "limit": limit, "after": after},
            ),
            after,
        )

    def create_customer(
        self,
        *,
        name: str,
        customer: str,
        kind: Literal["business", "consumer"] | None | Omit = OMIT,
        language: Literal["de", "en", "sv"] | None | Omit = OMIT,
        documents_per: Literal["contract", "customer"] | None | Omit = OMIT,
        round_up_minutes: int | None | Omit = OMIT,
        hourly_rate: Number | None | Omit = OMIT,
        head_office: str | None | Omit = OMIT,
        self_managed: bool | None | Omit = OMIT,
        billing_information: BillingInformationIn | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> CustomerOut:
        """A new customer, with billing information where it is given.

        Scope: `customers.change`.
        """
        return self._ask(
            CustomerOut,
            "POST",
            "/customers",
            body={
                "name": name,
                "kind": kind,
                "language": language,
                "documents_per": documents_per,
                "round_up_minutes": round_up_minutes,
                "hourly_rate": hourly_rate,
                "head_office": head_office,
                "self_managed": self_managed,
                "customer": customer,
                "billing_information": billing_information,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_customer(self, customer: str, *, known: CustomerOut | None = None) -> CustomerOut:
        """A customer.

        Scope: `customers.view`.
        """
        return self._ask(CustomerOut, "GET", f"/customers/{_part(customer)}", known=known)

    def change_customer(
        self,
        customer: str,
        *,
        name: str | None | Omit = OMIT,
        kind: Literal["business", "consumer"] | None | Omit = OMIT,
        language: Literal["de", "en", "sv"] | None | Omit = OMIT,
        documents_per: Literal["contract", "customer"] | None | Omit = OMIT,
        round_up_minutes: int | None | Omit = OMIT,
        hourly_rate: Number | None | Omit = OMIT,
        head_office: str | None | Omit = OMIT,
        self_managed: bool | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> CustomerOut:
        """Change a customer: the fields that are given.

        Scope: `customers.change`.

        `if_match`: what `get_customer` gave; refused when it has changed since.
        """
        return self._ask(
            CustomerOut,
            "PATCH",
            f"/customers/{_part(customer)}",
            body={
                "name": name,
                "kind": kind,
                "language": language,
                "documents_per": documents_per,
                "round_up_minutes": round_up_minutes,
                "hourly_rate": hourly_rate,
                "head_office": head_office,
                "self_managed": self_managed,
            },
            query={"preview": preview},
            if_match=if_match,
        )

    def set_billing_information(
        self,
        customer: str,
        *,
        name: str | None | Omit = OMIT,
        legal_form: str | None | Omit = OMIT,
        street: str | None | Omit = OMIT,
        postcode: str | None | Omit = OMIT,
        city: str | None | Omit = OMIT,
        country: str | None | Omit = OMIT,
        email: str | None | Omit = OMIT,
        delivery: Literal["email", "post", "portal"] | None | Omit = OMIT,
        debtor_number: str | None | Omit = OMIT,
        tax_status: Literal["domestic", "reverse_charge", "export", "exempt"] | None | Omit = OMIT,
        vat_id: str | None | Omit = OMIT,
        payment_days: int | None | Omit = OMIT,
        direct_debit: bool | None | Omit = OMIT,
        iban: str | None | Omit = OMIT,
        mandate_reference: str | None | Omit = OMIT,
        mandate_date: Day | None | Omit = OMIT,
        einvoice: Literal["", "none", "zugferd", "xrechnung", "xrechnung_cii", "peppol"] | None | Omit = OMIT,
        electronic_address: str | None | Omit = OMIT,
        buyer_reference: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> CustomerOut:
        """Write a customer's billing information: the fields that are given.

        Scope: `customers.change`.

        `if_match`: what `get_customer` gave; refused when it has changed since.
        """
        return self._ask(
            CustomerOut,
            "PATCH",
            f"/customers/{_part(customer)}/billing_information",
            body={
                "name": name,
                "legal_form": legal_form,
                "street": street,
                "postcode": postcode,
                "city": city,
                "country": country,
                "email": email,
                "delivery": delivery,
                "debtor_number": debtor_number,
                "tax_status": tax_status,
                "vat_id": vat_id,
                "payment_days": payment_days,
                "direct_debit": direct_debit,
                "iban": iban,
                "mandate_reference": mandate_reference,
                "mandate_date": mandate_date,
                "einvoice": einvoice,
                "electronic_address": electronic_address,
                "buyer_reference": buyer_reference,
            },
            query={"preview": preview},
            if_match=if_match,
        )

    def list_articles(self, *, limit: int = 100, after: str = "") -> Pages[Articles, ArticleOut]:
        """Articles, in the order in which they were made.

        Scope: `tariffs.view`.
        """
        return Pages(
            lambda after: self._ask(Articles, "GET", "/articles", query={"limit": limit, "after": after}), after
        )

    def get_article(self, article: str, *, known: ArticleOut | None = None) -> ArticleOut:
        """An article.

        Scope: `tariffs.view`.
        """
        return self._ask(ArticleOut, "GET", f"/articles/{_part(article)}", known=known)

    def declare_article(
        self,
        article: str,
        *,
        title: str | None | Omit = OMIT,
        number: str | None | Omit = OMIT,
        unit: str | None | Omit = OMIT,
        ledger_account: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> ArticleOut:
        """Make an article, or set the fields given of one that is there.

        Tariffs make the articles that they name by themselves.

        Scope: `tariffs.change`.

        `if_match`: what `get_article` gave; refused when it has changed since.
        """
        return self._ask(
            ArticleOut,
            "PUT",
            f"/articles/{_part(article)}",
            body={"title": title, "number": number, "unit": unit, "ledger_account": ledger_account},
            query={"preview": preview},
            if_match=if_match,
        )

    def list_tariffs(
        self,
        *,
        public: bool | None = None,
        retired: bool | None = None,
        offer_number: str = "",
        limit: int = 100,
        after: str = "",
    ) -> Pages[Tariffs, TariffSummary]:
        """Tariffs, in the order in which they were made. Those that are `retired` cannot be ordered any more.

        Scope: `tariffs.view`.
        """
        return Pages(
            lambda after: self._ask(
                Tariffs,
                "GET",
                "/tariffs",
                query={
                    "public": public,
                    "retired": retired,
                    "offer_number": offer_number,
                    "limit": limit,
                    "after": after,
                },
            ),
            after,
        )

    def define_tariff(
        self,
        *,
        tariff: str,
        title: str | None | Omit = OMIT,
        titles: Mapping[str, str] | None | Omit = OMIT,
        interval: str | None | Omit = OMIT,
        anchor: str | None | Omit = OMIT,
        notice: Literal["none", "monthly", "yearly"] | OwnTermsIn | None | Omit = OMIT,
        trial: str | None | Omit = OMIT,
        vat: Number | Sequence[RateIn] | None | Omit = OMIT,
        minimum_sales: Number | None | Omit = OMIT,
        cost_cap: Number | None | Omit = OMIT,
        minimum_proration: Literal["daily", "none"] | None | Omit = OMIT,
        cap_proration: Literal["daily", "none"] | None | Omit = OMIT,
        tolerance: Number | None | Omit = OMIT,
        interim_threshold: Number | None | Omit = OMIT,
        credit_on_end: bool | None | Omit = OMIT,
        tick: str | None | Omit = OMIT,
        tick_scope: Literal["record", "period"] | None | Omit = OMIT,
        lines: Mapping[str, LineIn] | None | Omit = OMIT,
        module: str | None | Omit = OMIT,
        public: bool | None | Omit = OMIT,
        order_approval: Literal["company", "always", "never"] | None | Omit = OMIT,
        offer_number: str | None | Omit = OMIT,
        currency: str | None | Omit = OMIT,
        versions: Sequence[VersionIn] | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> TariffOut:
        """A new tariff with its lines and later versions.

        Scope: `tariffs.change`.
        """
        return self._ask(
            TariffOut,
            "POST",
            "/tariffs",
            body={
                "title": title,
                "titles": titles,
                "interval": interval,
                "anchor": anchor,
                "notice": notice,
                "trial": trial,
                "vat": vat,
                "minimum_sales": minimum_sales,
                "cost_cap": cost_cap,
                "minimum_proration": minimum_proration,
                "cap_proration": cap_proration,
                "tolerance": tolerance,
                "interim_threshold": interim_threshold,
                "credit_on_end": credit_on_end,
                "tick": tick,
                "tick_scope": tick_scope,
                "lines": lines,
                "tariff": tariff,
                "module": module,
                "public": public,
                "order_approval": order_approval,
                "offer_number": offer_number,
                "currency": currency,
                "versions": versions,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_tariff(self, tariff: str, *, known: TariffOut | None = None) -> TariffOut:
        """A tariff with all its versions.

        Scope: `tariffs.view`.
        """
        return self._ask(TariffOut, "GET", f"/tariffs/{_part(tariff)}", known=known)

    def delete_tariff(self, tariff: str, *, preview: bool = False, if_match: Marked | str | None = None) -> None:
        """Delete a tariff that was never ordered.

        Scope: `tariffs.change`.

        `if_match`: what `get_tariff` gave; refused when it has changed since.
        """
        return self._ask(
            type(None), "DELETE", f"/tariffs/{_part(tariff)}", query={"preview": preview}, if_match=if_match
        )

    def retire_tariff(
        self,
        tariff: str,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> TariffOut:
        """Let nobody order a tariff any more (`tariff_retired`); contracts that have it go on.

        Scope: `tariffs.change`.

        `if_match`: what `get_tariff` gave; refused when it has changed since.
        """
        return self._ask(
            TariffOut,
            "POST",
            f"/tariffs/{_part(tariff)}/retire",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def offer_tariff_again(
        self,
        tariff: str,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> TariffOut:
        """Let a retired tariff be ordered again.

        Scope: `tariffs.change`.

        `if_match`: what `get_tariff` gave; refused when it has changed since.
        """
        return self._ask(
            TariffOut,
            "POST",
            f"/tariffs/{_part(tariff)}/offer_again",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def publish_a_version(
        self,
        tariff: str,
        *,
        from_: Day,
        title: str | None | Omit = OMIT,
        titles: Mapping[str, str] | None | Omit = OMIT,
        interval: str | None | Omit = OMIT,
        anchor: str | None | Omit = OMIT,
        notice: Literal["none", "monthly", "yearly"] | OwnTermsIn | None | Omit = OMIT,
        trial: str | None | Omit = OMIT,
        vat: Number | Sequence[RateIn] | None | Omit = OMIT,
        minimum_sales: Number | None | Omit = OMIT,
        cost_cap: Number | None | Omit = OMIT,
        minimum_proration: Literal["daily", "none"] | None | Omit = OMIT,
        cap_proration: Literal["daily", "none"] | None | Omit = OMIT,
        tolerance: Number | None | Omit = OMIT,
        interim_threshold: Number | None | Omit = OMIT,
        credit_on_end: bool | None | Omit = OMIT,
        tick: str | None | Omit = OMIT,
        tick_scope: Literal["record", "period"] | None | Omit = OMIT,
        lines: Mapping[str, LineIn] | None | Omit = OMIT,
        applies_to: Literal["new", "all"] | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> VersionDone:
        """A version from a day on: the one that holds then, with the fields changed that are given.

        With `applies_to` `all` it holds for running contracts from the next period that is not billed yet.

        Scope: `tariffs.change`.

        `if_match`: what `get_tariff` gave; refused when it has changed since.
        """
        return self._ask(
            VersionDone,
            "POST",
            f"/tariffs/{_part(tariff)}/versions",
            body={
                "title": title,
                "titles": titles,
                "interval": interval,
                "anchor": anchor,
                "notice": notice,
                "trial": trial,
                "vat": vat,
                "minimum_sales": minimum_sales,
                "cost_cap": cost_cap,
                "minimum_proration": minimum_proration,
                "cap_proration": cap_proration,
                "tolerance": tolerance,
                "interim_threshold": interim_threshold,
                "credit_on_end": credit_on_end,
                "tick": tick,
                "tick_scope": tick_scope,
                "lines": lines,
                "from": from_,
                "applies_to": applies_to,
            },
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def price_update(
        self,
        tariff: str,
        *,
        from_: Day,
        percent: Number | None | Omit = OMIT,
        lines: Mapping[str, Number] | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> VersionDone:
        """New prices for all contracts from their next period on.

        By percent prices, tier prices and flat amounts move; minimum sales, cost cap and a contract's own prices do
        not.

        Scope: `tariffs.change`.

        `if_match`: what `get_tariff` gave; refused when it has changed since.
        """
        return self._ask(
            VersionDone,
            "POST",
            f"/tariffs/{_part(tariff)}/price_update",
            body={"from": from_, "percent": percent, "lines": lines},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def list_coupons(self, *, limit: int = 100, after: str = "") -> Pages[Coupons, CouponOut]:
        """Coupons, in the order in which they were made.

        Scope: `tariffs.view`.
        """
        return Pages(lambda after: self._ask(Coupons, "GET", "/coupons", query={"limit": limit, "after": after}), after)

    def define_coupon(
        self,
        *,
        coupon: str,
        title: str | Omit = OMIT,
        percent: Number | None | Omit = OMIT,
        amount: Number | None | Omit = OMIT,
        periods: int | None | Omit = OMIT,
        lines: Sequence[str] | None | Omit = OMIT,
        first_day: Day | None | Omit = OMIT,
        last_day: Day | None | Omit = OMIT,
        most_uses: int | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> CouponOut:
        """A new coupon. Its key is the code by which many can redeem it, until codes are drawn for it.

        Scope: `tariffs.change`.
        """
        return self._ask(
            CouponOut,
            "POST",
            "/coupons",
            body={
                "coupon": coupon,
                "title": title,
                "percent": percent,
                "amount": amount,
                "periods": periods,
                "lines": lines,
                "first_day": first_day,
                "last_day": last_day,
                "most_uses": most_uses,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_coupon(self, coupon: str, *, known: CouponOut | None = None) -> CouponOut:
        """A coupon.

        Scope: `tariffs.view`.
        """
        return self._ask(CouponOut, "GET", f"/coupons/{_part(coupon)}", known=known)

    def change_coupon(
        self,
        coupon: str,
        *,
        title: str | None | Omit = OMIT,
        percent: Number | None | Omit = OMIT,
        amount: Number | None | Omit = OMIT,
        periods: int | None | Omit = OMIT,
        lines: Sequence[str] | None | Omit = OMIT,
        first_day: Day | None | Omit = OMIT,
        last_day: Day | None | Omit = OMIT,
        most_uses: int | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> CouponOut:
        """Change a coupon. What it takes off stays once it was redeemed.

        Scope: `tariffs.change`.

        `if_match`: what `get_coupon` gave; refused when it has changed since.
        """
        return self._ask(
            CouponOut,
            "PATCH",
            f"/coupons/{_part(coupon)}",
            body={
                "title": title,
                "percent": percent,
                "amount": amount,
                "periods": periods,
                "lines": lines,
                "first_day": first_day,
                "last_day": last_day,
                "most_uses": most_uses,
            },
            query={"preview": preview},
            if_match=if_match,
        )

    def switch_off_coupon(
        self,
        coupon: str,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> CouponOut:
        """Let nobody redeem a coupon any more; contracts that have it keep it.

        Scope: `tariffs.change`.

        `if_match`: what `get_coupon` gave; refused when it has changed since.
        """
        return self._ask(
            CouponOut,
            "POST",
            f"/coupons/{_part(coupon)}/switch_off",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def switch_on_coupon(
        self,
        coupon: str,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> CouponOut:
        """Let a coupon that is switched off be redeemed again.

        Scope: `tariffs.change`.

        `if_match`: what `get_coupon` gave; refused when it has changed since.
        """
        return self._ask(
            CouponOut,
            "POST",
            f"/coupons/{_part(coupon)}/switch_on",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def list_codes(self, coupon: str, *, limit: int = 100, after: str = "") -> Pages[Codes, CodeOut]:
        """Codes of a coupon, in the order in which they were drawn, each with the contract that used it.

        Scope: `tariffs.view`.
        """
        return Pages(
            lambda after: self._ask(
                Codes, "GET", f"/coupons/{_part(coupon)}/codes", query={"limit": limit, "after": after}
            ),
            after,
        )

    def draw_codes(
        self,
        coupon: str,
        *,
        count: int,
        memo: str | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> DrawnCodes:
        """Draw codes of a coupon, each for one contract. From then on its key is no code any more.

        Scope: `tariffs.change`.
        """
        return self._ask(
            DrawnCodes,
            "POST",
            f"/coupons/{_part(coupon)}/codes",
            body={"count": count, "memo": memo},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_code(self, coupon: str, code: str, *, known: CodeOut | None = None) -> CodeOut:
        """A code of a coupon.

        Scope: `tariffs.view`.
        """
        return self._ask(CodeOut, "GET", f"/coupons/{_part(coupon)}/codes/{_part(code)}", known=known)

    def revoke_code(
        self,
        coupon: str,
        code: str,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> CodeOut:
        """Let nobody redeem a code any more; one that was used is refused.

        Scope: `tariffs.change`.

        `if_match`: what `get_code` gave; refused when it has changed since.
        """
        return self._ask(
            CodeOut,
            "POST",
            f"/coupons/{_part(coupon)}/codes/{_part(code)}/revoke",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def revoke_free_codes(
        self, coupon: str, *, preview: bool = False, idempotency_key: str | None = None
    ) -> RevokedCodes:
        """Revoke all codes of a coupon that nobody has used.

        Scope: `tariffs.change`.
        """
        return self._ask(
            RevokedCodes,
            "POST",
            f"/coupons/{_part(coupon)}/revoke_codes",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_modules(self, *, known: Modules | None = None) -> Modules:
        """Modules, in their order.

        Scope: `tariffs.view`.
        """
        return self._ask(Modules, "GET", "/modules", known=known)

    def create_module(
        self,
        *,
        module: str,
        title: str,
        titles: Mapping[str, str] | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> ModuleOut:
        """A new module, the last. One that a tariff names is made by itself.

        Scope: `tariffs.change`.
        """
        return self._ask(
            ModuleOut,
            "POST",
            "/modules",
            body={"module": module, "title": title, "titles": titles},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def order_modules(
        self, *, modules: Sequence[str], preview: bool = False, if_match: Marked | str | None = None
    ) -> Modules:
        """Put modules into another order.

        Scope: `tariffs.change`.

        `if_match`: what `list_modules` gave; refused when it has changed since.
        """
        return self._ask(
            Modules, "PUT", "/modules_order", body={"modules": modules}, query={"preview": preview}, if_match=if_match
        )

    def get_module(self, module: str, *, known: ModuleOut | None = None) -> ModuleOut:
        """A module.

        Scope: `tariffs.view`.
        """
        return self._ask(ModuleOut, "GET", f"/modules/{_part(module)}", known=known)

    def change_module(
        self,
        module: str,
        *,
        title: str | None | Omit = OMIT,
        titles: Mapping[str, str] | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> ModuleOut:
        """Give a module other titles.

        Scope: `tariffs.change`.

        `if_match`: what `get_module` gave; refused when it has changed since.
        """
        return self._ask(
            ModuleOut,
            "PATCH",
            f"/modules/{_part(module)}",
            body={"title": title, "titles": titles},
            query={"preview": preview},
            if_match=if_match,
        )

    def delete_module(self, module: str, *, preview: bool = False, if_match: Marked | str | None = None) -> None:
        """Delete a module without tariffs.

        Scope: `tariffs.change`.

        `if_match`: what `get_module` gave; refused when it has changed since.
        """
        return self._ask(
            type(None), "DELETE", f"/modules/{_part(module)}", query={"preview": preview}, if_match=if_match
        )

    def order_tariffs(
        self, module: str, *, tariffs: Sequence[str], preview: bool = False, if_match: Marked | str | None = None
    ) -> ModuleOut:
        """Put the tariffs of a module into another order.

        Scope: `tariffs.change`.

        `if_match`: what `get_module` gave; refused when it has changed since.
        """
        return self._ask(
            ModuleOut,
            "PUT",
            f"/modules/{_part(module)}/tariffs",
            body={"tariffs": tariffs},
            query={"preview": preview},
            if_match=if_match,
        )

    def list_offer_numbers(
        self, tariff: str, *, limit: int = 100, after: str = ""
    ) -> Pages[OfferNumbers, OfferNumberOut]:
        """Offer numbers of a tariff, in the order in which they were made.

        Scope: `tariffs.view`.
        """
        return Pages(
            lambda after: self._ask(
                OfferNumbers, "GET", f"/tariffs/{_part(tariff)}/offer_numbers", query={"limit": limit, "after": after}
            ),
            after,
        )

    def create_offer_number(
        self,
        tariff: str,
        *,
        number: str | None | Omit = OMIT,
        memo: str | Omit = OMIT,
        last_day: Day | None | Omit = OMIT,
        most_uses: int | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> OfferNumberOut:
        """A new offer number, by which a tariff can be ordered that is not public, in the version that holds today.

        Scope: `tariffs.change`.
        """
        return self._ask(
            OfferNumberOut,
            "POST",
            f"/tariffs/{_part(tariff)}/offer_numbers",
            body={"number": number, "memo": memo, "last_day": last_day, "most_uses": most_uses},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_offer_number(self, tariff: str, number: str, *, known: OfferNumberOut | None = None) -> OfferNumberOut:
        """An offer number.

        Scope: `tariffs.view`.
        """
        return self._ask(OfferNumberOut, "GET", f"/tariffs/{_part(tariff)}/offer_numbers/{_part(number)}", known=known)

    def revoke_offer_number(
        self,
        tariff: str,
        number: str,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> OfferNumberOut:
        """Let nobody order by a number any more; contracts that came by it go on.

        Scope: `tariffs.change`.

        `if_match`: what `get_offer_number` gave; refused when it has changed since.
        """
        return self._ask(
            OfferNumberOut,
            "POST",
            f"/tariffs/{_part(tariff)}/offer_numbers/{_part(number)}/revoke",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def get_price_list(
        self,
        module: str,
        *,
        language: Literal["de", "sv", "en"] = "en",
        prices: Literal["net", "gross"] | None | None = None,
        on: Day | None = None,
        offer_number: str = "",
        known: PriceListOut | None = None,
    ) -> PriceListOut:
        """The public tariffs of a module in their order, in the versions that hold on a day, as values and in words.

        Scope: `tariffs.view`.
        """
        return self._ask(
            PriceListOut,
            "GET",
            f"/price_lists/{_part(module)}",
            query={"language": language, "prices": prices, "on": on, "offer_number": offer_number},
            known=known,
        )

    def get_price_list_pdf(
        self,
        module: str,
        *,
        language: Literal["de", "sv", "en"] = "en",
        prices: Literal["net", "gross"] | None | None = None,
        on: Day | None = None,
        offer_number: str = "",
    ) -> bytes:
        """The price list as PDF, on A4.

        Scope: `tariffs.view`.
        """
        return self._ask(
            bytes,
            "GET",
            f"/price_lists/{_part(module)}/pdf",
            query={"language": language, "prices": prices, "on": on, "offer_number": offer_number},
        )

    def get_onboarding(self) -> Onboarding:
        """Who of the customers lacks billing information, and who has services but no contract that runs or is to
        come.

        Services are supplier subscriptions that have not ended, of supplier customers linked to the customer.

        Scope: `customers.view`.
        """
        return self._ask(Onboarding, "GET", "/onboarding")

    def onboard_customers(
        self, *, contracts: Sequence[NewContract], preview: bool = False, idempotency_key: str | None = None
    ) -> OnboardOut:
        """Sign contracts for existing customers with a line for each service in use, and tie them: all or none.
        Waiting usage of the suppliers is processed again. A line that would cost nothing needs `free`.

        Scope: `contracts.change`.
        """
        return self._ask(
            OnboardOut,
            "POST",
            "/onboarding",
            body={"contracts": contracts},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def bring_in_customers(
        self,
        content: bytes,
        *,
        media: Literal[
            "text/csv",
            "text/plain",
            "application/octet-stream",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ] = "text/csv",
        leave_out: bool = False,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> BroughtOut:
        """Make existing customers and note the services that they have from suppliers, from a file: its bytes are the
        body, CSV or XLSX with a row for each customer or service.

        Columns are known by our names and by what others call them. A preview says what becomes of each row. Who is
        there already, by number, is not made again; who seems to be there by VAT id, e-mail, or name and postcode,
        is double.

        Scope: `customers.change`.
        """
        return self._ask(
            BroughtOut,
            "POST",
            "/customer_files",
            content=content,
            media=media,
            query={"leave_out": leave_out, "preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_portal_users(self, customer: str) -> PortalUsers:
        """Who has access to a customer in the portal, and who had.

        Scope: `customers.view`.
        """
        return self._ask(PortalUsers, "GET", f"/customers/{_part(customer)}/portal_users")

    def invite_portal_user(
        self,
        customer: str,
        *,
        email: str,
        name: str | Omit = OMIT,
        language: Literal["de", "en", "sv"] | None | Omit = OMIT,
        role: Literal["administrator", "user"] | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> PortalUserOut:
        """Give somebody access to a customer in the portal: a link to sign in goes there by mail, for seven days.

        Whoever was switched off gets access anew. The first of a customer administers it, unless `role` says
        otherwise.

        Scope: `customers.change`.
        """
        return self._ask(
            PortalUserOut,
            "POST",
            f"/customers/{_part(customer)}/portal_users",
            body={"email": email, "name": name, "language": language, "role": role},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_portal_user(self, customer: str, user: int, *, known: PortalUserOut | None = None) -> PortalUserOut:
        """Somebody who has, or had, access to a customer in the portal.

        Scope: `customers.view`.
        """
        return self._ask(PortalUserOut, "GET", f"/customers/{_part(customer)}/portal_users/{_part(user)}", known=known)

    def change_portal_user(
        self,
        customer: str,
        user: int,
        *,
        role: Literal["administrator", "user"],
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> PortalUserOut:
        """Make somebody an administrator or a user. Unlike customers themselves, this may leave a customer without an
        administrator.

        Scope: `customers.change`.

        `if_match`: what `get_portal_user` gave; refused when it has changed since.
        """
        return self._ask(
            PortalUserOut,
            "PATCH",
            f"/customers/{_part(customer)}/portal_users/{_part(user)}",
            body={"role": role},
            query={"preview": preview},
            if_match=if_match,
        )

    def switch_off_portal_user(self, customer: str, user: int, *, preview: bool = False) -> None:
        """Take somebody's access to a customer away; whoever has no other is signed out everywhere.

        Scope: `customers.change`.
        """
        return self._ask(
            type(None), "DELETE", f"/customers/{_part(customer)}/portal_users/{_part(user)}", query={"preview": preview}
        )

    def list_tariff_drafts(self, *, limit: int = 100, after: str = "") -> Pages[Drafts, DraftSummary]:
        """Drafts of tariffs, in the order in which they were begun.

        Scope: `tariffs.view`.
        """
        return Pages(
            lambda after: self._ask(Drafts, "GET", "/tariff_drafts", query={"limit": limit, "after": after}), after
        )

    def begin_tariff_draft(
        self,
        *,
        key: str | None | Omit = OMIT,
        copy_of: str | None | Omit = OMIT,
        tariff: str | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> TariffDraftOut:
        """Begin a draft, or go on with the one that a tariff has.

        Scope: `tariffs.change`.
        """
        return self._ask(
            TariffDraftOut,
            "POST",
            "/tariff_drafts",
            body={"key": key, "copy_of": copy_of, "tariff": tariff},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_tariff_draft(self, draft: int, *, known: TariffDraftOut | None = None) -> TariffDraftOut:
        """A draft, with what keeps it from being published.

        Scope: `tariffs.view`.
        """
        return self._ask(TariffDraftOut, "GET", f"/tariff_drafts/{_part(draft)}", known=known)

    def change_tariff_draft(
        self,
        draft: int,
        *,
        title: str | None | Omit = OMIT,
        titles: Mapping[str, str] | None | Omit = OMIT,
        interval: str | None | Omit = OMIT,
        anchor: str | None | Omit = OMIT,
        notice: Literal["none", "monthly", "yearly"] | OwnTermsIn | None | Omit = OMIT,
        trial: str | None | Omit = OMIT,
        vat: Number | Sequence[RateIn] | None | Omit = OMIT,
        minimum_sales: Number | None | Omit = OMIT,
        cost_cap: Number | None | Omit = OMIT,
        minimum_proration: Literal["daily", "none"] | None | Omit = OMIT,
        cap_proration: Literal["daily", "none"] | None | Omit = OMIT,
        tolerance: Number | None | Omit = OMIT,
        interim_threshold: Number | None | Omit = OMIT,
        credit_on_end: bool | None | Omit = OMIT,
        tick: str | None | Omit = OMIT,
        tick_scope: Literal["record", "period"] | None | Omit = OMIT,
        lines: Sequence[DraftLineIn] | None | Omit = OMIT,
        module: str | None | Omit = OMIT,
        public: bool | None | Omit = OMIT,
        order_approval: Literal["company", "always", "never"] | None | Omit = OMIT,
        currency: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> TariffDraftOut:
        """Write settings of a draft. With `If-Match` only if nobody has saved it since it was read.

        What cannot be billed is kept and stands among the `problems`.

        Scope: `tariffs.change`.

        `if_match`: what `get_tariff_draft` gave; refused when it has changed since.
        """
        return self._ask(
            TariffDraftOut,
            "PATCH",
            f"/tariff_drafts/{_part(draft)}",
            body={
                "title": title,
                "titles": titles,
                "interval": interval,
                "anchor": anchor,
                "notice": notice,
                "trial": trial,
                "vat": vat,
                "minimum_sales": minimum_sales,
                "cost_cap": cost_cap,
                "minimum_proration": minimum_proration,
                "cap_proration": cap_proration,
                "tolerance": tolerance,
                "interim_threshold": interim_threshold,
                "credit_on_end": credit_on_end,
                "tick": tick,
                "tick_scope": tick_scope,
                "lines": lines,
                "module": module,
                "public": public,
                "order_approval": order_approval,
                "currency": currency,
            },
            query={"preview": preview},
            if_match=if_match,
        )

    def discard_tariff_draft(self, draft: int, *, preview: bool = False, if_match: Marked | str | None = None) -> None:
        """Throw a draft away; the tariff stays as it is.

        Scope: `tariffs.change`.

        `if_match`: what `get_tariff_draft` gave; refused when it has changed since.
        """
        return self._ask(
            type(None), "DELETE", f"/tariff_drafts/{_part(draft)}", query={"preview": preview}, if_match=if_match
        )

    def publish_tariff_draft(
        self,
        draft: int,
        *,
        from_: Day | None | Omit = OMIT,
        applies_to: Literal["new", "all"] | Omit = OMIT,
        after_billed: bool | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """Make a draft a tariff, or a version of one; the draft is gone then.

        Scope: `tariffs.change`.

        `if_match`: what `get_tariff_draft` gave; refused when it has changed since.
        """
        return self._ask(
            Published,
            "POST",
            f"/tariff_drafts/{_part(draft)}/publish",
            body={"from": from_, "applies_to": applies_to, "after_billed": after_billed},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def catch_up_tariff_draft(
        self,
        draft: int,
        *,
        on: Day | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> TariffDraftOut:
        """Take over what the tariff says on a day that it did not say when the draft was begun.

        What was changed in the draft stays as it is. Without it, publishing is a `conflict`.

        Scope: `tariffs.change`.

        `if_match`: what `get_tariff_draft` gave; refused when it has changed since.
        """
        return self._ask(
            TariffDraftOut,
            "POST",
            f"/tariff_drafts/{_part(draft)}/catch_up",
            body={"on": on},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def differences_of_a_draft(self, draft: int) -> Differences:
        """What a draft changes of the version that it was begun from; of a new tariff all.

        Scope: `tariffs.view`.
        """
        return self._ask(Differences, "GET", f"/tariff_drafts/{_part(draft)}/differences")

    def differences_of_versions(self, tariff: str, *, from_day: Day, to_day: Day) -> Differences:
        """What differs between the versions of a tariff that hold on two days.

        Scope: `tariffs.view`.
        """
        return self._ask(
            Differences, "GET", f"/tariffs/{_part(tariff)}/differences", query={"from_day": from_day, "to_day": to_day}
        )

    def list_orders(
        self,
        *,
        state: Literal["unconfirmed", "open", "done", "refused"] | None = None,
        tariff: str | None = None,
        email: str | None = None,
        order: Literal["oldest_first", "newest_first"] = "oldest_first",
        limit: int = 100,
        after: str = "",
    ) -> Pages[Orders, OrderOut]:
        """Orders, in the order in which they came; those with `state=open` wait for approval.

        Scope: `contracts.view`.
        """
        return Pages(
            lambda after: self._ask(
                Orders,
                "GET",
                "/orders",
                query={
                    "state": state,
                    "tariff": tariff,
                    "email": email,
                    "order": order,
                    "limit": limit,
                    "after": after,
                },
            ),
            after,
        )

    def place_order(
        self,
        *,
        tariff: str | None | Omit = OMIT,
        offer_number: str | None | Omit = OMIT,
        quantities: Mapping[str, Number] | Omit = OMIT,
        coupon: str | Omit = OMIT,
        buyer: BuyerIn | None | Omit = OMIT,
        mark: str | None | Omit = OMIT,
        confirmed: bool | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> Placed:
        """Take an order, as the order page does: once confirmed and approved it makes a customer and a contract.

        A preview gives the first bill and the one that follows, and a `mark`. Sent along with the order, it makes
        sure that nothing is ordered at other prices. For a customer that you know already, sign a contract instead.

        Scope: `contracts.change`.
        """
        return self._ask(
            Placed,
            "POST",
            "/orders",
            body={
                "tariff": tariff,
                "offer_number": offer_number,
                "quantities": quantities,
                "coupon": coupon,
                "buyer": buyer,
                "mark": mark,
                "confirmed": confirmed,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_order(self, order: int, *, known: OrderOut | None = None) -> OrderOut:
        """An order as it was sent, and what became of it.

        Scope: `contracts.view`.
        """
        return self._ask(OrderOut, "GET", f"/orders/{_part(order)}", known=known)

    def approve_order(
        self,
        order: int,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> OrderOut:
        """Let an order take effect from today on: a customer, a contract, and a mail that says so.

        Scope: `contracts.change`.

        `if_match`: what `get_order` gave; refused when it has changed since.
        """
        return self._ask(
            OrderOut,
            "POST",
            f"/orders/{_part(order)}/approve",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def refuse_order(
        self,
        order: int,
        *,
        reason: str,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> OrderOut:
        """Refuse an order, with the reason that is mailed.

        Scope: `contracts.change`.

        `if_match`: what `get_order` gave; refused when it has changed since.
        """
        return self._ask(
            OrderOut,
            "POST",
            f"/orders/{_part(order)}/refuse",
            body={"reason": reason},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def list_contracts(
        self,
        *,
        customer: str | None = None,
        tariff: str | None = None,
        status: Literal["pending", "active", "paused", "ended"] | None = None,
        next_billing_until: Day | None = None,
        limit: int = 100,
        after: str = "",
    ) -> Pages[Contracts, ContractSummary]:
        """Contracts, in the order of signing.

        `status`: as it is today. `next_billing_until`: those that fall due before this day.

        Scope: `contracts.view`.
        """
        return Pages(
            lambda after: self._ask(
                Contracts,
                "GET",
                "/contracts",
                query={
                    "customer": customer,
                    "tariff": tariff,
                    "status": status,
                    "next_billing_until": next_billing_until,
                    "limit": limit,
                    "after": after,
                },
            ),
            after,
        )

    def sign(
        self,
        *,
        contract: str,
        customer: str,
        tariff: str,
        start: Day,
        offer_number: str | None | Omit = OMIT,
        quantities: Mapping[str, Number] | None | Omit = OMIT,
        coupon: str | None | Omit = OMIT,
        anchor: str | None | Omit = OMIT,
        conditions: Mapping[str, Conditions] | None | Omit = OMIT,
        billed_until: Day | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> Signed:
        """Sign a contract, with its included lines and the add-ons that are named. A preview shows its first bill.

        Scope: `contracts.change`.
        """
        return self._ask(
            Signed,
            "POST",
            "/contracts",
            body={
                "contract": contract,
                "customer": customer,
                "tariff": tariff,
                "start": start,
                "offer_number": offer_number,
                "quantities": quantities,
                "coupon": coupon,
                "anchor": anchor,
                "conditions": conditions,
                "billed_until": billed_until,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_contract(self, contract: str, *, known: ContractOut | None = None) -> ContractOut:
        """A contract as it stands today.

        Scope: `contracts.view`.
        """
        return self._ask(ContractOut, "GET", f"/contracts/{_part(contract)}", known=known)

    def forecast(self, contract: str, *, bills: int = 1) -> Forecast:
        """The next bills of a contract, each as a run on its day would make it; usage as far as it is known by now.
        The first one beside the last bill: what differs line by line, and why.

        Scope: `billing.view`.
        """
        return self._ask(Forecast, "GET", f"/contracts/{_part(contract)}/forecast", query={"bills": bills})

    def book(
        self,
        contract: str,
        *,
        article: str,
        from_: Day,
        price: Number | None | Omit = OMIT,
        discount: Number | None | Omit = OMIT,
        reason: str | None | Omit = OMIT,
        minimum_quantity: Number | None | Omit = OMIT,
        quantity: Number | Omit = OMIT,
        until: Day | None | Omit = OMIT,
        memo: str | None | Omit = OMIT,
        bill: Literal["next", "now"] | Omit = OMIT,
        as_: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """Book a line of the contract's tariff; billed with the next bill, or at once (R5.6).

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/book",
            body={
                "price": price,
                "discount": discount,
                "reason": reason,
                "minimum_quantity": minimum_quantity,
                "article": article,
                "quantity": quantity,
                "from": from_,
                "until": until,
                "memo": memo,
                "bill": bill,
                "as": as_,
            },
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def change_quantity(
        self,
        contract: str,
        *,
        article: str,
        quantity: Number,
        from_: Day,
        line: str | None | Omit = OMIT,
        memo: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """Change the quantity of a line from a day on; what is billed beyond it is credited and billed anew (R5.3).

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/change_quantity",
            body={"article": article, "line": line, "quantity": quantity, "from": from_, "memo": memo},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def change_conditions(
        self,
        contract: str,
        *,
        article: str,
        from_: Day,
        line: str | None | Omit = OMIT,
        price: Number | None | Omit = OMIT,
        discount: Number | None | Omit = OMIT,
        reason: str | None | Omit = OMIT,
        minimum_quantity: Number | None | Omit = OMIT,
        memo: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """Agree own conditions of a line from a day on; what is billed beyond it is credited and billed anew (R7.5).

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/change_conditions",
            body={
                "article": article,
                "line": line,
                "price": price,
                "discount": discount,
                "reason": reason,
                "minimum_quantity": minimum_quantity,
                "from": from_,
                "memo": memo,
            },
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def take_back_quantity(
        self,
        contract: str,
        *,
        article: str,
        from_: Day,
        line: str | None | Omit = OMIT,
        memo: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """Take a change of quantity back: what held before it holds again, what it made is settled to nothing (R5.2).

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/take_back_quantity",
            body={"article": article, "line": line, "from": from_, "memo": memo},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def end_line(
        self,
        contract: str,
        *,
        article: str,
        until: Day,
        line: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """End a line; what is billed beyond is credited at once (R5.6).

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/end_line",
            body={"article": article, "line": line, "until": until},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def give_notice(
        self,
        contract: str,
        *,
        article: str | None | Omit = OMIT,
        line: str | None | Omit = OMIT,
        received: Day | None | Omit = OMIT,
        end: Day | None | Omit = OMIT,
        confirm: bool | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> NoticeDone:
        """Give notice of the contract, or of one line with terms of its own; what is billed beyond is credited (R15).

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            NoticeDone,
            "POST",
            f"/contracts/{_part(contract)}/give_notice",
            body={"article": article, "line": line, "received": received, "end": end, "confirm": confirm},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def withdraw_notice(
        self,
        contract: str,
        *,
        article: str | None = None,
        line: str = "",
        confirm: bool = False,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """Take a notice back; what was credited is billed with the next bill (R5.9).

        `article`, and `line` where several lines have it: the notice of that line, not of the contract. `confirm`:
        mail a confirmation to the customer, where an address is known.

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/withdraw_notice",
            query={"article": article, "line": line, "confirm": confirm, "preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def change_tariff(
        self,
        contract: str,
        *,
        tariff: str,
        from_: Day,
        keep_billing_dates: bool | Omit = OMIT,
        keep_terms: bool | Omit = OMIT,
        keep: Sequence[str] | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """Put the contract under another tariff from a day on; old lines are credited, new ones charged (R16.1).

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/change_tariff",
            body={
                "tariff": tariff,
                "from": from_,
                "keep_billing_dates": keep_billing_dates,
                "keep_terms": keep_terms,
                "keep": keep,
            },
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def transfer(
        self,
        contract: str,
        *,
        customer: str,
        from_: Day,
        as_: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> TransferDone:
        """Let another customer have the contract from a day on, with all that was agreed: the one is credited what was
        paid beyond, the other is invoiced. A day that begins a billing period splits nothing.

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            TransferDone,
            "POST",
            f"/contracts/{_part(contract)}/transfer",
            body={"customer": customer, "from": from_, "as": as_},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def pause(
        self,
        contract: str,
        *,
        from_: Day,
        until: Day | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """Pause the contract; what is billed of the span is credited at once (R16.2).

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/pause",
            body={"from": from_, "until": until},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def resume(
        self,
        contract: str,
        *,
        from_: Day,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """End the pause that runs on a day, on that day; what was credited is billed with the next bill (R5.9).

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/resume",
            body={"from": from_},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def redeem(
        self,
        contract: str,
        *,
        coupon: str,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """Give the contract a coupon from today on (R10.2), by its key or by one of its codes.

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/redeem",
            body={"coupon": coupon},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def allow_conversion(
        self,
        contract: str,
        *,
        rule: Literal["day", "month"] | None,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """Say whether and by which rate suppliers' amounts in another currency are converted.

        What waits is processed again. It holds for usage that finds its line from now on; what is recorded keeps
        its rate.

        Scope: `contracts.change`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/allow_conversion",
            body={"rule": rule},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def interim_bill(
        self,
        contract: str,
        *,
        leave_out: Sequence[Literal["usage", "time", "sales_items"]] | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Done:
        """Bill all that is due of the contract now, with its usage so far; the regular bill bills the rest (R11).

        Scope: `billing.run`.

        `if_match`: what `get_contract` gave; refused when it has changed since.
        """
        return self._ask(
            Done,
            "POST",
            f"/contracts/{_part(contract)}/interim_bill",
            body={"leave_out": leave_out},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def foresee_usage(
        self,
        contract: str,
        *,
        article: str,
        quantity: Number | None | Omit = OMIT,
        duration: int | None | Omit = OMIT,
        at: Moment | None | Omit = OMIT,
        idempotency_key: str | None = None,
    ) -> UsageForeseen:
        """What one usage record would do to the bills that come; nothing is recorded.

        Where it would find no line, nothing changes, and `waits` says why.

        Scope: `usage.change`.
        """
        return self._ask(
            UsageForeseen,
            "POST",
            f"/contracts/{_part(contract)}/foresee_usage",
            body={"article": article, "quantity": quantity, "duration": duration, "at": at},
            idempotency_key=idempotency_key,
        )

    def list_deadlines(self, *, within_days: int = 30) -> Deadlines:
        """Contracts that can be ended by notice until a day soon, and bind for more than a month longer afterwards.

        Scope: `contracts.view`.
        """
        return self._ask(Deadlines, "GET", "/deadlines", query={"within_days": within_days})

    def take_over_contracts(
        self,
        content: bytes,
        *,
        media: Literal[
            "text/csv",
            "text/plain",
            "application/octet-stream",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ] = "text/csv",
        leave_out: bool = False,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> TakeoverOut:
        """Sign contracts that another system has billed so far, from a file: its bytes are the body, CSV or XLSX with
        a row for each contract line.

        A preview says what becomes of each row. Wrong rows keep all from being signed, unless their contracts are
        left out; a contract whose number is taken is wrong, so that the same file signs nothing twice.

        Scope: `contracts.change`.
        """
        return self._ask(
            TakeoverOut,
            "POST",
            "/contract_files",
            content=content,
            media=media,
            query={"leave_out": leave_out, "preview": preview},
            idempotency_key=idempotency_key,
        )

    def record_usage(
        self, records: Iterable[RecordIn], *, preview: bool = False, idempotency_key: str | None = None
    ) -> UsageDone:
        """Record usage: one record, or a list of up to 10,000, each with its verdict.

        A record is known by `source` and `id` for all time: sent again it is a `duplicate` and counts once, with
        another content it is a `conflict` and the first stays. What finds no contract line waits, and is looked at
        again when contracts change. A record that cannot be read is `refused` and stops no other.

        Scope: `usage.change`.

        Give as many as you like: they are sent in batches of 10,000.
        """
        return self._in_batches(UsageDone, "/usage", records, 10000, idempotency_key)

    def list_usage(
        self,
        *,
        contract: str | None = None,
        article: str | None = None,
        source: str | None = None,
        day_from: Day | None = None,
        day_until: Day | None = None,
        limit: int = 100,
        after: str = "",
    ) -> Pages[Records, RecordOut]:
        """Usage records, in the order in which they came.

        `contract` and `article`: those that found their line there. `day_until` is exclusive.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(
                Records,
                "GET",
                "/usage",
                query={
                    "contract": contract,
                    "article": article,
                    "source": source,
                    "day_from": day_from,
                    "day_until": day_until,
                    "limit": limit,
                    "after": after,
                },
            ),
            after,
        )

    def get_usage(self, *, id: str, source: str = "usage", known: RecordOut | None = None) -> RecordOut:
        """One usage record by its id.

        Scope: `usage.view`.
        """
        return self._ask(RecordOut, "GET", "/usage/record", query={"id": id, "source": source}, known=known)

    def correct_usage(
        self,
        *,
        id: str,
        contract: str | None | Omit = OMIT,
        article: str | None | Omit = OMIT,
        key: str | None | Omit = OMIT,
        quantity: Number | None | Omit = OMIT,
        seconds: int | None | Omit = OMIT,
        cost_amount: Number | None | Omit = OMIT,
        amount: Number | None | Omit = OMIT,
        from_: Moment | None | Omit = OMIT,
        until: Moment | None | Omit = OMIT,
        source: str = "usage",
        preview: bool = False,
    ) -> Corrected:
        """Correct a usage record: its next revision, with the fields changed that are given (R12.2).

        What it was stays in its history; the difference is billed or credited with the next bill.

        Scope: `usage.change`.
        """
        return self._ask(
            Corrected,
            "PATCH",
            "/usage/record",
            body={
                "contract": contract,
                "article": article,
                "key": key,
                "quantity": quantity,
                "seconds": seconds,
                "cost_amount": cost_amount,
                "amount": amount,
                "from": from_,
                "until": until,
            },
            query={"id": id, "source": source, "preview": preview},
        )

    def get_usage_history(self, *, id: str, source: str = "usage") -> History:
        """What a usage record was before it was corrected or withdrawn, the newest first; at most 500.

        Scope: `usage.view`.
        """
        return self._ask(History, "GET", "/usage/history", query={"id": id, "source": source})

    def list_exceptions(
        self,
        *,
        reason: Literal[
            "unknown_key",
            "no_contract",
            "no_subscription",
            "before_start",
            "after_end",
            "closed_period",
            "currency",
            "no_rate",
            "paused",
            "invalid",
        ]
        | None = None,
        contract: str | None = None,
        supplier: str | None = None,
        limit: int = 100,
        after: str = "",
    ) -> Pages[Exceptions, Waiting]:
        """What waits, and why: records without a line, and the days of records that lie outside their line's life.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(
                Exceptions,
                "GET",
                "/usage/exceptions",
                query={"reason": reason, "contract": contract, "supplier": supplier, "limit": limit, "after": after},
            ),
            after,
        )

    def withdraw_a_record(
        self, *, id: str, source: str | Omit = OMIT, preview: bool = False, idempotency_key: str | None = None
    ) -> None:
        """Withdraw a record; its history stays, the difference is billed or credited (R12.2).

        Scope: `usage.change`.
        """
        return self._ask(
            type(None),
            "POST",
            "/usage/withdraw",
            body={"id": id, "source": source},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def send_usage_to(
        self,
        *,
        records: Sequence[RecordName],
        contract: str | None | Omit = OMIT,
        article: str | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> Processed:
        """Send waiting records to another contract or for another article, each as a correction of its own.

        Scope: `usage.change`.
        """
        return self._ask(
            Processed,
            "POST",
            "/usage/send_to",
            body={"records": records, "contract": contract, "article": article},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def process_again(self, *, preview: bool = False, idempotency_key: str | None = None) -> Processed:
        """Process again all that waits, of all suppliers and callers.

        Scope: `usage.change`.
        """
        return self._ask(
            Processed, "POST", "/usage/reprocess", query={"preview": preview}, idempotency_key=idempotency_key
        )

    def list_usage_keys(self, *, limit: int = 100, after: str = "") -> Pages[UsageKeys, UsageKeyOut]:
        """Keys, in the order in which they were registered.

        Scope: `tariffs.view`.
        """
        return Pages(
            lambda after: self._ask(UsageKeys, "GET", "/usage_keys", query={"limit": limit, "after": after}), after
        )

    def create_usage_key(
        self,
        *,
        key: str,
        title: str | None | Omit = OMIT,
        titles: Mapping[str, str] | None | Omit = OMIT,
        source: str | None | Omit = OMIT,
        time_based: bool | None | Omit = OMIT,
        flat_price: bool | None | Omit = OMIT,
        own_notice: bool | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> UsageKeyOut:
        """Register a key. Tariffs register the keys that they name by themselves, with everything allowed.

        Scope: `tariffs.change`.
        """
        return self._ask(
            UsageKeyOut,
            "POST",
            "/usage_keys",
            body={
                "title": title,
                "titles": titles,
                "source": source,
                "time_based": time_based,
                "flat_price": flat_price,
                "own_notice": own_notice,
                "key": key,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_usage_key(self, key: str, *, known: UsageKeyOut | None = None) -> UsageKeyOut:
        """A key.

        Scope: `tariffs.view`.
        """
        return self._ask(UsageKeyOut, "GET", f"/usage_keys/{_part(key)}", known=known)

    def change_usage_key(
        self,
        key: str,
        *,
        title: str | None | Omit = OMIT,
        titles: Mapping[str, str] | None | Omit = OMIT,
        source: str | None | Omit = OMIT,
        time_based: bool | None | Omit = OMIT,
        flat_price: bool | None | Omit = OMIT,
        own_notice: bool | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> UsageKeyOut:
        """Change a key: the fields that are given. What lines of today have cannot be taken away.

        Scope: `tariffs.change`.

        `if_match`: what `get_usage_key` gave; refused when it has changed since.
        """
        return self._ask(
            UsageKeyOut,
            "PATCH",
            f"/usage_keys/{_part(key)}",
            body={
                "title": title,
                "titles": titles,
                "source": source,
                "time_based": time_based,
                "flat_price": flat_price,
                "own_notice": own_notice,
            },
            query={"preview": preview},
            if_match=if_match,
        )

    def delete_usage_key(self, key: str, *, preview: bool = False, if_match: Marked | str | None = None) -> None:
        """Take a key out of the register, while no line of any version or draft has it and it stands for no article.

        Scope: `tariffs.change`.

        `if_match`: what `get_usage_key` gave; refused when it has changed since.
        """
        return self._ask(
            type(None), "DELETE", f"/usage_keys/{_part(key)}", query={"preview": preview}, if_match=if_match
        )

    def tie_usage_key(self, key: str, *, article: str, preview: bool = False) -> TiedKey:
        """Say which article a key stands for in contracts that have no line with it; what waits is processed again.

        A key that is not registered is, with everything allowed. What stood at the article of before goes over.

        Scope: `usage.change`.
        """
        return self._ask(
            TiedKey, "PUT", f"/usage_keys/{_part(key)}/article", body={"article": article}, query={"preview": preview}
        )

    def untie_usage_key(self, key: str, *, preview: bool = False) -> None:
        """Let a key stand for no article: its usage waits again, and the next bill credits what was billed of it.

        Scope: `usage.change`.
        """
        return self._ask(type(None), "DELETE", f"/usage_keys/{_part(key)}/article", query={"preview": preview})

    def start_matching(
        self, *, supplier: str | None | Omit = OMIT, preview: bool = False, idempotency_key: str | None = None
    ) -> WorkOut:
        """Start to match what waits again, in the background, in parts; the worker does it. One at a time: `conflict`
        while another is under way.

        Scope: `usage.change`.
        """
        return self._ask(
            WorkOut,
            "POST",
            "/usage/matching/start",
            body={"supplier": supplier},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_matching(self, *, limit: int = 100, after: str = "") -> Pages[WorkList, WorkOut]:
        """What is matched again in the background, and was lately, the newest first.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(WorkList, "GET", "/usage/matching", query={"limit": limit, "after": after}), after
        )

    def get_matching(self, work: int) -> WorkOut:
        """How far it is, or how it ended.

        Scope: `usage.view`.
        """
        return self._ask(WorkOut, "GET", f"/usage/matching/{_part(work)}")

    def stop_matching(self, work: int, *, preview: bool = False, idempotency_key: str | None = None) -> WorkOut:
        """Ask it to stop after the parts that it is at. What is matched stays so.

        Scope: `usage.change`.
        """
        return self._ask(
            WorkOut,
            "POST",
            f"/usage/matching/{_part(work)}/stop",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_suppliers(self, *, limit: int = 100, after: str = "") -> Pages[Suppliers, SupplierOut]:
        """Suppliers, in the order in which they were made.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(Suppliers, "GET", "/suppliers", query={"limit": limit, "after": after}), after
        )

    def create_supplier(
        self,
        *,
        supplier: str,
        name: str | None | Omit = OMIT,
        create_customers: bool | Omit = OMIT,
        create_subscriptions: bool | Omit = OMIT,
        unit_price_from_import: bool | Omit = OMIT,
        currency: str | None | Omit = OMIT,
        time_zone: str | None | Omit = OMIT,
        mapping: Mapping[str, bool | str | int | Sequence[str] | Mapping[str, str] | None] | Omit = OMIT,
        folder: str | Omit = OMIT,
        contact: str | Omit = OMIT,
        email: str | Omit = OMIT,
        phone: str | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> SupplierOut:
        """A new supplier.

        Scope: `usage.change`.
        """
        return self._ask(
            SupplierOut,
            "POST",
            "/suppliers",
            body={
                "supplier": supplier,
                "name": name,
                "create_customers": create_customers,
                "create_subscriptions": create_subscriptions,
                "unit_price_from_import": unit_price_from_import,
                "currency": currency,
                "time_zone": time_zone,
                "mapping": mapping,
                "folder": folder,
                "contact": contact,
                "email": email,
                "phone": phone,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_supplier(self, supplier: str, *, known: SupplierOut | None = None) -> SupplierOut:
        """A supplier.

        Scope: `usage.view`.
        """
        return self._ask(SupplierOut, "GET", f"/suppliers/{_part(supplier)}", known=known)

    def change_supplier(
        self,
        supplier: str,
        *,
        name: str | None | Omit = OMIT,
        create_customers: bool | None | Omit = OMIT,
        create_subscriptions: bool | None | Omit = OMIT,
        unit_price_from_import: bool | None | Omit = OMIT,
        currency: str | None | Omit = OMIT,
        time_zone: str | None | Omit = OMIT,
        mapping: Mapping[str, bool | str | int | Sequence[str] | Mapping[str, str] | None] | None | Omit = OMIT,
        folder: str | None | Omit = OMIT,
        contact: str | None | Omit = OMIT,
        email: str | None | Omit = OMIT,
        phone: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> SupplierOut:
        """Change a supplier: the fields that are given. They hold for what comes from now on.

        Scope: `usage.change`.

        `if_match`: what `get_supplier` gave; refused when it has changed since.
        """
        return self._ask(
            SupplierOut,
            "PATCH",
            f"/suppliers/{_part(supplier)}",
            body={
                "name": name,
                "create_customers": create_customers,
                "create_subscriptions": create_subscriptions,
                "unit_price_from_import": unit_price_from_import,
                "currency": currency,
                "time_zone": time_zone,
                "mapping": mapping,
                "folder": folder,
                "contact": contact,
                "email": email,
                "phone": phone,
            },
            query={"preview": preview},
            if_match=if_match,
        )

    def list_supplier_customers(
        self, supplier: str, *, linked: bool | None = None, limit: int = 100, after: str = ""
    ) -> Pages[SupplierCustomers, SupplierCustomerOut]:
        """The supplier's customers, in the order in which they appeared.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(
                SupplierCustomers,
                "GET",
                f"/suppliers/{_part(supplier)}/customers",
                query={"linked": linked, "limit": limit, "after": after},
            ),
            after,
        )

    def list_subscriptions(
        self, supplier: str, *, linked: bool | None = None, limit: int = 100, after: str = ""
    ) -> Pages[Subscriptions, SubscriptionOut]:
        """The supplier's subscriptions, in the order in which they appeared.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(
                Subscriptions,
                "GET",
                f"/suppliers/{_part(supplier)}/subscriptions",
                query={"linked": linked, "limit": limit, "after": after},
            ),
            after,
        )

    def note_subscription(
        self, supplier: str, *, subscription: str, preview: bool = False, idempotency_key: str | None = None
    ) -> SubscriptionOut:
        """Note a supplier subscription that waiting usage names, but no import has made; a noted one stays as it is.

        Scope: `usage.change`.
        """
        return self._ask(
            SubscriptionOut,
            "POST",
            f"/suppliers/{_part(supplier)}/subscriptions",
            body={"subscription": subscription},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_reference_changes(
        self,
        supplier: str,
        *,
        kind: Literal["customer", "subscription"] = "subscription",
        reference: str = "",
        limit: int = 100,
        after: str = "",
    ) -> Pages[ReferenceChanges, ReferenceChangeOut]:
        """What imports changed of the supplier's customers or subscriptions, of one or of all; the newest first.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(
                ReferenceChanges,
                "GET",
                f"/suppliers/{_part(supplier)}/changes",
                query={"kind": kind, "reference": reference, "limit": limit, "after": after},
            ),
            after,
        )

    def link(
        self,
        supplier: str,
        *,
        subscription: str,
        contract: str,
        article: str,
        line: str | None | Omit = OMIT,
        move: bool | Omit = OMIT,
        from_: Day | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> Linked:
        """Tie a supplier subscription to a contract line, and process what waits of it at once; it is recorded first
        where no import has. With `move` usage from a day on goes to this line, and what was billed stays with the
        other.

        Scope: `usage.change`.
        """
        return self._ask(
            Linked,
            "POST",
            f"/suppliers/{_part(supplier)}/link",
            body={
                "subscription": subscription,
                "contract": contract,
                "article": article,
                "line": line,
                "move": move,
                "from": from_,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def link_many(
        self, supplier: str, *, links: Sequence[Link], preview: bool = False, idempotency_key: str | None = None
    ) -> Reprocessed:
        """Tie many supplier subscriptions to contract lines, all or none, and process what waits of them at once.

        Scope: `usage.change`.
        """
        return self._ask(
            Reprocessed,
            "POST",
            f"/suppliers/{_part(supplier)}/link_many",
            body={"links": links},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def link_customer(
        self, supplier: str, *, reference: str, customer: str, preview: bool = False, idempotency_key: str | None = None
    ) -> SupplierCustomerOut:
        """Tie a supplier customer to a customer, for overview.

        Scope: `usage.change`.
        """
        return self._ask(
            SupplierCustomerOut,
            "POST",
            f"/suppliers/{_part(supplier)}/link_customer",
            body={"reference": reference, "customer": customer},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def unlink(
        self,
        supplier: str,
        *,
        subscription: str,
        contract: str,
        article: str,
        line: str | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> ContractOut:
        """Untie a supplier subscription from a contract line.

        Its usage on the line waits again, and what was billed of it is credited with the next bill.

        Scope: `usage.change`.
        """
        return self._ask(
            ContractOut,
            "POST",
            f"/suppliers/{_part(supplier)}/unlink",
            body={"subscription": subscription, "contract": contract, "article": article, "line": line},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def unlink_customer(
        self, supplier: str, *, reference: str, preview: bool = False, idempotency_key: str | None = None
    ) -> SupplierCustomerOut:
        """Untie a supplier customer from its customer.

        Scope: `usage.change`.
        """
        return self._ask(
            SupplierCustomerOut,
            "POST",
            f"/suppliers/{_part(supplier)}/unlink_customer",
            body={"reference": reference},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_product_references(
        self, supplier: str, *, limit: int = 100, after: str = ""
    ) -> Pages[ProductReferences, ProductReferenceOut]:
        """Which articles the supplier's products stand for.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(
                ProductReferences,
                "GET",
                f"/suppliers/{_part(supplier)}/product_references",
                query={"limit": limit, "after": after},
            ),
            after,
        )

    def set_product_reference(
        self, supplier: str, *, product: str, article: str, preview: bool = False
    ) -> ProductReferenceOut:
        """Say which article a product stands for.

        Scope: `usage.change`.
        """
        return self._ask(
            ProductReferenceOut,
            "PUT",
            f"/suppliers/{_part(supplier)}/product_references",
            body={"product": product, "article": article},
            query={"preview": preview},
        )

    def remove_product_reference(self, supplier: str, *, product: str, preview: bool = False) -> None:
        """A product stands for no article any more; lines that were extended by it stay.

        Scope: `usage.change`.
        """
        return self._ask(
            type(None),
            "DELETE",
            f"/suppliers/{_part(supplier)}/product_references",
            query={"product": product, "preview": preview},
        )

    def reprocess(self, supplier: str, *, preview: bool = False, idempotency_key: str | None = None) -> Reprocessed:
        """Process again what waits of the supplier.

        Scope: `usage.change`.
        """
        return self._ask(
            Reprocessed,
            "POST",
            f"/suppliers/{_part(supplier)}/reprocess",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def extend_contract(
        self,
        supplier: str,
        *,
        subscription: str,
        contract: str,
        article: str | None | Omit = OMIT,
        quantity: Number | None | Omit = OMIT,
        from_: Day | None | Omit = OMIT,
        remember: bool | Omit = OMIT,
        move: bool | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> Done:
        """Book a contract line from a supplier subscription, tie it to it, and process what waits of it at once
        (R17.3).

        Scope: `contracts.change`.
        """
        return self._ask(
            Done,
            "POST",
            f"/suppliers/{_part(supplier)}/extend_contract",
            body={
                "subscription": subscription,
                "contract": contract,
                "article": article,
                "quantity": quantity,
                "from": from_,
                "remember": remember,
                "move": move,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def extend_contracts(
        self,
        supplier: str,
        *,
        extensions: Sequence[Extension],
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> ExtensionsOut:
        """Book contract lines from up to 100 supplier subscriptions, all or none, and process what waits of them at
        once.

        With `preview` it says of each what would become of it, and the money of a month.

        Scope: `contracts.change`.
        """
        return self._ask(
            ExtensionsOut,
            "POST",
            f"/suppliers/{_part(supplier)}/extend_contracts",
            body={"extensions": extensions},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def import_usage(
        self,
        supplier: str,
        *,
        rows: Sequence[Mapping[str, str | int | Number | None]],
        mapping: Mapping[str, bool | str | int | Sequence[str] | Mapping[str, str] | None] | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> Imported:
        """Take in rows of the supplier that are parsed already; a bad row stops no other.

        Scope: `usage.change`.
        """
        return self._ask(
            Imported,
            "POST",
            f"/suppliers/{_part(supplier)}/import_usage",
            body={"rows": rows, "mapping": mapping},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def upload_file(
        self,
        supplier: str,
        content: bytes,
        *,
        name: str,
        media: Literal[
            "text/csv",
            "text/plain",
            "application/octet-stream",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.apache.parquet",
            "application/gzip",
            "application/zip",
        ] = "text/csv",
        preview: bool = False,
        background: bool = False,
        idempotency_key: str | None = None,
    ) -> Imported:
        """Load a usage file of the supplier: its bytes are the body, `name` is what it is called.

        Text with a delimiter, XLSX or Parquet, also packed as gzip or zip; which of them is seen by its bytes. It
        is kept unchanged. The same content again is refused (`conflict`). Delimiter and encoding are found out; a
        bad row becomes a problem with its line and reason and stops no other.

        `background`: it is kept at once and read by the worker; the answer names the file, which tells how far it
        is.

        Scope: `usage.change`.
        """
        return self._ask(
            Imported,
            "POST",
            f"/suppliers/{_part(supplier)}/files",
            content=content,
            media=media,
            query={"name": name, "preview": preview, "background": background},
            idempotency_key=idempotency_key,
        )

    def list_files(self, supplier: str, *, limit: int = 100, after: str = "") -> Pages[Files, FileOut]:
        """The supplier's files, the newest first.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(
                Files, "GET", f"/suppliers/{_part(supplier)}/files", query={"limit": limit, "after": after}
            ),
            after,
        )

    def get_file(self, supplier: str, file: int, *, known: FileWithRows | None = None) -> FileWithRows:
        """A file, and what became of its rows.

        Scope: `usage.view`.
        """
        return self._ask(FileWithRows, "GET", f"/suppliers/{_part(supplier)}/files/{_part(file)}", known=known)

    def read_file(
        self,
        supplier: str,
        file: int,
        *,
        background: bool = False,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> Imported:
        """Read a kept file by the supplier's present mapping: one that is not read yet, that was undone, or of which
        nothing could be read. Of one that brought something, those rows that it lacks since another import was
        undone. `background`: by the worker; the file tells how far it is.

        Scope: `usage.change`.
        """
        return self._ask(
            Imported,
            "POST",
            f"/suppliers/{_part(supplier)}/files/{_part(file)}/read",
            query={"background": background, "preview": preview},
            idempotency_key=idempotency_key,
        )

    def stop_reading(
        self, supplier: str, file: int, *, preview: bool = False, idempotency_key: str | None = None
    ) -> FileWithRows:
        """Stop what reads the file in the background: the file stays, and none of its rows is taken in. Where nothing
        reads it, nothing happens.

        Scope: `usage.change`.
        """
        return self._ask(
            FileWithRows,
            "POST",
            f"/suppliers/{_part(supplier)}/files/{_part(file)}/stop",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_refused_files(
        self, supplier: str, *, settled: bool | None = None, limit: int = 100, after: str = ""
    ) -> Pages[RefusedFiles, RefusedFileOut]:
        """The supplier's files that were not loaded, and why, the newest first. `settled`: those that somebody has
        looked at, or those that are still to be.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(
                RefusedFiles,
                "GET",
                f"/suppliers/{_part(supplier)}/refused_files",
                query={"settled": settled, "limit": limit, "after": after},
            ),
            after,
        )

    def settle_refused_files(
        self, supplier: str, *, ids: Sequence[int], preview: bool = False, idempotency_key: str | None = None
    ) -> Settled:
        """Say that files that were not loaded were looked at: they are not counted any more. Others' ids are passed
        over.

        Scope: `usage.change`.
        """
        return self._ask(
            Settled,
            "POST",
            f"/suppliers/{_part(supplier)}/refused_files/settle",
            body={"ids": ids},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def undo_import(
        self, supplier: str, file: int, *, preview: bool = False, idempotency_key: str | None = None
    ) -> Undone:
        """Undo an import of which nothing is billed: its records are taken out, and the file may be loaded again.

        Scope: `usage.change`.
        """
        return self._ask(
            Undone,
            "POST",
            f"/suppliers/{_part(supplier)}/files/{_part(file)}/undo",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_file_content(self, supplier: str, file: int) -> bytes:
        """A file as it was received, byte by byte; `not_found` once it was emptied (`emptied_at`).

        Scope: `usage.view`.
        """
        return self._ask(bytes, "GET", f"/suppliers/{_part(supplier)}/files/{_part(file)}/content")

    def list_problems(
        self, supplier: str, file: int, *, limit: int = 100, after: str = ""
    ) -> Pages[Problems, ProblemOut]:
        """The rows of a file that could not be read, or that conflict with stored ones; at most 10,000 are kept.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(
                Problems,
                "GET",
                f"/suppliers/{_part(supplier)}/files/{_part(file)}/problems",
                query={"limit": limit, "after": after},
            ),
            after,
        )

    def list_supplier_invoices(
        self, supplier: str, *, limit: int = 100, after: str = ""
    ) -> Pages[SupplierInvoices, SupplierInvoiceOut]:
        """The supplier's own invoices, the one entered last first. What they say against the rows imported tells
        `get_reconciliation`.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(
                SupplierInvoices,
                "GET",
                f"/suppliers/{_part(supplier)}/invoices",
                query={"limit": limit, "after": after},
            ),
            after,
        )

    def enter_supplier_invoice(
        self,
        supplier: str,
        *,
        number: str,
        day: Day,
        from_: Day,
        until: Day,
        net: Number,
        currency: str | None | Omit = OMIT,
        note: str | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> SupplierInvoiceOut:
        """Enter what the supplier charges for a period by its own invoice. It bills nobody; it is for reconciliation.

        Scope: `usage.change`.
        """
        return self._ask(
            SupplierInvoiceOut,
            "POST",
            f"/suppliers/{_part(supplier)}/invoices",
            body={
                "number": number,
                "day": day,
                "from": from_,
                "until": until,
                "net": net,
                "currency": currency,
                "note": note,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_supplier_invoice(
        self, supplier: str, invoice: int, *, known: SupplierInvoiceOut | None = None
    ) -> SupplierInvoiceOut:
        """A supplier's own invoice.

        Scope: `usage.view`.
        """
        return self._ask(
            SupplierInvoiceOut, "GET", f"/suppliers/{_part(supplier)}/invoices/{_part(invoice)}", known=known
        )

    def correct_supplier_invoice(
        self,
        supplier: str,
        invoice: int,
        *,
        number: str | None | Omit = OMIT,
        day: Day | None | Omit = OMIT,
        from_: Day | None | Omit = OMIT,
        until: Day | None | Omit = OMIT,
        net: Number | None | Omit = OMIT,
        currency: str | None | Omit = OMIT,
        note: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> SupplierInvoiceOut:
        """Correct a supplier's own invoice: the fields that are given. The log keeps what it said before.

        Scope: `usage.change`.

        `if_match`: what `get_supplier_invoice` gave; refused when it has changed since.
        """
        return self._ask(
            SupplierInvoiceOut,
            "PATCH",
            f"/suppliers/{_part(supplier)}/invoices/{_part(invoice)}",
            body={
                "number": number,
                "day": day,
                "from": from_,
                "until": until,
                "net": net,
                "currency": currency,
                "note": note,
            },
            query={"preview": preview},
            if_match=if_match,
        )

    def remove_supplier_invoice(
        self, supplier: str, invoice: int, *, preview: bool = False, if_match: Marked | str | None = None
    ) -> None:
        """Take a supplier's own invoice out, with its file; the log keeps what it said.

        Scope: `usage.change`.

        `if_match`: what `get_supplier_invoice` gave; refused when it has changed since.
        """
        return self._ask(
            type(None),
            "DELETE",
            f"/suppliers/{_part(supplier)}/invoices/{_part(invoice)}",
            query={"preview": preview},
            if_match=if_match,
        )

    def keep_invoice_file(
        self,
        supplier: str,
        invoice: int,
        content: bytes,
        *,
        name: str,
        media: Literal[
            "application/pdf",
            "image/png",
            "image/jpeg",
            "application/xml",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "text/plain",
            "text/csv",
            "application/octet-stream",
        ] = "application/pdf",
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> SupplierInvoiceOut:
        """Keep a file with a supplier's own invoice, in the place of the one of before: its bytes are the body.

        PDF, a picture (PNG, JPEG), XML, a workbook (XLSX) or a text of at most 10 MB; which of them is seen by its
        bytes. It is kept unchanged.

        Scope: `usage.change`.

        `if_match`: what `get_supplier_invoice` gave; refused when it has changed since.
        """
        return self._ask(
            SupplierInvoiceOut,
            "PUT",
            f"/suppliers/{_part(supplier)}/invoices/{_part(invoice)}/file",
            content=content,
            media=media,
            query={"name": name, "preview": preview},
            if_match=if_match,
        )

    def get_invoice_file(self, supplier: str, invoice: int) -> bytes:
        """The file of a supplier's own invoice as it was received, byte by byte.

        Scope: `usage.view`.
        """
        return self._ask(bytes, "GET", f"/suppliers/{_part(supplier)}/invoices/{_part(invoice)}/file")

    def drop_invoice_file(
        self, supplier: str, invoice: int, *, preview: bool = False, if_match: Marked | str | None = None
    ) -> None:
        """Take the file of a supplier's own invoice out; the invoice stays.

        Scope: `usage.change`.

        `if_match`: what `get_supplier_invoice` gave; refused when it has changed since.
        """
        return self._ask(
            type(None),
            "DELETE",
            f"/suppliers/{_part(supplier)}/invoices/{_part(invoice)}/file",
            query={"preview": preview},
            if_match=if_match,
        )

    def list_exchange_rates(
        self,
        *,
        currency: str = "",
        first: Day | None = None,
        last: Day | None = None,
        limit: int = 100,
        after: str = "",
    ) -> Pages[RatesTold, RateTold]:
        """The register of exchange rates, what was entered last before the others; of a currency, of days.

        Scope: `usage.view`.
        """
        return Pages(
            lambda after: self._ask(
                RatesTold,
                "GET",
                "/exchange_rates",
                query={"currency": currency, "first": first, "last": last, "limit": limit, "after": after},
            ),
            after,
        )

    def set_exchange_rates(
        self,
        *,
        rates: Sequence[RateOfDay],
        source: str | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> RatesSet:
        """Enter rates. Records that waited for one are processed again; what is recorded keeps its rate.

        Scope: `usage.change`.
        """
        return self._ask(
            RatesSet,
            "POST",
            "/exchange_rates",
            body={"rates": rates, "source": source},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def load_exchange_rates(
        self,
        content: bytes,
        *,
        media: Literal[
            "application/xml", "text/xml", "text/csv", "text/plain", "application/octet-stream"
        ] = "application/xml",
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> RatesSet:
        """Load a file of rates, the body: the European Central Bank's XML (of a day or all of them), or CSV with the
        headings from, to, day, rate. Of a file with an error nothing is taken.

        Scope: `usage.change`.
        """
        return self._ask(
            RatesSet,
            "POST",
            "/exchange_rates/file",
            content=content,
            media=media,
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def convert_again(
        self,
        *,
        source: str,
        target: str,
        first: Day,
        last: Day,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> AgainOut:
        """Give converted usage of some days the rates that the register names now.

        The differences to what is billed come with the next bills. Closed periods stay as they are, and so does
        usage of contracts that allow no conversion any more.

        Scope: `usage.change`.
        """
        return self._ask(
            AgainOut,
            "POST",
            "/exchange_rates/convert_again",
            body={"source": source, "target": target, "first": first, "last": last},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_exchange_rate(self, rate: int, *, known: RateTold | None = None) -> RateTold:
        """A rate.

        Scope: `usage.view`.
        """
        return self._ask(RateTold, "GET", f"/exchange_rates/{_part(rate)}", known=known)

    def remove_exchange_rate(self, rate: int, *, preview: bool = False, if_match: Marked | str | None = None) -> None:
        """Take a rate out of the register. Records that have it keep it.

        Scope: `usage.change`.

        `if_match`: what `get_exchange_rate` gave; refused when it has changed since.
        """
        return self._ask(
            type(None), "DELETE", f"/exchange_rates/{_part(rate)}", query={"preview": preview}, if_match=if_match
        )

    def get_reconciliation(self, supplier: str, *, from_: Day, until: Day, cause: str = "") -> ReconciliationOut:
        """What a supplier charged in a period against what contracts say and customers were billed, with why they
        differ.

        Each day of each imported row is accounted for. Charges that cover more than the period count by their days
        in it.

        Scope: `usage.view`.
        """
        return self._ask(
            ReconciliationOut,
            "GET",
            f"/suppliers/{_part(supplier)}/reconciliation",
            query={"from": from_, "until": until, "cause": cause},
        )

    def list_due(
        self, *, on: Day | None = None, customer: str | None = None, limit: int = 100, after: str = ""
    ) -> Pages[DueList, Due]:
        """What a run on a day (today) would take: contracts that are due on or before it, or have changed.

        Scope: `billing.view`.
        """
        return Pages(
            lambda after: self._ask(
                DueList, "GET", "/billing/due", query={"on": on, "customer": customer, "limit": limit, "after": after}
            ),
            after,
        )

    def run_billing(
        self,
        *,
        on: Day | None | Omit = OMIT,
        contract: str | None | Omit = OMIT,
        customer: str | None | Omit = OMIT,
        exclude: Sequence[str] | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> RunDone:
        """Bill all that is due on or before a day and was not billed: of all contracts, of one, or of one customer.

        A run works in batches, each in one transaction. Broken off, it goes on with the same request: nothing is
        billed twice. Contracts that fail, and customers whose billing information is incomplete, are left out and
        named.

        Scope: `billing.run`.
        """
        return self._ask(
            RunDone,
            "POST",
            "/billing/runs",
            body={"on": on, "contract": contract, "customer": customer, "exclude": exclude},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_runs(self, *, limit: int = 100, after: str = "") -> Pages[Runs, RunOut]:
        """Runs, the newest first.

        Scope: `billing.view`.
        """
        return Pages(
            lambda after: self._ask(Runs, "GET", "/billing/runs", query={"limit": limit, "after": after}), after
        )

    def start_billing(
        self,
        *,
        on: Day | None | Omit = OMIT,
        exclude: Sequence[str] | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> RunStarted:
        """Start a run in the background; the worker does it. One at a time: `conflict` while another is under way.

        Scope: `billing.run`.
        """
        return self._ask(
            RunStarted,
            "POST",
            "/billing/runs/start",
            body={"on": on, "exclude": exclude},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_work(self, *, limit: int = 100, after: str = "") -> Pages[WorkList, WorkOut]:
        """Runs in the background, those that were too, the newest first.

        Scope: `billing.view`.
        """
        return Pages(
            lambda after: self._ask(WorkList, "GET", "/billing/work", query={"limit": limit, "after": after}), after
        )

    def get_work(self, work: int) -> WorkOut:
        """A run in the background: how far it is, how it ended.

        Scope: `billing.view`.
        """
        return self._ask(WorkOut, "GET", f"/billing/work/{_part(work)}")

    def stop_work(self, work: int, *, preview: bool = False, idempotency_key: str | None = None) -> WorkOut:
        """Ask a run in the background to stop after the batch it is at. What it has issued stays; a later run goes on.

        Scope: `billing.run`.
        """
        return self._ask(
            WorkOut,
            "POST",
            f"/billing/work/{_part(work)}/stop",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_run(self, run: int) -> RunDetail:
        """A run with what it left out.

        Scope: `billing.view`.
        """
        return self._ask(RunDetail, "GET", f"/billing/runs/{_part(run)}")

    def list_sales_items(
        self, *, customer: str | None = None, pending: bool | None = None, limit: int = 100, after: str = ""
    ) -> Pages[Sales, SaleOut]:
        """Sales items, in the order in which they were made.

        Scope: `billing.view`.
        """
        return Pages(
            lambda after: self._ask(
                Sales,
                "GET",
                "/sales_items",
                query={"customer": customer, "pending": pending, "limit": limit, "after": after},
            ),
            after,
        )

    def create_sales_item(
        self,
        *,
        customer: str,
        lines: Sequence[SaleLineIn],
        as_: str | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> SaleDone:
        """Sell something once; it is billed with the customer's next bill.

        Scope: `sales.change`.
        """
        return self._ask(
            SaleDone,
            "POST",
            "/sales_items",
            body={"customer": customer, "lines": lines, "as": as_},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_sales_item(self, item: int, *, known: SaleOut | None = None) -> SaleOut:
        """A sales item.

        Scope: `billing.view`.
        """
        return self._ask(SaleOut, "GET", f"/sales_items/{_part(item)}", known=known)

    def move_a_sales_item(
        self,
        item: int,
        *,
        customer: str,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> SaleDone:
        """Give a pending sales item to another customer.

        Scope: `sales.change`.

        `if_match`: what `get_sales_item` gave; refused when it has changed since.
        """
        return self._ask(
            SaleDone,
            "POST",
            f"/sales_items/{_part(item)}/move",
            body={"customer": customer},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def list_used_services(
        self,
        *,
        state: Literal["waiting", "sold", "billed", "left_out"] | None = None,
        month: Day | None = None,
        customer: str | None = None,
        limit: int = 100,
        after: str = "",
    ) -> Pages[UsedServices, UsedServiceOut]:
        """Services without a contract that were to be sold, in the order in which they were noted.

        Scope: `billing.view`.
        """
        return Pages(
            lambda after: self._ask(
                UsedServices,
                "GET",
                "/used_services",
                query={"state": state, "month": month, "customer": customer, "limit": limit, "after": after},
            ),
            after,
        )

    def sell_used_services(
        self, *, month: Day, preview: bool = False, idempotency_key: str | None = None
    ) -> ServicesSold:
        """Make the sales items of a month's services without a contract. What was made before stays as it is.

        Scope: `sales.change`.
        """
        return self._ask(
            ServicesSold,
            "POST",
            "/used_services",
            body={"month": month},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def leave_out_used_services(
        self, *, services: Sequence[int], preview: bool = False, idempotency_key: str | None = None
    ) -> ServicesLeftOut:
        """Leave services out of their month, as long as they are not billed. The others of a sales item are sold anew.

        Scope: `sales.change`.
        """
        return self._ask(
            ServicesLeftOut,
            "POST",
            "/used_services/leave_out",
            body={"services": services},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def take_up_used_services(
        self, *, services: Sequence[int], preview: bool = False, idempotency_key: str | None = None
    ) -> ServicesSold:
        """Take services up again that were left out; what lacks nothing is sold at once.

        Scope: `sales.change`.
        """
        return self._ask(
            ServicesSold,
            "POST",
            "/used_services/take_up",
            body={"services": services},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_service_pricing(self) -> ServicePricingOut:
        """By which tariff services without a contract are sold.

        Scope: `billing.view`.
        """
        return self._ask(ServicePricingOut, "GET", "/used_services/pricing")

    def put_service_pricing(
        self, *, tariff: str, nightly: bool | Omit = OMIT, preview: bool = False
    ) -> ServicePricingOut:
        """Choose the tariff whose prices hold for services without a contract, and whether each month is sold by
        itself.

        Scope: `sales.change`.
        """
        return self._ask(
            ServicePricingOut,
            "PUT",
            "/used_services/pricing",
            body={"tariff": tariff, "nightly": nightly},
            query={"preview": preview},
        )

    def forecast_of_all(self, *, until: Day, from_: Day | None = None, limit: int = 100) -> ForecastOut:
        """The next bill of each contract that has it on these days, beside its last one, and why it differs.

        As a billing run on its day would make it, usage as far as it is known by now. A contract counts once. At
        most 20,000 contracts at once; a forecast of more is started in the office.

        Scope: `billing.view`.
        """
        return self._ask(ForecastOut, "GET", "/forecast", query={"until": until, "from": from_, "limit": limit})

    def list_included_hours(self, customer: str) -> HoursList:
        """A customer's included hours, those that have ended too.

        Scope: `contracts.view`.
        """
        return self._ask(HoursList, "GET", f"/customers/{_part(customer)}/included_hours")

    def include_hours(
        self,
        customer: str,
        *,
        title: str,
        kind: Literal["block", "monthly"],
        minutes: int,
        start: Day,
        end: Day | None | Omit = OMIT,
        kept: bool | Omit = OMIT,
        activities: Sequence[int] | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> HoursOut:
        """Give a customer included hours. They bear what is not billed yet of work from `start` on.

        Scope: `contracts.change`.
        """
        return self._ask(
            HoursOut,
            "POST",
            f"/customers/{_part(customer)}/included_hours",
            body={
                "title": title,
                "kind": kind,
                "minutes": minutes,
                "start": start,
                "end": end,
                "kept": kept,
                "activities": activities,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_included_hours(self, hours: int, *, known: HoursOut | None = None) -> HoursOut:
        """Included hours.

        Scope: `contracts.view`.
        """
        return self._ask(HoursOut, "GET", f"/included_hours/{_part(hours)}", known=known)

    def end_included_hours(
        self, hours: int, *, end: Day | None, preview: bool = False, if_match: Marked | str | None = None
    ) -> HoursOut:
        """Let included hours end, or go on: not before time that drew them.

        Scope: `contracts.change`.

        `if_match`: what `get_included_hours` gave; refused when it has changed since.
        """
        return self._ask(
            HoursOut,
            "PATCH",
            f"/included_hours/{_part(hours)}",
            body={"end": end},
            query={"preview": preview},
            if_match=if_match,
        )

    def take_back_included_hours(
        self, hours: int, *, preview: bool = False, if_match: Marked | str | None = None
    ) -> None:
        """Take included hours back that no time has drawn; the log keeps what they were.

        Scope: `contracts.change`.

        `if_match`: what `get_included_hours` gave; refused when it has changed since.
        """
        return self._ask(
            type(None), "DELETE", f"/included_hours/{_part(hours)}", query={"preview": preview}, if_match=if_match
        )

    def get_hours_statement(self, hours: int) -> HoursStatementOut:
        """What was granted, what drew it, and what is left, kept or dropped by month.

        Scope: `contracts.view`.
        """
        return self._ask(HoursStatementOut, "GET", f"/included_hours/{_part(hours)}/statement")

    def change_included_hours(
        self,
        hours: int,
        *,
        start: Day,
        minutes: int,
        title: str | None | Omit = OMIT,
        kept: bool | None | Omit = OMIT,
        activities: Sequence[int] | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> HoursOut:
        """Let monthly hours be others from one of their months on: these end, and those of the answer follow. A rest
        that is kept ends with the old ones.

        Scope: `contracts.change`.

        `if_match`: what `get_included_hours` gave; refused when it has changed since.
        """
        return self._ask(
            HoursOut,
            "POST",
            f"/included_hours/{_part(hours)}/change",
            body={"start": start, "minutes": minutes, "title": title, "kept": kept, "activities": activities},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def compare_what_if(
        self,
        *,
        first_month: str,
        last_month: str,
        against: str | None | Omit = OMIT,
        draft: DraftIn | None | Omit = OMIT,
        tariff: str | None | Omit = OMIT,
        customers: Sequence[str] | None | Omit = OMIT,
        own_conditions: bool | Omit = OMIT,
        lines: bool | Omit = OMIT,
        limit: int | Omit = OMIT,
        idempotency_key: str | None = None,
    ) -> WhatIfOut:
        """What past months would have brought under another tariff: same contracts, quantities and usage. Nothing is
        kept.

        Of a contract its billing periods that ended in the months are compared, whole; usage that waits is not
        looked at. At most 20,000 contracts at once; a comparison of more is started in the office or with `taktura
        what-if`.

        Scope: `billing.view`.
        """
        return self._ask(
            WhatIfOut,
            "POST",
            "/what_if",
            body={
                "against": against,
                "draft": draft,
                "first_month": first_month,
                "last_month": last_month,
                "tariff": tariff,
                "customers": customers,
                "own_conditions": own_conditions,
                "lines": lines,
                "limit": limit,
            },
            idempotency_key=idempotency_key,
        )

    def list_documents(
        self,
        *,
        number: str | None = None,
        kind: Literal["invoice", "credit_note"] | None = None,
        status: Literal["open", "partly_paid", "paid", "credited"] | None = None,
        customer: str | None = None,
        contract: str | None = None,
        issued_from: Day | None = None,
        issued_until: Day | None = None,
        order: Literal["oldest_first", "newest_first"] = "oldest_first",
        limit: int = 100,
        after: str = "",
    ) -> Pages[Documents, DocumentSummary]:
        """Documents in the order of issue.

        `contract`: those with lines of it alone. `issued_until` is exclusive.

        Scope: `documents.view`.
        """
        return Pages(
            lambda after: self._ask(
                Documents,
                "GET",
                "/documents",
                query={
                    "number": number,
                    "kind": kind,
                    "status": status,
                    "customer": customer,
                    "contract": contract,
                    "issued_from": issued_from,
                    "issued_until": issued_until,
                    "order": order,
                    "limit": limit,
                    "after": after,
                },
            ),
            after,
        )

    def get_document(self, document: int, *, known: DocumentDetail | None = None) -> DocumentDetail:
        """A document with all that it shows, and how it stands.

        Scope: `documents.view`.
        """
        return self._ask(DocumentDetail, "GET", f"/documents/{_part(document)}", known=known)

    def get_pdf(self, document: int, *, profile: Literal["zugferd"] | None = None) -> bytes:
        """A document as PDF/A-3 in its recipient's language; the same bytes each time.

        Where its profile is `zugferd`, or `profile` says so, the XML of the e-invoice stands within it.

        Scope: `documents.view`.
        """
        return self._ask(bytes, "GET", f"/documents/{_part(document)}/pdf", query={"profile": profile})

    def get_einvoice(
        self, document: int, *, profile: Literal["zugferd", "xrechnung", "xrechnung_cii", "peppol"] | None = None
    ) -> bytes:
        """A document as EN 16931 XML: UBL for `xrechnung` and `peppol`, CII for `xrechnung_cii` and `zugferd`; the
        same bytes each time. `profile`: null: that in which it goes to its recipient, else `zugferd`.

        What the profile asks for and the document does not say is named (`billing_information_missing`).

        Scope: `documents.view`.
        """
        return self._ask(bytes, "GET", f"/documents/{_part(document)}/einvoice", query={"profile": profile})

    def explain_line(self, document: int, line: int, *, limit: int = 100, after: str = "") -> ExplanationOut:
        """Why a line of a document has its amount, down to the rows of usage; `limit` and `after` are of these.

        Scope: `documents.view`.
        """
        return self._ask(
            ExplanationOut,
            "GET",
            f"/documents/{_part(document)}/lines/{_part(line)}/explain",
            query={"limit": limit, "after": after},
        )

    def credit_document(
        self,
        document: int,
        *,
        lines: Sequence[CreditLine] | None | Omit = OMIT,
        reason: str | Omit = OMIT,
        rebill: bool | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Credited:
        """Credit an invoice: what is left of it, or a part of its lines (R14.4).

        Scope: `documents.credit`.

        `if_match`: what `get_document` gave; refused when it has changed since.
        """
        return self._ask(
            Credited,
            "POST",
            f"/documents/{_part(document)}/credit",
            body={"lines": lines, "reason": reason, "rebill": rebill},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def list_payments(self, document: int, *, known: Payments | None = None) -> Payments:
        """The payments of an invoice, and what is open.

        Scope: `documents.view`.
        """
        return self._ask(Payments, "GET", f"/documents/{_part(document)}/payments", known=known)

    def pay_document(
        self,
        document: int,
        *,
        amount: Number,
        on: Day | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> Payments:
        """Enter money received for an invoice. A preview shows what would be open.

        Scope: `payments.change`.

        `if_match`: what `list_payments` gave; refused when it has changed since.
        """
        return self._ask(
            Payments,
            "POST",
            f"/documents/{_part(document)}/pay",
            body={"amount": amount, "on": on},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def list_mails(self, document: int) -> Mails:
        """The mails with a document, the newest first; at most 100.

        Scope: `documents.view`.
        """
        return self._ask(Mails, "GET", f"/documents/{_part(document)}/mails")

    def send_document(
        self,
        document: int,
        *,
        to: str | None | Omit = OMIT,
        subject: str | None | Omit = OMIT,
        text: str | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> MailOut:
        """Send a document by mail, with its PDF. The mail goes to the outbox and is sent by the worker.

        Scope: `documents.send`.
        """
        return self._ask(
            MailOut,
            "POST",
            f"/documents/{_part(document)}/mail",
            body={"to": to, "subject": subject, "text": text},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def send_document_again(
        self, document: int, mail: int, *, preview: bool = False, idempotency_key: str | None = None
    ) -> MailOut:
        """Try a mail with the document again that failed, was caught, or may have got lost.

        Scope: `documents.send`.
        """
        return self._ask(
            MailOut,
            "POST",
            f"/documents/{_part(document)}/mails/{_part(mail)}/send_again",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_letter(self, document: int) -> LetterOut:
        """The mail that would bring the document, in its recipient's language.

        Scope: `documents.view`.
        """
        return self._ask(LetterOut, "GET", f"/documents/{_part(document)}/letter")

    def get_left_to_credit(self, document: int) -> LeftToCredit:
        """What is left to credit of each line of an invoice.

        Scope: `documents.view`.
        """
        return self._ask(LeftToCredit, "GET", f"/documents/{_part(document)}/left_to_credit")

    def list_time(
        self,
        *,
        status: Literal["submitted", "approved", "billed"] | None = None,
        customer: str | None = None,
        ticket: int | None = None,
        user: str | None = None,
        from_: Day | None = None,
        until: Day | None = None,
        limit: int = 100,
        after: str = "",
    ) -> Pages[TimeList, TimeOut]:
        """Worked time, in the order in which it was logged. `from` and `until`: the first and the last day of work.

        Scope: `desk.view`.
        """
        return Pages(
            lambda after: self._ask(
                TimeList,
                "GET",
                "/time",
                query={
                    "status": status,
                    "customer": customer,
                    "ticket": ticket,
                    "user": user,
                    "from": from_,
                    "until": until,
                    "limit": limit,
                    "after": after,
                },
            ),
            after,
        )

    def log_time(
        self,
        *,
        minutes: int,
        ticket: int | None | Omit = OMIT,
        customer: str | None | Omit = OMIT,
        worked_on: Day | None | Omit = OMIT,
        billable: bool | None | Omit = OMIT,
        activity: int | None | Omit = OMIT,
        note: str | Omit = OMIT,
        user: str | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> TimeOut:
        """Log time. The customer's billing information is not asked for; approval does.

        Scope: `desk.change`.
        """
        return self._ask(
            TimeOut,
            "POST",
            "/time",
            body={
                "ticket": ticket,
                "customer": customer,
                "minutes": minutes,
                "worked_on": worked_on,
                "billable": billable,
                "activity": activity,
                "note": note,
                "user": user,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_time(self, time: int, *, known: TimeOut | None = None) -> TimeOut:
        """Worked time.

        Scope: `desk.view`.
        """
        return self._ask(TimeOut, "GET", f"/time/{_part(time)}", known=known)

    def correct_time(
        self,
        time: int,
        *,
        minutes: int | None | Omit = OMIT,
        worked_on: Day | None | Omit = OMIT,
        billable: bool | None | Omit = OMIT,
        activity: int | None | Omit = OMIT,
        note: str | None | Omit = OMIT,
        user: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> TimeOut:
        """Correct time that is not approved: the fields that are given. The log keeps what it was.

        Scope: `desk.change`.

        `if_match`: what `get_time` gave; refused when it has changed since.
        """
        return self._ask(
            TimeOut,
            "PATCH",
            f"/time/{_part(time)}",
            body={
                "minutes": minutes,
                "worked_on": worked_on,
                "billable": billable,
                "activity": activity,
                "note": note,
                "user": user,
            },
            query={"preview": preview},
            if_match=if_match,
        )

    def remove_time(self, time: int, *, preview: bool = False, if_match: Marked | str | None = None) -> None:
        """Remove time that is not approved; the log keeps what it was.

        Scope: `desk.change`.

        `if_match`: what `get_time` gave; refused when it has changed since.
        """
        return self._ask(type(None), "DELETE", f"/time/{_part(time)}", query={"preview": preview}, if_match=if_match)

    def approve_time(
        self, *, time: Sequence[int], preview: bool = False, idempotency_key: str | None = None
    ) -> Approved:
        """Approve time, all of it or none: the customer's next bill takes it along.

        The minutes of a ticket are summed and rounded up to the customer's time step as it is now. Refused without
        the customer's billing information, and without an hourly rate for what is billable.

        Scope: `time.approve`.
        """
        return self._ask(
            Approved,
            "POST",
            "/time/approve",
            body={"time": time},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def unapprove_time(
        self, *, time: Sequence[int], preview: bool = False, idempotency_key: str | None = None
    ) -> Opened:
        """Open approved time again, all of it or none, until it is billed.

        Scope: `time.approve`.
        """
        return self._ask(
            Opened,
            "POST",
            "/time/unapprove",
            body={"time": time},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_activities(self, *, limit: int = 100, after: str = "") -> Pages[Activities, ActivityOut]:
        """What is done in time, those not offered any more too.

        Scope: `desk.view`.
        """
        return Pages(
            lambda after: self._ask(Activities, "GET", "/activities", query={"limit": limit, "after": after}), after
        )

    def add_activity(
        self, *, name: str, billable: bool | Omit = OMIT, preview: bool = False, idempotency_key: str | None = None
    ) -> ActivityOut:
        """Add something that is done in time.

        Scope: `settings.change`.
        """
        return self._ask(
            ActivityOut,
            "POST",
            "/activities",
            body={"name": name, "billable": billable},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_activity(self, activity: int, *, known: ActivityOut | None = None) -> ActivityOut:
        """An activity.

        Scope: `desk.view`.
        """
        return self._ask(ActivityOut, "GET", f"/activities/{_part(activity)}", known=known)

    def change_activity(
        self,
        activity: int,
        *,
        name: str | None | Omit = OMIT,
        billable: bool | None | Omit = OMIT,
        active: bool | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> ActivityOut:
        """Change an activity; time that was logged stays as it is.

        Scope: `settings.change`.

        `if_match`: what `get_activity` gave; refused when it has changed since.
        """
        return self._ask(
            ActivityOut,
            "PATCH",
            f"/activities/{_part(activity)}",
            body={"name": name, "billable": billable, "active": active},
            query={"preview": preview},
            if_match=if_match,
        )

    def list_timers(self, *, user: str | None = None, limit: int = 100, after: str = "") -> Pages[Timers, TimerOut]:
        """The timers that run or are paused; that of a user by the e-mail address.

        Scope: `desk.view`.
        """
        return Pages(
            lambda after: self._ask(Timers, "GET", "/timers", query={"user": user, "limit": limit, "after": after}),
            after,
        )

    def start_timer(
        self,
        *,
        user: str,
        ticket: int | None | Omit = OMIT,
        customer: str | None | Omit = OMIT,
        activity: int | None | Omit = OMIT,
        note: str | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> TimerOut:
        """Start a user's timer. Refused where they have one: it is stopped first.

        Scope: `desk.change`.
        """
        return self._ask(
            TimerOut,
            "POST",
            "/timers",
            body={"user": user, "ticket": ticket, "customer": customer, "activity": activity, "note": note},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_timer(self, timer: int) -> TimerOut:
        """A timer.

        Scope: `desk.view`.
        """
        return self._ask(TimerOut, "GET", f"/timers/{_part(timer)}")

    def drop_timer(self, timer: int, *, preview: bool = False) -> None:
        """Throw a timer away: nothing is logged.

        Scope: `desk.change`.
        """
        return self._ask(type(None), "DELETE", f"/timers/{_part(timer)}", query={"preview": preview})

    def pause_timer(self, timer: int, *, preview: bool = False, idempotency_key: str | None = None) -> TimerOut:
        """Let a timer rest; nothing happens to one that does.

        Scope: `desk.change`.
        """
        return self._ask(
            TimerOut,
            "POST",
            f"/timers/{_part(timer)}/pause",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def go_on_with_timer(self, timer: int, *, preview: bool = False, idempotency_key: str | None = None) -> TimerOut:
        """Let a timer run again; nothing happens to one that does.

        Scope: `desk.change`.
        """
        return self._ask(
            TimerOut,
            "POST",
            f"/timers/{_part(timer)}/go_on",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def stop_timer(
        self,
        timer: int,
        *,
        minutes: int | None | Omit = OMIT,
        worked_on: Day | None | Omit = OMIT,
        billable: bool | None | Omit = OMIT,
        activity: int | None | Omit = OMIT,
        note: str | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> TimeOut:
        """Log what a timer has counted, and take it away.

        Refused without `minutes` where it ran over a midnight, or counted more than a day.

        Scope: `desk.change`.
        """
        return self._ask(
            TimeOut,
            "POST",
            f"/timers/{_part(timer)}/stop",
            body={"minutes": minutes, "worked_on": worked_on, "billable": billable, "activity": activity, "note": note},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_tickets(
        self,
        *,
        customer: str | None = None,
        status: Literal["open", "waiting", "solved", "closed"] | None = None,
        priority: Literal["low", "normal", "high", "urgent"] | None = None,
        queue: int | None = None,
        assignee: str | None = None,
        unassigned: bool = False,
        overdue: bool = False,
        search_for: str = "",
        limit: int = 100,
        after: str = "",
    ) -> Pages[Tickets, TicketOut]:
        """Tickets, in the order in which they were opened.

        `assignee`: a user's e-mail address. `unassigned`: only those of nobody. `overdue`: those that wait for
        staff longer than their service level says. `search_for`: those whose number, subject or requester holds
        each of these words.

        Scope: `desk.view`.
        """
        return Pages(
            lambda after: self._ask(
                Tickets,
                "GET",
                "/tickets",
                query={
                    "customer": customer,
                    "status": status,
                    "priority": priority,
                    "queue": queue,
                    "assignee": assignee,
                    "unassigned": unassigned,
                    "overdue": overdue,
                    "search_for": search_for,
                    "limit": limit,
                    "after": after,
                },
            ),
            after,
        )

    def open_ticket(
        self,
        *,
        customer: str,
        subject: str,
        priority: Literal["low", "normal", "high", "urgent"] | None | Omit = OMIT,
        queue: int | None | Omit = OMIT,
        assignee: str | None | Omit = OMIT,
        line: TicketLineIn | None | Omit = OMIT,
        text: str | Omit = OMIT,
        by_customer: bool | Omit = OMIT,
        author: str | Omit = OMIT,
        requester_name: str | Omit = OMIT,
        requester_email: str | Omit = OMIT,
        files: Sequence[TicketFileIn] | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> TicketDetail:
        """Open a ticket; billing information is not asked for.

        Scope: `desk.change`.
        """
        return self._ask(
            TicketDetail,
            "POST",
            "/tickets",
            body={
                "priority": priority,
                "queue": queue,
                "assignee": assignee,
                "line": line,
                "customer": customer,
                "subject": subject,
                "text": text,
                "by_customer": by_customer,
                "author": author,
                "requester_name": requester_name,
                "requester_email": requester_email,
                "files": files,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_ticket(self, ticket: int, *, known: TicketDetail | None = None) -> TicketDetail:
        """A ticket with what was said, notes too.

        Scope: `desk.view`.
        """
        return self._ask(TicketDetail, "GET", f"/tickets/{_part(ticket)}", known=known)

    def change_ticket(
        self,
        ticket: int,
        *,
        priority: Literal["low", "normal", "high", "urgent"] | None | Omit = OMIT,
        queue: int | None | Omit = OMIT,
        assignee: str | None | Omit = OMIT,
        line: TicketLineIn | None | Omit = OMIT,
        subject: str | None | Omit = OMIT,
        status: Literal["open", "waiting", "solved", "closed"] | None | Omit = OMIT,
        customer: str | None | Omit = OMIT,
        requester_name: str | None | Omit = OMIT,
        requester_email: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> TicketDetail:
        """Change a ticket: the fields that are given.

        Scope: `desk.change`.

        `if_match`: what `get_ticket` gave; refused when it has changed since.
        """
        return self._ask(
            TicketDetail,
            "PATCH",
            f"/tickets/{_part(ticket)}",
            body={
                "priority": priority,
                "queue": queue,
                "assignee": assignee,
                "line": line,
                "subject": subject,
                "status": status,
                "customer": customer,
                "requester_name": requester_name,
                "requester_email": requester_email,
            },
            query={"preview": preview},
            if_match=if_match,
        )

    def answer_ticket(
        self,
        ticket: int,
        *,
        text: str,
        kind: Literal["staff", "customer", "note"] | Omit = OMIT,
        author: str | Omit = OMIT,
        files: Sequence[TicketFileIn] | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> TicketDetail:
        """Say something on a ticket.

        An answer of staff leaves an open ticket waiting for the customer; a message of the customer opens one that
        waits or is solved again. A closed one takes only notes. An answer of staff is mailed to the requester, with
        its files, where their address is known.

        Scope: `desk.change`.

        `if_match`: what `get_ticket` gave; refused when it has changed since.
        """
        return self._ask(
            TicketDetail,
            "POST",
            f"/tickets/{_part(ticket)}/messages",
            body={"kind": kind, "text": text, "author": author, "files": files},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def merge_ticket(
        self,
        ticket: int,
        *,
        into: int,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> TicketDetail:
        """Let a ticket go on in another of the same customer; the answer is that one.

        What was said, files, and time that is not approved go there. The old one is closed and names it; mails that
        answer it find the other one. One with approved time is refused: time is summed and billed by ticket.

        Scope: `desk.change`.

        `if_match`: what `get_ticket` gave; refused when it has changed since.
        """
        return self._ask(
            TicketDetail,
            "POST",
            f"/tickets/{_part(ticket)}/merge",
            body={"into": into},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def move_tickets(
        self, *, tickets: Sequence[int], queue: int | None, preview: bool = False, idempotency_key: str | None = None
    ) -> MovedOut:
        """Put tickets in a queue, all or none. One that was merged is refused.

        Scope: `desk.change`.
        """
        return self._ask(
            MovedOut,
            "POST",
            "/tickets/move",
            body={"tickets": tickets, "queue": queue},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_queues(self) -> Queues:
        """The queues in which tickets wait.

        Scope: `desk.view`.
        """
        return self._ask(Queues, "GET", "/queues")

    def create_queue(self, *, name: str, preview: bool = False, idempotency_key: str | None = None) -> QueueOut:
        """Make a queue.

        Scope: `settings.change`.
        """
        return self._ask(
            QueueOut,
            "POST",
            "/queues",
            body={"name": name},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def change_queue(
        self, queue: int, *, name: str | None | Omit = OMIT, active: bool | None | Omit = OMIT, preview: bool = False
    ) -> QueueOut:
        """Rename a queue, or put it out of use.

        Scope: `settings.change`.
        """
        return self._ask(
            QueueOut,
            "PATCH",
            f"/queues/{_part(queue)}",
            body={"name": name, "active": active},
            query={"preview": preview},
        )

    def list_waiting_mails(self, *, limit: int = 100, after: str = "") -> Pages[WaitingMails, WaitingMail]:
        """The mails whose customer is not known, in the order in which they came.

        Scope: `desk.view`.
        """
        return Pages(
            lambda after: self._ask(WaitingMails, "GET", "/waiting_mails", query={"limit": limit, "after": after}),
            after,
        )

    def get_waiting_mail(self, mail: int) -> WaitingMailDetail:
        """A mail that waits, with what it says.

        Scope: `desk.view`.
        """
        return self._ask(WaitingMailDetail, "GET", f"/waiting_mails/{_part(mail)}")

    def give_waiting_mail(
        self,
        mail: int,
        *,
        customer: str | None | Omit = OMIT,
        ticket: int | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> TicketDetail:
        """Make a mail that waits a ticket of a customer, or an answer on a ticket. Later mails of its sender find the
        customer by themselves.

        Scope: `desk.change`.
        """
        return self._ask(
            TicketDetail,
            "POST",
            f"/waiting_mails/{_part(mail)}/give",
            body={"customer": customer, "ticket": ticket},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def throw_waiting_mail_away(self, mail: int, *, preview: bool = False, idempotency_key: str | None = None) -> None:
        """Let nothing become of a mail that waits. It lies in the archive folder.

        Scope: `desk.change`.
        """
        return self._ask(
            type(None),
            "POST",
            f"/waiting_mails/{_part(mail)}/throw_away",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_ticket_file(self, ticket: int, file: int) -> bytes:
        """A file of a ticket, byte by byte.

        Scope: `desk.view`.
        """
        return self._ask(bytes, "GET", f"/tickets/{_part(ticket)}/files/{_part(file)}")

    def get_desk_mail(self) -> DeskMailOut:
        """How mails about tickets go out.

        Scope: `settings.view`.
        """
        return self._ask(DeskMailOut, "GET", "/desk_mail")

    def put_desk_mail(self, *, receipts: bool, reply_to: str | Omit = OMIT, preview: bool = False) -> DeskMailOut:
        """Say where customers answer to, and whether they are told that a ticket arrived.

        Scope: `settings.change`.
        """
        return self._ask(
            DeskMailOut,
            "PUT",
            "/desk_mail",
            body={"reply_to": reply_to, "receipts": receipts},
            query={"preview": preview},
        )

    def list_answer_templates(self, *, language: Literal["de", "en", "sv"] | None = None) -> AnswerTemplates:
        """The templates of answers, by name.

        Scope: `desk.view`.
        """
        return self._ask(AnswerTemplates, "GET", "/answer_templates", query={"language": language})

    def create_answer_template(
        self,
        *,
        name: str,
        language: Literal["de", "en", "sv"],
        text: str,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> AnswerTemplateOut:
        """Make a template of answers. Its places are filled for each ticket.

        Scope: `desk.change`.
        """
        return self._ask(
            AnswerTemplateOut,
            "POST",
            "/answer_templates",
            body={"name": name, "language": language, "text": text},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_answer_template(self, template: int, *, known: AnswerTemplateOut | None = None) -> AnswerTemplateOut:
        """A template.

        Scope: `desk.view`.
        """
        return self._ask(AnswerTemplateOut, "GET", f"/answer_templates/{_part(template)}", known=known)

    def change_answer_template(
        self,
        template: int,
        *,
        name: str | None | Omit = OMIT,
        language: Literal["de", "en", "sv"] | None | Omit = OMIT,
        text: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> AnswerTemplateOut:
        """Change a template: the fields that are given. Answers written from it stay as they are.

        Scope: `desk.change`.

        `if_match`: what `get_answer_template` gave; refused when it has changed since.
        """
        return self._ask(
            AnswerTemplateOut,
            "PATCH",
            f"/answer_templates/{_part(template)}",
            body={"name": name, "language": language, "text": text},
            query={"preview": preview},
            if_match=if_match,
        )

    def delete_answer_template(
        self, template: int, *, preview: bool = False, if_match: Marked | str | None = None
    ) -> None:
        """Remove a template. Answers written from it stay.

        Scope: `desk.change`.

        `if_match`: what `get_answer_template` gave; refused when it has changed since.
        """
        return self._ask(
            type(None), "DELETE", f"/answer_templates/{_part(template)}", query={"preview": preview}, if_match=if_match
        )

    def fill_answer_template(self, ticket: int, template: int, *, name: str = "") -> FilledOut:
        """A template as a ticket fills it; `name`: of whoever answers.

        Scope: `desk.view`.
        """
        return self._ask(
            FilledOut, "GET", f"/tickets/{_part(ticket)}/answer_templates/{_part(template)}", query={"name": name}
        )

    def get_service_levels(self, *, known: ServiceLevelsOut | None = None) -> ServiceLevelsOut:
        """Business hours, holidays and targets.

        Scope: `desk.view`.
        """
        return self._ask(ServiceLevelsOut, "GET", "/service_levels", known=known)

    def set_service_levels(
        self,
        *,
        hours: Sequence[OpeningIn] | None | Omit = OMIT,
        holidays: Sequence[HolidayIn] | None | Omit = OMIT,
        targets: Sequence[TargetIn] | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> ServiceLevelsOut:
        """Set business hours, holidays or targets. Tickets that are not solved follow at once.

        Scope: `settings.change`.

        `if_match`: what `get_service_levels` gave; refused when it has changed since.
        """
        return self._ask(
            ServiceLevelsOut,
            "PATCH",
            "/service_levels",
            body={"hours": hours, "holidays": holidays, "targets": targets},
            query={"preview": preview},
            if_match=if_match,
        )

    def get_kept_service_levels(self, *, start: Day, end: Day) -> KeptLevels:
        """How targets were kept by the tickets opened from the day `start` until before `end`, by priority.

        Solved without a word, a ticket was answered then. Merged tickets count with the one that goes on.

        Scope: `desk.view`.
        """
        return self._ask(KeptLevels, "GET", "/service_levels/kept", query={"start": start, "end": end})

    def list_alerts(
        self,
        *,
        state: Literal["open", "ignored", "reached", "resolved"] | None = None,
        kind: Literal["cap", "flat", "included"] | None = None,
        forecast: bool | None = None,
        customer: str | None = None,
        contract: str | None = None,
        tariff: str | None = None,
        order: Literal["oldest_first", "newest_first"] = "newest_first",
        limit: int = 100,
        after: str = "",
    ) -> Pages[Alerts, AlertOut]:
        """Alerts. One that was ignored until a day is open again on it.

        Scope: `control.view`.
        """
        return Pages(
            lambda after: self._ask(
                Alerts,
                "GET",
                "/alerts",
                query={
                    "state": state,
                    "kind": kind,
                    "forecast": forecast,
                    "customer": customer,
                    "contract": contract,
                    "tariff": tariff,
                    "order": order,
                    "limit": limit,
                    "after": after,
                },
            ),
            after,
        )

    def get_alert(self, alert: int, *, known: AlertOut | None = None) -> AlertOut:
        """An alert.

        Scope: `control.view`.
        """
        return self._ask(AlertOut, "GET", f"/alerts/{_part(alert)}", known=known)

    def ignore_alert(
        self,
        alert: int,
        *,
        until: Day | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> AlertOut:
        """Let an alert rest until a day, or for good. Its figures go on, and a correction still resolves it.

        Scope: `control.change`.

        `if_match`: what `get_alert` gave; refused when it has changed since.
        """
        return self._ask(
            AlertOut,
            "POST",
            f"/alerts/{_part(alert)}/ignore",
            body={"until": until},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def reopen_alert(
        self,
        alert: int,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> AlertOut:
        """Open an ignored alert again.

        Scope: `control.change`.

        `if_match`: what `get_alert` gave; refused when it has changed since.
        """
        return self._ask(
            AlertOut,
            "POST",
            f"/alerts/{_part(alert)}/reopen",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def list_flat_prices(
        self,
        *,
        tariff: str | None = None,
        article: str | None = None,
        customer: str | None = None,
        currency: str | None = None,
        months: Literal["3", "6", "12", "24"] = "12",
        limit: int = 100,
        after: str = "",
    ) -> Pages[FlatPrices, FlatPriceOut]:
        """Flat prices with a reference price over the last months, the worst first; amounts of different currencies
        are no order: ask for one.

        Scope: `control.view`.
        """
        return Pages(
            lambda after: self._ask(
                FlatPrices,
                "GET",
                "/profitability",
                query={
                    "tariff": tariff,
                    "article": article,
                    "customer": customer,
                    "currency": currency,
                    "months": months,
                    "limit": limit,
                    "after": after,
                },
            ),
            after,
        )

    def list_flat_months(
        self,
        *,
        tariff: str | None = None,
        article: str | None = None,
        customer: str | None = None,
        months: Literal["3", "6", "12", "24"] = "12",
    ) -> FlatMonths:
        """What flat prices brought, month by month.

        Scope: `control.view`.
        """
        return self._ask(
            FlatMonths,
            "GET",
            "/profitability/months",
            query={"tariff": tariff, "article": article, "customer": customer, "months": months},
        )

    def report_waiting_time(self, *, from_: Day, until: Day) -> WaitingTimes:
        """Time that cannot be billed, since billing information lacks; what it is worth.

        Scope: `control.view`.
        """
        return self._ask(WaitingTimes, "GET", "/reports/waiting_time", query={"from": from_, "until": until})

    def report_unapproved_time(self, *, from_: Day, until: Day) -> UnapprovedTimes:
        """Time that waits for approval, by customer and age.

        Scope: `desk.view`.
        """
        return self._ask(UnapprovedTimes, "GET", "/reports/unapproved_time", query={"from": from_, "until": until})

    def report_hours(
        self, *, from_: Day, until: Day, by: Literal["customer", "user", "activity"] = "customer"
    ) -> HoursWorked:
        """Hours worked by customer, user or activity, and by month.

        Scope: `desk.view`.
        """
        return self._ask(HoursWorked, "GET", "/reports/hours", query={"from": from_, "until": until, "by": by})

    def report_customers(self, *, from_: Day, until: Day) -> CustomerResults:
        """What customers bring: revenue net from documents, cost of suppliers, minutes worked.

        Scope: `control.view`.
        """
        return self._ask(CustomerResults, "GET", "/reports/customers", query={"from": from_, "until": until})

    def list_webhooks(self, *, limit: int = 100, after: str = "") -> Pages[Webhooks, WebhookStanding]:
        """Webhooks, in the order in which they were made, and whether events arrive.

        Scope: `settings.view`.
        """
        return Pages(
            lambda after: self._ask(Webhooks, "GET", "/webhooks", query={"limit": limit, "after": after}), after
        )

    def create_webhook(
        self,
        *,
        url: str,
        events: Sequence[
            Literal[
                "invoice.issued",
                "credit_note.issued",
                "payment.received",
                "contract.signed",
                "contract.changed",
                "contract.notice_given",
                "contract.notice_withdrawn",
                "order.received",
                "order.approved",
                "order.refused",
                "notice.received",
                "customer.created",
                "customer.changed",
                "usage.recorded",
                "usage.withdrawn",
                "sales_item.created",
                "alert.raised",
                "alert.resolved",
                "ticket.opened",
                "ticket.answered",
                "ticket.changed",
                "ticket.solved",
                "ticket.merged",
                "time.approved",
            ]
        ]
        | Omit = OMIT,
        description: str | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> WebhookMade:
        """Send events to an address, from now on.

        The address begins with https:// and is public. The secret, by which the receiver checks signatures, is told
        this once: keep it. The same request with the same `Idempotency-Key` tells it again.

        Scope: `webhooks.change`.
        """
        return self._ask(
            WebhookMade,
            "POST",
            "/webhooks",
            body={"url": url, "events": events, "description": description},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_webhook(self, webhook: int, *, known: WebhookOut | None = None) -> WebhookOut:
        """A webhook. Whether events arrive tells the list.

        Scope: `settings.view`.
        """
        return self._ask(WebhookOut, "GET", f"/webhooks/{_part(webhook)}", known=known)

    def change_webhook(
        self,
        webhook: int,
        *,
        url: str | None | Omit = OMIT,
        events: Sequence[
            Literal[
                "invoice.issued",
                "credit_note.issued",
                "payment.received",
                "contract.signed",
                "contract.changed",
                "contract.notice_given",
                "contract.notice_withdrawn",
                "order.received",
                "order.approved",
                "order.refused",
                "notice.received",
                "customer.created",
                "customer.changed",
                "usage.recorded",
                "usage.withdrawn",
                "sales_item.created",
                "alert.raised",
                "alert.resolved",
                "ticket.opened",
                "ticket.answered",
                "ticket.changed",
                "ticket.solved",
                "ticket.merged",
                "time.approved",
            ]
        ]
        | None
        | Omit = OMIT,
        description: str | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> WebhookOut:
        """Change a webhook: the fields that are given. What waits goes to the new address.

        Scope: `webhooks.change`.

        `if_match`: what `get_webhook` gave; refused when it has changed since.
        """
        return self._ask(
            WebhookOut,
            "PATCH",
            f"/webhooks/{_part(webhook)}",
            body={"url": url, "events": events, "description": description},
            query={"preview": preview},
            if_match=if_match,
        )

    def delete_webhook(self, webhook: int, *, preview: bool = False, if_match: Marked | str | None = None) -> None:
        """Remove a webhook with all that was and would be sent to it. To stop for a while, switch it off.

        Scope: `webhooks.change`.

        `if_match`: what `get_webhook` gave; refused when it has changed since.
        """
        return self._ask(
            type(None), "DELETE", f"/webhooks/{_part(webhook)}", query={"preview": preview}, if_match=if_match
        )

    def switch_off_webhook(
        self,
        webhook: int,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> WebhookOut:
        """Send nothing more for the time being. What waits stays.

        Scope: `webhooks.change`.

        `if_match`: what `get_webhook` gave; refused when it has changed since.
        """
        return self._ask(
            WebhookOut,
            "POST",
            f"/webhooks/{_part(webhook)}/switch_off",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def switch_on_webhook(
        self,
        webhook: int,
        *,
        catch_up: bool | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> WebhookOut:
        """Send again, with what happened meanwhile or without it.

        Scope: `webhooks.change`.

        `if_match`: what `get_webhook` gave; refused when it has changed since.
        """
        return self._ask(
            WebhookOut,
            "POST",
            f"/webhooks/{_part(webhook)}/switch_on",
            body={"catch_up": catch_up},
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def rotate_webhook_secret(
        self,
        webhook: int,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> SecretOut:
        """Draw another secret, which is told this once.

        For 24 hours the old one signs beside it: each event has two signatures, so that the receiver can change
        over without a gap.

        Scope: `webhooks.change`.

        `if_match`: what `get_webhook` gave; refused when it has changed since.
        """
        return self._ask(
            SecretOut,
            "POST",
            f"/webhooks/{_part(webhook)}/rotate_secret",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def send_test_event(
        self, webhook: int, *, preview: bool = False, idempotency_key: str | None = None
    ) -> DeliveryOut:
        """Send a test event (`webhook.test`), whatever types are chosen. What became of it tells the delivery.

        Scope: `webhooks.change`.
        """
        return self._ask(
            DeliveryOut,
            "POST",
            f"/webhooks/{_part(webhook)}/test",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def replay_failed_deliveries(
        self,
        webhook: int,
        *,
        since: Moment | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> Replayed:
        """Send all events of a webhook that failed again, with the same ids.

        Scope: `webhooks.change`.
        """
        return self._ask(
            Replayed,
            "POST",
            f"/webhooks/{_part(webhook)}/replay_failed",
            body={"since": since},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_deliveries(
        self,
        *,
        webhook: int | None = None,
        state: Literal["waiting", "delivered", "failed"] | None = None,
        type: Literal[
            "invoice.issued",
            "credit_note.issued",
            "payment.received",
            "contract.signed",
            "contract.changed",
            "contract.notice_given",
            "contract.notice_withdrawn",
            "order.received",
            "order.approved",
            "order.refused",
            "notice.received",
            "customer.created",
            "customer.changed",
            "usage.recorded",
            "usage.withdrawn",
            "sales_item.created",
            "alert.raised",
            "alert.resolved",
            "ticket.opened",
            "ticket.answered",
            "ticket.changed",
            "ticket.solved",
            "ticket.merged",
            "time.approved",
            "webhook.test",
        ]
        | None = None,
        order: Literal["oldest_first", "newest_first"] = "newest_first",
        limit: int = 100,
        after: str = "",
    ) -> Pages[Deliveries, DeliveryOut]:
        """What was and is to be sent. Deliveries that are done are forgotten after 30 days.

        Scope: `settings.view`.
        """
        return Pages(
            lambda after: self._ask(
                Deliveries,
                "GET",
                "/webhook_deliveries",
                query={
                    "webhook": webhook,
                    "state": state,
                    "type": type,
                    "order": order,
                    "limit": limit,
                    "after": after,
                },
            ),
            after,
        )

    def get_delivery(self, delivery: int) -> DeliveryDetail:
        """A delivery: the text that is sent, and each try with its headers and its answer, the last first.

        Scope: `settings.view`.
        """
        return self._ask(DeliveryDetail, "GET", f"/webhook_deliveries/{_part(delivery)}")

    def replay_delivery(
        self, delivery: int, *, preview: bool = False, idempotency_key: str | None = None
    ) -> DeliveryOut:
        """Send an event again, whatever became of it: the same id and text, a new signature.

        Scope: `webhooks.change`.
        """
        return self._ask(
            DeliveryOut,
            "POST",
            f"/webhook_deliveries/{_part(delivery)}/replay",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_mail_server(self, *, for_all: bool = False, known: MailServerOut | None = None) -> MailServerOut:
        """The seller's own mail server, or the one for all.

        Scope: `settings.view`.
        """
        return self._ask(MailServerOut, "GET", "/mail_server", query={"for_all": for_all}, known=known)

    def put_mail_server(
        self,
        *,
        host: str,
        from_address: str,
        port: int | Omit = OMIT,
        security: Literal["none", "starttls", "tls"] | Omit = OMIT,
        user: str | Omit = OMIT,
        password: str | None | Omit = OMIT,
        from_name: str | Omit = OMIT,
        for_all: bool | Omit = OMIT,
        preview: bool = False,
    ) -> MailServerOut:
        """Set the seller's mail server, or the one for all. A password is asked for anew where the host changes.

        Scope: `settings.change`.
        """
        return self._ask(
            MailServerOut,
            "PUT",
            "/mail_server",
            body={
                "host": host,
                "port": port,
                "security": security,
                "user": user,
                "password": password,
                "from_address": from_address,
                "from_name": from_name,
                "for_all": for_all,
            },
            query={"preview": preview},
        )

    def delete_mail_server(self, *, for_all: bool = False, preview: bool = False) -> None:
        """Remove a mail server. Mails go over the one for all then, or are caught where there is none.

        Scope: `settings.change`.
        """
        return self._ask(type(None), "DELETE", "/mail_server", query={"for_all": for_all, "preview": preview})

    def list_outbox(
        self,
        *,
        state: Literal["waiting", "sending", "sent", "failed", "unknown", "caught"] | None = None,
        limit: int = 100,
        after: str = "",
    ) -> Pages[Outbox, OutboxMail]:
        """The seller's mails and those of sign-in, the newest first.

        Scope: `jobs.view`.
        """
        return Pages(
            lambda after: self._ask(Outbox, "GET", "/mails", query={"state": state, "limit": limit, "after": after}),
            after,
        )

    def get_mail(self, mail: int) -> OutboxMailDetail:
        """A mail with its text. What opens the office is told only to keys that may change accounts.

        Scope: `jobs.view`.
        """
        return self._ask(OutboxMailDetail, "GET", f"/mails/{_part(mail)}")

    def send_mail_again(self, mail: int, *, preview: bool = False, idempotency_key: str | None = None) -> OutboxMail:
        """Try a mail again that failed, was caught, or may have got lost.

        Scope: `jobs.retry`.
        """
        return self._ask(
            OutboxMail,
            "POST",
            f"/mails/{_part(mail)}/send_again",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_mailboxes(self, *, limit: int = 100, after: str = "") -> Pages[Mailboxes, MailboxOut]:
        """Mailboxes, in the order in which they were made, and how the last look into each went.

        Scope: `settings.view`.
        """
        return Pages(
            lambda after: self._ask(Mailboxes, "GET", "/mailboxes", query={"limit": limit, "after": after}), after
        )

    def create_mailbox(
        self,
        *,
        host: str,
        user: str,
        password: str,
        purpose: Literal["usage", "tickets"] | Omit = OMIT,
        supplier: str | None | Omit = OMIT,
        queue: int | None | Omit = OMIT,
        port: int | Omit = OMIT,
        security: Literal["none", "starttls", "tls"] | Omit = OMIT,
        folder: str | Omit = OMIT,
        archive: str | Omit = OMIT,
        not_before: Day | None | Omit = OMIT,
        senders: Sequence[str] | Omit = OMIT,
        strangers: Literal["ignore", "leave", "collect"] | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> MailboxOut:
        """Look into a folder of an IMAP account every minute, from now on.

        Each attachment of a mail from one of the senders is loaded as a usage file of the supplier, as if it had
        been uploaded; or each mail is a ticket. Whether the account can be reached says `try_mailbox`.

        Scope: `settings.change`.
        """
        return self._ask(
            MailboxOut,
            "POST",
            "/mailboxes",
            body={
                "purpose": purpose,
                "supplier": supplier,
                "queue": queue,
                "host": host,
                "port": port,
                "security": security,
                "user": user,
                "password": password,
                "folder": folder,
                "archive": archive,
                "not_before": not_before,
                "senders": senders,
                "strangers": strangers,
            },
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_mailbox(self, mailbox: int, *, known: MailboxOut | None = None) -> MailboxOut:
        """A mailbox, and how the last look into it went.

        Scope: `settings.view`.
        """
        return self._ask(MailboxOut, "GET", f"/mailboxes/{_part(mailbox)}", known=known)

    def change_mailbox(
        self,
        mailbox: int,
        *,
        supplier: str | None | Omit = OMIT,
        queue: int | None | Omit = OMIT,
        host: str | None | Omit = OMIT,
        port: int | None | Omit = OMIT,
        security: Literal["none", "starttls", "tls"] | None | Omit = OMIT,
        user: str | None | Omit = OMIT,
        password: str | None | Omit = OMIT,
        folder: str | None | Omit = OMIT,
        archive: str | None | Omit = OMIT,
        not_before: Day | None | Omit = OMIT,
        senders: Sequence[str] | None | Omit = OMIT,
        strangers: Literal["ignore", "leave", "collect"] | None | Omit = OMIT,
        active: bool | None | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> MailboxOut:
        """Change a mailbox: the fields that are given. Another host or user asks for the password anew.

        Scope: `settings.change`.

        `if_match`: what `get_mailbox` gave; refused when it has changed since.
        """
        return self._ask(
            MailboxOut,
            "PATCH",
            f"/mailboxes/{_part(mailbox)}",
            body={
                "supplier": supplier,
                "queue": queue,
                "host": host,
                "port": port,
                "security": security,
                "user": user,
                "password": password,
                "folder": folder,
                "archive": archive,
                "not_before": not_before,
                "senders": senders,
                "strangers": strangers,
                "active": active,
            },
            query={"preview": preview},
            if_match=if_match,
        )

    def delete_mailbox(self, mailbox: int, *, preview: bool = False, if_match: Marked | str | None = None) -> None:
        """Look into a mailbox no more. What its mails brought stays, and so do they on the server.

        Scope: `settings.change`.

        `if_match`: what `get_mailbox` gave; refused when it has changed since.
        """
        return self._ask(
            type(None), "DELETE", f"/mailboxes/{_part(mailbox)}", query={"preview": preview}, if_match=if_match
        )

    def try_mailbox(self, mailbox: int, *, idempotency_key: str | None = None) -> Tried:
        """Sign in and look, to see whether it works. Nothing is taken.

        Scope: `settings.change`.
        """
        return self._ask(Tried, "POST", f"/mailboxes/{_part(mailbox)}/try", idempotency_key=idempotency_key)

    def look_into_mailbox(
        self, mailbox: int, *, preview: bool = False, idempotency_key: str | None = None
    ) -> MailboxOut:
        """Let a mailbox be looked into at once. What comes of it tells the list of mails.

        Scope: `jobs.retry`.
        """
        return self._ask(
            MailboxOut,
            "POST",
            f"/mailboxes/{_part(mailbox)}/look",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_incoming_mails(
        self,
        *,
        mailbox: int | None = None,
        state: Literal["taken", "ignored", "refused", "waiting", "failed"] | None = None,
        order: Literal["oldest_first", "newest_first"] = "newest_first",
        limit: int = 100,
        after: str = "",
    ) -> Pages[IncomingMails, Incoming]:
        """The mails that came, and what became of each.

        Scope: `jobs.view`.
        """
        return Pages(
            lambda after: self._ask(
                IncomingMails,
                "GET",
                "/incoming_mails",
                query={"mailbox": mailbox, "state": state, "order": order, "limit": limit, "after": after},
            ),
            after,
        )

    def get_incoming_mail(self, mail: int) -> Incoming:
        """A mail that came, and what became of it.

        Scope: `jobs.view`.
        """
        return self._ask(Incoming, "GET", f"/incoming_mails/{_part(mail)}")

    def take_mail_again(self, mail: int, *, preview: bool = False, idempotency_key: str | None = None) -> Incoming:
        """Try a mail again that failed.

        Scope: `jobs.retry`.
        """
        return self._ask(
            Incoming,
            "POST",
            f"/incoming_mails/{_part(mail)}/take_again",
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def list_users(
        self,
        *,
        role: Literal["admin", "billing", "sales", "lead", "technician", "viewer"] | None = None,
        active: bool | None = None,
        limit: int = 100,
        after: str = "",
    ) -> Pages[Users, UserOut]:
        """Users, in the order in which they were made. They work for all sellers.

        Scope: `settings.view`.
        """
        return Pages(
            lambda after: self._ask(
                Users, "GET", "/users", query={"role": role, "active": active, "limit": limit, "after": after}
            ),
            after,
        )

    def get_user(self, user: int, *, known: UserOut | None = None) -> UserOut:
        """A user.

        Scope: `settings.view`.
        """
        return self._ask(UserOut, "GET", f"/users/{_part(user)}", known=known)

    def change_user(
        self,
        user: int,
        *,
        name: str | None | Omit = OMIT,
        role: Literal["admin", "billing", "sales", "lead", "technician", "viewer"] | None | Omit = OMIT,
        active: bool | None | Omit = OMIT,
        revoke_keys: bool | Omit = OMIT,
        preview: bool = False,
        if_match: Marked | str | None = None,
    ) -> UserOut:
        """Change a user: the fields that are given. One active admin is always left.

        A key reaches only users, and gives only roles, whose permissions it has itself.

        Scope: `accounts.change`.

        `if_match`: what `get_user` gave; refused when it has changed since.
        """
        return self._ask(
            UserOut,
            "PATCH",
            f"/users/{_part(user)}",
            body={"name": name, "role": role, "active": active, "revoke_keys": revoke_keys},
            query={"preview": preview},
            if_match=if_match,
        )

    def reset_second_factor(
        self,
        user: int,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> UserOut:
        """Forget the app, the passkeys and the recovery codes of a user who has lost them, and sign out everywhere.

        Scope: `accounts.change`.

        `if_match`: what `get_user` gave; refused when it has changed since.
        """
        return self._ask(
            UserOut,
            "POST",
            f"/users/{_part(user)}/reset_second_factor",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def list_invitations(self, *, limit: int = 100, after: str = "") -> Pages[Invitations, InvitationOut]:
        """The invitations that can still be accepted, the newest first.

        Scope: `settings.view`.
        """
        return Pages(
            lambda after: self._ask(Invitations, "GET", "/invitations", query={"limit": limit, "after": after}), after
        )

    def invite_user(
        self,
        *,
        email: str,
        role: Literal["admin", "billing", "sales", "lead", "technician", "viewer"],
        name: str | Omit = OMIT,
        language: Literal["en", "de", "sv"] | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> InvitationMade:
        """Invite somebody by mail. The link makes the user, once, within seven days; it is told this once.

        An earlier invitation of the address ends. A key gives only roles whose permissions it has itself.

        Scope: `accounts.change`.
        """
        return self._ask(
            InvitationMade,
            "POST",
            "/invitations",
            body={"email": email, "role": role, "name": name, "language": language},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def withdraw_invitation(self, invitation: int, *, preview: bool = False) -> None:
        """Make an invitation's link useless.

        Scope: `accounts.change`.
        """
        return self._ask(type(None), "DELETE", f"/invitations/{_part(invitation)}", query={"preview": preview})

    def list_keys(self, *, limit: int = 100, after: str = "") -> Pages[Keys, KeyOut]:
        """Keys, also those that are revoked or expired, in the order in which they were made.

        Scope: `settings.view`.
        """
        return Pages(lambda after: self._ask(Keys, "GET", "/keys", query={"limit": limit, "after": after}), after)

    def create_key(
        self,
        *,
        name: str,
        scopes: Sequence[
            Literal[
                "customers.view",
                "tariffs.view",
                "contracts.view",
                "usage.view",
                "desk.view",
                "billing.view",
                "documents.view",
                "control.view",
                "settings.view",
                "jobs.view",
                "log.view",
                "customers.change",
                "tariffs.change",
                "contracts.change",
                "usage.change",
                "desk.change",
                "time.approve",
                "sales.change",
                "billing.run",
                "documents.credit",
                "documents.send",
                "payments.change",
                "control.change",
                "settings.change",
                "accounts.change",
                "keys.change",
                "webhooks.change",
                "jobs.retry",
            ]
        ],
        expires_at: Moment | None | Omit = OMIT,
        preview: bool = False,
        idempotency_key: str | None = None,
    ) -> KeyMade:
        """Make a key. Its secret is told this once; the same request with the same `Idempotency-Key` tells it again.

        A key gives only scopes that it has itself.

        Scope: `keys.change`.
        """
        return self._ask(
            KeyMade,
            "POST",
            "/keys",
            body={"name": name, "scopes": scopes, "expires_at": expires_at},
            query={"preview": preview},
            idempotency_key=idempotency_key,
        )

    def get_key(self, key: int, *, known: KeyOut | None = None) -> KeyOut:
        """A key.

        Scope: `settings.view`.
        """
        return self._ask(KeyOut, "GET", f"/keys/{_part(key)}", known=known)

    def revoke_key(
        self,
        key: int,
        *,
        preview: bool = False,
        if_match: Marked | str | None = None,
        idempotency_key: str | None = None,
    ) -> KeyOut:
        """Make a key useless from now on.

        Scope: `keys.change`.

        `if_match`: what `get_key` gave; refused when it has changed since.
        """
        return self._ask(
            KeyOut,
            "POST",
            f"/keys/{_part(key)}/revoke",
            query={"preview": preview},
            if_match=if_match,
            idempotency_key=idempotency_key,
        )

    def list_jobs(
        self,
        *,
        state: Literal["todo", "doing", "succeeded", "failed", "cancelled", "aborted"] | None = None,
        limit: int = 100,
        after: str = "",
    ) -> Pages[Jobs, JobOut]:
        """Jobs of all sellers, the newest first. Done ones are forgotten after some days.

        Scope: `jobs.view`.
        """
        return Pages(
            lambda after: self._ask(Jobs, "GET", "/jobs", query={"state": state, "limit": limit, "after": after}), after
        )

    def get_job(self, job: int) -> JobOut:
        """A job.

        Scope: `jobs.view`.
        """
        return self._ask(JobOut, "GET", f"/jobs/{_part(job)}")

    def retry_job(self, job: int, *, preview: bool = False, idempotency_key: str | None = None) -> JobOut:
        """Try a failed job again, now.

        Scope: `jobs.retry`.
        """
        return self._ask(
            JobOut, "POST", f"/jobs/{_part(job)}/retry", query={"preview": preview}, idempotency_key=idempotency_key
        )

    def cancel_job(self, job: int, *, preview: bool = False, idempotency_key: str | None = None) -> JobOut:
        """Take back a job that has not begun.

        Scope: `jobs.retry`.
        """
        return self._ask(
            JobOut, "POST", f"/jobs/{_part(job)}/cancel", query={"preview": preview}, idempotency_key=idempotency_key
        )

    def list_log(
        self,
        *,
        subject: str | None = None,
        contract: str | None = None,
        customer: str | None = None,
        tariff: str | None = None,
        supplier: str | None = None,
        action: str | None = None,
        actor: str | None = None,
        order: Literal["oldest_first", "newest_first"] = "oldest_first",
        limit: int = 100,
        after: str = "",
    ) -> Pages[Log, LogEntryOut]:
        """The log of all sellers. It is only ever appended to, and each entry is chained to the one before by its
        hash.

        `contract`, `customer`, `tariff`, `supplier`: the history of one of the seller's, instead of a `subject`.

        Scope: `log.view`.
        """
        return Pages(
            lambda after: self._ask(
                Log,
                "GET",
                "/log",
                query={
                    "subject": subject,
                    "contract": contract,
                    "customer": customer,
                    "tariff": tariff,
                    "supplier": supplier,
                    "action": action,
                    "actor": actor,
                    "order": order,
                    "limit": limit,
                    "after": after,
                },
            ),
            after,
        )

    def prove_log(self) -> ProofOut:
        """Work out the hash of every entry again, and its link to the one before.

        It reads the whole log: some seconds for a hundred thousand entries. `hash` is that of the last entry: kept
        elsewhere, it shows later that nothing before it was changed.

        Scope: `log.view`.
        """
        return self._ask(ProofOut, "GET", "/log/proof")
