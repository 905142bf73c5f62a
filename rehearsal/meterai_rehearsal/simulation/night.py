"""A whole night: everybody who comes, through the line, to the last request."""

import time

import numpy as np

from meterai_rehearsal.curves import Curve
from meterai_rehearsal.simulation.demand import arrivals
from meterai_rehearsal.simulation.line import admit
from meterai_rehearsal.simulation.model import Night, Scenario
from meterai_rehearsal.simulation.servers import Servers

HOUR = 3_600.0


def simulate(scenario: Scenario, curve: Curve, rate: float, seed: np.random.SeedSequence) -> Night:
    """Return the outcome for everybody, at this rate of admission (people a second)."""
    begun = time.perf_counter()
    of_curve, of_line, of_servers = seed.spawn(3)
    came = arrivals(curve, scenario.applicants, np.random.default_rng(of_curve))
    random = np.random.default_rng(of_line)
    line = admit(came, rate, scenario.line, random)
    entered = line.entered(scenario.line, random)
    servers = Servers(
        scenario.machines * scenario.servers, scenario.steps, scenario.retries, of_servers
    )
    served = servers.serve(entered.tolist())
    return Night(
        rate=rate,
        applicants=scenario.applicants,
        requests=served.requests,
        finished=served.finished,
        left=scenario.applicants - len(entered),
        gave_up=served.gave_up,
        wait_median=float(np.median(line.waits)),
        wait_p99=float(np.quantile(line.waits, 0.99)),
        wait_longest=float(line.waits.max()),
        inside_p99={one.name.lower(): p99 for one, p99 in served.p99_of(scenario.steps).items()},
        ended_hours=served.ended / HOUR,
        wall_seconds=time.perf_counter() - begun,
    )
