"""Load generator for one small request, cheap enough to share the machine with the server.

HTTP/1.1 with keep-alive over plain sockets, requests as prepared bytes. In a closed load each connection sends again as
soon as it is answered, which shows the capacity of the server. In a steady load requests fall due at a fixed rate, whether
or not earlier requests were answered, and their latency counts from the time at which they were due, which shows the wait
of a buyer.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from meterai_rehearsal.clients.sites import Site
from meterai_rehearsal.clients.wire import ConnectionLost, Wire, framed

ANSWER_SECONDS_MAX = 10.0  # after the last request; then a missing answer is an error
TICK_SECONDS = 0.001  # resolution of the due times of steady requests
REQUESTS_MAX = 200_000  # of one measurement, on any machine


@dataclass(slots=True)
class Heard:
    """Answers to a load: the number of answers with each status, their latencies, and the number of errors by
    name.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def answered(self, status: int) -> int:
        """Count the answers with this status."""
        return self.statuses[status]

    def failed(self, status: int) -> int:
        """Count everything except answers with this status."""
        return sum(self.statuses.values()) - self.statuses[status] + sum(self.errors.values())

    def latency(self, share: float) -> float:
        """Return the latency in seconds that this share of the answers did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


class _Asked(Wire):
    """One connection of a load."""

    def __init__(self, on_answer: Callable[["_Asked", int], None]) -> None:
        super().__init__()
        self._on_answer = on_answer
        self.due = 0.0
        self.is_asked = False  # a request is under way on it

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop, also after an answer: a server closes a connection whose body it did not read."""
        self._is_over = True
        self._on_answer(self, 0)

    def ask(self, request: bytes, due: float) -> None:
        """Send a request that fell due at this time."""
        assert self._transport is not None
        self.due = due
        self.is_asked = True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop of asyncio."""
        self._received += data  # no copy if the answer comes in one piece
        try:
            found = framed(self._received, is_whole=False)
            status = found.status if found else None
        except ConnectionLost:
            status = 0
        if status is not None:
            self._received = b""
            self._on_answer(self, status)


class Load:
    """Load on one server over a fixed number of connections. Use `closed` or `steady` once."""

    def __init__(self, site: Site, requests: Iterator[bytes], connections: int) -> None:
        self._address = (site.address, site.port)
        self._requests = requests
        self._count = connections
        self._heard = Heard()
        self._idle: deque[_Asked] = deque()
        self._due: deque[float] = deque()
        self._asked = 0
        self._under_way = 0
        self._asks_again_until = 0.0
        self._wires: list[_Asked] = []
        self._connecting: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()  # set while nothing is due and nothing under way
        self._is_over = False

    def _on_answer(self, wire: _Asked, status: int) -> None:
        if self._is_over:
            return
        now = time.perf_counter()
        if wire.is_asked:
            wire.is_asked = False
            self._count_answer(wire, status, now)
            self._under_way -= 1
            if now < self._asks_again_until:
                self._due.append(now)
            if wire.is_open:
                self._idle.append(wire)
        if not wire.is_open:
            if wire in self._idle:
                self._idle.remove(wire)
            self._begin_connecting()
        self._start_due()
        if not self._under_way:
            self._quiet.set()

    def _count_answer(self, wire: _Asked, status: int, now: float) -> None:
        if status:
            self._heard.statuses[status] += 1
            self._heard.latencies.append(now - wire.due)
        else:
            self._heard.errors["unreadable answer" if wire.is_open else "connection lost"] += 1

    def _begin_connecting(self) -> None:
        """Open a connection in place of one that the server closed."""
        task = asyncio.ensure_future(self._connect_again())
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect_again(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, wire = await loop.create_connection(lambda: _Asked(self._on_answer), *self._address)
        except OSError:
            self._heard.errors["not connected"] += 1
            return
        self._wires.append(wire)
        if self._is_over:
            wire.close()
            return
        self._idle.append(wire)
        self._start_due()

    def _start_due(self) -> None:
        while self._due and self._idle and self._asked < REQUESTS_MAX:
            self._asked += 1
            self._under_way += 1
            self._quiet.clear()
            self._idle.popleft().ask(next(self._requests), self._due.popleft())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()

        def wire() -> _Asked:
            return _Asked(self._on_answer)

        self._wires = [
            (await loop.create_connection(wire, *self._address))[1] for _ in range(self._count)
        ]
        self._idle.extend(self._wires)

    async def _finish(self, begun: float) -> Heard:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), ANSWER_SECONDS_MAX)
        self._heard.seconds = time.perf_counter() - begun
        self._is_over = True
        if missing := self._under_way + len(self._due):
            self._heard.errors["no answer"] += missing
        for wire in self._wires:
            wire.close()
        return self._heard

    async def closed(self, seconds: float) -> Heard:
        """Send on every connection, again after each answer."""
        await self._connect()
        begun = time.perf_counter()
        self._asks_again_until = begun + seconds
        self._due.extend([begun] * self._count)
        self._start_due()
        await asyncio.sleep(seconds)
        return await self._finish(begun)

    async def steady(self, rate: float, seconds: float) -> Heard:
        """Let `rate` requests a second fall due, evenly."""
        await self._connect()
        begun = time.perf_counter()
        fallen_due, total = 0, min(int(rate * seconds), REQUESTS_MAX)
        while fallen_due < total:
            by_now = min(int((time.perf_counter() - begun) * rate) + 1, total)
            self._due.extend(begun + number / rate for number in range(fallen_due, by_now))
            fallen_due = by_now
            self._start_due()
            await asyncio.sleep(TICK_SECONDS)
        return await self._finish(begun)
