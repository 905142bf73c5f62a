"""Alternating measurement of several kinds of work, so that a slow phase of the machine affects all of them."""

import gc
import time
from collections.abc import Callable, Mapping

TURN_SECONDS = 0.03  # of processor time for each kind of work and round
CALLS_MAX = 200  # in one round
WARMING = 8  # one warm-up call for so many of a round

Work = Callable[[], object]


def in_turns(works: Mapping[str, Work], rounds: int) -> dict[str, list[float]]:
    """Return the processor seconds of one call of each kind of work, one figure for each round. Garbage of
    other work is collected before a measurement, so that only garbage of the measured work is collected within
    its time. After a collection the processor caches are cold, so the first few calls do not count.
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
