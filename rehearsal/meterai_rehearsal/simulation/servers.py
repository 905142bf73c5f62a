"""Servers with priorities: an exact event-driven simulation of requests.

`servers` requests are served in parallel, none is interrupted, and the next request is the longest waiting one of the
highest priority. The next event is one of three: a request arrives (of somebody newly admitted, or one of `later`: a next
step, or a retry); a server is free for a waiting request; a request has waited too long and is refused. Two heaps hold the
times at which servers become free and the later arrivals, so that plain Python serves a million requests in about two
seconds.
"""

from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush, heapreplace
from itertools import chain, repeat
from math import inf

import numpy as np

from meterai.kit.priority import Priority
from meterai_rehearsal.simulation.durations import pauses, stream
from meterai_rehearsal.simulation.model import Retries, Step

# Request: time of arrival, step, number of refusals, time of first arrival.
Request = tuple[float, int, int, float]


class Served:
    """Records of requests that first came within `[since, until)`.

    waited      by step: seconds until a server began to serve the request
    answered    by step: seconds until the request was answered; infinite if the person gave up
    requests, refused, finished, gave_up, busy   counts of all: served requests, refusals, people whose
                last step was answered, people refused too often, seconds of all servers together
    ended       time of the last answer
    """

    def __init__(self, steps: int, since: float, until: float) -> None:
        self.since, self.until = since, until
        self.waited = [array("f") for _ in range(steps)]
        self.answered = [array("f") for _ in range(steps)]
        self.requests = 0
        self.refused = 0
        self.finished = 0
        self.gave_up = 0
        self.busy = 0.0
        self.ended = 0.0

    def add_given_up(self, request: Request) -> None:
        """Record a request whose person gives up."""
        _, step, _, first = request
        if self.since <= first < self.until:
            self.answered[step].append(inf)
        self.gave_up += 1

    def p99_of(self, steps: Sequence[Step]) -> dict[Priority, float]:
        """Return the p99 of the seconds until the answer, by priority. Priorities without requests are left out."""
        by_priority: dict[Priority, list[np.ndarray]] = {}
        for answered, step in zip(self.answered, steps, strict=True):
            by_priority.setdefault(step.priority, []).append(np.frombuffer(answered, np.float32))
        return {
            priority: float(np.quantile(together, 0.99, method="inverted_cdf"))
            for priority, parts in sorted(by_priority.items())
            if len(together := np.concatenate(parts))
        }


class Servers:
    """A number of servers, and the requests that wait for them. Call `serve` only once."""

    def __init__(
        self, servers: int, steps: Sequence[Step], retries: Retries, seed: np.random.SeedSequence
    ) -> None:
        # Each stream of numbers has its own generator: two rates of admission of one seed differ only by the rate, not
        # by chance.
        seeds = [np.random.default_rng(one) for one in seed.spawn(2 * len(steps) + 1)]
        self._free = [0.0] * servers
        self._priorities = [int(step.priority) for step in steps]
        self._services = [stream(step.service, seeds[2 * n]) for n, step in enumerate(steps)]
        self._pauses = [
            pauses(step.pause_seconds, seeds[2 * n + 1]) for n, step in enumerate(steps)
        ]
        self._until_again = pauses(retries.pause_seconds, seeds[-1])
        self._elsewhere = [step.elsewhere for step in steps]
        self._times = retries.times
        self._queues: list[deque[Request]] = [deque() for _ in Priority]
        self._patience = [retries.patience_seconds.get(one, inf) for one in Priority]
        self._later: list[Request] = []
        self._gone = inf  # before this time no waiting person runs out of patience

    def serve(self, admitted: Sequence[float], since: float = 0.0, until: float = inf) -> Served:
        """Serve all who are admitted at these times (ascending), each to the last step."""
        served = Served(len(self._priorities), since, until)
        free, later, queues, priorities = self._free, self._later, self._queues, self._priorities
        begin = self._beginning(served)
        coming: Iterator[float] = chain(admitted, repeat(inf))
        newcomer = next(coming)
        waiting = 0
        while True:
            came = later[0][0] if later and later[0][0] < newcomer else newcomer
            if waiting:
                soonest = free[0]
                if self._gone < came and self._gone < soonest:
                    waiting -= self._refuse_before(min(came, soonest), served)
                    continue
                if soonest <= came:
                    for queue in queues:
                        if queue:
                            begin(queue.popleft(), soonest)
                            break
                    waiting -= 1
                    continue
            elif came == inf:
                return served
            if came < newcomer:
                request = heappop(later)
            else:
                request, newcomer = (came, 0, 0, came), next(coming)
            if free[0] <= came:
                begin(request, came)
            else:
                waiting += 1
                self._wait(request, priorities[request[1]])

    def _beginning(self, served: Served) -> Callable[[Request, float], None]:
        """Return a function that lets a free server serve a request, and plans the next step of its person."""
        free, later, last = self._free, self._later, len(self._priorities) - 1
        # Called once for each request: local variables avoid look-ups.
        services, pauses, elsewhere = self._services, self._pauses, self._elsewhere
        waited, answered = served.waited, served.answered
        since, until = served.since, served.until

        def begin(request: Request, start: float) -> None:
            _, step, _, first = request
            took = next(services[step])
            end = start + took
            heapreplace(free, end)
            end += took * elsewhere[step]  # time of the answer; the server is free before
            if since <= first < until:
                waited[step].append(start - first)
                answered[step].append(end - first)
            if step < last:
                again = end + next(pauses[step + 1])
                heappush(later, (again, step + 1, 0, again))
            else:
                served.finished += 1
                if end > served.ended:
                    served.ended = end
            served.requests += 1
            served.busy += took

        return begin

    def _wait(self, request: Request, priority: int) -> None:
        self._queues[priority].append(request)
        # Nobody is refused before this time; the first request may have been served meanwhile.
        self._gone = min(self._gone, request[0] + self._patience[priority])

    def _refuse_before(self, moment: float, served: Served) -> int:
        """Refuse the waiting request whose patience ends first, if it ends before this moment."""
        found = [
            (queue[0][0] + patience, priority)
            for priority, (queue, patience) in enumerate(
                zip(self._queues, self._patience, strict=True)
            )
            if queue
        ]
        self._gone, priority = min(found, default=(inf, 0))
        if self._gone >= moment:
            return 0
        request = self._queues[priority].popleft()
        _, step, times, first = request
        served.refused += 1
        if times < self._times:
            again = self._gone + next(self._until_again)
            heappush(self._later, (again, step, times + 1, first))
        else:
            served.add_given_up(request)
        return 1
