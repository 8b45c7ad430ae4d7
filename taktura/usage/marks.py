"""Marks of contracts whose usage has changed and is under watch (R19): for control, which lies above, to take.

A mark is written in the transaction of the usage. Who takes it deletes it in the transaction of what is made of it, so
that nothing is missed when a process dies.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

WATCHING = "watch_usage"  # the job that takes marks; it belongs to control, and is woken by its name
QUEUE = "control"

# Of contracts touched (a table of contract, first day, end day) those with a line that can cross a bound; who writes a
# new mark wakes the job, and for one that is there somebody has.
MARK = """
    INSERT INTO usage_usagemark (contract_id, first, "end", at)
    SELECT t.contract_id, t.first, t."end", %(now)s FROM touched t
    WHERE t.contract_id IN (
        SELECT l.contract_id FROM contracts_contractline l JOIN contracts_linestretch s ON s.line_id = l.id
        JOIN catalog_tariffline o ON o.id = s.tariff_line_id
        WHERE l.contract_id IN (SELECT contract_id FROM touched) AND (
            o.terms @> '{"flat_price": true}' OR o.terms @> '{"in_cap": true}' OR jsonb_exists(o.terms, 'included')))
    ORDER BY t.contract_id
    ON CONFLICT (contract_id) DO UPDATE SET first = LEAST(usage_usagemark.first, EXCLUDED.first),
        "end" = GREATEST(usage_usagemark."end", EXCLUDED."end"), at = GREATEST(usage_usagemark.at, EXCLUDED.at)
    RETURNING xmax = 0 AS is_new
"""

_TAKE = """
DELETE FROM usage_usagemark WHERE contract_id IN (
    SELECT contract_id FROM usage_usagemark ORDER BY contract_id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING contract_id, first, "end", at
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """The days of a contract whose usage has changed, and when it did last."""

    first: date
    end: date
    at: datetime


def take_marks(most: int) -> dict[int, Mark]:
    """Take up to so many marks away, by contract; in a transaction of the caller's, who looks at those contracts."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [most])
        return {pk: Mark(*values) for pk, *values in cursor.fetchall()}


def wake() -> None:
    """Start the job that takes marks, once the transaction is done; the schedule would start it a little later."""
    if not any(hook[1] is _defer for hook in connection.run_on_commit):
        transaction.on_commit(_defer, robust=True)


def _defer() -> None:
    with suppress(AlreadyEnqueued):  # it waits for its turn already
        app.configure_task(WATCHING, queue=QUEUE, queueing_lock=WATCHING, lock=WATCHING).defer(timestamp=0)
