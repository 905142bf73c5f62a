"""Turns of networks: one network's places are called so far apart that its share is that of one network.

Start-time fair queueing (Goyal, Vin, Cheng 1997) at the moment a place is given.  The virtual time is the
sequence of numbers: the first `OF_A_ROUND` places of a network have the next number each, and it has as many in each
round of `SPACING` numbers behind; those take no number of the sequence.  A network that takes places without end makes the
line longer for itself alone.
"""

from collections import OrderedDict
from collections.abc import Sequence
from secrets import randbelow

from meterai.plumbing.networks import NETWORKS_MAX, WIDER
from meterai.waiting_room.crowds import OF_A_ROUND, SPACING

OWN_MAX = 100_000  # numbers of verified places that are known to be taken


class Spacing:
    """When the next place of each network is called.  Of one line in one process."""

    def __init__(self) -> None:
        # By network: the number before which it has no place of its own.  A wider one may be behind by `SPACING`.
        self._next: OrderedDict[str, int] = OrderedDict()

    def take(self, names: Sequence[str], number: int) -> int:
        """The number with which the next place of these networks, narrow to wide, is called; `number` is the
        first that nobody has, and is the answer where no network is ahead of its turn.

        A place that a narrow network holds back counts in no wider one: neighbours are not held back by it.
        """
        for name, times in zip(names, WIDER, strict=False):
            step = SPACING // (OF_A_ROUND * times)
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
