"""A pool for the tasks of `bounded`: few processes at once, a short queue, fair between clients.

A client is an account or a network.  Clients get processes in turn.  While the queue has room every task is admitted, since
many phones may share one address.  If the queue is full, the newest waiting task of the client with the most tasks is refused
in favour of a client with fewer; otherwise the new task is refused.  The networks of one /48 (for IPv4, of one /24) share a
limit of a few clients (`plumbing/networks.py`).  A refused client can try again; meanwhile it uses neither memory nor a
connection here.

A pool may have a slow pool.  A task that takes longer than `QUICK_CPU_SECONDS` of processor time is killed and started again in
the slow pool, where it delays no quick task.  Each network may cause this a few times a minute; after that all its tasks start
in the slow pool.  So an attacker can delay others by only a few tenths of a second with each address.

Steps of a work that run in this process itself need a slot (`Slots`).  They run in threads, few at once, since each slows the
event loop by its use of the interpreter.  A step of a higher priority goes first; within one priority clients take turns.
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

WAITING_MAX = 16  # tasks; two seconds of waiting, if each takes a tenth of a second
SLOT_WAITING_MAX = 64  # works of one priority; at 5 ms each, a third of a second of waiting
SLOT_SECONDS_MAX = 10.0  # longest wait for a slot; then the work is refused


# Quick tries of one address that may be killed in a period; its two wider networks have four and sixteen times as many.
QUICK_TRIES_MAX, QUICK_TRIES_SECONDS = 2, 60.0

Permission = Callable[[], Awaitable[None]]  # returns if permitted, else raises a refusal
Begin = Callable[[], Awaitable[Work[Result]]]  # loads the input and returns the work
Answer = TypeVar("Answer")
Ask = Callable[[Task], Awaitable[bytes | None]]


class _TooSlow(Exception):
    """A task gave no answer within `QUICK_CPU_SECONDS`."""


class _Done:
    """Result of a finished generator of work; needed since a `StopIteration` cannot be passed out of a thread."""

    def __init__(self, result: object) -> None:
        self.result = result


class Slots:
    """Slots for steps of works in threads of this process, given by priority, then to clients in turn.

    A wait is measured by `station` only if the client has no other work here.
    """

    def __init__(
        self, number: int, waiting_max: int = SLOT_WAITING_MAX, station: Station | None = None
    ) -> None:
        self._station = station or Station("")
        # Works are slow themselves, so that waiting here is no sign of overload.
        self._permits = PermitQueue(number, SLOT_SECONDS_MAX, Queueing(), waiting_max)

    @asynccontextmanager
    async def one(self, client: str) -> AsyncIterator[None]:
        """Hold a slot inside the `async with` block.  Refuses with `ExaminationBusy`."""
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
    """Runs the works of many clients; each pool has its own processes and queue.

    A wait is measured by `station` only if the client has no other task here, since otherwise its own tasks cause the wait.
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
        # Tasks of each client here, and its tasks begun since it last had none.
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
        """Run a work to its end: its steps in threads, each in one of the slots, and its tasks in processes.

        No slot is held during a task.  `may` is called before the first task, which is the first expensive step, and may
        refuse.  Refuses with `ExaminationBusy`, with the refusals of `may` and with those of the work.
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
        """Wait for a free process, then begin a work and run it to its end; the process is kept for all of its tasks.

        `begin` loads the document, so that none is in memory while its client waits.  Refuses with `ExaminationBusy`, with the
        refusals of `begin` and with those of the work.
        """

        async def whole(ask: Ask) -> Result:
            work, answer = await begin(), None
            while not isinstance(step := await _taken(work, answer, client, slots), _Done):
                answer = await ask(step)
            result: Result = step.result  # type: ignore[assignment]
            return result

        return await self._asked(whole, client)

    async def _asked(self, act: Callable[[Ask], Awaitable[Answer]], client: str) -> Answer:
        """Run `act` when the client gets a process.

        The process is one of this pool.  If a task is too slow for it, the work begins again in the slow pool.  If this has
        recently happened too often for the client's network, the work begins in the slow pool.
        """
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
        # A request that waits for a process does no work in this one, so it releases its permit.
        PURPOSE.get().release_permit()
        permit = self._process_for(client)
        counts = self._of_client[client] == 1
        under_way = asyncio.create_task(self._with_process(act, client, permit, counts=counts))
        # The task goes on if the client disconnects, so that its process counts as used until it ends.
        self._under_way.add(under_way)
        under_way.add_done_callback(self._under_way.discard)
        return await asyncio.shield(under_way)

    def _admit(self, client: str) -> None:
        # Counts the tasks admitted, not those of asyncio: a refused task has not ended yet, but holds no place any more.
        if self._of_client.total() >= self._under_way_max and not self._make_room(client):
            raise ExaminationBusy("too many documents wait")
        self._of_client[client] += 1
        self._held.add(client)

    def _make_room(self, client: str) -> bool:
        """Refuse the newest waiting task of the client with the most tasks, to admit one of `client`.

        Returns False, and refuses nothing, if `client` with its new task would have at least as many tasks as the other client.
        """
        most = self._waiting.most(self._held.of, client)
        if self._held.of(client, 1) >= self._held.of(most):
            return False
        last = self._waiting.take_last(most)
        if last is None:
            return False
        last.set_exception(ExaminationBusy("other callers had fewer documents here"))
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
        """Return a future that is done when this client gets a process."""
        permit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._free:
            self._free -= 1
            permit.set_result(None)
        else:
            self._waiting.add(client, permit)
        return permit

    def _pass_on(self) -> None:
        """Give a process that became free to the waiting client that has begun the fewest tasks; keep it free if none waits."""
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
    """Run the next step of a work in a thread: send it the answer, and return its next task or its result."""
    async with slots.one(client):
        # A thread cannot be stopped, so the slot is kept until the thread ends, even after a cancellation.
        return await to_the_end(partial(_next_step, work, answer))


def _next_step(work: Work[Result], answer: bytes | None) -> Task | _Done:
    try:
        return work.send(answer)
    except StopIteration as done:
        return _Done(done.value)
