"""Fair queueing of networks: a botnet gets at most the share of its networks."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import nsmallest
from random import Random
from statistics import median
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from meterai.plumbing.networks import nested
from meterai.waiting_room import spacing
from meterai.waiting_room.crowds import (
    CROWD_NUMBERS,
    OF_A_ROUND,
    SPACING,
    Crowd,
)
from meterai.waiting_room.rate import called_to
from meterai.waiting_room.spacing import Spacing, VerifiedNumbers

RATE = 5.0  # calls a second
BURST, REFILL = 2_000, 20  # places of one network: at once, and each second
BOTNET = 3


class Place(NamedTuple):
    """A place; `second` when it was taken, or verified."""

    number: int
    since: int
    second: int
    who: str


@pytest.fixture(autouse=True)
def drawn_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the random position within a round the same in each run."""
    monkeypatch.setattr(spacing, "randbelow", Random(5).randrange)


@dataclass
class Line:
    """A line and its web processes in steps of a second; `who` is the kind of visitor."""

    processes: int = 1
    serving: int = 0
    next_number: int = 1
    carried: float = 0.0
    places: int = 0
    waiting: dict[int, Place] = field(default_factory=dict)
    called: list[tuple[int, int, str]] = field(default_factory=list)  # second, waited, who

    def __post_init__(self) -> None:
        self.spacings = [Spacing() for _ in range(self.processes)]
        self.own = [VerifiedNumbers() for _ in range(self.processes)]
        self.seen = 1  # the next number as processes see it
        self.crowds: Counter[tuple[int, int]] = Counter()

    def take(self, process: int, network: str, second: int, who: str) -> int:
        """Take a new place."""
        number, since = self.spacings[process].take(nested(network), self.seen), self.seen
        if number <= self.seen:
            number = since = self.next_number
            self.next_number += 1
        else:
            first = number - number % CROWD_NUMBERS
            self.crowds[first, first + CROWD_NUMBERS - 1] += 1
        self.places += 1
        self.waiting[self.places] = Place(number, since, second, who)
        return self.places

    def verify(self, process: int, place: int, second: int) -> None:
        """Verify the mail of a place: it gets a number of its own, and can come in from now on."""
        if (found := self.waiting.get(place)) is not None and found.number > found.since:
            own = self.own[process].take(max(found.since, self.serving + 1))
            self.crowds[own, own] += 1
            self.waiting[place] = found._replace(number=own, since=own, second=second)

    def step(self, second: int) -> None:
        """Advance the line, and refresh the view of the processes."""
        for passed in [one for one in self.crowds if one[1] <= self.serving]:
            del self.crowds[passed]
        crowds = [Crowd(*where, self.crowds[where]) for where in nsmallest(200, self.crowds)]
        calls = self.carried + RATE
        last = self.next_number - 1
        self.serving, self.carried = called_to(self.serving, calls, last, (), crowds)
        self.next_number = self.seen = max(self.next_number, self.serving + 1)
        for key in [key for key, one in self.waiting.items() if one.number <= self.serving]:
            _, _, at, who = self.waiting.pop(key)
            self.called.append((second, second - at, who))


def attacked(line: Line, seconds: int, per_second: int, networks: int = 300) -> None:
    """Honest visitors of many networks come, and from the begin three networks take all they may."""
    random = Random(7)
    for second in range(seconds):
        for bot in range(BOTNET):
            for number in range((BURST if second == 0 else REFILL) * line.processes):
                line.take(number % line.processes, f"203.0.{bot}.9", second, "bot")
        for _ in range(per_second):
            process, network = random.randrange(line.processes), random.randrange(networks)
            line.take(process, f"10.{network}.1.1", second, "honest")
        line.step(second)


def shares(line: Line, window: int) -> Iterator[float]:
    """Yield the botnet's share of the calls in windows of `window` seconds."""
    for begin in range(0, max(second for second, *_ in line.called) + 1, window):
        among = Counter(who for second, _, who in line.called if begin <= second < begin + window)
        yield among["bot"] / max(among.total(), 1)


