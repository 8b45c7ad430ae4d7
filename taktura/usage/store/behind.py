"""The records that a charge was made from, as they were at its mark: the current ones and those replaced since."""

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

NAMES = (
    "source", "id", "revision", "at", "day", "end_day", "quantity", "seconds", "cost_amount", "amount", "discount",
    "currency", "rate_day", "rate_over", "rate_under", "file_id", "file", "row", "revised",
)  # fmt: skip
SUMMED = ("quantity", "seconds", "cost_amount", "amount")
MONEY = ("cost_amount", "amount")

_AS_THEN = """(
    SELECT source, external_id, revision, at, day, end_day, quantity, seconds, cost_amount, amount, discount,
        currency, rate_day, rate_over, rate_under, file_id, "row", revised
    FROM usage_usagerecord
    WHERE line_id = %(line)s AND day < %(end)s AND end_day > %(first)s AND revised <= %(mark)s
    UNION ALL
    SELECT source, external_id, revision, (record ->> 'at')::timestamptz, (record ->> 'day')::date,
        (record ->> 'end_day')::date, (record ->> 'quantity')::numeric, (record ->> 'seconds')::bigint,
        (record ->> 'cost_amount')::numeric, (record ->> 'amount')::numeric,
        COALESCE(record ->> 'discount', ''), record ->> 'currency',
        (record ->> 'rate_day')::date, (record ->> 'rate_over')::numeric, (record ->> 'rate_under')::numeric,
        (record ->> 'file_id')::bigint, (record ->> 'row')::integer, revised
    FROM usage_usagehistory
    WHERE line = %(line)s AND revised <= %(mark)s AND replaced > %(mark)s
        AND (record ->> 'day')::date < %(end)s AND (record ->> 'end_day')::date > %(first)s
) r"""

Row = dict[str, Any]
Place = tuple[date, int]  # where a page goes on: day and mark of the last row before it


class Behind(NamedTuple):
    """Which records: those of a contract line that touch `[first, end)`, as they were at a mark of the store."""

    line: int
    first: date
    end: date
    mark: int


def rows_behind(behind: Behind, after: Place | None = None, most: int | None = None) -> list[Row]:
    """The records in the order of their days, then of their arrival; `most` of them that come `after` a place."""
    beyond = "WHERE (r.day, r.revised) > (%(day)s, %(revised)s)" if after else ""
    asked: dict[str, Any] = {**behind._asdict(), "most": most}
    if after:
        asked |= {"day": after[0], "revised": after[1]}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT r.source, r.external_id, r.revision, r.at, r.day, r.end_day, r.quantity, r.seconds,
                    r.cost_amount, r.amount, r.discount, r.currency, r.rate_day, r.rate_over, r.rate_under, r.file_id,
                    f.name, r."row", r.revised
                FROM {_AS_THEN} LEFT JOIN usage_usagefile f ON f.id = r.file_id {beyond}
                ORDER BY r.day, r.revised LIMIT %(most)s""",
            asked,
        )
        return [dict(zip(NAMES, row, strict=True)) for row in cursor.fetchall()]


def totals_behind(behind: Behind) -> tuple[int, dict[str, Decimal | None]]:
    """How many records there are, and the sums of their raw numbers (None: no record has one, or they are amounts of
    several currencies); exact, not ticked."""
    one = "CASE WHEN count(DISTINCT currency) <= 1 THEN sum({0}) END"
    sums = ", ".join((one if name in MONEY else "sum({0})").format(name) for name in SUMMED)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), {sums} FROM {_AS_THEN}", behind._asdict())
        count, *totals = cursor.fetchone()
    return count, dict(zip(SUMMED, totals, strict=True))
