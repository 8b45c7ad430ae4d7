"""Usage sent one by one or in batches: for a contract's article or key (R6.1)."""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.contracts.models import Contract
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.core.money import EXACT
from taktura.core.periods import DAY
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.exact import number, to_json
from taktura.usage.store import Outcome, take_in, withdraw

MAX_BATCH = 10_000
MAX_REVISION = 2**31 - 1
FIELDS = frozenset(
    [
        "contract",
        "article",
        "key",
        "quantity",
        "duration",
        "at",
        "from",
        "until",
        "id",
        "source",
        "revision",
        "cost",
        "price",
        "attributes",
    ]
)
DEFAULT_SOURCE = "usage"


@act
def record_usage(actor: Actor, *, seller: Seller, entries: Sequence[Mapping[str, Any]]) -> Outcome:
    """Record usage for contracts' lines; each entry has the fields of the scenario verb `usage`.

    `at` defaults to the instant of the act; an id is made up where none is given. What finds no line waits. Raises
    `Refused`: `invalid` for an entry that cannot be read, `closed_period` for a correction of closed usage.
    """
    if len(entries) > MAX_BATCH:
        raise Refused("invalid", "At most %(count)s records at a time.", count=MAX_BATCH)
    keys = {str(e.get("contract")) for e in entries}
    contracts = dict(Contract.objects.filter(customer__seller=seller, key__in=keys).values_list("key", "pk"))
    zone = ZoneInfo(seller.time_zone)
    rows = [_row(entry, contracts, zone, actor) for entry in entries]
    outcome = take_in(actor, rows, seller=seller.pk, strict=True)
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
    return outcome


@act
def withdraw_usage(actor: Actor, *, seller: Seller, external_id: str, source: str = DEFAULT_SOURCE) -> set[int]:
    """Withdraw a record (R12.2); gives its contracts. Raises `Refused`: `not_found`, `closed_period`."""
    read_again(seller)
    contracts = withdraw(
        actor, seller=seller.pk, source=source, external_id=external_id, closed_until=seller.closed_until
    )
    record(actor, "withdraw_usage", f"seller:{seller.pk}", {"source": source, "id": external_id})
    return contracts


def _row(entry: Mapping[str, Any], contracts: Mapping[str, int], zone: ZoneInfo, actor: Actor) -> tuple[Any, ...]:
    unknown = set(entry) - FIELDS
    if unknown:
        raise Refused("invalid", "A usage record has no field “%(field)s”.", field=sorted(unknown)[0])
    article, key = entry.get("article"), entry.get("key")
    if (article is None) == (key is None):
        raise Refused("invalid", "A usage record names either an article or a key.")
    quantity = _number(entry, "quantity")
    seconds = _seconds(entry)
    if quantity is None and seconds is None and _number(entry, "cost") is None:
        raise Refused("invalid", "A usage record has a quantity or a duration.")
    at, day, end_day, is_span = when(entry.get("from", entry.get("at")), entry.get("until"), zone, actor.now)
    cost, price = _number(entry, "cost"), _number(entry, "price")
    times = quantity if quantity is not None else Decimal(1)
    cost_amount = EXACT.multiply(cost, times) if cost is not None else None
    amount = EXACT.multiply(price, times) if price is not None else None
    source = str(entry.get("source") or DEFAULT_SOURCE)
    external_id = str(entry["id"]) if entry.get("id") is not None else uuid.uuid4().hex
    revision = _revision(entry)
    attributes = to_json(entry.get("attributes")) if entry.get("attributes") else None
    content = [
        entry.get("contract"),
        article,
        key,
        at,
        day,
        end_day,
        quantity,
        seconds,
        cost_amount,
        amount,
        attributes,
    ]
    return (
        source,
        external_id,
        revision if revision is not None else 1,
        revision is not None,
        digest(content),
        contracts.get(str(entry.get("contract"))),
        str(article if article is not None else key),
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
        False,
        json.dumps(attributes) if attributes is not None else None,
        None,
        None,
        False,
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
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime.combine(value, time(0), zone)
    raise Refused("invalid", "“%(value)s” is no date or timestamp.", value=value)


def _number(entry: Mapping[str, Any], name: str) -> Decimal | None:
    value = entry.get(name)
    if value is None:
        return None
    return number(value, name)


def _revision(entry: Mapping[str, Any]) -> int | None:
    revision = _number(entry, "revision")
    if revision is None:
        return None
    if revision != int(revision) or not 0 <= revision <= MAX_REVISION:
        raise Refused("invalid", "A revision is a whole number, at most %(most)s.", most=MAX_REVISION)
    return int(revision)


def _seconds(entry: Mapping[str, Any]) -> int | None:
    seconds = _number(entry, "duration")
    if seconds is None:
        return None
    if seconds < 0 or seconds != int(seconds):
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
