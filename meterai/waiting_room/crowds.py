"""Spaced places (`spacing.py`) grouped by the numbers with which they are called.  Pure."""

from collections.abc import Sequence
from typing import NamedTuple

# Numbers in a round, in which each network has `OF_A_ROUND` places.  With fewer networks in line their shares are equal,
# and numbers that nobody has cost no call.
SPACING = 100_000
OF_A_ROUND = 2  # a reload after a lost answer takes a second place
CROWD_NUMBERS = 10_000  # width of the ranges in which spaced places are counted
CROWDS_TOLD_MAX = 16  # in the document of a line, which must stay small
SERIAL_FIRST = 1 << 40  # of spaced places; above every number of the sequence
EARLY_FIRST = 1 << 62  # of early turns: random, up to the largest bigint; above every serial


class Crowd(NamedTuple):
    """Spaced places called with the numbers from `first` to `last`, assumed evenly distributed."""

    first: int
    last: int
    places: int

    def between(self, after: int, to: int) -> float:
        """Return the expected number of these places called after number `after`, up to and with number `to`."""
        numbers = min(self.last, to) - max(self.first - 1, after)
        return self.places * max(numbers, 0) / (self.last - self.first + 1)


def told_crowds(crowds: Sequence[Crowd]) -> list[Crowd]:
    """Merge neighbouring crowds into at most `CROWDS_TOLD_MAX`."""
    each = -(-len(crowds) // CROWDS_TOLD_MAX) or 1
    parts = [crowds[at : at + each] for at in range(0, len(crowds), each)]
    return [Crowd(part[0].first, part[-1].last, sum(one.places for one in part)) for part in parts]


def places_to(number: int, serving: int, last: int, crowds: Sequence[Crowd]) -> int:
    """Return the number of places called up to and with `number`; `last` is the last number that somebody has."""
    among = sum(one.between(serving, number) for one in crowds)
    # In each round beyond the last number a network has places, also before they are counted.
    of_network = (
        (number - max(last, serving)) // (SPACING // OF_A_ROUND) + 1 if number > last else 0
    )
    return max(min(number, last) - serving, 0) + max(round(among), of_network)
