"""Time at which everything was normal again after a fault, as it was just before the fault. Each second is judged by the
latencies of the steps that ended in it, relative to the latencies of the same steps before the fault. A step is only
compared with itself, so that another mix of steps does not count as slowness.
"""

from collections.abc import Iterator, Mapping, Sequence

BEFORE_SECONDS = 15  # seconds before the fault that define the normal state
NORMAL_FACTOR = 2.0
# A short step may take this much longer, whatever the factor.
NORMAL_EXTRA_SECONDS = 0.25
STAYS_SECONDS = 3  # for so long everything must stay normal

Seconds = Mapping[str, Sequence[float]]
TOOK, ENDED, FAILED = "took/", "ended/", "failed"


def _within(figures: Sequence[float], begin: int, end: int) -> float:
    return sum(figures[max(begin, 0) : end])


def usual(seconds: Seconds, at: float) -> dict[str, float]:
    """Return the mean duration of each step in the seconds before a time."""
    begin, end = int(at) - BEFORE_SECONDS, int(at)
    found = {}
    for name in seconds:
        if name.startswith(TOOK):
            step = name.removeprefix(TOOK)
            ended = _within(seconds[ENDED + step], begin, end)
            if ended:
                found[step] = _within(seconds[name], begin, end) / ended
    return found


def _is_normal(seconds: Seconds, normal: Mapping[str, float], second: int) -> bool | None:
    """True if a second was normal; None if no comparable step ended in it."""
    if _within(seconds.get(FAILED, ()), second, second + 1):
        return False
    took = expected = ended = 0.0
    for step, each in normal.items():
        number = _within(seconds[ENDED + step], second, second + 1)
        took += _within(seconds[TOOK + step], second, second + 1)
        expected += number * each
        ended += number
    if not ended:
        return None
    return took <= max(NORMAL_FACTOR * expected, expected + NORMAL_EXTRA_SECONDS * ended)


def _judged(
    seconds: Seconds, normal: Mapping[str, float], begin: int, end: int
) -> Iterator[tuple[int, bool]]:
    for second in range(begin, end):
        is_normal = _is_normal(seconds, normal, second)
        if is_normal is not None:
            yield second, is_normal


def recovered_at(seconds: Seconds, at: float, healed_at: float, end: float) -> float | None:
    """Return the time since which everything was normal again after a fault: all of the next `STAYS_SECONDS`
    seconds in which steps ended were normal.

    None if that never happened, or if no steps before the fault define the normal state.
    """
    normal = usual(seconds, at)
    since, in_a_row = healed_at, 0
    for second, is_normal in _judged(seconds, normal, int(at), int(end)):
        if not is_normal:
            since, in_a_row = max(float(second + 1), healed_at), 0
        elif second >= int(healed_at):
            in_a_row += 1
            if in_a_row == STAYS_SECONDS:
                return since
    return None
