"""Only `migrate` and `up` change tables; a command for incidents works at every version."""

from pathlib import Path

import psycopg
import pytest

from meterai.commands import Exit, Schema
from meterai.plumbing.db import rights
from meterai.plumbing.db.migrations import _HISTORY, names
from meterai.plumbing.db.sql_files import migrations
from tests.support.commands import COMMANDS, do, run_here

pytestmark = pytest.mark.sample(12, of="file")

NEWER = "9999_of_a_newer_version.sql"
ISSUING_CAME = "0006"  # the version with orders, which issue stamps


def applied(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT name FROM applied_migrations ORDER BY name").fetchall()
    return [name for (name,) in rows]


def apply(url: str, name: str, text: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(text.encode())
        connection.execute("INSERT INTO applied_migrations VALUES (%s, 'x')", [name])
        rights.grant(connection)


def change(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture(autouse=True)
def _installation(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()


@pytest.fixture
def older(database_url: str) -> str:
    """A database whose record lacks the newest migration."""
    change(database_url, f"DELETE FROM applied_migrations WHERE name = '{names()[-1]}'")
    return database_url


@pytest.fixture
def newer(database_url: str) -> str:
    """A database migrated by a newer version."""
    change(database_url, f"INSERT INTO applied_migrations VALUES ('{NEWER}', 'x')")
    return database_url


CURRENT = [command for command, need in COMMANDS.items() if need.schema is Schema.CURRENT]


@pytest.mark.parametrize("command", CURRENT)
def test_command_refuses_older_schema_and_leaves_it(
    older: str, tmp_path: Path, command: str
) -> None:
    before = applied(older)
    done = do(tmp_path, command, DATABASE_URL=older)
    assert done.returncode == Exit.CONFIGURATION, done.stdout + done.stderr
    assert "database_not_migrated: " in done.stderr
    assert "meterai migrate" in done.stderr
    assert applied(older) == before


@pytest.mark.parametrize("command", [*CURRENT, "migrate"])
def test_command_refuses_newer_schema(newer: str, tmp_path: Path, command: str) -> None:
    done = do(tmp_path, command, DATABASE_URL=newer)
    assert done.returncode == Exit.CONFIGURATION, done.stdout + done.stderr
    assert "database_newer: " in done.stderr
    assert NEWER in done.stderr


def test_issuing_is_stopped_at_every_version_that_can_issue(server: str, tmp_path: Path) -> None:
    url = server.replace("/postgres?", "/stopped_at_every_version?")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE stopped_at_every_version TEMPLATE template0")
    change(url, _HISTORY)
    for name, text in migrations():
        apply(url, name, text)
        if name < ISSUING_CAME:
            continue
        done = run_here(tmp_path, "issuing", "stop", name, DATABASE_URL=url)
        assert done.returncode == 0, (name, done.stderr)
        assert applied(url)[-1] == name
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE stopped_at_every_version WITH (FORCE)")
