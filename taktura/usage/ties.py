"""What comes with keys: how much and when last; which articles a key that waits may stand for."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from taktura.catalog.models import Article


@dataclass(frozen=True, slots=True)
class Seen:
    """What came with a key: how many records since a day, and the day of the last of all (None: none ever)."""

    records: int
    last: date | None


@dataclass(frozen=True, slots=True)
class Choice:
    """An article that a waiting key may stand for: how many of its waiting records, of how many contracts, have a line
    of it."""

    article: Article
    contracts: int
    records: int


def seen(seller: int, keys: Sequence[str], since: date) -> dict[str, Seen]:
    """What came with each of some keys; one query, by an index."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT k, (SELECT count(*) FROM usage_usagerecord r WHERE r.seller_id = %(seller)s AND r.by_key
                   AND r.article = k AND r.day >= %(since)s),
               (SELECT max(r.day) FROM usage_usagerecord r WHERE r.seller_id = %(seller)s AND r.by_key
                   AND r.article = k)
               FROM unnest(%(keys)s::text[]) k""",
            {"seller": seller, "keys": list(keys), "since": since},
        )
        return {key: Seen(int(number), last) for key, number, last in cursor.fetchall()}


def choices(seller: int, keys: Sequence[str]) -> dict[str, list[Choice]]:
    """For keys with which usage waits that nobody knows: the articles of usage lines of the contracts it was sent to,
    those with the most records first; two queries."""
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH waits AS (
                   SELECT r.article AS key, r.contract_id, count(DISTINCT r.id) AS records
                   FROM usage_usageexception e JOIN usage_usagerecord r ON r.id = e.record_id
                   WHERE r.seller_id = %(seller)s AND r.by_key AND r.supplier_id IS NULL AND e.reason = 'unknown_key'
                       AND r.article = ANY(%(keys)s) GROUP BY 1, 2)
               SELECT w.key, l.article_id, count(*), sum(w.records) FROM waits w
               JOIN (SELECT DISTINCT contract_id, article_id FROM contracts_contractline WHERE charge = 'usage') l
                   ON l.contract_id = w.contract_id
               GROUP BY 1, 2 ORDER BY 1, 4 DESC, 2""",
            {"seller": seller, "keys": list(keys)},
        )
        rows = cursor.fetchall()
    articles = Article.objects.in_bulk({row[1] for row in rows})
    found: dict[str, list[Choice]] = defaultdict(list)
    for key, article, contracts, records in rows:
        found[key].append(Choice(articles[article], int(contracts), int(records)))
    return dict(found)


def waiting_with(seller: int, key: str) -> Choice | None:
    """How many records wait because nobody knows a key, of how many contracts, without an article; None: none."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(DISTINCT r.contract_id), count(DISTINCT r.id)
               FROM usage_usageexception e JOIN usage_usagerecord r ON r.id = e.record_id
               WHERE r.seller_id = %s AND r.by_key AND r.article = %s AND e.reason = 'unknown_key'""",
            [seller, key],
        )
        contracts, records = cursor.fetchone()
    return Choice(Article(), contracts, records) if records else None
