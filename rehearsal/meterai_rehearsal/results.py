"""Run: all that one rehearsal offered, observed and found, as one JSON file.

Times are seconds from the beginning of the run, durations are seconds, sizes bytes. A latency counts from the
*intended* time (when a visitor would have acted), never from the moment of sending, so that a stalled server cannot
hide visitors who would have come meanwhile. Values that were not measured are `None` or an empty series; nothing is
filled in.
"""

import errno
import os
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.files import read_file

SCHEMA: Final = 1  # of this file; raised when the meaning of a field changes
RUN_BYTES_MAX = 256 * 1024 * 1024  # a night at one line a second takes a hundredth of it


class RunUnreadable(CommandRefusal):
    """The file is not a run, or a run of another version."""

    code = "run_unreadable"
    status = 422

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Latency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Distribution of durations.

    `histogram` is an HdrHistogram of whole microseconds, three digits, in its V2 encoding (base64), so that the
    distributions of several runs can be added; the other fields are read from it. All fields are zero if no
    duration was counted.
    """

    count: int
    mean: float
    p50: float
    p90: float
    p99: float
    p999: float
    longest: float
    histogram: str


class DataSize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Amount of data in the installation at the begin and the end of the run."""

    directory_bytes_before: int
    directory_bytes_after: int


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The machine of the generator, which is also that of the installation if `Target.is_own`."""

    cores: int
    memory_bytes: int
    system: str  # of the kernel, with its release
    load_average: float  # of the last minute, before the run began: other work on the same machine
    versions: Mapping[str, str]  # python, meterai, postgres, ... by name
    commit: str | None = None
    data: DataSize | None = None


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Target of the run, and who allowed it."""

    url: str
    is_own: bool  # started by this run, on this machine, in its own directory
    is_loopback: bool
    allowed_by: str | None = None  # of the written list, if it is not loopback
    allowed_until: datetime | None = None
    # Settings of an own installation that differ from their defaults.
    settings: Mapping[str, str] = msgspec.field(default_factory=dict)


class VoidReason(StrEnum):
    """Reason why a run says nothing about the installation."""

    BEYOND_LIMIT = "beyond_limit"  # more was offered than the generator can send
    DROPPED = "dropped"  # arrivals that the generator did not begin
    LATE = "late"  # too many arrivals began late by the generator's own fault
    TOO_SLOW = "too_slow"  # the generator could not be measured in time, and nobody was sent
    STARVED = "starved"  # the generator had no more files, ports or memory for its visitors
    BROKEN_OFF = "broken_off"  # stopped before the plan was through
    GENERATOR_DIED = "generator_died"  # a process of it ended, or fell silent


class Generator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Generator of the load. A run with a reason in `void` must not be used to judge the installation."""

    processes: int
    # Requests, measured against a trivial server before the run; 0 if not possible.
    limit_per_second: float
    peak_per_second: float  # requests sent in the busiest second of the run
    open_max: int  # visitors that may be under way at once
    lateness: Latency  # of beginnings of arrivals, after the intended time
    wrk_per_second: float | None = None  # the same server measured by wrk, if it is installed
    void: tuple[VoidReason, ...] = ()


class Arrivals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Visitors by second: item n is of the second that begins n seconds after the beginning.

    offered = sent + dropped. All three have the same length.
    """

    offered: tuple[int, ...]
    sent: tuple[int, ...]
    dropped: tuple[int, ...]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a journey: an act of a visitor and the wait for its page, retries included.

    started = finished + the sum of `failed` + the visitors under way when the run ended.
    """

    name: str
    started: int
    finished: int
    failed: Mapping[
        str, int
    ]  # by reason: `status_500`, ...; for visitors who gave up, the last answer: `busy`, `away`, `connection_lost`, `gave_up`
    refused: int  # temporary refusals by the limiter; the visitor may have succeeded later
    latency: Latency  # of finished steps


class Journey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of visit, from the intended arrival to its last step."""

    name: str
    started: int
    finished: int
    failed: Mapping[str, int]  # by `<step>: <reason>`
    latency: Latency  # of whole finished journeys, pauses of the visitor included
    working: Latency  # the same without the pauses: the waits caused by the installation
    steps: tuple[Step, ...]


