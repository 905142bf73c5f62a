"""Service times and pauses as endless streams of numbers, drawn in blocks."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from meterai_rehearsal.simulation.model import ServiceTime

BLOCK = 8_192  # numbers drawn at once: one call of numpy costs as much as a hundred numbers


def mean_of(service: ServiceTime) -> float:
    """Return the mean of a service time."""
    values = np.asarray(service.values)
    if service.counts:
        return float(np.average(values, weights=service.counts)) * service.scale
    if service.shares:
        return float(np.trapezoid(values, service.shares)) * service.scale
    return float(values[0]) * service.scale


def draw(service: ServiceTime, random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw `count` random service times."""
    values: NDArray[np.float64] = np.asarray(service.values) * service.scale
    if service.counts:
        steps = np.cumsum(service.counts)
        chosen = np.searchsorted(steps, random.random(count) * steps[-1], side="right")
        taken: NDArray[np.float64] = values[chosen]
        return taken
    if service.shares:
        return np.interp(random.random(count), service.shares, values)
    if service.is_constant:
        return np.full(count, values[0])
    return random.exponential(values[0], count)


def stream(service: ServiceTime, random: np.random.Generator) -> Iterator[float]:
    """Yield service times without end."""
    return chain.from_iterable(
        draw(service, random, BLOCK).tolist() for _ in iter(lambda: None, object())
    )


def pauses(mean_seconds: float, random: np.random.Generator) -> Iterator[float]:
    """Yield exponential pauses without end; all are zero if `mean_seconds` is zero."""
    return stream(ServiceTime((mean_seconds,)), random)
