"""What waits, in groups that one step can settle: by reason and by what it could not find."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from taktura.usage.models import UsageException

REASONS = (
    "no_subscription",
    "unknown_key",
    "no_contract",
    "before_start",
    "after_end",
    "paused",
    "closed_period",
    "currency",
    "no_rate",
    "invalid",
)
MANY = 10_000  # records of a group that one step takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a group's records have in common. Rows of suppliers: supplier, subscription, and the product where it
    decides; others: the contract (by id, or the key of one that is not there) and the article or key."""

    reason: str
    supplier: int | None = None
    subscription: str = ""
    product: str = ""
    contract: int | None = None
    article: str = ""
    by_key: bool = False
    sent_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group: how many records, the first and last (`end` exclusive) of their days, since when the oldest waits."""

    key: Key
    records: int
    first: date
    end: date
    since: datetime


NAMES = [field.name for field in fields(Key)]
_GROUPS = """
SELECT e.reason, r.supplier_id, r.subscription,
    CASE WHEN e.reason = 'unknown_key' AND r.supplier_id IS NOT NULL THEN r.product ELSE '' END,
    CASE WHEN r.supplier_id IS NULL THEN COALESCE(l.contract_id, r.contract_id) END, r.article, r.by_key, r.sent_to,
    count(DISTINCT r.id), min(e.first), max(e."end"), min(e.since)
FROM usage_usageexception e JOIN usage_usagerecord r ON r.id = e.record_id
LEFT JOIN contracts_contractline l ON l.id = r.line_id
WHERE r.seller_id = %(seller)s {narrow}
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
_TEXT = """ AND (strpos(r.subscription, %(text)s) > 0 OR strpos(r.product, %(text)s) > 0
    OR strpos(lower(r.article), %(text)s) > 0 OR strpos(lower(r.sent_to), %(text)s) > 0)"""


def groups(
    seller: int, *, reason: str = "", supplier: int | None = None, text: str = "", limit: int = 50, offset: int = 0
) -> list[Group]:
    """The groups of a seller's waiting usage: those with the most records first. One query."""
    narrow = " AND e.reason = %(reason)s" if reason else ""
    narrow += " AND r.supplier_id = %(supplier)s" if supplier is not None else ""
    narrow += _TEXT if text else ""
    asked: dict[str, Any] = {"seller": seller, "reason": reason, "supplier": supplier, "limit": limit}
    asked |= {"text": text.strip().casefold(), "offset": offset}
    query = f"{_GROUPS.format(narrow=narrow)} ORDER BY 9 DESC, 1, 2, 3, 4, 5, 6 LIMIT %(limit)s OFFSET %(offset)s"
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        rows = cursor.fetchall()
    size = len(NAMES)
    return [
        Group(
            key=Key(**dict(zip(NAMES, row[:size], strict=True))),
            records=row[size], first=row[size + 1], end=row[size + 2], since=row[size + 3],
        )
        for row in rows
    ]  # fmt: skip


def parts_of(seller: int, key: Key) -> QuerySet[UsageException]:
    """What waits of a group: each record with the days of it that wait."""
    found = UsageException.objects.filter(record__seller=seller, reason=key.reason, record__article=key.article)
    found = found.filter(record__subscription=key.subscription, record__by_key=key.by_key, record__sent_to=key.sent_to)
    if key.supplier is not None:
        found = found.filter(record__supplier=key.supplier)
        return found.filter(record__product=key.product) if key.reason == "unknown_key" else found
    found = found.filter(record__supplier__isnull=True)
    return found.annotate(whose=Coalesce(F("record__line__contract"), F("record__contract"))).filter(
        **({"whose": key.contract} if key.contract is not None else {"whose__isnull": True})
    )


def records_of(seller: int, keys: Sequence[Key]) -> list[int]:
    """The ids of the records of groups, at most `MANY`."""
    found: dict[int, None] = {}
    for key in keys:
        rows = parts_of(seller, key).order_by("record").values_list("record", flat=True)
        found |= dict.fromkeys(rows[: MANY - len(found)])
    return list(found)
