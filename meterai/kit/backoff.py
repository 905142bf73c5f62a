"""How long to wait before something is tried again.

The same rule is `backoff_seconds` in the database (migrations/0012_payments.sql); a test compares
the two.
"""

DOUBLINGS_MAX = 40  # no first pause is short enough to need more before any longest one


def backoff_seconds(first_seconds: float, tries: int, longest_seconds: float) -> float:
    """The first pause, twice that, ... up to the longest; for any number of tries.

    The exponent is bounded by itself: 2.0**1024 raises, and a counter of tries has no end.
    """
    return min(first_seconds * 2.0 ** min(max(tries, 0), DOUBLINGS_MAX), longest_seconds)
