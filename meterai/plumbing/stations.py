"""Stations: the places of a process where the steps of a visit wait for something scarce.

A station has few places, such as the processes that look at documents, and a bound: so long a step waits at most
while no more people are inside than are served.  The pressure of a station is its mean wait as a share of the bound.
Above 1 more come to it than it serves, whatever else is idle.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import Any

from meterai.plumbing.metrics import Counter, Gauge, Metric

WAITED = Counter(
    "meterai_station_waited_seconds_total", "Time for which steps waited, by station", ["station"]
)
SERVED = Counter(
    "meterai_station_served_total", "Steps that were carried out, by station", ["station"]
)
SERVING = Counter(
    "meterai_station_serving_seconds_total",
    "Time for which steps were carried out, by station",
    ["station"],
)
PRESSURE = Gauge(
    "meterai_station_pressure",
    "Mean wait at a station as a share of its bound, by station",
    ["station"],
)


class Station:
    """One place where steps wait, with its bound in seconds.  One without a name tells nobody."""

    def __init__(self, name: str, wait_seconds_max: float = inf) -> None:
        self.name = name
        self._bound = wait_seconds_max
        self._since: dict[object, float] = {}  # of those who wait: when they came
        self._waited = 0.0  # of those whose wait ended since last asked
        self._ended = 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A step waits while this lasts."""
        mark, begun = object(), monotonic()
        self._since[mark] = begun
        try:
            yield
        finally:
            del self._since[mark]
            waited = monotonic() - begun
            self._waited += waited
            self._ended += 1
            if self.name:
                WAITED.labels(station=self.name).inc(waited)

    def at_once(self) -> None:
        """A step did not have to wait."""
        self._ended += 1

    @contextmanager
    def serving(self) -> Iterator[None]:
        """A step is carried out while this lasts."""
        begun = monotonic()
        try:
            yield
        finally:
            if self.name:
                SERVED.labels(station=self.name).inc()
                SERVING.labels(station=self.name).inc(monotonic() - begun)

    def pressure(self) -> float:
        """The mean wait since last asked, of those who still wait too, as a share of the bound."""
        now = monotonic()
        waited = self._waited + sum(now - since for since in self._since.values())
        number = self._ended + len(self._since)
        self._waited, self._ended = 0.0, 0
        found = waited / number / self._bound if number else 0.0
        PRESSURE.labels(station=self.name).set(found)
        return found


METRICS: tuple[Metric[Any], ...] = (WAITED, SERVED, SERVING, PRESSURE)


class Stations:
    """The stations of a process, each by its name."""

    def __init__(self) -> None:
        self._stations: dict[str, Station] = {}

    def add(self, station: Station) -> Station:
        """One more; there is one of each name."""
        assert station.name not in self._stations, station.name
        self._stations[station.name] = station
        return station

    def pressure(self) -> float:
        """The highest pressure of all stations since last asked; 0 where there is none."""
        return max((station.pressure() for station in self._stations.values()), default=0.0)
