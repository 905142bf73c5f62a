"""Concurrent calls share one statement, and a failing one stops no other."""

import asyncio
from collections.abc import Sequence

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
