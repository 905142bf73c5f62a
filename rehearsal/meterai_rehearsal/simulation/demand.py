"""Demand: the curve of a real rush, scaled to a duration and a number of people."""

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from meterai.kit.refusal import Malformed
from meterai.plumbing.files import read_file
from meterai.plumbing.toml import read_toml
from meterai_rehearsal.curves import Curve, CurveWrong, Shape, shapes

CURVE_BYTES_MAX = 64 * 1024


def shape_of(name: str) -> Shape:
    """Return a shipped shape by its name, or one from a file. Refuses `Malformed`, also for an invalid curve."""
    shipped = shapes()
    if name in shipped:
        return shipped[name]
    try:
        text = read_file(Path(name), CURVE_BYTES_MAX).decode()
        shape = msgspec.convert(read_toml(text), Shape)
        has_arrivals = shape.curve.total > 0
    except (OSError, ValueError, CurveWrong, msgspec.ValidationError):
        raise Malformed("--curve", "curve", names=", ".join(shipped)) from None
    if not has_arrivals:
        raise Malformed("--curve", "curve", names=", ".join(shipped))
    return shape


def arrivals(curve: Curve, count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return the arrival times of `count` people, ascending: a Poisson stream along this curve, on condition
    that exactly `count` arrive.

    For speed, all times are computed in one array operation, with the same result as `Curve.when` for each person.
    """
    times, rates = np.array(curve.points).T
    widths = np.diff(times)
    until = np.concatenate([[0.0], np.cumsum((rates[1:] + rates[:-1]) / 2 * widths)])
    # Sums of exponential gaps over their total are ordered uniform numbers: no sorting is needed.
    gaps = np.cumsum(random.exponential(1.0, count + 1))
    shares = gaps[:-1] / gaps[-1] * until[-1]
    # A jump has no width, so nobody arrives within it.
    piece = np.clip(np.searchsorted(until, shares, side="right") - 1, 0, len(widths) - 1)
    width, low, high = widths[piece], rates[piece], rates[piece + 1]
    even = np.divide(shares - until[piece], width, out=np.zeros(count), where=width > 0)
    under = low + np.sqrt(np.maximum(low * low + 2 * (high - low) * even, 0.0))
    x = np.divide(2 * even, under, out=np.zeros(count), where=under > 0)
    came: NDArray[np.float64] = times[piece] + width * np.minimum(x, 1.0)
    return came
