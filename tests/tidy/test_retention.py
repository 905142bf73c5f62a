"""Every table declares its retention, and every rule names existing tables and columns."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from meterai.plumbing.db.rights import Right, rights_due
from meterai.plumbing.work.retention import WEEK, Leaves, Stays
from scripts.retention import COMMAND, FILE, KEPT, RULES, document

# Columns that may contain personal data, by their name.
PERSONAL = {
    *("email", "recipient", "network", "name", "body", "told", "facts", "note", "phone"),
    *("fault", "last_fault"),  # a message of another machine may repeat an address
}
EVERY: list[Leaves | Stays] = [*RULES, *KEPT]
HARMLESS = {(rule.table, column) for rule in EVERY for column in rule.harmless}


@pytest.fixture(scope="module")
def connection(server: str, template: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.replace("/postgres?", f"/{template}?")) as connection:
        yield connection


def rows(connection: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def columns(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    return rows(
        connection,
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND a.attnum > 0 AND NOT a.attisdropped",
    )


def test_every_table_has_a_retention(
    connection: psycopg.Connection[Any],
) -> None:
    there = {table for table, _ in columns(connection)}
    leaving, staying = {rule.table for rule in RULES}, [one.table for one in KEPT]
    assert not there - leaving - set(staying), "name them in the retention of their room"
    assert not (leaving | set(staying)) - there, "there is no such table"
    assert not leaving & set(staying)
    assert len(staying) == len(set(staying))


def test_every_rule_and_exception_has_a_reason() -> None:
    for one in EVERY:
        assert one.why.endswith("."), one
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))


def test_columns_with_personal_data_are_deleted_or_exempt(
    connection: psycopg.Connection[Any],
) -> None:
    found = {(table, name) for table, name in columns(connection) if name in PERSONAL}
    leaves = {
        (table, name)
        for table, name in found
        for rule in RULES
        if rule.table == table and (not rule.blanks or name in rule.blanks)
    }
    assert found - leaves - HARMLESS == set(), "say in the retention of the room why it may stay"
    assert found - leaves >= HARMLESS, "it leaves: that needs no reason"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_uses_the_key_of_its_table(connection: psycopg.Connection[Any], rule: Leaves) -> None:
    [(key,)] = rows(
        connection,
        "SELECT array_agg(a.attname ORDER BY k.place) FROM pg_index x,"
        " unnest(x.indkey) WITH ORDINALITY AS k (n, place), pg_attribute a"
        f" WHERE x.indrelid = '{rule.table}'::regclass AND x.indisprimary"
        " AND a.attrelid = x.indrelid AND a.attnum = k.n",
    )
    assert tuple(key) == rule.key


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_round_without_rows_reads_only_an_index(
    connection: psycopg.Connection[Any], rule: Leaves
) -> None:
    # On an empty table all indexes cost the same, so those for other purposes are dropped.
    ours = f"{rule.table}_to_(leave|blank|unname)"
    for (other,) in rows(
        connection,
        "SELECT indexrelid::regclass::text FROM pg_index x"
        f" WHERE indrelid = '{rule.table}'::regclass AND indexrelid::regclass::text !~ '{ours}'"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid)",
    ):
        connection.execute(f"DROP INDEX {other}".encode())
    connection.execute("SET LOCAL enable_seqscan = off")
    found = rule.statement().partition("(SELECT ")[2].rpartition(" FOR UPDATE")[0]
    query = "EXPLAIN SELECT " + found.replace("%s", "now()", 1).replace("%s", "500")
    plan = "\n".join(line for (line,) in rows(connection, query))
    connection.rollback()
    assert re.search(ours, plan), plan
    assert "Filter" not in plan, f"the index holds more than the rows of the rule: {plan}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_application_has_the_rights_for_a_rule(
    connection: psycopg.Connection[Any], rule: Leaves
) -> None:
    names = frozenset(name for table, name in columns(connection) if table == rule.table)
    asked = {Right(rule.table, "UPDATE", column) for column in rule.blanks}
    assert (asked or {Right(rule.table, "DELETE")}) <= rights_due({rule.table: names})


def test_rule_with_alternative_conditions_waits_for_its_time(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute("CREATE TEMP TABLE kept (id integer, at timestamptz, is_one boolean)")
    connection.execute(
        "INSERT INTO kept VALUES (1, now(), true), (2, now() - interval '2 days', true)"
    )
    rule = Leaves("kept", "kept", ("id",), WEEK, "at", "why", only="is_one OR id > 5")
    connection.execute(rule.statement().encode(), ("yesterday", 10))
    left = rows(connection, "SELECT id FROM kept")
    connection.rollback()
    assert left == [(1,)]


def test_document_equals_the_rules() -> None:
    assert FILE.is_file(), f"write it with {COMMAND}"
    assert FILE.read_text() == document(), f"write it again with {COMMAND}"
