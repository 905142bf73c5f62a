"""The migrated schema can be distributed by account_id, and its violations are reported by name.

Design, section 8: a row that belongs to an account has `account_id` first in its primary key. Every unique
index and foreign key contains it. There are no triggers, and each hot command is one function.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from meterai.apps.rooms import ROOMS, global_tables_of
from tests.tidy.sources import SOURCES

GLOBAL = global_tables_of()  # tables that belong to no account, each with its reason
HOT_COMMANDS = {
    "order_place_by_method": "place an order and record the wish to be paid",
    "payment_capture": "money arrived, as we asked",
    "payment_capture_from": "money arrived, as its provider told us",
    "order_settle": "capture-and-issue",
    "stamping_reserve": "hold stamps, bind serials",
    "stamping_deliver": "keep the delta, post the hold",
}


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


def test_there_are_no_triggers_rules_or_sequences(schema: Schema) -> None:
    assert not schema.rows("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
    assert not schema.rows(
        "SELECT rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class"
        " WHERE c.relnamespace = 'public'::regnamespace"
    )
    assert not schema.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
    )
    assert not schema.rows(
        "SELECT attrelid::regclass, attname FROM pg_attribute"
        " WHERE attidentity <> '' AND attrelid IN (SELECT oid FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace)"
    )


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


def test_checks_contain_the_words_of_the_model(schema: Schema) -> None:
    allowed = {name: words_of(text) for _, name, _, text in schema.constraints()}
    known: dict[str, set[str]] = {}
    for room in ROOMS:
        for name, kinds in room.words.items():
            known.setdefault(name, set()).update(one.value for kind in kinds for one in kind)
    assert known == {name: allowed[name] for name in known}


def test_hold_has_four_states(schema: Schema) -> None:
    [definition] = [
        text for _, name, _, text in schema.constraints() if name == "hold_state_is_known"
    ]
    # Holds have no model, since only ledger_resolve moves them.
    assert words_of(definition) == {"held", "posted", "voided", "expired"}


WRITTEN_BY_EACH_JOURNEY = frozenset(
    {"orders", "payment_attempts", "captures", "holds", "stamp_lots", "stampings", "mails"}
)


def test_checks_of_hot_tables_compare_with_one_array_constant(schema: Schema) -> None:
    """PostgreSQL builds the array of IN (...) anew for each statement that writes a row."""
    made = {
        name
        for table, name, _, text in schema.constraints()
        if table in WRITTEN_BY_EACH_JOURNEY and "ARRAY[" in text
    }
    assert not made, f"say {sorted(made)} as = ANY ('{{...}}')"


def statements() -> Iterator[tuple[str, str]]:
    """(where, text) of every constant of the code that calls a function in the database."""
    for path, tree in SOURCES:
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)) if re.match(r"\s*SELECT\b", text):
                    yield f"{path}:{node.lineno}", text


@pytest.mark.parametrize("name", HOT_COMMANDS)
def test_hot_command_is_one_function_called_by_one_statement(schema: Schema, name: str) -> None:
    found = schema.rows(
        "SELECT provolatile::text, prokind::text FROM pg_proc"
        f" WHERE proname = '{name}' AND pronamespace = 'public'::regnamespace"
    )
    assert found == [("v", "f")], "one function, not overloaded"
    calls = [(where, text) for where, text in statements() if re.search(rf"\b{name}\(", text)]
    assert len(calls) == 1, calls
    text = " ".join(calls[0][1].split())
    # Only the function: no join, no second call, no arithmetic around it.
    assert re.fullmatch(rf"SELECT (?:[\w, ]+ FROM )?{name}\((?:%s(?:, )?)+\)(?: AS \w+)?", text), (
        text
    )


def test_functions_are_not_overloaded(schema: Schema) -> None:
    assert not schema.rows(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " GROUP BY proname HAVING count(*) > 1"
    )


def test_functions_have_no_exception_block(schema: Schema) -> None:
    # An EXCEPTION block costs a subtransaction and can hide a broken promise.
    assert not schema.rows(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND (prosrc ~* '\\mEXCEPTION\\s+WHEN' OR prosrc ~* '\\mCOMMIT\\M' OR prosecdef)"
    )


def test_hot_paths_do_not_notify(schema: Schema) -> None:
    assert not schema.rows(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND prosrc ~* '\\m(NOTIFY|pg_notify)\\M'"
    )
