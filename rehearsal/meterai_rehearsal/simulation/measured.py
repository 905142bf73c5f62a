"""Journey of a simulation, from a measured run.

The time for which a request occupies a server is not its latency, which contains waiting. By the law of
utilization the busy time of all requests together is the processor time of the installation. It is divided
among the steps in proportion to their latencies, and each step keeps the form of its distribution. The rest of
its latency passes elsewhere (at the bank, between two looks at a page) and occupies no server. A step spent
elsewhere altogether, waiting for a mail, is a pause. The wait in a line is left out, since the line is
simulated separately. A run without processor times (a foreign installation) uses its latencies unchanged, and
is best measured at low load.
"""

from collections.abc import Mapping
from statistics import median

from meterai.kit.priority import Priority
from meterai.kit.refusal import CommandRefusal, Malformed
from meterai_rehearsal.histograms import read
from meterai_rehearsal.losses import WAITING
from meterai_rehearsal.results import Journey, Run
from meterai_rehearsal.results import Step as Measured
from meterai_rehearsal.simulation.model import ServiceTime, Step

# Generator and stand-ins; all other groups of a run serve.
NOT_SERVING = frozenset({"generator", "standins", "rehearse"})
BINS = 12  # of load, each with as many seconds of the run
SECONDS_IN_BIN_MIN = 3
FINISHED_MIN = 100  # of a journey: the form of a distribution of fewer is random
# Steps that visitors spend with another party: a pause for the installation.
ELSEWHERE = frozenset({"mail"})
# By the first word of a step's name; another name is a newcomer's step.
PRIORITIES: Mapping[str, Priority] = {
    "sign": Priority.CHECKOUT,
    "ask": Priority.CHECKOUT,
    "mail": Priority.CHECKOUT,
    "order": Priority.CHECKOUT,
    "qr": Priority.CHECKOUT,
    "pay": Priority.MONEY,
    "stamp": Priority.MONEY,
    "executed": Priority.MONEY,
    "download": Priority.PAID,
    "give": Priority.PAID,
    "check": Priority.CHECKING,
}


class RunUnusable(CommandRefusal):
    """The run has no measurements for a simulation."""

    code = "run_unusable"
    status = 422

    def __init__(self, run: str, reason: str) -> None:
        super().__init__(f"{run}: {reason}")
        self.run = run
        self.reason = reason


def journey_of(run: Run, name: str) -> Journey:
    """Return the journey of this name. Refuses `Malformed`, and `RunUnusable` if too few finished it."""
    found = next((one for one in run.journeys if one.name == name), None)
    if found is None:
        names = ", ".join(one.name for one in run.journeys)
        raise Malformed("--journey", "journey", names=names)
    steps = _served(found)
    if not steps:
        raise RunUnusable(run.name, f"{name} has no steps")
    finished = min(found.finished, max(step.finished for step in steps))
    if finished < FINISHED_MIN:
        raise RunUnusable(run.name, f"{finished} finished {name}")
    return found


def _served(journey: Journey) -> list[Measured]:
    return [
        step
        for step in journey.steps
        if step.name not in ELSEWHERE | WAITING and step.latency.mean > 0
    ]


def busy_share(run: Run) -> float | None:
    """Return processor seconds per second of latency, over all steps; None if none were measured."""
    serving = [spent for group, spent in run.costs.cpu_seconds.items() if group not in NOT_SERVING]
    steps = [step for journey in run.journeys for step in _served(journey)]
    answered = sum(step.finished * step.latency.mean for step in steps)
    return sum(serving) / answered if serving and sum(serving) > 0 and answered > 0 else None


def steps_of(run: Run, name: str) -> tuple[Step, ...]:
    """Return the steps of a measured journey. Refuses what `journey_of` refuses, and a void run."""
    if run.is_void:
        raise RunUnusable(run.name, "void: " + ", ".join(run.generator.void))
    journey = journey_of(run, name)
    busy = min(busy_share(run) or 1.0, 1.0)
    steps = _served(journey)
    away = sum(step.latency.mean for step in journey.steps if step.name in ELSEWHERE)
    pauses = max(journey.latency.mean - journey.working.mean, 0.0) + away
    return tuple(
        Step(
            name=step.name,
            priority=priority_of(step.name),
            # Not everybody takes each step, such as an order after a line.
            service=_service(step, busy * min(step.finished / journey.finished, 1.0)),
            elsewhere=1 / busy - 1,
            pause_seconds=pauses / (len(steps) - 1) if number else 0.0,
        )
        for number, step in enumerate(steps)
    )


def priority_of(step: str) -> Priority:
    """Return the priority of a step by its name."""
    return PRIORITIES.get(step.split("_")[0], Priority.NEW)


def _service(step: Measured, scale: float) -> ServiceTime:
    values, counts = zip(*read(step.latency).counts(), strict=True)
    return ServiceTime(values, counts=counts, scale=scale)


def load_points(run: Run) -> tuple[tuple[float, float], ...]:
    """Return (requests under way, answers in time a second) at several loads, from the series of a run.

    Seconds of similar load are grouped as their medians. If the installation's own figures were unreachable: (visitors
    under way, journeys finished a second).
    """
    loads, rates = _sum_of(run, "running"), _sum_of(run, "goodput")
    if not loads or not rates:
        loads, rates = _sum_of(run, "under_way"), _sum_of(run, "finished")
    seconds = sorted((loads[at], rates[at]) for at in loads.keys() & rates.keys() if loads[at] > 0)
    size = max(SECONDS_IN_BIN_MIN, -(-len(seconds) // BINS))
    bins = [seconds[n : n + size] for n in range(0, len(seconds), size)]
    return tuple(
        (median(load for load, _ in one), median(rate for _, rate in one))
        for one in bins
        if len(one) >= SECONDS_IN_BIN_MIN
    )


def _sum_of(run: Run, name: str) -> dict[float, float]:
    """Return the sum of all series of a name over time."""
    found: dict[float, float] = {}
    for one in run.series:
        if one.name == name:
            for at, value in zip(one.at, one.values, strict=True):
                found[at] = found.get(at, 0.0) + value
    return found
