"""SQL obeys the same walls as imports: every table and every function belongs to one room.

A room's SQL names its own tables and those of plumbing. It calls its own functions, those of plumbing, and
those of lower rooms that are marked `-- Public:` at the head of their file. Some checks compare facts of
several rooms and also read the tables of lower rooms: invariants with the evidence of marks (`audited`), checks
that are no single query (`*_check.py`), the comparison of records with payments, refunds and books, and the
seals of the audit.
"""

import ast
import re
import tomllib
from collections.abc import Iterator

import psycopg
import pytest

from meterai.apps.rooms import ROOMS, owners_of_tables
from meterai.plumbing.db.tables import TABLES
from scripts.architecture import levels
from tests.tidy.sources import ROOT
from tests.tidy.statements import (
    Sql,
    calls_in,
    everything,
    function_files,
    is_public,
    strings_of,
    tables_in,
    without_words,
)

OWNERS = owners_of_tables()
_COLUMNS = tomllib.loads((ROOT / "migrations" / "schema.toml").read_text())["column"]
BOTH = frozenset(name.split(".")[-1] for name in _COLUMNS) & frozenset(OWNERS)
FUNCTIONS = {one.where: one for one in function_files()}
_COMPARES = re.compile(r"(/invariants|/audited|_check|reconciliation/sides|audit/seals)\.py:")
HEIGHT = {room: -place for place, layer in enumerate(levels()) for room in layer}

# (name, users, reason). An entry that is no longer needed fails the test.
_GROUPS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "stamp_lots",
        ("orders/store.py:_WAITING",),
        "issuing is stopped at every version of the schema: a function of today may not be there",
    ),
)
EXCEPTIONS = {(where, name): why for name, places, why in _GROUPS for where in places}


def strangers(sql: Sql) -> Iterator[str]:
    """Tables and functions of other rooms that SQL names without permission."""
    compares = sql.home != "plumbing" and _COMPARES.search(sql.where)
    for table in tables_in(sql.bare, frozenset(OWNERS), BOTH):
        owner = OWNERS[table]
        is_read_below = compares and HEIGHT[owner] < HEIGHT[sql.home]
        if owner not in (sql.home, "plumbing") and not is_read_below:
            yield table
    for name in calls_in(sql.bare, frozenset(FUNCTIONS)):
        owner = FUNCTIONS[name].home
        is_offered = HEIGHT[owner] < HEIGHT[sql.home] and is_public(FUNCTIONS[name].text)
        if owner not in (sql.home, "plumbing") and not is_offered:
            yield name


def test_every_table_has_one_owner(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT relname::text FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        ).fetchall()
    claims = [*TABLES, *(table for room in ROOMS for table in room.owned_tables)]
    assert sorted(claims) == sorted(name for (name,) in rows)
    assert owners_of_tables().keys() == set(claims)


def test_sql_stays_within_its_walls() -> None:
    found = {(sql.where, name) for sql in everything() for name in strangers(sql)}
    assert found - EXCEPTIONS.keys() == set(), "ask a public function of the owner, or a parameter"
    assert EXCEPTIONS.keys() - found == set(), "no longer needed"


def test_public_function_has_a_foreign_user() -> None:
    asked = {
        name
        for sql in everything()
        for name in calls_in(sql.bare, frozenset(FUNCTIONS))
        if FUNCTIONS[name].home not in (sql.home, "plumbing")
    }
    public = {name for name, sql in FUNCTIONS.items() if is_public(sql.text)}
    assert not public - asked


def test_offered_query_is_inlined(database_url: str) -> None:
    offered = [
        name
        for name, sql in FUNCTIONS.items()
        if is_public(sql.text)
        and re.search(r"RETURNS TABLE .*LANGUAGE sql STABLE", sql.text, re.DOTALL)
    ]
    assert "orders_told" in offered
    with psycopg.connect(database_url) as connection:
        for name in offered:
            [count] = connection.execute(
                "SELECT pronargs FROM pg_proc WHERE proname = %s", [name]
            ).fetchone() or [0]
            given = ", ".join(["NULL"] * count)
            plan = connection.execute(f"EXPLAIN SELECT * FROM {name}({given})".encode()).fetchall()
            assert "Function Scan" not in str(plan), (
                f"{name} is not put into the statement that asks it"
            )


