"""Cores that a night keeps busy, from the processor cost of one journey.

The cost is measured in a run (processor seconds of all serving processes, divided by the finished journeys), or given as
`make bench-journey-cost` prints it for a journey by API and by browser.
"""

from collections.abc import Mapping

import msgspec

from meterai.kit.refusal import Malformed
from meterai_rehearsal.results import Run
from meterai_rehearsal.simulation.measured import NOT_SERVING, journey_of
from meterai_rehearsal.simulation.model import SECONDS_MAX, Cores

BROWSER = "browser"  # journeys of a rehearsal
ALL = "all"  # processes, if a cost is not given by group
OPTION = "--journey-ms"
MS = 1_000


class Cost(msgspec.Struct, frozen=True):
    """Milliseconds of a processor for one journey, by group of processes."""

    by: str
    source: str
    ms: Mapping[str, float]


def measured_cost(run: Run, journey: str, told: str) -> Cost | None:
    """Return the cost of a journey, measured in a run; None without processor times. It includes the work for other
    visitors of the run.
    """
    finished = journey_of(run, journey).finished
    spent = {
        group: MS * seconds / finished
        for group, seconds in sorted(run.costs.cpu_seconds.items())
        if group not in NOT_SERVING and finished
    }
    return Cost(BROWSER, f"{told}; {finished} finished", spent) if spent else None


def given_cost(words: str) -> Cost:
    """Read `api=30`, or by group: `api=web:20/worker:4/postgres:6`. Refuses `Malformed`."""
    by, is_named, costs = words.partition("=")
    try:
        parts = [part.rpartition(":") for part in costs.split("/")]
        found = {group or ALL: float(cost) for group, _, cost in parts}
    except ValueError:
        raise Malformed(OPTION, "journey_cost") from None
    is_cost = all(0 <= cost <= SECONDS_MAX * MS for cost in found.values())
    if not (by.isidentifier() and is_named and is_cost and len(found) == len(parts)):
        raise Malformed(OPTION, "journey_cost")
    return Cost(by, f"{OPTION} {words}", found)


def cores_of(cost: Cost, rate: float, peak: float) -> Cores:
    """Return the cores that `rate` journeys a second keep busy, and the cores at `peak`, the highest rate of
    arrivals.
    """
    return Cores(
        by=cost.by,
        source=cost.source,
        cost_ms=cost.ms,
        cores={group: rate * ms / MS for group, ms in cost.ms.items()},
        cores_peak={group: peak * ms / MS for group, ms in cost.ms.items()},
    )
