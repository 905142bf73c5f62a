"""One connection to PostgreSQL: how it is made, since when it owes an answer, how it is cut.

No option is given to the server at the start of a connection: a pooler (PgBouncer) refuses such
options or drops them silently.  `SET_UP` runs once on every new connection, and is the one place
for whatever else a connection must be before it is used.
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

CONNECT_SECONDS_MAX = 2  # per host; libpq allows no less, and a healthy server takes milliseconds
STATEMENT_MS_MAX = 10_000  # nothing a request needs takes longer; protects the pool
LOCK_WAIT_MS_MAX = 5_000  # a row is held for milliseconds; longer means something is stuck
# A process that stops in the middle of a transaction holds its locks no longer than this.
IDLE_IN_TRANSACTION_MS_MAX = 15_000
# So long after its own time-out a server must have answered; then the connection is cut.
ANSWER_SECONDS_MAX = STATEMENT_MS_MAX / 1000 + 2.0
# What a request may still take is rounded down to one of these, in milliseconds: a statement gets no
# longer, and a connection is seldom set anew: that is a round trip, half of a small statement.
STATEMENT_MS = (STATEMENT_MS_MAX, 8_000, 6_000, 4_000, 3_000, 2_000, 1_000, 500, 250, 100)
REST_SECONDS_MAX = 1.0  # a connection unused for longer is tested before it is used

# What libpq is told unless the URL says otherwise.  The kernel gives up a peer that acknowledges
# nothing, on a quiet connection and on one with data under way; and of several hosts only the
# one that takes writes will do.
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
# Two servers behind one address have different answers, and so has one before and after a crash.
_WHO = "SELECT concat_ws(' ', pg_postmaster_start_time(), inet_server_addr(), inet_server_port())"


def conninfo(url: str) -> str:
    """The URL with what libpq must know beside it."""
    given = conninfo_to_dict(url)
    return make_conninfo(url, **{k: v for k, v in _PARAMETERS.items() if k not in given})


# What is done once with every new connection, in this order, after its limits are set.
SET_UP: list[Callable[[AsyncConnection[Any]], Awaitable[None]]] = [rights.take]


async def _set_limits(connection: AsyncConnection[Any], limits: Mapping[str, str]) -> None:
    # First, and no function: any function may be another in a schema that is searched before.
    await connection.execute(f"SET search_path = {catalog.SEARCH_PATH}".encode(), prepare=False)
    await connection.execute(
        "SELECT set_config(key, value, false) FROM jsonb_each_text(%s)",
        [Jsonb(dict(limits))],
        prepare=False,
    )


def statement_ms(seconds: float) -> int:
    """How long a statement may take where so many seconds are left; 0 where there is no time for one."""
    milliseconds = seconds * 1000
    for one in STATEMENT_MS:
        if one <= milliseconds:
            return one
    return 0


class Pulse:
    """When any connection of a pool was last answered, by the monotonic clock."""

    __slots__ = ("heard_at",)

    def __init__(self) -> None:
        self.heard_at = 0.0


class ServerConnection:
    """A connection, the server it leads to, and since when that server owes an answer."""

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
        self.asked_at = 0.0  # 0 while no answer is owed
        self.patience = ANSWER_SECONDS_MAX
        self.statement_ms = STATEMENT_MS_MAX
        self.rested_at = monotonic()
        self._pulse = pulse

    def ask(self) -> None:
        """Note that the server owes an answer from now on."""
        self.asked_at = monotonic()

    def answered(self) -> None:
        """Note that it owes none any more: the answer came, or the connection broke."""
        self.asked_at = 0.0
        if not self.raw.closed:
            self._pulse.heard_at = monotonic()

    def waits(self, now: float) -> float:
        """For how many seconds an answer has been owed."""
        return now - self.asked_at if self.asked_at else 0.0

    def rest(self) -> None:
        """Note that nobody uses it from now on."""
        self.patience = ANSWER_SECONDS_MAX
        self.rested_at = monotonic()

    async def limit(self, statement_ms: int) -> None:
        """Let each statement take so long from now on, at the server; outside a transaction."""
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
        """True where it can be used for something else."""
        return self.raw.pgconn.transaction_status == TransactionStatus.IDLE

    def has_ended_while_resting(self) -> bool:
        """True where the server has said something unasked: mostly that it goes away."""
        if self.raw.closed:
            return True
        if monotonic() - self.rested_at < REST_SECONDS_MAX:
            return False
        poll = select.poll()
        poll.register(self.raw.pgconn.socket, select.POLLIN | select.POLLERR)
        return bool(poll.poll(0))

    def cut(self) -> None:
        """End the connection from our side, at once: whoever waits for its answer gets an error
        now.

        Asking the server to cancel would not help where the server does not answer.
        """
        # It may end by itself in this very moment.
        with (
            suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(self.raw.pgconn.socket)) as ours,
        ):
            ours.shutdown(socket.SHUT_RDWR)

    async def close(self) -> None:
        """Close it as PostgreSQL wants it closed."""
        await self.raw.close()


async def connect(parameters: str, limits: Mapping[str, str], pulse: Pulse) -> ServerConnection:
    """A new connection, set up.  Raises `psycopg.OperationalError` within a bounded time."""
    raw = await AsyncConnection.connect(
        parameters, autocommit=True, row_factory=dict_row, prepare_threshold=1
    )
    connection = ServerConnection(raw, "", pulse)
    # Setting up counts as an answer owed, so that a server that freezes now is noticed too.
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
