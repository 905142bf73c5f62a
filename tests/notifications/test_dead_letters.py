"""Unwritable mails stop neither money nor stamps, and are sent once they can be written."""

import pytest

from meterai.apps.worker import watch_queues
from meterai.plumbing.observe import telemetry
from meterai.plumbing.work import dead_jobs, jobs
from tests.support.shop import Shop

TRIES = 3


def work_off(shop: Shop) -> None:
    """Run every job up to its maximum of tries."""
    for _ in range(3 * TRIES):
        shop.call("UPDATE jobs SET run_at = now()")
        shop.do(shop.worker().run_batch())


def given_up(shop: Shop) -> float:
    """Return the figures of the alarm after a worker has updated them."""

    async def look() -> int:
        return await watch_queues(shop.container)()

    shop.do(look())
    value: float = telemetry.GIVEN_UP.labels(queue="jobs")._value.get()
    return value


async def dead(shop: Shop) -> list[tuple[str, str]]:
    async with shop.container.database.transaction() as tx:
        rows = await dead_jobs.dead(tx, 10)
    assert all("no_mail_today" in str(row.fault) for row in rows)
    return sorted((row.kind, row.handler) for row in rows)


async def retry(shop: Shop) -> int:
    async with shop.container.database.transaction() as tx:
        return await dead_jobs.retry(tx, None)


def test_unwritable_mails_do_not_stop_money_or_stamps(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "TRIES_MAX", TRIES)
    shop.arrange("ALTER TABLE mails ADD CONSTRAINT no_mail_today CHECK (false)")
    order = shop.place_documents([1, 1])
    shop.pay(order)
    work_off(shop)
    [stamped, broken] = [
        row["stamping_id"]
        for row in shop.rows("SELECT stamping_id FROM stampings WHERE state = 'reserved'")
    ]
    assert shop.deliver(stamped) == "delivered"
    shop.fail(broken)
    work_off(shop)

    assert shop.state(order) == "executed"
    assert len(shop.refunds()) == 1, "what could not be stamped is on its way back"
    assert shop.rows("SELECT 1 FROM serial_directory"), "the stamp can be looked up"
    assert not shop.rows("SELECT 1 FROM jobs UNION ALL SELECT 1 FROM mails")
    assert shop.do(dead(shop)) == [
        ("order_executed", "tell_executed"),
        ("refund_requested", "tell_requested"),
        ("stamping_failed", "tell_failed"),
    ]
    assert given_up(shop) == 3
    shop.assert_books_hold()

    shop.arrange("ALTER TABLE mails DROP CONSTRAINT no_mail_today")
    assert shop.do(retry(shop)) == 3
    shop.work()
    assert len(shop.rows("SELECT 1 FROM mails")) == 3
    assert given_up(shop) == 0
    shop.assert_books_hold()
