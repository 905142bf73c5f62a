"""Waiting for a change of an order, noticed within half a second.

One query serves all waiting requests of a process, and none runs while nobody waits.  A wait is short, so that a
process that stops answers every request in time.  A waiting request holds no database connection and no permit of
the limiter.
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
WAIT_SECONDS = 4.0  # less than a process has to stop, see apps/serve.py
WAITING_MAX = 400  # per process; further requests ask again later
WAITING_OF_ACCOUNT_MAX = 4  # tabs of one person
_clock = SystemClock()


async def marks(tx: ReadTx, wanted: Sequence[OrderKey]) -> dict[OrderKey, str]:
    """Return a text for each of these orders that differs whenever its page does."""
    of_orders = await orders.marks(tx, wanted)
    of_documents = await stamping.marks(tx, wanted)
    of_refunds = await refunds.marks(tx, wanted)
    return {
        key: " ".join([mark, of_documents.get(key, ""), of_refunds.get(key, "")])
        for key, mark in of_orders.items()
    }


@dataclass(eq=False, slots=True)
class _Waiter:
    """A request that waits for a change of an order."""

    key: OrderKey
    seen: str
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class OrderWatch:
    """The waiting requests of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: set[_Waiter] = set()
        self._looking: asyncio.Task[None] | None = None

    def has_room_for(self, account: UUID) -> bool:
        """True if another request of this account may wait."""
        of_account = sum(one.key.account == account for one in self._waiting)
        return len(self._waiting) < WAITING_MAX and of_account < WAITING_OF_ACCOUNT_MAX

    async def mark(self, key: OrderKey) -> str:
        """Return the current mark of an order; empty if there is none."""
        async with self._database.reading() as tx:
            return (await marks(tx, [key])).get(key, "")

    async def change(
        self, key: OrderKey, seen: str, until: float, changes_at: datetime | None = None
    ) -> bool:
        """Wait until the mark of an order changes, or until `changes_at`.

        False if neither came before `until`, and at once if too many wait.
        """
        if not self.has_room_for(key.account):
            return False
        seconds = until - time.monotonic()
        by_clock = (changes_at - _clock.now()).total_seconds() if changes_at else seconds
        waiter = _Waiter(key, seen)
        self._waiting.add(waiter)
        if self._looking is None:
            # A context of its own: the query is for all, not for the request that began it.
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
                except Refusal:  # the database is away or busy: the requests keep waiting
                    continue
        finally:
            self._looking = None

    async def _compare(self) -> None:
        async with self._database.reading() as tx:
            now = await marks(tx, list({one.key for one in self._waiting}))
        for waiter in self._waiting:
            if now.get(waiter.key, waiter.seen) != waiter.seen:
                waiter.changed.set()
