"""What is issued or logged never changes: tried by the application's login, and by the owner of the tables."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.db.utils import DatabaseError
from psycopg import errors, sql

from taktura.billing.models import Charge
from taktura.invoices.models import Document, DocumentLine
from taktura.kit.actor import Actor

WORLD = """
scenario: documents to attack
tariffs:
  talk:
    interval: 1 month
    lines: {base: {price: 10.00}, calls: {charge: usage, price: 1.00}}
customers: {acme: {name: Acme GmbH, hourly_rate: 90.00}}
contracts: {C1: {customer: acme, tariff: talk, start: 2026-01-01}}
timeline:
  - {on: 2026-01-05, usage: {contract: C1, article: calls, quantity: 5, id: a}}
  - {on: 2026-01-06, usage: {contract: C1, article: calls, quantity: 7, id: a, revision: 2}}
  - {on: 2026-01-07, ticket: {customer: acme, subject: Printer, as: T1}}
  - {on: 2026-01-07, log_time: {ticket: T1, minutes: 40}}
  - {on: 2026-01-08, approve_time: {ticket: T1}}
  - {on: 2026-02-01, bill: {}}
  - {on: 2026-02-02, credit: {document: RE-2026-00001, lines: [{line: 1, net: 1.00}]}}
  - {on: 2026-02-03, pay: {document: RE-2026-00001, amount: 1.00}}
"""
ISSUED = (
    "invoices_document",
    "invoices_documentline",
    "invoices_documenttax",
    "invoices_documentreference",
    "invoices_payment",
    "billing_charge",
    "billing_timecharge",
    "billing_billedtime",
    "billing_timedraw",
    "audit_logentry",
    "usage_usagehistory",
)
CHILDREN = ("invoices_documentline", "invoices_documenttax", "invoices_documentreference", "billing_charge")


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A database in which documents were issued, credited and paid; the tests here cannot change it."""
    from taktura.cli.scenarios.load import load
    from taktura.cli.scenarios.run import run
    from taktura.kit.database import scratch_database

    path: Path = tmp_path_factory.mktemp("issued") / "world.yaml"
    path.write_text(WORLD)
    with scratch_database():
        result = run(load(path))
        assert result.passed, result
        bear_hours(Actor("test", datetime(2026, 2, 4, 9, tzinfo=UTC)))
        yield


def bear_hours(actor: Actor) -> None:
    """Bill time of which included hours bear a part."""
    from taktura.billing import services as billing
    from taktura.customers.models import Seller
    from taktura.desk import services as desk
    from taktura.desk.models import Ticket

    ticket = Ticket.objects.select_related("customer__seller").get()
    desk.include_hours(actor, customer=ticket.customer, title="Block", kind="block", minutes=30, start=date(2026, 1, 1))
    worked = desk.log_time(actor, ticket=ticket, minutes=60)
    desk.approve_time(actor, entries=[worked.pk])
    billing.bill(actor, seller=Seller.objects.get(), on=date(2026, 2, 4))


def refusal(statement: str, alias: str = "default") -> type[psycopg.Error]:
    """Run a statement that must be refused; gives the error's class. All is rolled back, whatever comes."""
    try:
        with transaction.atomic(using=alias):
            with connections[alias].cursor() as cursor:
                cursor.execute(statement)
            transaction.set_rollback(True, using=alias)
    except DatabaseError as error:
        assert isinstance(error.__cause__, psycopg.Error)
        return type(error.__cause__)
    finally:
        if alias != "default":
            connections[alias].close()
    raise AssertionError(f"not refused: {statement}")


