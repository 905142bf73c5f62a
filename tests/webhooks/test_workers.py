"""Several workers that claim and record messages of the same endpoints: no deadlock occurs."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from meterai.kit.ids import new_id
from meterai.plumbing.db.database import Tx
from meterai.webhooks import store
from meterai.webhooks.model import (
    TEST,
    Attempted,
    DeliveryLease,
    DueMessage,
    Endpoint,
)
from tests.webhooks.conftest import Hooked


class Work:
    """Messages to endpoints, and the acts of workers. A deadlock is raised, while a real worker would retry."""

    def __init__(self, hooked: Hooked) -> None:
        self.account = hooked.account
        self.database = hooked.container.database

    async def queue(self, endpoint: Endpoint, count: int) -> list[UUID]:
        """Queue `count` due messages; later ones are stored before the others in the table."""
        ids = sorted(new_id() for _ in range(count))

        async def add(tx: Tx) -> None:
            for one in reversed(ids):
                await store.add(tx, self.account, endpoint.id, one, TEST, "{}")

        await self.database.run(add)
        return ids

    async def claim(self, messages: Sequence[UUID]) -> list[DueMessage | None]:
        wanted = [DeliveryLease(self.account, one, datetime.now(UTC), False) for one in messages]
        async with self.database.transaction() as tx:
            return await store.claim(tx, wanted)

    async def write(self, made: Sequence[Attempted]) -> None:
        async with self.database.transaction() as tx:
            await tx.run("SET LOCAL lock_timeout = '1min'")
            await store.attempted(tx, made)

    async def waiting(self, count: int) -> None:
        """Wait until `count` transactions wait for a lock."""
        query = (
            "SELECT count(*) AS found FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE NOT l.granted AND a.datname = current_database()"
        )
        while True:
            [row] = await self.database.call_all(query)
            if row["found"] == count:
                return
            await asyncio.sleep(0.01)


def test_claim_skips_locked_rows(hooked: Hooked) -> None:
    endpoint, _ = hooked.make()
    work = Work(hooked)

    async def claimed() -> None:
        ids = first, held, last = await work.queue(endpoint, 3)
        async with await psycopg.AsyncConnection.connect(hooked.container.database.url) as other:
            await other.execute(
                "SELECT 1 FROM webhook_messages WHERE message_id = %s FOR UPDATE", [held]
            )
            found = await work.claim(ids)
            assert [one and one.message for one in found] == [first, None, last]
        found = await work.claim(ids)
        assert [one and one.message for one in found] == [None, held, None]

    hooked.do(claimed())
