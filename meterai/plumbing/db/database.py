"""PostgreSQL: a pool, and transactions that the edge commits.

Ways to speak to it:

* `Database.once(command, ...)` runs a command or query of one statement, which is its own
  transaction: the hot commands, one plpgsql function each, cost one round trip.  `call(...)`,
  `call_all(...)` and `read(...)` do the same for a statement.
* `Database.transaction()` opens a `Tx` for everything else.  It commits when the block ends and
  rolls back when the block raises.  Rooms get a `Tx` and never commit.
* `Database.run(command)` does the same for a command that takes the `Tx`: it runs it again where
  PostgreSQL broke it off for another's sake, so that what is composed of several rooms' commands
  happens whole or not at all.  What must follow the commit says `tx.after_commit(...)`.
* `Database.reading()` opens a `ReadTx`, in which PostgreSQL refuses whatever writes.

A database that is away (restarting, failing over, frozen) is a refusal at once and never a wait:
docs/decisions/0017 says how that is found out and how the way back is.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from math import inf
from time import monotonic
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
import structlog

from meterai.plumbing.db.connections import (
    LOCK_WAIT_MS_MAX,
    SESSION,
    STATEMENT_MS_MAX,
    Pulse,
    ServerConnection,
    connect,
    conninfo,
    statement_ms,
)
from meterai.plumbing.db.transactions import (
    BrokenOff,
    ChangeRefused,
    DatabaseAway,
    DatabaseBusy,
    OneStatement,
    ReadTx,
    Row,
    SecondStatement,
    Tx,
    jsonb,
)
from meterai.plumbing.observe.stations import Station
from meterai.plumbing.permits import PURPOSE, NoPermit, PermitQueue
from meterai.plumbing.queueing import Queueing

# What is imported with a database: a command and its transaction.
__all__ = [
    "RUNS_MAX",
    "BrokenOff",
    "ChangeRefused",
    "Database",
    "DatabaseAway",
    "DatabaseBusy",
    "ReadTx",
    "Row",
    "SecondStatement",
    "Tx",
    "jsonb",
]

CONNECTION_WAIT_SECONDS_MAX = 5.0  # a request that waits longer is better refused
# Mean wait for a connection of those who order: a journey asks for some hundred, so they wait ten seconds in all.
STATION_SECONDS_MAX = 0.1
RECONNECT_SECONDS = 0.5  # between two looks for a database that is away
LOOK_SECONDS = 0.25  # between two looks for connections that wait too long for an answer
SILENCE_SECONDS_MAX = 1.0  # after this without any answer we ask whether the server is there
RUNS_MAX = 3  # of a command that PostgreSQL broke off; then `DatabaseBusy`
_READ_ONLY = "25006"  # the server was the leader once

Answer = TypeVar("Answer")
Given = ParamSpec("Given")
_log = structlog.get_logger()


class Database:
    """A pool of connections to one PostgreSQL.

    At most `connections` are in use, the rest wait in line, by priority (`plumbing/permits.py`).  Which server is the leader may
    change; the newest connection leads to it, and those to another are given up.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        lock_wait_ms: int = LOCK_WAIT_MS_MAX,
        queueing: Queueing | None = None,
    ) -> None:
        # The waits of those who order, pay or have paid for a connection.
        self.station = Station("database", STATION_SECONDS_MAX)
        self.url = url
        self._limits = SESSION | {"lock_timeout": str(lock_wait_ms)}
        queueing = queueing or Queueing()
        self._permits = PermitQueue(
            connections, CONNECTION_WAIT_SECONDS_MAX, queueing, station=self.station
        )
        self._most = connections
        self._resting: list[ServerConnection] = []
        self._used: set[ServerConnection] = set()
        self._pulse = Pulse()
        self._server = ""
        self._is_away = False
        self._is_closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._probe: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect.  Where nothing answers, go on looking: until then everything is refused."""
        self._start(self._watch())
        try:
            self._keep(await self._connect())
        except psycopg.OperationalError as error:
            self._lose(error)

    async def close(self) -> None:
        """Close every connection; one that is in use closes when it is given back."""
        self._is_closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._drop_resting()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- connections -----------------------------------------------------------------------

    def _connection(self) -> "_Borrowed":
        return _Borrowed(self)

    async def _borrow(self) -> ServerConnection:
        """A connection, to be given back with `_give_back`.  Refuses `DatabaseAway`, `DatabaseBusy`."""
        self._refuse_while_away()
        try:
            await self._permits.take()
        except NoPermit as reason:
            raise DatabaseBusy(str(reason)) from None
        try:
            limit = _statement_ms()
            connection = await self._take(limit)
        except BaseException:
            self._permits.give_back()
            raise
        self._used.add(connection)
        try:
            await connection.limit(limit)
        except BaseException as error:
            await self._give_back(connection, error)
            raise
        return connection

    async def _give_back(self, connection: ServerConnection, broken: BaseException | None) -> None:
        """Takes a borrowed connection back, whole or broken."""
        try:
            if isinstance(broken, psycopg.Error) and (
                connection.raw.closed or broken.sqlstate == _READ_ONLY
            ):
                await connection.close()
                # The others lead to the same server: they are given up at once, without waiting for each to fail.
                await self._drop_resting()
                raise DatabaseAway(str(broken).strip()) from None
        finally:
            self._used.discard(connection)
            try:
                if (
                    connection.is_sound
                    and connection.server == self._server
                    and not self._is_closed
                ):
                    self._keep(connection)
                else:
                    await connection.close()
            finally:
                self._permits.give_back()

    def _refuse_while_away(self) -> None:
        if self._is_away:
            raise DatabaseAway("the database does not answer")

    async def _take(self, limit: int) -> ServerConnection:
        self._refuse_while_away()
        while self._resting:
            connection = self._resting.pop(self._best(limit))
            if not connection.has_ended_while_resting():
                return connection
            await connection.close()
        try:
            return await self._connect()
        except psycopg.OperationalError as error:
            if self._used and _is_an_answer(error):
                raise DatabaseBusy(str(error).strip()) from None
            self._lose(error)
            raise DatabaseAway(str(error).strip()) from None

    def _best(self, limit: int) -> int:
        """Which of those that rest: the newest that has this limit already, else the newest."""
        last = len(self._resting) - 1
        for at in range(last, -1, -1):
            if self._resting[at].statement_ms == limit:
                return at
        return last

    def _keep(self, connection: ServerConnection) -> None:
        connection.rest()
        self._resting.append(connection)

    async def _drop_resting(self) -> None:
        dropped, self._resting = self._resting, []
        for connection in dropped:
            await connection.close()

    async def _connect(self) -> ServerConnection:
        """A new connection; the server it leads to is the one we use from now on."""
        connection = await connect(conninfo(self.url), self._limits, self._pulse)
        if connection.server != self._server:
            self._server = connection.server
            await self._drop_resting()
        if self._is_away:
            self._is_away = False
            _log.warning("database_back", server=connection.server)
        return connection

    # -- noticing that it is away ----------------------------------------------------------

    async def _watch(self) -> None:
        """Cut what waits too long, and ask whether the server is there when all is silent."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = monotonic()
            waiting = [connection for connection in self._used if connection.asked_at]
            for connection in waiting:
                is_left_behind = connection.server != self._server
                if connection.waits(now) > (
                    SILENCE_SECONDS_MAX if is_left_behind else connection.patience
                ):
                    connection.cut()
            is_silent = now - self._pulse.heard_at > SILENCE_SECONDS_MAX
            is_asking = self._probe is not None and not self._probe.done()
            somebody_waits = any(
                connection.waits(now) > SILENCE_SECONDS_MAX for connection in waiting
            )
            if is_silent and somebody_waits and not self._is_away and not is_asking:
                self._probe = self._start(self._ask_whether_it_is_there())

    async def _ask_whether_it_is_there(self) -> None:
        """By a connection of its own: a statement may be slow, a server answers."""
        begun = monotonic()
        try:
            connection = await self._connect()
        except psycopg.OperationalError as error:
            if self._pulse.heard_at < begun and not _is_an_answer(error):
                self._lose(error)
            return
        if len(self._resting) + len(self._used) < self._most:
            self._keep(connection)
        else:
            await connection.close()

    def _lose(self, error: psycopg.Error) -> None:
        """Note that the database is away: refuse whoever waits, and let one task look for it."""
        if self._is_away:
            return
        self._is_away = True
        _log.warning("database_away", reason=str(error).strip()[:500])
        for connection in self._used:
            if connection.asked_at:
                connection.cut()
        self._start(self._find())

    async def _find(self) -> None:
        await self._drop_resting()
        while self._is_away:
            try:
                self._keep(await self._connect())
            except psycopg.OperationalError:
                await asyncio.sleep(RECONNECT_SECONDS)

    # -- speaking --------------------------------------------------------------------------

    async def once(
        self,
        command: Callable[Concatenate[Tx, Given], Awaitable[Answer]],
        *arguments: Given.args,
        **named: Given.kwargs,
    ) -> Answer:
        """Run a command or query of one statement: its own transaction, one round trip.

        Run again as by `run`.  Raises `SecondStatement`.
        """

        async def act() -> Answer:
            async with self._connection() as connection:
                tx = OneStatement(connection)
                answer = await command(tx, *arguments, **named)
            await tx.follow()
            return answer

        return await _again(act)

    async def call(self, query: str, *parameters: object) -> Row | None:
        """One statement, its own transaction, one round trip: the first row of its answer."""
        async with self._connection() as connection:
            return await Tx(connection).one(query, *parameters)

    async def call_all(self, query: str, *parameters: object) -> list[Row]:
        """One statement, its own transaction: every row of its answer."""
        async with self._connection() as connection:
            return await Tx(connection).all(query, *parameters)

    async def read(self, query: str, *parameters: object) -> list[Row]:
        """One query: every row of its answer.  It changes nothing; a test looks at each."""
        return await self.call_all(query, *parameters)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        async with self._connection() as connection:
            tx = Tx(connection)
            async with _open(tx, "BEGIN"):
                yield tx
        await tx.follow()

    async def run(self, command: Callable[[Tx], Awaitable[Answer]]) -> Answer:
        """Run a command in a transaction of its own, commit it, and do what follows the commit.

        Where PostgreSQL broke it off (a deadlock, a conflict) nothing of it happened, and it is run
        again, `RUNS_MAX` times in all.  So a command does nothing that cannot be rolled back: it
        speaks to its transaction, and leaves the rest to `after_commit`.  Refuses `DatabaseBusy`.
        """

        async def act() -> Answer:
            async with self.transaction() as tx:
                return await command(tx)

        return await _again(act)

    async def run_on(
        self,
        command: Callable[[Tx, Row | None], Awaitable[Answer]],
        query: str,
        *parameters: object,
    ) -> Answer:
        """The same, of a transaction that begins with a statement: the command gets its first row.

        The BEGIN goes with it, in one round trip.  The server plans it anew each time.
        """

        async def act() -> Answer:
            async with self._connection() as connection:
                tx = Tx(connection)
                async with _open(tx, f"BEGIN; {query}", *parameters) as row:
                    answer = await command(tx, row)
            await tx.follow()
            return answer

        return await _again(act)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadTx]:
        """A transaction that sees one moment and in which PostgreSQL refuses every change.

        Raises `ChangeRefused`.
        """
        async with self._connection() as connection:
            tx = ReadTx(connection)
            try:
                async with _open(tx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
                    yield tx
            except psycopg.errors.ReadOnlySqlTransaction as error:
                raise ChangeRefused(str(error).strip()) from None


class _Borrowed:
    """A connection while a block lasts.  By hand: made from a generator it costs three times as much."""

    __slots__ = ("_connection", "_database")

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> ServerConnection:
        self._connection = await self._database._borrow()
        return self._connection

    async def __aexit__(self, _kind: object, broken: BaseException | None, _where: object) -> None:
        await self._database._give_back(self._connection, broken)


def _statement_ms() -> int:
    """How long a statement may take that begins now: no longer than anybody waits for its answer.

    Refuses `DatabaseBusy` where there is no time for one.
    """
    until = PURPOSE.get().until
    limit = STATEMENT_MS_MAX if until == inf else statement_ms(until - monotonic())
    if not limit:
        raise DatabaseBusy("nobody waits for the answer any more")
    return limit


async def _again(act: Callable[[], Awaitable[Answer]]) -> Answer:
    for _ in range(RUNS_MAX - 1):
        try:
            return await act()
        except BrokenOff:
            continue
    return await act()


@asynccontextmanager
async def _open(tx: ReadTx, begin: str, *parameters: object) -> AsyncIterator[Row | None]:
    """Begin a transaction, by several statements at once or by one, and end it."""
    try:
        yield await tx.tell(begin, *parameters)
    except BaseException:
        # One that fails too says nothing new: the connection is closed, and what was first is the reason.
        with suppress(psycopg.Error, DatabaseBusy):
            await tx.tell("ROLLBACK")
        raise
    await tx.tell("COMMIT")


def _is_an_answer(error: psycopg.Error) -> bool:
    """True where a server said no to a connection (too many, for one): it is there."""
    return "FATAL" in str(error)
