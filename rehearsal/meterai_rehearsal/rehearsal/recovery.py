"""When everything was normal again after a fault: as it was just before it.

By the second, from the latencies of the steps that ended in it: how many times as long they took as the same
steps took before the fault.  Only steps are compared with themselves, so that another mix is no slowness.
"""

from collections.abc import Iterator, Mapping, Sequence

BEFORE_SECONDS = 15  # what is normal is learnt from so many seconds before the fault
NORMAL_FACTOR = 2.0
# A step that took a moment may take a moment more, whatever the factor.
NORMAL_EXTRA_SECONDS = 0.25
STAYS_SECONDS = 3  # so long it must stay normal

Seconds = Mapping[str, Sequence[float]]
TOOK, ENDED, FAILED = "took/", "ended/", "failed"


def _within(figures: Sequence[float], begin: int, end: int) -> float:
    return sum(figures[max(begin, 0) : end])


def usual(seconds: Seconds, at: float) -> dict[str, float]:
    """What each step took on average in the seconds before a time."""
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
    """Whether a second was as usual; None where nothing ended in it that can be compared."""
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
    """The time from which on everything was normal, for `STAYS_SECONDS` in which something ended.

    None where it never was, or where nothing before the fault says what is normal.
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
