"""Fair queueing of places among networks.

Start-time fair queueing (Goyal, Vin, Cheng 1997), applied when a place is given.  The virtual time is the sequence of
numbers.  The first `OF_A_ROUND` places of a network have the next number each.  Further ones are spaced: as many in each
later round of `SPACING` numbers, outside the sequence.  So a network that takes many places delays only itself.
"""

from collections import OrderedDict
from collections.abc import Sequence
from secrets import randbelow

from meterai.plumbing.networks import NETWORKS_MAX, WIDER
from meterai.waiting_room.crowds import OF_A_ROUND, SPACING

VERIFIED_NUMBERS_MAX = 100_000  # taken numbers that are remembered


class Spacing:
    """Next call of each network.  Belongs to one line in one process."""

    def __init__(self) -> None:
        # By network: the number before which it gets no place in the sequence.  A wider network may be behind by `SPACING`.
        self._next: OrderedDict[str, int] = OrderedDict()

    def take(self, names: Sequence[str], number: int) -> int:
        """Return the number with which the next place of these networks, narrow to wide, is called.

        `number` is the first that nobody has; it is the answer where no network has had its share.  A place that a narrow
        network delays does not count in a wider one, so that neighbours are not delayed by it.
        """
        for name, times in zip(names, WIDER, strict=False):
            step = SPACING // (OF_A_ROUND * times)
            base = max(self._next.get(name, number), number)
            self._next[name] = base + step
            self._next.move_to_end(name)
            if len(self._next) > NETWORKS_MAX:
                self._next.popitem(last=False)
            if (called_with := base + step - SPACING) > number:
                # At random within its round, so that the first places of all rounds are not called together.
                return called_with + randbelow(step)
        return number


class VerifiedNumbers:
    """Numbers for spaced places whose holders have verified an address: the first free one from the number that was
    next when the place was taken.  Belongs to one line in one process; each number has one such place.
    """

    def __init__(self) -> None:
        self._next: OrderedDict[int, int] = OrderedDict()  # from a taken number to a later one

    def take(self, number: int) -> int:
        """Return the first free number from this one on, and mark it as taken."""
        passed = []
        while (later := self._next.get(number)) is not None:
            passed.append(number)
            number = later
        for one in (*passed, number):
            self._next[one] = number + 1
        while len(self._next) > VERIFIED_NUMBERS_MAX:
            self._next.popitem(last=False)
        return number
