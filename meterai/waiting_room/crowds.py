"""Spaced places, grouped by the numbers with which they are called.  No input or output.

A spaced place is a further place of a network that has taken several lately; it is called later (`spacing.py`).
"""

from collections.abc import Sequence
from typing import NamedTuple

# Numbers in a round; in each round a network has `OF_A_ROUND` places.  With fewer networks in line the shares are still
# equal, and calling passes over numbers that nobody has.
SPACING = 100_000
OF_A_ROUND = 2  # two, since a reload after a lost answer takes a second place
CROWD_NUMBERS = 10_000  # width of the ranges in which spaced places are counted
CROWDS_TOLD_MAX = 16  # crowds in the document of a line, which must stay small
SERIAL_FIRST = 1 << 40  # first serial of spaced places; greater than every number of the sequence
# Numbers of early turns are random, from here to the largest bigint; they are greater than every serial.
EARLY_FIRST = 1 << 62


class Crowd(NamedTuple):
    """Number of spaced places that are called with the numbers from `first` to `last`, assumed to be evenly distributed."""

    first: int
    last: int
    places: int

    def between(self, after: int, to: int) -> float:
        """Return the expected number of these places that are called with the numbers from `after` + 1 to `to`."""
        numbers = min(self.last, to) - max(self.first - 1, after)
        return self.places * max(numbers, 0) / (self.last - self.first + 1)


def told_crowds(crowds: Sequence[Crowd]) -> list[Crowd]:
    """Return the crowds, with neighbouring crowds merged so that at most `CROWDS_TOLD_MAX` remain."""
    each = -(-len(crowds) // CROWDS_TOLD_MAX) or 1
    parts = [crowds[at : at + each] for at in range(0, len(crowds), each)]
    return [Crowd(part[0].first, part[-1].last, sum(one.places for one in part)) for part in parts]


def places_to(number: int, serving: int, last: int, crowds: Sequence[Crowd]) -> int:
    """Return how many places are called from now until `number` is called, inclusive.

    `serving` is the highest number called, `last` the highest number that somebody has.
    """
    among = sum(one.between(serving, number) for one in crowds)
    # Beyond the last number a network has places in each round; some of them may not be counted yet.
    of_network = (
        (number - max(last, serving)) // (SPACING // OF_A_ROUND) + 1 if number > last else 0
    )
    return max(min(number, last) - serving, 0) + max(round(among), of_network)
