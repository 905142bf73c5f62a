"""A pool for the tasks of `bounded`: few processes at once, a short queue, clients in turn.

Clients (an account, a network) take turns.  While the queue has room nobody is refused: behind one
address may be many phones.  Where it is full, whoever has the most there makes room for one who has
fewer, with the task that came last; else who comes is refused at once.  Networks of one /48 (of one /24)
have together what few have apart (`plumbing/networks.py`).  Whoever is refused can come
again, and holds neither memory nor a connection here.

A pool may have a slow pool: a task that takes longer than `QUICK_CPU_SECONDS` of a processor is ended, and done anew in
a pool of its own, which keeps nobody else waiting.  A network has few such tries in a minute; then all it has is in
the slow pool at once.  So what a stranger can make others wait is a few tenths of a second for each address.

What a work does in this process itself it does in a slot (`Slots`): in a thread, few at once, since
each keeps the event loop waiting for the interpreter; the higher priority goes first, and within one
clients take turns too.
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
SLOT_SECONDS_MAX = 10.0  # a work that waits longer is better refused


# Quick tries of an address that came to nothing; its wider networks have four and sixteen times as many.
QUICK_TRIES_MAX, QUICK_TRIES_SECONDS = 2, 60.0

Permission = Callable[[], Awaitable[None]]  # returns, or refuses
Begin = Callable[[], Awaitable[Work[Result]]]  # loads what a work is about
Answer = TypeVar("Answer")
Ask = Callable[[Task], Awaitable[bytes | None]]


class _TooSlow(Exception):
    """A task has no answer within the time of a quick one."""


class _Done:
    """The result of a work; a `StopIteration` cannot leave a thread."""

    def __init__(self, result: object) -> None:
        self.result = result


class Slots:
    """So many works at once in threads of this process.  Who waits goes by priority, then by turns of clients.

    Its station counts the wait of a client that has one work here, as that of a `Pool`.
    """

    def __init__(
        self, number: int, waiting_max: int = SLOT_WAITING_MAX, station: Station | None = None
    ) -> None:
        self._station = station or Station("")
        # What waits here is slow by itself and no sign that the process is overrun.
        self._permits = PermitQueue(number, SLOT_SECONDS_MAX, Queueing(), waiting_max)

    @asynccontextmanager
    async def one(self, client: str) -> AsyncIterator[None]:
        """A slot, for as long as this lasts.  Refuses with `ExaminationBusy`."""
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
    """Carries works out for many clients; each pool has processes and a queue of its own.

    Its station counts the wait of a client that has one task here: whoever brings many waits for its own.
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
        """Carry a work out: its own steps in a thread, within the slots; its tasks in processes.

        No slot is held while a task is waited for.  `may` is asked before the first task, which is
        the first thing that costs something.  Refuses with `ExaminationBusy`, with what `may`
        refuses and with what the work refuses.
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
        """Carry out a work that is begun once a process is free for it, and keeps it to its end.

        So a document is loaded when it is its turn, and whoever waits holds none.  Refuses with
        `ExaminationBusy`, with what `begin` refuses and with what the work refuses.
        """

        async def whole(ask: Ask) -> Result:
            work, answer = await begin(), None
            while not isinstance(step := await _taken(work, answer, client, slots), _Done):
                answer = await ask(step)
            result: Result = step.result  # type: ignore[assignment]
            return result

        return await self._asked(whole, client)

    async def _asked(self, act: Callable[[Ask], Awaitable[Answer]], client: str) -> Answer:
        """Do what asks tasks, in turn: quickly where that may be tried, else in the slow pool."""
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
        # Who waits for a process does nothing here: its turn in this process is for somebody who does.
        PURPOSE.get().step_aside()
        turn = self._turn(client)
        counts = self._of_client[client] == 1
        under_way = asyncio.create_task(self._with_process(act, client, turn, counts=counts))
        # A client that goes does not free a place: the process it asked for still runs.
        self._under_way.add(under_way)
        under_way.add_done_callback(self._under_way.discard)
        return await asyncio.shield(under_way)

    def _admit(self, client: str) -> None:
        # By what each has, not by tasks that have not ended yet: one that was refused has no place.
        if self._of_client.total() >= self._under_way_max and not self._has_made_room(client):
            raise ExaminationBusy("too many documents wait")
        self._of_client[client] += 1
        self._held.add(client)

    def _has_made_room(self, client: str) -> bool:
        """Whether the client with the most waits with one task less; only where it keeps no fewer."""
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

    def _turn(self, client: str) -> asyncio.Future[None]:
        """What is done once a process is ours."""
        permit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._free:
            self._free -= 1
            permit.set_result(None)
        else:
            self._waiting.add(client, permit)
        return permit

    def _pass_on(self) -> None:
        """Give the process to the client that waits and had the fewest."""
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
    """The next step of a work, taken in a thread."""
    async with slots.one(client):
        # It cannot be stopped, and keeps its slot.
        return await to_the_end(partial(_next_step, work, answer))


def _next_step(work: Work[Result], answer: bytes | None) -> Task | _Done:
    try:
        return work.send(answer)
    except StopIteration as done:
        return _Done(done.value)
