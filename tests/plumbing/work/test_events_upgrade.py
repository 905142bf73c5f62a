"""Jobs of the previous version run after the upgrade, and its workers run jobs of this version."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from meterai.plumbing.db.sql_files import migrations

NEW = "0021_events.sql"


@pytest.fixture
def before(server: str) -> Iterator[psycopg.Connection[Any]]:
    """A database in its state before this migration."""
    name = "upgrade_of_events"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    with psycopg.connect(server.replace("/postgres?", f"/{name}?")) as opened:
        for file, text in migrations():
            if file < NEW:
                opened.execute(text.encode())
        yield opened
        opened.rollback()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def upgrade(before: psycopg.Connection[Any]) -> None:
    before.execute(dict(migrations())[NEW].encode())


def waiting(connection: psycopg.Connection[Any]) -> list[tuple[str, str, str]]:
    return connection.execute(
        "SELECT facts->>'stamping', kind, handler FROM jobs ORDER BY 1, 2, 3"
    ).fetchall()


def test_old_job_becomes_one_job_for_each_pending_handler(
    before: psycopg.Connection[Any],
) -> None:
    for number, kind, handlers in (
        ("1 fresh", "stamping_delivered", None),
        ("2 begun", "stamping_delivered", ["tell_delivered", "finish_order"]),
        ("3 heard by nobody", "order_lapsed", None),
        ("4 not declared", "of_another_world", None),
        ("5 not declared", "stamping_delivered", ["gone"]),
    ):
        before.execute(
            "INSERT INTO jobs (account_id, kind, facts, handlers, tries, last_fault, created_at)"
            " VALUES (gen_random_uuid(), %s, %s, %s, 7, 'why', now() - interval '1 minute')",
            [kind, json.dumps({"stamping": number}), handlers],
        )
    upgrade(before)
    assert waiting(before) == [
        ("1 fresh", "stamping_delivered", "enter_directory"),
        ("1 fresh", "stamping_delivered", "finish_order"),
        ("1 fresh", "stamping_delivered", "tell_delivered"),
        ("2 begun", "stamping_delivered", "finish_order"),
        ("2 begun", "stamping_delivered", "tell_delivered"),
        ("4 not declared", "of_another_world", ""),
        ("5 not declared", "stamping_delivered", "gone"),
    ]
    kept = before.execute(
        "SELECT DISTINCT tries, last_fault, created_at = now() - interval '1 minute' FROM jobs"
    ).fetchall()
    assert kept == [(7, "why", True)]
