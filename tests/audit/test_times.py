"""No time hides work: a time that no rule produces is found, in each column of times."""

import re
from dataclasses import replace

import pytest

from meterai.plumbing.db.invariants import AHEAD
from meterai.plumbing.db.sql_files import described
from tests.audit.conftest import Spoilt, bare
from tests.audit.test_corruptions import broken_of
from tests.support.audits import AUDITED, INVARIANTS
from tests.support.corrupting import TIMES, TIMES_OF_NOBODY
from tests.support.history import History
from tests.support.rows import insert

CLOCKS = {f"{one.table}.{one.column}": one for one in AUDITED.clocks}
COLUMNS = [
    name
    for (kind, name), text in described().items()
    if kind == "column" and "timestamp with time zone" in text
]
# The query of each table is a part of its invariant. One part is planned faster than all.
PARTS = {
    found[1]: replace(one, query=part)
    for one in INVARIANTS
    if one.name in (TIMES, TIMES_OF_NOBODY)
    for part in one.query.split("\nUNION ALL\n")
    if (found := re.search(r"'(\w+)' AS found_in", part))
}


def beyond(name: str) -> dict[str, str]:
    """Values of a column that no rule produces, each with the affected rows (SQL)."""
    clock = CLOCKS.get(name)
    if clock is None:
        return {"'-infinity'": "true", f"now() + {AHEAD} + interval '1 second'": "true"}
    is_due = f"({clock.until}) IS NOT NULL"
    return {
        "'-infinity'": "true",
        f"{clock.until} + interval '1 second'": is_due,
        **({"'infinity'": f"{is_due} AND NOT ({clock.never})"} if clock.never != "true" else {}),
        **({f"{clock.since} - interval '1 second'": "true"} if clock.since else {}),
    }


@pytest.mark.parametrize("name", COLUMNS)
def test_time_that_no_rule_gives_is_seen(history: History, spoilt: Spoilt, name: str) -> None:
    table, _, column = name.partition(".")
    for value, where in beyond(name).items():
        bare(spoilt, table)
        place = f"(SELECT t.ctid FROM {table} t WHERE {where} LIMIT 1)"
        if not spoilt.connection.execute(f"SELECT {place} AS one".encode()).fetchall()[0]["one"]:
            insert(spoilt.connection, table)
        spoilt.plant(f"UPDATE {table} t SET {column} = {value} WHERE t.ctid = {place}", {})
        assert broken_of(spoilt, [PARTS[table]]), value
        spoilt.connection.rollback()
