"""Recent use of the process by each user, so that the next permit goes to the user with the least recent use."""

from collections import OrderedDict
from math import exp2, log2

HALF_LIFE_SECONDS = 30.0
USERS_MAX = 20_000  # some megabytes; the user inactive for longest is dropped first
LEVELS = 8  # each stands for twice the use of the level before; within a level the first to come is served first
UNIT_SECONDS = 0.05  # use of the first level: one or two pages


class WorkUsage:
    """Seconds of work done for each user, halved every `HALF_LIFE_SECONDS`."""

    def __init__(self) -> None:
        self._users: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def level(self, user: bytes, now: float) -> int:
        """Return the level of a user's recent use: 0 for the least use, `LEVELS - 1` for the most."""
        seconds = self._seconds(user, now)
        return (
            0 if seconds < UNIT_SECONDS else min(LEVELS - 1, 1 + int(log2(seconds / UNIT_SECONDS)))
        )

    def add(self, user: bytes, seconds: float, now: float) -> None:
        """Add seconds of work to the use of a user."""
        self._users[user] = (self._seconds(user, now) + seconds, now)
        self._users.move_to_end(user)
        if len(self._users) > USERS_MAX:
            self._users.popitem(last=False)

    def _seconds(self, user: bytes, now: float) -> float:
        had, at = self._users.get(user, (0.0, now))
        return had * exp2((at - now) / HALF_LIFE_SECONDS)
