"""The installation's own figures, and the resources of its processes, read during the load."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import urlsplit

from meterai_rehearsal.clients.connection import Traffic, exchange, request
from meterai_rehearsal.clients.sites import Site, site_of
from meterai_rehearsal.clients.wire import ConnectionLost
from meterai_rehearsal.rehearsal.installation import Spent
from meterai_rehearsal.results import Series

LOOK_SECONDS = 1.0
ANSWER_SECONDS_MAX = 5.0
SERIES_MAX = 300  # of metrics; more would be invented labels
_LINE = re.compile(r"^(meterai_\w+)(?:\{(\w+)=\"([^\"]*)\"\})?\s+([0-9.eE+-]+|NaN|[+-]Inf)$")
_TYPE = re.compile(r"^# TYPE (meterai_\w+) (counter|gauge)$")
# Names in the file of a run: name, unit.
KNOWN = {
    "meterai_limiter_in_time_total": "goodput",
    "meterai_limiter_late_total": "late",
    "meterai_limiter_refused_total": "refused",
    "meterai_limiter_running": "running",
    "meterai_limiter_waiting": "waiting",
    "meterai_limiter_limit": "limit",
}
COUNTER, GAUGE = "counter", "gauge"
Key = tuple[str, str]  # name of the metric, value of its label if it has one


@dataclass(frozen=True, slots=True)
class Sample:
    """All figures at one time."""

    at: float
    figures: Mapping[Key, float]


def parsed(text: str) -> tuple[dict[Key, float], dict[str, str]]:
    """Parse an exposition (Prometheus text) with at most one label each. Return figures, and kinds of metrics."""
    figures: dict[Key, float] = {}
    kinds: dict[str, str] = {}
    for line in text.splitlines():
        if found := _TYPE.match(line):
            kinds[found[1]] = found[2]
        elif (found := _LINE.match(line)) and len(figures) < SERIES_MAX:
            figures[found[1], found[3] or ""] = float(found[4])
    return figures, kinds


@dataclass(slots=True)
class Observation:
    """Samples of a run."""

    metrics: list[Sample] = field(default_factory=list)
    processes: list[tuple[float, Mapping[str, Spent]]] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)

    async def watch(
        self,
        now: Callable[[], float],
        metrics_url: str,
        spent: Callable[[], Mapping[str, Spent]] | None,
    ) -> None:
        """Take a sample once a second, until cancelled. An unreachable source is tried again."""
        site = site_of(metrics_url) if metrics_url else None
        path = urlsplit(metrics_url).path
        while True:
            if site is not None:
                await self._look(now, site, path)
            if spent is not None:
                self.processes.append((now(), await asyncio.to_thread(spent)))
            at = now()
            await asyncio.sleep(LOOK_SECONDS - at % LOOK_SECONDS)

    async def _look(self, now: Callable[[], float], site: Site, path: str) -> None:
        try:
            sent = request(site, "GET", path, {"Accept": "text/plain"})
            answer = await exchange(site, sent, Traffic(), ANSWER_SECONDS_MAX)
        except ConnectionLost:
            return
        if answer.status == 200:
            figures, kinds = parsed(answer.body.decode("utf-8", "replace"))
            self.kinds.update(kinds)
            self.metrics.append(Sample(now(), figures))

    def grown(self, name: str, of: str) -> float:
        """Return the growth of a counter from the first sample to the last; the reset of the counter by a
        restart does not reduce it.
        """
        values = [one.figures[name, of] for one in self.metrics if (name, of) in one.figures]
        return sum(max(later - before, 0.0) for before, later in pairwise(values))

    def cpu_seconds(self) -> dict[str, float]:
        """Return the total processor seconds of each group of processes; if its counter fell, the group was
        restarted and counts from zero.
        """
        found: dict[str, float] = {}
        for (_, before), (_, later) in pairwise(self.processes):
            for name, spent in later.items():
                earlier = before[name].cpu_seconds if name in before else 0.0
                grown = spent.cpu_seconds - earlier
                found[name] = found.get(name, 0.0) + (grown if grown >= 0 else spent.cpu_seconds)
        return found

    def series(self) -> list[Series]:
        """Return the series in the form of a run."""
        return [*self._of_metrics(), *self._of_processes()]

    def _of_metrics(self) -> list[Series]:
        keys = sorted({key for one in self.metrics for key in one.figures})
        return [found for key in keys if (found := self._of_metric(key)) is not None]

    def _of_metric(self, key: Key) -> Series | None:
        name, of = key
        kind = self.kinds.get(name) or self.kinds.get(name.removesuffix("_total"))
        told = [(one.at, one.figures[key]) for one in self.metrics if key in one.figures]
        shown = KNOWN.get(name, name)
        if kind == GAUGE:
            return Series(shown, of, _unit(name), *_columns(told))
        if kind != COUNTER:
            return None
        rates = [
            (at, max(value - earlier, 0.0) / (at - before))
            for (before, earlier), (at, value) in pairwise(told)
            if at > before
        ]
        return Series(shown, of, "1/s", *_columns(rates))

    def _of_processes(self) -> list[Series]:
        names = sorted({name for _, groups in self.processes for name in groups})
        found = []
        for name in names:
            told = [(at, groups[name]) for at, groups in self.processes if name in groups]
            cpu = [
                (at, max(one.cpu_seconds - earlier.cpu_seconds, 0.0) / (at - before))
                for (before, earlier), (at, one) in pairwise(told)
                if at > before
            ]
            memory = [(at, float(one.memory_bytes)) for at, one in told]
            found.append(Series("cpu", name, "cores", *_columns(cpu)))
            found.append(Series("memory", name, "bytes", *_columns(memory)))
        return found


def _columns(told: list[tuple[float, float]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(round(at, 3) for at, _ in told), tuple(value for _, value in told)


def _unit(name: str) -> str:
    return next((one for one in ("seconds", "bytes", "rupiah") if name.endswith(one)), "number")
