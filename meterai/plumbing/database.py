"""PostgreSQL: a pool, transactions that the edge commits, and refusals raised by the database.

Two ways to speak to it:

* `Database.call(...)` runs one statement that is its own transaction: the hot commands, one
  plpgsql function each, cost one round trip.
* `Database.transaction()` opens a `Tx` for everything else.  It commits when the block ends and
  rolls back when the block raises.  Rooms get a `Tx` and never commit.

A plpgsql function refuses with `PERFORM refuse('code', '{"fact": 1}')`; it arrives here as the
`Refusal` that was declared with `kit.refusal.refusal_of_database`.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from meterai.kit.refusal import Refusal, declared_for_code, declared_for_constraint

REFUSED = "MT001"  # the SQLSTATE of `refuse()`, see migrations/0001_plumbing.sql
STATEMENT_MS_MAX = 10_000  # nothing a request needs takes longer; protects the pool
LOCK_WAIT_MS_MAX = 5_000  # a row is held for milliseconds; longer means something is stuck
CONNECTION_WAIT_SECONDS_MAX = 5.0  # a request that waits longer is better refused

Row = dict[str, Any]


class DatabaseBusy(Refusal):
    """No connection came free in time.  Nothing was changed and nobody was charged."""

    code = "busy"
    status = 503


def _translated(error: psycopg.Error) -> Refusal | None:
    if broken := declared_for_constraint(error.diag.constraint_name):
        return broken(error.diag.constraint_name)
    if error.sqlstate != REFUSED or error.diag.message_primary is None:
        return None
    kind = declared_for_code(error.diag.message_primary)
    if kind is None:
        return None
    refusal = kind.__new__(kind)
    Exception.__init__(refusal, f"{kind.code}: {error.diag.message_detail}")
    for name, value in json.loads(error.diag.message_detail or "{}").items():
        setattr(refusal, name, value)
    return refusal


class DatabaseAway(Refusal):
    """The connection broke (a restart, a failover): what was asked may or may not have happened.

    Every command is safe to repeat, so the answer is to repeat the same request.
    """

    code = "database_away"
    status = 503


class Tx:
    """An open transaction.  Handed to rooms; committed at the edge."""

    def __init__(self, connection: AsyncConnection[DictRow]) -> None:
        self._connection = connection

    async def all(self, query: str, *parameters: object) -> list[Row]:
        """Every row of the answer."""
        try:
            cursor = await self._connection.execute(query.encode(), parameters or None)
            return await cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            if refusal := _translated(error):
                raise refusal from None
            raise

    async def one(self, query: str, *parameters: object) -> Row | None:
        """The first row of the answer, or None."""
        rows = await self.all(query, *parameters)
        return rows[0] if rows else None

    async def value(self, query: str, *parameters: object) -> Any:
        """The first column of the first row, or None."""
        row = await self.one(query, *parameters)
        return next(iter(row.values())) if row else None

    async def run(self, query: str, *parameters: object) -> int:
        """Run a statement and say how many rows it touched."""
        try:
            return (await self._connection.execute(query.encode(), parameters or None)).rowcount
        except psycopg.Error as error:
            if refusal := _translated(error):
                raise refusal from None
            raise


class Database:
    """A pool of connections to one PostgreSQL.

    The pool opens connections, and replaces those that broke.  One that was used and is sound
    stays with us instead of going back to the pool and out again with every statement, which
    costs some 7 % of the hot command; at most `connections` are in use, the rest wait in line.
    """

    def __init__(self, url: str, *, connections: int) -> None:
        self.url = url
        self._turns = asyncio.Semaphore(connections)
        self._sound: list[AsyncConnection[DictRow]] = []
        self._pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=connections,
            timeout=CONNECTION_WAIT_SECONDS_MAX,
            open=False,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "prepare_threshold": 1,
                "options": f"-c statement_timeout={STATEMENT_MS_MAX}"
                f" -c lock_timeout={LOCK_WAIT_MS_MAX} -c timezone=UTC",
            },
        )

    async def open(self) -> None:
        """Connect; raises `psycopg_pool.PoolTimeout` where nothing answers."""
        await self._pool.open(wait=True)

    async def close(self) -> None:
        """Close every connection."""
        while self._sound:
            await self._pool.putconn(self._sound.pop())
        await self._pool.close()

    async def _turn(self) -> None:
        if not self._turns.locked():
            await self._turns.acquire()
            return
        try:
            async with asyncio.timeout(CONNECTION_WAIT_SECONDS_MAX):
                await self._turns.acquire()
        except TimeoutError:
            raise DatabaseBusy("no connection came free") from None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        await self._turn()
        try:
            connection = self._sound.pop() if self._sound else await self._pool.getconn()
            try:
                yield connection
            except psycopg.OperationalError as error:
                if not connection.closed:
                    raise
                await self._drop_sound()
                raise DatabaseAway(str(error).strip()) from None
            finally:
                is_sound = connection.pgconn.transaction_status == TransactionStatus.IDLE
                if is_sound and not self._pool.closed:
                    self._sound.append(connection)
                else:
                    await self._pool.putconn(connection)
        except PoolTimeout:
            raise DatabaseBusy("no connection came free") from None
        finally:
            self._turns.release()

    async def _drop_sound(self) -> None:
        """One connection broke, so the others did too: nobody else need find out by an error."""
        dropped, self._sound = self._sound, []
        for connection in dropped:
            await connection.close()
            await self._pool.putconn(connection)

    async def call(self, query: str, *parameters: object) -> Row | None:
        """One statement, its own transaction, one round trip: the first row of its answer."""
        async with self._connection() as connection:
            return await Tx(connection).one(query, *parameters)

    async def read(self, query: str, *parameters: object) -> list[Row]:
        """One statement, its own transaction: every row of its answer."""
        async with self._connection() as connection:
            return await Tx(connection).all(query, *parameters)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        async with self._connection() as connection, connection.transaction():
            yield Tx(connection)


def jsonb(value: object) -> Jsonb:
    """A Python value as a jsonb parameter."""
    return Jsonb(value)
