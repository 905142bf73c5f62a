"""One connection to PostgreSQL: how it is opened, since when the server owes an answer, how it is cut.

No option is sent to the server at the start of a connection, since a pooler (PgBouncer) refuses such options or drops
them silently. Instead `SET_UP` runs once on every new connection; all other preparation belongs there.
"""

import asyncio
import os
import select
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from meterai.plumbing.db import catalog, rights

CONNECT_SECONDS_MAX = 2  # per host; the minimum of libpq; a healthy server takes milliseconds
STATEMENT_MS_MAX = 10_000  # no statement of a request needs longer; this protects the pool
# A row is locked for milliseconds; a longer wait means that something is stuck.
LOCK_WAIT_MS_MAX = 5_000
# Longest time for which a process that stops in the middle of a transaction keeps its locks.
IDLE_IN_TRANSACTION_MS_MAX = 15_000
# Longest time to an answer: the server's own time-out and a margin. After that the connection is cut.
ANSWER_SECONDS_MAX = STATEMENT_MS_MAX / 1000 + 2.0
# Time-outs of statements in milliseconds. The time that a request has left is rounded down to one of these, so that a
# connection seldom needs another setting: each costs a round trip, half of a small statement.
STATEMENT_MS = (STATEMENT_MS_MAX, 8_000, 6_000, 4_000, 3_000, 2_000, 1_000, 500, 250, 100)
REST_SECONDS_MAX = 1.0  # a connection unused for longer is tested before use

# Parameters for libpq that the URL may override. The kernel drops a peer that acknowledges nothing, on a quiet
# connection and on one with data under way; of several hosts only the one that accepts writes is used.
_PARAMETERS: dict[str, str | int] = {
    "connect_timeout": CONNECT_SECONDS_MAX,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5_000,
    "target_session_attrs": "read-write",
    "application_name": "meterai",
}
SESSION = {
    "statement_timeout": str(STATEMENT_MS_MAX),
    "lock_timeout": str(LOCK_WAIT_MS_MAX),
    "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS_MAX),
    "timezone": "UTC",
}
_LIMIT = b"SELECT set_config('statement_timeout', %s, false)"
# Identifies a server. Two servers behind one address differ in it, and so does one server before and after a crash.
_WHO = "SELECT concat_ws(' ', pg_postmaster_start_time(), inet_server_addr(), inet_server_port())"


def conninfo(url: str) -> str:
    """Return the URL with the parameters that libpq needs in addition."""
    given = conninfo_to_dict(url)
    return make_conninfo(url, **{k: v for k, v in _PARAMETERS.items() if k not in given})


# Functions called once for every new connection, in this order, after its limits are set.
SET_UP: list[Callable[[AsyncConnection[Any]], Awaitable[None]]] = [rights.take]


async def _set_limits(connection: AsyncConnection[Any], limits: Mapping[str, str]) -> None:
    # First of all, and without a function call: a schema that is searched before ours may contain any function.
    await connection.execute(f"SET search_path = {catalog.SEARCH_PATH}".encode(), prepare=False)
    await connection.execute(
        "SELECT set_config(key, value, false) FROM jsonb_each_text(%s)",
        [Jsonb(dict(limits))],
        prepare=False,
    )


def statement_ms(seconds: float) -> int:
    """Return the time-out in milliseconds for a statement of a request that has `seconds` left; 0 if that is too little."""
    milliseconds = seconds * 1000
    for one in STATEMENT_MS:
        if one <= milliseconds:
            return one
    return 0


class Pulse:
    """Time of the last answer on any connection of a pool, by the monotonic clock."""

    __slots__ = ("heard_at",)

    def __init__(self) -> None:
        self.heard_at = 0.0


class ServerConnection:
    """A connection, the identity of its server, and the time since which the server owes an answer."""

    __slots__ = (
        "_pulse",
        "asked_at",
        "patience",
        "raw",
        "rested_at",
        "server",
        "statement_ms",
    )

    def __init__(self, raw: AsyncConnection[DictRow], server: str, pulse: Pulse) -> None:
        self.raw = raw
        self.server = server
        self.asked_at = 0.0  # monotonic seconds; 0 while no answer is owed
        self.patience = ANSWER_SECONDS_MAX
        self.statement_ms = STATEMENT_MS_MAX
        self.rested_at = monotonic()
        self._pulse = pulse

    def ask(self) -> None:
        """Record that the server owes an answer from now on."""
        self.asked_at = monotonic()

    def answered(self) -> None:
        """Record that no answer is owed any more: it arrived, or the connection broke."""
        self.asked_at = 0.0
        if not self.raw.closed:
            self._pulse.heard_at = monotonic()

    def waits(self, now: float) -> float:
        """Return for how many seconds the server has owed an answer."""
        return now - self.asked_at if self.asked_at else 0.0

    def rest(self) -> None:
        """Record that the connection is unused from now on."""
        self.patience = ANSWER_SECONDS_MAX
        self.rested_at = monotonic()

    async def limit(self, statement_ms: int) -> None:
        """Set the server's time-out of each following statement in milliseconds; call it outside a transaction."""
        if statement_ms != self.statement_ms:
            self.ask()
            try:
                await self.raw.execute(_LIMIT, [str(statement_ms)])
            finally:
                self.answered()
            self.statement_ms = statement_ms
        self.patience = statement_ms / 1000 + ANSWER_SECONDS_MAX - STATEMENT_MS_MAX / 1000

    @property
    def is_sound(self) -> bool:
        """True if the connection can be used again."""
        return self.raw.pgconn.transaction_status == TransactionStatus.IDLE

    def has_ended_while_resting(self) -> bool:
        """True if the server sent something unasked while the connection was unused: mostly that it is shutting down."""
        if self.raw.closed:
            return True
        if monotonic() - self.rested_at < REST_SECONDS_MAX:
            return False
        poll = select.poll()
        poll.register(self.raw.pgconn.socket, select.POLLIN | select.POLLERR)
        return bool(poll.poll(0))

    def cut(self) -> None:
        """End the connection from our side at once, so that a caller that waits for its answer gets an error now.

        A cancel request would not help, since the server may not answer at all.
        """
        # The connection may end by itself at the same moment.
        with (
            suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(self.raw.pgconn.socket)) as ours,
        ):
            ours.shutdown(socket.SHUT_RDWR)

    async def close(self) -> None:
        """Close the connection in the regular way of PostgreSQL."""
        await self.raw.close()


async def connect(parameters: str, limits: Mapping[str, str], pulse: Pulse) -> ServerConnection:
    """Open a connection and set it up. Raises `psycopg.OperationalError` within a bounded time."""
    raw = await AsyncConnection.connect(
        parameters, autocommit=True, row_factory=dict_row, prepare_threshold=1
    )
    connection = ServerConnection(raw, "", pulse)
    # The set-up counts as an owed answer, so that a server that freezes during it is noticed too.
    cutting = asyncio.get_running_loop().call_later(CONNECT_SECONDS_MAX, connection.cut)
    try:
        await _set_limits(raw, limits)
        for step in SET_UP:
            await step(raw)
        found = await (await raw.execute(_WHO.encode(), prepare=False)).fetchone()
        assert found is not None
        connection.server = str(next(iter(found.values())))
    except BaseException:
        await raw.close()
        raise
    finally:
        cutting.cancel()
    connection.answered()
    return connection
