"""Measuring several kinds of work in turns, so that what slows the machine slows all of them."""

import gc
import time
from collections.abc import Callable, Mapping

TURN_SECONDS = 0.03  # of processor time for each kind of work and round
CALLS_MAX = 200  # in one turn
WARMING = 8  # one call for so many of a turn comes before it and does not count

Work = Callable[[], object]


def in_turns(works: Mapping[str, Work], rounds: int) -> dict[str, list[float]]:
    """Processor seconds of one call of each, one figure for each of so many rounds.

    Garbage that another work left is collected before a turn; its own it collects in its own time.
    Collecting leaves the caches of the processor cold for a few calls, which do not count.
    """
    calls = {}
    for name, work in works.items():
        calls[name] = max(1, min(CALLS_MAX, round(TURN_SECONDS / max(_turn(work, 1), 1e-7))))
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(_turn(work, calls[name]))
    return found


def _turn(work: Work, calls: int) -> float:
    gc.collect()
    for _ in range(max(1, calls // WARMING)):
        work()
    begun = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - begun) / calls
