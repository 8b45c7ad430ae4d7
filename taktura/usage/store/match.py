"""Matching records to contract lines, in sets (R6.5, R17.1).

A supplier's row finds its line by supplier and subscription, and by product too where several lines carry that
subscription; another record by its contract and article or key; a key that is tied to an article stands for that
too. What finds none, or lies outside the line's life, waits with its reason. Usage of a contract that was transferred
to another customer is that customer's from the day of the transfer on.
"""

from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from taktura.kit.actor import Actor
from taktura.usage.marks import MARK, wake
from taktura.usage.models import UsageRecord

MATCHED = "usage_matched"
RATE = ("rate_day", "rate_over", "rate_under", "rate_to")
# What matching says of a row that is stored; what waits has no rate.
FOUND = {"line_id": "m.line_id"} | {name: f"CASE WHEN m.line_id IS NOT NULL THEN m.{name} END" for name in RATE}
# What waits again keeps its rate: it comes back with the same one.
_KEPT = ", ".join(f"{name} = CASE WHEN m.line_id IS NULL THEN r.{name} ELSE m.{name} END" for name in RATE)

_LIFE = """
SELECT l.id AS line_id, l.contract_id, l.charge, a.key AS article, c.currency, c.conversion,
    GREATEST(l.start, c.start, COALESCE(c.billed_until, c.start)) AS first,
    LEAST(COALESCE(l."end", 'infinity'), COALESCE(c."end", 'infinity')) AS stop,
    EXISTS (SELECT FROM contracts_pause p WHERE p.contract_id = c.id) AS pauses
FROM contracts_contractline l
JOIN contracts_contract c ON c.id = l.contract_id JOIN catalog_article a ON a.id = l.article_id
"""

# Of many rows ties and candidates are tables of their own, each analyzed: of a part of one query the planner could not
# tell how large it is. Of a few they are parts of one query: making and analyzing tables takes longer than matching.
FEW = 200

# The lines that the subscriptions wanted are tied to, and how many each has; `goes_on`: after a transfer, with a line
# that the subscription is tied to as well; `tied` to `untied`: the days on which usage begins that the tie holds for.
_TIES = """
WITH life AS NOT MATERIALIZED ({life})
SELECT w.supplier_id, w.subscription, count(*) OVER (PARTITION BY s.id) AS lines, EXISTS (
        SELECT 1 FROM usage_subscriptionlink b WHERE b.subscription_id = s.id AND b.line_id = l.transferred_from_id
    ) AS goes_on,
    COALESCE(k.first, '-infinity') AS tied, COALESCE(k."end", 'infinity') AS untied, l.article_id,
    life.line_id, life.contract_id, life.charge, life.article, life.currency, life.conversion,
    GREATEST(life.first, k.first) AS first, LEAST(life.stop, k."end") AS stop, life.pauses
FROM (SELECT DISTINCT r.supplier_id, r.subscription FROM {rows} r WHERE r.supplier_id IS NOT NULL {which}) w
JOIN usage_suppliersubscription s ON s.supplier_id = w.supplier_id AND s.folded = w.subscription
JOIN usage_subscriptionlink k ON k.subscription_id = s.id
JOIN contracts_contractline l ON l.id = k.line_id JOIN life ON life.line_id = k.line_id
"""

# A record sent for a contract is its heir's from the day of the transfer on.
_INHERIT = """
UPDATE {rows} r SET contract_id = c.id FROM contracts_contract c
WHERE c.transferred_from_id = r.contract_id AND c.transferred_from_id IS NOT NULL AND r.day >= c.start {which}
"""

_HOLDS = "r.day >= t.tied AND r.day < t.untied"

# The contract lines whose tariff names the key of a record.
_NAMED = """SELECT st.line_id FROM contracts_linestretch st JOIN catalog_tariffline tl ON tl.id = st.tariff_line_id
            WHERE tl.key = r.article"""

