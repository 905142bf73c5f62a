"""Stations: the points in a process where the steps of a visit wait for a scarce resource.

A station has a limited number of slots, such as the processes that examine documents. Its bound is the longest permitted wait
of a step; waits stay below it as long as no more visitors are inside than the station can serve. Its pressure is the mean wait
as a share of the bound: above 1, more steps arrive than it serves, even if everything else is idle.

People may also wait until a worker or an outside machine has processed rows in the database (mails, payment
instructions, execution). They wait in no process, so the worker measures this wait by the SQL of a `Backlog`. One
stranger cannot cause pressure there, since fewer than `APART_MIN` waiting accounts or networks count as none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any

from meterai.plumbing.observe.metrics import Counter, Gauge, Metric

WAITED = Counter(
    "meterai_station_waited_seconds_total",
    "Seconds for which steps waited, by station",
    ["station"],
)
SERVED = Counter("meterai_station_served_total", "Steps that were served, by station", ["station"])
SERVING = Counter(
    "meterai_station_serving_seconds_total",
    "Seconds for which steps were served, by station",
    ["station"],
)
APART_MIN = 5  # accounts or networks, as for refusals (`limiter/refusals.py`)
# Bound of each backlog: a second is usual, and after ten people try again.
BACKLOG_SECONDS_MAX = 5.0
# Seconds for which an arrival counts, even if its wait has ended. So one row that is stuck has little weight, and an
# outside machine that stalls is noticed within a dozen seconds.
LATELY_SECONDS = 5 * BACKLOG_SECONDS_MAX
LATE_SECONDS = 1.0  # after so long a wait the mean wait of the others is measured

PRESSURE = Gauge(
    "meterai_station_pressure",
    "Mean wait at a station as a share of its bound, by station",
    ["station"],
)


class Station:
    """A point in a process where work waits for its next step, with the longest permitted wait in seconds. A station without a
    name exports no metrics.
    """

    def __init__(self, name: str, wait_seconds_max: float = inf) -> None:
        self.name = name
        self._bound = wait_seconds_max
        self._since: dict[object, float] = {}  # monotonic time of arrival of each waiting step
        self._waited = 0.0  # seconds, of steps whose wait ended since `pressure` was last called
        self._ended = 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count a step as waiting while the block runs."""
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
        """Count a step that did not have to wait."""
        self._ended += 1

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Count a step as being served while the block runs."""
        begun = monotonic()
        try:
            yield
        finally:
            if self.name:
                SERVED.labels(station=self.name).inc()
                SERVING.labels(station=self.name).inc(monotonic() - begun)

    def pressure(self) -> float:
        """Return the mean wait since the last call, including steps still waiting, as a share of the longest permitted wait."""
        now = monotonic()
        waited = self._waited + sum(now - since for since in self._since.values())
        number = self._ended + len(self._since)
        self._waited, self._ended = 0.0, 0
        found = waited / number / self._bound if number else 0.0
        PRESSURE.labels(station=self.name).set(found)
        return found


@dataclass(frozen=True, slots=True)
class Backlog:
    """People who wait until rows of a room are processed by a worker or an outside machine.

    due           SQL that finds a row that has waited for `LATE_SECONDS`; `mean_seconds` is run only if there is such a
                  row
    mean_seconds  SQL of the mean wait in seconds of people who came within the last `LATELY_SECONDS`; no row if fewer than
                  `APART_MIN` wait
    """

    name: str
    due: str
    mean_seconds: str


METRICS: tuple[Metric[Any], ...] = (WAITED, SERVED, SERVING, PRESSURE)


class Stations:
    """The stations of a process by name, and the backlogs, which are common to all processes."""

    def __init__(self) -> None:
        self.backlogs: list[Backlog] = []
        self._stations: dict[str, Station] = {}
        self._of_backlogs = 0.0  # highest pressure of a backlog since `pressure` was last called

    def add(self, station: Station) -> Station:
        """Register a station, whose name must be new, and return it."""
        assert station.name not in self._stations, station.name
        self._stations[station.name] = station
        return station

    @property
    def due(self) -> str:
        """SQL that finds a row of any backlog that has waited for `LATE_SECONDS`."""
        return " UNION ALL ".join(f"({backlog.due} LIMIT 1)" for backlog in self.backlogs)

    def found(self, backlog: Backlog, mean_seconds: float) -> None:
        """Record the measured mean wait of a backlog."""
        pressure = mean_seconds / BACKLOG_SECONDS_MAX
        PRESSURE.labels(station=backlog.name).set(pressure)
        self._of_backlogs = max(self._of_backlogs, pressure)

    def pressure(self) -> float:
        """Return the highest pressure of all stations and backlogs since the last call; 0 if there is none."""
        highest, self._of_backlogs = self._of_backlogs, 0.0
        return max([highest, *(station.pressure() for station in self._stations.values())])
