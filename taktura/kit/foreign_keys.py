"""SQL for foreign keys that are checked once for each statement; used by migrations.

The database's own check looks up and locks what each row points to. A statement that writes a million usage records of
a few thousand contract lines looks each line up some hundred times, and that takes longer than to write them. These
refuse the same, in the same transaction and against the same others at work: what rows point to is there, and stays.
"""

from collections.abc import Mapping

_SIDES = """
CREATE FUNCTION {table}_keys() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    pointed record;
BEGIN
    SELECT {collected} INTO pointed FROM (SELECT DISTINCT {columns} FROM added) x;
{checks}    RETURN NULL;
END $$;
CREATE TRIGGER {table}_keys_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION {table}_keys();
CREATE TRIGGER {table}_keys_update AFTER UPDATE ON {table} REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION {table}_keys();
"""

# Locked, so that none of them goes before this transaction has ended.
_CHECK = """
    IF (SELECT count(*) FROM (SELECT FROM {parent} WHERE id = ANY (pointed.{column}) FOR KEY SHARE) p)
        <> cardinality(pointed.{column}) THEN
        RAISE EXCEPTION 'rows of {table} point by {column} at what is not in {parent}'
            USING ERRCODE = 'foreign_key_violation', TABLE = '{table}', CONSTRAINT = '{table}_{column}';
    END IF;
"""

# At the end of the transaction, as Django makes its keys: rows and what they point to may go in either order.
_STAYS = """
CREATE FUNCTION {table}_{column}_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM {table} WHERE {column} = OLD.id) AND NOT EXISTS (SELECT FROM {parent} WHERE id = OLD.id) THEN
        RAISE EXCEPTION 'rows of {table} point by {column} at what is taken from {parent}'
            USING ERRCODE = 'foreign_key_violation', TABLE = '{table}', CONSTRAINT = '{table}_{column}';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER {table}_{column}_stays AFTER DELETE OR UPDATE OF id ON {parent}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {table}_{column}_stays();
"""


def checked_once(table: str, keys: Mapping[str, str]) -> str:
    """Statements that keep rows of `table` from pointing at what is not there; `keys`: table pointed to, by column."""
    collected = ", ".join(f"array_agg(DISTINCT {name}) FILTER (WHERE {name} IS NOT NULL) AS {name}" for name in keys)
    checks = "".join(_CHECK.format(table=table, column=column, parent=parent) for column, parent in keys.items())
    sides = _SIDES.format(table=table, collected=collected, columns=", ".join(keys), checks=checks.replace("\n", "", 1))
    return sides + "".join(_STAYS.format(table=table, column=column, parent=parent) for column, parent in keys.items())
