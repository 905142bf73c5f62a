"""Pause before the next try: doubled each time, up to a longest pause.

The database has the same rule in `backoff_seconds` (plumbing/sql/functions/). One test compares the two, and another
finds code that computes a pause differently.
"""

# No first pause is so short that it needs more. An unbounded number of tries must not become an exponent: 2.0**1024
# raises.
_DOUBLINGS_MAX = 40


def pause(tries: int, *, longest: float, first: float = 1.0) -> float:
    """Return the seconds to wait after so many tries: `first` doubled with each, at most `longest`."""
    return min(first * 2.0 ** min(max(tries, 0), _DOUBLINGS_MAX), longest)
