"""A fair queue: one queue for each client; the client with the lowest rank, given by a function, is served first."""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar


class Waiter(Protocol):
    """Work that waits to be served, such as a future."""

    def done(self) -> bool:
        """True if the work no longer waits: it was served, or its client has gone."""
        ...


Client = TypeVar("Client", bound=Hashable)
Work = TypeVar("Work", bound=Waiter)


class FairQueue(Generic[Client, Work]):
    """Waiters in one queue for each client.

    `next` serves the client of the lowest rank; among clients of the same rank, it serves the client that was served longest
    ago.  The waiters of one client are served in the order in which they came.  A waiter that is done is skipped.
    """

    def __init__(self, rank: Callable[[Client], Any]) -> None:
        self._rank = rank
        self._lines: dict[Client, deque[Work]] = {}  # the client served longest ago first
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, client: Client) -> bool:
        return client in self._lines

    def add(self, client: Client, waiter: Work) -> None:
        """Add a waiter at the end of the queue of its client."""
        self._lines.setdefault(client, deque()).append(waiter)
        self._count += 1

    def next(self) -> tuple[Client, Work] | None:
        """Remove the waiter to be served and return it with its client; None if nobody waits."""
        while self._lines:
            client = min(self._lines, key=self._rank)
            line = self._lines.pop(client)
            waiter = line.popleft()
            self._count -= 1
            if line:
                self._lines[client] = line  # behind the queues of the other clients
            if not waiter.done():
                return client, waiter
        return None

    def of(self, client: Client) -> int:
        """Return the number of waiters of a client."""
        return len(self._lines.get(client, ()))

    def most(self, by: Callable[[Client], Any], otherwise: Client) -> Client:
        """Return the waiting client with the greatest value of `by`; `otherwise` if nobody waits."""
        return max(self._lines, key=by, default=otherwise)

    def take_last(self, client: Client) -> Work | None:
        """Remove and return the newest waiter of a client that is not done; None if there is none."""
        while client in self._lines:
            waiter = self._lines[client].pop()
            self._gone(client)
            if not waiter.done():
                return waiter
        return None

    def leave(self, client: Client, waiter: Work) -> None:
        """Remove a waiter that no longer waits; it may have been skipped and removed before."""
        line = self._lines.get(client, ())
        if waiter in line:
            self._lines[client].remove(waiter)
            self._gone(client)

    def take_oldest(self, may: Callable[[Work], bool], most: int) -> list[Work]:
        """Remove and return up to `most` waiters: from each queue its first ones, as long as `may` is True for them."""
        taken: list[Work] = []
        for client in list(self._lines):
            while client in self._lines and len(taken) < most and may(self._lines[client][0]):
                waiter = self._lines[client].popleft()
                self._gone(client)
                if not waiter.done():
                    taken.append(waiter)
        return taken

    def _gone(self, client: Client) -> None:
        self._count -= 1
        if not self._lines[client]:
            del self._lines[client]
