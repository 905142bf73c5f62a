"""Turns at the connections: the urgent first, nobody who has gone, none lost."""

import asyncio
from contextvars import copy_context
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as some

from meterai.kit.priority import Priority
from meterai.plumbing.queueing import Queueing
from meterai.plumbing.turns import PURPOSE, NoTurn, Turns, WorkPurpose


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def taking(turns: Turns, purpose: WorkPurpose) -> asyncio.Task[None]:
    context = copy_context()
    context.run(PURPOSE.set, purpose)
    return asyncio.get_running_loop().create_task(turns.take(), context=context)


def test_the_urgent_goes_first_and_then_who_came_first() -> None:
    async def run() -> None:
        turns = Turns(1, 5.0, Queueing())
        await turns.take()
        priorities = [Priority.NEW, Priority.NEW, Priority.PAID, Priority.MONEY]
        tasks = [taking(turns, WorkPurpose(priority)) for priority in priorities]
        await settled()
        order = []
        for _ in tasks:
            turns.give_back()
            await settled()
            order.append([task.done() for task in tasks])
        assert order == [
            [False, False, False, True],
            [False, False, True, True],
            [True, False, True, True],
            [True, True, True, True],
        ]

    asyncio.run(run())


def test_who_stops_waiting_as_a_turn_is_given_back_is_only_cancelled() -> None:
    async def run() -> None:
        turns = Turns(1, 5.0, Queueing())
        await turns.take()
        task = taking(turns, WorkPurpose())
        await settled()
        task.cancel()
        turns.give_back()
        with pytest.raises(asyncio.CancelledError):
            await task
        await turns.take()  # it is still there

    asyncio.run(run())


@pytest.mark.parametrize(
    "purpose",
    [
        WorkPurpose(until=0.0),
        WorkPurpose(is_abandoned=lambda: True),
    ],
)
def test_nothing_is_begun_that_nobody_waits_for(purpose: WorkPurpose) -> None:
    async def run() -> None:
        turns = Turns(1, 5.0, Queueing())
        with pytest.raises(NoTurn):
            await taking(turns, purpose)
        await turns.take()  # it is still there

    asyncio.run(run())


def test_who_goes_while_waiting_takes_no_turn() -> None:
    async def run() -> None:
        turns = Turns(1, 5.0, Queueing())
        await turns.take()
        has_gone = False
        task = taking(turns, WorkPurpose(is_abandoned=lambda: has_gone))
        await settled()
        has_gone = True
        turns.give_back()
        with pytest.raises(NoTurn):
            await task
        await turns.take()

    asyncio.run(run())


def test_a_wait_ends_with_the_time_of_who_waits() -> None:
    async def run() -> None:
        turns = Turns(1, 60.0, Queueing())
        await turns.take()
        with pytest.raises(NoTurn):
            await taking(turns, WorkPurpose(until=monotonic() + 0.01))
        turns.give_back()
        await turns.take()

    asyncio.run(run())


@given(some.lists(some.sampled_from(["take", "give", "cancel", "settle"]), min_size=1, max_size=80))
def test_no_turn_is_lost_or_made(acts: list[str]) -> None:
    async def run() -> None:
        number = 3
        turns = Turns(number, 60.0, Queueing())
        tasks: list[asyncio.Task[None]] = []
        given_back = 0
        for act in acts:
            has = sum(task.done() and not task.cancelled() for task in tasks) - given_back
            assert 0 <= has <= number
            if act == "take":
                tasks.append(taking(turns, WorkPurpose()))
            elif act == "give" and has:
                turns.give_back()
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
            turns.give_back()
        for _ in range(number):
            async with asyncio.timeout(5):
                await turns.take()

    asyncio.run(run())
