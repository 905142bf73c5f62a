"""Numbers: unique, in order, and an answer for every request, also without the database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from meterai.plumbing.db.database import Database, DatabaseAway, DatabaseBusy
from meterai.waiting_room import places, store
from meterai.waiting_room.model import LineClosed
from meterai.waiting_room.places import ASKING_MAX, NumberSupply
from meterai.waiting_room.store import NumberBlock
from tests.support.lines import BUYING_ID

BEGIN = datetime(2026, 12, 1, 8, tzinfo=UTC)
LINE = UUID(int=1)


class Clock:
    """Monotonic seconds set by a test."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Counter:
    """Stands for the database: it only counts, and calls a hook before it answers."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.next = 1
        self.asked: list[int] = []
        self.leased: list[tuple[int, int]] = []
        self.returned: list[tuple[int, int]] = []
        self.has_returned = asyncio.Event()
        self.gaps: list[tuple[int, int]] = []
        self.before: Callable[[], Awaitable[object]] | None = None
        self.is_closed = False
        self.latency = 0.0

    async def lease(self, _line: UUID, count: int) -> NumberBlock | None:
        self.asked.append(count)
        if self.before:
            await self.before()
        if self.is_closed:
            return None
        self.clock.now += self.latency
        block = NumberBlock(self.next, BEGIN + timedelta(seconds=self.clock.now))
        self.next += count
        self.clock.now += self.latency
        self.leased.append((block.first, self.next))
        return block

    async def give_back(self, _line: UUID, first: int, end: int) -> None:
        """As sql/functions/line_give_back.sql: the last numbers are given again, others are not."""
        if self.before:
            await self.before()
        assert first < end <= self.next
        self.returned.append((first, end))
        self.has_returned.set()
        if end == self.next:
            self.next = first
            while gap := next((one for one in self.gaps if one[1] == self.next), None):
                self.gaps.remove(gap)
                self.next = gap[0]
        else:
            self.gaps.append((first, end))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(places, "monotonic", found)
    return found


@pytest.fixture
def counter(clock: Clock) -> Counter:
    return Counter(clock)


async def crowd(numbers: NumberSupply, count: int) -> list[tuple[int, int]]:
    """Request `count` numbers at the same moment."""

    async def ask() -> tuple[int, int]:
        return numbers.at_once() or await numbers.take()

    return await asyncio.gather(*(ask() for _ in range(count)))


# -- in memory -------------------------------------------------------------------------------------


def test_crowd_at_one_moment_costs_one_lease_and_is_served_in_order(counter: Counter) -> None:
    numbers = NumberSupply(LINE, counter.lease, counter.give_back)
    found = asyncio.run(crowd(numbers, 3_000))
    assert [number for number, _ in found] == list(range(1, 3_001))
    assert counter.asked == [3_000]


def test_requests_beyond_the_waiting_limit_are_refused(counter: Counter) -> None:
    async def run() -> None:
        go = asyncio.Event()
        counter.before = go.wait
        numbers = NumberSupply(LINE, counter.lease, counter.give_back)
        asking = [asyncio.ensure_future(numbers.take()) for _ in range(ASKING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(DatabaseBusy):
            await numbers.take()
        go.set()
        found = await asyncio.gather(*asking)
        assert len({number for number, _ in found}) == ASKING_MAX
        assert await numbers.take()  # and there is room again

    asyncio.run(run())


@pytest.mark.parametrize("fault", [DatabaseAway("x"), DatabaseBusy("x"), RuntimeError("a bug")])
def test_failed_lease_refuses_all_waiting_requests_and_the_next_one_works(
    counter: Counter, fault: Exception
) -> None:
    async def fail() -> None:
        raise fault

    async def run() -> None:
        counter.before = fail
        numbers = NumberSupply(LINE, counter.lease, counter.give_back)
        for _ in range(3):
            found = await asyncio.gather(
                *(numbers.take() for _ in range(5)), return_exceptions=True
            )
            assert {type(one) for one in found} == {type(fault)}
        counter.before = None
        assert [number for number, _ in await crowd(numbers, 5)] == [1, 2, 3, 4, 5]

    asyncio.run(run())


def test_numbers_unused_for_a_second_are_given_back(counter: Counter) -> None:
    async def run() -> None:
        numbers = NumberSupply(LINE, counter.lease, counter.give_back)
        await crowd(numbers, 10)
        counter.clock.now += 0.1
        assert (await numbers.take())[0] == 11
        [_, (first, end)] = counter.leased
        assert first == 11
        assert end > 12  # a tenth of a second's worth
        counter.clock.now += 1.0
        assert numbers.at_once() is None
        assert (await numbers.take())[0] == 12
        assert counter.returned == [(12, end)]

    asyncio.run(run())


@given(
    some.lists(
        some.tuples(
            some.integers(0, 2),  # process
            some.sampled_from([1, 2, 30]),  # requests
            some.sampled_from([0.0, 0.001, 0.2, 0.5, 0.999, 1.0, 3.0]),  # seconds since the last
            some.sampled_from([0.0, 0.001, 0.3, 0.6, 2.0]),  # of an answer, each way
        ),
        max_size=12,
    )
)
def test_numbers_are_unique_and_later_requests_get_later_ones(
    asked: list[tuple[int, int, float, float]],
) -> None:
    with pytest.MonkeyPatch.context() as world:
        clock = Clock()
        world.setattr(places, "monotonic", clock)
        counter = Counter(clock)

        async def run() -> list[tuple[float, float, int, int]]:
            processes = [NumberSupply(LINE, counter.lease, counter.give_back) for _ in range(3)]
            found = []
            for process, count, pause, latency in asked:
                clock.now += pause
                counter.latency = latency
                begun = clock.now
                got = await crowd(processes[process], count)
                found += [(begun, clock.now, *one) for one in got]
            return found

        found = asyncio.run(run())
    numbers = [number for _, _, number, _ in found]
    assert len(set(numbers)) == len(numbers)
    for asked_at, answered_at, number, at in found:
        true = at / 1000 - BEGIN.timestamp()
        # Never ahead of the database's clock, and behind by the time of an answer (here two seconds).
        assert asked_at - 2.002 <= true <= answered_at + 0.002
        for asked_later, _, other, _ in found:
            if asked_later >= answered_at + places.BLOCK_SECONDS:
                assert other > number


# -- the real database -----------------------------------------------------------------------------


class Process:
    """Numbers with a pool of their own, as in each web process."""

    def __init__(self, url: str, line: UUID = BUYING_ID) -> None:
        self.database = Database(url, connections=4)
        self.numbers = NumberSupply(line, self._lease, self._give_back)

    async def _lease(self, line: UUID, count: int) -> NumberBlock | None:
        return await self.database.once(store.lease, line, count)

    async def _give_back(self, line: UUID, first: int, end: int) -> None:
        await self.database.once(store.give_back, line, first, end)


def with_processes(url: str, count: int, act: Callable[..., Awaitable[Any]]) -> Any:
    async def run() -> Any:
        processes = [Process(url) for _ in range(count)]
        for one in processes:
            await one.database.open()
        try:
            return await act(*processes)
        finally:
            for one in processes:
                await one.database.close()

    return asyncio.run(run())


def test_several_processes_never_give_a_number_twice(database_url: str) -> None:
    async def act(*processes: Process) -> list[list[tuple[int, int]]]:
        return await asyncio.gather(
            *(crowd(one.numbers, 500) for _ in range(8) for one in processes)
        )

    found = [one for some in with_processes(database_url, 3, act) for one in some]
    numbers = [number for number, _ in found]
    assert len(numbers) == len(set(numbers)) == 3 * 8 * 500
    # Numbers that differ by more than one lease were taken in order.
    by_number = sorted(found)
    assert numbers != sorted(numbers), "they did take turns"
    latest = 0
    for _, at in by_number:
        assert at > latest - 1000 * places.BLOCK_SECONDS
        latest = max(latest, at)


def test_line_closing_under_a_crowd_gives_no_number_afterwards(database_url: str) -> None:
    async def act(one: Process, two: Process) -> None:
        assert await one.numbers.take()
        await one.database.call(
            "UPDATE waiting_room_lines SET closes_at = clock_timestamp() WHERE line_id = %s",
            BUYING_ID,
        )
        found = await asyncio.gather(
            *(two.numbers.take() for _ in range(20)), return_exceptions=True
        )
        assert {type(each) for each in found} == {LineClosed}

    with_processes(database_url, 2, act)


def test_ending_process_gives_back_unused_numbers() -> None:
    async def story() -> None:
        back: list[tuple[int, int]] = []

        async def lease(_: UUID, count: int) -> NumberBlock:
            return NumberBlock(1, datetime(2026, 11, 24, tzinfo=UTC))

        async def give_back(_: UUID, first: int, end: int) -> None:
            back.append((first, end))

        numbers = NumberSupply(BUYING_ID, lease, give_back)
        await asyncio.gather(*(numbers.take() for _ in range(3)))
        numbers._end = 10  # as after a larger lease
        await numbers.close()
        assert back == [(4, 10)]
        await numbers.close()
        assert back == [(4, 10)], "once"

    asyncio.run(story())
