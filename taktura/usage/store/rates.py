"""Rates in the mass: taking them into the register, and giving records the rate that it names now, in sets."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from taktura.core.exchange import Rate
from taktura.kit.actor import Actor
from taktura.kit.bulk import copy_rows
from taktura.usage.models import UsageException, UsageRecord
from taktura.usage.store.match import fill_rates, touch_contracts

MAX_TOLD = 50  # corrected rates that are told with their old value

_AGAIN = """
CREATE TEMP TABLE usage_converted ON COMMIT DROP AS
SELECT r.id, c.contract_id, r.day, r.end_day, r.rate_to, x.day AS rate_day, x.rate_over, x.rate_under
FROM usage_usagerecord r JOIN usage_candidates c ON c.id = r.id
JOIN usage_rates x ON x.source = r.currency AND x.target = c.currency
    AND x.wanted = CASE WHEN c.conversion = 'month' THEN date_trunc('month', r.day)::date ELSE r.day END
WHERE (r.rate_over * x.rate_under, r.rate_day) IS DISTINCT FROM (x.rate_over * r.rate_under, x.day)
"""


@dataclass(slots=True)
class Taken:
    """What became of rates: how many are `new`, `changed` (with some of them: from, to, day, old, new), or `same`."""

    new: int = 0
    changed: int = 0
    same: int = 0
    corrected: list[list[str]] = field(default_factory=list)


def take_rates(actor: Actor, rates: Iterable[Rate], *, seller: int, source: str) -> Taken:
    """Take rates into a seller's register; one of a day that is there is replaced."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS usage_newrates")
        cursor.execute(
            """CREATE TEMP TABLE usage_newrates (base text, quote text, day date, rate numeric,
                   PRIMARY KEY (base, quote, day)) ON COMMIT DROP"""
        )
        copy_rows("usage_newrates", ("base", "quote", "day", "rate"), rates)
        cursor.execute("ANALYZE usage_newrates")
        same_day = "e.seller_id = %s AND e.base = n.base AND e.quote = n.quote AND e.day = n.day"
        cursor.execute(
            f"""SELECT count(*) FILTER (WHERE e.id IS NULL), count(*) FILTER (WHERE e.rate <> n.rate), count(*)
                FROM usage_newrates n LEFT JOIN usage_exchangerate e ON {same_day}""",
            [seller],
        )
        new, changed, all_of_them = cursor.fetchone()
        cursor.execute(
            f"""SELECT n.base, n.quote, n.day::text, e.rate::text, n.rate::text
                FROM usage_newrates n JOIN usage_exchangerate e ON {same_day}
                WHERE e.rate <> n.rate ORDER BY n.day DESC, n.base, n.quote LIMIT {MAX_TOLD}""",
            [seller],
        )
        corrected = [list(row) for row in cursor.fetchall()]
        cursor.execute(
            """INSERT INTO usage_exchangerate AS e (seller_id, base, quote, day, rate, source, changed_at, by)
               SELECT %s, base, quote, day, rate, %s, %s, %s FROM usage_newrates
               ON CONFLICT (seller_id, base, quote, day) DO UPDATE SET rate = EXCLUDED.rate, source = EXCLUDED.source,
                   changed_at = EXCLUDED.changed_at, by = EXCLUDED.by WHERE e.rate <> EXCLUDED.rate""",
            [seller, source, actor.now, actor.name],
        )
    return Taken(new, changed, all_of_them - new - changed, corrected)


@dataclass(slots=True)
class Again:
    """Records that another rate is named for now: how many, of which contracts, on which days (`end` exclusive)."""

    records: int = 0
    contracts: set[int] = field(default_factory=set)
    first: date | None = None
    end: date | None = None


def to_convert(*, seller: int, source: str, target: str, first: date, end: date, closed_until: date | None) -> Again:
    """The converted records of `[first, end)` for which the register names another rate now than they have.

    Those in closed periods are left out, and those of contracts that allow no conversion any more. They stay in a table
    of the transaction for `convert`.
    """
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS usage_candidates, usage_rates, usage_converted")
        cursor.execute(
            """CREATE TEMP TABLE usage_candidates ON COMMIT DROP AS
               SELECT r.id, c.id AS contract_id, c.currency, c.conversion
               FROM usage_usagerecord r JOIN contracts_contractline l ON l.id = r.line_id
               JOIN contracts_contract c ON c.id = l.contract_id
               WHERE r.seller_id = %s AND r.currency = %s AND r.rate_to = %s AND c.currency = %s AND r.day >= %s
                   AND r.day < %s AND r.day >= %s""",
            [seller, source, target, target, first, end, closed_until or date.min],
        )
        cursor.execute("ANALYZE usage_candidates")
        fill_rates(cursor, "usage_usagerecord", "")
        cursor.execute(_AGAIN)
        cursor.execute("SELECT count(*), array_agg(DISTINCT contract_id), min(day), max(end_day) FROM usage_converted")
        records, contracts, since, until = cursor.fetchone()
    return Again(records, set(contracts or ()), since, until)


def convert(actor: Actor) -> None:
    """Give the records that `to_convert` found the rate that the register names now. What they were stays in their
    history; their contracts are told, the differences come with the next bills."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO usage_usagehistory
                   (seller_id, source, external_id, revision, line, revised, replaced, withdrawn, replaced_at, record)
               SELECT r.seller_id, r.source, r.external_id, r.revision, r.line_id, r.revised, nextval('usage_mark'),
                   FALSE, %s, to_jsonb(r)
               FROM usage_usagerecord r JOIN usage_converted n ON n.id = r.id""",
            [actor.now],
        )
        cursor.execute(
            """UPDATE usage_usagerecord r SET rate_day = n.rate_day, rate_over = n.rate_over,
                   rate_under = n.rate_under, revised = nextval('usage_mark')
               FROM usage_converted n WHERE n.id = r.id"""
        )
        touch_contracts(cursor, actor.now, "SELECT contract_id, min(day), max(end_day) FROM usage_converted GROUP BY 1")


def waiting_for_rate(seller: int) -> QuerySet[UsageRecord]:
    """The records that wait because there is no rate for their day."""
    waiting = UsageException.objects.filter(record=OuterRef("pk"), reason="no_rate")
    return UsageRecord.objects.filter(Exists(waiting), seller=seller)
