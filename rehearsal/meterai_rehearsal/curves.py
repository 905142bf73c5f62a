"""Arrival curves: arrivals over time in a rush, such as before a deadline or at an opening.

A curve is piecewise linear: arrivals per second at points in time, linear between them; two points at one time are a
jump. The shipped ones (`shapes/*.toml`) describe real rushes, each with its source and a note of what is known and
what is assumed.
"""

import math
import tomllib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from itertools import pairwise

import msgspec

RATE_MAX = 1_000_000.0  # arrivals a second; CoWIN's opening had 55,000 hits
SECONDS_MAX = 366 * 86_400.0
POINTS_MAX = 10_000


class CurveWrong(ValueError):
    """The points do not form a curve; the message names the wrong point and the reason."""


@dataclass(frozen=True)
class Curve:
    """Arrivals a second over time. Raises `CurveWrong` for invalid points."""

    points: tuple[tuple[float, float], ...]  # (seconds from the beginning, arrivals per second)

    def __post_init__(self) -> None:
        """Check every point."""
        if not 2 <= len(self.points) <= POINTS_MAX:
            raise CurveWrong(f"from 2 to {POINTS_MAX} points are expected, not {len(self.points)}")
        if self.points[0][0] != 0:
            raise CurveWrong("the first point is at 0 seconds")
        for number, (at, rate) in enumerate(self.points):
            if not (math.isfinite(at) and 0 <= at <= SECONDS_MAX):
                raise CurveWrong(
                    f"point {number}: {at} is not a time up to {SECONDS_MAX:.0f} seconds"
                )
            if not (math.isfinite(rate) and 0 <= rate <= RATE_MAX):
                raise CurveWrong(
                    f"point {number}: {rate} is not a rate up to {RATE_MAX:.0f} a second"
                )
            if number and at < self.points[number - 1][0]:
                raise CurveWrong(f"point {number}: {at} is earlier than the point before it")
        if self.seconds == 0:
            raise CurveWrong("the curve has no duration")

    @property
    def seconds(self) -> float:
        """Duration of the curve in seconds."""
        return self.points[-1][0]

    @property
    def peak(self) -> float:
        """Highest rate of the curve, in arrivals a second."""
        return max(rate for _, rate in self.points)

    @cached_property
    def _totals(self) -> tuple[float, ...]:
        """Expected arrivals up to each point."""
        found = [0.0]
        for (at, rate), (later, then) in pairwise(self.points):
            found.append(found[-1] + (later - at) * (rate + then) / 2)
        return tuple(found)

    @property
    def total(self) -> float:
        """Expected arrivals in total."""
        return self._totals[-1]

    def rate(self, at: float) -> float:
        """Return the arrivals a second at the time `at`; at a jump it is the rate after the jump, outside the
        curve it is 0.
        """
        if not 0 <= at <= self.seconds:
            return 0.0
        later = bisect_right(self.points, at, key=lambda point: point[0])
        if later == len(self.points):
            return self.points[-1][1]
        (begin, low), (end, high) = self.points[later - 1], self.points[later]
        return low + (high - low) * (at - begin) / (end - begin)

    def when(self, arrivals: float) -> float:
        """Return the time in seconds by which this number of arrivals (0 to `total`) is expected: the inverse
        of the integral of the curve.
        """
        totals = self._totals
        later = min(bisect_right(totals, arrivals), len(totals) - 1)
        (begin, low), (end, high) = self.points[later - 1], self.points[later]
        width = end - begin
        even = (arrivals - totals[later - 1]) / (width or 1)
        # even = low u + (high - low) u² / 2 with u the share of the width, solved without cancellation where the rate
        # hardly changes.
        under = math.sqrt(max(low * low + 2 * (high - low) * even, 0.0))
        return min(begin + width * (2 * even / (low + under) if low + under else 0.0), end)

    def over(self, seconds: float) -> "Curve":
        """Return the curve stretched to another duration, with the same rates."""
        return Curve(tuple((at * seconds / self.seconds, rate) for at, rate in self.points))

    def times(self, factor: float) -> "Curve":
        """Return the curve with its arrivals multiplied."""
        return Curve(tuple((at, rate * factor) for at, rate in self.points))


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Curve of a real rush, as in its file.

    `points` are (hours from the beginning, arrivals per hour).
    """

    title: str
    source: str
    known: str
    ours: str
    points: Sequence[tuple[float, float]]

    @property
    def curve(self) -> Curve:
        """Return the original curve, in seconds and arrivals a second."""
        return Curve(tuple((hour * 3600, rate / 3600) for hour, rate in self.points))


def shapes() -> dict[str, Shape]:
    """Return the shipped shapes by name."""
    files = (resources.files("meterai_rehearsal") / "shapes").iterdir()
    return {
        file.name.removesuffix(".toml"): msgspec.convert(tomllib.loads(file.read_text()), Shape)
        for file in sorted(files, key=lambda file: file.name)
        if file.name.endswith(".toml")
    }
