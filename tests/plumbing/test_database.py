"""Connections are few, shared, and thrown away when they broke."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import psycopg
import pytest

from meterai.plumbing import database
from meterai.plumbing.database import ChangeRefused, Database, DatabaseAway, DatabaseBusy

WHO = "SELECT pg_backend_pid() AS who, pg_sleep(0.02)"


@asynccontextmanager
async def opened(url: str, connections: int) -> AsyncIterator[Database]:
    found = Database(url, connections=connections)
    await found.open()
    try:
        yield found
    finally:
        await found.close()


async def who(found: Database) -> int:
    row = await found.call(WHO)
    assert row is not None
    return int(row["who"])


def test_never_more_connections_than_allowed(database_url: str) -> None:
    async def run() -> set[int]:
        async with opened(database_url, 2) as found:
            return set(await asyncio.gather(*(who(found) for _ in range(10))))

    assert 1 <= len(asyncio.run(run())) <= 2


def test_a_broken_connection_is_replaced(database_url: str) -> None:
    async def run() -> None:
        async with opened(database_url, 1) as found:
            broken = await who(found)
            with psycopg.connect(database_url) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [broken])
            with pytest.raises(DatabaseAway):
                await who(found)
            assert await who(found) != broken

    asyncio.run(run())


def test_a_call_given_up_leaves_its_connection_usable(database_url: str) -> None:
    async def run() -> None:
        async with opened(database_url, 1) as found:
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(found.call("SELECT pg_sleep(30)"), 0.05)
            await who(found)

    asyncio.run(run())


async def fail_in_the_middle(found: Database) -> None:
    async with found.transaction() as tx:
        await tx.run("CREATE TEMPORARY TABLE left_behind ()")
        await tx.run("SELECT 1 / 0")


def test_a_failed_transaction_leaves_nothing_behind(database_url: str) -> None:
    async def run() -> list[dict[str, object]]:
        async with opened(database_url, 1) as found:
            with pytest.raises(psycopg.errors.DivisionByZero):
                await fail_in_the_middle(found)
            return await found.read("SELECT 1 FROM pg_tables WHERE tablename = 'left_behind'")

    assert asyncio.run(run()) == []


def test_who_waits_too_long_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CONNECTION_WAIT_SECONDS_MAX", 0.05)

    async def run() -> None:
        async with opened(database_url, 1) as found, found.transaction():
            with pytest.raises(DatabaseBusy):
                await who(found)

    asyncio.run(run())


async def change_while_reading(found: Database) -> None:
    async with found.reading() as tx:
        assert not tx.may_write
        await tx.all("UPDATE issuing SET reason = 'changed'")


def test_a_transaction_that_reads_changes_nothing_and_sees_one_moment(database_url: str) -> None:
    async def run() -> None:
        async with opened(database_url, 1) as found:
            with pytest.raises(ChangeRefused):
                await change_while_reading(found)

        async with opened(database_url, 2) as found, found.reading() as tx:
            before = await tx.value("SELECT count(*) FROM accounts")
            async with found.transaction() as other:
                assert other.may_write
                await other.run(
                    "INSERT INTO accounts (account_id, email, language) VALUES (%s, %s, 'id')",
                    UUID(int=7),
                    "a@example.id",
                )
            assert await tx.value("SELECT count(*) FROM accounts") == before

    asyncio.run(run())


def test_the_same_connection_may_write_again_after_it_read(database_url: str) -> None:
    async def run() -> None:
        async with opened(database_url, 1) as found:
            async with found.reading() as tx:
                pid = await tx.value("SELECT pg_backend_pid()")
            with pytest.raises(ZeroDivisionError):
                async with found.reading() as tx:
                    raise ZeroDivisionError
            async with found.transaction() as writing:
                assert await writing.value("SELECT pg_backend_pid()") == pid
                assert await writing.value("SHOW transaction_read_only") == "off"
                assert await writing.value("SHOW transaction_isolation") == "read committed"

    asyncio.run(run())
