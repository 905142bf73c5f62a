"""Every column of every table is a fact, is looked at by an invariant, or says why it need not be."""

from typing import Any

import psycopg
import pytest

from meterai.apps.rooms import ROOMS
from meterai.audit.points import UNCHANGED
from meterai.payments.news_check import NEWS
from meterai.regulator.invariants import UNCHANGED as EXTRACTS
from tests.support.audits import AUDITED, INVARIANTS

FACTS, CHECKED, OPEN = AUDITED.facts, AUDITED.checked, AUDITED.unchecked
FACT = {(fact.table, column) for fact in FACTS for column in fact.columns}
CHECKED_COLUMNS = {(table, column) for table, names in CHECKED.items() for column in names}
OPEN_COLUMNS = {(table, column) for table, names in OPEN.items() for column in names}
# Promises that are no single query.
ELSEWHERE = {UNCHANGED.name, NEWS.name, EXTRACTS.name}


@pytest.fixture(scope="module")
def columns(server: str, template: str) -> set[tuple[str, str]]:
    with psycopg.connect(server.replace("/postgres?", f"/{template}?")) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(
            "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            " AND a.attnum > 0 AND NOT a.attisdropped"
        ).fetchall()
    return {(table, column) for table, column in rows}


def test_every_column_has_its_decision(columns: set[tuple[str, str]]) -> None:
    decided = FACT | CHECKED_COLUMNS | OPEN_COLUMNS
    assert columns - decided == set(), "decide in audited.py of its room"
    assert decided - columns == set(), "there is no such column"


def test_a_room_speaks_of_its_own_tables() -> None:
    for room in ROOMS:
        of = room.audited
        spoken = {fact.table for fact in of.facts} | set(of.of_accounts) | set(of.standing)
        spoken |= of.checked.keys() | of.unchecked.keys() | of.subjects.keys()
        assert spoken <= room.tables, room.name


def test_no_column_has_two() -> None:
    assert set() == FACT & CHECKED_COLUMNS
    assert set() == FACT & OPEN_COLUMNS
    assert set() == CHECKED_COLUMNS & OPEN_COLUMNS


def test_what_looks_at_a_column_is_an_invariant_about_it() -> None:
    queries = {one.name: one.query for one in INVARIANTS}
    for table, names in CHECKED.items():
        for column, invariants in names.items():
            for name in invariants:
                assert name in queries or name in ELSEWHERE, name
                query = queries.get(name)
                if query is not None and name != "entries_are_what_their_causes_make":
                    assert table in query, f"{name} does not read {table}.{column}"


def test_every_reason_is_a_sentence() -> None:
    for names in OPEN.values():
        assert all(why.endswith(".") for why in names.values())
