"""A pool for the tasks of `bounded`: few processes at once, a short queue, fair between clients.

A client is an account or a network.  Processes go to clients in turn.  While the queue has room every task is
admitted, since many phones may share one address.  If it is full, the client with the most tasks loses its newest
waiting task to a client with fewer; otherwise the new task is refused at once.  The networks of one /48 (of one /24)
share a limit of a few clients (`plumbing/networks.py`).  A refused client can come again, and holds neither memory
nor a connection here.

A pool may have a slow pool behind it: a task that takes longer than `QUICK_CPU_SECONDS` of processor time is ended, and
started again in the slow pool, where it delays no quick task.  A network has few such tries a minute; then all its tasks
start in the slow pool.  So the delay that a stranger can cause is a few tenths of a second for each address.

Steps of a work in this process itself run in a slot (`Slots`): in a thread, few at once, since
each keeps the event loop waiting for the interpreter.  The higher priority goes first; within one
priority clients take turns too.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import Any, TypeVar

from meterai.plumbing.fair import FairQueue
from meterai.plumbing.networks import Buckets, NetworkCounts, nested
from meterai.plumbing.observe.stations import Station
from meterai.plumbing.permits import PURPOSE, NoPermit, PermitQueue
from meterai.plumbing.queueing import Queueing
from meterai.plumbing.threads import to_the_end
from meterai.sealing.model import ExaminationBusy
from meterai.sealing.sandbox.bounded import (
    NICE,
    QUICK_CPU_SECONDS,
    Result,
    Task,
    Work,
    ask_and_wait,
)

WAITING_MAX = 16  # tasks; at a tenth of a second for an honest one, two seconds of waiting
SLOT_WAITING_MAX = (
    64  # works of one priority; at 5 ms each a third of a second, and their documents
)
SLOT_SECONDS_MAX = 10.0  # a work that waits longer is refused


# Quick tries of an address that were ended; its wider networks have four and sixteen times as many.
QUICK_TRIES_MAX, QUICK_TRIES_SECONDS = 2, 60.0

Permission = Callable[[], Awaitable[None]]  # returns, or refuses
Begin = Callable[[], Awaitable[Work[Result]]]  # loads the input of a work
Answer = TypeVar("Answer")
Ask = Callable[[Task], Awaitable[bytes | None]]


class _TooSlow(Exception):
    """A task has no answer within the time of a quick one."""


class _Done:
    """Result of a work; a `StopIteration` cannot leave a thread."""

    def __init__(self, result: object) -> None:
        self.result = result


class Slots:
    """Slots for works in threads of this process, given by priority, then to clients in turn.

    The station counts the wait of a client that has one work here, as that of a `Pool` does.
    """

    def __init__(
        self, number: int, waiting_max: int = SLOT_WAITING_MAX, station: Station | None = None
    ) -> None:
        self._station = station or Station("")
        # Works that wait here are slow themselves; their wait is no sign of overload.
        self._permits = PermitQueue(number, SLOT_SECONDS_MAX, Queueing(), waiting_max)

    @asynccontextmanager
    async def one(self, client: str) -> AsyncIterator[None]:
        """Hold a slot inside the context.  Refuses with `ExaminationBusy`."""
        try:
            with nullcontext() if self._permits.has(client) else self._station.waiting():
                await self._permits.take(client)
        except NoPermit as reason:
            raise ExaminationBusy(str(reason)) from None
        try:
            yield
        finally:
            self._permits.give_back(client)


class Pool:
    """Carries out works for many clients; each pool has processes and a queue of its own.

    The station counts the wait of a client that has one task here: a client with many tasks waits for its own.
    """

    def __init__(
        self,
        processes: int = 1,
        waiting_max: int = WAITING_MAX,
        station: Station | None = None,
        nice: int = NICE,
        slow: "Pool | None" = None,
    ) -> None:
        self._slow = slow
        self._tries = Buckets(QUICK_TRIES_MAX, QUICK_TRIES_SECONDS)
        self._station = station or Station("")
        self._nice = nice
        self._free = processes
        self._under_way_max = processes + waiting_max
        # Tasks of each client here, and those begun since it last had none.
        self._of_client: Counter[str] = Counter()
        self._begun_of: Counter[str] = Counter()
        self._held, self._begun = NetworkCounts(), NetworkCounts()
        self._waiting: FairQueue[str, asyncio.Future[None]] = FairQueue(self._begun.of)
        self._under_way: set[asyncio.Task[Any]] = set()

    async def finish(
        self,
        work: Work[Result],
        client: str,
        slots: Slots,
        may: Permission | None = None,
    ) -> Result:
        """Carry out a work: its own steps in a thread, within the slots; its tasks in processes.

        No slot is held during a task.  `may` is asked before the first task, which is
        the first expensive step.  Refuses with `ExaminationBusy`, with the refusals of `may`
        and with those of the work.
        """
        answer: bytes | None = None
        while True:
            step = await _taken(work, answer, client, slots)
            if isinstance(step, _Done):
                result: Result = step.result  # type: ignore[assignment]
                return result
            if may is not None:
                await may()
                may = None
            answer = await self._asked(partial(_ask, step), client)

    async def finish_in_turn(self, begin: Begin[Result], client: str, slots: Slots) -> Result:
        """Carry out a work that begins once a process is free for it, and keeps the process to its end.

        So a waiting client holds no document: it is loaded when its turn comes.  Refuses with
        `ExaminationBusy`, with the refusals of `begin` and with those of the work.
        """

        async def whole(ask: Ask) -> Result:
            work, answer = await begin(), None
            while not isinstance(step := await _taken(work, answer, client, slots), _Done):
                answer = await ask(step)
            result: Result = step.result  # type: ignore[assignment]
            return result

        return await self._asked(whole, client)

    async def _asked(self, act: Callable[[Ask], Awaitable[Answer]], client: str) -> Answer:
        """Run tasks in turn: quickly if a quick try is left, else in the slow pool."""
        if self._slow is None:
            ask = partial(ask_and_wait, nice=self._nice)
            return await self._in_turn(partial(act, ask), client)
        names = nested(client)
        if self._tries.have(names):
            try:
                return await self._in_turn(partial(act, self._ask_quickly), client)
            except _TooSlow:
                self._tries.take(names)
        return await self._slow._asked(act, client)

    async def _ask_quickly(self, task: Task) -> bytes | None:
        answer = await ask_and_wait(task, self._nice, QUICK_CPU_SECONDS)
        if answer is None:
            raise _TooSlow
        return answer

    async def _in_turn(self, act: Callable[[], Awaitable[Answer]], client: str) -> Answer:
        self._admit(client)
        # Who waits for a process does nothing here: its permit in this process is for somebody who does.
        PURPOSE.get().release_permit()
        permit = self._process_for(client)
        counts = self._of_client[client] == 1
        under_way = asyncio.create_task(self._with_process(act, client, permit, counts=counts))
        # A client that goes does not free a slot: the process it asked for still runs.
        self._under_way.add(under_way)
        under_way.add_done_callback(self._under_way.discard)
        return await asyncio.shield(under_way)

    def _admit(self, client: str) -> None:
        # By what each has, not by tasks that have not ended yet: one that was refused has no slot.
        if self._of_client.total() >= self._under_way_max and not self._make_room(client):
            raise ExaminationBusy("too many documents wait")
        self._of_client[client] += 1
        self._held.add(client)

    def _make_room(self, client: str) -> bool:
        """Remove the newest waiting task of the client with the most; false if it would have fewer than this one."""
        most = self._waiting.most(self._held.of, client)
        if self._held.of(client, 1) >= self._held.of(most):
            return False
        last = self._waiting.take_last(most)
        if last is None:
            return False
        last.set_exception(ExaminationBusy("others had fewer documents here"))
        self._leave(most)
        return True

    def _leave(self, client: str) -> None:
        self._of_client[client] -= 1
        self._held.give_back(client)
        if not self._of_client[client]:
            del self._of_client[client]
            self._begun.give_back(client, self._begun_of.pop(client, 0))

    async def _with_process(
        self,
        act: Callable[[], Awaitable[Answer]],
        client: str,
        permit: asyncio.Future[None],
        *,
        counts: bool,
    ) -> Answer:
        with self._station.waiting() if counts else nullcontext():
            await permit
        self._begun_of[client] += 1
        self._begun.add(client)
        try:
            with self._station.serving():
                return await act()
        finally:
            self._leave(client)
            self._pass_on()

    def _process_for(self, client: str) -> asyncio.Future[None]:
        """A permit, which is done once a process is for this client."""
        permit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._free:
            self._free -= 1
            permit.set_result(None)
        else:
            self._waiting.add(client, permit)
        return permit

    def _pass_on(self) -> None:
        """Give the process to the waiting client that had the fewest."""
        served = self._waiting.next()
        if served is None:
            self._free += 1
        else:
            served[1].set_result(None)


async def _ask(task: Task, ask: Ask) -> bytes | None:
    return await ask(task)


async def _taken(
    work: Work[Result], answer: bytes | None, client: str, slots: Slots
) -> Task | _Done:
    """Take the next step of a work in a thread."""
    async with slots.one(client):
        # A thread cannot be stopped, so it keeps its slot until it ends.
        return await to_the_end(partial(_next_step, work, answer))


def _next_step(work: Work[Result], answer: bytes | None) -> Task | _Done:
    try:
        return work.send(answer)
    except StopIteration as done:
        return _Done(done.value)