def columns(table: str, *, without: tuple[str, ...] = ("id",)) -> list[str]:
    """The columns of a table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [table],
        )
        return [name for (name,) in cursor.fetchall() if name not in without]


# ---- UPDATE, DELETE, TRUNCATE --------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ISSUED)
def test_there_is_something_to_attack(issued: None, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] > 0


@pytest.mark.parametrize("alias", ["default", "owner"])
@pytest.mark.parametrize("table", ISSUED)
def test_no_column_is_updated(issued: None, table: str, alias: str) -> None:
    for column in columns(table, without=()):
        assert refusal(f'UPDATE {table} SET "{column}" = "{column}"', alias) is errors.RestrictViolation, column


@pytest.mark.parametrize("alias", ["default", "owner"])
@pytest.mark.parametrize("table", ISSUED)
def test_no_row_is_deleted(issued: None, table: str, alias: str) -> None:
    assert refusal(f"DELETE FROM {table}", alias) is errors.RestrictViolation
    assert refusal(f"DELETE FROM {table} WHERE false", alias) is errors.RestrictViolation


@pytest.mark.parametrize("table", ISSUED)
def test_no_table_is_truncated(issued: None, table: str) -> None:
    assert refusal(f"TRUNCATE {table} CASCADE") is errors.InsufficientPrivilege
    assert refusal(f"TRUNCATE {table} CASCADE", "owner") is errors.RestrictViolation


@pytest.mark.parametrize("parent", ["customers_seller", "customers_customer", "contracts_contract", "catalog_tariff"])
def test_no_parent_is_truncated_with_all_that_hangs_on_it(issued: None, parent: str) -> None:
    assert refusal(f"TRUNCATE {parent} CASCADE") is errors.InsufficientPrivilege
    assert refusal(f"TRUNCATE {parent} CASCADE", "owner") is errors.RestrictViolation


@pytest.mark.parametrize("table", ISSUED)
def test_no_insert_turns_into_an_update(issued: None, table: str) -> None:
    names = ", ".join(f'"{c}"' for c in columns(table, without=()))
    copy = f"INSERT INTO {table} ({names}) SELECT {names} FROM {table} LIMIT 1"
    changed = f"{copy} ON CONFLICT (id) DO UPDATE SET id = excluded.id"
    assert refusal(changed) is errors.RestrictViolation
    merged = f"MERGE INTO {table} t USING {table} s ON t.id = s.id WHEN MATCHED THEN DELETE"
    assert refusal(merged) is errors.RestrictViolation


def test_a_parent_that_documents_need_is_not_deleted(issued: None) -> None:
    for table in ("customers_customer", "customers_seller", "contracts_contract"):
        immediate = "SET CONSTRAINTS ALL IMMEDIATE"
        assert refusal(f"{immediate}; DELETE FROM {table}") is errors.ForeignKeyViolation, table


# ---- late rows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alias", ["default", "owner"])
@pytest.mark.parametrize("table", CHILDREN)
def test_an_issued_document_gets_no_more_rows(issued: None, table: str, alias: str) -> None:
    """Each copy differs in what is unique, so that only the closed document stands in its way."""
    different = {
        "invoices_documentline": {"position": "position + 100"},
        "invoices_documenttax": {"rate": "rate + 1"},
        "invoices_documentreference": {"corrects_id": "document_id"},
        "billing_charge": {"document_line_id": "(SELECT max(id) + 1 FROM invoices_documentline)"},
    }[table]
    names = columns(table)
    values = ", ".join(different.get(c, f'"{c}"') for c in names)
    quoted = ", ".join(f'"{c}"' for c in names)
    statement = f"INSERT INTO {table} ({quoted}) SELECT {values} FROM {table} LIMIT 1"
    assert refusal(statement, alias) is errors.RestrictViolation


def test_copy_is_refused_too(issued: None) -> None:
    document = Document.objects.get(kind="credit_note")
    with (
        pytest.raises(errors.RestrictViolation),
        transaction.atomic(),
        connection.connection.cursor() as cursor,
        cursor.copy("COPY invoices_documentreference (document_id, corrects_id) FROM STDIN") as copy,
    ):
        copy.write_row([document.pk, document.pk])


def test_the_transaction_that_issues_may_add_rows_within_savepoints(issued: None) -> None:
    """The other side of the border: what `issue` does is allowed, until the transaction is over."""
    names = columns("invoices_document", without=("id", "issued_in", "number"))
    quoted = ", ".join(f'"{c}"' for c in names)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO invoices_document ({quoted}, number) SELECT {quoted}, 'NEW' FROM invoices_document"
                " LIMIT 1 RETURNING id"
            )
            new = cursor.fetchone()[0]
        line = DocumentLine.objects.earliest("id")
        line.pk, line.document_id = None, new
        with transaction.atomic():
            line.save(force_insert=True)
        assert DocumentLine.objects.filter(document=new).count() == 1
        transaction.set_rollback(True)


# ---- what the application's login may not do -----------------------------------------------------------------------


def app_connection(name: str) -> psycopg.Connection:
    """A plain connection as the application's login."""
    given = connections["default"].get_connection_params() | {"dbname": name}
    plain = {k: v for k, v in given.items() if k in ("host", "port", "user", "password", "dbname")}
    return psycopg.connect(**plain, autocommit=True)