# Candidates of each record: subscription links of a supplier's rows, lines of a contract for the others. The best is a
# tie that holds on the day on which the record begins, then a line that the product points to, then one in whose life
# the record lies, then one whose tariff names the key (before one of the article that the key is tied to), then the
# oldest.
_CANDIDATES = """
WITH life AS NOT MATERIALIZED ({life})
SELECT r.id, t.line_id, t.contract_id, t.charge, t.article, t.currency, t.conversion, t.first, t.stop, t.pauses,
    0 AS wrong
    FROM {rows} r JOIN usage_ties t ON t.supplier_id = r.supplier_id AND t.subscription = r.subscription
    WHERE t.lines = 1 {which}
UNION ALL
(SELECT DISTINCT ON (r.id) r.id, t.line_id, t.contract_id, t.charge, t.article, t.currency, t.conversion, t.first,
    t.stop, t.pauses,
    CASE WHEN p.id IS NULL AND count(*) FILTER (WHERE NOT t.goes_on AND {holds}) OVER (PARTITION BY r.id) > 1
        THEN 1 ELSE 0 END
    FROM {rows} r JOIN usage_ties t ON t.supplier_id = r.supplier_id AND t.subscription = r.subscription
    LEFT JOIN usage_productreference p ON p.supplier_id = r.supplier_id AND p.folded = r.product
        AND p.article_id = t.article_id
    WHERE t.lines > 1 {which}
    ORDER BY r.id, NOT ({holds}), (p.id IS NULL), NOT (r.day < t.stop AND r.end_day > t.first), t.line_id)
UNION ALL
(SELECT DISTINCT ON (r.id) r.id, life.*, 0 FROM {rows} r JOIN life ON life.contract_id = r.contract_id
    LEFT JOIN (catalog_key k JOIN catalog_article ka ON ka.id = k.article_id)
        ON r.by_key AND k.seller_id = r.seller_id AND k.key = r.article
    WHERE CASE WHEN r.by_key THEN life.line_id IN ({named}) OR life.article = ka.key ELSE life.article = r.article END
    AND r.supplier_id IS NULL {which}
    ORDER BY r.id, NOT (r.day < life.stop AND r.end_day > life.first),
        CASE WHEN ka.key IS NOT NULL AND life.line_id NOT IN ({named}) THEN 1 ELSE 0 END, life.line_id)
"""

# The day whose rate a contract's rule asks for (`core.exchange.wanted_day`).
_RATE_DAY = "CASE WHEN c.conversion = 'month' THEN date_trunc('month', r.day)::date ELSE r.day END"
_IS_FOREIGN = (
    """r.currency <> '' AND r.currency <> c.currency AND (r.cost_amount IS NOT NULL OR r.amount IS NOT NULL)"""
)

# By what amounts in other currencies are converted, where their contracts allow it: `core.exchange.conversion` in SQL.
# A rate that a record has is kept, whatever the register says by now.
_RATES = f"""
SELECT w.*, x.day, x.rate_over, x.rate_under FROM (
    SELECT DISTINCT r.seller_id, r.currency AS source, c.currency AS target, {_RATE_DAY} AS wanted
    FROM {{rows}} r JOIN usage_candidates c ON c.id = r.id
    WHERE c.conversion <> '' AND {_IS_FOREIGN} {{which}}
) w JOIN customers_seller s ON s.id = w.seller_id CROSS JOIN LATERAL (
    SELECT e.day, e.rate AS rate_over, 1 AS rate_under, 0 AS way, '' AS base FROM usage_exchangerate e
    WHERE e.seller_id = w.seller_id AND e.base = w.source AND e.quote = w.target
        AND e.day BETWEEN w.wanted - s.rate_days AND w.wanted
    UNION ALL
    SELECT e.day, 1, e.rate, 1, '' FROM usage_exchangerate e
    WHERE e.seller_id = w.seller_id AND e.base = w.target AND e.quote = w.source
        AND e.day BETWEEN w.wanted - s.rate_days AND w.wanted
    UNION ALL
    SELECT e.day, o.rate, e.rate, 2, e.base FROM usage_exchangerate e
    JOIN usage_exchangerate o ON o.seller_id = e.seller_id AND o.base = e.base AND o.quote = w.target AND o.day = e.day
    WHERE e.seller_id = w.seller_id AND e.quote = w.source AND e.day BETWEEN w.wanted - s.rate_days AND w.wanted
    ORDER BY day DESC, way, base LIMIT 1
) x
"""

# Where no candidate converts, there is nothing to look up, and many rows are not read again.
_NO_RATES = """(SELECT 0::bigint AS seller_id, '' AS source, '' AS target, NULL::date AS wanted, NULL::date AS day,
    NULL::numeric AS rate_over, NULL::numeric AS rate_under WHERE FALSE)"""

