"""Fair queueing of places among networks.

Start-time fair queueing (Goyal, Vin, Cheng 1997), applied when a place is given.  The virtual time is the sequence of
numbers.  The first `OF_A_ROUND` places of a network get the next numbers.  Its further places are spaced: they get no
number of the sequence, and `OF_A_ROUND` of them are called in each later round of `SPACING` numbers.  So a network that
takes many places delays only itself.
"""

from collections import OrderedDict
from collections.abc import Sequence
from secrets import randbelow

from meterai.plumbing.networks import NETWORKS_MAX, WIDER
from meterai.waiting_room.crowds import OF_A_ROUND, SPACING

VERIFIED_NUMBERS_MAX = 100_000  # greatest number of taken numbers that are remembered


class Spacing:
    """State of the fair queueing of a waiting line in one process: the virtual time of each network."""

    def __init__(self) -> None:
        # The virtual time of each network.  Its places are spaced once this is more than `SPACING` ahead of the sequence.
        self._next: OrderedDict[str, int] = OrderedDict()

    def take(self, names: Sequence[str], number: int) -> int:
        """Return the number with which a new place of a visitor is called.

        `names` are the visitor's networks, narrow to wide.  `number` is the first number that nobody has; it is returned if no
        network has used up its share.  If a narrow network delays the place, the place does not count in the wider networks, so
        that it does not delay their other visitors.
        """
        for name, times in zip(names, WIDER, strict=False):
            step = SPACING // (OF_A_ROUND * times)
            base = max(self._next.get(name, number), number)
            self._next[name] = base + step
            self._next.move_to_end(name)
            if len(self._next) > NETWORKS_MAX:
                self._next.popitem(last=False)
            if (called_with := base + step - SPACING) > number:
                # A random number within the step, so that places of many networks are not called together.
                return called_with + randbelow(step)
        return number


class VerifiedNumbers:
    """Assigns numbers to spaced places whose holders have verified a mail address, for a waiting line in one process.

    The search for a free number begins at the number that was next in the line when the place was taken.
    """

    def __init__(self) -> None:
        self._next: OrderedDict[int, int] = OrderedDict()  # from a taken number to a later one

    def take(self, number: int) -> int:
        """Return the first free number that is not less than `number`, and mark it as taken."""
        passed = []
        while (later := self._next.get(number)) is not None:
            passed.append(number)
            number = later
        for one in (*passed, number):
            self._next[one] = number + 1
        while len(self._next) > VERIFIED_NUMBERS_MAX:
            self._next.popitem(last=False)
        return number
