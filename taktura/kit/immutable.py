"""SQL for tables that are only appended to; used by migrations."""

FUNCTION = """
CREATE OR REPLACE FUNCTION taktura_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: what is issued or logged never changes', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
"""


def append_only(table: str) -> str:
    """Statements that refuse UPDATE, DELETE and TRUNCATE on a table, to whoever asks."""
    return (
        FUNCTION
        + f"""
CREATE TRIGGER {table}_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION taktura_refuse();
"""
    )


def made_in(parent: str) -> str:
    """Statements that add to `parent` the transaction that made a row, which nobody may choose; see `closed_with`."""
    return f"""
ALTER TABLE {parent} ADD COLUMN issued_in xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE OR REPLACE FUNCTION {parent}_made_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added WHERE issued_in <> pg_current_xact_id()) THEN
        RAISE EXCEPTION 'INSERT into % is refused: who issues a document is not to be chosen', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER {parent}_made_in AFTER INSERT ON {parent} REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION {parent}_made_in();
"""


def closed_with(child: str, parent: str, key: str) -> str:
    """Statements that refuse rows of `child` for a `parent` that an earlier transaction wrote.

    The parent keeps the transaction that made it, so that savepoints within that transaction do not matter.
    """
    return f"""
CREATE OR REPLACE FUNCTION {child}_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added JOIN {parent} p ON p.id = added.{key} WHERE p.issued_in <> pg_current_xact_id()) THEN
        RAISE EXCEPTION 'INSERT into % is refused: its document is issued', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER {child}_closed AFTER INSERT ON {child} REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION {child}_closed();
"""