_MATCH = f"""
SELECT *, CASE WHEN reason IS NULL THEN found END AS line_id FROM (
SELECT r.id, r.day, r.end_day, r.is_span, r.line_id AS was, c.contract_id, c.line_id AS found, c.first, c.stop,
    CASE WHEN r.rate_to = c.currency THEN r.rate_day ELSE x.day END AS rate_day,
    CASE WHEN r.rate_to = c.currency THEN r.rate_over ELSE x.rate_over END AS rate_over,
    CASE WHEN r.rate_to = c.currency THEN r.rate_under ELSE x.rate_under END AS rate_under,
    CASE WHEN r.rate_to = c.currency OR x.day IS NOT NULL THEN c.currency END AS rate_to, CASE
    WHEN {{unreadable}} THEN 'invalid'
    WHEN c.line_id IS NULL AND r.supplier_id IS NOT NULL THEN 'no_subscription'
    WHEN c.line_id IS NULL AND r.contract_id IS NULL THEN 'no_contract'
    WHEN c.line_id IS NULL THEN 'unknown_key'
    WHEN c.wrong = 1 THEN 'unknown_key'
    WHEN c.charge <> 'usage' THEN 'invalid'
    WHEN r.currency <> '' AND r.currency <> c.currency AND c.conversion = '' AND r.rate_to IS DISTINCT FROM c.currency
        THEN 'currency'
    WHEN {_IS_FOREIGN} AND x.day IS NULL AND r.rate_to IS DISTINCT FROM c.currency THEN 'no_rate'
    WHEN r.day < %(closed)s THEN 'closed_period'
    WHEN (CASE WHEN r.is_span THEN r.end_day ELSE r.day + 1 END) <= c.first THEN 'before_start'
    WHEN r.day >= c.stop THEN 'after_end'
    WHEN c.pauses AND EXISTS (SELECT 1 FROM contracts_pause p WHERE p.contract_id = c.contract_id AND p.start <= r.day
        AND COALESCE(p."end", 'infinity') >= CASE WHEN r.is_span THEN r.end_day ELSE r.day + 1 END) THEN 'paused'
    END AS reason
FROM {{rows}} r LEFT JOIN usage_candidates c ON c.id = r.id
LEFT JOIN {{rates}} x ON x.seller_id = r.seller_id AND x.source = r.currency AND x.target = c.currency
    AND x.wanted = {_RATE_DAY} AND c.conversion <> ''
WHERE TRUE {{which}}
) y
"""

_PARTS = """
SELECT m.id, 'before_start', m.day, m.first FROM {matched} m
WHERE m.reason IS NULL AND m.is_span AND m.day < m.first
UNION ALL
SELECT m.id, 'after_end', m.stop::date, m.end_day FROM {matched} m
WHERE m.reason IS NULL AND m.is_span AND m.end_day > m.stop
UNION ALL
SELECT m.id, 'paused', GREATEST(p.start, m.day), LEAST(COALESCE(p."end", 'infinity'), m.end_day) FROM {matched} m
    JOIN contracts_pause p ON p.contract_id = m.contract_id AND p.start < m.end_day
    AND COALESCE(p."end", 'infinity') > GREATEST(p.start, m.day)
    WHERE m.reason IS NULL AND m.is_span
UNION ALL
SELECT m.id, m.reason, m.day, m.end_day FROM {matched} m WHERE m.reason IS NOT NULL
"""


# What matching needs of stored records, in a table of its own: it is read several times, and the planner knows how
# large it is.
NEEDED = (
    "id", "seller_id", "supplier_id", "subscription", "product", "contract_id", "line_id", "article", "by_key", "day",
    "end_day", "is_span", "currency", "cost_amount", "amount", "priced", *RATE,
)  # fmt: skip
_UNPRICED = "r.priced AND r.amount IS NULL"  # nothing says what it would be billed at
_AGAIN = "CREATE TEMP TABLE usage_again ({columns}) ON COMMIT DROP AS {records}"

# What waits of them now. Of what waited before, only that is written which is not the same: the rest keeps the instant
# since when it waits.
_WAITING = f"CREATE TEMP TABLE usage_waits (id, reason, first, stop) ON COMMIT DROP AS {_PARTS.format(matched=MATCHED)}"
_BETWEEN = "BETWEEN %(lowest)s AND %(highest)s"  # what lies elsewhere is not even looked at
_SAME_PART = 'e.record_id = w.id AND e.reason = w.reason AND e.first = w.first AND e."end" = w.stop'
_WAITS_NO_MORE = f"""
DELETE FROM usage_usageexception e USING usage_again a
WHERE e.record_id = a.id AND e.record_id {_BETWEEN}
    AND NOT EXISTS (SELECT FROM usage_waits w WHERE {_SAME_PART})
"""
_WAITS_NOW = f"""
INSERT INTO usage_usageexception (record_id, reason, first, "end", since)
SELECT w.*, %(now)s FROM usage_waits w JOIN usage_usagerecord r ON r.id = w.id
WHERE NOT EXISTS (SELECT FROM usage_usageexception e WHERE {_SAME_PART})
"""

