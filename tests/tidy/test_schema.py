"""The migrated schema can be distributed by account_id, and its violations are reported by name.

Design, section 8: a row that belongs to an account has `account_id` first in its primary key. Every unique
index and foreign key contains it. There are no triggers, and each hot command is one function.
"""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from meterai.apps.rooms import ROOMS, global_tables_of

GLOBAL = global_tables_of()  # tables that belong to no account, each with its reason


@pytest.fixture(scope="module")
def schema(server: str, template: str) -> Iterator["Schema"]:
    with psycopg.connect(server.replace("/postgres?", f"/{template}?")) as connection:
        yield Schema(connection)


class Schema:
    """Queries to pg_catalog about the public schema."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode()).fetchall()

    def tables(self) -> set[str]:
        return {
            name
            for (name,) in self.rows(
                "SELECT relname FROM pg_class"
                " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            )
        }

    def columns(self, table: str) -> list[str]:
        return [
            name
            for (name,) in self.rows(
                f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass"
                " AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
            )
        ]

    def uniques(self) -> list[tuple[str, str, bool, list[str]]]:
        """(table, index, is primary, key columns) of every unique index."""
        return self.rows(
            "SELECT c.relname, i.relname, x.indisprimary, ARRAY("
            "  SELECT coalesce(a.attname, '?') FROM unnest(x.indkey) WITH ORDINALITY AS k (n, place)"
            "  LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.n"
            "  ORDER BY k.place)"
            " FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid"
            " JOIN pg_class i ON i.oid = x.indexrelid"
            " WHERE x.indisunique AND c.relnamespace = 'public'::regnamespace"
        )

    def constraints(self) -> list[tuple[str, str, str, str]]:
        """(table, constraint, type, definition)."""
        return self.rows(
            "SELECT c.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid)"
            " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
            " WHERE c.relnamespace = 'public'::regnamespace"
        )


def test_tables_without_account_are_a_short_list(schema: Schema) -> None:
    keys = {table: columns for table, _, is_primary, columns in schema.uniques() if is_primary}
    assert schema.tables() == set(keys), "every table has a primary key"
    assert {table for table, key in keys.items() if key[0] != "account_id"} == set(GLOBAL)


def test_unique_indexes_contain_the_account(schema: Schema) -> None:
    wrong = [
        (table, index)
        for table, index, _, columns in schema.uniques()
        if table not in GLOBAL and "account_id" not in columns
    ]
    assert not wrong


def test_account_column_is_never_null(schema: Schema) -> None:
    nullable = schema.rows(
        "SELECT attrelid::regclass, attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
        " WHERE attname = 'account_id' AND NOT attnotnull AND c.relkind = 'r'"
        " AND c.relnamespace = 'public'::regnamespace"
    )
    assert not nullable


def test_foreign_keys_stay_within_the_account(schema: Schema) -> None:
    for table, name, kind, definition in schema.constraints():
        if kind != "f":
            continue
        columns = re.match(r"FOREIGN KEY \(([^)]*)\) REFERENCES (\w+)\(([^)]*)\)", definition)
        assert columns, definition
        assert columns[2] not in GLOBAL, f"{table}.{name} refers to what is global"
        here, there = (columns[n].split(", ") for n in (1, 3))
        assert "account_id" in here, f"{table}.{name}"
        assert here.index("account_id") == there.index("account_id"), f"{table}.{name}"


def test_only_core_postgresql_is_used(schema: Schema) -> None:
    assert schema.rows("SELECT extname FROM pg_extension") == [("plpgsql",)]


def test_every_constraint_has_a_name_of_ours(schema: Schema) -> None:
    wrong = [
        (table, name)
        for table, name, kind, _ in schema.constraints()
        # Names that PostgreSQL gives to a constraint without one.
        if kind in "cfux" and re.fullmatch(rf"{table}_(?:\w+_)?(?:check|fkey|key|excl)\d*", name)
    ]
    assert not wrong
    keys = [name for _, name, kind, _ in schema.constraints() if kind == "p"]
    assert all(name.endswith("_pkey") for name in keys)


def test_money_and_time_have_one_type(schema: Schema) -> None:
    wrong = schema.rows(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'"
        " AND c.relnamespace = 'public'::regnamespace WHERE a.attnum > 0 AND NOT a.attisdropped"
        " AND (format_type(a.atttypid, NULL) IN ('numeric', 'real', 'money', 'json', 'timestamp"
        " without time zone')"
        "  OR (a.attname IN ('amount', 'total', 'unit_price', 'service_fee', 'debit', 'credit',"
        "                    'posted', 'held') AND c.relname <> 'stamp_lots'"
        "      AND format_type(a.atttypid, NULL) <> 'bigint')"
        "  OR (a.attname LIKE '%%\\_at'"
        "      AND format_type(a.atttypid, NULL) <> 'timestamp with time zone'))"
    )
    assert not wrong


def words_of(definition: str) -> set[str]:
    """Words that a CHECK allows, singly or in an array."""
    arrays = re.findall(r"'\{([\w,]+)\}'::text\[\]", definition)
    return {*re.findall(r"'(\w+)'::text", definition), *",".join(arrays).split(",")} - {""}


def test_checks_contain_the_states_of_each_lifecycle(schema: Schema) -> None:
    allowed = [(table, name, words_of(text)) for table, name, _, text in schema.constraints()]
    for room in ROOMS:
        own = [
            words
            for table, name, words in allowed
            if table in room.owned_tables and name not in room.words
        ]
        together = {kind for kinds in room.words.values() for kind in kinds}
        for lifecycle in room.lifecycles:
            states = {state.value for state in lifecycle.states}
            assert states in own or lifecycle.states in together, lifecycle.subject
