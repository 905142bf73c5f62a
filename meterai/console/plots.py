"""Plots of numbers over time, drawn as SVG on the server; pure.

A plot is a picture with a title and a description; the numbers stand beside it as a table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from markupsafe import Markup

from meterai.console.model import MinuteSample
from meterai.console.samples import WHOLE

WIDTH, HEIGHT = 320, 120  # units of the picture, which is as wide as its place
_LEFT, _TOP, _BASE = 4, 8, 112
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4")  # told apart without colours


@dataclass(frozen=True, slots=True)
class PlotSeries:
    """One number over time: its name in samples, and whether it is counted from the beginning (`grows`)."""

    name: str
    grows: bool = False


@dataclass(frozen=True, slots=True)
class PlottedSeries:
    """A series with its points, None where nothing was measured."""

    name: str
    points: Sequence[float | None]

    @property
    def last(self) -> float | None:
        """The newest point that was measured."""
        return next((one for one in reversed(self.points) if one is not None), None)


@dataclass(frozen=True, slots=True)
class PlotSpan:
    """A stretch of time that ends `until`, in so many steps."""

    until: datetime
    step: timedelta
    steps: int

    @property
    def since(self) -> datetime:
        """Its beginning."""
        return self.until - self.step * self.steps

    def ends(self) -> list[datetime]:
        """The end of each step."""
        return [self.since + self.step * (number + 1) for number in range(self.steps)]

    def place(self, at: datetime) -> int | None:
        """The step that a moment is in, None outside."""
        number = -((self.since - at) // self.step) - 1
        return number if 0 <= number < self.steps else None


def drawn(samples: Sequence[MinuteSample], series: PlotSeries, span: PlotSpan) -> PlottedSeries:
    """The points of a series: the mean of what was measured in each step, the sum of all machines for what grows."""
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
        # A counter of a folder that was made anew begins at nothing.
        (later.at, max(0.0, later.figures[series.name] - before.figures[series.name]))
        for source in sources
        for before, later in pairwise(one for one in samples if one.source == source)
        if series.name in before.figures and series.name in later.figures
    ]


def svg(name: str, title: str, description: str, lines: Sequence[PlottedSeries]) -> Markup:
    """A picture of these lines over one axis from 0 to the most of them."""
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
    """Lines through what was measured, broken where nothing was."""
    across = (WIDTH - 2 * _LEFT) / max(len(points) - 1, 1)
    parts, is_drawing = [], False
    for number, point in enumerate(points):
        if point is None:
            is_drawing = False
            continue
        x, y = _LEFT + number * across, _BASE - (_BASE - _TOP) * point / most
        # A point alone is a short line, or nobody sees it.
        parts.append(f"L{x:.1f} {y:.1f}" if is_drawing else f"M{x:.1f} {y:.1f}h1")
        is_drawing = True
    return "".join(parts)
