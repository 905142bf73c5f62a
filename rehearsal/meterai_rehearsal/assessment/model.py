"""What a report says, as data: embedded in it, so that every figure can be looked up.

The end of a field's name is its unit: `_seconds`, `_share` (of 1), `_rate` (a second), `_bytes`, `_rupiah`, `_hours`,
`_cores`, `_ms`; what has none is a number of things.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from meterai_rehearsal.simulation.model import Comparison, Plan, Scalability

SCHEMA: Final = 1


class Light(StrEnum):
    """How one question is answered."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"  # not measured, or not usable


class Said(msgspec.Struct, frozen=True):
    """The answer to one question: a sentence of the catalogue (`assess.<question>.<answer>`) and its facts."""

    question: str
    answer: str
    light: Light
    figures: Mapping[str, float] = {}
    words: Mapping[str, tuple[str, ...]] = {}  # by kind: `assess.<kind>.<name>`


class File(msgspec.Struct, frozen=True):
    """One file the report is made of."""

    name: str
    size_bytes: int
    sha256: str


class StepPart(msgspec.Struct, frozen=True):
    """One step of a journey; latencies from the intended time, of those who finished it.

    A percentile is None where so few finished that it would be the longest by another name.
    """

    name: str
    priority: str
    started: int
    finished: int
    stopped: int  # who began it and did not finish
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
    late: float  # answers with a fault or too late, in all
    refused: float  # in all
    waiting_peak: float
    waited_each_seconds: float | None  # for a turn, mean of all requests


class Line(msgspec.Struct, frozen=True):
    """A figure over the time of a run, for a picture: (second, value)."""

    of: str
    points: tuple[tuple[float, float], ...]


class FlowPart(msgspec.Struct, frozen=True):
    """Visitors of some seconds of a run: who came, whose journey ended well, who was lost."""

    at_seconds: float
    until_seconds: float
    came: int
    finished: int
    lost: int


class LossPart(msgspec.Struct, frozen=True):
    """Visitors lost at one step for one reason; as `capacity/losses.py` says."""

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
    """What gave out first, where anything did.

    kind  `processor`, `connections`, `elsewhere`, `nothing`, `unknown`; see `bottleneck.py`
    """

    kind: str
    group: str
    used_share: float | None
    running_peak: float | None
    waiting_peak: float | None
    queueing_seconds: (
        float | None
    )  # worst mean wait for a turn, of a second with the most under way
    groups: tuple[GroupPart, ...]


class FaultPart(msgspec.Struct, frozen=True):
    """Something broken on purpose."""

    kind: str
    at_seconds: float
    down_seconds: float | None
    recovery_seconds: float | None
    lost: int
    lost_by_name: tuple[tuple[str, int], ...]


class PromisePart(msgspec.Struct, frozen=True):
    """One promise over a run: how often it was asked, and what was found the worst time."""

    name: str
    asked: int
    held: int
    broken: int
    unknown: int
    found: str


class CostPart(msgspec.Struct, frozen=True):
    """What a stamp costs, as far as a run says.

    serving_cpu_seconds  of all groups but the generator and the stand-ins, other visitors included
    """

    stamps: int
    orders_paid: int
    requests: int
    serving_cpu_seconds: float | None
    cpu_each_ms: float | None
    traffic_each_bytes: float | None
    core_hour_rupiah: int | None  # as given
    thousand_rupiah: int | None  # a thousand stamps, processor alone


class ErrorPart(msgspec.Struct, frozen=True):
    """An answer a visitor would call an error."""

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
    flow: tuple[Line, ...]  # came, finished, lost: visitors a second
    flow_table: tuple[FlowPart, ...]  # the same in words, in parts of the run
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
        """True where the run says nothing about the installation."""
        return bool(self.void)


class Source(msgspec.Struct, frozen=True):
    """Where a curve of demand is from."""

    name: str
    title: str
    source: str
    known: str
    ours: str


class PlanPart(msgspec.Struct, frozen=True):
    """The simulation, and what follows from it."""

    file: File
    plan: Plan
    headroom_share: float | None  # of the safe rate that is not needed; negative: too little


class LiveRow(msgspec.Struct, frozen=True):
    """One row of a table of figures; `of` is a word of the room that counted, empty for all."""

    of: str
    kind: str  # key of the sentence of `of`, empty where the word stands as it is
    numbers: Mapping[str, int | float | None]


class LiveTable(msgspec.Struct, frozen=True):
    """One table of figures of a period: `figures.<name>` of the catalogue."""

    name: str
    rows: tuple[LiveRow, ...]


class LivePromise(msgspec.Struct, frozen=True):
    """A promise to the public, asked of the database of an installation: `promise.<promise>` is its sentence, and
    `promise.<name>` what was looked at; `asked` is the number of cases, `broken` those in which it was not kept.
    """

    promise: str
    name: str
    asked: int
    broken: int
    query: str


class LivePart(msgspec.Struct, frozen=True):
    """The figures of an installation's own database for a period, from `begin` to before `end`."""

    begin: datetime
    end: datetime
    at: datetime  # when it was read, in one snapshot
    url: str
    specimen: bool
    tables: tuple[LiveTable, ...]
    promises: tuple[LivePromise, ...] = ()


class Assessment(msgspec.Struct, frozen=True):
    """Everything a report says."""

    schema: int
    version: str
    bound_seconds: float  # 99 of 100 requests of those who paid are answered within
    recovery_bound_seconds: float
    tested: Said
    first_page: tuple[Said, ...]
    files: int
    runs: tuple[RunPart, ...]
    plan: PlanPart | None
    live: LivePart | None
    sources: tuple[Source, ...]
    missing: tuple[str, ...]  # what was not measured: keys of `assess.missing.<name>`
