"""Queue of the waiting requests of one priority: served by least recent use of their users, then first come, first served."""

import asyncio
from dataclasses import dataclass

from meterai.kit.priority import Priority
from meterai.plumbing.fair import FairQueue

# Limit for one priority in one process; 5 KB each. It is large enough that a client which retries immediately gets one
# request served within `wait_seconds`, instead of being refused all day.
WAITING_MAX = 4096


@dataclass(slots=True, eq=False)
class WaitingRequest:
    """One waiting request. `permit` resolves to True if the request may begin, and to False if it is refused."""

    permit: asyncio.Future[bool]
    priority: Priority
    until: float  # monotonic seconds
    level: int

    @property
    def is_waiting(self) -> bool:
        return not self.permit.done()

    def done(self) -> bool:
        """True if the request got its permit or was refused, or its client has gone."""
        return self.permit.done()


class WaitingRequests(FairQueue[int, WaitingRequest]):
    """Bounded queue of waiting requests; the users with the least recent use are served first."""

    def __init__(self) -> None:
        super().__init__(rank=int)

    @property
    def is_full(self) -> bool:
        """True if the queue would refuse even a request of a user without recent use."""
        return len(self) >= WAITING_MAX and self.of(0) == len(self)

    def enter(self, request: WaitingRequest) -> bool:
        """Add a request. If the queue is full, the newest request of the users with the most recent use is refused in
        its place; if no waiting user has more use than this one, nothing is added, and the answer is False.
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
        """Refuse up to `most` requests whose waiting time is over; return how many were refused.

        Only the head of the queue of each level is checked, since its oldest requests are there.
        """
        late = self.take_oldest(lambda request: request.until <= now, most)
        for request in late:
            request.permit.set_result(False)
        return len(late)
