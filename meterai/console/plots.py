"""Plots of numbers over time, drawn as SVG on the server; pure.

A plot is an SVG image with a title and a description; the page shows the numbers in a table beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from markupsafe import Markup

from meterai.console.model import MinuteSample
from meterai.console.samples import WHOLE

WIDTH, HEIGHT = 320, 120  # units of the image, which is scaled to its container
_LEFT, _TOP, _BASE = 4, 8, 112
# Dash patterns of lines, distinguishable without colours.
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4")


@dataclass(frozen=True, slots=True)
class PlotSeries:
    """A number that is plotted over time: `name` is its key in the figures of samples, and `grows` is true for a counter."""

    name: str
    grows: bool = False


@dataclass(frozen=True, slots=True)
class PlottedSeries:
    """A series with one point per step of a span; a point is None if nothing was measured in its step."""

    name: str
    points: Sequence[float | None]

    @property
    def last(self) -> float | None:
        """The newest measured point; None if nothing was measured."""
        return next((one for one in reversed(self.points) if one is not None), None)


@dataclass(frozen=True, slots=True)
class PlotSpan:
    """A period that ends at `until`, divided into equal steps."""

    until: datetime
    step: timedelta
    steps: int

    @property
    def since(self) -> datetime:
        """Beginning of the period."""
        return self.until - self.step * self.steps

    def ends(self) -> list[datetime]:
        """Return the end of each step of the period."""
        return [self.since + self.step * (number + 1) for number in range(self.steps)]

    def place(self, at: datetime) -> int | None:
        """Return the number of the step that contains a moment; None outside the period."""
        number = -((self.since - at) // self.step) - 1
        return number if 0 <= number < self.steps else None


def drawn(samples: Sequence[MinuteSample], series: PlotSeries, span: PlotSpan) -> PlottedSeries:
    """Return the points of a series: the mean of the measurements in each step. Measurements of a counter are its
    increases, summed over machines.
    """
    values: list[dict[datetime, float]] = [{} for _ in range(span.steps)]
    for at, value in _values(samples, series):
        if (number := span.place(at)) is not None:
            of = values[number]
            of[at] = of.get(at, 0.0) + value if series.grows else max(of.get(at, value), value)
    return PlottedSeries(series.name, [sum(of.values()) / len(of) if of else None for of in values])


def _values(
    samples: Sequence[MinuteSample], series: PlotSeries
) -> Iterable[tuple[datetime, float]]:
    if not series.grows:
        return [(one.at, one.figures[series.name]) for one in samples if series.name in one.figures]
    sources = {one.source for one in samples} - {WHOLE}
    return [
        # A counter restarts at 0 if the folder of metrics was created again.
        (later.at, max(0.0, later.figures[series.name] - before.figures[series.name]))
        for source in sources
        for before, later in pairwise(one for one in samples if one.source == source)
        if series.name in before.figures and series.name in later.figures
    ]


def svg(name: str, title: str, description: str, lines: Sequence[PlottedSeries]) -> Markup:
    """Return an SVG image of these lines over a common axis from 0 to their maximum."""
    most = max((one for line in lines for one in line.points if one is not None), default=0.0)
    parts = [
        Markup('<path d="{}" fill="none" stroke="currentColor" stroke-width="2"{}/>').format(
            _path(line.points, most or 1.0),
            Markup(' stroke-dasharray="{}"').format(dash) if dash else "",
        )
        for line, dash in zip(lines, DASHES, strict=False)
    ]
    return Markup(
        '<svg viewBox="0 0 {} {}" width="100%" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>'
        '<path d="M{} {}H{}" stroke="currentColor" stroke-width="1" opacity=".4"/>{}</svg>'
    ).format(
        WIDTH,
        HEIGHT,
        *(name,) * 3,
        title,
        name,
        description,
        *(_LEFT, _BASE, WIDTH - _LEFT),
        Markup("").join(parts),
    )


def _path(points: Sequence[float | None], most: float) -> str:
    """Return the SVG path through the measured points, interrupted where a point is missing."""
    across = (WIDTH - 2 * _LEFT) / max(len(points) - 1, 1)
    parts, is_drawing = [], False
    for number, point in enumerate(points):
        if point is None:
            is_drawing = False
            continue
        x, y = _LEFT + number * across, _BASE - (_BASE - _TOP) * point / most
        # A single point becomes a short line; otherwise it would be invisible.
        parts.append(f"L{x:.1f} {y:.1f}" if is_drawing else f"M{x:.1f} {y:.1f}h1")
        is_drawing = True
    return "".join(parts)
