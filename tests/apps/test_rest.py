"""An idle worker finds the due work of all rooms by one statement."""

import asyncio

from meterai.apps.worker import periodic_tasks
from meterai.plumbing.work import jobs
from meterai.plumbing.work.watch import DueWatch
from tests.support.shop import Shop


def test_one_statement_finds_due_rows(shop: Shop) -> None:
    due = [jobs.DUE, *(one.due for one in periodic_tasks(shop.container))]
    watch = DueWatch(shop.container.database, asyncio.Event(), due)

    def found() -> set[str]:
        rows = shop.do(shop.container.database.once(watch._rows))
        return {watch._due[row.number] for row in rows}

    shop.arrange("UPDATE waiting_room_lines SET advanced_at = clock_timestamp()")
    assert found() == set()
    order = shop.place(1)
    shop.arrange(
        "UPDATE payment_attempts SET leased_until = now() WHERE subject = %s",
        order,
    )
    [opening] = found()
    assert "payment_attempts" in opening
