"""PostgreSQL: a pool of connections, and transactions that the caller of a room commits.

Ways to use it:

* `Database.once(command, ...)` runs a command or query of one statement, which is its own
  transaction: the frequent commands, one plpgsql function each, cost one round trip.  `call(...)`,
  `call_all(...)` and `read(...)` do the same for a statement given as SQL.
* `Database.transaction()` opens a `Tx` for everything else.  It commits when the block ends and
  rolls back when the block raises.  Rooms receive a `Tx` and never commit.
* `Database.run(command)` does the same for a command that takes the `Tx`, and runs the command again if PostgreSQL
  rolled it back in favour of another transaction.  So commands of several rooms that are composed into one are carried
  out completely or not at all.  Acts that must follow the commit are registered by `tx.after_commit(...)`.
* `Database.reading()` opens a `ReadTx`, in which PostgreSQL refuses every write.

While the database is away (restarting, failing over, frozen) each use is refused at once instead of waiting:
docs/decisions/0017 describes how that is detected and how normal service resumes.
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

# Names of other modules that are imported together with a database: a command and its transaction.
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

CONNECTION_WAIT_SECONDS_MAX = 5.0  # after a longer wait a request is refused
# Bound of the mean wait for a connection of ordering visitors: a journey takes about a hundred connections, so it waits
# ten seconds in total.
STATION_SECONDS_MAX = 0.1
RECONNECT_SECONDS = 0.5  # between two attempts to reach a database that is away
LOOK_SECONDS = 0.25  # between two checks for connections that have waited too long for an answer
# After so long without any answer a new connection tests whether the server is there.
SILENCE_SECONDS_MAX = 1.0
RUNS_MAX = 3  # of a command that PostgreSQL rolled back; after that `DatabaseBusy`
_READ_ONLY = "25006"  # SQLSTATE of a write on a server that was the leader before

Answer = TypeVar("Answer")
Given = ParamSpec("Given")
_log = structlog.get_logger()


class Database:
    """A pool of connections to one PostgreSQL.

    At most `connections` are in use; further requests wait, ordered by priority (`plumbing/permits.py`). After a
    failover another server accepts connections: the server of the newest connection is the current one, and connections
    to any other server are closed.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        lock_wait_ms: int = LOCK_WAIT_MS_MAX,
        queueing: Queueing | None = None,
    ) -> None:
        # Waits for a connection of visitors who order, pay or have paid.
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
        """Connect. If no server answers, refuse every use and keep trying until one does."""
        self._start(self._watch())
        try:
            self._keep(await self._connect())
        except psycopg.OperationalError as error:
            self._lose(error)

    async def close(self) -> None:
        """Close every connection. A connection in use is closed when it is given back."""
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
        """Take a connection; the caller gives it back by `_give_back`. Refuses `DatabaseAway`, `DatabaseBusy`."""
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
        """Take back a borrowed connection; `broken` is the exception that ended its use, if any."""
        try:
            if isinstance(broken, psycopg.Error) and (
                connection.raw.closed or broken.sqlstate == _READ_ONLY
            ):
                await connection.close()
                # The other connections lead to the same server: they are closed at once, instead of failing one after
                # another.
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
        """Return the index of the unused connection to take: the newest one whose time-out is set to `limit` already; if there
        is none, the newest of all.
        """
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
        """Open a connection; from now on the server of this connection counts as the current one."""
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
        """Cut connections that have waited too long for an answer, and test the server if none answers."""
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
        """Test by a new connection whether the server is available, since a connection may wait only because its statement is
        slow.
        """
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
        """Record that the database is away: cut connections that wait for an answer, and start a task that tries to reach the
        database.
        """
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
        """Run a command or query of one statement as its own transaction, in one round trip.

        If PostgreSQL rolls it back, it is repeated as by `run`. Raises `SecondStatement` if the command runs a second
        statement.
        """

        async def act() -> Answer:
            async with self._connection() as connection:
                tx = OneStatement(connection)
                answer = await command(tx, *arguments, **named)
            await tx.follow()
            return answer

        return await _again(act)

    async def call(self, query: str, *parameters: object) -> Row | None:
        """Run one statement as its own transaction, in one round trip; return the first row of its answer, or None."""
        async with self._connection() as connection:
            return await Tx(connection).one(query, *parameters)

    async def call_all(self, query: str, *parameters: object) -> list[Row]:
        """Run one statement as its own transaction; return every row of its answer."""
        async with self._connection() as connection:
            return await Tx(connection).all(query, *parameters)

    async def read(self, query: str, *parameters: object) -> list[Row]:
        """Run one query that only reads (a test checks this); return every row of its answer."""
        return await self.call_all(query, *parameters)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Open a transaction: committed when the block ends, rolled back when it raises."""
        async with self._connection() as connection:
            tx = Tx(connection)
            async with _open(tx, "BEGIN"):
                yield tx
        await tx.follow()

    async def run(self, command: Callable[[Tx], Awaitable[Answer]]) -> Answer:
        """Run a command in a new transaction, commit the transaction, and run the acts that the command registered by
        `after_commit`.

        If PostgreSQL rolls the transaction back (a deadlock, a serialization conflict), the command is run again, up to
        `RUNS_MAX` times in total. So a command may change nothing outside its transaction; acts that cannot be rolled
        back are registered by `after_commit`. Refuses `DatabaseBusy`.
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
        """Like `run`, for a transaction that begins with the statement `query`: the command receives the first row of the
        answer to this statement.

        BEGIN and the statement are sent in one round trip. The server plans the statement anew each time.
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
        """Open a transaction that sees one snapshot and in which PostgreSQL refuses every change.

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
    """Context manager that borrows a connection of the pool for a block. It is a class, since a generator would cost three
    times as much.
    """

    __slots__ = ("_connection", "_database")

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> ServerConnection:
        self._connection = await self._database._borrow()
        return self._connection

    async def __aexit__(self, _kind: object, broken: BaseException | None, _where: object) -> None:
        await self._database._give_back(self._connection, broken)


def _statement_ms() -> int:
    """Return the time-out in milliseconds of a statement that begins now: at most the time for which the client still waits.

    Refuses `DatabaseBusy` if too little time is left.
    """
    until = PURPOSE.get().until
    limit = STATEMENT_MS_MAX if until == inf else statement_ms(until - monotonic())
    if not limit:
        raise DatabaseBusy("the client no longer waits for the answer")
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
    """Open a transaction by `begin` (one statement or several, in one round trip); commit it when the block ends, roll
    it back if it raises.
    """
    try:
        yield await tx.tell(begin, *parameters)
    except BaseException:
        # If the rollback fails too, the first fault is still the reason, and the connection is closed.
        with suppress(psycopg.Error, DatabaseBusy):
            await tx.tell("ROLLBACK")
        raise
    await tx.tell("COMMIT")


def _is_an_answer(error: psycopg.Error) -> bool:
    """True if the error is the answer of a running server that declined the connection, for example because the server has too
    many connections.
    """
    return "FATAL" in str(error)
