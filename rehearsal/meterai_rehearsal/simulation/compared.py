"""Comparison of prediction and measurement: the arrivals of a run, simulated in a line at the rate of its line."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from meterai.plumbing.toml import read_toml
from meterai_rehearsal.histograms import read, together
from meterai_rehearsal.losses import QUEUE, RATE
from meterai_rehearsal.results import Run, Step
from meterai_rehearsal.simulation.line import admit
from meterai_rehearsal.simulation.measured import FINISHED_MIN
from meterai_rehearsal.simulation.model import COMPARED_SHARE, Comparison, Line

WAITING = "meterai_line_waiting"
LOOK_SECONDS = (
    5.0  # between two looks of a visitor whose turn is near; the first is after one or two
)
PATIENCE_SECONDS = 3_600.0  # in a line, if the plan does not say


def compared(run: Run, seed: int) -> Comparison | None:
    """Return predicted and measured waits in line; None if nobody waited, or the rate of the line is unknown."""
    steps = [step for one in run.journeys for step in one.steps if step.name == QUEUE]
    rate = _rate(run)
    measured = read(together(step.latency for step in steps))
    if not measured.count or rate is None:
        return None
    waits = _predicted(run, steps, rate, np.random.default_rng(seed))
    if not len(waits):
        return None
    p50, p95 = measured.at(0.5), measured.at(0.95)
    predicted_p50, predicted_p95 = np.quantile(waits, (0.5, 0.95)).tolist()
    quotients = predicted_p50 / p50, predicted_p95 / p95
    is_within = all(abs(one - 1) <= COMPARED_SHARE for one in quotients)
    return Comparison(
        waited=measured.count,
        rate=rate,
        measured_p50=p50,
        measured_p95=p95,
        predicted_p50=predicted_p50,
        predicted_p95=predicted_p95,
        quotient_p50=quotients[0],
        quotient_p95=quotients[1],
        is_within=is_within if measured.count >= FINISHED_MIN else None,
    )


def _rate(run: Run) -> float | None:
    """Return the mean rate of the line while people waited; with several lines the sum of their rates."""
    rates = [rate for one in _lines(run) for rate in one]
    return float(np.mean(rates)) if rates else None


def _lines(run: Run) -> Iterator[list[float]]:
    """Yield for each line its target rates in the seconds in which somebody waited."""
    waiting = {one.of: one for one in run.series if one.name == WAITING}
    for one in run.series:
        if one.name == RATE and one.of in waiting:
            other = waiting[one.of]
            waits = dict(zip(other.at, other.values, strict=True))
            yield [
                rate
                for at, rate in zip(one.at, one.values, strict=True)
                if waits.get(at, 0.0) > 0 and rate > 0
            ]


def _predicted(
    run: Run, steps: list[Step], rate: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return the simulated waits of visitors who enter before the run ends."""
    offered = np.repeat(np.arange(len(run.arrivals.offered)), run.arrivals.offered)
    share = sum(step.started for step in steps) / max(len(offered), 1)
    into = offered[random.random(len(offered)) < share]
    came = np.sort(into + random.random(len(into)))
    if not len(came):
        return came
    patience = _patience(run)
    line = Line(no_shows=0.0, patience_seconds=patience, is_patience_same=True)
    found = admit(came, rate, line, random)
    # A called visitor notices the call at the next look.
    first = LOOK_SECONDS * (1 + random.random(len(came)))
    looks = np.ceil(np.maximum(found.waits - first, 0.0) / LOOK_SECONDS)
    waits = first + looks * LOOK_SECONDS
    seen: NDArray[np.float64] = waits[(waits <= patience) & (came + waits <= run.seconds)]
    return seen


def _patience(run: Run) -> float:
    """Return the longest wait of a visitor of the run in a line."""
    try:
        return float(read_toml(run.plan)["bounds"]["line_patience_seconds"])
    except (ValueError, LookupError, TypeError):
        return PATIENCE_SECONDS
