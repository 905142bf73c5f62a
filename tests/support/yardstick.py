"""The cost of work, in function calls and in processor time.

The number of calls is the same on every machine. `slowness` measures this machine, so that a limit of processor
time, which only finds endless work, judges the code and not the machine.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import FrameType

ROUNDS = 1_000_000
USUAL_SECONDS = 0.02  # seconds for `ROUNDS` on the fast machine on which the limits were set
TRIES = 3
# Processor time grows at times, since other programs share the core and its caches.
BUSY = 5.0


@dataclass
class Spent:
    """Function calls and processor seconds, set when the work is done."""

    calls: int = 0
    seconds: float = 0.0


@contextmanager
def spending() -> Iterator[Spent]:
    """Count the calls in this thread within the block. Counting makes the work twice as slow."""
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
    """The factor by which work may take longer than usual on this machine, however busy it is."""
    return BUSY * max(1.0, min(_rounds() for _ in range(TRIES)) / USUAL_SECONDS)
