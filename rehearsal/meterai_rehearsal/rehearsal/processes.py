"""Generator processes: started, told when to begin, listened to, and ended.

Messages in the pipe of a generator process, in this order: the process reports that it exists; it gets the
address of a server at which it measures its own speed, and returns the rate; it gets the time at which the run
begins; it reports progress each second and, at the end, all its counts. It ends when its pipe is closed, also
when the parent process dies.
"""

import asyncio
import gc
import multiprocessing
import resource
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from typing import Any, TypeAlias

import msgspec
import uvloop

from meterai_rehearsal.clients.sites import Site
from meterai_rehearsal.clients.wire import ConnectionLost
from meterai_rehearsal.rehearsal import limit
from meterai_rehearsal.rehearsal.arrivals import arrivals
from meterai_rehearsal.rehearsal.generator import Generator, maker_of
from meterai_rehearsal.rehearsal.plan import of
from meterai_rehearsal.rehearsal.tally import BUSY, Counted, Tally
from meterai_rehearsal.rehearsal.visitor import World

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0
SILENT_SECONDS_MAX = 60.0  # a process reports each second; one so late counts as dead


class GeneratorDied(Exception):
    """A generator process ended, or stopped reporting, before it reported its result."""


class Order(msgspec.Struct, frozen=True):
    """Task of one generator process."""

    plan: str  # TOML
    share: int
    shares: int
    site: Site
    bank: Site | None
    mail: Site | None
    stamped: tuple[bytes, ...]
    mark: str = ""  # of the run, in names that no visitor of another run has


class Progress(msgspec.Struct, frozen=True, tag=True):
    """Progress of one generator process."""

    share: int
    at: float
    offered: int
    dropped: int
    under_way: int
    finished: int
    failed: int
    busy: int
    error_pages: int


class End(msgspec.Struct, frozen=True, tag=True):
    """Final message of a generator process, with its counts."""

    counted: Counted


Told: TypeAlias = Progress | End


# -- in the process -------------------------------------------------------------------------


def _progress(tally: Tally, share: int) -> Progress:
    journeys = tally.journeys.values()
    return Progress(
        share,
        tally.last_at,
        tally.total("offered"),
        tally.total("dropped"),
        tally.under_way,
        sum(one.finished for one in journeys),
        sum(one.failed.total() for one in journeys),
        tally.status(BUSY),
        tally.error_pages,
    )


async def _generate(order: Order, begins: float, pipe: Pipe) -> None:
    # No garbage collection: it visits the objects of all visitors under way, which takes a second with ten thousand of
    # them, and nobody is begun meanwhile. A visit leaves almost no cycles, and the process ends with the run.
    gc.disable()
    plan, tally = of(order.plan), Tally()
    world = World(
        order.site,
        plan.bounds,
        tally,
        begins,
        maker_of(plan.bounds.document_bytes),
        order.bank,
        order.mail,
        list(order.stamped),
        mark=order.mark,
    )
    generator = Generator(
        world,
        arrivals(plan, order.share, order.shares),
        open_max=max(plan.bounds.open_max // order.shares, 1),
        seconds_max=plan.bounds.seconds_max,
        tell=lambda now: pipe.send_bytes(msgspec.msgpack.encode(_progress(now, order.share))),
    )
    loop = asyncio.get_running_loop()
    threading.Thread(target=_stop_at_end, args=(pipe, loop, generator), daemon=True).start()
    await generator.run()
    pipe.send_bytes(msgspec.msgpack.encode(End(tally.told())))


def _stop_at_end(pipe: Pipe, loop: asyncio.AbstractEventLoop, generator: Generator) -> None:
    """Stop the generator on any further message, or when the pipe is closed."""
    with suppress(EOFError, OSError):
        pipe.recv_bytes()
    with suppress(RuntimeError):  # the loop has ended: there is nothing to stop
        loop.call_soon_threadsafe(generator.stop)


def _main(order: Order, pipe: Pipe) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops us in order
    with suppress(OSError, ValueError):  # each visitor holds a connection
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        pipe.send(True)  # noqa: FBT003 - that it is there
        pipe.send(uvloop.run(limit.rate(pipe.recv())))
        uvloop.run(_generate(order, pipe.recv(), pipe))
    except (EOFError, OSError, ConnectionLost):
        return  # the pipe is closed, or nothing could be measured; the parent notices the end of the process


# -- in the parent ------------------------------------------------------------------------------


class Generators:
    """All generator processes of a run. Use as a context."""

    def __init__(self, orders: Sequence[Order]) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._pipes: list[Pipe] = []
        self._processes: list[BaseProcess] = []
        for order in orders:
            ours, theirs = spawning.Pipe()
            process = spawning.Process(target=_main, args=(order, theirs), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> "Generators":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            # The counts are not needed if the run was aborted.
            process.join(STOP_SECONDS_MAX if kind is None else 0)
            process.kill()

    @property
    def pids(self) -> list[int]:
        """Ids of the processes."""
        return [one.pid for one in self._processes if one.pid is not None]

    def rates(self, site: Site) -> list[float]:
        """Measure all generator processes at the same time. Return the requests a second of each. Raises `GeneratorDied`."""
        for pipe in self._pipes:
            self._received(pipe)
        for pipe in self._pipes:
            pipe.send(site)
        return [float(self._received(pipe)) for pipe in self._pipes]

    def _received(self, pipe: Pipe) -> Any:
        try:
            if not pipe.poll(START_SECONDS_MAX):
                raise GeneratorDied("the process does not answer")
            return pipe.recv()
        except (EOFError, OSError):
            raise GeneratorDied("it ended") from None

    def begin(self, at: float) -> None:
        """Begin the load at a time of the clock that all processes of a machine share. Raises `GeneratorDied`."""
        try:
            for pipe in self._pipes:
                pipe.send(at)
        except OSError:
            raise GeneratorDied("it ended") from None

    def stop(self) -> None:
        """Ask all of them to end now, and to report their counts."""
        for pipe in self._pipes:
            try:
                pipe.send_bytes(b"stop")
            except (OSError, ValueError):
                continue

    async def listen(self, tell: Callable[[Progress], None]) -> list[Counted]:
        """Wait until all processes have ended, and report progress meanwhile. Return the counts of each. Raises
        `GeneratorDied`.
        """
        found = await asyncio.gather(
            *(asyncio.to_thread(self._listen, pipe, tell) for pipe in self._pipes),
            return_exceptions=True,
        )
        counted = [one for one in found if isinstance(one, Counted)]
        if not counted:
            raise GeneratorDied("none told anything")
        return counted

    def _listen(self, pipe: Pipe, tell: Callable[[Progress], None]) -> Counted:
        while True:
            try:
                if not pipe.poll(SILENT_SECONDS_MAX):
                    raise GeneratorDied("it is silent")
                told = msgspec.msgpack.decode(pipe.recv_bytes(), type=Told)
            except (EOFError, OSError):
                raise GeneratorDied("it ended") from None
            if isinstance(told, End):
                return told.counted
            tell(told)
