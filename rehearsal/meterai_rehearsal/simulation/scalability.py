"""Universal scalability law (Gunther), fitted to measurements at several loads.

    throughput(n) = lambda n / (1 + sigma (n - 1) + kappa n (n - 1))

with n the load (requests under way), lambda the throughput of one alone, sigma the serial share (contention), kappa
the cost of mutual consistency (coherency). The knee is the load with the highest throughput; beyond it more load means
fewer answers.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from meterai.kit.refusal import CommandRefusal
from meterai_rehearsal.simulation.model import Interval, Scalability

POINTS_MIN = 6  # three coefficients, and as many points to test them
LOADS_MIN = 5  # different loads among them
RESAMPLES = 200
CONFIDENCE = 0.95
KAPPA_NONE = 1e-9  # with a smaller kappa the knee is far beyond any load


class TooFewPoints(CommandRefusal):
    """There are too few measurements to fit the law."""

    code = "too_few_points"
    status = 422

    def __init__(self, points: int, loads: int) -> None:
        super().__init__(f"{points} points of {loads} loads")
        self.points = points
        self.loads = loads
        self.points_min = POINTS_MIN
        self.loads_min = LOADS_MIN


def throughput(
    load: Any, rate_alone: float, sigma: float, kappa: float
) -> Any:  # a number or an array
    """Return the throughput by the law."""
    return rate_alone * load / (1 + sigma * (load - 1) + kappa * load * (load - 1))


def fit(points: Sequence[tuple[float, float]], seed: int = 1) -> Scalability:
    """Fit the law. Refuses `TooFewPoints`."""
    measured = np.array([one for one in points if one[0] > 0 and one[1] > 0]).reshape(-1, 2)
    different = len(set(measured[:, 0].tolist()))
    if len(measured) < POINTS_MIN or different < LOADS_MIN:
        raise TooFewPoints(len(measured), different)
    best = _fit_once(measured)
    again = _resampled(measured, seed)
    together = np.vstack([best, *again])
    rate, sigma, kappa = (_interval(best[n], together[:, n]) for n in range(3))
    knees = [knee for one in together if (knee := _knee(*one)) is not None]
    knee = _knee(*best)
    load_max = float(measured[:, 0].max())
    residuals = measured[:, 1] - throughput(measured[:, 0], *best)
    spread = float(((measured[:, 1] - measured[:, 1].mean()) ** 2).sum())
    return Scalability(
        points=tuple((float(load), float(rate)) for load, rate in measured),
        rate_alone=rate,
        sigma=sigma,
        kappa=kappa,
        knee=None if knee is None else _interval(knee, np.array(knees)),
        peak=_peak(best, knee),
        is_extrapolated=knee is None or knee > load_max,
        load_max=load_max,
        r_squared=1.0 - float((residuals**2).sum()) / spread if spread else 0.0,
    )


def fit_where_enough(points: Sequence[tuple[float, float]], seed: int) -> Scalability | None:
    """Fit the law; None if there are too few measurements."""
    try:
        return fit(points, seed)
    except TooFewPoints:
        return None


def _fit_once(measured: NDArray[np.float64]) -> NDArray[np.float64]:
    loads, rates = measured.T
    alone = float((rates / loads).max())
    found, _ = curve_fit(
        throughput,
        loads,
        rates,
        p0=(alone, 0.05, 1e-4),
        bounds=((0.0, 0.0, 0.0), (np.inf, 1.0, 1.0)),
        x_scale=(alone, 0.1, 1e-3),
        max_nfev=5_000,
    )
    return np.asarray(found)


def _resampled(measured: NDArray[np.float64], seed: int) -> list[NDArray[np.float64]]:
    """Fit the law to resampled points, as often as it converges."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES):
        drawn = measured[random.integers(0, len(measured), len(measured))]
        if len(set(drawn[:, 0].tolist())) < LOADS_MIN - 1:
            continue
        try:
            found.append(_fit_once(drawn))
        except RuntimeError:  # no convergence within `max_nfev`: this draw has no law
            continue
    return found


def _interval(best: float, drawn: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(best), float(low), float(high))


def _knee(_rate: float, sigma: float, kappa: float) -> float | None:
    return None if kappa < KAPPA_NONE else sqrt(max(1 - sigma, 0.0) / kappa)


def _peak(best: NDArray[np.float64], knee: float | None) -> float | None:
    rate, sigma, kappa = (float(one) for one in best)
    if knee is not None:
        return float(throughput(max(knee, 1.0), rate, sigma, kappa))
    return rate / sigma if sigma > 0 else None
