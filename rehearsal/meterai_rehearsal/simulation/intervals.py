"""Bootstrap intervals of a mean over replications."""

from collections.abc import Sequence

import numpy as np

from meterai_rehearsal.simulation.model import Interval

RESAMPLES = 2_000
CONFIDENCE = 0.95


def interval_of(figures: Sequence[float], seed: int) -> Interval:
    """Return the mean of independent replications, and its percentile bootstrap interval."""
    found = np.asarray(figures, float)
    if not np.isfinite(found).all():
        return Interval(float("inf"), float("inf"), float("inf"))
    random = np.random.default_rng(seed)
    means = found[random.integers(0, len(found), (RESAMPLES, len(found)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(found.mean()), float(low), float(high))
