"""Connections are few and shared, and broken ones are discarded."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import inf
from time import monotonic
from uuid import UUID

import psycopg
import pytest

from meterai.kit.priority import Priority
from meterai.plumbing import permits
from meterai.plumbing.db import connections, database
from meterai.plumbing.db.database import ChangeRefused, Database, DatabaseAway, DatabaseBusy
from meterai.plumbing.permits import PURPOSE, WorkPurpose

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


def test_connections_never_exceed_their_maximum(database_url: str) -> None:
    async def run() -> set[int]:
        async with opened(database_url, 2) as found:
            return set(await asyncio.gather(*(who(found) for _ in range(10))))

    assert 1 <= len(asyncio.run(run())) <= 2


def test_broken_connection_is_replaced(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A connection that rested longer would be tested before use, and no caller would meet a broken one.
    monkeypatch.setattr(connections, "REST_SECONDS_MAX", inf)

    async def run() -> None:
        async with opened(database_url, 1) as found:
            broken = await who(found)
            with psycopg.connect(database_url) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [broken])
            with pytest.raises(DatabaseAway):
                await who(found)
            assert await who(found) != broken

    asyncio.run(run())


def test_cancelled_call_leaves_its_connection_usable(database_url: str) -> None:
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


def test_failed_transaction_leaves_no_change(database_url: str) -> None:
    async def run() -> list[dict[str, object]]:
        async with opened(database_url, 1) as found:
            with pytest.raises(psycopg.errors.DivisionByZero):
                await fail_in_the_middle(found)
            return await found.read("SELECT 1 FROM pg_tables WHERE tablename = 'left_behind'")

    assert asyncio.run(run()) == []


def test_too_long_wait_for_a_connection_is_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_read_only_transaction_changes_nothing_and_sees_one_snapshot(database_url: str) -> None:
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


# -- how long a statement may take ---------------------------------------------------------------

LIMIT = "SELECT current_setting('statement_timeout') AS is, pg_backend_pid() AS who"


@contextmanager
def with_seconds_left(seconds: float, now: float | None = None) -> Iterator[None]:
    """A request whose client waits this many seconds for the answer."""
    token = PURPOSE.set(WorkPurpose(Priority.NEW, (monotonic() if now is None else now) + seconds))
    try:
        yield
    finally:
        PURPOSE.reset(token)


@pytest.mark.parametrize(
    ("seconds", "limit"),
    [(1e9, "10s"), (10.1, "10s"), (9.9, "8s"), (2.5, "2s"), (0.9, "500ms"), (0.2, "100ms")],
)
def test_statement_time_is_limited_by_the_remaining_time_of_its_request(
    database_url: str, seconds: float, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock stands still, since a tenth of a second while a busy machine connects would make another limit.
    stands = monotonic()
    for module in (database, permits):
        monkeypatch.setattr(module, "monotonic", lambda: stands)

    async def run() -> None:
        async with opened(database_url, 1) as found:
            with with_seconds_left(seconds, stands):
                assert (await found.read(LIMIT))[0]["is"] == limit
                async with found.transaction() as tx:
                    assert (await tx.one(LIMIT) or {})["is"] == limit
                async with found.reading() as reading:
                    assert (await reading.one(LIMIT) or {})["is"] == limit
            assert (await found.read(LIMIT))[0]["is"] == "10s"  # without a waiting client

    asyncio.run(run())


def test_statement_beyond_the_remaining_time_is_cancelled(database_url: str) -> None:
    async def run() -> None:
        async with opened(database_url, 1) as found:
            await who(found)  # so that the connection is made before the time is limited
            with with_seconds_left(0.9), pytest.raises(DatabaseBusy, match="57014"):
                await found.call("SELECT pg_sleep(30)")
            await who(found)

    asyncio.run(run())
