"""The audit looks at what it relies on: functions, constraints, triggers, rights."""

from typing import Any, cast

import psycopg
import pytest

from meterai.plumbing import rights
from meterai.plumbing.database import Database
from meterai.plumbing.schema import check_schema, works_as
from tests.audit.conftest import Spoilt
from tests.support.history import History

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
        "DROP FUNCTION stamps_return(uuid, uuid, bigint)",
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
    "the role owns a table": (
        f"GRANT CREATE ON SCHEMA public TO {rights.ROLE};"
        f" ALTER TABLE deltas OWNER TO {rights.ROLE}",
        "application_cannot_change_the_past",
    ),
}


def broken(history: History, database: object) -> dict[str, Any]:
    found = history.shop.do(check_schema(cast(Database, database)))
    return {one.invariant.name: one.evidence for one in found if not one.holds}


def test_what_the_migrations_made_holds(history: History) -> None:
    assert broken(history, history.shop.container.database) == {}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_schema_is_seen(history: History, spoilt: Spoilt, what: str) -> None:
    sql, seen_by = CHANGES[what]
    # What the pool of the shop holds is let go by statements that take no lock for long.
    spoilt.connection.execute("SET LOCAL lock_timeout = '5s'")
    spoilt.connection.execute(sql.encode())
    assert seen_by in broken(history, spoilt)


# -- rights ------------------------------------------------------------------------------------

REFUSED = [
    "UPDATE entries SET reason = 'x'",
    "DELETE FROM entries",
    "UPDATE legs SET credit = 1",
    "DELETE FROM legs",
    "UPDATE captures SET amount = 1",
    "DELETE FROM captures",
    "UPDATE audit_events SET actor = 'x'",
    "DELETE FROM audit_events",
    "TRUNCATE audit_events",
    "UPDATE deltas SET delta = 'x'",
    "DELETE FROM deltas",
    "UPDATE serial_directory SET account_id = gen_random_uuid()",
    "DELETE FROM serial_directory",
    "UPDATE applied_migrations SET sha256 = 'x'",
    "INSERT INTO applied_migrations VALUES ('x', 'x')",
    "UPDATE audit_points SET history = ''",
    "DELETE FROM audit_points",
    "UPDATE orders SET total = 1",
    "DELETE FROM orders",
    "UPDATE refunds SET payment = 'x'",
    "DELETE FROM refunds",
    "UPDATE stamps SET serial = 'x'",
    "UPDATE stampings SET sha256_original = ''",
    "DELETE FROM balances",
    "ALTER TABLE entries ADD COLUMN x integer",
    "DROP TABLE entries",
    "CREATE TABLE x ()",
    "CREATE TRIGGER x BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION"
    " suppress_redundant_updates_trigger()",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_the_application_cannot_change_the_past(history: History, sql: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        history.shop.call(sql)


def test_the_application_works_as_its_role(history: History, spoilt: Spoilt) -> None:
    assert history.shop.do(works_as(history.shop.container.database)) is None
    assert history.shop.do(works_as(cast(Database, spoilt))) == "postgres"


def test_every_right_speaks_of_a_column_that_exists(history: History) -> None:
    rows = history.shop.rows(rights.COLUMNS)
    there = {(row["relname"], row["attname"]) for row in rows}
    fixed = {(table, name) for table, names in rights.KEPT.items() for name in names}
    assert fixed - there == set()
    assert (rights.PAST | rights.OWNERS) - {table for table, _ in there} == set()
