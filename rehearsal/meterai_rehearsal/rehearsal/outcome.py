"""Outcome of a rehearsal: counts, notes and findings are combined into a `Run`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from meterai_rehearsal.losses import LOST
from meterai_rehearsal.rehearsal.given import Rehearsal
from meterai_rehearsal.rehearsal.installation import Done
from meterai_rehearsal.rehearsal.observation import Observation
from meterai_rehearsal.rehearsal.plan import CommandPlan, FaultPlan
from meterai_rehearsal.rehearsal.recovery import recovered_at
from meterai_rehearsal.rehearsal.tally import Counted
from meterai_rehearsal.results import (
    SCHEMA,
    Arrivals,
    Costs,
    Fault,
    Generator,
    Machine,
    Promise,
    Run,
    Series,
    VoidReason,
)

LATE_SECONDS_MAX = (
    0.25  # of the latest hundredth of beginnings: a longer one would count as the server's
)


@dataclass(slots=True)
class Happened:
    """Notes made during the load: samples, faults, results of promises and of commands, and whether the load was complete."""

    observed: Observation = field(default_factory=Observation)
    broken: list[tuple[FaultPlan, float, float | None]] = field(default_factory=list)
    asked: list[Promise] = field(default_factory=list)
    commanded: list[tuple[CommandPlan, float, Done]] = field(default_factory=list)
    is_broken_off: bool = False
    is_complete: bool = True  # every generator process reported its counts


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the generator alone, in requests a second; of wrk if it is installed."""

    ours: float
    wrk: float | None


def _faults(happened: Happened, counted: Counted, lost: Mapping[str, int]) -> tuple[Fault, ...]:
    found = []
    for plan, at, healed_at in happened.broken:
        recovered = None
        if healed_at is not None:
            recovered = recovered_at(counted.seconds, at, healed_at, counted.last_at)
        # A lasting fault counts from the end of its cause; a killed part counts from its death.
        since = healed_at if plan.kind.lasts else at
        took = None if recovered is None or since is None else max(recovered - since, 0.0)
        found.append(Fault(plan.kind.value, at, healed_at, recovered, took, lost))
    return tuple(found)


def _by_seconds(counted: Counted) -> list[Series]:
    """Return the generator's counts as series."""
    found = []
    for name, figures in counted.seconds.items():
        what, _, of = name.partition("/")
        at = tuple(float(second) for second in range(len(figures)))
        if what == "took":
            ended = counted.seconds[f"ended/{of}"]
            told = [(t, f / n) for t, f, n in zip(at, figures, ended, strict=True) if n]
            times, means = tuple(t for t, _ in told), tuple(mean for _, mean in told)
            found.append(Series("step_latency", of, "s", times, means))
        elif what in ("finished", "answers", "requests", "failed", LOST):
            found.append(Series(what, of, "1/s", at, tuple(figures)))
        elif what == "under_way":
            found.append(Series(what, of, "visitors", at, tuple(figures)))
    return found


def _void_reasons(
    counted: Counted, happened: Happened, limits: Limits | None
) -> tuple[VoidReason, ...]:
    if limits is None:
        return (VoidReason.TOO_SLOW,)
    reasons = {
        VoidReason.BEYOND_LIMIT: _peak(counted) > limits.ours,
        VoidReason.DROPPED: sum(counted.seconds.get("dropped", ())) > 0,
        VoidReason.LATE: counted.lateness.p99 > LATE_SECONDS_MAX,
        VoidReason.BROKEN_OFF: happened.is_broken_off,
        VoidReason.GENERATOR_DIED: not happened.is_complete,
        VoidReason.STARVED: counted.starved > 0,
    }
    return tuple(reason for reason, is_so in reasons.items() if is_so)


def _peak(counted: Counted) -> float:
    return max(counted.seconds.get("requests", [0.0]))


def _generator(
    rehearsal: Rehearsal,
    counted: Counted,
    happened: Happened,
    limits: Limits | None,
) -> Generator:
    return Generator(
        processes=rehearsal.processes,
        limit_per_second=limits.ours if limits else 0.0,
        peak_per_second=_peak(counted),
        open_max=rehearsal.plan.bounds.open_max,
        lateness=counted.lateness,
        wrk_per_second=limits.wrk if limits else None,
        void=_void_reasons(counted, happened, limits),
    )


def _arrivals(counted: Counted) -> Arrivals:
    length = int(counted.last_at) + 1
    none = [0.0] * length

    def of(name: str) -> tuple[int, ...]:
        return tuple(int(one) for one in counted.seconds.get(name, none))

    return Arrivals(of("offered"), of("sent"), of("dropped"))


def run_of(
    rehearsal: Rehearsal,
    happened: Happened,
    counted: Counted,
    limits: Limits | None,
    machine: Machine,
    began_at: datetime,
) -> Run:
    """Return the run."""
    lost = {"stamps": counted.stamps_wrong}
    return Run(
        schema=SCHEMA,
        name=rehearsal.plan.name,
        began_at=began_at,
        seconds=counted.last_at,
        seed=rehearsal.plan.seed,
        command=tuple(rehearsal.command),
        plan=rehearsal.text,
        machine=machine,
        target=rehearsal.target,
        generator=_generator(rehearsal, counted, happened, limits),
        arrivals=_arrivals(counted),
        journeys=counted.journeys,
        statuses=counted.statuses,
        error_pages=counted.error_pages,
        first_error_pages=counted.first_error_pages,
        series=(*_by_seconds(counted), *happened.observed.series()),
        faults=_faults(happened, counted, lost),
        promises=tuple(happened.asked),
        costs=Costs(
            cpu_seconds=happened.observed.cpu_seconds(),
            bytes_sent=counted.bytes_sent,
            bytes_received=counted.bytes_received,
            requests=counted.requests,
            orders_paid=counted.orders_paid,
            stamps=counted.stamps,
        ),
    )
