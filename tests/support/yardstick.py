"""What work costs: counted in calls, which are as many on every machine; and how slow this machine is, so that a limit of
processor time, which finds only what does not end, judges our code and not the machine."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import FrameType

ROUNDS = 1_000_000
USUAL_SECONDS = 0.02  # of these rounds, on a quick machine, where the limits were set
TRIES = 3
# Processor time grows where others use the same core and its caches, at some moments and not at others.
BUSY = 5.0


@dataclass
class Spent:
    """Calls of functions and seconds of the processor, once the work is done."""

    calls: int = 0
    seconds: float = 0.0


@contextmanager
def spending() -> Iterator[Spent]:
    """Count what is done meanwhile in this thread; counting makes it twice as slow."""
    spent = Spent()

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        if event.endswith("call"):
            spent.calls += 1

    begin = time.process_time()
    sys.setprofile(count)
    try:
        yield spent
    finally:
        sys.setprofile(None)
        spent.seconds = time.process_time() - begin


def _rounds() -> float:
    begin = time.process_time()
    total = 0
    for n in range(ROUNDS):
        total += n
    return time.process_time() - begin


@cache
def slowness() -> float:
    """How many times longer than usual something may take on this machine, however busy it is."""
    return BUSY * max(1.0, min(_rounds() for _ in range(TRIES)) / USUAL_SECONDS)
