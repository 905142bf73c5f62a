"""Transactions as rooms get them, and the refusals of PostgreSQL.

A plpgsql function refuses by `PERFORM refuse('code', '{"fact": 1}')`, which raises the `Refusal` that was declared by
`kit.refusal.refusal_of_database`.
"""

import errno
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
import structlog
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import Jsonb

from meterai.kit.refusal import Refusal, declared_for_code, declared_for_constraint
from meterai.plumbing.db.connections import ServerConnection
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.observe import telemetry

REFUSED = "MT001"  # the SQLSTATE of `refuse()`, see plumbing/sql/functions/refuse.sql
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})  # of an `OSError`: the disk or our quota is full
# Errors after which the same request may succeed: a lock or a statement that took too long, a deadlock,
# a serialization failure, a server without a free connection (PostgreSQL, appendix A).
_PASSING = frozenset({"55P03", "57014", "40P01", "40001", "53300"})
# Deadlock and serialization failure: the whole transaction was rolled back.
_BROKEN_OFF = frozenset({"40P01", "40001"})

Row = dict[str, Any]
Model = TypeVar("Model")
_log = structlog.get_logger()


class DatabaseBusy(Refusal):
    """No connection became free in time, or a lock was held too long.

    This transaction changed nothing. Changes of earlier transactions of the same request remain.
    """

    code = "busy"
    status = 503
    may_be_done = True
    retry_after_seconds = 1


class BrokenOff(DatabaseBusy):
    """The whole transaction was rolled back because of a deadlock or a serialization conflict."""


class DatabaseAway(Refusal):
    """The connection broke (a restart, a failover), so the requested act may or may not have happened.

    Every command is safe to repeat, so the client may repeat the same request.
    """

    code = "database_away"
    status = 503
    may_be_done = True
    # Reconnecting is tried twice a second, each time for two seconds at most.
    retry_after_seconds = 3


class StorageFull(Refusal):
    """The disk of the database or of the files is full.

    An earlier step may have committed the requested act, so that only its answer failed.
    """

    code = "storage_full"
    status = 503
    may_be_done = True
    retry_after_seconds = 60  # an operator has to free space


class SecondStatement(Exception):
    """Code that must run as one statement ran a second one, which would be another transaction: an internal error."""


class ChangeRefused(Exception):
    """Code tried to change something in a transaction that may only read: an internal error."""


def _translated(error: psycopg.Error) -> Refusal | None:
    if error.sqlstate == "53100":  # disk_full
        _log.error("storage_full", fault=str(error).strip()[:500])
        return StorageFull(str(error.diag.message_primary))
    if error.sqlstate in _PASSING:
        busy = BrokenOff if error.sqlstate in _BROKEN_OFF else DatabaseBusy
        return busy(f"{error.sqlstate} {error.diag.message_primary}")
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


class ReadTx:
    """An open transaction that may only read. Every query function of a room takes one."""

    may_write = False

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def _execute(
        self, query: str, parameters: tuple[object, ...], rows: Any = dict_row
    ) -> Any:
        cursor = self._connection.raw.cursor(row_factory=rows)
        return await self._asked(cursor, query, parameters)

    async def _asked(self, cursor: Any, query: str, parameters: tuple[object, ...]) -> Any:
        self._connection.ask()
        try:
            return await cursor.execute(query.encode(), parameters or None)
        except psycopg.Error as error:
            if refusal := _translated(error):
                raise refusal from None
            raise
        finally:
            self._connection.answered()

    async def tell(self, queries: str, *parameters: object) -> Row | None:
        """Run unprepared statements in one round trip; return the first row that the last statement returns."""
        cursor = psycopg.AsyncClientCursor(self._connection.raw, row_factory=dict_row)
        await self._asked(cursor, queries, parameters)
        while cursor.nextset():
            pass
        return await cursor.fetchone() if cursor.description else None

    async def all(self, query: str, *parameters: object) -> list[Row]:
        """Run a query; return every row of its answer."""
        cursor = await self._execute(query, parameters)
        # The whole answer has already arrived; this only reads it out.
        return await cursor.fetchall() if cursor.description else []

    async def all_as(
        self, mapper: RowMapper[Model], query: str, *parameters: object
    ) -> list[Model]:
        """Run a query; return every row of its answer, converted by `mapper`."""
        cursor = await self._execute(query, parameters, tuple_row)
        make = mapper.made(query, cursor)
        return [make(row) for row in await cursor.fetchall()]

    async def one_as(
        self, mapper: RowMapper[Model], query: str, *parameters: object
    ) -> Model | None:
        """Run a query; return the first row of its answer, converted by `mapper`, or None if the answer is empty."""
        rows = await self.all_as(mapper, query, *parameters)
        return rows[0] if rows else None

    async def one(self, query: str, *parameters: object) -> Row | None:
        """Run a query; return the first row of its answer, or None if the answer is empty."""
        rows = await self.all(query, *parameters)
        return rows[0] if rows else None

    async def value(self, query: str, *parameters: object) -> Any:
        """Run a query; return the first column of the first row, or None if the answer is empty."""
        row = await self.one(query, *parameters)
        return next(iter(row.values())) if row else None

    async def allow(self, seconds: float) -> None:
        """Let each statement of this transaction take up to `seconds`: set the time-out of the server and our own."""
        limit = str(int(seconds * 1000))
        await self._execute("SELECT set_config('statement_timeout', %s, true)", (limit,))
        self._connection.patience = seconds + 2.0


class Tx(ReadTx):
    """An open transaction that may write. Commands of rooms take it and never commit it."""

    may_write = True

    def __init__(self, connection: ServerConnection) -> None:
        super().__init__(connection)
        self._following: list[Callable[[], Awaitable[None] | None]] = []

    def after_commit(self, act: Callable[[], Awaitable[None] | None]) -> None:
        """Call `act` once the transaction is committed, and never otherwise; in the order of registration.

        It is for acts outside the transaction, such as clearing a cache or calling another machine. A failure of `act`
        affects nothing else. If the process dies, `act` is never called: so a periodic task must also find necessary
        work by the state of its row.
        """
        self._following.append(act)

    async def follow(self) -> None:
        """Call what `after_commit` registered. Called once, after the commit."""
        for act in self._following:
            try:
                waits = act()
                if waits is not None:
                    await waits
            except Exception as fault:  # the edge: it does not undo what was committed
                telemetry.FAULTS.labels(where="after_commit").inc()
                _log.error("after_commit_failed", fault=repr(fault), exc_info=True)

    async def run(self, query: str, *parameters: object) -> int:
        """Run a statement; return the number of rows that it changed."""
        rows: int = (await self._execute(query, parameters)).rowcount
        return rows

    async def copy(self, query: str, lines: str) -> None:
        """Add very many rows by COPY ... FROM STDIN; `lines` are in its text format."""
        self._connection.ask()
        try:
            async with self._connection.raw.cursor().copy(query.encode()) as copy:
                await copy.write(lines)
        finally:
            self._connection.answered()


class OneStatement(Tx):
    """A transaction that may run one statement only."""

    _was_run = False

    async def _execute(
        self, query: str, parameters: tuple[object, ...], rows: Any = dict_row
    ) -> Any:
        if self._was_run:
            raise SecondStatement(query)
        self._was_run = True
        return await super()._execute(query, parameters, rows)


def jsonb(value: object) -> Jsonb:
    """Wrap a Python value as a jsonb parameter."""
    return Jsonb(value)
