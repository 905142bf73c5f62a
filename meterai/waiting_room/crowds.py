"""Spaced places (`spacing.py`) by the numbers with which they are called.  Pure."""

from collections.abc import Sequence
from typing import NamedTuple

# Numbers of a round, in which each network has `OF_A_ROUND` places.  Of an installation with fewer networks in line
# their shares are equal; numbers that nobody has cost no call.
SPACING = 100_000
OF_A_ROUND = 2  # who loads a page again whose first answer was lost has taken two
CROWD_NUMBERS = 10_000  # spaced places are counted by so many numbers
CROWDS_TOLD_MAX = 16  # in the document of a line: a page stays small
SERIAL_FIRST = 1 << 40  # of spaced places; no number of the sequence comes so far
EARLY_FIRST = (
    1 << 62
)  # of early turns, by chance between it and the largest bigint; no serial comes so far


class Crowd(NamedTuple):
    """Spaced places that are called with the numbers from the first to the last, evenly among them."""

    first: int
    last: int
    places: int

    def between(self, after: int, to: int) -> float:
        """The places among them that are called after the one number and with the other at the latest."""
        numbers = min(self.last, to) - max(self.first - 1, after)
        return self.places * max(numbers, 0) / (self.last - self.first + 1)


def told_crowds(crowds: Sequence[Crowd]) -> list[Crowd]:
    """The same places in few crowds: neighbours together."""
    each = -(-len(crowds) // CROWDS_TOLD_MAX) or 1
    parts = [crowds[at : at + each] for at in range(0, len(crowds), each)]
    return [Crowd(part[0].first, part[-1].last, sum(one.places for one in part)) for part in parts]


def places_to(number: int, serving: int, last: int, crowds: Sequence[Crowd]) -> int:
    """The places that are called until this number is; `last` is the last number that somebody has."""
    among = sum(one.between(serving, number) for one in crowds)
    # A network has places in each round beyond the last number: also where those are not counted yet.
    of_network = (
        (number - max(last, serving)) // (SPACING // OF_A_ROUND) + 1 if number > last else 0
    )
    return max(min(number, last) - serving, 0) + max(round(among), of_network)
