"""Questions of `meterai plan`: the safe rate, whether it suffices, and the number of machines that would suffice."""

from collections.abc import Sequence
from math import ceil, floor, log10

import msgspec
import numpy as np

from meterai import __version__
from meterai_rehearsal.curves import Curve
from meterai_rehearsal.simulation import steady
from meterai_rehearsal.simulation.cores import Cost, cores_of
from meterai_rehearsal.simulation.demand import arrivals
from meterai_rehearsal.simulation.intervals import interval_of
from meterai_rehearsal.simulation.line import Admitted, admit
from meterai_rehearsal.simulation.model import (
    MACHINES_MAX,
    SCHEMA,
    Comparison,
    Interval,
    Line,
    Plan,
    Scenario,
    Waits,
)
from meterai_rehearsal.simulation.night import HOUR, simulate
from meterai_rehearsal.simulation.scalability import fit_where_enough

# Rates shown by default, as shares of the safe rate.
SHARES_SHOWN = (0.5, 0.8, 1.0, 1.2)
NEEDED_STEP = 1.005  # factor by which a rate is raised until the line is empty in time
DIGITS = 3  # of a rate typed into the settings


class Question(msgspec.Struct, frozen=True):
    """A scenario and the options of its simulation; the curve lasts the hours of the scenario."""

    scenario: Scenario
    curve: Curve
    sources: tuple[str, ...]
    measured_sha256: str | None
    loads: tuple[tuple[float, float], ...]  # measured: (requests under way, answers a second)
    rates: tuple[float, ...]  # to show; none: shares of the safe rate
    wait_bound_seconds: float
    seed: int
    replications: int
    is_whole: bool  # simulate the whole night once, too
    compared: Comparison | None = None  # with the run
    costs: tuple[Cost, ...] = ()  # of a journey, by kind of client


def admission_setting(safe: Interval) -> float:
    """Return `rate_per_second` for the waiting room: the lower end of the safe rate, rounded down."""
    size = 10.0 ** (floor(log10(safe.low)) - DIGITS + 1)
    return round(floor(safe.low / size) * size, 9)


def plan(question: Question) -> Plan:
    """Answer all questions. The same question has the same answer, except `night.wall_seconds`."""
    scenario, seeds = question.scenario, _seeds(question)
    safe = _safe(scenario, seeds, question.seed)
    lines = [_draw_arrivals(question, seed) for seed in seeds]
    needed = [_needed(scenario, came, seed) for came, seed in zip(lines, seeds, strict=True)]
    needed_rate = interval_of(needed, question.seed)
    rates = question.rates or _shown(safe, needed_rate, scenario)
    setting = admission_setting(safe) if safe else None
    night = None
    if question.is_whole and setting is not None:
        night = simulate(scenario, question.curve, setting, _child(seeds[0], 3))
    return Plan(
        schema=SCHEMA,
        version=__version__,
        seed=question.seed,
        replications=question.replications,
        wait_bound_seconds=question.wait_bound_seconds,
        scenario=scenario,
        sources=question.sources,
        measured_sha256=question.measured_sha256,
        capacity_per_second=steady.capacity_per_second(scenario),
        safe_rate=safe,
        needed_rate=needed_rate,
        machines_needed=machines_needed(scenario, needed_rate.mean, seeds),
        rate_per_second=setting,
        scalability=fit_where_enough(question.loads, question.seed),
        waits=tuple(_waits(question, rate, lines, seeds) for rate in sorted(rates)),
        night=night,
        compared=question.compared,
        cores=tuple(cores_of(cost, needed_rate.mean, _peak(question)) for cost in question.costs),
    )


def _peak(question: Question) -> float:
    """Return the highest arrival rate, in people a second."""
    return question.scenario.applicants * question.curve.peak / question.curve.total


def machines_needed(
    scenario: Scenario, rate: float, seeds: Sequence[np.random.SeedSequence]
) -> int | None:
    """Return the smallest number of machines that keeps the bound at this rate, in most replications.

    Machines share one queue and no other resource: a common database is not in the model, so this is a lower
    bound. None if not even MACHINES_MAX machines keep the bound.
    """
    one = msgspec.structs.replace(scenario, machines=1)
    least = max(1, ceil(rate / steady.capacity_per_second(one)))
    for machines in range(least, MACHINES_MAX + 1):
        more = msgspec.structs.replace(scenario, machines=machines)
        held = [steady.holds(more, rate, _child(seed, 0)) for seed in seeds]
        if 2 * sum(held) > len(held):
            return machines
        if machines > least + 1 and not _can_meet_bound(more, seeds[0]):
            return None
    return None


