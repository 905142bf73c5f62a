"""Requests that wait for a change of an order, which is noticed within half a second.

One query serves all waiting requests of a process, and none runs while nobody waits. A wait is short, so that a
stopping process can still answer every request. A waiting request holds no database connection and no permit of the
limiter.
"""

import asyncio
import time
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from meterai import orders, refunds, stamping
from meterai.kit.clock import SystemClock
from meterai.kit.refusal import Refusal
from meterai.orders import OrderKey
from meterai.plumbing.db.database import Database, ReadTx

LOOK_SECONDS = 0.5  # between two queries
WAIT_SECONDS = 4.0  # less than the time a process has to stop, see apps/serve.py
WAITING_MAX = 400  # per process; further requests are answered at once and ask again later
WAITING_OF_ACCOUNT_MAX = 4  # waiting requests of one account: tabs of its person
_clock = SystemClock()


async def marks(tx: ReadTx, wanted: Sequence[OrderKey]) -> dict[OrderKey, str]:
    """Return the mark of each order: a text that differs whenever the content of the order's page differs."""
    of_orders = await orders.marks(tx, wanted)
    of_documents = await stamping.marks(tx, wanted)
    of_refunds = await refunds.marks(tx, wanted)
    return {
        key: " ".join([mark, of_documents.get(key, ""), of_refunds.get(key, "")])
        for key, mark in of_orders.items()
    }


@dataclass(eq=False, slots=True)
class _Waiter:
    """A request that waits until the mark of an order differs from `seen`."""

    key: OrderKey
    seen: str
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class OrderWatch:
    """The requests of this process that wait for changes of orders."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: set[_Waiter] = set()
        self._looking: asyncio.Task[None] | None = None

    def has_room_for(self, account: UUID) -> bool:
        """True if this process can take one more waiting request of this account."""
        of_account = sum(one.key.account == account for one in self._waiting)
        return len(self._waiting) < WAITING_MAX and of_account < WAITING_OF_ACCOUNT_MAX

    async def mark(self, key: OrderKey) -> str:
        """Return the current mark of an order; empty if the order does not exist."""
        async with self._database.reading() as tx:
            return (await marks(tx, [key])).get(key, "")

    async def change(
        self, key: OrderKey, seen: str, until: float, changes_at: datetime | None = None
    ) -> bool:
        """Wait until the mark of an order changes, or until `changes_at`.

        `until` is a time of the monotonic clock in seconds. Returns False if neither happened before `until`, and at
        once if too many requests wait.
        """
        if not self.has_room_for(key.account):
            return False
        seconds = until - time.monotonic()
        by_clock = (changes_at - _clock.now()).total_seconds() if changes_at else seconds
        waiter = _Waiter(key, seen)
        self._waiting.add(waiter)
        if self._looking is None:
            # A new context: the query serves all waiting requests, not only the request that started it.
            self._looking = asyncio.create_task(self._look(), context=Context())
        try:
            async with asyncio.timeout(max(0.0, min(seconds, by_clock))):
                await waiter.changed.wait()
        except TimeoutError:
            return by_clock < seconds
        finally:
            self._waiting.discard(waiter)
        return True

    async def _look(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(LOOK_SECONDS)
                try:
                    await self._compare()
                except Refusal:  # the database is away or busy: the requests continue to wait
                    continue
        finally:
            self._looking = None

    async def _compare(self) -> None:
        async with self._database.reading() as tx:
            now = await marks(tx, list({one.key for one in self._waiting}))
        for waiter in self._waiting:
            if now.get(waiter.key, waiter.seen) != waiter.seen:
                waiter.changed.set()
