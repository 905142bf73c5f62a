"""Audited facts cannot change, vanish or be added unnoticed, column by column."""

from typing import cast

import pytest

from meterai.audit.points import Past, Point, record
from meterai.plumbing.db.audited import Fact
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.marks import Mark
from tests.audit.conftest import Spoilt, bare
from tests.support.audits import AUDITED, EVERYTHING
from tests.support.history import History
from tests.support.rows import types

FACTS = AUDITED.facts
# Another value of a column, by its type.
CHANGES = {
    "uuid": "gen_random_uuid()",
    "text": "coalesce({0}, '') || 'x'",
    "bigint": "{0} + 1",
    "integer": "{0} + 1",
    "smallint": "{0} + 1",
    "double precision": "{0} + 1",
    "boolean": "NOT {0}",
    "bytea": "sha256(coalesce({0}, ''))",
    "jsonb": "jsonb_build_array({0}, 1)",
    "date": "{0} + 1000",
    "uuid[]": "{0} || gen_random_uuid()",
    "text[]": "'{{}}'::text[]",
    "timestamp with time zone": "{0} + interval '1 microsecond'",
}
# Every change of a fact is found; the next value may belong to another row.
_NUMBER = "coalesce({0}, 0) + 1001"
CHANGES_OF_FACTS = CHANGES | {
    "bigint": _NUMBER,
    "integer": _NUMBER,
    "smallint": _NUMBER,
    "date": "coalesce({0}, current_date) + 1000",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 microsecond'",
}
COLUMNS = [(fact, column) for fact in FACTS for column in fact.columns]


def _by_name(fact: Fact) -> str:
    return fact.name


@pytest.fixture(scope="module")
def point(history: History) -> Point:
    """A clean audit of the whole history."""
    database = history.shop.container.database

    async def take() -> Point | None:
        [row] = await database.read("SELECT clock_timestamp() AS now")
        return await record(database, AUDITED, "full", [], row["now"], await Mark.of_now(database))

    # Rows are now older than `until`. Nothing has exactly that microsecond.
    made = history.shop.do(take())
    assert made is not None
    return made


def one_of(fact: Fact) -> str:
    """SQL condition for one row of a fact."""
    join = fact.join.replace("{", "").replace("?}", "")
    return (
        f"(SELECT t.ctid FROM {fact.table} t {join} WHERE {fact.only} ORDER BY {fact.at} LIMIT 1)"
    )


def wrong(history: History, point: Point, spoilt: Spoilt) -> tuple[set[str], set[str]]:
    """The facts that differ, for an incremental audit and for a full one."""
    database = cast(Database, spoilt)

    async def compare() -> tuple[set[str], set[str]]:
        past = Past(AUDITED, [point])
        young = await past.compare_young(database, point.mark)
        await past.hashing.take(database, EVERYTHING)
        return {row["fact"] for row in young}, {row["fact"] for row in past.compare_all()}

    return history.shop.do(compare())


def test_unchanged_history_has_no_difference(
    history: History, point: Point, spoilt: Spoilt
) -> None:
    assert wrong(history, point, spoilt) == (set(), set())


@pytest.mark.sample(80)
@pytest.mark.parametrize(
    ("fact", "column"), COLUMNS, ids=[f"{fact.name}.{column}" for fact, column in COLUMNS]
)
def test_changed_column_of_a_fact_is_found(
    history: History, point: Point, spoilt: Spoilt, fact: Fact, column: str
) -> None:
    bare(spoilt, fact.table)
    change = CHANGES_OF_FACTS[dict(types(spoilt.connection, fact.table))[column]].format(column)
    spoilt.plant(f"UPDATE {fact.table} SET {column} = {change} WHERE ctid = {one_of(fact)}", {})
    past = Past(AUDITED, [point])
    found = history.shop.do(past.compare_young(cast(Database, spoilt), point.mark))
    assert fact.name in {row["fact"] for row in found}


@pytest.mark.sample(20)
@pytest.mark.parametrize("fact", FACTS, ids=_by_name)
def test_deleted_row_is_found(history: History, point: Point, spoilt: Spoilt, fact: Fact) -> None:
    spoilt.plant(f"DELETE FROM {fact.table} WHERE ctid = {one_of(fact)}", {})
    young, every = wrong(history, point, spoilt)
    assert fact.name in young
    assert young == every


@pytest.mark.sample(10)
@pytest.mark.parametrize("fact", FACTS, ids=_by_name)
def test_rewritten_equal_row_is_no_difference(
    history: History, point: Point, spoilt: Spoilt, fact: Fact
) -> None:
    column = fact.columns[0]
    spoilt.plant(f"UPDATE {fact.table} SET {column} = {column} WHERE ctid = {one_of(fact)}", {})
    assert wrong(history, point, spoilt) == (set(), set())


def test_later_row_with_an_old_time_is_found(
    history: History, point: Point, spoilt: Spoilt
) -> None:
    spoilt.plant(
        "INSERT INTO audit_events (account_id, actor, action, subject, happened_at)"
        " SELECT account_id, 'operator', 'refund_asked', 'x', created_at FROM accounts LIMIT 1",
        {},
    )
    assert wrong(history, point, spoilt) == ({"audit_events"}, {"audit_events"})


def test_exchanged_row_is_found(history: History, point: Point, spoilt: Spoilt) -> None:
    spoilt.plant(
        "DELETE FROM holds WHERE hold_id = %(one.stamping)s;"
        " INSERT INTO holds SELECT account_id, gen_random_uuid(), book, amount, state, subject,"
        " held_at, resolved_at FROM holds WHERE hold_id = %(two.stamping)s",
        history.names,
    )
    assert wrong(history, point, spoilt) == ({"holds", "holds_resolved"},) * 2
