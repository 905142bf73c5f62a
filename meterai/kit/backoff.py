"""Pause between two tries: doubled after each try, up to a longest pause.

The database has the same rule in `backoff_seconds` (plumbing/sql/functions/). One test compares the two, and another
finds code that computes a pause differently.
"""

# Forty doublings exceed any longest pause, even from a very short first one. Without this bound, many tries would
# overflow: 2.0**1024 raises.
_DOUBLINGS_MAX = 40


def pause(tries: int, *, longest: float, first: float = 1.0) -> float:
    """Return the seconds to wait after `tries` failed tries: `first`, doubled with each further try, at most `longest`."""
    return min(first * 2.0 ** min(max(tries, 0), _DOUBLINGS_MAX), longest)
