"""Those who wait for a permit, of one priority: who had little lately first, then who came first."""

import asyncio
from dataclasses import dataclass

from meterai.kit.priority import Priority
from meterai.plumbing.fair import FairQueue

# Of one priority in one process: some 5 KB each.  So many that whoever asks again as soon as it is
# refused is kept to one request in `wait_seconds`, instead of having the process refuse all day.
WAITING_MAX = 4096


@dataclass(slots=True, eq=False)
class WaitingRequest:
    """One request that waits.  `permit` ends true where it may begin, false where it is refused."""

    permit: asyncio.Future[bool]
    priority: Priority
    until: float  # monotonic seconds
    level: int

    @property
    def is_waiting(self) -> bool:
        return not self.permit.done()

    def done(self) -> bool:
        """True where it was answered, or its client has gone."""
        return self.permit.done()


class WaitingRequests(FairQueue[int, WaitingRequest]):
    """A bounded line in levels of recent use, the lowest first."""

    def __init__(self) -> None:
        super().__init__(rank=int)

    @property
    def is_full(self) -> bool:
        """True where even somebody who is new finds no slot."""
        return len(self) >= WAITING_MAX and self.of(0) == len(self)

    def enter(self, request: WaitingRequest) -> bool:
        """Let it wait; false where the line is full of such as had no more than this one.

        Where somebody waits who had more, the last of those goes instead.
        """
        if len(self) >= WAITING_MAX:
            heaviest = self.most(int, request.level)
            last = self.take_last(heaviest) if heaviest > request.level else None
            if last is None:
                return False
            last.permit.set_result(False)
        self.add(request.level, request)
        return True

    def refuse_late(self, now: float, most: int) -> int:
        """Refuse those who waited as long as they may, up to so many; how many it were.

        The oldest stand at the head of each level.
        """
        late = self.take_oldest(lambda request: request.until <= now, most)
        for request in late:
            request.permit.set_result(False)
        return len(late)
