"""The audit checks what it relies on: functions, constraints, triggers, rights."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

import psycopg
import pytest

from meterai.plumbing.db import rights
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import look
from meterai.plumbing.db.schema import check_schema
from tests.audit.conftest import Spoilt
from tests.support.history import History
from tests.support.shop import Shop

CHANGES = {
    "a constraint is gone": (
        "ALTER TABLE balances DROP CONSTRAINT balance_covers_its_holds",
        "schema_is_that_of_the_migrations",
    ),
    "a key is gone": (
        "ALTER TABLE refunds DROP CONSTRAINT one_refund_per_cause",
        "schema_is_that_of_the_migrations",
    ),
    "an index is gone": ("DROP INDEX stamps_by_serial", "schema_is_that_of_the_migrations"),
    "a table is gone": ("DROP TABLE serial_leases", "schema_is_that_of_the_migrations"),
    "a table of nobody": ("CREATE TABLE shadow ()", "schema_is_that_of_the_migrations"),
    "a migration is forgotten": (
        "DELETE FROM applied_migrations WHERE name LIKE '0003%'",
        "schema_is_that_of_the_migrations",
    ),
    "a migration was another": (
        "UPDATE applied_migrations SET sha256 = 'x' WHERE name LIKE '0003%'",
        "schema_is_that_of_the_migrations",
    ),
    "a function does something else": (
        "CREATE OR REPLACE FUNCTION is_guarded(p_book text) RETURNS boolean LANGUAGE sql IMMUTABLE"
        " STRICT AS 'SELECT false'",
        "functions_are_those_of_the_migrations",
    ),
    "a function is gone": (
        "DROP FUNCTION stamps_owe(uuid, uuid, bigint)",
        "functions_are_those_of_the_migrations",
    ),
    "a function is there twice": (
        "CREATE FUNCTION emit(text) RETURNS void LANGUAGE sql AS ''",
        "functions_are_those_of_the_migrations",
    ),
    "a function of nobody": (
        "CREATE FUNCTION shadow() RETURNS void LANGUAGE sql AS ''",
        "functions_are_those_of_the_migrations",
    ),
    "a function runs as its owner": (
        "ALTER FUNCTION compact(uuid) SECURITY DEFINER",
        "functions_are_those_of_the_migrations",
    ),
    "a trigger": (
        "CREATE TRIGGER shadow BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION"
        " suppress_redundant_updates_trigger()",
        "nothing_acts_behind_our_back",
    ),
    "checks are not asked": (
        "UPDATE pg_class SET relchecks = 0 WHERE oid = 'orders'::regclass",
        "nothing_acts_behind_our_back",
    ),
    "a rule": (
        "CREATE RULE shadow AS ON INSERT TO audit_events DO INSTEAD NOTHING",
        "nothing_acts_behind_our_back",
    ),
    "row security": (
        "ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY",
        "nothing_acts_behind_our_back",
    ),
    "foreign keys are off": (
        "ALTER TABLE legs DISABLE TRIGGER ALL",
        "nothing_acts_behind_our_back",
    ),
    "a check is weaker": (
        "ALTER TABLE orders DROP CONSTRAINT order_total_is_the_sum;"
        " ALTER TABLE orders ADD CONSTRAINT order_total_is_the_sum CHECK (total > 0)",
        "schema_is_that_of_the_migrations",
    ),
    "a check is not asked of what is there": (
        "ALTER TABLE orders DROP CONSTRAINT order_kind_is_known;"
        " ALTER TABLE orders ADD CONSTRAINT order_kind_is_known"
        " CHECK (kind IN ('stamps', 'documents')) NOT VALID",
        "schema_is_that_of_the_migrations",
    ),
    "a key is held later": (
        "ALTER TABLE captures DROP CONSTRAINT capture_has_its_attempt;"
        " ALTER TABLE captures ADD CONSTRAINT capture_has_its_attempt FOREIGN KEY"
        " (account_id, attempt_id) REFERENCES payment_attempts DEFERRABLE INITIALLY DEFERRED",
        "schema_is_that_of_the_migrations",
    ),
    "a check of nobody": (
        "ALTER TABLE orders ADD CONSTRAINT shadow CHECK (total < 100000)",
        "schema_is_that_of_the_migrations",
    ),
    "a key of fewer columns": (
        "ALTER TABLE refunds DROP CONSTRAINT one_refund_per_cause;"
        " CREATE INDEX one_refund_per_cause ON refunds (account_id, cause_key)",
        "schema_is_that_of_the_migrations",
    ),
    "an index of fewer rows": (
        "DROP INDEX stamps_by_lot;"
        " CREATE INDEX stamps_by_lot ON stamps (account_id, lot_id) WHERE serial > 'A'",
        "schema_is_that_of_the_migrations",
    ),
    "a column of another type": (
        "ALTER TABLE mails ALTER COLUMN cause_key TYPE varchar",
        "schema_is_that_of_the_migrations",
    ),
    "a column that may be empty": (
        "ALTER TABLE orders ALTER COLUMN request_hash DROP NOT NULL",
        "schema_is_that_of_the_migrations",
    ),
    "a column begins with something else": (
        "ALTER TABLE audit_events ALTER COLUMN happened_at SET DEFAULT '2026-01-01'",
        "schema_is_that_of_the_migrations",
    ),
    "a column of nobody": (
        "ALTER TABLE orders ADD COLUMN shadow text",
        "schema_is_that_of_the_migrations",
    ),
    "two columns changed places": (
        "ALTER TABLE balances RENAME COLUMN posted TO shadow;"
        " ALTER TABLE balances RENAME COLUMN held TO posted;"
        " ALTER TABLE balances RENAME COLUMN shadow TO held",
        "schema_is_that_of_the_migrations",
    ),
    "a table without a log": (
        "ALTER TABLE mails SET UNLOGGED",
        "schema_is_that_of_the_migrations",
    ),
    "a table is a view": (
        "ALTER TABLE entries RENAME TO entries_kept; CREATE VIEW entries AS SELECT * FROM"
        " entries_kept WHERE reason <> 'stamps_issued'",
        "schema_is_that_of_the_migrations",
    ),
    "a table has a child": (
        "CREATE SCHEMA aside; CREATE TABLE aside.more () INHERITS (stamps)",
        "schema_is_that_of_the_migrations",
    ),
    "a function takes other words": (
        "CREATE OR REPLACE FUNCTION emit(p_account uuid, p_kind text, p_facts jsonb DEFAULT '{}')"
        " RETURNS void LANGUAGE sql AS $$\n    INSERT INTO jobs (account_id, kind, facts) VALUES"
        " (p_account, p_kind, p_facts);\n$$",
        "functions_are_those_of_the_migrations",
    ),
    "a function is never asked again": (
        "ALTER FUNCTION order_used(uuid, uuid, uuid, text) IMMUTABLE",
        "functions_are_those_of_the_migrations",
    ),
    "a function has another path": (
        "ALTER FUNCTION order_settle(uuid, uuid, uuid, text, bigint) SET search_path = aside",
        "functions_are_those_of_the_migrations",
    ),
    "a function hides in an extension": (
        "CREATE FUNCTION shadow() RETURNS void LANGUAGE sql AS '';"
        " ALTER EXTENSION plpgsql ADD FUNCTION shadow()",
        "functions_are_those_of_the_migrations",
    ),
    "an operator": (
        "CREATE FUNCTION shadow(bigint, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
        " CREATE OPERATOR = (LEFTARG = bigint, RIGHTARG = text, FUNCTION = shadow)",
        "nothing_acts_behind_our_back",
    ),
    "a cast": (
        "CREATE CAST (bigint AS interval) WITH INOUT AS IMPLICIT",
        "nothing_acts_behind_our_back",
    ),
    "a function of PostgreSQL": (
        "CREATE FUNCTION pg_catalog.concat_ws(text, bigint, text) RETURNS text LANGUAGE sql AS"
        " 'SELECT NULL'",
        "nothing_acts_behind_our_back",
    ),
    "a table of the same name": (
        "CREATE SCHEMA aside; CREATE TABLE aside.orders (LIKE orders)",
        "names_mean_our_schema",
    ),
    "a view of the same name": (
        "CREATE SCHEMA aside; CREATE VIEW aside.entries AS SELECT * FROM entries WHERE false",
        "names_mean_our_schema",
    ),
    "a temporary table of the same name": (
        "CREATE TEMPORARY TABLE legs (LIKE legs)",
        "names_mean_our_schema",
    ),
    "a function of the same name": (
        "CREATE SCHEMA aside; CREATE FUNCTION aside.compact(uuid) RETURNS text LANGUAGE sql"
        " AS 'SELECT NULL'",
        "names_mean_our_schema",
    ),
    "another path of a database": (
        "ALTER DATABASE of_audit SET search_path = aside, public",
        "names_mean_our_schema",
    ),
    "another path of everybody": (
        "ALTER ROLE ALL SET search_path = aside, public",
        "names_mean_our_schema",
    ),
    "another path of the role": (
        f"ALTER ROLE {rights.ROLE} SET search_path = aside, public",
        "names_mean_our_schema",
    ),
    "a comparison with nothing": (
        "ALTER ROLE CURRENT_USER SET transform_null_equals = on",
        "names_mean_our_schema",
    ),
    "a right too many": (
        f"GRANT UPDATE ON entries TO {rights.ROLE}",
        "application_cannot_change_the_past",
    ),
    "a right for everybody": (
        "GRANT DELETE ON audit_events TO PUBLIC",
        "application_cannot_change_the_past",
    ),
    "a right to one column": (
        f"GRANT UPDATE (amount) ON captures TO {rights.ROLE}",
        "application_cannot_change_the_past",
    ),
    "a right for another": (
        "CREATE ROLE somebody; GRANT INSERT ON legs TO somebody",
        "application_cannot_change_the_past",
    ),
    "a column for everybody to read": (
        "GRANT SELECT (email) ON accounts TO PUBLIC",
        "application_cannot_change_the_past",
    ),
    "a right to make triggers": (
        f"GRANT TRIGGER ON orders TO {rights.ROLE}",
        "application_cannot_change_the_past",
    ),
    "a right to give": (
        f"GRANT SELECT ON orders TO {rights.ROLE} WITH GRANT OPTION",
        "application_cannot_change_the_past",
    ),
    "a right to make tables": (
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "application_cannot_change_the_past",
    ),
    "a right to make schemas": (
        f"GRANT CREATE ON DATABASE of_audit TO {rights.ROLE}",
        "application_cannot_change_the_past",
    ),
    "a right to turn foreign keys off": (
        f"GRANT SET ON PARAMETER session_replication_role TO {rights.ROLE}",
        "application_cannot_change_the_past",
    ),
    "a right to tables to come": (
        f"ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO {rights.ROLE}",
        "application_cannot_change_the_past",
    ),
    "the role passes row security": (
        f"ALTER ROLE {rights.ROLE} BYPASSRLS",
        "application_cannot_change_the_past",
    ),
    "the role logs in": (
        f"ALTER ROLE {rights.ROLE} LOGIN",
        "application_cannot_change_the_past",
    ),
    "the role is in another": (
        f"GRANT pg_write_all_data TO {rights.ROLE}",
        "application_cannot_change_the_past",
    ),
    "a login can do more than the role": (
        f"CREATE ROLE web_too LOGIN CREATEROLE IN ROLE {rights.ROLE}",
        "application_cannot_change_the_past",
    ),
    "a login is in another role": (
        f"CREATE ROLE web_too LOGIN IN ROLE {rights.ROLE}, pg_write_all_data",
        "application_cannot_change_the_past",
    ),
    "somebody else owns a table": (
        "CREATE ROLE somebody; ALTER TABLE deltas OWNER TO somebody",
        "application_cannot_change_the_past",
    ),
    "somebody else owns a function": (
        "CREATE ROLE somebody; ALTER FUNCTION emit(uuid, text, jsonb) OWNER TO somebody",
        "application_cannot_change_the_past",
    ),
    "a function that runs as the owner": (
        "CREATE SCHEMA aside; GRANT USAGE ON SCHEMA aside TO PUBLIC; CREATE FUNCTION aside.shadow()"
        " RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM public.entries'",
        "application_cannot_change_the_past",
    ),
    "a right is missing": (
        f"REVOKE INSERT ON legs FROM {rights.ROLE}",
        "application_cannot_change_the_past",
    ),
    "a function nobody may call": (
        "REVOKE EXECUTE ON FUNCTION emit(uuid, text, jsonb) FROM PUBLIC",
        "application_cannot_change_the_past",
    ),
    "the role owns a table": (
        f"GRANT CREATE ON SCHEMA public TO {rights.ROLE};"
        f" ALTER TABLE deltas OWNER TO {rights.ROLE}",
        "application_cannot_change_the_past",
    ),
}


def broken(history: History, database: object) -> dict[str, Any]:
    found = history.shop.do(check_schema(cast(Database, database)))
    return {one.invariant.name: one.evidence for one in found if not one.holds}


def test_migrated_schema_holds(history: History) -> None:
    assert broken(history, history.shop.container.database) == {}


@pytest.mark.parametrize("what", CHANGES)
def test_changed_schema_is_found(history: History, spoilt: Spoilt, what: str) -> None:
    sql, seen_by = CHANGES[what]
    # Locks of the shop's connections are released soon, since no statement holds one for long.
    spoilt.connection.execute("SET LOCAL lock_timeout = '30s'")
    spoilt.connection.execute(sql.encode())
    assert seen_by in broken(history, spoilt)


def test_reporting_role_may_read(history: History, spoilt: Spoilt) -> None:
    spoilt.connection.execute("CREATE ROLE somebody; GRANT SELECT ON orders TO somebody")
    assert broken(history, spoilt) == {}


# -- which rows are read -----------------------------------------------------------------------

SHADOWS = {
    "a view of a database's path": (
        "CREATE SCHEMA aside; CREATE VIEW aside.orders AS SELECT * FROM public.orders WHERE false;"
        " GRANT USAGE ON SCHEMA aside TO PUBLIC; GRANT SELECT ON aside.orders TO PUBLIC",
        "ALTER DATABASE {} SET search_path = aside, public",
    ),
    "catalogs of a database's path": (
        "CREATE SCHEMA aside; CREATE VIEW aside.pg_proc AS SELECT * FROM pg_catalog.pg_proc"
        " WHERE false; CREATE FUNCTION aside.set_config(text, text, boolean) RETURNS text"
        " LANGUAGE sql AS 'SELECT $2'; GRANT USAGE ON SCHEMA aside TO PUBLIC;"
        " GRANT SELECT ON aside.pg_proc TO PUBLIC",
        "ALTER DATABASE {} SET search_path = aside, pg_catalog, public",
    ),
    "a schema of the user's own": (
        "CREATE SCHEMA postgres; CREATE VIEW postgres.orders AS SELECT * FROM public.orders"
        " WHERE false; GRANT USAGE ON SCHEMA postgres TO PUBLIC;"
        " GRANT SELECT ON postgres.orders TO PUBLIC",
        "",
    ),
}


@pytest.mark.parametrize("what", SHADOWS)
def test_shadowing_object_is_not_read(shop: Shop, what: str) -> None:
    order = shop.place(1)
    made, setting = SHADOWS[what]
    url = shop.container.database.url
    shop.arrange(made)
    if setting:
        shop.arrange(setting.format(psycopg.conninfo.conninfo_to_dict(url)["dbname"]))

    async def found() -> tuple[int, set[str]]:
        database = Database(url, connections=1)
        await database.open()
        try:
            rows = await look(database, "SELECT order_id FROM orders WHERE order_id = %s", order)
            findings = await check_schema(database)
        finally:
            await database.close()
        return len(rows), {one.invariant.name for one in findings if not one.holds}

    count, names = shop.do(found())
    assert count == 1
    assert "names_mean_our_schema" in names


# -- rights ------------------------------------------------------------------------------------

DEFINITIONS = (
    "ALTER TABLE entries ADD COLUMN x integer",
    "DROP TABLE entries",
    "CREATE TABLE x ()",
    "CREATE TRIGGER x BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION"
    " suppress_redundant_updates_trigger()",
)


def refused_of(columns: Mapping[str, Collection[str]], table: str) -> Iterator[str]:
    """Statements that rewrite past rows of one table."""
    yield f"DELETE FROM {table}"
    yield f"TRUNCATE {table}"
    if table in rights.OWNERS:
        yield f"INSERT INTO {table} DEFAULT VALUES"
    for column in sorted(rights.KEPT.get(table, columns[table])):
        yield f"UPDATE {table} SET {column} = {column}"


@pytest.mark.parametrize("table", sorted(rights.PAST | rights.OWNERS | rights.KEPT.keys()))
def test_statements_that_rewrite_past_rows_are_refused(history: History, table: str) -> None:
    columns = rights.by_table(history.shop.rows(rights.COLUMNS))
    for sql in refused_of(columns, table):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            history.shop.call(sql)


@pytest.mark.parametrize("sql", DEFINITIONS)
def test_application_role_cannot_change_the_past(history: History, sql: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        history.shop.call(sql)
