"""A command runs in one transaction, and again if it was broken off. Then its follow-ups run."""

import asyncio

import psycopg
import pytest

from meterai.plumbing.db.database import RUNS_MAX, BrokenOff, Database, DatabaseBusy, Tx

CONFLICT = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"
ADD = "UPDATE places SET taken = taken + 1 WHERE place = %s"


@pytest.fixture
def places(database_url: str) -> str:
    """A database with two rows to lock."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE places (place integer PRIMARY KEY, taken integer)")
        connection.execute("INSERT INTO places VALUES (1, 0), (2, 0)")
        connection.execute("GRANT ALL ON places TO PUBLIC")
    return database_url


async def taken(database: Database) -> list[int]:
    rows = await database.call_all("SELECT taken FROM places ORDER BY place")
    return [row["taken"] for row in rows]


def test_deadlocked_commands_both_succeed(places: str) -> None:
    async def act() -> list[int]:
        database = Database(places, connections=3)
        await database.open()
        both_have_one = asyncio.Barrier(2)
        runs = 0

        async def take(first: int, second: int) -> None:
            is_first_run = True

            async def command(tx: Tx) -> None:
                nonlocal is_first_run, runs
                runs += 1
                await tx.run(ADD, first)
                if is_first_run:
                    is_first_run = False
                    await both_have_one.wait()
                await tx.run(ADD, second)

            await database.run(command)

        await asyncio.gather(take(1, 2), take(2, 1))
        assert runs >= 3, "one of the two was broken off"
        found = await taken(database)
        await database.close()
        return found

    assert asyncio.run(act()) == [2, 2]


def test_command_broken_off_every_time_is_refused_as_busy(places: str) -> None:
    runs, followed = 0, 0

    async def command(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        tx.after_commit(follow)
        await tx.run(ADD, 1)
        await tx.run(CONFLICT)

    def follow() -> None:
        nonlocal followed
        followed += 1

    async def act() -> list[int]:
        database = Database(places, connections=2)
        await database.open()
        with pytest.raises(BrokenOff) as refused:
            await database.run(command)
        assert refused.value.code == DatabaseBusy.code
        found = await taken(database)
        await database.close()
        return found

    assert asyncio.run(act()) == [0, 0]
    assert (runs, followed) == (RUNS_MAX, 0)


def test_follow_up_sees_the_commit_and_its_failure_affects_nothing_else(places: str) -> None:
    async def act() -> None:
        database = Database(places, connections=2)
        await database.open()
        seen: list[list[int]] = []

        async def look() -> None:
            seen.append(await taken(database))

        def fail() -> None:
            raise RuntimeError("nobody is there")

        async def command(tx: Tx) -> str:
            tx.after_commit(fail)
            tx.after_commit(look)
            await tx.run(ADD, 1)
            return "done"

        assert await database.run(command) == "done"
        assert seen == [[1, 0]]
        async with database.transaction() as tx:  # the same in a transaction opened by hand
            tx.after_commit(look)
            await tx.run(ADD, 2)
        assert seen == [[1, 0], [1, 1]]
        await database.close()

    asyncio.run(act())
