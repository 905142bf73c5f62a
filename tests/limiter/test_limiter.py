"""Permits: by priority with shares, by recent use, and none is ever lost."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import settings as limits
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from meterai.kit.priority import ALLOWANCES, Priority
from meterai.limiter.limiter import RESERVE, Limiter
from meterai.limiter.usage import UNIT_SECONDS
from meterai.limiter.waiting import WAITING_MAX, WaitingRequest
from meterai.plumbing.queueing import Queueing


def within_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


def fill(limiter: Limiter, priority: Priority) -> int:
    """Begin as many requests as may begin."""
    begun = 0
    while True:
        asked = limiter.ask(priority, b"crowd")
        if asked is not True:
            if isinstance(asked, WaitingRequest):
                limiter.withdraw(asked)
            return begun
        begun += 1


def request_of(limiter: Limiter, priority: Priority, user: bytes = b"somebody") -> WaitingRequest:
    asked = limiter.ask(priority, user)
    assert isinstance(asked, WaitingRequest)
    return asked


@within_loop
async def test_every_request_begins_at_once_at_low_traffic() -> None:
    limiter = Limiter(Queueing())
    for priority in Priority:
        assert limiter.ask(priority, b"a") is True


@within_loop
async def test_slow_requests_of_low_priority_leave_room_for_urgent_ones() -> None:
    limiter = Limiter(Queueing())
    begun = fill(limiter, Priority.NEW)
    assert begun < limiter.limit
    assert limiter.ask(Priority.MONEY, b"bank") is True


@within_loop
async def test_slow_requests_of_one_priority_delay_no_other() -> None:
    """Slow uploads hold their permits for long, whatever their purpose."""
    for slow in Priority:
        limiter = Limiter(Queueing())
        fill(limiter, slow)
        for other in Priority:
            assert (limiter.ask(other, b"somebody") is True) == (other is not slow)


@within_loop
async def test_free_permit_goes_to_the_urgent_request() -> None:
    limiter = Limiter(Queueing())
    for priority in reversed(Priority):
        fill(limiter, priority)
    late = request_of(limiter, Priority.NEW)
    early = request_of(limiter, Priority.PAID)
    # `NEW` runs above its share, so that this permit is not due to it.
    limiter.ended(Priority.NEW, b"crowd", 0.01)
    assert early.permit.done()
    assert not late.permit.done()


@within_loop
async def test_flood_of_urgent_requests_leaves_each_share() -> None:
    limiter = Limiter(Queueing())
    for priority in Priority:  # the share of each is in use too
        fill(limiter, priority)
    waiting = [request_of(limiter, priority) for priority in Priority]
    for _ in range(limiter.limit):
        request_of(limiter, Priority.MONEY)
    for _ in range(limiter.limit):
        limiter.ended(Priority.MONEY, b"crowd", 0.01)
    assert all(request.permit.done() and request.permit.result() for request in waiting)


@within_loop
async def test_user_with_less_recent_use_goes_first() -> None:
    limiter = Limiter(Queueing())
    fill(limiter, Priority.NEW)
    limiter.ask(Priority.MONEY, b"x")
    limiter.ended(Priority.MONEY, b"greedy", UNIT_SECONDS * 8)
    fill(limiter, Priority.NEW)
    greedy = request_of(limiter, Priority.NEW, b"greedy")
    modest = request_of(limiter, Priority.NEW, b"modest")
    limiter.ended(Priority.NEW, b"crowd", 0.0)
    assert modest.permit.done()
    assert not greedy.permit.done()


@within_loop
async def test_full_queue_refuses_the_user_with_most_use() -> None:
    limiter = Limiter(Queueing())
    fill(limiter, Priority.NEW)
    limiter.ask(Priority.MONEY, b"x")
    limiter.ended(Priority.MONEY, b"greedy", UNIT_SECONDS * 8)
    fill(limiter, Priority.NEW)
    greedy = [request_of(limiter, Priority.NEW, b"greedy") for _ in range(WAITING_MAX)]
    assert limiter.ask(Priority.NEW, b"greedy") is False
    modest = limiter.ask(Priority.NEW, b"modest")
    assert isinstance(modest, WaitingRequest)
    assert greedy[-1].permit.result() is False
    assert limiter.waiting(Priority.NEW) == WAITING_MAX


class Overrun(Queueing):
    """A process in which everything waits for a second."""

    def worst(self) -> float:
        return 1.0


@within_loop
async def test_request_that_waits_too_long_is_refused() -> None:
    limiter = Limiter(Overrun())
    async with limiter.watching():
        fill(limiter, Priority.NEW)
        request = request_of(limiter, Priority.NEW)
        async with asyncio.timeout(ALLOWANCES[Priority.NEW].wait_seconds + 30):
            assert await request.permit is False
        assert limiter.waiting(Priority.NEW) == 0


class PermitRules(RuleBasedStateMachine):
    """In any order of events, the counts equal those of a reference list."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.queueing = Queueing()
        self.limiter = Limiter(self.queueing)
        self.running: list[Priority] = []
        self.waiting: list[WaitingRequest] = []

    def teardown(self) -> None:
        self.loop.close()

    def _settle(self) -> None:
        for request in [one for one in self.waiting if one.permit.done()]:
            self.waiting.remove(request)
            if request.permit.result():
                self.running.append(request.priority)

    @rule(priority=some.sampled_from(Priority), user=some.sampled_from([b"a", b"b", b"c"]))
    def come(self, priority: Priority, user: bytes) -> None:
        async def ask() -> bool | WaitingRequest:
            return self.limiter.ask(priority, user)

        asked = self.loop.run_until_complete(ask())
        if isinstance(asked, WaitingRequest):
            self.waiting.append(asked)
        elif asked:
            self.running.append(priority)

    @precondition(lambda self: self.running)
    @rule(data=some.data(), seconds=some.floats(0, 2))
    def end(self, data: some.DataObject, seconds: float) -> None:
        priority = data.draw(some.sampled_from(self.running))
        self.running.remove(priority)
        self.limiter.ended(priority, data.draw(some.sampled_from([b"a", b"b"])), seconds)

    @precondition(lambda self: self.waiting)
    @rule(data=some.data())
    def go(self, data: some.DataObject) -> None:
        request = data.draw(some.sampled_from(self.waiting))
        self.waiting.remove(request)
        self.limiter.withdraw(request)

    @rule(delay=some.floats(0, 1))
    def window(self, delay: float) -> None:
        self.queueing.waited("loop", delay)
        self.limiter.adapt()

    @invariant()
    def counts_are_right(self) -> None:
        self._settle()
        for priority in Priority:
            assert self.limiter.running(priority) == self.running.count(priority)
            waiting = [one for one in self.waiting if one.priority is priority]
            assert self.limiter.waiting(priority) == len(waiting)

    @invariant()
    def nobody_waits_beside_a_free_turn(self) -> None:
        kept = len(Priority) * (1 + RESERVE * self.limiter.limit)
        if self.waiting:
            assert len(self.running) + kept >= self.limiter.limit


TestPermits = PermitRules.TestCase
TestPermits.settings = limits(max_examples=60, stateful_step_count=60, deadline=None)
