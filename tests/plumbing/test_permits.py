"""Permits for connections: urgent requests first, none for a caller that is gone, and none is lost."""

import asyncio
from contextvars import copy_context
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as some

from meterai.kit.priority import Priority
from meterai.plumbing.permits import PURPOSE, NoPermit, PermitQueue, WorkPurpose
from meterai.plumbing.queueing import Queueing


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def taking(permits: PermitQueue, purpose: WorkPurpose) -> asyncio.Task[None]:
    context = copy_context()
    context.run(PURPOSE.set, purpose)
    return asyncio.get_running_loop().create_task(permits.take(), context=context)


def test_permits_go_by_priority_and_then_by_arrival() -> None:
    async def run() -> None:
        permits = PermitQueue(1, 5.0, Queueing())
        await permits.take()
        priorities = [Priority.NEW, Priority.NEW, Priority.PAID, Priority.MONEY]
        tasks = [taking(permits, WorkPurpose(priority)) for priority in priorities]
        await settled()
        order = []
        for _ in tasks:
            permits.give_back()
            await settled()
            order.append([task.done() for task in tasks])
        assert order == [
            [False, False, False, True],
            [False, False, True, True],
            [True, False, True, True],
            [True, True, True, True],
        ]

    asyncio.run(run())


def test_waiter_cancelled_at_a_return_loses_no_permit() -> None:
    async def run() -> None:
        permits = PermitQueue(1, 5.0, Queueing())
        await permits.take()
        task = taking(permits, WorkPurpose())
        await settled()
        task.cancel()
        permits.give_back()
        with pytest.raises(asyncio.CancelledError):
            await task
        await permits.take()  # the permit was not lost

    asyncio.run(run())


def test_wait_ends_with_the_time_of_its_request() -> None:
    async def run() -> None:
        permits = PermitQueue(1, 60.0, Queueing())
        await permits.take()
        with pytest.raises(NoPermit):
            await taking(permits, WorkPurpose(until=monotonic() + 0.01))
        permits.give_back()
        await permits.take()

    asyncio.run(run())


@given(some.lists(some.sampled_from(["take", "give", "cancel", "settle"]), min_size=1, max_size=80))
def test_permits_are_neither_lost_nor_added(acts: list[str]) -> None:
    async def run() -> None:
        number = 3
        permits = PermitQueue(number, 60.0, Queueing())
        tasks: list[asyncio.Task[None]] = []
        given_back = 0
        for act in acts:
            has = sum(task.done() and not task.cancelled() for task in tasks) - given_back
            assert 0 <= has <= number
            if act == "take":
                tasks.append(taking(permits, WorkPurpose()))
            elif act == "give" and has:
                permits.give_back()
                given_back += 1
            elif act == "cancel" and tasks:
                tasks[-1].cancel()
            else:
                await settled()
        for task in tasks:
            if not task.done():
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(sum(not task.cancelled() for task in tasks) - given_back):
            permits.give_back()
        for _ in range(number):
            async with asyncio.timeout(5):
                await permits.take()

    asyncio.run(run())
