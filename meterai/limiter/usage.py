"""Recent use of the process by user, so that the next permit goes to the least active one."""

from collections import OrderedDict
from math import exp2, log2

HALF_LIFE_SECONDS = 30.0
USERS_MAX = 20_000  # the longest inactive one is dropped first; some megabytes
LEVELS = 8  # each is twice the use of the one before; within a level, first come, first served
UNIT_SECONDS = 0.05  # use of the first level: a page or two


class WorkUsage:
    """Seconds of work by user, halved every `HALF_LIFE_SECONDS`."""

    def __init__(self) -> None:
        self._users: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def level(self, user: bytes, now: float) -> int:
        """Return 0 for a user with little recent use, up to `LEVELS - 1`."""
        seconds = self._seconds(user, now)
        return (
            0 if seconds < UNIT_SECONDS else min(LEVELS - 1, 1 + int(log2(seconds / UNIT_SECONDS)))
        )

    def add(self, user: bytes, seconds: float, now: float) -> None:
        """Add work to a user."""
        self._users[user] = (self._seconds(user, now) + seconds, now)
        self._users.move_to_end(user)
        if len(self._users) > USERS_MAX:
            self._users.popitem(last=False)

    def _seconds(self, user: bytes, now: float) -> float:
        had, at = self._users.get(user, (0.0, now))
        return had * exp2((at - now) / HALF_LIFE_SECONDS)
