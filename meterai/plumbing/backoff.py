"""How long to wait before the next try: twice as long each time, up to a longest pause."""

# 2^40 seconds are longer than any pause; a number of tries without a bound is never an exponent.
_DOUBLINGS_MAX = 40


def pause(tries: int, *, longest: float, first: float = 1.0) -> float:
    """Seconds to wait after so many tries: `first` doubled with each, and at most `longest`."""
    return min(first * 2.0 ** min(max(tries, 0), _DOUBLINGS_MAX), longest)
