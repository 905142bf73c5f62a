"""Input and output of a simulation. Times are seconds, rates per second."""

from collections.abc import Mapping
from typing import Final

import msgspec

from meterai.kit.priority import Priority

SCHEMA: Final = 1  # of a plan as JSON; raised when the meaning of a field changes
APPLICANTS_MAX: Final = 20_000_000  # arrivals are held in memory: some 100 bytes each
SERVERS_MAX: Final = 100_000
MACHINES_MAX: Final = 1_000
RATE_MAX: Final = 1_000_000.0  # admitted a second
HOURS_MAX: Final = 24.0 * 60
REPLICATIONS_MIN: Final = 3  # an interval from fewer replications is meaningless
REPLICATIONS_MAX: Final = 200
STEPS_MAX: Final = 50
SEED_MAX: Final = 0x7FFF_FFFF_FFFF_FFFF
COMPARED_SHARE: Final = 0.3  # tolerated error of a prediction
SECONDS_MAX: Final = 86_400.0  # of one service time or pause


class Interval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figure over replications: its mean, and the 95 % confidence interval of the mean."""

    mean: float
    low: float
    high: float


class ServiceTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Time for which one request occupies a server.

    One of: `values` with `counts` (a histogram), `shares` with `values` (quantiles, linear between them), or a single value
    in `values`: the mean of an exponential distribution, or exactly that value if `is_constant`. All values are multiplied
    by `scale`.
    """

    values: tuple[float, ...]
    counts: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()
    is_constant: bool = False
    scale: float = 1.0


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request of a journey, after a pause of the person (exponential; the first step has none).

    elsewhere   seconds that pass elsewhere, for each second in which a server works on the request: at the
                bank, or between two looks at a page that is not ready
    """

    name: str
    priority: Priority
    service: ServiceTime
    pause_seconds: float = 0.0
    elsewhere: float = 0.0


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Behaviour of people in the waiting room.

    no_shows           share of waiting people who do not come at their turn
    patience_seconds   mean (exponential) of the longest wait that a person accepts; None: unlimited
    is_patience_same   True: everybody has exactly the patience `patience_seconds`
    reaction_seconds   mean (exponential) of the time to come at the turn
    correction_max     largest factor of additional calls for no-shows
    """

    no_shows: float = 0.1
    patience_seconds: float | None = None
    is_patience_same: bool = False
    reaction_seconds: float = 10.0
    correction_max: float = 2.0


class Retries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Refusal of waiting requests, and the reaction of their senders.

    patience_seconds   a request of this priority that waited so long for a server is refused; other
                       priorities: never
    times              number of retries, after an (exponential) pause each, before giving up
    """

    patience_seconds: Mapping[Priority, float] = {}
    times: int = 10
    pause_seconds: float = 7.5


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Waits in a line that a run measured, and waits predicted by a simulation of the run's arrivals at the rate of its line.

    waited      people who entered
    rate        people admitted a second while others waited, by the line's own figures
    is_within   both quotients (predicted by measured) lie within COMPARED_SHARE of 1; None: too few waited to decide
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
    """Processor cores that journeys of one kind keep busy: the minimum, by group of processes.

    by           kind of client: `browser`, `api`
    source       source of the cost of a journey
    cost_ms      milliseconds of a processor for one finished journey
    cores        cores kept busy at the rate that empties the line in time
    cores_peak   cores kept busy without a line, at the peak of arrivals
    """

    by: str
    source: str
    cost_ms: Mapping[str, float]
    cores: Mapping[str, float]
    cores_peak: Mapping[str, float]


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People, requests, and servers.

    applicants     people who come over `hours`, along the arrival curve named in `curve`
    grace_hours    the line must be empty by so many hours after closing
    machines       number of machines of the same kind
    servers        requests served in parallel on one machine
    steps          the journey of each applicant
    bounds         by priority, the seconds within which 99 of 100 requests must be answered
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
    """Outcome of arrivals, at one rate of admission.

    longer          share of all who waited longer than `wait_bound_seconds` of the plan
    left            share of people who did not come at their turn
    emptied_hours   time of the last admission, in hours from the opening
    inside_p99      by priority, the seconds within which 99 of 100 requests are answered; None: the servers cannot keep up
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
    """One simulation of everybody, from the arrival to the last request."""

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
    """Universal scalability law fitted to points of (load, throughput), each coefficient with its 95 % interval.

    knee              load of the highest throughput; None if there is none (kappa is zero)
    peak              throughput at the knee; without a knee, the limit of throughput; None: unbounded
    is_extrapolated   the knee lies beyond the measurements: it is an extrapolation
    load_max          the highest measured load
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
    """Answer of `meterai plan`.

    sources               sources of the service times and the curve
    measured_sha256       hash of the file of the run that measured the service times; None if they were given as options
    capacity_per_second   people a second that would keep all servers busy: an upper bound of admission
    safe_rate             the largest rate at which the bound holds on the existing machines; None: it holds at no rate
    needed_rate           the smallest rate that empties the line in time
    machines_needed       number of machines that are safe at that rate; None: more than MACHINES_MAX
    rate_per_second       setting for the waiting room: the lower end of the safe rate
    scalability           law fitted to the run, if it measured enough loads
    compared              comparison with the waits of the run, if people waited in a line
    cores                 cores kept busy, for each kind of journey with a known cost
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