def test_the_login_owns_nothing(database: str) -> None:
    with app_connection(database) as app:
        owned = app.execute(
            "SELECT relname FROM pg_class WHERE relowner = current_user::regrole"
            " UNION ALL SELECT proname FROM pg_proc WHERE proowner = current_user::regrole"
            " UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner = current_user::regrole"
            " UNION ALL SELECT datname FROM pg_database WHERE datdba = current_user::regrole"
        ).fetchall()
        assert owned == []
        member = app.execute("SELECT count(*) FROM pg_auth_members WHERE member = current_user::regrole").fetchone()
        assert member == (0,)
        rights = (
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles WHERE rolname = current_user"
        )
        assert app.execute(rights).fetchone() == (False,) * 4


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "ALTER TABLE {table} DISABLE TRIGGER {table}_unchanged",
        "DROP TRIGGER {table}_unchanged ON {table}",
        "DROP TABLE {table} CASCADE",
        "ALTER TABLE {table} ADD COLUMN extra int",
        "ALTER TABLE {table} OWNER TO CURRENT_USER",
        "ALTER TABLE {table} RENAME TO other",
        "CREATE RULE other AS ON INSERT TO {table} DO INSTEAD NOTHING",
        "CREATE TRIGGER other BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION taktura_refuse()",
        "GRANT TRUNCATE ON {table} TO CURRENT_USER",
    ],
)
def test_the_login_cannot_take_the_triggers_away(database: str, statement: str) -> None:
    with app_connection(database) as app:
        for table in ISSUED:
            if statement.startswith("GRANT"):  # PostgreSQL refuses it, or warns and grants nothing
                with pytest.raises(errors.InsufficientPrivilege):
                    app.execute(statement.format(table=table))
                    app.execute(f"TRUNCATE {table} CASCADE")
                continue
            with pytest.raises(errors.InsufficientPrivilege):
                app.execute(statement.format(table=table))


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "SET ROLE taktura_owner",
        "SET SESSION AUTHORIZATION taktura_owner",
        "CREATE OR REPLACE FUNCTION taktura_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "DROP FUNCTION taktura_refuse() CASCADE",
        "CREATE TABLE public.other (n int)",
        "CREATE VIEW public.other AS SELECT 1",
        "CREATE SCHEMA other",
        "CREATE DATABASE other",
        "CREATE ROLE other",
        "ALTER SCHEMA public RENAME TO other",
        "COPY invoices_document TO PROGRAM 'cat'",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())",
        "DELETE FROM django_migrations",
    ],
)
def test_the_login_has_no_way_round(database: str, statement: str) -> None:
    with app_connection(database) as app, pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)


def test_the_login_can_read_and_write_every_table(database: str) -> None:
    """The other side: no table was forgotten by the grants."""
    with app_connection(database) as app:
        tables = app.execute(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations'"
        ).fetchall()
        assert len(tables) > 30
        for (table,) in tables:
            app.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
            can = app.execute("SELECT has_table_privilege(%s, 'INSERT')", [table]).fetchone()
            assert can == (True,), table
        app.execute("SELECT nextval('usage_mark')")


def test_a_trigger_guards_every_table_of_what_is_issued(database: str) -> None:
    with app_connection(database) as app:
        rows = app.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%\\_unchanged' AND tgenabled = 'O'"
        ).fetchall()
    assert {table for (table,) in rows} == set(ISSUED)
    assert Charge._meta.db_table in ISSUED
