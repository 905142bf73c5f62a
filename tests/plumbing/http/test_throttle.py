"""Small answers of one client wait for each other, and other clients do not wait for them."""

import asyncio
from typing import Any

import pytest

from meterai.plumbing.http import throttle as module
from meterai.plumbing.http.throttle import (
    IN_A_TICK_FIRST,
    IN_A_TICK_MAX,
    IN_A_TICK_MIN,
    LATE_SECONDS_MAX,
    Throttle,
)


def run(story: Any) -> None:
    asyncio.run(story(Throttle()))


def begins_at_once(throttle: Throttle) -> bool:
    permit = throttle.permit()
    try:
        permit.send(None)
    except StopIteration as done:
        return bool(done.value)
    permit.close()
    return False


async def done(tasks: list[asyncio.Task[bool]]) -> int:
    for _ in range(3):
        await asyncio.sleep(0)
    return sum(task.done() for task in tasks)


def test_single_answer_begins_at_once() -> None:
    async def story(throttle: Throttle) -> None:
        for _ in range(IN_A_TICK_FIRST):
            assert begins_at_once(throttle)

    run(story)


@pytest.fixture
def ticks_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks of the throttle happen only when the test makes them, however busy the machine is."""
    monkeypatch.setattr(module, "TICK_SECONDS", 3600.0)


@pytest.mark.usefixtures("ticks_by_hand")
def test_limited_number_of_a_crowd_begins_in_each_tick_in_order() -> None:
    async def story(throttle: Throttle) -> None:
        order: list[int] = []

        async def one(number: int) -> bool:
            await throttle.permit()
            order.append(number)
            return True

        tasks = [asyncio.create_task(one(number)) for number in range(3 * IN_A_TICK_FIRST)]
        assert await done(tasks) == IN_A_TICK_FIRST
        for ticks in (2, 3):
            throttle._tick()
            assert await done(tasks) >= min(ticks * IN_A_TICK_FIRST, len(tasks))
        await asyncio.gather(*tasks)
        assert order == list(range(len(tasks)))

    run(story)


def test_cancelled_answer_takes_no_permit() -> None:
    async def story(throttle: Throttle) -> None:
        tasks = [asyncio.create_task(throttle.permit()) for _ in range(IN_A_TICK_FIRST + 20)]
        await done(tasks)
        for task in tasks[IN_A_TICK_FIRST : IN_A_TICK_FIRST + 10]:
            task.cancel()
        assert all(await asyncio.gather(*tasks[IN_A_TICK_FIRST + 10 :]))

    run(story)


@pytest.mark.usefixtures("ticks_by_hand")
def test_answers_beyond_the_queue_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_MAX", 10)

    async def story(throttle: Throttle) -> None:
        tasks = [asyncio.create_task(throttle.permit()) for _ in range(IN_A_TICK_FIRST + 11)]
        await done(tasks)
        assert not await throttle.permit()
        throttle._tick()
        # Ten answers waited before the last one.
        assert sum(not one for one in await asyncio.gather(*tasks)) == 1

    run(story)


def test_number_in_a_tick_falls_with_delay_and_grows_without() -> None:
    async def story(throttle: Throttle) -> None:
        for _ in range(50):
            throttle._adapt(LATE_SECONDS_MAX * 2)
        assert throttle._in_a_tick == IN_A_TICK_MIN
        throttle._adapt(0.0)
        assert throttle._in_a_tick == IN_A_TICK_MIN, "nobody waits: nothing is learned"
        throttle._waiting.append(asyncio.get_running_loop().create_future())
        for _ in range(1_000):
            throttle._adapt(0.0)
        assert throttle._in_a_tick == IN_A_TICK_MAX

    run(story)
