"""What flat prices bring: each in each billing period, its fee against its minutes at the reference price.

Rows are written as usage arrives, with the alerts; once a night those of periods that have begun or ended without any.
Sums by month are added up by the database with every statement that writes rows; those of a flat price over the last
months (3, 6, 12, 24) are written anew with its rows, and when a month begins.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from django.db import connection

from taktura.contracts.models import Contract, ContractLine
from taktura.core.control import Watch
from taktura.core.money import plain
from taktura.core.periods import Span, add
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.bulk import among, upsert_rows
from taktura.usage.marks import Mark

MONTHS = 12  # shown unless another number is chosen
WINDOWS = (3, 6, 12, 24)
MONTH = Span(1, "month")
COLUMNS = (
    "seller_id", "contract_id", "line_id", "article_id", "tariff_id", "currency", "month", "start", "end", "minutes",
    "notional", "fee", "over",
)  # fmt: skip
KEY = ("line_id", "start")

_ADD = """
    INSERT INTO control_flatmonth
        (seller_id, month, currency, tariff_id, article_id, periods, above, minutes, notional, fee) {changes}
    ON CONFLICT (seller_id, month, currency, tariff_id, article_id) DO UPDATE SET
        periods = control_flatmonth.periods + EXCLUDED.periods, above = control_flatmonth.above + EXCLUDED.above,
        minutes = control_flatmonth.minutes + EXCLUDED.minutes, fee = control_flatmonth.fee + EXCLUDED.fee,
        notional = control_flatmonth.notional + EXCLUDED.notional;
"""
_SUM = """
    SELECT seller_id, month, currency, tariff_id, article_id, {sign}count(*) AS periods,
        {sign}count(*) FILTER (WHERE notional > fee) AS above, {sign}sum(minutes) AS minutes,
        {sign}sum(notional) AS notional, {sign}sum(fee) AS fee
    FROM {rows} GROUP BY 1, 2, 3, 4, 5
"""
_ADDED, _GONE = _SUM.format(sign="", rows="added"), _SUM.format(sign="-", rows="gone")
_CHANGED = f"""
    SELECT seller_id, month, currency, tariff_id, article_id, sum(periods), sum(above), sum(minutes), sum(notional),
        sum(fee) FROM (({_ADDED}) UNION ALL ({_GONE})) x GROUP BY 1, 2, 3, 4, 5
"""
# In one order, so that two writers wait for each other and never block each other.
_TRIGGERS = {
    "insert": (f"{_ADDED} ORDER BY 1, 2, 3, 4, 5", "NEW TABLE AS added"),
    "update": (f"{_CHANGED} ORDER BY 1, 2, 3, 4, 5", "OLD TABLE AS gone NEW TABLE AS added"),
    "delete": (f"{_GONE} ORDER BY 1, 2, 3, 4, 5", "OLD TABLE AS gone"),
}

_LINES = """
INSERT INTO control_flatline (line_id, months, seller_id, contract_id, article_id, tariff_id, currency, periods, above,
    minutes, notional, fee, gain, as_of)
SELECT p.line_id, w.months, min(p.seller_id), min(p.contract_id), min(p.article_id),
    (array_agg(p.tariff_id ORDER BY p.start DESC))[1], min(p.currency), count(*),
    count(*) FILTER (WHERE p.notional > p.fee), sum(p.minutes), sum(p.notional), sum(p.fee),
    sum(p.fee) - sum(p.notional), %(as_of)s
FROM control_flatperiod p CROSS JOIN unnest(%(windows)s::smallint[]) AS w (months)
WHERE p.month > %(as_of)s::date - make_interval(months => w.months) AND p.line_id IN ({which})
GROUP BY p.line_id, w.months
ON CONFLICT (line_id, months) DO UPDATE SET tariff_id = EXCLUDED.tariff_id, periods = EXCLUDED.periods,
    above = EXCLUDED.above, minutes = EXCLUDED.minutes, notional = EXCLUDED.notional, fee = EXCLUDED.fee,
    gain = EXCLUDED.gain, as_of = EXCLUDED.as_of
