"""Arrivals of visitors, with journey and device: a seeded Poisson process along a curve.

Arrivals do not depend on answers. Each of several generator processes makes its share of the arrivals; sums of Poisson
processes are Poisson processes, so together they match the plan.
"""

import random  # noqa: TID251 - seeded below
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from meterai_rehearsal.clients.connection import address_among
from meterai_rehearsal.rehearsal.plan import Device, JourneyName, JourneyPlan, Plan


@dataclass(frozen=True, slots=True)
class Arrival:
    """One visitor. `at` is the intended time, in seconds from the beginning."""

    at: float
    journey: JourneyName
    device: Device
    seed: int
    network: str = ""  # its source address, if the plan limits the number of addresses


def _drawn(
    among: Sequence[JourneyPlan] | Sequence[Device], totals: Sequence[float], drawn: float
) -> int:
    """Return the index of a journey or device, chosen by weight; `drawn` is from 0 to below 1."""
    wanted = drawn * totals[-1]
    return next(number for number, total in enumerate(totals) if wanted < total)


def arrivals(plan: Plan, share: int, shares: int) -> Iterator[Arrival]:
    """Yield the arrivals of one of several processes, in the order of their times.

    The same plan, share and number of shares give the same arrivals.
    """
    # Deterministic, so that a run can be repeated. No secret is drawn.
    drawing = random.Random(f"{plan.seed}/{share}/{shares}")  # noqa: S311
    curve = plan.curve
    journeys = list(accumulate(one.weight for one in plan.journeys))
    devices = list(accumulate(one.weight for one in plan.devices))
    expected = (
        0.0  # arrivals of all processes up to now: the curve is inverted by them, not by seconds
    )
    while (expected := expected + drawing.expovariate(1 / shares)) < curve.total:
        group = _drawn(plan.journeys, journeys, drawing.random())
        journey = plan.journeys[group]
        arrival = Arrival(
            curve.when(expected),
            journey.name,
            plan.devices[_drawn(plan.devices, devices, drawing.random())],
            drawing.getrandbits(53),
        )
        if journey.networks:
            number = drawing.randrange(journey.networks)
            network = address_among(group, number, neighbours=journey.neighbours)
            arrival = replace(arrival, network=network)
        yield arrival
