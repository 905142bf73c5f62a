"""How slow this machine is, so that a limit of processor time judges our code and not the machine."""

import time
from functools import cache

ROUNDS = 1_000_000
USUAL_SECONDS = 0.02  # of these rounds, on a quick machine, where the limits were set
TRIES = 3


def _rounds() -> float:
    begin = time.process_time()
    total = 0
    for n in range(ROUNDS):
        total += n
    return time.process_time() - begin


@cache
def slowness() -> float:
    """How many times longer this machine takes than usual; 1 where it is as fast or faster."""
    return max(1.0, min(_rounds() for _ in range(TRIES)) / USUAL_SECONDS)
