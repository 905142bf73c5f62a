"""One honest history for all tests of the audit; corruptions are rolled back."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from tests.support.history import History, make
from tests.support.shop import open_shop


@pytest.fixture(scope="session")
def history(
    server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[History]:
    """The history, in a database of its own."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE of_audit TEMPLATE {template}".encode())
    url = server.replace("/postgres?", "/of_audit?")
    with open_shop(url, tmp_path_factory.mktemp("audit")) as shop:
        yield make(shop)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(b"DROP DATABASE of_audit WITH (FORCE)")


class Spoilt:
    """Stands for a pool: one transaction that sees its own corruption of real rows, and is rolled back."""

    def __init__(self, connection: psycopg.Connection[DictRow]) -> None:
        self.connection = connection

    def plant(self, sql: str, names: dict[str, object]) -> None:
        """Corrupt rows. Foreign keys do not stop the owner of the tables."""
        self.connection.execute("SET LOCAL session_replication_role = replica")
        for statement in sql.split(";"):
            used = names if "%(" in statement else None
            done = self.connection.execute(statement.strip().encode(), used)
            is_ddl = statement.strip().startswith("ALTER")
            assert is_ddl or done.rowcount > 0, f"nothing was spoilt by {statement}"
        self.connection.execute("SET LOCAL session_replication_role = origin")

    async def read(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        return self.connection.execute(query.encode(), parameters or None).fetchall()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Spoilt"]:
        yield self

    async def all(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        return await self.read(query, *parameters)

    async def run(self, query: str, *parameters: object) -> int:
        return self.connection.execute(query.encode(), parameters or None).rowcount

    async def allow(self, seconds: float) -> None:
        """Keep the default; a small history needs no more time."""


@pytest.fixture(scope="module")
def owner(history: History) -> Iterator[psycopg.Connection[DictRow]]:
    """A connection of the owner of the tables."""
    url = history.shop.container.database.url
    with psycopg.connect(url, row_factory=dict_row) as connection:
        yield connection


@pytest.fixture
def spoilt(owner: psycopg.Connection[DictRow]) -> Iterator[Spoilt]:
    """A transaction over the history."""
    yield Spoilt(owner)
    owner.rollback()


def bare(spoilt: Spoilt, table: str) -> None:
    """Drop the checks that would prevent the corruption."""
    for row in spoilt.connection.execute(
        "SELECT conname AS name FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass",
        [table],
    ).fetchall():
        sql = f"ALTER TABLE {table} DROP CONSTRAINT {row['name']}"
        spoilt.connection.execute(sql.encode())
