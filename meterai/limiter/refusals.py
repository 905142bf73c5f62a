"""Recent refusals of visitors who order, pay or have paid: counted by users, not by requests.

One user who retries endlessly is refused endlessly, which says nothing about others. So each user counts once, however
often it asked, and fewer than `APART_MIN` users count as zero.
"""

from collections import OrderedDict
from time import monotonic

APART_MIN = 5  # users, as named by `Users.apart`; an overloaded process refuses dozens of them
LATELY_SECONDS = 5.0
KNOWN_MAX = 1_000  # users; the one refused longest ago is dropped first


class Refusals:
    """Accounts and networks that one process refused lately."""

    def __init__(self) -> None:
        self._last: OrderedDict[bytes, float] = OrderedDict()  # time of the last refusal, by user
        self._asked_at = 0.0

    def add(self, user: bytes) -> None:
        """Count a refused user."""
        self._last[user] = monotonic()
        self._last.move_to_end(user)
        if len(self._last) > KNOWN_MAX:
            self._last.popitem(last=False)

    def since_asked(self) -> int:
        """Return the number of users refused since the last call; 0 if fewer than `APART_MIN` were refused lately."""
        now = monotonic()
        while self._last and next(iter(self._last.values())) < now - LATELY_SECONDS:
            self._last.popitem(last=False)
        before, self._asked_at = self._asked_at, now
        if len(self._last) < APART_MIN:
            return 0
        return sum(at > before for at in self._last.values())