# A record that comes to a line is new to it: charges of before have not seen it. Its mark is higher than all that were
# given before, and follows the order in which records arrived: of equal instants the later arrival is the last (R6.6).
_CAME_TO_LINES = f"SELECT count(*) FROM {MATCHED} WHERE line_id IS NOT NULL AND was IS DISTINCT FROM line_id"
_TO_LINES = f"""
UPDATE usage_usagerecord r SET line_id = m.line_id,
    revised = CASE WHEN m.line_id IS NULL THEN r.revised ELSE %(mark)s + m.place END, {_KEPT}
FROM (SELECT *, count(line_id) OVER (ORDER BY id) AS place FROM {MATCHED} WHERE was IS DISTINCT FROM line_id) m
WHERE m.id = r.id AND r.id {_BETWEEN} AND r.line_id IS DISTINCT FROM m.line_id
"""

# The contracts that records leave and those that they come to, with the days of these records.
_TOUCHED = f"""
SELECT l.contract_id, min(x.first), max(x.stop) FROM (
    SELECT line_id, min(day) AS first, max(end_day) AS stop FROM {MATCHED} WHERE line_id <> was OR was IS NULL
    GROUP BY 1
    UNION ALL
    SELECT was, min(day), max(end_day) FROM {MATCHED} WHERE was <> line_id OR line_id IS NULL GROUP BY 1
) x JOIN contracts_contractline l ON l.id = x.line_id GROUP BY 1
"""
_CAME = f"SELECT contract_id, min(day), max(end_day) FROM {MATCHED} WHERE line_id IS NOT NULL GROUP BY 1"


def match_staged(cursor: Any, many: int, closed_until: date | None) -> None:
    """Make the table of what was matched, of those of about so many staged rows that are to be stored."""
    _match(cursor, "usage_staging", many, "AND r.state IN ('new', 'revision')", "r.unreadable", closed_until)


def write_exceptions(cursor: Any, now: datetime) -> tuple[bool, set[int]]:
    """Write what of the rows just stored waits, and tell the contracts of those that do not; gives whether any waits,
    and these contracts."""
    cursor.execute(
        f"""INSERT INTO usage_usageexception (record_id, reason, first, "end", since)
            SELECT x.*, %s FROM ({_PARTS.format(matched=MATCHED)}) x JOIN usage_usagerecord r ON r.id = x.id""",
        [now],
    )
    waits = cursor.rowcount > 0
    return waits, touch_contracts(cursor, now, _CAME)


