"""A resting worker polls rarely, begins new work within one look, and then works at full speed at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic

import psycopg
import pytest

from meterai.plumbing.db.database import Database, ReadTx
from meterai.plumbing.work import watch
from meterai.plumbing.work.jobs import PeriodicTask, Worker

DUE = "SELECT 1 FROM guests WHERE due_at <= now() ORDER BY due_at"


@pytest.fixture(autouse=True)
def tables(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        for name in ("guests", "followers"):
            connection.execute(f"CREATE TABLE {name} (due_at timestamptz NOT NULL)")
            connection.execute(f"GRANT ALL ON {name} TO PUBLIC")


class Counting(Database):
    """A database that counts the looks."""

    looks = 0

    async def once(self, command, *arguments, **named):
        self.looks += 1
        return await super().once(command, *arguments, **named)


class Looker:
    """A periodic task that takes due rows, and records the times of its looks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.at: list[float] = []
        self.taken = asyncio.Event()

    async def look(self) -> int:
        self.at.append(monotonic())
        found = await self._database.call_all(
            "DELETE FROM guests WHERE due_at <= now() RETURNING 1"
        )
        if found:
            self.taken.set()
        return len(found)


def with_database(url: str, story: Callable[[Counting], Awaitable[None]]) -> None:
    async def run() -> None:
        database = Counting(url, connections=4)
        await database.open()
        try:
            await story(database)
        finally:
            await database.close()

    asyncio.run(run())


@asynccontextmanager
async def working(database: Database, tasks: Sequence[PeriodicTask]) -> AsyncIterator[None]:
    worker = Worker(database, [], tasks, concurrency=1)
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        async with asyncio.timeout(5):  # a resting worker is woken
            await running


def test_resting_worker_makes_one_look_for_all_tasks(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BUSY_SECONDS", 0.3)

    async def story(database: Counting) -> None:
        lookers = [Looker(database) for _ in range(5)]
        tasks = [PeriodicTask(f"t{n}", one.look, 0.05, DUE) for n, one in enumerate(lookers)]
        async with working(database, tasks):
            await asyncio.sleep(0.6)
            before = database.looks, [len(one.at) for one in lookers]
            await asyncio.sleep(2.0)
            assert [len(one.at) for one in lookers] == before[1]
            assert 1 <= database.looks - before[0] <= 2.0 / watch.LOOK_SECONDS + 1

    with_database(database_url, story)


def test_due_row_wakes_only_its_task(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(database: Counting) -> None:
        woken, other = Looker(database), Looker(database)
        tasks = [
            PeriodicTask("woken", woken.look, 0.05, DUE),
            PeriodicTask("other", other.look, 0.05, "SELECT 1 FROM jobs WHERE false"),
        ]
        async with working(database, tasks):
            await asyncio.sleep(0.5)
            before = len(other.at)
            await database.call("INSERT INTO guests VALUES (now())")
            async with asyncio.timeout(watch.REST_SECONDS / 2):
                await woken.taken.wait()
            await asyncio.sleep(0.4)
            assert len(other.at) == before
            assert len(woken.at) <= 4

    with_database(database_url, story)


def test_work_caused_by_work_is_found_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BUSY_SECONDS", 0.0)
    monkeypatch.setattr(watch, "LOOK_SECONDS", 1.0)

    async def story(database: Counting) -> None:
        last = asyncio.Event()

        async def begin() -> int:
            rows = await database.call_all("DELETE FROM guests RETURNING 1")
            if rows:
                await database.call("INSERT INTO followers VALUES (now())")
            return len(rows)

        async def go_on() -> int:
            rows = await database.call_all("DELETE FROM followers RETURNING 1")
            if rows:
                last.set()
            return len(rows)

        tasks = [
            PeriodicTask("begin", begin, 0.05, DUE),
            PeriodicTask("go_on", go_on, 0.05, DUE.replace("guests", "followers")),
        ]
        async with working(database, tasks):
            await asyncio.sleep(0.1)
            begun = monotonic()
            await database.call("INSERT INTO guests VALUES (now())")
            async with asyncio.timeout(5):
                await last.wait()
            assert monotonic() - begun < 1.8, "one look of a worker at rest for both"

    with_database(database_url, story)


def test_task_looks_by_itself_if_the_common_look_fails(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr(watch, "REST_SECONDS", 0.4)

    async def story(database: Counting) -> None:
        async def fail(_: ReadTx) -> list[watch.DueRow]:
            raise LookupError("the statement cannot be run")

        monkeypatch.setattr(watch.DueWatch, "_rows", lambda _, tx: fail(tx))
        one = Looker(database)
        async with working(database, [PeriodicTask("one", one.look, 0.05, DUE)]):
            await asyncio.sleep(0.5)
            await database.call("INSERT INTO guests VALUES (now())")
            async with asyncio.timeout(5):
                await one.taken.wait()
            before = len(one.at)
            await asyncio.sleep(1.5)
            assert len(one.at) > before

    with_database(database_url, story)
