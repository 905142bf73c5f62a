"""Capacity of the servers at one constant rate of admission: the worst case behind a line.

While people wait, the waiting room admits at its rate and no faster, so this is the load of the busiest hour. Pauses between
steps spread the steps of one person without changing the number of arrivals; they are shortened so that the simulated
time is long beside them.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from meterai.kit.priority import Priority
from meterai_rehearsal.simulation.durations import mean_of
from meterai_rehearsal.simulation.model import Scenario, Step
from meterai_rehearsal.simulation.servers import Served, Servers

PEOPLE = 8_000  # people with measured requests in one replication
PAUSES_SHARE_MAX = 0.2  # of the measured time, all pauses of a person together
WARM_PAUSES = 3.0  # multiple of all pauses, not measured: then every step has its share
PRECISION = 0.01  # of a safe rate
BOUND_FACTOR = 2.0  # times the p99 of idle servers: the aim of the platform under overload
BOUND_SECONDS_LEAST = 0.5  # of a person with a page, who notices no less


def work_seconds(scenario: Scenario) -> float:
    """Return the mean seconds for which one person occupies a server."""
    return sum(mean_of(step.service) for step in scenario.steps)


def capacity_per_second(scenario: Scenario) -> float:
    """Return the people a second that would keep all servers busy."""
    return scenario.machines * scenario.servers / work_seconds(scenario)


def serve_steadily(
    scenario: Scenario, rate: float, seed: np.random.SeedSequence, people: int = PEOPLE
) -> Served:
    """Serve people who arrive independently at `rate` (people a second). Only the middle of the time is measured."""
    measured = people / rate
    steps = _shortened(scenario.steps, PAUSES_SHARE_MAX * measured)
    away = sum(step.pause_seconds + mean_of(step.service) * step.elsewhere for step in steps)
    warm = WARM_PAUSES * away + measured / 10
    of_arrivals, of_servers = seed.spawn(2)
    random = np.random.default_rng(of_arrivals)
    # Gaps with mean 1, divided by the rate: with the same seed a faster stream is the same stream compressed.
    count = round(1.1 * (warm + measured) * rate) + 100
    came = np.cumsum(random.exponential(1.0, count)) / rate
    servers = Servers(scenario.machines * scenario.servers, steps, scenario.retries, of_servers)
    admitted = came[came < warm + measured].tolist()
    return servers.serve(admitted, since=warm, until=warm + measured)


def p99_of(
    scenario: Scenario, rate: float, seed: np.random.SeedSequence, people: int = PEOPLE
) -> Mapping[Priority, float]:
    """Return the p99 of the seconds until the answer, by priority; infinite beyond capacity."""
    if rate >= capacity_per_second(scenario):
        return dict.fromkeys((step.priority for step in scenario.steps), np.inf)
    return serve_steadily(scenario, rate, seed, people).p99_of(scenario.steps)


def holds(
    scenario: Scenario, rate: float, seed: np.random.SeedSequence, people: int = PEOPLE
) -> bool:
    """True if every priority keeps its bound at this rate."""
    found = p99_of(scenario, rate, seed, people)
    return all(p99 <= scenario.bounds[name_of(priority)] for priority, p99 in found.items())


def name_of(priority: Priority) -> str:
    """Return the name of a priority in answers."""
    return priority.name.lower()


def with_bounds(scenario: Scenario, seconds: float | None, seed: int) -> Scenario:
    """Return the scenario with one bound for all; by default the bound that people accept.

    That is BOUND_FACTOR times the time of idle servers, and at least BOUND_SECONDS_LEAST.
    """
    priorities = sorted({step.priority for step in scenario.steps})
    if seconds is not None:
        bounds = dict.fromkeys(map(name_of, priorities), seconds)
    else:
        rate = PRECISION * capacity_per_second(scenario)
        idle = p99_of(scenario, rate, np.random.SeedSequence(seed))
        bounds = {
            name_of(priority): max(BOUND_FACTOR * idle[priority], BOUND_SECONDS_LEAST)
            for priority in priorities
        }
    return msgspec.structs.replace(scenario, bounds=bounds)


def safe_rate(
    scenario: Scenario, seed: np.random.SeedSequence, people: int = PEOPLE
) -> float | None:
    """Return the largest rate at which the bounds hold, to `PRECISION`; None if they do not hold even on idle servers."""
    capacity = capacity_per_second(scenario)
    low, high = PRECISION, 1.0
    if not holds(scenario, low * capacity, _same(seed), people):
        return None
    while high - low > PRECISION * low:
        middle = (low + high) / 2
        if holds(scenario, middle * capacity, _same(seed), people):
            low = middle
        else:
            high = middle
    return low * capacity


def _same(seed: np.random.SeedSequence) -> np.random.SeedSequence:
    """Return a fresh copy of the seed, since a seed remembers how many children were spawned from it."""
    return np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)


def _shortened(steps: tuple[Step, ...], longest: float) -> tuple[Step, ...]:
    together = sum(step.pause_seconds for step in steps)
    factor = min(1.0, longest / together) if together else 1.0
    return tuple(
        msgspec.structs.replace(step, pause_seconds=step.pause_seconds * factor) for step in steps
    )