@pytest.mark.parametrize(("processes", "per_second"), [(1, 8), (1, 40), (2, 8)])
def test_botnet_of_one_percent_of_networks_has_at_most_two_percent_of_calls(
    processes: int, per_second: int
) -> None:
    line = Line(processes)
    attacked(line, 240, per_second)
    among = Counter(who for *_, who in line.called)
    assert among["honest"] > 0.97 * RATE * 240
    assert among["bot"] / among.total() <= 0.02
    # Its first places come before all others; after the first minute no minute exceeds its share.
    assert max(list(shares(line, 60))[1:]) <= 0.02
    taken = Counter(one.who for one in line.waiting.values()) + among
    assert taken["bot"] / taken.total() > 0.5, "it takes most places"


def test_verified_visitors_of_a_carrier_wait_no_longer_than_others() -> None:
    """A thousand behind one address verify their mail within a minute and a half, beside others and a botnet."""
    line, random = Line(), Random(11)
    verified: dict[int, list[int]] = {}
    for second in range(500):
        for bot in range(BOTNET):
            for _ in range(300 if second == 0 else 3):
                line.take(0, f"203.0.{bot}.9", second, "bot")
        for _ in range(4 if second < 240 else 0):
            network = f"10.{random.randrange(250)}.{random.randrange(250)}.1"
            line.take(0, network, second, "honest")
            place = line.take(0, "192.0.2.1", second, "carrier")
            verified.setdefault(second + random.randrange(20, 90), []).append(place)
        for place in verified.get(second, ()):
            line.verify(0, place, second)
        line.step(second)
    waits = {
        kind: [waited for _, waited, who in line.called if who == kind]
        for kind in ("honest", "carrier")
    }
    assert len(waits["honest"]) > 900
    assert len(waits["carrier"]) > 900
    assert median(waits["carrier"]) <= 1.2 * median(waits["honest"])
    assert max(waits["carrier"]) <= 1.2 * max(waits["honest"])


def test_own_number_is_never_behind_three_unverified_places_of_one_network() -> None:
    turns = Spacing()
    bots = [turns.take(nested("203.0.113.9"), 1) for _ in range(1_000)]
    for number in range(2, 20_000, 500):
        assert sum(one <= number for one in bots) <= OF_A_ROUND
        assert turns.take(nested(f"10.{number % 256}.{number // 256}.1"), number) == number


def test_each_network_has_as_many_places_in_each_round_where_all_take_many() -> None:
    turns = Spacing()
    found: dict[int, list[int]] = {}
    for _ in range(20):
        for network in range(50):
            places = found.setdefault(network, [])
            places.append(turns.take(nested(f"10.{network}.1.1"), 1))
    for places in found.values():
        parts = [number // (SPACING // OF_A_ROUND) for number in places]
        assert parts == [0] * (OF_A_ROUND - 1) + list(range(21 - OF_A_ROUND))


_crowds = some.lists(
    some.tuples(some.integers(1, 200), some.integers(1, 50), some.integers(1, 30)), max_size=6
)


@given(some.integers(0, 100), some.floats(0, 60), some.integers(0, 80), _crowds)
def test_calls_are_spent_on_places_only(
    serving: int, calls: float, most: int, drawn: list[tuple[int, int, int]]
) -> None:
    crowds = [Crowd(first, first + width - 1, places) for first, width, places in sorted(drawn)]
    reached, left = called_to(serving, calls, max(most, serving), (), crowds)
    assert reached >= serving
    assert 0 <= left <= calls
    spent = max(min(reached, most) - serving, 0) + sum(
        one.between(serving, reached) for one in crowds
    )
    assert spent == pytest.approx(calls - left, abs=1e-6)
    # The calls end here, since the next number would cost more than the rest.
    cost = float(reached + 1 <= max(most, serving)) + sum(
        one.between(reached, reached + 1) for one in crowds
    )
    ends = max([most, serving, *(one.last for one in crowds)])
    assert reached == ends or cost > left - 1e-6
