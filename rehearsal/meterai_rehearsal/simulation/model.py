"""What is simulated, and what a simulation answers.  Times are seconds, rates per second."""

from collections.abc import Mapping
from typing import Final

import msgspec

from meterai.kit.priority import Priority

SCHEMA: Final = 1  # of a plan as JSON; raised by whoever changes what a field means
APPLICANTS_MAX: Final = (
    20_000_000  # what comes and waits is held in memory: some 100 bytes for each
)
SERVERS_MAX: Final = 100_000
MACHINES_MAX: Final = 1_000
RATE_MAX: Final = 1_000_000.0  # admitted a second
HOURS_MAX: Final = 24.0 * 60
REPLICATIONS_MIN: Final = 3  # an interval of fewer would say nothing
REPLICATIONS_MAX: Final = 200
STEPS_MAX: Final = 50
SEED_MAX: Final = 0x7FFF_FFFF_FFFF_FFFF
COMPARED_SHARE: Final = 0.3  # by so much a prediction may be off
SECONDS_MAX: Final = 86_400.0  # of one service time or pause


class Interval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure over replications: their mean, and where that mean is with 95 % confidence."""

    mean: float
    low: float
    high: float


class ServiceTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a server is busy with one request.

    One of: `values` with `counts` (a histogram), `shares` with `values` (quantiles, between which values lie
    evenly), or a single value in `values`: the mean of an exponential distribution, or exactly that where
    `is_constant`.  Everything is multiplied by `scale`.
    """

    values: tuple[float, ...]
    counts: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()
    is_constant: bool = False
    scale: float = 1.0


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request of a journey, after a pause of the person (exponential; the first step has none).

    elsewhere  for each second of a server, so many more pass until the answer: at the bank, between two
               looks at a page that is not ready
    """

    name: str
    priority: Priority
    service: ServiceTime
    pause_seconds: float = 0.0
    elsewhere: float = 0.0


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people do in the waiting room.

    no_shows          share of those who waited and do not come when it is their turn
    patience_seconds  mean (exponential) of how long people wait at most; None: for ever
    is_patience_same  everybody has that patience
    reaction_seconds  mean (exponential) of how long somebody whose turn it is takes to come
    correction_max    for no-shows at most so many times as many are called
    """

    no_shows: float = 0.1
    patience_seconds: float | None = None
    is_patience_same: bool = False
    reaction_seconds: float = 10.0
    correction_max: float = 2.0


class Retries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests are refused, and what somebody does whose request was.

    patience_seconds  a request of this priority that waited so long for a server is refused; of a
                      priority that is not named: never
    times             so often somebody comes again, after an (exponential) pause, and then gives up
    """

    patience_seconds: Mapping[Priority, float] = {}
    times: int = 10
    pause_seconds: float = 7.5


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Waits in a line that a run measured, and what a simulation of its arrivals at the rate of its line predicts.

    waited      people who came in
    rate        admitted a second while people waited, as the line said
    is_within   both quotients lie within COMPARED_SHARE of 1; None: too few waited to say so
    """

    waited: int
    rate: float
    measured_p50: float
    measured_p95: float
    predicted_p50: float
    predicted_p95: float
    quotient_p50: float  # predicted over measured
    quotient_p95: float
    is_within: bool | None


class Cores(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Processor cores that journeys of one kind keep busy: the least that is needed, by group of processes.

    by          how people come: `browser`, `api`
    source      where the cost of a journey is from
    cost_ms     of a processor for one finished journey
    cores       at the rate that empties the line in time
    cores_peak  without a line, when most come
    """

    by: str
    source: str
    cost_ms: Mapping[str, float]
    cores: Mapping[str, float]
    cores_peak: Mapping[str, float]


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who comes, what they ask, and who serves them.

    applicants     people who come, over `hours`, by the curve of this name
    grace_hours    the line must be empty so long after closing
    machines       so many of the same kind there are
    servers        requests that are served side by side on one of them
    steps          the journey of each of them
    bounds         by priority: 99 of 100 requests must be answered within, in seconds
    """

    applicants: int
    hours: float
    grace_hours: float
    curve: str
    machines: int
    servers: int
    steps: tuple[Step, ...]
    line: Line
    retries: Retries
    bounds: Mapping[str, float]


class Waits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of those who come, at one rate of admission.

    longer          share of all who waited longer than `wait_bound_seconds` of the plan
    left            share that did not come when it was their turn
    emptied_hours   when the last one was admitted, in hours from the opening
    inside_p99      99 of 100 requests are answered within, by priority; None: the servers cannot keep up
    utilization     share of the servers' time in use at this rate
    """

    rate: float
    median: Interval
    p90: Interval
    p99: Interval
    longest: Interval
    longer: Interval
    left: Interval
    emptied_hours: Interval
    is_emptied: bool
    inside_p99: Mapping[str, Interval] | None
    utilization: float
    is_safe: bool


class Night(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everybody simulated from the arrival to the last request, once."""

    rate: float
    applicants: int
    requests: int
    finished: int
    left: int
    gave_up: int
    wait_median: float
    wait_p99: float
    wait_longest: float
    inside_p99: Mapping[str, float]
    ended_hours: float
    wall_seconds: float


class Scalability(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The universal scalability law fitted to points of (load, throughput), each coefficient with its 95 % interval.

    knee              load of the highest throughput; None where the law has none (kappa is zero)
    peak              throughput there; where there is no knee, what it tends to; None: it has no bound
    is_extrapolated   the knee lies beyond what was measured: it is a guess
    load_max          the highest load that was measured
    """

    points: tuple[tuple[float, float], ...]
    rate_alone: Interval
    sigma: Interval
    kappa: Interval
    knee: Interval | None
    peak: float | None
    is_extrapolated: bool
    load_max: float
    r_squared: float


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `meterai plan` answers.

    sources              where the service times and the curve are from
    measured_sha256      of the run they are from; None where they were given
    capacity_per_second  people a second that would keep all servers busy: nobody can be admitted as fast
    safe_rate            the largest rate at which the bound holds on the machines there are; None: it never does
    needed_rate          the smallest rate that empties the line in time
    machines_needed      how many machines are safe at that rate; None: not even MACHINES_MAX
    rate_per_second      what the waiting room should be set to: the lower end of the safe rate
    scalability          of the run, where it measured enough loads
    compared             with the run, where people waited in a line
    cores                kept busy, for each kind of journey whose cost is known
    """

    schema: int
    version: str
    seed: int
    replications: int
    wait_bound_seconds: float
    scenario: Scenario
    sources: tuple[str, ...]
    measured_sha256: str | None
    capacity_per_second: float
    safe_rate: Interval | None
    needed_rate: Interval
    machines_needed: int | None
    rate_per_second: float | None
    scalability: Scalability | None
    waits: tuple[Waits, ...]
    night: Night | None
    compared: Comparison | None = None
    cores: tuple[Cores, ...] = ()
