"""Jobs: each handler runs exactly once and independently of the others.

A locked row delays no other. A failure is retried with a bounded pause and is visible. A query for due jobs
costs little, however many jobs ran before.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.kit.backoff import pause
from meterai.plumbing.db.database import Database, DatabaseAway
from meterai.plumbing.observe import telemetry
from meterai.plumbing.work import dead_jobs, jobs, watch, worker_pool
from meterai.plumbing.work.events import Event, Subscription, emit, on
from meterai.plumbing.work.jobs import Worker
from meterai.plumbing.work.worker_pool import LowWaterMark

BOUND_SECONDS = 60.0  # less than the locked jobs would take, one batch after the other
SLOTS = 8


class X(Event, frozen=True, kw_only=True):
    """An event of these tests."""

    n: int


class Y(Event, frozen=True, kw_only=True):
    """Another event of these tests."""


@pytest.fixture(autouse=True)
def table(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE done (account_id uuid, handler text, n integer)")
        connection.execute("CREATE TABLE wards (account_id uuid PRIMARY KEY)")
        connection.execute("GRANT ALL ON done, wards TO PUBLIC")


def subscribe(url: str, *handlers: str) -> None:
    """SQL by which `emit` knows these handlers of X, and no other event."""
    with psycopg.connect(url) as owner:
        owner.execute(
            "CREATE OR REPLACE FUNCTION subscribers(p_event text) RETURNS text[]"
            " LANGUAGE sql IMMUTABLE AS $$ SELECT CASE p_event WHEN 'x' THEN"
            f" ARRAY[{', '.join(repr(one) for one in handlers)}]::text[] END $$"
        )


async def note_y(tx: Any, event: Y) -> None: ...


note_y.__name__ = "note"


class Shift:
    """A database with jobs, and workers for it."""

    def __init__(self, database: Database, url: str) -> None:
        self.database = database
        self.url = url
        self._numbers = count(1)

    async def emit(
        self, listening: Sequence[Subscription], *accounts: UUID, times: int = 1
    ) -> None:
        """Emit an X of each account for these handlers."""
        subscribe(self.url, *(one.name for one in listening))
        async with self.database.transaction() as tx:
            for account in accounts * times:
                await emit(tx, X(account=account, n=next(self._numbers)))

    async def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        return await self.database.call_all(query, *parameters)

    def worker(self, listening: Sequence[Subscription], slots: int = SLOTS) -> Worker:
        return Worker(self.database, listening, [], concurrency=slots)

    async def work_once(self, listening: Sequence[Subscription]) -> None:
        """Run every job that is due or waits for its next try."""
        await self.database.call("UPDATE jobs SET run_at = now()")
        await self.worker(listening).run_batch()

    async def done(self) -> list[str]:
        return [row["handler"] for row in await self.rows("SELECT handler FROM done ORDER BY 1")]


def on_shift(url: str, story: Callable[[Shift], Awaitable[None]], connections: int = 12) -> None:
    async def run() -> None:
        database = Database(url, connections=connections)
        await database.open()
        try:
            await story(Shift(database, url))
        finally:
            await database.close()

    asyncio.run(run())


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


async def until(check: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while True:
            if await check():
                return
            await asyncio.sleep(0.05)


async def note(tx: Any, event: X, name: str = "note") -> None:
    await tx.run("INSERT INTO done VALUES (%s, %s, %s)", event.account, name, event.n)


async def first(tx: Any, event: X) -> None:
    await note(tx, event, "first")


async def last(tx: Any, event: X) -> None:
    await note(tx, event, "last")


async def fail(tx: Any, event: X) -> None:
    await note(tx, event, "fail")  # rolled back
    raise ValueError("cannot be")


async def fail_to_tell(tx: Any, event: X) -> None:
    await note(tx, event, "fail_to_tell")
    raise ValueError("no such address")


def moves(handler: Callable[[Any, X], Awaitable[None]], name: str = "") -> Subscription:
    """A subscription to X, optionally under another name, that is never given up."""
    handler.__name__ = name or handler.__name__
    return on(X, handler, gives_up=False)


def tells(handler: Callable[[Any, X], Awaitable[None]]) -> Subscription:
    return on(X, handler, gives_up=True)


NOTE = moves(note)


# -- pauses ------------------------------------------------------------------------------------


@given(st.integers(), st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_pause_is_bounded_for_any_number_of_tries(
    tries: int, first_seconds: float, longest: float
) -> None:
    assert 0 < pause(tries, first=first_seconds, longest=longest) <= longest


# -- neighbours --------------------------------------------------------------------------------


def test_locked_account_delays_no_other(database_url: str) -> None:
    """The lock is held until all other jobs are done."""
    locked, others = uuid.uuid4(), [uuid.uuid4() for _ in range(20)]

    async def touch(tx: Any, event: X) -> None:
        await tx.run(
            "UPDATE wards SET account_id = account_id WHERE account_id = %s", event.account
        )
        await note(tx, event)

    async def story(shift: Shift) -> None:
        for account in (locked, *others):
            await shift.database.call("INSERT INTO wards VALUES (%s)", account)
        await shift.emit([moves(touch)], locked, times=100)
        await shift.emit([moves(touch)], *others)

        async def others_done() -> bool:
            rows = await shift.rows("SELECT DISTINCT account_id FROM done")
            return {row["account_id"] for row in rows} == set(others)

        worker = shift.worker([moves(touch)])
        async with shift.database.transaction() as holder:
            await holder.run("SELECT 1 FROM wards WHERE account_id = %s FOR UPDATE", locked)
            task = asyncio.create_task(worker.run())
            try:
                await until(others_done)
            finally:
                worker.stop()
        await task

    on_shift(database_url, story)


# -- priorities --------------------------------------------------------------------------------


def test_many_jobs_that_send_messages_do_not_delay_money(database_url: str) -> None:
    """Handlers that send messages hold their slots until the money has moved."""
    moved = asyncio.Event()
    held: list[int] = []

    async def tell(tx: Any, event: X) -> None:
        held.append(event.n)
        await moved.wait()
        await note(tx, event, "tell")

    async def move(tx: Any, event: X) -> None:
        await note(tx, event, "move")

    async def story(shift: Shift) -> None:
        listening = [tells(tell), moves(move)]
        many = [uuid.uuid4() for _ in range(5 * SLOTS)]
        await shift.emit([tells(tell)], *many)
        async with working(shift.worker(listening)):
            await until(lambda: asyncio.sleep(0, len(held) >= SLOTS // jobs.LESS_URGENT))
            await shift.emit([moves(move)], *many)

            async def is_all_moved() -> bool:
                return (await shift.done()).count("move") == len(many)

            try:
                await until(is_all_moved)
                assert "tell" not in await shift.done()
            finally:
                moved.set()

            async def is_all_told() -> bool:
                return (await shift.done()).count("tell") == len(many)

            await until(is_all_told)

    # As many connections as slots; they too serve money first.
    on_shift(database_url, story, connections=SLOTS)


def test_unavailable_database_is_no_fault_of_a_worker_pool(database_url: str) -> None:
    async def away(piece: watch.Piece) -> None:
        raise DatabaseAway("the database does not answer")

    async def look(*_: object) -> list[watch.Piece]:
        return [watch.Piece(uuid.uuid4(), uuid.uuid4(), datetime.now(UTC))]

    async def read_clock() -> datetime:
        return datetime.now(UTC)

    one = worker_pool.WorkerPool(
        "a worker pool of a test", look, away, read_clock, slots=1, batch=1
    )
    asyncio.run(one.once())
    assert telemetry.FAULTS.labels(where=one.name)._value.get() == 0


# -- handlers ----------------------------------------------------------------------------------


def test_failing_handler_stops_no_other_and_each_runs_once(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        listening = [moves(first), moves(fail), moves(last)]
        await shift.emit(listening, uuid.uuid4())
        for _ in range(3):
            await shift.work_once(listening)
            assert await shift.done() == ["first", "last"]
        [row] = await shift.rows("SELECT handler, tries, last_fault FROM jobs")
        assert row == {"handler": "fail", "tries": 3, "last_fault": "ValueError('cannot be')"}

        async def mended(tx: Any, event: X) -> None:
            await note(tx, event, "mended")

        await shift.work_once([moves(first), moves(mended, "fail"), moves(last)])
        assert await shift.done() == ["first", "last", "mended"]
        assert not await shift.rows("SELECT 1 FROM jobs")

    on_shift(database_url, story)


def test_concurrent_workers_run_each_handler_once(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        listening = [moves(first), moves(last)]
        await shift.emit(listening, *(uuid.uuid4() for _ in range(10)), times=6)
        await asyncio.gather(*(shift.worker(listening).run_batch() for _ in range(4)))
        while await shift.rows("SELECT 1 FROM jobs"):
            await shift.work_once(listening)
        rows = await shift.rows("SELECT n, handler, count(*) AS times FROM done GROUP BY 1, 2")
        assert len(rows) == 120
        assert {row["times"] for row in rows} == {1}

    on_shift(database_url, story)


def test_dead_worker_holds_no_job(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        async def die(tx: Any, event: X) -> None:
            await note(tx, event)
            pid = await tx.value("SELECT pg_backend_pid()")
            with psycopg.connect(database_url) as owner:
                owner.execute("SELECT pg_terminate_backend(%s)", [pid])
            await tx.run("SELECT 1")

        await shift.emit([NOTE], uuid.uuid4())
        await shift.worker([moves(die, "note")]).run_batch()
        assert await shift.done() == []
        await shift.worker([NOTE]).run_batch()  # at once: there is no lease to wait for
        assert await shift.done() == ["note"]

    on_shift(database_url, story)


# -- jobs without a handler in this version ----------------------------------------------------


def test_job_of_the_next_version_waits_for_its_worker(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        await shift.emit([NOTE, moves(last)], uuid.uuid4())
        await shift.work_once([moves(last)])  # the previous version, beside the next one
        [row] = await shift.rows("SELECT handler, tries, last_fault FROM jobs")
        assert (row["handler"], row["tries"]) == ("note", 1)
        assert "this process does not handle the event x by the handler" in row["last_fault"]
        await shift.work_once([NOTE, moves(last)])
        assert await shift.done() == ["last", "note"]

    on_shift(database_url, story)


def test_undeclared_event_is_set_aside_and_stops_no_other(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        await shift.emit([NOTE], uuid.uuid4())
        await shift.database.call("SELECT emit(gen_random_uuid(), 'y', '{}')")
        await shift.emit([moves(last)], uuid.uuid4())  # no handler has the name `note` any more
        await shift.work_once([moves(last)])
        assert await shift.done() == ["last"]
        assert not await shift.rows("SELECT 1 FROM jobs")
        rows = await shift.rows("SELECT kind, handler, fault FROM dead_jobs ORDER BY kind")
        assert [(row["kind"], row["handler"]) for row in rows] == [("x", "note"), ("y", "")]
        assert all("this process does not handle" in row["fault"] for row in rows)

    on_shift(database_url, story)


# -- dead letters ------------------------------------------------------------------------------


def test_message_handler_is_given_up_and_can_be_retried(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "TRIES_MAX", 3)
    account = uuid.uuid4()

    async def retry(shift: Shift, which: UUID | None) -> int:
        async with shift.database.transaction() as tx:
            return await dead_jobs.retry(tx, which)

    async def story(shift: Shift) -> None:
        listening = [moves(first), tells(fail_to_tell), moves(last)]
        await shift.emit(listening, account)
        for _ in range(5):
            await shift.work_once(listening)
        assert await shift.done() == ["first", "last"]
        assert not await shift.rows("SELECT 1 FROM jobs")
        async with shift.database.transaction() as tx:
            [dead] = await dead_jobs.dead(tx, 10)
            assert (await dead_jobs.counts(tx)).dead == 1
        assert (dead.handler, dead.tries, dead.account) == ("fail_to_tell", 3, account)
        assert dead.fault == "ValueError('no such address')"

        assert await retry(shift, uuid.uuid4()) == 0
        assert await retry(shift, dead.id) == 1

        async def mended(tx: Any, event: X) -> None:
            assert event == X(account=account, n=1)
            await note(tx, event, "told")

        await shift.work_once([moves(first), moves(mended, "fail_to_tell"), moves(last)])
        assert await shift.done() == ["first", "last", "told"], "its neighbours are not run again"
        assert await retry(shift, None) == 0

    on_shift(database_url, story)


def test_money_handler_is_never_given_up_and_its_failure_is_visible(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        await shift.emit([moves(fail)], uuid.uuid4())
        for _ in range(jobs.TRIES_MAX + 3):
            await shift.work_once([moves(fail)])
        async with shift.database.transaction() as tx:
            [row] = await dead_jobs.failing(tx, 10)
            counts = await dead_jobs.counts(tx)
            # Retried now by a person who repaired the cause.
            assert await dead_jobs.retry(tx, row.id) == 1
        assert (row.handler, row.tries) == ("fail", jobs.TRIES_MAX + 3)
        assert (counts.failing, counts.dead) == (1, 0)

    on_shift(database_url, story)


# -- the cost of a look ------------------------------------------------------------------------


def test_late_commit_is_found_by_the_next_full_look(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "EVERYTHING_SECONDS", 0.2)
    monkeypatch.setattr(watch, "REST_SECONDS", 0.3)

    async def story(shift: Shift) -> None:
        account = uuid.uuid4()
        async with working(shift.worker([NOTE])):
            await shift.emit([NOTE], account)
            await until(shift.done)
            await shift.database.call(
                "INSERT INTO jobs (account_id, kind, handler, facts, run_at) VALUES (%s, 'x',"
                """ 'note', '{"n": 0}', now() - interval '1 minute')""",
                account,
            )

            async def both() -> bool:
                return len(await shift.done()) == 2

            await until(both)

    on_shift(database_url, story)


def test_low_water_mark_leaves_room_for_late_commits() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    mark = LowWaterMark()
    assert mark.is_whole_due()
    mark.begin_whole(now)
    assert not mark.is_whole_due()
    mark.advance(now)
    assert mark.since == now - timedelta(seconds=worker_pool.LATE_SECONDS_MAX)
    mark.advance(now - timedelta(hours=1))
    assert mark.since == now - timedelta(seconds=worker_pool.LATE_SECONDS_MAX), "never back"
