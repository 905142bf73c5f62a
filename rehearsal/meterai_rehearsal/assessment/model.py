"""Data of a report, which is embedded in the report, so that every figure can be looked up.

The end of a field's name is its unit: `_seconds`, `_share` (of 1), `_rate` (a second), `_bytes`, `_rupiah`, `_hours`,
`_cores`, `_ms`; a field without a unit is a count.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from meterai_rehearsal.simulation.model import Comparison, Plan, Scalability

SCHEMA: Final = 1


class Light(StrEnum):
    """Traffic light of an answer."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"  # not measured, or not usable


class Said(msgspec.Struct, frozen=True):
    """Answer to one question: a sentence of the catalogue (`assess.<question>.<answer>`) and its facts."""

    question: str
    answer: str
    light: Light
    figures: Mapping[str, float] = {}
    words: Mapping[str, tuple[str, ...]] = {}  # by kind: `assess.<kind>.<name>`


class File(msgspec.Struct, frozen=True):
    """One input file of the report."""

    name: str
    size_bytes: int
    sha256: str


class StepPart(msgspec.Struct, frozen=True):
    """One step of a journey; latencies count from the intended time, of visitors who finished the step. A percentile is
    None if so few finished that it would equal the maximum.
    """

    name: str
    priority: str
    started: int
    finished: int
    stopped: int  # visitors who began the step and did not finish it
    stopped_share: float
    refused: int
    failed: tuple[tuple[str, int], ...]
    p50_seconds: float
    p90_seconds: float | None
    p99_seconds: float | None
    p999_seconds: float | None
    longest_seconds: float


class JourneyPart(msgspec.Struct, frozen=True):
    """One kind of visit; `working_*` is the time without the visitor's own pauses."""

    name: str
    started: int
    finished: int
    finished_share: float
    p50_seconds: float
    p99_seconds: float | None
    longest_seconds: float
    working_p50_seconds: float
    working_p99_seconds: float | None
    steps: tuple[StepPart, ...]


class ClassPart(msgspec.Struct, frozen=True):
    """Goodput of one priority."""

    priority: str
    mean_rate: float
    peak_rate: float
    late: float  # answers with a fault or too late, in total
    refused: float  # in total
    waiting_peak: float
    waited_each_seconds: float | None  # mean wait of all requests for a permit


class Line(msgspec.Struct, frozen=True):
    """A figure over the time of a run, for a chart: points of (second, value)."""

    of: str
    points: tuple[tuple[float, float], ...]


class FlowPart(msgspec.Struct, frozen=True):
    """Numbers of visitors who arrived, finished and were lost, from `at_seconds` to `until_seconds` of a run."""

    at_seconds: float
    until_seconds: float
    came: int
    finished: int
    lost: int


class LossPart(msgspec.Struct, frozen=True):
    """Visitors lost at one step for one reason, as in `losses.py`."""

    journey: str
    step: str
    reason: str
    visitors: int
    first_seconds: float
    last_seconds: float
    pool: str
    pressure_share: float | None
    line_rate: float | None


class GroupPart(msgspec.Struct, frozen=True):
    """Processor use of one group of processes."""

    name: str
    mean_cores: float
    busy_cores: float  # in the seconds with the most requests under way
    is_serving: bool


class Bottleneck(msgspec.Struct, frozen=True):
    """Bottleneck, if there was one.

    kind   `processor`, `connections`, `elsewhere`, `nothing`, `unknown`; see `bottleneck.py`
    """

    kind: str
    group: str
    used_share: float | None
    running_peak: float | None
    waiting_peak: float | None
    queueing_seconds: float | None  # longest mean wait for a permit, in the busiest seconds
    groups: tuple[GroupPart, ...]


class FaultPart(msgspec.Struct, frozen=True):
    """A fault that the plan made."""

    kind: str
    at_seconds: float
    down_seconds: float | None
    recovery_seconds: float | None
    lost: int
    lost_by_name: tuple[tuple[str, int], ...]


class PromisePart(msgspec.Struct, frozen=True):
    """One promise over a run: the number of checks, and the findings of the worst check."""

    name: str
    asked: int
    held: int
    broken: int
    unknown: int
    found: str