"""
_GIVEN = "SELECT unnest(%(lines)s::bigint[])"
_OLD = "SELECT DISTINCT line_id FROM control_flatline WHERE seller_id = %(seller)s AND as_of < %(as_of)s"

# Contracts after an id that have a period of a flat price which has begun or ended since it was last looked at, or was
# passed over since usage came for a later one, and the first day to look at; none before the earliest month shown.
_STALE = """
SELECT contract_id, min(since) FROM (
    SELECT l.contract_id, CASE WHEN gap THEN b.base
        WHEN NOT p.over AND p."end" <= %(today)s THEN p.start ELSE COALESCE(p."end", b.base) END AS since
    FROM contracts_contractline l JOIN contracts_contract c ON c.id = l.contract_id
    CROSS JOIN LATERAL (
        SELECT GREATEST(l.start, c.start, c.billed_until, c.trial_end, %(first)s) AS base,
            LEAST(l."end", c."end", 'infinity') AS stop
    ) b
    LEFT JOIN LATERAL (
        SELECT f.start, f."end", f.over FROM control_flatperiod f WHERE f.line_id = l.id ORDER BY f.start DESC LIMIT 1
    ) p ON true
    CROSS JOIN LATERAL (SELECT EXISTS (
        SELECT 1 FROM (
            SELECT f.start, lag(f."end") OVER (ORDER BY f.start) AS before FROM control_flatperiod f
            WHERE f.line_id = l.id
        ) f WHERE f.start > b.base AND f.before IS DISTINCT FROM f.start
    ) AS gap) g
    WHERE c.seller_id = %(seller)s AND l.contract_id > %(after)s AND l.charge = 'usage'
        AND EXISTS (SELECT 1 FROM contracts_linestretch s JOIN catalog_tariffline o ON o.id = s.tariff_line_id
            WHERE s.line_id = l.id AND o.terms @> '{"flat_price": true}' AND jsonb_exists(o.terms, 'reference_price'))
        AND (gap OR (NOT p.over AND p."end" <= %(today)s)
            OR (COALESCE(p."end", b.base) <= %(today)s AND b.stop > COALESCE(p."end", b.base)))
) x GROUP BY contract_id ORDER BY contract_id LIMIT %(most)s
"""


def adding_up() -> str:
    """The statements that make the database add up months; used by a migration."""
    parts = []
    for event, (changes, tables) in _TRIGGERS.items():
        parts.append(f"""
CREATE FUNCTION control_flat_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {_ADD.format(changes=changes)}
    RETURN NULL;
END $$;
CREATE TRIGGER control_flat_{event} AFTER {event.upper()} ON control_flatperiod REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION control_flat_{event}();
""")
    return "".join(parts)


def first_month(today: date, months: int = MONTHS) -> date:
    """The first of so many months, of which the last is the running one."""
    return add(today.replace(day=1), MONTH, 1 - months)


def write_periods(actor: Actor, contracts: Mapping[int, Contract], seen: Iterable[tuple[int, Watch]]) -> None:
    """Write what flat prices came to: `seen` are (contract, watch of a flat price); all of one period once."""
    found = list(seen)
    if not found:
        return
    lines = {watch.line for _, watch in found if watch.line is not None}
    articles = dict(ContractLine.objects.filter(pk__in=among(lines)).values_list("pk", "article_id"))
    rows = []
    for pk, watch in found:
        assert watch.line is not None
        contract = contracts[pk]
        today = actor.today(contract.seller.time_zone)
        rows.append((
            contract.seller_id, pk, watch.line, articles[watch.line], contract.tariff_id, contract.currency,
            watch.start.replace(day=1), watch.start, watch.end, plain(watch.minutes), plain(watch.value),
            plain(watch.bound), watch.end <= today,
        ))  # fmt: skip
    upsert_rows("control_flatperiod", COLUMNS, rows, key=KEY, update=[c for c in COLUMNS if c not in KEY])
    by_month: dict[date, list[int]] = {}
    for pk, watch in found:
        month = actor.today(contracts[pk].seller.time_zone).replace(day=1)
        by_month.setdefault(month, []).append(watch.line or 0)
    for month, of_month in by_month.items():
        _sum_lines(_GIVEN, month, {"lines": of_month})


def sum_anew(seller_id: int, today: date) -> None:
    """When a month has begun: each flat price over the months up to it; those without any are forgotten."""
    month = today.replace(day=1)
    _sum_lines(_OLD, month, {"seller": seller_id})
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM control_flatline WHERE seller_id = %s AND as_of < %s", [seller_id, month])


def _sum_lines(which: str, month: date, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LINES.format(which=which), {"as_of": month, "windows": list(WINDOWS), **values})


def stale(actor: Actor, seller: Seller, most: int) -> Iterator[dict[int, Mark]]:
    """Batches of contracts to look at, as marks, though no usage has arrived."""
    today, after = actor.today(seller.time_zone), 0
    values: dict[str, Any] = {
        "seller": seller.pk,
        "today": today,
        "first": first_month(today, max(WINDOWS)),
        "most": most,
    }
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_STALE, {**values, "after": after})
            found = {pk: Mark(since, add(today, Span(1, "day")), actor.now) for pk, since in cursor.fetchall()}
        if not found:
            return
        after = max(found)
        yield found
