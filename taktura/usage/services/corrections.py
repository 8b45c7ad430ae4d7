"""Corrections by hand: a record replaced by a higher revision of itself (R12.2). What it was stays in its history."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from taktura.audit.acts import act
from taktura.audit.services import record as note
from taktura.contracts.models import Contract
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.exact import number, to_json
from taktura.usage.models import UsageRecord
from taktura.usage.services.records import MAX_BATCH, MAX_REVISION, digest, when
from taktura.usage.store import Outcome, take_in

AMOUNTS = ("quantity", "cost_amount", "amount")
FIELDS = frozenset([*AMOUNTS, "seconds", "start", "until", "contract", "article", "by_key"])
OWN = frozenset(["contract", "article", "by_key", "seconds"])  # a supplier's row has none of these


@act
def correct_usage(actor: Actor, *, seller: Seller, record: UsageRecord, changes: Mapping[str, Any]) -> Outcome:
    """Replace a record by its next revision with some fields changed: `quantity`, `seconds`, `cost_amount`, `amount`
    (both of all of it), `start` and `until` (exclusive; a date or an instant), `contract`, `article`, `by_key`.

    The difference is billed or credited with the next bill. Raises `Refused`: `not_found`, `invalid`, `closed_period`.
    """
    current = UsageRecord.objects.select_related("contract", "supplier").filter(seller=seller, pk=record.pk).first()
    if current is None:
        raise Refused("not_found", "The record is not there any more: it was withdrawn.")
    outcome = take_in(actor, [_revised(actor, seller, current, changes)], seller=seller.pk, strict=True)
    said = {"source": current.source, "id": current.external_id, "revision": current.revision + 1}
    note(actor, "correct_usage", f"seller:{seller.pk}", said | {"changed": sorted(changes)})
    return outcome


@act
def send_to(
    actor: Actor, *, seller: Seller, records: Iterable[int], contract: Contract | None = None, article: str = ""
) -> Outcome:
    """Send waiting records to another contract or for another article, each as a correction of its own.

    What is not given stays as it was sent. Records of suppliers find their line by their subscription: they are left
    out. Raises `Refused`: `invalid` (nothing given, or too many at once), `closed_period`.
    """
    if contract is None and not article:
        raise Refused("invalid", "Choose a contract or an article.")
    if contract is not None:
        read_again(contract)
    rows = UsageRecord.objects.select_related("contract").filter(
        seller=seller, pk__in=list(records), supplier__isnull=True, line__isnull=True
    )
    found = list(rows.order_by("id")[: MAX_BATCH + 1])
    if len(found) > MAX_BATCH:
        raise Refused("invalid", "At most %(count)s records at a time.", count=MAX_BATCH)
    changes: dict[str, Any] = {"contract": contract} if contract else {}
    changes |= {"article": article, "by_key": False} if article else {}
    outcome = take_in(actor, [_revised(actor, seller, r, changes) for r in found], seller=seller.pk, strict=True)
    to = contract.key if contract else None
    said = {"records": len(found), "contract": to, "article": article or None, "recorded": outcome.recorded}
    note(actor, "send_usage", f"seller:{seller.pk}", said)
    return outcome


def _revised(actor: Actor, seller: Seller, old: UsageRecord, changes: Mapping[str, Any]) -> tuple[Any, ...]:
    """The next revision of a record, as the store takes it in. It stands in no file."""
    unknown = set(changes) - (FIELDS if old.supplier is None else FIELDS - OWN)
    if unknown:
        raise Refused("invalid", "A usage record has no field “%(field)s”.", field=sorted(unknown)[0])
    if old.revision >= MAX_REVISION:
        raise Refused("invalid", "A revision is a whole number, at most %(most)s.", most=MAX_REVISION)
    amounts = {name: _given(changes, name, getattr(old, name)) for name in AMOUNTS}
    seconds = changes.get("seconds", old.seconds)
    if amounts["quantity"] is None and seconds is None and amounts["cost_amount"] is None and amounts["amount"] is None:
        raise Refused("invalid", "A usage record has a quantity or a duration.")
    if seconds is not None and seconds < 0:
        raise Refused("invalid", "A duration is a whole number of seconds, not less than 0.")
    zone = ZoneInfo(old.supplier.time_zone if old.supplier else seller.time_zone)
    times: tuple[datetime, Any, Any, bool] = (old.at, old.day, old.end_day, old.is_span)
    if "start" in changes:
        times = when(changes["start"], changes.get("until"), zone, actor.now)
    at, day, end_day, is_span = times
    contract = changes.get("contract", old.contract)
    article, by_key = changes.get("article", old.article), changes.get("by_key", old.by_key)
    values = (amounts["quantity"], seconds, amounts["cost_amount"], amounts["amount"])
    content = _content(old, contract, article, by_key, (at, day, end_day), values)
    return (
        old.source,
        old.external_id,
        old.revision + 1,
        True,
        digest(content),
        contract.pk if contract else None,
        article,
        by_key,
        old.supplier_id,
        old.subscription,
        old.product,
        at,
        day,
        end_day,
        is_span and seconds is None,
        *values,
        old.discount if (values[2], values[3]) == (old.cost_amount, old.amount) else "",
        old.currency,
        old.priced,
        json.dumps(old.attributes) if old.attributes is not None else None,
        json.dumps(old.numbers) if old.numbers is not None else None,
        None,
        None,
        "" if contract else old.sent_to,
        old.priced and amounts["amount"] is None,
        None,
        None,
    )


def _given(changes: Mapping[str, Any], name: str, old: Decimal | None) -> Decimal | None:
    if name not in changes:
        return old
    return None if changes[name] is None else number(changes[name], name)


def _content(
    old: UsageRecord,
    contract: Contract | None,
    article: str,
    by_key: bool,
    times: tuple[Any, Any, Any],
    values: tuple[Decimal | None, int | None, Decimal | None, Decimal | None],
) -> list[Any]:
    """What the digest is made of: the same as of a record that comes by its own door with this content."""
    quantity, _, cost_amount, amount = values
    if old.supplier is not None:
        return [old.subscription, old.product, *times, quantity, cost_amount, amount, old.currency]
    to = contract.key if contract else old.sent_to or None
    names = (None, article) if by_key else (article, None)
    return [to, *names, *times, *values, to_json(old.attributes) if old.attributes else None]
