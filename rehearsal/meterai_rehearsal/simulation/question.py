"""Input of `meterai plan`, read and checked: invalid input is refused by the name of its option."""

import hashlib
from math import isfinite

from meterai.kit.priority import ALLOWANCES, Priority
from meterai.kit.refusal import Malformed
from meterai.kit.text import one_line
from meterai.plumbing.files import read_file
from meterai_rehearsal.results import RUN_BYTES_MAX, Run, read
from meterai_rehearsal.simulation import model
from meterai_rehearsal.simulation.asked import Asked
from meterai_rehearsal.simulation.compared import compared
from meterai_rehearsal.simulation.cores import Cost, given_cost, measured_cost
from meterai_rehearsal.simulation.demand import shape_of
from meterai_rehearsal.simulation.measured import (
    RunUnusable,
    busy_share,
    load_points,
    steps_of,
)
from meterai_rehearsal.simulation.model import Line, Retries, Scenario, ServiceTime, Step
from meterai_rehearsal.simulation.planning import Question
from meterai_rehearsal.simulation.steady import with_bounds

PATIENCE = {priority: one.wait_seconds for priority, one in ALLOWANCES.items()}


def question_of(asked: Asked) -> Question:
    """Return the question. Refuses `Malformed`, `RunUnreadable`, `RunUnusable`."""
    _check(asked)
    shape = shape_of(asked.curve)
    curve = shape.curve.over(asked.hours * 3600)
    run = _run(asked)
    steps, servers, sources = _given(asked) if run is None else _measured(run, asked)
    scenario = Scenario(
        applicants=asked.applicants,
        hours=asked.hours,
        grace_hours=asked.grace_hours,
        curve=asked.curve,
        machines=asked.machines,
        servers=servers,
        steps=steps,
        line=Line(
            no_shows=asked.no_shows,
            patience_seconds=_minutes(asked.patience_minutes),
        ),
        retries=Retries(patience_seconds=PATIENCE),
        bounds={},
    )
    bound_seconds = None if asked.bound_ms is None else asked.bound_ms / 1000
    told = (one_line(f"{asked.curve}: {shape.title}. {shape.source}. Assumed: {shape.ours}"),)
    return Question(
        scenario=with_bounds(scenario, bound_seconds, asked.seed),
        curve=curve,
        sources=(*sources, *told),
        measured_sha256=_digest(asked),
        loads=() if run is None else load_points(run),
        rates=tuple(asked.admit),
        wait_bound_seconds=asked.wait_minutes * 60,
        seed=asked.seed,
        replications=asked.replications,
        is_whole=asked.whole,
        compared=None if run is None else compared(run, asked.seed),
        costs=_costs(run, asked),
    )


def _costs(run: Run | None, asked: Asked) -> tuple[Cost, ...]:
    """Return the costs of journeys that the run measured, and those that were given as options."""
    found = None if run is None else measured_cost(run, asked.journey, _told(run, asked))
    return (*((found,) if found else ()), *map(given_cost, asked.journey_ms))


def _minutes(minutes: float | None) -> float | None:
    return None if minutes is None else minutes * 60


def _check(asked: Asked) -> None:
    _within("--applicants", asked.applicants, 1, model.APPLICANTS_MAX)
    _within("--hours", asked.hours, 1 / 60, model.HOURS_MAX)
    _within("--grace-hours", asked.grace_hours, 0.01, model.HOURS_MAX)
    _within("--machines", asked.machines, 1, model.MACHINES_MAX)
    _within("--no-shows", asked.no_shows, 0, 0.9)
    _within("--pause-seconds", asked.pause_seconds, 0, model.SECONDS_MAX)
    _within("--wait-minutes", asked.wait_minutes, 0, model.HOURS_MAX * 60)
    _within("--replications", asked.replications, model.REPLICATIONS_MIN, model.REPLICATIONS_MAX)
    _within("--seed", asked.seed, 0, model.SEED_MAX)
    if asked.bound_ms is not None:
        _within("--bound-ms", asked.bound_ms, 1, model.SECONDS_MAX * 1000)
    if asked.servers is not None:
        _within("--servers", asked.servers, 1, model.SERVERS_MAX)
    if asked.patience_minutes is not None:
        _within("--patience-minutes", asked.patience_minutes, 1 / 60, model.HOURS_MAX * 60)
    for rate in asked.admit:
        _within("--admit", rate, 0.001, model.RATE_MAX)


def _within(option: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # excludes NaN
        raise Malformed(option, "number_between", least=f"{least:g}", most=f"{most:g}")


def _run(asked: Asked) -> Run | None:
    if (asked.measured is None) == (not asked.service_ms):
        raise Malformed("--measured", "measured_or_service")
    return None if asked.measured is None else read(asked.measured)


def _digest(asked: Asked) -> str | None:
    """Return the hash of the run's file, by which a report recognizes the run."""
    if asked.measured is None:
        return None
    return hashlib.sha256(read_file(asked.measured, RUN_BYTES_MAX)).hexdigest()


# Steps, number of servers of one machine, and the sources of both.
Served = tuple[tuple[Step, ...], int, tuple[str, ...]]


def _given(asked: Asked) -> Served:
    if asked.servers is None:
        raise Malformed("--servers", "given")
    return _given_steps(asked), asked.servers, ("--service-ms and --servers, as given",)


def _measured(run: Run, asked: Asked) -> Served:
    servers = asked.servers or _cores(run)
    return steps_of(run, asked.journey), servers, (_told(run, asked),)


def _cores(run: Run) -> int:
    """Return the number of servers: the cores, if the run has processor times."""
    if not run.target.is_own or busy_share(run) is None:
        raise RunUnusable(run.name, "it has no processor times, so --servers must be given")
    return run.machine.cores


def _told(run: Run, asked: Asked) -> str:
    told = f"{asked.measured}: {run.name} of {run.began_at.isoformat()}, seed {run.seed}, {asked.journey}"
    return one_line(told)


def _given_steps(asked: Asked) -> tuple[Step, ...]:
    if len(asked.service_ms) > model.STEPS_MAX:
        raise Malformed("--service-ms", "service_times")
    steps = [_given_step(words) for words in asked.service_ms]
    return tuple(
        Step(step.name, step.priority, step.service, asked.pause_seconds if number else 0.0)
        for number, step in enumerate(steps)
    )


def _given_step(words: str) -> Step:
    """Read `120`, `money=120`, or percentiles: `money=50:100/90:180/99:400`."""
    name, is_named, times = words.rpartition("=")
    try:
        priority = Priority[name.upper()] if is_named else Priority.NEW
        service = _percentiles(times) if ":" in times else ServiceTime((_seconds(times),))
    except (KeyError, ValueError):
        raise Malformed("--service-ms", "service_times") from None
    return Step(name or "request", priority, service)


def _percentiles(times: str) -> ServiceTime:
    """Return quantiles, from 0 at the 0th percentile on; above the highest given percentile the value is constant."""
    pairs = [pair.split(":") for pair in times.split("/")]
    shares = [float(percentile) / 100 for percentile, _ in pairs]
    values = [_seconds(value) for _, value in pairs]
    is_rising = shares == sorted(set(shares)) and values == sorted(values)
    if not (is_rising and shares[0] > 0 and shares[-1] <= 1):
        raise ValueError(times)
    return ServiceTime((0.0, *values, values[-1]), shares=(0.0, *shares, 1.0))


def _seconds(milliseconds: str) -> float:
    found = float(milliseconds) / 1000
    if not (isfinite(found) and 0 < found <= model.SECONDS_MAX):
        raise ValueError(milliseconds)
    return found
