"""Functions of the database are applied again when their file has changed."""

import psycopg
import pytest

from meterai.plumbing.db.migrations import changed, hashes, migrate, missing
from meterai.plumbing.db.sql_files import functions


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
