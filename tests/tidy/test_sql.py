"""The SQL of the rooms: its folders, and that each function in the database equals its file."""

import re
from itertools import chain

import psycopg
import pytest

from meterai.plumbing.db.migrations import changed, hashes, migrate, missing
from meterai.plumbing.db.sql_files import functions, migrations
from tests.tidy.sources import BASELINE, FUNCTIONS, MIGRATIONS, PACKAGE
from tests.tidy.statements import everything, without_words

# The newest migration of `migrations/`, which is complete: a new one belongs to a room.
LAST_OF_BASELINE = "0024_roles.sql"
# A nested loop evaluates such a subquery once for each row. Each time it skips the rows that it locked before
# and finds others, so that all rows are leased. `WITH due AS MATERIALIZED (...)` is evaluated once.
_ASKED_ANEW = re.compile(
    r"\b(?:IN|FROM|JOIN)\s*\(\s*SELECT\b[^;]*?\bLIMIT\b[^;]*?\bFOR UPDATE\b[^;)]*?\bSKIP LOCKED\s*\)"
)
_MADE = re.compile(r"^CREATE (?:OR REPLACE )?FUNCTION (\w+)", re.MULTILINE)


def test_migrations_from_before_the_rooms_are_complete() -> None:
    assert BASELINE[-1].name == LAST_OF_BASELINE, "it belongs to meterai/<room>/sql"


def test_file_holds_one_function_of_its_name() -> None:
    for path in FUNCTIONS:
        text = path.read_text()
        assert _MADE.findall(text) == [path.stem], path
        assert f"CREATE OR REPLACE FUNCTION {path.stem}" in text, path


def test_function_belongs_to_one_room() -> None:
    names = [path.name for path in FUNCTIONS]
    assert len(names) == len(set(names))


def test_migration_of_a_room_makes_no_function() -> None:
    of_rooms = [path for path in MIGRATIONS if PACKAGE in path.parents]
    assert not [path for path in of_rooms if _MADE.search(path.read_text())]


def test_every_function_of_the_database_has_a_file(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        ).fetchall()
    assert sorted(name for (name,) in rows) == sorted(path.stem for path in FUNCTIONS)


def test_statement_leases_no_more_rows_than_its_limit() -> None:
    assert [one.where for one in everything() if _ASKED_ANEW.search(without_words(one.text))] == []


@pytest.mark.parametrize("before", ["IN", "FROM", "AS MATERIALIZED"])
def test_repeated_subquery_is_found(before: str) -> None:
    text = f"UPDATE a SET b = 1 WHERE c {before} (SELECT c FROM a ORDER BY d LIMIT %s FOR UPDATE SKIP LOCKED)"
    assert bool(_ASKED_ANEW.search(text)) == (before != "AS MATERIALIZED")


def known(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute("SELECT name, sha256 FROM applied_migrations").fetchall())


def body(url: str, name: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [name]).fetchone()
    assert row is not None
    return str(row[0])


def test_changed_function_is_applied_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not missing(known(database_url))
    assert not changed(known(database_url))
    name, text = next(
        (name, text) for name, text in functions() if name.endswith("/backoff_seconds.sql")
    )
    newer = text.replace("least(p_first", "0 + least(p_first")
    assert newer != text
    those = [(name, newer), *(one for one in functions() if one[0] != name)]
    monkeypatch.setattr("meterai.plumbing.db.migrations.functions", lambda _=(): iter(those))
    assert migrate(database_url) == [name]
    assert "0 + least" in body(database_url, "backoff_seconds")
    assert known(database_url) == hashes()
    assert migrate(database_url) == []


def test_function_with_an_error_leaves_all_unchanged(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = known(database_url)
    broken = [(name, f"-- newer\n{text}") for name, text in functions()]
    broken.append(("plumbing/functions/broken.sql", "CREATE OR REPLACE FUNCTION broken("))
    monkeypatch.setattr("meterai.plumbing.db.migrations.functions", lambda _=(): iter(broken))
    with pytest.raises(psycopg.errors.SyntaxError):
        migrate(database_url)
    assert known(database_url) == before


def test_recorded_migrations_equal_the_files(database_url: str) -> None:
    assert known(database_url).keys() == {name for name, _ in chain(migrations(), functions())}
