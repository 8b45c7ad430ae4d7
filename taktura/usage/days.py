"""How many usage records each day has: counted by the database with every statement that writes records, so that
nobody counts millions to see whether everything has arrived. `verify` counts them all and compares."""

from collections.abc import Iterator

from django.db import connection

_ADD = """
    INSERT INTO usage_usageday (seller_id, day, records, recorded) {changes}
    ON CONFLICT (seller_id, day) DO UPDATE SET records = usage_usageday.records + EXCLUDED.records,
        recorded = usage_usageday.recorded + EXCLUDED.recorded;
"""
_COUNT = "SELECT seller_id, day, {sign}count(*) AS records, {sign}count(line_id) AS recorded FROM {rows} GROUP BY 1, 2"
_ADDED, _GONE = _COUNT.format(sign="", rows="added"), _COUNT.format(sign="-", rows="gone")
# In the order of days, so that two writers wait for each other and never block each other.
_CHANGED = f"""
    SELECT seller_id, day, sum(records), sum(recorded) FROM (({_ADDED}) UNION ALL ({_GONE})) x
    GROUP BY 1, 2 HAVING sum(records) <> 0 OR sum(recorded) <> 0 ORDER BY 1, 2
"""
_TRIGGERS = {
    "insert": (f"{_ADDED} ORDER BY 1, 2", "NEW TABLE AS added"),
    "update": (_CHANGED, "OLD TABLE AS gone NEW TABLE AS added"),
    "delete": (f"{_GONE} ORDER BY 1, 2", "OLD TABLE AS gone"),
}

FILL = f"""
INSERT INTO usage_usageday (seller_id, day, records, recorded) {_COUNT.format(sign="", rows="usage_usagerecord")};
"""


def counting() -> str:
    """The statements that make the database count; used by a migration."""
    parts = []
    for event, (changes, tables) in _TRIGGERS.items():
        parts.append(f"""
CREATE FUNCTION usage_days_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {_ADD.format(changes=changes)}
    RETURN NULL;
END $$;
CREATE TRIGGER usage_days_{event} AFTER {event.upper()} ON usage_usagerecord REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION usage_days_{event}();
""")
    return "".join(parts)


def check_days() -> Iterator[str]:
    """What is wrong with the counts of days, a sentence each."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT COALESCE(r.day, d.day) FROM ({_COUNT.format(sign="", rows="usage_usagerecord")}) r
                FULL JOIN (SELECT * FROM usage_usageday WHERE records <> 0 OR recorded <> 0) d
                    ON d.seller_id = r.seller_id AND d.day = r.day
                WHERE (r.records, r.recorded) IS DISTINCT FROM (d.records, d.recorded) ORDER BY 1"""
        )
        for (day,) in cursor.fetchall():
            yield f"{day}: the number of usage records that is shown for the day is not right."
