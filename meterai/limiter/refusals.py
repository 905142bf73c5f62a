"""Those near to money who found no room lately: how many that are apart, not how many requests.

One who asks without end is refused without end, and shows nothing about the others.  So nothing is told
while fewer than `APART_MIN` were refused; and each counts once, however often it asked.
"""

from collections import OrderedDict
from time import monotonic

APART_MIN = (
    5  # accounts, or networks as wide as one stranger may have; an overrun process refuses dozens
)
LATELY_SECONDS = 5.0
KNOWN_MAX = 1_000  # the one refused longest ago is forgotten first


class Refusals:
    """Accounts and networks that were refused lately, in one process."""

    def __init__(self) -> None:
        self._last: OrderedDict[bytes, float] = OrderedDict()  # when each was refused
        self._asked_at = 0.0

    def add(self, user: bytes) -> None:
        """One was told to come again."""
        self._last[user] = monotonic()
        self._last.move_to_end(user)
        if len(self._last) > KNOWN_MAX:
            self._last.popitem(last=False)

    def since_asked(self) -> int:
        """The number refused since this was asked last; 0 while few were lately."""
        now = monotonic()
        while self._last and next(iter(self._last.values())) < now - LATELY_SECONDS:
            self._last.popitem(last=False)
        before, self._asked_at = self._asked_at, now
        if len(self._last) < APART_MIN:
            return 0
        return sum(at > before for at in self._last.values())
