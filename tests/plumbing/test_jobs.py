"""Jobs: each handler exactly once and by itself, nobody waits for a locked neighbour, a failure is
tried again with a bounded pause and seen, and a look costs little however much was done before."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from meterai.kit.backoff import pause
from meterai.plumbing import dead_jobs, jobs, lane, telemetry
from meterai.plumbing.database import Database, DatabaseAway
from meterai.plumbing.jobs import EventHandler, Job, Worker, gives_up
from meterai.plumbing.lane import NOBODY, LowWaterMark

BOUND_SECONDS = 20.0  # less than the locked jobs would need one batch after the other
PLACES = 8


@pytest.fixture(autouse=True)
def table(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE done (account_id uuid, handler text, job uuid)")
        connection.execute("CREATE TABLE wards (account_id uuid PRIMARY KEY)")
        connection.execute("GRANT ALL ON done, wards TO PUBLIC")


class Shift:
    """A database with jobs, and workers for it."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def emit(self, kind: str, *accounts: UUID, times: int = 1) -> None:
        async with self.database.transaction() as tx:
            for account in accounts * times:
                await tx.run("SELECT emit(%s, %s, %s)", account, kind, Jsonb({"n": 1}))

    async def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        return await self.database.read(query, *parameters)

    def worker(
        self, event_handlers: Mapping[str, Sequence[EventHandler]], places: int = PLACES
    ) -> Worker:
        return Worker(self.database, event_handlers, [], concurrency=places)

    async def work_once(self, event_handlers: Mapping[str, Sequence[EventHandler]]) -> None:
        """Run everything that is due or waits for its next try."""
        await self.database.call("UPDATE jobs SET run_at = now()")
        await self.worker(event_handlers).run_batch()

    async def done(self) -> list[str]:
        return [row["handler"] for row in await self.rows("SELECT handler FROM done ORDER BY 1")]


def on_shift(url: str, story: Callable[[Shift], Awaitable[None]], connections: int = 12) -> None:
    async def run() -> None:
        database = Database(url, connections=connections)
        await database.open()
        try:
            await story(Shift(database))
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


async def note(tx: Any, job: Job, name: str = "note") -> None:
    await tx.run("INSERT INTO done VALUES (%s, %s, %s)", job.account, name, job.id)


async def first(tx: Any, job: Job) -> None:
    await note(tx, job, "first")


async def last(tx: Any, job: Job) -> None:
    await note(tx, job, "last")


async def fail(tx: Any, job: Job) -> None:
    await note(tx, job, "fail")  # rolled back
    raise ValueError("cannot be")


@gives_up
async def fail_to_tell(tx: Any, job: Job) -> None:
    await note(tx, job, "fail_to_tell")
    raise ValueError("no such address")


# -- pauses ------------------------------------------------------------------------------------


