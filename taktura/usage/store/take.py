"""Taking records in: once, whatever comes twice (R6.1, R12.2)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from taktura.audit.acts import begin_act
from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.bulk import copy_rows
from taktura.usage.store.match import FEW, FOUND, MATCHED, match_staged, touch_contracts, write_exceptions

COLUMNS = (
    "source",
    "external_id",
    "revision",
    "given_revision",
    "digest",
    "contract_id",
    "article",
    "by_key",
    "supplier_id",
    "subscription",
    "product",
    "at",
    "day",
    "end_day",
    "is_span",
    "quantity",
    "seconds",
    "cost_amount",
    "amount",
    "discount",
    "currency",
    "priced",
    "attributes",
    "numbers",
    "file_id",
    "row",
    "sent_to",
    "unreadable",
    "former",  # the digest that rows of this content were stored with before, where it was another
    "former_id",  # the id that such a row was stored with before, where it was another (`store.former`)
)
STORED = ("seller_id", *(c for c in COLUMNS if c not in ("given_revision", "unreadable", "former", "former_id")))
SAME = "r.seller_id = s.seller_id AND r.source = s.source AND r.external_id = s.external_id"

MAX_CONFLICTS = 10_000  # that are named; all are counted

_STAGING = """
CREATE TEMP TABLE usage_staging (
    seller_id bigint DEFAULT {seller}, seq bigint,
    id bigint DEFAULT nextval(pg_get_serial_sequence('usage_usagerecord', 'id')),
    source text, external_id text, revision int, given_revision bool, digest text, contract_id bigint, article text,
    by_key bool, supplier_id bigint, subscription text, product text, at timestamptz, day date, end_day date,
    is_span bool,
    quantity numeric, seconds bigint, cost_amount numeric, amount numeric, discount text, currency text,
    priced bool, attributes jsonb, numbers jsonb, file_id bigint, row int, sent_to text, unreadable bool, former text,
    former_id text,
    state text, line_id bigint, rate_day date, rate_over numeric, rate_under numeric, rate_to text
) ON COMMIT DROP
"""

# What becomes of a staged row: new, duplicate, conflict or revision. Of rows with one identity in one batch the first
# is looked at here; the others are looked at again once it is stored, but for those that only repeat it.
_CLASSIFY = """
WITH looked_at AS (
UPDATE usage_staging s SET id = COALESCE(r.id, s.id), state = CASE
    WHEN x.turn > 1 AND x.plain AND s.digest = x.digest AND (r.id IS NULL OR r.digest IN (s.digest, s.former))
        THEN 'duplicate'
    WHEN x.turn > 1 THEN 'again'
    WHEN r.id IS NULL THEN 'new'
    WHEN r.digest IN (s.digest, s.former) AND (NOT s.given_revision OR s.revision <= r.revision) THEN 'duplicate'
    WHEN s.given_revision AND s.revision > r.revision THEN 'revision'
    WHEN s.given_revision THEN 'duplicate'
    ELSE 'conflict' END
FROM (SELECT seq, seller_id, source, external_id,
        row_number() OVER same AS turn, first_value(digest) OVER same AS digest,
        NOT bool_or(given_revision) OVER (PARTITION BY source, external_id) AS plain
      FROM usage_staging WHERE state IS NULL WINDOW same AS (PARTITION BY source, external_id ORDER BY seq)) x
LEFT JOIN usage_usagerecord r ON r.seller_id = x.seller_id AND r.source = x.source AND r.external_id = x.external_id
WHERE s.seq = x.seq RETURNING s.state
) SELECT DISTINCT state FROM looked_at
"""

# Rows of one identity that come one after the other are stored in turns; what the last turn stored is not marked.
_STORED = "s.state IN ('new', 'revision')"
_TURN = f"""
UPDATE usage_staging s SET state = 'stored', line_id = m.line_id FROM {MATCHED} m WHERE m.id = s.id AND {_STORED}
"""
_NEXT = "UPDATE usage_staging SET state = NULL WHERE state = 'again'"
_IS_STORED = f"(s.state = 'stored' OR {_STORED})"

_EACH = f"""
SELECT CASE WHEN {_IS_STORED} THEN 'stored' ELSE s.state END, COALESCE(s.line_id, m.line_id) IS NOT NULL, {{reasons}}
FROM usage_staging s LEFT JOIN {MATCHED} m ON m.id = s.id AND {_STORED} ORDER BY s.seq
"""
_REASONS = f"""ARRAY(SELECT e.reason FROM usage_usageexception e WHERE {_IS_STORED} AND e.record_id = s.id
    ORDER BY e.first, e.reason)"""


@dataclass(slots=True)
class Outcome:
    """What became of records taken in. `recorded` found their line (a record partly outside is in `exceptions` too)."""

    recorded: int = 0
    duplicates: int = 0
    conflicts: int = 0
    exceptions: list[str] = field(default_factory=list)
    contracts: set[int] = field(default_factory=set)
    conflict_rows: list[tuple[int | None, str]] = field(default_factory=list)
    each: list[tuple[str, bool, list[str]]] = field(default_factory=list)  # state, found its line, what waits and why


def take_in(
    actor: Actor,
    rows: Iterable[Sequence[Any]],
    *,
    seller: int,
    strict: bool,
    each: bool = False,
    tell: Callable[[str], None] | None = None,
    staged: Callable[[], None] | None = None,
) -> Outcome:
    """Take records in, in one transaction of the caller's; `rows` are one seller's, in the order of `COLUMNS`.

    The act begins when they are staged. `strict`: a correction of usage in a closed period is refused
    (`closed_period`, R12.3); else it counts as a conflict, so that no row of a file stops another. `each`: say of each
    row what became of it (`stored`, `duplicate`, `conflict`, or `closed` for such a correction). `tell` is told of the
    steps that begin (`match`, then `ready`: it is stored); what it raises stops it. `staged` is called between, before
    the act begins: it may say that staged rows have other ids.
    """
    outcome, waits, many = Outcome(), False, 0

    def numbered() -> Iterator[Sequence[Any]]:
        nonlocal many
        for row in rows:
            many += 1
            yield (many, *row)

    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS usage_staging")
        cursor.execute(_STAGING.format(seller=int(seller)))
        copy_rows("usage_staging", ("seq", *COLUMNS), numbered())
        cursor.execute("ANALYZE usage_staging")
        if staged:
            staged()
        begin_act()
        cursor.execute("SELECT closed_until FROM customers_seller WHERE id = %s", [seller])
        closed_until: date | None = cursor.fetchone()[0]
        while True:
            cursor.execute(_CLASSIFY)
            states = {state for (state,) in cursor.fetchall()}
            if many > FEW:
                cursor.execute("ANALYZE usage_staging (state)")  # else the planner takes it for empty
            if "revision" in states:
                _refuse_closed(cursor, closed_until, strict)
            if tell:
                tell("match")
            match_staged(cursor, many, closed_until)
            if tell:
                tell("ready")
            if "revision" in states:
                _revise(cursor, actor)
            more, contracts = _store(cursor, actor)
            waits, outcome.contracts = waits or more, outcome.contracts | contracts
            if "again" not in states:
                break
            cursor.execute(_TURN)
            cursor.execute(_NEXT)
        _count(cursor, outcome, waits)
        if each:
            cursor.execute(_EACH.format(reasons=_REASONS if waits else "'{}'::text[]"))
            outcome.each = list(cursor.fetchall())
    return outcome


def _refuse_closed(cursor: Any, closed_until: date | None, strict: bool) -> None:
    if closed_until is None:
        return
    cursor.execute(
        f"""UPDATE usage_staging s SET state = 'closed' FROM usage_usagerecord r
           WHERE s.state = 'revision' AND {SAME}
             AND (r.day < %s OR s.day < %s)""",
        [closed_until, closed_until],
    )
    if strict and cursor.rowcount:
        raise Refused(
            "closed_period",
            "Usage before %(day)s is closed: it can be neither corrected nor withdrawn.",
            day=closed_until.isoformat(),
        )


def _revise(cursor: Any, actor: Actor) -> None:
    """Write revisions over what they replace, which is kept; what of it waited is written anew with what is stored."""
    _archive(cursor, actor, "s.state = 'revision'", withdrawn=False)
    identity = ("seller_id", "source", "external_id")
    assignments = ", ".join(
        [f'"{c}" = s."{c}"' for c in STORED if c not in identity] + [f"{c} = {found}" for c, found in FOUND.items()]
    )
    cursor.execute(
        f"""UPDATE usage_usagerecord r SET {assignments}, revised = nextval('usage_mark')
            FROM usage_staging s JOIN {MATCHED} m ON m.id = s.id WHERE s.state = 'revision' AND {SAME}"""
    )
    cursor.execute(
        "DELETE FROM usage_usageexception e USING usage_staging s WHERE e.record_id = s.id AND s.state = 'revision'"
    )


def _store(cursor: Any, actor: Actor) -> tuple[bool, set[int]]:
    """Store what is new, and what of it and of revisions waits; gives whether any waits, and the contracts of what
    found its line."""
    columns, staged = ", ".join(f'"{c}"' for c in STORED), ", ".join(f's."{c}"' for c in STORED)
    cursor.execute(
        f"""INSERT INTO usage_usagerecord (id, {columns}, {", ".join(FOUND)})
            SELECT s.id, {staged}, {", ".join(FOUND.values())}
            FROM usage_staging s JOIN {MATCHED} m ON m.id = s.id WHERE s.state = 'new' ORDER BY s.seq
            ON CONFLICT (seller_id, source, external_id) DO NOTHING"""
    )
    return write_exceptions(cursor, actor.now)


def _archive(cursor: Any, actor: Actor, which: str, *, withdrawn: bool) -> None:
    """Keep revisions that are about to be replaced or withdrawn, and tell their contracts."""
    cursor.execute(
        f"""INSERT INTO usage_usagehistory
                (seller_id, source, external_id, revision, line, revised, replaced, withdrawn, replaced_at, record)
            SELECT r.seller_id, r.source, r.external_id, r.revision, r.line_id, r.revised, nextval('usage_mark'),
                %s, %s, to_jsonb(r)
            FROM usage_usagerecord r JOIN usage_staging s ON {SAME}
            WHERE {which}""",
        [withdrawn, actor.now],
    )
    touch_contracts(
        cursor,
        actor.now,
        f"""SELECT l.contract_id, min(r.day), max(r.end_day) FROM usage_usagerecord r
            JOIN contracts_contractline l ON l.id = r.line_id JOIN usage_staging s ON {SAME}
            WHERE {which} GROUP BY 1""",
    )


def _count(cursor: Any, outcome: Outcome, waits: bool) -> None:
    cursor.execute(
        f"""SELECT state, count(*), count(line_id) FROM usage_staging GROUP BY 1
            UNION ALL SELECT 'stored', 0, count(line_id) FROM {MATCHED}"""
    )
    for state, count, matched in cursor.fetchall():
        if state == "stored":
            outcome.recorded += matched
        elif state == "duplicate":
            outcome.duplicates += count
        elif state not in ("new", "revision"):
            outcome.conflicts += count
    if waits:
        cursor.execute(
            f"""SELECT e.reason FROM usage_usageexception e JOIN usage_staging s ON s.id = e.record_id
                WHERE {_IS_STORED} ORDER BY s.seq, e.first"""
        )
        outcome.exceptions = [row[0] for row in cursor.fetchall()]
    if outcome.conflicts:
        cursor.execute(
            "SELECT row, external_id FROM usage_staging WHERE state IN ('conflict', 'closed') ORDER BY seq LIMIT %s",
            [MAX_CONFLICTS],
        )
        outcome.conflict_rows = list(cursor.fetchall())


def refused_lines() -> set[int]:
    """The lines of those staged rows that `take_in` refused: conflicts, and revisions older than the one stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT row FROM usage_staging WHERE state IN ('conflict', 'closed')
                UNION ALL SELECT s.row FROM usage_staging s JOIN usage_usagerecord r ON {SAME}
                WHERE s.state = 'duplicate' AND s.given_revision AND s.revision < r.revision"""
        )
        return {line for (line,) in cursor.fetchall()}


def withdraw(actor: Actor, *, seller: int, source: str, external_id: str, closed_until: date | None) -> set[int]:
    """Remove a record; its history stays (R12.2). Gives the contract it was billed on.

    Raises `Refused`: `not_found`, `closed_period`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT r.day, l.contract_id FROM usage_usagerecord r
               LEFT JOIN contracts_contractline l ON l.id = r.line_id
               WHERE r.seller_id = %s AND r.source = %s AND r.external_id = %s FOR UPDATE OF r""",
            [seller, source, external_id],
        )
        row = cursor.fetchone()
        if row is None:
            raise Refused("not_found", "There is no usage “%(id)s” of “%(source)s”.", id=external_id, source=source)
        if closed_until is not None and row[0] < closed_until:
            raise Refused(
                "closed_period",
                "Usage before %(day)s is closed: it can be neither corrected nor withdrawn.",
                day=closed_until.isoformat(),
            )
        cursor.execute("DROP TABLE IF EXISTS usage_staging")
        cursor.execute(_STAGING.format(seller=int(seller)))
        cursor.execute(
            "INSERT INTO usage_staging (source, external_id, state) VALUES (%s, %s, 'revision')", [source, external_id]
        )
        _archive(cursor, actor, "s.state = 'revision'", withdrawn=True)
        cursor.execute(
            """DELETE FROM usage_usageexception e USING usage_usagerecord r
               WHERE e.record_id = r.id AND r.seller_id = %s AND r.source = %s AND r.external_id = %s""",
            [seller, source, external_id],
        )
        cursor.execute(
            "DELETE FROM usage_usagerecord WHERE seller_id = %s AND source = %s AND external_id = %s",
            [seller, source, external_id],
        )
    return {row[1]} if row[1] else set()