def draw_marks(many: int) -> int:
    """Draw so many marks at once, within an act; gives the one before the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT usage_marks(%s)", [many])
        return int(cursor.fetchone()[0])


def match_records(
    actor: Actor, records: QuerySet[UsageRecord], closed_until: date | None, mark: int | None = None
) -> tuple[int, list[str], set[int]]:
    """Match stored records again: gives how many of those that waited found their line now, the reasons of what (still)
    waits, and the contracts of lines that gained or lost records.

    `mark`: the one before the first of marks that are drawn for them already, as many as there are records.
    """
    found, parameters = records.order_by().values_list(*NEEDED).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS usage_again, usage_waits")
        cursor.execute(_AGAIN.format(columns=", ".join(NEEDED), records=found), parameters)
        many = cursor.rowcount
        if not many:
            return 0, [], set()
        cursor.execute("ANALYZE usage_again")
        cursor.execute("SELECT min(id), max(id) FROM usage_again")
        lowest, highest = cursor.fetchone()
        between = {"lowest": lowest, "highest": highest}
        if _match(cursor, "usage_again", many, "", _UNPRICED, closed_until):
            cursor.execute(
                """UPDATE usage_usagerecord r SET contract_id = a.contract_id FROM usage_again a
                   WHERE a.id = r.id AND r.contract_id <> a.contract_id"""
            )
        cursor.execute(_WAITING)
        cursor.execute("ANALYZE usage_waits")
        cursor.execute(_WAITS_NO_MORE, between)
        cursor.execute(_WAITS_NOW, {"now": actor.now})
        cursor.execute(_CAME_TO_LINES)
        came = int(cursor.fetchone()[0])
        if mark is None:
            mark = draw_marks(came) if came else 0
        cursor.execute(_TO_LINES, between | {"mark": mark})
        # Last, so that others who come to the same contracts wait for the end of this transaction alone.
        touched = touch_contracts(cursor, actor.now, _TOUCHED)
        cursor.execute(f"SELECT count(*) FROM {MATCHED} WHERE was IS NULL AND line_id IS NOT NULL")
        count = int(cursor.fetchone()[0])
        cursor.execute("SELECT reason FROM usage_waits ORDER BY id, first, reason")
        return count, [row[0] for row in cursor.fetchall()], touched


def touch_contracts(cursor: Any, now: datetime, changes: str) -> set[int]:
    """Tell contracts that their usage has changed, by a query of (contract, first day, end day): `changed_from` is
    lowered where it is already settled, and those whose usage is under watch are marked (`usage.marks`). Gives them.

    In the order of contracts, so that two who write wait for each other and never block each other."""
    cursor.execute(
        f"""WITH touched (contract_id, first, "end") AS MATERIALIZED ({changes}),
            settled (id, first) AS MATERIALIZED (
                SELECT c.id, t.first FROM contracts_contract c JOIN touched t ON t.contract_id = c.id
                WHERE t.first < c.settled_until ORDER BY c.id FOR NO KEY UPDATE OF c
            ), lowered AS (
                UPDATE contracts_contract c SET changed_from = LEAST(COALESCE(c.changed_from, s.first), s.first)
                FROM settled s WHERE c.id = s.id
            ), marked AS ({MARK})
            SELECT ARRAY(SELECT contract_id FROM touched), EXISTS (SELECT FROM marked WHERE is_new)""",
        {"now": now},
    )
    touched, marked = cursor.fetchone()
    if marked:
        wake()
    return set(touched)


def _match(cursor: Any, rows: str, many: int, which: str, unreadable: str, closed_until: date | None) -> bool:
    """Make the table of what is matched, of about so many rows; gives whether rows came to heirs of their contracts."""
    inherit, inherited = _INHERIT.format(rows=rows, which=which), False
    cursor.execute(inherit)
    while cursor.rowcount:  # of one that was transferred more than once
        inherited = True
        cursor.execute(inherit)
    cursor.execute(f"DROP TABLE IF EXISTS {MATCHED}, usage_candidates, usage_ties")
    ties, candidates, rates = (
        query.format(rows=rows, which=which, life=_LIFE, named=_NAMED, holds=_HOLDS)
        for query in (_TIES, _CANDIDATES, _RATES)
    )
    if many <= FEW:
        made = f"""WITH usage_ties AS MATERIALIZED ({ties}), usage_candidates AS MATERIALIZED ({candidates}),
            usage_rates AS MATERIALIZED ({rates})"""
        found = "usage_rates"
    else:
        made, found = "", _NO_RATES
        for table, query in (("ties", ties), ("candidates", candidates)):
            cursor.execute(f"CREATE TEMP TABLE usage_{table} ON COMMIT DROP AS {query}")
            cursor.execute(f"ANALYZE usage_{table}")
        cursor.execute("SELECT EXISTS (SELECT FROM usage_candidates WHERE conversion <> '')")
        if cursor.fetchone()[0]:
            fill_rates(cursor, rows, which)
            found = "usage_rates"
    query = _MATCH.format(rates=found, rows=rows, which=which, unreadable=unreadable)
    cursor.execute(
        f"CREATE TEMP TABLE {MATCHED} ON COMMIT DROP AS {made} {query}", {"closed": closed_until or date.min}
    )
    if many > FEW:
        cursor.execute(f"ANALYZE {MATCHED}")
    return inherited


def fill_rates(cursor: Any, rows: str, which: str) -> None:
    """Make the table of the rates that the register names for records and their candidates: one for each pair of
    currencies and wanted day."""
    cursor.execute("DROP TABLE IF EXISTS usage_rates")
    cursor.execute(f"CREATE TEMP TABLE usage_rates ON COMMIT DROP AS {_RATES.format(rows=rows, which=which)}")
    cursor.execute("ANALYZE usage_rates")
