"""Metrics as they are declared: a name, what it says, its labels.

`prometheus_client` decides when it is imported whether the figures of several processes are added
(see `plumbing/observe/shared_metrics.py`), and rooms are loaded before that is known.  So a metric is
declared without it, and made when a process begins (`begin`) or when it is first used.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    import prometheus_client
    from prometheus_client.metrics import MetricWrapperBase

Made = TypeVar("Made", bound="MetricWrapperBase")


class Metric(Generic[Made]):
    """One metric, declared and perhaps not yet made.  There is one of each name in a process."""

    def __init__(self, name: str, text: str, labels: Iterable[str] = ()) -> None:
        self.name = name
        self.text = text
        self.label_names = tuple(labels)

    @cached_property
    def made(self) -> Made:
        """The metric of `prometheus_client`.  Without labels it is shown as 0 from now on."""
        return self._make()

    def labels(self, **values: str) -> Made:
        """The metric with these values of its labels.  Each combination is kept for ever, so there
        must be few.
        """
        return self.made.labels(**values)

    def _make(self) -> Made:
        raise NotImplementedError


class Counter(Metric["prometheus_client.Counter"]):
    """A number that only grows."""

    def inc(self, amount: float = 1) -> None:
        """Count."""
        self.made.inc(amount)

    def _make(self) -> "prometheus_client.Counter":
        from prometheus_client import Counter as Library  # noqa: PLC0415 - see the module

        return Library(self.name, self.text, self.label_names)


class Gauge(Metric["prometheus_client.Gauge"]):
    """A number that grows and falls, for the whole instance: of several processes the newest value
    counts.  Where each process speaks of itself alone, those of the living are added up.
    """

    def __init__(
        self, name: str, text: str, labels: Iterable[str] = (), *, adds_up: bool = False
    ) -> None:
        super().__init__(name, text, labels)
        self._mode: Literal["livesum", "mostrecent"] = "livesum" if adds_up else "mostrecent"

    def set(self, value: float) -> None:
        """Say how many it is."""
        self.made.set(value)

    def set_to_current_time(self) -> None:
        """Say that it is now, in Unix time."""
        self.made.set_to_current_time()

    def _make(self) -> "prometheus_client.Gauge":
        from prometheus_client import Gauge as Library  # noqa: PLC0415 - see the module

        return Library(self.name, self.text, self.label_names, multiprocess_mode=self._mode)


class Histogram(Metric["prometheus_client.Histogram"]):
    """How many values were at most each of `buckets`, which are upper bounds, and their sum."""

    def __init__(
        self, name: str, text: str, labels: Iterable[str] = (), *, buckets: tuple[float, ...]
    ) -> None:
        super().__init__(name, text, labels)
        self.buckets = buckets

    def observe(self, value: float) -> None:
        """Count one value."""
        self.made.observe(value)

    def time(self) -> AbstractContextManager[object]:
        """Count the seconds that a block takes."""
        return self.made.time()

    def _make(self) -> "prometheus_client.Histogram":
        from prometheus_client import Histogram as Library  # noqa: PLC0415 - see the module

        return Library(self.name, self.text, self.label_names, buckets=self.buckets)


def begin(metrics: Iterable[Metric[Any]]) -> None:
    """Make these metrics: what has no labels is shown from the beginning, as 0."""
    for metric in metrics:
        _ = metric.made