class CostPart(msgspec.Struct, frozen=True):
    """Cost of a stamp, as far as a run shows it.

    serving_cpu_seconds   processor seconds of all groups of processes except the generator and the stand-ins,
                          including work for other visitors
    """

    stamps: int
    orders_paid: int
    requests: int
    serving_cpu_seconds: float | None
    cpu_each_ms: float | None
    traffic_each_bytes: float | None
    core_hour_rupiah: int | None  # given by the user
    thousand_rupiah: int | None  # a thousand stamps, processor alone


class ErrorPart(msgspec.Struct, frozen=True):
    """Answer that a visitor would call an error."""

    at_seconds: float
    journey: str
    step: str
    status: str
    path: str


class RunPart(msgspec.Struct, frozen=True):
    """One run."""

    name: str
    file: File
    began_at: datetime
    length_seconds: float
    seed: str
    command: str
    void: tuple[str, ...]
    cores: int
    memory_bytes: int
    system: str
    load_average: float
    versions: tuple[tuple[str, str], ...]
    commit: str
    data_bytes: int | None
    url: str
    is_own: bool
    allowed_by: str
    settings: tuple[tuple[str, str], ...]
    generator_processes: int
    generator_limit_rate: float
    generator_peak_rate: float
    generator_late_p99_seconds: float
    wrk_rate: float | None
    visitors: int
    visitors_dropped: int
    visitors_peak_rate: float
    flow: tuple[Line, ...]  # arrived, finished, lost: visitors a second
    flow_table: tuple[FlowPart, ...]  # the same as a table, by parts of the run
    losses: tuple[LossPart, ...]
    statuses: tuple[tuple[str, int], ...]
    error_pages: int
    first_error_pages: tuple[ErrorPart, ...]
    journeys: tuple[JourneyPart, ...]
    classes: tuple[ClassPart, ...]
    goodput: tuple[Line, ...]
    scalability: Scalability | None
    compared: Comparison | None
    bottleneck: Bottleneck
    faults: tuple[FaultPart, ...]
    promises: tuple[PromisePart, ...]
    costs: CostPart

    @property
    def is_void(self) -> bool:
        """True if the run says nothing about the installation."""
        return bool(self.void)


class Source(msgspec.Struct, frozen=True):
    """Source of a curve of demand, with known facts and assumptions."""

    name: str
    title: str
    source: str
    known: str
    ours: str


class PlanPart(msgspec.Struct, frozen=True):
    """The simulation, and the figures derived from it."""

    file: File
    plan: Plan
    headroom_share: (
        float | None
    )  # unused share of the safe rate; negative if the safe rate is too low


class LiveRow(msgspec.Struct, frozen=True):
    """Row of a table of figures; `of` is the counted group, in the words of the room, empty for all."""

    of: str
    kind: str  # key of the sentence of `of`, empty if the word is shown unchanged
    numbers: Mapping[str, int | float | None]


class LiveTable(msgspec.Struct, frozen=True):
    """Table of figures of a period: `figures.<name>` of the catalogue."""

    name: str
    rows: tuple[LiveRow, ...]


class LivePromise(msgspec.Struct, frozen=True):
    """Promise to the public, checked in the database of an installation.

    `promise.<promise>` is its sentence, `promise.<name>` the check; `asked` is the number of cases, `broken` the
    number of violations.
    """

    promise: str
    name: str
    asked: int
    broken: int
    query: str


class LivePart(msgspec.Struct, frozen=True):
    """Figures of an installation's own database for a period, from `begin` to before `end`."""

    begin: datetime
    end: datetime
    at: datetime  # time of the snapshot
    url: str
    specimen: bool
    tables: tuple[LiveTable, ...]
    promises: tuple[LivePromise, ...] = ()


class Assessment(msgspec.Struct, frozen=True):
    """All data of a report."""

    schema: int
    version: str
    bound_seconds: float  # bound for 99 of 100 requests of those who paid
    recovery_bound_seconds: float
    tested: Said
    first_page: tuple[Said, ...]
    files: int
    runs: tuple[RunPart, ...]
    plan: PlanPart | None
    live: LivePart | None
    sources: tuple[Source, ...]
    missing: tuple[str, ...]  # parts that were not measured: keys of `assess.missing.<name>`
