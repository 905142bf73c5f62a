"""The automatic audit: a point without a person's command, and one worker at a time."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from meterai import audit
from meterai.audit import store
from meterai.audit.auditor import Auditor
from meterai.audit.daily import DailyAudit
from meterai.audit.points import Point, points
from meterai.audit.room import ROOM as AUDIT
from meterai.plumbing.work.jobs import PeriodicTask, Worker
from tests.support.audits import REGISTERED
from tests.support.shop import Shop, open_shop


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    with open_shop(database_url, tmp_path) as shop:
        yield shop


@dataclass(frozen=True, slots=True)
class Fixed:
    """Clock that stands still."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def look(shop: Shop, at: datetime | None = None) -> None:
    container = shop.container if at is None else replace(shop.container, clock=Fixed(at))
    shop.do(DailyAudit(container, after_seconds=0).look())


def recorded(shop: Shop) -> list[Point]:
    return shop.do(points(shop.container.database))


def standing(shop: Shop) -> audit.AuditState:
    return shop.do(shop.container.database.once(audit.audit_state))


def spoil(shop: Shop, sql: str) -> None:
    """Corrupt rows as the owner of the tables."""
    with psycopg.connect(shop.container.database.url) as connection:
        connection.execute(sql.encode())


PLANTED = (
    "INSERT INTO audit_events (account_id, actor, action, subject, happened_at) VALUES"
    " (gen_random_uuid(), 'operator', 'x', 'x', now() - interval '1 year')"
)


def test_row_planted_in_the_past_is_found_against_the_first_point(shop: Shop) -> None:
    look(shop)
    assert [one.kind for one in recorded(shop)] == ["full"]
    spoil(shop, PLANTED)
    findings, _ = shop.do(Auditor(shop.container.database, REGISTERED).run(is_incremental=True))
    broken = {one.invariant.name for one in findings if not one.holds}
    assert "history_is_as_it_was_audited" in broken


def test_two_workers_do_not_audit_at_once(shop: Shop) -> None:
    database, since = shop.container.database, datetime.now(UTC)

    async def both() -> list[bool]:
        taking = (database.once(store.take_turn, since, 60.0) for _ in range(2))
        return await asyncio.gather(*taking)

    assert sorted(shop.do(both())) == [False, True]


def test_broken_invariant_is_reported_and_records_no_point(shop: Shop) -> None:
    spoil(shop, "INSERT INTO rails_out (rail, reason) VALUES ('bri', 'x')")
    look(shop)
    assert recorded(shop) == []
    assert standing(shop).broken

    async def warned() -> str | None:
        return await AUDIT.warns["audit"](shop.container)

    told = shop.do(warned())
    assert told is not None
    assert told.endswith("promises broken")


def test_stopping_worker_does_not_wait_for_the_audit(shop: Shop) -> None:
    ended: list[bool] = []

    async def auditing() -> int:
        try:
            await asyncio.sleep(600)
        finally:
            ended.append(True)
        return 0

    async def story() -> None:
        task = PeriodicTask("audit", auditing, 1.0, is_cut=True)
        worker = Worker(shop.container.database, [], [task], concurrency=1)
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(0.1)
        worker.stop()
        async with asyncio.timeout(5):
            await running

    shop.do(story())
    assert ended == [True]
