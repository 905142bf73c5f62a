"""Every table declares its retention, and every rule names existing tables and columns."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from meterai.plumbing.work.retention import WEEK, Leaves, Stays
from scripts.retention import KEPT, RULES

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