# -- the reader of statements --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("SELECT 1 FROM orders", {"orders"}),
        ("SELECT 1 FROM accounts, orders o WHERE true", {"accounts", "orders"}),
        ("SELECT 1 FROM ONLY public.orders", {"orders"}),
        ("DELETE FROM orders USING refunds", {"orders", "refunds"}),
        ("INSERT INTO\n  orders (a) SELECT 1", {"orders"}),
        ("UPDATE orders SET a = 1", {"orders"}),
        ("MERGE INTO orders USING refunds ON true", {"orders", "refunds"}),
        ("DECLARE v_order orders; v_all orders[];", {"orders"}),
        ("DECLARE v_order orders%ROWTYPE;", {"orders"}),
        ("DECLARE v_order public.orders.total%TYPE;", {"orders"}),
        (
            "f(p_order orders, p_lot stamp_lots) RETURNS SETOF refunds",
            {"orders", "stamp_lots", "refunds"},
        ),
        ("SELECT orders.total, NULL::refunds", {"orders", "refunds"}),
        ("SELECT 1 FROM {orders*} o JOIN {stamps@lot_id?} s", {"orders", "stamps"}),
        ("-- FROM orders\nSELECT 'FROM refunds -- ', it''s /* FROM legs */ FROM jobs", {"jobs"}),
        ("SELECT 'it''s -- no end' FROM orders", {"orders"}),
        # Words that are also columns.
        ("SELECT r.stamps, stamps FROM refunds r", {"refunds"}),
        ("INSERT INTO refunds (amount, stamps, refund_no)", {"refunds"}),
        ("UPDATE stamping_keys SET stampings = 1 WHERE stampings <> v_found", {"stamping_keys"}),
        ("SELECT 1 FROM stamps s JOIN stampings USING (account_id)", {"stamps", "stampings"}),
        ("SELECT 1 FROM refunds r, stamps s WHERE true", {"refunds", "stamps"}),
        ("DECLARE v_stamp stamps; v_other stampings%ROWTYPE;", {"stamps", "stampings"}),
        ("f(p_stamp stamps, p_text text)", {"stamps"}),
        ("SELECT stamps.serial, NULL::stampings", {"stamps", "stampings"}),
        ("ON CONFLICT DO UPDATE SET a = stamps.a", {"stamps"}),
    ],
)
def test_tables_in_sql_are_found(text: str, tables: set[str]) -> None:
    assert tables_in(without_words(text), frozenset(OWNERS), BOTH) == tables


@pytest.mark.parametrize(
    ("text", "functions"),
    [
        ("PERFORM emit(a, 'ledger_post(', b)", {"emit"}),
        ("v := least(ledger_hold (a), public.refuse('b'))", {"ledger_hold", "refuse"}),
        ("SELECT * FROM order_place(1)", {"order_place"}),
        ("CREATE OR REPLACE FUNCTION emit(a uuid) ... ledger_lock(a)", {"ledger_lock"}),
        ("SELECT ledger_lock FROM x -- emit(", set()),
    ],
)
def test_calls_in_sql_are_found(text: str, functions: set[str]) -> None:
    assert calls_in(without_words(text), frozenset(FUNCTIONS)) == functions


def test_sql_in_python_strings_is_found() -> None:
    text = '''
"""SELECT this is prose FROM orders."""
A = "SELECT 1 FROM orders"
B = f"SELECT {x} FROM refunds" + " JOIN legs"
C = Thing("name", "A promise.", "DELETE FROM jobs")
def f(tx):
    """Prose FROM mails."""
    return tx.run(
        "UPDATE stamps"
        " SET a = %s", "no sql")
'''
    found = [
        (sql.where.split(":")[1], table)
        for sql in strings_of(ROOT / "meterai" / "orders" / "made_up.py", ast.parse(text))
        for table in tables_in(sql.bare, frozenset(OWNERS), BOTH)
    ]
    assert found == [
        ("A", "orders"),
        ("B", "refunds"),
        ("B", "legs"),
        ("C", "jobs"),
        ("f", "stamps"),
    ]


def test_statement_in_python_names_its_tables_literally() -> None:
    # A table name inserted by Python could not be checked at its statement.
    assert not [
        sql.where
        for sql in everything()
        if sql.home != "plumbing" and re.search(r"\b(FROM|JOIN|INTO|UPDATE)\s+\{\}", sql.bare)
    ]


def test_names_of_functions_and_tables_differ() -> None:
    assert not FUNCTIONS.keys() & OWNERS.keys()
