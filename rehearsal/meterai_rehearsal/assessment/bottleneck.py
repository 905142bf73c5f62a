"""Bottleneck under the highest load of a run, with its evidence.

The examined seconds are those with the most requests under way (a tenth of the run). The first matching kind is
chosen:

  unknown       the installation's own figures were not reachable
  nothing       few requests waited for a permit and the processors were not full: the run found no limit
  processor     the cores were full
  connections   requests waited for a permit while processors were idle: admitted requests wait for the database
  elsewhere     requests are under way, do not wait for a permit, and leave processors idle: another machine, or a lock
"""

from statistics import fmean

from meterai_rehearsal.assessment.model import Bottleneck, GroupPart
from meterai_rehearsal.results import Run
from meterai_rehearsal.simulation.measured import NOT_SERVING

BUSY_SHARE = 0.1  # of the seconds of a run
FULL_SHARE = 0.9  # of all cores: the system's own work uses the rest
WAITING_SHARE = 0.5  # of those under way: as many others wait
RUNNING_LEAST = 2.0  # for each core; with fewer under way the installation is not loaded
WAITED = "meterai_limiter_waited_seconds_total"


def points_of(run: Run, name: str, of: str | None = None) -> dict[float, float]:
    """Return the values of a series by second; the sum of all series of this name if `of` is None."""
    found: dict[float, float] = {}
    for one in run.series:
        if one.name == name and of in (None, one.of):
            for at, value in zip(one.at, one.values, strict=True):
                found[at] = found.get(at, 0.0) + value
    return found


def bottleneck_of(run: Run) -> Bottleneck:
    """Return the bottleneck of a run."""
    running, waiting = points_of(run, "running"), points_of(run, "waiting")
    busy = _busiest(running)
    groups = _groups(run, busy)
    used = sum(one.busy_cores for one in groups) / run.machine.cores if groups else None
    serving = [one for one in groups if one.is_serving]
    under_way = fmean(running[at] for at in busy) if busy else None
    waited = fmean(waiting.get(at, 0.0) for at in busy) if busy else None
    return Bottleneck(
        kind=_kind(used, under_way, waited, run.machine.cores),
        group=max(serving, key=lambda one: one.busy_cores).name if serving else "",
        used_share=used,
        running_peak=under_way,
        waiting_peak=waited,
        queueing_seconds=_queueing(run, busy),
        groups=groups,
    )


def _kind(used: float | None, running: float | None, waiting: float | None, cores: int) -> str:
    if running is None or waiting is None or used is None:
        return "unknown"
    if used >= FULL_SHARE:
        return "processor"
    if waiting >= WAITING_SHARE * running and waiting > 1:
        return "connections"
    return "elsewhere" if running >= RUNNING_LEAST * cores else "nothing"


def _busiest(running: dict[float, float]) -> list[float]:
    """Return the seconds with the most requests under way."""
    count = max(1, round(len(running) * BUSY_SHARE))
    return sorted(running, key=lambda at: running[at])[-count:] if running else []


def _groups(run: Run, busy: list[float]) -> tuple[GroupPart, ...]:
    found = []
    for name in sorted({one.of for one in run.series if one.name == "cpu"}):
        cpu = points_of(run, "cpu", name)
        if not cpu:
            continue
        at_peak = [value for second, value in cpu.items() if _is_near(second, busy)]
        found.append(
            GroupPart(
                name=name,
                mean_cores=fmean(cpu.values()),
                busy_cores=fmean(at_peak) if at_peak else fmean(cpu.values()),
                is_serving=name not in NOT_SERVING,
            )
        )
    return tuple(found)


def _is_near(second: float, busy: list[float]) -> bool:
    """True if a processor time that was read at `second` belongs to one of the seconds `busy` of the metrics:
    metrics and processor times are read one after the other.
    """
    return any(abs(second - at) <= 0.5 for at in busy)


def _queueing(run: Run, busy: list[float]) -> float | None:
    """Return the seconds of waiting for a permit, divided by the number of answers, in the seconds `busy`; None
    if unknown.
    """
    waited, answered = points_of(run, WAITED), points_of(run, "goodput")
    total = sum(answered.get(at, 0.0) for at in busy)
    spent = sum(waited.get(at, 0.0) for at in busy)
    return spent / total if waited and total else None
