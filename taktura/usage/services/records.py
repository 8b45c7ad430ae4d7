"""Usage sent one by one or in batches: for a contract's article or key (R6.1)."""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.core.money import EXACT
from taktura.core.periods import DAY
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.exact import number, to_json
from taktura.usage.models import UsageRecord
from taktura.usage.overlay import Reading
from taktura.usage.reader import NUMBERS_OF_CALLS
from taktura.usage.store import Outcome, take_in, withdraw

MAX_BATCH = 10_000
MAX_REVISION = 2**31 - 1
MAX_SECONDS = 10**12
MAX_ATTRIBUTES = 10_000  # characters of their JSON
DEFAULT_SOURCE = "usage"
FIRST_YEAR, LAST_YEAR = 1900, 2199
CLOSED = Refused("closed_period", "The record lies in a closed period: it can be neither corrected nor withdrawn.")

_LINE = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=_LINE)]


class Entry(Struct, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A record as it is sent, with the fields of the scenario verb `usage`: what and whose, how much, when.

    `duration` is in whole seconds, `cost` and `price` are for one unit, `until` is exclusive. `id` is made up where
    none is given. `at` and `from` mean the same: the instant, or the first of a span.
    """

    contract: Name | None = None
    article: Name | None = None
    key: Name | None = None
    quantity: Decimal | None = None
    duration: Decimal | None = None
    at: Any = None
    from_: Any = None
    until: Any = None
    id: Annotated[str, Meta(min_length=1, max_length=300, pattern=_LINE)] | None = None
    source: Name | None = None
    revision: Decimal | None = None
    cost: Decimal | None = None
    price: Decimal | None = None
    attributes: dict[str, Any] | None = None


FIELDS = frozenset(Entry.__struct_encode_fields__)
TEXTS = ("contract", "article", "key", "id", "source")
NUMBERS = ("quantity", "duration", "revision", "cost", "price")


def entry_of(fields: Mapping[str, Any]) -> Entry:
    """A record from the fields of the verb. Raises `Refused` (`invalid`)."""
    unknown = set(fields) - FIELDS
    if unknown:
        raise Refused("invalid", "A usage record has no field “%(field)s”.", field=sorted(unknown)[0])
    given: dict[str, Any] = {("from_" if k == "from" else k): v for k, v in fields.items() if v is not None}
    given |= {name: number(given[name], name) for name in NUMBERS if name in given}
    return Entry(**given | {name: str(given[name]) for name in TEXTS if name in given})


@act
def record_usage(actor: Actor, *, seller: Seller, entries: Sequence[Mapping[str, Any]]) -> Outcome:
    """Record usage for contracts' lines; each entry has the fields of the scenario verb `usage`.

    `at` defaults to the instant of the act; an id is made up where none is given. What finds no line waits. Raises
    `Refused`: `invalid` for an entry that cannot be read, `closed_period` for a correction of closed usage.
    """
    _check_number(entries)
    read = [entry_of(entry) for entry in entries]
    contracts = _contracts(seller, read)
    zone = ZoneInfo(seller.time_zone)
    outcome = take_in(actor, [_row(e, contracts, zone, actor) for e in read], seller=seller.pk, strict=True)
    _record(actor, seller, outcome)
    return outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one record: `recorded`, `duplicate`, `conflict` (another content under the same id), `waiting`
    with its `reasons`, or `refused`. A record that lies partly outside is recorded, with reasons for the rest."""

    verdict: str
    source: str = ""
    id: str = ""
    reasons: tuple[str, ...] = ()
    refusal: Refused | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A record that could not be read, with its names as far as they could be."""

    refusal: Refused
    source: str = ""
    id: str = ""


@act
def record_each(actor: Actor, *, seller: Seller, entries: Sequence[Entry | Unread]) -> tuple[Outcome, list[Verdict]]:
    """Record usage like `record_usage`, with a verdict for each record, in their order; none stops another.

    One that could not even be read by the caller comes as `Unread`. Raises `Refused` (`invalid`) for too many.
    """
    _check_number(entries)
    contracts = _contracts(seller, [e for e in entries if isinstance(e, Entry)])
    zone = ZoneInfo(seller.time_zone)
    verdicts: list[Verdict | None] = []
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        try:
            if isinstance(entry, Unread):
                raise entry.refusal
            rows.append(_row(entry, contracts, zone, actor))
            verdicts.append(None)
        except Refused as refusal:
            verdicts.append(Verdict("refused", entry.source or DEFAULT_SOURCE, entry.id or "", (), refusal))
    outcome = take_in(actor, rows, seller=seller.pk, strict=False, each=True)
    taken = iter(zip(rows, outcome.each, strict=True))
    found = [verdict or _verdict(*next(taken)) for verdict in verdicts]
    _record(actor, seller, outcome)
    return outcome, found


def _verdict(row: tuple[Any, ...], taken: tuple[str, bool, list[str]]) -> Verdict:
    state, matched, reasons = taken
    source, external_id = row[0], row[1]
    if state == "closed":
        return Verdict("refused", source, external_id, (), CLOSED)
    verdict = state if state != "stored" else "recorded" if matched else "waiting"
    return Verdict(verdict, source, external_id, tuple(reasons))


def _check_number(entries: Sequence[Any]) -> None:
    if len(entries) > MAX_BATCH:
        raise Refused("invalid", "At most %(count)s records at a time.", count=MAX_BATCH)


def _contracts(seller: Seller, entries: Iterable[Entry]) -> dict[str, int]:
    """The contracts that records name."""
    keys = {e.contract for e in entries if e.contract is not None}
    found = Contract.objects.filter(seller=seller, key__in=keys) if keys else Contract.objects.none()
    return dict(found.values_list("key", "pk"))


def _record(actor: Actor, seller: Seller, outcome: Outcome) -> None:
    if outcome.recorded or outcome.exceptions:
        record(
            actor,
            "record_usage",
            f"seller:{seller.pk}",
            {
                "recorded": outcome.recorded,
                "duplicates": outcome.duplicates,
                "conflicts": outcome.conflicts,
                "waiting": len(outcome.exceptions),
            },
        )


@act
def withdraw_usage(actor: Actor, *, seller: Seller, external_id: str, source: str = DEFAULT_SOURCE) -> set[int]:
    """Withdraw a record (R12.2); gives its contracts. Raises `Refused`: `not_found`, `closed_period`."""
    read_again(seller)
    contracts = withdraw(
        actor, seller=seller.pk, source=source, external_id=external_id, closed_until=seller.closed_until
    )
    record(actor, "withdraw_usage", f"seller:{seller.pk}", {"source": source, "id": external_id})
    return contracts


def _row(entry: Entry, contracts: Mapping[str, int], zone: ZoneInfo, actor: Actor) -> tuple[Any, ...]:
    article, key = entry.article, entry.key
    if (article is None) == (key is None):
        raise Refused("invalid", "A usage record names either an article or a key.")
    quantity, cost, price = (
        _number(entry.quantity, "quantity"),
        _number(entry.cost, "cost"),
        _number(entry.price, "price"),
    )
    seconds = _seconds(entry)
    if quantity is None and seconds is None and cost is None:
        raise Refused("invalid", "A usage record has a quantity or a duration.")
    at, day, end_day, is_span = when(entry.at if entry.from_ is None else entry.from_, entry.until, zone, actor.now)
    cost_amount, amount = _times(cost, quantity), _times(price, quantity)
    revision = _revision(entry)
    attributes = _attributes(entry)
    content = [entry.contract, article, key, at, day, end_day, quantity, seconds, cost_amount, amount, attributes]
    return (
        entry.source or DEFAULT_SOURCE,
        entry.id if entry.id is not None else uuid.uuid4().hex,
        revision if revision is not None else 1,
        revision is not None,
        digest(content),
        contracts.get(entry.contract) if entry.contract is not None else None,
        article if article is not None else key,
        key is not None,
        None,
        "",
        "",
        at,
        day,
        end_day,
        is_span and seconds is None,
        quantity,
        seconds,
        cost_amount,
        amount,
        "",
        "",
        False,
        json.dumps(attributes) if attributes is not None else None,
        numbers_of(attributes, NUMBERS_OF_CALLS),
        None,
        None,
        "" if entry.contract is None or entry.contract in contracts else entry.contract,
        False,
        None,
        None,
    )


def _times(each: Decimal | None, quantity: Decimal | None) -> Decimal | None:
    if each is None:
        return None
    return EXACT.multiply(each, quantity if quantity is not None else Decimal(1))


def _attributes(entry: Entry) -> Any:
    if not entry.attributes:
        return None
    found = to_json(entry.attributes)
    text = json.dumps(found)
    if len(text) > MAX_ATTRIBUTES or "\\u0000" in text.replace("\\\\", ""):
        raise Refused("invalid", "The attributes of a usage record are too long, or hold the character NUL.")
    return found


def numbers_of(attributes: Mapping[str, Any] | None, names: Sequence[str]) -> str | None:
    """Those of the attributes named that a record has, as JSON: they are telephone numbers."""
    if not attributes:
        return None
    found = [name for name in names if name in attributes]
    return json.dumps(found) if found else None


def plan_record(actor: Actor, *, contract: Contract, entry: Mapping[str, Any]) -> Reading:
    """A record of an instant for an article of a contract as its sums would take it; nothing is written.

    Refuses an entry as `record_usage` does, and (`invalid`) one with a key or a span.
    """
    seller = contract.customer.seller
    read, zone = entry_of(entry), ZoneInfo(seller.time_zone)
    if read.article is None or read.until is not None:
        raise Refused("invalid", "Only a record of an instant for an article can be looked at beforehand.")
    _row(read, {}, zone, actor)
    at, day, _, _ = when(read.at if read.from_ is None else read.from_, None, zone, actor.now)
    article = read.article
    lines = ContractLine.objects.filter(contract=contract, article__key=article).values("pk")
    later = UsageRecord.objects.filter(line__in=lines, day__gte=day, at__gt=at).exists()
    return Reading(
        article=article,
        day=day,
        quantity=read.quantity,
        seconds=_seconds(read),
        cost=_times(read.cost, read.quantity),
        amount=_times(read.price, read.quantity),
        newest=not later,
    )


def when(start: Any, end: Any, zone: ZoneInfo, now: datetime) -> tuple[datetime, date, date, bool]:
    """The instant, first local day, end day (exclusive) of a record, and whether it has a span (R2.2).

    `end` is exclusive; a date stands for its midnight.
    """
    at = _instant(start, zone) if start is not None else now
    day = at.astimezone(zone).date()
    if end is None:
        return at, day, day + DAY, False
    until = _instant(end, zone).astimezone(zone)
    if until <= at:
        raise Refused("invalid", "A usage record must end after it begins.")
    last = until.date() if until.timetz().replace(tzinfo=None) == time(0) else until.date() + timedelta(days=1)
    return at, day, max(last, day + DAY), True


def _instant(value: Any, zone: ZoneInfo) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(0), zone)
    if not isinstance(value, datetime) or not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise Refused("invalid", "A usage record needs a day or a moment as in 2026-01-31T12:00:00+01:00.")
    return value if value.tzinfo else value.replace(tzinfo=zone)


def _number(value: Decimal | None, name: str) -> Decimal | None:
    return None if value is None else number(value, name)


def _revision(entry: Entry) -> int | None:
    revision = _number(entry.revision, "revision")
    if revision is None:
        return None
    if revision != int(revision) or not 0 <= revision <= MAX_REVISION:
        raise Refused("invalid", "A revision is a whole number, at most %(most)s.", most=MAX_REVISION)
    return int(revision)


def _seconds(entry: Entry) -> int | None:
    seconds = _number(entry.duration, "duration")
    if seconds is None:
        return None
    if not 0 <= seconds <= MAX_SECONDS or seconds != int(seconds):
        raise Refused("invalid", "A duration is a whole number of seconds, not less than 0.")
    return int(seconds)


def digest(content: Any) -> str:
    """A short hash of a record's content, to tell a duplicate from a conflict; equal numbers are equal."""
    parts = []
    for value in content:
        if type(value) is str:
            parts.append(f"{len(value)}:{value}")  # with its length, so that no two contents give one text
        elif isinstance(value, Decimal):
            parts.append(f"{value.normalize(EXACT):f}" if value else "0")
        elif value is None:
            parts.append("-")
        elif isinstance(value, date):
            parts.append(value.isoformat())
        else:
            parts.append(json.dumps(to_json(value), sort_keys=True))
    return hashlib.md5("|".join(parts).encode(), usedforsecurity=False).hexdigest()