@given(st.integers(), st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_a_pause_is_bounded_for_any_number_of_tries(
    tries: int, first_seconds: float, longest: float
) -> None:
    assert 0 < pause(tries, first=first_seconds, longest=longest) <= longest


def test_a_job_that_failed_for_days_is_still_tried(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        await shift.emit("x", uuid.uuid4())
        await shift.database.call("UPDATE jobs SET tries = 5000")
        await shift.work_once({"x": [fail]})
        [row] = await shift.rows(
            "SELECT tries, last_fault, run_at - now() <= interval '301 s' AS is_soon FROM jobs"
        )
        assert row == {"tries": 5001, "last_fault": "ValueError('cannot be')", "is_soon": True}
        await shift.work_once({"x": [note]})
        assert await shift.done() == ["note"]

    on_shift(database_url, story)


# -- neighbours --------------------------------------------------------------------------------


def test_a_locked_account_keeps_no_other_waiting(database_url: str) -> None:
    """The lock is held until everybody else is done."""
    locked, others = uuid.uuid4(), [uuid.uuid4() for _ in range(20)]

    async def touch(tx: Any, job: Job) -> None:
        await tx.run("UPDATE wards SET account_id = account_id WHERE account_id = %s", job.account)
        await note(tx, job)

    async def story(shift: Shift) -> None:
        for account in (locked, *others):
            await shift.database.call("INSERT INTO wards VALUES (%s)", account)
        await shift.emit("x", locked, times=100)
        await shift.emit("x", *others)

        async def others_done() -> bool:
            rows = await shift.rows("SELECT DISTINCT account_id FROM done")
            return {row["account_id"] for row in rows} == set(others)

        worker = shift.worker({"x": [touch]})
        async with shift.database.transaction() as holder:
            await holder.run("SELECT 1 FROM wards WHERE account_id = %s FOR UPDATE", locked)
            task = asyncio.create_task(worker.run())
            try:
                await until(others_done)
            finally:
                worker.stop()
        await task

    on_shift(database_url, story)


@pytest.mark.parametrize(("account", "most"), [(uuid.uuid4(), 2), (NOBODY, 4)])
def test_one_account_does_not_fill_all_places(database_url: str, account: UUID, most: int) -> None:
    under_way: set[UUID] = set()
    seen: list[int] = []

    async def slow(tx: Any, job: Job) -> None:
        under_way.add(job.id)
        seen.append(len(under_way))
        await asyncio.sleep(0.02)
        under_way.discard(job.id)

    async def story(shift: Shift) -> None:
        await shift.emit("x", account, times=20)
        await shift.worker({"x": [slow]}).run_batch()
        assert max(seen) == most

    on_shift(database_url, story)


def test_what_a_locked_row_delays_is_no_fault_of_its_handler(database_url: str) -> None:
    @gives_up
    async def locked(tx: Any, job: Job) -> None:
        await tx.run("SET LOCAL lock_timeout = '10ms'")
        await tx.run("LOCK TABLE wards")

    async def story(shift: Shift) -> None:
        await shift.emit("x", uuid.uuid4())
        await shift.database.call("UPDATE jobs SET tries = %s", jobs.TRIES_MAX)
        async with shift.database.transaction() as holder:
            await holder.run("LOCK TABLE wards")
            await shift.work_once({"x": [locked]})
        [row] = await shift.rows("SELECT last_fault, tries FROM jobs")
        assert row == {"last_fault": "busy", "tries": jobs.TRIES_MAX}
        await shift.work_once({"x": [locked]})
        assert not await shift.rows("SELECT 1 FROM jobs UNION ALL SELECT 1 FROM dead_jobs")

    on_shift(database_url, story)


def test_a_database_that_is_away_is_no_fault_of_a_lane(database_url: str) -> None:
    async def away(piece: lane.Piece) -> None:
        raise DatabaseAway("the database does not answer")

    async def look(*_: object) -> list[lane.Piece]:
        return [lane.Piece(uuid.uuid4(), uuid.uuid4(), datetime.now(UTC))]

    async def read_clock() -> datetime:
        return datetime.now(UTC)

    one = lane.Lane("a lane of a test", look, away, read_clock, places=1, batch=1)
    asyncio.run(one.once())
    assert telemetry.FAULTS.labels(where=one.name)._value.get() == 0


# -- handlers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "handlers",
    [[fail, first, last], [first, fail, last], [first, last, fail]],
    ids=["fails first", "fails between", "fails last"],
)
def test_a_failing_handler_stops_no_neighbour_and_each_runs_once(
    database_url: str, handlers: list[EventHandler]
) -> None:
    async def story(shift: Shift) -> None:
        await shift.emit("x", uuid.uuid4())
        for _ in range(3):
            await shift.work_once({"x": handlers})
            assert await shift.done() == ["first", "last"]
        [row] = await shift.rows("SELECT handlers, tries, last_fault FROM jobs")
        assert row == {"handlers": ["fail"], "tries": 3, "last_fault": "ValueError('cannot be')"}

        async def mended(tx: Any, job: Job) -> None:
            await note(tx, job, "mended")

        mended.__name__ = "fail"
        await shift.work_once({"x": [mended if one is fail else one for one in handlers]})
        assert await shift.done() == ["first", "last", "mended"]
        assert not await shift.rows("SELECT 1 FROM jobs")

    on_shift(database_url, story)


def test_many_workers_run_each_handler_once(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        await shift.emit("x", *(uuid.uuid4() for _ in range(10)), times=6)
        event_handlers = {"x": [first, last]}
        await asyncio.gather(*(shift.worker(event_handlers).run_batch() for _ in range(4)))
        while await shift.rows("SELECT 1 FROM jobs"):
            await shift.work_once(event_handlers)
        rows = await shift.rows("SELECT job, handler, count(*) AS times FROM done GROUP BY 1, 2")
        assert len(rows) == 120
        assert {row["times"] for row in rows} == {1}

    on_shift(database_url, story)


def test_a_worker_that_dies_holds_nothing(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        await shift.emit("x", uuid.uuid4())

        async def die(tx: Any, job: Job) -> None:
            await note(tx, job)
            pid = await tx.value("SELECT pg_backend_pid()")
            with psycopg.connect(database_url) as owner:
                owner.execute("SELECT pg_terminate_backend(%s)", [pid])
            await tx.run("SELECT 1")

        await shift.worker({"x": [die]}).run_batch()
        assert await shift.done() == []
        await shift.worker({"x": [note]}).run_batch()  # at once: there is no lease to run out
        assert await shift.done() == ["note"]

    on_shift(database_url, story)


def test_a_kind_nobody_here_knows_waits_for_who_does(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        await shift.emit("new", uuid.uuid4())
        await shift.work_once({})
        [row] = await shift.rows("SELECT last_fault FROM jobs")
        assert "nobody here handles new" in row["last_fault"]
        await shift.work_once({"new": [note]})
        assert await shift.done() == ["note"]
        await shift.emit("heard by nobody", uuid.uuid4())
        await shift.work_once({"heard by nobody": []})
        assert not await shift.rows("SELECT 1 FROM jobs")

    on_shift(database_url, story)


# -- dead letters ------------------------------------------------------------------------------


def test_who_only_tells_is_given_up_and_can_be_run_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "TRIES_MAX", 3)
    account = uuid.uuid4()

    async def retry(shift: Shift, which: UUID | None) -> int:
        async with shift.database.transaction() as tx:
            return await dead_jobs.retry(tx, which)

    async def story(shift: Shift) -> None:
        await shift.emit("x", account)
        for _ in range(5):
            await shift.work_once({"x": [first, fail_to_tell, last]})
        assert await shift.done() == ["first", "last"]
        assert not await shift.rows("SELECT 1 FROM jobs")
        async with shift.database.transaction() as tx:
            [dead] = await dead_jobs.dead(tx, 10)
            assert (await dead_jobs.counts(tx))["dead"] == 1
        assert (dead["handler"], dead["tries"], dead["account_id"]) == ("fail_to_tell", 3, account)
        assert dead["fault"] == "ValueError('no such address')"

        assert await retry(shift, uuid.uuid4()) == 0
        assert await retry(shift, dead["job_id"]) == 1

        async def mended(tx: Any, job: Job) -> None:
            assert job.facts == {"n": 1}
            await note(tx, job, "told")

        mended.__name__ = "fail_to_tell"
        await shift.work_once({"x": [first, mended, last]})
        assert await shift.done() == ["first", "last", "told"], "its neighbours are not run again"
        assert await retry(shift, None) == 0

    on_shift(database_url, story)


def test_a_given_up_handler_comes_back_beside_one_that_still_fails(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "TRIES_MAX", 2)

    async def story(shift: Shift) -> None:
        await shift.emit("x", uuid.uuid4())
        for _ in range(4):
            await shift.work_once({"x": [fail, fail_to_tell]})
        async with shift.database.transaction() as tx:
            assert await dead_jobs.retry(tx, None) == 1
        [row] = await shift.rows("SELECT handlers FROM jobs")
        assert sorted(row["handlers"]) == ["fail", "fail_to_tell"]

    on_shift(database_url, story)


def test_money_is_never_given_up_but_seen(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        await shift.emit("x", uuid.uuid4())
        for _ in range(jobs.TRIES_MAX + 3):
            await shift.work_once({"x": [fail]})
        async with shift.database.transaction() as tx:
            [row] = await dead_jobs.failing(tx, 10)
            counts = await dead_jobs.counts(tx)
            # Tried again now, for a person who has mended the cause.
            assert await dead_jobs.retry(tx, row["job_id"]) == 1
        assert row["tries"] == jobs.TRIES_MAX + 3
        assert (counts["failing"], counts["dead"]) == (1, 0)

    on_shift(database_url, story)


# -- looking -----------------------------------------------------------------------------------


def buffers(url: str, parameters: Sequence[object]) -> int:
    """Pages that one look reads."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {jobs.LOOK}".encode(), parameters
        ).fetchone()
    assert found is not None
    plan = found[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


def test_a_look_stays_cheap_under_an_old_snapshot(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done cannot be cleaned away while somebody reads an old state of the database."""
    monkeypatch.setattr(lane, "LATE_SECONDS_MAX", 0.0)

    async def story(shift: Shift) -> None:
        account = uuid.uuid4()
        work = shift.worker({"x": [note]}).lane()
        async with shift.database.transaction() as old:
            await old.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await old.run("SELECT 1 FROM jobs")
            await shift.database.call(
                "INSERT INTO jobs (account_id, kind, run_at)"
                " SELECT %s, 'x', now() - interval '1 hour' FROM generate_series(1, 5000)",
                account,
            )
            await shift.database.call("DELETE FROM jobs")
            await shift.database.call("ANALYZE jobs")
            await shift.emit("x", account)
            whole = buffers(database_url, (work.mark.since, [], jobs.BATCH))
            assert await work._see_more() is False
            assert await work._see_more() is False
            cheap = buffers(database_url, (work.mark.since, [], jobs.BATCH))
            # Every dead row is visited once by the first, none by the second.
            assert whole > 50
            assert cheap < 10

    on_shift(database_url, story)


def test_what_commits_late_is_found_by_the_next_look_at_everything(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "EVERYTHING_SECONDS", 0.2)

    async def story(shift: Shift) -> None:
        account = uuid.uuid4()
        async with working(shift.worker({"x": [note]})):
            await shift.emit("x", account)
            await until(shift.done)
            await shift.database.call(
                "INSERT INTO jobs (account_id, kind, run_at) VALUES (%s, 'x',"
                " now() - interval '1 minute')",
                account,
            )

            async def both() -> bool:
                return len(await shift.done()) == 2

            await until(both)

    on_shift(database_url, story)


def test_the_mark_never_moves_past_what_may_still_come() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    mark = LowWaterMark()
    assert mark.is_whole_due()
    mark.begin_whole(now)
    assert not mark.is_whole_due()
    mark.advance(now)
    assert mark.since == now - timedelta(seconds=lane.LATE_SECONDS_MAX)
    mark.advance(now - timedelta(hours=1))
    assert mark.since == now - timedelta(seconds=lane.LATE_SECONDS_MAX), "never back"


def test_a_look_is_one_plain_question() -> None:
    """Distributed by account, a look across accounts cannot lock; a claim is of one account."""
    assert "FOR UPDATE" not in jobs.LOOK
    for claim in (jobs._LAST, jobs._NOT_LAST):
        assert claim.count("account_id = %s") == 2


def test_facts_are_kept_as_they_were(database_url: str) -> None:
    async def story(shift: Shift) -> None:
        facts = {"text": "surat\u2028", "number": 2**53, "none": None}
        async with shift.database.transaction() as tx:
            await tx.run("SELECT emit(%s, 'x', %s)", uuid.uuid4(), Jsonb(facts))
        seen = []

        async def look(_tx: Any, job: Job) -> None:
            seen.append(job.facts)

        await shift.work_once({"x": [look]})
        assert seen == [facts]

    on_shift(database_url, story)