def _can_meet_bound(scenario: Scenario, seed: np.random.SeedSequence) -> bool:
    """False if the bound is broken without any load, by the service times alone."""
    idle = steady.PRECISION * steady.capacity_per_second(scenario)
    return steady.holds(scenario, idle, _child(seed, 0))


def _seeds(question: Question) -> list[np.random.SeedSequence]:
    return np.random.SeedSequence(question.seed).spawn(question.replications)


def _child(seed: np.random.SeedSequence, number: int) -> np.random.SeedSequence:
    """Return the seed for the use `number` of a replication's `seed`; the same arguments always give the same
    seed.
    """
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number))


def _safe(
    scenario: Scenario, seeds: Sequence[np.random.SeedSequence], seed: int
) -> Interval | None:
    found = [steady.safe_rate(scenario, _child(one, 0)) for one in seeds]
    rates = [rate for rate in found if rate is not None]
    return interval_of(rates, seed) if len(rates) == len(found) else None


def _draw_arrivals(question: Question, seed: np.random.SeedSequence) -> np.ndarray:
    random = np.random.default_rng(_child(seed, 1))
    return arrivals(question.curve, question.scenario.applicants, random)


def _line(came: np.ndarray, rate: float, line: Line, seed: np.random.SeedSequence) -> Admitted:
    return admit(came, rate, line, np.random.default_rng(_child(seed, 2)))


def _deadline(scenario: Scenario) -> float:
    return (scenario.hours + scenario.grace_hours) * HOUR


def _needed(scenario: Scenario, came: np.ndarray, seed: np.random.SeedSequence) -> float:
    """Return the smallest rate, within `NEEDED_STEP`, that calls everybody by the deadline."""
    # With equal gaps between calls, everybody is called in time if for each person the gap is at most the remaining time
    # divided by the number of people behind. No-shows make room for others.
    behind = np.arange(len(came))[::-1]
    calls = float(np.max(behind / (_deadline(scenario) - came)))
    rate = calls * max(1.0 - scenario.line.no_shows, 1.0 / scenario.line.correction_max)
    if scenario.line.patience_seconds is not None:
        rate *= 1.0 / scenario.line.correction_max
    rate = max(rate, 1.0 / _deadline(scenario))
    while _line(came, rate, scenario.line, seed).called[-1] > _deadline(scenario):
        rate *= NEEDED_STEP
    return rate


def _shown(safe: Interval | None, needed: Interval, scenario: Scenario) -> tuple[float, ...]:
    capacity = steady.capacity_per_second(scenario)
    best = safe.low if safe else capacity
    return (needed.mean, *(share * best for share in SHARES_SHOWN))


def _waits(
    question: Question,
    rate: float,
    lines: Sequence[np.ndarray],
    seeds: Sequence[np.random.SeedSequence],
) -> Waits:
    scenario, bound = question.scenario, question.wait_bound_seconds
    found = []
    for came, seed in zip(lines, seeds, strict=True):
        line = _line(came, rate, scenario.line, seed)
        waits = line.waits
        quantiles = np.quantile(waits, (0.5, 0.9, 0.99, 1.0))
        share_longer = float((waits > bound).mean())
        found.append((*quantiles.tolist(), share_longer, line.left, line.called[-1] / HOUR))
    median, p90, p99, longest, longer, left, emptied = (
        interval_of(column, question.seed) for column in zip(*found, strict=True)
    )
    inside = _inside(scenario, rate, seeds, question.seed)
    return Waits(
        rate=rate,
        median=median,
        p90=p90,
        p99=p99,
        longest=longest,
        longer=longer,
        left=left,
        emptied_hours=emptied,
        is_emptied=emptied.mean * HOUR <= _deadline(scenario),
        inside_p99=inside,
        utilization=rate / steady.capacity_per_second(scenario),
        is_safe=inside is not None
        and all(one.mean <= scenario.bounds[name] for name, one in inside.items()),
    )


def _inside(
    scenario: Scenario, rate: float, seeds: Sequence[np.random.SeedSequence], seed: int
) -> dict[str, Interval] | None:
    found = [steady.p99_of(scenario, rate, _child(one, 0)) for one in seeds]
    together = {
        steady.name_of(priority): interval_of([one[priority] for one in found], seed)
        for priority in found[0]
    }
    return together if all(np.isfinite(one.mean) for one in together.values()) else None
