"""One generator process: it begins each arrival at its intended time, regardless of earlier arrivals. This is an open
model: no visitor waits for the answer to another. The process counts arrivals that it cannot begin as dropped, measures the
delay with which it begins the others, and ends automatically.
"""

import asyncio
import itertools
import random  # noqa: TID251 - seeded below
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from time import monotonic

from meterai_rehearsal.rehearsal.arrivals import Arrival
from meterai_rehearsal.rehearsal.documents import document
from meterai_rehearsal.rehearsal.journeys import JOURNEYS, Journey
from meterai_rehearsal.rehearsal.plan import JourneyName
from meterai_rehearsal.rehearsal.tally import Tally
from meterai_rehearsal.rehearsal.visitor import StepFailed, Visitor, World

TICK_SECONDS = 1.0  # between two reports of progress
STILL_UNDER_WAY = "still_under_way"  # reason of a journey cut off by the end of the run


def maker_of(size: int) -> Callable[[random.Random], bytes]:
    """Return a function that makes unique originals of a size in bytes."""
    return partial(document, size=size)


class Generator:
    """Runs a share of the arrivals of a plan. Use `run` once."""

    def __init__(
        self,
        world: World,
        arrivals: Iterable[Arrival],
        *,
        open_max: int,
        seconds_max: float,
        tell: Callable[[Tally], None] = lambda _: None,
        journeys: Callable[[JourneyName], Journey] = JOURNEYS.__getitem__,
    ) -> None:
        self._world = world
        self._tally = world.tally
        self._arrivals = arrivals
        self._open_max = open_max
        self._seconds_max = seconds_max
        self._tell = tell
        self._journeys = journeys
        self._visits: set[asyncio.Task[None]] = set()
        self._have_all_come = False
        self._is_over = asyncio.Event()

    def stop(self) -> None:
        """End early: no further visitor is begun, and journeys under way are cut off."""
        self._is_over.set()

    async def run(self) -> None:
        """Run until the last visitor has left, the time is over, or `stop` was called."""
        begun = asyncio.ensure_future(self._begin_all())
        ticking = asyncio.ensure_future(self._tick())
        left = self._world.begins + self._seconds_max - monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(left, 0.0)):
                await self._is_over.wait()
        for one in (begun, ticking, *self._visits):
            one.cancel()
        await asyncio.gather(begun, ticking, *self._visits, return_exceptions=True)
        await asyncio.sleep(0)  # lets the event loop close connections
        self._tally.last_at = max(self._world.now(), 0.0)
        self._tell(self._tally)

    async def _begin_all(self) -> None:
        for arrival in self._arrivals:
            early = arrival.at - self._world.now()
            if early > 0:
                await asyncio.sleep(early)
            self._begin(arrival)
        self._have_all_come = True
        self._end_without_visits()

    def _begin(self, arrival: Arrival) -> None:
        self._tally.count("offered", arrival.at)
        if len(self._visits) >= self._open_max:
            self._tally.count("dropped", arrival.at)
            return
        self._tally.count("sent", arrival.at)
        self._tally.lateness.record(self._world.now() - arrival.at)
        visit = asyncio.ensure_future(self._visit(arrival))
        self._visits.add(visit)
        visit.add_done_callback(self._leave)

    def _leave(self, visit: "asyncio.Task[None]") -> None:
        self._visits.discard(visit)
        self._end_without_visits()

    def _end_without_visits(self) -> None:
        if self._have_all_come and not self._visits:
            self._is_over.set()

    async def _visit(self, arrival: Arrival) -> None:
        tally = self._tally.journey(arrival.journey.value)
        tally.started += 1
        self._tally.under_way += 1
        drawing = random.Random(arrival.seed)  # noqa: S311 - to be done again, nothing secret
        visitor = Visitor(self._world, tally, arrival.device, drawing, arrival.at, arrival.network)
        try:
            await self._journeys(arrival.journey)(visitor)
        except StepFailed as failed:
            tally.failed[failed.reason] += 1
        except asyncio.CancelledError:
            tally.failed[STILL_UNDER_WAY] += 1
            raise
        else:
            now = self._world.now()
            tally.finished += 1
            tally.latency.record(now - arrival.at)
            tally.working.record(now - arrival.at - visitor.thought)
            self._tally.count(f"finished/{arrival.journey.value}", now)
        finally:
            self._tally.under_way -= 1
            visitor.leave()

    async def _tick(self) -> None:
        for second in itertools.count():
            # A timer may fire slightly early.
            while (left := second * TICK_SECONDS - self._world.now()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(left)
            self._tally.count("under_way", second, self._tally.under_way)
            self._tally.last_at = self._world.now()
            self._tell(self._tally)
