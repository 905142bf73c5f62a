"""Concurrent calls share one statement, and a failing one stops no other."""

import asyncio
from collections.abc import Sequence

import pytest

from meterai.plumbing.db.database import DatabaseBusy
from meterai.webhooks.gathering import Batcher


class Asking:
    """Doubles numbers, and records its calls; it rejects one number."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.asked: list[list[int]] = []
        self._fault = fault

    async def act(self, numbers: Sequence[int]) -> list[int]:
        self.asked.append(list(numbers))
        await asyncio.sleep(0)
        if self._fault is not None and 3 in numbers:
            raise self._fault
        return [2 * one for one in numbers]


async def answers(asking: Asking, most: int, *rounds: Sequence[int]) -> list[int | BaseException]:
    gathering: Batcher[int, int] = Batcher(asking.act, most)
    found: list[int | BaseException] = []
    for numbers in rounds:
        found += await asyncio.gather(*map(gathering.ask, numbers), return_exceptions=True)
    return found


def test_concurrent_calls_share_one_statement() -> None:
    asking = Asking()
    assert asyncio.run(answers(asking, 4, range(6), [7])) == [0, 2, 4, 6, 8, 10, 14]
    assert asking.asked == [[0, 1, 2, 3], [4, 5], [7]]


def test_failing_call_stops_no_other() -> None:
    asking = Asking(ValueError("three"))
    *found, last = asyncio.run(answers(asking, 4, [1, 2, 4, 3]))
    assert found == [2, 4, 8]
    assert isinstance(last, ValueError)
    assert asking.asked == [[1, 2, 4, 3], [1], [2], [4], [3]]


def test_busy_database_is_not_called_again_for_each() -> None:
    asking = Asking(DatabaseBusy("busy"))
    found = asyncio.run(answers(asking, 4, [1, 3], [5]))
    assert [type(one) for one in found] == [DatabaseBusy, DatabaseBusy, int]
    assert asking.asked == [[1, 3], [5]]


def test_cancelled_call_stops_no_other() -> None:
    asking = Asking()

    async def run() -> int:
        gathering: Batcher[int, int] = Batcher(asking.act, 4)
        one, other = (asyncio.create_task(gathering.ask(number)) for number in (1, 2))
        await asyncio.sleep(0)
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        return await other

    assert asyncio.run(run()) == 4
