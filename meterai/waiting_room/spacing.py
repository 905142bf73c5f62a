"""Turns of networks: one network's places are called so far apart that its share is that of one network.  Pure.

Start-time fair queueing (Goyal, Vin, Cheng 1997) at the moment a place is given.  The virtual time is the
sequence of numbers: the first place of a network has the next number, each other one is called `SPACING` numbers
after the one before, and takes no number of the sequence.  A network that takes places without end makes the
line longer for itself alone.
"""

from collections import OrderedDict
from collections.abc import Sequence
from secrets import randbelow
from typing import NamedTuple

from meterai.plumbing.networks import NETWORKS_MAX, WIDER

# Numbers from one place of a network to its next.  Of an installation with fewer networks in line each has one
# place in a round of so many numbers, so their shares are equal; numbers that nobody has cost no call.
SPACING = 100_000
CROWD_NUMBERS = 10_000  # spaced places are counted by so many numbers
CROWDS_TOLD_MAX = 16  # in the document of a line: a page stays small
SERIAL_FIRST = 1 << 40  # of spaced places; no number of the sequence comes so far
OWN_MAX = 100_000  # numbers of verified places that are known to be taken


class Crowd(NamedTuple):
    """Spaced places that are called with the numbers from the first to the last, evenly among them."""

    first: int
    last: int
    places: int

    def between(self, after: int, to: int) -> float:
        """The places among them that are called after the one number and with the other at the latest."""
        numbers = min(self.last, to) - max(self.first - 1, after)
        return self.places * max(numbers, 0) / (self.last - self.first + 1)


class Spacing:
    """When the next place of each network is called.  Of one line in one process."""

    def __init__(self) -> None:
        # By network: the number before which it has no place of its own.  A wider one may be behind by `SPACING`.
        self._next: OrderedDict[str, int] = OrderedDict()

    def take(self, names: Sequence[str], number: int) -> int:
        """The number with which the next place of these networks, narrow to wide, is called; `number` is the
        first that nobody has, and is the answer where no network is ahead of its turn.

        What a narrow network is held back by counts in no wider one: its neighbours are not held back by it.
        """
        for name, times in zip(names, WIDER, strict=False):
            step = SPACING // times
            base = max(self._next.get(name, number), number)
            self._next[name] = base + step
            self._next.move_to_end(name)
            if len(self._next) > NETWORKS_MAX:
                self._next.popitem(last=False)
            if (called_with := base + step - SPACING) > number:
                # Anywhere in its round, so that those who come first in all rounds are not called together.
                return called_with + randbelow(step)
        return number


class Own:
    """Numbers for spaced places whose holders have verified their mail: the first free one from the number
    that was next when the place was taken.  Of one line in one process: one such place for each number.
    """

    def __init__(self) -> None:
        self._next: OrderedDict[int, int] = (
            OrderedDict()
        )  # from a number that is taken to a later one

    def take(self, number: int) -> int:
        """The first free number from this one on."""
        passed = []
        while (later := self._next.get(number)) is not None:
            passed.append(number)
            number = later
        for one in (*passed, number):
            self._next[one] = number + 1
        while len(self._next) > OWN_MAX:
            self._next.popitem(last=False)
        return number


def told_crowds(crowds: Sequence[Crowd]) -> list[Crowd]:
    """The same places in few crowds: neighbours together."""
    each = -(-len(crowds) // CROWDS_TOLD_MAX) or 1
    parts = [crowds[at : at + each] for at in range(0, len(crowds), each)]
    return [Crowd(part[0].first, part[-1].last, sum(one.places for one in part)) for part in parts]


def places_to(number: int, serving: int, last: int, crowds: Sequence[Crowd]) -> int:
    """The places that are called until this number is; `last` is the last number that somebody has."""
    among = sum(one.between(serving, number) for one in crowds)
    # A network has a place each `SPACING` numbers beyond the last: also where those are not counted yet.
    of_network = (number - max(last, serving)) // SPACING + 1 if number > last else 0
    return max(min(number, last) - serving, 0) + max(round(among), of_network)