class Series(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure over time.  `at` and `values` have the same length; `of` is the subject of the figure.

    name                of                unit        what it is
    goodput             a priority        1/s         answered in time (`meterai_limiter_in_time_total`)
    late                a priority        1/s         ended with a fault or too late
    refused             a priority        1/s         refused by the limiter, to be tried again
    running, waiting    a priority        requests    under way; waiting for a permit
    limit               ""                requests    that may be under way
    finished            a journey         1/s         journeys that ended well
    under_way           a journey         visitors    begun and not ended
    answers             a status          1/s         answers with that status, or requests with that outcome
    requests, failed    ""                1/s         requests sent; steps that failed
    lost                <journey>.<step>: <reason>
                                          1/s         visitors who left at that step for that reason
    step_latency        <journey>.<step>  s           mean of the steps that ended in the second
    cpu                 a process group   cores       processor time by the clock: web, worker, postgres, ...
    memory              a process group   bytes       resident memory
    Further gauges of the installation have the name of their metric, and counters its rate.
    """

    name: str
    of: str
    unit: str
    at: tuple[float, ...]
    values: tuple[float, ...]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault that the plan made on purpose."""

    kind: str  # as in the plan
    at: float
    healed_at: float | None  # time when the cause was gone; None if it lasted to the end
    recovered_at: (
        float | None
    )  # time when latency was normal again and stayed so; None if it never was
    recovery_seconds: float | None  # from the fault's end to `recovered_at`
    lost: Mapping[
        str, int
    ]  # losses by name: `orders`, `stamps`, `payments`; the promise is zero for each


class Promise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of one check of a promise, during the run or at its end.

    name    `audit`, `no_error_pages`, `paid_before_unpaid`, `order_of_the_line`, `share_of_strangers`,
            `nothing_lost`
    held    None if it could not be determined; `found` says why
    """

    name: str
    at: float
    held: bool | None
    found: str


class ErrorPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answer that a visitor would call an error: 5xx other than the limiter's, or content that is no page."""

    at: float
    journey: str
    step: str
    status: int
    path: str
    begins: str  # the first characters of the content


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Resources used by the load, from which a price can be computed."""

    cpu_seconds: Mapping[str, float]  # by process group, of an own installation
    bytes_sent: int
    bytes_received: int
    requests: int
    orders_paid: int
    stamps: int  # delivered and checked: the download begins with the original


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rehearsal."""

    schema: int
    name: str  # of the plan
    began_at: datetime
    seconds: float  # from the beginning to the last visitor
    seed: int
    command: tuple[str, ...]  # command line that repeats the run
    plan: str  # the given TOML
    machine: Machine
    target: Target
    generator: Generator
    arrivals: Arrivals
    journeys: tuple[Journey, ...]
    statuses: Mapping[str, int]  # answers by status, the limiter's own 503 as `busy`
    error_pages: int
    first_error_pages: tuple[ErrorPage, ...]
    series: tuple[Series, ...]
    faults: tuple[Fault, ...]
    promises: tuple[Promise, ...]
    costs: Costs

    @property
    def is_void(self) -> bool:
        """True if the run says nothing about the installation."""
        return bool(self.generator.void)

    @property
    def broken(self) -> tuple[Promise, ...]:
        """Promises that did not hold."""
        return tuple(one for one in self.promises if one.held is False)


class _Version(msgspec.Struct, frozen=True):
    """Fields that every version of the file has."""

    schema: int


def _temporary_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def check_writable(path: Path) -> None:
    """Check that a run can be written, before hours of work. Raises `OSError`."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    _temporary_path(path).touch()
    _temporary_path(path).unlink()


def write(run: Run, path: Path) -> None:
    """Write a run atomically: a crash leaves the earlier file, or none."""
    beside = _temporary_path(path)
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")
    beside.replace(path)


def read(path: Path) -> Run:
    """Read a run from its file. Refuses `RunUnreadable`."""
    try:
        text = read_file(path, RUN_BYTES_MAX)
        version = msgspec.json.decode(text, type=_Version).schema
        if version != SCHEMA:
            raise RunUnreadable(str(path), f"the file has version {version}, expected is {SCHEMA}")
        return msgspec.json.decode(text, type=Run)
    except (OSError, UnicodeDecodeError, RecursionError, msgspec.MsgspecError) as error:
        raise RunUnreadable(str(path), str(error)) from None
