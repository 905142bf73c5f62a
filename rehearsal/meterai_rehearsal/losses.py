"""Losses of visitors: at which step of which journey, why, when, and at which pool.

The pool is what held visitors up in the seconds in which they were lost: the line for those who gave up in one,
else the station with the highest pressure, as the installation said of itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from meterai_rehearsal.results import Run, Series

LOST = "lost"  # series: visitors lost in a second, by `<journey>.<step>: <reason>`
QUEUE = "queue"  # the step of who waits in a line
WAITING = frozenset({QUEUE, "let_in"})  # and of who was called and waits for room inside
LINE = "line"
PRESSURE, RATE = "meterai_station_pressure", "meterai_line_rate"
NEAR_SECONDS = (
    5.0  # so long what the installation said last stands for a second of which it said nothing
)
PRESSURE_MIN = 0.05  # share of the bound; a station with less held nobody up


@dataclass(frozen=True, slots=True)
class Loss:
    """Visitors lost at one step for one reason.

    pool        `line`, the name of a station, or empty: no pool held anybody up, or none was seen
    pressure    mean wait at the station as a share of its bound; None where the pool is no station
    line_rate   admissions a second that the line aimed at; None where the pool is no line
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
    """Every loss of a run, the largest first."""
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
    """The mean of each series of a name over the seconds of a loss, by how many were lost in each."""
    found = {}
    for one in run.series:
        if one.name == name:
            told = [(n, value) for at, n in lost.items() if (value := _near(one, at)) is not None]
            if told:
                found[one.of] = sum(n * value for n, value in told) / sum(n for n, _ in told)
    return found


def _near(series: Series, second: float) -> float | None:
    """The last value of a series by the end of a second; None where that is too long ago."""
    told = [
        (at, value)
        for at, value in zip(series.at, series.values, strict=True)
        if second - NEAR_SECONDS <= at <= second + 1
    ]
    return max(told)[1] if told else None
