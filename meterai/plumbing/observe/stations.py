"""Stations: the places of a process where the steps of a visit wait for something scarce.

A station has few places, such as the processes that look at documents, and a bound: so long a step waits at most
while no more people are inside than are served.  The pressure of a station is its mean wait as a share of the bound.
Above 1 more come to it than it serves, whatever else is idle.

Where people wait for rows in the database that a worker or an outside machine moves on (mails, instructions of
payment, execution), the wait is no process's: a `Backlog` says in SQL how long they wait, and the worker asks.
One stranger makes no pressure there: fewer than `APART_MIN` accounts or networks that wait count as none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any

from meterai.plumbing.observe.metrics import Counter, Gauge, Metric

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
APART_MIN = 5  # as of those who are refused (`limiter/refusals.py`)
BACKLOG_SECONDS_MAX = 5.0  # the bound of each: a second is usual, and after ten people ask again
# Who came in this time counts, those who wait no more too: so one that is stuck alone says little, and a machine
# outside that stalls is noticed within a dozen seconds.
LATELY_SECONDS = 5 * BACKLOG_SECONDS_MAX
LATE_SECONDS = 1.0  # a wait that is worth a question how long the others wait

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


@dataclass(frozen=True, slots=True)
class Backlog:
    """People who wait for rows of a room.

    due           SQL of a row that waited for `LATE_SECONDS`: without one nobody asks
    mean_seconds  SQL of the mean wait of those who came within `LATELY_SECONDS`; no row where fewer than
                  `APART_MIN` wait
    """

    name: str
    due: str
    mean_seconds: str


METRICS: tuple[Metric[Any], ...] = (WAITED, SERVED, SERVING, PRESSURE)


class Stations:
    """The stations of a process, each by its name, and the backlogs of all processes."""

    def __init__(self) -> None:
        self.backlogs: list[Backlog] = []
        self._stations: dict[str, Station] = {}
        self._of_backlogs = 0.0  # the highest found since last asked

    def add(self, station: Station) -> Station:
        """One more; there is one of each name."""
        assert station.name not in self._stations, station.name
        self._stations[station.name] = station
        return station

    @property
    def due(self) -> str:
        """SQL of a row that waited for long, of any backlog."""
        return " UNION ALL ".join(f"({backlog.due} LIMIT 1)" for backlog in self.backlogs)

    def found(self, backlog: Backlog, mean_seconds: float) -> None:
        """People wait so long in the mean for rows of a backlog."""
        pressure = mean_seconds / BACKLOG_SECONDS_MAX
        PRESSURE.labels(station=backlog.name).set(pressure)
        self._of_backlogs = max(self._of_backlogs, pressure)

    def pressure(self) -> float:
        """The highest pressure of all stations and backlogs since last asked; 0 where there is none."""
        highest, self._of_backlogs = self._of_backlogs, 0.0
        return max([highest, *(station.pressure() for station in self._stations.values())])
