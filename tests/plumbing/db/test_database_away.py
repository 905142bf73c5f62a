"""A database that stops, dies or freezes: requests are refused at once, and served soon after it is back.

The length of the outage makes no difference.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

import psycopg
import pytest

from meterai.plumbing.db import database
from meterai.plumbing.db.database import BrokenOff, Database, DatabaseAway, DatabaseBusy
from tests.support.servers import Server, Switch

pytestmark = pytest.mark.sample(6, of="file")

CROWD = 8
CONNECTIONS = 4
HANGS_SECONDS = 30.0  # silence, a look, one connection that does not answer, and a slow machine
WAIT_SECONDS_MAX = 90.0  # for events that take some seconds
AWAY_SECONDS = 0.5


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("one"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("other"))
    yield server
    server.stop()


@dataclass(frozen=True)
class Call:
    """Begin, end and outcome of a call."""

    begun: float
    ended: float
    outcome: str

    @property
    def seconds(self) -> float:
        return self.ended - self.begun


class Crowd:
    """Several clients that query all the time."""

    def __init__(self, found: Database) -> None:
        self._database = found
        self.calls: list[Call] = []
        self._is_over = False

    async def _ask(self) -> None:
        while not self._is_over:
            begun = monotonic()
            outcome = "answered"
            try:
                await self._database.call("SELECT 1")
            except (DatabaseAway, DatabaseBusy) as refusal:
                outcome = refusal.code
            self.calls.append(Call(begun, monotonic(), outcome))
            await asyncio.sleep(0.02)

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._ask()) for _ in range(CROWD)]
        await self.answers_since(monotonic())
        yield
        self._is_over = True
        await asyncio.gather(*tasks)

    async def answers_since(self, moment: float, outcome: str = "answered") -> None:
        """Wait for a call with this outcome that began after this moment."""
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while True:
                if any(c.begun > moment and c.outcome == outcome for c in self.calls[-50:]):
                    return
                await asyncio.sleep(0.02)

    async def refused_since(self, moment: float) -> None:
        """Wait for a refusal of a call that began after this moment."""
        await self.answers_since(moment, "database_away")

    def assert_nobody_hung(self) -> None:
        slowest = max(self.calls, key=lambda call: call.seconds)
        assert slowest.seconds < HANGS_SECONDS, slowest


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    found = Database(url, connections=CONNECTIONS)
    await found.open()
    try:
        yield found
    finally:
        await found.close()


def story(url: str, breaks: Callable[[], None], mends: Callable[[], None]) -> Crowd:
    """Break the database under load, wait, repair it, and wait until calls are answered again."""

    async def run() -> Crowd:
        async with opened(url) as found:
            crowd = Crowd(found)
            async with crowd.asking():
                await asyncio.to_thread(breaks)
                try:
                    await crowd.refused_since(monotonic())
                    await asyncio.sleep(AWAY_SECONDS)
                finally:
                    await asyncio.to_thread(mends)
                await crowd.answers_since(monotonic())
            return crowd

    crowd = asyncio.run(run())
    crowd.assert_nobody_hung()
    return crowd


def test_stopped_and_started_server_serves_again(one: Server) -> None:
    story(one.url, one.stop, one.start)


def test_frozen_and_resumed_server_serves_again(one: Server) -> None:
    story(one.url, one.freeze, one.thaw)


def test_refusal_while_the_database_is_away_is_immediate(one: Server) -> None:
    async def run() -> list[float]:
        async with opened(one.url) as found:
            one.freeze()
            try:
                with pytest.raises(DatabaseAway):
                    await found.call("SELECT 1")
                seconds = []
                for _ in range(20):
                    begun = monotonic()
                    with pytest.raises(DatabaseAway) as refused:
                        await found.call("SELECT 1")
                    seconds.append(monotonic() - begun)
                    assert refused.value.retry_after_seconds > database.RECONNECT_SECONDS
                return seconds
            finally:
                one.thaw()

    assert median(asyncio.run(run())) < 1.0


def test_service_moves_from_a_frozen_leader_to_the_new_one(one: Server, other: Server) -> None:
    async def run() -> None:
        async with Switch(one.socket).open() as switch:
            url = f"postgresql://postgres@127.0.0.1:{switch.port}/postgres"
            async with opened(url) as found:
                crowd = Crowd(found)
                async with crowd.asking():
                    one.freeze()
                    await asyncio.sleep(AWAY_SECONDS)
                    switch.target = other.socket
                    # The first server stays frozen all the time.
                    await crowd.answers_since(monotonic())
                crowd.assert_nobody_hung()

    try:
        asyncio.run(run())
    finally:
        one.thaw()


def test_connection_to_a_read_only_leader_is_dropped(one: Server) -> None:
    async def run() -> None:
        async with opened(one.url) as found:
            await found.call("CREATE TABLE written (n integer)")
            await found.call("SET default_transaction_read_only = on")
            with pytest.raises(DatabaseAway):
                await found.call("INSERT INTO written VALUES (1)")
            await found.call("INSERT INTO written VALUES (2)")
            assert await found.read("SELECT n FROM written") == [{"n": 2}]

    asyncio.run(run())


def test_calls_are_refused_until_the_database_exists(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.stop()

    async def run() -> None:
        async with opened(server.url) as found:
            with pytest.raises(DatabaseAway):
                await found.call("SELECT 1")
            await asyncio.to_thread(server.start)
            crowd = Crowd(found)
            async with crowd.asking():
                pass

    try:
        asyncio.run(run())
    finally:
        server.stop()


# -- deadlines ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "statement"),
    [
        ("lock_timeout", "UPDATE issuing SET changed_at = changed_at"),
        ("statement_timeout", "SELECT pg_sleep(20)"),
    ],
)
def test_time_out_of_a_statement_is_refused_as_busy(
    database_url: str, setting: str, statement: str
) -> None:
    async def take(found: Database) -> None:
        async with found.transaction() as tx:
            await tx.run(f"SET LOCAL {setting} = '50ms'")
            await tx.run(statement)

    async def run() -> None:
        async with opened(database_url) as found, found.transaction() as holder:
            await holder.run("SELECT 1 FROM issuing FOR UPDATE")
            with pytest.raises(DatabaseBusy):
                await take(found)
            await found.call("SELECT 1")

    asyncio.run(run())


def test_deadlock_breaks_off_one_transaction_as_busy(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE rows (n integer PRIMARY KEY)")
        connection.execute("INSERT INTO rows VALUES (1), (2)")
        connection.execute("GRANT ALL ON rows TO PUBLIC")

    async def run() -> Sequence[object]:
        async with opened(database_url) as found:
            both = asyncio.Barrier(2)

            async def take(first: int, second: int) -> None:
                async with found.transaction() as tx:
                    await tx.run("UPDATE rows SET n = n WHERE n = %s", first)
                    await both.wait()
                    await tx.run("UPDATE rows SET n = n WHERE n = %s", second)

            return await asyncio.gather(take(1, 2), take(2, 1), return_exceptions=True)

    found = asyncio.run(run())
    assert sorted(type(one).__name__ for one in found) == ["BrokenOff", "NoneType"]
    assert issubclass(BrokenOff, DatabaseBusy)


def test_connection_to_a_silent_server_is_closed_at_the_deadline(database_url: str) -> None:
    """Also if the server would continue: a pooler may have lost its time-outs."""

    async def wait(found: Database) -> None:
        async with found.transaction() as tx:
            await tx.allow(60)
            tx._connection.patience = 0.1
            await tx.run("SELECT pg_sleep(60)")

    async def run() -> None:
        async with opened(database_url) as found:
            with pytest.raises(DatabaseAway):
                await wait(found)
            await found.call("SELECT 1")

    asyncio.run(run())
