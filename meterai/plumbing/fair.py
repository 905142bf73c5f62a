"""A fair queue: one line for each client, and the client with the least goes first."""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar


class Waiter(Protocol):
    """A work that waits, such as a future."""

    def done(self) -> bool:
        """True where it waits no more: it was served, or its client has gone."""
        ...


Client = TypeVar("Client", bound=Hashable)
Work = TypeVar("Work", bound=Waiter)


class FairQueue(Generic[Client, Work]):
    """Waiters in one line for each client.

    `next` serves the client of the lowest rank; of those with the same rank the one that was served longest
    ago; the waiters of one client in order.  A waiter that is done is passed over.
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
        """Let a waiter stand behind the others of its client."""
        self._lines.setdefault(client, deque()).append(waiter)
        self._count += 1

    def next(self) -> tuple[Client, Work] | None:
        """Take the waiter to be served, and name its client."""
        while self._lines:
            client = min(self._lines, key=self._rank)
            line = self._lines.pop(client)
            waiter = line.popleft()
            self._count -= 1
            if line:
                self._lines[client] = line  # behind the others
            if not waiter.done():
                return client, waiter
        return None

    def of(self, client: Client) -> int:
        """How many waiters a client has."""
        return len(self._lines.get(client, ()))

    def most(self, by: Callable[[Client], Any], otherwise: Client) -> Client:
        """The waiting client that has the most; `otherwise` where nobody waits."""
        return max(self._lines, key=by, default=otherwise)

    def take_last(self, client: Client) -> Work | None:
        """Take the waiter of a client that came last and is not done."""
        while client in self._lines:
            waiter = self._lines[client].pop()
            self._gone(client)
            if not waiter.done():
                return waiter
        return None

    def leave(self, client: Client, waiter: Work) -> None:
        """Forget a waiter that waits no more; one that was passed over already is not there."""
        line = self._lines.get(client, ())
        if waiter in line:
            self._lines[client].remove(waiter)
            self._gone(client)

    def take_oldest(self, may: Callable[[Work], bool], most: int) -> list[Work]:
        """Take waiters from the heads of all lines while these `may` go, up to so many."""
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
