"""Who looks at an order learns within half a second that something of it changed.

One look for all who wait in a process, and none while nobody waits.  A wait is short, so that a
process that is told to stop answers everybody in time; whoever waits holds no connection to the
database and no turn of the limiter.
"""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, field
from uuid import UUID

from meterai import orders, stamping
from meterai.kit.refusal import Refusal
from meterai.orders import OrderKey
from meterai.plumbing.database import Database

LOOK_SECONDS = 0.5  # between two looks at the database
WAIT_SECONDS = 4.0  # less than a process has to stop, see apps/serve.py
WAITING_MAX = 400  # in one process; who comes beyond asks again later
WAITING_OF_ACCOUNT_MAX = 4  # tabs of one person


@dataclass(eq=False, slots=True)
class _Waiter:
    """Somebody who waits for an order to be no longer as it was seen."""

    key: OrderKey
    seen: str
    changed: asyncio.Event = field(default_factory=asyncio.Event)


def fingerprint(state: str, steps: Sequence[str]) -> str:
    """What is compared: the state of an order, and of each of its documents."""
    return " ".join([state, *steps])


class OrderWatch:
    """Those who wait in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: set[_Waiter] = set()
        self._looking: asyncio.Task[None] | None = None

    async def change(self, account: UUID, order: UUID, seen: str) -> bool:
        """Wait until an order is no longer as it was seen; False where it stayed so for
        `WAIT_SECONDS`, and at once where too many wait.
        """
        of_account = sum(one.key.account == account for one in self._waiting)
        if len(self._waiting) >= WAITING_MAX or of_account >= WAITING_OF_ACCOUNT_MAX:
            return False
        waiter = _Waiter(OrderKey(account, order), seen)
        self._waiting.add(waiter)
        if self._looking is None:
            # In a context of its own: the look is for all, not for the request that began it.
            self._looking = asyncio.create_task(self._look(), context=Context())
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await waiter.changed.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiter)
        return True

    async def _look(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(LOOK_SECONDS)
                try:
                    await self._compare()
                except Refusal:  # the database is away or busy: they wait on
                    continue
        finally:
            self._looking = None

    async def _compare(self) -> None:
        wanted = list({one.key for one in self._waiting})
        async with self._database.reading() as tx:
            states = await orders.states(tx, wanted)
            steps = await stamping.steps(tx, wanted)
        now = {key: fingerprint(state, steps.get(key, ())) for key, state in states.items()}
        for waiter in self._waiting:
            if now.get(waiter.key, waiter.seen) != waiter.seen:
                waiter.changed.set()
