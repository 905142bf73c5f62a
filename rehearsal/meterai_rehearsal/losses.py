"""Losses of visitors: step, journey, reason, time and pool.

The pool is the part of the installation that delayed visitors in the seconds in which they were lost: the line for visitors
who gave up in a line, else the station with the highest pressure, by the installation's own figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from meterai_rehearsal.results import Run, Series

LOST = "lost"  # series: visitors lost in a second, by `<journey>.<step>: <reason>`
QUEUE = "queue"  # step of a visitor who waits in a line
WAITING = frozenset({QUEUE, "let_in"})  # and of one who was called and waits for room inside
LINE = "line"
PRESSURE, RATE = "meterai_station_pressure", "meterai_line_rate"
NEAR_SECONDS = 5.0  # seconds for which the last figure of the installation is valid
PRESSURE_MIN = 0.05  # share of the bound; a station with a lower pressure delays nobody


@dataclass(frozen=True, slots=True)
class Loss:
    """Visitors lost at one step for one reason.

    pool        `line`, the name of a station, or empty: no pool delayed anybody, or none was observed
    pressure    mean wait at the station as a share of its bound; None if the pool is no station
    line_rate   target admissions a second of the line; None if the pool is no line
    """

    journey: str
    step: str
    reason: str
    visitors: int
    first_at: float
    last_at: float
    pool: str
    pressure: float | None
    line_rate: float | None


def losses_of(run: Run) -> tuple[Loss, ...]:
    """Return every loss of a run, the largest first."""
    found = [_loss(run, one) for one in run.series if one.name == LOST and sum(one.values) > 0]
    return tuple(sorted(found, key=lambda one: (-one.visitors, one.journey, one.step, one.reason)))


def _loss(run: Run, series: Series) -> Loss:
    place, _, reason = series.of.partition(": ")
    journey, _, step = place.partition(".")
    lost = {at: n for at, n in zip(series.at, series.values, strict=True) if n}
    if step in WAITING:
        pool, pressure, rate = LINE, None, max(_means(run, RATE, lost).values(), default=None)
    else:
        pressures = _means(run, PRESSURE, lost)
        most = max(pressures, key=lambda name: pressures[name], default="")
        is_held = bool(most) and pressures[most] >= PRESSURE_MIN
        pool, pressure, rate = (most, pressures[most], None) if is_held else ("", None, None)
    return Loss(
        journey,
        step,
        reason,
        int(sum(lost.values())),
        min(lost),
        max(lost),
        pool,
        pressure,
        rate,
    )


def _means(run: Run, name: str, lost: Mapping[float, float]) -> dict[str, float]:
    """Return the mean of each series called `name` over the seconds in `lost`, weighted by the visitors lost in
    each second.
    """
    found = {}
    for one in run.series:
        if one.name == name:
            values = [
                (n, value) for at, n in lost.items() if (value := _value_at(one, at)) is not None
            ]
            if values:
                found[one.of] = sum(n * value for n, value in values) / sum(n for n, _ in values)
    return found


def _value_at(series: Series, second: float) -> float | None:
    """Return the last value of a series by the end of a second; None if it is too old."""
    values = [
        (at, value)
        for at, value in zip(series.at, series.values, strict=True)
        if second - NEAR_SECONDS <= at <= second + 1
    ]
    return max(values)[1] if values else None
