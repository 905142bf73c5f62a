"""Waits for mails, the bank or a worker cause pressure; one stranger with many requests causes none."""

from collections.abc import Callable
from uuid import UUID

import pytest

from meterai.kit.ids import new_id
from meterai.notifications.service import queue_code
from meterai.plumbing.observe.stations import APART_MIN, BACKLOG_SECONDS_MAX
from meterai.waiting_room import WaitingRoom
from tests.support.shop import Shop

LATE_SECONDS = 2 * BACKLOG_SECONDS_MAX


def pressure(shop: Shop) -> float:
    """Return the pressure that a worker of these lines reported."""
    shop.arrange("DELETE FROM waiting_room_loads")
    room = shop.container.of(WaitingRoom)
    room._seen_at = 0.0  # the next refresh is due at once and awaited
    shop.do(room.tell_waits())
    return max(
        float(row["pressure"]) for row in shop.rows("SELECT pressure FROM waiting_room_loads")
    )


def mails(shop: Shop, networks: int, each: int = 1) -> None:
    async def ask() -> None:
        async with shop.container.database.transaction() as tx:
            for number in range(networks * each):
                network = f"198.51.{number % networks}.7"
                await queue_code(tx, new_id(), f"x{number}@example.org", "id", network)

    shop.do(ask())
    shop.arrange(
        "UPDATE mails SET queued_at = queued_at - make_interval(secs => %s),"
        " turn_at = turn_at - make_interval(secs => %s)",
        LATE_SECONDS,
        LATE_SECONDS,
    )


def attempts(shop: Shop, accounts: int) -> None:
    """Make an unopened attempt for each account."""
    for _ in range(accounts):
        shop.account = new_id()
        shop.place(1)
    shop.arrange(
        "UPDATE payment_attempts SET opened_at = now() - make_interval(secs => %s)", LATE_SECONDS
    )


def jobs(shop: Shop, accounts: int) -> None:
    nobody = UUID(int=0)
    for number in range(accounts):
        shop.arrange(
            "INSERT INTO jobs (account_id, job_id, kind, handler, facts, run_at)"
            " VALUES (%s, %s, 'x', 'settle', '{}', now() - make_interval(secs => %s))",
            *(nobody if number % 2 else new_id(), new_id(), LATE_SECONDS),
        )


@pytest.mark.parametrize("wait", [mails, attempts, jobs])
def test_wait_of_several_people_is_reported(shop: Shop, wait: Callable[[Shop, int], None]) -> None:
    wait(shop, APART_MIN)
    assert pressure(shop) == pytest.approx(LATE_SECONDS / BACKLOG_SECONDS_MAX, rel=0.2)


@pytest.mark.parametrize("wait", [mails, attempts, jobs])
def test_wait_of_a_few_is_not_reported(shop: Shop, wait: Callable[[Shop, int], None]) -> None:
    wait(shop, APART_MIN - 1)
    assert pressure(shop) < 0.5


def test_long_waits_of_few_networks_cause_no_pressure(shop: Shop) -> None:
    mails(shop, APART_MIN, 20)
    shop.arrange(
        "UPDATE mails SET turn_at = queued_at - interval '10 seconds', queued_at = queued_at - interval '10 seconds'"
    )

    async def ask() -> None:
        async with shop.container.database.transaction() as tx:
            for number in range(2 * APART_MIN):
                await queue_code(tx, new_id(), f"y{number}@example.org", "id", f"203.0.{number}.7")

    shop.do(ask())
    assert pressure(shop) < 0.5
