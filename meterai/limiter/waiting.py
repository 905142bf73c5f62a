"""Those who wait for a turn, of one priority: who had little lately first, then who came first."""

import asyncio
from collections import deque
from dataclasses import dataclass

from meterai.kit.priority import Priority
from meterai.limiter.usage import LEVELS

# Of one priority in one process: some 5 KB each.  So many that whoever asks again as soon as it is
# refused is kept to one request in `wait_seconds`, instead of having the process refuse all day.
WAITING_MAX = 4096


@dataclass(slots=True, eq=False)
class Place:
    """One request that waits.  `turn` ends true where it may begin, false where it is refused."""

    turn: asyncio.Future[bool]
    priority: Priority
    until: float  # monotonic seconds
    level: int

    @property
    def is_waiting(self) -> bool:
        return not self.turn.done()


class Waiting:
    """A bounded line in levels of recent use."""

    def __init__(self) -> None:
        self._levels: tuple[deque[Place], ...] = tuple(deque() for _ in range(LEVELS))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """True where even somebody who is new finds no place."""
        return self._count >= WAITING_MAX and not any(self._levels[1:])

    def add(self, place: Place) -> bool:
        """Let it wait; false where the line is full of such as had no more than this one.

        Where somebody waits who had more, the last of those goes instead.
        """
        if self._count >= WAITING_MAX and not self._make_room(place.level):
            return False
        self._levels[place.level].append(place)
        self._count += 1
        return True

    def _make_room(self, level: int) -> bool:
        for heavier in range(LEVELS - 1, level, -1):
            if (last := self._taken(self._levels[heavier], last=True)) is not None:
                last.turn.set_result(False)
                return True
        return False

    def next(self) -> Place | None:
        """Take the one whose turn it is."""
        for line in self._levels:
            if (place := self._taken(line)) is not None:
                return place
        return None

    def _taken(self, line: deque[Place], *, last: bool = False) -> Place | None:
        while line:
            place = line.pop() if last else line.popleft()
            self._count -= 1
            if place.is_waiting:  # else its client went in this very moment
                return place
        return None

    def remove(self, place: Place) -> None:
        """One of those who wait has gone by itself."""
        line = self._levels[place.level]
        if place in line:
            line.remove(place)
            self._count -= 1

    def refuse_late(self, now: float, most: int) -> int:
        """Refuse those who waited as long as they may, up to so many; how many it were.

        The oldest stand at the head of each level.
        """
        refused = 0
        for line in self._levels:
            while line and line[0].until <= now and refused < most:
                place = line.popleft()
                self._count -= 1
                if place.is_waiting:
                    place.turn.set_result(False)
                    refused += 1
        return refused
