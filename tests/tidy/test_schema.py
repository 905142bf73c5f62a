"""The migrated schema can be distributed by account_id, and says what is wrong by name.

Design, section 8: a row that belongs to an account has `account_id` first in its primary key; no
uniqueness and no foreign key leaves it out; no triggers; hot commands are one function each.
"""

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import psycopg
import pytest

from meterai.accounts.model import Role, StaffRole
from meterai.approvals import ApprovalState
from meterai.apps.rooms import global_tables_of
from meterai.documents.model import Hold
from meterai.drafts.model import FileState
from meterai.finance.model import PayoutState
from meterai.incidents.model import IncidentKind, IncidentState, Severity
from meterai.orders.model import OrderKind, OrderState
from meterai.outages.model import OutageState
from meterai.payments import RefundCause, RefundState, Way
from meterai.payments.model import AttemptState, UnmatchedReason
from meterai.payments.transfers.model import TransferState
from meterai.reconciliation.model import BreakKind, DayState
from meterai.stamping.model import StampingState
from meterai.stamps.model import StampState
from meterai.suspense import Resolution, SuspenseState
from meterai.waiting_room.model import GuardedAct, LineState, Policy
from tests.tidy.sources import SOURCES

GLOBAL = global_tables_of()  # what belongs to no account, each with its reason
HOT_COMMANDS = {
    "order_place_by_method": "place an order and record the wish to be paid",
    "payment_capture": "money arrived, as we asked",
    "payment_capture_from": "money arrived, as its provider told us",
    "order_settle": "capture-and-issue",
    "stamping_reserve": "hold stamps, bind serials",
    "stamping_deliver": "keep the delta, post the hold",
}
STATES: dict[tuple[str, str], type[StrEnum]] = {
    ("outages", "outage_state_is_known"): OutageState,
    ("approvals", "approval_state_is_known"): ApprovalState,
    ("draft_files", "draft_file_state_is_known"): FileState,
    ("incidents", "incident_kind_is_known"): IncidentKind,
    ("incidents", "incident_severity_is_known"): Severity,
    ("incidents", "incident_state_is_known"): IncidentState,
    ("object_store", "object_store_hold_is_known"): Hold,
    ("orders", "order_state_is_known"): OrderState,
    ("orders", "order_kind_is_known"): OrderKind,
    ("payment_attempts", "attempt_state_is_known"): AttemptState,
    ("refunds", "refund_way_is_known"): Way,
    ("transfers", "transfer_state_is_known"): TransferState,
    ("stampings", "stamping_state_is_known"): StampingState,
    ("refunds", "refund_state_is_known"): RefundState,
    ("refunds", "refund_cause_is_known"): RefundCause,
    ("stamps", "stamp_is_in_one_state"): StampState,
    ("memberships", "role_is_known"): Role,
    ("staff_roles", "staff_role_is_known"): StaffRole,
    ("payouts", "payout_state_is_known"): PayoutState,
    ("suspense_items", "suspense_state_is_known"): SuspenseState,
    ("waiting_room_lines", "line_state_is_known"): LineState,
    ("waiting_room_lines", "line_act_is_known"): GuardedAct,
    ("waiting_room_lines", "line_policy_is_known"): Policy,
    ("suspense_items", "suspense_reason_is_known"): StrEnum(  # type: ignore[dict-item]
        "Reason", {one.name: one.value for kind in (UnmatchedReason, BreakKind) for one in kind}
    ),
    ("record_days", "record_day_state_is_known"): DayState,
    ("suspense_items", "suspense_resolution_is_known"): Resolution,
}


@pytest.fixture(scope="module")
def schema(server: str, template: str) -> Iterator["Schema"]:
    with psycopg.connect(server.replace("/postgres?", f"/{template}?")) as connection:
        yield Schema(connection)


class Schema:
    """Questions to pg_catalog about the public schema."""

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
        """(table, index, is primary, key columns) of everything unique."""
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


def test_what_belongs_to_no_account_is_a_short_list(schema: Schema) -> None:
    keys = {table: columns for table, _, is_primary, columns in schema.uniques() if is_primary}
    assert schema.tables() == set(keys), "every table has a primary key"
    assert {table for table, key in keys.items() if key[0] != "account_id"} == set(GLOBAL)


def test_no_uniqueness_leaves_the_account_out(schema: Schema) -> None:
    wrong = [
        (table, index)
        for table, index, _, columns in schema.uniques()
        if table not in GLOBAL and "account_id" not in columns
    ]
    assert not wrong


def test_an_account_is_a_column_that_is_never_empty(schema: Schema) -> None:
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


def test_nothing_beyond_postgres_itself_is_used(schema: Schema) -> None:
    assert schema.rows("SELECT extname FROM pg_extension") == [("plpgsql",)]


def test_every_constraint_has_a_name_of_ours(schema: Schema) -> None:
    wrong = [
        (table, name)
        for table, name, kind, _ in schema.constraints()
        # What PostgreSQL calls a constraint that was given no name.
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
    """The words that a CHECK allows, each by itself or in one array."""
    arrays = re.findall(r"'\{([\w,]+)\}'::text\[\]", definition)
    return {*re.findall(r"'(\w+)'::text", definition), *",".join(arrays).split(",")} - {""}


@pytest.mark.parametrize(("where", "states"), STATES.items(), ids=lambda value: str(value))
def test_the_database_knows_the_states_of_the_model(
    schema: Schema, where: tuple[str, str], states: type[StrEnum]
) -> None:
    [definition] = [text for table, name, _, text in schema.constraints() if (table, name) == where]
    assert words_of(definition) == {state.value for state in states}


def test_a_hold_has_its_four_states(schema: Schema) -> None:
    [definition] = [
        text for _, name, _, text in schema.constraints() if name == "hold_state_is_known"
    ]
    # There is no model of holds: they are moved by ledger_resolve alone.
    assert words_of(definition) == {"held", "posted", "voided", "expired"}


WRITTEN_BY_EACH_JOURNEY = frozenset(
    {"orders", "payment_attempts", "captures", "holds", "stamp_lots", "stampings", "mails"}
)


def test_checks_of_what_each_journey_writes_have_one_constant_for_an_array(schema: Schema) -> None:
    """PostgreSQL makes the array of IN (...) anew for each statement that writes a row."""
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
def test_a_hot_command_is_one_function_called_by_one_statement(schema: Schema, name: str) -> None:
    found = schema.rows(
        "SELECT provolatile::text, prokind::text FROM pg_proc"
        f" WHERE proname = '{name}' AND pronamespace = 'public'::regnamespace"
    )
    assert found == [("v", "f")], "one function, not overloaded"
    calls = [(where, text) for where, text in statements() if re.search(rf"\b{name}\(", text)]
    assert len(calls) == 1, calls
    text = " ".join(calls[0][1].split())
    # The function and nothing else: no join, no second call, no arithmetic around it.
    assert re.fullmatch(rf"SELECT (?:[\w, ]+ FROM )?{name}\((?:%s(?:, )?)+\)(?: AS \w+)?", text), (
        text
    )


def test_functions_are_not_overloaded(schema: Schema) -> None:
    assert not schema.rows(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " GROUP BY proname HAVING count(*) > 1"
    )


def test_no_function_catches_what_it_did_not_expect(schema: Schema) -> None:
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
