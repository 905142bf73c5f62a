"""How long to wait before the next try: twice as long each time, up to a longest pause.

The same rule is `backoff_seconds` in the database (plumbing/sql/functions/); a test compares
the two, and another finds whoever computes a pause in another way.
"""

# No first pause is so short that more are needed; a number of tries without a bound is never an
# exponent: 2.0**1024 raises.
_DOUBLINGS_MAX = 40


def pause(tries: int, *, longest: float, first: float = 1.0) -> float:
    """Seconds to wait after so many tries: `first` doubled with each, and at most `longest`."""
    return min(first * 2.0 ** min(max(tries, 0), _DOUBLINGS_MAX), longest)
