"""Database logins: an owner that may create roles, one that may not, and the application's own login."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from meterai.plumbing.db import rights
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.migrations import migrate
from meterai.plumbing.db.schema import check_schema, works_as


@contextmanager
def login(server: str, name: str, what: str = "") -> Iterator[str]:
    """Create a login of the server; yield the URL of a database with the same name."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN {what}".encode())
        connection.execute(f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0".encode())
        try:
            yield server.replace("://postgres@", f"://{name}@").replace("/postgres?", f"/{name}?")
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            connection.execute(f"DROP ROLE {name}".encode())


async def _state(url: str) -> tuple[str | None, list[str], str]:
    database = Database(url, connections=1)
    await database.open()
    try:
        found = await check_schema(database)
        [row] = await database.read("SELECT current_user::text AS name")
        broken = [one.invariant.name for one in found if not one.holds]
        return await works_as(database), broken, row["name"]
    finally:
        await database.close()


def state(url: str) -> tuple[str | None, list[str], str]:
    return asyncio.run(_state(url))


@pytest.mark.usefixtures("template")
def test_owner_that_is_a_member_works_as_the_role(server: str) -> None:
    with login(server, "owner_with", f"IN ROLE {rights.ROLE}") as url:
        assert migrate(url)
        assert state(url) == (None, [], rights.ROLE)
        assert migrate(url) == [], "as the owner again"


@pytest.mark.usefixtures("template")
def test_owner_that_may_not_take_the_role_is_refused(server: str) -> None:
    with login(server, "owner_without") as url:
        assert migrate(url)
        assert state(url) == ("owner_without", [], "owner_without")


@pytest.mark.usefixtures("template")
def test_application_login_has_no_further_rights(server: str) -> None:
    with login(server, "owner_of_web") as url, psycopg.connect(server, autocommit=True) as admin:
        migrate(url)
        admin.execute(f"CREATE ROLE web LOGIN IN ROLE {rights.ROLE}".encode())
        try:
            own = url.replace("owner_of_web@", "web@")
            assert migrate(own) == [], "nothing is missing, and nothing is tried"
            assert state(own) == (None, [], rights.ROLE)
        finally:
            admin.execute("DROP ROLE web")
